/* Answers that must never change: what one release stored, all later ones read.  The figures come from the RFCs and from
 * an independent BLAKE2b. */
#include "crypto/crypto_internal.h"
#include "unit.h"

static struct str hex_of(struct arena *a, const void *p, size_t n) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 10);
    hex_add(&b, p, n);
    return arena_str(a, buf_str(&b));
}

static struct site_key counting_key(void) {
    uint8_t master[32];
    struct site_key k;
    for (int i = 0; i < 32; i++) master[i] = (uint8_t)i;
    site_key_derive(master, &k);
    return k;
}

TEST(digests_are_blake2b_256) {
    CHECK(crypto_init() == 0);
    struct arena a CLEANUP(arena_release) = {0};
    struct digest d = digest_of(STR(""));
    CHECK_STR(hex_of(&a, d.b, 32), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    d = digest_of(STR("abc"));
    CHECK_STR(hex_of(&a, d.b, 32), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    struct digest_state s;
    digest_start(&s);
    digest_add(&s, "a", 1);
    digest_add(&s, "bc", 2);
    struct digest parts = digest_end(&s);
    CHECK(same_bytes(d.b, parts.b, 32));
}

static struct str digest_of_two(struct arena *a, struct str first, struct str second) {
    struct digest_state s;
    digest_start(&s);
    digest_add_str(&s, first);
    digest_add_str(&s, second);
    struct digest d = digest_end(&s);
    return hex_of(a, d.b, 32);
}

TEST(lists_of_strings_hash_apart_where_their_joint_text_is_the_same) {
    struct arena a CLEANUP(arena_release) = {0};
    CHECK_STR(digest_of_two(&a, STR("ab"), STR("c")), "20263e794775e4edf2b306c0f306af9e50175c831c857604b481e847f790bf95");
    CHECK_STR(digest_of_two(&a, STR("a"), STR("bc")), "77bbcab7072b897c548327378f11776f4853104c71bdb95a12ded5d2783523bf");
    CHECK(digest_of_two(&a, STR_NONE, STR("")).n == 64);
}

TEST(subkeys_stay_what_they_were) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site_key k = counting_key();
    CHECK_STR(hex_of(&a, k.seal, 32), "033b6ef2dcac5cc52110c5a46516c9a3b037ee4089331a55d08d1714b4d633bf");
    CHECK_STR(hex_of(&a, k.find, 32), "172482799d4ccc37a0d06490a45d58eba7fbcbc00ae28d6ecb9f3f185bc9329f");
    CHECK_STR(hex_of(&a, k.prove, 32), "31da182c9182e78fc8c393b62d8d2ee34f70f6a1f6914ff81de27c93d5fc5b8a");
}

TEST(a_stored_hash_finds_the_same_text_in_the_same_field_only) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site_key k = counting_key();
    uint8_t hash[16], other[16];
    find_hash(&k, STR("case.phone"), STR("13800138000"), hash);
    CHECK_STR(hex_of(&a, hash, 16), "fdeb79db9a3849d3eb6ce5236f64a851");
    find_hash(&k, STR("contact.phone"), STR("13800138000"), other);
    CHECK(!same_bytes(hash, other, 16));
    find_hash(&k, STR("case.phone"), STR("13800138001"), other);
    CHECK(!same_bytes(hash, other, 16));
    k.find[0] ^= 1;
    find_hash(&k, STR("case.phone"), STR("13800138000"), other);
    CHECK(!same_bytes(hash, other, 16));
}

TEST(one_time_codes_are_those_of_rfc_6238) {
    CHECK(crypto_init() == 0);
    static const struct {
        int64_t second;
        const char *code;
    } vectors[] = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {INT64_C(20000000000), "353130"},
    };
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    for (size_t i = 0; i < COUNT(vectors); i++)
        CHECK_INT(totp_step(secret, str_z(vectors[i].code), vectors[i].second * 1000000), vectors[i].second / 30);
    struct arena a CLEANUP(arena_release) = {0};
    CHECK_STR(totp_base32(&a, secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

TEST(a_password_hash_of_another_program_is_read) {
    CHECK(crypto_init() == 0);
    /* Made by the command of the reference implementation: argon2 saltsaltsaltsalt -id -t 2 -k 64 -p 1 -l 32 -e */
    static const char hash[] = "$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$uz2UoKes77+2qPepTEWorVtvicXoGbpr7xMmYur16K4";
    CHECK(password_matches(hash, STR("防疫2020")));
    CHECK(!password_matches(hash, STR("防疫2021")));
}
