#include "core/kept.h"

enum { SLOTS = 4096, MOST = SLOTS / 2 };

struct slot {
    const struct kind *kind; /* NULL: free */
    int field;
    struct str what;
    struct record *record;
};
struct kept {
    struct arena arena;
    size_t n;
    struct slot slots[SLOTS];
};

struct kept *kept_new(void) {
    struct kept *k = calloc(1, sizeof *k);
    INVARIANT(k);
    return k;
}

void kept_free(struct kept *k) {
    if (k) arena_release(&k->arena);
    free(k);
}

void kept_clear(struct kept *k) {
    if (k->n == 0) return;
    arena_clear(&k->arena);
    memset(k->slots, 0, sizeof k->slots);
    k->n = 0;
}

void kept_forget(struct kept *k, const struct kind *of) {
    for (size_t i = 0; k->n && i < SLOTS; i++)
        if (k->slots[i].kind == of) {
            kept_clear(k);
            return;
        }
}

static size_t place(const struct kept *k, const struct kind *of, int field, struct str what) {
    size_t at = (str_hash(what) + (size_t)kind_index(of) * 31 + (size_t)(field + 1)) % SLOTS;
    const struct slot *s;
    while ((s = &k->slots[at])->kind && !(s->kind == of && s->field == field && str_eq(s->what, what))) at = (at + 1) % SLOTS;
    return at;
}

struct record *kept_get(const struct kept *k, const struct kind *of, int field, struct str what) {
    return k->slots[place(k, of, field, what)].record;
}

void kept_put(struct kept *k, int field, struct str what, const struct record *r) {
    if (k->n == MOST) kept_clear(k);
    struct slot *s = &k->slots[place(k, r->kind, field, what)];
    if (s->kind) return;
    *s = (struct slot){r->kind, field, arena_str(&k->arena, what), record_dup(&k->arena, r)};
    k->n++;
}
