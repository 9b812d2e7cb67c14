/* What a draft leaves open, by kind.  Each function fills only what is empty, from the chance of the seed, so that whoever makes a record sets
 * what matters to him and gets a whole one.  `variant` walks through other choices when the first does not suit. */
#include "cli/demo_records.h"

static day_t back(const struct draft *f, int days) {
    return MAX(f->day - days, MIN(f->low, f->day));
}

static void fill(struct draft *f, const char *field, const char *text) {
    if (!draft_has(f, field)) draft_text(f, field, text);
}

static void fill_of(struct draft *f, const char *field, const char *const *list, size_t n) {
    fill(f, field, list[(size_t)f->variant % n]);
}
#define FILL_OF(f, field, ...)                                                                                         \
    fill_of((f), (field), (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void fill_day(struct draft *f, const char *field, day_t on, int64_t second) {
    if (!draft_has(f, field)) draft_day(f, field, on, second);
}

/* The label of a code, as part of a name. */
static const char *label_of(struct draft *f, const char *field) {
    int i = kind_field(f->kind, str_z(field));
    const struct code *c = f->v[i].type == V_TEXT ? code_find(f->kind->fields[i].codes, f->v[i].s) : NULL;
    return c ? c->label.zh : "";
}

static struct str place_name(const struct draft *f) {
    return f->place < 0 ? STR("") : f->d->places[f->place].name;
}

static int64_t number(const struct draft *f) {
    return f->d->counts[kind_index(f->kind)] + 1;
}

static void fill_person(struct draft *f, const struct person *p) {
    if (!draft_has(f, "name")) draft_str(f, "name", p->name);
    if (kind_field(f->kind, STR("gender")) >= 0) fill(f, "gender", p->male ? "male" : "female");
    if (!draft_has(f, "id_number")) draft_str(f, "id_number", p->id_number);
    if (!draft_has(f, "phone")) draft_str(f, "phone", p->phone);
}

static struct person adult(struct draft *f) {
    return names_adult(&f->d->names, &f->d->batch, f->day);
}

/* ---- organisation ---- */

static void complete_organisation(struct draft *f) {
    FILL_OF(f, "type", "branch", "unit", "committee", "company", "brigade", "group");
    const char *what = draft_has(f, "kind_of") ? label_of(f, "kind_of") : draft_has(f, "duty") ? label_of(f, "duty") : "";
    if (!draft_has(f, "name"))
        draft_printf(f, "name", "%.*s%s%s%s", STR_FMT(place_name(f)), draft_has(f, "placed_at") ? label_of(f, "placed_at") : "", what, label_of(f, "type"));
    fill_day(f, "since", f->day, 0);
}

static void complete_member(struct draft *f) {
    struct person p = adult(f);
    FILL_OF(f, "roll", "member", "staff", "volunteer");
    fill(f, "role", "ordinary");
    fill_person(f, &p);
    bool grouped = f->place >= 0 && !id_is_nil(f->d->places[f->place].organisation);
    if (grouped && !draft_has(f, "organisation")) draft_ref(f, "organisation", f->d->places[f->place].organisation);
}

static void complete_application(struct draft *f) {
    struct person p = adult(f);
    if (!draft_has(f, "name")) draft_str(f, "name", p.name);
    fill_day(f, "received_on", f->day, 0);
    fill(f, "state", chance_hit(&f->d->names.chance, 300) ? "accepted" : "received");
}

static void complete_report_in(struct draft *f) {
    struct person p = adult(f);
    FILL_OF(f, "what", "member", "unit");
    bool unit = str_eq(draft_val(f, "what")->s, STR("unit"));
    if (!draft_has(f, "name") && unit) draft_printf(f, "name", "报到单位%lld", (long long)number(f));
    if (!draft_has(f, "name")) draft_str(f, "name", p.name);
    if (!unit) FILL_OF(f, "role", "member", "staff", "leader");
    fill_day(f, "accepted_on", f->day, 0);
}

static void complete_assignment(struct draft *f) {
    FILL_OF(f, "role", "duty", "patrol", "publicity", "errands", "grid_worker_2", "disinfection", "entry_check", "dissuasion", "other");
    fill_day(f, "since", f->day, 0);
}

/* ---- households ---- */

static void complete_household(struct draft *f) {
    int64_t n = f->place >= 0 ? number(f) : 0;
    struct str place = f->place >= 0 ? f->d->places[f->place].code : STR("h");
    if (!draft_has(f, "code")) draft_printf(f, "code", "%.*s-%05lld", STR_FMT(place), (long long)n);
    if (!draft_has(f, "door")) draft_printf(f, "door", "%d%02d", chance_between(&f->d->names.chance, 1, 6), chance_between(&f->d->names.chance, 1, 4));
    if (!draft_has(f, "address")) draft_printf(f, "address", "%.*s %.*s", STR_FMT(place_name(f)), STR_FMT(draft_val(f, "door")->s));
    if (!draft_has(f, "head")) draft_str(f, "head", names_person(&f->d->names, &f->d->batch, SURNAME_ANY, true, f->day - 40 * 365).name);
}

static void complete_resident(struct draft *f) {
    struct person p = adult(f);
    char text[DAY_TEXT];
    if (!draft_has(f, "name")) {
        fill_person(f, &p);
        draft_str(f, "birth_date", arena_str(&f->d->batch, str_z(day_text(p.birth, text))));
    }
}

/* ---- gates ---- */

static void complete_gate(struct draft *f) {
    FILL_OF(f, "kind_of", "road", "village_road", "township_border", "quarter_gate", "county_border", "motorway_exit", "bus_station", "station", "port",
            "airport");
    if (!draft_has(f, "name")) draft_printf(f, "name", "%.*s%s卡点%lld", STR_FMT(place_name(f)), label_of(f, "kind_of"), (long long)number(f));
    if (!draft_has(f, "code")) draft_printf(f, "code", "k%04lld", (long long)number(f));
    draft_int(f, "round_the_clock", 1);
    fill_day(f, "since", f->day, 0);
}

static double temperature(struct draft *f, bool fever) {
    struct chance *c = &f->d->names.chance;
    return fever ? 37.3 + chance_between(c, 0, 14) / 10.0 : 36.1 + chance_between(c, 0, 9) / 10.0;
}

static void complete_scan(struct draft *f) {
    struct chance *c = &f->d->names.chance;
    FILL_OF(f, "what", "person", "vehicle");
    bool vehicle = str_eq(draft_val(f, "what")->s, STR("vehicle"));
    fill_day(f, "seen_at", f->day, demo_rush(f->d));
    if (!draft_has(f, "persons")) draft_int(f, "persons", vehicle ? chance_between(c, MIN(1, f->persons), f->persons) : 1);
    if (vehicle && !draft_has(f, "plate")) draft_str(f, "plate", names_plate(&f->d->names, &f->d->batch));
    if (!draft_has(f, "temperature") && draft_val(f, "persons")->i == 1) draft_real(f, "temperature", temperature(f, false));
    if (!draft_has(f, "origin")) draft_str(f, "origin", names_origin(&f->d->names));
}

/* ---- triage: seen, isolated, then excluded or confirmed ---- */

static void complete_visit(struct draft *f) {
    struct chance *c = &f->d->names.chance;
    struct person p = adult(f);
    char text[DAY_TEXT];
    bool decided = draft_has(f, "excluded_on") || draft_has(f, "confirmed_on");
    if (decided) fill_day(f, "isolated_on", back(f, chance_between(c, 1, 3)), 0);
    day_t seen = f->day;
    if (draft_has(f, "isolated_on")) day_from_iso(draft_val(f, "isolated_on")->s, &seen);
    fill_day(f, "seen_at", seen, 7 * 3600 + chance_below(c, 11 * 3600));
    if (draft_has(f, "isolated_on")) fill(f, "disposition", "fever_clinic");
    FILL_OF(f, "disposition", chance_hit(c, 500) ? "home" : "general_clinic", "fever_clinic");
    bool fever = str_eq(draft_val(f, "disposition")->s, STR("fever_clinic"));
    if (!draft_has(f, "temperature")) draft_real(f, "temperature", temperature(f, fever));
    fill(f, "symptoms", fever ? (chance_hit(c, 500) ? "fever cough" : "fever") : chance_hit(c, 600) ? "none" : "sore_throat");
    fill_person(f, &p);
    if (!draft_has(f, "birth_date")) draft_str(f, "birth_date", arena_str(&f->d->batch, str_z(day_text(p.birth, text))));
}

/* ---- cases ---- */

static bool says(struct draft *f, const char *field, const char *code) {
    return draft_has(f, field) && str_eqz(draft_val(f, field)->s, code);
}

static day_t day_or(struct draft *f, const char *field, day_t otherwise) {
    const struct val *v = draft_val(f, field);
    day_t on = otherwise;
    if (v->type == V_INT) return tz_day(f->d->site->tz, v->i);
    if (v->type == V_TEXT) day_from_iso(v->s, &on);
    return on;
}

/* Both clocks of the plan are kept: reported within an hour, investigated the same evening. */
static void case_clocks(struct draft *f, day_t diagnosed) {
    int64_t second = 8 * 3600 + chance_below(&f->d->names.chance, 6 * 3600);
    fill_day(f, "diagnosed_at", diagnosed, second);
    int64_t at = draft_val(f, "diagnosed_at")->i;
    if (!draft_has(f, "reported_at")) draft_int(f, "reported_at", at + 50 * 60 * US_PER_SECOND);
    if (!draft_has(f, "investigated_at")) draft_int(f, "investigated_at", draft_val(f, "reported_at")->i + 6 * 3600 * US_PER_SECOND);
}

static void case_outcome(struct draft *f, day_t confirmed) {
    if (says(f, "outcome", "died")) fill(f, "severity", "critical");
    if (draft_has(f, "outcome")) return;
    bool recovered = says(f, "classification", "confirmed") && !draft_has(f, "transferred_to") && confirmed + 16 <= f->d->last;
    draft_text(f, "outcome", recovered ? "recovered" : "in_treatment");
    if (recovered) draft_day(f, "outcome_on", confirmed + 16, 0);
}

static void complete_case(struct draft *f) {
    static const char *const classes[] = {"confirmed", "suspected", "asymptomatic", "excluded"};
    struct chance *c = &f->d->names.chance;
    struct person p = adult(f);
    char text[DAY_TEXT];
    fill_of(f, "classification", classes, COUNT(classes));
    bool confirmed = says(f, "classification", "confirmed");
    day_t late = day_or(f, "transferred_on", day_or(f, "outcome_on", f->day));
    day_t decided = day_or(f, "confirmed_at", day_or(f, "excluded_at", late)), diagnosed = MAX(decided - 1, MIN(f->low, decided));
    if (confirmed) fill_day(f, "confirmed_at", decided, 20 * 3600);
    if (says(f, "classification", "excluded")) fill_day(f, "excluded_at", decided, 20 * 3600);
    /* Another variant: confirmed at once, never suspected. */
    if (says(f, "classification", "suspected") || (confirmed && f->variant < (int)COUNT(classes))) fill_day(f, "suspected_at", diagnosed, 7 * 3600);
    fill_day(f, "onset_date", MAX(diagnosed - chance_between(c, 1, 5), MIN(f->low, diagnosed)), 0);
    case_clocks(f, diagnosed);
    fill(f, "severity", chance_hit(c, 150) ? "severe" : chance_hit(c, 300) ? "mild" : "ordinary");
    fill(f, "source", chance_hit(c, 400) ? "imported" : "local");
    if (draft_has(f, "transferred_on")) fill(f, "transferred_to", "定点医院");
    if (draft_has(f, "transferred_to")) fill_day(f, "transferred_on", f->day, 0);
    case_outcome(f, decided);
    fill_person(f, &p);
    if (!draft_has(f, "birth_date")) draft_str(f, "birth_date", arena_str(&f->d->batch, str_z(day_text(p.birth, text))));
    if (!draft_has(f, "code")) draft_printf(f, "code", "BL%04lld", (long long)number(f));
}

/* ---- daily reports ---- */

static void complete_unit(struct draft *f) {
    if (!draft_has(f, "name")) draft_printf(f, "name", "%.*s填报单位%lld", STR_FMT(place_name(f)), (long long)number(f));
    if (!draft_has(f, "code")) draft_printf(f, "code", "u%04lld", (long long)number(f));
    fill_day(f, "since", f->day, 0);
}

static void complete_report(struct draft *f) {
    fill_day(f, "day", f->day, 0);
    if (!draft_has(f, "febrile")) draft_int(f, "zero", 1);
    fill_day(f, "submitted_at", f->day, 17 * 3600 + chance_below(&f->d->names.chance, 3600));
}

/* ---- kinds of systems that this file does not know: whatever is required gets something that is valid ---- */

static void complete_other(struct draft *f) {
    for (size_t i = 0; i < f->kind->n; i++) {
        const struct field *t = &f->kind->fields[i];
        bool once = t->flags & (KEY | UNIQUE);
        if (f->v[i].type != V_NULL || !(t->flags & REQUIRED || (once && field_is_text(t)))) continue;
        switch (t->type) {
        case F_CODE: case F_CODES: {
            size_t n = 0;
            while (t->codes->codes[n].value) n++;
            draft_text(f, t->name, t->codes->codes[(size_t)f->variant % n].value);
            break;
        }
        case F_DATE: case F_TIME: draft_day(f, t->name, f->day, demo_rush(f->d)); break;
        case F_INT: case F_BOOL: f->v[i] = VINT((int64_t)t->min); break;
        case F_REAL: f->v[i] = VREAL(t->min); break;
        case F_REF: break; /* what refuses it says which one is missing */
        case F_NAME: draft_str(f, t->name, adult(f).name); break;
        default: draft_printf(f, t->name, "%s%lld", f->kind->name, (long long)number(f));
        }
    }
}

void draft_complete(struct draft *f) {
    static const struct {
        const char *kind;
        void (*complete)(struct draft *f);
    } table[] = {
        {"organisation", complete_organisation}, {"member", complete_member}, {"application", complete_application},
        {"report_in", complete_report_in}, {"assignment", complete_assignment}, {"household", complete_household},
        {"resident", complete_resident}, {"gate", complete_gate}, {"gate_scan", complete_scan}, {"triage_visit", complete_visit},
        {"case", complete_case}, {"report_unit", complete_unit}, {"daily_report", complete_report},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        if (strcmp(table[i].kind, f->kind->name) == 0) {
            table[i].complete(f);
            return;
        }
    complete_other(f);
}
