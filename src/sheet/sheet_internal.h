/* What the readers of the sheet module share: the row being built, numbers and dates as people read them, merged ranges, and
 * what each format has to provide.  Nothing outside src/sheet includes this. */
#ifndef SHEET_INTERNAL_H
#define SHEET_INTERNAL_H

#include "base/buf.h"
#include "sheet.h"

enum {
    SHEET_ROWS = 1048576,
    SHEET_COLUMNS = 256,
    SHEET_CELL_BYTES = 32767 * 4,
    SHEET_SAMPLE = 65536,        /* what guesses look at */
    SHEET_XLS_BYTES = 256 << 20, /* .xls is held in memory */
};

/* ---- the row ---- */
/* Texts are gathered in `text`, which may move while it grows: cells hold offsets until row_finish. */
struct row {
    int64_t number;
    size_t count;
    size_t from[SHEET_COLUMNS]; /* ROW_BORROWED: the text lives elsewhere until the next row */
    struct cell cells[SHEET_COLUMNS];
    struct buf text;
};
#define ROW_BORROWED SIZE_MAX
#define ROW_TEXT_MAX ((size_t)SHEET_COLUMNS * SHEET_CELL_BYTES)

void row_begin(struct row *r, int64_t number);
/* The cell of that column gets everything behind `from` in r->text. */
void row_set(struct row *r, size_t column, struct cell c, size_t from);
void row_lend(struct row *r, size_t column, struct cell c); /* c.text outlives the row */
void row_cut(struct row *r, size_t n);                      /* forgets the text behind n */
void row_finish(struct row *r);
bool row_is_empty(const struct row *r);

/* ---- numbers and dates ---- */
#define NUMBER_TEXT 48
/* The shortest decimal that reads back as v; *ret_scientific when v is too large to be held digit by digit. */
size_t number_text(double v, char out[NUMBER_TEXT], bool *ret_scientific);
/* A plain decimal in its shortest form, at most 15 digits: the text is what number_text would give. */
bool number_plain(struct str s, double *ret);
bool number_scientific(struct str s, double *ret); /* 4.21E+17, as spreadsheets write it */
bool format_is_date(int id);                       /* built-in formats */
bool format_code_is_date(struct str code);
/* "2020-02-09", "2020-02-09 23:00:00", "23:00:00"; 0 when the serial is no date. */
size_t serial_text(double serial, bool from_1904, char out[NUMBER_TEXT]);
/* Puts a number of the file into the row: as date when the cell's format is one. */
void row_set_number(struct row *r, size_t column, double v, bool is_date, bool from_1904);

/* ---- merged ranges ---- */
struct merge {
    int32_t row, row_end; /* 1 based, inclusive */
    int16_t column, column_end;
};
struct merges {
    struct merge *list;
    size_t n, cap, next;
    struct {
        int32_t until;
        uint16_t slot;
    } active[SHEET_COLUMNS];
    struct {
        struct cell cell;
        struct buf text;
    } slot[SHEET_COLUMNS]; /* the value of a range, kept at its first column */
};
bool merges_add(struct merges *m, struct merge range); /* false: too many */
void merges_clear(struct merges *m);
void merges_ready(struct merges *m);
void merges_apply(struct merges *m, struct row *r); /* rows come in order */
void merges_release(struct merges *m);

/* ---- formats ---- */
struct sheet_tab {
    const char *name; /* NULL past the last */
    bool hidden;
};
struct sheet_ops {
    int (*next)(struct sheet *s, struct err *e); /* fills s->row, possibly with an empty one; 1, 0, -1 */
    double (*progress)(const struct sheet *s);
    void (*close)(struct sheet *s);
    /* of workbooks */
    struct sheet_tab (*tab)(const struct sheet *s, size_t i);
    int (*begin)(struct sheet *s, size_t i, struct err *e);
};
struct sheet {
    const struct sheet_ops *ops;
    enum sheet_format format;
    const char *charset;
    char name[80]; /* of the file, for messages */
    void *impl;
    bool pending, ended; /* pending: the row in hand was read ahead */
    struct sheet_row head;
    struct row row;
    struct merges merges;
};
/* Where the bytes are: in memory, or in a file that is open at its beginning. */
struct sheet_source {
    struct str bytes; /* p NULL: read fd */
    int fd;           /* the format's open takes it over, success or not */
    const char *path;
    uint64_t size;
};
int csv_open(struct sheet *s, const struct sheet_options *o, struct sheet_source *from, struct err *e);
int xlsx_open(struct sheet *s, const struct sheet_options *o, struct sheet_source *from, struct err *e);
int xls_open(struct sheet *s, const struct sheet_options *o, struct sheet_source *from, struct err *e);

/* The first row that holds something of its own, merged values filled in.  1, 0, -1. */
int sheet_pull(struct sheet *s, struct err *e);
/* Begins the worksheet of that name or, when NULL, the first with rows; hidden ones only by name, or when there is no other. */
int sheet_choose(struct sheet *s, const char *wanted, struct err *e);
int sheet_damaged(struct sheet *s, const char *where, struct err *e);
int sheet_cell_too_large(struct sheet *s, int64_t row, struct err *e);
int sheet_too_many_rows(struct sheet *s, struct err *e);
int sheet_unpacked_too_large(struct sheet *s, uint64_t limit, struct err *e);
int sheet_password(struct sheet *s, struct err *e);
int sheet_no_format(struct sheet *s, struct err *e);
int sheet_no_worksheet(struct sheet *s, const char *wanted, struct err *e);

/* ' before what a spreadsheet would run as a formula: put there by sheet_out, taken off by the reader. */
bool csv_is_guarded(struct str cell);

/* ---- compound files (.xls, encrypted .xlsx) ---- */
bool cfb_has(struct str file, const char *stream);
bool cfb_read(struct str file, const char *stream, struct buf *ret); /* false: not there, or damaged */

/* ---- character sets, piece by piece ---- */
struct decoder {
    const char *charset; /* one of charset_guess's */
    void *cd;            /* iconv_t; NULL for UTF-8 */
    char carry[8];       /* the beginning of a character that the last piece cut */
    size_t carried;
    uint64_t offset; /* bytes decoded */
};
int decoder_open(struct decoder *d, const char *charset, struct err *e);
/* Appends to `to` as UTF-8; `last`: nothing follows, so a cut character is an error. */
int decoder_feed(struct decoder *d, struct str in, bool last, struct buf *to, struct err *e);
void decoder_close(struct decoder *d);
/* Bytes of a byte order mark at the beginning that says this charset. */
size_t charset_bom(const char *charset, struct str bytes);
bool str_is_ascii(struct str s);

#endif
