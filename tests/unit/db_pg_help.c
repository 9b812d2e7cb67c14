#include "db_pg_help.h"

#include <unistd.h>

struct stmt pg_all[] = {
    STMT(pg_put, "INSERT INTO v(n, i, r, t, b, id) VALUES($1, $2, $3, $4, $5, $6)"),
    STMT(pg_get, "SELECT i, r, t, b, id, n FROM v WHERE n = $1"),
    STMT(pg_list, "SELECT n, t FROM v ORDER BY n"),
    STMT(pg_by_text, "SELECT t FROM v ORDER BY t"),
    STMT(pg_by_id, "SELECT n FROM v WHERE id = $1"),
    STMT(pg_count, "SELECT count(*) FROM v"),
    STMT(pg_from, "UPDATE v SET i = i + 1 WHERE n >= $1"),
    STMT(pg_set, "UPDATE v SET t = $2 WHERE n = $1"),
    STMT(pg_lock, "SELECT t FROM v WHERE n = $1 {for_update}"),
    STMT(pg_page, "SELECT n FROM v ORDER BY n LIMIT $1"),
    STMT(pg_length, "SELECT n FROM v WHERE length(t) = $1 ORDER BY n"),
    STMT(pg_gap, "SELECT t FROM v WHERE n = $2"),
    STMT(pg_swapped, "SELECT $2, $1, $2"),
    STMT(pg_lower, "SELECT CASE WHEN $1 {bytewise} < $2 THEN 1 ELSE 0 END"),
    STMT(pg_upsert, "INSERT INTO u(k, n) VALUES($1, 1) ON CONFLICT(k) DO UPDATE SET n = u.n + 1 RETURNING n"),
    STMT(pg_add_u, "INSERT INTO u(k, n) VALUES($1, $2)"),
    STMT(pg_pid, "SELECT pg_backend_pid()"),
    STMT(pg_end, "SELECT CAST(pg_terminate_backend(CAST($1 AS int4)) AS int4)"),
    STMT(pg_many, "SELECT g FROM generate_series(CAST(1 AS BIGINT), $1) AS g"),
};

/* A schema of its own for each test: they do not see each other. */
const char *pg_url(void) {
    static char text[512];
    const char *base = getenv("LF_TEST_DB");
    if (!base) exit(0);
    snprintf(text, sizeof text, "%s%coptions=-csearch_path%%3Dunit_%d", base, strchr(base, '?') ? '&' : '?', (int)getpid());
    return text;
}

struct db *pg_open_as(enum db_mode mode) {
    struct db *db;
    struct err e;
    if (db_open(pg_url(), mode, &db, &e)) unit_fail(__FILE__, __LINE__, "%s", e.arg[0]);
    return db;
}

static void drop(void) {
    struct db *db = pg_open_as(DB_WRITE);
    struct err e;
    char sql[80];
    snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS unit_%d CASCADE", (int)getpid());
    db_script(db, str_z(sql), &e);
    db_close(db);
}

struct db *pg_open_new(void) {
    struct db *db = pg_open_as(DB_CREATE);
    struct err e;
    char sql[80];
    stmt_register(pg_all, COUNT(pg_all));
    snprintf(sql, sizeof sql, "CREATE SCHEMA unit_%d", (int)getpid());
    CHECK(db_script(db, str_z(sql), &e) == 0);
    atexit(drop);
    CHECK(db_script(db,
                    STR("CREATE TABLE v(n {int} PRIMARY KEY, i {int}, r {real}, t {text}, b {blob}, id {id});"
                        "CREATE TABLE u(k {text} PRIMARY KEY, n {int} NOT NULL CHECK (n < 1000)){clustered}"),
                    &e) == 0);
    return db;
}

void pg_put(struct db *db, int64_t n) {
    struct err e;
    CHECK(db_run(db, &pg_all[PUT], &e, VINT(n), VINT(n), VNULL, VTEXTZ("row"), VNULL, VNULL) == 0);
}

int64_t pg_count(struct db *db) {
    struct err e;
    int64_t n = -1;
    CHECK_INT(db_int(db, &pg_all[COUNT_V], &n, &e), 1);
    return n;
}

void pg_end_connection(struct db *by, struct db *db) {
    struct err e;
    int64_t pid = 0, done = 0;
    CHECK(db_int(db, &pg_all[PID], &pid, &e) == 1);
    CHECK(db_int(by, &pg_all[END], &done, &e, VINT(pid)) == 1 && done == 1);
    usleep(50000);
}
