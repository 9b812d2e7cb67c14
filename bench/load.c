/* bench-load: keep-alive connections on loopback, each with one request under way; every answer must be 200.
 *
 *   bench-load post PORT TOKEN DIR KIND CONNECTIONS SECONDS   KIND.create to /api/v1/commands, each with an id of its own
 *   bench-load get PORT TOKEN PATH CONNECTIONS SECONDS [MOST]
 *   bench-load show PORT TOKEN PATH                           prints one answer's body
 *
 * Runs a second that is not counted, then SECONDS, or until MOST answers.  Prints the rate, the median and the 99th percentile of the waiting time
 * and the size of an answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/day.h"
#include "bench.h"

enum { CONNECTIONS_MOST = 1024, ANSWER_MOST = 16 << 20, HEAD_MOST = 16 << 10 };

struct connection {
    int fd;
    struct buf out, in;
    size_t sent;
    int64_t began;
};
struct load_run {
    int port;
    const char *token, *path; /* path NULL: commands */
    enum load load;
    struct targets targets;
    uint64_t n;
    int epoll;
    int64_t done, bytes, most;
    bool counting;
    struct sample waits;
};

static void watch(struct load_run *r, struct connection *c, uint32_t events, int how) {
    struct epoll_event ev = {.events = events, .data.ptr = c};
    if (epoll_ctl(r->epoll, how, c->fd, &ev)) bench_fail("epoll: %s", strerror(errno));
}

static void fill_request(struct load_run *r, struct connection *c) {
    buf_clear(&c->out);
    if (r->path) {
        buf_addf(&c->out, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", r->path, r->token);
        return;
    }
    struct buf body CLEANUP(buf_release) = BUF(1 << 16);
    body_add(&body, r->load, &r->targets, r->n++, clock_now(&(struct clock){0}));
    buf_addf(&c->out, "POST /api/v1/commands HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\n\r\n", r->token, body.n);
    buf_add_str(&c->out, buf_str(&body));
}

static void send_some(struct load_run *r, struct connection *c) {
    while (c->sent < c->out.n) {
        ssize_t n = write(c->fd, c->out.p + c->sent, c->out.n - c->sent);
        if (n < 0 && errno == EAGAIN) {
            watch(r, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (n < 0) bench_fail("write: %s", strerror(errno));
        c->sent += (size_t)n;
    }
}

static void ask(struct load_run *r, struct connection *c) {
    fill_request(r, c);
    buf_clear(&c->in);
    c->sent = 0;
    c->began = monotonic_us();
    send_some(r, c);
}

/* The whole size of the answer that begins in `in`, or 0 when its head is not there yet. */
static size_t answer_size(struct str in) {
    ptrdiff_t end = str_find(str_sub(in, 0, HEAD_MOST), STR("\r\n\r\n"));
    if (end < 0) return 0;
    struct str rest = str_sub(in, 0, (size_t)end), line;
    if (!str_starts(rest, STR("HTTP/1.1 200 "))) bench_fail("answered: %.*s", (int)MIN(in.n, 2000u), in.p);
    while (str_cut(&rest, '\n', &line)) {
        struct str name;
        int64_t n;
        line = str_trim(line);
        if (str_cut(&line, ':', &name) && str_ieq(name, STR("content-length")) && str_to_int(str_trim(line), 0, ANSWER_MOST, &n))
            return (size_t)end + 4 + (size_t)n;
    }
    bench_fail("an answer without Content-Length");
}

/* True when the answer is whole. */
static bool read_some(struct connection *c) {
    for (;;) {
        char *to = buf_room(&c->in, 64 << 10);
        if (!to) bench_fail("an answer larger than %d bytes", ANSWER_MOST);
        ssize_t n = read(c->fd, to, 64 << 10);
        if (n < 0 && errno == EAGAIN) return false;
        if (n <= 0) bench_fail("the server closed a connection");
        buf_grew(&c->in, (size_t)n);
        size_t size = answer_size(buf_str(&c->in));
        if (size && c->in.n == size) return true;
        if (size && c->in.n > size) bench_fail("more than one answer");
    }
}

static void answered(struct load_run *r, struct connection *c) {
    if (!r->counting) return;
    r->done++;
    r->bytes += (int64_t)c->in.n;
    sample_add(&r->waits, monotonic_us() - c->began);
}

static void connect_to(struct load_run *r, struct connection *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    *c = (struct connection){.out = BUF(1 << 17), .in = BUF(ANSWER_MOST + (1 << 20))};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to)) bench_fail("port %d: %s", r->port, strerror(errno));
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK)) bench_fail("fcntl: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(r, c, EPOLLIN, EPOLL_CTL_ADD);
}

/* Until the time is over or enough is answered, and then until nothing is under way. */
static void turn(struct load_run *r, struct connection *all, int n, int64_t until) {
    struct epoll_event events[256];
    int out = n;
    for (int i = 0; i < n; i++) ask(r, &all[i]);
    while (out) {
        int got = epoll_wait(r->epoll, events, COUNT(events), 30000);
        if (got == 0) bench_fail("no answer for 30 seconds");
        for (int i = 0; i < got; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                watch(r, c, EPOLLIN, EPOLL_CTL_MOD);
                send_some(r, c);
            }
            if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || !read_some(c)) continue;
            answered(r, c);
            if (monotonic_us() < until && (!r->counting || r->done + out <= r->most)) ask(r, c);
            else out--;
        }
    }
}

static void tell(struct load_run *r, int64_t us) {
    say_real("per_second", (double)r->done * 1e6 / (double)us);
    say_int("p50_us", sample_at(&r->waits, 0.5));
    say_int("p99_us", sample_at(&r->waits, 0.99));
    say_int("answer_bytes", r->done ? r->bytes / r->done : 0);
    say_int("answers", r->done);
}

static void show(struct load_run *r) {
    struct connection c;
    struct epoll_event ev;
    connect_to(r, &c);
    ask(r, &c);
    do {
        if (epoll_wait(r->epoll, &ev, 1, 30000) != 1) bench_fail("no answer for 30 seconds");
    } while (!read_some(&c));
    struct str in = buf_str(&c.in);
    ptrdiff_t head = str_find(in, STR("\r\n\r\n"));
    fwrite(in.p + head + 4, 1, in.n - (size_t)head - 4, stdout);
    close(c.fd);
    buf_release(&c.in);
    buf_release(&c.out);
}

static int64_t number(const char *text, int64_t most) {
    int64_t v;
    if (!str_to_int(str_z(text), 1, most, &v)) bench_fail("%s: not a number from 1 to %lld", text, (long long)most);
    return v;
}

static void run(struct load_run *r, int n, int64_t seconds) {
    struct connection *all = calloc((size_t)n, sizeof *all);
    INVARIANT(all);
    for (int i = 0; i < n; i++) connect_to(r, &all[i]);
    turn(r, all, n, monotonic_us() + US_PER_SECOND);
    r->counting = true;
    int64_t began = monotonic_us();
    turn(r, all, n, began + seconds * US_PER_SECOND);
    tell(r, monotonic_us() - began);
    for (int i = 0; i < n; i++) {
        close(all[i].fd);
        buf_release(&all[i].out);
        buf_release(&all[i].in);
    }
    free(all);
    sample_release(&r->waits);
}

int main(int argc, char **argv) {
    static struct load_run r;
    const char *what = argc > 4 ? argv[1] : "";
    bool post = argc == 8 && strcmp(what, "post") == 0, get = (argc == 7 || argc == 8) && strcmp(what, "get") == 0;
    bool once = argc == 5 && strcmp(what, "show") == 0;
    if (!post && !get && !once)
        bench_fail("usage: bench-load post PORT TOKEN DIR KIND CONNECTIONS SECONDS | get PORT TOKEN PATH CONNECTIONS SECONDS [MOST] | show PORT TOKEN PATH");
    r.port = (int)number(argv[2], 65535);
    r.token = argv[3];
    r.most = get && argc == 8 ? number(argv[7], 1000000000) : INT64_MAX / 2;
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.n = (uint64_t)(clock_now(&(struct clock){0}) / 1000) % 2000000000u * 10; /* runs follow each other: no person twice */
    if (!post) r.path = argv[4];
    if (post) targets_read(argv[4], &r.targets);
    if (post && !load_from(argv[5], &r.load)) bench_fail("%s: no such load", argv[5]);
    if (once) show(&r);
    else run(&r, (int)number(argv[post ? 6 : 5], CONNECTIONS_MOST), number(argv[post ? 7 : 6], 3600));
    close(r.epoll);
    targets_release(&r.targets);
    return 0;
}
