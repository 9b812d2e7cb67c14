/* The writer.  A text without anything to escape, which is nearly every one, is copied in one piece. */
#include "json/json.h"

#include <math.h>

#include "json/json_internal.h"

static void separate(struct json_out *o) {
    if (o->comma) buf_addc(o->to, ',');
    o->comma = true;
}

/* One character that is not plain; returns its bytes in the source. */
static size_t add_special(struct buf *to, const char *p, size_t n) {
    static const char hex[] = "0123456789abcdef", names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    uint8_t c = (uint8_t)*p;
    if (c == '<') {
        bool close = n > 1 && p[1] == '/';
        buf_addz(to, close ? "<\\/" : "<");
        return close ? 2 : 1;
    }
    const char *name = c ? strchr(names, c) : NULL;
    if (name) {
        buf_add(to, (const char[]){'\\', letters[name - names]}, 2);
        return 1;
    }
    if (c < ' ') {
        buf_add(to, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        return 1;
    }
    size_t bytes = json_char_bytes(p, n);
    if (bytes == 0) buf_addz(to, "\xef\xbf\xbd");
    else buf_add(to, p, bytes);
    return MAX(bytes, (size_t)1);
}

/* Bytes at the start that need no change: plain ones and whole characters. */
static size_t clean_run(struct str s) {
    size_t at = 0;
    for (;;) {
        at += json_plain(s.p + at, s.n - at);
        if (at == s.n || (uint8_t)s.p[at] < 0x80) return at;
        do {
            size_t bytes = json_char_bytes(s.p + at, s.n - at);
            if (bytes == 0) return at;
            at += bytes;
        } while (at < s.n && (uint8_t)s.p[at] >= 0x80);
    }
}

static void add_rest(struct buf *to, struct str s) {
    for (size_t at = 0; at < s.n;) {
        at += add_special(to, s.p + at, s.n - at);
        struct str clean = str_sub(s, at, s.n);
        clean.n = clean_run(clean);
        buf_add_str(to, clean);
        at += clean.n;
    }
}

static void add_quoted(struct json_out *o, struct str s, bool key) {
    if (!s.p) s = STR("");
    size_t run = clean_run(s);
    char *to = buf_room(o->to, run + 2u + key + o->comma); /* comma, quote, run, quote, colon */
    if (!to) return;
    char *from = to;
    if (o->comma) *to++ = ',';
    *to++ = '"';
    memcpy(to, s.p, run);
    to += run;
    o->comma = !key;
    if (run == s.n) {
        *to++ = '"';
        if (key) *to++ = ':';
        buf_grew(o->to, (size_t)(to - from));
        return;
    }
    buf_grew(o->to, (size_t)(to - from));
    add_rest(o->to, str_sub(s, run, s.n));
    buf_add(o->to, "\":", key ? 2 : 1);
}

void json_object(struct json_out *o) {
    separate(o);
    buf_addc(o->to, '{');
    o->comma = false;
}

void json_object_end(struct json_out *o) {
    buf_addc(o->to, '}');
    o->comma = true;
}

void json_array(struct json_out *o) {
    separate(o);
    buf_addc(o->to, '[');
    o->comma = false;
}

void json_array_end(struct json_out *o) {
    buf_addc(o->to, ']');
    o->comma = true;
}

void json_key(struct json_out *o, const char *key) {
    add_quoted(o, str_z(key), true);
}

void json_key_str(struct json_out *o, struct str key) {
    add_quoted(o, key, true);
}

void json_str(struct json_out *o, struct str s) {
    add_quoted(o, s, false);
}

void json_strz(struct json_out *o, const char *z) {
    if (z) add_quoted(o, str_z(z), false);
    else json_null(o);
}

void json_num(struct json_out *o, int64_t v) {
    separate(o);
    buf_add_int(o->to, v);
}

void json_dbl(struct json_out *o, double v) {
    if (!isfinite(v)) {
        json_null(o);
        return;
    }
    separate(o);
    if (v == 0 || (fabs(v) < 1e15 && v == (double)(int64_t)v)) {
        if (v == 0 && signbit(v)) buf_addc(o->to, '-');
        buf_add_int(o->to, (int64_t)v);
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    buf_addz(o->to, text);
}

void json_bool(struct json_out *o, bool v) {
    separate(o);
    buf_addz(o->to, v ? "true" : "false");
}

void json_null(struct json_out *o) {
    separate(o);
    buf_addz(o->to, "null");
}

void json_raw(struct json_out *o, struct str json) {
    separate(o);
    buf_add_str(o->to, json);
}

static void open_or_scalar(struct json_out *o, const struct json *v) {
    switch (v->type) {
    case JSON_NULL: json_null(o); break;
    case JSON_FALSE: json_bool(o, false); break;
    case JSON_TRUE: json_bool(o, true); break;
    case JSON_NUMBER: json_raw(o, v->text); break;
    case JSON_STRING: json_str(o, v->text); break;
    case JSON_ARRAY: json_array(o); break;
    case JSON_OBJECT: json_object(o); break;
    }
}

static void close_container(struct json_out *o, const struct json *v) {
    if (v->type == JSON_OBJECT) json_object_end(o);
    else json_array_end(o);
}

void json_value(struct json_out *o, const struct json *v) {
    struct {
        const struct json *container, *next;
    } stack[JSON_DEPTH_MAX];
    size_t depth = 0;
    for (const struct json *at = v;;) {
        open_or_scalar(o, at);
        if (at->type >= JSON_ARRAY) {
            INVARIANT(depth < COUNT(stack));
            stack[depth].container = at;
            stack[depth++].next = at->first;
        }
        while (depth && !stack[depth - 1].next) close_container(o, stack[--depth].container);
        if (depth == 0) return;
        at = stack[depth - 1].next;
        stack[depth - 1].next = at->next;
        if (stack[depth - 1].container->type == JSON_OBJECT) json_key_str(o, at->key);
    }
}

void json_put_str(struct json_out *o, const char *key, struct str s) {
    json_key(o, key);
    json_str(o, s);
}

void json_put_strz(struct json_out *o, const char *key, const char *z) {
    json_key(o, key);
    json_strz(o, z);
}

void json_put_int(struct json_out *o, const char *key, int64_t v) {
    json_key(o, key);
    json_num(o, v);
}

void json_put_dbl(struct json_out *o, const char *key, double v) {
    json_key(o, key);
    json_dbl(o, v);
}

void json_put_bool(struct json_out *o, const char *key, bool v) {
    json_key(o, key);
    json_bool(o, v);
}
