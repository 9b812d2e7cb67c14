/* init, backup, restore, fsck, doctor, version. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/fsck.h"
#include "core/schema.h"
#include "core/session.h"
#include "version.h"

/* ---- init ---- */

static const struct cli_option init_options[] = {
    {"name", "NAME", {"站点名称", "Name of the site"}, false},
    {"area", "CODE", {"本级区域编号（默认 local）", "Code of the site's own area (default local)"}, false},
    {"level", "LEVEL", {"本级：province city county township community village（默认 county）", "Its level: province city county township community village (default county)"}, false},
    {"tz", "ZONE", {"时区（默认 Asia/Shanghai）", "Time zone (default Asia/Shanghai)"}, false},
};

static int init_run(struct cli *c, struct err *e) {
    const char *code = cli_value(c, "area");
    struct site_options o = {.name = cli_value(c, "name"), .tz = cli_value(c, "tz"), .level = cli_value(c, "level"), .code = code ? code : "local"};
    TRY(site_create(c->args[0], &o, e));
    if (c->json) printf("{\"directory\":\"%s\",\"area\":\"%s\"}\n", c->args[0], o.code);
    else printf(c->lang == LANG_EN ? "made a site in %s; start it with: lianfang serve %s\n" : "已在 %s 建立站点；启动：lianfang serve %s\n", c->args[0], c->args[0]);
    return 0;
}

const struct cli_command cli_init = {"init", "DIR", {"建立一个空站点", "Make an empty site"}, init_options, COUNT(init_options), 1, 1, 0, init_run};

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

static int prove(const char *dir, struct err *e) {
    struct site *s CLEANUP(site_closep) = NULL;
    struct fsck_result r;
    TRY(site_open(dir, &s, e));
    TRY(fsck_run(s, print_wrong, NULL, &r, e));
    for (int i = 0; i < FSCK__COUNT; i++)
        if (r.wrong[i]) return err_set(e, ERR_CORRUPT, NULL, M_FILE_DAMAGED, dir, fsck_names[i]);
    return 0;
}

/* The database of `from` and its key into a new directory, proved there. */
static int copy_site(const char *from, const char *to, struct err *e) {
    char a[600], b[600];
    struct db *db CLEANUP(db_closep) = NULL;
    if (access(site_path(a, from, "lianfang.db"), F_OK)) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_SITE, from);
    if (mkdir(to, 0700)) return err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_IO, NULL, M_FILE, to, strerror(errno));
    TRY(db_open(a, DB_READ, &db, e));
    TRY(db_backup(db, site_path(b, to, "lianfang.db"), e));
    TRY(copy_file(site_path(a, from, "site.key"), site_path(b, to, "site.key"), e));
    return prove(to, e);
}

static int backup_run(struct cli *c, struct err *e) {
    TRY(copy_site(c->args[0], c->args[1], e));
    if (c->json) printf("{\"backup\":\"%s\",\"proved\":true}\n", c->args[1]);
    else printf(c->lang == LANG_EN ? "backup in %s, checked. It holds the key: keep it locked away.\n" : "备份已存入 %s 并通过校验。其中含密钥，请妥善保管。\n", c->args[1]);
    return 0;
}

const struct cli_command cli_backup = {"backup", "DIR TARGET", {"运行中备份并校验", "Copy a running site and check the copy"}, NULL, 0, 2, 2, 0, backup_run};

static int restore_run(struct cli *c, struct err *e) {
    TRY(copy_site(c->args[0], c->args[1], e));
    if (c->json) printf("{\"restored\":\"%s\",\"proved\":true}\n", c->args[1]);
    else printf(c->lang == LANG_EN ? "restored into %s, checked\n" : "已恢复到 %s 并通过校验\n", c->args[1]);
    return 0;
}

const struct cli_command cli_restore = {"restore", "BACKUP DIR", {"由备份恢复到新目录", "Restore a backup into a new directory"}, NULL, 0, 2, 2, 0, restore_run};

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

static int doctor_run(struct cli *c, struct err *e) {
    struct statvfs fs;
    struct stat dir;
    int64_t accounts;
    const char *d = c->args[0];
    TRY(account_count(c->site, &accounts, e));
    bool space = statvfs(d, &fs) == 0 && (double)fs.f_bavail * (double)fs.f_frsize > 1e9;
    const struct finding findings[] = {
        {private_file(d, "site.key"), {"密钥文件只有本人可读", "the key can be read by its owner only"}},
        {private_file(d, "lianfang.db"), {"数据库文件只有本人可读", "the database can be read by its owner only"}},
        {stat(d, &dir) == 0 && (dir.st_mode & 077) == 0, {"数据目录只有本人可进", "the directory is closed to others"}},
        {geteuid() != 0, {"不以 root 运行", "not run as root"}},
        {accounts > 0, {"至少有一个账户已设密码", "at least one account has a password"}},
        {space, {"磁盘剩余 1 GB 以上", "over 1 GB of disk left"}},
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
    if (c->json) printf("{\"version\":\"%s\",\"schema\":%d,\"sqlite\":\"%s\"}\n", LF_VERSION, schema_newest(), sqlite3_libversion());
    else printf("lianfang %s (schema %d, SQLite %s)\n", LF_VERSION, schema_newest(), sqlite3_libversion());
    return 0;
}

const struct cli_command cli_version = {"version", "", {"版本", "The version"}, NULL, 0, 0, 0, 0, version_run};
