/* Short answers about very many keys, by heart: which of some ten thousand different texts is the answer to a key, in eight bytes for each.  They are read from the
 * records of one kind, on a thread of their own once many were asked for: whoever asks for few pays nothing.
 *
 * Belongs to the writer's thread and holds as long as nobody else writes to the site: the answer about a record that is stored is dropped, and when another
 * process has written all of them are.  Reading them all is dear: each time they were dropped before they had answered as often as there are keys, twice as many
 * must be asked for until they are read again.  A key or a text that finds no room is no error: the records are asked, as before. */
#ifndef MEMO_H
#define MEMO_H

#include "core/site.h"

enum { MEMO_KEY_BITS = 55, MEMO_MOST = 1 << 24, MEMO_AFTER = 64 }; /* MEMO_MOST: keys, 128 MiB */

struct memo;
struct memo_table;
struct memo_source {
    bool (*key)(const struct record *r, uint64_t *ret); /* false: there never is an answer about it */
    /* Some thousand records behind `after`, which is empty at first and is moved on, each by memo_fill; *ret_more: there are others. */
    int (*page)(struct db *db, const struct site *s, struct memo_table *to, char after[MEMO_AFTER], bool *ret_more, struct err *e);
};
struct memo *memo_new(struct site *s); /* of the one kind that has a source (kind.memo); NULL: there is none */
void memo_free(struct memo *m);        /* before the site is closed; accepts NULL, as do all that follow */
void memo_fill(struct memo_table *t, uint64_t key, struct str answer);

void memo_begin(struct memo *m); /* a transaction has begun, behind memo_clear if that is due: what has been read is taken, or reading begins */
/* True: the answer, valid until the next call.  False: ask the record, and memo_put. */
bool memo_get(struct memo *m, uint64_t key, struct str *ret);
void memo_put(struct memo *m, uint64_t key, struct str answer); /* does nothing in a transaction that has stored such a record: it may be undone */
void memo_stored(struct memo *m, const struct record *r);
void memo_clear(struct memo *m); /* another process has written */

#endif
