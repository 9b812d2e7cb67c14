/* The traces of a log: by which values its rows are found (the TRACE fields of its kind), beside the rows and in an order of their own.
 *
 * An index of them would be touched in another place by every row, and each of these pages would be written to the log, copied into the file and written to the disk
 * for one entry.  So the entries of a transaction are sorted and stored together as one run; runs are merged into longer ones later, beside the writer
 * (trace_merge.h), and who asks looks into each run (O'Neil et al., The Log-Structured Merge-Tree, Acta Informatica 33, 1996).  docs/decisions/0016.
 *
 * An entry is 40 bytes: the value, when the row was seen, its id, and its place, the second half of the id of what it refers to (kind_way).  The value is the first 63
 * bits of the site's keyed hash of field and text, so an entry says nothing about anybody by itself.  A run's entries lie in buckets by the upper bits of the value, a few dozen to each, and are never changed. */
#ifndef TRACE_RUN_H
#define TRACE_RUN_H

#include "core/record.h"

struct trace_entry {
    uint64_t value;
    int64_t seen;
    struct id id;
    uint64_t place;
};
enum { TRACE_FIELDS_MOST = 8, TRACE_BUCKET = 40, TRACE_LEVEL_DAY = 15 };

/* Is anything of that kind found by its traces? */
bool trace_kind(const struct kind *k);
/* `as`: the value as the kind's rows are found by it: the text, or of a FIND field its hash. */
uint64_t trace_number(const struct site_key *key, const struct kind *k, size_t field, struct str as);
uint64_t trace_place(struct id ref);
/* One for each TRACE field that is not empty, sealed or plain; at most TRACE_FIELDS_MOST. */
int trace_entries(const struct site_key *key, struct arena *a, const struct record *r, struct trace_entry *to, size_t *ret_n, struct err *e);

/* ---- a run ---- */
enum trace_state { TRACE_WHOLE, TRACE_WRITTEN, TRACE_OVER }; /* only a whole one is read */
struct trace_run {
    int64_t level, run; /* level 0: of one transaction, whose batch `run` is; above: merged, with the run of the newest that is in it */
    int64_t n;
    int64_t shift; /* bucket = value >> shift */
    int64_t seen_from, seen_to;
    int64_t made_at; /* of the newest transaction in it; of a TRACE_WRITTEN: when the last of it came */
    enum trace_state state;
    struct id owner; /* of a TRACE_WRITTEN: writer_id of the process */
};
int64_t trace_shift(int64_t n); /* for so many entries */
int64_t trace_buckets(const struct trace_run *t);
void trace_sort(struct trace_entry *all, size_t n);
/* Adds the entries, sorted, of whole buckets. */
int trace_write(struct db *db, int64_t site, const struct kind *k, const struct trace_run *t, const struct trace_entry *all, size_t n, struct err *e);
int trace_run_add(struct db *db, int64_t site, const struct kind *k, const struct trace_run *t, struct err *e);
/* A whole run of one transaction; sorts the entries. */
int trace_store(struct db *db, int64_t site, const struct kind *k, int64_t run, int64_t made_at, struct trace_entry *all, size_t n, struct err *e);
/* All runs, in the order of `run` and level. */
int trace_runs(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct trace_run **ret, size_t *ret_n, struct err *e);
/* The entries of one stored bucket; CORRUPT. */
int trace_entry_at(struct str bucket, size_t i, struct trace_entry *ret, struct err *e); /* 1, 0 behind the last, -1 */

/* ---- asking ---- */
/* The entries of a value that were seen from `from` to `to`, both included; newest first, each once. */
int trace_find(struct db *db, int64_t site, struct arena *a, const struct kind *k, uint64_t value, int64_t from, int64_t to, struct trace_entry **ret, size_t *ret_n,
               struct err *e);
int trace_find_foresee(struct db *db, int64_t site, const struct kind *k, uint64_t value, int64_t from, int64_t to, struct err *e);
/* Calls `each` with every entry seen after *since in the runs whose `run` is greater than `after`; when they hold more than `most`, in the newest of them, and *since is then
 * the time behind which all is given. */
int trace_each(struct db *db, int64_t site, const struct kind *k, int64_t after, int64_t *since, int64_t most, void (*each)(void *arg, const struct trace_entry *x),
               void *arg, struct err *e);

/* ---- anew ---- */
/* From the rows, when the setting untraced.KIND says that they are without; in the write transaction that stands, under the site's lock. */
int trace_rebuild(struct site *s, struct db *db, const struct kind *k, struct err *e);
int trace_missing(struct db *db, int64_t site, const struct kind *k, bool *ret, struct err *e);
int trace_mark_missing(struct db *db, int64_t site, const struct kind *k, struct err *e);

#endif
