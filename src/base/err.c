#include "err.h"

#include "buf.h"
#include "utf8.h"

static const struct {
    const char *name;
    int http, exit_code;
    struct label title;
} codes[ERR__COUNT] = {
#define E(name, http, exit_code, zh, en) [ERR_##name] = {#name, http, exit_code, {zh, en}},
#include "errors.inc"
#undef E
};

static const struct {
    const char *name;
    struct label text;
} messages[M__COUNT] = {
#define M(name, zh, en) [M_##name] = {#name, {zh, en}},
#include "messages.inc"
#undef M
};

static void put_fit(char *to, size_t cap, const char *z) {
    struct str fit = utf8_fit(str_z(z), cap - 1);
    memcpy(to, fit.p, fit.n);
}

int err_fill(struct err *e, enum err_code code, const char *field, enum msg_id msg, const char *const arg[3]) {
    struct err made = {.code = code, .msg = msg}; /* field and arguments may point into *e */
    if (field) put_fit(made.field, sizeof made.field, field);
    for (int i = 0; i < 3 && arg[i]; i++) put_fit(made.arg[i], sizeof made.arg[i], arg[i]);
    *e = made;
    return -1;
}

const char *err_name(enum err_code code) {
    return code == ERR_NONE ? "NONE" : codes[code].name;
}

int err_http(enum err_code code) {
    return codes[code].http;
}

int err_exit(enum err_code code) {
    return codes[code].exit_code;
}

const char *err_title(enum err_code code, enum lang lang) {
    return label_in(codes[code].title, lang);
}

const char *msg_name(enum msg_id msg) {
    return msg == M_NONE ? "NONE" : messages[msg].name;
}

void err_text(const struct err *e, enum lang lang, struct buf *to) {
    if (e->msg == M_NONE) return;
    for (const char *p = label_in(messages[e->msg].text, lang); *p; p++) {
        if (p[0] == '{' && p[1] >= '1' && p[1] <= '3' && p[2] == '}') {
            buf_addz(to, e->arg[p[1] - '1']);
            p += 2;
        } else {
            buf_addc(to, *p);
        }
    }
}
