#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "unit.h"

TEST(slices_compare_and_search_by_bytes) {
    CHECK(str_eq(STR(""), STR_NONE) && str_eq(STR("a\0b"), STR("a\0b")) && !str_eq(STR("a"), STR("b")));
    CHECK(str_eqz(STR("x"), "x") && !str_eqz(STR("x"), "xy"));
    CHECK(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("ab"), STR("a")) > 0 && str_cmp(STR_NONE, STR("")) == 0);
    CHECK(str_cmp(STR("a"), STR("张")) < 0);
    CHECK(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR_NONE) && !str_starts(STR("a"), STR("ab")));
    CHECK(str_ends(STR("abc"), STR("bc")) && str_ends(STR_NONE, STR_NONE) && !str_ends(STR("c"), STR("bc")));
    CHECK(str_ieq(STR("Ab1"), STR("aB1")) && !str_ieq(STR("a"), STR("ab")) && !str_ieq(STR("É"), STR("é")));
    CHECK_INT(str_find(STR("a\0bc"), STR("bc")), 2);
    CHECK_INT(str_find(STR("abc"), STR("x")), -1);
    CHECK_INT(str_find(STR_NONE, STR("x")), -1);
    CHECK_INT(str_find(STR_NONE, STR_NONE), 0);
    CHECK_INT(str_find_char(STR("abc"), 'c'), 2);
    CHECK_INT(str_find_char(STR_NONE, 'c'), -1);
    CHECK_STR(str_sub(STR("abc"), 1, 99), "bc");
    CHECK_STR(str_sub(STR("abc"), 3, 1), "");
    CHECK_INT(str_sub(STR_NONE, 0, 5).n, 0);
}

TEST(trimming_takes_ideographic_spaces_too) {
    CHECK_STR(str_trim(STR(" \t　张 三　\r\n")), "张 三");
    CHECK_STR(str_trim(STR(" 　 ")), "");
    CHECK_INT(str_trim(STR_NONE).n, 0);
    CHECK_STR(str_trim(STR("\x80\x80")), "\x80\x80");
}

static void check_cut(const char *text, const char *want) {
    struct str rest = str_z(text), part;
    struct buf got CLEANUP(buf_release) = BUF(100);
    while (str_cut(&rest, ',', &part)) {
        buf_addc(&got, '[');
        buf_add_str(&got, part);
        buf_addc(&got, ']');
    }
    CHECK_STR(buf_str(&got), want);
    CHECK(!str_cut(&rest, ',', &part));
}

TEST(a_list_is_cut_into_all_its_parts) {
    check_cut("", "");
    check_cut(NULL, "");
    check_cut("a", "[a]");
    check_cut("a,b", "[a][b]");
    check_cut("a,", "[a][]");
    check_cut(",", "[][]");
    check_cut(",,a", "[][][a]");
}

TEST(whole_numbers_take_nothing_but_digits_within_bounds) {
    int64_t v = 7;
    CHECK(str_to_int(STR("9223372036854775807"), INT64_MIN, INT64_MAX, &v) && v == INT64_MAX);
    CHECK(str_to_int(STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &v) && v == INT64_MIN);
    CHECK(str_to_int(STR("-0"), 0, 0, &v) && v == 0);
    CHECK(str_to_int(STR("007"), 0, 9, &v) && v == 7);
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "--1", "9223372036854775808", "-9223372036854775809",
                                      "99999999999999999999", "１"};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (str_to_int(str_z(bad[i]), INT64_MIN, INT64_MAX, &v)) unit_fail(__FILE__, __LINE__, "%s", bad[i]);
    CHECK(!str_to_int(STR("10"), 0, 9, &v) && !str_to_int(STR("-1"), 0, 9, &v) && !str_to_int(STR("1\0"), 0, 9, &v));
    CHECK_INT(v, 7);
}

TEST(real_numbers_are_finite_decimals_within_bounds) {
    double v = 7;
    CHECK(str_to_real(STR("36.7"), 30, 45, &v) && v == 36.7);
    CHECK(str_to_real(STR("-1e3"), -1e9, 0, &v) && v == -1000);
    v = 7;
    static const char *const bad[] = {"", "nan", "inf", "0x1p3", "1e309", "1,5", "1 ", " 1", "1e", "-", "1.2.3", "1d3"};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (str_to_real(str_z(bad[i]), -1e308, 1e308, &v)) unit_fail(__FILE__, __LINE__, "%s", bad[i]);
    CHECK(!str_to_real(STR("46"), 30, 45, &v) && !str_to_real(STR("1\0"), 0, 9, &v));
    CHECK(v == 7);
}

TEST(the_same_text_has_the_same_hash) {
    CHECK(str_hash(STR("张三")) == str_hash(STR("张三")));
    CHECK(str_hash(STR("a")) != str_hash(STR("b")) && str_hash(STR("")) != str_hash(STR("\0")));
}

/* ---- arena ---- */

static int order[8], order_count;
static void note(void *arg) {
    order[order_count++] = *(int *)arg;
}

TEST(an_arena_gives_zeroed_aligned_memory_of_any_size) {
    struct arena a CLEANUP(arena_release) = {0};
    for (size_t n = 0; n < 5000; n = n * 2 + 1) {
        char *p = arena_alloc(&a, n), *q = arena_alloc(&a, n);
        CHECK((uintptr_t)p % 16 == 0 && p != q);
        for (size_t i = 0; i < n; i++) CHECK(p[i] == 0 && q[i] == 0);
        memset(p, 1, n);
        memset(q, 2, n);
    }
    char *big = arena_alloc(&a, 3 << 20), *small = arena_alloc(&a, 8);
    memset(big, 1, 3 << 20);
    CHECK(!small[0]);
    CHECK_STR(str_z(arena_printf(&a, "%s/%d", "case", 7)), "case/7");
    struct str s = arena_str(&a, STR("a\0b"));
    CHECK(str_eq(s, STR("a\0b")) && s.p[3] == 0);
    CHECK_STR(str_z(arena_strz(&a, STR_NONE)), "");
}

TEST(an_arena_runs_what_was_deferred_newest_first_and_once) {
    struct arena a = {0};
    static int one = 1, two = 2, three = 3;
    arena_defer(&a, note, &one);
    arena_defer(&a, note, &two);
    arena_clear(&a);
    CHECK(order_count == 2 && order[0] == 2 && order[1] == 1);
    arena_defer(&a, note, &three);
    arena_release(&a);
    arena_release(&a);
    CHECK(order_count == 3 && order[2] == 3);
}

TEST(an_arena_over_its_limit_says_so_until_it_is_cleared) {
    struct arena a CLEANUP(arena_release) = {.soft_limit = 1000};
    arena_alloc(&a, 900);
    CHECK(!a.over);
    arena_alloc(&a, 200);
    CHECK(a.over && a.used >= 1100);
    arena_clear(&a);
    CHECK(!a.over && a.used == 0 && a.soft_limit == 1000);
    char *p = arena_alloc(&a, 1500);
    CHECK(a.over);
    for (int i = 0; i < 1500; i++) CHECK(!p[i]);
}

/* ---- buf ---- */

TEST(a_buf_never_passes_its_ceiling) {
    struct buf b CLEANUP(buf_release) = BUF(10);
    CHECK_STR(buf_str(&b), "");
    buf_addz(&b, "12345");
    buf_addc(&b, '6');
    buf_add_int(&b, -78);
    CHECK(!b.failed && b.n == 9);
    buf_addz(&b, "ab");
    CHECK(b.failed);
    buf_addc(&b, 'c');
    CHECK_STR(buf_str(&b), "123456-78");
    CHECK(b.p[b.n] == 0);
    buf_clear(&b);
    buf_addf(&b, "%s", "0123456789");
    CHECK(!b.failed && b.n == 10);
    CHECK(!buf_room(&b, 1) && b.failed);
    struct buf none CLEANUP(buf_release) = BUF(0);
    buf_add(&none, NULL, 0);
    buf_add_str(&none, STR_NONE);
    CHECK(!none.failed);
    buf_addc(&none, 'x');
    CHECK(none.failed && none.n == 0);
}

TEST(a_buf_writes_the_extreme_integers) {
    struct buf b CLEANUP(buf_release) = BUF(100);
    buf_add_int(&b, INT64_MIN);
    buf_addc(&b, ' ');
    buf_add_int(&b, INT64_MAX);
    buf_addc(&b, ' ');
    buf_add_int(&b, 0);
    CHECK_STR(buf_str(&b), "-9223372036854775808 9223372036854775807 0");
}

TEST(ownership_is_handed_over_once) {
    char *p = malloc(1), *q = TAKE(p);
    CHECK(!p && q);
    free(q);
}

/* ---- ids ---- */

TEST(new_ids_rise_even_when_the_clock_stands_or_steps_back) {
    struct id before = id_new(INT64_C(1581260400000000));
    for (int i = 0; i < 20000; i++) {
        struct id next = id_new(INT64_C(1581260400000000) - (i % 3) * 1000);
        CHECK(memcmp(before.b, next.b, 16) < 0);
        before = next;
    }
    CHECK((before.b[6] & 0xf0) == 0x70 && (before.b[8] & 0xc0) == 0x80);
    struct id later = id_new(INT64_C(1581260500000000));
    CHECK(memcmp(before.b, later.b, 16) < 0);
}

TEST(an_id_reads_back_from_its_text_and_from_nothing_else) {
    char text[ID_TEXT];
    struct id id = id_new(INT64_C(1581260400000000)), back;
    CHECK(id_parse(str_z(id_text(id, text)), &back) && id_eq(id, back) && !id_is_nil(id));
    CHECK(str_starts(str_z(text), STR("01702a76")));
    CHECK(id_parse(STR("0190A1B2-ffff-7000-8000-00000000ABCD"), &back));
    CHECK_STR(str_z(id_text(back, text)), "0190a1b2-ffff-7000-8000-00000000abcd");
    CHECK(id_parse(STR("00000000-0000-0000-0000-000000000000"), &back) && id_is_nil(back));
    static const char *const bad[] = {"", "0190a1b2", "0190a1b2-ffff-7000-8000-00000000abc", "0190a1b2-ffff-7000-8000-00000000abcde",
                                      "0190a1b2+ffff-7000-8000-00000000abcd", "0190a1b2-ffff-7000-8000-00000000abcg",
                                      "{190a1b2-ffff-7000-8000-00000000abcd", "0190a1b2f-fff-7000-8000-00000000abcd"};
    for (size_t i = 0; i < COUNT(bad); i++) CHECK(!id_parse(str_z(bad[i]), &back));
    CHECK_INT(id_bytes(&id).n, 16);
}

/* ---- errors ---- */

static void check_text(const struct err *e, enum lang lang, const char *want) {
    struct buf b CLEANUP(buf_release) = BUF(500);
    err_text(e, lang, &b);
    CHECK_STR(buf_str(&b), want);
}

TEST(an_error_speaks_chinese_and_english_with_its_arguments) {
    struct err e;
    CHECK_INT(err_set(&e, ERR_INVALID, "age_years", M_RANGE, "0", "130"), -1);
    CHECK_STR(str_z(e.field), "age_years");
    check_text(&e, LANG_ZH_HANS, "应在 0 到 130 之间");
    check_text(&e, LANG_EN, "must be between 0 and 130");
    bool table = strcmp(lang_hant("应在 {1} 到 {2} 之间"), "应在 {1} 到 {2} 之间") != 0; /* empty in tests of one module */
    check_text(&e, LANG_ZH_HANT, table ? "應在 0 到 130 之間" : "应在 0 到 130 之间");
    CHECK_STR(str_z(err_name(e.code)), "INVALID");
    CHECK_STR(str_z(msg_name(e.msg)), "RANGE");
    CHECK_INT(err_http(e.code), 422);
    CHECK_INT(err_exit(e.code), 6);
    CHECK_STR(str_z(err_title(e.code, LANG_EN)), "A field has an invalid value");
    err_set(&e, ERR_INVALID, NULL, M_REQUIRED);
    CHECK(!e.field[0]);
    check_text(&e, LANG_EN, "is required");
    check_text(&(struct err){0}, LANG_EN, "");
    CHECK_STR(str_z(err_name(ERR_NONE)), "NONE");
}

TEST(an_error_cuts_long_texts_at_a_character) {
    struct err e;
    char many[200] = "";
    for (int i = 0; i < 66; i++) memcpy(many + 3 * i, "张", 3);
    err_set(&e, ERR_INVALID, many, M_CODE, many, "a");
    CHECK_INT(strlen(e.arg[0]), 78);
    CHECK_INT(strlen(e.field), 45);
    err_set(&e, ERR_CONFLICT, e.field, M_CODE, e.arg[1], e.arg[0]);
    CHECK_STR(str_z(e.arg[0]), "a");
    CHECK_INT(strlen(e.arg[1]), 78);
    CHECK_INT(strlen(e.field), 45);
}

TEST(every_code_and_message_has_both_languages) {
    for (int i = 1; i < ERR__COUNT; i++) {
        CHECK(err_name((enum err_code)i)[0] && err_title((enum err_code)i, LANG_ZH_HANS)[0] && err_title((enum err_code)i, LANG_EN)[0]);
        CHECK(err_http((enum err_code)i) >= 400 && err_http((enum err_code)i) < 600 && err_exit((enum err_code)i) > 0);
    }
    for (int i = 1; i < M__COUNT; i++) {
        struct err e;
        struct buf zh CLEANUP(buf_release) = BUF(1000), en CLEANUP(buf_release) = BUF(1000);
        err_set(&e, ERR_INVALID, NULL, (enum msg_id)i, "\x01", "\x02", "\x03");
        err_text(&e, LANG_ZH_HANS, &zh);
        err_text(&e, LANG_EN, &en);
        for (char mark = 1; mark <= 3; mark++)
            if ((str_find_char(buf_str(&zh), mark) < 0) != (str_find_char(buf_str(&en), mark) < 0))
                unit_fail(__FILE__, __LINE__, "%s uses {%d} in one language only", msg_name((enum msg_id)i), mark);
        CHECK(zh.n && en.n && !strchr(en.p, '{') && !strchr(zh.p, '{'));
    }
}
