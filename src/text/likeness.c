/* Likeness of two texts.  Both measures work on characters in arrays of fixed size, so that a comparison never allocates and
 * costs at most TEXT_LIKENESS_MAX squared steps whatever comes in. */
#include "text.h"

#include "base/utf8.h"

struct chars {
    int32_t at[TEXT_LIKENESS_MAX];
    size_t n;
};

static void spell(struct str s, struct chars *to) {
    to->n = 0;
    for (size_t at = 0; at < s.n && to->n < TEXT_LIKENESS_MAX;) to->at[to->n++] = utf8_next(s, &at);
}

/* The characters of a that b has too, at most `radius` away, each of b's used once. */
static size_t common(const struct chars *a, const struct chars *b, size_t radius, int32_t *ret) {
    bool used[TEXT_LIKENESS_MAX] = {false};
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        size_t from = i > radius ? i - radius : 0, to = MIN(i + radius + 1, b->n);
        for (size_t j = from; j < to; j++) {
            if (used[j] || a->at[i] != b->at[j]) continue;
            used[j] = true;
            ret[n++] = a->at[i];
            break;
        }
    }
    return n;
}

static double jaro(const struct chars *a, const struct chars *b) {
    size_t longer = MAX(a->n, b->n);
    size_t radius = longer / 2 > 1 ? longer / 2 - 1 : 0;
    int32_t of_a[TEXT_LIKENESS_MAX], of_b[TEXT_LIKENESS_MAX];
    size_t n = common(a, b, radius, of_a);
    if (n == 0) return 0;
    /* As many from the other side: per character both are the largest matching within the radius. */
    INVARIANT(common(b, a, radius, of_b) == n);
    size_t swapped = 0;
    for (size_t i = 0; i < n; i++) swapped += of_a[i] != of_b[i];
    double m = (double)n;
    return (m / (double)a->n + m / (double)b->n + (m - (double)(swapped / 2)) / m) / 3;
}

double text_jaro_winkler(struct str a, struct str b) {
    struct chars x, y;
    spell(a, &x);
    spell(b, &y);
    if (x.n == 0 || y.n == 0) return x.n == y.n;
    double likeness = jaro(&x, &y);
    size_t head = 0;
    while (head < 4 && head < MIN(x.n, y.n) && x.at[head] == y.at[head]) head++;
    return MIN(likeness + (double)head * 0.1 * (1 - likeness), 1.0);
}

static size_t distance(const struct chars *a, const struct chars *b) {
    size_t from = 0, n = a->n, m = b->n;
    while (from < MIN(n, m) && a->at[from] == b->at[from]) from++;
    while (n > from && m > from && a->at[n - 1] == b->at[m - 1]) n--, m--;
    size_t row[TEXT_LIKENESS_MAX + 1];
    for (size_t j = from; j <= m; j++) row[j] = j - from;
    for (size_t i = from; i < n; i++) {
        size_t diagonal = row[from];
        row[from] = i + 1 - from;
        for (size_t j = from; j < m; j++) {
            size_t above = row[j + 1];
            size_t change = diagonal + (a->at[i] != b->at[j]);
            row[j + 1] = MIN(change, MIN(above, row[j]) + 1);
            diagonal = above;
        }
    }
    return row[m];
}

size_t text_edit_distance(struct str a, struct str b) {
    struct chars x, y;
    spell(a, &x);
    spell(b, &y);
    return distance(&x, &y);
}

double text_levenshtein(struct str a, struct str b) {
    struct chars x, y;
    spell(a, &x);
    spell(b, &y);
    size_t longer = MAX(x.n, y.n);
    return longer ? 1 - (double)distance(&x, &y) / (double)longer : 1;
}
