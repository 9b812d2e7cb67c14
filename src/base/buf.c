#include "buf.h"

#include <stdarg.h>

char *buf_room(struct buf *b, size_t n) {
    if (b->failed || n > b->max - MIN(b->n, b->max)) {
        b->failed = true;
        return NULL;
    }
    if (!b->p || b->cap - b->n < n + 1) {
        size_t cap = MAX(b->cap + b->cap / 2, b->n + n + 1);
        cap = MAX(cap, (size_t)128);
        char *p = realloc(b->p, cap);
        if (!p) {
            fputs("lianfang: out of memory\n", stderr);
            abort();
        }
        b->p = p;
        b->cap = cap;
        b->p[b->n] = 0;
    }
    return b->p + b->n;
}

void buf_grew(struct buf *b, size_t n) {
    INVARIANT(b->n + n < b->cap);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_add(struct buf *b, const void *p, size_t n) {
    if (n == 0) return;
    char *to = buf_room(b, n);
    if (!to) return;
    memcpy(to, p, n);
    buf_grew(b, n);
}

void buf_add_str(struct buf *b, struct str s) {
    buf_add(b, s.p, s.n);
}

void buf_addz(struct buf *b, const char *z) {
    buf_add(b, z, strlen(z));
}

void buf_addc(struct buf *b, char c) {
    buf_add(b, &c, 1);
}

void buf_add_int(struct buf *b, int64_t v) {
    char d[24], *p = d + sizeof d;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) *--p = '-';
    buf_add(b, p, (size_t)(d + sizeof d - p));
}

void buf_addf(struct buf *b, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    INVARIANT(n >= 0);
    char *to = buf_room(b, (size_t)n);
    if (to) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        buf_grew(b, (size_t)n);
    }
    va_end(again);
}

void buf_clear(struct buf *b) {
    b->n = 0;
    b->failed = false;
    if (b->p) b->p[0] = 0;
}

void buf_release(struct buf *b) {
    free(b->p);
    *b = (struct buf){.max = b->max};
}
