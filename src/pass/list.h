/* Lists for gates: passes that are revoked, passes whose holders must stay at home.
 *
 * A list holds no ids but the first 8 bytes of BLAKE2b-256(salt, id), sorted, so that it names nobody and is searched where it
 * lies.  At 100,000 entries a pass that is not on the list is taken for one that is with a probability of 100,000 / 2^64, less
 * than 2^-47 for each look-up; at the greatest size less than 2^-43.
 *
 * A file is a COSE_Sign1 like a pass, with the content type "lf-list" in its signed header, so that neither is taken for the other.  A
 * full list states a version; a delta says what changes from version `base` to `version`, and the digest of what comes out.
 * The salt stays the same from version to version; a new one comes with a new full list. */
#ifndef PASS_LIST_H
#define PASS_LIST_H

#include "pass/pass.h"

enum { PASS_LIST_HASH = 8, PASS_LIST_SALT = 16, PASS_LIST_MAX = 1000000 };

enum pass_list_kind { PASS_LIST_REVOKED = 1, PASS_LIST_STAY_HOME, PASS_LIST_KIND__END };
struct pass_list {
    enum pass_list_kind kind;
    struct str issuer;
    int64_t version, base; /* from 1; base 0: a full list */
    int64_t made_at, until_at;
    uint8_t salt[PASS_LIST_SALT];
    struct str hashes;  /* 8 bytes each, ascending, none twice; of a delta: what is added */
    struct str removed; /* of a delta */
    uint8_t result[32]; /* of a delta: BLAKE2b-256 of the hashes that it leads to */
};

/* The full list of those ids; kind, issuer, version, times and salt are taken from *head.  Ids may repeat. */
int pass_list_make(struct arena *a, const struct pass_list *head, const struct id *ids, size_t n, struct pass_list *ret, struct err *e);
/* From one full list to a later one of the same kind, issuer and salt; times are those of `to`.  INVALID otherwise. */
int pass_list_delta(struct arena *a, const struct pass_list *from, const struct pass_list *to, struct pass_list *ret, struct err *e);
/* Appends the signed file of a full list or a delta; `to` needs room for 8 bytes an entry and 400 more.  INVALID: the issuer is not the
 * key's, or a time or size out of bounds. */
int pass_list_write(const struct pass_key *key, const struct pass_list *l, struct buf *to, struct err *e);

/* VALID, DAMAGED, UNKNOWN_KEY or FORGED; *ret is written when VALID and points into `bytes`.  Whether its time is over is for
 * pass_lists_current to say: an old list still stops whom it names. */
enum pass_verdict pass_list_read(const struct pass_public *keys, size_t n, struct str bytes, struct pass_list *ret);
/* May `next` (a full list) take the place of `now`?  An older one must not: that would let revoked passes in again. */
bool pass_list_replaces(const struct pass_list *next, const struct pass_list *now);
/* The full list after the delta; false when it does not fit to this list, and a full one must be fetched. */
bool pass_list_apply(struct arena *a, const struct pass_list *l, const struct pass_list *delta, struct pass_list *ret);
bool pass_list_has(const struct pass_list *l, struct id pass);
size_t pass_list_count(const struct pass_list *l);

#endif
