#include "http_help.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t route(void *app UNUSED, struct http_call *c, bool *ret_slow) {
    struct str path = http_path(c);
    if (str_eqz(path, "/door")) {
        http_close(c);
        http_answer(c, 503, "text/plain", STR("not today"));
    }
    *ret_slow = str_starts(path, STR("/slow")) || str_eqz(path, "/pour");
    return str_starts(path, STR("/small")) ? 10 : 1 << 20;
}

static void keep(struct desk *d, struct http_call *c) {
    pthread_mutex_lock(&d->lock);
    CHECK(d->kept_count < COUNT(d->kept));
    d->kept[d->kept_count++] = c;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void wait_open(struct desk *d) {
    pthread_mutex_lock(&d->lock);
    d->entered++;
    pthread_cond_broadcast(&d->changed);
    while (!d->open) pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

static char piece[65536];

static void pour(struct desk *d, struct http_call *c) {
    http_stream(c, 200, "text/plain");
    bool ok = true;
    for (int i = 0; i < 1024 && ok; i++) {
        ok = http_stream_write(c, (struct str){piece, sizeof piece});
        pthread_mutex_lock(&d->lock);
        if (ok) d->written += (int64_t)sizeof piece;
        pthread_mutex_unlock(&d->lock);
    }
    http_stream_end(c);
    pthread_mutex_lock(&d->lock);
    d->poured = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void few(struct http_call *c, bool broken) {
    http_stream(c, 200, "text/plain");
    CHECK(http_stream_try(c, STR("one,")));
    if (broken) {
        http_stream_abort(c);
        return;
    }
    CHECK(http_stream_try(c, STR("two,")));
    CHECK(http_stream_try(c, STR("three")));
    http_stream_end(c);
}

static void handle(void *app, struct http_call *c) {
    struct desk *d = app;
    struct str path = http_path(c);
    __atomic_fetch_add(&d->handled, 1, __ATOMIC_RELAXED);
    if (str_eqz(path, "/hello")) {
        http_add_header(c, "X-Desk", "yes");
        http_answer(c, 200, "text/plain", STR("hello"));
    } else if (str_eqz(path, "/static")) {
        http_answer_static(c, 200, "text/plain", STR("static text"));
    } else if (str_eqz(path, "/big")) {
        http_answer_static(c, 200, "text/plain", (struct str){piece, sizeof piece});
    } else if (str_eqz(path, "/none")) {
        http_answer(c, 204, NULL, STR_NONE);
    } else if (str_eqz(path, "/what")) {
        char *text = arena_printf(http_arena(c), "%s|%.*s|%.*s", http_method_name(c), STR_FMT(path), STR_FMT(http_query(c)));
        http_answer(c, 200, "text/plain", str_z(text));
    } else if (str_eqz(path, "/keep")) {
        keep(d, c);
    } else if (str_starts(path, STR("/over")) && !http_data(c)) {
        http_set_data(c, d);
        http_hand_over(c);
    } else if (str_starts(path, STR("/slow")) || str_starts(path, STR("/over"))) {
        wait_open(d);
        http_answer(c, 200, "text/plain", path);
    } else if (str_eqz(path, "/pour")) {
        pour(d, c);
    } else if (str_eqz(path, "/few") || str_eqz(path, "/broken")) {
        few(c, str_eqz(path, "/broken"));
    } else {
        http_answer(c, 200, "application/octet-stream", http_body(c));
    }
}

static void refuse(void *app UNUSED, int status, const char *why, struct buf *body, const char **ret_type) {
    *ret_type = "text/plain";
    buf_addf(body, "refused %d: %s", status, why);
}

void desk_start(struct desk *d, struct http_options o) {
    struct err e = {0};
    *d = (struct desk){0};
    memset(piece, 'x', sizeof piece);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    o.address = "127.0.0.1";
    o.app = d;
    o.route = route;
    o.handle = handle;
    o.refuse = refuse;
    CHECK_INT(http_start(&o, &d->server, &e), 0);
}

void desk_stop(struct desk *d, int64_t grace_us) {
    http_stop(d->server, grace_us);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->changed);
}

void desk_open(struct desk *d) {
    pthread_mutex_lock(&d->lock);
    d->open = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

struct http_call *desk_wait_kept(struct desk *d, size_t index) {
    pthread_mutex_lock(&d->lock);
    while (d->kept_count <= index) pthread_cond_wait(&d->changed, &d->lock);
    struct http_call *c = d->kept[index];
    pthread_mutex_unlock(&d->lock);
    return c;
}

void desk_wait_entered(struct desk *d, int n) {
    pthread_mutex_lock(&d->lock);
    while (d->entered < n) pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

int client_connect(const struct desk *d) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(d->server)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

/* A server that has refused already may have closed: that is no failure of the client. */
void client_send(int fd, struct str s) {
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0) return;
        s = str_sub(s, (size_t)n, s.n);
    }
}

void client_sendz(int fd, const char *z) {
    client_send(fd, str_z(z));
}

struct str client_read(int fd, struct buf *b, const char *enough) {
    while (!enough || !has(buf_str(b), enough)) {
        char *room = buf_room(b, 4096);
        CHECK(room);
        ssize_t n = recv(fd, room, 4096, 0);
        if (n <= 0) break;
        buf_grew(b, (size_t)n);
    }
    return buf_str(b);
}

struct str client_ask(const struct desk *d, struct buf *b, const char *raw) {
    int fd = client_connect(d);
    client_sendz(fd, raw);
    shutdown(fd, SHUT_WR);
    buf_clear(b);
    struct str answer = client_read(fd, b, NULL);
    close(fd);
    return answer;
}

int status_of(struct str answer) {
    int64_t status = -1;
    if (!str_starts(answer, STR("HTTP/1.1 ")) || !str_to_int(str_sub(answer, 9, 12), 100, 599, &status)) return -1;
    return (int)status;
}

struct str body_of(struct str answer) {
    ptrdiff_t end = str_find(answer, STR("\r\n\r\n"));
    return end < 0 ? STR_NONE : str_sub(answer, (size_t)end + 4, answer.n);
}

bool has(struct str s, const char *what) {
    return str_find(s, str_z(what)) >= 0;
}

size_t count_of(struct str s, const char *what) {
    size_t n = 0, len = strlen(what);
    for (ptrdiff_t at; (at = str_find(s, str_z(what))) >= 0; n++) s = str_sub(s, (size_t)at + len, s.n);
    return n;
}
