/* Uploading a table, and getting back the rows that it refused: DIR/imports/ID.OWNER.FORM. */
#include <unistd.h>

#include "api/files.h"
#include "core/import.h"

static const char *const forms[] = {"xlsx", "csv", "tsv"};
static const char *const form_types[] = {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv; charset=utf-8",
                                         "text/tab-separated-values; charset=utf-8"};

/* The form is that of the upload, which is known by its content only. */
static size_t form_of(const char *path) {
    char head[4096] = {0};
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(head, 1, sizeof head - 1, f) : 0;
    if (f) fclose(f);
    if (n > 2 && memcmp(head, "PK", 2) == 0) return 0;
    char *line = strpbrk(head, "\r\n");
    if (line) *line = 0;
    return strchr(head, '\t') ? 2 : 1;
}

static const char *kept_path(struct request *rq, const char *dir, struct id import, const char *form) {
    char a[ID_TEXT], b[ID_TEXT];
    return arena_printf(rq->a, "%s/%s.%s.%s", dir, id_text(import, a), id_text(rq->actor->id, b), form);
}

static int read_options(struct request *rq, struct import_options *o, struct err *e) {
    struct str area = request_query(rq, "area"), dry = request_query(rq, "dry_run");
    const char **map = arena_new(rq->a, const char *, QUERY_MOST);
    *o = (struct import_options){.actor = rq->actor, .lang = rq->lang, .map = map};
    o->dry_run = str_eq(dry, STR("1")) || str_eq(dry, STR("true"));
    if (area.n) {
        const struct area *x;
        TRY(request_area_of(rq, area, "import", "run", &x, e));
        o->area = arena_strz(rq->a, x->code);
    }
    if (request_query(rq, "sheet").n) o->sheet = arena_strz(rq->a, request_query(rq, "sheet"));
    for (size_t i = 0; i < rq->query_n; i++)
        if (str_eqz(rq->query[i].name, "map")) map[o->map_n++] = arena_strz(rq->a, rq->query[i].value);
    return 0;
}

int import_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct import_options options;
    struct import_result r;
    struct id id = id_new(site_now(rq->site));
    struct str name = request_query(rq, "name"), shown = STR_NONE;
    const char *dir;
    char text[ID_TEXT];
    TRY(read_options(rq, &options, e));
    TRY(files_dir(rq, &dir, e));
    options.refused_path = kept_path(rq, dir, id, "new");
    site_reader_done(rq->site, TAKE(rq->db));
    int failed = import_bytes(rq->site, rq->kind, http_body(rq->call), name.n ? arena_strz(rq->a, name) : "upload", &options, rq->a, &r, e);
    sessions_forget(rq->api); /* areas may have come with it */
    TRY(failed);
    if (r.refused_file.n) {
        const char *kept = kept_path(rq, dir, id, forms[form_of(options.refused_path)]);
        if (rename(options.refused_path, kept)) return err_set(e, ERR_IO, NULL, M_FILE, "imports", "");
        shown = str_z(arena_printf(rq->a, "/api/v1/imports/%s/refused", id_text(id, text)));
    }
    import_answer(&r, shown, &o);
    return 0;
}

/* Only who ran the import gets its rows. */
int refused_route(struct request *rq, struct err *e) {
    struct id id;
    const char *dir;
    if (!id_parse(rq->param[0], &id)) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_ROUTE);
    TRY(files_dir(rq, &dir, e));
    for (size_t i = 0; i < COUNT(forms); i++) {
        const char *path = kept_path(rq, dir, id, forms[i]);
        if (access(path, R_OK)) continue;
        files_attach(rq, arena_printf(rq->a, "refused.%s", forms[i]), form_types[i]);
        return files_read(rq, path, e);
    }
    return err_set(e, ERR_NOT_FOUND, NULL, M_NO_ROUTE);
}
