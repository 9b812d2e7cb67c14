/* What becomes of the rows of a log: fresh ones are in the kind's own table, older ones without their personal part in the table of their month, and at
 * last they end, a whole month at a time.
 *
 * A month is that of created_at in UTC: rows of one transaction, which one journal entry stands for, are of one month.  There are as many tables as months can
 * be kept (kind_sql.months); a month has the table of its number modulo their count, which a month that has ended has left empty.  A table says nothing
 * that its rows do not say: created_at decides.
 *
 * The move is the erasure: tables of months have no columns for what is personal.  What ended rows had counted stays in `tally_ended`.  All of it is done in slices
 * by the writer, between the items of others; each slice leaves rows, tallies and journal in agreement.  docs/decisions/0013-scans-by-month.md. */
#ifndef MONTHS_H
#define MONTHS_H

#include "core/record.h"
#include "core/tx.h"

/* May a row of that id have left the kind's own table?  The time in the id (UUIDv7) says no: what it says of rows that are moved is never more than a day
 * ahead of the truth, as move and erasure keep to. */
bool months_may_hold(const struct kind *k, struct id id, int64_t now);
/* The same of rows that were seen (kind->seen) at or after a time: nothing is seen after it was stored, but by a clock that is a little ahead. */
bool months_may_have_seen(const struct kind *k, int64_t from, int64_t now);
/* As record_load, where nearly every id is new; for now = tx->now. */
int months_load(struct tx *tx, const struct kind *k, struct id id, struct record **ret, struct err *e);
/* An id whose time is more than a day ahead, or that holds none: where there was one, rows are looked for in more places.  In the transaction that
 * stores the row. */
bool months_odd(struct id id, int64_t now);
int months_note_odd(struct tx *tx, const struct kind *k, struct err *e);

/* Rows created before this have ended, or are about to. */
int months_ended(struct db *db, int64_t site, const struct kind *k, int64_t *ret, struct err *e);
/* Moves what is older than the kind's retention_days, ends the months whose last day is more than sunset_days ago; on this thread, by the writer.
 * Being killed or failing leaves the rest for the next time. */
int months_run(struct site *s, const struct kind *k, int64_t *ret_erased, struct err *e);

#endif
