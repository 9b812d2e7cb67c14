/* bench-raw DIR KIND GROUP: the limit of the engine.  The rows of KIND that the site in DIR holds, with the journal entries that were
 * written for them, are read into memory and inserted again into an empty database of the same tables and indexes: prepared
 * statements, GROUP commands a transaction, synchronous = FULL, one thread, nothing else.  The first half goes in without being
 * measured, so that the tables are not small.  Tallies are left out: they are work of the program. */
#include <sqlite3.h>
#include <unistd.h>

#include "base/day.h"
#include "bench.h"

enum { ROWS_MOST = 200000, COLUMNS_MOST = 64 };

struct row {
    sqlite3_value *v[COLUMNS_MOST];
};
struct table {
    struct row *rows;
    int n, columns;
    sqlite3_stmt *insert;
};

static void check(sqlite3 *db, int rc, const char *what) {
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) bench_fail("%s: %s", what, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql) {
    sqlite3_stmt *st;
    check(db, sqlite3_prepare_v2(db, sql, -1, &st, NULL), sql);
    return st;
}

static void run(sqlite3 *db, const char *sql) {
    check(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static void read_rows(sqlite3 *db, const char *sql, struct table *t) {
    sqlite3_stmt *st = prepared(db, sql);
    t->columns = sqlite3_column_count(st);
    t->rows = calloc(ROWS_MOST, sizeof *t->rows);
    INVARIANT(t->rows && t->columns <= COLUMNS_MOST);
    while (t->n < ROWS_MOST && sqlite3_step(st) == SQLITE_ROW) {
        for (int i = 0; i < t->columns; i++) t->rows[t->n].v[i] = sqlite3_value_dup(sqlite3_column_value(st, i));
        t->n++;
    }
    sqlite3_finalize(st);
}

static void copy_schema(sqlite3 *from, sqlite3 *to) {
    sqlite3_stmt *st = prepared(from, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid");
    while (sqlite3_step(st) == SQLITE_ROW) run(to, (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
}

static void prepare_insert(sqlite3 *db, const char *table, struct table *t) {
    char sql[1000];
    int n = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?", table);
    for (int i = 1; i < t->columns; i++) n += snprintf(sql + n, sizeof sql - (size_t)n, ",?");
    snprintf(sql + n, sizeof sql - (size_t)n, ")");
    t->insert = prepared(db, sql);
}

static void insert(sqlite3 *db, struct table *t, int i) {
    for (int c = 0; c < t->columns; c++) sqlite3_bind_value(t->insert, c + 1, t->rows[i].v[c]);
    check(db, sqlite3_step(t->insert), "insert");
    sqlite3_reset(t->insert);
}

struct writing {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit;
    struct table rows, journal;
    int row, entry;
    bool log; /* an append-only kind has an entry for each transaction, any other one for each row */
};

static void step_once(struct writing *w, sqlite3_stmt *st, const char *what) {
    check(w->db, sqlite3_step(st), what);
    sqlite3_reset(st);
}

static void write_group(struct writing *w, int group) {
    step_once(w, w->begin, "begin");
    for (int end = MIN(w->row + group, w->rows.n); w->row < end; w->row++) {
        insert(w->db, &w->rows, w->row);
        if (!w->log && w->entry < w->journal.n) insert(w->db, &w->journal, w->entry++);
    }
    if (w->log && w->entry < w->journal.n) insert(w->db, &w->journal, w->entry++);
    step_once(w, w->commit, "commit");
}

static void measure(struct writing *w, int group) {
    while (w->row < w->rows.n / 2) write_group(w, MIN(1000, w->rows.n / 2 - w->row));
    run(w->db, "PRAGMA wal_checkpoint(PASSIVE)");
    int first = w->row;
    int64_t began = monotonic_us(), cpu = cpu_us();
    /* At a group of one the disk decides; that needs no more than some seconds. */
    while (w->row < w->rows.n && monotonic_us() - began < 3 * US_PER_SECOND) write_group(w, group);
    double n = w->row - first;
    say_real("per_second", n * 1e6 / (double)(monotonic_us() - began));
    say_real("cpu_us", (double)(cpu_us() - cpu) / n);
    say_int("rows", w->row - first);
}

int main(int argc, char **argv) {
    char path[600], copy[600], sql[200];
    sqlite3 *from, *to;
    int64_t group;
    enum load l;
    struct writing w = {0};
    if (argc != 4 || !load_from(argv[2], &l) || !str_to_int(str_z(argv[3]), 1, 100000, &group)) bench_fail("usage: bench-raw DIR KIND GROUP");
    snprintf(path, sizeof path, "%s/lianfang.db", argv[1]);
    snprintf(copy, sizeof copy, "%s/raw.db", argv[1]);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    check(NULL, sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY, NULL), path);
    unlink(copy);
    check(NULL, sqlite3_open(copy, &to), copy);
    run(to, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 20000");
    copy_schema(from, to);
    snprintf(sql, sizeof sql, "SELECT * FROM (SELECT * FROM %s ORDER BY site, id DESC LIMIT %d) ORDER BY id", argv[2], ROWS_MOST);
    read_rows(from, sql, &w.rows);
    snprintf(sql, sizeof sql, "SELECT * FROM (SELECT * FROM journal WHERE kind = '%s' ORDER BY seq DESC LIMIT %d) ORDER BY seq", argv[2], ROWS_MOST);
    read_rows(from, sql, &w.journal);
    if (w.rows.n < 2 || w.journal.n == 0) bench_fail("%s holds no %s: run bench-core or a load first", argv[1], argv[2]);
    w.db = to;
    w.log = l == LOAD_SCAN;
    prepare_insert(to, argv[2], &w.rows);
    prepare_insert(to, "journal", &w.journal);
    w.begin = prepared(to, "BEGIN IMMEDIATE");
    w.commit = prepared(to, "COMMIT");
    measure(&w, (int)group);
    /* The last connection that closes takes the -wal and -shm files away. */
    sqlite3_stmt *const all[] = {w.begin, w.commit, w.rows.insert, w.journal.insert};
    for (size_t i = 0; i < COUNT(all); i++) sqlite3_finalize(all[i]);
    check(to, sqlite3_close(to), "close");
    check(from, sqlite3_close(from), "close");
    unlink(copy);
    return 0;
}
