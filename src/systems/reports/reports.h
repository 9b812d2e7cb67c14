/* Daily and zero reports.  Every unit on the list reports every day before its deadline the next morning; silence is not zero.
 *
 * The first report of a unit for a day stands for ever; another one for the same day is its correction: the next revision, pointing
 * to the first.  Only the first counts for being in time. */
#ifndef REPORTS_H
#define REPORTS_H

#include "core/site.h"
#include "core/system.h"

extern const struct system reports_system;
extern const struct kind report_unit_kind, daily_report_kind;

struct missing_report {
    struct id unit, area;
    struct str name, code, path;
    int due_minute;     /* of the next day */
    struct str last_on; /* ISO day of the newest report not after the day asked; STR_NONE: never */
};
struct report_state {
    int64_t due, submitted, late;
};
enum { REPORTS_MISSING_MOST = 2000 };

/* The units below `path` that owe a report for the day and have sent none, in path order, REPORTS_MISSING_MOST at most.  Texts live in the
 * arena. */
int reports_missing(struct db *db, struct site *s, struct arena *a, struct str path, day_t on, struct missing_report **ret, size_t *ret_n, struct err *e);
/* How many owe one, have sent one, and have sent it late. */
int reports_state(struct db *db, struct site *s, struct arena *a, struct str path, day_t on, struct report_state *ret, struct err *e);

#endif
