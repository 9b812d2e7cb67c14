/* One value by its field: tests/vectors/validation.jsonl, which the browser's tests run as well, and what text brings beside JSON. */
#include "core_help.h"

#define VECTORS "tests/vectors/validation.jsonl"

static struct str printed(const struct check_env *env, const struct field *f, const struct val *v) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct json_out o = JSON_OUT(&b);
    field_to_json(env->tz, f, v, &o);
    return arena_str(env->a, buf_str(&b));
}

static struct str rewritten(struct arena *a, const struct json *j) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct json_out o = JSON_OUT(&b);
    json_value(&o, j);
    return arena_str(a, buf_str(&b));
}

static const struct field *field_named(struct str kind, struct str field) {
    const struct kind *k = kind_by_name(kind);
    int i = k ? kind_field(k, field) : -1;
    if (i < 0) unit_fail(__FILE__, __LINE__, "%.*s.%.*s is not known", STR_FMT(kind), STR_FMT(field));
    return &k->fields[i];
}

static void try_vector(const struct check_env *env, int line, const struct json *j) {
    const struct field *f = field_named(json_text(j, "kind"), json_text(j, "field"));
    struct val v = VNULL;
    struct err e = {0};
    int r = field_from_json(env, f, json_get(j, "json"), &v, &e);
    bool ok = json_get(j, "ok")->type == JSON_TRUE;
    if (ok != (r == 0)) unit_fail(VECTORS, line, "is %s %s", r ? "refused:" : "taken", msg_name(e.msg));
    if (!ok) {
        const char *reason = msg_name(e.msg);
        if (!str_eqz(json_text(j, "reason"), reason)) unit_fail(VECTORS, line, "the reason is %s", reason);
        CHECK_STR(str_z(e.field), f->name);
        return;
    }
    struct str is = printed(env, f, &v), want = rewritten(env->a, json_get(j, "value"));
    if (!str_eq(is, want)) unit_fail(VECTORS, line, "gives %.*s", STR_FMT(is));
}

TEST(the_vectors_of_validation_hold) {
    char text[8192];
    int line = 0;
    world_make();
    struct check_env env = {.a = &w.a, .tz = w.s->tz};
    FILE *f = fopen(VECTORS, "rb");
    CHECK(f);
    while (fgets(text, sizeof text, f)) {
        struct json *j;
        struct err e;
        line++;
        if (json_parse(&w.a, arena_str(&w.a, str_trim(str_z(text))), NULL, &j, &e)) unit_fail(VECTORS, line, "is not JSON: %s", e.arg[1]);
        if (line == 1) {
            CHECK_STR(json_text(j, "timezone"), w.s->tz_name);
            CHECK(tz_parse(w.s->tz, json_text(j, "now"), &env.now));
            env.today = tz_day(w.s->tz, env.now);
        } else {
            try_vector(&env, line, j);
        }
    }
    fclose(f);
    CHECK(line > 150);
    world_close();
}

/* ---- text: what stands in cells ---- */

static const char *as_text(const char *kind, const char *field, const char *text) {
    const struct field *f = field_named(str_z(kind), str_z(field));
    struct check_env env = site_env(w.s, &w.a);
    struct val v;
    struct err e;
    if (field_from_text(&env, f, str_z(text), &v, &e)) return msg_name(e.msg);
    return arena_strz(&w.a, printed(&env, f, &v));
}

#define READS(kind, field, text, want) CHECK_STR(str_z(as_text(kind, field, text)), want)

TEST(cells_are_read_as_people_write_them) {
    world_make();
    READS("gate_scan", "persons", "3.0", "3");
    READS("gate_scan", "persons", " ３ ", "3");
    READS("gate_scan", "persons", "3.5", "TYPE_INT");
    READS("gate_scan", "temperature", "36.5", "36.5");
    READS("gate_scan", "temperature", "-0", "RANGE");
    READS("gate", "x", "-0", "0");
    READS("gate", "round_the_clock", "是", "true");
    READS("gate", "round_the_clock", "NO", "false");
    READS("gate", "round_the_clock", "也许", "TYPE_BOOL");
    READS("gate", "kind_of", "道路卡点", "\"road\"");
    READS("gate", "kind_of", "motorway EXIT", "\"motorway_exit\"");
    READS("resident", "care", "独居老人、慢性病", "[\"elderly_alone\",\"chronic\"]");
    READS("resident", "care", "Elderly living alone; Chronic illness, chronic", "[\"elderly_alone\",\"chronic\"]");
    READS("resident", "care", "chronic pregnant  chronic", "[\"chronic\",\"pregnant\"]");
    READS("resident", "care", "、 ，", "null");
    READS("resident", "care", "独居老人 慢病", "CODE");
    READS("resident", "name", "\xff", "BAD_UTF8");
    world_close();
}

TEST(what_is_written_for_people_is_read_again) {
    world_make();
    struct check_env env = site_env(w.s, &w.a);
    const struct kind *resident = kind_by_name(STR("resident")), *gate = kind_by_name(STR("gate")), *scan = kind_by_name(STR("gate_scan"));
    const struct field *const fields[] = {&resident->fields[kind_field(resident, STR("care"))], &gate->fields[kind_field(gate, STR("kind_of"))],
                                          &gate->fields[kind_field(gate, STR("round_the_clock"))], &scan->fields[kind_field(scan, STR("seen_at"))],
                                          &scan->fields[kind_field(scan, STR("temperature"))]};
    const struct val values[] = {VTEXT(STR("elderly_alone chronic child_left_alone")), VTEXT(STR("motorway_exit")), VINT(1), VINT(env.now), VREAL(36.6)};
    for (size_t i = 0; i < COUNT(fields); i++)
        for (enum lang l = 0; l < LANG__COUNT; l++) {
            struct buf b CLEANUP(buf_release) = BUF(4096);
            struct val v;
            struct err e;
            field_to_text(env.tz, fields[i], &values[i], l, &b);
            if (field_from_text(&env, fields[i], buf_str(&b), &v, &e)) unit_fail(__FILE__, __LINE__, "%s: %s", b.p, msg_name(e.msg));
            CHECK(val_eq(&v, &values[i]));
        }
    world_close();
}
