/* Any bytes as an old workbook: the compound file itself, or the stream of records inside one. */
#include <stdint.h>

#include "../tests/unit/sheet_make_xls.h"
#include "sheet/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct str bytes) {
    struct sheet *s CLEANUP(sheet_closep) = NULL;
    struct sheet_options o = {.format = SHEET_XLS};
    struct sheet_row r;
    struct err e = {0};
    if (sheet_open_bytes(bytes, "fuzz", &o, &s, &e)) {
        INVARIANT(e.code != ERR_NONE && e.msg != M_NONE);
        return;
    }
    int64_t last = 0;
    while (sheet_next(s, &r, &e) > 0) {
        INVARIANT(r.number > last && r.number <= 65536 && r.count > 0 && r.count <= 256);
        last = r.number;
        for (size_t i = 0; i < r.count; i++) {
            INVARIANT(r.cells[i].text.n <= 32767 * 4 && utf8_valid(r.cells[i].text));
            INVARIANT(r.cells[i].type == CELL_EMPTY ? r.cells[i].text.n == 0 : r.cells[i].text.n > 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct str input = {(const char *)data + 1, size - 1};
    if (data[0] % 2 == 0) {
        read_all(input);
        return 0;
    }
    struct buf file CLEANUP(buf_release) = BUF(1 << 24);
    make_cfb(data[0] & 2 ? "Book" : "Workbook", input, &file);
    read_all(buf_str(&file));
    return 0;
}
