/* Any bytes as a CSV file: the heading is guessed for a kind (the first byte says which), then every row is read.  Each field is taken by one column
 * at most, a refused row has a reason, and what was read reads the same when it is written down again. */
#include "core/import_internal.h"
#include "core/site.h"
#include "systems/systems.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tz *tz;

static const struct kind *kind_for(uint8_t byte) {
    static const char *const names[] = {"resident", "household", "gate_scan", "organisation", "area", "case"};
    return kind_by_name(str_z(names[byte % COUNT(names)]));
}

static void check_head(const struct kind *k, const struct import_head *h) {
    size_t taken[128] = {0};
    for (size_t i = 0; i < h->n; i++) {
        const struct import_heading *c = &h->columns[i];
        INVARIANT(c->how && (c->to == TO_FIELD) == (c->field >= 0));
        if (c->to != TO_FIELD) continue;
        INVARIANT((size_t)c->field < k->n && taken[c->field]++ == 0);
    }
}

/* As an export would write it. */
static void check_value(const struct check_env *env, const struct kind *k, size_t i, const struct val *v) {
    const struct field *f = &k->fields[i];
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    if (v->type == V_NULL || (f->type == F_REF && v->type == V_TEXT)) return;
    field_to_text(tz, f, v, LANG_ZH_HANS, &b);
    INVARIANT(!b.failed && b.n);
    struct cell cell = {.type = CELL_TEXT, .text = buf_str(&b)};
    struct import_heading column = {.to = TO_FIELD, .field = (int)i, .how = "name"};
    struct import_head head = {.columns = &column, .n = 1};
    struct import_line line = {.number = 1, .cells = &cell, .count = 1};
    struct import_row row;
    bool read = import_row_read(env, k, &head, NULL, &line, &row);
    /* Words for nothing, masks and totals are lost on purpose. */
    if (!read || row.malformed || row.v[i].type == V_NULL) return;
    if (f->type == F_TIME && row.v[i].type == V_INT) INVARIANT(row.v[i].i / US_PER_SECOND == v->i / US_PER_SECOND);
    else INVARIANT(val_eq(&row.v[i], v));
}

static void check_row(const struct check_env *env, const struct kind *k, const struct import_head *h, const struct import_row *row) {
    INVARIANT(row->malformed == (row->errs != NULL));
    INVARIANT(row->parts_n <= PARTS_MOST);
    for (size_t i = 1; i < row->parts_n; i++) INVARIANT(row->parts[i - 1].rank <= row->parts[i].rank);
    for (size_t i = 0; row->errs && i < row->errs->n; i++) {
        struct buf b CLEANUP(buf_release) = BUF(4000);
        err_text(&row->errs->e[i], LANG_EN, &b);
        INVARIANT(row->errs->e[i].field[0] && b.n);
    }
    for (size_t i = 0; i < h->n && !row->malformed; i++)
        if (h->columns[i].to == TO_FIELD) check_value(env, k, (size_t)h->columns[i].field, &row->v[h->columns[i].field]);
}

static void check_rows(struct sheet *s, const struct kind *k, const struct import_head *h, const struct import_line *lines, size_t n, int at) {
    struct arena a CLEANUP(arena_release) = {0};
    struct check_env env = {.a = &a, .tz = tz, .now = INT64_C(1581292800000000), .today = 18302};
    struct import_shape shape = import_shape(k);
    const struct import_line *heading = at >= 0 ? &lines[at] : NULL;
    struct sheet_row got;
    struct err e;
    for (size_t i = (size_t)(at + 1); i < n + 200; i++) {
        struct import_row row, again;
        struct import_line line;
        if (i < n) line = lines[i];
        else if (sheet_next(s, &got, &e) == 1) line = (struct import_line){got.number, got.cells, got.count};
        else return;
        if (!import_row_read(&env, k, h, heading, &line, &row)) continue;
        check_row(&env, k, h, &row);
        import_row_digest(k, &shape, "jx", &row);
        INVARIANT(import_row_read(&env, k, h, heading, &line, &again));
        import_row_digest(k, &shape, "jx", &again);
        INVARIANT(memcmp(&row.content, &again.content, sizeof row.content) == 0 && memcmp(&row.identity, &again.identity, sizeof row.identity) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!tz) {
        site_program_init(systems_all);
        tz = tz_open("Asia/Shanghai");
    }
    struct arena a CLEANUP(arena_release) = {0};
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct import_line lines[HEAD_ROWS];
    static const char *const map[] = {"A=name", "备注="};
    struct import_options o = {.map = map, .map_n = size > 1 ? data[1] % 3 : 0};
    struct import_head head;
    struct sheet_row row;
    struct err e;
    size_t n = 0;
    int at;
    if (size < 2) return 0;
    const struct kind *k = kind_for(data[0]);
    if (sheet_open_bytes((struct str){(const char *)data + 2, size - 2}, "f.csv", &(struct sheet_options){.format = SHEET_CSV}, &s, &e)) return 0;
    while (n < HEAD_ROWS && sheet_next(s, &row, &e) == 1) {
        struct cell *cells = arena_new(&a, struct cell, row.count);
        for (size_t i = 0; i < row.count; i++) cells[i] = row.cells[i], cells[i].text = arena_str(&a, row.cells[i].text);
        lines[n++] = (struct import_line){row.number, cells, row.count};
    }
    if (import_head_find(&a, k, &o, lines, n, &head, &at, &e)) {
        INVARIANT(e.msg == M_NO_HEADING || e.msg == M_MAP || e.msg == M_MAP_COLUMN);
        return 0;
    }
    check_head(k, &head);
    check_rows(s, k, &head, lines, n, at);
    return 0;
}
