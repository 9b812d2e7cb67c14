/* Processes of a bench.  Each ends when the one that started it ends, however that happens; the keeper then clears up. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <sys/types.h>

#include "base/err.h"

/* Runs work in a process of its own and waits for it; the n bytes at `ret` are what it left there.  IO when it died. */
int process_run(int (*work)(const void *arg, void *ret, struct err *e), const void *arg, void *ret, size_t n, struct err *e);

/* This program with other arguments, until it ends; what it says goes to the file `out`.  IO with the last it said when it fails. */
struct process_cost {
    int64_t us, cpu_us;
};
int process_exec(const char *const argv[], const char *out, struct process_cost *ret, struct err *e);

struct service {
    pid_t pid;
    int hold;  /* a service that is a function ends when this is closed */
    int port;
};
/* A function in a process of its own: it starts to listen, tells its port, and returns when `hold` can be read. */
int service_fork(int (*serve)(const void *arg, int tell, int hold, struct err *e), const void *arg, struct service *ret, struct err *e);
/* This program with other arguments, which says "listening on http://...:PORT"; its complaints go to the file `log`. */
int service_exec(const char *const argv[], const char *log, struct service *ret, struct err *e);
void service_end(struct service *s); /* waits for it; harmless when it has not begun */
int64_t service_cpu_us(const struct service *s);   /* processor time so far */
int64_t service_memory_kb(const struct service *s); /* the most it has held */

/* Calls clear(dir) once this process and all it has started since have ended. */
struct keeper {
    pid_t pid;
    int hold;
};
int keeper_start(void (*clear)(const char *dir), const char *dir, struct keeper *ret, struct err *e);
void keeper_end(struct keeper *k); /* lets go and waits */

#endif
