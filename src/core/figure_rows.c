/* The records behind a figure: read in path order, kept when the rule says that they count in what was asked. */
#include "core/figure_internal.h"

#include "core/log_place.h"
#include "core/months.h"

enum { PAGE_FIRST = 500, PAGE_MOST = 16000, SPAN_DAYS = 7 };

/* ---- records one after the other ---- */

static int open_page(struct record_scan *c, struct err *e) {
    struct val site = VINT(c->site), from = VTEXT(c->range.from), to = VTEXT(c->range.to), id = VID(c->last_id);
    /* Rows that do not count may be many: larger pages then cost less than another search. */
    c->page = c->page ? MIN(c->page * 2, PAGE_MOST) : PAGE_FIRST;
    c->left = c->page;
    memcpy(c->after_path, c->last_path, sizeof c->after_path);
    struct val after = VTEXT(str_z(c->after_path)), limit = VINT(c->page);
    if (c->by_id) return db_query(c->db, &kind_sql(c->k)->scan, &c->rows, e, site, id, limit);
    if (c->span) return db_query(c->db, c->span, &c->rows, e, site, c->value, c->value_end, from, to, after, id, limit, c->at);
    if (c->field) return db_query(c->db, c->field, &c->rows, e, site, c->value, from, to, after, id, limit);
    return db_query(c->db, &kind_sql(c->k)->range_after, &c->rows, e, site, from, to, after, id, limit);
}

int scan_next(struct record_scan *c, struct arena *a, struct record *ret, struct err *e) {
    for (;;) {
        if (!c->rows) TRY(open_page(c, e));
        int got = rows_next(c->rows, e);
        if (got < 0) return -1;
        if (got > 0) break;
        if (c->left > 0) return 0;
        scan_done(c);
    }
    record_read(a, c->k, c->rows, ret);
    /* A row that was altered behind the program's back; by id it is still reached, so that fsck can name it. */
    if (ret->path.n >= AREA_PATH && !c->by_id) return err_set(e, ERR_CORRUPT, NULL, M_TEXT, c->k->name);
    size_t n = MIN(ret->path.n, AREA_PATH - 1);
    memcpy(c->last_path, ret->path.p, n);
    c->last_path[n] = 0;
    c->last_id = ret->id;
    c->left--;
    return 1;
}

void scan_done(struct record_scan *c) {
    rows_done(c->rows);
    c->rows = NULL;
}

/* ---- what was asked ---- */

struct rows_ask {
    struct db *db;
    struct site *s;
    struct arena *a;
    const struct rule *rule;
    const struct figure_query *q;
    struct str want;
    struct path_range range;
    struct figure_cursor *cur;
    size_t limit, n;
    struct record *found;
};

/* Keeps the record, or says that there is one more than was asked for. */
static bool keep(struct rows_ask *k, const struct record *r) {
    if (k->n == k->limit) {
        k->cur->more = true;
        return false;
    }
    k->found[k->n++] = *r;
    k->cur->path = r->path;
    k->cur->id = r->id;
    return true;
}

static bool cut_matches(const struct rows_ask *k, const struct record *r) {
    char cut[CUT_TEXT];
    return k->want.n == 0 || cut_holds((struct str){cut, rule_cut(k->rule, r, cut)}, k->want);
}

static bool counts_in(const struct rows_ask *k, const struct record *r) {
    const struct rule *u = k->rule;
    struct counts c;
    if (u->f->own_area_only && !str_eq(r->path, k->q->path)) return false;
    if (!rule_counts(u, k->s->tz, r, &c)) return false;
    if (u->f->how == FLOW && c.on < k->q->from) return false;
    if (c.on > k->q->to) return false;
    if (u->f->how == STOCK && c.until != DAY_NONE && c.until <= k->q->to) return false;
    return cut_matches(k, r);
}

/* ---- FLOW and STOCK ---- */

/* What the cut names when it is what a log's rows are found by. */
static bool named_way(const struct rows_ask *k, struct id *ret) {
    const struct rule *u = k->rule;
    if (!u->span_at.sql) return false;
    for (size_t i = 0; i < u->cuts_n; i++)
        if (u->cuts[i].field == (int)kind_sql(u->f->kind)->way && id_parse(cut_get(k->want, u->cuts[i].name), ret)) return true;
    return false;
}

static void scan_span(const struct rows_ask *k, struct record_scan *c) {
    const struct rule *u = k->rule;
    struct id way;
    bool named = named_way(k, &way);
    bool fresh = u->span_fresh.sql && !months_may_have_seen(u->f->kind, tz_start(k->s->tz, k->q->from, 0), site_now(k->s));
    if (named) c->span = fresh ? &u->span_at_fresh : &u->span_at;
    else c->span = fresh ? &u->span_fresh : &u->span;
    c->at = named ? VID(way) : VNULL;
    if (k->rule->f->kind->fields[k->rule->on].type == F_TIME) {
        c->value = VINT(tz_start(k->s->tz, k->q->from, 0));
        c->value_end = VINT(tz_start(k->s->tz, k->q->to + 1, 0));
        return;
    }
    c->value = VTEXTZ(day_text(k->q->from, c->day[0]));
    c->value_end = VTEXTZ(day_text(k->q->to + 1, c->day[1]));
}

/* An INDEXED field whose value is asked for, or that the rule wants to have one value. */
static void scan_field(const struct rows_ask *k, struct record_scan *c) {
    const struct rule *u = k->rule;
    const struct stmt *by = kind_sql(u->f->kind)->by_field;
    for (size_t i = 0; i < u->cuts_n && !c->field; i++) {
        int f = u->cuts[i].field;
        struct str v = cut_get(k->want, u->cuts[i].name);
        enum field_type type = u->f->kind->fields[f].type;
        struct id id;
        if (!v.p || !by[f].sql) continue;
        if (type == F_REF && id_parse(v, &id)) c->value = VID(id);
        else if (type == F_CODE) c->value = VTEXT(v);
        else continue;
        c->field = &by[f];
    }
    for (size_t i = 0; i < u->tests_n && !c->field; i++) {
        const struct rule_test *t = &u->tests[i];
        if (t->op != OP_ANY || t->n != 1 || u->f->kind->fields[t->field].type != F_CODE || !by[t->field].sql) continue;
        c->value = VTEXT(t->texts[0]);
        c->field = &by[t->field];
    }
}

/* 1: there is one more than was asked for. */
static int rows_in(struct rows_ask *k, struct path_range range, bool span, struct err *e) {
    struct arena one CLEANUP(arena_release) = {0};
    struct record_scan c CLEANUP(scan_done) = {.db = k->db, .site = k->s->id, .k = k->rule->f->kind, .range = range, .last_id = k->cur->id};
    struct record r;
    INVARIANT(k->cur->path.n < AREA_PATH);
    if (k->cur->path.n) memcpy(c.last_path, k->cur->path.p, k->cur->path.n);
    if (span) scan_span(k, &c);
    else scan_field(k, &c);
    for (;;) {
        arena_clear(&one);
        int got = scan_next(&c, &one, &r, e);
        if (got <= 0) return got;
        if (!counts_in(k, &r)) continue;
        record_read(k->a, c.k, c.rows, &r);
        if (!keep(k, &r)) return 1;
    }
}

/* Of a log and many days: area by area, so that no more rows than one has are brought into order. */
static int rows_by_area(struct rows_ask *k, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct path_range left = {str_cmp(k->cur->path, k->range.from) > 0 ? k->cur->path : k->range.from, k->range.to};
    struct log_place *places;
    size_t n;
    TRY(log_places_in(k->db, k->s->id, &a, k->rule->f->kind, left, SIZE_MAX, &places, &n, e));
    for (size_t i = 0; i < n; i++) {
        bool same = i && str_eq(places[i].path, places[i - 1].path);
        int r = same ? 0 : rows_in(k, path_alone(&a, places[i].path), true, e);
        if (r) return r;
    }
    return 0;
}

static int rows_counted(struct rows_ask *k, struct err *e) {
    struct id way;
    bool few = k->rule->span.sql && (k->q->to - k->q->from < SPAN_DAYS || named_way(k, &way));
    int r = !few && k->rule->f->kind->flags & KIND_LOG ? rows_by_area(k, e) : rows_in(k, k->range, few, e);
    return r < 0 ? -1 : 0;
}

/* ---- QUERY ---- */

static int read_ids(const struct rows_ask *k, struct id after, struct id ids[PAGE_FIRST], size_t *ret_n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    char first[DAY_TEXT], last[DAY_TEXT];
    int got = 0;
    *ret_n = 0;
    TRY(db_query(k->db, k->rule->f->rows, &rows, e, VINT(k->s->id), VTEXT(k->range.from), VTEXT(k->range.to),
                 VTEXTZ(day_text(k->q->from, first)), VTEXTZ(day_text(k->q->to, last)), VID(after), VINT(PAGE_FIRST)));
    while (*ret_n < PAGE_FIRST && (got = rows_next(rows, e)) > 0) ids[(*ret_n)++] = rows_id(rows, 0);
    return *ret_n < PAGE_FIRST ? got : 0;
}

/* Dims that only the statement knows cannot be told from a record: they leave the list as it is. */
static struct str known_dims(const struct rows_ask *k) {
    struct str rest = k->want, part;
    struct buf b CLEANUP(buf_release) = BUF(CUT_TEXT + 1);
    while (str_cut(&rest, ';', &part))
        for (size_t i = 0; i < k->rule->cuts_n; i++) {
            if (k->rule->cuts[i].field < 0 || !cut_get(part, k->rule->cuts[i].name).p) continue;
            if (b.n) buf_addc(&b, ';');
            buf_add_str(&b, part);
        }
    return arena_str(k->a, buf_str(&b));
}

static int rows_queried(struct rows_ask *k, struct err *e) {
    struct id ids[PAGE_FIRST], after = k->cur->id;
    size_t n = 0;
    if (!k->rule->f->rows) return 0;
    k->want = known_dims(k);
    do {
        TRY(read_ids(k, after, ids, &n, e));
        for (size_t i = 0; i < n; i++) {
            struct record *r = NULL;
            int got = record_load(k->db, k->s->id, k->a, k->rule->f->kind, ids[i], &r, e);
            if (got < 0) return -1;
            if (got && !r->removed && cut_matches(k, r) && !keep(k, r)) return 0;
        }
        if (n) after = ids[n - 1];
    } while (n == PAGE_FIRST);
    return 0;
}

int figure_rows(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, struct figure_cursor *cur, size_t limit,
                struct record **ret, size_t *ret_n, struct err *e) {
    struct rows_ask k = {.db = db, .s = s, .a = a, .rule = rule_of(q->figure), .q = q, .cur = cur, .limit = limit};
    TRY(dims_cut(a, q, &k.want, e));
    if (k.rule->f->how == RATIO) k.rule = k.rule->part;
    k.range = path_range(a, q->path);
    k.found = arena_new(a, struct record, limit);
    cur->more = false;
    if (q->from <= q->to) TRY(k.rule->f->how == QUERY ? rows_queried(&k, e) : rows_counted(&k, e));
    *ret = k.found;
    *ret_n = k.n;
    return 0;
}
