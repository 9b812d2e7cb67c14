/* Five weeks, day by day: who passes the gates, who comes to the fever clinic, who falls ill, who reports, and what is made public.
 *
 * Forty suspected cases of which eighteen are confirmed; two clusters in two quarters; one death; seven transfers.  The last two are not
 * decided yet, and one is confirmed a day late: the bulletin of the day before must be put right. */
#include "cli/demo_passes.h"

enum {
    CASES = 40, CLUSTER_A = 12, CLUSTER_B = 8, CONFIRMED_A = 7, CONFIRMED_B = 5, CONFIRMED_OTHERS = 5,
    SCANS_PER_DAY = 650, SCANS_MOST = 800, VISITS_PER_DAY = 38, LATE_CASE = CASES - 3, RECOVERY_DAYS = 14, DEATH_AFTER = 9,
};

struct ill {
    const struct known *who;
    struct id id, visit;
    int suspected, decided; /* days of the outbreak; decided < 0: not yet */
    bool confirmed, died, transferred;
};
struct outbreak {
    struct county *c;
    struct ill ill[CASES];
    size_t quarter[2]; /* of the clusters */
    int day;
    day_t on;
    int fever_visits;
};

static struct chance *chance(const struct outbreak *o) {
    return &o->c->d->names.chance;
}

static int64_t second(const struct outbreak *o, int64_t at) {
    return county_second(o->c, o->on, at);
}

/* ---- who will fall ill, and when ---- */

static const struct known *pick_known(const struct outbreak *o, int32_t place, size_t nth) {
    const struct county *c = o->c;
    for (size_t i = 0; i < c->known_n && place >= 0; i++)
        if (c->known[i].place == place && nth-- == 0) return &c->known[i];
    return &c->known[chance_below(chance(o), (uint32_t)c->known_n)];
}

static void plan_one(struct outbreak *o, size_t i) {
    struct ill *x = &o->ill[i];
    const struct county *c = o->c;
    bool a = i < CLUSTER_A, b = !a && i < CLUSTER_A + CLUSTER_B;
    size_t n = a ? i : b ? i - CLUSTER_A : i - CLUSTER_A - CLUSTER_B;
    int32_t place = a || b ? county_cluster(c, b) : -1;
    x->who = pick_known(o, place, n);
    x->confirmed = n < (a ? CONFIRMED_A : b ? CONFIRMED_B : CONFIRMED_OTHERS);
    x->suspected = a ? 11 + (int)n * 2 / 3 : b ? 18 + (int)n : 4 + (int)n * 3 / 2;
    x->suspected = MIN(x->suspected + chance_between(chance(o), -1, 1), OUTBREAK_DAYS - 5);
    x->decided = x->suspected + chance_between(chance(o), 1, 3);
    x->died = i == 2;
    x->transferred = x->confirmed && !x->died && i % 3 == 0;
}

static void plan(struct outbreak *o) {
    for (size_t i = 0; i < CASES; i++) plan_one(o, i);
    /* Found three days ago and confirmed yesterday, which is entered today only. */
    o->ill[LATE_CASE].suspected = OUTBREAK_DAYS - 4;
    o->ill[LATE_CASE].decided = OUTBREAK_DAYS - 1;
    o->ill[LATE_CASE].confirmed = true;
    o->ill[LATE_CASE].transferred = false;
    for (size_t i = LATE_CASE + 1; i < CASES; i++) {
        o->ill[i].suspected = OUTBREAK_DAYS - 3 + (int)(i - LATE_CASE);
        o->ill[i].decided = -1;
        o->ill[i].confirmed = o->ill[i].transferred = false;
    }
}

/* ---- gates ---- */

static void scan_person(struct outbreak *o, struct draft *f, bool border) {
    struct demo *d = o->c->d;
    struct person p = names_adult(&d->names, &d->batch, o->on);
    if (!chance_hit(chance(o), border ? 700 : 250)) return;
    draft_str(f, "name", p.name);
    draft_str(f, "phone", p.phone);
    if (border) draft_str(f, "id_number", p.id_number);
}

static struct draft begin_scan(struct outbreak *o, const struct made *gate, bool vehicle, int64_t at) {
    struct draft f = draft_begin(o->c->d, "gate_scan", gate->place, o->on);
    draft_ref(&f, "gate", gate->id);
    draft_text(&f, "what", vehicle ? "vehicle" : "person");
    draft_day(&f, "seen_at", o->on, second(o, at));
    return f;
}

static bool of_kind(const struct made *gate, const char *kind) {
    return str_eqz(gate->tag, kind);
}

/* With the same pass a minute later at another gate: one of the two cards is a copy, or was handed on. */
static int scan_again(struct outbreak *o, const struct made *gate, const struct given *pass, int64_t at, struct err *e) {
    const struct pool *gates = &o->c->d->pools[POOL_GATE];
    size_t i = chance_below(chance(o), (uint32_t)gates->n), tries = gates->n;
    while (tries-- && (&gates->all[i] == gate || !of_kind(&gates->all[i], "quarter_gate") || !passes_closed(o->c, gates->all[i].place, o->on))) i = (i + 1) % gates->n;
    if (tries > gates->n) return 0;
    struct draft f = begin_scan(o, &gates->all[i], true, at);
    passes_show(&f, pass);
    draft_text(&f, "origin", "本县");
    draft_complete(&f);
    return draft_add(&f, e);
}

static int scan(struct outbreak *o, const struct made *gate, int64_t at, struct err *e) {
    struct chance *c = chance(o);
    bool border = of_kind(gate, "county_border"), vehicle = chance_hit(c, border ? 600 : 200);
    struct draft f = begin_scan(o, gate, vehicle, at);
    const struct given *pass = passes_at_gate(o->c, &f, vehicle);
    if (!pass) scan_person(o, &f, border);
    if (!border) draft_text(&f, "origin", "本县");
    if (!vehicle && chance_hit(c, 4)) draft_real(&f, "temperature", 37.4 + chance_between(c, 0, 11) / 10.0);
    else if (!pass && chance_hit(c, border ? 35 : 8)) draft_text(&f, "verdict", "turn_back");
    draft_complete(&f);
    TRY(draft_add(&f, e));
    return pass && pass->plate.n && chance_hit(c, 25) ? scan_again(o, gate, pass, MIN(at + 60, 86399), e) : 0;
}

static int by_time(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Fewer pass as the weeks go by, fewer on Sundays; gates that are not watched closely have no scans. */
static int gates_of_day(struct outbreak *o, struct err *e) {
    const struct pool *gates = &o->c->d->pools[POOL_GATE];
    size_t watched = 0;
    while (watched < gates->n && (of_kind(&gates->all[watched], "county_border") || of_kind(&gates->all[watched], "quarter_gate"))) watched++;
    if (o->day < 3 || watched == 0) return 0;
    int n = (int)(SCANS_PER_DAY * o->c->crowd * (1.15 - 0.3 * o->day / OUTBREAK_DAYS) * ((o->on + 4) % 7 == 0 ? 0.75 : 1));
    int64_t at[SCANS_MOST];
    for (int i = 0; i < n; i++) at[i] = demo_rush(o->c->d);
    qsort(at, (size_t)n, sizeof *at, by_time);
    for (int i = 0; i < n; i++) TRY(scan(o, &gates->all[chance_below(chance(o), (uint32_t)watched)], at[i], e));
    return 0;
}

/* ---- the fever clinic ---- */

static int visits_of_day(struct outbreak *o, struct err *e) {
    static const char *const dispositions[] = {"general_clinic", "home", "fever_clinic"};
    static const uint16_t weights[] = {55, 37, 8};
    struct demo *d = o->c->d;
    int n = (int)((VISITS_PER_DAY + chance_between(chance(o), -6, 6)) * o->c->crowd);
    o->fever_visits = 0;
    for (int i = 0; i < n; i++) {
        struct draft f = draft_begin(d, "triage_visit", o->c->root, o->on);
        size_t to = chance_weighted(chance(o), weights, COUNT(weights));
        o->fever_visits += to == 2;
        draft_ref(&f, "clinic", o->c->clinic);
        draft_text(&f, "disposition", dispositions[to]);
        draft_day(&f, "seen_at", o->on, second(o, 7 * 3600 + chance_below(chance(o), 11 * 3600)));
        if (to == 2) draft_text(&f, "exposure", "none");
        draft_complete(&f);
        TRY(draft_add(&f, e));
    }
    return 0;
}

/* ---- cases ---- */

static void put_person(struct draft *f, const struct person *p) {
    char text[DAY_TEXT];
    draft_str(f, "name", p->name);
    draft_text(f, "gender", p->male ? "male" : "female");
    draft_str(f, "birth_date", arena_str(&f->d->batch, str_z(day_text(p->birth, text))));
    draft_str(f, "id_number", p->id_number);
    draft_str(f, "phone", p->phone);
}

static int fall_ill(struct outbreak *o, struct ill *x, struct err *e) {
    struct demo *d = o->c->d;
    size_t i = (size_t)(x - o->ill);
    TRY(demo_reserve(d, 2, e));
    struct draft v = draft_begin(d, "triage_visit", o->c->root, o->on);
    draft_ref(&v, "clinic", o->c->clinic);
    draft_text(&v, "disposition", "fever_clinic");
    draft_text(&v, "exposure", i < CLUSTER_A + CLUSTER_B ? "cluster" : "none");
    draft_day(&v, "isolated_on", o->on, 0);
    draft_day(&v, "seen_at", o->on, second(o, 9 * 3600));
    put_person(&v, &x->who->person);
    draft_complete(&v);
    x->visit = v.id;
    TRY(draft_add(&v, e));
    struct draft f = draft_begin(d, "case", x->who->place, o->on);
    draft_ref(&f, "resident", x->who->id);
    draft_text(&f, "classification", "suspected");
    draft_day(&f, "onset_date", o->on - chance_between(chance(o), 1, 5), 0);
    draft_day(&f, "first_visit_at", o->on, second(o, 9 * 3600));
    draft_day(&f, "suspected_at", o->on, second(o, 10 * 3600));
    draft_day(&f, "diagnosed_at", o->on, second(o, 10 * 3600 + 1800));
    draft_day(&f, "reported_at", o->on, second(o, i % 11 == 4 ? 14 * 3600 : 11 * 3600 + 900));
    if (i % 13 == 6 && o->day < OUTBREAK_DAYS - 3) draft_day(&f, "investigated_at", o->on + 1, 15 * 3600);
    else draft_day(&f, "investigated_at", o->on, second(o, 18 * 3600));
    draft_text(&f, "severity", x->died ? "critical" : x->transferred ? "severe" : "ordinary");
    draft_text(&f, "source", i < CLUSTER_A + CLUSTER_B ? "local" : "imported");
    draft_text(&f, "outcome", "in_treatment");
    put_person(&f, &x->who->person);
    draft_complete(&f);
    x->id = f.id;
    TRY(draft_add(&f, e));
    return passes_stay(o->c, x->who->id, o->on, e);
}

static int case_command(struct outbreak *o, const struct ill *x, const char *name, const char *data_head, day_t on, int64_t at, struct err *e) {
    char time[TIME_TEXT], day[DAY_TEXT], data[200];
    tz_text(o->c->d->site->tz, tz_start(o->c->d->site->tz, on, at), time);
    snprintf(data, sizeof data, "%s%s\"}", data_head, strstr(data_head, "_at") ? time : day_text(on, day));
    return demo_command(o->c->d, name, x->id, -1, data, e);
}

static int decide(struct outbreak *o, struct ill *x, struct err *e) {
    bool late = x == &o->ill[LATE_CASE];
    day_t on = late ? o->on - 1 : o->on;
    int64_t at = late ? 18 * 3600 : second(o, 16 * 3600);
    TRY(demo_reserve(o->c->d, 2, e));
    struct draft v = draft_begin(o->c->d, "triage_visit", -1, on);
    draft_day(&v, x->confirmed ? "confirmed_on" : "excluded_on", on, 0);
    TRY(draft_change(&v, x->visit, e));
    TRY(case_command(o, x, x->confirmed ? "case.confirm" : "case.exclude", x->confirmed ? "{\"confirmed_at\":\"" : "{\"excluded_at\":\"", on, at, e));
    return x->confirmed ? passes_contacts(o->c, x->who->place, o->on, e) : passes_lift(o->c, x->who->id, o->on, e);
}

static int case_of_day(struct outbreak *o, struct ill *x, struct err *e) {
    int since = x->decided < 0 || !x->confirmed ? -1 : o->day - x->decided;
    if (o->day == x->suspected) TRY(fall_ill(o, x, e));
    if (o->day == x->decided) TRY(decide(o, x, e));
    if (x->transferred && since == 1) return case_command(o, x, "case.transfer", "{\"to\":\"市定点医院\",\"on\":\"", o->on, 0, e);
    if (x->died && since == DEATH_AFTER) return case_command(o, x, "case.close", "{\"outcome\":\"died\",\"on\":\"", o->on, 0, e);
    if (!x->died && !x->transferred && since == RECOVERY_DAYS) return case_command(o, x, "case.close", "{\"outcome\":\"recovered\",\"on\":\"", o->on, 0, e);
    return 0;
}

/* ---- reports, helpers, applications ---- */

static bool under(const struct outbreak *o, int32_t place, const struct made *unit) {
    return unit->place != o->c->root && place_under(o->c->d, place, unit->place);
}

/* Two say nothing today; one sent yesterday's (or, before its deadline, that of the day before) after the deadline. */
static int report_of(struct outbreak *o, size_t i, struct err *e) {
    struct demo *d = o->c->d;
    const struct made *unit = &d->pools[POOL_UNIT].all[i];
    bool late_today = o->c->today_ends > 11 * 3600;
    size_t units = d->pools[POOL_UNIT].n;
    bool late = i == units / 2 && o->on == d->last - (late_today ? 1 : 2);
    int suspected = 0, confirmed = 0, febrile = i == 0 ? o->fever_visits : chance_hit(chance(o), 60);
    if (o->on == d->last && (i == 4 || i == units - 1)) return 0;
    for (size_t j = 0; j < CASES; j++) {
        bool here = i == 0 || under(o, o->ill[j].who->place, unit);
        suspected += here && o->ill[j].suspected == o->day;
        confirmed += here && o->ill[j].confirmed && o->ill[j].decided == o->day;
    }
    struct draft f = draft_begin(d, "daily_report", unit->place, o->on);
    draft_ref(&f, "unit", unit->id);
    draft_day(&f, "day", o->on, 0);
    draft_int(&f, "febrile", febrile);
    draft_int(&f, "suspected", suspected);
    draft_int(&f, "confirmed", confirmed);
    if (late) draft_day(&f, "submitted_at", o->on + 1, 10 * 3600 + 2400);
    else draft_day(&f, "submitted_at", o->on, second(o, 17 * 3600 + chance_below(chance(o), 3600)));
    draft_complete(&f);
    return draft_add(&f, e);
}

static int helpers_of_day(struct outbreak *o, struct err *e) {
    const struct county *c = o->c;
    if (o->day < 3 || o->day > 18) return 0;
    for (int i = 0; i < 50; i++) {
        struct draft f = draft_begin(c->d, "report_in", c->communities.at[(size_t)(i + o->day) % c->communities.n], o->on);
        if (i % 14 == 0) draft_text(&f, "what", "unit");
        f.variant = chance_hit(chance(o), 100) ? 2 : chance_hit(chance(o), 400) ? 1 : 0;
        if (i % 14) draft_text(&f, "what", "member");
        draft_complete(&f);
        TRY(draft_add(&f, e));
    }
    for (int i = 0; i < 3; i++) {
        struct draft f = draft_begin(c->d, "application", c->communities.at[(size_t)(i * 2 + o->day) % c->communities.n], o->on);
        draft_complete(&f);
        TRY(draft_add(&f, e));
    }
    return 0;
}

/* ---- the queue of duplicates, and what is made public ---- */

static int duplicate(struct outbreak *o, size_t i, const char *reason, double likeness, struct err *e) {
    struct demo *d = o->c->d;
    const struct known *k = pick_known(o, o->c->quarters.at[(i * 7 + 3) % o->c->quarters.n], i);
    struct draft f = draft_begin(d, "duplicate", k->place, o->on);
    char id[ID_TEXT], day[DAY_TEXT];
    draft_text(&f, "kind", "resident");
    draft_printf(&f, "record_a", "%s", id_text(k->id, id));
    draft_printf(&f, "candidate", "{\"name\":\"%.*s\",\"birth_date\":\"%s\",\"%s\":\"%.*s\",\"workplace\":\"外地务工\",\"returned_from\":\"外省\",\"returned_on\":\"%s\"}",
                 STR_FMT(k->person.name), day_text(k->person.birth, day), i == 1 ? "phone" : "id_number",
                 STR_FMT(i == 1 ? k->person.phone : k->person.id_number), day_text(o->on - 2, (char[DAY_TEXT]){0}));
    draft_text(&f, "file", "外地返回人员登记表.xlsx");
    draft_int(&f, "file_row", (int64_t)(14 + i * 23));
    draft_real(&f, "likeness", likeness);
    draft_text(&f, "reason", reason);
    draft_text(&f, "state", "open");
    return draft_add(&f, e);
}

static int duplicates(struct outbreak *o, struct err *e) {
    TRY(duplicate(o, 0, "id_number", 1, e));
    TRY(duplicate(o, 1, "phone", 0.93, e));
    return duplicate(o, 2, "name_birth_address", 0.88, e);
}

static int issue(struct outbreak *o, day_t on, const char *note, struct err *e) {
    char day[DAY_TEXT], data[300];
    snprintf(data, sizeof data, "{\"since\":\"%s\",\"until\":\"%s\",\"note\":\"%s\"}", day_text(on, day), day, note);
    return demo_command(o->c->d, "bulletin.issue", (struct id){{0}}, o->c->root, data, e);
}

static int one_day(struct outbreak *o, struct err *e) {
    struct demo *d = o->c->d;
    TRY(demo_flush(d, e));
    demo_clock(d, o->on, o->on < d->last ? 21 * 3600 : o->c->today_ends);
    TRY(gates_of_day(o, e));
    TRY(visits_of_day(o, e));
    for (size_t i = 0; i < CASES; i++) TRY(case_of_day(o, &o->ill[i], e));
    for (size_t i = 0; i < d->pools[POOL_UNIT].n; i++) TRY(report_of(o, i, e));
    TRY(helpers_of_day(o, e));
    TRY(passes_evening(o->c, o->day, o->on, e));
    if (o->on == d->last - 1) TRY(duplicates(o, e));
    if (o->on == d->last) return issue(o, o->on - 1, "更正：补录1例昨日确诊病例", e);
    return o->on >= d->last - 2 ? issue(o, o->on, "", e) : 0;
}

int county_outbreak(struct county *c, struct err *e) {
    struct outbreak o = {.c = c};
    plan(&o);
    demo_progress(c->d, (struct label){"疫情", "outbreak"}, 1, (int64_t)(OUTBREAK_DAYS * (SCANS_PER_DAY + VISITS_PER_DAY + 70) * c->crowd) + 3 * (int64_t)c->closure.homes_n);
    for (o.day = 0; o.day < OUTBREAK_DAYS; o.day++) {
        o.on = c->d->first + o.day;
        TRY(one_day(&o, e));
    }
    return 0;
}
