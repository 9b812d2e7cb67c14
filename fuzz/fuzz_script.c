/* The tokens of migration scripts.  What an expanded script holds is what the plain one held, but for the tokens. */
#include "base/buf.h"
#include "db/db_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const types[TOKEN__COUNT] = {"INTEGER", "TEXT", "REAL", "BLOB", "BLOB", "WITHOUT ROWID"};
    static const char *const same[TOKEN__COUNT] = {"{int}", "{text}", "{real}", "{blob}", "{id}", "{clustered}"};
    struct str sql = {(const char *)data, size};
    struct buf to CLEANUP(buf_release) = BUF(1 << 20), back CLEANUP(buf_release) = BUF(1 << 20), twice CLEANUP(buf_release) = BUF(1 << 20);
    struct err e = {0};
    int result = db_script_expand(types, sql, &to, &e);
    INVARIANT(result == 0 || (e.code == ERR_DB && e.arg[0][0]));
    INVARIANT(db_script_expand(same, sql, &back, &e) == result);
    if (result) return 0;
    INVARIANT(str_eq(buf_str(&back), sql)); /* tokens that stand for themselves change nothing */
    INVARIANT(str_find_char(buf_str(&to), 0) < 0);
    /* No token is left outside literals: expanding again finds none. */
    INVARIANT(db_script_expand(types, buf_str(&to), &twice, &e) == 0 && str_eq(buf_str(&twice), buf_str(&to)));
    return 0;
}
