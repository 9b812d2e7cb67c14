/* Copies one site from its database to another one, of either engine, row by row in key order.
 *
 * The source may be in use: all is read from one snapshot, and what is committed later is not in the copy.  The target gets some thousand rows in
 * each transaction.  Until the last of them its setting 'copy' stands - where the journal of the source ended - and site_open refuses it
 * (STATE, M_COPY_UNFINISHED); a copy that was interrupted at any point goes on behind the last row that is there.
 *
 * Not copied: who is signed in, login throttles, the processes at work (TABLE_PASSING).  A copy is another place; people sign in there anew. */
#ifndef COPY_H
#define COPY_H

#include "core/site.h"

struct copy_options {
    const char *name; /* of the target, in messages: an address may hold a password */
    bool again;       /* what an unfinished copy left in the target is taken away first */
    int64_t at_once;  /* rows in a transaction; 0: 4000 */
    /* After each transaction.  False: stop here (STATE, M_COPY_UNFINISHED). */
    bool (*progress)(void *arg, int64_t done, int64_t total);
    void *arg;
};
struct copy_result {
    int64_t rows, before; /* in the copy now; of these there when this run began */
    int64_t seq;          /* where the journal ends */
};
/* to: an address for db_open; a file is made, a server's database must be there.
 * CONFLICT (M_SITE_EXISTS): the target holds the site.  STATE (M_COPY_CHANGED): the source was written to since the copy began; with
 * `again` it begins anew.  STATE (M_SCHEMA_NEWER): the source has columns that this program does not know.  RETRY and the other errors of a database: copy again, it goes on. */
int copy_site(struct site *from, const char *to, const struct copy_options *o, struct copy_result *ret, struct err *e);
/* Does the setting 'copy' stand?  1, 0, -1. */
int copy_is_unfinished(struct db *db, int64_t site, struct err *e);

#endif
