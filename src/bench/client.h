/* The other end of the line: an address, connections to it, heads of answers. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"

struct target {
    char url[256], host[200]; /* "http://10.1.1.5:8020", "10.1.1.5:8020" */
    char token[128];
    enum lang lang; /* of what the server has to say */
    struct sockaddr_storage address;
    socklen_t address_n;
};
/* From http://HOST[:PORT]; looks the name up.  USAGE for another form (https: measure behind what decrypts), IO when there is no such host. */
int target_from(const char *url, const char *token, enum lang lang, struct target *ret, struct err *e);
/* A blocking connection without delay; IO. */
int target_connect(const struct target *t, int *ret_fd, struct err *e);

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
