#include "bench/client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "http/openssl.h"
#include "json/json.h"

enum { HEAD_MOST = 16 << 10, BODY_MOST = 64 << 20, PATIENCE_S = 30 };

static int said(const char *url, const char *what, struct err *e) {
    return err_set(e, ERR_IO, NULL, M_FILE, url, what);
}

/* ---- addresses ---- */

static int bad_url(struct err *e) {
    return err_set(e, ERR_USAGE, "--url", M_TEXT, "http://HOST:PORT, https://HOST:PORT");
}

static int look_up(struct target *t, const char *host, const char *port, struct err *e) {
    struct addrinfo like = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int r = getaddrinfo(host, port, &like, &found);
    if (r) return said(t->url, gai_strerror(r), e);
    memcpy(&t->address, found->ai_addr, found->ai_addrlen);
    t->address_n = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int trust(struct target *t, const char *ca, struct err *e) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    INVARIANT(ctx);
    t->tls = ctx;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int r = ca ? SSL_CTX_load_verify_locations(ctx, ca, NULL) : SSL_CTX_set_default_verify_paths(ctx);
    return r == 1 ? 0 : err_set(e, ERR_IO, "--ca", M_FILE, ca ? ca : "", "PEM?");
}

int target_from(const char *url, const struct target_as *as, struct target *ret, struct err *e) {
    struct str rest = str_z(url);
    bool secure = str_starts(rest, STR("https://"));
    struct str port = secure ? STR("443") : STR("80");
    char port_z[8];
    int64_t number;
    if (!secure && !str_starts(rest, STR("http://"))) return bad_url(e);
    while (str_ends(rest, STR("/"))) rest.n--;
    *ret = (struct target){.lang = as->lang};
    if (rest.n >= sizeof ret->url || strlen(as->token) >= sizeof ret->token) return bad_url(e);
    snprintf(ret->url, sizeof ret->url, "%.*s", STR_FMT(rest));
    snprintf(ret->token, sizeof ret->token, "%s", as->token);
    rest = str_sub(rest, secure ? 8 : 7, rest.n);
    if (rest.n == 0 || rest.n >= sizeof ret->host || str_find_char(rest, '/') >= 0 || str_find_char(rest, '@') >= 0) return bad_url(e);
    snprintf(ret->host, sizeof ret->host, "%.*s", STR_FMT(rest));
    ptrdiff_t bracket = str_find_char(rest, ']');
    struct str behind = str_sub(rest, bracket < 0 ? 0 : (size_t)bracket + 1, rest.n), host = rest;
    ptrdiff_t colon = str_find_char(behind, ':');
    if (colon >= 0) {
        port = str_sub(behind, (size_t)colon + 1, behind.n);
        host.n -= port.n + 1;
    }
    if (bracket >= 0) host = str_sub(host, 1, host.n - 1);
    if (!str_to_int(port, 1, 65535, &number)) return bad_url(e);
    snprintf(ret->name, sizeof ret->name, "%.*s", STR_FMT(host));
    snprintf(port_z, sizeof port_z, "%d", (int)number);
    if (secure) TRY(trust(ret, as->ca, e));
    return look_up(ret, ret->name, port_z, e);
}

void target_release(struct target *t) {
    SSL_CTX_free(t->tls);
    t->tls = NULL;
}

static int connect_to(const struct target *t, int *ret_fd, struct err *e) {
    int on = 1, fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (fd < 0) return said(t->url, strerrordesc_np(errno), e);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&t->address, t->address_n)) {
        said(t->url, strerrordesc_np(errno), e);
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

static int shake_hands(const struct target *t, struct line *l, struct err *e) {
    SSL *ssl = SSL_new(t->tls);
    INVARIANT(ssl);
    l->tls = ssl;
    /* A name or an address: whichever it is stands in the certificate. */
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->name) != 1) SSL_set1_host(ssl, t->name);
    SSL_set_tlsext_host_name(ssl, t->name);
    SSL_set_fd(ssl, l->fd);
    if (SSL_connect(ssl) == 1) return 0;
    long verified = SSL_get_verify_result(ssl);
    return said(t->url, verified == X509_V_OK ? "TLS" : X509_verify_cert_error_string(verified), e);
}

int line_open(const struct target *t, struct line *ret, struct err *e) {
    *ret = (struct line){.fd = -1};
    TRY(connect_to(t, &ret->fd, e));
    if (!t->tls || shake_hands(t, ret, e) == 0) return 0;
    line_close(ret);
    return -1;
}

void line_close(struct line *l) {
    if (l->tls) SSL_free(l->tls);
    if (l->fd >= 0) close(l->fd);
    *l = (struct line){.fd = -1};
}

/* What a call of OpenSSL came to, as read(2) and write(2) say it. */
static ssize_t came_to(const struct line *l, int n) {
    if (n > 0) return n;
    int why = SSL_get_error(l->tls, n);
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) errno = EAGAIN;
    else if (why != SSL_ERROR_SYSCALL || errno == 0) errno = EPROTO;
    return -1;
}

ssize_t line_read(struct line *l, void *to, size_t n) {
    if (l->tls) ERR_clear_error();
    return l->tls ? came_to(l, SSL_read(l->tls, to, (int)MIN(n, (size_t)INT32_MAX))) : read(l->fd, to, n);
}

ssize_t line_write(struct line *l, const void *p, size_t n) {
    if (l->tls) ERR_clear_error();
    return l->tls ? came_to(l, SSL_write(l->tls, p, (int)MIN(n, (size_t)INT32_MAX))) : write(l->fd, p, n);
}

/* ---- answers ---- */

int answer_read(struct str in, struct answer *ret) {
    ptrdiff_t end = str_find(str_sub(in, 0, HEAD_MOST), STR("\r\n\r\n"));
    int64_t status, n = -1;
    if (end < 0) return in.n >= HEAD_MOST ? -1 : 0;
    if (!str_starts(in, STR("HTTP/1.1 ")) || !str_to_int(str_sub(in, 9, 12), 100, 599, &status)) return -1;
    *ret = (struct answer){.status = (int)status, .head = (size_t)end + 4, .retry_after = -1};
    struct str rest = str_sub(in, 0, (size_t)end), line, name;
    while (str_cut(&rest, '\n', &line)) {
        if (!str_cut(&line, ':', &name) || line.n == 0) continue;
        struct str value = str_trim(line);
        if (str_ieq(name, STR("content-length")) && !str_to_int(value, 0, BODY_MOST, &n)) return -1;
        if (str_ieq(name, STR("retry-after"))) str_to_int(value, 0, 3600, &ret->retry_after);
        if (str_ieq(name, STR("connection"))) ret->closes = str_ieq(value, STR("close"));
    }
    if (n < 0) return -1;
    ret->body = (size_t)n;
    return 1;
}

int answer_error(int status, struct str body, const char *url, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct json *j = NULL;
    struct err ignored;
    char number[16];
    enum err_code code = ERR_IO;
    for (int c = ERR_NONE + 1; c < ERR__COUNT && code == ERR_IO; c++)
        if (err_http((enum err_code)c) == status && status < 500) code = (enum err_code)c;
    if (json_parse(&a, body, NULL, &j, &ignored)) j = NULL;
    snprintf(number, sizeof number, "HTTP %d", status);
    struct str detail = json_text(j, "detail").n ? json_text(j, "detail") : json_text(j, "title");
    return err_set(e, code, status == 401 || status == 403 ? "--token" : NULL, M_FILE, url, detail.n ? arena_strz(&a, detail) : number);
}

static int send_all(struct line *l, struct str s) {
    while (s.n) {
        ssize_t n = line_write(l, s.p, s.n);
        if (n <= 0) return -1;
        s = str_sub(s, (size_t)n, s.n);
    }
    return 0;
}

/* The whole answer, head and body, into `in`. */
static int receive_all(struct line *l, struct buf *in, struct answer *ret) {
    for (int whole = 0; !whole || in->n < ret->head + ret->body;) {
        char *to = buf_room(in, HEAD_MOST);
        ssize_t n = to ? line_read(l, to, HEAD_MOST) : -1;
        if (n <= 0) return -1;
        buf_grew(in, (size_t)n);
        if (!whole) whole = answer_read(buf_str(in), ret);
        if (whole < 0) return -1;
    }
    return 0;
}

int target_ask(const struct target *t, struct str request, struct buf *body, int *ret_status, struct err *e) {
    struct buf in CLEANUP(buf_release) = BUF(BODY_MOST + 2 * HEAD_MOST);
    struct answer a;
    struct line l;
    TRY(line_open(t, &l, e));
    errno = 0;
    int r = send_all(&l, request);
    if (r == 0) r = receive_all(&l, &in, &a);
    int why = errno;
    line_close(&l);
    if (r) return said(t->url, why ? strerrordesc_np(why) : "HTTP/1.1?", e);
    buf_clear(body);
    buf_add_str(body, str_sub(buf_str(&in), a.head, a.head + a.body));
    *ret_status = a.status;
    return 0;
}

int target_get(const struct target *t, const char *path, struct buf *body, struct err *e) {
    struct buf request CLEANUP(buf_release) = BUF(4096);
    int status;
    buf_addf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept-Language: %s\r\nConnection: close\r\n\r\n", path, t->host, t->token,
             lang_tag(t->lang));
    TRY(target_ask(t, buf_str(&request), body, &status, e));
    return status == 200 ? 0 : answer_error(status, buf_str(body), t->url, e);
}
