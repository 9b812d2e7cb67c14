/* Old workbooks for tests: records of BIFF8, and the compound file around them. */
#ifndef SHEET_MAKE_XLS_H
#define SHEET_MAKE_XLS_H

#include "base/buf.h"
#include "base/utf8.h"

static inline void put16(struct buf *b, unsigned v) {
    buf_addc(b, (char)v);
    buf_addc(b, (char)(v >> 8));
}

static inline void put32(struct buf *b, uint32_t v) {
    put16(b, v & 0xffff);
    put16(b, v >> 16);
}

static inline void poke32(struct buf *b, size_t at, uint32_t v) {
    for (int i = 0; i < 4; i++) b->p[at + (size_t)i] = (char)(v >> 8 * i);
}

static inline void pad_to(struct buf *b, size_t size) {
    while (b->n % size) buf_addc(b, 0);
}

static inline void put_sectors(struct buf *fat, size_t first, size_t n) {
    for (size_t i = 0; i < n; i++) put32(fat, i + 1 < n ? (uint32_t)(first + i + 1) : 0xfffffffe);
}

static inline void put_entry(struct buf *b, const char *name, int type, uint32_t start, size_t size) {
    size_t at = b->n, n = strlen(name);
    for (size_t i = 0; i < 32; i++) put16(b, i < n ? (uint8_t)name[i] : 0);
    put16(b, (unsigned)(n ? (n + 1) * 2 : 0));
    buf_addc(b, (char)type);
    buf_addc(b, 1);
    put32(b, UINT32_MAX);
    put32(b, UINT32_MAX);
    put32(b, type == 5 ? 1 : UINT32_MAX);
    while (b->n < at + 116) buf_addc(b, 0);
    put32(b, start);
    put32(b, (uint32_t)size);
    put32(b, 0);
}

/* Sectors of 512 bytes: the table, the directory, then either the stream or, below 4,096 bytes, the mini stream. */
static inline void make_cfb(const char *name, struct str stream, struct buf *out) {
    bool mini = stream.n < 4096;
    size_t data = (stream.n + 511) / 512, all = data + 1 + mini, tables = 1;
    while ((all + tables) * 4 > tables * 512) tables++;
    INVARIANT(tables <= 109);
    uint32_t directory = (uint32_t)tables, mini_table = directory + 1, first = mini_table + mini;
    buf_add(out, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
    while (out->n < 24) buf_addc(out, 0);
    const unsigned shorts[] = {0x3e, 3, 0xfffe, 9, 6, 0, 0, 0};
    for (size_t i = 0; i < COUNT(shorts); i++) put16(out, shorts[i]);
    const uint32_t longs[] = {0, (uint32_t)tables, directory, 0, 4096, mini ? mini_table : 0xfffffffe, mini, 0xfffffffe, 0};
    for (size_t i = 0; i < COUNT(longs); i++) put32(out, longs[i]);
    for (size_t i = 0; i < 109; i++) put32(out, i < tables ? (uint32_t)i : UINT32_MAX);
    INVARIANT(out->n == 512);
    for (size_t i = 0; i < tables; i++) put32(out, 0xfffffffd);
    put_sectors(out, directory, 1);
    if (mini) put_sectors(out, mini_table, 1);
    put_sectors(out, first, data);
    while (out->n < 512 + tables * 512) put32(out, UINT32_MAX);
    put_entry(out, "Root Entry", 5, mini ? first : 0xfffffffe, mini ? data * 512 : 0);
    put_entry(out, name, 2, mini ? 0 : first, stream.n);
    put_entry(out, "", 0, 0, 0);
    put_entry(out, "", 0, 0, 0);
    if (mini) {
        put_sectors(out, 0, (stream.n + 63) / 64);
        pad_to(out, 512);
    }
    buf_add_str(out, stream);
    pad_to(out, 512);
}

/* ---- records ---- */
static inline void record(struct buf *b, unsigned type, const void *p, size_t n) {
    put16(b, type);
    put16(b, (unsigned)n);
    buf_add(b, p, n);
}
#define RECORD(b, type, ...) record((b), (type), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static inline void put_text16(struct buf *b, const char *text, bool wide) {
    struct str s = str_z(text);
    for (size_t at = 0; at < s.n;) {
        int32_t c = utf8_next(s, &at);
        if (!wide) {
            buf_addc(b, (char)c);
        } else if (c < 0x10000) {
            put16(b, (unsigned)c);
        } else {
            put16(b, 0xd800 + ((unsigned)(c - 0x10000) >> 10));
            put16(b, 0xdc00 + ((unsigned)(c - 0x10000) & 0x3ff));
        }
    }
}

static inline size_t units16(const char *text) {
    size_t n = 0;
    struct str s = str_z(text);
    for (size_t at = 0; at < s.n;) n += utf8_next(s, &at) >= 0x10000 ? 2 : 1;
    return n;
}

static inline void put_cell_head(struct buf *b, unsigned row, unsigned column, unsigned style) {
    put16(b, row);
    put16(b, column);
    put16(b, style);
}

static inline void label_record(struct buf *b, unsigned row, unsigned column, const char *text) {
    struct buf d CLEANUP(buf_release) = BUF(9000);
    put_cell_head(&d, row, column, 0);
    put16(&d, (unsigned)units16(text));
    buf_addc(&d, 1);
    put_text16(&d, text, true);
    record(b, 0x204, d.p, d.n);
}

static inline void shared_record(struct buf *b, unsigned row, unsigned column, uint32_t i) {
    struct buf d CLEANUP(buf_release) = BUF(64);
    put_cell_head(&d, row, column, 0);
    put32(&d, i);
    record(b, 0xfd, d.p, d.n);
}

static inline void number_record(struct buf *b, unsigned row, unsigned column, unsigned style, double v) {
    struct buf d CLEANUP(buf_release) = BUF(64);
    put_cell_head(&d, row, column, style);
    buf_add(&d, &v, 8);
    record(b, 0x203, d.p, d.n);
}

static inline void rk_record(struct buf *b, unsigned row, unsigned column, unsigned style, uint32_t rk) {
    struct buf d CLEANUP(buf_release) = BUF(64);
    put_cell_head(&d, row, column, style);
    put32(&d, rk);
    record(b, 0x27e, d.p, d.n);
}

/* `kind`: what the eight bytes of the result say. */
static inline void formula_record(struct buf *b, unsigned row, unsigned column, const char kind[8]) {
    struct buf d CLEANUP(buf_release) = BUF(64);
    put_cell_head(&d, row, column, 0);
    buf_add(&d, kind, 8);
    buf_add(&d, "\0\0\0\0\0\0\0\0", 8);
    record(b, 0x06, d.p, d.n);
}

struct xls_page {
    const char *name;
    unsigned state;
    struct str records; /* between BOF and EOF */
};

/* The workbook stream; styles 1 to 5 have the formats 14, 22, 31, 58 and one of the file's own, m"月"d"日". */
static inline void make_book_stream(struct buf *b, struct str globals, const struct xls_page *pages, size_t n) {
    size_t places[8];
    static const uint8_t formats[] = {0, 14, 22, 31, 58, 200};
    RECORD(b, 0x809, 0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    buf_add_str(b, globals);
    struct buf own CLEANUP(buf_release) = BUF(256);
    const char *code = "m\"月\"d\"日\"";
    put16(&own, 200);
    put16(&own, (unsigned)units16(code));
    buf_addc(&own, 1);
    put_text16(&own, code, true);
    record(b, 0x41e, own.p, own.n);
    for (size_t i = 0; i < COUNT(formats); i++) RECORD(b, 0xe0, 0, 0, formats[i], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    for (size_t i = 0; i < n; i++) {
        struct buf d CLEANUP(buf_release) = BUF(256);
        put32(&d, 0);
        buf_addc(&d, (char)pages[i].state);
        buf_addc(&d, 0);
        buf_addc(&d, (char)units16(pages[i].name));
        buf_addc(&d, 1);
        put_text16(&d, pages[i].name, true);
        places[i] = b->n + 4;
        record(b, 0x85, d.p, d.n);
    }
    record(b, 0x0a, "", 0);
    for (size_t i = 0; i < n; i++) {
        poke32(b, places[i], (uint32_t)b->n);
        RECORD(b, 0x809, 0, 6, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        buf_add_str(b, pages[i].records);
        record(b, 0x0a, "", 0);
    }
}

#endif
