/* Files as people have them. */
#include <iconv.h>
#include <unistd.h>

#include "core/import_internal.h"
#include "import_help.h"
#include "sheet_make.h"

static struct str in_charset(struct arena *a, const char *charset, const char *text) {
    char *to = arena_alloc(a, 1 << 16), *at = to, *from = arena_strz(a, str_z(text));
    size_t left = strlen(text), room = 1 << 16;
    iconv_t c = iconv_open(charset, "UTF-8");
    CHECK(c != (iconv_t)-1 && iconv(c, &from, &left, &at, &room) == 0 && left == 0);
    iconv_close(c);
    return (struct str){to, (size_t)(at - to)};
}

static const char *roster(struct arena *a) {
    return arena_printf(a, "姓名,身份证号,手机号,社区,小区,楼栋,房号\n张三,%s,13800000001,西关社区,幸福小区,3号楼,501\n"
                           "李四,%s,13800000002,西关社区,幸福小区,3号楼,502\n",
                        id_number("19800101", 1), id_number("19900202", 2));
}

TEST(a_roster_makes_residents_and_their_households_once) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(import_text(s, "resident", "a.csv", roster(&a), NULL), 2, 0, 0, 0, 0);
    CHECK_INT(count_records(s, "household"), 2);
    struct record *r = the(s, &a, "resident", "张三");
    CHECK_STR(str_z(plain(s, &a, r, "id_number")), id_number("19800101", 1));
    CHECK_STR(record_text(r, "birth_date"), "1980-01-01");
    struct areas *t = site_areas(s);
    CHECK_STR(areas_by_id(t, r->area)->code, "b3");
    areas_drop(t);
    CHECK(record_has(r, "household"));
    int64_t seq = journal_seq(s);
    CHECK_COUNTS(import_text(s, "resident", "a.csv", roster(&a), NULL), 0, 0, 2, 0, 0);
    CHECK_INT(journal_seq(s), seq);
    CHECK_INT(count_records(s, "household"), 2);
}

TEST(a_file_is_read_in_every_usual_character_set) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    const char *text = roster(&a);
    write_file(in_dir("bom.csv"), str_z(arena_printf(&a, "\xef\xbb\xbf%s", text)));
    write_file(in_dir("gb.csv"), in_charset(&a, "GB18030", text));
    const char *hant = arena_printf(&a, "姓名,性別,出生日期,手機號\n張國榮,男,1956/9/12,13900000009\n梅豔芳,女,1963年10月10日,13900000008\n"
                                        "羅文,男,1945-02-12,13900000007\n許冠傑,男,1948-09-06,13900000006\n");
    write_file(in_dir("big5.csv"), in_charset(&a, "BIG5", hant));
    CHECK_COUNTS(import_path(s, "resident", in_dir("bom.csv"), NULL), 2, 0, 0, 0, 0);
    CHECK_COUNTS(import_path(s, "resident", in_dir("gb.csv"), NULL), 0, 0, 2, 0, 0);
    CHECK_COUNTS(import_path(s, "resident", in_dir("big5.csv"), NULL), 4, 0, 0, 0, 0);
    CHECK_STR(record_text(the(s, &a, "resident", "梅豔芳"), "birth_date"), "1963-10-10");
    CHECK_STR(record_text(the(s, &a, "resident", "張國榮"), "gender"), "male");
}

TEST(titles_marks_totals_and_sequence_numbers_do_not_disturb) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    const char *text = arena_printf(&a, "吉县居民登记表,,,,\n填报单位：西关社区,,,,\n序号,＊ 姓名,身份证号码（18位）,联系电话,备注\n"
                                        "1,张　三,%s,１３８－００００－０００１,\n2,Li Lei,,13900000000,无\n,,,,\n3,,,,\n"
                                        "序号,＊ 姓名,身份证号码（18位）,联系电话,备注\n合计,2,,,\n制表人：王五,,审核：赵六,,\n",
                                    id_number("19800101", 1));
    struct run *r = import_text(s, "resident", "a.csv", text, NULL);
    CHECK_COUNTS(r, 2, 0, 0, 0, 0);
    CHECK_STR(str_z(plain(s, &a, the(s, &a, "resident", "张三"), "phone")), "13800000001");
    CHECK(the(s, &a, "resident", "Li Lei"));
    CHECK_INT(r->r.columns_n, 5);
    CHECK_STR(str_z(r->r.columns[0].how), "ignored");
    CHECK_STR(str_z(r->r.columns[2].field), "id_number");
}

TEST(english_headings_are_known_too) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(import_text(s, "resident", "a.csv", "Full name;Sex;Date of birth;Mobile;Building\nMary;female;1990-05-06;13800138000;b3\n", NULL),
                 1, 0, 0, 0, 0);
    CHECK_STR(record_text(the(s, &a, "resident", "Mary"), "gender"), "female");
}

TEST(dates_come_in_every_form) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    static const char *const forms[] = {"1990-02-09", "1990/2/9", "1990年2月9日", "１９９０．２．９", "19900209", "32913"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        static const char *const names[] = {"张三", "李小四", "王五", "欧阳六", "陈七", "赵小八"};
        const char *name = names[i];
        CHECK_COUNTS(import_text(s, "resident", "a.csv", arena_printf(&a, "姓名,出生日期,楼栋\n%s,%s,b3\n", name, forms[i]), NULL), 1, 0, 0, 0, 0);
        CHECK_STR(record_text(the(s, &a, "resident", name), "birth_date"), "1990-02-09");
    }
}

TEST(identity_numbers_that_excel_spoilt_are_refused_with_row_column_and_reason) {
    struct site *s CLEANUP(site_closep) = county();
    struct run *r = import_text(s, "resident", "a.csv", "姓名,身份证号,手机号\n张三,4.21E+17,\n李四,,1.38E+10\n王五,421000199001011,\n赵六,,13800000000\n", NULL);
    CHECK_COUNTS(r, 1, 0, 0, 0, 3);
    CHECK_INT(r->r.problems_n, 3);
    CHECK_INT(r->r.problems[0].row, 2);
    CHECK_STR(r->r.problems[0].column, "身份证号");
    CHECK(str_find(r->r.problems[0].reason, STR("4.21E+17")) > 0);
    CHECK(str_find(r->r.problems[1].reason, STR("1.38E+10")) > 0);
    CHECK(str_find_char(r->r.problems[2].value, (char)42) > 0); /* masked */
}

static const char xml_sheet[] =
    "<worksheet " MAIN_NS "><sheetData>"
    "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>登记表</t></is></c></row>"
    "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>姓名</t></is></c><c r=\"B2\" t=\"inlineStr\"><is><t>身份证号</t></is></c>"
    "<c r=\"C2\" t=\"inlineStr\"><is><t>手机号</t></is></c><c r=\"D2\" t=\"inlineStr\"><is><t>住址</t></is></c></row>"
    "<row r=\"3\"><c r=\"A3\" t=\"inlineStr\"><is><t>张三</t></is></c><c r=\"B3\"><v>4.2100019900101099E+17</v></c></row>"
    "<row r=\"4\"><c r=\"A4\" t=\"inlineStr\"><is><t>李四</t></is></c><c r=\"C4\"><v>13800000002</v></c><c r=\"D4\" t=\"inlineStr\"><is><t>西关12号</t></is></c></row>"
    "<row r=\"5\"><c r=\"A5\" t=\"inlineStr\"><is><t>李小四</t></is></c><c r=\"C5\"><v>13800000003</v></c></row>"
    "</sheetData><mergeCells count=\"2\"><mergeCell ref=\"A1:D1\"/><mergeCell ref=\"D4:D5\"/></mergeCells></worksheet>";

TEST(a_workbook_with_a_title_merged_cells_and_a_spoilt_number) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    struct str bytes = make_xlsx(&(struct xlsx_parts){.sheet1 = xml_sheet, .pack = true});
    write_file(in_dir("people.xlsx"), bytes);
    free((char *)bytes.p);
    struct import_options o = {DEFAULT_OPTIONS, .refused_beside = true};
    struct run *r = import_path(s, "resident", in_dir("people.xlsx"), &o);
    CHECK_COUNTS(r, 2, 0, 0, 0, 1);
    CHECK_INT(r->r.problems[0].row, 3);
    CHECK_STR(r->r.refused_file, in_dir("people.refused.xlsx"));
    CHECK_STR(str_z(plain(s, &a, the(s, &a, "resident", "李小四"), "address")), "西关12号");
    CHECK_STR(str_z(plain(s, &a, the(s, &a, "resident", "李四"), "phone")), "13800000002");
    /* What came back is refused again for the same reason and keeps its form. */
    struct run *again = import_path(s, "resident", in_dir("people.refused.xlsx"), &o);
    CHECK_COUNTS(again, 0, 0, 0, 0, 1);
    CHECK_INT(again->r.columns_n, 5);
    CHECK_STR(str_z(again->r.columns[4].how), "ignored");
}

TEST(bad_rows_come_back_in_their_own_form_and_land_when_mended) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    write_file(in_dir("r.csv"), str_z("序号,姓名,性别,体温记录,身份证号,楼栋\n1,张三,男,36.5,,3号楼\n2,李四,不明白,36.6,123,b3\n3,王五,女,,,b4\n4,,男,,,b4\n"));
    struct import_options o = {DEFAULT_OPTIONS, .refused_path = in_dir("back.csv")};
    struct run *r = import_path(s, "resident", in_dir("r.csv"), &o);
    CHECK_COUNTS(r, 1, 0, 0, 0, 3); /* 3号楼 is two buildings */
    CHECK_STR(r->r.refused_file, in_dir("back.csv"));
    struct str back = read_whole(&a, in_dir("back.csv"));
    CHECK(str_starts(back, STR("\xef\xbb\xbf序号,姓名,性别,体温记录,身份证号,楼栋,原因\r\n1,张三,男,36.5,,3号楼,")));
    CHECK(str_find(back, STR("2,李四,不明白,36.6,123,b3,")) > 0);
    CHECK(str_find(back, STR("身份证号：")) > 0 && str_find(back, STR("性别：")) > 0);
    write_file(in_dir("mended.csv"), str_z("序号,姓名,性别,体温记录,身份证号,楼栋,原因\n1,张三,男,36.5,,b3,x\n2,李四,男,36.6,,b3,y\n4,赵六,男,,,b4,z\n"));
    CHECK_COUNTS(import_path(s, "resident", in_dir("mended.csv"), &o), 3, 0, 0, 0, 0);
}

TEST(tabs_stay_tabs_and_no_file_is_made_where_nothing_was_refused) {
    struct site *s CLEANUP(site_closep) = county();
    struct import_options o = {DEFAULT_OPTIONS, .refused_beside = true};
    write_file(in_dir("r.tsv"), str_z("姓名\t性别\n张三\t男\n李四\t不明白\n"));
    struct run *r = import_path(s, "resident", in_dir("r.tsv"), &o);
    CHECK_COUNTS(r, 1, 0, 0, 0, 1);
    CHECK_STR(r->r.refused_file, in_dir("r.refused.tsv"));
    write_file(in_dir("q.tsv"), str_z("姓名\t性别\n张三\t男\n"));
    r = import_path(s, "resident", in_dir("q.tsv"), &o);
    CHECK_COUNTS(r, 0, 0, 1, 0, 0);
    CHECK_INT(r->r.refused_file.n, 0);
    CHECK(access(in_dir("q.refused.tsv"), F_OK) != 0);
}

TEST(the_map_corrects_what_was_guessed) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    const char *const map[] = {"编制=姓名", "C=phone", "备注="};
    struct import_options o = {DEFAULT_OPTIONS, .map = map, .map_n = COUNT(map)};
    struct run *r = import_text(s, "resident", "a.csv", "编制,性别,那个,备注\n张三,男,13800000001,乱写\n", &o);
    CHECK_COUNTS(r, 1, 0, 0, 0, 0);
    struct record *who = the(s, &a, "resident", "张三");
    CHECK_STR(str_z(plain(s, &a, who, "phone")), "13800000001");
    CHECK(!record_has(who, "note"));
    CHECK_STR(str_z(r->r.columns[0].how), "map");
    const char *const letters[] = {"A=name", "B=gender"};
    o.map = letters;
    o.map_n = COUNT(letters);
    CHECK_COUNTS(import_text(s, "resident", "b.csv", "李四,男\n王五,女\n", &o), 2, 0, 0, 0, 0);
    const char *const wrong[] = {"没有=name"};
    o.map = wrong;
    o.map_n = 1;
    r = import_text(s, "resident", "b.csv", "姓名,性别\n李四,男\n", &o);
    CHECK(r->status && r->e.msg == M_MAP_COLUMN);
    const char *const nothing[] = {"姓名=胡说"};
    o.map = nothing;
    r = import_text(s, "resident", "b.csv", "姓名,性别\n李四,男\n", &o);
    CHECK(r->status && r->e.msg == M_MAP);
}

TEST(a_missing_column_and_a_missing_heading_are_said_before_anything_is_written) {
    struct site *s CLEANUP(site_closep) = county();
    int64_t seq = journal_seq(s);
    struct run *r = import_text(s, "resident", "a.csv", "性别,手机号\n男,13800000001\n", NULL);
    CHECK(r->status && r->e.msg == M_NO_COLUMN);
    CHECK(strstr(r->e.arg[0], "姓名"));
    r = import_text(s, "resident", "a.csv", "甲,乙\n丙,丁\n", NULL);
    CHECK(r->status && r->e.msg == M_NO_HEADING);
    r = import_text(s, "resident", "a.csv", "", NULL);
    CHECK(r->status && r->e.msg == M_NO_HEADING);
    struct import_options nowhere = {.actor = &actor_system};
    r = import_text(s, "resident", "a.csv", "姓名\n张三\n", &nowhere);
    CHECK(r->status && r->e.msg == M_NO_COLUMN);
    nowhere.area = "nirgends";
    r = import_text(s, "resident", "a.csv", "姓名\n张三\n", &nowhere);
    CHECK(r->status && r->e.code == ERR_INVALID);
    CHECK_INT(journal_seq(s), seq);
}

TEST(two_heading_rows_with_group_titles) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    CHECK_COUNTS(import_text(s, "resident", "a.csv", "姓名,住址,住址,住址,联系\n姓名,小区,楼栋,房号,手机\n张三,幸福小区,3栋,501,13800000001\n", NULL), 1, 0, 0, 0, 0);
    CHECK(record_has(the(s, &a, "resident", "张三"), "household"));
    CHECK_INT(count_records(s, "household"), 1);
}

TEST(words_of_a_list_are_taken_where_they_say_one_thing) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    struct run *r = import_text(s, "area", "a.csv", "编号,名称,层级,上级\nz1,壶口镇,镇,jx\nz2,车城乡,乡,jx\nz3,某区,区,jx\n", NULL);
    CHECK_COUNTS(r, 2, 0, 0, 0, 1);
    CHECK_STR(record_text(the(s, &a, "area", "车城乡"), "level"), "township");
    r = import_text(s, "case", "c.csv", "姓名,病例编号,病例分类,性别,转归\n甲,1,确诊病例,男性,治愈\n乙,2,未确诊,男,\n丙,3,无,男,\n丁,4,疑似,女,-\n戊,5,无症状,女,无\n", NULL);
    CHECK_COUNTS(r, 3, 0, 0, 0, 2);
    CHECK_STR(record_text(the(s, &a, "case", "甲"), "classification"), "confirmed");
    CHECK_STR(record_text(the(s, &a, "case", "戊"), "classification"), "asymptomatic");
    CHECK_STR(record_text(the(s, &a, "case", "甲"), "gender"), "male");
}
