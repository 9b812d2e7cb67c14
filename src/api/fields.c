#include "api/fields.h"

bool field_is_number(const struct field *f) {
    return f->type == F_INT || f->type == F_REAL;
}

int field_most_characters(const struct field *f) {
    enum { DEFAULT = 200 };
    if (f->type != F_TEXT && f->type != F_NAME) return 0;
    return f->max > 0 ? (int)f->max : DEFAULT;
}

bool kind_takes(const struct kind *k, const char *verb) {
    bool sealed = false;
    for (size_t i = 0; i < k->n; i++) sealed |= (k->fields[i].flags & SEALED) != 0;
    if (strcmp(verb, "open") == 0) return sealed;
    bool changes = strcmp(verb, "update") == 0 || strcmp(verb, "remove") == 0;
    return !(k->flags & KIND_LOG && changes);
}

const char *english_plural(struct arena *a, const char *label) {
    struct str s = str_z(label);
    if (str_ends(s, STR("s"))) return label;
    if (str_ends(s, STR("y")) && !str_ends(s, STR("ay"))) return arena_printf(a, "%.*sies", (int)s.n - 1, label);
    ptrdiff_t of = str_find(s, STR(" of "));
    if (of > 0) return arena_printf(a, "%.*ss%s", (int)of, label, label + of);
    return arena_printf(a, "%ss", label);
}
