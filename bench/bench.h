/* What the benches share: the made-up county they work on, the commands sent to it, and how a run is told.
 *
 * Each program prints lines "name<TAB>value"; bench/run.sh puts them side by side.  A site made by bench/world.c holds a file
 * `bench.targets`: the records that commands refer to, so that a load generator needs no access to the database. */
#ifndef BENCH_H
#define BENCH_H

#include "base/buf.h"
#include "base/id.h"

enum load { LOAD_SCAN, LOAD_RESIDENT, LOAD_VISIT, LOAD__COUNT };
/* The kind whose .create it is: gate_scan, resident, triage_visit. */
const char *load_kind(enum load l);
bool load_from(const char *kind, enum load *ret);

/* What each load refers to: gates, households, clinics. */
struct targets {
    struct id *id[LOAD__COUNT];
    size_t n[LOAD__COUNT], cap[LOAD__COUNT];
};
void targets_add(struct targets *t, enum load l, struct id id);
void targets_read(const char *dir, struct targets *ret);
void targets_release(struct targets *t);

/* The n-th command of a load as JSON with a command id of its own; different n are different people.  What is seen is seen within the
 * minute before seen_at. */
void body_add(struct buf *b, enum load l, const struct targets *t, uint64_t n, int64_t seen_at);

/* An invented person: the region 990000 belongs to no county. */
struct invented {
    char name[16], id_number[19], birth[11], phone[12];
    bool male;
};
void invented_make(uint64_t n, struct invented *ret);

/* ---- measuring ---- */
struct sample {
    int64_t *us;
    size_t n, cap;
};
void sample_add(struct sample *s, int64_t us);
int64_t sample_at(struct sample *s, double part); /* 0.5 is the median; sorts */
void sample_release(struct sample *s);
/* Processor time, which says more than the clock on a machine with neighbours. */
int64_t cpu_us(void);        /* of the process */
int64_t thread_cpu_us(void); /* of this thread */
/* Of all processes that the process BENCH_SERVER of the environment began, a database server's; 0 where it is not set. */
int64_t server_cpu_us(void);
void say_real(const char *name, double v);
void say_int(const char *name, int64_t v);
void bench_fail(const char *fmt, ...) PRINTF(1, 2) NORETURN;

/* ---- raw rows: the limit of an engine ----
 * The rows of a kind with the journal entries that were written for them are read from a site and inserted again into empty tables of the same
 * shape and indexes, GROUP of them a transaction, by one thread, with nothing else: no checks, no tallies. */
enum { RAW_ROWS_MOST = 200000, RAW_COLUMNS_MOST = 64, RAW_SQL = 1000 };
/* Reads what goes in again: the rows of the kind or their journal entries. */
void raw_select(char sql[RAW_SQL], enum load l, bool journal);
/* Rows and entries from..to belong into one transaction; an append-only kind has an entry for each transaction, any other one for each row. */
struct raw_group {
    int row, row_end, entry, entry_end;
};
struct raw {
    enum load load;
    int rows, entries;
    void (*write)(void *engine, const struct raw_group *g); /* returns when it is durable */
    void (*half)(void *engine);                             /* NULL, or: the first half is in, what should not be measured */
    void *engine;
};
/* The first half goes in without being measured, so that the tables are not small; prints per_second, cpu_us of this process, server_cpu_us, rows. */
void raw_measure(const struct raw *r, int group);

#endif
