/* What comes back: counts, the first problems, and a file of the refused rows in the form in which they came, so that it can be mended and
 * imported as it is. */
#include "core/import_internal.h"

#include <errno.h>
#include <unistd.h>

/* ---- the file ---- */

static const struct label reason_label = {"原因", "Reason"};

static const char *extension(enum sheet_format f) {
    return f == SHEET_CSV ? "csv" : f == SHEET_TSV ? "tsv" : "xlsx";
}

static bool writable(const char *path) {
    char *slash = strrchr(path, '/');
    char dir[1024];
    snprintf(dir, sizeof dir, "%.*s", slash ? MAX((int)(slash - path), 1) : 1, slash ? path : ".");
    return access(dir, W_OK) == 0;
}

/* people.xls -> people.refused.xlsx */
static const char *beside(struct import *im) {
    const char *slash = strrchr(im->path, '/'), *file = slash ? slash + 1 : im->path, *dot = strrchr(file, '.');
    int stem = dot && dot > file ? (int)(dot - im->path) : (int)strlen(im->path);
    const char *path = arena_printf(im->a, "%.*s.refused.%s", stem, im->path, extension(im->format));
    return writable(path) ? path : arena_printf(im->a, "%s", path + (file - im->path));
}

static bool is_column_kept(const struct import_heading *c) {
    return c->to != TO_REASON; /* of an earlier round; a new one stands at the end */
}

static struct str heading_of(const struct import *im, const struct import_heading *c) {
    if (im->reader.heading || c->to != TO_FIELD) return c->text;
    return str_z(label_in(im->kind->fields[c->field].label, im->o->lang)); /* a file without headings */
}

static int refused_open(struct import *im, struct err *e) {
    if (im->refused || im->o->dry_run) return 0;
    const char *path = im->o->refused_path ? im->o->refused_path : im->o->refused_beside && im->path ? beside(im) : NULL;
    if (!path) return 0;
    struct sheet_out_options options = {.format = im->format == SHEET_XLS ? SHEET_XLSX : im->format, .title = label_in(im->kind->label, im->o->lang)};
    TRY(sheet_out_open(path, &options, &im->refused, e));
    im->refused_path = path;
    for (size_t i = 0; i < im->head.n; i++)
        if (is_column_kept(&im->head.columns[i])) sheet_out_heading(im->refused, heading_of(im, &im->head.columns[i]));
    sheet_out_heading(im->refused, str_z(label_in(reason_label, im->o->lang)));
    sheet_out_row_end(im->refused);
    return 0;
}

static void write_cell(struct sheet_out *o, const struct cell *c) {
    day_t d;
    if (c->type == CELL_EMPTY) sheet_out_empty(o);
    else if (c->type == CELL_NUMBER && !c->scientific) sheet_out_number(o, c->number);
    else if (c->type == CELL_DATE && day_from_iso(c->text, &d)) sheet_out_day(o, d);
    else sheet_out_text(o, c->text);
}

/* ---- reasons ---- */

static const struct import_heading *column_of(const struct import *im, const char *field) {
    for (size_t i = 0; field[0] && i < im->head.n; i++) {
        const char *name = import_target_name(im->kind, &im->head.columns[i]);
        if (name && strcmp(name, field) == 0) return &im->head.columns[i];
    }
    return NULL;
}

static void add_label(const struct import *im, const struct err *e, struct buf *b) {
    static const struct {
        const char *field;
        struct label label;
    } others[] = {{"area", {"所属区域", "Area"}}, {"area_code", {"所属区域编号", "Area code"}}, {"door", {"门牌", "Door"}}, {"id", {"记录编号", "Record id"}}};
    int i = kind_field(im->kind, str_z(e->field));
    const char *label = i >= 0 ? label_in(im->kind->fields[i].label, im->o->lang) : NULL;
    for (size_t j = 0; j < COUNT(others) && !label; j++)
        if (strcmp(e->field, others[j].field) == 0) label = label_in(others[j].label, im->o->lang);
    if (!label) return;
    buf_addz(b, label);
    buf_addz(b, im->o->lang == LANG_EN ? ": " : "：");
}

static void add_reason(const struct import *im, const struct err *e, struct buf *b) {
    add_label(im, e, b);
    err_text(e, im->o->lang, b);
}

static void write_row(struct import *im, const struct import_row *row) {
    struct buf b CLEANUP(buf_release) = BUF(8000);
    for (size_t i = 0; i < row->errs->n; i++) {
        if (i) buf_addz(&b, im->o->lang == LANG_EN ? "; " : "；");
        add_reason(im, &row->errs->e[i], &b);
    }
    for (size_t i = 0; i < im->head.n; i++)
        if (is_column_kept(&im->head.columns[i])) write_cell(im->refused, &row->cells[i]);
    sheet_out_text(im->refused, buf_str(&b));
    sheet_out_row_end(im->refused);
}

static struct str shown(const struct import *im, const struct import_heading *c, struct str text) {
    const struct field *f = c->to == TO_FIELD ? &im->kind->fields[c->field] : NULL;
    if (c->to == TO_HEAD) return field_mask(im->a, &(struct field){.type = F_NAME}, text);
    return f && f->flags & (PERSONAL | SEALED) ? field_mask(im->a, f, text) : arena_str(im->a, text);
}

static void note_problems(struct import *im, const struct import_row *row) {
    struct import_result *ret = im->ret;
    for (size_t i = 0; i < row->errs->n && ret->problems_n < IMPORT_PROBLEMS_MOST; i++) {
        const struct err *e = &row->errs->e[i];
        const struct import_heading *c = column_of(im, e->field);
        struct buf b CLEANUP(buf_release) = BUF(2000);
        add_reason(im, e, &b);
        struct import_problem *p = &ret->problems[ret->problems_n++];
        *p = (struct import_problem){.row = row->number, .reason = arena_str(im->a, buf_str(&b))};
        if (!c) continue;
        p->column = c->text;
        p->value = shown(im, c, row->cells[c - im->head.columns].text);
    }
}

/* ---- a page ---- */

static int64_t *count_of(struct import_counts *c, enum import_outcome o) {
    switch (o) {
    case ROW_IMPORTED: return &c->imported;
    case ROW_UPDATED: return &c->updated;
    case ROW_UNCHANGED: return &c->unchanged;
    case ROW_QUEUED: return &c->queued;
    default: return &c->refused;
    }
}

int import_report(struct import *im, const struct import_page *p, struct err *e) {
    for (size_t i = 0; i < p->n; i++) {
        const struct import_row *row = &p->rows[i];
        INVARIANT(row->outcome != ROW_TODO && (row->outcome != ROW_REFUSED || row->errs));
        ++*count_of(&im->ret->counts, row->outcome);
        im->ret->counts.rows++;
        if (row->outcome != ROW_REFUSED) continue;
        note_problems(im, row);
        TRY(refused_open(im, e));
        if (im->refused) write_row(im, row);
    }
    return 0;
}

int import_report_end(struct import *im, struct err *e) {
    if (!im->refused) return 0;
    TRY(sheet_out_close(TAKE(im->refused), e));
    im->ret->refused_file = str_z(im->refused_path);
    return 0;
}

/* ---- as JSON ---- */

static void put_text(struct json_out *o, const char *key, struct str s) {
    json_key(o, key);
    if (s.n) json_str(o, s);
    else json_null(o);
}

static void add_columns(const struct import_result *r, struct json_out *o) {
    json_key(o, "columns");
    json_array(o);
    for (size_t i = 0; i < r->columns_n; i++) {
        json_object(o);
        json_put_str(o, "column", r->columns[i].heading);
        json_put_strz(o, "field", r->columns[i].field);
        json_put_strz(o, "how", r->columns[i].how);
        json_object_end(o);
    }
    json_array_end(o);
}

void import_answer(const struct import_result *r, struct str refused_file, struct json_out *o) {
    json_object(o);
    json_put_int(o, "imported", r->counts.imported);
    json_put_int(o, "updated", r->counts.updated);
    json_put_int(o, "unchanged", r->counts.unchanged);
    json_put_int(o, "queued", r->counts.queued);
    json_put_int(o, "refused", r->counts.refused);
    put_text(o, "refused_file", refused_file);
    add_columns(r, o);
    json_key(o, "problems");
    json_array(o);
    for (size_t i = 0; i < r->problems_n; i++) {
        const struct import_problem *p = &r->problems[i];
        json_object(o);
        json_put_int(o, "row", p->row);
        put_text(o, "column", p->column);
        put_text(o, "value", p->value);
        json_put_str(o, "reason", p->reason);
        json_object_end(o);
    }
    json_array_end(o);
    json_object_end(o);
}
