/* The SQL of every kind's table, made from its fields.  The texts built here hold names from the program's own tables only; values are
 * always parameters. */
#include "core/record.h"

#include "core/system.h"

static struct kind_sql *sqls;
static struct arena sql_arena;

const struct kind_sql *kind_sql(const struct kind *k) {
    return &sqls[kind_index(k)];
}

const char *kind_table(const struct kind *k) {
    static const struct {
        const char *name, *table;
    } reserved[] = {{"case", "case_"}, {"user", "user_"}, {"group", "group_"}, {"order", "order_"}};
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (strcmp(k->name, reserved[i].name) == 0) return reserved[i].table;
    return k->name;
}

#define COLUMNS "id, version, area, path, created_at, created_by, updated_at, updated_by, removed, extra, batch"

static void add_names(struct buf *b, const struct kind *k, bool hashes) {
    for (size_t i = 0; i < k->n; i++) buf_addf(b, ", %s", k->fields[i].name);
    for (size_t i = 0; hashes && i < k->n; i++)
        if (k->fields[i].flags & FIND) buf_addf(b, ", %s_hash", k->fields[i].name);
}

static bool kind_has(const struct kind *k, unsigned flag) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & flag) return true;
    return false;
}

static struct stmt *finish(struct stmt *s, const struct kind *k, const char *what, struct buf *b) {
    INVARIANT(!b->failed);
    *s = (struct stmt){.name = arena_printf(&sql_arena, "%s.%s", k->name, what), .sql = arena_strz(&sql_arena, buf_str(b))};
    buf_clear(b);
    return s;
}

#define SYSTEM_COLUMNS                                                                                                              \
    "site {int} NOT NULL, id {id} NOT NULL, version {int} NOT NULL, area {id}, path {text} NOT NULL, created_at {int} NOT NULL, " \
    "created_by {id}, updated_at {int} NOT NULL, updated_by {id}, removed {int} NOT NULL, extra {text}, batch {int}"

static void add_move(struct buf *b, const char *table) {
    buf_addf(b, "UPDATE %s SET path = $4 || substr(path, length($2) + 1) WHERE site = $1 AND path >= $2 AND path < $3", table);
}

/* The path behind the time is for the question about an area, which then reads no row of another one. */
static void add_time_index(struct buf *b, const struct kind *k, const char *name, const char *table, const struct field *f) {
    if (f->flags & INDEXED && f->type == F_REF)
        buf_addf(b, "CREATE INDEX IF NOT EXISTS %s_at_%s ON %s (site, %s, %s, id, path);\n", name, f->name, table, f->name, k->seen);
}

const char *record_ways_in(struct arena *a, const struct kind *k, int from, int to) {
    return arena_printf(a, "IN (SELECT ref FROM log_place WHERE site = $1 AND kind = '%s' AND path >= $%d AND path < $%d)", k->name, from, to);
}

static void add_places(struct buf *b, const struct kind *k, const char *way, const char *table) {
    buf_addf(b, "INSERT INTO log_place (site, kind, ref, path) SELECT DISTINCT site, '%s', %s, path FROM %s WHERE true ON CONFLICT (site, kind, ref, path) DO NOTHING;\n",
             k->name, way, table);
}

void record_select_fresh(struct buf *b, const struct kind *k, const char *where) {
    buf_addz(b, "SELECT " COLUMNS);
    add_names(b, k, false);
    buf_addf(b, " FROM %s%s", kind_table(k), where);
}

static void select_from(struct buf *b, const struct kind *k) {
    record_select_fresh(b, k, " WHERE site = $1");
}

/* ---- a log and its months: one table for each of the last so many, used again when they are over ---- */

static bool stays(const struct field *f) {
    return !(f->flags & (PERSONAL | SEALED));
}

static void add_staying(struct buf *b, const struct kind *k) {
    for (size_t i = 0; i < k->n; i++)
        if (stays(&k->fields[i])) buf_addf(b, ", %s", k->fields[i].name);
}

/* SQLite merges what the tables have in order only when their columns have the same types. */
static void add_whole(struct buf *b, const struct kind *k) {
    for (size_t i = 0; i < k->n; i++) {
        if (stays(&k->fields[i])) buf_addf(b, ", %s", k->fields[i].name);
        else buf_addf(b, ", CAST(NULL AS %s)", field_is_text(&k->fields[i]) ? "TEXT" : field_column(&k->fields[i]));
    }
}

static void every_row(struct buf *b, const struct kind *k, const char *where) {
    buf_addz(b, "SELECT site, " COLUMNS);
    add_names(b, k, false);
    buf_addf(b, " FROM %s%s", kind_table(k), where);
    for (size_t m = 0; m < kind_sql(k)->months_n; m++) {
        buf_addz(b, " UNION ALL SELECT site, " COLUMNS);
        add_whole(b, k);
        buf_addf(b, " FROM %s%s", kind_sql(k)->months[m].name, where);
    }
}

void record_select_where(struct buf *b, const struct kind *k, const char *where) {
    buf_addz(b, "SELECT " COLUMNS);
    add_names(b, k, false);
    buf_addz(b, " FROM (");
    every_row(b, k, where);
    buf_addz(b, ") AS every WHERE site = $1");
}

static void select_all(struct buf *b, const struct kind *k) {
    /* A server reads the tables by index and merges them only when nothing but the whole is asked for a condition. */
    if (k->sunset_days) record_select_where(b, k, "");
    else select_from(b, k);
}

#define SLICE " WHERE site = $1 AND id > $2 AND id <= $3 AND created_at >= $4 AND created_at < $5"

static void build_month(const struct kind *k, struct month_table *m, struct buf *b) {
    buf_addf(b, "INSERT INTO %s (site, " COLUMNS, m->name);
    add_staying(b, k);
    buf_addz(b, ") SELECT site, " COLUMNS);
    add_staying(b, k);
    buf_addf(b, " FROM %s" SLICE, kind_table(k));
    finish(&m->take, k, arena_printf(&sql_arena, "take_%s", m->name), b);
    buf_addf(b, "DELETE FROM %s" SLICE, m->name);
    finish(&m->remove, k, arena_printf(&sql_arena, "remove_%s", m->name), b);
    buf_addf(b, "SELECT id, created_at FROM %s WHERE site = $1 AND id > $2 ORDER BY id LIMIT $3", m->name);
    finish(&m->page, k, arena_printf(&sql_arena, "page_%s", m->name), b);
    buf_addz(b, "SELECT " COLUMNS);
    add_whole(b, k);
    buf_addf(b, " FROM %s" SLICE " ORDER BY id", m->name);
    finish(&m->rows, k, arena_printf(&sql_arena, "rows_%s", m->name), b);
    add_move(b, m->name);
    finish(&m->move, k, arena_printf(&sql_arena, "move_%s", m->name), b);
}

static void build_month_ddl(const struct kind *k, struct month_table *m, struct buf *b) {
    buf_addf(b, "CREATE TABLE IF NOT EXISTS %s (" SYSTEM_COLUMNS, m->name);
    for (size_t i = 0; i < k->n; i++)
        if (stays(&k->fields[i])) buf_addf(b, ", %s %s", k->fields[i].name, field_column(&k->fields[i]));
    buf_addz(b, ", PRIMARY KEY (site, id)) {clustered};\n");
    for (size_t i = 0; i < k->n; i++) add_time_index(b, k, m->name, m->name, &k->fields[i]);
    m->ddl = arena_strz(&sql_arena, buf_str(b));
    buf_clear(b);
}

static void build_erase(struct kind_sql *q, const struct kind *k, struct buf *b) {
    const char *between = "";
    buf_addf(b, "UPDATE %s SET updated_at = $5", kind_table(k));
    for (size_t i = 0; i < k->n; i++) {
        if (!stays(&k->fields[i])) buf_addf(b, ", %s = NULL", k->fields[i].name);
        if (k->fields[i].flags & FIND) buf_addf(b, ", %s_hash = NULL", k->fields[i].name);
    }
    buf_addz(b, " WHERE site = $1 AND id > $2 AND id <= $3 AND created_at < $4 AND (");
    for (size_t i = 0; i < k->n; i++) {
        if (stays(&k->fields[i])) continue;
        buf_addf(b, "%s%s IS NOT NULL", between, k->fields[i].name);
        between = " OR ";
    }
    buf_addc(b, ')');
    finish(&q->erase, k, "erase", b);
}

static void build_months(struct kind_sql *q, const struct kind *k, struct buf *b) {
    if (!k->sunset_days) return;
    q->months_n = (size_t)k->sunset_days / 28 + 2;
    q->months = arena_new(&sql_arena, struct month_table, q->months_n);
    for (size_t m = 0; m < q->months_n; m++) {
        q->months[m].name = arena_printf(&sql_arena, "%s_m%02zu", kind_table(k), m + 1);
        build_month(k, &q->months[m], b);
        build_month_ddl(k, &q->months[m], b);
    }
    buf_addf(b, "SELECT id, created_at FROM %s WHERE site = $1 AND id > $2 AND id < $4 ORDER BY id LIMIT $3", kind_table(k));
    finish(&q->page, k, "page", b);
    buf_addf(b, "DELETE FROM %s" SLICE, kind_table(k));
    finish(&q->remove, k, "remove", b);
    build_erase(q, k, b);
    for (size_t m = 0; m < q->months_n; m++) buf_addf(b, "%sSELECT 1 FROM %s WHERE site = $1 AND id = $2", m ? " UNION ALL " : "", q->months[m].name);
    finish(&q->months_any, k, "months_any", b);
    select_all(b, k);
    buf_addz(b, " AND id = $2");
    finish(&q->old, k, "old", b);
}

/* ---- the statements ---- */

static void build_insert(struct kind_sql *q, const struct kind *k, struct buf *b) {
    size_t n = 1 + RECORD_COLUMNS + (q->has_search ? 2 : 0) + k->n;
    for (size_t i = 0; i < k->n; i++) n += (k->fields[i].flags & FIND) != 0;
    buf_addf(b, "INSERT INTO %s (site, " COLUMNS "%s", kind_table(k), q->has_search ? ", search_key, search_initials" : "");
    add_names(b, k, true);
    buf_addz(b, ") VALUES ($1");
    for (size_t i = 2; i <= n; i++) buf_addf(b, ", $%zu", i);
    buf_addc(b, ')');
    finish(&q->insert, k, "insert", b)->many = true;
}

/* The same parameters as insert. */
static void build_update(struct kind_sql *q, const struct kind *k, struct buf *b) {
    size_t n = 2 + RECORD_COLUMNS;
    buf_addf(b, "UPDATE %s SET version = $3, area = $4, path = $5, created_at = $6, created_by = $7, updated_at = $8, updated_by = $9, removed = $10, "
                "extra = $11, batch = $12", kind_table(k));
    if (q->has_search) {
        buf_addf(b, ", search_key = $%zu, search_initials = $%zu", n, n + 1);
        n += 2;
    }
    for (size_t i = 0; i < k->n; i++) buf_addf(b, ", %s = $%zu", k->fields[i].name, n++);
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & FIND) buf_addf(b, ", %s_hash = $%zu", k->fields[i].name, n++);
    buf_addz(b, " WHERE site = $1 AND id = $2");
    finish(&q->update, k, "update", b);
}

#define AFTER(path, id, from) "(path, id) > (CASE WHEN $" path " < $" from " {bytewise} THEN $" from " ELSE $" path " END, $" id ")"

static void build_derived(struct kind_sql *q, const struct kind *k, struct buf *b) {
    if (!q->has_search && !kind_has(k, FIND)) return;
    buf_addz(b, "SELECT ");
    if (q->has_search) buf_addz(b, "search_key, search_initials");
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & FIND) buf_addf(b, "%s%s_hash", b->p[b->n - 1] == ' ' ? "" : ", ", k->fields[i].name);
    buf_addf(b, " FROM %s WHERE site = $1 AND id = $2", kind_table(k));
    finish(&q->derived, k, "derived", b);
}

static void build_ranges(struct kind_sql *q, const struct kind *k, struct buf *b) {
    select_from(b, k);
    buf_addz(b, " AND path >= $2 AND path < $3 AND removed = 0 ORDER BY path, id");
    finish(&q->range, k, "range", b);
    select_from(b, k);
    buf_addz(b, " AND " AFTER("4", "5", "2") " AND path < $3 AND removed = 0 ORDER BY path, id LIMIT $6");
    finish(&q->range_after, k, "range_after", b);
}

static void build_log(struct kind_sql *q, const struct kind *k, struct buf *b) {
    q->way = (size_t)kind_way(k);
    const char *way = k->fields[q->way].name;
    record_select_where(b, k, arena_printf(&sql_arena, " WHERE site = $1 AND %s %s AND path >= $2 AND path < $3 AND removed = 0", way, record_ways_in(&sql_arena, k, 2, 3)));
    finish(&q->range, k, "range", b);
    select_all(b, k);
    buf_addz(b, " AND id < $2 ORDER BY id DESC LIMIT $3");
    finish(&q->newest, k, "newest", b);
    select_all(b, k);
    buf_addf(b, " AND %s = $2 AND path = $3 AND (%s, id) < ($4, $5) ORDER BY %s DESC, id DESC LIMIT $6", way, k->seen, k->seen);
    finish(&q->newest_at, k, "newest_at", b);
    select_all(b, k);
    buf_addz(b, " ORDER BY batch, id");
    finish(&q->batches, k, "batches", b);
    select_from(b, k);
    buf_addz(b, " ORDER BY id");
    finish(&q->fresh, k, "fresh", b);
    add_places(b, k, way, kind_table(k));
    for (size_t m = 0; m < q->months_n; m++) add_places(b, k, way, q->months[m].name);
    q->places = arena_strz(&sql_arena, buf_str(b));
    buf_clear(b);
}

static void build_selects(struct kind_sql *q, const struct kind *k, struct buf *b) {
    select_from(b, k);
    buf_addz(b, " AND id = $2");
    finish(&q->get, k, "get", b);
    if (!(k->flags & KIND_LOG)) build_ranges(q, k, b);
    select_all(b, k);
    buf_addz(b, " AND id > $2 ORDER BY id LIMIT $3");
    finish(&q->scan, k, "scan", b);
    build_derived(q, k, b);
    add_move(b, kind_table(k));
    finish(&q->move, k, "move", b);
    if (k->flags & KIND_LOG) build_log(q, k, b);
    if (!q->has_search) return;
    static const char *const columns[] = {"search_key", "search_initials"};
    struct stmt *const stmts[] = {&q->search_name, &q->search_initials};
    for (int i = 0; i < 2; i++) {
        const char *c = columns[i];
        select_from(b, k);
        buf_addf(b, " AND (%s, id) > (CASE WHEN $6 < $2 {bytewise} THEN $2 ELSE $6 END, $7) AND %s < $3 AND path >= $4 AND path < $5"
                    " AND removed = 0 ORDER BY %s, id LIMIT $8", c, c, c);
        finish(stmts[i], k, c, b);
    }
}

static void build_by_field(struct kind_sql *q, const struct kind *k, struct buf *b) {
    q->by_field = arena_new(&sql_arena, struct stmt, k->n);
    q->by_text = arena_new(&sql_arena, struct stmt, k->n);
    q->by_hash = arena_new(&sql_arena, struct stmt, k->n);
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        if (f->flags & INDEXED && !(k->flags & KIND_LOG)) {
            select_from(b, k);
            buf_addf(b, " AND %s = $2 AND " AFTER("5", "6", "3") " AND path < $4 AND removed = 0 ORDER BY path, id LIMIT $7", f->name);
            finish(&q->by_field[i], k, f->name, b);
        }
        if (f->flags & (KEY | UNIQUE) && field_is_text(f)) {
            select_from(b, k);
            buf_addf(b, " AND %s = $2 AND removed = 0 ORDER BY id LIMIT 2", f->name);
            finish(&q->by_text[i], k, f->name, b);
        }
        if (f->flags & FIND && !(k->flags & KIND_LOG)) {
            select_from(b, k);
            buf_addf(b, " AND %s_hash = $2 AND removed = 0 ORDER BY id LIMIT 3", f->name);
            finish(&q->by_hash[i], k, f->name, b);
        }
    }
}

static void add_between(struct buf *b, const struct kind *k, const struct field *f) {
    buf_addf(b, " AND %s = $2 AND (%s, id) > ($3, $4) AND %s < $5 ORDER BY %s, id LIMIT $6", f->name, k->seen, k->seen, k->seen);
}

static void build_seen(struct kind_sql *q, const struct kind *k, struct buf *b) {
    q->between = arena_new(&sql_arena, struct stmt, k->n);
    q->between_fresh = arena_new(&sql_arena, struct stmt, k->n);
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        if (f->flags & INDEXED && f->type == F_REF && k->flags & KIND_LOG) {
            select_all(b, k);
            add_between(b, k, f);
            finish(&q->between[i], k, arena_printf(&sql_arena, "between_%s", f->name), b);
            select_from(b, k);
            add_between(b, k, f);
            finish(&q->between_fresh[i], k, arena_printf(&sql_arena, "between_fresh_%s", f->name), b);
        }
    }
}

static void add_index(struct buf *b, const struct kind *k, const char *name, const char *columns, bool unique) {
    buf_addf(b, "CREATE %sINDEX IF NOT EXISTS %s_%s ON %s (site, %s)%s;\n", unique ? "UNIQUE " : "", k->name, name, kind_table(k), columns,
             unique ? " WHERE removed = 0" : "");
}

/* Most scans have no identity number: what is empty is not looked for and needs no place in the index.  With the id behind it, for by_hash is in
 * that order: else SQLite takes the table's own order and reads all of it. */
static void add_hash_index(struct buf *b, const struct kind *k, const struct field *f) {
    bool unique = f->flags & UNIQUE;
    buf_addf(b, "CREATE %sINDEX IF NOT EXISTS %s_key_%s ON %s (site, %s_hash%s) WHERE %s_hash IS NOT NULL%s;\n", unique ? "UNIQUE " : "", k->name,
             f->name, kind_table(k), f->name, unique ? "" : ", id", f->name, unique ? " AND removed = 0" : "");
}

/* With columns beside it `removed` is one of them and no condition, for which SQLite would look into the row, and the last: further in front it would be looked for behind
 * each number. */
static void add_key_index(struct buf *b, const struct kind *k, const struct field *f) {
    char name[80], columns[200];
    bool unique = f->flags & UNIQUE && !f->beside;
    snprintf(name, sizeof name, f->beside ? "beside_%s" : "key_%s", f->name);
    if (f->beside) snprintf(columns, sizeof columns, "%s, %s, removed", f->name, f->beside);
    else snprintf(columns, sizeof columns, unique ? "%s" : "%s, id", f->name);
    add_index(b, k, name, columns, unique);
}

static void add_field_indexes(struct buf *b, const struct kind *k, const struct field *f) {
    char name[80], columns[96];
    snprintf(name, sizeof name, "%s_%s", "by", f->name);
    snprintf(columns, sizeof columns, "%s, path, id", f->name);
    if (f->flags & INDEXED) add_index(b, k, name, columns, false);
    if (f->flags & (KEY | UNIQUE) && field_is_text(f)) add_key_index(b, k, f);
    if (f->flags & FIND) add_hash_index(b, k, f);
}

static void build_ddl(struct kind_sql *q, const struct kind *k, struct buf *b) {
    buf_addf(b, "CREATE TABLE IF NOT EXISTS %s (" SYSTEM_COLUMNS, kind_table(k));
    if (q->has_search) buf_addz(b, ", search_key {text}, search_initials {text}");
    for (size_t i = 0; i < k->n; i++) buf_addf(b, ", %s %s", k->fields[i].name, field_column(&k->fields[i]));
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & FIND) buf_addf(b, ", %s_hash {blob}", k->fields[i].name);
    buf_addf(b, ", PRIMARY KEY (site, id))%s;\n", k->flags & KIND_LOG ? " {clustered}" : "");
    if (!(k->flags & KIND_LOG)) add_index(b, k, "path", "path, id", false);
    if (q->has_search) {
        add_index(b, k, "search_key", "search_key, id", false);
        add_index(b, k, "search_initials", "search_initials, id", false);
    }
    for (size_t i = 0; i < k->n; i++) {
        if (k->flags & KIND_LOG) add_time_index(b, k, k->name, kind_table(k), &k->fields[i]);
        else add_field_indexes(b, k, &k->fields[i]);
    }
    q->ddl = arena_strz(&sql_arena, buf_str(b));
    buf_clear(b);
}

static struct str *names_of(const struct kind *k) {
    struct str *names = arena_new(&sql_arena, struct str, k->n);
    for (size_t i = 0; i < k->n; i++) names[i] = str_z(arena_printf(&sql_arena, "%s.%s", k->name, k->fields[i].name));
    return names;
}

static void register_if(struct stmt *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (s[i].sql) stmt_register(&s[i], 1);
}

void record_tables_build(void) {
    INVARIANT(!sqls);
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    sqls = arena_new(&sql_arena, struct kind_sql, kind_count());
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);
        struct kind_sql *q = &sqls[i];
        q->has_search = kind_has(k, SEARCH);
        q->field_names = names_of(k);
        build_months(q, k, &b);
        build_insert(q, k, &b);
        build_update(q, k, &b);
        build_selects(q, k, &b);
        build_by_field(q, k, &b);
        build_seen(q, k, &b);
        build_ddl(q, k, &b);
        struct stmt *one[] = {&q->old, &q->months_any, &q->page, &q->remove, &q->erase, &q->insert, &q->update, &q->get, &q->range, &q->range_after, &q->newest, &q->newest_at, &q->scan,
                              &q->batches, &q->fresh, &q->derived, &q->search_name, &q->search_initials, &q->move};
        for (size_t j = 0; j < COUNT(one); j++) register_if(one[j], 1);
        register_if(q->by_field, k->n);
        register_if(q->by_text, k->n);
        register_if(q->by_hash, k->n);
        register_if(q->between, k->n);
        register_if(q->between_fresh, k->n);
        for (size_t j = 0; j < q->months_n; j++) {
            struct month_table *m = &q->months[j];
            struct stmt *of_month[] = {&m->take, &m->remove, &m->page, &m->rows, &m->move};
            for (size_t l = 0; l < COUNT(of_month); l++) stmt_register(of_month[l], 1);
        }
    }
}
