#include "sheet/sheet.h"

#include <sys/stat.h>
#include <unistd.h>

#include "sheet_show.h"

static const char *out_path(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", unit_dir(), name);
    return path;
}

static struct sheet_out *out_open(const char *path, enum sheet_format format) {
    struct sheet_out *o;
    struct err e;
    struct sheet_out_options options = {.format = format, .title = "名单[1]/2"};
    CHECK(sheet_out_open(path, &options, &o, &e) == 0);
    return o;
}

static void read_back(const char *path, struct buf *b) {
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct err e;
    if (sheet_open(path, NULL, &s, &e)) unit_fail(__FILE__, __LINE__, "%s", msg_name(e.msg));
    show_rows(s, b);
}

static void read_file(const char *path, struct buf *b) {
    FILE *f = fopen(path, "rb");
    CHECK(f);
    int c;
    while ((c = fgetc(f)) != EOF) buf_addc(b, (char)c);
    fclose(f);
}

static void write_sample(struct sheet_out *o) {
    sheet_out_heading(o, STR("姓名"));
    sheet_out_heading(o, STR("身份证号"));
    sheet_out_heading(o, STR("体温"));
    sheet_out_heading(o, STR("人数"));
    sheet_out_heading(o, STR("日期"));
    sheet_out_row_end(o);
    sheet_out_text(o, STR("王小明"));
    sheet_out_text(o, STR("142401199001011234"));
    sheet_out_number(o, 37.3);
    sheet_out_int(o, -12);
    sheet_out_day(o, day_make(2020, 2, 9));
    sheet_out_row_end(o);
    sheet_out_empty(o);
    sheet_out_text(o, STR("a,\"b\"\r\nc"));
    sheet_out_number(o, 1e300 * 1e300);
    sheet_out_int(o, INT64_C(1234567890123456789));
    sheet_out_day(o, DAY_NONE);
    sheet_out_row_end(o);
}

TEST(csv_is_written_as_excel_opens_it) {
    struct err e;
    const char *path = out_path("a.csv");
    struct sheet_out *o = out_open(path, SHEET_CSV);
    write_sample(o);
    CHECK(sheet_out_close(o, &e) == 0);
    struct buf b CLEANUP(buf_release) = BUF(4096);
    read_file(path, &b);
    CHECK_STR(buf_str(&b), "\xef\xbb\xbf姓名,身份证号,体温,人数,日期\r\n王小明,142401199001011234,37.3,-12,2020-02-09\r\n"
                           ",\"a,\"\"b\"\"\r\nc\",,1234567890123456789,\r\n");
}

TEST(tsv_reads_back) {
    struct err e;
    const char *path = out_path("a.tsv");
    struct sheet_out *o = out_open(path, SHEET_TSV);
    write_sample(o);
    CHECK(sheet_out_close(o, &e) == 0);
    struct buf b CLEANUP(buf_release) = BUF(4096);
    read_back(path, &b);
    CHECK_STR(buf_str(&b), "1:姓名|身份证号|体温|人数|日期\n2:王小明|142401199001011234|n:37.3|n:-12|2020-02-09\n"
                           "3:|a,\"b\"\r\nc||1234567890123456789|\n");
}

TEST(xlsx_reads_back_with_real_dates_and_exact_identity_numbers) {
    struct err e;
    const char *path = out_path("a.xlsx");
    struct sheet_out *o = out_open(path, SHEET_XLSX);
    write_sample(o);
    CHECK(sheet_out_close(o, &e) == 0);
    struct buf b CLEANUP(buf_release) = BUF(4096);
    read_back(path, &b);
    CHECK_STR(buf_str(&b), "1:姓名|身份证号|体温|人数|日期\n2:王小明|142401199001011234|n:37.3|n:-12|d:2020-02-09\n"
                           "3:|a,\"b\"\r\nc||1234567890123456789\n");
}

/* Texts that formats or programs like to change. */
static const char *const hard[] = {
    "=1+1", "+8613912345678", "-5", "@user", "'=x", "''=x", "'", "'abc", "-", "'-", "--", "\tx", "\rx", "\nx", "＝1", "'＝1", "－", "'－",
    "a;b;c", "a\tb", "sep=;", "SEP=,x", "\"", "\"\"x", " lead and trail ", "0012", "a\nb\r\nc", "_x000D_", "_x0041_b", "_x005F_", "x_x0041_",
    "😀", "<&>\"'", "]]>", "\x01\x1f", "mergeCells", "<mergeCells>", "\xe3\x80\x80全角", "\xef\xbb\xbf", "\xef\xbf\xbe",
};

static void check_lossless(enum sheet_format format, const char *name) {
    struct err e;
    const char *path = out_path(name);
    struct sheet_out *o = out_open(path, format);
    for (size_t i = 0; i < COUNT(hard); i++) {
        sheet_out_text(o, str_z(hard[i]));
        sheet_out_text(o, STR("x"));
        sheet_out_text(o, str_z(hard[COUNT(hard) - 1 - i]));
        sheet_out_row_end(o);
    }
    CHECK(sheet_out_close(o, &e) == 0);
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    CHECK(sheet_open(path, NULL, &s, &e) == 0);
    CHECK_INT(sheet_format(s), format);
    for (size_t i = 0; i < COUNT(hard); i++) {
        CHECK_INT(sheet_next(s, &r, &e), 1);
        CHECK_INT(r.count, 3);
        CHECK_STR(r.cells[0].text, hard[i]);
        CHECK_INT(r.cells[0].type, strcmp(hard[i], "0012") || format != SHEET_AUTO ? CELL_TEXT : CELL_NUMBER);
        CHECK_STR(r.cells[2].text, hard[COUNT(hard) - 1 - i]);
    }
    CHECK_INT(sheet_next(s, &r, &e), 0);
}

TEST(whatever_is_exported_to_csv_is_imported_unchanged) {
    check_lossless(SHEET_CSV, "hard.csv");
}

TEST(whatever_is_exported_to_tsv_is_imported_unchanged) {
    check_lossless(SHEET_TSV, "hard.tsv");
}

TEST(whatever_is_exported_to_xlsx_is_imported_unchanged) {
    check_lossless(SHEET_XLSX, "hard.xlsx");
}

TEST(a_csv_of_one_column_with_semicolons_reads_back) {
    struct err e;
    const char *path = out_path("one.csv");
    struct sheet_out *o = out_open(path, SHEET_CSV);
    for (int i = 0; i < 5; i++) {
        sheet_out_text(o, STR("a;b"));
        sheet_out_row_end(o);
    }
    CHECK(sheet_out_close(o, &e) == 0);
    struct buf b CLEANUP(buf_release) = BUF(4096);
    read_back(path, &b);
    CHECK_STR(buf_str(&b), "1:a;b\n2:a;b\n3:a;b\n4:a;b\n5:a;b\n");
}

TEST(formulas_cannot_be_smuggled_into_a_csv) {
    struct err e;
    const char *path = out_path("f.csv");
    struct sheet_out *o = out_open(path, SHEET_CSV);
    sheet_out_text(o, STR("=cmd|' /C calc'!A0"));
    sheet_out_text(o, STR("-"));
    sheet_out_number(o, -5);
    sheet_out_row_end(o);
    CHECK(sheet_out_close(o, &e) == 0);
    struct buf b CLEANUP(buf_release) = BUF(4096);
    read_file(path, &b);
    CHECK_STR(buf_str(&b), "\xef\xbb\xbf\"'=cmd|' /C calc'!A0\",-,-5\r\n");
}

TEST(very_long_texts_are_cut_at_what_xlsx_can_hold) {
    struct err e;
    const char *path = out_path("long.xlsx");
    struct buf text CLEANUP(buf_release) = BUF(1 << 20);
    for (int i = 0; i < 40000; i++) buf_addz(&text, "健");
    struct sheet_out *o = out_open(path, SHEET_XLSX);
    sheet_out_text(o, buf_str(&text));
    sheet_out_text(o, STR("bad \xff byte"));
    sheet_out_day(o, day_make(1890, 1, 2));
    sheet_out_row_end(o);
    CHECK(sheet_out_close(o, &e) == 0);
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    CHECK(sheet_open(path, NULL, &s, &e) == 0);
    CHECK_INT(sheet_next(s, &r, &e), 1);
    CHECK_INT(r.cells[0].text.n, 32767 * 3);
    CHECK_STR(r.cells[1].text, "bad \xef\xbf\xbd byte");
    CHECK_STR(r.cells[2].text, "1890-01-02");
}

TEST(a_failed_export_leaves_what_was_there) {
    struct err e;
    const char *path = out_path("kept.csv");
    write_file(path, STR("old"));
    {
        struct sheet_out *o CLEANUP(sheet_out_dropp) = out_open(path, SHEET_CSV);
        sheet_out_text(o, STR("new"));
    }
    {
        struct sheet_out *o CLEANUP(sheet_out_dropp) = out_open(path, SHEET_XLSX);
        sheet_out_text(o, STR("new"));
    }
    struct buf b CLEANUP(buf_release) = BUF(4096);
    read_file(path, &b);
    CHECK_STR(buf_str(&b), "old");
    struct sheet_out *none = NULL;
    struct sheet_out_options csv = {.format = SHEET_CSV}, xlsx = {.format = SHEET_XLSX};
    CHECK(sheet_out_open("/nonexistent/a.csv", &csv, &none, &e) == -1);
    CHECK_INT(e.code, ERR_IO);
    int r = sheet_out_open("/nonexistent/a.xlsx", &xlsx, &none, &e);
    if (r == 0) r = sheet_out_close(none, &e);
    CHECK_INT(r, -1);
    CHECK_INT(e.code, ERR_IO);
}

TEST(behind_a_link_the_file_is_replaced_and_the_link_stays) {
    struct err e;
    struct stat st;
    write_file(out_path("target.csv"), STR("old"));
    const char *link = out_path("link.csv");
    unlink(link);
    CHECK(symlink("target.csv", link) == 0);
    struct sheet_out *o = out_open(link, SHEET_TSV);
    sheet_out_text(o, STR("new"));
    CHECK(sheet_out_close(o, &e) == 0);
    CHECK(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    struct buf b CLEANUP(buf_release) = BUF(4096);
    read_file(out_path("target.csv"), &b);
    CHECK(memmem(b.p, b.n, "new", 3));
}

TEST(a_full_disk_is_told) {
    struct err e;
    struct sheet_out *o = out_open("/dev/full", SHEET_CSV);
    for (int i = 0; i < 10000; i++) {
        sheet_out_text(o, STR("text"));
        sheet_out_row_end(o);
    }
    CHECK_INT(sheet_out_close(o, &e), -1);
    CHECK_INT(e.code, ERR_STORAGE_FULL);
    CHECK_INT(e.msg, M_DISK_FULL);
    CHECK(access("/dev/full", F_OK) == 0);
}
