/* bench-core DIR COMMAND IN_FLIGHT SECONDS: commands through the writer of a site that `lianfang bench --keep DIR` made, without HTTP: parsed on
 * this thread, IN_FLIGHT of them waiting at any time, each answered after its commit.  For perf and callgrind. */
#include <pthread.h>
#include <time.h>

#include "base/log.h"
#include "bench/form.h"
#include "core/command.h"
#include "systems/systems.h"

enum { IN_FLIGHT_MOST = 4096 };

static const struct {
    const char *command, *body;
} bodies[] = {
    {"gate_scan.create", "{\"id\":\"{id}\",\"command\":\"gate_scan.create\",\"data\":{\"gate\":\"{gate}\",\"pass\":\"{pass}\",\"what\":\"person\",\"temperature\":{heat},"
                         "\"seen_at\":\"{now}\"}}"},
    {"resident.create", "{\"id\":\"{id}\",\"command\":\"resident.create\",\"data\":{\"household\":\"{household}\",\"name\":\"{name}\",\"birth_date\":\"{birth}\","
                        "\"id_number\":\"{id_number}\",\"phone\":\"{phone}\",\"since\":\"2020-01-01\"}}"},
};

struct slot {
    struct command_item item;
    struct command_call call;
    struct arena a;
    struct slot *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct slot *ready;
} back = {.lock = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER};

struct run {
    struct site *site;
    struct actor actor;
    struct grant grant;
    struct form form;
    size_t head; /* bytes of the form before the body */
    int64_t done;
};

static void NORETURN fail(const char *what, const struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    if (e) err_text(e, LANG_EN, &b);
    die(1, "bench-core: %s %s", what, b.p ? b.p : "");
}

static void slot_done(struct write_item *item) {
    struct slot *s = (struct slot *)item;
    pthread_mutex_lock(&back.lock);
    s->next = back.ready;
    back.ready = s;
    if (!s->next) pthread_cond_signal(&back.some);
    pthread_mutex_unlock(&back.lock);
}

static void submit(struct run *r, struct slot *s) {
    struct json *j;
    struct err e;
    arena_clear(&s->a);
    form_fill(&r->form, r->form.bytes.p);
    struct str body = str_sub(buf_str(&r->form.bytes), r->head, r->form.bytes.n);
    s->call = (struct command_call){.a = &s->a, .actor = &r->actor, .lang = LANG_EN};
    if (json_parse(&s->a, arena_str(&s->a, body), NULL, &j, &e) || command_parse(r->site, j, &s->call, &e)) fail(e.field, &e);
    s->item = command_item_make(&s->call, slot_done);
    if (!writer_submit(r->site, &s->item.item)) fail("the writer's queue is full", NULL);
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
            if (s->item.item.failed) fail(s->item.item.err.field, &s->item.item.err);
            r->done++;
            if (monotonic_us() < until) submit(r, s);
            else out--;
        }
    }
}

static int64_t clock_us(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

/* All threads but this one: the writer's. */
static int64_t others_cpu_us(void) {
    return clock_us(CLOCK_PROCESS_CPUTIME_ID) - clock_us(CLOCK_THREAD_CPUTIME_ID);
}

static void measure(struct run *r, int in_flight, int64_t us) {
    struct slot *slots = calloc((size_t)in_flight, sizeof *slots);
    INVARIANT(slots);
    turn(r, slots, in_flight, monotonic_us() + us / 4);
    r->done = 0;
    struct writer_counts before = writer_counts(r->site);
    int64_t began = monotonic_us(), cpu = others_cpu_us();
    turn(r, slots, in_flight, began + us);
    struct writer_counts after = writer_counts(r->site);
    printf("per_second\t%.1f\n", (double)r->done * 1e6 / (double)(monotonic_us() - began));
    printf("group\t%.1f\n", (double)(after.items - before.items) / (double)(after.commits - before.commits));
    printf("writer_cpu_us\t%.1f\n", (double)(others_cpu_us() - cpu) / (double)r->done);
    for (int i = 0; i < in_flight; i++) arena_release(&slots[i].a);
    free(slots);
}

int main(int argc, char **argv) {
    static struct run r;
    static struct world w;
    int64_t in_flight, seconds;
    size_t which = 0;
    struct err e;
    while (argc == 5 && which < COUNT(bodies) && strcmp(bodies[which].command, argv[2]) != 0) which++;
    if (argc != 5 || which == COUNT(bodies) || !str_to_int(str_z(argv[3]), 1, IN_FLIGHT_MOST, &in_flight) || !str_to_int(str_z(argv[4]), 1, 3600, &seconds))
        die(2, "usage: bench-core DIR gate_scan.create|resident.create IN_FLIGHT SECONDS");
    log_quiet(true);
    site_program_init(systems_all);
    if (world_of(argv[1], &w, &e) || site_open(argv[1], &r.site, &e)) fail(argv[1], &e);
    struct areas *t = site_areas(r.site);
    r.grant = (struct grant){role_by_name(STR("headquarters")), t->all[0].path};
    r.actor = (struct actor){.id = id_new(site_now(r.site)), .login = STR("bench"), .name = STR("bench"), .grants = &r.grant, .n = 1};
    struct id *gates = calloc((size_t)world_gates(&w), sizeof *gates);
    INVARIANT(gates);
    for (int64_t i = 0; i < world_gates(&w); i++) gates[i] = world_id(WORLD_GATE, (uint64_t)i);
    const struct form_text text = {"POST", "/", "application/json", bodies[which].body, 0};
    const struct target nobody = {.lang = LANG_EN};
    form_init(&r.form, &text, &nobody, &(struct subject){gates, (size_t)world_gates(&w), &w});
    r.head = (size_t)str_find(buf_str(&r.form.bytes), STR("\r\n\r\n")) + 4;
    measure(&r, (int)in_flight, seconds * US_PER_SECOND);
    form_release(&r.form);
    free(gates);
    areas_drop(t);
    site_close(r.site);
    return 0;
}
