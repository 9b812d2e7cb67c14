/* bench-growth DIR ROWS [ROWS...]: does a scan cost more when there are many?  For each number a site below DIR is filled with so many scans of the last 28
 * days; then what a scan, somebody's history, a gate's hour, who passed together and the dashboard's figures cost is measured in processor time, which
 * neighbours on the machine change least.  The last line says how much dearer the last number is than the first, beside its limit. */
#include <time.h>

#include "base/log.h"
#include "core/figure.h"
#include "core/tx.h"
#include "core/writer.h"
#include "systems/gates/gates.h"
#include "systems/gates/history.h"
#include "systems/systems.h"

enum { PER_GATE = 500, PER_PERSON = 50, FILL = 1000, GROUP = 64, GROUPS = 200, ASKED = 300, DAYS = 28 };
enum { INSERT, HISTORY, HOUR, NEAR, FIGURES, WHAT__COUNT };
static const char *const names[WHAT__COUNT] = {"scan", "history", "hour", "near", "figures"};
static const double dearer_most = 2;

struct world {
    struct site *s;
    struct id *gates; /* as many as there are rows for: an answer is as long whatever the number */
    int64_t gates_n, people, begun;
    char top[AREA_PATH];
    uint64_t random;
};
struct some {
    struct write_item item;
    struct world *w;
    int64_t n;
};

static void NORETURN fail(const char *what, const struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    err_text(e, LANG_EN, &b);
    die(1, "bench-growth: %s: %s %s", what, e->field, b.p);
}

static int64_t pick(struct world *w, int64_t n) {
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((w->random >> 16) % (uint64_t)n);
}

static int64_t cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

static struct str phone(struct arena *a, int64_t i) {
    return str_z(arena_printf(a, "138%08lld", (long long)i));
}

/* ---- scans ---- */

static int scans_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct some *x = (struct some *)item;
    tx_as(tx, &actor_system, "gate_scan.create", &gate_scan_kind, "create");
    for (int64_t i = 0; i < x->n; i++) {
        struct record *r = record_new(tx->a, &gate_scan_kind);
        struct errs errs = {.n = 0};
        *record_val(r, "gate") = VID(x->w->gates[pick(x->w, x->w->gates_n)]);
        record_set_int(r, "seen_at", tx->now - pick(x->w, 60 * US_PER_SECOND));
        record_set_text(r, "what", pick(x->w, 4) ? STR("person") : STR("vehicle"));
        record_set_text(r, "phone", phone(tx->a, pick(x->w, x->w->people)));
        if (pick(x->w, 4) == 0) record_set_text(r, "plate", str_z(arena_printf(tx->a, "晋A%05lld", (long long)pick(x->w, 100000))));
        TRY(tx_create(tx, r, &errs, e));
    }
    return 0;
}

static void scans(struct world *w, int64_t n) {
    struct some x = {.item = {.run = scans_run}, .w = w, .n = n};
    struct err e;
    if (writer_run(w->s, &x.item, &e)) fail("scans", &e);
}

/* ---- the site ---- */

static int gates_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct some *x = (struct some *)item;
    struct areas *t = site_areas(tx->site);
    struct id area = t->all[0].id;
    areas_drop(t);
    for (int64_t i = 0; i < x->n; i++) {
        struct record *r = record_new(tx->a, &gate_kind);
        struct errs errs = {.n = 0};
        tx_as(tx, &actor_system, "gate.create", &gate_kind, "create");
        r->area = area;
        record_set_text(r, "name", str_z(arena_printf(tx->a, "卡点%lld", (long long)i)));
        record_set_text(r, "code", str_z(arena_printf(tx->a, "G%lld", (long long)i)));
        record_set_text(r, "kind_of", STR("road"));
        TRY(tx_create(tx, r, &errs, e));
        x->w->gates[i] = r->id;
    }
    return 0;
}

static void site_make(struct world *w, const char *dir, int64_t rows) {
    struct some x = {.item = {.run = gates_run}, .w = w, .n = rows / PER_GATE};
    struct err e;
    if (site_create(dir, &(struct site_options){.code = "top", .level = "county"}, &e) || site_open(dir, &w->s, &e)) fail(dir, &e);
    w->begun = day_make(2022, 1, 1) * US_PER_DAY;
    w->s->clock.fixed_us = w->begun;
    w->people = rows / PER_PERSON;
    w->gates_n = x.n;
    w->gates = calloc((size_t)x.n, sizeof *w->gates);
    INVARIANT(w->gates);
    if (writer_run(w->s, &x.item, &e)) fail("gates", &e);
    struct areas *t = site_areas(w->s);
    snprintf(w->top, sizeof w->top, "%.*s", STR_FMT(t->all[0].path));
    areas_drop(t);
}

static void site_fill(struct world *w, int64_t rows) {
    for (int64_t done = 0; done < rows; done += FILL) {
        w->s->clock.fixed_us = w->begun + (int64_t)((double)DAYS * (double)US_PER_DAY * (double)done / (double)rows);
        scans(w, FILL);
    }
}

/* ---- what is measured ---- */

static void figures(struct world *w, const struct gates_ask *q) {
    static const char *const ids[] = {"gate.persons", "gate.vehicles", "gate.turned_back", "gate.febrile"};
    struct figure_value v;
    struct err e;
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct figure_query f = {.figure = figure_by_id(str_z(ids[i])), .path = str_z(w->top), .from = site_today(w->s), .to = site_today(w->s)};
        if (figure_value(q->db, w->s, q->a, &f, &v, &e)) fail(ids[i], &e);
    }
}

static void hour(struct world *w, struct gates_ask q, bool near) {
    struct gates_passages p, with;
    struct err e;
    q.from = w->begun + pick(w, (DAYS - 1) * US_PER_DAY);
    q.to = q.from + 3600 * US_PER_SECOND;
    if (gates_hour(&q, w->gates[pick(w, w->gates_n)], &p, &e)) fail("hour", &e);
    if (near && p.n && gates_near(&q, &p.all[0], GATES_NEAR_MINUTES, &with, &e)) fail("near", &e);
}

static void history(struct world *w, struct gates_ask q) {
    struct gates_passages p;
    struct err e;
    q.to = w->s->clock.fixed_us + US_PER_DAY;
    q.from = q.to - GATES_HISTORY_DAYS * US_PER_DAY;
    if (gates_history(&q, gates_traced("phone"), phone(q.a, pick(w, w->people)), &p, &e)) fail("history", &e);
}

static void ask(struct world *w, int what) {
    for (int i = 0; i < ASKED; i++) {
        struct arena a CLEANUP(arena_release) = {0};
        struct gates_ask q = {.site = w->s, .a = &a, .actor = &actor_system, .limit = 50};
        struct err e;
        if (site_reader(w->s, &q.db, &e)) fail("reader", &e);
        if (what == HISTORY) history(w, q);
        else if (what == FIGURES) figures(w, &q);
        else hour(w, q, what == NEAR);
        site_reader_done(w->s, q.db);
    }
}

static double cost(struct world *w, int what) {
    int64_t began = cpu_us();
    for (int i = 0; what == INSERT && i < GROUPS; i++) scans(w, GROUP);
    if (what != INSERT) ask(w, what);
    return (double)(cpu_us() - began) / (what == INSERT ? GROUPS * GROUP : ASKED);
}

static void measure(const char *dir, int64_t rows, double us[WHAT__COUNT]) {
    struct world w = {.random = 1};
    site_make(&w, dir, rows);
    site_fill(&w, rows);
    printf("%10lld", (long long)rows);
    for (int what = 0; what < WHAT__COUNT; what++) {
        cost(&w, what); /* once to be warm */
        us[what] = cost(&w, what);
        printf(" %9.1f", us[what]);
        fflush(stdout);
    }
    printf("\n");
    free(w.gates);
    site_close(w.s);
}

int main(int argc, char **argv) {
    double first[WHAT__COUNT], last[WHAT__COUNT];
    bool right = true;
    char dir[600];
    int64_t rows;
    if (argc < 3) die(2, "usage: bench-growth DIR ROWS [ROWS...]");
    log_quiet(true);
    site_program_init(systems_all);
    printf("      rows");
    for (int what = 0; what < WHAT__COUNT; what++) printf(" %9s", names[what]);
    printf("   processor us each\n");
    for (int i = 2; i < argc; i++) {
        if (!str_to_int(str_z(argv[i]), 10 * FILL, INT64_C(1000000000), &rows)) die(2, "bench-growth: %s is no number of rows from 10000 on", argv[i]);
        snprintf(dir, sizeof dir, "%s/%s", argv[1], argv[i]);
        measure(dir, rows, i == 2 ? first : last);
    }
    if (argc == 3) return 0;
    printf("    dearer");
    for (int what = 0; what < WHAT__COUNT; what++) {
        printf(" %9.2f", last[what] / first[what]);
        right &= last[what] <= dearer_most * first[what];
    }
    printf("   at most %.2f\n", dearer_most);
    return !right;
}
