/* Several as one.  Starting and ending a statement costs the server more than many a row or look-up in it.
 *
 * Rows of an INSERT that allows it (stmt.many) are held back until there are PG_STEP_MOST of them or something else is sent; what was foreseen waits until the
 * first answer is asked for.  Both then go in few statements, each prepared for a fixed number: queries that are too few are filled up with such as ask
 * for NULL and find nothing.  The site is one parameter for all, so that a cluster finds one shard.
 *
 * So are the values that all rows of an INSERT have in common, NULL where nothing is known above all: to the server a parameter costs a quarter of a microsecond,
 * and half of a log's columns say the same in all rows of a group.  Which these are is learned: those in which no bundle of the statement has differed
 * yet.  Each that does differ makes them fewer, so that there is an end to preparing anew. */
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

static unsigned common_n(uint64_t common) {
    return (unsigned)__builtin_popcountll(common);
}

static bool is_common(uint64_t common, unsigned i) {
    return i < 64 && common >> i & 1;
}

unsigned pg_place(const struct pg_shape *shape, uint64_t common, unsigned i, unsigned row) {
    unsigned n = common_n(common), before = common_n(i < 64 ? common & ((UINT64_C(1) << i) - 1) : common);
    return is_common(common, i) ? before : n + row * (shape->n - n) + i - before;
}

unsigned pg_places(const struct pg_shape *shape, uint64_t common, unsigned rows) {
    unsigned n = common_n(common);
    return n + rows * (shape->n - n);
}

/* The number behind a '$' at its start, and where it ends; 0: there is none. */
static unsigned param_at(struct str sql, size_t i, size_t *ret_end) {
    unsigned number = 0;
    size_t end = i + 1;
    while (sql.p[i] == '$' && end < sql.n && sql.p[end] >= '0' && sql.p[end] <= '9' && number < PG_PARAMS) number = number * 10 + (unsigned)(sql.p[end++] - '0');
    *ret_end = end;
    return number;
}

/* The row of an INSERT with its parameters renamed to those of row `row`. */
static void add_row(struct buf *to, struct str sql, const struct pg_shape *shape, uint64_t common, unsigned row) {
    for (size_t i = 0, end; i < sql.n; i = end) {
        unsigned number = param_at(sql, i, &end);
        if (number) buf_addf(to, "$%u", pg_place(shape, common, number - 1, row) + 1);
        else buf_add_str(to, str_sub(sql, i, end));
    }
}

/* A query with its parameters but for the site replaced by the columns many.p2 ... */
static void add_renamed(struct buf *to, struct str sql) {
    for (size_t i = 0, end; i < sql.n; i = end) {
        unsigned number = param_at(sql, i, &end);
        if (number > 1) buf_addf(to, "many.p%u", number);
        else buf_add_str(to, str_sub(sql, i, end));
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
    add_renamed(to, sql);
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

int pg_many_sql(struct str sql, const struct pg_shape *shape, uint64_t common, unsigned rows, struct buf *to, struct err *e) {
    struct str row = row_of(sql);
    if (!str_starts(sql, STR("INSERT"))) {
        add_query(sql, shape->n, rows, to);
        return to->failed ? pg_fail_text("many", "a statement is too long", e) : 0;
    }
    if (!row.n) return pg_fail_text("many", "an INSERT without a row of VALUES", e);
    buf_add_str(to, str_sub(sql, 0, (size_t)(row.p - sql.p)));
    for (unsigned i = 0; i < rows; i++) {
        if (i) buf_addz(to, ", ");
        add_row(to, row, shape, common, i);
    }
    buf_add_str(to, str_sub(sql, (size_t)(row.p - sql.p) + row.n, sql.n));
    return to->failed ? pg_fail_text("many", "a statement is too long", e) : 0;
}

/* ---- rows that are held back ---- */

/* Where value i of a row stands in a hold. */
static unsigned held_at(const struct pg_hold *h, unsigned i, unsigned row) {
    return pg_place(h->shape, PG_ONLY_SITE, i, row);
}

static bool is_same(const struct pg_params *p, unsigned a, unsigned b) {
    if (p->value[a] == NULL || p->value[b] == NULL) return p->value[a] == p->value[b];
    return p->length[a] == p->length[b] && memcmp(p->value[a], p->value[b], (size_t)p->length[a]) == 0;
}

static bool in_all(const struct pg_hold *h, unsigned i, unsigned row, unsigned end) {
    for (unsigned other = row + 1; other < end; other++)
        if (!is_same(&h->params, held_at(h, i, row), held_at(h, i, other))) return false;
    return true;
}

/* What the rows, and all before them, have in common. */
static uint64_t learn_common(struct pg_db *db, const struct pg_hold *h, unsigned row, unsigned end) {
    struct pg_slot *slot = pg_slot_of(db, h->s->slot);
    uint64_t left = slot->changes ? slot->common : UINT64_MAX;
    for (unsigned i = 1; i < MIN(h->shape->n, 64u); i++)
        if (left >> i & 1 && !in_all(h, i, row, end)) left &= ~(UINT64_C(1) << i);
    if (h->shape->n < 64) left &= (UINT64_C(1) << h->shape->n) - 1;
    if (slot->changes && slot->common == left) return left;
    slot->common = left;
    slot->prepared[1] = 0;
    slot->changes++;
    return left;
}

static int send_some_rows(struct pg_db *db, struct pg_hold *h, unsigned row, unsigned step, struct err *e) {
    struct pg_params *p = &db->many;
    unsigned rows = pg_steps[step];
    uint64_t common = rows > 1 ? learn_common(db, h, row, row + rows) : PG_ONLY_SITE;
    struct pg_sent as = {.kind = SENT_RUN, .step = step, .common = common != PG_ONLY_SITE, .name = h->s->name};
    p->n = pg_places(h->shape, common, rows);
    for (unsigned r = row; r < row + rows; r++)
        for (unsigned i = 0; i < h->shape->n; i++) {
            unsigned from = held_at(h, i, r), to = pg_place(h->shape, common, i, r - row);
            p->value[to] = h->params.value[from];
            p->length[to] = h->params.length[from];
            p->format[to] = h->params.format[from];
        }
    if (db->sent_n + 2 > PG_QUEUE) TRY(pg_collect_sent(db, e));
    return pg_send_many(db, &as, h->s, h->shape, p, e);
}

static int send_rows_of(struct pg_db *db, struct pg_hold *h, struct err *e) {
    unsigned rows = h->rows;
    h->rows = 0;
    for (unsigned row = 0; row < rows;) {
        unsigned step = pg_step_for(h->shape, rows - row, false);
        TRY(send_some_rows(db, h, row, step, e));
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
