/* Indexes of a table of an SQLite file: taken away while it is filled, and made again. */
#ifndef GROWTH_STMTS_H
#define GROWTH_STMTS_H

#include "db/db.h"

struct growth_indexes {
    struct str drop, make; /* scripts */
};
/* After sites have been opened: the statements are SQLite's alone. */
int growth_indexes(struct db *db, struct arena *a, const char *table, struct growth_indexes *ret, struct err *e);
/* In place of the settings for a program that must not lose anything: whoever is killed begins again. */
int growth_hurry(struct db *db, struct err *e);
int growth_settle(struct db *db, struct err *e);

#endif
