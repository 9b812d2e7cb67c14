/* bench: load on a site of its own or on any address, each figure beside its limit. */
#include "cli/cmd_bench.h"

#include <signal.h>
#include <sys/vfs.h>

static const struct cli_option options[] = {
    {"url", "http[s]://HOST:PORT", {"测试这个地址上的服务（默认：在临时目录中新建一个站点）", "Measure the server at this address (default: a site of its own in a temporary folder)"}, false},
    {"token", "TOKEN", {"该服务的访问令牌（lianfang user DIR token）", "A token for it (lianfang user DIR token)"}, false},
    {"ca", "FILE", {"https：信任的证书（默认为系统的；自制证书为 DIR/tls.crt）", "https: certificates to trust (default: the system's; a self-made one is DIR/tls.crt)"}, false},
    {"yes", NULL, {"同意向 --url 的站点写入测试数据", "Agree that rows are written into the site at --url"}, false},
    {"connections", "N", {"同时的连接数；可多次给出", "Connections at a time; may be given several times"}, true},
    {"seconds", "N", {"每轮秒数，可为小数（默认 5）", "Seconds of one run, fractions too (default 5)"}, false},
    {"warm-up", "N", {"测量前先加载的秒数（默认 0；出入证以百万计时宜为 20）", "Seconds of load before it is measured (default 0; 20 with millions of passes)"}, false},
    {"runs", "N", {"轮数，取中位（默认 3）", "Runs, of which the median is shown (default 3)"}, false},
    {"passes", "N", {"自建站点的出入证数（默认 20000）", "Passes in the site of its own (default 20000)"}, false},
    {"scans", "N", {"自建站点已有的过卡登记数（默认 20000）", "Gate scans that are there already (default 20000)"}, false},
    {"residents", "N", {"自建站点的居民数（默认 1000）", "Residents in it (default 1000)"}, false},
    {"rows", "N", {"import 的名册人数（默认 20000）", "import: people in the roster (default 20000)"}, false},
    {"keep", "DIR", {"自建站点放在这里并保留；已有则接着用", "Makes its own site here and leaves it; uses the one that is there"}, false},
    {"db", "postgres://...", {"自建站点的数据库（默认为文件）", "Database of its own site (default: a file)"}, false},
    {"out", "FILE", {"除表格外，把结果以 JSON 写入文件", "Beside the table, writes the results to a file as JSON"}, false},
};

/* ---- what is asked ---- */

static int read_seconds(const struct cli *c, int64_t *ret_us, struct err *e) {
    const char *v = cli_value(c, "seconds");
    double seconds = 5;
    if (v && !str_to_real(str_z(v), 0.05, 3600, &seconds)) return err_set(e, ERR_USAGE, "--seconds", M_RANGE, "0.05", "3600");
    *ret_us = (int64_t)(seconds * 1e6);
    return 0;
}

static int read_options(struct cli *c, struct bench_options *o, struct err *e) {
    int64_t runs, warm;
    o->url = cli_value(c, "url");
    o->token = cli_value(c, "token");
    o->ca = cli_value(c, "ca");
    o->keep = cli_value(c, "keep");
    o->db = cli_value(c, "db");
    if (o->url && !o->token) return err_set(e, ERR_USAGE, "--token", M_REQUIRED);
    if (!o->url && o->token) return err_set(e, ERR_USAGE, "--url", M_REQUIRED);
    if (o->url && (o->keep || o->db)) return err_set(e, ERR_USAGE, o->keep ? "--keep" : "--db", M_TEXT, "--url");
    TRY(read_seconds(c, &o->run_us, e));
    TRY(cli_int(c, "warm-up", 0, 3600, 0, &warm, e));
    TRY(cli_int(c, "runs", 1, 50, 3, &runs, e));
    TRY(cli_int(c, "rows", 1, 1000000, 20000, &o->rows, e));
    TRY(cli_int(c, "passes", 1, 20000000, 20000, &o->world.passes, e));
    TRY(cli_int(c, "scans", 0, 1000000000, 20000, &o->world.scans, e));
    TRY(cli_int(c, "residents", 0, 10000000, 1000, &o->world.residents, e));
    o->runs = (int)runs;
    o->warm_us = warm * US_PER_SECOND;
    return 0;
}

enum { LOADS_MOST = 16, COUNTS_MOST = 8, RESULTS_MOST = LOADS_MOST * COUNTS_MOST * BENCH_PARTS_MOST };
struct wanted {
    const struct load *loads[LOADS_MOST];
    size_t loads_n;
    int connections[COUNTS_MOST]; /* none: as each load wants */
    size_t connections_n;
};

static int no_load(const char *name, struct err *e) {
    struct buf known CLEANUP(buf_release) = BUF(1000);
    for (size_t i = 0; i < loads_n; i++) buf_addf(&known, "%s%s", i ? ", " : "", loads[i].name);
    return err_set(e, ERR_USAGE, "LOAD", M_CODE, name, known.p);
}

static const struct label own_only = {"此项只能在自建站点上测，请去掉 --url", "runs on a site of its own only, without --url"};

/* Those named; without names all that the place allows. */
static int read_loads(struct cli *c, bool foreign, struct wanted *w, struct err *e) {
    for (int i = 0; i < c->args_n; i++) {
        const struct load *l = load_by_name(c->args[i]);
        if (!l) return no_load(c->args[i], e);
        if (foreign && l->flags & LOAD_OWN_SITE) return err_set(e, ERR_USAGE, l->name, M_TEXT, label_in(own_only, c->lang));
        w->loads[w->loads_n++] = l;
    }
    for (size_t i = 0; c->args_n == 0 && i < loads_n; i++)
        if (!foreign || !(loads[i].flags & LOAD_OWN_SITE)) w->loads[w->loads_n++] = &loads[i];
    return 0;
}

static int read_connections(struct cli *c, struct wanted *w, struct err *e) {
    for (int i = 0; i < c->given_n; i++) {
        int64_t n;
        if (strcmp(c->given[i].option->name, "connections") != 0) continue;
        if (!str_to_int(str_z(c->given[i].value), 1, 20000, &n)) return err_set(e, ERR_USAGE, "--connections", M_RANGE, "1", "20000");
        if (w->connections_n == COUNTS_MOST) return err_set(e, ERR_USAGE, "--connections", M_TOO_MANY, "8");
        w->connections[w->connections_n++] = (int)n;
    }
    return 0;
}

/* Rows in somebody's site are not to be had by accident. */
static int agreed(struct cli *c, const struct bench_options *o, const struct wanted *w, struct err *e) {
    static const struct label warning = {"会向该站点写入真实记录，不能撤销：", "This writes real rows into that site, and they cannot be taken back:"};
    bool writes = false;
    for (size_t i = 0; o->url && i < w->loads_n; i++) {
        if (!(w->loads[i]->flags & LOAD_WRITES)) continue;
        if (!writes) fprintf(stderr, "%s %s\n", label_in(warning, c->lang), o->url);
        fprintf(stderr, "  %s: %s\n", w->loads[i]->name, label_in(w->loads[i]->writes, c->lang));
        writes = true;
    }
    return !writes || cli_given(c, "yes") ? 0 : err_set(e, ERR_USAGE, "--yes", M_REQUIRED);
}

/* ---- running ---- */

static void progress(void *arg, const char *what, int64_t done, int64_t all) {
    const struct cli *c = arg;
    if (!c->terminal) return;
    fprintf(stderr, "\r\033[K%s %lld/%lld", what, (long long)done, (long long)all);
    fflush(stderr);
}

/* A disk that is memory makes everything durable at once. */
static void look_at_disk(const struct cli *c, const struct bench *b) {
    enum { TMPFS = 0x01021994 };
    static const struct label note = {"注意：该目录在内存中，不必落盘；请用 --keep 指定站点所在的磁盘：", "note: this folder lies in memory, where nothing has to reach a disk; name one on the site's disk with --keep:"};
    struct statfs fs;
    if (b->site[0] && !db_is_server(b->address) && statfs(b->site, &fs) == 0 && fs.f_type == TMPFS) fprintf(stderr, "%s %s\n", label_in(note, c->lang), b->site);
}

static int run_loads(struct cli *c, struct bench *b, const struct wanted *w, struct bench_result *results, size_t *n, struct err *e) {
    if (!c->json) bench_print_head(c, b);
    for (size_t i = 0; i < w->loads_n; i++) {
        bool alone = w->loads[i]->flags & LOAD_ALONE || !w->loads[i]->n;
        for (size_t j = 0; j < (alone ? 1 : MAX(w->connections_n, 1)); j++) {
            size_t got = 0;
            int r = bench_load(b, w->loads[i], w->connections_n ? w->connections[j] : 0, results + *n, &got, e);
            cli_progress_end(c);
            for (size_t k = 0; !c->json && k < got; k++) bench_print(c, &results[*n + k]);
            *n += got;
            if (r) return r;
        }
    }
    return 0;
}

static int measure(struct cli *c, struct bench *b, const struct wanted *w, struct err *e) {
    static struct bench_result results[RESULTS_MOST];
    const char *out = cli_value(c, "out");
    size_t n = 0;
    look_at_disk(c, b);
    TRY(run_loads(c, b, w, results, &n, e));
    return c->json || out ? bench_write_json(c, b, results, n, out, e) : 0;
}

static int run(struct cli *c, struct err *e) {
    struct bench_options o = {.lang = c->lang, .say = progress, .say_arg = c};
    struct wanted w = {.loads_n = 0};
    struct bench b = {.gates = NULL};
    TRY(read_options(c, &o, e));
    TRY(read_loads(c, o.url != NULL, &w, e));
    TRY(read_connections(c, &w, e));
    TRY(agreed(c, &o, &w, e));
    signal(SIGPIPE, SIG_IGN);
    int r = bench_begin(&b, &o, e);
    cli_progress_end(c);
    if (r == 0) r = measure(c, &b, &w, e);
    bench_end(&b);
    return r;
}

const struct cli_command cli_bench = {"bench", "[LOAD...]",
                                      {"测负载：scan、scan-many、roundtrip、resident、import、dashboard、history", "Measure load: scan, scan-many, roundtrip, resident, import, dashboard, history"},
                                      options, COUNT(options), 0, 8, 0, run};
