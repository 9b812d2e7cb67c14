/* What the system's keepers look after: users and their roles, the protocol's numbers, the queue of duplicates.
 *
 * An import never stops at a row that looks like somebody who is there already: it queues a `duplicate`, with the row's values as JSON
 * (field -> value as in the API), beside the record it looks like.  Two records that look alike are queued with both ids.
 *   duplicate.merge     row: its values go into record a.  Two records: what a lacks is taken from b, references to b move to a, b is removed.
 *   duplicate.separate  row: it becomes a record of its own.  Two records: they stay.
 *   duplicate.undo      either of them taken back; fields that somebody changed since stay as they are.  A removed b comes back as a new
 *                       record with the same content, and record_b names it. */
#ifndef KEEPERS_H
#define KEEPERS_H

#include "core/system.h"

extern const struct system keepers_system;
extern const struct kind user_kind, user_role_kind, duplicate_kind;
enum { DUPLICATE_COMMANDS = 3 };
extern const struct command duplicate_commands[DUPLICATE_COMMANDS];

#endif
