/* Tables of people, places and events in: CSV, TSV, XLSX and XLS as they are found, onto the records of one kind.
 *
 * A heading row is looked for, its columns are guessed against the kind's labels (and told in the result), each row is read without guessing
 * at numbers that a spreadsheet has spoilt, and then runs through the same commands as everything else, a thousand rows to a
 * transaction.  A row that cannot land comes back in a file of the same form with a reason; one that looks like somebody who is there
 * already is queued as a `duplicate`.  The same file again changes nothing:
 *
 *   records with a key   are found by it; people without one by name, birth date, phone, household and place
 *   events               have an id made from what the row says (UUIDv8 over a hash keyed with the site key)
 *
 * Beside the kind's fields a column may hold `id` (the record's, as an export writes it), `area_code`, `area` (a name, a chain of names, or one
 * column for each level) and, for kinds that refer to a household, `door` and `head`: a household that is not there yet is made of them.
 * An empty cell, or a masked value (138****5678), says nothing: an import empties no field. */
#ifndef IMPORT_H
#define IMPORT_H

#include "core/command.h"
#include "sheet/sheet.h"

struct import_counts {
    int64_t imported, updated, unchanged, queued, refused, rows; /* rows is their sum */
};
struct import_options {
    const struct actor *actor;
    enum lang lang;          /* of reasons and of what is written */
    const char *area;        /* code: rows without an area of their own go here, names are looked up below it; NULL: none */
    const char *const *map;  /* map_n times "COLUMN=FIELD": heading or letter = field name or label; an empty FIELD drops the column */
    size_t map_n;
    bool dry_run;            /* counts exactly what would happen and writes nothing, no file either */
    const char *sheet;       /* name of the worksheet; NULL: the first with rows */
    const char *charset;     /* NULL: found out */
    const char *refused_path; /* NULL: none is written, unless: */
    bool refused_beside;     /* FILE.refused.csv|tsv|xlsx beside the file or, where that cannot be written, in the current directory */
    void (*progress)(void *arg, const struct import_counts *, double fraction); /* after each page of rows, on the caller's thread */
    void *progress_arg;
};
struct import_column {
    struct str heading;
    const char *field; /* a field's name, id, area_code, area, door, head; NULL: nothing is taken from it */
    const char *how;   /* "map", "name", "likeness", "ignored" (sequence numbers, reasons), "none" */
};
struct import_problem {
    int64_t row; /* as the spreadsheet numbers it */
    struct str column, value, reason; /* value: masked where it is about a person; column and value may be empty */
};
enum { IMPORT_PROBLEMS_MOST = 100 };
struct import_result {
    struct import_counts counts;
    struct import_column *columns;
    size_t columns_n;
    struct import_problem *problems; /* the first ones */
    size_t problems_n;
    struct str refused_file; /* its path; empty: none */
};

/* Errors before anything is written: those of sheet_open; FORBIDDEN; INVALID with M_NO_HEADING, M_NO_COLUMN, M_MAP, M_MAP_COLUMN or field "area".  An error
 * later on (a damaged file, a full disk) leaves what landed before it: *ret is filled in that case too.  Texts live in the arena. */
int import_file(struct site *s, const struct kind *k, const char *path, const struct import_options *o, struct arena *a,
                struct import_result *ret, struct err *e);
/* The same for bytes in memory (uploads); `name` is for messages. */
int import_bytes(struct site *s, const struct kind *k, struct str bytes, const char *name, const struct import_options *o,
                 struct arena *a, struct import_result *ret, struct err *e);
/* {"imported","updated","unchanged","queued","refused","refused_file","columns":[{"column","field","how"}],"problems":[{"row","column","value","reason"}]} */
void import_answer(const struct import_result *r, struct str refused_file, struct json_out *o);

#endif
