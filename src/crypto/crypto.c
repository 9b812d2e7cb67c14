/* Sealing, keyed hashes, digests, tokens and the two encodings.  What is stored by these functions must be readable by every
 * later release: tests/unit/crypto_known.c holds their answers still. */
#include "crypto.h"

#include <liboath/oath.h>
#include <sodium.h>

_Static_assert(sizeof(struct digest_state) == sizeof(crypto_generichash_blake2b_state), "digest_state holds BLAKE2b's");

enum {
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    TOKEN_BYTES = 32,
    FIND_HASH = 16,
};

int crypto_init(void) {
    return sodium_init() < 0 || oath_init() != OATH_OK ? -1 : 0;
}

static const uint8_t *bytes(struct str s) {
    return (const uint8_t *)(s.p ? s.p : "");
}

/* ---- sealing ---- */
struct str seal(struct arena *a, const struct site_key *k, struct str about, struct str plain) {
    uint8_t *to = arena_alloc(a, NONCE + plain.n + TAG);
    unsigned long long n;
    randombytes_buf(to, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to + NONCE, &n, bytes(plain), plain.n, bytes(about), about.n, NULL, to, k->seal);
    return (struct str){(char *)to, NONCE + (size_t)n};
}

int unseal(struct arena *a, const struct site_key *k, struct str about, struct str sealed, struct str *ret, struct err *e) {
    if (sealed.n < NONCE + TAG) return err_set(e, ERR_CORRUPT, NULL, M_SEALED);
    const uint8_t *from = bytes(sealed);
    char *to = arena_alloc(a, sealed.n - NONCE - TAG + 1);
    unsigned long long n;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)to, &n, NULL, from + NONCE, sealed.n - NONCE, bytes(about),
                                                   about.n, from, k->seal))
        return err_set(e, ERR_CORRUPT, NULL, M_SEALED);
    *ret = (struct str){to, (size_t)n};
    return 0;
}

void find_hash(const struct site_key *k, struct str field, struct str folded, uint8_t ret[16]) {
    struct digest_state s;
    crypto_generichash_blake2b_init((void *)&s, k->find, sizeof k->find, FIND_HASH);
    digest_add_str(&s, field);
    digest_add_str(&s, folded);
    crypto_generichash_blake2b_final((void *)&s, ret, FIND_HASH);
}

/* ---- digests ---- */
void digest_start(struct digest_state *s) {
    crypto_generichash_blake2b_init((void *)s, NULL, 0, sizeof(struct digest));
}

void digest_start_keyed(struct digest_state *s, const struct site_key *k) {
    crypto_generichash_blake2b_init((void *)s, k->prove, sizeof k->prove, sizeof(struct digest));
}

void digest_add(struct digest_state *s, const void *p, size_t n) {
    crypto_generichash_blake2b_update((void *)s, p, n);
}

void digest_add_str(struct digest_state *s, struct str v) {
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)v.n >> (8 * i));
    digest_add(s, length, sizeof length);
    digest_add(s, v.p, v.n);
}

struct digest digest_end(struct digest_state *s) {
    struct digest d;
    crypto_generichash_blake2b_final((void *)s, d.b, sizeof d.b);
    return d;
}

struct digest digest_of(struct str s) {
    struct digest_state state;
    digest_start(&state);
    digest_add(&state, s.p, s.n);
    return digest_end(&state);
}

/* ---- tokens ---- */
_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == TOKEN_TEXT, "TOKEN_TEXT");

void token_new(char ret[TOKEN_TEXT]) {
    uint8_t raw[TOKEN_BYTES];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2base64(ret, TOKEN_TEXT, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(raw, sizeof raw);
}

static bool base64url_alphabet(struct str s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
    }
    return true;
}

/* Each value has one spelling: libsodium refuses spare bits at the end that are not 0, but (1.0.18) takes some bytes from
 * 0x80 up for digits. */
static bool decode(struct str s, uint8_t *to, size_t room, size_t *ret_n) {
    if (!base64url_alphabet(s)) return false;
    return sodium_base642bin(to, room, s.p ? s.p : "", s.n, NULL, ret_n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

bool token_valid(struct str s) {
    uint8_t raw[TOKEN_BYTES];
    size_t n;
    return s.n == TOKEN_TEXT - 1 && decode(s, raw, sizeof raw, &n) && n == sizeof raw;
}

struct digest token_digest(struct str s) {
    return digest_of(s);
}

bool same_bytes(const void *a, const void *b, size_t n) {
    return sodium_memcmp(a, b, n) == 0;
}

/* ---- encodings ---- */
void base64url_add(struct buf *b, const void *p, size_t n) {
    INVARIANT(n < SIZE_MAX / 4);
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *to = buf_room(b, size - 1);
    if (!to) return;
    sodium_bin2base64(to, size, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_grew(b, size - 1);
}

bool base64url_parse(struct arena *a, struct str s, struct str *ret) {
    size_t room = s.n / 4 * 3 + 3, n;
    char *to = arena_alloc(a, room);
    if (!decode(s, (uint8_t *)to, room, &n)) return false;
    *ret = (struct str){to, n};
    return true;
}

void hex_add(struct buf *b, const void *p, size_t n) {
    INVARIANT(n < SIZE_MAX / 4);
    char *to = buf_room(b, 2 * n);
    if (!to) return;
    sodium_bin2hex(to, 2 * n + 1, p, n);
    buf_grew(b, 2 * n);
}
