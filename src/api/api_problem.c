/* Errors as RFC 9457 problem details, with every field that is wrong at once.  What went wrong inside the program stays in the log. */
#include "api/request.h"

struct str field_label(const struct kind *k, struct str field, enum lang lang) {
    static const struct {
        const char *name;
        struct label label;
    } members[] = {
        {"id", {"编号", "Id"}}, {"command", {"命令", "Command"}}, {"record", {"记录", "Record"}}, {"version", {"版本", "Version"}},
        {"area", {"区域", "Area"}}, {"data", {"内容", "Content"}}, {"fields", {"字段", "Fields"}}, {"reason", {"理由", "Reason"}},
        {"households", {"户", "Households"}}, {"member", {"责任人", "Member"}}, {"login", {"用户名", "User name"}},
        {"password", {"密码", "Password"}}, {"new", {"新密码", "New password"}}, {"code", {"动态码", "One-time code"}},
        {"on", {"日期", "Day"}}, {"from", {"起始日期", "From"}}, {"to", {"截止日期", "To"}}, {"since", {"起始日期", "From"}},
        {"until", {"截止日期", "To"}}, {"limit", {"条数", "Limit"}}, {"after", {"翻页位置", "Page"}}, {"dim", {"细分", "Cut"}},
        {"target", {"每人户数", "Households each"}}, {"most", {"每人最多户数", "Most households each"}}, {"parent", {"上级区域", "Parent area"}},
        {"query", {"参数", "Parameters"}}, {"format", {"格式", "Format"}}, {"name", {"名称", "Name"}}, {"q", {"搜索", "Search"}},
    };
    int i = k ? kind_field(k, field) : -1;
    if (i >= 0) return str_z(label_in(k->fields[i].label, lang));
    for (size_t j = 0; j < COUNT(members); j++)
        if (str_eqz(field, members[j].name)) return str_z(label_in(members[j].label, lang));
    return field;
}

static bool is_ours(const struct err *e) {
    return err_http(e->code) == 500;
}

static void add_detail(struct buf *b, const struct problem *p, const struct err *e, bool with_label) {
    size_t before = b->n;
    if (is_ours(e)) {
        buf_addz(b, err_title(e->code, p->lang));
        return;
    }
    if (with_label && e->field[0]) {
        buf_add_str(b, field_label(p->kind, str_z(e->field), p->lang));
        buf_addz(b, p->lang == LANG_EN ? " " : "：");
    }
    size_t text = b->n;
    err_text(e, p->lang, b);
    if (b->n == text && b->n == before) buf_addz(b, err_title(e->code, p->lang));
}

static void put_detail(struct json_out *o, const struct problem *p, const struct err *e, bool with_label) {
    struct buf b CLEANUP(buf_release) = BUF(2000);
    add_detail(&b, p, e, with_label);
    json_put_str(o, "detail", buf_str(&b));
}

static void put_errors(struct json_out *o, const struct problem *p) {
    json_key(o, "errors");
    json_array(o);
    for (size_t i = 0; i < p->errs->n; i++) {
        const struct err *e = &p->errs->e[i];
        json_object(o);
        json_put_strz(o, "field", e->field);
        json_put_str(o, "label", field_label(p->kind, str_z(e->field), p->lang));
        json_put_strz(o, "reason", msg_name(e->msg));
        put_detail(o, p, e, false);
        json_object_end(o);
    }
    json_array_end(o);
}

void problem_write(const struct problem *p, struct json_out *o) {
    const struct err *e = p->e;
    struct err first = *e;
    struct errs one = {.e = &first, .n = e->field[0] != 0};
    struct problem with_one = *p;
    json_object(o);
    json_put_strz(o, "type", "about:blank");
    json_put_strz(o, "title", err_title(e->code, p->lang));
    json_put_int(o, "status", err_http(e->code));
    json_put_strz(o, "code", err_name(e->code));
    put_detail(o, p, e, true);
    if (e->field[0]) json_put_strz(o, "field", e->field);
    if (e->msg != M_NONE && !is_ours(e)) json_put_strz(o, "reason", msg_name(e->msg));
    if (p->hint) json_put_strz(o, "hint", p->hint);
    if (p->request_id) json_put_strz(o, "request_id", p->request_id);
    if (!p->errs || p->errs->n == 0) with_one.errs = &one;
    if (with_one.errs->n) put_errors(o, &with_one);
    if (p->more.n) {
        buf_addc(o->to, ',');
        buf_add_str(o->to, p->more);
    }
    json_object_end(o);
}

void problem_refuse(void *app, int status, const char *why, struct buf *body, const char **ret_type) {
    static const struct {
        int status;
        enum err_code code;
    } codes[] = {{405, ERR_METHOD}, {413, ERR_TOO_LARGE}, {431, ERR_HEAD_TOO_LARGE}, {500, ERR_INTERNAL}, {503, ERR_BUSY}};
    enum err_code code = ERR_BAD_REQUEST;
    struct json_out o = JSON_OUT(body);
    (void)app;
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].status == status) code = codes[i].code;
    json_object(&o);
    json_put_strz(&o, "type", "about:blank");
    json_put_strz(&o, "title", err_title(code, LANG_ZH_HANS));
    json_put_int(&o, "status", status);
    json_put_strz(&o, "code", err_name(code));
    json_put_strz(&o, "detail", why);
    json_object_end(&o);
    *ret_type = "application/problem+json; charset=utf-8";
}
