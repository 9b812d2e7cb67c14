/* gendoc DIR: writes the reference pages from the tables of the program: kinds, personal, figures, roles, commands, routes, cli,
 * errors (.md).  It is linked with the whole program but main.c, so a page cannot say other than what runs.  `make docs` runs it; a test
 * compares what stands in docs/ref with what it writes. */
#include <errno.h>

#include "api/request.h"
#include "cli/cli.h"
#include "systems/systems.h"

enum { PAGE_MOST = 4 << 20 };

/* ---- pieces of a page ---- */

/* A cell of a table: a bar would end it, a new line the row. */
static void cell(struct buf *b, const char *text) {
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '|') buf_addc(b, '\\');
        buf_addc(b, *p == '\n' ? ' ' : *p);
    }
}

static void cells(struct buf *b, const char *const *texts, size_t n) {
    buf_addc(b, '|');
    for (size_t i = 0; i < n; i++) {
        buf_addc(b, ' ');
        cell(b, texts[i]);
        buf_addz(b, " |");
    }
    buf_addc(b, '\n');
}
#define ROW(b, ...) cells((b), (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))

static void heads(struct buf *b, const char *const *texts, size_t n) {
    cells(b, texts, n);
    buf_addc(b, '|');
    for (size_t i = 0; i < n; i++) buf_addz(b, " --- |");
    buf_addc(b, '\n');
}
#define HEAD(b, ...) heads((b), (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))

static void title(struct buf *b, const char *zh, const char *en, const char *about) {
    buf_addz(b, "<!-- Written by `make docs` from the tables of the program. Change the table, not this page. -->\n");
    buf_addf(b, "# %s %s\n\n%s\n\n", zh, en, about);
}

/* "zh|en" of a purpose. */
static struct label purpose(struct arena *a, const struct kind *k) {
    struct str rest = str_z(k->purpose ? k->purpose : ""), zh = STR("");
    str_cut(&rest, '|', &zh);
    return (struct label){arena_strz(a, zh), rest.p ? arena_strz(a, rest) : ""};
}

static const char *code_text(struct arena *a, const char *text) {
    return text && *text ? arena_printf(a, "`%s`", text) : "";
}

static bool about_people(const struct field *f) {
    return f->flags & (PERSONAL | SEALED);
}

/* ---- kinds ---- */

static const char *takes(struct arena *a, const struct field *f) {
    switch (f->type) {
    case F_REF: return arena_printf(a, "[%s](#%s)", f->ref, f->ref);
    case F_INT: case F_REAL:
        if (f->min == f->max) return f->unit ? f->unit : "";
        return arena_printf(a, "%.15g – %.15g%s%s", f->min, f->max, f->unit ? " " : "", f->unit ? f->unit : "");
    case F_TEXT: case F_NAME: return arena_printf(a, "≤ %.15g", f->max > 0 ? f->max : 200);
    case F_CODE: case F_CODES: return "↓";
    default: return "";
    }
}

static const char *marks(struct arena *a, const struct field *f) {
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {{REQUIRED, "required"}, {KEY, "key"}, {UNIQUE, "unique"}, {PERSONAL, "personal"}, {SEALED, "sealed"}, {FIND, "find"},
                 {READ_ONLY, "read-only"}, {PAST, "past"}, {INDEXED, "filter"}, {SEARCH, "search"}, {LIST, "list"}};
    const char *all = "";
    for (size_t i = 0; i < COUNT(words); i++)
        if (f->flags & words[i].flag) all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", words[i].word);
    return all;
}

static const char *other_headings(struct arena *a, const struct field *f) {
    const char *all = "";
    struct str rest = str_z(f->also ? f->also : ""), part;
    while (str_cut(&rest, '|', &part)) all = arena_printf(a, "%s%s%.*s", all, *all ? " · " : "", STR_FMT(part));
    return all;
}

static void kind_facts(struct buf *b, struct arena *a, const struct kind *k) {
    struct label why = purpose(a, k);
    buf_addf(b, "## %s\n\n**%s %s**", k->name, k->label.zh, k->label.en);
    if (k->flags & KIND_LOG) buf_addz(b, " · 只增不改 append-only");
    if (k->flags & KIND_ADMIN) buf_addz(b, " · 系统管理 administration");
    if (k->flags & KIND_NO_AREA) buf_addz(b, " · 不分区域 no area of its own");
    if (k->area_from) buf_addf(b, " · 区域取自 area from `%s`", k->area_from);
    buf_addz(b, "\n\n");
    if (k->purpose) buf_addf(b, "%s  \n%s\n\n", why.zh, why.en);
}

static void kind_codes(struct buf *b, const struct kind *k) {
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        if (!f->codes) continue;
        buf_addf(b, "* `%s`:", f->name);
        for (const struct code *c = f->codes->codes; c->value; c++)
            buf_addf(b, "%s `%s` %s %s", c == f->codes->codes ? "" : " ·", c->value, c->label.zh, c->label.en);
        buf_addc(b, '\n');
    }
    buf_addc(b, '\n');
}

static void page_kinds(struct buf *b, struct arena *a) {
    const struct kind *k;
    title(b, "记录种类", "Kinds of records",
          "一种记录一节；同一张字段表决定数据库列、检查、接口、表单、导入导出。One section for each kind; the same table makes columns, checks, "
          "the API, forms, import and export.\n\n"
          "Types: `name` a text that is a name; `time` a moment, `date` a day; `code` one of the list below the table, `codes` several; "
          "`ref` a record of another kind.\n\n"
          "Marks: **required** must be filled · **key** names the record in files and references · **unique** no two records share it · **personal** about a "
          "person, erased at the end of retention · **sealed** personal, stored sealed, shown masked, opened with a reason · **find** found by the "
          "whole value · **read-only** filled in by the program · **past** not after now · **filter** lists can be filtered by it quickly · "
          "**search** found by the search box · **list** a column of lists.");
    for (size_t i = 0; (k = kind_at(i)); i++) buf_addf(b, "%s[%s](#%s) %s", i ? " · " : "", k->name, k->name, k->label.zh);
    buf_addz(b, "\n\n");
    for (size_t i = 0; (k = kind_at(i)); i++) {
        kind_facts(b, a, k);
        HEAD(b, "field", "名称", "label", "type", "takes", "marks", "导入时也认 also known as");
        for (size_t j = 0; j < k->n; j++) {
            const struct field *f = &k->fields[j];
            ROW(b, code_text(a, f->name), f->label.zh, f->label.en, field_type_name(f->type), takes(a, f), marks(a, f), other_headings(a, f));
        }
        buf_addc(b, '\n');
        kind_codes(b, k);
    }
}

/* ---- who may do what ---- */

static const char *roles_with(struct arena *a, const char *kind, const char *verb) {
    const struct role *r;
    const char *all = "";
    for (size_t i = 0; (r = role_at(i)); i++)
        if (role_grants(r, kind, verb)) all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", r->label.zh);
    return all;
}

static const char *roles_with_en(struct arena *a, const char *kind, const char *verb) {
    const struct role *r;
    const char *all = "";
    for (size_t i = 0; (r = role_at(i)); i++)
        if (role_grants(r, kind, verb)) all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", r->name);
    return all;
}

static bool kind_has(const struct kind *k, unsigned flags) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & flags) return true;
    return false;
}

static void personal_fields(struct buf *b, const struct kind *k, bool sealed) {
    bool any = false;
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        if (!about_people(f) || ((f->flags & SEALED) != 0) != sealed) continue;
        buf_addf(b, "%s%s (`%s`)", any ? ", " : sealed ? "* 密封 Sealed: " : "* 记入 Kept: ", f->label.zh, f->name);
        any = true;
    }
    if (any) buf_addc(b, '\n');
}

static void page_personal(struct buf *b, struct arena *a) {
    const struct kind *k;
    title(b, "登记了哪些个人信息", "What is kept about people",
          "每种记录：为什么、记什么、谁能看、谁能查看密封内容、留到何时。角色只在其负责的区域内有效。For each kind: why, what, who may read it, who may open "
          "what is sealed, until when. A role holds within its areas only.\n\n"
          "密封的字段加密保存，只显示头尾；查看须写明理由，并记入日志。到期后个人部分被清除，数字不变。Sealed fields are stored encrypted and shown "
          "masked; opening one takes a reason and is journalled. At the end the personal part is erased and the figures stay.");
    for (size_t i = 0; (k = kind_at(i)); i++) {
        if (!kind_has(k, PERSONAL | SEALED)) continue;
        struct label why = purpose(a, k);
        buf_addf(b, "## %s\n\n**%s %s**", k->name, k->label.zh, k->label.en);
        if (k->purpose) buf_addf(b, ": %s · %s", why.zh, why.en);
        buf_addz(b, "\n\n");
        personal_fields(b, k, false);
        personal_fields(b, k, true);
        buf_addf(b, "* 可看 Read: %s (%s)\n", roles_with(a, k->name, "read"), roles_with_en(a, k->name, "read"));
        if (kind_has(k, SEALED)) buf_addf(b, "* 可查看密封内容 Open: %s (%s)\n", roles_with(a, k->name, "open"), roles_with_en(a, k->name, "open"));
        if (k->retention_days)
            buf_addf(b, "* 保留 Until: 最后一次修改后 %d 天 %d days after the last change\n", k->retention_days, k->retention_days);
        else buf_addz(b, "* 保留 Until: 未定天数，程序不自行清除 no fixed day, not erased by the program itself\n");
        buf_addc(b, '\n');
    }
}

static const char *granted(struct arena *a, const struct role *r, const struct kind *k) {
    static const struct {
        const char *verb, *letter;
    } verbs[] = {{"read", "R"}, {"create", "C"}, {"update", "U"}, {"remove", "X"}, {"open", "O"}};
    const char *all = "";
    const struct command *c;
    for (size_t i = 0; i < COUNT(verbs); i++) {
        bool log = k->flags & KIND_LOG && (i == 2 || i == 3), sealed = i != 4 || kind_has(k, SEALED);
        if (!log && sealed && role_grants(r, k->name, verbs[i].verb)) all = arena_printf(a, "%s%s", all, verbs[i].letter);
    }
    for (size_t i = 0; (c = command_at(i)); i++) {
        const char *verb = strchr(c->name, '.') + 1;
        if (c->kind == k && role_grants(r, k->name, verb)) all = arena_printf(a, "%s%s%s", all, *all ? " " : "", verb);
    }
    return all;
}

enum { ROLES_MOST = 30 };

static void page_roles(struct buf *b, struct arena *a) {
    const struct role *r;
    const struct kind *k;
    const char *line[ROLES_MOST + 1] = {""};
    size_t n = 0;
    title(b, "角色与权限", "Roles and what they may do",
          "用户在某个区域有某个角色；权限及于该区域及其下级。A user has a role in an area; it holds there and below.\n\n"
          "R 看 read · C 新增 create · U 修改 update · X 删除 remove · O 查看密封内容 open · 其余为该种记录自己的命令 others are the kind's own commands.");
    HEAD(b, "role", "角色", "label");
    for (; (r = role_at(n)) && n < ROLES_MOST; n++) {
        ROW(b, code_text(a, r->name), r->label.zh, r->label.en);
        line[n + 1] = r->label.zh;
    }
    buf_addc(b, '\n');
    line[0] = "kind";
    heads(b, line, n + 1);
    for (size_t i = 0; (k = kind_at(i)); i++) {
        line[0] = arena_printf(a, "`%s` %s", k->name, k->label.zh);
        for (size_t j = 0; j < n; j++) line[j + 1] = granted(a, role_at(j), k);
        cells(b, line, n + 1);
    }
    line[0] = "`figure` 指标";
    for (size_t j = 0; j < n; j++) line[j + 1] = role_grants(role_at(j), "figure", "read") ? "R" : "";
    cells(b, line, n + 1);
    line[0] = "`import` 导入";
    for (size_t j = 0; j < n; j++) line[j + 1] = role_grants(role_at(j), "import", "run") ? "run" : "";
    cells(b, line, n + 1);
}

/* ---- commands ---- */

static void page_commands(struct buf *b, struct arena *a) {
    const struct kind *k;
    const struct command *c;
    title(b, "命令", "Commands",
          "一切改动都是命令，编号由发出者生成，只执行一次。Every change is a command; its id is made by whoever sends it, and it runs once. "
          "How to send one: [the HTTP interface](../api.md).\n\n"
          "`KIND.create` 新增 · `KIND.update` 修改 · `KIND.remove` 删除 · `KIND.open` 查看密封内容");
    HEAD(b, "command", "命令", "label", "角色", "roles");
    for (size_t i = 0; (k = kind_at(i)); i++) {
        static const struct {
            const char *verb;
            struct label label;
        } verbs[] = {{"create", {"新增", "Create"}}, {"update", {"修改", "Update"}}, {"remove", {"删除", "Remove"}}, {"open", {"查看密封内容", "Open"}}};
        for (size_t j = 0; j < COUNT(verbs); j++) {
            if ((k->flags & KIND_LOG && (j == 1 || j == 2)) || (j == 3 && !kind_has(k, SEALED))) continue;
            ROW(b, arena_printf(a, "`%s.%s`", k->name, verbs[j].verb), arena_printf(a, "%s%s", verbs[j].label.zh, k->label.zh),
                arena_printf(a, "%s: %s", k->label.en, verbs[j].label.en), roles_with(a, k->name, verbs[j].verb), roles_with_en(a, k->name, verbs[j].verb));
        }
        for (size_t j = 0; (c = command_at(j)); j++)
            if (c->kind == k)
                ROW(b, code_text(a, c->name), c->label.zh, c->label.en, roles_with(a, k->name, strchr(c->name, '.') + 1),
                    roles_with_en(a, k->name, strchr(c->name, '.') + 1));
    }
}

/* ---- routes ---- */

static const char *needed(struct arena *a, const struct route *r) {
    if (!*r->needs) return "—";
    return strcmp(r->needs, SESSION) == 0 ? "signed in" : arena_printf(a, "`%s`", r->needs);
}

/* Of a need that names a kind and a verb. */
static const char *route_roles(struct arena *a, const struct route *r) {
    const char *dot = strchr(r->needs, '.');
    if (!dot || r->needs[0] == '{') return "";
    return roles_with_en(a, arena_strz(a, (struct str){r->needs, (size_t)(dot - r->needs)}), dot + 1);
}

static void page_routes(struct buf *b, struct arena *a) {
    const struct route *r;
    title(b, "接口地址", "Routes",
          "每个地址要什么权限、请求体最大多少。权限在其区域内有效；记录和区域另行核对。What each route needs, and the largest body it takes. A right holds in its areas; "
          "records and areas are checked as well. How to use them: [the HTTP interface](../api.md).");
    HEAD(b, "method", "route", "needs", "roles", "body", "what");
    for (size_t i = 0; (r = route_at(i)); i++)
        ROW(b, r->method, arena_printf(a, "`%s`", r->pattern), needed(a, r), route_roles(a, r), r->body ? arena_printf(a, "%zu KiB", r->body / 1024) : "", r->what);
}

/* ---- figures ---- */

static const char *how_text(struct arena *a, const struct figure *f) {
    const char *what = f->sum ? arena_printf(a, "sum of `%s.%s`", f->kind->name, f->sum) : f->kind ? arena_printf(a, "`%s`", f->kind->name) : "";
    switch (f->how) {
    case FLOW: return arena_printf(a, "%s, by day of `%s`", what, f->on);
    case STOCK:
        if (!f->on && !f->until) return what;
        return arena_printf(a, "%s standing on the last day, from `%s`%s%s%s", what, f->on ? f->on : "—", f->until ? " until `" : "",
                            f->until ? f->until : "", f->until ? "`" : "");
    case RATIO: return arena_printf(a, "100 × `%s` / `%s`%s", f->part, f->whole, f->per_day ? " × days" : "");
    default: return arena_printf(a, "%s, by a query", what);
    }
}

static const char *how_name(enum figure_how how) {
    static const char *const names[] = {[FLOW] = "flow", [STOCK] = "stock", [RATIO] = "ratio", [QUERY] = "query"};
    return names[how];
}

static void page_figures(struct buf *b, struct arena *a) {
    const struct system *s;
    title(b, "指标", "Figures",
          "按通报的顺序。flow 期间内发生 · stock 期末当日在册 · ratio 比率 · query 查询。In the order of the bulletin. **flow** counts what happened in the period, "
          "**stock** what stands on its last day, **ratio** divides, **query** asks the records.\n\n"
          "条件 when: `a=x|y` 取其一 one of · `a?` 已填 filled · `a!` 未填 empty · `&` 且 and. 细分 cuts: `field=name`. "
          "*(part)*: 不进通报，供其他指标用 not in bulletins, a part of others.");
    for (size_t i = 0; (s = system_at(i)); i++) {
        if (!s->figures_n) continue;
        buf_addf(b, "## %s %s\n\n", s->label.zh, s->label.en);
        HEAD(b, "id", "指标", "label", "unit", "how", "counts", "when", "cuts");
        for (size_t j = 0; j < s->figures_n; j++) {
            const struct figure *f = &s->figures[j];
            ROW(b, arena_printf(a, "`%s`%s", f->id, f->hidden ? " *(part)*" : ""), f->label.zh, f->label.en, f->unit, how_name(f->how), how_text(a, f),
                code_text(a, f->when), code_text(a, f->cuts));
        }
        buf_addc(b, '\n');
    }
}

/* ---- the command line ---- */

static void page_cli(struct buf *b, struct arena *a) {
    title(b, "命令行", "The command line",
          "`lianfang COMMAND ARGUMENTS [OPTIONS]`. 每条命令都有 Every command takes `--help`, `--json` and `--lang zh-Hans|zh-Hant|en`. "
          "未给 `--lang` 时依次看 Without `--lang`: `LF_LANG`, `LC_ALL`, `LC_MESSAGES`, `LANG`. "
          "退出码 Exit codes: [errors](errors.md).");
    for (const struct cli_command *const *k = cli_commands; *k; k++) {
        const struct cli_command *c = *k;
        buf_addf(b, "## %s\n\n`lianfang %s%s%s`\n\n%s  \n%s\n\n", c->name, c->name, *c->args ? " " : "", c->args, c->help.zh, c->help.en);
        bool db = c->flags & (CLI_SITE | CLI_DB);
        if (!c->n && !db) continue;
        HEAD(b, "option", "说明", "what it does");
        for (size_t i = 0; i < c->n + db; i++) {
            const struct cli_option *o = i < c->n ? &c->options[i] : &cli_database;
            ROW(b, arena_printf(a, "`--%s%s%s`%s", o->name, o->value ? " " : "", o->value ? o->value : "", o->many ? " …" : ""), o->help.zh, o->help.en);
        }
        buf_addc(b, '\n');
    }
}

/* ---- errors ---- */

static void page_errors(struct buf *b, struct arena *a) {
    static const struct {
        const char *name;
        struct label label;
    } reasons[] = {
#define M(n, zh, en) {#n, {zh, en}},
#include "base/messages.inc"
#undef M
    };
    title(b, "错误", "Errors",
          "接口回答 RFC 9457 `application/problem+json`；命令行以退出码结束。The API answers `application/problem+json`; the command line ends with the exit code. "
          "`code` 是哪一类，`reason` 是为什么。`code` says what sort of error it is, `reason` why.");
    HEAD(b, "code", "HTTP", "exit", "标题", "title");
    for (int i = ERR_NONE + 1; i < ERR__COUNT; i++) {
        enum err_code code = (enum err_code)i;
        ROW(b, code_text(a, err_name(code)), arena_printf(a, "%d", err_http(code)), arena_printf(a, "%d", err_exit(code)),
            err_title(code, LANG_ZH_HANS), err_title(code, LANG_EN));
    }
    buf_addz(b, "\n## reason\n\n");
    HEAD(b, "reason", "说明", "text");
    for (size_t i = 0; i < COUNT(reasons); i++) ROW(b, code_text(a, reasons[i].name), reasons[i].label.zh, reasons[i].label.en);
}

/* ---- writing ---- */

static bool write_page(const char *dir, const char *name, const struct buf *b) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    bool good = f && !b->failed && fwrite(b->p, 1, b->n, f) == b->n;
    if (f && fclose(f) != 0) good = false;
    if (!good) fprintf(stderr, "gendoc: %s: %s\n", path, b->failed ? "too large" : strerror(errno));
    return good;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*make)(struct buf *b, struct arena *a);
    } pages[] = {{"kinds.md", page_kinds},       {"personal.md", page_personal}, {"figures.md", page_figures}, {"roles.md", page_roles},
                 {"commands.md", page_commands}, {"routes.md", page_routes},     {"cli.md", page_cli},         {"errors.md", page_errors}};
    struct arena a CLEANUP(arena_release) = {0};
    struct buf b CLEANUP(buf_release) = BUF(PAGE_MOST);
    if (argc != 2) {
        fprintf(stderr, "gendoc DIR\n");
        return 2;
    }
    registry_load(systems_all);
    for (size_t i = 0; i < COUNT(pages); i++) {
        buf_clear(&b);
        pages[i].make(&b, &a);
        if (!write_page(argv[1], pages[i].name, &b)) return 1;
    }
    return 0;
}
