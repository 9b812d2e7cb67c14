#include "growth_stmts.h"

#include "base/buf.h"

static struct stmt indexes[] = {STMT(growth_indexes, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL ORDER BY name")};

int growth_indexes(struct db *db, struct arena *a, const char *table, struct growth_indexes *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct buf drop CLEANUP(buf_release) = BUF(1 << 16), make CLEANUP(buf_release) = BUF(1 << 16);
    int got;
    stmt_register(indexes, COUNT(indexes));
    TRY(db_query(db, &indexes[0], &rows, e, VTEXTZ(table)));
    while ((got = rows_next(rows, e)) == 1) {
        if (str_ends(rows_text(rows, 0), STR("_path"))) continue; /* passes come in its order */
        buf_addf(&drop, "DROP INDEX %.*s;\n", STR_FMT(rows_text(rows, 0)));
        buf_addf(&make, "%.*s;\n", STR_FMT(rows_text(rows, 1)));
    }
    *ret = (struct growth_indexes){arena_str(a, buf_str(&drop)), arena_str(a, buf_str(&make))};
    return got;
}

/* Sorting goes to files (SQLITE_TMPDIR): in memory it would be all of it. */
int growth_hurry(struct db *db, struct err *e) {
    return db_script(db, STR("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -262144; PRAGMA threads = 2"), e);
}

int growth_settle(struct db *db, struct err *e) {
    return db_script(db, STR("PRAGMA journal_mode = WAL"), e);
}
