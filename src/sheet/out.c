/* Tables for people: CSV and TSV as Excel opens them with a double click (UTF-8 with mark, CRLF), XLSX by libxlsxwriter.
 *
 * The file grows under a temporary name and takes its own on success: a full disk leaves what was there before.  Errors stick
 * and are told once, at the close. */
#include "sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/utf8.h"
#include "sheet_internal.h"

enum { XLSX_TEXT_CHARS = 32767, WIDTH_MAX = 60 };

struct sheet_out {
    enum sheet_format format;
    char *path, *temporary; /* temporary NULL: written in place */
    int error;              /* errno */
    bool too_many;
    FILE *f;
    char separator;
    bool row_begun;
    int64_t row;
    int column;
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_format *bold, *day, *as_text, *number;
};

/* ---- CSV ---- */
static void csv_separator(struct sheet_out *o) {
    if (o->row_begun) fputc(o->separator, o->f);
    o->row_begun = true;
}

static void csv_cell(struct sheet_out *o, struct str s, bool guard) {
    csv_separator(o);
    bool quote = guard || str_ieq(str_sub(s, 0, 4), STR("sep="));
    /* Quotes around every sign that could be taken for a separator: the reader looks at those outside quotes. */
    for (size_t i = 0; i < s.n && !quote; i++) quote = s.p[i] && strchr("\",;\t\r\n", s.p[i]);
    if (!quote) {
        fwrite(s.p ? s.p : "", 1, s.n, o->f);
        return;
    }
    fputs(guard ? "\"'" : "\"", o->f);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') fputc('"', o->f);
        fputc(s.p[i], o->f);
    }
    fputc('"', o->f);
}

/* A text that a spreadsheet would run, or that itself looks guarded.  A lone dash stands for "none" and is harmless. */
static bool needs_guard(struct str s) {
    if (str_eq(s, STR("-")) || str_eq(s, STR("－"))) return false;
    struct buf guarded CLEANUP(buf_release) = BUF(s.n + 1);
    buf_addc(&guarded, '\'');
    buf_add_str(&guarded, s);
    return csv_is_guarded(buf_str(&guarded));
}

/* ---- XLSX ---- */
static bool next_cell(struct sheet_out *o) {
    if (o->row >= SHEET_ROWS) o->too_many = true;
    return !o->too_many;
}

static void note(struct sheet_out *o, lxw_error r) {
    if (r != LXW_NO_ERROR && !o->error) o->error = errno ? errno : EIO;
}

static bool needs_escape(struct str s) {
    if (str_find(s, STR("_x")) >= 0 || !utf8_valid(s)) return true;
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || (uint8_t)s.p[i] == 0xef) return true;
    return false;
}

static bool is_hex(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr("0123456789abcdefABCDEF", s.p[i])) return false;
    return true;
}

/* XML holds neither control characters nor U+FFFE; the format writes them as _xHHHH_, and so must guard texts like that. */
static void escape(struct str s, struct buf *b) {
    for (size_t at = 0; at < s.n;) {
        size_t before = at;
        int32_t c = utf8_next(s, &at);
        bool looks = c == '_' && before + 7 <= s.n && s.p[before + 1] == 'x' && s.p[before + 6] == '_' && is_hex(str_sub(s, before + 2, before + 6));
        if (looks) buf_addz(b, "_x005F_");
        else if (c < 0) utf8_add(b, 0xfffd);
        else if ((c < ' ' && c != '\t' && c != '\n') || c == 0xfffe || c == 0xffff) buf_addf(b, "_x%04X_", (unsigned)c);
        else utf8_add(b, c);
    }
}

static void xlsx_text(struct sheet_out *o, struct str s, lxw_format *format) {
    if (!next_cell(o)) return;
    int column = o->column++;
    if (s.n == 0) return;
    struct buf b CLEANUP(buf_release) = BUF(SIZE_MAX / 2);
    s = utf8_prefix(s, XLSX_TEXT_CHARS);
    if (needs_escape(s)) escape(s, &b);
    else buf_add_str(&b, s);
    b.n = utf8_prefix(buf_str(&b), XLSX_TEXT_CHARS).n;
    b.p[b.n] = 0;
    note(o, worksheet_write_string(o->sheet, (lxw_row_t)o->row, (lxw_col_t)column, b.p, format));
}

static void xlsx_number(struct sheet_out *o, double v, lxw_format *format) {
    if (!next_cell(o)) return;
    note(o, worksheet_write_number(o->sheet, (lxw_row_t)o->row, (lxw_col_t)o->column++, v, format));
}

/* At most 31 characters, and none that cell references use. */
static void worksheet_title(const char *title, char out[128]) {
    struct str s = utf8_prefix(str_z(title && title[0] ? title : "Sheet1"), 31);
    snprintf(out, 128, "%.*s", STR_FMT(s));
    for (char *c = out; *c; c++)
        if (strchr("[]:*?/\\'", *c)) *c = '-';
}

static bool xlsx_begin(struct sheet_out *o, const char *path, const char *title) {
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    char name[128];
    o->book = workbook_new_opt(path, &options);
    if (!o->book) return false;
    worksheet_title(title, name);
    if (workbook_validate_sheet_name(o->book, name) != LXW_NO_ERROR) snprintf(name, sizeof name, "Sheet1");
    o->sheet = workbook_add_worksheet(o->book, name);
    if (!o->sheet) return false;
    o->bold = workbook_add_format(o->book);
    o->day = workbook_add_format(o->book);
    o->as_text = workbook_add_format(o->book);
    o->number = workbook_add_format(o->book);
    format_set_bold(o->bold);
    format_set_num_format(o->day, "yyyy-mm-dd");
    format_set_num_format_index(o->as_text, 49); /* @: digits typed later stay as typed */
    return true;
}

/* ---- cells ---- */
void sheet_out_heading(struct sheet_out *o, struct str s) {
    if (o->format != SHEET_XLSX) {
        sheet_out_text(o, s);
        return;
    }
    double width = MIN(4 + 1.2 * (double)utf8_length(s) + 0.4 * (double)s.n, (double)WIDTH_MAX);
    lxw_col_t column = (lxw_col_t)o->column;
    worksheet_set_column(o->sheet, column, column, MAX(width, 10.0), o->as_text);
    xlsx_text(o, s, o->bold);
}

void sheet_out_text(struct sheet_out *o, struct str s) {
    if (o->format == SHEET_XLSX) xlsx_text(o, s, o->as_text);
    else csv_cell(o, s, needs_guard(s));
}

void sheet_out_number(struct sheet_out *o, double v) {
    char text[NUMBER_TEXT];
    bool scientific;
    if (!isfinite(v)) sheet_out_empty(o);
    else if (o->format == SHEET_XLSX) xlsx_number(o, v, o->number);
    else csv_cell(o, (struct str){text, number_text(v, text, &scientific)}, false);
}

void sheet_out_int(struct sheet_out *o, int64_t v) {
    struct buf b CLEANUP(buf_release) = BUF(24);
    buf_add_int(&b, v);
    if (o->format != SHEET_XLSX) csv_cell(o, buf_str(&b), false);
    else if (v > -INT64_C(1000000000000000) && v < INT64_C(1000000000000000)) xlsx_number(o, (double)v, o->number);
    else xlsx_text(o, buf_str(&b), o->as_text); /* spreadsheets keep 15 digits */
}

void sheet_out_day(struct sheet_out *o, day_t d) {
    char text[DAY_TEXT];
    day_t first = day_make(1900, 3, 1);
    if (d == DAY_NONE) sheet_out_empty(o);
    else if (o->format == SHEET_XLSX && d >= first) xlsx_number(o, d - day_make(1899, 12, 30), o->day);
    else if (o->format == SHEET_XLSX) xlsx_text(o, str_z(day_text(d, text)), o->as_text);
    else csv_cell(o, str_z(day_text(d, text)), false);
}

void sheet_out_empty(struct sheet_out *o) {
    if (o->format == SHEET_XLSX) o->column++;
    else csv_separator(o);
}

void sheet_out_row_end(struct sheet_out *o) {
    if (o->format != SHEET_XLSX) {
        fputs("\r\n", o->f);
        if (!o->error && ferror(o->f)) o->error = errno ? errno : EIO; /* while errno is fresh */
    }
    if (o->format == SHEET_XLSX && o->row == 0) worksheet_freeze_panes(o->sheet, 1, 0);
    o->row_begun = false;
    o->column = 0;
    o->row++;
}

/* ---- file ---- */
static int out_error(const struct sheet_out *o, int error, struct err *e) {
    if (error == ENOSPC || error == EDQUOT) return err_set(e, ERR_STORAGE_FULL, NULL, M_DISK_FULL);
    return err_set(e, ERR_IO, NULL, M_FILE, o->path, strerror(error));
}

static int begin(struct sheet_out *o, const struct sheet_out_options *options, struct err *e) {
    const char *path = o->temporary ? o->temporary : o->path;
    int fd = open(path, O_WRONLY | O_CLOEXEC | (o->temporary ? O_CREAT | O_EXCL : O_TRUNC), 0666);
    if (fd < 0) return out_error(o, errno, e);
    if (o->format == SHEET_XLSX) {
        close(fd); /* libxlsxwriter opens by name, at its end */
        errno = 0;
        return xlsx_begin(o, path, options->title) ? 0 : out_error(o, errno ? errno : EIO, e);
    }
    o->f = fdopen(fd, "wb");
    INVARIANT(o->f);
    o->separator = o->format == SHEET_TSV ? '\t' : ',';
    fputs("\xef\xbb\xbf", o->f);
    return 0;
}

void sheet_out_dropp(struct sheet_out **o) {
    if (!*o) return;
    if ((*o)->f) fclose((*o)->f);
    if ((*o)->book) lxw_workbook_free((*o)->book);
    if ((*o)->temporary) unlink((*o)->temporary);
    free((*o)->temporary);
    free((*o)->path);
    free(*o);
    *o = NULL;
}

int sheet_out_open(const char *path, const struct sheet_out_options *options, struct sheet_out **ret, struct err *e) {
    struct sheet_out *o CLEANUP(sheet_out_dropp) = calloc(1, sizeof *o);
    INVARIANT(o);
    o->format = options->format == SHEET_AUTO ? SHEET_CSV : options->format;
    INVARIANT(o->format != SHEET_XLS);
    /* Behind a link it is the file that is replaced, never the link. */
    o->path = realpath(path, NULL);
    if (!o->path) o->path = strdup(path);
    INVARIANT(o->path);
    struct stat st;
    /* A pipe or a terminal has no other name to be written under. */
    bool in_place = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    if (!in_place) INVARIANT(asprintf(&o->temporary, "%s.%d-%llx.part", o->path, (int)getpid(), (unsigned long long)monotonic_us()) > 0);
    TRY(begin(o, options, e));
    *ret = TAKE(o);
    return 0;
}

static int finish(struct sheet_out *o) {
    int error = o->error;
    errno = 0;
    if (o->f) {
        if (!error && ferror(o->f)) error = EIO;
        if (fflush(o->f) && !error) error = errno;
        if (!error && o->temporary && fsync(fileno(o->f)) && errno != EINVAL) error = errno;
        if (fclose(o->f) && !error) error = errno;
        o->f = NULL;
    }
    if (o->book) {
        lxw_error r = workbook_close(o->book); /* frees it */
        o->book = NULL;
        if (r != LXW_NO_ERROR && !error) error = errno ? errno : EIO;
    }
    if (!error && o->temporary && rename(o->temporary, o->path)) error = errno;
    return error;
}

int sheet_out_close(struct sheet_out *out, struct err *e) {
    struct sheet_out *o CLEANUP(sheet_out_dropp) = out;
    if (o->too_many) {
        char limit[24];
        snprintf(limit, sizeof limit, "%d", SHEET_ROWS);
        return err_set(e, ERR_TOO_LARGE, NULL, M_FILE_ROWS, o->path, limit);
    }
    int error = finish(o);
    if (error) return out_error(o, error, e);
    free(TAKE(o->temporary));
    return 0;
}
