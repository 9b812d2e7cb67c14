/* What the records say of a pass at a gate: asked inside the writer for every scan, so it reads one narrow row and no more. */
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

int passes_check(struct tx *tx, struct str number, struct id area, int64_t at, const char **ret, struct err *e) {
    enum { AREAS, FROM, UNTIL, REVOKED, STAY_FROM };
    struct rows *rows CLEANUP(rows_donep) = NULL;
    enum pass_verdict v = PASS_VALID;
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
    return 0;
}

int passes_check_foresee(struct tx *tx, struct str number, struct err *e) {
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
