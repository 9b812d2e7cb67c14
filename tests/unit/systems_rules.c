/* What each system's rules do to a record, through commands on a real site. */
#include "base/utf8.h"
#include "systems/keepers/protocol.h"
#include "systems/reports/reports.h"
#include "systems_help.h"

static struct desk desk;
static struct desk *d = &desk;

static struct str text_of(const char *kind, const char *id, const char *field) {
    return record_text(loaded(d, kind, id), field);
}

TEST(a_resident_takes_birth_date_and_gender_from_the_identity_number) {
    desk_open(d);
    const char *h = say(d, "household.create", "b1", NULL, "{'code':'b1-101','door':'101'}");
    const char *r = say(d, "resident.create", NULL, NULL, "{'name':'张三','household':'b1-101','id_number':'%s'}", id_number(d, "19700203", 1));
    CHECK_STR(text_of("resident", r, "birth_date"), "1970-02-03");
    CHECK_STR(text_of("resident", r, "gender"), "male");
    CHECK(id_eq(loaded(d, "resident", r)->area, loaded(d, "household", h)->area));
    struct err e = refused(d, "resident.create", "b1", NULL, "{'name':'李四','gender':'female','birth_date':'1970-02-04','id_number':'%s'}",
                           id_number(d, "19700203", 2));
    CHECK_STR(str_z(e.field), "birth_date");
    CHECK_INT(d->last.errs.n, 2);
    /* The number is sealed by now; the contradiction is still seen. */
    e = refused(d, "resident.update", NULL, r, "{'gender':'female'}");
    CHECK_STR(str_z(e.field), "gender");
    desk_proves_itself(d);
    desk_close(d);
}

#define SCAN "{'gate':'g1','seen_at':'%s','what':'person','temperature':%s}"
TEST(a_fever_at_the_gate_is_judged_by_the_protocol_of_that_day) {
    desk_open(d);
    say(d, "gate.create", "q1", NULL, "{'name':'东门','code':'g1','kind_of':'quarter_gate','since':'2020-01-25'}");
    const char *a = say(d, "gate_scan.create", NULL, NULL, SCAN, "2020-02-10 08:00", "37.3");
    const char *b = say(d, "gate_scan.create", NULL, NULL, SCAN, "2020-02-10 08:01", "37.2");
    CHECK_STR(text_of("gate_scan", a, "verdict"), "fever_clinic");
    CHECK_STR(text_of("gate_scan", b, "verdict"), "pass");
    say(d, "protocol.create", NULL, NULL, "{'name':'fever_threshold','value':37.0,'since':'2020-02-10','source':'本县'}");
    const char *c = say(d, "gate_scan.create", NULL, NULL, SCAN, "2020-02-10 08:02", "37.0");
    const char *before = say(d, "gate_scan.create", NULL, NULL, SCAN, "2020-02-09 08:02", "37.0");
    CHECK_STR(text_of("gate_scan", c, "verdict"), "fever_clinic");
    CHECK_STR(text_of("gate_scan", before, "verdict"), "pass");
    say(d, "gate_scan.create", NULL, NULL, "{'gate':'g1','seen_at':'2020-02-10 09:00','what':'vehicle','plate':'晋L12345','persons':4,'verdict':'turn_back'}");
    CHECK_INT(figure_of(d, "gate.persons", "jixian", "2020-02-10", NULL, NULL), 7);
    CHECK_INT(figure_of(d, "gate.vehicles", "jixian", "2020-02-10", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "gate.turned_back", "jixian", "2020-02-10", NULL, NULL), 4);
    CHECK_INT(figure_of(d, "gate.febrile", "jixian", "2020-02-10", NULL, NULL), 2);
    CHECK_INT(figure_of(d, "gate.febrile_by_gate", "q1", "2020-02-10", NULL, NULL), 2);
    CHECK_INT(figure_of(d, "gate.febrile_by_gate", "jixian", "2020-02-10", NULL, NULL), 0);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(the_newest_protocol_value_of_the_day_counts_else_the_sixth_edition) {
    struct db *db;
    struct err e;
    double v;
    day_t day;
    desk_open(d);
    say(d, "protocol.create", NULL, NULL, "{'name':'cluster_cases','value':5,'since':'2020-09-01'}");
    CHECK(site_reader(d->site, &db, &e) == 0);
    CHECK(day_from_iso(STR("2020-08-31"), &day));
    CHECK(protocol_value(db, d->site, "cluster_cases", day, &v, &e) == 0 && v == 2);
    CHECK(protocol_value(db, d->site, "cluster_cases", day + 1, &v, &e) == 0 && v == 5);
    CHECK(protocol_value(db, d->site, "fever_threshold", day, &v, &e) == 0 && v == 37.3);
    CHECK(protocol_value(db, d->site, "households_per_member", day, &v, &e) == 0 && v == 15);
    site_reader_done(d->site, db);
    desk_close(d);
}

#define VISIT "{'name':'张三','seen_at':'2020-02-01 09:00','disposition':'fever_clinic','temperature':38.1%s}"
TEST(triage_dates_stand_in_their_order) {
    desk_open(d);
    struct err e = refused(d, "triage_visit.create", "town", NULL, VISIT, ",'excluded_on':'2020-02-03'");
    CHECK_STR(str_z(e.field), "excluded_on");
    e = refused(d, "triage_visit.create", "town", NULL, VISIT, ",'isolated_on':'2020-01-31'");
    CHECK_STR(str_z(e.field), "isolated_on");
    e = refused(d, "triage_visit.create", "town", NULL, VISIT, ",'isolated_on':'2020-02-01','excluded_on':'2020-02-03','confirmed_on':'2020-02-03'");
    CHECK_STR(str_z(e.field), "excluded_on");
    const char *r = say(d, "triage_visit.create", "town", NULL, VISIT, ",'isolated_on':'2020-02-01'");
    CHECK_INT(record_int(loaded(d, "triage_visit", r), "febrile"), 1);
    say(d, "triage_visit.update", NULL, r, "{'confirmed_on':'2020-02-03'}");
    CHECK_INT(figure_of(d, "triage.visits", "jixian", "2020-02-01", "2020-02-03", NULL), 1);
    CHECK_INT(figure_of(d, "triage.to_fever_clinic", "jixian", "2020-02-01", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "triage.isolated", "jixian", "2020-02-01", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "triage.confirmed", "jixian", "2020-02-03", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "triage.excluded", "jixian", "2020-02-01", "2020-02-03", NULL), 0);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(a_case_goes_from_suspected_to_confirmed_and_is_closed_once) {
    desk_open(d);
    const char *c = say(d, "case.create", "xg", NULL,
                        "{'name':'王五','classification':'suspected','onset_date':'2020-02-01','diagnosed_at':'2020-02-03 10:00',"
                        "'reported_at':'2020-02-03 12:00','investigated_at':'2020-02-04 12:01'}");
    CHECK_INT(record_int(loaded(d, "case", c), "reported_in_time"), 1);
    CHECK_INT(record_int(loaded(d, "case", c), "investigated_in_time"), 0);
    CHECK(refused(d, "case.close", NULL, c, "{'outcome':'recovered'}").code == ERR_STATE);
    say(d, "case.confirm", NULL, c, "{'confirmed_at':'2020-02-05 23:00'}");
    CHECK(refused(d, "case.exclude", NULL, c, "{}").code == ERR_STATE);
    CHECK(refused(d, "case.confirm", NULL, c, "{}").code == ERR_STATE);
    CHECK_STR(str_z(refused(d, "case.transfer", NULL, c, "{'on':'2020-02-06'}").field), "to");
    say(d, "case.transfer", NULL, c, "{'to':'xian-8','on':'2020-02-06'}");
    say(d, "case.close", NULL, c, "{'outcome':'died','on':'2020-02-08'}");
    CHECK(refused(d, "case.close", NULL, c, "{'outcome':'recovered'}").code == ERR_STATE);
    CHECK_INT(figure_of(d, "case.suspected_total", "jixian", "2020-02-03", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "case.suspected_total", "jixian", "2020-02-02", NULL, NULL), 0);
    CHECK_INT(figure_of(d, "case.confirmed_total", "jixian", "2020-02-04", NULL, NULL), 0);
    CHECK_INT(figure_of(d, "case.confirmed_total", "jixian", "2020-02-09", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "case.confirmed_total", "rural", "2020-02-09", NULL, NULL), 0);
    CHECK_INT(figure_of(d, "case.confirmed_new", "jixian", "2020-02-05", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "case.transferred", "jixian", "2020-02-01", "2020-02-10", "to=xian-8"), 1);
    CHECK_INT(figure_of(d, "case.deaths_total", "jixian", "2020-02-08", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "case.by_onset", "jixian", "2020-02-01", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "case.reported_in_time_percent", "jixian", "2020-02-01", "2020-02-10", NULL), 100);
    CHECK_INT(figure_of(d, "case.investigated_in_time_percent", "jixian", "2020-02-01", "2020-02-10", NULL), 0);
    CHECK_INT(figure_of(d, "case.investigated_in_time_percent", "jixian", "2020-01-01", NULL, NULL), -1);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(a_line_list_that_says_confirmed_without_a_time_still_counts) {
    desk_open(d);
    say(d, "case.create", "xg", NULL, "{'name':'甲','classification':'confirmed','diagnosed_at':'2020-02-03 10:00'}");
    say(d, "case.create", "xg", NULL, "{'name':'乙','classification':'confirmed','outcome':'recovered'}");
    CHECK_INT(figure_of(d, "case.confirmed_new", "jixian", "2020-02-03", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "case.confirmed_total", "jixian", "2020-02-10", NULL, NULL), 2);
    desk_close(d);
}

/* ---- daily reports ---- */
static size_t missing_on(const char *area, const char *day, struct missing_report **list) {
    struct areas *t = site_areas(d->site);
    struct db *db;
    struct err e;
    size_t n;
    day_t on;
    CHECK(day_from_iso(str_z(day), &on));
    CHECK(site_reader(d->site, &db, &e) == 0);
    CHECK(reports_missing(db, d->site, &d->a, areas_by_code(t, str_z(area))->path, on, list, &n, &e) == 0);
    site_reader_done(d->site, db);
    areas_drop(t);
    return n;
}

static struct report_state state_on(const char *area, const char *day) {
    struct areas *t = site_areas(d->site);
    struct report_state st;
    struct db *db;
    struct err e;
    day_t on;
    CHECK(day_from_iso(str_z(day), &on));
    CHECK(site_reader(d->site, &db, &e) == 0);
    CHECK(reports_state(db, d->site, &d->a, areas_by_code(t, str_z(area))->path, on, &st, &e) == 0);
    site_reader_done(d->site, db);
    areas_drop(t);
    return st;
}

TEST(a_second_report_for_the_day_is_the_correction_of_the_first) {
    desk_open(d);
    say(d, "report_unit.create", "xg", NULL, "{'name':'西关社区居委会','code':'u1','since':'2020-02-01'}");
    const char *first = say(d, "daily_report.create", NULL, NULL, "{'unit':'u1','day':'2020-02-10','zero':true}");
    desk_clock(d, "2020-02-11 10:00");
    const char *second = say(d, "daily_report.create", NULL, NULL, "{'unit':'u1','day':'2020-02-10','febrile':2}");
    struct record *a = loaded(d, "daily_report", first), *b = loaded(d, "daily_report", second);
    CHECK_INT(record_int(a, "revision"), 1);
    CHECK_INT(record_int(a, "febrile"), 0);
    CHECK_INT(record_int(a, "on_time"), 1);
    CHECK(!record_has(a, "corrects"));
    CHECK_INT(record_int(b, "revision"), 2);
    CHECK_INT(record_int(b, "zero"), 0);
    CHECK_INT(record_int(b, "on_time"), 0);
    CHECK(id_eq(record_get(b, "corrects")->id, a->id));
    CHECK_STR(str_z(refused(d, "daily_report.update", NULL, first, "{'febrile':1}").field), "day");
    CHECK_INT(figure_of(d, "report.daily_submitted_percent", "jixian", "2020-02-10", NULL, NULL), 100);
    CHECK_INT(figure_of(d, "report.daily_submitted_percent", "jixian", "2020-02-09", "2020-02-10", NULL), 50);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(silence_is_not_zero) {
    desk_open(d);
    CHECK_STR(str_z(refused(d, "daily_report.create", "xg", NULL, "{'unit':'u1','day':'2020-02-10'}").field), "unit");
    say(d, "report_unit.create", "xg", NULL, "{'name':'西关社区','code':'u1','since':'2020-02-01'}");
    say(d, "report_unit.create", "v1", NULL, "{'name':'柏山寺村','code':'u2','since':'2020-02-01','due_minute':480}");
    say(d, "report_unit.create", "v1", NULL, "{'name':'未开始','code':'u3','since':'2020-02-12'}");
    CHECK_STR(str_z(refused(d, "daily_report.create", NULL, NULL, "{'unit':'u1','day':'2020-02-10'}").field), "zero");
    CHECK_STR(str_z(refused(d, "daily_report.create", NULL, NULL, "{'unit':'u1','day':'2020-02-10','zero':true,'confirmed':1}").field), "confirmed");
    say(d, "daily_report.create", NULL, NULL, "{'unit':'u2','day':'2020-02-08','zero':true}");
    struct missing_report *list;
    CHECK_INT(missing_on("jixian", "2020-02-09", &list), 2);
    CHECK_STR(list[0].code, "u1");
    CHECK(!list[0].last_on.p);
    CHECK_STR(list[1].name, "柏山寺村");
    CHECK_STR(list[1].last_on, "2020-02-08");
    CHECK_INT(list[1].due_minute, 480);
    CHECK_INT(missing_on("xg", "2020-02-09", &list), 1);
    /* 8 February was due on the 9th at 08:00; it came on the 10th. */
    struct report_state st = state_on("jixian", "2020-02-08");
    CHECK(st.due == 2 && st.submitted == 1 && st.late == 1);
    CHECK_INT(figure_of(d, "report.daily_submitted_percent", "jixian", "2020-02-08", NULL, NULL), 0);
    desk_proves_itself(d);
    desk_close(d);
}

/* ---- keepers ---- */
TEST(a_user_name_is_plain_and_unique) {
    desk_open(d);
    say(d, "user.create", NULL, NULL, "{'login':'wang.gang','name':'王刚'}");
    CHECK_STR(str_z(refused(d, "user.create", NULL, NULL, "{'login':'wang.gang','name':'王刚'}").field), "login");
    CHECK_STR(str_z(refused(d, "user.create", NULL, NULL, "{'login':'Wang','name':'王刚'}").field), "login");
    CHECK_STR(str_z(refused(d, "user.create", NULL, NULL, "{'login':'w','name':'王刚'}").field), "login");
    say(d, "user_role.create", "xg", NULL, "{'account':'wang.gang','role':'community'}");
    desk_proves_itself(d);
    desk_close(d);
}

static struct grant grant_of(const char *role, const char *area) {
    struct areas *t = site_areas(d->site);
    struct grant g = {role_by_name(str_z(role)), arena_str(&d->a, areas_by_code(t, str_z(area))->path)};
    areas_drop(t);
    return g;
}

TEST(nobody_assigns_outside_his_area_or_gives_away_more_than_he_has) {
    desk_open(d);
    const char *in = say(d, "household.create", "b1", NULL, "{'code':'h1'}"), *out = say(d, "household.create", "v1", NULL, "{'code':'h2'}");
    const char *m = say(d, "member.create", "xg", NULL, "{'name':'甲'}");
    say(d, "user.create", NULL, NULL, "{'login':'li','name':'李'}");
    struct grant g = grant_of("community", "xg");
    struct actor community = {.id = id_new(site_now(d->site)), .login = STR("li"), .name = STR("李"), .grants = &g, .n = 1};
    d->actor = &community;
    say(d, "household.assign", NULL, NULL, "{'member':'%s','households':['%s']}", m, in);
    CHECK(refused(d, "household.assign", NULL, NULL, "{'member':'%s','households':['%s','%s']}", m, in, out).code == ERR_FORBIDDEN);
    CHECK(!record_has(loaded(d, "household", out), "member"));
    CHECK(refused(d, "bulletin.issue", "xg", NULL, "{'since':'2020-02-10','until':'2020-02-10'}").code == ERR_FORBIDDEN);
    /* A keeper of users who is no administrator himself. */
    struct role keeper = {"keeper", {"用户管理", "Keeper"}, "user.* user_role.* area.read gate.read gate_scan.create gate_scan.read pass.verify"};
    struct grant k = {&keeper, grant_of("community", "jixian").path};
    struct actor of_users = {.id = community.id, .login = STR("wu"), .name = STR("吴"), .grants = &k, .n = 1};
    d->actor = &of_users;
    say(d, "user_role.create", "xg", NULL, "{'account':'li','role':'gate'}");
    CHECK_STR(str_z(refused(d, "user_role.create", "xg", NULL, "{'account':'li','role':'administrator'}").field), "role");
    CHECK_STR(str_z(refused(d, "user_role.create", "xg", NULL, "{'account':'li','role':'community'}").field), "role");
    desk_close(d);
}

static const char *open_duplicate(const char *a, const char *row) {
    struct buf b CLEANUP(buf_release) = BUF(4000);
    for (const char *c = row; *c; c++) buf_addf(&b, *c == '\'' ? "\\\"" : "%c", *c);
    return say(d, "duplicate.create", "b1", NULL, "{'kind':'resident','record_a':'%s','reason':'id_number','likeness':0.98,'candidate':'%s'}", a, b.p);
}

TEST(a_queued_row_is_merged_into_the_record_and_taken_back) {
    desk_open(d);
    const char *a = say(d, "resident.create", "b1", NULL, "{'name':'张三','phone':'13800000001','workplace':'果园'}");
    const char *q = open_duplicate(a, "{'name':'张三丰','phone':'13900000002','note':'已核'}");
    say(d, "duplicate.merge", NULL, q, "{}");
    CHECK_STR(text_of("resident", a, "name"), "张三丰");
    CHECK_STR(text_of("resident", a, "workplace"), "果园");
    CHECK_STR(text_of("duplicate", q, "state"), "merged");
    CHECK(refused(d, "duplicate.separate", NULL, q, "{}").code == ERR_STATE);
    /* What somebody changed since stays. */
    say(d, "resident.update", NULL, a, "{'name':'张叁'}");
    say(d, "duplicate.undo", NULL, q, "{}");
    CHECK_STR(text_of("resident", a, "name"), "张叁");
    CHECK(!record_has(loaded(d, "resident", a), "note"));
    say(d, "resident.open", NULL, a, "{'fields':['phone'],'reason':'核对合并'}");
    CHECK(str_find(d->last.ret_json, STR("13800000001")) >= 0);
    CHECK_STR(text_of("duplicate", q, "state"), "open");
    desk_proves_itself(d);
    desk_close(d);
}

TEST(a_queued_row_becomes_its_own_record_and_the_undo_takes_it_away) {
    desk_open(d);
    const char *a = say(d, "resident.create", "b1", NULL, "{'name':'张三'}");
    const char *q = open_duplicate(a, "{'name':'张三','workplace':'学校'}");
    CHECK_INT(figure_of(d, "grid.residents", "b1", "2020-02-10", NULL, NULL), 1);
    say(d, "duplicate.separate", NULL, q, "{}");
    CHECK_INT(figure_of(d, "grid.residents", "b1", "2020-02-10", NULL, NULL), 2);
    say(d, "duplicate.undo", NULL, q, "{}");
    CHECK_INT(figure_of(d, "grid.residents", "b1", "2020-02-10", NULL, NULL), 1);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(two_households_become_one_with_the_residents_of_both_and_two_again) {
    desk_open(d);
    const char *a = say(d, "household.create", "b1", NULL, "{'code':'h1','door':'101'}");
    const char *b = say(d, "household.create", "b1", NULL, "{'code':'h2','door':'101','head':'张三'}");
    const char *r = say(d, "resident.create", NULL, NULL, "{'name':'张三','household':'h2'}");
    const char *q = say(d, "duplicate.create", "b1", NULL, "{'kind':'household','record_a':'%s','record_b':'%s','reason':'name_birth_address'}", a, b);
    say(d, "duplicate.merge", NULL, q, "{}");
    CHECK_STR(text_of("household", a, "head"), "张三");
    CHECK_STR(text_of("household", a, "code"), "h1");
    CHECK(loaded(d, "household", b)->removed);
    CHECK(id_eq(record_get(loaded(d, "resident", r), "household")->id, loaded(d, "household", a)->id));
    CHECK_INT(figure_of(d, "grid.households", "b1", "2020-02-10", NULL, NULL), 1);
    desk_proves_itself(d);
    say(d, "duplicate.undo", NULL, q, "{}");
    CHECK_STR(text_of("duplicate", q, "record_b"), b);
    CHECK(!loaded(d, "household", b)->removed);
    CHECK_STR(text_of("household", b, "code"), "h2");
    CHECK_STR(text_of("household", b, "head"), "张三");
    CHECK(!record_has(loaded(d, "household", a), "head"));
    CHECK(id_eq(record_get(loaded(d, "resident", r), "household")->id, loaded(d, "household", b)->id));
    CHECK_INT(figure_of(d, "grid.households", "b1", "2020-02-10", NULL, NULL), 2);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(a_bulletin_keeps_its_figures_and_the_next_is_another_revision) {
    desk_open(d);
    say(d, "case.create", "xg", NULL, "{'name':'甲','classification':'confirmed','confirmed_at':'2020-02-09 10:00'}");
    const char *first = say(d, "bulletin.issue", "jixian", NULL, "{'since':'2020-02-10','until':'2020-02-10'}");
    say(d, "case.create", "xg", NULL, "{'name':'乙','classification':'confirmed','confirmed_at':'2020-02-10 10:00'}");
    const char *second = say(d, "bulletin.issue", "jixian", NULL, "{'since':'2020-02-10','until':'2020-02-10','note':'更正'}");
    CHECK(str_find(text_of("bulletin", first, "figures"), STR("{\"id\":\"case.confirmed_total\",\"unit\":\"count\",\"value\":1,")) >= 0);
    CHECK(str_find(text_of("bulletin", second, "figures"), STR("{\"id\":\"case.confirmed_total\",\"unit\":\"count\",\"value\":2,")) >= 0);
    CHECK_INT(record_int(loaded(d, "bulletin", second), "revision"), 2);
    CHECK_STR(str_z(refused(d, "bulletin.create", "jixian", NULL, "{'since':'2020-02-10','until':'2020-02-10'}").field), "figures");
    CHECK_STR(str_z(refused(d, "bulletin.issue", "jixian", NULL, "{'since':'2020-02-10','until':'2020-02-09'}").field), "until");
    desk_proves_itself(d);
    desk_close(d);
}
