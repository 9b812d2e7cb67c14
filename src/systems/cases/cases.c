#include "systems/cases/cases.h"

#include "systems/keepers/protocol.h"
#include "systems/rules.h"

/* ---- the kind ---- */
CODE_LIST(classifications, {"suspected", {"疑似", "Suspected"}}, {"clinically_diagnosed", {"临床诊断", "Clinically diagnosed"}},
          {"confirmed", {"确诊", "Confirmed"}}, {"asymptomatic", {"无症状感染者", "Asymptomatic"}}, {"excluded", {"排除", "Excluded"}});
CODE_LIST(severities, {"mild", {"轻型", "Mild"}}, {"ordinary", {"普通型", "Ordinary"}}, {"severe", {"重型", "Severe"}}, {"critical", {"危重型", "Critical"}});
CODE_LIST(outcomes, {"in_treatment", {"在治", "In treatment"}}, {"recovered", {"治愈", "Recovered"}}, {"died", {"死亡", "Died"}});
CODE_LIST(sources, {"local", {"本地", "Local"}}, {"imported", {"输入", "Imported"}}, {"unknown", {"不明", "Unknown"}});

static const struct field fields[] = {
    {"name", F_NAME, {"姓名", "Name"}, .also = "患者姓名|病例姓名|Patient", .max = 60, .flags = REQUIRED | PERSONAL | SEARCH | LIST},
    {"code", F_TEXT, {"病例编号", "Case code"}, .also = "编号|病例号|卡片编号|Case number", .max = 60, .flags = KEY | UNIQUE | LIST},
    {"gender", F_CODE, {"性别", "Gender"}, .also = "Sex", .codes = &gender_codes, .flags = PERSONAL | LIST},
    {"birth_date", F_DATE, {"出生日期", "Date of birth"}, .also = "生日|DOB", .flags = PERSONAL | PAST | INDEXED},
    {"id_number", F_ID_NUMBER, {"身份证号", "Identity number"}, .also = "身份证|身份证号码|有效证件号|证件号码|ID number", .flags = SEALED | FIND},
    {"phone", F_PHONE, {"联系电话", "Phone"}, .also = "电话|手机|手机号|Mobile", .flags = SEALED | FIND},
    {"resident", F_REF, {"居民", "Resident"}, .also = "居民编号", .ref = "resident", .flags = INDEXED},
    {"classification", F_CODE, {"病例分类", "Classification"}, .also = "分类|诊断类型|病例类型", .codes = &classifications, .flags = REQUIRED | INDEXED | LIST},
    {"severity", F_CODE, {"临床严重程度", "Severity"}, .also = "病情|分型", .codes = &severities, .flags = LIST},
    {"source", F_CODE, {"感染来源", "Source"}, .also = "来源|病例来源", .codes = &sources, .flags = LIST},
    {"onset_date", F_DATE, {"发病日期", "Date of onset"}, .also = "发病时间|Onset", .flags = PAST | LIST},
    {"first_visit_at", F_TIME, {"首诊时间", "First visit"}, .also = "初诊时间", .flags = PAST},
    {"suspected_at", F_TIME, {"疑似时间", "Suspected"}, .also = "疑似诊断时间", .flags = PAST},
    {"diagnosed_at", F_TIME, {"诊断时间", "Diagnosed"}, .also = "诊断日期", .flags = PAST},
    {"reported_at", F_TIME, {"报告时间", "Reported"}, .also = "网络直报时间|录卡时间|报卡时间", .flags = PAST},
    {"confirmed_at", F_TIME, {"确诊时间", "Confirmed"}, .also = "确诊日期|订正时间", .flags = PAST | LIST},
    {"investigated_at", F_TIME, {"流调完成时间", "Investigated"}, .also = "流调时间|个案调查时间", .flags = PAST},
    {"excluded_at", F_TIME, {"排除时间", "Excluded"}, .also = "排除日期", .flags = PAST},
    {"transferred_to", F_TEXT, {"转往医院", "Transferred to"}, .also = "转入医院|转院", .max = 60, .flags = LIST},
    {"transferred_on", F_DATE, {"转院日期", "Transferred on"}, .also = "转院时间", .flags = PAST},
    {"outcome", F_CODE, {"转归", "Outcome"}, .also = "结局|治疗结果", .codes = &outcomes, .flags = INDEXED | LIST},
    {"outcome_on", F_DATE, {"转归日期", "Outcome on"}, .also = "出院日期|死亡日期", .flags = PAST},
    {"reported_in_time", F_BOOL, {"按时报告", "Reported within the clock"}, .flags = READ_ONLY},
    {"investigated_in_time", F_BOOL, {"按时流调", "Investigated within the clock"}, .flags = READ_ONLY},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 2000, .flags = SEALED},
};

static bool is(const struct record *r, const char *field, const char *code) {
    return str_eqz(record_text(r, field), code);
}

/* A line list says "confirmed" more often than when: the nearest time it gives is taken. */
static void fill_time(const struct tx *tx, struct record *r, const char *field) {
    static const char *const nearest[] = {"diagnosed_at", "reported_at", "first_visit_at"};
    if (record_has(r, field)) return;
    for (size_t i = 0; i < COUNT(nearest); i++)
        if (record_has(r, nearest[i])) {
            *record_val(r, field) = *record_get(r, nearest[i]);
            return;
        }
    record_set_int(r, field, tx->now);
}

static void fill_today(const struct tx *tx, struct record *r, const char *field) {
    char text[DAY_TEXT];
    if (!record_has(r, field)) record_set_text(r, field, arena_str(tx->a, str_z(day_text(tx->today, text))));
}

static void fill_states(const struct tx *tx, struct record *r) {
    if (is(r, "classification", "suspected")) fill_time(tx, r, "suspected_at");
    if (is(r, "classification", "confirmed")) fill_time(tx, r, "confirmed_at");
    if (is(r, "classification", "excluded") && !record_has(r, "excluded_at")) record_set_int(r, "excluded_at", tx->now);
    if (!record_has(r, "outcome") && !is(r, "classification", "excluded")) record_set_text(r, "outcome", STR("in_treatment"));
    if (is(r, "outcome", "in_treatment")) record_set_null(r, "outcome_on");
    else if (record_has(r, "outcome")) fill_today(tx, r, "outcome_on");
    if (record_has(r, "transferred_to")) fill_today(tx, r, "transferred_on");
}

/* Empty until both times are known. */
static int clock_kept(struct tx *tx, struct record *r, const char *start, const char *end, const char *hours, const char *kept, struct err *e) {
    double limit;
    if (!record_has(r, start) || !record_has(r, end)) {
        record_set_null(r, kept);
        return 0;
    }
    TRY(protocol_value(tx->db, tx->site, hours, record_day(r, start, tx->site->tz), &limit, e));
    int64_t took = record_int(r, end) - record_int(r, start);
    record_set_int(r, kept, (double)took <= limit * 3600 * (double)US_PER_SECOND);
    return 0;
}

static int derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    fill_states(tx, r);
    rule_needs(tx, r, errs, "transferred_on", "transferred_to");
    rule_order(tx, r, errs, "birth_date", "onset_date");
    rule_order(tx, r, errs, "onset_date", "outcome_on");
    rule_order(tx, r, errs, "suspected_at", "excluded_at");
    TRY(clock_kept(tx, r, "diagnosed_at", "reported_at", "report_hours", "reported_in_time", e));
    TRY(clock_kept(tx, r, "reported_at", "investigated_at", "investigation_hours", "investigated_in_time", e));
    return rule_identity(tx, r, errs, e);
}

const struct kind case_kind = {
    .name = "case", .label = {"病例", "Case"}, FIELDS(fields), .area_from = "resident", .derive = derive,
    .purpose = "防控排查：法定传染病报告、流行病学调查与救治|Epidemic control: notification, investigation and treatment of a notifiable disease",
};

/* ---- commands ---- */
struct step {
    const char *from[4];
    const char *outcome; /* what the outcome must be; NULL: whatever it is */
    const char *time, *input;
};
static const struct step confirm_step = {{"suspected", "clinically_diagnosed", "asymptomatic"}, NULL, "confirmed_at", "confirmed_at"};
static const struct step exclude_step = {{"suspected", "clinically_diagnosed"}, NULL, "excluded_at", "excluded_at"};
static const struct step transfer_step = {{"suspected", "clinically_diagnosed", "confirmed", "asymptomatic"}, "in_treatment", "transferred_on", "on"};
static const struct step close_step = {{"clinically_diagnosed", "confirmed", "asymptomatic"}, "in_treatment", "outcome_on", "on"};

static const char *code_label(const struct tx *tx, const struct code_list *l, struct str value) {
    const struct code *c = code_find(l, value);
    return c ? label_in(c->label, tx->lang) : "";
}

/* A copy of the case to change, when it stands where the step begins; the step's time is filled from the input. */
static int step_begin(struct tx *tx, struct command_call *call, const struct step *s, struct record **ret, struct err *e) {
    if (!call->rec) return err_set(e, ERR_INVALID, "record", M_REQUIRED);
    struct str now = record_text(call->rec, "classification");
    const char *wanted = label_in(call->command->label, tx->lang);
    bool fits = false;
    for (size_t i = 0; i < COUNT(s->from) && s->from[i]; i++) fits |= str_eqz(now, s->from[i]);
    if (!fits) return err_set(e, ERR_STATE, "classification", M_NOT_IN_STATE, code_label(tx, &classifications, now), wanted);
    if (s->outcome && !is(call->rec, "outcome", s->outcome))
        return err_set(e, ERR_STATE, "outcome", M_NOT_IN_STATE, code_label(tx, &outcomes, record_text(call->rec, "outcome")), wanted);
    struct record *r = record_copy(tx->a, call->rec);
    struct val at;
    TRY(rule_input(tx, call, &case_kind, s->input, s->time, &at, e));
    *record_val(r, s->time) = at;
    *ret = r;
    return 0;
}

static int step_end(struct tx *tx, struct command_call *call, struct record *r, struct err *e) {
    bool changed;
    return tx_update(tx, call->rec, r, &changed, &call->errs, e);
}

static int case_confirm(struct tx *tx, struct command_call *call, struct err *e) {
    struct record *r;
    TRY(step_begin(tx, call, &confirm_step, &r, e));
    if (!record_has(r, "confirmed_at")) record_set_int(r, "confirmed_at", tx->now);
    record_set_text(r, "classification", STR("confirmed"));
    return step_end(tx, call, r, e);
}

static int case_exclude(struct tx *tx, struct command_call *call, struct err *e) {
    struct record *r;
    TRY(step_begin(tx, call, &exclude_step, &r, e));
    record_set_text(r, "classification", STR("excluded"));
    return step_end(tx, call, r, e);
}

static int case_transfer(struct tx *tx, struct command_call *call, struct err *e) {
    struct record *r;
    struct val to;
    TRY(step_begin(tx, call, &transfer_step, &r, e));
    TRY(rule_input(tx, call, &case_kind, "to", "transferred_to", &to, e));
    if (to.type == V_NULL) return err_set(e, ERR_INVALID, "to", M_REQUIRED);
    *record_val(r, "transferred_to") = to;
    return step_end(tx, call, r, e);
}

static int case_close(struct tx *tx, struct command_call *call, struct err *e) {
    struct record *r;
    struct val outcome;
    TRY(step_begin(tx, call, &close_step, &r, e));
    TRY(rule_input(tx, call, &case_kind, "outcome", "outcome", &outcome, e));
    if (outcome.type == V_NULL || str_eq(outcome.s, STR("in_treatment"))) return err_set(e, ERR_INVALID, "outcome", M_REQUIRED);
    *record_val(r, "outcome") = outcome;
    return step_end(tx, call, r, e);
}

static const struct command commands[] = {
    {"case.confirm", {"确诊", "Confirm"}, &case_kind, case_confirm},
    {"case.exclude", {"排除", "Exclude"}, &case_kind, case_exclude},
    {"case.transfer", {"转院", "Transfer"}, &case_kind, case_transfer},
    {"case.close", {"结案", "Close"}, &case_kind, case_close},
};

/* ---- figures ---- */
#define CASES(h, day) .unit = "count", .how = h, .kind = &case_kind, .on = day
#define CLOCK(a, b) .unit = "percent", .how = RATIO, .kind = &case_kind, .part = a, .whole = b

static const struct figure figures[] = {
    {"case.suspected_total", {"累计疑似", "Suspected, cumulative"}, CASES(STOCK, "suspected_at"), .when = "suspected_at?"},
    {"case.confirmed_total", {"累计确诊", "Confirmed, cumulative"}, CASES(STOCK, "confirmed_at"), .when = "classification=confirmed"},
    {"case.confirmed_new", {"新增确诊", "Confirmed, new"}, CASES(FLOW, "confirmed_at"), .when = "classification=confirmed"},
    {"case.deaths_total", {"累计死亡", "Deaths, cumulative"}, CASES(STOCK, "outcome_on"),
     .when = "outcome=died & classification=confirmed|clinically_diagnosed"},
    {"case.transferred", {"转院", "Transferred"}, CASES(FLOW, "transferred_on"), .when = "transferred_to?", .cuts = "transferred_to=to"},
    {"case.by_onset", {"确诊（按发病日）", "Confirmed, by day of onset"}, CASES(FLOW, "onset_date"), .when = "classification=confirmed"},
    {"case.diagnosed", {"已诊断", "Diagnosed"}, CASES(FLOW, "diagnosed_at"), .hidden = true},
    {"case.reported_in_time", {"按时报告", "Reported within the clock"}, CASES(FLOW, "diagnosed_at"), .when = "reported_in_time=1", .hidden = true},
    {"case.reported", {"已报告", "Reported"}, CASES(FLOW, "reported_at"), .hidden = true},
    {"case.investigated_in_time", {"按时流调", "Investigated within the clock"}, CASES(FLOW, "reported_at"), .when = "investigated_in_time=1",
     .hidden = true},
    {"case.reported_in_time_percent", {"2小时内报告率", "Reported within the clock"}, CLOCK("case.reported_in_time", "case.diagnosed")},
    {"case.investigated_in_time_percent", {"24小时流调率", "Investigated within the clock"}, CLOCK("case.investigated_in_time", "case.reported")},
};

static const struct kind *const kinds[] = {&case_kind, NULL};
const struct system cases_system = {
    .name = "cases", .label = {"病例", "Cases"}, .kinds = kinds, .commands = commands, .commands_n = COUNT(commands),
    .figures = figures, .figures_n = COUNT(figures),
};
