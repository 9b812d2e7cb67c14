#include "systems/grid/grid.h"

#include "systems/org/org.h"
#include "systems/rules.h"

/* ---- areas ---- */
CODE_LIST(area_levels, {"nation", {"国家", "Nation"}}, {"province", {"省", "Province"}}, {"city", {"市", "City"}},
          {"county", {"县（区）", "County or district"}}, {"group", {"片区", "Group of areas"}}, {"township", {"乡镇（街道）", "Township"}},
          {"street", {"街道", "Street"}}, {"community", {"社区", "Community"}}, {"village", {"村", "Village"}},
          {"quarter", {"小区", "Residential quarter"}}, {"building", {"楼栋", "Building"}}, {"unit", {"单元", "Unit"}},
          {"post", {"岗位", "Post"}});

static const struct field area_fields[] = {
    {"name", F_NAME, {"名称", "Name"}, .also = "区域名称|区域|Area|Area name", .max = 60, .flags = REQUIRED | SEARCH | LIST},
    {"code", F_TEXT, {"编号", "Code"}, .also = "区域编号|区划代码|代码|Area code", .max = 80, .flags = REQUIRED | KEY | UNIQUE | SEARCH | LIST},
    {"level", F_CODE, {"层级", "Level"}, .also = "级别|类型|Type", .codes = &area_levels, .flags = REQUIRED | INDEXED | LIST},
    {"parent", F_REF, {"上级区域", "Parent area"}, .also = "上级|所属|所属区域|Parent", .ref = "area", .flags = INDEXED | LIST},
    {"property_management", F_CODE, {"物业", "Property management"}, .also = "有无物业", .codes = &yes_no_codes},
    {"x", F_REAL, {"经度", "Longitude"}, .also = "lon|lng", .unit = "°", .min = -180, .max = 180},
    {"y", F_REAL, {"纬度", "Latitude"}, .also = "lat", .unit = "°", .min = -90, .max = 90},
    {"since", F_DATE, {"启用日期", "Since"}, .also = "起始日期|开始日期"},
    {"until", F_DATE, {"停用日期", "Until"}, .also = "结束日期|终止日期"},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 500},
};

static const struct kind area_kind = {
    .name = "area", .label = {"区域", "Area"}, FIELDS(area_fields), .flags = KIND_TREE | KIND_NO_AREA, .derive = derive_period,
};

/* ---- households ---- */
CODE_LIST(care_reasons, {"elderly_alone", {"独居老人", "Elderly living alone"}}, {"chronic", {"慢性病", "Chronic illness"}},
          {"children_left_alone", {"留守儿童", "Children left alone"}}, {"pregnant", {"孕产妇", "Pregnancy"}},
          {"disability", {"残疾", "Disability"}}, {"poverty", {"生活困难", "Hardship"}}, {"quarantine", {"居家隔离", "Quarantine at home"}},
          {"front_line_family", {"一线人员家庭", "Family of front-line staff"}});

static const struct field household_fields[] = {
    {"door", F_TEXT, {"门牌（房号）", "Door"}, .also = "房号|门牌|门牌号|室号|户室|Room|Door number", .max = 60, .flags = LIST},
    {"code", F_TEXT, {"户编号", "Household code"}, .also = "户号|编号|家庭编号|Household|Code", .max = 80, .flags = KEY | UNIQUE | LIST},
    {"head", F_NAME, {"户主", "Head of household"}, .also = "户主姓名|Head", .max = 60, .flags = PERSONAL | SEARCH | LIST},
    {"address", F_TEXT, {"详细地址", "Address"}, .also = "地址|住址|家庭住址", .max = 300, .flags = SEALED},
    {"member", F_REF, {"包联责任人", "Responsible member"}, .also = "包联人|包户党员|责任人|联系人编号|Member", .ref = "member", .flags = INDEXED | LIST},
    {"member_since", F_DATE, {"包联起始日期", "Responsible since"}, .also = "包联日期"},
    {"covered_since", F_DATE, {"有人包联起", "Covered since"}, .flags = READ_ONLY},
    {"covered_until", F_DATE, {"有人包联止", "Covered until"}, .flags = READ_ONLY},
    {"care", F_CODES, {"帮扶原因", "Reasons for care"}, .also = "重点户类型|困难类型|Care", .codes = &care_reasons, .flags = PERSONAL},
    {"x", F_REAL, {"经度", "Longitude"}, .also = "lon|lng", .unit = "°", .min = -180, .max = 180},
    {"y", F_REAL, {"纬度", "Latitude"}, .also = "lat", .unit = "°", .min = -90, .max = 90},
    {"since", F_DATE, {"入住日期", "Since"}, .also = "起始日期|登记日期"},
    {"until", F_DATE, {"迁出日期", "Until"}, .also = "搬离日期|结束日期"},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 500, .flags = SEALED},
};

static void set_day(const struct tx *tx, struct record *r, const char *field, day_t d) {
    char text[DAY_TEXT];
    record_set_text(r, field, arena_str(tx->a, str_z(day_text(d, text))));
}

/* Who covers it, since when without a gap, and until when. */
static void household_coverage(const struct tx *tx, const struct record *old, struct record *r) {
    const struct val none = VNULL, *was = old ? record_get(old, "member") : &none, *is = record_get(r, "member");
    bool handed_over = !val_eq(was, is), dated = old && !val_eq(record_get(old, "member_since"), record_get(r, "member_since"));
    if (is->type == V_NULL) {
        record_set_null(r, "member_since");
        if (was->type != V_NULL) set_day(tx, r, "covered_until", tx->today);
        return;
    }
    if (!record_has(r, "member_since") || (handed_over && old && !dated)) set_day(tx, r, "member_since", tx->today);
    if (was->type == V_NULL || !record_has(r, "covered_since") || (dated && !handed_over))
        record_set_text(r, "covered_since", record_text(r, "member_since"));
    if (record_has(r, "until")) record_set_text(r, "covered_until", record_text(r, "until"));
    else record_set_null(r, "covered_until");
}

static int household_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)e;
    rule_period(tx, r, errs);
    household_coverage(tx, old, r);
    return 0;
}

const struct kind household_kind = {
    .name = "household", .label = {"户", "Household"}, FIELDS(household_fields), .derive = household_derive,
    .purpose = "防控排查：入户走访、包联服务与居家隔离保障所需的住户名册|Epidemic control: the roster for visits, help and quarantine at home",
};

/* ---- who answers for an area ---- */
CODE_LIST(assignment_roles, {"general_director", {"总指导员", "General director"}}, {"chief_grid_head", {"总网格长", "Chief grid head"}},
          {"instructor", {"指导员", "Instructor"}}, {"grid_head", {"网格长", "Grid head"}},
          {"grid_worker_1", {"一级网格员", "First-level grid worker"}}, {"grid_worker_2", {"二级网格员", "Second-level grid worker"}},
          {"building_head", {"楼栋长", "Building head"}}, {"village_first_secretary", {"驻村第一书记", "Village first secretary"}},
          {"village_work_team", {"驻村工作队", "Village work team"}}, {"area_leader", {"包片领导", "Area leader"}},
          {"seconded_staff", {"下沉干部", "Seconded staff"}}, {"doctor", {"驻点医生", "Doctor"}}, {"nurse", {"护士", "Nurse"}},
          {"duty", {"值守", "On duty"}}, {"entry_check", {"出入检查", "Entry checks"}}, {"dissuasion", {"劝返", "Dissuasion"}},
          {"disinfection", {"消毒", "Disinfection"}}, {"patrol", {"巡查", "Patrol"}}, {"errands", {"代办服务", "Errands"}},
          {"publicity", {"宣传", "Publicity"}}, {"other", {"其他", "Other"}});

static const struct field assignment_fields[] = {
    {"member", F_REF, {"人员", "Member"}, .also = "成员|党员|责任人|姓名", .ref = "member", .flags = REQUIRED | INDEXED | LIST},
    {"role", F_CODE, {"岗位", "Role"}, .also = "职责|角色|网格角色", .codes = &assignment_roles, .flags = REQUIRED | INDEXED | LIST},
    {"since", F_DATE, {"起始日期", "Since"}, .also = "上岗日期|开始日期", .flags = LIST},
    {"until", F_DATE, {"结束日期", "Until"}, .also = "离岗日期|终止日期", .flags = LIST},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 300},
};
const struct kind assignment_kind = {
    .name = "assignment", .label = {"包联上岗", "Assignment"}, FIELDS(assignment_fields), .area_from = "member", .derive = derive_period,
    .purpose = "防控排查：公布各网格的责任人|Epidemic control: who answers for which area",
};

/* ---- household.assign ---- */
static int assign_one(struct tx *tx, struct command_call *call, struct id id, struct val member, int64_t *changed, struct err *e) {
    struct record *old;
    bool did;
    TRY(tx_load(tx, &household_kind, id, &old, e));
    struct record *r = record_copy(tx->a, old);
    *record_val(r, "member") = member;
    TRY(tx_update(tx, old, r, &did, &call->errs, e));
    *changed += did;
    return 0;
}

static int household_assign(struct tx *tx, struct command_call *call, struct err *e) {
    const struct json *list = call->data ? json_get(call->data, "households") : NULL;
    struct id id, member;
    int64_t changed = 0;
    TRY(command_id(call, "member", false, &member, e));
    if (!list || list->type != JSON_ARRAY) return err_set(e, ERR_INVALID, "households", M_REQUIRED);
    if (list->count > HOUSEHOLDS_AT_ONCE) return err_set(e, ERR_INVALID, "households", M_TOO_MANY, arena_printf(tx->a, "%d", HOUSEHOLDS_AT_ONCE));
    for (const struct json *j = list->first; j; j = j->next) {
        if (j->type != JSON_STRING || !id_parse(j->text, &id)) return err_set(e, ERR_INVALID, "households", M_TYPE_ID);
        TRY(assign_one(tx, call, id, id_is_nil(member) ? VNULL : VID(member), &changed, e));
    }
    call->ret_json = str_z(arena_printf(tx->a, "\"changed\":%lld", (long long)changed));
    return 0;
}

static const struct command commands[] = {
    {"household.assign", {"指定包联责任人", "Assign households"}, &household_kind, household_assign},
};

/* ---- figures ---- */
enum {
#define S(n, ...) ST_##n,
#define C(n, ...)
#include "systems/grid/grid_stmts.inc"
#undef S
    ST__COUNT
};
static struct stmt stmts[] = {
#define S(n, ...) STMT(n, __VA_ARGS__),
#include "systems/grid/grid_stmts.inc"
#undef S
#undef C
};
static struct check checks[] = {
#define S(n, ...)
#define C(n, ...) {#n, STMT(n, __VA_ARGS__)},
#include "systems/grid/grid_stmts.inc"
#undef S
#undef C
};

#define BY_LEVEL(level) .unit = "count", .how = STOCK, .kind = &area_kind, .on = "since", .until = "until", .when = "level=" level
#define ASKED(of, name) .unit = "count", .how = QUERY, .kind = &of, .query = &stmts[ST_##name], .rows = &stmts[ST_##name##_rows]

static const struct figure figures[] = {
    {"grid.communities", {"社区", "Communities"}, BY_LEVEL("community")},
    {"grid.villages", {"村", "Villages"}, BY_LEVEL("village"), .hidden = true},
    {"grid.quarters", {"小区", "Residential quarters"}, BY_LEVEL("quarter"), .cuts = "property_management"},
    {"grid.buildings", {"楼栋", "Buildings"}, BY_LEVEL("building")},
    {"grid.households", {"户", "Households"}, "count", STOCK, &household_kind, "since", "until"},
    {"grid.households_covered", {"有人包联户", "Households covered"}, "count", STOCK, &household_kind, "covered_since", "covered_until",
     .when = "covered_since?", .hidden = true},
    {"grid.assignments", {"包联上岗人次", "Assignments"}, "count", STOCK, &assignment_kind, "since", "until", .cuts = "role", .hidden = true},
    {"grid.buildings_covered", {"有人包联楼栋", "Buildings covered"}, ASKED(area_kind, buildings_covered), .hidden = true},
    {"grid.buildings_covered_percent", {"楼栋包联率", "Buildings covered"}, "percent", RATIO, &area_kind,
     .part = "grid.buildings_covered", .whole = "grid.buildings"},
    {"grid.households_covered_percent", {"户包联率", "Households covered"}, "percent", RATIO, &household_kind,
     .part = "grid.households_covered", .whole = "grid.households"},
    {"grid.villages_with_all_teams", {"六队齐全的村", "Villages with all six teams"}, ASKED(area_kind, villages_with_all_teams)},
    {"grid.communities_with_doctor", {"有驻点医生的社区", "Communities with a doctor"}, ASKED(area_kind, communities_with_doctor)},
    {"grid.communities_with_seconded_staff", {"有下沉干部的社区", "Communities with seconded staff"}, ASKED(area_kind, communities_with_seconded_staff)},
    {"grid.streets_with_area_leader", {"有包片领导的街道", "Streets with an area leader"}, ASKED(area_kind, streets_with_area_leader)},
    {"grid.townships_with_checkpoint", {"设卡乡镇", "Townships with a checkpoint"}, ASKED(area_kind, townships_with_checkpoint)},
};

static const struct kind *const kinds[] = {&area_kind, &household_kind, &assignment_kind, NULL};
const struct system grid_system = {
    .name = "grid", .label = {"网格", "Grid"}, .kinds = kinds,
    .commands = commands, .commands_n = COUNT(commands), .figures = figures, .figures_n = COUNT(figures),
    .stmts = stmts, .stmts_n = COUNT(stmts), .checks = checks, .checks_n = COUNT(checks),
};
