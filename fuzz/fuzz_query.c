/* Percent-encoding and query strings: what decodes is valid text, encoding is undone by decoding, and asking for a parameter agrees with
 * walking through them. */
#include "base/utf8.h"
#include "http/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct arena *a, struct str text) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct str back;
    percent_encode(&b, text);
    INVARIANT(!b.failed && percent_decode(a, buf_str(&b), false, &back) && str_eq(back, text));
    INVARIANT(percent_decode(a, buf_str(&b), true, &back) && str_eq(back, text));
    struct buf again CLEANUP(buf_release) = BUF(1 << 20);
    percent_encode(&again, back);
    INVARIANT(str_eq(buf_str(&b), buf_str(&again)));
}

static bool is_text(struct str s) {
    return utf8_valid(s) && str_find_char(s, 0) < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 16384) return 0;
    struct arena a CLEANUP(arena_release) = {0};
    struct str in = arena_str(&a, (struct str){(const char *)data, size}), plain;
    for (int plus = 0; plus < 2; plus++)
        if (percent_decode(&a, in, plus, &plain)) {
            INVARIANT(is_text(plain) && plain.n <= in.n);
            round_trip(&a, plain);
        }
    struct str rest = in, name, value, first_name = STR_NONE, first_value = STR_NONE, found;
    bool bad;
    while (query_next(&a, &rest, &name, &value, &bad)) {
        INVARIANT(is_text(name) && is_text(value) && value.p);
        if (!first_name.p) {
            first_name = name;
            first_value = value;
        }
    }
    char *wanted = arena_strz(&a, first_name);
    INVARIANT(query_get(&a, in, wanted, &found) == !bad);
    if (!bad && first_name.p) INVARIANT(str_eq(found, first_value));
    return 0;
}
