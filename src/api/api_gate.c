/* A passage at a gate: the short form of gate_scan.create, answered with what to do.  A pass is given by its number or by the text of its card; a card is
 * judged here, on the caller's thread, the rest by the records (systems/gates/scan.h). */
#include "api/request.h"
#include "systems/gates/gates.h"
#include "systems/passes/known.h"

static struct val *value(struct command_call *call, enum scan_field f) {
    call->given[f] = true;
    return &call->values[f];
}

static bool missing(const struct command_call *call, enum scan_field f) {
    return call->values[f].type == V_NULL;
}

static int read_card(struct request *rq, struct command_call *call, struct str text, struct err *e) {
    char number[PASS_NUMBER];
    enum pass_verdict v;
    TRY(passes_known_read(rq->api->passes, text, rq->at_once, &v, number, e));
    if (number[0]) *value(call, SCAN_PASS) = VTEXT(arena_str(call->a, str_z(number)));
    else *value(call, SCAN_PASS_CHECK) = VTEXTZ(pass_verdict_name(v));
    return 0;
}

/* The time of arrival is not the caller's word: sent again it is another one. */
static void fill(struct request *rq, struct command_call *call) {
    if (missing(call, SCAN_SEEN_AT)) call->values[SCAN_SEEN_AT] = VINT(site_now(rq->site));
    if (missing(call, SCAN_WHAT)) *value(call, SCAN_WHAT) = VTEXTZ(missing(call, SCAN_PLATE) ? "person" : "vehicle");
}

/* Longer than any number: the text of a card. */
static bool is_card(const struct json *pass) {
    enum { NUMBER_MOST = 24 };
    return pass && pass->type == JSON_STRING && pass->text.n > NUMBER_MOST;
}

static int parse(struct request *rq, const struct json *j, struct command_call *call, struct err *e) {
    static const char *const besides[] = {"id", "pass", NULL};
    if (j->type != JSON_OBJECT) return err_set(e, ERR_BAD_REQUEST, NULL, M_TYPE_OBJECT);
    const struct json *id = json_get(j, "id"), *pass = json_get(j, "pass");
    command_prepare(call, &gate_scan_kind, VERB_CREATE);
    if (!id) return err_set(e, ERR_INVALID, "id", M_REQUIRED);
    if (id->type != JSON_STRING || !id_parse(id->text, &call->id)) return err_set(e, ERR_INVALID, "id", M_TYPE_ID);
    bool card = is_card(pass);
    command_values(rq->site, call, j, card ? besides : (const char *const[]){"id", NULL});
    if (card) TRY(read_card(rq, call, pass->text, e));
    fill(rq, call);
    if (call->errs.n == 0) return 0;
    *e = call->errs.e[0];
    return -1;
}

static struct str text_of(const struct command_call *call, enum scan_field f) {
    return call->row->v[f].type == V_TEXT ? call->row->v[f].s : STR_NONE;
}

static void put_or_null(struct json_out *o, const char *key, struct str s) {
    if (s.n) json_put_str(o, key, s);
    else json_put_strz(o, key, NULL);
}

static void answer(struct request *rq, const struct command_call *call, struct json_out *o) {
    struct str check = text_of(call, SCAN_PASS_CHECK), verdict = text_of(call, SCAN_VERDICT);
    const struct code *c = code_find(gate_scan_kind.fields[SCAN_PASS_CHECK].codes, check);
    const struct code *v = code_find(gate_scan_kind.fields[SCAN_VERDICT].codes, verdict);
    char text[ID_TEXT];
    json_object(o);
    json_put_strz(o, "id", id_text(call->id, text));
    json_put_strz(o, "record", text);
    json_put_int(o, "seq", call->ret_seq);
    json_put_bool(o, "repeated", call->repeated);
    put_or_null(o, "check", check);
    json_put_str(o, "verdict", verdict);
    json_put_strz(o, "label", v ? label_in(v->label, rq->lang) : "");
    json_put_strz(o, "check_label", c ? label_in(c->label, rq->lang) : NULL);
    json_object_end(o);
}

int gate_scan_route(struct request *rq, struct err *e) {
    static const struct command_form form = {parse, answer};
    return commands_run(rq, &form, e);
}
