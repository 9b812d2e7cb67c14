/* The schema: numbered migrations for the core's tables, and the tables of the kinds, which follow their fields. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "db/db.h"

/* Brings the store to this program's version inside one transaction: runs the migrations that are missing, makes the table of each new
 * kind and the column of each new field.  A store of a newer program is refused (STATE). */
int schema_update(struct db *db, int64_t now, struct err *e);
int schema_newest(void);
/* To an older version of the core's tables, for tests of what comes after it. */
int schema_update_to(struct db *db, int64_t now, int version, struct err *e);

#endif
