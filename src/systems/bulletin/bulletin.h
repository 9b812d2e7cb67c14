/* Bulletins: what was made public, kept as it was.
 *
 * bulletin.issue {"since", "until", "note"?} for the area of the command takes every figure that is not hidden and stores it as the next
 * revision for that area and period; the first stays.  The figures are those of the moment before the transaction's own changes.
 * `figures` holds [{"id","unit","value","cuts":[{"cut","value"}]}]; value is null where there was nothing to divide by. */
#ifndef BULLETIN_H
#define BULLETIN_H

#include "core/system.h"

extern const struct system bulletin_system;
extern const struct kind bulletin_kind;

/* Its statements, in the order of bulletin_stmts.inc. */
enum { BULLETIN_NEWEST, BULLETIN_FIRST };
extern struct stmt bulletin_stmts[];

enum { BULLETIN_FIGURES_BYTES = 200000, BULLETIN_DAYS = 3660 };

#endif
