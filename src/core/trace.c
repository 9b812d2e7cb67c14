#include "core/trace.h"

#include "core/site.h"
#include "core/trace_run.h"

int trace_value(struct site *s, struct arena *a, const struct kind *k, size_t field, struct str text, uint64_t *ret, struct err *e) {
    const struct field *f = &k->fields[field];
    struct check_env env = site_env(s, a);
    struct val v;
    char hash[16];
    TRY(field_from_text(&env, f, text, &v, e));
    if (v.type != V_TEXT) return err_set(e, ERR_INVALID, f->name, M_REQUIRED);
    if (f->flags & FIND) find_hash(&s->key, kind_sql(k)->field_names[field], v.s, (uint8_t *)hash);
    *ret = trace_number(&s->key, k, field, f->flags & FIND ? (struct str){hash, sizeof hash} : v.s);
    return 0;
}

/* In the order of before and before_id: a page begins behind the one before it. */
static bool is_before(const struct trace *t, const struct trace_entry *x) {
    return x->seen < t->before || memcmp(x->id.b, t->before_id.b, sizeof x->id.b) < 0;
}

int trace_rows(struct db *db, struct site *s, struct arena *a, const struct trace *t, size_t limit, struct record **ret, size_t *ret_n, struct err *e) {
    struct record *all = arena_new(a, struct record, limit), *r;
    struct trace_entry *found;
    size_t n = 0, found_n;
    TRY(trace_find(db, s->id, a, t->kind, t->value, t->from, t->before, &found, &found_n, e));
    for (size_t i = 0; i < found_n && n < limit; i++) {
        if (!is_before(t, &found[i])) continue;
        int there = record_load_fresh(db, s->id, a, t->kind, found[i].id, &r, e);
        if (there < 0) return -1;
        if (there && r->v[t->field].type != V_NULL) all[n++] = *r;
    }
    *ret = all;
    *ret_n = n;
    return 0;
}
