/* What was used lately is never forgotten too early, and mostly nothing else is asked about. */
#include "core/lately.h"
#include "unit.h"

static uint64_t value(int n) {
    return (uint64_t)n * UINT64_C(0x9E3779B97F4A7C15);
}

static int asked(const struct lately *l, int from_value, int to_value, int64_t from) {
    int n = 0;
    for (int i = from_value; i < to_value; i++) n += lately_may(l, value(i), from);
    return n;
}

TEST(nothing_is_known_before_it_starts_and_of_the_time_before_it) {
    struct lately *l = lately_new(64);
    lately_add(l, value(1), 100);
    CHECK(!lately_started(l) && lately_may(l, value(2), 1000));
    lately_start(l, 100);
    CHECK(lately_started(l));
    CHECK(lately_may(l, value(2), 99));
    CHECK(!lately_may(l, value(2), 100));
    lately_free(l);
}

TEST(what_was_added_is_asked_about_and_little_else) {
    struct lately *l = lately_new(1 << 16);
    lately_start(l, 0);
    for (int i = 0; i < 1 << 16; i++) lately_add(l, value(i), 10);
    CHECK_INT(asked(l, 0, 1 << 16, 5), 1 << 16);
    int others = asked(l, 1 << 16, 1 << 17, 5);
    CHECK(others < 1 << 12); /* 2 to 3 of a hundred by the formula */
    lately_free(l);
}

/* The older set is dropped when the newer one is full: of its time nothing is known then, and of what is younger everything. */
TEST(what_is_dropped_is_asked_about_by_its_time) {
    struct lately *l = lately_new(64);
    lately_start(l, 0);
    for (int i = 0; i < 64; i++) lately_add(l, value(i), i == 7 ? 1000 : 10);
    for (int i = 64; i < 128; i++) lately_add(l, value(i), 20);
    CHECK_INT(asked(l, 0, 128, 5), 128);
    lately_add(l, value(128), 1001);
    CHECK(lately_may(l, value(500), 999)); /* one of those that are gone was seen then */
    CHECK_INT(asked(l, 64, 129, 1000), 65);
    CHECK(asked(l, 1000, 1100, 1000) < 50);
    lately_start(l, 2000);
    CHECK(lately_may(l, value(500), 1999) && !lately_may(l, value(128), 2000));
    lately_free(l);
}

/* ---- where ---- */

static const struct id north = {{1}}, south = {{2}}, west = {{3}};

/* 1, 0, or -1: look. */
static int elsewhere(const struct lately *l, uint64_t v, struct id here, int64_t from, int64_t at) {
    bool is = false;
    return lately_elsewhere(l, v, here, from, at, &is) ? is : -1;
}

TEST(where_it_was_seen_is_known_of_what_was_seen_since_it_started) {
    struct lately *l = lately_new(64);
    lately_start(l, 100);
    CHECK_INT(elsewhere(l, value(1), north, 200, 320), 0);
    CHECK_INT(elsewhere(l, value(1), north, 99, 219), -1);
    lately_add_at(l, value(1), north, 320);
    CHECK_INT(lately_newest(l), 320);
    CHECK_INT(elsewhere(l, value(1), north, 300, 330), 0);
    CHECK_INT(elsewhere(l, value(1), south, 300, 330), 1);
    CHECK_INT(elsewhere(l, value(1), south, 320, 440), 0); /* longer ago */
    CHECK_INT(elsewhere(l, value(1), south, 90, 330), -1); /* what was before it started is not known */
    lately_add_at(l, value(1), south, 330);
    CHECK_INT(elsewhere(l, value(1), south, 310, 340), 1);
    CHECK_INT(elsewhere(l, value(1), south, 325, 340), 0);
    CHECK_INT(elsewhere(l, value(1), west, 325, 340), 1);
    CHECK_INT(elsewhere(l, value(1), west, 200, 325), -1); /* sent up late */
    lately_free(l);
}

TEST(what_is_sent_up_late_is_kept_in_mind_where_it_matters) {
    struct lately *l = lately_new(64);
    lately_start(l, 0);
    lately_add_at(l, value(1), north, 500);
    lately_add_at(l, value(1), south, 450);
    CHECK_INT(elsewhere(l, value(1), north, 400, 510), 1);
    CHECK_INT(elsewhere(l, value(1), north, 450, 510), 0);
    lately_add_at(l, value(1), north, 480);
    CHECK_INT(elsewhere(l, value(1), north, 450, 510), 0);
    lately_add_at(l, value(1), west, 500);
    CHECK_INT(elsewhere(l, value(1), west, 490, 510), 1);
    CHECK_INT(elsewhere(l, value(1), north, 490, 510), 1);
    lately_free(l);
}

TEST(what_was_looked_up_is_known_from_then_on) {
    struct lately *l = lately_new(64);
    lately_start(l, 1000);
    CHECK_INT(elsewhere(l, value(1), north, 900, 1020), -1);
    lately_know(l, value(1), 900);
    lately_add_at(l, value(1), south, 950);
    lately_add_at(l, value(1), north, 1020);
    CHECK_INT(elsewhere(l, value(1), north, 910, 1030), 1);
    CHECK_INT(elsewhere(l, value(1), north, 950, 1070), 0);
    CHECK_INT(elsewhere(l, value(1), north, 899, 1019), -1);
    lately_know(l, value(2), 900);
    CHECK_INT(elsewhere(l, value(2), north, 900, 1020), 0);
    lately_free(l);
}

TEST(what_may_have_been_undone_is_looked_up_again) {
    struct lately *l = lately_new(64);
    lately_start(l, 0);
    int64_t added = lately_added(l);
    lately_add_at(l, value(1), north, 500);
    CHECK(lately_added(l) > added);
    lately_doubt(l);
    CHECK_INT(elsewhere(l, value(1), south, 400, 510), -1);
    lately_add_at(l, value(1), south, 510);
    CHECK_INT(elsewhere(l, value(1), south, 400, 520), -1);
    lately_know(l, value(1), 400);
    CHECK_INT(elsewhere(l, value(1), south, 400, 520), 0);
    lately_start(l, 600);
    CHECK_INT(elsewhere(l, value(1), south, 590, 620), -1);
    CHECK_INT(elsewhere(l, value(1), south, 600, 620), 0);
    lately_free(l);
}

/* More than there is room for: some are looked up, none is answered wrongly. */
TEST(of_too_many_places_some_are_looked_up) {
    struct lately *l = lately_new(LATELY_MOST);
    int said[3] = {0};
    lately_start(l, 0);
    for (int i = 0; i < 2 * LATELY_PLACES; i++) lately_add_at(l, value(i), i % 2 ? north : south, 500 + i);
    for (int i = 0; i < 2 * LATELY_PLACES; i++) {
        int is = elsewhere(l, value(i), south, 400, 500 + 2 * LATELY_PLACES);
        CHECK(is == -1 || is == i % 2);
        said[is + 1]++;
    }
    CHECK(said[0] >= LATELY_PLACES && said[1] > LATELY_PLACES / 3 && said[2] > LATELY_PLACES / 3);
    lately_free(l);
}
