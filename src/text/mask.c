/* What is shown of a value to those who may not see it. */
#include "text.h"

#include "base/utf8.h"

enum { STARS_FOR_TEXT = 3, STARS_MOST = 20 };

/* The first `head` and the last `tail` characters with stars between; a malformed byte is a star as well. */
static struct str mask(struct arena *a, struct str s, size_t head, size_t stars, size_t tail) {
    struct buf b CLEANUP(buf_release) = BUF(s.n + STARS_MOST + 1);
    size_t n = utf8_length(s), at = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t c = utf8_next(s, &at);
        if (i == head)
            for (size_t k = 0; k < stars; k++) buf_addc(&b, '*');
        if (i >= head && i + tail < n) continue;
        if (c < 0) buf_addc(&b, '*');
        else utf8_add(&b, c);
    }
    INVARIANT(!b.failed);
    return arena_str(a, buf_str(&b));
}

struct str text_mask_other(struct arena *a, struct str s) {
    size_t n = utf8_length(s);
    return mask(a, s, n > 1, n > 1 ? STARS_FOR_TEXT : n, 0);
}

struct str text_mask_id_number(struct arena *a, struct str s) {
    size_t n = utf8_length(s);
    return n >= 15 ? mask(a, s, 6, MIN(n - 10, (size_t)STARS_MOST), 4) : text_mask_other(a, s);
}

struct str text_mask_phone(struct arena *a, struct str s) {
    size_t n = utf8_length(s);
    size_t head = n >= 11 ? 3 : 0, tail = n >= 11 ? 4 : n >= 7 ? 3 : 0;
    return mask(a, s, head, MIN(n - head - tail, (size_t)STARS_MOST), tail);
}

struct str text_mask_name(struct arena *a, struct str s) {
    size_t n = utf8_length(s), head = n > 1;
    return mask(a, s, head, MIN(n - head, (size_t)STARS_MOST), 0);
}
