#include "systems/passes/passes_internal.h"

#include "systems/rules.h"

/* ---- keys ---- */
static const struct field key_fields[] = {
    {"kid", F_TEXT, {"密钥编号", "Key id"}, .max = 16, .flags = KEY | UNIQUE | READ_ONLY | LIST},
    {"public_key", F_TEXT, {"公钥", "Public key"}, .max = 64, .flags = READ_ONLY},
    {"issuer", F_TEXT, {"签发方", "Issuer"}, .max = PASS_NAME_MAX, .flags = READ_ONLY | LIST},
    {"since", F_TIME, {"启用时间", "Signs from"}, .flags = READ_ONLY | LIST},
    {"until", F_TIME, {"停用时间", "Signs until"}, .flags = READ_ONLY | LIST},
};

static int key_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)tx;
    (void)old;
    (void)e;
    if (!record_has(r, "kid")) rule_refuse(errs, "kid", M_READ_ONLY);
    return 0;
}

const struct kind passes_key_kind = {
    .name = "pass_key", .label = {"出入证密钥", "Pass key"}, FIELDS(key_fields), .flags = KIND_ADMIN | KIND_NO_AREA, .derive = key_derive,
};

/* ---- passes ---- */
CODE_LIST(pass_kinds, {"household", {"住户", "Household"}}, {"person", {"个人", "Person"}}, {"vehicle", {"车辆", "Vehicle"}},
          {"visitor", {"访客", "Visitor"}});

static const struct field fields[] = {
    {"number", F_TEXT, {"证号", "Number"}, .max = PASS_NUMBER, .flags = KEY | UNIQUE | READ_ONLY | SEARCH | LIST,
     .beside = "areas, valid_from, valid_until, revoked_at, stay_home_from, stay_home_until"}, /* check.c */
    {"kind_of", F_CODE, {"类别", "Kind"}, .also = "证件类别|类型", .codes = &pass_kinds, .flags = REQUIRED | INDEXED | LIST},
    {"household", F_REF, {"户", "Household"}, .also = "户编号|户号|Household code", .ref = "household", .flags = INDEXED | LIST},
    {"resident", F_REF, {"持证人", "Holder"}, .also = "居民|人员", .ref = "resident", .flags = INDEXED},
    {"plate", F_PLATE, {"车牌号", "Plate"}, .also = "车牌|车号|Licence plate", .flags = PERSONAL | LIST},
    {"areas", F_TEXT, {"有效区域", "Valid in"}, .also = "适用区域|通行区域", .max = 600, .flags = LIST},
    {"valid_from", F_TIME, {"生效时间", "Valid from"}, .also = "起始时间|生效日期"},
    {"valid_until", F_TIME, {"失效时间", "Valid until"}, .also = "截止时间|失效日期", .flags = LIST},
    {"outings", F_INT, {"外出次数", "Outings"}, .min = 1, .max = PASS_OUTINGS_MAX},
    {"days", F_INT, {"外出周期（天）", "In so many days"}, .also = "周期", .min = 1, .max = PASS_DAYS_MAX},
    {"revoked_at", F_TIME, {"作废时间", "Revoked"}, .flags = READ_ONLY | LIST},
    {"revoke_reason", F_TEXT, {"作废原因", "Reason"}, .max = 200, .flags = READ_ONLY | PERSONAL},
    {"stay_home_from", F_DATE, {"居家起始日期", "Stays at home from"}, .flags = READ_ONLY | LIST},
    {"stay_home_until", F_DATE, {"居家截止日期", "Stays at home until"}, .flags = READ_ONLY},
    {"revoked_seq", F_INT, {"列入作废名单", "On the list of the revoked"}, .flags = READ_ONLY},
    {"revoked_off_seq", F_INT, {"移出作废名单", "Off the list of the revoked"}, .flags = READ_ONLY},
    {"stay_seq", F_INT, {"列入居家名单", "On the list of those at home"}, .flags = READ_ONLY},
    {"stay_off_seq", F_INT, {"移出居家名单", "Off the list of those at home"}, .flags = READ_ONLY},
    {"stay_before_seq", F_INT, {"上次移出居家名单", "Off that list before"}, .flags = READ_ONLY},
    {"listed_seq", F_INT, {"名单变动", "Newest change on lists"}, .flags = READ_ONLY | INDEXED},
    {"due_at", F_TIME, {"名单到期处理", "Lists change by the clock"}, .flags = READ_ONLY | INDEXED},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 200, .flags = PERSONAL},
};

enum pass_kind passes_kind_of(const struct record *pass) {
    int i = 0;
    while (pass_kinds_values[i].value && !str_eqz(record_text(pass, "kind_of"), pass_kinds_values[i].value)) i++;
    return (enum pass_kind)(PASS_HOUSEHOLD + i);
}

size_t passes_areas(struct arena *a, const struct record *pass, struct str ret[PASS_AREAS_MAX]) {
    struct str rest = record_text(pass, "areas"), one;
    size_t n = 0;
    while (n < PASS_AREAS_MAX && str_cut(&rest, ',', &one)) ret[n++] = arena_str(a, one);
    return n;
}

/* ---- where a pass is valid ---- */

static bool is_home(struct str level) {
    return str_eqz(level, "quarter") || str_eqz(level, "community") || str_eqz(level, "village");
}

/* The quarter, community or village around the area; the area itself when it lies in none. */
static int home_of(struct tx *tx, struct id area, struct str *ret, struct err *e) {
    const struct kind *k = kind_by_name(STR("area"));
    struct areas *t CLEANUP(areas_dropp) = tx_areas(tx);
    struct record *r;
    if (t && areas_by_id(t, area)) {
        const struct area *x = areas_by_id(t, area), *up = x;
        while (up && !is_home(up->level)) up = areas_parent(t, up);
        return *ret = arena_str(tx->a, (up ? up : x)->code), 0;
    }
    TRY(tx_load(tx, k, area, &r, e));
    *ret = record_text(r, "code");
    while (!is_home(record_text(r, "level"))) {
        if (!record_has(r, "parent")) return 0;
        TRY(tx_load(tx, k, record_get(r, "parent")->id, &r, e));
    }
    *ret = record_text(r, "code");
    return 0;
}

static int check_area(struct tx *tx, struct str code, struct errs *errs, struct err *e) {
    const struct kind *k = kind_by_name(STR("area"));
    struct record *r;
    int found = record_find(tx->db, tx->site->id, &tx->site->key, tx->a, k, (size_t)kind_field(k, STR("code")), code, &r, e);
    if (found < 0) return -1;
    if (!found) rule_refuse(errs, "areas", M_NO_RECORD, arena_strz(tx->a, code), label_in(k->label, tx->lang));
    else if (!permit_may(tx->actor, "pass", "create", r->path)) rule_refuse(errs, "areas", M_OUTSIDE_AREA);
    return 0;
}

/* As people write lists: with commas of either width. */
static struct str plain_commas(struct arena *a, struct str s) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    for (size_t i = 0; i < s.n; i++) {
        struct str here = str_sub(s, i, s.n);
        bool wide = str_starts(here, STR("，")) || str_starts(here, STR("、"));
        buf_addc(&b, wide ? ',' : s.p[i]);
        i += wide ? strlen("，") - 1 : 0;
    }
    return arena_str(a, buf_str(&b));
}

static int fill_areas(struct tx *tx, struct record *r, struct errs *errs, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct str home, seen[PASS_AREAS_MAX], rest = plain_commas(tx->a, record_text(r, "areas")), one;
    size_t n = 0;
    TRY(home_of(tx, r->area, &home, e));
    if (rest.n == 0) rest = home;
    while (str_cut(&rest, ',', &one)) {
        one = str_trim(one);
        bool twice = false;
        for (size_t i = 0; i < n; i++) twice |= str_eq(seen[i], one);
        if (one.n == 0 || twice) continue;
        if (n == PASS_AREAS_MAX) return rule_refuse(errs, "areas", M_TOO_MANY, "8"), 0;
        if (one.n > PASS_NAME_MAX) return rule_refuse(errs, "areas", M_TOO_LONG, "64"), 0;
        if (!str_eq(one, home)) TRY(check_area(tx, one, errs, e));
        seen[n++] = one;
        buf_addf(&b, "%s%.*s", b.n ? "," : "", STR_FMT(one));
    }
    record_set_text(r, "areas", arena_str(tx->a, buf_str(&b)));
    return 0;
}

/* ---- what a new pass is filled with ---- */

static void fill_times(const struct tx *tx, struct record *r, struct errs *errs) {
    char first[TIME_TEXT], last[TIME_TEXT];
    int64_t from = passes_second(record_has(r, "valid_from") ? record_int(r, "valid_from") : tx->now);
    int64_t until = passes_second(record_has(r, "valid_until") ? record_int(r, "valid_until") : tz_start(tx->site->tz, tz_day(tx->site->tz, from) + PASSES_DAYS, 0));
    int64_t most = passes_second(r->created_at) + PASSES_LIFE;
    record_set_int(r, "valid_from", from);
    record_set_int(r, "valid_until", until);
    tz_text(tx->site->tz, from, first);
    tz_text(tx->site->tz, most, last);
    if (from < 0) rule_refuse(errs, "valid_from", M_BEFORE, "1970-01-01");
    else if (until <= from || until > most) rule_refuse(errs, "valid_until", M_RANGE, first, last);
}

static void fill_outings(const struct tx *tx, struct record *r, struct errs *errs) {
    rule_needs(tx, r, errs, "days", "outings");
    if (record_has(r, "outings") && !record_has(r, "days")) record_set_int(r, "days", 1);
}

static void check_holder(const struct record *r, struct errs *errs) {
    static const char *const needed[PASS_KIND__END + 1] = {[PASS_HOUSEHOLD] = "household", [PASS_PERSON] = "resident", [PASS_VEHICLE] = "plate"};
    const char *field = needed[passes_kind_of(r)];
    if (field && !record_has(r, field)) rule_refuse(errs, field, M_REQUIRED);
}

static int fill(struct tx *tx, struct record *r, struct errs *errs, struct err *e) {
    char number[PASS_NUMBER];
    record_set_text(r, "number", arena_str(tx->a, str_z(pass_number(r->id, number))));
    check_holder(r, errs);
    fill_times(tx, r, errs);
    fill_outings(tx, r, errs);
    TRY(fill_areas(tx, r, errs, e));
    return errs->n ? 0 : passes_key_ensure(tx, e);
}

/* What stands on cards that people hold. */
static const char *const printed[] = {"kind_of", "areas", "valid_from", "valid_until", "outings", "days"};

static int derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    if (!old && id_is_nil(r->area)) return 0;
    if (!old) TRY(fill(tx, r, errs, e));
    for (size_t i = 0; old && i < COUNT(printed); i++)
        if (!val_eq(record_get(old, printed[i]), record_get(r, printed[i]))) rule_refuse(errs, printed[i], M_PASS_STANDS);
    passes_settle(tx, r);
    db_unforesee(tx->db, PS(by_number), VINT(tx->site->id), *record_get(r, "number"));
    return 0;
}

const struct kind passes_kind = {
    .name = "pass", .label = {"出入证", "Pass"}, FIELDS(fields), .flags = KIND_FOLLOWS | KIND_KEPT, .area_from = "household", .derive = derive, .memo = &passes_memo,
    .purpose = "防控排查：小区出入管理；证上不含姓名和证件号码|Epidemic control: going in and out of quarters; a card bears no name and no identity number",
    .retention_days = 208, /* the longest life of a pass and four weeks */
};

/* ---- the system ---- */
struct stmt passes_stmts[PASSES_ST__COUNT] = {
#define S(n, ...) STMT(n, __VA_ARGS__),
#define C(n, ...)
#include "systems/passes/passes_stmts.inc"
#undef S
#undef C
};
static struct check checks[] = {
#define S(n, ...)
#define C(n, ...) {#n, STMT(n, __VA_ARGS__)},
#include "systems/passes/passes_stmts.inc"
#undef S
#undef C
};

static const struct job jobs[] = {
    {"pass_key_rotate", US_PER_DAY, passes_key_rotate},
    {"pass_lists", 300 * US_PER_SECOND, passes_lists_job},
};

static const struct kind *const kinds[] = {&passes_kind, &passes_key_kind, NULL};
const struct system passes_system = {
    .name = "passes", .label = {"出入证", "Passes"}, .kinds = kinds,
    .commands = passes_commands, .commands_n = PASSES_COMMANDS, .stmts = passes_stmts, .stmts_n = COUNT(passes_stmts),
    .checks = checks, .checks_n = COUNT(checks), .jobs = jobs, .jobs_n = COUNT(jobs),
};
