#include "core/fsck.h"

#include <stdarg.h>

#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/journal.h"
#include "core/log_place.h"
#include "core/months.h"
#include "core/trace_run.h"

const char *const fsck_names[FSCK__COUNT] = {
    [FSCK_FILE] = "file",       [FSCK_CHAIN] = "journal chain", [FSCK_ROWS] = "rows against the journal", [FSCK_BATCHES] = "batches against the journal",
    [FSCK_TALLIES] = "tallies", [FSCK_PATHS] = "places",        [FSCK_CHECKS] = "rules",
};

struct fsck {
    struct site *site;
    struct db *db;
    struct fsck_result *r;
    void (*say)(void *arg, enum fsck_part part, const char *what);
    void *arg;
};

enum { SAY_MOST = 100 };

static void PRINTF(3, 4) wrong(struct fsck *f, enum fsck_part part, const char *fmt, ...) {
    char text[400];
    if (++f->r->wrong[part] > SAY_MOST) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->say(f->arg, part, text);
}

static int check_file(struct fsck *f, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str verdict;
    TRY(db_integrity(f->db, &a, &verdict, e));
    f->r->looked_at[FSCK_FILE] = 1;
    if (!str_eq(verdict, STR("ok"))) wrong(f, FSCK_FILE, "%.*s", STR_FMT(verdict));
    return 0;
}

/* Each record has one entry that made it; where its row is gone nothing else would miss it. */
static int check_made(struct fsck *f, const struct journal_entry *j, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    const struct kind *k = kind_by_name(j->kind);
    char id[ID_TEXT];
    if (!k || !j->has_row || j->version != 1 || id_is_nil(j->record)) return 0;
    TRY(db_query(f->db, &kind_sql(k)->get, &rows, e, VINT(f->site->id), VID(j->record)));
    int r = rows_next(rows, e);
    if (r == 0) wrong(f, FSCK_ROWS, "%s %s is missing", k->name, id_text(j->record, id));
    return r < 0 ? -1 : 0;
}

static int check_chain(struct fsck *f, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct digest before = {{0}};
    int64_t expected = 1;
    int r;
    TRY(db_stream(f->db, CS(journal_after), &rows, e, VINT(f->site->id), VINT(0), VINT(INT64_MAX)));
    while ((r = rows_next(rows, e)) == 1) {
        struct journal_entry j;
        journal_read(&a, rows, &j);
        if (j.seq != expected) wrong(f, FSCK_CHAIN, "entries %lld to %lld are missing", (long long)expected, (long long)j.seq - 1);
        struct digest hash = journal_hash(&before, &j);
        if (!same_bytes(hash.b, j.hash.b, sizeof hash.b)) wrong(f, FSCK_CHAIN, "entry %lld was changed, or one before it", (long long)j.seq);
        before = j.hash;
        expected = j.seq + 1;
        f->r->looked_at[FSCK_CHAIN]++;
        f->r->seq = j.seq;
        TRY(check_made(f, &j, e));
        arena_clear(&a);
    }
    return r;
}

static int newest_digest(struct fsck *f, const struct record *r, struct digest *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(f->db, CS(journal_newest_of_record), &rows, e, VINT(f->site->id), VID(r->id), VTEXTZ(r->kind->name)));
    int got = rows_next(rows, e);
    if (got != 1) return got;
    struct str d = rows_blob(rows, 0);
    if (d.n == sizeof ret->b) memcpy(ret->b, d.p, d.n);
    return 1;
}

static int check_row(struct fsck *f, const struct record *r, struct err *e) {
    char id[ID_TEXT];
    struct digest stored = {{0}}, is = record_digest(&f->site->key, r);
    int found = newest_digest(f, r, &stored, e);
    if (found < 0) return -1;
    f->r->looked_at[FSCK_ROWS]++;
    if (!found) wrong(f, FSCK_ROWS, "%s %s is in no journal entry", r->kind->name, id_text(r->id, id));
    else if (!same_bytes(stored.b, is.b, sizeof is.b)) wrong(f, FSCK_ROWS, "%s %s differs from its journal", r->kind->name, id_text(r->id, id));
    return 0;
}

/* What is looked for must be found: the columns for searching say what the fields say, and what is sealed can be opened. */
static int check_derived(struct fsck *f, struct arena *a, const struct record *r, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct val *is = arena_new(a, struct val, 2 + r->kind->n);
    char id[ID_TEXT];
    size_t n;
    bool same = true;
    struct err sealed;
    struct str plain;
    for (size_t i = 0; same && i < r->kind->n; i++) same = record_plain(&f->site->key, a, r, i, &plain, &sealed) == 0;
    if (!same) wrong(f, FSCK_ROWS, "%s %s holds a sealed value that cannot be opened", r->kind->name, id_text(r->id, id));
    if (!same || !kind_sql(r->kind)->derived.sql) return 0;
    TRY(record_derived(&f->site->key, a, r, is, &n, e));
    TRY(db_query(f->db, &kind_sql(r->kind)->derived, &rows, e, VINT(f->site->id), VID(r->id)));
    int got = rows_next(rows, e);
    for (size_t i = 0; got == 1 && same && i < n; i++) {
        struct val stored = rows_val(rows, (int)i, is[i].type == V_NULL ? V_BLOB : is[i].type);
        same = val_eq(&stored, &is[i]);
    }
    if (!same) wrong(f, FSCK_ROWS, "%s %s cannot be found by what it holds", r->kind->name, id_text(r->id, id));
    return got < 0 ? -1 : 0;
}

static bool stands_in_tree(const struct areas *t, const struct record *r) {
    const struct area *x = areas_by_id(t, r->id), *up = x ? areas_parent(t, x) : NULL;
    const struct val *parent = record_get(r, "parent");
    if (!x || !id_eq(r->area, r->id) || areas_by_path(t, r->path) != x) return false;
    if (parent->type == V_NULL) return r->path.n == AREA_STEP;
    return up && id_eq(up->id, parent->id);
}

static void check_path(struct fsck *f, const struct areas *t, const struct record *r) {
    char id[ID_TEXT];
    const struct area *x = areas_by_id(t, r->area);
    f->r->looked_at[FSCK_PATHS]++;
    if (r->removed) return;
    bool right = r->kind->flags & KIND_TREE      ? stands_in_tree(t, r)
                 : r->kind->flags & KIND_NO_AREA ? !r->path.n && id_is_nil(r->area)
                                                 : x && str_eq(x->path, r->path);
    if (!right) wrong(f, FSCK_PATHS, "%s %s does not stand in its area", r->kind->name, id_text(r->id, id));
}

/* Rows of a log are found through the place that they have. */
static int check_place(struct fsck *f, struct arena *a, struct log_places *seen, const struct record *r, struct err *e) {
    struct id ref = r->v[kind_sql(r->kind)->way].id;
    char id[ID_TEXT];
    struct log_place *places;
    size_t n;
    if (!log_places_add(seen, ref, r->path)) return 0;
    TRY(log_places_of(f->db, f->site->id, a, r->kind, ref, path_alone(a, r->path), &places, &n, e));
    if (n == 0) wrong(f, FSCK_PATHS, "%s %s is not found by its area", r->kind->name, id_text(r->id, id));
    return 0;
}

/* ---- traces: as many as the rows have, and the same ones.  What is about to leave the kind's table is left out. ---- */

struct traces {
    int64_t since, n;
    uint64_t sum;
};

static void add_trace(void *arg, const struct trace_entry *x) {
    struct traces *t = arg;
    if (x->seen <= t->since) return;
    t->n++;
    t->sum += str_hash((struct str){(const char *)x, sizeof *x});
}

/* Of a row that holds something that cannot be opened it has been said. */
static void add_traces_of(struct fsck *f, struct arena *a, const struct record *r, struct traces *to) {
    struct trace_entry all[TRACE_FIELDS_MOST];
    struct err sealed;
    size_t n;
    if (trace_entries(&f->site->key, a, r, all, &n, &sealed)) return;
    for (size_t i = 0; i < n; i++) add_trace(to, &all[i]);
}

static int check_traces(struct fsck *f, const struct kind *k, const struct traces *rows, struct err *e) {
    struct traces is = {.since = rows->since};
    if (!trace_kind(k)) return 0;
    TRY(trace_each(f->db, f->site->id, k, 0, &is.since, INT64_MAX, add_trace, &is, e));
    if (is.n < rows->n) wrong(f, FSCK_ROWS, "%s: %lld values of rows are not found by what they are", k->name, (long long)(rows->n - is.n));
    else if (is.n > rows->n) wrong(f, FSCK_ROWS, "%s: %lld values are found that no row has", k->name, (long long)(is.n - rows->n));
    else if (is.sum != rows->sum) wrong(f, FSCK_ROWS, "%s: other values are found than the rows have", k->name);
    return 0;
}

static int check_records(struct fsck *f, const struct areas *t, const struct kind *k, struct err *e) {
    struct traces traces = {.since = site_now(f->site) - (k->retention_days - 1) * US_PER_DAY};
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct log_places *places CLEANUP(log_places_freep) = log_places_new();
    struct record r = {.kind = k};
    char id[ID_TEXT];
    int got;
    TRY(db_stream(f->db, &kind_sql(k)->scan, &rows, e, VINT(f->site->id), VID((struct id){{0}}), VINT(INT64_MAX)));
    while ((got = rows_next(rows, e)) == 1) {
        /* In two tables: a row that was moved and came again. */
        if (id_eq(r.id, rows_id(rows, 0))) wrong(f, FSCK_ROWS, "%s %s is there twice", k->name, id_text(r.id, id));
        record_read(&a, k, rows, &r);
        if (k->flags & KIND_LOG) TRY(check_place(f, &a, places, &r, e));
        else TRY(check_row(f, &r, e));
        TRY(check_derived(f, &a, &r, e));
        if (trace_kind(k)) add_traces_of(f, &a, &r, &traces);
        check_path(f, t, &r);
        arena_clear(&a);
    }
    return got < 0 ? -1 : check_traces(f, k, &traces, e);
}

/* ---- batches: rows ordered by batch beside the entries ordered by batch.  Of one that is ending some rows are gone, of one that has ended all. ---- */

struct batches {
    const struct kind *k;
    struct rows *entries;
    bool at_entry; /* entries stands on one */
    bool open;     /* rows of batch `number` are being read */
    int64_t number;
    int64_t ended; /* made before: its rows need not be there */
    struct digest_state digest;
};

static bool has_ended(const struct batches *b) {
    return rows_int(b->entries, 2) < b->ended;
}

/* On to the entry of that batch; those before it have no rows.  1: there; 0: there is none. */
static int find_entry(struct fsck *f, struct batches *b, int64_t number, struct err *e) {
    for (;;) {
        if (b->at_entry && rows_int(b->entries, 0) >= number) return rows_int(b->entries, 0) == number;
        if (b->at_entry && !has_ended(b)) wrong(f, FSCK_BATCHES, "%s: the rows of batch %lld are missing", b->k->name, (long long)rows_int(b->entries, 0));
        int r = rows_next(b->entries, e);
        b->at_entry = r == 1;
        if (r < 1) return r;
    }
}

static int close_batch(struct fsck *f, struct batches *b, struct err *e) {
    if (!b->open) return 0;
    b->open = false;
    struct digest is = digest_end(&b->digest);
    f->r->looked_at[FSCK_BATCHES]++;
    int r = find_entry(f, b, b->number, e);
    if (r < 0) return -1;
    struct str stored = r ? rows_blob(b->entries, 1) : STR_NONE;
    if (r && has_ended(b)) return b->at_entry = false, 0;
    if (stored.n != sizeof is.b || !same_bytes(stored.p, is.b, sizeof is.b))
        wrong(f, FSCK_BATCHES, "%s: batch %lld differs from its journal", b->k->name, (long long)b->number);
    if (r) b->at_entry = false;
    return 0;
}

static int read_batches(struct fsck *f, struct batches *b, struct rows *rows, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct record r;
    int got;
    while ((got = rows_next(rows, e)) == 1) {
        record_read(&a, b->k, rows, &r);
        if (!b->open || r.batch != b->number) {
            TRY(close_batch(f, b, e));
            b->open = true;
            b->number = r.batch;
            digest_start(&b->digest);
        }
        struct digest d = record_digest(&f->site->key, &r);
        digest_add(&b->digest, d.b, sizeof d.b);
        arena_clear(&a);
    }
    if (got < 0) return -1;
    TRY(close_batch(f, b, e));
    return find_entry(f, b, INT64_MAX, e);
}

static int check_batches(struct fsck *f, const struct kind *k, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL, *entries CLEANUP(rows_donep) = NULL;
    struct str command = str_z(arena_printf(&a, "%s.batch", k->name));
    struct batches b = {.k = k};
    TRY(months_ended(f->db, f->site->id, k, &b.ended, e));
    TRY(db_stream(f->db, CS(journal_batches), &entries, e, VINT(f->site->id), VTEXTZ(k->name), VTEXT(command)));
    TRY(db_stream(f->db, &kind_sql(k)->batches, &rows, e, VINT(f->site->id)));
    b.entries = entries;
    return read_batches(f, &b, rows, e);
}

static void tally_wrong(void *arg, const struct tally_key *k, int64_t stored, int64_t counted) {
    wrong(arg, FSCK_TALLIES, "%.*s in %.*s on %.*s (%.*s) says %lld, counted %lld", STR_FMT(k->figure), STR_FMT(k->path), STR_FMT(k->day), STR_FMT(k->cut),
          (long long)stored, (long long)counted);
}

static int run_checks(struct fsck *f, struct err *e) {
    const struct system *s;
    for (size_t i = 0; (s = system_at(i)); i++)
        for (size_t j = 0; j < s->checks_n; j++) {
            struct rows *rows CLEANUP(rows_donep) = NULL;
            char id[ID_TEXT];
            int r;
            TRY(db_query(f->db, &s->checks[j].stmt, &rows, e, VINT(f->site->id)));
            f->r->looked_at[FSCK_CHECKS]++;
            while ((r = rows_next(rows, e)) == 1) wrong(f, FSCK_CHECKS, "%s: %s", s->checks[j].name, id_text(rows_id(rows, 0), id));
            if (r < 0) return -1;
        }
    return 0;
}

static int run_all(struct fsck *f, struct err *e) {
    /* That of this snapshot. */
    struct areas *t CLEANUP(areas_dropp) = NULL;
    TRY(areas_load(f->db, f->site->id, &t, e));
    TRY(check_file(f, e));
    TRY(check_chain(f, e));
    for (size_t i = 0; i < kind_count(); i++) {
        TRY(check_records(f, t, kind_at(i), e));
        if (kind_at(i)->flags & KIND_LOG) TRY(check_batches(f, kind_at(i), e));
    }
    TRY(tally_recount(f->site, f->db, tally_wrong, f, e));
    f->r->looked_at[FSCK_TALLIES] = 1;
    return run_checks(f, e);
}

int fsck_run(struct site *s, void (*say)(void *arg, enum fsck_part part, const char *what), void *arg, struct fsck_result *ret, struct err *e) {
    *ret = (struct fsck_result){.seq = 0};
    struct fsck f = {.site = s, .r = ret, .say = say, .arg = arg};
    TRY(site_reader(s, &f.db, e));
    int r = run_all(&f, e);
    site_reader_done(s, f.db);
    return r;
}
