/* Percent-encoding and query strings. */
#include "http/server.h"

#include "base/utf8.h"
#include "http/parse.h"

bool percent_decode(struct arena *a, struct str s, bool plus, struct str *ret) {
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int high = i + 2 < s.n ? http_hex(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? http_hex(s.p[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == 0) return false;
        out[n++] = c;
    }
    struct str text = {out, n};
    if (!utf8_valid(text)) return false;
    *ret = text;
    return true;
}

void percent_encode(struct buf *b, struct str s) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            buf_addc(b, (char)c);
        else
            buf_add(b, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
}

bool query_next(struct arena *a, struct str *rest, struct str *ret_name, struct str *ret_value, bool *ret_bad) {
    struct str part;
    *ret_bad = false;
    do {
        if (!str_cut(rest, '&', &part)) return false;
    } while (part.n == 0);
    ptrdiff_t eq = str_find_char(part, '=');
    struct str name = eq < 0 ? part : str_sub(part, 0, (size_t)eq);
    struct str value = eq < 0 ? STR("") : str_sub(part, (size_t)eq + 1, part.n);
    struct str plain_name, plain_value;
    if (!percent_decode(a, name, true, &plain_name) || !percent_decode(a, value, true, &plain_value)) {
        *ret_bad = true;
        return false;
    }
    *ret_name = plain_name;
    *ret_value = plain_value;
    return true;
}

bool query_get(struct arena *a, struct str query, const char *name, struct str *ret) {
    struct str rest = query, n, v, found = STR_NONE;
    bool bad;
    while (query_next(a, &rest, &n, &v, &bad))
        if (!found.p && str_eqz(n, name)) found = v;
    if (bad) return false;
    *ret = found;
    return true;
}
