#include "json/json.h"

#include <math.h>

#include "unit.h"

static struct arena arena;

static struct json *parsed(const char *text) {
    struct err e = {0};
    struct json *v = NULL;
    if (json_parse(&arena, str_z(text), NULL, &v, &e) != 0) unit_fail(__FILE__, __LINE__, "refused: %s (%s)", text, e.arg[1]);
    return v;
}

static struct err refusal(struct str text, const struct json_limits *limits) {
    struct err e = {0};
    struct json *v = NULL;
    if (json_parse(&arena, text, limits, &v, &e) != -1) unit_fail(__FILE__, __LINE__, "accepted: %.*s", STR_FMT(text));
    CHECK_INT(e.code, ERR_BAD_REQUEST);
    arena_release(&arena);
    return e;
}

static void check_again(const char *text, const char *want) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct json_out o = JSON_OUT(&b);
    json_value(&o, parsed(text));
    CHECK_STR(buf_str(&b), want);
    arena_release(&arena);
}

TEST(a_parsed_value_is_written_the_same_without_spaces) {
    check_again(" { \"a\" : [ 1 , 2.50 , -0 , 1E5 , { } , [ ] ] , \"b\" : null , \"c\" : { \"d\" : true , \"e\" : [ false ] } } ",
                "{\"a\":[1,2.50,-0,1E5,{},[]],\"b\":null,\"c\":{\"d\":true,\"e\":[false]}}");
    check_again("\"\\u5f20\\u4e09\\n\\\"\\\\\\/ \\ud83d\\ude39\"", "\"张三\\n\\\"\\\\/ \xf0\x9f\x98\xb9\"");
    check_again("[[[1],[2]],[3]]", "[[[1],[2]],[3]]");
    check_again("{\"\":{\"\":{}}}", "{\"\":{\"\":{}}}");
    check_again("7", "7");
}

TEST(members_and_elements_are_counted_and_found) {
    struct json *v = parsed("{\"姓名\":\"张三\",\"age\":44,\"tags\":[1,2,3],\"empty\":\"\"}");
    CHECK_INT(v->count, 4);
    CHECK_STR(json_text(v, "姓名"), "张三");
    CHECK(json_text(v, "age").p == NULL);
    CHECK(json_text(v, "nothing").p == NULL);
    CHECK(json_text(v, "empty").p != NULL && json_text(v, "empty").n == 0);
    CHECK_INT(json_get(v, "tags")->count, 3);
    CHECK(json_get(json_get(v, "tags"), "x") == NULL);
    CHECK(json_get(NULL, "x") == NULL);
    arena_release(&arena);
}

TEST(a_string_without_escapes_points_into_the_input) {
    struct str text = STR("[\"plain 文字\",\"esc\\n\"]");
    struct err e;
    struct json *v;
    CHECK_INT(json_parse(&arena, text, NULL, &v, &e), 0);
    CHECK(v->first->text.p == text.p + 2);
    CHECK_STR(v->first->next->text, "esc\n");
    arena_release(&arena);
}

TEST(a_whole_number_is_exact_and_anything_else_is_not_one) {
    static const struct {
        const char *text;
        int64_t want;
    } whole[] = {
        {"9007199254740993", INT64_C(9007199254740993)}, {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN},
        {"0", 0}, {"-0", 0}, {"1.0", 1}, {"1e2", 100}, {"-12.50e1", -125}, {"0e99999999999", 0}, {"0.000", 0}, {"100e-2", 1},
        {"9.223372036854775807e18", INT64_MAX}, {"92233720368547758070e-1", INT64_MAX}, {"1E+3", 1000}, {"0.0010e3", 1},
        {"1000000000000000000000000000000e-30", 1},
    };
    static const char *const not_whole[] = {"0.5", "1e-1", "9223372036854775808", "-9223372036854775809", "1e19", "1e99999999999",
                                            "1.5", "125e-1", "1e-99999999999"};
    for (size_t i = 0; i < COUNT(whole); i++) {
        int64_t got = -77;
        if (!json_int(parsed(whole[i].text), &got)) unit_fail(__FILE__, __LINE__, "%s", whole[i].text);
        CHECK_INT(got, whole[i].want);
        arena_release(&arena);
    }
    for (size_t i = 0; i < COUNT(not_whole); i++) {
        int64_t got = -77;
        if (json_int(parsed(not_whole[i]), &got)) unit_fail(__FILE__, __LINE__, "%s", not_whole[i]);
        CHECK_INT(got, -77);
        arena_release(&arena);
    }
    int64_t got;
    CHECK(!json_int(parsed("\"1\""), &got) && !json_int(NULL, &got));
    arena_release(&arena);
}

TEST(a_real_number_reads_as_libc_reads_it) {
    static const char *const texts[] = {"0",      "-0",     "1",         "0.1",      "-2.5",    "36.7",   "1e22",  "1e23", "123456789012345678",
                                        "1e-22",  "1e-23",  "4.9e-324",  "1e-400",   "1.7976931348623157e308", "0.30000000000000004",
                                        "9007199254740993", "123e-30",  "8.41e21",  "0.000001", "100.125e3"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        double got = -77, want = strtod(texts[i], NULL);
        CHECK(json_real(parsed(texts[i]), &got));
        if (memcmp(&got, &want, sizeof got) != 0) unit_fail(__FILE__, __LINE__, "%s is read as %.17g", texts[i], got);
        arena_release(&arena);
    }
    double got = -77;
    CHECK(!json_real(parsed("1e400"), &got) && !json_real(parsed("true"), &got) && !json_real(NULL, &got));
    CHECK(got == -77);
    arena_release(&arena);
}

TEST(a_double_is_written_short_and_reads_back_the_same) {
    static const struct {
        double v;
        const char *want;
    } shown[] = {
        {0.1, "0.1"}, {36.7, "36.7"}, {1, "1"}, {-0.0, "-0"}, {0, "0"}, {1e15, "1e+15"}, {123456789012345, "123456789012345"},
        {0.1 + 0.2, "0.30000000000000004"}, {1.0 / 3, "0.3333333333333333"}, {-2.5e-7, "-2.5e-07"}, {1e300, "1e+300"},
        {INFINITY, "null"}, {-INFINITY, "null"}, {NAN, "null"}, {9007199254740993.0, "9007199254740992"},
    };
    for (size_t i = 0; i < COUNT(shown); i++) {
        struct buf b CLEANUP(buf_release) = BUF(100);
        struct json_out o = JSON_OUT(&b);
        json_dbl(&o, shown[i].v);
        CHECK_STR(buf_str(&b), shown[i].want);
        double back;
        if (isfinite(shown[i].v)) CHECK(json_real(parsed(b.p), &back) && memcmp(&back, &shown[i].v, sizeof back) == 0);
        arena_release(&arena);
    }
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double v, back;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v)) continue;
        struct buf b CLEANUP(buf_release) = BUF(100);
        struct json_out o = JSON_OUT(&b);
        json_dbl(&o, v);
        CHECK(json_real(parsed(b.p), &back) && memcmp(&back, &v, sizeof v) == 0);
        arena_release(&arena);
    }
}

TEST(the_writer_keeps_commas_right) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    struct json_out o = JSON_OUT(&b);
    json_object(&o);
    json_put_str(&o, "a", STR("x"));
    json_put_strz(&o, "b", NULL);
    json_put_strz(&o, "b2", "z");
    json_put_int(&o, "c", INT64_MIN);
    json_put_dbl(&o, "d", 0.5);
    json_put_bool(&o, "e", true);
    json_key(&o, "f");
    json_array(&o);
    json_num(&o, 1);
    json_object(&o);
    json_object_end(&o);
    json_array(&o);
    json_array_end(&o);
    json_raw(&o, STR("{\"r\":1}"));
    json_bool(&o, false);
    json_array_end(&o);
    json_key_str(&o, STR("g\"\n"));
    json_null(&o);
    json_object_end(&o);
    CHECK(!b.failed);
    CHECK_STR(buf_str(&b), "{\"a\":\"x\",\"b\":null,\"b2\":\"z\",\"c\":-9223372036854775808,\"d\":0.5,\"e\":true,"
                           "\"f\":[1,{},[],{\"r\":1},false],\"g\\\"\\n\":null}");
}

static void check_written(struct str s, const char *want) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    struct json_out o = JSON_OUT(&b);
    json_str(&o, s);
    CHECK_STR(buf_str(&b), want);
}

TEST(any_bytes_become_a_valid_string) {
    check_written(STR(""), "\"\"");
    check_written(STR_NONE, "\"\"");
    check_written(STR("张三 <b></b>"), "\"张三 <b><\\/b>\"");
    check_written(STR("a<"), "\"a<\"");
    check_written(STR("\x01\x1f\b\f\n\r\t\"\\/\x7f"), "\"\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\"");
    check_written(STR("a\0b"), "\"a\\u0000b\"");
    check_written(STR("x\xff\xe5\xbcy\xed\xa0\x80"), "\"x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    check_written(STR("12345678\"12345678张12345678"), "\"12345678\\\"12345678张12345678\"");
}

TEST(a_full_buffer_stays_failed_and_within_its_ceiling) {
    for (size_t max = 0; max < 40; max++) {
        struct buf b CLEANUP(buf_release) = BUF(max);
        struct json_out o = JSON_OUT(&b);
        json_array(&o);
        for (int i = 0; i < 20; i++) json_str(&o, STR("ab\ncd"));
        json_array_end(&o);
        CHECK(b.failed && b.n <= max);
    }
    struct buf b CLEANUP(buf_release) = BUF(7);
    struct json_out o = JSON_OUT(&b);
    json_array(&o);
    json_str(&o, STR("abc"));
    json_array_end(&o);
    CHECK(!b.failed);
    CHECK_STR(buf_str(&b), "[\"abc\"]");
}

TEST(the_error_names_the_byte) {
    static const struct {
        const char *text, *byte;
    } at[] = {
        {"", "1"}, {" x", "2"}, {"[1,2 3]", "6"}, {"{\"a\":1,}", "8"}, {"{\"a\" 1}", "6"}, {"[\"a\\qb\"]", "4"}, {"[\"ab", "5"},
        {"[1] 2", "5"}, {"[\"张\x01\"]", "6"}, {"[-]", "3"}, {"[01]", "3"}, {"tru", "1"}, {"[\"\\ud800\"]", "3"},
    };
    for (size_t i = 0; i < COUNT(at); i++) {
        struct err e = refusal(str_z(at[i].text), NULL);
        CHECK_INT(e.msg, M_JSON);
        CHECK_STR(str_z(e.arg[0]), at[i].byte);
        CHECK(e.arg[1][0]);
    }
    struct err e = refusal(STR("[\"abc\xff\"]"), NULL);
    CHECK_INT(e.msg, M_BAD_UTF8);
    CHECK_STR(str_z(e.arg[0]), "6");
    CHECK_INT(refusal(STR("[\"a\0\"]"), NULL).msg, M_NUL);
    CHECK_INT(refusal(STR("[\"\\u0000\"]"), NULL).msg, M_NUL);
}

TEST(a_key_given_twice_is_named) {
    struct err e = refusal(STR("{\"b\":1,\"onset_date\":1,\"c\":{\"onset_date\":2},\"onset_date\":3}"), NULL);
    CHECK_INT(e.msg, M_DUPLICATE_FIELD);
    CHECK_STR(str_z(e.field), "onset_date");
    CHECK_STR(str_z(refusal(STR("{\"ab\":1,\"a\\u0062\":1}"), NULL).field), "ab");
    for (int last = 2; last < 200; last += 7) {
        struct buf b CLEANUP(buf_release) = BUF(10000);
        for (int i = 0; i < last; i++) buf_addf(&b, "%c\"k%d\":%d", i ? ',' : '{', i, i);
        size_t unique = b.n;
        buf_addz(&b, "}");
        CHECK_INT(parsed(b.p)->count, last);
        arena_release(&arena);
        b.n = unique;
        buf_addz(&b, ",\"k1\":0}");
        CHECK_STR(str_z(refusal(buf_str(&b), NULL).field), "k1");
    }
}

TEST(a_large_object_is_checked_without_comparing_all_pairs) {
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    for (int i = 0; i < 99000; i++) buf_addf(&b, "%c\"key%d\":0", i ? ',' : '{', i);
    buf_addz(&b, "}");
    CHECK_INT(parsed(b.p)->count, 99000);
    arena_release(&arena);
}

static struct str nested(struct buf *b, int depth) {
    buf_clear(b);
    for (int i = 0; i < depth; i++) buf_addz(b, i % 2 ? "{\"a\":" : "[");
    buf_addz(b, "1");
    for (int i = depth; i-- > 0;) buf_addz(b, i % 2 ? "}" : "]");
    return buf_str(b);
}

TEST(depth_size_and_count_are_bounded) {
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    struct err e;
    struct json *v;
    CHECK_INT(json_parse(&arena, nested(&b, 32), NULL, &v, &e), 0);
    arena_release(&arena);
    e = refusal(nested(&b, 33), NULL);
    CHECK_INT(e.msg, M_JSON_DEPTH);
    CHECK_STR(str_z(e.arg[0]), "32");
    CHECK_INT(json_parse(&arena, nested(&b, JSON_DEPTH_MAX), &(struct json_limits){.depth = JSON_DEPTH_MAX}, &v, &e), 0);
    struct buf again CLEANUP(buf_release) = BUF(1 << 20);
    struct json_out o = JSON_OUT(&again);
    json_value(&o, v);
    CHECK(str_eq(buf_str(&again), buf_str(&b)));
    arena_release(&arena);
    struct json_limits few = {.nodes = 4, .string_bytes = 3};
    CHECK_INT(json_parse(&arena, STR("[1,2,\"abc\"]"), &few, &v, &e), 0);
    CHECK_INT(json_parse(&arena, STR("\"a\\u0062\\u0063\""), &few, &v, &e), 0);
    arena_release(&arena);
    CHECK_STR(str_z(refusal(STR("[1,2,3,4]"), &few).arg[1]), "too many values");
    CHECK_STR(str_z(refusal(STR("[\"abcd\"]"), &few).arg[1]), "string too long");
    CHECK_STR(str_z(refusal(STR("{\"abcd\":1}"), &few).arg[1]), "string too long");
    CHECK_STR(str_z(refusal(STR("[\"abc\\n\"]"), &few).arg[1]), "string too long");
    buf_clear(&b);
    for (int i = 0; i < 129; i++) buf_addz(&b, "1");
    CHECK_STR(str_z(refusal(buf_str(&b), NULL).arg[1]), "number too long");
    buf_clear(&b);
    buf_addz(&b, "[0");
    for (int i = 0; i < 100000; i++) buf_addz(&b, ",0");
    buf_addz(&b, "]");
    CHECK_STR(str_z(refusal(buf_str(&b), NULL).arg[1]), "too many values");
}
