#include "core_help.h"

#include <stdarg.h>

#include "base/log.h"
#include "core/core_stmts.h"
#include "core/figure.h"

struct world w;

#define FORMAT(text, fmt)                                                                                              \
    char text[16384];                                                                                                  \
    va_list ap;                                                                                                        \
    va_start(ap, fmt);                                                                                                 \
    CHECK(vsnprintf(text, sizeof text, fmt, ap) < (int)sizeof text);                                                   \
    va_end(ap);                                                                                                        \
    for (char *quote = text; (quote = strchr(quote, '\'')); quote++) *quote = '"'

/* ---- the site ---- */

const char *world_path(const char *name) {
    return arena_printf(&w.a, "%s/site/%s", unit_dir(), name);
}

static void program(void) {
    if (kind_count()) return;
    log_quiet(true);
    site_program_init(systems_all);
}

void world_clock(const char *text) {
    CHECK(tz_parse(w.s->tz, str_z(text), &w.s->clock.fixed_us));
}

void world_open(void) {
    struct err e;
    program();
    CHECK(site_open(arena_printf(&w.a, "%s/site", unit_dir()), &w.s, &e) == 0);
    world_clock("2020-02-10 12:00");
}

static void area(const char *parent, const char *code, const char *level, const char *name) {
    run(NULL, "area.create", NULL, NULL, "{'name':'%s','code':'%s','level':'%s','parent':'%s'}", name, code, level, parent);
}

void world_make(void) {
    struct err e;
    program();
    CHECK(site_create(arena_printf(&w.a, "%s/site", unit_dir()), &(struct site_options){.name = "吉县", .level = "county", .code = "jixian"}, &e) == 0);
    world_open();
    area("jixian", "town", "group", "城区");
    area("town", "xg", "community", "西关社区");
    area("xg", "q1", "quarter", "一号院");
    area("q1", "b1", "building", "1号楼");
    area("q1", "b2", "building", "2号楼");
    area("jixian", "rural", "group", "农村");
    area("rural", "v1", "village", "柏山寺村");
}

void world_close(void) {
    site_close(w.s);
    w.s = NULL;
    arena_release(&w.a);
}

/* ---- commands ---- */

const char *new_id(void) {
    char id[ID_TEXT];
    return arena_printf(&w.a, "%s", id_text(id_new(site_now(w.s)), id));
}

static int run_text(const struct actor *who, struct command_call *call, struct err *e, const char *text) {
    struct json *j;
    *call = (struct command_call){.a = &w.a, .actor = who ? who : &actor_system, .lang = LANG_EN};
    CHECK(json_parse(&w.a, arena_str(&w.a, str_z(text)), NULL, &j, e) == 0);
    TRY(command_parse(w.s, j, call, e));
    return command_do(w.s, call, e);
}

int run_json(const struct actor *who, struct command_call *call, struct err *e, const char *fmt, ...) {
    FORMAT(text, fmt);
    return run_text(who, call, e, text);
}

static int run_parts(const struct actor *who, const char *command, const char *area_code, const char *record, const char *data, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    buf_addf(&b, "{\"id\":\"%s\",\"command\":\"%s\"", new_id(), command);
    if (area_code) buf_addf(&b, ",\"area\":\"%s\"", area_code);
    if (record) buf_addf(&b, ",\"record\":\"%s\"", record);
    buf_addf(&b, ",\"data\":%s}", data);
    return run_text(who, &w.call, e, b.p);
}

const char *run(const struct actor *who, const char *command, const char *area_code, const char *record, const char *data_fmt, ...) {
    struct err e;
    char id[ID_TEXT];
    FORMAT(text, data_fmt);
    if (run_parts(who, command, area_code, record, text, &e)) {
        struct buf b CLEANUP(buf_release) = BUF(1000);
        err_text(&e, LANG_EN, &b);
        unit_fail(__FILE__, __LINE__, "%s %s: %s %s", command, text, e.field, b.p);
    }
    return arena_printf(&w.a, "%s", id_text(w.call.ret_record, id));
}

struct err refused(const struct actor *who, const char *command, const char *area_code, const char *record, const char *data_fmt, ...) {
    struct err e = {0};
    FORMAT(text, data_fmt);
    if (run_parts(who, command, area_code, record, text, &e) == 0) unit_fail(__FILE__, __LINE__, "%s %s was not refused", command, text);
    return e;
}

const struct actor *somebody(const char *role, const char *area_code) {
    struct grant *g = arena_new(&w.a, struct grant, 1);
    struct actor *who = arena_new(&w.a, struct actor, 1);
    struct str path = path_of_area(area_code);
    *g = (struct grant){role_by_name(str_z(role)), path.n == AREA_STEP ? STR("") : path};
    CHECK(g->role);
    *who = (struct actor){.id = id_new(site_now(w.s)), .login = str_z(role), .name = str_z(role), .grants = g, .n = 1};
    return who;
}

/* ---- looking ---- */

struct id id_of(const char *text) {
    struct id id;
    CHECK(id_parse(str_z(text), &id));
    return id;
}

static struct db *reader(void) {
    struct db *db;
    struct err e;
    CHECK(site_reader(w.s, &db, &e) == 0);
    return db;
}

struct record *record_of(const char *kind, const char *id) {
    struct record *r = NULL;
    struct err e;
    struct db *db = reader();
    int found = record_load(db, w.s->id, &w.a, kind_by_name(str_z(kind)), id_of(id), &r, &e);
    site_reader_done(w.s, db);
    CHECK(found >= 0);
    return r;
}

const char *plain_of(const char *kind, const char *id, const char *field) {
    const struct record *r = record_of(kind, id);
    struct str plain;
    struct err e;
    CHECK(record_plain(&w.s->key, &w.a, r, (size_t)kind_field(r->kind, str_z(field)), &plain, &e) == 0);
    return arena_strz(&w.a, plain);
}

struct str path_of_area(const char *code) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(w.s);
    const struct area *x = areas_by_code(t, str_z(code));
    if (!x) unit_fail(__FILE__, __LINE__, "there is no area %s", code);
    return arena_str(&w.a, x->path);
}

int64_t seq_now(void) {
    return site_seq(w.s);
}

static int64_t scan_kind(struct db *db, const struct kind *k, struct digest_state *d) {
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct record r;
    struct err e;
    int64_t n = 0;
    CHECK(db_query(db, &kind_sql(k)->scan, &rows, &e, VINT(w.s->id), VID((struct id){{0}}), VINT(INT64_MAX)) == 0);
    while (rows_next(rows, &e) == 1) {
        record_read(&a, k, rows, &r);
        struct digest one = record_digest(&w.s->key, &r);
        if (d) digest_add(d, one.b, sizeof one.b);
        if (d) digest_add_str(d, r.path);
        n += !r.removed;
        arena_clear(&a);
    }
    return n;
}

int64_t records_of(const char *kind) {
    struct db *db = reader();
    int64_t n = scan_kind(db, kind_by_name(str_z(kind)), NULL);
    site_reader_done(w.s, db);
    return n;
}

static int run_nothing(struct tx *tx UNUSED, struct write_item *item UNUSED, struct err *e UNUSED) {
    return 0;
}

void tallies_settle(void) {
    struct write_item item = {.run = run_nothing, .reads_figures = true};
    struct err e;
    CHECK(writer_run(w.s, &item, &e) == 0);
}

static struct stmt all_tallies = STMT(test_tallies, "SELECT path, figure, cut, day, n FROM tally WHERE site = $1 ORDER BY path, figure, cut, day");

struct digest state_now(void) {
    struct digest_state d;
    struct digest chain;
    struct rows *rows;
    struct err e;
    int64_t seq;
    tallies_settle();
    struct db *db = reader();
    digest_start(&d);
    for (size_t i = 0; kind_at(i); i++) scan_kind(db, kind_at(i), &d);
    stmt_register(&all_tallies, 1);
    CHECK(db_query(db, &all_tallies, &rows, &e, VINT(w.s->id)) == 0);
    while (rows_next(rows, &e) == 1) {
        int64_t n = rows_int(rows, 4);
        for (int i = 0; i < 4; i++) digest_add_str(&d, rows_text(rows, i));
        digest_add(&d, &n, sizeof n);
    }
    rows_done(rows);
    CHECK(db_query(db, CS(journal_end), &rows, &e, VINT(w.s->id)) == 0);
    seq = rows_next(rows, &e) == 1 ? rows_int(rows, 0) : 0;
    chain = (struct digest){{0}};
    if (seq) memcpy(chain.b, rows_blob(rows, 1).p, sizeof chain.b);
    rows_done(rows);
    digest_add(&d, &seq, sizeof seq);
    digest_add(&d, chain.b, sizeof chain.b);
    site_reader_done(w.s, db);
    return digest_end(&d);
}

const char *identity(const char *birth, int n) {
    static const int weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    char *s = arena_printf(&w.a, "142628%s%03d?", birth, 2 * n + 1);
    int sum = 0;
    for (int i = 0; i < 17; i++) sum += (s[i] - '0') * weights[i];
    s[17] = "10X98765432"[sum % 11];
    return s;
}

/* ---- spoiling and proving ---- */

/* U'hex' and X'hex' as the engine writes an id and a blob. */
static struct str with_literals(const char *sql) {
    struct buf b CLEANUP(buf_release) = BUF(16384);
    for (const char *p = sql; *p; p++) {
        bool literal = (*p == 'U' || *p == 'X') && p[1] == '\'';
        int hex = literal ? (int)strcspn(p + 2, "'") : 0;
        if (!literal) buf_addc(&b, *p);
        else if (!unit_on_server()) buf_addf(&b, "x'%.*s'", hex, p + 2);
        else buf_addf(&b, *p == 'U' ? "CAST('%.*s' AS uuid)" : "CAST('\\x%.*s' AS bytea)", hex, p + 2);
        if (literal) p += hex + 2;
    }
    return arena_str(&w.a, buf_str(&b));
}

void tamper(const char *sql) {
    struct db *db;
    struct err e;
    char address[SITE_ADDRESS];
    CHECK(site_address(world_path(""), NULL, address, &e) == 0);
    CHECK(db_open(address, DB_WRITE, &db, &e) == 0);
    if (db_script(db, with_literals(sql), &e)) unit_fail(__FILE__, __LINE__, "%s: %s", sql, e.arg[0]);
    db_close(db);
}

static void quiet(void *arg UNUSED, enum fsck_part part UNUSED, const char *what UNUSED) {}

int64_t fsck_finds(enum fsck_part part, int64_t *ret_all) {
    struct fsck_result r;
    struct err e;
    CHECK(fsck_run(w.s, quiet, NULL, &r, &e) == 0);
    if (ret_all) *ret_all = 0;
    for (size_t i = 0; ret_all && i < FSCK__COUNT; i++) *ret_all += r.wrong[i];
    return r.wrong[part];
}

static void complain(void *arg UNUSED, enum fsck_part part, const char *what) {
    unit_fail(__FILE__, __LINE__, "%s: %s", fsck_names[part], what);
}

void world_proves_itself(void) {
    struct fsck_result r;
    struct err e;
    CHECK(fsck_run(w.s, complain, NULL, &r, &e) == 0);
}
