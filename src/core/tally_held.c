/* The text in which a group's tallies stand in tally_group. */
#include "core/figure_internal.h"

/* ---- reading ---- */

int held_open(struct held_reader *h, struct db *db, int64_t site, const struct rule *only, struct err *e) {
    *h = (struct held_reader){.only = only};
    return db_query(db, &figure_stmts[ST_TALLY_HELD], &h->rows, e, VINT(site));
}

static bool cut_line(struct str *rest, struct str *ret) {
    ptrdiff_t end = str_find_char(*rest, '\n');
    if (end < 0) return false;
    *ret = str_sub(*rest, 0, (size_t)end);
    *rest = str_sub(*rest, (size_t)end + 1, rest->n);
    return true;
}

/* Of a figure that is not asked for, or of an older program, nothing is read. */
static bool begin_part(struct held_reader *h) {
    struct str figure, day, bytes;
    int64_t n;
    if (!cut_line(&h->left, &figure) || !cut_line(&h->left, &h->cut) || !cut_line(&h->left, &day) || !cut_line(&h->left, &bytes)) return false;
    h->day = DAY_NONE;
    if (day.n && !day_from_iso(day, &h->day)) return false;
    if (!str_to_int(bytes, 0, (int64_t)h->left.n, &n)) return false;
    if (h->only) h->rule = str_eqz(figure, h->only->f->id) ? h->only : NULL;
    else h->rule = rule_named(figure);
    h->lines = str_sub(h->left, 0, h->rule ? (size_t)n : 0);
    h->left = str_sub(h->left, (size_t)n, h->left.n);
    return true;
}

static bool read_line(struct held_reader *h, struct held_tally *ret) {
    struct str line;
    if (!cut_line(&h->lines, &line)) return false;
    ptrdiff_t space = str_find_char(line, ' ');
    if (space < 0) return false;
    *ret = (struct held_tally){.rule = h->rule, .path = str_sub(line, 0, (size_t)space), .cut = h->cut, .day = h->day};
    return str_to_int(str_sub(line, (size_t)space + 1, line.n), INT64_MIN, INT64_MAX, &ret->n);
}

int held_next(struct held_reader *h, struct held_tally *ret, struct err *e) {
    bool whole = true;
    while (h->lines.n == 0 && whole) {
        int got = h->left.n ? 1 : rows_next(h->rows, e);
        if (got <= 0) return got;
        if (h->left.n == 0) h->left = rows_text(h->rows, 0);
        whole = begin_part(h);
    }
    if (whole && read_line(h, ret)) return 1;
    return err_set(e, ERR_CORRUPT, NULL, M_TEXT, "tally_group");
}

void held_done(struct held_reader *h) {
    rows_donep(&h->rows);
}

/* ---- writing ---- */

static void end_part(struct held_writer *w) {
    const struct held_tally *t = &w->last;
    char day[DAY_TEXT];
    if (w->lines.n == 0) return;
    buf_addf(w->to, "%s\n%.*s\n%s\n%zu\n", t->rule->f->id, STR_FMT(t->cut), t->day == DAY_NONE ? "" : day_text(t->day, day), w->lines.n);
    buf_add_str(w->to, buf_str(&w->lines));
    w->to->failed = w->to->failed || w->lines.failed;
    buf_clear(&w->lines);
}

void held_add(struct held_writer *w, const struct held_tally *t) {
    if (w->last.rule != t->rule || w->last.day != t->day || !str_eq(w->last.cut, t->cut)) end_part(w);
    w->last = *t;
    buf_addf(&w->lines, "%.*s %lld\n", STR_FMT(t->path), (long long)t->n);
}

void held_end(struct held_writer *w) {
    end_part(w);
    buf_release(&w->lines);
}
