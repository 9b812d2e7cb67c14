/* CSV and TSV: RFC 4180 and what people make of it.
 *
 * Bytes come in blocks of 64 KiB, are decoded to UTF-8, and a small state machine cuts them into cells.  Rules for the sloppy
 * forms: a quote counts only as first character of a cell; behind the closing quote the rest is taken as it stands; CR, LF and
 * CRLF end a row alike.  While a file has shown nothing but ASCII its charset stays open. */
#include "sheet_internal.h"

#include <errno.h>
#include <unistd.h>

enum { BLOCK = 65536, GUESS_ROWS = 64 };
enum state { CELL_START, PLAIN, QUOTED, QUOTE_SEEN };

struct csv {
    struct sheet_source from;
    uint64_t read;    /* bytes taken from the source */
    bool end;         /* the source has no more */
    bool undecided;   /* charset guessed, and only ASCII so far */
    struct decoder decoder;
    char *block;
    struct buf text; /* decoded, not yet cut */
    size_t at;
    char separator;
    enum state state;
    bool after_cr;
    int64_t rows;
    size_t column, cell_from;
    bool any; /* the row in hand has begun */
    bool stop[256]; /* bytes that end a run of plain text */
};

static int source_error(struct sheet *s, const struct csv *c, struct err *e) {
    return err_set(e, ERR_IO, NULL, M_FILE, c->from.path ? s->name : "", strerror(errno));
}

/* The next block as it is in the file; empty at the end. */
static int next_block(struct sheet *s, struct csv *c, struct str *ret, struct err *e) {
    size_t n = 0;
    if (c->from.bytes.p) {
        *ret = str_sub(c->from.bytes, c->read, c->read + BLOCK);
        n = ret->n;
    } else {
        while (n < BLOCK) {
            ssize_t got = read(c->from.fd, c->block + n, BLOCK - n);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return source_error(s, c, e);
            if (got == 0) break;
            n += (size_t)got;
        }
        *ret = (struct str){c->block, n};
    }
    c->read += n;
    c->end = n < BLOCK;
    return 0;
}

static int redecide(struct sheet *s, struct csv *c, struct str block, struct err *e) {
    if (!c->undecided || str_is_ascii(block)) return 0;
    c->undecided = false;
    uint64_t offset = c->decoder.offset;
    decoder_close(&c->decoder);
    TRY(decoder_open(&c->decoder, charset_guess(block), e));
    c->decoder.offset = offset;
    s->charset = c->decoder.charset;
    return 0;
}

static int fill(struct sheet *s, struct csv *c, struct err *e) {
    struct str block;
    TRY(next_block(s, c, &block, e));
    TRY(redecide(s, c, block, e));
    buf_clear(&c->text);
    c->at = 0;
    return decoder_feed(&c->decoder, block, c->end, &c->text, e);
}

/* ---- cells ---- */
/* sheet_out puts ' before what a spreadsheet would run as a formula; the same rule takes it off again. */
bool csv_is_guarded(struct str t) {
    size_t i = 0;
    while (i < t.n && t.p[i] == '\'') i++;
    if (i == 0 || i == t.n) return false;
    if (strchr("=+-@\t\r\n", t.p[i])) return t.p[i] != 0;
    static const char wide[4][4] = {"＝", "＋", "－", "＠"};
    for (size_t k = 0; k < COUNT(wide); k++)
        if (str_starts(str_sub(t, i, t.n), str_z(wide[k]))) return true;
    return false;
}

static int end_cell(struct sheet *s, struct csv *c, struct err *e) {
    struct row *r = &s->row;
    size_t column = c->column++, from = c->cell_from;
    c->state = CELL_START;
    if (column >= SHEET_COLUMNS) return 0;
    struct str t = str_sub(buf_str(&r->text), from, r->text.n);
    if (t.n > SHEET_CELL_BYTES) return sheet_cell_too_large(s, c->rows + 1, e);
    struct cell cell = {.type = t.n ? CELL_TEXT : CELL_EMPTY};
    if (csv_is_guarded(t)) {
        from++;
    } else if (number_plain(t, &cell.number)) {
        cell.type = CELL_NUMBER;
    } else if (number_scientific(t, &cell.number)) {
        cell.type = CELL_NUMBER;
        cell.scientific = true;
    }
    row_set(r, column, cell, from);
    c->cell_from = r->text.n;
    return 0;
}

static int add_text(struct sheet *s, struct csv *c, const char *p, size_t n, struct err *e) {
    if (c->column >= SHEET_COLUMNS) return 0;
    struct row *r = &s->row;
    if (r->text.n - c->cell_from + n > SHEET_CELL_BYTES) return sheet_cell_too_large(s, c->rows + 1, e);
    buf_add(&r->text, p, n);
    return 0;
}

/* Takes one byte, or a run of plain ones, at c->at.  1: it ended a row. */
static int step(struct sheet *s, struct csv *c, struct err *e) {
    const char *p = c->text.p + c->at;
    char ch = *p;
    c->any = true;
    if (c->state == QUOTED) {
        const char *quote = memchr(p, '"', c->text.n - c->at);
        size_t n = quote ? (size_t)(quote - p) : c->text.n - c->at;
        c->at += n + !!quote;
        if (quote) c->state = QUOTE_SEEN;
        return add_text(s, c, p, n, e);
    }
    if (c->state == QUOTE_SEEN && ch == '"') {
        c->at++;
        c->state = QUOTED;
        return add_text(s, c, "\"", 1, e);
    }
    if (c->state == CELL_START && ch == '"') {
        c->at++;
        c->state = QUOTED;
        return 0;
    }
    if (ch == c->separator) {
        c->at++;
        return end_cell(s, c, e);
    }
    if (ch == '\r' || ch == '\n') {
        c->at++;
        c->after_cr = ch == '\r';
        TRY(end_cell(s, c, e));
        return 1;
    }
    size_t n = 1;
    while (c->at + n < c->text.n && !c->stop[(uint8_t)p[n]]) n++;
    c->at += n;
    c->state = PLAIN;
    return add_text(s, c, p, n, e);
}

static int end_row(struct sheet *s, struct csv *c, struct err *e) {
    if (c->rows == SHEET_ROWS) return sheet_too_many_rows(s, e);
    c->rows++;
    return 1;
}

static int csv_next(struct sheet *s, struct err *e) {
    struct csv *c = s->impl;
    row_begin(&s->row, c->rows + 1);
    c->column = c->cell_from = 0;
    c->any = false;
    for (;;) {
        if (c->at == c->text.n) {
            if (c->end) break;
            TRY(fill(s, c, e));
            continue;
        }
        if (c->after_cr) {
            c->after_cr = false;
            c->at += c->text.p[c->at] == '\n';
            continue;
        }
        int r = step(s, c, e);
        if (r < 0) return -1;
        if (r > 0) return end_row(s, c, e);
    }
    if (!c->any) return 0;
    if (c->state == QUOTED) {
        char row[24];
        snprintf(row, sizeof row, "%lld", (long long)c->rows + 1);
        return err_set(e, ERR_INVALID, NULL, M_FILE_QUOTE, s->name, row);
    }
    TRY(end_cell(s, c, e));
    return end_row(s, c, e);
}

/* ---- what separates ---- */
struct tally {
    size_t in_row, rows; /* rows that have it */
    size_t most, sum;    /* how many rows have the most frequent count */
    size_t counts[GUESS_ROWS];
};

static void tally_row(struct tally *t) {
    if (t->in_row && t->rows < GUESS_ROWS) t->counts[t->rows++] = t->in_row;
    t->sum += t->in_row;
    t->in_row = 0;
}

static void tally_rows(struct str text, const char separators[3], struct tally t[3]) {
    size_t rows = 0;
    bool quoted = false, begin = true;
    for (size_t i = 0; i < text.n && rows < GUESS_ROWS; i++) {
        char ch = text.p[i];
        if (quoted) {
            quoted = ch != '"';
            continue;
        }
        bool was_begin = begin;
        begin = false;
        if (ch == '"' && (was_begin || (i && text.p[i - 1] == '"'))) {
            quoted = true;
        } else if (ch == '\n' || ch == '\r') {
            rows++;
            begin = true;
            for (int k = 0; k < 3; k++) tally_row(&t[k]);
        }
        for (int k = 0; k < 3; k++)
            if (ch == separators[k]) {
                t[k].in_row++;
                begin = true;
            }
    }
    for (int k = 0; k < 3; k++) tally_row(&t[k]);
}

/* The separator that most rows have equally often; then the one there is more of. */
static char guess_separator(struct str text) {
    static const char separators[3] = {'\t', ',', ';'};
    struct tally t[3] = {0};
    tally_rows(text, separators, t);
    int best = -1;
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < t[k].rows; i++) {
            size_t same = 0;
            for (size_t j = 0; j < t[k].rows; j++) same += t[k].counts[j] == t[k].counts[i];
            t[k].most = MAX(t[k].most, same);
        }
        if (!t[k].most) continue;
        if (best < 0 || t[k].most > t[best].most || (t[k].most == t[best].most && t[k].sum > t[best].sum)) best = k;
    }
    return best < 0 ? ',' : separators[best];
}

/* "sep=;" in the first line is an instruction of Excel's and no row. */
static char declared_separator(struct csv *c) {
    struct str t = buf_str(&c->text);
    if (t.n < 6 || !str_ieq(str_sub(t, 0, 4), STR("sep="))) return 0;
    char separator = t.p[4];
    if (!memchr(",;\t|", separator, 4) || (t.p[5] != '\r' && t.p[5] != '\n')) return 0;
    c->after_cr = t.p[5] == '\r';
    c->at = 6;
    return separator;
}

static double csv_progress(const struct sheet *s) {
    const struct csv *c = s->impl;
    uint64_t undone = c->text.n - c->at;
    if (c->from.size == 0) return 1;
    return c->read <= undone ? 0 : MIN((double)(c->read - undone) / (double)c->from.size, 1.0);
}

static void csv_close(struct sheet *s) {
    struct csv *c = s->impl;
    if (!c->from.bytes.p && c->from.fd >= 0) close(c->from.fd);
    decoder_close(&c->decoder);
    buf_release(&c->text);
    free(c->block);
    free(c);
}

static const struct sheet_ops csv_ops = {csv_next, csv_progress, csv_close};

/* Text of another kind: HTML and XML under the name .xls, which many a system exports, PDF, pictures. */
static bool is_foreign(struct str block, const char *charset) {
    static const char *const heads[] = {"%PDF", "{\\rtf", "<!", "<?xml", "<html", "<head", "<meta", "<table"};
    struct str t = str_trim(str_sub(block, charset_bom(charset, block), block.n));
    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_ieq(str_sub(t, 0, strlen(heads[i])), str_z(heads[i]))) return true;
    return strncmp(charset, "UTF-16", 6) != 0 && block.n && memchr(block.p, 0, block.n);
}

static int begin(struct sheet *s, struct csv *c, const struct sheet_options *o, struct err *e) {
    struct str block;
    TRY(next_block(s, c, &block, e));
    const char *guess = charset_guess(block);
    if (o->format == SHEET_AUTO && is_foreign(block, o->charset ? o->charset : guess)) return sheet_no_format(s, e);
    TRY(decoder_open(&c->decoder, o->charset ? o->charset : guess, e));
    s->charset = c->decoder.charset;
    size_t bom = charset_bom(s->charset, block);
    c->undecided = !o->charset && !bom && str_is_ascii(block);
    c->decoder.offset = bom;
    TRY(decoder_feed(&c->decoder, str_sub(block, bom, block.n), c->end, &c->text, e));
    char declared = declared_separator(c);
    c->separator = o->separator ? o->separator : o->format == SHEET_TSV ? '\t' : declared ? declared : guess_separator(buf_str(&c->text));
    if (s->format == SHEET_AUTO) s->format = c->separator == '\t' ? SHEET_TSV : SHEET_CSV;
    c->stop[(uint8_t)c->separator] = c->stop['\r'] = c->stop['\n'] = true;
    return 0;
}

int csv_open(struct sheet *s, const struct sheet_options *o, struct sheet_source *from, struct err *e) {
    struct csv *c = calloc(1, sizeof *c);
    INVARIANT(c);
    c->from = *from;
    c->text.max = BLOCK * 4;
    s->impl = c;
    s->ops = &csv_ops;
    if (!from->bytes.p) {
        c->block = malloc(BLOCK);
        INVARIANT(c->block);
    }
    return begin(s, c, o, e);
}
