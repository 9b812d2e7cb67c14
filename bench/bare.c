/* bench-bare BYTES: the limit of HTTP.  The program's own server with a handler that answers every request at once with BYTES bytes of
 * JSON.  Prints its port and runs until its standard input ends. */
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "bench.h"
#include "http/server.h"

static struct buf answer = BUF(16 << 20);

static size_t route(void *app UNUSED, struct http_call *c UNUSED, bool *ret_slow) {
    *ret_slow = false;
    return 1 << 20;
}

static void handle(void *app UNUSED, struct http_call *c) {
    http_answer(c, 200, "application/json", buf_str(&answer));
}

static void refuse(void *app UNUSED, int status UNUSED, const char *why, struct buf *body, const char **ret_type) {
    buf_addz(body, why);
    *ret_type = "text/plain";
}

int main(int argc, char **argv) {
    struct http_server *s;
    struct err e;
    int64_t bytes;
    char c;
    if (argc != 2 || !str_to_int(str_z(argv[1]), 2, 8 << 20, &bytes)) bench_fail("usage: bench-bare BYTES");
    signal(SIGPIPE, SIG_IGN);
    log_quiet(true);
    buf_addc(&answer, '"');
    for (int64_t i = 2; i < bytes; i++) buf_addc(&answer, 'x');
    buf_addc(&answer, '"');
    struct http_options o = {.address = "127.0.0.1", .route = route, .handle = handle, .refuse = refuse, .threads = 2};
    if (http_start(&o, &s, &e)) bench_fail("%s", e.arg[0]);
    printf("%d\n", http_port(s));
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0) continue;
    http_stop(s, 0);
    buf_release(&answer);
    return 0;
}
