/* The general way to a fact: records of the figure's kind that fulfil its conditions, spread over the places and days that suit. */
#include "cli/demo_makers.h"

enum { VARIANTS = 10, DAYS_TRIED = 8 };

/* ---- where ---- */

struct spot {
    int32_t place;
    struct id ref; /* gate or household */
};
struct spots {
    struct spot *at;
    size_t n;
};

static struct str asked_code(const struct fact *f, const char *field) {
    int i = kind_field(f->kind, str_z(field));
    for (size_t j = 0; j < f->conds_n; j++)
        if (f->conds[j].field == i && f->conds[j].op == COND_ANY) return f->conds[j].values;
    return STR("");
}

static const char *levels_for(const struct fact *f) {
    static const struct {
        const char *kind, *field, *code, *levels;
    } table[] = {
        {"organisation", "placed_at", "quarter", "quarter"}, {"organisation", "placed_at", "building", "building"},
        {"organisation", "placed_at", "village", "village"}, {"organisation", "placed_at", "checkpoint", ""},
        {"organisation", "type", "working_group", ""}, {"organisation", NULL, NULL, "township|street|community|village"},
        {"gate", "kind_of", "township_border", "township|street"}, {"gate", "kind_of", "village_road", "village"},
        {"gate", "kind_of", "quarter_gate", "quarter"}, {"member", NULL, NULL, "township|street|community|village"},
        {"report_in", NULL, NULL, "community|village"}, {"application", NULL, NULL, "township|street|community|village"},
        {"household", NULL, NULL, "building"}, {"case", NULL, NULL, "township|street|community|village"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        if (strcmp(table[i].kind, f->kind->name) != 0) continue;
        if (!table[i].field || str_eqz(asked_code(f, table[i].field), table[i].code)) return table[i].levels;
    }
    return "";
}

static struct spots spots_of_pool(struct making *m, const struct pool *p, int32_t top) {
    struct spots s = {arena_new(&m->d->a, struct spot, p->n), 0};
    for (size_t i = 0; i < p->n; i++)
        if (place_under(m->d, p->all[i].place, top)) s.at[s.n++] = (struct spot){p->all[i].place, p->all[i].id};
    return s;
}

/* The places that suit, and the fact's own behind them. */
static struct spots spots_of_places(struct making *m, const struct fact *f) {
    const char *levels = levels_for(f);
    struct place_list l = places_of(m->d, f->place, levels);
    if (strcmp(f->kind->name, "household") == 0) {
        if (l.n == 0) l = places_of(m->d, f->place, "quarter|village");
        else l.n = buildings_lived_in(m, f, l.n);
    }
    struct spots s = {arena_new(&m->d->a, struct spot, l.n + 1), 0};
    for (size_t i = 0; i < l.n; i++) s.at[s.n++].place = l.at[i];
    if (s.n == 0 || s.at[s.n - 1].place != f->place) s.at[s.n++].place = f->place;
    return s;
}

static int find_spots(struct making *m, const struct fact *f, struct spots *ret, struct err *e) {
    bool scan = strcmp(f->kind->name, "gate_scan") == 0, person = strcmp(f->kind->name, "resident") == 0;
    if (!scan && !person) return *ret = spots_of_places(m, f), 0;
    const struct pool *p = &m->d->pools[scan ? POOL_GATE : POOL_HOUSEHOLD];
    *ret = spots_of_pool(m, p, f->place);
    if (ret->n) return 0;
    struct fact beneath = fact_own(m, scan ? "gate.posts" : "grid.households", f->place, f->to, 1);
    TRY(make_records(m, &beneath, 1, e));
    *ret = spots_of_pool(m, p, f->place);
    return 0;
}

/* ---- one record ---- */

/* Fields that the program fills in from another. */
static bool fulfil_derived(struct draft *r, const char *field) {
    struct chance *c = &r->d->names.chance;
    if (strcmp(field, "febrile") == 0 && kind_field(r->kind, STR("temperature")) >= 0) draft_real(r, "temperature", 37.3 + chance_between(c, 2, 12) / 10.0);
    else if (strcmp(field, "in_care") == 0) draft_text(r, "care", "chronic");
    else return false;
    draft_int(r, field, 1);
    return true;
}

static void fulfil(struct draft *r, const struct cond *c) {
    const struct field *t = &r->kind->fields[c->field];
    struct str values = c->values, first;
    if (r->v[c->field].type != V_NULL && cond_holds(c, &r->v[c->field])) return;
    if (c->op == COND_SET && (t->type == F_DATE || t->type == F_TIME)) {
        draft_day(r, t->name, r->day, 9 * 3600);
        return;
    }
    if (c->op == COND_SET && t->codes) {
        r->v[c->field] = VTEXTZ(t->codes->codes[0].value);
        return;
    }
    if ((c->op != COND_ANY && c->op != COND_FROM) || !str_cut(&values, '|', &first)) return;
    first = str_trim(first);
    if (fulfil_derived(r, t->name)) return;
    if (t->type == F_BOOL || t->type == F_INT) r->v[c->field] = VINT((int64_t)cond_number(first));
    else if (t->type == F_REAL) r->v[c->field] = VREAL(cond_number(first));
    else if (t->type != F_REF) r->v[c->field] = VTEXT(first);
}

/* Places, homes and people were there before anybody counted them; the others begin on a day. */
static bool timeless(const struct fact *f) {
    static const char *const kinds[] = {"area", "household", "resident", "member"};
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(kinds[i], f->kind->name) == 0) return f->figure->how == STOCK;
    return false;
}

/* About three quarters of the people that a fact asks for come in vehicles, and never too many. */
static int32_t most_in_vehicle(const struct making *m) {
    double each = (double)m->persons_left / (double)m->vehicles_left;
    int64_t room = MAX(m->persons_left - (m->vehicles_left - 1), 0);
    return (int32_t)MIN(room, each >= 2.6 ? 3 : each >= 1.9 ? 2 : 1);
}

struct draft fact_draft(struct making *m, const struct fact *f, int32_t place, struct id ref, day_t on, int variant) {
    struct draft r = draft_begin(m->d, f->kind->name, place, on);
    r.variant = variant;
    r.roll = f->roll;
    if (f->figure->how == FLOW) r.low = f->from;
    if (m->vehicles_left > 0) r.persons = most_in_vehicle(m);
    if (f->on && (!timeless(f) || on > m->d->first)) draft_day(&r, f->on, on, demo_rush(m->d));
    if (strcmp(f->kind->name, "gate_scan") == 0) draft_ref(&r, "gate", ref);
    if (strcmp(f->kind->name, "resident") == 0) draft_ref(&r, "household", ref);
    for (size_t i = 0; i < f->conds_n; i++) fulfil(&r, &f->conds[i]);
    draft_complete(&r);
    return r;
}

struct search {
    struct spots spots;
    day_t first;
    int64_t days, n;
    size_t tried; /* the try that last succeeded: the next record begins there */
};

static size_t tries(const struct search *s) {
    return s->spots.n * VARIANTS * (size_t)MIN(s->days, DAYS_TRIED);
}

static struct draft one_try(struct making *m, const struct fact *f, const struct search *s, int64_t i, size_t t) {
    size_t most = s->spots.n, own = most > 1 ? most - 1 : 1, k = t % most;
    bool places = strcmp(f->kind->name, "gate_scan") != 0 && strcmp(f->kind->name, "resident") != 0;
    size_t at = places && k == own ? own : ((size_t)i + k) % (places ? own : most);
    int64_t shift = (int64_t)(t / (most * VARIANTS)), day = (i * s->days / s->n + shift) % s->days;
    if (timeless(f) || strcmp(f->kind->name, "gate") == 0) day = shift;
    return fact_draft(m, f, s->spots.at[at].place, s->spots.at[at].ref, s->first + (day_t)day, (int)(t / most % VARIANTS));
}

/* NULL: a record that the fact counts and that leaves the others as they are.  Else the fact in the way; itself when none counts. */
static const struct fact *try_all(struct making *m, const struct fact *f, struct search *s, int64_t i, struct draft *ret) {
    const struct fact *other = f;
    size_t all = tries(s);
    for (size_t t = 0; t < all && other; t++) {
        size_t at = (s->tried + t) % all;
        *ret = one_try(m, f, s, i, at);
        other = fact_counts(m, f, ret) ? fact_disturbed(m, f, ret) : f;
        if (!other) s->tried = at;
    }
    return other;
}

static int find_record(struct making *m, const struct fact *f, struct search *s, int64_t i, struct draft *ret, struct err *e) {
    const struct fact *other = try_all(m, f, s, i, ret);
    if (!other) return 0;
    return other == f ? impossible(m, f, e) : contradiction(m, f, other, e);
}

int make_one(struct making *m, struct draft *r, struct err *e) {
    struct demo *d = m->d;
    if (strcmp(r->kind->name, "organisation") == 0) {
        struct made *x = pool_add(d, POOL_ORGANISATION, r->id, r->place);
        struct str type = draft_val(r, "type")->s;
        x->used = str_eq(type, STR("team")) || str_eq(type, STR("medical_team"));
        /* Whoever works there belongs to it, but nobody joins a team by chance. */
        if (!x->used) d->places[r->place].organisation = r->id;
        if (draft_has(r, "kind_of")) x->tag = arena_str(&d->a, draft_val(r, "kind_of")->s);
    }
    if (strcmp(r->kind->name, "member") == 0) pool_add(d, POOL_MEMBER, r->id, r->place)->tag = arena_str(&d->a, draft_val(r, "roll")->s);
    if (strcmp(r->kind->name, "gate") == 0) pool_add(d, POOL_GATE, r->id, r->place);
    if (strcmp(r->kind->name, "household") == 0) pool_add(d, POOL_HOUSEHOLD, r->id, r->place)->tag = arena_str(&d->a, draft_val(r, "head")->s);
    if (strcmp(r->kind->name, "report_unit") == 0) pool_add(d, POOL_UNIT, r->id, r->place);
    facts_count(m, r);
    return draft_add(r, e);
}

int make_records(struct making *m, struct fact *f, int64_t n, struct err *e) {
    struct search s = {.n = n};
    struct draft r;
    if (n <= 0) return 0;
    TRY(find_spots(m, f, &s.spots, e));
    s.first = f->figure->how == FLOW ? f->from : fact_window(m, f);
    s.days = f->to - s.first + 1;
    for (int64_t made = 0, i = 0; made < n; i++) {
        TRY(find_record(m, f, &s, i, &r, e));
        int64_t amount = f->figure->sum ? draft_val(&r, f->figure->sum)->i : 1;
        if (m->vehicles_left > 0 && f->kind == kind_by_name(STR("gate_scan"))) m->vehicles_left--, m->persons_left -= draft_val(&r, "persons")->i;
        TRY(make_one(m, &r, e));
        made += MAX(amount, 1);
    }
    return 0;
}
