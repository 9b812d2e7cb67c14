/* Asking for figures.  The table is read into cells, one for each combination of cuts, and everything asked (the value under some dims, the
 * cuts, a ratio) is a sum over those cells that hold what was asked. */
#include "core/figure_internal.h"

#include <math.h>

struct cell {
    struct str cut;
    double n;
};
struct cells {
    struct cell *all;
    size_t n, cap;
};
struct ask {
    struct db *db;
    struct site *s;
    struct arena *a;
    const struct rule *rule;
    struct str path;
    day_t from, to;
    struct str want; /* the dims as a cut */
    bool ahead;      /* the questions are only told: nothing is read */
};

static int ask_start(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, struct ask *ret, struct err *e) {
    *ret = (struct ask){db, s, a, rule_of(q->figure), q->path, q->from, q->to, .want = STR("")};
    return dims_cut(a, q, &ret->want, e);
}

static size_t days_in(const struct ask *k) {
    return k->from > k->to ? 0 : (size_t)(k->to - k->from) + 1;
}

static int check_length(const struct ask *k, struct err *e) {
    if (days_in(k) <= PERIOD_DAYS) return 0;
    char most[16];
    snprintf(most, sizeof most, "%d", PERIOD_DAYS);
    return err_set(e, ERR_INVALID, "to", M_RANGE, "1", most);
}

/* ---- cells ---- */

static void cell_add(struct arena *a, struct cells *c, struct str cut, double n) {
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 32;
        struct cell *more = arena_new(a, struct cell, c->cap);
        if (c->n) memcpy(more, c->all, c->n * sizeof *more);
        c->all = more;
    }
    c->all[c->n++] = (struct cell){cut, n};
}

static int cell_cmp(const void *x, const void *y) {
    return str_cmp(((const struct cell *)x)->cut, ((const struct cell *)y)->cut);
}

/* Sorted by cut, one cell for each. */
static void cells_merge(struct cells *c) {
    size_t n = 0;
    if (c->n) qsort(c->all, c->n, sizeof *c->all, cell_cmp);
    for (size_t i = 0; i < c->n; i++) {
        if (n && str_eq(c->all[n - 1].cut, c->all[i].cut)) c->all[n - 1].n += c->all[i].n;
        else c->all[n++] = c->all[i];
    }
    c->n = n;
}

static size_t parts_of(struct str cut) {
    struct str part;
    size_t n = 0;
    while (str_cut(&cut, ';', &part)) n++;
    return n;
}

/* A statement may give a row for the whole beside those for its parts (distinct people do not add up), so one that says exactly what was
 * asked goes before any sum. */
static double cells_value(const struct rule *u, const struct cells *c, struct str want) {
    double sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!cut_holds(c->all[i].cut, want)) continue;
        if (u->f->how == QUERY && parts_of(c->all[i].cut) == parts_of(want)) return c->all[i].n;
        sum += c->all[i].n;
    }
    return sum;
}

/* *ret stays NULL when the question is only told. */
static int put_question(const struct ask *k, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e) {
    return k->ahead ? db_foresee_n(k->db, s, v, n, e) : db_query_n(k->db, s, v, n, ret, e);
}

static int load_query(const struct ask *k, const struct rule *u, day_t from, day_t to, struct cells *c, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got = 0;
    /* The texts of day and path must live as long as the rows. */
    char first[DAY_TEXT], last[DAY_TEXT];
    struct path_range p = path_range(k->a, k->path);
    const struct val v[] = {VINT(k->s->id), VTEXT(p.from), VTEXT(p.to), VTEXTZ(day_text(from, first)), VTEXTZ(day_text(to, last))};
    TRY(put_question(k, u->f->query, v, COUNT(v), &rows, e));
    while (rows && (got = rows_next(rows, e)) > 0) cell_add(k->a, c, arena_str(k->a, rows_text(rows, 0)), rows_real(rows, 1));
    return got;
}

/* What is asked of tallies: those of the table, then those that lie by on a server. */
struct tally_reader {
    const struct ask *k;
    const struct rule *rule;
    bool each_day;
    struct rows *rows;
    struct held_reader held;
};
struct tally_part {
    struct str cut; /* until the next one */
    day_t day;      /* each_day: within the period, a stock's of before on its first */
    int64_t n;
};

static void tallies_done(struct tally_reader *t) {
    rows_donep(&t->rows);
    held_done(&t->held);
}

/* The texts must live as long as the rows. */
static int open_table(struct tally_reader *t, struct err *e) {
    char day[DAY_TEXT];
    const struct ask *k = t->k;
    struct str first = arena_str(k->a, str_z(day_text(k->from, day))), last = arena_str(k->a, str_z(day_text(k->to, day)));
    struct val site = VINT(k->s->id), path = VTEXT(k->path), id = VTEXTZ(t->rule->f->id);
    if (t->rule->f->how == FLOW) {
        const struct val v[] = {site, path, id, VTEXT(first), VTEXT(last)};
        return put_question(k, &figure_stmts[t->each_day ? ST_TALLY_FLOW_DAYS : ST_TALLY_FLOW], v, COUNT(v), &t->rows, e);
    }
    const struct val v[] = {site, path, id, VTEXT(last)};
    return put_question(k, &figure_stmts[t->each_day ? ST_TALLY_STOCK_DAYS : ST_TALLY_STOCK], v, COUNT(v), &t->rows, e);
}

/* By cut, or for each day. */
static int tallies_open(struct tally_reader *t, const struct ask *k, const struct rule *u, bool each_day, struct err *e) {
    *t = (struct tally_reader){.k = k, .rule = u, .each_day = each_day};
    if (db_shared(k->db)) TRY(db_foresee(k->db, &figure_stmts[ST_TALLY_HELD], e, VINT(k->s->id)));
    TRY(open_table(t, e));
    return k->ahead || !db_shared(k->db) ? 0 : held_open(&t->held, k->db, k->s->id, u, e);
}

static day_t in_period(day_t d, const struct ask *k) {
    return d == DAY_NONE || d < k->from ? k->from : d;
}

static int next_row(struct tally_reader *t, struct tally_part *ret, struct err *e) {
    day_t d = DAY_NONE;
    int got = rows_next(t->rows, e);
    if (got <= 0) return got;
    *ret = (struct tally_part){.cut = rows_text(t->rows, 0), .n = rows_int(t->rows, t->each_day ? 2 : 1)};
    if (t->each_day && !day_from_iso(rows_text(t->rows, 1), &d)) d = DAY_NONE;
    ret->day = in_period(d, t->k);
    return 1;
}

static int next_held(struct tally_reader *t, struct tally_part *ret, struct err *e) {
    struct held_tally h;
    int got;
    while ((got = held_next(&t->held, &h, e)) == 1) {
        bool asked = h.day <= t->k->to && (t->rule->f->how == STOCK || h.day >= t->k->from);
        if (!asked || !str_eq(h.path, t->k->path)) continue;
        *ret = (struct tally_part){h.cut, in_period(h.day, t->k), h.n};
        break;
    }
    return got;
}

static int tallies_next(struct tally_reader *t, struct tally_part *ret, struct err *e) {
    if (t->rows) {
        int got = next_row(t, ret, e);
        if (got) return got;
        rows_donep(&t->rows);
    }
    return t->held.rows ? next_held(t, ret, e) : 0;
}

static int load_tallies(const struct ask *k, const struct rule *u, struct cells *c, struct err *e) {
    struct tally_reader t CLEANUP(tallies_done) = {0};
    struct tally_part p;
    int got;
    TRY(tallies_open(&t, k, u, false, e));
    while ((got = tallies_next(&t, &p, e)) == 1) cell_add(k->a, c, arena_str(k->a, p.cut), (double)p.n);
    if (t.held.rows) cells_merge(c);
    return got;
}

/* A stock summed over the days of the period: what begins on a day counts on each day that is left. */
static int load_each_day(const struct ask *k, const struct rule *u, struct cells *c, struct err *e) {
    if (u->f->how == FLOW) return load_tallies(k, u, c, e);
    TRY(check_length(k, e));
    if (u->f->how == QUERY) {
        for (day_t d = k->from; d <= k->to; d++) TRY(load_query(k, u, d, d, c, e));
        cells_merge(c);
        return 0;
    }
    struct tally_reader t CLEANUP(tallies_done) = {0};
    struct tally_part p;
    int got;
    TRY(tallies_open(&t, k, u, true, e));
    while ((got = tallies_next(&t, &p, e)) == 1) cell_add(k->a, c, arena_str(k->a, p.cut), (double)p.n * (double)(k->to - p.day + 1));
    cells_merge(c);
    return got;
}

static int load(const struct ask *k, const struct rule *u, bool each_day, struct cells *c, struct err *e) {
    INVARIANT(u->f->how != RATIO);
    *c = (struct cells){0};
    if (days_in(k) == 0) return 0;
    if (each_day) return load_each_day(k, u, c, e);
    if (u->f->how == QUERY) return load_query(k, u, k->from, k->to, c, e);
    return load_tallies(k, u, c, e);
}

/* ---- values ---- */

static struct figure_value percent(struct str cut, double part, double whole) {
    if (!(whole > 0)) return (struct figure_value){.cut = cut, .none = true};
    return (struct figure_value){.cut = cut, .value = floor(1000 * part / whole + 0.5) / 10};
}

/* What a figure's values are summed from: itself, or part and whole. */
struct counted {
    struct cells self, whole;
};

static int load_all(const struct ask *k, struct counted *c, struct err *e) {
    const struct rule *u = k->rule;
    if (u->f->how != RATIO) return load(k, u, false, &c->self, e);
    TRY(load(k, u->part, false, &c->self, e));
    return load(k, u->whole, u->f->per_day, &c->whole, e);
}

static struct figure_value value_of(const struct ask *k, const struct counted *c, struct str want, struct str cut) {
    const struct rule *u = k->rule;
    if (u->f->how != RATIO) return (struct figure_value){.cut = cut, .value = cells_value(u, &c->self, want)};
    return percent(cut, cells_value(u->part, &c->self, want), cells_value(u->whole, &c->whole, want));
}

int figure_value(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, struct figure_value *ret, struct err *e) {
    struct ask k;
    struct counted c;
    TRY(ask_start(db, s, a, q, &k, e));
    TRY(load_all(&k, &c, e));
    *ret = value_of(&k, &c, k.want, k.want);
    return 0;
}

int figures_foresee(struct db *db, struct site *s, struct arena *a, struct str path, day_t from, day_t to, struct err *e) {
    const struct figure *f;
    for (size_t i = 0; db_shared(db) && (f = figure_at(i)); i++) {
        struct ask k = {.db = db, .s = s, .a = a, .rule = rule_of(f), .path = path, .from = from, .to = to, .want = STR(""), .ahead = true};
        struct counted ignored;
        if (!f->hidden) TRY(load_all(&k, &ignored, e));
    }
    return 0;
}

/* ---- cuts ---- */

static struct str join(struct arena *a, struct str x, struct str y) {
    if (x.n == 0) return y;
    return y.n ? str_z(arena_printf(a, "%.*s;%.*s", STR_FMT(x), STR_FMT(y))) : x;
}

/* "field=value" of every value of the cut that occurs, then (no field given) every combination of two and more. */
static void list_cuts(const struct ask *k, const struct cells *from, const struct rule_cut *field, struct cells *ret) {
    struct cells some = {0};
    for (size_t i = 0; i < from->n; i++) {
        struct str cut = STR("");
        if (!cut_holds(from->all[i].cut, k->want)) continue;
        for (size_t j = 0; j < k->rule->cuts_n; j++) {
            const struct rule_cut *c = &k->rule->cuts[j];
            struct str v = cut_get(from->all[i].cut, c->name);
            if ((field && field != c) || !v.p) continue;
            cut = join(k->a, cut, str_z(arena_printf(k->a, "%.*s=%.*s", STR_FMT(c->name), STR_FMT(v))));
        }
        if (parts_of(cut) >= (field ? 1 : 2)) cell_add(k->a, &some, cut, from->all[i].n);
    }
    cells_merge(&some);
    for (size_t i = 0; i < some.n; i++)
        if (some.all[i].n != 0) cell_add(k->a, ret, some.all[i].cut, some.all[i].n);
}

static void list_all(const struct ask *k, const struct counted *c, struct cells *ret) {
    const struct cells *from = k->rule->f->how == RATIO ? &c->whole : &c->self;
    *ret = (struct cells){0};
    cell_add(k->a, ret, k->want, 0);
    if (k->rule->f->how == QUERY) {
        for (size_t i = 0; i < from->n; i++)
            if (cut_holds(from->all[i].cut, k->want) && parts_of(from->all[i].cut) > parts_of(k->want))
                cell_add(k->a, ret, from->all[i].cut, from->all[i].n);
        return;
    }
    size_t open = 0;
    for (size_t i = 0; i < k->rule->cuts_n; i++) {
        if (cut_get(k->want, k->rule->cuts[i].name).p) continue;
        list_cuts(k, from, &k->rule->cuts[i], ret);
        open++;
    }
    if (open > 1) list_cuts(k, from, NULL, ret);
}

int figure_cuts(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, struct figure_value **ret, size_t *ret_n, struct err *e) {
    struct ask k;
    struct counted c;
    struct cells list;
    TRY(ask_start(db, s, a, q, &k, e));
    TRY(load_all(&k, &c, e));
    list_all(&k, &c, &list);
    struct figure_value *v = arena_new(a, struct figure_value, list.n);
    v[0] = value_of(&k, &c, k.want, k.want);
    for (size_t i = 1; i < list.n; i++) {
        struct str cut = list.all[i].cut;
        if (k.rule->f->how == RATIO) v[i] = value_of(&k, &c, join(a, k.want, cut), cut);
        else v[i] = (struct figure_value){.cut = cut, .value = list.all[i].n};
    }
    *ret = v;
    *ret_n = list.n;
    return 0;
}

/* ---- series ---- */

static int series_of_tally(const struct ask *k, const struct rule *u, double *v, struct err *e) {
    struct tally_reader t CLEANUP(tallies_done) = {0};
    struct tally_part p;
    int got;
    TRY(tallies_open(&t, k, u, true, e));
    while ((got = tallies_next(&t, &p, e)) == 1)
        if (cut_holds(p.cut, k->want)) v[p.day - k->from] += (double)p.n;
    if (u->f->how == STOCK)
        for (size_t i = 1; i < days_in(k); i++) v[i] += v[i - 1];
    return got;
}

static int series_of(const struct ask *k, const struct rule *u, double **ret, struct err *e) {
    double *v = arena_new(k->a, double, days_in(k));
    if (u->f->how != QUERY) {
        TRY(series_of_tally(k, u, v, e));
    } else {
        for (size_t i = 0; i < days_in(k); i++) {
            struct cells c = {0};
            TRY(load_query(k, u, k->from + (day_t)i, k->from + (day_t)i, &c, e));
            v[i] = cells_value(u, &c, k->want);
        }
    }
    *ret = v;
    return 0;
}

int figure_series(struct db *db, struct site *s, struct arena *a, const struct figure_query *q, double **ret, struct err *e) {
    struct ask k;
    double *v = NULL, *whole;
    TRY(ask_start(db, s, a, q, &k, e));
    TRY(check_length(&k, e));
    if (days_in(&k) == 0) return *ret = arena_new(a, double, 1), 0;
    if (k.rule->f->how != RATIO) return series_of(&k, k.rule, ret, e);
    TRY(series_of(&k, k.rule->part, &v, e));
    TRY(series_of(&k, k.rule->whole, &whole, e));
    for (size_t i = 0; i < days_in(&k); i++) {
        struct figure_value p = percent(k.want, v[i], whole[i]);
        v[i] = p.none ? NAN : p.value;
    }
    *ret = v;
    return 0;
}
