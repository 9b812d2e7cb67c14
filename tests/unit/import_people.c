/* Whom a row means, what is queued for a decision, what is refused. */
#include "import_help.h"

static struct run *people(struct site *s, const char *rows) {
    static char text[4000];
    snprintf(text, sizeof text, "姓名,身份证号,出生日期,手机号,楼栋,房号\n%s", rows);
    return import_text(s, "resident", "people.csv", text, NULL);
}

/* All values of the table `duplicate` are sealed or plain; the first open one. */
static struct record *queued(struct site *s, struct arena *a) {
    const struct kind *k = kind_by_name(STR("duplicate"));
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct record *r = NULL;
    struct db *db;
    struct err e;
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(db_query(db, &kind_sql(k)->scan, &rows, &e, VINT(s->id), VID((struct id){{0}}), VINT(100)) == 0);
    while (!r && rows_next(rows, &e) == 1) {
        struct record *q = arena_new(a, struct record, 1);
        record_read(a, k, rows, q);
        if (!q->removed && str_eq(record_text(q, "state"), STR("open"))) r = q;
    }
    rows_done(TAKE(rows));
    site_reader_done(s, db);
    return r;
}

static int decide(struct site *s, struct arena *a, const char *command, struct id record) {
    struct err e;
    const struct command *c = command_by_name(str_z(command));
    struct command_call call = {.a = a, .actor = &actor_system, .id = id_new(site_now(s)), .verb = VERB_OTHER, .kind = c->kind, .command = c,
                                .name = c->name, .record = record};
    return command_do(s, &call, &e);
}

TEST(the_same_identity_number_is_the_same_person) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    const char *id = id_number("19800101", 1);
    CHECK_COUNTS(people(s, arena_printf(&a, "张三,%s,,13800000001,b3,501\n", id)), 1, 0, 0, 0, 0);
    CHECK_COUNTS(people(s, arena_printf(&a, "张三,%s,,13800000009,,\n", id)), 0, 1, 0, 0, 0);
    struct record *r = the(s, &a, "resident", "张三");
    CHECK_STR(str_z(plain(s, &a, r, "phone")), "13800000009");
    CHECK_INT(r->version, 2);
    CHECK(record_has(r, "household")); /* an empty cell says nothing */
    /* A slip of the pen is put right; another name is not. */
    CHECK_COUNTS(people(s, arena_printf(&a, "张山,%s,,,,\n", id)), 0, 1, 0, 0, 0);
    CHECK_COUNTS(people(s, arena_printf(&a, "欧阳修远,%s,,,,\n", id)), 0, 0, 0, 1, 0);
    CHECK_INT(count_records(s, "resident"), 1);
    CHECK_STR(record_text(queued(s, &a), "reason"), "id_number");
}

TEST(people_without_a_number_are_known_by_name_birth_and_place) {
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(people(s, "王芳,,1990/5/6,,b3,301\n"), 1, 0, 0, 0, 0);
    CHECK_COUNTS(people(s, "王 芳,,1990年5月6日,,b3,301\n"), 0, 0, 1, 0, 0);
    CHECK_COUNTS(people(s, "王芳,,1990-05-06,13912345678,b3,\n"), 0, 1, 0, 0, 0);
    /* elsewhere, or written otherwise, or only the same phone: for a person to decide */
    CHECK_COUNTS(people(s, "王芳,,1990-05-06,,b4,201\n"), 0, 0, 0, 1, 0);
    CHECK_COUNTS(people(s, "王方,,1990-05-06,,b4,202\n"), 0, 0, 0, 1, 0);
    CHECK_COUNTS(people(s, "赵强,,1960-01-01,13912345678,b4,203\n"), 0, 0, 0, 1, 0);
    /* the family shares a phone; another birth date is another person */
    CHECK_COUNTS(people(s, "李小明,,2015-01-01,13912345678,b3,301\n"), 1, 0, 0, 0, 0);
    CHECK_COUNTS(people(s, "王芳,,1971-05-06,,b4,204\n"), 1, 0, 0, 0, 0);
    CHECK_INT(count_records(s, "resident"), 3);
    CHECK_INT(count_records(s, "duplicate"), 3);
    /* namesakes in one house, as long as something tells them apart */
    CHECK_COUNTS(people(s, "张伟,,,13700000001,b4,801\n张伟,,,13700000002,b4,802\n张伟,,,,b4,803\n"), 2, 0, 0, 1, 0);
}

TEST(two_numbers_are_two_people_whatever_else_agrees) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(people(s, arena_printf(&a, "张一,%s,,13800000001,b3,501\n张二,%s,,13800000001,b3,501\n张一,%s,,13800000001,b4,1\n", id_number("19800101", 1),
                                        id_number("19800101", 3), id_number("19800101", 5))),
                 3, 0, 0, 0, 0);
}

TEST(a_queued_row_is_queued_once_and_its_decision_stands) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(people(s, "王芳,,1990-05-06,,b3,301\n"), 1, 0, 0, 0, 0);
    const char *again = "王芳,,1990-05-06,13912345678,b4,201\n";
    CHECK_COUNTS(people(s, again), 0, 0, 0, 1, 0);
    int64_t seq = journal_seq(s);
    CHECK_COUNTS(people(s, again), 0, 0, 0, 1, 0);
    CHECK_INT(journal_seq(s), seq);
    CHECK_INT(count_records(s, "duplicate"), 1);
    struct record *q = queued(s, &a);
    CHECK_STR(record_text(q, "file"), "people.csv");
    CHECK_INT(record_int(q, "file_row"), 2);
    CHECK(str_find(str_z(plain(s, &a, q, "candidate")), STR("13912345678")) > 0);
    CHECK(decide(s, &a, "duplicate.separate", q->id) == 0);
    CHECK_INT(count_records(s, "resident"), 2);
    CHECK_COUNTS(people(s, again), 0, 0, 1, 0, 0);
    CHECK_INT(count_records(s, "resident"), 2);
}

TEST(a_merged_row_does_not_come_back) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(people(s, "王芳,,1990-05-06,,b3,301\n"), 1, 0, 0, 0, 0);
    CHECK_COUNTS(people(s, "王方,,1990-05-06,13912345678,b4,201\n"), 0, 0, 0, 1, 0);
    CHECK(decide(s, &a, "duplicate.merge", queued(s, &a)->id) == 0);
    struct run *r = people(s, "王方,,1990-05-06,13912345678,b4,201\n");
    CHECK_COUNTS(r, 0, 0, 1, 0, 0);
    CHECK_INT(count_records(s, "resident"), 1);
}

TEST(the_same_number_twice_in_a_file_with_another_content_is_refused) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    const char *id = id_number("19800101", 1);
    struct run *r = people(s, arena_printf(&a, "张三,%s,,13800000001,b3,501\n张三,%s,,13800000001,b3,501\n张三,%s,,13800000002,b3,501\n", id, id, id));
    CHECK_COUNTS(r, 1, 0, 1, 0, 1);
    CHECK_INT(r->r.problems[0].row, 4);
    CHECK(str_find(r->r.problems[0].reason, STR("第 2 行")) > 0);
}

TEST(what_contradicts_the_number_is_refused_and_leaves_no_household) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    int64_t seq = journal_seq(s);
    struct run *r = people(s, arena_printf(&a, "张三,%s,1980-02-02,,b3,501\n,%s,,,b3,502\n", id_number("19800101", 1), id_number("19800101", 2)));
    CHECK_COUNTS(r, 0, 0, 0, 0, 2);
    CHECK_STR(r->r.problems[0].column, "出生日期");
    CHECK_STR(r->r.problems[1].column, "姓名");
    CHECK_INT(count_records(s, "household"), 0);
    CHECK_INT(journal_seq(s), seq);
}

TEST(a_household_is_found_by_its_code_its_door_or_its_head) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(import_text(s, "household", "h.csv", "户编号,房号,户主,楼栋\nh1,501,张三,b3\n,502,李四,b3\n,,王五,东关社区\n", NULL), 3, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "household", "h.csv", "户编号,房号,户主,楼栋\nh1,501,张三,b3\n,502,李四,b3\n,,王五,东关社区\n", NULL), 0, 0, 3, 0, 0);
    const char *file = "姓名,户编号,楼栋,房号,户主,社区,与户主关系\n甲,h1,,,,,\n乙,,b3,502,,,\n丙,,,,王五,东关社区,\n丁,h9,b4,601,,,户主\n戊,,b4,601,,,\n己,h8,,,,,\n";
    struct run *r = import_text(s, "resident", "r.csv", file, NULL);
    CHECK_COUNTS(r, 5, 0, 0, 0, 1);
    CHECK_INT(count_records(s, "household"), 4);
    CHECK_STR(record_text(the(s, &a, "household", "丁"), "code"), "h9");
    struct record *head = the(s, &a, "household", "王五");
    CHECK(id_eq(record_get(the(s, &a, "resident", "丙"), "household")->id, head->id));
    CHECK(id_eq(record_get(the(s, &a, "resident", "丁"), "household")->id, record_get(the(s, &a, "resident", "戊"), "household")->id));
    CHECK_COUNTS(import_text(s, "resident", "r.csv", file, NULL), 0, 0, 5, 0, 1);
}

TEST(places_are_found_as_people_say_them) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    static const struct {
        const char *heading, *cells, *code;
    } cases[] = {
        {"社区,小区,楼栋", "西关,幸福小区,3栋", "b3"},
        {"街道,社区,楼栋", "城镇,东关社区,3", "d3"},
        {"所属区域", "城镇/西关社区/幸福小区/4号楼", "b4"},
        {"所属区域", "吉县 › 城镇 › 东关社区", "dg"},
        {"区域编号,所属区域", "b3,随便写", "b3"},
        {"县,社区,小区,楼栋,单元,房号", "吉县,西关社区,幸福,4#,2,501", "b4"},
        {"省,县,社区", "山西省,吉县,西关社区", "xg"},
        {"楼栋", "4幢", "b4"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = arena_printf(&a, "人%zu", i);
        struct run *r = import_text(s, "resident", "p.csv", arena_printf(&a, "姓名,%s\n%s,%s\n", cases[i].heading, name, cases[i].cells), NULL);
        CHECK_COUNTS(r, 1, 0, 0, 0, 0);
        struct areas *t = site_areas(s);
        CHECK_STR(areas_by_id(t, the(s, &a, "resident", name)->area)->code, cases[i].code);
        areas_drop(t);
    }
    struct run *r = import_text(s, "resident", "p.csv", "姓名,楼栋,社区\n甲,3号楼,\n乙,9号楼,西关社区\n丙,3号楼,南关社区\n", NULL);
    CHECK_COUNTS(r, 0, 0, 0, 0, 3);
    CHECK(str_find(r->r.problems[0].reason, STR("多个")) > 0);
    CHECK_STR(r->r.problems[1].column, "楼栋");
}

TEST(organisations_members_and_their_references) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    const char *file = "名称,编号,组织类型,社区\n第一党支部,o1,党支部,西关社区\n突击队,,突击队,西关社区\n突击队,,突击队,东关社区\n";
    CHECK_COUNTS(import_text(s, "organisation", "o.csv", file, NULL), 3, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "organisation", "o.csv", file, NULL), 0, 0, 3, 0, 0);
    const char *members = "姓名,所在党支部,手机号,最多包联户数\n张三,第一党支部,13800000001,15户\n李四,o1,13800000002,\n王五,突击队,,\n赵六,没有的,,\n";
    struct run *r = import_text(s, "member", "m.csv", members, NULL);
    CHECK_COUNTS(r, 2, 0, 0, 0, 2);
    CHECK(str_find(r->r.problems[0].reason, STR("多个")) > 0);
    CHECK_INT(record_int(the(s, &a, "member", "张三"), "households_most"), 15);
    CHECK_COUNTS(import_text(s, "member", "m.csv", members, NULL), 0, 0, 2, 0, 2);
    const char *duty = "人员,岗位,楼栋,起始日期\n张三,楼栋长,b3,2020-02-01\n张三,楼栋长,b4,2020-02-01\n";
    CHECK_COUNTS(import_text(s, "assignment", "d.csv", duty, NULL), 2, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "assignment", "d.csv", duty, NULL), 0, 0, 2, 0, 0);
    CHECK_COUNTS(import_text(s, "assignment", "d.csv", "人员,岗位,楼栋,起始日期,结束日期\n张三,楼栋长,b3,2020-02-01,2020-02-09\n", NULL), 0, 1, 0, 0, 0);
}

TEST(events_are_told_apart_by_what_they_say_and_land_once) {
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(import_text(s, "gate", "g.csv", "卡点名称,编号,卡点类型,社区\n西门,g1,小区门,西关社区\n", NULL), 1, 0, 0, 0, 0);
    const char *scans = "卡点,时间,对象,体温（℃）,车牌\n西门,2020-02-09 08:00,人员,36.5,\ng1,2020/2/9 8:00,人员,36.5,\ng1,2020/2/9 8:00,人员,36.5,\n"
                        "西门,2020年2月9日 9时05分,车辆,37.5℃,晋L12345\n西门,2021-01-01 08:00,人员,36.5,\n西门,2020-02-09 10:00,人员,56,\n";
    CHECK_COUNTS(import_text(s, "gate_scan", "s.csv", scans, NULL), 4, 0, 0, 0, 2);
    CHECK_INT(count_records(s, "gate_scan"), 4);
    int64_t seq = journal_seq(s);
    CHECK_COUNTS(import_text(s, "gate_scan", "s.csv", scans, NULL), 0, 0, 4, 0, 2);
    CHECK_INT(journal_seq(s), seq);
    const char *visits = "姓名,就诊时间,体温,去向,收入隔离日期\n张三,2020-02-08 10:00,38.2,发热门诊,\n";
    CHECK_COUNTS(import_text(s, "triage_visit", "v.csv", visits, NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "triage_visit", "v.csv", "姓名,就诊时间,体温,去向,收入隔离日期\n张三,2020-02-08 10:00,38.2,发热门诊,2020-02-08\n", NULL), 0, 1, 0, 0, 0);
    CHECK_INT(count_records(s, "triage_visit"), 1);
}

TEST(a_second_report_of_a_day_is_a_correction_and_the_same_file_none) {
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(import_text(s, "report_unit", "u.csv", "填报单位,编号\n县医院,u1\n", NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "daily_report", "d.csv", "填报单位,报告日期,发热人数\n县医院,2020-02-09,3\n", NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "daily_report", "d.csv", "填报单位,报告日期,发热人数\n县医院,2020-02-09,3\n", NULL), 0, 0, 1, 0, 0);
    CHECK_COUNTS(import_text(s, "daily_report", "d.csv", "填报单位,报告日期,发热人数\n县医院,2020-02-09,4\n", NULL), 1, 0, 0, 0, 0);
    CHECK_INT(count_records(s, "daily_report"), 2);
}

TEST(a_dry_run_tells_what_the_run_then_does_and_writes_nothing) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(people(s, "王芳,,1990-05-06,,b3,301\n"), 1, 0, 0, 0, 0);
    const char *file = arena_printf(&a, "姓名,身份证号,出生日期,楼栋,房号\n王芳,,1990-05-06,b3,301\n王方,,1990-05-06,b3,301\n张三,%s,,b4,101\n李四,,,b4,101\n赵六,123,,b4,1\n",
                                    id_number("19800101", 1));
    struct import_options dry = {DEFAULT_OPTIONS, .dry_run = true, .refused_path = in_dir("no.csv")};
    int64_t seq = journal_seq(s);
    struct run *r = import_text(s, "resident", "p.csv", file, &dry);
    CHECK_COUNTS(r, 2, 0, 1, 1, 1);
    CHECK_INT(r->r.problems_n, 1);
    CHECK_INT(r->r.refused_file.n, 0);
    CHECK_INT(journal_seq(s), seq);
    CHECK_INT(count_records(s, "resident"), 1);
    CHECK_INT(count_records(s, "household"), 1);
    CHECK_COUNTS(import_text(s, "resident", "p.csv", file, NULL), 2, 0, 1, 1, 1);
    CHECK_INT(count_records(s, "household"), 2);
    const char *tree = "编号,名称,层级,上级\nnc,新村,村,cz\nn1,一号楼,楼栋,新村\n";
    CHECK_COUNTS(import_text(s, "area", "a.csv", tree, &dry), 2, 0, 0, 0, 0);
    CHECK_INT(count_records(s, "area"), 8);
    CHECK_COUNTS(import_text(s, "area", "a.csv", tree, NULL), 2, 0, 0, 0, 0);
}

TEST(who_may_not_import_does_not) {
    struct site *s CLEANUP(site_closep) = county();
    struct areas *t = site_areas(s);
    struct grant grants[] = {{role_by_name(STR("community")), areas_by_code(t, STR("xg"))->path}};
    struct grant gate[] = {{role_by_name(STR("gate")), areas_by_code(t, STR("xg"))->path}};
    struct actor community = {.id = {{1}}, .grants = grants, .n = 1}, guard = {.id = {{2}}, .grants = gate, .n = 1};
    struct import_options o = {.actor = &community, .area = "xg"};
    CHECK_COUNTS(import_text(s, "resident", "r.csv", "姓名,出生日期,楼栋\n张三,1990-01-01,b3\n李四,1990-01-01,d3\n", &o), 1, 0, 0, 0, 1);
    o.area = NULL;
    CHECK_COUNTS(import_text(s, "resident", "r.csv", "姓名,出生日期,区域编号\n王五,1990-01-01,d3\n", &o), 0, 0, 0, 0, 1);
    /* 3号楼 is one building to who sees only one of them. */
    CHECK_COUNTS(import_text(s, "resident", "r.csv", "姓名,出生日期,楼栋\n赵六,1991-01-01,3号楼\n", &o), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "organisation", "r.csv", "名称,组织类型\n志愿队,队伍\n", &o), 1, 0, 0, 0, 0);
    CHECK(import_text(s, "user", "r.csv", "姓名,用户名\n张三,zs\n", &o)->status != 0);
    CHECK(import_text(s, "case", "r.csv", "姓名,分类\n张三,确诊\n", &o)->status != 0);
    o.actor = &guard;
    struct run *r = import_text(s, "resident", "r.csv", "姓名,楼栋\n张三,b3\n", &o);
    CHECK(r->status && r->e.code == ERR_FORBIDDEN);
    areas_drop(t);
}
