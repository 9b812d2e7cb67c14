/* The list of tables and their SQL.  The texts built here hold names from the program's own tables only; values are always parameters. */
#include "core/record.h"
#include "core/system.h"
#include "core/table.h"

#define C(name, type) {#name, V_##type},
#define TABLE(name, place, life, key_n, columns) static const struct table_column name##_columns[] = {columns};
#include "core/tables.inc"
#undef TABLE

#define TABLE(name, place, life, key_n, columns) {#name, TABLE_##place, TABLE_##life, name##_columns, COUNT(name##_columns), key_n, NULL},
static const struct table core_tables[] = {
#include "core/tables.inc"
};
#undef TABLE
#undef C

static struct table *tables;
static size_t tables_n;
static struct arena table_arena;

const struct table *table_at(size_t i) {
    return i < tables_n ? &tables[i] : NULL;
}

const struct table *table_by_name(const char *name) {
    for (size_t i = 0; i < tables_n; i++)
        if (strcmp(tables[i].name, name) == 0) return &tables[i];
    return NULL;
}

/* ---- the columns of a kind ---- */

static const struct table_column system_columns[] = {
    {"site", V_INT},       {"id", V_ID},      {"version", V_INT},  {"area", V_ID},        {"path", V_TEXT},  {"created_at", V_INT}, {"created_by", V_ID},
    {"updated_at", V_INT}, {"updated_by", V_ID}, {"removed", V_INT}, {"extra", V_TEXT}, {"batch", V_INT},
};

static struct table of_kind(const struct kind *k) {
    struct table_column *c = arena_new(&table_arena, struct table_column, COUNT(system_columns) + 2 + 2 * k->n);
    size_t n = COUNT(system_columns);
    memcpy(c, system_columns, sizeof system_columns);
    if (kind_sql(k)->has_search) {
        c[n++] = (struct table_column){"search_key", V_TEXT};
        c[n++] = (struct table_column){"search_initials", V_TEXT};
    }
    for (size_t i = 0; i < k->n; i++) c[n++] = (struct table_column){k->fields[i].name, field_val(&k->fields[i])};
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & FIND) c[n++] = (struct table_column){arena_printf(&table_arena, "%s_hash", k->fields[i].name), V_BLOB};
    return (struct table){.name = kind_table(k), .place = TABLE_BY_SITE, .life = TABLE_JOURNALLED, .columns = c, .n = n, .key_n = 2, .kind = k};
}

static struct table of_month(const struct kind *k, const struct month_table *m) {
    struct table_column *c = arena_new(&table_arena, struct table_column, COUNT(system_columns) + k->n);
    size_t n = COUNT(system_columns);
    memcpy(c, system_columns, sizeof system_columns);
    for (size_t i = 0; i < k->n; i++)
        if (!(k->fields[i].flags & (PERSONAL | SEALED))) c[n++] = (struct table_column){k->fields[i].name, field_val(&k->fields[i])};
    return (struct table){.name = m->name, .place = TABLE_BY_SITE, .life = TABLE_JOURNALLED, .columns = c, .n = n, .key_n = 2, .kind = k};
}

/* ---- the statements ---- */

static void finish(struct stmt *s, const struct table *t, const char *what, struct buf *b) {
    INVARIANT(!b->failed);
    *s = (struct stmt){.name = arena_printf(&table_arena, "%s.%s", t->name, what), .sql = arena_strz(&table_arena, buf_str(b))};
    stmt_register(s, 1);
    buf_clear(b);
}

/* "a, b" of the columns from 1 to n, each with `behind`. */
static void add_names(struct buf *b, const struct table *t, size_t n, const char *behind) {
    for (size_t i = 1; i < n; i++) buf_addf(b, "%s%s%s", i > 1 ? ", " : "", t->columns[i].name, behind);
}

static void add_numbers(struct buf *b, size_t n) {
    for (size_t i = 1; i < n; i++) buf_addf(b, "%s$%zu", i > 1 ? ", " : "", i + 1);
}

static void select_from(struct buf *b, const struct table *t, size_t n) {
    buf_addz(b, "SELECT ");
    add_names(b, t, n, "");
    buf_addf(b, " FROM %s WHERE site = $1", t->name);
}

static void build_reads(struct table *t, struct buf *b) {
    select_from(b, t, t->n);
    buf_addz(b, " ORDER BY ");
    add_names(b, t, t->key_n, "");
    buf_addz(b, " LIMIT $2");
    finish(&t->first, t, "first", b);
    select_from(b, t, t->n);
    buf_addz(b, " AND (");
    add_names(b, t, t->key_n, "");
    buf_addz(b, ") > (");
    add_numbers(b, t->key_n);
    buf_addz(b, ") ORDER BY ");
    add_names(b, t, t->key_n, "");
    buf_addf(b, " LIMIT $%zu", t->key_n + 1);
    finish(&t->after, t, "after", b);
    select_from(b, t, t->key_n);
    buf_addz(b, " ORDER BY ");
    add_names(b, t, t->key_n, " DESC");
    buf_addz(b, " LIMIT 1");
    finish(&t->last, t, "last", b);
    buf_addf(b, "SELECT count(*) FROM %s WHERE site = $1", t->name);
    finish(&t->count, t, "count", b);
}

static void build_writes(struct table *t, struct buf *b) {
    buf_addf(b, "INSERT INTO %s (site, ", t->name);
    add_names(b, t, t->n, "");
    buf_addz(b, ") VALUES ($1, ");
    add_numbers(b, t->n);
    buf_addc(b, ')');
    finish(&t->insert, t, "insert_row", b);
    buf_addf(b, "DELETE FROM %s WHERE site = $1", t->name);
    finish(&t->erase, t, "erase", b);
}

void tables_build(void) {
    INVARIANT(!tables);
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    size_t months = 0;
    for (size_t i = 0; i < kind_count(); i++) months += kind_sql(kind_at(i))->months_n;
    tables = arena_new(&table_arena, struct table, COUNT(core_tables) + kind_count() + months);
    memcpy(tables, core_tables, sizeof core_tables);
    tables_n = COUNT(core_tables);
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind_sql *q = kind_sql(kind_at(i));
        tables[tables_n++] = of_kind(kind_at(i));
        for (size_t m = 0; m < q->months_n; m++) tables[tables_n++] = of_month(kind_at(i), &q->months[m]);
    }
    for (size_t i = 0; i < tables_n; i++) {
        if (tables[i].place != TABLE_BY_SITE) continue;
        build_reads(&tables[i], &b);
        build_writes(&tables[i], &b);
    }
}

int tables_erase(struct db *db, int64_t site, struct err *e) {
    for (size_t i = 0; i < tables_n; i++)
        if (tables[i].place == TABLE_BY_SITE) TRY(db_run(db, &tables[i].erase, e, VINT(site)));
    return 0;
}
