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

static uint64_t pass_value(struct str pass) {
    uint64_t value;
    return pass_number_value(pass, &value) ? value : str_hash(pass) | UINT64_C(1) << 63;
}

static int start_lately(struct tx *tx, struct err *e) {
    int64_t newest = INT64_MIN;
    if (!tx->lately || lately_started(tx->lately)) return 0;
    if (db_int(tx->db, &scan_stmts[1], &newest, e, VINT(tx->site->id)) < 0) return -1;
    lately_start(tx->lately, newest);
    return 0;
}

/* While this process alone writes, it mostly knows where a pass was used just now. */
static bool is_known(const struct tx *tx, struct str pass, struct id gate, const struct span *p, bool *ret) {
    return tx->lately && lately_elsewhere(tx->lately, pass_value(pass), gate, p->from, p->at, ret);
}

struct use {
    struct id gate;
    int64_t seen;
};
struct uses {
    struct use all[2 * SCAN_USES]; /* a span touches two slots */
    int n;
    bool whole; /* all that were seen after span.from */
};

/* In one slot.  A few later ones are among them. */
static int uses_in(struct tx *tx, const struct val *pass, int64_t slot, int64_t from, struct uses *u, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got, n = 0;
    TRY(db_query(tx->db, &scan_stmts[0], &rows, e, VINT(tx->site->id), *pass, VINT(slot), VINT(from)));
    for (; (got = rows_next(rows, e)) == 1; n++) u->all[u->n++] = (struct use){rows_id(rows, 0), rows_int(rows, 1)};
    u->whole = u->whole && n < SCAN_USES;
    return got;
}

static int used_elsewhere(struct tx *tx, const struct record *r, const struct span *p, bool *ret, struct err *e) {
    struct lately *l = tx->lately;
    uint64_t pass = pass_value(r->v[SCAN_PASS].s);
    struct uses u = {.whole = l && lately_newest(l) < (p->last_slot + 1) * TRACE_SLOT};
    for (int64_t slot = p->slot; slot <= p->last_slot; slot++) TRY(uses_in(tx, &r->v[SCAN_PASS], slot, p->from, &u, e));
    if (u.whole) lately_know(l, pass, p->from);
    *ret = false;
    for (int i = 0; i < u.n; i++) {
        *ret = *ret || (u.all[i].seen <= p->at && !id_eq(u.all[i].gate, r->v[SCAN_GATE].id));
        if (u.whole) lately_add_at(l, pass, u.all[i].gate, u.all[i].seen);
    }
    return 0;
}

static int check_pass(struct tx *tx, struct record *r, struct err *e) {
    const char *check;
    bool elsewhere = false;
    struct str pass = r->v[SCAN_PASS].s;
    struct span p = span_before(r->v[SCAN_SEEN_AT].i);
    TRY(passes_check(tx, pass, r->area, p.at, &check, e));
    TRY(start_lately(tx, e));
    if (strcmp(check, "valid") == 0 && !is_known(tx, pass, r->v[SCAN_GATE].id, &p, &elsewhere)) TRY(used_elsewhere(tx, r, &p, &elsewhere, e));
    if (tx->lately) lately_add_at(tx->lately, pass_value(pass), r->v[SCAN_GATE].id, p.at);
    db_unforesee(tx->db, &scan_stmts[0], VINT(tx->site->id), r->v[SCAN_PASS]); /* it is about to be used here */
    r->v[SCAN_PASS_CHECK] = strcmp(check, "valid") == 0 && elsewhere ? VTEXTZ("elsewhere") : VTEXTZ(check);
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
    struct span p = span_before(seen->i);
    bool ignored;
    if (tx->alone && is_known(tx, pass->s, (struct id){{0}}, &p, &ignored)) return 0;
    for (; p.slot <= p.last_slot; p.slot++) TRY(db_foresee(tx->db, &scan_stmts[0], e, VINT(tx->site->id), *pass, VINT(p.slot), VINT(p.from)));
    return 0;
}
