/* Three questions of those who trace contacts: where somebody passed, who passed a gate in some time, and who passed together with somebody.
 *
 * Each is answered by an index and reads a bounded number of rows; scans outside the areas where the asker may read them are left out.  What is sealed
 * stays so: gates_opened says who opened it and why, in the journal. */
#ifndef GATES_HISTORY_H
#define GATES_HISTORY_H

#include "core/site.h"

enum { GATES_HISTORY_DAYS = 28, GATES_HISTORY_DAYS_MOST = 62, GATES_NEAR_MINUTES = 5, GATES_NEAR_MINUTES_MOST = 60, GATES_NEAR_MOST = 500 };

struct gates_ask {
    struct site *site;
    struct db *db;
    struct arena *a;
    const struct actor *actor;
    int64_t from, to; /* seen at or after, and before */
    bool go_on;       /* behind this scan */
    int64_t seen_at;
    struct id id;
    size_t limit;
};
struct gates_passages {
    struct record *all;
    size_t n;
    bool more;       /* there may be more behind this one, which is the last that was looked at */
    int64_t seen_at;
    struct id id;
};
/* The TRACE field of gate_scan that has that name; -1. */
int gates_traced(const char *name);
/* Newest first: the passages in which the field says so. INVALID with the field's name. */
int gates_history(const struct gates_ask *q, int field, struct str text, struct gates_passages *ret, struct err *e);
/* In the order of time: people and vehicles at that gate. */
int gates_hour(const struct gates_ask *q, struct id gate, struct gates_passages *ret, struct err *e);
/* In the order of time: who passed the gate of that scan from `minutes` before it until as long after it, without the scan; GATES_NEAR_MOST at most.
 * Of `q` only who asks counts. */
int gates_near(const struct gates_ask *q, const struct record *scan, int minutes, struct gates_passages *ret, struct err *e);

/* May everything that is sealed in these scans be opened, and is it said why?  Then that stands in the journal as `command`, durably, before this returns.
 * FORBIDDEN; INVALID, field "reason". */
int gates_opened(const struct gates_ask *q, const struct gates_passages *p, const char *command, enum lang lang, struct str reason, struct err *e);

#endif
