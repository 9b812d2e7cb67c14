/* Editing: conflicts, required and unique fields, references, sealed values, removal and return. */
#include "core_help.h"

TEST(the_second_editor_is_told_who_changed_which_fields) {
    struct err e;
    world_make();
    const char *u = run(NULL, "user.create", NULL, NULL, "{'name':'王芳','login':'wangfang'}");
    struct actor fang = *somebody("community", "xg");
    fang.id = id_of(u);
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1','door':'101','head':'张三'}");
    run(&fang, "household.update", NULL, h, "{'door':'102'}");
    run(&fang, "household.update", NULL, h, "{'door':'103','head':'李四'}");
#define UPDATE "{'id':'%s','command':'household.update','record':'%s','version':%d,'data':{'note':'x'}}"
    CHECK(run_json(NULL, &w.call, &e, UPDATE, new_id(), h, 1) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK_STR(str_z(e.arg[0]), "王芳");
    CHECK_STR(str_z(e.arg[1]), "Door, Head of household");
    CHECK(w.call.current && w.call.current->version == 3);
    CHECK(run_json(NULL, &w.call, &e, UPDATE, new_id(), h, 2) == -1);
    CHECK_STR(str_z(e.arg[1]), "Door, Head of household");
    CHECK(run_json(NULL, &w.call, &e, UPDATE, new_id(), h, 3) == 0);
    CHECK_INT(w.call.ret_version, 4);
    CHECK(!w.call.current);
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'household.remove','record':'%s','version':1}", new_id(), h) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    world_proves_itself();
    world_close();
}

TEST(an_update_without_a_change_makes_no_version) {
    world_make();
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1','door':'101','address':'西关街1号','member_since':null}");
    const char *r = run(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':'h1','phone':'13800138000'}");
    run(NULL, "household.update", NULL, h, "{'code':'h1','door':'101','address':'西关街1号'}");
    CHECK_INT(w.call.ret_version, 1);
    run(NULL, "household.update", "b1", h, "{}");
    CHECK_INT(record_of("household", h)->version, 1);
    /* A form sends the household again, by its id or its code. */
    run(NULL, "resident.update", NULL, r, "{'household':'%s','name':'张三','phone':'138-0013-8000'}", h);
    run(NULL, "resident.update", NULL, r, "{'household':'h1'}");
    CHECK_INT(record_of("resident", r)->version, 1);
    run(NULL, "resident.update", NULL, r, "{'household':'%s','name':'张三丰'}", h);
    CHECK_INT(record_of("resident", r)->version, 2);
    world_proves_itself();
    world_close();
}

TEST(a_record_follows_what_gives_it_its_area_and_stays_without_it) {
    world_make();
    run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    run(NULL, "household.create", "v1", NULL, "{'code':'h9'}");
    const char *r = run(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':'h1'}");
    CHECK(str_eq(record_of("resident", r)->path, path_of_area("b1")));
    run(NULL, "resident.update", NULL, r, "{'household':'h9'}");
    CHECK(str_eq(record_of("resident", r)->path, path_of_area("v1")));
    run(NULL, "resident.update", NULL, r, "{'household':null}");
    CHECK(str_eq(record_of("resident", r)->path, path_of_area("v1")));
    run(NULL, "resident.update", "xg", r, "{'household':'h1'}");
    CHECK(str_eq(record_of("resident", r)->path, path_of_area("xg")));
    world_proves_itself();
    world_close();
}

TEST(a_household_that_moves_takes_its_residents_along) {
    world_make();
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    const char *one = run(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':'h1','phone':'13800138000'}");
    const char *two = run(NULL, "resident.create", NULL, NULL, "{'name':'李四','household':'h1'}");
    const char *elsewhere = run(NULL, "resident.create", "v1", NULL, "{'name':'王五','household':'h1'}");
    run(NULL, "household.update", "b2", h, "{}");
    CHECK(id_eq(w.call.ret_record, id_of(h)));
    CHECK_INT(w.call.ret_version, 2);
    CHECK(str_eq(record_of("resident", one)->path, path_of_area("b2")));
    CHECK(str_eq(record_of("resident", two)->path, path_of_area("b2")));
    CHECK(str_eq(record_of("resident", elsewhere)->path, path_of_area("v1")));
    CHECK(strcmp(plain_of("resident", one, "phone"), "13800138000") == 0);
    /* Nobody moves people where he may not. */
    CHECK_INT(refused(somebody("community", "xg"), "household.update", "v1", h, "{}").msg, M_OUTSIDE_AREA);
    CHECK(str_eq(record_of("resident", one)->path, path_of_area("b2")));
    world_proves_itself();
    world_close();
}

TEST(required_unique_and_referring_fields_are_checked_together) {
    world_make();
    run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    const char *h2 = run(NULL, "household.create", "b1", NULL, "{'code':'h2'}");
    CHECK_INT(refused(NULL, "household.create", "b2", NULL, "{'code':'h1'}").msg, M_SAME_CODE);
    CHECK_INT(refused(NULL, "household.update", NULL, h2, "{'code':'h1'}").msg, M_SAME_CODE);
    refused(NULL, "member.create", "xg", NULL, "{'organisation':'nowhere','code':'m1'}");
    CHECK(w.call.errs.n >= 2);
    CHECK_STR(str_z(w.call.errs.e[0].field), "organisation");
    CHECK_STR(str_z(w.call.errs.e[1].field), "name");
    CHECK_STR(str_z(refused(NULL, "resident.create", NULL, NULL, "{'name':'甲','household':'h7'}").field), "household");
    CHECK_INT(refused(NULL, "resident.create", NULL, NULL, "{'name':'甲','household':'%s'}", new_id()).msg, M_NO_RECORD);
    /* A code that was given up may be taken. */
    run(NULL, "household.remove", NULL, h2, "{}");
    run(NULL, "household.create", "b1", NULL, "{'code':'h2'}");
    CHECK_INT(refused(NULL, "household.update", NULL, h2, "{'door':'1'}").code, ERR_NOT_FOUND);
    world_proves_itself();
    world_close();
}

TEST(a_reference_by_key_takes_the_key_as_people_write_it) {
    world_make();
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    const char *r = run(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':' h1 '}");
    CHECK(id_eq(record_get(record_of("resident", r), "household")->id, id_of(h)));
    CHECK_INT(refused(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':'h1x'}").msg, M_NO_RECORD);
    world_close();
}

TEST(a_sealed_value_given_again_is_no_change_and_a_new_one_is_found) {
    world_make();
    const char *r = run(NULL, "resident.create", "b1", NULL, "{'name':'张三','phone':'13800138000','note':'需要轮椅'}");
    const struct val sealed = *record_get(record_of("resident", r), "phone");
    run(NULL, "resident.update", NULL, r, "{'phone':'13800138000','note':'需要轮椅'}");
    CHECK_INT(record_of("resident", r)->version, 1);
    run(NULL, "resident.update", NULL, r, "{'phone':'13800138000','workplace':'学校'}");
    CHECK(val_eq(&sealed, record_get(record_of("resident", r), "phone")));
    run(NULL, "resident.update", NULL, r, "{'phone':'13900139000'}");
    CHECK(strcmp(plain_of("resident", r, "phone"), "13900139000") == 0);
    const struct kind *k = kind_by_name(STR("resident"));
    struct record *found;
    struct err e;
    struct db *db;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK_INT(record_find(db, w.s->id, &w.s->key, &w.a, k, (size_t)kind_field(k, STR("phone")), STR("13900139000"), &found, &e), 1);
    CHECK_INT(record_find(db, w.s->id, &w.s->key, &w.a, k, (size_t)kind_field(k, STR("phone")), STR("13800138000"), &found, &e), 0);
    site_reader_done(w.s, db);
    run(NULL, "resident.update", NULL, r, "{'phone':null}");
    CHECK(!record_has(record_of("resident", r), "phone"));
    world_proves_itself();
    world_close();
}

TEST(what_others_point_to_is_not_removed) {
    world_make();
    const char *m = run(NULL, "member.create", "xg", NULL, "{'name':'党员','code':'m1','roll':'member'}");
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1','member':'m1'}");
    const char *u = run(NULL, "user.create", NULL, NULL, "{'name':'王','login':'wang'}");
    const char *role = run(NULL, "user_role.create", "xg", NULL, "{'account':'%s','role':'community'}", u);
    CHECK_ERR(refused(NULL, "member.remove", NULL, m, "{}"), ERR_STATE);
    CHECK_ERR(refused(NULL, "user.remove", NULL, u, "{}"), ERR_STATE);
    run(NULL, "user_role.remove", NULL, role, "{}");
    run(NULL, "user.remove", NULL, u, "{}");
    run(NULL, "household.update", NULL, h, "{'member':null}");
    run(NULL, "member.remove", NULL, m, "{}");
    /* Scans stay when their gate goes. */
    const char *g = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','kind_of':'quarter_gate'}");
    run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'person','seen_at':'2020-02-10 11:00'}", g);
    run(NULL, "gate.remove", NULL, g, "{}");
    world_proves_itself();
    world_close();
}

/* ---- a removed record comes back ---- */

struct back {
    struct write_item item;
    const struct kind *kind;
    struct id id;
};

static int back_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct back *b = (struct back *)item;
    struct errs errs = {.a = tx->a};
    struct record *old;
    bool changed;
    tx->actor = &actor_system;
    tx->kind = b->kind;
    tx->verb = tx->command = "restore";
    tx->command_id = id_new(tx->now);
    if (record_load(tx->db, tx->site->id, tx->a, b->kind, b->id, &old, e) != 1) return -1;
    struct record *r = record_copy(tx->a, old);
    r->removed = false;
    return tx_update(tx, old, r, &changed, &errs, e);
}

static struct err restored(const char *kind, const char *id) {
    struct back b = {.item = {.run = back_run}, .kind = kind_by_name(str_z(kind)), .id = id_of(id)};
    struct err e = {0};
    writer_run(w.s, &b.item, &e);
    return e;
}

TEST(a_removed_record_comes_back_with_its_figures_unless_its_place_or_code_is_taken) {
    world_make();
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1'}"), *b1 = NULL;
    const char *r = run(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':'h1'}");
    run(NULL, "resident.remove", NULL, r, "{}");
    run(NULL, "household.remove", NULL, h, "{}");
    CHECK_ERR(restored("resident", r), ERR_INVALID); /* its household is gone */
    const char *again = run(NULL, "household.create", "b2", NULL, "{'code':'h1'}");
    CHECK_INT(restored("household", h).msg, M_SAME_CODE);
    run(NULL, "household.remove", NULL, again, "{}");
    CHECK_INT(restored("household", h).code, ERR_NONE);
    CHECK_INT(restored("resident", r).code, ERR_NONE);
    CHECK_INT(record_of("resident", r)->version, 3);
    CHECK_INT(records_of("household"), 1);
    world_proves_itself();
    run(NULL, "resident.remove", NULL, r, "{}");
    run(NULL, "household.remove", NULL, h, "{}");
    b1 = arena_printf(&w.a, "%s", id_text(record_of("household", h)->area, (char[ID_TEXT]){0}));
    run(NULL, "area.remove", NULL, b1, "{}");
    CHECK_ERR(restored("household", h), ERR_NOT_FOUND);
    CHECK_INT(restored("area", b1).code, ERR_NONE);
    CHECK_INT(restored("household", h).code, ERR_NONE);
    run(NULL, "household.create", "b1", NULL, "{}");
    world_proves_itself();
    world_close();
}
