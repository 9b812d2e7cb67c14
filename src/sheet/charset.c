/* Character sets of the files people send: UTF-8, UTF-16 as Excel's "Unicode text", GB18030, Big5.
 *
 * Nothing in a file without mark tells GB18030 from Big5, and nearly every Big5 text is also well-formed GB18030.  So both
 * readings are scored: characters that lists are made of count for a reading, characters that hardly any text holds count
 * against it.  A wrong reading hits rare characters all over, so three rows are enough. */
#include "sheet_internal.h"

#include <errno.h>
#include <iconv.h>

#include "base/utf8.h"

static const char *const charsets[] = {"UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "BIG5"};
static const struct {
    const char *alias, *charset;
} aliases[] = {
    {"UTF8", "UTF-8"}, {"UTF-16", "UTF-16LE"}, {"GBK", "GB18030"},  {"GB2312", "GB18030"}, {"CP936", "GB18030"},
    {"ANSI", "GB18030"}, {"BIG-5", "BIG5"},    {"CP950", "BIG5"},
};

static const char *known(const char *charset) {
    for (size_t i = 0; i < COUNT(charsets); i++)
        if (str_ieq(str_z(charset), str_z(charsets[i]))) return charsets[i];
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (str_ieq(str_z(charset), str_z(aliases[i].alias))) return aliases[i].charset;
    return NULL;
}

bool str_is_ascii(struct str s) {
    size_t i = 0;
    for (uint64_t word; i + 8 <= s.n; i += 8) {
        memcpy(&word, s.p + i, 8);
        if (word & UINT64_C(0x8080808080808080)) return false;
    }
    for (; i < s.n; i++)
        if ((uint8_t)s.p[i] >= 0x80) return false;
    return true;
}

size_t charset_bom(const char *charset, struct str bytes) {
    if (!strcmp(charset, "UTF-8")) return str_starts(bytes, STR("\xef\xbb\xbf")) ? 3 : 0;
    if (!strcmp(charset, "UTF-16LE")) return str_starts(bytes, STR("\xff\xfe")) ? 2 : 0;
    if (!strcmp(charset, "UTF-16BE")) return str_starts(bytes, STR("\xfe\xff")) ? 2 : 0;
    if (!strcmp(charset, "GB18030")) return str_starts(bytes, STR("\x84\x31\x95\x33")) ? 4 : 0;
    return 0;
}

/* ---- decoding ---- */
int decoder_open(struct decoder *d, const char *charset, struct err *e) {
    const char *name = known(charset);
    if (!name) return err_set(e, ERR_INVALID, "charset", M_CODE, charset, "UTF-8, UTF-16LE, UTF-16BE, GB18030, BIG5");
    *d = (struct decoder){.charset = name};
    if (!strcmp(name, "UTF-8")) return 0;
    iconv_t cd = iconv_open("UTF-8", name);
    if (cd == (iconv_t)-1) return err_set(e, ERR_INTERNAL, "charset", M_TEXT, name);
    d->cd = cd;
    return 0;
}

void decoder_close(struct decoder *d) {
    if (d->cd) iconv_close(d->cd);
    d->cd = NULL;
}

/* Bytes of a whole UTF-8 prefix; *ret_cut: what follows could be the beginning of a character. */
static size_t utf8_span(struct str s, bool *ret_cut) {
    size_t at = 0;
    *ret_cut = false;
    while (at < s.n) {
        size_t block = MIN(s.n - at, (size_t)64);
        if (str_is_ascii(str_sub(s, at, at + block))) {
            at += block;
            continue;
        }
        for (size_t end = at + block; at < end;) {
            size_t before = at;
            if (utf8_next(s, &at) >= 0) continue;
            uint8_t c = (uint8_t)s.p[before];
            size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2, have = s.n - before;
            *ret_cut = c >= 0xc2 && c <= 0xf4 && have < want;
            for (size_t i = 1; i < have && *ret_cut; i++) *ret_cut = ((uint8_t)s.p[before + i] & 0xc0) == 0x80;
            return before;
        }
    }
    return at;
}

/* Decodes what is whole at the beginning of `in` and returns its bytes; *ret_cut as utf8_span. */
static size_t decode(struct decoder *d, struct str in, struct buf *to, bool *ret_cut) {
    *ret_cut = false;
    if (!d->cd) {
        size_t n = utf8_span(in, ret_cut);
        buf_add(to, in.p, n);
        return n;
    }
    char *p = (char *)in.p;
    size_t left = in.n;
    while (left) {
        char block[8192], *out = block;
        size_t room = sizeof block;
        size_t r = iconv(d->cd, &p, &left, &out, &room);
        int error = errno;
        buf_add(to, block, (size_t)(out - block));
        if (r != (size_t)-1 || error == E2BIG) continue;
        *ret_cut = error == EINVAL;
        break;
    }
    return in.n - left;
}

static int malformed(const struct decoder *d, struct err *e) {
    char at[24];
    snprintf(at, sizeof at, "%llu", (unsigned long long)d->offset + 1);
    return err_set(e, ERR_INVALID, NULL, M_CHARSET, d->charset, at);
}

/* Completes the character that the last piece cut, byte by byte. */
static int feed_carry(struct decoder *d, struct str *in, struct buf *to, struct err *e) {
    while (d->carried && in->n) {
        if (d->carried == sizeof d->carry) return malformed(d, e);
        d->carry[d->carried++] = in->p[0];
        *in = str_sub(*in, 1, in->n);
        bool cut;
        size_t n = decode(d, (struct str){d->carry, d->carried}, to, &cut);
        if (n == 0 && !cut) return malformed(d, e);
        d->offset += n;
        d->carried -= n;
        memmove(d->carry, d->carry + n, d->carried);
    }
    return 0;
}

int decoder_feed(struct decoder *d, struct str in, bool last, struct buf *to, struct err *e) {
    TRY(feed_carry(d, &in, to, e));
    if (in.n) {
        bool cut;
        size_t n = decode(d, in, to, &cut);
        d->offset += n;
        if (n < in.n && (!cut || in.n - n > sizeof d->carry)) return malformed(d, e);
        d->carried = in.n - n;
        memcpy(d->carry, in.p + n, d->carried);
    }
    if (last && d->carried) return malformed(d, e);
    return 0;
}

int charset_to_utf8(struct arena *a, const char *charset, struct str bytes, struct str *ret, struct err *e) {
    struct decoder d CLEANUP(decoder_close) = {0};
    TRY(decoder_open(&d, charset, e));
    size_t bom = charset_bom(d.charset, bytes);
    d.offset = bom;
    struct buf b CLEANUP(buf_release) = BUF(bytes.n * 3 + 16);
    TRY(decoder_feed(&d, str_sub(bytes, bom, bytes.n), true, &b, e));
    INVARIANT(!b.failed);
    *ret = arena_str(a, buf_str(&b));
    return 0;
}

/* ---- guessing ---- */
enum { HAN_FIRST = 0x4e00, HAN_END = 0xa000 };

static void common_chars(uint8_t bits[(HAN_END - HAN_FIRST) / 8]) {
    static const char table[] =
#include "common_chars.inc"
        ;
    struct str s = {table, sizeof table - 1};
    for (size_t at = 0; at < s.n;) {
        int32_t c = utf8_next(s, &at) - HAN_FIRST;
        INVARIANT(c >= 0 && c < HAN_END - HAN_FIRST);
        bits[c / 8] |= (uint8_t)(1u << c % 8);
    }
}

struct reading {
    int64_t score; /* per 1,000 characters beyond ASCII */
    size_t chars;  /* characters beyond ASCII, before the first malformed byte */
    bool well_formed;
};

/* Both charsets keep their frequent characters in the first part of their tables. */
static int place(bool gb, uint8_t lead, uint8_t trail) {
    if (gb) return trail < 0xa1 || lead > 0xf7 || lead < 0xa1 ? -3 : lead >= 0xd8 ? -1 : lead < 0xaa ? 0 : lead < 0xb0 ? -3 : 1;
    return lead < 0xa1 || lead > 0xf9 ? -3 : lead >= 0xc9 ? -1 : lead < 0xa4 ? 0 : 1;
}

/* Characters that a list holds beside Han: punctuation, full-width forms, numbers in circles.  The rest of the tables (kana,
 * Greek, Cyrillic, box drawing, private use) is what a wrong reading gives. */
static int weight(int32_t c, const uint8_t *common, int by_place) {
    if (c >= HAN_FIRST && c < HAN_END) {
        int32_t at = c - HAN_FIRST;
        return common[at / 8] & 1u << at % 8 ? 4 : by_place;
    }
    if ((c >= 0x3000 && c <= 0x3011) || (c >= 0xff01 && c <= 0xff5e) || (c >= 0x2010 && c <= 0x2027) || c == 0xb7) return 1;
    if ((c >= 0x2460 && c <= 0x249b) || c == 0x2103 || c == 0xb0) return 0;
    return -3;
}

static struct reading read_as(const char *charset, struct str s, const uint8_t *common) {
    struct decoder d CLEANUP(decoder_close) = {0};
    struct reading r = {.well_formed = true};
    struct err ignored;
    if (decoder_open(&d, charset, &ignored)) return r;
    bool gb = charset[0] == 'G';
    for (size_t at = 0; at < s.n;) {
        uint8_t lead = (uint8_t)s.p[at];
        if (lead < 0x80) {
            at++;
            continue;
        }
        size_t size = 2;
        if (gb && at + 1 < s.n && s.p[at + 1] >= '0' && s.p[at + 1] <= '9') size = 4;
        if (at + size > s.n) break; /* cut */
        struct buf b CLEANUP(buf_release) = BUF(16);
        bool cut;
        if (decode(&d, str_sub(s, at, at + size), &b, &cut) != size || b.n == 0) {
            r.well_formed = false;
            break;
        }
        size_t zero = 0;
        int32_t c = utf8_next(buf_str(&b), &zero);
        r.score += weight(c, common, size == 4 ? -3 : place(gb, lead, (uint8_t)s.p[at + 1]));
        r.chars++;
        at += size;
    }
    if (r.chars) r.score = r.score * 1000 / (int64_t)r.chars;
    return r;
}

/* Text without mark whose every second byte is mostly 0. */
static const char *guess_utf16(struct str s) {
    size_t zeros[2] = {0};
    for (size_t i = 0; i < s.n; i++) zeros[i % 2] += !s.p[i];
    if (zeros[0] + zeros[1] == 0 || s.n % 2) return NULL;
    if (zeros[0] == 0) return "UTF-16LE";
    return zeros[1] == 0 ? "UTF-16BE" : NULL;
}

/* UTF-8 of Chinese has characters of three bytes; pairs alone may as well be GB18030, as in the two characters of 联通. */
static bool is_utf8(struct str s, bool *ret_certain) {
    bool cut;
    size_t n = utf8_span(s, &cut);
    *ret_certain = false;
    for (size_t i = 0; i < n && !*ret_certain; i++) *ret_certain = (uint8_t)s.p[i] >= 0xe0;
    return n == s.n || (cut && (*ret_certain || s.n >= SHEET_SAMPLE));
}

const char *charset_guess(struct str bytes) {
    for (size_t i = 0; i < COUNT(charsets); i++)
        if (charset_bom(charsets[i], bytes)) return charsets[i];
    struct str s = str_sub(bytes, 0, SHEET_SAMPLE);
    if (memchr(s.n ? s.p : "x", 0, s.n)) {
        const char *wide = guess_utf16(s);
        if (wide) return wide;
    }
    if (str_is_ascii(s)) return "UTF-8";
    bool certain, utf8 = is_utf8(s, &certain);
    if (utf8 && certain) return "UTF-8";
    uint8_t common[(HAN_END - HAN_FIRST) / 8] = {0};
    common_chars(common);
    struct reading gb = read_as("GB18030", s, common), big5 = read_as("BIG5", s, common);
    if (utf8) return gb.well_formed && gb.score >= 3500 ? "GB18030" : "UTF-8";
    if (gb.well_formed != big5.well_formed) return gb.well_formed ? "GB18030" : "BIG5";
    return big5.score > gb.score ? "BIG5" : "GB18030";
}
