#include "systems/keepers/protocol.h"

#include "core/tx.h"

/* ---- the kind ---- */
static const struct code names[] = {
    {"fever_threshold", {"发热阈值（°C）", "Fever threshold (°C)"}},
    {"cluster_cases", {"聚集性疫情病例数", "Cases of a cluster"}},
    {"cluster_days", {"聚集性疫情天数", "Days of a cluster"}},
    {"report_hours", {"诊断后报告时限（小时）", "Hours from diagnosis to report"}},
    {"laboratory_hours", {"实验室检测时限（小时）", "Hours to the laboratory result"}},
    {"investigation_hours", {"流调时限（小时）", "Hours to the case investigation"}},
    {"contact_days_before", {"密接追溯：发病前天数", "Contact window: days before onset"}},
    {"quarantine_days", {"隔离观察天数", "Days of quarantine"}},
    {"discharge_days", {"出院后观察天数", "Days of observation after discharge"}},
    {"households_per_member", {"每名成员包联户数", "Households for each member"}},
    {NULL, {NULL, NULL}},
};
static const struct code_list protocol_names = {"protocol_name", names};
static const double defaults[COUNT(names) - 1] = {37.3, 2, 14, 2, 12, 24, 2, 14, 14, 15};

static const struct field fields[] = {
    {"name", F_CODE, {"参数", "Parameter"}, .also = "名称|项目", .codes = &protocol_names, .flags = REQUIRED | LIST},
    {"value", F_REAL, {"数值", "Value"}, .min = 0, .max = 100000, .flags = REQUIRED | LIST},
    {"since", F_DATE, {"自何日起", "In force since"}, .also = "生效日期", .flags = REQUIRED | LIST},
    {"source", F_TEXT, {"依据", "Source"}, .also = "文件|方案", .max = 300, .flags = LIST},
};

/* ---- the values ---- */
enum { KEPT_MAX = 256 };
static const int64_t kept_us = US_PER_SECOND;

struct protocol_row {
    size_t name;
    day_t since;
    double value;
};
static struct {
    pthread_mutex_t lock;
    char dir[sizeof(((struct site *)0)->dir)];
    const struct site *site;
    int64_t read_at, changed_at;
    struct protocol_row rows[KEPT_MAX];
    size_t n;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER, .read_at = INT64_MIN / 2, .changed_at = INT64_MIN / 2};

struct stmt protocol_stmts[PROTOCOL_STMTS] = {
#define S(n, ...) STMT(n, __VA_ARGS__),
#include "systems/keepers/protocol_stmts.inc"
#undef S
};

static size_t name_index(struct str name) {
    size_t i = 0;
    while (names[i].value && !str_eqz(name, names[i].value)) i++;
    return i;
}

static int read_all(struct db *db, struct site *s, int64_t now, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    kept.n = 0;
    kept.site = NULL;
    TRY(db_query(db, &protocol_stmts[0], &rows, e, VINT(s->id)));
    while ((got = rows_next(rows, e)) == 1 && kept.n < KEPT_MAX) {
        struct protocol_row *row = &kept.rows[kept.n];
        row->name = name_index(rows_text(rows, 0));
        row->value = rows_real(rows, 2);
        if (day_from_iso(rows_text(rows, 1), &row->since)) kept.n++;
    }
    if (got < 0) return -1;
    kept.site = s;
    snprintf(kept.dir, sizeof kept.dir, "%s", s->dir);
    /* What was read while a change is not yet committed may be undone, so it is not kept. */
    kept.read_at = now - kept.changed_at < kept_us ? INT64_MIN / 2 : now;
    return 0;
}

int protocol_value(struct db *db, struct site *s, const char *name, day_t on, double *ret, struct err *e) {
    size_t want = name_index(str_z(name));
    INVARIANT(names[want].value);
    int64_t now = monotonic_us();
    double found = defaults[want];
    pthread_mutex_lock(&kept.lock);
    bool fresh = kept.site == s && strcmp(kept.dir, s->dir) == 0 && now - kept.read_at < kept_us;
    int r = fresh ? 0 : read_all(db, s, now, e);
    for (size_t i = 0; r == 0 && i < kept.n; i++) {
        if (kept.rows[i].name != want || kept.rows[i].since > on) continue;
        found = kept.rows[i].value;
        break;
    }
    pthread_mutex_unlock(&kept.lock);
    if (r == 0) *ret = found;
    return r;
}

static int protocol_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)tx, (void)old, (void)r, (void)errs, (void)e;
    pthread_mutex_lock(&kept.lock);
    kept.changed_at = monotonic_us();
    kept.read_at = INT64_MIN / 2;
    pthread_mutex_unlock(&kept.lock);
    return 0;
}

const struct kind protocol_kind = {
    .name = "protocol", .label = {"防控方案参数", "Protocol value"}, FIELDS(fields), .flags = KIND_NO_AREA | KIND_ADMIN, .derive = protocol_derive,
};
