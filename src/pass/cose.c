/* COSE_Sign1 = 18([head, {}, payload, signature]) with EdDSA, and the keys that sign it.  The signed head is {1: -8, 4: kid}, with
 * 3: content type in between for lists. */
#include "pass_internal.h"

#include <sodium.h>

#include "base/utf8.h"

_Static_assert(crypto_sign_SEEDBYTES == 32 && crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_BYTES == 64, "Ed25519");

enum { TAG_SIGN1 = 18, ALG = 1, TYPE = 3, KID = 4, EDDSA = -8, HEAD_MAX = 64 };

static const uint8_t *bytes(struct str s) {
    return (const uint8_t *)(s.p ? s.p : "");
}

void blake(uint8_t ret[32], struct str first, struct str second) {
    crypto_generichash_blake2b_state s;
    crypto_generichash_blake2b_init(&s, NULL, 0, 32);
    crypto_generichash_blake2b_update(&s, bytes(first), first.n);
    crypto_generichash_blake2b_update(&s, bytes(second), second.n);
    crypto_generichash_blake2b_final(&s, ret, 32);
}

/* What COSE signs: ["Signature1", head, no outside data, payload]. */
static void signed_bytes(struct str head, struct str payload, struct buf *to) {
    cbor_head(to, CBOR_ARRAY, 4);
    cbor_str(to, CBOR_TEXT, STR("Signature1"));
    cbor_str(to, CBOR_BYTES, head);
    cbor_str(to, CBOR_BYTES, STR(""));
    cbor_str(to, CBOR_BYTES, payload);
}

static void add_head(const uint8_t kid[PASS_KID], struct str type, struct buf *to) {
    cbor_head(to, CBOR_MAP, type.n ? 3 : 2);
    cbor_int(to, ALG);
    cbor_int(to, EDDSA);
    if (type.n) {
        cbor_int(to, TYPE);
        cbor_str(to, CBOR_TEXT, type);
    }
    cbor_int(to, KID);
    cbor_str(to, CBOR_BYTES, (struct str){(const char *)kid, PASS_KID});
}

void cose_sign(const struct pass_key *k, struct str type, struct str payload, struct buf *to) {
    struct buf head CLEANUP(buf_release) = BUF(HEAD_MAX), text CLEANUP(buf_release) = BUF(payload.n + 2 * HEAD_MAX);
    uint8_t secret[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];
    add_head(k->public.kid, type, &head);
    signed_bytes(buf_str(&head), payload, &text);
    INVARIANT(!head.failed && !text.failed);
    memcpy(secret, k->seed, 32);
    memcpy(secret + 32, k->public.key, 32);
    crypto_sign_detached(signature, NULL, bytes(buf_str(&text)), text.n, secret);
    sodium_memzero(secret, sizeof secret);
    cbor_head(to, CBOR_TAG, TAG_SIGN1);
    cbor_head(to, CBOR_ARRAY, 4);
    cbor_str(to, CBOR_BYTES, buf_str(&head));
    cbor_head(to, CBOR_MAP, 0);
    cbor_str(to, CBOR_BYTES, payload);
    cbor_str(to, CBOR_BYTES, (struct str){(const char *)signature, sizeof signature});
}

static bool parse_head(struct str head, struct str type, uint8_t kid[PASS_KID]) {
    struct cbor_in in = {head};
    uint64_t n = cbor_read(&in, CBOR_MAP, 3);
    if (n != (type.n ? 3 : 2)) return false;
    cbor_expect(&in, ALG);
    cbor_expect(&in, EDDSA);
    if (type.n) {
        cbor_expect(&in, TYPE);
        if (!str_eq(cbor_read_str(&in, CBOR_TEXT, type.n), type)) return false;
    }
    cbor_expect(&in, KID);
    cbor_read_fixed(&in, kid, PASS_KID);
    return cbor_done(&in);
}

bool cose_parse(struct str text, struct str type, struct cose *ret) {
    struct cbor_in in = {text};
    bool form = cbor_read(&in, CBOR_TAG, TAG_SIGN1) == TAG_SIGN1 && cbor_read(&in, CBOR_ARRAY, 4) == 4;
    ret->head = cbor_read_str(&in, CBOR_BYTES, HEAD_MAX);
    cbor_read(&in, CBOR_MAP, 0);
    ret->payload = cbor_read_str(&in, CBOR_BYTES, text.n);
    cbor_read_fixed(&in, ret->signature, sizeof ret->signature);
    return form && cbor_done(&in) && parse_head(ret->head, type, ret->kid);
}

enum pass_verdict cose_verify(const struct cose *c, const struct pass_public *keys, size_t n, const struct pass_public **ret) {
    struct buf text CLEANUP(buf_release) = BUF(c->payload.n + 2 * HEAD_MAX);
    enum pass_verdict verdict = PASS_UNKNOWN_KEY;
    signed_bytes(c->head, c->payload, &text);
    INVARIANT(!text.failed);
    for (size_t i = 0; i < n; i++) {
        if (memcmp(keys[i].kid, c->kid, PASS_KID) != 0) continue;
        verdict = PASS_FORGED;
        if (crypto_sign_verify_detached(c->signature, bytes(buf_str(&text)), text.n, keys[i].key) != 0) continue;
        *ret = &keys[i];
        return PASS_VALID;
    }
    return verdict;
}

bool key_serves(const struct pass_public *keys, size_t n, const struct pass_public *key, struct str issuer, int64_t issued_at) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(keys[i].key, key->key, sizeof key->key) == 0 && str_eqz(issuer, keys[i].issuer) && issued_at >= keys[i].from_at &&
            issued_at < keys[i].until_at)
            return true;
    return false;
}

/* ---- checks of what is to be signed ---- */
bool name_is_plain(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
    return s.n >= 1 && s.n <= PASS_NAME_MAX && utf8_valid(s);
}

int check_name(struct str s, const char *field, struct err *e) {
    char most[16];
    if (s.n == 0) return err_set(e, ERR_INVALID, field, M_REQUIRED);
    snprintf(most, sizeof most, "%d", PASS_NAME_MAX);
    if (s.n > PASS_NAME_MAX) return err_set(e, ERR_INVALID, field, M_TOO_LONG, most);
    if (!utf8_valid(s)) return err_set(e, ERR_INVALID, field, M_BAD_UTF8);
    return name_is_plain(s) ? 0 : err_set(e, ERR_INVALID, field, M_CONTROL);
}

int check_period(int64_t from_at, int64_t until_at, const char *from, const char *until, struct err *e) {
    if (from_at < 0 || until_at >= PASS_TIME_END) return err_set(e, ERR_INVALID, from_at < 0 ? from : until, M_RANGE, "1970", "9999");
    return whole_second(from_at) < whole_second(until_at) ? 0 : err_set(e, ERR_INVALID, until, M_BEFORE, from);
}

int check_signer(const struct pass_key *k, struct str issuer, int64_t at, const char *field, struct err *e) {
    char from[32], until[32], other[PASS_NAME_MAX + 1];
    TRY(check_name(issuer, "issuer", e));
    snprintf(other, sizeof other, "%.*s", STR_FMT(issuer));
    if (!str_eqz(issuer, k->public.issuer)) return err_set(e, ERR_INVALID, "issuer", M_CODE, other, k->public.issuer);
    snprintf(from, sizeof from, "%lld", (long long)(k->public.from_at / US_PER_SECOND));
    snprintf(until, sizeof until, "%lld", (long long)(k->public.until_at / US_PER_SECOND));
    bool serves = at >= k->public.from_at && at < k->public.until_at;
    return serves ? 0 : err_set(e, ERR_INVALID, field, M_RANGE, from, until);
}

/* ---- keys ---- */
int pass_key_make(const uint8_t seed[32], struct str issuer, int64_t from_at, int64_t until_at, struct pass_key *ret, struct err *e) {
    uint8_t secret[crypto_sign_SECRETKEYBYTES], digest[32];
    TRY(check_name(issuer, "issuer", e));
    TRY(check_period(from_at, until_at, "from_at", "until_at", e));
    struct pass_key k = {.public = {.from_at = whole_second(from_at), .until_at = whole_second(until_at)}};
    if (seed) memcpy(k.seed, seed, sizeof k.seed);
    else randombytes_buf(k.seed, sizeof k.seed);
    crypto_sign_seed_keypair(k.public.key, secret, k.seed);
    sodium_memzero(secret, sizeof secret);
    blake(digest, (struct str){(const char *)k.public.key, sizeof k.public.key}, STR(""));
    memcpy(k.public.kid, digest, PASS_KID);
    memcpy(k.public.issuer, issuer.p, issuer.n);
    *ret = k;
    pass_key_wipe(&k);
    return 0;
}

void pass_key_wipe(struct pass_key *k) {
    sodium_memzero(k, sizeof *k);
}

static void add_hex(struct buf *to, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) buf_addf(to, "%02x", p[i]);
}

void pass_keys_json(const struct pass_public *keys, size_t n, struct buf *to) {
    buf_addz(to, "{\"keys\":[");
    for (size_t i = 0; i < n; i++) {
        buf_addz(to, i ? ",{" : "{");
        buf_addz(to, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"kid\":\"");
        add_hex(to, keys[i].kid, PASS_KID);
        buf_addz(to, "\",\"x\":\"");
        add_hex(to, keys[i].key, sizeof keys[i].key);
        buf_addz(to, "\",\"iss\":\"");
        for (const char *c = keys[i].issuer; *c; c++) {
            if (*c == '"' || *c == '\\') buf_addc(to, '\\');
            buf_addc(to, *c);
        }
        buf_addf(to, "\",\"nbf\":%lld,\"exp\":%lld}", (long long)(keys[i].from_at / US_PER_SECOND),
                 (long long)(keys[i].until_at / US_PER_SECOND));
    }
    buf_addz(to, "]}");
}
