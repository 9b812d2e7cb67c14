/* What the files of the server share.
 *
 * Who may touch what: a connection, its order of calls and its output belong to its loop's thread alone.  A call belongs to
 * whoever handles it until it is given up (answered, or its stream ended), then to the loop again, which learns it with the
 * hand-over.  Between threads there is one hand-over, http_post: a list under the loop's lock and one wake-up for all
 * that gathers until the loop comes round.  A stream has a lock of its own; the loop's may be taken inside it, never the other way round. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/day.h"
#include "http/parse.h"

enum {
    SCRATCH = 65536,
    PIPELINE_MAX = 16,
    STREAM_UNSENT_MAX = 1 << 20,
    POOL_MAX = 256,     /* calls kept per loop */
    KEEP_BYTES = 16384, /* of memory in a kept call */
    PACE_BYTES_PER_SECOND = 512,
    OVERFLOW_MAX = 64, /* connections over the limit that are told so */
    SEATS = 4096,
    BODY_FREE = 4096,            /* a body up to here counts nowhere: a scan must not wait for uploads */
    UNSENT_MAX = 256 << 10,      /* no request is begun while so much of what was answered before is unsent */
};

/* Bytes on their way out. */
struct out {
    struct out *next;
    struct stream *stream; /* told when they are sent; NULL: nobody */
    const char *p;
    size_t n, cap; /* cap: of data */
    char data[];
};
struct stream {
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct out *first, **last; /* written, not yet the connection's */
    size_t unsent;             /* those and what the connection still holds */
    bool gone, cut;
};

struct http_call {
    struct conn *conn;
    struct loop *loop;
    struct http_call *next; /* behind this one on the connection; or in the pool */
    struct http_call *link; /* in the hand-over, or in the workers' queue */
    void (*then)(struct http_call *c); /* http_run: what the loop is to run; under its lock */
    bool posted, given_up;  /* the handler's side, written under the loop's lock */
    bool ready, finished;   /* the loop's side: there is something to send; nobody else holds the call */
    bool safe, slow, refused;
    bool close_after; /* the connection ends with this answer */
    int status;
    struct out *answer; /* the head and a copied body */
    struct out *answer_static;
    struct stream *stream;
    struct arena arena;
    struct http_head head;
    struct buf body, extra;
    size_t reserved; /* of the bytes for bodies */
    int64_t began;
    void *data;
};

enum conn_state { CONN_HANDSHAKE, CONN_OPEN, CONN_LINGER, CONN_CLOSED };
struct conn {
    struct loop *loop;
    struct conn *next, **at; /* the loop's connections; before that, those to be started */
    struct conn *dead_next;  /* the loop's connections to be freed */
    bool buried;             /* among them */
    struct conn *idle_next, *idle_before;
    bool idle; /* in the loop's list of such */
    int fd;
    struct ssl_st *tls; /* NULL: plain */
    struct event rd, wr;
    bool rd_on, wr_on;
    enum conn_state state;
    bool eof;        /* the peer sends no more */
    bool last;       /* no request is read behind those at hand */
    bool closing;    /* nothing is sent behind what is in `out` */
    bool processing; /* inside a handler, on this thread */
    bool overflow;   /* over a limit, which is `why` */
    enum http_reason why;
    uint32_t seat[2]; /* of its address */
    bool read_wants_write;
    struct buf in; /* bytes read and not yet taken */
    struct http_scan scan;
    struct http_body body;
    struct http_call *calls, **calls_end; /* in order; answered from the front */
    struct http_call *reading;            /* the last of them, its body under way */
    struct http_call *held;               /* read, waits for those before it */
    unsigned depth;
    struct out *out, **out_end;
    size_t unsent;
    int64_t since, head_since; /* `since`: idle, handshake or linger */
    int64_t body_since, body_bytes, out_since, sent;
    char peer[INET6_ADDRSTRLEN];
};

struct loop {
    struct http_server *server;
    struct event_base *base;
    pthread_t thread;
    bool running;
    int wake_fd;
    struct event wake, tick, accept;
    bool accepting;
    struct conn *conns, *dead;
    struct conn *idle_first, *idle_last; /* the longest idle first */
    struct http_call *pool;
    int pooled;
    char *scratch;
    pthread_mutex_t lock;
    struct http_call *posted, **posted_end; /* under the lock */
    struct conn *incoming;
    bool woken;
    _Atomic int64_t requests, refused, by_class[6];
    _Atomic int busy;        /* connections with something under way; kept while draining */
    _Atomic uint64_t rounds; /* ticks seen */
};

struct work {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct http_call *first, **last;
    size_t queued;
    int busy;
    bool stop;
};

enum drain { RUNNING, DRAINING, ENDING, STOPPED };
struct http_server {
    struct http_options o;
    int listener, port;
    unsigned next_loop;
    struct ssl_ctx_st *tls;
    struct loop *loops;
    struct work work;
    pthread_t *workers;
    int workers_running;
    _Atomic int drain;
    _Atomic int64_t connections, streams, accepted, shed, body_bytes;
    _Atomic int64_t by_reason[HTTP_REASONS], said[HTTP_REASONS]; /* refused; when the log said so */
    _Atomic int gathering; /* threads that will still wake a loop */
    uint32_t seat_seed;
    _Atomic uint32_t seats[2][SEATS]; /* connections by address, in two tables: the smaller count is the truer one */
    int64_t head_us, body_us, write_us, idle_us;
    char keep_alive[48]; /* the line that says for how long */
};

/* ---- loop.c ---- */
int http_loop_start(struct loop *l, struct http_server *s);
void http_loop_wake(struct loop *l);
void http_loop_bury(struct loop *l); /* frees the connections that ended; last in each callback */
bool http_loop_is_here(const struct loop *l);
void http_loop_free(struct loop *l); /* its thread has ended */
void http_post(struct http_call *c, bool last); /* last: the caller gives the call up */
/* As pthread_create, but signals stay with the main thread, and SIGPIPE with nobody. */
int http_thread(pthread_t *t, void *(*run)(void *), void *arg);

/* ---- conn.c, on the loop's thread ---- */
void http_conn_start(struct conn *c);
void http_conn_advance(struct conn *c); /* a call became ready, or there is room again */
void http_conn_close(struct conn *c);
void http_conn_check(struct conn *c, int64_t now, int drain); /* the deadlines */
bool http_conn_is_busy(const struct conn *c);
void http_conn_free(struct conn *c);
struct http_call *http_call_new(struct conn *c);
void http_call_free(struct http_call *c); /* keeps the memory for another */
void http_call_destroy(struct http_call *c);

/* ---- limit.c: what one client, and all of them, may hold ---- */
void http_limit_start(struct http_server *s); /* raises the limit of open files, and fits max_connections to it */
void http_refused(struct http_server *s, enum http_reason why); /* counts, and says so in the log once a minute */
bool http_seat_take(struct http_server *s, struct conn *c, const struct sockaddr_storage *from); /* false when the address has its share */
void http_seat_leave(struct conn *c);
void http_idle_set(struct conn *c, bool idle);
bool http_idle_shed(struct loop *l); /* closes the longest idle connection, if there is one */
bool http_body_reserve(struct http_call *k, size_t n);
void http_body_release(struct http_call *k);

/* ---- io.c: plain or TLS ---- */
void http_io_open(struct conn *c); /* its fd is there */
void http_io_close(struct conn *c);
bool http_io_pending(struct conn *c); /* bytes are here that the socket does not show any more */
enum { IO_AGAIN = -1, IO_FAILED = -2 };
ssize_t http_io_read(struct conn *c, char *p, size_t n); /* 0: the end */
ssize_t http_io_write(struct conn *c);                   /* bytes of c->out sent */
int http_io_handshake(struct conn *c);                   /* 1 done, IO_AGAIN, IO_FAILED */
void http_io_end(struct conn *c);                        /* no more will be sent */
void http_conn_wants_write(struct conn *c, bool on);

/* ---- answer.c ---- */
void http_refuse_call(struct http_call *c, int status, const char *why); /* fills c->answer */
struct out *http_out_new(size_t cap);
void http_out_free(struct out *o);
/* On the loop's thread: takes what was written (NULL: nothing). */
struct out *http_stream_collect(struct http_call *c);
bool http_stream_is_over(struct http_call *c); /* finished, and all of it sent */
void http_stream_sent(struct stream *s, size_t n);
void http_stream_drop(struct http_call *c); /* the peer is gone */
void http_stream_free(struct stream *s);

/* ---- work.c ---- */
int http_work_start(struct http_server *s);
bool http_work_push(struct http_server *s, struct http_call *c); /* false when full */
bool http_work_is_idle(struct http_server *s);
size_t http_work_queued(const struct http_server *s);
void http_work_stop(struct http_server *s); /* what is still queued stays with its connection */

/* ---- tls.c ---- */
int http_tls_open(const char *cert, const char *key, struct ssl_ctx_st **ret, struct err *e);
void http_tls_close(struct ssl_ctx_st *ctx);

#endif
