/* Any bytes: a charset is always guessed, and decoding gives valid UTF-8 that encodes back, or an error inside the text. */
#include <stdint.h>

#include "base/utf8.h"
#include "sheet/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_decode(const char *charset, struct str bytes) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str text = STR_NONE;
    struct err e = {0};
    if (charset_to_utf8(&a, charset, bytes, &text, &e)) {
        int64_t at = 0;
        INVARIANT(e.code == ERR_INVALID && e.msg == M_CHARSET && !text.p);
        INVARIANT(str_to_int(str_z(e.arg[1]), 1, (int64_t)bytes.n, &at));
        return;
    }
    INVARIANT(utf8_valid(text));
    /* Bytes that decode to nothing, or to more than they could hold, would be lost or invented. */
    INVARIANT(text.n <= bytes.n * 3 && text.n * 4 + 4 >= bytes.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    static const char *const charsets[] = {"UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "BIG5"};
    const char *guess = charset_guess(bytes);
    bool found = false;
    for (size_t i = 0; i < COUNT(charsets); i++) {
        found = found || !strcmp(guess, charsets[i]);
        check_decode(charsets[i], bytes);
    }
    INVARIANT(found);
    if (size && utf8_valid(bytes) && !memchr(data, 0, size)) {
        bool three = false;
        for (size_t i = 0; i < size; i++) three = three || data[i] >= 0xe0;
        if (three && size < 65536) INVARIANT(!strcmp(guess, "UTF-8"));
    }
    return 0;
}
