/* JSON in and out (RFC 8259).
 *
 * The reader takes outside bytes: depth, string length, number length and node count are bounded, strings must be valid
 * UTF-8 without NUL, duplicate keys are refused, nothing may follow the value, no recursion.  Nodes live in the arena;
 * strings without escapes point into the input, which must outlive them.  Numbers stay text until asked for: an int64 is
 * exact, 2^53+1 included. */
#ifndef JSON_H
#define JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
struct json {
    enum json_type type;
    struct str key;  /* in an object */
    struct str text; /* the string; the number as written */
    struct json *first, *next;
    size_t count; /* members or elements */
};
#define JSON_DEPTH_MAX 128
struct json_limits {
    size_t depth, string_bytes,
        nodes; /* 0: 32, 1 MiB, 100,000; depth is at most JSON_DEPTH_MAX; a number has at most 128 bytes */
};

/* Errors: BAD_REQUEST with M_JSON (byte offset from 1, reason), M_JSON_DEPTH (limit), M_BAD_UTF8 and M_NUL (argument 1 is the
 * byte offset), M_DUPLICATE_FIELD with the key as field.  limits may be NULL. */
int json_parse(struct arena *a, struct str text, const struct json_limits *limits, struct json **ret, struct err *e);
struct json *json_get(const struct json *object, const char *key); /* NULL if absent or not an object */
struct str json_text(const struct json *object, const char *key);  /* a string member's text, else STR_NONE */
bool json_int(const struct json *number, int64_t *ret);            /* exact; 1.0 and 1e2 count as whole */
bool json_real(const struct json *number, double *ret);

/* ---- writer: appends to a buf; commas are kept right by the writer itself ---- */
struct json_out {
    struct buf *to;
    bool comma;
};
#define JSON_OUT(buffer)                                                                                               \
    { .to = (buffer) }
void json_object(struct json_out *o);
void json_object_end(struct json_out *o);
void json_array(struct json_out *o);
void json_array_end(struct json_out *o);
void json_key(struct json_out *o, const char *key);
void json_key_str(struct json_out *o, struct str key);
void json_str(struct json_out *o, struct str s);   /* malformed UTF-8 becomes U+FFFD; "</" is written "<\/" */
void json_strz(struct json_out *o, const char *z); /* NULL writes null */
void json_num(struct json_out *o, int64_t v);
void json_dbl(struct json_out *o, double v); /* shortest text that reads back the same; not finite: null */
void json_bool(struct json_out *o, bool v);
void json_null(struct json_out *o);
void json_raw(struct json_out *o, struct str json);        /* a value that is JSON already */
void json_value(struct json_out *o, const struct json *v); /* writes a parsed value again, numbers as they were */
/* key and value in one */
void json_put_str(struct json_out *o, const char *key, struct str s);
void json_put_strz(struct json_out *o, const char *key, const char *z);
void json_put_int(struct json_out *o, const char *key, int64_t v);
void json_put_dbl(struct json_out *o, const char *key, double v);
void json_put_bool(struct json_out *o, const char *key, bool v);

#endif
