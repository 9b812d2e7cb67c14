#include "bench/client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "json/json.h"

enum { HEAD_MOST = 16 << 10, BODY_MOST = 64 << 20, PATIENCE_S = 30 };

static int said(const char *url, const char *what, struct err *e) {
    return err_set(e, ERR_IO, NULL, M_FILE, url, what);
}

/* ---- addresses ---- */

static int bad_url(struct err *e) {
    return err_set(e, ERR_USAGE, "--url", M_TEXT, "http://HOST:PORT");
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

int target_from(const char *url, const char *token, enum lang lang, struct target *ret, struct err *e) {
    struct str rest = str_z(url), port = STR("80");
    char host_z[200], port_z[8];
    int64_t number;
    if (!str_starts(rest, STR("http://"))) return bad_url(e);
    while (str_ends(rest, STR("/"))) rest.n--;
    *ret = (struct target){.lang = lang};
    if (rest.n >= sizeof ret->url || strlen(token) >= sizeof ret->token) return bad_url(e);
    snprintf(ret->url, sizeof ret->url, "%.*s", STR_FMT(rest));
    snprintf(ret->token, sizeof ret->token, "%s", token);
    rest = str_sub(rest, 7, rest.n);
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
    snprintf(host_z, sizeof host_z, "%.*s", STR_FMT(host));
    snprintf(port_z, sizeof port_z, "%d", (int)number);
    return look_up(ret, host_z, port_z, e);
}

int target_connect(const struct target *t, int *ret_fd, struct err *e) {
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

static int send_all(int fd, struct str s) {
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n <= 0) return -1;
        s = str_sub(s, (size_t)n, s.n);
    }
    return 0;
}

/* The whole answer, head and body, into `in`. */
static int receive_all(int fd, struct buf *in, struct answer *ret) {
    for (int whole = 0; !whole || in->n < ret->head + ret->body;) {
        char *to = buf_room(in, HEAD_MOST);
        ssize_t n = to ? read(fd, to, HEAD_MOST) : -1;
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
    int fd;
    TRY(target_connect(t, &fd, e));
    errno = 0;
    int r = send_all(fd, request);
    if (r == 0) r = receive_all(fd, &in, &a);
    int why = errno;
    close(fd);
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
