/* Figures: tallies counted as commands commit, rolled up the area tree, and queries.
 *
 * tally(site, path, figure, cut, day) -> n.  FLOW adds on the record's day; STOCK adds on the day it begins to count and takes away on
 * the day it stops, so its value on a day is the sum of all days up to it.  `cut` is "field=value;field=value" of the figure's cuts in their
 * order, empty values left out; a reference stands there as its id, a boolean as true or false, and a text has its ; and , made full-width.
 * A figure's rule is evaluated on a record before and after each change, by the same code that fsck and the rows behind a figure use. */
#ifndef FIGURE_H
#define FIGURE_H

#include "core/tx.h"

/* ---- counting ---- */
struct tally_key {
    struct str path, figure, cut, day;
};
struct tally_batch; /* deltas of the commands of one transaction */
struct tally_batch *tally_batch_new(void);
void tally_batch_free(struct tally_batch *b);
void tally_batch_freep(struct tally_batch **b);
void tally_batch_start(struct tally_batch *b);              /* a transaction: empty */
size_t tally_batch_mark(struct tally_batch *b);             /* before a command */
void tally_batch_undo(struct tally_batch *b, size_t mark);  /* it failed */
/* Outside any command: adds the deltas to the table and empties the batch; on an error the batch stays. */
int tally_batch_flush(struct tally_batch *b, struct tx *tx, struct err *e);
/* The same before the commit, behind the group's last journal entry.  On a server each tally is a row to be found and written anew, and most tallies of scans meet
 * again in the next group: what rows of a log count lies by in tally_group, until there are many groups or somebody else wrote.  Who reads figures adds it; a
 * statement of a system that reads `tally` itself does not see it. */
int tally_batch_finish(struct tally_batch *b, struct tx *tx, struct err *e);
void tally_batch_committed(struct tally_batch *b);
void tally_batch_strangers(struct tally_batch *b);   /* another process wrote, or nobody knows */
bool tally_batch_lies_by(const struct tally_batch *b); /* something of this process */
/* To the table with the deltas and all that lies by, of whom ever; whether there is something. */
int tally_settle(struct tally_batch *b, struct tx *tx, struct err *e);
int tally_lies_by(struct db *db, int64_t site, bool *ret, struct err *e);
/* The record's contributions times sign (+1, -1), for every figure of its kind. */
void tally_record(struct tally_batch *b, const struct tz *tz, const struct record *r, int sign);
/* Rows that end: what they counted is kept by the path where they stood (tally_ended), and counted up the tree from there when all is counted again. */
void tally_ending(struct tally_batch *b, const struct tz *tz, const struct record *r);
int tally_keep(struct tally_batch *b, struct tx *tx, struct err *e); /* and empties the batch, which must hold nothing else */
/* The contributions of what has ended below there, times sign, to the tallies of the transaction; and another path for it. */
int tally_ended(struct tx *tx, const struct path_range *below, int sign, struct err *e);
int tally_ended_move(struct tx *tx, const struct path_range *from, struct str to, struct err *e);
/* Recounts everything from the records and what has ended; `wrong` is called for each tally that differs. */
int tally_recount(struct site *s, struct db *db, void (*wrong)(void *arg, const struct tally_key *k, int64_t stored, int64_t counted),
                  void *arg, struct err *e);
/* Counts everything anew in place of what is stored. */
int tally_rebuild(struct tx *tx, struct err *e);
/* What the stored tallies mean: a digest over the rules that made them.  Another one: rebuild. */
struct digest figures_digest(void);
/* Compiles and checks the rules of all figures; once at start, after record_tables_build. */
void figures_build(void);

/* ---- asking ---- */
struct dim {
    struct str field, value;
};
struct figure_query {
    const struct figure *figure;
    struct str path; /* the area */
    day_t from, to;  /* both included; a day: from == to */
    struct dim dims[4];
    size_t n;
};
struct figure_value {
    struct str cut; /* "" for the whole; "k=v;k=v" */
    double value;
    bool none; /* nothing to divide by */
};
/* The value under the query's dims.  Errors: INVALID field "dim" M_NO_DIM. */
int figure_value(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, struct figure_value *ret, struct err *e);
/* The whole (its cut is the dims), each value that occurs of one field at a time, then each combination of all fields in which two or more are
 * filled in.  Fields that the dims name are not cut again.  QUERY: the whole, then the statement's rows as they come. */
int figure_cuts(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, struct figure_value **ret, size_t *ret_n, struct err *e);
/* Reading ahead for figure_value and figure_cuts of every figure that is not hidden (db_foresee). */
int figures_foresee(struct db *db, struct site *s, struct arena *a, struct str path, day_t from, day_t to, struct err *e);
/* A value for each day of the period; NAN where there is nothing to divide by.  At most 3660 days (INVALID field "to"). */
int figure_series(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, double **ret, struct err *e);
/* Up to `limit` records behind it after the cursor (path and id of the last one, empty at first).  A RATIO's rows are those of `part`. */
struct figure_cursor {
    struct str path;
    struct id id;
    bool more;
};
int figure_rows(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, struct figure_cursor *cur, size_t limit,
                struct record **ret, size_t *ret_n, struct err *e);
/* "k=v", "k:v", several by ; or , - added to those of the query, whose figure is set.  INVALID field "dim": M_NO_DIM, M_REQUIRED (no value),
 * M_DUPLICATE_FIELD. */
int dims_parse(struct arena *a, struct str text, struct figure_query *q, struct err *e);

#endif
