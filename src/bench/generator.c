#include "bench/generator.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/day.h"
#include "bench/process.h"

enum { HEAD_KEPT = 2048, READ = 256 << 10, EVENTS = 256, SILENCE_US = 30 * 1000000, PAUSE_US = 500000 };

/* ---- waiting times: 64 steps for each doubling, so within 1.6 % ---- */

enum { STEPS_LOG = 6, STEPS = 1 << STEPS_LOG, DOUBLINGS = 40 };
struct waits {
    int64_t n, most, count[DOUBLINGS * STEPS];
};

static void waits_add(struct waits *w, int64_t us) {
    uint64_t v = (uint64_t)MAX(us, 0);
    int shift = v < 2 * STEPS ? 0 : 63 - __builtin_clzll(v) - STEPS_LOG;
    size_t at = (size_t)(shift * STEPS) + (size_t)(v >> shift);
    w->count[MIN(at, COUNT(w->count) - 1)]++;
    w->n++;
    w->most = MAX(w->most, us);
}

static int64_t waits_at(const struct waits *w, double part) {
    int64_t before = 0, wanted = (int64_t)(part * (double)w->n);
    for (size_t i = 0; i < COUNT(w->count); i++) {
        before += w->count[i];
        if (before <= wanted) continue;
        int shift = i < 2 * STEPS ? 0 : (int)(i / STEPS) - 1;
        return ((int64_t)i - (int64_t)shift * STEPS) << shift;
    }
    return w->most;
}

/* ---- connections ---- */

enum state { ASKING, RESTING, OVER };
struct connection {
    struct line line;
    enum state state;
    bool closes; /* the peer hangs up behind this answer */
    char *request;
    size_t sent, left, kept; /* of the request; of the answer's body; bytes of its head */
    struct answer answer;
    int64_t began, wakes;
    char head[HEAD_KEPT];
};
struct run {
    const struct generator_plan *plan;
    struct generator_result *ret;
    struct form form;
    struct waits waits;
    struct connection *all;
    char *in;
    int epoll, under_way, resting;
    int64_t count_from, count_until, heard, last, bytes;
};

static int broken(const struct run *r, const char *what, struct err *e) {
    return err_set(e, ERR_IO, NULL, M_FILE, r->plan->to->url, what);
}

static int watch(struct run *r, struct connection *c, uint32_t events, int how, struct err *e) {
    struct epoll_event ev = {.events = events, .data.ptr = c};
    return epoll_ctl(r->epoll, how, c->line.fd, &ev) ? broken(r, strerrordesc_np(errno), e) : 0;
}

static int open_line(struct run *r, struct connection *c, struct err *e) {
    TRY(line_open(r->plan->to, &c->line, e));
    fcntl(c->line.fd, F_SETFL, O_NONBLOCK);
    c->closes = false;
    return watch(r, c, EPOLLIN, EPOLL_CTL_ADD, e);
}

static int send_some(struct run *r, struct connection *c, struct err *e) {
    size_t size = form_size(&r->form);
    while (c->sent < size) {
        ssize_t n = line_write(&c->line, c->request + c->sent, size - c->sent);
        if (n < 0 && errno == EAGAIN) return watch(r, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD, e);
        /* A server may answer and hang up before it has read all: the answer tells. */
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) return 0;
        if (n < 0) return broken(r, strerrordesc_np(errno), e);
        c->sent += (size_t)n;
    }
    return 0;
}

/* Asks what stands in c->request. */
static int ask(struct run *r, struct connection *c, struct err *e) {
    if (c->closes) line_close(&c->line);
    if (c->line.fd < 0) TRY(open_line(r, c, e));
    c->state = ASKING;
    c->kept = c->left = c->sent = 0;
    c->answer = (struct answer){.status = 0};
    c->began = monotonic_us();
    r->under_way++;
    return send_some(r, c, e);
}

static int ask_next(struct run *r, struct connection *c, struct err *e) {
    form_fill(&r->form, c->request);
    return ask(r, c, e);
}

/* ---- answers ---- */

static int unwanted(const struct run *r, const struct connection *c, struct err *e) {
    struct str body = str_sub((struct str){c->head, c->kept}, c->answer.head, c->kept);
    return answer_error(c->answer.status, body, r->plan->to->url, e);
}

static int answered(struct run *r, struct connection *c, int64_t now, struct err *e) {
    int status = c->answer.status;
    bool refused = status == 503 || status == 429, over = now >= r->count_until;
    /* A request that takes longer than the run is the whole run. */
    bool counts = now >= r->count_from && (!over || (!refused && r->ret->answered == 0));
    if (status != 200 && !refused) return unwanted(r, c, e);
    r->under_way--;
    c->closes = c->answer.closes;
    r->ret->all += !refused;
    if (counts && refused) r->ret->refused++;
    if (counts && !refused) {
        r->ret->answered++;
        r->bytes += (int64_t)c->answer.body;
        waits_add(&r->waits, now - c->began);
        r->last = now;
    }
    if (over) return c->state = OVER, 0;
    if (!refused) return ask_next(r, c, e);
    c->state = RESTING;
    c->wakes = now + (c->answer.retry_after < 0 ? PAUSE_US : c->answer.retry_after * US_PER_SECOND);
    r->resting++;
    return 0;
}

/* The bytes that came; 1: the answer is whole. */
static int take(struct run *r, struct connection *c, struct str in, struct err *e) {
    size_t had = c->kept, keep = MIN(in.n, sizeof c->head - c->kept);
    bool headless = c->answer.status == 0;
    memcpy(c->head + c->kept, in.p, keep);
    c->kept += keep;
    if (headless) {
        int whole = answer_read((struct str){c->head, c->kept}, &c->answer);
        if (whole < 0 || (!whole && c->kept == sizeof c->head)) return broken(r, "HTTP/1.1, Content-Length?", e);
        if (!whole) return 0;
        c->left = c->answer.body;
        in = str_sub(in, c->answer.head - had, in.n);
    }
    if (in.n > c->left) return broken(r, "more than one answer", e);
    c->left -= in.n;
    return c->left == 0;
}

/* The peer hung up: between two requests that is its right, and this one is asked again on another line. */
static int hung_up(struct run *r, struct connection *c, struct err *e) {
    line_close(&c->line);
    if (c->state != ASKING) return 0;
    r->under_way--;
    if (c->kept) return broken(r, "an answer broke off", e);
    return ask(r, c, e);
}

static int receive(struct run *r, struct connection *c, struct err *e) {
    ssize_t n = line_read(&c->line, r->in, READ);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) return hung_up(r, c, e);
    if (c->state != ASKING) return broken(r, "an answer without a request", e);
    int whole = take(r, c, (struct str){r->in, (size_t)n}, e);
    if (whole <= 0) return whole;
    r->heard = monotonic_us();
    return answered(r, c, r->heard, e);
}

/* ---- the loop ---- */

static int wake(struct run *r, int64_t now, struct err *e) {
    for (int i = 0; i < r->plan->connections && r->resting; i++) {
        struct connection *c = &r->all[i];
        if (c->state != RESTING || (now < c->wakes && now < r->count_until)) continue;
        r->resting--;
        c->state = OVER;
        if (now < r->count_until) TRY(ask(r, c, e));
    }
    return 0;
}

static int one_event(struct run *r, const struct epoll_event *ev, struct err *e) {
    struct connection *c = ev->data.ptr;
    if (ev->events & EPOLLOUT) {
        TRY(watch(r, c, EPOLLIN, EPOLL_CTL_MOD, e));
        TRY(send_some(r, c, e));
    }
    return ev->events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? receive(r, c, e) : 0;
}

static int64_t thread_cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

static int turn(struct run *r, struct err *e) {
    struct epoll_event events[EVENTS];
    int64_t cpu_from = -1;
    while (r->under_way || r->resting) {
        int got = epoll_wait(r->epoll, events, EVENTS, r->resting ? 10 : 1000);
        int64_t now = monotonic_us();
        if (cpu_from < 0 && now >= r->count_from) cpu_from = thread_cpu_us();
        if (r->ret->cpu_us == 0 && now >= r->count_until) r->ret->cpu_us = thread_cpu_us() - MAX(cpu_from, 0);
        for (int i = 0; i < got; i++) TRY(one_event(r, &events[i], e));
        if (r->resting) TRY(wake(r, now, e));
        if (!r->resting && now - r->heard > SILENCE_US) return broken(r, "no answer for 30 seconds", e);
    }
    return 0;
}

static void raise_limit(int connections) {
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur > (rlim_t)connections + 64) return;
    l.rlim_cur = MIN(l.rlim_max, (rlim_t)connections + 64);
    setrlimit(RLIMIT_NOFILE, &l);
}

static int begin(struct run *r, struct err *e) {
    const struct generator_plan *p = r->plan;
    size_t size = form_size(&r->form);
    for (int i = 0; i < p->connections; i++) {
        struct connection *c = &r->all[i];
        c->request = malloc(size);
        INVARIANT(c->request);
        memcpy(c->request, r->form.bytes.p, size);
        c->line.fd = -1;
    }
    for (int i = 0; i < p->connections; i++) TRY(open_line(r, &r->all[i], e));
    r->heard = monotonic_us();
    r->count_from = r->heard + p->warm_us;
    r->count_until = r->count_from + p->run_us;
    for (int i = 0; i < p->connections; i++) TRY(ask_next(r, &r->all[i], e));
    return 0;
}

static void end(struct run *r) {
    for (int i = 0; i < r->plan->connections; i++) {
        line_close(&r->all[i].line);
        free(r->all[i].request);
    }
    free(r->all);
    free(r->in);
    if (r->epoll >= 0) close(r->epoll);
    form_release(&r->form);
}

static int work(const void *arg, void *ret, struct err *e) {
    static struct run r;
    r = (struct run){.plan = arg, .ret = ret, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    *r.ret = (struct generator_result){.all = 0};
    raise_limit(r.plan->connections);
    form_init(&r.form, r.plan->text, r.plan->to, r.plan->subject);
    r.all = calloc((size_t)r.plan->connections, sizeof *r.all);
    r.in = malloc(READ);
    INVARIANT(r.all && r.in);
    int failed = begin(&r, e);
    if (!failed) failed = turn(&r, e);
    r.ret->us = MAX(r.plan->run_us, r.last - r.count_from);
    r.ret->p50_us = waits_at(&r.waits, 0.5);
    r.ret->p99_us = waits_at(&r.waits, 0.99);
    r.ret->most_us = r.waits.most;
    r.ret->answer_bytes = r.ret->answered ? r.bytes / r.ret->answered : 0;
    end(&r);
    return failed;
}

int generator_run(const struct generator_plan *plan, struct generator_result *ret, struct err *e) {
    return process_run(work, plan, ret, sizeof *ret, e);
}
