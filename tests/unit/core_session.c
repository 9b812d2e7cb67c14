/* Coming in, staying in, and being put out. */
#include <pthread.h>

#include <liboath/oath.h>

#include "core/session.h"
#include "core_help.h"

static struct id account;
static char token[TOKEN_TEXT];
enum { HOUR = 3600 };

static void hall(void) {
    struct err e;
    world_make();
    CHECK(account_make(w.s, "wangfang", "王芳", "community", "xg", &account, &e) == 0);
    CHECK(account_password(w.s, account, STR("correct horse battery"), &e) == 0);
}

static struct err sign_in(const char *login, const char *password, const char *code, const char *peer) {
    struct err e = {0};
    bool wanted;
    struct login in = {str_z(login), str_z(password), str_z(code ? code : ""), str_z(peer)};
    session_login(w.s, &w.a, &in, token, &wanted, &e);
    return e;
}

static struct err who(const char *t, struct session *ret) {
    struct err e = {0};
    struct db *db;
    CHECK(site_reader(w.s, &db, &e) == 0);
    session_find(w.s, db, &w.a, str_z(t), ret, &e);
    site_reader_done(w.s, db);
    return e;
}

static bool inside(const char *t) {
    struct session s;
    return who(t, &s).code == ERR_NONE;
}

static void later(int64_t seconds) {
    w.s->clock.fixed_us += seconds * US_PER_SECOND;
}

static void enter(void) {
    CHECK_INT(sign_in("WangFang ", "correct horse battery", NULL, "::1").code, ERR_NONE);
    CHECK(inside(token));
}

TEST(a_password_lets_in_and_wrong_ones_say_nothing) {
    hall();
    enter();
    struct session s;
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK_STR(s.actor.login, "wangfang");
    CHECK(s.actor.n == 1 && str_eq(s.actor.grants[0].path, path_of_area("xg")) && !s.token && s.csrf.n);
    struct err wrong = sign_in("wangfang", "correct horse batterY", NULL, "::2"), unknown = sign_in("nobody", "correct horse battery", NULL, "::3");
    CHECK(wrong.code == ERR_UNAUTHENTICATED && unknown.code == wrong.code && unknown.msg == wrong.msg && strcmp(unknown.field, wrong.field) == 0);
    struct err e;
    struct id silent;
    CHECK(account_make(w.s, "silent", "无", "community", "xg", &silent, &e) == 0);
    CHECK_INT(sign_in("silent", "", NULL, "::4").msg, wrong.msg);
    CHECK(!inside("x") && !inside(""));
    world_close();
}

TEST(failures_in_a_row_make_the_next_one_wait_by_login_and_by_address) {
    hall();
    for (int i = 0; i < 5; i++) CHECK_ERR(sign_in("wangfang", "wrong wrong wrong", NULL, arena_printf(&w.a, "10.0.0.%d", i)), ERR_UNAUTHENTICATED);
    CHECK_ERR(sign_in("wangfang", "correct horse battery", NULL, "10.0.0.9"), ERR_THROTTLED);
    for (int i = 0; i < 5; i++) sign_in(arena_printf(&w.a, "guess%d", i), "wrong wrong wrong", NULL, "10.0.1.1");
    CHECK_ERR(sign_in("another", "wrong wrong wrong", NULL, "10.0.1.1"), ERR_THROTTLED);
    CHECK_ERR(sign_in("another", "wrong wrong wrong", NULL, "10.0.1.2"), ERR_UNAUTHENTICATED);
    world_close();
}

TEST(a_session_ends_after_two_idle_hours_and_after_twelve_in_any_case) {
    hall();
    enter();
    later(2 * HOUR - 60);
    CHECK(inside(token));
    later(2 * HOUR + 60);
    CHECK(!inside(token));
    enter();
    for (int i = 0; i < 12; i++) {
        CHECK(inside(token));
        run(NULL, "household.create", "b1", NULL, "{}"); /* behind the note that it was seen */
        later(HOUR - 1);
    }
    later(60);
    CHECK(!inside(token));
    world_close();
}

TEST(a_changed_password_ends_the_other_sessions_and_the_links_but_no_api_token) {
    struct err e;
    struct session s;
    char first[TOKEN_TEXT], link[TOKEN_TEXT], api[TOKEN_TEXT];
    hall();
    enter();
    memcpy(first, token, sizeof first);
    enter();
    CHECK(account_link(w.s, account, link, &e) == 0);
    CHECK(account_token(w.s, account, "闸机", 30, api, &e) == 0);
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK(session_password(w.s, &w.a, &s, STR("wrong wrong wrong"), STR("another long one"), &e) == -1);
    CHECK_STR(str_z(e.field), "password");
    CHECK(session_password(w.s, &w.a, &s, STR("correct horse battery"), STR("short"), &e) == -1);
    CHECK_INT(e.msg, M_PASSWORD_SHORT);
    CHECK(inside(first));
    CHECK(session_password(w.s, &w.a, &s, STR("correct horse battery"), STR("another long one"), &e) == 0);
    CHECK(inside(token) && !inside(first) && inside(api));
    char none[TOKEN_TEXT];
    CHECK(session_link_use(w.s, &w.a, str_z(link), STR("a third long one"), none, &e) == -1);
    CHECK_ERR(e, ERR_GONE);
    CHECK_ERR(sign_in("wangfang", "correct horse battery", NULL, "::1"), ERR_UNAUTHENTICATED);
    CHECK_INT(who(api, &s).code, ERR_NONE);
    CHECK(s.token);
    later(31 * 24 * HOUR);
    CHECK(!inside(api));
    world_close();
}

struct user_of_link {
    const char *link;
    char token[TOKEN_TEXT];
    struct err e;
    int result;
};

static void *use_link(void *arg) {
    struct arena a CLEANUP(arena_release) = {0};
    struct user_of_link *u = arg;
    u->result = session_link_use(w.s, &a, str_z(u->link), STR("from a one-time link"), u->token, &u->e);
    return NULL;
}

TEST(a_link_lets_in_once_even_when_two_use_it_at_the_same_time) {
    struct err e;
    char link[TOKEN_TEXT];
    hall();
    CHECK(account_link(w.s, account, link, &e) == 0);
    CHECK(!inside(link));
    CHECK(session_link_use(w.s, &w.a, str_z(link), STR("short"), token, &e) == -1);
    CHECK_ERR(e, ERR_INVALID);
    pthread_t t[4];
    struct user_of_link users[4];
    int in = 0;
    for (size_t i = 0; i < COUNT(t); i++) {
        users[i] = (struct user_of_link){.link = link};
        CHECK(pthread_create(&t[i], NULL, use_link, &users[i]) == 0);
    }
    for (size_t i = 0; i < COUNT(t); i++) pthread_join(t[i], NULL);
    for (size_t i = 0; i < COUNT(t); i++) {
        in += users[i].result == 0;
        if (users[i].result == 0) CHECK(inside(users[i].token));
        else CHECK_ERR(users[i].e, ERR_GONE);
    }
    CHECK_INT(in, 1);
    CHECK(account_link(w.s, account, link, &e) == 0);
    later(49 * HOUR);
    CHECK(session_link_use(w.s, &w.a, str_z(link), STR("from a one-time link"), token, &e) == -1);
    CHECK_ERR(e, ERR_GONE);
    world_close();
}

/* ---- the second factor ---- */

static const char *code_at(struct str base32, int64_t at) {
    char *secret, *code = arena_alloc(&w.a, 7);
    size_t n;
    CHECK(oath_base32_decode(base32.p, base32.n, &secret, &n) == OATH_OK);
    CHECK(oath_totp_generate(secret, n, (time_t)(at / US_PER_SECOND), 30, 0, 6, code) == OATH_OK);
    free(secret);
    return code;
}

TEST(a_one_time_code_is_wanted_once_it_is_in_force_and_works_once) {
    struct err e;
    struct session s;
    struct str secret;
    bool wanted;
    hall();
    enter();
    CHECK_INT(who(token, &s).code, ERR_NONE);
    /* Nothing was begun, so nothing can be confirmed. */
    CHECK(session_totp_confirm(w.s, &w.a, &s, STR("000000"), &e) == -1);
    CHECK(session_totp_begin(w.s, &w.a, &s, &secret, &e) == 0);
    CHECK_INT(sign_in("wangfang", "correct horse battery", NULL, "::1").code, ERR_NONE);
    CHECK(session_totp_confirm(w.s, &w.a, &s, STR("12345"), &e) == -1);
    CHECK(session_totp_confirm(w.s, &w.a, &s, str_z(code_at(secret, site_now(w.s))), &e) == 0);
    struct login in = {STR("wangfang"), STR("correct horse battery"), STR(""), STR("::1")};
    CHECK(session_login(w.s, &w.a, &in, token, &wanted, &e) == -1 && wanted);
    CHECK_ERR(sign_in("wangfang", "correct horse battery", code_at(secret, site_now(w.s)), "::1"), ERR_UNAUTHENTICATED); /* the one that confirmed */
    later(30);
    const char *code = code_at(secret, site_now(w.s));
    CHECK_INT(sign_in("wangfang", "correct horse battery", code, "::1").code, ERR_NONE);
    CHECK_ERR(sign_in("wangfang", "correct horse battery", code, "::1"), ERR_UNAUTHENTICATED);
    /* Who stole the session does not get rid of it. */
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK(session_totp_begin(w.s, &w.a, &s, &secret, &e) == -1);
    CHECK_ERR(e, ERR_STATE);
    CHECK(account_totp_off(w.s, account, &e) == 0);
    CHECK_INT(sign_in("wangfang", "correct horse battery", NULL, "::1").code, ERR_NONE);
    world_close();
}

struct coder {
    const char *code;
    struct err e;
    int result;
};

static void *use_code(void *arg) {
    struct arena a CLEANUP(arena_release) = {0};
    struct coder *c = arg;
    char t[TOKEN_TEXT];
    bool wanted;
    c->result = session_login(w.s, &a, &(struct login){STR("wangfang"), STR("correct horse battery"), str_z(c->code), STR("::1")}, t, &wanted, &c->e);
    return NULL;
}

TEST(two_who_bring_the_same_code_at_once_are_not_both_let_in) {
    struct err e;
    struct session s;
    struct str secret;
    hall();
    enter();
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK(session_totp_begin(w.s, &w.a, &s, &secret, &e) == 0);
    CHECK(session_totp_confirm(w.s, &w.a, &s, str_z(code_at(secret, site_now(w.s))), &e) == 0);
    later(60);
    pthread_t t[4];
    struct coder c[4];
    int in = 0;
    for (size_t i = 0; i < COUNT(t); i++) {
        c[i] = (struct coder){.code = code_at(secret, site_now(w.s))};
        CHECK(pthread_create(&t[i], NULL, use_code, &c[i]) == 0);
    }
    for (size_t i = 0; i < COUNT(t); i++) pthread_join(t[i], NULL);
    for (size_t i = 0; i < COUNT(t); i++) in += c[i].result == 0;
    CHECK_INT(in, 1);
    world_close();
}

/* ---- what the administrator does works at once ---- */

TEST(roles_and_accounts_change_for_sessions_that_are_open) {
    struct session s;
    struct err e;
    struct id other;
    hall();
    enter();
    const char *user = arena_printf(&w.a, "%s", id_text(account, (char[ID_TEXT]){0}));
    const char *role = run(NULL, "user_role.create", "v1", NULL, "{'account':'%s','role':'gate'}", user);
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK(s.actor.n == 2 && permit_may(&s.actor, "gate_scan", "create", path_of_area("v1")));
    run(NULL, "user_role.remove", NULL, role, "{}");
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK(s.actor.n == 1 && !permit_may(&s.actor, "gate_scan", "create", path_of_area("v1")));
    run(NULL, "user.update", NULL, user, "{'active':false}");
    CHECK(!inside(token));
    CHECK_ERR(sign_in("wangfang", "correct horse battery", NULL, "::1"), ERR_UNAUTHENTICATED);
    run(NULL, "user.update", NULL, user, "{'active':true}");
    CHECK(inside(token));
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK(session_end(w.s, s.digest, &e) == 0);
    CHECK(!inside(token));
    /* The administrator of the site's own area covers the site. */
    CHECK(account_make(w.s, "root", "管理员", "administrator", "jixian", &other, &e) == 0);
    CHECK(account_password(w.s, other, STR("correct horse battery"), &e) == 0);
    CHECK_INT(sign_in("root", "correct horse battery", NULL, "::1").code, ERR_NONE);
    CHECK_INT(who(token, &s).code, ERR_NONE);
    CHECK(permit_may(&s.actor, "user", "create", STR("")));
    world_proves_itself();
    world_close();
}

TEST(no_token_and_no_password_stands_in_the_database) {
    if (unit_on_server()) unit_skip("looks into the file");
    struct err e;
    char link[TOKEN_TEXT];
    hall();
    enter();
    CHECK(account_link(w.s, account, link, &e) == 0);
    site_close(w.s);
    FILE *f = fopen(world_path("lianfang.db"), "rb");
    static char bytes[8 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    CHECK(n > 4096 && !memmem(bytes, n, token, strlen(token)) && !memmem(bytes, n, link, strlen(link)) && !memmem(bytes, n, "correct horse", 13));
    world_open();
    world_close();
}
