/* Does the site prove itself?  Everything that can be recounted is recounted from the records and the journal. */
#ifndef FSCK_H
#define FSCK_H

#include "core/site.h"

enum fsck_part { FSCK_FILE, FSCK_CHAIN, FSCK_ROWS, FSCK_BATCHES, FSCK_TALLIES, FSCK_PATHS, FSCK_CHECKS, FSCK__COUNT };
struct fsck_result {
    int64_t looked_at[FSCK__COUNT], wrong[FSCK__COUNT];
    int64_t seq; /* journal entries */
};
extern const char *const fsck_names[FSCK__COUNT];
/* `say` gets a line for each thing wrong (the first 100 of a part).  Returns -1 only when it cannot look; what is wrong is counted. */
int fsck_run(struct site *s, void (*say)(void *arg, enum fsck_part part, const char *what), void *arg, struct fsck_result *ret, struct err *e);

#endif
