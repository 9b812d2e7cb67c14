#include "systems/grid/assign.h"
#include "systems/grid/assign_flow.h"
#include "base/day.h"
#include "unit.h"

/* ---- an independent answer: shortest augmenting paths by Bellman and Ford over single households and members ---- */

enum { H = 24, M = 8, LARGE = 1000000 };

struct small {
    struct assign_household h[H];
    struct assign_member m[M];
    int hn, mn;
    struct assign_options o;
    int cost[H][M]; /* -1: not allowed */
    int of[H];      /* the member in the answer */
    int load[M], most[M];
};
static uint32_t seed;

static int chance(int n) {
    seed = seed * 1664525 + 1013904223;
    return (int)((seed >> 8) % (unsigned)n);
}

static bool same_unit(const struct small *s, const int32_t *a, const int32_t *b) {
    if (s->o.reach == ASSIGN_COUNTY) return true;
    for (int l = s->o.reach; l >= 0; l--)
        if (a[l] >= 0 || b[l] >= 0) return a[l] == b[l];
    return false;
}
static bool reaches(const struct small *s, int h, int m) {
    return same_unit(s, s->h[h].group, s->m[m].group);
}

/* Costs of the cheapest ways from an uncovered household, and where they come from. */
struct ways {
    int at_h[H], at_m[M], from_h[M], from_m[H];
};

static bool relax(const struct small *s, struct ways *w, int h, int m) {
    int cost = s->cost[h][m];
    if (cost < 0) return false;
    if (s->of[h] != m && w->at_h[h] < LARGE && w->at_h[h] + cost < w->at_m[m]) {
        w->at_m[m] = w->at_h[h] + cost;
        w->from_h[m] = h;
        return true;
    }
    if (s->of[h] == m && w->at_m[m] < LARGE && w->at_m[m] - cost < w->at_h[h]) {
        w->at_h[h] = w->at_m[m] - cost;
        w->from_m[h] = m;
        return true;
    }
    return false;
}

static void find_ways(const struct small *s, struct ways *w) {
    for (int h = 0; h < s->hn; h++) {
        w->at_h[h] = s->of[h] < 0 ? 0 : LARGE;
        w->from_m[h] = -1;
    }
    for (int m = 0; m < s->mn; m++) w->at_m[m] = LARGE;
    for (bool any = true; any;) {
        any = false;
        for (int h = 0; h < s->hn; h++)
            for (int m = 0; m < s->mn; m++) any |= relax(s, w, h, m);
    }
}

/* One more household covered at the least cost; false when it cannot be. */
static bool augment(struct small *s) {
    struct ways w;
    find_ways(s, &w);
    int best = -1;
    for (int m = 0; m < s->mn; m++)
        if (w.at_m[m] < LARGE && s->load[m] < s->most[m] && (best < 0 || w.at_m[m] < w.at_m[best])) best = m;
    if (best < 0) return false;
    s->load[best]++;
    for (int m = best; m >= 0;) {
        int h = w.from_h[m], next = w.from_m[h];
        s->of[h] = m;
        m = next;
    }
    return true;
}

static void answer(struct small *s, int *covered, int *kept) {
    for (int m = 0; m < s->mn; m++) {
        s->load[m] = 0;
        s->most[m] = !s->m[m].available ? 0 : s->m[m].capacity_max < 0 ? s->o.most : s->m[m].capacity_max;
    }
    for (int h = 0; h < s->hn; h++) {
        s->of[h] = -1;
        for (int m = 0; m < s->mn; m++)
            s->cost[h][m] = !s->m[m].available ? -1 : s->h[h].member == m ? 0 : reaches(s, h, m) ? 1 : -1;
    }
    *covered = *kept = 0;
    while (augment(s)) ++*covered;
    for (int h = 0; h < s->hn; h++) *kept += s->of[h] >= 0 && s->of[h] == s->h[h].member;
}

/* A tree of 3 townships, 6 communities, 12 quarters, 24 buildings, known from some level upwards. */
static void random_group(int32_t group[ASSIGN__LEVELS], int unknown_below) {
    int building = chance(24);
    const int of[ASSIGN__LEVELS] = {building, building / 2, building / 4, building / 8};
    for (int l = 0; l < ASSIGN__LEVELS; l++) group[l] = l < unknown_below ? -1 : of[l];
}

static void make_small(struct small *s) {
    *s = (struct small){.hn = chance(H + 1), .mn = chance(M + 1), .o = ASSIGN_DEFAULTS};
    s->o.most = chance(6);
    s->o.target = chance(s->o.most + 1);
    s->o.reach = (enum assign_level)chance(5);
    s->o.even = (enum assign_level)chance(5);
    s->o.spread = false;
    for (int m = 0; m < s->mn; m++) {
        random_group(s->m[m].group, chance(10) ? chance(3) : 4);
        s->m[m].available = chance(5) > 0;
        s->m[m].capacity_max = chance(3) ? -1 : chance(8);
        s->m[m].capacity_min = chance(4);
    }
    for (int h = 0; h < s->hn; h++) {
        random_group(s->h[h].group, chance(10) ? 0 : chance(5));
        s->h[h].place = chance(30);
        s->h[h].member = s->mn ? chance(s->mn + 1) - 1 : -1;
        s->h[h].has_xy = chance(2);
        s->h[h].x = chance(100);
    }
}

static struct assign_plan *solve(struct arena *a, const struct small *s) {
    struct assign_task t = {s->h, s->m, (size_t)s->hn, (size_t)s->mn, s->o};
    return assign_solve(a, &t);
}

static void check_reasons(const struct small *s, const struct assign_plan *p) {
    int32_t load[M] = {0};
    for (int h = 0; h < s->hn; h++) {
        int m = p->member[h], stood = s->h[h].member;
        if (m < 0) {
            CHECK(p->why[h] == ASSIGN_NO_ROOM || p->why[h] == ASSIGN_UNREACHED);
            continue;
        }
        load[m]++;
        CHECK(s->m[m].available && (m == stood || reaches(s, h, m)));
        bool had = stood >= 0 && s->m[stood].available;
        CHECK_INT(p->why[h], m == stood ? ASSIGN_KEPT : had ? ASSIGN_MOVED : ASSIGN_NEW);
    }
    for (int m = 0; m < s->mn; m++) CHECK_INT(p->load[m], load[m]);
}

TEST(coverage_and_number_of_changes_equal_those_of_an_independent_solution) {
    seed = 20200209;
    int moved = 0;
    for (int round = 0; round < 3000; round++) {
        struct arena a CLEANUP(arena_release) = {0};
        struct small s;
        int covered, kept;
        make_small(&s);
        answer(&s, &covered, &kept);
        struct assign_plan *p = solve(&a, &s);
        CHECK_INT(p->after.covered, covered);
        CHECK_INT(p->kept, kept);
        check_reasons(&s, p);
        for (int m = 0; m < s.mn; m++) CHECK(p->load[m] <= s.most[m]);
        moved += p->moved;
    }
    CHECK(moved > 500);
}

/* Nobody is two further above his most than another of the unit, unless he keeps what nobody else can have. */
static void check_even(const struct small *s, const struct assign_plan *p) {
    for (int h = 0; h < s->hn; h++)
        if (p->member[h] >= 0 && !reaches(s, h, p->member[h])) return;
    for (int a = 0; a < s->mn; a++)
        for (int b = 0; b < s->mn; b++) {
            if (!s->most[a] || !s->most[b] || !same_unit(s, s->m[a].group, s->m[b].group)) continue;
            int over = p->load[a] - s->most[a];
            CHECK(over <= 0 || p->load[b] - s->most[b] >= over - 1);
        }
}

TEST(with_sharing_everyone_in_reach_is_covered_and_the_excess_is_even) {
    seed = 4;
    for (int round = 0; round < 3000; round++) {
        struct arena a CLEANUP(arena_release) = {0};
        struct small s;
        int covered, kept;
        make_small(&s);
        answer(&s, &covered, &kept);
        s.o.spread = true;
        struct assign_plan *p = solve(&a, &s);
        check_even(&s, p);
        CHECK_INT(p->no_room, 0);
        CHECK_INT(p->short_by, s.hn - covered - p->unreached);
        check_reasons(&s, p);
        for (int h = 0; h < s.hn; h++)
            for (int m = 0; m < s.mn; m++)
                if (s.most[m] && (reaches(&s, h, m) || s.h[h].member == m)) CHECK(p->member[h] >= 0);
        for (int m = 0; m < s.mn && p->short_by == 0; m++) CHECK(p->load[m] <= s.most[m]);
    }
}

TEST(the_same_task_gives_the_same_plan) {
    seed = 11;
    struct arena a CLEANUP(arena_release) = {0};
    struct small s;
    make_small(&s);
    while (s.hn < 20 || s.mn < 5) make_small(&s);
    struct assign_plan *one = solve(&a, &s), *two = solve(&a, &s);
    CHECK(memcmp(one->member, two->member, (size_t)s.hn * sizeof *one->member) == 0);
    CHECK(memcmp(one->why, two->why, (size_t)s.hn) == 0);
}

TEST(applying_a_plan_leaves_nothing_to_change) {
    seed = 12;
    for (int round = 0; round < 500; round++) {
        struct arena a CLEANUP(arena_release) = {0};
        struct small s;
        make_small(&s);
        struct assign_plan *one = solve(&a, &s);
        for (int h = 0; h < s.hn; h++) s.h[h].member = one->member[h];
        struct assign_plan *two = solve(&a, &s);
        CHECK(two->added == 0 && two->moved == 0 && two->kept == one->after.covered);
    }
}

TEST(a_flow_takes_the_cheap_way_first_and_undoes_it_when_needed) {
    struct arena a CLEANUP(arena_release) = {0};
    struct flow *f = flow_new(&a, 4, 5);
    int32_t up = flow_arc(f, 0, 2, 1, 0), down = flow_arc(f, 0, 3, 1, 5);
    int32_t across = flow_arc(f, 2, 3, 1, 0);
    flow_arc(f, 2, 1, 1, 9);
    flow_arc(f, 3, 1, 1, 0);
    CHECK_INT(flow_solve(f, 0, 1), 2);
    CHECK(flow_on(f, up) == 1 && flow_on(f, down) == 1 && flow_on(f, across) == 0);
}

/* ---- a whole county ---- */

enum { COUNTY_H = 100000, COUNTY_M = 7000 };

static void make_county(struct assign_household *h, struct assign_member *m) {
    for (int i = 0; i < COUNTY_H; i++) {
        int building = i / 24;
        h[i] = (struct assign_household){.place = i, .group = {building, building / 4, building / 20, building / 200}, .has_xy = true,
                                         .x = building % 65 + chance(10) / 20.0, .y = building / 65.0, .member = -1};
    }
    for (int i = 0; i < COUNTY_M; i++) {
        int home = chance(COUNTY_H), known = chance(4);
        m[i] = (struct assign_member){.capacity_max = -1, .available = chance(20) > 0, .x = h[home].x, .y = h[home].y, .has_xy = true};
        for (int l = 0; l < ASSIGN__LEVELS; l++) m[i].group[l] = l < known ? -1 : h[home].group[l];
    }
    for (int i = 0; i < COUNTY_H; i++)
        if (chance(3)) h[i].member = chance(50) ? (int32_t)((int64_t)i * COUNTY_M / COUNTY_H) : chance(COUNTY_M);
}

static void check_county(const struct assign_task *t, const struct assign_plan *p) {
    int32_t *load = calloc(COUNTY_M, sizeof *load);
    int32_t kept = 0, covered = 0;
    for (size_t i = 0; i < t->household_count; i++) {
        int32_t m = p->member[i];
        if (m < 0) continue;
        covered++;
        load[m]++;
        kept += m == t->households[i].member;
        CHECK(t->members[m].available);
        CHECK(m == t->households[i].member || t->households[i].group[t->options.reach] == t->members[m].group[t->options.reach]);
    }
    CHECK_INT(covered, p->after.covered);
    CHECK_INT(kept, p->kept);
    int32_t overloaded = 0;
    for (size_t i = 0; i < COUNTY_M; i++) {
        CHECK_INT(load[i], p->load[i]);
        overloaded += load[i] > t->options.most;
    }
    CHECK_INT(overloaded, p->after.overloaded);
    CHECK(p->short_by > 0 || overloaded == 0);
    CHECK_INT(p->no_room + p->unreached, p->after.uncovered);
    free(load);
}

TEST(a_ring_of_townships_that_stand_for_each_other_is_put_in_order) {
    /* 400 townships of 250 households and 13 members; three fifths of what stands is with the next one or the one after. */
    struct assign_household *h = calloc(COUNTY_H, sizeof *h);
    struct assign_member *m = calloc(COUNTY_M, sizeof *m);
    enum { TOWNSHIPS = 400, EACH = 250, STAFF = 13 };
    seed = 5;
    for (int i = 0; i < TOWNSHIPS * STAFF; i++)
        m[i] = (struct assign_member){.group = {-1, -1, -1, i / STAFF}, .capacity_max = -1, .available = true};
    for (int i = 0; i < TOWNSHIPS * EACH; i++) {
        int township = (i / EACH + chance(5) % 3) % TOWNSHIPS;
        h[i] = (struct assign_household){.place = i, .group = {-1, -1, -1, i / EACH}, .member = township * STAFF + chance(STAFF)};
        if (chance(4) == 0) h[i].member = -1;
    }
    struct arena a CLEANUP(arena_release) = {0};
    struct assign_task t = {h, m, TOWNSHIPS * EACH, TOWNSHIPS * STAFF, ASSIGN_DEFAULTS};
    int64_t start = monotonic_us();
    struct assign_plan *p = assign_solve(&a, &t);
    printf("  a ring of 400 townships: %lld ms, added %d, moved %d\n", (long long)(monotonic_us() - start) / 1000, p->added, p->moved);
    CHECK(p->after.uncovered == 0 && p->after.overloaded == 0 && p->short_by == 0);
    free(h);
    free(m);
}

TEST(one_community_of_100000_households_is_solved_in_a_bounded_number_of_steps) {
    struct assign_household *h = calloc(COUNTY_H, sizeof *h);
    struct assign_member *m = calloc(COUNTY_M, sizeof *m);
    for (int i = 0; i < COUNTY_H; i++)
        h[i] = (struct assign_household){.place = i, .group = {-1, -1, 0, 0}, .member = -1, .has_xy = true, .x = chance(1000), .y = chance(1000)};
    for (int i = 0; i < COUNTY_M; i++)
        m[i] = (struct assign_member){
            .group = {-1, -1, 0, 0}, .capacity_max = -1, .available = true, .has_xy = true, .x = chance(1000), .y = chance(1000)};
    struct arena a CLEANUP(arena_release) = {0};
    struct assign_task t = {h, m, COUNTY_H, COUNTY_M, ASSIGN_DEFAULTS};
    int64_t start = monotonic_us();
    struct assign_plan *p = assign_solve(&a, &t);
    printf("  one community: %lld ms\n", (long long)(monotonic_us() - start) / 1000);
    int32_t low = INT32_MAX, high = 0;
    for (int i = 0; i < COUNTY_M; i++) {
        low = MIN(low, p->load[i]);
        high = MAX(high, p->load[i]);
    }
    CHECK(p->after.uncovered == 0 && high - low <= 1);
    free(h);
    free(m);
}

TEST(a_county_of_100000_households_and_7000_members_is_solved) {
    struct assign_household *h = calloc(COUNTY_H, sizeof *h);
    struct assign_member *m = calloc(COUNTY_M, sizeof *m);
    static const struct {
        const char *name;
        enum assign_level reach;
        int32_t most;
    } runs[] = {{"township", ASSIGN_TOWNSHIP, 20}, {"community, most 15", ASSIGN_COMMUNITY, 15}, {"township, most 12", ASSIGN_TOWNSHIP, 12}};
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct arena a CLEANUP(arena_release) = {0};
        seed = 77;
        make_county(h, m);
        struct assign_task t = {h, m, COUNTY_H, COUNTY_M, ASSIGN_DEFAULTS};
        t.options.reach = runs[i].reach;
        t.options.most = runs[i].most;
        t.options.target = MIN(t.options.target, runs[i].most);
        int64_t start = monotonic_us();
        struct assign_plan *p = assign_solve(&a, &t);
        printf("  100000 x 7000, %s: %lld ms; uncovered %d -> %d, overloaded %d -> %d, kept %d, added %d, moved %d, short %d, "
               "level %.2f -> %.2f\n",
               runs[i].name, (long long)(monotonic_us() - start) / 1000, p->before.uncovered, p->after.uncovered,
               p->before.overloaded, p->after.overloaded, p->kept, p->added, p->moved, p->short_by, p->before.mean_level,
               p->after.mean_level);
        check_county(&t, p);
    }
    free(h);
    free(m);
}
