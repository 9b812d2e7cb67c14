/* Requests of a load, written once with marks for what differs from one to the next; every mark has a fixed width, so that a request is
 * filled in place and its length never changes:
 *
 *   {id} a new command's   {gate} {pass} {heat} {now}   {scan} one that was made before   {household} {name} {id_number} {birth} {phone}
 *   {hour} {next_hour} of the past weeks   {day} {today} */
#ifndef BENCH_FORM_H
#define BENCH_FORM_H

#include "base/buf.h"
#include "bench/client.h"
#include "bench/world.h"

/* What requests speak of. */
struct subject {
    const struct id *gates;
    size_t gates_n;
    const struct world *world; /* NULL: somebody else's site, where passes are invented: no pass there has such a number */
};

struct form_text {
    const char *method, *path;
    const char *type, *body; /* NULL: none.  One line of it where lines > 0 */
    int lines;               /* so many lines in a request, each with values of its own; 0: one body */
};
struct form_mark;
struct form {
    struct buf bytes;
    struct form_mark *marks;
    size_t n;
    const struct subject *subject;
    uint64_t next, salt; /* number of the next line; ids of one form are not those of another */
    int64_t now_s;
    char now[21], today[11];
};
void form_init(struct form *f, const struct form_text *text, const struct target *to, const struct subject *subject);
void form_release(struct form *f);
size_t form_size(const struct form *f);
/* Writes the next request over `to`, which held the bytes of the form or of a request made of it. */
void form_fill(struct form *f, char *to);

#endif
