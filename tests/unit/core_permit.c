/* A role reaches as far as its area and no further, whatever the command. */
#include "core_help.h"

static const struct actor *worker;
static const char *here, *there, *resident_there, *member_there, *member_above;

static void two_places(void) {
    world_make();
    here = run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    there = run(NULL, "household.create", "v1", NULL, "{'code':'h9','door':'9'}");
    resident_there = run(NULL, "resident.create", NULL, NULL, "{'name':'李四','household':'h9','id_number':'%s'}", identity("19700101", 1));
    member_there = run(NULL, "member.create", "rural", NULL, "{'name':'远','code':'m9','roll':'member'}");
    member_above = run(NULL, "member.create", "jixian", NULL, "{'name':'上','code':'m1','roll':'member'}");
    worker = somebody("community", "xg");
}

static void out_of_reach(const char *command, const char *area, const char *record, const char *data) {
    struct err e = refused(worker, command, area, record, "%s", data);
    if (e.code != ERR_FORBIDDEN && e.msg != M_OUTSIDE_AREA) unit_fail(__FILE__, __LINE__, "%s %s: %s %s", command, data, err_name(e.code), msg_name(e.msg));
    CHECK(!w.call.current);
}

TEST(a_community_worker_changes_nothing_outside_his_community) {
    two_places();
    struct digest before = state_now();
    const char *v1 = arena_printf(&w.a, "%s", id_text(record_of("household", there)->area, (char[ID_TEXT]){0}));
    out_of_reach("household.create", "v1", NULL, "{'door':'1'}");
    out_of_reach("household.create", v1, NULL, "{'door':'1'}");
    out_of_reach("household.create", "town", NULL, "{'door':'1'}");
    out_of_reach("household.update", NULL, there, "{'door':'1'}");
    out_of_reach("household.update", NULL, there, "{}");
    out_of_reach("household.update", "b1", there, "{}");
    out_of_reach("household.remove", NULL, there, "{}");
    out_of_reach("resident.open", NULL, resident_there, "{'fields':['id_number'],'reason':'想看一看'}");
    out_of_reach("resident.create", NULL, NULL, "{'name':'甲','household':'h9'}");
    out_of_reach("area.create", NULL, NULL, "{'name':'x','code':'x','level':'quarter','parent':'v1'}");
    out_of_reach("gate.create", "rural", NULL, "{'name':'x','kind_of':'road'}");
    CHECK(memcmp(&before, &(struct digest[]){state_now()}, sizeof before) == 0);
    world_close();
}

TEST(a_record_is_not_moved_out_of_reach_nor_tied_to_what_is) {
    two_places();
    const char *r = run(worker, "resident.create", NULL, NULL, "{'name':'甲','household':'h1'}");
    struct digest before = state_now();
    out_of_reach("household.update", "v1", here, "{}");
    out_of_reach("household.update", "town", here, "{}");
    out_of_reach("resident.update", NULL, r, "{'household':'h9'}");
    out_of_reach("resident.update", "v1", r, "{}");
    out_of_reach("household.update", NULL, here, arena_printf(&w.a, "{'member':'%s'}", member_there));
    out_of_reach("household.update", NULL, here, "{'member':'m9'}");
    out_of_reach("household.assign", NULL, NULL, arena_printf(&w.a, "{'member':null,'households':['%s','%s']}", here, there));
    out_of_reach("household.assign", NULL, NULL, arena_printf(&w.a, "{'member':'%s','households':['%s']}", member_there, here));
    out_of_reach("area.update", NULL, arena_printf(&w.a, "%s", id_text(record_of("household", here)->area, (char[ID_TEXT]){0})), "{'parent':'v1'}");
    CHECK(memcmp(&before, &(struct digest[]){state_now()}, sizeof before) == 0);
    /* What stands above, as the county's own organisation, may be named. */
    run(worker, "household.update", NULL, here, "{'member':'%s'}", member_above);
    world_proves_itself();
    world_close();
}

TEST(a_stale_version_of_a_record_out_of_reach_says_nothing_of_it) {
    struct err e;
    two_places();
    run(NULL, "household.update", NULL, there, "{'door':'10'}");
    static const char *const verbs[] = {"update", "remove"};
    for (size_t i = 0; i < COUNT(verbs); i++) {
        CHECK(run_json(worker, &w.call, &e, "{'id':'%s','command':'household.%s','record':'%s','version':1,'data':{}}", new_id(), verbs[i], there) == -1);
        CHECK_ERR(e, ERR_FORBIDDEN);
        CHECK(!w.call.current && !w.call.rec);
    }
    world_close();
}

TEST(an_identity_number_known_elsewhere_is_not_told) {
    two_places();
    const struct actor *investigator = somebody("investigator", "xg");
    const char *number = identity("19700101", 1);
    run(NULL, "resident.create", NULL, NULL, "{'name':'王五','household':'h1','id_number':'%s'}", identity("19700101", 3));
    struct err known = refused(investigator, "case.create", "xg", NULL, "{'name':'甲','resident':'%s'}", number);
    struct err unknown = refused(investigator, "case.create", "xg", NULL, "{'name':'甲','resident':'%s'}", identity("19700101", 2));
    CHECK_INT(known.msg, M_NO_RECORD);
    CHECK(known.code == unknown.code && known.msg == unknown.msg);
    run(investigator, "case.create", "xg", NULL, "{'name':'王五','classification':'suspected','resident':' %s '}", identity("19700101", 3));
    CHECK_INT(refused(investigator, "case.create", "xg", NULL, "{'name':'甲','resident':'%s'}", resident_there).msg, M_OUTSIDE_AREA);
    world_close();
}

TEST(only_a_role_for_the_whole_site_touches_what_belongs_to_the_whole_site) {
    two_places();
    const struct actor *county = somebody("administrator", "jixian"), *town = somebody("administrator", "town");
    CHECK_ERR(refused(town, "user.create", NULL, NULL, "{'name':'王','login':'wang'}"), ERR_FORBIDDEN);
    CHECK_ERR(refused(town, "user.create", "xg", NULL, "{'name':'王','login':'wang'}"), ERR_FORBIDDEN);
    const char *u = run(county, "user.create", NULL, NULL, "{'name':'王','login':'wang'}");
    CHECK(id_is_nil(record_of("user", u)->area));
    CHECK_ERR(refused(town, "user_role.create", "rural", NULL, "{'account':'%s','role':'gate'}", u), ERR_FORBIDDEN);
    CHECK_ERR(refused(town, "user.update", NULL, u, "{'active':false}"), ERR_FORBIDDEN);
    run(town, "user_role.create", "xg", NULL, "{'account':'%s','role':'community'}", u);
    world_proves_itself();
    world_close();
}

/* ---- the predicate ---- */

static struct str random_path(unsigned *seed, size_t most) {
    char *p = arena_alloc(&w.a, AREA_PATH);
    size_t n = (size_t)rand_r(seed) % (most + 1);
    for (size_t i = 0; i < n; i++) memcpy(p + AREA_STEP * i, rand_r(seed) % 2 ? "001" : "00z", AREA_STEP);
    return (struct str){p, n * AREA_STEP};
}

static size_t ranges_with(const struct str *ranges, size_t n, struct str path) {
    size_t in = 0;
    for (size_t i = 0; i < n; i++) {
        struct path_range r = path_range(&w.a, ranges[i]);
        bool inside = str_cmp(path, r.from) >= 0 && str_cmp(path, r.to) < 0;
        CHECK(inside == path_under(path, ranges[i]));
        in += inside;
    }
    return in;
}

TEST(the_ranges_of_a_list_hold_exactly_what_the_actor_may_read_and_nothing_twice) {
    static const char *const kinds[] = {"household", "case", "gate_scan", "user", "area"}, *const verbs[] = {"read", "create", "open"};
    unsigned seed = (unsigned)rand();
    for (int round = 0; round < 2000; round++) {
        struct grant grants[6];
        struct actor who = {.grants = grants, .n = (size_t)rand_r(&seed) % COUNT(grants), .system = rand_r(&seed) % 20 == 0};
        size_t roles = 0;
        while (role_at(roles)) roles++;
        for (size_t i = 0; i < who.n; i++) grants[i] = (struct grant){role_at((size_t)rand_r(&seed) % roles), random_path(&seed, 4)};
        const char *kind = kinds[(size_t)rand_r(&seed) % COUNT(kinds)], *verb = verbs[(size_t)rand_r(&seed) % COUNT(verbs)];
        struct str top = random_path(&seed, 3), *ranges;
        size_t n = permit_ranges(&who, &w.a, kind, verb, top, &ranges);
        for (size_t i = 1; i < n; i++) CHECK(str_cmp(ranges[i - 1], ranges[i]) < 0);
        for (int i = 0; i < 20; i++) {
            struct str path = random_path(&seed, 6);
            bool may = path_under(path, top) && permit_may(&who, kind, verb, path);
            CHECK_INT(ranges_with(ranges, n, path), may);
        }
        arena_clear(&w.a);
    }
    arena_release(&w.a);
}

TEST(a_grant_names_a_kind_and_a_verb_or_stars) {
    const struct role r = {"r", {"", ""}, "case.* household.read *.open area.create"};
    CHECK(role_grants(&r, "case", "remove") && role_grants(&r, "household", "read") && role_grants(&r, "x", "open") && role_grants(&r, "area", "create"));
    CHECK(!role_grants(&r, "cas", "remove") && !role_grants(&r, "case_", "remove") && !role_grants(&r, "household", "rea") &&
          !role_grants(&r, "household", "reads") && !role_grants(&r, "area", "update") && !role_grants(&r, "hold", "read") && !role_grants(&r, "", ""));
}
