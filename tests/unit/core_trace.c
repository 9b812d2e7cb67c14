/* Whose rows are these: found whichever way their traces are stored, while they are merged, after a kill, from the rows alone; and not when their time is over. */
#include <pthread.h>

#include "core/jobs.h"
#include "core/trace.h"
#include "core/trace_merge.h"
#include "core/trace_run.h"
#include "core/tx.h"
#include "core/writer.h"
#include "core_help.h"

enum { PEOPLE = 7, MANY = 1000, GROUPS = 20 };

static const struct kind *scans(void) {
    return kind_by_name(STR("gate_scan"));
}

static const char *gate;

static void site_with_a_gate(void) {
    world_make();
    gate = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','code':'G1','kind_of':'quarter_gate'}");
}

static const char *phone(int i) {
    return arena_printf(&w.a, "1380013%04d", i);
}

static void pass_by(int i, const char *seen_at) {
    run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'G1','what':'person','seen_at':'%s','phone':'%s'}", seen_at, phone(i % PEOPLE));
}

/* Each in a transaction of its own. */
static void few_pass(int n) {
    for (int i = 0; i < n; i++) pass_by(i, arena_printf(&w.a, "2020-02-10T%02d:%02d:00+08:00", 9 + i / 60, i % 60));
}

static struct trace trace_of(const char *text) {
    struct trace t = {.kind = scans(), .field = (size_t)kind_field(scans(), STR("phone")), .before = site_now(w.s) + US_PER_DAY};
    struct err e;
    t.from = t.before - 100 * US_PER_DAY;
    CHECK(trace_value(w.s, &w.a, t.kind, t.field, str_z(text), &t.value, &e) == 0);
    return t;
}

static size_t rows_of(const struct trace *t, size_t limit, struct record **ret) {
    struct db *db;
    struct err e;
    size_t n;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(trace_rows(db, w.s, &w.a, t, limit, ret, &n, &e) == 0);
    site_reader_done(w.s, db);
    return n;
}

static size_t found(const char *text) {
    struct record *all;
    struct trace t = trace_of(text);
    size_t n = rows_of(&t, 2 * MANY, &all);
    for (size_t i = 1; i < n; i++) CHECK(record_int(&all[i - 1], "seen_at") >= record_int(&all[i], "seen_at"));
    return n;
}

static size_t runs(struct trace_run **ret) {
    struct db *db;
    struct err e;
    size_t n;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(trace_runs(db, w.s->id, &w.a, scans(), ret, &n, &e) == 0);
    site_reader_done(w.s, db);
    return n;
}

static size_t runs_in_state(enum trace_state state) {
    struct trace_run *all;
    size_t n = runs(&all), found_n = 0;
    for (size_t i = 0; i < n; i++) found_n += all[i].state == state;
    return found_n;
}

/* The site's own thread may be at it. */
static void merge_all(void) {
    struct err e;
    do CHECK(trace_merge(w.s, scans(), NULL, &e) == 0);
    while (runs_in_state(TRACE_WRITTEN) > 0);
}

/* ---- many in a transaction ---- */

static int many_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct record *g = record_of("gate", gate);
    (void)item;
    tx_as(tx, &actor_system, "gate_scan.create", scans(), "create");
    for (int i = 0; i < MANY; i++) {
        struct errs errs = {.a = tx->a};
        struct record *r = record_new(tx->a, scans());
        *record_val(r, "gate") = VID(g->id);
        record_set_text(r, "what", STR("person"));
        record_set_int(r, "seen_at", tx->now - i * US_PER_SECOND);
        record_set_text(r, "phone", arena_str(tx->a, str_z(phone(i))));
        TRY(tx_create(tx, r, &errs, e));
    }
    return 0;
}

static void many_pass(int groups) {
    for (int i = 0; i < groups; i++) {
        struct write_item item = {.run = many_run};
        struct err e;
        CHECK(writer_run(w.s, &item, &e) == 0);
    }
}

TEST(a_person_is_found_in_short_runs_and_in_the_long_one_they_become) {
    struct trace_run *all;
    site_with_a_gate();
    few_pass(45);
    CHECK_INT(found(phone(2)), 7);
    merge_all();
    CHECK(runs(&all) < 16 + 3);
    CHECK_INT(found(phone(2)), 7);
    CHECK_INT(found(phone(0)), 7);
    CHECK_INT(found(phone(99)), 0);
    few_pass(8);
    CHECK_INT(found(phone(0)), 9);
    world_proves_itself();
    world_close();
}

TEST(pages_of_a_history_follow_each_other_without_a_gap) {
    struct record *all, *one;
    site_with_a_gate();
    few_pass(30);
    pass_by(0, "2020-02-10T09:00:00+08:00"); /* at the same time as another one */
    merge_all();
    few_pass(9);
    struct trace t = trace_of(phone(0));
    size_t n = rows_of(&t, 100, &all);
    CHECK_INT(n, 8);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(rows_of(&t, 1, &one), 1);
        CHECK(id_eq(one->id, all[i].id));
        t.before = record_int(one, "seen_at");
        t.before_id = one->id;
    }
    CHECK_INT(rows_of(&t, 1, &one), 0);
    world_close();
}

TEST(a_run_of_many_slices_takes_the_place_of_the_others) {
    struct trace_run *all;
    site_with_a_gate();
    many_pass(GROUPS);
    merge_all();
    size_t n = runs(&all);
    CHECK(n < 16);
    int64_t entries = 0;
    for (size_t i = 0; i < n; i++) entries += all[i].n;
    CHECK_INT(entries, MANY * GROUPS);
    CHECK(runs_in_state(TRACE_WHOLE) == n);
    CHECK_INT(found(phone(MANY - 1)), GROUPS);
    world_proves_itself();
    world_close();
}

/* ---- who was killed, and who is at it ---- */

#define UNFINISHED(state, made_at)                                                                                                                              \
    "INSERT INTO trace_run SELECT site, kind, 1, run, n, 63, seen_from, seen_to, made_at " made_at ", " state ", U'00112233445566778899aabbccddeeff' FROM trace_run WHERE run = " \
    "(SELECT max(run) FROM trace_run); INSERT INTO trace_part SELECT site, kind, 1, run, 0, entries FROM trace_part WHERE level = 0 AND run = (SELECT max(run) FROM trace_run)"

TEST(what_a_killed_process_left_is_taken_away_and_was_never_read) {
    static const char *const left[] = {UNFINISHED("1", "- 40000000"), UNFINISHED("2", "")};
    site_with_a_gate();
    for (size_t i = 0; i < COUNT(left); i++) {
        few_pass(7);
        tamper(left[i]);
        CHECK_INT(runs_in_state(TRACE_WHOLE), 7 * (i + 1));
        CHECK_INT(found(phone(2)), i + 1);
        merge_all();
        CHECK_INT(runs_in_state(TRACE_WRITTEN) + runs_in_state(TRACE_OVER), 0);
        CHECK_INT(found(phone(2)), i + 1);
        world_proves_itself();
    }
    world_close();
}

TEST(while_another_process_writes_a_run_nothing_is_touched) {
    struct err e;
    site_with_a_gate();
    few_pass(12);
    tamper(UNFINISHED("1", "- 1000000"));
    few_pass(12);
    CHECK(trace_merge(w.s, scans(), NULL, &e) == 0);
    CHECK_INT(runs_in_state(TRACE_WHOLE), 24);
    CHECK_INT(runs_in_state(TRACE_WRITTEN), 1);
    CHECK_INT(found(phone(1)), 4);
    world_close();
}

static void *merge_there(void *arg) {
    struct err e;
    CHECK(trace_merge(arg, scans(), NULL, &e) == 0);
    return NULL;
}

TEST(two_processes_that_merge_at_once_lose_nothing_and_double_nothing) {
    struct site *other;
    struct err e;
    pthread_t there;
    site_with_a_gate();
    CHECK(site_open(w.s->dir, &other, &e) == 0);
    other->clock = w.s->clock;
    for (int i = 0; i < 3; i++) {
        many_pass(17);
        CHECK(pthread_create(&there, NULL, merge_there, other) == 0);
        merge_all();
        CHECK(pthread_join(there, NULL) == 0);
    }
    CHECK_INT(found(phone(5)), 3 * 17);
    world_proves_itself();
    site_close(other);
    world_close();
}

/* ---- days ---- */

TEST(a_day_that_is_over_is_one_run_and_ends_with_its_rows) {
    struct trace_run *all;
    int64_t n;
    struct err e;
    site_with_a_gate();
    few_pass(40);
    world_clock("2020-02-11 12:00");
    merge_all();
    CHECK_INT(runs(&all), 1);
    pass_by(2, "2020-02-11T11:00:00+08:00");
    CHECK_INT(found(phone(2)), 7);
    world_clock("2020-02-12 12:00");
    merge_all();
    CHECK_INT(runs(&all), 2);
    world_proves_itself();
    world_clock("2020-03-10 11:00"); /* the rows of the first day have had their 28 days */
    CHECK(retention_run(w.s, &n, &e) == 0);
    CHECK_INT(runs(&all), 1);
    CHECK_INT(found(phone(2)), 1);
    world_proves_itself();
    world_clock("2020-03-12 13:00");
    CHECK(retention_run(w.s, &n, &e) == 0);
    CHECK_INT(runs(&all), 0);
    world_proves_itself();
    world_close();
}

/* ---- from the rows ---- */

TEST(traces_are_made_again_from_the_rows) {
    struct trace_run *all;
    site_with_a_gate();
    few_pass(20);
    pass_by(3, "2020-02-10T11:11:00+08:00");
    site_close(w.s);
    world_open();
    tamper("DELETE FROM trace_part; DELETE FROM trace_run; "
           "INSERT INTO setting (site, name, value) SELECT site, 'untraced.gate_scan', '1' FROM setting WHERE name = 'site'");
    CHECK_INT(found(phone(3)), 0);
    site_close(w.s);
    world_open();
    CHECK_INT(runs(&all), 1);
    CHECK_INT(found(phone(3)), 4);
    world_proves_itself();
    few_pass(20);
    merge_all();
    CHECK_INT(found(phone(3)), 7);
    world_proves_itself();
    world_close();
}
