#include "text/text.h"
#include "unit.h"

TEST(an_identity_number_gives_birth_and_sex) {
    day_t birth;
    bool male;
    char out[DAY_TEXT];
    CHECK(text_id_number(STR("11010519491231002X"), &birth, &male));
    CHECK_STR(str_z(day_text(birth, out)), "1949-12-31");
    CHECK(!male);
    CHECK(text_id_number(STR("440524188001010014"), &birth, &male));
    CHECK_STR(str_z(day_text(birth, out)), "1880-01-01");
    CHECK(male);
    CHECK(text_id_number(STR("11010519491231002x"), NULL, NULL));
}

TEST(a_wrong_identity_number_is_refused) {
    day_t birth = 5;
    static const char *const wrong[] = {"",
                                        "110105194912310020",
                                        "11010519491231002",
                                        "11010519491231002XX",
                                        "11010519491232002X",
                                        "1101051949123100２X",
                                        "0X010519491231002X",
                                        "440524184901010019",
                                        "130503670401001"};
    for (size_t i = 0; i < COUNT(wrong); i++) CHECK(!text_id_number(str_z(wrong[i]), &birth, NULL));
    CHECK_INT(birth, 5);
}

TEST(every_single_wrong_digit_of_an_identity_number_is_seen) {
    char id[] = "440524188001010014";
    for (size_t i = 0; i < 18; i++) {
        char right = id[i];
        for (char c = '0'; c <= '9'; c++) {
            id[i] = c;
            CHECK(text_id_number(str_z(id), NULL, NULL) == (c == right));
        }
        id[i] = right;
    }
}

struct pair {
    const char *in, *out; /* out NULL: refused */
};

static void check_pairs(bool (*parse)(struct arena *, struct str, struct str *), const struct pair *all, size_t n) {
    struct arena a CLEANUP(arena_release) = {0};
    for (size_t i = 0; i < n; i++) {
        struct str got = STR("untouched");
        CHECK(parse(&a, str_z(all[i].in), &got) == (all[i].out != NULL));
        CHECK_STR(got, all[i].out ? all[i].out : "untouched");
    }
}

TEST(a_phone_number_is_brought_to_its_digits) {
    static const struct pair phones[] = {
        {"13812345678", "13812345678"},
        {"138 1234 5678", "13812345678"},
        {"138-1234-5678", "13812345678"},
        {"+86 138-1234-5678", "13812345678"},
        {"0086 13812345678", "13812345678"},
        {"8613812345678", "13812345678"},
        {"＋８６１３８１２３４５６７８", "13812345678"},
        {"(+86)13812345678", "13812345678"},
        {"++8613812345678", NULL},
        {"(0358) 222-3344", "03582223344"},
        {"（0358）2223344", "03582223344"},
        {"8622334", "8622334"},
        {"86223344", "86223344"},
        {"+8610 6655 7788", "861066557788"},
        {"12345", "12345"},
        {"12320", "12320"},
        {"1234", NULL},
        {"", NULL},
        {"12345678901234567890", "12345678901234567890"},
        {"123456789012345678901", NULL},
        {"008613812345678901234567", NULL},
        {"1381234567a", NULL},
        {"138+12345678", NULL},
        {"无", NULL},
        {"138\xff" "12345678", NULL},
    };
    check_pairs(text_phone, phones, COUNT(phones));
}

TEST(a_plate_is_brought_to_its_plain_form) {
    static const struct pair plates[] = {
        {"晋J12345", "晋J12345"},   {"晋j·a2345", "晋JA2345"},   {"京 A-12345", "京A12345"},  {"晋ＪＤ１２３４５", "晋JD12345"},
        {"晋JF12345", "晋JF12345"}, {"晋JDA1234", "晋JDA1234"},  {"晋J12345D", "晋J12345D"},  {"晋JL12345", NULL},
        {"晋J1234警", "晋J1234警"}, {"晋J1234学", "晋J1234学"},  {"晋J1234挂", "晋J1234挂"},  {"粤Z1234港", "粤Z1234港"},
        {"粤ZA123澳", "粤ZA123澳"}, {"沪A0023领", "沪A0023领"},  {"使014578", "使014578"},    {"224578使", "224578使"},
        {"晋J1234", NULL},          {"晋J123456", NULL},         {"晋J12345O", NULL},         {"晋JO1234", NULL},
        {"晋112345", NULL},         {"日J12345", NULL},          {"J12345", NULL},            {"", NULL},
        {"晋J12警45", NULL},        {"晋J1234567", NULL},        {"晋J1234\xff", NULL},       {"晋•J•12345", "晋J12345"},
    };
    check_pairs(text_plate, plates, COUNT(plates));
}

static void check_masks(struct str (*mask)(struct arena *, struct str), const struct pair *all, size_t n) {
    struct arena a CLEANUP(arena_release) = {0};
    for (size_t i = 0; i < n; i++) CHECK_STR(mask(&a, str_z(all[i].in)), all[i].out);
}

TEST(a_mask_shows_only_the_agreed_ends) {
    static const struct pair ids[] = {{"142401198001011234", "142401********1234"},
                                      {"142401800101123", "142401*****1123"},
                                      {"E12345678", "E***"},
                                      {"", ""}};
    static const struct pair phones[] = {{"13812345678", "138****5678"}, {"03582223344", "035****3344"}, {"2223344", "****344"},
                                         {"12320", "*****"},             {"", ""},                      {"861066557788", "861*****7788"}};
    static const struct pair names[] = {{"张三", "张*"}, {"欧阳娜", "欧**"}, {"张", "*"}, {"", ""}, {"买买提·艾力", "买*****"}};
    static const struct pair others[] = {{"山西省吕梁市离石区", "山***"}, {"是", "*"}, {"", ""}, {"ab", "a***"}, {"\xff" "ab", "****"}};
    check_masks(text_mask_id_number, ids, COUNT(ids));
    check_masks(text_mask_phone, phones, COUNT(phones));
    check_masks(text_mask_name, names, COUNT(names));
    check_masks(text_mask_other, others, COUNT(others));
}
