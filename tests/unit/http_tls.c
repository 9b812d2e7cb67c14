/* TLS with a certificate of our own. */
#include <sys/stat.h>
#include <unistd.h>

#include "http/openssl.h"
#include "http_help.h"

#define H "Host: localhost\r\n"

static const char *paths_made(char cert[128], char key[128]) {
    snprintf(cert, 128, "%s/cert.pem", unit_dir());
    snprintf(key, 128, "%s/key.pem", unit_dir());
    struct err e = {0};
    CHECK_INT(http_self_signed(cert, key, (const char *const[]){"localhost", "desk.example", "127.0.0.1", "::1"}, 4, &e), 0);
    return cert;
}

static SSL *tls_client(SSL_CTX *ctx, int fd, const char *name) {
    SSL *tls = SSL_new(ctx);
    SSL_set_fd(tls, fd);
    SSL_set_tlsext_host_name(tls, name);
    CHECK(X509_VERIFY_PARAM_set1_host(SSL_get0_param(tls), name, 0));
    SSL_set_verify(tls, SSL_VERIFY_PEER, NULL);
    CHECK_INT(SSL_connect(tls), 1);
    return tls;
}

static struct str tls_read(SSL *tls, struct buf *b, const char *enough) {
    while (!enough || !has(buf_str(b), enough)) {
        char piece[4096];
        int n = SSL_read(tls, piece, sizeof piece);
        if (n <= 0) break;
        buf_add(b, piece, (size_t)n);
    }
    return buf_str(b);
}

TEST(tls_works_with_the_self_made_certificate) {
    struct desk d;
    char cert[128], key[128];
    struct buf b CLEANUP(buf_release) = BUF(1 << 22);
    paths_made(cert, key);
    struct stat st;
    CHECK(stat(key, &st) == 0 && (st.st_mode & 0777) == 0600);
    desk_start(&d, (struct http_options){.tls_cert = cert, .tls_key = key, .threads = 2});
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    CHECK_INT(SSL_CTX_load_verify_locations(ctx, cert, NULL), 1);
    int fd = client_connect(&d);
    SSL *tls = tls_client(ctx, fd, "desk.example");
    static const char raw[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nping";
    for (size_t i = 0; i < sizeof raw - 1; i++) CHECK_INT(SSL_write(tls, raw + i, 1), 1);
    CHECK_STR(body_of(tls_read(tls, &b, "ping")), "ping");
    /* A body over several records, and the echo of it. */
    static char body[900000];
    memset(body, 'z', sizeof body);
    char head[128];
    int n = snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" H "Connection: close\r\nContent-Length: %zu\r\n\r\n", sizeof body);
    CHECK_INT(SSL_write(tls, head, n), n);
    CHECK_INT(SSL_write(tls, body, sizeof body), sizeof body);
    buf_clear(&b);
    CHECK_INT(body_of(tls_read(tls, &b, NULL)).n, sizeof body);
    CHECK_INT(SSL_get_shutdown(tls), SSL_RECEIVED_SHUTDOWN); /* ended, not cut */
    SSL_free(tls);
    close(fd);
    SSL_CTX_free(ctx);
    desk_stop(&d, 100000);
}

TEST(streams_and_secure_calls_over_tls) {
    struct desk d;
    char cert[128], key[128];
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    paths_made(cert, key);
    desk_start(&d, (struct http_options){.tls_cert = cert, .tls_key = key});
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    CHECK_INT(SSL_CTX_load_verify_locations(ctx, cert, NULL), 1);
    int fd = client_connect(&d);
    SSL *tls = tls_client(ctx, fd, "localhost");
    static const char raw[] = "GET /keep HTTP/1.1\r\n" H "\r\nGET /pour HTTP/1.1\r\n" H "\r\n";
    CHECK_INT(SSL_write(tls, raw, sizeof raw - 1), sizeof raw - 1);
    struct http_call *c = desk_wait_kept(&d, 0);
    CHECK(http_secure(c));
    http_stream(c, 200, "text/event-stream");
    CHECK(http_stream_try(c, STR("data: 1\n\n")));
    tls_read(tls, &b, "data: 1\n\n");
    http_stream_end(c);
    size_t got = 0;
    char piece[65536];
    for (int n; got < 64 << 20 && (n = SSL_read(tls, piece, sizeof piece)) > 0; got += (size_t)n) {}
    CHECK(got >= 64 << 20);
    SSL_free(tls);
    close(fd);
    SSL_CTX_free(ctx);
    desk_stop(&d, 1000000);
}

TEST(plain_http_and_rubbish_on_a_tls_port_are_dropped) {
    struct desk d;
    char cert[128], key[128];
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    paths_made(cert, key);
    desk_start(&d, (struct http_options){.tls_cert = cert, .tls_key = key, .head_timeout_ms = 200});
    struct str a = client_ask(&d, &b, "GET /hello HTTP/1.1\r\n" H "\r\n");
    CHECK(!has(a, "hello"));
    int fd = client_connect(&d); /* says nothing: the handshake has a deadline */
    buf_clear(&b);
    CHECK_INT(client_read(fd, &b, NULL).n, 0);
    close(fd);
    desk_stop(&d, 100000);
}

TEST(a_certificate_in_use_is_not_overwritten_and_a_missing_one_is_an_error) {
    char cert[128], key[128];
    struct err e = {0};
    paths_made(cert, key);
    CHECK_INT(http_self_signed(cert, key, (const char *const[]){"x"}, 1, &e), -1);
    CHECK_INT(e.code, ERR_IO);
    CHECK(strstr(e.arg[1], "exists"));
    struct http_options o = {.address = "127.0.0.1", .tls_cert = "/nowhere/cert.pem", .tls_key = key};
    struct http_server *s = NULL;
    CHECK_INT(http_start(&o, &s, &e), -1);
    CHECK_INT(e.code, ERR_IO);
    CHECK(strstr(e.arg[0], "/nowhere"));
}

TEST(the_certificate_names_its_hosts_and_addresses_and_lasts_825_days) {
    char cert[128], key[128];
    FILE *f = fopen(paths_made(cert, key), "r");
    CHECK(f);
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    CHECK(x);
    CHECK_INT(X509_check_host(x, "desk.example", 0, 0, NULL), 1);
    CHECK_INT(X509_check_host(x, "other.example", 0, 0, NULL), 0);
    CHECK_INT(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
    CHECK_INT(X509_check_ip_asc(x, "::1", 0), 1);
    int days = 0, seconds = 0;
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x), X509_get0_notAfter(x));
    CHECK_INT(days, 825);
    X509_free(x);
}
