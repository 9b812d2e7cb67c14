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
