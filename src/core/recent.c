#include "core/recent.h"

/* The newest so far, in order. */
struct newest {
    struct record **all;
    size_t n, limit;
};

static bool has_room(const struct newest *x, struct id id) {
    return x->n < x->limit || memcmp(id.b, x->all[x->n - 1]->id.b, sizeof id.b) > 0;
}

static void put(struct newest *x, struct record *r) {
    size_t i = x->n < x->limit ? x->n++ : x->n - 1;
    for (; i > 0 && memcmp(x->all[i - 1]->id.b, r->id.b, sizeof r->id.b) < 0; i--) x->all[i] = x->all[i - 1];
    x->all[i] = r;
}

static int read_place(struct db *db, int64_t site, struct arena *a, const struct recent *q, struct str path, struct newest *to, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(db_query(db, &kind_sql(q->kind)->newest_at, &rows, e, VINT(site), VTEXT(path), VID(q->before), VINT((int64_t)to->limit)));
    while ((got = rows_next(rows, e)) == 1 && has_room(to, rows_id(rows, 0))) {
        struct record *r = arena_new(a, struct record, 1);
        record_read(a, q->kind, rows, r);
        put(to, r);
    }
    return got < 0 ? -1 : 0;
}

int recent_rows(struct db *db, int64_t site, struct arena *a, const struct recent *q, size_t limit, struct record ***ret, size_t *ret_n, struct err *e) {
    struct newest x = {.all = arena_new(a, struct record *, limit), .limit = limit};
    for (size_t i = 0; i < q->paths_n; i++) TRY(read_place(db, site, a, q, q->paths[i], &x, e));
    *ret = x.all;
    *ret_n = x.n;
    return 0;
}
