/* Growing bytes with a ceiling and a sticky error.
 *
 * Invariants: p[n] is NUL when p is not NULL; n <= max.  An append past the ceiling sets `failed` and changes nothing;
 * later appends do nothing.  So append freely and look at `failed` once. */
#ifndef BUF_H
#define BUF_H

#include "base.h"

struct buf {
    char *p;
    size_t n, cap, max;
    bool failed;
};
#define BUF(max_bytes) {.max = (max_bytes)}

void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_addz(struct buf *b, const char *z);
void buf_addc(struct buf *b, char c);
void buf_add_int(struct buf *b, int64_t v);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for n more bytes at the end; NULL when over the ceiling.  After writing call buf_grew. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
void buf_clear(struct buf *b);   /* empty, memory kept, error forgotten */
void buf_release(struct buf *b); /* frees; usable again */
static inline struct str buf_str(const struct buf *b) {
    return (struct str){b->p ? b->p : "", b->n};
}

#endif
