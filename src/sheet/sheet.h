/* Tables as people have them: CSV, TSV, XLSX, XLS in; CSV, TSV, XLSX out.
 *
 * The reader streams rows of cells.  What a cell was in the file is kept (a number, a date, text), because "4.21E+17" typed by
 * Excel over an identity number must be told from a text.  All text is UTF-8, as written (not narrowed or trimmed beyond what the
 * format demands).  Sizes are bounded: rows, columns, bytes per cell, unpacked bytes (against zip bombs). */
#ifndef SHEET_H
#define SHEET_H

#include "base/arena.h"
#include "base/day.h"
#include "base/err.h"

enum sheet_format { SHEET_AUTO, SHEET_CSV, SHEET_TSV, SHEET_XLSX, SHEET_XLS };
enum cell_type { CELL_EMPTY, CELL_TEXT, CELL_NUMBER, CELL_DATE, CELL_BOOL, CELL_ERROR };
struct cell {
    enum cell_type type;
    struct str text;   /* what a person reads: numbers shortest ("37.3"), large whole numbers without exponent when exact (< 2^53),
                          dates "2020-02-09" or "2020-02-09 23:00:00", bool "true"/"false", errors "#N/A" */
    double number;     /* CELL_NUMBER; CELL_DATE: the serial */
    bool scientific;   /* a number of 16 or more digits that a double cannot hold exactly, or text like 4.21E+17 */
};
struct sheet_row {
    int64_t number; /* as the program shows it: first is 1 */
    struct cell *cells;
    size_t count;
};
struct sheet_options {
    enum sheet_format format; /* SHEET_AUTO: by content, then by name */
    const char *charset;      /* NULL: BOM, then UTF-8 if valid, then GB18030 or Big5 by frequency */
    const char *sheet;        /* name of the worksheet; NULL: the first that has rows */
    char separator;           /* CSV; 0: comma, semicolon or tab by the first lines */
};

struct sheet;
/* Reads from a file.  Dates: number formats that are dates (built-in ids and custom formats with y m d h s) under the workbook's
 * 1900 or 1904 system, the false 1900-02-29 taken into account.  Merged cells: every cell of the range gets the value.
 * Shared, inline and rich strings; strict and transitional OOXML; no entities, no network.
 * Errors: NOT_FOUND/IO with M_FILE, NOT_FOUND with M_FILE_SHEET, MEDIA_TYPE with M_FILE_FORMAT, INVALID with M_FILE_DAMAGED,
 * M_FILE_PASSWORD, M_FILE_QUOTE or M_CHARSET, TOO_LARGE with M_FILE_ROWS, M_FILE_CELL or M_FILE_UNPACKED. */
int sheet_open(const char *path, const struct sheet_options *o, struct sheet **ret, struct err *e);
/* The same from memory (uploads, fuzzing); name is for messages and SHEET_AUTO.  bytes must outlive the sheet. */
int sheet_open_bytes(struct str bytes, const char *name, const struct sheet_options *o, struct sheet **ret, struct err *e);
/* 1: a row (its cells live until the next call), 0: end, -1: error.  Empty rows are skipped, numbers count them. */
int sheet_next(struct sheet *s, struct sheet_row *ret, struct err *e);
enum sheet_format sheet_format(const struct sheet *s);
const char *sheet_charset(const struct sheet *s); /* as detected so far; "UTF-8" for XLSX and XLS */
double sheet_progress(const struct sheet *s);     /* 0 to 1, of bytes read */
void sheet_close(struct sheet *s);                /* accepts NULL */
void sheet_closep(struct sheet **s);

/* ---- out ---- */
struct sheet_out;
struct sheet_out_options {
    enum sheet_format format; /* CSV (UTF-8 with BOM, CRLF, as Excel wants it), TSV or XLSX */
    const char *title;        /* worksheet name */
};
int sheet_out_open(const char *path, const struct sheet_out_options *o, struct sheet_out **ret, struct err *e);
void sheet_out_heading(struct sheet_out *o, struct str s); /* bold in XLSX; text column unless told */
void sheet_out_text(struct sheet_out *o, struct str s);    /* always text: identity numbers keep their digits.  CSV cells
                                                              that a spreadsheet would run as formula (= + - @ TAB CR LF) get a ' ,
                                                              which the reader takes off again */
void sheet_out_number(struct sheet_out *o, double v);
void sheet_out_int(struct sheet_out *o, int64_t v);
void sheet_out_day(struct sheet_out *o, day_t d); /* a real date in XLSX, ISO in CSV */
void sheet_out_empty(struct sheet_out *o);
void sheet_out_row_end(struct sheet_out *o);
int sheet_out_close(struct sheet_out *o, struct err *e); /* finishes and frees; IO, STORAGE_FULL, TOO_LARGE (rows) */
void sheet_out_dropp(struct sheet_out **o);              /* CLEANUP: an unfinished file goes away; what was there stays */

/* ---- character sets ---- */
/* "UTF-8", "UTF-16LE", "UTF-16BE", "GB18030" or "BIG5" for the text at hand (its first 64 KiB count). */
const char *charset_guess(struct str bytes);
/* Converted whole; malformed bytes: INVALID, field NULL, M_CHARSET naming the byte (first is 1); unknown charset: INVALID, field "charset". */
int charset_to_utf8(struct arena *a, const char *charset, struct str bytes, struct str *ret, struct err *e);

#endif
