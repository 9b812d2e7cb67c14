#include "sheet/sheet.h"

#include <sys/stat.h>
#include <unistd.h>

#include "sheet_show.h"

TEST(a_plain_csv_reads_as_rows_of_cells) {
    SHOW("姓名,年龄\r\n王小明,37.3\r\n", "1:姓名|年龄\n2:王小明|n:37.3\n");
    SHOW("", "");
    SHOW("\r\n\r\n", "");
    SHOW("a", "1:a\n");
}

TEST(line_ends_may_be_mixed_and_the_last_may_lack) {
    SHOW("a,b\rc,d\ne,f\r\ng,h", "1:a|b\n2:c|d\n3:e|f\n4:g|h\n");
    SHOW("a\n\rb", "1:a\n3:b\n");
}

TEST(quotes_hold_separators_line_ends_and_quotes) {
    SHOW("\"a,b\",\"c\nd\",\"e\"\"f\"\n", "1:a,b|c\nd|e\"f\n");
    SHOW("\"x\r\ny\",z\r\nnext\r\n", "1:x\r\ny|z\n2:next\n");
    SHOW("\"\",x\n", "1:|x\n");
}

TEST(sloppy_quotes_are_taken_as_they_stand) {
    SHOW("5\" pipe,say \"hi\"\n", "1:5\" pipe|say \"hi\"\n");
    SHOW("\"19\" monitor\",x\n", "1:19 monitor\"|x\n");
    SHOW("\"abc\"def,x\n", "1:abcdef|x\n");
    SHOW(" \"a\",b\n", "1: \"a\"|b\n");
}

TEST(a_quote_that_never_closes_is_told_with_its_row) {
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    CHECK(sheet_open_bytes(STR("a,b\nc,\"d\ne,f\n"), "人员.csv", NULL, &s, &e) == 0);
    CHECK_INT(sheet_next(s, &r, &e), 1);
    CHECK_INT(sheet_next(s, &r, &e), -1);
    CHECK_INT(e.code, ERR_INVALID);
    CHECK_INT(e.msg, M_FILE_QUOTE);
    CHECK_STR(str_z(e.arg[0]), "人员.csv");
    CHECK_STR(str_z(e.arg[1]), "2");
    CHECK_INT(sheet_next(s, &r, &e), 0);
}

TEST(empty_rows_are_skipped_but_counted) {
    SHOW("a,b\n\n,,\nc,d\n", "1:a|b\n4:c|d\n");
    SHOW("a,,\n,b,\n", "1:a||\n2:|b|\n");
}

TEST(separators_are_found_out) {
    SHOW("a;b\n1,5;2,5\n3,5;4,5\n", "1:a|b\n2:1,5|2,5\n3:3,5|4,5\n");
    SHOW("a\tb\n1,2,3\t4\n", "1:a|b\n2:1,2,3|n:4\n");
    SHOW("名单（一）\n姓名,电话\n王,1\n李,2\n", "1:名单（一）\n2:姓名|电话\n3:王|n:1\n4:李|n:2\n");
    SHOW("\"a;b;c\",x\n\"d;e;f\",y\n", "1:a;b;c|x\n2:d;e;f|y\n");
    SHOW("sep=;\r\na;b,c\r\n", "1:a|b,c\n");
    struct sheet_options pipe = {.separator = '|'};
    CHECK_SHEET(STR("a|b,c\n"), &pipe, "1:a|b,c\n");
    struct sheet_options tsv = {.format = SHEET_TSV};
    CHECK_SHEET(STR("a,b\tc,d\n"), &tsv, "1:a,b|c,d\n");
}

TEST(the_format_found_is_told) {
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct err e;
    CHECK(sheet_open_bytes(STR("a\tb\n"), "x", NULL, &s, &e) == 0);
    CHECK_INT(sheet_format(s), SHEET_TSV);
    CHECK_STR(str_z(sheet_charset(s)), "UTF-8");
}

TEST(identity_numbers_stay_exact_and_spoilt_ones_are_told) {
    SHOW("142401199001011234,4.21E+17,1.42401E+17\n", "1:142401199001011234|n!:4.21E+17|n!:1.42401E+17\n");
    SHOW("14240119900101123X,142401900101123\n", "1:14240119900101123X|n:142401900101123\n");
}

TEST(only_plain_decimals_are_numbers_and_keep_their_text) {
    SHOW("0,-3,37.30,0.5,12\n", "1:n:0|n:-3|n:37.30|n:0.5|n:12\n");
    SHOW("007,.5,5.,+86,1e5,3E12,0x10,1 2,１２\n", "1:007|.5|5.|+86|1e5|3E12|0x10|1 2|１２\n");
    SHOW("1234567890123456,inf,nan,-,1.2.3\n", "1:1234567890123456|inf|nan|-|1.2.3\n");
}

TEST(a_guarding_apostrophe_is_taken_off) {
    SHOW("'=1+1,'+86,'-5,'@x,''=a,'tis,'\n", "1:=1+1|+86|-5|@x|'=a|'tis|'\n");
}

TEST(marks_and_utf_16_are_understood) {
    SHOW("\xef\xbb\xbf姓名,a\n", "1:姓名|a\n");
    CHECK_SHEET(STR("\xff\xfe\xd3\x59\t\0\x0d\x54\r\0\n\0"), NULL, "1:姓|名\n");
    CHECK_SHEET(STR("\xfe\xff\x59\xd3\0\t\x54\x0d\0\n"), NULL, "1:姓|名\n");
}

TEST(gb18030_without_mark_is_read) {
    SHOW("\xd0\xd5\xc3\xfb,\xcc\xe5\xce\xc2\n\xcd\xf5\xd0\xa1\xc3\xf7,37.3\n", "1:姓名|体温\n2:王小明|n:37.3\n");
}

TEST(a_file_may_show_its_charset_late) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    for (int i = 0; i < 20000; i++) buf_addz(&b, "a,b,1\n");
    buf_addz(&b, "\xd0\xd5\xc3\xfb,x,2\n");
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r = {0};
    struct err e;
    CHECK(sheet_open_bytes(buf_str(&b), "x", NULL, &s, &e) == 0);
    for (int i = 0; i < 20001; i++) CHECK_INT(sheet_next(s, &r, &e), 1);
    CHECK_STR(r.cells[0].text, "姓名");
    CHECK_STR(str_z(sheet_charset(s)), "GB18030");
}

TEST(malformed_bytes_are_told_with_their_place) {
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct err e;
    CHECK(sheet_open_bytes(STR("\xef\xbb\xbf姓,\xff\n"), "x", NULL, &s, &e) == -1);
    CHECK_INT(e.msg, M_CHARSET);
    CHECK_STR(str_z(e.arg[1]), "8");
}

TEST(characters_cut_between_blocks_are_whole) {
    for (size_t shift = 0; shift < 4; shift++) {
        struct buf b CLEANUP(buf_release) = BUF(1 << 20);
        for (size_t i = 0; i < shift; i++) buf_addc(&b, 'x');
        while (b.n < 200000) buf_addz(&b, "健康检测\n");
        char path[128];
        snprintf(path, sizeof path, "%s/a.csv", unit_dir());
        write_file(path, buf_str(&b));
        struct sheet *s CLEANUP(sheet_closep) = NULL;
        struct sheet_row r;
        struct err e;
        CHECK(sheet_open(path, NULL, &s, &e) == 0);
        CHECK_INT(sheet_next(s, &r, &e), 1);
        int got;
        while ((got = sheet_next(s, &r, &e)) > 0) CHECK_STR(r.cells[0].text, "健康检测");
        CHECK_INT(got, 0);
    }
}

TEST(gb18030_cut_between_blocks_is_whole) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    buf_addc(&b, 'x');
    while (b.n < 200000) buf_addz(&b, "\xd0\xd5\xc3\xfb\n\x82\x35\x87\x38\n"); /* a character of four bytes too */
    struct sheet_options o = {.charset = "gbk"};
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    CHECK(sheet_open_bytes(buf_str(&b), "x", &o, &s, &e) == 0);
    CHECK_INT(sheet_next(s, &r, &e), 1);
    int got;
    while ((got = sheet_next(s, &r, &e)) > 0) CHECK_STR(r.cells[0].text, r.number % 2 ? "姓名" : "䶵");
    CHECK_INT(got, 0);
}

TEST(progress_runs_from_0_to_1) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    while (b.n < 300000) buf_addz(&b, "a,b\n");
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    double before = 0;
    CHECK(sheet_open_bytes(buf_str(&b), "x", NULL, &s, &e) == 0);
    CHECK(sheet_progress(s) < 0.01);
    while (sheet_next(s, &r, &e) > 0) {
        CHECK(sheet_progress(s) >= before && sheet_progress(s) <= 1);
        before = sheet_progress(s);
    }
    CHECK(before > 0.99 && sheet_progress(s) == 1);
}

TEST(rows_wider_than_256_columns_keep_the_first_256) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    for (int i = 0; i < 1000; i++) buf_addf(&b, "c%d,", i);
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    CHECK(sheet_open_bytes(buf_str(&b), "x", NULL, &s, &e) == 0);
    CHECK_INT(sheet_next(s, &r, &e), 1);
    CHECK_INT(r.count, 256);
    CHECK_STR(r.cells[255].text, "c255");
}

TEST(a_cell_has_a_size_limit) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    buf_addz(&b, "a,");
    for (int i = 0; i < 131068; i++) buf_addc(&b, 'x');
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    CHECK(sheet_open_bytes(buf_str(&b), "x", NULL, &s, &e) == 0);
    CHECK_INT(sheet_next(s, &r, &e), 1);
    CHECK_INT(r.cells[1].text.n, 131068);
    buf_addc(&b, 'x');
    CHECK_SHEET(buf_str(&b), NULL, "!FILE_CELL");
}

TEST(files_that_are_no_tables_are_refused) {
    SHOW("<html><table><tr><td>1</td></tr></table></html>", "!FILE_FORMAT");
    SHOW("\xef\xbb\xbf\r\n<?xml version=\"1.0\"?><Workbook/>", "!FILE_FORMAT");
    SHOW("%PDF-1.4 x", "!FILE_FORMAT");
    SHOW("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "!FILE_FORMAT");
    SHOW("<5 天,x\n", "1:<5 天|x\n");
    struct sheet_options o = {.format = SHEET_XLSX};
    CHECK_SHEET(STR("a,b\n"), &o, "!FILE_FORMAT");
    struct sheet_options odd = {.charset = "KOI8-R"};
    CHECK_SHEET(STR("a,b\n"), &odd, "!CODE");
}

TEST(a_file_that_is_not_there_is_told) {
    struct sheet *s = NULL;
    struct err e;
    CHECK(sheet_open("/nonexistent/a.csv", NULL, &s, &e) == -1);
    CHECK_INT(e.code, ERR_NOT_FOUND);
    CHECK_INT(e.msg, M_FILE);
    CHECK(sheet_open(unit_dir(), NULL, &s, &e) == -1);
    CHECK_INT(e.code, ERR_IO);
}

TEST(a_pipe_can_be_read) {
    char path[128];
    snprintf(path, sizeof path, "%s/pipe", unit_dir());
    CHECK(mkfifo(path, 0600) == 0);
    pid_t child = fork();
    if (child == 0) {
        write_file(path, STR("a,b\n1,2\n"));
        _exit(0);
    }
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct err e;
    CHECK(sheet_open(path, NULL, &s, &e) == 0);
    struct buf b CLEANUP(buf_release) = BUF(4096);
    show_rows(s, &b);
    CHECK_STR(buf_str(&b), "1:a|b\n2:n:1|n:2\n");
}
