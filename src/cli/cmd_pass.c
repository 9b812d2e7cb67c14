/* pass issue | verify | print | revoke | list: passes without a browser. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/command.h"
#include "systems/passes/passes.h"

static const struct cli_option options[] = {
    {"household", "CODE", {"issue：户编号", "issue: code of the household"}, false},
    {"area", "CODE", {"issue：为区域内还没有出入证的各户签发；print：打印该区域", "issue: to every household of the area that has none; print: those of the area"}, false},
    {"until", "DAY", {"issue：有效至该日（默认 28 天）", "issue: valid to the end of that day (default 28 days)"}, false},
    {"outings", "N", {"issue：可外出次数", "issue: so many outings"}, false},
    {"days", "N", {"issue：每 N 天（默认 1）", "issue: in so many days (default 1)"}, false},
    {"gate", "CODE", {"verify：卡点编号", "verify: code of the gate"}, false},
    {"reason", "TEXT", {"revoke：原因", "revoke: the reason"}, false},
    {"out", "FILE", {"print、list：写入的文件", "print, list: the file to write"}, false},
    {"from", "VERSION", {"list：只写此版本之后的变化", "list: only what changed since that version"}, false},
};
static const char usage[] = "issue DIR --household CODE | issue DIR --area CODE | verify DIR TEXT --gate CODE | print DIR --area CODE --out FILE | "
                            "revoke DIR NUMBER --reason TEXT | list DIR revoked|stay_home --out FILE";

static int needed(struct cli *c, const char *option, const char **ret, struct err *e) {
    *ret = cli_value(c, option);
    return *ret ? 0 : err_set(e, ERR_USAGE, arena_printf(&c->a, "--%s", option), M_REQUIRED);
}

static int find(struct cli *c, const struct kind *k, const char *field, const char *text, struct record **ret, struct err *e) {
    struct db *db;
    TRY(site_reader(c->site, &db, e));
    int found = record_find(db, c->site->id, &c->site->key, &c->a, k, (size_t)kind_field(k, str_z(field)), str_z(text), ret, e);
    site_reader_done(c->site, db);
    if (found < 0) return -1;
    return found ? 0 : err_set(e, ERR_NOT_FOUND, field, M_NO_RECORD, text, label_in(k->label, c->lang));
}

static int write_file(const char *path, struct str s, struct err *e) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = 0;
    while (fd >= 0 && n >= 0 && s.n) {
        n = write(fd, s.p, s.n);
        if (n > 0) s = str_sub(s, (size_t)n, s.n);
    }
    int failed = fd < 0 || n < 0 ? errno : 0;
    if (fd >= 0 && close(fd)) failed = errno;
    return failed ? err_set(e, ERR_IO, NULL, M_FILE, path, strerrordesc_np(failed)) : 0;
}

/* ---- issue ---- */

static int run_call(struct cli *c, const char *command, struct id record, struct str data, struct command_call *call, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    char id[ID_TEXT];
    struct json *j;
    buf_addf(&b, "{\"id\":\"%s\",\"command\":\"%s\"", id_text(id_new(site_now(c->site)), id), command);
    if (!id_is_nil(record)) buf_addf(&b, ",\"record\":\"%s\"", id_text(record, id));
    buf_addf(&b, ",\"data\":%.*s}", STR_FMT(data));
    *call = (struct command_call){.a = &c->a, .actor = &actor_system, .lang = c->lang};
    TRY(json_parse(&c->a, arena_str(&c->a, buf_str(&b)), NULL, &j, e));
    TRY(command_parse(c->site, j, call, e));
    return command_do(c->site, call, e);
}

/* The terms that --until, --outings and --days set. */
static int add_terms(struct cli *c, struct json_out *o, struct err *e) {
    int64_t outings, days;
    day_t until;
    char text[TIME_TEXT];
    TRY(cli_int(c, "outings", 1, PASS_OUTINGS_MAX, 0, &outings, e));
    TRY(cli_int(c, "days", 1, PASS_DAYS_MAX, 1, &days, e));
    TRY(cli_day(c, "until", DAY_NONE, &until, e));
    if (outings) json_put_int(o, "outings", outings), json_put_int(o, "days", days);
    if (until != DAY_NONE) json_put_strz(o, "valid_until", tz_text(c->site->tz, tz_start(c->site->tz, until + 1, 0), text));
    return 0;
}

static int issue_household(struct cli *c, const char *code, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 14);
    struct json_out o = JSON_OUT(&b);
    struct command_call call;
    char number[PASS_NUMBER], id[ID_TEXT];
    json_object(&o);
    json_put_strz(&o, "kind_of", "household");
    json_put_strz(&o, "household", code);
    TRY(add_terms(c, &o, e));
    json_object_end(&o);
    TRY(run_call(c, "pass.create", (struct id){{0}}, buf_str(&b), &call, e));
    pass_number(call.ret_record, number);
    if (c->json) printf("{\"number\":\"%s\",\"record\":\"%s\"}\n", number, id_text(call.ret_record, id));
    else puts(number);
    return 0;
}

static int issue_area(struct cli *c, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 14);
    struct json_out o = JSON_OUT(&b);
    struct areas *t CLEANUP(areas_dropp) = site_areas(c->site);
    const struct area *x;
    int64_t issued = 0;
    bool more = true;
    TRY(cli_area(c, t, &x, e));
    json_object(&o);
    json_put_str(&o, "area", x->code);
    TRY(add_terms(c, &o, e));
    json_object_end(&o);
    while (more) {
        struct command_call call;
        struct json *answer;
        int64_t now = 0;
        TRY(run_call(c, "pass.issue_area", (struct id){{0}}, buf_str(&b), &call, e));
        TRY(json_parse(&c->a, str_z(arena_printf(&c->a, "{%.*s}", STR_FMT(call.ret_json))), NULL, &answer, e));
        json_int(json_get(answer, "issued"), &now);
        more = now > 0 && json_get(answer, "more")->type == JSON_TRUE;
        issued += now;
    }
    if (c->json) printf("{\"issued\":%lld}\n", (long long)issued);
    else printf(c->lang == LANG_EN ? "%lld passes issued\n" : "已签发 %lld 张出入证\n", (long long)issued);
    return 0;
}

static int issue(struct cli *c, struct err *e) {
    const char *code = cli_value(c, "household");
    if (code) return issue_household(c, code, e);
    return cli_given(c, "area") ? issue_area(c, e) : err_set(e, ERR_USAGE, "--household", M_REQUIRED);
}

/* ---- verify ---- */

static void print_verdict(const struct cli *c, const struct passes_verdict *v) {
    char number[PASS_NUMBER], until[TIME_TEXT];
    const char *label = label_in(pass_verdict_label(v->verdict), c->lang);
    if (v->read) pass_number(v->claims.id, number), tz_text(c->site->tz, v->claims.expires_at, until);
    if (c->json && v->read)
        printf("{\"verdict\":\"%s\",\"label\":\"%s\",\"number\":\"%s\",\"valid_until\":\"%s\"}\n", pass_verdict_name(v->verdict), label, number, until);
    else if (c->json)
        printf("{\"verdict\":\"%s\",\"label\":\"%s\"}\n", pass_verdict_name(v->verdict), label);
    else if (v->read)
        printf("%s  %s  %s  %s\n", label, number, label_in(pass_kind_label(v->claims.kind), c->lang), until);
    else
        puts(label);
}

static int verify(struct cli *c, const char *text, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(c->site);
    struct passes_verdict v;
    struct record *gate;
    const char *code;
    struct db *db;
    TRY(needed(c, "gate", &code, e));
    TRY(find(c, kind_by_name(STR("gate")), "code", code, &gate, e));
    TRY(site_reader(c->site, &db, e));
    int r = passes_verify(c->site, db, t, &c->a, gate, str_z(text), &v, e);
    site_reader_done(c->site, db);
    if (r) return r;
    print_verdict(c, &v);
    return v.verdict == PASS_VALID ? 0 : err_exit(ERR_INVALID);
}

/* ---- print ---- */

/* "cards.pdf", then "cards-2.pdf" ... */
static const char *numbered(struct cli *c, const char *path, int n) {
    struct str s = str_z(path);
    if (n == 1) return path;
    bool pdf = str_ends(s, STR(".pdf"));
    return arena_printf(&c->a, "%.*s-%d%s", (int)(pdf ? s.n - 4 : s.n), path, n, pdf ? ".pdf" : "");
}

static int print_sheets(struct cli *c, struct db *db, const struct areas *t, const struct area *x, const char *out, struct err *e) {
    enum { BYTES_MOST = 64 << 20 };
    struct passes_place at = {.top = x->path, .path = STR("")};
    struct passes_sheet sheet = {.more = true};
    size_t printed = 0;
    for (int file = 1; sheet.more; file++) {
        struct buf b CLEANUP(buf_release) = BUF(BYTES_MOST);
        const char *path = numbered(c, out, file);
        TRY(passes_sheet(c->site, db, t, &at, c->lang, &c->a, &sheet, e));
        if (sheet.n == 0 && file == 1) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_RECORD, x->name.p, label_in(passes_kind.label, c->lang));
        TRY(cards_sheet(sheet.cards, sheet.n, c->lang, &b, e));
        TRY(write_file(path, buf_str(&b), e));
        if (!c->json) printf(c->lang == LANG_EN ? "%s: %zu cards\n" : "%s：%zu 张\n", path, sheet.n);
        printed += sheet.n;
        at.path = sheet.path;
        at.id = sheet.id;
    }
    if (c->json) printf("{\"printed\":%zu}\n", printed);
    return 0;
}

static int print(struct cli *c, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(c->site);
    const struct area *x;
    const char *out;
    struct db *db;
    TRY(needed(c, "out", &out, e));
    TRY(cli_area(c, t, &x, e));
    TRY(site_reader(c->site, &db, e));
    int r = print_sheets(c, db, t, x, out, e);
    site_reader_done(c->site, db);
    return r;
}

/* ---- revoke, list ---- */

static int end_pass(struct cli *c, const char *typed, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 14);
    struct json_out o = JSON_OUT(&b);
    struct command_call call;
    struct record *pass;
    const char *reason;
    char number[PASS_NUMBER];
    TRY(needed(c, "reason", &reason, e));
    bool good = pass_number_parse(str_z(typed), number);
    TRY(find(c, &passes_kind, "number", good ? number : typed, &pass, e));
    json_object(&o);
    json_put_strz(&o, "reason", reason);
    json_object_end(&o);
    TRY(run_call(c, "pass.revoke", pass->id, buf_str(&b), &call, e));
    if (c->json) printf("{\"number\":\"%s\",\"verdict\":\"revoked\"}\n", number);
    else printf("%s  %s\n", number, label_in(pass_verdict_label(PASS_REVOKED), c->lang));
    return 0;
}

static int make_list(struct cli *c, struct db *db, enum pass_list_kind kind, int64_t from, struct pass_list *ret, struct buf *to, struct err *e) {
    struct passes_keys keys;
    TRY(passes_keys(db, c->site, &c->a, &keys, e));
    TRY(passes_list(db, c->site, &c->a, &keys, kind, from, ret, e));
    return passes_list_file(c->site, &keys, ret, to, e);
}

static int list(struct cli *c, const char *name, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(32 << 20);
    enum pass_list_kind kind;
    struct pass_list l;
    struct db *db;
    int64_t from;
    const char *out;
    TRY(needed(c, "out", &out, e));
    TRY(cli_int(c, "from", 0, INT64_C(1) << 53, 0, &from, e));
    TRY(passes_list_kind(str_z(name), &kind, e));
    TRY(site_reader(c->site, &db, e));
    int r = make_list(c, db, kind, from, &l, &b, e);
    site_reader_done(c->site, db);
    if (r) return r;
    TRY(write_file(out, buf_str(&b), e));
    if (c->json) printf("{\"version\":%lld,\"from\":%lld,\"entries\":%zu}\n", (long long)l.version, (long long)l.base, pass_list_count(&l));
    else printf(c->lang == LANG_EN ? "version %lld, from %lld: %zu entries\n" : "版本 %lld，起自 %lld：%zu 条\n", (long long)l.version, (long long)l.base, pass_list_count(&l));
    return 0;
}

static int run(struct cli *c, struct err *e) {
    static const struct {
        const char *name;
        int args;
        int (*plain)(struct cli *c, struct err *e);
        int (*with)(struct cli *c, const char *what, struct err *e);
    } all[] = {{"issue", 2, issue, NULL}, {"verify", 3, NULL, verify}, {"print", 2, print, NULL}, {"revoke", 3, NULL, end_pass}, {"list", 3, NULL, list}};
    for (size_t i = 0; i < COUNT(all); i++) {
        if (strcmp(c->args[0], all[i].name) != 0 || c->args_n != all[i].args) continue;
        TRY(cli_open(c, c->args[1], e));
        return all[i].plain ? all[i].plain(c, e) : all[i].with(c, c->args[2], e);
    }
    return cli_usage(e, usage);
}

const struct cli_command cli_pass = {"pass", "issue|verify|print|revoke|list DIR [TEXT|NUMBER|LIST]",
                                     {"出入证：签发、核验、打印、作废、名单", "Passes: issue, verify, print, revoke, lists"},
                                     options, COUNT(options), 2, 3, CLI_DB, run};
