/* The disk's part of the writer's commits, on a thread of its own: while one is waited for, the next group runs.  What is handed over is told in its order, behind a
 * sync that began after its commit; one sync serves all that wait.  A disk that refuses ends the program: nobody knows then what of the log it holds, and a second
 * try would not say either.  What is there is read at the next start; nobody has been answered. */
#ifndef DURABLE_H
#define DURABLE_H

#include "db/db.h"

struct settled {
    struct settled *next;
    void (*told)(struct settled *s); /* on that thread; may free it */
};
struct durable;
int durable_start(struct db *db, struct durable **ret, struct err *e); /* *ret NULL: commits of this connection are on the disk by themselves */
void durable_settle(struct durable *d, struct settled *s);             /* it was committed; waits while too much is under way */
void durable_stop(struct durable *d);                                  /* when all has been told; the connection's commits wait for the disk again */

#endif
