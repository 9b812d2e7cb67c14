/* Every request that must not get through, sent as it is, whole and byte by byte. */
#include <sys/socket.h>
#include <unistd.h>

#include "http_help.h"

#define H "Host: desk\r\n"
static const struct {
    const char *raw;
    int status;
} refused[] = {
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nhello", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: -0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
    {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H H "\r\n", 400},
    {"GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\nHost: user@desk\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\nHost: desk\n\n", 400},
    {"GET /hello HTTP/1.1\r\nHost: desk\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n " H "\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A : b\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H ": b\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A(: b\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A: \x01\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\n" H "A: \x7f\r\n\r\n", 400},
    {"GET  /hello HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /hello  HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /hello HTTP/1.1 \r\n" H "\r\n", 400},
    {"GET /hello\r\n" H "\r\n", 400},
    {"GET /hello HTTP/2.0\r\n" H "\r\n", 505},
    {"GET /hello HTTP/1.2\r\n" H "\r\n", 505},
    {"GET /hello http/1.1\r\n" H "\r\n", 400},
    {"GET /hello HTTP/1.10\r\n" H "\r\n", 400},
    {"G\x01T /hello HTTP/1.1\r\n" H "\r\n", 400},
    {" GET /hello HTTP/1.1\r\n" H "\r\n", 400},
    {"\r\n\r\nGET /hello HTTP/1.1\r\n" H "\r\n", 400},
    {"\x16\x03\x01\x02", 400},
    {"GET http://desk/hello HTTP/1.1\r\n" H "\r\n", 400},
    {"GET hello HTTP/1.1\r\n" H "\r\n", 400},
    {"OPTIONS * HTTP/1.1\r\n" H "\r\n", 400},
    {"CONNECT desk:443 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /hello\x01 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /hello\t HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /hello#x HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a?b=\x7f HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%00 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%0a HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%7f HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%zz HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%4 HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /%ff HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /\xff HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a/../b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a/.. HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /./a HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a/%2e%2e/b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a/%2E/b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a/.%2e HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a%2fb HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a%5Cb HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a\\b HTTP/1.1\r\n" H "\r\n", 400},
    {"GET //a HTTP/1.1\r\n" H "\r\n", 400},
    {"GET /a//b HTTP/1.1\r\n" H "\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417},
    {"POST /small HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n", 413},
    {"POST /small HTTP/1.1\r\n" H "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n", 413},
    {"POST /small HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nb\r\n", 413},
    {"POST /small HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\n", 413},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n123456789", 413},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5;a\x01\r\nhello\r\n0\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n", 400},
};

static int ask_split(const struct desk *d, struct str raw, struct buf *b) {
    int fd = client_connect(d);
    for (size_t i = 0; i < raw.n; i++) client_send(fd, str_sub(raw, i, i + 1));
    buf_clear(b);
    int status = status_of(client_read(fd, b, NULL));
    close(fd);
    return status;
}

TEST(requests_that_two_readers_understand_differently_are_refused_and_the_connection_ends) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    for (size_t i = 0; i < COUNT(refused); i++) {
        int fd = client_connect(&d);
        client_sendz(fd, refused[i].raw);
        buf_clear(&b);
        struct str answer = client_read(fd, &b, NULL);
        close(fd);
        if (status_of(answer) != refused[i].status || count_of(answer, "\r\nDate: ") != 1 || !has(answer, "Connection: close"))
            unit_fail(__FILE__, __LINE__, "%s\n gave %.*s", refused[i].raw, STR_FMT(answer));
        CHECK(str_starts(body_of(answer), STR("refused ")));
        int split = ask_split(&d, str_z(refused[i].raw), &b);
        if (split != refused[i].status) unit_fail(__FILE__, __LINE__, "%s\n byte by byte gave %d", refused[i].raw, split);
    }
    CHECK_INT(d.handled, 0);
    CHECK_INT(http_counts(d.server).refused, 2 * COUNT(refused));
    desk_stop(&d, 100000);
}

TEST(a_nul_in_the_head_is_refused) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    static const struct str raws[] = {
        STR("GET /hel\0lo HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET /hello HTTP/1.1\r\nHost: a\r\nA: \0\r\n\r\n"),
        STR("GET /hello HTTP/1.1\r\nHost: a\0\r\n\r\n"),
    };
    for (size_t i = 0; i < COUNT(raws); i++) CHECK_INT(ask_split(&d, raws[i], &b), 400);
    desk_stop(&d, 100000);
}

static int status_for(const struct desk *d, const struct buf *request) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    int fd = client_connect(d);
    client_send(fd, buf_str(request));
    shutdown(fd, SHUT_WR);
    int status = status_of(client_read(fd, &b, NULL));
    close(fd);
    return status;
}

TEST(a_head_over_16_kib_or_with_over_100_headers_gets_431) {
    struct desk d;
    struct buf r CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    for (size_t n = 16380; n <= 16390; n++) {
        buf_clear(&r);
        buf_addz(&r, "GET /hello HTTP/1.1\r\nHost: a\r\nA: ");
        while (r.n < n - 4) buf_addc(&r, 'x');
        buf_addz(&r, "\r\n\r\n");
        CHECK_INT(status_for(&d, &r), n <= 16384 ? 200 : 431);
    }
    for (int n = 99; n <= 102; n++) {
        buf_clear(&r);
        buf_addz(&r, "GET /hello HTTP/1.1\r\nHost: a\r\n");
        for (int i = 1; i < n; i++) buf_addz(&r, "A: b\r\n");
        buf_addz(&r, "\r\n");
        CHECK_INT(status_for(&d, &r), n <= 100 ? 200 : 431);
    }
    desk_stop(&d, 100000);
}

TEST(chunk_extensions_and_trailers_are_dropped_but_bounded) {
    struct desk d;
    struct buf r CLEANUP(buf_release) = BUF(1 << 20);
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    struct str ok = client_ask(&d, &b, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
                                   "5;a=\"b\"\r\nhello\r\n3\r\n, y\r\n0;z\r\nX: y\r\nZ: z\r\n\r\n");
    CHECK_INT(status_of(ok), 200);
    CHECK_STR(body_of(ok), "hello, y");
    for (int trailer = 0; trailer < 2; trailer++) {
        buf_clear(&r);
        buf_addz(&r, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
        buf_addz(&r, trailer ? "0\r\nA: " : "5;");
        for (int i = 0; i < 5000; i++) buf_addc(&r, 'x');
        CHECK_INT(status_for(&d, &r), 400);
    }
    desk_stop(&d, 100000);
}

TEST(a_body_over_the_limit_gets_413_before_it_is_read) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1048577\r\n\r\n");
    CHECK_INT(status_of(client_read(fd, &b, "refused")), 413);
    close(fd);
    /* A client that sends all of it all the same can read the answer. */
    fd = client_connect(&d);
    client_sendz(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4000000\r\n\r\n");
    static char megabyte[1 << 20];
    for (int i = 0; i < 4; i++) client_send(fd, (struct str){megabyte, 1000000});
    buf_clear(&b);
    CHECK_INT(status_of(client_read(fd, &b, "refused")), 413);
    close(fd);
    CHECK_INT(d.handled, 0);
    desk_stop(&d, 100000);
}

TEST(a_refusal_comes_behind_the_answers_of_earlier_requests) {
    struct desk d;
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    desk_start(&d, (struct http_options){0});
    int fd = client_connect(&d);
    client_sendz(fd, "GET /keep HTTP/1.1\r\n" H "\r\nGET /keep HTTP/1.1\r\n\r\n");
    struct http_call *c = desk_wait_kept(&d, 0);
    usleep(20000);
    http_answer(c, 200, "text/plain", STR("first"));
    struct str answer = client_read(fd, &b, NULL);
    CHECK_INT(status_of(answer), 200);
    CHECK(has(answer, "firstHTTP/1.1 400 Bad Request"));
    close(fd);
    desk_stop(&d, 100000);
}
