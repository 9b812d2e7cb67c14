/* XLS: BIFF8 (Excel 97 to 2003, what WPS writes as .xls) and BIFF5 ([MS-XLS]).
 *
 * A workbook stream is records of type, length, bytes.  Own reader rather than freexl, which knows no merged ranges, no hidden
 * sheets and none of the Chinese date formats (31, 57, 58, m"月"d"日").  The stream is held in memory, an index of cell
 * records is sorted by row where a file needs it, and rows are made one at a time. */
#include "xls.h"

#include <errno.h>
#include <unistd.h>

#include "base/utf8.h"

enum {
    BOF = 0x809, END = 0x0a, FILEPASS = 0x2f, CODEPAGE = 0x42, BOUNDSHEET = 0x85, DATEMODE = 0x22, FORMAT = 0x41e, FORMAT5 = 0x1e,
    XF = 0xe0, SST = 0xfc, MERGED = 0xe5, LABELSST = 0xfd, LABEL = 0x204, RSTRING = 0xd6, NUMBER = 0x203, RK = 0x27e, MULRK = 0xbd,
    FORMULA = 0x06, STRING = 0x207, BOOLERR = 0x205,
};
enum { SHEETS_MAX = 1024, STYLES_MAX = 65536 };

/* ---- globals ---- */
static void codepage(struct xls *x, uint16_t page) {
    x->charset = page == 950 ? "BIG5" : page == 65001 ? "UTF-8" : "GB18030";
}

static void bound_sheet(struct xls *x, struct str d) {
    if (d.n < 8 || x->sheet_count == SHEETS_MAX) return;
    if (!x->sheets) x->sheets = arena_new(&x->arena, struct xls_sheet, SHEETS_MAX);
    struct buf name CLEANUP(buf_release) = BUF(1024);
    struct biff_text t = {.stream = STR_NONE, .left = str_sub(d, 6, d.n), .x = x};
    biff_string(&t, 1, &name);
    if (d.p[5] != 0) return; /* charts, macros */
    x->sheets[x->sheet_count++] = (struct xls_sheet){arena_strz(&x->arena, buf_str(&name)), biff_u32(d.p), d.p[4] & 3};
}

static void format(struct xls *x, struct str d) {
    if (d.n < 4) return;
    struct buf code CLEANUP(buf_release) = BUF(4096);
    struct biff_text t = {.stream = STR_NONE, .left = str_sub(d, 2, d.n), .x = x};
    biff_string(&t, x->biff5 ? 1 : 2, &code);
    uint16_t id = biff_u16(d.p);
    x->custom[id] = format_code_is_date(buf_str(&code)) ? FORMAT_DATE : FORMAT_OTHER;
}

static void style(struct xls *x, struct str d) {
    if (d.n < 4 || x->style_count == STYLES_MAX) return;
    x->style_format[x->style_count++] = biff_u16(d.p + 2);
}

static bool is_date(const struct xls *x, uint16_t xf) {
    if (xf >= x->style_count) return false;
    uint16_t id = x->style_format[xf];
    return x->custom[id] ? x->custom[id] == FORMAT_DATE : format_is_date(id);
}

static int read_globals(struct xls *x, struct err *e) {
    struct biff_record r;
    size_t at = 0;
    if (!biff_next(buf_str(&x->stream), &at, &r) || r.type != BOF || r.data.n < 4) return sheet_no_format(x->s, e);
    uint16_t version = biff_u16(r.data.p);
    if (version != 0x600 && version != 0x500) return sheet_no_format(x->s, e);
    x->biff5 = version == 0x500;
    while (biff_next(buf_str(&x->stream), &at, &r) && r.type != END) {
        switch (r.type) {
        case FILEPASS: return sheet_password(x->s, e);
        case CODEPAGE: codepage(x, r.data.n >= 2 ? biff_u16(r.data.p) : 0); break;
        case DATEMODE: x->from_1904 = r.data.n >= 2 && biff_u16(r.data.p) == 1; break;
        case BOUNDSHEET: bound_sheet(x, r.data); break;
        case FORMAT:
        case FORMAT5: format(x, r.data); break;
        case XF: style(x, r.data); break;
        case SST:
            if (!biff_shared(x, r, at)) return sheet_damaged(x->s, "SST", e);
            break;
        default: break;
        }
    }
    return x->sheet_count ? 0 : sheet_no_format(x->s, e);
}

/* ---- the index of a sheet ---- */
static bool is_cell(uint16_t type) {
    static const uint16_t cells[] = {LABELSST, LABEL, RSTRING, NUMBER, RK, MULRK, FORMULA, BOOLERR};
    for (size_t i = 0; i < COUNT(cells); i++)
        if (cells[i] == type) return true;
    return false;
}

static void index_cell(struct xls *x, uint16_t row, size_t at) {
    if (x->cell_count == x->cell_cap) {
        x->cell_cap = x->cell_cap ? x->cell_cap * 2 : 1024;
        x->cells = realloc(x->cells, x->cell_cap * sizeof x->cells[0]);
        INVARIANT(x->cells);
    }
    x->cells[x->cell_count++] = (struct xls_cell){row, (uint32_t)at};
}

static bool add_merges(struct xls *x, struct str d) {
    size_t n = d.n >= 2 ? biff_u16(d.p) : 0;
    for (size_t i = 0; i < n && 2 + i * 8 + 8 <= d.n; i++) {
        const char *p = d.p + 2 + i * 8;
        struct merge m = {biff_u16(p) + 1, biff_u16(p + 2) + 1, (int16_t)MIN(biff_u16(p + 4), INT16_MAX), (int16_t)MIN(biff_u16(p + 6), INT16_MAX)};
        if (m.row > m.row_end || m.column > m.column_end) continue;
        if (!merges_add(&x->s->merges, m)) return false;
    }
    return true;
}

static int by_place(const void *a, const void *b) {
    const struct xls_cell *p = a, *q = b;
    return p->row != q->row ? (p->row < q->row ? -1 : 1) : p->at < q->at ? -1 : p->at > q->at;
}

static int begin_sheet(struct xls *x, const struct xls_sheet *w, struct err *e) {
    struct biff_record r;
    size_t at = w->offset, before = at;
    int depth = 0; /* charts stand inside */
    merges_clear(&x->s->merges);
    x->cell_count = x->cell_at = 0;
    if (!biff_next(buf_str(&x->stream), &at, &r) || r.type != BOF) return sheet_damaged(x->s, w->name, e);
    for (before = at; biff_next(buf_str(&x->stream), &at, &r); before = at) {
        if (r.type == END && depth-- == 0) break;
        if (r.type == BOF) depth++;
        if (depth) continue;
        if (is_cell(r.type) && r.data.n >= 6) index_cell(x, biff_u16(r.data.p), before);
        if (r.type == MERGED && !add_merges(x, r.data)) return sheet_damaged(x->s, w->name, e);
    }
    if (x->cell_count) qsort(x->cells, x->cell_count, sizeof x->cells[0], by_place);
    merges_ready(&x->s->merges);
    return 0;
}

/* ---- cells ---- */
static void put_text(struct xls *x, uint16_t column, struct biff_text *t) {
    struct row *r = &x->s->row;
    size_t from = r->text.n;
    biff_string(t, 2, &r->text);
    if (r->text.n > from && r->text.n - from <= SHEET_CELL_BYTES) row_set(r, column, (struct cell){.type = CELL_TEXT}, from);
}

static void put_word(struct xls *x, uint16_t column, enum cell_type type, const char *text) {
    size_t from = x->s->row.text.n;
    buf_addz(&x->s->row.text, text);
    row_set(&x->s->row, column, (struct cell){.type = type}, from);
}

static void put_bool_or_error(struct xls *x, uint16_t column, uint8_t value, bool is_error) {
    static const struct {
        uint8_t code;
        const char *text;
    } errors[] = {{0x00, "#NULL!"}, {0x07, "#DIV/0!"}, {0x0f, "#VALUE!"}, {0x17, "#REF!"}, {0x1d, "#NAME?"}, {0x24, "#NUM!"}, {0x2a, "#N/A"}};
    if (!is_error) {
        put_word(x, column, CELL_BOOL, value ? "true" : "false");
        return;
    }
    const char *text = "#N/A";
    for (size_t i = 0; i < COUNT(errors); i++)
        if (errors[i].code == value) text = errors[i].text;
    put_word(x, column, CELL_ERROR, text);
}

static void put_number(struct xls *x, uint16_t column, uint16_t xf, double v) {
    row_set_number(&x->s->row, column, v, is_date(x, xf), x->from_1904);
}

static void put_formula(struct xls *x, uint16_t column, struct str d, size_t next) {
    if (d.n < 14) return;
    const char *p = d.p + 6;
    if (biff_u16(p + 6) != 0xffff) {
        put_number(x, column, biff_u16(d.p + 4), biff_double(p));
    } else if (p[0] == 1 || p[0] == 2) {
        put_bool_or_error(x, column, (uint8_t)p[2], p[0] == 2);
    } else if (p[0] == 0) {
        /* The text follows, behind what describes shared and array formulas. */
        struct biff_record r;
        for (int i = 0; i < 4 && biff_next(buf_str(&x->stream), &next, &r) && !is_cell(r.type); i++) {
            if (r.type != STRING) continue;
            struct biff_text t = {.stream = buf_str(&x->stream), .next = next, .left = r.data, .x = x};
            put_text(x, column, &t);
            return;
        }
    }
}

static void put_many(struct xls *x, uint16_t column, struct str d) {
    for (size_t at = 4; at + 6 <= d.n - 2 && column < SHEET_COLUMNS; at += 6, column++)
        put_number(x, column, biff_u16(d.p + at), biff_rk(biff_u32(d.p + at + 2)));
}

static int put_shared(struct xls *x, uint16_t column, uint32_t i, struct err *e) {
    if (i >= x->shared_count) return sheet_damaged(x->s, "SST", e);
    struct str text = str_sub(buf_str(&x->shared), x->shared_at[i], x->shared_at[i + 1]);
    if (text.n) row_lend(&x->s->row, column, (struct cell){.type = CELL_TEXT, .text = text});
    return 0;
}

static int put_cell(struct xls *x, size_t at, struct err *e) {
    struct biff_record r;
    biff_next(buf_str(&x->stream), &at, &r);
    struct str d = r.data;
    uint16_t column = biff_u16(d.p + 2), xf = biff_u16(d.p + 4);
    if (column >= SHEET_COLUMNS) return 0;
    switch (r.type) {
    case LABELSST: return d.n >= 10 ? put_shared(x, column, biff_u32(d.p + 6), e) : 0;
    case LABEL:
    case RSTRING: {
        struct biff_text t = {.stream = buf_str(&x->stream), .next = at, .left = str_sub(d, 6, d.n), .x = x};
        put_text(x, column, &t);
        break;
    }
    case NUMBER:
        if (d.n >= 14) put_number(x, column, xf, biff_double(d.p + 6));
        break;
    case RK:
        if (d.n >= 10) put_number(x, column, xf, biff_rk(biff_u32(d.p + 6)));
        break;
    case MULRK: put_many(x, column, d); break;
    case FORMULA: put_formula(x, column, d, at); break;
    default:
        if (d.n >= 8) put_bool_or_error(x, column, (uint8_t)d.p[6], d.p[7] != 0);
    }
    return 0;
}

static int xls_next(struct sheet *s, struct err *e) {
    struct xls *x = s->impl;
    if (x->cell_at >= x->cell_count) return 0;
    uint16_t row = x->cells[x->cell_at].row;
    row_begin(&s->row, row + 1);
    for (; x->cell_at < x->cell_count && x->cells[x->cell_at].row == row; x->cell_at++) TRY(put_cell(x, x->cells[x->cell_at].at, e));
    return 1;
}

static double xls_progress(const struct sheet *s) {
    const struct xls *x = s->impl;
    return x->cell_count ? (double)x->cell_at / (double)x->cell_count : 1;
}

static void xls_close(struct sheet *s) {
    struct xls *x = s->impl;
    buf_release(&x->stream);
    buf_release(&x->shared);
    free(x->shared_at);
    free(x->cells);
    arena_release(&x->arena);
    free(x);
}

static struct sheet_tab xls_tab(const struct sheet *s, size_t i) {
    const struct xls *x = s->impl;
    return i < x->sheet_count ? (struct sheet_tab){x->sheets[i].name, x->sheets[i].hidden} : (struct sheet_tab){NULL, false};
}

static int xls_begin(struct sheet *s, size_t i, struct err *e) {
    struct xls *x = s->impl;
    return begin_sheet(x, &x->sheets[i], e);
}

static const struct sheet_ops xls_ops = {xls_next, xls_progress, xls_close, xls_tab, xls_begin};

/* ---- open ---- */
static int read_all(struct sheet *s, int fd, struct buf *to, struct err *e) {
    for (;;) {
        char *room = buf_room(to, 65536);
        if (!room) return sheet_unpacked_too_large(s, to->max, e);
        ssize_t n = read(fd, room, 65536);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_set(e, ERR_IO, NULL, M_FILE, s->name, strerror(errno));
        if (n == 0) return 0;
        buf_grew(to, (size_t)n);
    }
}

static int read_stream(struct sheet *s, struct xls *x, struct str file, struct err *e) {
    x->stream.max = file.n;
    if (cfb_has(file, "EncryptedPackage")) return sheet_password(s, e);
    bool is_book = cfb_has(file, "Workbook");
    if (!is_book && !cfb_has(file, "Book")) return sheet_no_format(s, e);
    if (!cfb_read(file, is_book ? "Workbook" : "Book", &x->stream)) return sheet_damaged(s, "Workbook", e);
    return 0;
}

int xls_open(struct sheet *s, const struct sheet_options *o, struct sheet_source *from, struct err *e) {
    struct xls *x = calloc(1, sizeof *x);
    INVARIANT(x);
    x->s = s;
    x->charset = "GB18030";
    s->impl = x;
    s->ops = &xls_ops;
    struct buf file CLEANUP(buf_release) = BUF(SHEET_XLS_BYTES);
    struct str bytes = from->bytes;
    if (!bytes.p) {
        int r = read_all(s, from->fd, &file, e);
        close(from->fd);
        if (r) return r;
        bytes = buf_str(&file);
    }
    if (bytes.n > SHEET_XLS_BYTES) return sheet_unpacked_too_large(s, SHEET_XLS_BYTES, e);
    TRY(read_stream(s, x, bytes, e));
    TRY(read_globals(x, e));
    return sheet_choose(s, o->sheet, e);
}
