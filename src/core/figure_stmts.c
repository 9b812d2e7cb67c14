/* The statements of figures: those on the table of tallies, and one for each FLOW whose day is INDEXED, so that the few rows
 * behind a figure of one day are found without reading a year of scans. */
#include "core/figure_internal.h"

struct stmt figure_stmts[ST__COUNT] = {
#include "core/figure_stmts.inc"
};

static void add_text(struct buf *b, struct str s) {
    for (size_t i = 0; i < s.n; i++) INVARIANT(s.p[i] != '\'' && s.p[i] != '\\');
    buf_addf(b, "'%.*s'", STR_FMT(s));
}

static void add_list(struct buf *b, const struct rule_test *t) {
    for (size_t i = 0; i < t->n; i++) {
        buf_addz(b, i ? ", " : " IN (");
        if (t->number) buf_addf(b, "%.17g", t->numbers[i]);
        else add_text(b, t->texts[i]);
    }
    buf_addc(b, ')');
}

/* Only what leaves fewer rows to look at: rule_counts decides on each. */
static void add_test(struct buf *b, const struct kind *k, const struct rule_test *t) {
    const struct field *f = &k->fields[t->field];
    if (t->op == OP_NONE || t->op == OP_EMPTY || f->type == F_CODES) return;
    buf_addf(b, " AND %s", f->name);
    switch (t->op) {
    case OP_ANY: add_list(b, t); break;
    case OP_FROM: buf_addf(b, " >= %.17g", t->numbers[0]); break;
    case OP_BELOW: buf_addf(b, " < %.17g", t->numbers[0]); break;
    default: buf_addz(b, " IS NOT NULL");
    }
}

/* path || '' keeps SQLite from walking the whole table in path order to save itself the sorting. */
#define FROM_PLACE " AND (path || '', id) > ($6, $7) AND removed = 0 ORDER BY path || '', id LIMIT $8"

static void span_finish(struct arena *a, const struct rule *u, const char *name, struct buf *b, struct stmt *s) {
    buf_addz(b, FROM_PLACE);
    INVARIANT(!b->failed);
    *s = (struct stmt){.name = arena_printf(a, "%s.%s", u->f->id, name), .sql = arena_strz(a, buf_str(b))};
    stmt_register(s, 1);
    buf_clear(b);
}

static void span_of_log(struct arena *a, struct rule *u, const char *which, bool fresh, const char *name, struct stmt *s) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 17), where CLEANUP(buf_release) = BUF(1 << 16);
    const struct kind *k = u->f->kind;
    const char *on = k->fields[u->on].name;
    buf_addf(&where, " WHERE site = $1 AND %s %s AND %s >= $2 AND %s < $3 AND path >= $4 AND path < $5", k->fields[kind_sql(k)->way].name, which, on, on);
    for (size_t i = 0; i < u->tests_n; i++) add_test(&where, k, &u->tests[i]);
    INVARIANT(!where.failed);
    (fresh ? record_select_fresh : record_select_where)(&b, k, arena_strz(a, buf_str(&where)));
    span_finish(a, u, name, &b, s);
}

/* A log has no index by its time alone: it is asked for each of what its rows refer to. */
static void spans_of_log(struct arena *a, struct rule *u) {
    const struct kind *k = u->f->kind;
    const char *any = record_ways_in(a, k, 4, 5);
    span_of_log(a, u, any, false, "rows", &u->span);
    span_of_log(a, u, "= $9", false, "rows_at", &u->span_at);
    if (!k->seen || strcmp(k->fields[u->on].name, k->seen) != 0) return;
    span_of_log(a, u, any, true, "rows_fresh", &u->span_fresh);
    span_of_log(a, u, "= $9", true, "rows_at_fresh", &u->span_at_fresh);
}

void span_build(struct arena *a, struct rule *u) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    const struct kind *k = u->f->kind;
    const char *on = k->fields[u->on].name;
    struct str select = str_z(kind_sql(k)->get.sql), tail = STR(" AND id = $2");
    if (k->flags & KIND_LOG) {
        spans_of_log(a, u);
        return;
    }
    INVARIANT(str_ends(select, tail));
    buf_addf(&b, "%.*s AND %s >= $2 AND %s < $3", STR_FMT(str_sub(select, 0, select.n - tail.n)), on, on);
    for (size_t i = 0; i < u->tests_n; i++) add_test(&b, k, &u->tests[i]);
    buf_addz(&b, " AND path || '' >= $4 AND path || '' < $5");
    span_finish(a, u, "rows", &b, &u->span);
}
