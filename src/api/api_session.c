/* Who is calling.  A session found in the database is kept for a second and shared by the requests that bring the same token: a
 * gate that sends a thousand scans a second costs one look-up.  Anything that may change what somebody may do starts a new generation,
 * which ends all of them at once in this process; another process is heard within the second. */
#include "api/request.h"

#include "api/fields.h"
#include "core/core_stmts.h"
#include "version.h"

static const int64_t KEPT_US = US_PER_SECOND;

struct signed_in {
    struct session session;
    struct arena a;
    _Atomic int refs;
    int64_t loaded_us;
    uint64_t generation;
    char token[TOKEN_TEXT];
};

void signed_in_drop(struct signed_in *w) {
    if (!w || atomic_fetch_sub(&w->refs, 1) > 1) return;
    arena_release(&w->a);
    free(w);
}

struct str signed_in_token(const struct signed_in *w) {
    return str_z(w->token);
}

void sessions_forget(struct api *api) {
    atomic_fetch_add(&api->generation, 1);
}

void sessions_release(struct api *api) {
    for (size_t i = 0; i < SESSION_SLOTS; i++) signed_in_drop(TAKE(api->sessions[i]));
}

static struct signed_in **slot_of(struct api *api, struct str token) {
    return &api->sessions[str_hash(token) % SESSION_SLOTS];
}

static struct signed_in *find_kept(struct api *api, struct str token) {
    pthread_mutex_lock(&api->lock);
    struct signed_in *w = *slot_of(api, token);
    bool good = w && str_eqz(token, w->token) && monotonic_us() - w->loaded_us < KEPT_US && w->generation == atomic_load(&api->generation);
    if (good) atomic_fetch_add(&w->refs, 1);
    pthread_mutex_unlock(&api->lock);
    return good ? w : NULL;
}

static void keep(struct api *api, struct signed_in *w) {
    atomic_fetch_add(&w->refs, 1);
    pthread_mutex_lock(&api->lock);
    struct signed_in **slot = slot_of(api, str_z(w->token)), *before = *slot;
    *slot = w;
    pthread_mutex_unlock(&api->lock);
    signed_in_drop(before);
}

static int load(struct request *rq, struct str token, struct signed_in **ret, struct err *e) {
    if (!token_valid(token)) return err_set(e, ERR_UNAUTHENTICATED, NULL, M_SESSION);
    struct signed_in *w = calloc(1, sizeof *w);
    INVARIANT(w);
    w->refs = 1;
    w->loaded_us = monotonic_us();
    w->generation = atomic_load(&rq->api->generation);
    memcpy(w->token, token.p, MIN(token.n, sizeof w->token - 1));
    int r = request_db(rq, e);
    if (r == 0) r = session_find(rq->site, rq->db, &w->a, token, &w->session, e);
    if (r) {
        signed_in_drop(w);
        return -1;
    }
    keep(rq->api, w);
    *ret = w;
    return 0;
}

static void take(struct request *rq, struct signed_in *w) {
    rq->who = w;
    rq->session = &w->session;
    rq->actor = &w->session.actor;
}

struct str sessions_token(struct request *rq) {
    struct str auth = http_header(rq->call, "authorization");
    if (auth.n > 7 && str_ieq(str_sub(auth, 0, 7), STR("Bearer "))) return str_trim(str_sub(auth, 7, auth.n));
    return http_cookie(rq->call, "lf_session");
}

int sessions_enter(struct request *rq, struct err *e) {
    struct str token = sessions_token(rq);
    struct signed_in *w = find_kept(rq->api, token);
    if (!w) TRY(load(rq, token, &w, e));
    take(rq, w);
    return 0;
}

/* ---- the session object ---- */

static void show_roles(struct request *rq, struct json_out *o) {
    const struct areas *t = request_areas(rq);
    json_key(o, "roles");
    json_array(o);
    for (size_t i = 0; i < rq->actor->n; i++) {
        const struct grant *g = &rq->actor->grants[i];
        const struct area *x = g->path.n ? areas_by_path(t, g->path) : t->n ? &t->all[0] : NULL;
        json_object(o);
        json_put_strz(o, "role", g->role->name);
        json_put_strz(o, "label", label_in(g->role->label, rq->lang));
        json_key(o, "area");
        area_show(rq, x, o);
        json_object_end(o);
    }
    json_array_end(o);
}

static void show_may(struct request *rq, struct json_out *o) {
    static const char *const verbs[] = {"create", "read", "update", "remove", "open"};
    static const char *const others[][2] = {{"figure", "read"}, {"import", "run"}};
    const struct kind *k;
    const struct command *c;
    json_key(o, "may");
    json_array(o);
    for (size_t i = 0; (k = kind_at(i)); i++)
        for (size_t v = 0; v < COUNT(verbs); v++)
            if (kind_takes(k, verbs[v]) && permit_anywhere(rq->actor, k->name, verbs[v])) json_strz(o, arena_printf(rq->a, "%s.%s", k->name, verbs[v]));
    for (size_t i = 0; (c = command_at(i)); i++)
        if (permit_anywhere(rq->actor, c->kind->name, strchr(c->name, '.') + 1)) json_strz(o, c->name);
    for (size_t i = 0; i < COUNT(others); i++)
        if (permit_anywhere(rq->actor, others[i][0], others[i][1])) json_strz(o, arena_printf(rq->a, "%s.%s", others[i][0], others[i][1]));
    json_array_end(o);
}

static int second_factor(struct request *rq, bool *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(request_db(rq, e));
    TRY(db_query(rq->db, CS(secret_get), &rows, e, VINT(rq->site->id), VID(rq->actor->id)));
    int got = rows_next(rows, e);
    *ret = got == 1 && rows_int(rows, 2);
    return got < 0 ? -1 : 0;
}

static int show_session(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    const struct area *top = NULL;
    struct err none;
    char id[ID_TEXT], day[DAY_TEXT];
    bool totp;
    TRY(second_factor(rq, &totp, e));
    if (request_area_of(rq, STR_NONE, "area", "read", &top, &none)) top = NULL;
    json_object(&o);
    json_key(&o, "user");
    json_object(&o);
    json_put_strz(&o, "id", id_text(rq->actor->id, id));
    json_put_str(&o, "login", rq->actor->login);
    json_put_str(&o, "name", rq->actor->name);
    json_put_bool(&o, "totp", totp);
    json_object_end(&o);
    show_roles(rq, &o);
    show_may(rq, &o);
    json_put_str(&o, "csrf", rq->session->csrf);
    json_key(&o, "site");
    json_object(&o);
    json_put_strz(&o, "name", rq->site->name);
    json_put_strz(&o, "timezone", rq->site->tz_name);
    json_put_strz(&o, "today", day_text(site_today(rq->site), day));
    json_put_strz(&o, "version", LF_VERSION);
    json_object_end(&o);
    json_key(&o, "area");
    area_show(rq, top, &o);
    json_object_end(&o);
    return 0;
}

int session_get_route(struct request *rq, struct err *e) {
    return show_session(rq, e);
}

/* ---- in and out ---- */

static void set_cookie(struct request *rq, const char *token, int seconds) {
    http_add_header(rq->call, "Set-Cookie", arena_printf(rq->a, "lf_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", token, seconds,
                                                         http_secure(rq->call) ? "; Secure" : ""));
}

static int enter(struct request *rq, const char *token, struct err *e) {
    enum { COOKIE_SECONDS = 12 * 3600 };
    struct signed_in *w;
    TRY(load(rq, str_z(token), &w, e));
    take(rq, w);
    set_cookie(rq, token, COOKIE_SECONDS);
    return show_session(rq, e);
}

static int text_member(struct request *rq, const struct json *j, const char *name, bool required, struct str *ret, struct err *e) {
    const struct json *m = json_get(j, name);
    (void)rq;
    *ret = STR("");
    if (m && m->type == JSON_STRING) *ret = m->text;
    else if (m && m->type != JSON_NULL) return err_set(e, ERR_INVALID, name, M_TYPE_TEXT);
    return required && ret->n == 0 ? err_set(e, ERR_INVALID, name, M_REQUIRED) : 0;
}

int session_login_route(struct request *rq, struct err *e) {
    struct json *j;
    struct login in = {.peer = http_peer(rq->call)};
    char token[TOKEN_TEXT];
    bool code_wanted = false;
    TRY(request_json(rq, (const char *const[]){"login", "password", "code", NULL}, &j, e));
    TRY(text_member(rq, j, "login", true, &in.login, e));
    TRY(text_member(rq, j, "password", true, &in.password, e));
    TRY(text_member(rq, j, "code", false, &in.code, e));
    int r = session_login(rq->site, rq->a, &in, token, &code_wanted, e);
    if (code_wanted) rq->hint = "code";
    return r ? -1 : enter(rq, token, e);
}

int session_end_route(struct request *rq, struct err *e) {
    TRY(session_end(rq->site, rq->session->digest, e));
    sessions_forget(rq->api);
    set_cookie(rq, "", 0);
    rq->status = 204;
    return 0;
}

int session_link_route(struct request *rq, struct err *e) {
    struct json *j;
    struct str link, password;
    char token[TOKEN_TEXT];
    TRY(request_json(rq, (const char *const[]){"token", "password", NULL}, &j, e));
    TRY(text_member(rq, j, "token", true, &link, e));
    TRY(text_member(rq, j, "password", true, &password, e));
    TRY(session_link_use(rq->site, rq->a, link, password, token, e));
    sessions_forget(rq->api);
    return enter(rq, token, e);
}

static int answer_empty(struct request *rq) {
    buf_addz(rq->out, "{}");
    return 0;
}

int session_totp_route(struct request *rq, struct err *e) {
    struct json *j;
    struct str code, secret;
    struct json_out o = JSON_OUT(rq->out);
    TRY(request_json(rq, (const char *const[]){"code", NULL}, &j, e));
    TRY(text_member(rq, j, "code", false, &code, e));
    if (code.n) {
        TRY(session_totp_confirm(rq->site, rq->a, rq->session, code, e));
        return answer_empty(rq);
    }
    TRY(session_totp_begin(rq->site, rq->a, rq->session, &secret, e));
    struct buf uri CLEANUP(buf_release) = BUF(4096);
    buf_addz(&uri, "otpauth://totp/");
    percent_encode(&uri, str_z(rq->site->name));
    buf_addc(&uri, ':');
    percent_encode(&uri, rq->actor->login);
    buf_addf(&uri, "?secret=%.*s&issuer=", STR_FMT(secret));
    percent_encode(&uri, str_z(rq->site->name));
    buf_addz(&uri, "&algorithm=SHA1&digits=6&period=30");
    json_object(&o);
    json_put_str(&o, "secret", secret);
    json_put_str(&o, "uri", buf_str(&uri));
    json_object_end(&o);
    return 0;
}

int session_password_route(struct request *rq, struct err *e) {
    struct json *j;
    struct str old, new;
    TRY(request_json(rq, (const char *const[]){"password", "new", NULL}, &j, e));
    TRY(text_member(rq, j, "password", true, &old, e));
    TRY(text_member(rq, j, "new", true, &new, e));
    int r = session_password(rq->site, rq->a, rq->session, old, new, e);
    if (r && strcmp(e->field, "password") == 0 && e->msg == M_PASSWORD_SHORT) snprintf(e->field, sizeof e->field, "new");
    TRY(r);
    sessions_forget(rq->api);
    return answer_empty(rq);
}

/* Whoever holds the link becomes the account: only who may change accounts everywhere may make one. */
int account_link_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct json *j;
    struct record *r;
    struct id id;
    char token[TOKEN_TEXT];
    const struct kind *k = kind_by_name(STR("user"));
    TRY(request_json(rq, (const char *const[]){NULL}, &j, e));
    if (!permit_may(rq->actor, "user", "update", STR(""))) return request_forbidden(rq, "user", "update", e);
    int found = 0;
    if (id_parse(rq->param[0], &id)) {
        TRY(request_db(rq, e));
        found = record_load(rq->db, rq->site->id, rq->a, k, id, &r, e);
        if (found < 0) return -1;
    }
    if (!found || r->removed) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_RECORD, arena_strz(rq->a, rq->param[0]), label_in(k->label, rq->lang));
    TRY(account_link(rq->site, id, token, e));
    json_object(&o);
    json_put_strz(&o, "link", arena_printf(rq->a, "/#/welcome/%s", token));
    json_object_end(&o);
    return 0;
}
