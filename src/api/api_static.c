/* The browser program: from inside the executable, or from a folder during development. */
#include "api/request.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/assets.h"

static int not_there(struct err *e) {
    return err_set(e, ERR_NOT_FOUND, NULL, M_NO_ROUTE);
}

/* Does the Accept-Encoding header take this coding (q above 0)? */
static bool accepts(struct str header, struct str coding) {
    struct str part, name;
    while (str_cut(&header, ',', &part)) {
        double q = 1;
        if (!str_cut(&part, ';', &name) || !str_ieq(str_trim(name), coding)) continue;
        struct str weight = str_trim(part);
        if (weight.n && (!str_starts(weight, STR("q=")) || !str_to_real(str_sub(weight, 2, weight.n), 0, 1, &q))) return false;
        return q > 0;
    }
    return false;
}

static bool etag_listed(struct str header, const char *etag) {
    struct str part;
    while (str_cut(&header, ',', &part)) {
        part = str_trim(part);
        if (str_starts(part, STR("W/"))) part = str_sub(part, 2, part.n);
        if (str_eqz(part, etag) || str_eq(part, STR("*"))) return true;
    }
    return false;
}

/* ---- inside the program ---- */

/* Each coding is a representation of its own, so its tag differs. */
static const char *etag_of(struct request *rq, const struct asset *x, const char *coding) {
    struct str plain = str_z(x->etag);
    if (!coding) return x->etag;
    return arena_printf(rq->a, "%.*s-%s\"", (int)plain.n - 1, x->etag, coding);
}

static int answer_asset(struct request *rq, const struct asset *x) {
    struct str accept = http_header(rq->call, "accept-encoding");
    const struct asset_bytes *b = &x->raw;
    const char *coding = NULL;
    if (x->gz.p && accepts(accept, STR("gzip"))) b = &x->gz, coding = "gzip";
    if (x->br.p && accepts(accept, STR("br"))) b = &x->br, coding = "br";
    const char *etag = etag_of(rq, x, coding);
    bool same = etag_listed(http_header(rq->call, "if-none-match"), etag);
    http_add_header(rq->call, "ETag", etag);
    http_add_header(rq->call, "Cache-Control", x->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (x->gz.p || x->br.p) http_add_header(rq->call, "Vary", "Accept-Encoding");
    if (coding && !same) http_add_header(rq->call, "Content-Encoding", coding);
    int status = same ? 304 : 200;
    request_log(rq, status);
    request_release(rq);
    http_answer_static(rq->call, status, same ? NULL : x->mime, same ? STR_NONE : (struct str){(const char *)b->p, b->n});
    return API_LATER;
}

static int embedded(struct request *rq, struct str path, struct err *e) {
    const struct asset *x = asset_find(path);
    if (str_eq(path, STR("/"))) {
        x = asset_find(STR("/hq.html"));
        if (!x) x = asset_find(STR("/index.html"));
    }
    return x ? answer_asset(rq, x) : not_there(e);
}

/* ---- from a folder ---- */

static const char *mime_of(struct str path) {
    static const struct {
        const char *end, *mime;
    } types[] = {{".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".mjs", "text/javascript; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"}, {".json", "application/json"}, {".svg", "image/svg+xml"}, {".png", "image/png"},
                 {".webp", "image/webp"}, {".ico", "image/x-icon"}, {".woff2", "font/woff2"}, {".wasm", "application/wasm"},
                 {".webmanifest", "application/manifest+json"}, {".txt", "text/plain; charset=utf-8"}};
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_ends(path, str_z(types[i].end))) return types[i].mime;
    return "application/octet-stream";
}

/* Links may not lead out of the folder. */
static int open_inside(struct request *rq, struct str path) {
    const char *dir = rq->api->assets_dir, *wanted = arena_printf(rq->a, "%s%.*s", dir, STR_FMT(path));
    char *real = realpath(wanted, NULL);
    size_t n = strlen(dir);
    int fd = -1;
    if (real && strncmp(real, dir, n) == 0 && real[n] == '/') fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    free(real);
    return fd;
}

static bool read_file(int fd, struct buf *to) {
    enum { MOST = 32 << 20, PIECE = 65536 };
    struct stat st;
    char *room;
    ssize_t n = -1;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > MOST) return false;
    while ((room = buf_room(to, PIECE)) && (n = read(fd, room, PIECE)) > 0) buf_grew(to, (size_t)n);
    return n == 0;
}

static int from_folder(struct request *rq, struct str path, struct err *e) {
    bool root = str_eq(path, STR("/"));
    struct str name = root ? STR("/hq.html") : path;
    int fd = open_inside(rq, name);
    if (fd < 0 && root) fd = open_inside(rq, STR("/index.html"));
    if (fd < 0) return not_there(e);
    bool read_all = read_file(fd, rq->out);
    close(fd);
    if (!read_all) return not_there(e);
    http_add_header(rq->call, "Cache-Control", "no-cache");
    rq->type = mime_of(name);
    return 0;
}

int static_route(struct request *rq, struct err *e) {
    struct str path = http_path(rq->call);
    return rq->api->assets_dir[0] ? from_folder(rq, path, e) : embedded(rq, path, e);
}
