/* A record of any kind: system columns and one value for each field of its kind.
 *
 * In memory a sealed field is V_BLOB as stored or V_TEXT when it was just given; record_plain reads either.  Paths: each area has
 * three base-36 characters behind its parent's path, so a subtree is a range of texts (area.h). */
#ifndef RECORD_H
#define RECORD_H

#include "core/kind.h"
#include "crypto/crypto.h"

struct site;

struct record {
    const struct kind *kind;
    struct id id;
    int64_t version; /* 1 when created */
    struct id area;  /* nil: KIND_NO_AREA */
    struct str path;
    int64_t created_at, updated_at;
    struct id created_by, updated_by;
    bool removed;
    struct str extra; /* JSON object of the site's own fields; empty: none */
    int64_t batch;    /* KIND_LOG: sequence of the journal entry that covers it */
    struct val *v;    /* kind->n values */
};

struct record *record_new(struct arena *a, const struct kind *k);
struct record *record_copy(struct arena *a, const struct record *r); /* shares texts */
struct record *record_dup(struct arena *a, const struct record *r);  /* with its texts */
struct val *record_val(struct record *r, const char *field);         /* INVARIANT that the field exists */
const struct val *record_get(const struct record *r, const char *field);
struct str record_text(const struct record *r, const char *field); /* STR_NONE when empty */
int64_t record_int(const struct record *r, const char *field);     /* 0 when empty */
bool record_has(const struct record *r, const char *field);
day_t record_day(const struct record *r, const char *field, const struct tz *tz); /* of a date or a time; DAY_NONE when empty */
void record_set_text(struct record *r, const char *field, struct str s);
void record_set_int(struct record *r, const char *field, int64_t v);
void record_set_null(struct record *r, const char *field);

/* The plain text of a sealed field i. */
int record_plain(const struct site_key *key, struct arena *a, const struct record *r, size_t i, struct str *ret, struct err *e);
/* Seals what is plain; call before storing. */
void record_seal(const struct site_key *key, struct arena *a, struct record *r);
/* Keyed BLAKE2b over what the row holds: name and value of each field that is not empty, so that a new field changes no old digest.  The path is left
 * out, for it follows the area; of a KIND_LOG also the personal fields and the time of change: they are erased while the digest of their batch stays. */
struct digest record_digest(const struct site_key *key, const struct record *r);
/* The columns that follow from the fields: search_key and search_initials where the kind has them, then a hash for each FIND field.  At most
 * 2 + kind->n values; sealed fields may be sealed or plain. */
int record_derived(const struct site_key *key, struct arena *a, const struct record *r, struct val *to, size_t *ret_n, struct err *e);
/* The name of a record as a list shows it: its first SEARCH field, masked when personal and `masked`; else its KEY; else its id. */
struct str record_title(struct arena *a, const struct record *r, bool masked);

/* ---- the table of a kind ---- */
const char *kind_table(const struct kind *k); /* its name, with "_" behind a word that SQL reserves */
/* The tables of a log's months (months.h): the columns of its own but those of the personal part. */
struct month_table {
    const char *name, *ddl;
    struct stmt take;   /* $1 site $2 after id $3 last id $4 created from $5 created before: those rows of the kind's own table */
    struct stmt remove; /* the same parameters: of this one */
    struct stmt page;   /* $1 site $2 after id $3 limit: id, created_at; order id */
    struct stmt rows;   /* the parameters of take: records, order id */
    struct stmt move;   /* as below */
};
struct kind_sql {
    struct stmt insert, update, get;
    struct stmt old;         /* with months: as get, in all tables; `get` looks into the kind's own alone, the others read all */
    struct stmt range;       /* $1 site $2 path from $3 path to; not removed; order path, id, but of a KIND_LOG as they come */
    struct stmt range_after; /* not KIND_LOG: as range, then $4 after path $5 after id $6 limit */
    struct stmt newest;      /* KIND_LOG: $1 site $2 before id $3 limit; order id descending */
    struct stmt newest_at;   /* KIND_LOG: $1 site $2 ref $3 path $4 seen before $5 before id $6 limit: of that place (log_place.h) alone; order seen, id descending */
    struct stmt scan;        /* $1 site $2 after id $3 limit: all, removed ones too, order id */
    struct stmt batches;     /* KIND_LOG: $1 site; order batch, id */
    struct stmt fresh;       /* KIND_LOG: $1 site; of the kind's own table alone; order id */
    struct stmt search_name, search_initials; /* $1 site $2 text from $3 text to $4 path from $5 path to $6 after text $7 after id $8 limit */
    struct stmt derived;     /* $1 site $2 id: the columns of record_derived */
    struct stmt move;        /* $1 site $2 old path $3 old path end $4 new path: a subtree that moved */
    /* One for each field; sql NULL where there is none. */
    struct stmt *by_field;   /* INDEXED, not KIND_LOG: $1 site $2 value, then as range_after from $3 on */
    struct stmt *by_text;    /* KEY or UNIQUE: $1 site $2 text: two at most */
    struct stmt *by_hash;    /* FIND, not KIND_LOG: $1 site $2 hash: three at most */
    struct stmt *between;    /* KIND_LOG, INDEXED reference: $1 site $2 value $3 after seen $4 after id $5 seen before $6 limit; order seen, id */
    struct stmt *between_fresh; /* the same of the kind's own table alone: months_may_have_seen */
    /* With months; of the kind's own table. */
    struct stmt months_any;   /* $1 site $2 id: a row when a month has it */
    struct stmt page, remove; /* as in month_table; page has $4 before id at its end */
    struct stmt erase;        /* $1 site $2 after id $3 last id $4 created before $5 now: the personal part */
    struct month_table *months;
    size_t months_n;
    const char *ddl;
    const char *places; /* KIND_LOG: a script that fills log_place with those of all rows */
    struct str *field_names; /* "resident.phone": what a sealed value and its hash are bound to */
    size_t way; /* KIND_LOG: the index of kind_way */
    bool has_search;
};
/* Builds and registers the statements of every kind in the registry; once at start. */
void record_tables_build(void);
const struct kind_sql *kind_sql(const struct kind *k);
/* Appends the beginning of a statement that selects the rows of a log in all its tables; `where`, with $1 the site, is asked of each table, for SQLite
 * hands no condition with a query in it on to them.  What follows goes on with AND. */
void record_select_where(struct buf *b, const struct kind *k, const char *where);
void record_select_fresh(struct buf *b, const struct kind *k, const char *where); /* in the kind's own table alone */
/* "IN (...)": the records that the rows of a log refer to (kind_way) and that stand or stood in a range of paths, whose ends are those parameters. */
const char *record_ways_in(struct arena *a, const struct kind *k, int from, int to);
enum { RECORD_COLUMNS = 11 }; /* system columns before the fields in a selected row */

/* ---- reading; every function takes the site's id from `site` ---- */
/* 1 found (removed ones too), 0 not, -1 error. */
int record_load(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct id id, struct record **ret, struct err *e);
int record_load_fresh(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct id id, struct record **ret, struct err *e); /* not the months */
/* A row of a statement above that selects records; texts are copied to the arena. */
void record_read(struct arena *a, const struct kind *k, struct rows *rows, struct record *ret);
/* The record whose UNIQUE, KEY or FIND field has that value and that is not removed: 1, 0, -1; 2 when several have it. */
int record_find(struct db *db, int64_t site, const struct site_key *key, struct arena *a, const struct kind *k, size_t field,
                struct str text, struct record **ret, struct err *e);
/* Reading ahead for record_load and record_find (db_foresee), and what a change of the record makes of it: by its id, keys, hashes, name and
 * indexed fields.  `derived`: that of
 * record_derived. */
int record_load_foresee(struct db *db, int64_t site, const struct kind *k, struct id id, struct err *e);
int record_find_foresee(struct db *db, int64_t site, const struct site_key *key, struct arena *a, const struct kind *k, size_t field, struct str text,
                        struct err *e);
void record_unforesee(struct db *db, int64_t site, const struct record *r, const struct val *derived);

#endif
