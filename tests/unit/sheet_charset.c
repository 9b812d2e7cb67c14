#include <iconv.h>

#include "base/utf8.h"
#include "sheet/sheet.h"
#include "unit.h"

static const char *const simplified[] = {
    "姓名,年龄\n王芳,30\n李伟,41\n",
    "姓名,身份证号,联系电话\n",
    "楼栋,单元,房号,户主\n1,2,301,赵敏\n",
    "序号,姓名,体温\n1,张建国,36.5\n",
    "姓名\n陈静\n",
    "网格员排查登记表\n",
    "小区,居民,是否发热\n阳光花园,刘洋,否\n",
    "村组,户数,人数\n",
    "密切接触者,隔离酒店,房间\n孙丽娟,如家,8102\n",
    "日期,核酸检测结果\n2020-02-09,阴性\n",
    "志愿者,电话\n欧阳雪,139\n",
    "物资,数量,单位\n口罩,2000,只\n消毒液,30,桶\n",
    "车牌,来源地\n鄂A12345,武汉\n",
    "谢霆锋\n", "武汉\n", "联通\n", "合计\n", "赵\n", "李四\n", "杨颖,女\n",
};
static const char *const traditional[] = {
    "姓名,年齡\n王芳,30\n李偉,41\n",
    "姓名,身分證號,聯絡電話\n",
    "樓棟,單元,房號,戶主\n1,2,301,趙敏\n",
    "序號,姓名,體溫\n1,張建國,36.5\n",
    "姓名\n陳靜\n",
    "社區排查登記表\n",
    "里別,居民,是否發燒\n中正里,劉洋,否\n",
    "密切接觸者,隔離飯店,房間\n孫麗娟,福華,8102\n",
    "日期,核酸檢測結果\n2020-02-09,陰性\n",
    "志工,電話\n歐陽雪,0912\n",
    "物資,數量,單位\n口罩,2000,個\n消毒水,30,桶\n",
    "出生日期,性別,備註\n",
    "陳志明\n林淑芬\n黃俊傑\n", "臺北市\n", "合計\n", "電話\n", "李四\n", "張雅婷,女\n", "國小\n",
};

static struct str encode(struct arena *a, const char *charset, const char *text) {
    iconv_t cd = iconv_open(charset, "UTF-8");
    size_t left = strlen(text), room = left * 4 + 8, all = room;
    char *p = (char *)text, *to = arena_alloc(a, room), *out = to;
    size_t r = iconv(cd, &p, &left, &out, &room);
    iconv_close(cd);
    if (r == (size_t)-1) unit_fail(__FILE__, __LINE__, "%s has no %s", text, charset);
    return (struct str){to, all - room};
}

static void check_guess(const char *charset, const char *text) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str bytes = encode(&a, charset, text), back;
    struct err e;
    if (strcmp(charset_guess(bytes), charset)) unit_fail(__FILE__, __LINE__, "%s in %s is taken for %s", text, charset, charset_guess(bytes));
    CHECK(charset_to_utf8(&a, charset, bytes, &back, &e) == 0);
    CHECK_STR(back, text);
}

TEST(short_lists_in_gb18030_are_recognised) {
    for (size_t i = 0; i < COUNT(simplified); i++) check_guess("GB18030", simplified[i]);
}

TEST(short_lists_in_big5_are_recognised) {
    for (size_t i = 0; i < COUNT(traditional); i++) check_guess("BIG5", traditional[i]);
}

TEST(traditional_characters_in_gb18030_are_recognised) {
    check_guess("GB18030", "姓名,年齡\n陳靜,30\n張偉,41\n劉麗華,5\n");
}

TEST(utf_8_and_marks_are_recognised) {
    for (size_t i = 0; i < COUNT(simplified); i++) CHECK_STR(str_z(charset_guess(str_z(simplified[i]))), "UTF-8");
    CHECK_STR(str_z(charset_guess(STR(""))), "UTF-8");
    CHECK_STR(str_z(charset_guess(STR("a,b\n"))), "UTF-8");
    CHECK_STR(str_z(charset_guess(STR("caf\xc3\xa9\n"))), "UTF-8");
    CHECK_STR(str_z(charset_guess(STR("\xef\xbb\xbf\xd0\xd5"))), "UTF-8");
    CHECK_STR(str_z(charset_guess(STR("\xff\xfe\x41\0"))), "UTF-16LE");
    CHECK_STR(str_z(charset_guess(STR("\xfe\xff\0A"))), "UTF-16BE");
    CHECK_STR(str_z(charset_guess(STR("a\0,\0\xd3\x59\n\0"))), "UTF-16LE");
    CHECK_STR(str_z(charset_guess(STR("\0a\0,\x59\xd3\0\n"))), "UTF-16BE");
}

TEST(a_character_cut_at_64_kib_does_not_mislead) {
    for (size_t shift = 0; shift < 3; shift++) {
        struct buf b CLEANUP(buf_release) = BUF(1 << 18);
        for (size_t i = 0; i < shift; i++) buf_addc(&b, 'x');
        while (b.n < 100000) buf_addz(&b, "健康监测");
        CHECK_STR(str_z(charset_guess(buf_str(&b))), "UTF-8");
        CHECK_STR(str_z(charset_guess(str_sub(buf_str(&b), 0, 65536))), "UTF-8");
        struct arena a CLEANUP(arena_release) = {0};
        CHECK_STR(str_z(charset_guess(encode(&a, "GB18030", b.p))), "GB18030");
    }
}

TEST(malformed_text_is_told_with_its_place) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str out = STR_NONE;
    struct err e;
    CHECK(charset_to_utf8(&a, "UTF-8", STR("ab\xff"), &out, &e) == -1);
    CHECK_INT(e.code, ERR_INVALID);
    CHECK_INT(e.msg, M_CHARSET);
    CHECK_STR(str_z(e.arg[1]), "3");
    CHECK(charset_to_utf8(&a, "GB18030", STR("\xd0\xd5\xff\xff"), &out, &e) == -1);
    CHECK_STR(str_z(e.arg[1]), "3");
    CHECK(charset_to_utf8(&a, "UTF-8", STR("a\xe5\xa7"), &out, &e) == -1);
    CHECK_STR(str_z(e.arg[1]), "2");
    CHECK(charset_to_utf8(&a, "UTF-16LE", STR("\x00\xd8"), &out, &e) == -1);
    CHECK(charset_to_utf8(&a, "no such", STR("a"), &out, &e) == -1);
    CHECK_STR(str_z(e.field), "charset");
    CHECK(!out.p);
}

TEST(marks_are_not_part_of_the_text) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str out;
    struct err e;
    CHECK(charset_to_utf8(&a, "UTF-8", STR("\xef\xbb\xbfx"), &out, &e) == 0);
    CHECK_STR(out, "x");
    CHECK(charset_to_utf8(&a, "utf-16", STR("\xff\xfe\x3d\xd8\x00\xde"), &out, &e) == 0);
    CHECK_STR(out, "😀");
    CHECK(charset_to_utf8(&a, "BIG5", STR(""), &out, &e) == 0);
    CHECK_INT(out.n, 0);
}
