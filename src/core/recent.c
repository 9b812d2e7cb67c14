#include "core/recent.h"

/* The newest so far, in order. */
struct newest {
    size_t seen; /* field */
    struct record **all;
    size_t n, limit;
};

static bool is_newer(const struct newest *x, int64_t seen, struct id id, const struct record *than) {
    int64_t then = than->v[x->seen].i;
    return seen > then || (seen == then && memcmp(id.b, than->id.b, sizeof id.b) > 0);
}

static void put(struct newest *x, struct record *r) {
    size_t i = x->n < x->limit ? x->n++ : x->n - 1;
    for (; i > 0 && is_newer(x, r->v[x->seen].i, r->id, x->all[i - 1]); i--) x->all[i] = x->all[i - 1];
    x->all[i] = r;
}

static int read_place(struct db *db, int64_t site, struct arena *a, const struct recent *q, const struct log_place *p, struct newest *to, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got, seen = RECORD_COLUMNS + (int)to->seen;
    TRY(db_query(db, &kind_sql(q->kind)->newest_at, &rows, e, VINT(site), VID(p->ref), VTEXT(p->path), VINT(q->before), VID(q->before_id), VINT((int64_t)to->limit)));
    while ((got = rows_next(rows, e)) == 1) {
        if (to->n == to->limit && !is_newer(to, rows_int(rows, seen), rows_id(rows, 0), to->all[to->n - 1])) break;
        struct record *r = arena_new(a, struct record, 1);
        record_read(a, q->kind, rows, r);
        put(to, r);
    }
    return got < 0 ? -1 : 0;
}

int recent_rows(struct db *db, int64_t site, struct arena *a, const struct recent *q, size_t limit, struct record ***ret, size_t *ret_n, struct err *e) {
    struct newest x = {.seen = (size_t)kind_field(q->kind, str_z(q->kind->seen)), .all = arena_new(a, struct record *, limit), .limit = limit};
    for (size_t i = 0; i < q->places_n; i++) TRY(read_place(db, site, a, q, &q->places[i], &x, e));
    *ret = x.all;
    *ret_n = x.n;
    return 0;
}
