/* Where a value was used is never answered wrongly, and of the last minutes nothing is asked. */
#include "core/used.h"
#include "unit.h"

enum { SPAN = 1000, STEP = SPAN / 5 + 1 };
static const uint64_t north = 1, south = 2, west = 3;

static struct used *started(int64_t since) {
    struct used *u = used_new(SPAN, 1 << 20);
    used_start(u, since);
    return u;
}

static uint64_t gate(int n) {
    return UINT64_C(1) << 40 | (uint64_t)n;
}

TEST(nothing_is_known_before_it_starts_and_of_the_time_before_it) {
    struct used *u = used_new(SPAN, 1 << 20);
    CHECK(!used_started(u));
    used_add(u, 1, north, 500, 500);
    CHECK_INT(used_mark(u), 0);
    CHECK_INT(used_elsewhere(u, 1, south, 400, 600), USED_ASK);
    used_start(u, 450);
    CHECK(used_started(u));
    CHECK_INT(used_elsewhere(u, 1, south, 449, 600), USED_ASK);
    CHECK_INT(used_elsewhere(u, 1, south, 450, 600), USED_NOT);
    used_add(u, 1, north, 500, 500);
    CHECK_INT(used_elsewhere(u, 1, south, 100, 600), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, north, 449, 600), USED_ASK);
    used_start(u, 450);
    CHECK_INT(used_elsewhere(u, 1, south, 450, 600), USED_NOT);
    used_free(u);
    used_free(NULL);
}

TEST(what_was_used_elsewhere_in_the_time_is_known) {
    struct used *u = started(0);
    used_add(u, 1, north, 500, 500);
    CHECK_INT(used_elsewhere(u, 1, south, 499, 500), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, 0, 499, 500), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, north, 499, 500), USED_NOT);
    CHECK_INT(used_elsewhere(u, 1, south, 500, 600), USED_NOT);
    CHECK_INT(used_elsewhere(u, 1, south, 400, 499), USED_NOT);
    CHECK_INT(used_elsewhere(u, 2, south, 400, 600), USED_NOT);
    used_add(u, 1, south, 510, 510);
    CHECK_INT(used_elsewhere(u, 1, north, 400, 600), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, south, 400, 600), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, south, 505, 600), USED_NOT);
    used_free(u);
}

TEST(what_is_sent_up_late_or_seen_ahead_of_the_clock_is_known_too) {
    struct used *u = started(-5000);
    used_add(u, 1, north, 900, 500);
    used_add(u, 1, south, -700, 510);
    CHECK_INT(used_elsewhere(u, 1, north, -800, 899), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, south, -800, 899), USED_NOT);
    CHECK_INT(used_elsewhere(u, 1, south, -800, 900), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, north, -700, 900), USED_NOT);
    used_free(u);
}

TEST(the_same_use_again_is_one) {
    struct used *u = started(0);
    used_add(u, 1, north, 500, 500);
    used_keep(u);
    used_add(u, 1, north, 500, 500 + 2 * STEP);
    CHECK_INT(used_mark(u), 0);
    used_add(u, 1, south, 500, 500 + 2 * STEP);
    CHECK_INT(used_mark(u), 1);
    used_undo(u, 0);
    CHECK_INT(used_elsewhere(u, 1, south, 400, 600), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, north, 400, 600), USED_NOT);
    used_free(u);
}

TEST(what_is_older_than_the_span_is_asked_about_and_nothing_younger) {
    struct used *u = started(0);
    for (int t = 10; t < 8 * SPAN; t += 10) {
        used_add(u, (uint64_t)t, north, t, t);
        CHECK_INT(used_elsewhere(u, 1, south, MAX(t - SPAN, 0), t), USED_NOT);
        CHECK_INT(used_elsewhere(u, (uint64_t)MAX(t - SPAN, 0) + 10, south, MAX(t - SPAN, 0), t), USED_ELSEWHERE);
        int64_t long_ago = t - 2 * SPAN;
        if (long_ago > 10) CHECK_INT(used_elsewhere(u, 10, south, 0, t), USED_ASK);
        if (long_ago > 10) CHECK_INT(used_elsewhere(u, 1, south, long_ago, t), USED_ASK);
    }
    used_free(u);
}

TEST(what_was_seen_ahead_of_the_clock_is_taken_along) {
    struct used *u = started(0);
    used_add(u, 1, north, 100 + 5 * SPAN, 100);
    used_add(u, 2, north, 100, 100);
    for (int t = 100; t < 6 * SPAN; t += STEP) used_add(u, 3, north, t, t);
    CHECK_INT(used_elsewhere(u, 1, south, 5 * SPAN, 6 * SPAN), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 2, south, 0, 6 * SPAN), USED_ASK);
    CHECK_INT(used_elsewhere(u, 2, south, 5 * SPAN, 6 * SPAN), USED_NOT);
    for (int t = 6 * SPAN; t < 8 * SPAN; t += STEP) used_add(u, 3, north, t, t);
    CHECK_INT(used_elsewhere(u, 1, south, 5 * SPAN, 6 * SPAN), USED_ASK);
    used_free(u);
}

TEST(a_clock_set_back_loses_nothing_and_holds_nothing_up) {
    struct used *u = started(0);
    for (int t = 100 * SPAN; t < 101 * SPAN; t += 50) used_add(u, (uint64_t)t, north, t, t);
    for (int t = 10 * SPAN; t < 13 * SPAN; t += 50) used_add(u, (uint64_t)t, north, t, t);
    for (int t = 100 * SPAN; t < 101 * SPAN; t += 50) CHECK_INT(used_elsewhere(u, (uint64_t)t, south, t - 1, t), USED_ELSEWHERE);
    CHECK_INT(used_elsewhere(u, 1, south, 12 * SPAN, 13 * SPAN), USED_NOT);
    CHECK_INT(used_elsewhere(u, 10 * SPAN, south, 10 * SPAN - 1, 13 * SPAN), USED_ASK);
    used_free(u);
}

TEST(a_time_too_far_away_to_be_kept_is_asked_about) {
    int64_t now = INT64_C(1700000000000000), far = INT64_C(400) * 86400 * 1000000;
    struct used *u = started(now - far / 2);
    used_add(u, 1, north, now, now);
    used_add(u, 2, north, now - far, now);
    CHECK_INT(used_elsewhere(u, 2, south, now - far - 1, now), USED_ASK);
    CHECK_INT(used_elsewhere(u, 2, south, now - 10, now), USED_NOT);
    used_add(u, 3, north, now + far, now);
    CHECK_INT(used_mark(u), 1);
    CHECK_INT(used_elsewhere(u, 3, south, now + far - 1, now + far), USED_ASK);
    CHECK_INT(used_elsewhere(u, 3, south, now + far, now + 2 * far), USED_NOT);
    used_free(u);
}

TEST(it_goes_on_for_years) {
    int64_t year = INT64_C(365) * 86400 * 1000000, now = 0;
    struct used *u = started(-SPAN);
    for (; now < 5 * year; now += year / 20) {
        used_add(u, 1, north, now, now);
        CHECK_INT(used_elsewhere(u, 1, south, now - SPAN, now), USED_ELSEWHERE);
        CHECK_INT(used_elsewhere(u, 1, north, now - SPAN, now), USED_NOT);
    }
    used_free(u);
}

/* A million gates is more than there are numbers for. */
TEST(of_too_many_places_some_are_asked_about) {
    struct used *u = started(0);
    int most = (1 << 20) - 1;
    for (int i = 0; i < most; i++) used_add(u, (uint64_t)i, gate(i), 500, 500);
    CHECK_INT(used_elsewhere(u, (uint64_t)most - 1, gate(most - 1), 400, 600), USED_NOT);
    for (int seen = 500; seen < 502; seen++) {
        used_add(u, 0, gate(most), seen, 500);
        CHECK_INT(used_since(u), seen);
        CHECK_INT(used_elsewhere(u, 0, gate(0), seen - 1, seen), USED_ASK);
    }
    CHECK_INT(used_elsewhere(u, 1, gate(most), 400, 600), USED_ELSEWHERE);
    used_free(u);
}

/* ---- what may be undone ---- */

TEST(what_is_undone_was_never_used) {
    struct used *u = started(0);
    used_add(u, 1, north, 500, 500);
    size_t mark = used_mark(u);
    used_add(u, 2, north, 500, 500);
    used_add(u, 1, west, 510, 510);
    used_undo(u, mark);
    CHECK_INT(used_mark(u), mark);
    CHECK_INT(used_elsewhere(u, 2, south, 400, 600), USED_NOT);
    CHECK_INT(used_elsewhere(u, 1, north, 400, 600), USED_NOT);
    CHECK_INT(used_elsewhere(u, 1, south, 400, 600), USED_ELSEWHERE);
    used_keep(u);
    CHECK_INT(used_mark(u), 0);
    used_undo(u, 0);
    CHECK_INT(used_elsewhere(u, 1, south, 400, 600), USED_ELSEWHERE);
    used_add(u, 1, west, 510, 510);
    used_start(u, 0);
    used_undo(u, 0);
    CHECK_INT(used_mark(u), 0);
    used_free(u);
}

/* So far apart that some meet in a table. */
static uint64_t value(int n) {
    return (uint64_t)n * UINT64_C(0x9E3779B97F4A7C15);
}

static int many_elsewhere(const struct used *u, int first, int end, int64_t at) {
    int n = 0;
    for (int i = first; i < end; i++) n += used_elsewhere(u, value(i), south, at - 10, at) == USED_ELSEWHERE;
    return n;
}

TEST(what_is_undone_is_found_however_much_was_added_since) {
    struct used *u = started(0);
    for (int i = 0; i < 10000; i++) used_add(u, value(i), i % 2 ? north : west, 500, 500);
    used_keep(u);
    for (int i = 10000; i < 40000; i++) used_add(u, value(i), gate(i), 500, 500);
    CHECK_INT(many_elsewhere(u, 0, 40000, 500), 40000);
    used_undo(u, 20000);
    CHECK_INT(many_elsewhere(u, 0, 30000, 500), 30000);
    CHECK_INT(many_elsewhere(u, 30000, 40000, 500), 0);
    used_undo(u, 0);
    CHECK_INT(many_elsewhere(u, 0, 10000, 500), 10000);
    CHECK_INT(many_elsewhere(u, 10000, 40000, 500), 0);
    used_free(u);
}

TEST(what_is_undone_is_found_in_any_generation) {
    struct used *u = started(0);
    int ahead = 500 + 3 * SPAN;
    for (int i = 0; i < 100; i++) used_add(u, value(i), north, ahead, 500);
    used_keep(u);
    for (int i = 100; i < 200; i++) used_add(u, value(i), north, ahead, 500);
    for (int i = 200; i < 300; i++) used_add(u, value(i), north, 500, 500);
    for (int t = 500; t < 500 + 2 * SPAN; t += STEP) used_add(u, 1000, north, t, t);
    CHECK_INT(many_elsewhere(u, 0, 200, ahead), 200);
    used_undo(u, 0);
    CHECK_INT(many_elsewhere(u, 0, 200, ahead), 100);
    CHECK_INT(many_elsewhere(u, 100, 200, ahead), 0);
    CHECK_INT(used_elsewhere(u, value(200), south, 499, 500), USED_ASK);
    used_free(u);
}

/* ---- against a list of all ---- */

struct entry {
    uint64_t value;
    int place;
    int64_t seen;
};
enum { VALUES = 100 };
static struct entry all[5000];
static size_t all_n;
static uint64_t dice = 42;

static int roll(int sides) {
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((dice >> 33) % (uint64_t)sides);
}

static bool listed(const struct entry *x) {
    for (size_t i = 0; i < all_n; i++)
        if (all[i].value == x->value && all[i].seen == x->seen && all[i].place == x->place) return true;
    return false;
}

static enum used_answer truth(uint64_t value, int here, int64_t from, int64_t at) {
    for (size_t i = 0; i < all_n; i++)
        if (all[i].value == value && all[i].seen > from && all[i].seen <= at && all[i].place != here) return USED_ELSEWHERE;
    return USED_NOT;
}

struct walk {
    struct used *u;
    int64_t now, latest, since;
    size_t kept, mark, listed; /* so many of the list stay; a mark, and how many were on the list then */
    int asked, not, elsewhere;
};

static void move_clock(struct walk *w) {
    int how = roll(400);
    if (how < 100) w->now += roll(8);
    else if (how == 100) w->now += roll(3 * SPAN);
    else if (how == 101) w->now -= roll(SPAN / 2);
    w->latest = MAX(w->latest, w->now);
}

static void add_some(struct walk *w) {
    int far = roll(20);
    int64_t seen = w->now - roll(30);
    if (far == 0) seen += roll(3 * SPAN / 2);
    if (far == 1) seen -= roll(3 * SPAN / 2);
    struct entry x = {(uint64_t)roll(VALUES), 1 + roll(4), MAX(seen, w->since + 1)};
    used_add(w->u, x.value, gate(x.place), x.seen, w->now);
    if (!listed(&x)) all[all_n++] = x;
}

static void keep_or_undo(struct walk *w) {
    int how = roll(40);
    if (how < 3) {
        used_keep(w->u);
        w->kept = all_n;
    } else if (how == 3) {
        used_undo(w->u, 0);
        all_n = w->kept;
    } else if (how < 12) {
        used_undo(w->u, w->mark);
        all_n = w->listed;
    }
    if (how >= 12 && how < 37) return;
    w->mark = used_mark(w->u);
    w->listed = all_n;
}

static void ask(struct walk *w) {
    uint64_t value = (uint64_t)roll(VALUES + 2);
    int here = 1 + roll(4);
    int64_t from = w->latest - SPAN + roll(SPAN), at = from + roll(SPAN);
    bool recent = roll(4) > 0;
    if (!recent) from -= roll(2 * SPAN);
    enum used_answer is = used_elsewhere(w->u, value, gate(here), from, at), right = truth(value, here, from, at);
    if (is != USED_ASK) CHECK_INT(is, right);
    else CHECK(!recent || from < w->since);
    w->asked += is == USED_ASK;
    w->not += is == USED_NOT;
    w->elsewhere += is == USED_ELSEWHERE;
}

static void start_again(struct walk *w) {
    w->since = w->now - SPAN;
    used_start(w->u, w->since);
    all_n = w->kept = w->mark = w->listed = 0;
}

static void walk(struct walk *w, int steps) {
    w->u = used_new(SPAN, 1 << 20);
    for (int i = 0; i < steps; i++) {
        if ((size_t)i % COUNT(all) == 0) start_again(w);
        move_clock(w);
        if (roll(3)) add_some(w);
        keep_or_undo(w);
        for (int k = 0; k < 4; k++) ask(w);
    }
    CHECK(w->not > steps / 4 && w->elsewhere > steps / 4);
    used_free(w->u);
}

TEST(every_answer_is_that_of_a_list_of_all_uses) {
    struct walk w = {.now = 1000000, .latest = 1000000};
    walk(&w, 20000);
    CHECK(w.asked < w.not);
}

TEST(of_more_than_there_is_room_for_the_oldest_are_let_go) {
    struct used *u = used_new(SPAN, 1000);
    int64_t since = 0;
    used_start(u, 0);
    for (int i = 1; i <= 5000; i++) {
        used_add(u, (uint64_t)i, i % 2 ? north : south, i * STEP / 1000, i * STEP / 1000);
        CHECK(used_since(u) >= since);
        since = used_since(u);
    }
    CHECK(since > 3000 * STEP / 1000 && since < 5000 * STEP / 1000);
    for (int i = 1; i <= 5000; i++) {
        int64_t seen = i * STEP / 1000;
        CHECK_INT(used_elsewhere(u, (uint64_t)i, north, MAX(seen - 1, since), 5 * STEP), seen <= since ? USED_NOT : i % 2 ? USED_NOT : USED_ELSEWHERE);
        if (seen <= since) CHECK(used_elsewhere(u, (uint64_t)i, north, seen - 1, seen) != USED_NOT);
    }
    used_free(u);
}
