/* Two texts, split at the first newline, through everything in text.h. */
#include "base/utf8.h"
#include "text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pinyin(struct arena *a, struct str s, bool name) {
    struct str p = text_pinyin(a, s, name), i = text_initials(a, s, name);
    INVARIANT(utf8_valid(p) && utf8_valid(i));
    INVARIANT(p.n <= 2 * s.n && i.n <= 2 * s.n);
    INVARIANT(utf8_length(i) <= utf8_length(s));
    for (size_t k = 0; k < p.n; k++) INVARIANT((uint8_t)p.p[k] > ' ' && (p.p[k] < 'A' || p.p[k] > 'Z'));
    INVARIANT(str_eq(text_pinyin(a, p, false), p));
}

static void check_likeness(struct str a, struct str b) {
    double jw = text_jaro_winkler(a, b), lev = text_levenshtein(a, b);
    INVARIANT(jw >= 0 && jw <= 1 && lev >= 0 && lev <= 1);
    INVARIANT(jw == text_jaro_winkler(b, a) && lev == text_levenshtein(b, a));
    INVARIANT(text_jaro_winkler(a, a) == 1 && text_levenshtein(a, a) == 1);
    INVARIANT((text_edit_distance(a, b) == 0) == (lev == 1));
    size_t n = MIN(utf8_length(a), (size_t)TEXT_LIKENESS_MAX), m = MIN(utf8_length(b), (size_t)TEXT_LIKENESS_MAX);
    size_t d = text_edit_distance(a, b);
    INVARIANT(d <= MAX(n, m) && d >= MAX(n, m) - MIN(n, m));
}

static void check_numbers(struct arena *a, struct str s) {
    struct str got, again;
    day_t birth = DAY_NONE;
    if (text_id_number(s, &birth, NULL)) INVARIANT(s.n == 18 && birth != DAY_NONE);
    if (text_phone(a, s, &got)) {
        INVARIANT(got.n >= 5 && got.n <= 20);
        for (size_t i = 0; i < got.n; i++) INVARIANT(got.p[i] >= '0' && got.p[i] <= '9');
    }
    if (text_plate(a, s, &got)) {
        INVARIANT(utf8_valid(got) && (utf8_length(got) == 7 || utf8_length(got) == 8));
        INVARIANT(text_plate(a, got, &again) && str_eq(got, again));
    }
}

static void check_masks(struct arena *a, struct str s) {
    struct str (*const masks[])(struct arena *, struct str) = {text_mask_id_number, text_mask_phone, text_mask_name, text_mask_other};
    for (size_t i = 0; i < COUNT(masks); i++) {
        struct str m = masks[i](a, s);
        INVARIANT(utf8_valid(m) && (m.n == 0) == (s.n == 0));
        if (s.n) INVARIANT(str_find_char(m, '*') >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    INVARIANT(text_init() == 0);
    struct arena a CLEANUP(arena_release) = {0};
    struct str rest = {(const char *)data, size}, first = STR(""), second = STR("");
    str_cut(&rest, '\n', &first);
    str_cut(&rest, '\n', &second);
    check_pinyin(&a, first, true);
    check_pinyin(&a, first, false);
    check_likeness(first, second);
    check_numbers(&a, first);
    check_masks(&a, first);
    return 0;
}
