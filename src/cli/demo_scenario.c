#include "cli/demo_scenario.h"

#include <errno.h>

enum { FILE_MOST = 8 << 20, NEST_MOST = 50000 };

/* ---- members ---- */

static int missing(struct err *e, const char *what, size_t i, const char *name) {
    char field[48];
    snprintf(field, sizeof field, "%s[%zu].%s", what, i, name);
    return err_set(e, ERR_INVALID, field, M_REQUIRED);
}

static int get_text(const struct json *o, const char *what, size_t i, const char *name, struct str *ret, struct err *e) {
    *ret = json_text(o, name);
    return ret->n ? 0 : missing(e, what, i, name);
}

static int get_day(const struct json *o, const char *name, day_t *ret, struct err *e) {
    struct str text = json_text(o, name);
    if (!text.p || day_from_iso(text, ret)) return 0;
    return err_set(e, ERR_INVALID, name, M_TYPE_DATE);
}

/* ---- areas ---- */

static int area_index(const struct scenario *sc, struct str code) {
    for (size_t i = 0; i < sc->areas_n; i++)
        if (str_eq(sc->areas[i].code, code)) return (int)i;
    return -1;
}

static int read_children(const struct json *children, struct scenario_area *x, struct err *e) {
    for (const struct json *m = children ? children->first : NULL; m; m = m->next) {
        size_t level = 0;
        while (level < NEST_LEVELS && !str_eqz(m->key, nest_levels[level])) level++;
        if (level == NEST_LEVELS) return err_set(e, ERR_INVALID, "children", M_UNKNOWN_FIELD);
        if (!json_int(m, &x->children[level]) || x->children[level] < 0 || x->children[level] > NEST_MOST)
            return err_set(e, ERR_INVALID, "children", M_RANGE, "0", "50000");
    }
    return 0;
}

static int read_area(struct arena *a, struct scenario *sc, const struct json *j, struct err *e) {
    struct scenario_area x = {.parent = -1, .place = -1};
    struct str level, parent = json_text(j, "parent");
    size_t i = sc->areas_n;
    TRY(get_text(j, "areas", i, "code", &x.code, e));
    TRY(get_text(j, "areas", i, "name", &x.name, e));
    TRY(get_text(j, "areas", i, "level", &level, e));
    x.level = arena_strz(a, level);
    if (area_level_rank(level) < 0) return err_set(e, ERR_INVALID, "level", M_CODE, x.level, "province, city, county, township, community, village");
    if (area_index(sc, x.code) >= 0) return err_set(e, ERR_INVALID, "areas", M_SAME_CODE, arena_strz(a, x.code));
    if (parent.n) x.parent = area_index(sc, parent);
    if (parent.n && x.parent < 0) return err_set(e, ERR_INVALID, "parent", M_NO_RECORD, arena_strz(a, parent), "areas");
    TRY(read_children(json_get(j, "children"), &x, e));
    sc->areas[sc->areas_n++] = x;
    return 0;
}

/* ---- facts ---- */

static int read_dims(const struct json *dims, struct fact *f, struct err *e) {
    for (const struct json *m = dims ? dims->first : NULL; m; m = m->next) {
        if (m->type != JSON_STRING || m->text.n == 0 || f->n == COUNT(f->dims)) return err_set(e, ERR_INVALID, "dim", M_TYPE_TEXT);
        f->dims[f->n++] = (struct dim){m->key, m->text};
    }
    return 0;
}

static int read_rel(struct arena *a, const struct json *j, enum fact_rel *ret, struct err *e) {
    struct str rel = json_text(j, "rel");
    if (!rel.p || str_eq(rel, STR("="))) *ret = FACT_EQUAL;
    else if (str_eq(rel, STR(">="))) *ret = FACT_LEAST;
    else if (str_eq(rel, STR("<="))) *ret = FACT_MOST;
    else return err_set(e, ERR_INVALID, "rel", M_CODE, arena_strz(a, rel), "=, >=, <=");
    return 0;
}

static int read_period(const struct scenario *sc, const struct json *j, struct fact *f, struct err *e) {
    day_t on = DAY_NONE;
    f->from = f->to = DAY_NONE;
    TRY(get_day(j, "on", &on, e));
    TRY(get_day(j, "from", &f->from, e));
    TRY(get_day(j, "to", &f->to, e));
    if (f->to == DAY_NONE) f->to = on != DAY_NONE ? on : sc->to;
    if (f->from == DAY_NONE) f->from = on != DAY_NONE ? on : f->to;
    if (f->to == DAY_NONE) return missing(e, "facts", f->number, "on");
    return f->from <= f->to ? 0 : err_set(e, ERR_INVALID, "to", M_BEFORE, "from");
}

static int read_fact(struct arena *a, struct scenario *sc, const struct json *j, struct err *e) {
    struct fact f = {.number = sc->facts_n + 1};
    const struct json *value = json_get(j, "value");
    TRY(get_text(j, "facts", f.number, "indicator", &f.indicator, e));
    TRY(get_text(j, "facts", f.number, "area", &f.area, e));
    TRY(read_rel(a, j, &f.rel, e));
    TRY(read_period(sc, j, &f, e));
    TRY(read_dims(json_get(j, "dim"), &f, e));
    if (!value || !json_real(value, &f.value) || f.value < 0) return err_set(e, ERR_INVALID, "value", M_TYPE_REAL);
    f.place = area_index(sc, f.area);
    if (f.place < 0) return err_set(e, ERR_INVALID, "area", M_NO_RECORD, arena_strz(a, f.area), "areas");
    f.figure = figure_by_id(f.indicator);
    f.state = f.figure ? FACT_WAITING : FACT_SKIPPED;
    sc->facts[sc->facts_n++] = f;
    return 0;
}

static int facts_of(struct arena *a, const struct json *list, struct scenario *sc, struct err *e) {
    sc->facts = arena_new(a, struct fact, list->count);
    for (const struct json *j = list->first; j; j = j->next) TRY(read_fact(a, sc, j, e));
    for (size_t i = 0; i < sc->facts_n; i++) {
        if (sc->from == DAY_NONE || sc->facts[i].from < sc->from) sc->from = sc->facts[i].from;
        if (sc->to == DAY_NONE || sc->facts[i].to > sc->to) sc->to = sc->facts[i].to;
    }
    return sc->facts_n ? 0 : err_set(e, ERR_INVALID, "facts", M_REQUIRED);
}

int scenario_parse(struct arena *a, struct str text, struct scenario *ret, struct err *e) {
    struct scenario sc = {.from = DAY_NONE, .to = DAY_NONE};
    struct json *j;
    TRY(json_parse(a, text, NULL, &j, e));
    const struct json *areas = json_get(j, "areas"), *facts = json_get(j, "facts");
    struct str tz = json_text(j, "timezone");
    if (!areas || areas->type != JSON_ARRAY || !areas->first) return err_set(e, ERR_INVALID, "areas", M_REQUIRED);
    if (!facts || facts->type != JSON_ARRAY) return err_set(e, ERR_INVALID, "facts", M_REQUIRED);
    sc.tz = tz.n ? arena_strz(a, tz) : "Asia/Shanghai";
    TRY(get_day(j, "from", &sc.from, e));
    TRY(get_day(j, "to", &sc.to, e));
    sc.areas = arena_new(a, struct scenario_area, areas->count);
    for (const struct json *x = areas->first; x; x = x->next) TRY(read_area(a, &sc, x, e));
    TRY(facts_of(a, facts, &sc, e));
    *ret = sc;
    return 0;
}

int scenario_read(struct arena *a, const char *path, struct scenario *ret, struct err *e) {
    FILE *f = fopen(path, "rb");
    if (!f) return err_set(e, ERR_NOT_FOUND, "--scenario", M_FILE, path, strerror(errno));
    struct buf b CLEANUP(buf_release) = BUF(FILE_MOST);
    char bytes[65536];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0) buf_add(&b, bytes, n);
    bool bad = ferror(f);
    fclose(f);
    if (bad || b.failed) return err_set(e, ERR_IO, "--scenario", M_FILE, path, b.failed ? "> 8 MB" : "");
    return scenario_parse(a, arena_str(a, buf_str(&b)), ret, e);
}

void fact_number(double v, char out[32]) {
    snprintf(out, 32, "%.10g", v);
}

const char *fact_label(struct arena *a, const struct fact *f) {
    static const char *const rels[] = {"=", ">=", "<="};
    struct buf b CLEANUP(buf_release) = BUF(4096);
    char day[DAY_TEXT], number[32];
    buf_addf(&b, "#%zu %.*s", f->number, STR_FMT(f->indicator));
    for (size_t i = 0; i < f->n; i++) buf_addf(&b, " %.*s=%.*s", STR_FMT(f->dims[i].field), STR_FMT(f->dims[i].value));
    fact_number(f->value, number);
    buf_addf(&b, " %.*s %s %s %s", STR_FMT(f->area), day_text(f->to, day), rels[f->rel], number);
    return arena_strz(a, buf_str(&b));
}
