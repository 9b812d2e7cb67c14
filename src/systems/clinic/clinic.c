#include "systems/clinic/clinic.h"

#include "systems/rules.h"

CODE_LIST(symptoms, {"none", {"无症状", "None"}}, {"fever", {"发热", "Fever"}}, {"cough", {"咳嗽", "Cough"}}, {"fatigue", {"乏力", "Fatigue"}},
          {"breathless", {"呼吸困难", "Breathless"}}, {"sore_throat", {"咽痛", "Sore throat"}}, {"runny_nose", {"流涕", "Runny nose"}},
          {"diarrhoea", {"腹泻", "Diarrhoea"}}, {"muscle_pain", {"肌痛", "Muscle pain"}}, {"no_taste", {"嗅味觉减退", "Loss of smell or taste"}},
          {"other", {"其他", "Other"}});
CODE_LIST(exposures, {"none", {"无流行病学史", "None"}}, {"stayed", {"疫区旅居史", "Stayed in an affected area"}},
          {"contact_case", {"接触病例", "Contact with a case"}}, {"contact_febrile", {"接触疫区发热者", "Contact with febrile people from there"}},
          {"cluster", {"聚集性发病", "Part of a cluster"}}, {"unknown", {"不详", "Unknown"}});
CODE_LIST(dispositions, {"home", {"回家", "Home"}}, {"general_clinic", {"普通门诊", "General clinic"}}, {"fever_clinic", {"发热门诊", "Fever clinic"}});

static const struct field fields[] = {
    {"name", F_NAME, {"姓名", "Name"}, .also = "患者姓名|Patient", .max = 60, .flags = PERSONAL | SEARCH | LIST},
    {"seen_at", F_TIME, {"就诊时间", "Seen at"}, .also = "时间|预检时间|分诊时间|Time", .flags = REQUIRED | PAST | INDEXED | LIST},
    {"clinic", F_REF, {"医疗机构", "Clinic"}, .also = "医院|门诊|机构", .ref = "organisation", .flags = INDEXED | LIST},
    {"gender", F_CODE, {"性别", "Gender"}, .also = "Sex", .codes = &gender_codes, .flags = PERSONAL | LIST},
    {"birth_date", F_DATE, {"出生日期", "Date of birth"}, .also = "生日|DOB", .flags = PERSONAL | PAST},
    {"id_number", F_ID_NUMBER, {"身份证号", "Identity number"}, .also = "身份证|身份证号码|证件号码|ID number", .flags = SEALED | FIND},
    {"phone", F_PHONE, {"手机号", "Phone"}, .also = "电话|手机|联系电话|Mobile", .flags = SEALED | FIND},
    {"temperature", F_REAL, {"体温", "Temperature"}, .also = "温度|体温（℃）|Temp", .unit = "°C", .min = 34, .max = 43, .flags = PERSONAL | LIST},
    {"febrile", F_BOOL, {"发热", "Febrile"}, .flags = READ_ONLY},
    {"symptoms", F_CODES, {"症状", "Symptoms"}, .codes = &symptoms, .flags = PERSONAL},
    {"exposure", F_CODE, {"流行病学史", "Exposure"}, .also = "流调史|旅居史", .codes = &exposures, .flags = PERSONAL},
    {"disposition", F_CODE, {"去向", "Disposition"}, .also = "分诊去向|处置", .codes = &dispositions, .flags = REQUIRED | INDEXED | LIST},
    {"isolated_on", F_DATE, {"收入隔离日期", "Isolated on"}, .also = "隔离日期|收治日期", .flags = PAST | LIST},
    {"excluded_on", F_DATE, {"排除日期", "Excluded on"}, .flags = PAST},
    {"confirmed_on", F_DATE, {"确诊日期", "Confirmed on"}, .flags = PAST},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 500, .flags = SEALED},
};

static int derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    TRY(rule_febrile(tx, r, e));
    rule_needs(tx, r, errs, "excluded_on", "isolated_on");
    rule_needs(tx, r, errs, "confirmed_on", "isolated_on");
    rule_order(tx, r, errs, "seen_at", "isolated_on");
    rule_order(tx, r, errs, "isolated_on", "excluded_on");
    rule_order(tx, r, errs, "isolated_on", "confirmed_on");
    if (record_has(r, "excluded_on") && record_has(r, "confirmed_on")) rule_refuse(errs, "excluded_on", M_EITHER);
    return rule_identity(tx, r, errs, e);
}

const struct kind triage_visit_kind = {
    .name = "triage_visit", .label = {"预检分诊", "Triage visit"}, FIELDS(fields), .area_from = "clinic", .derive = derive,
    .purpose = "防控排查：预检分诊登记与发热患者转归|Epidemic control: triage and the outcome of febrile patients", .retention_days = 180,
};

static struct check checks[] = {
#define C(n, ...) {#n, STMT(n, __VA_ARGS__)},
#include "systems/clinic/clinic_stmts.inc"
#undef C
};

#define VISITS(day, what) .unit = what, .how = FLOW, .kind = &triage_visit_kind, .on = day

static const struct figure figures[] = {
    {"triage.visits", {"预检分诊", "Pre-checked"}, VISITS("seen_at", "person-times")},
    {"triage.to_fever_clinic", {"转发热门诊", "To fever clinic"}, VISITS("seen_at", "count"), .when = "disposition=fever_clinic"},
    {"triage.isolated", {"收入隔离病区", "Admitted to isolation"}, VISITS("isolated_on", "count")},
    {"triage.excluded", {"排除", "Excluded"}, VISITS("excluded_on", "count"), .when = "isolated_on?"},
    {"triage.confirmed", {"确诊", "Confirmed"}, VISITS("confirmed_on", "count"), .when = "isolated_on?"},
};

static const struct kind *const kinds[] = {&triage_visit_kind, NULL};
const struct system clinic_system = {
    .name = "clinic", .label = {"发热门诊", "Fever clinic"}, .kinds = kinds, .figures = figures, .figures_n = COUNT(figures),
    .checks = checks, .checks_n = COUNT(checks),
};
