/* What is exported comes back as it was. */
#include "core/export.h"

#include <stdlib.h>

#include "core/fsck.h"
#include "import_help.h"

static int64_t export_to(struct site *s, const char *kind, const char *path, struct export_options o) {
    struct err e;
    int64_t rows = -1;
    o.actor = o.actor ? o.actor : &actor_system;
    o.path = path;
    if (export_kind(s, kind_by_name(str_z(kind)), &o, &rows, &e)) {
        struct buf b CLEANUP(buf_release) = BUF(1000);
        err_text(&e, LANG_EN, &b);
        unit_fail(__FILE__, __LINE__, "export of %s: %s", kind, b.p);
    }
    return rows;
}

static void fill(struct site *s, struct arena *a) {
    CHECK_COUNTS(import_text(s, "organisation", "o.csv", "名称,编号,组织类型,社区,联系电话\n第一党支部,o1,党支部,西关社区,0357-7921234\n突击队,,突击队,西关社区,\n", NULL), 2, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "member", "m.csv", "姓名,所在党支部,手机号\n钱大,第一党支部,13800000011\n孙二,突击队,13800000012\n", NULL), 2, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "assignment", "a.csv", "人员,岗位,楼栋,起始日期\n钱大,楼栋长,b3,2020-02-01\n", NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "household", "h.csv", "房号,户编号,户主,楼栋,帮扶原因,经度,备注\n501,,张三,b3,独居老人、孕产妇,110.6825373,=SUM(A1)\n502,h2,李四,b3,,,-\n", NULL), 2, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "resident", "r.csv",
                             arena_printf(a, "姓名,身份证号,手机号,楼栋,房号,重点人员类别,备注,出生日期\n张三,%s,13800000001,b3,501,独居老人；慢性病,\"两行\n文字, 还有*\",\n"
                                             "Li Lei,,13800000002,b3,502,,,1990-01-01\n王五,,,b4,,,,1991-01-01\n",
                                          id_number("19800101", 1)),
                             NULL),
                 3, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "gate", "g.csv", "卡点名称,编号,卡点类型,社区,24小时值守\n西门,g1,小区门,西关社区,是\n", NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "gate_scan", "s.csv", "卡点,时间,对象,体温\n西门,2020-02-09 08:00:07,人员,36.5\n西门,2020-02-09 08:00:07,人员,36.5\n", NULL), 2, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "triage_visit", "v.csv", "姓名,就诊时间,体温,去向,症状\n张三,2020-02-08 10:00,38.2,发热门诊,发热 咳嗽\n", NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "case", "c.csv", "姓名,病例编号,病例分类,发病日期,身份证号\n张三,c1,确诊病例,2020-02-01,\n", NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "report_unit", "u.csv", "填报单位,编号\n县医院,u1\n", NULL), 1, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "daily_report", "d.csv", "填报单位,报告日期,发热人数\nu1,2020-02-09,3\nu1,2020-02-09,4\n", NULL), 2, 0, 0, 0, 0);
}

/* In the order in which they refer to each other. */
static const char *const kinds[] = {"area", "organisation", "member", "household", "resident", "assignment", "gate", "gate_scan",
                                    "triage_visit", "case", "report_unit", "daily_report"};

static const char *file_of(const char *kind, const char *extension) {
    static char name[80];
    snprintf(name, sizeof name, "%s.%s", kind, extension);
    return in_dir(name);
}

TEST(an_export_imported_again_changes_nothing_in_any_form_and_language) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    static const struct {
        enum export_format format;
        const char *extension;
        enum lang lang;
        bool whole;
    } forms[] = {{EXPORT_CSV, "csv", LANG_ZH_HANS, false}, {EXPORT_TSV, "tsv", LANG_EN, true}, {EXPORT_XLSX, "xlsx", LANG_ZH_HANT, true}, {EXPORT_XLSX, "xlsx", LANG_EN, false}};
    fill(s, &a);
    for (size_t i = 0; i < COUNT(forms); i++)
        for (size_t k = 0; k < COUNT(kinds); k++) {
            const char *path = file_of(kinds[k], forms[i].extension);
            int64_t n = export_to(s, kinds[k], path, (struct export_options){.format = forms[i].format, .lang = forms[i].lang, .whole = forms[i].whole});
            CHECK_INT(n, count_records(s, kinds[k]));
            struct import_options o = {DEFAULT_OPTIONS};
            int64_t seq = journal_seq(s);
            struct run *r = import_path(s, kinds[k], path, &o);
            if (r->status || r->r.counts.unchanged != n) unit_fail(__FILE__, __LINE__, "%s in form %zu: %s", kinds[k], i, why(r, 0));
            CHECK_INT(journal_seq(s), seq);
        }
}

static void wrong(void *arg, enum fsck_part part, const char *what) {
    (void)arg;
    unit_fail(__FILE__, __LINE__, "fsck: %s: %s", fsck_names[part], what);
}

static void prove(struct site *s) {
    struct fsck_result r;
    struct err e;
    CHECK(fsck_run(s, wrong, NULL, &r, &e) == 0);
}

TEST(a_whole_export_fills_an_empty_site_with_the_same) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s = county(), *empty = NULL;
    struct err e;
    fill(s, &a);
    for (size_t k = 0; k < COUNT(kinds); k++)
        export_to(s, kinds[k], file_of(kinds[k], "csv"), (struct export_options){.format = EXPORT_CSV, .whole = true});
    CHECK(site_create(in_dir("empty"), &(struct site_options){.name = "吉县", .level = "county", .code = "jx"}, &e) == 0);
    CHECK(site_open(in_dir("empty"), &empty, &e) == 0);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct import_options o = {.actor = &actor_system, .refused_beside = true};
        struct run *r = import_path(empty, kinds[k], file_of(kinds[k], "csv"), &o);
        if (r->status || r->r.counts.refused) unit_fail(__FILE__, __LINE__, "%s: %s", kinds[k], why(r, 0));
        CHECK_INT(count_records(empty, kinds[k]), count_records(s, kinds[k]));
    }
    struct record *was = the(s, &a, "resident", "张三"), *is = the(empty, &a, "resident", "张三");
    CHECK(id_eq(was->id, is->id));
    CHECK_STR(str_z(plain(empty, &a, is, "id_number")), id_number("19800101", 1));
    CHECK_STR(str_z(plain(empty, &a, is, "note")), "两行\n文字, 还有*");
    CHECK_STR(record_text(is, "care"), "elderly_alone chronic");
    CHECK(id_eq(record_get(was, "household")->id, record_get(is, "household")->id));
    CHECK_STR(str_z(plain(empty, &a, the(empty, &a, "household", "张三"), "note")), "=SUM(A1)");
    CHECK(record_get(the(empty, &a, "household", "张三"), "x")->r == 110.6825373);
    prove(s);
    prove(empty);
    site_close(s);
    site_close(empty);
}

TEST(what_is_sealed_is_masked_unless_asked_for_with_a_reason) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    struct err e;
    int64_t rows;
    fill(s, &a);
    struct areas *t = site_areas(s);
    struct grant grants[] = {{role_by_name(STR("investigator")), areas_by_code(t, STR("xg"))->path}};
    struct grant worker[] = {{role_by_name(STR("grid_worker")), areas_by_code(t, STR("xf"))->path}};
    struct actor investigator = {.id = {{1}}, .grants = grants, .n = 1}, grid = {.id = {{2}}, .grants = worker, .n = 1};
    struct export_options o = {.actor = &grid, .format = EXPORT_CSV, .path = in_dir("r.csv")};
    const struct kind *k = kind_by_name(STR("resident"));
    CHECK(export_kind(s, k, &o, &rows, &e) == 0);
    CHECK_INT(rows, 3);
    CHECK(str_find(read_whole(&a, o.path), STR("13800000001")) < 0);
    CHECK(str_find(read_whole(&a, o.path), STR("138****0001")) > 0);
    o.whole = true;
    CHECK(export_kind(s, k, &o, &rows, &e) != 0 && e.code == ERR_FORBIDDEN);
    o.actor = &investigator;
    CHECK(export_kind(s, k, &o, &rows, &e) != 0 && e.msg == M_REASON);
    o.reason = "流行病学调查";
    int64_t seq = journal_seq(s);
    CHECK(export_kind(s, k, &o, &rows, &e) == 0);
    CHECK_INT(journal_seq(s), seq + 1);
    CHECK(str_find(read_whole(&a, o.path), STR("13800000001")) > 0);
    o.area = "dg";
    CHECK(export_kind(s, k, &o, &rows, &e) != 0 && e.code == ERR_FORBIDDEN);
    areas_drop(t);
}

static int gather(void *arg, const void *p, size_t n, struct err *e) {
    (void)e;
    buf_add(arg, p, n);
    return 0;
}

TEST(programs_get_lines_of_json) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct err e;
    int64_t rows;
    fill(s, &a);
    struct export_options o = {.actor = &actor_system, .format = EXPORT_NDJSON, .write = gather, .arg = &b};
    CHECK(export_kind(s, kind_by_name(STR("resident")), &o, &rows, &e) == 0);
    struct str rest = buf_str(&b), line;
    int64_t n = 0;
    for (; str_cut(&rest, '\n', &line) && line.n; n++) {
        struct json *j;
        CHECK(json_parse(&a, line, NULL, &j, &e) == 0);
        CHECK(json_get(j, "data") && json_text(json_get(j, "area"), "code").n);
    }
    CHECK_INT(n, rows);
    CHECK(str_find(buf_str(&b), STR("13800000001")) < 0);
}
