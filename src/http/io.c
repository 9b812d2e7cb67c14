/* Bytes in and out of a connection, plain or TLS.  OpenSSL is used on the socket itself: no bufferevent between, so that a
 * request costs one read and one write. */
#include "http/internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http/openssl.h"

enum { SEGMENTS = 16 };

void http_io_open(struct conn *c) {
    if (!c->loop->server->tls) return;
    c->tls = SSL_new(c->loop->server->tls);
    INVARIANT(c->tls && SSL_set_fd(c->tls, c->fd) == 1);
    SSL_set_accept_state(c->tls);
}

void http_io_close(struct conn *c) {
    SSL_free(c->tls);
    c->tls = NULL;
    close(c->fd);
}

bool http_io_pending(struct conn *c) {
    return c->tls && SSL_pending(c->tls) > 0;
}

static ssize_t tls_result(struct conn *c, int r, bool writing) {
    switch (SSL_get_error(c->tls, r)) {
    case SSL_ERROR_WANT_READ: return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        if (!writing) c->read_wants_write = true;
        return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: return IO_FAILED;
    }
}

static ssize_t socket_result(ssize_t r) {
    if (r >= 0) return r;
    return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_FAILED;
}

ssize_t http_io_read(struct conn *c, char *p, size_t n) {
    if (!c->tls) return socket_result(recv(c->fd, p, n, 0));
    size_t got = 0;
    c->read_wants_write = false;
    ERR_clear_error();
    int r = SSL_read_ex(c->tls, p, n, &got);
    return r == 1 ? (ssize_t)got : tls_result(c, r, false);
}

ssize_t http_io_write(struct conn *c) {
    if (c->tls) {
        size_t sent = 0;
        ERR_clear_error();
        int r = SSL_write_ex(c->tls, c->out->p, c->out->n, &sent);
        if (r == 1) return (ssize_t)sent;
        ssize_t why = tls_result(c, r, true);
        return why ? why : IO_FAILED;
    }
    struct iovec v[SEGMENTS];
    int n = 0;
    for (struct out *o = c->out; o && n < SEGMENTS; o = o->next) v[n++] = (struct iovec){(void *)(uintptr_t)o->p, o->n};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)n};
    return socket_result(sendmsg(c->fd, &m, MSG_NOSIGNAL));
}

int http_io_handshake(struct conn *c) {
    ERR_clear_error();
    c->read_wants_write = false;
    int r = SSL_accept(c->tls);
    if (r == 1) return 1;
    return tls_result(c, r, false) == IO_AGAIN ? IO_AGAIN : IO_FAILED;
}

void http_io_end(struct conn *c) {
    if (c->tls && c->state == CONN_OPEN) {
        ERR_clear_error();
        SSL_shutdown(c->tls);
    }
    shutdown(c->fd, SHUT_WR);
}
