/* The journal: one entry for each change, each with a hash over the entry before it.
 *
 * hash = BLAKE2b-256 over the previous hash and every other field of the entry.  An entry of a record carries the digest of the row it left behind, so
 * fsck finds a row changed behind the program's back; an entry of a batch (KIND_LOG; its version is the batch's number) carries the digest over
 * the rows of that batch in id order.  Personal values never stand in `change`: only the field's name does. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "core/tx.h"

struct journal_entry {
    int64_t seq, at, version, fingerprint;
    struct id id, actor, record, cause;
    struct str command, kind, path, change;
    bool has_row;
    struct digest row, hash;
};
/* Where the journal of the site ends; seq 0 and a zero hash when it is empty. */
int journal_end(struct db *db, int64_t site, int64_t *ret_seq, struct digest *ret_hash, struct err *e);
/* Fills seq and hash from the transaction's chain and stores. */
int journal_append(struct tx *tx, struct journal_entry *j, struct err *e);
/* The next entry's hash. */
struct digest journal_hash(const struct digest *before, const struct journal_entry *j);
int journal_by_id(struct db *db, int64_t site, struct arena *a, struct id id, struct journal_entry *ret, struct err *e); /* 1, 0, -1 */
/* {"field":[from,to],...}, "area" and "removed" among them; personal fields: {"field":true}.  old NULL: every field that is set, from null. */
struct str journal_change(const struct tz *tz, struct arena *a, const struct record *old, const struct record *r);
/* A row of the journal_* statements of core_stmts.inc. */
void journal_read(struct arena *a, struct rows *rows, struct journal_entry *ret);

#endif
