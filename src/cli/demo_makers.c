/* Figures that need a way of their own: places, residents, people on duty, places that have something, teams, vehicles, cases against the clock. */
#include "cli/demo_makers.h"

#include <math.h>

#include "cli/demo_people.h"

/* ---- places ---- */

static const char *level_above(const char *level) {
    int rank = area_level_rank(str_z(level));
    if (rank == area_level_rank(STR("building"))) return "quarter";
    if (rank == area_level_rank(STR("quarter"))) return "community";
    return rank == area_level_rank(STR("community")) ? "township|street" : "";
}

/* One more place of the level at or below `top` that no fact forbids. */
int make_place(struct making *m, const struct fact *f, int32_t top, struct place_new p, int32_t *ret, struct err *e) {
    struct demo *d = m->d;
    struct place_list parents = places_of(d, top, level_above(p.level));
    const struct fact *other = NULL;
    for (size_t i = 0; i <= parents.n; i++) {
        p.parent = i < parents.n ? parents.at[(i + d->places_n) % parents.n] : top;
        if (area_level_rank(str_z(d->places[p.parent].level)) >= area_level_rank(str_z(p.level))) continue;
        struct draft r = draft_begin(d, "area", p.parent, f->to);
        draft_text(&r, "level", p.level);
        if (p.property_management) draft_text(&r, "property_management", p.property_management);
        other = fact_disturbed(m, f, &r);
        if (!other) return place_more(d, p, ret, e);
    }
    return other ? contradiction(m, f, other, e) : impossible(m, f, e);
}

static struct str cond_value(const struct fact *f, const char *field) {
    int at = f->kind ? kind_field(f->kind, str_z(field)) : -1;
    for (size_t i = 0; i < f->conds_n; i++)
        if (f->conds[i].field == at && at >= 0) return f->conds[i].values;
    return STR_NONE;
}

static int make_areas(struct making *m, struct fact *f, double have, struct err *e) {
    struct demo *d = m->d;
    struct str property = cond_value(f, "property_management");
    day_t since = fact_window(m, f);
    int32_t at;
    struct place_new p = {.level = arena_strz(&d->a, cond_value(f, "level")), .since = since > d->first ? since : DAY_NONE};
    if (property.n) p.property_management = arena_strz(&d->a, property);
    for (int64_t n = fact_wanted(f, have); n > 0; n--) TRY(make_place(m, f, f->place, p, &at, e));
    return 0;
}

/* ---- residents ---- */

/* The households that may take more people without another fact noticing. */
static struct place_list open_households(struct making *m, const struct fact *f) {
    struct demo *d = m->d;
    const struct pool *p = &d->pools[POOL_HOUSEHOLD];
    struct place_list l = {arena_new(&d->a, int32_t, p->n), 0};
    for (size_t i = 0; i < p->n; i++) {
        if (!place_under(d, p->all[i].place, f->place)) continue;
        struct draft r = draft_begin(d, "resident", p->all[i].place, f->to);
        if (!fact_disturbed(m, f, &r)) l.at[l.n++] = (int32_t)i;
    }
    return l;
}

static int fill_households(struct making *m, struct place_list l, int64_t n, day_t since, struct err *e) {
    struct demo *d = m->d;
    for (size_t i = 0; i < l.n && n > 0; i++) {
        int size = family_size(d, n, l.n - i);
        if (size == 0) continue;
        const struct made *home = &d->pools[POOL_HOUSEHOLD].all[l.at[i]];
        TRY(demo_reserve(d, (size_t)size, e));
        struct head head = family_head(d, &d->batch, size, home->tag);
        TRY(family_add(d, &(struct family){home, &head, size, since, !m->care_counted}, NULL, e));
        n -= size;
    }
    return 0;
}

static int make_residents(struct making *m, struct fact *f, double have, struct err *e) {
    int64_t n = fact_wanted(f, have);
    day_t since = fact_window(m, f);
    struct place_list l = open_households(m, f);
    if (n > 0 && l.n == 0) {
        struct fact homes = fact_own(m, "grid.households", f->place, f->to, 0);
        TRY(make_records(m, &homes, (n + 2) / 3, e));
        l = open_households(m, f);
    }
    if (n > 0 && l.n == 0) return impossible(m, f, e);
    return fill_households(m, l, n, since > m->d->first ? since : DAY_NONE, e);
}

/* ---- people on duty ---- */

enum { DUTY_VARIANTS = 9 };
struct duty {
    const char *role; /* NULL: any */
    struct str roll;  /* empty: any */
    day_t on;
    size_t looked; /* members of the pool looked at */
};

static struct draft duty_draft(struct making *m, const struct duty *u, struct str roll, int32_t place, int variant) {
    struct draft r = draft_begin(m->d, "assignment", place, u->on);
    r.variant = variant;
    r.roll = roll;
    if (u->role) draft_text(&r, "role", u->role);
    draft_complete(&r);
    return r;
}

static int add_duty(struct making *m, struct draft *r, struct made *member, struct err *e) {
    draft_ref(r, "member", member->id);
    member->used++;
    return make_one(m, r, e);
}

/* Somebody who has no duty yet and belongs to the place. */
static struct made *idle_member(struct making *m, struct duty *u, int32_t place, bool exactly) {
    struct pool *p = &m->d->pools[POOL_MEMBER];
    for (; u->looked < p->n; u->looked++) {
        struct made *x = &p->all[u->looked];
        bool here = exactly ? x->place == place : place_under(m->d, x->place, place);
        if (!x->used && here && (!u->roll.n || str_eq(x->tag, u->roll))) return &p->all[u->looked++];
    }
    return NULL;
}

/* A new member for a duty at that place; *ret_other says which fact forbids it. */
static int new_member(struct making *m, const struct fact *f, struct str roll, int32_t place, struct made **ret, const struct fact **ret_other, struct err *e) {
    *ret = NULL;
    for (int variant = 0; variant < 3; variant++) {
        struct draft r = draft_begin(m->d, "member", place, f->to);
        r.variant = variant;
        if (roll.n) draft_str(&r, "roll", roll);
        draft_complete(&r);
        *ret_other = fact_disturbed(m, f, &r);
        if (*ret_other) continue;
        TRY(make_one(m, &r, e));
        *ret = &m->d->pools[POOL_MEMBER].all[m->d->pools[POOL_MEMBER].n - 1];
        return 0;
    }
    return 0;
}

int member_for(struct making *m, const struct fact *f, int32_t place, struct made **ret, struct err *e) {
    const struct fact *other = NULL;
    TRY(new_member(m, f, STR("member"), place, ret, &other, e));
    if (!*ret) TRY(new_member(m, f, STR(""), place, ret, &other, e));
    return *ret ? 0 : contradiction(m, f, other, e);
}

/* A variant of the duty that no fact forbids; -1: *ret_other forbids the last. */
static int free_variant(struct making *m, const struct fact *f, const struct duty *u, struct str roll, int32_t place, const struct fact **ret_other) {
    for (int variant = 0; variant < DUTY_VARIANTS; variant++) {
        struct draft r = duty_draft(m, u, roll, place, variant);
        *ret_other = fact_disturbed(m, f, &r);
        if (!*ret_other) return variant;
    }
    return -1;
}

/* Gives one more person a duty at that place: a new one, or where a fact forbids that one who has none.  *ret_other: the fact in the
 * way; NULL: done. */
static int duty_at(struct making *m, const struct fact *f, struct duty *u, int32_t place, const struct fact **ret_other, struct err *e) {
    static const char *const rolls[] = {"member", "staff", "volunteer"};
    for (size_t i = 0; i < (u->roll.n ? 1 : COUNT(rolls)); i++) {
        struct str roll = u->roll.n ? u->roll : str_z(rolls[i]);
        struct duty idle = {.roll = roll};
        struct made *who = NULL;
        int variant = free_variant(m, f, u, roll, place, ret_other);
        if (variant < 0) continue;
        TRY(new_member(m, f, roll, place, &who, ret_other, e));
        if (!who) who = idle_member(m, &idle, place, true);
        if (!who) continue;
        *ret_other = NULL;
        struct draft r = duty_draft(m, u, roll, place, variant);
        return add_duty(m, &r, who, e);
    }
    return 0;
}

/* Those who are there without a duty first, then new ones. */
static int make_duties(struct making *m, struct fact *f, double have, struct err *e) {
    struct str role = cond_value(f, "role");
    struct duty u = {.role = role.n ? arena_strz(&m->d->a, role) : NULL, .roll = f->roll};
    struct place_list l = places_of(m->d, f->place, "township|street|community|village");
    day_t first = fact_window(m, f);
    int64_t n = fact_wanted(f, have), days = f->to - first + 1;
    const struct fact *other = NULL;
    size_t blocked = 0;
    for (int64_t i = 0; i < n;) {
        u.on = first + (day_t)(i * days / n);
        struct made *who = idle_member(m, &u, f->place, false);
        if (who) {
            int variant = free_variant(m, f, &u, who->tag, who->place, &other);
            if (variant < 0) continue;
            struct draft r = duty_draft(m, &u, who->tag, who->place, variant);
            TRY(add_duty(m, &r, who, e));
            i++;
            continue;
        }
        int32_t place = blocked >= l.n ? f->place : l.at[((size_t)i + blocked) % l.n];
        TRY(duty_at(m, f, &u, place, &other, e));
        if (!other) i++;
        else if (blocked++ >= l.n) return contradiction(m, f, other, e);
    }
    return 0;
}

/* ---- places that have something ---- */

struct has {
    const char *figure, *levels, *more; /* of which level to make another */
    const char *role;                   /* assignment; NULL: a gate, or six teams */
};
static const struct has has_table[] = {
    {"grid.communities_with_doctor", "community", "community", "doctor"},
    {"grid.communities_with_seconded_staff", "community", "community", "seconded_staff"},
    {"grid.streets_with_area_leader", "street|township", "township", "area_leader"},
    {"grid.buildings_covered", "building", "building", "building_head"},
    {"grid.townships_with_checkpoint", "street|township", "township", NULL},
    {"grid.villages_with_all_teams", "village", "village", NULL},
};

static int give_gate(struct making *m, const struct fact *f, int32_t place, const struct fact **ret_other, struct err *e) {
    for (int variant = 2; variant < 12; variant++) {
        struct draft r = fact_draft(m, f, place, (struct id){{0}}, fact_window(m, f), variant);
        *ret_other = fact_disturbed(m, f, &r);
        if (!*ret_other) return make_one(m, &r, e);
    }
    return 0;
}

static int give_teams(struct making *m, const struct fact *f, int32_t place, const struct fact **ret_other, struct err *e) {
    static const char *const duties[] = {"entry_check", "dissuasion", "disinfection", "patrol", "errands", "publicity"};
    for (size_t i = 0; i < COUNT(duties); i++) {
        struct draft r = draft_begin(m->d, "organisation", place, fact_window(m, f));
        draft_text(&r, "type", "task_force");
        draft_text(&r, "duty", duties[i]);
        draft_text(&r, "placed_at", "village");
        draft_complete(&r);
        *ret_other = fact_disturbed(m, f, &r);
        if (*ret_other) return 0;
        TRY(make_one(m, &r, e));
    }
    return 0;
}

static int give(struct making *m, const struct fact *f, const struct has *h, int32_t place, const struct fact **ret_other, struct err *e) {
    struct duty u = {.role = h->role, .roll = STR("staff"), .on = fact_window(m, f)};
    *ret_other = NULL;
    if (h->role) return duty_at(m, f, &u, place, ret_other, e);
    return strcmp(h->figure, "grid.townships_with_checkpoint") == 0 ? give_gate(m, f, place, ret_other, e) : give_teams(m, f, place, ret_other, e);
}

/* Of the places that have it not, `n` get it; then more places are made. */
static int make_has(struct making *m, const struct fact *f, const struct has *h, int64_t n, struct err *e) {
    struct place_list l = places_of(m->d, f->place, h->levels);
    const struct fact *other = NULL;
    for (size_t i = 0; i < l.n && n > 0; i++) {
        double there;
        TRY(figure_now(m, h->figure, l.at[i], f->to, f->to, &there, e));
        if (there > 0) continue;
        TRY(give(m, f, h, l.at[i], &other, e));
        n -= !other;
    }
    for (; n > 0; n--) {
        int32_t at;
        TRY(make_place(m, f, f->place, (struct place_new){.level = h->more, .since = DAY_NONE}, &at, e));
        TRY(give(m, f, h, at, &other, e));
        if (other) return contradiction(m, f, other, e);
    }
    return 0;
}

static const struct has *has_of(struct str figure) {
    for (size_t i = 0; i < COUNT(has_table); i++)
        if (str_eqz(figure, has_table[i].figure)) return &has_table[i];
    return NULL;
}

static int make_places_with(struct making *m, struct fact *f, double have, struct err *e) {
    return make_has(m, f, has_of(f->indicator), fact_wanted(f, have), e);
}

int cover_buildings(struct making *m, const struct fact *f, int64_t n, struct err *e) {
    return make_has(m, f, has_of(STR("grid.buildings_covered")), n, e);
}

/* ---- teams ---- */

static struct str dim_of(const struct fact *f, const char *name) {
    for (size_t i = 0; i < f->n; i++)
        if (str_eqz(f->dims[i].field, name)) return f->dims[i].value;
    return STR_NONE;
}

static int make_team(struct making *m, const struct fact *f, struct str kind, struct str code, struct made *ret, struct err *e) {
    struct draft r = draft_begin(m->d, "organisation", f->place, fact_window(m, f));
    draft_text(&r, "type", !kind.n || str_eq(kind, STR("medical")) ? "medical_team" : "team");
    if (kind.n) draft_str(&r, "kind_of", kind);
    if (code.n) draft_str(&r, "code", code);
    if (code.n) draft_printf(&r, "name", "%.*s 医疗队", STR_FMT(code));
    draft_complete(&r);
    const struct fact *other = fact_disturbed(m, f, &r);
    if (other) return contradiction(m, f, other, e);
    TRY(make_one(m, &r, e));
    struct made *team = &m->d->pools[POOL_ORGANISATION].all[m->d->pools[POOL_ORGANISATION].n - 1];
    if (code.n) team->tag = code;
    *ret = *team;
    return 0;
}

/* The teams asked for: by code, by kind, or any. */
static int find_teams(struct making *m, const struct fact *f, struct made **ret, size_t *ret_n, struct err *e) {
    struct pool *p = &m->d->pools[POOL_ORGANISATION];
    struct str kind = dim_of(f, "kind"), code = dim_of(f, "team");
    struct made *list = arena_new(&m->d->a, struct made, p->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->all[i].used && (!(code.n + kind.n) || str_eq(p->all[i].tag, code.n ? code : kind)) && place_under(m->d, p->all[i].place, f->place))
            list[n++] = p->all[i];
    if (n == 0) TRY(make_team(m, f, kind, code, &list[n++], e));
    *ret = list;
    *ret_n = n;
    return 0;
}

static int make_team_members(struct making *m, struct fact *f, double have, struct err *e) {
    struct made *teams;
    size_t teams_n;
    struct str role = dim_of(f, "role");
    int64_t n = fact_wanted(f, have);
    if (n == 0) return 0;
    TRY(find_teams(m, f, &teams, &teams_n, e));
    for (int64_t i = 0; i < n; i++) {
        const struct fact *other = NULL;
        const struct made *team = &teams[(size_t)i % teams_n];
        for (int variant = 1; variant <= 3; variant++) {
            struct draft r = draft_begin(m->d, "member", team->place, f->to);
            r.variant = variant;
            draft_ref(&r, "organisation", team->id);
            if (role.n) draft_str(&r, "role", role);
            draft_complete(&r);
            other = fact_disturbed(m, f, &r);
            if (other) continue;
            TRY(make_one(m, &r, e));
            break;
        }
        if (other) return contradiction(m, f, other, e);
    }
    return 0;
}

/* ---- vehicles leave room for the people that another fact counts ---- */

static int make_vehicles(struct making *m, struct fact *f, double have, struct err *e) {
    int64_t n = fact_wanted(f, have);
    m->persons_left = 3 * n;
    for (size_t i = 0; i < m->sc->facts_n; i++) {
        const struct fact *g = &m->sc->facts[i];
        bool holds = str_eqz(g->indicator, "gate.persons") && g->figure && g->rel != FACT_LEAST && place_under(m->d, f->place, g->place) &&
                     g->from <= f->from && f->to <= g->to;
        double there;
        if (!holds) continue;
        TRY(fact_measure(m, g, &there, e));
        m->persons_left = MIN(m->persons_left, (int64_t)MAX(g->value - there, 0));
    }
    m->vehicles_left = n;
    int r = make_records(m, f, n, e);
    m->vehicles_left = 0;
    return r;
}

make_fn *maker_of(const struct fact *f) {
    static const struct {
        const char *figure;
        make_fn *make;
    } table[] = {
        {"grid.communities", make_areas}, {"grid.villages", make_areas}, {"grid.quarters", make_areas}, {"grid.buildings", make_areas},
        {"grid.residents", make_residents}, {"grid.households_covered", make_covered}, {"grid.households_covered_percent", make_covered_percent},
        {"grid.buildings_covered_percent", make_buildings_percent}, {"org.assigned", make_duties}, {"org.members_active", make_duties},
        {"org.staff_mobilised", make_duties}, {"grid.assignments", make_duties}, {"team.members", make_team_members}, {"gate.vehicles", make_vehicles},
        {"case.reported_in_time_percent", make_clock_percent}, {"case.investigated_in_time_percent", make_clock_percent},
        {"report.on_time", make_reports}, {"report.daily_submitted_percent", make_reports_percent},
    };
    if (has_of(f->indicator)) return make_places_with;
    for (size_t i = 0; i < COUNT(table); i++)
        if (strcmp(table[i].figure, f->figure->id) == 0) return table[i].make;
    return NULL;
}
