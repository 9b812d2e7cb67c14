#include "core/log_place.h"

#include "core/core_stmts.h"

enum { SLOTS_FIRST = 1024, PLACE_KEY = 16 + AREA_PATH };

struct log_places {
    struct arena arena;
    struct str *slots; /* the id and behind it the path; p NULL: free */
    size_t cap, n;
};

struct log_places *log_places_new(void) {
    struct log_places *p = calloc(1, sizeof *p);
    INVARIANT(p);
    return p;
}

void log_places_clear(struct log_places *p) {
    arena_clear(&p->arena);
    if (p->n) memset(p->slots, 0, p->cap * sizeof *p->slots);
    p->n = 0;
}

void log_places_free(struct log_places *p) {
    if (!p) return;
    arena_release(&p->arena);
    free(p->slots);
    free(p);
}

void log_places_freep(struct log_places **p) {
    log_places_free(*p);
}

static struct str *slot_of(const struct log_places *p, struct str key) {
    size_t at = str_hash(key) & (p->cap - 1);
    while (p->slots[at].p && !str_eq(p->slots[at], key)) at = (at + 1) & (p->cap - 1);
    return &p->slots[at];
}

static void grow(struct log_places *p) {
    struct log_places old = *p;
    p->cap = old.cap ? old.cap * 2 : SLOTS_FIRST;
    p->slots = calloc(p->cap, sizeof *p->slots);
    INVARIANT(p->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].p) *slot_of(p, old.slots[i]) = old.slots[i];
    free(old.slots);
}

bool log_places_add(struct log_places *p, struct id ref, struct str path) {
    char text[PLACE_KEY];
    struct str key = {text, sizeof ref.b + MIN(path.n, sizeof text - sizeof ref.b)};
    memcpy(text, ref.b, sizeof ref.b);
    memcpy(text + sizeof ref.b, path.p, key.n - sizeof ref.b);
    if (p->n * 2 >= p->cap) grow(p);
    struct str *slot = slot_of(p, key);
    if (slot->p) return false;
    *slot = arena_str(&p->arena, key);
    p->n++;
    return true;
}

int log_place_note(struct tx *tx, const struct record *r, struct err *e) {
    struct id ref = r->v[kind_sql(r->kind)->way].id;
    if (!log_places_add(tx->places, ref, r->path)) return 0;
    int added = db_run(tx->db, CS(log_place_add), e, VINT(tx->site->id), VTEXTZ(r->kind->name), VID(ref), VTEXT(r->path));
    if (added < 0) log_places_clear(tx->places); /* its item may fail alone */
    return added;
}

/* ---- reading ---- */

static int read_places(struct arena *a, struct rows *rows, size_t most, struct log_place **ret, size_t *ret_n, struct err *e) {
    struct log_place *all = NULL;
    size_t n = 0, cap = 0;
    int got = 0;
    while (n <= most && (got = rows_next(rows, e)) == 1) {
        if (n == cap) {
            struct log_place *more = arena_new(a, struct log_place, cap ? cap * 2 : 64);
            if (n) memcpy(more, all, n * sizeof *all);
            all = more;
            cap = cap ? cap * 2 : 64;
        }
        all[n++] = (struct log_place){rows_id(rows, 0), arena_str(a, rows_text(rows, 1))};
    }
    *ret = all;
    *ret_n = n;
    return got < 0 ? -1 : 0;
}

int log_places_in(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct path_range range, size_t most, struct log_place **ret, size_t *ret_n,
              struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int64_t limit = most < SIZE_MAX ? (int64_t)most + 1 : INT64_MAX;
    TRY(db_query(db, CS(log_places), &rows, e, VINT(site), VTEXTZ(k->name), VTEXT(range.from), VTEXT(range.to), VINT(limit)));
    return read_places(a, rows, most, ret, ret_n, e);
}

int log_places_of(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct id ref, struct path_range range, struct log_place **ret, size_t *ret_n,
              struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, CS(log_places_of), &rows, e, VINT(site), VTEXTZ(k->name), VID(ref), VTEXT(range.from), VTEXT(range.to)));
    return read_places(a, rows, SIZE_MAX, ret, ret_n, e);
}
