/* What comes from cookies, login forms and restored files: tokens, base64url, one-time codes, stored password hashes, sealed
 * values.  The first byte says which of them the rest is. */
#include "base/day.h"
#include "crypto/crypto_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void base64url(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct str raw;
    if (!base64url_parse(&a, s, &raw)) return;
    base64url_add(&b, raw.p, raw.n);
    INVARIANT(str_eq(buf_str(&b), s)); /* each value has one spelling */
}

static void token(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str raw;
    bool parsed = base64url_parse(&a, s, &raw);
    INVARIANT(token_valid(s) == (parsed && raw.n == 32 && s.n == 43));
    struct digest d = token_digest(s), again = digest_of(s);
    INVARIANT(same_bytes(d.b, again.b, sizeof d.b));
}

static bool six_digits(struct str s) {
    if (s.n != 6) return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

/* The time is the first eight bytes, the code the rest. */
static void code(struct str s) {
    static const uint8_t secret[TOTP_SECRET] = "12345678901234567890";
    int64_t now = 0;
    if (s.n < sizeof now) return;
    memcpy(&now, s.p, sizeof now);
    struct str text = str_sub(s, sizeof now, s.n);
    int64_t step = totp_step(secret, text, now);
    INVARIANT(step >= -1);
    if (step < 0) return;
    int64_t at = now / (30 * US_PER_SECOND);
    INVARIANT(six_digits(text) && now >= 0 && step >= at - 1 && step <= at + 1);
    INVARIANT(totp_step(secret, text, step * 30 * US_PER_SECOND) >= step);
}

static void hash(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct hash_cost cost = {-1, -1};
    const char *z = arena_strz(&a, s);
    bool has_form = password_hash_form(s, &cost);
    if (!has_form) {
        INVARIANT(cost.passes == -1);
        if (strlen(z) == s.n) INVARIANT(!password_matches(z, STR("no")));
        return;
    }
    INVARIANT(cost.memory_kib >= 8 && cost.memory_kib <= 256 << 10 && cost.passes >= 1 && cost.passes <= 16);
    if (cost.memory_kib <= 256 && cost.passes <= 4) INVARIANT(!password_matches(z, STR("no")));
}

static void sealed(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site_key k;
    struct err e;
    struct str plain;
    memset(&k, 7, sizeof k);
    INVARIANT(unseal(&a, &k, STR("x"), s, &plain, &e) == -1 && e.code == ERR_CORRUPT);
    INVARIANT(unseal(&a, &k, STR("x"), seal(&a, &k, STR("x"), s), &plain, &e) == 0 && str_eq(plain, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const what[])(struct str) = {base64url, token, code, hash, sealed};
    static bool ready;
    if (!ready) ready = crypto_init() == 0;
    if (size == 0) return 0;
    what[data[0] % COUNT(what)]((struct str){(const char *)data + 1, size - 1});
    return 0;
}
