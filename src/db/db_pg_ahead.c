/* Reading ahead: queries that are sent before they are asked for, so that many are answered by one round trip.
 *
 * An answer stays until somebody says that it is not true any more, at the longest to the end of the transaction; one from inside a savepoint ends
 * with the savepoint's undoing.  Rows that are being read hold their answer. */
#include "db_pg.h"

enum { FORGET_BY = 2 };

/* A result that holds the answers to several queries. */
struct pg_shared {
    PGresult *r;
    unsigned holders;
};
struct pg_answer {
    struct pg_shared *in; /* NULL until it came */
    int first, n;         /* its rows */
    unsigned holders;
};
struct pg_ahead {
    const struct stmt *s;
    const struct pg_shape *shape;
    struct val *v;
    size_t n;
    uint64_t hash;
    struct pg_answer *answer; /* NULL: not wanted any more */
    bool in_savepoint;
    unsigned next;  /* in its bucket: index + 1; 0 is the end */
    unsigned along; /* sent with it: index + 1 of the next one; 0 is the end */
};

static void shared_drop(struct pg_shared *s) {
    if (!s || --s->holders) return;
    PQclear(s->r);
    free(s);
}

void pg_answer_drop(struct pg_answer *a) {
    if (!a || --a->holders) return;
    shared_drop(a->in);
    free(a);
}

static uint64_t mix(uint64_t h, uint64_t v) {
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static struct str bytes_of(const struct val *v) {
    if (v->type == V_ID) return id_bytes(&v->id);
    return v->type == V_TEXT || v->type == V_BLOB ? v->s : STR_NONE;
}

/* Of what db_unforesee knows. */
static uint64_t hash_of(const struct stmt *s, const struct val *v, size_t n) {
    uint64_t h = s->slot;
    for (size_t i = 0; i < MIN(n, (size_t)FORGET_BY); i++) h = mix(h, v[i].type == V_INT ? (uint64_t)v[i].i : str_hash(bytes_of(&v[i])));
    return h;
}

/* Is it an answer to the statement that has these for its first n values? */
static bool begins(const struct pg_ahead *a, const struct stmt *s, const struct val *v, size_t n) {
    if (!a->answer || a->s != s || a->n < n) return false;
    for (size_t i = 0; i < n; i++)
        if (!val_eq(&a->v[i], &v[i])) return false;
    return true;
}

static struct pg_ahead *find(struct pg_db *db, const struct stmt *s, const struct val *v, size_t n) {
    if (!db->ahead_n || !db->open) return NULL;
    uint64_t hash = hash_of(s, v, n);
    for (unsigned i = db->ahead_bucket[hash % PG_BUCKETS]; i; i = db->ahead[i - 1].next)
        if (db->ahead[i - 1].hash == hash && db->ahead[i - 1].n == n && begins(&db->ahead[i - 1], s, v, n)) return &db->ahead[i - 1];
    return NULL;
}

static void add(struct pg_db *db, const struct stmt *s, const struct pg_shape *shape, const struct val *v, size_t n) {
    if (db->ahead_n == db->ahead_cap) {
        db->ahead_cap = MAX(2 * db->ahead_cap, 64u);
        db->ahead = realloc(db->ahead, db->ahead_cap * sizeof *db->ahead);
        INVARIANT(db->ahead);
    }
    struct pg_ahead *a = &db->ahead[db->ahead_n++];
    *a = (struct pg_ahead){
        .s = s, .shape = shape, .v = arena_new(&db->ahead_arena, struct val, n), .n = n, .hash = hash_of(s, v, n), .in_savepoint = db->base.savepoint};
    for (size_t i = 0; i < n; i++) a->v[i] = val_copy(&db->ahead_arena, &v[i]);
    a->answer = calloc(1, sizeof *a->answer);
    INVARIANT(a->answer);
    a->answer->holders = 1;
    unsigned *bucket = &db->ahead_bucket[a->hash % PG_BUCKETS];
    a->next = *bucket;
    *bucket = db->ahead_n;
}

static void forget(struct pg_ahead *a) {
    pg_answer_drop(a->answer);
    a->answer = NULL;
}

/* ---- sending ---- */

static void add_nothing(struct pg_params *p, const struct pg_shape *shape) {
    for (unsigned i = 1; i < shape->n; i++, p->n++) {
        p->value[p->n] = NULL;
        p->length[p->n] = 0;
        p->format[p->n] = 1;
    }
}

/* Those at at[0..n) as one statement. */
static int send_together(struct pg_db *db, const unsigned *at, unsigned n, unsigned step, struct err *e) {
    struct pg_ahead *a = &db->ahead[at[0]];
    struct pg_sent as = {.kind = SENT_AHEAD, .slot = at[0], .step = step, .name = a->s->name};
    struct pg_params *p = &db->many;
    p->n = 0;
    for (unsigned i = 0; i < n; i++) {
        struct pg_ahead *one = &db->ahead[at[i]];
        TRY(pg_encode_more(p, one->s->name, one->shape, one->v, i > 0, e));
        one->along = i + 1 < n ? at[i + 1] + 1 : 0;
    }
    for (unsigned i = n; i < pg_steps[step]; i++) add_nothing(p, a->shape);
    if (db->sent_n + 2 > PG_QUEUE) TRY(pg_collect_sent(db, e));
    return pg_send_many(db, &as, a->s, a->shape, p, e);
}

/* But for those that are not wanted any more. */
static int send_bundle(struct pg_db *db, struct pg_bundle *b, struct err *e) {
    unsigned n = 0, sent = 0;
    for (unsigned i = 0; i < b->n; i++)
        if (db->ahead[b->at[i]].answer) b->at[n++] = b->at[i];
    b->n = 0;
    while (sent < n) {
        unsigned step = pg_step_for(db->ahead[b->at[0]].shape, n - sent, true), some = MIN(pg_steps[step], n - sent);
        TRY(send_together(db, b->at + sent, some, step, e));
        sent += some;
    }
    return 0;
}

int pg_ahead_send(struct pg_db *db, struct err *e) {
    for (unsigned i = 0; i < PG_BUNDLES; i++)
        if (db->bundle[i].n) TRY(send_bundle(db, &db->bundle[i], e));
    return 0;
}

/* Those to be sent with the one at `at`; NULL: there is no room. */
static struct pg_bundle *bundle_for(struct pg_db *db, unsigned at) {
    const struct pg_ahead *a = &db->ahead[at];
    struct pg_bundle *free = NULL;
    for (unsigned i = 0; i < PG_BUNDLES; i++) {
        struct pg_bundle *b = &db->bundle[i];
        const struct pg_ahead *first = b->n ? &db->ahead[b->at[0]] : NULL;
        if (first && first->s == a->s && val_eq(&first->v[0], &a->v[0])) return b;
        if (!first && !free) free = b;
    }
    return free;
}

/* A whole bundle goes at once: the server works on it while more is foreseen. */
static int bundle(struct pg_db *db, unsigned at, struct err *e) {
    struct pg_bundle *b = bundle_for(db, at);
    if (!b) {
        TRY(pg_ahead_send(db, e));
        b = &db->bundle[0];
    }
    b->at[b->n++] = at;
    if (b->n < PG_STEP_MOST) return 0;
    TRY(send_bundle(db, b, e));
    return pg_push(db, e);
}

/* A value that cannot be sent is no error here: whoever asks with it is told. */
int pg_foresee(struct db *base, const struct stmt *s, const struct val *v, size_t n, struct err *e) {
    struct pg_db *db = pg(base);
    const struct pg_shape *shape;
    struct err ignored;
    TRY(pg_ready(db, e));
    if (!db->open || db->ahead_n == PG_AHEAD || find(db, s, v, n)) return 0;
    TRY(pg_shape_get(db, s, &shape, e));
    INVARIANT(n >= shape->n);
    if (pg_encode(&db->params, s->name, shape, v, &ignored)) return 0;
    TRY(pg_send_rows(db, e));
    add(db, s, shape, v, n);
    unsigned at = db->ahead_n - 1;
    return pg_may_be_many(s, shape) ? bundle(db, at, e) : send_together(db, &at, 1, 0, e);
}

/* ---- answers ---- */

void pg_unforesee(struct db *base, const struct stmt *s, const struct val *v, size_t n) {
    struct pg_db *db = pg(base);
    n = MIN(n, (size_t)FORGET_BY);
    for (unsigned i = db->ahead_n ? db->ahead_bucket[hash_of(s, v, n) % PG_BUCKETS] : 0; i; i = db->ahead[i - 1].next)
        if (begins(&db->ahead[i - 1], s, v, n)) forget(&db->ahead[i - 1]);
}

static void give(struct pg_answer *a, struct pg_shared *in, int first, int n) {
    if (!a) return;
    in->holders++;
    a->in = in;
    a->first = first;
    a->n = n;
}

/* Of several: rows come in the order of what they answer, and the last column says which one that is; behind them what nobody asked. */
static int give_each(struct pg_db *db, unsigned at, struct pg_shared *in, struct err *e) {
    int rows = PQntuples(in->r), row = 0, number = PQnfields(in->r) - 1, i = 0;
    const char *name = db->ahead[at].s->name;
    for (bool last = false; !last; i++) {
        int first = row;
        while (row < rows && pg_get_int(in->r, row, number) == i) row++;
        give(db->ahead[at].answer, in, first, row - first);
        last = !db->ahead[at].along;
        if (!last) at = db->ahead[at].along - 1;
    }
    return row == rows || pg_get_int(in->r, row, number) >= i ? 0 : pg_fail_text(name, "answers in another order", e);
}

int pg_ahead_answer(struct pg_db *db, unsigned at, bool many, PGresult *r, struct err *e) {
    struct pg_shared *in = malloc(sizeof *in);
    int result = 0;
    INVARIANT(in);
    *in = (struct pg_shared){r, 1};
    if (many) result = give_each(db, at, in, e);
    else give(db->ahead[at].answer, in, 0, PQntuples(r));
    shared_drop(in);
    return result;
}

int pg_ahead_ask(struct pg_db *db, const struct stmt *s, const struct val *v, size_t n, struct pg_answer **ret, struct err *e) {
    struct pg_ahead *a = find(db, s, v, n);
    if (!a) return 0;
    if (!a->answer->in) TRY(pg_collect(db, e));
    INVARIANT(a->answer->in);
    a->answer->holders++;
    *ret = a->answer;
    return 1;
}

PGresult *pg_answer_result(struct pg_answer *a, int *ret_first, int *ret_n) {
    *ret_first = a->first;
    *ret_n = a->n;
    return a->in->r;
}

void pg_ahead_undo(struct pg_db *db) {
    for (unsigned i = 0; i < db->ahead_n; i++)
        if (db->ahead[i].in_savepoint) forget(&db->ahead[i]);
}

void pg_ahead_clear(struct pg_db *db) {
    if (!db->ahead_n) return;
    for (unsigned i = 0; i < db->ahead_n; i++) forget(&db->ahead[i]);
    memset(db->ahead_bucket, 0, sizeof db->ahead_bucket);
    db->ahead_n = 0;
    arena_clear(&db->ahead_arena);
}

void pg_ahead_release(struct pg_db *db) {
    pg_ahead_clear(db);
    free(db->ahead);
    arena_release(&db->ahead_arena);
}
