#include "cli/demo_county.h"

#include "base/log.h"
#include "core/figure.h"
#include "core/fsck.h"
#include "systems/gates/gates.h"
#include "systems/passes/passes.h"
#include "systems/reports/reports.h"
#include "systems/systems.h"
#include "unit.h"

static struct demo demo;
static struct site *site;
static struct arena memory;

static void county(int64_t residents, const char *now) {
    struct err e = {0};
    static int sites;
    const char *dir = arena_printf(&memory, "%s/site%d", unit_dir(), sites);
    log_quiet(true);
    if (sites++ == 0) site_program_init(systems_all);
    CHECK(site_create(dir, &(struct site_options){.name = COUNTY_NAME}, &e) == 0);
    CHECK(site_open(dir, &site, &e) == 0);
    CHECK(tz_parse(site->tz, str_z(now), &site->clock.fixed_us));
    demo_begin(&demo, site, NULL, 1);
    if (county_make(&demo, &(struct county_options){.on = DAY_NONE, .residents = residents}, &e))
        unit_fail(__FILE__, __LINE__, "%s %s %s", e.field, msg_name(e.msg), e.arg[0]);
}

static void done(void) {
    demo_end(&demo);
    site_close(site);
    arena_release(&memory);
}

static double figure_on(const char *id, day_t from, day_t to) {
    struct figure_query q = {.figure = figure_by_id(str_z(id)), .from = from, .to = to};
    struct areas *t = site_areas(site);
    struct figure_value v;
    struct db *db;
    struct err e;
    q.path = t->all[0].path;
    CHECK(site_reader(site, &db, &e) == 0);
    CHECK(figure_value(db, site, &memory, &q, &v, &e) == 0);
    site_reader_done(site, db);
    areas_drop(t);
    return v.value;
}

static void nothing_wrong(void *arg UNUSED, enum fsck_part part, const char *what) {
    unit_fail(__FILE__, __LINE__, "%s: %s", fsck_names[part], what);
}

TEST(a_county_has_its_residents_and_an_outbreak_and_proves_itself) {
    struct fsck_result r;
    struct err e;
    county(1500, "2020-02-20 19:00");
    day_t first = demo.first, on = demo.last;
    CHECK_INT(on, day_make(2020, 2, 20));
    CHECK_INT(figure_on("grid.residents", on, on), 1500);
    CHECK_INT(figure_on("case.suspected_total", on, on), 40);
    CHECK_INT(figure_on("case.confirmed_total", on, on), 18);
    CHECK_INT(figure_on("case.deaths_total", on, on), 1);
    CHECK_INT(figure_on("case.transferred", first, on), 7);
    CHECK(figure_on("triage.isolated", first, on) == 40 && figure_on("triage.confirmed", first, on) == 18);
    CHECK(figure_on("grid.households_covered_percent", on, on) > 80);
    CHECK(fsck_run(site, nothing_wrong, NULL, &r, &e) == 0);
    done();
}

TEST(two_units_are_silent_today_and_one_was_late_yesterday) {
    struct report_state today, yesterday;
    struct areas *t;
    struct db *db;
    struct err e;
    county(300, "2020-02-20 19:00");
    t = site_areas(site);
    CHECK(site_reader(site, &db, &e) == 0);
    CHECK(reports_state(db, site, &memory, t->all[0].path, demo.last, &today, &e) == 0);
    CHECK(reports_state(db, site, &memory, t->all[0].path, demo.last - 1, &yesterday, &e) == 0);
    site_reader_done(site, db);
    areas_drop(t);
    CHECK_INT(today.due - today.submitted, 2);
    CHECK_INT(today.late, 0);
    CHECK_INT(yesterday.due - yesterday.submitted, 0);
    CHECK_INT(yesterday.late, 1);
    done();
}

/* How many records of the kind have that value there; "" counts those with none. */
static int count_of(const struct kind *k, const char *field, const char *value) {
    struct rows *rows;
    struct record r;
    struct db *db;
    struct err e;
    int n = 0;
    CHECK(site_reader(site, &db, &e) == 0);
    CHECK(db_query(db, &kind_sql(k)->scan, &rows, &e, VINT(site->id), VID((struct id){{0}}), VINT(INT64_MAX)) == 0);
    while (rows_next(rows, &e) == 1) {
        record_read(&memory, k, rows, &r);
        n += record_has(&r, field) ? str_eqz(record_text(&r, field), value) : !*value;
    }
    rows_done(rows);
    site_reader_done(site, db);
    return n;
}

TEST(what_is_closed_has_its_passes_and_most_at_its_gates_show_a_good_one) {
    static const char *const refused[] = {"expired", "revoked", "stay_home", "wrong_area"};
    int turned_back = 0;
    county(4000, "2020-02-20 19:00");
    int households = count_of(&passes_kind, "kind_of", "household"), all = demo.counts[kind_index(&passes_kind)];
    int revoked = all - count_of(&passes_kind, "revoke_reason", ""), at_home = all - count_of(&passes_kind, "stay_home_from", "");
    CHECK(households > 500 && households > all * 3 / 4);
    CHECK(revoked > 0 && revoked < households / 20);
    CHECK(at_home > 0 && at_home < households / 10);
    CHECK(count_of(&passes_kind, "kind_of", "person") > 0 && count_of(&passes_kind, "kind_of", "vehicle") > 0 && count_of(&passes_kind, "kind_of", "visitor") > 0);
    for (size_t i = 0; i < COUNT(refused); i++) {
        int n = count_of(&gate_scan_kind, "pass_check", refused[i]);
        if (n == 0) unit_fail(__FILE__, __LINE__, "nobody shows one that is %s", refused[i]);
        turned_back += n;
    }
    CHECK(count_of(&gate_scan_kind, "pass_check", "valid") > 10 * turned_back);
    CHECK_INT(count_of(&gate_scan_kind, "pass_check", "unknown"), 0);
    done();
}

/* The numbers are printed in guides and stand in people's notes: the same seed on the same day makes the same ones. */
TEST(the_same_seed_makes_the_same_passes) {
    char first[PASS_NUMBER] = "", again[PASS_NUMBER] = "";
    for (int i = 0; i < 2; i++) {
        struct rows *rows;
        struct record r;
        struct db *db;
        struct err e;
        county(300, "2020-02-20 19:00");
        CHECK(site_reader(site, &db, &e) == 0);
        CHECK(db_query(db, &kind_sql(&passes_kind)->scan, &rows, &e, VINT(site->id), VID((struct id){{0}}), VINT(1)) == 0);
        CHECK(rows_next(rows, &e) == 1);
        record_read(&memory, &passes_kind, rows, &r);
        memcpy(i ? again : first, record_text(&r, "number").p, PASS_NUMBER - 1);
        rows_done(rows);
        site_reader_done(site, db);
        done();
    }
    CHECK(*first);
    CHECK_STR(str_z(again), first);
}

TEST(nothing_happens_after_now) {
    county(300, "2020-02-20 01:30");
    struct err e;
    struct areas *t = site_areas(site);
    struct figure_query q = {.figure = figure_by_id(STR("triage.visits")), .path = t->all[0].path, .from = demo.last, .to = demo.last};
    struct figure_cursor cur = {.path = {"", 0}};
    struct record *rows;
    struct db *db;
    size_t n;
    int64_t now;
    CHECK(tz_parse(site->tz, STR("2020-02-20 01:30"), &now));
    CHECK(site_reader(site, &db, &e) == 0);
    CHECK(figure_rows(db, site, &memory, &q, &cur, 1000, &rows, &n, &e) == 0);
    CHECK(n > 0);
    for (size_t i = 0; i < n; i++) CHECK(record_int(&rows[i], "seen_at") <= now);
    site_reader_done(site, db);
    areas_drop(t);
    done();
}

TEST(a_day_to_come_is_refused) {
    struct err e = {0};
    const char *dir = arena_printf(&memory, "%s/site", unit_dir());
    log_quiet(true);
    site_program_init(systems_all);
    CHECK(site_create(dir, &(struct site_options){.name = COUNTY_NAME}, &e) == 0);
    CHECK(site_open(dir, &site, &e) == 0);
    demo_begin(&demo, site, NULL, 1);
    CHECK(county_make(&demo, &(struct county_options){.on = site_today(site) + 1, .residents = 300}, &e) == -1);
    CHECK_STR(str_z(e.field), "on");
    done();
}
