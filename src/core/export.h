/* Records of one kind out: CSV, TSV, XLSX for people, NDJSON for programs.  Rows are streamed from one snapshot in the order of the area tree.
 *
 * Columns are the record's id, its area's code and full name, then every field with its label; codes by their label, references by the key of what
 * they point to or, where it has none, by its id.  What is written here import_file takes back: into the same site it changes nothing, into an
 * empty one with the same areas it makes the same records, provided that the export is `whole`.
 *
 * Sealed fields are masked unless `whole` is asked for: that needs KIND.open wherever the rows lie and leaves a journal entry KIND.export. */
#ifndef EXPORT_H
#define EXPORT_H

#include "core/site.h"
#include "sheet/sheet.h"

enum export_format { EXPORT_CSV, EXPORT_TSV, EXPORT_XLSX, EXPORT_NDJSON };
bool export_format_from(struct str name, enum export_format *ret); /* csv tsv xlsx json ndjson */
const char *export_media_type(enum export_format f);

struct export_options {
    const struct actor *actor;
    enum lang lang;
    const char *area; /* code; NULL: all that the actor may read */
    enum export_format format;
    bool whole;
    const char *reason; /* of a whole export; into the journal */
    /* Where to: a path, or the function, which gets the finished file's bytes until it returns non-zero. */
    const char *path;
    int (*write)(void *arg, const void *p, size_t n, struct err *e);
    void *arg;
    void (*progress)(void *arg, int64_t rows);
    void *progress_arg;
};
/* Errors: FORBIDDEN; INVALID field "area", "reason" (M_REASON); those of sheet_out_open and of `write`. */
int export_kind(struct site *s, const struct kind *k, const struct export_options *o, int64_t *ret_rows, struct err *e);

#endif
