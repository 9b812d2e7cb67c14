/* The brief of an area and a day or period as text, JSON, HTML or XLSX. */
#include <unistd.h>

#include "api/files.h"
#include "systems/bulletin/brief.h"

static int write_xlsx(struct request *rq, const struct brief *b, struct err *e) {
    const char *dir;
    char id[ID_TEXT];
    TRY(files_dir(rq, &dir, e));
    const char *path = arena_printf(rq->a, "%s/%s.xlsx", dir, id_text(id_new(site_now(rq->site)), id));
    int r = brief_xlsx(b, rq->lang, path, e);
    if (r == 0) r = files_read(rq, path, e);
    unlink(path);
    return r;
}

int brief_route(struct request *rq, struct err *e) {
    static const char *const ends[] = {"txt", "json", "html", "xlsx"};
    struct str format = request_query(rq, "format");
    enum brief_format f = BRIEF_TEXT;
    const struct area *x;
    struct brief b;
    day_t from, to;
    char day[DAY_TEXT];
    if (format.n && !brief_format_from(format, &f)) return err_set(e, ERR_INVALID, "format", M_CODE, arena_strz(rq->a, format), "text, json, html, xlsx");
    TRY(request_area(rq, "figure", "read", &x, e));
    TRY(request_period(rq, &from, &to, e));
    TRY(request_db(rq, e));
    TRY(brief_make(rq->db, rq->site, rq->a, x, from, to, &b, e));
    rq->type = brief_media_type(f);
    switch (f) {
    case BRIEF_TEXT: brief_text(&b, rq->lang, rq->out); return 0;
    case BRIEF_JSON: brief_json(&b, rq->lang, rq->out); return 0;
    case BRIEF_HTML: brief_html(&b, rq->lang, rq->out); break;
    case BRIEF_XLSX: TRY(write_xlsx(rq, &b, e)); break;
    }
    /* The page brings its own styles, which the policy of this address does not let through: it is for keeping. */
    files_attach(rq, arena_printf(rq->a, "brief-%s.%s", day_text(to, day), ends[f]), rq->type);
    return 0;
}
