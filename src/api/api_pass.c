/* Passes: what a gate needs for its day, the verdict on a card, cards to print. */
#include "api/files.h"
#include "api/request.h"
#include "systems/gates/gates.h"
#include "systems/passes/passes.h"

static int no_record(struct request *rq, const struct kind *k, struct str shown, struct err *e) {
    return err_set(e, ERR_NOT_FOUND, NULL, M_NO_RECORD, arena_strz(rq->a, shown), label_in(k->label, rq->lang));
}

/* The gate of that code or id; one outside the caller's areas is not there for him. */
static int find_gate(struct request *rq, struct str named, struct record **ret, struct err *e) {
    struct id id;
    struct record *r = NULL;
    if (named.n == 0) return err_set(e, ERR_INVALID, "gate", M_REQUIRED);
    TRY(request_db(rq, e));
    int found = record_find(rq->db, rq->site->id, &rq->site->key, rq->a, &gate_kind, (size_t)kind_field(&gate_kind, STR("code")), named, &r, e);
    if (found == 0 && id_parse(named, &id)) found = record_load(rq->db, rq->site->id, rq->a, &gate_kind, id, &r, e);
    if (found < 0) return -1;
    if (!found || r->removed || !permit_may(rq->actor, "pass", "verify", r->path)) return no_record(rq, &gate_kind, named, e);
    *ret = r;
    return 0;
}

static int find_pass(struct request *rq, struct record **ret, struct err *e) {
    struct id id;
    struct record *r;
    rq->kind = &passes_kind;
    if (!id_parse(rq->param[0], &id)) return no_record(rq, &passes_kind, rq->param[0], e);
    TRY(request_db(rq, e));
    int found = record_load(rq->db, rq->site->id, rq->a, &passes_kind, id, &r, e);
    if (found < 0) return -1;
    if (!found || r->removed || !permit_may(rq->actor, "pass", "read", r->path)) return no_record(rq, &passes_kind, rq->param[0], e);
    *ret = r;
    return 0;
}

static int read_keys(struct request *rq, struct passes_keys *ret, struct err *e) {
    TRY(request_db(rq, e));
    return passes_keys(rq->db, rq->site, rq->a, ret, e);
}

/* ---- what a gate keeps ---- */

int gate_keys_route(struct request *rq, struct err *e) {
    struct passes_keys keys;
    TRY(read_keys(rq, &keys, e));
    pass_keys_json(keys.published, keys.published_n, rq->out);
    return 0;
}

/* With the half of the day: a list that has not changed is fetched anew before it runs out. */
static const char *etag_of(struct request *rq, int64_t version) {
    return arena_printf(rq->a, "W/\"%lld-%lld\"", (long long)version, (long long)(site_now(rq->site) / (PASSES_LIST_LASTS / 2)));
}

static bool is_known(struct request *rq, int64_t version) {
    const char *etag = etag_of(rq, version);
    if (!str_eqz(http_header(rq->call, "if-none-match"), etag)) return false;
    http_add_header(rq->call, "ETag", etag);
    rq->status = 304;
    return true;
}

int gate_list_route(struct request *rq, struct err *e) {
    struct str from = request_query(rq, "from");
    struct passes_keys keys;
    struct pass_list list;
    enum pass_list_kind kind;
    int64_t since = 0, newest;
    TRY(passes_list_kind(rq->param[0], &kind, e));
    if (from.n && !str_to_int(from, 0, INT64_C(1) << 53, &since)) return err_set(e, ERR_INVALID, "from", M_TYPE_INT);
    TRY(read_keys(rq, &keys, e));
    TRY(passes_listed(rq->db, rq->site, &newest, e));
    /* No list is newer than the newest change of any: most gates that ask are answered by that. */
    if (is_known(rq, MAX(newest, 1))) return 0;
    TRY(passes_list(rq->db, rq->site, rq->a, &keys, kind, since, &list, e));
    if (is_known(rq, list.version)) return 0;
    TRY(passes_list_file(rq->site, &keys, &list, rq->out, e));
    http_add_header(rq->call, "ETag", etag_of(rq, list.version));
    rq->type = "application/cose";
    return 0;
}

static void chain_show(struct request *rq, const struct record *gate, struct json_out *o) {
    const struct areas *t = request_areas(rq);
    json_key(o, "chain");
    json_array(o);
    for (const struct area *x = areas_by_id(t, gate->area); x; x = areas_parent(t, x)) {
        json_object(o);
        json_put_str(o, "code", x->code);
        json_put_str(o, "name", x->name);
        json_put_str(o, "level", x->level);
        json_object_end(o);
    }
    json_array_end(o);
}

static int versions_show(struct request *rq, struct json_out *o, struct err *e) {
    static const char *const names[PASS_LIST_KIND__END] = {[PASS_LIST_REVOKED] = "revoked", [PASS_LIST_STAY_HOME] = "stay_home"};
    int64_t version;
    json_key(o, "lists");
    json_object(o);
    for (int k = PASS_LIST_REVOKED; k < PASS_LIST_KIND__END; k++) {
        TRY(passes_list_version(rq->db, rq->site, (enum pass_list_kind)k, &version, e));
        json_put_int(o, names[k], version);
    }
    json_object_end(o);
    return 0;
}

static void verdicts_show(struct request *rq, struct json_out *o) {
    json_key(o, "verdicts");
    json_object(o);
    for (int v = 0; v < PASS_VERDICT__COUNT; v++)
        json_put_strz(o, pass_verdict_name((enum pass_verdict)v), label_in(pass_verdict_label((enum pass_verdict)v), rq->lang));
    json_object_end(o);
}

int gate_bundle_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct buf set CLEANUP(buf_release) = BUF(4 << 20);
    struct passes_keys keys;
    struct record *gate;
    char id[ID_TEXT];
    TRY(find_gate(rq, request_query(rq, "gate"), &gate, e));
    TRY(read_keys(rq, &keys, e));
    pass_keys_json(keys.published, keys.published_n, &set);
    json_object(&o);
    json_key(&o, "gate");
    json_object(&o);
    json_put_strz(&o, "id", id_text(gate->id, id));
    json_put_str(&o, "code", record_text(gate, "code"));
    json_put_str(&o, "name", record_text(gate, "name"));
    json_put_str(&o, "kind", record_text(gate, "kind_of"));
    chain_show(rq, gate, &o);
    json_object_end(&o);
    json_put_strz(&o, "issuer", keys.issuer);
    json_key(&o, "key_set");
    json_raw(&o, buf_str(&set));
    TRY(versions_show(rq, &o, e));
    time_show(rq, "now", site_now(rq->site), &o);
    verdicts_show(rq, &o);
    json_object_end(&o);
    return 0;
}

/* ---- the verdict ---- */

static void claims_show(struct request *rq, const struct pass_claims *c, struct json_out *o) {
    static const char *const kinds[PASS_KIND__END] = {[PASS_HOUSEHOLD] = "household", [PASS_PERSON] = "person", [PASS_VEHICLE] = "vehicle", [PASS_VISITOR] = "visitor"};
    char number[PASS_NUMBER];
    json_put_strz(o, "number", pass_number(c->id, number));
    json_put_strz(o, "kind", kinds[c->kind]);
    json_put_strz(o, "kind_label", label_in(pass_kind_label(c->kind), rq->lang));
    json_key(o, "areas");
    json_array(o);
    for (size_t i = 0; i < c->areas_n; i++) json_str(o, c->areas[i]);
    json_array_end(o);
    json_key(o, "area_names");
    json_array(o);
    for (size_t i = 0; i < c->areas_n; i++) {
        const struct area *x = areas_by_code(request_areas(rq), c->areas[i]);
        json_str(o, x ? x->name : c->areas[i]);
    }
    json_array_end(o);
    time_show(rq, "valid_from", c->from_at, o);
    time_show(rq, "valid_until", c->expires_at, o);
    json_key(o, "outings");
    if (c->outings) json_num(o, c->outings);
    else json_null(o);
    json_key(o, "days");
    if (c->days) json_num(o, c->days);
    else json_null(o);
}

int gate_verify_route(struct request *rq, struct err *e) {
    static const char *const allowed[] = {"text", "number", "gate", NULL};
    struct json_out o = JSON_OUT(rq->out);
    struct passes_verdict v;
    struct record *gate;
    struct json *j;
    char id[ID_TEXT];
    TRY(request_json(rq, allowed, &j, e));
    struct str text = json_text(j, "text"), number = json_text(j, "number");
    if (text.n == 0 && number.n == 0) return err_set(e, ERR_INVALID, "text", M_REQUIRED);
    TRY(find_gate(rq, json_text(j, "gate"), &gate, e));
    TRY(passes_verify(rq->site, rq->db, request_areas(rq), rq->a, gate, text.n ? text : number, &v, e));
    bool may_read = v.pass && !v.pass->removed && permit_may(rq->actor, "pass", "read", v.pass->path);
    json_object(&o);
    json_put_strz(&o, "verdict", pass_verdict_name(v.verdict));
    json_put_strz(&o, "label", label_in(pass_verdict_label(v.verdict), rq->lang));
    if (v.read) claims_show(rq, &v.claims, &o);
    json_put_strz(&o, "record", may_read ? id_text(v.pass->id, id) : NULL);
    json_object_end(&o);
    return 0;
}

/* ---- codes and cards ---- */

int pass_qr_route(struct request *rq, struct err *e) {
    struct passes_keys keys;
    struct record *pass;
    TRY(find_pass(rq, &pass, e));
    TRY(read_keys(rq, &keys, e));
    TRY(passes_text(rq->site, &keys, pass, rq->out, e));
    rq->type = "text/plain; charset=utf-8";
    return 0;
}

int pass_card_route(struct request *rq, struct err *e) {
    struct passes_keys keys;
    struct record *pass;
    struct card card;
    TRY(find_pass(rq, &pass, e));
    TRY(read_keys(rq, &keys, e));
    TRY(passes_card(rq->site, request_areas(rq), &keys, pass, rq->lang, rq->a, &card, e));
    TRY(cards_single(&card, rq->lang, rq->out, e));
    files_attach(rq, arena_printf(rq->a, "pass-%.*s.pdf", STR_FMT(card.number)), "application/pdf");
    return 0;
}

static void add_next(struct request *rq, const struct area *x, const struct passes_sheet *sheet) {
    char id[ID_TEXT];
    struct str after = cursor_text(rq->a, &(struct cursor){.phase = 'p', .path = sheet->path, .id = sheet->id});
    http_add_header(rq->call, "Link", arena_printf(rq->a, "</api/v1/passes/sheet.pdf?area=%s&after=%.*s>; rel=\"next\"", id_text(x->id, id), STR_FMT(after)));
}

int pass_sheet_route(struct request *rq, struct err *e) {
    struct passes_sheet sheet;
    struct cursor at = {.path = STR("")};
    struct str after = request_query(rq, "after");
    const struct area *x;
    char day[DAY_TEXT];
    rq->kind = &passes_kind;
    TRY(request_area(rq, "pass", "read", &x, e));
    if (after.n) TRY(cursor_parse(rq->a, after, "p", &at, e));
    TRY(request_db(rq, e));
    struct passes_place from = {.top = x->path, .path = at.path, .id = at.id};
    TRY(passes_sheet(rq->site, rq->db, request_areas(rq), &from, rq->lang, rq->a, &sheet, e));
    if (sheet.n == 0) return no_record(rq, &passes_kind, x->name, e);
    TRY(cards_sheet(sheet.cards, sheet.n, rq->lang, rq->out, e));
    if (sheet.more) add_next(rq, x, &sheet);
    files_attach(rq, arena_printf(rq->a, "passes-%s.pdf", day_text(site_today(rq->site), day)), "application/pdf");
    return 0;
}
