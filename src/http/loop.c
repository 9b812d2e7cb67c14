/* An event loop: a thread, its connections, and the hand-over from other threads. */
#include "http/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static _Thread_local const struct loop *here;

enum { ACCEPTS_PER_TURN = 64, DRAIN_TICK_US = 5000 };

bool http_loop_is_here(const struct loop *l) {
    return here == l;
}

int http_thread(pthread_t *t, void *(*run)(void *), void *arg) {
    sigset_t all, before;
    sigfillset(&all);
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < COUNT(own); i++) sigdelset(&all, own[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(t, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

/* ---- the hand-over ---- */

static _Thread_local struct {
    bool on;
    size_t n;
    struct loop *loops[16];
} gathered;

/* Whether http_gather(false) is going to wake it. */
static bool woken_later(struct loop *l) {
    for (size_t i = 0; i < gathered.n; i++)
        if (gathered.loops[i] == l) return true;
    if (!gathered.on || gathered.n == COUNT(gathered.loops)) return false;
    gathered.loops[gathered.n++] = l;
    atomic_fetch_add(&l->server->gathering, 1);
    return true;
}

/* Under the lock, so that the descriptor is still the loop's. */
static void wake_locked(struct loop *l) {
    if (l->woken || woken_later(l)) return;
    l->woken = true;
    while (write(l->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0 && errno == EINTR) {}
}

void http_loop_wake(struct loop *l) {
    pthread_mutex_lock(&l->lock);
    wake_locked(l);
    pthread_mutex_unlock(&l->lock);
}

void http_gather(bool begins) {
    gathered.on = begins;
    size_t n = gathered.n;
    gathered.n = 0;
    for (size_t i = 0; i < n; i++) {
        struct http_server *s = gathered.loops[i]->server;
        http_loop_wake(gathered.loops[i]);
        atomic_fetch_sub(&s->gathering, 1);
    }
}

static void post_locked(struct http_call *c) {
    struct loop *l = c->loop;
    if (!c->posted) {
        c->posted = true;
        c->link = NULL;
        *l->posted_end = c;
        l->posted_end = &c->link;
        wake_locked(l);
    }
}

void http_post(struct http_call *c, bool last) {
    pthread_mutex_lock(&c->loop->lock);
    c->given_up = last;
    post_locked(c);
    pthread_mutex_unlock(&c->loop->lock);
}

void http_run(struct http_call *c, void (*fn)(struct http_call *c)) {
    pthread_mutex_lock(&c->loop->lock);
    c->then = fn;
    post_locked(c);
    pthread_mutex_unlock(&c->loop->lock);
}

static struct http_call *take_posted(struct loop *l, struct conn **ret_incoming) {
    pthread_mutex_lock(&l->lock);
    l->woken = false;
    *ret_incoming = l->incoming;
    l->incoming = NULL;
    struct http_call *first = l->posted;
    l->posted = NULL;
    l->posted_end = &l->posted;
    pthread_mutex_unlock(&l->lock);
    return first;
}

/* The call may be posted anew as soon as its mark is gone, so its link is read before.  Only here does the loop learn that a call was
 * given up: so no call is freed while it stands in the list. */
static struct http_call *unlink_posted(struct loop *l, struct http_call *c, void (**ret_then)(struct http_call *c)) {
    pthread_mutex_lock(&l->lock);
    struct http_call *next = c->link;
    *ret_then = TAKE(c->then);
    c->posted = false;
    c->ready = !*ret_then;
    c->finished = c->given_up;
    pthread_mutex_unlock(&l->lock);
    return next;
}

static struct http_call *serve_posted(struct loop *l, struct http_call *c) {
    struct conn *conn = c->conn;
    void (*then)(struct http_call *c);
    struct http_call *next = unlink_posted(l, c, &then);
    if (then) {
        conn->processing = true;
        then(c);
        conn->processing = false;
    }
    http_conn_advance(conn);
    return next;
}

static void on_tick(evutil_socket_t fd, short what, void *arg);

static void on_wake(evutil_socket_t fd, short what UNUSED, void *arg) {
    struct loop *l = arg;
    uint64_t count;
    if (read((int)fd, &count, sizeof count) < 0 && errno != EAGAIN) return;
    struct conn *incoming;
    struct http_call *c = take_posted(l, &incoming);
    while (incoming) {
        struct conn *next = incoming->next;
        http_conn_start(incoming);
        incoming = next;
    }
    while (c) c = serve_posted(l, c);
    http_loop_bury(l);
    int drain = atomic_load(&l->server->drain);
    if (drain == STOPPED)
        event_base_loopbreak(l->base);
    else if (drain != RUNNING)
        on_tick(-1, 0, l);
}

void http_loop_bury(struct loop *l) {
    while (l->dead) {
        struct conn *c = l->dead;
        l->dead = c->dead_next;
        http_conn_free(c);
    }
}

/* ---- accepting: the first loop does it for all, round robin ---- */

static void peer_text(const struct sockaddr_storage *from, char out[INET6_ADDRSTRLEN]) {
    const struct sockaddr_in6 *six = (const void *)from;
    const struct sockaddr_in *four = (const void *)from;
    if (from->ss_family == AF_INET)
        inet_ntop(AF_INET, &four->sin_addr, out, INET6_ADDRSTRLEN);
    else if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, &six->sin6_addr, out, INET6_ADDRSTRLEN);
}

static void hand_out(struct http_server *s, struct conn *c) {
    struct loop *l = &s->loops[s->next_loop++ % (unsigned)s->o.threads];
    c->loop = l;
    if (http_loop_is_here(l)) {
        http_conn_start(c);
        return;
    }
    pthread_mutex_lock(&l->lock);
    c->next = l->incoming;
    l->incoming = c;
    wake_locked(l);
    pthread_mutex_unlock(&l->lock);
}

static void take_connection(struct http_server *s, int fd, const struct sockaddr_storage *from) {
    int64_t open = atomic_fetch_add(&s->connections, 1);
    if (open >= (int64_t)s->o.max_connections + OVERFLOW_MAX) {
        http_refused(s, HTTP_CONNECTIONS);
        atomic_fetch_sub(&s->connections, 1);
        close(fd);
        return;
    }
    struct conn *c = calloc(1, sizeof *c);
    INVARIANT(c);
    c->fd = fd;
    c->why = http_seat_take(s, c, from) ? HTTP_CONNECTIONS : HTTP_ADDRESS;
    c->overflow = c->why == HTTP_ADDRESS || open >= (int64_t)s->o.max_connections;
    atomic_fetch_add(&s->accepted, 1);
    peer_text(from, c->peer);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    hand_out(s, c);
}

static void on_accept(evutil_socket_t listener, short what UNUSED, void *arg) {
    struct loop *l = arg;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from = {0};
        socklen_t n = sizeof from;
        int fd = accept4((int)listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(l->server, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (http_idle_shed(l)) continue;
            http_refused(l->server, HTTP_CONNECTIONS);
            event_del(&l->accept); /* the next tick tries again, instead of spinning here */
            l->accepting = false;
            break;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    http_loop_bury(l);
}

static void accept_check(struct loop *l, int drain) {
    if (l->server->loops != l) return;
    bool on = drain == RUNNING;
    if (on == l->accepting) return;
    l->accepting = on;
    if (on)
        event_add(&l->accept, NULL);
    else
        event_del(&l->accept);
}

/* ---- the tick ---- */

static int64_t tick_us(const struct http_server *s) {
    if (atomic_load(&s->drain) != RUNNING) return DRAIN_TICK_US;
    int64_t least = MIN(MIN(s->head_us, s->body_us), MIN(s->write_us, s->idle_us)) / 8;
    return MAX(MIN(least, US_PER_SECOND), INT64_C(5000));
}

static void tick_set(struct loop *l) {
    int64_t us = tick_us(l->server);
    struct timeval t = {.tv_sec = us / US_PER_SECOND, .tv_usec = us % US_PER_SECOND};
    event_add(&l->tick, &t);
}

static void on_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *arg) {
    struct loop *l = arg;
    int64_t now = monotonic_us();
    int drain = atomic_load(&l->server->drain), busy = 0;
    accept_check(l, drain);
    for (struct conn *c = l->conns, *next; c; c = next) {
        next = c->next;
        http_conn_check(c, now, drain);
        busy += drain == ENDING || http_conn_is_busy(c);
    }
    http_loop_bury(l);
    if (drain == ENDING && !l->conns) busy = 0;
    atomic_store(&l->busy, busy);
    atomic_fetch_add(&l->rounds, 1);
    tick_set(l);
}

/* ---- life ---- */

static void *run(void *arg) {
    struct loop *l = arg;
    here = l;
    event_base_dispatch(l->base);
    return NULL;
}

int http_loop_start(struct loop *l, struct http_server *s) {
    l->server = s;
    l->posted_end = &l->posted;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->scratch = malloc(SCRATCH);
    struct event_config *config = event_config_new();
    INVARIANT(config && l->scratch);
    /* Each base is used by its own thread only. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    pthread_mutex_init(&l->lock, NULL);
    if (l->wake_fd < 0 || !l->base) return -1;
    event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
    event_add(&l->wake, NULL);
    event_assign(&l->tick, l->base, -1, 0, on_tick, l);
    tick_set(l);
    event_assign(&l->accept, l->base, s->listener, EV_READ | EV_PERSIST, on_accept, l);
    accept_check(l, RUNNING);
    if (http_thread(&l->thread, run, l)) return -1;
    l->running = true;
    return 0;
}

void http_loop_free(struct loop *l) {
    if (!l->server) return;
    while (l->incoming) {
        struct conn *next = l->incoming->next;
        http_conn_start(l->incoming);
        l->incoming = next;
    }
    l->dead = NULL;
    while (l->conns) {
        l->conns->buried = true;
        http_conn_free(l->conns);
    }
    while (l->pool) {
        struct http_call *next = l->pool->next;
        http_call_destroy(l->pool);
        l->pool = next;
    }
    if (l->base) event_base_free(l->base);
    if (l->wake_fd >= 0) close(l->wake_fd);
    pthread_mutex_destroy(&l->lock);
    free(l->scratch);
}
