/* Headings: every name a column may go by, in all languages, against the cells of the first lines.
 *
 * The line that matches most columns by name is the heading; title lines above it, and group titles over merged cells, match few.  What no
 * name matches is then compared by likeness, and only against fields that no column has taken.  Each field is taken once, by
 * the best match; levels of the area tree may stand in several columns. */
#include "core/import_internal.h"

#include "base/utf8.h"
#include "text/text.h"

enum { SCORE_LIKE = 1, SCORE_PSEUDO = 2, SCORE_ALSO = 3, SCORE_LABEL = 4, SCORE_MAP = 5 };

struct head_name {
    struct str text, bare; /* folded; bare: without what stands in brackets */
    enum import_to to;
    int field, rank, score;
};
struct head_names {
    struct arena *a;
    const struct kind *k;
    struct head_name *all;
    size_t n, cap;
};

/* ---- the form in which headings are compared ---- */

/* Without marks of required columns, colons, underscores and hyphens: "＊ 身份证号：" is 身份证号, ID_number is idnumber. */
static struct str head_form(struct arena *a, struct str s) {
    struct str folded = utf8_fold(a, s);
    char *to = arena_alloc(a, folded.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < folded.n; i++)
        if (!strchr("*:_-\"'", folded.p[i]) || !folded.p[i]) to[n++] = folded.p[i];
    return (struct str){to, n};
}

static bool opens(int32_t c) {
    return c == '(' || c == '[' || c == 0x3010 || c == 0x3014;
}
static bool closes(int32_t c) {
    return c == ')' || c == ']' || c == 0x3011 || c == 0x3015;
}

/* "体温(℃)" is 体温.  A heading that is all bracket stays as it is. */
static struct str without_brackets(struct arena *a, struct str s) {
    char *to = arena_alloc(a, s.n + 1);
    size_t n = 0, depth = 0;
    for (size_t at = 0; at < s.n;) {
        size_t before = at;
        int32_t c = utf8_next(s, &at);
        if (opens(c)) depth++;
        if (depth == 0) {
            memcpy(to + n, s.p + before, at - before);
            n += at - before;
        }
        if (closes(c) && depth) depth--;
    }
    return n ? (struct str){to, n} : s;
}

/* ---- all names ---- */

static void add_name(struct head_names *h, struct str text, struct head_name n) {
    n.text = head_form(h->a, text);
    if (n.text.n == 0) return;
    n.bare = without_brackets(h->a, n.text);
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 256;
        struct head_name *more = arena_new(h->a, struct head_name, h->cap);
        if (h->n) memcpy(more, h->all, h->n * sizeof *more);
        h->all = more;
    }
    h->all[h->n++] = n;
}

/* Names separated by |, and the same in Traditional characters. */
static void add_list(struct head_names *h, const char *list, struct head_name n) {
    if (!list) return;
    const char *const forms[] = {list, lang_hant(list)};
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct str rest = str_z(forms[i]), one;
        while (str_cut(&rest, '|', &one)) add_name(h, one, n);
    }
}

static void add_fields(struct head_names *h) {
    for (size_t i = 0; i < h->k->n; i++) {
        const struct field *f = &h->k->fields[i];
        struct head_name n = {.to = TO_FIELD, .field = (int)i, .rank = RANK_NONE, .score = SCORE_LABEL};
        add_name(h, str_z(f->name), n);
        add_list(h, f->label.zh, n);
        add_list(h, f->label.en, n);
        n.score = SCORE_ALSO;
        add_list(h, f->also, n);
    }
}

/* The columns of places, by the rank of their level (core/area.h). */
static const struct {
    enum import_to to;
    const char *level; /* NULL: of any */
    const char *names;
} place_names[] = {
    {TO_AREA_CODE, NULL, "area_code|区域编号|区域代码|所属区域编号|所属区域代码|区划代码|行政区划代码|小区编号|楼栋编号|网格编号"},
    {TO_AREA, NULL, "area|region|区域|所属区域|所在区域|地址区域|行政区域|网格|所属网格|所在网格|所在地|全称|区域全称"},
    {TO_AREA, "province", "省|省份|province"},
    {TO_AREA, "city", "市|地市|city"},
    {TO_AREA, "county", "县|区县|县区|市县|所属县|county|district"},
    {TO_AREA, "group", "片区|所属片区"},
    {TO_AREA, "township", "街道|乡镇|镇街|镇|乡|乡镇街道|街道乡镇|街道(乡镇)|所属街道|所属乡镇|所在街道|所在乡镇|township|town|street|subdistrict"},
    {TO_AREA, "community", "社区|村|村社区|社区村|社区(村)|村居|居委会|村委会|行政村|所属社区|所属村|所在社区|所在村|community|village"},
    {TO_AREA, "quarter", "小区|小区名称|所属小区|所在小区|院落|自然村|村民小组|组|组别|quarter|compound|estate"},
    {TO_AREA, "building", "楼栋|楼号|楼|栋|幢|栋号|幢号|楼栋号|楼宇|building|block"},
    {TO_AREA, "unit", "单元|单元号|unit|entrance"},
};

static void add_places(struct head_names *h) {
    if (h->k->flags & (KIND_TREE | KIND_NO_AREA)) return;
    for (size_t i = 0; i < COUNT(place_names); i++) {
        int rank = place_names[i].level ? area_level_rank(str_z(place_names[i].level)) : RANK_NONE;
        add_list(h, place_names[i].names, (struct head_name){.to = place_names[i].to, .field = -1, .rank = rank, .score = SCORE_PSEUDO});
    }
}

/* A roster names the door and the head of a household in columns of its own. */
static void add_home(struct head_names *h) {
    const struct kind *home = kind_by_name(STR("household"));
    if (!home || import_shape(h->k).home < 0) return;
    static const struct {
        const char *field;
        enum import_to to;
    } pairs[] = {{"door", TO_DOOR}, {"head", TO_HEAD}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        int at = kind_field(home, str_z(pairs[i].field));
        if (at < 0) continue;
        struct head_name n = {.to = pairs[i].to, .field = -1, .rank = RANK_NONE, .score = SCORE_PSEUDO};
        add_name(h, str_z(pairs[i].field), n);
        add_list(h, home->fields[at].label.zh, n);
        add_list(h, home->fields[at].label.en, n);
        add_list(h, home->fields[at].also, n);
    }
}

static struct head_names all_names(struct arena *a, const struct kind *k) {
    struct head_names h = {.a = a, .k = k};
    struct head_name n = {.field = -1, .rank = RANK_NONE, .score = SCORE_PSEUDO};
    add_fields(&h);
    add_home(&h);
    add_places(&h);
    n.to = TO_ID;
    add_list(&h, "record_id|记录编号|record id|uuid|id", n);
    n.to = TO_REASON;
    add_list(&h, "原因|拒绝原因|未导入原因|reason", n);
    n.to = TO_NUMBER;
    add_list(&h, "序号|序|编号序号|行号|no.|no|number|#|s/n", n);
    return h;
}

/* ---- one heading ---- */

static bool same_name(const struct head_name *n, struct str text, struct str bare) {
    return str_eq(n->text, text) || str_eq(n->bare, bare) || str_eq(n->text, bare) || str_eq(n->bare, text);
}

static void match_name(const struct head_names *h, struct str heading, struct import_heading *c) {
    struct str text = head_form(h->a, heading), bare = without_brackets(h->a, text);
    if (text.n == 0) return;
    for (size_t i = 0; i < h->n; i++) {
        const struct head_name *n = &h->all[i];
        if (!same_name(n, text, bare)) continue;
        /* The heading word for word beats one that agrees but for its brackets. */
        int score = n->score * 2 + (str_eq(n->text, text) ? 1 : 0);
        if (score <= c->score) continue;
        *c = (struct import_heading){c->text, n->to, n->field, n->rank, score, n->to == TO_REASON || n->to == TO_NUMBER ? "ignored" : "name"};
    }
}

enum { CONTAINED_LEAST = 2 };
#define LIKE_ENOUGH 0.9
#define SHARE_ENOUGH 0.6

/* Part of the other, and most of it. */
static bool contained(struct str a, struct str b) {
    size_t n = utf8_length(a), m = utf8_length(b);
    if (n > m) return contained(b, a);
    return n >= CONTAINED_LEAST && (double)n >= SHARE_ENOUGH * (double)m && str_find(b, a) >= 0;
}

static double likeness(const struct head_name *n, struct str bare) {
    if (utf8_length(bare) < CONTAINED_LEAST || utf8_length(n->bare) < CONTAINED_LEAST) return 0;
    double j = text_jaro_winkler(n->bare, bare);
    return j < LIKE_ENOUGH && contained(n->bare, bare) ? LIKE_ENOUGH : j;
}

static bool taken(const struct import_head *h, const struct head_name *n) {
    for (size_t i = 0; i < h->n; i++)
        if (h->columns[i].to == n->to && h->columns[i].field == n->field && h->columns[i].rank == n->rank) return true;
    return false;
}

static void match_likeness(const struct head_names *h, struct import_head *head) {
    for (size_t i = 0; i < head->n; i++) {
        struct import_heading *c = &head->columns[i];
        struct str bare = without_brackets(h->a, head_form(h->a, c->text));
        double best = 0;
        const struct head_name *found = NULL;
        if (c->to != TO_NONE || bare.n == 0) continue;
        for (size_t j = 0; j < h->n; j++) {
            double l = h->all[j].to == TO_FIELD ? likeness(&h->all[j], bare) : 0;
            if (l >= LIKE_ENOUGH && l > best && !taken(head, &h->all[j])) best = l, found = &h->all[j];
        }
        if (found) *c = (struct import_heading){c->text, found->to, found->field, found->rank, SCORE_LIKE, "likeness"};
    }
}

/* ---- the map ---- */

static struct str map_column(const char *map) {
    const char *eq = strrchr(map, '=');
    return eq ? (struct str){map, (size_t)(eq - map)} : STR_NONE;
}

/* "AB" is 27; -1 for what is no letter of a column. */
static int column_letter(struct str s) {
    int v = 0;
    if (s.n == 0 || s.n > 3) return -1;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i] >= 'a' ? (char)(s.p[i] - 32) : s.p[i];
        if (c < 'A' || c > 'Z') return -1;
        v = v * 26 + c - 'A' + 1;
    }
    return v - 1;
}

static int map_at(struct arena *a, const struct import_head *h, struct str column) {
    struct str form = head_form(a, column);
    for (size_t i = 0; i < h->n; i++)
        if (form.n && str_eq(head_form(a, h->columns[i].text), form)) return (int)i;
    int letter = column_letter(str_trim(column));
    return letter < (int)h->n ? letter : -1;
}

static int bad_map(const struct head_names *h, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(4096);
    for (size_t i = 0; i < h->k->n; i++) {
        if (h->k->fields[i].flags & READ_ONLY) continue;
        if (b.n) buf_addc(&b, ' ');
        buf_addz(&b, h->k->fields[i].name);
    }
    return err_set(e, ERR_INVALID, "map", M_MAP, b.p ? b.p : "");
}

static int bad_column(const struct import_head *h, struct arena *a, struct str column, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(4096);
    for (size_t i = 0; i < h->n && b.n < 80; i++) {
        if (b.n) buf_addc(&b, ' ');
        buf_add_str(&b, utf8_fit(h->columns[i].text, 100));
    }
    return err_set(e, ERR_INVALID, "map", M_MAP_COLUMN, arena_strz(a, column), b.p ? b.p : "");
}

static int apply_map(const struct head_names *h, const char *map, struct import_head *head, struct err *e) {
    struct str column = map_column(map);
    if (!column.p) return bad_map(h, e);
    int at = map_at(h->a, head, column);
    if (at < 0) return bad_column(head, h->a, column, e);
    struct str field = str_trim(str_z(map + column.n + 1));
    struct import_heading *c = &head->columns[at], found = {.text = c->text, .field = -1, .rank = RANK_NONE};
    if (field.n == 0) found.to = TO_DROPPED;
    else match_name(h, field, &found);
    if (found.to == TO_NONE) return bad_map(h, e);
    *c = found;
    c->text = head->columns[at].text;
    c->score = SCORE_MAP * 2;
    c->how = "map";
    return 0;
}

/* ---- the heading row ---- */

static void match_line(const struct head_names *h, const struct import_line *line, struct import_head *head) {
    for (size_t i = 0; i < head->n; i++) {
        struct import_heading *c = &head->columns[i];
        *c = (struct import_heading){.field = -1, .rank = RANK_NONE, .how = "none"};
        if (i < line->count) c->text = line->cells[i].text;
        match_name(h, c->text, c);
    }
}

static bool many(enum import_to to) {
    /* 社区 and 村 are of one rank: a row fills in one of them. */
    return to == TO_NONE || to == TO_DROPPED || to == TO_NUMBER || to == TO_REASON || to == TO_AREA;
}

/* Each target once. */
static void keep_best(struct import_head *head) {
    for (size_t i = 0; i < head->n; i++)
        for (size_t j = 0; j < i; j++) {
            struct import_heading *a = &head->columns[j], *b = &head->columns[i];
            if (many(a->to) || a->to != b->to || a->field != b->field) continue;
            struct import_heading *loser = b->score > a->score ? a : b;
            *loser = (struct import_heading){.text = loser->text, .field = -1, .rank = RANK_NONE, .how = "none"};
        }
}

static int count_matches(const struct import_head *head) {
    int n = 0;
    for (size_t i = 0; i < head->n; i++) n += head->columns[i].to != TO_NONE;
    return n;
}

static int mapped_here(const struct head_names *h, const struct import_options *o, const struct import_line *line) {
    int n = 0;
    for (size_t m = 0; m < o->map_n; m++) {
        struct str form = head_form(h->a, map_column(o->map[m]));
        for (size_t i = 0; i < line->count && form.n; i++)
            if (str_eq(head_form(h->a, line->cells[i].text), form)) n++;
    }
    return n;
}

/* The line with most matches, the first of those that have as many. */
static int best_line(const struct head_names *h, const struct import_options *o, const struct import_line *lines, size_t n, struct import_head *head) {
    int best = 0, at = -1;
    for (size_t i = 0; i < n; i++) {
        match_line(h, &lines[i], head);
        keep_best(head);
        int matches = count_matches(head) + mapped_here(h, o, &lines[i]);
        if (matches > best) best = matches, at = (int)i;
    }
    return at;
}

static bool only_letters(const struct import_options *o) {
    for (size_t i = 0; i < o->map_n; i++)
        if (column_letter(map_column(o->map[i])) < 0) return false;
    return o->map_n > 0;
}

int import_head_find(struct arena *a, const struct kind *k, const struct import_options *o, const struct import_line *lines, size_t n,
                     struct import_head *ret, int *ret_at, struct err *e) {
    struct head_names h = all_names(a, k);
    size_t width = 0;
    for (size_t i = 0; i < n; i++) width = MAX(width, lines[i].count);
    struct import_head head = {.columns = arena_new(a, struct import_heading, width), .n = width};
    int at = best_line(&h, o, lines, n, &head);
    if (at < 0 && (!only_letters(o) || n == 0)) {
        char rows[12];
        snprintf(rows, sizeof rows, "%d", HEAD_ROWS);
        return err_set(e, ERR_INVALID, NULL, M_NO_HEADING, rows);
    }
    match_line(&h, at >= 0 ? &lines[at] : &(struct import_line){0}, &head);
    for (size_t i = 0; i < o->map_n; i++) TRY(apply_map(&h, o->map[i], &head, e));
    keep_best(&head);
    if (at >= 0) match_likeness(&h, &head);
    for (size_t i = 0; i < head.n; i++) {
        head.columns[i].text = arena_str(a, head.columns[i].text);
        head.has_area |= head.columns[i].to == TO_AREA || head.columns[i].to == TO_AREA_CODE;
    }
    *ret = head;
    *ret_at = at;
    return 0;
}

static bool has_column(const struct import_head *h, enum import_to to, int field) {
    for (size_t i = 0; i < h->n; i++)
        if (h->columns[i].to == to && h->columns[i].field == field) return true;
    return false;
}

int import_head_check(struct arena *a, const struct kind *k, const struct import_options *o, const struct import_head *h, bool placed, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1000);
    if (has_column(h, TO_ID, -1)) return 0; /* rows of an export, some columns of them */
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        if (!(f->flags & REQUIRED) || f->flags & READ_ONLY || has_column(h, TO_FIELD, (int)i)) continue;
        if (b.n) buf_addz(&b, ", ");
        buf_addz(&b, label_in(f->label, o->lang));
    }
    int from = k->area_from ? kind_field(k, str_z(k->area_from)) : -1;
    bool needs_area = !(k->flags & (KIND_TREE | KIND_NO_AREA)) && !placed && !h->has_area && !(from >= 0 && has_column(h, TO_FIELD, from));
    if (needs_area) {
        static const struct label area = {"所属区域", "Area"};
        if (b.n) buf_addz(&b, ", ");
        buf_addz(&b, label_in(area, o->lang));
    }
    return b.n ? err_set(e, ERR_INVALID, NULL, M_NO_COLUMN, arena_strz(a, buf_str(&b))) : 0;
}

const char *import_target_name(const struct kind *k, const struct import_heading *c) {
    switch (c->to) {
    case TO_FIELD: return k->fields[c->field].name;
    case TO_ID: return "id";
    case TO_AREA_CODE: return "area_code";
    case TO_AREA: return "area";
    case TO_DOOR: return "door";
    case TO_HEAD: return "head";
    default: return NULL;
    }
}
