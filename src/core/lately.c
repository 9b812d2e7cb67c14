#include "core/lately.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_WORDS = 8, BLOCK_VALUES = 64, BITS_EACH = 5, BIT_SHIFT = 19 };

/* A value's bits lie in one block, which is a line of the processor's cache. */
struct values {
    uint64_t (*blocks)[BLOCK_WORDS]; /* NULL: none yet */
    size_t n;
    int64_t newest;
};
struct lately {
    struct values now, before;
    size_t most;
    int64_t rest; /* the newest of what is in neither */
};

struct lately *lately_new(size_t most) {
    struct lately *l = calloc(1, sizeof *l);
    INVARIANT(l && most >= BLOCK_VALUES && (most & (most - 1)) == 0 && most <= LATELY_MOST);
    l->most = most;
    l->rest = INT64_MAX;
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
    free(l);
}

void lately_start(struct lately *l, int64_t newest) {
    values_drop(&l->now);
    values_drop(&l->before);
    l->rest = newest;
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

void lately_add(struct lately *l, uint64_t value, int64_t seen) {
    if (!lately_started(l)) return;
    if (l->now.n == l->most) {
        l->rest = MAX(l->rest, l->before.newest);
        values_drop(&l->before);
        l->before = l->now;
        l->now = (struct values){.newest = INT64_MIN};
    }
    values_add(l, &l->now, spread(value), seen);
}

bool lately_may(const struct lately *l, uint64_t value, int64_t from) {
    return from < l->rest || in_values(l, spread(value));
}
