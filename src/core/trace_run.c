#include "core/trace_run.h"

#include <stdlib.h>

#include "core/core_stmts.h"
#include "core/site.h"

enum { ENTRY = 40, REBUILD_AT_ONCE = 1 << 20, VALUE_BITS = 63 };

/* ---- entries ---- */

bool trace_kind(const struct kind *k) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & TRACE) return true;
    return false;
}

static uint64_t from_bytes(const void *p) {
    const uint8_t *b = p;
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | b[i];
    return v;
}

static void to_bytes(char *p, uint64_t v) {
    for (int i = 7; i >= 0; i--, v >>= 8) p[i] = (char)v;
}

uint64_t trace_number(const struct site_key *key, const struct kind *k, size_t field, struct str as) {
    uint8_t hash[16];
    INVARIANT(k->fields[field].flags & TRACE);
    if (k->fields[field].flags & FIND) INVARIANT(as.n == sizeof hash);
    else find_hash(key, kind_sql(k)->field_names[field], as, hash);
    return from_bytes(k->fields[field].flags & FIND ? (const void *)as.p : hash) >> (64 - VALUE_BITS);
}

uint64_t trace_place(struct id ref) {
    return from_bytes(ref.b + 8);
}

static int number_of(const struct site_key *key, struct arena *a, const struct record *r, size_t field, uint64_t *ret, struct err *e) {
    struct str plain;
    char hash[16];
    TRY(record_plain(key, a, r, field, &plain, e));
    if (r->kind->fields[field].flags & FIND) {
        find_hash(key, kind_sql(r->kind)->field_names[field], plain, (uint8_t *)hash);
        plain = (struct str){hash, sizeof hash};
    }
    *ret = trace_number(key, r->kind, field, plain);
    return 0;
}

int trace_entries(const struct site_key *key, struct arena *a, const struct record *r, struct trace_entry *to, size_t *ret_n, struct err *e) {
    size_t n = 0;
    for (size_t i = 0; i < r->kind->n; i++) {
        if (!(r->kind->fields[i].flags & TRACE) || r->v[i].type == V_NULL) continue;
        INVARIANT(n < TRACE_FIELDS_MOST);
        to[n] = (struct trace_entry){.seen = record_int(r, r->kind->seen), .id = r->id, .place = trace_place(r->v[kind_sql(r->kind)->way].id)};
        TRY(number_of(key, a, r, i, &to[n++].value, e));
    }
    *ret_n = n;
    return 0;
}

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int by_value(const void *x, const void *y) {
    const struct trace_entry *a = x, *b = y;
    int order = (a->value > b->value) - (a->value < b->value);
    if (order == 0) order = compare(a->seen, b->seen);
    return order ? order : memcmp(a->id.b, b->id.b, sizeof a->id.b);
}

void trace_sort(struct trace_entry *all, size_t n) {
    if (n) qsort(all, n, sizeof *all, by_value);
}

int trace_entry_at(struct str bucket, size_t i, struct trace_entry *ret, struct err *e) {
    const char *p = bucket.p + i * ENTRY;
    if (bucket.n % ENTRY) return err_set(e, ERR_CORRUPT, NULL, M_TEXT, "trace_part");
    if (i >= bucket.n / ENTRY) return 0;
    *ret = (struct trace_entry){.value = from_bytes(p), .seen = (int64_t)from_bytes(p + 8), .place = from_bytes(p + 32)};
    memcpy(ret->id.b, p + 16, sizeof ret->id.b);
    return 1;
}

/* ---- a run ---- */

int64_t trace_shift(int64_t n) {
    int64_t shift = VALUE_BITS;
    while (shift > 0 && n >> (VALUE_BITS - shift) > TRACE_BUCKET) shift--;
    return shift;
}

int64_t trace_buckets(const struct trace_run *t) {
    return INT64_C(1) << (VALUE_BITS - t->shift);
}

static int write_bucket(struct db *db, int64_t site, const struct kind *k, const struct trace_run *t, const struct trace_entry *all, size_t n, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    char *bytes = arena_alloc(&a, n * ENTRY);
    for (size_t i = 0; i < n; i++) {
        to_bytes(bytes + i * ENTRY, all[i].value);
        to_bytes(bytes + i * ENTRY + 8, (uint64_t)all[i].seen);
        memcpy(bytes + i * ENTRY + 16, all[i].id.b, sizeof all[i].id.b);
        to_bytes(bytes + i * ENTRY + 32, all[i].place);
    }
    return db_run(db, CS(trace_part_add), e, VINT(site), VTEXTZ(k->name), VINT(t->level), VINT(t->run), VINT((int64_t)(all->value >> t->shift)),
                  VBLOB(((struct str){bytes, n * ENTRY})));
}

int trace_write(struct db *db, int64_t site, const struct kind *k, const struct trace_run *t, const struct trace_entry *all, size_t n, struct err *e) {
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && all[to].value >> t->shift == all[from].value >> t->shift;) to++;
        TRY(write_bucket(db, site, k, t, all + from, to - from, e));
    }
    return 0;
}

int trace_run_add(struct db *db, int64_t site, const struct kind *k, const struct trace_run *t, struct err *e) {
    return db_run(db, CS(trace_run_add), e, VINT(site), VTEXTZ(k->name), VINT(t->level), VINT(t->run), VINT(t->n), VINT(t->shift), VINT(t->seen_from), VINT(t->seen_to),
                  VINT(t->made_at), VINT(t->state), id_is_nil(t->owner) ? VNULL : VID(t->owner));
}

static int store(struct db *db, int64_t site, const struct kind *k, struct trace_run t, struct trace_entry *all, size_t n, struct err *e) {
    t.n = (int64_t)n;
    t.shift = trace_shift(t.n);
    t.seen_from = t.seen_to = all->seen;
    for (size_t i = 1; i < n; i++) {
        t.seen_from = MIN(t.seen_from, all[i].seen);
        t.seen_to = MAX(t.seen_to, all[i].seen);
    }
    trace_sort(all, n);
    TRY(trace_run_add(db, site, k, &t, e));
    return trace_write(db, site, k, &t, all, n, e);
}

int trace_store(struct db *db, int64_t site, const struct kind *k, int64_t run, int64_t made_at, struct trace_entry *all, size_t n, struct err *e) {
    return n ? store(db, site, k, (struct trace_run){.run = run, .made_at = made_at}, all, n, e) : 0;
}

static struct trace_run read_run(struct rows *rows) {
    return (struct trace_run){
        .level = rows_int(rows, 0),
        .run = rows_int(rows, 1),
        .n = rows_int(rows, 2),
        .shift = rows_int(rows, 3),
        .seen_from = rows_int(rows, 4),
        .seen_to = rows_int(rows, 5),
        .made_at = rows_int(rows, 6),
        .state = (enum trace_state)rows_int(rows, 7),
        .owner = rows_id(rows, 8),
    };
}

int trace_runs(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct trace_run **ret, size_t *ret_n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    size_t n = 0, cap = 64;
    struct trace_run *all = arena_new(a, struct trace_run, cap);
    int got;
    TRY(db_query(db, CS(trace_runs), &rows, e, VINT(site), VTEXTZ(k->name)));
    while ((got = rows_next(rows, e)) == 1) {
        if (n == cap) {
            struct trace_run *more = arena_new(a, struct trace_run, cap *= 2);
            memcpy(more, all, n * sizeof *all);
            all = more;
        }
        all[n++] = read_run(rows);
    }
    *ret = all;
    *ret_n = n;
    return got;
}

/* ---- asking ---- */

static int newest_first(const void *x, const void *y) {
    const struct trace_entry *a = x, *b = y;
    int order = compare(b->seen, a->seen);
    return order ? order : memcmp(b->id.b, a->id.b, sizeof a->id.b);
}

struct found {
    struct arena *a;
    struct trace_entry *all;
    size_t n, cap;
};

static void keep(struct found *f, const struct trace_entry *x) {
    if (f->n == f->cap) {
        struct trace_entry *more = arena_new(f->a, struct trace_entry, f->cap = f->cap ? f->cap * 2 : 64);
        if (f->n) memcpy(more, f->all, f->n * sizeof *more);
        f->all = more;
    }
    f->all[f->n++] = *x;
}

static void sort_once_each(struct found *f) {
    size_t n = 0;
    if (f->n) qsort(f->all, f->n, sizeof *f->all, newest_first);
    for (size_t i = 0; i < f->n; i++)
        if (n == 0 || newest_first(&f->all[n - 1], &f->all[i])) f->all[n++] = f->all[i];
    f->n = n;
}

int trace_find(struct db *db, int64_t site, struct arena *a, const struct kind *k, uint64_t value, int64_t from, int64_t to, struct trace_entry **ret, size_t *ret_n,
               struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct found f = {.a = a};
    int got;
    TRY(db_query(db, CS(trace_find), &rows, e, VINT(site), VINT((int64_t)value), VTEXTZ(k->name), VINT(from), VINT(to)));
    while ((got = rows_next(rows, e)) == 1) {
        struct str bucket = rows_blob(rows, 0);
        struct trace_entry x;
        int there;
        for (size_t i = 0; (there = trace_entry_at(bucket, i, &x, e)) == 1 && x.value <= value; i++)
            if (x.value == value && x.seen >= from && x.seen <= to) keep(&f, &x);
        if (there < 0) return -1;
    }
    if (got < 0) return -1;
    sort_once_each(&f);
    *ret = f.all;
    *ret_n = f.n;
    return 0;
}

int trace_find_foresee(struct db *db, int64_t site, const struct kind *k, uint64_t value, int64_t from, int64_t to, struct err *e) {
    return db_foresee(db, CS(trace_find), e, VINT(site), VINT((int64_t)value), VTEXTZ(k->name), VINT(from), VINT(to));
}

static bool is_new(const struct trace_run *t, int64_t after, int64_t since) {
    return t->state == TRACE_WHOLE && t->run > after && t->seen_to > since;
}

static int each_of(struct db *db, int64_t site, const struct kind *k, const struct trace_run *t, int64_t since, void (*each)(void *arg, const struct trace_entry *x),
                   void *arg, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(db_stream(db, CS(trace_parts), &rows, e, VINT(site), VTEXTZ(k->name), VINT(t->level), VINT(t->run), VINT(0), VINT(INT64_MAX)));
    while ((got = rows_next(rows, e)) == 1) {
        struct str bucket = rows_blob(rows, 1);
        struct trace_entry x;
        int there;
        for (size_t i = 0; (there = trace_entry_at(bucket, i, &x, e)) == 1; i++)
            if (x.seen > since) each(arg, &x);
        if (there < 0) return -1;
    }
    return got;
}

int trace_each(struct db *db, int64_t site, const struct kind *k, int64_t after, int64_t *since, int64_t most, void (*each)(void *arg, const struct trace_entry *x),
               void *arg, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct trace_run *all;
    size_t n, first;
    TRY(trace_runs(db, site, &a, k, &all, &n, e));
    for (first = n; first > 0 && most >= 0; first--) most -= is_new(&all[first - 1], after, *since) ? all[first - 1].n : 0;
    if (most < 0) first++;
    for (size_t i = 0; i < first; i++)
        if (is_new(&all[i], after, *since)) *since = all[i].seen_to;
    for (size_t i = first; i < n; i++)
        if (is_new(&all[i], after, *since)) TRY(each_of(db, site, k, &all[i], *since, each, arg, e));
    return 0;
}

/* ---- anew ---- */

static const char *setting_name(char to[80], const struct kind *k) {
    snprintf(to, 80, "untraced.%s", k->name);
    return to;
}

int trace_missing(struct db *db, int64_t site, const struct kind *k, bool *ret, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str v;
    char name[80];
    int there = setting_get(db, site, &a, setting_name(name, k), &v, e);
    *ret = there == 1;
    return MIN(there, 0);
}

int trace_mark_missing(struct db *db, int64_t site, const struct kind *k, struct err *e) {
    char name[80];
    return setting_put(db, site, setting_name(name, k), STR("1"), e);
}

struct rebuilding {
    struct site *site;
    struct db *db;
    const struct kind *kind;
    struct trace_entry *all;
    size_t n;
    struct trace_run run;
};

static int store_some(struct rebuilding *b, struct err *e) {
    if (b->n == 0) return 0;
    b->run.run++;
    TRY(store(b->db, b->site->id, b->kind, b->run, b->all, b->n, e));
    b->n = 0;
    b->run.made_at = 0;
    return 0;
}

static int add_row(struct rebuilding *b, struct arena *a, struct rows *rows, struct err *e) {
    struct record r;
    size_t n;
    record_read(a, b->kind, rows, &r);
    TRY(trace_entries(&b->site->key, a, &r, b->all + b->n, &n, e));
    b->n += n;
    b->run.made_at = MAX(b->run.made_at, r.created_at);
    return b->n + TRACE_FIELDS_MOST > REBUILD_AT_ONCE ? store_some(b, e) : 0;
}

static int add_rows(struct rebuilding *b, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct arena a CLEANUP(arena_release) = {0};
    int got;
    TRY(db_stream(b->db, &kind_sql(b->kind)->fresh, &rows, e, VINT(b->site->id)));
    while ((got = rows_next(rows, e)) == 1) {
        TRY(add_row(b, &a, rows, e));
        arena_clear(&a);
    }
    return got < 0 ? -1 : store_some(b, e);
}

int trace_rebuild(struct site *s, struct db *db, const struct kind *k, struct err *e) {
    struct rebuilding b = {.site = s, .db = db, .kind = k, .run = {.level = TRACE_LEVEL_DAY}};
    char name[80];
    TRY(db_run(db, CS(trace_all_parts_end), e, VINT(s->id), VTEXTZ(k->name)));
    TRY(db_run(db, CS(trace_all_runs_end), e, VINT(s->id), VTEXTZ(k->name)));
    b.all = calloc(REBUILD_AT_ONCE, sizeof *b.all);
    INVARIANT(b.all);
    int r = add_rows(&b, e);
    free(b.all);
    return r ? r : db_run(db, CS(setting_end), e, VINT(s->id), VTEXTZ(setting_name(name, k)));
}
