/* A table in one line, to compare: cells by "|", rows by "\n"; numbers n:, dates d:, booleans b:, errors e:, lost digits n!: */
#ifndef SHEET_SHOW_H
#define SHEET_SHOW_H

#include "base/buf.h"
#include "sheet/sheet.h"
#include "unit.h"

static inline void show_cell(struct buf *b, const struct cell *c) {
    static const char *const marks[] = {[CELL_NUMBER] = "n:", [CELL_DATE] = "d:", [CELL_BOOL] = "b:", [CELL_ERROR] = "e:"};
    if (c->scientific) buf_addz(b, "n!:");
    else if (marks[c->type]) buf_addz(b, marks[c->type]);
    buf_add_str(b, c->text);
}

/* "row:cell|cell\n..."; an error ends it as "!MESSAGE". */
static inline void show_rows(struct sheet *s, struct buf *b) {
    struct sheet_row r;
    struct err e;
    int got;
    while ((got = sheet_next(s, &r, &e)) > 0) {
        buf_addf(b, "%lld:", (long long)r.number);
        for (size_t i = 0; i < r.count; i++) {
            if (i) buf_addc(b, '|');
            show_cell(b, &r.cells[i]);
        }
        buf_addc(b, '\n');
    }
    if (got < 0) buf_addf(b, "!%s", msg_name(e.msg));
}

static inline void show_bytes(struct str bytes, const struct sheet_options *o, struct buf *b) {
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct err e;
    if (sheet_open_bytes(bytes, "名单", o, &s, &e)) buf_addf(b, "!%s", msg_name(e.msg));
    else show_rows(s, b);
}

#define CHECK_SHEET(bytes, options, want)                                                                              \
    do {                                                                                                               \
        struct buf shown CLEANUP(buf_release) = BUF(64 << 20);                                                         \
        show_bytes((bytes), (options), &shown);                                                                        \
        CHECK_STR(buf_str(&shown), want);                                                                              \
    } while (0)
#define SHOW(text, want) CHECK_SHEET(STR(text), NULL, want)

static inline void write_file(const char *path, struct str s) {
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(s.p, 1, s.n, f) == s.n);
    fclose(f);
}

#endif
