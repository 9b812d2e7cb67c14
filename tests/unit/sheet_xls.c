#include "sheet/sheet.h"

#include "sheet_make_xls.h"
#include "sheet_show.h"

static void check_book(int line, struct str globals, const struct xls_page *pages, size_t n, const struct sheet_options *o, const char *want) {
    struct buf stream CLEANUP(buf_release) = BUF(1 << 20), file CLEANUP(buf_release) = BUF(1 << 20), got CLEANUP(buf_release) = BUF(1 << 20);
    make_book_stream(&stream, globals, pages, n);
    make_cfb("Workbook", buf_str(&stream), &file);
    show_bytes(buf_str(&file), o, &got);
    if (!str_eqz(buf_str(&got), want)) unit_fail(__FILE__, line, "got \"%.*s\", not \"%s\"", STR_FMT(buf_str(&got)), want);
}

static void check_records(int line, const struct buf *records, const char *want) {
    struct xls_page page = {"名单", 0, buf_str(records)};
    check_book(line, STR_NONE, &page, 1, NULL, want);
}
#define CHECK_RECORDS(b, want) check_records(__LINE__, &(b), want)

TEST(texts_and_numbers_of_an_xls_are_read) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    label_record(&b, 0, 0, "姓名");
    label_record(&b, 0, 1, "体温😀");
    label_record(&b, 2, 0, "王小明");
    number_record(&b, 2, 1, 0, 37.3);
    rk_record(&b, 2, 2, 0, 3731 << 2 | 3);
    rk_record(&b, 2, 3, 0, (uint32_t)(-7 * 4) | 2);
    number_record(&b, 2, 4, 0, 142401199001011234.0);
    number_record(&b, 2, 300, 0, 1);
    CHECK_RECORDS(b, "1:姓名|体温😀\n3:王小明|n:37.3|n:37.31|n:-7|n!:1.4240119900101123E+17\n");
}

TEST(chinese_date_formats_of_an_xls_are_dates) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    for (unsigned style = 0; style < 6; style++) number_record(&b, 0, style, style, 43870);
    number_record(&b, 1, 0, 2, 43870.5);
    CHECK_RECORDS(b, "1:n:43870|d:2020-02-09|d:2020-02-09|d:2020-02-09|d:2020-02-09|d:2020-02-09\n2:d:2020-02-09 12:00:00\n");
}

TEST(formula_results_booleans_and_errors_of_an_xls_are_read) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    double v = 2.5;
    formula_record(&b, 0, 0, (const char *)&v);
    formula_record(&b, 0, 1, "\0\0\0\0\0\0\xff\xff");
    RECORD(&b, 0x4bc, 0, 0);
    RECORD(&b, 0x207, 2, 0, 0, 'o', 'k');
    formula_record(&b, 0, 2, "\1\0\1\0\0\0\xff\xff");
    formula_record(&b, 0, 3, "\2\0\x2a\0\0\0\xff\xff");
    formula_record(&b, 0, 4, "\3\0\0\0\0\0\xff\xff");
    RECORD(&b, 0x205, 0, 0, 5, 0, 0, 0, 1, 0);
    RECORD(&b, 0x205, 0, 0, 6, 0, 0, 0, 7, 1);
    RECORD(&b, 0xbd, 0, 0, 7, 0, 0, 0, 6, 0, 0, 0, 0, 0, 10, 0, 0, 0, 8, 0);
    CHECK_RECORDS(b, "1:n:2.5|ok|b:true|e:#N/A||b:true|e:#DIV/0!|n:1|n:2\n");
}

TEST(merged_cells_of_an_xls_fill_their_range) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    label_record(&b, 0, 0, "户主");
    label_record(&b, 0, 1, "甲");
    label_record(&b, 1, 1, "乙");
    label_record(&b, 2, 1, "丙");
    RECORD(&b, 0xe5, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0);
    CHECK_RECORDS(b, "1:户主|甲\n2:户主|乙\n3:|丙\n");
}

TEST(cells_in_disorder_are_sorted_into_rows) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    number_record(&b, 5, 0, 0, 6);
    number_record(&b, 0, 1, 0, 2);
    number_record(&b, 5, 1, 0, 7);
    number_record(&b, 0, 0, 0, 1);
    CHECK_RECORDS(b, "1:n:1|n:2\n6:n:6|n:7\n");
}

TEST(charts_inside_a_sheet_are_passed_over) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    number_record(&b, 0, 0, 0, 1);
    RECORD(&b, 0x809, 0, 6, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    number_record(&b, 0, 0, 0, 99);
    record(&b, 0x0a, "", 0);
    number_record(&b, 1, 0, 0, 2);
    CHECK_RECORDS(b, "1:n:1\n2:n:2\n");
}

TEST(shared_strings_may_be_cut_inside_the_characters) {
    struct buf sst CLEANUP(buf_release) = BUF(1 << 16), b CLEANUP(buf_release) = BUF(1 << 16);
    struct buf d CLEANUP(buf_release) = BUF(1 << 12);
    put32(&d, 3);
    put32(&d, 3);
    put16(&d, 4);
    buf_addc(&d, 1);
    put_text16(&d, "健康", true);
    record(&sst, 0xfc, d.p, d.n);
    buf_clear(&d);
    buf_addc(&d, 0); /* the other two characters follow in one byte each */
    buf_addz(&d, "OK");
    put16(&d, 2);
    buf_addc(&d, 8 | 4 | 1); /* rich and phonetic */
    put16(&d, 1);
    put32(&d, 3);
    put_text16(&d, "张三", true);
    buf_add(&d, "\0\0\0\0", 4);
    buf_addc(&d, 'p');
    record(&sst, 0x3c, d.p, d.n);
    buf_clear(&d);
    buf_addz(&d, "pp");
    put16(&d, 1);
    buf_addc(&d, 0);
    buf_addc(&d, 'z');
    record(&sst, 0x3c, d.p, d.n);
    for (unsigned i = 0; i < 3; i++) shared_record(&b, 0, i, i);
    struct xls_page page = {"a", 0, buf_str(&b)};
    check_book(__LINE__, buf_str(&sst), &page, 1, NULL, "1:健康OK|张三|z\n");
    shared_record(&b, 1, 0, 3);
    page.records = buf_str(&b);
    check_book(__LINE__, buf_str(&sst), &page, 1, NULL, "1:健康OK|张三|z\n!FILE_DAMAGED");
}

TEST(sheets_of_an_xls_are_chosen_as_in_xlsx) {
    struct buf one CLEANUP(buf_release) = BUF(1 << 16), two CLEANUP(buf_release) = BUF(1 << 16);
    number_record(&one, 0, 0, 0, 1);
    number_record(&two, 0, 0, 0, 2);
    struct xls_page pages[] = {{"隐藏", 1, buf_str(&one)}, {"空", 0, STR_NONE}, {"名单", 0, buf_str(&two)}};
    struct sheet_options hidden = {.sheet = "隐藏"}, empty = {.sheet = "空"}, none = {.sheet = "x"};
    check_book(__LINE__, STR_NONE, pages, 3, NULL, "1:n:2\n");
    check_book(__LINE__, STR_NONE, pages, 3, &hidden, "1:n:1\n");
    check_book(__LINE__, STR_NONE, pages, 3, &empty, "");
    check_book(__LINE__, STR_NONE, pages, 3, &none, "!FILE_SHEET");
    check_book(__LINE__, STR_NONE, pages, 1, NULL, "1:n:1\n");
}

TEST(workbooks_of_1904_are_understood_in_xls_too) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16), globals CLEANUP(buf_release) = BUF(64);
    RECORD(&globals, 0x22, 1, 0);
    number_record(&b, 0, 0, 1, 42408);
    struct xls_page page = {"a", 0, buf_str(&b)};
    check_book(__LINE__, buf_str(&globals), &page, 1, NULL, "1:d:2020-02-09\n");
}

TEST(large_xls_files_use_the_ordinary_sectors) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20), file CLEANUP(buf_release) = BUF(2 << 20), stream CLEANUP(buf_release) = BUF(2 << 20);
    for (unsigned i = 0; i < 5000; i++) {
        label_record(&b, i, 0, "阳光社区");
        number_record(&b, i, 1, 0, i);
    }
    struct xls_page page = {"a", 0, buf_str(&b)};
    make_book_stream(&stream, STR_NONE, &page, 1);
    make_cfb("Workbook", buf_str(&stream), &file);
    char path[128];
    snprintf(path, sizeof path, "%s/a.xls", unit_dir());
    write_file(path, buf_str(&file));
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    double progress = 0;
    CHECK(sheet_open(path, NULL, &s, &e) == 0);
    CHECK_INT(sheet_format(s), SHEET_XLS);
    for (unsigned i = 0; i < 5000; i++) {
        CHECK_INT(sheet_next(s, &r, &e), 1);
        CHECK_INT(r.number, i + 1);
        CHECK_STR(r.cells[0].text, "阳光社区");
        CHECK(r.cells[1].number == i);
        CHECK(sheet_progress(s) >= progress && sheet_progress(s) <= 1);
        progress = sheet_progress(s);
    }
    CHECK_INT(sheet_next(s, &r, &e), 0);
    CHECK(sheet_progress(s) == 1);
}

TEST(excel_95_files_in_gb_are_read) {
    struct buf stream CLEANUP(buf_release) = BUF(1 << 16), file CLEANUP(buf_release) = BUF(1 << 16);
    RECORD(&stream, 0x809, 0, 5, 5, 0, 0, 0, 0, 0);
    RECORD(&stream, 0x42, 0xa8, 3);
    RECORD(&stream, 0x85, 0, 0, 0, 0, 0, 0, 4, 0xc3, 0xfb, 0xb5, 0xa5);
    size_t at = stream.n - 11;
    record(&stream, 0x0a, "", 0);
    poke32(&stream, at, (uint32_t)stream.n);
    RECORD(&stream, 0x809, 0, 5, 0x10, 0, 0, 0, 0, 0);
    RECORD(&stream, 0x204, 0, 0, 0, 0, 0, 0, 4, 0, 0xd0, 0xd5, 0xc3, 0xfb);
    record(&stream, 0x0a, "", 0);
    make_cfb("Book", buf_str(&stream), &file);
    struct sheet_options o = {.sheet = "名单"};
    CHECK_SHEET(buf_str(&file), &o, "1:姓名\n");
}

TEST(files_with_a_password_are_told_apart_from_damage) {
    struct buf file CLEANUP(buf_release) = BUF(1 << 16), globals CLEANUP(buf_release) = BUF(64);
    make_cfb("EncryptedPackage", STR("secret"), &file);
    CHECK_SHEET(buf_str(&file), NULL, "!FILE_PASSWORD");
    struct sheet_options o = {.format = SHEET_XLSX};
    CHECK_SHEET(buf_str(&file), &o, "!FILE_PASSWORD");
    RECORD(&globals, 0x2f, 1, 0, 1, 0);
    struct xls_page page = {"a", 0, STR_NONE};
    check_book(__LINE__, buf_str(&globals), &page, 1, NULL, "!FILE_PASSWORD");
}

TEST(other_compound_files_are_no_tables) {
    struct buf file CLEANUP(buf_release) = BUF(1 << 16);
    make_cfb("WordDocument", STR("text"), &file);
    CHECK_SHEET(buf_str(&file), NULL, "!FILE_FORMAT");
    CHECK_SHEET(str_sub(buf_str(&file), 0, 600), NULL, "!FILE_FORMAT");
    CHECK_SHEET(STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), NULL, "!FILE_FORMAT");
}
