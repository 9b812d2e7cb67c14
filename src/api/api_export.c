/* Records of a kind as a file, streamed.  What goes wrong before the first byte is a problem as anywhere; after it the body is cut off, so that
 * nobody takes half a table for a whole one. */
#include "api/files.h"
#include "core/export.h"

struct sending {
    struct request *rq;
    const char *name, *type;
    bool begun;
};

static void begin(struct sending *s) {
    files_attach(s->rq, s->name, s->type);
    request_log(s->rq, 200);
    http_stream(s->rq->call, 200, s->type);
    s->begun = true;
}

static int send_piece(void *arg, const void *p, size_t n, struct err *e) {
    struct sending *s = arg;
    if (!s->begun) begin(s);
    return http_stream_write(s->rq->call, (struct str){p, n}) ? 0 : err_set(e, ERR_IO, NULL, M_TEXT, "the reader has gone");
}

static int end(struct sending *s, int failed) {
    struct http_call *c = s->rq->call;
    request_release(s->rq);
    if (failed) http_stream_abort(c);
    else http_stream_end(c);
    return API_LATER;
}

int export_route(struct request *rq, struct err *e) {
    static const char *const ends[] = {[EXPORT_CSV] = "csv", [EXPORT_TSV] = "tsv", [EXPORT_XLSX] = "xlsx", [EXPORT_NDJSON] = "ndjson"};
    struct sending s = {.rq = rq};
    struct export_options o = {.actor = rq->actor, .lang = rq->lang, .format = EXPORT_CSV, .write = send_piece, .arg = &s};
    struct str format = request_query(rq, "format"), area = request_query(rq, "area");
    const struct area *x;
    char day[DAY_TEXT];
    int64_t rows;
    if (format.n && !export_format_from(format, &o.format))
        return err_set(e, ERR_INVALID, "format", M_CODE, arena_strz(rq->a, format), "csv, tsv, xlsx, json");
    if (area.n) {
        TRY(request_area_of(rq, area, rq->kind->name, "read", &x, e));
        o.area = arena_strz(rq->a, x->code);
    }
    s.type = export_media_type(o.format);
    s.name = arena_printf(rq->a, "%s-%s.%s", rq->kind->name, day_text(site_today(rq->site), day), ends[o.format]);
    site_reader_done(rq->site, TAKE(rq->db)); /* the export reads a snapshot of its own */
    int failed = request_head(rq) ? 0 : export_kind(rq->site, rq->kind, &o, &rows, e);
    if (s.begun) return end(&s, failed);
    if (!failed) files_attach(rq, s.name, s.type);
    return failed;
}
