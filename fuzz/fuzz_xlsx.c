/* Any bytes as a workbook.  The first byte says as what: the file itself, a worksheet, shared strings, styles, the workbook part.
 * The second reading of the same bytes gives the same rows. */
#include <stdint.h>

#include "../tests/unit/sheet_make.h"
#include "base/utf8.h"
#include "sheet/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char plain_sheet[] = "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c s=\"1\"><v>43870.5</v></c></row></sheetData></worksheet>";

static uint64_t read_all(struct str bytes) {
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_options o = {.format = SHEET_XLSX};
    struct sheet_row r;
    struct err e = {0};
    uint64_t sum = 1;
    if (sheet_open_bytes(bytes, "fuzz", &o, &s, &e)) {
        INVARIANT(e.code != ERR_NONE && e.msg != M_NONE);
        return 0;
    }
    int64_t last = 0;
    int got;
    while ((got = sheet_next(s, &r, &e)) > 0) {
        INVARIANT(r.number > last && r.number <= 1048576 && r.count > 0 && r.count <= 256);
        last = r.number;
        for (size_t i = 0; i < r.count; i++) {
            INVARIANT(r.cells[i].text.n <= 32767 * 4 && r.cells[i].text.p);
            INVARIANT(r.cells[i].type == CELL_EMPTY ? r.cells[i].text.n == 0 : r.cells[i].text.n > 0);
            INVARIANT(utf8_valid(r.cells[i].text));
            sum = sum * 31 + str_hash(r.cells[i].text) + r.cells[i].type;
        }
        double at = sheet_progress(s);
        INVARIANT(at >= 0 && at <= 1);
    }
    INVARIANT(sheet_next(s, &r, &e) == 0);
    return sum * 2 + (got < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    struct str input = {(const char *)data + 1, size - 1};
    int mode = data[0] % 5;
    if (mode == 0) {
        INVARIANT(read_all(input) == read_all(input));
        return 0;
    }
    struct xlsx_piece pieces[] = {
        {"_rels/.rels", str_z(make_root)},
        {"xl/_rels/workbook.xml.rels", str_z(make_relations)},
        {"xl/workbook.xml", mode == 4 ? input : str_z(make_book)},
        {"xl/worksheets/sheet1.xml", mode == 1 ? input : str_z(plain_sheet)},
        {"xl/worksheets/sheet2.xml", str_z(plain_sheet)},
        {"xl/sharedStrings.xml", mode == 2 ? input : STR("<sst><si><t>a</t></si></sst>")},
        {"xl/styles.xml", mode == 3 ? input : STR("<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>")},
    };
    struct str bytes = make_zip(pieces, COUNT(pieces), false);
    INVARIANT(read_all(bytes) == read_all(bytes));
    free((char *)bytes.p);
    return 0;
}
