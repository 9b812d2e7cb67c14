#include "core/trace.h"

#include "core/site.h"

int trace_value(struct site *s, struct arena *a, const struct kind *k, size_t field, struct str text, struct val *ret, struct err *e) {
    const struct field *f = &k->fields[field];
    struct check_env env = site_env(s, a);
    INVARIANT(f->flags & TRACE);
    TRY(field_from_text(&env, f, text, ret, e));
    if (ret->type != V_TEXT) return err_set(e, ERR_INVALID, f->name, M_REQUIRED);
    if (f->flags & FIND) {
        char *hash = arena_alloc(a, 16);
        find_hash(&s->key, kind_sql(k)->field_names[field], ret->s, (uint8_t *)hash);
        *ret = VBLOB(((struct str){hash, 16}));
    }
    return 0;
}

static int rows_of_day(struct db *db, struct site *s, struct arena *a, const struct trace *t, int64_t day, struct record *to, size_t limit, size_t *ret_n,
                       struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(db_query(db, &kind_sql(t->kind)->trace[t->field], &rows, e, VINT(s->id), VINT(day * TRACE_SLOTS), t->value, VINT(t->from), VINT(t->before), VID(t->before_id),
                 VINT((int64_t)limit)));
    for (*ret_n = 0; (got = rows_next(rows, e)) == 1; ++*ret_n) record_read(a, t->kind, rows, &to[*ret_n]);
    return got;
}

int trace_rows(struct db *db, struct site *s, struct arena *a, const struct trace *t, size_t limit, struct record **ret, size_t *ret_n, struct err *e) {
    struct record *all = arena_new(a, struct record, limit);
    int64_t first = MAX(t->from, (int64_t)0) / US_PER_DAY;
    size_t n = 0, found;
    for (int64_t day = t->before / US_PER_DAY; day >= first && n < limit; day--, n += found)
        TRY(rows_of_day(db, s, a, t, day, all + n, limit - n, &found, e));
    *ret = all;
    *ret_n = n;
    return 0;
}
