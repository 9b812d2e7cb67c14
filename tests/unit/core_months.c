/* Scans grow old: they move to their months without what is personal, and end there; nothing is lost, nothing twice, and no figure changes. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/copy.h"
#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/jobs.h"
#include "core/months.h"
#include "core/table.h"
#include "core_help.h"

static const char *gates[2];

static void gates_make(void) {
    world_make();
    gates[0] = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','kind_of':'quarter_gate','code':'G1'}");
    gates[1] = run(NULL, "gate.create", "v1", NULL, "{'name':'村口','kind_of':'village_road','code':'G2'}");
}

/* So many days after the world began. */
static void on_day(int n) {
    char day[DAY_TEXT];
    world_clock(arena_printf(&w.a, "%s 12:00", day_text(day_make(2020, 2, 10) + n, day)));
}

static const char *scan(int gate, const char *phone) {
    return run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'person','persons':2,'seen_at':'2020-02-10 09:00','name':'诸葛孔明','phone':'%s','temperature':36.6}",
               gates[gate], phone);
}

static int64_t rows_in(const char *table) {
    struct db *db;
    struct err e;
    int64_t n = -1;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_int(db, &table_by_name(table)->count, &n, &e, VINT(w.s->id)) == 1);
    site_reader_done(w.s, db);
    return n;
}

static int64_t in_months(void) {
    const struct kind_sql *q = kind_sql(kind_by_name(STR("gate_scan")));
    int64_t n = 0;
    CHECK(q->months_n > 14);
    for (size_t i = 0; i < q->months_n; i++) n += rows_in(q->months[i].name);
    return n;
}

static struct digest tallies(void) {
    static struct stmt all = STMT(test_tallies, "SELECT path, figure, cut, day, n FROM tally WHERE site = $1 AND n <> 0 ORDER BY path, figure, cut, day");
    struct digest_state d;
    struct rows *rows;
    struct db *db;
    struct err e;
    int64_t n;
    stmt_register(&all, 1);
    tallies_settle();
    digest_start(&d);
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_query(db, &all, &rows, &e, VINT(w.s->id)) == 0);
    while (rows_next(rows, &e) == 1) {
        for (int i = 0; i < 4; i++) digest_add_str(&d, rows_text(rows, i));
        n = rows_int(rows, 4);
        digest_add(&d, &n, sizeof n);
    }
    rows_done(rows);
    site_reader_done(w.s, db);
    return digest_end(&d);
}

static void counts_are(const struct digest *before) {
    struct digest now = tallies();
    CHECK(memcmp(&now, before, sizeof now) == 0);
    world_proves_itself();
}

static int64_t aged(int day) {
    int64_t n;
    struct err e;
    on_day(day);
    CHECK(retention_run(w.s, &n, &e) == 0);
    return n;
}

/* The same command again, word for word. */
static int again(const char *id, int gate, const char *phone) {
    struct command_call call;
    struct err e;
    return run_json(NULL, &call, &e, "{'id':'%s','command':'gate_scan.create','data':{'gate':'%s','what':'person','persons':2,'seen_at':'2020-02-10 09:00',"
                    "'name':'诸葛孔明','phone':'%s','temperature':36.6}}", id, gates[gate], phone);
}

TEST(old_scans_move_to_their_month_without_what_is_personal_and_are_still_there) {
    gates_make();
    const char *old[3], *young;
    for (int i = 0; i < 3; i++) old[i] = scan(i % 2, "13812345678");
    on_day(40);
    young = scan(0, "13812345678");
    struct digest before = tallies();
    CHECK_INT(aged(50), 3);
    CHECK_INT(rows_in("gate_scan"), 1);
    CHECK_INT(in_months(), 3);
    CHECK_INT(records_of("gate_scan"), 4);
    for (int i = 0; i < 3; i++) {
        struct record *r = record_of("gate_scan", old[i]);
        CHECK(!record_has(r, "phone") && !record_has(r, "name") && !record_has(r, "temperature"));
        CHECK_INT(record_int(r, "persons"), 2);
    }
    CHECK_STR(str_z(plain_of("gate_scan", young, "phone")), "13812345678");
    counts_are(&before);
    CHECK_INT(aged(50), 0);
    /* Sent once more, by a phone that missed the answer. */
    CHECK(again(old[0], 0, "13812345678") == 0 && again(young, 0, "13812345678") == 0);
    CHECK_INT(records_of("gate_scan"), 4);
    CHECK(again(old[0], 1, "13812345678") == -1);
    counts_are(&before);
    world_close();
}

/* As whoever asks does it: in the fresh rows alone, where they are all there is. */
static int64_t behind_figure(int day, bool *ret_fresh) {
    const struct kind *k = kind_by_name(STR("gate_scan"));
    struct figure_query q = {.figure = figure_by_id(STR("gate.persons")), .path = STR(""), .from = day_make(2020, 2, 10) + day, .to = day_make(2020, 2, 10) + day};
    struct figure_cursor at = {.path = STR("")};
    struct record *found;
    struct db *db;
    struct err e;
    size_t n;
    *ret_fresh = !months_may_have_seen(k, tz_start(w.s->tz, q.from, 0), site_now(w.s));
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(figure_rows(db, w.s, &w.a, &q, &at, 10, &found, &n, &e) == 0);
    site_reader_done(w.s, db);
    return (int64_t)n;
}

TEST(the_scans_of_a_day_are_found_before_they_move_and_behind) {
    bool fresh, first = true;
    gates_make();
    scan(0, "13812345678");
    scan(1, "13812345678");
    for (int day = 0; day < 40; day++) {
        aged(day);
        CHECK_INT(behind_figure(0, &fresh), 2);
        CHECK(first || !fresh); /* once moved, never again */
        CHECK(!fresh || in_months() == 0);
        CHECK(fresh == (day < 27));
        first = fresh;
    }
    CHECK_INT(in_months(), 2);
    world_close();
}

TEST(a_month_ends_on_its_sunset_and_the_figures_stay) {
    gates_make();
    for (int i = 0; i < 3; i++) scan(i % 2, "13812345678");
    struct digest before = tallies();
    CHECK_INT(aged(419), 3); /* 2020-02-29 was the last day of the month: 400 days later is 2021-04-04 */
    CHECK_INT(in_months(), 3);
    CHECK_INT(aged(420), 0);
    CHECK_INT(records_of("gate_scan"), 0);
    CHECK(rows_in("tally_ended") > 0);
    counts_are(&before);
    /* Counted anew, by a program whose figures are others. */
    site_close(w.s);
    tamper("UPDATE setting SET value = 'others' WHERE name = 'figures'");
    world_open();
    counts_are(&before);
    /* What has ended goes where its area goes. */
    struct areas *t = site_areas(w.s);
    char id[ID_TEXT];
    id_text(areas_by_code(t, STR("xg"))->id, id);
    areas_drop(t);
    run(NULL, "area.update", NULL, id, "{'parent':'rural'}");
    struct digest moved = tallies();
    CHECK(memcmp(&moved, &before, sizeof moved) != 0);
    counts_are(&moved);
    world_close();
}

TEST(years_of_scans_go_through_the_same_tables) {
    int64_t total = 0, most = 0;
    gates_make();
    for (int day = 0; day < 3 * 365; day += 15) {
        on_day(day);
        scan(day % 2, "13812345678");
        total++;
        if (day % 45 == 0) aged(day + 1);
        most = MAX(most, records_of("gate_scan"));
    }
    CHECK(most >= 28 && most <= 34 && total == 73);
    world_proves_itself();
    struct digest before = tallies();
    aged(5 * 365);
    CHECK_INT(records_of("gate_scan"), 0);
    counts_are(&before);
    world_close();
}

TEST(an_id_that_says_the_wrong_time_or_none_keeps_nothing_personal_and_is_not_stored_twice) {
    static const char *const ids[] = {"ffffffff-0000-4000-8000-000000000001", "0185f000-0000-7000-8000-000000000002", "00000000-0000-4000-8000-000000000003"};
    gates_make();
    for (size_t i = 0; i < COUNT(ids); i++) CHECK(again(ids[i], 0, "13812345678") == 0); /* the second: of January 2023 */
    struct digest before = tallies();
    CHECK_INT(aged(50), 3);
    CHECK_INT(rows_in("gate_scan"), 1);
    for (size_t i = 0; i < COUNT(ids); i++) {
        CHECK(!record_has(record_of("gate_scan", ids[i]), "phone"));
        CHECK(again(ids[i], 0, "13812345678") == 0);
    }
    CHECK_INT(records_of("gate_scan"), 3);
    counts_are(&before);
    CHECK_INT(aged(51), 0);
    CHECK_INT(aged(3 * 365 + 60), 1);
    CHECK_INT(records_of("gate_scan"), 0);
    counts_are(&before);
    world_close();
}

TEST(a_site_with_months_is_copied_as_it_is) {
    struct copy_result r;
    struct err e;
    gates_make();
    for (int day = 0; day <= 600; day += 30) on_day(day), scan(day % 2, "13812345678");
    aged(600);
    CHECK(rows_in("tally_ended") > 0 && in_months() > 10 && rows_in("gate_scan") > 0);
    struct digest is = state_now();
    const char *dir = arena_printf(&w.a, "%s/other", unit_dir());
    CHECK(mkdir(dir, 0700) == 0);
    CHECK(copy_site(w.s, arena_printf(&w.a, "%s/lianfang.db", dir), &(struct copy_options){.name = dir}, &r, &e) == 0);
    site_close(w.s);
    CHECK(rename(world_path("site.key"), arena_printf(&w.a, "%s/site.key", dir)) == 0);
    CHECK(site_open(dir, &w.s, &e) == 0);
    on_day(600);
    struct digest there = state_now();
    CHECK(memcmp(&is, &there, sizeof is) == 0);
    world_proves_itself();
    world_close();
}

/* ---- as one table ---- */

/* On a server, where sorting is made dear: is there an order that needs none? */
static bool sorts(struct db *db, const struct stmt *s, const struct val *v, size_t params) {
    struct stmt *explain = arena_new(&w.a, struct stmt, 1);
    struct rows *rows;
    struct err e;
    bool sorted = false, merged = false;
    *explain = (struct stmt){.name = arena_printf(&w.a, "explain %s", s->name), .sql = arena_printf(&w.a, "EXPLAIN %s", s->sql)};
    stmt_register(explain, 1);
    if (db_query_n(db, explain, v, params, &rows, &e)) unit_fail(__FILE__, __LINE__, "%s: %s", s->name, e.arg[0]);
    while (rows_next(rows, &e) == 1) {
        sorted |= str_find(rows_text(rows, 0), STR("Sort  (")) >= 0;
        merged |= str_find(rows_text(rows, 0), STR("Merge Append  (")) >= 0;
    }
    rows_done(rows);
    return sorted || !merged;
}

TEST(a_server_reads_a_page_of_all_scans_without_reading_all_scans) {
    char address[SITE_ADDRESS];
    struct db *db;
    struct err e;
    if (!unit_on_server()) unit_skip("systems_plan asks SQLite's planner");
    gates_make();
    const struct kind *k = kind_by_name(STR("gate_scan"));
    const struct kind_sql *q = kind_sql(k);
    CHECK(site_address(world_path(""), NULL, address, &e) == 0 && db_open(address, DB_WRITE, &db, &e) == 0);
    CHECK(db_script(db, STR("SET enable_sort = off; SET enable_seqscan = off; SET enable_bitmapscan = off"), &e) == 0);
    struct val site = VINT(w.s->id), id = VID(id_of(gates[0])), from = VTEXT(STR("001")), n = VINT(50), at = VINT(w.s->clock.fixed_us);
    CHECK(!sorts(db, &q->scan, (struct val[]){site, id, n}, 3));
    CHECK(!sorts(db, &q->newest, (struct val[]){site, id, n}, 3));
    CHECK(!sorts(db, &q->newest_at, (struct val[]){site, id, from, at, id, n}, 6));
    CHECK(!sorts(db, &q->between[kind_field(k, STR("gate"))], (struct val[]){site, id, at, id, at, n}, 6));
    db_close(db);
    world_close();
}

/* ---- failing, and being killed, anywhere ---- */

enum { DONE = 2, FAILED = 0 };

static void make_old(void *arg UNUSED) {
    gates_make();
    for (int day = 0; day < 900; day += 30) on_day(day), scan(day % 2, "13812345678"), scan(1, "13812345678");
    world_close();
    exit(FAILED);
}

static void age_with(void *fault) {
    int64_t n;
    struct err e;
    if (fault) setenv("LF_FAULT", fault, 1);
    CHECK(freopen("/dev/null", "w", stderr));
    site_program_init(systems_all);
    if (site_open(world_path(""), &w.s, &e)) exit(FAILED);
    on_day(905);
    int r = retention_run(w.s, &n, &e);
    site_close(w.s);
    exit(r ? FAILED : DONE);
}

/* Of sixty scans those that have not ended are there, once each; the figures count all. */
static void prove(void *arg UNUSED) {
    w.s = NULL;
    world_open();
    on_day(905);
    world_proves_itself();
    int64_t n = records_of("gate_scan");
    CHECK(n >= 28 && n <= 60);
    world_close();
    exit(FAILED);
}

static pid_t begin_child(void (*what)(void *arg), void *arg) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) what(arg);
    return child;
}

static int end_child(pid_t child) {
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return FAILED;
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 1);
    return WEXITSTATUS(status);
}

TEST(a_disk_that_is_full_while_scans_move_and_end_stops_them_and_nothing_else) {
    int failed = 0, end = FAILED;
    end_child(begin_child(make_old, NULL));
    for (int n = 20; end != DONE; n += 5) {
        char fault[40];
        snprintf(fault, sizeof fault, "dbfull:%d", n);
        end = end_child(begin_child(age_with, fault));
        failed += end == FAILED;
        end_child(begin_child(prove, NULL));
        CHECK(n < 3000);
    }
    CHECK(failed > 5);
    arena_release(&w.a);
}

TEST(a_database_that_is_busy_while_scans_move_and_end_delays_them) {
    for (int n = 40; n < 400; n += 70) {
        char fault[40];
        end_child(begin_child(make_old, NULL));
        snprintf(fault, sizeof fault, "db:%d", n);
        end_child(begin_child(age_with, fault));
        end_child(begin_child(prove, NULL));
        CHECK_INT(end_child(begin_child(age_with, NULL)), DONE);
        end_child(begin_child(prove, NULL));
        CHECK(rename(world_path(""), arena_printf(&w.a, "%s/round%d", unit_dir(), n)) == 0);
    }
    arena_release(&w.a);
}

TEST(a_process_killed_while_scans_move_and_end_leaves_what_proves_itself) {
    end_child(begin_child(make_old, NULL));
    for (int i = 0; i < 6; i++) {
        pid_t child = begin_child(age_with, NULL);
        usleep((useconds_t)(20000 + i * 25000));
        kill(child, SIGKILL);
        end_child(child);
        end_child(begin_child(prove, NULL));
    }
    CHECK_INT(end_child(begin_child(age_with, NULL)), DONE);
    end_child(begin_child(prove, NULL));
    arena_release(&w.a);
}
