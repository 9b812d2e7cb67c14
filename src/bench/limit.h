/* What a load is held against, on the same machine in the same run.
 *
 * Bare HTTP: the program's own server with a handler that answers at once.  Raw rows: the rows of a kind with the journal entries that were
 * written for them, read from a site and inserted again into empty tables of the same shape and indexes by one thread, as many to a transaction as
 * the program had: no checks, no references, no tallies. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include "bench/process.h"

/* A server in a process of its own that answers every request with so many bytes, over so many connections. */
struct bare {
    int64_t bytes;
    int connections;
};
int bare_start(struct bare bare, struct service *ret, struct err *e);

struct raw_plan {
    const char *dir, *address; /* of the site; its database as for db_open */
    const char *kind;          /* of the program's own table of kinds */
    bool log;                  /* it has a journal entry for each transaction, any other kind one for each row */
    int group;                 /* rows to a transaction */
    int64_t run_us;            /* or until the rows that were read are all in */
};
struct raw_result {
    int64_t rows, us, cpu_us; /* that were measured: half of the rows go in before */
};
/* In a process of its own.  STATE when the site holds too few rows; leaves nothing behind. */
int raw_run(const struct raw_plan *plan, struct raw_result *ret, struct err *e);
/* Takes away what a raw run that was killed left on a server. */
void raw_clear(const char *address);

/* ---- for the engines ---- */
enum { RAW_ROWS_MOST = 60000, RAW_COLUMNS_MOST = 64, RAW_SQL = 1600 };
/* Rows and entries from..to belong into one transaction. */
struct raw_group {
    int row, row_end, entry, entry_end;
};
struct raw_rows {
    const struct raw_plan *plan;
    int rows, entries;
    int (*write)(void *engine, const struct raw_group *g, struct err *e); /* returns when it is durable */
    int (*half)(void *engine, struct err *e);                             /* NULL, or: what should not be measured */
    void *engine;
};
int raw_measure(const struct raw_rows *r, struct raw_result *ret, struct err *e);
int raw_sqlite(const struct raw_plan *plan, struct raw_result *ret, struct err *e);
int raw_pg(const struct raw_plan *plan, struct raw_result *ret, struct err *e);

#endif
