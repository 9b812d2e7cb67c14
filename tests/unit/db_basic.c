/* Values, statements, scripts and transactions on one file. */
#include "base/buf.h"
#include "db/db.h"
#include "unit.h"

#include <sys/stat.h>

static struct stmt all[] = {
    STMT(put, "INSERT INTO v(i, r, t, b, id) VALUES($1, $2, $3, $4, $5)"),
    STMT(get, "SELECT i, r, t, b, id FROM v ORDER BY rowid DESC LIMIT 1"),
    STMT(swapped, "SELECT $2, $1, $2"),
    STMT(gap, "SELECT $1 || $3"),
    STMT(add_u, "INSERT INTO u(k, n) VALUES($1, $2)"),
    STMT(raise_u, "UPDATE u SET n = n + 1 WHERE n >= $1"),
    STMT(count_u, "SELECT count(*) FROM u"),
    STMT(find_u, "SELECT n FROM u WHERE k = $1"),
    STMT(list_u, "SELECT k, n FROM u WHERE n >= $1 ORDER BY n"),
    STMT(find_id, "SELECT count(*) FROM v WHERE id = $1"),
    STMT(add_child, "INSERT INTO child(k) VALUES($1)"),
    STMT(upsert, "INSERT INTO u(k, n) VALUES($1, 1) ON CONFLICT(k) DO UPDATE SET n = u.n + 1 RETURNING n"),
};
enum { PUT, GET, SWAPPED, GAP, ADD_U, RAISE_U, COUNT_U, FIND_U, LIST_U, FIND_ID, ADD_CHILD, UPSERT };

static struct db *open_new(void) {
    char path[128];
    struct db *db;
    struct err e;
    stmt_register(all, COUNT(all));
    snprintf(path, sizeof path, "%s/a.db", unit_dir());
    CHECK(db_open(path, DB_CREATE, &db, &e) == 0);
    CHECK(db_script(db,
                    STR("CREATE TABLE v(i {int}, r {real}, t {text}, b {blob}, id {id}) STRICT;"
                        "CREATE TABLE u(k {text} PRIMARY KEY, n {int} NOT NULL CHECK (n < 1000)) STRICT;"
                        "CREATE TABLE child(k {text} NOT NULL REFERENCES u(k)) STRICT;"),
                    &e) == 0);
    return db;
}

static int64_t count_u(struct db *db) {
    struct err e;
    int64_t n = -1;
    CHECK_INT(db_int(db, &all[COUNT_U], &n, &e), 1);
    return n;
}

TEST(every_type_comes_back_as_it_was_stored) {
    struct db *db = open_new();
    struct err e;
    struct rows *r;
    struct id id = id_new(INT64_C(1580000000000000));
    CHECK(db_run(db, &all[PUT], &e, VINT(INT64_C(9007199254740993)), VREAL(0.1), VTEXTZ("武汉"), VBLOB(STR("\0\1\xff")), VID(id)) == 0);
    CHECK(db_query(db, &all[GET], &r, &e) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK(rows_int(r, 0) == INT64_C(9007199254740993));
    CHECK(rows_real(r, 1) == 0.1);
    CHECK_STR(rows_text(r, 2), "武汉");
    CHECK(str_eq(rows_blob(r, 3), STR("\0\1\xff")));
    CHECK(id_eq(rows_id(r, 4), id));
    struct val v = rows_val(r, 4, V_ID), w = VID(id);
    CHECK(val_eq(&v, &w));
    CHECK_INT(rows_next(r, &e), 0);
    CHECK_INT(rows_next(r, &e), 0);
    rows_done(r);
    int64_t n = 0;
    CHECK(db_int(db, &all[FIND_ID], &n, &e, VID(id)) == 1 && n == 1);
    db_close(db);
}

TEST(null_and_empty_stay_apart) {
    struct db *db = open_new();
    struct err e;
    struct rows *r;
    CHECK(db_run(db, &all[PUT], &e, VNULL, VNULL, VTEXT(STR_NONE), VBLOB(STR_NONE), VNULL) == 0);
    CHECK(db_query(db, &all[GET], &r, &e) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    for (int i = 0; i < 5; i++) CHECK(rows_null(r, i));
    CHECK(rows_int(r, 0) == 0 && rows_real(r, 1) == 0 && !rows_text(r, 2).p && !rows_blob(r, 3).p);
    CHECK(id_is_nil(rows_id(r, 4)));
    CHECK(rows_val(r, 2, V_TEXT).type == V_NULL);
    rows_done(r);
    CHECK(db_run(db, &all[PUT], &e, VINT(INT64_MIN), VREAL(-0.0), VTEXT(STR("")), VBLOB(STR("")), VNULL) == 0);
    CHECK(db_query(db, &all[GET], &r, &e) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK(rows_int(r, 0) == INT64_MIN);
    CHECK(!rows_null(r, 2) && rows_text(r, 2).p && rows_text(r, 2).n == 0);
    CHECK(!rows_null(r, 3) && rows_blob(r, 3).p && rows_blob(r, 3).n == 0);
    rows_done(r);
    db_close(db);
}

TEST(parameters_are_bound_by_their_number) {
    struct db *db = open_new();
    struct err e;
    struct rows *r;
    CHECK(db_query(db, &all[SWAPPED], &r, &e, VTEXTZ("one"), VTEXTZ("two")) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK_STR(rows_text(r, 0), "two");
    CHECK_STR(rows_text(r, 1), "one");
    CHECK_STR(rows_text(r, 2), "two");
    rows_done(r);
    CHECK(db_query(db, &all[GAP], &r, &e, VTEXTZ("a"), VTEXTZ("unused"), VTEXTZ("c")) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK_STR(rows_text(r, 0), "ac");
    rows_done(r);
    db_close(db);
}

TEST(a_run_tells_how_many_rows_it_changed) {
    struct db *db = open_new();
    struct err e;
    int64_t changed = -1;
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("a"), VINT(1)) == 0);
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("b"), VINT(2)) == 0);
    struct val one = VINT(1), ten = VINT(10);
    CHECK(db_run_n(db, &all[RAISE_U], &one, 1, &changed, &e) == 0 && changed == 2);
    CHECK(db_run_n(db, &all[RAISE_U], &ten, 1, &changed, &e) == 0 && changed == 0);
    db_close(db);
}

TEST(a_taken_key_is_a_conflict_and_a_broken_rule_is_not) {
    struct db *db = open_new();
    struct err e;
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("a"), VINT(1)) == 0);
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("a"), VINT(2)) == -1);
    CHECK_INT(e.code, ERR_CONFLICT);
    CHECK_INT(e.msg, M_DB_TEXT);
    CHECK(strstr(e.arg[0], "u.k"));
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("b"), VINT(1000)) == -1 && e.code == ERR_DB);
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("b"), VNULL) == -1 && e.code == ERR_DB);
    CHECK(db_run(db, &all[ADD_CHILD], &e, VTEXTZ("nobody")) == -1 && e.code == ERR_DB);
    CHECK(db_run(db, &all[ADD_CHILD], &e, VTEXTZ("a")) == 0);
    db_close(db);
}

TEST(a_statement_can_return_what_it_wrote) {
    struct db *db = open_new();
    struct err e;
    int64_t n = 0;
    CHECK(db_int(db, &all[UPSERT], &n, &e, VTEXTZ("a")) == 1 && n == 1);
    CHECK(db_int(db, &all[UPSERT], &n, &e, VTEXTZ("a")) == 1 && n == 2);
    CHECK(db_run(db, &all[UPSERT], &e, VTEXTZ("a")) == 0);
    CHECK(db_int(db, &all[FIND_U], &n, &e, VTEXTZ("a")) == 1 && n == 3);
    n = 7;
    CHECK(db_int(db, &all[FIND_U], &n, &e, VTEXTZ("none")) == 0 && n == 7);
    db_close(db);
}

TEST(rows_left_in_the_middle_can_be_asked_again) {
    struct db *db = open_new();
    struct err e;
    for (int i = 0; i < 3; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ(key), VINT(i)) == 0);
    }
    for (int round = 0; round < 2; round++) {
        struct rows *r CLEANUP(rows_donep) = NULL;
        CHECK(db_query(db, &all[LIST_U], &r, &e, VINT(1)) == 0);
        CHECK_INT(rows_next(r, &e), 1);
        CHECK_STR(rows_text(r, 0), "k1");
    }
    db_close(db);
}

TEST(rollback_undoes_all_and_a_savepoint_undoes_its_part) {
    struct db *db = open_new();
    struct err e;
    CHECK(!db_in_transaction(db));
    CHECK(db_begin(db, true, &e) == 0 && db_in_transaction(db));
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("a"), VINT(1)) == 0);
    db_rollback(db);
    CHECK(!db_in_transaction(db));
    CHECK_INT(count_u(db), 0);

    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("kept"), VINT(1)) == 0);
    CHECK(db_release(db, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("undone"), VINT(2)) == 0);
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("kept"), VINT(2)) == -1 && e.code == ERR_CONFLICT);
    CHECK(db_rollback_to(db, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    CHECK(db_run(db, &all[ADD_U], &e, VTEXTZ("kept too"), VINT(3)) == 0);
    CHECK(db_release(db, &e) == 0);
    CHECK(db_commit(db, &e) == 0);
    CHECK_INT(count_u(db), 2);
    int64_t n;
    CHECK_INT(db_int(db, &all[FIND_U], &n, &e, VTEXTZ("undone")), 0);
    db_close(db);
}

TEST(a_wrong_statement_is_named) {
    struct db *db = open_new();
    struct err e;
    CHECK(db_check_statements(db, &e) == 0);
    static struct stmt wrong[] = {STMT(no_such_column, "SELECT colour FROM u")};
    stmt_register(wrong, 1);
    CHECK(db_check_statements(db, &e) == -1);
    CHECK_INT(e.code, ERR_DB);
    CHECK(strstr(e.arg[0], "no_such_column") && strstr(e.arg[0], "colour"));
    CHECK(db_run(db, &wrong[0], &e) == -1 && e.code == ERR_DB);
    db_close(db);
}

static bool refused(const char *name, const char *sql) {
    struct db *db = open_new();
    struct err e;
    struct stmt *s = calloc(1, sizeof *s);
    *s = (struct stmt){.name = name, .sql = sql};
    stmt_register(s, 1);
    bool is = db_check_statements(db, &e) == -1 && e.code == ERR_DB && strstr(e.arg[0], name);
    s->sql = "SELECT 1";
    db_close(db);
    return is;
}

TEST(a_statement_is_one_statement_with_numbered_parameters) {
    CHECK(refused("two", "SELECT 1; SELECT 2"));
}
TEST(a_question_mark_is_refused) {
    CHECK(refused("mark", "SELECT ?"));
}
TEST(a_named_parameter_is_refused) {
    CHECK(refused("named", "SELECT $who"));
}
TEST(a_double_quoted_word_is_never_a_literal) {
    CHECK(refused("quoted", "SELECT \"colour\" FROM u"));
}

TEST(script_tokens_become_types_but_not_inside_literals) {
    struct db *db = open_new();
    struct err e;
    static struct stmt read[] = {STMT(s_read, "SELECT t FROM s"), STMT(s_types, "SELECT group_concat(type, ' ') FROM pragma_table_info('s')")};
    stmt_register(read, 2);
    CHECK(db_script(db,
                    STR("-- a note with {nothing} of interest\n"
                        "CREATE TABLE s(t {text}, i {int}, r {real}, b {blob}, id {id}) STRICT; /* {no} */\n"
                        "INSERT INTO s(t) VALUES('{int} it''s {open');"),
                    &e) == 0);
    struct rows *r;
    CHECK(db_query(db, &read[0], &r, &e) == 0 && rows_next(r, &e) == 1);
    CHECK_STR(rows_text(r, 0), "{int} it's {open");
    rows_done(r);
    CHECK(db_query(db, &read[1], &r, &e) == 0 && rows_next(r, &e) == 1);
    CHECK_STR(rows_text(r, 0), "TEXT INTEGER REAL BLOB BLOB");
    rows_done(r);
    CHECK(db_script(db, STR("CREATE TABLE c(k {id} PRIMARY KEY){clustered}"), &e) == 0);
    CHECK(db_script(db, STR("CREATE TABLE x(a {bigint})"), &e) == -1 && e.code == ERR_DB);
    CHECK(strstr(e.arg[0], "{bigint}"));
    CHECK(db_script(db, STR("CREATE TABLE x(a {int"), &e) == -1);
    CHECK(db_script(db, STR("SELECT 1 {int"), &e) == -1);
    CHECK(db_script(db, STR("CREATE TABLE x(a 'never ends {int}"), &e) == -1);
    CHECK(db_script(db, STR("CREATE TABLE x(a); \0"), &e) == -1);
    CHECK(db_script(db, STR(""), &e) == 0);
    CHECK(!db_table_exists(db, "x"));
    db_close(db);
}

TEST(a_table_is_known_by_name) {
    struct db *db = open_new();
    CHECK(db_table_exists(db, "u"));
    CHECK(!db_table_exists(db, "w"));
    db_close(db);
}

TEST(values_are_compared_and_copied) {
    struct arena a CLEANUP(arena_release) = {0};
    char text[] = "gate";
    struct val v = VTEXTZ(text), copy = val_copy(&a, &v);
    text[0] = 'l';
    CHECK(!val_eq(&v, &copy));
    CHECK_STR(copy.s, "gate");
    struct val none = VTEXT(STR_NONE), null = VNULL, empty = VTEXT(STR("")), one = VINT(1), real = VREAL(1);
    CHECK(val_eq(&none, &null) && !val_eq(&none, &empty) && !val_eq(&one, &real) && val_eq(&one, &one));
    copy = val_copy(&a, &none);
    CHECK(!copy.s.p);
}

static struct err open_error(const char *name, enum db_mode mode) {
    char path[128];
    struct db *db;
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", unit_dir(), name);
    CHECK(db_open(path, mode, &db, &e) == -1);
    return e;
}

TEST(a_missing_file_is_not_made_by_opening) {
    CHECK_INT(open_error("none.db", DB_READ).code, ERR_NOT_FOUND);
    CHECK_INT(open_error("none.db", DB_WRITE).code, ERR_NOT_FOUND);
    CHECK_INT(open_error("no/such/folder.db", DB_CREATE).code, ERR_IO);
    CHECK_INT(open_error("", DB_CREATE).code, ERR_IO);
}

TEST(a_file_of_another_kind_is_refused) {
    char path[128];
    snprintf(path, sizeof path, "%s/text.db", unit_dir());
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 1000; i++) fputs("this is no database\n", f);
    fclose(f);
    CHECK_INT(open_error("text.db", DB_READ).code, ERR_CORRUPT);
    CHECK_INT(open_error("text.db", DB_WRITE).code, ERR_CORRUPT);
}

TEST(an_address_of_another_engine_is_refused) {
    struct db *db;
    struct err e;
    CHECK(db_open("mysql://host/db", DB_CREATE, &db, &e) == -1 && e.code == ERR_DB);
}

TEST(nobody_else_can_read_the_files) {
    struct db *db = open_new();
    static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[128];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", unit_dir(), names[i]);
        CHECK(stat(path, &st) == 0);
        CHECK_INT(st.st_mode & 0777, 0600);
    }
    db_close(db);
}
