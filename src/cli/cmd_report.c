/* brief and figure: the numbers and the records that prove them. */
#include <unistd.h>

#include "cli/cli.h"
#include "core/command.h"
#include "core/figure.h"
#include "systems/bulletin/brief.h"

struct question {
    struct areas *areas;
    const struct area *area;
    day_t from, to;
};

static int read_question(struct cli *c, struct question *q, struct err *e) {
    day_t today = site_today(c->site), on;
    q->areas = site_areas(c->site);
    TRY(cli_area(c, q->areas, &q->area, e));
    TRY(cli_day(c, "on", today, &on, e));
    TRY(cli_day(c, "from", on, &q->from, e));
    TRY(cli_day(c, "to", cli_given(c, "from") && !cli_given(c, "on") ? today : on, &q->to, e));
    if (q->to < q->from) return err_set(e, ERR_USAGE, "--to", M_BEFORE, cli_value(c, "from") ? cli_value(c, "from") : "--from");
    return 0;
}

/* ---- brief ---- */

static const struct cli_option brief_options[] = {
    {"area", "CODE", {"区域编号或名称", "Area by code or name"}, false},
    {"on", "DAY", {"日期", "The day"}, false},
    {"from", "DAY", {"起始日期", "First day of a period"}, false},
    {"to", "DAY", {"截止日期", "Last day of a period"}, false},
    {"format", "text|json|html|xlsx", {"格式", "Format"}, false},
    {"out", "FILE", {"写入文件", "Write to a file"}, false},
    {"issue", NULL, {"发布：作为下一版保存，第一版保留", "Issue it: kept as the next revision beside the first"}, false},
};

static int write_out(struct cli *c, struct str text, struct err *e) {
    const char *path = cli_value(c, "out");
    FILE *f = path ? fopen(path, "w") : stdout;
    bool good = f && fwrite(text.p, 1, text.n, f) == text.n;
    good = f && (path ? fclose(f) : fflush(f)) == 0 && good;
    return good ? 0 : err_set(e, ERR_IO, NULL, M_FILE, path ? path : "-", "");
}

static int print_brief(struct cli *c, const struct brief *b, enum brief_format format, struct err *e) {
    struct buf text CLEANUP(buf_release) = BUF(64 << 20);
    switch (format) {
    case BRIEF_XLSX:
        if (!cli_value(c, "out")) return err_set(e, ERR_USAGE, "--out", M_REQUIRED);
        return brief_xlsx(b, c->lang, cli_value(c, "out"), e);
    case BRIEF_JSON: brief_json(b, c->lang, &text); break;
    case BRIEF_HTML: brief_html(b, c->lang, &text); break;
    default: brief_text(b, c->lang, &text);
    }
    return write_out(c, buf_str(&text), e);
}

static int issue(struct cli *c, const struct question *q, struct err *e) {
    char id[ID_TEXT], from[DAY_TEXT], to[DAY_TEXT];
    struct command_call call = {.a = &c->a, .actor = &actor_system, .lang = c->lang};
    struct json *j;
    const char *text = arena_printf(&c->a, "{\"id\":\"%s\",\"command\":\"bulletin.issue\",\"data\":{\"since\":\"%s\",\"until\":\"%s\"}}",
                                    id_text(id_new(site_now(c->site)), id), day_text(q->from, from), day_text(q->to, to));
    TRY(json_parse(&c->a, str_z(text), NULL, &j, e));
    TRY(command_parse(c->site, j, &call, e));
    call.area = q->area->code;
    return command_do(c->site, &call, e);
}

static int brief_run(struct cli *c, struct err *e) {
    struct question q = {.areas = NULL};
    struct brief b;
    struct db *db = NULL;
    enum brief_format format = c->json ? BRIEF_JSON : BRIEF_TEXT;
    const char *name = cli_value(c, "format");
    if (name && !brief_format_from(str_z(name), &format)) return err_set(e, ERR_USAGE, "--format", M_CODE, name, "text, json, html, xlsx");
    int r = read_question(c, &q, e);
    if (r == 0 && cli_given(c, "issue")) r = issue(c, &q, e);
    if (r == 0) r = site_reader(c->site, &db, e);
    if (r == 0) r = brief_make(db, c->site, &c->a, q.area, q.from, q.to, &b, e);
    if (r == 0) r = print_brief(c, &b, format, e);
    site_reader_done(c->site, db);
    areas_drop(q.areas);
    return r;
}

const struct cli_command cli_brief = {"brief", "DIR", {"通报：一个区域一天或一段时间的全部指标", "The bulletin of an area for a day or a period"},
                                      brief_options, COUNT(brief_options), 1, 1, CLI_SITE, brief_run};

/* ---- figure ---- */

static const struct cli_option figure_options[] = {
    {"area", "CODE", {"区域编号或名称", "Area by code or name"}, false},
    {"on", "DAY", {"日期", "The day"}, false},
    {"from", "DAY", {"起始日期", "First day of a period"}, false},
    {"to", "DAY", {"截止日期", "Last day of a period"}, false},
    {"dim", "K=V", {"细分", "A cut of the figure"}, true},
    {"rows", NULL, {"列出数字背后的记录", "List the records behind it"}, false},
};

static void print_row(struct cli *c, const struct areas *t, const struct record *r) {
    char id[ID_TEXT];
    struct str title = record_title(&c->a, r, true);
    const struct area *x = areas_by_path(t, r->path);
    struct str place = x ? areas_full_name(t, &c->a, x) : STR("");
    if (!c->json) {
        printf("%s  %.*s  %.*s\n", id_text(r->id, id), STR_FMT(title), STR_FMT(place));
        return;
    }
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct json_out o = JSON_OUT(&b);
    json_object(&o);
    json_put_strz(&o, "id", id_text(r->id, id));
    json_put_strz(&o, "kind", r->kind->name);
    json_put_str(&o, "title", title);
    json_put_str(&o, "area", place);
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct field *f = &r->kind->fields[i];
        if (f->flags & PERSONAL || r->v[i].type == V_NULL || r->v[i].type == V_BLOB) continue;
        json_key(&o, f->name);
        field_to_json(c->site->tz, f, &r->v[i], &o);
    }
    json_object_end(&o);
    puts(b.p);
}

static int print_rows(struct cli *c, struct db *db, const struct areas *t, const struct figure_query *q, struct err *e) {
    struct figure_cursor cursor = {.path = {"", 0}};
    do {
        struct record *rows;
        size_t n;
        TRY(figure_rows(db, c->site, &c->a, q, &cursor, 500, &rows, &n, e));
        for (size_t i = 0; i < n; i++) print_row(c, t, &rows[i]);
        if (n == 0) break;
    } while (cursor.more);
    return 0;
}

static int print_value(struct cli *c, struct db *db, const struct figure_query *q, struct err *e) {
    struct figure_value v;
    struct buf b CLEANUP(buf_release) = BUF(4096);
    TRY(figure_value(db, c->site, &c->a, q, &v, e));
    if (c->json) {
        struct json_out o = JSON_OUT(&b);
        json_object(&o);
        json_put_strz(&o, "id", q->figure->id);
        json_key(&o, "value");
        if (v.none) json_null(&o);
        else json_dbl(&o, v.value);
        json_put_strz(&o, "unit", q->figure->unit);
        json_put_strz(&o, "label", label_in(q->figure->label, c->lang));
        json_object_end(&o);
    } else {
        buf_addf(&b, "%s: ", label_in(q->figure->label, c->lang));
        brief_value(q->figure, &v, c->lang, &b);
    }
    puts(b.p);
    return 0;
}

static int read_dims(struct cli *c, struct figure_query *q, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(4096);
    for (int i = 0; i < c->given_n; i++)
        if (strcmp(c->given[i].option->name, "dim") == 0) buf_addf(&b, "%s%s", b.n ? ";" : "", c->given[i].value);
    return b.n ? dims_parse(&c->a, arena_str(&c->a, buf_str(&b)), q, e) : 0;
}

static int ask(struct cli *c, struct question *q, struct figure_query *fq, struct err *e) {
    struct db *db;
    TRY(read_question(c, q, e));
    fq->path = q->area->path;
    fq->from = q->from;
    fq->to = q->to;
    TRY(read_dims(c, fq, e));
    TRY(site_reader(c->site, &db, e));
    int r = cli_given(c, "rows") ? print_rows(c, db, q->areas, fq, e) : print_value(c, db, fq, e);
    site_reader_done(c->site, db);
    return r;
}

static int figure_run(struct cli *c, struct err *e) {
    struct question q = {.areas = NULL};
    struct figure_query fq = {.figure = figure_by_id(str_z(c->args[1]))};
    if (!fq.figure) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_FIGURE, c->args[1]);
    int r = ask(c, &q, &fq, e);
    areas_drop(q.areas);
    return r;
}

const struct cli_command cli_figure = {"figure", "DIR ID", {"一个指标，或它背后的记录", "One figure, or the records behind it"},
                                       figure_options, COUNT(figure_options), 2, 2, CLI_SITE, figure_run};
