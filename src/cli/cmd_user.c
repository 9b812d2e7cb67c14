/* user add | list | link | password | token | off: the keeper's side of accounts, without a browser. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/command.h"
#include "core/session.h"

static const struct cli_option options[] = {
    {"name", "NAME", {"姓名", "Name of the person"}, false},
    {"role", "ROLE", {"角色：administrator headquarters community grid_worker gate clinic investigator reporter viewer",
                      "Role: administrator headquarters community grid_worker gate clinic investigator reporter viewer"}, false},
    {"area", "CODE", {"负责的区域", "The area the role holds in"}, false},
    {"label", "TEXT", {"令牌用途", "What a token is for"}, false},
    {"days", "N", {"令牌有效天数（默认 90）", "Days a token lasts (default 90)"}, false},
    {"password-file", "FILE", {"从文件读取密码（- 为标准输入）", "Read the password from a file (- is standard input)"}, false},
};

static int find_account(struct cli *c, const char *login, struct record **ret, struct err *e) {
    const struct kind *k = kind_by_name(STR("user"));
    struct db *db;
    TRY(site_reader(c->site, &db, e));
    int found = record_find(db, c->site->id, &c->site->key, &c->a, k, (size_t)kind_field(k, STR("login")), str_z(login), ret, e);
    site_reader_done(c->site, db);
    if (found < 0) return -1;
    return found ? 0 : err_set(e, ERR_NOT_FOUND, "login", M_NO_RECORD, login, label_in(k->label, c->lang));
}

static int read_password(struct cli *c, struct str *ret, struct err *e) {
    const char *path = cli_value(c, "password-file");
    char line[1024];
    FILE *f = !path || strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!f) return err_set(e, ERR_NOT_FOUND, NULL, M_FILE, path, "");
    if (f == stdin && isatty(STDIN_FILENO)) fputs("password: ", stderr);
    bool got = fgets(line, sizeof line, f) != NULL;
    if (f != stdin) fclose(f);
    if (!got) return err_set(e, ERR_INVALID, "password", M_REQUIRED);
    struct str s = str_z(line);
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r')) s.n--;
    *ret = arena_str(&c->a, s);
    return 0;
}

static int add(struct cli *c, const char *login, struct err *e) {
    struct id id;
    char token[TOKEN_TEXT];
    const char *role = cli_value(c, "role"), *area = cli_value(c, "area"), *name = cli_value(c, "name");
    struct areas *t CLEANUP(areas_dropp) = site_areas(c->site);
    const struct area *x;
    if (!role) return err_set(e, ERR_USAGE, "--role", M_REQUIRED);
    TRY(cli_area(c, t, &x, e));
    TRY(account_make(c->site, login, name ? name : login, role, area ? area : x->code.p, &id, e));
    TRY(account_link(c->site, id, token, e));
    if (c->json) printf("{\"login\":\"%s\",\"link\":\"/#/welcome/%s\"}\n", login, token);
    else printf("/#/welcome/%s\n", token);
    return 0;
}

static int list(struct cli *c, struct err *e) {
    const struct kind *k = kind_by_name(STR("user"));
    struct db *db;
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct record r;
    TRY(site_reader(c->site, &db, e));
    int got = db_query(db, &kind_sql(k)->scan, &rows, e, VINT(c->site->id), VID((struct id){{0}}), VINT(100000));
    if (c->json) printf("[");
    for (int n = 0; got >= 0 && (got = rows_next(rows, e)) == 1; n++) {
        record_read(&c->a, k, rows, &r);
        struct str login = record_text(&r, "login"), name = record_text(&r, "name");
        const char *state = r.removed || !record_int(&r, "active") ? "off" : "active";
        if (c->json) printf("%s{\"login\":\"%.*s\",\"name\":\"%.*s\",\"state\":\"%s\"}", n ? "," : "", STR_FMT(login), STR_FMT(name), state);
        else printf("%-24.*s %-20.*s %s\n", STR_FMT(login), STR_FMT(name), state);
    }
    if (c->json) printf("]\n");
    rows_done(TAKE(rows));
    site_reader_done(c->site, db);
    return got < 0 ? -1 : 0;
}

static int link_or_token(struct cli *c, const char *login, bool api, struct err *e) {
    struct record *r;
    char token[TOKEN_TEXT];
    int64_t days;
    const char *label = cli_value(c, "label");
    TRY(cli_int(c, "days", 1, 3650, 90, &days, e));
    TRY(find_account(c, login, &r, e));
    if (api) TRY(account_token(c->site, r->id, label ? label : "", (int)days, token, e));
    else TRY(account_link(c->site, r->id, token, e));
    if (c->json) printf("{\"%s\":\"%s%s\"}\n", api ? "token" : "link", api ? "" : "/#/welcome/", token);
    else printf("%s%s\n", api ? "" : "/#/welcome/", token);
    return 0;
}

static int password(struct cli *c, const char *login, struct err *e) {
    struct record *r;
    struct str p;
    TRY(find_account(c, login, &r, e));
    TRY(read_password(c, &p, e));
    return account_password(c->site, r->id, p, e);
}

static int off(struct cli *c, const char *login, struct err *e) {
    struct record *r;
    TRY(find_account(c, login, &r, e));
    struct command_call call = {.a = &c->a, .actor = &actor_system, .lang = c->lang, .id = id_new(site_now(c->site)), .record = r->id};
    command_prepare(&call, r->kind, VERB_UPDATE);
    int i = kind_field(r->kind, STR("active"));
    call.given[i] = true;
    call.values[i] = VINT(0);
    return command_do(c->site, &call, e);
}

static int run(struct cli *c, struct err *e) {
    const char *what = c->args[1], *login = c->args_n > 2 ? c->args[2] : NULL;
    if (strcmp(what, "list") == 0) return list(c, e);
    if (!login) return cli_usage(e, "user DIR add|list|link|token|password|off LOGIN");
    if (strcmp(what, "add") == 0) return add(c, login, e);
    if (strcmp(what, "link") == 0) return link_or_token(c, login, false, e);
    if (strcmp(what, "token") == 0) return link_or_token(c, login, true, e);
    if (strcmp(what, "password") == 0) return password(c, login, e);
    if (strcmp(what, "off") == 0) return off(c, login, e);
    return cli_usage(e, "user DIR add|list|link|token|password|off LOGIN");
}

const struct cli_command cli_user = {"user", "DIR add|list|link|token|password|off [LOGIN]", {"账户与权限", "Accounts and their rights"},
                                     options, COUNT(options), 2, 3, CLI_SITE, run};
