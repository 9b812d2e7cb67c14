/* Where a value of a log's rows was used in the last minutes, exactly: memory that answers without asking the table, or says "ask".
 *
 * Each use is 16 bytes, in tables by time of which the oldest is let go; what is seen later than its time by the clock is taken along.  Belongs to the writer's
 * thread; what an undone transaction added is taken back. */
#ifndef USED_H
#define USED_H

#include "base/base.h"

struct used;
enum used_answer { USED_NOT, USED_ELSEWHERE, USED_ASK };

/* Keeps what was seen in the last `span` us, and longer, while it is no more than `most` uses; knows nothing yet. */
struct used *used_new(int64_t span, size_t most);
void used_free(struct used *u); /* accepts NULL */
/* Forgets all.  Every use seen after `since` (us since 1970) is added from now on; INT64_MAX: it has not started. */
void used_start(struct used *u, int64_t since);
bool used_started(const struct used *u);
int64_t used_since(const struct used *u); /* what was seen later is all known; never less than before */
void used_raise(struct used *u, int64_t since);
/* The same use again changes nothing.  now: the clock's time, us.  Does nothing before it is started.  What finds no room (a million places, a hundred days from now) is not
 * kept: then all is asked until its time. */
void used_add(struct used *u, uint64_t value, uint64_t where, int64_t seen, int64_t now);
/* Was the value seen after `from`, `at` at the latest, anywhere but `here`?  USED_ASK: not all of it is known. */
enum used_answer used_elsewhere(const struct used *u, uint64_t value, uint64_t here, int64_t from, int64_t at);

/* ---- what may be undone ---- */
void used_keep(struct used *u);                /* what was added until now stays */
size_t used_mark(const struct used *u);        /* how many were added since then */
void used_undo(struct used *u, size_t mark);   /* takes back what was added behind the mark */

#endif
