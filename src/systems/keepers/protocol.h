/* The numbers of the epidemic-control plan: thresholds, clocks, durations, each in force since a day.
 *
 * Read once and kept for a second, so that a rule may ask on every scan; a change made by this process counts at once, one made by
 * another process (or a removal) within that second. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include "core/site.h"

extern const struct kind protocol_kind;
enum { PROTOCOL_STMTS = 1 };
extern struct stmt protocol_stmts[PROTOCOL_STMTS];

/* The newest value with since <= on, else the default of the plan's 6th edition.  `name` is one of the kind's codes. */
int protocol_value(struct db *db, struct site *s, const char *name, day_t on, double *ret, struct err *e);

#endif
