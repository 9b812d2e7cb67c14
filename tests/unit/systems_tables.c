/* The tables agree with each other and with the figures of the field. */
#include "systems/keepers/protocol.h"
#include "systems_help.h"

/* Ids and labels as the field's list of indicators has them. */
static const struct {
    const char *id, *zh, *en;
} indicators[] = {
    {"report.daily_submitted_percent", "日报告上报率", "Daily reports submitted"}, {"org.organisations", "基层组织", "Organisations"},
    {"org.branches", "党支部", "Branches"}, {"org.temporary_branches", "临时党支部", "Temporary branches"},
    {"org.temporary_groups", "临时党小组", "Temporary groups"}, {"org.groups", "党小组", "Groups"}, {"org.working_groups", "工作组", "Working groups"},
    {"org.members", "成员", "Members"}, {"org.members_active", "在岗成员", "Members active"}, {"org.staff", "工作人员", "Staff"},
    {"org.staff_mobilised", "投入人员", "Staff mobilised"}, {"org.staff_requests", "请战人数", "Requests to serve"},
    {"org.assigned", "派驻人员", "Assigned"}, {"org.reported_in", "报到", "Reported in"}, {"org.applications", "递交申请", "Applications"},
    {"org.institutions", "机构", "Institutions"}, {"team.teams", "队伍", "Teams"}, {"team.members", "队员", "Team members"},
    {"grid.communities", "社区", "Communities"},
    {"grid.quarters", "小区", "Residential quarters"}, {"grid.buildings", "楼栋", "Buildings"}, {"grid.households", "户", "Households"},
    {"grid.residents", "居民", "Residents"}, {"grid.buildings_covered_percent", "楼栋包联率", "Buildings covered"},
    {"grid.households_covered_percent", "户包联率", "Households covered"},
    {"grid.villages_with_all_teams", "六队齐全的村", "Villages with all six teams"},
    {"grid.communities_with_doctor", "有驻点医生的社区", "Communities with a doctor"},
    {"grid.communities_with_seconded_staff", "有下沉干部的社区", "Communities with seconded staff"},
    {"grid.streets_with_area_leader", "有包片领导的街道", "Streets with an area leader"},
    {"grid.townships_with_checkpoint", "设卡乡镇", "Townships with a checkpoint"}, {"gate.posts", "卡点", "Gates and checkpoints"},
    {"gate.vehicles", "检查车辆", "Vehicles checked"}, {"gate.persons", "检查人员", "Persons checked"}, {"gate.turned_back", "劝返", "Turned back"},
    {"gate.febrile", "卡点发热", "Febrile at gates"}, {"triage.visits", "预检分诊", "Pre-checked"}, {"triage.to_fever_clinic", "转发热门诊", "To fever clinic"},
    {"triage.isolated", "收入隔离病区", "Admitted to isolation"}, {"triage.excluded", "排除", "Excluded"}, {"triage.confirmed", "确诊", "Confirmed"},
    {"case.suspected_total", "累计疑似", "Suspected, cumulative"}, {"case.confirmed_total", "累计确诊", "Confirmed, cumulative"},
    {"case.confirmed_new", "新增确诊", "Confirmed, new"}, {"case.deaths_total", "累计死亡", "Deaths, cumulative"}, {"case.transferred", "转院", "Transferred"},
    {"case.reported_in_time_percent", "2小时内报告率", "Reported within the clock"},
    {"case.investigated_in_time_percent", "24小时流调率", "Investigated within the clock"},
};

static void start(void) {
    registry_load(systems_all);
    record_tables_build();
    figures_build();
}

TEST(every_indicator_of_these_systems_is_a_figure_under_its_own_label) {
    start();
    for (size_t i = 0; i < COUNT(indicators); i++) {
        const struct figure *f = figure_by_id(str_z(indicators[i].id));
        if (!f) unit_fail(__FILE__, __LINE__, "no figure %s", indicators[i].id);
        CHECK(!f->hidden);
        CHECK_STR(str_z(f->label.zh), indicators[i].zh);
        CHECK_STR(str_z(f->label.en), indicators[i].en);
    }
}

TEST(every_figure_compiles_and_stands_in_the_order_of_the_bulletin) {
    static const char *const order[] = {"case", "triage", "gate", "grid", "people", "org", "team", "report"};
    start();
    size_t at = 0;
    const struct figure *f;
    for (size_t i = 0; (f = figure_at(i)); i++) {
        struct str family = str_z(f->id), rest = family;
        str_cut(&rest, '.', &family);
        if (str_eq(family, STR("people")) && at < 4) at = 4;
        size_t j = 0;
        while (j < COUNT(order) && !str_eqz(family, order[j])) j++;
        CHECK(j < COUNT(order));
        bool mixed = j >= 3 && j <= 6;
        CHECK(mixed || j >= at);
        if (!mixed) at = j;
    }
}

TEST(every_field_code_and_command_is_labelled_in_both_languages) {
    start();
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)); i++) {
        CHECK(k->label.zh && k->label.en);
        for (size_t j = 0; j < k->n; j++) {
            const struct field *f = &k->fields[j];
            CHECK(f->label.zh && f->label.en);
            for (const struct code *c = f->codes ? f->codes->codes : NULL; c && c->value; c++) CHECK(c->label.zh && c->label.en);
        }
    }
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)); i++) CHECK(c->label.zh && c->label.en && str_starts(str_z(c->name), str_z(c->kind->name)));
}

static bool label_taken(const struct kind *k, size_t before, struct str heading) {
    for (size_t j = 0; j < before; j++) {
        struct str rest = str_z(k->fields[j].also), one;
        if (str_eqz(heading, k->fields[j].label.zh) || str_eqz(heading, k->fields[j].label.en) || str_eqz(heading, k->fields[j].name)) return true;
        while (str_cut(&rest, '|', &one))
            if (str_eq(one, heading)) return true;
    }
    return false;
}

TEST(no_two_fields_of_a_kind_are_found_by_the_same_heading) {
    start();
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)); i++)
        for (size_t j = 0; j < k->n; j++) {
            struct str rest = str_z(k->fields[j].also), one;
            if (label_taken(k, j, str_z(k->fields[j].label.zh))) unit_fail(__FILE__, __LINE__, "%s: %s twice", k->name, k->fields[j].label.zh);
            if (label_taken(k, j, str_z(k->fields[j].label.en))) unit_fail(__FILE__, __LINE__, "%s: %s twice", k->name, k->fields[j].label.en);
            while (str_cut(&rest, '|', &one))
                if (label_taken(k, j, one)) unit_fail(__FILE__, __LINE__, "%s: %.*s twice", k->name, STR_FMT(one));
        }
}

TEST(kinds_that_hold_people_say_why) {
    start();
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)); i++)
        for (size_t j = 0; j < k->n; j++)
            if (k->fields[j].flags & (PERSONAL | SEALED) && !(k->purpose && strchr(k->purpose, '|')))
                unit_fail(__FILE__, __LINE__, "%s.%s is personal and %s has no purpose", k->name, k->fields[j].name, k->name);
}

/* What counts must outlive the person's data, or a recount would differ after the erasure. */
TEST(no_figure_rests_on_a_personal_field) {
    start();
    const struct figure *f;
    for (size_t i = 0; (f = figure_at(i)); i++) {
        struct str rest = str_z(f->when), cond;
        while (f->when && str_cut(&rest, '&', &cond)) {
            size_t n = 0;
            cond = str_trim(cond);
            while (n < cond.n && !strchr("!?=<>", cond.p[n])) n++;
            int field = kind_field(f->kind, str_trim(str_sub(cond, 0, n)));
            CHECK(field >= 0);
            if (f->kind->fields[field].flags & (PERSONAL | SEALED)) unit_fail(__FILE__, __LINE__, "%s rests on %.*s", f->id, STR_FMT(cond));
        }
        const char *const days[] = {f->on, f->until, f->sum};
        for (size_t j = 0; j < COUNT(days); j++)
            CHECK(!days[j] || !(f->kind->fields[kind_field(f->kind, str_z(days[j]))].flags & (PERSONAL | SEALED)));
    }
}

TEST(column_names_do_not_clash_with_the_systems_own) {
    static const char *const taken[] = {"site", "id", "version", "area", "path", "created_at", "created_by", "updated_at", "updated_by", "removed",
                                        "extra", "batch", "search_key", "search_initials", "from", "to", "at", "user", "order", "group", "when", "end"};
    start();
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)); i++)
        for (size_t j = 0; j < k->n; j++)
            for (size_t t = 0; t < COUNT(taken); t++) CHECK(strcmp(k->fields[j].name, taken[t]) != 0);
}
