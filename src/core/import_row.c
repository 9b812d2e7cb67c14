/* Cells onto values.  What a spreadsheet or a hurried hand does to a value is taken back where it can be (spaces in names, units behind
 * numbers, dates as serials); where something is lost (digits, a door that became a date) the cell is refused, never guessed. */
#include "core/import_internal.h"

#include <math.h>

#include "base/utf8.h"

/* ---- one cell ---- */

/* What people write for "nothing". */
static bool says_nothing(struct arena *a, struct str s) {
    static const char *const words[] = {"-", "--", "—", "——", "/", "\\", "无", "無", "没有", "空", "n/a", "na", "none", "null", "不详", "未知"};
    struct str folded = utf8_fold(a, s);
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eqz(folded, words[i])) return true;
    return false;
}

/* The masked form in which an export shows sealed values. */
static bool is_masked(const struct field *f, struct str s) {
    if (!(f->flags & SEALED) || str_find_char(s, '*') < 0) return false;
    return f->type != F_TEXT || str_eq(s, STR("*")) || (str_ends(s, STR("***")) && utf8_length(s) <= 4);
}

/* ="142..." and '142...: how digits are kept from being a number. */
static struct str bare_text(struct str s, bool digits) {
    s = str_trim(s);
    if (s.n > 3 && str_starts(s, STR("=\"")) && s.p[s.n - 1] == '"') s = str_sub(s, 2, s.n - 1);
    while (digits && s.n && strchr("'`\"", s.p[0]) && s.p[0]) s = str_sub(s, 1, s.n);
    if (digits && str_starts(s, STR("‘"))) s = str_sub(s, 3, s.n);
    return s;
}

struct str import_han_name(struct arena *a, struct str s) {
    if (str_find_char(s, ' ') < 0 && str_find_char(s, '\t') < 0) return s;
    char *to = arena_alloc(a, s.n + 1);
    size_t n = 0;
    bool han_before = false;
    for (size_t at = 0; at < s.n;) {
        size_t before = at, next;
        int32_t c = utf8_next(s, &at);
        if (c == ' ' || c == '\t') {
            for (next = at; next < s.n && (s.p[next] == ' ' || s.p[next] == '\t'); next++) continue;
            size_t peek = next;
            if (han_before && next < s.n && utf8_is_han(utf8_next(s, &peek))) {
                at = next;
                continue;
            }
        }
        memcpy(to + n, s.p + before, at - before);
        n += at - before;
        han_before = utf8_is_han(c);
    }
    return (struct str){to, n};
}

enum { SERIAL_LEAST = 20000, SERIAL_MOST = 80000 }; /* 1954 to 2119 */

/* An Excel serial in a column that was never told to hold dates; the 1900 system, for that is what such columns come from. */
static bool from_serial(const struct check_env *env, const struct field *f, const struct cell *c, struct str s, struct str *ret) {
    double v = c->number;
    char day[DAY_TEXT];
    if (c->type == CELL_DATE || (c->type != CELL_NUMBER && !str_to_real(s, SERIAL_LEAST, SERIAL_MOST, &v))) return false;
    if (!(v >= SERIAL_LEAST && v <= SERIAL_MOST) || (f->type == F_DATE && v != trunc(v))) return false;
    day_text(day_make(1899, 12, 30) + (day_t)v, day);
    int seconds = (int)lround((v - trunc(v)) * 86400);
    if (f->type == F_DATE || seconds >= 86400) *ret = arena_str(env->a, str_z(day));
    else *ret = str_z(arena_printf(env->a, "%s %02d:%02d:%02d", day, seconds / 3600, seconds / 60 % 60, seconds % 60));
    return true;
}

/* "36.5℃", "3人" */
static struct str without_unit(struct arena *a, const struct field *f, struct str s) {
    const char *const units[] = {f->unit, "℃", "°C", "度", "°", "人", "个", "户", "岁"};
    s = utf8_plain(a, s);
    for (size_t i = 0; i < COUNT(units); i++)
        if (units[i] && s.n > strlen(units[i]) && str_ends(s, str_z(units[i]))) return str_trim(str_sub(s, 0, s.n - strlen(units[i])));
    return s;
}

/* ---- codes ---- */

static struct str bare_label(struct str s) {
    ptrdiff_t wide = str_find(s, STR("（")), narrow = str_find_char(s, '(');
    return wide > 0 ? str_sub(s, 0, (size_t)wide) : narrow > 0 ? str_sub(s, 0, (size_t)narrow) : s;
}

/* Words behind a label that add nothing: 确诊病例, 男性. */
static bool adds_nothing(struct str rest) {
    static const char *const words[] = {"病例", "患者", "人员", "者", "性", "型"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eqz(rest, words[i])) return true;
    return false;
}

static bool label_means(struct str label, struct str text) {
    struct str bare = bare_label(label);
    if (bare.n == 0) return false;
    if (str_eq(bare, text)) return true;
    return str_starts(text, bare) ? adds_nothing(str_sub(text, bare.n, text.n)) : utf8_length(text) >= 2 && str_starts(bare, text);
}

/* One character of a label, where it says something by itself: 镇 is 乡镇, but 无 is not 无症状. */
static bool one_character(struct str label, struct str text) {
    static const char *const empty[] = {"无", "無", "有", "不", "未", "其", "在", "可"};
    for (size_t i = 0; i < COUNT(empty); i++)
        if (str_eqz(text, empty[i])) return false;
    return utf8_length(text) == 1 && text.n > 1 && str_find(bare_label(label), text) >= 0;
}

static const struct code *only_one(const struct code_list *l, struct str s, bool (*means)(struct str label, struct str text)) {
    const struct code *found = NULL;
    for (const struct code *c = l->codes; c->value; c++) {
        if (!means(str_z(c->label.zh), s) && !means(str_z(lang_hant(c->label.zh)), s)) continue;
        if (found) return NULL;
        found = c;
    }
    return found;
}

/* A label without its brackets, or a part of it that is in no other label of the list. */
static const struct code *code_like(const struct code_list *l, struct arena *a, struct str text) {
    struct str s = bare_label(utf8_plain(a, text));
    const struct code *found = code_guess(l, text);
    if (!found) found = code_guess(l, s);
    for (const struct code *c = l->codes; c->value && !found; c++)
        if (str_eq(bare_label(str_z(c->label.zh)), s) || str_eq(bare_label(str_z(lang_hant(c->label.zh))), s)) found = c;
    if (!found) found = only_one(l, s, label_means);
    return found ? found : only_one(l, s, one_character);
}

/* Split at strong separators only, for labels may hold spaces; false when a part is no code. */
static bool codes_like(const struct check_env *env, const struct field *f, struct str s, struct val *ret) {
    struct buf b CLEANUP(buf_release) = BUF(2000);
    size_t at = 0, start = 0;
    while (at <= s.n) {
        size_t before = at;
        int32_t c = at < s.n ? utf8_next(s, &at) : (at++, ';');
        if (c != ',' && c != ';' && c != 0x3001 && c != 0xff0c && c != 0xff1b && c != '/' && c != '|' && c != '\n') continue;
        struct str part = str_trim(str_sub(s, start, before));
        start = at;
        if (part.n == 0) continue;
        const struct code *code = code_like(f->codes, env->a, part);
        if (!code) return false;
        if (b.n) buf_addc(&b, ' ');
        buf_addz(&b, code->value);
    }
    *ret = b.n ? VTEXT(arena_str(env->a, buf_str(&b))) : VNULL;
    return true;
}

/* ---- a field ---- */

static bool is_digits(const struct field *f) {
    return f->type == F_ID_NUMBER || f->type == F_PHONE || (f->type == F_TEXT && f->flags & KEY);
}

static int spoilt(const struct check_env *env, const struct field *f, const struct cell *c, struct err *e) {
    const char *seen = arena_strz(env->a, c->text);
    if (c->type == CELL_ERROR) return err_set(e, ERR_INVALID, f->name, M_CELL_ERROR, seen);
    if (c->scientific && is_digits(f))
        return err_set(e, ERR_INVALID, f->name, f->type == F_ID_NUMBER ? M_ID_NUMBER_SCIENTIFIC : M_NUMBER_SCIENTIFIC, seen);
    if (c->type == CELL_DATE && is_digits(f)) return err_set(e, ERR_INVALID, f->name, M_CELL_DATE, seen);
    return 0;
}

static int convert(const struct check_env *env, const struct field *f, const struct cell *c, struct str s, struct val *ret, struct err *e) {
    const struct code *code;
    struct str day;
    switch (f->type) {
    case F_DATE:
    case F_TIME:
        if (from_serial(env, f, c, s, &day)) s = day;
        break;
    case F_INT:
    case F_REAL: s = without_unit(env->a, f, s); break;
    case F_CODE:
        code = code_like(f->codes, env->a, s);
        if (code) return *ret = VTEXTZ(code->value), 0;
        break;
    case F_CODES:
        if (codes_like(env, f, s, ret)) return 0;
        break;
    case F_NAME: s = import_han_name(env->a, utf8_plain(env->a, s)); break;
    default: break;
    }
    return field_from_text(env, f, s, ret, e);
}

static int cell_value(const struct check_env *env, const struct field *f, const struct cell *c, struct val *ret, struct err *e) {
    *ret = VNULL;
    if (c->type == CELL_EMPTY) return 0;
    TRY(spoilt(env, f, c, e));
    struct str s = bare_text(c->text, is_digits(f));
    bool word = f->type == F_NAME || f->type == F_REF;
    if (is_masked(f, s) || (word && says_nothing(env->a, s))) return 0;
    if (convert(env, f, c, s, ret, e) == 0) return 0;
    /* "无" may be the code of a list; only what nothing else takes says nothing. */
    *ret = VNULL;
    return f->type != F_TEXT && says_nothing(env->a, s) ? 0 : -1;
}

/* ---- a row ---- */

struct err *import_row_refuse(struct arena *a, struct import_row *row) {
    if (!row->errs) {
        row->errs = arena_new(a, struct errs, 1);
        row->errs->a = a;
    }
    row->outcome = ROW_REFUSED;
    return errs_next(row->errs);
}

static struct str first_text(const struct import_line *line) {
    for (size_t i = 0; i < line->count; i++)
        if (str_trim(line->cells[i].text).n) return str_trim(line->cells[i].text);
    return STR("");
}

static bool begins_with_one(struct str s, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_starts(s, str_z(words[i]))) return true;
    return false;
}

/* Totals, and the lines of those who made and checked the list: one text, merged or alone, at the end of a page. */
static bool is_remark(struct arena *a, const struct import_line *line) {
    static const char *const totals[] = {"合计", "小计", "总计", "共计", "合計", "小計", "總計", "total", "subtotal", "grandtotal"};
    static const char *const remarks[] = {"制表", "填表", "填报", "审核", "复核", "负责人", "注:", "备注:", "说明:", "製表", "填報", "審核", "note:"};
    struct str first = utf8_fold(a, first_text(line));
    if (begins_with_one(first, totals, COUNT(totals))) return true;
    if (!begins_with_one(first, remarks, COUNT(remarks))) return false;
    size_t different = 0;
    struct str before = STR("");
    for (size_t i = 0; i < line->count; i++) {
        struct str s = str_trim(line->cells[i].text);
        different += s.n && !str_eq(s, before);
        if (s.n) before = s;
    }
    return different <= 3;
}

/* The heading printed again at the top of each page. */
static bool is_heading_again(const struct import_head *h, const struct import_line *heading, const struct import_line *line) {
    size_t same = 0;
    for (size_t i = 0; heading && i < h->n; i++) {
        if (h->columns[i].to == TO_NONE || i >= heading->count || !str_trim(heading->cells[i].text).n) continue;
        if (i >= line->count || !str_eq(str_trim(heading->cells[i].text), str_trim(line->cells[i].text))) return false;
        same++;
    }
    return same > 0;
}

static bool is_blank(const struct import_head *h, const struct import_line *line) {
    for (size_t i = 0; i < h->n && i < line->count; i++) {
        enum import_to to = h->columns[i].to;
        if (to == TO_NONE || to == TO_DROPPED || to == TO_NUMBER || to == TO_REASON) continue;
        if (line->cells[i].type != CELL_EMPTY && str_trim(line->cells[i].text).n) return false;
    }
    return true;
}

/* "502" */
static struct str place_text(const struct check_env *env, const struct cell *c) {
    struct str s = utf8_plain(env->a, bare_text(c->text, false));
    return says_nothing(env->a, s) ? STR("") : s;
}

static void add_part(struct import_row *row, struct str s, int rank) {
    if (s.n == 0 || row->parts_n == PARTS_MOST) return;
    size_t at = row->parts_n++;
    /* In the order of the tree, whatever the order of the columns. */
    for (; at > 0 && row->parts[at - 1].rank > rank; at--) row->parts[at] = row->parts[at - 1];
    row->parts[at] = (struct import_part){s, rank};
}

static void row_error(const struct check_env *env, struct import_row *row, const struct err *e) {
    *import_row_refuse(env->a, row) = *e;
    row->malformed = true;
}

static void read_door(const struct check_env *env, const struct cell *c, struct import_row *row) {
    struct err e;
    if (c->type == CELL_DATE || c->type == CELL_ERROR) {
        enum msg_id what = c->type == CELL_DATE ? M_CELL_DATE : M_CELL_ERROR;
        err_set(&e, ERR_INVALID, "door", what, arena_strz(env->a, c->text));
        row_error(env, row, &e);
        return;
    }
    row->door = place_text(env, c);
}

static void read_id(const struct check_env *env, const struct cell *c, struct import_row *row) {
    struct err e;
    struct str s = utf8_plain(env->a, c->text);
    if (s.n == 0 || id_parse(s, &row->id)) return;
    err_set(&e, ERR_INVALID, "id", M_TYPE_ID);
    row_error(env, row, &e);
}

static void read_cell(const struct check_env *env, const struct kind *k, const struct import_heading *h, const struct cell *c, struct import_row *row) {
    struct err e;
    if (c->type != CELL_EMPTY && h->to != TO_NONE && !utf8_valid(c->text)) {
        err_set(&e, ERR_INVALID, import_target_name(k, h), M_BAD_UTF8);
        row_error(env, row, &e);
        return;
    }
    switch (h->to) {
    case TO_FIELD:
        if (cell_value(env, &k->fields[h->field], c, &row->v[h->field], &e)) row_error(env, row, &e);
        break;
    case TO_ID: read_id(env, c, row); break;
    case TO_AREA_CODE: row->area_code = place_text(env, c); break;
    case TO_AREA: add_part(row, place_text(env, c), h->rank); break;
    case TO_DOOR: read_door(env, c, row); break;
    case TO_HEAD: row->head = import_han_name(env->a, place_text(env, c)); break;
    default: break;
    }
}

bool import_row_read(const struct check_env *env, const struct kind *k, const struct import_head *h, const struct import_line *heading,
                     const struct import_line *line, struct import_row *row) {
    if (is_blank(h, line) || is_remark(env->a, line) || is_heading_again(h, heading, line)) return false;
    *row = (struct import_row){.number = line->number};
    row->v = arena_new(env->a, struct val, k->n);
    row->parts = arena_new(env->a, struct import_part, PARTS_MOST);
    row->cells = arena_new(env->a, struct cell, h->n);
    for (size_t i = 0; i < h->n && i < line->count; i++) {
        row->cells[i] = line->cells[i];
        row->cells[i].text = arena_str(env->a, line->cells[i].text);
        read_cell(env, k, &h->columns[i], &row->cells[i], row);
    }
    return true;
}

/* ---- what a row says, as a digest ---- */

static void add_value(struct digest_state *d, const struct field *f, const struct val *v) {
    if (v->type == V_NULL) return;
    digest_add_str(d, str_z(f->name));
    if (v->type == V_TEXT) digest_add_str(d, v->s);
    else if (v->type == V_ID) digest_add(d, v->id.b, sizeof v->id.b);
    else digest_add(d, &v->i, sizeof v->i);
}

static bool has_time(const struct kind *k) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & REQUIRED && (k->fields[i].type == F_TIME || k->fields[i].type == F_DATE)) return true;
    return false;
}

/* What tells one event from another: who, where and when.  Where no time is asked for, what sort and since when. */
static bool tells(const struct kind *k, size_t i, bool timed) {
    const struct field *f = &k->fields[i];
    switch (f->type) {
    case F_NAME: case F_ID_NUMBER: case F_PHONE: case F_PLATE: case F_PASS: case F_REF: return !(f->flags & READ_ONLY);
    case F_TIME: case F_DATE: return timed ? (f->flags & REQUIRED) != 0 : strcmp(f->name, "since") == 0 || strcmp(f->name, "accepted_on") == 0;
    default: return !timed && f->flags & REQUIRED;
    }
}

static struct import_key digest_key(struct digest_state *d) {
    struct import_key key;
    struct digest end = digest_end(d);
    memcpy(key.b, end.b, sizeof key.b);
    return key;
}

void import_row_digest(const struct kind *k, const struct import_shape *shape, const char *area, struct import_row *row) {
    struct digest_state all, who;
    bool timed = has_time(k);
    digest_start(&all);
    digest_start(&who);
    digest_add_str(&all, row->area_code);
    for (size_t i = 0; i < row->parts_n; i++) digest_add_str(&all, row->parts[i].text);
    digest_add_str(&all, row->door);
    digest_add_str(&all, row->head);
    digest_add_str(&who, area ? str_z(area) : STR(""));
    for (size_t i = 0; i < row->parts_n; i++) digest_add_str(&who, row->parts[i].text);
    for (size_t i = 0; i < k->n; i++) {
        if (k->fields[i].flags & READ_ONLY) continue;
        add_value(&all, &k->fields[i], &row->v[i]);
        if (shape->all_of_it || tells(k, i, timed)) add_value(&who, &k->fields[i], &row->v[i]);
    }
    row->content = digest_key(&all);
    row->identity = digest_key(&who);
}
