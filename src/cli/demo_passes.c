/* Two communities under closed management: who gets which pass, which ones end early, and with which one somebody comes to a gate. */
#include "cli/demo_passes.h"

#include "pass/pass.h"

enum {
    TERM = 14, LONG_TERM = 28, STAY_DAYS = 14, REST_DAYS = 2, /* days */
    VEHICLES = 8, PERSON_EVERY = 16, CONTACTS = 2,
};
/* The first community has had its fortnight and got new passes; the second is in its four weeks. */
static const struct {
    int day, term;
} plans[CLOSED_MOST] = {{12, TERM}, {20, LONG_TERM}};

static struct chance *chance(const struct county *c) {
    return &c->d->names.chance;
}

/* ---- what is closed, and who lives there ---- */

void passes_begin(struct county *c) {
    struct closure *x = &c->closure;
    for (int i = 0; i < CLOSED_MOST; i++) {
        int32_t place = c->d->places[county_cluster(c, i)].parent;
        if (i == 0 || place != x->closed[0]) x->closed[x->closed_n++] = place;
    }
}

bool passes_closed(const struct county *c, int32_t place, day_t on) {
    for (size_t i = 0; i < c->closure.closed_n; i++)
        if (place_under(c->d, place, c->closure.closed[i])) return c->d->first + plans[i].day < on;
    return false;
}

void passes_home(struct county *c, struct home home) {
    struct closure *x = &c->closure;
    if (!passes_closed(c, home.quarter, c->d->last)) return;
    if (x->homes_n == x->homes_cap) {
        x->homes_cap = x->homes_cap ? x->homes_cap * 2 : 1024;
        struct home *more = arena_new(&c->d->a, struct home, x->homes_cap);
        if (x->homes_n) memcpy(more, x->homes, x->homes_n * sizeof *more);
        x->homes = more;
    }
    home.stays_until = DAY_NONE;
    x->homes[x->homes_n++] = home;
}

/* ---- issue ---- */

struct terms {
    const char *kind;
    int32_t place;
    const struct home *home;
    struct str plate;
    day_t from;
    int days;
};

static void keep(struct county *c, struct id id, const struct terms *t) {
    struct closure *x = &c->closure;
    if (x->given_n == x->given_cap) {
        x->given_cap = x->given_cap ? x->given_cap * 2 : 4096;
        struct given *more = arena_new(&c->d->a, struct given, x->given_cap);
        if (x->given_n) memcpy(more, x->given, x->given_n * sizeof *more);
        x->given = more;
    }
    x->given[x->given_n++] = (struct given){.id = id, .kind = t->kind, .place = t->place, .home = t->home, .plate = t->plate, .from = t->from,
                                            .until = t->from + t->days, .used = DAY_NONE};
}

static struct draft begin(struct county *c, const struct terms *t) {
    struct draft f = draft_begin(c->d, "pass", t->home ? -1 : t->place, t->from - 1);
    draft_text(&f, "kind_of", t->kind);
    if (t->home) draft_ref(&f, "household", t->home->id);
    if (t->plate.n) draft_str(&f, "plate", t->plate);
    draft_day(&f, "valid_from", t->from, 0);
    draft_day(&f, "valid_until", t->from + t->days, 0);
    return f;
}

static int order(struct county *c, struct id pass, const struct home *home, struct err *e) {
    char data[64], day[DAY_TEXT];
    if (home->stays_until == DAY_NONE) return demo_command(c->d, "pass.lift", pass, -1, "{}", e);
    snprintf(data, sizeof data, "{\"until\":\"%s\"}", day_text(home->stays_until, day));
    return demo_command(c->d, "pass.stay_home", pass, -1, data, e);
}

static int give(struct county *c, struct draft *f, const struct terms *t, struct err *e) {
    struct id id = f->id;
    keep(c, id, t);
    TRY(draft_add(f, e));
    return t->home && t->home->stays_until != DAY_NONE && t->home->stays_until >= t->from ? order(c, id, t->home, e) : 0;
}

static int give_home(struct county *c, const struct home *home, day_t from, int days, struct err *e) {
    struct terms t = {.kind = "household", .place = home->quarter, .home = home, .from = from, .days = days};
    struct draft f = begin(c, &t);
    draft_int(&f, "outings", 1);
    draft_int(&f, "days", REST_DAYS);
    return give(c, &f, &t, e);
}

static int give_homes(struct county *c, int32_t community, day_t from, int days, struct err *e) {
    for (size_t i = 0; i < c->closure.homes_n; i++)
        if (place_under(c->d, c->closure.homes[i].quarter, community)) TRY(give_home(c, &c->closure.homes[i], from, days, e));
    return 0;
}

/* Those who must go out to work. */
static int give_persons(struct county *c, int32_t community, day_t from, struct err *e) {
    for (size_t i = 0; i < c->closure.homes_n; i += PERSON_EVERY) {
        const struct home *home = &c->closure.homes[i];
        if (!place_under(c->d, home->quarter, community)) continue;
        struct terms t = {.kind = "person", .place = home->quarter, .home = home, .from = from, .days = LONG_TERM};
        struct draft f = begin(c, &t);
        draft_ref(&f, "resident", home->head);
        TRY(give(c, &f, &t, e));
    }
    return 0;
}

/* Those who bring food and medicine, to all that is closed. */
static int give_vehicles(struct county *c, int32_t community, day_t from, struct err *e) {
    const struct closure *x = &c->closure;
    const struct place *all = c->d->places;
    for (int i = 0; i < VEHICLES; i++) {
        struct terms t = {.kind = "vehicle", .place = community, .plate = names_plate(&c->d->names, &c->d->a), .from = from, .days = LONG_TERM};
        struct draft f = begin(c, &t);
        draft_printf(&f, "areas", "%.*s,%.*s", STR_FMT(all[x->closed[0]].code), STR_FMT(all[x->closed[x->closed_n - 1]].code));
        draft_text(&f, "note", i % 2 ? "药品配送" : "生活物资配送");
        TRY(give(c, &f, &t, e));
    }
    return 0;
}

static int32_t some_quarter(const struct county *c, int32_t community) {
    size_t nth = chance_below(chance(c), (uint32_t)c->quarters.n);
    while (!place_under(c->d, c->quarters.at[nth], community)) nth = (nth + 1) % c->quarters.n;
    return c->quarters.at[nth];
}

/* For one day. */
static int give_visitors(struct county *c, int32_t community, day_t from, struct err *e) {
    static const char *const notes[] = {"电梯检修", "燃气检修", "消毒作业"};
    for (int i = chance_between(chance(c), 1, 2); i > 0; i--) {
        struct terms t = {.kind = "visitor", .place = some_quarter(c, community), .from = from, .days = 1};
        struct draft f = begin(c, &t);
        draft_text(&f, "note", notes[chance_below(chance(c), COUNT(notes))]);
        TRY(give(c, &f, &t, e));
    }
    return 0;
}

/* ---- which end early ---- */

enum use { USE_NONE, USE_VALID, USE_ONE_DAY, USE_VEHICLE, USE_EXPIRED, USE_REVOKED, USE_STAYS, USE_OTHER_PLACE };

/* What a pass would be good for at that place. */
static enum use use_of(const struct given *g, int32_t place, day_t on) {
    bool here = g->place == place, stays = g->home && g->home->stays_until != DAY_NONE && on <= g->home->stays_until;
    bool rests = g->home && g->used != DAY_NONE && on < g->used + REST_DAYS;
    if (on < g->from) return USE_NONE;
    if (g->plate.n) return on < g->until ? USE_VEHICLE : USE_NONE;
    if (g->revoked) return here && on < g->until ? USE_REVOKED : USE_NONE;
    if (on >= g->until) return here ? USE_EXPIRED : USE_NONE;
    if (stays) return here ? USE_STAYS : USE_NONE;
    if (rests) return USE_NONE;
    if (!here) return USE_OTHER_PLACE;
    return g->home ? USE_VALID : USE_ONE_DAY;
}

/* One of those of that use; NULL when there are none. */
static struct given *pick(const struct county *c, enum use use, int32_t place, day_t on) {
    struct closure x = c->closure;
    size_t n = 0, i = 0;
    for (size_t j = 0; j < x.given_n; j++) n += use_of(&x.given[j], place, on) == use;
    if (n == 0) return NULL;
    size_t nth = chance_below(chance(c), (uint32_t)n);
    while (use_of(&x.given[i], place, on) != use || nth-- > 0) i++;
    return &x.given[i];
}

/* One is lost or lent; the home gets another for what is left of the time. */
static int revoke(struct county *c, int32_t community, day_t on, struct err *e) {
    static const char *const data[] = {"{\"reason\":\"遗失\"}", "{\"reason\":\"遗失\"}", "{\"reason\":\"转借他人\"}"};
    struct given *g = pick(c, USE_VALID, some_quarter(c, community), on);
    if (!g || strcmp(g->kind, "household") != 0 || g->until <= on + 1) return 0;
    g->revoked = true;
    const struct given old = *g; /* a new one may move it */
    TRY(demo_command(c->d, "pass.revoke", old.id, -1, data[chance_below(chance(c), COUNT(data))], e));
    return give_home(c, old.home, on + 1, old.until - on - 1, e);
}

/* ---- who stays at home ---- */

static int order_home(struct county *c, struct home *home, day_t on, day_t until, struct err *e) {
    const struct closure *x = &c->closure;
    home->stays_until = until;
    for (size_t i = 0; i < x->given_n; i++)
        if (x->given[i].home == home && !x->given[i].revoked && on < x->given[i].until) TRY(order(c, x->given[i].id, home, e));
    return 0;
}

static struct home *home_of(const struct county *c, struct id head) {
    for (size_t i = 0; i < c->closure.homes_n; i++)
        if (id_eq(c->closure.homes[i].head, head)) return &c->closure.homes[i];
    return NULL;
}

int passes_stay(struct county *c, struct id head, day_t on, struct err *e) {
    struct home *home = home_of(c, head);
    return home ? order_home(c, home, on, on + STAY_DAYS - 1, e) : 0;
}

int passes_lift(struct county *c, struct id head, day_t on, struct err *e) {
    struct home *home = home_of(c, head);
    return home && home->stays_until != DAY_NONE ? order_home(c, home, on, DAY_NONE, e) : 0;
}

int passes_contacts(struct county *c, int32_t quarter, day_t on, struct err *e) {
    for (int i = 0; i < CONTACTS; i++) {
        const struct given *g = pick(c, USE_VALID, quarter, on);
        if (g) TRY(order_home(c, &c->closure.homes[g->home - c->closure.homes], on, on + STAY_DAYS - 1, e));
    }
    return 0;
}

/* ---- the evening of a day ---- */

int passes_evening(struct county *c, int day, day_t on, struct err *e) {
    for (size_t i = 0; i < c->closure.closed_n; i++) {
        int32_t place = c->closure.closed[i];
        int since = day - plans[i].day;
        if (since < 0) continue;
        if (since == 0) TRY(give_persons(c, place, on + 1, e));
        if (since == 0) TRY(give_vehicles(c, place, on + 1, e));
        if (since > 0 && since % plans[i].term && chance_hit(chance(c), 700)) TRY(revoke(c, place, on, e));
        if (since % plans[i].term == 0) TRY(give_homes(c, place, on + 1, plans[i].term, e));
        TRY(give_visitors(c, place, on + 1, e));
    }
    return 0;
}

/* ---- at a gate ---- */

/* Most are in order. */
static enum use some_use(const struct county *c, bool vehicle) {
    static const enum use uses[] = {USE_VALID, USE_ONE_DAY, USE_EXPIRED, USE_REVOKED, USE_STAYS, USE_OTHER_PLACE};
    static const uint16_t weights[COUNT(uses)] = {915, 20, 25, 15, 10, 15};
    if (vehicle && chance_hit(chance(c), 700)) return USE_VEHICLE;
    return uses[chance_weighted(chance(c), weights, COUNT(uses))];
}

void passes_show(struct draft *f, const struct given *g) {
    char number[PASS_NUMBER];
    draft_str(f, "pass", arena_str(&f->d->batch, str_z(pass_number(g->id, number))));
    if (g->plate.n) draft_str(f, "plate", g->plate);
}

const struct given *passes_at_gate(struct county *c, struct draft *f, bool vehicle) {
    enum { WITH_PASS = 800 };
    if (!passes_closed(c, f->place, f->day) || !chance_hit(chance(c), WITH_PASS)) return NULL;
    struct given *g = pick(c, some_use(c, vehicle), f->place, f->day);
    if (!g) return NULL;
    g->used = f->day;
    passes_show(f, g);
    return g;
}
