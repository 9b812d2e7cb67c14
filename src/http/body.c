/* The body: so many bytes, or chunks.  Chunk extensions and trailers are read over, bounded, and dropped. */
#include "http/parse.h"

enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LINE, TRAILER_LF, END_LF, END };
enum { OVERHEAD_MAX = 4096, DIGITS_MAX = 8 };

void http_body_start(struct http_body *b, const struct http_head *h, size_t limit) {
    *b = (struct http_body){.chunked = h->chunked, .limit = limit};
    b->step = h->chunked ? SIZE : DATA;
    if (!h->chunked && h->length > 0) b->left = (uint64_t)h->length;
}

static int size_byte(struct http_body *b, char c, const char **ret_why) {
    int v = http_hex(c);
    if (v >= 0) {
        if (++b->digits > DIGITS_MAX) return http_why(413, "a chunk is too large", ret_why);
        b->left = b->left << 4 | (uint64_t)v;
        return HTTP_MORE;
    }
    if (b->digits == 0 || (c != ';' && c != '\r')) return http_why(400, "a chunk does not start with its size", ret_why);
    if (b->left > b->limit - b->got) return http_why(413, "the body is too large", ret_why);
    b->step = c == ';' ? EXTENSION : SIZE_LF;
    return HTTP_MORE;
}

/* A byte of an extension or a trailer; `end` is the step behind its CR. */
static int passed_byte(struct http_body *b, char c, int end, const char **ret_why) {
    if (c == '\r') {
        b->step = end;
        return HTTP_MORE;
    }
    if (((uint8_t)c < ' ' && c != '\t') || c == 0x7f) return http_why(400, "a control character between the chunks", ret_why);
    if (++b->overhead > OVERHEAD_MAX) return http_why(400, "too many chunk extensions or trailers", ret_why);
    return HTTP_MORE;
}

static int expect_byte(struct http_body *b, char c, char wanted, int next, const char **ret_why) {
    if (c != wanted) return http_why(400, "a chunk does not end in CR LF", ret_why);
    b->step = next;
    return HTTP_MORE;
}

static int frame_byte(struct http_body *b, char c, const char **ret_why) {
    switch (b->step) {
    case SIZE: return size_byte(b, c, ret_why);
    case EXTENSION: return passed_byte(b, c, SIZE_LF, ret_why);
    case SIZE_LF: return expect_byte(b, c, '\n', b->left ? DATA : TRAILER, ret_why);
    case DATA_CR: return expect_byte(b, c, '\r', DATA_LF, ret_why);
    case DATA_LF: b->digits = 0; return expect_byte(b, c, '\n', SIZE, ret_why);
    case TRAILER:
        b->step = TRAILER_LINE;
        return passed_byte(b, c, END_LF, ret_why);
    case TRAILER_LINE: return passed_byte(b, c, TRAILER_LF, ret_why);
    case TRAILER_LF: return expect_byte(b, c, '\n', TRAILER, ret_why);
    default: {
        int r = expect_byte(b, c, '\n', END, ret_why);
        return r ? r : HTTP_DONE;
    }
    }
}

int http_body_feed(struct http_body *b, struct str in, size_t *ret_used, struct buf *to, const char **ret_why) {
    size_t used = 0;
    int r = b->chunked || b->left ? HTTP_MORE : HTTP_DONE;
    if (!b->chunked && b->left > b->limit - b->got) r = http_why(413, "the body is too large", ret_why);
    while (r == HTTP_MORE && used < in.n) {
        if (b->step != DATA) {
            r = frame_byte(b, in.p[used++], ret_why);
            continue;
        }
        size_t n = (size_t)MIN(b->left, (uint64_t)(in.n - used));
        buf_add(to, in.p + used, n);
        INVARIANT(!to->failed);
        used += n;
        b->got += n;
        b->left -= n;
        if (b->left) break;
        if (b->chunked)
            b->step = DATA_CR;
        else
            r = HTTP_DONE;
    }
    *ret_used = used;
    return r;
}
