/* Takes what the writer has put into the log of an SQLite file into the file itself, on a thread and a connection of its own, so that no commit waits for it.
 * The engine's own checkpoint, behind a commit, then finds little left to do and begins the log anew.  On a server its planner looks at the tables instead (db_checkpoint),
 * which takes some tenths of a second. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "core/site.h"

/* Pages of a log that is too long: from here on it is ended at any cost. */
enum { CHECKPOINT_LONG = 32768 };

struct checkpointer;
struct checkpointer *checkpointer_start(struct site *s); /* of the site's writer; connects when there is something to do */
void checkpointer_wake(struct checkpointer *c);          /* there is something to do */
bool checkpointer_nearly(struct checkpointer *c);        /* little is left of a long log: asked for by the writer, who does it; true once */
void checkpointer_stop(struct checkpointer *c);

#endif
