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
/* BLAKE2b over what the row holds: name and value of each field that is not empty, so that a new field changes no old digest. */
struct digest record_digest(const struct record *r);
/* The name of a record as a list shows it: its first SEARCH field, masked when personal and `masked`; else its KEY; else its id. */
struct str record_title(struct arena *a, const struct record *r, bool masked);

/* ---- the table of a kind ---- */
const char *kind_table(const struct kind *k); /* its name, with "_" behind a word that SQL reserves */
struct kind_sql {
    struct stmt insert, update, get, range, range_after;
    struct stmt by_key, search_name, search_initials, digest_scan, erase;
    struct stmt *by_field; /* one for each field; sql NULL where not INDEXED */
    struct stmt *by_hash;  /* likewise for FIND */
    struct stmt *by_text;  /* likewise for UNIQUE or KEY */
    struct str ddl;
};
/* Builds and registers the statements of every kind in the registry; once at start. */
void record_tables_build(void);
const struct kind_sql *kind_sql(const struct kind *k);

/* ---- reading; every function takes the site's id from `site` ---- */
/* 1 found (removed ones too), 0 not, -1 error. */
int record_load(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct id id, struct record **ret, struct err *e);
/* Rows of the statements above, column order as in record_columns. */
void record_read(struct arena *a, const struct kind *k, struct rows *rows, struct record *ret);
/* The record whose UNIQUE, KEY or FIND field has that value and that is not removed: 1, 0, -1; 2 when several have it. */
int record_find(struct db *db, int64_t site, const struct site_key *key, struct arena *a, const struct kind *k, size_t field,
                struct str text, struct record **ret, struct err *e);

#endif
