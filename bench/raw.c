/* bench-raw DIR KIND GROUP: raw rows (bench.h) on SQLite, in an empty database beside the site's: prepared statements, synchronous = FULL. */
#include <sqlite3.h>
#include <unistd.h>

#include "base/day.h"
#include "bench.h"

struct row {
    sqlite3_value *v[RAW_COLUMNS_MOST];
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
    t->rows = calloc(RAW_ROWS_MOST, sizeof *t->rows);
    INVARIANT(t->rows && t->columns <= RAW_COLUMNS_MOST);
    while (t->n < RAW_ROWS_MOST && sqlite3_step(st) == SQLITE_ROW) {
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
};

static void step_once(struct writing *w, sqlite3_stmt *st, const char *what) {
    check(w->db, sqlite3_step(st), what);
    sqlite3_reset(st);
}

static void write_group(void *engine, const struct raw_group *g) {
    struct writing *w = engine;
    step_once(w, w->begin, "begin");
    for (int row = g->row, entry = g->entry; row < g->row_end || entry < g->entry_end; row++, entry++) {
        if (row < g->row_end) insert(w->db, &w->rows, row);
        if (entry < g->entry_end) insert(w->db, &w->journal, entry);
    }
    step_once(w, w->commit, "commit");
}

static void checkpoint(void *engine) {
    run(((struct writing *)engine)->db, "PRAGMA wal_checkpoint(PASSIVE)");
}

int main(int argc, char **argv) {
    char path[600], copy[600], sql[RAW_SQL];
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
    raw_select(sql, l, false);
    read_rows(from, sql, &w.rows);
    raw_select(sql, l, true);
    read_rows(from, sql, &w.journal);
    w.db = to;
    prepare_insert(to, argv[2], &w.rows);
    prepare_insert(to, "journal", &w.journal);
    w.begin = prepared(to, "BEGIN IMMEDIATE");
    w.commit = prepared(to, "COMMIT");
    raw_measure(&(struct raw){l, w.rows.n, w.journal.n, write_group, checkpoint, &w}, (int)group);
    /* The last connection that closes takes the -wal and -shm files away. */
    sqlite3_stmt *const all[] = {w.begin, w.commit, w.rows.insert, w.journal.insert};
    for (size_t i = 0; i < COUNT(all); i++) sqlite3_finalize(all[i]);
    check(to, sqlite3_close(to), "close");
    check(from, sqlite3_close(from), "close");
    unlink(copy);
    return 0;
}
