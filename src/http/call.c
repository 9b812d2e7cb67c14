/* What a handler can ask of a call. */
#include "http/server.h"

#include "http/internal.h"

struct arena *http_arena(struct http_call *c) {
    return &c->arena;
}

enum http_method http_method(const struct http_call *c) {
    return c->head.method;
}

const char *http_method_name(const struct http_call *c) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return c->head.method == HTTP_OTHER ? c->head.method_name.p : names[c->head.method];
}

struct str http_path(const struct http_call *c) {
    return c->head.path;
}

struct str http_query(const struct http_call *c) {
    return c->head.query;
}

struct str http_header(const struct http_call *c, const char *name) {
    struct str wanted = str_z(name);
    for (size_t i = 0; i < c->head.field_count; i++)
        if (str_ieq(c->head.fields[i].name, wanted)) return c->head.fields[i].value;
    return STR_NONE;
}

static struct str cookie_in(struct str value, struct str wanted) {
    struct str part;
    while (value.n && str_cut(&value, ';', &part)) {
        while (part.n && part.p[0] == ' ') part = str_sub(part, 1, part.n);
        if (part.n > wanted.n && str_starts(part, wanted) && part.p[wanted.n] == '=') return str_sub(part, wanted.n + 1, part.n);
    }
    return STR_NONE;
}

struct str http_cookie(struct http_call *c, const char *name) {
    for (size_t i = 0; i < c->head.field_count; i++) {
        if (!str_ieq(c->head.fields[i].name, STR("cookie"))) continue;
        struct str found = cookie_in(c->head.fields[i].value, str_z(name));
        if (found.p) return found;
    }
    return STR_NONE;
}

int64_t http_length(const struct http_call *c) {
    return c->head.chunked ? -1 : MAX(c->head.length, 0);
}

struct str http_body(const struct http_call *c) {
    return buf_str(&c->body);
}

struct str http_peer(const struct http_call *c) {
    return str_z(c->conn->peer);
}

bool http_secure(const struct http_call *c) {
    return c->loop->server->tls != NULL;
}

int64_t http_began(const struct http_call *c) {
    return c->began;
}

void *http_data(struct http_call *c) {
    return c->data;
}

void http_set_data(struct http_call *c, void *data) {
    c->data = data;
}

void http_add_header(struct http_call *c, const char *name, const char *value) {
    INVARIANT(!c->answer && !c->stream);
    INVARIANT(name[0] && !strpbrk(name, "\r\n: ") && !strpbrk(value, "\r\n"));
    buf_addz(&c->extra, name);
    buf_add(&c->extra, ": ", 2);
    buf_addz(&c->extra, value);
    buf_add(&c->extra, "\r\n", 2);
    INVARIANT(!c->extra.failed);
}

void http_close(struct http_call *c) {
    INVARIANT(!c->answer && !c->stream);
    c->close_after = true;
}

void http_add_lines(struct http_call *c, struct str lines) {
    INVARIANT(!c->answer && !c->stream && str_ends(lines, STR("\r\n")));
    buf_add_str(&c->extra, lines);
    INVARIANT(!c->extra.failed);
}

size_t http_headers_mark(const struct http_call *c) {
    return c->extra.n;
}

void http_headers_back(struct http_call *c, size_t mark) {
    INVARIANT(!c->answer && !c->stream && mark <= c->extra.n);
    c->extra.n = mark;
}
