#include "systems/gates/scan.h"

#include "core/lately.h"
#include "core/trace.h"
#include "systems/gates/gates.h"
#include "systems/passes/passes.h"
#include "systems/people/people.h"
#include "systems/rules.h"

struct stmt scan_stmts[SCAN_STMTS] = {
#define S(n, ...) STMT(n, __VA_ARGS__),
#include "systems/gates/scan_stmts.inc"
#undef S
};

/* A scan may be sent up hours later, so it is judged by when it was seen. */
struct span {
    int64_t from, at, slot, last_slot;
};

static struct span span_before(int64_t at) {
    int64_t from = at - SCAN_ELSEWHERE;
    return (struct span){from, at, from / TRACE_SLOT, at / TRACE_SLOT};
}

/* While this process alone writes, it mostly knows that a pass was not used just now. */
static int was_used(struct tx *tx, uint64_t pass, int64_t from, bool *ret, struct err *e) {
    *ret = true;
    if (!tx->lately) return 0;
    if (!lately_started(tx->lately)) {
        int64_t newest = INT64_MIN;
        if (db_int(tx->db, &scan_stmts[1], &newest, e, VINT(tx->site->id)) < 0) return -1;
        lately_start(tx->lately, newest);
    }
    *ret = lately_may(tx->lately, pass, from);
    return 0;
}

static int used_elsewhere(struct tx *tx, const struct record *r, bool *ret, struct err *e) {
    struct id here = r->v[SCAN_GATE].id;
    for (struct span p = span_before(r->v[SCAN_SEEN_AT].i); p.slot <= p.last_slot; p.slot++) {
        struct rows *rows CLEANUP(rows_donep) = NULL;
        int got;
        TRY(db_query(tx->db, &scan_stmts[0], &rows, e, VINT(tx->site->id), r->v[SCAN_PASS], VINT(p.slot), VINT(p.from), VINT(p.at)));
        while ((got = rows_next(rows, e)) == 1) *ret = *ret || !id_eq(rows_id(rows, 0), here);
        if (got < 0) return -1;
    }
    return 0;
}

static int check_pass(struct tx *tx, struct record *r, struct err *e) {
    const char *check;
    bool used, elsewhere = false;
    uint64_t pass = str_hash(r->v[SCAN_PASS].s);
    int64_t seen = r->v[SCAN_SEEN_AT].i;
    TRY(passes_check(tx, r->v[SCAN_PASS].s, r->area, seen, &check, e));
    TRY(was_used(tx, pass, seen - SCAN_ELSEWHERE, &used, e));
    if (used && strcmp(check, "valid") == 0) TRY(used_elsewhere(tx, r, &elsewhere, e));
    if (tx->lately) lately_add(tx->lately, pass, seen);
    db_unforesee(tx->db, &scan_stmts[0], VINT(tx->site->id), r->v[SCAN_PASS]); /* it is about to be used here */
    r->v[SCAN_PASS_CHECK] = elsewhere ? VTEXTZ("elsewhere") : VTEXTZ(check);
    return 0;
}

/* Whether somebody is known is not told, only that he should be at home. */
static int check_person(struct tx *tx, struct record *r, struct err *e) {
    size_t field = (size_t)kind_field(&resident_kind, STR("id_number"));
    struct record *person;
    struct str number;
    bool stays;
    TRY(record_plain(&tx->site->key, tx->a, r, SCAN_ID_NUMBER, &number, e));
    int found = record_find(tx->db, tx->site->id, &tx->site->key, tx->a, &resident_kind, field, number, &person, e);
    if (found <= 0) return found;
    TRY(passes_stays_at_home(tx, person, r->v[SCAN_SEEN_AT].i, &stays, e));
    if (stays) r->v[SCAN_PASS_CHECK] = VTEXTZ("stay_home");
    return 0;
}

/* A pass that was used elsewhere may be in order: the guard looks at who holds it. */
static const char *verdict(const struct record *r) {
    const struct val *check = &r->v[SCAN_PASS_CHECK];
    if (r->v[SCAN_FEBRILE].type == V_INT && r->v[SCAN_FEBRILE].i) return "fever_clinic";
    return check->type == V_NULL || str_eqz(check->s, "valid") || str_eqz(check->s, "elsewhere") ? "pass" : "turn_back";
}

static bool has(const struct record *r, enum scan_field f) {
    return r->v[f].type != V_NULL;
}

int scan_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    (void)errs;
    if (has(r, SCAN_TEMPERATURE)) TRY(rule_febrile(tx, r, e));
    if (!has(r, SCAN_PERSONS)) r->v[SCAN_PERSONS] = VINT(1);
    /* A card that could not be read has been judged on the way here. */
    if (has(r, SCAN_PASS) && has(r, SCAN_GATE)) TRY(check_pass(tx, r, e));
    else if (has(r, SCAN_ID_NUMBER) && !has(r, SCAN_PASS_CHECK)) TRY(check_person(tx, r, e));
    if (!has(r, SCAN_VERDICT)) r->v[SCAN_VERDICT] = VTEXTZ(verdict(r));
    return 0;
}

int scan_foresee(struct tx *tx, const struct val *values, struct err *e) {
    const struct val *pass = &values[SCAN_PASS], *seen = &values[SCAN_SEEN_AT];
    if (pass->type != V_TEXT || seen->type != V_INT) return 0;
    TRY(passes_check_foresee(tx, pass->s, e));
    if (tx->alone && !lately_may(tx->lately, str_hash(pass->s), seen->i - SCAN_ELSEWHERE)) return 0;
    for (struct span p = span_before(seen->i); p.slot <= p.last_slot; p.slot++)
        TRY(db_foresee(tx->db, &scan_stmts[0], e, VINT(tx->site->id), *pass, VINT(p.slot), VINT(p.from), VINT(p.at)));
    return 0;
}
