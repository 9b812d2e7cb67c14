/* On a server what scans count lies by for some groups: every figure has it at once, whoever wrote and whoever asks, and nothing is counted twice. */
#include "core/figure.h"
#include "core_help.h"

static const char *gate;

static void world_with_gate(void) {
    world_make();
    gate = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','code':'g1','kind_of':'quarter_gate'}");
}

/* By the process whose site w.s is; each is a group of its own. */
static void scans(int n) {
    for (int i = 0; i < n; i++) run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'person','seen_at':'2020-02-%d 11:00'}", gate, 9 + i % 2);
}

static double persons(struct site *s, const char *area, const char *from, const char *to) {
    struct figure_query q = {.figure = figure_by_id(STR("gate.persons")), .path = path_of_area(area)};
    struct figure_value v, *cuts;
    double *days, sum = 0;
    struct db *db;
    struct err e;
    size_t n;
    CHECK(day_from_iso(str_z(from), &q.from) && day_from_iso(str_z(to), &q.to));
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(figure_value(db, s, &w.a, &q, &v, &e) == 0);
    CHECK(figure_cuts(db, s, &w.a, &q, &cuts, &n, &e) == 0);
    CHECK(figure_series(db, s, &w.a, &q, &days, &e) == 0);
    site_reader_done(s, db);
    for (day_t d = q.from; d <= q.to; d++) sum += days[d - q.from];
    CHECK(cuts[0].value == v.value && sum == v.value);
    return v.value;
}

/* Both days, each by itself, above and beside; and recounted. */
static void counted(struct site *s, int n) {
    CHECK_INT(persons(s, "jixian", "2020-02-09", "2020-02-10"), n);
    CHECK_INT(persons(s, "q1", "2020-02-01", "2020-02-29"), n);
    CHECK_INT(persons(s, "xg", "2020-02-09", "2020-02-09") + persons(s, "xg", "2020-02-10", "2020-02-10"), n);
    CHECK_INT(persons(s, "rural", "2020-02-09", "2020-02-10"), 0);
    CHECK_INT(persons(s, "jixian", "2020-02-11", "2020-02-20"), 0);
    world_proves_itself();
}

static bool lies_by(void) {
    struct db *db;
    struct err e;
    bool any = false;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(tally_lies_by(db, w.s->id, &any, &e) == 0);
    site_reader_done(w.s, db);
    return any;
}

static struct site *another(void) {
    struct site *s;
    struct err e;
    CHECK(site_open(world_path(""), &s, &e) == 0);
    return s;
}

static void as(struct site *s, int n) {
    struct site *was = w.s;
    w.s = s;
    world_clock("2020-02-10 12:00");
    scans(n);
    w.s = was;
}

TEST(what_lies_by_is_in_every_figure_and_comes_to_the_table) {
    world_with_gate();
    scans(7);
    CHECK(lies_by() == unit_on_server());
    counted(w.s, 7);
    run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    scans(2);
    tallies_settle();
    CHECK(!lies_by());
    counted(w.s, 9);
    scans(150); /* more groups than may lie by */
    counted(w.s, 159);
    site_close(w.s);
    world_open();
    CHECK(!lies_by());
    counted(w.s, 159);
    world_close();
}

TEST(what_another_process_laid_by_is_counted_once) {
    world_with_gate();
    scans(5);
    struct site *other = another();
    counted(other, 5);
    as(other, 4);
    counted(w.s, 9);
    as(other, 4);
    scans(3);
    counted(other, 16);
    scans(3);
    counted(w.s, 19);
    struct site *mine = w.s;
    w.s = other;
    tallies_settle(); /* that of the first, and no entry of the journal says so */
    CHECK(!lies_by());
    w.s = mine;
    scans(3);
    counted(other, 22);
    tallies_settle();
    counted(other, 22);
    site_close(other);
    counted(w.s, 22);
    world_close();
}

TEST(a_group_that_runs_again_lies_by_once) {
    world_with_gate();
    scans(3);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(refused(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'nothing'}", gate).code, ERR_INVALID);
        scans(1);
    }
    counted(w.s, 6);
    world_close();
}

TEST(a_program_with_other_figures_counts_what_lay_by_anew) {
    world_with_gate();
    scans(6);
    struct site *left = w.s; /* as if it had been killed */
    tamper("UPDATE setting SET value = 'of an older program' WHERE name = 'figures'");
    w.s = another();
    world_clock("2020-02-10 12:00");
    CHECK(!lies_by());
    counted(w.s, 6);
    scans(3);
    counted(w.s, 9);
    site_close(left);
    counted(w.s, 9);
    world_close();
}

TEST(damage_to_what_lies_by_is_found) {
    const char *const damage[] = {
        "UPDATE tally_group SET counts = 'gate.persons' WHERE slot = 1",
        "UPDATE tally_group SET counts = counts || 'x' WHERE slot = 1",
        "UPDATE tally_group SET counts = replace(counts, '2020-02-09', '2020-02-31')",
        "UPDATE tally_group SET counts = replace(counts, ' 1', '1')",
    };
    struct fsck_result r;
    struct err e;
    int64_t all;
    if (!unit_on_server()) unit_skip("nothing lies by in a file");
    world_with_gate();
    for (size_t i = 0; i < COUNT(damage); i++) {
        tallies_settle();
        scans(4);
        tamper(damage[i]);
        CHECK(fsck_run(w.s, NULL, NULL, &r, &e) == -1);
        CHECK_ERR(e, ERR_CORRUPT);
        CHECK_STR(str_z(e.arg[0]), "tally_group");
        tamper("DELETE FROM tally_group WHERE slot > 0");
        CHECK(fsck_finds(FSCK_TALLIES, &all) > 0 && all == fsck_finds(FSCK_TALLIES, NULL));
    }
    world_close();
}
