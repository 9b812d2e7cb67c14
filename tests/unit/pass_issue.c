/* What is issued is what the gate reads, and what a gate says of everything else; single texts stand in tests/vectors/pass.json. */
#include "pass_help.h"

#define WITH_COUNTY(c)                                                                                                 \
    struct county c CLEANUP(county_close);                                                                             \
    county_open(&c)

static bool same_claims(const struct pass_claims *a, const struct pass_claims *b) {
    bool same = id_eq(a->id, b->id) && str_eq(a->issuer, b->issuer) && a->from_at == b->from_at && a->expires_at == b->expires_at &&
                a->issued_at == b->issued_at && a->kind == b->kind && a->areas_n == b->areas_n && a->outings == b->outings && a->days == b->days;
    for (size_t i = 0; same && i < a->areas_n; i++) same = str_eq(a->areas[i], b->areas[i]);
    return same;
}

TEST(a_gate_reads_what_was_issued) {
    WITH_COUNTY(c);
    struct pass_claims want = claims_of(1), got;
    CHECK_INT(pass_verify(&c.a, &c.gate, text_of(&c, KEY_NOW, &want), &got), PASS_VALID);
    CHECK(same_claims(&want, &got));
    want.outings = want.days = 0;
    want.kind = PASS_VISITOR;
    want.areas[1] = STR("jx.\"城镇\"\\");
    want.areas_n = 2;
    CHECK_INT(pass_verify(&c.a, &c.gate, text_of(&c, KEY_NOW, &want), &got), PASS_VALID);
    CHECK(same_claims(&want, &got));
}

TEST(a_usual_pass_has_at_most_330_characters_and_the_largest_fits_too) {
    WITH_COUNTY(c);
    char name[PASS_AREAS_MAX][PASS_NAME_MAX + 1], issuer[PASS_NAME_MAX + 1] = {0};
    struct pass_claims p = claims_of(1), got;
    p.areas[0] = STR("140928.t03.c12.q07");
    p.areas[1] = STR("140928.t03.market");
    p.areas_n = 2;
    CHECK(text_of(&c, KEY_NOW, &p).n <= 330);
    memset(issuer, 'i', PASS_NAME_MAX);
    CHECK(pass_key_make(NULL, str_z(issuer), 0, PASS_TIME_END - 1, &c.keys[KEY_NOW], &(struct err){0}) == 0);
    p = (struct pass_claims){.issuer = str_z(issuer), .from_at = PASS_TIME_END - SECONDS(2), .expires_at = PASS_TIME_END - 1,
                             .issued_at = PASS_TIME_END - SECONDS(2), .kind = PASS_VISITOR, .areas_n = PASS_AREAS_MAX,
                             .outings = PASS_OUTINGS_MAX, .days = PASS_DAYS_MAX};
    random_bytes(p.id.b, sizeof p.id.b);
    for (size_t i = 0; i < PASS_AREAS_MAX; i++) {
        for (size_t j = 0; j < PASS_NAME_MAX; j++) {
            uint8_t r;
            random_bytes(&r, 1);
            name[i][j] = (char)(' ' + r % 95);
        }
        p.areas[i] = (struct str){name[i], PASS_NAME_MAX};
    }
    c.set[0] = c.keys[KEY_NOW].public;
    c.gate.now_at = p.from_at;
    c.gate.chain = &p.areas[7];
    c.gate.chain_n = 1;
    CHECK_INT(pass_verify(&c.a, &c.gate, text_of(&c, KEY_NOW, &p), &got), PASS_VALID);
}

TEST(times_are_cut_to_whole_seconds_and_the_last_second_counts) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(1), got;
    p.from_at += 999999;
    p.expires_at = NOW + SECONDS(60) + 7;
    struct str text = text_of(&c, KEY_NOW, &p);
    CHECK_INT(pass_verify(&c.a, &c.gate, text, &got), PASS_VALID);
    CHECK_INT(got.from_at, claims_of(1).from_at);
    c.gate.now_at = NOW + SECONDS(60) - 1;
    CHECK_STR(str_z(verdict_of(&c, text)), "valid");
    c.gate.now_at++;
    CHECK_STR(str_z(verdict_of(&c, text)), "expired");
    c.gate.now_at = got.from_at;
    CHECK_STR(str_z(verdict_of(&c, text)), "valid");
    c.gate.now_at--;
    CHECK_STR(str_z(verdict_of(&c, text)), "not_yet_valid");
}

static void refused(struct county *c, struct pass_claims p, const char *field) {
    struct buf to CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    struct err e = {0};
    CHECK(pass_issue(&c->keys[KEY_NOW], &p, &to, &e) == -1 && to.n == 0);
    CHECK_INT(e.code, ERR_INVALID);
    CHECK_STR(str_z(e.field), field);
}

#define REFUSED(what, field)                                                                                           \
    do {                                                                                                               \
        struct pass_claims p = claims_of(1);                                                                           \
        p.what;                                                                                                        \
        refused(&c, p, field);                                                                                         \
    } while (0)

TEST(a_pass_that_a_gate_would_not_read_is_not_issued) {
    WITH_COUNTY(c);
    static const char long_name[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm";
    REFUSED(issuer = STR("qc"), "issuer");
    REFUSED(issuer = STR(""), "issuer");
    REFUSED(issued_at = c.keys[KEY_NOW].public.from_at - 1, "issued_at");
    REFUSED(issued_at = c.keys[KEY_NOW].public.until_at, "issued_at");
    REFUSED(from_at = -1, "from_at");
    REFUSED(expires_at = PASS_TIME_END, "expires_at");
    REFUSED(expires_at = p.from_at + 999999, "expires_at");
    REFUSED(kind = 0, "kind");
    REFUSED(kind = PASS_KIND__END, "kind");
    REFUSED(areas_n = 0, "areas");
    REFUSED(areas_n = PASS_AREAS_MAX + 1, "areas");
    REFUSED(areas[0] = STR(""), "areas");
    REFUSED(areas[0] = STR("a\nb"), "areas");
    REFUSED(areas[0] = STR("\xc3\x28"), "areas");
    REFUSED(areas[0] = str_z(long_name), "areas");
    REFUSED(areas[p.areas_n++] = STR("jx.t01.c02"), "areas");
    REFUSED(outings = 0, "outings");
    REFUSED(outings = -1, "outings");
    REFUSED(outings = PASS_OUTINGS_MAX + 1, "outings");
    REFUSED(days = 0, "days");
    REFUSED(days = PASS_DAYS_MAX + 1, "days");
}

TEST(the_order_to_stay_at_home_comes_before_every_other_reason) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(210), got;
    p.expires_at = NOW;
    p.areas[0] = STR("jx.t02");
    struct str text = text_of(&c, KEY_NOW, &p);
    CHECK_INT(pass_verify(&c.a, &c.gate, text, &got), PASS_STAY_HOME);
    CHECK(id_eq(got.id, p.id));
    c.gate.lists_n = 1;
    CHECK_STR(str_z(verdict_of(&c, text)), "expired");
    c.gate.now_at = NOW - 1;
    CHECK_STR(str_z(verdict_of(&c, text)), "wrong_area");
    p = claims_of(110);
    p.areas[0] = STR("jx.t02");
    CHECK_STR(str_z(verdict_of(&c, text_of(&c, KEY_NOW, &p))), "revoked");
}

TEST(a_pass_of_an_area_is_valid_at_gates_below_it_and_not_above_it) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(1);
    p.areas[0] = STR("jx");
    CHECK_STR(str_z(verdict_of(&c, text_of(&c, KEY_NOW, &p))), "valid");
    p.areas[0] = STR("jx.t01.c02.b3");
    CHECK_STR(str_z(verdict_of(&c, text_of(&c, KEY_NOW, &p))), "wrong_area");
    p.areas[0] = STR("jx.t01.c0");
    CHECK_STR(str_z(verdict_of(&c, text_of(&c, KEY_NOW, &p))), "wrong_area");
}

TEST(a_key_signs_for_its_issuer_in_its_time_only) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(1);
    struct str payload = payload_of(&c, &p);
    CHECK_STR(str_z(verdict_of(&c, text_of_token(&c, token_of(&c, KEY_NOW, payload)))), "valid");
    CHECK_STR(str_z(verdict_of(&c, text_of_token(&c, token_of(&c, KEY_NEIGHBOUR, payload)))), "unknown_key");
    CHECK_STR(str_z(verdict_of(&c, text_of_token(&c, token_of(&c, KEY_NEXT, payload)))), "unknown_key");
    CHECK_STR(str_z(verdict_of(&c, text_of_token(&c, token_of(&c, KEY_STRANGER, payload)))), "unknown_key");
    struct pass_key same_kid = c.keys[KEY_STRANGER];
    memcpy(same_kid.public.kid, c.keys[KEY_NOW].public.kid, PASS_KID);
    c.keys[KEY_STRANGER] = same_kid;
    CHECK_STR(str_z(verdict_of(&c, text_of_token(&c, token_of(&c, KEY_STRANGER, payload)))), "forged");
}

TEST(every_change_of_one_character_is_seen) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(1);
    struct str good = text_of(&c, KEY_NOW, &p);
    char *text = arena_strz(&c.a, good);
    for (size_t i = 0; i < good.n; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        CHECK(strcmp(verdict_of(&c, (struct str){text, good.n}), "valid") != 0);
        CHECK(strcmp(verdict_of(&c, (struct str){text, i}), "valid") != 0);
        text[i] = was;
    }
}

TEST(every_changed_bit_of_a_token_is_seen) {
    WITH_COUNTY(c);
    struct pass_claims p = claims_of(1);
    struct str good = token_of(&c, KEY_NOW, payload_of(&c, &p));
    char *token = arena_strz(&c.a, good);
    for (size_t i = 0; i < 8 * good.n; i++) {
        token[i / 8] ^= (char)(1 << i % 8);
        CHECK(strcmp(verdict_of(&c, text_of_token(&c, (struct str){token, good.n})), "valid") != 0);
        token[i / 8] ^= (char)(1 << i % 8);
    }
}

TEST(keys_are_published_as_json_without_their_seeds) {
    WITH_COUNTY(c);
    struct buf to CLEANUP(buf_release) = BUF(1 << 12);
    struct pass_key odd;
    CHECK(pass_key_make(c.keys[0].seed, STR("a\"\\b"), 0, NOW, &odd, &(struct err){0}) == 0);
    pass_keys_json((struct pass_public[]){odd.public}, 1, &to);
    CHECK_STR(buf_str(&to), "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"kid\":\"c5e21ab1c9f6022d\","
                            "\"x\":\"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\",\"iss\":\"a\\\"\\\\b\","
                            "\"nbf\":0,\"exp\":1581739200}]}");
}

TEST(a_new_key_is_another_each_time_and_a_wiped_one_is_gone) {
    WITH_COUNTY(c);
    struct pass_key a, b;
    CHECK(pass_key_make(NULL, STR("jx"), 0, NOW, &a, &(struct err){0}) == 0);
    CHECK(pass_key_make(NULL, STR("jx"), 0, NOW, &b, &(struct err){0}) == 0);
    CHECK(memcmp(a.seed, b.seed, 32) != 0 && memcmp(a.public.key, b.public.key, 32) != 0);
    pass_key_wipe(&a);
    for (size_t i = 0; i < sizeof a.seed; i++) CHECK_INT(a.seed[i], 0);
    CHECK(pass_key_make(NULL, STR("jx"), NOW, NOW + 1, &a, &(struct err){0}) == -1);
}

/* ---- numbers ---- */
TEST(a_number_is_read_as_people_type_it) {
    char number[PASS_NUMBER], again[PASS_NUMBER];
    for (unsigned i = 0; i < 1000; i++) {
        pass_number(pass_id(i), number);
        CHECK(strlen(number) == 14 && pass_number_parse(str_z(number), again) && strcmp(number, again) == 0);
    }
    CHECK_STR(str_z(pass_number(pass_id(1), number)), "1GP4-3158-JSSQ");
    CHECK(pass_number_parse(STR(" lgp43i58 jssq"), again) && strcmp(number, again) == 0);
    CHECK(!pass_number_parse(STR("1GP4-3158-JSS"), again));
    CHECK(!pass_number_parse(STR("1GP4-3158-JSSQ0"), again));
    CHECK(!pass_number_parse(STR("1GP4-3158-JSSU"), again));
    CHECK(!pass_number_parse(STR(""), again));
}

/* Numbers are told apart by it, and are in the order of their texts. */
TEST(a_number_has_a_value_of_its_own) {
    char a[PASS_NUMBER], b[PASS_NUMBER];
    uint64_t va, vb;
    for (unsigned i = 0; i < 1000; i++) {
        pass_number(pass_id(i), a);
        pass_number(pass_id(i + 1), b);
        CHECK(pass_number_value(str_z(a), &va) && pass_number_value(str_z(b), &vb));
        CHECK(va >> 55 == 0 && (va < vb) == (strcmp(a, b) < 0) && va != vb);
    }
    CHECK(!pass_number_value(STR("1GP43158JSSQ"), &va) && !pass_number_value(STR("1gp4-3158-jssq"), &va) && !pass_number_value(STR(""), &va));
}

TEST(no_wrong_character_and_no_exchanged_neighbours_make_another_number) {
    char number[PASS_NUMBER], ret[PASS_NUMBER];
    for (unsigned n = 0; n < 50; n++) {
        pass_number(pass_id(n), number);
        for (size_t i = 0; i < 14; i++) {
            char was = number[i];
            for (const char *c = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; *c && was != '-'; c++) {
                number[i] = *c;
                CHECK(pass_number_parse(str_z(number), ret) == (*c == was));
            }
            number[i] = was;
        }
        for (size_t i = 0; i < 13; i++) {
            size_t j = number[i + 1] == '-' ? i + 2 : i + 1;
            char a = number[i], b = number[j];
            if (a == b || a == '-') continue;
            number[i] = b, number[j] = a;
            CHECK(!pass_number_parse(str_z(number), ret));
            number[i] = a, number[j] = b;
        }
    }
}

TEST(base45_is_that_of_rfc_9285) {
    static const struct {
        const char *plain, *text;
    } vectors[] = {{"AB", "BB8"}, {"Hello!!", "%69 VD92EX0"}, {"base-45", "UJCLQE7W581"}, {"ietf!", "QED8WEX0"}, {"", ""}};
    static const char *const wrong[] = {"A", "AAAA", "GGW", ":::", "::", "a00", "0\n0"};
    struct buf b CLEANUP(buf_release) = BUF(100);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        buf_clear(&b);
        base45_add(&b, str_z(vectors[i].plain));
        CHECK_STR(buf_str(&b), vectors[i].text);
        buf_clear(&b);
        CHECK(base45_parse(&b, str_z(vectors[i].text)));
        CHECK_STR(buf_str(&b), vectors[i].plain);
    }
    for (size_t i = 0; i < COUNT(wrong); i++) CHECK(!base45_parse(&b, str_z(wrong[i])));
}
