#include <sqlite3.h>

#include "core/record.h"
#include "systems_help.h"

/* The statement as SQLite gets it: marks are as long as what stands for them. */
static void as_of_file(char *sql) {
    static const char *const marks[][2] = {{"{int}", "INT  "}, {"{text}", " TEXT "}, {"{real}", " REAL "}, {"{blob}", " BLOB "}, {"{id}", "BLOB"}, {"{bytewise}", "          "}};
    for (size_t i = 0; i < COUNT(marks); i++)
        for (char *at; (at = strstr(sql, marks[i][0]));) memcpy(at, marks[i][1], strlen(marks[i][0]));
}

static sqlite3_stmt *plan_of(sqlite3 *c, const struct stmt *s) {
    static char sql[1 << 16];
    sqlite3_stmt *st;
    CHECK(snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", s->sql) < (int)sizeof sql);
    as_of_file(sql);
    if (sqlite3_prepare_v2(c, sql, -1, &st, NULL) != SQLITE_OK) unit_fail(__FILE__, __LINE__, "%s: %s", s->name, sqlite3_errmsg(c));
    return st;
}

/* Whether every table it reads is looked into so; with `but`, that one is not asked, and what was found may be gathered before it is put in order. */
static bool by_index(sqlite3 *c, const struct stmt *s, const char *how, const char *but) {
    sqlite3_stmt *st = plan_of(c, s);
    size_t tables = 0, right = 0;
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(st, 3);
        bool reads = str_starts(str_z(step), STR("SEARCH ")) || str_starts(str_z(step), STR("SCAN ")), ours = strstr(step, how) != NULL;
        if (!reads || (but && (strstr(step, but) || strcmp(step, "SCAN every") == 0))) continue;
        tables++;
        right += ours;
    }
    sqlite3_finalize(st);
    return tables > 0 && tables == right;
}

static bool sorts(sqlite3 *c, const struct stmt *s) {
    sqlite3_stmt *st = plan_of(c, s);
    bool found = false;
    while (sqlite3_step(st) == SQLITE_ROW) found |= strstr((const char *)sqlite3_column_text(st, 3), "TEMP B-TREE") != NULL;
    sqlite3_finalize(st);
    return found;
}

/* Whether the statement looks into an index by more than the site, which holds for every row. */
static bool narrow(sqlite3 *c, const struct stmt *s) {
    return by_index(c, s, "(site=? AND ", NULL);
}

/* Numbers seem few to SQLite, which may look for a later column under each of them. */
static void no_value_by_value(sqlite3 *c, const struct stmt *s) {
    sqlite3_stmt *st = plan_of(c, s);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(st, 3);
        if (strstr(step, " AND ANY(")) unit_fail(__FILE__, __LINE__, "%s: %s", s->name, step);
    }
    sqlite3_finalize(st);
}

/* How the rows behind a figure of one day are found: by what they point to and the time. */
static const struct stmt *stmt_named(const char *name) {
    for (size_t i = 1; stmt_at(i); i++)
        if (strcmp(stmt_at(i)->name, name) == 0) return stmt_at(i);
    unit_fail(__FILE__, __LINE__, "there is no statement %s", name);
}

static void check_kind(sqlite3 *c, const struct kind *k) {
    const struct kind_sql *q = kind_sql(k);
    const struct stmt *const always[] = {&q->get, &q->range, &q->range_after, &q->scan, &q->search_name, &q->search_initials};
    for (size_t i = 0; i < COUNT(always); i++)
        if (always[i]->sql && !narrow(c, always[i])) unit_fail(__FILE__, __LINE__, "%s reads the whole site", always[i]->name);
    for (size_t i = 0; i < k->n; i++) {
        const struct stmt *const by[] = {&q->by_field[i], &q->by_text[i], &q->by_hash[i], &q->between[i], &q->between_fresh[i]};
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
    static const char *const at_gate = "_at_gate (site=? AND gate=? AND seen_at>? AND seen_at<?)";
    CHECK(by_index(c, stmt_named("gate.febrile.rows"), at_gate, " log_place "));
    CHECK(by_index(c, stmt_named("gate.febrile_by_gate.rows_at"), at_gate, " log_place "));
    CHECK(by_index(c, stmt_named("gate.febrile.rows_fresh"), at_gate, " log_place "));
    CHECK(by_index(c, stmt_named("gate.febrile_by_gate.rows_at_fresh"), at_gate, " log_place "));
    CHECK(by_index(c, stmt_named("gate_scan.between_fresh_gate"), "_at_gate (site=? AND gate=? AND (seen_at,id)>(?,?) AND seen_at<?)", NULL));
    CHECK(by_index(c, stmt_named("trace_find"), "USING PRIMARY KEY (site=? AND kind=?)", " (site=? AND kind=? AND level=? AND run=? AND bucket=?)"));
    CHECK(by_index(c, stmt_named("trace_parts"), " (site=? AND kind=? AND level=? AND run=? AND bucket>?)", NULL));
    CHECK(by_index(c, stmt_named("gate_scan.between_gate"), "_at_gate (site=? AND gate=? AND (seen_at,id)>(?,?) AND seen_at<?)", NULL));
    CHECK(by_index(c, stmt_named("tally_flow"), "tally_day (site=? AND path=? AND figure=? AND day>? AND day<?)", NULL));
    CHECK(by_index(c, stmt_named("tally_flow_days"), "tally_day (site=? AND path=? AND figure=? AND day>? AND day<?)", NULL));
    CHECK(by_index(c, stmt_named("tally_stock"), "USING PRIMARY KEY (site=? AND path=? AND figure=?)", NULL));
    CHECK(by_index(c, stmt_named("tally_stock_days"), "USING PRIMARY KEY (site=? AND path=? AND figure=?)", NULL));
    CHECK(by_index(c, stmt_named("by_number"), "USING COVERING INDEX pass_beside_number (site=? AND number=?)", NULL));
    CHECK(by_index(c, stmt_named("plain"), "USING COVERING INDEX pass_beside_number (site=? AND number>?)", NULL));
    CHECK(by_index(c, stmt_named("gate_scan.newest"), "USING PRIMARY KEY (site=? AND id<?)", NULL));
    CHECK(by_index(c, stmt_named("gate_scan.newest_at"), "_at_gate (site=? AND gate=? AND (seen_at,id)<(?,?))", NULL));
    CHECK(!sorts(c, stmt_named("gate_scan.newest")) && !sorts(c, stmt_named("gate_scan.newest_at")));
    const struct system *sys;
    for (size_t i = 0; (sys = system_at(i)); i++)
        for (size_t j = 0; j < sys->checks_n; j++) no_value_by_value(c, &sys->checks[j].stmt);
    sqlite3_close(c);
    desk_close(&d);
}
