/* Where the rows of a log stand, through what they refer to: log_place holds each pair of a record that rows of a KIND_LOG point to (kind_way) and a path that
 * such rows have.  Rows are found by that record and their time; an index of their own by path would be a fifth of what a row costs.
 *
 * A pair stays when its last row has gone; one too many is one look-up more.  One that is missing would hide rows, so fsck asks for each. */
#ifndef LOG_PLACE_H
#define LOG_PLACE_H

#include "core/tx.h"

struct log_place {
    struct id ref;
    struct str path;
};
/* The places of a log in a range of paths, order path, ref; `most` + 1 of them when there are more than `most`. */
int log_places_in(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct path_range range, size_t most, struct log_place **ret, size_t *ret_n,
              struct err *e);
/* Those of one record in that range. */
int log_places_of(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct id ref, struct path_range range, struct log_place **ret, size_t *ret_n,
              struct err *e);
int log_place_note(struct tx *tx, const struct record *r, struct err *e); /* a row of a log was stored */

/* A set of them. */
struct log_places;
struct log_places *log_places_new(void);
void log_places_free(struct log_places *p); /* accepts NULL */
void log_places_freep(struct log_places **p);
void log_places_clear(struct log_places *p);
bool log_places_add(struct log_places *p, struct id ref, struct str path); /* false: it has it */

#endif
