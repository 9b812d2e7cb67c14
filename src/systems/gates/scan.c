#include "systems/gates/scan.h"

#include "core/trace_run.h"
#include "core/used.h"
#include "systems/gates/gates.h"
#include "systems/passes/passes.h"
#include "systems/people/people.h"
#include "systems/rules.h"

/* A scan may be sent up hours later, so it is judged by when it was seen. */
struct look {
    uint64_t pass, gate; /* as scans are found by it, and where */
    int64_t from, at; /* seen behind it, and then at the latest */
};

static struct look look_at(const struct tx *tx, struct str pass, struct id gate, int64_t at) {
    return (struct look){trace_number(&tx->site->key, &gate_scan_kind, SCAN_PASS, pass), trace_place(gate), at - SCAN_ELSEWHERE, at};
}

/* While this process writes it mostly knows where a pass was used just now. */
static enum used_answer known(const struct tx *tx, const struct look *l) {
    return tx->used ? used_elsewhere(tx->used, l->pass, l->gate, l->from, l->at) : USED_ASK;
}

/* Only what is not known: of what was seen a while ago there are few runs, of the last minutes many. */
static int64_t known_from(const struct tx *tx, const struct look *l) {
    return tx->used ? MIN(l->at, used_since(tx->used)) : l->at;
}

static int ask(struct tx *tx, const struct look *l, bool *ret, struct err *e) {
    struct trace_entry *found;
    size_t n;
    TRY(trace_find(tx->db, tx->site->id, tx->a, &gate_scan_kind, l->pass, l->from + 1, known_from(tx, l), &found, &n, e));
    *ret = false;
    for (size_t i = 0; i < n; i++) *ret |= found[i].place != l->gate;
    return 0;
}

static int check_pass(struct tx *tx, struct record *r, struct err *e) {
    const char *check;
    bool elsewhere = false;
    struct look l = look_at(tx, r->v[SCAN_PASS].s, r->v[SCAN_GATE].id, r->v[SCAN_SEEN_AT].i);
    TRY(passes_check(tx, r->v[SCAN_PASS].s, r->area, l.at, &check, e));
    TRY(tx_used_start(tx, e));
    if (strcmp(check, "valid") == 0) {
        enum used_answer is = known(tx, &l);
        elsewhere = is == USED_ELSEWHERE;
        if (is == USED_ASK) TRY(ask(tx, &l, &elsewhere, e));
    }
    if (tx->used) used_add(tx->used, l.pass, l.gate, l.at, tx->now);
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
    TRY(passes_check_foresee(tx, pass->s, seen->i, e));
    struct look l = look_at(tx, pass->s, (struct id){{0}}, seen->i);
    if (known(tx, &l) != USED_ASK) return 0;
    return trace_find_foresee(tx->db, tx->site->id, &gate_scan_kind, l.pass, l.from + 1, known_from(tx, &l), e);
}
