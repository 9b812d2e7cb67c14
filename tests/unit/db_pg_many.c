/* The PostgreSQL engine where connections are lost, several write at once, or wait for each other. */
#include <pthread.h>
#include <unistd.h>

#include "db_pg_help.h"

/* ---- lost connections ---- */
TEST(pg_a_lost_connection_is_made_again_by_the_next_transaction) {
    struct db *db = pg_open_new(), *other = pg_open_as(DB_WRITE);
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
    pg_put(db, 1);
    pg_end_connection(other, db);
    int64_t n = 0;
    CHECK(db_int(db, &pg_all[COUNT_V], &n, &e) == -1);
    CHECK_INT(e.code, ERR_RETRY);
    CHECK(db_run(db, &pg_all[SET], &e, VINT(1), VTEXTZ("x")) == -1 && e.code == ERR_RETRY);
    db_rollback(db);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK_INT(pg_count(db), 0);
    pg_put(db, 2);
    CHECK(db_commit(db, &e) == 0);
    pg_end_connection(other, db); /* while it is idle: nobody notices */
    CHECK_INT(pg_count(db), 1);
    CHECK(db_begin(db, false, &e) == 0);
    pg_end_connection(other, db);
    struct rows *r;
    CHECK(db_query_n(db, &pg_all[LIST], NULL, 0, &r, &e) == -1 && e.code == ERR_RETRY);
    db_rollback(db);
    CHECK(db_begin(db, false, &e) == 0);
    CHECK_INT(pg_count(db), 1);
    db_rollback(db);
    pg_end_connection(other, db);
    CHECK(db_begin(db, false, &e) == 0);
    CHECK_INT(pg_count(db), 1);
    db_rollback(db);
    db_close(other);
    db_close(db);
}

static int64_t writes_committed;

static void *end_from_outside(void *arg) {
    struct db *other = pg_open_as(DB_WRITE);
    struct err e;
    int64_t done = 0;
    usleep(200000);
    CHECK(db_int(other, &pg_all[END], &done, &e, VINT(*(int64_t *)arg)) == 1);
    db_close(other);
    return NULL;
}

/* A trigger that waits holds the commit open for as long as it takes to end it. */
TEST(pg_a_commit_that_was_not_answered_is_to_be_tried_again) {
    struct db *db = pg_open_new();
    struct err e;
    int64_t pid = 0;
    pthread_t thread;
    CHECK(db_script(db,
                    STR("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NULL; END';"
                        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON v DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()"),
                    &e) == 0);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_int(db, &pg_all[PID], &pid, &e) == 1);
    pg_put(db, 1);
    CHECK(pthread_create(&thread, NULL, end_from_outside, &pid) == 0);
    CHECK(db_commit(db, &e) == -1);
    CHECK_INT(e.code, ERR_RETRY);
    CHECK(!db_in_transaction(db));
    pthread_join(thread, NULL);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK_INT(pg_count(db), 0);
    db_rollback(db);
    db_close(db);
}

/* ---- a COMMIT that is not waited for ---- */

/* Counts first: what the program does not know of a statement it asks the server, behind all that was sent. */
static void begin_and_put(struct db *db, int n) {
    struct err e;
    CHECK_INT(pg_count(db), n - 1);
    CHECK(db_begin(db, true, &e) == 0);
    pg_put(db, n);
}

static void send_commit_and_begin(struct db *db) {
    struct err e;
    CHECK(db_commit_send(db, &e) == 0);
    CHECK(!db_in_transaction(db));
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_foresee_n(db, &pg_all[COUNT_V], NULL, 0, &e) == 0);
    CHECK(db_send(db, &e) == 0);
}

TEST(pg_the_next_transaction_asks_behind_a_commit_and_sees_what_it_made) {
    struct db *db = pg_open_new();
    struct err e;
    begin_and_put(db, 1);
    for (int n = 1; n < 4; n++) {
        send_commit_and_begin(db);
        CHECK(db_commit_end(db, &e) == 0);
        CHECK_INT(pg_count(db), n);
        pg_put(db, n + 1);
    }
    CHECK(db_commit_send(db, &e) == 0);
    CHECK(db_commit_end(db, &e) == 0); /* nothing behind it */
    CHECK_INT(pg_count(db), 4);
    db_close(db);
}

/* Fails, and the connection serves on. */
static void check_undone(struct db *db, enum err_code code) {
    struct err e;
    CHECK(db_commit_end(db, &e) == -1);
    CHECK_INT(e.code, code);
    CHECK(!db_in_transaction(db));
    CHECK(db_begin(db, true, &e) == 0);
    CHECK_INT(pg_count(db), 0);
    pg_put(db, 5);
    CHECK(db_commit(db, &e) == 0);
    CHECK_INT(pg_count(db), 1);
    db_close(db);
}

TEST(pg_a_commit_that_fails_undoes_what_was_begun_behind_it) {
    struct db *db = pg_open_new();
    struct err e;
    CHECK(db_script(db,
                    STR("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.n = 1 THEN RAISE EXCEPTION ''no'' USING ERRCODE = ''40001''; END IF; RETURN NULL; END';"
                        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON v DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no()"),
                    &e) == 0);
    begin_and_put(db, 1);
    send_commit_and_begin(db);
    check_undone(db, ERR_RETRY);
}

TEST(pg_a_mistake_before_a_commit_is_that_transactions_and_not_the_next_ones) {
    struct db *db = pg_open_new();
    struct err e;
    begin_and_put(db, 1);
    pg_put(db, 1);
    send_commit_and_begin(db);
    check_undone(db, ERR_CONFLICT);
    db = pg_open_as(DB_WRITE);
    CHECK(db_begin(db, true, &e) == 0);
    pg_put(db, 5);
    CHECK(db_commit_send(db, &e) == 0);
    CHECK(db_commit_end(db, &e) == -1); /* with nothing behind it */
    CHECK_INT(e.code, ERR_CONFLICT);
    CHECK_INT(pg_count(db), 1);
    db_close(db);
}

TEST(pg_an_answer_that_was_lost_with_its_connection_is_to_be_looked_for) {
    setenv("LF_FAULT", "commit:1", 1);
    struct db *db = pg_open_new();
    struct err e;
    int64_t n = 0;
    begin_and_put(db, 1);
    send_commit_and_begin(db);
    CHECK(db_commit_end(db, &e) == -1);
    CHECK_INT(e.code, ERR_RETRY);
    for (int waited = 0; waited < 20000 && n == 0; waited++) {
        n = pg_count(db);
        usleep(1000);
    }
    CHECK_INT(n, 1); /* it was done */
    db_close(db);
}

TEST(pg_an_answer_that_came_counts_whatever_is_lost_behind_it) {
    struct db *db = pg_open_new(), *other = pg_open_as(DB_WRITE);
    struct err e;
    int64_t n = 0, pid = 0;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_int(db, &pg_all[PID], &pid, &e) == 1);
    pg_put(db, 1);
    CHECK(db_commit_send(db, &e) == 0);
    for (int waited = 0; waited < 20000 && n == 0; waited++) {
        n = pg_count(other);
        usleep(1000);
    }
    CHECK(db_int(other, &pg_all[END], &n, &e, VINT(pid)) == 1);
    usleep(100000);
    int begun = db_begin(db, true, &e);
    CHECK(db_commit_end(db, &e) == 0);
    CHECK(begun == -1 || db_int(db, &pg_all[COUNT_V], &n, &e) == -1);
    CHECK_INT(e.code, ERR_RETRY);
    db_rollback(db);
    CHECK_INT(pg_count(db), 1);
    db_close(other);
    db_close(db);
}

/* ---- two writers ---- */
static void *cross(void *arg) {
    struct err *e = arg;
    struct db *db = pg_open_as(DB_WRITE);
    struct rows *r;
    int result = db_begin(db, true, e);
    if (result == 0) result = db_run(db, &pg_all[SET], e, VINT(2), VTEXTZ("b"));
    if (result == 0) result = db_sync(db, e);
    usleep(300000);
    if (result == 0 && db_query(db, &pg_all[LOCK], &r, e, VINT(1)) == 0) rows_done(r), e->code = ERR_NONE;
    db_rollback(db);
    db_close(db);
    return NULL;
}

TEST(pg_of_two_that_wait_for_each_other_one_is_told_to_try_again) {
    struct db *db = pg_open_new();
    struct err e = {0}, theirs = {0};
    struct rows *r;
    pthread_t thread;
    pg_put(db, 1);
    pg_put(db, 2);
    CHECK(pthread_create(&thread, NULL, cross, &theirs) == 0);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_run(db, &pg_all[SET], &e, VINT(1), VTEXTZ("a")) == 0 && db_sync(db, &e) == 0);
    usleep(300000);
    if (db_query(db, &pg_all[LOCK], &r, &e, VINT(2)) == 0) {
        rows_done(r);
        e.code = ERR_NONE;
    }
    db_rollback(db);
    pthread_join(thread, NULL);
    CHECK((e.code == ERR_RETRY) != (theirs.code == ERR_RETRY));
    CHECK(e.code == ERR_NONE || theirs.code == ERR_NONE);
    db_close(db);
}

static void *write_behind(void *arg) {
    struct db *db = pg_open_as(DB_WRITE);
    struct err e;
    struct rows *r;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_query(db, &pg_all[LOCK], &r, &e, VINT(1)) == 0 && rows_next(r, &e) == 1);
    bool first_was_done = str_eqz(rows_text(r, 0), "first") && writes_committed == 1;
    rows_done(r);
    CHECK(db_commit(db, &e) == 0);
    db_close(db);
    *(bool *)arg = first_was_done;
    return NULL;
}

TEST(pg_a_locked_row_makes_the_second_writer_wait_for_the_first) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *r;
    pthread_t thread;
    bool in_order = false;
    pg_put(db, 1);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_query(db, &pg_all[LOCK], &r, &e, VINT(1)) == 0);
    rows_done(r);
    CHECK(pthread_create(&thread, NULL, write_behind, &in_order) == 0);
    usleep(200000);
    CHECK(db_run(db, &pg_all[SET], &e, VINT(1), VTEXTZ("first")) == 0);
    writes_committed = 1;
    CHECK(db_commit(db, &e) == 0);
    pthread_join(thread, NULL);
    CHECK(in_order);
    db_close(db);
}

TEST(pg_a_reader_sees_one_moment_and_changes_nothing) {
    struct db *db = pg_open_new(), *reader = pg_open_as(DB_READ);
    struct err e;
    CHECK(db_begin(reader, false, &e) == 0);
    CHECK_INT(pg_count(reader), 0);
    pg_put(db, 1);
    CHECK_INT(pg_count(reader), 0);
    db_rollback(reader);
    CHECK_INT(pg_count(reader), 1);
    CHECK(db_run(reader, &pg_all[SET], &e, VINT(1), VTEXTZ("x")) == -1 && e.code == ERR_DB);
    CHECK_INT(pg_count(reader), 1);
    CHECK(db_begin(db, false, &e) == 0);
    CHECK(db_run(db, &pg_all[SET], &e, VINT(1), VTEXTZ("x")) == -1 && e.code == ERR_DB);
    db_rollback(db);
    db_close(reader);
    db_close(db);
}

TEST(pg_an_idle_reader_stays_in_no_transaction) {
    struct db *db = pg_open_new(), *reader = pg_open_as(DB_READ);
    static struct stmt s[] = {STMT(pg_busy, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state <> 'idle'")};
    struct err e;
    int64_t pid = 0, busy = 1;
    stmt_register(s, 1);
    CHECK(db_begin(reader, false, &e) == 0);
    CHECK(db_int(reader, &pg_all[PID], &pid, &e) == 1);
    db_rollback(reader);
    usleep(50000);
    CHECK(db_int(db, &s[0], &busy, &e, VINT(pid)) == 1 && busy == 0);
    db_close(reader);
    db_close(db);
}

/* ---- reading ahead ---- */
TEST(pg_a_foreseen_query_is_answered_until_it_is_not_true_any_more) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *r;
    pg_put(db, 1);
    CHECK(db_foresee(db, &pg_all[GET], &e, VINT(1)) == 0); /* outside a transaction: nothing */
    CHECK(db_begin(db, true, &e) == 0);
    for (int64_t i = 0; i < 600; i++) CHECK(db_foresee(db, &pg_all[GET], &e, VINT(i)) == 0);
    CHECK(db_foresee(db, &pg_all[GET], &e, VINT(1)) == 0);
    CHECK(db_foresee(db, &pg_all[BY_TEXT], &e, VNULL) == 0);
    CHECK(db_foresee(db, &pg_all[GET], &e, VTEXTZ("no number")) == 0);
    CHECK(db_run(db, &pg_all[SET], &e, VINT(1), VTEXTZ("new")) == 0);
    db_unforesee(db, &pg_all[GET], VINT(1));
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(1)) == 0 && rows_next(r, &e) == 1);
    CHECK_STR(rows_text(r, 2), "new");
    rows_done(r);
    pg_put(db, 2);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(2)) == 0 && rows_next(r, &e) == 0); /* as it was foreseen */
    db_unforesee(db, &pg_all[GET], VINT(2));
    CHECK_INT(rows_next(r, &e), 0);
    rows_done(r);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(2)) == 0 && rows_next(r, &e) == 1);
    rows_done(r);
    CHECK(db_commit(db, &e) == 0);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(1)) == 0 && rows_next(r, &e) == 1);
    rows_done(r);
    db_close(db);
}

TEST(pg_what_was_foreseen_behind_a_savepoint_is_undone_with_it) {
    struct db *db = pg_open_new();
    struct err e;
    struct rows *r;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    pg_put(db, 1);
    CHECK(db_foresee(db, &pg_all[GET], &e, VINT(1)) == 0);
    CHECK(db_rollback_to(db, &e) == 0);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(1)) == 0 && rows_next(r, &e) == 0);
    rows_done(r);
    CHECK(db_foresee(db, &pg_all[GET], &e, VINT(1)) == 0);
    db_rollback(db);
    pg_put(db, 1);
    CHECK(db_query(db, &pg_all[GET], &r, &e, VINT(1)) == 0 && rows_next(r, &e) == 1);
    rows_done(r);
    db_close(db);
}

/* ---- waiting ---- */
static const struct id me = {.b = {1}}, other = {.b = {2}};

TEST(pg_a_notification_of_the_site_wakes_and_others_do_not) {
    struct db *db = pg_open_new(), *waiter = pg_open_as(DB_READ), *third = pg_open_as(DB_WRITE);
    struct err e;
    int stop[2];
    CHECK(pipe(stop) == 0);
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 1000000, &e), 1); /* what came before it was not heard */
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 20000, &e), 0);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(db_notify(db, 7, other, &e) == 0);
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 50000, &e), 0); /* not before the commit */
    CHECK(db_commit(db, &e) == 0);
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 5000000, &e), 1);
    CHECK(db_notify(db, 8, other, &e) == 0);
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 50000, &e), 0);
    CHECK(db_notify(db, 7, me, &e) == 0);
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 50000, &e), 0); /* its own commits are no news */
    pg_end_connection(third, waiter);
    int r = db_wait(waiter, 7, me, stop[0], 5000000, &e);
    CHECK(r == 1 || (r == -1 && e.code == ERR_RETRY && db_wait(waiter, 7, me, stop[0], 5000000, &e) == 1));
    CHECK(db_notify(db, 7, other, &e) == 0);
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 5000000, &e), 1);
    CHECK(write(stop[1], "x", 1) == 1);
    CHECK_INT(db_wait(waiter, 7, me, stop[0], 60000000, &e), 0);
    db_close(third);
    db_close(waiter);
    db_close(db);
}

static void *end_soon(void *arg) {
    int64_t pid = *(int64_t *)arg;
    return end_from_outside(&pid);
}

TEST(pg_a_wait_whose_connection_is_lost_says_so) {
    struct db *db = pg_open_new();
    struct err e;
    int64_t pid = 0;
    pthread_t thread;
    CHECK(db_int(db, &pg_all[PID], &pid, &e) == 1);
    CHECK_INT(db_wait(db, 7, me, -1, 1000, &e), 1);
    CHECK(pthread_create(&thread, NULL, end_soon, &pid) == 0);
    CHECK(db_wait(db, 7, me, -1, 10000000, &e) == -1 && e.code == ERR_RETRY);
    pthread_join(thread, NULL);
    CHECK_INT(db_wait(db, 7, me, -1, 1000, &e), 1);
    db_close(db);
}

/* ---- what the planner knows ---- */
static struct stmt planner[] = {
    STMT(test_rows_known, "SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = to_regclass('grown')"),
    STMT(test_sites_known, "SELECT count(*) FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'grown' AND attname = 'site'"),
};

static int64_t known(struct db *db, size_t i) {
    int64_t n = -2;
    struct err e;
    CHECK(db_int_n(db, &planner[i], NULL, 0, &n, &e) == 1);
    return n;
}

TEST(pg_the_planner_hears_of_a_table_that_has_doubled_and_nothing_of_the_site) {
    struct db *db = pg_open_new();
    struct err e;
    stmt_register(planner, COUNT(planner));
    CHECK(db_script(db, STR("CREATE TABLE grown (site {int} NOT NULL, n {int} NOT NULL)"), &e) == 0);
    CHECK(db_plan(db, &e) == 0 && db_plan(db, &e) == 0);
    CHECK(db_checkpoint(db, NULL, &e) == 0);
    CHECK_INT(known(db, 0), -1);
    CHECK(db_script(db, STR("INSERT INTO grown SELECT 7, n FROM generate_series(1, 20000) n"), &e) == 0);
    CHECK(db_checkpoint(db, NULL, &e) == 0);
    CHECK_INT(known(db, 0), 20000);
    CHECK_INT(known(db, 1), 0);
    CHECK(db_script(db, STR("INSERT INTO grown SELECT 8, n FROM generate_series(1, 5000) n"), &e) == 0);
    CHECK(db_checkpoint(db, NULL, &e) == 0);
    CHECK_INT(known(db, 0), 20000);
    db_close(db);
}
