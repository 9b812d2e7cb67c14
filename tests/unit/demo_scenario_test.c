#include "cli/demo_scenario.h"

#include "base/log.h"
#include "core/figure.h"
#include "core/fsck.h"
#include "systems/bulletin/brief.h"
#include "systems/systems.h"
#include "unit.h"

struct bench {
    struct arena a;
    struct site *site;
    struct demo demo;
    struct scenario sc;
};
static struct bench benches[2];

static struct bench *bench_begin(int i) {
    struct bench *b = &benches[i];
    if (i == 0) {
        log_quiet(true);
        site_program_init(systems_all);
    }
    memset(b, 0, sizeof *b);
    return b;
}

static void bench_end(struct bench *b) {
    demo_end(&b->demo);
    site_close(b->site);
    arena_release(&b->a);
}

static int parse(struct bench *b, const char *text, struct err *e) {
    char *json = arena_strz(&b->a, str_z(text));
    for (char *p = json; *p; p++)
        if (*p == '\'') *p = '"';
    return scenario_parse(&b->a, str_z(json), &b->sc, e);
}

/* A site of its own, filled from b->sc. */
static int fill(struct bench *b, const char *name, struct err *e) {
    const char *dir = arena_printf(&b->a, "%s/%s", unit_dir(), name);
    CHECK(site_create(dir, &(struct site_options){.name = "县", .tz = b->sc.tz}, e) == 0);
    CHECK(site_open(dir, &b->site, e) == 0);
    demo_begin(&b->demo, b->site, NULL, 1);
    return scenario_make(&b->demo, &b->sc, e);
}

static void made_and_true(struct bench *b, const char *name) {
    struct err e = {0};
    size_t wrong = 1;
    if (fill(b, name, &e)) unit_fail(__FILE__, __LINE__, "%s %s %s", msg_name(e.msg), e.arg[0], e.arg[1]);
    CHECK(scenario_verify(&b->demo, &b->sc, &wrong, &e) == 0);
    for (size_t i = 0; i < b->sc.facts_n; i++) {
        const struct fact *f = &b->sc.facts[i];
        if (f->state == FACT_MADE && !fact_holds(f)) unit_fail(__FILE__, __LINE__, "%s: got %g", fact_label(&b->a, f), f->got);
    }
    CHECK_INT(wrong, 0);
}

static double figure_in(struct bench *b, const char *figure, const char *area, const char *day) {
    struct areas *t = site_areas(b->site);
    struct figure_query q = {.figure = figure_by_id(str_z(figure)), .path = areas_by_code(t, str_z(area))->path};
    struct figure_value v;
    struct db *db;
    struct err e;
    CHECK(day_from_iso(str_z(day), &q.from));
    q.to = q.from;
    CHECK(site_reader(b->site, &db, &e) == 0);
    CHECK(figure_value(db, b->site, &b->a, &q, &v, &e) == 0);
    site_reader_done(b->site, db);
    areas_drop(t);
    return v.none ? -1 : v.value;
}

static void nothing_wrong(void *arg UNUSED, enum fsck_part part, const char *what) {
    unit_fail(__FILE__, __LINE__, "%s: %s", fsck_names[part], what);
}

#define AREAS "'areas':[{'code':'k','level':'county','name':'甲县'},{'code':'k.a','parent':'k','level':'community','name':'甲社区'}," \
              "{'code':'k.b','parent':'k','level':'community','name':'乙社区'}]"
#define FACT(indicator, area, day, value) "{'indicator':'" indicator "','area':'" area "','on':'" day "','value':" value "}"
#define FILE_OF(facts) "{'from':'2020-01-20','to':'2020-02-20'," AREAS ",'facts':[" facts "]}"

TEST(every_kind_of_fact_comes_out_and_the_site_proves_itself) {
    struct bench *b = bench_begin(0);
    struct err e;
    struct fsck_result r;
    CHECK(scenario_read(&b->a, "tests/scenarios/small.json", &b->sc, &e) == 0);
    made_and_true(b, "site");
    size_t made = 0, skipped = 0;
    for (size_t i = 0; i < b->sc.facts_n; i++) {
        made += b->sc.facts[i].state == FACT_MADE;
        skipped += b->sc.facts[i].state == FACT_SKIPPED;
    }
    CHECK_INT(made + skipped, b->sc.facts_n);
    CHECK_INT(skipped, 1);
    CHECK(fsck_run(b->site, nothing_wrong, NULL, &r, &e) == 0);
    bench_end(b);
}

TEST(another_value_in_the_file_is_another_value_in_the_bulletin) {
    static const char *const values[] = {"5", "8"};
    for (int i = 0; i < 2; i++) {
        struct bench *b = bench_begin(i);
        struct err e;
        const char *text = arena_printf(&b->a, FILE_OF("{'indicator':'gate.posts','area':'k.a','on':'2020-02-10','value':%s}," FACT("grid.residents", "k", "2020-02-10", "40")), values[i]);
        CHECK(parse(b, text, &e) == 0);
        made_and_true(b, values[i]);
        CHECK_INT(figure_in(b, "gate.posts", "k.a", "2020-02-10"), i ? 8 : 5);
        CHECK_INT(figure_in(b, "gate.posts", "k", "2020-02-10"), i ? 8 : 5);
        CHECK_INT(figure_in(b, "gate.posts", "k.b", "2020-02-10"), 0);
        bench_end(b);
    }
}

TEST(the_same_file_makes_the_same_records) {
    struct rows_seen {
        struct id id;
        struct str name;
    } seen[2] = {{{{0}}, {NULL, 0}}};
    struct err e;
    struct bench *all[2];
    for (int i = 0; i < 2; i++) {
        struct bench *b = all[i] = bench_begin(i);
        CHECK(parse(b, FILE_OF(FACT("case.confirmed_total", "k", "2020-02-10", "6") "," FACT("gate.persons", "k.b", "2020-02-09", "30")), &e) == 0);
        made_and_true(b, i ? "second" : "first");
        struct figure_query q = {.figure = figure_by_id(STR("case.confirmed_total")), .from = day_make(2020, 2, 10), .to = day_make(2020, 2, 10)};
        struct figure_cursor cur = {.path = {"", 0}};
        struct record *rows;
        struct db *db;
        size_t n;
        CHECK(site_reader(b->site, &db, &e) == 0);
        CHECK(figure_rows(db, b->site, &b->a, &q, &cur, 10, &rows, &n, &e) == 0);
        site_reader_done(b->site, db);
        CHECK_INT(n, 6);
        seen[i].id = rows[3].id;
        seen[i].name = arena_str(&b->a, record_text(&rows[3], "name"));
    }
    CHECK(id_eq(seen[0].id, seen[1].id));
    CHECK(str_eq(seen[0].name, seen[1].name));
    for (int i = 0; i < 2; i++) bench_end(all[i]);
}

static void refused_naming(const char *text, const char *first, const char *second) {
    struct bench *b = bench_begin(0);
    struct err e = {0};
    CHECK(parse(b, text, &e) == 0);
    CHECK(fill(b, "site", &e) == -1);
    CHECK_INT(e.code, ERR_INVALID);
    CHECK_STR(str_z(msg_name(e.msg)), "FACTS_CONTRADICT");
    bool named = str_find(str_z(e.arg[0]), str_z(first)) >= 0 && str_find(str_z(e.arg[1]), str_z(second)) >= 0;
    bool turned = str_find(str_z(e.arg[0]), str_z(second)) >= 0 && str_find(str_z(e.arg[1]), str_z(first)) >= 0;
    if (!named && !turned) unit_fail(__FILE__, __LINE__, "named: %s; %s", e.arg[0], e.arg[1]);
    bench_end(b);
}

TEST(a_part_larger_than_the_whole_is_refused_naming_both) {
    refused_naming(FILE_OF(FACT("gate.posts", "k", "2020-02-10", "3") "," FACT("gate.posts", "k.a", "2020-02-10", "4")), "#1", "#2");
}

TEST(two_values_for_one_figure_are_refused_naming_both) {
    refused_naming(FILE_OF(FACT("org.branches", "k", "2020-02-10", "3") "," FACT("org.branches", "k", "2020-02-10", "5")), "#1", "#2");
}

TEST(more_confirmed_by_triage_than_isolated_is_refused_naming_both) {
    refused_naming(FILE_OF("{'indicator':'triage.isolated','area':'k','from':'2020-01-20','to':'2020-02-20','value':2},"
                           "{'indicator':'triage.confirmed','area':'k','from':'2020-01-20','to':'2020-02-20','value':3}"), "#1", "#2");
}

TEST(a_figure_without_a_system_is_left_out) {
    struct bench *b = bench_begin(0);
    struct err e;
    CHECK(parse(b, FILE_OF(FACT("moon.landings", "k", "2020-02-10", "3") "," FACT("gate.posts", "k", "2020-02-10", "1")), &e) == 0);
    made_and_true(b, "site");
    CHECK_INT(b->sc.facts[0].state, FACT_SKIPPED);
    CHECK_INT(b->sc.facts[1].state, FACT_MADE);
    bench_end(b);
}

TEST(a_file_is_refused_for_what_is_wrong_in_it) {
    static const struct {
        const char *text, *reason;
    } table[] = {
        {"{", "JSON"},
        {"{'facts':[]}", "REQUIRED"},
        {"{" AREAS ",'facts':[]}", "REQUIRED"},
        {FILE_OF(FACT("gate.posts", "nowhere", "2020-02-10", "1")), "NO_RECORD"},
        {FILE_OF(FACT("gate.posts", "k", "2020-02-31", "1")), "TYPE_DATE"},
        {FILE_OF(FACT("gate.posts", "k", "2020-02-10", "'many'")), "TYPE_REAL"},
        {FILE_OF("{'indicator':'gate.posts','area':'k','on':'2020-02-10','value':1,'rel':'~'}"), "CODE"},
        {"{'areas':[{'code':'k','level':'county','name':'x'},{'code':'k','level':'county','name':'y'}],'facts':[]}", "SAME_CODE"},
        {"{'areas':[{'code':'k','level':'moon','name':'x'}],'facts':[]}", "CODE"},
        {"{'areas':[{'code':'k','level':'county','name':'x','children':{'moon':1}}],'facts':[]}", "UNKNOWN_FIELD"},
    };
    struct bench *b = bench_begin(0);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct err e = {0};
        CHECK(parse(b, table[i].text, &e) == -1);
        CHECK_STR(str_z(msg_name(e.msg)), table[i].reason);
    }
    arena_release(&b->a);
}

TEST(places_are_nested_evenly) {
    struct bench *b = bench_begin(0);
    struct err e;
    CHECK(parse(b, "{'from':'2020-01-20','to':'2020-02-20','areas':[{'code':'k','level':'county','name':'x','children':{'building':13,'community':2,'quarter':5}}],"
                   "'facts':[" FACT("grid.buildings", "k", "2020-02-10", "13") "]}", &e) == 0);
    made_and_true(b, "site");
    const struct demo *d = &b->demo;
    int least = 99, most = 0;
    for (size_t i = 0; i < d->places_n; i++) {
        if (strcmp(d->places[i].level, "quarter") != 0) continue;
        CHECK(strcmp(d->places[d->places[i].parent].level, "community") == 0);
        least = MIN(least, d->places[i].children);
        most = MAX(most, d->places[i].children);
    }
    CHECK_INT(d->places_n, 1 + 2 + 5 + 13);
    CHECK(least == 2 && most == 3);
    bench_end(b);
}
