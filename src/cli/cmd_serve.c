#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "api/api.h"
#include "base/log.h"
#include "cli/cli.h"
#include "core/session.h"
#include "core/jobs.h"
#include "http/server.h"

static const struct cli_option options[] = {
    {"address", "ADDRESS", {"监听地址（默认 127.0.0.1；局域网用 0.0.0.0）", "Address to listen on (default 127.0.0.1; 0.0.0.0 for the local network)"}, false},
    {"port", "PORT", {"端口（默认 8020；0 为任意空闲端口）", "Port (default 8020; 0 takes a free one)"}, false},
    {"assets", "FOLDER", {"从文件夹读取网页（开发用）", "Read the pages from a folder (for development)"}, false},
    {"tls", NULL, {"用自制证书加密（DIR/tls.crt）", "Encrypt with a self-made certificate (DIR/tls.crt)"}, false},
    {"tls-cert", "FILE", {"证书", "Certificate (PEM)"}, false},
    {"tls-key", "FILE", {"证书私钥", "Its private key (PEM)"}, false},
    {"connections", "N", {"最多同时连接数（默认 10000；过多时先关闭最久空闲的）", "Most connections at a time (default 10000; at the limit the longest idle is closed first)"}, false},
    {"name", "HOST", {"自制证书上的主机名", "Host names of the self-made certificate"}, true},
};

static int self_signed(struct cli *c, struct api_options *o, struct err *e) {
    const char *names[16] = {"localhost", "127.0.0.1"};
    size_t n = 2;
    for (int i = 0; i < c->given_n && n < COUNT(names); i++)
        if (strcmp(c->given[i].option->name, "name") == 0) names[n++] = c->given[i].value;
    o->tls_cert = arena_printf(&c->a, "%s/tls.crt", c->args[0]);
    o->tls_key = arena_printf(&c->a, "%s/tls.key", c->args[0]);
    if (access(o->tls_cert, R_OK) == 0 && access(o->tls_key, R_OK) == 0) return 0;
    return http_self_signed(o->tls_cert, o->tls_key, names, n, e);
}

static int find_admin(struct cli *c, struct id *ret, struct err *e) {
    const struct kind *k = kind_by_name(STR("user"));
    struct record *r = NULL;
    struct db *db;
    TRY(site_reader(c->site, &db, e));
    int found = record_find(db, c->site->id, &c->site->key, &c->a, k, (size_t)kind_field(k, STR("login")), STR("admin"), &r, e);
    site_reader_done(c->site, db);
    if (found == 1) *ret = r->id;
    return found;
}

/* Another program of the site may be starting at the same moment: then its account is found behind our failure. */
static int ensure_admin(struct cli *c, const char *area, struct id *ret, struct err *e) {
    struct err ignored;
    int found = find_admin(c, ret, e);
    if (found) return found < 0 ? -1 : 0;
    int failed = account_make(c->site, "admin", "管理员", "administrator", area, ret, e);
    return failed && find_admin(c, ret, &ignored) != 1 ? -1 : 0;
}

/* The way in while nobody has a password: an administrator's account and a link that is good once. */
static int first_link(struct cli *c, const char *base, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(c->site);
    int64_t accounts;
    struct id admin;
    char token[TOKEN_TEXT];
    TRY(account_count(c->site, &accounts, e));
    if (accounts > 0 || t->n == 0) return 0;
    TRY(ensure_admin(c, t->all[0].code.p, &admin, e));
    TRY(account_link(c->site, admin, token, e));
    printf("administrator link: %s/#/welcome/%s\n", base, token);
    return 0;
}

static void wait_for_end(void) {
    sigset_t ends;
    int which;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigwait(&ends, &which);
    log_line(LOG_INFO, "serve", "stopping signal=%d", which);
}

static int run(struct cli *c, struct err *e) {
    int64_t port, connections;
    const char *address = cli_value(c, "address");
    struct api *api;
    struct api_options o = {.address = address ? address : "127.0.0.1", .assets_dir = cli_value(c, "assets"),
                            .tls_cert = cli_value(c, "tls-cert"), .tls_key = cli_value(c, "tls-key")};
    TRY(cli_int(c, "port", 0, 65535, 8020, &port, e));
    TRY(cli_int(c, "connections", 1, 1000000, 10000, &connections, e));
    o.port = (int)port;
    o.max_connections = (size_t)connections;
    if (cli_given(c, "tls") && !o.tls_cert) TRY(self_signed(c, &o, e));
    TRY(api_start(c->site, &o, &api, e));
    bool any = strcmp(o.address, "0.0.0.0") == 0 || strcmp(o.address, "::") == 0;
    const char *base = arena_printf(&c->a, "%s://%s:%d", o.tls_cert ? "https" : "http", any ? "127.0.0.1" : o.address, api_port(api));
    printf("listening on %s\n", base);
    int r = first_link(c, base, e);
    fflush(stdout);
    struct jobs *jobs = jobs_start(c->site);
    if (r == 0) wait_for_end();
    jobs_stop(jobs);
    api_stop(api);
    return r;
}

enum { HELD_BY_A_THREAD = 1 << 20 };

/* What is large goes back to the system when it is freed.  Left alone, glibc learns from the largest block that was freed to keep twice as much at hand in each thread's
 * heap: tens of MB for each worker that once answered for a whole county. */
static void give_back_memory(void) {
    mallopt(M_MMAP_THRESHOLD, HELD_BY_A_THREAD);
    mallopt(M_TRIM_THRESHOLD, HELD_BY_A_THREAD);
}

/* The signals are held back before any thread starts, so that only wait_for_end gets them. */
static int run_with_signals(struct cli *c, struct err *e) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    give_back_memory();
    TRY(cli_open(c, c->args[0], e));
    site_listen(c->site);
    return run(c, e);
}

const struct cli_command cli_serve = {"serve", "DIR", {"启动服务", "Start the server"}, options, COUNT(options), 1, 1, CLI_DB, run_with_signals};
