/* What was seen lately: memory that knows of most values without asking the table that they were not, or says "look".
 *
 * It is two sets of bits (B. H. Bloom, Space/Time Trade-offs in Hash Coding with Allowable Errors, CACM 13(7), 1970), of which the older is dropped when the newer is
 * full; beside them the newest time of everything that is in neither.  Belongs to the writer's thread. */
#ifndef LATELY_H
#define LATELY_H

#include "base/base.h"

struct lately;
enum { LATELY_MOST = 1 << 23 };
/* A set holds `most` values, a power of two from 64 on, in a byte each; memory is taken as they come.  Knows nothing yet: lately_may always says true. */
struct lately *lately_new(size_t most);
void lately_free(struct lately *l); /* accepts NULL */
/* Whatever is not added from now on was seen at `newest` or before (us since 1970); INT64_MAX: not known. */
void lately_start(struct lately *l, int64_t newest);
bool lately_started(const struct lately *l);
void lately_add(struct lately *l, uint64_t value, int64_t seen);
/* False: no row with that value was seen after `from`.  True: look. */
bool lately_may(const struct lately *l, uint64_t value, int64_t from);

#endif
