#include "cli/cli.h"
#include "core/export.h"

#include <errno.h>
#include <signal.h>

static const struct cli_option options[] = {
    {"area", "CODE", {"区域编号", "Only this area"}, false},
    {"format", "csv|tsv|xlsx|json", {"格式（默认按文件名）", "Format (by the file's name unless given)"}, false},
    {"whole", NULL, {"含完整的身份证号、电话等（需写明理由，并记入日志）", "Sealed fields in full (needs a reason, is journalled)"}, false},
    {"reason", "TEXT", {"导出完整内容的理由", "Why sealed fields are exported in full"}, false},
};

struct progress {
    const struct cli *c;
    int64_t began;
};

static void show_progress(void *arg, int64_t rows) {
    const struct progress *p = arg;
    cli_progress(p->c, p->c->args[1], rows, 0, p->began);
}

static int format_of(const struct cli *c, enum export_format *ret, struct err *e) {
    const char *given = cli_value(c, "format"), *dot = strrchr(c->args[2], '.');
    const char *name = given ? given : dot ? dot + 1 : "csv";
    if (export_format_from(str_z(name), ret)) return 0;
    return err_set(e, ERR_USAGE, "--format", M_CODE, name, "csv, tsv, xlsx, json");
}

/* A reader that has seen enough ("| head") is no failure. */
static int to_stdout(void *arg, const void *p, size_t n, struct err *e) {
    (void)arg;
    if (fwrite(p, 1, n, stdout) == n || errno == EPIPE) return 0;
    return err_set(e, ERR_IO, NULL, M_FILE, "-", strerror(errno));
}

static int run(struct cli *c, struct err *e) {
    const struct kind *k = kind_by_name(str_z(c->args[1]));
    struct progress p = {c, monotonic_us()};
    int64_t rows = 0;
    if (!k) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_KIND, c->args[1], "area, organisation, member, household, resident, gate, gate_scan, triage_visit, case ...");
    bool piped = strcmp(c->args[2], "-") == 0;
    struct export_options o = {.actor = &actor_system, .lang = c->lang, .area = cli_value(c, "area"), .whole = cli_given(c, "whole"),
                               .reason = cli_value(c, "reason"), .path = c->args[2], .write = piped ? to_stdout : NULL, .progress = show_progress, .progress_arg = &p};
    TRY(format_of(c, &o.format, e));
    if (piped) signal(SIGPIPE, SIG_IGN);
    int status = export_kind(c->site, k, &o, &rows, e);
    cli_progress_end(c);
    if (status || piped) return status;
    if (c->json) printf("{\"rows\":%lld,\"file\":\"%s\"}\n", (long long)rows, c->args[2]);
    else printf(c->lang == LANG_EN ? "%lld rows in %s\n" : "%lld 行已写入 %s\n", (long long)rows, c->args[2]);
    return 0;
}

const struct cli_command cli_export = {"export", "DIR KIND FILE|-", {"导出表格（CSV、TSV、XLSX、JSON）", "Export a table (CSV, TSV, XLSX, JSON)"},
                                       options, COUNT(options), 3, 3, CLI_SITE, run};
