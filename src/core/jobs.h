/* What runs by the clock: jobs of the systems, sessions that are over, personal data whose time has come.
 *
 * Each job runs as a writer item when its time since the last run (kept in the settings) is over, so that a restart does not run it again.
 * Retention: a kind's personal part ends retention_days after the record's last change; then it is erased, one journal entry each, and the
 * figures stay.  Rows of logs move to their months without it, and end there (months.h). */
#ifndef JOBS_H
#define JOBS_H

#include "core/site.h"

struct jobs;
struct jobs *jobs_start(struct site *s);
void jobs_stop(struct jobs *j);
/* Now, on this thread: the records whose personal part was erased. */
int retention_run(struct site *s, int64_t *ret_erased, struct err *e);

#endif
