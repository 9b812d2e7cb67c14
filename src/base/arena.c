/* Bump allocation out of blocks that double up to 1 MiB; large requests get a block of their own. */
#include "arena.h"

#include <stdarg.h>
#include <stddef.h>

struct arena_block {
    struct arena_block *older;
    size_t size; /* bytes behind the header */
    _Alignas(max_align_t) char data[];
};
struct arena_defer {
    struct arena_defer *older;
    void (*fn)(void *);
    void *arg;
};

enum { BLOCK_FIRST = 4096, BLOCK_LAST = 1 << 20, ALIGN = 16 };

static void *must(void *p) {
    if (p) return p;
    fputs("lianfang: out of memory\n", stderr);
    abort();
}

static struct arena_block *block_new(struct arena *a, size_t size) {
    struct arena_block *b = must(malloc(sizeof *b + size));
    b->older = a->blocks;
    b->size = size;
    a->blocks = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t bytes) {
    INVARIANT(bytes <= SIZE_MAX / 2);
    size_t size = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    a->used += size;
    if (a->soft_limit && a->used > a->soft_limit) a->over = true;
#ifdef ARENA_DEBUG
    return memset(block_new(a, bytes)->data, 0, bytes);
#else
    if (size == 0) size = ALIGN;
    if ((size_t)(a->end - a->next) < size) {
        size_t last = a->blocks ? a->blocks->size : BLOCK_FIRST / 2;
        size_t want = MIN(last * 2, (size_t)BLOCK_LAST);
        if (size > want / 2 && a->blocks) {
            /* A block of its own, put behind the current one, whose rest stays in use. */
            struct arena_block *current = a->blocks;
            struct arena_block *own = block_new(a, size);
            a->blocks = current;
            own->older = current->older;
            current->older = own;
            return memset(own->data, 0, size);
        }
        struct arena_block *b = block_new(a, MAX(want, size));
        a->next = b->data;
        a->end = b->data + b->size;
    }
    void *p = a->next;
    a->next += size;
    return memset(p, 0, size);
#endif
}

void *arena_alloc_n(struct arena *a, size_t size, size_t n) {
    size_t bytes;
    INVARIANT(!__builtin_mul_overflow(size, n, &bytes));
    return arena_alloc(a, bytes);
}

char *arena_strz(struct arena *a, struct str s) {
    char *p = arena_alloc(a, s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    return p;
}

struct str arena_str(struct arena *a, struct str s) {
    return (struct str){arena_strz(a, s), s.n};
}

char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    INVARIANT(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *arg) {
    struct arena_defer *d = arena_new(a, struct arena_defer, 1);
    *d = (struct arena_defer){a->defers, fn, arg};
    a->defers = d;
}

static void run_defers(struct arena *a) {
    while (a->defers) {
        struct arena_defer *d = a->defers;
        a->defers = d->older;
        d->fn(d->arg);
    }
}

static void free_blocks(struct arena_block *b) {
    while (b) {
        struct arena_block *older = b->older;
        free(b);
        b = older;
    }
}

void arena_release(struct arena *a) {
    run_defers(a);
    free_blocks(a->blocks);
    *a = (struct arena){.soft_limit = a->soft_limit};
}

void arena_clear(struct arena *a) {
#ifdef ARENA_DEBUG
    arena_release(a);
#else
    run_defers(a);
    struct arena_block *keep = a->blocks;
    if (keep) {
        free_blocks(keep->older);
        keep->older = NULL;
    }
    *a = (struct arena){.blocks = keep, .soft_limit = a->soft_limit};
    if (keep) {
        a->next = keep->data;
        a->end = keep->data + keep->size;
    }
#endif
}
