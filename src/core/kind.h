/* A kind is a table of fields.  From that one table come SQL columns, validation, JSON, forms, lists, import and export headings,
 * OpenAPI, redaction.  Adding a field is one line here (in its system) and one migration.
 *
 * Depends on base, db (values).  Validation has no I/O. */
#ifndef KIND_H
#define KIND_H

#include "base/day.h"
#include "db/db.h"
#include "json/json.h"

struct record;
struct tx;
struct errs;
struct memo_source;

struct code {
    const char *value;
    struct label label;
};
/* Named list of codes; ends with a NULL value. */
struct code_list {
    const char *name;
    const struct code *codes;
};

enum field_type {
    F_TEXT, F_NAME, F_INT, F_REAL, F_BOOL, F_DATE, F_TIME, F_CODE, F_CODES, F_REF, F_ID_NUMBER, F_PHONE, F_PLATE, F_PASS, F__COUNT
};
enum field_flags {
    REQUIRED = 1,
    PERSONAL = 2,    /* about a person: journalled by name only, erased at the end of retention */
    SEALED = 4,      /* PERSONAL, and stored sealed, shown masked, opened with a reason */
    FIND = 8,        /* SEALED, and found by keyed hash (a column NAME_hash) */
    UNIQUE = 16,     /* no two records of the site that are not removed share it */
    READ_ONLY = 32,  /* filled in by the program */
    INDEXED = 64,    /* lists may be filtered by it quickly; of a log kind: its time, and references whose rows are found by it */
    PAST = 128,      /* a date not after today, a time not after now and PAST_AHEAD_US */
    LIST = 256,      /* a column of the list page */
    SEARCH = 512,    /* feeds the search columns; the first such field is the record's title */
    KEY = 1024,      /* names the record in files and references: an import finds it by this */
    TRACE = 2048,    /* of a log kind: its rows are found by it (trace.h) */
};
struct field {
    const char *name;
    enum field_type type;
    struct label label;
    const char *also; /* further headings an import knows it by, separated by | */
    const char *unit;
    double min, max; /* numbers: bounds when they differ; texts: max characters (0: 200) */
    const struct code_list *codes;
    const char *ref; /* the kind referred to */
    unsigned flags;
    const char *beside; /* of a text that is KEY: columns that stand in its index, since they are asked for by it alone and often; UNIQUE is then left to the writer */
};

enum kind_flags {
    KIND_LOG = 1,     /* append-only, high volume: journalled by batch digest */
    KIND_NO_AREA = 2, /* has no area of its own: belongs to the whole site */
    KIND_TREE = 4,    /* the area kind itself */
    KIND_ADMIN = 8,   /* of the system's keepers: not in ordinary menus, exports or imports */
    KIND_FOLLOWS = 16, /* moves along with what its area_from points to, when it stood in the same area */
    KIND_KEPT = 32,    /* is not removed but ended by a command of its own; does not hold what it points to */
};
#define PAST_AHEAD_US (300 * US_PER_SECOND) /* a phone's clock may be so much ahead */

struct kind {
    const char *name; /* table, command prefix, URL */
    struct label label;
    const struct field *fields;
    size_t n;
    unsigned flags;
    const char *purpose;    /* why it is kept and on what legal ground (shown in the register of processing) */
    int retention_days;     /* the personal part ends so many days after the last change; 0: with the outbreak */
    int sunset_days;        /* KIND_LOG: whole months end when their last day is so long ago (months.h); 0: never */
    const char *area_from;  /* the reference field whose area is taken when none is given */
    const char *seen;       /* KIND_LOG: the time field that says when it happened */
    /* Fills READ_ONLY fields and checks across fields; r is the new state, old the one before or NULL.  May read through tx. */
    int (*derive)(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e);
    int (*foresee)(struct tx *tx, const struct val *values, struct err *e); /* what derive will look up (db_foresee); NULL: nothing */
    const struct memo_source *memo; /* answers about its records that are kept by heart (memo.h); of one kind at most */
    struct kind_cell *cell; /* what is known at start only; FIELDS makes it */
};
struct kind_cell {
    int index; /* in the registry */
};
#define FIELDS(list) .fields = (list), .n = COUNT(list), .cell = &(struct kind_cell){0}
static inline int kind_index(const struct kind *k) {
    return k->cell->index;
}

int kind_field(const struct kind *k, struct str name); /* index or -1 */
int kind_way(const struct kind *k);                     /* the first REQUIRED and INDEXED reference, or -1: what the rows of a KIND_LOG are found by */
const struct code *code_find(const struct code_list *l, struct str value);
/* By value or by any language's label. */
const struct code *code_guess(const struct code_list *l, struct str text);
const char *field_type_name(enum field_type t);
bool field_is_text(const struct field *f); /* held as V_TEXT */
enum val_type field_val(const struct field *f);
/* The column type token: "{text}" ... */
const char *field_column(const struct field *f);

/* ---- many errors at once ---- */
enum { ERRS_MOST = 24 };
struct errs {
    struct arena *a; /* where they live; must be set before the first */
    struct err *e;   /* NULL until there is one */
    size_t n;
};
/* The next slot to fill, or the last one again when there are ERRS_MOST. */
struct err *errs_next(struct errs *es);

/* ---- validation of one value ---- */
struct check_env {
    struct arena *a;
    const struct tz *tz;
    int64_t now;
    day_t today;
};
/* From JSON or from text to the stored form: codes, dates as ISO, times as us, phones and identity numbers normalised.  V_NULL for null or empty.
 * A reference is an id (V_ID) or, where the caller allows keys, V_TEXT to be resolved. */
int field_from_json(const struct check_env *env, const struct field *f, const struct json *j, struct val *ret, struct err *e);
int field_from_text(const struct check_env *env, const struct field *f, struct str text, struct val *ret, struct err *e);
/* The stored form to JSON, and to text as a person reads it in that language (codes by label).  F_REF is written as id. */
void field_to_json(const struct tz *tz, const struct field *f, const struct val *v, struct json_out *o);
void field_to_text(const struct tz *tz, const struct field *f, const struct val *v, enum lang lang, struct buf *to);
/* What is shown of a sealed value. */
struct str field_mask(struct arena *a, const struct field *f, struct str plain);

#endif
