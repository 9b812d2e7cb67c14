/* The PostgreSQL engine. */
#include "db_internal.h"

static int pg_open(const char *url, enum db_mode mode UNUSED, struct db **ret UNUSED, struct err *e) {
    return err_set(e, ERR_DB, NULL, M_DB_TEXT, url);
}

const struct db_engine postgres_engine = {.types = {[TOKEN_FOR_UPDATE] = "FOR UPDATE", [TOKEN_BYTEWISE] = "COLLATE \"C\""}, .shared = true, .open = pg_open};
