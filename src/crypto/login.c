/* What people type to come in: passwords and one-time codes. */
#include "crypto_internal.h"

#include <liboath/oath.h>
#include <sodium.h>

#include "base/day.h"

enum {
    PASSES = 2,
    MEMORY_BYTES = 19 << 20,
    /* A hash asks for its own cost; one that came in with a restored or tampered file must not ask for the whole machine. */
    PASSES_MAX = 16,
    MEMORY_KIB_MIN = 8,
    MEMORY_KIB_MAX = 256 << 10,
    CODE_DIGITS = 6,
    STEP_SECONDS = 30,
};
_Static_assert(PASSWORD_HASH == crypto_pwhash_STRBYTES, "PASSWORD_HASH is libsodium's");

/* ---- passwords ---- */
static int hash_into(struct str password, char ret[PASSWORD_HASH]) {
    return crypto_pwhash_str_alg(ret, password.p ? password.p : "", password.n, PASSES, MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13);
}

int password_hash(struct str password, char ret[PASSWORD_HASH], struct err *e) {
    char hash[PASSWORD_HASH];
    if (hash_into(password, hash)) return err_set(e, ERR_BUSY, NULL, M_QUEUE_FULL); /* no 19 MiB to be had */
    memcpy(ret, hash, sizeof hash);
    return 0;
}

static bool cut_number(struct str *rest, const char *name, char end, int64_t min, int64_t max, int64_t *ret) {
    struct str part;
    if (!str_starts(*rest, str_z(name)) || str_find_char(*rest, end) < 0 || !str_cut(rest, end, &part)) return false;
    return str_to_int(str_sub(part, strlen(name), part.n), min, max, ret);
}

bool password_hash_form(struct str hash, struct hash_cost *ret) {
    static const struct str head = {"$argon2id$v=19$", 15};
    struct hash_cost cost;
    int64_t lanes;
    if (hash.n >= PASSWORD_HASH || str_find_char(hash, 0) >= 0 || !str_starts(hash, head)) return false;
    struct str rest = str_sub(hash, head.n, hash.n);
    if (!cut_number(&rest, "m=", ',', MEMORY_KIB_MIN, MEMORY_KIB_MAX, &cost.memory_kib)) return false;
    if (!cut_number(&rest, "t=", ',', 1, PASSES_MAX, &cost.passes)) return false;
    if (!cut_number(&rest, "p=", '$', 1, 1, &lanes)) return false;
    *ret = cost;
    return true;
}

bool password_matches(const char *hash, struct str password) {
    struct hash_cost cost;
    if (!password_hash_form((struct str){hash, strnlen(hash, PASSWORD_HASH)}, &cost)) return false;
    return crypto_pwhash_str_verify(hash, password.p ? password.p : "", password.n) == 0;
}

void password_waste(struct str password) {
    char hash[PASSWORD_HASH];
    if (hash_into(password, hash) == 0) sodium_memzero(hash, sizeof hash);
}

/* ---- one-time codes ---- */
void totp_secret_new(uint8_t ret[TOTP_SECRET]) {
    randombytes_buf(ret, TOTP_SECRET);
}

struct str totp_base32(struct arena *a, const uint8_t secret[TOTP_SECRET]) {
    char *text = NULL;
    size_t n = 0;
    int rc = oath_base32_encode((const char *)secret, TOTP_SECRET, &text, &n);
    INVARIANT(rc == OATH_OK);
    struct str copy = arena_str(a, (struct str){text, n});
    sodium_memzero(text, n);
    free(text);
    return copy;
}

static bool code_is(const uint8_t secret[TOTP_SECRET], uint64_t step, const char *code) {
    char want[CODE_DIGITS + 1];
    int rc = oath_hotp_generate((const char *)secret, TOTP_SECRET, step, CODE_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION, want);
    INVARIANT(rc == OATH_OK);
    return same_bytes(want, code, CODE_DIGITS);
}

int64_t totp_step(const uint8_t secret[TOTP_SECRET], struct str code, int64_t now_us) {
    int64_t number, found = -1, step = now_us / (STEP_SECONDS * US_PER_SECOND);
    if (code.n != CODE_DIGITS || code.p[0] == '-' || code.p[0] == '+' || now_us < 0) return -1;
    if (!str_to_int(code, 0, 999999, &number)) return -1;
    /* All three are computed always; where two agree the later one counts, which the caller has less likely seen. */
    for (int64_t s = MAX(step - 1, 0); s <= step + 1; s++)
        if (code_is(secret, (uint64_t)s, code.p)) found = s;
    return found;
}
