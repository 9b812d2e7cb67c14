/* The other end of the line: an address, connections to it with or without TLS, heads of answers. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct target_as {
    const char *token;
    const char *ca; /* a file of certificates to trust; NULL: the system's */
    enum lang lang; /* of what the server has to say */
};
struct target {
    char url[256], host[200], name[200]; /* "http://10.1.1.5:8020", "10.1.1.5:8020", "10.1.1.5" */
    char token[128];
    enum lang lang;
    void *tls; /* what all its connections share; NULL: none */
    struct sockaddr_storage address;
    socklen_t address_n;
};
/* From http://HOST[:PORT] or https://; looks the name up.  USAGE for another form, IO when there is no such host or no such file. */
int target_from(const char *url, const struct target_as *as, struct target *ret, struct err *e);
void target_release(struct target *t); /* also after a failure */

struct line {
    int fd;
    void *tls;
};
/* Blocking, without delay, its certificate checked; IO. */
int line_open(const struct target *t, struct line *ret, struct err *e);
/* As read(2) and write(2), errno EAGAIN included once the line does not block. */
ssize_t line_read(struct line *l, void *to, size_t n);
ssize_t line_write(struct line *l, const void *p, size_t n);
void line_close(struct line *l); /* harmless on a closed one: fd -1 */

struct answer {
    int status;
    size_t head, body; /* bytes of each */
    int64_t retry_after; /* seconds; -1: not said */
    bool closes;
};
/* 1: the head that begins in `in` is whole; 0: not yet; -1: not an answer of HTTP/1.1 with Content-Length. */
int answer_read(struct str in, struct answer *ret);

/* One request over a connection of its own; the body of the answer goes to `body`.  IO when nothing answers. */
int target_ask(const struct target *t, struct str request, struct buf *body, int *ret_status, struct err *e);
/* GET with the token; an answer other than 200 is an error: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND ... with what the server said. */
int target_get(const struct target *t, const char *path, struct buf *body, struct err *e);
/* The error that such an answer means. */
int answer_error(int status, struct str body, const char *url, struct err *e);

#endif
