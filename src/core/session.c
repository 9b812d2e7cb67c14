#include "core/session.h"

#include "base/utf8.h"
#include "core/command.h"
#include "core/core_stmts.h"

static const int64_t SESSION_US = 12 * 3600 * US_PER_SECOND, IDLE_US = 2 * 3600 * US_PER_SECOND, LINK_US = 48 * 3600 * US_PER_SECOND,
                     SEEN_EVERY_US = 60 * US_PER_SECOND;

/* ---- throttle: after 5 failures in a row a wait that doubles, up to 15 minutes, for each login and each address ---- */

enum { THROTTLE_SLOTS = 1024, FREE_TRIES = 5 };
static struct throttle {
    uint64_t key;
    int failures;
    int64_t until, seen;
} throttle[THROTTLE_SLOTS];
static pthread_mutex_t throttle_lock = PTHREAD_MUTEX_INITIALIZER;

/* The slot of a key, or the one least recently used among its four places. */
static struct throttle *throttle_slot(uint64_t key) {
    struct throttle *best = NULL;
    for (uint64_t i = 0; i < 4; i++) {
        struct throttle *t = &throttle[(key + i) % THROTTLE_SLOTS];
        if (t->key == key) return t;
        if (!best || t->seen < best->seen) best = t;
    }
    *best = (struct throttle){.key = key};
    return best;
}

static int64_t throttle_wait(uint64_t key, int64_t now) {
    pthread_mutex_lock(&throttle_lock);
    int64_t until = throttle_slot(key)->until;
    pthread_mutex_unlock(&throttle_lock);
    return until > now ? until - now : 0;
}

static void throttle_note(uint64_t key, int64_t now, bool success) {
    pthread_mutex_lock(&throttle_lock);
    struct throttle *t = throttle_slot(key);
    t->seen = now;
    if (success) {
        t->failures = 0;
        t->until = 0;
    } else if (++t->failures >= FREE_TRIES) {
        int64_t wait = US_PER_SECOND << MIN(t->failures - FREE_TRIES, 10);
        t->until = now + MIN(wait, 900 * US_PER_SECOND);
    }
    pthread_mutex_unlock(&throttle_lock);
}

/* ---- small writes through the writer ---- */

struct statement_item {
    struct write_item item;
    const struct stmt *stmt;
    const struct val *v;
    size_t n;
    int64_t changed;
};

static int statement_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct statement_item *s = (struct statement_item *)item;
    return db_run_n(tx->db, s->stmt, s->v, s->n, &s->changed, e);
}

static void nothing(struct write_item *item UNUSED) {}

static int write_one(struct site *s, const struct stmt *stmt, const struct val *v, size_t n, int64_t *ret_changed, struct err *e) {
    struct statement_item item = {.item = {.run = statement_run, .done = nothing}, .stmt = stmt, .v = v, .n = n};
    TRY(writer_run(s, &item.item, e));
    if (ret_changed) *ret_changed = item.changed;
    return 0;
}
#define WRITE(s, stmt, e, ...)                                                                                         \
    write_one((s), (stmt), (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val), NULL, (e))

/* ---- accounts ---- */

static const struct kind *user_kind(void) {
    return kind_by_name(STR("user"));
}

static int actor_load(struct site *s, struct db *db, struct arena *a, struct id account, struct actor *ret, struct err *e) {
    struct record *r;
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int found = record_load(db, s->id, a, user_kind(), account, &r, e);
    if (found < 0) return -1;
    if (!found || r->removed || (record_has(r, "active") && !record_int(r, "active"))) return err_set(e, ERR_UNAUTHENTICATED, NULL, M_SESSION);
    struct grant *grants = arena_new(a, struct grant, 64);
    size_t n = 0;
    TRY(db_query(db, CS(grants_of), &rows, e, VINT(s->id), VID(account)));
    int got;
    while ((got = rows_next(rows, e)) == 1 && n < 64) {
        const struct role *role = role_by_name(rows_text(rows, 0));
        struct str path = arena_str(a, rows_text(rows, 1));
        /* A role in the site's own area, the first of the tree, covers what belongs to the whole site (users, protocols) as well. */
        if (str_eq(path, STR("001"))) path = STR("");
        if (role) grants[n++] = (struct grant){role, path};
    }
    if (got < 0) return -1;
    *ret = (struct actor){.id = account, .login = record_text(r, "login"), .name = record_text(r, "name"), .grants = grants, .n = n};
    return 0;
}

struct secret {
    struct str password;
    uint8_t totp[TOTP_SECRET];
    bool totp_on;
    int64_t step;
};

static int secret_load(struct site *s, struct db *db, struct arena *a, struct id account, struct secret *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    *ret = (struct secret){.step = 0};
    TRY(db_query(db, CS(secret_get), &rows, e, VINT(s->id), VID(account)));
    int found = rows_next(rows, e);
    if (found != 1) return found;
    struct str sealed = arena_str(a, rows_blob(rows, 1)), plain;
    ret->password = arena_str(a, rows_text(rows, 0));
    ret->totp_on = rows_int(rows, 2);
    ret->step = rows_int(rows, 3);
    if (sealed.n) {
        TRY(unseal(a, &s->key, id_bytes(&account), sealed, &plain, e));
        INVARIANT(plain.n == TOTP_SECRET);
        memcpy(ret->totp, plain.p, TOTP_SECRET);
    }
    return 1;
}

/* ---- sessions ---- */

static int session_add(struct site *s, struct id account, const char *sort, const char *label, int64_t lasts_us, char ret_token[TOKEN_TEXT],
                       struct err *e) {
    char csrf[TOKEN_TEXT];
    int64_t now = site_now(s);
    token_new(ret_token);
    token_new(csrf);
    struct digest d = token_digest(str_z(ret_token));
    struct str digest = {(const char *)d.b, sizeof d.b};
    return WRITE(s, CS(session_add), e, VINT(s->id), VBLOB(digest), VID(account), VTEXTZ(sort), VTEXTZ(csrf), label ? VTEXTZ(label) : VNULL, VINT(now),
                 VINT(now), VINT(now + lasts_us));
}

struct stored {
    struct id account;
    struct str sort, csrf;
    int64_t ends_at, seen_at;
};

static int stored_load(struct site *s, struct db *db, struct arena *a, struct digest d, struct stored *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, CS(session_get), &rows, e, VINT(s->id), VBLOB(((struct str){(const char *)d.b, sizeof d.b}))));
    int found = rows_next(rows, e);
    if (found == 1)
        *ret = (struct stored){rows_id(rows, 0), arena_str(a, rows_text(rows, 1)), arena_str(a, rows_text(rows, 2)), rows_int(rows, 3),
                               rows_int(rows, 4)};
    return found;
}

struct seen_item {
    struct write_item item;
    struct digest d;
    int64_t now;
};

static int seen_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct seen_item *i = (struct seen_item *)item;
    return db_run(tx->db, CS(session_seen), e, VINT(tx->site->id), VBLOB(((struct str){(const char *)i->d.b, sizeof i->d.b})), VINT(i->now));
}

static void seen_done(struct write_item *item) {
    free(item);
}

/* Written now and then, and nobody waits for it. */
static void note_seen(struct site *s, struct digest d, int64_t now) {
    struct seen_item *i = calloc(1, sizeof *i);
    INVARIANT(i);
    *i = (struct seen_item){.item = {.run = seen_run, .done = seen_done}, .d = d, .now = now};
    if (!writer_submit(s, &i->item)) free(i);
}

int session_find(struct site *s, struct db *db, struct arena *a, struct str token, struct session *ret, struct err *e) {
    struct stored st;
    int64_t now = site_now(s);
    if (!token_valid(token)) return err_set(e, ERR_UNAUTHENTICATED, NULL, M_SESSION);
    struct digest d = token_digest(token);
    int found = stored_load(s, db, a, d, &st, e);
    if (found < 0) return -1;
    bool api = found && str_eq(st.sort, STR("token"));
    bool idle = found && !api && st.seen_at + IDLE_US < now;
    if (!found || st.ends_at < now || idle || str_eq(st.sort, STR("link"))) return err_set(e, ERR_UNAUTHENTICATED, NULL, M_SESSION);
    *ret = (struct session){.csrf = api ? STR("") : st.csrf, .token = api, .digest = d};
    TRY(actor_load(s, db, a, st.account, &ret->actor, e));
    if (now - st.seen_at > SEEN_EVERY_US) note_seen(s, d, now);
    return 0;
}

/* ---- signing in ---- */

static int login_account(struct site *s, struct db *db, struct arena *a, const struct login *in, struct record **ret, struct secret *secret,
                         struct err *e) {
    const struct kind *k = user_kind();
    int found = record_find(db, s->id, &s->key, a, k, (size_t)kind_field(k, STR("login")), utf8_fold(a, in->login), ret, e);
    if (found != 1) return found < 0 ? -1 : 0;
    return secret_load(s, db, a, (*ret)->id, secret, e);
}

static int wrong(struct err *e) {
    return err_set(e, ERR_UNAUTHENTICATED, NULL, M_LOGIN);
}

static int check_code(struct site *s, struct id account, const struct secret *secret, const struct login *in, bool *ret_code_wanted, struct err *e) {
    if (!secret->totp_on) return 0;
    if (in->code.n == 0) {
        *ret_code_wanted = true;
        return wrong(e);
    }
    int64_t step = totp_step(secret->totp, str_trim(in->code), site_now(s));
    if (step < 0 || step <= secret->step) return wrong(e);
    struct arena a CLEANUP(arena_release) = {0};
    struct str sealed = seal(&a, &s->key, id_bytes(&account), (struct str){(const char *)secret->totp, TOTP_SECRET});
    return WRITE(s, CS(secret_totp), e, VINT(s->id), VID(account), VBLOB(sealed), VINT(1), VINT(step));
}

static int check_login(struct site *s, struct arena *a, const struct login *in, struct id *ret_account, bool *ret_code_wanted, struct err *e) {
    struct db *db;
    struct record *account = NULL;
    struct secret secret;
    struct actor actor;
    TRY(site_reader(s, &db, e));
    int found = login_account(s, db, a, in, &account, &secret, e);
    int usable = found == 1 ? actor_load(s, db, a, account->id, &actor, e) : -1;
    site_reader_done(s, db);
    if (found < 0) return -1;
    if (!found || !secret.password.n) {
        password_waste(in->password);
        return wrong(e);
    }
    if (!password_matches(secret.password.p, in->password) || usable) return wrong(e);
    *ret_account = account->id;
    return check_code(s, account->id, &secret, in, ret_code_wanted, e);
}

int session_login(struct site *s, struct arena *a, const struct login *in, char ret_token[TOKEN_TEXT], bool *ret_code_wanted, struct err *e) {
    uint64_t keys[2] = {str_hash(utf8_fold(a, in->login)), str_hash(in->peer) ^ 1};
    int64_t now = clock_now(&(struct clock){0}), wait = MAX(throttle_wait(keys[0], now), throttle_wait(keys[1], now));
    struct id account;
    *ret_code_wanted = false;
    if (wait > 0) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%lld", (long long)(wait / US_PER_SECOND + 1));
        return err_set(e, ERR_THROTTLED, NULL, M_LOGIN_WAIT, seconds);
    }
    int r = check_login(s, a, in, &account, ret_code_wanted, e);
    if (r && e->code != ERR_UNAUTHENTICATED) return -1;
    if (!*ret_code_wanted)
        for (size_t i = 0; i < COUNT(keys); i++) throttle_note(keys[i], now, r == 0);
    return r ? -1 : session_add(s, account, "session", NULL, SESSION_US, ret_token, e);
}

int session_end(struct site *s, struct digest token, struct err *e) {
    return WRITE(s, CS(session_end), e, VINT(s->id), VBLOB(((struct str){(const char *)token.b, sizeof token.b})));
}

/* ---- passwords ---- */

/* Ends the account's sessions and links, but the session `stays` (empty: none). */
static int set_password(struct site *s, struct id account, struct str password, struct str stays, struct err *e) {
    char hash[PASSWORD_HASH], least[8];
    snprintf(least, sizeof least, "%d", PASSWORD_LEAST);
    if (utf8_length(password) < PASSWORD_LEAST) return err_set(e, ERR_INVALID, "password", M_PASSWORD_SHORT, least);
    if (password.n > 1000 || !utf8_valid(password)) return err_set(e, ERR_INVALID, "password", M_TOO_LONG, "1000");
    TRY(password_hash(password, hash, e));
    TRY(WRITE(s, CS(secret_password), e, VINT(s->id), VID(account), VTEXTZ(hash)));
    return WRITE(s, CS(session_end_all), e, VINT(s->id), VID(account), VBLOB(stays));
}

int account_password(struct site *s, struct id account, struct str password, struct err *e) {
    return set_password(s, account, password, STR(""), e);
}

int session_password(struct site *s, struct arena *a, const struct session *who, struct str old, struct str new, struct err *e) {
    struct db *db;
    struct secret secret;
    TRY(site_reader(s, &db, e));
    int found = secret_load(s, db, a, who->actor.id, &secret, e);
    site_reader_done(s, db);
    if (found < 0) return -1;
    uint64_t key = str_hash(id_bytes(&who->actor.id)) ^ 2;
    int64_t now = clock_now(&(struct clock){0});
    if (throttle_wait(key, now) > 0) return err_set(e, ERR_THROTTLED, NULL, M_LOGIN_WAIT, "60");
    bool right = found && password_matches(secret.password.p, old);
    throttle_note(key, now, right);
    if (!right) return err_set(e, ERR_INVALID, "password", M_LOGIN);
    return set_password(s, who->actor.id, new, (struct str){(const char *)who->digest.b, sizeof who->digest.b}, e);
}

int session_link_use(struct site *s, struct arena *a, struct str link, struct str password, char ret_token[TOKEN_TEXT], struct err *e) {
    struct db *db;
    struct stored st;
    if (!token_valid(link)) return err_set(e, ERR_GONE, NULL, M_LINK_USED);
    struct digest d = token_digest(link);
    TRY(site_reader(s, &db, e));
    int found = stored_load(s, db, a, d, &st, e);
    site_reader_done(s, db);
    if (found < 0) return -1;
    if (!found || !str_eq(st.sort, STR("link")) || st.ends_at < site_now(s)) return err_set(e, ERR_GONE, NULL, M_LINK_USED);
    /* The password first: a refused one leaves the link good.  Setting it ends every session and link of the account. */
    TRY(account_password(s, st.account, password, e));
    return session_add(s, st.account, "session", NULL, SESSION_US, ret_token, e);
}

/* ---- second factor ---- */

int session_totp_begin(struct site *s, struct arena *a, const struct session *who, struct str *ret_base32, struct err *e) {
    uint8_t secret[TOTP_SECRET];
    totp_secret_new(secret);
    struct id account = who->actor.id;
    struct str sealed = seal(a, &s->key, id_bytes(&account), (struct str){(const char *)secret, sizeof secret});
    TRY(WRITE(s, CS(secret_totp), e, VINT(s->id), VID(account), VBLOB(sealed), VINT(0), VINT(0)));
    *ret_base32 = totp_base32(a, secret);
    return 0;
}

int session_totp_confirm(struct site *s, struct arena *a, const struct session *who, struct str code, struct err *e) {
    struct db *db;
    struct secret secret;
    struct id account = who->actor.id;
    TRY(site_reader(s, &db, e));
    int found = secret_load(s, db, a, account, &secret, e);
    site_reader_done(s, db);
    if (found < 0) return -1;
    int64_t step = found ? totp_step(secret.totp, str_trim(code), site_now(s)) : -1;
    if (step < 0 || step <= secret.step) return err_set(e, ERR_INVALID, "code", M_LOGIN);
    struct str sealed = seal(a, &s->key, id_bytes(&account), (struct str){(const char *)secret.totp, TOTP_SECRET});
    return WRITE(s, CS(secret_totp), e, VINT(s->id), VID(account), VBLOB(sealed), VINT(1), VINT(step));
}

int account_totp_off(struct site *s, struct id account, struct err *e) {
    return WRITE(s, CS(secret_totp), e, VINT(s->id), VID(account), VNULL, VINT(0), VINT(0));
}

/* ---- links, tokens, accounts ---- */

int account_link(struct site *s, struct id account, char ret_token[TOKEN_TEXT], struct err *e) {
    return session_add(s, account, "link", NULL, LINK_US, ret_token, e);
}

int account_token(struct site *s, struct id account, const char *label, int days, char ret_token[TOKEN_TEXT], struct err *e) {
    return session_add(s, account, "token", label, days * US_PER_DAY, ret_token, e);
}

static int make_record(struct site *s, struct arena *a, const char *kind, const char *area, const char *const fields[][2], size_t n,
                       struct id *ret, struct err *e) {
    struct command_call call = {.a = a, .actor = &actor_system, .id = id_new(site_now(s)), .area = str_z(area)};
    struct check_env env = site_env(s, a);
    command_prepare(&call, kind_by_name(str_z(kind)), VERB_CREATE);
    for (size_t i = 0; i < n; i++) {
        int f = kind_field(call.kind, str_z(fields[i][0]));
        INVARIANT(f >= 0);
        TRY(field_from_text(&env, &call.kind->fields[f], str_z(fields[i][1]), &call.values[f], e));
        call.given[f] = true;
    }
    TRY(command_do(s, &call, e));
    *ret = call.ret_record;
    return 0;
}

int account_make(struct site *s, const char *login, const char *name, const char *role, const char *area_code, struct id *ret, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct db *db;
    struct record *r;
    struct id account, ignored;
    char text[ID_TEXT];
    const struct kind *k = user_kind();
    if (!role_by_name(str_z(role))) return err_set(e, ERR_INVALID, "role", M_CODE, role, "administrator, headquarters, community, grid_worker, gate, clinic, ...");
    TRY(site_reader(s, &db, e));
    int found = record_find(db, s->id, &s->key, &a, k, (size_t)kind_field(k, STR("login")), utf8_fold(&a, str_z(login)), &r, e);
    site_reader_done(s, db);
    if (found < 0) return -1;
    if (found) account = r->id;
    else TRY(make_record(s, &a, "user", NULL, (const char *const[][2]){{"login", login}, {"name", name}, {"active", "true"}}, 3, &account, e));
    TRY(make_record(s, &a, "user_role", area_code, (const char *const[][2]){{"account", id_text(account, text)}, {"role", role}}, 2, &ignored, e));
    *ret = account;
    return 0;
}

int account_count(struct site *s, int64_t *ret, struct err *e) {
    struct db *db;
    *ret = 0;
    TRY(site_reader(s, &db, e));
    int r = db_int(db, CS(accounts), ret, e, VINT(s->id));
    site_reader_done(s, db);
    return r < 0 ? -1 : 0;
}
