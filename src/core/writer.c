/* The one writer of this process.  While one commit waits for the disk the next items queue up, so a group grows by itself with the load and one fsync
 * serves many; a file's fsync is waited for beside the next group (durable.h).  Savepoints would cost more than what they guard: SQLite copies each page that is touched under one, a server answers them.  So a group
 * first runs together without them; if a statement fails, or an item after it has written, all of it is undone and runs once more with each item under a
 * savepoint, where its failure undoes it alone.  A busy database or a failed commit runs the whole group again; a full disk fails it.  Nobody is
 * answered before the commit is durable.
 *
 * On a server what is written is not waited for, and neither is a COMMIT while there are more items: what the next group will look up is sent behind it, and
 * when its answer has come that group runs.  If it failed, what was begun behind it is undone and begins anew when the group has run again.  When the connection is lost
 * while the server commits, nobody knows what became of the group: its number, written by the same transaction, tells (`writer`). */
#include "core/writer.h"

#include <errno.h>
#include <time.h>

#include "base/log.h"
#include "core/checkpoint.h"
#include "core/core_stmts.h"
#include "core/durable.h"
#include "core/figure.h"
#include "core/kept.h"
#include "core/lately.h"
#include "core/log_place.h"
#include "core/memo.h"
#include "core/trace_merge.h"
#include "core/tx.h"
#include "core/used.h"

enum { QUEUE_MOST = 4096, GROUP_MOST = 1024, TRIES = 6, WAIT_MOST_MS = 500, GROWN_ROWS = 6000, IDS_MOST = 1 << 21 };
enum { COST_FEW = 8, COST_ITEMS = 128, COST_FIRST_NS = 100000 };
/* How long a server may be away before those who wait are told; shorter when the process is to end. */
static const int64_t AWAY_US = 60 * US_PER_SECOND, AWAY_STOPPING_US = 5 * US_PER_SECOND;

struct writer {
    struct site *site;
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct write_item *first, **last;
    size_t queued, taken; /* waiting; in the group under way */
    int64_t cost_ns;      /* of an item, lately */
    void (*around)(bool begins);
    bool stopping;
    struct tally_batch *tallies;
    struct log_rows *logs;
    struct kept *kept;
    struct log_places *places;
    struct lately *ids;
    struct used *used;
    struct memo *memo;
    int64_t seq; /* where our last commit left the journal */
    bool alone;  /* it was there when the group under way began */
    struct arena arena;
    struct writer_counts counts;
    struct durable *durable;           /* of a file; NULL: none */
    struct checkpointer *checkpointer;
    struct trace_merger *merger;
    struct group *unanswered;          /* the oldest first */
    int64_t checkpointed; /* commits at the last checkpoint */
    int64_t written;      /* statements since then */
    struct id id;         /* of this process, in the table `writer` */
    int64_t number;       /* of the newest group */
    struct group *sent;   /* on a server: its COMMIT was sent and is to be answered */
    int64_t began;        /* when it began; 0: there is none */
    int64_t slow_us;      /* LF_FAULT=slow:US, for each item */
};

/* From its beginning until all of its items are answered. */
struct group {
    struct settled settled;
    struct writer *w;
    struct group *next; /* begun after it, and not answered either */
    struct write_item *items;
    bool apart;     /* each item under a savepoint */
    bool uncertain; /* a commit of it was not answered */
    bool again;     /* it had to run once more */
    bool failed, areas_changed;
    int64_t n, seq, began;
    int64_t number;
    int64_t left_at; /* the journal's end behind it */
    int64_t commit_began, commit_us; /* of its last run */
};

/* Errors that are not the item's own: the transaction cannot go on.  One damaged row or one wrong statement harms only whoever asks for it;
 * where the engine has given the transaction up, undoing the item fails as well. */
static bool breaks_group(enum err_code code) {
    return code == ERR_RETRY || code == ERR_STORAGE_FULL || code == ERR_IO;
}

static int run_item(struct writer *w, struct tx *tx, struct write_item *item, bool apart, struct err *e) {
    arena_clear(&w->arena);
    bool areas_changed = tx->areas_changed;
    item->failed = false;
    if (item->reads_figures) TRY(db_shared(tx->db) ? tally_settle(tx->tallies, tx, e) : tally_batch_flush(tx->tallies, tx, e));
    struct tx_mark mark = tx_mark(tx);
    int64_t writes = db_writes(tx->db);
    size_t used = used_mark(tx->used);
    if (apart) TRY(db_savepoint(tx->db, e));
    tx->entry_used = false;
    int r = item->run(tx, item, &item->err);
    if (r == 0 && apart) r = db_sync(tx->db, &item->err); /* what was not waited for may have failed */
    if (r == 0) return apart ? db_release(tx->db, e) : 0;
    bool wrote = db_writes(tx->db) > writes;
    if (breaks_group(item->err.code) || (wrote && !apart)) {
        *e = item->err;
        return -1;
    }
    item->failed = true;
    kept_clear(tx->kept);
    used_undo(tx->used, used);
    if (wrote) log_places_clear(tx->places);
    tx_undo(tx, &mark);
    tx->areas_changed = areas_changed;
    return apart ? db_rollback_to(tx->db, e) : 0;
}

static int look_ahead(struct writer *w, struct tx *tx, const struct group *g, struct err *e) {
    for (struct write_item *i = g->items; i && !g->apart && db_shared(w->db); i = i->next) {
        if (i->foresee) TRY(i->foresee(tx, i, e));
        arena_clear(&w->arena);
    }
    return 0;
}

static int mark(struct writer *w, const struct tx *tx, const struct group *g, struct err *e) {
    return db_run(w->db, CS(writer_mark), e, VINT(w->site->id), VID(w->id), VINT(g->number), VINT(tx->now));
}

static int run_items(struct writer *w, struct tx *tx, struct group *g, struct err *e) {
    for (struct write_item *i = g->items; i; i = i->next) TRY(run_item(w, tx, i, g->apart, e));
    TRY(tx_finish(tx, e));
    g->areas_changed = tx->areas_changed;
    g->seq = tx->seq;
    if (!db_shared(w->db)) return 0;
    TRY(mark(w, tx, g, e));
    return db_notify(w->db, w->site->id, w->id, e);
}

/* 1: the commit that was not answered was done.  The lock has been waited for, so it is over either way. */
static int was_committed(struct writer *w, struct group *g, struct err *e) {
    int64_t number = 0;
    if (!g->uncertain) return 0;
    if (db_int(w->db, CS(writer_number), &number, e, VINT(w->site->id), VID(w->id)) < 0) return -1;
    g->uncertain = number == g->number;
    return g->uncertain;
}

static void pause_us(int64_t us) {
    nanosleep(&(struct timespec){us / US_PER_SECOND, us % US_PER_SECOND * 1000}, NULL);
}

/* What was not asked for because it was known is asked for now. */
static int others_wrote(struct writer *w, struct tx *tx, const struct group *g, struct err *e) {
    kept_clear(w->kept);
    memo_clear(w->memo);
    tally_batch_strangers(w->tallies);
    lately_start(w->ids, INT64_MAX);
    if (used_started(w->used)) TRY(tx_used_learn(tx, w->seq, e));
    if (!tx->alone) return 0;
    tx->alone = false;
    return look_ahead(w, tx, g, e);
}

static int begin(struct writer *w, struct tx *tx, const struct group *g, struct err *e) {
    tx->alone = w->alone;
    TRY(db_begin(w->db, true, e));
    TRY(tx_foresee_start(tx, e));
    TRY(look_ahead(w, tx, g, e));
    return db_send(w->db, e);
}

static int start(struct writer *w, struct tx *tx, const struct group *g, struct err *e) {
    TRY(tx_start(tx, e));
    w->alone = tx->seq == w->seq;
    if (!w->alone) TRY(others_wrote(w, tx, g, e));
    memo_begin(w->memo);
    return w->alone && db_shared(w->db) ? tx_ids_start(tx, e) : 0;
}

static bool settle_sent(struct writer *w);

/* What was read and written in a transaction that is undone. */
static void forget(struct writer *w) {
    kept_clear(w->kept);
    used_undo(w->used, 0);
    log_places_clear(w->places);
}

/* Of a group whose COMMIT was sent: what became of it. */
static int end_commit(struct writer *w, struct group *g, struct err *e) {
    int r = db_commit_end(w->db, e);
    g->commit_us = monotonic_us() - g->commit_began;
    if (r) {
        forget(w);
    } else {
        used_keep(w->used);
        tally_batch_committed(w->tallies);
        w->seq = g->left_at;
    }
    g->uncertain = r && (g->uncertain || (e->code == ERR_RETRY && db_shared(w->db)));
    return r;
}

static int send_commit(struct writer *w, struct group *g, struct err *e) {
    if (w->slow_us) pause_us((int64_t)w->taken * w->slow_us);
    g->commit_began = monotonic_us();
    if (db_commit_send(w->db, e) == 0) return 0;
    forget(w);
    g->uncertain = g->uncertain || (e->code == ERR_RETRY && db_shared(w->db));
    return -1;
}

/* Up to its COMMIT, which is sent. */
static int run_group(struct writer *w, struct group *g, struct err *e) {
    struct tx tx = {.apart = g->apart, .site = w->site, .db = w->db, .a = &w->arena, .tallies = w->tallies, .logs = w->logs, .kept = w->kept, .places = w->places, .used = w->used, .ids = w->ids, .memo = w->memo};
    int r = begin(w, &tx, g, e);
    if (!settle_sent(w)) {
        g->began = monotonic_us(); /* it has not been tried yet */
        r = begin(w, &tx, g, e);
    }
    if (r == 0) r = start(w, &tx, g, e);
    if (r == 0) r = was_committed(w, g, e);
    if (r == 0) r = run_items(w, &tx, g, e);
    else if (r == 1) r = mark(w, &tx, g, e); /* the primary alone may have it: the answer to a commit behind it says that the replica has, too */
    if (r == 0) {
        g->left_at = tx.seq;
        w->written += db_writes(w->db);
        if (tx.traced) trace_merger_stored(w->merger);
        return send_commit(w, g, e);
    }
    db_rollback(w->db);
    forget(w);
    return -1;
}

static bool stopping(struct writer *w) {
    pthread_mutex_lock(&w->lock);
    bool is = w->stopping;
    pthread_mutex_unlock(&w->lock);
    return is;
}

/* A file that is busy gets a few tries; a server may be away while another one takes over. */
static bool try_again(struct writer *w, int attempt, int64_t began) {
    if (!db_shared(w->db)) return attempt + 1 < TRIES;
    return monotonic_us() - began < (stopping(w) ? AWAY_STOPPING_US : AWAY_US);
}

static void wait_a_little(int attempt) {
    pause_us(MIN(2 << MIN(attempt, 10), WAIT_MOST_MS) * INT64_C(1000));
}

static void fail_all(struct group *g, const struct err *e) {
    log_line(LOG_ERROR, "writer", "a group failed code=%s detail=%s", err_name(e->code), e->arg[0]);
    g->failed = true;
    for (struct write_item *i = g->items; i; i = i->next) {
        i->failed = true;
        i->err = *e;
    }
}

static void count_retry(struct writer *w) {
    pthread_mutex_lock(&w->lock);
    w->counts.retried++;
    pthread_mutex_unlock(&w->lock);
}

/* What an item costs: its part of the group's run, and of a commit that would have served many more, so that a disk which stands still for a moment
 * turns nobody away.  The more items, the more their group says. */
static void learn_cost(struct writer *w, const struct group *g) {
    int64_t run_us = monotonic_us() - g->began - g->commit_us;
    int64_t cost = run_us * 1000 / MAX(g->n, (int64_t)COST_FEW) + g->commit_us * 1000 / GROUP_MOST;
    if (g->failed || g->again) return; /* time without a server teaches nothing */
    pthread_mutex_lock(&w->lock);
    w->cost_ns += (cost - w->cost_ns) * MIN(g->n, (int64_t)COST_ITEMS) / COST_ITEMS;
    pthread_mutex_unlock(&w->lock);
}

static void checkpoint_here(struct writer *w) {
    struct err e;
    if (db_checkpoint(w->db, NULL, &e)) log_line(LOG_WARN, "writer", "checkpoint failed code=%s", err_name(e.code));
}

static void checkpoint(struct writer *w) {
    w->checkpointed = w->counts.commits;
    w->written = 0;
    checkpointer_wake(w->checkpointer);
}

/* A server's planner must hear of many new rows before the next question about them; a file's log must not grow for ever. */
static void checkpoint_when_grown(struct writer *w) {
    if (w->written >= GROWN_ROWS) checkpoint(w);
    if (checkpointer_nearly(w->checkpointer) || db_log_pages(w->db) >= CHECKPOINT_LONG) checkpoint_here(w);
}

/* ---- answering ---- */

/* What the next group must know at once: an area that was moved is moved. */
static void areas_settle(const struct group *g) {
    if (!g->areas_changed) return;
    pthread_mutex_lock(&g->w->site->lock);
    g->w->site->areas_seq = MAX(g->w->site->areas_seq, g->seq);
    pthread_mutex_unlock(&g->w->site->lock);
}

static void tell_site(struct site *s, int64_t seq) {
    pthread_mutex_lock(&s->lock);
    s->last_seq = MAX(s->last_seq, seq);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* Returns what is called around its answers. */
static void (*count_group(struct writer *w, const struct group *g))(bool begins) {
    pthread_mutex_lock(&w->lock);
    w->counts.commits += !g->failed;
    w->counts.commit_us += monotonic_us() - g->began;
    w->counts.items += g->n;
    for (const struct write_item *i = g->items; i; i = i->next) w->counts.failed += i->failed;
    struct group **at = &w->unanswered;
    while (*at != g) at = &(*at)->next;
    *at = g->next;
    void (*around)(bool begins) = w->around;
    pthread_mutex_unlock(&w->lock);
    return around;
}

static void group_told(struct settled *settled) {
    struct group *g = (struct group *)settled;
    if (!g->failed) tell_site(g->w->site, g->seq);
    void (*around)(bool begins) = count_group(g->w, g);
    if (around) around(true);
    for (struct write_item *i = g->items, *next; i; i = next) {
        next = i->next; /* done() may free the item */
        i->done(i);
    }
    if (around) around(false);
    free(g);
}

static void settle(struct writer *w, struct group *g) {
    if (!g->failed) areas_settle(g);
    learn_cost(w, g);
    if (w->durable && !g->failed) durable_settle(w->durable, &g->settled);
    else group_told(&g->settled);
}

/* After it failed. */
static void run_again(struct writer *w, struct group *g, struct err *e) {
    for (int attempt = 0, r = -1; r; attempt++) {
        if (!g->apart && !breaks_group(e->code)) {
            g->apart = true;
        } else if (e->code == ERR_RETRY && try_again(w, attempt, g->began)) {
            g->again = true;
            count_retry(w);
            wait_a_little(attempt);
        } else {
            return fail_all(g, e);
        }
        r = run_group(w, g, e);
        if (r == 0) r = end_commit(w, g, e);
    }
}

/* False: it had to run once more, and what was begun behind it is undone. */
static bool settle_sent(struct writer *w) {
    struct err e;
    struct group *g = TAKE(w->sent);
    if (!g) return true;
    bool done = end_commit(w, g, &e) == 0;
    if (!done) run_again(w, g, &e);
    settle(w, g);
    return done;
}

static void commit_group(struct writer *w, struct group *g) {
    struct err e;
    g->number = ++w->number;
    for (struct write_item *i = g->items; i; i = i->next) g->apart = g->apart || i->apart;
    int r = run_group(w, g, &e);
    if (r == 0 && db_shared(w->db)) {
        w->sent = g;
    } else {
        if (r || end_commit(w, g, &e)) run_again(w, g, &e);
        settle(w, g);
    }
    checkpoint_when_grown(w);
}

static struct group *take_group(struct writer *w) {
    struct write_item *i = w->first;
    if (!i) return NULL;
    struct group *g = calloc(1, sizeof *g), **end = &w->unanswered;
    INVARIANT(g);
    *g = (struct group){.settled.told = group_told, .w = w, .items = i, .n = 1, .began = monotonic_us()};
    w->counts.queue_us += g->began - i->queued_at;
    while (i->next && g->n < GROUP_MOST) {
        i = i->next;
        w->counts.queue_us += g->began - i->queued_at;
        g->n++;
    }
    w->began = g->began;
    w->taken = (size_t)g->n;
    w->first = i->next;
    if (!w->first) w->last = &w->first;
    i->next = NULL;
    w->queued -= w->taken;
    while (*end) end = &(*end)->next;
    *end = g;
    return g;
}

static void put_in_queue(struct writer *w, struct write_item *item) {
    item->next = NULL;
    item->queued_at = monotonic_us();
    *w->last = item;
    w->last = &item->next;
    if (w->queued++ == 0) pthread_cond_signal(&w->wake);
}

static int run_nothing(struct tx *tx, struct write_item *item, struct err *e) {
    (void)tx, (void)item, (void)e;
    return 0;
}

static void free_item(struct write_item *item) {
    free(item);
}

/* Where nobody writes, no tallies lie by. */
static void tallies_when_idle(struct writer *w) {
    struct write_item *item = calloc(1, sizeof *item);
    INVARIANT(item);
    *item = (struct write_item){.run = run_nothing, .done = free_item, .reads_figures = true};
    put_in_queue(w, item);
}

static void when_idle(struct writer *w) {
    if (w->counts.commits - w->checkpointed >= 64) checkpoint(w);
    if (tally_batch_lies_by(w->tallies)) tallies_when_idle(w);
}

static void *writer_main(void *arg) {
    struct writer *w = arg;
    bool ending = false;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        struct group *group = take_group(w);
        if (group) {
            pthread_mutex_unlock(&w->lock);
            commit_group(w, group);
            pthread_mutex_lock(&w->lock);
            w->began = 0;
            w->taken = 0;
            continue;
        }
        if (w->sent) {
            pthread_mutex_unlock(&w->lock);
            settle_sent(w);
            pthread_mutex_lock(&w->lock);
            continue;
        }
        if (w->stopping) {
            if (ending || !tally_batch_lies_by(w->tallies)) break;
            ending = true;
            tallies_when_idle(w);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 2;
        if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT) when_idle(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int writer_start(struct site *s, struct db *db, struct err *e) {
    struct durable *durable;
    TRY(durable_start(db, &durable, e));
    struct writer *w = calloc(1, sizeof *w);
    INVARIANT(w);
    w->durable = durable;
    w->site = s;
    w->db = db;
    w->last = &w->first;
    w->cost_ns = COST_FIRST_NS;
    w->slow_us = MIN(fault_asked("slow"), US_PER_SECOND);
    w->id = id_new(site_now(s));
    w->tallies = tally_batch_new();
    w->logs = log_rows_new();
    w->kept = kept_new();
    w->places = log_places_new();
    w->used = used_new(USED_SPAN, USED_MOST);
    w->ids = lately_new(IDS_MOST);
    w->memo = memo_new(s);
    w->checkpointer = checkpointer_start(s);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    s->writer = w;
    w->merger = trace_merger_start(s);
    INVARIANT(pthread_create(&w->thread, NULL, writer_main, w) == 0);
    return 0;
}

struct db *writer_stop(struct site *s) {
    struct writer *w = s->writer;
    struct db *db = w->db;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    trace_merger_stop(w->merger);
    pthread_join(w->thread, NULL);
    durable_stop(w->durable);
    checkpointer_stop(w->checkpointer);
    tally_batch_free(w->tallies);
    log_rows_free(w->logs);
    kept_free(w->kept);
    log_places_free(w->places);
    used_free(w->used);
    lately_free(w->ids);
    memo_free(w->memo);
    arena_release(&w->arena);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w);
    s->writer = NULL;
    return db;
}

struct id writer_id(const struct site *s) {
    return s->writer->id;
}

bool writer_submit(struct site *s, struct write_item *item) {
    struct writer *w = s->writer;
    pthread_mutex_lock(&w->lock);
    bool taken = !w->stopping && w->queued < QUEUE_MOST;
    if (taken) put_in_queue(w, item);
    pthread_mutex_unlock(&w->lock);
    return taken;
}

/* ---- waiting for one item ---- */

struct waiting {
    struct write_item item; /* stands in for the caller's */
    struct write_item *asked;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool finished;
};

static int waiting_foresee(struct tx *tx, struct write_item *item, struct err *e) {
    struct waiting *w = (struct waiting *)item;
    return w->asked->foresee ? w->asked->foresee(tx, w->asked, e) : 0;
}

static int waiting_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct waiting *w = (struct waiting *)item;
    return w->asked->run(tx, w->asked, e);
}

static void waiting_done(struct write_item *item) {
    struct waiting *w = (struct waiting *)item;
    pthread_mutex_lock(&w->lock);
    w->finished = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
}

int writer_run(struct site *s, struct write_item *item, struct err *e) {
    struct waiting w = {.asked = item};
    w.item = (struct write_item){.run = waiting_run, .foresee = waiting_foresee, .done = waiting_done, .reads_figures = item->reads_figures, .apart = item->apart};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.done, NULL);
    bool taken = writer_submit(s, &w.item);
    pthread_mutex_lock(&w.lock);
    while (taken && !w.finished) pthread_cond_wait(&w.done, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.done);
    if (!taken) return err_set(e, ERR_BUSY, NULL, M_QUEUE_FULL);
    item->failed = w.item.failed;
    item->err = w.item.err;
    if (!item->failed) return 0;
    *e = item->err;
    return -1;
}

struct writer_counts writer_counts(struct site *s) {
    struct writer *w = s->writer;
    pthread_mutex_lock(&w->lock);
    struct writer_counts c = w->counts;
    c.queued = (int64_t)w->queued;
    c.waiting_us = w->unanswered ? monotonic_us() - w->unanswered->began : 0;
    pthread_mutex_unlock(&w->lock);
    return c;
}

struct writer_pace writer_pace(struct site *s, int64_t us) {
    struct writer *w = s->writer;
    pthread_mutex_lock(&w->lock);
    int64_t cost = MAX(w->cost_ns, INT64_C(1000)), left = 0;
    if (w->began) left = MAX((int64_t)w->taken * cost / 1000 - (monotonic_us() - w->began), INT64_C(0));
    struct writer_pace p = {.wait_us = left + (int64_t)w->queued * cost / 1000, .queued = w->queued, .done = (size_t)MIN(us * 1000 / cost, (int64_t)QUEUE_MOST / 2)};
    pthread_mutex_unlock(&w->lock);
    return p;
}

void writer_around_answers(struct site *s, void (*around)(bool begins)) {
    pthread_mutex_lock(&s->writer->lock);
    s->writer->around = around;
    pthread_mutex_unlock(&s->writer->lock);
}
