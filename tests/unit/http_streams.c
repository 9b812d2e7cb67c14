/* Streams, deadlines, and the end of the server. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/day.h"
#include "http_help.h"

#define H "Host: desk\r\n"

static int64_t written(struct desk *d) {
    pthread_mutex_lock(&d->lock);
    int64_t n = d->written;
    pthread_mutex_unlock(&d->lock);
    return n;
}

static void wait_poured(struct desk *d) {
    pthread_mutex_lock(&d->lock);
    while (!d->poured) pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

/* A client whose socket takes little, so that what is unsent is with the server. */
static int narrow_client(const struct desk *d) {
    int fd = client_connect(d);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){262144}, sizeof(int));
    return fd;
}

TEST(a_stream_arrives_in_chunks_and_ends_with_the_last) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    struct str a = client_ask(&d, &b, "GET /few HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" H "\r\n");
    CHECK(has(a, "Transfer-Encoding: chunked\r\n"));
    CHECK(str_starts(body_of(a), STR("4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\nHTTP/1.1 200 OK")));
    a = client_ask(&d, &b, "GET /broken HTTP/1.1\r\n" H "\r\n");
    CHECK_STR(body_of(a), "4\r\none,\r\n"); /* no last chunk: the client sees that it is cut */
    desk_stop(&d, 100000);
}

TEST(a_slow_reader_holds_the_writer_and_memory_does_not_grow) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = narrow_client(&d);
    client_sendz(fd, "GET /pour HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    client_read(fd, &b, "\r\n\r\n");
    int64_t before = -1;
    for (int same = 0; same < 10; usleep(20000)) {
        int64_t now = written(&d);
        same = now == before ? same + 1 : 0;
        before = now;
    }
    CHECK(before < 16 << 20); /* 1 MiB here, the rest in the kernel's buffers */
    CHECK(!d.poured);
    size_t got = b.n;
    char piece[65536];
    for (ssize_t n; (n = recv(fd, piece, sizeof piece, 0)) > 0;) got += (size_t)n;
    CHECK(got > 64 << 20);
    wait_poured(&d);
    CHECK_INT(written(&d), 64 << 20);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(a_client_that_goes_away_ends_the_stream_for_its_writer) {
    for (int how = 0; how < 2; how++) {
        struct desk d;
        struct buf b CLEANUP(buf_release) = BUF(1 << 20);
        desk_start(&d, (struct http_options){0});
        int fd = narrow_client(&d);
        client_sendz(fd, "GET /pour HTTP/1.1\r\n" H "\r\n");
        client_read(fd, &b, "xxxx");
        if (how) setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        close(fd);
        wait_poured(&d);
        CHECK(written(&d) < 64 << 20);
        desk_stop(&d, 100000);
    }
}

TEST(a_reader_that_stands_still_is_cut_off_after_the_write_timeout) {
    struct desk d;
    desk_start(&d, (struct http_options){.write_timeout_ms = 200});
    int fd = narrow_client(&d);
    client_sendz(fd, "GET /pour HTTP/1.1\r\n" H "\r\n");
    wait_poured(&d);
    CHECK(written(&d) < 64 << 20);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(events_are_pushed_and_refused_when_nobody_reads) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = narrow_client(&d);
    client_sendz(fd, "GET /keep HTTP/1.1\r\n" H "\r\n");
    struct http_call *c = desk_wait_kept(&d, 0);
    http_stream(c, 200, "text/event-stream");
    client_read(fd, &b, "\r\n\r\n");
    CHECK(http_stream_try(c, STR("data: 1\n\n")));
    client_read(fd, &b, "data: 1\n\n");
    CHECK_INT(http_counts(d.server).streams, 1);
    static char piece[100000];
    memset(piece, 'y', sizeof piece);
    int pushed = 0;
    while (pushed < 1000 && http_stream_try(c, (struct str){piece, sizeof piece})) pushed++;
    CHECK(pushed > 5 && pushed < 200);
    CHECK(!http_stream_gone(c));
    close(fd);
    for (int i = 0; i < 400 && !http_stream_gone(c); i++) usleep(5000);
    CHECK(http_stream_gone(c));
    CHECK(!http_stream_try(c, STR("x")));
    http_stream_end(c);
    for (int i = 0; i < 400 && http_counts(d.server).streams; i++) usleep(5000);
    CHECK_INT(http_counts(d.server).streams, 0);
    desk_stop(&d, 100000);
}

static int64_t ms_until_closed(int fd, struct buf *b, struct str *ret) {
    int64_t from = monotonic_us();
    *ret = client_read(fd, b, NULL);
    return (monotonic_us() - from) / 1000;
}

TEST(a_head_that_drips_in_is_ended_at_an_absolute_time) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.head_timeout_ms = 300});
    int fd = client_connect(&d);
    int64_t from = monotonic_us();
    struct str drip = STR("GET /hello HTTP/1.1\r\nHost: desk\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    char c;
    size_t i = 0;
    for (; i < drip.n && recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0; i++) {
        client_send(fd, str_sub(drip, i, i + 1));
        usleep(20000);
    }
    CHECK(i < drip.n && monotonic_us() - from < 1500000);
    CHECK_INT(status_of(client_read(fd, &b, "refused")), 408);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(a_body_that_stands_still_and_an_idle_connection_are_ended) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct str a;
    desk_start(&d, (struct http_options){.body_timeout_ms = 200, .idle_timeout_ms = 400});
    int fd = client_connect(&d);
    client_sendz(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1000\r\n\r\nabc");
    CHECK_INT(status_of(client_read(fd, &b, "refused")), 408);
    close(fd);
    fd = client_connect(&d);
    buf_clear(&b);
    int64_t ms = ms_until_closed(fd, &b, &a);
    CHECK(ms >= 350 && ms < 3000 && a.n == 0);
    close(fd);
    fd = client_connect(&d);
    client_sendz(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
    buf_clear(&b);
    client_read(fd, &b, "hello");
    ms = ms_until_closed(fd, &b, &a);
    CHECK(ms >= 350 && ms < 3000);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(a_call_under_way_has_no_deadline_but_the_handlers) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.head_timeout_ms = 50, .body_timeout_ms = 50, .idle_timeout_ms = 50, .write_timeout_ms = 50});
    int fd = client_connect(&d);
    client_sendz(fd, "GET /keep HTTP/1.1\r\n" H "\r\n");
    struct http_call *c = desk_wait_kept(&d, 0);
    usleep(300000);
    http_answer(c, 200, NULL, STR("patience"));
    CHECK_STR(body_of(client_read(fd, &b, "patience")), "patience");
    close(fd);
    desk_stop(&d, 100000);
}

TEST(stopping_lets_calls_under_way_finish_and_says_close) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.threads = 2, .workers = 2});
    int fd = client_connect(&d), idle = client_connect(&d);
    client_sendz(fd, "GET /slow/x HTTP/1.1\r\n" H "\r\n");
    desk_wait_entered(&d, 1);
    pthread_t t;
    CHECK_INT(pthread_create(&t, NULL, (void *(*)(void *))(void *)desk_open, &d), 0);
    desk_stop(&d, 5000000);
    pthread_join(t, NULL);
    CHECK_STR(body_of(client_read(fd, &b, NULL)), "/slow/x");
    char c;
    CHECK_INT(recv(idle, &c, 1, 0), 0);
    close(fd);
    close(idle);
}

TEST(stopping_ends_cleanly_with_streams_calls_and_half_requests_open) {
    struct desk d;
    desk_start(&d, (struct http_options){.threads = 2, .workers = 3});
    int fds[8];
    static const char *const raws[] = {
        "GET /keep HTTP/1.1\r\n" H "\r\n", "GET /keep HTTP/1.1\r\n" H "\r\n", "GET /pour HTTP/1.1\r\n" H "\r\n",
        "POST /echo HTTP/1.1\r\n" H "Content-Length: 1000\r\n\r\nabc", "GET /hel", "", "GET /keep HTTP/1.1\r\n" H "\r\n"
                        "POST /keep HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
        "GET /pour HTTP/1.1\r\n" H "\r\n",
    };
    for (size_t i = 0; i < COUNT(raws); i++) {
        fds[i] = narrow_client(&d);
        client_sendz(fds[i], raws[i]);
    }
    desk_wait_kept(&d, 2);
    http_stream(desk_wait_kept(&d, 0), 200, "text/event-stream");
    CHECK(http_stream_try(desk_wait_kept(&d, 0), STR("data: 1\n\n")));
    usleep(50000);
    int64_t from = monotonic_us();
    desk_stop(&d, 200000);
    CHECK(monotonic_us() - from < 3000000);
    for (size_t i = 0; i < COUNT(raws); i++) close(fds[i]);
}

static int limit_for(rlim_t n) {
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = MIN(n, r.rlim_max);
    setrlimit(RLIMIT_NOFILE, &r);
    return (int)r.rlim_cur;
}

TEST(running_out_of_descriptors_does_not_spin_or_lose_the_server) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.idle_timeout_ms = 2000});
    limit_for(60);
    int fds[60], n = 0;
    for (; n < 60; n++) {
        fds[n] = socket(AF_INET, SOCK_STREAM, 0);
        if (fds[n] < 0) break;
        close(fds[n]);
        fds[n] = client_connect(&d);
        usleep(2000);
        if (n >= 25) break;
    }
    usleep(100000);
    for (int i = 0; i < n; i++) close(fds[i]);
    usleep(600000);
    CHECK_INT(status_of(client_ask(&d, &b, "GET /hello HTTP/1.1\r\n" H "\r\n")), 200);
    desk_stop(&d, 100000);
}
