#include "utf8.h"

#include "arena.h"

int32_t utf8_next(struct str s, size_t *at) {
    const uint8_t *p = (const uint8_t *)s.p + *at;
    size_t left = s.n - *at;
    uint8_t c = p[0];
    (*at)++;
    if (c < 0x80) return c;
    size_t more = c >= 0xc2 && c <= 0xdf ? 1 : c >= 0xe0 && c <= 0xef ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : 0;
    if (more == 0 || left <= more) return -1;
    int32_t v = c & (0x3f >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) return -1;
        v = v << 6 | (p[i] & 0x3f);
    }
    static const int32_t smallest[4] = {0, 0x80, 0x800, 0x10000};
    if (v < smallest[more] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff)) return -1;
    *at += more;
    return v;
}

bool utf8_valid(struct str s) {
    for (size_t at = 0; at < s.n;)
        if (utf8_next(s, &at) < 0) return false;
    return true;
}

size_t utf8_length(struct str s) {
    size_t n = 0;
    for (size_t at = 0; at < s.n; n++) utf8_next(s, &at);
    return n;
}

struct str utf8_prefix(struct str s, size_t n) {
    size_t at = 0;
    while (n-- && at < s.n) utf8_next(s, &at);
    return str_sub(s, 0, at);
}

struct str utf8_fit(struct str s, size_t bytes) {
    size_t at = 0, end = 0;
    while (at < s.n) {
        utf8_next(s, &at);
        if (at > bytes) break;
        end = at;
    }
    return str_sub(s, 0, end);
}

void utf8_add(struct buf *b, int32_t c) {
    uint32_t u = (uint32_t)c;
    char out[4];
    size_t n = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
    static const uint8_t heads[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; u >>= 6) out[i] = (char)(0x80 | (u & 0x3f));
    out[0] = (char)(heads[n] | u);
    buf_add(b, out, n);
}

bool utf8_is_han(int32_t c) {
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x323af) || c == 0x3007;
}

/* The plain form of one character; -2 for one that goes away. */
static int32_t plain_char(int32_t c) {
    if (c < 0x80) return c;
    if (c >= 0xff01 && c <= 0xff5e) return c - 0xfee0;
    if (c == 0x3000 || c == 0xa0) return ' ';
    if ((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || c == 0x2060 || c == 0xfeff) return -2;
    return c;
}

struct str utf8_plain(struct arena *a, struct str s) {
    size_t at = 0;
    while (at < s.n) {
        size_t before = at;
        int32_t c = utf8_next(s, &at);
        if (c >= 0 && plain_char(c) != c) {
            at = before;
            break;
        }
    }
    if (at >= s.n) return str_trim(s);
    struct buf b CLEANUP(buf_release) = BUF(s.n);
    buf_add(&b, s.p, at);
    while (at < s.n) {
        size_t before = at;
        int32_t c = utf8_next(s, &at);
        int32_t plain = c < 0 ? c : plain_char(c);
        if (c < 0) buf_addc(&b, s.p[before]);
        else if (plain != -2) utf8_add(&b, plain);
    }
    return str_trim(arena_str(a, buf_str(&b)));
}

struct str utf8_fold(struct arena *a, struct str s) {
    s = utf8_plain(a, s);
    bool same = true;
    for (size_t i = 0; i < s.n && same; i++) same = s.p[i] > ' ' ? s.p[i] < 'A' || s.p[i] > 'Z' : (uint8_t)s.p[i] >= 0x80;
    if (same) return s;
    char *to = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
        to[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (struct str){to, n};
}
