/* What a command may do inside the writer's transaction: load, create, change and remove records.  Each change appends its journal entry
 * and its tallies; there is no other way to write a record. */
#ifndef TX_H
#define TX_H

#include "core/site.h"

struct tally_batch;
struct log_rows; /* what the transaction added to one KIND_LOG */
struct kept;     /* what may be used again without asking (kept.h) */
struct lately;
struct used;
struct memo;
struct log_places;
struct tx {
    struct site *site;
    struct db *db;
    struct arena *a; /* of the item under way */
    int64_t now;
    day_t today;
    /* the command under way; set by command_run */
    const struct actor *actor;
    enum lang lang;
    struct id command_id;
    const char *command;
    const struct kind *kind; /* permission is asked for kind->name and verb on the path of every record touched */
    const char *verb;
    int64_t fingerprint;
    bool stored;      /* a row was, whatever failed then */
    bool entry_used;  /* the first journal entry bears command_id, later ones point to it as their cause */
    struct id record; /* the record changed first, its version and its entry */
    int64_t version, entry_seq;
    /* the transaction */
    bool apart; /* each command under a savepoint */
    bool areas_changed, traced; /* traced: rows of a log were stored that are found by what they hold */
    int64_t seq, batch;
    struct digest chain;
    struct tally_batch *tallies;
    struct log_rows *logs; /* one for each kind */
    struct kept *kept;
    struct log_places *places; /* that log_place holds for sure (log_place.h) */
    struct used *used;     /* what a log's rows were found by in the last minutes, and where; NULL outside of the writer */
    struct lately *ids;    /* of commands and rows of logs, by the time in them; never started on a file */
    struct memo *memo;     /* what records say in short; NULL outside of the writer */
    bool alone;            /* reading ahead: nobody else wrote lately, so what kept and memo know need not be asked for */
};

/* 1 found and not removed; NOT_FOUND otherwise. */
int tx_load(struct tx *tx, const struct kind *k, struct id id, struct record **ret, struct err *e);
/* r->kind and r->v are filled; id nil takes a new one; r->area or, when nil, that of the kind's area_from.  Resolves references given by
 * key, derives, checks, seals, stores, counts.  What a person must mend goes to errs (and the first of it to e). */
int tx_create(struct tx *tx, struct record *r, struct errs *errs, struct err *e);
/* r is a changed copy of old; an old record that was removed comes back when r is not.  r->area nil: the area of what area_from now points to, or
 * the old one.  Records of a KIND_FOLLOWS that point to it and stood where it stood move along.  Nothing is written when nothing differs. */
int tx_update(struct tx *tx, const struct record *old, struct record *r, bool *ret_changed, struct errs *errs, struct err *e);
/* STATE (M_HAS_CHILDREN) while other records point to it or, for an area, stand in it; rows of a KIND_LOG or KIND_KEPT do not hold what they
 * point to.  STATE (M_KEPT) for a KIND_KEPT. */
int tx_remove(struct tx *tx, const struct record *old, struct err *e);
/* Empties the personal fields for good; figures stay as they are.  The kind's required personal fields are empty afterwards. */
int tx_erase(struct tx *tx, const struct record *old, struct err *e);
/* A journal entry without a change of the row: an opening. */
int tx_note(struct tx *tx, const struct record *about, struct str change_json, struct err *e);
/* OUTSIDE_AREA unless the command's permission covers the path. */
int tx_require(struct tx *tx, struct str path, struct err *e);
/* The path of an area as this transaction sees it; NOT_FOUND. */
int tx_area_path(struct tx *tx, struct id area, struct str *ret, struct err *e);
/* The tree as this transaction sees it, held; NULL when only the table knows: areas changed in it, or the tree could not be read. */
struct areas *tx_areas(struct tx *tx);
struct check_env tx_env(const struct tx *tx);
/* True: no command and no row of this log has had that id.  False: look. */
bool tx_id_is_new(const struct tx *tx, const struct kind *k, struct id id);
/* Reading ahead, before run: what tx_create will look up to check and resolve these values; given NULL: all of them. */
int tx_foresee_values(struct tx *tx, const struct kind *k, const struct val *values, const bool *given, struct err *e);

/* What follows is done by that actor, not by a command that was given: it gets an id of its own. */
void tx_as(struct tx *tx, const struct actor *who, const char *command, const struct kind *k, const char *verb);

/* ---- for the writer ---- */
struct tx_mark {
    size_t tallies;
    int64_t seq;
    struct digest chain;
};
struct tx_mark tx_mark(struct tx *tx); /* one at a time */
void tx_undo(struct tx *tx, const struct tx_mark *m);
int tx_foresee_start(struct tx *tx, struct err *e);
int tx_start(struct tx *tx, struct err *e);  /* takes the site's lock, reads where the journal ends */
int tx_ids_start(struct tx *tx, struct err *e); /* only while nobody else has written */
void tx_id_used(struct tx *tx, struct id id);
/* Before what was used is asked for: all of the last minutes is read, once.  -- learn: what others have stored behind that journal entry. */
int tx_used_start(struct tx *tx, struct err *e);
int tx_used_learn(struct tx *tx, int64_t after, struct err *e);
#define USED_SPAN (135 * US_PER_SECOND) /* what is asked for is a little less */
enum { USED_MOST = 1 << 22, USED_KEEP = 1 << 12 };
int tx_finish(struct tx *tx, struct err *e); /* writes tallies and batch entries */
struct log_rows *log_rows_new(void);
void log_rows_free(struct log_rows *l);

#endif
