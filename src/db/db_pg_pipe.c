/* Sending and collecting.  The queue mirrors libpq's own: for each entry the server answers results and an end, for a Sync one result.
 *
 * After an error the server skips everything up to the next Sync; libpq answers for what was skipped.  So pg_collect goes on to the end of the queue,
 * sends a Sync if something failed, and the connection can be used again: a transaction is then aborted until it, or its savepoint, is
 * rolled back. */
#include "db_pg.h"

#include "base/buf.h"

/* ---- sending ---- */
static int sent(struct pg_db *db, int accepted, struct pg_sent as, struct err *e) {
    if (!accepted) {
        pg_lose(db, as.name, e);
        if (db->open && !db->first.code) db->first = *e;
        return -1;
    }
    INVARIANT(db->sent_n < COUNT(db->sent));
    db->sent[db->sent_n++] = as;
    return 0;
}

int pg_send_text(struct pg_db *db, enum pg_sent_kind kind, const char *name, const char *sql, struct err *e) {
    return pg_send_args(db, kind, name, sql, NULL, 0, e);
}

int pg_send_args(struct pg_db *db, enum pg_sent_kind kind, const char *name, const char *sql, const char *const *args, int n, struct err *e) {
    TRY(pg_send_held(db, e));
    return sent(db, PQsendQueryParams(db->c, sql, n, NULL, args, NULL, NULL, 1), (struct pg_sent){.kind = kind, .name = name}, e);
}

int pg_send_typed(struct pg_db *db, const char *name, const char *sql, const struct pg_shape *shape, struct err *e) {
    const struct pg_params *p = &db->params;
    TRY(pg_send_held(db, e));
    return sent(db, PQsendQueryParams(db->c, sql, (int)p->n, shape->type, p->value, p->length, p->format, 1),
                (struct pg_sent){.kind = SENT_RUN, .name = name}, e);
}

static int send_sync(struct pg_db *db, struct err *e) {
    return sent(db, PQpipelineSync(db->c), (struct pg_sent){.kind = SENT_SYNC, .name = "sync"}, e);
}

int pg_send_sync(struct pg_db *db, struct err *e) {
    TRY(pg_send_held(db, e));
    return send_sync(db, e);
}

int pg_send_commit(struct pg_db *db, struct err *e) {
    TRY(pg_send_text(db, SENT_COMMIT, "COMMIT", "COMMIT", e));
    TRY(sent(db, PQpipelineSync(db->c), (struct pg_sent){.kind = SENT_COMMITTED, .name = "COMMIT"}, e));
    db->committing = true;
    db->uncommitted = (struct err){0};
    return pg_push(db, e);
}

struct pg_slot *pg_slot_of(struct pg_db *db, unsigned slot) {
    if (slot >= db->slots_n) {
        unsigned want = MAX(slot + 1, db->slots_n * 2);
        db->slots = realloc(db->slots, want * sizeof *db->slots);
        INVARIANT(db->slots);
        memset(db->slots + db->slots_n, 0, (want - db->slots_n) * sizeof *db->slots);
        db->slots_n = want;
    }
    return &db->slots[slot];
}

enum { NAME = 48 };

static void name_of(struct pg_db *db, const struct pg_sent *what, char to[NAME]) {
    if (what->common) snprintf(to, NAME, "s%ux%uc%u", what->slot, pg_steps[what->step], pg_slot_of(db, what->slot)->changes);
    else if (what->step) snprintf(to, NAME, "s%ux%u", what->slot, pg_steps[what->step]);
    else snprintf(to, NAME, "s%u", what->slot);
}

static bool is_prepared(struct pg_db *db, const struct pg_sent *what) {
    return pg_slot_of(db, what->slot)->prepared[what->common] >> what->step & 1;
}

static void set_prepared(struct pg_db *db, const struct pg_sent *what, bool is) {
    unsigned char *bits = &pg_slot_of(db, what->slot)->prepared[what->common];
    *bits = (unsigned char)((*bits & ~(1u << what->step)) | (unsigned)is << what->step);
}

static int send_prepare(struct pg_db *db, const struct pg_sent *what, const char *as, struct str sql, int n, const Oid *types, struct err *e) {
    TRY(sent(db, PQsendPrepare(db->c, as, sql.p, n, types), *what, e));
    if (as[0]) set_prepared(db, what, true);
    return 0;
}

static int prepare(struct pg_db *db, const struct stmt *s, const char *as, const struct pg_shape *shape, struct err *e) {
    struct buf sql CLEANUP(buf_release) = BUF(PG_SQL_MOST);
    Oid gaps[PG_PARAMS];
    TRY(db_script_expand(postgres_engine.types, str_z(s->sql), &sql, e));
    int n = shape ? (int)shape->n : pg_gaps(buf_str(&sql), gaps);
    struct pg_sent what = {.kind = SENT_PREPARE, .slot = as[0] ? s->slot : 0, .name = s->name};
    return send_prepare(db, &what, as, buf_str(&sql), n, shape ? shape->type : gaps, e);
}

static int prepare_many(struct pg_db *db, const struct stmt *s, const struct pg_sent *what, const char *as, const struct pg_shape *shape, struct err *e) {
    struct buf one CLEANUP(buf_release) = BUF(PG_SQL_MOST), sql CLEANUP(buf_release) = BUF(PG_SQL_MOST);
    Oid types[PG_PARAMS];
    uint64_t common = what->common ? pg_slot_of(db, s->slot)->common : PG_ONLY_SITE;
    unsigned rows = pg_steps[what->step];
    TRY(db_script_expand(postgres_engine.types, str_z(s->sql), &one, e));
    TRY(pg_many_sql(buf_str(&one), shape, common, rows, &sql, e));
    for (unsigned row = 0; row < rows; row++)
        for (unsigned i = 0; i < shape->n; i++) types[pg_place(shape, common, i, row)] = shape->type[i];
    return send_prepare(db, what, as, buf_str(&sql), (int)pg_places(shape, common, rows), types, e);
}

int pg_send_stmt(struct pg_db *db, enum pg_sent_kind kind, const struct stmt *s, const struct pg_shape *shape, struct err *e) {
    TRY(pg_send_held(db, e));
    return pg_send_many(db, &(struct pg_sent){.kind = kind, .name = s->name}, s, shape, &db->params, e);
}

int pg_send_many(struct pg_db *db, const struct pg_sent *what, const struct stmt *s, const struct pg_shape *shape, const struct pg_params *p, struct err *e) {
    char as[NAME];
    struct pg_sent it = {.kind = SENT_PREPARE, .slot = s->slot, .step = what->step, .common = what->common, .name = s->name};
    name_of(db, &it, as);
    if (!is_prepared(db, &it)) TRY(it.step ? prepare_many(db, s, &it, as, shape, e) : prepare(db, s, as, shape, e));
    return sent(db, PQsendQueryPrepared(db->c, as, (int)p->n, p->value, p->length, p->format, 1), *what, e);
}

int pg_push(struct pg_db *db, struct err *e) {
    return PQflush(db->c) < 0 ? pg_lose(db, "flush", e) : 0;
}

int pg_send_describe(struct pg_db *db, const struct stmt *s, bool keep, struct err *e) {
    char as[NAME] = "";
    TRY(pg_send_held(db, e));
    if (keep) name_of(db, &(struct pg_sent){.slot = s->slot}, as);
    TRY(prepare(db, s, as, NULL, e));
    return sent(db, PQsendDescribePrepared(db->c, as), (struct pg_sent){.kind = SENT_DESCRIBE, .slot = s->slot, .name = s->name}, e);
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
    if (s->kind == SENT_AHEAD) {
        if (pg_ahead_answer(db, s->slot, s->step > 0, r, &e)) failed(db, &e);
        return;
    }
    if (s->kind == SENT_COMMIT && strcmp(PQcmdStatus(r), "COMMIT") != 0) {
        pg_fail_text("COMMIT", PQcmdStatus(r), &e);
        failed(db, &e);
    }
    if (s->kind == SENT_SAVEPOINT) db->stands = true;
    if (s->kind == SENT_DESCRIBE && pg_shape_learn(s->slot, s->name, r, &e)) failed(db, &e);
    PQclear(r);
}

static void judge(struct pg_db *db, const struct pg_sent *s, PGresult *r) {
    struct err e;
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return succeeded(db, s, r);
    if (s->kind == SENT_PREPARE) set_prepared(db, s, false);
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

static void commit_over(struct pg_db *db) {
    db->committing = false;
    db->uncommitted = db->first;
    db->first = (struct err){0};
}

static void take(struct pg_db *db) {
    const struct pg_sent *s = &db->sent[db->sent_at++];
    PGresult *r;
    if (s->kind == SENT_SYNC || s->kind == SENT_COMMITTED) {
        take_sync(db, s);
        if (s->kind == SENT_COMMITTED && !db->lost) commit_over(db);
        return;
    }
    while (!db->lost && (r = PQgetResult(db->c))) judge(db, s, r);
    if (PQstatus(db->c) != CONNECTION_OK) db->lost = true;
}

/* A connection may also be lost without an error of a statement: the server says farewell while libpq takes nothing to be under way.  A COMMIT that was on
 * its way shares that fate with what was sent behind it. */
static void if_lost(struct pg_db *db) {
    struct err e;
    if (!db->lost) return;
    if (!db->first.code) {
        pg_lose(db, db->sent_n ? db->sent[db->sent_n - 1].name : "connection", &e);
        failed(db, &e);
    }
    e = db->first;
    if (db->committing) commit_over(db);
    db->first = e;
}

static void take_all(struct pg_db *db) {
    while (!db->lost && db->sent_at < db->sent_n) take(db);
    if_lost(db);
    db->sent_at = db->sent_n = 0;
}

void pg_take_commit(struct pg_db *db) {
    while (!db->lost && db->committing) take(db);
    if_lost(db);
}

int pg_collect(struct pg_db *db, struct err *e) {
    struct err lost;
    if (pg_send_held(db, &lost)) failed(db, &lost);
    return pg_collect_sent(db, e);
}

int pg_collect_sent(struct pg_db *db, struct err *e) {
    struct err lost;
    if (db->sent_n && db->sent[db->sent_n - 1].kind != SENT_SYNC && !PQsendFlushRequest(db->c)) {
        pg_lose(db, db->sent[db->sent_n - 1].name, &lost);
        failed(db, &lost);
    }
    take_all(db);
    if (!db->lost && db->aborted) {
        if (send_sync(db, &lost)) failed(db, &lost);
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
