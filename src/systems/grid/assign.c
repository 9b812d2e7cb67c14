/* The frame of the computation, and its first part: what stands and may stay.
 *
 * All members of a unit can take all its households, so a unit needs one node only.  Households of one member that are
 * alike to the flow (same unit) form one kind: they flow to their member at no cost or to their unit at the cost of a
 * change.  Of a kind the nearest stay, so that it does not matter to the flow which ones. */
#include "systems/grid/assign.h"

#include "systems/grid/assign_flow.h"
#include "systems/grid/assign_internal.h"

void assign_set(struct assign_work *w, int32_t h, int32_t m, enum assign_why why) {
    INVARIANT(w->plan->member[h] < 0);
    w->plan->member[h] = m;
    w->plan->why[h] = (uint8_t)why;
    w->plan->load[m]++;
}

static bool stands(const struct assign_work *w, size_t h) {
    return w->h[h].member >= 0 && w->m[w->h[h].member].available;
}

/* ---- units ---- */

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The highest known group within reach; 0 for none. */
static uint64_t unit_key(const struct assign_work *w, const int32_t *group) {
    if (w->o.reach == ASSIGN_COUNTY) return 1;
    for (int l = (int)w->o.reach; l >= 0; l--)
        if (group[l] >= 0) return (uint64_t)(l + 1) << 32 | (uint32_t)group[l];
    return 0;
}

static int32_t unit_find(const uint64_t *keys, size_t n, uint64_t key) {
    const uint64_t *at = key ? bsearch(&key, keys, n, sizeof key, by_key) : NULL;
    return at ? (int32_t)(at - keys) : -1;
}

static void number_units(struct assign_work *w) {
    uint64_t *keys = arena_new(w->arena, uint64_t, w->hn + w->mn);
    size_t n = 0, units = 0;
    for (size_t i = 0; i < w->hn; i++) keys[n++] = unit_key(w, w->h[i].group);
    for (size_t i = 0; i < w->mn; i++) keys[n++] = unit_key(w, w->m[i].group);
    qsort(keys, n, sizeof *keys, by_key);
    for (size_t i = 0; i < n; i++)
        if (keys[i] && (units == 0 || keys[i] != keys[units - 1])) keys[units++] = keys[i];
    for (size_t i = 0; i < w->hn; i++) w->unit_of_h[i] = unit_find(keys, units, unit_key(w, w->h[i].group));
    for (size_t i = 0; i < w->mn; i++) w->unit_of_m[i] = unit_find(keys, units, unit_key(w, w->m[i].group));
    w->units = (int32_t)units;
}

/* ---- members: how much, and where among the places ---- */

static void set_capacities(struct assign_work *w) {
    for (size_t i = 0; i < w->mn; i++) {
        const struct assign_member *m = &w->m[i];
        int32_t most = !m->available ? 0 : m->capacity_max < 0 ? w->o.most : m->capacity_max;
        w->capacity[i] = w->most[i] = most;
        w->least[i] = MIN(MAX(m->capacity_min, 0), most);
        w->aim[i] = MIN(MAX(w->o.target, w->least[i]), most);
    }
}

/* The middle one of the households of `bucket` in a sorted array; false when there are none. */
static bool middle_place(const struct assign_slot *s, size_t n, uint64_t bucket, int64_t *ret) {
    size_t edge[2];
    for (unsigned e = 0; e < 2; e++) {
        size_t low = 0, high = n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (s[middle].bucket < bucket + e) low = middle + 1;
            else high = middle;
        }
        edge[e] = low;
    }
    if (edge[0] == edge[1]) return false;
    *ret = s[edge[0] + (edge[1] - edge[0]) / 2].place;
    return true;
}

static void find_homes(struct assign_work *w) {
    bool *known = arena_new(w->arena, bool, w->mn);
    for (int l = -1; l < ASSIGN__LEVELS; l++) {
        size_t n = 0;
        for (size_t i = 0; i < w->hn; i++) {
            int32_t group = l < 0 ? w->h[i].member : w->h[i].group[l];
            if (group >= 0) w->hs[n++] = (struct assign_slot){(uint64_t)group, w->h[i].place, (int32_t)i};
        }
        qsort(w->hs, n, sizeof *w->hs, assign_slot_order);
        for (size_t i = 0; i < w->mn; i++) {
            int32_t group = l < 0 ? (int32_t)i : w->m[i].group[l];
            if (!known[i] && group >= 0) known[i] = middle_place(w->hs, n, (uint64_t)group, &w->home[i]);
        }
    }
}

/* ---- what stands ---- */

struct standing {
    int32_t member, unit; /* the household's unit */
    int level;
    double distance;
    uint64_t off; /* places from the member's home */
    int32_t h;
};
struct kind {
    size_t first, count;
    int32_t stay_arc;
};

#define ORDER_BY(x, y)                                                                                                 \
    if ((x) != (y)) return (x) < (y) ? -1 : 1
static int by_kind_and_nearness(const void *x, const void *y) {
    const struct standing *a = x, *b = y;
    ORDER_BY(a->member, b->member);
    ORDER_BY(a->unit, b->unit);
    ORDER_BY(a->level, b->level);
    ORDER_BY(a->distance, b->distance);
    ORDER_BY(a->off, b->off);
    ORDER_BY(a->h, b->h);
    return 0;
}

static size_t collect_standing(const struct assign_work *w, struct standing *to) {
    size_t n = 0;
    for (size_t i = 0; i < w->hn; i++) {
        int32_t h = (int32_t)i, m = w->h[i].member;
        if (!stands(w, i)) continue;
        int64_t place = w->h[i].place, home = w->home[m];
        uint64_t off = place > home ? (uint64_t)place - (uint64_t)home : (uint64_t)home - (uint64_t)place;
        to[n++] = (struct standing){m, w->unit_of_h[i], assign_level_of(w, h, m), assign_distance(w, h, m), off, h};
    }
    qsort(to, n, sizeof *to, by_kind_and_nearness);
    return n;
}

static size_t part_kinds(const struct standing *s, size_t n, struct kind *to) {
    size_t kinds = 0;
    for (size_t i = 0; i < n; i++) {
        bool same = i && s[i].member == s[i - 1].member && s[i].unit == s[i - 1].unit;
        if (!same) to[kinds++] = (struct kind){.first = i};
        to[kinds - 1].count++;
    }
    return kinds;
}

/* Nodes: source, sink, members, units, kinds.  A change costs more than all levels together, so that distance out of reach
 * decides only between plans with equally many changes.  Returns how many households can be covered. */
static int64_t run_flow(struct assign_work *w, const struct standing *s, struct kind *kinds, size_t n, struct arena *work) {
    int32_t member_0 = 2, unit_0 = member_0 + (int32_t)w->mn, kind_0 = unit_0 + w->units;
    const int64_t change = (int64_t)(ASSIGN__LEVELS + 1) * (int64_t)(w->hn + 1);
    struct flow *f = flow_new(work, (size_t)kind_0 + n, 2 * w->mn + (size_t)w->units + 3 * n);
    for (int32_t i = 0; i < (int32_t)w->mn; i++) {
        if (w->most[i] == 0) continue;
        flow_arc(f, member_0 + i, 1, w->most[i], 0);
        if (w->unit_of_m[i] >= 0) flow_arc(f, unit_0 + w->unit_of_m[i], member_0 + i, w->most[i], 0);
    }
    int32_t *others = arena_new(work, int32_t, (size_t)w->units + 1);
    for (size_t i = 0; i < w->hn; i++)
        if (w->unit_of_h[i] >= 0 && !stands(w, i)) others[w->unit_of_h[i]]++;
    for (int32_t u = 0; u < w->units; u++) flow_arc(f, 0, unit_0 + u, others[u], change);
    for (size_t k = 0; k < n; k++) {
        const struct standing *one = &s[kinds[k].first];
        int32_t node = kind_0 + (int32_t)k, count = (int32_t)kinds[k].count;
        bool out = one->unit < 0 || one->unit != w->unit_of_m[one->member];
        flow_arc(f, 0, node, count, 0);
        kinds[k].stay_arc = flow_arc(f, node, member_0 + one->member, count, out ? one->level : 0);
        if (one->unit >= 0) flow_arc(f, node, unit_0 + one->unit, count, change);
    }
    int64_t covered = flow_solve(f, 0, 1);
    for (size_t k = 0; k < n; k++) kinds[k].count = (size_t)flow_on(f, kinds[k].stay_arc);
    return covered;
}

static int64_t keep(struct assign_work *w) {
    struct arena work CLEANUP(arena_release) = {0};
    struct standing *s = arena_new(&work, struct standing, w->hn);
    size_t n = collect_standing(w, s);
    struct kind *kinds = arena_new(&work, struct kind, n);
    size_t kind_count = part_kinds(s, n, kinds);
    int64_t covered = run_flow(w, s, kinds, kind_count, &work);
    w->standing_count = n;
    for (size_t i = 0; i < n; i++) w->standing[i] = s[i].h;
    for (size_t k = 0; k < kind_count; k++)
        for (size_t i = 0; i < kinds[k].count; i++) {
            const struct standing *one = &s[kinds[k].first + i];
            assign_set(w, one->h, one->member, ASSIGN_KEPT);
        }
    return covered;
}

/* ---- the plan in figures ---- */

static struct assign_state state_of(const struct assign_work *w, const int32_t *member, const int32_t *load) {
    struct assign_state s = {0};
    int64_t levels = 0;
    for (size_t i = 0; i < w->hn; i++) {
        if (member[i] < 0 || !w->m[member[i]].available) continue;
        levels += assign_level_of(w, (int32_t)i, member[i]);
        s.covered++;
    }
    for (size_t i = 0; i < w->mn; i++) s.overloaded += w->m[i].available && load[i] > w->capacity[i];
    s.uncovered = (int32_t)w->hn - s.covered;
    s.mean_level = s.covered ? (double)levels / s.covered : 0;
    return s;
}

static struct assign_state state_before(struct assign_work *w) {
    int32_t *member = arena_new(w->arena, int32_t, w->hn), *load = arena_new(w->arena, int32_t, w->mn);
    for (size_t i = 0; i < w->hn; i++) {
        member[i] = w->h[i].member;
        if (member[i] >= 0) load[member[i]]++;
    }
    return state_of(w, member, load);
}

static void explain_uncovered(struct assign_work *w) {
    bool *takes = arena_new(w->arena, bool, (size_t)w->units + 1);
    for (size_t i = 0; i < w->mn; i++)
        if (w->capacity[i] && w->unit_of_m[i] >= 0) takes[w->unit_of_m[i]] = true;
    for (size_t i = 0; i < w->hn; i++) {
        if (w->plan->member[i] >= 0) continue;
        int32_t unit = w->unit_of_h[i], stood = w->h[i].member;
        bool reached = (unit >= 0 && takes[unit]) || (stood >= 0 && w->capacity[stood] > 0);
        w->plan->why[i] = reached ? ASSIGN_NO_ROOM : ASSIGN_UNREACHED;
        if (reached) w->plan->no_room++;
        else w->plan->unreached++;
    }
}

static void count_reasons(struct assign_work *w) {
    for (size_t i = 0; i < w->hn; i++) {
        w->plan->kept += w->plan->why[i] == ASSIGN_KEPT;
        w->plan->added += w->plan->why[i] == ASSIGN_NEW;
        w->plan->moved += w->plan->why[i] == ASSIGN_MOVED;
    }
    w->plan->after = state_of(w, w->plan->member, w->plan->load);
}

/* ---- the frame ---- */

static void check_task(const struct assign_task *t) {
    INVARIANT(t->household_count <= ASSIGN_MOST_ROWS && t->member_count <= ASSIGN_MOST_ROWS);
    INVARIANT(t->options.target >= 0 && t->options.target <= t->options.most);
    INVARIANT(t->options.reach <= ASSIGN_COUNTY && t->options.even <= ASSIGN_COUNTY);
    for (size_t i = 0; i < t->household_count; i++)
        INVARIANT(t->households[i].member < 0 || (size_t)t->households[i].member < t->member_count);
}

static void make_room(struct assign_work *w, struct arena *of_plan) {
    struct arena *a = w->arena;
    w->plan->member = arena_new(of_plan, int32_t, w->hn);
    w->plan->why = arena_new(of_plan, uint8_t, w->hn);
    w->plan->load = arena_new(of_plan, int32_t, w->mn);
    w->unit_of_h = arena_new(a, int32_t, w->hn);
    w->standing = arena_new(a, int32_t, w->hn);
    w->hs = arena_new(a, struct assign_slot, w->hn);
    w->ms = arena_new(a, struct assign_slot, w->mn);
    w->home = arena_new(a, int64_t, w->mn);
    int32_t **const per_member[] = {&w->unit_of_m, &w->capacity, &w->least, &w->aim, &w->most, &w->limit, &w->quota};
    for (size_t i = 0; i < COUNT(per_member); i++) *per_member[i] = arena_new(a, int32_t, w->mn);
    for (size_t i = 0; i < w->hn; i++) w->plan->member[i] = -1;
}

struct assign_plan *assign_solve(struct arena *a, const struct assign_task *task) {
    check_task(task);
    struct arena work CLEANUP(arena_release) = {0};
    struct assign_plan *plan = arena_new(a, struct assign_plan, 1);
    struct assign_work w = {.arena = &work, .h = task->households, .m = task->members, .hn = task->household_count,
                            .mn = task->member_count, .o = task->options, .plan = plan};
    make_room(&w, a);
    number_units(&w);
    set_capacities(&w);
    find_homes(&w);
    plan->before = state_before(&w);
    int64_t coverable = keep(&w);
    if (w.o.spread) assign_raise(&w);
    assign_fill(&w);
    explain_uncovered(&w);
    plan->short_by = (int32_t)((int64_t)w.hn - coverable - plan->unreached);
    INVARIANT(plan->no_room == (w.o.spread ? 0 : plan->short_by));
    assign_nearer(&w);
    count_reasons(&w);
    return plan;
}
