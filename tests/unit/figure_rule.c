/* What a record adds to a figure, without a database. */
#include "figure_world.h"

static struct arena memory;
static struct tz *tz;

static void start(void) {
    world_start();
    tz = tz_open("Asia/Shanghai");
}

static struct record *post(const char *type, const char *since, const char *until) {
    struct record *r = record_new(&memory, &world_post);
    r->path = STR("001002003");
    if (type) r->v[TYPE] = VTEXTZ(type);
    if (since) r->v[SINCE] = VTEXTZ(since);
    if (until) r->v[UNTIL] = VTEXTZ(until);
    return r;
}

static bool counts(const char *figure, const struct record *r, struct counts *c) {
    return rule_counts(rule_named(str_z(figure)), tz, r, c);
}

static bool counted(const char *figure, const struct record *r) {
    struct counts c;
    return counts(figure, r, &c);
}

static struct str cut_of(const char *figure, const struct record *r) {
    char *text = arena_alloc(&memory, CUT_TEXT);
    return (struct str){text, rule_cut(rule_named(str_z(figure)), r, text)};
}

static day_t day(const char *iso) {
    day_t d;
    CHECK(day_from_iso(str_z(iso), &d));
    return d;
}

TEST(a_stock_counts_from_its_first_day_until_its_last) {
    start();
    struct counts c;
    CHECK(counts("posts", post("gate", "2020-02-01", "2020-02-05"), &c));
    CHECK(c.on == day("2020-02-01") && c.until == day("2020-02-05") && c.amount == 1);
    CHECK(counts("posts", post("gate", NULL, NULL), &c));
    CHECK(c.on == DAY_NONE && c.until == DAY_NONE);
    CHECK(counts("posts", post("gate", NULL, "2020-02-05"), &c));
    CHECK(c.on == DAY_NONE && c.until == day("2020-02-05"));
    CHECK(!counted("posts", post("gate", "2020-02-05", "2020-02-05")));
    CHECK(!counted("posts", post("gate", "2020-02-05", "2020-02-04")));
}

TEST(a_flow_without_its_day_and_a_removed_record_count_nowhere) {
    start();
    struct record *r = post("gate", NULL, NULL);
    r->v[PLACE] = VTEXTZ("village");
    CHECK(!counted("begun", r));
    r->v[SINCE] = VTEXTZ("2020-02-01");
    CHECK(counted("begun", r));
    r->removed = true;
    CHECK(!counted("begun", r) && !counted("posts", r));
}

TEST(a_time_falls_on_the_local_day) {
    start();
    struct record *r = record_new(&memory, &world_scan);
    struct counts c;
    r->v[PERSONS] = VINT(3);
    r->v[SEEN_AT] = VINT(tz_start(tz, day("2020-02-10"), 0));
    CHECK(counts("persons", r, &c));
    CHECK(c.on == day("2020-02-10") && c.amount == 3);
    r->v[SEEN_AT].i--;
    CHECK(counts("persons", r, &c));
    CHECK(c.on == day("2020-02-09"));
    r->v[PERSONS] = VINT(0);
    CHECK(!counted("persons", r));
    r->v[PERSONS] = VNULL;
    CHECK(!counted("persons", r));
}

TEST(conditions_read_codes_numbers_sets_and_gaps) {
    start();
    struct record *r = post("gate", "2020-02-01", NULL);
    CHECK(!counted("open", r));
    r->v[OPEN] = VINT(1);
    CHECK(counted("open", r));
    r->v[TYPE] = VTEXTZ("road");
    CHECK(counted("open", r));
    r->v[TYPE] = VTEXTZ("port");
    CHECK(!counted("open", r));
    CHECK(!counted("tagged", r));
    r->v[TAGS] = VTEXTZ("rain night");
    CHECK(counted("tagged", r));
    r->v[PLACE] = VTEXTZ("village");
    CHECK(!counted("tagged", r));
    r->v[PLACE] = VTEXTZ("quarter");
    CHECK(counted("tagged", r));
    r->v[NOTE] = VTEXTZ("x");
    CHECK(!counted("tagged", r));
    r->v[NOTE] = VTEXTZ("");
    CHECK(counted("tagged", r));
    r->v[TAGS] = VTEXTZ("rain");
    CHECK(!counted("tagged", r));

    r = record_new(&memory, &world_scan);
    r->v[SEEN_AT] = VINT(tz_start(tz, day("2020-02-10"), 0));
    CHECK(!counted("febrile", r));
    r->v[TEMPERATURE] = VREAL(37.3);
    CHECK(counted("febrile", r));
    r->v[TEMPERATURE] = VREAL(37.2);
    CHECK(!counted("febrile", r));
    r->v[TEMPERATURE] = VREAL(43);
    CHECK(!counted("febrile", r));
}

TEST(a_cut_names_what_is_filled_in_and_nothing_else) {
    start();
    struct record *r = post("gate", "2020-02-01", NULL);
    CHECK_STR(cut_of("posts", r), "type=gate");
    r->v[PLACE] = VTEXTZ("village");
    CHECK_STR(cut_of("posts", r), "type=gate;at=village");
    CHECK_STR(cut_of("gates", r), "at=village");
    r->v[TYPE] = VNULL;
    CHECK_STR(cut_of("posts", r), "at=village");
    CHECK_STR(cut_of("tagged", r), "");
    r->v[OPEN] = VINT(0);
    CHECK_STR(cut_of("open", r), "open=false");
    r = record_new(&memory, &world_scan);
    memset(r->v[POST].id.b, 0xab, 16);
    r->v[POST].type = V_ID;
    CHECK_STR(cut_of("scans_by_post", r), "post=abababab-abab-abab-abab-abababababab");
}

TEST(a_text_in_a_cut_cannot_pretend_to_be_two) {
    start();
    struct record *r = record_new(&memory, &world_scan);
    r->v[ORIGIN] = VTEXTZ("武汉;what=person,\n孝感");
    CHECK_STR(cut_of("persons", r), "origin=武汉；what=person， 孝感");
    CHECK(!cut_holds(cut_of("persons", r), STR("what=person")));
    char text[4 * CUT_VALUE];
    memset(text, ',', sizeof text);
    r->v[ORIGIN] = VTEXT(((struct str){text, sizeof text}));
    CHECK_INT(cut_of("persons", r).n, 7 + CUT_VALUE);
    for (size_t i = 0; i + 3 <= sizeof text; i += 3) memcpy(text + i, "汉", 3);
    CHECK_INT(cut_of("persons", r).n, 7 + CUT_VALUE);
}

TEST(dims_are_read_in_every_way_they_are_written) {
    start();
    struct err e;
    struct str cut;
    struct figure_query q = ask("posts", STR("001"), "2020-02-01", "2020-02-01");
    CHECK(dims_parse(&memory, STR(""), &q, &e) == 0 && q.n == 0);
    CHECK(dims_parse(&memory, STR(" at : village ; type=gate,"), &q, &e) == 0 && q.n == 2);
    CHECK(dims_cut(&memory, &q, &cut, &e) == 0);
    CHECK_STR(cut, "type=gate;at=village");
    CHECK(dims_parse(&memory, STR("type=road"), &q, &e) == -1 && e.msg == M_DUPLICATE_FIELD);
    q.n = 0;
    CHECK(dims_parse(&memory, STR("place=village"), &q, &e) == -1);
    CHECK(e.code == ERR_INVALID && e.msg == M_NO_DIM && strcmp(e.field, "dim") == 0 && strcmp(e.arg[0], "place") == 0 && strcmp(e.arg[1], "posts") == 0);
    CHECK(dims_parse(&memory, STR("gate"), &q, &e) == -1 && e.msg == M_NO_DIM);
    CHECK(dims_parse(&memory, STR("type="), &q, &e) == -1 && e.msg == M_REQUIRED);
    CHECK(dims_parse(&memory, STR("type=a=b:c"), &q, &e) == 0);
    CHECK_STR(q.dims[0].value, "a=b:c");
}

TEST(a_ratio_knows_only_the_dims_of_both_sides) {
    start();
    struct err e;
    struct figure_query q = ask("gates_percent", STR("001"), "2020-02-01", "2020-02-01");
    CHECK(dims_parse(&memory, STR("at=village"), &q, &e) == 0);
    CHECK(dims_parse(&memory, STR("type=gate"), &q, &e) == -1 && e.msg == M_NO_DIM);
}

TEST(what_a_failed_command_counted_is_taken_back) {
    start();
    struct tally_batch *b = tally_batch_new();
    struct record *r = post("gate", "2020-02-01", NULL);
    tally_record(b, tz, r, 1);
    size_t mark = tally_batch_mark(b);
    r->v[PLACE] = VTEXTZ("village");
    for (int i = 0; i < 1000; i++) tally_record(b, tz, r, 1);
    tally_batch_undo(b, mark);
    CHECK_INT(tally_batch_mark(b), mark);
    tally_batch_undo(b, 0);
    tally_batch_start(b);
    CHECK_INT(tally_batch_mark(b), 0);
    tally_batch_free(b);
}

static struct record *gate_scan(int i) {
    struct record *r = record_new(&memory, &world_scan);
    r->path = str_z(arena_printf(&memory, "00100%d00%d00%d00%d", i % 5, i % 3, i % 4, i % 2));
    r->v[SEEN_AT] = VINT(tz_start(tz, day("2020-02-10"), i % 86400));
    r->v[WHAT] = VTEXTZ(i % 2 ? "person" : "vehicle");
    r->v[POST] = VID(((struct id){{(uint8_t)(i % 7)}}));
    r->v[PERSONS] = VINT(i % 4 + 1);
    r->v[TEMPERATURE] = VREAL(38);
    r->v[ORIGIN] = VTEXTZ(i % 3 ? "武汉" : "吉县");
    return r;
}

/* LF_TIMING=1 prints what one scan costs. */
TEST(a_hundred_thousand_scans_are_counted_in_one_batch) {
    start();
    enum { SCANS = 100000, DIFFERENT = 500 };
    struct record *r[DIFFERENT];
    for (int i = 0; i < DIFFERENT; i++) r[i] = gate_scan(i);
    struct tally_batch *b = tally_batch_new();
    int64_t began = monotonic_us();
    for (int i = 0; i < SCANS; i++) tally_record(b, tz, r[i % DIFFERENT], 1);
    int64_t us = monotonic_us() - began;
    if (getenv("LF_TIMING")) printf("tally_record: %.3f us\n", (double)us / SCANS);
    CHECK_INT(tally_batch_mark(b), SCANS * (5 + 5 + 1));
    tally_batch_free(b);
}
