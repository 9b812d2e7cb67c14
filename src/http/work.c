/* The worker threads and their bounded queue. */
#include "http/internal.h"

bool http_work_push(struct http_server *s, struct http_call *c) {
    struct work *w = &s->work;
    pthread_mutex_lock(&w->lock);
    bool room = w->queued < s->o.max_queued && !w->stop;
    if (room) {
        c->link = NULL;
        *w->last = c;
        w->last = &c->link;
        w->queued++;
        pthread_cond_signal(&w->some);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}

static struct http_call *next_call(struct work *w) {
    while (!w->first && !w->stop) pthread_cond_wait(&w->some, &w->lock);
    if (w->stop) return NULL;
    struct http_call *c = w->first;
    w->first = c->link;
    if (!w->first) w->last = &w->first;
    w->queued--;
    return c;
}

static void *work(void *arg) {
    struct http_server *s = arg;
    struct work *w = &s->work;
    pthread_mutex_lock(&w->lock);
    for (struct http_call *c; (c = next_call(w));) {
        w->busy++;
        pthread_mutex_unlock(&w->lock);
        s->o.handle(s->o.app, c);
        pthread_mutex_lock(&w->lock);
        w->busy--;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int http_work_start(struct http_server *s) {
    s->workers = calloc((size_t)s->o.workers, sizeof *s->workers);
    INVARIANT(s->workers);
    for (; s->workers_running < s->o.workers; s->workers_running++)
        if (http_thread(&s->workers[s->workers_running], work, s)) return -1;
    return 0;
}

bool http_work_is_idle(struct http_server *s) {
    pthread_mutex_lock(&s->work.lock);
    bool idle = !s->work.first && !s->work.busy;
    pthread_mutex_unlock(&s->work.lock);
    return idle;
}

void http_work_stop(struct http_server *s) {
    pthread_mutex_lock(&s->work.lock);
    s->work.stop = true;
    pthread_cond_broadcast(&s->work.some);
    pthread_mutex_unlock(&s->work.lock);
    while (s->workers_running > 0) pthread_join(s->workers[--s->workers_running], NULL);
    free(s->workers);
    s->workers = NULL;
}

size_t http_work_queued(const struct http_server *s) {
    struct work *w = (struct work *)&s->work;
    pthread_mutex_lock(&w->lock);
    size_t n = w->queued;
    pthread_mutex_unlock(&w->lock);
    return n;
}
