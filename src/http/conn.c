/* A connection: reads requests, keeps their order, sends the answers.
 *
 * Everything here runs on the loop's thread and comes back to one function, http_conn_advance: take what can be taken from the
 * input, move what is ready to the output, send, and say what to wait for.  Answering never calls back into this file, so there is
 * no recursion however fast the handler is. */
#include "http/internal.h"

enum { READS_PER_TURN = 4, LINGER_US = 2000000, BODY_AHEAD = 65536, SENT_PER_TURN = 4 << 20 };

/* ---- calls of the connection ---- */

struct http_call *http_call_new(struct conn *c) {
    struct loop *l = c->loop;
    struct http_call *k = l->pool;
    if (k) {
        l->pool = k->next;
        l->pooled--;
    } else {
        k = calloc(1, sizeof *k);
        INVARIANT(k);
        k->body = (struct buf)BUF(0);
        k->extra = (struct buf)BUF(65536);
    }
    k->conn = c;
    k->loop = l;
    k->next = NULL;
    k->head = (struct http_head){.method = HTTP_OTHER, .path = STR("/"), .method_name = STR("")};
    k->began = monotonic_us();
    return k;
}

void http_call_destroy(struct http_call *k) {
    arena_release(&k->arena);
    buf_release(&k->body);
    buf_release(&k->extra);
    free(k);
}

#ifdef ARENA_DEBUG
enum { POOLED = 0 }; /* so that a touch after the answer is seen */
#else
enum { POOLED = POOL_MAX };
#endif

void http_call_free(struct http_call *k) {
    struct loop *l = k->loop;
    http_body_release(k);
    http_out_free(k->answer);
    http_out_free(k->answer_static);
    if (k->stream) {
        http_stream_free(k->stream);
        atomic_fetch_sub(&l->server->streams, 1);
    }
    if (l->pooled >= POOLED) {
        http_call_destroy(k);
        return;
    }
    if (k->arena.used > KEEP_BYTES)
        arena_release(&k->arena);
    else
        arena_clear(&k->arena);
    if (k->body.cap > KEEP_BYTES) buf_release(&k->body);
    buf_clear(&k->body);
    buf_clear(&k->extra);
    *k = (struct http_call){.arena = k->arena, .body = k->body, .extra = k->extra, .next = l->pool};
    l->pool = k;
    l->pooled++;
}

static void append(struct conn *c, struct http_call *k) {
    *c->calls_end = k;
    c->calls_end = &k->next;
    c->depth++;
}

static void out_append(struct conn *c, struct out *o) {
    if (!c->out) {
        c->out_since = monotonic_us();
        c->sent = 0;
    }
    *c->out_end = o;
    c->unsent += o->n;
    while (o->next) {
        o = o->next;
        c->unsent += o->n;
    }
    c->out_end = &o->next;
}

/* ---- output ---- */

static void pop(struct conn *c) {
    struct http_call *k = c->calls;
    c->calls = k->next;
    if (!c->calls) c->calls_end = &c->calls;
    c->depth--;
    atomic_fetch_add_explicit(&c->loop->by_class[k->status / 100], 1, memory_order_relaxed);
    if (k->refused) atomic_fetch_add_explicit(&c->loop->refused, 1, memory_order_relaxed);
    if (k->close_after) c->closing = c->last = true;
    if (!c->calls) c->since = monotonic_us();
    http_call_free(k);
}

static bool collect_stream(struct conn *c, struct http_call *k) {
    struct out *first = http_stream_collect(k);
    if (first) out_append(c, first);
    return http_stream_is_over(k);
}

/* Moves what is ready to the output, in order. */
static void collect(struct conn *c) {
    struct http_call *k;
    while (!c->closing && (k = c->calls) && k->ready) {
        if (k->stream) {
            if (!collect_stream(c, k)) return;
        } else {
            out_append(c, TAKE(k->answer));
            if (k->answer_static) out_append(c, TAKE(k->answer_static));
        }
        pop(c);
    }
}

static void sent(struct conn *c, size_t n) {
    c->sent += (int64_t)n;
    c->unsent -= n;
    while (n) {
        struct out *o = c->out;
        size_t part = MIN(n, o->n);
        o->p += part;
        o->n -= part;
        n -= part;
        if (o->stream) http_stream_sent(o->stream, part);
        if (o->n) break;
        c->out = o->next;
        if (!c->out) c->out_end = &c->out;
        free(o);
    }
}

/* True when all is sent. */
static bool flush(struct conn *c) {
    size_t total = 0;
    while (c->out && total < SENT_PER_TURN) {
        ssize_t n = http_io_write(c);
        if (n == IO_AGAIN) return false;
        if (n < 0) {
            http_conn_close(c);
            return false;
        }
        sent(c, (size_t)n);
        total += (size_t)n;
    }
    return !c->out;
}

/* ---- input ---- */

static void refuse(struct conn *c, struct http_call *k, int status, const char *why) {
    if (!k) append(c, k = http_call_new(c));
    k->close_after = true;
    http_refuse_call(k, status, why);
    c->reading = NULL;
    c->last = true;
    c->head_since = 0;
}

static void refuse_full(struct conn *c, struct http_call *k, enum http_reason why, const char *text) {
    http_refused(c->loop->server, why);
    refuse(c, k, 503, text);
}

void http_hand_over(struct http_call *k) {
    struct http_server *s = k->loop->server;
    if (http_work_push(s, k)) return;
    http_refused(s, HTTP_WORKERS);
    http_refuse_call(k, 503, "all workers are busy");
}

static void dispatch(struct conn *c, struct http_call *k) {
    struct http_server *s = c->loop->server;
    c->reading = NULL;
    if (!k->head.keep) k->close_after = c->last = true;
    if (k->slow) {
        http_hand_over(k);
        return;
    }
    c->processing = true;
    s->o.handle(s->o.app, k);
    c->processing = false;
}

static void say_continue(struct conn *c) {
    struct out *o = http_out_new(0);
    o->p = "HTTP/1.1 100 Continue\r\n\r\n";
    o->n = strlen(o->p);
    out_append(c, o);
}

static void begin(struct conn *c, struct http_call *k) {
    struct http_server *s = c->loop->server;
    append(c, k);
    atomic_fetch_add_explicit(&c->loop->requests, 1, memory_order_relaxed);
    c->processing = true;
    size_t limit = s->o.route(s->o.app, k, &k->slow);
    c->processing = false;
    if (k->given_up) {
        INVARIANT(k->close_after);
        c->last = true;
        return;
    }
    if (k->head.length > 0 && (uint64_t)k->head.length > limit) {
        refuse(c, k, 413, "the body is too large");
        return;
    }
    if (k->head.length > 0 && !http_body_reserve(k, (size_t)k->head.length)) {
        refuse_full(c, k, HTTP_BODIES, "too much is being sent at once");
        return;
    }
    if (k->head.length <= 0 && !k->head.chunked) {
        dispatch(c, k);
        return;
    }
    k->body.max = limit;
    if (k->head.length > 0) buf_room(&k->body, MIN((size_t)k->head.length, (size_t)BODY_AHEAD));
    http_body_start(&c->body, &k->head, limit);
    c->reading = k;
    c->body_since = monotonic_us();
    c->body_bytes = 0;
    if (k->head.expect) say_continue(c);
}

static bool is_safe(const struct http_head *h) {
    bool body = h->length > 0 || h->chunked;
    return !body && (h->method == HTTP_GET || h->method == HTTP_HEAD || h->method == HTTP_OPTIONS);
}

/* Takes a head from `in`; 0 when there is none to take. */
static size_t take_head(struct conn *c, struct str in) {
    const char *why = NULL;
    if (!in.n || c->depth >= PIPELINE_MAX) return 0;
    if (!c->head_since) c->head_since = monotonic_us();
    int r = http_scan(&c->scan, in, &why);
    if (r == HTTP_MORE) return 0;
    if (r != HTTP_DONE) {
        refuse(c, NULL, r, why);
        return in.n;
    }
    struct http_scan found = c->scan;
    c->scan = (struct http_scan){0};
    c->head_since = 0;
    struct http_call *k = http_call_new(c);
    struct str text = arena_str(&k->arena, str_sub(in, found.skip, found.at));
    r = http_head_parse(&k->arena, text, found.lines, &k->head, &why);
    if (r) {
        append(c, k);
        refuse(c, k, r, why);
        return in.n;
    }
    k->safe = is_safe(&k->head);
    c->held = k;
    return found.at;
}

static size_t take_body(struct conn *c, struct str in) {
    const char *why = NULL;
    size_t used = 0;
    struct http_call *k = c->reading;
    int r = http_body_feed(&c->body, in, &used, &k->body, &why);
    c->body_bytes += (int64_t)used;
    if (!http_body_reserve(k, k->body.n))
        refuse_full(c, k, HTTP_BODIES, "too much is being sent at once");
    else if (r == HTTP_DONE)
        dispatch(c, k);
    else if (r != HTTP_MORE)
        refuse(c, k, r, why);
    return used;
}

/* Only calls that change nothing run beside others of the same connection (RFC 9112, 9.3.2). */
static bool may_begin(const struct conn *c) {
    if (c->unsent > UNSENT_MAX) return false;
    return !c->calls || (c->held->safe && c->calls->safe);
}

static size_t take(struct conn *c, struct str in) {
    size_t used = 0;
    while (c->state == CONN_OPEN && !c->last) {
        struct str rest = str_sub(in, used, in.n);
        collect(c);
        if (c->held) {
            if (!may_begin(c)) break;
            begin(c, TAKE(c->held));
        } else if (c->reading) {
            if (!rest.n) break;
            used += take_body(c, rest);
        } else {
            size_t n = take_head(c, rest);
            if (!n) break;
            used += n;
        }
    }
    collect(c);
    return c->last ? in.n : used;
}

static void keep(struct conn *c, const char *p, size_t n) {
    if (n == 0) {
        buf_release(&c->in);
        return;
    }
    buf_clear(&c->in);
    buf_add(&c->in, p, n);
    INVARIANT(!c->in.failed);
}

static bool is_full(const struct conn *c) {
    return c->in.n >= HTTP_HEAD_MAX;
}

/* Who shuts down its sending side may still read its answers, but a stream or half a body ends with it. */
static void peer_ended(struct conn *c) {
    c->eof = true;
    if (c->reading || (c->calls && c->calls->ready && c->calls->stream)) http_conn_close(c);
}

static void read_some(struct conn *c) {
    char *scratch = c->loop->scratch;
    for (int turn = 0; turn < READS_PER_TURN || http_io_pending(c); turn++) {
        if (c->state != CONN_OPEN || c->eof || is_full(c)) return;
        size_t had = c->in.n, room = SCRATCH - had;
        if (had) memcpy(scratch, c->in.p, had);
        ssize_t n = http_io_read(c, scratch + had, room);
        if (n == IO_AGAIN) return;
        if (n == IO_FAILED) {
            http_conn_close(c);
            return;
        }
        if (n == 0) {
            peer_ended(c);
            return;
        }
        size_t all = had + (size_t)n;
        size_t used = c->last ? all : take(c, (struct str){scratch, all});
        keep(c, scratch + used, all - used);
        if (!c->tls && (size_t)n < room) return;
    }
}

static void discard(struct conn *c) {
    for (int turn = 0; turn < READS_PER_TURN; turn++) {
        ssize_t n = http_io_read(c, c->loop->scratch, SCRATCH);
        if (n == IO_AGAIN) return;
        if (n <= 0) {
            http_conn_close(c);
            return;
        }
    }
}

/* ---- the life of a connection ---- */

static void reading_on(struct conn *c, bool on) {
    if (on == c->rd_on) return;
    c->rd_on = on;
    if (on)
        event_add(&c->rd, NULL);
    else
        event_del(&c->rd);
}

void http_conn_wants_write(struct conn *c, bool on) {
    if (on == c->wr_on) return;
    c->wr_on = on;
    if (on)
        event_add(&c->wr, NULL);
    else
        event_del(&c->wr);
}

/* A plain close would reset the connection when bytes of the peer are still unread, and take the answer with it. */
static void end_sending(struct conn *c) {
    if (c->eof) {
        http_conn_close(c);
        return;
    }
    http_io_end(c);
    c->state = CONN_LINGER;
    c->since = monotonic_us();
    reading_on(c, true);
    http_conn_wants_write(c, false);
}

static bool is_over(const struct conn *c) {
    if (c->out) return false;
    if (c->closing) return true;
    if (c->calls || c->held) return false;
    return c->last || c->eof || (c->in.n == 0 && atomic_load_explicit(&c->loop->server->drain, memory_order_relaxed) != RUNNING);
}

/* Of a closed connection: lets go of the calls that were given up, and of the connection behind the last. */
static void forget_ready(struct conn *c) {
    struct http_call **at = &c->calls;
    while (*at) {
        struct http_call *k = *at;
        if (k->ready && k->stream) http_stream_drop(k);
        if (k->finished) {
            *at = k->next;
            http_call_free(k);
        } else {
            at = &k->next;
        }
    }
    c->calls_end = at;
    if (c->calls || c->buried) return;
    c->buried = true;
    c->dead_next = c->loop->dead;
    c->loop->dead = c;
}

void http_conn_close(struct conn *c) {
    if (c->state == CONN_CLOSED) return;
    http_idle_set(c, false);
    http_seat_leave(c);
    reading_on(c, false);
    http_conn_wants_write(c, false);
    c->state = CONN_CLOSED;
    http_io_close(c);
    http_out_free(c->out);
    c->out = NULL;
    c->unsent = 0;
    if (c->held) http_call_free(TAKE(c->held));
    if (c->reading) TAKE(c->reading)->finished = true; /* no handler has seen it */
    atomic_fetch_sub(&c->loop->server->connections, 1);
    forget_ready(c);
}

void http_conn_free(struct conn *c) {
    http_conn_close(c);
    while (c->calls) {
        struct http_call *k = c->calls;
        c->calls = k->next;
        http_call_free(k);
    }
    *c->at = c->next;
    if (c->next) c->next->at = c->at;
    buf_release(&c->in);
    free(c);
}

static void take_input(struct conn *c) {
    if (!c->in.n && !c->held) {
        collect(c);
        return;
    }
    size_t used = take(c, buf_str(&c->in));
    size_t left = c->in.n - used;
    if (left && used) memmove(c->in.p, c->in.p + used, left);
    c->in.n = left;
    if (!left) buf_release(&c->in);
}

/* What was sent lets a stream end, or the next request begin. */
static bool has_more(const struct conn *c) {
    return (c->calls && !c->closing && http_stream_is_over(c->calls)) || (c->held && c->unsent == 0 && may_begin(c));
}

static bool is_idle(const struct conn *c) {
    return !c->calls && !c->held && !c->out && !c->in.n && !c->last;
}

void http_conn_advance(struct conn *c) {
    if (c->state == CONN_CLOSED) forget_ready(c);
    if (c->state != CONN_OPEN) return;
    do take_input(c);
    while (flush(c) && has_more(c));
    if (c->state != CONN_OPEN) return;
    http_idle_set(c, is_idle(c));
    if (c->eof && c->reading) {
        http_conn_close(c);
    } else if (is_over(c)) {
        end_sending(c);
    } else {
        reading_on(c, !c->eof && !is_full(c));
        http_conn_wants_write(c, c->out != NULL || c->read_wants_write);
    }
}

static void handshake(struct conn *c) {
    int r = http_io_handshake(c);
    if (r == IO_FAILED) {
        http_conn_close(c);
    } else {
        http_conn_wants_write(c, r == IO_AGAIN && c->read_wants_write);
        if (r == 1) c->state = CONN_OPEN;
    }
}

static void on_ready(evutil_socket_t fd UNUSED, short what UNUSED, void *arg) {
    struct conn *c = arg;
    struct loop *l = c->loop;
    if (c->state == CONN_HANDSHAKE) handshake(c);
    if (c->state == CONN_OPEN) {
        if ((what & EV_READ) || c->tls) read_some(c);
        http_conn_advance(c);
    } else if (c->state == CONN_LINGER) {
        discard(c);
    }
    http_loop_bury(l);
}

void http_conn_start(struct conn *c) {
    struct loop *l = c->loop;
    c->next = l->conns;
    if (c->next) c->next->at = &c->next;
    c->at = &l->conns;
    l->conns = c;
    c->in = (struct buf)BUF(SCRATCH);
    c->calls_end = &c->calls;
    c->out_end = &c->out;
    c->since = monotonic_us();
    http_io_open(c);
    c->state = c->tls ? CONN_HANDSHAKE : CONN_OPEN;
    event_assign(&c->rd, l->base, c->fd, EV_READ | EV_PERSIST, on_ready, c);
    event_assign(&c->wr, l->base, c->fd, EV_WRITE | EV_PERSIST, on_ready, c);
    reading_on(c, true);
    if (c->overflow && c->why == HTTP_CONNECTIONS) c->overflow = !http_idle_shed(l);
    if (!c->overflow) {
        if (!c->tls) http_idle_set(c, true);
        return;
    }
    http_refused(l->server, c->why);
    if (c->tls) { /* a handshake is what it must not cost */
        http_conn_close(c);
        return;
    }
    refuse(c, NULL, 503, c->why == HTTP_ADDRESS ? "too many connections from this address" : "too many connections");
    http_conn_advance(c);
}

/* ---- deadlines ---- */

/* Within each span so many bytes must move; true when they did not. */
static bool is_too_slow(int64_t now, int64_t span, int64_t *since, int64_t *bytes) {
    if (now - *since <= span) return false;
    bool slow = *bytes < span * PACE_BYTES_PER_SECOND / US_PER_SECOND;
    *since = now;
    *bytes = 0;
    return slow;
}

static void check_open(struct conn *c, int64_t now, int drain) {
    const struct http_server *s = c->loop->server;
    bool body_slow = c->reading && is_too_slow(now, s->body_us, &c->body_since, &c->body_bytes);
    bool head_slow = c->head_since && now - c->head_since > s->head_us;
    bool unread = c->out && is_too_slow(now, s->write_us, &c->out_since, &c->sent);
    if (body_slow || head_slow || unread) http_refused(c->loop->server, HTTP_DEADLINE);
    if (drain == ENDING || unread)
        http_conn_close(c);
    else if (body_slow)
        refuse(c, c->reading, 408, "the body did not arrive in time");
    else if (head_slow)
        refuse(c, NULL, 408, "the head did not arrive in time");
    else if (is_idle(c) && now - c->since > s->idle_us)
        c->last = true;
    else if (drain == RUNNING)
        return;
    http_conn_advance(c);
}

void http_conn_check(struct conn *c, int64_t now, int drain) {
    if (c->state == CONN_OPEN) {
        check_open(c, now, drain);
    } else if (c->state != CONN_CLOSED) {
        int64_t span = c->state == CONN_LINGER ? LINGER_US : c->loop->server->head_us;
        if (now - c->since > span || drain == ENDING) http_conn_close(c);
    }
}

bool http_conn_is_busy(const struct conn *c) {
    bool busy = c->state == CONN_OPEN && (c->out || c->held || c->reading);
    for (const struct http_call *k = c->calls; k && !busy; k = k->next) busy = !(k->ready && k->stream);
    return busy;
}
