/* Base45 and the subset of CBOR.  The reader accepts only what the writer writes: a head in its shortest form, a definite length. */
#include "pass_internal.h"

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

void base45_add(struct buf *to, struct str s) {
    const uint8_t *p = (const uint8_t *)s.p;
    for (size_t i = 0; i < s.n; i += 2) {
        bool pair = i + 1 < s.n;
        unsigned v = pair ? p[i] * 256u + p[i + 1] : p[i];
        char three[3] = {alphabet[v % 45], alphabet[v / 45 % 45], alphabet[v / 45 / 45]};
        buf_add(to, three, pair ? 3 : 2);
    }
}

static unsigned digit(char c) {
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (unsigned)(at - alphabet) : 1 << 20;
}

bool base45_parse(struct buf *to, struct str s) {
    if (s.n % 3 == 1) return false;
    for (size_t i = 0; i < s.n; i += 3) {
        bool pair = i + 2 < s.n;
        unsigned v = digit(s.p[i]) + 45 * digit(s.p[i + 1]) + (pair ? 45 * 45 * digit(s.p[i + 2]) : 0);
        if (v > (pair ? 0xffff : 0xff)) return false;
        char two[2] = {(char)(v >> 8), (char)v};
        buf_add(to, pair ? two : two + 1, pair ? 2 : 1);
    }
    return !to->failed;
}

/* ---- writing ---- */
void cbor_head(struct buf *to, enum cbor_major major, uint64_t n) {
    int bytes = n < 24 ? 0 : n <= UINT8_MAX ? 1 : n <= UINT16_MAX ? 2 : n <= UINT32_MAX ? 4 : 8;
    int extra = bytes == 0 ? (int)n : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27;
    buf_addc(to, (char)(major << 5 | extra));
    for (int i = bytes; i > 0; i--) buf_addc(to, (char)(n >> (8 * (i - 1))));
}

void cbor_int(struct buf *to, int64_t v) {
    cbor_head(to, v < 0 ? CBOR_NINT : CBOR_UINT, (uint64_t)(v < 0 ? -1 - v : v));
}

void cbor_str(struct buf *to, enum cbor_major major, struct str s) {
    cbor_head(to, major, s.n);
    buf_add_str(to, s);
}

/* ---- reading ---- */
static uint64_t fail(struct cbor_in *in) {
    in->bad = true;
    in->rest = STR("");
    return 0;
}

uint64_t cbor_read(struct cbor_in *in, enum cbor_major major, uint64_t max) {
    static const uint64_t least[] = {24, UINT64_C(1) << 8, UINT64_C(1) << 16, UINT64_C(1) << 32};
    if (in->bad || in->rest.n == 0) return fail(in);
    const uint8_t *p = (const uint8_t *)in->rest.p;
    unsigned extra = p[0] & 31;
    uint64_t n = extra;
    size_t bytes = 0;
    if (p[0] >> 5 != major || extra > 27) return fail(in);
    if (extra >= 24) {
        bytes = (size_t)1 << (extra - 24);
        if (in->rest.n < 1 + bytes) return fail(in);
        n = 0;
        for (size_t i = 1; i <= bytes; i++) n = n << 8 | p[i];
        if (n < least[extra - 24]) return fail(in);
    }
    if (n > max) return fail(in);
    in->rest = str_sub(in->rest, 1 + bytes, in->rest.n);
    return n;
}

struct str cbor_read_str(struct cbor_in *in, enum cbor_major major, size_t max) {
    size_t n = (size_t)cbor_read(in, major, max);
    if (n > in->rest.n) fail(in);
    if (in->bad) return STR("");
    struct str s = str_sub(in->rest, 0, n);
    in->rest = str_sub(in->rest, n, in->rest.n);
    return s;
}

int64_t cbor_read_uint(struct cbor_in *in, int64_t min, int64_t max) {
    int64_t v = (int64_t)cbor_read(in, CBOR_UINT, (uint64_t)max);
    if (v < min) fail(in);
    return v;
}

void cbor_expect(struct cbor_in *in, int64_t v) {
    uint64_t want = (uint64_t)(v < 0 ? -1 - v : v);
    if (cbor_read(in, v < 0 ? CBOR_NINT : CBOR_UINT, want) != want) fail(in);
}

void cbor_read_fixed(struct cbor_in *in, void *ret, size_t n) {
    struct str s = cbor_read_str(in, CBOR_BYTES, n);
    if (s.n != n) fail(in);
    else memcpy(ret, s.p, n);
}

bool cbor_done(const struct cbor_in *in) {
    return !in->bad && in->rest.n == 0;
}
