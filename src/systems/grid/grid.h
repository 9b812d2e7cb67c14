/* The grid: areas, households, and who answers for them.
 *
 * household.assign {"member": id or null, "households": [id, ...]} lets one member answer for up to 5,000 households, or nobody.
 *
 * A household's coverage is kept as a period (covered_since, covered_until) beside the member who holds it now, so that the
 * coverage of a past day does not change when a member hands over. */
#ifndef GRID_H
#define GRID_H

#include "core/system.h"

extern const struct system grid_system;
extern const struct kind household_kind, assignment_kind;

enum { HOUSEHOLDS_AT_ONCE = 5000 };

#endif
