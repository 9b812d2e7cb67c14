#include "bench/raw_stmts.h"

const char *raw_select(char sql[RAW_SQL], const struct raw_plan *plan, bool journal) {
    if (journal)
        snprintf(sql, RAW_SQL, "SELECT * FROM (SELECT * FROM journal WHERE kind = '%s' ORDER BY site DESC, seq DESC LIMIT %d) AS t ORDER BY seq", plan->kind, RAW_ROWS_MOST);
    else
        snprintf(sql, RAW_SQL, "SELECT * FROM (SELECT * FROM %s ORDER BY site DESC, id DESC LIMIT %d) AS t ORDER BY id", plan->kind, RAW_ROWS_MOST);
    return sql;
}

const char *raw_insert(char sql[RAW_SQL], const char *schema, const char *table, int n, bool numbered) {
    int at = snprintf(sql, RAW_SQL, "INSERT INTO %s.%s VALUES (", schema, table);
    for (int i = 1; i <= n; i++) {
        if (numbered) at += snprintf(sql + at, RAW_SQL - (size_t)at, "%s$%d", i > 1 ? "," : "", i);
        else at += snprintf(sql + at, RAW_SQL - (size_t)at, "%s?", i > 1 ? "," : "");
    }
    snprintf(sql + at, RAW_SQL - (size_t)at, ")");
    return sql;
}
