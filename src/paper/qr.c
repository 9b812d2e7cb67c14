#include "paper.h"

#include <qrencode.h>

static bool in_alphabet(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c && strchr(" $%*+-./:", c));
}

static int check_text(struct str text, struct err *e) {
    char most[16];
    snprintf(most, sizeof most, "%d", QR_TEXT_MAX);
    if (text.n == 0) return err_set(e, ERR_INVALID, "text", M_REQUIRED);
    if (text.n > QR_TEXT_MAX) return err_set(e, ERR_INVALID, "text", M_TOO_LONG, most);
    for (size_t i = 0; i < text.n; i++)
        if (!in_alphabet(text.p[i])) return err_set(e, ERR_INVALID, "text", M_TEXT, "0-9 A-Z $ % * + - . / :");
    return 0;
}

int qr_make(struct arena *a, struct str text, struct qr *ret, struct err *e) {
    TRY(check_text(text, e));
    QRinput *in = QRinput_new2(0, QR_ECLEVEL_M);
    INVARIANT(in && QRinput_append(in, QR_MODE_AN, (int)text.n, (const unsigned char *)text.p) == 0);
    QRcode *code = QRcode_encodeInput(in);
    QRinput_free(in);
    INVARIANT(code); /* 1200 characters fit into version 23 */
    size_t n = (size_t)code->width * (size_t)code->width;
    uint8_t *dark = arena_alloc(a, n);
    for (size_t i = 0; i < n; i++) dark[i] = code->data[i] & 1;
    *ret = (struct qr){code->width, code->version, dark};
    QRcode_free(code);
    return 0;
}

static void add_escaped(struct str s, struct buf *to) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '<') buf_addz(to, "&lt;");
        else if (c == '>') buf_addz(to, "&gt;");
        else if (c == '&') buf_addz(to, "&amp;");
        else if ((uint8_t)c >= 0x20) buf_addc(to, c);
    }
}

/* Neighbouring dark modules of a row are one rectangle. */
static void add_row(const struct qr *q, int y, struct buf *to) {
    const uint8_t *row = q->dark + (size_t)y * (size_t)q->width;
    for (int x = 0; x < q->width; x++) {
        int from = x;
        while (x < q->width && row[x]) x++;
        if (x > from) buf_addf(to, "M%d %dh%dv1h-%dz", from + QR_QUIET, y + QR_QUIET, x - from, x - from);
    }
}

void qr_svg(const struct qr *q, struct str title, struct buf *to) {
    int side = q->width + 2 * QR_QUIET;
    buf_addf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" shape-rendering=\"crispEdges\"><title>", side, side);
    add_escaped(title, to);
    buf_addf(to, "</title><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"", side, side);
    for (int y = 0; y < q->width; y++) add_row(q, y, to);
    buf_addz(to, "\"/></svg>");
}
