/* A cursor is base64url of "PHASE|PATH|ID|TEXT".  It gives no rights: the ranges of a list are taken from the caller's permissions each time. */
#include "api/request.h"

#include "base/utf8.h"

struct str cursor_text(struct arena *a, const struct cursor *c) {
    struct buf b CLEANUP(buf_release) = BUF(8192);
    char id[ID_TEXT];
    const char *plain = arena_printf(a, "%c|%.*s|%s|%.*s", c->phase, STR_FMT(c->path), id_text(c->id, id), STR_FMT(c->text));
    base64url_add(&b, plain, strlen(plain));
    return arena_str(a, buf_str(&b));
}

static bool is_path(struct str s) {
    if (s.n >= AREA_PATH) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'z')) return false;
    return true;
}

int cursor_parse(struct arena *a, struct str s, const char *phases, struct cursor *ret, struct err *e) {
    struct str plain, phase, path, id;
    struct cursor c = {.phase = 0};
    bool good = s.n < 4096 && base64url_parse(a, s, &plain) && plain.n && utf8_valid(plain) && str_cut(&plain, '|', &phase) && phase.n == 1 &&
                strchr(phases, phase.p[0]) && str_cut(&plain, '|', &path) && is_path(path) && str_cut(&plain, '|', &id) && id_parse(id, &c.id);
    if (!good) return err_set(e, ERR_INVALID, "after", M_CURSOR);
    c.phase = phase.p[0];
    c.path = path;
    c.text = plain.p ? plain : STR("");
    *ret = c;
    return 0;
}
