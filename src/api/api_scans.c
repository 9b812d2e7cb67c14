/* What investigators ask of the scans: somebody's history, a gate's list, who passed together.  Whoever says why, with `reason`, and may open scans is also
 * told what is sealed in them. */
#include "api/request.h"
#include "systems/gates/gates.h"
#include "systems/gates/history.h"

static const char *const asked_by[] = {"pass", "plate", "id_number", "phone"};
#define ONE_OF "pass, plate, id_number, phone"

static int no_scan(struct request *rq, const struct kind *k, struct str named, struct err *e) {
    return err_set(e, ERR_NOT_FOUND, NULL, M_NO_RECORD, arena_strz(rq->a, named), label_in(k->label, rq->lang));
}

/* The whole question but what it is about: the page, and where it goes on. */
static int begin(struct request *rq, struct gates_ask *q, struct err *e) {
    struct str after = request_query(rq, "after");
    struct cursor c;
    rq->kind = &gate_scan_kind;
    *q = (struct gates_ask){.site = rq->site, .a = rq->a, .actor = rq->actor};
    TRY(request_limit(rq, &q->limit, e));
    if (after.n) {
        TRY(cursor_parse(rq->a, after, "t", &c, e));
        if (!str_to_int(c.text, 0, INT64_MAX, &q->seen_at)) return err_set(e, ERR_INVALID, "after", M_CURSOR);
        q->id = c.id;
        q->go_on = true;
    }
    TRY(request_db(rq, e));
    q->db = rq->db;
    return 0;
}

/* ---- the answer ---- */

static int opened_show(struct request *rq, const struct record *r, struct json_out *o, struct err *e) {
    json_key(o, "opened");
    json_object(o);
    for (size_t i = 0; i < r->kind->n; i++) {
        struct str plain;
        if (!(r->kind->fields[i].flags & SEALED)) continue;
        TRY(record_plain(&rq->site->key, rq->a, r, i, &plain, e));
        json_key(o, r->kind->fields[i].name);
        if (plain.n) json_str(o, plain);
        else json_null(o);
    }
    json_object_end(o);
    return 0;
}

static int passages_show(struct request *rq, const struct gates_ask *q, const struct gates_passages *p, const char *command, struct json_out *o, struct err *e) {
    struct str reason = request_query(rq, "reason");
    if (reason.n) TRY(gates_opened(q, p, command, rq->lang, reason, e));
    json_key(o, "records");
    json_array(o);
    for (size_t i = 0; i < p->n; i++) TRY(record_show(rq, &p->all[i], o, e));
    json_array_end(o);
    if (!reason.n) return 0;
    json_key(o, "opened");
    json_array(o);
    for (size_t i = 0; i < p->n; i++) {
        char id[ID_TEXT];
        json_object(o);
        json_put_strz(o, "id", id_text(p->all[i].id, id));
        TRY(opened_show(rq, &p->all[i], o, e));
        json_object_end(o);
    }
    json_array_end(o);
    return 0;
}

static void next_show(struct request *rq, const struct gates_passages *p, struct json_out *o) {
    struct cursor c = {.phase = 't', .path = STR(""), .text = str_z(arena_printf(rq->a, "%lld", (long long)p->seen_at)), .id = p->id};
    json_key(o, "next");
    if (p->more) json_str(o, cursor_text(rq->a, &c));
    else json_null(o);
}

/* ---- a person's or vehicle's history ---- */

static int which_field(struct request *rq, int *ret, struct str *ret_text, struct err *e) {
    *ret = -1;
    for (size_t i = 0; i < COUNT(asked_by); i++) {
        struct str v = request_query(rq, asked_by[i]);
        if (!v.n) continue;
        if (*ret >= 0) return err_set(e, ERR_INVALID, asked_by[i], M_TOO_MANY, "1");
        *ret = gates_traced(asked_by[i]);
        *ret_text = v;
    }
    if (*ret >= 0) return 0;
    rq->hint = ONE_OF;
    return err_set(e, ERR_INVALID, asked_by[0], M_REQUIRED);
}

static int days(struct request *rq, struct gates_ask *q, struct err *e) {
    day_t from, to;
    TRY(request_period(rq, &from, &to, e));
    if (!request_query(rq, "from").n) from = to - (GATES_HISTORY_DAYS - 1);
    if (to - from >= GATES_HISTORY_DAYS_MOST) return err_set(e, ERR_INVALID, "to", M_RANGE, "1", arena_printf(rq->a, "%d", GATES_HISTORY_DAYS_MOST));
    q->from = tz_start(rq->site->tz, from, 0);
    q->to = tz_start(rq->site->tz, to + 1, 0);
    return 0;
}

int gate_history_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct gates_passages p;
    struct gates_ask q;
    struct str text;
    int field;
    TRY(begin(rq, &q, e));
    TRY(which_field(rq, &field, &text, e));
    TRY(days(rq, &q, e));
    TRY(gates_history(&q, field, text, &p, e));
    json_object(&o);
    TRY(passages_show(rq, &q, &p, "gate_scan.history", &o, e));
    next_show(rq, &p, &o);
    json_object_end(&o);
    return 0;
}

/* ---- the list of a gate ---- */

static int the_gate(struct request *rq, struct record **ret, struct err *e) {
    struct str named = rq->param[0];
    struct record *r = NULL;
    struct id id;
    int found = record_find(rq->db, rq->site->id, &rq->site->key, rq->a, &gate_kind, (size_t)kind_field(&gate_kind, STR("code")), named, &r, e);
    if (found == 0 && id_parse(named, &id)) found = record_load(rq->db, rq->site->id, rq->a, &gate_kind, id, &r, e);
    if (found < 0) return -1;
    if (!found || r->removed || !permit_may(rq->actor, gate_kind.name, "read", r->path)) return no_scan(rq, &gate_kind, named, e);
    *ret = r;
    return 0;
}

static int time_query(struct request *rq, const char *name, int64_t *ret, struct err *e) {
    struct str s = request_query(rq, name);
    if (!s.n || tz_parse(rq->site->tz, s, ret)) return 0;
    return err_set(e, ERR_INVALID, name, M_TYPE_TIME);
}

/* An hour unless it is said otherwise, the last one if nothing is. */
static int times(struct request *rq, struct gates_ask *q, struct err *e) {
    char text[TIME_TEXT];
    bool from = request_query(rq, "from").n, to = request_query(rq, "to").n;
    TRY(time_query(rq, "from", &q->from, e));
    TRY(time_query(rq, "to", &q->to, e));
    if (!to) q->to = from ? q->from + 3600 * US_PER_SECOND : site_now(rq->site) + 300 * US_PER_SECOND;
    if (!from) q->from = q->to - 3600 * US_PER_SECOND;
    if (q->to < q->from) return err_set(e, ERR_INVALID, "to", M_BEFORE, tz_text(rq->site->tz, q->from, text));
    return 0;
}

int gate_scans_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct gates_passages p;
    struct gates_ask q;
    struct record *gate = NULL;
    TRY(begin(rq, &q, e));
    TRY(the_gate(rq, &gate, e));
    TRY(times(rq, &q, e));
    TRY(gates_hour(&q, gate->id, &p, e));
    json_object(&o);
    time_show(rq, "from", q.from, &o);
    time_show(rq, "to", q.to, &o);
    TRY(passages_show(rq, &q, &p, "gate_scan.hour", &o, e));
    next_show(rq, &p, &o);
    json_object_end(&o);
    return 0;
}

/* ---- who passed together ---- */

static int the_scan(struct request *rq, struct record **ret, struct err *e) {
    struct record *r = NULL;
    struct id id;
    int found = id_parse(rq->param[0], &id) ? record_load(rq->db, rq->site->id, rq->a, &gate_scan_kind, id, &r, e) : 0;
    if (found < 0) return -1;
    if (!found || !permit_may(rq->actor, gate_scan_kind.name, "read", r->path)) return no_scan(rq, &gate_scan_kind, rq->param[0], e);
    *ret = r;
    return 0;
}

static int minutes_query(struct request *rq, int *ret, struct err *e) {
    struct str s = request_query(rq, "minutes");
    int64_t n = GATES_NEAR_MINUTES;
    if (s.n && !str_to_int(s, 1, GATES_NEAR_MINUTES_MOST, &n))
        return err_set(e, ERR_INVALID, "minutes", M_RANGE, "1", arena_printf(rq->a, "%d", GATES_NEAR_MINUTES_MOST));
    *ret = (int)n;
    return 0;
}

int gate_near_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct gates_passages p;
    struct gates_ask q;
    struct record *scan = NULL;
    int minutes = 0;
    TRY(begin(rq, &q, e));
    TRY(minutes_query(rq, &minutes, e));
    TRY(the_scan(rq, &scan, e));
    TRY(gates_near(&q, scan, minutes, &p, e));
    json_object(&o);
    json_key(&o, "scan");
    TRY(record_show(rq, scan, &o, e));
    json_put_int(&o, "minutes", minutes);
    TRY(passages_show(rq, &q, &p, "gate_scan.near", &o, e));
    json_put_bool(&o, "more", p.more);
    json_object_end(&o);
    return 0;
}
