/* Figures compiled to rules.  A figure's `when` and `cuts` are texts in a table of the program, so whatever is wrong with one
 * is our own mistake and stops the start. */
#include "core/figure_internal.h"

#include "base/utf8.h"

static struct arena memory;
static struct rule *rules;
static size_t rules_n;
static struct rule_list *by_kind;

const struct rule *rule_of(const struct figure *f) {
    for (size_t i = 0; i < rules_n; i++)
        if (rules[i].f == f) return &rules[i];
    INVARIANT(!"a figure of the registry");
    return NULL;
}

const struct rule *rule_named(struct str id) {
    const struct figure *f = figure_by_id(id);
    return f ? rule_of(f) : NULL;
}

struct rule_list rules_of(const struct kind *k) {
    return by_kind[kind_index(k)];
}

/* ---- compiling ---- */

static int known_field(const struct kind *k, struct str name) {
    int i = kind_field(k, name);
    INVARIANT(i >= 0);
    return i;
}

static int day_field(const struct kind *k, const char *name) {
    if (!name) return -1;
    int i = known_field(k, str_z(name));
    INVARIANT(k->fields[i].type == F_DATE || k->fields[i].type == F_TIME);
    return i;
}

static bool is_number(const struct field *f) {
    return f->type == F_INT || f->type == F_BOOL || f->type == F_REAL;
}

static double number_of(struct str s) {
    double v = 0;
    if (str_eq(s, STR("true"))) return 1;
    if (str_eq(s, STR("false"))) return 0;
    INVARIANT(str_to_real(s, -1e15, 1e15, &v));
    return v;
}

static void compile_values(const struct field *f, struct str values, struct rule_test *t) {
    size_t most = 1;
    for (size_t i = 0; i < values.n; i++) most += values.p[i] == '|';
    struct str *texts = arena_new(&memory, struct str, most), part;
    double *numbers = arena_new(&memory, double, most);
    t->number = is_number(f);
    INVARIANT(t->number || (field_is_text(f) && (t->op == OP_ANY || t->op == OP_NONE)));
    while (str_cut(&values, '|', &part)) {
        texts[t->n] = str_trim(part);
        INVARIANT(texts[t->n].n && (!f->codes || code_find(f->codes, texts[t->n])));
        if (t->number) numbers[t->n] = number_of(texts[t->n]);
        t->n++;
    }
    INVARIANT(t->n && (t->n == 1 || t->op == OP_ANY || t->op == OP_NONE));
    t->texts = texts;
    t->numbers = numbers;
}

static void compile_test(const struct kind *k, struct str cond, struct rule_test *t) {
    static const struct {
        const char *sign;
        enum rule_op op;
        bool bare;
    } ops[] = {{"!=", OP_NONE, false}, {">=", OP_FROM, false}, {"=", OP_ANY, false}, {"<", OP_BELOW, false}, {"?", OP_SET, true}, {"!", OP_EMPTY, true}};
    size_t n = 0, i = 0;
    while (n < cond.n && !strchr("!?=<>", cond.p[n])) n++;
    struct str rest = str_sub(cond, n, cond.n);
    while (i < COUNT(ops) && !str_starts(rest, str_z(ops[i].sign))) i++;
    INVARIANT(i < COUNT(ops));
    rest = str_trim(str_sub(rest, strlen(ops[i].sign), rest.n));
    t->field = known_field(k, str_trim(str_sub(cond, 0, n)));
    t->op = ops[i].op;
    INVARIANT(ops[i].bare == (rest.n == 0));
    if (!ops[i].bare) compile_values(&k->fields[t->field], rest, t);
}

static void compile_when(struct rule *u) {
    struct str rest = str_z(u->f->when), part;
    size_t most = 1;
    for (size_t i = 0; i < rest.n; i++) most += rest.p[i] == '&';
    u->tests = arena_new(&memory, struct rule_test, most);
    while (str_cut(&rest, '&', &part)) compile_test(u->f->kind, str_trim(part), &u->tests[u->tests_n++]);
}

/* What stands in a cut stands in the figures of every area above, for whoever may see them: never a person's. */
static void check_cut_field(const struct field *f) {
    INVARIANT(!(f->flags & (PERSONAL | SEALED)));
    INVARIANT(f->type != F_CODES && f->type != F_REAL && f->type != F_TIME);
}

static const struct rule_cut *find_cut(const struct rule *u, struct str name) {
    for (size_t i = 0; i < u->cuts_n; i++)
        if (str_eq(u->cuts[i].name, name)) return &u->cuts[i];
    return NULL;
}

static void compile_cuts(struct rule *u) {
    struct str rest = str_z(u->f->cuts), part, field;
    bool counted = u->f->how == FLOW || u->f->how == STOCK;
    while (str_cut(&rest, ',', &part)) {
        struct str name = part;
        str_cut(&name, '=', &field);
        if (!name.p) name = field;
        field = str_trim(field);
        name = str_trim(name);
        INVARIANT(u->cuts_n < RULE_CUTS && name.n && name.n < CUT_NAME && !find_cut(u, name));
        int i = u->f->kind ? kind_field(u->f->kind, field) : -1;
        INVARIANT(i >= 0 || !counted);
        if (i >= 0) check_cut_field(&u->f->kind->fields[i]);
        u->cuts[u->cuts_n++] = (struct rule_cut){name, i};
    }
}

static void compile_ratio(struct rule *u) {
    u->part = rule_named(str_z(u->f->part));
    u->whole = rule_named(str_z(u->f->whole));
    INVARIANT(u->part && u->whole && u->part->f->how != RATIO && u->whole->f->how != RATIO);
    for (size_t i = 0; i < u->cuts_n; i++) INVARIANT(find_cut(u->part, u->cuts[i].name) && find_cut(u->whole, u->cuts[i].name));
    if (u->cuts_n) return;
    for (size_t i = 0; i < u->part->cuts_n; i++)
        if (find_cut(u->whole, u->part->cuts[i].name)) u->cuts[u->cuts_n++] = (struct rule_cut){u->part->cuts[i].name, -1};
}

static void check_shape(const struct figure *f, bool counted) {
    INVARIANT(f->kind || !counted);
    INVARIANT(f->how != FLOW || (f->on && !f->until));
    INVARIANT(counted || (!f->on && !f->until && !f->sum && !f->when && !f->own_area_only));
    INVARIANT((f->how == RATIO) == (f->part && f->whole));
    INVARIANT((f->how == QUERY) == (f->query != NULL));
    INVARIANT(f->how != QUERY || f->query->slot);
    INVARIANT(!f->rows || (f->kind && f->rows->slot));
}

static void compile(struct rule *u, const struct figure *f, size_t index) {
    bool counted = f->how == FLOW || f->how == STOCK;
    *u = (struct rule){.f = f, .index = (uint32_t)index, .on = -1, .until = -1, .sum = -1};
    check_shape(f, counted);
    compile_cuts(u);
    if (!counted) return;
    u->on = day_field(f->kind, f->on);
    u->until = day_field(f->kind, f->until);
    if (f->sum) u->sum = known_field(f->kind, str_z(f->sum));
    INVARIANT(!f->sum || f->kind->fields[u->sum].type == F_INT);
    if (f->when) compile_when(u);
    if (f->how == FLOW && f->kind->fields[u->on].flags & INDEXED) span_build(&memory, u);
    INVARIANT(u->span.sql || !(f->kind->flags & KIND_LOG)); /* its rows have no other way */
}

static bool same_cuts(const struct rule *a, const struct rule *b) {
    if (a->cuts_n != b->cuts_n) return false;
    for (size_t i = 0; i < a->cuts_n; i++)
        if (a->cuts[i].field != b->cuts[i].field || !str_eq(a->cuts[i].name, b->cuts[i].name)) return false;
    return true;
}

static void list_rules(const struct kind *k, struct rule_list *ret) {
    const struct rule **all = arena_new(&memory, const struct rule *, rules_n);
    size_t sets = 0, n = 0;
    for (size_t i = 0; i < rules_n; i++) {
        struct rule *u = &rules[i];
        if (u->f->kind != k || (u->f->how != FLOW && u->f->how != STOCK)) continue;
        size_t j = 0;
        while (j < n && !same_cuts(all[j], u)) j++;
        u->cut_set = j < n ? all[j]->cut_set : sets++;
        all[n++] = u;
    }
    INVARIANT(sets <= CUT_SETS);
    *ret = (struct rule_list){all, n};
}

void figures_build(void) {
    INVARIANT(!rules);
    stmt_register(figure_stmts, ST__COUNT);
    size_t n = 0;
    while (figure_at(n)) n++;
    rules = arena_new(&memory, struct rule, n);
    for (; rules_n < n; rules_n++) compile(&rules[rules_n], figure_at(rules_n), rules_n);
    for (size_t i = 0; i < n; i++)
        if (rules[i].f->how == RATIO) compile_ratio(&rules[i]);
    by_kind = arena_new(&memory, struct rule_list, kind_count());
    for (size_t i = 0; i < kind_count(); i++) list_rules(kind_at(i), &by_kind[i]);
}

/* ---- evaluating ---- */

static bool is_empty(const struct val *v) {
    return v->type == V_NULL || (v->type == V_TEXT && v->s.n == 0);
}

static bool text_in(const struct rule_test *t, struct str s) {
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->texts[i], s)) return true;
    return false;
}

static bool holds_any(const struct rule_test *t, const struct field *f, const struct val *v) {
    if (t->number) {
        double x = v->type == V_REAL ? v->r : (double)v->i;
        for (size_t i = 0; i < t->n; i++)
            if (t->numbers[i] == x) return true;
        return false;
    }
    if (f->type != F_CODES) return text_in(t, v->s);
    struct str rest = v->s, part;
    while (str_cut(&rest, ' ', &part))
        if (text_in(t, part)) return true;
    return false;
}

static bool test_holds(const struct rule_test *t, const struct record *r) {
    const struct val *v = &r->v[t->field];
    bool empty = is_empty(v);
    double x;
    switch (t->op) {
    case OP_SET: return !empty;
    case OP_EMPTY: return empty;
    case OP_ANY: return !empty && holds_any(t, &r->kind->fields[t->field], v);
    case OP_NONE: return empty || !holds_any(t, &r->kind->fields[t->field], v);
    default:
        if (empty) return false;
        x = v->type == V_REAL ? v->r : (double)v->i;
        return t->op == OP_FROM ? x >= t->numbers[0] : x < t->numbers[0];
    }
}

static day_t day_of(const struct tz *tz, const struct record *r, int field) {
    if (field < 0) return DAY_NONE;
    const struct val *v = &r->v[field];
    day_t d = DAY_NONE;
    if (v->type == V_INT) return tz_day(tz, v->i);
    if (v->type == V_TEXT) day_from_iso(v->s, &d);
    return d;
}

bool rule_counts(const struct rule *u, const struct tz *tz, const struct record *r, struct counts *ret) {
    if (r->removed) return false;
    for (size_t i = 0; i < u->tests_n; i++)
        if (!test_holds(&u->tests[i], r)) return false;
    int64_t amount = 1;
    if (u->sum >= 0) amount = r->v[u->sum].type == V_INT ? r->v[u->sum].i : 0;
    if (amount == 0) return false;
    day_t on = day_of(tz, r, u->on), until = day_of(tz, r, u->until);
    if (u->f->how == FLOW && on == DAY_NONE) return false;
    if (until != DAY_NONE && until <= on) return false;
    *ret = (struct counts){on, until, amount};
    return true;
}

/* ---- cuts ---- */

size_t cut_value(struct str v, char out[CUT_VALUE]) {
    size_t n = 0;
    for (size_t at = 0; at < v.n;) {
        size_t from = at;
        int32_t c = utf8_next(v, &at);
        struct str put = str_sub(v, from, at);
        if (c == ';') put = STR("；");
        if (c == ',') put = STR("，");
        if (c < ' ') put = STR(" ");
        if (n + put.n > CUT_VALUE) break;
        memcpy(out + n, put.p, put.n);
        n += put.n;
    }
    return n;
}

static size_t value_text(const struct field *f, const struct val *v, char out[CUT_VALUE]) {
    char id[ID_TEXT];
    switch (f->type) {
    case F_BOOL: return cut_value(v->i ? STR("true") : STR("false"), out);
    case F_INT: return (size_t)snprintf(out, CUT_VALUE, "%lld", (long long)v->i);
    case F_REF:
        memcpy(out, id_text(v->id, id), ID_TEXT - 1);
        return ID_TEXT - 1;
    case F_CODE:
    case F_DATE:
        if (v->s.n <= CUT_VALUE) return memcpy(out, v->s.p, v->s.n), v->s.n;
        return cut_value(v->s, out);
    default: return cut_value(v->s, out);
    }
}

size_t rule_cut(const struct rule *u, const struct record *r, char out[CUT_TEXT]) {
    size_t n = 0;
    for (size_t i = 0; i < u->cuts_n; i++) {
        const struct rule_cut *c = &u->cuts[i];
        if (c->field < 0 || is_empty(&r->v[c->field])) continue;
        if (n) out[n++] = ';';
        memcpy(out + n, c->name.p, c->name.n);
        n += c->name.n;
        out[n++] = '=';
        n += value_text(&r->kind->fields[c->field], &r->v[c->field], out + n);
    }
    return n;
}

static bool has_part(struct str cut, struct str want) {
    struct str part;
    while (str_cut(&cut, ';', &part))
        if (str_eq(part, want)) return true;
    return false;
}

bool cut_holds(struct str cut, struct str want) {
    struct str part;
    while (str_cut(&want, ';', &part))
        if (!has_part(cut, part)) return false;
    return true;
}

struct str cut_get(struct str cut, struct str name) {
    struct str part;
    while (str_cut(&cut, ';', &part))
        if (part.n > name.n && part.p[name.n] == '=' && str_starts(part, name)) return str_sub(part, name.n + 1, part.n);
    return STR_NONE;
}

/* ---- dims ---- */

static int no_dim(struct arena *a, const struct figure_query *q, struct str name, struct err *e) {
    return err_set(e, ERR_INVALID, "dim", M_NO_DIM, arena_strz(a, name), q->figure->id);
}

int dims_cut(struct arena *a, const struct figure_query *q, struct str *ret, struct err *e) {
    const struct rule *u = rule_of(q->figure);
    char text[CUT_TEXT];
    size_t n = 0;
    INVARIANT(q->n <= COUNT(q->dims));
    for (size_t i = 0; i < q->n; i++)
        if (!find_cut(u, q->dims[i].field)) return no_dim(a, q, q->dims[i].field, e);
    for (size_t i = 0; i < u->cuts_n; i++)
        for (size_t j = 0; j < q->n; j++) {
            struct str name = u->cuts[i].name;
            if (!str_eq(name, q->dims[j].field)) continue;
            if (n) text[n++] = ';';
            memcpy(text + n, name.p, name.n);
            n += name.n;
            text[n++] = '=';
            n += cut_value(q->dims[j].value, text + n);
        }
    *ret = arena_str(a, (struct str){text, n});
    return 0;
}

static bool asked_already(const struct figure_query *q, struct str name) {
    for (size_t i = 0; i < q->n; i++)
        if (str_eq(q->dims[i].field, name)) return true;
    return false;
}

int dims_parse(struct arena *a, struct str text, struct figure_query *q, struct err *e) {
    const struct rule *u = rule_of(q->figure);
    for (size_t from = 0, at = 0; at <= text.n; at++) {
        if (at < text.n && text.p[at] != ';' && text.p[at] != ',') continue;
        struct str part = str_trim(str_sub(text, from, at));
        from = at + 1;
        if (part.n == 0) continue;
        size_t sep = 0;
        while (sep < part.n && part.p[sep] != '=' && part.p[sep] != ':') sep++;
        struct str name = str_trim(str_sub(part, 0, sep)), value = str_trim(str_sub(part, sep + 1, part.n));
        if (!find_cut(u, name)) return no_dim(a, q, name, e);
        if (value.n == 0) return err_set(e, ERR_INVALID, "dim", M_REQUIRED);
        if (asked_already(q, name)) return err_set(e, ERR_INVALID, "dim", M_DUPLICATE_FIELD);
        INVARIANT(q->n < COUNT(q->dims));
        q->dims[q->n++] = (struct dim){arena_str(a, name), arena_str(a, value)};
    }
    return 0;
}

static void add_text(struct digest_state *d, const char *z) {
    digest_add_str(d, str_z(z));
}

struct digest figures_digest(void) {
    struct digest_state d;
    digest_start(&d);
    for (size_t i = 0; i < rules_n; i++) {
        const struct figure *f = rules[i].f;
        if (f->how != FLOW && f->how != STOCK) continue;
        uint8_t how[2] = {f->how == STOCK, f->own_area_only};
        digest_add(&d, how, sizeof how);
        add_text(&d, f->id);
        add_text(&d, f->kind->name);
        add_text(&d, f->on);
        add_text(&d, f->until);
        add_text(&d, f->sum);
        add_text(&d, f->when);
        add_text(&d, f->cuts);
    }
    return digest_end(&d);
}
