#include "systems/gates/scan.h"

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
static int used_elsewhere(struct tx *tx, const struct record *r, int64_t at, bool *ret, struct err *e) {
    int64_t from = at - SCAN_ELSEWHERE, n = 0;
    for (int64_t day = from / US_PER_DAY; n == 0 && day <= at / US_PER_DAY; day++)
        if (db_int(tx->db, &scan_stmts[0], &n, e, VINT(tx->site->id), VINT(day), *record_get(r, "pass"), VINT(from), VINT(at), *record_get(r, "gate")) < 0) return -1;
    *ret = n > 0;
    return 0;
}

static int check_pass(struct tx *tx, struct record *r, struct err *e) {
    const char *check;
    int64_t at = record_int(r, "seen_at");
    bool elsewhere = false;
    TRY(passes_check(tx, record_text(r, "pass"), r->area, at, &check, e));
    if (strcmp(check, "valid") == 0) TRY(used_elsewhere(tx, r, at, &elsewhere, e));
    record_set_text(r, "pass_check", elsewhere ? STR("elsewhere") : str_z(check));
    return 0;
}

/* Whether somebody is known is not told, only that he should be at home. */
static int check_person(struct tx *tx, struct record *r, struct err *e) {
    size_t field = (size_t)kind_field(&resident_kind, STR("id_number"));
    struct record *person;
    struct str number;
    bool stays;
    TRY(record_plain(&tx->site->key, tx->a, r, (size_t)kind_field(r->kind, STR("id_number")), &number, e));
    int found = record_find(tx->db, tx->site->id, &tx->site->key, tx->a, &resident_kind, field, number, &person, e);
    if (found <= 0) return found;
    TRY(passes_stays_at_home(tx, person, record_int(r, "seen_at"), &stays, e));
    if (stays) record_set_text(r, "pass_check", STR("stay_home"));
    return 0;
}

/* A pass that was used elsewhere may be in order: the guard looks at who holds it. */
static struct str verdict(const struct record *r) {
    struct str check = record_text(r, "pass_check");
    if (record_int(r, "febrile")) return STR("fever_clinic");
    return check.n == 0 || str_eq(check, STR("valid")) || str_eq(check, STR("elsewhere")) ? STR("pass") : STR("turn_back");
}

int scan_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    (void)errs;
    TRY(rule_febrile(tx, r, e));
    if (!record_has(r, "persons")) record_set_int(r, "persons", 1);
    /* A card that could not be read has been judged on the way here. */
    if (record_has(r, "pass") && record_has(r, "gate")) TRY(check_pass(tx, r, e));
    else if (record_has(r, "id_number") && !record_has(r, "pass_check")) TRY(check_person(tx, r, e));
    if (!record_has(r, "verdict")) record_set_text(r, "verdict", verdict(r));
    return 0;
}

int scan_foresee(struct tx *tx, const struct val *values, struct err *e) {
    const struct val *pass = &values[kind_field(&gate_scan_kind, STR("pass"))];
    return pass->type == V_TEXT ? passes_check_foresee(tx, pass->s, e) : 0;
}
