/* Load on a site, beside its limits.
 *
 * A bench works on a site of its own, made in a temporary folder (or kept in one that is named) and served by this same program in another process,
 * or on any address.  The load generator, the bare server and the raw rows each have a process of their own.  When the bench ends, however
 * that happens, they end and what it made is taken away.
 *
 *   bench_begin   makes the site and serves it, or looks whether the address answers and which gates the token may write to
 *   bench_load    one load: warm-up, runs, their median by rate, the limits
 *   bench_end */
#ifndef BENCH_H
#define BENCH_H

#include "bench/form.h"
#include "bench/process.h"

enum load_flags {
    LOAD_WRITES = 1,   /* rows stay in the site */
    LOAD_OWN_SITE = 2, /* only on a site of the bench's own */
    LOAD_ALONE = 4,    /* always over one connection */
};
struct load_part {
    const char *name; /* NULL: the load has but this */
    const char *kind; /* of which it makes rows; NULL: it only reads */
    struct form_text text;
    const char *foreign_body; /* in its place at somebody else's site; NULL: the same */
};
struct load {
    const char *name; /* "scan" */
    struct label label;
    struct label writes; /* in plain words what it writes into somebody else's site; NULL: nothing */
    unsigned flags;
    int connections; /* unless told otherwise */
    const struct load_part *parts; /* none: an import */
    size_t n;
};
extern const struct load loads[];
extern const size_t loads_n;
const struct load *load_by_name(const char *name); /* NULL: none */

struct bench_options {
    const char *url, *token, *ca; /* url NULL: a site of its own; ca: as in client.h */
    const char *keep;        /* the folder of its own site, which stays; NULL: temporary */
    const char *db;          /* its database; NULL: a file */
    struct world world;      /* how much its own site holds */
    int64_t run_us, rows;    /* of one run; of an import */
    int64_t warm_us;         /* of load that is not measured, before the runs of a load */
    int runs;
    enum lang lang;
    void (*say)(void *arg, const char *what, int64_t done, int64_t all); /* progress; may be NULL */
    void *say_arg;
};
struct bench {
    struct bench_options o;
    char dir[600], site[640], address[SITE_ADDRESS]; /* empty on a foreign address */
    struct world world;
    struct target to;
    struct service server;
    struct keeper keeper;
    struct id *gates;
    size_t gates_n;
};
struct bench_result {
    const char *load, *part; /* part: NULL where there is but one */
    int connections, lines;  /* lines of each request; 1 */
    int64_t units;           /* rows or answers that were counted in the run shown */
    double per_second, refused_per_second;
    double p50_ms, p99_ms, most_ms; /* of requests */
    double group;                   /* rows to a commit; 0: not known */
    double server_cpu_us, generator_cpu_us; /* a unit; server: 0 where it is not this machine's */
    double memory_mb;                       /* the most that the server has held; 0: not known */
    double http_per_second;                 /* units that the bare server answered; 0: not measured */
    double raw_per_second, raw_cpu_us;
};
enum { BENCH_PARTS_MOST = 4 };

int bench_begin(struct bench *b, const struct bench_options *o, struct err *e);
/* Up to BENCH_PARTS_MOST results; connections 0: as the load wants. */
int bench_load(struct bench *b, const struct load *l, int connections, struct bench_result *ret, size_t *ret_n, struct err *e);
void bench_end(struct bench *b); /* harmless when it has not begun */

#endif
