/* The rows of a log in some places, newest first by when they were seen: a look-up in an index for each place, however many rows lie elsewhere or are newer. */
#ifndef RECENT_H
#define RECENT_H

#include "core/log_place.h"

struct recent {
    const struct kind *kind;
    struct log_place *places;
    size_t places_n;
    int64_t before;      /* seen before it, or then and with an id before this one */
    struct id before_id;
};
/* At most `limit`. */
int recent_rows(struct db *db, int64_t site, struct arena *a, const struct recent *q, size_t limit, struct record ***ret, size_t *ret_n, struct err *e);

#endif
