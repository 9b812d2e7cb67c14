#include "bench/bench.h"

#include <errno.h>
#include <ftw.h>
#include <unistd.h>

#include "base/day.h"
#include "bench/generator.h"
#include "bench/limit.h"
#include "json/json.h"

enum { RUNS_MOST = 50, BODY_MOST = 32 << 20, GATES_MOST = 500 };

static void say(const struct bench *b, const char *what, int64_t done, int64_t all) {
    if (b->o.say) b->o.say(b->o.say_arg, what, done, all);
}

/* ---- a site of its own ---- */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)st;
    (void)flag;
    (void)at;
    remove(path);
    return 0;
}

/* The keeper's work, when all others have ended. */
static void clear(const char *dir) {
    char site[640], address[SITE_ADDRESS];
    struct err ignored;
    snprintf(site, sizeof site, "%s/site", dir);
    if (site_is_there(site)) {
        if (site_address(site, NULL, address, &ignored) == 0 && db_is_server(address)) raw_clear(address);
        site_take_back(site);
    }
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int make_folder(struct bench *b, struct err *e) {
    const char *tmp = getenv("TMPDIR");
    snprintf(b->dir, sizeof b->dir, "%s/lianfang-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(b->dir)) {
        err_set(e, ERR_IO, NULL, M_FILE, b->dir, strerrordesc_np(errno));
        b->dir[0] = 0;
        return -1;
    }
    snprintf(b->site, sizeof b->site, "%s%s", b->o.keep ? b->o.keep : b->dir, b->o.keep ? "" : "/site");
    return keeper_start(clear, b->dir, &b->keeper, e);
}

struct made {
    struct world world;
    char token[TOKEN_TEXT];
};

/* In a process of its own: this one never has a thread, so it can go on forking. */
static int make_site(const void *arg, void *ret, struct err *e) {
    const struct bench *b = arg;
    struct made *m = ret;
    const struct world_watch watch = {b->o.say, b->o.say_arg};
    TRY(world_build(b->site, b->o.db, &b->o.world, &watch, &m->world, e));
    return world_token(b->site, NULL, m->token, e);
}

static int gates_of_world(struct bench *b) {
    b->gates_n = (size_t)world_gates(&b->world);
    b->gates = calloc(b->gates_n, sizeof *b->gates);
    INVARIANT(b->gates);
    for (size_t i = 0; i < b->gates_n; i++) b->gates[i] = world_id(WORLD_GATE, i);
    return 0;
}

static int begin_own(struct bench *b, struct err *e) {
    struct made made = {.token = ""};
    char log[700], url[64];
    TRY(make_folder(b, e));
    TRY(process_run(make_site, b, &made, sizeof made, e));
    b->world = made.world;
    TRY(site_address(b->site, NULL, b->address, e));
    snprintf(log, sizeof log, "%s/serve.log", b->dir);
    const char *const argv[] = {"lianfang", "serve", b->site, "--port", "0", NULL};
    TRY(service_exec(argv, log, &b->server, e));
    snprintf(url, sizeof url, "http://127.0.0.1:%d", b->server.port);
    gates_of_world(b);
    return target_from(url, &(struct target_as){.token = made.token, .lang = b->o.lang}, &b->to, e);
}

/* ---- somebody else's ---- */

static int ask_json(struct bench *b, struct arena *a, const char *path, struct json **ret, struct err *e) {
    struct buf body CLEANUP(buf_release) = BUF(BODY_MOST);
    TRY(target_get(&b->to, path, &body, e));
    return json_parse(a, arena_str(a, buf_str(&body)), NULL, ret, e);
}

static int may_scan(struct bench *b, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct json *session;
    TRY(ask_json(b, &a, "/api/v1/session", &session, e));
    const struct json *may = json_get(session, "may");
    for (const struct json *m = may ? may->first : NULL; m; m = m->next)
        if (str_eqz(m->text, "gate_scan.create")) return 0;
    return err_set(e, ERR_FORBIDDEN, "--token", M_NOT_ALLOWED, "gate_scan.create");
}

/* The gates that the token may write to. */
static int find_gates(struct bench *b, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct json *list;
    if (b->gates_n) return 0;
    TRY(may_scan(b, e));
    TRY(ask_json(b, &a, "/api/v1/gate?limit=500", &list, e));
    const struct json *records = json_get(list, "records");
    b->gates = calloc(GATES_MOST, sizeof *b->gates);
    INVARIANT(b->gates);
    for (const struct json *r = records ? records->first : NULL; r && b->gates_n < GATES_MOST; r = r->next)
        if (id_parse(json_text(r, "id"), &b->gates[b->gates_n])) b->gates_n++;
    return b->gates_n ? 0 : err_set(e, ERR_NOT_FOUND, "gate", M_OUTSIDE_AREA);
}

static int begin_foreign(struct bench *b, struct err *e) {
    struct buf body CLEANUP(buf_release) = BUF(BODY_MOST);
    TRY(target_from(b->o.url, &(struct target_as){b->o.token, b->o.ca, b->o.lang}, &b->to, e));
    TRY(target_get(&b->to, "/healthz", &body, e));
    return target_get(&b->to, "/api/v1/session", &body, e);
}

int bench_begin(struct bench *b, const struct bench_options *o, struct err *e) {
    *b = (struct bench){.o = *o};
    return o->url ? begin_foreign(b, e) : begin_own(b, e);
}

void bench_end(struct bench *b) {
    free(b->gates);
    target_release(&b->to);
    service_end(&b->server);
    keeper_end(&b->keeper);
    *b = (struct bench){.gates = NULL};
}

/* ---- what the server says of itself ---- */

static int64_t metric(struct str text, struct str name) {
    struct str line, word;
    int64_t v;
    while (str_cut(&text, '\n', &line))
        if (str_cut(&line, ' ', &word) && str_eq(word, name) && str_to_int(str_trim(line), 0, INT64_MAX, &v)) return v;
    return 0;
}

struct before {
    int64_t commits, cpu_us;
};

static struct before look(const struct bench *b) {
    struct buf body CLEANUP(buf_release) = BUF(BODY_MOST);
    struct err ignored;
    struct before now = {.cpu_us = b->server.pid ? service_cpu_us(&b->server) : 0};
    if (target_get(&b->to, "/metrics", &body, &ignored) == 0) now.commits = metric(buf_str(&body), STR("lianfang_writer_commits_total"));
    return now;
}

/* ---- raw rows: after each run, so that what else the machine does meets both ---- */

struct raws {
    int n; /* those that could be measured */
    struct raw_result all[RUNS_MOST];
};

static int measure_raw(const struct bench *b, const char *kind, double group, struct raws *raws, struct err *e) {
    const struct raw_plan plan = {.dir = b->site, .address = b->address, .kind = kind, .log = kind_by_name(str_z(kind))->flags & KIND_LOG,
                                  .group = MAX((int)(group + 0.5), 1), .run_us = MAX(b->o.run_us, US_PER_SECOND / 5)};
    struct raw_result *r = &raws->all[raws->n];
    int failed = raw_run(&plan, r, e);
    if (failed) return e->code == ERR_STATE ? 0 : failed;
    raws->n += r->rows > 0;
    return 0;
}

static double raw_rate(const struct raw_result *r) {
    return (double)r->rows * 1e6 / (double)MAX(r->us, 1);
}

static int by_rate(const void *a, const void *b) {
    double x = raw_rate(a), y = raw_rate(b);
    return (x > y) - (x < y);
}

static void tell_raw(struct raws *raws, struct bench_result *ret) {
    if (raws->n == 0) return;
    qsort(raws->all, (size_t)raws->n, sizeof *raws->all, by_rate);
    const struct raw_result *r = &raws->all[raws->n / 2];
    ret->raw_per_second = raw_rate(r);
    ret->raw_cpu_us = (double)r->cpu_us / (double)r->rows;
}

/* ---- a part of a load ---- */

struct part_run {
    struct bench *b;
    const struct load *load;
    const struct load_part *part;
    struct form_text text;
    struct subject subject;
    struct generator_plan plan;
    int lines;
    int64_t answer_bytes;
};
struct one_run {
    struct generator_result r;
    double group, server_cpu_us;
};

/* A server that is over its capacity is asked again for some seconds. */
static int ask_patiently(const struct target *to, struct str request, struct buf *body, int *ret_status, struct err *e) {
    enum { TIMES = 100, PAUSE_US = 100000 };
    for (int i = 0; i < TIMES; i++) {
        if (i) usleep(PAUSE_US);
        TRY(target_ask(to, request, body, ret_status, e));
        if (*ret_status != 503 && *ret_status != 429) break;
    }
    return 0;
}

/* One request ahead, whose answer is looked at: of the others only the status is. */
static int try_once(struct part_run *p, struct err *e) {
    struct form form;
    struct buf body CLEANUP(buf_release) = BUF(BODY_MOST);
    int status;
    form_init(&form, &p->text, &p->b->to, &p->subject);
    form_fill(&form, form.bytes.p);
    int r = ask_patiently(&p->b->to, buf_str(&form.bytes), &body, &status, e);
    form_release(&form);
    if (r) return r;
    if (status != 200) return answer_error(status, buf_str(&body), p->b->to.url, e);
    p->answer_bytes = (int64_t)body.n;
    struct str rest = buf_str(&body), line;
    while (p->text.lines && str_cut(&rest, '\n', &line))
        if (line.n && str_find(line, STR("\"record\":")) < 0) return answer_error(422, line, p->b->to.url, e);
    return 0;
}

static double each(const struct part_run *p, int64_t answered, int64_t us) {
    return us > 0 ? (double)answered * p->lines * 1e6 / (double)us : 0;
}

/* What HTTP alone can do: a server that answers at once with as many bytes; on a foreign address its own /healthz. */
static int measure_http(struct part_run *p, struct bench_result *ret, struct err *e) {
    static const struct form_text health = {"GET", "/healthz", NULL, NULL, 0};
    struct generator_plan plan = p->plan;
    struct generator_result r;
    struct service bare = {0};
    struct target to = p->b->to;
    char url[64];
    if (p->b->o.url) {
        plan.text = &health;
    } else {
        TRY(bare_start((struct bare){p->answer_bytes, plan.connections}, &bare, e));
        snprintf(url, sizeof url, "http://127.0.0.1:%d", bare.port);
        if (target_from(url, &(struct target_as){.token = p->b->to.token, .lang = p->b->o.lang}, &to, e)) return service_end(&bare), -1;
        plan.to = &to;
    }
    int failed = generator_run(&plan, &r, e);
    service_end(&bare);
    if (failed == 0) ret->http_per_second = each(p, r.answered, r.us) / (p->b->o.url ? p->lines : 1);
    return failed;
}

static int run_once(struct part_run *p, struct one_run *ret, struct err *e) {
    struct before before = look(p->b);
    TRY(generator_run(&p->plan, &ret->r, e));
    struct before after = look(p->b);
    double units = (double)ret->r.all * p->lines;
    int64_t commits = after.commits - before.commits;
    ret->group = p->part->kind && commits > 0 ? units / (double)commits : 0;
    ret->server_cpu_us = p->b->server.pid && units > 0 ? (double)(after.cpu_us - before.cpu_us) / units : 0;
    return 0;
}

static int warm_up(const struct part_run *p, struct err *e) {
    struct generator_plan plan = p->plan;
    struct generator_result ignored;
    plan.run_us = p->b->o.warm_us;
    return plan.run_us ? generator_run(&plan, &ignored, e) : 0;
}

static int by_answers(const void *a, const void *b) {
    int64_t x = ((const struct one_run *)a)->r.answered, y = ((const struct one_run *)b)->r.answered;
    return (x > y) - (x < y);
}

static void tell(const struct part_run *p, const struct one_run *run, struct bench_result *ret) {
    const struct generator_result *r = &run->r;
    ret->units = r->answered * p->lines;
    ret->per_second = each(p, r->answered, r->us);
    ret->refused_per_second = each(p, r->refused, r->us);
    ret->p50_ms = (double)r->p50_us / 1000;
    ret->p99_ms = (double)r->p99_us / 1000;
    ret->most_ms = (double)r->most_us / 1000;
    ret->group = run->group;
    ret->server_cpu_us = run->server_cpu_us;
    ret->generator_cpu_us = ret->units ? (double)r->cpu_us / (double)ret->units : 0;
    ret->memory_mb = p->b->server.pid ? (double)service_memory_kb(&p->b->server) / 1024 : 0;
}

static int run_part(struct part_run *p, struct bench_result *ret, struct err *e) {
    struct one_run runs[RUNS_MOST];
    struct raws raws = {.n = 0};
    bool rows = p->part->kind && !p->b->o.url;
    int n = MIN(p->b->o.runs, RUNS_MOST);
    TRY(try_once(p, e));
    say(p->b, p->load->name, 0, n);
    TRY(measure_http(p, ret, e));
    TRY(warm_up(p, e));
    for (int i = 0; i < n; i++) {
        TRY(run_once(p, &runs[i], e));
        if (rows) TRY(measure_raw(p->b, p->part->kind, runs[i].group, &raws, e));
        say(p->b, p->load->name, i + 1, n);
    }
    qsort(runs, (size_t)n, sizeof *runs, by_answers);
    tell(p, &runs[n / 2], ret);
    tell_raw(&raws, ret);
    return 0;
}

/* ---- import ---- */

static int import_once(struct bench *b, struct process_cost *ret, struct err *e) {
    char roster[700], out[700], said[4096] = "";
    const char *const argv[] = {"lianfang", "import", b->site, "resident", roster, "--json", NULL};
    snprintf(roster, sizeof roster, "%s/roster.xlsx", b->dir);
    snprintf(out, sizeof out, "%s/import.json", b->dir);
    TRY(world_roster(roster, &b->world, clock_now(&(struct clock){0}) / 1000 % 2000000000 * 10, b->o.rows, e));
    TRY(process_exec(argv, out, ret, e));
    FILE *f = fopen(out, "r");
    if (f && !fgets(said, sizeof said, f)) said[0] = 0;
    if (f) fclose(f);
    return strstr(said, "\"refused\":0,") ? 0 : err_set(e, ERR_CONFLICT, "import", M_TEXT, said);
}

static int by_time(const void *a, const void *b) {
    int64_t x = ((const struct process_cost *)a)->us, y = ((const struct process_cost *)b)->us;
    return (x > y) - (x < y);
}

/* From start to exit of the program: reading, matching, sealing, journal, tallies; each run with people of its own. */
static int import_roster(struct bench *b, struct bench_result *ret, struct err *e) {
    enum { IMPORT_GROUP = 1000 };
    struct process_cost runs[RUNS_MOST];
    struct raws raws = {.n = 0};
    int n = MIN(b->o.runs, RUNS_MOST);
    for (int i = 0; i < n; i++) {
        say(b, "import", i, n);
        TRY(import_once(b, &runs[i], e));
        TRY(measure_raw(b, "resident", IMPORT_GROUP, &raws, e));
    }
    qsort(runs, (size_t)n, sizeof *runs, by_time);
    const struct process_cost *run = &runs[n / 2];
    ret->units = b->o.rows;
    ret->per_second = (double)b->o.rows * 1e6 / (double)MAX(run->us, 1);
    ret->server_cpu_us = (double)run->cpu_us / (double)b->o.rows;
    ret->group = IMPORT_GROUP;
    tell_raw(&raws, ret);
    return 0;
}

/* ---- */

int bench_load(struct bench *b, const struct load *l, int connections, struct bench_result *ret, size_t *ret_n, struct err *e) {
    bool counted = connections && !(l->flags & LOAD_ALONE);
    if (b->o.url && l->flags & LOAD_WRITES) TRY(find_gates(b, e));
    *ret_n = 0;
    if (l->n == 0) {
        ret[0] = (struct bench_result){.load = l->name, .connections = 1, .lines = 1};
        TRY(import_roster(b, &ret[0], e));
        return *ret_n = 1, 0;
    }
    for (size_t i = 0; i < l->n; i++) {
        struct part_run p = {.b = b, .load = l, .part = &l->parts[i], .subject = {b->gates, b->gates_n, b->o.url ? NULL : &b->world}};
        p.text = p.part->text;
        if (b->o.url && p.part->foreign_body) p.text.body = p.part->foreign_body;
        p.lines = MAX(p.text.lines, 1);
        p.plan = (struct generator_plan){&b->to, &p.subject, &p.text, counted ? connections : l->connections, MIN(b->o.run_us / 4, US_PER_SECOND), b->o.run_us};
        ret[i] = (struct bench_result){.load = l->name, .part = p.part->name, .connections = p.plan.connections, .lines = p.lines};
        TRY(run_part(&p, &ret[i], e));
        ++*ret_n;
    }
    return 0;
}
