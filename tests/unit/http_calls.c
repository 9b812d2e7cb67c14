/* Requests that get through, and their answers. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/day.h"
#include "http_help.h"

#define H "Host: desk\r\n"

TEST(a_request_may_be_split_at_every_byte) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    static const struct str raws[] = {
        STR("POST /echo?x=1 HTTP/1.1\r\n" H "Content-Length: 11\r\nConnection: close\r\n\r\nhello,\r\n\r\nx"),
        STR("\r\nPOST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n6\r\nhello,\r\n5;x\r\n\r\n\r\nx\r\n0\r\n\r\n"),
    };
    desk_start(&d, (struct http_options){.threads = 2});
    for (size_t r = 0; r < COUNT(raws); r++)
        for (size_t at = 0; at <= raws[r].n; at++) {
            int fd = client_connect(&d);
            client_send(fd, str_sub(raws[r], 0, at));
            usleep(500);
            client_send(fd, str_sub(raws[r], at, raws[r].n));
            buf_clear(&b);
            struct str answer = client_read(fd, &b, NULL);
            close(fd);
            CHECK_INT(status_of(answer), 200);
            CHECK_STR(body_of(answer), "hello,\r\n\r\nx");
        }
    desk_stop(&d, 100000);
}

TEST(answers_carry_length_date_type_and_the_handlers_headers) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    struct str a = client_ask(&d, &b, "GET /hello HTTP/1.1\r\n" H "\r\n");
    CHECK(str_starts(a, STR("HTTP/1.1 200 OK\r\nDate: ")));
    CHECK(has(a, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nKeep-Alive: timeout=74\r\nX-Desk: yes\r\n\r\nhello"));
    a = client_ask(&d, &b, "GET /static HTTP/1.1\r\n" H "\r\n");
    CHECK_STR(body_of(a), "static text");
    a = client_ask(&d, &b, "GET /none HTTP/1.1\r\n" H "\r\n");
    CHECK_INT(status_of(a), 204);
    CHECK(!has(a, "Content-Length") && body_of(a).n == 0);
    a = client_ask(&d, &b, "POST /echo HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n");
    CHECK(has(a, "Content-Length: 0\r\n"));
    desk_stop(&d, 100000);
}

TEST(head_gets_the_head_of_get_and_no_body) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    static const char *const paths[] = {"/hello", "/static", "/few"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        char raw[200];
        snprintf(raw, sizeof raw, "HEAD %s HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" H "\r\n", paths[i]);
        struct str a = client_ask(&d, &b, raw);
        CHECK_INT(status_of(a), 200);
        CHECK(has(a, i == 0 ? "Content-Length: 5" : i == 1 ? "Content-Length: 11" : "Transfer-Encoding: chunked"));
        CHECK(str_starts(body_of(a), STR("HTTP/1.1 200 OK"))); /* the next answer follows at once */
    }
    desk_stop(&d, 100000);
}

TEST(http_1_0_needs_no_host_and_ends_the_connection) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    struct str a = client_read(fd, &b, NULL);
    CHECK(has(a, "Connection: close"));
    CHECK_STR(body_of(a), "hello");
    close(fd);
    a = client_ask(&d, &b, "GET /few HTTP/1.0\r\n\r\n");
    CHECK(!has(a, "chunked"));
    CHECK_STR(body_of(a), "one,two,three");
    desk_stop(&d, 100000);
}

TEST(the_handler_sees_every_method_and_the_decoded_path) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"};
    for (size_t i = 0; i < COUNT(methods); i++) {
        char raw[200], want[64];
        snprintf(raw, sizeof raw, "%s /w%%68at?a=%%20b HTTP/1.1\r\n" H "\r\n", methods[i]);
        snprintf(want, sizeof want, "%s|/what|a=%%20b", methods[i]);
        CHECK_STR(body_of(client_ask(&d, &b, raw)), want);
    }
    desk_stop(&d, 100000);
}

TEST(a_connection_is_used_again) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    for (int i = 0; i < 50; i++) {
        client_sendz(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nping");
        buf_clear(&b);
        CHECK_STR(body_of(client_read(fd, &b, "ping")), "ping");
    }
    CHECK_INT(http_counts(d.server).requests, 50);
    CHECK_INT(http_counts(d.server).connections, 1);
    CHECK_INT(http_counts(d.server).by_class[2], 50);
    client_sendz(fd, "GET /hello HTTP/1.1\r\n" H "Connection: Keep-Alive, Close\r\n\r\nGET /hello HTTP/1.1\r\n" H "\r\n");
    buf_clear(&b);
    CHECK_INT(count_of(client_read(fd, &b, NULL), "hello"), 1); /* nothing is read behind "close" */
    close(fd);
    desk_stop(&d, 100000);
}

TEST(pipelined_requests_are_answered_in_order_even_if_the_second_is_ready_first) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "GET /keep HTTP/1.1\r\n" H "\r\nGET /keep HTTP/1.1\r\n" H "\r\nGET /few HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" H "\r\n");
    struct http_call *one = desk_wait_kept(&d, 0), *two = desk_wait_kept(&d, 1);
    http_answer(two, 200, "text/plain", STR("#two"));
    usleep(30000);
    char c;
    CHECK_INT(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    http_answer(one, 200, "text/plain", STR("#one"));
    struct str a = client_read(fd, &b, "hello");
    CHECK(str_find(a, STR("#one")) < str_find(a, STR("#two")) && str_find(a, STR("#two")) < str_find(a, STR("three")));
    CHECK(str_find(a, STR("three")) < str_find(a, STR("hello")));
    CHECK_INT(count_of(a, "HTTP/1.1 200 OK"), 4);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(pipelined_writes_run_one_after_the_other) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "POST /keep HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\na"
                     "POST /keep HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nbGET /hello HTTP/1.1\r\n" H "\r\n");
    struct http_call *one = desk_wait_kept(&d, 0);
    usleep(30000);
    CHECK_INT(d.kept_count, 1);
    http_answer(one, 200, "text/plain", STR("#one"));
    struct http_call *two = desk_wait_kept(&d, 1);
    CHECK_STR(http_body(two), "b");
    http_answer(two, 200, "text/plain", STR("#two"));
    struct str a = client_read(fd, &b, "hello");
    CHECK_INT(count_of(a, "HTTP/1.1 200 OK"), 3);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(many_pipelined_requests_all_get_their_answer) {
    struct desk d;
    struct buf r CLEANUP(buf_release) = BUF(1 << 20);
    struct buf b CLEANUP(buf_release) = BUF(1 << 22);
    desk_start(&d, (struct http_options){0});
    for (int i = 0; i < 500; i++)
        buf_addf(&r, "%s /what?%d HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n%s", i % 3 ? "GET" : "POST", i, i % 3 ? 0 : 3, i % 3 ? "" : "abc");
    struct str a = client_ask(&d, &b, buf_str(&r).p);
    for (int i = 0; i < 500; i++) {
        char want[32];
        snprintf(want, sizeof want, "|/what|%d", i);
        ptrdiff_t at = str_find(a, str_z(want));
        CHECK(at >= 0);
        a = str_sub(a, (size_t)at + strlen(want), a.n);
    }
    desk_stop(&d, 100000);
}

TEST(expect_100_continue_is_answered_before_the_body_is_sent) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\nExpect: 100-Continue\r\n\r\n");
    CHECK_STR(client_read(fd, &b, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client_sendz(fd, "ping");
    buf_clear(&b);
    CHECK_STR(body_of(client_read(fd, &b, "ping")), "ping");
    close(fd);
    desk_stop(&d, 100000);
}

static void *answer_all(void *arg) {
    struct desk *d = arg;
    for (size_t i = 0; i < 40; i++) {
        struct http_call *c = desk_wait_kept(d, i);
        http_answer(c, 201, "text/plain", http_body(c));
    }
    return NULL;
}

TEST(another_thread_may_answer) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.threads = 2});
    pthread_t t;
    CHECK_INT(pthread_create(&t, NULL, answer_all, &d), 0);
    int fds[4];
    for (int i = 0; i < 4; i++) fds[i] = client_connect(&d);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++) client_sendz(fds[i], "POST /keep HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nping");
        for (int i = 0; i < 4; i++) {
            buf_clear(&b);
            CHECK_INT(status_of(client_read(fds[i], &b, "ping")), 201);
        }
    }
    pthread_join(t, NULL);
    for (int i = 0; i < 4; i++) close(fds[i]);
    desk_stop(&d, 100000);
}

TEST(an_answer_to_a_client_that_went_away_is_dropped) {
    struct desk d;
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "POST /keep HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nping");
    struct http_call *c = desk_wait_kept(&d, 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(fd); /* a reset */
    usleep(30000);
    CHECK_STR(http_body(c), "ping"); /* the call is still whole */
    CHECK_STR(http_peer(c), "127.0.0.1");
    http_answer(c, 200, "text/plain", STR("late"));
    for (int i = 0; i < 200 && http_counts(d.server).connections; i++) usleep(5000);
    CHECK_INT(http_counts(d.server).connections, 0);
    desk_stop(&d, 100000);
}

static void fill_worker_queue(const char *path) {
    struct arena a CLEANUP(arena_release) = {0};
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.workers = 1, .max_queued = 2});
    const char *request = arena_printf(&a, "GET %s HTTP/1.1\r\n" H "\r\n", path);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(&d);
        client_sendz(fds[i], request);
        if (i == 0) desk_wait_entered(&d, 1);
    }
    for (int i = 0; i < 400 && http_counts(d.server).queued < 2; i++) usleep(5000);
    CHECK_INT(http_counts(d.server).queued, 2);
    int fd = client_connect(&d);
    client_sendz(fd, request);
    struct str answer = client_read(fd, &b, "busy");
    CHECK_INT(status_of(answer), 503);
    CHECK(has(answer, "Retry-After: ") && !has(answer, "Connection: close"));
    client_sendz(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
    buf_clear(&b);
    CHECK_INT(status_of(client_read(fd, &b, "hello")), 200);
    desk_open(&d);
    for (int i = 0; i < 3; i++) {
        buf_clear(&b);
        CHECK_INT(status_of(client_read(fds[i], &b, path)), 200);
        close(fds[i]);
    }
    close(fd);
    desk_stop(&d, 100000);
}

TEST(a_full_worker_queue_gives_503_with_retry_after_and_the_connection_stays) {
    fill_worker_queue("/slow/x");
}

TEST(a_call_that_the_loop_hands_over_is_handled_by_a_worker_or_refused_like_any_other) {
    fill_worker_queue("/over/x");
}

TEST(connections_over_the_limit_are_told_and_closed) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){.max_connections = 2, .threads = 2});
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = client_connect(&d);
        client_sendz(fds[i], "GET /keep HTTP/1.1\r\n" H "\r\n"); /* busy: it makes room for nobody */
    }
    struct http_call *kept[2] = {desk_wait_kept(&d, 0), desk_wait_kept(&d, 1)};
    int fd = client_connect(&d);
    client_sendz(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
    buf_clear(&b);
    struct str a = client_read(fd, &b, NULL);
    CHECK_INT(status_of(a), 503);
    CHECK(has(a, "Retry-After: ") && has(a, "too many connections"));
    close(fd);
    for (int i = 0; i < 2; i++) http_answer(kept[i], 200, "text/plain", STR("late"));
    close(fds[0]);
    for (int i = 0; i < 400 && http_counts(d.server).connections > 1; i++) usleep(5000);
    CHECK_INT(status_of(client_ask(&d, &b, "GET /hello HTTP/1.1\r\n" H "\r\n")), 200);
    close(fds[1]);
    desk_stop(&d, 100000);
}

TEST(a_port_that_is_taken_is_an_error_of_its_own) {
    struct desk d;
    desk_start(&d, (struct http_options){0});
    struct http_options o = {.address = "127.0.0.1", .port = http_port(d.server)};
    struct http_server *s = NULL;
    struct err e = {0};
    CHECK_INT(http_start(&o, &s, &e), -1);
    CHECK_INT(e.code, ERR_IO);
    CHECK(strstr(e.arg[1], "in use"));
    o = (struct http_options){.address = "desk", .port = 0};
    CHECK_INT(http_start(&o, &s, &e), -1);
    CHECK_INT(e.code, ERR_IO);
    desk_stop(&d, 100000);
}

TEST(cookies_are_found_by_name) {
    struct desk d;
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "GET /keep HTTP/1.1\r\n" H "Cookie: xsid=no; sid=abc=; lang=en\r\nAccept-Language:  zh \t\r\n\r\n");
    struct http_call *c = desk_wait_kept(&d, 0);
    CHECK_STR(http_cookie(c, "sid"), "abc=");
    CHECK_STR(http_cookie(c, "lang"), "en");
    CHECK(http_cookie(c, "id").p == NULL);
    CHECK_STR(http_header(c, "accept-LANGUAGE"), "zh");
    CHECK(http_header(c, "Accept").p == NULL);
    CHECK(!http_secure(c));
    http_answer(c, 200, NULL, STR(""));
    close(fd);
    desk_stop(&d, 100000);
}
