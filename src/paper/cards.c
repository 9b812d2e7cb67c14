/* Cards of passes on paper.  The code stands left, so that the thumb of a right hand that holds the card does not cover it. */
#include "paper.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "base/utf8.h"

#define MM (72.0 / 25.4) /* a millimetre in points, the unit of a PDF */
enum { PAGE_W = 210, PAGE_H = 297, CARD_W = 90, CARD_H = 54, COLUMNS = 2, ROWS = CARDS_ON_SHEET / COLUMNS, TEXT_BYTES = 300 };

static const struct label title_words = {"出入证", "Pass"}, area_words = {"适用区域", "Valid in"}, valid_words = {"有效期", "Period"},
                          limit_words = {"外出", "Outings"}, number_words = {"编号", "Number"},
                          promise_words = {"不含姓名和健康信息", "Holds no name and no health data"},
                          lost_words = {"遗失请报签发单位作废", "If lost, tell the issuer"};

struct page {
    cairo_t *cairo;
    PangoLayout *layout;
    enum lang lang;
    bool no_font;
};
struct print {
    double x, y, w, size; /* mm; y is the top; size that of an em */
    double grey;
    bool bold, mono, right;
    int lines; /* what is longer is cut; 0: one */
};

static cairo_status_t write_to(void *to, const unsigned char *p, unsigned n) {
    buf_add(to, p, n);
    return ((struct buf *)to)->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* ---- text ---- */
static void set_font(struct page *p, const struct print *how) {
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family_static(font, how->mono ? "WenQuanYi Micro Hei Mono,monospace" : "WenQuanYi Micro Hei,sans-serif");
    pango_font_description_set_absolute_size(font, how->size * MM * PANGO_SCALE);
    pango_font_description_set_weight(font, how->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(p->layout, font);
    pango_font_description_free(font);
}

static void lay_out(struct page *p, struct str text, const struct print *how) {
    struct str shown = utf8_valid(text) ? utf8_fit(text, TEXT_BYTES) : STR("?");
    set_font(p, how);
    pango_layout_set_width(p->layout, (int)(how->w * MM * PANGO_SCALE));
    pango_layout_set_height(p->layout, how->lines ? -how->lines : -1);
    pango_layout_set_alignment(p->layout, how->right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    pango_layout_set_text(p->layout, shown.n ? shown.p : "", (int)shown.n);
}

/* Returns the width of what was printed, in mm. */
static double print(struct page *p, struct str text, struct print how) {
    int w, h;
    lay_out(p, text, &how);
    pango_layout_get_size(p->layout, &w, &h);
    cairo_set_source_rgb(p->cairo, how.grey, how.grey, how.grey);
    cairo_move_to(p->cairo, how.x * MM, how.y * MM);
    pango_cairo_show_layout(p->cairo, p->layout);
    return (double)w / PANGO_SCALE / MM;
}

/* Smaller when it would be cut: the end of an area's name says most. */
static void print_fitting(struct page *p, struct str text, struct print how) {
    static const struct {
        double size;
        int lines;
    } steps[] = {{3.7, 2}, {3.1, 2}, {2.6, 3}};
    for (size_t i = 0; i < COUNT(steps); i++) {
        how.size = steps[i].size;
        how.lines = steps[i].lines;
        lay_out(p, text, &how);
        if (!pango_layout_is_ellipsized(p->layout)) break;
    }
    print(p, text, how);
}

static double print_fixed(struct page *p, struct label words, struct print how) {
    double w = print(p, str_z(label_in(words, p->lang)), how);
    p->no_font |= pango_layout_get_unknown_glyphs_count(p->layout) > 0;
    return w;
}

/* ---- a card, its corner at 0, 0 ---- */
/* One path filled at once: rectangles filled one by one leave fine white lines between them. */
static void draw_code(struct page *p, const struct qr *q, double x, double y, double size) {
    double module = size / q->width * MM;
    for (int i = 0; i < q->width * q->width; i++) {
        int from = i, end = (i / q->width + 1) * q->width;
        while (i < end && q->dark[i]) i++;
        if (i == from) continue;
        cairo_rectangle(p->cairo, x * MM + from % q->width * module, y * MM + from / q->width * module, (i - from) * module, module);
        i--;
    }
    cairo_set_source_rgb(p->cairo, 0, 0, 0);
    cairo_fill(p->cairo);
}

static void draw_head(struct page *p, const struct card *c) {
    double w = print_fixed(p, title_words, (struct print){.x = 4, .y = 2.1, .w = 40, .size = 5.6, .bold = true});
    print(p, c->kind, (struct print){.x = 6.5 + w, .y = 3.8, .w = 22, .size = 3.8, .bold = true});
    print(p, c->issuer, (struct print){.x = 42, .y = 4.7, .w = 44, .size = 2.7, .grey = 0.25, .right = true});
    cairo_set_source_rgb(p->cairo, 0, 0, 0);
    cairo_rectangle(p->cairo, 4 * MM, 9.6 * MM, 82 * MM, 0.35 * MM);
    cairo_fill(p->cairo);
}

static void draw_words(struct page *p, const struct card *c) {
    const double x = 42, w = 44, label = 2.4, grey = 0.35;
    print_fixed(p, area_words, (struct print){.x = x, .y = 12.5, .w = w, .size = label, .grey = grey});
    print_fitting(p, c->area, (struct print){.x = x, .y = 15.4, .w = w, .bold = true});
    print_fixed(p, valid_words, (struct print){.x = x, .y = 26, .w = w, .size = label, .grey = grey});
    print(p, c->valid, (struct print){.x = x, .y = 28.9, .w = w, .size = 3.2});
    if (c->limit.n) {
        double used = print_fixed(p, limit_words, (struct print){.x = x, .y = 35.2, .w = w, .size = label, .grey = grey});
        print(p, c->limit, (struct print){.x = x + used + 1.6, .y = 34.6, .w = w - used - 1.6, .size = 3.2});
    }
    print_fixed(p, number_words, (struct print){.x = x, .y = 39.9, .w = w, .size = label, .grey = grey});
    print(p, c->number, (struct print){.x = x, .y = 42.6, .w = w, .size = 4.4, .mono = true});
}

static void draw_card(struct page *p, const struct card *c, const struct qr *q) {
    const double size = 2.4, grey = 0.25;
    draw_head(p, c);
    draw_code(p, q, 4.4, 13, 34);
    draw_words(p, c);
    print_fixed(p, promise_words, (struct print){.x = 4.4, .y = 49.2, .w = 42, .size = size, .grey = grey});
    print_fixed(p, lost_words, (struct print){.x = 46, .y = 49.2, .w = 40, .size = size, .grey = grey, .right = true});
}

/* ---- pages ---- */
static void draw_cutting_lines(struct page *p) {
    const double left = (PAGE_W - COLUMNS * CARD_W) / 2.0, top = (PAGE_H - ROWS * CARD_H) / 2.0, dash = 1.2 * MM, past = 4;
    for (int i = 0; i <= COLUMNS; i++) {
        cairo_move_to(p->cairo, (left + i * CARD_W) * MM, (top - past) * MM);
        cairo_rel_line_to(p->cairo, 0, (ROWS * CARD_H + 2 * past) * MM);
    }
    for (int i = 0; i <= ROWS; i++) {
        cairo_move_to(p->cairo, (left - past) * MM, (top + i * CARD_H) * MM);
        cairo_rel_line_to(p->cairo, (COLUMNS * CARD_W + 2 * past) * MM, 0);
    }
    cairo_set_dash(p->cairo, &dash, 1, 0);
    cairo_set_line_width(p->cairo, 0.15 * MM);
    cairo_set_source_rgb(p->cairo, 0.6, 0.6, 0.6);
    cairo_stroke(p->cairo);
}

static void draw_sheet(struct page *p, const struct card *cards, const struct qr *codes, size_t n) {
    draw_cutting_lines(p);
    for (size_t i = 0; i < n; i++) {
        cairo_save(p->cairo);
        cairo_translate(p->cairo, ((PAGE_W - COLUMNS * CARD_W) / 2.0 + (double)(i % COLUMNS) * CARD_W) * MM,
                        ((PAGE_H - ROWS * CARD_H) / 2.0 + (double)(i / COLUMNS) * CARD_H) * MM);
        draw_card(p, &cards[i], &codes[i]);
        cairo_restore(p->cairo);
    }
    cairo_show_page(p->cairo);
}

static PangoLayout *new_layout(void) {
    PangoFontMap *fonts = pango_cairo_font_map_new(); /* the default one stays for the life of a thread */
    PangoContext *context = pango_font_map_create_context(fonts);
    PangoLayout *layout = pango_layout_new(context);
    pango_context_set_language(context, pango_language_from_string("zh-cn"));
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    g_object_unref(context);
    g_object_unref(fonts);
    return layout;
}

static int print_all(const struct card *cards, size_t n, enum lang lang, bool sheets, struct buf *to, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct qr *codes = arena_new(&a, struct qr, n);
    for (size_t i = 0; i < n; i++) TRY(qr_make(&a, cards[i].qr, &codes[i], e));
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(write_to, to, (sheets ? PAGE_W : CARD_W) * MM, (sheets ? PAGE_H : CARD_H) * MM);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, label_in(title_words, lang));
    struct page p = {cairo_create(surface), new_layout(), lang};
    for (size_t i = 0; i < n; i += sheets ? CARDS_ON_SHEET : 1) {
        if (sheets) draw_sheet(&p, cards + i, codes + i, MIN(n - i, CARDS_ON_SHEET));
        else draw_card(&p, &cards[i], &codes[i]);
    }
    g_object_unref(p.layout);
    cairo_destroy(p.cairo);
    cairo_surface_finish(surface);
    bool written = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS && !to->failed;
    cairo_surface_destroy(surface);
    if (p.no_font) return err_set(e, ERR_INTERNAL, NULL, M_NO_FONT, label_in(title_words, lang));
    char most[24];
    snprintf(most, sizeof most, "%zu", to->max);
    return written ? 0 : err_set(e, ERR_TOO_LARGE, NULL, M_BODY_SIZE, most);
}

int cards_sheet(const struct card *cards, size_t n, enum lang lang, struct buf *to, struct err *e) {
    char most[16];
    snprintf(most, sizeof most, "%d", CARDS_MAX);
    if (n == 0 || n > CARDS_MAX) return err_set(e, ERR_INVALID, "cards", M_RANGE, "1", most);
    return print_all(cards, n, lang, true, to, e);
}

int cards_single(const struct card *card, enum lang lang, struct buf *to, struct err *e) {
    return print_all(card, 1, lang, false, to, e);
}
