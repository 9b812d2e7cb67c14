#include <math.h>

#include "text/text.h"
#include "unit.h"

TEST(likeness_agrees_with_the_record_linkage_package) {
    static const struct {
        const char *a, *b;
        double jw, lev;
        size_t distance;
    } rows[] = {
        {"martha", "marhta", 0.961111111111, 0.666666666667, 2},
        {"dwayne", "duane", 0.84, 0.666666666667, 2},
        {"dixon", "dicksonx", 0.813333333333, 0.5, 4},
        {"jones", "johnson", 0.832380952381, 0.428571428571, 4},
        {"", "a", 0, 0, 1},
        {"abc", "abc", 1, 1, 0},
        {"zhang wei", "zhang wie", 0.977777777778, 0.777777777778, 2},
        {"li xiaoming", "li xiao ming", 0.983333333333, 0.916666666667, 1},
        {"wang", "wong", 0.85, 0.75, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str a = str_z(rows[i].a), b = str_z(rows[i].b);
        CHECK(fabs(text_jaro_winkler(a, b) - rows[i].jw) < 1e-11);
        CHECK(fabs(text_levenshtein(a, b) - rows[i].lev) < 1e-11);
        CHECK_INT(text_edit_distance(a, b), rows[i].distance);
        CHECK(text_jaro_winkler(a, b) == text_jaro_winkler(b, a));
        CHECK_INT(text_edit_distance(b, a), rows[i].distance);
    }
}

TEST(likeness_counts_characters_not_bytes) {
    CHECK_INT(text_edit_distance(STR("王小明"), STR("王晓明")), 1);
    CHECK(fabs(text_levenshtein(STR("王小明"), STR("王晓明")) - 2.0 / 3) < 1e-12);
    CHECK(text_levenshtein(STR("张伟"), STR("张卫")) == 0.5);
    CHECK_INT(text_edit_distance(STR("幸福路12号"), STR("幸福路21号")), 2);
}

TEST(names_that_sound_alike_are_alike_in_pinyin) {
    struct arena a CLEANUP(arena_release) = {0};
    CHECK_INT(text_init(), 0);
    CHECK(text_jaro_winkler(text_pinyin(&a, STR("张伟"), true), text_pinyin(&a, STR("张卫"), true)) == 1);
    CHECK(text_jaro_winkler(text_pinyin(&a, STR("王小明"), true), text_pinyin(&a, STR("王晓明"), true)) == 1);
    CHECK(text_jaro_winkler(text_pinyin(&a, STR("张伟"), true), text_pinyin(&a, STR("李强"), true)) < 0.7);
    double near = text_jaro_winkler(text_pinyin(&a, STR("陈静"), true), text_pinyin(&a, STR("程静"), true));
    CHECK(near > 0.9 && near < 1);
}

TEST(two_empty_texts_are_equal_and_an_empty_one_is_like_nothing) {
    CHECK(text_jaro_winkler(STR(""), STR_NONE) == 1 && text_levenshtein(STR_NONE, STR("")) == 1);
    CHECK(text_jaro_winkler(STR("张"), STR("")) == 0 && text_levenshtein(STR("张"), STR("")) == 0);
    CHECK(text_jaro_winkler(STR("a"), STR("b")) == 0);
}

TEST(long_texts_are_compared_by_their_beginnings) {
    char x[3 * TEXT_LIKENESS_MAX], y[3 * TEXT_LIKENESS_MAX];
    memset(x, 'a', sizeof x);
    memset(y, 'a', sizeof y);
    y[sizeof y - 1] = 'b';
    CHECK(text_jaro_winkler((struct str){x, sizeof x}, (struct str){y, sizeof y}) == 1);
    memset(y, 'b', sizeof y);
    CHECK_INT(text_edit_distance((struct str){x, sizeof x}, (struct str){y, sizeof y}), TEXT_LIKENESS_MAX);
}

static size_t slow_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), d[16][16];
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) d[i][j] = i + j;
            else d[i][j] = MIN(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]), MIN(d[i - 1][j], d[i][j - 1]) + 1);
        }
    return d[n][m];
}

TEST(edit_distance_agrees_with_the_textbook) {
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        char a[16] = "", b[16] = "";
        for (int k = 0; k < 2; k++) {
            char *to = k ? b : a;
            seed = seed * 1664525 + 1013904223;
            size_t n = seed >> 28;
            for (size_t i = 0; i < MIN(n, (size_t)14); i++) {
                seed = seed * 1664525 + 1013904223;
                to[i] = (char)('a' + (seed >> 30));
            }
        }
        CHECK_INT(text_edit_distance(str_z(a), str_z(b)), slow_distance(a, b));
        double jw = text_jaro_winkler(str_z(a), str_z(b));
        CHECK(jw >= 0 && jw <= 1 && jw == text_jaro_winkler(str_z(b), str_z(a)));
    }
}
