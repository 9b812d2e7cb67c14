#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "base/utf8.h"
#include "text/text.h"
#include "unit.h"

struct reading_of {
    const char *text, *pinyin, *initials;
};

static void check_readings(const struct reading_of *all, size_t n, bool name) {
    struct arena a CLEANUP(arena_release) = {0};
    CHECK_INT(text_init(), 0);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(text_pinyin(&a, str_z(all[i].text), name), all[i].pinyin);
        CHECK_STR(text_initials(&a, str_z(all[i].text), name), all[i].initials);
    }
}

TEST(a_name_is_found_by_its_pinyin_and_its_first_letters) {
    static const struct reading_of names[] = {
        {"张三", "zhangsan", "zs"},      {"李小明", "lixiaoming", "lxm"}, {"王芳", "wangfang", "wf"},
        {"吕秀兰", "lvxiulan", "lxl"},   {"欧阳娜娜", "ouyangnana", "oynn"}, {"司马懿", "simayi", "smy"},
        {"刘长春", "liuchangchun", "lcc"}, {"杨晟", "yangsheng", "ys"},   {"張偉", "zhangwei", "zw"},
        {"陳曉東", "chenxiaodong", "cxd"}, {"诸葛亮", "zhugeliang", "zgl"}, {"徐闼", "xuta", "xt"},
    };
    check_readings(names, COUNT(names), true);
}

TEST(surnames_are_read_as_surnames) {
    static const struct reading_of names[] = {
        {"单雄信", "shanxiongxin", "sxx"}, {"曾国藩", "zengguofan", "zgf"}, {"解缙", "xiejin", "xj"},
        {"仇英", "qiuying", "qy"},         {"朴正洙", "piaozhengzhu", "pzz"}, {"区志强", "ouzhiqiang", "ozq"},
        {"查良镛", "zhaliangyong", "zly"}, {"尉迟恭", "yuchigong", "ycg"}, {"尉健行", "weijianxing", "wjx"},
        {"万俟卨", "moqixie", "mqx"},      {"万里", "wanli", "wl"},        {"长孙无忌", "zhangsunwuji", "zswj"},
        {"单于婷", "chanyuting", "cyt"},   {"单于", "shanyu", "sy"},       {"令狐冲", "linghuchong", "lhc"},
        {"澹台明", "tantaiming", "ttm"},   {"翟志刚", "zhaizhigang", "zzg"}, {"覃海洋", "qinhaiyang", "qhy"},
        {"黑伯理", "heboli", "hbl"},       {"盖叫天", "gaijiaotian", "gjt"}, {"缪昌文", "miaochangwen", "mcw"},
        {"薄一波", "boyibo", "byb"},       {"乐毅", "yueyi", "yy"},        {"员半千", "yunbanqian", "ybq"},
        {"种师道", "chongshidao", "csd"},  {"阚泽", "kanze", "kz"},        {"逄先知", "pangxianzhi", "pxz"},
        {"皇甫嵩", "huangfusong", "hfs"},  {"鲜于通", "xianyutong", "xyt"}, {"單田芳", "shantianfang", "stf"},
    };
    check_readings(names, COUNT(names), true);
}

TEST(an_address_is_read_without_surname_readings_and_keeps_its_numbers) {
    static const struct reading_of places[] = {
        {"单元", "danyuan", "dy"},
        {"区政府", "quzhengfu", "qzf"},
        {"幸福路12号B座", "xingfulu12haobzuo", "xfl12hbz"},
        {"幸福路１２号Ｂ座", "xingfulu12haobzuo", "xfl12hbz"},
        {"成都市长安街", "chengdushichanganjie", "cdscaj"},
        {"洪洞县 大槐树镇（东）", "hongdongxiandahuaishuzhendong", "hdxdhszd"},
    };
    check_readings(places, COUNT(places), false);
}

TEST(other_letters_are_folded_and_kept) {
    static const struct reading_of names[] = {
        {"Zhang San", "zhangsan", "zs"},   {"José Müller", "josemuller", "jm"}, {"买买提·艾力", "maimaitiaili", "mmtal"},
        {"买买提•艾力", "maimaitiaili", "mmtal"}, {"Straße", "strasse", "s"},    {"Иван Петров", "иванпетров", "ип"},
        {"王Alex", "wangalex", "wa"},      {"㐂子", "㐂zi", "㐂z"},             {"𠮷田", "𠮷tian", "𠮷t"},
        {"", "", ""},                      {" \t·", "", ""},                    {"Ångström", "angstrom", "a"},
        {"e\xcc\x81t\xc3\xa9", "ete", "e"}, {"a\xff" "b", "ab", "a"},           {"\xe5\xbc", "", ""},
    };
    check_readings(names, COUNT(names), true);
}

TEST(readings_are_those_of_icu_but_for_the_listed_corrections) {
    struct arena a CLEANUP(arena_release) = {0};
    UErrorCode e = U_ZERO_ERROR;
    UTransliterator *t = utrans_openU(u"Han-Latin", -1, UTRANS_FORWARD, NULL, 0, NULL, &e);
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&e);
    CHECK(U_SUCCESS(e));
    CHECK_INT(text_init(), 0);
    int other = 0;
    for (int c = 0x4e00; c < 0x9fa6; c += 7) {
        UChar text[64] = {(UChar)c}, apart[64];
        int32_t n = 1, limit = 1;
        utrans_transUChars(t, text, &n, 64, 0, &limit, &e);
        n = unorm2_normalize(nfd, text, n, apart, 64, &e);
        CHECK(U_SUCCESS(e));
        struct buf want CLEANUP(buf_release) = BUF(64), han CLEANUP(buf_release) = BUF(8);
        for (int32_t i = 0; i < n; i++) {
            if (apart[i] == 0x308) want.p[want.n - 1] = 'v';
            else if (apart[i] < 0x300 || apart[i] > 0x370) utf8_add(&want, apart[i]);
        }
        utf8_add(&han, c);
        other += !str_eq(text_pinyin(&a, buf_str(&han), false), buf_str(&want));
    }
    utrans_close(t);
    CHECK(other <= 16);
}

TEST(tables_may_be_filled_again_after_they_were_let_go) {
    struct arena a CLEANUP(arena_release) = {0};
    CHECK_INT(text_init(), 0);
    CHECK_INT(text_init(), 0);
    text_end();
    CHECK_INT(text_init(), 0);
    CHECK_STR(text_pinyin(&a, STR("张三"), true), "zhangsan");
}

TEST(reading_a_name_takes_about_a_microsecond) {
    CHECK_INT(text_init(), 0);
    struct arena a CLEANUP(arena_release) = {0};
    int64_t start = monotonic_us();
    enum { ROUNDS = 20000 };
    for (int i = 0; i < ROUNDS; i++) {
        text_pinyin(&a, STR("欧阳锋"), true);
        text_initials(&a, STR("李小明"), true);
        if (i % 16 == 15) arena_clear(&a);
    }
    int64_t ns = (monotonic_us() - start) * 1000 / ROUNDS;
    printf("  pinyin and initials of a name: %lld ns\n", (long long)ns);
    CHECK(ns < 100000);
}
