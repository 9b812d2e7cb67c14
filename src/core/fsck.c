#include "core/fsck.h"

#include <stdarg.h>

#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/journal.h"

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

static int check_chain(struct fsck *f, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct digest before = {{0}};
    int64_t expected = 1;
    int r;
    TRY(db_query(f->db, CS(journal_after), &rows, e, VINT(f->site->id), VINT(0), VINT(INT64_MAX)));
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
        arena_clear(&a);
    }
    return r;
}

static int newest_digest(struct fsck *f, struct id record, struct digest *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(f->db, CS(journal_newest_of_record), &rows, e, VINT(f->site->id), VID(record)));
    int r = rows_next(rows, e);
    if (r != 1) return r;
    struct str d = rows_blob(rows, 0);
    if (d.n == sizeof ret->b) memcpy(ret->b, d.p, d.n);
    return 1;
}

static int check_row(struct fsck *f, const struct record *r, struct err *e) {
    char id[ID_TEXT];
    struct digest stored = {{0}}, is = record_digest(r);
    int found = newest_digest(f, r->id, &stored, e);
    if (found < 0) return -1;
    f->r->looked_at[FSCK_ROWS]++;
    if (!found) wrong(f, FSCK_ROWS, "%s %s is in no journal entry", r->kind->name, id_text(r->id, id));
    else if (!same_bytes(stored.b, is.b, sizeof is.b)) wrong(f, FSCK_ROWS, "%s %s differs from its journal", r->kind->name, id_text(r->id, id));
    return 0;
}

static void check_path(struct fsck *f, const struct areas *t, const struct record *r) {
    char id[ID_TEXT];
    if (r->kind->flags & (KIND_NO_AREA | KIND_TREE)) return;
    const struct area *x = areas_by_id(t, r->area);
    f->r->looked_at[FSCK_PATHS]++;
    if (!r->removed && (!x || !str_eq(x->path, r->path))) wrong(f, FSCK_PATHS, "%s %s does not stand in its area", r->kind->name, id_text(r->id, id));
}

static int check_records(struct fsck *f, const struct areas *t, const struct kind *k, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct record r;
    int got;
    TRY(db_query(f->db, &kind_sql(k)->scan, &rows, e, VINT(f->site->id), VID((struct id){{0}}), VINT(INT64_MAX)));
    while ((got = rows_next(rows, e)) == 1) {
        record_read(&a, k, rows, &r);
        if (!(k->flags & KIND_LOG)) TRY(check_row(f, &r, e));
        check_path(f, t, &r);
        arena_clear(&a);
    }
    return got;
}

/* ---- batches: rows ordered by batch beside the entries ordered by batch ---- */

struct batch {
    int64_t number;
    struct digest_state digest;
    bool open;
};

static int close_batch(struct fsck *f, const struct kind *k, struct batch *b, struct rows *entries, struct err *e) {
    if (!b->open) return 0;
    b->open = false;
    struct digest is = digest_end(&b->digest);
    f->r->looked_at[FSCK_BATCHES]++;
    int r = rows_next(entries, e);
    if (r < 0) return -1;
    struct str stored = r ? rows_blob(entries, 1) : STR_NONE;
    if (!r || rows_int(entries, 0) != b->number || stored.n != sizeof is.b || !same_bytes(stored.p, is.b, sizeof is.b))
        wrong(f, FSCK_BATCHES, "%s: batch %lld differs from its journal", k->name, (long long)b->number);
    return 0;
}

static int check_batches(struct fsck *f, const struct kind *k, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0}, names CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL, *entries CLEANUP(rows_donep) = NULL;
    struct batch b = {.open = false};
    struct record r;
    int got;
    struct str command = str_z(arena_printf(&names, "%s.batch", k->name));
    TRY(db_query(f->db, CS(journal_batches), &entries, e, VINT(f->site->id), VTEXTZ(k->name), VTEXT(command)));
    TRY(db_query(f->db, &kind_sql(k)->batches, &rows, e, VINT(f->site->id)));
    while ((got = rows_next(rows, e)) == 1) {
        record_read(&a, k, rows, &r);
        if (!b.open || r.batch != b.number) {
            TRY(close_batch(f, k, &b, entries, e));
            b = (struct batch){.number = r.batch, .open = true};
            digest_start(&b.digest);
        }
        struct digest d = record_digest(&r);
        digest_add(&b.digest, d.b, sizeof d.b);
        arena_clear(&a);
    }
    if (got < 0) return -1;
    TRY(close_batch(f, k, &b, entries, e));
    got = rows_next(entries, e);
    if (got == 1) wrong(f, FSCK_BATCHES, "%s: rows of batch %lld are missing", k->name, (long long)rows_int(entries, 0));
    return got < 0 ? -1 : 0;
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

static int run_all(struct fsck *f, struct areas *t, struct err *e) {
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
    struct areas *t CLEANUP(areas_dropp) = site_areas(s);
    TRY(site_reader(s, &f.db, e));
    int r = run_all(&f, t, e);
    site_reader_done(s, f.db);
    return r;
}
