/* What is printed: QR codes and cards of passes, as SVG and PDF, by libqrencode and pango + cairo.
 *
 * The font is WenQuanYi Micro Hei (package fonts-wqy-microhei) or what fontconfig has in its place.  A rare character that no font has
 * is drawn as a box; when the fixed words of a card cannot be drawn, nothing is printed.  Any thread may print. */
#ifndef PAPER_H
#define PAPER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/lang.h"

/* ---- QR codes: level M (15 % may be lost), all of the text in alphanumeric mode ---- */
enum { QR_TEXT_MAX = 1200, QR_QUIET = 4 };
struct qr {
    int width, version;      /* modules of a side, without the quiet zone; 21 to 177 */
    const uint8_t *dark;     /* width * width, row by row, 0 or 1; lives in the arena */
};
/* INVALID (field "text"): empty, longer than QR_TEXT_MAX, or with a character that is not of 0-9 A-Z space $ % * + - . / : */
int qr_make(struct arena *a, struct str text, struct qr *ret, struct err *e);
/* An <svg> with the quiet zone, one unit a module, no styles and no scripts; `title` is what a screen reader says. */
void qr_svg(const struct qr *q, struct str title, struct buf *to);

/* ---- cards of passes ---- */
struct card {
    struct str qr;     /* the text of the code */
    struct str issuer; /* who issues it, in words: 吉县疫情防控指挥部 */
    struct str kind;   /* 住户 */
    struct str area;   /* where it is valid, in words; about 50 characters are shown */
    struct str number; /* to type when the code cannot be read */
    struct str valid;  /* 2020-02-10 至 2020-03-09 */
    struct str limit;  /* 每 2 天外出 1 次; may be empty */
};
enum { CARDS_ON_SHEET = 10, CARDS_MAX = 2000 };
/* A4 sheets with ten cards of 90 x 54 mm and lines to cut along; the code is 34 mm wide.  Appends a PDF; a sheet takes about 130 KB.
 * Texts that are too long are cut with an ellipsis.
 * Errors: those of qr_make; INVALID when there is no card or more than CARDS_MAX; TOO_LARGE when `to` is full; INTERNAL with M_NO_FONT. */
int cards_sheet(const struct card *cards, size_t n, enum lang lang, struct buf *to, struct err *e);
/* One card on a page of its own size, to print larger or to show on a phone. */
int cards_single(const struct card *card, enum lang lang, struct buf *to, struct err *e);

#endif
