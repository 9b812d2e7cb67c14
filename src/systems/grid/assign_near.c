/* Exchanges and moves of what was newly given, within one community (or within reach, where that is less): only such as bring
 * households nearer in sum, by level first and by coordinates where all are known.  What stands is not touched.  A move goes
 * to a lower load only, so loads never drift apart. */
#include "systems/grid/assign_internal.h"

enum { ROUNDS = 4, STEPS = 60000000 };

struct lists {
    int32_t *head;        /* per member, the first household newly given; -1 none */
    int32_t *next, *prev; /* per household */
    int64_t steps;
};

static void link_in(struct lists *l, int32_t h, int32_t m) {
    l->prev[h] = -1;
    l->next[h] = l->head[m];
    if (l->head[m] >= 0) l->prev[l->head[m]] = h;
    l->head[m] = h;
}

static void link_out(struct lists *l, int32_t h, int32_t m) {
    if (l->prev[h] >= 0) l->next[l->prev[h]] = l->next[h];
    else l->head[m] = l->next[h];
    if (l->next[h] >= 0) l->prev[l->next[h]] = l->prev[h];
}

static void give(struct assign_work *w, struct lists *l, int32_t h, int32_t m) {
    link_out(l, h, w->plan->member[h]);
    w->plan->load[w->plan->member[h]]--;
    w->plan->load[m]++;
    w->plan->member[h] = m;
    link_in(l, h, m);
}

/* h from a to b. */
static bool move_nears(const struct assign_work *w, int32_t h, int32_t a, int32_t b) {
    int now = assign_level_of(w, h, a), then = assign_level_of(w, h, b);
    if (now != then) return then < now;
    bool known = assign_has_distance(w, h, a) && assign_has_distance(w, h, b);
    return known && assign_distance(w, h, b) < assign_distance(w, h, a);
}

/* h of a against g of b. */
static bool swap_nears(const struct assign_work *w, int32_t h, int32_t a, int32_t g, int32_t b) {
    int now = assign_level_of(w, h, a) + assign_level_of(w, g, b);
    int then = assign_level_of(w, h, b) + assign_level_of(w, g, a);
    if (now != then) return then < now;
    if (!w->h[h].has_xy || !w->h[g].has_xy || !w->m[a].has_xy || !w->m[b].has_xy) return false;
    double far = assign_distance(w, h, a) + assign_distance(w, g, b);
    double near = assign_distance(w, h, b) + assign_distance(w, g, a);
    return near < far * (1 - 1e-12); /* rounding must not make a gain both ways */
}

/* True when h could be brought nearer by way of b. */
static bool try_member(struct assign_work *w, struct lists *l, int32_t h, int32_t b) {
    int32_t a = w->plan->member[h];
    l->steps--;
    if (a == b || w->h[h].member == b || !move_nears(w, h, a, b)) return false;
    const int32_t *load = w->plan->load;
    if (load[b] < load[a] && load[b] < w->most[b] && load[a] > w->least[a]) {
        give(w, l, h, b);
        return true;
    }
    for (int32_t g = l->head[b]; g >= 0; g = l->next[g]) {
        l->steps--;
        if (w->h[g].member == a || !swap_nears(w, h, a, g, b)) continue;
        give(w, l, h, b);
        give(w, l, g, a);
        return true;
    }
    return false;
}

static bool one_round(struct assign_work *w, struct lists *l, size_t hn, const size_t *first_of, const size_t *end_of) {
    bool any = false;
    for (size_t i = 0; i < hn; i++)
        for (size_t k = first_of[i]; k < end_of[i] && l->steps > 0; k++) any |= try_member(w, l, w->hs[i].i, w->ms[k].i);
    return any;
}

static size_t newly_given(struct assign_work *w, enum assign_level level) {
    size_t n = 0;
    for (size_t i = 0; i < w->hn; i++) {
        uint64_t of_h, of_m;
        int32_t m = w->plan->member[i];
        if (m < 0 || w->plan->why[i] == ASSIGN_KEPT) continue;
        if (!assign_bucket(w->unit_of_h[i], w->h[i].group, level, w->o.reach, &of_h) ||
            !assign_bucket(w->unit_of_m[m], w->m[m].group, level, w->o.reach, &of_m) || of_h != of_m)
            continue;
        w->hs[n++] = (struct assign_slot){of_h, w->h[i].place, (int32_t)i};
    }
    qsort(w->hs, n, sizeof *w->hs, assign_slot_order);
    return n;
}

static size_t takers(struct assign_work *w, enum assign_level level) {
    size_t n = 0;
    for (size_t i = 0; i < w->mn; i++) {
        uint64_t bucket;
        if (w->capacity[i] == 0 || !assign_bucket(w->unit_of_m[i], w->m[i].group, level, w->o.reach, &bucket)) continue;
        w->ms[n++] = (struct assign_slot){bucket, w->home[i], (int32_t)i};
    }
    qsort(w->ms, n, sizeof *w->ms, assign_slot_order);
    return n;
}

void assign_nearer(struct assign_work *w) {
    enum assign_level level = MIN(w->o.reach, ASSIGN_COMMUNITY);
    size_t hn = newly_given(w, level), mn = takers(w, level);
    struct lists l = {.head = arena_new(w->arena, int32_t, w->mn), .next = arena_new(w->arena, int32_t, w->hn),
                      .prev = arena_new(w->arena, int32_t, w->hn), .steps = STEPS};
    size_t *first_of = arena_new(w->arena, size_t, hn), *end_of = arena_new(w->arena, size_t, hn);
    for (size_t i = 0; i < w->mn; i++) l.head[i] = -1;
    for (size_t i = hn; i-- > 0;) link_in(&l, w->hs[i].i, w->plan->member[w->hs[i].i]);
    for (size_t i = 0, from = 0, to = 0; i < hn; i++) {
        while (from < mn && w->ms[from].bucket < w->hs[i].bucket) from++;
        to = MAX(to, from);
        while (to < mn && w->ms[to].bucket == w->hs[i].bucket) to++;
        first_of[i] = from;
        end_of[i] = to;
    }
    for (int round = 0; round < ROUNDS && one_round(w, &l, hn, first_of, end_of); round++) continue;
}
