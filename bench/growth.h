/* A site with many scans, for bench-growth: filled beside the program, in a small part of the time that its writer would take.
 *
 * The rows are copies of scans that the writer stored, each with an id, times, gate, pass, plate and phone of its own; a row older than 28 days stands without its
 * personal part in the table of its month, as the program would have moved it.  Tallies are counted by the program, the journal is a chain with an entry for each
 * thousand rows.  What fsck would find: digests of batches are not
 * those of their rows, and passes but the first have no entry of their own. */
#ifndef GROWTH_H
#define GROWTH_H

#include "core/site.h"
#include "core/tx.h"

enum { GROWTH_PER_GATE = 500, GROWTH_PER_PERSON = 50, GROWTH_LIVE_DAYS = 28, GROWTH_OLD_DAYS_MOST = 330 };

struct growth {
    struct site *s;
    int64_t live, old;        /* scans of the last 28 days, and those before */
    int64_t gates, people;    /* as many as there are live scans for: an answer is as long whatever their number; each person has a pass */
    int64_t begun, since, now; /* the first scan, the first live one, the clock */
    int64_t newest;            /* the last command's time: later where the site was measured before */
    uint64_t random;
};
struct growth growth_of(int64_t live, int64_t old);
int64_t growth_pick(struct growth *g, int64_t n);
struct id growth_gate(int64_t n); /* gate g->gates is the one of a quiet place, GROWTH_QUIET, where a few passed on the second live day */
struct str growth_pass(struct arena *a, int64_t person);
struct str growth_phone(struct arena *a, int64_t person);
#define GROWTH_QUIET "quiet"
/* A scan as the writer stores it: the n-th of eight forms, somebody at some gate in the last minute. */
int growth_scan(struct tx *tx, struct growth *g, int64_t n, struct err *e);
/* Makes the site in DIR and opens it (ret->s); opens the one that is there already.  Dies, with a reason, when it cannot or when the disk has no room. */
void growth_open(struct growth *g, const char *dir);
void growth_run(struct growth *g, const char *what, struct write_item *item); /* by the writer */
void growth_fail(const char *what, const struct err *e) NORETURN;

#endif
