/* A connection's input: requests one after the other, delivered in pieces.  The first byte chooses the pieces.
 *
 * However the bytes were split, the same requests come out and the same refusal; and what is accepted names one host (1.1), has one way to
 * find its end, and a normal path. */
#include "base/utf8.h"
#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 3000 };

struct reader {
    struct http_scan scan;
    struct http_body body;
    bool in_body;
    int refused;
    struct str in; /* not taken yet */
    struct buf log, text;
};

static size_t count_fields(const struct http_head *h, struct str name) {
    size_t n = 0;
    for (size_t i = 0; i < h->field_count; i++) n += str_ieq(h->fields[i].name, name);
    return n;
}

static void check_head(const struct http_head *h, struct str text) {
    size_t hosts = count_fields(h, STR("host")), lengths = count_fields(h, STR("content-length"));
    size_t codings = count_fields(h, STR("transfer-encoding"));
    INVARIANT(h->old ? hosts <= 1 : hosts == 1);
    INVARIANT(lengths + codings <= 1 && h->chunked == (codings == 1) && (h->length >= 0) == (lengths == 1));
    INVARIANT(h->field_count <= HTTP_FIELDS_MAX);
    INVARIANT(str_starts(h->path, STR("/")) && utf8_valid(h->path) && str_find_char(h->path, 0) < 0);
    INVARIANT(str_find(h->path, STR("//")) < 0 && str_find(h->path, STR("/./")) < 0 && str_find(h->path, STR("/../")) < 0);
    INVARIANT(!str_ends(h->path, STR("/.")) && !str_ends(h->path, STR("/..")));
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = (uint8_t)text.p[i];
        INVARIANT(c >= ' ' || c == '\t' || (c == '\r' && text.p[i + 1] == '\n') || (c == '\n' && text.p[i - 1] == '\r'));
    }
    for (size_t i = 0; i < h->field_count; i++) {
        struct str v = h->fields[i].value;
        INVARIANT(h->fields[i].name.n && str_find_char(v, '\r') < 0 && str_find_char(v, '\n') < 0);
    }
}

static size_t take_head(struct reader *r) {
    struct arena a CLEANUP(arena_release) = {0};
    const char *why = NULL;
    struct http_head h;
    int s = r->in.n ? http_scan(&r->scan, r->in, &why) : HTTP_MORE;
    if (s == HTTP_MORE) return 0;
    struct http_scan found = r->scan;
    r->scan = (struct http_scan){0};
    struct str text = STR_NONE;
    if (s == HTTP_DONE) {
        INVARIANT(found.at <= HTTP_HEAD_MAX && found.at <= r->in.n);
        text = arena_str(&a, str_sub(r->in, found.skip, found.at));
        s = http_head_parse(&a, text, found.lines, &h, &why);
    }
    if (s) {
        INVARIANT(s >= 400 && s <= 599 && why);
        r->refused = s;
        return 0;
    }
    check_head(&h, text);
    buf_addf(&r->log, "%.*s %.*s?%.*s %zu %d\n", STR_FMT(h.method_name), STR_FMT(h.path), STR_FMT(h.query), h.field_count, h.keep);
    http_body_start(&r->body, &h, LIMIT);
    r->in_body = true;
    buf_clear(&r->text);
    return found.at;
}

static size_t take_body(struct reader *r) {
    const char *why = NULL;
    size_t used = 0;
    int s = http_body_feed(&r->body, r->in, &used, &r->text, &why);
    INVARIANT(used <= r->in.n && r->text.n <= LIMIT);
    if (s == HTTP_DONE) {
        buf_addf(&r->log, "body %zu %llx\n", r->text.n, (unsigned long long)str_hash(buf_str(&r->text)));
        r->in_body = false;
    } else if (s != HTTP_MORE) {
        INVARIANT(s >= 400 && s <= 599 && why);
        r->refused = s;
    }
    return used;
}

static void give(struct reader *r) {
    for (bool more = true; more && !r->refused;) {
        bool was_body = r->in_body;
        size_t n = was_body ? take_body(r) : take_head(r);
        r->in = str_sub(r->in, n, r->in.n);
        more = n || was_body != r->in_body;
    }
}

/* Each delivery is a copy of what is left and the new piece, so that ASan sees a look beyond it. */
static void run(struct reader *r, struct str all, uint8_t seed) {
    size_t given = 0, piece = seed ? seed : all.n;
    uint32_t random = seed;
    while (given < all.n && !r->refused) {
        random = random * 1664525 + 1013904223;
        size_t n = MIN(seed > 127 ? random % piece + 1 : piece, all.n - given);
        size_t left = r->in.n;
        char *copy = malloc(left + n);
        INVARIANT(copy);
        memcpy(copy, all.p + given - left, left + n);
        r->in = (struct str){copy, left + n};
        given += n;
        give(r);
        size_t kept = r->in.n;
        free(copy);
        r->in = (struct str){all.p + given - kept, kept};
    }
    buf_addf(&r->log, "refused %d\n", r->refused);
    INVARIANT(!r->log.failed && !r->text.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 65536) return 0;
    struct str all = {(const char *)data + 1, size - 1};
    struct reader whole = {.log = BUF(1 << 20), .text = BUF(LIMIT)}, split = {.log = BUF(1 << 20), .text = BUF(LIMIT)};
    run(&whole, all, 0);
    run(&split, all, data[0] ? data[0] : 1);
    INVARIANT(str_eq(buf_str(&whole.log), buf_str(&split.log)));
    buf_release(&whole.log);
    buf_release(&whole.text);
    buf_release(&split.log);
    buf_release(&split.text);
    return 0;
}
