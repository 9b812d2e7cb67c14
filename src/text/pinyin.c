/* Readings of Han characters and folding of all other letters, by tables that text_init fills.
 *
 * A reading is an index into readings[]; 0 is none, so the table is shifted by one.  A surname's reading differs from the
 * usual one in some sixty characters and a dozen double surnames: those are listed here.  For lack of context every other
 * character has one reading, the one most frequent in names and addresses. */
#include "text.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "base/utf8.h"

enum { HAN_FIRST = 0x3400, HAN_END = 0xa000, LATIN_FIRST = 0xc0, LATIN_END = 0x250, MORE_FIRST = 0x1e00, MORE_END = 0x1f00 };

static const struct reading {
    const char *pinyin, *han;
} readings[] = {
#include "readings.def"
};

static uint16_t reading_of[HAN_END - HAN_FIRST];
static uint8_t reading_len[COUNT(readings) + 1];
/* Accented Latin letters without their accents; at most two letters, "" where folding leaves the letter as it is. */
static char latin[LATIN_END - LATIN_FIRST + MORE_END - MORE_FIRST][3];
static bool ready;

static const struct surname {
    int32_t han[2];
    const char *pinyin[2];
} surnames[] = {
    {{U'单', U'于'}, {"chan", "yu"}},    {{U'單', U'于'}, {"chan", "yu"}},    {{U'尉', U'迟'}, {"yu", "chi"}},
    {{U'尉', U'遲'}, {"yu", "chi"}},     {{U'万', U'俟'}, {"mo", "qi"}},      {{U'萬', U'俟'}, {"mo", "qi"}},
    {{U'长', U'孙'}, {"zhang", "sun"}},  {{U'長', U'孫'}, {"zhang", "sun"}},  {{U'澹', U'台'}, {"tan", "tai"}},
    {{U'澹', U'臺'}, {"tan", "tai"}},    {{U'子', U'车'}, {"zi", "ju"}},      {{U'子', U'車'}, {"zi", "ju"}},
    {{U'亓', U'官'}, {"qi", "guan"}},    {{U'乐', U'正'}, {"yue", "zheng"}},  {{U'樂', U'正'}, {"yue", "zheng"}},
    {{U'宰', U'父'}, {"zai", "fu"}},     {{U'哥', U'舒'}, {"ge", "shu"}},     {{U'贺', U'若'}, {"he", "ruo"}},
    {{U'单'}, {"shan"}},  {{U'單'}, {"shan"}},  {{U'解'}, {"xie"}},   {{U'仇'}, {"qiu"}},  {{U'朴'}, {"piao"}},
    {{U'区'}, {"ou"}},    {{U'區'}, {"ou"}},    {{U'查'}, {"zha"}},   {{U'薄'}, {"bo"}},   {{U'黑'}, {"he"}},
    {{U'翟'}, {"zhai"}},  {{U'繁'}, {"po"}},    {{U'缪'}, {"miao"}},  {{U'繆'}, {"miao"}}, {{U'员'}, {"yun"}},
    {{U'員'}, {"yun"}},   {{U'郇'}, {"xun"}},   {{U'能'}, {"nai"}},   {{U'种'}, {"chong"}}, {{U'秘'}, {"bi"}},
    {{U'祕'}, {"bi"}},    {{U'洗'}, {"xian"}},  {{U'乜'}, {"nie"}},   {{U'折'}, {"she"}},  {{U'召'}, {"shao"}},
    {{U'乐'}, {"yue"}},   {{U'樂'}, {"yue"}},   {{U'祭'}, {"zhai"}},  {{U'隗'}, {"wei"}},  {{U'逄'}, {"pang"}},
    {{U'重'}, {"chong"}}, {{U'褚'}, {"chu"}},   {{U'谌'}, {"chen"}},  {{U'諶'}, {"chen"}}, {{U'葛'}, {"ge"}},
    {{U'曲'}, {"qu"}},    {{U'盛'}, {"sheng"}}, {{U'车'}, {"che"}},   {{U'車'}, {"che"}},  {{U'石'}, {"shi"}},
    {{U'沈'}, {"shen"}},  {{U'任'}, {"ren"}},   {{U'燕'}, {"yan"}},   {{U'宁'}, {"ning"}}, {{U'那'}, {"na"}},
    {{U'仉'}, {"zhang"}}, {{U'郗'}, {"xi"}},    {{U'莘'}, {"shen"}},  {{U'适'}, {"kuo"}},  {{U'冼'}, {"xian"}},
};

/* What the canonical decomposition does not take apart. */
static const struct {
    int32_t c;
    char plain[3];
} letters[] = {
    {0xdf, "ss"},  {0x1e9e, "ss"}, {0xe6, "ae"}, {0xc6, "ae"}, {0x153, "oe"}, {0x152, "oe"}, {0xf8, "o"}, {0xd8, "o"},
    {0xf0, "d"},   {0xd0, "d"},    {0x111, "d"}, {0x110, "d"}, {0xfe, "th"},  {0xde, "th"},  {0x142, "l"}, {0x141, "l"},
    {0x127, "h"},  {0x126, "h"},   {0x131, "i"}, {0x14b, "ng"}, {0x14a, "ng"},
};

static char *latin_at(int32_t c) {
    if (c >= LATIN_FIRST && c < LATIN_END) return latin[c - LATIN_FIRST];
    if (c >= MORE_FIRST && c < MORE_END) return latin[LATIN_END - LATIN_FIRST + c - MORE_FIRST];
    return NULL;
}

static void fill_readings(void) {
    for (size_t i = 0; i < COUNT(readings); i++) {
        struct str han = str_z(readings[i].han);
        reading_len[i + 1] = (uint8_t)strlen(readings[i].pinyin);
        for (size_t at = 0; at < han.n;) {
            int32_t c = utf8_next(han, &at);
            INVARIANT(c >= HAN_FIRST && c < HAN_END && reading_of[c - HAN_FIRST] == 0);
            reading_of[c - HAN_FIRST] = (uint16_t)(i + 1);
        }
    }
}

/* The ASCII letter that c is with its accents taken away; 0 when it is none. */
static char base_letter(const UNormalizer2 *nfd, int32_t c) {
    UErrorCode code = U_ZERO_ERROR;
    UChar apart[8];
    int32_t n = unorm2_getDecomposition(nfd, c, apart, COUNT(apart), &code);
    if (n < 1 || U_FAILURE(code) || apart[0] >= 0x80) return 0;
    int32_t lower = u_tolower(apart[0]);
    return lower >= 'a' && lower <= 'z' ? (char)lower : 0;
}

int text_init(void) {
    if (ready) return 0;
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&code);
    if (U_FAILURE(code)) return -1;
    fill_readings();
    for (int32_t c = LATIN_FIRST; c < MORE_END; c++) {
        char *to = latin_at(c);
        if (to) to[0] = base_letter(nfd, c);
    }
    for (size_t i = 0; i < COUNT(letters); i++) memcpy(latin_at(letters[i].c), letters[i].plain, sizeof letters[i].plain);
    ready = true;
    return 0;
}

void text_end(void) {
    memset(reading_of, 0, sizeof reading_of);
    ready = false;
}

/* ---- writing ---- */

struct writer {
    char *to;
    size_t n;
    bool initials;
    bool in_word; /* behind a letter that is not Han */
};

static void put(struct writer *w, const char *p, size_t n) {
    memcpy(w->to + w->n, p, n);
    w->n += n;
}

static void put_han(struct writer *w, const char *pinyin, size_t n) {
    put(w, pinyin, w->initials ? 1 : n);
    w->in_word = false;
}

static void put_char(struct writer *w, int32_t c) {
    char out[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t heads[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(heads[n] | c);
    put(w, out, n);
}

static void put_letter(struct writer *w, int32_t c) {
    const char *plain = latin_at(c);
    bool wanted = !w->initials || !w->in_word;
    w->in_word = true;
    if (!wanted) return;
    if (plain && plain[0]) put(w, plain, w->initials ? 1 : strlen(plain));
    else put_char(w, u_tolower(c));
}

static void put_other(struct writer *w, int32_t c) {
    if (c >= 0xff01 && c <= 0xff5e) c -= 0xfee0;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        put_letter(w, c | 0x20);
        return;
    }
    bool mark = (c >= 0x300 && c < 0x370) || (c >= 0xfe00 && c < 0xfe10);
    uint32_t kind = mark ? 0 : U_GET_GC_MASK(c);
    if (kind & (U_GC_L_MASK | U_GC_M_MASK)) {
        put_letter(w, c);
    } else if (kind & U_GC_N_MASK) {
        put_char(w, c);
        w->in_word = false;
    } else if (!mark) {
        w->in_word = false;
    }
}

static void put_any(struct writer *w, int32_t c) {
    size_t i = c >= HAN_FIRST && c < HAN_END ? reading_of[c - HAN_FIRST] : 0;
    if (i) put_han(w, readings[i - 1].pinyin, reading_len[i]);
    else if (utf8_is_han(c)) {
        put_char(w, c);
        w->in_word = false;
    } else put_other(w, c);
}

/* Writes the surname's reading where it is not the usual one; says where the given name begins. */
static size_t put_surname(struct writer *w, struct str s) {
    size_t first = 0;
    int32_t a = utf8_next(s, &first);
    if (!utf8_is_han(a)) return 0;
    size_t second = first;
    int32_t b = first < s.n ? utf8_next(s, &second) : 0;
    for (size_t i = 0; i < COUNT(surnames); i++) {
        const struct surname *n = &surnames[i];
        /* 单于 alone is a Shan called Yu: a double surname has a given name behind it. */
        bool two = n->han[1] != 0;
        if (n->han[0] != a || (two && (n->han[1] != b || second >= s.n))) continue;
        put_han(w, n->pinyin[0], strlen(n->pinyin[0]));
        if (two) put_han(w, n->pinyin[1], strlen(n->pinyin[1]));
        return two ? second : first;
    }
    return 0;
}

static struct str write_all(struct arena *a, struct str s, bool name, bool initials) {
    INVARIANT(ready);
    /* A Han character of 3 bytes becomes at most 6 letters, a Latin one of 2 bytes 2; nothing else grows beyond double. */
    size_t room = 2 * s.n;
    struct writer w = {.to = arena_alloc(a, room + 1), .initials = initials};
    for (size_t at = name && s.n ? put_surname(&w, s) : 0; at < s.n;) {
        int32_t c = utf8_next(s, &at);
        if (c >= 0) put_any(&w, c);
    }
    INVARIANT(w.n <= room);
    return (struct str){w.to, w.n};
}

struct str text_pinyin(struct arena *a, struct str s, bool name) {
    return write_all(a, s, name, false);
}

struct str text_initials(struct arena *a, struct str s, bool name) {
    return write_all(a, s, name, true);
}
