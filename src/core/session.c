#include "core/session.h"

#include "base/utf8.h"
#include "core/command.h"
#include "core/core_stmts.h"

static const int64_t SESSION_US = 12 * 3600 * US_PER_SECOND, IDLE_US = 2 * 3600 * US_PER_SECOND, LINK_US = 48 * 3600 * US_PER_SECOND,
                     SEEN_EVERY_US = 60 * US_PER_SECOND;

/* ---- throttle: after 5 failures in a row a wait that doubles, up to 15 minutes, for each login and each address ----
 *
 * In the database, so that whoever tries at several processes of a site waits at all of them. */

enum { FREE_TRIES = 5 };

struct throttle_keys {
    uint8_t hash[2][16]; /* keyed: neither names nor addresses are kept */
    size_t n;
};

static struct throttle_keys keys_of_login(struct site *s, struct arena *a, const struct login *in) {
    struct throttle_keys k = {.n = 2};
    find_hash(&s->key, STR("throttle.login"), utf8_fold(a, in->login), k.hash[0]);
    find_hash(&s->key, STR("throttle.peer"), in->peer, k.hash[1]);
    return k;
}

static struct throttle_keys keys_of_account(struct site *s, const struct id *account) {
    struct throttle_keys k = {.n = 1};
    find_hash(&s->key, STR("throttle.account"), id_bytes(account), k.hash[0]);
    return k;
}

static struct val throttle_val(const struct throttle_keys *k, size_t i) {
    return VBLOB(((struct str){(const char *)k->hash[i], sizeof k->hash[i]}));
}

struct throttle {
    int64_t failures, until;
};

static int throttle_load(struct site *s, struct db *db, struct val key, struct throttle *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    *ret = (struct throttle){0};
    TRY(db_query(db, CS(throttle_get), &rows, e, VINT(s->id), key));
    int r = rows_next(rows, e);
    if (r == 1) *ret = (struct throttle){rows_int(rows, 0), rows_int(rows, 1)};
    return r < 0 ? -1 : 0;
}

static int throttle_wait(struct site *s, struct db *db, const struct throttle_keys *k, int64_t now, struct err *e) {
    int64_t until = 0;
    char seconds[24];
    for (size_t i = 0; i < k->n; i++) {
        struct throttle t;
        TRY(throttle_load(s, db, throttle_val(k, i), &t, e));
        until = MAX(until, t.until);
    }
    if (until <= now) return 0;
    snprintf(seconds, sizeof seconds, "%lld", (long long)((until - now) / US_PER_SECOND + 1));
    return err_set(e, ERR_THROTTLED, NULL, M_LOGIN_WAIT, seconds);
}

struct throttle_item {
    struct write_item item;
    const struct throttle_keys *keys;
    int64_t now;
};

static int failure_run(struct tx *tx, struct write_item *item, struct err *e) {
    const struct throttle_item *x = (const struct throttle_item *)item;
    for (size_t i = 0; i < x->keys->n; i++) {
        struct val key = throttle_val(x->keys, i);
        struct throttle t;
        TRY(throttle_load(tx->site, tx->db, key, &t, e));
        int64_t over = ++t.failures - FREE_TRIES;
        if (over >= 0) t.until = x->now + MIN(US_PER_SECOND << MIN(over, 10), 900 * US_PER_SECOND);
        TRY(db_run(tx->db, CS(throttle_put), e, VINT(tx->site->id), key, VINT(t.failures), VINT(t.until), VINT(x->now)));
    }
    return 0;
}

static int throttle_failure(struct site *s, const struct throttle_keys *k, int64_t now, struct err *e) {
    struct throttle_item x = {.item = {.run = failure_run}, .keys = k, .now = now};
    return writer_run(s, &x.item, e);
}

/* ---- small writes through the writer, all of one call in one transaction ---- */

struct write {
    const struct stmt *stmt;
    struct val v[9];
    bool must; /* changes a row, or all of it is undone */
};
struct write_all {
    struct write_item item;
    const struct write *w;
    size_t n;
};

static int write_all_run(struct tx *tx, struct write_item *item, struct err *e) {
    const struct write_all *all = (const struct write_all *)item;
    for (size_t i = 0; i < all->n; i++) {
        int64_t changed = 0;
        TRY(db_run_n(tx->db, all->w[i].stmt, all->w[i].v, COUNT(all->w[i].v), all->w[i].must ? &changed : NULL, e));
        if (all->w[i].must && !changed) return err_set(e, ERR_GONE, NULL, M_LINK_USED);
    }
    return 0;
}

static int write_all(struct site *s, const struct write *w, size_t n, struct err *e) {
    struct write_all all = {.item = {.run = write_all_run}, .w = w, .n = n};
    return writer_run(s, &all.item, e);
}
#define WRITE(s, stmt, e, ...) write_all((s), &(const struct write){(stmt), {__VA_ARGS__}}, 1, (e))

static struct val digest_val(const struct digest *d) {
    return VBLOB(((struct str){(const char *)d->b, sizeof d->b}));
}

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
    bool has_totp, totp_on;
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
        ret->has_totp = true;
    }
    return 1;
}

static int secret_of(struct site *s, struct arena *a, struct id account, struct secret *ret, struct err *e) {
    struct db *db;
    TRY(site_reader(s, &db, e));
    int found = secret_load(s, db, a, account, ret, e);
    site_reader_done(s, db);
    return found < 0 ? -1 : 0;
}

/* ---- sessions ---- */

struct fresh {
    char csrf[TOKEN_TEXT];
    struct digest d;
};

/* The writing of a new session; *f must outlive it. */
static struct write new_session(struct site *s, struct id account, const char *sort, const char *label, int64_t lasts_us, char ret_token[TOKEN_TEXT],
                                struct fresh *f) {
    int64_t now = site_now(s);
    token_new(ret_token);
    token_new(f->csrf);
    f->d = token_digest(str_z(ret_token));
    return (struct write){CS(session_add), {VINT(s->id), digest_val(&f->d), VID(account), VTEXTZ(sort), VTEXTZ(f->csrf),
                                            label ? VTEXTZ(label) : VNULL, VINT(now), VINT(now), VINT(now + lasts_us)}};
}

static int session_add(struct site *s, struct id account, const char *sort, const char *label, int64_t lasts_us, char ret_token[TOKEN_TEXT],
                       struct err *e) {
    struct fresh f;
    struct write w = new_session(s, account, sort, label, lasts_us, ret_token, &f);
    return write_all(s, &w, 1, e);
}

struct stored {
    struct id account;
    struct str sort, csrf;
    int64_t ends_at, seen_at;
};

static int stored_load(struct site *s, struct db *db, struct arena *a, struct digest d, struct stored *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, CS(session_get), &rows, e, VINT(s->id), digest_val(&d)));
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
    return db_run(tx->db, CS(session_seen), e, VINT(tx->site->id), digest_val(&i->d), VINT(i->now));
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
    int64_t step = secret->has_totp ? totp_step(secret->totp, str_trim(in->code), site_now(s)) : -1;
    if (step < 0 || step <= secret->step) return wrong(e);
    /* Of two who bring the same code at once one is in time. */
    struct write use = {CS(secret_totp_use), {VINT(s->id), VID(account), VINT(step)}, .must = true};
    if (write_all(s, &use, 1, e) == 0) return 0;
    return e->code == ERR_GONE ? wrong(e) : -1;
}

static int check_login(struct site *s, struct arena *a, const struct login *in, const struct throttle_keys *keys, struct id *ret_account,
                       bool *ret_code_wanted, struct err *e) {
    struct db *db;
    struct record *account = NULL;
    struct secret secret;
    struct actor actor;
    TRY(site_reader(s, &db, e));
    int found = throttle_wait(s, db, keys, clock_now(&(struct clock){0}), e);
    if (found == 0) found = login_account(s, db, a, in, &account, &secret, e);
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
    struct throttle_keys keys = keys_of_login(s, a, in);
    int64_t now = clock_now(&(struct clock){0});
    struct id account;
    struct fresh f;
    struct err ignored;
    *ret_code_wanted = false;
    int r = check_login(s, a, in, &keys, &account, ret_code_wanted, e);
    if (r && e->code == ERR_UNAUTHENTICATED && !*ret_code_wanted) throttle_failure(s, &keys, now, &ignored);
    if (r) return -1;
    const struct write writes[] = {new_session(s, account, "session", NULL, SESSION_US, ret_token, &f),
                                   {CS(throttle_end), {VINT(s->id), throttle_val(&keys, 0)}},
                                   {CS(throttle_end), {VINT(s->id), throttle_val(&keys, 1)}}};
    return write_all(s, writes, COUNT(writes), e);
}

int session_end(struct site *s, struct digest token, struct err *e) {
    return WRITE(s, CS(session_end), e, VINT(s->id), digest_val(&token));
}

/* ---- passwords ---- */

static int password_ready(struct str password, char ret_hash[PASSWORD_HASH], struct err *e) {
    char least[8];
    snprintf(least, sizeof least, "%d", PASSWORD_LEAST);
    if (password.n > 1000 || !utf8_valid(password)) return err_set(e, ERR_INVALID, "password", M_TOO_LONG, "1000");
    if (utf8_length(password) < PASSWORD_LEAST) return err_set(e, ERR_INVALID, "password", M_PASSWORD_SHORT, least);
    return password_hash(password, ret_hash, e);
}

static struct write end_sessions(struct site *s, struct id account, const struct digest *but) {
    return (struct write){CS(session_end_all), {VINT(s->id), VID(account), digest_val(but)}};
}

/* Ends the account's sessions and links, but the session `stays`. */
static int set_password(struct site *s, struct id account, struct str password, const struct digest *stays, struct err *e) {
    char hash[PASSWORD_HASH];
    TRY(password_ready(password, hash, e));
    const struct write all[] = {{CS(secret_password), {VINT(s->id), VID(account), VTEXTZ(hash)}}, end_sessions(s, account, stays)};
    return write_all(s, all, COUNT(all), e);
}

int account_password(struct site *s, struct id account, struct str password, struct err *e) {
    return set_password(s, account, password, &(struct digest){{0}}, e);
}

int session_password(struct site *s, struct arena *a, const struct session *who, struct str old, struct str new, struct err *e) {
    struct secret secret;
    struct throttle_keys keys = keys_of_account(s, &who->actor.id);
    int64_t now = clock_now(&(struct clock){0});
    struct db *db;
    TRY(site_reader(s, &db, e));
    int r = throttle_wait(s, db, &keys, now, e);
    site_reader_done(s, db);
    if (r == 0) r = secret_of(s, a, who->actor.id, &secret, e);
    if (r) return -1;
    if (secret.password.n && password_matches(secret.password.p, old)) {
        TRY(set_password(s, who->actor.id, new, &who->digest, e));
        return WRITE(s, CS(throttle_end), e, VINT(s->id), throttle_val(&keys, 0));
    }
    TRY(throttle_failure(s, &keys, now, e));
    return err_set(e, ERR_INVALID, "password", M_LOGIN);
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
    /* The password first: a refused one leaves the link good. */
    char hash[PASSWORD_HASH];
    struct fresh f;
    TRY(password_ready(password, hash, e));
    const struct write all[] = {{CS(session_end), {VINT(s->id), digest_val(&d)}, .must = true},
                                {CS(secret_password), {VINT(s->id), VID(st.account), VTEXTZ(hash)}},
                                end_sessions(s, st.account, &(struct digest){{0}}),
                                new_session(s, st.account, "session", NULL, SESSION_US, ret_token, &f)};
    return write_all(s, all, COUNT(all), e);
}

/* ---- second factor ---- */

static int put_totp(struct site *s, struct arena *a, struct id account, const uint8_t totp[TOTP_SECRET], bool on, int64_t step, struct err *e) {
    struct str sealed = seal(a, &s->key, id_bytes(&account), (struct str){(const char *)totp, TOTP_SECRET});
    return WRITE(s, CS(secret_totp), e, VINT(s->id), VID(account), VBLOB(sealed), VINT(on), VINT(step));
}

int session_totp_begin(struct site *s, struct arena *a, const struct session *who, struct str *ret_base32, struct err *e) {
    struct secret secret;
    TRY(secret_of(s, a, who->actor.id, &secret, e));
    /* A stolen session must not take the second factor away. */
    if (secret.totp_on) return err_set(e, ERR_STATE, "code", M_TOTP_ON);
    totp_secret_new(secret.totp);
    TRY(put_totp(s, a, who->actor.id, secret.totp, false, 0, e));
    *ret_base32 = totp_base32(a, secret.totp);
    return 0;
}

int session_totp_confirm(struct site *s, struct arena *a, const struct session *who, struct str code, struct err *e) {
    struct secret secret;
    TRY(secret_of(s, a, who->actor.id, &secret, e));
    int64_t step = secret.has_totp ? totp_step(secret.totp, str_trim(code), site_now(s)) : -1;
    if (step < 0 || step <= secret.step) return err_set(e, ERR_INVALID, "code", M_LOGIN);
    return put_totp(s, a, who->actor.id, secret.totp, true, step, e);
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
