/* Household passes (出入证): records of passes and of the keys that sign them, lists for gates, the verdict on a card, cards to print.
 *
 * A card holds what pass/pass.h says and nothing about a person.  Its text is not kept: it is made from the record and the key whenever it is
 * asked for, and comes out the same.  Keys are made by the program: the first with the first pass, the next ones in time by a job; their
 * seeds are derived from the site key, so that none lies in the database.
 *
 * A pass says since and until which journal entry it has been on each list, so a list of any version can be made again, and the difference between
 * two.  The version of a list is the entry that changed it last.  What the clock changes (an order begins or ends, a pass on a list runs out) is
 * done by a job, as an entry like any other. */
#ifndef PASSES_H
#define PASSES_H

#include "core/tx.h"
#include "paper/paper.h"
#include "pass/list.h"

extern const struct system passes_system;
extern const struct kind passes_kind, passes_key_kind; /* pass, pass_key */

#define PASSES_KEY_SERVES (90 * US_PER_DAY)  /* so long a key signs */
#define PASSES_KEY_AHEAD (14 * US_PER_DAY)   /* so long before that the next one is made and given to gates */
#define PASSES_LIFE (180 * US_PER_DAY)       /* longest time from the issue of a pass to its end */
#define PASSES_LINGER US_PER_DAY             /* an expired pass leaves its lists so much later: clocks of gates differ */
#define PASSES_LIST_LASTS US_PER_DAY         /* from the making of a list file to its end */
enum { PASSES_DAYS = 28, PASSES_AT_ONCE = 1000, PASSES_ON_SHEETS = 500 };

/* ---- keys ---- */
struct passes_keys {
    struct pass_public *all; /* not removed; in the order in which they were made */
    struct id *ids;
    size_t n;
    struct pass_public *published; /* those of which passes may still be valid, and the next */
    size_t published_n;
    char issuer[PASS_NAME_MAX + 1]; /* the same for the life of the site */
};
int passes_keys(struct db *db, struct site *s, struct arena *a, struct passes_keys *ret, struct err *e);

/* ---- texts and cards ---- */
/* The text of the QR code.  STATE (M_NO_PASS_KEY) when no key serves. */
int passes_text(struct site *s, const struct passes_keys *keys, const struct record *pass, struct buf *to, struct err *e);
int passes_card(struct site *s, const struct areas *t, const struct passes_keys *keys, const struct record *pass, enum lang lang, struct arena *a,
                struct card *ret, struct err *e);
/* The cards of passes that are neither revoked nor over, below a path, from behind a place (path "" and a nil id: the first), PASSES_ON_SHEETS at most. */
struct passes_sheet {
    struct card *cards;
    size_t n;
    bool more;
    struct str path; /* the place behind the last */
    struct id id;
};
struct passes_place {
    struct str top, path;
    struct id id;
};
int passes_sheet(struct site *s, struct db *db, const struct areas *t, const struct passes_place *from, enum lang lang, struct arena *a,
                 struct passes_sheet *ret, struct err *e);

/* ---- lists ---- */
int passes_list_kind(struct str name, enum pass_list_kind *ret, struct err *e); /* "revoked", "stay_home"; INVALID, field "list" */
/* The newest entry that changed any list: no list has a higher version. */
int passes_listed(struct db *db, struct site *s, int64_t *ret, struct err *e);
int passes_list_version(struct db *db, struct site *s, enum pass_list_kind kind, int64_t *ret, struct err *e);
/* The list as it stands now; with `from`, a version that can still be made again and is not the newest, what has changed since. */
int passes_list(struct db *db, struct site *s, struct arena *a, const struct passes_keys *keys, enum pass_list_kind kind, int64_t from, struct pass_list *ret,
                struct err *e);
/* Appends the signed file; times are those of now. */
int passes_list_file(struct site *s, const struct passes_keys *keys, struct pass_list *l, struct buf *to, struct err *e);

/* ---- the verdict ---- */
struct passes_verdict {
    enum pass_verdict verdict;
    bool read;                 /* claims are filled */
    struct pass_claims claims;
    struct record *pass;       /* NULL: not of this site's records */
};
/* At a scan, inside the writer: the name of a verdict on the pass with that number (in its plain form) in an area at a time, or PASSES_UNKNOWN when it is
 * not of this site's records.  A signature is not asked about: who sends a number has read the card. */
#define PASSES_UNKNOWN "unknown"
int passes_check(struct tx *tx, struct str number, struct id area, int64_t at, const char **ret, struct err *e);
int passes_check_foresee(struct tx *tx, struct str number, int64_t at, struct err *e);
/* Is the resident ordered to stay at home on the day of `at`, by a pass of his own or of his household? */
int passes_stays_at_home(struct tx *tx, const struct record *resident, int64_t at, bool *ret, struct err *e);
/* The codes of the gate's area and of all areas above it, nearest first. */
size_t passes_chain(const struct areas *t, struct arena *a, struct id area, struct str **ret);
/* A text or a number typed by hand, at that gate, now. */
int passes_verify(struct site *s, struct db *db, const struct areas *t, struct arena *a, const struct record *gate, struct str text,
                  struct passes_verdict *ret, struct err *e);

#endif
