/* Every table of the database as data: the core's own (tables.inc) and those of the kinds, which follow their fields.  What goes through all
 * rows of a site - a copy, the end of a site, the nodes of a cluster - goes through this list. */
#ifndef TABLE_H
#define TABLE_H

#include "core/kind.h"

enum table_place {
    TABLE_BY_SITE, /* `site` is the first column of its key */
    TABLE_LOCAL,   /* one for the whole database */
};
enum table_life {
    TABLE_JOURNALLED, /* its rows change together with the journal only */
    TABLE_BESIDE,     /* without it: settings, secrets, jobs; few rows */
    TABLE_PASSING,    /* who is at work here and now */
    TABLE_DERIVED,    /* made anew from other rows where it is missing */
};
struct table_column {
    const char *name;
    enum val_type type;
};
struct table {
    const char *name;
    enum table_place place;
    enum table_life life;
    const struct table_column *columns; /* those of the primary key first, in its order */
    size_t n, key_n;
    const struct kind *kind; /* whose rows it holds; NULL: the core's own */
    /* TABLE_BY_SITE only.  A row is every column but `site`; $1 is the site. */
    struct stmt first; /* $2 limit: rows in the order of the key */
    struct stmt after; /* $2 ... the key without `site`, then the limit: what comes behind it */
    struct stmt last;  /* the greatest key, without `site` */
    struct stmt count, insert, erase; /* insert: $2 ... the row; erase: all rows of the site */
};
/* NULL past the end. */
const struct table *table_at(size_t i);
const struct table *table_by_name(const char *name);
/* Makes the list and registers its statements; once at start, behind record_tables_build. */
void tables_build(void);
/* All rows of the site in every table, in the transaction that stands. */
int tables_erase(struct db *db, int64_t site, struct err *e);

#endif
