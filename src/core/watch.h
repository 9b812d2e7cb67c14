/* Hears of what other processes commit to the same site on a server: a thread that waits for their notifications and looks at the journal, which
 * is the truth; one that was missed is found by the next look. */
#ifndef WATCH_H
#define WATCH_H

#include "core/site.h"

struct watch *watch_start(struct site *s, struct id self); /* self: the writer of this process, whose commits are no news */
void watch_stop(struct watch *w); /* accepts NULL */

#endif
