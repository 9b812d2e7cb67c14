/* Sending and collecting.  The queue mirrors libpq's own: for each entry the server answers results and an end, for a Sync one result.
 *
 * After an error the server skips everything up to the next Sync; libpq answers for what was skipped.  So pg_collect goes on to the end of the queue,
 * sends a Sync if something failed, and the connection can be used again: a transaction is then aborted until it, or its savepoint, is
 * rolled back. */
#include "db_pg.h"

#include "base/buf.h"

/* ---- sending ---- */
static int sent(struct pg_db *db, int accepted, enum pg_sent_kind kind, unsigned slot, const char *name, struct err *e) {
    if (!accepted) {
        pg_lose(db, name, e);
        if (db->open && !db->first.code) db->first = *e;
        return -1;
    }
    INVARIANT(db->sent_n < COUNT(db->sent));
    db->sent[db->sent_n++] = (struct pg_sent){kind, slot, name};
    return 0;
}

int pg_send_text(struct pg_db *db, enum pg_sent_kind kind, const char *name, const char *sql, struct err *e) {
    return pg_send_args(db, kind, name, sql, NULL, 0, e);
}

int pg_send_args(struct pg_db *db, enum pg_sent_kind kind, const char *name, const char *sql, const char *const *args, int n, struct err *e) {
    return sent(db, PQsendQueryParams(db->c, sql, n, NULL, args, NULL, NULL, 1), kind, 0, name, e);
}

int pg_send_typed(struct pg_db *db, const char *name, const char *sql, const struct pg_shape *shape, struct err *e) {
    const struct pg_params *p = &db->params;
    return sent(db, PQsendQueryParams(db->c, sql, (int)p->n, shape->type, p->value, p->length, p->format, 1), SENT_RUN, 0, name, e);
}

int pg_send_sync(struct pg_db *db, struct err *e) {
    return sent(db, PQpipelineSync(db->c), SENT_SYNC, 0, "sync", e);
}

static const char *slot_name(unsigned slot, char to[16]) {
    snprintf(to, 16, "s%u", slot);
    return to;
}

static bool is_prepared(struct pg_db *db, unsigned slot) {
    return slot < db->prepared_n && db->prepared[slot];
}

static void set_prepared(struct pg_db *db, unsigned slot, bool is) {
    if (slot >= db->prepared_n) {
        unsigned want = MAX(slot + 1, db->prepared_n * 2);
        db->prepared = realloc(db->prepared, want);
        INVARIANT(db->prepared);
        memset(db->prepared + db->prepared_n, 0, want - db->prepared_n);
        db->prepared_n = want;
    }
    db->prepared[slot] = is;
}

static int prepare(struct pg_db *db, const struct stmt *s, const char *as, const struct pg_shape *shape, struct err *e) {
    struct buf sql CLEANUP(buf_release) = BUF(PG_SQL_MOST);
    Oid gaps[PG_PARAMS];
    TRY(db_script_expand(postgres_engine.types, str_z(s->sql), &sql, e));
    int n = shape ? (int)shape->n : pg_gaps(buf_str(&sql), gaps);
    TRY(sent(db, PQsendPrepare(db->c, as, buf_str(&sql).p, n, shape ? shape->type : gaps), SENT_PREPARE, as[0] ? s->slot : 0, s->name, e));
    if (as[0]) set_prepared(db, s->slot, true);
    return 0;
}

int pg_send_stmt(struct pg_db *db, enum pg_sent_kind kind, const struct stmt *s, const struct pg_shape *shape, struct err *e) {
    const struct pg_params *p = &db->params;
    char as[16];
    slot_name(s->slot, as);
    if (!is_prepared(db, s->slot)) TRY(prepare(db, s, as, shape, e));
    return sent(db, PQsendQueryPrepared(db->c, as, (int)p->n, p->value, p->length, p->format, 1), kind, 0, s->name, e);
}

int pg_send_describe(struct pg_db *db, const struct stmt *s, bool keep, struct err *e) {
    char as[16] = "";
    if (keep) slot_name(s->slot, as);
    TRY(prepare(db, s, as, NULL, e));
    return sent(db, PQsendDescribePrepared(db->c, as), SENT_DESCRIBE, s->slot, s->name, e);
}

int pg_shape_get(struct pg_db *db, const struct stmt *s, const struct pg_shape **ret, struct err *e) {
    INVARIANT(s->slot > 0);
    const struct pg_shape *known = pg_shape_known(s->slot);
    if (!known) {
        TRY(pg_send_describe(db, s, true, e));
        TRY(pg_finish(db, e));
        known = pg_shape_known(s->slot);
        INVARIANT(known);
    }
    *ret = known;
    return 0;
}

/* ---- collecting ---- */
static void failed(struct pg_db *db, const struct err *e) {
    if (!db->first.code) db->first = *e;
}

static void keep(struct pg_db *db, PGresult *r) {
    PQclear(db->kept);
    db->kept = r;
}

static void succeeded(struct pg_db *db, const struct pg_sent *s, PGresult *r) {
    struct err e;
    if (s->kind == SENT_KEEP) return keep(db, r);
    if (s->kind == SENT_AHEAD) return pg_ahead_answer(db, s->slot, r);
    if (s->kind == SENT_SAVEPOINT) db->stands = true;
    if (s->kind == SENT_DESCRIBE && pg_shape_learn(s->slot, s->name, r, &e)) failed(db, &e);
    PQclear(r);
}

static void judge(struct pg_db *db, const struct pg_sent *s, PGresult *r) {
    struct err e;
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return succeeded(db, s, r);
    if (s->kind == SENT_PREPARE) set_prepared(db, s->slot, false);
    if (status != PGRES_PIPELINE_ABORTED) {
        db->aborted = true;
        pg_fail(db, s->name, r, &e);
        failed(db, &e);
    }
    PQclear(r);
}

/* The end of a Sync is one result; what else comes before it went wrong in the commit that a Sync is outside transactions. */
static void take_sync(struct pg_db *db, const struct pg_sent *s) {
    for (int i = 0; i < 8 && !db->lost && PQstatus(db->c) == CONNECTION_OK; i++) {
        PGresult *r = PQgetResult(db->c);
        if (!r) continue;
        if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            db->aborted = false;
            return;
        }
        judge(db, s, r);
    }
    db->lost = true;
}

static void take(struct pg_db *db) {
    const struct pg_sent *s = &db->sent[db->sent_at++];
    PGresult *r;
    if (s->kind == SENT_SYNC) return take_sync(db, s);
    while (!db->lost && (r = PQgetResult(db->c))) judge(db, s, r);
    if (PQstatus(db->c) != CONNECTION_OK) db->lost = true;
}

/* A connection may also be lost without an error of a statement: the server says farewell while libpq takes nothing to be under way. */
static void take_all(struct pg_db *db) {
    struct err e;
    while (!db->lost && db->sent_at < db->sent_n) take(db);
    if (db->lost && !db->first.code) {
        pg_lose(db, db->sent_n ? db->sent[db->sent_n - 1].name : "connection", &e);
        failed(db, &e);
    }
    db->sent_at = db->sent_n = 0;
}

int pg_collect(struct pg_db *db, struct err *e) {
    struct err lost;
    if (db->sent_n && db->sent[db->sent_n - 1].kind != SENT_SYNC && !PQsendFlushRequest(db->c)) {
        pg_lose(db, db->sent[db->sent_n - 1].name, &lost);
        failed(db, &lost);
    }
    take_all(db);
    if (!db->lost && db->aborted) {
        if (pg_send_sync(db, &lost)) failed(db, &lost);
        take_all(db);
    }
    if (!db->first.code) return 0;
    *e = db->first;
    keep(db, NULL);
    if (!db->open) db->first = (struct err){0};
    return -1;
}

int pg_finish(struct pg_db *db, struct err *e) {
    if (!db->open) TRY(pg_send_sync(db, e));
    return pg_collect(db, e);
}
