#include "systems/reports_in/reports_in.h"

#include "systems/rules.h"

CODE_LIST(report_in_whats, {"unit", {"单位", "Unit"}}, {"member", {"个人", "Member"}});
CODE_LIST(report_in_roles, {"leader", {"领导干部", "Leader"}}, {"staff", {"干部职工", "Staff"}}, {"member", {"党员", "Member"}});

static const struct field fields[] = {
    {"name", F_NAME, {"名称（姓名）", "Name"}, .also = "姓名|名称|单位名称", .max = 100, .flags = REQUIRED | PERSONAL | SEARCH | LIST},
    {"what", F_CODE, {"报到主体", "What"}, .also = "类别|类型", .codes = &report_in_whats, .flags = REQUIRED | INDEXED | LIST},
    {"organisation", F_REF, {"所在组织", "Organisation"}, .also = "单位|Organization", .ref = "organisation", .flags = INDEXED},
    {"role", F_CODE, {"人员类别", "Role"}, .also = "职务|身份", .codes = &report_in_roles, .flags = LIST},
    {"sending_unit", F_TEXT, {"派出单位", "Sending unit"}, .also = "来自单位|工作单位", .max = 100, .flags = LIST},
    {"accepted_on", F_DATE, {"接收日期", "Accepted on"}, .also = "报到日期|报到时间", .flags = PAST | LIST},
    {"ended_on", F_DATE, {"结束日期", "Ended on"}, .also = "离开日期"},
};

static int derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    (void)e;
    rule_order(tx, r, errs, "accepted_on", "ended_on");
    rule_needs(tx, r, errs, "ended_on", "accepted_on");
    if (str_eq(record_text(r, "what"), STR("unit"))) record_set_null(r, "role");
    return 0;
}

static const struct kind report_in_kind = {
    .name = "report_in", .label = {"双报到", "Report-in"}, FIELDS(fields), .area_from = "organisation", .derive = derive,
    .purpose = "防控排查：报到单位与党员的双重管理|Epidemic control: units and members who reported to a community",
};

static const struct figure figures[] = {
    {"org.reported_in", {"报到", "Reported in"}, "count", STOCK, &report_in_kind, "accepted_on", "ended_on", .when = "accepted_on?",
     .cuts = "what,role"},
};

static const struct kind *const kinds[] = {&report_in_kind, NULL};
const struct system reports_in_system = {
    .name = "reports_in", .label = {"双报到", "Report in"}, .kinds = kinds, .figures = figures, .figures_n = COUNT(figures),
};
