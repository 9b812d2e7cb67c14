/* Shared by demo_makers.c and demo_cover.c. */
#ifndef DEMO_MAKERS_H
#define DEMO_MAKERS_H

#include "cli/demo_facts.h"

/* One more place of that level at or below `top`. */
int make_place(struct making *m, const struct fact *f, int32_t top, struct place_new p, int32_t *ret, struct err *e);
/* A new member at that place, or the contradiction that forbids it. */
int member_for(struct making *m, const struct fact *f, int32_t place, struct made **ret, struct err *e);
/* Heads for n buildings that nobody answers for. */
int cover_buildings(struct making *m, const struct fact *f, int64_t n, struct err *e);

/* Where a fact wants some of the buildings uncovered, nobody may live in those: every household may have to be covered. */
size_t buildings_lived_in(const struct making *m, const struct fact *f, size_t buildings);

make_fn make_covered, make_covered_percent, make_buildings_percent, make_clock_percent, make_reports, make_reports_percent;

#endif
