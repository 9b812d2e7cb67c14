/* Sealing, the key file, passwords, tokens, one-time codes and encodings as their users meet them. */
#include "base/day.h"
#include "crypto/crypto_internal.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct site_key some_key(void) {
    struct site_key k;
    CHECK(crypto_init() == 0);
    memset(&k, 7, sizeof k);
    return k;
}

/* ---- sealing ---- */
TEST(a_sealed_text_comes_back_only_where_it_belongs) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site_key k = some_key();
    struct err e;
    struct str plain, sealed = seal(&a, &k, STR("case.phone:1"), STR("13800138000"));
    CHECK_INT(sealed.n, 11 + 40);
    CHECK(str_find(sealed, STR("13800138000")) < 0);
    CHECK(unseal(&a, &k, STR("case.phone:1"), sealed, &plain, &e) == 0);
    CHECK_STR(plain, "13800138000");
    CHECK(unseal(&a, &k, STR("case.phone:2"), sealed, &plain, &e) == -1);
    CHECK(e.code == ERR_CORRUPT && e.msg == M_SEALED);
    k.seal[31] ^= 1;
    CHECK(unseal(&a, &k, STR("case.phone:1"), sealed, &plain, &e) == -1 && e.code == ERR_CORRUPT);
}

TEST(the_same_text_is_never_sealed_alike) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site_key k = some_key();
    CHECK(!str_eq(seal(&a, &k, STR("x"), STR("同一内容")), seal(&a, &k, STR("x"), STR("同一内容"))));
}

TEST(no_altered_byte_and_no_cut_goes_unseen) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site_key k = some_key();
    struct err e;
    struct str plain = STR("untouched"), sealed = seal(&a, &k, STR("x"), STR("武昌区中山路"));
    char *bytes = (char *)sealed.p;
    for (size_t i = 0; i < sealed.n; i++) {
        bytes[i] ^= 0x10;
        CHECK(unseal(&a, &k, STR("x"), sealed, &plain, &e) == -1 && e.code == ERR_CORRUPT);
        bytes[i] ^= 0x10;
        CHECK(unseal(&a, &k, STR("x"), str_sub(sealed, 0, i), &plain, &e) == -1);
    }
    CHECK_STR(plain, "untouched");
    CHECK(unseal(&a, &k, STR("x"), sealed, &plain, &e) == 0);
    CHECK_STR(plain, "武昌区中山路");
}

TEST(an_empty_text_can_be_sealed) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site_key k = some_key();
    struct err e;
    struct str plain;
    CHECK(unseal(&a, &k, STR_NONE, seal(&a, &k, STR_NONE, STR_NONE), &plain, &e) == 0);
    CHECK(plain.p && plain.n == 0);
    CHECK(unseal(&a, &k, STR_NONE, STR_NONE, &plain, &e) == -1);
}

/* ---- the key file ---- */
static const char *key_path(void) {
    static char path[128];
    snprintf(path, sizeof path, "%s/site.key", unit_dir());
    return path;
}

static void write_key(const void *p, size_t n, mode_t mode) {
    int fd = open(key_path(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(write(fd, p, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

static struct err load_error(void) {
    struct site_key k;
    struct err e = {0};
    CHECK(site_key_load(key_path(), &k, &e) == -1);
    return e;
}

TEST(a_new_key_is_private_and_loads_again) {
    struct site_key k, again;
    struct err e;
    struct stat st;
    CHECK(crypto_init() == 0);
    CHECK(site_key_create(key_path(), &k, &e) == 0);
    CHECK(stat(key_path(), &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 32 && st.st_nlink == 1);
    CHECK(site_key_load(key_path(), &again, &e) == 0);
    CHECK(memcmp(&k, &again, sizeof k) == 0);
    CHECK(memcmp(k.seal, k.find, 32) && memcmp(k.find, k.prove, 32) && memcmp(k.seal, k.prove, 32));
    site_key_wipe(&k);
    static const struct site_key zero;
    CHECK(memcmp(&k, &zero, sizeof k) == 0);
}

TEST(a_key_is_never_written_over) {
    struct site_key k, second, again;
    struct err e;
    CHECK(crypto_init() == 0);
    CHECK(site_key_create(key_path(), &k, &e) == 0);
    CHECK(site_key_create(key_path(), &second, &e) == -1 && e.code == ERR_CONFLICT);
    CHECK(site_key_load(key_path(), &again, &e) == 0 && memcmp(&k, &again, sizeof k) == 0);
    CHECK(unlink(key_path()) == 0 && rmdir(unit_dir()) == 0); /* no draft is left behind */
    CHECK(site_key_create(key_path(), &k, &e) == -1 && e.code == ERR_NOT_FOUND);
}

TEST(a_key_that_others_can_read_is_refused) {
    static const mode_t modes[] = {0640, 0604, 0660, 0644, 0610, 0601};
    char bytes[32];
    memset(bytes, 1, sizeof bytes);
    CHECK(crypto_init() == 0);
    for (size_t i = 0; i < COUNT(modes); i++) {
        write_key(bytes, sizeof bytes, modes[i]);
        struct err e = load_error();
        CHECK(e.code == ERR_IO && e.msg == M_KEY_MODE);
        CHECK_STR(str_z(e.arg[0]), key_path());
    }
    write_key(bytes, sizeof bytes, 0400);
    struct site_key k;
    struct err e;
    CHECK(site_key_load(key_path(), &k, &e) == 0);
}

TEST(a_key_of_the_wrong_size_or_wiped_is_refused) {
    char bytes[64];
    memset(bytes, 1, sizeof bytes);
    CHECK(crypto_init() == 0);
    CHECK_INT(load_error().code, ERR_NOT_FOUND);
    write_key(bytes, 0, 0600);
    CHECK_INT(load_error().code, ERR_CORRUPT);
    write_key(bytes, 31, 0600);
    CHECK_INT(load_error().code, ERR_CORRUPT);
    write_key(bytes, 33, 0600);
    CHECK_INT(load_error().code, ERR_CORRUPT);
    memset(bytes, 0, sizeof bytes);
    write_key(bytes, 32, 0600);
    CHECK_INT(load_error().code, ERR_CORRUPT);
    CHECK(unlink(key_path()) == 0 && mkdir(key_path(), 0700) == 0);
    CHECK_INT(load_error().code, ERR_IO);
}

/* ---- passwords ---- */
TEST(a_password_matches_itself_only) {
    char hash[PASSWORD_HASH], again[PASSWORD_HASH];
    struct err e;
    CHECK(crypto_init() == 0);
    CHECK(password_hash(STR("黄鹤楼 2020"), hash, &e) == 0);
    CHECK(password_hash(STR("黄鹤楼 2020"), again, &e) == 0);
    CHECK(strcmp(hash, again) != 0);
    CHECK(str_starts(str_z(hash), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    CHECK(password_matches(hash, STR("黄鹤楼 2020")));
    CHECK(!password_matches(hash, STR("黄鹤楼 2021")));
    CHECK(!password_matches(hash, STR("")));
    CHECK(!password_matches(hash, STR_NONE));
    CHECK(!password_matches(hash, STR("黄鹤楼 2020\0")));
}

TEST(a_damaged_or_ruinous_hash_matches_nothing) {
    static const char *const hashes[] = {
        "",
        "plain",
        "$argon2id$v=19$m=19456,t=2,p=1$",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
        "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=4000000,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=2,p=9$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=-64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2i$v=19$m=64,t=3,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
    };
    CHECK(crypto_init() == 0);
    for (size_t i = 0; i < COUNT(hashes); i++) CHECK(!password_matches(hashes[i], STR("secret")));
    struct hash_cost cost;
    for (size_t i = 4; i < COUNT(hashes); i++) CHECK(!password_hash_form(str_z(hashes[i]), &cost));
}

/* Of the processor's time, which is the same while others run. */
static int64_t worked_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

TEST(an_unknown_user_takes_as_long_as_a_wrong_password) {
    char hash[PASSWORD_HASH];
    struct err e;
    int64_t match = INT64_MAX, waste = INT64_MAX;
    CHECK(crypto_init() == 0);
    CHECK(password_hash(STR("x"), hash, &e) == 0);
    for (int i = 0; i < 3; i++) {
        int64_t start = worked_us();
        CHECK(!password_matches(hash, STR("y")));
        int64_t between = worked_us();
        password_waste(STR("y"));
        match = MIN(match, between - start);
        waste = MIN(waste, worked_us() - between);
    }
    CHECK(waste > match / 2 && match > waste / 2);
}

/* ---- tokens ---- */
TEST(a_token_has_its_form_and_no_other) {
    char token[TOKEN_TEXT], other[TOKEN_TEXT];
    CHECK(crypto_init() == 0);
    token_new(token);
    token_new(other);
    CHECK(strlen(token) == 43 && strcmp(token, other) != 0);
    CHECK(token_valid(str_z(token)));
    CHECK(!token_valid(str_sub(str_z(token), 0, 42)));
    CHECK(!token_valid(STR_NONE));
    CHECK(token_valid(STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
    CHECK(!token_valid(STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"))); /* the spare bits are set */
    CHECK(!token_valid(STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
    CHECK(!token_valid(STR("AAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAAAAA")));
    struct digest a = token_digest(str_z(token)), b = token_digest(str_z(token)), c = token_digest(str_z(other));
    CHECK(same_bytes(a.b, b.b, 32) && !same_bytes(a.b, c.b, 32));
}

TEST(bytes_are_compared_whole) {
    CHECK(same_bytes("abc", "abc", 3));
    CHECK(!same_bytes("abc", "abd", 3));
    CHECK(!same_bytes("bbc", "abc", 3));
    CHECK(same_bytes("abc", "xyz", 0));
}

/* ---- one-time codes ---- */
TEST(a_code_is_good_for_its_step_and_one_beside_it) {
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    struct str code = STR("081804"); /* of step 37037036, seconds 1111111080 to 1111111109 */
    const int64_t step = 37037036, start = step * 30 * US_PER_SECOND, second = US_PER_SECOND;
    CHECK(crypto_init() == 0);
    CHECK_INT(totp_step(secret, code, start), step);
    CHECK_INT(totp_step(secret, code, start - 30 * second), step);
    CHECK_INT(totp_step(secret, code, start - 30 * second - 1), -1);
    CHECK_INT(totp_step(secret, code, start + 60 * second - 1), step);
    CHECK_INT(totp_step(secret, code, start + 60 * second), -1);
    CHECK_INT(totp_step(secret, code, -1), -1);
}

TEST(a_code_is_six_digits) {
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    static const char *const wrong[] = {"", "05924", "0005924", "+05924", "-05924", " 05924", "05924 ", "00592a", "０５９"};
    CHECK(crypto_init() == 0);
    for (size_t i = 0; i < COUNT(wrong); i++) CHECK_INT(totp_step(secret, str_z(wrong[i]), INT64_C(1234567890000000)), -1);
    CHECK_INT(totp_step(secret, STR("005924"), INT64_C(1234567890000000)), 41152263);
}

TEST(new_secrets_differ) {
    struct arena a CLEANUP(arena_release) = {0};
    uint8_t one[TOTP_SECRET], two[TOTP_SECRET];
    CHECK(crypto_init() == 0);
    totp_secret_new(one);
    totp_secret_new(two);
    CHECK(memcmp(one, two, sizeof one) != 0);
    CHECK_INT(totp_base32(&a, one).n, 32);
}

/* ---- encodings ---- */
TEST(base64url_goes_there_and_back) {
    struct arena a CLEANUP(arena_release) = {0};
    static const struct {
        struct str raw;
        const char *text;
    } pairs[] = {{{"", 0}, ""}, {{"f", 1}, "Zg"}, {{"fo", 2}, "Zm8"}, {{"foo", 3}, "Zm9v"}, {{"\xfb\xff\xfe", 3}, "-__-"}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct buf b CLEANUP(buf_release) = BUF(100);
        struct str raw;
        base64url_add(&b, pairs[i].raw.p, pairs[i].raw.n);
        CHECK_STR(buf_str(&b), pairs[i].text);
        CHECK(base64url_parse(&a, buf_str(&b), &raw) && str_eq(raw, pairs[i].raw));
    }
    static const char *const wrong[] = {"Z", "Zg==", "Zh", "Zm9", "Zg\n", "Z g", "+/", "Zm9v\xe4", "Zm9vQ\xd9my"};
    struct str kept = STR("kept");
    for (size_t i = 0; i < COUNT(wrong); i++) CHECK(!base64url_parse(&a, str_z(wrong[i]), &kept));
    CHECK_STR(kept, "kept");
}

TEST(encodings_keep_to_the_ceiling) {
    struct buf b CLEANUP(buf_release) = BUF(7), exact CLEANUP(buf_release) = BUF(8);
    hex_add(&b, "\x01\xab\xff\x10", 4);
    CHECK(b.failed && b.n == 0);
    buf_clear(&b);
    base64url_add(&b, "123456", 6);
    CHECK(b.failed && b.n == 0);
    hex_add(&exact, "\x01\xab\xff\x10", 4);
    CHECK(!exact.failed);
    CHECK_STR(buf_str(&exact), "01abff10");
    buf_clear(&exact);
    base64url_add(&exact, "123456", 6);
    CHECK_STR(buf_str(&exact), "MTIzNDU2");
}
