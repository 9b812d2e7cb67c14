/* What stands around the sheets: relations, the list of sheets, styles, shared strings, merged ranges. */
#include "xlsx.h"

#include "base/utf8.h"

enum { SHEETS_MAX = 1024, STYLES_MAX = 65536, SHARED_MAX = 64 << 20 };
#define SHARED_BYTES_MAX ((size_t)1 << 30)

/* 1: read, 0: not there, -1. */
static int read_part(struct xlsx *x, const char *name, uint64_t max, const struct xlsx_handlers *h, struct err *e) {
    struct xlsx_part p CLEANUP(xlsx_part_close) = {0};
    int r = xlsx_part_open(&p, x, name, max, h, e);
    if (r <= 0) return r;
    return xlsx_part_run(&p, e) == XLSX_END ? 1 : -1;
}

/* ---- relations ---- */
static void relation_start(struct xlsx_part *p, const char *name, const char **a) {
    const char *id = xml_attribute(a, "Id"), *type = xml_attribute(a, "Type"), *target = xml_attribute(a, "Target");
    if (strcmp(name, "Relationship") || !id || !type || !target) return;
    struct arena *arena = &p->x->arena;
    struct xlsx_relation *r = arena_new(arena, struct xlsx_relation, 1);
    const char *kind = strrchr(type, '/');
    *r = (struct xlsx_relation){p->x->relations, arena_strz(arena, str_z(id)), arena_strz(arena, str_z(kind ? kind + 1 : type)),
                                arena_strz(arena, str_z(target))};
    p->x->relations = r;
}

/* "../a/./b.xml" seen from "xl/workbook.xml" is "a/b.xml"; a leading / means the package. */
static const char *resolve(struct arena *a, const char *base, const char *target) {
    struct buf b CLEANUP(buf_release) = BUF(65536);
    const char *slash = strrchr(base, '/');
    if (target[0] != '/' && slash) buf_add(&b, base, (size_t)(slash - base));
    struct str rest = str_z(target), part;
    while (str_cut(&rest, '/', &part)) {
        if (part.n == 0 || str_eq(part, STR("."))) continue;
        if (str_eq(part, STR(".."))) {
            const char *last = b.n ? memrchr(b.p, '/', b.n) : NULL;
            b.n = last ? (size_t)(last - b.p) : 0;
            continue;
        }
        if (b.n) buf_addc(&b, '/');
        buf_add_str(&b, part);
    }
    return arena_strz(a, buf_str(&b));
}

static int read_relations(struct xlsx *x, const char *part, struct err *e) {
    static const struct xlsx_handlers h = {.start = relation_start};
    const char *slash = strrchr(part, '/');
    int folder = slash ? (int)(slash - part) + 1 : 0;
    x->relations = NULL;
    int r = read_part(x, arena_printf(&x->arena, "%.*s_rels/%s.rels", folder, part, part + folder), XLSX_SMALL_MAX, &h, e);
    return r < 0 ? -1 : 0;
}

static const char *related(struct xlsx *x, const char *base, const char *type, const char *id) {
    for (struct xlsx_relation *r = x->relations; r; r = r->next)
        if (!strcmp(r->type, type) && (!id || !strcmp(r->id, id))) return resolve(&x->arena, base, r->target);
    return NULL;
}

/* ---- the list of sheets ---- */
static void book_start(struct xlsx_part *p, const char *name, const char **a) {
    struct xlsx *x = p->x;
    if (!strcmp(name, "workbookPr")) {
        const char *v = xml_attribute(a, "date1904");
        x->from_1904 = v && (!strcmp(v, "1") || !strcmp(v, "true"));
    }
    const char *title = xml_attribute(a, "name"), *id = xml_attribute(a, "id"), *state = xml_attribute(a, "state");
    if (strcmp(name, "sheet") || !title || !id) return;
    if (x->sheet_count == SHEETS_MAX) {
        xlsx_damaged(p);
        return;
    }
    const char *part = related(x, p->name, "worksheet", id);
    if (!part) return; /* a chart has no rows */
    if (!x->sheets) x->sheets = arena_new(&x->arena, struct xlsx_sheet, SHEETS_MAX);
    x->sheets[x->sheet_count++] = (struct xlsx_sheet){arena_strz(&x->arena, str_z(title)), part, state && strcmp(state, "visible")};
}

int xlsx_read_book(struct xlsx *x, struct err *e) {
    static const struct xlsx_handlers h = {.start = book_start};
    TRY(read_relations(x, "", e));
    const char *book = related(x, "", "officeDocument", NULL);
    if (!book) book = "xl/workbook.xml";
    TRY(read_relations(x, book, e));
    x->shared_part = related(x, book, "sharedStrings", NULL);
    x->styles_part = related(x, book, "styles", NULL);
    struct str name = str_z(book);
    int r = str_ends(name, STR(".bin")) ? 0 : read_part(x, book, XLSX_SMALL_MAX, &h, e);
    if (r < 0) return -1;
    if (r == 0 || x->sheet_count == 0) return sheet_no_format(x->s, e);
    return 0;
}

/* ---- styles ---- */
enum { NO_SECTION, FORMATS, CELL_STYLES };

static bool bit(const uint8_t *bits, int64_t i) {
    return bits[i / 8] & 1u << i % 8;
}

static void define_format(struct xlsx *x, int64_t id, const char *code) {
    uint8_t mask = (uint8_t)(1u << id % 8);
    x->custom_known[id / 8] |= mask;
    if (format_code_is_date(str_z(code))) x->custom_date[id / 8] |= mask;
    else x->custom_date[id / 8] &= (uint8_t)~mask;
}

static void define_style(struct xlsx *x, int64_t id) {
    if (x->style_count == STYLES_MAX) return;
    if (x->style_count == x->style_cap) {
        x->style_cap = x->style_cap ? x->style_cap * 2 : 64;
        x->style_date = realloc(x->style_date, x->style_cap);
        INVARIANT(x->style_date);
    }
    x->style_date[x->style_count++] = bit(x->custom_known, id) ? bit(x->custom_date, id) : format_is_date((int)id);
}

static void styles_start(struct xlsx_part *p, const char *name, const char **a) {
    struct xlsx *x = p->x;
    if (!strcmp(name, "numFmts")) x->styles_section = FORMATS;
    if (!strcmp(name, "cellXfs")) x->styles_section = CELL_STYLES;
    bool is_format = x->styles_section == FORMATS && !strcmp(name, "numFmt");
    bool is_style = x->styles_section == CELL_STYLES && !strcmp(name, "xf");
    if (!is_format && !is_style) return;
    const char *id_text = xml_attribute(a, "numFmtId"), *code = xml_attribute(a, "formatCode");
    int64_t id = 0;
    bool is_id = id_text && str_to_int(str_z(id_text), 0, 65535, &id);
    if (is_style) define_style(x, id);
    else if (is_id && code) define_format(x, id, code);
}

static void styles_end(struct xlsx_part *p, const char *name) {
    if (!strcmp(name, "numFmts") || !strcmp(name, "cellXfs")) p->x->styles_section = NO_SECTION;
}

int xlsx_read_styles(struct xlsx *x, struct err *e) {
    static const struct xlsx_handlers h = {.start = styles_start, .end = styles_end};
    if (!x->styles_part) return 0;
    return read_part(x, x->styles_part, XLSX_SMALL_MAX, &h, e) < 0 ? -1 : 0;
}

/* ---- strings ---- */
void xlsx_text_start(struct xlsx_text *t, struct buf *to, const char *name, const char **attributes) {
    if (!strcmp(name, "rPh")) t->phonetic++;
    if (strcmp(name, "t") || t->phonetic) return;
    const char *space = xml_attribute(attributes, "space");
    t->on = true;
    t->keep_space = space && !strcmp(space, "preserve");
    t->from = to->n;
}

static bool is_xml_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void xlsx_text_end(struct xlsx_text *t, struct buf *to, const char *name) {
    if (!strcmp(name, "rPh") && t->phonetic) t->phonetic--;
    if (strcmp(name, "t") || !t->on) return;
    t->on = false;
    size_t from = t->from;
    if (to->failed || t->keep_space || from == to->n) return;
    size_t head = 0;
    while (to->n > from && is_xml_space(to->p[to->n - 1])) to->n--;
    while (from + head < to->n && is_xml_space(to->p[from + head])) head++;
    memmove(to->p + from, to->p + from + head, to->n - from - head);
    to->n -= head;
    to->p[to->n] = 0;
}

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* A character that XML cannot hold stands as _xHHHH_; the result is never longer. */
void xlsx_unescape(struct buf *b, size_t from) {
    if (b->failed || b->n - from < 7 || !memmem(b->p + from, b->n - from, "_x", 2)) return;
    struct buf plain CLEANUP(buf_release) = BUF(b->n - from);
    for (size_t i = from; i < b->n;) {
        const char *p = b->p + i;
        int c = b->n - i >= 7 && p[0] == '_' && p[1] == 'x' && p[6] == '_' ? hex4(p + 2) : -1;
        if (c >= 0 && (c < 0xd800 || c > 0xdfff)) {
            utf8_add(&plain, c);
            i += 7;
        } else {
            buf_addc(&plain, b->p[i++]);
        }
    }
    b->n = from;
    buf_add_str(b, buf_str(&plain));
}

static void shared_start(struct xlsx_part *p, const char *name, const char **a) {
    struct xlsx *x = p->x;
    xlsx_text_start(&x->text, &x->shared, name, a);
    if (strcmp(name, "si")) return;
    if (x->shared_count == SHARED_MAX) {
        xlsx_damaged(p);
        return;
    }
    if (x->shared_count + 1 >= x->shared_cap) {
        x->shared_cap = x->shared_cap ? x->shared_cap * 2 : 256;
        x->shared_at = realloc(x->shared_at, x->shared_cap * sizeof x->shared_at[0]);
        INVARIANT(x->shared_at);
    }
    x->shared_at[x->shared_count++] = (uint32_t)x->shared.n;
    x->shared_at[x->shared_count] = (uint32_t)x->shared.n;
}

static void shared_end(struct xlsx_part *p, const char *name) {
    struct xlsx *x = p->x;
    xlsx_text_end(&x->text, &x->shared, name);
    if (strcmp(name, "si") || !x->shared_count) return;
    xlsx_unescape(&x->shared, x->shared_at[x->shared_count - 1]);
    x->shared_at[x->shared_count] = (uint32_t)x->shared.n;
}

static void shared_text(struct xlsx_part *p, struct str text) {
    struct xlsx *x = p->x;
    if (!x->text.on || !x->shared_count) return;
    buf_add_str(&x->shared, text);
    if (x->shared.failed || x->shared.n - x->shared_at[x->shared_count - 1] > SHEET_CELL_BYTES) {
        sheet_cell_too_large(x->s, 0, &p->err);
        xlsx_fail(p);
    }
}

int xlsx_read_shared(struct xlsx *x, struct err *e) {
    static const struct xlsx_handlers h = {shared_start, shared_end, shared_text};
    x->shared.max = SHARED_BYTES_MAX;
    x->text = (struct xlsx_text){0};
    if (!x->shared_part) return 0;
    return read_part(x, x->shared_part, XLSX_PART_MAX, &h, e) < 0 ? -1 : 0;
}

/* ---- merged ranges ---- */
/* "A1:B2"; false for anything else. */
static bool parse_range(const char *ref, struct merge *ret) {
    int64_t v[4] = {0}; /* column, row, column, row */
    for (int i = 0; i < 4; i++) {
        for (; *ref == '$'; ref++) continue;
        bool digits = i % 2;
        for (; digits ? *ref >= '0' && *ref <= '9' : (*ref | 32) >= 'a' && (*ref | 32) <= 'z'; ref++) {
            v[i] = digits ? v[i] * 10 + (*ref - '0') : v[i] * 26 + ((*ref | 32) - 'a' + 1);
            if (v[i] > 9999999) return false;
        }
        if (v[i] == 0) return false;
        if (i == 1 && *ref++ != ':') return false;
    }
    if (*ref || v[0] > v[2] || v[1] > v[3]) return false;
    *ret = (struct merge){(int32_t)v[1], (int32_t)v[3], (int16_t)MIN(v[0] - 1, (int64_t)INT16_MAX), (int16_t)MIN(v[2] - 1, (int64_t)INT16_MAX)};
    return true;
}

static void merges_start(struct xlsx_part *p, const char *name, const char **a) {
    const char *ref = strcmp(name, "mergeCell") ? NULL : xml_attribute(a, "ref");
    struct merge range;
    if (ref && parse_range(ref, &range) && !merges_add(&p->x->s->merges, range)) xlsx_damaged(p);
}

static void merges_end(struct xlsx_part *p, const char *name) {
    if (!strcmp(name, "mergeCells")) xlsx_stop(p);
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (uint8_t)c >= 0x80 || (c && strchr(":_-.", c));
}

/* Where "<mergeCells" (or "<x:mergeCells") begins in the window; -1. */
static ptrdiff_t find_merges(struct str window) {
    static const char word[] = "mergeCells";
    for (size_t at = 0; at < window.n;) {
        ptrdiff_t hit = str_find(str_sub(window, at, window.n), str_z(word));
        if (hit < 0) return -1;
        size_t begin = at + (size_t)hit;
        at = begin + sizeof word - 1;
        while (begin && at - begin < 64 && is_name_char(window.p[begin - 1])) begin--;
        if (begin && window.p[begin - 1] == '<') return (ptrdiff_t)begin - 1;
    }
    return -1;
}

/* The ranges stand behind the rows they apply to.  Parsing the sheet twice would double the time, so the first pass only
 * unpacks and looks for the tag (raw text cannot hold "<"); the parser sees the sheet from there, below a root of our own. */
static int seek_merges(struct xlsx_part *p, struct err *e) {
    enum { WINDOW = 65536, OVERLAP = 128 };
    char window[OVERLAP + WINDOW];
    size_t kept = 0;
    for (;;) {
        zip_int64_t n = zip_fread(p->file, window + kept, WINDOW);
        if (n < 0) return sheet_damaged(p->x->s, p->name, e);
        xlsx_part_took(p, n);
        TRY(xlsx_part_over_limit(p, e));
        if (n == 0) return 0;
        struct str seen = {window, kept + (size_t)n};
        bool wide = p->read == (uint64_t)n && n > 1 && (!seen.p[0] || !seen.p[1] || (uint8_t)seen.p[0] >= 0xfe);
        ptrdiff_t at = wide ? 0 : find_merges(seen);
        if (at >= 0) {
            p->parsed = seen.n - (size_t)at;
            if (!wide) XML_Parse(p->xml, "<x>", 3, 0);
            XML_Parse(p->xml, seen.p + at, (int)p->parsed, 0);
            return 1;
        }
        kept = MIN(seen.n, (size_t)OVERLAP);
        memmove(window, seen.p + seen.n - kept, kept);
    }
}

int xlsx_read_merges(struct xlsx *x, const char *part, struct err *e) {
    static const struct xlsx_handlers h = {.start = merges_start, .end = merges_end};
    struct xlsx_part p CLEANUP(xlsx_part_close) = {0};
    merges_clear(&x->s->merges);
    int r = xlsx_part_open(&p, x, part, XLSX_PART_MAX, &h, e);
    if (r <= 0) return r;
    r = seek_merges(&p, e);
    if (r < 0) return -1;
    if (r > 0 && !p.stopped && xlsx_part_run(&p, e) != XLSX_END) return -1;
    merges_ready(&x->s->merges);
    return 0;
}
