/* Rows go in as commands like any others, some thousands to a transaction: checked, journalled, counted. */
#include "bench/world.h"

#include <errno.h>
#include <unistd.h>

#include "base/day.h"
#include "bench/people.h"
#include "core/command.h"
#include "core/session.h"
#include "pass/pass.h"
#include "sheet/sheet.h"

enum { COMMUNITIES_LEAST = 6, QUARTERS = 9, BUILDINGS = 3, HOUSEHOLDS_OF_COMMUNITY = 1000, GROUP = 5000, AHEAD = 250, CODE = 40 };

/* ---- ids ---- */

struct id world_id(enum world_thing what, uint64_t n) {
    static const uint8_t tail[8] = {0xbe, 0x4c, 'l', 'i', 'a', 'n', 'f', 'a'};
    const uint64_t first_ms = UINT64_C(1577836800000), ms = first_ms + n;
    struct id id;
    for (int i = 0; i < 6; i++) id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.b[6] = 0x70;
    id.b[7] = (uint8_t)what;
    memcpy(id.b + 8, tail, sizeof tail);
    return id;
}

int64_t world_gates(const struct world *w) {
    return w->communities * QUARTERS;
}

static int64_t building_of(const struct world *w, int64_t household) {
    return household * world_gates(w) * BUILDINGS / w->households;
}

/* As many follow each other in one household as it has when the site is made, so that rows of one place are written together, as they are when an
 * area is issued its passes. */
static int64_t household_of_pass(const struct world *w, uint64_t pass) {
    return (int64_t)(pass / (uint64_t)w->together % (uint64_t)w->households);
}

int64_t world_gate_of_pass(const struct world *w, uint64_t pass) {
    return building_of(w, household_of_pass(w, pass)) / BUILDINGS;
}

static const char *quarter_code(int64_t quarter, char out[CODE]) {
    snprintf(out, CODE, "c%dq%d", (int)(quarter / QUARTERS), (int)(quarter % QUARTERS));
    return out;
}

static const char *building_code(int64_t building, char out[CODE]) {
    char quarter[CODE / 2];
    snprintf(quarter, sizeof quarter, "c%dq%d", (int)(building / BUILDINGS / QUARTERS), (int)(building / BUILDINGS % QUARTERS));
    snprintf(out, CODE, "%sb%d", quarter, (int)(building % BUILDINGS));
    return out;
}

/* ---- commands, a group to a transaction ---- */

struct group {
    struct write_item item;
    struct command_call *calls;
    size_t n;
};
struct maker {
    struct site *site;
    const struct world_watch *watch;
    struct world *w;
    struct arena a; /* of the group */
    struct group group;
    int64_t first_scan, since; /* those that are made now follow each other evenly from then */
};

static int run_group(struct tx *tx, struct write_item *item, struct err *e) {
    struct group *g = (struct group *)item;
    for (size_t i = 0; i < g->n; i++) {
        for (size_t j = i; i % AHEAD == 0 && j < MIN(i + AHEAD, g->n); j++) TRY(command_foresee(tx, &g->calls[j], e));
        TRY(command_run(tx, &g->calls[i], e));
        arena_clear(tx->a);
    }
    return 0;
}

static int flush(struct maker *m, struct err *e) {
    m->group.item = (struct write_item){.run = run_group};
    TRY(m->group.n ? writer_run(m->site, &m->group.item, e) : 0);
    m->group.n = 0;
    arena_clear(&m->a);
    return 0;
}

/* The next command; put() fills it. */
static struct command_call *create(struct maker *m, const char *kind, struct id record, const char *area) {
    struct command_call *call = &m->group.calls[m->group.n++];
    *call = (struct command_call){.a = &m->a, .actor = &actor_system, .lang = LANG_ZH_HANS, .id = id_new(site_now(m->site)), .record = record, .fresh = true};
    if (area) call->area = arena_str(&m->a, str_z(area));
    command_prepare(call, kind_by_name(str_z(kind)), VERB_CREATE);
    return call;
}

static void put(struct command_call *call, const char *field, struct val v) {
    int i = kind_field(call->kind, str_z(field));
    INVARIANT(i >= 0);
    call->values[i] = val_copy(call->a, &v);
    call->given[i] = true;
}

/* ---- what there is ---- */

static void make_area(struct maker *m, const char *parent, const char *code, const char *level) {
    struct command_call *c = create(m, "area", id_new(site_now(m->site)), NULL);
    put(c, "name", VTEXTZ(code));
    put(c, "code", VTEXTZ(code));
    put(c, "level", VTEXTZ(level));
    put(c, "parent", VTEXTZ(parent));
}

static int make_areas(struct maker *m, struct err *e) {
    char code[CODE], up[CODE];
    make_area(m, "county", "town", "group");
    for (int64_t i = 0; i < m->w->communities; i++) {
        snprintf(code, sizeof code, "c%d", (int)i);
        make_area(m, "town", code, "community");
    }
    TRY(flush(m, e));
    for (int64_t i = 0; i < world_gates(m->w); i++) {
        snprintf(up, sizeof up, "c%d", (int)(i / QUARTERS));
        make_area(m, up, quarter_code(i, code), "quarter");
    }
    TRY(flush(m, e));
    for (int64_t i = 0; i < world_gates(m->w) * BUILDINGS; i++) make_area(m, quarter_code(i / BUILDINGS, up), building_code(i, code), "building");
    return flush(m, e);
}

static void make_gate(struct maker *m, int64_t n) {
    char at[CODE], text[32];
    struct command_call *c = create(m, "gate", world_id(WORLD_GATE, (uint64_t)n), quarter_code(n, at));
    snprintf(text, sizeof text, "卡点%d", (int)n);
    put(c, "name", VTEXTZ(text));
    snprintf(text, sizeof text, "g%d", (int)n);
    put(c, "code", VTEXTZ(text));
    put(c, "kind_of", VTEXT(STR("quarter_gate")));
}

static void make_household(struct maker *m, int64_t n) {
    char at[CODE], text[32];
    struct command_call *c = create(m, "household", world_id(WORLD_HOUSEHOLD, (uint64_t)n), building_code(building_of(m->w, n), at));
    snprintf(text, sizeof text, "%d", (int)n);
    put(c, "door", VTEXTZ(text));
    snprintf(text, sizeof text, "h%d", (int)n);
    put(c, "code", VTEXTZ(text));
}

/* Without papers: no figure looks at them, and keys in random order would take most of the time. */
static void make_resident(struct maker *m, int64_t n) {
    enum { NAMESAKES = 100 };
    struct invented p;
    struct command_call *c = create(m, "resident", world_id(WORLD_RESIDENT, (uint64_t)n), NULL);
    invented_make((uint64_t)(n / NAMESAKES), &p);
    put(c, "name", VTEXTZ(p.name));
    put(c, "household", VID(world_id(WORLD_HOUSEHOLD, (uint64_t)(n % m->w->households))));
    put(c, "since", VTEXT(STR("2020-01-01")));
    if (n % 10 == 0) put(c, "care", VTEXT(STR("chronic")));
}

static void make_pass(struct maker *m, int64_t n) {
    struct command_call *c = create(m, "pass", world_id(WORLD_PASS, (uint64_t)n), NULL);
    put(c, "kind_of", VTEXT(STR("household")));
    put(c, "household", VID(world_id(WORLD_HOUSEHOLD, (uint64_t)household_of_pass(m->w, (uint64_t)n))));
}

static void make_scan(struct maker *m, int64_t n) {
    uint64_t pass = (uint64_t)n % (uint64_t)MAX(m->w->passes, 1);
    char number[PASS_NUMBER];
    struct command_call *c = create(m, "gate_scan", (struct id){{0}}, NULL);
    c->id = world_id(WORLD_SCAN, (uint64_t)n);
    put(c, "gate", VID(world_id(WORLD_GATE, (uint64_t)world_gate_of_pass(m->w, pass))));
    put(c, "seen_at", VINT(m->since + (n - m->first_scan) * (WORLD_SCAN_DAYS * US_PER_DAY / (m->w->scans - m->first_scan))));
    put(c, "what", VTEXT(STR("person")));
    put(c, "pass", VTEXTZ(pass_number(world_id(WORLD_PASS, pass), number)));
    put(c, "temperature", VREAL(36.5));
}

static int make_all(struct maker *m, const char *what, int64_t from, int64_t to, void (*make)(struct maker *m, int64_t n), struct err *e) {
    for (int64_t i = from; i < to; i++) {
        make(m, i);
        if (m->group.n < GROUP) continue;
        TRY(flush(m, e));
        if (m->watch && m->watch->made) m->watch->made(m->watch->arg, what, i + 1 - from, to - from);
    }
    return flush(m, e);
}

/* ---- a site that was kept says how much it holds ---- */

static int note(const char *dir, const struct world *w, struct err *e) {
    char path[600];
    FILE *f = fopen(site_path(path, dir, "bench.world"), "w");
    if (f)
        fprintf(f, "%lld %lld %lld %lld %lld %lld\n", (long long)w->communities, (long long)w->households, (long long)w->together, (long long)w->residents, (long long)w->passes,
                (long long)w->scans);
    if (!f || fclose(f)) return err_set(e, ERR_IO, NULL, M_FILE, path, strerrordesc_np(errno));
    return 0;
}

int world_of(const char *dir, struct world *ret, struct err *e) {
    char path[600], line[200] = "";
    int64_t *const numbers[] = {&ret->communities, &ret->households, &ret->together, &ret->residents, &ret->passes, &ret->scans};
    FILE *f = fopen(site_path(path, dir, "bench.world"), "r");
    struct str rest, one;
    if (f && !fgets(line, sizeof line, f)) line[0] = 0;
    if (f) fclose(f);
    rest = str_trim(str_z(line));
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (!str_cut(&rest, ' ', &one) || !str_to_int(one, 0, INT64_MAX, numbers[i])) return err_set(e, ERR_STATE, NULL, M_SITE_EXISTS, dir);
    return 0;
}

static int begin(const char *dir, const char *db, const struct world *want, struct world *w, struct err *e) {
    if (site_is_there(dir)) return world_of(dir, w, e);
    int64_t households = MIN(MAX(want->passes, want->residents) / 4, WORLD_HOUSEHOLDS_MOST);
    w->communities = MAX(COMMUNITIES_LEAST, households / HOUSEHOLDS_OF_COMMUNITY);
    w->households = MAX(households, world_gates(w) * BUILDINGS);
    w->together = MAX(want->passes / w->households, 1);
    return site_create(dir, &(struct site_options){.name = "bench", .level = "county", .code = "county", .db = db}, e);
}

static int fill(struct maker *m, const struct world *want, bool new, struct err *e) {
    struct world *w = m->w, had = *w;
    w->residents = MAX(had.residents, want->residents);
    w->passes = MAX(had.passes, want->passes);
    w->scans = MAX(had.scans, want->scans);
    m->first_scan = had.scans;
    m->since = (site_now(m->site) - WORLD_SCAN_DAYS * US_PER_DAY) / US_PER_SECOND * US_PER_SECOND;
    if (new) TRY(make_areas(m, e));
    if (new) TRY(make_all(m, "gate", 0, world_gates(w), make_gate, e));
    if (new) TRY(make_all(m, "household", 0, w->households, make_household, e));
    TRY(make_all(m, "resident", had.residents, w->residents, make_resident, e));
    TRY(make_all(m, "pass", had.passes, w->passes, make_pass, e));
    return make_all(m, "gate_scan", had.scans, w->scans, make_scan, e);
}

int world_build(const char *dir, const char *db, const struct world *want, const struct world_watch *watch, struct world *ret, struct err *e) {
    struct site *site CLEANUP(site_closep) = NULL;
    bool new = !site_is_there(dir);
    *ret = (struct world){.scans = 0};
    TRY(begin(dir, db, want, ret, e));
    TRY(site_open_at(dir, new ? NULL : db, &site, e));
    struct maker m = {.site = site, .watch = watch, .w = ret};
    m.group.calls = calloc(GROUP, sizeof *m.group.calls);
    INVARIANT(m.group.calls);
    int r = fill(&m, want, new, e);
    free(m.group.calls);
    arena_release(&m.a);
    return r ? r : note(dir, ret, e);
}

int world_token(const char *dir, const char *db, char ret[TOKEN_TEXT], struct err *e) {
    struct site *site CLEANUP(site_closep) = NULL;
    struct id account;
    TRY(site_open_at(dir, db, &site, e));
    TRY(account_make(site, "bench", "bench", "headquarters", "county", &account, e));
    return account_token(site, account, "bench", 1, ret, e);
}

/* ---- the roster ---- */

static void roster_row(struct sheet_out *o, int64_t n, int64_t households) {
    struct invented p;
    char household[32];
    day_t birth;
    invented_make((uint64_t)n, &p);
    snprintf(household, sizeof household, "h%lld", (long long)(n % households));
    sheet_out_int(o, n);
    sheet_out_text(o, str_z(p.name));
    sheet_out_text(o, p.male ? STR("男") : STR("女"));
    if (day_from_iso(str_z(p.birth), &birth)) sheet_out_day(o, birth);
    sheet_out_text(o, str_z(p.id_number));
    sheet_out_text(o, str_z(p.phone));
    sheet_out_text(o, str_z(household));
    sheet_out_row_end(o);
}

int world_roster(const char *path, const struct world *w, int64_t first, int64_t rows, struct err *e) {
    static const char *const headings[] = {"序号", "姓名", "性别", "出生日期", "身份证号", "手机号", "户编号"};
    struct sheet_out *o CLEANUP(sheet_out_dropp) = NULL;
    TRY(sheet_out_open(path, &(struct sheet_out_options){.format = SHEET_XLSX, .title = "居民"}, &o, e));
    for (size_t i = 0; i < COUNT(headings); i++) sheet_out_heading(o, str_z(headings[i]));
    sheet_out_row_end(o);
    for (int64_t i = 0; i < rows; i++) roster_row(o, first + i, w->households);
    return sheet_out_close(TAKE(o), e);
}
