/* From a call to its handler and back: language, headers, route, session, anti-forgery token, permission, problem details, log line. */
#include "api/request.h"

#include <time.h>

#include "base/log.h"
#include "base/utf8.h"
#include "systems/passes/known.h"

static const int64_t PATIENCE_US = 30 * US_PER_SECOND;
static const char *const JSON_TYPE = "application/json; charset=utf-8", *const PROBLEM_TYPE = "application/problem+json; charset=utf-8";
enum { BULK_MOST = 16 << 20, BULK_UNKNOWN = 64 << 10, BODY_OUT_MOST = 64 << 20 };

/* ---- finding the route ---- */

static bool is_param(struct str part) {
    return part.n > 2 && part.p[0] == '{';
}

/* 0: no match; else higher for the pattern that is more literal from the left. */
static unsigned pattern_matches(const char *pattern, struct str path, struct str param[2]) {
    struct str rest = str_z(pattern), part, here;
    unsigned score = 1;
    size_t n = 0;
    while (str_cut(&rest, '/', &part)) {
        if (!str_cut(&path, '/', &here)) return 0;
        score *= 2;
        if (!is_param(part)) {
            if (!str_eq(part, here)) return 0;
            score++;
        } else if (here.n == 0) {
            return 0;
        } else {
            param[n++] = here;
        }
    }
    return str_cut(&path, '/', &here) ? 0 : score;
}

static const char *route_method(const struct request *rq) {
    return http_method(rq->call) == HTTP_HEAD ? "GET" : http_method_name(rq->call);
}

static void consider(struct request *rq, const struct route *r) {
    struct str param[2] = {STR_NONE, STR_NONE};
    unsigned score = pattern_matches(r->pattern, http_path(rq->call), param);
    if (!score || score < rq->score) return;
    if (score > rq->score) rq->route = NULL;
    rq->score = score;
    memcpy(rq->param, param, sizeof param);
    if (strcmp(r->method, route_method(rq)) == 0) rq->route = r;
}

/* No pattern is more literal than the path itself, so that is looked for first: it is cheap. */
static void find_route(struct request *rq) {
    struct str path = http_path(rq->call);
    const struct route *r;
    for (size_t i = 0; (r = route_at(i)); i++)
        if (str_eqz(path, r->pattern)) consider(rq, r);
    for (size_t i = 0; !rq->score && (r = route_at(i)); i++) consider(rq, r);
}

static bool is_api(const struct request *rq) {
    return str_starts(http_path(rq->call), STR("/api/"));
}

/* Everything that is no route is a file of the browser program. */
static const struct route files_route = {"GET", "/", static_route, PUBLIC, 0, 0, "The browser program"};

static bool media_type_is(const struct request *rq, struct str type) {
    struct str value = http_header(rq->call, "content-type"), first;
    return str_cut(&value, ';', &first) && str_ieq(str_trim(first), type);
}

/* ---- what every answer carries ---- */

#define EVERY "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
#define PAGE "Content-Security-Policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; object-src 'none'; base-uri 'none'; " \
             "frame-ancestors 'none'; form-action 'self'\r\n" \
             "Referrer-Policy: no-referrer\r\n" \
             "Permissions-Policy: camera=(self), microphone=(), geolocation=(), payment=(), usb=()\r\n" \
             "Cross-Origin-Opener-Policy: same-origin\r\n"
/* Whatever data is taken for, it may load and run nothing. */
#define DATA "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nCache-Control: no-store\r\n"

static void add_headers(struct request *rq) {
    http_add_lines(rq->call, rq->route == &files_route ? STR(EVERY PAGE) : STR(EVERY DATA));
    http_add_header(rq->call, "X-Request-Id", rq->id);
    if (rq->api->secure) http_add_header(rq->call, "Strict-Transport-Security", "max-age=31536000");
}

static void read_query(struct request *rq) {
    struct str rest = http_query(rq->call);
    struct param p;
    if (!rest.n) return;
    rq->query = arena_new(rq->a, struct param, QUERY_MOST);
    while (query_next(rq->a, &rest, &p.name, &p.value, &rq->query_bad)) {
        if (rq->query_n == QUERY_MOST) {
            rq->query_bad = true;
            return;
        }
        rq->query[rq->query_n++] = p;
    }
}

struct str request_query(const struct request *rq, const char *name) {
    for (size_t i = 0; i < rq->query_n; i++)
        if (str_eqz(rq->query[i].name, name)) return rq->query[i].value;
    return STR_NONE;
}

static void choose_language(struct request *rq) {
    rq->lang = lang_accept(http_header(rq->call, "accept-language"));
    lang_from(request_query(rq, "lang"), &rq->lang);
}

bool request_head(const struct request *rq) {
    return http_method(rq->call) == HTTP_HEAD;
}

/* ---- letting go, answering ---- */

int request_db(struct request *rq, struct err *e) {
    if (rq->db) return 0;
    return rq->at_once ? err_set(e, ERR_RETRY, NULL, M_NONE) : site_reader(rq->site, &rq->db, e);
}

const struct areas *request_areas(struct request *rq) {
    if (!rq->areas) rq->areas = site_areas(rq->site);
    return rq->areas;
}

void request_release(struct request *rq) {
    admission_leave(rq);
    site_reader_done(rq->site, TAKE(rq->db));
    areas_drop(TAKE(rq->areas));
    signed_in_drop(TAKE(rq->who));
    rq->actor = NULL;
    rq->session = NULL;
}

void request_log(const struct request *rq, int status) {
    bool bad = status >= 500 && status != 503;
    if (!bad && !rq->api->trace) return;
    struct str path = http_path(rq->call);
    log_line(bad ? LOG_ERROR : LOG_INFO, "http", "request=%s method=%s path=%.*s status=%d us=%lld peer=%.*s", rq->id, http_method_name(rq->call),
             STR_FMT(path), status, (long long)(monotonic_us() - http_began(rq->call)), STR_FMT(http_peer(rq->call)));
}

void request_answer(struct request *rq, int status, const char *type, struct str body) {
    request_log(rq, status);
    request_release(rq);
    http_answer(rq->call, status, type, body);
}

/* Who was refused at the same moment is not to come back at the same moment. */
static void retry_after(struct request *rq, const struct err *e) {
    static const char *const seconds[] = {"1", "2", "3"};
    if (e->code == ERR_THROTTLED) http_add_header(rq->call, "Retry-After", e->arg[0][0] ? e->arg[0] : "1");
    else if (e->code == ERR_BUSY || e->code == ERR_RETRY) http_add_header(rq->call, "Retry-After", seconds[http_began(rq->call) % 3]);
}

void request_fail(struct request *rq, const struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    struct json_out o = JSON_OUT(&b);
    struct problem p = {.e = e, .errs = rq->errs, .kind = rq->kind, .lang = rq->lang, .request_id = rq->id, .hint = rq->hint, .more = rq->more};
    int status = err_http(e->code);
    problem_write(&p, &o);
    if (status >= 500 && status != 503)
        log_line(LOG_ERROR, "api", "request=%s code=%s reason=%s field=%s detail=%s", rq->id, err_name(e->code), msg_name(e->msg), e->field, e->arg[0]);
    if (e->code == ERR_UNAUTHENTICATED) http_add_header(rq->call, "WWW-Authenticate", "Bearer");
    retry_after(rq, e);
    request_answer(rq, status, PROBLEM_TYPE, buf_str(&b));
}

/* ---- what stands before a handler ---- */

static int no_route(struct request *rq, struct err *e) {
    struct buf allow CLEANUP(buf_release) = BUF(200);
    struct str param[2];
    const struct route *r;
    if (!rq->score) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_ROUTE);
    for (size_t i = 0; (r = route_at(i)); i++) {
        if (pattern_matches(r->pattern, http_path(rq->call), param) != rq->score) continue;
        buf_addf(&allow, "%s%s%s", allow.n ? ", " : "", r->method, strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
    }
    http_add_header(rq->call, "Allow", allow.p ? allow.p : "");
    return err_set(e, ERR_METHOD, NULL, M_NONE);
}

static bool is_safe(const struct request *rq) {
    return http_method(rq->call) == HTTP_GET || http_method(rq->call) == HTTP_HEAD;
}

static int check_csrf(struct request *rq, struct err *e) {
    struct str sent = http_header(rq->call, "x-csrf-token"), want = rq->session->csrf;
    if (is_safe(rq) || rq->session->token) return 0;
    if (sent.n == want.n && want.n && same_bytes(sent.p, want.p, want.n)) return 0;
    return err_set(e, ERR_FORBIDDEN, NULL, M_CSRF);
}

static int find_kind(struct request *rq, struct err *e) {
    struct buf known CLEANUP(buf_release) = BUF(2000);
    const struct kind *k;
    rq->kind = kind_by_name(rq->param[0]);
    if (rq->kind) return 0;
    for (size_t i = 0; (k = kind_at(i)); i++)
        if (!(k->flags & KIND_ADMIN)) buf_addf(&known, "%s%s", known.n ? ", " : "", k->name);
    return err_set(e, ERR_NOT_FOUND, NULL, M_NO_KIND, arena_strz(rq->a, rq->param[0]), known.p ? known.p : "");
}

int request_forbidden(struct request *rq, const char *kind, const char *verb, struct err *e) {
    if (permit_anywhere(rq->actor, kind, verb)) return err_set(e, ERR_FORBIDDEN, "area", M_OUTSIDE_AREA);
    return err_set(e, ERR_FORBIDDEN, NULL, M_NOT_ALLOWED, arena_printf(rq->a, "%s.%s", kind, verb));
}

static int check_needs(struct request *rq, struct err *e) {
    struct str verb = str_z(rq->route->needs), of;
    TRY(sessions_enter(rq, e));
    TRY(check_csrf(rq, e));
    if (str_starts(str_z(rq->route->pattern), STR("/api/v1/{kind}"))) TRY(find_kind(rq, e));
    if (str_eq(verb, STR(SESSION))) return 0;
    INVARIANT(str_cut(&verb, '.', &of));
    const char *kind = is_param(of) ? rq->kind->name : arena_strz(rq->a, of);
    if (permit_anywhere(rq->actor, kind, verb.p)) return 0;
    return request_forbidden(rq, kind, verb.p, e);
}

static bool many_commands(const struct request *rq) {
    return rq->route && rq->route->flags & R_MANY && media_type_is(rq, STR("application/x-ndjson"));
}

static int run_long(struct request *rq, struct err *e) {
    struct api *api = rq->api;
    bool room = atomic_fetch_add(&api->long_runs, 1) < LONG_MOST;
    int r = room ? rq->route->run(rq, e) : err_set(e, ERR_BUSY, NULL, M_QUEUE_FULL);
    atomic_fetch_sub(&api->long_runs, 1);
    return r;
}

static int run(struct request *rq, struct err *e) {
    if (atomic_load(&rq->api->stopping)) return err_set(e, ERR_BUSY, NULL, M_SHUTTING_DOWN);
    if (!rq->route) return no_route(rq, e);
    if (rq->turned_away) {
        *e = rq->refusal;
        return -1;
    }
    if (rq->query_bad) return err_set(e, ERR_BAD_REQUEST, "query", M_QUERY);
    if (rq->route->needs[0]) TRY(check_needs(rq, e));
    if (rq->route->flags & R_JSON && !media_type_is(rq, STR("application/json"))) return err_set(e, ERR_MEDIA_TYPE, NULL, M_MEDIA_TYPE, "application/json");
    bool many = many_commands(rq);
    if (rq->route->flags & R_MANY && !many) TRY(admission_enter(rq, e));
    int r = rq->route->flags & R_LONG || many ? run_long(rq, e) : rq->route->run(rq, e);
    if (r == 0 && rq->out->failed) return err_set(e, ERR_TOO_LARGE, NULL, M_NONE);
    return r;
}

/* ---- the server's side ---- */

/* Who is unknown sends no large bodies. */
static size_t body_limit(struct request *rq, bool bulk) {
    struct err e;
    size_t most = bulk ? BULK_MOST : rq->route ? rq->route->body : BULK_UNKNOWN;
    int64_t length = http_length(rq->call);
    if (most <= BULK_UNKNOWN || (length >= 0 && length <= BULK_UNKNOWN)) return most;
    /* A database that is away for a moment: the worker asks again. */
    bool known = sessions_enter(rq, &e) == 0 || e.code == ERR_RETRY;
    request_release(rq);
    return known ? most : BULK_UNKNOWN;
}

/* A short body is read so that the connection can go on; a long one is not waited for, nor is a worker. */
static void ask_at_the_door(struct request *rq, bool *ret_slow) {
    int64_t length = http_length(rq->call);
    if (admission_ask(rq, &rq->refusal) == 0) return;
    rq->turned_away = true;
    *ret_slow = false;
    if (length >= 0 && length <= BULK_UNKNOWN) return;
    http_close(rq->call);
    request_fail(rq, &rq->refusal);
}

static size_t on_route(void *app, struct http_call *c, bool *ret_slow) {
    struct api *api = app;
    struct arena *a = http_arena(c);
    struct request *rq = arena_new(a, struct request, 1);
    *rq = (struct request){.api = api, .site = api->site, .call = c, .a = a, .status = 200, .type = JSON_TYPE};
    http_set_data(c, rq);
    id_text(id_new(clock_now(&(struct clock){0})), rq->id);
    read_query(rq);
    choose_language(rq);
    find_route(rq);
    if (!rq->score && !is_api(rq) && is_safe(rq)) rq->route = &files_route;
    add_headers(rq);
    bool many = many_commands(rq);
    bool file = rq->route == &files_route;
    rq->bulk = many || (rq->route && rq->route->flags & R_BYTES);
    bool at_once = rq->route && rq->route->flags & R_MANY && !many && site_shared(api->site);
    *ret_slow = rq->route && (many || rq->route->flags & R_SLOW || (file ? api->assets_dir[0] : site_shared(api->site) && !at_once));
    if (*ret_slow && rq->bulk) ask_at_the_door(rq, ret_slow);
    size_t limit = body_limit(rq, many);
    rq->at_once = at_once;
    return limit;
}

/* RETRY says that nothing was done. */
static void start_over(struct request *rq, size_t headers) {
    request_release(rq);
    buf_clear(rq->out);
    http_headers_back(rq->call, headers);
    rq->errs = NULL;
    rq->status = 200;
    rq->type = JSON_TYPE;
}

/* A server that is away for a moment costs the caller a delay. */
static int run_patiently(struct request *rq, struct err *e) {
    bool patient = site_shared(rq->site) && rq->route && !(rq->route->flags & R_NOW);
    int64_t until = monotonic_us() + (patient ? PATIENCE_US : 0);
    size_t headers = http_headers_mark(rq->call);
    for (;;) {
        int r = run(rq, e);
        if (r != -1 || e->code != ERR_RETRY || monotonic_us() > until) return r;
        start_over(rq, headers);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
}

static void on_call(void *app UNUSED, struct http_call *c) {
    struct request *rq = http_data(c);
    struct buf out CLEANUP(buf_release) = BUF(BODY_OUT_MOST);
    size_t headers = http_headers_mark(c);
    struct err e;
    rq->out = &out;
    int r = rq->at_once ? run(rq, &e) : run_patiently(rq, &e);
    if (r == API_LATER) return;
    if (r && rq->at_once && e.code == ERR_RETRY) {
        start_over(rq, headers);
        rq->at_once = false;
        if (admission_ask(rq, &e) == 0) {
            http_hand_over(c);
            return;
        }
    }
    if (r) request_fail(rq, &e);
    else request_answer(rq, rq->status, rq->status == 204 || rq->status == 304 ? NULL : rq->type, buf_str(&out));
}

/* ---- reading a request ---- */

int request_json(struct request *rq, const char *const *allowed, struct json **ret, struct err *e) {
    struct json *j;
    TRY(json_parse(rq->a, http_body(rq->call), NULL, &j, e));
    if (j->type != JSON_OBJECT) return err_set(e, ERR_BAD_REQUEST, NULL, M_TYPE_OBJECT);
    for (const struct json *m = j->first; m; m = m->next) {
        size_t i = 0;
        while (allowed[i] && !str_eqz(m->key, allowed[i])) i++;
        if (!allowed[i]) return err_set(e, ERR_INVALID, arena_strz(rq->a, utf8_fit(m->key, 47)), M_UNKNOWN_FIELD);
    }
    *ret = j;
    return 0;
}

int request_limit(struct request *rq, size_t *ret, struct err *e) {
    struct str s = request_query(rq, "limit");
    int64_t n = LIST_LIMIT;
    if (s.p && !str_to_int(s, 1, LIST_LIMIT_MOST, &n)) return err_set(e, ERR_INVALID, "limit", M_RANGE, "1", "500");
    *ret = (size_t)n;
    return 0;
}

static int highest_area(struct request *rq, const char *kind, const char *verb, const struct area **ret, struct err *e) {
    const struct areas *t = request_areas(rq);
    struct str *ranges;
    size_t n = permit_ranges(rq->actor, rq->a, kind, verb, STR(""), &ranges);
    if (n == 0) return request_forbidden(rq, kind, verb, e);
    *ret = ranges[0].n ? areas_by_path(t, ranges[0]) : t->n ? &t->all[0] : NULL;
    return *ret ? 0 : err_set(e, ERR_NOT_FOUND, "area", M_NO_RECORD, "", label_in((struct label){"区域", "area"}, rq->lang));
}

int request_area_of(struct request *rq, struct str code, const char *kind, const char *verb, const struct area **ret, struct err *e) {
    if (code.n == 0) return highest_area(rq, kind, verb, ret, e);
    const struct areas *t = request_areas(rq);
    const struct area *x = areas_by_code(t, code);
    struct id id;
    if (!x && id_parse(code, &id)) x = areas_by_id(t, id);
    if (!x) return err_set(e, ERR_INVALID, "area", M_NO_RECORD, arena_strz(rq->a, code), label_in((struct label){"区域", "area"}, rq->lang));
    if (!permit_may(rq->actor, kind, verb, x->path)) return request_forbidden(rq, kind, verb, e);
    *ret = x;
    return 0;
}

int request_area(struct request *rq, const char *kind, const char *verb, const struct area **ret, struct err *e) {
    return request_area_of(rq, request_query(rq, "area"), kind, verb, ret, e);
}

static int query_day(struct request *rq, const char *name, day_t *ret, struct err *e) {
    struct str s = request_query(rq, name);
    if (s.n && !day_from_iso(s, ret)) return err_set(e, ERR_INVALID, name, M_TYPE_DATE);
    return 0;
}

int request_period(struct request *rq, day_t *ret_from, day_t *ret_to, struct err *e) {
    enum { DAYS_MOST = 3660 };
    day_t on = site_today(rq->site), from, to;
    char text[DAY_TEXT];
    TRY(query_day(rq, "on", &on, e));
    from = to = on;
    TRY(query_day(rq, "to", &to, e));
    if (!request_query(rq, "from").n) from = to;
    TRY(query_day(rq, "from", &from, e));
    if (to < from) return err_set(e, ERR_INVALID, "to", M_BEFORE, day_text(from, text));
    if (to - from >= DAYS_MOST) return err_set(e, ERR_INVALID, "to", M_RANGE, "1", "3660");
    *ret_from = from;
    *ret_to = to;
    return 0;
}

/* ---- starting and stopping ---- */

static int open_assets(struct api *api, const char *dir, struct err *e) {
    char *real = realpath(dir, NULL);
    if (!real) return err_set(e, ERR_NOT_FOUND, NULL, M_FILE, dir, "");
    snprintf(api->assets_dir, sizeof api->assets_dir, "%s", real);
    free(real);
    return 0;
}

static void api_free(struct api *api) {
    feed_free(api->feed);
    passes_known_free(api->passes);
    sessions_release(api);
    pthread_mutex_destroy(&api->lock);
    free(api);
}

int api_start(struct site *s, const struct api_options *o, struct api **ret, struct err *e) {
    struct api *api = calloc(1, sizeof *api);
    INVARIANT(api);
    api->site = s;
    api->secure = o->tls_cert != NULL;
    api->trace = log_traced("http");
    api->began_us = monotonic_us();
    api->passes = passes_known_new(s);
    pthread_mutex_init(&api->lock, NULL);
    random_bytes(&api->admission.seed, sizeof api->admission.seed);
    int hasty = (int)MIN(fault_asked("hasty"), INT64_C(60000));
    struct http_options h = {.address = o->address ? o->address : "127.0.0.1", .port = o->port, .threads = o->threads ? o->threads : 2,
                             .workers = o->workers ? o->workers : WORKERS, .max_connections = o->max_connections, .head_timeout_ms = hasty, .body_timeout_ms = hasty,
                             .write_timeout_ms = hasty, .idle_timeout_ms = hasty, .tls_cert = o->tls_cert,
                             .tls_key = o->tls_key, .app = api, .route = on_route, .handle = on_call, .refuse = problem_refuse};
    int r = o->assets_dir ? open_assets(api, o->assets_dir, e) : 0;
    if (r == 0) r = (api->feed = feed_start(api, e)) ? 0 : -1;
    if (r == 0) r = http_start(&h, &api->http, e);
    if (r) {
        feed_stop(api->feed);
        api_free(api);
        return -1;
    }
    writer_around_answers(s, http_gather);
    *ret = api;
    return 0;
}

int api_port(const struct api *api) {
    return http_port(api->http);
}

/* Commands handed to the writer are answered by it, so they are waited for before their calls are taken away. */
void api_stop(struct api *api) {
    static const int64_t GRACE_US = 5 * US_PER_SECOND;
    atomic_store(&api->stopping, true);
    feed_stop(api->feed);
    while (atomic_load(&api->later)) nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    writer_around_answers(api->site, NULL);
    http_stop(api->http, GRACE_US);
    api_free(api);
}
