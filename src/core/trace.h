/* Whose rows are these: the rows of a log kind in which a TRACE field has one value, newest first, found by their traces (trace_run.h).
 * What is found is what still has the value: the personal part of a row ends (months.h). */
#ifndef TRACE_H
#define TRACE_H

#include "core/record.h"

struct trace {
    const struct kind *kind;
    size_t field;
    uint64_t value;        /* trace_value */
    int64_t from;          /* seen at or after it */
    int64_t before;        /* seen before it, or then and with an id before this one */
    struct id before_id;
};
/* The value of the TRACE field as rows are found by it, from text as people type it.  INVALID with the field's name. */
int trace_value(struct site *s, struct arena *a, const struct kind *k, size_t field, struct str text, uint64_t *ret, struct err *e);
/* At most `limit` rows, newest first. */
int trace_rows(struct db *db, struct site *s, struct arena *a, const struct trace *t, size_t limit, struct record **ret, size_t *ret_n, struct err *e);

#endif
