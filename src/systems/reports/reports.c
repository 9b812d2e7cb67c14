#include "systems/reports/reports.h"

#include "core/area.h"
#include "systems/rules.h"

enum {
#define S(n, ...) ST_##n,
#define C(n, ...)
#include "systems/reports/reports_stmts.inc"
#undef S
    ST__COUNT
};
static struct stmt stmts[] = {
#define S(n, ...) STMT(n, __VA_ARGS__),
#include "systems/reports/reports_stmts.inc"
#undef S
#undef C
};
static struct check checks[] = {
#define S(n, ...)
#define C(n, ...) {#n, STMT(n, __VA_ARGS__)},
#include "systems/reports/reports_stmts.inc"
#undef S
#undef C
};

/* ---- who owes a report ---- */
enum { DUE_DEFAULT = 9 * 60 };

static const struct field unit_fields[] = {
    {"name", F_NAME, {"填报单位", "Reporting unit"}, .also = "单位|单位名称|名称|Name", .max = 100, .flags = REQUIRED | SEARCH | LIST},
    {"code", F_TEXT, {"编号", "Code"}, .also = "单位编号|代码", .max = 80, .flags = KEY | UNIQUE | SEARCH | LIST},
    {"organisation", F_REF, {"组织机构", "Organisation"}, .ref = "organisation", .flags = INDEXED},
    {"due_minute", F_INT, {"次日截止（分钟）", "Due the next day (minute)"}, .also = "截止时间", .unit = "min", .min = 0, .max = 1439, .flags = LIST},
    {"since", F_DATE, {"起报日期", "Since"}, .also = "起始日期|开始日期", .flags = LIST},
    {"until", F_DATE, {"停报日期", "Until"}, .also = "结束日期"},
};

static int unit_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    (void)e;
    rule_period(tx, r, errs);
    if (!record_has(r, "due_minute")) record_set_int(r, "due_minute", DUE_DEFAULT);
    return 0;
}

const struct kind report_unit_kind = {
    .name = "report_unit", .label = {"填报单位", "Reporting unit"}, FIELDS(unit_fields), .area_from = "organisation", .derive = unit_derive,
};

/* ---- the reports ---- */
static const struct field report_fields[] = {
    {"unit", F_REF, {"填报单位", "Reporting unit"}, .also = "单位|单位编号|Unit", .ref = "report_unit", .flags = REQUIRED | INDEXED | LIST},
    {"day", F_DATE, {"报告日期", "Day"}, .also = "日期|统计日期|Date", .flags = REQUIRED | PAST | INDEXED | LIST},
    {"zero", F_BOOL, {"零报告", "Zero report"}, .also = "是否零报告", .flags = LIST},
    {"febrile", F_INT, {"发热人数", "Febrile"}, .also = "发热", .min = 0, .max = 1000000, .flags = LIST},
    {"suspected", F_INT, {"疑似人数", "Suspected"}, .also = "疑似", .min = 0, .max = 1000000, .flags = LIST},
    {"confirmed", F_INT, {"确诊人数", "Confirmed"}, .also = "确诊", .min = 0, .max = 1000000, .flags = LIST},
    {"text", F_TEXT, {"文字说明", "Text"}, .also = "说明|备注|工作情况", .max = 4000},
    {"submitted_at", F_TIME, {"上报时间", "Submitted"}, .also = "提交时间|报送时间", .flags = READ_ONLY | LIST},
    {"on_time", F_BOOL, {"按时", "In time"}, .flags = READ_ONLY | LIST},
    {"revision", F_INT, {"版次", "Revision"}, .min = 1, .max = 1000, .flags = READ_ONLY | LIST},
    {"corrects", F_REF, {"更正的原报告", "Corrects"}, .ref = "daily_report", .flags = READ_ONLY},
};

/* Zero means all zeros; nothing at all is not a report. */
static void check_zero(struct record *r, struct errs *errs) {
    static const char *const numbers[] = {"febrile", "suspected", "confirmed"};
    bool zero = record_int(r, "zero"), said = record_has(r, "zero");
    int64_t sum = 0;
    bool any = false;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (zero && record_int(r, numbers[i])) rule_refuse(errs, numbers[i], M_ZERO_REPORT);
        if (zero && !record_has(r, numbers[i])) record_set_int(r, numbers[i], 0);
        any |= record_has(r, numbers[i]);
        sum += record_int(r, numbers[i]);
    }
    if (!said && any) record_set_int(r, "zero", sum == 0);
    if (!zero && !any && !record_has(r, "text")) rule_refuse(errs, "zero", M_REQUIRED);
}

/* The first report of that unit and day, and the number of the newest: 0 when there is none. */
static int earlier(struct tx *tx, const struct record *r, struct id *ret_first, int64_t *ret_newest, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    *ret_newest = 0;
    TRY(db_query(tx->db, &stmts[ST_revisions], &rows, e, VINT(tx->site->id), *record_get(r, "unit"), *record_get(r, "day")));
    while ((got = rows_next(rows, e)) == 1) {
        if (*ret_newest == 0) *ret_first = rows_id(rows, 0);
        *ret_newest = rows_int(rows, 1);
    }
    return got;
}

static int deadline(struct tx *tx, const struct record *r, int64_t *ret, struct err *e) {
    struct record *unit;
    TRY(tx_load(tx, &report_unit_kind, record_get(r, "unit")->id, &unit, e));
    *ret = tz_start(tx->site->tz, record_day(r, "day", tx->site->tz) + 1, record_int(unit, "due_minute") * 60);
    return 0;
}

static int report_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    struct id first = {{0}};
    int64_t newest, due;
    if (old) {
        rule_refuse(errs, "day", M_REPORT_STANDS);
        return 0;
    }
    if (!record_has(r, "unit") || !record_has(r, "day")) return 0;
    check_zero(r, errs);
    TRY(earlier(tx, r, &first, &newest, e));
    TRY(deadline(tx, r, &due, e));
    if (!record_has(r, "submitted_at")) record_set_int(r, "submitted_at", tx->now);
    record_set_int(r, "on_time", record_int(r, "submitted_at") <= due);
    record_set_int(r, "revision", newest + 1);
    *record_val(r, "corrects") = newest ? VID(first) : VNULL;
    return 0;
}

const struct kind daily_report_kind = {
    .name = "daily_report", .label = {"日报告", "Daily report"}, FIELDS(report_fields), .area_from = "unit", .derive = report_derive,
};

/* ---- who is silent ---- */
int reports_missing(struct db *db, struct site *s, struct arena *a, struct str path, day_t on, struct missing_report **ret, size_t *ret_n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct path_range in = path_range(a, path);
    char day[DAY_TEXT];
    struct missing_report *list = arena_new(a, struct missing_report, REPORTS_MISSING_MOST);
    size_t n = 0;
    int got;
    TRY(db_query(db, &stmts[ST_missing], &rows, e, VINT(s->id), VTEXT(in.from), VTEXT(in.to), VTEXTZ(day_text(on, day)), VINT(REPORTS_MISSING_MOST)));
    while ((got = rows_next(rows, e)) == 1)
        list[n++] = (struct missing_report){
            .unit = rows_id(rows, 0),
            .area = rows_id(rows, 1),
            .name = arena_str(a, rows_text(rows, 2)),
            .code = arena_str(a, rows_text(rows, 3)),
            .path = arena_str(a, rows_text(rows, 4)),
            .due_minute = (int)rows_int(rows, 5),
            .last_on = rows_null(rows, 6) ? STR_NONE : arena_str(a, rows_text(rows, 6)),
        };
    if (got < 0) return -1;
    *ret = list;
    *ret_n = n;
    return 0;
}

int reports_state(struct db *db, struct site *s, struct arena *a, struct str path, day_t on, struct report_state *ret, struct err *e) {
    struct path_range in = path_range(a, path);
    struct report_state found = {0};
    char day[DAY_TEXT];
    const struct {
        const struct stmt *stmt;
        int64_t *to;
    } asked[] = {{&stmts[ST_due], &found.due}, {&stmts[ST_submitted], &found.submitted}, {&stmts[ST_late], &found.late}};
    day_text(on, day);
    for (size_t i = 0; i < COUNT(asked); i++)
        if (db_int(db, asked[i].stmt, asked[i].to, e, VINT(s->id), VTEXT(in.from), VTEXT(in.to), VTEXTZ(day)) < 0) return -1;
    *ret = found;
    return 0;
}

/* ---- figures ---- */
static const struct figure figures[] = {
    {"report.units_due", {"应报单位", "Units due"}, "count", STOCK, &report_unit_kind, "since", "until", .hidden = true},
    {"report.on_time", {"按时上报", "Reports in time"}, "count", FLOW, &daily_report_kind, .on = "day", .when = "revision=1 & on_time=1", .hidden = true},
    {"report.daily_submitted_percent", {"日报告上报率", "Daily reports submitted"}, "percent", RATIO, &daily_report_kind,
     .part = "report.on_time", .whole = "report.units_due", .per_day = true},
};

static const struct kind *const kinds[] = {&report_unit_kind, &daily_report_kind, NULL};
const struct system reports_system = {
    .name = "reports", .label = {"日报告", "Daily reports"}, .kinds = kinds, .figures = figures, .figures_n = COUNT(figures),
    .stmts = stmts, .stmts_n = COUNT(stmts), .checks = checks, .checks_n = COUNT(checks),
};
