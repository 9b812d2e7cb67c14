/* Takes what the writer has put into the log of an SQLite file into the file itself, on a thread and a connection of its own, so that no commit waits for it.
 * The engine's own checkpoint, behind a commit, then finds little left to do and begins the log anew. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "core/site.h"

/* Pages of a log that is too long: from here on it is ended at any cost. */
enum { CHECKPOINT_LONG = 32768 };

struct checkpointer;
struct checkpointer *checkpointer_start(struct site *s); /* NULL: not needed, or no connection to be had; then the engine's own must do */
void checkpointer_wake(struct checkpointer *c);          /* there is something to do; accepts NULL */
bool checkpointer_nearly(struct checkpointer *c);        /* little is left of a long log: asked for by the writer, who does it; true once; accepts NULL */
void checkpointer_stop(struct checkpointer *c);          /* accepts NULL */

#endif
