/* What the tests of the PostgreSQL engine share: statements, and a schema of its own for each test on the server that LF_TEST_DB names. */
#ifndef DB_PG_HELP_H
#define DB_PG_HELP_H

#include "db/db.h"
#include "unit.h"

extern struct stmt pg_all[];
enum { PUT, GET, LIST, BY_TEXT, BY_ID, COUNT_V, FROM, SET, LOCK, PAGE, LENGTH, GAP, SWAPPED, LOWER, UPSERT, ADD_U, PID, END, MANY };

const char *pg_url(void); /* ends the test where there is no server */
struct db *pg_open_as(enum db_mode mode);
struct db *pg_open_new(void); /* with tables v and u */
void pg_put(struct db *db, int64_t n);
int64_t pg_count(struct db *db); /* rows of v */
void pg_end_connection(struct db *by, struct db *db);

#endif
