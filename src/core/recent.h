/* The rows of a log in some places, newest first: a look-up in an index for each place, however many rows lie elsewhere or are newer. */
#ifndef RECENT_H
#define RECENT_H

#include "core/record.h"

struct recent {
    const struct kind *kind;
    struct str *paths; /* of areas; what lies below them is not meant */
    size_t paths_n;
    struct id before;  /* ids less than it */
};
/* At most `limit`. */
int recent_rows(struct db *db, int64_t site, struct arena *a, const struct recent *q, size_t limit, struct record ***ret, size_t *ret_n, struct err *e);

#endif
