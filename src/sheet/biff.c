/* Records, numbers and strings of BIFF.
 *
 * A record holds at most 8,224 bytes; longer strings run on in CONTINUE records.  Where the characters themselves are cut, the
 * continuation begins with a new flag byte, so one string may change between one and two bytes per character. */
#include "xls.h"

#include "base/utf8.h"

enum { CONTINUE = 0x3c, WIDE = 1, EXTENDED = 4, RICH = 8 };

uint16_t biff_u16(const char *p) {
    return (uint16_t)((uint8_t)p[0] | (uint8_t)p[1] << 8);
}

uint32_t biff_u32(const char *p) {
    return biff_u16(p) | (uint32_t)biff_u16(p + 2) << 16;
}

double biff_double(const char *p) {
    uint64_t bits = biff_u32(p) | (uint64_t)biff_u32(p + 4) << 32;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* 30 bits of a double or of a whole number, perhaps in hundredths. */
double biff_rk(uint32_t v) {
    uint64_t bits = (uint64_t)(v & ~3U) << 32;
    double d;
    memcpy(&d, &bits, sizeof d);
    if (v & 2) d = (double)((int32_t)v >> 2);
    return v & 1 ? d / 100 : d;
}

bool biff_next(struct str stream, size_t *at, struct biff_record *ret) {
    if (*at > stream.n || stream.n - *at < 4) return false;
    const char *p = stream.p + *at;
    size_t n = biff_u16(p + 2);
    if (stream.n - *at - 4 < n) return false;
    *ret = (struct biff_record){biff_u16(p), {p + 4, n}};
    *at += 4 + n;
    return true;
}

/* ---- strings ---- */
static bool more(struct biff_text *t) {
    struct biff_record r;
    size_t at = t->next;
    while (t->left.n == 0) {
        if (!t->stream.n || !biff_next(t->stream, &at, &r) || r.type != CONTINUE) return false;
        t->left = r.data;
        t->next = at;
    }
    return true;
}

static bool take_byte(struct biff_text *t, uint8_t *ret) {
    if (!more(t)) return false;
    *ret = (uint8_t)t->left.p[0];
    t->left = str_sub(t->left, 1, t->left.n);
    return true;
}

static bool take_number(struct biff_text *t, int width, uint32_t *ret) {
    uint32_t v = 0;
    for (int i = 0; i < width; i++) {
        uint8_t b;
        if (!take_byte(t, &b)) return false;
        v |= (uint32_t)b << 8 * i;
    }
    *ret = v;
    return true;
}

static bool skip(struct biff_text *t, uint64_t n) {
    while (n) {
        if (!more(t)) return false;
        size_t step = (size_t)MIN(n, (uint64_t)t->left.n);
        t->left = str_sub(t->left, step, t->left.n);
        n -= step;
    }
    return true;
}

/* UTF-16 units to UTF-8; *high is a first half that waits for its second. */
static void add_unit(struct buf *to, uint32_t unit, uint32_t *high) {
    if (unit >= 0xdc00 && unit <= 0xdfff && *high) {
        utf8_add(to, (int32_t)(0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00)));
        *high = 0;
        return;
    }
    if (*high || (unit >= 0xdc00 && unit <= 0xdfff)) utf8_add(to, 0xfffd);
    *high = unit >= 0xd800 && unit <= 0xdbff ? unit : 0;
    if (unit < 0xd800 || unit > 0xdfff) utf8_add(to, (int32_t)unit);
}

static bool characters(struct biff_text *t, uint32_t n, bool wide, struct buf *to) {
    uint32_t high = 0;
    while (n) {
        if (t->left.n < (wide ? 2 : 1)) {
            uint8_t flags;
            t->left = STR_NONE;
            if (!take_byte(t, &flags)) return false;
            wide = flags & WIDE;
            continue;
        }
        size_t width = wide ? 2 : 1;
        add_unit(to, wide ? biff_u16(t->left.p) : (uint8_t)t->left.p[0], &high);
        t->left = str_sub(t->left, width, t->left.n);
        n--;
    }
    if (high) utf8_add(to, 0xfffd);
    return true;
}

/* BIFF5: bytes in the workbook's code page; what cannot be read becomes U+FFFD. */
static bool bytes5(struct biff_text *t, uint32_t n, struct buf *to) {
    struct str s = str_sub(t->left, 0, n);
    struct decoder d CLEANUP(decoder_close) = {0};
    struct err ignored;
    struct buf text CLEANUP(buf_release) = BUF(s.n * 4 + 16);
    if (decoder_open(&d, t->x->charset, &ignored) || decoder_feed(&d, s, true, &text, &ignored)) buf_addz(&text, "\xef\xbf\xbd");
    buf_add_str(to, buf_str(&text));
    t->left = str_sub(t->left, s.n, t->left.n);
    return s.n == n;
}

bool biff_string(struct biff_text *t, int width, struct buf *to) {
    uint32_t n, runs = 0, extended = 0;
    uint8_t flags;
    if (!take_number(t, width, &n)) return false;
    if (t->x->biff5) return bytes5(t, n, to);
    if (!take_byte(t, &flags)) return n == 0;
    if (flags & RICH && !take_number(t, 2, &runs)) return false;
    if (flags & EXTENDED && !take_number(t, 4, &extended)) return false;
    return characters(t, n, flags & WIDE, to) && skip(t, (uint64_t)runs * 4 + extended);
}

bool biff_shared(struct xls *x, struct biff_record r, size_t next) {
    if (r.data.n < 8 || x->shared_at) return false;
    /* A string takes at least three bytes, so the file bounds the count whatever it says. */
    size_t count = MIN((size_t)biff_u32(r.data.p + 4), x->stream.n / 3);
    struct biff_text t = {.stream = buf_str(&x->stream), .next = next, .left = str_sub(r.data, 8, r.data.n), .x = x};
    x->shared_at = calloc(count + 1, sizeof x->shared_at[0]);
    INVARIANT(x->shared_at);
    x->shared.max = x->stream.n * 3 + 64;
    for (; x->shared_count < count; x->shared_count++) {
        if (!biff_string(&t, 2, &x->shared)) break;
        x->shared_at[x->shared_count + 1] = (uint32_t)x->shared.n;
    }
    return !x->shared.failed;
}
