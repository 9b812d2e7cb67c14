/* The HTTP interface of docs/api.md over one site: starts the server, answers, stops.
 *
 * Routes stand in one table (routes.c); the dispatcher (dispatch.c) enforces session, anti-forgery token, permission and body limits
 * before any handler runs.  Depends on http, core and systems. */
#ifndef API_H
#define API_H

#include "core/site.h"

struct api;
struct api_options {
    const char *address; /* NULL: 127.0.0.1 */
    int port;            /* 0: any free one */
    int threads, workers; /* 0: 2 and 8 */
    const char *tls_cert, *tls_key;
    const char *assets_dir; /* the pages from a folder; NULL: those inside the program */
    size_t max_connections; /* 0: 10000 */
};
int api_start(struct site *s, const struct api_options *o, struct api **ret, struct err *e);
int api_port(const struct api *api);
/* Ends the feeds, lets what is under way finish, frees.  The site stays open. */
void api_stop(struct api *api);

#endif
