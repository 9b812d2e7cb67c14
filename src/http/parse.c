/* The request head.  Strict on purpose: what two readers could understand in two ways is refused, since the second reader may be
 * a proxy in front (request smuggling). */
#include "http/parse.h"

#include "base/utf8.h"

enum { TOKEN = 1, VALUE = 2, HOST = 4 };
static const uint8_t classes[256] = {
    ['!'] = TOKEN | VALUE,
    ['"'] = VALUE,
    ['#' ... '\''] = TOKEN | VALUE,
    ['('] = VALUE,
    [')'] = VALUE,
    ['*'] = TOKEN | VALUE,
    ['+'] = TOKEN | VALUE,
    [','] = VALUE,
    ['-'] = TOKEN | VALUE | HOST,
    ['.'] = TOKEN | VALUE | HOST,
    ['/'] = VALUE,
    ['0' ... '9'] = TOKEN | VALUE | HOST,
    [':'] = VALUE | HOST,
    [';' ... '@'] = VALUE,
    ['A' ... 'Z'] = TOKEN | VALUE | HOST,
    ['['] = VALUE | HOST,
    ['\\'] = VALUE,
    [']'] = VALUE | HOST,
    ['^'] = TOKEN | VALUE,
    ['_'] = TOKEN | VALUE | HOST,
    ['`'] = TOKEN | VALUE,
    ['a' ... 'z'] = TOKEN | VALUE | HOST,
    ['{'] = VALUE,
    ['|'] = TOKEN | VALUE,
    ['}'] = VALUE,
    ['~'] = TOKEN | VALUE,
    [0x80 ... 0xff] = VALUE,
    ['\t'] = VALUE,
    [' '] = VALUE,
};

static bool all_of(struct str s, uint8_t class) {
    for (size_t i = 0; i < s.n; i++)
        if (!(classes[(uint8_t)s.p[i]] & class)) return false;
    return true;
}

int http_scan(struct http_scan *s, struct str in, const char **ret_why) {
    size_t end = MIN(in.n, (size_t)HTTP_HEAD_MAX);
    while (s->at < end) {
        /* At once, so that TLS on a plain port need not wait for a line end that never comes. */
        if (s->at == s->line && s->lines == 0) {
            char first = in.p[s->at];
            if (!(classes[(uint8_t)first] & TOKEN) && (first != '\r' || s->skip))
                return http_why(400, "the request line does not start with a method", ret_why);
        }
        const char *lf = memchr(in.p + s->at, '\n', end - s->at);
        if (!lf) {
            s->at = end;
            break;
        }
        size_t e = (size_t)(lf - in.p);
        if (e == s->line || in.p[e - 1] != '\r') return http_why(400, "a line ends without CR", ret_why);
        bool empty = e == s->line + 1;
        s->at = s->line = e + 1;
        if (empty && s->lines > 0) return HTTP_DONE;
        if (empty)
            s->skip = 2;
        else if (++s->lines > HTTP_FIELDS_MAX + 1)
            return http_why(431, "more than 100 headers", ret_why);
    }
    if (s->at >= HTTP_HEAD_MAX) return http_why(431, "the head is over 16 KiB", ret_why);
    return HTTP_MORE;
}

static enum http_method method_of(struct str name) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eqz(name, names[i])) return (enum http_method)i;
    return HTTP_OTHER;
}

static bool is_normal(struct str path) {
    struct str rest = str_sub(path, 1, path.n), part;
    while (rest.n && str_cut(&rest, '/', &part))
        if (part.n == 0 || str_eqz(part, ".") || str_eqz(part, "..")) return false;
    return true;
}

static int path_parse(struct arena *a, struct str raw, struct str *ret, const char **ret_why) {
    struct str path = raw;
    bool encoded = str_find_char(raw, '%') >= 0;
    for (size_t i = 0; encoded && i + 2 < raw.n; i++)
        if (raw.p[i] == '%' && ((raw.p[i + 1] == '2' && (raw.p[i + 2] | 32) == 'f') || (raw.p[i + 1] == '5' && (raw.p[i + 2] | 32) == 'c')))
            return http_why(400, "the path holds an encoded slash", ret_why);
    if (encoded ? !percent_decode(a, raw, false, &path) : !utf8_valid(raw))
        return http_why(400, "the path is not percent-encoded UTF-8", ret_why);
    for (size_t i = 0; i < path.n; i++)
        if ((uint8_t)path.p[i] < ' ' || path.p[i] == 0x7f || path.p[i] == '\\')
            return http_why(400, "the path holds a control character or a backslash", ret_why);
    if (!is_normal(path)) return http_why(400, "the path is not normal", ret_why);
    *ret = path;
    return 0;
}

static int target_parse(struct arena *a, struct str target, struct http_head *h, const char **ret_why) {
    if (target.n == 0 || target.p[0] != '/') return http_why(400, "the target does not start with a slash", ret_why);
    for (size_t i = 0; i < target.n; i++)
        if ((uint8_t)target.p[i] <= ' ' || target.p[i] == 0x7f || target.p[i] == '#')
            return http_why(400, "the target holds a control character, a space or #", ret_why);
    ptrdiff_t mark = str_find_char(target, '?');
    struct str raw = mark < 0 ? target : str_sub(target, 0, (size_t)mark);
    h->query = mark < 0 ? STR("") : str_sub(target, (size_t)mark + 1, target.n);
    return path_parse(a, raw, &h->path, ret_why);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int request_line(struct arena *a, struct str line, struct http_head *h, const char **ret_why) {
    ptrdiff_t one = str_find_char(line, ' ');
    if (one <= 0) return http_why(400, "the request line is not METHOD TARGET HTTP/1.1", ret_why);
    struct str rest = str_sub(line, (size_t)one + 1, line.n);
    ptrdiff_t two = str_find_char(rest, ' ');
    if (two < 0) return http_why(400, "the request line is not METHOD TARGET HTTP/1.1", ret_why);
    h->method_name = str_sub(line, 0, (size_t)one);
    if (!all_of(h->method_name, TOKEN) || h->method_name.n > 32) return http_why(400, "the method is not a word", ret_why);
    h->method = method_of(h->method_name);
    if (h->method == HTTP_OTHER) h->method_name = arena_str(a, h->method_name);
    struct str version = str_sub(rest, (size_t)two + 1, rest.n);
    if (version.n != 8 || !str_starts(version, STR("HTTP/")) || !is_digit(version.p[5]) || version.p[6] != '.' || !is_digit(version.p[7]))
        return http_why(400, "the request line does not end in HTTP/1.1", ret_why);
    h->old = str_eqz(version, "HTTP/1.0");
    if (!h->old && !str_eqz(version, "HTTP/1.1")) return http_why(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", ret_why);
    return target_parse(a, str_sub(rest, 0, (size_t)two), h, ret_why);
}

static struct str blank_trim(struct str s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = str_sub(s, 1, s.n);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

static int field_parse(struct str line, struct http_field *ret, const char **ret_why) {
    if (line.p[0] == ' ' || line.p[0] == '\t') return http_why(400, "a header is folded over two lines", ret_why);
    ptrdiff_t colon = str_find_char(line, ':');
    if (colon <= 0) return http_why(400, "a header line has no name", ret_why);
    ret->name = str_sub(line, 0, (size_t)colon);
    ret->value = blank_trim(str_sub(line, (size_t)colon + 1, line.n));
    if (!all_of(ret->name, TOKEN)) return http_why(400, "a header name holds a character that is not allowed", ret_why);
    if (!all_of(ret->value, VALUE)) return http_why(400, "a header value holds a control character", ret_why);
    return 0;
}

struct seen {
    unsigned host, length, coding;
};

static int length_parse(struct str value, struct http_head *h, const char **ret_why) {
    if (value.n == 0 || !is_digit(value.p[0]) || !str_to_int(value, 0, INT64_MAX, &h->length))
        return http_why(400, "Content-Length is not a number", ret_why);
    return 0;
}

static void connection_parse(struct str value, struct http_head *h) {
    struct str part;
    while (value.n && str_cut(&value, ',', &part))
        if (str_ieq(blank_trim(part), STR("close"))) h->keep = false;
}

/* The few fields that say where the request ends and whom it is for. */
static int field_apply(const struct http_field *f, struct http_head *h, struct seen *seen, const char **ret_why) {
    if (str_ieq(f->name, STR("host"))) {
        if (seen->host++) return http_why(400, "Host is given twice", ret_why);
        if (f->value.n == 0 || !all_of(f->value, HOST)) return http_why(400, "Host is not a host name", ret_why);
    } else if (str_ieq(f->name, STR("content-length"))) {
        if (seen->length++) return http_why(400, "Content-Length is given twice", ret_why);
        return length_parse(f->value, h, ret_why);
    } else if (str_ieq(f->name, STR("transfer-encoding"))) {
        if (seen->coding++) return http_why(400, "Transfer-Encoding is given twice", ret_why);
        if (!str_ieq(f->value, STR("chunked"))) return http_why(501, "only the transfer coding chunked is understood", ret_why);
        h->chunked = true;
    } else if (str_ieq(f->name, STR("connection"))) {
        connection_parse(f->value, h);
    } else if (str_ieq(f->name, STR("expect")) && !h->old) {
        if (!str_ieq(f->value, STR("100-continue"))) return http_why(417, "only 100-continue can be expected", ret_why);
        h->expect = true;
    }
    return 0;
}

static struct str line_next(struct str *rest) {
    size_t n = (size_t)((const char *)memchr(rest->p, '\n', rest->n) - rest->p);
    struct str line = str_sub(*rest, 0, n - 1);
    *rest = str_sub(*rest, n + 1, rest->n);
    return line;
}

int http_head_parse(struct arena *a, struct str text, unsigned lines, struct http_head *ret, const char **ret_why) {
    INVARIANT(lines > 0);
    struct http_head h = {.length = -1, .keep = true};
    struct seen seen = {0};
    TRY(request_line(a, line_next(&text), &h, ret_why));
    h.field_count = lines - 1;
    h.fields = arena_new(a, struct http_field, h.field_count);
    for (size_t i = 0; i < h.field_count; i++) {
        TRY(field_parse(line_next(&text), &h.fields[i], ret_why));
        TRY(field_apply(&h.fields[i], &h, &seen, ret_why));
    }
    if (!h.old && !seen.host) return http_why(400, "Host is missing", ret_why);
    if (seen.length && seen.coding) return http_why(400, "Content-Length stands with Transfer-Encoding", ret_why);
    if (h.old && h.chunked) return http_why(400, "Transfer-Encoding in HTTP/1.0", ret_why);
    if (h.old) h.keep = false;
    *ret = h;
    return 0;
}
