/* Raw rows on SQLite: an empty database beside the site's, prepared statements, synchronous = FULL. */
#include <sqlite3.h>
#include <unistd.h>

#include "bench/raw_stmts.h"

struct row {
    sqlite3_value *v[RAW_COLUMNS_MOST];
};
struct table {
    struct row *rows;
    int n, columns;
    sqlite3_stmt *insert;
};
struct writing {
    sqlite3 *from, *db;
    sqlite3_stmt *begin, *commit;
    struct table rows, journal;
};

static int said(sqlite3 *db, const char *what, struct err *e) {
    return err_set(e, ERR_DB, NULL, M_FILE, what, sqlite3_errmsg(db));
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *e) {
    return sqlite3_prepare_v2(db, sql, -1, ret, NULL) ? said(db, sql, e) : 0;
}

static int run(sqlite3 *db, const char *sql, struct err *e) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) ? said(db, sql, e) : 0;
}

static int step(sqlite3 *db, sqlite3_stmt *st, struct err *e) {
    int r = sqlite3_step(st);
    sqlite3_reset(st);
    return r == SQLITE_DONE ? 0 : said(db, sqlite3_sql(st), e);
}

static int read_rows(sqlite3 *db, const char *sql, struct table *t, struct err *e) {
    sqlite3_stmt *st;
    TRY(prepare(db, sql, &st, e));
    t->columns = sqlite3_column_count(st);
    t->rows = calloc(RAW_ROWS_MOST, sizeof *t->rows);
    INVARIANT(t->rows && t->columns <= RAW_COLUMNS_MOST);
    while (t->n < RAW_ROWS_MOST && sqlite3_step(st) == SQLITE_ROW) {
        for (int i = 0; i < t->columns; i++) t->rows[t->n].v[i] = sqlite3_value_dup(sqlite3_column_value(st, i));
        t->n++;
    }
    return sqlite3_finalize(st) ? said(db, sql, e) : 0;
}

static int copy_schema(sqlite3 *from, sqlite3 *to, struct err *e) {
    sqlite3_stmt *st;
    int r = 0;
    TRY(prepare(from, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid", &st, e));
    while (r == 0 && sqlite3_step(st) == SQLITE_ROW) r = run(to, (const char *)sqlite3_column_text(st, 0), e);
    sqlite3_finalize(st);
    return r;
}

static int insert(sqlite3 *db, struct table *t, int i, struct err *e) {
    for (int c = 0; c < t->columns; c++) sqlite3_bind_value(t->insert, c + 1, t->rows[i].v[c]);
    return step(db, t->insert, e);
}

static int write_group(void *engine, const struct raw_group *g, struct err *e) {
    struct writing *w = engine;
    TRY(step(w->db, w->begin, e));
    for (int row = g->row, entry = g->entry; row < g->row_end || entry < g->entry_end; row++, entry++) {
        if (row < g->row_end) TRY(insert(w->db, &w->rows, row, e));
        if (entry < g->entry_end) TRY(insert(w->db, &w->journal, entry, e));
    }
    return step(w->db, w->commit, e);
}

static int checkpoint(void *engine, struct err *e) {
    return run(((struct writing *)engine)->db, "PRAGMA wal_checkpoint(PASSIVE)", e);
}

static int open_both(struct writing *w, const char *path, const char *copy, struct err *e) {
    /* A server counts its memory no more than the site's own connections do. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (sqlite3_open_v2(path, &w->from, SQLITE_OPEN_READONLY, NULL)) return said(w->from, path, e);
    unlink(copy);
    if (sqlite3_open(copy, &w->db)) return said(w->db, copy, e);
    TRY(run(w->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 20000", e));
    return copy_schema(w->from, w->db, e);
}

static int measure(struct writing *w, const struct raw_plan *plan, struct raw_result *ret, struct err *e) {
    char sql[RAW_SQL];
    TRY(read_rows(w->from, raw_select(sql, plan, false), &w->rows, e));
    TRY(read_rows(w->from, raw_select(sql, plan, true), &w->journal, e));
    TRY(prepare(w->db, raw_insert(sql, "main", plan->kind, w->rows.columns, false), &w->rows.insert, e));
    TRY(prepare(w->db, raw_insert(sql, "main", "journal", w->journal.columns, false), &w->journal.insert, e));
    for (size_t i = 0; raw_index(sql, plan->kind, plan, i); i++) TRY(run(w->db, sql, e));
    TRY(prepare(w->db, "BEGIN IMMEDIATE", &w->begin, e));
    TRY(prepare(w->db, "COMMIT", &w->commit, e));
    return raw_measure(&(struct raw_rows){plan, w->rows.n, w->journal.n, write_group, checkpoint, w}, ret, e);
}

int raw_sqlite(const struct raw_plan *plan, struct raw_result *ret, struct err *e) {
    struct writing w = {0};
    char copy[600];
    snprintf(copy, sizeof copy, "%s/raw.db", plan->dir);
    int r = open_both(&w, plan->address, copy, e);
    if (r == 0) r = measure(&w, plan, ret, e);
    /* The last connection that closes takes the -wal and -shm files away; its process ends, and with it what was read. */
    sqlite3_stmt *const all[] = {w.begin, w.commit, w.rows.insert, w.journal.insert};
    for (size_t i = 0; i < COUNT(all); i++) sqlite3_finalize(all[i]);
    sqlite3_close(w.db);
    sqlite3_close(w.from);
    unlink(copy);
    return r;
}
