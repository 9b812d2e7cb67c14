/* Everything secret, on libsodium and liboath: sealing of personal fields, keyed hashes to find them, passwords, tokens, one-time
 * codes, digests.  No I/O but reading and writing the key file. */
#ifndef CRYPTO_H
#define CRYPTO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

int crypto_init(void); /* once per process, before threads; 0 or -1 */

/* ---- the site key: 32 bytes in DIR/site.key, mode 0600; subkeys for each purpose are derived from it ---- */
struct site_key { /* errors below also: NOT_FOUND, CORRUPT (not 32 bytes, or all zero), STORAGE_FULL, IO */
    uint8_t seal[32], find[32], prove[32];
};
int site_key_create(const char *path, struct site_key *ret, struct err *e); /* CONFLICT: never overwrites */
int site_key_load(const char *path, struct site_key *ret, struct err *e);   /* IO (M_KEY_MODE): others can read it */
void site_key_wipe(struct site_key *k);

/* XChaCha20-Poly1305: 24 bytes nonce, then text and tag.  `about` (kind.field and record id) is authenticated, so that a sealed
 * value cannot be moved to another record. */
struct str seal(struct arena *a, const struct site_key *k, struct str about, struct str plain);
int unseal(struct arena *a, const struct site_key *k, struct str about, struct str sealed, struct str *ret, struct err *e); /* CORRUPT, M_SEALED */
/* 16 bytes, BLAKE2b keyed: the same text in the same field gives the same hash. */
void find_hash(const struct site_key *k, struct str field, struct str folded, uint8_t ret[16]);

/* ---- digests: BLAKE2b-256 ---- */
struct digest {
    uint8_t b[32];
};
struct digest_state {
    _Alignas(64) uint8_t opaque[384];
};
void digest_start(struct digest_state *s);
/* For digests that are kept of personal content: without the key nobody can try contents until one fits. */
void digest_start_keyed(struct digest_state *s, const struct site_key *k);
void digest_add(struct digest_state *s, const void *p, size_t n);
void digest_add_str(struct digest_state *s, struct str v); /* length first: no two lists of strings hash alike */
struct digest digest_end(struct digest_state *s);
struct digest digest_of(struct str s);

/* ---- passwords: argon2id, 19 MiB, 2 passes (OWASP); PHC strings ---- */
#define PASSWORD_HASH 128
int password_hash(struct str password, char ret[PASSWORD_HASH], struct err *e); /* BUSY when there is no memory for it */
bool password_matches(const char *hash, struct str password); /* no for a hash that is damaged or asks over 256 MiB or 16 passes */
void password_waste(struct str password); /* takes as long as a match: for user names that do not exist */

/* ---- tokens: 32 random bytes as base64url without padding; only their digest is stored ---- */
#define TOKEN_TEXT 44
void token_new(char ret[TOKEN_TEXT]);
bool token_valid(struct str s); /* the form only */
struct digest token_digest(struct str s);
bool same_bytes(const void *a, const void *b, size_t n); /* constant time */

/* ---- TOTP (RFC 6238, SHA-1, 30 s, 6 digits) ---- */
#define TOTP_SECRET 20
void totp_secret_new(uint8_t ret[TOTP_SECRET]);
struct str totp_base32(struct arena *a, const uint8_t secret[TOTP_SECRET]);
/* The 30-second step that the code belongs to (one step of drift either way), or -1.  The caller refuses a step that is not
 * after the last one used. */
int64_t totp_step(const uint8_t secret[TOTP_SECRET], struct str code, int64_t now_us);

void base64url_add(struct buf *b, const void *p, size_t n);
bool base64url_parse(struct arena *a, struct str s, struct str *ret);
void hex_add(struct buf *b, const void *p, size_t n);

#endif
