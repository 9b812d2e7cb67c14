/* Slices, numbers from text, and the last word when our own rule is broken. */
#include "base.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "id.h"

void invariant_failed(const char *what, const char *file, int line) {
    fprintf(stderr, "lianfang: invariant failed: %s (%s:%d)\n", what, file, line);
    abort();
}

int str_cmp(struct str a, struct str b) {
    size_t n = MIN(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c) return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_starts(struct str s, struct str head) {
    return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}

bool str_ends(struct str s, struct str tail) {
    return s.n >= tail.n && (tail.n == 0 || memcmp(s.p + (s.n - tail.n), tail.p, tail.n) == 0);
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_ieq(struct str a, struct str b) {
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}

ptrdiff_t str_find(struct str s, struct str what) {
    if (what.n == 0) return 0;
    if (s.n < what.n) return -1;
    const char *at = memmem(s.p, s.n, what.p, what.n);
    return at ? at - s.p : -1;
}

ptrdiff_t str_find_char(struct str s, char c) {
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? at - s.p : -1;
}

static size_t space_ahead(struct str s) {
    if (s.n && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) return 1;
    return str_starts(s, STR("\xe3\x80\x80")) ? 3 : 0;
}

static size_t space_behind(struct str s) {
    if (s.n && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r'))) return 1;
    return str_ends(s, STR("\xe3\x80\x80")) ? 3 : 0;
}

struct str str_trim(struct str s) {
    size_t n;
    while ((n = space_ahead(s))) s = str_sub(s, n, s.n);
    while ((n = space_behind(s))) s = str_sub(s, 0, s.n - n);
    return s;
}

bool str_cut(struct str *rest, char sep, struct str *ret_part) {
    static const char behind_sep[1] = ""; /* tells the empty part behind a last separator from an empty text */
    bool last_empty = rest->p == behind_sep;
    if (!last_empty && rest->n == 0) return false;
    ptrdiff_t at = str_find_char(*rest, sep);
    if (at < 0) {
        *ret_part = last_empty ? STR("") : *rest;
        *rest = STR_NONE;
        return true;
    }
    *ret_part = str_sub(*rest, 0, (size_t)at);
    *rest = str_sub(*rest, (size_t)at + 1, rest->n);
    if (rest->n == 0) rest->p = behind_sep;
    return true;
}

bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *ret) {
    bool minus = s.n && s.p[0] == '-';
    if (minus) s = str_sub(s, 1, s.n);
    if (s.n == 0 || s.n > 19) return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (v > (uint64_t)INT64_MAX + minus) return false;
    int64_t r = minus ? (int64_t)(0 - v) : (int64_t)v;
    if (r < min || r > max) return false;
    *ret = r;
    return true;
}

bool str_to_real(struct str s, double min, double max, double *ret) {
    char z[64];
    if (s.n == 0 || s.n >= sizeof z) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789+-.eE", s.p[i]) || !s.p[i]) return false;
    memcpy(z, s.p, s.n);
    z[s.n] = 0;
    char *end;
    errno = 0;
    double v = strtod(z, &end);
    if (end != z + s.n || errno || !isfinite(v) || v < min || v > max) return false;
    *ret = v;
    return true;
}

uint64_t str_hash(struct str s) {
    static uint64_t seed;
    uint64_t h = __atomic_load_n(&seed, __ATOMIC_RELAXED);
    if (!h) {
        random_bytes(&h, sizeof h);
        h |= 1;
        uint64_t none = 0;
        if (!__atomic_compare_exchange_n(&seed, &none, h, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) h = none;
    }
    for (size_t i = 0; i < s.n; i++) {
        h ^= (uint8_t)s.p[i];
        h *= UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h ^ h >> 32;
}

int64_t fault_asked(const char *kind) {
    struct str rest = str_z(getenv("LF_FAULT")), part;
    int64_t n = 0;
    bool asked = str_cut(&rest, ':', &part) && str_eqz(part, kind) && str_to_int(rest, 1, INT64_MAX, &n);
    return asked ? n : 0;
}
