/* Raw rows on PostgreSQL, in a schema of the site's database: tables LIKE the program's with all their indexes, prepared statements with
 * binary values.  A group is sent as one pipeline and is over when its COMMIT is answered: one round trip. */
#include <libpq-fe.h>

#include "bench/raw_stmts.h"

#define SCHEMA "lianfang_bench"

struct table {
    const char *name; /* of the statement, too */
    PGresult *rows;
};
struct writing {
    PGconn *c;
    struct table rows, journal;
};

static int said(const struct writing *w, const char *what, struct err *e) {
    return err_set(e, ERR_DB, NULL, M_FILE, what, PQerrorMessage(w->c));
}

static int checked(const struct writing *w, PGresult *r, const char *what, struct err *e) {
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    PQclear(r);
    return ok ? 0 : said(w, what, e);
}

static int run(const struct writing *w, const char *sql, struct err *e) {
    return checked(w, PQexec(w->c, sql), sql, e);
}

static int make_table(const struct writing *w, struct table *t, const struct raw_plan *plan, bool journal, struct err *e) {
    char sql[RAW_SQL], table[100];
    Oid types[RAW_COLUMNS_MOST];
    t->rows = PQexecParams(w->c, raw_select(sql, plan, journal), 0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(t->rows) != PGRES_TUPLES_OK) return said(w, sql, e);
    int columns = PQnfields(t->rows);
    INVARIANT(columns <= RAW_COLUMNS_MOST);
    t->name = journal ? "journal" : plan->kind;
    snprintf(table, sizeof table, SCHEMA ".%s", t->name);
    snprintf(sql, sizeof sql, "CREATE TABLE %s (LIKE %s INCLUDING ALL)", table, t->name);
    TRY(run(w, sql, e));
    for (size_t i = 0; !journal && raw_index(sql, table, plan, i); i++) TRY(run(w, sql, e));
    for (int i = 0; i < columns; i++) types[i] = PQftype(t->rows, i);
    return checked(w, PQprepare(w->c, t->name, raw_insert(sql, SCHEMA, t->name, columns, true), columns, types), sql, e);
}

static int send(const struct writing *w, const char *statement, int n, const char *const *v, const int *lengths, const int *formats, struct err *e) {
    return PQsendQueryPrepared(w->c, statement, n, v, lengths, formats, 0) ? 0 : said(w, statement, e);
}

static int send_row(const struct writing *w, const struct table *t, int row, struct err *e) {
    const char *v[RAW_COLUMNS_MOST];
    int lengths[RAW_COLUMNS_MOST], formats[RAW_COLUMNS_MOST], n = PQnfields(t->rows);
    for (int i = 0; i < n; i++) {
        bool null = PQgetisnull(t->rows, row, i);
        v[i] = null ? NULL : PQgetvalue(t->rows, row, i);
        lengths[i] = null ? 0 : PQgetlength(t->rows, row, i);
        formats[i] = 1;
    }
    return send(w, t->name, n, v, lengths, formats, e);
}

static int wait_for_all(const struct writing *w, struct err *e) {
    if (!PQpipelineSync(w->c)) return said(w, "sync", e);
    for (bool over = false; !over;) {
        PGresult *r = PQgetResult(w->c);
        over = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
        bool ok = !r || over || PQresultStatus(r) == PGRES_COMMAND_OK;
        PQclear(r);
        if (!ok || PQstatus(w->c) != CONNECTION_OK) return said(w, "insert", e);
    }
    return 0;
}

static int write_group(void *engine, const struct raw_group *g, struct err *e) {
    struct writing *w = engine;
    TRY(send(w, "begin", 0, NULL, NULL, NULL, e));
    for (int row = g->row, entry = g->entry; row < g->row_end || entry < g->entry_end; row++, entry++) {
        if (row < g->row_end) TRY(send_row(w, &w->rows, row, e));
        if (entry < g->entry_end) TRY(send_row(w, &w->journal, entry, e));
    }
    TRY(send(w, "commit", 0, NULL, NULL, NULL, e));
    return wait_for_all(w, e);
}

static int connect_to(struct writing *w, const char *address, struct err *e) {
    w->c = PQconnectdb(address);
    if (PQstatus(w->c) != CONNECTION_OK) return said(w, "PostgreSQL", e);
    return run(w, "SET client_min_messages = error", e);
}

static int measure(struct writing *w, const struct raw_plan *plan, struct raw_result *ret, struct err *e) {
    TRY(connect_to(w, plan->address, e));
    TRY(run(w, "DROP SCHEMA IF EXISTS " SCHEMA " CASCADE", e));
    TRY(run(w, "CREATE SCHEMA " SCHEMA, e));
    TRY(make_table(w, &w->rows, plan, false, e));
    TRY(make_table(w, &w->journal, plan, true, e));
    TRY(checked(w, PQprepare(w->c, "begin", "BEGIN", 0, NULL), "begin", e));
    TRY(checked(w, PQprepare(w->c, "commit", "COMMIT", 0, NULL), "commit", e));
    if (!PQenterPipelineMode(w->c)) return said(w, "pipeline", e);
    return raw_measure(&(struct raw_rows){plan, PQntuples(w->rows.rows), PQntuples(w->journal.rows), write_group, NULL, w}, ret, e);
}

int raw_pg(const struct raw_plan *plan, struct raw_result *ret, struct err *e) {
    struct writing w = {0};
    int r = measure(&w, plan, ret, e);
    PQclear(w.rows.rows);
    PQclear(w.journal.rows);
    PQfinish(w.c);
    raw_clear(plan->address);
    return r;
}

void raw_clear(const char *address) {
    struct writing w = {0};
    struct err ignored;
    if (connect_to(&w, address, &ignored) == 0) run(&w, "DROP SCHEMA IF EXISTS " SCHEMA " CASCADE", &ignored);
    PQfinish(w.c);
}
