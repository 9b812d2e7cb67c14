/* The county that a bench makes for itself: a town of communities of nine quarters with three buildings each, a gate for each quarter,
 * households, residents, passes, and scans of the past weeks.
 *
 * Every id is a function of what it is and its number, so a load generator needs no list of five million passes. */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include "core/site.h"

enum { WORLD_SCAN_DAYS = 27, WORLD_HOUSEHOLDS_MOST = 20000 };
struct world {
    int64_t communities, households, together; /* set when it is made; passes of a household that follow each other */
    int64_t residents, passes, scans; /* scans: of the past WORLD_SCAN_DAYS when they were made */
};
enum world_thing { WORLD_GATE = 1, WORLD_HOUSEHOLD, WORLD_RESIDENT, WORLD_PASS, WORLD_SCAN };
struct id world_id(enum world_thing what, uint64_t n);
int64_t world_gates(const struct world *w);
/* The gate of the quarter in which the pass is valid. */
int64_t world_gate_of_pass(const struct world *w, uint64_t pass);

/* Told from time to time what is being made. */
struct world_watch {
    void (*made)(void *arg, const char *what, int64_t done, int64_t all);
    void *arg;
};
/* Makes the site in `dir` (database: NULL for a file), or adds to the one that a bench made there, until it holds at least what `want` says; *ret is
 * what there is.  STATE when the site there is another one. */
int world_build(const char *dir, const char *db, const struct world *want, const struct world_watch *watch, struct world *ret, struct err *e);
/* What a bench made there; STATE when it was not a bench. */
int world_of(const char *dir, struct world *ret, struct err *e);
/* A token for the whole county. */
int world_token(const char *dir, const char *db, char ret[TOKEN_TEXT], struct err *e);
/* A roster of residents as a community keeps it, for the import; the first of them is that invented person. */
int world_roster(const char *path, const struct world *w, int64_t first, int64_t rows, struct err *e);

#endif
