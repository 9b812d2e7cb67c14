/* bench-growth DIR ROWS[+OLD] [ROWS...]: does a scan cost more when there are many?  For each argument a site below DIR is filled with so many scans of the last 28
 * days, and OLD ones before them, which are in the tables of their months; then what a scan costs and what is asked about scans of the last 28 days is measured: in
 * processor time, which neighbours on the machine change least, and in pages that the file's cache did not have: medians of several runs.  The last lines say how
 * much dearer each site is than the first, beside the limit. */
#include "growth.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/figure.h"
#include "core/recent.h"
#include "systems/gates/gates.h"
#include "systems/gates/history.h"
#include "systems/systems.h"

enum { GROUP = 64, GROUPS = 100, ASKED = 200, RUNS = 5, BYTES_OF_PAGE = 4096, LISTED_MOST = 50, SITES_MOST = 8 };
enum { HISTORY, HOUR, NEAR, FIGURES, LISTED, QUIET, DAY, INSERT, WHAT__COUNT };
static const char *const names[WHAT__COUNT] = {"history", "hour", "near", "figures", "list", "quiet", "day", "scan"};
static const double dearer_most = 2;

struct cost {
    double us, pages;
};

static int64_t cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

/* Nothing is mapped (main), so what the cache does not have is read. */
static int64_t bytes_read(void) {
    char text[400];
    int64_t n = 0;
    int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0) close(fd);
    struct str rest = {text, (size_t)MAX(got, (ssize_t)0)}, line, name;
    if (!str_cut(&rest, '\n', &line) || !str_cut(&line, ':', &name) || !str_to_int(str_trim(line), 0, INT64_MAX, &n)) die(1, "bench-growth: /proc/self/io cannot be read");
    return n;
}

/* ---- what is measured ---- */

struct scans {
    struct write_item item;
    struct growth *g;
};

static int scans_run(struct tx *tx, struct write_item *item, struct err *e) {
    tx_as(tx, &actor_system, "gate_scan.create", &gate_scan_kind, "create");
    for (int64_t i = 0; i < GROUP; i++) TRY(growth_scan(tx, ((struct scans *)item)->g, i, e));
    return 0;
}

static struct str path_of(struct growth *g, struct arena *a, const char *code) {
    struct areas *t = site_areas(g->s);
    struct str path = arena_str(a, areas_by_code(t, str_z(code))->path);
    areas_drop(t);
    return path;
}

static int64_t live_time(struct growth *g, int64_t length) {
    return g->since + growth_pick(g, g->now - g->since - length);
}

static int figures(struct growth *g, const struct gates_ask *q, struct err *e) {
    static const char *const ids[] = {"gate.persons", "gate.vehicles", "gate.turned_back", "gate.febrile"};
    struct figure_value v;
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct figure_query f = {.figure = figure_by_id(str_z(ids[i])), .path = path_of(g, q->a, "top"), .from = site_today(g->s), .to = site_today(g->s)};
        TRY(figure_value(q->db, g->s, q->a, &f, &v, e));
    }
    return 0;
}

static int hour(struct growth *g, struct gates_ask q, bool near, struct err *e) {
    struct gates_passages p, with;
    q.from = live_time(g, 3600 * US_PER_SECOND);
    q.to = q.from + 3600 * US_PER_SECOND;
    TRY(gates_hour(&q, growth_gate(growth_pick(g, g->gates)), &p, e));
    return near && p.n ? gates_near(&q, &p.all[0], GATES_NEAR_MINUTES, &with, e) : 0;
}

static int history(struct growth *g, struct gates_ask q, struct err *e) {
    struct gates_passages p;
    q.to = g->now;
    q.from = g->since;
    return gates_history(&q, gates_traced("pass"), growth_pass(q.a, growth_pick(g, g->people)), &p, e);
}

/* The scans behind a gate's figure of a day. */
static int day(struct growth *g, const struct gates_ask *q, struct err *e) {
    char id[ID_TEXT];
    struct figure_cursor at = {.path = STR("")};
    struct record *found;
    size_t n;
    day_t on = tz_day(g->s->tz, live_time(g, US_PER_DAY));
    struct figure_query f = {.figure = figure_by_id(STR("gate.persons_by_gate")), .path = path_of(g, q->a, "top"), .from = on, .to = on, .n = 1};
    f.dims[0] = (struct dim){STR("gate"), arena_str(q->a, str_z(id_text(growth_gate(growth_pick(g, g->gates)), id)))};
    return figure_rows(q->db, g->s, q->a, &f, &at, LISTED_MOST, &found, &n, e);
}

static int read_rows(const struct gates_ask *q, struct rows *rows, struct err *e) {
    struct record r;
    int got;
    while ((got = rows_next(rows, e)) == 1) record_read(q->a, &gate_scan_kind, rows, &r);
    rows_done(rows);
    return got;
}

/* The newest of all places. */
static int list(struct growth *g, const struct gates_ask *q, struct err *e) {
    struct rows *rows;
    struct id last;
    memset(last.b, 0xff, sizeof last.b);
    TRY(db_query(q->db, &kind_sql(&gate_scan_kind)->newest, &rows, e, VINT(g->s->id), VID(last), VINT(LISTED_MOST)));
    return read_rows(q, rows, e);
}

/* Those of one area, as the interface reads on: through its gates. */
static int quiet(struct growth *g, const struct gates_ask *q, struct err *e) {
    struct recent of = {.kind = &gate_scan_kind, .before = INT64_MAX};
    struct record **found;
    size_t n;
    memset(of.before_id.b, 0xff, sizeof of.before_id.b);
    TRY(log_places_in(q->db, g->s->id, q->a, of.kind, path_range(q->a, path_of(g, q->a, GROWTH_QUIET)), SIZE_MAX, &of.places, &of.places_n, e));
    TRY(recent_rows(q->db, g->s->id, q->a, &of, LISTED_MOST, &found, &n, e));
    INVARIANT(n > 0);
    return 0;
}

static int ask(struct growth *g, int what, const struct gates_ask *q, struct err *e) {
    switch (what) {
    case HISTORY: return history(g, *q, e);
    case FIGURES: return figures(g, q, e);
    case LISTED: return list(g, q, e);
    case QUIET: return quiet(g, q, e);
    case DAY: return day(g, q, e);
    default: return hour(g, *q, what == NEAR, e);
    }
}

static void ask_once(struct growth *g, int what) {
    struct arena a CLEANUP(arena_release) = {0};
    struct gates_ask q = {.site = g->s, .a = &a, .actor = &actor_system, .limit = LISTED_MOST};
    struct err e;
    if (site_reader(g->s, &q.db, &e) || ask(g, what, &q, &e)) growth_fail(names[what], &e);
    site_reader_done(g->s, q.db);
}

static struct cost run_once(struct growth *g, int what) {
    struct scans x = {.item = {.run = scans_run}, .g = g};
    int64_t n = what == INSERT ? GROUPS : ASKED, bytes = bytes_read(), began = cpu_us();
    for (int64_t i = 0; i < n; i++) {
        if (what == INSERT) g->s->clock.fixed_us = MAX(g->s->clock.fixed_us, g->newest) + (g->now - g->since) * GROUP / g->live;
        if (what == INSERT) growth_run(g, names[what], &x.item);
        else ask_once(g, what);
    }
    double each = (double)(what == INSERT ? n * GROUP : n);
    return (struct cost){(double)(cpu_us() - began) / each, (double)(bytes_read() - bytes) / BYTES_OF_PAGE / each};
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct measured {
    struct growth g;
    const char *name;
    struct cost each[WHAT__COUNT][RUNS + 1], of[WHAT__COUNT];
};

static double median(const double *v) {
    double sorted[RUNS];
    memcpy(sorted, v, sizeof sorted);
    qsort(sorted, RUNS, sizeof *sorted, by_size);
    return sorted[RUNS / 2];
}

static void settle(struct measured *m, int what) {
    double us[RUNS], pages[RUNS];
    for (int i = 0; i < RUNS; i++) {
        us[i] = m->each[what][i + 1].us;
        pages[i] = m->each[what][i + 1].pages;
    }
    m->of[what] = (struct cost){median(us), median(pages)};
}

/* All sites in turn, after a run to be warm, so that what else the machine does meets each. */
static void measure(struct measured *all, int n, int what) {
    for (int run = 0; run <= RUNS; run++)
        for (int i = 0; i < n; i++) all[i].each[what][run] = run_once(&all[i].g, what);
    for (int i = 0; i < n; i++) settle(&all[i], what);
}

/* ---- the table ---- */

static void show(const struct measured *m) {
    printf("%20s", m->name);
    for (int what = 0; what < WHAT__COUNT; what++) printf(" %8.1f %6.1f", m->of[what].us, m->of[what].pages);
    printf("\n");
}

static bool show_dearer(const struct measured *first, const struct measured *m) {
    bool right = true;
    printf("%20s", "dearer");
    for (int what = 0; what < WHAT__COUNT; what++) {
        double times[RUNS];
        for (int i = 0; i < RUNS; i++) times[i] = m->each[what][i + 1].us / first->each[what][i + 1].us;
        printf(" %8.2f %6s", median(times), "");
        right &= median(times) <= dearer_most;
    }
    printf("   at most %.2f\n", dearer_most);
    return right;
}

static struct growth parse(const char *text) {
    struct str rest = str_z(text), live;
    int64_t n, old = 0;
    bool right = str_cut(&rest, '+', &live) && str_to_int(live, 10000, INT64_C(1000000000), &n);
    if (!right || (rest.n && !str_to_int(rest, 0, INT64_C(1000000000), &old))) die(2, "bench-growth: %s is no number of scans from 10000 on, nor two with + between", text);
    return growth_of(n, old);
}

int main(int argc, char **argv) {
    static struct measured all[SITES_MOST];
    char path[600];
    int n = argc - 2;
    bool right = true;
    if (n < 1 || n > SITES_MOST) die(2, "usage: bench-growth DIR ROWS[+OLD] [ROWS...]");
    if (getenv("LF_DB") || getenv("LF_CLOCK")) die(2, "bench-growth: fills files, by a clock of its own: take LF_DB and LF_CLOCK away");
    sqlite3_config(SQLITE_CONFIG_MMAP_SIZE, (sqlite3_int64)0, (sqlite3_int64)0);
    site_program_init(systems_all);
    for (int i = 0; i < n; i++) {
        all[i].name = argv[i + 2];
        all[i].g = parse(all[i].name);
        snprintf(path, sizeof path, "%s/%s", argv[1], all[i].name);
        growth_open(&all[i].g, path);
    }
    for (int what = 0; what < WHAT__COUNT; what++) measure(all, n, what);
    printf("%20s", "scans");
    for (int what = 0; what < WHAT__COUNT; what++) printf(" %8s %6s", names[what], "pages");
    printf("   processor us each\n");
    for (int i = 0; i < n; i++) show(&all[i]);
    for (int i = 1; i < n; i++) right &= show_dearer(&all[0], &all[i]);
    for (int i = 0; i < n; i++) site_close(all[i].g.s);
    return !right;
}
