/* The PostgreSQL engine: statements, rows, transactions.
 *
 * A query fetches its whole result, so results of different statements can be open at once and statements can run between their rows.  A stream is a
 * cursor of the transaction.  What a transaction sends without asking for an answer is collected with the next answer it asks for. */
#include "db_pg.h"

#include <poll.h>

#include "base/buf.h"

static const int64_t PLANS_FIRST_US = 1000000, PLANS_MOST_US = 60000000;
enum { FETCH_ROWS = 1000, SCHEMA_LOCK = 0x6c66 };
#define FETCH_ROWS_TEXT "1000"

struct pg_rows {
    struct rows base;
    const char *name;
    PGresult *r;
    struct pg_answer *foreseen; /* r is part of it */
    int row, end;    /* of r; row + 1 is the next one */
    unsigned cursor; /* 0: a query */
    unsigned epoch;
};

static struct pg_rows *pr(struct rows *r) {
    return (struct pg_rows *)r;
}

static PGresult *take_kept(struct pg_db *db) {
    INVARIANT(db->kept);
    return TAKE(db->kept);
}

/* ---- statements ---- */
static int values(struct pg_db *db, const struct stmt *s, const struct val *v, size_t n, const struct pg_shape **ret, struct err *e) {
    TRY(pg_shape_get(db, s, ret, e));
    INVARIANT(n >= (*ret)->n);
    return pg_encode(&db->params, s->name, *ret, v, e);
}

static int pg_run(struct db *base, const struct stmt *s, const struct val *v, size_t n, int64_t *ret_changed, struct err *e) {
    struct pg_db *db = pg(base);
    const struct pg_shape *shape;
    TRY(pg_ready(db, e));
    bool many = s->many && base->tx == TX_WRITE && !ret_changed;
    TRY(values(db, s, v, n, &shape, e));
    if (many) TRY(pg_hold(db, s, shape, v, e));
    else TRY(pg_send_stmt(db, ret_changed ? SENT_KEEP : SENT_RUN, s, shape, e));
    if (base->tx == TX_WRITE && !ret_changed) return db->sent_n < PG_QUEUE ? 0 : pg_collect(db, e);
    TRY(pg_finish(db, e));
    if (!ret_changed) return 0;
    PGresult *r = take_kept(db);
    if (!str_to_int(str_z(PQcmdTuples(r)), 0, INT64_MAX, ret_changed)) *ret_changed = 0;
    PQclear(r);
    return 0;
}

static int pg_sync(struct db *base, struct err *e) {
    struct pg_db *db = pg(base);
    TRY(pg_ready(db, e));
    TRY(pg_send_held(db, e));
    return db->sent_n ? pg_finish(db, e) : 0;
}

static int pg_send(struct db *base, struct err *e) {
    struct pg_db *db = pg(base);
    TRY(pg_ready(db, e));
    TRY(pg_send_held(db, e));
    return pg_push(db, e);
}

/* ---- rows ---- */
static struct rows *rows_new(struct pg_db *db, const struct stmt *s, PGresult *result, unsigned cursor) {
    struct pg_rows *r = malloc(sizeof *r);
    INVARIANT(r);
    *r = (struct pg_rows){.base.db = &db->base, .name = s->name, .r = result, .row = -1, .end = PQntuples(result), .cursor = cursor, .epoch = db->epoch};
    return &r->base;
}

static int pg_query(struct db *base, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e) {
    struct pg_db *db = pg(base);
    const struct pg_shape *shape;
    struct pg_answer *foreseen;
    TRY(pg_ready(db, e));
    int is = pg_ahead_ask(db, s, v, n, &foreseen, e);
    if (is < 0) return -1;
    if (is) {
        int first, count;
        *ret = rows_new(db, s, pg_answer_result(foreseen, &first, &count), 0);
        pr(*ret)->foreseen = foreseen;
        pr(*ret)->row = first - 1;
        pr(*ret)->end = first + count;
        return 0;
    }
    TRY(values(db, s, v, n, &shape, e));
    TRY(pg_send_stmt(db, SENT_KEEP, s, shape, e));
    TRY(pg_finish(db, e));
    *ret = rows_new(db, s, take_kept(db), 0);
    return 0;
}

static int send_fetch(struct pg_db *db, unsigned cursor, const char *name, struct err *e) {
    char sql[64];
    snprintf(sql, sizeof sql, "FETCH FORWARD " FETCH_ROWS_TEXT " FROM c%u", cursor);
    return pg_send_text(db, SENT_KEEP, name, sql, e);
}

static int pg_stream(struct db *base, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e) {
    struct pg_db *db = pg(base);
    const struct pg_shape *shape;
    struct buf sql CLEANUP(buf_release) = BUF(PG_SQL_MOST);
    TRY(pg_ready(db, e));
    TRY(values(db, s, v, n, &shape, e));
    unsigned cursor = ++db->cursors;
    buf_addf(&sql, "DECLARE c%u NO SCROLL CURSOR FOR ", cursor);
    TRY(db_script_expand(postgres_engine.types, str_z(s->sql), &sql, e));
    TRY(pg_send_typed(db, s->name, buf_str(&sql).p, shape, e));
    TRY(send_fetch(db, cursor, s->name, e));
    TRY(pg_collect(db, e));
    *ret = rows_new(db, s, take_kept(db), cursor);
    return 0;
}

static int fetch(struct pg_rows *r, struct err *e) {
    struct pg_db *db = pg(r->base.db);
    TRY(pg_ready(db, e));
    TRY(send_fetch(db, r->cursor, r->name, e));
    TRY(pg_collect(db, e));
    PQclear(r->r);
    r->r = take_kept(db);
    r->row = -1;
    r->end = PQntuples(r->r);
    return 0;
}

static int pg_next(struct rows *base, struct err *e) {
    struct pg_rows *r = pr(base);
    if (r->cursor && r->row + 1 == FETCH_ROWS) TRY(fetch(r, e));
    if (r->row < r->end) r->row++;
    return r->row < r->end;
}

/* A cursor that a rollback has taken away must not be closed: that would be an error of the transaction. */
static void pg_done(struct rows *base) {
    struct pg_rows *r = pr(base);
    struct pg_db *db = pg(base->db);
    struct err ignored;
    char sql[32];
    snprintf(sql, sizeof sql, "CLOSE c%u", r->cursor);
    if (r->cursor && r->epoch == db->epoch && db->open && !db->first.code && !db->lost) {
        pg_send_text(db, SENT_RUN, r->name, sql, &ignored);
        if (db->sent_n >= PG_QUEUE) pg_collect(db, &ignored);
    }
    if (r->foreseen) pg_answer_drop(r->foreseen);
    else PQclear(r->r);
    free(r);
}

static PGresult *at_row(struct rows *base, int col) {
    struct pg_rows *r = pr(base);
    INVARIANT(r->row >= 0 && r->row < r->end && col >= 0 && col < PQnfields(r->r));
    return r->r;
}

static bool col_null(struct rows *r, int col) {
    return PQgetisnull(at_row(r, col), pr(r)->row, col);
}

static int64_t col_int(struct rows *r, int col) {
    return pg_get_int(at_row(r, col), pr(r)->row, col);
}

static double col_real(struct rows *r, int col) {
    return pg_get_real(at_row(r, col), pr(r)->row, col);
}

static struct str col_bytes(struct rows *r, int col) {
    return pg_get_bytes(at_row(r, col), pr(r)->row, col);
}

/* ---- transactions ---- */
/* A plan is kept from a statement's fifth run on.  In a new site that is a plan for empty tables, which reads all of the site once there is something in
 * it; so plans are made anew when the connection is 1, 2, 4 ... seconds old, and from then on each minute. */
static bool plans_due(struct pg_db *db) {
    int64_t now = pg_monotonic(), age = now - db->since;
    if (age < db->plans_at) return false;
    db->plans_at = age + MIN(MAX(age, PLANS_FIRST_US), PLANS_MOST_US);
    return age >= PLANS_FIRST_US;
}

static int begin(struct pg_db *db, const char *sql, struct err *e) {
    if (!db->committing) TRY(pg_ready(db, e));
    db->stands = false;
    db->epoch++;
    pg_held_drop(db);
    pg_ahead_clear(db);
    TRY(pg_send_text(db, SENT_RUN, "BEGIN", sql, e));
    db->open = true;
    return plans_due(db) ? pg_send_text(db, SENT_RUN, "DISCARD", "DISCARD PLANS", e) : 0;
}

static bool answers_are_due(const struct pg_db *db) {
    for (unsigned i = db->sent_at; i < db->sent_n; i++)
        if (db->sent[i].kind == SENT_AHEAD) return true;
    return false;
}

/* The answers to what was foreseen end with the transaction. */
static int pg_commit_send(struct db *base, struct err *e) {
    struct pg_db *db = pg(base);
    TRY(pg_ready(db, e));
    TRY(pg_ahead_send(db, e));
    if (answers_are_due(db)) TRY(pg_collect_sent(db, e));
    TRY(pg_send_commit(db, e));
    db->open = false;
    return 0;
}

/* What was lost behind COMMIT leaves open whether it was done. */
static int commit_result(struct pg_db *db, struct err *e) {
    if (db->committing) pg_take_commit(db);
    if (!db->uncommitted.code) return 0;
    *e = db->uncommitted;
    db->uncommitted = (struct err){0};
    db->open = true; /* what was skipped is to be ended */
    return -1;
}

static int pg_commit_end(struct db *base, struct err *e) {
    struct pg_db *db = pg(base);
    if (db->committing && db->fault_in && --db->fault_in == 0) db->lost = true;
    return commit_result(db, e);
}

static int commit(struct pg_db *db, struct err *e) {
    TRY(pg_commit_send(&db->base, e));
    return commit_result(db, e);
}

/* The end of a read transaction is not waited for: its results are collected by whoever uses the connection next. */
static int rollback(struct pg_db *db) {
    struct err ignored;
    if (!db->open) return 0;
    db->open = false;
    db->epoch++;
    pg_held_drop(db);
    /* An error of what was sent before must not make the server skip the ROLLBACK. */
    if (!db->lost && db->sent_n) pg_send_sync(db, &ignored);
    if (!db->lost && pg_send_text(db, SENT_RUN, "ROLLBACK", "ROLLBACK", &ignored) == 0) pg_send_sync(db, &ignored);
    if (!db->lost && db->base.tx != TX_READ) {
        pg_collect(db, &ignored);
        if (PQtransactionStatus(db->c) != PQTRANS_IDLE) db->lost = true;
    }
    db->first = (struct err){0};
    return 0;
}

static int savepoint(struct pg_db *db, struct err *e) {
    TRY(pg_ready(db, e));
    db->stands = false;
    return pg_send_text(db, SENT_SAVEPOINT, "SAVEPOINT", "SAVEPOINT s", e);
}

static int release(struct pg_db *db, struct err *e) {
    TRY(pg_ready(db, e));
    TRY(pg_send_text(db, SENT_RUN, "RELEASE", "RELEASE s", e));
    return pg_collect(db, e);
}

static int rollback_to(struct pg_db *db, struct err *e) {
    struct err undone;
    pg_held_drop(db);
    if (db->sent_n && !db->lost) TRY(pg_send_sync(db, e));
    if (pg_collect(db, &undone) && (!db->stands || db->lost)) {
        *e = undone;
        return -1;
    }
    db->first = (struct err){0};
    db->epoch++;
    pg_ahead_undo(db);
    TRY(pg_send_text(db, SENT_RUN, "ROLLBACK TO", "ROLLBACK TO s", e));
    return pg_collect(db, e);
}

static int pg_step(struct db *base, enum db_step step, struct err *e) {
    struct pg_db *db = pg(base);
    switch (step) {
    case STEP_BEGIN_READ: return begin(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e);
    case STEP_BEGIN_WRITE: return begin(db, "BEGIN ISOLATION LEVEL READ COMMITTED", e);
    case STEP_COMMIT: return commit(db, e);
    case STEP_ROLLBACK: return rollback(db);
    case STEP_SAVEPOINT: return savepoint(db, e);
    case STEP_RELEASE: return release(db, e);
    case STEP_ROLLBACK_TO: return rollback_to(db, e);
    case STEP__COUNT: break;
    }
    return 0;
}

static bool pg_in_transaction(struct db *base) {
    struct pg_db *db = pg(base);
    return db->open && !db->lost && (!db->first.code || (base->savepoint && db->stands));
}

/* ---- care ---- */
static int exec_text(struct pg_db *db, struct str text, struct err *e) {
    struct buf sql CLEANUP(buf_release) = BUF(PG_SQL_MOST);
    buf_add_str(&sql, text);
    if (sql.failed) return pg_fail_text("script", "a statement is too long", e);
    PGresult *r = PQexec(db->c, buf_str(&sql).p);
    ExecStatusType status = PQresultStatus(r);
    bool fine = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
    int result = fine ? 0 : pg_fail(db, "script", r, e);
    PQclear(r);
    return result;
}

/* One by one: Citus hands the text of a definition on as it came, and its nodes take one statement at a time. */
static int exec_script(struct pg_db *db, struct str sql, struct err *e) {
    if (!PQexitPipelineMode(db->c)) return pg_lose(db, "script", e);
    int result = 0;
    while (result == 0 && sql.n) {
        struct str one = db_script_cut(&sql);
        if (one.n) result = exec_text(db, one, e);
    }
    return !PQenterPipelineMode(db->c) && result == 0 ? pg_lose(db, "script", e) : result;
}

static int pg_script(struct db *base, const char *sql, struct err *e) {
    struct pg_db *db = pg(base);
    TRY(pg_ready(db, e));
    TRY(pg_send_sync(db, e));
    TRY(pg_collect(db, e));
    int result = exec_script(db, str_z(sql), e);
    if (result && db->open) db->first = *e;
    return result;
}

static int pg_check(struct db *base, const struct stmt *const *s, size_t n, struct err *e) {
    struct pg_db *db = pg(base);
    TRY(pg_ready(db, e));
    for (size_t i = 0; i < n; i++) {
        TRY(pg_send_describe(db, s[i], false, e));
        if (db->sent_n >= PG_QUEUE) TRY(pg_finish(db, e));
    }
    return pg_finish(db, e);
}

/* An internal question; its rows are in db->kept. */
static int ask(struct pg_db *db, const char *name, const char *sql, const char *const *args, int n, struct err *e) {
    TRY(pg_ready(db, e));
    TRY(pg_send_args(db, SENT_KEEP, name, sql, args, n, e));
    return pg_finish(db, e);
}

static int ask_whether(struct pg_db *db, const char *name, const char *sql, const char *const *args, int n, bool *ret, struct err *e) {
    TRY(ask(db, name, sql, args, n, e));
    *ret = PQntuples(db->kept) > 0;
    return 0;
}

static bool pg_table_exists(struct db *base, const char *table) {
    bool is = false;
    struct err ignored;
    return ask_whether(pg(base), "table", "SELECT 1 WHERE to_regclass(CAST($1 AS text)) IS NOT NULL", &table, 1, &is, &ignored) == 0 && is;
}

/* ---- what the planner knows ----
 *
 * A site the statistics have not seen is one row to the planner: it then walks all of the site for each row of the site, which for a new site of
 * 50,000 members is minutes.  Autovacuum comes a minute too late, and in a large database never: so nothing is known of `site`, which is then a
 * 200th of the table, and tables are looked at again when they have doubled. */
#define OUR_TABLES \
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = ''r'' AND a.attname = ''site'' " \
    "AND c.relnamespace = CAST(current_schema() AS regnamespace) "

static int pg_plan(struct db *base, struct err *e) {
    return pg_script(base, "DO 'DECLARE t regclass; BEGIN FOR t IN SELECT c.oid " OUR_TABLES "AND coalesce(a.attstattarget, -1) <> 0 ORDER BY c.oid LOOP "
                           "BEGIN EXECUTE format(''ALTER TABLE %s ALTER COLUMN site SET STATISTICS 0'', t); "
                           "EXCEPTION WHEN feature_not_supported THEN NULL; END; END LOOP; END'", e);
}

static int pg_checkpoint(struct db *base, int64_t *ret_pages UNUSED, struct err *e) {
    return pg_script(base, "DO 'DECLARE t regclass; BEGIN FOR t IN SELECT c.oid " OUR_TABLES
                           "AND pg_relation_size(c.oid) / 8192 >= 2 * greatest(c.relpages, 8) ORDER BY c.oid LOOP "
                           "EXECUTE format(''ANALYZE %s'', t); END LOOP; END'", e);
}

static int pg_backup(struct db *db UNUSED, const char *to_path UNUSED, struct err *e) {
    return pg_fail_text("backup", "a server is copied with lianfang backup", e);
}

/* The server guards its own pages; fsck reads every row. */
static int pg_integrity(struct db *db UNUSED, struct arena *a, struct str *ret, struct err *e UNUSED) {
    *ret = arena_str(a, STR("ok"));
    return 0;
}

static int pg_lock_schema(struct db *base, struct err *e) {
    char key[16];
    const char *arg = key;
    snprintf(key, sizeof key, "%d", SCHEMA_LOCK);
    return ask(pg(base), "lock_schema", "SELECT pg_advisory_xact_lock(CAST($1 AS bigint))", &arg, 1, e);
}

/* ---- servers ---- */
/* "SITE ID": of whom, from whom. */
static int pg_notify(struct db *base, int64_t site, struct id from, struct err *e) {
    struct pg_db *db = pg(base);
    char id[ID_TEXT], text[24 + ID_TEXT];
    const char *arg = text;
    snprintf(text, sizeof text, "%lld %s", (long long)site, id_text(from, id));
    TRY(pg_ready(db, e));
    TRY(pg_send_args(db, SENT_RUN, "notify", "SELECT pg_notify('lianfang', CAST($1 AS text))", &arg, 1, e));
    return base->tx == TX_WRITE && db->sent_n < PG_QUEUE ? 0 : pg_finish(db, e);
}

static bool heard(struct pg_db *db, int64_t site, struct id self) {
    bool is = false;
    for (PGnotify *n; (n = PQnotifies(db->c)); PQfreemem(n)) {
        struct str rest = str_z(n->extra), number;
        struct id from;
        int64_t of;
        if (!str_cut(&rest, ' ', &number) || !str_to_int(number, INT64_MIN, INT64_MAX, &of) || of != site) continue;
        is |= !id_parse(rest, &from) || !id_eq(from, self);
    }
    return is;
}

static int listen_now(struct pg_db *db, struct err *e) {
    TRY(pg_send_text(db, SENT_RUN, "LISTEN", "LISTEN lianfang", e));
    TRY(pg_finish(db, e));
    db->listening = true;
    return 1;
}

static int pg_wait(struct db *base, int64_t site, struct id self, int stop_fd, int64_t timeout_us, struct err *e) {
    struct pg_db *db = pg(base);
    int64_t until = pg_monotonic() + timeout_us;
    TRY(pg_ready(db, e));
    if (!db->listening) return listen_now(db, e); /* what came before it was missed */
    for (;;) {
        if (heard(db, site, self)) return 1;
        if (db->lost) return pg_lose(db, "wait", e);
        int64_t left = until - pg_monotonic();
        if (left <= 0) return 0;
        struct pollfd fds[] = {{.fd = PQsocket(db->c), .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
        if (poll(fds, 2, (int)MIN(left / 1000 + 1, (int64_t)60000)) <= 0) continue;
        if (fds[1].revents) return 0;
        if (fds[0].revents && !PQconsumeInput(db->c)) return pg_lose(db, "wait", e);
    }
}

static int has_citus(struct pg_db *db, bool *ret, struct err *e) {
    return ask_whether(db, "citus", "SELECT 1 FROM pg_extension WHERE extname = 'citus'", NULL, 0, ret, e);
}

static int pg_is_distributed(struct db *base, const char *table, struct err *e) {
    bool is;
    TRY(has_citus(pg(base), &is, e));
    if (is) TRY(ask_whether(pg(base), table, "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass(CAST($1 AS text))", &table, 1, &is, e));
    return is;
}

static int pg_distribute(struct db *base, const char *table, const char *beside, struct err *e) {
    struct pg_db *db = pg(base);
    const char *const args[] = {table, beside ? beside : "none"};
    bool is;
    TRY(has_citus(db, &is, e));
    if (!is) return err_set(e, ERR_DB, NULL, M_NO_CITUS);
    int done = pg_is_distributed(base, table, e);
    if (done) return MIN(done, 0);
    return ask(db, table, "SELECT create_distributed_table(to_regclass(CAST($1 AS text)), 'site', colocate_with => CAST($2 AS text))", args, 2, e);
}

const struct db_engine postgres_engine = {
    .types = {[TOKEN_INT] = "BIGINT", [TOKEN_TEXT] = "TEXT COLLATE \"C\"", [TOKEN_REAL] = "DOUBLE PRECISION", [TOKEN_BLOB] = "BYTEA", [TOKEN_ID] = "UUID",
              [TOKEN_CLUSTERED] = "", [TOKEN_FOR_UPDATE] = "FOR UPDATE", [TOKEN_BYTEWISE] = "COLLATE \"C\""},
    .shared = true,
    .open = pg_open,
    .close = pg_close,
    .run = pg_run,
    .query = pg_query,
    .stream = pg_stream,
    .sync = pg_sync,
    .send = pg_send,
    .foresee = pg_foresee,
    .unforesee = pg_unforesee,
    .next = pg_next,
    .done = pg_done,
    .col_null = col_null,
    .col_int = col_int,
    .col_real = col_real,
    .col_text = col_bytes,
    .col_blob = col_bytes,
    .step = pg_step,
    .commit_send = pg_commit_send,
    .commit_end = pg_commit_end,
    .in_transaction = pg_in_transaction,
    .script = pg_script,
    .check = pg_check,
    .table_exists = pg_table_exists,
    .plan = pg_plan,
    .checkpoint = pg_checkpoint,
    .backup = pg_backup,
    .integrity = pg_integrity,
    .lock_schema = pg_lock_schema,
    .notify = pg_notify,
    .wait = pg_wait,
    .distribute = pg_distribute,
    .is_distributed = pg_is_distributed,
};
