/* An arena: everything a request or a job run allocates dies in one call.
 *
 * Out of memory aborts, so whoever allocates by outside sizes bounds them first.  Above soft_limit `over` is set and the
 * dispatcher refuses the request.  With -DARENA_DEBUG each allocation is a malloc of its own, so that ASan sees
 * overflows; all sanitizer and fuzz builds use it.  Not for use by two threads at once. */
#ifndef ARENA_H
#define ARENA_H

#include "base.h"

struct arena_block;
struct arena_defer;
struct arena {
    struct arena_block *blocks;
    struct arena_defer *defers;
    char *next, *end;
    size_t used;       /* bytes handed out */
    size_t soft_limit; /* 0: none */
    bool over;
};

/* Zeroed memory, aligned for any type; lives until arena_release or arena_clear. */
void *arena_alloc(struct arena *a, size_t bytes);
#define arena_new(a, type, n) ((type *)arena_alloc_n((a), sizeof(type), (n)))
void *arena_alloc_n(struct arena *a, size_t size, size_t n); /* aborts when size * n overflows */
struct str arena_str(struct arena *a, struct str s);         /* a copy; NUL-terminated behind its end */
char *arena_strz(struct arena *a, struct str s);             /* the same as C string */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/* Runs fn(arg) at release, newest first. */
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);
void arena_release(struct arena *a); /* frees all; the arena may be used again */
void arena_clear(struct arena *a);   /* the same, but keeps one block for the next round */

#endif
