/* Starting and stopping the writer thread; what others need of it is in site.h. */
#ifndef WRITER_H
#define WRITER_H

#include "core/site.h"

int writer_start(struct site *s, struct db *db, struct err *e); /* takes the connection over, but when it fails */
struct id writer_id(const struct site *s);        /* made anew at each start */
struct db *writer_stop(struct site *s);           /* after what is queued has run; gives the connection back */

#endif
