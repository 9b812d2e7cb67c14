#include "core/watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WAIT_US = 5000000, AGAIN_US = 500000 };

struct watch {
    struct site *site;
    pthread_t thread;
    int stop; /* readable when it is time */
    struct id self;
};

static bool stopped(const struct watch *w, int64_t wait_us) {
    return poll(&(struct pollfd){.fd = w->stop, .events = POLLIN}, 1, (int)(wait_us / 1000)) > 0;
}

static void *watch_main(void *arg) {
    struct watch *w = arg;
    struct db *db = NULL;
    struct err e;
    while (!stopped(w, 0)) {
        int heard = db || db_open(w->site->address, DB_READ, &db, &e) == 0 ? db_wait(db, w->site->id, w->self, w->stop, WAIT_US, &e) : -1;
        if (heard < 0 && stopped(w, AGAIN_US)) break;
        site_look(w->site);
    }
    db_close(db);
    return NULL;
}

struct watch *watch_start(struct site *s, struct id self) {
    struct watch *w = calloc(1, sizeof *w);
    INVARIANT(w);
    w->site = s;
    w->self = self;
    w->stop = eventfd(0, EFD_CLOEXEC);
    INVARIANT(w->stop >= 0);
    INVARIANT(pthread_create(&w->thread, NULL, watch_main, w) == 0);
    return w;
}

void watch_stop(struct watch *w) {
    if (!w) return;
    uint64_t one = 1;
    INVARIANT(write(w->stop, &one, sizeof one) == sizeof one);
    pthread_join(w->thread, NULL);
    close(w->stop);
    free(w);
}
