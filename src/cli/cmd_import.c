#include "cli/cli.h"
#include "core/import.h"

static const struct cli_option options[] = {
    {"area", "CODE", {"没有写区域的行归入此区域", "Rows without an area of their own go here"}, false},
    {"map", "COLUMN=FIELD", {"指定某列（列名或 A、B…）对应的字段；留空则不取该列", "Take a column (heading or letter) as that field; an empty field drops it"}, true},
    {"dry-run", NULL, {"只预告结果，不写入", "Tell what would happen and write nothing"}, false},
    {"sheet", "NAME", {"工作表名称", "Name of the worksheet"}, false},
    {"charset", "NAME", {"字符集（默认自动识别）：UTF-8 GB18030 BIG5", "Character set (found out by itself): UTF-8 GB18030 BIG5"}, false},
    {"refused", "FILE", {"退回的行写入此文件（默认写在原文件旁）", "Where refused rows go (beside the file by default)"}, false},
};

struct progress {
    const struct cli *c;
    int64_t began;
};

static void show_progress(void *arg, const struct import_counts *n, double fraction) {
    const struct progress *p = arg;
    cli_progress(p->c, p->c->args[2], n->rows, fraction, p->began);
}

static void print_columns(const struct cli *c, const struct import_result *r) {
    for (size_t i = 0; i < r->columns_n; i++)
        if (!r->columns[i].field && r->columns[i].heading.n && strcmp(r->columns[i].how, "none") == 0)
            printf(c->lang == LANG_EN ? "column not taken: %.*s\n" : "未采用的列：%.*s\n", STR_FMT(r->columns[i].heading));
}

static void print_result(const struct cli *c, const struct import_result *r) {
    static const struct label names[] = {{"新增", "imported"}, {"更新", "updated"}, {"未变", "unchanged"}, {"待查重", "queued"}, {"退回", "refused"}};
    const int64_t values[] = {r->counts.imported, r->counts.updated, r->counts.unchanged, r->counts.queued, r->counts.refused};
    for (size_t i = 0; i < COUNT(names); i++) printf("%s%s %lld", i ? "  " : "", label_in(names[i], c->lang), (long long)values[i]);
    printf("\n");
    print_columns(c, r);
    for (size_t i = 0; i < r->problems_n && i < 10; i++) {
        const struct import_problem *p = &r->problems[i];
        printf(c->lang == LANG_EN ? "row %lld, %.*s: %.*s%s%.*s\n" : "第 %lld 行，%.*s：%.*s%s%.*s\n", (long long)p->row, STR_FMT(p->column), STR_FMT(p->reason),
               p->value.n ? " ← " : "", STR_FMT(p->value));
    }
    if (r->counts.refused > 10) printf("...\n");
    if (r->refused_file.n) printf(c->lang == LANG_EN ? "refused rows with reasons: %.*s\n" : "退回的行及原因：%.*s\n", STR_FMT(r->refused_file));
}

static int run(struct cli *c, struct err *e) {
    const char *map[64];
    size_t map_n = 0;
    const struct kind *k = kind_by_name(str_z(c->args[1]));
    struct progress p = {c, monotonic_us()};
    struct import_result r = {.columns_n = 0};
    if (!k) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_KIND, c->args[1], "area, organisation, member, household, resident, gate, gate_scan, triage_visit, case ...");
    for (int i = 0; i < c->given_n && map_n < COUNT(map); i++)
        if (strcmp(c->given[i].option->name, "map") == 0) map[map_n++] = c->given[i].value;
    struct import_options o = {
        .actor = &actor_system, .lang = c->lang, .area = cli_value(c, "area"), .map = map, .map_n = map_n, .dry_run = cli_given(c, "dry-run"),
        .sheet = cli_value(c, "sheet"), .charset = cli_value(c, "charset"), .refused_path = cli_value(c, "refused"),
        .refused_beside = !cli_given(c, "refused"), .progress = show_progress, .progress_arg = &p,
    };
    int status = import_file(c->site, k, c->args[2], &o, &c->a, &r, e);
    cli_progress_end(c);
    if (status) return status;
    if (!c->json) {
        print_result(c, &r);
        return 0;
    }
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    struct json_out out = JSON_OUT(&b);
    import_answer(&r, r.refused_file, &out);
    puts(b.p);
    return 0;
}

const struct cli_command cli_import = {"import", "DIR KIND FILE", {"导入表格（CSV、TSV、XLSX、XLS）", "Import a table (CSV, TSV, XLSX, XLS)"},
                                       options, COUNT(options), 3, 3, CLI_SITE, run};
