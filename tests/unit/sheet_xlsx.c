#include "sheet/sheet.h"

#include "sheet_make.h"
#include "sheet_show.h"

#define SHEET(rows) "<worksheet " MAIN_NS "><sheetData>" rows "</sheetData></worksheet>"

static void check_parts(int line, const struct xlsx_parts *parts, const struct sheet_options *o, const char *want) {
    struct str bytes = make_xlsx(parts);
    struct buf got CLEANUP(buf_release) = BUF(64 << 20);
    show_bytes(bytes, o, &got);
    free((char *)bytes.p);
    if (!str_eqz(buf_str(&got), want)) unit_fail(__FILE__, line, "got \"%.*s\", not \"%s\"", STR_FMT(buf_str(&got)), want);
}
#define CHECK_PARTS(want, ...) check_parts(__LINE__, &(struct xlsx_parts){__VA_ARGS__}, NULL, want)
#define CHECK_ROWS(rows, want) CHECK_PARTS(want, .sheet1 = SHEET(rows))

TEST(shared_strings_and_numbers_read_as_written) {
    CHECK_PARTS("1:姓名|体温\n2:王小明|n:37.3\n",
                .sheet1 = SHEET("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>"
                                "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>2</v></c><c r=\"B2\"><v>37.299999999999997</v></c></row>"),
                .shared = "<sst " MAIN_NS "><si><t>姓名</t></si><si><t>体温</t></si><si><t>王小明</t></si></sst>", .pack = true);
}

TEST(rich_text_is_joined_and_phonetic_runs_are_not) {
    CHECK_PARTS("1:张三| a b |x\ny\n",
                .sheet1 = SHEET("<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c><c t=\"s\"><v>3</v></c>"
                                "<c t=\"inlineStr\"><is><t> </t></is></c></row>"),
                .shared = "<sst " MAIN_NS "><si><r><rPr><b/></rPr><t>张</t></r><r><t>三</t></r><rPh sb=\"0\" eb=\"1\"><t>zhang</t></rPh>"
                          "<phoneticPr fontId=\"1\"/></si><si><t xml:space=\"preserve\"> a b </t></si><si><t> x_x000A_y\n</t></si>"
                          "<si><t/></si></sst>");
}

TEST(inline_strings_formulas_booleans_and_errors_are_understood) {
    CHECK_ROWS("<row r=\"3\"><c r=\"A3\" t=\"inlineStr\"><is><r><t>李</t></r><r><t>四</t></r></is></c>"
               "<c r=\"B3\" t=\"str\"><f>A3&amp;1</f><v>李四1</v></c><c r=\"C3\"><f>1+1</f><v>2</v></c><c r=\"D3\" t=\"b\"><v>1</v></c>"
               "<c r=\"E3\" t=\"b\"><v>0</v></c><c r=\"F3\" t=\"e\"><v>#N/A</v></c><c r=\"G3\"><f>1</f></c><c r=\"I3\"><v>5</v></c></row>",
               "3:李四|李四1|n:2|b:true|b:false|e:#N/A|||n:5\n");
}

TEST(prefixes_strict_files_and_missing_references_make_no_difference) {
    CHECK_PARTS("1:甲|n:1\n2:n:2\n",
                .sheet1 = "<x:worksheet xmlns:x=\"http://purl.oclc.org/ooxml/spreadsheetml/main\"><x:sheetData><x:row>"
                          "<x:c t=\"inlineStr\"><x:is><x:t>甲</x:t></x:is></x:c><x:c><x:v>1</x:v></x:c></x:row>"
                          "<x:row><x:c><x:v>2</x:v></x:c></x:row></x:sheetData></x:worksheet>");
}

TEST(numbers_that_lost_digits_are_told) {
    CHECK_ROWS("<row><c><v>1.42401199001011E+17</v></c><c><v>142401199001011234</v></c><c><v>142401900101123</v></c>"
               "<c><v>13912345678</v></c><c><v>6222020200001234</v></c><c><v>1E+20</v></c></row>",
               "1:n!:1.42401199001011E+17|n!:1.4240119900101123E+17|n:142401900101123|n:13912345678|n:6222020200001234|n!:1E+20\n");
    CHECK_ROWS("<row><c><v>0.1</v></c><c><v>-0</v></c><c><v>1.50</v></c><c><v>1E-3</v></c><c><v>1.0000000000000001E-5</v></c>"
               "<c><v>.5</v></c><c><v>100</v></c><c><v>0.30000000000000004</v></c></row>",
               "1:n:0.1|n:0|n:1.5|n:0.001|n:0.00001|n:0.5|n:100|n:0.30000000000000004\n");
}

#define STYLES                                                                                                         \
    "<styleSheet " MAIN_NS "><numFmts count=\"9\"><numFmt numFmtId=\"164\" formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;\"/>" \
    "<numFmt numFmtId=\"165\" formatCode=\"0.0&quot;d&quot;\"/><numFmt numFmtId=\"166\" formatCode=\"[Red]0.00;\\d0\"/>"   \
    "<numFmt numFmtId=\"167\" formatCode=\"[$-804]aaaa\"/><numFmt numFmtId=\"168\" formatCode=\"h:mm AM/PM\"/></numFmts>" \
    "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/>" \
    "<xf numFmtId=\"31\"/><xf numFmtId=\"58\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/><xf numFmtId=\"166\"/>"         \
    "<xf numFmtId=\"167\"/><xf numFmtId=\"168\"/><xf numFmtId=\"45\"/></cellXfs>"                                       \
    "<dxfs><dxf><numFmt numFmtId=\"165\" formatCode=\"yyyy\"/></dxf></dxfs></styleSheet>"
#define CELL(style, value) "<c s=\"" style "\"><v>" value "</v></c>"

TEST(dates_are_known_by_their_number_formats) {
    CHECK_PARTS("1:n:43870|d:2020-02-09|d:2020-02-09 23:00:00|d:2020-02-09|d:2020-02-09|d:2020-02-09\n2:n:43870|n:43870|d:2020-02-09\n",
                .styles = STYLES,
                .sheet1 = SHEET("<row>" CELL("0", "43870") CELL("1", "43870") CELL("2", "43870.958333333336") CELL("3", "43870") CELL("4", "43870")
                                    CELL("5", "43870") "</row><row>" CELL("6", "43870") CELL("7", "43870") CELL("8", "43870") "</row>"));
}

TEST(times_of_day_and_the_day_that_never_was_are_shown_as_excel_does) {
    CHECK_PARTS("1:d:12:00:00|d:00:01:30|d:1900-02-28|d:1900-02-29|d:1900-03-01|d:1900-01-01|n:-1|n:2958466|d:9999-12-31|d:2020-02-10\n",
                .styles = STYLES,
                .sheet1 = SHEET("<row>" CELL("9", "0.5") CELL("10", "0.0010416667") CELL("1", "59") CELL("1", "60") CELL("1", "61") CELL("1", "1")
                                    CELL("1", "-1") CELL("1", "2958466") CELL("1", "2958465") CELL("2", "43870.999999999") "</row>"));
}

TEST(workbooks_of_1904_are_understood) {
    CHECK_PARTS("1:d:2020-02-09|d:1904-01-01|d:1904-01-01 06:00:00\n", .styles = STYLES,
                .sheet1 = SHEET("<row>" CELL("1", "42408") CELL("1", "0") CELL("2", "0.25") "</row>"),
                .book = "<workbook " MAIN_NS "><workbookPr date1904=\"1\"/><sheets><sheet name=\"a\" r:id=\"r1\"/></sheets></workbook>");
}

TEST(iso_dates_in_cells_are_understood) {
    CHECK_ROWS("<row><c t=\"d\"><v>2020-02-09T23:00:00</v></c><c t=\"d\"><v>2020-02-09</v></c><c t=\"d\"><v>2020-02-09T00:00:00Z</v></c></row>",
               "1:d:2020-02-09 23:00:00|d:2020-02-09|d:2020-02-09\n");
}

TEST(merged_cells_fill_their_range) {
    CHECK_PARTS("1:n:1|n:1|n:9\n2:n:5|n:6|n:9\n3:n:5|n:7|n:9\n5:n:5|n:8\n6:|n:4\n",
                .sheet1 = "<worksheet " MAIN_NS "><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\"/><c r=\"C1\"><v>9</v></c></row>"
                          "<row r=\"2\"><c r=\"A2\"><v>5</v></c><c r=\"B2\"><v>6</v></c></row>"
                          "<row r=\"3\"><c r=\"A3\"><v>77</v></c><c r=\"B3\"><v>7</v></c></row><row r=\"4\"><c r=\"A4\"/></row>"
                          "<row r=\"5\"><c r=\"B5\"><v>8</v></c></row><row r=\"6\"><c r=\"B6\"><v>4</v></c></row></sheetData>"
                          "<mergeCells count=\"3\"><mergeCell ref=\"A2:A5\"/><mergeCell ref=\"A1:B1\"/><mergeCell ref=\"C1:C3\"/>"
                          "<mergeCell ref=\"nonsense\"/></mergeCells><pageMargins/></worksheet>");
}

TEST(merged_text_lives_as_long_as_its_range) {
    struct buf b CLEANUP(buf_release) = BUF(64 << 20);
    buf_addz(&b, "<x:worksheet " MAIN_NS " xmlns:x=\"x\"><x:sheetData>");
    for (int i = 1; i <= 20000; i++) {
        buf_addf(&b, "<x:row r=\"%d\"><x:c r=\"B%d\"><x:v>%d</x:v></x:c>", i, i, i);
        if (i % 2 == 1) buf_addf(&b, "<x:c r=\"A%d\" t=\"inlineStr\"><x:is><x:t>户%d</x:t></x:is></x:c>", i, i);
        if (i == 1) buf_addz(&b, "<x:c r=\"C1\" t=\"inlineStr\"><x:is><x:t>阳光社区 mergeCells</x:t></x:is></x:c>");
        buf_addz(&b, "</x:row>");
    }
    buf_addz(&b, "</x:sheetData><x:mergeCells>");
    for (int i = 1; i <= 20000; i += 2) buf_addf(&b, "<x:mergeCell ref=\"A%d:A%d\"/>", i, i + 1);
    buf_addz(&b, "<x:mergeCell ref=\"C1:C20000\"/></x:mergeCells></x:worksheet>");
    struct str bytes = make_xlsx(&(struct xlsx_parts){.sheet1 = b.p, .pack = true});
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    double progress = 0;
    CHECK(sheet_open_bytes(bytes, "x", NULL, &s, &e) == 0);
    for (int i = 1; i <= 20000; i++) {
        char want[32];
        snprintf(want, sizeof want, "户%d", i - (i % 2 == 0));
        CHECK_INT(sheet_next(s, &r, &e), 1);
        CHECK_STR(r.cells[0].text, want);
        CHECK_STR(r.cells[2].text, "阳光社区 mergeCells");
        CHECK(sheet_progress(s) >= progress && sheet_progress(s) <= 1);
        progress = sheet_progress(s);
    }
    CHECK(progress > 0.8);
    CHECK_INT(sheet_next(s, &r, &e), 0);
    free((char *)bytes.p);
}

#define THREE_SHEETS(state1, state2)                                                                                   \
    "<workbook " MAIN_NS "><sheets><sheet name=\"说明\" r:id=\"r1\" " state1 "/><sheet name=\"名单\" r:id=\"r2\" " state2 "/>" \
    "<sheet name=\"旧\" r:id=\"r3\"/></sheets></workbook>"
#define ONE(v) SHEET("<row><c><v>" v "</v></c></row>")

TEST(the_first_visible_sheet_with_rows_is_read) {
    CHECK_PARTS("1:n:2\n", .sheet1 = SHEET("<row/><row r=\"7\"><c s=\"0\"/></row>"), .sheet2 = ONE("2"), .sheet3 = ONE("3"), .book = THREE_SHEETS("", ""));
    CHECK_PARTS("1:n:3\n", .sheet1 = ONE("1"), .sheet2 = ONE("2"), .sheet3 = ONE("3"),
                .book = THREE_SHEETS("state=\"hidden\"", "state=\"veryHidden\""));
    CHECK_PARTS("", .sheet1 = SHEET(""));
}

TEST(a_sheet_is_found_by_its_name_even_if_hidden) {
    struct sheet_options o = {.sheet = "名单"}, none = {.sheet = "花名册"};
    struct xlsx_parts parts = {.sheet1 = ONE("1"), .sheet2 = ONE("2"), .sheet3 = ONE("3"), .book = THREE_SHEETS("", "state=\"hidden\"")};
    check_parts(__LINE__, &parts, &o, "1:n:2\n");
    check_parts(__LINE__, &parts, &none, "!FILE_SHEET");
}

TEST(sheets_without_rows_may_all_be_empty) {
    CHECK_PARTS("", .sheet1 = SHEET(""), .sheet2 = SHEET(""), .sheet3 = SHEET(""), .book = THREE_SHEETS("", ""));
}

TEST(cells_behind_column_256_are_left_out) {
    CHECK_ROWS("<row><c r=\"A1\"><v>1</v></c><c r=\"IW1\"><v>2</v></c><c r=\"XFD1\" t=\"inlineStr\"><is><t>x</t></is></c></row>", "1:n:1\n");
}

TEST(damaged_files_are_refused) {
    CHECK_ROWS("<row><c><v>1</v></c></row><row", "1:n:1\n!FILE_DAMAGED");
    CHECK_ROWS("<row><c t=\"s\"><v>9</v></c></row>", "!FILE_DAMAGED");
    CHECK_ROWS("<row r=\"5\"/><row r=\"4\"><c><v>1</v></c></row>", "!FILE_DAMAGED");
    CHECK_ROWS("<row r=\"1048577\"><c><v>1</v></c></row>", "!FILE_DAMAGED");
    CHECK_PARTS("!FILE_DAMAGED", .sheet1 = NULL);
    CHECK_SHEET(STR("PK\x03\x04 broken"), NULL, "!FILE_DAMAGED");
}

TEST(a_damaged_file_is_told_with_part_and_line) {
    struct str bytes = make_xlsx(&(struct xlsx_parts){.sheet1 = SHEET("<row><c><v>1</v></c></row>\n</oops>")});
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_row r;
    struct err e;
    CHECK(sheet_open_bytes(bytes, "a/名单.xlsx", NULL, &s, &e) == 0);
    CHECK_INT(sheet_next(s, &r, &e), 1);
    CHECK_INT(sheet_next(s, &r, &e), -1);
    CHECK_STR(str_z(e.arg[0]), "名单.xlsx");
    CHECK_STR(str_z(e.arg[1]), "xl/worksheets/sheet1.xml 2:3");
    free((char *)bytes.p);
}

TEST(document_types_and_entities_are_refused) {
    CHECK_PARTS("!FILE_DAMAGED", .sheet1 = "<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>");
    CHECK_PARTS("!FILE_DAMAGED", .sheet1 = ONE("1"), .shared = "<!DOCTYPE sst SYSTEM \"http://127.0.0.1/x\"><sst/>");
}

TEST(zip_bombs_are_refused) {
    struct buf b CLEANUP(buf_release) = BUF(256 << 20);
    buf_addz(&b, "<worksheet><sheetData><row><c><v>1</v></c></row>");
    char *blank = buf_room(&b, 128 << 20);
    memset(blank, ' ', 128 << 20);
    buf_grew(&b, 128 << 20);
    buf_addz(&b, "</sheetData></worksheet>");
    CHECK_PARTS("!FILE_UNPACKED", .sheet1 = b.p, .pack = true);
}

TEST(a_tag_without_end_is_refused) {
    struct buf b CLEANUP(buf_release) = BUF(64 << 20);
    buf_addz(&b, "<worksheet><sheetData><row r=\"");
    for (int i = 0; i < 3 << 20; i++) buf_addc(&b, (char)('0' + i % 7));
    buf_addz(&b, "\"/></sheetData></worksheet>");
    CHECK_PARTS("!FILE_DAMAGED", .sheet1 = b.p);
}

TEST(a_cell_of_a_workbook_has_a_size_limit) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    buf_addz(&b, "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>");
    for (int i = 0; i < 131069; i++) buf_addc(&b, 'x');
    buf_addz(&b, "</t></is></c></row></sheetData></worksheet>");
    CHECK_PARTS("!FILE_CELL", .sheet1 = b.p);
}

TEST(other_zip_files_are_no_tables) {
    const struct xlsx_piece document[] = {{"word/document.xml", STR("<w/>")}, {"[Content_Types].xml", STR("<Types/>")}};
    struct str bytes = make_zip(document, COUNT(document), true);
    CHECK_SHEET(bytes, NULL, "!FILE_FORMAT");
    free((char *)bytes.p);
}

TEST(backslashes_and_other_case_in_part_names_are_forgiven) {
    const struct xlsx_piece pieces[] = {
        {"_rels\\.rels", str_z(make_root)},
        {"XL\\Workbook.xml", str_z(make_book)},
        {"xl\\_rels\\workbook.xml.rels", str_z(make_relations)},
        {"xl\\worksheets\\Sheet1.xml", STR(ONE("1"))},
    };
    struct str bytes = make_zip(pieces, COUNT(pieces), true);
    CHECK_SHEET(bytes, NULL, "1:n:1\n");
    free((char *)bytes.p);
}

TEST(a_workbook_is_read_from_a_file_whatever_its_name) {
    struct str bytes = make_xlsx(&(struct xlsx_parts){.sheet1 = ONE("1")});
    char path[128];
    snprintf(path, sizeof path, "%s/a.xls", unit_dir());
    write_file(path, bytes);
    free((char *)bytes.p);
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct err e;
    struct sheet_options o = {.format = SHEET_XLS};
    CHECK(sheet_open(path, &o, &s, &e) == 0);
    CHECK_INT(sheet_format(s), SHEET_XLSX);
    CHECK_STR(str_z(sheet_charset(s)), "UTF-8");
    struct buf b CLEANUP(buf_release) = BUF(4096);
    show_rows(s, &b);
    CHECK_STR(buf_str(&b), "1:n:1\n");
}
