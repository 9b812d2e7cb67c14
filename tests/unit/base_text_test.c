#include "base/arena.h"
#include "base/lang.h"
#include "base/utf8.h"
#include "unit.h"

TEST(utf8_is_read_strictly) {
    size_t at = 0;
    CHECK_INT(utf8_next(STR("张"), &at), 0x5f20);
    CHECK_INT(at, 3);
    at = 0;
    CHECK_INT(utf8_next(STR("\xf0\x9f\x98\xb9"), &at), 0x1f639);
    static const struct str bad[] = {{"\x80", 1}, {"\xc0\x80", 2}, {"\xc1\xbf", 2}, {"\xe0\x80\x80", 3}, {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
                                     {"\xf5\x80\x80\x80", 4}, {"\xe5\xbc", 2}, {"\xe5\xbcx", 3}, {"\xff", 1}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        at = 0;
        CHECK_INT(utf8_next(bad[i], &at), -1);
        CHECK_INT(at, 1);
        CHECK(!utf8_valid(bad[i]));
    }
    CHECK(utf8_valid(STR_NONE) && utf8_valid(STR("a\0张\xf4\x8f\xbf\xbf")));
}

TEST(every_character_is_written_and_read_back) {
    for (int32_t c = 0; c <= 0x10ffff; c += c < 0x3000 ? 1 : 17) {
        if (c >= 0xd800 && c <= 0xdfff) continue;
        struct buf b CLEANUP(buf_release) = BUF(4);
        size_t at = 0;
        utf8_add(&b, c);
        CHECK_INT(utf8_next(buf_str(&b), &at), c);
        CHECK_INT(at, b.n);
    }
}

TEST(texts_are_counted_and_cut_by_characters) {
    CHECK_INT(utf8_length(STR("a张三\xff")), 4);
    CHECK_STR(utf8_prefix(STR("张三丰"), 2), "张三");
    CHECK_STR(utf8_prefix(STR("张"), 9), "张");
    CHECK_STR(utf8_prefix(STR("张"), 0), "");
    CHECK_STR(utf8_fit(STR("张三"), 5), "张");
    CHECK_STR(utf8_fit(STR("张三"), 6), "张三");
    CHECK_STR(utf8_fit(STR("张"), 2), "");
    CHECK_INT(utf8_fit(STR_NONE, 5).n, 0);
    CHECK(utf8_is_han(0x5f20) && utf8_is_han(0x3007) && utf8_is_han(0x20000) && !utf8_is_han('a') && !utf8_is_han(0x3042));
}

TEST(a_cell_becomes_plain) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str same = STR("张三 A1");
    CHECK(utf8_plain(&a, same).p == same.p);
    CHECK_STR(utf8_plain(&a, STR("　１３８－Ａｂ\xc2\xa0（x）\xe2\x80\x8b　")), "138-Ab (x)");
    CHECK_STR(utf8_plain(&a, STR("\xef\xbb\xbf姓名")), "姓名");
    CHECK_STR(utf8_plain(&a, STR("\xff　x\xe5\xbc")), "\xff x\xe5\xbc");
    CHECK_STR(utf8_plain(&a, STR("　")), "");
    CHECK_STR(utf8_plain(&a, STR("张\xe2\x80\x8d")), "张");
    CHECK_INT(utf8_plain(&a, STR_NONE).n, 0);
}

TEST(texts_to_compare_lose_case_width_and_spaces) {
    struct arena a CLEANUP(arena_release) = {0};
    CHECK_STR(utf8_fold(&a, STR(" Ａb\tC　张 三\r\n")), "abc张三");
    struct str same = STR("张三a1\x7f");
    CHECK(utf8_fold(&a, same).p == same.p);
    CHECK_STR(utf8_fold(&a, STR(" \t")), "");
    CHECK_STR(utf8_fold(&a, STR("鄂Ａ·12345")), "鄂a·12345");
}

TEST(the_best_language_of_a_header_is_taken) {
    static const struct {
        const char *header;
        enum lang want;
    } all[] = {
        {"", LANG_ZH_HANS}, {"fr,de", LANG_ZH_HANS}, {"en", LANG_EN}, {"en-GB,en;q=0.9", LANG_EN}, {"zh-TW", LANG_ZH_HANT},
        {"zh-Hant-HK,zh;q=0.9", LANG_ZH_HANT}, {"zh-CN,en;q=0.8", LANG_ZH_HANS}, {"en;q=0.5, zh-HK;q=0.7", LANG_ZH_HANT},
        {"fr, en;q=0.3", LANG_EN}, {"en;q=0", LANG_ZH_HANS}, {"en;q=x, zh-MO;q=0.1", LANG_ZH_HANT}, {"zht", LANG_ZH_HANS},
        {"eng", LANG_ZH_HANS}, {",, ;q=1 ,EN-us", LANG_EN}, {"*", LANG_ZH_HANS}, {"en;q=0.5;x=1", LANG_ZH_HANS},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        if (lang_accept(str_z(all[i].header)) != all[i].want) unit_fail(__FILE__, __LINE__, "%s", all[i].header);
    CHECK_INT(lang_accept(STR_NONE), LANG_ZH_HANS);
}

TEST(language_tags_read_back) {
    for (int i = 0; i < LANG__COUNT; i++) {
        enum lang got = LANG__COUNT;
        CHECK(lang_from(str_z(lang_tag((enum lang)i)), &got) && got == (enum lang)i);
    }
    enum lang got;
    CHECK(lang_from(STR("ZH-hant"), &got) && got == LANG_ZH_HANT);
    CHECK(!lang_from(STR("fr"), &got) && !lang_from(STR(""), &got));
    struct label l = {"没有", "none"};
    CHECK_STR(str_z(label_in(l, LANG_ZH_HANS)), "没有");
    CHECK_STR(str_z(label_in(l, LANG_EN)), "none");
    CHECK_STR(str_z(lang_hant("nothing Chinese")), "nothing Chinese");
}
