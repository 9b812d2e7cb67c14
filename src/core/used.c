#include "core/used.h"

/* A generation begins when the newest is a STEP of the span old.  A table grows when it is 8/10 full; a new one has room for what one held on average, 3/4 full then:
 * while about as much comes as before, nothing is moved. */
enum { GENERATIONS = 6, SLOTS_FEWEST = 1024, PLACES_FEWEST = 64, ADDED_FEWEST = 64, ADDED_LEFT = 1 << 12 };
/* A use's place has 20 bits, its time the others. */
enum { PLACE_BITS = 20, PLACES_MOST = (1 << PLACE_BITS) - 1, TIME_BITS = 64 - PLACE_BITS };

struct slot {
    uint64_t value;
    uint64_t use; /* its time from the table's base on, its place; 0: free */
};
struct table {
    struct slot *slots; /* NULL: none yet */
    size_t size, n;
    int64_t begin;
};
struct place {
    uint64_t place;
    uint32_t number; /* 0: free */
};
struct places {
    struct place *slots; /* NULL: none yet */
    size_t size;
    uint32_t n;
};
struct use {
    uint64_t value;
    int64_t seen;
    uint32_t place;
};
struct used {
    int64_t span, since;
    size_t most;
    bool begun; /* the tables have their times */
    size_t newest;
    struct table tables[GENERATIONS];
    struct places places;
    struct use *added; /* what may be undone */
    size_t added_n, added_cap;
};

struct used *used_new(int64_t span, size_t most) {
    struct used *u = calloc(1, sizeof *u);
    INVARIANT(u && span > 0 && most > 0);
    u->span = span;
    u->most = most;
    u->since = INT64_MAX;
    return u;
}

static void added_forget(struct used *u) {
    free(u->added);
    u->added = NULL;
    u->added_n = u->added_cap = 0;
}

static void forget(struct used *u) {
    for (size_t i = 0; i < GENERATIONS; i++) free(u->tables[i].slots);
    memset(u->tables, 0, sizeof u->tables);
    free(u->places.slots);
    u->places = (struct places){0};
    added_forget(u);
}

void used_free(struct used *u) {
    if (u) forget(u);
    free(u);
}

void used_start(struct used *u, int64_t since) {
    forget(u);
    u->begun = false;
    u->since = since;
}

bool used_started(const struct used *u) {
    return u->since < INT64_MAX;
}

int64_t used_since(const struct used *u) {
    return u->since;
}

void used_raise(struct used *u, int64_t since) {
    u->since = MAX(u->since, since);
}

/* ---- places ---- */

static uint64_t spread(uint64_t value) {
    value = (value ^ value >> 32) * UINT64_C(0x9E3779B97F4A7C15);
    return value ^ value >> 29;
}

static struct place *place_slot(const struct places *p, uint64_t place) {
    size_t at = spread(place) & (p->size - 1);
    while (p->slots[at].number && p->slots[at].place != place) at = (at + 1) & (p->size - 1);
    return &p->slots[at];
}

/* 0: it has none. */
static uint32_t place_number(const struct places *p, uint64_t place) {
    return p->n ? place_slot(p, place)->number : 0;
}

static void places_grow(struct places *p) {
    struct places old = *p;
    p->size = MAX(old.size * 2, (size_t)PLACES_FEWEST);
    p->slots = calloc(p->size, sizeof *p->slots);
    INVARIANT(p->slots);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].number) *place_slot(p, old.slots[i].place) = old.slots[i];
    free(old.slots);
}

/* 0 when there are too many. */
static uint32_t place_add(struct places *p, uint64_t place) {
    uint32_t number = place_number(p, place);
    if (number || p->n == PLACES_MOST) return number;
    if (p->n >= p->size / 2) places_grow(p);
    *place_slot(p, place) = (struct place){place, ++p->n};
    return p->n;
}

/* ---- one table ---- */

static size_t home(const struct table *t, uint64_t value) {
    return (spread(value) >> 32) * t->size >> 32;
}

static size_t behind(const struct table *t, size_t at) {
    return at + 1 < t->size ? at + 1 : 0;
}

static size_t distance(const struct table *t, size_t from, size_t to) {
    return to >= from ? to - from : to + t->size - from;
}

/* Half of the times that fit lie before the table's begin.  Unsigned, for no time is too large then. */
static uint64_t base(const struct table *t) {
    return (uint64_t)t->begin - (UINT64_C(1) << (TIME_BITS - 1));
}

static int64_t seen_of(const struct table *t, const struct slot *s) {
    return (int64_t)(base(t) + (s->use >> PLACE_BITS));
}

static uint32_t place_of(const struct slot *s) {
    return s->use & PLACES_MOST;
}

/* 0: its time or its place does not fit. */
static uint64_t packed(const struct table *t, const struct use *x) {
    uint64_t time = (uint64_t)x->seen - base(t);
    return x->place && time && time >> TIME_BITS == 0 ? time << PLACE_BITS | x->place : 0;
}

static void slot_fill(struct table *t, struct slot s) {
    size_t at = home(t, s.value);
    while (t->slots[at].use) at = behind(t, at);
    t->slots[at] = s;
    t->n++;
}

static void table_grow(struct table *t) {
    struct table old = *t;
    t->size = MAX(old.slots ? old.size + old.size / 2 : old.size, (size_t)SLOTS_FEWEST);
    t->slots = calloc(t->size, sizeof *t->slots);
    t->n = 0;
    INVARIANT(t->slots);
    for (size_t i = 0; old.slots && i < old.size; i++)
        if (old.slots[i].use) slot_fill(t, old.slots[i]);
    free(old.slots);
}

static struct slot *table_find(const struct table *t, size_t at, const struct use *x) {
    uint64_t use = packed(t, x);
    for (; t->n && t->slots[at].use; at = behind(t, at))
        if (t->slots[at].value == x->value && t->slots[at].use == use) return &t->slots[at];
    return NULL;
}

/* Those behind it that are not at home move up, so that each is still found from its home on. */
static void table_take_out(struct table *t, struct slot *s) {
    size_t gap = (size_t)(s - t->slots);
    for (size_t at = behind(t, gap); t->slots[at].use; at = behind(t, at)) {
        if (distance(t, home(t, t->slots[at].value), at) < distance(t, gap, at)) continue;
        t->slots[gap] = t->slots[at];
        gap = at;
    }
    t->slots[gap] = (struct slot){0};
    t->n--;
}

/* ---- all of them ---- */

static struct table *table_of_age(struct used *u, size_t age) {
    return &u->tables[(u->newest + GENERATIONS - age) % GENERATIONS];
}

static int64_t step(const struct used *u) {
    return u->span / (GENERATIONS - 1) + 1;
}

/* The generation of its time: what is learnt at the start is spread over all, and what is sent up late goes early. */
static struct table *table_for(struct used *u, int64_t seen) {
    size_t age = 0;
    while (age < GENERATIONS - 1 && seen < table_of_age(u, age)->begin) age++;
    return table_of_age(u, age);
}

static bool put(struct used *u, const struct use *x) {
    struct table *t = table_for(u, x->seen);
    uint64_t use = packed(t, x);
    if (!use) {
        used_raise(u, x->seen); /* of the time of what is not kept nothing is known */
        return false;
    }
    if (!t->slots || t->n >= t->size / 10 * 8) table_grow(t);
    slot_fill(t, (struct slot){x->value, use});
    return true;
}

static size_t all_of(const struct used *u) {
    size_t n = 0;
    for (size_t i = 0; i < GENERATIONS; i++) n += u->tables[i].n;
    return n;
}

/* The oldest table makes room for a new one.  What was seen after `least` is taken along: it was ahead of the clock. */
static void turn(struct used *u, int64_t now, int64_t least) {
    u->newest = (u->newest + 1) % GENERATIONS;
    struct table *t = &u->tables[u->newest], old = *t;
    *t = (struct table){.begin = now};
    t->size = all_of(u) / (GENERATIONS - 1) * 4 / 3;
    for (size_t i = 0; old.slots && i < old.size; i++) {
        const struct slot *s = &old.slots[i];
        struct use x = {s->value, seen_of(&old, s), place_of(s)};
        if (s->use && x.seen > least) put(u, &x);
        else if (s->use) used_raise(u, x.seen);
    }
    free(old.slots);
}

static void begin(struct used *u, int64_t now) {
    for (size_t age = 0; age < GENERATIONS; age++) table_of_age(u, age)->begin = now - (int64_t)age * step(u);
    u->begun = true;
}

/* A clock that was set back by much does not hold the generations up. */
static void tick(struct used *u, int64_t now) {
    int64_t before = u->tables[u->newest].begin;
    if (!u->begun) begin(u, now);
    else if (MAX(now, before) - MIN(now, before) >= step(u)) turn(u, now, now - u->span);
    else if (all_of(u) >= u->most) turn(u, now, table_of_age(u, GENERATIONS - 2)->begin);
}

/* Where the value begins in each table; their lines are fetched at the same time, not one after another. */
static void homes(const struct used *u, uint64_t value, size_t ret[GENERATIONS]) {
    for (size_t i = 0; i < GENERATIONS; i++) {
        ret[i] = home(&u->tables[i], value);
        if (u->tables[i].slots) __builtin_prefetch(&u->tables[i].slots[ret[i]]);
    }
}

static bool has(const struct used *u, const struct use *x) {
    size_t at[GENERATIONS];
    bool is = false;
    homes(u, x->value, at);
    for (size_t i = 0; i < GENERATIONS && !is; i++) is = table_find(&u->tables[i], at[i], x) != NULL;
    return is;
}

static void added(struct used *u, const struct use *x) {
    if (u->added_n == u->added_cap) {
        u->added_cap = MAX(u->added_cap * 2, (size_t)ADDED_FEWEST);
        u->added = reallocarray(u->added, u->added_cap, sizeof *u->added);
        INVARIANT(u->added);
    }
    u->added[u->added_n++] = *x;
}

void used_add(struct used *u, uint64_t value, uint64_t where, int64_t seen, int64_t now) {
    if (!used_started(u)) return;
    tick(u, now);
    struct use x = {value, seen, place_add(&u->places, where)};
    if (!has(u, &x) && put(u, &x)) added(u, &x);
}

enum used_answer used_elsewhere(const struct used *u, uint64_t value, uint64_t here, int64_t from, int64_t at) {
    enum used_answer is = from < u->since ? USED_ASK : USED_NOT;
    uint32_t own = place_number(&u->places, here);
    size_t in[GENERATIONS];
    homes(u, value, in);
    for (size_t i = 0; i < GENERATIONS; i++) {
        const struct table *t = &u->tables[i];
        for (size_t k = in[i]; t->n && t->slots[k].use; k = behind(t, k)) {
            const struct slot *s = &t->slots[k];
            if (s->value != value || seen_of(t, s) <= from || seen_of(t, s) > at) continue;
            if (place_of(s) != own) return USED_ELSEWHERE;
        }
    }
    return is;
}

/* ---- what may be undone ---- */

void used_keep(struct used *u) {
    if (u->added_cap > ADDED_LEFT) added_forget(u);
    u->added_n = 0;
}

size_t used_mark(const struct used *u) {
    return u->added_n;
}

static void take_back(struct used *u, const struct use *x) {
    for (size_t age = 0; age < GENERATIONS; age++) {
        struct table *t = table_of_age(u, age);
        struct slot *s = table_find(t, home(t, x->value), x);
        if (s) {
            table_take_out(t, s);
            return;
        }
    }
}

void used_undo(struct used *u, size_t mark) {
    while (u->added_n > mark) take_back(u, &u->added[--u->added_n]);
}
