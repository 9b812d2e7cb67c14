/* The load generator: keep-alive connections, each with one request under way; one write and one read for a request, epoll, one thread.
 *
 * 503 and 429 are refusals: counted apart, and the connection asks the same again when Retry-After is over (half a second when it is not said).
 * Any other answer than 200 ends the run with an error. */
#ifndef BENCH_GENERATOR_H
#define BENCH_GENERATOR_H

#include "bench/form.h"

enum { GENERATOR_CONNECTIONS_MOST = 20000 };
struct generator_plan {
    const struct target *to;
    const struct subject *subject;
    const struct form_text *text;
    int connections;
    int64_t warm_us, run_us; /* what is answered before warm_us is not counted */
};
struct generator_result {
    int64_t answered, refused; /* requests, while it was counted */
    int64_t all;               /* answered from the first to the last */
    int64_t us, cpu_us;        /* how long was counted; processor time of the generator in it */
    int64_t p50_us, p99_us, most_us; /* from the request to its answer, of those answered */
    int64_t answer_bytes;            /* the mean size of a body */
};
/* In a process of its own.  IO when the line breaks or nothing comes for 30 seconds. */
int generator_run(const struct generator_plan *plan, struct generator_result *ret, struct err *e);

#endif
