/* db copy | distribute: a site to another engine and back; the tables of a server over the nodes of a cluster. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/copy.h"
#include "core/table.h"

static const struct cli_option options[] = {
    {"again", NULL, {"复制：放弃上次未完成的副本，从头开始", "copy: throw away what an unfinished copy left and begin anew"}, false},
};

/* ---- copy ---- */

static bool is_file(const char *dir, const char *name) {
    char path[600];
    return access(site_path(path, dir, name), F_OK) == 0;
}

static int same_key(const char *from, const char *to, struct err *e) {
    struct site_key a, b;
    char path[600];
    TRY(site_key_load(site_path(path, from, "site.key"), &a, e));
    int r = site_key_load(site_path(path, to, "site.key"), &b, e);
    bool same = r == 0 && same_bytes(&a, &b, sizeof a);
    site_key_wipe(&a);
    site_key_wipe(&b);
    return r || same ? r : err_set(e, ERR_CONFLICT, NULL, M_SITE_EXISTS, to);
}

/* What is there already must be what an unfinished copy of the same site to the same place left. */
static int make_place(const char *from, const char *to, const char *address, struct err *e) {
    char there[SITE_ADDRESS];
    bool server = db_is_server(address), named = is_file(to, "database");
    if (mkdir(to, 0700) && errno != EEXIST) return err_set(e, ERR_IO, NULL, M_FILE, to, strerror(errno));
    if (named) TRY(site_address(to, NULL, there, e));
    bool other = named && strcmp(there, address) != 0;
    if (other || (server && is_file(to, "lianfang.db"))) return err_set(e, ERR_CONFLICT, NULL, M_SITE_EXISTS, to);
    if (is_file(to, "site.key")) TRY(same_key(from, to, e));
    else TRY(cli_copy_key(from, to, e));
    return server && !named ? site_address_write(to, address, e) : 0;
}

static void print_copy(const struct cli *c, const struct copy_result *r, const char *to, bool server) {
    const char *engine = server ? "PostgreSQL" : "SQLite";
    if (c->json) {
        struct buf b CLEANUP(buf_release) = BUF(1 << 16);
        struct json_out o = JSON_OUT(&b);
        json_object(&o);
        json_put_strz(&o, "copy", to);
        json_put_strz(&o, "database", server ? "postgresql" : "sqlite");
        json_put_int(&o, "rows", r->rows);
        json_put_int(&o, "journal", r->seq);
        json_put_bool(&o, "proved", true);
        json_object_end(&o);
        puts(b.p);
    } else if (c->lang == LANG_EN) {
        printf("copied %lld rows, up to journal entry %lld, into %s (%s), checked. People sign in there anew.\n", (long long)r->rows, (long long)r->seq, to, engine);
    } else {
        printf("已复制 %lld 行（日志至第 %lld 条）到 %s（%s）并通过校验。用户须在新处重新登录。\n", (long long)r->rows, (long long)r->seq, to, engine);
    }
}

static int copy(struct cli *c, const char *from, const char *to, struct err *e) {
    const char *db = cli_value(c, "db");
    char address[SITE_ADDRESS], path[600];
    struct copy_result r;
    if (db) TRY(site_address(to, db, address, e));
    else snprintf(address, sizeof address, "%s", site_path(path, to, "lianfang.db"));
    TRY(site_open(from, &c->site, e));
    TRY(make_place(from, to, address, e));
    TRY(cli_copy_rows(c, c->site, address, to, cli_given(c, "again"), &r, e));
    TRY(cli_prove(to, e));
    print_copy(c, &r, to, db != NULL);
    return 0;
}

/* ---- distribute ---- */

static int distribute_tables(struct db *db, int *ret_n, struct err *e) {
    const struct table *t;
    const char *beside = NULL;
    for (size_t i = 0; (t = table_at(i)); i++) {
        if (t->place != TABLE_BY_SITE) continue;
        TRY(db_distribute(db, t->name, beside, e));
        if (!beside) beside = t->name;
        ++*ret_n;
    }
    return 0;
}

static int distribute(struct cli *c, const char *dir, struct err *e) {
    struct db *db CLEANUP(db_closep) = NULL;
    int n = 0;
    TRY(cli_open(c, dir, e));
    if (!db_is_server(c->site->address)) return cli_usage(e, "db distribute DIR: postgres://");
    TRY(db_open(c->site->address, DB_WRITE, &db, e));
    TRY(distribute_tables(db, &n, e));
    if (c->json) printf("{\"distributed\":%d}\n", n);
    else printf(c->lang == LANG_EN ? "%d tables are spread over the nodes by their site\n" : "%d 张表已按站点分布到各节点\n", n);
    return 0;
}

/* ---- both ---- */

static int run(struct cli *c, struct err *e) {
    if (strcmp(c->args[0], "copy") == 0 && c->args_n == 3) return copy(c, c->args[1], c->args[2], e);
    if (strcmp(c->args[0], "distribute") == 0 && c->args_n == 2) return distribute(c, c->args[1], e);
    return cli_usage(e, c->command->args);
}

const struct cli_command cli_db = {"db", "copy FROM TO | distribute DIR",
                                   {"copy：把站点复制到另一个数据库（TO 为新目录；用 --db 复制到服务器）；distribute：用 Citus 把各站点分布到多个节点",
                                    "copy: a site to another database (TO is a new directory; with --db onto a server); distribute: sites over the nodes of Citus"},
                                   options, COUNT(options), 2, 3, CLI_DB, run};
