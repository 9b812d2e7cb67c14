/* The PostgreSQL engine: values, statements, transactions, what is asked once at start. */
#include <math.h>
#include <time.h>

#include "db_pg_help.h"

/* ---- values ---- */
TEST(pg_every_type_comes_back_as_it_was_stored) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *r;
    struct id id = id_new(INT64_C(1580000000000000));
    CHECK(db_run(db, &pg_all[PUT], &e, VINT(1), VINT(INT64_C(9007199254740993)), VREAL(0.1), VTEXTZ("武汉"), VBLOB(STR("\0\1\xff")), VID(id)) == 0);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(1)) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK(rows_int(r, 0) == INT64_C(9007199254740993));
    CHECK(rows_real(r, 1) == 0.1 && rows_real(r, 5) == 1 && rows_int(r, 1) == 0);
    CHECK_STR(rows_text(r, 2), "武汉");
    CHECK(str_eq(rows_blob(r, 3), STR("\0\1\xff")));
    CHECK(id_eq(rows_id(r, 4), id));
    CHECK_INT(rows_next(r, &e), 0);
    CHECK_INT(rows_next(r, &e), 0);
    rows_done(r);
    int64_t n = 0;
    CHECK(db_int(db, &pg_all[BY_ID], &n, &e, VID(id)) == 1 && n == 1);
    CHECK(db_int(db, &pg_all[BY_ID], &n, &e, VBLOB(id_bytes(&id))) == 1 && n == 1);
    db_close(db);
}

TEST(pg_null_and_empty_stay_apart) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *r;
    CHECK(db_run(db, &pg_all[PUT], &e, VINT(1), VNULL, VREAL(NAN), VTEXT(STR_NONE), VBLOB(STR_NONE), VNULL) == 0);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(1)) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    for (int i = 0; i < 5; i++) CHECK(rows_null(r, i));
    CHECK(rows_int(r, 0) == 0 && rows_real(r, 1) == 0 && !rows_text(r, 2).p && !rows_blob(r, 3).p && id_is_nil(rows_id(r, 4)));
    rows_done(r);
    CHECK(db_run(db, &pg_all[PUT], &e, VINT(2), VINT(INT64_MIN), VREAL(-0.0), VTEXT(STR("")), VBLOB(STR("")), VNULL) == 0);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(2)) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK(rows_int(r, 0) == INT64_MIN && signbit(rows_real(r, 1)));
    CHECK(!rows_null(r, 2) && rows_text(r, 2).p && rows_text(r, 2).n == 0);
    CHECK(!rows_null(r, 3) && rows_blob(r, 3).p && rows_blob(r, 3).n == 0);
    rows_done(r);
    db_close(db);
}

TEST(pg_a_text_with_a_nul_is_refused_before_it_is_sent) {
    struct db *db = pg_open_new();
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_run(db, &pg_all[PUT], &e, VINT(1), VNULL, VNULL, VTEXT(STR("a\0b")), VNULL, VNULL) == -1);
    CHECK(e.code == ERR_INVALID && e.msg == M_NUL);
    pg_put(db, 2);
    CHECK(db_commit(db, &e) == 0);
    CHECK_INT(pg_count(db), 1);
    db_close(db);
}

TEST(pg_a_value_of_the_wrong_type_is_named_and_harms_nothing) {
    struct db *db = pg_open_new();
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_run(db, &pg_all[PUT], &e, VTEXTZ("one"), VNULL, VNULL, VNULL, VNULL, VNULL) == -1 && e.code == ERR_DB);
    CHECK(strstr(e.arg[0], "pg_put: $1 is int8, not a text"));
    CHECK(db_run(db, &pg_all[LENGTH], &e, VINT(INT64_C(1) << 40)) == -1 && e.code == ERR_DB && strstr(e.arg[0], "int4"));
    pg_put(db, 2);
    CHECK(db_commit(db, &e) == 0);
    db_close(db);
}

TEST(pg_texts_are_ordered_byte_by_byte) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *r;
    static const char *const texts[] = {"0", "9", "A", "Z", "a", "z", "~", "é", "一", "武汉", "黄"};
    for (size_t i = COUNT(texts); i-- > 0;)
        CHECK(db_run(db, &pg_all[PUT], &e, VINT((int64_t)(i * 7 % COUNT(texts))), VNULL, VNULL, VTEXTZ(texts[i]), VNULL, VNULL) == 0);
    CHECK(db_query_n(db, &pg_all[BY_TEXT], NULL, 0, &r, &e) == 0);
    for (size_t i = 0; i < COUNT(texts); i++) {
        CHECK_INT(rows_next(r, &e), 1);
        CHECK_STR(rows_text(r, 0), texts[i]);
    }
    rows_done(r);
    int64_t lower = 0;
    CHECK(db_int(db, &pg_all[LOWER], &lower, &e, VTEXTZ("Z"), VTEXTZ("a")) == 1 && lower == 1);
    db_close(db);
}

TEST(pg_parameters_are_bound_by_their_number) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *r;
    pg_put(db, 5);
    CHECK(db_query(db, &pg_all[GAP], &r, &e, VTEXTZ("unused"), VINT(5)) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    rows_done(r);
    CHECK(db_query(db, &pg_all[SWAPPED], &r, &e, VTEXTZ("one"), VTEXTZ("two")) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK_STR(rows_text(r, 0), "two");
    CHECK_STR(rows_text(r, 1), "one");
    rows_done(r);
    int64_t n;
    CHECK(db_int(db, &pg_all[PAGE], &n, &e, VINT(1)) == 1 && db_int(db, &pg_all[LENGTH], &n, &e, VINT(3)) == 1);
    db_close(db);
}

/* ---- statements and transactions ---- */
TEST(pg_a_run_tells_how_many_rows_it_changed) {
    struct db *db = pg_open_new();
    struct err e;
    int64_t changed = -1, n = 0;
    pg_put(db, 1);
    pg_put(db, 2);
    struct val one = VINT(1), ten = VINT(10);
    CHECK(db_run_n(db, &pg_all[FROM], &one, 1, &changed, &e) == 0 && changed == 2);
    CHECK(db_run_n(db, &pg_all[FROM], &ten, 1, &changed, &e) == 0 && changed == 0);
    CHECK(db_int(db, &pg_all[UPSERT], &n, &e, VTEXTZ("a")) == 1 && n == 1);
    CHECK(db_int(db, &pg_all[UPSERT], &n, &e, VTEXTZ("a")) == 1 && n == 2);
    db_close(db);
}

TEST(pg_a_taken_key_is_a_conflict_and_a_broken_rule_is_not) {
    struct db *db = pg_open_new();
    struct err e;
    CHECK(db_run(db, &pg_all[ADD_U], &e, VTEXTZ("a"), VINT(1)) == 0);
    CHECK(db_run(db, &pg_all[ADD_U], &e, VTEXTZ("a"), VINT(2)) == -1);
    CHECK(e.code == ERR_CONFLICT && e.msg == M_DB_TEXT && strstr(e.arg[0], "pg_add_u"));
    CHECK(db_run(db, &pg_all[ADD_U], &e, VTEXTZ("b"), VINT(1000)) == -1 && e.code == ERR_DB);
    CHECK(db_run(db, &pg_all[ADD_U], &e, VTEXTZ("b"), VNULL) == -1 && e.code == ERR_DB);
    CHECK(db_run(db, &pg_all[ADD_U], &e, VTEXTZ("b"), VINT(2)) == 0);
    db_close(db);
}

TEST(pg_a_savepoint_undoes_its_part_though_the_error_came_late) {
    struct db *db = pg_open_new();
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    pg_put(db, 1);
    CHECK(db_release(db, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    pg_put(db, 2);
    pg_put(db, 1);
    pg_put(db, 3);
    CHECK(db_sync(db, &e) == -1 && e.code == ERR_CONFLICT && strstr(e.arg[0], "pg_put"));
    CHECK(db_run(db, &pg_all[PUT], &e, VINT(9), VNULL, VNULL, VNULL, VNULL, VNULL) == -1 && e.code == ERR_CONFLICT);
    CHECK(db_rollback_to(db, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    pg_put(db, 1); /* fails, and nobody looks before it is undone */
    pg_put(db, 5);
    CHECK(db_rollback_to(db, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    pg_put(db, 4);
    CHECK(db_release(db, &e) == 0);
    CHECK(db_commit(db, &e) == 0);
    CHECK_INT(pg_count(db), 2);
    db_close(db);
}

TEST(pg_an_error_before_the_savepoint_loses_the_transaction) {
    struct db *db = pg_open_new();
    struct err e;
    pg_put(db, 1);
    CHECK(db_begin(db, true, &e) == 0);
    pg_put(db, 1);
    CHECK(db_savepoint(db, &e) == 0);
    pg_put(db, 2);
    CHECK(db_rollback_to(db, &e) == -1 && e.code == ERR_CONFLICT);
    CHECK(db_run(db, &pg_all[PUT], &e, VINT(9), VNULL, VNULL, VNULL, VNULL, VNULL) == -1 && e.code == ERR_CONFLICT);
    db_rollback(db);
    CHECK_INT(pg_count(db), 1);
    db_close(db);
}

TEST(pg_an_error_that_came_late_fails_the_commit_and_nothing_is_kept) {
    struct db *db = pg_open_new();
    struct err e;
    pg_put(db, 1);
    CHECK(db_begin(db, true, &e) == 0);
    pg_put(db, 2);
    pg_put(db, 1);
    pg_put(db, 3);
    CHECK(db_commit(db, &e) == -1 && e.code == ERR_CONFLICT);
    CHECK(!db_in_transaction(db));
    CHECK_INT(pg_count(db), 1);
    CHECK(db_begin(db, true, &e) == 0);
    pg_put(db, 2);
    CHECK(db_commit(db, &e) == 0);
    CHECK_INT(pg_count(db), 2);
    db_close(db);
}

TEST(pg_thousands_of_runs_are_sent_without_waiting) {
    struct db *db = pg_open_new();
    struct err e;
    char text[600];
    int64_t n = 0;
    memset(text, 'x', sizeof text);
    CHECK(db_begin(db, true, &e) == 0);
    for (int64_t i = 0; i < 5000; i++) {
        CHECK(db_run(db, &pg_all[PUT], &e, VINT(i), VINT(i), VREAL(1), VTEXT(((struct str){text, sizeof text})), VNULL, VNULL) == 0);
        if (i % 10 == 0) CHECK(db_run(db, &pg_all[UPSERT], &e, VTEXTZ("k")) == 0);
    }
    CHECK_INT(db_writes(db), 5500);
    CHECK(db_int(db, &pg_all[UPSERT], &n, &e, VTEXTZ("k")) == 1 && n == 501);
    CHECK_INT(pg_count(db), 5000);
    CHECK(db_commit(db, &e) == 0);
    CHECK_INT(pg_count(db), 5000);
    db_close(db);
}

TEST(pg_queries_nest_and_statements_run_between_their_rows) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *outer, *inner;
    for (int64_t i = 0; i < 10; i++) pg_put(db, i);
    for (int write = 0; write < 2; write++) {
        int seen = 0;
        if (write) CHECK(db_begin(db, true, &e) == 0);
        CHECK(db_query_n(db, &pg_all[LIST], NULL, 0, &outer, &e) == 0);
        while (rows_next(outer, &e) == 1) {
            CHECK(db_query(db, &pg_all[GET], &inner, &e, VINT(rows_int(outer, 0))) == 0);
            CHECK(rows_next(inner, &e) == 1 && rows_int(inner, 5) == rows_int(outer, 0));
            CHECK(db_run(db, &pg_all[SET], &e, VINT(rows_int(inner, 5)), VTEXTZ("seen")) == 0);
            rows_done(inner);
            seen++;
        }
        rows_done(outer);
        CHECK_INT(seen, 10);
        if (write) CHECK(db_commit(db, &e) == 0);
    }
    db_close(db);
}

TEST(pg_streams_bring_many_rows_while_statements_run) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *a, *b;
    pg_put(db, 1);
    for (int write = 0; write < 2; write++) {
        CHECK(db_begin(db, write, &e) == 0);
        struct val ten = VINT(10000), two = VINT(2000);
        CHECK(db_stream_n(db, &pg_all[MANY], &ten, 1, &a, &e) == 0);
        CHECK(db_stream_n(db, &pg_all[MANY], &two, 1, &b, &e) == 0);
        int64_t want = 0;
        while (rows_next(a, &e) == 1) {
            CHECK_INT(rows_int(a, 0), ++want);
            if (want % 100 == 0 && write) CHECK(db_run(db, &pg_all[SET], &e, VINT(1), VTEXTZ("x")) == 0);
            if (want % 100 == 1) CHECK_INT(pg_count(db), 1);
            if (want <= 2000) CHECK(rows_next(b, &e) == 1 && rows_int(b, 0) == want);
        }
        CHECK_INT(want, 10000);
        CHECK_INT(rows_next(b, &e), 0);
        CHECK_INT(rows_next(a, &e), 0);
        rows_done(a);
        rows_done(b);
        if (write) CHECK(db_commit(db, &e) == 0);
        else db_rollback(db);
    }
    db_close(db);
}

TEST(pg_neither_side_waits_for_the_other_when_much_is_under_way) {
    struct db *db = pg_open_new();
    struct err e;
    int64_t n = 0;
    struct str large = {calloc(1, 100000), 100000};
    memset((char *)large.p, 'x', large.n);
    pg_put(db, 1);
    CHECK(db_begin(db, true, &e) == 0);
    for (int64_t i = 0; i < 200; i++) {
        CHECK(db_foresee(db, &pg_all[MANY], &e, VINT(5000 + i)) == 0);
        CHECK(db_run(db, &pg_all[SET], &e, VINT(1), VTEXT(large)) == 0);
    }
    CHECK(db_int(db, &pg_all[LENGTH], &n, &e, VINT(100000)) == 1 && n == 1);
    CHECK(db_commit(db, &e) == 0);
    free((char *)large.p);
    db_close(db);
}

TEST(pg_what_fails_only_in_the_commit_is_reported_and_harms_nothing_else) {
    struct db *db = pg_open_new();
    static struct stmt s[] = {STMT(pg_late, "INSERT INTO late(n) VALUES($1)"), STMT(pg_late_count, "SELECT count(*) FROM late")};
    struct err e;
    int64_t n = 0;
    stmt_register(s, 2);
    CHECK(db_script(db, STR("CREATE TABLE late(n {int} UNIQUE DEFERRABLE INITIALLY DEFERRED)"), &e) == 0);
    CHECK(db_run(db, &s[0], &e, VINT(1)) == 0);
    CHECK(db_run(db, &s[0], &e, VINT(1)) == -1 && e.code == ERR_CONFLICT);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_run(db, &s[0], &e, VINT(1)) == 0);
    CHECK(db_commit(db, &e) == -1 && e.code == ERR_CONFLICT);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_run(db, &s[0], &e, VINT(2)) == 0);
    CHECK(db_commit(db, &e) == 0);
    CHECK(db_int_n(db, &s[1], NULL, 0, &n, &e) == 1 && n == 2);
    db_close(db);
}

/* ---- care ---- */
static bool refused(const char *name, const char *sql, const char *because) {
    struct db *db = pg_open_as(DB_WRITE);
    struct err e = {0};
    struct stmt *s = calloc(1, sizeof *s);
    *s = (struct stmt){.name = name, .sql = sql};
    stmt_register(s, 1);
    bool is = db_check_statements(db, &e) == -1 && e.code == ERR_DB && strstr(e.arg[0], name) && strstr(e.arg[0], because);
    if (!is) fprintf(stderr, "  %s\n", e.arg[0]);
    s->sql = "SELECT 1";
    CHECK(db_check_statements(db, &e) == 0);
    db_close(db);
    return is;
}

TEST(pg_a_statement_that_the_engine_cannot_speak_is_named) {
    struct db *db = pg_open_new();
    struct err e;
    CHECK(db_check_statements(db, &e) == 0);
    CHECK(refused("sums", "SELECT sum(n) FROM v", "column 1 is numeric"));
    CHECK(refused("truth", "SELECT n > 1 FROM v", "column 1 is boolean"));
    CHECK(refused("asks", "SELECT n FROM v WHERE (n > 1) = $1", "parameter 1 is boolean"));
    CHECK(refused("typo", "SELECT colour FROM v", "colour"));
    CHECK(refused("two", "SELECT 1; SELECT 2", "multiple"));
    CHECK(refused("untyped", "SELECT n FROM v WHERE $1 IS NULL", "$1"));
    db_close(db);
}

TEST(pg_all_statements_are_checked_in_no_time) {
    struct db *db = pg_open_new();
    struct err e;
    static char names[600][16];
    static struct stmt many[600];
    for (int i = 0; i < 600; i++) {
        snprintf(names[i], sizeof names[i], "many%d", i);
        many[i] = (struct stmt){.name = names[i], .sql = "SELECT i, r, t, b FROM v WHERE n = $1 AND t >= $2 AND id <> $3 ORDER BY n LIMIT $4"};
    }
    stmt_register(many, COUNT(many));
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    CHECK(db_check_statements(db, &e) == 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    if (getenv("LF_FIGURES")) fprintf(stderr, "  600 statements in %.0f ms\n", seconds * 1000);
    CHECK(seconds < 5);
    db_close(db);
}

TEST(pg_script_tokens_become_types_but_not_inside_literals) {
    struct db *db = pg_open_new();
    struct err e;
    static struct stmt read[] = {STMT(s_read, "SELECT t FROM s"),
                                 STMT(s_types, "SELECT CAST(string_agg(data_type, ' ' ORDER BY ordinal_position) AS TEXT) FROM information_schema.columns "
                                               "WHERE table_name = 's' AND table_schema = current_schema()")};
    stmt_register(read, 2);
    CHECK(db_script(db,
                    STR("-- a note with {nothing} of interest\n"
                        "CREATE TABLE s(t {text}, i {int}, r {real}, b {blob}, id {id}); /* {no} */\n"
                        "INSERT INTO s(t) VALUES('{int} it''s; {open');"),
                    &e) == 0);
    struct rows *r;
    CHECK(db_query_n(db, &read[0], NULL, 0, &r, &e) == 0 && rows_next(r, &e) == 1);
    CHECK_STR(rows_text(r, 0), "{int} it's; {open");
    rows_done(r);
    CHECK(db_query_n(db, &read[1], NULL, 0, &r, &e) == 0 && rows_next(r, &e) == 1);
    CHECK_STR(rows_text(r, 0), "text bigint double precision bytea uuid");
    rows_done(r);
    CHECK(db_script(db, STR("CREATE TABLE x(a {bigint})"), &e) == -1 && e.code == ERR_DB);
    CHECK(db_script(db, STR(""), &e) == 0);
    CHECK(db_table_exists(db, "s") && !db_table_exists(db, "x"));
    db_close(db);
}

TEST(pg_tables_are_made_in_a_transaction_or_not_at_all) {
    struct db *db = pg_open_new();
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_lock_schema(db, &e) == 0);
    CHECK(db_script(db, STR("CREATE TABLE x(a {int}); INSERT INTO x VALUES(1)"), &e) == 0);
    CHECK(db_table_exists(db, "x"));
    db_rollback(db);
    CHECK(!db_table_exists(db, "x"));
    CHECK(db_begin(db, true, &e) == 0);
    pg_put(db, 1);
    CHECK(db_script(db, STR("CREATE TABLE x(a {int}); CREATE TABLE v(a {int})"), &e) == -1 && e.code == ERR_DB);
    CHECK(db_commit(db, &e) == -1);
    CHECK(!db_table_exists(db, "x"));
    CHECK_INT(pg_count(db), 0);
    db_close(db);
}

TEST(pg_what_only_files_have_is_answered) {
    struct db *db = pg_open_new();
    struct arena a CLEANUP(arena_release) = {0};
    struct err e;
    struct str text;
    CHECK(db_shared(db));
    CHECK(db_plan(db, &e) == 0 && db_checkpoint(db, NULL, &e) == 0);
    CHECK(db_integrity(db, &a, &text, &e) == 0);
    CHECK_STR(text, "ok");
    CHECK(db_backup(db, "/tmp/none", &e) == -1 && e.code == ERR_DB);
    CHECK(db_distribute(db, "v", NULL, &e) == -1 && e.code == ERR_DB && e.msg == M_NO_CITUS);
    CHECK_INT(db_is_distributed(db, "v", &e), 0);
    pg_put(db, 1);
    db_close(db);
}

static struct err open_error(const char *address) {
    struct db *db;
    struct err e = {0};
    CHECK(db_open(address, DB_WRITE, &db, &e) == -1);
    CHECK_INT(e.msg, M_DB_UNREACHABLE);
    return e;
}

TEST(pg_an_address_that_is_wrong_is_told_from_a_server_that_is_away) {
    char address[512];
    const char *base = pg_url();
    struct str server = str_z(base);
    ptrdiff_t question = str_find_char(server, '?');
    server = str_sub(server, 0, (size_t)question);
    CHECK_INT(open_error("postgres://lianfang:geheim@127.0.0.1:1/lianfang").code, ERR_RETRY);
    struct err e = open_error("postgres://lianfang:geheim@[127.0.0.1/lianfang");
    CHECK(e.code == ERR_IO && !strstr(e.arg[0], "geheim"));
    snprintf(address, sizeof address, "%.*s_not_there", STR_FMT(server));
    e = open_error(address);
    CHECK(e.code == ERR_IO && strstr(e.arg[0], "_not_there"));
    snprintf(address, sizeof address, "%.*s?user=nobody_of_this_name", STR_FMT(server));
    e = open_error(address);
    CHECK(e.code == ERR_IO && strstr(e.arg[0], "nobody_of_this_name"));
    snprintf(address, sizeof address, "%s&target_session_attrs=standby", base);
    CHECK_INT(open_error(address).code, ERR_RETRY);
}

TEST(pg_a_commit_is_on_the_disk_even_where_the_server_is_set_to_be_careless) {
    char address[512];
    static struct stmt s[] = {STMT(pg_durable, "SELECT current_setting('synchronous_commit')")};
    static const char *const set_to[] = {"off", "local"}, *const is[] = {"on", "local"};
    stmt_register(s, 1);
    for (int i = 0; i < 2; i++) {
        struct db *db;
        struct err e;
        struct rows *r;
        snprintf(address, sizeof address, "%s%%20-csynchronous_commit%%3D%s", pg_url(), set_to[i]);
        CHECK(db_open(address, DB_WRITE, &db, &e) == 0);
        CHECK(db_query_n(db, &s[0], NULL, 0, &r, &e) == 0 && rows_next(r, &e) == 1);
        CHECK_STR(rows_text(r, 0), is[i]);
        rows_done(r);
        db_close(db);
    }
}
