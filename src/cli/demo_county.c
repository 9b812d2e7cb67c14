/* What stands before the outbreak begins: places, organisations, people in their homes, who answers for them, gates, who owes reports. */
#include "cli/demo_county.h"

#include <math.h>

#include "cli/demo_passes.h"
#include "cli/demo_people.h"

enum {
    USUAL = 25000, COMMUNITIES = 6, QUARTERS = 54, BUILDINGS = 183, TOWNSHIPS = 8, VILLAGES = 67,
    HOMES_TOWN = 4968, HOMES_RURAL = 2680, RESIDENTS_TOWN = 15000,
    LEVEL_TOWNSHIP = 0, LEVEL_COMMUNITY = 2, LEVEL_VILLAGE = 3, LEVEL_QUARTER = 4, LEVEL_BUILDING = 5,
    OVERLOADED_QUARTER = 20, OVERLOAD = 38, QUARTER_GATES = 18,
};

static int64_t scaled(const struct county *c, int n) {
    return MAX((int64_t)(n * c->share + 0.5), 1);
}

int64_t county_second(const struct county *c, day_t on, int64_t second) {
    return on < c->d->last ? second : second * c->today_ends / 86400;
}

int32_t county_cluster(const struct county *c, int nth) {
    return c->quarters.at[nth ? c->quarters.n * 3 / 4 : c->quarters.n / 5];
}

/* ---- places ---- */

static int make_places(struct county *c, struct err *e) {
    struct demo *d = c->d;
    struct place_new root = {.parent = -1, .code = STR("qc"), .name = STR(COUNTY_NAME), .level = "county", .since = DAY_NONE};
    TRY(place_add(d, &root, &c->root, e));
    struct place_new town = {.parent = c->root, .code = STR("qc.town"), .name = STR("城区"), .level = "group", .since = DAY_NONE};
    struct place_new rural = {.parent = c->root, .code = STR("qc.rural"), .name = STR("农村"), .level = "group", .since = DAY_NONE};
    TRY(place_add(d, &town, &c->town, e));
    TRY(place_add(d, &rural, &c->rural, e));
    int64_t in_town[NEST_LEVELS] = {0}, in_rural[NEST_LEVELS] = {0};
    in_town[LEVEL_COMMUNITY] = scaled(c, COMMUNITIES);
    in_town[LEVEL_QUARTER] = scaled(c, QUARTERS);
    in_town[LEVEL_BUILDING] = scaled(c, BUILDINGS);
    in_rural[LEVEL_TOWNSHIP] = scaled(c, TOWNSHIPS);
    in_rural[LEVEL_VILLAGE] = scaled(c, VILLAGES);
    TRY(places_nest(d, c->town, in_town, e));
    TRY(places_nest(d, c->rural, in_rural, e));
    c->communities = places_of(d, c->town, "community");
    c->quarters = places_of(d, c->town, "quarter");
    c->buildings = places_of(d, c->town, "building");
    c->townships = places_of(d, c->rural, "township");
    c->villages = places_of(d, c->rural, "village");
    passes_begin(c);
    return 0;
}

/* ---- organisations ---- */

struct organisation_new {
    const char *type, *name; /* name: behind the place's; NULL: made up */
    const char *placed_at, *kind_of, *duty;
    int day; /* of the outbreak; before it when negative */
};

static int add_organisation(struct county *c, int32_t place, struct organisation_new o, struct id *ret, struct err *e) {
    struct demo *d = c->d;
    struct draft f = draft_begin(d, "organisation", place, d->first + o.day);
    draft_text(&f, "type", o.type);
    if (o.placed_at) draft_text(&f, "placed_at", o.placed_at);
    if (o.kind_of) draft_text(&f, "kind_of", o.kind_of);
    if (o.duty) draft_text(&f, "duty", o.duty);
    if (o.name) draft_printf(&f, "name", "%.*s%s", STR_FMT(d->places[place].name), o.name);
    draft_complete(&f);
    if (ret) *ret = f.id;
    return draft_add(&f, e);
}

static int add_headquarters(struct county *c, struct err *e) {
    static const char *const groups[] = {"综合协调组", "医疗救治组", "流调溯源组", "社区防控组", "物资保障组", "宣传引导组", "交通卡点组", "督导检查组"};
    for (size_t i = 0; i < COUNT(groups); i++)
        TRY(add_organisation(c, c->root, (struct organisation_new){.type = "working_group", .name = groups[i], .placed_at = "headquarters", .day = 1}, NULL, e));
    TRY(add_organisation(c, c->root, (struct organisation_new){.type = "institution", .name = "人民医院", .placed_at = "hospital", .kind_of = "fever_clinic", .day = -3000}, &c->clinic, e));
    TRY(add_organisation(c, c->root, (struct organisation_new){.type = "team", .name = "流调应急一队", .kind_of = "outbreak_response", .day = 2}, NULL, e));
    return add_organisation(c, c->root, (struct organisation_new){.type = "team", .name = "流调应急二队", .kind_of = "outbreak_response", .day = 6}, NULL, e);
}

static int add_teams(struct county *c, int32_t village, size_t n, struct err *e) {
    static const char *const duties[] = {"entry_check", "dissuasion", "disinfection", "patrol", "errands", "publicity"};
    for (size_t i = 0; i < n; i++)
        TRY(add_organisation(c, village, (struct organisation_new){.type = "task_force", .placed_at = "village", .duty = duties[i], .day = 3 + (int)i % 3}, NULL, e));
    return 0;
}

static int add_local(struct county *c, struct place_list l, struct organisation_new o, struct err *e) {
    for (size_t i = 0; i < l.n; i++) TRY(add_organisation(c, l.at[i], o, &c->d->places[l.at[i]].organisation, e));
    return 0;
}

/* Seven villages have not all six teams yet. */
static int make_organisations(struct county *c, struct err *e) {
    TRY(add_headquarters(c, e));
    TRY(add_local(c, c->communities, (struct organisation_new){.type = "institution", .name = "卫生服务站", .kind_of = "community_health_service", .day = -2000}, e));
    TRY(add_local(c, c->townships, (struct organisation_new){.type = "institution", .name = "卫生院", .kind_of = "clinic", .day = -2000}, e));
    TRY(add_local(c, c->communities, (struct organisation_new){.type = "committee", .name = "党委", .day = -1500}, e));
    TRY(add_local(c, c->townships, (struct organisation_new){.type = "committee", .name = "党委", .day = -1500}, e));
    TRY(add_local(c, c->quarters, (struct organisation_new){.type = "temporary_branch", .placed_at = "quarter", .day = 3}, e));
    TRY(add_local(c, c->villages, (struct organisation_new){.type = "branch", .name = "党支部", .day = -1500}, e));
    for (size_t i = 0; i < c->villages.n; i++) TRY(add_teams(c, c->villages.at[i], i % 10 == 9 ? 4 : 6, e));
    return 0;
}

/* ---- who works where ---- */

static int add_worker(struct county *c, int32_t place, const char *roll, const char *role, int day, struct id *ret, struct err *e) {
    struct demo *d = c->d;
    struct draft f = draft_begin(d, "member", place, d->first);
    struct id id = f.id;
    draft_text(&f, "roll", roll);
    if (strcmp(role, "doctor") == 0) draft_text(&f, "role", "doctor");
    draft_complete(&f);
    TRY(draft_add(&f, e));
    struct draft a = draft_begin(d, "assignment", place, d->first + day);
    draft_ref(&a, "member", id);
    draft_text(&a, "role", role);
    draft_complete(&a);
    if (ret) *ret = id;
    return draft_add(&a, e);
}

/* One community has no doctor yet. */
static int make_workers(struct county *c, struct err *e) {
    for (size_t i = 0; i < c->communities.n; i++) {
        TRY(add_worker(c, c->communities.at[i], "member", "grid_head", 2, NULL, e));
        if (i % 6 != 3) TRY(add_worker(c, c->communities.at[i], "staff", "doctor", 4 + (int)i % 8, NULL, e));
        for (int j = 0; j < 5; j++) TRY(add_worker(c, c->communities.at[i], "staff", "seconded_staff", 3 + j, NULL, e));
    }
    for (size_t i = 0; i < c->townships.n; i++) TRY(add_worker(c, c->townships.at[i], "staff", "area_leader", 2, NULL, e));
    for (size_t i = 0; i < c->villages.n; i++) TRY(add_worker(c, c->villages.at[i], "staff", "village_first_secretary", (int)i % 4, NULL, e));
    return 0;
}

/* ---- homes ---- */

struct homes {
    struct county *c;
    struct place_list at;      /* buildings or villages */
    int64_t households, residents;
    /* who answers for those that come */
    struct id member;
    int32_t member_place;
    int load, most;
    int known_here;
    int32_t known_place;
};

/* In two communities every fifth building has nobody yet; one member has far too many. */
static bool left_open(const struct homes *h, int32_t place, size_t nth) {
    const struct county *c = h->c;
    if (h->at.at != c->buildings.at) return false;
    for (size_t i = 0; i < c->communities.n; i++)
        if (i % 6 == 1 || i % 6 == 4)
            if (place_under(c->d, place, c->communities.at[i])) return nth % 5 == 3;
    return false;
}

static int next_member(struct homes *h, int32_t place, struct err *e) {
    struct county *c = h->c;
    bool quarter = strcmp(c->d->places[place].level, "quarter") == 0;
    bool busy = quarter && c->quarters.n > OVERLOADED_QUARTER && place == c->quarters.at[OVERLOADED_QUARTER];
    h->load = 0;
    h->most = busy ? OVERLOAD : chance_between(&c->d->names.chance, 13, 17);
    h->member_place = place;
    return add_worker(c, place, "member", quarter ? "building_head" : "grid_worker_2", 3 + place % 9, &h->member, e);
}

static void keep_known(struct homes *h, struct id id, int32_t around, const struct person *p) {
    struct county *c = h->c;
    if (around != h->known_place) h->known_here = 0;
    h->known_place = around;
    int most = h->at.at == c->buildings.at ? 12 : 2;
    if (h->known_here++ >= most || c->known_n == KNOWN_MOST) return;
    struct arena *a = &c->d->a;
    struct person kept = *p;
    kept.name = arena_str(a, p->name);
    kept.id_number = arena_str(a, p->id_number);
    kept.phone = arena_str(a, p->phone);
    c->known[c->known_n++] = (struct known){id, h->known_place, kept};
}

static void household_care(struct draft *f, const struct head *head, int size) {
    struct chance *c = &f->d->names.chance;
    if (size == 1 && head->years >= 65) draft_text(f, "care", "elderly_alone");
    else if (chance_hit(c, 20)) draft_text(f, "care", "poverty");
    else if (chance_hit(c, 15)) draft_text(f, "care", "front_line_family");
}

static int add_home(struct homes *h, int32_t place, size_t nth, size_t number, int size, struct err *e) {
    struct demo *d = h->c->d;
    bool town = h->at.at == h->c->buildings.at;
    int32_t around = town ? d->places[place].parent : place;
    bool covered = !left_open(h, place, nth);
    if (covered && (h->member_place != around || h->load >= h->most)) TRY(next_member(h, around, e));
    TRY(demo_reserve(d, (size_t)size + 1, e));
    struct head head = family_head(d, &d->batch, size, STR_NONE);
    struct draft f = draft_begin(d, "household", place, d->first);
    struct made home = {.id = f.id, .place = place};
    struct id head_id;
    draft_printf(&f, "code", "%.*s-%04zu", STR_FMT(d->places[place].code), number + 1);
    if (town) draft_printf(&f, "door", "%zu单元%zu%02zu室", number / 12 + 1, number % 12 / 2 + 1, number % 2 + 1);
    else draft_printf(&f, "door", "%zu号", number + 1);
    draft_str(&f, "head", head.person.name);
    household_care(&f, &head, size);
    if (covered) {
        draft_ref(&f, "member", h->member);
        draft_day(&f, "member_since", d->first + 3 + around % 9, 0);
        h->load++;
    }
    draft_complete(&f);
    TRY(draft_add(&f, e));
    TRY(family_add(d, &(struct family){&home, &head, size, DAY_NONE, true}, &head_id, e));
    keep_known(h, head_id, around, &head.person);
    passes_home(h->c, (struct home){.id = home.id, .head = head_id, .quarter = around});
    return 0;
}

static int make_homes(struct county *c, struct homes h, struct err *e) {
    int64_t households = h.households, people = h.residents;
    h.c = c;
    h.member_place = h.known_place = -1;
    for (size_t i = 0; i < h.at.n; i++) {
        int64_t here = (int64_t)(i + 1) * h.households / (int64_t)h.at.n - (int64_t)i * h.households / (int64_t)h.at.n;
        for (int64_t j = 0; j < here; j++, households--) {
            int size = family_size(c->d, people, (size_t)households);
            people -= size;
            if (size) TRY(add_home(&h, h.at.at[i], i, (size_t)j, size, e));
        }
    }
    return 0;
}

/* ---- gates and those who owe reports ---- */

struct gate_new {
    const char *kind, *name; /* name: behind that of the place; NULL: the roads out of the county */
    size_t n;
    int day;
};

static int add_gates(struct county *c, struct place_list l, struct gate_new g, struct err *e) {
    static const char *const roads[] = {"东关", "南桥", "西岭", "北川", "石门", "柳溪", "青石垭"};
    for (size_t i = 0; i < g.n; i++) {
        struct draft f = draft_begin(c->d, "gate", l.at[i % l.n], c->d->first + g.day);
        draft_text(&f, "kind_of", g.kind);
        if (g.name) draft_printf(&f, "name", "%.*s%s", STR_FMT(c->d->places[f.place].name), g.name);
        else draft_printf(&f, "name", "%s县界卡点", roads[i % COUNT(roads)]);
        draft_complete(&f);
        pool_add(c->d, POOL_GATE, f.id, f.place)->tag = str_z(g.kind);
        TRY(draft_add(&f, e));
    }
    return 0;
}

/* Those that are closed come first: each has its gate. */
static struct place_list quarters_by_need(struct county *c) {
    struct place_list l = {arena_new(&c->d->a, int32_t, c->quarters.n), 0};
    for (int closed = 1; closed >= 0; closed--)
        for (size_t i = 0; i < c->quarters.n; i++)
            if (passes_closed(c, c->quarters.at[i], c->d->last) == (bool)closed) l.at[l.n++] = c->quarters.at[i];
    return l;
}

static int make_gates(struct county *c, struct err *e) {
    struct place_list root = {&c->root, 1};
    TRY(add_gates(c, root, (struct gate_new){"county_border", NULL, 7, 2}, e));
    TRY(add_gates(c, quarters_by_need(c), (struct gate_new){"quarter_gate", "东门", MIN(QUARTER_GATES, c->quarters.n), 4}, e));
    TRY(add_gates(c, c->townships, (struct gate_new){"township_border", "界卡点", MIN(8, c->townships.n), 3}, e));
    return add_gates(c, c->villages, (struct gate_new){"village_road", "口卡点", MIN(12, c->villages.n), 4}, e);
}

static int add_unit(struct county *c, int32_t place, const char *name, struct err *e) {
    struct draft f = draft_begin(c->d, "report_unit", place, c->d->first);
    if (name) draft_text(&f, "name", name);
    else draft_str(&f, "name", c->d->places[place].name);
    draft_complete(&f);
    pool_add(c->d, POOL_UNIT, f.id, place);
    return draft_add(&f, e);
}

static int make_units(struct county *c, struct err *e) {
    static const char *const others[] = {"县人民医院", "第一中学", "实验小学", "客运站", "农贸市场", "养老院"};
    for (size_t i = 0; i < COUNT(others); i++) TRY(add_unit(c, c->root, others[i], e));
    for (size_t i = 0; i < MIN(c->communities.n, 6); i++) TRY(add_unit(c, c->communities.at[i], NULL, e));
    for (size_t i = 0; i < MIN(c->townships.n, 8); i++) TRY(add_unit(c, c->townships.at[i], NULL, e));
    return 0;
}

/* ---- all of it ---- */

static int make_people(struct county *c, int64_t residents, struct err *e) {
    struct homes town = {.at = c->buildings, .households = scaled(c, HOMES_TOWN), .residents = residents * RESIDENTS_TOWN / USUAL};
    struct homes rural = {.at = c->villages, .households = scaled(c, HOMES_RURAL), .residents = residents - town.residents};
    demo_progress(c->d, (struct label){"居民", "residents"}, 0.7, residents + residents / 3);
    TRY(make_homes(c, town, e));
    return make_homes(c, rural, e);
}

static int begin(struct county *c, const struct county_options *o, struct err *e) {
    struct demo *d = c->d;
    day_t today = site_today(d->site);
    char text[DAY_TEXT];
    if (o->on > today) return err_set(e, ERR_INVALID, "on", M_FUTURE, day_text(today, text));
    d->last = o->on == DAY_NONE ? today : o->on;
    d->first = d->last - OUTBREAK_DAYS + 1;
    c->share = (double)o->residents / USUAL;
    c->crowd = MIN(c->share, 1);
    c->known = arena_new(&d->a, struct known, KNOWN_MOST);
    int64_t now = (site_now(d->site) - tz_start(d->site->tz, today, 0)) / US_PER_SECOND;
    c->today_ends = d->last < today ? 20 * 3600 : MIN(MAX(now, 60), 20 * 3600);
    demo_clock(d, d->first, 8 * 3600);
    return 0;
}

int county_make(struct demo *d, const struct county_options *o, struct err *e) {
    struct county c = {.d = d};
    TRY(begin(&c, o, e));
    demo_progress(d, (struct label){"区域", "places"}, 0.05, 2000);
    TRY(make_places(&c, e));
    TRY(make_organisations(&c, e));
    TRY(make_workers(&c, e));
    TRY(make_people(&c, o->residents, e));
    TRY(make_gates(&c, e));
    TRY(make_units(&c, e));
    TRY(county_outbreak(&c, e));
    return demo_flush(d, e);
}
