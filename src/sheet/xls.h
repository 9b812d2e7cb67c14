/* What xls.c (workbook, sheets, cells) takes from biff.c (records, numbers, strings). */
#ifndef SHEET_XLS_H
#define SHEET_XLS_H

#include "base/arena.h"
#include "sheet_internal.h"

struct biff_record {
    uint16_t type;
    struct str data;
};
struct xls_sheet {
    const char *name;
    uint32_t offset;
    bool hidden;
};
struct xls_cell {
    uint16_t row;
    uint32_t at; /* of its record in the stream */
};
enum { FORMAT_UNKNOWN, FORMAT_OTHER, FORMAT_DATE };
struct xls {
    struct sheet *s;
    struct arena arena;
    struct buf stream;
    bool biff5, from_1904;
    const char *charset; /* of BIFF5 */
    struct xls_sheet *sheets;
    size_t sheet_count;
    uint8_t custom[65536];        /* by format id */
    uint16_t style_format[65536]; /* by cell style */
    size_t style_count;
    struct buf shared;
    uint32_t *shared_at; /* shared_count + 1 places */
    size_t shared_count;
    struct xls_cell *cells;
    size_t cell_count, cell_cap, cell_at;
};

/* The record at *at, which moves behind it; false at the end and at a cut record. */
bool biff_next(struct str stream, size_t *at, struct biff_record *ret);
uint16_t biff_u16(const char *p);
uint32_t biff_u32(const char *p);
double biff_double(const char *p);
double biff_rk(uint32_t v);

/* Bytes of a string, running on through CONTINUE records. */
struct biff_text {
    struct str stream; /* empty: the record stands alone */
    size_t next;       /* the record behind */
    struct str left;   /* of the record in hand */
    const struct xls *x;
};
/* A string with a length of `width` bytes, as UTF-8; false when it is cut. */
bool biff_string(struct biff_text *t, int width, struct buf *to);
/* The shared strings; `next` is the record behind r. */
bool biff_shared(struct xls *x, struct biff_record r, size_t next);

#endif
