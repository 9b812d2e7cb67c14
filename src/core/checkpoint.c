#include "core/checkpoint.h"

#include <stdatomic.h>

#include "base/log.h"

enum { RESTART_PAGES = 16384, FEW_PAGES = 384, PASSES = 20 };

struct checkpointer {
    const char *address;
    struct db *db; /* NULL: not connected yet */
    atomic_bool nearly; /* the log is long, and little of it is not in the file yet */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool asked, stopping;
};

/* While one pass runs the log grows; the next one has less to do.  A long log is followed to its end until little is left, which the writer then does between two
 * groups: only where nothing is missing can the log begin anew. */
static void follow(struct checkpointer *c) {
    struct err e;
    int64_t before = 0, pages = 0;
    for (int i = 0; i < PASSES; i++) {
        if ((!c->db && db_open(c->address, DB_WRITE, &c->db, &e)) || db_checkpoint(c->db, &pages, &e) || db_sync_file(c->db, &e)) {
            log_line(LOG_WARN, "checkpoint", "failed code=%s", err_name(e.code));
            return;
        }
        if (pages < RESTART_PAGES) return;
        if ((i && pages - before < FEW_PAGES) || pages >= CHECKPOINT_LONG) break;
        before = pages;
    }
    atomic_store(&c->nearly, true);
}

bool checkpointer_nearly(struct checkpointer *c) {
    return atomic_exchange(&c->nearly, false);
}

static void *checkpointer_main(void *arg) {
    struct checkpointer *c = arg;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->asked && !c->stopping) pthread_cond_wait(&c->wake, &c->lock);
        if (c->stopping) break;
        c->asked = false;
        pthread_mutex_unlock(&c->lock);
        follow(c);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct checkpointer *checkpointer_start(struct site *s) {
    struct checkpointer *c = calloc(1, sizeof *c);
    INVARIANT(c);
    c->address = s->address;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    INVARIANT(pthread_create(&c->thread, NULL, checkpointer_main, c) == 0);
    return c;
}

void checkpointer_wake(struct checkpointer *c) {
    pthread_mutex_lock(&c->lock);
    c->asked = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void checkpointer_stop(struct checkpointer *c) {
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    db_close(c->db);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
