/* What a value of a log's rows was seen at, lately, and where: memory that answers without asking the table, or says "ask".
 *
 * That a value was not seen is known of millions, by two sets of bits (B. H. Bloom, Space/Time Trade-offs in Hash Coding with Allowable Errors, CACM 13(7), 1970), of
 * which the older is dropped when the newer is full; beside them the newest time of everything that is in neither.  Where it was seen is known of as many values as
 * there is room for.  Belongs to the writer's thread. */
#ifndef LATELY_H
#define LATELY_H

#include "base/id.h"

struct lately;
enum { LATELY_MOST = 1 << 23, LATELY_PLACES = 1 << 16 };
/* A set holds `most` values, a power of two from 64 on, in a byte each; memory is taken as they come.  Knows nothing yet: lately_may always says true. */
struct lately *lately_new(size_t most);
void lately_free(struct lately *l); /* accepts NULL */
/* Whatever is not added from now on was seen at `newest` or before (us since 1970); INT64_MAX: not known. */
void lately_start(struct lately *l, int64_t newest);
bool lately_started(const struct lately *l);
int64_t lately_newest(const struct lately *l); /* nothing was seen after it */
void lately_add(struct lately *l, uint64_t value, int64_t seen);
/* The same for who asks where; one or the other is called for all of a struct lately. */
void lately_add_at(struct lately *l, uint64_t value, struct id where, int64_t seen);
/* All rows with that value that were seen after `since` are added now, again perhaps: from then on it is known where. */
void lately_know(struct lately *l, uint64_t value, int64_t since);
/* False: no row with that value was seen after `from`.  True: look. */
bool lately_may(const struct lately *l, uint64_t value, int64_t from);
/* True: *ret says whether a row with that value was seen after `from`, `at` at the latest, anywhere but `here`.  False: look. */
bool lately_elsewhere(const struct lately *l, uint64_t value, struct id here, int64_t from, int64_t at, bool *ret);
int64_t lately_added(const struct lately *l); /* how often, ever */
void lately_doubt(struct lately *l); /* what was added may have been undone: where is not known any more */

#endif
