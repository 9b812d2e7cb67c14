/* The county that `lianfang demo` makes without a scenario: about the size of a real mountain county's seat and its villages, with an
 * outbreak of five weeks up to a day.  It is told day by day, with the clock on the day, so that the journal reads as it would. */
#ifndef DEMO_COUNTY_H
#define DEMO_COUNTY_H

#include "cli/demo_records.h"

#define COUNTY_NAME "晴川县"

struct county_options {
    day_t on; /* the last day; DAY_NONE: today of the site */
    int64_t residents;
};
/* INVALID field "on" for a day to come. */
int county_make(struct demo *d, const struct county_options *o, struct err *e);

#endif
