/* Commands as they come in, up to where the database begins: what is accepted lies within the bounds of its field, prints as JSON, and what is
 * printed is accepted again and means the same. */
#include "base/utf8.h"
#include "core/command.h"
#include "systems/systems.h"
#include "text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct site site;

static void start(void) {
    if (site.tz) return;
    site_program_init(systems_all);
    site.tz = tz_open("Asia/Shanghai");
    INVARIANT(site.tz && tz_parse(site.tz, STR("2020-02-10 12:00"), &site.clock.fixed_us));
}

static void check_codes(const struct field *f, struct str text) {
    struct str part;
    while (str_cut(&text, ' ', &part)) INVARIANT(code_find(f->codes, part));
}

static void check_text(const struct check_env *env, const struct field *f, struct str s) {
    day_t day;
    INVARIANT(s.n && utf8_valid(s) && str_find_char(s, 0) < 0);
    switch (f->type) {
    case F_DATE:
        INVARIANT(day_from_iso(s, &day));
        INVARIANT(!(f->flags & PAST) || day <= env->today);
        break;
    case F_CODE: INVARIANT(code_find(f->codes, s)); break;
    case F_CODES: check_codes(f, s); break;
    case F_ID_NUMBER: INVARIANT(s.n == 18 && text_id_number(s, &day, NULL) && day <= env->today); break;
    case F_PHONE: INVARIANT(s.n >= 5 && s.n <= 20); break;
    case F_TEXT:
    case F_NAME: INVARIANT(utf8_length(s) <= (f->max > 0 ? (size_t)f->max : 200)); break;
    default: break;
    }
}

static void check_bounds(const struct check_env *env, const struct field *f, const struct val *v) {
    bool bounded = f->min != f->max;
    switch (v->type) {
    case V_NULL: break;
    case V_INT:
        INVARIANT(f->type == F_INT || f->type == F_BOOL || f->type == F_TIME);
        if (f->type == F_BOOL) INVARIANT(v->i == 0 || v->i == 1);
        if (f->type == F_INT && bounded) INVARIANT((double)v->i >= f->min && (double)v->i <= f->max);
        if (f->type == F_TIME && f->flags & PAST) INVARIANT(v->i <= env->now + 300 * US_PER_SECOND);
        break;
    case V_REAL:
        INVARIANT(f->type == F_REAL && v->r == v->r && v->r - v->r == 0);
        if (bounded) INVARIANT(v->r >= f->min && v->r <= f->max);
        break;
    case V_ID: INVARIANT(f->type == F_REF); break;
    default: check_text(env, f, v->s);
    }
}

static struct str print(const struct check_env *env, const struct field *f, const struct val *v) {
    struct buf b CLEANUP(buf_release) = BUF(8 << 20);
    struct json_out o = JSON_OUT(&b);
    if (v->type == V_TEXT && f->type == F_REF) json_str(&o, v->s); /* a key, to be looked up */
    else field_to_json(env->tz, f, v, &o);
    INVARIANT(!b.failed);
    return arena_str(env->a, buf_str(&b));
}

static void check_round(const struct check_env *env, const struct field *f, const struct val *v) {
    struct err e;
    struct json *j;
    struct val back;
    struct str text = print(env, f, v);
    INVARIANT(json_parse(env->a, text, NULL, &j, &e) == 0);
    INVARIANT(field_from_json(env, f, j, &back, &e) == 0);
    INVARIANT(val_eq(v, &back));
}

static void check_call(const struct command_call *call, struct arena *a) {
    struct check_env env = site_env(&site, a);
    INVARIANT(call->name && call->kind && !id_is_nil(call->id) && (call->fingerprint || call->kind->flags & KIND_LOG));
    for (size_t i = 0; call->values && i < call->kind->n; i++) {
        const struct field *f = &call->kind->fields[i];
        INVARIANT(call->given[i] || call->values[i].type == V_NULL);
        if (!call->given[i]) continue;
        INVARIANT(!(f->flags & READ_ONLY));
        check_bounds(&env, f, &call->values[i]);
        check_round(&env, f, &call->values[i]);
    }
}

/* The same text of each value, as a cell of a table: what JSON takes and prints, text takes too. */
static void check_cells(const struct command_call *call, struct arena *a) {
    struct check_env env = site_env(&site, a);
    for (size_t i = 0; call->values && i < call->kind->n; i++) {
        const struct field *f = &call->kind->fields[i];
        struct buf b CLEANUP(buf_release) = BUF(8 << 20);
        struct val back;
        struct err e;
        if (call->values[i].type == V_NULL || f->type == F_TIME || (f->type == F_REF && call->values[i].type == V_TEXT)) continue;
        field_to_text(env.tz, f, &call->values[i], LANG_EN, &b);
        INVARIANT(field_from_text(&env, f, buf_str(&b), &back, &e) == 0);
        INVARIANT(val_eq(&back, &call->values[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a CLEANUP(arena_release) = {0};
    struct command_call call = {.a = &a, .actor = &actor_system}, again = call;
    struct json *j;
    struct err e;
    start();
    if (size > 65536 || json_parse(&a, arena_str(&a, (struct str){(const char *)data, size}), NULL, &j, &e)) return 0;
    if (command_parse(&site, j, &call, &e)) {
        INVARIANT(e.code == ERR_INVALID || e.code == ERR_BAD_REQUEST);
        return 0;
    }
    check_call(&call, &a);
    check_cells(&call, &a);
    INVARIANT(command_parse(&site, j, &again, &e) == 0 && again.fingerprint == call.fingerprint);
    return 0;
}
