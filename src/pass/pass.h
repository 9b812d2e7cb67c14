/* Household passes (出入证) that a gate verifies alone, without any server.
 *
 * The text of the QR code is "LF1:", then base45 (RFC 9285) of zlib (RFC 1950) of a COSE_Sign1 (RFC 9052) with Ed25519 over a CBOR
 * Web Token (RFC 8392): the form of the EU Digital COVID Certificate.  A pass holds an opaque id, areas and times; no name, no
 * identity number, no state of health.  docs/decisions/0010-passes.md has the layout byte by byte.
 *
 * There is one spelling of every token: definite lengths, shortest numbers, the claims in their order, nothing more and nothing
 * less.  Anything else is DAMAGED, even when it is signed.  Only zlib leaves a choice, so a pass is known by its id and never
 * by its text.
 *
 * A copy of a pass verifies as well as the pass.  That the same one was just seen at another gate is known only to whoever holds
 * the scans: pass_verify leaves it to the caller.
 *
 * crypto_init() (or sodium_init()) must have run.  Times are UTC microseconds; in a pass they are whole seconds. */
#ifndef PASS_H
#define PASS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

enum {
    PASS_TEXT_MAX = 1200, /* characters of a QR text */
    PASS_AREAS_MAX = 8,
    PASS_NAME_MAX = 64, /* bytes of an issuer or an area code */
    PASS_OUTINGS_MAX = 1000,
    PASS_DAYS_MAX = 366,
    PASS_KID = 8,
};

/* ---- keys: made anew every few months; the gate needs the public half of each that signed a pass still in use ---- */
struct pass_public {
    uint8_t key[32], kid[PASS_KID];  /* kid: the first bytes of BLAKE2b-256 of the key */
    char issuer[PASS_NAME_MAX + 1];  /* the site whose passes it signs: a neighbour's key cannot make ours */
    int64_t from_at, until_at;       /* it signs what is issued from ... until before */
};
struct pass_key {
    uint8_t seed[32]; /* secret; kept sealed */
    struct pass_public public;
};
/* From a seed that was kept, or a new random one when seed is NULL.  INVALID: an issuer that is empty, longer than
 * PASS_NAME_MAX or not plain text; times that are not in order. */
int pass_key_make(const uint8_t seed[32], struct str issuer, int64_t from_at, int64_t until_at, struct pass_key *ret, struct err *e);
void pass_key_wipe(struct pass_key *k);
/* The set for gates: {"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":HEX,"x":HEX,"iss":TEXT,"nbf":SECONDS,"exp":SECONDS}]}:
 * the names of COSE and CWT, the bytes in lower-case hexadecimal. */
void pass_keys_json(const struct pass_public *keys, size_t n, struct buf *to);

/* ---- a pass ---- */
enum pass_kind { PASS_HOUSEHOLD = 1, PASS_PERSON, PASS_VEHICLE, PASS_VISITOR, PASS_KIND__END };
struct pass_claims {
    struct id id; /* cti (7) */
    struct str issuer; /* iss (1) */
    int64_t from_at, expires_at, issued_at; /* nbf (5), exp (4), iat (6); valid from ... until before expires_at */
    enum pass_kind kind;
    struct str areas[PASS_AREAS_MAX]; /* codes, none twice: it is valid there and everywhere below */
    size_t areas_n;
    int outings, days; /* so many outings in so many days; both 0: the order sets no limit */
};
struct label pass_kind_label(enum pass_kind kind); /* 住户 Household ... */

/* Appends the text.  INVALID with the field that is wrong; issued_at must lie in the time of the key and the issuer be the key's. */
int pass_issue(const struct pass_key *key, const struct pass_claims *c, struct buf *to, struct err *e);

/* ---- the gate ---- */
enum pass_verdict {
    PASS_VALID,
    PASS_NOT_A_PASS,  /* another QR code */
    PASS_DAMAGED,     /* meant to be one, cannot be read */
    PASS_UNKNOWN_KEY, /* no key in our set, or one that did not sign for this issuer at that time */
    PASS_FORGED,      /* the signature does not fit */
    PASS_STAY_HOME,   /* its holders are ordered to stay at home */
    PASS_REVOKED,
    PASS_EXPIRED,
    PASS_NOT_YET,
    PASS_WRONG_AREA,
    PASS_VERDICT__COUNT
};
const char *pass_verdict_name(enum pass_verdict v); /* "valid", "stay_home" ..., stable for programs */
struct label pass_verdict_label(enum pass_verdict v);

struct pass_list; /* pass/list.h */
struct pass_gate {
    const struct pass_public *keys;
    size_t keys_n;
    const struct str *chain; /* the code of the gate's area and of every area above it */
    size_t chain_n;
    const struct pass_list *const *lists; /* full ones; those of other issuers do not apply */
    size_t lists_n;
    int64_t now_at;
};
/* Of several reasons the first in the order above.  From STAY_HOME on, and when VALID, *ret is written; its texts live in the
 * arena.  The text is taken as it is: a scanner's line end is the caller's to cut. */
enum pass_verdict pass_verify(struct arena *a, const struct pass_gate *g, struct str text, struct pass_claims *ret);
/* Are both lists of this issuer there and within their time?  When not, a gate says so beside the verdict. */
bool pass_lists_current(const struct pass_gate *g, struct str issuer);

/* ---- the number on the card, for eyes and keyboards: 11 characters of BLAKE2b of the id and a check character ----
 * It finds the pass where the passes are kept; it proves nothing by itself. */
#define PASS_NUMBER 15
const char *pass_number(struct id id, char ret[PASS_NUMBER]); /* "7K2M-Q8XA-4T6R"; without I L O U */
/* As people type it: lower case, without hyphens, O for 0, I and L for 1.  False when the check character does not fit: no
 * single wrong character and no two exchanged neighbours pass. */
bool pass_number_parse(struct str typed, char ret[PASS_NUMBER]);
/* Its digits without the check digit as a number of 55 bits, another one for each number; false: it is not in its plain form. */
bool pass_number_value(struct str plain, uint64_t *ret);

#endif
