#include "core/durable.h"

#include <pthread.h>

#include "base/log.h"

enum { UNDER_WAY_MOST = 8 };

struct durable {
    struct db_log *log;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, room;
    struct settled *first, **last;
    unsigned waiting; /* not told yet */
    bool stopping;
};

static void sync_or_end(struct durable *d) {
    struct err e;
    if (db_log_sync(d->log, &e) == 0) return;
    log_line(LOG_ERROR, "durable", "the disk refuses what was written; nobody was answered detail=%s", e.arg[1]);
    die(7, "the disk refuses what was written: %s", e.arg[1]);
}

static unsigned tell(struct settled *s) {
    unsigned n = 0;
    for (struct settled *next; s; s = next, n++) {
        next = s->next;
        s->told(s);
    }
    return n;
}

static void *durable_main(void *arg) {
    struct durable *d = arg;
    pthread_mutex_lock(&d->lock);
    while (d->first || !d->stopping) {
        struct settled *all = d->first;
        if (!all) {
            pthread_cond_wait(&d->wake, &d->lock);
            continue;
        }
        d->first = NULL;
        d->last = &d->first;
        pthread_mutex_unlock(&d->lock);
        sync_or_end(d);
        unsigned n = tell(all);
        pthread_mutex_lock(&d->lock);
        d->waiting -= n;
        pthread_cond_signal(&d->room);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

int durable_start(struct db *db, struct durable **ret, struct err *e) {
    struct db_log *log;
    *ret = NULL;
    TRY(db_log_open(db, &log, e));
    if (!log) return 0;
    struct durable *d = calloc(1, sizeof *d);
    INVARIANT(d);
    d->log = log;
    d->last = &d->first;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->wake, NULL);
    pthread_cond_init(&d->room, NULL);
    INVARIANT(pthread_create(&d->thread, NULL, durable_main, d) == 0);
    *ret = d;
    return 0;
}

void durable_settle(struct durable *d, struct settled *s) {
    pthread_mutex_lock(&d->lock);
    while (d->waiting >= UNDER_WAY_MOST) pthread_cond_wait(&d->room, &d->lock);
    s->next = NULL;
    *d->last = s;
    d->last = &s->next;
    d->waiting++;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
}

void durable_stop(struct durable *d) {
    if (!d) return;
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    db_log_close(d->log);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->wake);
    pthread_cond_destroy(&d->room);
    free(d);
}
