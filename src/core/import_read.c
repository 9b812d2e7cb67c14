/* The file as pages of rows: opening, the heading, and what can be said of a row by the file alone. */
#include "core/import_internal.h"

static struct import_line hold(struct arena *a, const struct sheet_row *row) {
    struct import_line l = {.number = row->number, .count = row->count, .cells = arena_new(a, struct cell, row->count)};
    for (size_t i = 0; i < row->count; i++) {
        l.cells[i] = row->cells[i];
        l.cells[i].text = arena_str(a, row->cells[i].text);
    }
    return l;
}

static int hold_first(struct import *im, struct err *e) {
    struct import_reader *r = &im->reader;
    struct sheet_row row;
    int got = 1;
    r->held = arena_new(im->a, struct import_line, HEAD_ROWS);
    while (r->held_n < HEAD_ROWS && (got = sheet_next(r->sheet, &row, e)) == 1) r->held[r->held_n++] = hold(im->a, &row);
    return got < 0 ? -1 : 0;
}

void import_close(struct import *im) {
    sheet_close(im->reader.sheet);
    import_map_release(&im->reader.keys);
    import_map_release(&im->reader.identities);
    im->reader = (struct import_reader){0};
}

int import_open(struct import *im, struct err *e) {
    struct sheet_options options = {.sheet = im->o->sheet, .charset = im->o->charset};
    import_close(im);
    if (im->path) TRY(sheet_open(im->path, &options, &im->reader.sheet, e));
    else TRY(sheet_open_bytes(im->bytes, im->name, &options, &im->reader.sheet, e));
    im->format = sheet_format(im->reader.sheet);
    TRY(hold_first(im, e));
    int at;
    TRY(import_head_find(im->a, im->kind, im->o, im->reader.held, im->reader.held_n, &im->head, &at, e));
    im->reader.held_at = (size_t)(at + 1);
    im->reader.heading = at >= 0 ? &im->reader.held[at] : NULL;
    return 0;
}

/* ---- rows that say the same thing twice ---- */

static int64_t occurrence(struct import_reader *r, const struct import_key *identity) {
    bool fresh;
    struct import_slot *s = import_map_put(&r->identities, identity, &fresh);
    if (!fresh) s->n++;
    return s->n;
}

/* Whether the field alone says which record is meant. */
static bool names_record(const struct import *im, const struct import_row *row, size_t i) {
    const struct field *f = &im->kind->fields[i];
    if (row->v[i].type != V_TEXT || row->v[i].s.n == 0) return false;
    if (f->flags & KEY) return true;
    if ((int)i != im->shape.id_number || !im->shape.person) return false;
    for (size_t k = 0; k < im->kind->n; k++)
        if (im->kind->fields[k].flags & KEY && row->v[k].type != V_NULL) return false;
    return true;
}

/* The first row with a key stands for it; the same row again is the same record, another one a mistake in the file. */
static void check_repeated(struct import *im, struct arena *a, struct import_row *row) {
    if (!id_is_nil(row->id)) return;
    for (size_t i = 0; i < im->kind->n; i++) {
        if (!names_record(im, row, i)) continue;
        bool fresh;
        struct import_key key = import_key_of("key", str_z(im->kind->fields[i].name), row->v[i].s);
        struct import_slot *s = import_map_put(&im->reader.keys, &key, &fresh);
        if (fresh) {
            s->n = row->number;
            memcpy(s->id.b, row->content.b, sizeof s->id.b);
        } else if (memcmp(s->id.b, row->content.b, sizeof s->id.b) != 0) {
            char first[24];
            snprintf(first, sizeof first, "%lld", (long long)s->n);
            err_set(import_row_refuse(a, row), ERR_INVALID, im->kind->fields[i].name, M_ROW_REPEATED, first,
                    label_in(im->kind->fields[i].label, im->o->lang));
            row->malformed = true;
            return;
        }
    }
}

/* ---- pages ---- */

/* 1: a line, good until the next call. */
static int next_line(struct import *im, struct import_line *ret, struct err *e) {
    struct import_reader *r = &im->reader;
    struct sheet_row row;
    if (r->held_at < r->held_n) {
        *ret = r->held[r->held_at++];
        return 1;
    }
    int got = sheet_next(r->sheet, &row, e);
    if (got == 1) *ret = (struct import_line){row.number, row.cells, row.count};
    return got;
}

void import_page_read(struct import *im, struct import_page *p) {
    struct import_line line;
    int got = 1;
    arena_clear(&p->a);
    struct check_env env = site_env(im->site, &p->a);
    p->rows = arena_new(&p->a, struct import_row, PAGE_ROWS);
    p->n = 0;
    while (p->n < PAGE_ROWS && (got = next_line(im, &line, &p->err)) == 1) {
        struct import_row *row = &p->rows[p->n];
        if (!import_row_read(&env, im->kind, &im->head, im->reader.heading, &line, row)) continue;
        p->n++;
        import_row_digest(im->kind, &im->shape, im->o->area, row);
        if (row->malformed) continue;
        row->occurrence = occurrence(&im->reader, &row->identity);
        check_repeated(im, &p->a, row);
    }
    p->fraction = sheet_progress(im->reader.sheet);
    p->broken = got < 0;
}
