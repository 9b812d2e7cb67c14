/* Shared by the files of this module and by its tests: base45, the few kinds of CBOR that passes are made of, COSE_Sign1. */
#ifndef PASS_INTERNAL_H
#define PASS_INTERNAL_H

#include "base/day.h"
#include "pass/list.h"
#include "pass/pass.h"

void base45_add(struct buf *to, struct str bytes);
bool base45_parse(struct buf *to, struct str text); /* each value has one spelling */

/* ---- CBOR (RFC 8949), deterministic ---- */
enum cbor_major { CBOR_UINT, CBOR_NINT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG };
void cbor_head(struct buf *to, enum cbor_major major, uint64_t n);
void cbor_int(struct buf *to, int64_t v);
void cbor_str(struct buf *to, enum cbor_major major, struct str s);

/* The reader knows what comes next, so nothing nests and nothing is skipped.  What does not fit sets `bad`; reading on gives
 * zeros and empty texts. */
struct cbor_in {
    struct str rest;
    bool bad;
};
uint64_t cbor_read(struct cbor_in *in, enum cbor_major major, uint64_t max);
struct str cbor_read_str(struct cbor_in *in, enum cbor_major major, size_t max);
int64_t cbor_read_uint(struct cbor_in *in, int64_t min, int64_t max);
void cbor_expect(struct cbor_in *in, int64_t v); /* exactly this number */
void cbor_read_fixed(struct cbor_in *in, void *ret, size_t n); /* n bytes of CBOR_BYTES */
bool cbor_done(const struct cbor_in *in);        /* all read, nothing bad */

/* ---- COSE_Sign1 with Ed25519 ---- */
struct cose {
    struct str head, payload; /* signed */
    uint8_t kid[PASS_KID], signature[64];
};
#define COSE_PASS STR_NONE
#define COSE_LIST STR("lf-list")
void cose_sign(const struct pass_key *k, struct str type, struct str payload, struct buf *to);
bool cose_parse(struct str bytes, struct str type, struct cose *ret); /* *ret points into bytes */
/* The key that signed it: VALID, UNKNOWN_KEY or FORGED. */
enum pass_verdict cose_verify(const struct cose *c, const struct pass_public *keys, size_t n, const struct pass_public **ret);
/* Is there an entry of that key for this issuer at the time of issue? */
bool key_serves(const struct pass_public *keys, size_t n, const struct pass_public *key, struct str issuer, int64_t issued_at);

/* ---- the parts of a QR text; tests sign what pass_issue refuses to make ---- */
void pass_text_add(struct str token, struct buf *to);
void pass_payload_add(const struct pass_claims *c, struct buf *to);

#define PASS_TIME_END (INT64_C(253402300800) * US_PER_SECOND) /* the year 10000 */
static inline int64_t whole_second(int64_t at) {
    return at - at % US_PER_SECOND;
}
#define PASS_VERSION_MAX (INT64_C(1) << 53)                      /* a browser's numbers are exact up to here */
bool name_is_plain(struct str s); /* 1 to PASS_NAME_MAX bytes of UTF-8 without control characters */
int check_name(struct str s, const char *field, struct err *e);
/* 0 <= from < until < the year 10000, in whole seconds. */
int check_period(int64_t from_at, int64_t until_at, const char *from, const char *until, struct err *e);
/* Does this key sign for that issuer at that time? */
int check_signer(const struct pass_key *k, struct str issuer, int64_t at, const char *field, struct err *e);
void blake(uint8_t ret[32], struct str first, struct str second);

#endif
