/* Coverage: who answers for how many households, the proposal, and its application. */
#include "api/request.h"

#include "core/command.h"
#include "systems/grid/coverage.h"
#include "systems/grid/grid.h"

enum { LISTED_MOST = 5000 };

static int load(struct request *rq, const struct area *x, struct coverage **ret, struct err *e) {
    TRY(request_db(rq, e));
    return coverage_load(rq->db, rq->site, rq->a, request_areas(rq), x, ret, e);
}

/* ---- the table ---- */

static int number_param(struct request *rq, const char *name, int64_t least, int64_t most, int32_t *ret, struct err *e) {
    struct str s = request_query(rq, name);
    int64_t v = *ret;
    char lo[24], hi[24];
    snprintf(lo, sizeof lo, "%lld", (long long)least);
    snprintf(hi, sizeof hi, "%lld", (long long)most);
    if (s.n && !str_to_int(s, least, most, &v)) return err_set(e, ERR_INVALID, name, M_RANGE, lo, hi);
    *ret = (int32_t)v;
    return 0;
}

static void row_show(struct json_out *o, const struct coverage_row *r) {
    json_put_int(o, "households", r->households);
    json_put_int(o, "covered", r->covered);
    json_put_int(o, "uncovered", r->households - r->covered);
    json_put_int(o, "members", r->members);
    json_put_int(o, "overloaded", r->overloaded);
}

int coverage_route(struct request *rq, struct err *e) {
    struct assign_options options = ASSIGN_DEFAULTS;
    struct json_out o = JSON_OUT(rq->out);
    const struct area *x;
    struct coverage *c;
    struct coverage_table t;
    TRY(request_area(rq, "household", "read", &x, e));
    TRY(number_param(rq, "most", 1, HOUSEHOLDS_AT_ONCE, &options.most, e));
    TRY(load(rq, x, &c, e));
    coverage_table(c, rq->a, options.most, &t);
    json_object(&o);
    json_key(&o, "area");
    area_show(rq, x, &o);
    row_show(&o, &t.whole);
    json_put_int(&o, "target", options.target);
    json_key(&o, "areas");
    json_array(&o);
    for (size_t i = 0; i < t.n; i++) {
        json_object(&o);
        json_key(&o, "area");
        area_show(rq, t.rows[i].area, &o);
        row_show(&o, &t.rows[i]);
        json_object_end(&o);
    }
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}

/* ---- the proposal ---- */

static int number_member(const struct json *j, const char *name, int64_t least, int64_t most, int32_t *ret, struct err *e) {
    const struct json *m = json_get(j, name);
    int64_t v = *ret;
    char lo[24], hi[24];
    snprintf(lo, sizeof lo, "%lld", (long long)least);
    snprintf(hi, sizeof hi, "%lld", (long long)most);
    if (m && !json_int(m, &v)) return err_set(e, ERR_INVALID, name, M_TYPE_INT);
    if (v < least || v > most) return err_set(e, ERR_INVALID, name, M_RANGE, lo, hi);
    *ret = (int32_t)v;
    return 0;
}

/* What both requests say alike; the proposal made from it. */
static int propose(struct request *rq, const struct json *j, const char *verb, struct coverage **ret_c, struct coverage_proposal *ret, struct err *e) {
    struct assign_options options = ASSIGN_DEFAULTS;
    const struct json *area = json_get(j, "area");
    const struct area *x;
    if (area && area->type != JSON_STRING && area->type != JSON_NULL) return err_set(e, ERR_INVALID, "area", M_TYPE_TEXT);
    TRY(request_area_of(rq, area && area->type == JSON_STRING ? area->text : STR_NONE, "household", verb, &x, e));
    TRY(number_member(j, "target", 1, HOUSEHOLDS_AT_ONCE, &options.target, e));
    options.most = MAX(options.most, options.target);
    TRY(number_member(j, "most", options.target, HOUSEHOLDS_AT_ONCE, &options.most, e));
    TRY(load(rq, x, ret_c, e));
    coverage_propose(*ret_c, rq->a, &options, ret);
    return 0;
}

static void id_title_show(struct json_out *o, struct id id, struct str title) {
    char text[ID_TEXT];
    json_object(o);
    json_put_strz(o, "id", id_text(id, text));
    json_put_str(o, "title", title);
    json_object_end(o);
}

static void change_show(struct request *rq, const struct coverage *c, const struct coverage_proposal *p, const struct coverage_change *x, size_t listed,
                        struct json_out *o) {
    const struct coverage_member *m = &c->members[x->member];
    json_object(o);
    json_key(o, "member");
    id_title_show(o, m->id, m->name);
    json_key(o, "area");
    area_show(rq, m->area >= 0 ? &c->tree->all[m->area] : NULL, o);
    json_put_int(o, "before", x->before);
    json_put_int(o, "after", x->after);
    json_key(o, "households");
    json_array(o);
    for (size_t i = 0; i < listed; i++) {
        const struct coverage_household *h = &c->households[p->taken[x->first + i]];
        id_title_show(o, h->id, coverage_title(c, rq->a, h));
    }
    json_array_end(o);
    json_object_end(o);
}

static void proposal_show(struct request *rq, const struct coverage *c, const struct coverage_proposal *p) {
    struct json_out o = JSON_OUT(rq->out);
    size_t room = LISTED_MOST;
    json_object(&o);
    json_put_int(&o, "households", (int64_t)c->household_count);
    json_put_int(&o, "uncovered_before", p->uncovered_before);
    json_put_int(&o, "uncovered_after", p->uncovered_after);
    json_put_int(&o, "overloaded_before", p->plan->before.overloaded);
    json_put_int(&o, "overloaded_after", p->plan->after.overloaded);
    json_put_int(&o, "changes", (int64_t)p->changes);
    json_put_int(&o, "capacity_short", p->plan->short_by);
    json_key(&o, "assignments");
    json_array(&o);
    for (size_t i = 0; i < p->member_count; i++) {
        size_t listed = MIN(p->members[i].n, room);
        change_show(rq, c, p, &p->members[i], listed, &o);
        room -= listed;
    }
    json_array_end(&o);
    json_put_bool(&o, "truncated", p->changes > LISTED_MOST);
    json_object_end(&o);
}

int coverage_proposal_route(struct request *rq, struct err *e) {
    struct json *j;
    struct coverage *c;
    struct coverage_proposal p;
    TRY(request_json(rq, (const char *const[]){"area", "target", "most", NULL}, &j, e));
    TRY(propose(rq, j, "read", &c, &p, e));
    proposal_show(rq, c, &p);
    return 0;
}

int coverage_apply_route(struct request *rq, struct err *e) {
    struct json *j;
    struct json_out o = JSON_OUT(rq->out);
    struct coverage *c;
    struct coverage_proposal p;
    struct coverage_apply ask = {.site = rq->site, .actor = rq->actor, .lang = rq->lang};
    int64_t changed;
    bool repeated;
    TRY(request_json(rq, (const char *const[]){"id", "area", "target", "most", NULL}, &j, e));
    if (!id_parse(json_text(j, "id"), &ask.request) || id_is_nil(ask.request)) return err_set(e, ERR_INVALID, "id", M_TYPE_ID);
    TRY(propose(rq, j, "assign", &c, &p, e));
    site_reader_done(rq->site, TAKE(rq->db)); /* a long snapshot keeps the log from shrinking */
    TRY(coverage_apply(&ask, c, &p, &changed, &repeated, e));
    json_object(&o);
    json_put_int(&o, "changed", changed);
    json_put_bool(&o, "repeated", repeated);
    json_object_end(&o);
    return 0;
}
