/* The tokens of scripts and statements: {int} {text} {real} {blob} {id} become the engine's column types, {clustered} what makes a table keep
 * its rows in the order of the key, {for_update} what locks the rows a SELECT finds, {bytewise} what compares two parameters byte
 * by byte (columns do so by their type).  A brace inside a literal, a quoted name or a comment is text, so the scanner knows these
 * four and nothing else of SQL. */
#include "db_internal.h"

#include "base/buf.h"

static const char *const token_names[TOKEN__COUNT] = {
    [TOKEN_INT] = "int", [TOKEN_TEXT] = "text", [TOKEN_REAL] = "real", [TOKEN_BLOB] = "blob", [TOKEN_ID] = "id",
    [TOKEN_CLUSTERED] = "clustered", [TOKEN_FOR_UPDATE] = "for_update", [TOKEN_BYTEWISE] = "bytewise",
};

static int expand_token(const char *const types[], struct str name, struct buf *to, struct err *e) {
    for (size_t t = 0; t < TOKEN__COUNT; t++)
        if (str_eqz(name, token_names[t])) {
            buf_addz(to, types[t]);
            return 0;
        }
    char text[80];
    snprintf(text, sizeof text, "unknown token {%.*s}", (int)MIN(name.n, (size_t)40), name.n ? name.p : "");
    return err_set(e, ERR_DB, NULL, M_DB_TEXT, text);
}

/* The end of what begins at `at` when that must be copied as it is; `at` itself when it is none of the four.  A doubled
 * quote reads as two literals side by side, which comes to the same. */
static size_t skip_quoted(struct str sql, size_t at) {
    struct str rest = str_sub(sql, at, sql.n), end;
    size_t head = 1;
    if (rest.p[0] == '\'' || rest.p[0] == '"') {
        end = str_sub(rest, 0, 1);
    } else if (str_starts(rest, STR("--"))) {
        head = 2;
        end = STR("\n");
    } else if (str_starts(rest, STR("/*"))) {
        head = 2;
        end = STR("*/");
    } else {
        return at;
    }
    ptrdiff_t length = str_find(str_sub(rest, head, rest.n), end);
    return length < 0 ? sql.n : at + head + (size_t)length + end.n;
}

/* The next `what` that is none of their text, or the end.  Most bytes begin nothing: every statement comes this way at every start. */
static size_t skip_to(char what, struct str sql, size_t at) {
    while (at < sql.n && sql.p[at] != what) {
        bool plain = sql.p[at] != '\'' && sql.p[at] != '"' && sql.p[at] != '-' && sql.p[at] != '/';
        at = plain ? at + 1 : MAX(skip_quoted(sql, at), at + 1);
    }
    return at;
}

int db_script_expand(const char *const types[TOKEN__COUNT], struct str sql, struct buf *to, struct err *e) {
    for (size_t at = 0; at < sql.n;) {
        size_t behind = skip_to('{', sql, at);
        buf_add_str(to, str_sub(sql, at, behind));
        at = behind;
        if (at == sql.n) break;
        struct str rest = str_sub(sql, at + 1, sql.n);
        ptrdiff_t length = str_find_char(rest, '}');
        if (length < 0) return err_set(e, ERR_DB, NULL, M_DB_TEXT, "a token has no end");
        struct str name = str_sub(rest, 0, (size_t)length);
        TRY(expand_token(types, name, to, e));
        at += name.n + 2;
    }
    if (to->failed) return err_set(e, ERR_DB, NULL, M_DB_TEXT, "the script is too long");
    if (str_find_char(buf_str(to), 0) >= 0) return err_set(e, ERR_DB, NULL, M_DB_TEXT, "NUL in a script");
    return 0;
}

struct str db_script_cut(struct str *rest) {
    struct str sql = *rest;
    size_t at = skip_to(';', sql, 0);
    *rest = str_sub(sql, MIN(at + 1, sql.n), sql.n);
    return str_trim(str_sub(sql, 0, at));
}
