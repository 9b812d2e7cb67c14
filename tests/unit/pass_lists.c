/* Lists of revoked passes and of those that are to stay at home: made, sent as changes, kept at a gate. */
#include "pass_help.h"

#define WITH_COUNTY(c)                                                                                                 \
    struct county c CLEANUP(county_close);                                                                             \
    county_open(&c)

static struct pass_list list_of(struct county *c, int64_t version, const struct id *ids, size_t n) {
    struct pass_list head = c->full[LIST_REVOKED], ret;
    head.version = version;
    CHECK(pass_list_make(&c->a, &head, ids, n, &ret, &(struct err){0}) == 0);
    return ret;
}

static struct id *many_ids(struct county *c, unsigned n, unsigned from) {
    struct id *ids = arena_new(&c->a, struct id, n);
    for (unsigned i = 0; i < n; i++) {
        ids[i] = pass_id(0);
        for (int j = 0; j < 4; j++) ids[i].b[12 + j] = (uint8_t)((from + i) >> (24 - 8 * j));
    }
    return ids;
}

static struct str signed_list(struct county *c, const struct pass_list *l) {
    struct buf to CLEANUP(buf_release) = BUF(l->hashes.n + l->removed.n + 400);
    CHECK(pass_list_write(&c->keys[KEY_NOW], l, &to, &(struct err){0}) == 0);
    return arena_str(&c->a, buf_str(&to));
}

TEST(a_list_that_was_written_is_read_and_finds_its_passes_and_no_others) {
    WITH_COUNTY(c);
    struct pass_list l;
    CHECK_INT(pass_list_read(c.set, KEYS, file_of(&c, KEY_NOW, &c.full[LIST_REVOKED]), &l), PASS_VALID);
    CHECK(l.kind == PASS_LIST_REVOKED && l.version == 7 && l.base == 0 && str_eqz(l.issuer, "jx") && l.removed.n == 0);
    CHECK(l.made_at == c.full[0].made_at && l.until_at == c.full[0].until_at && memcmp(l.salt, c.full[0].salt, 16) == 0);
    CHECK_INT((int64_t)pass_list_count(&l), 100);
    for (unsigned n = 0; n < 300; n++) CHECK(pass_list_has(&l, pass_id(n)) == (n >= 100 && n < 200));
}

TEST(an_empty_list_and_repeated_ids_are_no_trouble) {
    WITH_COUNTY(c);
    struct pass_list l = list_of(&c, 8, NULL, 0), got;
    CHECK(!pass_list_has(&l, pass_id(1)));
    CHECK_INT(pass_list_read(c.set, KEYS, signed_list(&c, &l), &got), PASS_VALID);
    CHECK_INT((int64_t)pass_list_count(&got), 0);
    l = list_of(&c, 8, (struct id[]){pass_id(3), pass_id(2), pass_id(3), pass_id(2)}, 4);
    CHECK_INT((int64_t)pass_list_count(&l), 2);
    CHECK(pass_list_has(&l, pass_id(2)) && pass_list_has(&l, pass_id(3)) && !pass_list_has(&l, pass_id(1)));
}

TEST(a_hundred_thousand_passes_take_less_than_900_kb_and_a_hundred_changes_less_than_2_kb) {
    WITH_COUNTY(c);
    const unsigned n = 100000;
    struct id *ids = many_ids(&c, n + 50, 0);
    struct pass_list before = list_of(&c, 8, ids, n), after = list_of(&c, 9, ids + 50, n), delta, got, applied;
    CHECK(pass_list_delta(&c.a, &before, &after, &delta, &(struct err){0}) == 0);
    struct str full = signed_list(&c, &before), changes = signed_list(&c, &delta);
    CHECK(full.n < 900 * 1000 && changes.n < 2 * 1000);
    CHECK_INT((int64_t)pass_list_count(&before), n);
    CHECK(pass_list_read(c.set, KEYS, full, &before) == PASS_VALID && pass_list_read(c.set, KEYS, changes, &got) == PASS_VALID);
    CHECK(pass_list_apply(&c.a, &before, &got, &applied));
    CHECK(str_eq(applied.hashes, after.hashes) && applied.version == 9 && applied.base == 0);
    CHECK(!pass_list_has(&applied, ids[49]) && pass_list_has(&applied, ids[n]) && pass_list_has(&applied, ids[50]));
    struct str again = signed_list(&c, &applied);
    CHECK(str_eq(again, signed_list(&c, &after)));
}

TEST(changes_fit_only_the_list_they_were_made_from) {
    WITH_COUNTY(c);
    struct id *ids = many_ids(&c, 20, 0);
    struct pass_list seven = list_of(&c, 7, ids, 10), eight = list_of(&c, 8, ids + 5, 10), ret;
    struct pass_list delta, other = seven;
    CHECK(pass_list_delta(&c.a, &seven, &eight, &delta, &(struct err){0}) == 0);
    CHECK(pass_list_apply(&c.a, &seven, &delta, &ret));
    CHECK(!pass_list_apply(&c.a, &eight, &delta, &ret)); /* not twice */
    CHECK(!pass_list_apply(&c.a, &seven, &eight, &ret)); /* not a delta */
    CHECK(!pass_list_apply(&c.a, &delta, &delta, &ret));
    other.kind = PASS_LIST_STAY_HOME;
    CHECK(!pass_list_apply(&c.a, &other, &delta, &ret));
    other = seven;
    other.issuer = STR("qc");
    CHECK(!pass_list_apply(&c.a, &other, &delta, &ret));
    other = seven;
    other.salt[0] ^= 1;
    CHECK(!pass_list_apply(&c.a, &other, &delta, &ret));
    other = list_of(&c, 7, ids, 9); /* the same version with other content */
    CHECK(!pass_list_apply(&c.a, &other, &delta, &ret));
    other = list_of(&c, 7, ids + 1, 12);
    CHECK(!pass_list_apply(&c.a, &other, &delta, &ret));
}

TEST(changes_are_made_forward_within_one_series_only) {
    WITH_COUNTY(c);
    struct pass_list seven = list_of(&c, 7, NULL, 0), eight = list_of(&c, 8, NULL, 0), ret;
    struct err e;
    CHECK(pass_list_delta(&c.a, &seven, &eight, &ret, &e) == 0);
    CHECK(pass_list_delta(&c.a, &eight, &seven, &ret, &e) == -1);
    CHECK(pass_list_delta(&c.a, &seven, &seven, &ret, &e) == -1);
    eight.salt[15] ^= 1;
    CHECK(pass_list_delta(&c.a, &seven, &eight, &ret, &e) == -1);
}

TEST(an_older_list_does_not_take_the_place_of_a_newer_one) {
    WITH_COUNTY(c);
    struct pass_list seven = list_of(&c, 7, NULL, 0), eight = list_of(&c, 8, NULL, 0), delta;
    CHECK(pass_list_delta(&c.a, &seven, &eight, &delta, &(struct err){0}) == 0);
    CHECK(pass_list_replaces(&eight, &seven) && !pass_list_replaces(&seven, &eight) && !pass_list_replaces(&seven, &seven));
    CHECK(!pass_list_replaces(&delta, &seven));
    eight.salt[0] ^= 1;
    CHECK(pass_list_replaces(&eight, &seven));
    eight.kind = PASS_LIST_STAY_HOME;
    CHECK(!pass_list_replaces(&eight, &seven));
}

TEST(a_gate_knows_when_its_lists_are_missing_or_too_old) {
    WITH_COUNTY(c);
    CHECK(pass_lists_current(&c.gate, STR("jx")) && !pass_lists_current(&c.gate, STR("qc")));
    c.gate.now_at = c.full[0].until_at;
    CHECK(!pass_lists_current(&c.gate, STR("jx")));
    c.gate.now_at--;
    c.gate.lists_n = 1;
    CHECK(!pass_lists_current(&c.gate, STR("jx")));
}

TEST(a_list_that_is_out_of_date_still_stops_whom_it_names) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(110);
    c.gate.now_at = c.full[0].until_at + 1;
    CHECK_STR(str_z(verdict_of(&c, text_of(&c, KEY_NOW, &p))), "revoked");
}

TEST(the_list_of_another_site_does_not_stop_our_passes) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(110);
    c.full[LIST_REVOKED].issuer = STR("qc");
    CHECK_STR(str_z(verdict_of(&c, text_of(&c, KEY_NOW, &p))), "valid");
}

TEST(every_changed_bit_of_a_list_is_seen) {
    WITH_COUNTY(c);
    struct pass_list l = list_of(&c, 8, (struct id[]){pass_id(1), pass_id(2)}, 2), ret;
    struct str good = signed_list(&c, &l);
    char *file = arena_strz(&c.a, good);
    for (size_t i = 0; i < 8 * good.n; i++) {
        file[i / 8] ^= (char)(1 << i % 8);
        CHECK(pass_list_read(c.set, KEYS, (struct str){file, good.n}, &ret) != PASS_VALID);
        CHECK(pass_list_read(c.set, KEYS, (struct str){file, i / 8}, &ret) == PASS_DAMAGED);
        file[i / 8] ^= (char)(1 << i % 8);
    }
}

TEST(a_list_is_no_pass_and_a_pass_is_no_list) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(1);
    struct pass_list ret, l = list_of(&c, 8, NULL, 0);
    CHECK_STR(str_z(verdict_of(&c, text_of_token(&c, signed_list(&c, &l)))), "damaged");
    CHECK_INT(pass_list_read(c.set, KEYS, token_of(&c, KEY_NOW, payload_of(&c, &p)), &ret), PASS_DAMAGED);
}

static void refused(struct county *c, struct pass_list l, const char *field) {
    struct buf to CLEANUP(buf_release) = BUF(1 << 16);
    struct err e = {0};
    CHECK(pass_list_write(&c->keys[KEY_NOW], &l, &to, &e) == -1 && to.n == 0);
    CHECK_INT(e.code, ERR_INVALID);
    CHECK_STR(str_z(e.field), field);
}

TEST(a_list_that_a_gate_would_not_read_is_not_written) {
    WITH_COUNTY(c);
    const struct pass_list good = c.full[LIST_REVOKED];
    struct pass_list l = good;
    l.issuer = STR("qc"), refused(&c, l, "issuer"), l = good;
    l.version = 0, refused(&c, l, "version"), l = good;
    l.version = PASS_VERSION_MAX + 1, refused(&c, l, "version"), l = good;
    l.until_at = l.made_at, refused(&c, l, "until_at"), l = good;
    l.made_at = c.keys[KEY_NOW].public.from_at - 1, refused(&c, l, "made_at");
    struct buf small CLEANUP(buf_release) = BUF(500);
    CHECK(pass_list_write(&c.keys[KEY_NOW], &good, &small, &(struct err){0}) == -1);
    CHECK(pass_list_make(&c.a, &good, NULL, PASS_LIST_MAX + 1, &l, &(struct err){0}) == -1);
}
