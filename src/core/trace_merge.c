#include "core/trace_merge.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "core/core_stmts.h"
#include "core/trace_run.h"
#include "core/tx.h"

enum { FANOUT = 16, MERGE_MOST = 64, SLICE = 4096, PARTS_AT_ONCE = 16, END_AT_ONCE = 512, FEW_BUCKETS = 64, LEVEL_LONG = 3, REST_MOST_MS = 100, FULL_WAIT_MS = 20 };
/* Who claims to write a run says so again with each slice.  What starts (tx_used_start) reads the newest runs, which therefore stay short for a while. */
static const int64_t STALE_US = 30 * US_PER_SECOND, LONG_AFTER_US = 300 * US_PER_SECOND;

/* Reads a run from its beginning to its end. */
struct cursor {
    const struct trace_run *run;
    int64_t bucket; /* the next one to be read */
    struct arena a;
    struct trace_entry *all;
    size_t n, at;
    bool end;
};

struct merging {
    struct site *site;
    const struct kind *kind;
    const atomic_bool *stop;
    struct trace_run in[MERGE_MOST], out;
    size_t in_n;
    struct cursor from[MERGE_MOST];
    struct trace_entry *slice;
    size_t slice_n, slice_cap;
};

static bool stopped(const struct merging *m) {
    return m->stop && atomic_load(m->stop);
}

static void rest_ms(int64_t ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* A full queue is waited out. */
static int run_item(struct merging *m, struct write_item *item, struct err *e) {
    int r;
    while ((r = writer_run(m->site, item, e)) && e->code == ERR_BUSY && !stopped(m)) rest_ms(FULL_WAIT_MS);
    return r;
}

static int set_state(struct tx *tx, const struct kind *k, const struct trace_run *t, enum trace_state state, struct err *e) {
    struct val owner = state == TRACE_WRITTEN ? VID(t->owner) : VNULL;
    return db_run(tx->db, CS(trace_run_state), e, VINT(tx->site->id), VTEXTZ(k->name), VINT(t->level), VINT(t->run), VINT(state), VINT(tx->now), owner);
}

/* ---- the end of a run ---- */

struct ending {
    struct write_item item;
    const struct merging *m;
    const struct trace_run *run;
    int64_t until; /* buckets before it */
};

static int end_some(struct tx *tx, const struct kind *k, const struct trace_run *t, int64_t until, struct err *e) {
    TRY(db_run(tx->db, CS(trace_parts_end), e, VINT(tx->site->id), VTEXTZ(k->name), VINT(t->level), VINT(t->run), VINT(until)));
    if (until < trace_buckets(t)) return set_state(tx, k, t, TRACE_OVER, e);
    return db_run(tx->db, CS(trace_run_end), e, VINT(tx->site->id), VTEXTZ(k->name), VINT(t->level), VINT(t->run));
}

static int ending_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct ending *x = (struct ending *)item;
    return end_some(tx, x->m->kind, x->run, x->until, e);
}

static int end_run(struct merging *m, const struct trace_run *t, struct err *e) {
    struct ending x = {.item = {.run = ending_run}, .m = m, .run = t};
    while (x.until < trace_buckets(t) && !stopped(m)) {
        x.until += END_AT_ONCE;
        TRY(run_item(m, &x.item, e));
    }
    return 0;
}

/* ---- reading in order ---- */

static int add_bucket(struct cursor *c, struct str bucket, size_t *cap, struct err *e) {
    struct trace_entry x;
    int there;
    for (size_t i = 0; (there = trace_entry_at(bucket, i, &x, e)) == 1; i++) {
        if (c->n == *cap) {
            struct trace_entry *more = arena_new(&c->a, struct trace_entry, *cap = MAX(*cap * 2, (size_t)TRACE_BUCKET));
            if (c->n) memcpy(more, c->all, c->n * sizeof *more);
            c->all = more;
        }
        c->all[c->n++] = x;
    }
    return there;
}

static int fill(struct db *db, const struct merging *m, struct cursor *c, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    size_t cap = 0;
    int got;
    arena_clear(&c->a);
    c->n = c->at = 0;
    TRY(db_query(db, CS(trace_parts), &rows, e, VINT(m->site->id), VTEXTZ(m->kind->name), VINT(c->run->level), VINT(c->run->run), VINT(c->bucket), VINT(PARTS_AT_ONCE)));
    while ((got = rows_next(rows, e)) == 1) {
        c->bucket = rows_int(rows, 0) + 1;
        TRY(add_bucket(c, rows_blob(rows, 1), &cap, e));
    }
    c->end = c->n == 0;
    return got;
}

static bool comes_before(const struct cursor *a, const struct cursor *b) {
    return !b || a->all[a->at].value < b->all[b->at].value;
}

/* The cursor that stands on the least value; NULL: all are at their end. */
static int least(struct db *db, struct merging *m, struct cursor **ret, struct err *e) {
    *ret = NULL;
    for (size_t i = 0; i < m->in_n; i++) {
        struct cursor *c = &m->from[i];
        if (!c->end && c->at == c->n) TRY(fill(db, m, c, e));
        if (!c->end && comes_before(c, *ret)) *ret = c;
    }
    return 0;
}

static void take(struct merging *m, struct cursor *c) {
    if (m->slice_n == m->slice_cap) {
        m->slice_cap = MAX(m->slice_cap * 2, (size_t)SLICE + TRACE_BUCKET);
        m->slice = realloc(m->slice, m->slice_cap * sizeof *m->slice);
        INVARIANT(m->slice);
    }
    m->slice[m->slice_n++] = c->all[c->at++];
}

/* A slice ends between two buckets. */
static bool slice_is_full(const struct merging *m, const struct cursor *next) {
    return m->slice_n >= SLICE && m->slice[m->slice_n - 1].value >> m->out.shift != next->all[next->at].value >> m->out.shift;
}

static int fill_slice(struct db *db, struct merging *m, bool *ret_last, struct err *e) {
    struct cursor *c;
    m->slice_n = 0;
    for (;;) {
        TRY(least(db, m, &c, e));
        *ret_last = !c;
        if (!c || slice_is_full(m, c)) break;
        take(m, c);
    }
    trace_sort(m->slice, m->slice_n); /* those of one value by time */
    return 0;
}

/* A snapshot for each slice: one for all would keep the log from beginning anew, and runs do not change. */
static int next_slice(struct merging *m, bool *ret_last, struct err *e) {
    struct db *db;
    TRY(site_reader(m->site, &db, e));
    int r = fill_slice(db, m, ret_last, e);
    site_reader_done(m->site, db);
    return r;
}

/* ---- writing ---- */

struct writing {
    struct write_item item;
    struct merging *m;
    bool first, last;
    bool lost;     /* another process has taken it over */
    bool together; /* what it is made of is short, and is all that there is of a level from the first to the last */
};

static bool among_inputs(const struct merging *m, const struct trace_run *t) {
    return t->level == m->in[0].level && t->run >= m->in[0].run && t->run <= m->in[m->in_n - 1].run;
}

static bool is_input(const struct merging *m, const struct trace_run *t) {
    bool is = false;
    for (size_t i = 0; i < m->in_n; i++) is = is || (t->state == TRACE_WHOLE && m->in[i].level == t->level && m->in[i].run == t->run);
    return is;
}

/* Sees it under the site's lock.  *ret_mine: what has been written is there; 1: and all that it is made of, and nobody else writes. */
static int stands(struct tx *tx, struct writing *w, bool *ret_mine, struct err *e) {
    const struct merging *m = w->m;
    struct trace_run *all;
    size_t n, inputs = 0, others = 0, among = 0, short_inputs = 0;
    *ret_mine = false;
    TRY(trace_runs(tx->db, tx->site->id, tx->a, m->kind, &all, &n, e));
    for (size_t i = 0; i < n; i++) {
        bool mine = all[i].state == TRACE_WRITTEN && id_eq(all[i].owner, m->out.owner);
        *ret_mine |= mine;
        inputs += is_input(m, &all[i]);
        among += among_inputs(m, &all[i]);
        short_inputs += among_inputs(m, &all[i]) && is_input(m, &all[i]) && trace_buckets(&all[i]) <= FEW_BUCKETS;
        others += !mine && (all[i].state == TRACE_WRITTEN || (all[i].level == m->out.level && all[i].run == m->out.run));
    }
    w->together = among == m->in_n && short_inputs == m->in_n;
    return inputs == m->in_n && others == 0 && *ret_mine == !w->first;
}

static int put_claim(struct tx *tx, const struct writing *w, struct err *e) {
    struct trace_run t = w->m->out;
    t.made_at = tx->now;
    t.state = TRACE_WRITTEN;
    return w->first ? trace_run_add(tx->db, tx->site->id, w->m->kind, &t, e) : set_state(tx, w->m->kind, &t, TRACE_WRITTEN, e);
}

static int end_inputs(struct tx *tx, const struct writing *w, struct err *e) {
    const struct merging *m = w->m;
    struct val v[] = {VINT(tx->site->id), VTEXTZ(m->kind->name), VINT(m->in[0].level), VINT(m->in[0].run), VINT(m->in[m->in_n - 1].run)};
    if (w->together) {
        TRY(db_run_n(tx->db, CS(trace_runs_parts_end), v, COUNT(v), NULL, e));
        return db_run_n(tx->db, CS(trace_runs_end), v, COUNT(v), NULL, e);
    }
    for (size_t i = 0; i < m->in_n; i++) TRY(end_some(tx, m->kind, &m->in[i], trace_buckets(&m->in[i]) > FEW_BUCKETS ? 0 : FEW_BUCKETS, e));
    return 0;
}

/* The new one takes the place of the others. */
static int change_over(struct tx *tx, const struct writing *w, struct err *e) {
    const struct merging *m = w->m;
    struct trace_run whole = m->out;
    whole.owner = (struct id){{0}};
    if (!w->first) TRY(db_run(tx->db, CS(trace_run_end), e, VINT(tx->site->id), VTEXTZ(m->kind->name), VINT(whole.level), VINT(whole.run)));
    TRY(trace_run_add(tx->db, tx->site->id, m->kind, &whole, e));
    return end_inputs(tx, w, e);
}

static int writing_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct writing *w = (struct writing *)item;
    bool mine;
    int right = stands(tx, w, &mine, e);
    w->lost = right == 0;
    if (w->lost && mine) return set_state(tx, w->m->kind, &w->m->out, TRACE_OVER, e);
    if (right != 1) return right;
    TRY(trace_write(tx->db, tx->site->id, w->m->kind, &w->m->out, w->m->slice, w->m->slice_n, e));
    return w->last ? change_over(tx, w, e) : put_claim(tx, w, e);
}

static int write_all(struct merging *m, struct err *e) {
    struct writing w = {.item = {.run = writing_run}, .m = m, .first = true};
    while (!w.last && !stopped(m)) {
        TRY(next_slice(m, &w.last, e));
        int64_t began = monotonic_us();
        TRY(run_item(m, &w.item, e));
        if (w.lost) return 0;
        if (!w.last) rest_ms(MIN((monotonic_us() - began) / 1000, (int64_t)REST_MOST_MS));
        w.first = false;
    }
    return 0;
}

static void plan(struct merging *m, int64_t level) {
    m->out = (struct trace_run){.level = level, .seen_from = INT64_MAX, .seen_to = INT64_MIN, .owner = id_new(site_now(m->site))};
    for (size_t i = 0; i < m->in_n; i++) {
        const struct trace_run *t = &m->in[i];
        m->out.level = MAX(m->out.level, t->level + 1);
        m->out.run = MAX(m->out.run, t->run);
        m->out.n += t->n;
        m->out.seen_from = MIN(m->out.seen_from, t->seen_from);
        m->out.seen_to = MAX(m->out.seen_to, t->seen_to);
        m->out.made_at = MAX(m->out.made_at, t->made_at);
        m->from[i] = (struct cursor){.run = t};
    }
    m->out.shift = trace_shift(m->out.n);
}

static int merge(struct merging *m, int64_t level, struct err *e) {
    plan(m, level);
    int r = write_all(m, e);
    for (size_t i = 0; i < m->in_n; i++) arena_release(&m->from[i].a);
    return r;
}

/* ---- what is to be done ---- */

static int64_t day_of(int64_t at) {
    return at / US_PER_DAY;
}

struct runs {
    const struct trace_run *all;
    size_t n;
    int64_t now;
};

/* The oldest ones of a level, made on that day; level -1: of any. */
static void choose(struct merging *m, const struct runs *r, int64_t day, int64_t level) {
    int64_t latest = level >= LEVEL_LONG ? r->now - LONG_AFTER_US : INT64_MAX;
    m->in_n = 0;
    for (size_t i = 0; i < r->n && m->in_n < MERGE_MOST; i++)
        if (day_of(r->all[i].made_at) == day && (level < 0 || r->all[i].level == level) && r->all[i].made_at <= latest) m->in[m->in_n++] = r->all[i];
}

/* 1: something was done. */
static int merge_past_day(struct merging *m, const struct runs *r, struct err *e) {
    for (size_t i = 0; i < r->n; i++) {
        if (day_of(r->all[i].made_at) >= day_of(r->now)) continue;
        choose(m, r, day_of(r->all[i].made_at), -1);
        if (m->in_n > 1) return merge(m, TRACE_LEVEL_DAY, e) ? -1 : 1;
    }
    return 0;
}

static int merge_level(struct merging *m, const struct runs *r, struct err *e) {
    for (int64_t level = 0; level < TRACE_LEVEL_DAY - 1; level++) {
        choose(m, r, day_of(r->now), level);
        if (m->in_n >= FANOUT) return merge(m, level + 1, e) ? -1 : 1;
    }
    return 0;
}

/* 1: something was done; 0 with *ret_busy: somebody else is at it. */
static int tidy(struct merging *m, const struct runs *r, bool *ret_busy, struct err *e) {
    int64_t before = r->now - m->kind->retention_days * US_PER_DAY;
    *ret_busy = false;
    for (size_t i = 0; i < r->n; i++) {
        const struct trace_run *t = &r->all[i];
        bool over = t->state == TRACE_OVER || t->made_at < (t->state == TRACE_WRITTEN ? r->now - STALE_US : before);
        if (over) return end_run(m, t, e) ? -1 : 1;
        *ret_busy |= t->state == TRACE_WRITTEN;
    }
    return 0;
}

static int look(struct merging *m, struct arena *a, struct runs *ret, struct err *e) {
    struct trace_run *all;
    struct db *db;
    TRY(site_reader(m->site, &db, e));
    int r = trace_runs(db, m->site->id, a, m->kind, &all, &ret->n, e);
    site_reader_done(m->site, db);
    ret->all = all;
    ret->now = site_now(m->site);
    return r;
}

/* 1: something was done. */
static int merge_once(struct merging *m, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct runs r;
    bool busy;
    TRY(look(m, &a, &r, e));
    int done = tidy(m, &r, &busy, e);
    if (done || busy) return done;
    done = merge_past_day(m, &r, e);
    return done ? done : merge_level(m, &r, e);
}

int trace_merge(struct site *s, const struct kind *k, const atomic_bool *stop, struct err *e) {
    struct merging *m = calloc(1, sizeof *m);
    INVARIANT(m);
    m->site = s;
    m->kind = k;
    m->stop = stop;
    int done;
    do done = merge_once(m, e);
    while (done == 1 && !stopped(m));
    free(m->slice);
    free(m);
    return MIN(done, 0);
}

/* ---- the thread ---- */

struct trace_merger {
    struct site *site;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int64_t stored, wanted;
    atomic_bool stopping;
};

static void merge_kinds(struct trace_merger *m) {
    struct err e;
    for (size_t i = 0; i < kind_count(); i++)
        if (trace_kind(kind_at(i)) && trace_merge(m->site, kind_at(i), &m->stopping, &e) && !atomic_load(&m->stopping))
            log_line(LOG_WARN, "trace", "runs were not merged code=%s detail=%s", err_name(e.code), e.arg[0]);
}

static void *merger_main(void *arg) {
    struct trace_merger *m = arg;
    pthread_mutex_lock(&m->lock);
    for (;;) {
        while (m->stored < m->wanted && !atomic_load(&m->stopping)) pthread_cond_wait(&m->wake, &m->lock);
        if (atomic_load(&m->stopping)) break;
        m->stored = 0;
        m->wanted = FANOUT;
        pthread_mutex_unlock(&m->lock);
        merge_kinds(m);
        pthread_mutex_lock(&m->lock);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* Earlier processes may have left some: the first transaction wakes it. */
struct trace_merger *trace_merger_start(struct site *s) {
    struct trace_merger *m = calloc(1, sizeof *m);
    INVARIANT(m);
    m->site = s;
    m->wanted = 1;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->wake, NULL);
    INVARIANT(pthread_create(&m->thread, NULL, merger_main, m) == 0);
    return m;
}

void trace_merger_stored(struct trace_merger *m) {
    pthread_mutex_lock(&m->lock);
    if (++m->stored == m->wanted) pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
}

void trace_merger_stop(struct trace_merger *m) {
    pthread_mutex_lock(&m->lock);
    atomic_store(&m->stopping, true);
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
