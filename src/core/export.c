/* One pass over the table of the kind, a row at a time; only the keys of references are remembered.  What is whole goes into a file of our own
 * first: its journal entry, with the number of rows, is durable before a byte of it is handed over. */
#include "core/export.h"

#include <errno.h>
#include <unistd.h>

#include "base/utf8.h"
#include "core/import_internal.h"

enum { REASON_LEAST = 4, REFS_MOST = 50000, PROGRESS_ROWS = 1000, CHUNK = 1 << 16 };

bool export_format_from(struct str name, enum export_format *ret) {
    static const struct {
        const char *name;
        enum export_format format;
    } names[] = {{"csv", EXPORT_CSV}, {"tsv", EXPORT_TSV}, {"xlsx", EXPORT_XLSX}, {"json", EXPORT_NDJSON}, {"ndjson", EXPORT_NDJSON}};
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_ieq(name, str_z(names[i].name))) return *ret = names[i].format, true;
    return false;
}

const char *export_media_type(enum export_format f) {
    static const char *const types[] = {
        [EXPORT_CSV] = "text/csv; charset=utf-8",
        [EXPORT_TSV] = "text/tab-separated-values; charset=utf-8",
        [EXPORT_XLSX] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [EXPORT_NDJSON] = "application/x-ndjson",
    };
    return types[f];
}

struct export {
    struct site *site;
    const struct kind *kind;
    const struct export_options *o;
    struct arena a; /* of the export; `row` is cleared after each */
    struct arena row;
    struct areas *areas;
    struct str top;
    struct str *ranges;
    size_t ranges_n;
    struct db *db;
    struct sheet_out *sheet;
    FILE *lines;
    int home; /* the field that refers to a household; -1 */
    int64_t rows;
    /* what references are called */
    struct import_map refs;
    struct arena refs_arena;
    struct ref_name *names;
    size_t names_n;
};
struct ref_name {
    struct str key, title, door;
};

static bool in_area(const struct export *x) {
    return !(x->kind->flags & (KIND_TREE | KIND_NO_AREA));
}

/* ---- references ---- */

/* The key that may be shown: no identity number stands in for its person. */
static struct str key_of(const struct record *r) {
    for (size_t i = 0; i < r->kind->n; i++)
        if (r->kind->fields[i].flags & KEY && field_is_text(&r->kind->fields[i]) && r->v[i].type == V_TEXT) return r->v[i].s;
    return STR_NONE;
}

static void forget_refs(struct export *x) {
    import_map_release(&x->refs);
    arena_clear(&x->refs_arena);
    x->names = arena_new(&x->refs_arena, struct ref_name, REFS_MOST);
    x->names_n = 0;
}

static int ref_name(struct export *x, const struct kind *to, struct id id, const struct ref_name **ret, struct err *e) {
    struct import_key key = import_key_of(to->name, id_bytes(&id), STR(""));
    bool fresh;
    if (!x->names || x->names_n == REFS_MOST) forget_refs(x);
    struct import_slot *s = import_map_put(&x->refs, &key, &fresh);
    if (fresh) {
        struct arena one CLEANUP(arena_release) = {0};
        struct ref_name *n = &x->names[x->names_n];
        struct record *r = NULL;
        s->n = (int64_t)++x->names_n;
        char text[ID_TEXT];
        n->key = arena_str(&x->refs_arena, str_z(id_text(id, text)));
        if (record_load(x->db, x->site->id, &one, to, id, &r, e) < 0) return -1;
        if (r && key_of(r).n) n->key = arena_str(&x->refs_arena, key_of(r));
        bool may = r && permit_may(x->o->actor, to->name, "read", r->path);
        if (r) n->title = arena_str(&x->refs_arena, record_title(&one, r, !may));
        int door = r ? kind_field(to, STR("door")) : -1;
        if (door >= 0 && r->v[door].type == V_TEXT) n->door = arena_str(&x->refs_arena, r->v[door].s);
    }
    *ret = &x->names[s->n - 1];
    return 0;
}

/* ---- a sealed value: masked, or whole ---- */

static int plain(struct export *x, const struct record *r, size_t i, struct str *ret, struct err *e) {
    TRY(record_plain(&x->site->key, &x->row, r, i, ret, e));
    if (ret->n && !x->o->whole) *ret = field_mask(&x->row, &r->kind->fields[i], *ret);
    return 0;
}

/* ---- as a table ---- */

static const struct label id_label = {"记录编号", "Record id"}, code_label = {"所属区域编号", "Area code"}, area_label = {"所属区域", "Area"};

static void heading(struct export *x, struct label l) {
    sheet_out_heading(x->sheet, str_z(label_in(l, x->o->lang)));
}

static void write_headings(struct export *x) {
    heading(x, id_label);
    if (in_area(x)) {
        heading(x, code_label);
        heading(x, area_label);
    }
    for (size_t i = 0; i < x->kind->n; i++) {
        heading(x, x->kind->fields[i].label);
        if ((int)i != x->home) continue;
        const struct kind *to = kind_by_name(STR("household"));
        heading(x, to->fields[kind_field(to, STR("door"))].label);
    }
    sheet_out_row_end(x->sheet);
}

static int write_ref(struct export *x, size_t i, const struct val *v, struct err *e) {
    const struct ref_name *n;
    TRY(ref_name(x, kind_by_name(str_z(x->kind->fields[i].ref)), v->id, &n, e));
    sheet_out_text(x->sheet, n->key);
    if ((int)i == x->home) sheet_out_text(x->sheet, n->door);
    return 0;
}

static int write_field(struct export *x, const struct record *r, size_t i, struct err *e) {
    const struct field *f = &x->kind->fields[i];
    const struct val *v = &r->v[i];
    struct str text;
    day_t d;
    if (v->type == V_NULL) {
        sheet_out_empty(x->sheet);
        if ((int)i == x->home) sheet_out_empty(x->sheet);
        return 0;
    }
    if (f->type == F_REF) return write_ref(x, i, v, e);
    if (f->flags & SEALED) {
        TRY(plain(x, r, i, &text, e));
        sheet_out_text(x->sheet, text);
    } else if (f->type == F_INT) {
        sheet_out_int(x->sheet, v->i);
    } else if (f->type == F_REAL) {
        sheet_out_number(x->sheet, v->r);
    } else if (f->type == F_DATE && day_from_iso(v->s, &d)) {
        sheet_out_day(x->sheet, d);
    } else {
        struct buf b CLEANUP(buf_release) = BUF(4 << 20);
        field_to_text(x->site->tz, f, v, x->o->lang, &b);
        sheet_out_text(x->sheet, buf_str(&b));
    }
    return 0;
}

static int write_row(struct export *x, const struct record *r, struct err *e) {
    char id[ID_TEXT];
    sheet_out_text(x->sheet, str_z(id_text(r->id, id)));
    if (in_area(x)) {
        const struct area *at = areas_by_id(x->areas, r->area);
        sheet_out_text(x->sheet, at ? at->code : STR(""));
        sheet_out_text(x->sheet, at ? areas_full_name(x->areas, &x->row, at) : STR(""));
    }
    for (size_t i = 0; i < x->kind->n; i++) TRY(write_field(x, r, i, e));
    sheet_out_row_end(x->sheet);
    return 0;
}

/* ---- as lines of JSON, each a record as the API answers it ---- */

static void json_area(struct export *x, const struct record *r, struct json_out *o) {
    const struct area *at = id_is_nil(r->area) ? NULL : areas_by_id(x->areas, r->area);
    char id[ID_TEXT];
    json_key(o, "area");
    if (!at) {
        json_null(o);
        return;
    }
    json_object(o);
    json_put_strz(o, "id", id_text(at->id, id));
    json_put_str(o, "code", at->code);
    json_put_str(o, "name", at->name);
    json_put_str(o, "level", at->level);
    json_put_str(o, "full", areas_full_name(x->areas, &x->row, at));
    json_object_end(o);
}

static int json_data(struct export *x, const struct record *r, struct json_out *o, struct err *e) {
    json_key(o, "data");
    json_object(o);
    for (size_t i = 0; i < x->kind->n; i++) {
        const struct field *f = &x->kind->fields[i];
        struct str text;
        json_key(o, f->name);
        if (!(f->flags & SEALED) || r->v[i].type == V_NULL) {
            field_to_json(x->site->tz, f, &r->v[i], o);
            continue;
        }
        TRY(plain(x, r, i, &text, e));
        json_str(o, text);
    }
    json_object_end(o);
    return 0;
}

static int json_refs(struct export *x, const struct record *r, struct json_out *o, struct err *e) {
    char id[ID_TEXT];
    json_key(o, "refs");
    json_object(o);
    for (size_t i = 0; i < x->kind->n; i++) {
        const struct ref_name *n;
        if (x->kind->fields[i].type != F_REF || r->v[i].type != V_ID) continue;
        TRY(ref_name(x, kind_by_name(str_z(x->kind->fields[i].ref)), r->v[i].id, &n, e));
        json_key(o, x->kind->fields[i].name);
        json_object(o);
        json_put_strz(o, "id", id_text(r->v[i].id, id));
        json_put_str(o, "title", n->title);
        json_object_end(o);
    }
    json_object_end(o);
    return 0;
}

static int write_line(struct export *x, const struct record *r, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(8 << 20);
    struct json_out o = JSON_OUT(&b);
    char text[MAX(ID_TEXT, TIME_TEXT)];
    json_object(&o);
    json_put_strz(&o, "id", id_text(r->id, text));
    json_put_strz(&o, "kind", x->kind->name);
    json_put_int(&o, "version", r->version);
    json_area(x, r, &o);
    json_put_str(&o, "title", record_title(&x->row, r, false));
    json_put_strz(&o, "created_at", tz_text(x->site->tz, r->created_at, text));
    json_put_strz(&o, "updated_at", tz_text(x->site->tz, r->updated_at, text));
    TRY(json_data(x, r, &o, e));
    TRY(json_refs(x, r, &o, e));
    json_object_end(&o);
    buf_addc(&b, '\n');
    INVARIANT(!b.failed);
    fwrite(b.p, 1, b.n, x->lines);
    return 0;
}

/* ---- the rows ---- */

static int write_range(struct export *x, struct str top, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct path_range in = path_range(&x->a, top);
    int got;
    TRY(db_stream(x->db, &kind_sql(x->kind)->range, &rows, e, VINT(x->site->id), VTEXT(in.from), VTEXT(in.to)));
    while ((got = rows_next(rows, e)) == 1) {
        struct record r;
        record_read(&x->row, x->kind, rows, &r);
        TRY(x->sheet ? write_row(x, &r, e) : write_line(x, &r, e));
        arena_clear(&x->row);
        if (++x->rows % PROGRESS_ROWS == 0 && x->o->progress) x->o->progress(x->o->progress_arg, x->rows);
    }
    return got;
}

static int io_error(const char *path, struct err *e) {
    if (errno == ENOSPC || errno == EDQUOT) return err_set(e, ERR_STORAGE_FULL, NULL, M_DISK_FULL);
    return err_set(e, ERR_IO, NULL, M_FILE, path, strerror(errno));
}

static int open_out(struct export *x, const char *path, struct err *e) {
    static const enum sheet_format formats[] = {[EXPORT_CSV] = SHEET_CSV, [EXPORT_TSV] = SHEET_TSV, [EXPORT_XLSX] = SHEET_XLSX};
    if (x->o->format == EXPORT_NDJSON) {
        x->lines = fopen(path, "wbe");
        return x->lines ? 0 : io_error(path, e);
    }
    struct sheet_out_options options = {.format = formats[x->o->format], .title = label_in(x->kind->label, x->o->lang)};
    TRY(sheet_out_open(path, &options, &x->sheet, e));
    write_headings(x);
    return 0;
}

static int close_out(struct export *x, const char *path, struct err *e) {
    if (x->sheet) return sheet_out_close(TAKE(x->sheet), e);
    bool failed = ferror(x->lines);
    if (fclose(TAKE(x->lines)) == 0 && !failed) return 0;
    return io_error(path, e);
}

/* ---- the journal ---- */

struct note {
    struct write_item item;
    struct export *x;
};

static int note_run(struct tx *tx, struct write_item *item, struct err *e) {
    const struct export *x = ((struct note *)item)->x;
    struct buf b CLEANUP(buf_release) = BUF(4000);
    struct json_out o = JSON_OUT(&b);
    struct record about = {.kind = x->kind, .path = x->top};
    json_object(&o);
    if (x->o->reason) json_put_str(&o, "reason", utf8_prefix(str_z(x->o->reason), 200));
    json_put_int(&o, "rows", x->rows);
    json_object_end(&o);
    tx->lang = x->o->lang;
    tx_as(tx, x->o->actor, arena_printf(tx->a, "%s.export", x->kind->name), x->kind, "export");
    return tx_note(tx, &about, arena_str(tx->a, buf_str(&b)), e);
}

static void nothing(struct write_item *item) {
    (void)item;
}

static int write_note(struct export *x, struct err *e) {
    struct note n = {.item = {.run = note_run, .done = nothing}, .x = x};
    return x->o->whole ? writer_run(x->site, &n.item, e) : 0;
}

/* ---- the whole ---- */

static int check(struct export *x, struct err *e) {
    const struct export_options *o = x->o;
    const char *name = x->kind->name;
    struct id id;
    x->areas = site_areas(x->site);
    if (o->area && o->area[0]) {
        const struct area *at = areas_by_code(x->areas, str_z(o->area));
        if (!at && id_parse(str_z(o->area), &id)) at = areas_by_id(x->areas, id);
        if (!at) return err_set(e, ERR_INVALID, "area", M_NO_RECORD, o->area, label_in(kind_by_name(STR("area"))->label, o->lang));
        x->top = at->path;
    }
    x->ranges_n = permit_ranges(o->actor, &x->a, name, "read", x->top, &x->ranges);
    if (!x->ranges_n || (x->kind->flags & KIND_ADMIN && !o->actor->system))
        return err_set(e, ERR_FORBIDDEN, NULL, M_NOT_ALLOWED, arena_printf(&x->a, "%s.read", name));
    if (!o->whole) return 0;
    for (size_t i = 0; i < x->ranges_n; i++)
        if (!permit_may(o->actor, name, "open", x->ranges[i])) return err_set(e, ERR_FORBIDDEN, NULL, M_NOT_ALLOWED, arena_printf(&x->a, "%s.open", name));
    char least[8];
    snprintf(least, sizeof least, "%d", REASON_LEAST);
    bool said = o->actor->system || (o->reason && utf8_length(str_trim(str_z(o->reason))) >= REASON_LEAST);
    return said ? 0 : err_set(e, ERR_INVALID, "reason", M_REASON, least);
}

static int write_file(struct export *x, const char *path, struct err *e) {
    TRY(open_out(x, path, e));
    TRY(site_reader(x->site, &x->db, e));
    int r = 0;
    for (size_t i = 0; i < x->ranges_n && r == 0; i++) r = write_range(x, x->ranges[i], e);
    site_reader_done(x->site, TAKE(x->db));
    if (r) return -1;
    /* Before the file takes its name. */
    TRY(write_note(x, e));
    return close_out(x, path, e);
}

static int hand_over(const struct export *x, const char *path, struct err *e) {
    FILE *f = fopen(path, "rbe");
    if (!f) return io_error(path, e);
    char *chunk = malloc(CHUNK);
    INVARIANT(chunk);
    size_t n;
    int r = 0;
    while (r == 0 && (n = fread(chunk, 1, CHUNK, f)) > 0) r = x->o->write(x->o->arg, chunk, n, e);
    if (r == 0 && ferror(f)) r = io_error(path, e);
    free(chunk);
    fclose(f);
    return r;
}

/* Under a name nobody else takes, mode 0700 above it, and gone in any case. */
static int write_through(struct export *x, struct err *e) {
    char path[640], id[ID_TEXT];
    snprintf(path, sizeof path, "%s/export-%s", x->site->dir, id_text(id_new(site_now(x->site)), id));
    int r = write_file(x, path, e);
    if (r == 0) r = hand_over(x, path, e);
    unlink(path);
    return r;
}

static int run(struct export *x, struct err *e) {
    TRY(check(x, e));
    if (x->o->write) return write_through(x, e);
    INVARIANT(x->o->path);
    return write_file(x, x->o->path, e);
}

int export_kind(struct site *s, const struct kind *k, const struct export_options *o, int64_t *ret_rows, struct err *e) {
    struct export x = {.site = s, .kind = k, .o = o, .home = import_shape(k).home, .top = STR("")};
    int r = run(&x, e);
    if (r == 0) *ret_rows = x.rows;
    sheet_out_dropp(&x.sheet);
    if (x.lines) fclose(x.lines);
    areas_drop(x.areas);
    import_map_release(&x.refs);
    arena_release(&x.refs_arena);
    arena_release(&x.row);
    arena_release(&x.a);
    return r;
}
