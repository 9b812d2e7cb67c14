/* The words every file uses: slices, checks, ownership.  Depends on libc only.
 *
 * Three classes of "wrong" have three words.  Our own mistake: INVARIANT(x), always compiled in, aborts.
 * The peer's mistake: err_set() (err.h).  The operator's mistake: die() (log.h), in start-up and CLI only. */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define TEXT_OF_(x) #x
#define TEXT_OF(number) TEXT_OF_(number)

/* Returns the pointer and leaves NULL behind: hands ownership over past a CLEANUP. */
#define TAKE(p)                                                                                                        \
    __extension__({                                                                                                    \
        __typeof__(p) *take_p_ = &(p);                                                                                 \
        __typeof__(p) take_v_ = *take_p_;                                                                              \
        *take_p_ = NULL;                                                                                               \
        take_v_;                                                                                                       \
    })

/* Leaves the function with the callee's result when it is not 0. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        int try_r_ = (call);                                                                                           \
        if (try_r_) return try_r_;                                                                                     \
    } while (0)

void invariant_failed(const char *what, const char *file, int line) NORETURN;
#define INVARIANT(x) ((x) ? (void)0 : invariant_failed(#x, __FILE__, __LINE__))

/* ---- slices: borrowed text with a length; may hold NUL; never owns ---- */
struct str {
    const char *p;
    size_t n;
};
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_FMT(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_z(const char *z) {
    return z ? (struct str){z, strlen(z)} : STR_NONE;
}
static inline struct str str_sub(struct str s, size_t from, size_t to) {
    if (to > s.n) to = s.n;
    if (from > to) from = to;
    return (struct str){from ? s.p + from : s.p, to - from}; /* NULL + 0 is undefined */
}
static inline bool str_eq(struct str a, struct str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_eqz(struct str a, const char *z) {
    return str_eq(a, str_z(z));
}
/* Byte order, as COLLATE "C" and SQLite's BINARY. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str head);
bool str_ends(struct str s, struct str tail);
bool str_ieq(struct str a, struct str b); /* ASCII letters only */
/* Index of the first occurrence, or -1. */
ptrdiff_t str_find(struct str s, struct str what);
ptrdiff_t str_find_char(struct str s, char c);
/* Without ASCII and ideographic (U+3000) white space at both ends. */
struct str str_trim(struct str s);
/* Cuts the part before the first `sep` off *rest (all of it if there is none); false when nothing is left.
 * An empty string gives no part; "a," gives "a" and then "". */
bool str_cut(struct str *rest, char sep, struct str *ret_part);

/* Whole-string numbers in decimal; false (and *ret untouched) when anything else is there or a bound is broken.
 * str_to_real takes no exponent larger than 308, no hexadecimal, no inf or nan. */
bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *ret);
bool str_to_real(struct str s, double min, double max, double *ret);

int64_t fault_asked(const char *kind); /* N of LF_FAULT=kind:N, by which tests make things go wrong; 0: not asked for */
uint64_t str_hash(struct str s); /* seeded at start: safe in tables filled from outside */

#endif
