/* Any bytes as CSV: what is read, written out and read again is the same; and splitting into blocks changes nothing. */
#include <stdint.h>
#include <unistd.h>

#include "base/buf.h"
#include "sheet/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts and rows, each ended by a byte that says what it was. */
static bool flatten(struct sheet *s, struct sheet_out *o, struct buf *b) {
    struct sheet_row r;
    struct err e;
    int got;
    int64_t last = 0;
    while ((got = sheet_next(s, &r, &e)) > 0) {
        INVARIANT(r.number > last && r.count > 0 && r.count <= 256);
        last = r.number;
        bool any = false;
        for (size_t i = 0; i < r.count; i++) {
            const struct cell *c = &r.cells[i];
            INVARIANT((c->type == CELL_EMPTY) == (c->text.n == 0));
            INVARIANT(c->text.n <= 32767 * 4);
            any = any || c->text.n;
            buf_add_str(b, c->text);
            buf_addc(b, '\x01');
            if (o) sheet_out_text(o, c->text);
        }
        INVARIANT(any);
        buf_addc(b, '\x02');
        if (o) sheet_out_row_end(o);
    }
    INVARIANT(got == 0 || e.msg != M_NONE);
    INVARIANT(sheet_progress(s) == 1);
    INVARIANT(!b->failed);
    return got == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    static const char *const charsets[] = {NULL, "UTF-8", "GB18030", "BIG5", "UTF-16LE"};
    static const char separators[] = {0, ',', ';', '\t'};
    struct sheet_options o = {.format = data[0] & 1 ? SHEET_TSV : SHEET_CSV, .charset = charsets[data[0] / 2 % COUNT(charsets)],
                              .separator = separators[data[1] % COUNT(separators)]};
    struct sheet *s CLEANUP(sheet_closep) = NULL, *again CLEANUP(sheet_closep) = NULL;
    struct sheet_out *out CLEANUP(sheet_out_dropp) = NULL;
    struct buf first CLEANUP(buf_release) = BUF(1 << 28), second CLEANUP(buf_release) = BUF(1 << 28);
    struct err e;
    if (sheet_open_bytes((struct str){(const char *)data + 2, size - 2}, "fuzz", &o, &s, &e)) return 0;
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/lf-fuzz-csv-%d", (int)getpid());
    struct sheet_out_options to = {.format = data[1] & 128 ? SHEET_TSV : SHEET_CSV};
    INVARIANT(sheet_out_open(path, &to, &out, &e) == 0);
    bool whole = flatten(s, out, &first);
    INVARIANT(sheet_out_close(TAKE(out), &e) == 0);
    struct sheet_options from = {.format = to.format};
    if (whole) {
        INVARIANT(sheet_open(path, &from, &again, &e) == 0);
        INVARIANT(flatten(again, NULL, &second));
        INVARIANT(str_eq(buf_str(&first), buf_str(&second)));
    }
    unlink(path);
    return 0;
}
