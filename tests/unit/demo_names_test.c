#include "cli/demo_names.h"

#include "base/utf8.h"
#include "text/text.h"
#include "unit.h"

static struct names *names_of(uint64_t seed) {
    static struct names n;
    memset(&n, 0, sizeof n);
    n.chance = chance_of(seed);
    return &n;
}

TEST(an_invented_identity_number_is_valid_and_of_no_region) {
    struct names *n = names_of(7);
    struct arena a = {0};
    for (int i = 0; i < 2000; i++) {
        day_t on = day_make(1930 + i % 90, 1 + i % 12, 1 + i % 28), birth;
        bool male;
        struct person p = names_person(n, &a, SURNAME_ANY, i % 2, on);
        CHECK(text_id_number(p.id_number, &birth, &male));
        CHECK(str_starts(p.id_number, STR("990000")));
        CHECK_INT(birth, on);
        CHECK_INT(male, i % 2);
    }
    arena_release(&a);
}

static int by_text(const void *x, const void *y) {
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

TEST(no_two_people_share_an_identity_number_or_a_phone) {
    enum { PEOPLE = 4000 };
    struct names *n = names_of(1);
    struct arena a = {0};
    struct str *numbers = arena_new(&a, struct str, PEOPLE), *phones = arena_new(&a, struct str, PEOPLE);
    for (int i = 0; i < PEOPLE; i++) {
        struct person p = names_person(n, &a, SURNAME_ANY, i % 3 == 0, day_make(1980, 5, 1 + i % 20));
        numbers[i] = p.id_number;
        phones[i] = p.phone;
        CHECK_INT(p.phone.n, 11);
    }
    qsort(numbers, PEOPLE, sizeof *numbers, by_text);
    qsort(phones, PEOPLE, sizeof *phones, by_text);
    for (int i = 1; i < PEOPLE; i++) CHECK(!str_eq(numbers[i - 1], numbers[i]) && !str_eq(phones[i - 1], phones[i]));
    arena_release(&a);
}

TEST(names_have_two_to_four_characters_and_a_known_surname) {
    struct names *n = names_of(3);
    struct arena a = {0};
    int wang = 0;
    for (int i = 0; i < 3000; i++) {
        struct person p = names_adult(n, &a, day_make(2020, 2, 10));
        size_t length = utf8_length(p.name);
        CHECK(length >= 2 && length <= 4);
        CHECK(names_surname_of(p.name) >= 0);
        CHECK(p.birth <= day_make(1998, 3, 1) && p.birth >= day_make(1960, 1, 1));
        wang += str_starts(p.name, STR("王"));
    }
    CHECK(wang > 100 && wang < 500);
    arena_release(&a);
}

TEST(plates_are_plates_of_no_city) {
    struct names *n = names_of(5);
    struct arena a = {0};
    for (int i = 0; i < 500; i++) {
        struct str plate = names_plate(n, &a), read;
        CHECK(text_plate(&a, plate, &read));
        CHECK_INT(plate.p[3], 'Z');
    }
    arena_release(&a);
}

TEST(the_same_seed_makes_the_same_people) {
    struct arena a = {0};
    struct person p[2], other;
    for (int i = 0; i < 2; i++) p[i] = names_adult(names_of(11), &a, day_make(2020, 2, 10));
    other = names_adult(names_of(12), &a, day_make(2020, 2, 10));
    CHECK(str_eq(p[0].name, p[1].name) && str_eq(p[0].id_number, p[1].id_number));
    CHECK(!str_eq(p[0].id_number, other.id_number));
    arena_release(&a);
}

TEST(chance_is_spread_over_its_range) {
    struct chance c = chance_of(1);
    static const uint16_t weights[] = {0, 3, 1};
    int seen[3] = {0};
    for (int i = 0; i < 4000; i++) seen[chance_weighted(&c, weights, 3)]++;
    CHECK(seen[0] == 0 && seen[1] > 2800 && seen[1] < 3200);
    for (int i = 0; i < 100; i++) CHECK(chance_between(&c, -2, 2) >= -2 && chance_between(&c, -2, 2) <= 2);
    CHECK_INT(chance_between(&c, 4, 4), 4);
}

TEST(places_of_a_level_have_names_of_their_own) {
    struct arena a = {0};
    struct str seen[300];
    for (size_t i = 0; i < COUNT(seen); i++) {
        seen[i] = names_place(&a, "village", i);
        for (size_t j = 0; j < i; j++) CHECK(!str_eq(seen[i], seen[j]));
    }
    CHECK_STR(names_place(&a, "building", 2), "3号楼");
    CHECK(str_ends(names_place(&a, "community", 0), STR("社区")));
    arena_release(&a);
}
