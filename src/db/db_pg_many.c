/* Several as one.  Starting and ending a statement costs the server more than many a row or look-up in it.
 *
 * Rows of an INSERT that allows it (stmt.many) are held back until there are PG_STEP_MOST of them or something else is sent; what was foreseen waits until the
 * first answer is asked for.  Both then go in few statements, each prepared for a fixed number: queries that are too few are filled up with such as ask
 * for NULL and find nothing.  The site is one parameter for all, so that a cluster finds one shard. */
#include "db_pg.h"

const unsigned pg_steps[PG_STEPS] = {1, 2, 4, 8, 16, PG_STEP_MOST};

/* A LIMIT must not come from a row, and rows are not locked below a join. */
static bool is_plain_query(const char *sql) {
    return str_starts(str_z(sql), STR("SELECT")) && !strstr(sql, "LIMIT $") && !strstr(sql, "{for_update}");
}

bool pg_may_be_many(const struct stmt *s, const struct pg_shape *shape) {
    return shape->n > 1 && (s->many || is_plain_query(s->sql));
}

static bool step_fits(const struct pg_shape *shape, unsigned step) {
    return step < PG_STEPS && 1 + pg_steps[step] * (shape->n - 1) <= PG_PARAMS;
}

unsigned pg_step_for(const struct pg_shape *shape, unsigned left, bool more) {
    unsigned step = 0;
    while (step_fits(shape, step + 1) && pg_steps[step + 1] <= left) step++;
    return more && pg_steps[step] < left && step_fits(shape, step + 1) ? step + 1 : step;
}

/* ---- the text ---- */

/* With its parameters but for the first renamed: to NAME and their number, or on to those of row `row`. */
static void add_renamed(struct buf *to, struct str sql, const char *name, unsigned row, unsigned n) {
    for (size_t i = 0; i < sql.n;) {
        unsigned number = 0;
        size_t end = i + 1;
        while (sql.p[i] == '$' && end < sql.n && sql.p[end] >= '0' && sql.p[end] <= '9' && number < PG_PARAMS) number = number * 10 + (unsigned)(sql.p[end++] - '0');
        if (number > 1 && name) buf_addf(to, "%s%u", name, number);
        else if (number > 1) buf_addf(to, "$%u", number + row * (n - 1));
        else buf_add_str(to, str_sub(sql, i, end));
        i = end;
    }
}

static void add_query(struct str sql, unsigned n, unsigned rows, struct buf *to) {
    buf_addz(to, "SELECT one.*, many.number FROM (VALUES ");
    for (unsigned row = 0; row < rows; row++) {
        buf_addf(to, "%s(%u", row ? ", " : "", row);
        for (unsigned i = 2; i <= n; i++) buf_addf(to, ", $%u", i + row * (n - 1));
        buf_addc(to, ')');
    }
    buf_addz(to, ") AS many (number");
    for (unsigned i = 2; i <= n; i++) buf_addf(to, ", p%u", i);
    buf_addz(to, ") CROSS JOIN LATERAL (");
    add_renamed(to, sql, "many.p", 0, n);
    /* With an OFFSET the planner asks for one after the other, by the plan of a single one. */
    buf_addz(to, " OFFSET 0) AS one");
}

/* The row of an INSERT ... VALUES (...): from its parenthesis to the end of that. */
static struct str row_of(struct str sql) {
    ptrdiff_t values = str_find(sql, STR("VALUES"));
    size_t from = values < 0 ? sql.n : (size_t)values, depth = 0;
    while (from < sql.n && sql.p[from] != '(') from++;
    for (size_t i = from; i < sql.n; i++) {
        depth += sql.p[i] == '(';
        depth -= sql.p[i] == ')';
        if (depth == 0) return str_sub(sql, from, i + 1);
    }
    return STR_NONE;
}

int pg_many_sql(struct str sql, const struct pg_shape *shape, unsigned rows, struct buf *to, struct err *e) {
    struct str row = row_of(sql);
    if (!str_starts(sql, STR("INSERT"))) {
        add_query(sql, shape->n, rows, to);
        return to->failed ? pg_fail_text("many", "a statement is too long", e) : 0;
    }
    if (!row.n) return pg_fail_text("many", "an INSERT without a row of VALUES", e);
    buf_add_str(to, str_sub(sql, 0, (size_t)(row.p - sql.p)));
    for (unsigned i = 0; i < rows; i++) {
        if (i) buf_addz(to, ", ");
        add_renamed(to, row, NULL, i, shape->n);
    }
    buf_add_str(to, str_sub(sql, (size_t)(row.p - sql.p) + row.n, sql.n));
    return to->failed ? pg_fail_text("many", "a statement is too long", e) : 0;
}

/* ---- rows that are held back ---- */

static int send_rows_of(struct pg_db *db, struct pg_hold *h, struct err *e) {
    unsigned more = h->shape->n - 1, rows = h->rows;
    struct pg_params *p = &h->params;
    h->rows = 0;
    for (unsigned row = 0; row < rows;) {
        unsigned step = pg_step_for(h->shape, rows - row, false), first = row * more;
        /* Those before have been sent: the site takes the place of their last value. */
        p->value[first] = p->value[0];
        p->length[first] = p->length[0];
        if (db->sent_n + 2 > PG_QUEUE) TRY(pg_collect_sent(db, e));
        TRY(pg_send_many(db, &(struct pg_sent){.kind = SENT_RUN, .step = step, .name = h->s->name}, h->s, h->shape, p, first, e));
        row += pg_steps[step];
    }
    arena_clear(&h->arena);
    return 0;
}

static int send_whole(struct pg_db *db, struct pg_hold *h, struct err *e) {
    TRY(send_rows_of(db, h, e));
    return pg_push(db, e);
}

int pg_send_rows(struct pg_db *db, struct err *e) {
    for (unsigned i = 0; i < PG_HOLDS; i++)
        if (db->hold[i].rows) TRY(send_rows_of(db, &db->hold[i], e));
    return 0;
}

int pg_send_held(struct pg_db *db, struct err *e) {
    TRY(pg_ahead_send(db, e));
    return pg_send_rows(db, e);
}

static bool fits(const struct pg_hold *h, const struct stmt *s, const struct pg_params *row) {
    return h->s == s && h->params.length[0] == row->length[0] && memcmp(h->params.value[0], row->value[0], (size_t)row->length[0]) == 0;
}

static struct pg_hold *place_for(struct pg_db *db, const struct stmt *s) {
    struct pg_hold *free = NULL;
    for (unsigned i = 0; i < PG_HOLDS; i++) {
        struct pg_hold *h = &db->hold[i];
        if (h->rows && fits(h, s, &db->params)) return h;
        if (h->rows && h->s == s) return NULL;
        if (!h->rows && !free) free = h;
    }
    return free;
}

static void keep_values(struct pg_hold *h, unsigned from) {
    struct pg_params *p = &h->params;
    for (unsigned i = from; i < p->n; i++)
        if (p->value[i] && p->value[i] != (const char *)&p->scalar[i]) p->value[i] = arena_str(&h->arena, (struct str){p->value[i], (size_t)p->length[i]}).p;
}

/* db->params holds the row: what cannot be sent has been refused. */
int pg_hold(struct pg_db *db, const struct stmt *s, const struct pg_shape *shape, const struct val *v, struct err *e) {
    TRY(pg_ahead_send(db, e));
    struct pg_hold *h = place_for(db, s);
    if (!h) {
        TRY(pg_send_rows(db, e));
        h = &db->hold[0];
    }
    if (!h->rows) {
        h->s = s;
        h->shape = shape;
        h->params.n = 0;
        arena_clear(&h->arena);
    }
    unsigned before = h->params.n;
    TRY(pg_encode_more(&h->params, s->name, shape, v, h->rows > 0, e));
    keep_values(h, before);
    h->rows++;
    return h->rows == pg_steps[pg_step_for(shape, PG_STEP_MOST, false)] ? send_whole(db, h, e) : 0;
}

void pg_held_drop(struct pg_db *db) {
    for (unsigned i = 0; i < PG_HOLDS; i++) db->hold[i].rows = 0;
    for (unsigned i = 0; i < PG_BUNDLES; i++) db->bundle[i].n = 0;
}

void pg_held_release(struct pg_db *db) {
    for (unsigned i = 0; i < PG_HOLDS; i++) arena_release(&db->hold[i].arena);
}
