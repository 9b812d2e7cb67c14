/* Facts become records.
 *
 * Facts are put in order: what others stand on first (places, organisations, people ...), then the deeper place, then the narrower figure,
 * then more cuts, then the earlier day.  For each the site is asked for the present value and the difference is topped up with
 * records that the figure counts and that no fact made before counts: so a wide fact never spoils a narrow one within it.  Where no such
 * record exists the two facts contradict each other, and both are named. */
#include "cli/demo_facts.h"

#include <math.h>

/* ---- the order, and what figures with a statement of their own count ---- */

static const struct step {
    const char *figure;
    int phase;
    const char *kind, *when; /* QUERY: the records it counts */
    const char *roll, *levels; /* levels: the places counted, once each, by the bit `has` */
    unsigned has;
} steps[] = {
    {"grid.communities", 1}, {"grid.villages", 1}, {"grid.quarters", 1}, {"grid.buildings", 1},
    {"org.working_groups", 2}, {"org.branches", 2}, {"org.temporary_branches", 2}, {"org.temporary_groups", 2}, {"org.groups", 2},
    {"org.institutions", 2}, {"grid.villages_with_all_teams", 2, "organisation", "type=task_force & duty?", NULL, "village", 1}, {"team.teams", 2}, {"org.organisations", 2},
    {"grid.communities_with_doctor", 3, "assignment", "role=doctor", NULL, "community", 2},
    {"grid.communities_with_seconded_staff", 3, "assignment", "role=seconded_staff", NULL, "community", 4},
    {"grid.streets_with_area_leader", 3, "assignment", "role=area_leader", NULL, "street|township", 8}, {"org.staff_requests", 3}, {"team.members", 3},
    {"org.members", 3}, {"org.staff", 3}, {"grid.assignments", 3}, {"org.assigned", 3, "assignment"}, {"org.members_active", 3, "assignment", NULL, "member"},
    {"org.staff_mobilised", 3, "assignment", NULL, "staff"},
    {"grid.households", 4}, {"people.in_care", 5}, {"grid.residents", 5},
    {"grid.households_covered", 6}, {"grid.households_covered_percent", 6}, {"grid.buildings_covered", 6}, {"grid.buildings_covered_percent", 6},
    {"grid.townships_with_checkpoint", 7, "gate", NULL, NULL, "street|township", 16}, {"gate.posts", 7},
    {"gate.turned_back", 8}, {"gate.febrile", 8}, {"gate.vehicles", 8}, {"gate.persons", 8},
    {"triage.confirmed", 9}, {"triage.excluded", 9}, {"triage.isolated", 9}, {"triage.to_fever_clinic", 9}, {"triage.visits", 9},
    {"org.applications", 10}, {"org.reported_in", 10},
    {"case.transferred", 11}, {"case.deaths_total", 11}, {"case.by_onset", 11}, {"case.confirmed_new", 11}, {"case.confirmed_total", 11},
    {"case.suspected_total", 11}, {"case.reported_in_time_percent", 12}, {"case.investigated_in_time_percent", 12},
    {"report.units_due", 13}, {"report.on_time", 13}, {"report.daily_submitted_percent", 13},
};
enum { PHASE_ORGANISATIONS = 2, PHASE_OTHER = 20 };

static const struct step *step_of(const char *figure) {
    for (size_t i = 0; i < COUNT(steps); i++)
        if (strcmp(steps[i].figure, figure) == 0) return &steps[i];
    return NULL;
}

/* ---- conditions ---- */

static void add_cond(struct fact *f, struct str text) {
    static const struct {
        const char *sign;
        enum cond_op op;
    } ops[] = {{"!=", COND_NONE}, {">=", COND_FROM}, {"=", COND_ANY}, {"<", COND_BELOW}, {"?", COND_SET}, {"!", COND_EMPTY}};
    size_t n = 0, i = 0;
    while (n < text.n && !strchr("!?=<>", text.p[n])) n++;
    struct str rest = str_sub(text, n, text.n);
    while (i < COUNT(ops) && !str_starts(rest, str_z(ops[i].sign))) i++;
    INVARIANT(i < COUNT(ops) && f->conds_n < COUNT(f->conds));
    int field = kind_field(f->kind, str_trim(str_sub(text, 0, n)));
    INVARIANT(field >= 0);
    f->conds[f->conds_n++] = (struct cond){field, ops[i].op, str_trim(str_sub(rest, strlen(ops[i].sign), rest.n))};
}

static void add_when(struct fact *f, const char *when) {
    struct str rest = str_z(when), part;
    while (str_cut(&rest, '&', &part)) add_cond(f, str_trim(part));
}

/* The field behind a cut: "kind_of=kind" calls the field kind_of kind. */
static int cut_field(const struct fact *f, struct str cut) {
    struct str rest = str_z(f->figure->cuts), part, field;
    while (str_cut(&rest, ',', &part)) {
        struct str name = part;
        str_cut(&name, '=', &field);
        if (str_eq(str_trim(name.p ? name : field), cut)) return kind_field(f->kind, str_trim(field));
    }
    return -1;
}

void fact_prepare(struct making *m, struct fact *f) {
    const struct step *s = step_of(f->figure->id);
    (void)m;
    f->phase = s ? s->phase : PHASE_OTHER;
    f->step = s ? (int)(s - steps) : 0;
    if (s) {
        f->roll = str_z(s->roll);
        f->levels = s->levels;
        f->has = s->has;
    }
    if (strcmp(f->figure->id, "org.assigned") == 0 && f->n == 0) f->step = COUNT(steps);
    /* A team that is named must be there before the unnamed ones are counted. */
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(f->dims[i].field, STR("team"))) f->phase = PHASE_ORGANISATIONS, f->step = -1;
    if (f->figure->how == RATIO) return;
    bool counted = f->figure->how != QUERY;
    f->kind = counted ? f->figure->kind : s && s->kind ? kind_by_name(str_z(s->kind)) : NULL;
    if (!f->kind) return;
    f->on = counted ? f->figure->on : "since";
    f->until = counted ? f->figure->until : "until";
    add_when(f, counted ? f->figure->when : s->when);
    for (size_t i = 0; i < f->n; i++) {
        int field = cut_field(f, f->dims[i].field);
        if (field >= 0 && f->conds_n < COUNT(f->conds)) f->conds[f->conds_n++] = (struct cond){field, COND_ANY, f->dims[i].value};
    }
}

struct fact fact_own(struct making *m, const char *figure, int32_t place, day_t on, double value) {
    struct fact f = {.indicator = str_z(figure), .area = m->d->places[place].code, .figure = figure_by_id(str_z(figure)), .place = place,
                     .from = on, .to = on, .value = value, .state = FACT_WAITING};
    INVARIANT(f.figure);
    fact_prepare(m, &f);
    return f;
}

static bool in_values(struct str values, struct str v) {
    struct str part;
    while (str_cut(&values, '|', &part))
        if (str_eq(str_trim(part), v)) return true;
    return false;
}

double cond_number(struct str s) {
    double v = 0;
    if (str_eq(s, STR("true"))) return 1;
    str_to_real(s, -1e15, 1e15, &v);
    return v;
}

static double val_number(const struct val *v) {
    return v->type == V_REAL ? v->r : v->type == V_INT ? (double)v->i : 0;
}

static bool number_in(struct str values, double v) {
    struct str part;
    while (str_cut(&values, '|', &part))
        if (cond_number(str_trim(part)) == v) return true;
    return false;
}

bool cond_holds(const struct cond *c, const struct val *v) {
    bool any = v->type == V_TEXT ? in_values(c->values, v->s) : v->type != V_NULL && number_in(c->values, val_number(v));
    switch (c->op) {
    case COND_ANY: return any;
    case COND_NONE: return !any;
    case COND_SET: return v->type != V_NULL;
    case COND_EMPTY: return v->type == V_NULL;
    case COND_FROM: return v->type != V_NULL && val_number(v) >= cond_number(c->values);
    default: return v->type != V_NULL && val_number(v) < cond_number(c->values);
    }
}

/* ---- does a record count in a fact ---- */

static day_t val_day(const struct making *m, const struct draft *r, const char *field) {
    int i = field ? kind_field(r->kind, str_z(field)) : -1;
    day_t on = DAY_NONE;
    if (i < 0) return DAY_NONE;
    if (r->v[i].type == V_INT) return tz_day(m->d->site->tz, r->v[i].i);
    if (r->v[i].type == V_TEXT) day_from_iso(r->v[i].s, &on);
    return on;
}

/* The place that such a record makes count; -1: none that does not already. */
static int32_t place_newly_counted(const struct making *m, const struct fact *f, int32_t place) {
    for (; place >= 0 && place_under(m->d, place, f->place); place = m->d->places[place].parent) {
        struct str rest = str_z(f->levels), level;
        while (str_cut(&rest, '|', &level))
            if (str_eqz(level, m->d->places[place].level)) return m->d->places[place].has & f->has ? -1 : place;
    }
    return -1;
}

bool fact_counts(const struct making *m, const struct fact *f, struct draft *r) {
    if (f->kind != r->kind || !place_under(m->d, r->place, f->place)) return false;
    for (size_t i = 0; i < f->conds_n; i++)
        if (!cond_holds(&f->conds[i], &r->v[f->conds[i].field])) return false;
    if (f->roll.n && r->roll.n && !str_eq(f->roll, r->roll)) return false;
    if (f->levels && place_newly_counted(m, f, r->place) < 0) return false;
    day_t on = val_day(m, r, f->on), until = val_day(m, r, f->until);
    if (f->figure->how == FLOW) return on != DAY_NONE && on >= f->from && on <= f->to;
    return (on == DAY_NONE || on <= f->to) && (until == DAY_NONE || until > f->to);
}

static int64_t amount_of(const struct fact *f, struct draft *r) {
    return f->figure->sum ? draft_val(r, f->figure->sum)->i : 1;
}

void facts_count(struct making *m, struct draft *r) {
    int32_t place = -1;
    unsigned has = 0;
    for (size_t i = 0; i < m->sc->facts_n; i++) {
        struct fact *g = &m->sc->facts[i];
        if (g->kind != r->kind || !fact_counts(m, g, r)) continue;
        g->counted += amount_of(g, r);
        if (!g->levels) continue;
        place = place_newly_counted(m, g, r->place);
        has |= g->has;
    }
    if (place >= 0) m->d->places[place].has |= has;
}

const struct fact *fact_disturbed(const struct making *m, const struct fact *f, struct draft *r) {
    for (size_t i = 0; i < m->sc->facts_n; i++) {
        const struct fact *g = &m->sc->facts[i];
        if (g->number == f->number || g->rel == FACT_LEAST || g->kind != r->kind || !fact_counts(m, g, r)) continue;
        bool full = g->state == FACT_WAITING && (double)(g->counted + amount_of(g, r)) > g->value;
        if (g->state == FACT_MADE || full) return g;
    }
    return NULL;
}

int contradiction(struct making *m, const struct fact *f, const struct fact *other, struct err *e) {
    struct arena *a = &m->d->a;
    if (f->number == 0) f = m->current;
    return err_set(e, ERR_INVALID, "facts", M_FACTS_CONTRADICT, fact_label(a, f), other ? fact_label(a, other) : "areas");
}

int impossible(struct making *m, const struct fact *f, struct err *e) {
    return err_set(e, ERR_INVALID, "facts", M_FACT_IMPOSSIBLE, fact_label(&m->d->a, f->number ? f : m->current));
}

/* How likely it is that `g` brought too many for `f`. */
static int suspicion(const struct making *m, const struct fact *f, const struct fact *g) {
    if (g == f || g->state != FACT_MADE || !(place_under(m->d, g->place, f->place) || place_under(m->d, f->place, g->place))) return 0;
    if (g->figure == f->figure) return 4;
    if (g->figure->part && str_eqz(f->indicator, g->figure->part)) return 3;
    if (g->kind && g->kind == f->kind) return 2;
    return g->figure->kind == f->figure->kind;
}

/* Of the facts made, the one that most likely brought too many; the largest of several. */
static const struct fact *blame(const struct making *m, const struct fact *f) {
    const struct fact *found = NULL;
    int most = 0;
    for (size_t i = 0; i < m->sc->facts_n; i++) {
        const struct fact *g = &m->sc->facts[i];
        int s = suspicion(m, f, g);
        if (s > most || (s && s == most && g->value > found->value)) found = g, most = s;
    }
    return found;
}

/* ---- asking ---- */

static int ask(struct making *m, const struct fact *f, double *ret, struct err *e) {
    struct demo *d = m->d;
    struct arena a CLEANUP(arena_release) = {0};
    struct figure_query q = {.figure = f->figure, .from = f->from, .to = f->to, .n = f->n};
    struct figure_value v;
    struct db *db;
    memcpy(q.dims, f->dims, sizeof q.dims);
    TRY(demo_flush(d, e));
    struct areas *t CLEANUP(areas_dropp) = site_areas(d->site);
    const struct area *x = areas_by_id(t, d->places[f->place].id);
    INVARIANT(x);
    q.path = x->path;
    TRY(site_reader(d->site, &db, e));
    int r = figure_value(db, d->site, &a, &q, &v, e);
    site_reader_done(d->site, db);
    if (r == 0) *ret = v.none ? NAN : v.value;
    return r;
}

int fact_measure(struct making *m, const struct fact *f, double *ret, struct err *e) {
    return ask(m, f, ret, e);
}

int figure_now(struct making *m, const char *figure, int32_t place, day_t from, day_t to, double *ret, struct err *e) {
    struct fact f = fact_own(m, figure, place, to, 0);
    f.from = from;
    return ask(m, &f, ret, e);
}

int64_t fact_wanted(const struct fact *f, double have) {
    if (f->rel == FACT_MOST || !(f->value > have)) return 0;
    return (int64_t)ceil(f->value - have);
}

day_t fact_window(const struct making *m, const struct fact *f) {
    day_t first = MIN(m->d->first, f->to);
    for (size_t i = 0; i < m->sc->facts_n; i++) {
        const struct fact *g = &m->sc->facts[i];
        if (g->kind == f->kind && g->figure && g->figure->how != FLOW && g->to < f->to && g->to >= first) first = g->to + 1;
    }
    return first;
}

/* ---- the whole file ---- */

static int fact_order(const void *x, const void *y, void *arg) {
    const struct making *m = arg;
    const struct fact *a = *(const struct fact *const *)x, *b = *(const struct fact *const *)y;
    int da = m->d->places[a->place].depth, db = m->d->places[b->place].depth;
    int64_t by[] = {a->phase - b->phase, db - da, a->step - b->step, (int64_t)b->n - (int64_t)a->n, (int64_t)a->to - b->to,
                    (int64_t)(a->to - a->from) - (b->to - b->from), (int64_t)a->number - (int64_t)b->number};
    for (size_t i = 0; i < COUNT(by); i++)
        if (by[i]) return by[i] < 0 ? -1 : 1;
    return 0;
}

static int make_fact(struct making *m, struct fact *f, struct err *e) {
    make_fn *maker = maker_of(f);
    double have;
    m->current = f;
    TRY(fact_measure(m, f, &have, e));
    if (f->rel != FACT_LEAST && have > f->value && f->figure->how != RATIO) return contradiction(m, f, blame(m, f), e);
    if (f->rel == FACT_EQUAL && f->figure->how != RATIO && f->value != floor(f->value)) return impossible(m, f, e);
    if (maker) TRY(maker(m, f, isnan(have) ? 0 : have, e));
    else if (f->kind) TRY(make_records(m, f, fact_wanted(f, have), e));
    else return impossible(m, f, e);
    f->state = FACT_MADE;
    return 0;
}

/* A fact about the number of places of a level says it better than the area's own `children`. */
static void children_by_facts(const struct scenario *sc, size_t area, int64_t counts[NEST_LEVELS]) {
    static const struct {
        const char *figure, *level;
    } table[] = {{"grid.communities", "community"}, {"grid.villages", "village"}, {"grid.quarters", "quarter"}, {"grid.buildings", "building"}};
    for (size_t i = 0; i < sc->facts_n; i++) {
        const struct fact *f = &sc->facts[i];
        if (f->place != (int32_t)area || f->n || f->rel != FACT_EQUAL) continue;
        for (size_t j = 0; j < COUNT(table); j++)
            for (size_t l = 0; l < NEST_LEVELS; l++)
                if (str_eqz(f->indicator, table[j].figure) && strcmp(nest_levels[l], table[j].level) == 0 && counts[l] > f->value) counts[l] = (int64_t)f->value;
    }
}

static int make_areas(struct demo *d, struct scenario *sc, struct err *e) {
    for (size_t i = 0; i < sc->areas_n; i++) {
        struct scenario_area *x = &sc->areas[i];
        struct place_new p = {.parent = x->parent < 0 ? -1 : sc->areas[x->parent].place, .code = x->code, .name = x->name, .level = x->level, .since = DAY_NONE};
        TRY(place_add(d, &p, &x->place, e));
    }
    for (size_t i = 0; i < sc->areas_n; i++) {
        children_by_facts(sc, i, sc->areas[i].children);
        TRY(places_nest(d, sc->areas[i].place, sc->areas[i].children, e));
    }
    return 0;
}

static int64_t work_of(const struct fact *f) {
    return f->figure->how == RATIO ? 1000 : 2 * (int64_t)MIN(f->value, 1e9) + 1;
}

int scenario_make(struct demo *d, struct scenario *sc, struct err *e) {
    struct making m = {.d = d, .sc = sc};
    struct fact **order = arena_new(&d->a, struct fact *, sc->facts_n);
    size_t n = 0;
    double all = 0, done = 0;
    d->first = sc->from;
    d->last = sc->to;
    demo_clock(d, sc->to, 20 * 3600);
    TRY(make_areas(d, sc, e));
    for (size_t i = 0; i < sc->facts_n; i++) {
        struct fact *f = &sc->facts[i];
        f->place = sc->areas[f->place].place;
        if (f->state == FACT_SKIPPED) continue;
        fact_prepare(&m, f);
        m.care_counted |= str_eqz(f->indicator, "people.in_care");
        order[n++] = f;
        all += (double)work_of(f);
    }
    qsort_r(order, n, sizeof *order, fact_order, &m);
    for (size_t i = 0; i < n; i++) {
        done += (double)work_of(order[i]);
        demo_progress(d, order[i]->figure->label, done / all, work_of(order[i]));
        TRY(make_fact(&m, order[i], e));
    }
    return demo_flush(d, e);
}

bool fact_holds(const struct fact *f) {
    if (isnan(f->got)) return false;
    if (f->rel == FACT_LEAST) return f->got >= f->value - 1e-9;
    if (f->rel == FACT_MOST) return f->got <= f->value + 1e-9;
    return fabs(f->got - f->value) < (f->figure->how == RATIO ? 0.0501 : 1e-9);
}

int scenario_verify(struct demo *d, struct scenario *sc, size_t *ret_wrong, struct err *e) {
    struct making m = {.d = d, .sc = sc};
    *ret_wrong = 0;
    for (size_t i = 0; i < sc->facts_n; i++) {
        struct fact *f = &sc->facts[i];
        if (f->state != FACT_MADE) continue;
        TRY(fact_measure(&m, f, &f->got, e));
        *ret_wrong += !fact_holds(f);
    }
    return 0;
}
