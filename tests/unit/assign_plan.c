#include "systems/grid/assign.h"
#include "unit.h"

/* A small county by hand: h() and m() append; groups as building, quarter, community, township. */
enum { MOST = 400 };
static struct assign_household hs[MOST];
static struct assign_member ms[MOST];
static size_t hn, mn;

static void h(int building, int quarter, int community, int township, int member) {
    hs[hn] = (struct assign_household){.place = (int64_t)hn, .group = {building, quarter, community, township}, .member = member};
    hn++;
}
static void m(int building, int quarter, int community, int township) {
    ms[mn++] = (struct assign_member){.group = {building, quarter, community, township}, .capacity_max = -1, .available = true};
}

static struct assign_plan *solve(struct arena *a, struct assign_options o) {
    struct assign_task t = {.households = hs, .members = ms, .household_count = hn, .member_count = mn, .options = o};
    return assign_solve(a, &t);
}
static const struct assign_options defaults = ASSIGN_DEFAULTS;

static void spread_of(const struct assign_plan *p, int32_t *low, int32_t *high) {
    *low = INT32_MAX;
    *high = 0;
    for (size_t i = 0; i < mn; i++) {
        *low = MIN(*low, p->load[i]);
        *high = MAX(*high, p->load[i]);
    }
}

TEST(nothing_to_assign_gives_an_empty_plan) {
    struct arena a CLEANUP(arena_release) = {0};
    struct assign_task t = {.options = ASSIGN_DEFAULTS};
    struct assign_plan *p = assign_solve(&a, &t);
    CHECK(p->before.uncovered == 0 && p->after.covered == 0 && p->kept + p->added + p->moved == 0);
    m(0, 0, 0, 0);
    p = solve(&a, defaults);
    CHECK_INT(p->load[0], 0);
}

TEST(households_without_any_member_are_reported_as_out_of_reach) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 5; i++) h(i, 0, 0, 0, -1);
    struct assign_plan *p = solve(&a, defaults);
    CHECK_INT(p->unreached, 5);
    CHECK_INT(p->short_by, 0);
    CHECK_INT(p->why[0], ASSIGN_UNREACHED);
    m(-1, -1, -1, 1);
    CHECK_INT(solve(&a, defaults)->unreached, 5);
    struct assign_options county = defaults;
    county.reach = ASSIGN_COUNTY;
    p = solve(&a, county);
    CHECK_INT(p->after.covered, 5);
    CHECK(p->after.mean_level == 4);
}

TEST(what_stands_and_is_in_order_is_not_touched) {
    struct arena a CLEANUP(arena_release) = {0};
    /* Uneven loads, far members, 20 and 3: none of this is a reason to change. */
    for (int i = 0; i < 20; i++) h(0, 0, 0, 0, 0);
    for (int i = 0; i < 3; i++) h(1, 0, 0, 0, 1);
    for (int i = 0; i < 4; i++) h(2, 1, 1, 0, 2);
    h(1, 0, 0, 0, -1);
    m(0, 0, 0, 0);
    m(1, 0, 0, 0);
    m(9, 8, 7, 6);
    struct assign_plan *p = solve(&a, defaults);
    for (size_t i = 0; i + 1 < hn; i++) CHECK(p->member[i] == hs[i].member && p->why[i] == ASSIGN_KEPT);
    CHECK_INT(p->member[hn - 1], 1);
    CHECK_INT(p->why[hn - 1], ASSIGN_NEW);
    CHECK(p->kept == 27 && p->added == 1 && p->moved == 0);
    CHECK(p->before.uncovered == 1 && p->after.uncovered == 0 && p->before.overloaded == 0);
}

TEST(an_overloaded_member_gives_up_his_farthest_households) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 3; i++) h(5, 1, 0, 0, 0);
    for (int i = 0; i < 18; i++) h(0, 0, 0, 0, 0);
    for (int i = 0; i < 2; i++) h(1, 0, 0, 0, 0);
    m(0, 0, 0, 0);
    m(5, 1, 0, 0);
    struct assign_plan *p = solve(&a, defaults);
    CHECK_INT(p->before.overloaded, 1);
    CHECK_INT(p->after.overloaded, 0);
    CHECK_INT(p->moved, 3);
    for (int i = 0; i < 3; i++) CHECK(p->member[i] == 1 && p->why[i] == ASSIGN_MOVED);
}

TEST(the_farthest_by_coordinates_go_where_the_level_is_the_same) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 22; i++) {
        h(-1, 0, 0, 0, 0);
        hs[i].has_xy = true;
        hs[i].x = (i * 7) % 22;
    }
    m(-1, 0, 0, 0);
    m(-1, 0, 0, 0);
    ms[0].has_xy = true;
    struct assign_plan *p = solve(&a, defaults);
    for (int i = 0; i < 22; i++) CHECK_INT(p->member[i], hs[i].x > 19);
}

TEST(households_of_an_unavailable_member_are_taken_over_by_neighbours) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 10; i++) h(0, 0, 0, 0, 0);
    for (int i = 0; i < 10; i++) h(1, 0, 0, 0, 1);
    m(0, 0, 0, 0);
    m(1, 0, 0, 0);
    m(0, 0, 0, 0);
    ms[0].available = false;
    struct assign_plan *p = solve(&a, defaults);
    CHECK_INT(p->before.uncovered, 10);
    for (int i = 0; i < 10; i++) CHECK(p->member[i] == 2 && p->why[i] == ASSIGN_NEW);
    CHECK_INT(p->load[0], 0);
    CHECK_INT(p->kept, 10);
}

TEST(loads_of_a_fully_staffed_community_differ_by_one_at_most) {
    struct arena a CLEANUP(arena_release) = {0};
    int32_t low, high;
    static const int sizes[10] = {40, 3, 9, 24, 1, 16, 30, 8, 12, 5};
    for (int b = 0; b < 10; b++) {
        for (int i = 0; i < sizes[b]; i++) h(b, b / 4, 0, 0, -1);
        m(b, b / 4, 0, 0);
    }
    struct assign_plan *p = solve(&a, defaults);
    spread_of(p, &low, &high);
    CHECK_INT(p->after.covered, 148);
    CHECK(high == 15 && low >= 13);
    for (int i = 0; i < MOST; i++) hs[i].group[0] = hs[i].group[1] = -1;
    p = solve(&a, defaults);
    spread_of(p, &low, &high);
    CHECK(high - low <= 1);
}

TEST(near_goes_before_even_where_the_options_say_so) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 20; i++) h(0, 0, 0, 0, -1);
    m(0, 0, 0, 0);
    m(1, 0, 0, 0);
    struct assign_options o = defaults;
    CHECK_INT(solve(&a, o)->load[0], 15);
    o.even = ASSIGN_BUILDING;
    CHECK_INT(solve(&a, o)->load[0], 20);
}

TEST(a_member_gets_neighbours_in_one_run) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 60; i++) h(-1, -1, 0, 0, -1);
    for (int i = 0; i < 4; i++) m(-1, -1, 0, 0);
    struct assign_plan *p = solve(&a, defaults);
    int breaks = 0;
    for (size_t i = 1; i < hn; i++) breaks += p->member[i] != p->member[i - 1];
    CHECK_INT(breaks, 3);
}

TEST(coordinates_decide_among_members_of_the_same_community) {
    struct arena a CLEANUP(arena_release) = {0};
    /* Houses by turns left and right of a river, as a bad order of places would have it. */
    for (int i = 0; i < 30; i++) {
        h(-1, -1, 0, 0, -1);
        hs[i].has_xy = true;
        hs[i].x = i % 2 ? 100 + i : -100 - i;
    }
    for (int i = 0; i < 2; i++) {
        m(-1, -1, 0, 0);
        ms[i].has_xy = true;
        ms[i].x = i ? 100 : -100;
    }
    struct assign_plan *p = solve(&a, defaults);
    for (int i = 0; i < 30; i++) CHECK_INT(p->member[i], i % 2);
}

TEST(a_chain_of_moves_frees_the_place_that_is_missing) {
    struct arena a CLEANUP(arena_release) = {0};
    /* Township 0 is full because its member also stands for township 1, whose member stands for township 2. */
    for (int i = 0; i < 18; i++) h(-1, -1, -1, 0, 0);
    for (int i = 0; i < 2; i++) h(-1, -1, -1, 1, 0);
    for (int i = 0; i < 15; i++) h(-1, -1, -1, 1, 1);
    for (int i = 0; i < 5; i++) h(-1, -1, -1, 2, 1);
    h(-1, -1, -1, 0, -1);
    h(-1, -1, -1, 0, -1);
    for (int i = 0; i < 3; i++) m(-1, -1, -1, i);
    struct assign_plan *p = solve(&a, defaults);
    CHECK_INT(p->after.uncovered, 0);
    CHECK(p->moved == 4 && p->added == 2);
    CHECK(p->load[0] == 20 && p->load[1] == 20 && p->load[2] == 2);
}

TEST(too_little_room_is_said_and_shared_alike) {
    struct arena a CLEANUP(arena_release) = {0};
    int32_t low, high;
    for (int i = 0; i < 25; i++) h(0, 0, 0, 0, 0);
    for (int i = 0; i < 75; i++) h(1, 0, 0, 0, -1);
    for (int i = 0; i < 4; i++) m(i, 0, 0, 0);
    struct assign_plan *p = solve(&a, defaults);
    spread_of(p, &low, &high);
    CHECK_INT(p->short_by, 20);
    CHECK(low == 25 && high == 25 && p->after.uncovered == 0 && p->after.overloaded == 4);
    for (int i = 0; i < 25; i++) CHECK(p->member[i] == 0 && p->why[i] == ASSIGN_KEPT);
    struct assign_options strict = defaults;
    strict.spread = false;
    p = solve(&a, strict);
    spread_of(p, &low, &high);
    CHECK(p->short_by == 20 && p->no_room == 20 && p->after.uncovered == 20 && low == 20 && high == 20);
}

TEST(a_household_that_only_its_overloaded_member_can_have_stays_with_him) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 23; i++) h(-1, -1, -1, 5, 0);
    m(-1, -1, -1, 4);
    struct assign_plan *p = solve(&a, defaults);
    CHECK(p->kept == 23 && p->short_by == 3 && p->after.uncovered == 0 && p->load[0] == 23);
    hs[0].group[3] = -1;
    p = solve(&a, defaults);
    CHECK(p->kept == 23 && p->after.uncovered == 0);
}

TEST(a_member_without_a_group_keeps_his_households_and_gets_none) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 4; i++) h(0, 0, 0, 0, i < 2 ? 0 : -1);
    m(-1, -1, -1, -1);
    struct assign_plan *p = solve(&a, defaults);
    CHECK(p->kept == 2 && p->unreached == 2 && p->load[0] == 2);
    struct assign_options county = defaults;
    county.reach = ASSIGN_COUNTY;
    CHECK_INT(solve(&a, county)->after.uncovered, 0);
}

TEST(a_members_own_limits_are_respected) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < 40; i++) h(-1, -1, 0, 0, -1);
    for (int i = 0; i < 3; i++) m(-1, -1, 0, 0);
    ms[0].capacity_max = 4;
    ms[1].capacity_max = 0;
    ms[2].capacity_max = 50;
    ms[2].capacity_min = 18;
    struct assign_plan *p = solve(&a, defaults);
    CHECK(p->load[0] == 4 && p->load[1] == 0 && p->load[2] == 36 && p->short_by == 0);
    hn = 20;
    p = solve(&a, defaults);
    CHECK(p->load[0] + p->load[2] == 20 && p->load[2] >= 16);
}
