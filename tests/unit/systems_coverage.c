/* The grid's figures: who is covered, by whom, since when. */
#include "systems_help.h"

static struct desk desk;
static struct desk *d = &desk;

static void member(const char *code, const char *roll, const char *extra) {
    say(d, "member.create", "town", NULL, "{'name':'党员%s','code':'%s','roll':'%s'%s}", code, code, roll, extra);
}

static const char *id_of_member(const char *code) {
    struct db *db;
    struct err e;
    struct record *r;
    char id[ID_TEXT];
    const struct kind *k = kind_by_name(STR("member"));
    CHECK(site_reader(d->site, &db, &e) == 0);
    CHECK(record_find(db, d->site->id, &d->site->key, &d->a, k, (size_t)kind_field(k, STR("code")), str_z(code), &r, &e) == 1);
    site_reader_done(d->site, db);
    return arena_printf(&d->a, "%s", id_text(r->id, id));
}

TEST(coverage_of_a_past_day_stays_when_a_member_hands_over) {
    desk_open(d);
    member("m1", "member", "");
    member("m2", "member", "");
    desk_clock(d, "2020-02-05 08:00");
    const char *a = say(d, "household.create", "b1", NULL, "{'code':'h1','since':'2020-01-01'}");
    const char *b = say(d, "household.create", "b1", NULL, "{'code':'h2','since':'2020-01-01'}");
    say(d, "household.assign", NULL, NULL, "{'member':'%s','households':['%s','%s']}", id_of_member("m1"), a, b);
    CHECK_STR(d->last.ret_json, "\"changed\":2");
    desk_clock(d, "2020-02-08 08:00");
    say(d, "household.assign", NULL, NULL, "{'member':'%s','households':['%s']}", id_of_member("m2"), a);
    say(d, "household.assign", NULL, NULL, "{'member':null,'households':['%s']}", b);
    CHECK_STR(record_text(loaded(d, "household", a), "member_since"), "2020-02-08");
    CHECK_STR(record_text(loaded(d, "household", a), "covered_since"), "2020-02-05");
    CHECK_STR(record_text(loaded(d, "household", b), "covered_until"), "2020-02-08");
    CHECK_INT(figure_of(d, "grid.households_covered_percent", "jixian", "2020-02-04", NULL, NULL), 0);
    CHECK_INT(figure_of(d, "grid.households_covered_percent", "jixian", "2020-02-07", NULL, NULL), 100);
    CHECK_INT(figure_of(d, "grid.households_covered_percent", "jixian", "2020-02-08", NULL, NULL), 50);
    /* A household that moves out is neither counted nor covered. */
    say(d, "household.update", NULL, a, "{'until':'2020-02-09'}");
    CHECK_INT(figure_of(d, "grid.households", "jixian", "2020-02-09", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "grid.households_covered_percent", "jixian", "2020-02-09", NULL, NULL), 0);
    say(d, "household.update", NULL, a, "{'until':null}");
    CHECK_INT(figure_of(d, "grid.households_covered_percent", "jixian", "2020-02-09", NULL, NULL), 50);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(a_roster_may_say_since_when_a_household_is_covered) {
    desk_open(d);
    member("m1", "member", "");
    say(d, "household.create", "b1", NULL, "{'code':'h1','member':'m1','member_since':'2020-01-28'}");
    say(d, "household.create", "b2", NULL, "{'code':'h2','member':'m1'}");
    CHECK_INT(figure_of(d, "grid.households_covered", "jixian", "2020-01-28", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "grid.households_covered", "jixian", "2020-02-10", NULL, NULL), 2);
    CHECK_INT(figure_of(d, "grid.buildings_covered_percent", "town", "2020-02-09", NULL, NULL), 50);
    CHECK_INT(figure_of(d, "grid.buildings_covered_percent", "town", "2020-02-10", NULL, NULL), 100);
    CHECK_STR(str_z(refused(d, "household.assign", NULL, NULL, "{'member':null}").field), "households");
    CHECK_STR(str_z(refused(d, "household.assign", NULL, NULL, "{'households':['x']}").field), "households");
    desk_proves_itself(d);
    desk_close(d);
}

TEST(a_building_with_its_own_head_is_covered) {
    desk_open(d);
    member("m1", "member", "");
    CHECK_INT(figure_of(d, "grid.buildings", "jixian", "2020-02-10", NULL, NULL), 2);
    say(d, "assignment.create", "b2", NULL, "{'member':'m1','role':'building_head','since':'2020-02-01','until':'2020-02-09'}");
    CHECK_INT(figure_of(d, "grid.buildings_covered_percent", "jixian", "2020-02-05", NULL, NULL), 50);
    CHECK_INT(figure_of(d, "grid.buildings_covered_percent", "jixian", "2020-02-09", NULL, NULL), 0);
    desk_close(d);
}

TEST(distinct_people_are_counted_once_however_many_posts_they_hold) {
    desk_open(d);
    member("m1", "member", "");
    member("m2", "member", "");
    member("s1", "staff", ",'asked_to_serve_on':'2020-02-03'");
    say(d, "assignment.create", "b1", NULL, "{'member':'m1','role':'building_head'}");
    say(d, "assignment.create", "b2", NULL, "{'member':'m1','role':'building_head','since':'2020-02-09'}");
    say(d, "assignment.create", "v1", NULL, "{'member':'m2','role':'village_first_secretary'}");
    say(d, "assignment.create", "xg", NULL, "{'member':'s1','role':'doctor'}");
    CHECK_INT(figure_of(d, "org.members_active", "jixian", "2020-02-10", NULL, NULL), 2);
    CHECK_INT(figure_of(d, "org.members_active", "town", "2020-02-10", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "org.staff_mobilised", "jixian", "2020-02-10", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "org.staff_requests", "jixian", "2020-02-01", "2020-02-10", NULL), 1);
    CHECK_INT(figure_of(d, "org.assigned", "jixian", "2020-02-10", NULL, NULL), 3);
    CHECK_INT(figure_of(d, "org.assigned", "jixian", "2020-02-10", NULL, "role=building_head"), 1);
    CHECK_INT(figure_of(d, "org.members", "jixian", "2020-02-10", NULL, NULL), 2);
    CHECK_INT(figure_of(d, "grid.communities_with_doctor", "jixian", "2020-02-10", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "grid.communities_with_seconded_staff", "jixian", "2020-02-10", NULL, NULL), 0);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(a_village_needs_all_six_teams) {
    static const char *const duties[] = {"entry_check", "dissuasion", "disinfection", "patrol", "errands", "publicity"};
    desk_open(d);
    for (size_t i = 0; i < COUNT(duties); i++) {
        CHECK_INT(figure_of(d, "grid.villages_with_all_teams", "jixian", "2020-02-10", NULL, NULL), 0);
        say(d, "organisation.create", "v1", NULL, "{'name':'%s','type':'task_force','duty':'%s','since':'2020-02-01'}", duties[i], duties[i]);
    }
    CHECK_INT(figure_of(d, "grid.villages_with_all_teams", "jixian", "2020-02-10", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "grid.villages_with_all_teams", "jixian", "2020-01-31", NULL, NULL), 0);
    CHECK_INT(figure_of(d, "grid.villages_with_all_teams", "town", "2020-02-10", NULL, NULL), 0);
    desk_close(d);
}

TEST(a_township_with_an_open_gate_anywhere_below_has_a_checkpoint) {
    desk_open(d);
    say(d, "area.create", NULL, NULL, "{'name':'壶口镇','code':'t1','level':'township','parent':'rural'}");
    say(d, "area.create", NULL, NULL, "{'name':'车城乡','code':'t2','level':'township','parent':'rural'}");
    say(d, "area.create", NULL, NULL, "{'name':'南村','code':'v2','level':'village','parent':'t1'}");
    say(d, "gate.create", "v2", NULL, "{'name':'村口','kind_of':'village_road','since':'2020-02-01','until':'2020-02-20'}");
    CHECK_INT(figure_of(d, "grid.townships_with_checkpoint", "jixian", "2020-02-01", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "grid.townships_with_checkpoint", "jixian", "2020-01-31", NULL, NULL), 0);
    CHECK_INT(figure_of(d, "grid.townships_with_checkpoint", "jixian", "2020-02-20", NULL, NULL), 0);
    CHECK_INT(figure_of(d, "gate.posts", "jixian", "2020-02-10", NULL, "kind=village_road"), 1);
    member("m1", "staff", "");
    say(d, "assignment.create", "t2", NULL, "{'member':'m1','role':'area_leader'}");
    CHECK_INT(figure_of(d, "grid.streets_with_area_leader", "jixian", "2020-02-10", NULL, NULL), 1);
    desk_proves_itself(d);
    desk_close(d);
}

TEST(organisations_are_counted_by_type_place_kind_and_state) {
    desk_open(d);
    say(d, "organisation.create", "q1", NULL, "{'name':'小区临时党支部','type':'temporary_branch','placed_at':'quarter'}");
    say(d, "organisation.create", "b1", NULL, "{'name':'楼栋党小组','type':'temporary_group','placed_at':'building'}");
    say(d, "organisation.create", "xg", NULL, "{'name':'西关诊所','type':'institution','kind_of':'clinic','state':'reopened'}");
    say(d, "organisation.create", "xg", NULL, "{'name':'一队','code':'liaoning-3','type':'medical_team','kind_of':'medical'}");
    say(d, "member.create", NULL, NULL, "{'name':'甲','organisation':'liaoning-3','role':'doctor','roll':'staff'}");
    say(d, "member.create", NULL, NULL, "{'name':'乙','organisation':'liaoning-3','role':'nurse','roll':'staff'}");
    CHECK_INT(figure_of(d, "org.organisations", "jixian", "2020-02-10", NULL, NULL), 4);
    CHECK_INT(figure_of(d, "org.temporary_branches", "town", "2020-02-10", NULL, "at=quarter"), 1);
    CHECK_INT(figure_of(d, "org.groups", "town", "2020-02-10", NULL, "at=building"), 1);
    CHECK_INT(figure_of(d, "org.temporary_groups", "town", "2020-02-10", NULL, NULL), 1);
    CHECK_INT(figure_of(d, "org.institutions", "town", "2020-02-10", NULL, "kind=clinic;state=reopened"), 1);
    CHECK_INT(figure_of(d, "team.teams", "town", "2020-02-10", NULL, "kind=medical"), 1);
    CHECK_INT(figure_of(d, "team.members", "town", "2020-02-10", NULL, NULL), 2);
    CHECK_INT(figure_of(d, "team.members", "town", "2020-02-10", NULL, "kind=medical;team=liaoning-3;role=doctor"), 1);
    say(d, "report_in.create", "q1", NULL, "{'name':'县税务局','what':'unit','accepted_on':'2020-02-01'}");
    say(d, "report_in.create", "q1", NULL, "{'name':'丙','what':'member','role':'leader','accepted_on':'2020-02-01','ended_on':'2020-02-09'}");
    say(d, "report_in.create", "q1", NULL, "{'name':'丁','what':'member'}");
    CHECK_INT(figure_of(d, "org.reported_in", "town", "2020-02-05", NULL, "what=member"), 1);
    CHECK_INT(figure_of(d, "org.reported_in", "town", "2020-02-05", NULL, "what=member;role=leader"), 1);
    CHECK_INT(figure_of(d, "org.reported_in", "town", "2020-02-10", NULL, NULL), 1);
    say(d, "application.create", "q1", NULL, "{'name':'戊','received_on':'2020-02-03'}");
    CHECK_INT(figure_of(d, "org.applications", "jixian", "2020-02-01", "2020-02-10", NULL), 1);
    desk_proves_itself(d);
    desk_close(d);
}
