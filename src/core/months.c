#include "core/months.h"

#include <time.h>

#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/site.h"
#include "core/trace_merge.h"
#include "core/trace_run.h"
#include "core/writer.h"

enum { SLICE = 1000, SLICE_MONTHS = 8, REST_MOST_MS = 500 };

/* Ids from here on have no time in them: 2200-01-01.  A clock that goes wrong is not that wrong. */
#define NO_TIME_MS INT64_C(7258118400000)

/* ---- months and ids ---- */

static int month_of(int64_t at) {
    int year, month, day;
    day_split((day_t)(at / US_PER_DAY), &year, &month, &day);
    return year * 12 + month - 1;
}

static int64_t month_start(int month) {
    return day_make(month / 12, month % 12 + 1, 1) * US_PER_DAY;
}

static const struct month_table *table_of(const struct kind *k, int month) {
    const struct kind_sql *q = kind_sql(k);
    return &q->months[(size_t)month % q->months_n];
}

static int64_t id_ms(struct id id) {
    int64_t ms = 0;
    for (int i = 0; i < 6; i++) ms = ms << 8 | id.b[i];
    return ms;
}

/* The least id of that time. */
static struct id id_from(int64_t ms) {
    struct id id = {{0}};
    for (int i = 5; i >= 0; i--, ms >>= 8) id.b[i] = (uint8_t)ms;
    return id;
}

static int64_t moved_before(const struct kind *k, int64_t now) {
    return now - k->retention_days * US_PER_DAY;
}

bool months_may_hold(const struct kind *k, struct id id, int64_t now) {
    int64_t ms = id_ms(id);
    return k->sunset_days && (ms < (moved_before(k, now) + US_PER_DAY) / 1000 || ms >= NO_TIME_MS);
}

bool months_may_have_seen(const struct kind *k, int64_t from, int64_t now) {
    return k->sunset_days && from < moved_before(k, now) + US_PER_DAY;
}

int months_load(struct tx *tx, const struct kind *k, struct id id, struct record **ret, struct err *e) {
    if (months_may_hold(k, id, tx->now)) return record_load(tx->db, tx->site->id, tx->a, k, id, ret, e);
    return record_load_fresh(tx->db, tx->site->id, tx->a, k, id, ret, e);
}

bool months_odd(struct id id, int64_t now) {
    return id_ms(id) > (now + US_PER_DAY) / 1000;
}

/* ---- what is remembered of a log, as settings: a time each ---- */

static int time_get(struct db *db, int64_t site, const char *what, const struct kind *k, int64_t *ret, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str v = STR("");
    *ret = 0;
    if (setting_get(db, site, &a, arena_printf(&a, "%s.%s", what, k->name), &v, e) < 0) return -1;
    if (v.n && !str_to_int(v, 0, INT64_MAX, ret)) return err_set(e, ERR_CORRUPT, NULL, M_TEXT, what);
    return 0;
}

static int time_put(struct tx *tx, const char *what, const struct kind *k, int64_t at, struct err *e) {
    return setting_put(tx->db, tx->site->id, arena_printf(tx->a, "%s.%s", what, k->name), str_z(arena_printf(tx->a, "%lld", (long long)at)), e);
}

int months_note_odd(struct tx *tx, const struct kind *k, struct err *e) {
    return time_put(tx, "odd", k, tx->now, e);
}

int months_ended(struct db *db, int64_t site, const struct kind *k, int64_t *ret, struct err *e) {
    return time_get(db, site, "ended", k, ret, e);
}

/* ---- a slice: rows that lie between two ids ---- */

struct slice {
    struct write_item item;
    const struct kind *kind;
    const struct month_table *table; /* ending: which */
    struct id after, last;
    int64_t before; /* created before */
    int months[SLICE_MONTHS];
    size_t months_n, looked, due;
    int64_t changed, *total;
    struct tally_batch *tallies;
};

static int note(struct tx *tx, const struct slice *x, const char *command, const char *what, struct err *e) {
    struct record *about = record_new(tx->a, x->kind);
    about->path = STR("");
    tx_as(tx, &actor_system, command, x->kind, "erase");
    return x->changed ? tx_note(tx, about, str_z(arena_printf(tx->a, "{\"%s\":%lld}", what, (long long)x->changed)), e) : 0;
}

static int move_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct slice *x = (struct slice *)item;
    const struct kind_sql *q = kind_sql(x->kind);
    x->changed = 0;
    for (size_t i = 0; i < x->months_n; i++) {
        int64_t n, from = month_start(x->months[i]), to = MIN(month_start(x->months[i] + 1), x->before);
        struct val v[] = {VINT(tx->site->id), VID(x->after), VID(x->last), VINT(from), VINT(to)};
        TRY(db_run_n(tx->db, &table_of(x->kind, x->months[i])->take, v, COUNT(v), NULL, e));
        TRY(db_run_n(tx->db, &q->remove, v, COUNT(v), &n, e));
        x->changed += n;
    }
    return note(tx, x, "retention.erase", "erased", e);
}

/* Where a row's id is ahead of the clock, it must stay until its time has come (months_may_hold). */
static int erase_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct slice *x = (struct slice *)item;
    struct val v[] = {VINT(tx->site->id), VID(x->after), VID(x->last), VINT(x->before), VINT(tx->now)};
    TRY(db_run_n(tx->db, &kind_sql(x->kind)->erase, v, COUNT(v), &x->changed, e));
    return note(tx, x, "retention.erase", "erased", e);
}

static int count_slice(struct tx *tx, struct slice *x, const struct val *v, size_t n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct arena a CLEANUP(arena_release) = {0};
    struct record r;
    int got;
    tally_batch_start(x->tallies);
    TRY(db_query_n(tx->db, &x->table->rows, v, n, &rows, e));
    while ((got = rows_next(rows, e)) == 1) {
        record_read(&a, x->kind, rows, &r);
        tally_ending(x->tallies, tx->site->tz, &r);
        arena_clear(&a);
    }
    return got;
}

static int end_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct slice *x = (struct slice *)item;
    int64_t ended;
    struct val v[] = {VINT(tx->site->id), VID(x->after), VID(x->last), VINT(INT64_MIN), VINT(x->before)};
    TRY(months_ended(tx->db, tx->site->id, x->kind, &ended, e));
    if (ended < x->before) TRY(time_put(tx, "ended", x->kind, x->before, e));
    TRY(count_slice(tx, x, v, COUNT(v), e));
    TRY(tally_keep(x->tallies, tx, e));
    TRY(db_run_n(tx->db, &x->table->remove, v, COUNT(v), &x->changed, e));
    return note(tx, x, "retention.end", "ended", e);
}

/* ---- slice by slice ---- */

static bool add_month(struct slice *x, int64_t at) {
    int month = month_of(at);
    for (size_t i = 0; i < x->months_n; i++)
        if (x->months[i] == month) return true;
    if (x->months_n == SLICE_MONTHS) return false;
    x->months[x->months_n++] = month;
    return true;
}

/* The next slice of a table and what of it is due: created before x->before. */
static int look(struct site *s, struct slice *x, struct id until, struct err *e) {
    const struct stmt *page = x->table ? &x->table->page : &kind_sql(x->kind)->page;
    struct rows *rows = NULL;
    struct db *db;
    x->looked = x->due = x->months_n = 0;
    TRY(site_reader(s, &db, e));
    int got = db_query(db, page, &rows, e, VINT(s->id), VID(x->after), VINT(SLICE), VID(until));
    while (got >= 0 && (got = rows_next(rows, e)) == 1) {
        bool due = rows_int(rows, 1) < x->before;
        if (due && !add_month(x, rows_int(rows, 1))) break;
        x->last = rows_id(rows, 0);
        x->due += due;
        x->looked++;
    }
    rows_done(rows);
    site_reader_done(s, db);
    return got < 0 ? -1 : 0;
}

/* Half of the writer's time is left to those who wait for an answer. */
static int run_slice(struct site *s, struct slice *x, struct err *e) {
    int64_t began = monotonic_us();
    TRY(writer_run(s, &x->item, e));
    if (x->total) *x->total += x->changed;
    int64_t ms = MIN((monotonic_us() - began) / 1000, (int64_t)REST_MOST_MS);
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    return 0;
}

/* Through the kind's own table, from an id to before another. */
static int walk(struct site *s, struct slice *x, struct id from, struct id until, struct err *e) {
    x->after = from;
    for (;;) {
        TRY(look(s, x, until, e));
        if (x->looked == 0) return 0;
        if (x->due) TRY(run_slice(s, x, e));
        x->after = x->last;
    }
}

/* Oldest first; behind a slice of which nothing is due there is nothing. */
static int end_table(struct site *s, struct slice *x, struct err *e) {
    static const struct id none = {{0}};
    x->after = none;
    for (;;) {
        TRY(look(s, x, none, e));
        if (x->due == 0) return 0;
        TRY(run_slice(s, x, e));
        x->after = x->last;
    }
}

struct forget {
    struct write_item item;
    const struct kind *kind;
    int64_t odd;
};

static int forget_run(struct tx *tx, struct write_item *item, struct err *e) {
    const struct forget *x = (const struct forget *)item;
    int64_t odd;
    TRY(time_get(tx->db, tx->site->id, "odd", x->kind, &odd, e));
    return odd == x->odd ? time_put(tx, "odd", x->kind, 0, e) : 0;
}

/* Ids that do not say when: all of the table is gone through, until none of its rows has come since. */
static int walk_odd(struct site *s, struct slice *move, struct id from, struct err *e) {
    struct slice erase = *move;
    struct forget forget = {.item = {.run = forget_run}, .kind = move->kind};
    struct db *db;
    TRY(site_reader(s, &db, e));
    int r = time_get(db, s->id, "odd", move->kind, &forget.odd, e);
    site_reader_done(s, db);
    if (r || forget.odd == 0) return r;
    erase.item.run = erase_run;
    TRY(walk(s, &erase, from, id_from(NO_TIME_MS), e));
    TRY(walk(s, move, id_from(NO_TIME_MS), id_from(INT64_C(0xffffffffffff)), e));
    return forget.odd < move->before ? writer_run(s, &forget.item, e) : 0;
}

static int move_all(struct site *s, const struct kind *k, int64_t now, int64_t *total, struct err *e) {
    struct slice move = {.item = {.run = move_run}, .kind = k, .before = moved_before(k, now), .total = total};
    struct id late = id_from((move.before + US_PER_DAY) / 1000);
    TRY(walk(s, &move, id_from(0), late, e));
    return walk_odd(s, &move, late, e);
}

static int end_all(struct site *s, const struct kind *k, int64_t now, struct err *e) {
    struct slice end = {.item = {.run = end_run}, .kind = k, .before = month_start(month_of(now - k->sunset_days * US_PER_DAY))};
    int r = 0;
    end.tallies = tally_batch_new();
    for (size_t m = 0; r == 0 && m < kind_sql(k)->months_n; m++) {
        end.table = &kind_sql(k)->months[m];
        r = end_table(s, &end, e);
    }
    tally_batch_free(end.tallies);
    return r;
}

int months_run(struct site *s, const struct kind *k, int64_t *ret_erased, struct err *e) {
    int64_t now = site_now(s);
    TRY(move_all(s, k, now, ret_erased, e));
    if (trace_kind(k)) TRY(trace_merge(s, k, NULL, e));
    return end_all(s, k, now, e);
}
