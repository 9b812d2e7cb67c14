#include "systems/bulletin/brief.h"

#include "json/json.h"
#include "sheet/sheet.h"
#include "systems/bulletin/bulletin.h"

static struct stmt *first_stmt(void) {
    return &bulletin_stmts[BULLETIN_FIRST];
}

bool brief_format_from(struct str name, enum brief_format *ret) {
    static const char *const names[] = {"text", "json", "html", "xlsx"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eqz(name, names[i])) return *ret = (enum brief_format)i, true;
    return false;
}

const char *brief_media_type(enum brief_format f) {
    static const char *const types[] = {"text/plain; charset=utf-8", "application/json", "text/html; charset=utf-8",
                                        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};
    return types[f];
}

/* ---- gathering ---- */

static int add_figures(struct db *db, struct site *s, struct arena *a, struct str path, struct brief *b, struct err *e) {
    const struct figure *f;
    size_t cap = 0;
    TRY(figures_foresee(db, s, a, path, b->from, b->to, e));
    for (size_t i = 0; (f = figure_at(i)); i++) {
        struct figure_query q = {.figure = f, .path = path, .from = b->from, .to = b->to};
        struct figure_value *v;
        size_t n;
        if (f->hidden) continue;
        TRY(figure_cuts(db, s, a, &q, &v, &n, e));
        if (b->n + n > cap) {
            cap = (b->n + n) * 2;
            struct brief_figure *more = arena_new(a, struct brief_figure, cap);
            if (b->n) memcpy(more, b->figures, b->n * sizeof *more);
            b->figures = more;
        }
        for (size_t j = 0; j < n; j++) b->figures[b->n++] = (struct brief_figure){.figure = f, .value = v[j]};
    }
    return 0;
}

static void set_first(struct brief *b, const char *id, struct str cut, const struct json *value) {
    for (size_t i = 0; i < b->n; i++) {
        struct brief_figure *x = &b->figures[i];
        if (strcmp(x->figure->id, id) != 0 || !str_eq(x->value.cut, cut)) continue;
        x->was_issued = value != NULL;
        x->first_none = value && !json_real(value, &x->first);
    }
}

/* What the first revision for this area and period said. */
static int add_first(struct db *db, struct arena *a, const struct area *area, struct brief *b, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    char from[DAY_TEXT], to[DAY_TEXT];
    struct json *all;
    struct err bad;
    TRY(db_query(db, first_stmt(), &rows, e, VINT(b->site->id), VID(area->id), VTEXTZ(day_text(b->from, from)), VTEXTZ(day_text(b->to, to))));
    int r = rows_next(rows, e);
    if (r != 1) return r;
    b->revisions = rows_int(rows, 1);
    struct str text = arena_str(a, rows_text(rows, 0));
    if (json_parse(a, text, NULL, &all, &bad)) return 0;
    for (const struct json *f = all->first; f; f = f->next) {
        const char *id = arena_strz(a, json_text(f, "id"));
        const struct json *cuts = json_get(f, "cuts");
        set_first(b, id, STR(""), json_get(f, "value"));
        for (const struct json *c = cuts ? cuts->first : NULL; c; c = c->next) set_first(b, id, json_text(c, "cut"), json_get(c, "value"));
    }
    return 0;
}

static int add_curve(struct db *db, struct site *s, struct arena *a, struct str path, struct brief *b, struct err *e) {
    enum { LEAST_DAYS = 30, MOST_DAYS = 180 };
    const struct figure *f = figure_by_id(STR("case.confirmed_new"));
    if (!f) return 0;
    b->curve_from = b->to - b->from < LEAST_DAYS ? b->to - LEAST_DAYS + 1 : MAX(b->from, b->to - MOST_DAYS + 1);
    b->curve_n = (size_t)(b->to - b->curve_from + 1);
    struct figure_query q = {.figure = f, .path = path, .from = b->curve_from, .to = b->to};
    return figure_series(db, s, a, &q, &b->curve, e);
}

int brief_make(struct db *db, struct site *s, struct arena *a, const struct area *area, day_t from, day_t to, struct brief *ret, struct err *e) {
    if (to < from || to - from > BULLETIN_DAYS) return err_set(e, ERR_INVALID, "to", M_BEFORE, "from");
    *ret = (struct brief){.site = s, .code = area->code, .name = area->name, .from = from, .to = to};
    TRY(add_figures(db, s, a, area->path, ret, e));
    TRY(add_first(db, a, area, ret, e));
    return add_curve(db, s, a, area->path, ret, e);
}

/* ---- words ---- */

void brief_day(day_t d, enum lang lang, struct buf *to) {
    int y, m, day;
    day_split(d, &y, &m, &day);
    if (lang == LANG_EN) buf_addf(to, "%d-%02d-%02d", y, m, day);
    else buf_addf(to, "%d年%d月%d日", y, m, day);
}

static void period(const struct brief *b, enum lang lang, struct buf *to) {
    brief_day(b->from, lang, to);
    if (b->from == b->to) return;
    buf_addz(to, lang == LANG_EN ? " to " : "至");
    brief_day(b->to, lang, to);
}

static const char *unit_text(const struct figure *f, enum lang lang) {
    static const struct {
        const char *unit;
        struct label label;
    } units[] = {{"count", {"", ""}},      {"percent", {"%", "%"}},     {"person-times", {"人次", " person-times"}}, {"vehicle-times", {"辆次", " vehicle-times"}},
                 {"hours", {"小时", " h"}}, {"days", {"天", " days"}},   {"CNY", {"元", " CNY"}},                     {"t", {"吨", " t"}}};
    for (size_t i = 0; i < COUNT(units); i++)
        if (strcmp(f->unit, units[i].unit) == 0) return label_in(units[i].label, lang);
    return "";
}

static void number(const struct figure *f, double v, bool none, enum lang lang, struct buf *to) {
    if (none) buf_addz(to, "—");
    else if (f->how == RATIO) buf_addf(to, "%.1f", v);
    else buf_addf(to, "%.15g", v);
    if (!none) buf_addz(to, unit_text(f, lang));
}

void brief_value(const struct figure *f, const struct figure_value *v, enum lang lang, struct buf *to) {
    number(f, v->value, v->none, lang, to);
}

/* The code list behind a cut's name: "placed_at=at" shows the field placed_at as at. */
static const struct field *cut_field(const struct figure *f, struct str name) {
    struct str rest = str_z(f->cuts), part, field;
    while (f->kind && str_cut(&rest, ',', &part)) {
        if (!str_cut(&part, '=', &field)) continue;
        if (!str_eq(part.p ? part : field, name)) continue;
        int i = kind_field(f->kind, field);
        return i >= 0 ? &f->kind->fields[i] : NULL;
    }
    return NULL;
}

void brief_cut(const struct figure *f, struct str cut, enum lang lang, struct buf *to) {
    struct str part, name;
    for (bool first = true; str_cut(&cut, ';', &part); first = false) {
        if (!str_cut(&part, '=', &name)) continue;
        const struct field *field = cut_field(f, name);
        const struct code *c = field && field->codes ? code_find(field->codes, part) : NULL;
        if (!first) buf_addz(to, lang == LANG_EN ? ", " : "、");
        buf_add_str(to, c ? str_z(label_in(c->label, lang)) : part);
    }
}

static const struct system *system_of(const struct figure *f) {
    const struct system *s;
    for (size_t i = 0; (s = system_at(i)); i++)
        if (f >= s->figures && f < s->figures + s->figures_n) return s;
    return NULL;
}

static bool changed(const struct brief_figure *x) {
    return x->was_issued && (x->first_none != x->value.none || (!x->first_none && x->first != x->value.value));
}

static void note_change(const struct brief_figure *x, enum lang lang, struct buf *to) {
    if (!changed(x)) return;
    buf_addz(to, lang == LANG_EN ? " (first issued: " : label_in((struct label){"（首次通报：", ""}, lang));
    number(x->figure, x->first, x->first_none, lang, to);
    buf_addz(to, lang == LANG_EN ? ")" : "）");
}

void brief_text(const struct brief *b, enum lang lang, struct buf *to) {
    static const struct label title = {"疫情防控通报", "Outbreak bulletin"};
    const struct system *section = NULL;
    bool open = false;
    buf_add_str(to, b->name);
    buf_addz(to, lang == LANG_EN ? ": " : "");
    buf_addz(to, label_in(title, lang));
    buf_addz(to, lang == LANG_EN ? ", " : "（");
    period(b, lang, to);
    buf_addz(to, lang == LANG_EN ? "\n" : "）\n");
    for (size_t i = 0; i < b->n; i++) {
        const struct brief_figure *x = &b->figures[i];
        if (x->value.cut.n) {
            buf_addz(to, open ? (lang == LANG_EN ? "; " : "；") : (lang == LANG_EN ? " (" : "（"));
            open = true;
            brief_cut(x->figure, x->value.cut, lang, to);
            buf_addc(to, ' ');
            brief_value(x->figure, &x->value, lang, to);
            note_change(x, lang, to);
            continue;
        }
        if (open) buf_addz(to, lang == LANG_EN ? ")" : "）");
        open = false;
        if (i) buf_addc(to, '\n');
        if (system_of(x->figure) != section) {
            section = system_of(x->figure);
            buf_addf(to, lang == LANG_EN ? "\n%s\n" : "\n【%s】\n", label_in(section->label, lang));
        }
        buf_addf(to, lang == LANG_EN ? "  %s: " : "  %s：", label_in(x->figure->label, lang));
        brief_value(x->figure, &x->value, lang, to);
        note_change(x, lang, to);
    }
    buf_addz(to, open ? (lang == LANG_EN ? ")\n" : "）\n") : "\n");
}

/* ---- JSON ---- */

static void json_cut(struct json_out *o, struct str cut) {
    struct str part, name;
    json_object(o);
    while (str_cut(&cut, ';', &part)) {
        if (!str_cut(&part, '=', &name)) continue;
        json_key_str(o, name);
        json_str(o, part);
    }
    json_object_end(o);
}

void brief_json(const struct brief *b, enum lang lang, struct buf *to) {
    struct json_out o = JSON_OUT(to);
    char day[DAY_TEXT];
    json_object(&o);
    json_put_str(&o, "area", b->code);
    json_put_str(&o, "area_name", b->name);
    json_put_strz(&o, "from", day_text(b->from, day));
    json_put_strz(&o, "to", day_text(b->to, day));
    json_put_int(&o, "revisions", b->revisions);
    json_key(&o, "figures");
    json_array(&o);
    for (size_t i = 0; i < b->n; i++) {
        const struct brief_figure *x = &b->figures[i];
        json_object(&o);
        json_put_strz(&o, "id", x->figure->id);
        json_key(&o, "dim");
        json_cut(&o, x->value.cut);
        json_key(&o, "value");
        if (x->value.none) json_null(&o);
        else json_dbl(&o, x->value.value);
        json_put_strz(&o, "unit", x->figure->unit);
        json_put_strz(&o, "label", label_in(x->figure->label, lang));
        if (changed(x) && !x->first_none) json_put_dbl(&o, "first_issued", x->first);
        json_object_end(&o);
    }
    json_array_end(&o);
    json_object_end(&o);
    buf_addc(to, '\n');
}

/* ---- HTML: no style and no script, so that it stands under the strictest policy and prints as it is ---- */

static void escaped(struct buf *to, struct str s) {
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': buf_addz(to, "&amp;"); break;
        case '<': buf_addz(to, "&lt;"); break;
        case '>': buf_addz(to, "&gt;"); break;
        case '"': buf_addz(to, "&quot;"); break;
        default: buf_addc(to, s.p[i]);
        }
    }
}

static void svg_curve(const struct brief *b, enum lang lang, struct buf *to) {
    enum { WIDTH = 720, HEIGHT = 180, BASE = 150 };
    static const struct label title = {"新增确诊（按日）", "Newly confirmed, by day"};
    double most = 1;
    for (size_t i = 0; i < b->curve_n; i++) most = MAX(most, b->curve[i]);
    double step = (double)WIDTH / (double)b->curve_n;
    buf_addf(to, "<h2>%s</h2>\n<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n", label_in(title, lang), WIDTH, HEIGHT, WIDTH,
             HEIGHT, label_in(title, lang));
    for (size_t i = 0; i < b->curve_n; i++) {
        char day[DAY_TEXT];
        double h = b->curve[i] / most * (BASE - 20);
        buf_addf(to, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#1456b8\"><title>%s: %g</title></rect>\n", (double)i * step + 1, BASE - h,
                 MAX(step - 2, 1.0), h, day_text(b->curve_from + (day_t)i, day), b->curve[i]);
    }
    char first[DAY_TEXT], last[DAY_TEXT];
    buf_addf(to, "<line x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#444\"/><text x=\"0\" y=\"170\" font-size=\"12\">%s</text>"
                 "<text x=\"%d\" y=\"170\" font-size=\"12\" text-anchor=\"end\">%s</text><text x=\"0\" y=\"14\" font-size=\"12\">%g</text></svg>\n",
             BASE, WIDTH, BASE, day_text(b->curve_from, first), WIDTH, day_text(b->to, last), most);
}

static void html_row(const struct brief_figure *x, enum lang lang, struct buf *to) {
    struct buf text CLEANUP(buf_release) = BUF(8192);
    buf_addf(to, "<tr><td>%s</td><td>", label_in(x->figure->label, lang));
    brief_cut(x->figure, x->value.cut, lang, &text);
    escaped(to, buf_str(&text));
    buf_addz(to, "</td><td align=\"right\">");
    brief_value(x->figure, &x->value, lang, to);
    buf_addz(to, "</td><td>");
    note_change(x, lang, to);
    buf_addz(to, "</td></tr>\n");
}

void brief_html(const struct brief *b, enum lang lang, struct buf *to) {
    static const struct label title = {"疫情防控通报", "Outbreak bulletin"}, figure = {"指标", "Figure"}, cut = {"细分", "Cut"}, value = {"数值", "Value"},
                              note = {"更正", "Correction"};
    const struct system *section = NULL;
    buf_addf(to, "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>", lang_tag(lang));
    escaped(to, b->name);
    buf_addf(to, " %s</title></head><body>\n<h1>", label_in(title, lang));
    escaped(to, b->name);
    buf_addf(to, " %s</h1>\n<p>", label_in(title, lang));
    period(b, lang, to);
    buf_addz(to, "</p>\n");
    if (b->curve_n) svg_curve(b, lang, to);
    for (size_t i = 0; i < b->n; i++) {
        const struct system *s = system_of(b->figures[i].figure);
        if (s != section) {
            if (section) buf_addz(to, "</tbody></table>\n");
            section = s;
            buf_addf(to, "<h2>%s</h2>\n<table border=\"1\" cellpadding=\"4\" cellspacing=\"0\"><thead><tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr></thead><tbody>\n",
                     label_in(s->label, lang), label_in(figure, lang), label_in(cut, lang), label_in(value, lang), label_in(note, lang));
        }
        html_row(&b->figures[i], lang, to);
    }
    buf_addz(to, section ? "</tbody></table>\n</body></html>\n" : "</body></html>\n");
}

/* ---- XLSX ---- */

int brief_xlsx(const struct brief *b, enum lang lang, const char *path, struct err *e) {
    static const struct label headings[] = {{"系统", "System"}, {"指标", "Figure"}, {"编号", "Id"}, {"细分", "Cut"}, {"数值", "Value"}, {"单位", "Unit"}, {"首次通报", "First issued"}};
    struct sheet_out *o;
    TRY(sheet_out_open(path, &(struct sheet_out_options){.format = SHEET_XLSX, .title = "bulletin"}, &o, e));
    for (size_t i = 0; i < COUNT(headings); i++) sheet_out_heading(o, str_z(label_in(headings[i], lang)));
    sheet_out_row_end(o);
    for (size_t i = 0; i < b->n; i++) {
        const struct brief_figure *x = &b->figures[i];
        struct buf cut CLEANUP(buf_release) = BUF(8192);
        brief_cut(x->figure, x->value.cut, lang, &cut);
        sheet_out_text(o, str_z(label_in(system_of(x->figure)->label, lang)));
        sheet_out_text(o, str_z(label_in(x->figure->label, lang)));
        sheet_out_text(o, str_z(x->figure->id));
        sheet_out_text(o, buf_str(&cut));
        if (x->value.none) sheet_out_empty(o);
        else sheet_out_number(o, x->value.value);
        sheet_out_text(o, str_z(unit_text(x->figure, lang)));
        if (changed(x) && !x->first_none) sheet_out_number(o, x->first);
        else sheet_out_empty(o);
        sheet_out_row_end(o);
    }
    return sheet_out_close(o, e);
}
