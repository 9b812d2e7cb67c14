#include "cli/cli.h"

#include <locale.h>
#include <unistd.h>

#include "base/log.h"
#include "systems/systems.h"

static const struct cli_option common[] = {
    {"help", NULL, {"显示用法", "Show how to use it"}, false},
    {"json", NULL, {"输出 JSON", "Print JSON"}, false},
    {"lang", "zh-Hans|zh-Hant|en", {"输出的语言", "Language of the output"}, false},
};

const struct cli_option cli_database = {
    "db", "postgres://...", {"数据库地址（默认：目录中 database 文件所写的；新建时为 LF_DB）", "Address of the database (default: what the file `database` in the directory says; for a new site LF_DB)"}, false};

const char *cli_value(const struct cli *c, const char *option) {
    for (int i = 0; i < c->given_n; i++)
        if (strcmp(c->given[i].option->name, option) == 0) return c->given[i].value ? c->given[i].value : "";
    return NULL;
}

bool cli_given(const struct cli *c, const char *option) {
    return cli_value(c, option) != NULL;
}

int cli_usage(struct err *e, const char *what) {
    return err_set(e, ERR_USAGE, NULL, M_TEXT, what);
}

int cli_open(struct cli *c, const char *dir, struct err *e) {
    return site_open_at(dir, cli_value(c, "db"), &c->site, e);
}

int cli_int(const struct cli *c, const char *option, int64_t min, int64_t max, int64_t fallback, int64_t *ret, struct err *e) {
    const char *v = cli_value(c, option);
    char lo[24], hi[24];
    *ret = fallback;
    if (!v || str_to_int(str_z(v), min, max, ret)) return 0;
    snprintf(lo, sizeof lo, "%lld", (long long)min);
    snprintf(hi, sizeof hi, "%lld", (long long)max);
    return err_set(e, ERR_USAGE, option, M_RANGE, lo, hi);
}

int cli_day(const struct cli *c, const char *option, day_t fallback, day_t *ret, struct err *e) {
    const char *v = cli_value(c, option);
    *ret = fallback;
    if (!v || day_parse(str_z(v), ret)) return 0;
    return err_set(e, ERR_USAGE, option, M_TYPE_DATE);
}

int cli_area(struct cli *c, struct areas *t, const struct area **ret, struct err *e) {
    const char *code = cli_value(c, "area");
    const struct area *x = code ? areas_by_code(t, str_z(code)) : t->n ? &t->all[0] : NULL;
    if (!x && code && areas_guess(t, &c->a, str_z(code), STR(""), &x) == 1) return *ret = x, 0;
    if (!x) return err_set(e, ERR_NOT_FOUND, "area", M_NO_RECORD, code ? code : "", label_in(kind_by_name(STR("area"))->label, c->lang));
    *ret = x;
    return 0;
}

/* ---- progress ---- */

void cli_progress(const struct cli *c, const char *what, int64_t done, double fraction, int64_t began_us) {
    static int64_t last;
    int64_t now = monotonic_us();
    if (!c->terminal || now - began_us < US_PER_SECOND || now - last < US_PER_SECOND / 5) return;
    last = now;
    double seconds = (double)(now - began_us) / 1e6;
    int filled = (int)(fraction * 30);
    fprintf(stderr, "\r\033[K%s [", what);
    for (int i = 0; i < 30; i++) fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %3d%%  %lld  %.0f/s  %.0f s", (int)(fraction * 100), (long long)done, (double)done / seconds,
            fraction > 0.01 ? seconds / fraction - seconds : 0.0);
    fflush(stderr);
}

void cli_progress_end(const struct cli *c) {
    if (c->terminal) fputs("\r\033[K", stderr);
}

/* ---- help ---- */

static void print_options(const struct cli_option *o, size_t n, enum lang lang) {
    for (size_t i = 0; i < n; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o[i].name, o[i].value ? " " : "", o[i].value ? o[i].value : "");
        printf("  %-34s %s\n", left, label_in(o[i].help, lang));
    }
}

static void print_command_help(const struct cli_command *k, enum lang lang) {
    printf("lianfang %s %s\n  %s\n\n", k->name, k->args, label_in(k->help, lang));
    print_options(k->options, k->n, lang);
    if (k->flags & (CLI_SITE | CLI_DB)) print_options(&cli_database, 1, lang);
    print_options(common, COUNT(common), lang);
}

static void print_help(enum lang lang) {
    static const struct label title = {"联防 lianfang：县和社区的疫情防控工作台", "lianfang: the outbreak desk of a county and its communities"};
    static const struct label more = {"每条命令用 --help 查看选项。", "Each command takes --help."};
    printf("%s\n\n", label_in(title, lang));
    for (const struct cli_command *const *k = cli_commands; *k; k++)
        printf("  lianfang %-9s %-22s %s\n", (*k)->name, (*k)->args, label_in((*k)->help, lang));
    printf("\n%s\n", label_in(more, lang));
}

/* ---- reading the arguments ---- */

static const struct cli_option *find_option(const struct cli_command *k, struct str name) {
    for (size_t i = 0; i < k->n; i++)
        if (str_eqz(name, k->options[i].name)) return &k->options[i];
    for (size_t i = 0; i < COUNT(common); i++)
        if (str_eqz(name, common[i].name)) return &common[i];
    return k->flags & (CLI_SITE | CLI_DB) && str_eqz(name, cli_database.name) ? &cli_database : NULL;
}

static int take_option(struct cli *c, char **argv, int argc, int *i, struct err *e) {
    struct str text = str_z(argv[*i] + 2), name = text, value = STR_NONE;
    ptrdiff_t eq = str_find_char(text, '=');
    if (eq >= 0) {
        name = str_sub(text, 0, (size_t)eq);
        value = str_sub(text, (size_t)eq + 1, text.n);
    }
    const struct cli_option *o = find_option(c->command, name);
    if (!o) return err_set(e, ERR_USAGE, arena_printf(&c->a, "--%.*s", STR_FMT(name)), M_UNKNOWN_OPTION, c->command->name);
    if (o->value && eq < 0) {
        if (++*i >= argc) return err_set(e, ERR_USAGE, arena_printf(&c->a, "--%s", o->name), M_REQUIRED);
        value = str_z(argv[*i]);
    }
    if (!o->value && eq >= 0) return err_set(e, ERR_USAGE, arena_printf(&c->a, "--%s", o->name), M_UNKNOWN_OPTION, c->command->name);
    if (c->given_n == COUNT(c->given)) return cli_usage(e, "too many options");
    c->given[c->given_n].option = o;
    c->given[c->given_n++].value = o->value ? arena_strz(&c->a, value) : NULL;
    return 0;
}

static int read_arguments(struct cli *c, int argc, char **argv, struct err *e) {
    bool only_args = false;
    for (int i = 0; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && strncmp(argv[i], "--", 2) == 0) {
            TRY(take_option(c, argv, argc, &i, e));
        } else {
            if (c->args_n == (int)COUNT(c->args)) return cli_usage(e, "too many arguments");
            c->args[c->args_n++] = argv[i];
        }
    }
    const char *lang = cli_value(c, "lang");
    if (lang && !lang_from(str_z(lang), &c->lang)) return err_set(e, ERR_USAGE, "--lang", M_CODE, lang, "zh-Hans, zh-Hant, en");
    c->json = cli_given(c, "json");
    return 0;
}

static enum lang environment_language(void) {
    const char *names[] = {"LF_LANG", "LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *v = getenv(names[i]);
        enum lang lang;
        if (!v || !*v) continue;
        if (lang_from(str_z(v), &lang)) return lang;
        if (strncmp(v, "zh_TW", 5) == 0 || strncmp(v, "zh_HK", 5) == 0) return LANG_ZH_HANT;
        return strncmp(v, "zh", 2) == 0 ? LANG_ZH_HANS : LANG_EN;
    }
    return LANG_EN;
}

/* ---- running ---- */

static int complain(const struct cli *c, const struct err *e) {
    struct buf text CLEANUP(buf_release) = BUF(4096);
    err_text(e, c->lang, &text);
    if (c->json) {
        struct buf b CLEANUP(buf_release) = BUF(8192);
        struct json_out o = JSON_OUT(&b);
        json_object(&o);
        json_put_strz(&o, "code", err_name(e->code));
        json_put_strz(&o, "field", e->field[0] ? e->field : NULL);
        json_put_strz(&o, "reason", msg_name(e->msg));
        json_put_str(&o, "detail", buf_str(&text));
        json_object_end(&o);
        fprintf(stderr, "%.*s\n", STR_FMT(buf_str(&b)));
    } else {
        fprintf(stderr, "lianfang: %s%s%s\n", e->field, e->field[0] ? ": " : "", text.n ? text.p : err_title(e->code, c->lang));
        if (e->code == ERR_USAGE && c->command) fprintf(stderr, "lianfang %s %s   (--help)\n", c->command->name, c->command->args);
    }
    return err_exit(e->code);
}

static int run_command(struct cli *c, int argc, char **argv, struct err *e) {
    TRY(read_arguments(c, argc, argv, e));
    if (cli_given(c, "help")) {
        print_command_help(c->command, c->lang);
        return 0;
    }
    if (c->args_n < c->command->least || c->args_n > c->command->most) return cli_usage(e, c->command->args);
    site_program_init(systems_all);
    if (c->command->flags & CLI_SITE) TRY(cli_open(c, c->args[0], e));
    int r = c->command->run(c, e);
    site_close(c->site);
    return r;
}

int cli_main(int argc, char **argv) {
    struct cli c = {.lang = environment_language(), .terminal = isatty(STDERR_FILENO)};
    struct err e = {.code = ERR_NONE};
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        print_help(c.lang);
        return 0;
    }
    if (strcmp(name, "--version") == 0) name = "version";
    for (const struct cli_command *const *k = cli_commands; *k && !c.command; k++)
        if (strcmp((*k)->name, name) == 0) c.command = *k;
    if (!c.command) {
        err_set(&e, ERR_USAGE, NULL, M_NO_COMMAND, name);
        return complain(&c, &e);
    }
    int r = run_command(&c, argc - 2, argv + 2, &e);
    int status = r == 0 ? 0 : r > 0 ? r : complain(&c, &e);
    arena_release(&c.a);
    return status;
}
