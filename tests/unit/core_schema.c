/* What the program says of its tables is what the database has, and every schema that ever was comes up to today's: tests/schema/N.sql is a site as the
 * program of schema N left it. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/copy.h"
#include "core/core_stmts.h"
#include "core/schema.h"
#include "core/session.h"
#include "core/table.h"
#include "core_help.h"

/* ---- the list of tables ---- */

static struct stmt of_file = STMT(test_columns, "SELECT m.name, p.name, p.type, p.pk FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS p "
                                                "WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' ORDER BY m.name, p.cid");
static struct stmt of_server =
    STMT(test_columns, "SELECT CAST(c.table_name AS TEXT), CAST(c.column_name AS TEXT), CAST(c.data_type AS TEXT), CAST(coalesce(k.ordinal_position, 0) AS BIGINT) "
                       "FROM information_schema.columns AS c LEFT JOIN (information_schema.key_column_usage AS k JOIN information_schema.table_constraints AS t "
                       "ON t.constraint_name = k.constraint_name AND t.table_schema = k.table_schema AND t.table_name = k.table_name AND t.constraint_type = 'PRIMARY KEY') "
                       "ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name "
                       "WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position");

static bool is_type(struct str type, enum val_type t) {
    static const char *const file[] = {[V_INT] = "INTEGER", [V_REAL] = "REAL", [V_TEXT] = "TEXT", [V_BLOB] = "BLOB", [V_ID] = "BLOB"};
    static const char *const server[] = {[V_INT] = "bigint", [V_REAL] = "double precision", [V_TEXT] = "text", [V_BLOB] = "bytea", [V_ID] = "uuid"};
    return str_eqz(type, (unit_on_server() ? server : file)[t]);
}

static void check_column(const struct table *t, struct rows *r) {
    struct str name = rows_text(r, 1);
    size_t i = 0;
    while (i < t->n && !str_eqz(name, t->columns[i].name)) i++;
    if (i == t->n) unit_fail(__FILE__, __LINE__, "%s.%.*s is not in the list", t->name, STR_FMT(name));
    if (!is_type(rows_text(r, 2), t->columns[i].type)) unit_fail(__FILE__, __LINE__, "%s.%.*s is %.*s", t->name, STR_FMT(name), STR_FMT(rows_text(r, 2)));
    CHECK_INT(rows_int(r, 3), i < t->key_n ? i + 1 : 0);
    if (t->place == TABLE_BY_SITE) CHECK(i > 0 || str_eqz(name, "site"));
}

static void the_list_holds(void) {
    struct stmt *s = unit_on_server() ? &of_server : &of_file;
    size_t columns[256] = {0}, n = 0, total = 0;
    struct rows *rows;
    struct db *db;
    struct err e;
    stmt_register(s, 1);
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_query_n(db, s, NULL, 0, &rows, &e) == 0);
    while (rows_next(rows, &e) == 1) {
        const char *name = arena_strz(&w.a, rows_text(rows, 0));
        const struct table *t = table_by_name(name);
        if (!t) unit_fail(__FILE__, __LINE__, "the table %s is not in the list", name);
        check_column(t, rows);
        columns[t - table_at(0)]++;
        total++;
    }
    rows_done(rows);
    site_reader_done(w.s, db);
    for (const struct table *t; (t = table_at(n)); n++)
        if (columns[n] != t->n) unit_fail(__FILE__, __LINE__, "the table %s has %zu columns, in the list %zu", t->name, columns[n], t->n);
    CHECK(n == kind_count() + 15 + 16 && total > 400);
}

TEST(every_table_and_column_of_the_database_is_in_the_list) {
    world_make();
    the_list_holds();
    CHECK(table_by_name("case_")->kind == kind_by_name(STR("case")) && !table_by_name("case"));
    world_close();
}

/* ---- sites of older programs ---- */

/* 'X' before a literal is an {id}, 'x' a {blob}: SQLite knows both, a server its own forms. */
static void add_literals(struct buf *to, struct str sql) {
    bool inside = false;
    for (size_t i = 0; i < sql.n; i++) {
        char c = sql.p[i];
        bool hex = !inside && (c == 'X' || c == 'x') && i + 1 < sql.n && sql.p[i + 1] == '\'';
        if (hex && unit_on_server()) buf_addz(to, c == 'X' ? "'" : "'\\x");
        else if (hex) buf_addz(to, "x'");
        else buf_addc(to, c);
        if (hex) i++;
        if (hex || c == '\'') inside = !inside;
    }
    CHECK(!inside && !to->failed);
}

static struct str read_all(const char *path) {
    static char bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) unit_fail(__FILE__, __LINE__, "%s cannot be read", path);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    CHECK(n > 0 && n < sizeof bytes);
    return (struct str){bytes, n};
}

static void write_key(struct str hex) {
    uint8_t key[32];
    int64_t v;
    for (size_t i = 0; i < sizeof key; i++) {
        v = (strchr("0123456789abcdef", hex.p[2 * i]) - "0123456789abcdef") * 16 + (strchr("0123456789abcdef", hex.p[2 * i + 1]) - "0123456789abcdef");
        key[i] = (uint8_t)v;
    }
    int fd = open(world_path("site.key"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, key, sizeof key) == sizeof key && close(fd) == 0);
}

static struct db *open_place(void) {
    char address[SITE_ADDRESS];
    struct db *db;
    struct err e;
    CHECK(site_address(world_path(""), getenv("LF_DB"), address, &e) == 0);
    if (unit_on_server() && access(world_path("database"), F_OK)) CHECK(site_address_write(world_path(""), address, &e) == 0);
    CHECK(db_open(address, DB_CREATE, &db, &e) == 0);
    return db;
}

static void script(struct db *db, struct str sql) {
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    struct err e;
    add_literals(&b, sql);
    CHECK(db_begin(db, true, &e) == 0);
    if (db_script(db, buf_str(&b), &e)) unit_fail(__FILE__, __LINE__, "%s %s", err_name(e.code), e.arg[0]);
    CHECK(db_commit(db, &e) == 0);
}

static void older_site(const char *path) {
    struct str sql = read_all(path);
    ptrdiff_t key = str_find(sql, STR("Its key is "));
    unit_own_database();
    CHECK(key > 0 && mkdir(world_path(""), 0700) == 0);
    write_key(str_sub(sql, (size_t)key + 11, sql.n));
    struct db *db = open_place();
    script(db, sql);
    db_close(db);
}

static int64_t number(const char *sql) {
    struct stmt *s = arena_new(&w.a, struct stmt, 1);
    struct db *db CLEANUP(db_closep) = open_place();
    struct err e;
    int64_t n = -1;
    *s = (struct stmt){.name = sql, .sql = sql};
    stmt_register(s, 1);
    CHECK(db_int_n(db, s, NULL, 0, &n, &e) == 1);
    return n;
}

static int64_t rows_of(const char *table) {
    struct db *db;
    struct err e;
    int64_t n = -1;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_int(db, &table_by_name(table)->count, &n, &e, VINT(w.s->id)) == 1);
    site_reader_done(w.s, db);
    return n;
}

static const char *setting_of(const char *name) {
    struct str v = STR("");
    struct db *db;
    struct err e;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(setting_get(db, w.s->id, &w.a, name, &v, &e) >= 0);
    site_reader_done(w.s, db);
    return arena_strz(&w.a, v);
}

static struct record *resident(const char *phone) {
    const struct kind *k = kind_by_name(STR("resident"));
    struct record *r = NULL;
    struct db *db;
    struct err e;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(record_find(db, w.s->id, &w.s->key, &w.a, k, (size_t)kind_field(k, STR("phone")), str_z(phone), &r, &e) >= 0);
    site_reader_done(w.s, db);
    return r;
}

/* The same entries, the same rows; sealed values open, and what has to be found is found. */
static void the_site_of_schema_1(void) {
    int64_t accounts;
    struct err e;
    char id[ID_TEXT];
    CHECK_STR(str_z(w.s->name), "吉县");
    CHECK(w.s->id == 108074582145051);
    CHECK(seq_now() >= 27);
    CHECK_INT(records_of("resident"), 2);
    CHECK_INT(records_of("gate_scan"), 3);
    CHECK_INT(records_of("bulletin"), 1);
    CHECK(path_of_area("b3").n == 5 * AREA_STEP);
    struct record *r = resident("13887654321");
    CHECK(r != NULL && !resident("13812345678"));
    CHECK_STR(record_text(r, "name"), "司马仲达");
    CHECK_STR(str_z(plain_of("resident", id_text(r->id, id), "phone")), "13887654321");
    CHECK(account_count(w.s, &accounts, &e) == 0);
    CHECK_INT(accounts, 1);
    CHECK_INT(rows_of("session"), 1);
    CHECK_INT(number("SELECT ran_at FROM job WHERE name = 'retention'"), 1581307200000000);
    CHECK_INT(rows_of("job"), 2);
    CHECK_INT(number("SELECT count(*) FROM setting WHERE substr(name, 1, 4) = 'job.'"), 0);
    /* Old indexes of scans and passes are gone, the new ones there. */
    const char *indexes = unit_on_server() ? "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname IN "
                                           : "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name IN ";
    CHECK_INT(number(arena_printf(&w.a, "%s('gate_scan_by_gate', 'gate_scan_by_seen_at', 'gate_scan_key_id_number', 'gate_scan_key_phone', "
                                        "'gate_scan_trace_pass', 'gate_scan_trace_plate', 'gate_scan_trace_id_number', 'gate_scan_trace_phone', 'pass_key_number', "
                                        "'gate_scan_path', 'gate_scan_m01_path', 'gate_scan_m16_path', 'gate_scan_slot_pass', 'gate_scan_slot_plate', "
                                        "'gate_scan_slot_id_number', 'gate_scan_slot_phone')", indexes)), 0);
    CHECK_INT(number(arena_printf(&w.a, "%s('gate_scan_at_gate', 'gate_scan_m16_at_gate', 'pass_beside_number', 'log_place_path')", indexes)), 4);
    CHECK(strlen(setting_of("key")) == 32 && strcmp(setting_of("areas"), "") != 0);
    world_proves_itself();
}

TEST(a_site_of_schema_1_is_opened_and_proves_itself) {
    older_site("tests/schema/1.sql");
    world_open();
    the_site_of_schema_1();
    the_list_holds();
    int64_t seq = seq_now();
    run(NULL, "area.create", NULL, NULL, "{'name':'4号楼','code':'b4','level':'building','parent':'q1'}");
    run(NULL, "household.create", "b4", NULL, "{'code':'h4','head':'王九'}");
    CHECK_INT(seq_now(), seq + 2);
    site_close(w.s);
    world_open();
    the_site_of_schema_1();
    CHECK_INT(records_of("household"), 3);
    world_close();
}

TEST(a_site_of_schema_1_is_copied_to_another_place) {
    struct err e;
    struct copy_result r;
    older_site("tests/schema/1.sql");
    world_open();
    struct digest is = state_now(), there;
    const char *dir = arena_printf(&w.a, "%s/other", unit_dir()), *file = arena_printf(&w.a, "%s/lianfang.db", dir);
    CHECK(mkdir(dir, 0700) == 0);
    CHECK(copy_site(w.s, file, &(struct copy_options){.name = dir}, &r, &e) == 0);
    CHECK(r.before == 0 && r.seq == seq_now());
    site_close(w.s);
    CHECK(rename(world_path("site.key"), arena_printf(&w.a, "%s/site.key", dir)) == 0);
    CHECK(site_open(dir, &w.s, &e) == 0);
    world_clock("2020-02-10 12:00");
    there = state_now();
    CHECK(memcmp(&is, &there, sizeof is) == 0);
    CHECK_INT(rows_of("session"), 0);
    CHECK_INT(rows_of("job"), 2);
    CHECK_INT(rows_of("user_secret"), 1);
    world_proves_itself();
    world_close();
}

/* ---- the steps ---- */

static const char two_sites[] = "INSERT INTO setting (site, name, value) VALUES (1, 'site', '1'), (1, 'job.retention', '77'), (1, 'name', 'x'), "
                                "(2, 'site', '2'), (2, 'job.a.b', '88')";

static void place_of_schema_1(const char *rows) {
    struct err e;
    if (!kind_count()) site_program_init(systems_all);
    unit_own_database();
    CHECK(mkdir(world_path(""), 0700) == 0);
    struct db *db CLEANUP(db_closep) = open_place();
    CHECK(schema_update_to(db, 5, 1, &e) == 0);
    CHECK(!db_table_exists(db, "job") && db_table_exists(db, "resident"));
    script(db, str_z(rows));
}

TEST(a_step_of_the_schema_keeps_what_each_site_had) {
    struct err e;
    place_of_schema_1(two_sites);
    struct db *db = open_place();
    for (int i = 6; i < 9; i++) CHECK(schema_update(db, i, &e) == 0);
    db_close(db);
    CHECK_INT(number("SELECT ran_at FROM job WHERE site = 1 AND name = 'retention'"), 77);
    CHECK_INT(number("SELECT ran_at FROM job WHERE site = 2 AND name = 'a.b'"), 88);
    CHECK_INT(number("SELECT count(*) FROM job WHERE leased_until = 0 AND owner IS NULL"), 2);
    CHECK_INT(number("SELECT count(*) FROM setting WHERE name = 'areas' AND value = '0'"), 2);
    CHECK_INT(number("SELECT count(*) FROM setting WHERE name = 'untraced.gate_scan'"), 2);
    CHECK_INT(number("SELECT count(*) FROM setting"), 7);
    CHECK_INT(number("SELECT made_at FROM migration WHERE number = 2"), 6);
    CHECK_INT(number("SELECT count(*) FROM migration"), schema_newest());
    arena_release(&w.a);
}

/* Before its first opening by a program of today a site has not been told its key. */
TEST(of_two_sites_without_a_key_none_is_taken_for_another) {
    struct err e;
    place_of_schema_1(two_sites);
    write_key(STR("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"));
    CHECK(site_open(world_path(""), &w.s, &e) == -1);
    CHECK_INT(e.msg, M_KEY_OTHER);
    struct db *db = open_place();
    script(db, STR("DELETE FROM setting WHERE site = 2 AND name = 'site'"));
    db_close(db);
    world_open();
    CHECK(w.s->id == 1 && strlen(setting_of("key")) == 32);
    world_proves_itself();
    world_close();
}
