/* The change feed.  One thread reads the journal once for all subscribers and gives each the entries of the kinds and areas that he may
 * read.  Each has his own place, so one who came back with Last-Event-ID is brought up to date by the same loop.  Who does not read
 * what he is sent is cut off and comes back with his place. */
#include "api/request.h"

#include "core/core_stmts.h"
#include "core/journal.h"

enum { SUBSCRIBERS_MOST = 4096, PAGE = 500, BEHIND_MOST = 20000 };
static const int64_t POLL_US = US_PER_SECOND / 2, HEARTBEAT_US = 15 * US_PER_SECOND;

struct subscriber {
    struct subscriber *next;
    struct request *rq;
    struct arena a; /* of the session as it was last looked up */
    struct session session;
    char token[TOKEN_TEXT];
    int64_t seq; /* the newest entry he was given or was not to see */
    int64_t beat_us;
    bool over;
};
struct feed {
    struct api *api;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct subscriber *arrived; /* under the lock */
    size_t count;
    bool stopping;
    struct subscriber *all; /* the thread's own */
};

/* ---- one subscriber ---- */

static void say(struct subscriber *s, struct str text) {
    if (!s->over && !http_stream_try(s->rq->call, text)) s->over = true;
}

static void say_event(struct subscriber *s, const char *event, int64_t seq, struct str data) {
    struct buf b CLEANUP(buf_release) = BUF(16384);
    buf_addf(&b, "id: %lld\nevent: %s\ndata: %.*s\n\n", (long long)seq, event, STR_FMT(data));
    say(s, buf_str(&b));
}

static bool may_see(const struct subscriber *s, const struct journal_entry *j) {
    const struct kind *k = kind_by_name(j->kind);
    if (!k) return false;
    /* The entry of a batch stands for rows of many areas and says no more than that there are some. */
    if (k->flags & KIND_LOG && id_is_nil(j->record)) return permit_anywhere(&s->session.actor, k->name, "read");
    return permit_may(&s->session.actor, k->name, "read", j->path);
}

static void entry_data(const struct journal_entry *j, const struct areas *t, struct buf *to) {
    struct json_out o = JSON_OUT(to);
    char id[ID_TEXT];
    const struct area *x = areas_by_path(t, j->path);
    json_object(&o);
    json_put_int(&o, "seq", j->seq);
    json_put_str(&o, "command", j->command);
    json_put_str(&o, "kind", j->kind);
    json_put_strz(&o, "record", id_is_nil(j->record) ? NULL : id_text(j->record, id));
    json_key(&o, "area");
    if (x) json_str(&o, x->code);
    else json_null(&o);
    json_object_end(&o);
}

/* A session that has ended ends its feed; a role that was given or taken away counts from here on. */
static void look_again(struct feed *f, struct subscriber *s, int64_t now) {
    struct db *db;
    struct err e;
    if (s->over || now - s->beat_us < HEARTBEAT_US) return;
    s->beat_us = now;
    say(s, STR(": \n\n"));
    if (site_reader(f->api->site, &db, &e)) return;
    arena_release(&s->a);
    if (session_find(f->api->site, db, &s->a, str_z(s->token), &s->session, &e)) s->over = true;
    site_reader_done(f->api->site, db);
}

static void subscriber_end(struct feed *f, struct subscriber *s) {
    struct http_call *c = s->rq->call;
    arena_release(&s->a);
    free(s);
    http_stream_end(c);
    pthread_mutex_lock(&f->lock);
    f->count--;
    pthread_mutex_unlock(&f->lock);
}

/* ---- the thread ---- */

static bool take_arrived(struct feed *f) {
    pthread_mutex_lock(&f->lock);
    while (!f->all && !f->arrived && !f->stopping) pthread_cond_wait(&f->some, &f->lock);
    while (f->arrived) {
        struct subscriber *s = f->arrived;
        f->arrived = s->next;
        s->next = f->all;
        f->all = s;
    }
    bool go_on = !f->stopping;
    pthread_mutex_unlock(&f->lock);
    return go_on;
}

static int64_t earliest(const struct feed *f) {
    int64_t least = INT64_MAX;
    for (const struct subscriber *s = f->all; s; s = s->next)
        if (!s->over) least = MIN(least, s->seq);
    return least;
}

static void give(struct feed *f, const struct journal_entry *j, const struct areas *t) {
    struct buf data CLEANUP(buf_release) = BUF(8192);
    for (struct subscriber *s = f->all; s; s = s->next) {
        if (s->over || s->seq >= j->seq) continue;
        s->seq = j->seq;
        if (!may_see(s, j)) continue;
        if (!data.n) entry_data(j, t, &data);
        say_event(s, "change", j->seq, buf_str(&data));
    }
}

/* One page of the journal behind `seq`; the number of entries. */
static size_t give_page(struct feed *f, int64_t seq) {
    struct arena a CLEANUP(arena_release) = {0};
    struct areas *t CLEANUP(areas_dropp) = site_areas(f->api->site);
    struct rows *rows = NULL;
    struct db *db;
    struct err e;
    size_t n = 0;
    if (site_reader(f->api->site, &db, &e)) return 0;
    if (db_query(db, CS(journal_after), &rows, &e, VINT(f->api->site->id), VINT(seq), VINT(PAGE)) == 0) {
        while (rows_next(rows, &e) == 1) {
            struct journal_entry j;
            journal_read(&a, rows, &j);
            give(f, &j, t);
            n++;
        }
    }
    rows_done(rows);
    site_reader_done(f->api->site, db);
    return n;
}

static void remove_over(struct feed *f) {
    for (struct subscriber **at = &f->all; *at;) {
        struct subscriber *s = *at;
        if (!s->over && !http_stream_gone(s->rq->call)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        subscriber_end(f, s);
    }
}

static void *feed_main(void *arg) {
    struct feed *f = arg;
    while (take_arrived(f)) {
        int64_t from = earliest(f), newest = from == INT64_MAX ? 0 : site_wait(f->api->site, from, POLL_US);
        while (newest > from && from != INT64_MAX && give_page(f, from) == PAGE) from = earliest(f);
        int64_t now = monotonic_us();
        for (struct subscriber *s = f->all; s; s = s->next) look_again(f, s, now);
        remove_over(f);
    }
    while (f->all) {
        struct subscriber *s = f->all;
        f->all = s->next;
        subscriber_end(f, s);
    }
    return NULL;
}

struct feed *feed_start(struct api *api, struct err *e) {
    struct feed *f = calloc(1, sizeof *f);
    INVARIANT(f);
    f->api = api;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->some, NULL);
    if (pthread_create(&f->thread, NULL, feed_main, f) == 0) return f;
    free(f);
    err_set(e, ERR_INTERNAL, NULL, M_TEXT, "no thread for the feed");
    return NULL;
}

void feed_stop(struct feed *f) {
    if (!f) return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_signal(&f->some);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
}

void feed_free(struct feed *f) {
    if (!f) return;
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->some);
    free(f);
}

size_t feed_count(struct feed *f) {
    pthread_mutex_lock(&f->lock);
    size_t n = f->count;
    pthread_mutex_unlock(&f->lock);
    return n;
}

/* ---- joining ---- */

/* Where to begin: behind the last event the browser had, or behind `after`, or now.  Far behind, or ahead (another site's number): from
 * now, and told so. */
static int read_place(struct request *rq, int64_t newest, int64_t *ret, bool *ret_reset, struct err *e) {
    struct str last = http_header(rq->call, "last-event-id"), after = request_query(rq, "after");
    int64_t seq = newest;
    if (last.n) after = last;
    if (after.n && !str_to_int(after, 0, INT64_MAX, &seq)) return err_set(e, ERR_INVALID, "after", M_TYPE_INT);
    *ret_reset = seq > newest || newest - seq > BEHIND_MOST;
    *ret = *ret_reset ? newest : seq;
    return 0;
}

static bool join(struct feed *f, struct subscriber *s) {
    pthread_mutex_lock(&f->lock);
    bool room = !f->stopping && f->count < SUBSCRIBERS_MOST;
    if (room) {
        f->count++;
        s->next = f->arrived;
        f->arrived = s;
        pthread_cond_signal(&f->some);
    }
    pthread_mutex_unlock(&f->lock);
    return room;
}

static int subscribe(struct request *rq, int64_t seq, bool reset, struct err *e) {
    struct feed *f = rq->api->feed;
    struct subscriber *s = calloc(1, sizeof *s);
    INVARIANT(s);
    s->rq = rq;
    s->seq = seq;
    s->beat_us = monotonic_us();
    snprintf(s->token, sizeof s->token, "%.*s", STR_FMT(signed_in_token(rq->who)));
    int r = request_db(rq, e);
    if (r == 0) r = session_find(rq->site, rq->db, &s->a, str_z(s->token), &s->session, e);
    if (r) {
        arena_release(&s->a);
        free(s);
        return -1;
    }
    struct str first = str_z(arena_printf(rq->a, "{\"seq\":%lld}", (long long)seq));
    struct http_call *c = rq->call;
    request_log(rq, 200);
    request_release(rq);
    http_add_header(c, "X-Accel-Buffering", "no");
    http_stream(c, 200, "text/event-stream");
    say(s, STR("retry: 3000\n\n"));
    say_event(s, reset ? "reset" : "ready", seq, first);
    if (!join(f, s)) {
        arena_release(&s->a);
        free(s);
        http_stream_end(c);
    }
    return API_LATER;
}

int feed_route(struct request *rq, struct err *e) {
    int64_t newest = site_seq(rq->site), seq = newest;
    bool reset = false;
    TRY(read_place(rq, newest, &seq, &reset, e));
    if (!request_head(rq)) return subscribe(rq, seq, reset, e);
    rq->type = "text/event-stream";
    return 0;
}
