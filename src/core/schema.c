#include "core/schema.h"

#include "core/core_stmts.h"
#include "core/record.h"
#include "core/system.h"

static const struct {
    int number;
    const char *sql;
} migrations[] = {
#define MIGRATION(number, ...) {number, __VA_ARGS__},
#include "core/migrations.inc"
#undef MIGRATION
};

int schema_newest(void) {
    return migrations[COUNT(migrations) - 1].number;
}

static int run_migrations(struct db *db, int64_t now, int version, bool *ret_any, struct err *e) {
    int64_t have = 0;
    char text[24];
    if (db_table_exists(db, "migration") && db_int_n(db, CS(schema_version), NULL, 0, &have, e) < 0) return -1;
    snprintf(text, sizeof text, "%d", (int)have);
    if (have > schema_newest()) return err_set(e, ERR_STATE, NULL, M_SCHEMA_NEWER, text);
    for (size_t i = 0; i < COUNT(migrations); i++) {
        if (migrations[i].number <= have || migrations[i].number > version) continue;
        TRY(db_script(db, str_z(migrations[i].sql), e));
        TRY(db_run(db, CS(schema_version_add), e, VINT(migrations[i].number), VINT(now)));
        *ret_any = true;
    }
    return 0;
}

/* "kind.column" of every column that is there, sorted. */
struct columns {
    const char **names;
    size_t n;
};

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_columns(struct db *db, struct arena *a, struct columns *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    enum { MOST = 8192 };
    const char **names = arena_new(a, const char *, MOST);
    size_t n = 0;
    int r;
    TRY(db_query_n(db, CS(schema_columns), NULL, 0, &rows, e));
    while ((r = rows_next(rows, e)) == 1) {
        INVARIANT(n < MOST);
        names[n++] = arena_printf(a, "%.*s.%.*s", STR_FMT(rows_text(rows, 0)), STR_FMT(rows_text(rows, 1)));
    }
    if (r < 0) return -1;
    qsort(names, n, sizeof *names, by_text);
    *ret = (struct columns){names, n};
    return 0;
}

/* A table as the schema must have it: that of a kind, which is known by the kind's name, or of a month. */
struct wanted {
    const char *name, *table, *ddl;
    struct arena *a;
    const struct columns *have;
    bool is_new, changed;
};

static bool has_column(const struct wanted *w, const char *column) {
    const char *full = arena_printf(w->a, "%s.%s", w->name, column);
    return bsearch(&full, w->have->names, w->have->n, sizeof *w->have->names, by_text) != NULL;
}

static int want_column(struct db *db, struct wanted *w, const char *column, const char *type, struct err *e) {
    if (has_column(w, column)) return 0;
    if (!w->is_new) TRY(db_script(db, str_z(arena_printf(w->a, "ALTER TABLE %s ADD COLUMN %s %s", w->table, column, type)), e));
    w->changed = true;
    return db_run(db, CS(schema_column_add), e, VTEXTZ(w->name), VTEXTZ(column));
}

static int update_table(struct db *db, struct wanted *w, const struct kind *k, bool whole, struct err *e) {
    w->is_new = !has_column(w, "id");
    if (w->is_new) TRY(db_script(db, str_z(w->ddl), e));
    TRY(want_column(db, w, "id", "{id}", e));
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        if (!whole && f->flags & (PERSONAL | SEALED)) continue;
        TRY(want_column(db, w, f->name, field_column(f), e));
        if (f->flags & FIND) TRY(want_column(db, w, arena_printf(w->a, "%s_hash", f->name), "{blob}", e));
    }
    /* Again, for indexes that are new or of new columns. */
    return w->changed && !w->is_new ? db_script(db, str_z(w->ddl), e) : 0;
}

static int update_kind(struct db *db, struct arena *a, const struct columns *have, const struct kind *k, bool migrated, struct err *e) {
    const struct kind_sql *q = kind_sql(k);
    struct wanted own = {.name = k->name, .table = kind_table(k), .ddl = q->ddl, .a = a, .have = have, .changed = migrated};
    TRY(update_table(db, &own, k, true, e));
    for (size_t m = 0; m < q->months_n; m++) {
        struct wanted month = {.name = q->months[m].name, .table = q->months[m].name, .ddl = q->months[m].ddl, .a = a, .have = have, .changed = migrated};
        TRY(update_table(db, &month, k, false, e));
    }
    /* Rows may be older than the table of their places. */
    return migrated && q->places && db_table_exists(db, "log_place") ? db_script(db, str_z(q->places), e) : 0;
}

static int update_all(struct db *db, int64_t now, int version, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct columns have;
    TRY(db_lock_schema(db, e));
    bool migrated = false;
    TRY(run_migrations(db, now, version, &migrated, e));
    TRY(read_columns(db, &a, &have, e));
    for (size_t i = 0; i < kind_count(); i++) TRY(update_kind(db, &a, &have, kind_at(i), migrated, e));
    return db_plan(db, e);
}

int schema_update(struct db *db, int64_t now, struct err *e) {
    return schema_update_to(db, now, schema_newest(), e);
}

int schema_update_to(struct db *db, int64_t now, int version, struct err *e) {
    TRY(db_begin(db, true, e));
    int r = update_all(db, now, version, e);
    if (r == 0) r = db_commit(db, e);
    if (r) db_rollback(db);
    return r;
}
