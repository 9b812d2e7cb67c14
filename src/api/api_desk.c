/* The desk's own views: who has not reported, what passed the gates, which bulletins stand. */
#include "api/request.h"

#include "core/figure.h"
#include "systems/bulletin/bulletin.h"
#include "systems/gates/gates.h"
#include "systems/reports/reports.h"

static int read_day(struct request *rq, day_t *ret, struct err *e) {
    day_t to;
    TRY(request_period(rq, ret, &to, e));
    *ret = to;
    return 0;
}

static void day_show(struct json_out *o, day_t on) {
    char day[DAY_TEXT];
    json_put_strz(o, "on", day_text(on, day));
}

/* ---- reports ---- */

static void missing_show(struct request *rq, const struct missing_report *m, struct json_out *o) {
    char id[ID_TEXT];
    json_object(o);
    json_key(o, "unit");
    json_object(o);
    json_put_strz(o, "id", id_text(m->unit, id));
    json_put_str(o, "name", m->name);
    json_put_str(o, "code", m->code);
    json_object_end(o);
    json_key(o, "area");
    area_show(rq, areas_by_id(request_areas(rq), m->area), o);
    json_put_strz(o, "due_by", arena_printf(rq->a, "%02d:%02d", m->due_minute / 60, m->due_minute % 60));
    json_key(o, "last_on");
    if (m->last_on.p) json_str(o, m->last_on);
    else json_null(o);
    json_object_end(o);
}

int missing_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    const struct area *x;
    struct missing_report *m;
    struct report_state st;
    size_t n;
    day_t on;
    TRY(request_area(rq, "report_unit", "read", &x, e));
    TRY(read_day(rq, &on, e));
    TRY(request_db(rq, e));
    TRY(reports_state(rq->db, rq->site, rq->a, x->path, on, &st, e));
    TRY(reports_missing(rq->db, rq->site, rq->a, x->path, on, &m, &n, e));
    json_object(&o);
    day_show(&o, on);
    json_put_int(&o, "due", st.due);
    json_put_int(&o, "submitted", st.submitted);
    json_put_int(&o, "late", st.late);
    json_key(&o, "missing");
    json_array(&o);
    for (size_t i = 0; i < n; i++) missing_show(rq, &m[i], &o);
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}

/* ---- gates ---- */

static int gate_number(struct request *rq, const struct record *gate, const char *figure, day_t on, double *ret, struct err *e) {
    struct figure_query q = {.figure = figure_by_id(str_z(figure)), .path = gate->path, .from = on, .to = on, .n = 1};
    struct figure_value v;
    char *id = arena_alloc(rq->a, ID_TEXT);
    INVARIANT(q.figure);
    q.dims[0] = (struct dim){STR("gate"), str_z(id_text(gate->id, id))};
    TRY(figure_value(rq->db, rq->site, rq->a, &q, &v, e));
    *ret = v.value;
    return 0;
}

static int gate_show(struct request *rq, const struct record *gate, day_t on, struct json_out *o, struct err *e) {
    static const char *const numbers[][2] = {{"vehicles", "gate.vehicles_by_gate"}, {"persons", "gate.persons_by_gate"},
                                             {"febrile", "gate.febrile_by_gate"}, {"turned_back", "gate.turned_back_by_gate"}};
    struct str kind = record_text(gate, "kind_of");
    const struct code *c = code_find(gate_kind.fields[kind_field(&gate_kind, STR("kind_of"))].codes, kind);
    char id[ID_TEXT];
    json_object(o);
    json_put_strz(o, "id", id_text(gate->id, id));
    json_put_str(o, "name", record_text(gate, "name"));
    json_put_str(o, "kind", kind);
    json_put_strz(o, "kind_label", c ? label_in(c->label, rq->lang) : "");
    json_key(o, "area");
    area_show(rq, areas_by_id(request_areas(rq), gate->area), o);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        double n;
        TRY(gate_number(rq, gate, numbers[i][1], on, &n, e));
        json_put_int(o, numbers[i][0], (int64_t)n);
    }
    json_object_end(o);
    return 0;
}

static bool stands_on(struct request *rq, const struct record *r, day_t on) {
    day_t since = record_day(r, "since", rq->site->tz), until = record_day(r, "until", rq->site->tz);
    return (since == DAY_NONE || since <= on) && (until == DAY_NONE || until > on);
}

/* The records of a kind below a path, `most` at the most. */
static int load_below(struct request *rq, const struct kind *k, struct str path, size_t most, struct record **ret, size_t *ret_n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct path_range in = path_range(rq->a, path);
    struct record *all = arena_new(rq->a, struct record, most);
    size_t n = 0;
    int got = 0;
    TRY(request_db(rq, e));
    TRY(db_query(rq->db, &kind_sql(k)->range_after, &rows, e, VINT(rq->site->id), VTEXT(in.from), VTEXT(in.to), VTEXT(STR("")), VID((struct id){{0}}),
                 VINT((int64_t)most)));
    while (n < most && (got = rows_next(rows, e)) == 1) record_read(rq->a, k, rows, &all[n++]);
    *ret = all;
    *ret_n = n;
    return got < 0 ? -1 : 0;
}

int gates_day_route(struct request *rq, struct err *e) {
    enum { GATES_MOST = 2000 };
    struct json_out o = JSON_OUT(rq->out);
    const struct area *x;
    struct record *gates;
    size_t n;
    day_t on;
    TRY(request_area(rq, "gate", "read", &x, e));
    TRY(read_day(rq, &on, e));
    TRY(load_below(rq, &gate_kind, x->path, GATES_MOST, &gates, &n, e));
    json_object(&o);
    day_show(&o, on);
    json_key(&o, "gates");
    json_array(&o);
    for (size_t i = 0; i < n; i++)
        if (stands_on(rq, &gates[i], on)) TRY(gate_show(rq, &gates[i], on, &o, e));
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}

/* ---- bulletins ---- */

static int bulletin_show(struct request *rq, const struct record *r, struct json_out *o, struct err *e) {
    char id[ID_TEXT];
    json_object(o);
    json_put_strz(o, "id", id_text(r->id, id));
    json_put_int(o, "version", record_int(r, "revision"));
    json_put_str(o, "from", record_text(r, "since"));
    json_put_str(o, "to", record_text(r, "until"));
    time_show(rq, "at", record_int(r, "issued_at"), o);
    json_key(o, "by");
    TRY(actor_show(rq, r->created_by, o, e));
    json_key(o, "area");
    area_show(rq, areas_by_id(request_areas(rq), r->area), o);
    json_put_str(o, "note", record_text(r, "note"));
    json_object_end(o);
    return 0;
}

static int newest_first(const void *a, const void *b) {
    int64_t x = record_int(a, "issued_at"), y = record_int(b, "issued_at");
    return x > y ? -1 : x < y;
}

int bulletins_route(struct request *rq, struct err *e) {
    enum { BULLETINS_MOST = 1000 };
    struct json_out o = JSON_OUT(rq->out);
    const struct area *x;
    struct record *r;
    size_t n;
    TRY(request_area(rq, "bulletin", "read", &x, e));
    TRY(load_below(rq, &bulletin_kind, x->path, BULLETINS_MOST, &r, &n, e));
    qsort(r, n, sizeof *r, newest_first);
    json_object(&o);
    json_key(&o, "bulletins");
    json_array(&o);
    for (size_t i = 0; i < n; i++)
        if (str_eq(r[i].path, x->path)) TRY(bulletin_show(rq, &r[i], &o, e));
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}
