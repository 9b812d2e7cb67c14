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
void say_real(const char *name, double v);
void say_int(const char *name, int64_t v);
void bench_fail(const char *fmt, ...) PRINTF(1, 2) NORETURN;

#endif
