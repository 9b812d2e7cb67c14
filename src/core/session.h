/* Who is calling: passwords, second factor, sessions, one-time links, API tokens.
 *
 * Only digests of tokens are stored.  A session lasts 12 h and ends after 2 h without use; a link is good once and for 48 h; an API token until
 * its end.  Attempts are throttled by login and by address.  Accounts are records of the kind `user`, their roles records
 * of the kind `user_role`. */
#ifndef SESSION_H
#define SESSION_H

#include "core/site.h"

struct session {
    struct actor actor;         /* in the arena given */
    struct str csrf;            /* empty for API tokens */
    bool token;                 /* an API token: no CSRF header needed */
    struct digest digest;
};
/* The session of a cookie's or Bearer token; UNAUTHENTICATED (M_SESSION). */
int session_find(struct site *s, struct db *db, struct arena *a, struct str token, struct session *ret, struct err *e);

struct login {
    struct str login, password, code, peer;
};
/* Checks and makes a session.  UNAUTHENTICATED with M_LOGIN (the same for every reason; *ret_code_wanted tells that only the one-time code is missing),
 * THROTTLED with the seconds to wait as first argument.  Slow (argon2id): on a worker thread only. */
int session_login(struct site *s, struct arena *a, const struct login *in, char ret_token[TOKEN_TEXT], bool *ret_code_wanted, struct err *e);
/* A one-time link: sets the password, ends the link, makes a session.  GONE with M_LINK_USED. */
int session_link_use(struct site *s, struct arena *a, struct str link, struct str password, char ret_token[TOKEN_TEXT], struct err *e);
int session_end(struct site *s, struct digest token, struct err *e);
enum { PASSWORD_LEAST = 12 };
/* Sets the password after checking the old one and ends the account's other sessions. */
int session_password(struct site *s, struct arena *a, const struct session *who, struct str old, struct str new, struct err *e);
/* Without the old one: the administrator's CLI. */
int account_password(struct site *s, struct id account, struct str password, struct err *e);
/* A new secret, not yet in force.  STATE (M_TOTP_ON) while one is: only account_totp_off ends it. */
int session_totp_begin(struct site *s, struct arena *a, const struct session *who, struct str *ret_base32, struct err *e);
int session_totp_confirm(struct site *s, struct arena *a, const struct session *who, struct str code, struct err *e);
int account_totp_off(struct site *s, struct id account, struct err *e);
/* New link or API token for an account. */
int account_link(struct site *s, struct id account, char ret_token[TOKEN_TEXT], struct err *e);
int account_token(struct site *s, struct id account, const char *label, int days, char ret_token[TOKEN_TEXT], struct err *e);
/* Makes the account with a role in an area (code), or finds it: for `init` and `user add`. */
int account_make(struct site *s, const char *login, const char *name, const char *role, const char *area_code, struct id *ret, struct err *e);
/* How many accounts have a password. */
int account_count(struct site *s, int64_t *ret, struct err *e);

#endif
