/* Validation and printing of one value by its field.  JSON and text meet in field_from_text wherever the form is the same, so that a
 * spreadsheet, a form and a program are held to one rule. */
#include "core/kind.h"

#include <math.h>

#include "base/utf8.h"
#include "pass/pass.h"
#include "text/text.h"

static const char *const type_names[F__COUNT] = {
    [F_TEXT] = "text", [F_NAME] = "name",   [F_INT] = "int",     [F_REAL] = "real", [F_BOOL] = "bool",
    [F_DATE] = "date", [F_TIME] = "time",   [F_CODE] = "code",   [F_CODES] = "codes", [F_REF] = "ref",
    [F_ID_NUMBER] = "id_number", [F_PHONE] = "phone", [F_PLATE] = "plate", [F_PASS] = "pass_number",
};

const char *field_type_name(enum field_type t) {
    return type_names[t];
}

enum val_type field_val(const struct field *f) {
    if (f->flags & SEALED) return V_BLOB;
    switch (f->type) {
    case F_INT: case F_BOOL: case F_TIME: return V_INT;
    case F_REAL: return V_REAL;
    case F_REF: return V_ID;
    default: return V_TEXT;
    }
}

bool field_is_text(const struct field *f) {
    return !(f->flags & SEALED) && field_val(f) == V_TEXT;
}

const char *field_column(const struct field *f) {
    switch (field_val(f)) {
    case V_INT: return "{int}";
    case V_REAL: return "{real}";
    case V_ID: return "{id}";
    case V_BLOB: return "{blob}";
    default: return "{text}";
    }
}

int kind_field(const struct kind *k, struct str name) {
    for (size_t i = 0; i < k->n; i++)
        if (str_eqz(name, k->fields[i].name)) return (int)i;
    return -1;
}

int kind_way(const struct kind *k) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].ref && (k->fields[i].flags & (INDEXED | REQUIRED)) == (INDEXED | REQUIRED)) return (int)i;
    return -1;
}

const struct code *code_find(const struct code_list *l, struct str value) {
    for (const struct code *c = l->codes; c->value; c++)
        if (str_eqz(value, c->value)) return c;
    return NULL;
}

const struct code *code_guess(const struct code_list *l, struct str text) {
    const struct code *exact = code_find(l, text);
    if (exact) return exact;
    for (const struct code *c = l->codes; c->value; c++)
        if (str_eqz(text, c->label.zh) || str_ieq(text, str_z(c->label.en)) || str_eqz(text, lang_hant(c->label.zh)) ||
            str_ieq(text, str_z(c->value)))
            return c;
    return NULL;
}

struct err *errs_next(struct errs *es) {
    INVARIANT(es->a);
    if (!es->e) es->e = arena_new(es->a, struct err, ERRS_MOST);
    if (es->n < ERRS_MOST) es->n++;
    return &es->e[es->n - 1];
}

/* ---- from text ---- */

static int code_refused(const struct field *f, struct arena *a, struct str s, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(400);
    for (const struct code *c = f->codes->codes; c->value && b.n < 60; c++) {
        if (b.n) buf_addz(&b, ", ");
        buf_addz(&b, c->value);
    }
    return err_set(e, ERR_INVALID, f->name, M_CODE, arena_strz(a, s), b.p ? b.p : "");
}

/* Adds a code unless it is there. */
static void add_code(struct buf *b, const char *value) {
    struct str rest = buf_str(b), part;
    while (str_cut(&rest, ' ', &part))
        if (str_eqz(part, value)) return;
    if (b->n) buf_addc(b, ' ');
    buf_addz(b, value);
}

static int add_words(const struct check_env *env, const struct field *f, struct str words, struct buf *b, struct err *e) {
    struct str word;
    while (str_cut(&words, ' ', &word)) {
        const struct code *code = code_guess(f->codes, word);
        if (!code && word.n) return code_refused(f, env->a, word, e);
        if (code) add_code(b, code->value);
    }
    return 0;
}

/* Between commas and the like stands one code, its label (which may be of several words) or several codes. */
static int codes_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(4000);
    size_t at = 0, start = 0;
    while (at <= s.n) {
        size_t before = at;
        int32_t c = at < s.n ? utf8_next(s, &at) : (at++, ',');
        bool gap = c == ',' || c == ';' || c == 0x3001 || c == 0xff0c || c == 0xff1b || c == '/' || c == '|';
        if (!gap) continue;
        struct str part = str_trim(str_sub(s, start, before));
        const struct code *code = code_guess(f->codes, part);
        if (code) add_code(&b, code->value);
        else TRY(add_words(env, f, part, &b, e));
        start = at;
    }
    *ret = b.n ? VTEXT(arena_str(env->a, buf_str(&b))) : VNULL;
    return 0;
}

static int number_range(const struct field *f, double v, struct err *e) {
    if (f->min == f->max || (v >= f->min && v <= f->max)) return 0;
    char lo[32], hi[32];
    snprintf(lo, sizeof lo, "%.12g", f->min);
    snprintf(hi, sizeof hi, "%.12g", f->max);
    return err_set(e, ERR_INVALID, f->name, M_RANGE, lo, hi);
}

static int int_value(const struct field *f, int64_t v, struct val *ret, struct err *e) {
    TRY(number_range(f, (double)v, e));
    *ret = VINT(v);
    return 0;
}

static int real_value(const struct field *f, double v, struct val *ret, struct err *e) {
    TRY(number_range(f, v, e));
    *ret = VREAL(v + 0.0); /* -0 is stored as 0, and the row must be what its digest was made of */
    return 0;
}

static int bool_from_text(const struct check_env *env UNUSED, const struct field *f, struct str s, struct val *ret, struct err *e) {
    static const char *const yes[] = {"true", "1", "yes", "y", "是", "有", "√", "对"};
    static const char *const no[] = {"false", "0", "no", "n", "否", "无", "没有", "×"};
    for (size_t i = 0; i < COUNT(yes); i++)
        if (str_ieq(s, str_z(yes[i]))) return *ret = VINT(1), 0;
    for (size_t i = 0; i < COUNT(no); i++)
        if (str_ieq(s, str_z(no[i]))) return *ret = VINT(0), 0;
    return err_set(e, ERR_INVALID, f->name, M_TYPE_BOOL);
}

static int not_future(const struct check_env *env, const struct field *f, bool future, struct err *e) {
    char today[DAY_TEXT];
    if (!(f->flags & PAST) || !future) return 0;
    return err_set(e, ERR_INVALID, f->name, M_FUTURE, day_text(env->today, today));
}

static int date_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    day_t d;
    char text[DAY_TEXT];
    if (!day_parse(s, &d)) return err_set(e, ERR_INVALID, f->name, M_TYPE_DATE);
    TRY(not_future(env, f, d > env->today, e));
    *ret = VTEXT(arena_str(env->a, str_z(day_text(d, text))));
    return 0;
}

static int time_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    int64_t at;
    if (!tz_parse(env->tz, s, &at)) return err_set(e, ERR_INVALID, f->name, M_TYPE_TIME);
    TRY(not_future(env, f, at > env->now + PAST_AHEAD_US, e));
    *ret = VINT(at);
    return 0;
}

static int plain_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    size_t most = f->max > 0 ? (size_t)f->max : 200;
    if (utf8_length(s) > most) {
        char n[24];
        snprintf(n, sizeof n, "%zu", most);
        return err_set(e, ERR_INVALID, f->name, M_TOO_LONG, n);
    }
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\t' && s.p[i] != '\r')
            return err_set(e, ERR_INVALID, f->name, s.p[i] ? M_CONTROL : M_NUL);
    *ret = VTEXT(arena_str(env->a, s));
    return 0;
}

static int id_number_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    struct str folded = utf8_fold(env->a, s);
    if (str_find(folded, STR("e+")) > 0) return err_set(e, ERR_INVALID, f->name, M_ID_NUMBER_SCIENTIFIC, arena_strz(env->a, s));
    day_t birth;
    if (!text_id_number(folded, &birth, NULL) || birth > env->today) return err_set(e, ERR_INVALID, f->name, M_ID_NUMBER);
    char *upper = arena_strz(env->a, folded);
    if (upper[17] == 'x') upper[17] = 'X';
    *ret = VTEXT(((struct str){upper, folded.n}));
    return 0;
}

static int int_from_text(const struct check_env *env UNUSED, const struct field *f, struct str s, struct val *ret, struct err *e) {
    int64_t i;
    /* Spreadsheets write whole numbers as 3.0 too. */
    if (str_ends(s, STR(".0"))) s = str_sub(s, 0, s.n - 2);
    if (!str_to_int(s, INT64_MIN, INT64_MAX, &i)) return err_set(e, ERR_INVALID, f->name, M_TYPE_INT);
    return int_value(f, i, ret, e);
}

static int real_from_text(const struct check_env *env UNUSED, const struct field *f, struct str s, struct val *ret, struct err *e) {
    double r;
    if (!str_to_real(s, -1e300, 1e300, &r)) return err_set(e, ERR_INVALID, f->name, M_TYPE_REAL);
    return real_value(f, r, ret, e);
}

static int code_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    const struct code *c = code_guess(f->codes, s);
    if (!c) return code_refused(f, env->a, s, e);
    *ret = VTEXTZ(c->value);
    return 0;
}

static int ref_from_text(const struct check_env *env UNUSED, const struct field *f UNUSED, struct str s, struct val *ret, struct err *e UNUSED) {
    struct id id;
    *ret = id_parse(s, &id) ? VID(id) : VTEXT(s);
    return 0;
}

static int phone_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    struct str got;
    if (!text_phone(env->a, s, &got)) return err_set(e, ERR_INVALID, f->name, M_PHONE);
    *ret = VTEXT(got);
    return 0;
}

static int plate_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    struct str got;
    if (!text_plate(env->a, s, &got)) return err_set(e, ERR_INVALID, f->name, M_PLATE);
    *ret = VTEXT(got);
    return 0;
}

static int pass_from_text(const struct check_env *env, const struct field *f, struct str s, struct val *ret, struct err *e) {
    char number[PASS_NUMBER];
    if (!pass_number_parse(s, number)) return err_set(e, ERR_INVALID, f->name, M_PASS_NUMBER);
    *ret = VTEXT(arena_str(env->a, str_z(number)));
    return 0;
}

int field_from_text(const struct check_env *env, const struct field *f, struct str text, struct val *ret, struct err *e) {
    static int (*const readers[F__COUNT])(const struct check_env *, const struct field *, struct str, struct val *, struct err *) = {
        [F_TEXT] = plain_text,      [F_NAME] = plain_text,      [F_INT] = int_from_text,     [F_REAL] = real_from_text,
        [F_BOOL] = bool_from_text,  [F_DATE] = date_from_text,  [F_TIME] = time_from_text,   [F_CODE] = code_from_text,
        [F_CODES] = codes_from_text, [F_REF] = ref_from_text,   [F_ID_NUMBER] = id_number_from_text,
        [F_PHONE] = phone_from_text, [F_PLATE] = plate_from_text,
        [F_PASS] = pass_from_text,
    };
    if (!utf8_valid(text)) return err_set(e, ERR_INVALID, f->name, M_BAD_UTF8);
    struct str s = f->type == F_TEXT ? str_trim(text) : utf8_plain(env->a, text);
    if (s.n) return readers[f->type](env, f, s, ret, e);
    *ret = VNULL;
    return 0;
}

/* ---- from JSON ---- */

static const enum msg_id wrong_type[F__COUNT] = {
    [F_TEXT] = M_TYPE_TEXT, [F_NAME] = M_TYPE_TEXT, [F_INT] = M_TYPE_INT, [F_REAL] = M_TYPE_REAL, [F_BOOL] = M_TYPE_BOOL,
    [F_DATE] = M_TYPE_DATE, [F_TIME] = M_TYPE_TIME, [F_CODE] = M_TYPE_TEXT, [F_CODES] = M_TYPE_TEXT, [F_REF] = M_TYPE_ID,
    [F_ID_NUMBER] = M_TYPE_TEXT, [F_PHONE] = M_TYPE_TEXT, [F_PLATE] = M_TYPE_TEXT, [F_PASS] = M_TYPE_TEXT,
};

static int codes_from_json(const struct check_env *env, const struct field *f, const struct json *j, struct val *ret, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(4000);
    for (const struct json *c = j->first; c; c = c->next) {
        if (c->type != JSON_STRING) return err_set(e, ERR_INVALID, f->name, M_TYPE_TEXT);
        if (!code_find(f->codes, c->text)) return code_refused(f, env->a, c->text, e);
        add_code(&b, code_find(f->codes, c->text)->value);
    }
    *ret = b.n ? VTEXT(arena_str(env->a, buf_str(&b))) : VNULL;
    return 0;
}

int field_from_json(const struct check_env *env, const struct field *f, const struct json *j, struct val *ret, struct err *e) {
    int64_t i;
    double r;
    if (j->type == JSON_NULL) return *ret = VNULL, 0;
    switch (f->type) {
    case F_INT:
        if (!json_int(j, &i)) break;
        return int_value(f, i, ret, e);
    case F_REAL:
        if (!json_real(j, &r) || !isfinite(r)) break;
        return real_value(f, r, ret, e);
    case F_BOOL:
        if (j->type != JSON_TRUE && j->type != JSON_FALSE) break;
        return *ret = VINT(j->type == JSON_TRUE), 0;
    case F_CODES:
        if (j->type != JSON_ARRAY) break;
        return codes_from_json(env, f, j, ret, e);
    case F_CODE:
        if (j->type != JSON_STRING) break;
        if (j->text.n == 0) return *ret = VNULL, 0;
        if (!code_find(f->codes, j->text)) return code_refused(f, env->a, j->text, e);
        return *ret = VTEXTZ(code_find(f->codes, j->text)->value), 0;
    default:
        if (j->type != JSON_STRING) break;
        return field_from_text(env, f, j->text, ret, e);
    }
    return err_set(e, ERR_INVALID, f->name, wrong_type[f->type]);
}

/* ---- out ---- */

void field_to_json(const struct tz *tz, const struct field *f, const struct val *v, struct json_out *o) {
    char text[MAX(ID_TEXT, TIME_TEXT)];
    if (v->type == V_NULL) {
        json_null(o);
        return;
    }
    switch (f->type) {
    case F_INT: json_num(o, v->i); break;
    case F_REAL: json_dbl(o, v->r); break;
    case F_BOOL: json_bool(o, v->i); break;
    case F_TIME: json_strz(o, tz_text(tz, v->i, text)); break;
    case F_REF: json_strz(o, id_text(v->id, text)); break;
    case F_CODES: {
        struct str rest = v->s, part;
        json_array(o);
        while (str_cut(&rest, ' ', &part)) json_str(o, part);
        json_array_end(o);
        break;
    }
    default: json_str(o, v->s);
    }
}

static void code_to_text(const struct field *f, struct str value, enum lang lang, struct buf *to) {
    const struct code *c = code_find(f->codes, value);
    buf_add_str(to, c ? str_z(label_in(c->label, lang)) : value);
}

void field_to_text(const struct tz *tz, const struct field *f, const struct val *v, enum lang lang, struct buf *to) {
    static const struct label yes = {"是", "yes"}, no = {"否", "no"};
    char text[MAX(ID_TEXT, TIME_TEXT)];
    if (v->type == V_NULL) return;
    switch (f->type) {
    case F_INT: buf_add_int(to, v->i); break;
    case F_REAL: {
        struct json_out o = JSON_OUT(to);
        json_dbl(&o, v->r);
        break;
    }
    case F_BOOL: buf_addz(to, label_in(v->i ? yes : no, lang)); break;
    case F_TIME: {
        /* Without the zone: a file is read where it was written. */
        struct str t = str_z(tz_text(tz, v->i, text));
        buf_add_str(to, str_sub(t, 0, 10));
        buf_addc(to, ' ');
        buf_add_str(to, str_sub(t, 11, t.n - 6));
        break;
    }
    case F_REF: buf_addz(to, id_text(v->id, text)); break;
    case F_CODE: code_to_text(f, v->s, lang, to); break;
    case F_CODES: {
        struct str rest = v->s, part;
        for (bool first = true; str_cut(&rest, ' ', &part); first = false) {
            if (!first) buf_addz(to, lang == LANG_EN ? "; " : "、");
            code_to_text(f, part, lang, to);
        }
        break;
    }
    default: buf_add_str(to, v->s);
    }
}

struct str field_mask(struct arena *a, const struct field *f, struct str plain) {
    switch (f->type) {
    case F_ID_NUMBER: return text_mask_id_number(a, plain);
    case F_PHONE: return text_mask_phone(a, plain);
    case F_NAME: return text_mask_name(a, plain);
    default: return text_mask_other(a, plain);
    }
}
