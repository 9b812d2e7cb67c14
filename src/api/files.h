/* Files that the interface keeps for a while under DIR/imports: rows that an import refused, tables being made.  Each belongs to who made
 * it and goes away after a day. */
#ifndef API_FILES_H
#define API_FILES_H

#include "api/request.h"

/* DIR/imports, made when it is not there (0700), what is old swept away. */
int files_dir(struct request *rq, const char **ret, struct err *e);
/* Reads DIR/imports/NAME into rq->out. */
int files_read(struct request *rq, const char *path, struct err *e);
void files_attach(struct request *rq, const char *name, const char *type); /* Content-Disposition and rq->type; name is ASCII */

#endif
