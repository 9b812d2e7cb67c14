#include "http_help.h"

#include "base/utf8.h"

TEST(query_parameters_come_decoded) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str q = STR("q=%E5%BC%A0+%E4%B8%89&empty=&bare&x=1&x=2&a%26b=c%3Dd"), v;
    CHECK(query_get(&a, q, "q", &v));
    CHECK_STR(v, "张 三");
    CHECK(query_get(&a, q, "empty", &v));
    CHECK(v.p && v.n == 0);
    CHECK(query_get(&a, q, "bare", &v));
    CHECK(v.p && v.n == 0);
    CHECK(query_get(&a, q, "x", &v));
    CHECK_STR(v, "1");
    CHECK(query_get(&a, q, "a&b", &v));
    CHECK_STR(v, "c=d");
    CHECK(query_get(&a, q, "absent", &v));
    CHECK(v.p == NULL);
    CHECK(query_get(&a, STR(""), "q", &v));
    CHECK(v.p == NULL);
    CHECK(query_get(&a, STR("&&a=b&"), "a", &v));
    CHECK_STR(v, "b");
}

TEST(malformed_queries_are_told_from_absent_parameters) {
    struct arena a CLEANUP(arena_release) = {0};
    static const char *const bad[] = {"q=%", "q=%4", "q=%4g", "%=1", "q=%00", "q=%ff", "q=%c3", "ok=1&q=%ed%a0%80", "q=1&z=%"};
    struct str v = STR("untouched");
    for (size_t i = 0; i < COUNT(bad); i++) CHECK(!query_get(&a, str_z(bad[i]), "q", &v));
    CHECK_STR(v, "untouched");
}

TEST(parameters_come_one_after_the_other) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str rest = STR("a=1&&b=2=3&c"), n, v;
    bool bad;
    CHECK(query_next(&a, &rest, &n, &v, &bad));
    CHECK_STR(n, "a");
    CHECK(query_next(&a, &rest, &n, &v, &bad));
    CHECK_STR(n, "b");
    CHECK_STR(v, "2=3");
    CHECK(query_next(&a, &rest, &n, &v, &bad));
    CHECK_STR(n, "c");
    CHECK(!query_next(&a, &rest, &n, &v, &bad));
    CHECK(!bad);
}

TEST(percent_encoding_and_decoding_are_inverse) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf b CLEANUP(buf_release) = BUF(4096);
    struct str text = STR("a b/c?d=é&张三+%~_-."), back;
    percent_encode(&b, text);
    CHECK_STR(buf_str(&b), "a%20b%2Fc%3Fd%3D%C3%A9%26%E5%BC%A0%E4%B8%89%2B%25~_-.");
    CHECK(percent_decode(&a, buf_str(&b), false, &back));
    CHECK(str_eq(back, text));
    CHECK(percent_decode(&a, STR("a+b"), false, &back));
    CHECK_STR(back, "a+b");
    CHECK(percent_decode(&a, STR("a+b"), true, &back));
    CHECK_STR(back, "a b");
}
