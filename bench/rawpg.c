/* bench-rawpg DIR KIND GROUP [copy]: raw rows (bench.h) on PostgreSQL, in the schema `raw` of the site's database: tables LIKE the program's
 * with all their indexes, prepared statements with binary values.  A group is sent as one pipeline and is over when its COMMIT is answered: one
 * round trip.  With `copy` a group is two COPY, rows and journal, in binary: the least that the server can be asked to do for them. */
#include <libpq-fe.h>

#include "bench.h"
#include "core/site.h"

struct table {
    PGresult *rows;
    const char *insert, *copy;
};
struct writing {
    PGconn *c;
    struct table rows, journal;
    struct buf out;
};

static void check(PGconn *c, PGresult *r, ExecStatusType wanted, const char *what) {
    if (PQresultStatus(r) != wanted) bench_fail("%s: %s", what, PQerrorMessage(c));
    PQclear(r);
}

static void run(PGconn *c, const char *sql) {
    check(c, PQexec(c, sql), PGRES_COMMAND_OK, sql);
}

static void read_rows(PGconn *c, enum load l, bool journal, struct table *t) {
    char sql[RAW_SQL];
    raw_select(sql, l, journal);
    t->rows = PQexecParams(c, sql, 0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(t->rows) != PGRES_TUPLES_OK) bench_fail("%s: %s", sql, PQerrorMessage(c));
    if (PQnfields(t->rows) > RAW_COLUMNS_MOST) bench_fail("%s: too many columns", sql);
}

static void make_table(PGconn *c, const char *name) {
    char sql[RAW_SQL];
    snprintf(sql, sizeof sql, "CREATE TABLE raw.%s (LIKE %s INCLUDING ALL)", name, name);
    run(c, sql);
}

/* Each statement bears the name of its table. */
static void prepare_insert(PGconn *c, const char *name, struct table *t) {
    char sql[RAW_SQL];
    Oid types[RAW_COLUMNS_MOST];
    int columns = PQnfields(t->rows), n = snprintf(sql, sizeof sql, "INSERT INTO raw.%s VALUES (", name);
    for (int i = 0; i < columns; i++) {
        types[i] = PQftype(t->rows, i);
        n += snprintf(sql + n, sizeof sql - (size_t)n, "%s$%d", i ? "," : "", i + 1);
    }
    snprintf(sql + n, sizeof sql - (size_t)n, ")");
    check(c, PQprepare(c, name, sql, columns, types), PGRES_COMMAND_OK, sql);
    t->insert = name;
}

static void send(PGconn *c, const char *statement, int n, const char *const *v, const int *lengths, const int *formats) {
    if (!PQsendQueryPrepared(c, statement, n, v, lengths, formats, 0)) bench_fail("%s: %s", statement, PQerrorMessage(c));
}

static void send_row(PGconn *c, const struct table *t, int row) {
    const char *v[RAW_COLUMNS_MOST];
    int lengths[RAW_COLUMNS_MOST], formats[RAW_COLUMNS_MOST], n = PQnfields(t->rows);
    for (int i = 0; i < n; i++) {
        bool null = PQgetisnull(t->rows, row, i);
        v[i] = null ? NULL : PQgetvalue(t->rows, row, i);
        lengths[i] = null ? 0 : PQgetlength(t->rows, row, i);
        formats[i] = 1;
    }
    send(c, t->insert, n, v, lengths, formats);
}

static void wait_for_all(PGconn *c) {
    if (!PQpipelineSync(c)) bench_fail("sync: %s", PQerrorMessage(c));
    for (bool over = false; !over;) {
        PGresult *r = PQgetResult(c);
        over = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
        if (r && !over && PQresultStatus(r) != PGRES_COMMAND_OK) bench_fail("insert: %s", PQerrorMessage(c));
        PQclear(r);
    }
}

static void insert_group(void *engine, const struct raw_group *g) {
    struct writing *w = engine;
    send(w->c, "begin", 0, NULL, NULL, NULL);
    for (int row = g->row, entry = g->entry; row < g->row_end || entry < g->entry_end; row++, entry++) {
        if (row < g->row_end) send_row(w->c, &w->rows, row);
        if (entry < g->entry_end) send_row(w->c, &w->journal, entry);
    }
    send(w->c, "commit", 0, NULL, NULL, NULL);
    wait_for_all(w->c);
}

/* ---- COPY ---- */

static void add_number(struct buf *to, uint32_t v, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) buf_addc(to, (char)(v >> shift));
}

static void add_row(struct buf *to, const PGresult *rows, int row) {
    int columns = PQnfields(rows);
    add_number(to, (uint32_t)columns, 2);
    for (int i = 0; i < columns; i++) {
        if (PQgetisnull(rows, row, i)) {
            add_number(to, UINT32_MAX, 4);
            continue;
        }
        struct str v = {PQgetvalue(rows, row, i), (size_t)PQgetlength(rows, row, i)};
        add_number(to, (uint32_t)v.n, 4);
        buf_add_str(to, v);
    }
}

static void copy_rows(struct writing *w, const struct table *t, int from, int to) {
    buf_clear(&w->out);
    buf_add_str(&w->out, STR("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"));
    for (int i = from; i < to; i++) add_row(&w->out, t->rows, i);
    add_number(&w->out, UINT16_MAX, 2);
    check(w->c, PQexec(w->c, t->copy), PGRES_COPY_IN, t->copy);
    if (PQputCopyData(w->c, w->out.p, (int)w->out.n) != 1 || PQputCopyEnd(w->c, NULL) != 1) bench_fail("copy: %s", PQerrorMessage(w->c));
    check(w->c, PQgetResult(w->c), PGRES_COMMAND_OK, t->copy);
    PQclear(PQgetResult(w->c));
}

static void copy_group(void *engine, const struct raw_group *g) {
    struct writing *w = engine;
    run(w->c, "BEGIN");
    copy_rows(w, &w->rows, g->row, g->row_end);
    if (g->entry < g->entry_end) copy_rows(w, &w->journal, g->entry, g->entry_end);
    run(w->c, "COMMIT");
}

/* ---- */

static PGconn *connect_to(const char *dir) {
    char address[SITE_ADDRESS];
    struct err e;
    if (site_address(dir, NULL, address, &e) || !db_is_server(address)) bench_fail("%s is not a site on a server", dir);
    PGconn *c = PQconnectdb(address);
    if (PQstatus(c) != CONNECTION_OK) bench_fail("%s", PQerrorMessage(c));
    return c;
}

static void prepare(struct writing *w, const char *kind, enum load l) {
    static char copy[128];
    run(w->c, "SET client_min_messages = error");
    run(w->c, "DROP SCHEMA IF EXISTS raw CASCADE");
    run(w->c, "CREATE SCHEMA raw");
    make_table(w->c, kind);
    make_table(w->c, "journal");
    read_rows(w->c, l, false, &w->rows);
    read_rows(w->c, l, true, &w->journal);
    prepare_insert(w->c, kind, &w->rows);
    prepare_insert(w->c, "journal", &w->journal);
    check(w->c, PQprepare(w->c, "begin", "BEGIN", 0, NULL), PGRES_COMMAND_OK, "begin");
    check(w->c, PQprepare(w->c, "commit", "COMMIT", 0, NULL), PGRES_COMMAND_OK, "commit");
    snprintf(copy, sizeof copy, "COPY raw.%s FROM STDIN (FORMAT binary)", kind);
    w->rows.copy = copy;
    w->journal.copy = "COPY raw.journal FROM STDIN (FORMAT binary)";
}

int main(int argc, char **argv) {
    struct writing w = {.out = BUF(1 << 30)};
    int64_t group;
    enum load l;
    bool copy = argc == 5 && strcmp(argv[4], "copy") == 0;
    if ((argc != 4 && !copy) || !load_from(argv[2], &l) || !str_to_int(str_z(argv[3]), 1, 100000, &group))
        bench_fail("usage: bench-rawpg DIR KIND GROUP [copy]");
    w.c = connect_to(argv[1]);
    prepare(&w, argv[2], l);
    if (!copy && !PQenterPipelineMode(w.c)) bench_fail("no pipeline: %s", PQerrorMessage(w.c));
    raw_measure(&(struct raw){l, PQntuples(w.rows.rows), PQntuples(w.journal.rows), copy ? copy_group : insert_group, NULL, &w}, (int)group);
    if (!copy) PQexitPipelineMode(w.c);
    run(w.c, "DROP SCHEMA raw CASCADE");
    PQclear(w.rows.rows);
    PQclear(w.journal.rows);
    buf_release(&w.out);
    PQfinish(w.c);
    return 0;
}
