/* What there is: kinds with their fields, and areas. */
#include "api/request.h"

#include "api/fields.h"

/* ---- kinds ---- */

static void codes_show(struct request *rq, const struct field *f, struct json_out *o) {
    json_key(o, "codes");
    if (!f->codes) {
        json_null(o);
        return;
    }
    json_array(o);
    for (const struct code *c = f->codes->codes; c->value; c++) {
        json_object(o);
        json_put_strz(o, "value", c->value);
        json_put_strz(o, "label", label_in(c->label, rq->lang));
        json_object_end(o);
    }
    json_array_end(o);
}

static void bound_show(struct json_out *o, const char *key, bool there, double v) {
    json_key(o, key);
    if (there) json_dbl(o, v);
    else json_null(o);
}

static void field_show(struct request *rq, const struct field *f, struct json_out *o) {
    bool bounds = field_is_number(f) && f->min != f->max;
    int most = field_most_characters(f);
    json_object(o);
    json_put_strz(o, "name", f->name);
    json_put_strz(o, "type", field_type_name(f->type));
    json_put_strz(o, "label", label_in(f->label, rq->lang));
    json_put_bool(o, "required", f->flags & REQUIRED);
    json_put_bool(o, "personal", f->flags & (PERSONAL | SEALED));
    json_put_bool(o, "sealed", f->flags & SEALED);
    json_put_bool(o, "read_only", f->flags & READ_ONLY);
    bound_show(o, "max", bounds || most, bounds ? f->max : most);
    bound_show(o, "min", bounds, f->min);
    json_put_strz(o, "unit", f->unit);
    json_put_bool(o, "list", f->flags & LIST);
    json_put_bool(o, "filter", !(f->flags & SEALED) && (f->flags & INDEXED || f->type == F_CODE || f->type == F_BOOL));
    json_put_bool(o, "past", f->flags & PAST);
    codes_show(rq, f, o);
    json_put_strz(o, "ref", f->ref);
    json_object_end(o);
}

static void commands_show(const struct kind *k, struct json_out *o) {
    static const char *const verbs[] = {"create", "update", "remove", "open"};
    const struct command *c;
    char name[96];
    json_key(o, "commands");
    json_array(o);
    for (size_t v = 0; v < COUNT(verbs); v++) {
        if (!kind_takes(k, verbs[v])) continue;
        snprintf(name, sizeof name, "%s.%s", k->name, verbs[v]);
        json_strz(o, name);
    }
    for (size_t i = 0; (c = command_at(i)); i++)
        if (c->kind == k) json_strz(o, c->name);
    json_array_end(o);
}

static void kind_show(struct request *rq, const struct kind *k, struct json_out *o) {
    const char *label = label_in(k->label, rq->lang);
    json_object(o);
    json_put_strz(o, "name", k->name);
    json_put_strz(o, "label", label);
    json_put_strz(o, "plural", rq->lang == LANG_EN ? english_plural(rq->a, label) : label);
    json_put_bool(o, "log", k->flags & KIND_LOG);
    json_put_bool(o, "admin", k->flags & KIND_ADMIN);
    json_put_bool(o, "area", !(k->flags & KIND_NO_AREA));
    json_put_strz(o, "area_from", k->area_from);
    json_key(o, "fields");
    json_array(o);
    for (size_t i = 0; i < k->n; i++) field_show(rq, &k->fields[i], o);
    json_array_end(o);
    commands_show(k, o);
    json_object_end(o);
}

int kinds_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    const struct kind *k;
    (void)e;
    json_object(&o);
    json_key(&o, "kinds");
    json_array(&o);
    for (size_t i = 0; (k = kind_at(i)); i++)
        if (!(k->flags & KIND_ADMIN) || permit_anywhere(rq->actor, k->name, "read")) kind_show(rq, k, &o);
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}

/* ---- areas ---- */

static const char *level_label(struct request *rq, struct str level) {
    const struct kind *k = kind_by_name(STR("area"));
    int f = k ? kind_field(k, STR("level")) : -1;
    const struct code *c = f >= 0 && k->fields[f].codes ? code_find(k->fields[f].codes, level) : NULL;
    return c ? label_in(c->label, rq->lang) : arena_strz(rq->a, level);
}

static void node_show(struct request *rq, const struct area *x, struct json_out *o) {
    char id[ID_TEXT];
    json_object(o);
    json_put_strz(o, "id", id_text(x->id, id));
    json_put_str(o, "code", x->code);
    json_put_str(o, "name", x->name);
    json_put_str(o, "level", x->level);
    json_put_strz(o, "level_label", level_label(rq, x->level));
    json_put_int(o, "children", x->children);
    json_put_str(o, "full", areas_full_name(request_areas(rq), rq->a, x));
    json_object_end(o);
}

static void tops_show(struct request *rq, struct json_out *o) {
    const struct areas *t = request_areas(rq);
    struct str *ranges;
    size_t n = permit_ranges(rq->actor, rq->a, "area", "read", STR(""), &ranges);
    for (size_t i = 0; i < n; i++) {
        const struct area *x = ranges[i].n ? areas_by_path(t, ranges[i]) : NULL;
        if (x) node_show(rq, x, o);
        if (ranges[i].n) continue;
        for (x = t->n ? &t->all[0] : NULL; x; x = x->next_sibling >= 0 ? &t->all[x->next_sibling] : NULL) node_show(rq, x, o);
    }
}

int areas_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct str parent = request_query(rq, "parent");
    const struct areas *t = request_areas(rq);
    const struct area *top = NULL;
    if (parent.n) TRY(request_area_of(rq, parent, "area", "read", &top, e));
    json_object(&o);
    json_key(&o, "areas");
    json_array(&o);
    if (!top) tops_show(rq, &o);
    for (int32_t i = top ? top->first_child : -1; i >= 0; i = t->all[i].next_sibling) node_show(rq, &t->all[i], &o);
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}
