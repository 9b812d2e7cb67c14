#include "systems/people/people.h"

#include "systems/rules.h"

CODE_LIST(relations, {"head", {"户主", "Head"}}, {"spouse", {"配偶", "Spouse"}}, {"child", {"子女", "Child"}}, {"parent", {"父母", "Parent"}},
          {"grandchild", {"孙子女", "Grandchild"}}, {"tenant", {"租客", "Tenant"}}, {"other", {"其他", "Other"}});
CODE_LIST(resident_cares, {"elderly_alone", {"独居老人", "Elderly living alone"}}, {"chronic", {"慢性病", "Chronic illness"}},
          {"child_left_alone", {"留守儿童", "Child left alone"}}, {"pregnant", {"孕产妇", "Pregnancy"}},
          {"returned", {"外地返回", "Returned from elsewhere"}}, {"disability", {"残疾", "Disability"}});

static const struct field fields[] = {
    {"name", F_NAME, {"姓名", "Name"}, .also = "居民姓名|人员姓名|名字|Full name|Resident", .max = 60, .flags = REQUIRED | PERSONAL | SEARCH | LIST},
    {"household", F_REF, {"户", "Household"}, .also = "户编号|户号|家庭编号|Household code", .ref = "household", .flags = INDEXED | LIST},
    {"relation", F_CODE, {"与户主关系", "Relation to head"}, .also = "关系|户主关系|Relation", .codes = &relations, .flags = PERSONAL},
    {"gender", F_CODE, {"性别", "Gender"}, .also = "Sex", .codes = &gender_codes, .flags = PERSONAL | LIST},
    {"birth_date", F_DATE, {"出生日期", "Date of birth"}, .also = "出生年月日|生日|Birth date|DOB", .flags = PERSONAL | PAST | INDEXED},
    {"id_number", F_ID_NUMBER, {"身份证号", "Identity number"}, .also = "身份证|身份证号码|公民身份号码|证件号码|证件号|ID number|ID", .flags = SEALED | FIND | KEY},
    {"phone", F_PHONE, {"手机号", "Phone"}, .also = "电话|手机|联系电话|联系方式|手机号码|Mobile|Telephone", .flags = SEALED | FIND},
    {"address", F_TEXT, {"详细地址", "Address"}, .also = "地址|住址|现住址|居住地址|家庭住址", .max = 300, .flags = SEALED},
    {"workplace", F_TEXT, {"工作单位", "Workplace"}, .also = "单位|职业|学校", .max = 100, .flags = PERSONAL},
    {"care", F_CODES, {"重点人员类别", "Reasons for care"}, .also = "重点人群|人员类别|关爱类型|Care", .codes = &resident_cares, .flags = PERSONAL},
    {"in_care", F_BOOL, {"重点人员", "In care"}, .flags = READ_ONLY},
    {"returned_from", F_TEXT, {"返回来源地", "Returned from"}, .also = "来源地|返回地|从何地返回|Origin", .max = 100, .flags = PERSONAL},
    {"returned_on", F_DATE, {"返回日期", "Returned on"}, .also = "返回时间|抵达日期|返乡日期", .flags = PERSONAL | PAST},
    {"since", F_DATE, {"入住日期", "Since"}, .also = "起始日期|登记日期"},
    {"until", F_DATE, {"离开日期", "Until"}, .also = "迁出日期|结束日期"},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|健康状况|Remarks", .max = 500, .flags = SEALED},
};

static int derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    TRY(derive_person(tx, old, r, errs, e));
    rule_order(tx, r, errs, "birth_date", "returned_on");
    /* Counted instead of `care`, which is erased with the personal part. */
    record_set_int(r, "in_care", record_has(r, "care"));
    return 0;
}

const struct kind resident_kind = {
    .name = "resident", .label = {"居民", "Resident"}, FIELDS(fields), .flags = KIND_FOLLOWS, .area_from = "household", .derive = derive,
    .purpose = "防控排查：入户排查、健康随访与困难帮扶所需的居民名册|Epidemic control: the roster for screening, health follow-up and help",
};

static struct check checks[] = {
#define C(n, ...) {#n, STMT(n, __VA_ARGS__)},
#include "systems/people/people_stmts.inc"
#undef C
};

static const struct figure figures[] = {
    {"grid.residents", {"居民", "Residents"}, "count", STOCK, &resident_kind, "since", "until"},
    {"people.in_care", {"重点人员", "Residents in care"}, "count", STOCK, &resident_kind, "since", "until", .when = "in_care=1"},
};

static const struct kind *const kinds[] = {&resident_kind, NULL};
const struct system people_system = {
    .name = "people", .label = {"居民", "People"}, .kinds = kinds, .figures = figures, .figures_n = COUNT(figures),
    .checks = checks, .checks_n = COUNT(checks),
};
