#include "bench/limit.h"

#include <time.h>
#include <unistd.h>

#include "base/day.h"
#include "base/log.h"
#include "db/db.h"
#include "http/server.h"

/* ---- bare HTTP ---- */

enum { BODY_MOST = 32 << 20, CONNECTIONS_MORE = 16 };

static size_t route(void *app, struct http_call *c, bool *ret_slow) {
    (void)app;
    (void)c;
    *ret_slow = false;
    return BODY_MOST;
}

static void handle(void *app, struct http_call *c) {
    http_answer(c, 200, "application/json", buf_str(app));
}

static void refuse(void *app, int status, const char *why, struct buf *body, const char **ret_type) {
    (void)app;
    (void)status;
    buf_addz(body, why);
    *ret_type = "text/plain";
}

static int serve_bare(const void *arg, int tell, int hold, struct err *e) {
    const struct bare *bare = arg;
    struct buf answer CLEANUP(buf_release) = BUF(BODY_MOST);
    const struct http_options o = {.address = "127.0.0.1", .route = route, .handle = handle, .refuse = refuse, .threads = 2, .app = &answer,
                                   .max_connections = (size_t)bare->connections + CONNECTIONS_MORE};
    struct http_server *s;
    char c;
    log_quiet(true);
    for (int64_t i = 0; i < bare->bytes; i++) buf_addc(&answer, 'x');
    TRY(http_start(&o, &s, e));
    int32_t port = http_port(s);
    bool told = write(tell, &port, sizeof port) == sizeof port;
    close(tell);
    while (told && read(hold, &c, 1) > 0) continue;
    http_stop(s, 0);
    return told ? 0 : -1;
}

int bare_start(struct bare bare, struct service *ret, struct err *e) {
    return service_fork(serve_bare, &bare, ret, e);
}

/* ---- raw rows ---- */

static int64_t process_cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

static int write_group(const struct raw_rows *r, struct raw_group *at, int n, struct err *e) {
    at->row_end = MIN(at->row + n, r->rows);
    at->entry_end = MIN(at->entry + (r->plan->log ? 1 : at->row_end - at->row), r->entries);
    TRY(r->write(r->engine, at, e));
    at->row = at->row_end;
    at->entry = at->entry_end;
    return 0;
}

int raw_measure(const struct raw_rows *r, struct raw_result *ret, struct err *e) {
    enum { FIRST_GROUPS = 1000 };
    struct raw_group at = {0};
    int half = r->rows / 2;
    if (r->rows < 2 || r->entries == 0) return err_set(e, ERR_STATE, NULL, M_TEXT, "too few rows for a limit");
    while (at.row < half) TRY(write_group(r, &at, MIN(FIRST_GROUPS, half - at.row), e));
    if (r->half) TRY(r->half(r->engine, e));
    int64_t began = monotonic_us(), cpu = process_cpu_us();
    /* At a group of one the disk decides; that needs no more than some seconds. */
    while (at.row < r->rows && monotonic_us() - began < r->plan->run_us) TRY(write_group(r, &at, r->plan->group, e));
    *ret = (struct raw_result){.rows = at.row - half, .us = monotonic_us() - began, .cpu_us = process_cpu_us() - cpu};
    return 0;
}

static int raw_work(const void *arg, void *ret, struct err *e) {
    const struct raw_plan *p = arg;
    return db_is_server(p->address) ? raw_pg(p, ret, e) : raw_sqlite(p, ret, e);
}

int raw_run(const struct raw_plan *plan, struct raw_result *ret, struct err *e) {
    return process_run(raw_work, plan, ret, sizeof *ret, e);
}
