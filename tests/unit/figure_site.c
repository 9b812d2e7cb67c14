/* Figures against a real store: whatever is created, changed, removed and moved, each figure equals a plain count of the records. */
#include <math.h>

#include "core/tx.h"
#include "figure_world.h"

enum { AREAS = 6, POSTS = 60, SCANS = 120, FIRST = 18290, DAYS = 12 }; /* 2020-01-29 and twelve days */

/* What the store should hold, in the simplest form. */
struct model_post {
    struct id id;
    int area;
    bool there, open;
    int type, place; /* index in the lists below; 0 none */
    day_t since, until;
    int seats;
};
struct model_scan {
    struct id id;
    int area, post, what, origin, persons;
    day_t on;
    double temperature;
};
static const char *const type_of[] = {NULL, "gate", "road", "port"};
static const char *const place_of[] = {NULL, "quarter", "village"};
static const char *const what_of[] = {NULL, "person", "vehicle"};
static const char *const origin_of[] = {NULL, "武汉", "吉县;城关"};
static const char *const origin_cut[] = {NULL, "武汉", "吉县；城关"};

static struct {
    struct site *s;
    struct arena a;
    struct id area[AREAS];
    struct str path[AREAS];
    struct model_post post[POSTS];
    struct model_scan scan[SCANS];
    int posts, scans;
    uint64_t seed;
} w;

static int pick(int n) {
    w.seed = w.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((w.seed >> 33) % (unsigned)n);
}

/* ---- writing ---- */

struct act {
    struct write_item item;
    int (*run)(struct tx *tx, struct act *act, struct err *e);
    int n;
    bool fails;
};

static int act_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct act *act = (struct act *)item;
    tx->actor = &actor_system;
    tx->kind = &world_post;
    tx->verb = "create";
    tx->command = "post.create";
    tx->command_id = id_new(tx->now);
    return act->run(tx, act, e);
}

static void nothing(struct write_item *item UNUSED) {}

static int act_do(int (*run)(struct tx *tx, struct act *act, struct err *e), int n, struct err *e) {
    struct act act = {.item = {.run = act_run, .done = nothing}, .run = run, .n = n};
    return writer_run(w.s, &act.item, e);
}

static void set_text(struct val *v, const char *text) {
    *v = text ? VTEXTZ(text) : VNULL;
}

static void set_day(struct tx *tx, struct val *v, day_t d) {
    char text[DAY_TEXT];
    *v = d == DAY_NONE ? VNULL : VTEXT(arena_str(tx->a, str_z(day_text(d, text))));
}

static void fill_post(struct tx *tx, struct record *r, const struct model_post *m) {
    r->area = w.area[m->area];
    set_text(&r->v[TYPE], type_of[m->type]);
    set_text(&r->v[PLACE], place_of[m->place]);
    set_day(tx, &r->v[SINCE], m->since);
    set_day(tx, &r->v[UNTIL], m->until);
    r->v[SEATS] = m->seats ? VINT(m->seats) : VNULL;
    r->v[OPEN] = VINT(m->open);
}

static struct model_post random_post(void) {
    struct model_post m = {.area = pick(AREAS), .there = true, .open = pick(2), .type = pick(4), .place = pick(3), .seats = pick(5)};
    m.since = pick(4) ? FIRST + pick(DAYS) : DAY_NONE;
    m.until = pick(3) ? DAY_NONE : FIRST + pick(DAYS + 4);
    return m;
}

static int create_post(struct tx *tx, struct act *act, struct err *e) {
    struct errs errs = {.a = tx->a};
    struct model_post *m = &w.post[act->n];
    struct record *r = record_new(tx->a, &world_post);
    fill_post(tx, r, m);
    TRY(tx_create(tx, r, &errs, e));
    m->id = r->id;
    return 0;
}

static int update_post(struct tx *tx, struct act *act, struct err *e) {
    struct errs errs = {.a = tx->a};
    struct model_post *m = &w.post[act->n];
    struct record *old, *r;
    bool changed;
    TRY(tx_load(tx, &world_post, m->id, &old, e));
    r = record_copy(tx->a, old);
    fill_post(tx, r, m);
    return tx_update(tx, old, r, &changed, &errs, e);
}

static int remove_post(struct tx *tx, struct act *act, struct err *e) {
    struct record *old;
    TRY(tx_load(tx, &world_post, w.post[act->n].id, &old, e));
    return tx_remove(tx, old, e);
}

static int create_scan(struct tx *tx, struct act *act, struct err *e) {
    struct errs errs = {.a = tx->a};
    struct model_scan *m = &w.scan[act->n];
    struct record *r = record_new(tx->a, &world_scan);
    r->area = w.area[m->area];
    /* The first and the last second of a local day. */
    r->v[SEEN_AT] = VINT(tz_start(w.s->tz, m->on + (m->what & 1), 0) - (m->what & 1));
    set_text(&r->v[WHAT], what_of[m->what]);
    set_text(&r->v[ORIGIN], origin_of[m->origin]);
    r->v[POST] = VID(w.post[m->post].id);
    r->v[PERSONS] = VINT(m->persons);
    r->v[TEMPERATURE] = VREAL(m->temperature);
    TRY(tx_create(tx, r, &errs, e));
    m->id = r->id;
    return 0;
}

static int post_and_then_fail(struct tx *tx, struct act *act UNUSED, struct err *e) {
    struct errs errs = {.a = tx->a};
    struct model_post m = random_post();
    struct record *r = record_new(tx->a, &world_post);
    m.since = DAY_NONE;
    fill_post(tx, r, &m);
    TRY(tx_create(tx, r, &errs, e));
    return err_set(e, ERR_STATE, NULL, M_TEXT, "no");
}

static int create_areas(struct tx *tx, struct act *act UNUSED, struct err *e) {
    static const struct {
        const char *code, *level;
        int parent;
    } list[AREAS] = {{NULL, NULL, 0}, {"t1", "township", 0}, {"t2", "township", 0}, {"v11", "village", 1}, {"v12", "village", 1}, {"v21", "village", 2}};
    struct errs errs = {.a = tx->a};
    for (int i = 1; i < AREAS; i++) {
        struct record *r = record_new(tx->a, &world_area);
        record_set_text(r, "name", str_z(list[i].code));
        record_set_text(r, "code", str_z(list[i].code));
        record_set_text(r, "level", str_z(list[i].level));
        *record_val(r, "parent") = VID(w.area[list[i].parent]);
        TRY(tx_create(tx, r, &errs, e));
        w.area[i] = r->id;
    }
    return 0;
}

/* The second township goes below the first, or back. */
static int move_township(struct tx *tx, struct act *act, struct err *e) {
    struct errs errs = {.a = tx->a};
    struct record *old, *r;
    bool changed;
    TRY(tx_load(tx, &world_area, w.area[2], &old, e));
    r = record_copy(tx->a, old);
    record_set_text(r, "level", act->n ? STR("community") : STR("township"));
    *record_val(r, "parent") = VID(w.area[act->n]);
    return tx_update(tx, old, r, &changed, &errs, e);
}

static void read_paths(void) {
    struct areas *t = site_areas(w.s);
    for (int i = 0; i < AREAS; i++) w.path[i] = arena_str(&w.a, areas_by_id(t, w.area[i])->path);
    areas_drop(t);
}

static void start(uint64_t seed) {
    struct err e;
    w.s = world_site();
    w.seed = seed;
    struct areas *t = site_areas(w.s);
    w.area[0] = t->all[0].id;
    areas_drop(t);
    CHECK(act_do(create_areas, 0, &e) == 0);
    read_paths();
}

static void one_change(void) {
    struct err e;
    int what = pick(10), n = w.posts ? pick(w.posts) : 0;
    if (what < 3 && w.posts < POSTS) {
        w.post[w.posts] = random_post();
        CHECK(act_do(create_post, w.posts++, &e) == 0);
    } else if (what < 5 && w.posts && w.post[n].there) {
        struct id id = w.post[n].id;
        w.post[n] = random_post();
        w.post[n].id = id;
        CHECK(act_do(update_post, n, &e) == 0);
    } else if (what == 5 && w.posts && w.post[n].there && pick(2)) {
        w.post[n].there = false;
        CHECK(act_do(remove_post, n, &e) == 0);
    } else if (what == 6) {
        CHECK(act_do(post_and_then_fail, 0, &e) == -1 && e.code == ERR_STATE);
    } else if (w.scans < SCANS && w.posts && w.post[n].there) {
        w.scan[w.scans] = (struct model_scan){.area = pick(AREAS), .post = n, .what = pick(3), .origin = pick(3),
                                              .persons = pick(4), .on = FIRST + pick(DAYS), .temperature = 36 + pick(30) / 10.0};
        CHECK(act_do(create_scan, w.scans++, &e) == 0);
    }
}

static void many_changes(uint64_t seed, int n) {
    start(seed);
    for (int i = 0; i < n; i++) one_change();
}

/* ---- counting by hand ---- */

struct asked {
    struct str path;
    day_t from, to;
    const char *type, *at, *what, *origin;
};

static bool is(const char *asked, const char *have) {
    return !asked || (have && strcmp(asked, have) == 0);
}

static bool stands(const struct model_post *m, const struct asked *q) {
    if (!m->there || !path_under(w.path[m->area], q->path)) return false;
    if (m->since != DAY_NONE && m->since > q->to) return false;
    if (m->until != DAY_NONE && m->until <= q->to) return false;
    return is(q->type, type_of[m->type]) && is(q->at, place_of[m->place]);
}

static double count_posts(const struct asked *q, int type, bool seats) {
    double n = 0;
    for (int i = 0; i < w.posts; i++)
        if (stands(&w.post[i], q) && (!type || w.post[i].type == type)) n += seats ? w.post[i].seats : 1;
    return n;
}

static double count_begun(const struct asked *q) {
    double n = 0;
    for (int i = 0; i < w.posts; i++) {
        const struct model_post *m = &w.post[i];
        n += m->there && path_under(w.path[m->area], q->path) && m->place && m->since != DAY_NONE && m->since >= q->from && m->since <= q->to;
    }
    return n;
}

static double count_scans(const struct asked *q, bool febrile, int post) {
    double n = 0;
    for (int i = 0; i < w.scans; i++) {
        const struct model_scan *m = &w.scan[i];
        if (m->on < q->from || m->on > q->to || !is(q->what, what_of[m->what]) || !is(q->origin, origin_cut[m->origin])) continue;
        if (post >= 0 ? m->post != post || !str_eq(w.path[m->area], q->path) : !path_under(w.path[m->area], q->path)) continue;
        if (febrile && !(m->temperature >= 37.3)) continue;
        n += febrile || post >= 0 ? 1 : m->persons;
    }
    return n;
}

/* ---- asking ---- */

static struct figure_query query(const char *figure, const struct asked *q) {
    struct figure_query f = {.figure = figure_by_id(str_z(figure)), .path = q->path, .from = q->from, .to = q->to};
    const struct {
        const char *name, *value;
    } dims[] = {{"type", q->type}, {"at", q->at}, {"what", q->what}, {"origin", q->origin}};
    for (size_t i = 0; i < COUNT(dims); i++)
        if (dims[i].value) f.dims[f.n++] = (struct dim){str_z(dims[i].name), str_z(dims[i].value)};
    return f;
}

static struct figure_value value(struct db *db, const struct figure_query *q) {
    struct err e;
    struct figure_value v = {.value = -1};
    CHECK(figure_value(db, w.s, &w.a, q, &v, &e) == 0);
    return v;
}

/* All rows, page by page, and what they add up to. */
static double rows_sum(struct db *db, const struct figure_query *q, int field, size_t page) {
    struct err e;
    struct figure_cursor cur = {.path = STR("")};
    struct record *r;
    size_t n;
    double sum = 0;
    struct str path = STR("");
    struct id id = {{0}};
    do {
        CHECK(figure_rows(db, w.s, &w.a, q, &cur, page, &r, &n, &e) == 0);
        CHECK(n == page || !cur.more);
        CHECK(n > 0 || !cur.more);
        for (size_t i = 0; i < n; i++) {
            int c = str_cmp(path, r[i].path);
            CHECK(c < 0 || (c == 0 && memcmp(id.b, r[i].id.b, 16) < 0));
            path = r[i].path;
            id = r[i].id;
            sum += field < 0 ? 1 : (double)r[i].v[field].i;
        }
    } while (cur.more);
    return sum;
}

static void check_value(struct db *db, const char *figure, const struct asked *q, double want, int sum_field) {
    struct figure_query f = query(figure, q);
    struct figure_value v = value(db, &f);
    if (v.value != want) unit_fail(__FILE__, __LINE__, "%s at %.*s is %g, not %g", figure, STR_FMT(q->path), v.value, want);
    double rows = rows_sum(db, &f, sum_field, (size_t)pick(9) + 1);
    if (rows != want) unit_fail(__FILE__, __LINE__, "rows of %s at %.*s add up to %g, not %g", figure, STR_FMT(q->path), rows, want);
}

static void check_cuts(struct db *db, const char *figure, const struct asked *q) {
    struct err e;
    struct figure_query f = query(figure, q);
    struct figure_value *cuts;
    size_t n;
    CHECK(figure_cuts(db, w.s, &w.a, &f, &cuts, &n, &e) == 0 && n > 0);
    CHECK(cuts[0].value == value(db, &f).value);
    for (size_t i = 1; i < n; i++) {
        struct figure_query one = f;
        /* "type=x" is all of type x; a combination holds two and more. */
        one.n = 0;
        CHECK(dims_parse(&w.a, cuts[i].cut, &one, &e) == 0);
        for (size_t j = 0; j < f.n; j++)
            if (!cut_get(cuts[i].cut, f.dims[j].field).p) one.dims[one.n++] = f.dims[j];
        CHECK(value(db, &one).value == cuts[i].value && (cuts[i].value != 0 || f.figure->how == RATIO));
        for (size_t j = 1; j < i; j++) CHECK(!str_eq(cuts[i].cut, cuts[j].cut));
    }
}

static void check_series(struct db *db, const char *figure, const struct asked *q) {
    struct err e;
    struct figure_query f = query(figure, q);
    double *v;
    CHECK(figure_series(db, w.s, &w.a, &f, &v, &e) == 0);
    for (day_t d = q->from; d <= q->to; d++) {
        struct figure_query one = f;
        one.from = one.to = d;
        struct figure_value want = value(db, &one);
        CHECK(want.none ? isnan(v[d - q->from]) : v[d - q->from] == want.value);
    }
}

static double percent(double part, double whole) {
    return floor(1000 * part / whole + 0.5) / 10;
}

static void check_ratios(struct db *db, const struct asked *q) {
    struct asked only_at = *q;
    only_at.type = NULL;
    struct figure_query f = query("gates_percent", &only_at);
    f.figure = figure_by_id(STR("gates_percent"));
    struct figure_value v = value(db, &f);
    double whole = count_posts(&only_at, 0, false), part = count_posts(&only_at, 1, false);
    CHECK(v.none == (whole == 0) && (v.none || v.value == percent(part, whole)));
    CHECK(rows_sum(db, &f, -1, 3) == part);

    struct asked plain = {.path = q->path, .from = q->from, .to = q->to};
    whole = 0;
    for (day_t d = q->from; d <= q->to; d++) {
        struct asked one = plain;
        one.from = one.to = d;
        whole += count_posts(&one, 0, false);
    }
    f = query("begun_percent", &plain);
    v = value(db, &f);
    CHECK(v.none == (whole == 0) && (v.none || v.value == percent(count_begun(&plain), whole)));
}

static void check_all_at(struct db *db, struct str path) {
    struct asked q = {.path = path, .from = FIRST - 1 + pick(DAYS)};
    q.to = q.from + pick(DAYS);
    for (int i = 0; i < 4; i++) {
        q.type = type_of[pick(4)];
        q.at = place_of[pick(3)];
        check_value(db, "posts", &q, count_posts(&q, 0, false), -1);
        check_value(db, "seats", &q, count_posts(&q, 0, true), SEATS);
        check_cuts(db, "posts", &q);
        check_series(db, "posts", &q);
        check_ratios(db, &q);
        q.type = q.at = NULL;
        check_value(db, "begun", &q, count_begun(&q), -1);
        check_cuts(db, "gates_percent", &q);
        check_series(db, "gates_percent", &q);
        check_series(db, "begun_percent", &q);
        check_series(db, "places", &q);
        check_series(db, "places_percent", &q);
        q.what = what_of[pick(3)];
        check_value(db, "febrile", &q, count_scans(&q, true, -1), -1);
        q.origin = origin_cut[pick(3)];
        check_value(db, "persons", &q, count_scans(&q, false, -1), PERSONS);
        check_cuts(db, "persons", &q);
        check_series(db, "persons", &q);
        q.what = q.origin = NULL;
    }
}

struct wrong {
    int n;
    struct tally_key last;
    int64_t stored, counted;
};

static void wrong(void *arg, const struct tally_key *k, int64_t stored, int64_t counted) {
    struct wrong *x = arg;
    x->n++;
    x->last = (struct tally_key){arena_str(&w.a, k->path), arena_str(&w.a, k->figure), arena_str(&w.a, k->cut), arena_str(&w.a, k->day)};
    x->stored = stored;
    x->counted = counted;
}

static struct wrong recount(struct db *db) {
    struct err e;
    struct wrong x = {0};
    CHECK(tally_recount(w.s, db, wrong, &x, &e) == 0);
    return x;
}

static void check_everything(void) {
    struct err e;
    struct db *db;
    CHECK(site_reader(w.s, &db, &e) == 0);
    struct wrong x = recount(db);
    if (x.n)
        unit_fail(__FILE__, __LINE__, "%d wrong, last %.*s %.*s %.*s %.*s: %lld stored, %lld counted", x.n, STR_FMT(x.last.path), STR_FMT(x.last.figure),
                  STR_FMT(x.last.cut), STR_FMT(x.last.day), (long long)x.stored, (long long)x.counted);
    for (int i = 0; i < AREAS; i++) check_all_at(db, w.path[i]);
    site_reader_done(w.s, db);
}

static void finish(void) {
    site_close(w.s);
    arena_release(&w.a);
}

TEST(every_figure_equals_a_plain_count_of_the_records) {
    many_changes(1, 220);
    check_everything();
    finish();
}

TEST(figures_stay_right_when_an_area_moves_with_all_below_it) {
    struct err e;
    many_changes(2, 120);
    CHECK(act_do(move_township, 1, &e) == 0);
    read_paths();
    CHECK(path_under(w.path[2], w.path[1]) && path_under(w.path[5], w.path[1]));
    check_everything();
    for (int i = 0; i < 30; i++) one_change();
    CHECK(act_do(move_township, 0, &e) == 0);
    read_paths();
    check_everything();
    finish();
}

TEST(figures_of_one_gate_stand_at_its_own_area_only) {
    struct err e;
    struct db *db;
    many_changes(3, 150);
    CHECK(site_reader(w.s, &db, &e) == 0);
    for (int i = 0; i < w.posts; i++) {
        char id[ID_TEXT];
        struct asked q = {.path = w.path[pick(AREAS)], .from = FIRST, .to = FIRST + DAYS};
        struct figure_query f = query("scans_by_post", &q);
        f.dims[f.n++] = (struct dim){STR("post"), str_z(id_text(w.post[i].id, id))};
        CHECK(value(db, &f).value == count_scans(&q, false, i));
        CHECK(rows_sum(db, &f, -1, 2) == count_scans(&q, false, i));
    }
    site_reader_done(w.s, db);
    finish();
}

TEST(a_query_answers_with_its_whole_and_not_with_the_sum_of_its_rows) {
    struct err e;
    struct db *db;
    struct figure_value *cuts;
    size_t n;
    start(4);
    for (int i = 0; i < 6; i++) {
        w.post[i] = (struct model_post){.there = true, .area = 3, .type = 1 + i % 2, .place = 1 + i % 2 * (i > 3), .since = FIRST, .until = DAY_NONE};
        CHECK(act_do(create_post, w.posts++, &e) == 0);
    }
    CHECK(site_reader(w.s, &db, &e) == 0);
    struct asked q = {.path = w.path[0], .from = FIRST, .to = FIRST};
    struct figure_query f = query("places", &q);
    CHECK(value(db, &f).value == 2);
    CHECK(figure_cuts(db, w.s, &w.a, &f, &cuts, &n, &e) == 0);
    CHECK_INT(n, 3);
    CHECK_STR(cuts[0].cut, "");
    CHECK_STR(cuts[1].cut, "type=gate");
    CHECK_STR(cuts[2].cut, "type=road");
    CHECK(cuts[0].value == 2 && cuts[1].value == 1 && cuts[2].value == 2);
    CHECK(rows_sum(db, &f, -1, 4) == 6);
    q.type = "road";
    f = query("places", &q);
    CHECK(value(db, &f).value == 2);
    CHECK(rows_sum(db, &f, -1, 2) == 3);
    q.path = w.path[4];
    f = query("places", &q);
    CHECK(value(db, &f).value == 0);
    site_reader_done(w.s, db);
    finish();
}

TEST(a_dim_the_figure_does_not_have_is_refused_everywhere) {
    struct err e;
    struct db *db;
    struct figure_value v, *cuts;
    struct figure_cursor cur = {.path = STR("")};
    struct record *r;
    double *series;
    size_t n;
    start(5);
    CHECK(site_reader(w.s, &db, &e) == 0);
    struct asked q = {.path = w.path[0], .from = FIRST, .to = FIRST, .type = "gate"};
    struct figure_query f = query("gates_percent", &q);
    CHECK(figure_value(db, w.s, &w.a, &f, &v, &e) == -1 && e.msg == M_NO_DIM);
    CHECK(figure_cuts(db, w.s, &w.a, &f, &cuts, &n, &e) == -1 && e.msg == M_NO_DIM);
    CHECK(figure_series(db, w.s, &w.a, &f, &series, &e) == -1 && e.msg == M_NO_DIM);
    CHECK(figure_rows(db, w.s, &w.a, &f, &cur, 10, &r, &n, &e) == -1 && e.msg == M_NO_DIM);
    site_reader_done(w.s, db);
    finish();
}

TEST(a_ratio_of_nothing_is_none_and_a_period_has_an_end) {
    struct err e;
    struct db *db;
    double *v;
    start(6);
    CHECK(site_reader(w.s, &db, &e) == 0);
    struct asked q = {.path = w.path[0], .from = FIRST, .to = FIRST + 1};
    struct figure_query f = query("gates_percent", &q);
    CHECK(value(db, &f).none);
    CHECK(figure_series(db, w.s, &w.a, &f, &v, &e) == 0 && isnan(v[0]) && isnan(v[1]));
    f.to = FIRST + PERIOD_DAYS;
    CHECK(figure_series(db, w.s, &w.a, &f, &v, &e) == -1 && e.code == ERR_INVALID && e.msg == M_RANGE);
    f.to = FIRST - 1;
    CHECK(value(db, &f).none);
    CHECK(figure_series(db, w.s, &w.a, &f, &v, &e) == 0);
    CHECK(rows_sum(db, &f, -1, 1) == 0);
    site_reader_done(w.s, db);
    finish();
}

enum { CROWD = 1800, EVERY = 611 };

/* Most are roads without a day; one in EVERY is a gate of the asked day. */
static int create_crowd(struct tx *tx, struct act *act UNUSED, struct err *e) {
    for (int i = 0; i < CROWD; i++) {
        struct errs errs = {.a = tx->a};
        struct record *r = record_new(tx->a, &world_post);
        struct model_post m = {.area = i % AREAS, .type = i % EVERY ? 2 : 1, .place = i % EVERY == 0, .since = FIRST, .until = DAY_NONE};
        fill_post(tx, r, &m);
        if (i % EVERY) r->v[UNTIL] = r->v[SINCE];
        TRY(tx_create(tx, r, &errs, e));
    }
    return 0;
}

TEST(the_few_rows_behind_a_figure_are_found_among_many_others) {
    struct err e;
    struct db *db;
    start(8);
    CHECK(act_do(create_crowd, 0, &e) == 0);
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK_INT(recount(db).n, 0);
    struct asked q = {.path = w.path[0], .from = FIRST, .to = FIRST};
    static const char *const few[] = {"posts", "gates", "begun"};
    for (size_t i = 0; i < COUNT(few); i++)
        for (size_t page = 1; page < 4; page++) {
            struct figure_query f = query(few[i], &q);
            CHECK(value(db, &f).value == 3 && rows_sum(db, &f, -1, page) == 3);
        }
    q.from -= 100; /* too long for the index of days */
    struct figure_query f = query("begun", &q);
    CHECK(value(db, &f).value == 3 && rows_sum(db, &f, -1, 2) == 3);
    site_reader_done(w.s, db);
    finish();
}

static struct stmt damage[] = {
    STMT(tally_more, "UPDATE tally SET n = n + 1 WHERE site = $1 AND path = $2 AND figure = 'posts'"),
    STMT(tally_gone, "DELETE FROM tally WHERE site = $1 AND path = $2 AND figure = 'posts'"),
    STMT(tally_alien, "INSERT INTO tally(site, path, figure, cut, day, n) VALUES($1, $2, 'nothing', '', '', 5)"),
};

static int run_damage(struct tx *tx, struct act *act, struct err *e) {
    return db_run(tx->db, &damage[act->n], e, VINT(w.s->id), VTEXT(w.path[3]));
}

TEST(a_recount_finds_each_tally_that_is_wrong_missing_or_too_many) {
    static const struct {
        const char *figure;
        int64_t stored, counted;
    } want[] = {{"posts", 2, 1}, {"posts", 0, 1}, {"nothing", 5, 0}};
    struct err e;
    stmt_register(damage, COUNT(damage));
    start(7);
    w.post[0] = (struct model_post){.there = true, .area = 3, .type = 1, .since = FIRST, .until = DAY_NONE};
    CHECK(act_do(create_post, w.posts++, &e) == 0);
    for (int i = 0; i < 3; i++) {
        struct db *db;
        CHECK(act_do(run_damage, i, &e) == 0);
        CHECK(site_reader(w.s, &db, &e) == 0);
        struct wrong x = recount(db);
        site_reader_done(w.s, db);
        CHECK_INT(x.n, i == 2 ? 2 : 1);
        if (i == 2) continue;
        CHECK_STR(x.last.figure, want[i].figure);
        CHECK_STR(x.last.path, arena_strz(&w.a, w.path[3]));
        CHECK_STR(x.last.cut, "type=gate");
        CHECK_STR(x.last.day, "2020-01-29");
        CHECK(x.stored == want[i].stored && x.counted == want[i].counted);
    }
    finish();
}
