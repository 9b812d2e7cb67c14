/* The parts of a request, read from bytes: no I/O, no libevent, so that they can be fuzzed.
 *
 * Each step returns HTTP_MORE (give more bytes), HTTP_DONE, or the status to refuse the request with and *ret_why.  How the bytes
 * were split never changes the outcome. */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include "http/server.h"

enum { HTTP_MORE = 0, HTTP_DONE = 1 };
enum { HTTP_HEAD_MAX = 16384, HTTP_FIELDS_MAX = 100 };

/* ---- where the head ends ---- */
struct http_scan { /* start with zeros */
    size_t at;     /* bytes looked at; when done, the length of the head with its empty line */
    size_t skip;   /* 2 when an empty line stood before the request line */
    size_t line;   /* start of the current line */
    unsigned lines;
};
/* `in` starts at the same byte each time.  Looks at HTTP_HEAD_MAX bytes at most. */
int http_scan(struct http_scan *s, struct str in, const char **ret_why);

/* ---- a whole head ---- */
struct http_field {
    struct str name, value;
};
struct http_head {
    enum http_method method;
    struct str method_name; /* of HTTP_OTHER also a C string */
    struct str path, query;
    struct http_field *fields;
    size_t field_count;
    int64_t length; /* Content-Length; -1: none */
    bool chunked;
    bool old;    /* HTTP/1.0 */
    bool keep;   /* the connection may be used again */
    bool expect; /* waits for 100 Continue */
};
/* `text` is what http_scan found, without `skip`, with `lines` lines; *ret points into it and into the arena. */
int http_head_parse(struct arena *a, struct str text, unsigned lines, struct http_head *ret, const char **ret_why);

/* ---- the body ---- */
struct http_body {
    bool chunked;
    int step;
    unsigned digits;
    uint64_t left;   /* of the body, or of the chunk */
    size_t overhead; /* bytes of extensions and trailers */
    size_t limit, got;
};
void http_body_start(struct http_body *b, const struct http_head *h, size_t limit);
/* Appends to `to` (whose maximum is not below the limit) and says how much it took; 413 as soon as the limit is sure to be broken. */
int http_body_feed(struct http_body *b, struct str in, size_t *ret_used, struct buf *to, const char **ret_why);

static inline int http_why(int status, const char *why, const char **ret_why) {
    *ret_why = why;
    return status;
}
static inline int http_hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
