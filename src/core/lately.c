#include "core/lately.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_WORDS = 8, BLOCK_VALUES = 64, BITS_EACH = 5, BIT_SHIFT = 19 };
enum { WAYS = 4, PLACE_SETS = LATELY_PLACES / WAYS, PLACE_SHIFT = 17 };

/* A value's bits lie in one block, which is a line of the processor's cache. */
struct values {
    uint64_t (*blocks)[BLOCK_WORDS]; /* NULL: none yet */
    size_t n;
    int64_t newest;
};
/* All rows with the value seen after `since`, in short. */
struct place {
    uint64_t value;
    uint32_t age; /* of another age than that of all: nothing */
    int64_t since;
    struct id where;
    int64_t seen;      /* there, the newest of all */
    int64_t elsewhere; /* the newest of those that were not there */
};
struct lately {
    struct values now, before;
    size_t most;
    int64_t rest; /* the newest of what is in neither */
    int64_t added;
    struct place (*places)[WAYS]; /* NULL: none yet */
    uint32_t age;
};

struct lately *lately_new(size_t most) {
    struct lately *l = calloc(1, sizeof *l);
    INVARIANT(l && most >= BLOCK_VALUES && (most & (most - 1)) == 0 && most <= LATELY_MOST);
    l->most = most;
    l->rest = INT64_MAX;
    l->age = 1;
    return l;
}

static void values_drop(struct values *v) {
    free(v->blocks);
    *v = (struct values){.newest = INT64_MIN};
}

void lately_free(struct lately *l) {
    if (!l) return;
    values_drop(&l->now);
    values_drop(&l->before);
    free(l->places);
    free(l);
}

void lately_start(struct lately *l, int64_t newest) {
    values_drop(&l->now);
    values_drop(&l->before);
    l->rest = newest;
    lately_doubt(l);
}

bool lately_started(const struct lately *l) {
    return l->rest < INT64_MAX;
}

static uint64_t spread(uint64_t value) {
    value = (value ^ value >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return value ^ value >> 29;
}

/* The block by the lower bits, each bit's place in it by nine of the others. */
static uint64_t *block_of(const struct lately *l, const struct values *v, uint64_t h) {
    return v->blocks[h & (l->most / BLOCK_VALUES - 1)];
}

static unsigned bit_of(uint64_t h, int i) {
    return (unsigned)(h >> (BIT_SHIFT + 9 * i)) & 511;
}

static bool values_has(const struct lately *l, const struct values *v, uint64_t h) {
    if (!v->blocks) return false;
    const uint64_t *block = block_of(l, v, h);
    bool has = true;
    for (int i = 0; i < BITS_EACH; i++) has = has && block[bit_of(h, i) / 64] >> bit_of(h, i) % 64 & 1;
    return has;
}

static void values_add(struct lately *l, struct values *v, uint64_t h, int64_t seen) {
    if (!v->blocks) v->blocks = calloc(l->most / BLOCK_VALUES, sizeof *v->blocks);
    INVARIANT(v->blocks);
    uint64_t *block = block_of(l, v, h);
    for (int i = 0; i < BITS_EACH; i++) block[bit_of(h, i) / 64] |= UINT64_C(1) << bit_of(h, i) % 64;
    v->n++;
    v->newest = MAX(v->newest, seen);
}

static bool in_values(const struct lately *l, uint64_t h) {
    return values_has(l, &l->now, h) || values_has(l, &l->before, h);
}

/* ---- where ---- */

static struct place *set_of(const struct lately *l, uint64_t value) {
    return l->places[spread(value) >> PLACE_SHIFT & (PLACE_SETS - 1)];
}

static struct place *place_of(const struct lately *l, uint64_t value) {
    struct place *set = l->places ? set_of(l, value) : NULL;
    for (int i = 0; set && i < WAYS; i++)
        if (set[i].value == value && set[i].age == l->age) return &set[i];
    return NULL;
}

/* Free, or of what was seen longest ago. */
static struct place *room_in(struct place set[WAYS], uint32_t age) {
    struct place *oldest = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].age != age) return &set[i];
        if (set[i].seen < oldest->seen) oldest = &set[i];
    }
    return oldest;
}

static struct place *place_new(struct lately *l, uint64_t value, int64_t since) {
    struct place *p = place_of(l, value);
    if (!l->places) l->places = calloc(PLACE_SETS, sizeof *l->places);
    INVARIANT(l->places);
    if (!p) p = room_in(set_of(l, value), l->age);
    *p = (struct place){.value = value, .age = l->age, .since = since, .seen = INT64_MIN, .elsewhere = INT64_MIN};
    return p;
}

static void place_add(struct place *p, struct id where, int64_t seen) {
    if (seen < p->seen) {
        if (!id_eq(where, p->where)) p->elsewhere = MAX(p->elsewhere, seen);
        return;
    }
    if (!id_eq(where, p->where)) p->elsewhere = p->seen;
    p->where = where;
    p->seen = seen;
}

/* ---- all of it ---- */

void lately_add_at(struct lately *l, uint64_t value, struct id where, int64_t seen) {
    if (!lately_started(l)) return;
    struct place *p = place_of(l, value);
    if (!p && !in_values(l, spread(value))) p = place_new(l, value, l->rest);
    if (p) place_add(p, where, seen);
    lately_add(l, value, seen);
}

void lately_add(struct lately *l, uint64_t value, int64_t seen) {
    if (!lately_started(l)) return;
    if (l->now.n == l->most) {
        l->rest = MAX(l->rest, l->before.newest);
        values_drop(&l->before);
        l->before = l->now;
        l->now = (struct values){.newest = INT64_MIN};
    }
    values_add(l, &l->now, spread(value), seen);
    l->added++;
}

void lately_know(struct lately *l, uint64_t value, int64_t since) {
    if (lately_started(l)) place_new(l, value, since);
}

bool lately_may(const struct lately *l, uint64_t value, int64_t from) {
    return from < l->rest || in_values(l, spread(value));
}

bool lately_elsewhere(const struct lately *l, uint64_t value, struct id here, int64_t from, int64_t at, bool *ret) {
    const struct place *p = place_of(l, value);
    *ret = p && (id_eq(here, p->where) ? p->elsewhere : p->seen) > from;
    return (p && from >= p->since && at >= p->seen) || !lately_may(l, value, from);
}

int64_t lately_newest(const struct lately *l) {
    return MAX(l->rest, MAX(l->now.newest, l->before.newest));
}

int64_t lately_added(const struct lately *l) {
    return l->added;
}

void lately_doubt(struct lately *l) {
    l->age++;
}
