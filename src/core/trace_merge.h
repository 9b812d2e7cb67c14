/* Makes long runs of short ones (trace_run.h), beside the writer, who is handed what is to be written in slices.
 *
 * Sixteen runs of a level become one of the next, so a value is looked for in a few dozen places however many rows there are.  When a day (UTC) is over its runs become
 * one, and when all rows of a run have had their time in the kind's own table (months.h) it ends.  A run of more than one slice is written first and takes the place of
 * the others at once: whoever is killed in between leaves a run that nobody reads, for the next one to take away.  Of several processes one writes at a time. */
#ifndef TRACE_MERGE_H
#define TRACE_MERGE_H

#include <stdatomic.h>

#include "core/site.h"

/* All that there is to do now, on this thread; stop, if not NULL, ends it between two slices. */
int trace_merge(struct site *s, const struct kind *k, const atomic_bool *stop, struct err *e);

/* The same on a thread, whenever enough was stored. */
struct trace_merger;
struct trace_merger *trace_merger_start(struct site *s);
void trace_merger_stored(struct trace_merger *m); /* a transaction has stored rows of a log */
void trace_merger_stop(struct trace_merger *m);   /* when the writer takes nothing more and still does what it has */

#endif
