#include "systems/bulletin/bulletin.h"

#include "core/area.h"
#include "core/figure.h"
#include "systems/rules.h"

static const struct field fields[] = {
    {"since", F_DATE, {"起始日期", "From"}, .flags = REQUIRED | INDEXED | LIST},
    {"until", F_DATE, {"截止日期", "To"}, .flags = REQUIRED | LIST},
    {"revision", F_INT, {"版次", "Revision"}, .min = 1, .max = 100000, .flags = READ_ONLY | LIST},
    {"figures", F_TEXT, {"数据", "Figures"}, .max = BULLETIN_FIGURES_BYTES, .flags = READ_ONLY},
    {"issued_at", F_TIME, {"发布时间", "Issued"}, .flags = READ_ONLY | LIST},
    {"note", F_TEXT, {"备注", "Note"}, .max = 2000},
};

static int derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)e;
    rule_period(tx, r, errs);
    /* The only way in is bulletin.issue; afterwards nothing but the note may change. */
    if (!old && !record_has(r, "figures")) rule_refuse(errs, "figures", M_READ_ONLY);
    if (old && !val_eq(record_get(old, "since"), record_get(r, "since"))) rule_refuse(errs, "since", M_READ_ONLY);
    if (old && !val_eq(record_get(old, "until"), record_get(r, "until"))) rule_refuse(errs, "until", M_READ_ONLY);
    return 0;
}

const struct kind bulletin_kind = {.name = "bulletin", .label = {"通报", "Bulletin"}, FIELDS(fields), .derive = derive};

struct stmt bulletin_stmts[] = {
#define S(n, ...) STMT(n, __VA_ARGS__),
#include "systems/bulletin/bulletin_stmts.inc"
#undef S
};

/* ---- bulletin.issue ---- */
static int issue_area(struct tx *tx, struct command_call *call, struct record *r, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(tx->site);
    struct id id;
    const struct area *x = NULL;
    if (call->area.n == 0) x = t->n ? &t->all[0] : NULL;
    else if (id_parse(call->area, &id)) x = areas_by_id(t, id);
    else x = areas_by_code(t, call->area);
    if (!x) return err_set(e, ERR_INVALID, "area", M_NO_RECORD, arena_strz(tx->a, call->area), "area");
    r->area = x->id;
    r->path = arena_str(tx->a, x->path);
    return tx_require(tx, r->path, e);
}

static void add_number(struct json_out *o, const struct figure_value *v) {
    json_key(o, "value");
    if (v->none) json_null(o);
    else json_dbl(o, v->value);
}

static void add_figure(struct json_out *o, const struct figure *f, const struct figure_value *v, size_t n) {
    json_object(o);
    json_put_strz(o, "id", f->id);
    json_put_strz(o, "unit", f->unit);
    add_number(o, &v[0]);
    json_key(o, "cuts");
    json_array(o);
    for (size_t i = 1; i < n; i++) {
        json_object(o);
        json_put_str(o, "cut", v[i].cut);
        add_number(o, &v[i]);
        json_object_end(o);
    }
    json_array_end(o);
    json_object_end(o);
}

static int all_figures(struct tx *tx, struct str path, day_t from, day_t to, struct str *ret, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(BULLETIN_FIGURES_BYTES);
    struct json_out o = JSON_OUT(&b);
    const struct figure *f;
    TRY(figures_foresee(tx->db, tx->site, tx->a, path, from, to, e));
    json_array(&o);
    for (size_t i = 0; (f = figure_at(i)); i++) {
        struct figure_query q = {.figure = f, .path = path, .from = from, .to = to};
        struct figure_value *v;
        size_t n;
        if (f->hidden) continue;
        TRY(figure_cuts(tx->db, tx->site, tx->a, &q, &v, &n, e));
        if (n) add_figure(&o, f, v, n);
    }
    json_array_end(&o);
    if (b.failed) return err_set(e, ERR_TOO_LARGE, "figures", M_BODY_SIZE, arena_printf(tx->a, "%d", BULLETIN_FIGURES_BYTES));
    *ret = arena_str(tx->a, buf_str(&b));
    return 0;
}

static int bulletin_issue(struct tx *tx, struct command_call *call, struct err *e) {
    struct record *r = record_new(tx->a, &bulletin_kind);
    struct str text;
    int64_t newest = 0;
    TRY(issue_area(tx, call, r, e));
    TRY(rule_input(tx, call, &bulletin_kind, "since", "since", record_val(r, "since"), e));
    TRY(rule_input(tx, call, &bulletin_kind, "until", "until", record_val(r, "until"), e));
    TRY(rule_input(tx, call, &bulletin_kind, "note", "note", record_val(r, "note"), e));
    if (!record_has(r, "since")) return err_set(e, ERR_INVALID, "since", M_REQUIRED);
    if (!record_has(r, "until")) return err_set(e, ERR_INVALID, "until", M_REQUIRED);
    day_t from = record_day(r, "since", tx->site->tz), to = record_day(r, "until", tx->site->tz);
    if (to < from || to - from > BULLETIN_DAYS) return err_set(e, ERR_INVALID, "until", M_BEFORE, arena_strz(tx->a, record_text(r, "since")));
    TRY(all_figures(tx, r->path, from, to, &text, e));
    if (db_int(tx->db, &bulletin_stmts[BULLETIN_NEWEST], &newest, e, VINT(tx->site->id), VID(r->area), *record_get(r, "since"), *record_get(r, "until"), VTEXT(r->path)) < 0)
        return -1;
    record_set_int(r, "revision", newest + 1);
    record_set_int(r, "issued_at", tx->now);
    record_set_text(r, "figures", text);
    return tx_create(tx, r, &call->errs, e);
}

static const struct command commands[] = {
    {"bulletin.issue", {"发布通报", "Issue a bulletin"}, &bulletin_kind, bulletin_issue, .reads_figures = true},
};

static const struct kind *const kinds[] = {&bulletin_kind, NULL};
const struct system bulletin_system = {
    .name = "bulletin", .label = {"通报", "Bulletins"}, .kinds = kinds, .commands = commands, .commands_n = COUNT(commands),
    .stmts = bulletin_stmts, .stmts_n = COUNT(bulletin_stmts),
};
