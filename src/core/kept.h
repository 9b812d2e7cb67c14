/* What the writer has read and may use again: the records that rows of a KIND_LOG refer to, gates above all.  Valid as long as nobody else writes to the
 * site: the writer empties it when the journal went on without it, when a transaction is undone, and forgets a kind when a record of it is stored. */
#ifndef KEPT_H
#define KEPT_H

#include "core/record.h"

struct kept;
struct kept *kept_new(void);
void kept_free(struct kept *k); /* accepts NULL */
void kept_clear(struct kept *k);
void kept_forget(struct kept *k, const struct kind *of);
/* The record of that id, or, with a field (its index), the one that has that text; NULL: not kept.  Read only; valid until the next kept_put, clear or forget. */
struct record *kept_get(const struct kept *k, const struct kind *of, int field, struct str what);
/* Copies the record; field -1: by its id. */
void kept_put(struct kept *k, int field, struct str what, const struct record *r);

#endif
