#include "systems/org/org.h"

#include "systems/grid/grid.h"
#include "systems/rules.h"

/* ---- organisations ---- */
CODE_LIST(organisation_types, {"committee", {"党委", "Committee"}}, {"branch", {"党支部", "Branch"}},
          {"temporary_branch", {"临时党支部", "Temporary branch"}}, {"group", {"党小组", "Group"}},
          {"temporary_group", {"临时党小组", "Temporary group"}}, {"working_group", {"工作组", "Working group"}},
          {"task_force", {"突击队", "Task force"}}, {"brigade", {"大队", "Brigade"}}, {"team", {"队伍", "Team"}},
          {"medical_team", {"医疗队", "Medical team"}}, {"company", {"企业", "Company"}}, {"institution", {"机构", "Institution"}},
          {"unit", {"单位", "Unit"}});
CODE_LIST(organisation_places, {"quarter", {"小区", "Residential quarter"}}, {"building", {"楼栋", "Building"}}, {"village", {"村", "Village"}},
          {"checkpoint", {"卡点", "Checkpoint"}}, {"hospital", {"医院", "Hospital"}}, {"enterprise", {"企业", "Enterprise"}},
          {"headquarters", {"指挥部", "Headquarters"}}, {"other", {"其他", "Other"}});
CODE_LIST(organisation_kinds, {"community_health_service", {"社区卫生服务机构", "Community health service"}}, {"clinic", {"诊所", "Clinic"}},
          {"hospital", {"医院", "Hospital"}}, {"fever_clinic", {"发热门诊", "Fever clinic"}}, {"pharmacy", {"药店", "Pharmacy"}},
          {"school", {"学校", "School"}}, {"outbreak_response", {"流调应急", "Outbreak response"}}, {"inspection", {"监督检查", "Inspection"}},
          {"medical", {"医疗", "Medical"}}, {"spring_farming", {"春耕服务", "Spring farming"}},
          {"production_support", {"复工复产服务", "Production support"}}, {"volunteer", {"志愿服务", "Volunteers"}}, {"other", {"其他", "Other"}});
CODE_LIST(team_duties, {"entry_check", {"出入检查", "Entry checks"}}, {"dissuasion", {"劝返", "Dissuasion"}},
          {"disinfection", {"消毒", "Disinfection"}}, {"patrol", {"巡查", "Patrol"}}, {"errands", {"代办服务", "Errands"}},
          {"publicity", {"宣传", "Publicity"}});
CODE_LIST(organisation_states, {"active", {"正常", "Active"}}, {"reopened", {"已恢复", "Reopened"}}, {"suspended", {"停业", "Suspended"}});

static const struct field organisation_fields[] = {
    {"name", F_NAME, {"名称", "Name"}, .also = "组织名称|单位名称|机构名称|党支部名称|Organisation|Organization", .max = 100, .flags = REQUIRED | SEARCH | LIST},
    {"code", F_TEXT, {"编号", "Code"}, .also = "组织编号|代码|统一社会信用代码", .max = 80, .flags = KEY | UNIQUE | SEARCH},
    {"type", F_CODE, {"组织类型", "Type"}, .also = "类型|类别", .codes = &organisation_types, .flags = REQUIRED | INDEXED | LIST},
    {"placed_at", F_CODE, {"设在", "Set up at"}, .also = "所在|设立地点|At", .codes = &organisation_places, .flags = LIST},
    {"kind_of", F_CODE, {"业务类别", "Kind"}, .also = "机构类别|队伍类别", .codes = &organisation_kinds, .flags = INDEXED | LIST},
    {"duty", F_CODE, {"承担任务", "Duty"}, .also = "任务|职责", .codes = &team_duties},
    {"state", F_CODE, {"状态", "State"}, .also = "营业状态", .codes = &organisation_states, .flags = LIST},
    {"parent", F_REF, {"上级组织", "Parent organisation"}, .also = "上级|隶属", .ref = "organisation", .flags = INDEXED},
    {"since", F_DATE, {"成立日期", "Since"}, .also = "起始日期|设立日期", .flags = LIST},
    {"until", F_DATE, {"撤销日期", "Until"}, .also = "结束日期"},
    {"contact", F_NAME, {"联系人", "Contact"}, .also = "负责人|书记", .max = 60, .flags = PERSONAL},
    {"phone", F_PHONE, {"联系电话", "Phone"}, .also = "电话|手机", .flags = SEALED},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 500},
};

static int organisation_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    (void)e;
    rule_period(tx, r, errs);
    if (!record_has(r, "state")) record_set_text(r, "state", STR("active"));
    const struct val *parent = record_get(r, "parent");
    if (parent->type == V_ID && id_eq(parent->id, r->id)) rule_refuse(errs, "parent", M_CYCLE);
    return 0;
}

const struct kind organisation_kind = {
    .name = "organisation", .label = {"组织机构", "Organisation"}, FIELDS(organisation_fields), .derive = organisation_derive,
    .purpose = "防控排查：组织体系与联系人|Epidemic control: who is organised where, and whom to call",
};

/* ---- members, staff, volunteers ---- */
CODE_LIST(member_rolls, {"member", {"党员", "Member"}}, {"staff", {"工作人员", "Staff"}}, {"volunteer", {"志愿者", "Volunteer"}});
CODE_LIST(member_roles, {"secretary", {"书记", "Secretary"}}, {"deputy", {"副书记", "Deputy secretary"}}, {"committee", {"委员", "Committee member"}},
          {"group_leader", {"组长", "Group leader"}}, {"leader", {"领导", "Leader"}}, {"ordinary", {"普通成员", "Ordinary"}},
          {"doctor", {"医生", "Doctor"}}, {"nurse", {"护士", "Nurse"}}, {"public_health", {"公卫人员", "Public health"}},
          {"laboratory", {"检验人员", "Laboratory"}}, {"driver", {"驾驶员", "Driver"}}, {"other", {"其他", "Other"}});

static const struct field member_fields[] = {
    {"name", F_NAME, {"姓名", "Name"}, .also = "党员姓名|人员姓名|Full name", .max = 60, .flags = REQUIRED | PERSONAL | SEARCH | LIST},
    {"code", F_TEXT, {"编号", "Code"}, .also = "人员编号|工号", .max = 80, .flags = KEY | UNIQUE | SEARCH},
    {"roll", F_CODE, {"身份", "Roll"}, .also = "人员类别|类别", .codes = &member_rolls, .flags = INDEXED | LIST},
    {"role", F_CODE, {"职务", "Role"}, .also = "岗位|职责", .codes = &member_roles, .flags = LIST},
    {"organisation", F_REF, {"所在组织", "Organisation"}, .also = "所在党支部|支部|单位|Organization", .ref = "organisation", .flags = INDEXED | LIST},
    {"id_number", F_ID_NUMBER, {"身份证号", "Identity number"}, .also = "身份证|身份证号码|公民身份号码|证件号码|ID number", .flags = SEALED | FIND},
    {"phone", F_PHONE, {"手机号", "Phone"}, .also = "电话|手机|联系电话|手机号码|Mobile", .flags = SEALED | FIND},
    {"gender", F_CODE, {"性别", "Gender"}, .also = "Sex", .codes = &gender_codes},
    {"since", F_DATE, {"加入日期", "Since"}, .also = "起始日期|入职日期"},
    {"until", F_DATE, {"离开日期", "Until"}, .also = "结束日期"},
    {"households_most", F_INT, {"最多包联户数", "Most households"}, .also = "包联上限", .unit = "户", .min = 0, .max = 500},
    {"available", F_BOOL, {"可派岗", "Available"}, .also = "是否可用"},
    {"oath_on", F_DATE, {"宣誓日期", "Oath"}, .also = "宣誓", .flags = PAST},
    {"asked_to_serve_on", F_DATE, {"请战日期", "Asked to serve on"}, .also = "请战|请战时间", .flags = PAST},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 500},
};

static int member_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    rule_period(tx, r, errs);
    if (!record_has(r, "roll")) record_set_text(r, "roll", STR("member"));
    return rule_identity(tx, r, errs, e);
}

const struct kind member_kind = {
    .name = "member", .label = {"人员", "Member"}, FIELDS(member_fields), .area_from = "organisation", .derive = member_derive,
    .purpose = "防控排查：一线人员调度|Epidemic control: who can be sent where",
};

/* ---- applications to join ---- */
CODE_LIST(application_states, {"received", {"已收到", "Received"}}, {"accepted", {"已接收", "Accepted"}}, {"declined", {"未接收", "Declined"}});

static const struct field application_fields[] = {
    {"name", F_NAME, {"姓名", "Name"}, .also = "申请人", .max = 60, .flags = REQUIRED | PERSONAL | SEARCH | LIST},
    {"organisation", F_REF, {"所属组织", "Organisation"}, .also = "所在党支部|支部|Organization", .ref = "organisation", .flags = INDEXED | LIST},
    {"received_on", F_DATE, {"收到日期", "Received on"}, .also = "申请日期|递交日期", .flags = REQUIRED | PAST | LIST},
    {"state", F_CODE, {"状态", "State"}, .codes = &application_states, .flags = INDEXED | LIST},
};

static int application_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)tx, (void)old, (void)errs, (void)e;
    if (!record_has(r, "state")) record_set_text(r, "state", STR("received"));
    return 0;
}

static const struct kind application_kind = {
    .name = "application", .label = {"入党申请", "Application"}, FIELDS(application_fields), .area_from = "organisation", .derive = application_derive,
    .purpose = "防控排查：一线递交的申请|Applications handed in at the front", .retention_days = 365,
};

/* ---- figures ---- */
enum {
#define S(n, ...) ST_##n,
#include "systems/org/org_stmts.inc"
#undef S
    ST__COUNT
};
static struct stmt stmts[] = {
#define S(n, ...) STMT(n, __VA_ARGS__),
#include "systems/org/org_stmts.inc"
#undef S
};

#define ORGANISATIONS .unit = "count", .how = STOCK, .kind = &organisation_kind, .on = "since", .until = "until"
#define MEMBERS .unit = "count", .how = STOCK, .kind = &member_kind, .on = "since", .until = "until"
#define ASKED(of, name) .unit = "count", .how = QUERY, .kind = &of, .query = &stmts[ST_##name], .rows = &stmts[ST_##name##_rows]

static const struct figure figures[] = {
    {"org.organisations", {"基层组织", "Organisations"}, ORGANISATIONS, .cuts = "type"},
    {"org.branches", {"党支部", "Branches"}, ORGANISATIONS, .when = "type=branch"},
    {"org.temporary_branches", {"临时党支部", "Temporary branches"}, ORGANISATIONS, .when = "type=temporary_branch", .cuts = "placed_at=at"},
    {"org.temporary_groups", {"临时党小组", "Temporary groups"}, ORGANISATIONS, .when = "type=temporary_group", .cuts = "placed_at=at"},
    {"org.groups", {"党小组", "Groups"}, ORGANISATIONS, .when = "type=group|temporary_group", .cuts = "placed_at=at"},
    {"org.working_groups", {"工作组", "Working groups"}, ORGANISATIONS, .when = "type=working_group"},
    {"org.members", {"成员", "Members"}, MEMBERS, .when = "roll=member"},
    {"org.members_active", {"在岗成员", "Members active"}, ASKED(member_kind, members_active)},
    {"org.staff", {"工作人员", "Staff"}, MEMBERS, .when = "roll=staff"},
    {"org.staff_mobilised", {"投入人员", "Staff mobilised"}, ASKED(member_kind, staff_mobilised)},
    {"org.staff_requests", {"请战人数", "Requests to serve"}, "count", FLOW, &member_kind, .on = "asked_to_serve_on", .when = "roll=staff"},
    {"org.assigned", {"派驻人员", "Assigned"}, ASKED(assignment_kind, assigned), .cuts = "role"},
    {"org.applications", {"递交申请", "Applications"}, "count", FLOW, &application_kind, .on = "received_on"},
    {"org.institutions", {"机构", "Institutions"}, ORGANISATIONS, .when = "type=institution", .cuts = "kind_of=kind,state"},
    {"team.teams", {"队伍", "Teams"}, ORGANISATIONS, .when = "type=team|medical_team|task_force & kind_of?", .cuts = "kind_of=kind"},
    {"team.members", {"队员", "Team members"}, ASKED(member_kind, team_members), .cuts = "kind,role,team"},
};

static const struct kind *const kinds[] = {&organisation_kind, &member_kind, &application_kind, NULL};
const struct system org_system = {
    .name = "org", .label = {"组织", "Organisation"}, .kinds = kinds, .figures = figures, .figures_n = COUNT(figures),
    .stmts = stmts, .stmts_n = COUNT(stmts),
};
