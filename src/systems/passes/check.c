/* What the records say of a pass at a gate: asked inside the writer for every scan, so it is mostly known by heart, and else reads one place: the index of the
 * number holds all it asks (`beside` in passes.c). */
#include "systems/passes/passes_internal.h"

static day_t day_at(struct rows *rows, int col) {
    day_t d = DAY_NONE;
    return rows_null(rows, col) || !day_from_iso(rows_text(rows, col), &d) ? DAY_NONE : d;
}

static bool stays(struct rows *rows, int col, day_t on) {
    day_t from = day_at(rows, col), until = day_at(rows, col + 1);
    return from != DAY_NONE && from <= on && (until == DAY_NONE || on <= until);
}

static bool valid_in(struct str areas, const struct areas *t, const struct area *x) {
    for (struct str rest = areas, one; x; x = areas_parent(t, x), rest = areas)
        while (str_cut(&rest, ',', &one))
            if (str_eq(one, x->code)) return true;
    return false;
}

/* The tree as last committed: a pass is not judged by an area that is just being moved. */
static bool valid_at(struct tx *tx, struct str valid, struct id area) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(tx->site);
    return valid_in(valid, t, areas_by_id(t, area));
}

/* ---- by heart: passes that are neither revoked nor of somebody who stays at home ---- */

enum { PLAIN_PAGE = 20000, PLAIN_AREAS = 600 };
#define PLAIN_SINCE (2 * 60 * US_PER_SECOND)

/* Different answers must be few, so it is said when a pass began only of those that began just now. */
struct plain_times {
    int64_t from, until; /* from: 0 when that was PLAIN_SINCE ago */
};
struct plain {
    char text[sizeof(struct plain_times) + PLAIN_AREAS]; /* behind the times `areas` */
    struct str answer;
};

/* False: the record is to be asked. */
static bool plain_make(struct plain *p, struct plain_times t, struct str areas) {
    if (areas.n == 0 || areas.n > PLAIN_AREAS) return false;
    memcpy(p->text, &t, sizeof t);
    memcpy(p->text + sizeof t, areas.p, areas.n);
    p->answer = (struct str){p->text, sizeof t + areas.n};
    return true;
}

static bool plain_key(const struct record *r, uint64_t *ret) {
    return pass_number_value(record_text(r, "number"), ret);
}

static int plain_page(struct db *db, const struct site *s, struct memo_table *to, char after[MEMO_AFTER], bool *ret_more, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct plain p;
    uint64_t key;
    int got, n = 0;
    TRY(db_stream(db, PS(plain), &rows, e, VINT(s->id), VTEXTZ(after), VINT(site_now(s) - PLAIN_SINCE), VINT(PLAIN_PAGE)));
    for (; (got = rows_next(rows, e)) == 1; n++) {
        struct str number = rows_text(rows, 0);
        snprintf(after, MEMO_AFTER, "%.*s", STR_FMT(number));
        if (pass_number_value(number, &key) && plain_make(&p, (struct plain_times){0, rows_int(rows, 2)}, rows_text(rows, 1))) memo_fill(to, key, p.answer);
    }
    *ret_more = n == PLAIN_PAGE;
    return got;
}

const struct memo_source passes_memo = {plain_key, plain_page};

/* What is known by heart holds for what was seen just now. */
static bool plain_get(struct tx *tx, uint64_t key, int64_t at, int64_t now, struct str *ret) {
    return at >= now - PLAIN_SINCE && memo_get(tx->memo, key, ret);
}

static bool plain_check(struct tx *tx, uint64_t key, struct id area, int64_t at, enum pass_verdict *ret) {
    struct str answer;
    struct plain_times t;
    if (!plain_get(tx, key, at, tx->now, &answer)) return false;
    memcpy(&t, answer.p, sizeof t);
    if (t.until <= at) *ret = PASS_EXPIRED;
    else if (t.from > at) *ret = PASS_NOT_YET;
    else *ret = valid_at(tx, str_sub(answer, sizeof t, answer.n), area) ? PASS_VALID : PASS_WRONG_AREA;
    return true;
}

/* ---- of the records ---- */

enum { AREAS, FROM, UNTIL, REVOKED, STAY_FROM };

static void plain_learn(struct tx *tx, uint64_t key, struct rows *rows) {
    struct plain p;
    int64_t from = rows_int(rows, FROM);
    struct plain_times t = {from <= tx->now - PLAIN_SINCE ? 0 : from, rows_int(rows, UNTIL)};
    bool plain = rows_null(rows, REVOKED) && rows_null(rows, STAY_FROM) && from <= tx->now;
    if (plain && plain_make(&p, t, rows_text(rows, AREAS))) memo_put(tx->memo, key, p.answer);
}

int passes_check(struct tx *tx, struct str number, struct id area, int64_t at, const char **ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    enum pass_verdict v = PASS_VALID;
    uint64_t key;
    bool heart = tx->memo && pass_number_value(number, &key);
    if (heart && plain_check(tx, key, area, at, &v)) return *ret = pass_verdict_name(v), 0;
    TRY(db_query(tx->db, PS(by_number), &rows, e, VINT(tx->site->id), VTEXT(number)));
    int got = rows_next(rows, e);
    if (got < 0) return -1;
    if (!got) return *ret = PASSES_UNKNOWN, 0;
    if (stays(rows, STAY_FROM, tz_day(tx->site->tz, at))) v = PASS_STAY_HOME;
    else if (!rows_null(rows, REVOKED) && rows_int(rows, REVOKED) <= at) v = PASS_REVOKED;
    else if (rows_int(rows, UNTIL) <= at) v = PASS_EXPIRED;
    else if (rows_int(rows, FROM) > at) v = PASS_NOT_YET;
    else if (!valid_at(tx, rows_text(rows, AREAS), area)) v = PASS_WRONG_AREA;
    *ret = pass_verdict_name(v);
    if (heart) plain_learn(tx, key, rows);
    return 0;
}

int passes_check_foresee(struct tx *tx, struct str number, int64_t at, struct err *e) {
    struct str answer;
    uint64_t key;
    if (tx->alone && pass_number_value(number, &key) && plain_get(tx, key, at, site_now(tx->site), &answer)) return 0;
    return db_foresee(tx->db, PS(by_number), e, VINT(tx->site->id), VTEXT(number));
}

static int one_stays(struct tx *tx, const struct stmt *s, struct id whose, day_t on, bool *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(db_query(tx->db, s, &rows, e, VINT(tx->site->id), VID(whose)));
    while ((got = rows_next(rows, e)) == 1) *ret = *ret || stays(rows, 0, on);
    return got;
}

int passes_stays_at_home(struct tx *tx, const struct record *resident, int64_t at, bool *ret, struct err *e) {
    day_t on = tz_day(tx->site->tz, at);
    *ret = false;
    TRY(one_stays(tx, PS(stays_of_resident), resident->id, on, ret, e));
    return record_has(resident, "household") ? one_stays(tx, PS(stays_of_household), record_get(resident, "household")->id, on, ret, e) : 0;
}
