#include <sqlite3.h>

#include "core/record.h"
#include "systems_help.h"

/* Whether the statement looks into an index by more than the site, which holds for every row. */
static bool narrow(sqlite3 *c, const struct stmt *s) {
    char sql[4096];
    sqlite3_stmt *st;
    bool found = false;
    CHECK(snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", s->sql) < (int)sizeof sql);
    /* {bytewise} is for servers. */
    for (char *mark; (mark = strchr(sql, '{'));) memset(mark, ' ', strcspn(mark, "}") + 1);
    if (sqlite3_prepare_v2(c, sql, -1, &st, NULL) != SQLITE_OK) unit_fail(__FILE__, __LINE__, "%s: %s", s->name, sqlite3_errmsg(c));
    while (sqlite3_step(st) == SQLITE_ROW) found |= strstr((const char *)sqlite3_column_text(st, 3), "(site=? AND ") != NULL;
    sqlite3_finalize(st);
    return found;
}

static void check_kind(sqlite3 *c, const struct kind *k) {
    const struct kind_sql *q = kind_sql(k);
    const struct stmt *const always[] = {&q->get, &q->range_after, &q->scan, &q->search_name, &q->search_initials};
    for (size_t i = 0; i < COUNT(always); i++)
        if (always[i]->sql && !narrow(c, always[i])) unit_fail(__FILE__, __LINE__, "%s reads the whole site", always[i]->name);
    for (size_t i = 0; i < k->n; i++) {
        const struct stmt *const by[] = {&q->by_field[i], &q->by_text[i], &q->by_hash[i]};
        for (size_t j = 0; j < COUNT(by); j++)
            if (by[j]->sql && !narrow(c, by[j])) unit_fail(__FILE__, __LINE__, "%s.%s reads the whole site", k->name, k->fields[i].name);
    }
}

TEST(a_record_is_found_through_an_index_and_never_by_reading_the_site) {
    struct desk d = {0};
    char path[600];
    sqlite3 *c;
    if (unit_on_server()) unit_skip("asks SQLite's planner");
    desk_open(&d);
    CHECK(sqlite3_open_v2(site_path(path, d.site->dir, "lianfang.db"), &c, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    for (size_t i = 0; kind_at(i); i++) check_kind(c, kind_at(i));
    sqlite3_close(c);
    desk_close(&d);
}
