/* bench-world DIR HOUSEHOLDS [RESIDENTS]: a site with a county, its gates, households and clinics, that many residents (none if not told), a
 * tenth as many scans over four weeks, and a user with an API token.  Prints the token. */
#include "base/log.h"
#include "bench.h"
#include "core/command.h"
#include "core/session.h"
#include "systems/systems.h"

enum {
    COMMUNITIES_LEAST = 6, QUARTERS = 9, BUILDINGS = 3, HOUSEHOLDS_OF_COMMUNITY = 1000, GATES = 18, CLINICS = 4, GROUP = 1000, SCAN_DAYS = 28,
    SCANS_MOST = 50000, AREA_CODE = 40
};

/* Commands run together in one transaction. */
struct group {
    struct write_item item;
    struct command_call *calls;
    size_t n;
};
struct maker {
    struct site *site;
    struct arena a; /* of the group */
    struct group group;
    struct targets to;
    int communities;
};

static void refused(const char *what, const struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    err_text(e, LANG_EN, &b);
    bench_fail("%s: %s %s %s", what, err_name(e->code), e->field, b.p ? b.p : "");
}

static int run_group(struct tx *tx, struct write_item *item, struct err *e) {
    struct group *g = (struct group *)item;
    for (size_t i = 0; i < g->n; i++) TRY(command_run(tx, &g->calls[i], e));
    return 0;
}

static void flush(struct maker *m) {
    struct err e;
    m->group.item = (struct write_item){.run = run_group};
    if (m->group.n && writer_run(m->site, &m->group.item, &e)) refused("group", &e);
    m->group.n = 0;
    arena_clear(&m->a);
}

static void add(struct maker *m, struct str json) {
    struct json *j;
    struct err e;
    struct command_call *call = &m->group.calls[m->group.n++];
    *call = (struct command_call){.a = &m->a, .actor = &actor_system, .lang = LANG_EN};
    if (json_parse(&m->a, arena_str(&m->a, json), NULL, &j, &e) || command_parse(m->site, j, call, &e)) refused(json.p, &e);
    if (m->group.n == GROUP) flush(m);
}

static struct id make(struct maker *m, const char *kind, const char *area, const char *data) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    char text[ID_TEXT];
    struct id record = id_new(site_now(m->site));
    buf_addf(&b, "{\"id\":\"%s\",\"command\":\"%s.create\",", id_text(id_new(site_now(m->site)), text), kind);
    buf_addf(&b, "\"record\":\"%s\",", id_text(record, text));
    if (area) buf_addf(&b, "\"area\":\"%s\",", area);
    buf_addf(&b, "\"data\":%s}", data);
    add(m, buf_str(&b));
    return record;
}

/* ---- the county ---- */

static void area(struct maker *m, const char *parent, const char *code, const char *level) {
    char data[256];
    snprintf(data, sizeof data, "{\"name\":\"%s\",\"code\":\"%s\",\"level\":\"%s\",\"parent\":\"%s\"}", code, code, level, parent);
    make(m, "area", NULL, data);
}

static void areas(struct maker *m) {
    char community[AREA_CODE], quarter[AREA_CODE], building[AREA_CODE];
    area(m, "county", "town", "group");
    for (int c = 0; c < m->communities; c++) {
        snprintf(community, sizeof community, "c%d", c);
        area(m, "town", community, "community");
        for (int q = 0; q < QUARTERS; q++) {
            snprintf(quarter, sizeof quarter, "c%dq%d", c, q);
            area(m, community, quarter, "quarter");
            for (int b = 0; b < BUILDINGS; b++) {
                snprintf(building, sizeof building, "c%dq%db%d", c, q, b);
                area(m, quarter, building, "building");
            }
        }
    }
}

static void records(struct maker *m, int households) {
    char at[AREA_CODE], data[256];
    for (int i = 0; i < GATES; i++) {
        snprintf(at, sizeof at, "c%dq%d", i % m->communities, i / COMMUNITIES_LEAST);
        snprintf(data, sizeof data, "{\"name\":\"卡点%d\",\"kind_of\":\"quarter_gate\"}", i);
        targets_add(&m->to, LOAD_SCAN, make(m, "gate", at, data));
    }
    for (int i = 0; i < households; i++) {
        int building = (int)((int64_t)i * m->communities * QUARTERS * BUILDINGS / households);
        snprintf(at, sizeof at, "c%dq%db%d", building / BUILDINGS / QUARTERS, building / BUILDINGS % QUARTERS, building % BUILDINGS);
        snprintf(data, sizeof data, "{\"door\":\"%d\",\"code\":\"h%d\"}", i, i);
        targets_add(&m->to, LOAD_RESIDENT, make(m, "household", at, data));
    }
    for (int i = 0; i < CLINICS; i++) {
        snprintf(at, sizeof at, "c%d", i);
        snprintf(data, sizeof data, "{\"name\":\"第%d发热门诊\",\"type\":\"institution\"}", i);
        targets_add(&m->to, LOAD_VISIT, make(m, "organisation", at, data));
    }
    flush(m);
}

static void write_targets(const struct maker *m) {
    char path[600], text[ID_TEXT];
    FILE *f = fopen(site_path(path, m->site->dir, "bench.targets"), "w");
    if (!f) bench_fail("%s cannot be written", path);
    for (int l = 0; l < LOAD__COUNT; l++)
        for (size_t i = 0; i < m->to.n[l]; i++) fprintf(f, "%s %s\n", load_kind((enum load)l), id_text(m->to.id[l][i], text));
    if (fclose(f)) bench_fail("%s cannot be written", path);
}

/* Without papers: no figure looks at them, and keys in random order would take most of the time. */
static void resident(struct maker *m, int64_t i, int64_t residents) {
    enum { NAMESAKES = 100 };
    char data[256], household[ID_TEXT];
    struct invented p;
    invented_make((uint64_t)(i / NAMESAKES), &p);
    id_text(m->to.id[LOAD_RESIDENT][(size_t)(i * (int64_t)m->to.n[LOAD_RESIDENT] / residents)], household);
    snprintf(data, sizeof data, "{\"name\":\"%s\",\"household\":\"%s\",\"since\":\"2020-01-01\"%s}", p.name, household, i % 10 ? "" : ",\"care\":[\"chronic\"]");
    make(m, "resident", NULL, data);
}

static void crowd(struct maker *m, int64_t residents) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    int64_t now = site_now(m->site), scans = MIN(residents / 10, SCANS_MOST);
    for (int64_t i = 0; i < residents; i++) resident(m, i, residents);
    for (int64_t i = 0; i < scans; i++) {
        buf_clear(&b);
        body_add(&b, LOAD_SCAN, &m->to, (uint64_t)i, now - (scans - 1 - i) * SCAN_DAYS * US_PER_DAY / MAX(scans, 1));
        add(m, buf_str(&b));
    }
    flush(m);
}

int main(int argc, char **argv) {
    static struct maker m;
    struct err e;
    struct id account;
    int64_t households, residents = 0;
    char token[TOKEN_TEXT];
    if (argc < 3 || argc > 4 || !str_to_int(str_z(argv[2]), 1, 10000000, &households) ||
        (argc == 4 && !str_to_int(str_z(argv[3]), 0, 10000000, &residents)))
        bench_fail("usage: bench-world DIR HOUSEHOLDS [RESIDENTS]");
    log_quiet(true);
    site_program_init(systems_all);
    if (site_create(argv[1], &(struct site_options){.name = "bench", .level = "county", .code = "county"}, &e)) refused(argv[1], &e);
    if (site_open(argv[1], &m.site, &e)) refused(argv[1], &e);
    m.group.calls = calloc(GROUP, sizeof *m.group.calls);
    INVARIANT(m.group.calls);
    m.communities = (int)MAX(COMMUNITIES_LEAST, households / HOUSEHOLDS_OF_COMMUNITY);
    areas(&m);
    records(&m, (int)households);
    crowd(&m, residents);
    write_targets(&m);
    if (account_make(m.site, "bench", "bench", "headquarters", "county", &account, &e) || account_token(m.site, account, "bench", 1, token, &e))
        refused("account", &e);
    printf("%s\n", token);
    free(m.group.calls);
    targets_release(&m.to);
    arena_release(&m.a);
    site_close(m.site);
    return 0;
}
