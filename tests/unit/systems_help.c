#include "systems_help.h"

#include <stdarg.h>

#include "base/log.h"

static struct str json_quotes(struct arena *a, struct str s) {
    struct str c = arena_str(a, s);
    for (size_t i = 0; i < c.n; i++)
        if (c.p[i] == '\'') ((char *)c.p)[i] = '"';
    return c;
}

static int run_command(struct desk *d, const char *command, const char *area, const char *record, struct str data, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    char id[ID_TEXT];
    struct json *j;
    buf_addf(&b, "{\"id\":\"%s\",\"command\":\"%s\"", id_text(id_new(site_now(d->site)), id), command);
    if (area) buf_addf(&b, ",\"area\":\"%s\"", area);
    if (record) buf_addf(&b, ",\"record\":\"%s\"", record);
    buf_addz(&b, ",\"data\":");
    buf_add_str(&b, json_quotes(&d->a, data));
    buf_addc(&b, '}');
    d->last = (struct command_call){.a = &d->a, .actor = d->actor ? d->actor : &actor_system, .lang = LANG_EN};
    CHECK(!b.failed);
    CHECK(json_parse(&d->a, arena_str(&d->a, buf_str(&b)), NULL, &j, e) == 0);
    TRY(command_parse(d->site, j, &d->last, e));
    return command_do(d->site, &d->last, e);
}

#define FORMAT(d, text)                                                                                                \
    char text[8192];                                                                                                   \
    va_list ap;                                                                                                        \
    va_start(ap, data_fmt);                                                                                            \
    CHECK(vsnprintf(text, sizeof text, data_fmt, ap) < (int)sizeof text);                                              \
    va_end(ap)

const char *say(struct desk *d, const char *command, const char *area, const char *record, const char *data_fmt, ...) {
    struct err e;
    char id[ID_TEXT];
    FORMAT(d, text);
    if (run_command(d, command, area, record, str_z(text), &e)) {
        struct buf b CLEANUP(buf_release) = BUF(1000);
        err_text(&e, LANG_EN, &b);
        unit_fail(__FILE__, __LINE__, "%s %s: %s %s", command, text, e.field, b.p);
    }
    return arena_printf(&d->a, "%s", id_text(d->last.ret_record, id));
}

struct err refused(struct desk *d, const char *command, const char *area, const char *record, const char *data_fmt, ...) {
    struct err e = {0};
    FORMAT(d, text);
    if (run_command(d, command, area, record, str_z(text), &e) == 0) unit_fail(__FILE__, __LINE__, "%s %s was not refused", command, text);
    return e;
}

void desk_clock(struct desk *d, const char *text) {
    CHECK(tz_parse(d->site->tz, str_z(text), &d->site->clock.fixed_us));
}

static void area(struct desk *d, const char *parent, const char *code, const char *level, const char *name) {
    say(d, "area.create", NULL, NULL, "{'name':'%s','code':'%s','level':'%s','parent':'%s'}", name, code, level, parent);
}

void desk_open(struct desk *d) {
    struct err e;
    const char *dir = arena_printf(&d->a, "%s/site", unit_dir());
    log_quiet(true);
    site_program_init(systems_all);
    CHECK(site_create(dir, &(struct site_options){.name = "吉县", .tz = "Asia/Shanghai", .level = "county", .code = "jixian"}, &e) == 0);
    CHECK(site_open(dir, &d->site, &e) == 0);
    desk_clock(d, "2020-02-10 12:00");
    area(d, "jixian", "town", "group", "城区");
    area(d, "town", "xg", "community", "西关社区");
    area(d, "xg", "q1", "quarter", "一号院");
    area(d, "q1", "b1", "building", "1号楼");
    area(d, "q1", "b2", "building", "2号楼");
    area(d, "jixian", "rural", "group", "农村");
    area(d, "rural", "v1", "village", "柏山寺村");
}

void desk_close(struct desk *d) {
    site_close(d->site);
    arena_release(&d->a);
}

struct record *loaded(struct desk *d, const char *kind, const char *id) {
    struct db *db;
    struct err e;
    struct id wanted;
    struct record *r = NULL;
    CHECK(id_parse(str_z(id), &wanted));
    CHECK(site_reader(d->site, &db, &e) == 0);
    CHECK(record_load(db, d->site->id, &d->a, kind_by_name(str_z(kind)), wanted, &r, &e) == 1);
    site_reader_done(d->site, db);
    return r;
}

double figure_of(struct desk *d, const char *id, const char *area_code, const char *since, const char *until, const char *dims) {
    struct areas *t = site_areas(d->site);
    struct db *db;
    struct err e;
    struct figure_value v;
    struct figure_query q = {.figure = figure_by_id(str_z(id)), .path = areas_by_code(t, str_z(area_code))->path};
    CHECK(q.figure);
    CHECK(day_from_iso(str_z(since), &q.from) && day_from_iso(str_z(until ? until : since), &q.to));
    if (dims) CHECK(dims_parse(&d->a, str_z(dims), &q, &e) == 0);
    CHECK(site_reader(d->site, &db, &e) == 0);
    CHECK(figure_value(db, d->site, &d->a, &q, &v, &e) == 0);
    site_reader_done(d->site, db);
    areas_drop(t);
    return v.none ? -1 : v.value;
}

static void wrong_tally(void *arg, const struct tally_key *k, int64_t stored, int64_t counted) {
    (void)arg;
    unit_fail(__FILE__, __LINE__, "tally %.*s %.*s: %lld stored, %lld counted", STR_FMT(k->figure), STR_FMT(k->cut), (long long)stored, (long long)counted);
}

void desk_proves_itself(struct desk *d) {
    struct db *db;
    struct err e;
    const struct system *s;
    CHECK(site_reader(d->site, &db, &e) == 0);
    CHECK(tally_recount(d->site, db, wrong_tally, NULL, &e) == 0);
    for (size_t i = 0; (s = system_at(i)); i++)
        for (size_t j = 0; j < s->checks_n; j++) {
            struct rows *rows;
            CHECK(db_query(db, &s->checks[j].stmt, &rows, &e, VINT(d->site->id)) == 0);
            if (rows_next(rows, &e) != 0) unit_fail(__FILE__, __LINE__, "check %s finds something", s->checks[j].name);
            rows_done(rows);
        }
    site_reader_done(d->site, db);
}

const char *id_number(struct desk *d, const char *birth, int n) {
    static const int weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    char *s = arena_printf(&d->a, "142628%s%03d?", birth, 2 * n + 1);
    int sum = 0;
    for (int i = 0; i < 17; i++) sum += (s[i] - '0') * weights[i];
    s[17] = "10X98765432"[sum % 11];
    return s;
}
