#include "core/jobs.h"

#include <time.h>

#include "base/log.h"
#include "core/core_stmts.h"
#include "core/months.h"

enum { ERASE_BATCH = 200, LOOK_EVERY_S = 20 };
/* Longer than any retention run; after a crash nobody erases for that long, which harms nobody. */
static const int64_t LEASE_US = 3600 * US_PER_SECOND;

struct jobs {
    struct site *site;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    struct id owner; /* of leases */
};

/* ---- retention ---- */

struct erase_item {
    struct write_item item;
    const struct kind *kind;
    int64_t before; /* last changed before */
    struct id ids[ERASE_BATCH];
    size_t n, erased;
};

static int erase_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct erase_item *x = (struct erase_item *)item;
    struct record *r;
    x->erased = 0;
    for (size_t i = 0; i < x->n; i++) {
        tx_as(tx, &actor_system, "retention.erase", x->kind, "erase");
        int found = record_load(tx->db, tx->site->id, tx->a, x->kind, x->ids[i], &r, e);
        if (found < 0) return -1;
        /* Somebody may have changed it since it was looked up. */
        if (!found || r->updated_at >= x->before) continue;
        TRY(tx_erase(tx, r, e));
        x->erased++;
    }
    return 0;
}

static bool holds_personal(const struct record *r) {
    for (size_t i = 0; i < r->kind->n; i++)
        if (r->kind->fields[i].flags & (PERSONAL | SEALED) && r->v[i].type != V_NULL) return true;
    return false;
}

/* The next records of the kind that are due, behind *after; *ret_end when there are no more to look at. */
static int find_due(struct site *s, struct erase_item *x, struct id *after, bool *ret_end, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows = NULL;
    struct record r;
    struct db *db;
    enum { LOOK = 20000 };
    int64_t seen = 0;
    x->n = 0;
    TRY(site_reader(s, &db, e));
    int got = db_query(db, &kind_sql(x->kind)->scan, &rows, e, VINT(s->id), VID(*after), VINT(LOOK));
    while (got >= 0 && x->n < ERASE_BATCH && (got = rows_next(rows, e)) == 1) {
        record_read(&a, x->kind, rows, &r);
        *after = r.id;
        seen++;
        if (r.updated_at < x->before && holds_personal(&r)) x->ids[x->n++] = r.id;
        arena_clear(&a);
    }
    *ret_end = got == 0 && seen < LOOK;
    rows_done(rows);
    site_reader_done(s, db);
    return got < 0 ? -1 : 0;
}

static int erase_kind(struct site *s, const struct kind *k, int64_t *erased, struct err *e) {
    struct erase_item x = {.item = {.run = erase_run}, .kind = k, .before = site_now(s) - k->retention_days * US_PER_DAY};
    struct id after = {{0}};
    bool end = false;
    while (!end) {
        TRY(find_due(s, &x, &after, &end, e));
        if (x.n == 0) continue;
        TRY(writer_run(s, &x.item, e));
        *erased += (int64_t)x.erased;
    }
    return 0;
}

int retention_run(struct site *s, int64_t *ret_erased, struct err *e) {
    *ret_erased = 0;
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);
        if (k->retention_days > 0) TRY(k->flags & KIND_LOG ? months_run(s, k, ret_erased, e) : erase_kind(s, k, ret_erased, e));
    }
    return 0;
}

/* ---- by the clock ---- */

/* Is it time, and does nobody else have it?  Asked once by a reader, so that the writer is left alone, and again inside the transaction, where the
 * site's lock lets only one process pass. */
static int is_due(struct db *db, struct site *s, const struct job *job, bool *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int64_t now = site_now(s);
    TRY(db_query(db, CS(job_get), &rows, e, VINT(s->id), VTEXTZ(job->name)));
    int r = rows_next(rows, e);
    *ret = r == 0 || (r == 1 && now - rows_int(rows, 0) >= job->every_us && now >= rows_int(rows, 1));
    return r < 0 ? -1 : 0;
}

static bool looks_due(struct site *s, const struct job *job) {
    struct db *db;
    struct err e;
    bool due;
    if (site_reader(s, &db, &e)) return false;
    int r = is_due(db, s, job, &due, &e);
    site_reader_done(s, db);
    return r == 0 && due;
}

struct job_item {
    struct write_item item;
    struct jobs *jobs;
    const struct job *job;
    bool taken; /* it was due */
};

static int job_done(struct tx *tx, struct job_item *x, struct err *e) {
    return db_run(tx->db, CS(job_ran), e, VINT(tx->site->id), VTEXTZ(x->job->name), VINT(tx->now), VID(x->jobs->owner));
}

static int job_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct job_item *x = (struct job_item *)item;
    TRY(is_due(tx->db, tx->site, x->job, &x->taken, e));
    if (!x->taken) return 0;
    tx_as(tx, &actor_system, x->job->name, NULL, "erase");
    TRY(x->job->run(tx, e));
    return job_done(tx, x, e);
}

static int expire(struct tx *tx, struct err *e) {
    TRY(db_run(tx->db, CS(session_expire), e, VINT(tx->site->id), VINT(tx->now)));
    TRY(db_run(tx->db, CS(throttle_expire), e, VINT(tx->site->id), VINT(tx->now - US_PER_DAY)));
    return db_run(tx->db, CS(writer_expire), e, VINT(tx->site->id), VINT(tx->now - 7 * US_PER_DAY));
}

static void run_if_due(struct jobs *j, const struct job *job) {
    struct err e;
    struct job_item item = {.item = {.run = job_run}, .jobs = j, .job = job};
    if (!looks_due(j->site, job)) return;
    if (writer_run(j->site, &item.item, &e)) log_line(LOG_ERROR, "jobs", "failed job=%s code=%s", job->name, err_name(e.code));
}

/* ---- a job of many transactions: leased, so that no other process begins it, and free again when this one ends without a word ---- */

static int lease_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct job_item *x = (struct job_item *)item;
    TRY(is_due(tx->db, tx->site, x->job, &x->taken, e));
    if (!x->taken) return 0;
    return db_run(tx->db, CS(job_lease), e, VINT(tx->site->id), VTEXTZ(x->job->name), VID(x->jobs->owner), VINT(tx->now + LEASE_US));
}

static int lease_end(struct tx *tx, struct write_item *item, struct err *e) {
    return job_done(tx, (struct job_item *)item, e);
}

static void retention_if_due(struct jobs *j) {
    static const struct job job = {.name = "retention", .every_us = US_PER_DAY};
    struct err e;
    struct job_item lease = {.item = {.run = lease_run}, .jobs = j, .job = &job}, done = {.item = {.run = lease_end}, .jobs = j, .job = &job};
    int64_t erased = 0;
    if (!looks_due(j->site, &job)) return;
    int r = writer_run(j->site, &lease.item, &e);
    if (r == 0 && !lease.taken) return;
    if (r == 0) r = retention_run(j->site, &erased, &e);
    if (r == 0) r = writer_run(j->site, &done.item, &e);
    if (r) log_line(LOG_ERROR, "jobs", "retention failed code=%s", err_name(e.code));
    else if (erased) log_line(LOG_INFO, "jobs", "retention erased=%lld", (long long)erased);
}

static void run_due(struct jobs *j) {
    static const struct job own[] = {{"session_expire", 3600 * US_PER_SECOND, expire}};
    const struct system *sys;
    for (size_t i = 0; i < COUNT(own); i++) run_if_due(j, &own[i]);
    for (size_t i = 0; (sys = system_at(i)); i++)
        for (size_t k = 0; k < sys->jobs_n; k++) run_if_due(j, &sys->jobs[k]);
    retention_if_due(j);
}

static void *jobs_main(void *arg) {
    struct jobs *j = arg;
    pthread_mutex_lock(&j->lock);
    while (!j->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_EVERY_S;
        pthread_cond_timedwait(&j->wake, &j->lock, &until);
        if (j->stopping) break;
        pthread_mutex_unlock(&j->lock);
        run_due(j);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct jobs *jobs_start(struct site *s) {
    struct jobs *j = calloc(1, sizeof *j);
    INVARIANT(j);
    j->site = s;
    j->owner = id_new(site_now(s));
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->wake, NULL);
    INVARIANT(pthread_create(&j->thread, NULL, jobs_main, j) == 0);
    return j;
}

void jobs_stop(struct jobs *j) {
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->wake);
    free(j);
}
