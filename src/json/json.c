/* The reader: one pass over the bytes with a stack of the open containers instead of recursion.  read_value takes one
 * value and pushes it when it is a container with something in it; read_member takes one comma or closing bracket and
 * the value behind it, until the stack is empty. */
#include "json/json.h"

#include <math.h>

#include "json/json_internal.h"

enum { DEPTH = 32, STRING_BYTES = 1 << 20, NODES = 100000, NUMBER_BYTES = 128, FEW_KEYS = 24, CHUNK = 64 };

struct frame {
    struct json *node;
    struct json **tail;
    uint64_t seen; /* one bit for each key, by length and ends: keys whose bit is free are new */
};
struct reader {
    const char *p, *end, *start;
    struct arena *arena;
    struct err *err;
    struct json *spare;
    size_t spare_count, chunk, nodes_left, depth, max_depth, max_string;
    struct frame stack[JSON_DEPTH_MAX];
};

static int fail_msg(struct reader *r, const char *at, enum msg_id msg, const char *detail) {
    char byte[24];
    snprintf(byte, sizeof byte, "%td", at - r->start + 1);
    return err_set(r->err, ERR_BAD_REQUEST, NULL, msg, byte, detail);
}

static int fail(struct reader *r, const char *at, const char *reason) {
    return fail_msg(r, at, M_JSON, reason);
}

static int too_deep(struct reader *r) {
    char depth[24];
    snprintf(depth, sizeof depth, "%zu", r->max_depth);
    return err_set(r->err, ERR_BAD_REQUEST, NULL, M_JSON_DEPTH, depth);
}

static inline void skip_space(struct reader *r) {
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t')) r->p++;
}

static int node_new(struct reader *r, enum json_type type, struct str key, struct json **ret) {
    if (r->nodes_left == 0) return fail(r, r->p, "too many values");
    r->nodes_left--;
    if (r->spare_count == 0) {
        r->spare_count = MIN(r->chunk, r->nodes_left + 1);
        r->spare = arena_new(r->arena, struct json, r->spare_count);
        r->chunk = MIN(r->chunk * 2, (size_t)CHUNK);
    }
    struct json *v = r->spare++;
    r->spare_count--;
    v->type = type;
    v->key = key;
    *ret = v;
    return 0;
}

/* ---- strings ---- */

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) return -1;
        v = v << 4 | d;
    }
    return v;
}

/* The character of the escape at p, its bytes in *ret_n; -1 malformed, -2 half of a surrogate pair. */
static int32_t escape_char(const char *p, const char *end, size_t *ret_n) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (end - p < 2) return -1;
    *ret_n = 2;
    const char *name = p[1] ? strchr(names, p[1]) : NULL;
    if (name) return values[name - names];
    if (p[1] != 'u' || end - p < 6) return -1;
    int32_t hi = hex4(p + 2);
    *ret_n = 6;
    if (hi < 0xd800 || hi > 0xdfff) return hi;
    if (hi >= 0xdc00 || end - p < 12 || p[6] != '\\' || p[7] != 'u') return -2;
    int32_t lo = hex4(p + 8);
    if (lo < 0xdc00 || lo > 0xdfff) return -2;
    *ret_n = 12;
    return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
}

static int check_escape(struct reader *r) {
    size_t n = 0;
    int32_t c = escape_char(r->p, r->end, &n);
    if (c == 0) return fail_msg(r, r->p, M_NUL, NULL);
    if (c == -2) return fail(r, r->p, "half of a surrogate pair");
    if (c < 0) return fail(r, r->p, "unknown escape");
    r->p += n;
    return 0;
}

/* A byte that ends a plain run and is not the closing quote. */
static int check_special(struct reader *r, bool *escaped) {
    if (*r->p == '\\') {
        *escaped = true;
        return check_escape(r);
    }
    if (*r->p == 0) return fail_msg(r, r->p, M_NUL, NULL);
    if ((uint8_t)*r->p < ' ') return fail(r, r->p, "control character in a string");
    do {
        size_t n = json_char_bytes(r->p, (size_t)(r->end - r->p));
        if (n == 0) return fail_msg(r, r->p, M_BAD_UTF8, NULL);
        r->p += n;
    } while (r->p < r->end && (uint8_t)*r->p >= 0x80);
    return 0;
}

/* Decodes text whose escapes were checked. */
static struct str unescape(struct arena *a, struct str raw) {
    char *to = arena_alloc(a, raw.n + 1);
    struct buf b = {.p = to, .cap = raw.n + 1, .max = raw.n};
    for (size_t at = 0; at < raw.n;) {
        struct str rest = str_sub(raw, at, raw.n);
        ptrdiff_t plain = str_find_char(rest, '\\');
        size_t run = plain < 0 ? rest.n : (size_t)plain, n = 0;
        buf_add(&b, rest.p, run);
        if (run < rest.n) utf8_add(&b, escape_char(rest.p + run, raw.p + raw.n, &n));
        at += run + n;
    }
    return (struct str){to, b.n};
}

/* At the opening quote; leaves r->p behind the closing one. */
static int read_string(struct reader *r, struct str *ret) {
    const char *open = r->p++;
    bool escaped = false;
    for (;;) {
        r->p += json_plain(r->p, (size_t)(r->end - r->p));
        if (r->p == r->end) return fail(r, r->p, "the text ends inside a string");
        if (*r->p == '"') break;
        TRY(check_special(r, &escaped));
    }
    struct str s = {open + 1, (size_t)(r->p - open - 1)};
    if (s.n > r->max_string && !escaped) return fail(r, open, "string too long");
    if (escaped) s = unescape(r->arena, s);
    if (s.n > r->max_string) return fail(r, open, "string too long");
    r->p++;
    *ret = s;
    return 0;
}

/* ---- numbers ---- */

static size_t digit_run(struct reader *r) {
    const char *from = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') r->p++;
    return (size_t)(r->p - from);
}

static int read_number(struct reader *r, struct str *ret) {
    const char *from = r->p;
    if (*r->p == '-') r->p++;
    if (r->p < r->end && *r->p == '0') r->p++;
    else if (digit_run(r) == 0) return fail(r, r->p, "a digit is expected");
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (digit_run(r) == 0) return fail(r, r->p, "a digit is expected");
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-')) r->p++;
        if (digit_run(r) == 0) return fail(r, r->p, "a digit is expected");
    }
    *ret = (struct str){from, (size_t)(r->p - from)};
    return ret->n > NUMBER_BYTES ? fail(r, from, "number too long") : 0;
}

/* ---- values ---- */

static int read_literal(struct reader *r, struct str word) {
    if ((size_t)(r->end - r->p) < word.n || memcmp(r->p, word.p, word.n) != 0)
        return fail(r, r->p, "a value is expected");
    r->p += word.n;
    return 0;
}

static int read_open(struct reader *r, struct json *v) {
    if (r->depth == r->max_depth) return too_deep(r);
    r->p++;
    r->stack[r->depth++] = (struct frame){v, &v->first, 0};
    return 0;
}

static int read_value(struct reader *r, struct str key, struct json **ret) {
    static const enum json_type by_byte[256] = {
        ['"'] = JSON_STRING, ['{'] = JSON_OBJECT, ['['] = JSON_ARRAY,  ['-'] = JSON_NUMBER,
        ['0'] = JSON_NUMBER, ['1'] = JSON_NUMBER, ['2'] = JSON_NUMBER, ['3'] = JSON_NUMBER,
        ['4'] = JSON_NUMBER, ['5'] = JSON_NUMBER, ['6'] = JSON_NUMBER, ['7'] = JSON_NUMBER,
        ['8'] = JSON_NUMBER, ['9'] = JSON_NUMBER, ['t'] = JSON_TRUE,   ['f'] = JSON_FALSE,
    };
    skip_space(r);
    if (r->p == r->end) return fail(r, r->p, "the text ends where a value is expected");
    TRY(node_new(r, by_byte[(uint8_t)*r->p], key, ret));
    struct json *v = *ret;
    switch (v->type) {
    case JSON_STRING: return read_string(r, &v->text);
    case JSON_NUMBER: return read_number(r, &v->text);
    case JSON_OBJECT:
    case JSON_ARRAY: return read_open(r, v);
    case JSON_TRUE: return read_literal(r, STR("true"));
    case JSON_FALSE: return read_literal(r, STR("false"));
    case JSON_NULL: break;
    }
    return read_literal(r, STR("null"));
}

static int duplicate(struct reader *r, struct str key) {
    char name[48] = "";
    struct str fit = utf8_fit(key, sizeof name - 1);
    memcpy(name, fit.p, fit.n);
    return err_set(r->err, ERR_BAD_REQUEST, name, M_DUPLICATE_FIELD);
}

/* Small objects are compared as they come; from FEW_KEYS on a hash table is made at the closing brace. */
static int check_new_key(struct reader *r, struct frame *f, struct str key) {
    if (f->node->count >= FEW_KEYS) return 0;
    unsigned mix = (unsigned)key.n;
    if (key.n)
        mix += (unsigned)(uint8_t)key.p[0] * 5 + (unsigned)(uint8_t)key.p[key.n - 1] * 11 +
               (unsigned)(uint8_t)key.p[key.n / 2] * 23;
    uint64_t bit = UINT64_C(1) << (mix & 63);
    if (f->seen & bit)
        for (struct json *m = f->node->first; m; m = m->next)
            if (str_eq(m->key, key)) return duplicate(r, key);
    f->seen |= bit;
    return 0;
}

static int check_many_keys(struct reader *r, const struct json *object) {
    size_t size = 64;
    while (size < object->count * 2) size *= 2;
    const struct json **table = calloc(size, sizeof *table);
    INVARIANT(table);
    const struct json *twice = NULL;
    for (const struct json *m = object->first; m && !twice; m = m->next) {
        size_t at = str_hash(m->key) & (size - 1);
        while (table[at] && !str_eq(table[at]->key, m->key)) at = (at + 1) & (size - 1);
        if (table[at]) twice = m;
        table[at] = m;
    }
    free(table);
    return twice ? duplicate(r, twice->key) : 0;
}

static int read_close(struct reader *r, const struct frame *f) {
    r->p++;
    r->depth--;
    if (f->node->type == JSON_OBJECT && f->node->count > FEW_KEYS) return check_many_keys(r, f->node);
    return 0;
}

static int read_key(struct reader *r, struct frame *f, struct str *ret) {
    skip_space(r);
    if (r->p == r->end || *r->p != '"') return fail(r, r->p, "a key in quotes is expected");
    TRY(read_string(r, ret));
    TRY(check_new_key(r, f, *ret));
    skip_space(r);
    if (r->p == r->end || *r->p != ':') return fail(r, r->p, "':' is expected");
    r->p++;
    return 0;
}

static int read_member(struct reader *r) {
    struct frame *f = &r->stack[r->depth - 1];
    bool object = f->node->type == JSON_OBJECT;
    skip_space(r);
    if (r->p < r->end && *r->p == (object ? '}' : ']')) return read_close(r, f);
    if (f->node->count) {
        if (r->p == r->end || *r->p != ',')
            return fail(r, r->p, object ? "',' or '}' is expected" : "',' or ']' is expected");
        r->p++;
    }
    struct str key = STR_NONE;
    if (object) TRY(read_key(r, f, &key));
    struct json *v;
    TRY(read_value(r, key, &v));
    *f->tail = v;
    f->tail = &v->next;
    f->node->count++;
    return 0;
}

int json_parse(struct arena *a, struct str text, const struct json_limits *limits, struct json **ret, struct err *e) {
    struct json_limits max = limits ? *limits : (struct json_limits){0};
    struct reader r; /* not zeroed: the stack is large */
    r.p = r.start = text.p ? text.p : "";
    r.end = r.p + text.n;
    r.arena = a;
    r.err = e;
    r.spare_count = r.depth = 0;
    r.chunk = MIN(text.n / 24 + 1, (size_t)CHUNK);
    r.max_depth = max.depth ? max.depth : DEPTH;
    r.max_string = max.string_bytes ? max.string_bytes : STRING_BYTES;
    r.nodes_left = max.nodes ? max.nodes : NODES;
    INVARIANT(r.max_depth <= JSON_DEPTH_MAX);
    struct json *root;
    TRY(read_value(&r, STR_NONE, &root));
    while (r.depth) TRY(read_member(&r));
    skip_space(&r);
    if (r.p != r.end) return fail(&r, r.p, "something follows the value");
    *ret = root;
    return 0;
}

/* ---- asking a tree ---- */

struct json *json_get(const struct json *object, const char *key) {
    if (!object || object->type != JSON_OBJECT) return NULL;
    struct str want = str_z(key);
    for (struct json *m = object->first; m; m = m->next)
        if (str_eq(m->key, want)) return m;
    return NULL;
}

struct str json_text(const struct json *object, const char *key) {
    const struct json *m = json_get(object, key);
    return m && m->type == JSON_STRING ? m->text : STR_NONE;
}

/* A number as its digits and a power of ten: -12.50e1 is minus, "1250", -1.  Leading zeros are gone. */
struct decimal {
    bool minus;
    char digits[NUMBER_BYTES];
    int count, exponent;
};

static void decimal_from(struct str text, struct decimal *ret) {
    size_t i = 0;
    int fraction = 0, exponent = 0;
    bool point = false;
    *ret = (struct decimal){.minus = text.n && text.p[0] == '-'};
    for (i = ret->minus; i < text.n && text.p[i] != 'e' && text.p[i] != 'E'; i++) {
        if (text.p[i] == '.') {
            point = true;
            continue;
        }
        fraction += point;
        if ((ret->count || text.p[i] != '0') && ret->count < NUMBER_BYTES) ret->digits[ret->count++] = text.p[i];
    }
    bool below = i + 1 < text.n && text.p[i + 1] == '-';
    for (i++; i < text.n; i++) /* beyond 10,000 it is nothing or out of reach, whatever follows */
        if (text.p[i] >= '0' && text.p[i] <= '9' && exponent < 10000) exponent = exponent * 10 + (text.p[i] - '0');
    ret->exponent = (below ? -exponent : exponent) - fraction;
}

bool json_int(const struct json *number, int64_t *ret) {
    if (!number || number->type != JSON_NUMBER) return false;
    if (str_to_int(number->text, INT64_MIN, INT64_MAX, ret)) return true;
    struct decimal d;
    decimal_from(number->text, &d);
    while (d.count && d.digits[d.count - 1] == '0') {
        d.count--;
        d.exponent++;
    }
    if (d.count == 0) {
        *ret = 0;
        return true;
    }
    if (d.exponent < 0 || d.count + d.exponent > 19) return false;
    char plain[24];
    size_t n = 0;
    if (d.minus) plain[n++] = '-';
    memcpy(plain + n, d.digits, (size_t)d.count);
    n += (size_t)d.count;
    memset(plain + n, '0', (size_t)d.exponent);
    return str_to_int((struct str){plain, n + (size_t)d.exponent}, INT64_MIN, INT64_MAX, ret);
}

/* Exact when both the digits and the power of ten are doubles (Clinger 1990); libc does the rest. */
static bool small_real(const struct decimal *d, double *ret) {
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->count > 15 || d->exponent < -22 || d->exponent > 22) return false;
    int64_t m = 0;
    for (int i = 0; i < d->count; i++) m = m * 10 + (d->digits[i] - '0');
    double v = d->exponent < 0 ? (double)m / tens[-d->exponent] : (double)m * tens[d->exponent];
    *ret = d->minus ? -v : v;
    return true;
}

bool json_real(const struct json *number, double *ret) {
    if (!number || number->type != JSON_NUMBER) return false;
    struct decimal d;
    decimal_from(number->text, &d);
    if (small_real(&d, ret)) return true;
    char z[NUMBER_BYTES + 1];
    if (number->text.n >= sizeof z) return false;
    memcpy(z, number->text.p, number->text.n);
    z[number->text.n] = 0;
    double v = strtod(z, NULL);
    if (!isfinite(v)) return false;
    *ret = v;
    return true;
}
