/* A small program behind the server, and a client that sends bytes as they are. */
#ifndef HTTP_HELP_H
#define HTTP_HELP_H

#include <pthread.h>

#include "http/server.h"
#include "unit.h"

struct desk {
    struct http_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_call *kept[64]; /* of /keep, in order of arrival */
    size_t kept_count;
    bool open;   /* /slow goes on */
    int handled, entered;
    int64_t written; /* by /pour */
    bool poured;
};
/* Paths: /echo (the body back), /hello, /static, /none (204), /big (64 KiB), /door (503 before the body is read), /what (method, path, query), /keep (answered by the test), /slow/x (on a worker,
 * until `open`), /pour (on a worker: streams 64 MiB), /few (three pieces), /broken (a piece, then aborted).  Bodies up to 1 MiB,
 * under /small up to 10 bytes. */
void desk_start(struct desk *d, struct http_options o);
void desk_stop(struct desk *d, int64_t grace_us);
void desk_open(struct desk *d);
struct http_call *desk_wait_kept(struct desk *d, size_t index);
void desk_wait_entered(struct desk *d, int n);

int client_connect(const struct desk *d);
void client_send(int fd, struct str s);
void client_sendz(int fd, const char *z);
/* Until the end of the connection, or until `enough` is in it. */
struct str client_read(int fd, struct buf *b, const char *enough);
/* Sends, reads all up to the close. */
struct str client_ask(const struct desk *d, struct buf *b, const char *raw);
int status_of(struct str answer);
struct str body_of(struct str answer);
bool has(struct str s, const char *what);
size_t count_of(struct str s, const char *what);

#endif
