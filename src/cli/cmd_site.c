/* init, backup, restore, fsck, doctor, version. */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/copy.h"
#include "core/fsck.h"
#include "core/schema.h"
#include "core/session.h"
#include "core/table.h"
#include "version.h"

/* ---- init ---- */

static const struct cli_option init_options[] = {
    {"name", "NAME", {"站点名称", "Name of the site"}, false},
    {"area", "CODE", {"本级区域编号（默认 local）", "Code of the site's own area (default local)"}, false},
    {"level", "LEVEL", {"本级：province city county township community village（默认 county）", "Its level: province city county township community village (default county)"}, false},
    {"tz", "ZONE", {"时区（默认 Asia/Shanghai）", "Time zone (default Asia/Shanghai)"}, false},
};

/* A value that is NULL is true. */
static void print_json(const char *const pairs[][2], size_t n) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct json_out o = JSON_OUT(&b);
    json_object(&o);
    for (size_t i = 0; i < n; i++)
        if (pairs[i][1]) json_put_strz(&o, pairs[i][0], pairs[i][1]);
        else json_put_bool(&o, pairs[i][0], true);
    json_object_end(&o);
    puts(b.p);
}

static const char *engine_of(const char *dir) {
    char address[SITE_ADDRESS];
    struct err e;
    return site_address(dir, NULL, address, &e) == 0 && db_is_server(address) ? "postgresql" : "sqlite";
}

static int init_run(struct cli *c, struct err *e) {
    const char *code = cli_value(c, "area"), *dir = c->args[0];
    struct site_options o = {.name = cli_value(c, "name"), .tz = cli_value(c, "tz"), .level = cli_value(c, "level"), .code = code ? code : "local", .db = cli_value(c, "db")};
    TRY(site_create(dir, &o, e));
    if (c->json) print_json((const char *const[][2]){{"directory", dir}, {"area", o.code}, {"database", engine_of(dir)}}, 3);
    else printf(c->lang == LANG_EN ? "made a site in %s; start it with: lianfang serve %s\n" : "已在 %s 建立站点；启动：lianfang serve %s\n", dir, dir);
    return 0;
}

const struct cli_command cli_init = {"init", "DIR", {"建立一个空站点", "Make an empty site"}, init_options, COUNT(init_options), 1, 1, CLI_DB, init_run};

/* ---- backup and restore ---- */

static int copy_file(const char *from, const char *to, struct err *e) {
    char bytes[4096];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = -1;
    bool good = in >= 0 && out >= 0;
    while (good && (n = read(in, bytes, sizeof bytes)) > 0) good = write(out, bytes, (size_t)n) == n;
    good = good && n == 0 && fsync(out) == 0;
    int why = errno;
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    return good ? 0 : err_set(e, ERR_IO, NULL, M_FILE, to, strerror(why));
}

static void print_wrong(void *arg UNUSED, enum fsck_part part, const char *what) {
    fprintf(stderr, "%s: %s\n", fsck_names[part], what);
}

int cli_copy_key(const char *from_dir, const char *to_dir, struct err *e) {
    char a[600], b[600];
    return copy_file(site_path(a, from_dir, "site.key"), site_path(b, to_dir, "site.key"), e);
}

int cli_prove(const char *dir, struct err *e) {
    struct site *s CLEANUP(site_closep) = NULL;
    struct fsck_result r;
    TRY(site_open(dir, &s, e));
    TRY(fsck_run(s, print_wrong, NULL, &r, e));
    for (int i = 0; i < FSCK__COUNT; i++)
        if (r.wrong[i]) return err_set(e, ERR_CORRUPT, NULL, M_FILE_DAMAGED, dir, fsck_names[i]);
    return 0;
}

struct progress {
    const struct cli *c;
    int64_t began_us, before; /* rows that were there */
};

static bool show_progress(void *arg, int64_t done, int64_t total) {
    struct progress *p = arg;
    if (p->before < 0) p->before = done;
    cli_progress(p->c, p->c->command->name, done - p->before, total > 0 ? (double)done / (double)total : 1.0, p->began_us);
    return true;
}

int cli_copy_rows(struct cli *c, struct site *from, const char *to, const char *dir, bool again, struct copy_result *ret, struct err *e) {
    struct progress p = {c, monotonic_us(), -1};
    struct copy_options o = {.name = dir, .again = again, .progress = show_progress, .arg = &p};
    int r = copy_site(from, to, &o, ret, e);
    cli_progress_end(c);
    return r;
}

/* The file itself, page by page, and the key. */
static int copy_files(const char *from, const char *to, struct err *e) {
    char a[600], b[600];
    struct db *db CLEANUP(db_closep) = NULL;
    if (access(site_path(a, from, "lianfang.db"), F_OK)) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_SITE, from);
    TRY(db_open(a, DB_READ, &db, e));
    TRY(db_backup(db, site_path(b, to, "lianfang.db"), e));
    return cli_copy_key(from, to, e);
}

static int make_dir(const char *dir, struct err *e) {
    return mkdir(dir, 0700) ? err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_IO, NULL, M_FILE, dir, strerror(errno)) : 0;
}

/* Without the address, for on the server the site of that key may be somebody's who uses it. */
static int undo(const char *to) {
    char path[600];
    unlink(site_path(path, to, "database"));
    site_take_back(to);
    rmdir(to);
    return -1;
}

/* The row by row way out of a server, which others write to meanwhile. */
static int from_server(struct cli *c, const char *to, struct err *e) {
    struct copy_result r;
    char path[600];
    TRY(cli_open(c, c->args[0], e));
    TRY(cli_copy_key(c->args[0], to, e));
    return cli_copy_rows(c, c->site, site_path(path, to, "lianfang.db"), to, false, &r, e);
}

static int backup_run(struct cli *c, struct err *e) {
    const char *from = c->args[0], *to = c->args[1];
    char address[SITE_ADDRESS];
    TRY(site_address(from, cli_value(c, "db"), address, e));
    TRY(make_dir(to, e));
    if (db_is_server(address) ? from_server(c, to, e) : copy_files(from, to, e)) return undo(to);
    TRY(cli_prove(to, e));
    if (c->json) print_json((const char *const[][2]){{"backup", to}, {"proved", NULL}}, 2);
    else printf(c->lang == LANG_EN ? "backup in %s, checked. It holds the key: keep it locked away.\n" : "备份已存入 %s 并通过校验。其中含密钥，请妥善保管。\n", to);
    return 0;
}

const struct cli_command cli_backup = {"backup", "DIR TARGET", {"运行中备份并校验", "Copy a running site and check the copy"}, NULL, 0, 2, 2, CLI_DB, backup_run};

/* By way of a copy in DIR: a backup of an older program is brought up to date, and the backup stays as it is. */
static int into_server(struct cli *c, const char *stage, const char *address, struct err *e) {
    const char *from = c->args[0], *to = c->args[1];
    struct site *s CLEANUP(site_closep) = NULL;
    struct copy_result r;
    TRY(make_dir(stage, e));
    TRY(copy_files(from, stage, e));
    TRY(site_open(stage, &s, e));
    TRY(cli_copy_key(from, to, e));
    TRY(site_address_write(to, address, e));
    return cli_copy_rows(c, s, address, to, true, &r, e);
}

static int restore_to(struct cli *c, const char *db, struct err *e) {
    char stage[600], address[SITE_ADDRESS];
    if (!db) return copy_files(c->args[0], c->args[1], e);
    TRY(site_address(c->args[1], db, address, e));
    int r = into_server(c, site_path(stage, c->args[1], "restoring"), address, e);
    site_take_back(stage);
    rmdir(stage);
    return r;
}

static int restore_run(struct cli *c, struct err *e) {
    const char *to = c->args[1];
    TRY(make_dir(to, e));
    if (restore_to(c, cli_value(c, "db"), e)) return undo(to);
    TRY(cli_prove(to, e));
    if (c->json) print_json((const char *const[][2]){{"restored", to}, {"proved", NULL}}, 2);
    else printf(c->lang == LANG_EN ? "restored into %s, checked\n" : "已恢复到 %s 并通过校验\n", to);
    return 0;
}

const struct cli_command cli_restore = {"restore", "BACKUP DIR", {"由备份恢复到新目录；用 --db 恢复到服务器", "Restore a backup into a new directory; with --db onto a server"}, NULL, 0, 2, 2, CLI_DB, restore_run};

/* ---- fsck ---- */

static void print_fsck_json(const struct fsck_result *r, bool clean) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct json_out o = JSON_OUT(&b);
    json_object(&o);
    json_put_bool(&o, "clean", clean);
    json_put_int(&o, "journal", r->seq);
    for (int i = 0; i < FSCK__COUNT; i++) {
        json_key(&o, fsck_names[i]);
        json_object(&o);
        json_put_int(&o, "looked_at", r->looked_at[i]);
        json_put_int(&o, "wrong", r->wrong[i]);
        json_object_end(&o);
    }
    json_object_end(&o);
    printf("%s\n", b.p);
}

static int fsck_command(struct cli *c, struct err *e) {
    struct fsck_result r;
    bool clean = true;
    TRY(fsck_run(c->site, print_wrong, NULL, &r, e));
    for (int i = 0; i < FSCK__COUNT; i++) clean = clean && r.wrong[i] == 0;
    if (c->json) print_fsck_json(&r, clean);
    for (int i = 0; i < FSCK__COUNT && !c->json; i++)
        printf("%-28s %10lld  %s\n", fsck_names[i], (long long)r.looked_at[i], r.wrong[i] ? "WRONG" : "ok");
    if (!c->json) printf("%s\n", clean ? "clean" : "NOT CLEAN");
    return clean ? 0 : err_exit(ERR_CORRUPT);
}

const struct cli_command cli_fsck = {"fsck", "DIR", {"核对：日志链、记录、统计都能重算", "Recount and prove everything"}, NULL, 0, 1, 1, CLI_SITE, fsck_command};

/* ---- doctor ---- */

struct finding {
    bool good;
    struct label what;
};

static bool private_file(const char *dir, const char *name) {
    char path[600];
    struct stat st;
    return stat(site_path(path, dir, name), &st) == 0 && (st.st_mode & 077) == 0;
}

/* An address may hold a password. */
static struct finding where_the_rows_are(const struct site *s) {
    char path[600];
    bool named = access(site_path(path, s->dir, "database"), F_OK) == 0;
    if (!db_is_server(s->address))
        return (struct finding){private_file(s->dir, "lianfang.db"), {"数据库文件只有本人可读", "the database can be read by its owner only"}};
    return (struct finding){!named || private_file(s->dir, "database"),
                            {"数据在 PostgreSQL 服务器上，其地址只有本人可读", "the rows are on a PostgreSQL server, its address can be read by its owner only"}};
}

/* A later version's new tables stay where they were made until db distribute runs again. */
static int spread_alike(struct site *s, bool *ret, struct err *e) {
    struct db *db CLEANUP(db_closep) = NULL;
    const struct table *t;
    int first = -1, is;
    *ret = true;
    TRY(db_open(s->address, DB_READ, &db, e));
    for (size_t i = 0; (t = table_at(i)); i++) {
        if (t->place != TABLE_BY_SITE) continue;
        if ((is = db_is_distributed(db, t->name, e)) < 0) return -1;
        if (first < 0) first = is;
        *ret &= is == first;
    }
    return 0;
}

static int doctor_run(struct cli *c, struct err *e) {
    struct statvfs fs;
    struct stat dir;
    int64_t accounts;
    const char *d = c->args[0];
    bool alike;
    TRY(account_count(c->site, &accounts, e));
    TRY(spread_alike(c->site, &alike, e));
    bool space = statvfs(d, &fs) == 0 && (double)fs.f_bavail * (double)fs.f_frsize > 1e9;
    const struct finding findings[] = {
        {private_file(d, "site.key"), {"密钥文件只有本人可读", "the key can be read by its owner only"}},
        where_the_rows_are(c->site),
        {stat(d, &dir) == 0 && (dir.st_mode & 077) == 0, {"数据目录只有本人可进", "the directory is closed to others"}},
        {geteuid() != 0, {"不以 root 运行", "not run as root"}},
        {accounts > 0, {"至少有一个账户已设密码", "at least one account has a password"}},
        {space, {"磁盘剩余 1 GB 以上", "over 1 GB of disk left"}},
        {alike, {"各表在同一处，或都已按站点分布（否则运行 lianfang db distribute）", "all tables lie in one place or are all spread by site (else run lianfang db distribute)"}},
        {c->site->clock.fixed_us == 0, {"时钟未被固定", "the clock runs"}},
    };
    int bad = 0;
    if (c->json) printf("[");
    for (size_t i = 0; i < COUNT(findings); i++) {
        bad += !findings[i].good;
        if (c->json) printf("%s{\"good\":%s,\"what\":\"%s\"}", i ? "," : "", findings[i].good ? "true" : "false", label_in(findings[i].what, c->lang));
        else printf("%-4s %s\n", findings[i].good ? "ok" : "!!", label_in(findings[i].what, c->lang));
    }
    if (c->json) printf("]\n");
    return bad ? err_exit(ERR_INVALID) : 0;
}

const struct cli_command cli_doctor = {"doctor", "DIR", {"检查设置是否安全", "Look at the set-up for weak points"}, NULL, 0, 1, 1, CLI_SITE, doctor_run};

/* ---- version ---- */

static int version_run(struct cli *c, struct err *e UNUSED) {
    int pq = PQlibVersion(), major = pq / 10000, minor = pq % 10000;
    if (c->json)
        printf("{\"version\":\"%s\",\"schema\":%d,\"sqlite\":\"%s\",\"libpq\":\"%d.%d\"}\n", LF_VERSION, schema_newest(), sqlite3_libversion(), major, minor);
    else printf("lianfang %s (schema %d, SQLite %s, libpq %d.%d)\n", LF_VERSION, schema_newest(), sqlite3_libversion(), major, minor);
    return 0;
}

const struct cli_command cli_version = {"version", "", {"版本", "The version"}, NULL, 0, 0, 0, 0, version_run};
