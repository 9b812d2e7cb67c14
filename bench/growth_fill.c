#include "growth.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/log.h"
#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/journal.h"
#include "core/table.h"
#include "core/trace_merge.h"
#include "core/trace_run.h"
#include "core/writer.h"
#include "growth_stmts.h"
#include "pass/pass.h"
#include "systems/gates/gates.h"
#include "systems/passes/passes.h"

enum { FORMS = 8, QUIET = 20, BATCH = 1000, COMMIT = 200000, COLUMNS = 40, MONTHS_MOST = 40, BYTES_OF_LIVE = 430, BYTES_OF_OLD = 330, BYTES_LEFT = 1 << 30 };

void growth_fail(const char *what, const struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    err_text(e, LANG_EN, &b);
    die(1, "bench-growth: %s: %s %s", what, e->field, b.p);
}

struct growth growth_of(int64_t live, int64_t old) {
    int64_t old_days = MIN(old * GROWTH_LIVE_DAYS / live, (int64_t)GROWTH_OLD_DAYS_MOST);
    struct growth g = {.live = live, .old = old, .gates = live / GROWTH_PER_GATE, .people = live / GROWTH_PER_PERSON, .random = 1};
    g.now = day_make(2022, 12, 28) * US_PER_DAY;
    g.since = g.now - GROWTH_LIVE_DAYS * US_PER_DAY;
    g.begun = g.since - old_days * US_PER_DAY;
    return g;
}

int64_t growth_pick(struct growth *g, int64_t n) {
    g->random = g->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((g->random >> 16) % (uint64_t)n);
}

/* ---- ids and texts that follow from a number ---- */

static struct id id_of(uint8_t what, int64_t n) {
    int64_t ms = day_make(2021, 12, 31) * (US_PER_DAY / 1000);
    struct id id = {{0}};
    for (int i = 5; i >= 0; i--, ms >>= 8) id.b[i] = (uint8_t)ms;
    id.b[6] = 0x70;
    id.b[8] = 0x80 | what;
    for (int i = 15; i > 8; i--, n >>= 8) id.b[i] = (uint8_t)n;
    return id;
}

struct id growth_gate(int64_t n) {
    return id_of(1, n);
}

static struct id pass_id(int64_t person) {
    return id_of(2, person);
}

struct str growth_pass(struct arena *a, int64_t person) {
    char number[PASS_NUMBER];
    return arena_str(a, str_z(pass_number(pass_id(person), number)));
}

struct str growth_phone(struct arena *a, int64_t person) {
    return str_z(arena_printf(a, "138%08lld", (long long)person));
}

static struct str plate(struct arena *a, struct growth *g) {
    return str_z(arena_printf(a, "晋A%05lld", (long long)growth_pick(g, 100000)));
}

/* ---- what the writer makes: an area, gates, the first pass, a scan of each form ---- */

struct some {
    struct write_item item;
    struct growth *g;
    int64_t from, n;
};

void growth_run(struct growth *g, const char *what, struct write_item *item) {
    struct err e;
    if (writer_run(g->s, item, &e)) growth_fail(what, &e);
}

static struct id area_of(struct tx *tx, const char *code) {
    struct areas *t = site_areas(tx->site);
    struct id id = areas_by_code(t, str_z(code))->id;
    areas_drop(t);
    return id;
}

static int quiet_run(struct tx *tx, struct write_item *item UNUSED, struct err *e) {
    const struct kind *k = kind_by_name(STR("area"));
    struct record *r = record_new(tx->a, k);
    struct errs errs = {.a = tx->a};
    tx_as(tx, &actor_system, "area.create", k, "create");
    *record_val(r, "parent") = VID(area_of(tx, "top"));
    record_set_text(r, "code", STR(GROWTH_QUIET));
    record_set_text(r, "name", STR(GROWTH_QUIET));
    record_set_text(r, "level", STR("township"));
    return tx_create(tx, r, &errs, e);
}

static int gates_run(struct tx *tx, struct write_item *item, struct err *e) {
    const struct some *x = (const struct some *)item;
    for (int64_t i = x->from; i < x->from + x->n; i++) {
        struct record *r = record_new(tx->a, &gate_kind);
        struct errs errs = {.a = tx->a};
        tx_as(tx, &actor_system, "gate.create", &gate_kind, "create");
        r->id = growth_gate(i);
        r->area = area_of(tx, i == x->g->gates ? GROWTH_QUIET : "top");
        record_set_text(r, "name", str_z(arena_printf(tx->a, "卡点%lld", (long long)i)));
        record_set_text(r, "code", str_z(arena_printf(tx->a, "G%lld", (long long)i)));
        record_set_text(r, "kind_of", STR("road"));
        TRY(tx_create(tx, r, &errs, e));
    }
    return 0;
}

static int pass_run(struct tx *tx, struct write_item *item UNUSED, struct err *e) {
    struct record *r = record_new(tx->a, &passes_kind);
    struct errs errs = {.a = tx->a};
    tx_as(tx, &actor_system, "pass.create", &passes_kind, "create");
    r->id = pass_id(0);
    r->area = area_of(tx, "top");
    record_set_text(r, "kind_of", STR("visitor"));
    record_set_int(r, "valid_until", tx->now + 120 * US_PER_DAY);
    return tx_create(tx, r, &errs, e);
}

int growth_scan(struct tx *tx, struct growth *g, int64_t n, struct err *e) {
    struct record *r = record_new(tx->a, &gate_scan_kind);
    struct errs errs = {.a = tx->a};
    bool vehicle = n % FORMS == 0;
    int64_t person = growth_pick(g, g->people);
    *record_val(r, "gate") = VID(growth_gate(growth_pick(g, g->gates)));
    record_set_int(r, "seen_at", tx->now - growth_pick(g, 60 * US_PER_SECOND));
    record_set_text(r, "what", vehicle ? STR("vehicle") : STR("person"));
    record_set_text(r, "pass", growth_pass(tx->a, person));
    if (vehicle) record_set_text(r, "plate", plate(tx->a, g));
    if (n % FORMS < 2) record_set_text(r, "phone", growth_phone(tx->a, person));
    if (n % 2) *record_val(r, "temperature") = VREAL(36.5);
    return tx_create(tx, r, &errs, e);
}

static int forms_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct growth one = *((struct some *)item)->g;
    one.people = 1;
    tx_as(tx, &actor_system, "gate_scan.create", &gate_scan_kind, "create");
    for (int64_t n = 0; n < FORMS; n++) TRY(growth_scan(tx, &one, n, e));
    return 0;
}

static void make_first(struct growth *g) {
    g->s->clock.fixed_us = g->since - GROWTH_LIVE_DAYS * US_PER_DAY;
    growth_run(g, "quiet place", &(struct some){.item = {.run = quiet_run}}.item);
    for (int64_t i = 0; i <= g->gates; i += BATCH) growth_run(g, "gates", &(struct some){.item = {.run = gates_run}, .g = g, .from = i, .n = MIN(g->gates + 1 - i, (int64_t)BATCH)}.item);
    growth_run(g, "pass", &(struct some){.item = {.run = pass_run}}.item);
    g->s->clock.fixed_us = g->since;
    growth_run(g, "scans", &(struct some){.item = {.run = forms_run}, .g = g}.item);
}

/* ---- rows beside the writer ---- */

struct scan_columns {
    size_t id, area, path, created_at, updated_at, batch, gate, seen_at, pass, plate, phone, phone_hash;
};
struct fill {
    struct growth *g;
    struct site site; /* its number and its key */
    struct db *db;
    struct arena kept, a; /* a: of a row */
    struct val forms[FORMS][COLUMNS]; /* as the table has them; [0] is the site */
    const struct table *scans, *tables[MONTHS_MOST + 1], **months; /* tables: both */
    size_t months_n;
    struct scan_columns at; /* of `scans` */
    struct tx journal;
    struct id quiet_area;
    struct str quiet_path;
    int64_t made;
};

static size_t column(const struct table *t, const char *name) {
    size_t i = 0;
    while (i < t->n && strcmp(t->columns[i].name, name) != 0) i++;
    INVARIANT(i < t->n && i < COLUMNS);
    return i;
}

static struct scan_columns scan_columns(const struct table *t) {
#define AT(name) .name = column(t, #name)
    return (struct scan_columns){AT(id), AT(area), AT(path), AT(created_at), AT(updated_at), AT(batch), AT(gate), AT(seen_at), AT(pass), AT(plate), AT(phone), AT(phone_hash)};
#undef AT
}

static int read_forms(struct fill *f, const struct table *t, int64_t n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(db_query(f->db, &t->first, &rows, e, VINT(f->site.id), VINT(n)));
    for (int64_t i = 0; (got = rows_next(rows, e)) == 1; i++) {
        f->forms[i][0] = VINT(f->site.id);
        for (size_t c = 1; c < t->n; c++) {
            struct val v = rows_val(rows, (int)c - 1, t->columns[c].type);
            f->forms[i][c] = val_copy(&f->kept, &v);
        }
    }
    return got;
}

static int put(struct fill *f, const struct table *t, const struct val *row, struct err *e) {
    if (f->made++ % COMMIT == 0) {
        if (db_in_transaction(f->db)) TRY(db_commit(f->db, e));
        TRY(db_begin(f->db, true, e));
    }
    TRY(db_run_n(f->db, &t->insert, row, t->n, NULL, e));
    arena_clear(&f->a);
    return 0;
}

static int fill_passes(struct fill *f, struct err *e) {
    const struct table *t = table_by_name("pass");
    TRY(read_forms(f, t, 1, e));
    for (int64_t person = 1; person < f->g->people; person++) {
        struct val row[COLUMNS], search[COLUMNS];
        struct record *r = record_new(&f->a, &passes_kind);
        size_t n;
        memcpy(row, f->forms[0], sizeof row);
        record_set_text(r, "number", growth_pass(&f->a, person));
        TRY(record_derived(&f->site.key, &f->a, r, search, &n, e));
        row[column(t, "id")] = VID(pass_id(person));
        row[column(t, "number")] = *record_get(r, "number");
        row[column(t, "search_key")] = search[0];
        row[column(t, "search_initials")] = search[1];
        TRY(put(f, t, row, e));
    }
    return 0;
}

/* The table that the program would have moved it to: of months, by their number. */
static const struct table *table_of(const struct fill *f, int64_t at) {
    int year, month, day;
    if (at >= f->g->since) return f->scans;
    day_split((day_t)(at / US_PER_DAY), &year, &month, &day);
    return f->months[(size_t)(year * 12 + month - 1) % f->months_n];
}

/* Columns of a month are those of the kind but the personal part. */
static void narrow(const struct fill *f, const struct table *t, struct val *row) {
    size_t from = 0;
    for (size_t c = 0; c < t->n && t != f->scans; c++, from++) {
        while (strcmp(f->scans->columns[from].name, t->columns[c].name) != 0) from++;
        row[c] = row[from];
    }
}

static int set_person(struct fill *f, struct val *row, struct id id, int64_t person, struct err *e) {
    struct val hashes[COLUMNS];
    size_t n;
    row[f->at.pass] = VTEXT(growth_pass(&f->a, person));
    if (row[f->at.plate].type != V_NULL) row[f->at.plate] = VTEXT(plate(&f->a, f->g));
    if (row[f->at.phone].type == V_NULL) return 0;
    struct record *r = record_new(&f->a, &gate_scan_kind);
    r->id = id;
    record_set_text(r, "phone", growth_phone(&f->a, person));
    TRY(record_derived(&f->site.key, &f->a, r, hashes, &n, e));
    record_seal(&f->site.key, &f->a, r);
    row[f->at.phone] = *record_get(r, "phone");
    row[f->at.phone_hash] = hashes[n - 1];
    return 0;
}

static int close_batch(struct fill *f, int64_t at, struct err *e) {
    struct journal_entry j = {.command = STR("gate_scan.batch"), .kind = STR("gate_scan"), .version = f->journal.seq + 1, .path = STR(""), .change = STR("{\"rows\":1000}"), .has_row = true};
    f->journal.now = at;
    j.id = id_new(at);
    return journal_append(&f->journal, &j, e);
}

static int fill_scan(struct fill *f, int64_t n, int64_t at, bool quiet, struct err *e) {
    const struct table *to = table_of(f, at);
    struct id id = id_new(at);
    struct val row[COLUMNS];
    memcpy(row, f->forms[n % FORMS], sizeof row);
    row[f->at.id] = VID(id);
    row[f->at.created_at] = row[f->at.updated_at] = VINT(at);
    row[f->at.seen_at] = VINT(at - growth_pick(f->g, 60 * US_PER_SECOND));
    row[f->at.gate] = VID(growth_gate(quiet ? f->g->gates : growth_pick(f->g, f->g->gates)));
    row[f->at.batch] = VINT(f->journal.seq + 1);
    if (quiet) row[f->at.area] = VID(f->quiet_area), row[f->at.path] = VTEXT(f->quiet_path);
    if (to == f->scans) TRY(set_person(f, row, id, growth_pick(f->g, f->g->people), e));
    narrow(f, to, row);
    TRY(put(f, to, row, e));
    return n % BATCH == BATCH - 1 ? close_batch(f, at, e) : 0;
}

static int fill_scans(struct fill *f, struct err *e) {
    const struct growth *g = f->g;
    struct digest chain;
    TRY(read_forms(f, f->scans, FORMS, e));
    TRY(journal_end(f->db, f->site.id, &f->journal.seq, &chain, e));
    f->journal.chain = chain;
    for (int64_t i = 0; i < g->old; i++) TRY(fill_scan(f, i, g->begun + (int64_t)((double)(g->since - g->begun) * (double)i / (double)g->old), false, e));
    int64_t second_day = g->live / GROWTH_LIVE_DAYS;
    for (int64_t i = 0; i < g->live; i++)
        TRY(fill_scan(f, i, g->since + (int64_t)((double)(g->now - g->since) * (double)i / (double)g->live), i >= second_day && i < second_day + QUIET, e));
    return 0;
}

/* ---- a table without its indexes, and with them again ---- */

static void say(const char *what) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    log_line(LOG_INFO, "growth", "%s cpu_s=%lld", what, (long long)t.tv_sec);
}

static int around(struct fill *f, const struct table *const *tables, size_t n, int (*fill)(struct fill *f, struct err *e), struct err *e) {
    struct growth_indexes *of = arena_new(&f->kept, struct growth_indexes, n);
    for (size_t i = 0; i < n; i++) {
        TRY(growth_indexes(f->db, &f->kept, tables[i]->name, &of[i], e));
        TRY(db_script(f->db, of[i].drop, e));
    }
    f->made = 0;
    TRY(fill(f, e));
    if (db_in_transaction(f->db)) TRY(db_commit(f->db, e));
    say(tables[0]->name);
    for (size_t i = 0; i < n; i++) TRY(db_script(f->db, of[i].make, e));
    say("indexes");
    return 0;
}

static int fill_all(struct fill *f, struct err *e) {
    const struct table *passes = table_by_name("pass");
    TRY(growth_hurry(f->db, e));
    TRY(around(f, &passes, 1, fill_passes, e));
    TRY(around(f, f->tables, f->months_n + 1, fill_scans, e));
    TRY(db_script(f->db, str_z(kind_sql(&gate_scan_kind)->places), e));
    /* Without it the program counts all tallies anew when it opens the site. */
    TRY(db_begin(f->db, true, e));
    TRY(trace_mark_missing(f->db, f->site.id, &gate_scan_kind, e));
    TRY(setting_put(f->db, f->site.id, "figures", STR(""), e));
    TRY(db_commit(f->db, e));
    return growth_settle(f->db, e);
}

static void find_tables(struct fill *f) {
    const struct kind_sql *q = kind_sql(&gate_scan_kind);
    INVARIANT(q->months_n <= MONTHS_MOST);
    f->scans = f->tables[0] = table_by_name("gate_scan");
    f->months = f->tables + 1;
    f->months_n = q->months_n;
    f->at = scan_columns(f->scans);
    for (size_t m = 0; m < q->months_n; m++) f->months[m] = table_by_name(q->months[m].name);
}

static int fill_beside(struct growth *g, const char *dir, struct err *e) {
    struct fill f = {.g = g, .site = {.id = g->s->id, .key = g->s->key}};
    struct areas *t = site_areas(g->s);
    char path[600];
    find_tables(&f);
    f.quiet_area = areas_by_code(t, STR(GROWTH_QUIET))->id;
    f.quiet_path = arena_str(&f.kept, areas_by_id(t, f.quiet_area)->path);
    areas_drop(t);
    site_close(TAKE(g->s));
    TRY(db_open(site_path(path, dir, "lianfang.db"), DB_WRITE, &f.db, e));
    f.journal = (struct tx){.site = &f.site, .db = f.db, .a = &f.a};
    int r = fill_all(&f, e);
    db_close(f.db);
    arena_release(&f.a);
    arena_release(&f.kept);
    return r;
}

/* ---- the whole ---- */

static int read_newest(struct growth *g, struct db *db, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, CS(journal_after), &rows, e, VINT(g->s->id), VINT(g->s->last_seq - 1), VINT(1)));
    int got = rows_next(rows, e);
    if (got == 1) g->newest = rows_int(rows, 2);
    return MIN(got, 0);
}

static void open_site(struct growth *g, const char *dir) {
    struct db *db;
    struct err e;
    if (site_open(dir, &g->s, &e) || site_reader(g->s, &db, &e) || read_newest(g, db, &e)) growth_fail(dir, &e);
    site_reader_done(g->s, db);
    g->s->clock.fixed_us = g->now;
    if (trace_merge(g->s, &gate_scan_kind, NULL, &e)) growth_fail(dir, &e);
}

/* Rows and indexes, and a second time the largest index, while it is sorted. */
static void check_room(const struct growth *g, const char *dir) {
    struct statvfs v;
    char path[600];
    snprintf(path, sizeof path, "%s", dir);
    *strrchr(path, '/') = 0;
    if (statvfs(path, &v)) die(1, "bench-growth: %s: there is no such folder", path);
    double has = (double)v.f_bavail * (double)v.f_frsize, needs = (double)g->live * BYTES_OF_LIVE + (double)g->old * BYTES_OF_OLD + BYTES_LEFT;
    if (has < needs) die(1, "bench-growth: %s has %.1f GB left and %lld scans need %.1f", path, has / 1e9, (long long)(g->live + g->old), needs / 1e9);
}

void growth_open(struct growth *g, const char *dir) {
    char part[600];
    struct err e;
    if (site_is_there(dir)) {
        open_site(g, dir);
        return;
    }
    snprintf(part, sizeof part, "%s.part", dir);
    check_room(g, dir);
    setenv("SQLITE_TMPDIR", part, 1);
    if (site_create(part, &(struct site_options){.code = "top", .level = "county"}, &e)) growth_fail(part, &e);
    open_site(g, part);
    make_first(g);
    say("gates");
    if (fill_beside(g, part, &e)) growth_fail(part, &e);
    open_site(g, part);
    say("tallies");
    site_close(TAKE(g->s));
    if (rename(part, dir)) die(1, "bench-growth: %s cannot be renamed", part);
    open_site(g, dir);
}
