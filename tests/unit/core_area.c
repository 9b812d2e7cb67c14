/* The area tree: made, renamed, moved and removed, with all that stands in it. */
#include <pthread.h>

#include "core_help.h"

static const char *area_id(const char *code) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(w.s);
    const struct area *x = areas_by_code(t, str_z(code));
    CHECK(x);
    return arena_printf(&w.a, "%s", id_text(x->id, (char[ID_TEXT]){0}));
}

static const char *make(const char *code, const char *level, const char *parent) {
    return run(NULL, "area.create", NULL, NULL, "{'name':'%s','code':'%s','level':'%s','parent':'%s'}", code, code, level, parent);
}

static int64_t tally(const char *figure, const char *area) {
    static struct stmt s = STMT(test_tally, "SELECT CAST(coalesce(sum(n), 0) AS {int}) FROM tally WHERE site = $1 AND figure = $2 AND path = $3");
    struct db *db;
    struct err e;
    int64_t n = -1;
    stmt_register(&s, 1);
    tallies_settle();
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_int(db, &s, &n, &e, VINT(w.s->id), VTEXTZ(figure), VTEXT(path_of_area(area))) == 1);
    site_reader_done(w.s, db);
    return n;
}

TEST(a_moved_area_takes_everything_with_it_and_the_figures_follow) {
    world_make();
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    const char *gone = run(NULL, "household.create", "b2", NULL, "{'code':'h2'}");
    run(NULL, "household.remove", NULL, gone, "{}");
    run(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':'h1'}");
    const char *g = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','kind_of':'quarter_gate'}");
    for (int i = 0; i < 3; i++) run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'person','seen_at':'2020-02-10 11:00'}", g);
    CHECK_INT(tally("gate.persons", "town"), 3);
    run(NULL, "area.update", NULL, area_id("q1"), "{'parent':'v1','name':'改名'}");
    CHECK(path_under(path_of_area("b1"), path_of_area("v1")));
    CHECK(str_eq(record_of("household", h)->path, path_of_area("b1")));
    CHECK(str_eq(record_of("household", gone)->path, path_of_area("b2")));
    CHECK_INT(tally("gate.persons", "town"), 0);
    CHECK_INT(tally("gate.persons", "rural"), 3);
    CHECK_INT(tally("grid.households", "v1"), 1);
    CHECK_INT(tally("grid.quarters", "xg"), 0);
    CHECK_INT(tally("grid.residents", "jixian"), 1);
    run(NULL, "household.create", "b1", NULL, "{'code':'h2'}");
    world_proves_itself();
    run(NULL, "area.update", NULL, area_id("q1"), "{'parent':'xg'}");
    CHECK_INT(tally("gate.persons", "xg"), 3);
    world_proves_itself();
    site_close(w.s);
    world_open();
    CHECK(path_under(path_of_area("b1"), path_of_area("xg")));
    world_close();
}

TEST(a_scan_counts_where_its_gate_stands_now) {
    world_make();
    const char *g = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','code':'g1','kind_of':'quarter_gate'}");
#define PASSES_G1 run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'g1','what':'person','seen_at':'2020-02-10 11:00'}")
    PASSES_G1;
    run(NULL, "area.update", NULL, area_id("q1"), "{'parent':'v1'}");
    PASSES_G1;
    CHECK_INT(tally("gate.persons", "rural"), 2);
    run(NULL, "gate.update", "xg", g, "{'name':'西门'}");
    PASSES_G1;
    CHECK_INT(tally("gate.persons", "rural"), 2);
    CHECK_INT(tally("gate.persons", "xg"), 1);
    run(NULL, "gate.update", NULL, g, "{'code':'g9'}");
    CHECK_STR(str_z(refused(NULL, "gate_scan.create", NULL, NULL, "{'gate':'g1','what':'person','seen_at':'2020-02-10 11:00'}").field), "gate");
    world_proves_itself();
    world_close();
}

TEST(codes_are_unique_cycles_and_wrong_levels_are_refused) {
    world_make();
    CHECK_STR(str_z(refused(NULL, "area.create", NULL, NULL, "{'name':'x','code':'b1','level':'building','parent':'q1'}").field), "code");
    CHECK_STR(str_z(refused(NULL, "area.create", NULL, NULL, "{'name':'x','code':'x','level':'township','parent':'xg'}").field), "parent");
    CHECK_STR(str_z(refused(NULL, "area.update", NULL, area_id("xg"), "{'code':'b1'}").field), "code");
    CHECK_INT(refused(NULL, "area.update", NULL, area_id("town"), "{'parent':'town'}").msg, M_CYCLE);
    CHECK_INT(refused(NULL, "area.update", NULL, area_id("town"), "{'parent':'xg'}").code, ERR_INVALID);
    make("g2", "group", "town");
    CHECK_INT(refused(NULL, "area.update", NULL, area_id("town"), "{'parent':'g2'}").msg, M_CYCLE);
    /* A level of its own must also fit between what stands above and below. */
    CHECK_STR(str_z(refused(NULL, "area.update", NULL, area_id("xg"), "{'level':'building'}").field), "level");
    CHECK_STR(str_z(refused(NULL, "area.update", NULL, area_id("xg"), "{'level':'county'}").field), "level");
    run(NULL, "area.update", NULL, area_id("xg"), "{'level':'village'}");
    CHECK_ERR(refused(NULL, "area.create", NULL, NULL, "{'name':'x','code':'x','level':'village','parent':'nowhere'}"), ERR_INVALID);
    run(NULL, "area.update", "b1", area_id("b2"), "{'name':'别名'}");
    CHECK(id_eq(record_of("area", area_id("b2"))->area, id_of(area_id("b2"))));
    world_proves_itself();
    world_close();
}

TEST(an_area_goes_only_when_nothing_stands_in_it) {
    world_make();
    const char *v1 = area_id("v1"), *h = run(NULL, "household.create", "v1", NULL, "{}");
    CHECK_ERR(refused(NULL, "area.remove", NULL, area_id("rural"), "{}"), ERR_STATE);
    CHECK_ERR(refused(NULL, "area.remove", NULL, v1, "{}"), ERR_STATE);
    run(NULL, "household.remove", NULL, h, "{}");
    struct str path = path_of_area("v1");
    run(NULL, "area.remove", NULL, v1, "{}");
    CHECK_ERR(refused(NULL, "household.create", "v1", NULL, "{}"), ERR_INVALID);
    CHECK_ERR(refused(NULL, "household.create", v1, NULL, "{}"), ERR_NOT_FOUND);
    /* Its code is free again, its path is not. */
    make("v1", "village", "rural");
    CHECK(!str_eq(path_of_area("v1"), path));
    run(NULL, "household.create", "v1", NULL, "{}");
    world_proves_itself();
    world_close();
}

TEST(the_tree_is_as_wide_and_as_deep_as_paths_can_say) {
    world_make();
    make("last", "village", "rural");
    char *full = arena_printf(&w.a, "UPDATE area SET path = '%.*szzz' WHERE code = 'last'", STR_FMT(path_of_area("rural")));
    tamper(full);
    site_close(w.s);
    world_open();
    CHECK_STR(str_z(refused(NULL, "area.create", NULL, NULL, "{'name':'x','code':'x','level':'village','parent':'rural'}").field), "parent");
    const char *up = "town", *code = "";
    for (int depth = 3; depth <= AREA_DEPTH; depth++, up = code) {
        code = arena_printf(&w.a, "g%d", depth);
        make(code, "group", up);
    }
    CHECK_INT((long long)path_of_area(code).n, AREA_PATH - 1);
    CHECK_STR(str_z(refused(NULL, "area.create", NULL, NULL, "{'name':'x','code':'x','level':'village','parent':'%s'}", code).field), "parent");
    /* A chain that would become too deep does not move; one that fits does. */
    make("other", "group", "jixian");
    make("between", "group", "other");
    make("below", "group", "between");
    CHECK_STR(str_z(refused(NULL, "area.update", NULL, area_id("g4"), "{'parent':'below'}").field), "parent");
    run(NULL, "area.update", NULL, area_id("g4"), "{'parent':'other'}");
    CHECK_INT((long long)path_of_area(code).n, AREA_PATH - 1 - AREA_STEP);
    CHECK_INT(fsck_finds(FSCK_PATHS, NULL), 0); /* the tallies of the altered path differ */
    world_close();
}

TEST(an_area_is_found_by_its_name_or_chain_of_names) {
    world_make();
    run(NULL, "area.create", NULL, NULL, "{'name':'1号楼','code':'b9','level':'building','parent':'v1'}");
    struct areas *t = site_areas(w.s);
    const struct area *x = NULL;
    CHECK_INT(areas_guess(t, &w.a, STR("西关社区"), STR_NONE, &x), 1);
    CHECK_STR(x->code, "xg");
    CHECK_INT(areas_guess(t, &w.a, STR("1号楼"), STR_NONE, &x), 2);
    CHECK_INT(areas_guess(t, &w.a, STR("1号楼"), path_of_area("v1"), &x), 1);
    CHECK_STR(x->code, "b9");
    CHECK_INT(areas_guess(t, &w.a, STR("城区 / 一号院>1号楼"), STR_NONE, &x), 1);
    CHECK_STR(x->code, "b1");
    CHECK_INT(areas_guess(t, &w.a, STR("农村/一号院/1号楼"), STR_NONE, &x), 0);
    CHECK_INT(areas_guess(t, &w.a, STR(""), STR_NONE, &x), 0);
    CHECK_STR(areas_full_name(t, &w.a, areas_by_code(t, STR("xg"))), "吉县 › 城区 › 西关社区");
    areas_drop(t);
    world_close();
}

/* ---- the tree is never old ---- */

static bool looking;

static void *look(void *arg UNUSED) {
    while (__atomic_load_n(&looking, __ATOMIC_ACQUIRE)) areas_drop(site_areas(w.s));
    return NULL;
}

TEST(what_follows_a_move_stands_in_the_new_place_however_many_read_the_tree) {
    pthread_t t[3];
    world_make();
    looking = true;
    for (size_t i = 0; i < COUNT(t); i++) CHECK(pthread_create(&t[i], NULL, look, NULL) == 0);
    const char *b1 = area_id("b1"), *q1 = area_id("q1");
    for (int i = 0; i < 25; i++) {
        run(NULL, "area.update", NULL, q1, "{'parent':'%s'}", i % 2 ? "xg" : "v1");
        run(NULL, "household.create", b1, NULL, "{'code':'h%d'}", i);
        make(arena_printf(&w.a, "new%d", i), "building", "q1");
        run(NULL, "household.create", arena_printf(&w.a, "new%d", i), NULL, "{}");
    }
    __atomic_store_n(&looking, false, __ATOMIC_RELEASE);
    for (size_t i = 0; i < COUNT(t); i++) pthread_join(t[i], NULL);
    world_proves_itself();
    world_close();
}
