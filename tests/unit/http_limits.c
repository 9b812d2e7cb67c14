/* What one client may take from the others. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/internal.h"
#include "http_help.h"

#define H "Host: desk\r\n"

static int busy_status(const struct desk *d, struct buf *b, const char *raw) {
    int fd = client_connect(d);
    client_sendz(fd, raw);
    buf_clear(b);
    struct str a = client_read(fd, b, "\r\n\r\n");
    close(fd);
    CHECK(status_of(a) != 503 || has(a, "Retry-After: "));
    return status_of(a);
}

TEST(at_the_limit_the_longest_idle_connection_makes_room_and_a_busy_one_does_not) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.max_connections = 3});
    int busy = client_connect(&d);
    client_sendz(busy, "GET /keep HTTP/1.1\r\n" H "\r\n");
    struct http_call *kept = desk_wait_kept(&d, 0);
    int idle[2];
    for (int i = 0; i < 2; i++) {
        idle[i] = client_connect(&d);
        client_sendz(idle[i], "GET /hello HTTP/1.1\r\n" H "\r\n");
        buf_clear(&b);
        CHECK_INT(status_of(client_read(idle[i], &b, "hello")), 200);
    }
    /* Who has just been served may be about to ask again, and keeps its place for a second. */
    int newcomer, status = 503;
    for (int i = 0; i < 2000 && status == 503; i++) {
        newcomer = client_connect(&d);
        client_sendz(newcomer, "GET /hello HTTP/1.1\r\n" H "\r\n");
        buf_clear(&b);
        status = status_of(client_read(newcomer, &b, "\r\n\r\n"));
        if (status == 503) {
            close(newcomer);
            usleep(20000);
        }
    }
    CHECK_INT(status, 200);
    buf_clear(&b);
    CHECK_INT(client_read(idle[0], &b, NULL).n, 0); /* ended, without a word */
    http_answer(kept, 200, "text/plain", STR("late"));
    buf_clear(&b);
    CHECK(has(client_read(busy, &b, "late"), "late"));
    CHECK_INT(http_counts(d.server).shed, 1);
    close(busy);
    close(newcomer);
    for (int i = 0; i < 2; i++) close(idle[i]);
    desk_stop(&d, 100000);
}

static struct sockaddr_storage address(const char *text) {
    struct sockaddr_storage a = {0};
    struct sockaddr_in *four = (void *)&a;
    struct sockaddr_in6 *six = (void *)&a;
    a.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    CHECK(inet_pton(a.ss_family, text, strchr(text, ':') ? (void *)&six->sin6_addr : (void *)&four->sin_addr) == 1);
    return a;
}

TEST(an_address_has_a_number_of_connections_and_a_proxy_beside_the_program_has_all) {
    static struct http_server s = {.o = {.max_connections = 100, .max_per_address = 3}};
    static struct loop l = {.server = &s};
    static const char *const same[] = {"203.0.113.7", "203.0.113.7", "::ffff:203.0.113.7"}, *const net[] = {"2001:db8::1", "2001:db8::2", "2001:db8::ffff"};
    struct conn c[40] = {{0}};
    size_t n = 0;
    struct sockaddr_storage a;
    for (size_t i = 0; i < 3; i++) {
        a = address(same[i]);
        CHECK(http_seat_take(&s, &c[n++], &a));
        a = address(net[i]); /* one subscriber's */
        CHECK(http_seat_take(&s, &c[n++], &a));
    }
    a = address(same[0]);
    CHECK(!http_seat_take(&s, &c[n++], &a));
    a = address("2001:db8::77");
    CHECK(!http_seat_take(&s, &c[n++], &a));
    a = address("203.0.113.8");
    CHECK(http_seat_take(&s, &c[n++], &a));
    a = address("2001:db8:0:1::1");
    CHECK(http_seat_take(&s, &c[n++], &a));
    for (int i = 0; i < 10; i++) {
        a = address(i % 2 ? "127.0.0.1" : "::1");
        CHECK(http_seat_take(&s, &c[n++], &a));
    }
    for (size_t i = 0; i < n; i++) {
        c[i].loop = &l;
        http_seat_leave(&c[i]);
    }
    a = address(same[0]);
    CHECK(http_seat_take(&s, &c[0], &a));
}

TEST(bodies_under_way_have_a_bound_that_a_short_one_does_not_feel) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20), big CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.max_body_bytes = 100000, .threads = 2});
    int fd = client_connect(&d);
    client_sendz(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 90000\r\n\r\nhalf");
    for (int i = 0; i < 2000 && !http_counts(d.server).body_bytes; i++) usleep(5000);
    CHECK_INT(http_counts(d.server).body_bytes, 90000);
    CHECK_INT(busy_status(&d, &b, "POST /echo HTTP/1.1\r\n" H "Content-Length: 20000\r\n\r\n"), 503);
    CHECK_INT(busy_status(&d, &b, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nscan"), 200);
    buf_addz(&big, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; i++) buf_addf(&big, "3e8\r\n%01000d\r\n", i);
    buf_addz(&big, "0\r\n\r\n");
    CHECK_INT(busy_status(&d, &b, big.p), 503);
    for (int i = 0; i < 90000 - 4; i += 6) client_sendz(fd, "-more-");
    buf_clear(&b);
    CHECK_INT(status_of(client_read(fd, &b, "\r\n\r\n")), 200);
    close(fd);
    for (int i = 0; i < 2000 && http_counts(d.server).body_bytes; i++) usleep(5000);
    CHECK_INT(http_counts(d.server).body_bytes, 0);
    CHECK_INT(busy_status(&d, &b, big.p), 200);
    CHECK_INT(http_counts(d.server).by_reason[HTTP_BODIES], 2);
    desk_stop(&d, 100000);
}

TEST(a_long_body_can_be_refused_at_the_door) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "POST /door HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\nbegins");
    struct str a = client_read(fd, &b, NULL);
    CHECK_INT(status_of(a), 503);
    CHECK(has(a, "Connection: close") && has(a, "not today"));
    CHECK_INT(d.handled, 0);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(who_does_not_read_its_answers_is_not_served_on_and_who_reads_gets_all) {
    enum { ASKED = 400 }; /* more than the kernel keeps for a connection */
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(64 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d), before = -1;
    for (int i = 0; i < ASKED; i++) client_sendz(fd, "GET /big HTTP/1.1\r\n" H "\r\n");
    for (int now = 0; now == 0 || now != before; now = __atomic_load_n(&d.handled, __ATOMIC_RELAXED)) {
        before = now;
        usleep(300000);
    }
    CHECK(before < ASKED);
    while (count_of(buf_str(&b), "HTTP/1.1 200") < ASKED) {
        char *room = buf_room(&b, 1 << 20);
        ssize_t n = room ? recv(fd, room, 1 << 20, 0) : 0;
        CHECK(n > 0);
        if (n <= 0) break;
        buf_grew(&b, (size_t)n);
    }
    CHECK_INT(d.handled, ASKED);
    close(fd);
    desk_stop(&d, 100000);
}

static void *answer_at_one_go(void *arg) {
    struct desk *d = arg;
    struct http_call *last = desk_wait_kept(d, 31);
    http_gather(true);
    for (size_t i = 0; i < 31; i++) http_answer(desk_wait_kept(d, i), 200, "text/plain", STR("gathered"));
    http_answer(last, 200, "text/plain", STR("gathered"));
    http_gather(false);
    return NULL;
}

TEST(answers_gathered_by_a_thread_all_arrive) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.threads = 2});
    pthread_t t;
    int fds[32];
    CHECK_INT(pthread_create(&t, NULL, answer_at_one_go, &d), 0);
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = client_connect(&d);
        client_sendz(fds[i], "GET /keep HTTP/1.1\r\n" H "\r\n");
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        buf_clear(&b);
        CHECK_INT(status_of(client_read(fds[i], &b, "gathered")), 200);
        close(fds[i]);
    }
    pthread_join(t, NULL);
    desk_stop(&d, 100000);
}
