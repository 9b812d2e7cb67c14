#include "cli/demo_names.h"

/* ---- chance: SplitMix64 (Steele, Lea, Flood 2014) ---- */

struct chance chance_of(uint64_t seed) {
    return (struct chance){seed * UINT64_C(0x9E3779B97F4A7C15) + UINT64_C(0x2545F4914F6CDD1D)};
}

uint64_t chance_next(struct chance *c) {
    uint64_t z = c->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint32_t chance_below(struct chance *c, uint32_t n) {
    INVARIANT(n > 0);
    return (uint32_t)((chance_next(c) >> 32) * n >> 32);
}

int chance_between(struct chance *c, int low, int high) {
    return high <= low ? low : low + (int)chance_below(c, (uint32_t)(high - low) + 1);
}

bool chance_hit(struct chance *c, int per_mille) {
    return (int)chance_below(c, 1000) < per_mille;
}

size_t chance_weighted(struct chance *c, const uint16_t *weights, size_t n) {
    uint32_t sum = 0;
    size_t i = 0;
    for (size_t j = 0; j < n; j++) sum += weights[j];
    uint32_t left = chance_below(c, sum);
    while (left >= weights[i]) left -= weights[i++];
    return i;
}

/* ---- people ---- */

static const char *const surnames[] = {
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "罗", "高", "郑", "梁", "谢",
    "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田", "董", "袁", "潘", "于", "蒋", "蔡", "余", "杜", "叶", "程", "苏", "魏",
    "吕", "丁", "任", "沈", "姚", "卢", "姜", "崔", "钟", "谭", "陆", "汪", "范", "金", "石", "廖", "贾", "夏", "韦", "付", "方", "白", "邹",
    "孟", "熊", "秦", "邱", "江", "尹", "薛", "闫", "段", "雷", "侯", "龙", "史", "陶", "黎", "贺", "顾", "毛", "郝", "龚", "邵", "万", "钱",
    "严", "覃", "武", "戴", "莫", "孔", "向", "汤", "欧阳", "上官", "诸葛", "司马"};
static const uint16_t surname_weights[COUNT(surnames)] = {
    710, 700, 670, 530, 450, 310, 220, 210, 190, 190, 160, 150, 130, 120, 120, 110, 110, 105, 100, 95, 92, 88, 80, 78, 75, 72, 70, 68, 65, 63, 60, 58, 58, 57,
    56,  55,  54,  53,  52,  52,  51,  50,  49,  48,  47,  46,  46,  45,  45,  44,  42,  42,  41,  40, 40, 39, 39, 38, 38, 37, 36, 36, 35, 35, 34, 34, 33, 33,
    32,  32,  31,  31,  30,  30,  29,  29,  28,  28,  27,  27,  26,  26,  25,  25,  24,  24,  23,  23, 22, 22, 21, 21, 20, 20, 19, 19, 18, 18, 17, 17, 6,  3,
    2,   2};

static const char *const given_male[] = {"伟", "强", "磊", "军", "勇", "涛", "明", "杰", "超", "刚", "平", "辉", "鹏", "飞", "波", "斌", "宇", "浩",
                                         "凯", "健", "俊", "鑫", "峰", "亮", "龙", "建", "国", "志", "文", "海", "永", "新", "东", "云", "林", "春",
                                         "庆", "德", "成", "生", "宝", "福", "旺", "根", "祥", "立", "义", "忠", "华", "子", "轩", "博", "晨", "阳"};
static const char *const given_female[] = {"芳", "娜", "敏", "静", "丽", "艳", "娟", "霞", "燕", "玲", "桂", "英", "兰", "红", "梅", "秀", "珍", "凤",
                                           "玉", "琴", "丹", "萍", "雪", "倩", "婷", "慧", "洁", "莉", "云", "月", "莲", "香", "翠", "巧", "青", "晓",
                                           "文", "雅", "欣", "佳", "怡", "梦", "琪", "子", "涵", "诗", "春", "花", "爱", "淑", "惠", "芝", "素", "金"};

int names_surname(struct names *n) {
    return (int)chance_weighted(&n->chance, surname_weights, COUNT(surnames));
}

int names_surname_of(struct str name) {
    for (size_t i = COUNT(surnames); i-- > 0;)
        if (str_starts(name, str_z(surnames[i]))) return (int)i;
    return SURNAME_ANY;
}

static const char *given(struct names *n, bool male) {
    return male ? given_male[chance_below(&n->chance, COUNT(given_male))] : given_female[chance_below(&n->chance, COUNT(given_female))];
}

static struct str full_name(struct names *n, struct arena *a, int surname, bool male) {
    const char *first = given(n, male), *second = chance_hit(&n->chance, 820) ? given(n, male) : "";
    return str_z(arena_printf(a, "%s%s%s", surnames[surname], first, second));
}

/* GB 11643 with a region that does not exist; the three digits before the last count those of a day, odd for men. */
static struct str id_number(struct names *n, struct arena *a, bool male, day_t birth) {
    static const int weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int year, month, day, sum = 0;
    day_split(birth, &year, &month, &day);
    int32_t slot = birth - day_make(1900, 1, 1);
    uint16_t *count = &n->born[slot < 0 ? 0 : MIN(slot, NAMES_BIRTH_DAYS - 1)][male];
    unsigned order = (unsigned)(*count)++ % 500 * 2 + male;
    char *s = arena_printf(a, "990000%04d%02d%02d%03u?", year, month, day, order);
    for (int i = 0; i < 17; i++) sum += (s[i] - '0') * weights[i];
    s[17] = "10X98765432"[sum % 11];
    return str_z(s);
}

enum { PHONES = 1000000, PHONE_STEP = 387421 };

static struct str phone(struct names *n, struct arena *a) {
    uint32_t i = (uint32_t)((uint64_t)n->phones++ * PHONE_STEP % PHONES);
    return str_z(arena_printf(a, "19900%06u", i));
}

struct person names_person(struct names *n, struct arena *a, int surname, bool male, day_t birth) {
    struct person p = {.male = male, .birth = birth};
    p.name = full_name(n, a, surname < 0 ? names_surname(n) : surname, male);
    p.id_number = id_number(n, a, male, birth);
    p.phone = phone(n, a);
    return p;
}

struct person names_adult(struct names *n, struct arena *a, day_t on) {
    bool male = chance_hit(&n->chance, 560);
    return names_person(n, a, SURNAME_ANY, male, on - chance_between(&n->chance, 22 * 365, 60 * 365));
}

struct str names_plate(struct names *n, struct arena *a) {
    static const char *const provinces[] = {"晋", "陕", "豫", "冀", "鲁"};
    static const char serial[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    char s[6] = {0};
    for (int i = 0; i < 5; i++) s[i] = serial[chance_below(&n->chance, i == 1 || i == 3 ? sizeof serial - 1 : 10)];
    return str_z(arena_printf(a, "%sZ%s", provinces[chance_below(&n->chance, COUNT(provinces))], s));
}

struct str names_origin(struct names *n) {
    static const char *const from[] = {"本县", "邻县", "本省", "湖北", "广东", "浙江", "河南", "陕西"};
    static const uint16_t weights[COUNT(from)] = {60, 20, 10, 1, 2, 2, 3, 2};
    return str_z(from[chance_weighted(&n->chance, weights, COUNT(from))]);
}

/* ---- places ---- */

static const char *const community_words[] = {"东风", "朝阳", "幸福", "团结", "光明", "和平", "建设", "新华", "胜利", "文化", "友谊", "前进", "春晖", "向阳", "人民", "青年"};
static const char *const quarter_words[] = {"阳光", "锦绣", "翠湖", "安居", "佳和", "明珠", "丽景", "福星", "金桂", "康乐", "云庭", "百合", "松涛", "柳岸", "书香", "祥和", "御景", "竹韵"};
static const char *const quarter_ends[] = {"花园", "家园", "小区", "苑", "新村"};
static const char *const town_words[] = {"清泉", "石桥", "柳湾", "白杨", "平川", "双河", "望月", "枣林", "青龙", "金沟", "高坪", "长岭", "枫树", "大营", "月牙", "槐树"};
static const char *const village_heads[] = {"上", "下", "东", "西", "南", "北", "大", "小", "前", "后", "新", "老"};
static const char *const village_words[] = {"河", "沟", "庄", "坪", "湾", "岭", "泉", "营", "堡", "坡", "峪", "滩"};

/* Once all the words are used, a number tells the next round apart. */
static struct str numbered(struct arena *a, const char *head, const char *tail, const char *end, size_t round) {
    if (round == 0) return str_z(arena_printf(a, "%s%s%s", head, tail, end));
    return str_z(arena_printf(a, "%s%s%zu%s", head, tail, round + 1, end));
}

struct str names_place(struct arena *a, const char *level, size_t i) {
    struct str l = str_z(level);
    if (str_eq(l, STR("township"))) return numbered(a, town_words[i % COUNT(town_words)], "", "镇", i / COUNT(town_words));
    if (str_eq(l, STR("street"))) return numbered(a, town_words[i % COUNT(town_words)], "", "街道", i / COUNT(town_words));
    if (str_eq(l, STR("community"))) return numbered(a, community_words[i % COUNT(community_words)], "", "社区", i / COUNT(community_words));
    if (str_eq(l, STR("village"))) {
        size_t round = COUNT(village_heads) * COUNT(village_words);
        return numbered(a, village_heads[i % COUNT(village_heads)], village_words[i / COUNT(village_heads) % COUNT(village_words)], "村", i / round);
    }
    if (str_eq(l, STR("quarter"))) {
        size_t round = COUNT(quarter_words) * COUNT(quarter_ends);
        return numbered(a, quarter_words[i % COUNT(quarter_words)], quarter_ends[i / COUNT(quarter_words) % COUNT(quarter_ends)], "", i / round);
    }
    if (str_eq(l, STR("building"))) return str_z(arena_printf(a, "%zu号楼", i + 1));
    if (str_eq(l, STR("unit"))) return str_z(arena_printf(a, "%zu单元", i + 1));
    return str_z(arena_printf(a, "%s %zu", level, i + 1));
}
