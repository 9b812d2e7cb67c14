/* What a command may do inside the writer's transaction: load, create, change and remove records.  Each change appends its journal entry
 * and its tallies; there is no other way to write a record. */
#ifndef TX_H
#define TX_H

#include "core/site.h"

struct tally_batch;
struct tx {
    struct site *site;
    struct db *db;
    struct arena *a; /* of the item under way */
    int64_t now;
    day_t today;
    const struct actor *actor;
    enum lang lang;
    /* the command under way */
    struct id command_id;
    const char *command;
    int64_t fingerprint;
    struct str reason;
    bool entry_used; /* the first journal entry bears command_id, later ones point to it as cause */
    /* the transaction */
    struct areas *areas; /* as of the transaction, changes of areas included */
    bool areas_changed;
    int64_t seq;
    struct digest chain;
    struct tally_batch *tallies;
    struct log_batch *logs;
    struct record_ref { struct id record; const struct kind *kind; struct str path; } *touched;
    struct id record; /* the record the command made or changed first */
    int64_t version;
};

int tx_load(struct tx *tx, const struct kind *k, struct id id, struct record **ret, struct err *e); /* NOT_FOUND when absent or removed */
/* r->kind and r->v are filled; id nil takes a new one; area or a filled area_from.  Derives, checks, seals, stores. */
int tx_create(struct tx *tx, struct record *r, struct errs *errs, struct err *e);
/* r is a changed copy of old.  Nothing happens when nothing differs (*ret_changed false). */
int tx_update(struct tx *tx, const struct record *old, struct record *r, bool *ret_changed, struct errs *errs, struct err *e);
int tx_remove(struct tx *tx, const struct record *old, struct err *e);
/* A journal entry without a change of the row: an opening, a sign-in. */
int tx_note(struct tx *tx, const struct record *about, const char *command, struct str change_json, struct err *e);
struct check_env tx_env(const struct tx *tx);

#endif
