/* Reads the program's own SQL and says what a database spread over several machines (Citus) would refuse or run on all of them at once.
 *
 * It knows as much of SQL as the registries use: where it cannot follow (a join in brackets, SET with a list) that is a finding too.  A table is by site
 * when its first column is `site`.  A statement has the site as $1; each of its tables must be tied to it: by `site = $1`, or by `x.site = y.site` to one
 * that is, in a WHERE or ON without OR.  A script has no parameters: there its tables must be tied to each other. */
#ifndef CORE_SQLLINT_H
#define CORE_SQLLINT_H

#include "base/arena.h"

/* SQL_HABIT(name, what is wrong) */
#define SQL_HABITS                                                                                                     \
    SQL_HABIT(SITE, "a table by site is read or changed without its site")                                             \
    SQL_HABIT(INSERT, "a row is put in whose first value is not the site")                                             \
    SQL_HABIT(SET_SITE, "a row would change its site")                                                                 \
    SQL_HABIT(CONFLICT, "ON CONFLICT with a target that does not begin with site")                                     \
    SQL_HABIT(VOLATILE, "a value of the engine's clock, of chance or of a sequence")                                   \
    SQL_HABIT(LOCK, "rows locked across sites")                                                                        \
    SQL_HABIT(SKIP, "SKIP LOCKED or NOWAIT")                                                                           \
    SQL_HABIT(RECURSIVE, "a recursive query across sites")                                                             \
    SQL_HABIT(GROUPING, "GROUPING SETS, ROLLUP or CUBE")                                                               \
    SQL_HABIT(ROW_PLACE, "a column that says where a row lies (ctid, xmin, rowid)")                                    \
    SQL_HABIT(UNREAD, "a form this check cannot follow")                                                               \
    SQL_HABIT(KEY, "a key, constraint or index of a table by site that does not begin with site")                      \
    SQL_HABIT(PLACE, "a table without site that is not in the list of local ones")                                     \
    SQL_HABIT(FOREIGN, "a foreign key that does not begin with site")                                                  \
    SQL_HABIT(ON_DELETE, "ON DELETE SET NULL or SET DEFAULT")                                                          \
    SQL_HABIT(PROGRAM, "a trigger, rule, function or procedure")                                                       \
    SQL_HABIT(SEQUENCE, "a sequence, serial or identity column")                                                       \
    SQL_HABIT(ALTER, "ALTER TABLE with several actions")
#define SQL_HABIT(name, text) SQL_##name,
enum sql_habit { SQL_HABITS SQL__COUNT };
#undef SQL_HABIT
const char *sql_habit(enum sql_habit h);

struct sql_tables {
    struct str by_site[512], local[16]; /* local: given */
    size_t by_site_n, local_n;
};
/* Adds the tables that the script makes with `site` as their first column. */
void sql_tables_add(struct sql_tables *t, const char *ddl);
/* Bits 1 << habit. */
unsigned sql_lint_stmt(const struct sql_tables *t, const char *sql);
unsigned sql_lint_script(const struct sql_tables *t, const char *sql);

#endif
