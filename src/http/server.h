/* The HTTP/1.1 server (libevent's loops and timers, own parser: docs/decisions/0001-http-front.md), seen from the program: a
 * handler gets a call and answers it once, then or later, from any thread.
 *
 * Overload (docs/decisions/0012-overload.md): connections have a bound in total and for each address (loopback, where a proxy stands, has
 * none of its own); at the bound the one that has been idle longest makes room.  Bodies under way have a bound all together; what is
 * larger than 4 KiB counts.  Refusals are 503 with Retry-After of 1 to 3 seconds.
 *
 * Requests that servers let through are refused here before any handler: two Content-Length, Content-Length with
 * Transfer-Encoding, no or two Host (HTTP/1.1), bare LF in the head, a head over 16 KiB (431), a body over the route's limit (413),
 * control characters in the target, a path that is not normal ("." "..", "//", %2F, bad UTF-8).  A head must be complete within
 * 10 s, a body keep a pace; an idle connection ends after 75 s.
 * Pipelined calls are answered in their order; those that may change something run one after the other.
 * Threads: `threads` event loops accept and parse; `workers` threads run calls that may take long. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct http_server;
struct http_call;
struct http_options {
    const char *address; /* "127.0.0.1", "::", ... */
    int port;            /* 0: any free one */
    int threads, workers;   /* 0: one */
    size_t max_connections; /* over it: 503 and closed; 0: 10000; fewer when the process may not open so many files */
    size_t max_per_address; /* of them from one address (IPv6: one /64); 0: a quarter */
    size_t max_body_bytes;  /* of all bodies under way; 0: 128 MiB */
    size_t max_queued;      /* calls waiting for a worker; over it: 503 with Retry-After; 0: 1024 */
    int head_timeout_ms;    /* first byte to end of the head, and a TLS handshake; 0: 10 s */
    int body_timeout_ms;    /* in each such span a body must move on by 512 bytes a second; 0: 10 s */
    int write_timeout_ms;   /* the same for an answer that the peer reads; 0: 30 s */
    int idle_timeout_ms;    /* 0: 75 s */
    const char *tls_cert, *tls_key; /* PEM paths, both or none */
    void *app;
    /* On the loop thread, with the head read and the body not yet: the largest body this route takes, and whether it
     * runs on a worker thread.  Returns the limit in bytes.  It may answer at once, after http_close, instead of having the body read. */
    size_t (*route)(void *app, struct http_call *c, bool *ret_slow);
    /* The whole request is there.  Must lead to exactly one http_answer or http_stream_end, now or later. */
    void (*handle)(void *app, struct http_call *c);
    /* An error made by the server itself (400, 413, 431, 503 ...): fills the body. */
    void (*refuse)(void *app, int status, const char *why, struct buf *body, const char **ret_type);
};
int http_start(const struct http_options *o, struct http_server **ret, struct err *e); /* IO when the port is taken */
int http_port(const struct http_server *s);
/* Takes no new connections, lets calls under way finish for at most that long, ends the streams (their writers are told "gone"),
 * joins the threads, frees.  Calls not given up by then are freed too: whoever still holds one must not touch it any more. */
void http_stop(struct http_server *s, int64_t grace_us);
enum http_reason { HTTP_CONNECTIONS, HTTP_ADDRESS, HTTP_WORKERS, HTTP_BODIES, HTTP_DEADLINE, HTTP_REASONS };
struct http_counts {
    int64_t requests, refused, connections, streams, queued;
    int64_t accepted, shed; /* connections; idle ones closed so that others found room */
    int64_t body_bytes;     /* kept for bodies under way */
    int64_t by_reason[HTTP_REASONS]; /* refused or cut */
    int64_t by_class[6]; /* answers 1xx..5xx at [1]..[5] */
};
struct http_counts http_counts(const struct http_server *s);
const char *http_reason_name(enum http_reason r); /* "connections" ... */
/* Of a thread that answers many calls at one go: between http_gather(true) and http_gather(false) the loops are not woken, then each once. */
void http_gather(bool begins);

/* ---- a call: valid until it is answered ---- */
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };
struct arena *http_arena(struct http_call *c);
enum http_method http_method(const struct http_call *c);
const char *http_method_name(const struct http_call *c);
struct str http_path(const struct http_call *c);  /* percent-decoded, starts with '/' */
struct str http_query(const struct http_call *c); /* raw, behind '?'; use query_get */
struct str http_header(const struct http_call *c, const char *name); /* the first of that name, STR_NONE if absent */
struct str http_cookie(struct http_call *c, const char *name);
int64_t http_length(const struct http_call *c); /* of the body as its head announces it; 0: none, -1: not known before its end */
struct str http_body(const struct http_call *c);
struct str http_peer(const struct http_call *c); /* address without port */
bool http_secure(const struct http_call *c);
int64_t http_began(const struct http_call *c); /* monotonic_us */
void *http_data(struct http_call *c);          /* the handler's own pointer */
void http_set_data(struct http_call *c, void *data);

/* Headers of the answer; before http_answer or http_stream.  Values with CR or LF are refused by INVARIANT. */
void http_add_header(struct http_call *c, const char *name, const char *value);
void http_add_lines(struct http_call *c, struct str lines); /* the program's own, whole, each with its CR LF */
/* The headers added so far, and back to them: for a call that is run again before it was answered. */
size_t http_headers_mark(const struct http_call *c);
void http_headers_back(struct http_call *c, size_t mark);
void http_close(struct http_call *c); /* the connection ends with the answer to come */
/* Answers and gives the call up.  The body is copied.  HEAD sends no body; 204 and 304 none.  From any thread. */
void http_answer(struct http_call *c, int status, const char *type, struct str body);
/* The same with bytes that live as long as the program (embedded files): not copied. */
void http_answer_static(struct http_call *c, int status, const char *type, struct str body);

/* For a handler on the loop's thread that would have to wait: a worker handles the call once more, or it is refused (503). */
void http_hand_over(struct http_call *c);
/* Runs fn on the call's loop thread, from where it may answer: for a thread whose own time is dear.  Once, before the answer. */
void http_run(struct http_call *c, void (*fn)(struct http_call *c));

/* A body in pieces (exports, SSE).  The call stays valid until http_stream_end. */
void http_stream(struct http_call *c, int status, const char *type);
/* False when the peer is gone: stop, then call http_stream_end.  Blocks a worker while more than 1 MiB is unsent; on a loop thread or for SSE
 * use http_stream_try, which refuses instead (false) when the peer does not read. */
bool http_stream_write(struct http_call *c, struct str piece);
bool http_stream_try(struct http_call *c, struct str piece);
bool http_stream_gone(struct http_call *c);
void http_stream_end(struct http_call *c);
/* The same after a failure: the peer sees that the body is cut off instead of taking it for whole. */
void http_stream_abort(struct http_call *c);

/* ---- parts of a request (fuzzed on their own) ---- */
/* The value of a query parameter, decoded (+ is a space); STR_NONE if absent; false if the query is malformed (bad percent, NUL, bad UTF-8). */
bool query_get(struct arena *a, struct str query, const char *name, struct str *ret);
/* Every parameter in turn; false at the end or on malformed input (*ret_bad). */
bool query_next(struct arena *a, struct str *rest, struct str *ret_name, struct str *ret_value, bool *ret_bad);
bool percent_decode(struct arena *a, struct str s, bool plus, struct str *ret);
/* All but letters, digits and -._~ */
void percent_encode(struct buf *b, struct str s);

/* A certificate of its own for sites without one: EC P-256, 825 days, for these DNS names and addresses.  Writes two new PEM files
 * (the key readable by its owner only); refuses to overwrite. */
int http_self_signed(const char *cert_path, const char *key_path, const char *const *names, size_t n, struct err *e);

#endif
