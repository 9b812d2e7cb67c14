/* What went wrong, for whom, and how to say it.
 *
 * Functions that can fail return 0 or -1 and take `struct err *e` last; ret_ parameters are written on success only.
 * An error is a code (what kind: HTTP status, exit code), the field it is about (its name in the kind table, or NULL)
 * and a message from messages.inc with up to three arguments.  The edge renders it in the caller's language. */
#ifndef ERR_H
#define ERR_H

#include "lang.h"

#define E(name, http, exit_code, zh, en) ERR_##name,
enum err_code { ERR_NONE,
#include "errors.inc"
    ERR__COUNT };
#undef E

#define M(name, zh, en) M_##name,
enum msg_id { M_NONE,
#include "messages.inc"
    M__COUNT };
#undef M

struct err {
    enum err_code code;
    enum msg_id msg;
    char field[48];
    char arg[3][80]; /* UTF-8, cut at a character */
};

/* Always returns -1.  The arguments are C strings; they fill {1} {2} {3} of the message. */
#define err_set(e, code, field, ...) err_fill((e), (code), (field), ERR_ARGS_(__VA_ARGS__, NULL, NULL, NULL))
#define ERR_ARGS_(msg, a, b, c, ...) (msg), (const char *[]){(a), (b), (c)}
int err_fill(struct err *e, enum err_code code, const char *field, enum msg_id msg, const char *const arg[3]);

const char *err_name(enum err_code code); /* "invalid", as the API says it */
int err_http(enum err_code code);
int err_exit(enum err_code code);
const char *err_title(enum err_code code, enum lang lang);
const char *msg_name(enum msg_id msg); /* "range", stable for programs */
/* The message with its arguments in that language, without the field. */
struct buf;
void err_text(const struct err *e, enum lang lang, struct buf *to);

#endif
