/* Digests onto ids and numbers: open addressing, nothing is ever taken out. */
#include "core/import_internal.h"

enum { SLOTS_FIRST = 1024 };

static size_t start(const struct import_map *m, const struct import_key *key) {
    uint64_t h;
    memcpy(&h, key->b, sizeof h); /* a digest is as good a hash as any */
    return h & (m->size - 1);
}

static struct import_slot *find(const struct import_map *m, const struct import_key *key) {
    size_t at = start(m, key);
    while (m->slots[at].n && memcmp(m->slots[at].key.b, key->b, sizeof key->b) != 0) at = (at + 1) & (m->size - 1);
    return &m->slots[at];
}

struct import_slot *import_map_get(const struct import_map *m, const struct import_key *key) {
    if (!m->size) return NULL;
    struct import_slot *s = find(m, key);
    return s->n ? s : NULL;
}

static void grow(struct import_map *m) {
    struct import_map to = {.size = m->size ? m->size * 2 : SLOTS_FIRST, .used = m->used};
    to.slots = calloc(to.size, sizeof *to.slots);
    INVARIANT(to.slots);
    for (size_t i = 0; i < m->size; i++)
        if (m->slots[i].n) *find(&to, &m->slots[i].key) = m->slots[i];
    free(m->slots);
    *m = to;
}

struct import_slot *import_map_put(struct import_map *m, const struct import_key *key, bool *ret_new) {
    if (m->used * 2 >= m->size) grow(m);
    struct import_slot *s = find(m, key);
    *ret_new = s->n == 0;
    if (*ret_new) {
        s->key = *key;
        s->n = 1;
        m->used++;
    }
    return s;
}

void import_map_release(struct import_map *m) {
    free(m->slots);
    *m = (struct import_map){0};
}

struct import_key import_key_of(const char *what, struct str a, struct str b) {
    struct digest_state s;
    struct import_key key;
    digest_start(&s);
    digest_add_str(&s, str_z(what));
    digest_add_str(&s, a);
    digest_add_str(&s, b);
    struct digest d = digest_end(&s);
    memcpy(key.b, d.b, sizeof key.b);
    return key;
}

/* ---- the shape of a kind ---- */

static int first_field(const struct kind *k, enum field_type type, unsigned flags) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].type == type && (k->fields[i].flags & flags) == flags) return (int)i;
    return -1;
}

static int ref_to(const struct kind *k, const char *kind) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].ref && strcmp(k->fields[i].ref, kind) == 0) return (int)i;
    return -1;
}

static bool has_key(const struct kind *k) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & KEY) return true;
    return false;
}

struct import_shape import_shape(const struct kind *k) {
    struct import_shape s = {
        .name = first_field(k, F_NAME, PERSONAL),
        .title = -1,
        .id_number = first_field(k, F_ID_NUMBER, FIND),
        .phone = first_field(k, F_PHONE, FIND),
        .birth = kind_field(k, STR("birth_date")),
        .relation = kind_field(k, STR("relation")),
        .home = ref_to(k, "household"),
    };
    for (size_t i = k->n; i-- > 0;)
        if (k->fields[i].flags & SEARCH && field_is_text(&k->fields[i])) s.title = (int)i;
    s.event = !has_key(k);
    s.person = !s.event && s.name >= 0 && s.name == s.title && s.id_number >= 0;
    /* What corrects itself by another record of its kind stands as it was. */
    int itself = ref_to(k, k->name);
    s.all_of_it = k->flags & KIND_LOG || (itself >= 0 && k->fields[itself].flags & READ_ONLY);
    s.residential = s.home >= 0 || strcmp(k->name, "household") == 0;
    return s;
}
