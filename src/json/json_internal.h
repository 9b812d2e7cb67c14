/* What reader and writer share: runs of bytes that need no second look. */
#ifndef JSON_INTERNAL_H
#define JSON_INTERNAL_H

#include "base/utf8.h"
#include "json/json.h"

/* Bytes at p that are printable ASCII without '"', '\\' and '<' (the writer's "</").  Eight at a time: a byte that is
 * wanted leaves its top bit clear in every term; a borrow can only follow a byte that is not. */
static inline size_t json_plain(const char *p, size_t n) {
    const uint64_t ones = UINT64_C(0x0101010101010101), top = UINT64_C(0x8080808080808080);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        uint64_t hit = w | (w - ones * ' ') | ((w ^ (ones * '"')) - ones) | ((w ^ (ones * '\\')) - ones) |
                       ((w ^ (ones * '<')) - ones);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if (hit & top) return i + (size_t)__builtin_ctzll(hit & top) / 8;
#else
        if (hit & top) break;
#endif
    }
    while (i < n && p[i] >= ' ' && p[i] != '"' && p[i] != '\\' && p[i] != '<') i++;
    return i;
}

/* Bytes of the character at p (n > 0), 0 when it is malformed.  The first line is the bulk of Chinese text. */
static inline size_t json_char_bytes(const char *p, size_t n) {
    const uint8_t *u = (const uint8_t *)p;
    if (u[0] >= 0xe1 && u[0] <= 0xec && n >= 3 && (u[1] & 0xc0) == 0x80 && (u[2] & 0xc0) == 0x80) return 3;
    size_t at = 0;
    return utf8_next((struct str){p, n}, &at) < 0 ? 0 : at;
}

#endif
