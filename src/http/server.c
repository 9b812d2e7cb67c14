/* Start, stop and figures. */
#include "http/server.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/internal.h"

enum { CONNECTIONS = 10000, QUEUED = 1024, BACKLOG = 4096, BODY_BYTES = 128 << 20, STOP_POLL_NS = 2000000 };

static int listen_on(const struct http_options *o, int *ret_fd, int *ret_port, struct err *e) {
    char where[80], port[16];
    snprintf(where, sizeof where, "%s:%d", o->address, o->port);
    snprintf(port, sizeof port, "%d", o->port);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *a = NULL;
    int bad = getaddrinfo(o->address, port, &hints, &a);
    if (bad) return err_set(e, ERR_IO, NULL, M_FILE, where, gai_strerror(bad));
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (a->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
    }
    struct sockaddr_storage own = {0};
    socklen_t n = sizeof own;
    bool ok = fd >= 0 && !bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, BACKLOG) && !getsockname(fd, (struct sockaddr *)&own, &n);
    int why = errno;
    freeaddrinfo(a);
    if (!ok) {
        if (fd >= 0) close(fd);
        return err_set(e, ERR_IO, NULL, M_FILE, where, strerrordesc_np(why));
    }
    *ret_port = ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port : ((struct sockaddr_in *)&own)->sin_port);
    *ret_fd = fd;
    return 0;
}

static int64_t us_or(int ms, int64_t seconds) {
    return ms > 0 ? (int64_t)ms * 1000 : seconds * US_PER_SECOND;
}

static void options_take(struct http_server *s, const struct http_options *o) {
    s->o = *o;
    s->o.address = s->o.tls_cert = s->o.tls_key = NULL; /* the caller's, not kept */
    s->o.threads = MAX(o->threads, 1);
    s->o.workers = MAX(o->workers, 1);
    if (!o->max_connections) s->o.max_connections = CONNECTIONS;
    if (!o->max_queued) s->o.max_queued = QUEUED;
    if (!o->max_body_bytes) s->o.max_body_bytes = BODY_BYTES;
    http_limit_start(s);
    if (!o->max_per_address) s->o.max_per_address = MAX(s->o.max_connections / 4, (size_t)1);
    s->head_us = us_or(o->head_timeout_ms, 10);
    s->body_us = us_or(o->body_timeout_ms, 10);
    s->write_us = us_or(o->write_timeout_ms, 30);
    s->idle_us = us_or(o->idle_timeout_ms, 75);
    /* A second less than it grants: who sends at the last moment must not meet the close. */
    snprintf(s->keep_alive, sizeof s->keep_alive, "\r\nKeep-Alive: timeout=%lld\r\n", (long long)MAX(s->idle_us / US_PER_SECOND - 1, 0));
}

static int threads_start(struct http_server *s, struct err *e) {
    s->loops = calloc((size_t)s->o.threads, sizeof *s->loops);
    INVARIANT(s->loops);
    int bad = http_work_start(s);
    /* The first loop accepts and hands out to the others, so it starts last. */
    for (int i = s->o.threads; i-- > 0 && !bad;) bad = http_loop_start(&s->loops[i], s);
    return bad ? err_set(e, ERR_IO, NULL, M_TEXT, strerrordesc_np(errno ? errno : EAGAIN)) : 0;
}

int http_start(const struct http_options *o, struct http_server **ret, struct err *e) {
    struct http_server *s = calloc(1, sizeof *s);
    INVARIANT(s);
    options_take(s, o);
    s->listener = -1;
    s->work.last = &s->work.first;
    pthread_mutex_init(&s->work.lock, NULL);
    pthread_cond_init(&s->work.some, NULL);
    int r = o->tls_cert ? http_tls_open(o->tls_cert, o->tls_key, &s->tls, e) : 0;
    if (!r) r = listen_on(o, &s->listener, &s->port, e);
    if (!r) r = threads_start(s, e);
    if (r) {
        http_stop(s, 0);
        return -1;
    }
    *ret = s;
    return 0;
}

int http_port(const struct http_server *s) {
    return s->port;
}

/* ---- stop ---- */

static void drain_set(struct http_server *s, enum drain drain) {
    atomic_store(&s->drain, drain);
    for (int i = 0; s->loops && i < s->o.threads; i++)
        if (s->loops[i].running) http_loop_wake(&s->loops[i]);
}

static bool is_quiet(struct http_server *s, const uint64_t rounds[]) {
    for (int i = 0; i < s->o.threads; i++) {
        struct loop *l = &s->loops[i];
        /* Two rounds: one may have begun before. */
        if (l->running && (atomic_load(&l->rounds) < rounds[i] + 2 || atomic_load(&l->busy))) return false;
    }
    return http_work_is_idle(s);
}

static void drain_wait(struct http_server *s, enum drain drain, int64_t until) {
    uint64_t *rounds = calloc((size_t)s->o.threads, sizeof *rounds);
    INVARIANT(rounds);
    for (int i = 0; i < s->o.threads; i++) rounds[i] = atomic_load(&s->loops[i].rounds);
    drain_set(s, drain);
    while (!is_quiet(s, rounds) && monotonic_us() < until) nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_NS}, NULL);
    free(rounds);
}

void http_stop(struct http_server *s, int64_t grace_us) {
    int64_t until = monotonic_us() + grace_us;
    if (s->loops) {
        drain_wait(s, DRAINING, until);
        drain_wait(s, ENDING, until);
    }
    http_work_stop(s);
    drain_set(s, STOPPED);
    for (int i = 0; s->loops && i < s->o.threads; i++)
        if (s->loops[i].running) pthread_join(s->loops[i].thread, NULL);
    while (atomic_load(&s->gathering)) nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_NS}, NULL);
    for (int i = 0; s->loops && i < s->o.threads; i++) http_loop_free(&s->loops[i]);
    free(s->loops);
    if (s->listener >= 0) close(s->listener);
    http_tls_close(s->tls);
    pthread_cond_destroy(&s->work.some);
    pthread_mutex_destroy(&s->work.lock);
    free(s);
}

struct http_counts http_counts(const struct http_server *s) {
    struct http_counts n = {.connections = atomic_load(&s->connections), .streams = atomic_load(&s->streams),
                            .accepted = atomic_load(&s->accepted), .shed = atomic_load(&s->shed), .body_bytes = atomic_load(&s->body_bytes)};
    for (size_t i = 0; i < HTTP_REASONS; i++) n.by_reason[i] = atomic_load(&s->by_reason[i]);
    for (int i = 0; i < s->o.threads; i++) {
        struct loop *l = &s->loops[i];
        n.requests += atomic_load_explicit(&l->requests, memory_order_relaxed);
        n.refused += atomic_load_explicit(&l->refused, memory_order_relaxed);
        for (size_t k = 0; k < COUNT(n.by_class); k++) n.by_class[k] += atomic_load_explicit(&l->by_class[k], memory_order_relaxed);
    }
    n.queued = (int64_t)http_work_queued(s);
    return n;
}
