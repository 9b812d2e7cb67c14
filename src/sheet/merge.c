/* Merged ranges: every cell of one gets the value of its first.
 *
 * Ranges are known before the rows (see xlsx_merges), sorted by their first row, and walked along with the rows.  A range in
 * progress keeps one copy of its value, so a range over a hundred thousand rows costs no more than one over two. */
#include "sheet_internal.h"

enum { MERGES_MAX = 2 << 20 };

bool merges_add(struct merges *m, struct merge range) {
    if (range.column >= SHEET_COLUMNS) return true;
    if (m->n == MERGES_MAX) return false;
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->list = realloc(m->list, m->cap * sizeof m->list[0]);
        INVARIANT(m->list);
    }
    range.column_end = MIN(range.column_end, (int16_t)(SHEET_COLUMNS - 1));
    m->list[m->n++] = range;
    return true;
}

void merges_clear(struct merges *m) {
    m->n = m->next = 0;
    memset(m->active, 0, sizeof m->active);
}

static int by_row(const void *a, const void *b) {
    const struct merge *x = a, *y = b;
    return x->row != y->row ? (x->row < y->row ? -1 : 1) : x->column - y->column;
}

void merges_ready(struct merges *m) {
    if (m->n) qsort(m->list, m->n, sizeof m->list[0], by_row);
}

static void begin_range(struct merges *m, const struct merge *range, const struct row *r) {
    size_t first = (size_t)range->column;
    if (first >= r->count || r->cells[first].type == CELL_EMPTY) return;
    struct str text = r->cells[first].text;
    m->slot[first].cell = r->cells[first];
    m->slot[first].text.max = SHEET_CELL_BYTES;
    buf_clear(&m->slot[first].text);
    buf_add_str(&m->slot[first].text, text);
    m->slot[first].cell.text = buf_str(&m->slot[first].text);
    for (size_t i = first; i <= (size_t)range->column_end; i++) {
        m->active[i].until = range->row_end;
        m->active[i].slot = (uint16_t)first;
    }
}

void merges_apply(struct merges *m, struct row *r) {
    if (!m->n) return;
    for (; m->next < m->n && m->list[m->next].row <= r->number; m->next++)
        if (m->list[m->next].row == r->number) begin_range(m, &m->list[m->next], r);
    for (size_t i = 0; i < SHEET_COLUMNS; i++)
        if (m->active[i].until >= r->number) row_lend(r, i, m->slot[m->active[i].slot].cell);
}

void merges_release(struct merges *m) {
    free(m->list);
    for (size_t i = 0; i < SHEET_COLUMNS; i++) buf_release(&m->slot[i].text);
}
