/* bench-core DIR KIND IN_FLIGHT SECONDS: KIND.create commands through the writer of the site in DIR, without HTTP: parsed on this
 * thread, IN_FLIGHT of them waiting at any time, each answered after its commit. */
#include <pthread.h>

#include "base/log.h"
#include "bench.h"
#include "core/command.h"
#include "systems/systems.h"

enum { IN_FLIGHT_MOST = 4096 };

struct slot {
    struct command_item item;
    struct command_call call;
    struct arena a;
    int64_t began;
    struct slot *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct slot *ready;
} back = {.lock = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER};

struct run {
    struct site *site;
    struct targets targets;
    struct actor actor;
    struct grant grant;
    enum load load;
    uint64_t n;
    int64_t done;
    struct sample waits;
};

static void slot_done(struct write_item *item) {
    struct slot *s = (struct slot *)item;
    pthread_mutex_lock(&back.lock);
    s->next = back.ready;
    back.ready = s;
    if (!s->next) pthread_cond_signal(&back.some);
    pthread_mutex_unlock(&back.lock);
}

static void refused(const struct slot *s, const struct err *e) {
    bench_fail("%s refused: %s %s %s", s->call.name ? s->call.name : "command", err_name(e->code), e->field, e->arg[0]);
}

static void submit(struct run *r, struct slot *s) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct json *j;
    struct err e;
    arena_clear(&s->a);
    body_add(&b, r->load, &r->targets, r->n++, site_now(r->site));
    s->call = (struct command_call){.a = &s->a, .actor = &r->actor, .lang = LANG_EN};
    s->began = monotonic_us();
    if (json_parse(&s->a, arena_str(&s->a, buf_str(&b)), NULL, &j, &e) || command_parse(r->site, j, &s->call, &e)) refused(s, &e);
    s->item = command_item_make(&s->call, slot_done);
    if (!writer_submit(r->site, &s->item.item)) bench_fail("the writer's queue is full");
}

static struct slot *wait_for_some(void) {
    pthread_mutex_lock(&back.lock);
    while (!back.ready) pthread_cond_wait(&back.some, &back.lock);
    struct slot *s = back.ready;
    back.ready = NULL;
    pthread_mutex_unlock(&back.lock);
    return s;
}

/* Runs until the time is over; then waits until all are back. */
static void turn(struct run *r, struct slot *slots, int in_flight, int64_t until) {
    int out = in_flight;
    for (int i = 0; i < in_flight; i++) submit(r, &slots[i]);
    while (out) {
        for (struct slot *s = wait_for_some(), *next; s; s = next) {
            next = s->next;
            if (s->item.item.failed) refused(s, &s->item.item.err);
            r->done++;
            sample_add(&r->waits, monotonic_us() - s->began);
            if (monotonic_us() < until) submit(r, s);
            else out--;
        }
    }
}

static void tell(struct run *r, const struct writer_counts *before, int64_t us, int64_t writer_us, int64_t server_us) {
    struct writer_counts c = writer_counts(r->site);
    double commits = (double)(c.commits - before->commits);
    say_real("per_second", (double)r->done * 1e6 / (double)us);
    say_real("group", (double)(c.items - before->items) / commits);
    say_int("p50_us", sample_at(&r->waits, 0.5));
    say_int("p99_us", sample_at(&r->waits, 0.99));
    say_real("writer_cpu_us", (double)writer_us / (double)r->done);
    say_real("server_cpu_us", (double)server_us / (double)r->done);
    say_real("writer_busy_percent", 100.0 * (double)(c.commit_us - before->commit_us) / (double)us);
}

int main(int argc, char **argv) {
    static struct run r;
    int64_t in_flight, seconds;
    struct err e;
    if (argc != 5 || !load_from(argv[2], &r.load) || !str_to_int(str_z(argv[3]), 1, IN_FLIGHT_MOST, &in_flight) ||
        !str_to_int(str_z(argv[4]), 1, 3600, &seconds))
        bench_fail("usage: bench-core DIR gate_scan|resident|triage_visit IN_FLIGHT SECONDS");
    log_quiet(true);
    site_program_init(systems_all);
    targets_read(argv[1], &r.targets);
    if (site_open(argv[1], &r.site, &e)) bench_fail("%s: %s", argv[1], err_name(e.code));
    struct areas *t = site_areas(r.site);
    r.grant = (struct grant){role_by_name(STR("headquarters")), t->all[0].path};
    r.actor = (struct actor){.id = id_new(site_now(r.site)), .login = STR("bench"), .name = STR("bench"), .grants = &r.grant, .n = 1};
    /* Runs on one site follow each other: no person twice. */
    r.n = (uint64_t)(site_now(r.site) / 1000) % 2000000000u * 10;
    struct slot *slots = calloc((size_t)in_flight, sizeof *slots);
    INVARIANT(slots);
    turn(&r, slots, (int)in_flight, monotonic_us() + US_PER_SECOND / 2);
    r.done = 0;
    r.waits.n = 0;
    struct writer_counts before = writer_counts(r.site);
    int64_t began = monotonic_us(), others = cpu_us() - thread_cpu_us(), server = server_cpu_us();
    turn(&r, slots, (int)in_flight, began + seconds * US_PER_SECOND);
    tell(&r, &before, monotonic_us() - began, cpu_us() - thread_cpu_us() - others, server_cpu_us() - server);
    for (int64_t i = 0; i < in_flight; i++) arena_release(&slots[i].a);
    free(slots);
    sample_release(&r.waits);
    targets_release(&r.targets);
    areas_drop(t);
    site_close(r.site);
    return 0;
}
