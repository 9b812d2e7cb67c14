/* Commands beside issue, which is pass.create. */
#include "systems/passes/passes_internal.h"
#include "systems/rules.h"

static int the_pass(const struct command_call *call, struct err *e) {
    return call->rec ? 0 : err_set(e, ERR_INVALID, "record", M_REQUIRED);
}

static int change(struct tx *tx, struct command_call *call, struct record *r, struct err *e) {
    bool changed;
    return tx_update(tx, call->rec, r, &changed, &call->errs, e);
}

static int not_revoked(struct tx *tx, const struct record *r, const char *what, struct err *e) {
    if (!record_has(r, "revoked_at")) return 0;
    return err_set(e, ERR_STATE, NULL, M_NOT_IN_STATE, label_in(pass_verdict_label(PASS_REVOKED), tx->lang), what);
}

static int revoke(struct tx *tx, struct command_call *call, struct err *e) {
    static const struct label what = {"作废", "revoke"};
    TRY(the_pass(call, e));
    TRY(not_revoked(tx, call->rec, label_in(what, tx->lang), e));
    struct record *r = record_copy(tx->a, call->rec);
    TRY(rule_input(tx, call, &passes_kind, "reason", "revoke_reason", record_val(r, "revoke_reason"), e));
    if (!record_has(r, "revoke_reason")) return err_set(e, ERR_INVALID, "reason", M_REQUIRED);
    record_set_int(r, "revoked_at", tx->now);
    return change(tx, call, r, e);
}

static int stay_home(struct tx *tx, struct command_call *call, struct err *e) {
    static const struct label what = {"要求居家", "order to stay at home"};
    char today[DAY_TEXT];
    TRY(the_pass(call, e));
    TRY(not_revoked(tx, call->rec, label_in(what, tx->lang), e));
    struct record *r = record_copy(tx->a, call->rec);
    TRY(rule_input(tx, call, &passes_kind, "from", "stay_home_from", record_val(r, "stay_home_from"), e));
    TRY(rule_input(tx, call, &passes_kind, "until", "stay_home_until", record_val(r, "stay_home_until"), e));
    day_text(tx->today, today);
    if (!record_has(r, "stay_home_from")) record_set_text(r, "stay_home_from", arena_str(tx->a, str_z(today)));
    struct str from = record_text(r, "stay_home_from");
    bool has_end = record_has(r, "stay_home_until");
    if (has_end && str_cmp(record_text(r, "stay_home_until"), from) < 0) return err_set(e, ERR_INVALID, "until", M_BEFORE, arena_strz(tx->a, from));
    if (has_end && str_cmp(record_text(r, "stay_home_until"), str_z(today)) < 0) return err_set(e, ERR_INVALID, "until", M_BEFORE, today);
    return change(tx, call, r, e);
}

static int lift(struct tx *tx, struct command_call *call, struct err *e) {
    TRY(the_pass(call, e));
    struct record *r = record_copy(tx->a, call->rec);
    record_set_null(r, "stay_home_from");
    record_set_null(r, "stay_home_until");
    return change(tx, call, r, e);
}

/* ---- pass.issue_area ---- */

struct home {
    struct id id, area;
    struct str path;
};

static int households(struct tx *tx, struct str top, struct home *list, size_t *ret_n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct path_range in = path_range(tx->a, top);
    char today[DAY_TEXT];
    int got;
    TRY(db_query(tx->db, PS(without_pass), &rows, e, VINT(tx->site->id), VTEXT(in.from), VTEXT(in.to), VTEXTZ(day_text(tx->today, today)), VINT(tx->now),
                 VINT(PASSES_AT_ONCE + 1)));
    for (*ret_n = 0; (got = rows_next(rows, e)) == 1; ++*ret_n)
        list[*ret_n] = (struct home){rows_id(rows, 0), rows_id(rows, 1), arena_str(tx->a, rows_text(rows, 2))};
    return got;
}

static int area_named(struct tx *tx, struct command_call *call, struct str *ret, struct err *e) {
    const struct kind *k = kind_by_name(STR("area"));
    struct str named = call->data ? json_text(call->data, "area") : STR_NONE;
    struct record *r;
    if (named.n == 0) return err_set(e, ERR_INVALID, "area", M_REQUIRED);
    int found = record_find(tx->db, tx->site->id, &tx->site->key, tx->a, k, (size_t)kind_field(k, STR("code")), named, &r, e);
    if (found < 0) return -1;
    if (!found) return err_set(e, ERR_INVALID, "area", M_NO_RECORD, arena_strz(tx->a, named), label_in(k->label, tx->lang));
    *ret = r->path;
    return tx_require(tx, r->path, e);
}

static int issue_area(struct tx *tx, struct command_call *call, struct err *e) {
    static const char *const taken[] = {"valid_from", "valid_until", "outings", "days"};
    struct home *list = arena_new(tx->a, struct home, PASSES_AT_ONCE + 1);
    struct record *like = record_new(tx->a, &passes_kind);
    struct str top;
    size_t n;
    TRY(area_named(tx, call, &top, e));
    for (size_t i = 0; i < COUNT(taken); i++) TRY(rule_input(tx, call, &passes_kind, taken[i], taken[i], record_val(like, taken[i]), e));
    TRY(households(tx, top, list, &n, e));
    bool more = n > PASSES_AT_ONCE;
    n = MIN(n, (size_t)PASSES_AT_ONCE);
    for (size_t i = 0; i < n; i++) {
        struct record *r = record_copy(tx->a, like);
        r->area = list[i].area;
        r->path = list[i].path;
        record_set_text(r, "kind_of", STR("household"));
        *record_val(r, "household") = VID(list[i].id);
        TRY(tx_create(tx, r, &call->errs, e));
    }
    call->ret_json = str_z(arena_printf(tx->a, "\"issued\":%zu,\"more\":%s", n, more ? "true" : "false"));
    return 0;
}

/* ---- pass_key.make ---- */

/* For a key that was lost: remove it, make another. */
static int make_key(struct tx *tx, struct command_call *call, struct err *e) {
    struct passes_keys keys;
    (void)call;
    TRY(tx_require(tx, STR(""), e));
    TRY(passes_keys(tx->db, tx->site, tx->a, &keys, e));
    TRY(passes_key_new(tx, &keys, passes_second(tx->now), e));
    return 0;
}

const struct command passes_commands[PASSES_COMMANDS] = {
    {"pass.revoke", {"作废出入证", "Revoke a pass"}, &passes_kind, revoke},
    {"pass.stay_home", {"要求居家", "Order to stay at home"}, &passes_kind, stay_home},
    {"pass.lift", {"解除居家", "Lift the order to stay at home"}, &passes_kind, lift},
    {"pass.issue_area", {"为区域内各户签发出入证", "Issue passes to the households of an area"}, &passes_kind, issue_area},
    {"pass_key.make", {"生成出入证密钥", "Make a pass key"}, &passes_key_kind, make_key},
};
