/* Answers and streams, from any thread: the bytes are made by the thread that answers, the loop only sends them. */
#include "http/server.h"

#include <time.h>

#include "http/internal.h"

struct out *http_out_new(size_t cap) {
    struct out *o = malloc(sizeof *o + cap);
    if (!o) {
        fputs("lianfang: out of memory\n", stderr);
        abort();
    }
    *o = (struct out){.p = o->data, .cap = cap};
    return o;
}

void http_out_free(struct out *o) {
    while (o) {
        struct out *next = o->next;
        free(o);
        o = next;
    }
}

static void put(struct out *o, const char *p, size_t n) {
    INVARIANT(n <= o->cap - o->n);
    if (n) memcpy(o->data + o->n, p, n);
    o->n += n;
}

static void putz(struct out *o, const char *z) {
    put(o, z, strlen(z));
}

static void put_number(struct out *o, uint64_t v, unsigned base) {
    char d[24], *p = d + sizeof d;
    do *--p = "0123456789abcdef"[v % base];
    while (v /= base);
    put(o, p, (size_t)(d + sizeof d - p));
}

static const char *reason(int status) {
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {206, "Partial Content"}, {301, "Moved Permanently"},
        {302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"}, {308, "Permanent Redirect"},
        {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
        {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"}, {412, "Precondition Failed"}, {413, "Content Too Large"},
        {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"}, {417, "Expectation Failed"}, {422, "Unprocessable Content"},
        {428, "Precondition Required"}, {429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"}, {501, "Not Implemented"}, {503, "Service Unavailable"}, {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "Status";
}

/* "Sun, 09 Feb 2020 23:00:00 GMT", made once a second by each thread. */
static const char *date_text(void) {
    static _Thread_local time_t made;
    static _Thread_local char text[40];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == made) return text;
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t;
    gmtime_r(&now.tv_sec, &t);
    snprintf(text, sizeof text, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * t.tm_wday, (unsigned)t.tm_mday % 100,
             months + 3 * t.tm_mon, (unsigned)(t.tm_year + 1900) % 10000, (unsigned)t.tm_hour % 100, (unsigned)t.tm_min % 100,
             (unsigned)t.tm_sec % 100);
    made = now.tv_sec;
    return text;
}

enum framing { BY_LENGTH, BY_CHUNKS, BY_CLOSE, NO_BODY };

static struct out *head_render(struct http_call *c, const char *type, enum framing framing, size_t length, size_t room) {
    struct out *o = http_out_new(360 + (type ? strlen(type) : 0) + c->extra.n + room);
    putz(o, "HTTP/1.1 ");
    put_number(o, (uint64_t)c->status, 10);
    putz(o, " ");
    putz(o, reason(c->status));
    putz(o, "\r\nDate: ");
    putz(o, date_text());
    if (type) {
        putz(o, "\r\nContent-Type: ");
        putz(o, type);
    }
    if (framing == BY_LENGTH) {
        putz(o, "\r\nContent-Length: ");
        put_number(o, length, 10);
    } else if (framing == BY_CHUNKS) {
        putz(o, "\r\nTransfer-Encoding: chunked");
    }
    if (atomic_load_explicit(&c->loop->server->drain, memory_order_relaxed) != RUNNING || framing == BY_CLOSE) c->close_after = true;
    putz(o, c->close_after ? "\r\nConnection: close\r\n" : c->loop->server->keep_alive);
    put(o, c->extra.p, c->extra.n);
    putz(o, "\r\n");
    return o;
}

/* Answers come from the handler, once; INVARIANT tells the one who answers twice. */
static void begin(struct http_call *c, int status, const char *type) {
    INVARIANT(!c->given_up && !c->stream && !c->answer);
    INVARIANT(status >= 200 && status <= 599);
    INVARIANT(!type || !strpbrk(type, "\r\n"));
    c->status = status;
}

static bool has_body(const struct http_call *c) {
    return c->head.method != HTTP_HEAD && c->status != 204 && c->status != 304;
}

static void answer_render(struct http_call *c, const char *type, struct str body, bool is_static) {
    size_t room = has_body(c) && !is_static ? body.n : 0;
    enum framing framing = c->status == 204 || (c->status == 304 && body.n == 0) ? NO_BODY : BY_LENGTH;
    struct out *o = head_render(c, type, framing, body.n, room);
    put(o, body.p, room);
    if (has_body(c) && is_static && body.n) {
        c->answer_static = http_out_new(0);
        c->answer_static->p = body.p;
        c->answer_static->n = body.n;
    }
    c->answer = o;
}

static void give_up(struct http_call *c) {
    if (http_loop_is_here(c->loop) && c->conn->processing)
        c->given_up = c->ready = c->finished = true;
    else
        http_post(c, true);
}

void http_answer(struct http_call *c, int status, const char *type, struct str body) {
    begin(c, status, type);
    answer_render(c, type, body, false);
    give_up(c);
}

void http_answer_static(struct http_call *c, int status, const char *type, struct str body) {
    begin(c, status, type);
    answer_render(c, type, body, true);
    give_up(c);
}

void http_refuse_call(struct http_call *c, int status, const char *why) {
    const struct http_options *o = &c->loop->server->o;
    struct buf body CLEANUP(buf_release) = BUF(65536);
    const char *type = "text/plain; charset=utf-8";
    if (o->refuse)
        o->refuse(o->app, status, why, &body, &type);
    else
        buf_addf(&body, "%s\n", why);
    /* Not all at the same moment. */
    if (status == 503) http_add_header(c, "Retry-After", (const char *[]){"1", "2", "3"}[c->began % 3]);
    begin(c, status, type);
    answer_render(c, type, buf_str(&body), false);
    c->given_up = c->ready = c->finished = c->refused = true;
}

/* ---- streams ---- */

void http_stream(struct http_call *c, int status, const char *type) {
    begin(c, status, type);
    bool body = has_body(c);
    enum framing framing = c->head.old ? BY_CLOSE : body || c->head.method == HTTP_HEAD ? BY_CHUNKS : NO_BODY;
    struct out *head = head_render(c, type, framing, 0, 0);
    struct stream *s = calloc(1, sizeof *s);
    INVARIANT(s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->room, NULL);
    s->first = head;
    s->last = &head->next;
    head->stream = s;
    s->unsent = head->n;
    c->stream = s;
    atomic_fetch_add(&c->loop->server->streams, 1);
    http_post(c, false);
}

enum { FRAME = 16, GATHER = 16384 };

/* Small pieces gather in one block while the loop is behind. */
static struct out *stream_tail(struct stream *s, size_t n) {
    struct out *tail = s->first ? (struct out *)((char *)s->last - offsetof(struct out, next)) : NULL;
    if (tail && tail->cap - tail->n >= n) return tail;
    struct out *o = http_out_new(tail ? MAX(n, (size_t)GATHER) : n);
    o->stream = s;
    *s->last = o;
    s->last = &o->next;
    return o;
}

static void stream_add(struct http_call *c, struct str piece) {
    struct stream *s = c->stream;
    struct out *o = stream_tail(s, piece.n + FRAME);
    size_t before = o->n;
    if (!c->head.old) {
        put_number(o, piece.n, 16);
        putz(o, "\r\n");
    }
    put(o, piece.p, piece.n);
    if (!c->head.old) putz(o, "\r\n");
    s->unsent += o->n - before;
}

static bool stream_put(struct http_call *c, struct str piece, bool wait) {
    struct stream *s = c->stream;
    INVARIANT(s && !c->given_up && piece.n <= UINT32_MAX);
    pthread_mutex_lock(&s->lock);
    while (wait && !s->gone && s->unsent > STREAM_UNSENT_MAX) pthread_cond_wait(&s->room, &s->lock);
    bool ok = !s->gone && s->unsent <= STREAM_UNSENT_MAX;
    bool some = ok && piece.n && has_body(c);
    if (some) stream_add(c, piece);
    pthread_mutex_unlock(&s->lock);
    if (some) http_post(c, false);
    return ok;
}

bool http_stream_write(struct http_call *c, struct str piece) {
    INVARIANT(!http_loop_is_here(c->loop));
    return stream_put(c, piece, true);
}

bool http_stream_try(struct http_call *c, struct str piece) {
    return stream_put(c, piece, false);
}

bool http_stream_gone(struct http_call *c) {
    pthread_mutex_lock(&c->stream->lock);
    bool gone = c->stream->gone;
    pthread_mutex_unlock(&c->stream->lock);
    return gone;
}

static void stream_finish(struct http_call *c, bool cut) {
    struct stream *s = c->stream;
    INVARIANT(s && !c->given_up);
    pthread_mutex_lock(&s->lock);
    if (!cut && !s->gone && !c->head.old && has_body(c)) {
        struct out *o = stream_tail(s, FRAME);
        putz(o, "0\r\n\r\n");
        s->unsent += 5;
    }
    s->cut = cut;
    pthread_mutex_unlock(&s->lock);
    http_post(c, true);
}

void http_stream_end(struct http_call *c) {
    stream_finish(c, false);
}

void http_stream_abort(struct http_call *c) {
    stream_finish(c, true);
}

struct out *http_stream_collect(struct http_call *c) {
    struct stream *s = c->stream;
    pthread_mutex_lock(&s->lock);
    struct out *first = TAKE(s->first);
    s->last = &s->first;
    if (s->cut) c->close_after = true;
    pthread_mutex_unlock(&s->lock);
    return first;
}

bool http_stream_is_over(struct http_call *c) {
    if (!c->finished || !c->stream) return false;
    pthread_mutex_lock(&c->stream->lock);
    bool over = c->stream->unsent == 0;
    pthread_mutex_unlock(&c->stream->lock);
    return over;
}

void http_stream_sent(struct stream *s, size_t n) {
    pthread_mutex_lock(&s->lock);
    bool was_full = s->unsent > STREAM_UNSENT_MAX;
    s->unsent -= n;
    if (was_full && s->unsent <= STREAM_UNSENT_MAX) pthread_cond_broadcast(&s->room);
    pthread_mutex_unlock(&s->lock);
}

void http_stream_drop(struct http_call *c) {
    struct stream *s = c->stream;
    pthread_mutex_lock(&s->lock);
    http_out_free(s->first);
    s->first = NULL;
    s->last = &s->first;
    s->gone = true;
    s->unsent = 0;
    pthread_cond_broadcast(&s->room);
    pthread_mutex_unlock(&s->lock);
}

void http_stream_free(struct stream *s) {
    if (!s) return;
    http_out_free(s->first);
    pthread_cond_destroy(&s->room);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
