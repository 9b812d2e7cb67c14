/* Percentages: who answers for households and buildings, reports in time, cases against the clock. */
#include "cli/demo_makers.h"

#include <math.h>

enum { PER_MEMBER = 15, WHOLE_FEW = 20, WHOLE_MANY = 1000, SEARCH_MOST = 2000 };

/* As figures round it. */
static double percent(double part, double whole) {
    return floor(1000 * part / whole + 0.5) / 10;
}

static bool percent_fits(const struct fact *f, double part, double whole) {
    double p = percent(part, whole);
    if (f->rel == FACT_LEAST) return p >= f->value - 1e-9;
    return f->rel == FACT_MOST ? p <= f->value + 1e-9 : fabs(p - f->value) < 0.0501;
}

/* The part, not less than `least`, that gives the percentage of the whole; -1: none. */
static int64_t part_for(const struct fact *f, int64_t least, int64_t whole) {
    for (int64_t p = least; p <= whole; p++)
        if (percent_fits(f, (double)p, (double)whole)) return p;
    return -1;
}

/* The fewest, from twenty on, of which some part is the percentage. */
static int64_t whole_for(const struct fact *f) {
    int64_t n = WHOLE_FEW;
    while (n < WHOLE_MANY && part_for(f, 0, n) < 0) n++;
    return n;
}

/* What there is of the whole at the fact's place and day; made when there is nothing. */
static int whole_now(struct making *m, struct fact *f, const char *figure, double *ret, struct err *e) {
    TRY(figure_now(m, figure, f->place, f->to, f->to, ret, e));
    if (*ret > 0) return 0;
    struct fact own = fact_own(m, figure, f->place, f->to, (double)whole_for(f));
    make_fn *maker = maker_of(&own);
    TRY(maker ? maker(m, &own, 0, e) : make_records(m, &own, whole_for(f), e));
    return figure_now(m, figure, f->place, f->to, f->to, ret, e);
}

/* ---- households ---- */

size_t buildings_lived_in(const struct making *m, const struct fact *f, size_t buildings) {
    for (size_t i = 0; i < m->sc->facts_n; i++) {
        const struct fact *g = &m->sc->facts[i];
        bool limits = str_eqz(g->indicator, "grid.buildings_covered_percent") && g->figure && g->rel == FACT_EQUAL && g->place == f->place;
        int64_t part = limits ? part_for(g, 1, (int64_t)buildings) : -1;
        if (part > 0) return (size_t)part;
    }
    return buildings;
}

/* From when on somebody may answer for it without another fact about the place noticing; DAY_NONE: not at all. */
static day_t cover_since(const struct making *m, const struct fact *f, const struct made *home) {
    day_t since = MAX(fact_window(m, f), f->to - 10);
    for (size_t i = 0; i < m->sc->facts_n; i++) {
        const struct fact *g = &m->sc->facts[i];
        bool cover = str_starts(g->indicator, STR("grid.households_covered")) || str_starts(g->indicator, STR("grid.buildings_covered"));
        if (g == f || !cover || g->state != FACT_MADE || g->rel == FACT_LEAST || g->place == f->place || !place_under(m->d, home->place, g->place)) continue;
        if (g->to >= f->to) return DAY_NONE;
        since = MAX(since, g->to + 1);
    }
    return since;
}

static int32_t neighbourhood(const struct demo *d, int32_t place, int32_t top) {
    while (place != top && d->places[place].parent >= 0 && area_level_rank(str_z(d->places[place].level)) > area_level_rank(STR("quarter")))
        place = d->places[place].parent;
    return place;
}

/* A member of the neighbourhood answers for some fifteen households, as they come. */
static int cover(struct making *m, struct fact *f, int64_t n, struct err *e) {
    struct demo *d = m->d;
    struct made *who = NULL;
    int load = 0;
    for (size_t i = 0; i < d->pools[POOL_HOUSEHOLD].n && n > 0; i++) {
        struct made *home = &d->pools[POOL_HOUSEHOLD].all[i];
        day_t since = home->used || !place_under(d, home->place, f->place) ? DAY_NONE : cover_since(m, f, home);
        if (since == DAY_NONE) continue;
        int32_t here = neighbourhood(d, home->place, f->place);
        if (!who || load >= PER_MEMBER || who->place != here) {
            TRY(member_for(m, f, here, &who, e));
            load = 0;
        }
        struct draft r = draft_begin(d, "household", -1, since);
        draft_ref(&r, "member", who->id);
        draft_day(&r, "member_since", since, 0);
        TRY(draft_change(&r, home->id, e));
        home->used = 1;
        load++;
        n--;
    }
    return n ? impossible(m, f, e) : 0;
}

int make_covered(struct making *m, struct fact *f, double have, struct err *e) {
    int64_t n = fact_wanted(f, have);
    double homes;
    TRY(figure_now(m, "grid.households", f->place, f->to, f->to, &homes, e));
    if (n + (int64_t)have > (int64_t)homes) {
        struct fact own = fact_own(m, "grid.households", f->place, f->to, 0);
        TRY(make_records(m, &own, n + (int64_t)have - (int64_t)homes, e));
    }
    return cover(m, f, n, e);
}

int make_covered_percent(struct making *m, struct fact *f, double have, struct err *e) {
    double whole, part;
    (void)have;
    TRY(whole_now(m, f, "grid.households", &whole, e));
    TRY(figure_now(m, "grid.households_covered", f->place, f->to, f->to, &part, e));
    int64_t want = f->rel == FACT_MOST ? (int64_t)part : part_for(f, (int64_t)part, (int64_t)whole);
    return want < 0 || !percent_fits(f, (double)want, whole) ? impossible(m, f, e) : cover(m, f, want - (int64_t)part, e);
}

int make_buildings_percent(struct making *m, struct fact *f, double have, struct err *e) {
    double whole, part;
    (void)have;
    TRY(whole_now(m, f, "grid.buildings", &whole, e));
    TRY(figure_now(m, "grid.buildings_covered", f->place, f->to, f->to, &part, e));
    int64_t want = f->rel == FACT_MOST ? (int64_t)part : part_for(f, (int64_t)part, (int64_t)whole);
    return want < 0 || !percent_fits(f, (double)want, whole) ? impossible(m, f, e) : cover_buildings(m, f, want - (int64_t)part, e);
}

/* ---- daily reports: what is missing to the percentage stays silent ---- */

static bool reported(struct demo *d, struct made *unit, day_t on) {
    struct str bits = unit->tag;
    size_t i = (size_t)(on - d->first);
    return i < bits.n && bits.p[i];
}

static void set_reported(struct demo *d, struct made *unit, day_t on) {
    size_t i = (size_t)(on - d->first), days = (size_t)(d->last - d->first) + 1;
    if (!unit->tag.p) unit->tag = (struct str){arena_alloc(&d->a, days), days};
    if (i < days) ((char *)unit->tag.p)[i] = 1;
}

static int report(struct making *m, struct fact *f, int64_t n, struct err *e) {
    struct demo *d = m->d;
    struct pool *units = &d->pools[POOL_UNIT];
    for (day_t on = f->from; on <= f->to; on++)
        for (size_t i = 0; i < units->n && n > 0; i++) {
            struct made *unit = &units->all[i];
            if (!place_under(d, unit->place, f->place) || reported(d, unit, on)) continue;
            struct draft r = draft_begin(d, "daily_report", unit->place, on);
            draft_ref(&r, "unit", unit->id);
            draft_complete(&r);
            /* What the program will find: the first of the day, in time. */
            draft_int(&r, "revision", 1);
            draft_int(&r, "on_time", 1);
            if (fact_disturbed(m, f, &r)) continue;
            TRY(draft_add(&r, e));
            set_reported(d, unit, on);
            n--;
        }
    return n ? impossible(m, f, e) : 0;
}

int make_reports(struct making *m, struct fact *f, double have, struct err *e) {
    int64_t n = fact_wanted(f, have), days = f->to - f->from + 1;
    double units;
    TRY(figure_now(m, "report.units_due", f->place, f->to, f->to, &units, e));
    if ((int64_t)units * days < n + (int64_t)have) {
        struct fact own = fact_own(m, "report.units_due", f->place, f->from, 0);
        TRY(make_records(m, &own, (n + (int64_t)have + days - 1) / days - (int64_t)units, e));
    }
    return report(m, f, n, e);
}

/* Units by days: the figure itself sums them. */
static int due_in_period(struct making *m, const struct fact *f, int64_t *ret, struct err *e) {
    *ret = 0;
    for (day_t on = f->from; on <= f->to; on++) {
        double units;
        TRY(figure_now(m, "report.units_due", f->place, on, on, &units, e));
        *ret += (int64_t)units;
    }
    return 0;
}

int make_reports_percent(struct making *m, struct fact *f, double have, struct err *e) {
    int64_t due;
    double part;
    (void)have;
    TRY(due_in_period(m, f, &due, e));
    if (due == 0) {
        struct fact own = fact_own(m, "report.units_due", f->place, f->from, 0);
        TRY(make_records(m, &own, whole_for(f), e));
        TRY(due_in_period(m, f, &due, e));
    }
    TRY(figure_now(m, "report.on_time", f->place, f->from, f->to, &part, e));
    int64_t want = f->rel == FACT_MOST ? (int64_t)part : part_for(f, (int64_t)part, due);
    return want < 0 || !percent_fits(f, (double)want, (double)due) ? impossible(m, f, e) : report(m, f, want - (int64_t)part, e);
}

/* ---- cases against the clock ---- */

/* How many kept and how many broken the fact needs beside those there are; the fewest. */
static bool clock_needs(const struct fact *f, int64_t part, int64_t whole, int64_t *ret_kept, int64_t *ret_broken) {
    for (int64_t more = 0; more <= SEARCH_MOST; more++)
        for (int64_t kept = 0; kept <= more; kept++) {
            if (whole + more == 0 || !percent_fits(f, (double)(part + kept), (double)(whole + more))) continue;
            *ret_kept = kept;
            *ret_broken = more - kept;
            return true;
        }
    return false;
}

/* A case diagnosed and reported that day, on either side of the clock. */
static int clock_case(struct making *m, struct fact *f, day_t on, bool kept, struct err *e) {
    bool report = str_eqz(f->indicator, "case.reported_in_time_percent");
    const struct fact *other = NULL;
    for (int variant = 3; variant >= 0; variant--) {
        struct draft r = draft_begin(m->d, "case", f->place, on);
        r.variant = variant;
        draft_day(&r, "diagnosed_at", on, 9 * 3600);
        draft_day(&r, "reported_at", on, report && !kept ? 13 * 3600 : 10 * 3600);
        if (!report) draft_day(&r, "investigated_at", on + (kept ? 0 : 2), 16 * 3600);
        draft_complete(&r);
        other = fact_disturbed(m, f, &r);
        if (!other) return make_one(m, &r, e);
    }
    return contradiction(m, f, other, e);
}

int make_clock_percent(struct making *m, struct fact *f, double have, struct err *e) {
    double part, whole;
    int64_t kept = 0, broken = 0;
    (void)have;
    TRY(figure_now(m, f->figure->part, f->place, f->from, f->to, &part, e));
    TRY(figure_now(m, f->figure->whole, f->place, f->from, f->to, &whole, e));
    if (whole == 0 && f->rel != FACT_MOST) {
        whole = (double)whole_for(f);
        int64_t p = part_for(f, 0, (int64_t)whole);
        kept = p;
        broken = (int64_t)whole - p;
    } else if (!clock_needs(f, (int64_t)part, (int64_t)whole, &kept, &broken)) {
        return impossible(m, f, e);
    }
    if (kept < 0 || broken < 0) return impossible(m, f, e);
    for (int64_t i = 0; i < kept + broken; i++) TRY(clock_case(m, f, f->from + (day_t)(i % (f->to - f->from + 1)), i < kept, e));
    return 0;
}
