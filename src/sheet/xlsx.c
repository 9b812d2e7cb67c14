/* XLSX: the worksheet as a stream of rows.
 *
 * The parser pauses at the end of each row, so one row is in memory whatever the size of the sheet.  Elements are known by their
 * local names: strict and transitional files, and any prefix, read alike. */
#include "xlsx.h"

#include <float.h>
#include <unistd.h>

/* ---- cells ---- */
/* The column of "AB12", first is 0; -1. */
static int reference_column(const char *ref) {
    int c = 0;
    const char *p = ref;
    for (; *p >= 'A' && *p <= 'Z' && c < 100000; p++) c = c * 26 + (*p - 'A' + 1);
    return p > ref && *p >= '1' && *p <= '9' ? c - 1 : -1;
}

static void cell_start(struct xlsx_part *p, const char **attributes) {
    struct xlsx *x = p->x;
    x->in_cell = true;
    x->in_value = false;
    x->text = (struct xlsx_text){0};
    x->column++;
    x->type = 'n';
    x->style = 0;
    x->cell_from = x->s->row.text.n;
    for (; attributes[0]; attributes += 2) {
        const char *value = attributes[1];
        int64_t style;
        if (!strcmp(attributes[0], "r")) {
            int column = reference_column(value);
            if (column >= 0) x->column = column;
        } else if (!strcmp(attributes[0], "t")) {
            x->type = !strcmp(value, "str") ? 't' : value[0];
        } else if (!strcmp(attributes[0], "s") && str_to_int(str_z(value), 0, INT32_MAX, &style)) {
            x->style = (size_t)style;
        }
    }
}

static bool is_date_style(const struct xlsx *x) {
    return x->style < x->style_count && x->style_date[x->style];
}

static void number_cell(struct xlsx *x, size_t column, struct str v) {
    struct row *r = &x->s->row;
    struct cell c = {.type = CELL_NUMBER};
    bool shortest = number_plain(v, &c.number) && (v.p[v.n - 1] != '0' || str_find_char(v, '.') < 0) && !str_starts(v, STR("-0"));
    if (shortest && !is_date_style(x)) {
        row_set(r, column, c, x->cell_from);
        return;
    }
    if (!str_to_real(str_trim(v), -DBL_MAX, DBL_MAX, &c.number)) {
        c.type = CELL_TEXT;
        row_set(r, column, c, x->cell_from);
        return;
    }
    row_cut(r, x->cell_from);
    row_set_number(r, column, c.number, is_date_style(x), x->from_1904);
}

static void shared_cell(struct xlsx_part *p, size_t column, struct str v) {
    struct xlsx *x = p->x;
    int64_t i;
    if (!str_to_int(str_trim(v), 0, (int64_t)x->shared_count - 1, &i)) {
        xlsx_damaged(p);
        return;
    }
    row_cut(&x->s->row, x->cell_from);
    struct str text = str_sub(buf_str(&x->shared), x->shared_at[i], x->shared_at[i + 1]);
    if (text.n) row_lend(&x->s->row, column, (struct cell){.type = CELL_TEXT, .text = text});
}

static void bool_cell(struct xlsx *x, size_t column, bool v) {
    struct row *r = &x->s->row;
    row_cut(r, x->cell_from);
    buf_addz(&r->text, v ? "true" : "false");
    row_set(r, column, (struct cell){.type = CELL_BOOL}, x->cell_from);
}

/* t="d": "2020-02-09T23:00:00", in the file as text. */
static void iso_cell(struct xlsx *x, size_t column, struct str v) {
    struct cell c = {.type = CELL_TEXT};
    day_t day;
    if (v.n >= 10 && day_from_iso(str_sub(v, 0, 10), &day)) {
        char *p = x->s->row.text.p + x->cell_from;
        int64_t h = 0, m = 0, sec = 0;
        bool has_time = v.n >= 19 && p[10] == 'T' && str_to_int(str_sub(v, 11, 13), 0, 23, &h) &&
                        str_to_int(str_sub(v, 14, 16), 0, 59, &m) && str_to_int(str_sub(v, 17, 19), 0, 59, &sec);
        c.type = CELL_DATE;
        c.number = day - day_make(1899, 12, 30) + (double)(h * 3600 + m * 60 + sec) / 86400;
        if (has_time) p[10] = ' ';
        row_cut(&x->s->row, x->cell_from + (has_time && h + m + sec ? 19 : 10));
    }
    row_set(&x->s->row, column, c, x->cell_from);
}

static void cell_end(struct xlsx_part *p) {
    struct xlsx *x = p->x;
    struct row *r = &x->s->row;
    x->in_cell = false;
    if (r->text.failed || x->column >= SHEET_COLUMNS) return;
    size_t column = (size_t)x->column;
    if (x->type == 't' || x->type == 'i') xlsx_unescape(&r->text, x->cell_from);
    struct str v = str_sub(buf_str(&r->text), x->cell_from, r->text.n);
    if (v.n == 0) return;
    switch (x->type) {
    case 's': shared_cell(p, column, v); break;
    case 'b': bool_cell(x, column, v.p[0] == '1' || v.p[0] == 't'); break;
    case 'e': row_set(r, column, (struct cell){.type = CELL_ERROR}, x->cell_from); break;
    case 'd': iso_cell(x, column, v); break;
    case 'n': number_cell(x, column, v); break;
    default: row_set(r, column, (struct cell){.type = CELL_TEXT}, x->cell_from);
    }
}

/* ---- rows ---- */
static void row_start(struct xlsx_part *p, const char **attributes) {
    struct xlsx *x = p->x;
    const char *r = xml_attribute(attributes, "r");
    int64_t number = x->row + 1;
    if (r && !str_to_int(str_z(r), x->row + 1, SHEET_ROWS, &number)) {
        xlsx_damaged(p);
        return;
    }
    if (number > SHEET_ROWS) {
        sheet_too_many_rows(x->s, &p->err);
        xlsx_fail(p);
        return;
    }
    x->row = number;
    x->column = -1;
    x->in_row = true;
    x->in_cell = false;
    row_begin(&x->s->row, number);
}

static void sheet_start(struct xlsx_part *p, const char *name, const char **attributes) {
    struct xlsx *x = p->x;
    if (!x->in_data) {
        x->in_data = !strcmp(name, "sheetData");
    } else if (x->in_cell) {
        if (!strcmp(name, "v")) x->in_value = x->type != 'i';
        else if (x->type == 'i') xlsx_text_start(&x->text, &x->s->row.text, name, attributes);
    } else if (x->in_row && !strcmp(name, "c")) {
        cell_start(p, attributes);
    } else if (!x->in_row && !strcmp(name, "row")) {
        row_start(p, attributes);
    }
}

static void sheet_end(struct xlsx_part *p, const char *name) {
    struct xlsx *x = p->x;
    if (x->in_cell && !strcmp(name, "c")) {
        cell_end(p);
    } else if (x->in_cell) {
        if (!strcmp(name, "v")) x->in_value = false;
        xlsx_text_end(&x->text, &x->s->row.text, name);
    } else if (x->in_row && !strcmp(name, "row")) {
        x->in_row = false;
        xlsx_pause(p);
    } else if (x->in_data && !strcmp(name, "sheetData")) {
        xlsx_stop(p);
    }
}

static void sheet_text(struct xlsx_part *p, struct str text) {
    struct xlsx *x = p->x;
    if (!x->in_cell || !(x->in_value || x->text.on) || x->column >= SHEET_COLUMNS) return;
    struct buf *b = &x->s->row.text;
    buf_add_str(b, text);
    if (b->failed || b->n - x->cell_from > SHEET_CELL_BYTES) {
        sheet_cell_too_large(x->s, x->row, &p->err);
        xlsx_fail(p);
    }
}

static int xlsx_next(struct sheet *s, struct err *e) {
    struct xlsx *x = s->impl;
    if (!x->part.xml) return 0;
    enum xlsx_result r = xlsx_part_run(&x->part, e);
    return r == XLSX_PAUSED ? 1 : r == XLSX_END ? 0 : -1;
}

static double xlsx_progress(const struct sheet *s) {
    const struct xlsx *x = s->impl;
    if (!x->part.size) return 0;
    return MIN((double)x->part.read / (double)x->part.size, 1.0);
}

static void xlsx_close(struct sheet *s) {
    struct xlsx *x = s->impl;
    xlsx_part_close(&x->part);
    if (x->zip) zip_discard(x->zip);
    free(x->style_date);
    free(x->shared_at);
    buf_release(&x->shared);
    arena_release(&x->arena);
    free(x);
}

/* ---- open ---- */
static int begin_sheet(struct xlsx *x, const struct xlsx_sheet *w, struct err *e) {
    static const struct xlsx_handlers h = {sheet_start, sheet_end, sheet_text};
    xlsx_part_close(&x->part);
    TRY(xlsx_read_merges(x, w->part, e));
    x->in_data = x->in_row = x->in_cell = x->in_value = false;
    x->row = 0;
    int r = xlsx_part_open(&x->part, x, w->part, XLSX_PART_MAX, &h, e);
    if (r == 0) return sheet_damaged(x->s, w->part, e);
    return r < 0 ? -1 : 0;
}

static struct sheet_tab xlsx_tab(const struct sheet *s, size_t i) {
    const struct xlsx *x = s->impl;
    return i < x->sheet_count ? (struct sheet_tab){x->sheets[i].name, x->sheets[i].hidden} : (struct sheet_tab){NULL, false};
}

static int xlsx_begin(struct sheet *s, size_t i, struct err *e) {
    struct xlsx *x = s->impl;
    return begin_sheet(x, &x->sheets[i], e);
}

static const struct sheet_ops xlsx_ops = {xlsx_next, xlsx_progress, xlsx_close, xlsx_tab, xlsx_begin};

static int open_zip(struct xlsx *x, struct sheet_source *from, struct err *e) {
    if (from->bytes.p) {
        zip_source_t *source = zip_source_buffer_create(from->bytes.p, from->bytes.n, 0, NULL);
        x->zip = source ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;
        if (!x->zip && source) zip_source_free(source);
    } else {
        x->zip = zip_fdopen(from->fd, 0, NULL);
        if (!x->zip) close(from->fd);
    }
    return x->zip ? 0 : sheet_damaged(x->s, "ZIP", e);
}

int xlsx_open(struct sheet *s, const struct sheet_options *o, struct sheet_source *from, struct err *e) {
    struct xlsx *x = calloc(1, sizeof *x);
    INVARIANT(x);
    x->s = s;
    s->impl = x;
    s->ops = &xlsx_ops;
    TRY(open_zip(x, from, e));
    TRY(xlsx_read_book(x, e));
    TRY(xlsx_read_styles(x, e));
    TRY(xlsx_read_shared(x, e));
    return sheet_choose(s, o->sheet, e);
}
