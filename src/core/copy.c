/* Each transaction looks under a lock at the mark and at the last key that is there, so nothing need be remembered between them: neither a
 * killed process nor a second one that copies at the same time leaves a gap. */
#include "core/copy.h"

#include "core/core_stmts.h"
#include "core/journal.h"
#include "core/schema.h"
#include "core/table.h"
#include "core/trace_run.h"

enum { KEY_MOST = 5 };

struct copy {
    struct site *source;
    struct db *from, *to;
    int64_t site, done, total, at_once;
    struct str mark; /* where the source ends: of two runs from the same state it is the same */
    const struct copy_options *o;
    struct arena *a;
};

/* ---- the mark ---- */

int copy_is_unfinished(struct db *db, int64_t site, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str mark;
    return setting_get(db, site, &a, "copy", &mark, e);
}

/* The rules of the tallies belong to it: a newer program counts them anew and leaves the journal as it was. */
static int read_mark(struct copy *c, int64_t *ret_seq, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    struct str figures = STR("");
    struct digest hash;
    TRY(journal_end(c->from, c->site, ret_seq, &hash, e));
    if (setting_get(c->from, c->site, c->a, "figures", &figures, e) < 0) return -1;
    buf_addf(&b, "%lld ", (long long)*ret_seq);
    hex_add(&b, hash.b, sizeof hash.b);
    buf_addf(&b, " %.*s", STR_FMT(figures));
    c->mark = arena_str(c->a, buf_str(&b));
    return 0;
}

/* First in each transaction: 1 when the mark is this run's, 0 when it is another, -1 when there is none. */
static int lock_mark(struct copy *c, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(c->to, CS(copy_lock), &rows, e, VINT(c->site)));
    int there = rows_next(rows, e);
    if (there < 0) return -1;
    if (there == 0) return err_set(e, ERR_CONFLICT, NULL, M_SITE_EXISTS, c->o->name);
    return str_eq(rows_text(rows, 0), c->mark);
}

static int count_rows(struct db *db, int64_t site, int64_t *ret, struct err *e) {
    const struct table *t;
    *ret = 0;
    for (size_t i = 0; (t = table_at(i)); i++) {
        int64_t n = 0;
        if (t->place != TABLE_BY_SITE || t->life != TABLE_JOURNALLED) continue;
        if (db_int(db, &t->count, &n, e, VINT(site)) < 0) return -1;
        *ret += n;
    }
    return 0;
}

/* ---- the beginning ---- */

static int put_mark(struct copy *c, struct err *e) {
    struct str key;
    int there = setting_get(c->from, c->site, c->a, "key", &key, e);
    if (there < 0) return -1;
    if (there == 0) return err_set(e, ERR_STATE, NULL, M_KEY_OTHER, c->source->dir);
    TRY(tables_erase(c->to, c->site, e));
    TRY(setting_put(c->to, c->site, "key", key, e));
    return setting_put(c->to, c->site, "copy", c->mark, e);
}

static int begin_copy(struct copy *c, struct err *e) {
    int64_t settings = 0, rows = 0;
    int unfinished = copy_is_unfinished(c->to, c->site, e);
    if (unfinished < 0) return -1;
    TRY(count_rows(c->to, c->site, &rows, e));
    if (unfinished) {
        int same = lock_mark(c, e);
        if (same < 0 || (same && !c->o->again)) return same < 0 ? -1 : 0;
        if (rows > 0 && !c->o->again) return err_set(e, ERR_STATE, NULL, M_COPY_CHANGED, c->source->dir);
        return put_mark(c, e);
    }
    if (db_int(c->to, &table_by_name("setting")->count, &settings, e, VINT(c->site)) < 0) return -1;
    if (settings + rows > 0) return err_set(e, ERR_CONFLICT, NULL, M_SITE_EXISTS, c->o->name);
    return put_mark(c, e);
}

/* A column of a newer program would be left behind without a word. */
static int check_columns(struct copy *c, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int r;
    TRY(db_query_n(c->from, CS(schema_columns), NULL, 0, &rows, e));
    while ((r = rows_next(rows, e)) == 1) {
        const struct kind *k = kind_by_name(rows_text(rows, 0));
        const struct table *t = table_by_name(k ? kind_table(k) : arena_strz(c->a, rows_text(rows, 0)));
        bool known = false;
        for (size_t i = 0; t && i < t->n && !known; i++) known = str_eqz(rows_text(rows, 1), t->columns[i].name);
        if (!known) return err_set(e, ERR_STATE, NULL, M_SCHEMA_NEWER, arena_printf(c->a, "%.*s.%.*s", STR_FMT(rows_text(rows, 0)), STR_FMT(rows_text(rows, 1))));
    }
    return r;
}

/* ---- rows ---- */

/* The rows of `read`, which is open on the source, into the target. */
static int insert_rows(struct copy *c, const struct table *t, struct rows *read, int64_t *ret_n, struct err *e) {
    struct val *v = arena_new(c->a, struct val, t->n);
    int r;
    v[0] = VINT(c->site);
    while ((r = rows_next(read, e)) == 1) {
        for (size_t i = 1; i < t->n; i++) v[i] = rows_val(read, (int)i - 1, t->columns[i].type);
        TRY(db_run_n(c->to, &t->insert, v, t->n, NULL, e));
        ++*ret_n;
    }
    return r;
}

/* 1 with the greatest key in the target behind the site in `key`. */
static int last_key(struct copy *c, const struct table *t, struct val key[KEY_MOST], struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(c->to, &t->last, &rows, e, VINT(c->site)));
    int r = rows_next(rows, e);
    for (size_t i = 1; r == 1 && i < t->key_n; i++) {
        struct val v = rows_val(rows, (int)i - 1, t->columns[i].type);
        key[i] = val_copy(c->a, &v);
    }
    return r;
}

static int copy_some(struct copy *c, const struct table *t, int64_t *ret_n, struct err *e) {
    struct rows *read CLEANUP(rows_donep) = NULL;
    struct val v[KEY_MOST + 1] = {VINT(c->site)};
    INVARIANT(t->key_n <= KEY_MOST);
    int mine = lock_mark(c, e);
    if (mine < 0) return -1;
    if (!mine) return err_set(e, ERR_STATE, NULL, M_COPY_CHANGED, c->source->dir);
    int begun = last_key(c, t, v, e);
    if (begun < 0) return -1;
    v[begun ? t->key_n : 1] = VINT(c->at_once);
    TRY(db_query_n(c->from, begun ? &t->after : &t->first, v, begun ? t->key_n + 1 : 2, &read, e));
    return insert_rows(c, t, read, ret_n, e);
}

/* What changes without the journal is copied as a whole, and with it the mark goes: in the settings of the source there is none. */
static int finish_copy(struct copy *c, struct err *e) {
    const struct table *t;
    int mine = lock_mark(c, e);
    if (mine < 0) return -1;
    if (!mine) return err_set(e, ERR_STATE, NULL, M_COPY_CHANGED, c->source->dir);
    for (size_t i = 0; (t = table_at(i)); i++) {
        struct rows *read CLEANUP(rows_donep) = NULL;
        if (t->place != TABLE_BY_SITE || t->life != TABLE_BESIDE) continue;
        TRY(db_run(c->to, &t->erase, e, VINT(c->site)));
        TRY(db_query(c->from, &t->first, &read, e, VINT(c->site), VINT(INT64_MAX)));
        TRY(insert_rows(c, t, read, &c->done, e));
    }
    for (size_t i = 0; i < kind_count(); i++)
        if (trace_kind(kind_at(i))) TRY(trace_mark_missing(c->to, c->site, kind_at(i), e));
    return 0;
}

/* ---- the run ---- */

static int settle(struct copy *c, int result, struct err *e) {
    if (result == 0) result = db_commit(c->to, e);
    if (result) db_rollback(c->to);
    return result;
}

static int copy_table(struct copy *c, const struct table *t, struct err *e) {
    int64_t n;
    do {
        struct arena a CLEANUP(arena_release) = {0};
        struct copy some = *c;
        some.a = &a;
        n = 0;
        TRY(db_begin(c->to, true, e));
        TRY(settle(c, copy_some(&some, t, &n, e), e));
        c->done += n;
        if (n > 0 && c->o->progress && !c->o->progress(c->o->arg, c->done, c->total)) return err_set(e, ERR_STATE, NULL, M_COPY_UNFINISHED, c->o->name);
    } while (n == c->at_once);
    return 0;
}

static int copy_all(struct copy *c, struct copy_result *ret, struct err *e) {
    const struct table *t;
    TRY(check_columns(c, e));
    TRY(read_mark(c, &ret->seq, e));
    TRY(count_rows(c->from, c->site, &c->total, e));
    TRY(db_begin(c->to, true, e));
    TRY(settle(c, begin_copy(c, e), e));
    TRY(count_rows(c->to, c->site, &c->done, e));
    ret->before = c->done;
    for (size_t i = 0; (t = table_at(i)); i++)
        if (t->place == TABLE_BY_SITE && t->life == TABLE_JOURNALLED) TRY(copy_table(c, t, e));
    TRY(db_begin(c->to, true, e));
    TRY(settle(c, finish_copy(c, e), e));
    ret->rows = c->done;
    return 0;
}

int copy_site(struct site *from, const char *to, const struct copy_options *o, struct copy_result *ret, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct db *target CLEANUP(db_closep) = NULL;
    struct copy c = {.source = from, .site = from->id, .o = o, .at_once = o->at_once ? o->at_once : 4000, .a = &a};
    TRY(db_open(to, DB_CREATE, &target, e));
    TRY(schema_update(target, site_now(from), e));
    c.to = target;
    TRY(site_reader(from, &c.from, e));
    int r = copy_all(&c, ret, e);
    site_reader_done(from, c.from);
    return r ? r : db_checkpoint(target, NULL, e); /* so that what reads it next finds its way */
}
