#include "core/jobs.h"

#include <time.h>

#include "base/log.h"
#include "core/core_stmts.h"
#include "core/journal.h"
#include "core/tx.h"

enum { ERASE_BATCH = 200, LOOK_EVERY_S = 20 };

struct jobs {
    struct site *site;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

static void as_system(struct tx *tx, const char *command, const struct kind *k) {
    tx->actor = &actor_system;
    tx->command = command;
    tx->command_id = id_new(tx->now);
    tx->kind = k;
    tx->verb = "erase";
    tx->fingerprint = 0;
    tx->entry_used = false;
}

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
        as_system(tx, "retention.erase", x->kind);
        int found = record_load(tx->db, tx->site->id, tx->a, x->kind, x->ids[i], &r, e);
        if (found < 0) return -1;
        /* Somebody may have changed it since it was looked up. */
        if (!found || r->updated_at >= x->before) continue;
        TRY(tx_erase(tx, r, e));
        x->erased++;
    }
    if (!(x->kind->flags & KIND_LOG) || x->erased == 0) return 0;
    as_system(tx, "retention.erase", x->kind);
    struct record *about = record_new(tx->a, x->kind);
    about->path = STR("");
    return tx_note(tx, about, str_z(arena_printf(tx->a, "{\"erased\":%zu}", x->erased)), e);
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
    for (size_t i = 0; i < kind_count(); i++)
        if (kind_at(i)->retention_days > 0) TRY(erase_kind(s, kind_at(i), ret_erased, e));
    return 0;
}

/* ---- by the clock ---- */

static int64_t last_run(struct site *s, const char *name) {
    struct arena a CLEANUP(arena_release) = {0};
    struct db *db;
    struct err e;
    struct str text;
    int64_t at = 0;
    if (site_reader(s, &db, &e)) return INT64_MAX;
    if (setting_get(db, s->id, &a, name, &text, &e) == 1) str_to_int(text, 0, INT64_MAX, &at);
    site_reader_done(s, db);
    return at;
}

struct job_item {
    struct write_item item;
    const struct job *job; /* NULL: only the note of the run */
    const char *setting;
};

static int job_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct job_item *x = (struct job_item *)item;
    char now[24];
    as_system(tx, x->job ? x->job->name : "job", NULL);
    if (x->job) TRY(x->job->run(tx, e));
    snprintf(now, sizeof now, "%lld", (long long)tx->now);
    return setting_put(tx->db, tx->site->id, x->setting, str_z(now), e);
}

static int expire_sessions(struct tx *tx, struct err *e) {
    return db_run(tx->db, CS(session_expire), e, VINT(tx->site->id), VINT(tx->now));
}

static void run_if_due(struct site *s, const struct job *job) {
    char setting[96];
    struct err e;
    snprintf(setting, sizeof setting, "job.%s", job->name);
    if (site_now(s) - last_run(s, setting) < job->every_us) return;
    struct job_item item = {.item = {.run = job_run}, .job = job, .setting = setting};
    if (writer_run(s, &item.item, &e)) log_line(LOG_ERROR, "jobs", "failed job=%s code=%s", job->name, err_name(e.code));
}

static void retention_if_due(struct site *s) {
    struct err e;
    int64_t erased = 0;
    if (site_now(s) - last_run(s, "job.retention") < US_PER_DAY) return;
    struct job_item done = {.item = {.run = job_run}, .setting = "job.retention"};
    int r = retention_run(s, &erased, &e);
    if (r == 0) r = writer_run(s, &done.item, &e);
    if (r) log_line(LOG_ERROR, "jobs", "retention failed code=%s", err_name(e.code));
    else if (erased) log_line(LOG_INFO, "jobs", "retention erased=%lld", (long long)erased);
}

static void run_due(struct site *s) {
    static const struct job own[] = {{"session_expire", 3600 * US_PER_SECOND, expire_sessions}};
    const struct system *sys;
    for (size_t i = 0; i < COUNT(own); i++) run_if_due(s, &own[i]);
    for (size_t i = 0; (sys = system_at(i)); i++)
        for (size_t j = 0; j < sys->jobs_n; j++) run_if_due(s, &sys->jobs[j]);
    retention_if_due(s);
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
        run_due(j->site);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct jobs *jobs_start(struct site *s) {
    struct jobs *j = calloc(1, sizeof *j);
    INVARIANT(j);
    j->site = s;
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
