/* Bounds, so that neither one client nor all of them take the memory or the descriptors of the rest. */
#include <string.h>
#include <sys/resource.h>

#include "base/id.h"
#include "base/log.h"
#include "http/internal.h"

enum { FILES_BESIDE = 256 }; /* the database's, the log's, workers' */
static const int64_t SHED_US = US_PER_SECOND; /* idle shorter than that: a client between two requests */
static const int64_t SAY_US = 60 * US_PER_SECOND;

void http_limit_start(struct http_server *s) {
    struct rlimit files;
    random_bytes(&s->seat_seed, sizeof s->seat_seed);
    if (getrlimit(RLIMIT_NOFILE, &files)) return;
    rlim_t want = MIN(files.rlim_max, (rlim_t)s->o.max_connections + OVERFLOW_MAX + FILES_BESIDE);
    if (files.rlim_cur < want) {
        files.rlim_cur = want;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur >= s->o.max_connections + FILES_BESIDE) return;
    size_t fits = files.rlim_cur > 2 * FILES_BESIDE ? (size_t)files.rlim_cur - FILES_BESIDE : FILES_BESIDE;
    log_line(LOG_WARN, "http", "fewer connections than wanted, for the limit of open files is low connections=%zu wanted=%zu files=%llu", fits,
             s->o.max_connections, (unsigned long long)files.rlim_cur);
    s->o.max_connections = fits;
}

const char *http_reason_name(enum http_reason r) {
    static const char *const names[] = {"connections", "address", "workers", "bodies", "deadline"};
    return names[r];
}

void http_refused(struct http_server *s, enum http_reason why) {
    int64_t n = atomic_fetch_add(&s->by_reason[why], 1) + 1, now = monotonic_us(), said = atomic_load(&s->said[why]);
    if (why == HTTP_DEADLINE || (said && now - said < SAY_US)) return;
    if (atomic_compare_exchange_strong(&s->said[why], &said, now))
        log_line(LOG_WARN, "http", "a limit is met limit=%s refused=%lld connections=%lld", http_reason_name(why), (long long)n,
                 (long long)atomic_load(&s->connections));
}

/* ---- seats: connections of an address ---- */

static bool is_loopback(const struct sockaddr_storage *from) {
    const struct sockaddr_in6 *six = (const void *)from;
    if (from->ss_family == AF_INET) return ntohl(((const struct sockaddr_in *)from)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) || (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) && six->sin6_addr.s6_addr[12] == 127);
}

/* Who has an IPv6 address has 2^64 of them. */
static uint64_t address_number(const struct sockaddr_storage *from) {
    const struct sockaddr_in6 *six = (const void *)from;
    uint32_t four;
    uint64_t half;
    if (from->ss_family == AF_INET) return ((const struct sockaddr_in *)from)->sin_addr.s_addr;
    memcpy(&four, six->sin6_addr.s6_addr + 12, sizeof four);
    memcpy(&half, six->sin6_addr.s6_addr, sizeof half);
    return IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) ? four : half;
}

static uint32_t seat_of(uint64_t number, uint32_t seed, unsigned row) {
    uint64_t x = (number ^ seed ^ (uint64_t)row << 40) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(x >> 40) % SEATS;
}

bool http_seat_take(struct http_server *s, struct conn *c, const struct sockaddr_storage *from) {
    uint32_t least = UINT32_MAX;
    for (unsigned row = 0; row < 2; row++) {
        c->seat[row] = seat_of(address_number(from), s->seat_seed, row);
        uint32_t n = atomic_fetch_add(&s->seats[row][c->seat[row]], 1) + 1;
        least = MIN(least, n);
    }
    return least <= s->o.max_per_address || is_loopback(from);
}

void http_seat_leave(struct conn *c) {
    for (unsigned row = 0; row < 2; row++) atomic_fetch_sub(&c->loop->server->seats[row][c->seat[row]], 1);
}

/* ---- idle connections ---- */

void http_idle_set(struct conn *c, bool idle) {
    struct loop *l = c->loop;
    if (idle == c->idle) return;
    c->idle = idle;
    if (idle) {
        c->idle_next = NULL;
        c->idle_before = l->idle_last;
        *(l->idle_last ? &l->idle_last->idle_next : &l->idle_first) = c;
        l->idle_last = c;
        return;
    }
    *(c->idle_before ? &c->idle_before->idle_next : &l->idle_first) = c->idle_next;
    *(c->idle_next ? &c->idle_next->idle_before : &l->idle_last) = c->idle_before;
}

bool http_idle_shed(struct loop *l) {
    if (!l->idle_first || monotonic_us() - l->idle_first->since < SHED_US) return false;
    http_conn_close(l->idle_first);
    atomic_fetch_add(&l->server->shed, 1);
    return true;
}

/* ---- bodies ---- */

bool http_body_reserve(struct http_call *k, size_t n) {
    struct http_server *s = k->loop->server;
    if (n <= BODY_FREE || n <= k->reserved) return true;
    int64_t more = (int64_t)(n - k->reserved);
    if (atomic_fetch_add(&s->body_bytes, more) + more > (int64_t)s->o.max_body_bytes) {
        atomic_fetch_sub(&s->body_bytes, more);
        return false;
    }
    k->reserved = n;
    return true;
}

void http_body_release(struct http_call *k) {
    if (k->reserved) atomic_fetch_sub(&k->loop->server->body_bytes, (int64_t)k->reserved);
    k->reserved = 0;
}
