#include "bench/raw_stmts.h"

#include "core/system.h"

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

const char *raw_index(char sql[RAW_SQL], const char *table, const struct raw_plan *plan, size_t i) {
    const struct kind *k = kind_by_name(str_z(plan->kind));
    for (size_t f = 0; f < k->n; f++) {
        const char *hash = k->fields[f].flags & FIND ? "_hash" : "", *name = k->fields[f].name;
        if (!(k->fields[f].flags & TRACE) || i--) continue;
        snprintf(sql, RAW_SQL, "CREATE INDEX raw_%s ON %s (site, %s%s, %s, id) WHERE %s%s IS NOT NULL", name, table, name, hash, k->seen, name, hash);
        return sql;
    }
    return NULL;
}
