#include "lang.h"

static const char *const tags[LANG__COUNT] = {"zh-Hans", "zh-Hant", "en"};

const char *lang_tag(enum lang lang) {
    return tags[lang];
}

bool lang_from(struct str tag, enum lang *ret) {
    for (int i = 0; i < LANG__COUNT; i++)
        if (str_ieq(tag, str_z(tags[i]))) {
            *ret = (enum lang)i;
            return true;
        }
    return false;
}

static bool range_language(struct str tag, enum lang *ret) {
    static const struct {
        struct str head;
        enum lang lang;
    } known[] = {
        {{"zh-hant", 7}, LANG_ZH_HANT}, {{"zh-tw", 5}, LANG_ZH_HANT}, {{"zh-hk", 5}, LANG_ZH_HANT},
        {{"zh-mo", 5}, LANG_ZH_HANT},   {{"zh", 2}, LANG_ZH_HANS},    {{"en", 2}, LANG_EN},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        struct str head = known[i].head;
        if (tag.n >= head.n && str_ieq(str_sub(tag, 0, head.n), head) && (tag.n == head.n || tag.p[head.n] == '-')) {
            *ret = known[i].lang;
            return true;
        }
    }
    return false;
}

enum lang lang_accept(struct str header) {
    enum lang best = LANG_ZH_HANS;
    double best_q = 0;
    struct str part;
    while (str_cut(&header, ',', &part)) {
        struct str tag;
        double q = 1;
        enum lang lang;
        if (!str_cut(&part, ';', &tag)) continue;
        struct str weight = str_trim(part);
        if (str_starts(weight, STR("q=")) && !str_to_real(str_sub(weight, 2, weight.n), 0, 1, &q)) continue;
        if (q > best_q && range_language(str_trim(tag), &lang)) {
            best = lang;
            best_q = q;
        }
    }
    return best;
}

const char *label_in(struct label l, enum lang lang) {
    if (lang == LANG_EN) return l.en;
    return lang == LANG_ZH_HANT ? lang_hant(l.zh) : l.zh;
}

const char *lang_hant(const char *hans) {
    size_t lo = 0, hi = hant_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(hans, hant_table[mid].hans);
        if (c == 0) return hant_table[mid].hant;
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return hans;
}
