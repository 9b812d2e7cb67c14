/* Figures: their values, day by day, and the records behind them. */
#include "api/request.h"

#include <math.h>

#include "core/figure.h"

static void number_show(struct json_out *o, const char *key, double v, bool none) {
    json_key(o, key);
    if (none || !isfinite(v)) json_null(o);
    else json_dbl(o, v);
}

static void dim_show(struct str cut, struct json_out *o) {
    struct str part;
    json_key(o, "dim");
    json_object(o);
    while (str_cut(&cut, ';', &part)) {
        ptrdiff_t eq = str_find_char(part, '=');
        if (eq <= 0) continue;
        json_key_str(o, str_sub(part, 0, (size_t)eq));
        json_str(o, str_sub(part, (size_t)eq + 1, part.n));
    }
    json_object_end(o);
}

static void value_show(struct request *rq, const struct figure *f, const struct figure_value *v, struct json_out *o) {
    json_object(o);
    json_put_strz(o, "id", f->id);
    dim_show(v->cut, o);
    number_show(o, "value", v->value, v->none);
    json_put_strz(o, "unit", f->unit);
    json_put_strz(o, "label", label_in(f->label, rq->lang));
    json_object_end(o);
}

static int figure_show(struct request *rq, struct figure_query *q, bool cuts, struct json_out *o, struct err *e) {
    struct figure_value one, *v = &one;
    size_t n = 1;
    if (cuts) TRY(figure_cuts(rq->db, rq->site, rq->a, q, &v, &n, e));
    else TRY(figure_value(rq->db, rq->site, rq->a, q, &one, e));
    for (size_t i = 0; i < n; i++) value_show(rq, q->figure, &v[i], o);
    return 0;
}

static int no_figure(struct request *rq, struct str id, struct err *e) {
    return err_set(e, ERR_NOT_FOUND, NULL, M_NO_FIGURE, arena_strz(rq->a, id));
}

static int figures_named(struct request *rq, struct str ids, struct figure_query *q, bool cuts, struct json_out *o, struct err *e) {
    enum { MOST = 100 };
    struct str id;
    for (size_t n = 0; str_cut(&ids, ',', &id); n++) {
        q->figure = figure_by_id(str_trim(id));
        if (!q->figure) return no_figure(rq, id, e);
        if (n == MOST) return err_set(e, ERR_INVALID, "id", M_TOO_MANY, "100");
        TRY(figure_show(rq, q, cuts, o, e));
    }
    return 0;
}

static int figures_all(struct request *rq, struct figure_query *q, bool cuts, struct json_out *o, struct err *e) {
    TRY(figures_foresee(rq->db, rq->site, rq->a, q->path, q->from, q->to, e));
    for (size_t i = 0; (q->figure = figure_at(i)); i++)
        if (!q->figure->hidden) TRY(figure_show(rq, q, cuts, o, e));
    return 0;
}

static void period_show(const struct figure_query *q, struct json_out *o) {
    char day[DAY_TEXT];
    json_put_strz(o, "from", day_text(q->from, day));
    json_put_strz(o, "to", day_text(q->to, day));
}

/* cuts=0 leaves the parts out. */
int figures_route(struct request *rq, struct err *e) {
    struct figure_query q = {.figure = NULL};
    const struct area *x;
    struct str ids = request_query(rq, "id");
    bool cuts = !str_eq(request_query(rq, "cuts"), STR("0"));
    struct json_out o = JSON_OUT(rq->out);
    TRY(request_area(rq, "figure", "read", &x, e));
    TRY(request_period(rq, &q.from, &q.to, e));
    TRY(request_db(rq, e));
    q.path = x->path;
    json_object(&o);
    json_key(&o, "area");
    area_show(rq, x, &o);
    period_show(&q, &o);
    json_key(&o, "figures");
    json_array(&o);
    TRY(ids.n ? figures_named(rq, ids, &q, cuts, &o, e) : figures_all(rq, &q, cuts, &o, e));
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}

/* The figure of the path with area, period and dims. */
static int read_query(struct request *rq, struct figure_query *q, struct err *e) {
    const struct area *x;
    *q = (struct figure_query){.figure = figure_by_id(rq->param[0])};
    if (!q->figure) return no_figure(rq, rq->param[0], e);
    TRY(request_area(rq, "figure", "read", &x, e));
    TRY(request_period(rq, &q->from, &q->to, e));
    TRY(dims_parse(rq->a, request_query(rq, "dim"), q, e));
    q->path = x->path;
    return request_db(rq, e);
}

int series_route(struct request *rq, struct err *e) {
    struct figure_query q;
    struct json_out o = JSON_OUT(rq->out);
    double *v;
    char day[DAY_TEXT];
    TRY(read_query(rq, &q, e));
    TRY(figure_series(rq->db, rq->site, rq->a, &q, &v, e));
    json_object(&o);
    json_put_strz(&o, "id", q.figure->id);
    json_put_strz(&o, "label", label_in(q.figure->label, rq->lang));
    json_put_strz(&o, "unit", q.figure->unit);
    json_key(&o, "points");
    json_array(&o);
    for (day_t d = q.from; d <= q.to; d++) {
        json_object(&o);
        json_put_strz(&o, "on", day_text(d, day));
        number_show(&o, "value", v[d - q.from], false);
        json_object_end(&o);
    }
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}

/* Rows are records: whoever sees figures only does not see them. */
int figure_rows_route(struct request *rq, struct err *e) {
    struct figure_query q;
    struct json_out o = JSON_OUT(rq->out);
    struct figure_cursor at = {.path = STR("")};
    struct cursor c = {.phase = 'r'};
    struct record *r;
    size_t limit, n;
    struct str after = request_query(rq, "after");
    TRY(read_query(rq, &q, e));
    TRY(request_limit(rq, &limit, e));
    if (!permit_may(rq->actor, q.figure->kind->name, "read", q.path)) return request_forbidden(rq, q.figure->kind->name, "read", e);
    if (after.n) TRY(cursor_parse(rq->a, after, "r", &c, e));
    at.path = c.path.n ? c.path : STR("");
    at.id = c.id;
    TRY(figure_rows(rq->db, rq->site, rq->a, &q, &at, limit, &r, &n, e));
    json_object(&o);
    json_key(&o, "records");
    json_array(&o);
    for (size_t i = 0; i < n; i++) TRY(record_show(rq, &r[i], &o, e));
    json_array_end(&o);
    json_key(&o, "next");
    c.path = at.path;
    c.id = at.id;
    if (at.more) json_str(&o, cursor_text(rq->a, &c));
    else json_null(&o);
    json_object_end(&o);
    return 0;
}
