/* What Citus refuses, found in our own SQL before any server sees it (docs/decisions/0009-citus.md). */
#include "core/record.h"
#include "core/site.h"
#include "core/system.h"
#include "core/table.h"
#include "core_sqllint.h"
#include "systems/systems.h"
#include "unit.h"

static const char *const migrations[] = {
#define MIGRATION(number, ...) __VA_ARGS__,
#include "core/migrations.inc"
#undef MIGRATION
};

/* Asked once at start, over all sites, of the small table of settings. */
static const struct {
    const char *stmt;
    enum sql_habit habit;
} exceptions[] = {
    {"site_of_key", SQL_SITE},
    {"site_without_key", SQL_SITE},
};

static unsigned excepted(const char *stmt) {
    unsigned bits = 0;
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (strcmp(exceptions[i].stmt, stmt) == 0) bits |= 1u << exceptions[i].habit;
    return bits;
}

/* Every row of a log: the condition stands behind the tables of all its months and holds for each. */
static unsigned of_every_table(const char *sql) {
    return strstr(sql, ") AS every WHERE site = $1") ? 1u << SQL_SITE : 0;
}

static struct sql_tables tables;

static void learn(void) {
    if (!kind_count()) site_program_init(systems_all);
    const struct table *t;
    for (size_t i = 0; (t = table_at(i)); i++)
        if (t->place == TABLE_LOCAL) tables.local[tables.local_n++] = str_z(t->name);
    for (size_t i = 0; i < COUNT(migrations); i++) sql_tables_add(&tables, migrations[i]);
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind_sql *q = kind_sql(kind_at(i));
        sql_tables_add(&tables, q->ddl);
        for (size_t m = 0; m < q->months_n; m++) sql_tables_add(&tables, q->months[m].ddl);
    }
}

static size_t report(const char *name, unsigned bits) {
    size_t n = 0;
    for (enum sql_habit h = 0; h < SQL__COUNT; h++) {
        if (!(bits & 1u << h)) continue;
        fprintf(stderr, "  %s: %s\n", name, sql_habit(h));
        n++;
    }
    return n;
}

TEST(no_statement_asks_for_what_citus_refuses) {
    const struct stmt *s;
    size_t n = 0, faults = 0;
    learn();
    for (; (s = stmt_at(n)); n++) faults += report(s->name, sql_lint_stmt(&tables, s->sql) & ~excepted(s->name) & ~of_every_table(s->sql));
    CHECK_INT(faults, 0);
    CHECK(n > 400);
}

TEST(no_table_is_made_as_citus_refuses_it) {
    size_t faults = 0;
    char name[32];
    learn();
    for (size_t i = 0; i < COUNT(migrations); i++) {
        snprintf(name, sizeof name, "migration %zu", i + 1);
        faults += report(name, sql_lint_script(&tables, migrations[i]));
    }
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind_sql *q = kind_sql(kind_at(i));
        faults += report(kind_at(i)->name, sql_lint_script(&tables, q->ddl));
        for (size_t m = 0; m < q->months_n; m++) faults += report(q->months[m].name, sql_lint_script(&tables, q->months[m].ddl));
    }
    CHECK_INT(faults, 0);
}

static bool is_by_site(const char *name) {
    for (size_t i = 0; i < tables.by_site_n; i++)
        if (str_eqz(tables.by_site[i], name)) return true;
    return false;
}

TEST(every_table_that_begins_with_site_is_one_that_is_distributed) {
    const struct table *t;
    size_t n = 0;
    learn();
    for (size_t i = 0; (t = table_at(i)); i++) {
        if ((t->place == TABLE_BY_SITE) != is_by_site(t->name)) unit_fail(__FILE__, __LINE__, "%s is in the wrong place", t->name);
        n += t->place == TABLE_BY_SITE;
    }
    CHECK_INT(n, tables.by_site_n);
}

TEST(an_exception_that_no_statement_needs_is_taken_off_the_list) {
    const struct stmt *s;
    learn();
    for (size_t i = 0; i < COUNT(exceptions); i++) {
        bool needed = false;
        for (size_t j = 0; (s = stmt_at(j)); j++)
            needed |= strcmp(s->name, exceptions[i].stmt) == 0 && sql_lint_stmt(&tables, s->sql) & 1u << exceptions[i].habit;
        if (!needed) unit_fail(__FILE__, __LINE__, "%s", exceptions[i].stmt);
    }
}

/* ---- the check itself ---- */

static const char example_tables[] = "CREATE TABLE IF NOT EXISTS a (site {int} NOT NULL, id {id} NOT NULL, n {int}, PRIMARY KEY (site, id)) {clustered};\n"
                                     "CREATE TABLE b (site {int} NOT NULL, id {id} NOT NULL, a {id}, PRIMARY KEY (site, id));\n"
                                     "CREATE TABLE here (name {text} NOT NULL PRIMARY KEY);";

static unsigned bits_of(const char *sql, bool script) {
    static struct sql_tables t;
    t = (struct sql_tables){.local = {STR("here")}, .local_n = 1};
    sql_tables_add(&t, example_tables);
    return script ? sql_lint_script(&t, sql) : sql_lint_stmt(&t, sql);
}

TEST(each_habit_of_a_statement_is_found) {
    static const struct {
        enum sql_habit habit;
        const char *sql;
    } bad[] = {
        {SQL_SITE, "SELECT id FROM a WHERE id = $2"},
        {SQL_SITE, "SELECT id FROM a"},
        {SQL_SITE, "SELECT id FROM a WHERE site = $2"},
        {SQL_SITE, "SELECT id FROM a WHERE site = $1 OR n = 3"},
        {SQL_SITE, "SELECT id FROM a WHERE n = 3 OR id = $2 AND site = $1"},
        {SQL_SITE, "SELECT id FROM a WHERE (site = $1 OR n = 3)"},
        {SQL_SITE, "SELECT id FROM a WHERE NOT site = $1"},
        {SQL_SITE, "SELECT id FROM a WHERE site = $1 + 1"},
        {SQL_SITE, "SELECT id FROM a WHERE n = 'site = $1'"},
        {SQL_SITE, "SELECT id FROM a -- WHERE site = $1\n"},
        {SQL_SITE, "SELECT id FROM a /* WHERE site = $1 */"},
        {SQL_SITE, "SELECT x.id FROM a x JOIN b y ON y.a = x.id WHERE x.site = $1"},
        {SQL_SITE, "SELECT x.id FROM a x, b y WHERE x.site = $1 AND y.a = x.id"},
        {SQL_SITE, "SELECT x.id FROM a x LEFT JOIN b y ON y.a = x.id AND y.site = y.site WHERE x.site = $1"},
        {SQL_SITE, "SELECT id, (SELECT count(*) FROM b WHERE b.a = a.id) FROM a WHERE site = $1"},
        {SQL_SITE, "SELECT id FROM a WHERE site = $1 AND id IN (SELECT a FROM b)"},
        {SQL_SITE, "SELECT id FROM a x WHERE x.site = $1 UNION ALL SELECT id FROM b x WHERE x.id = $2"},
        {SQL_SITE, "WITH r AS (SELECT id FROM a) SELECT id FROM b WHERE site = $1"},
        {SQL_SITE, "UPDATE a SET n = 1 WHERE id = $2"},
        {SQL_SITE, "UPDATE a SET n = y.n FROM b y WHERE a.site = $1 AND y.a = a.id"},
        {SQL_SITE, "DELETE FROM a WHERE id = $2"},
        {SQL_INSERT, "INSERT INTO a (id, site) VALUES ($1, $2)"},
        {SQL_INSERT, "INSERT INTO a VALUES ($1, $2)"},
        {SQL_INSERT, "INSERT INTO a (site, id) VALUES ($2, $1)"},
        {SQL_INSERT, "INSERT INTO a (site, id) VALUES ($1, $2), ($3, $4)"},
        {SQL_INSERT, "INSERT INTO a (site, id) SELECT id, site FROM b WHERE site = $1"},
        {SQL_SET_SITE, "UPDATE a SET site = $3 WHERE site = $1 AND id = $2"},
        {SQL_SET_SITE, "INSERT INTO a (site, id) VALUES ($1, $2) ON CONFLICT (site, id) DO UPDATE SET n = 1, site = excluded.site"},
        {SQL_CONFLICT, "INSERT INTO a (site, id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING"},
        {SQL_VOLATILE, "UPDATE a SET n = Now() WHERE site = $1"},
        {SQL_VOLATILE, "INSERT INTO a (site, id) VALUES ($1, gen_random_uuid())"},
        {SQL_VOLATILE, "SELECT id FROM a WHERE site = $1 AND n < CURRENT_TIMESTAMP"},
        {SQL_VOLATILE, "SELECT id FROM a WHERE site = $1 AND n < date('now')"},
        {SQL_LOCK, "SELECT n FROM a WHERE id = $2 {for_update}"},
        {SQL_LOCK, "SELECT n FROM a WHERE id = $2 FOR UPDATE"},
        {SQL_SKIP, "SELECT n FROM a WHERE site = $1 FOR UPDATE SKIP LOCKED"},
        {SQL_RECURSIVE, "WITH RECURSIVE r AS (SELECT id FROM a WHERE site = $1 UNION ALL SELECT b.id FROM r JOIN b ON b.a = r.id) SELECT id FROM r"},
        {SQL_GROUPING, "SELECT n, count(*) FROM a WHERE site = $1 GROUP BY ROLLUP (n)"},
        {SQL_GROUPING, "SELECT n, count(*) FROM a WHERE site = $1 GROUP BY GROUPING SETS ((n), ())"},
        {SQL_ROW_PLACE, "DELETE FROM a WHERE site = $1 AND ctid IN (SELECT ctid FROM a WHERE site = $1 LIMIT 5)"},
        {SQL_UNREAD, "SELECT x.id FROM (a x JOIN b y ON y.site = x.site) WHERE x.site = $1"},
        {SQL_UNREAD, "UPDATE a SET (n, id) = ($2, $3) WHERE site = $1"},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (!(bits_of(bad[i].sql, false) & 1u << bad[i].habit)) unit_fail(__FILE__, __LINE__, "not found: %s", bad[i].sql);
}

TEST(each_habit_of_a_script_is_found) {
    static const struct {
        enum sql_habit habit;
        const char *sql;
    } bad[] = {
        {SQL_SITE, "DELETE FROM a WHERE id IN (SELECT a FROM b)"},
        {SQL_INSERT, "INSERT INTO a (site, id) SELECT n, id FROM b"},
        {SQL_KEY, "CREATE TABLE a (site {int} NOT NULL, id {id} NOT NULL PRIMARY KEY)"},
        {SQL_KEY, "CREATE TABLE a (site {int} NOT NULL, id {id} NOT NULL, PRIMARY KEY (id, site))"},
        {SQL_KEY, "CREATE TABLE a (site {int} NOT NULL, n {int} UNIQUE, PRIMARY KEY (site, n))"},
        {SQL_KEY, "CREATE TABLE a (site {int} NOT NULL, n {int}, UNIQUE (n))"},
        {SQL_KEY, "CREATE TABLE a (site {int} NOT NULL, n {int}, EXCLUDE USING gist (n WITH =))"},
        {SQL_KEY, "CREATE UNIQUE INDEX IF NOT EXISTS a_n ON a (n, site)"},
        {SQL_KEY, "CREATE INDEX a_n ON a (n)"},
        {SQL_PLACE, "CREATE TABLE elsewhere (id {id} NOT NULL PRIMARY KEY)"},
        {SQL_FOREIGN, "CREATE TABLE a (site {int} NOT NULL, b {id} REFERENCES b (id))"},
        {SQL_FOREIGN, "CREATE TABLE a (site {int} NOT NULL, b {id}, FOREIGN KEY (b) REFERENCES b (id))"},
        {SQL_ON_DELETE, "CREATE TABLE a (site {int}, b {id}, FOREIGN KEY (site, b) REFERENCES b (site, id) ON DELETE SET NULL)"},
        {SQL_PROGRAM, "CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()"},
        {SQL_PROGRAM, "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"},
        {SQL_SEQUENCE, "CREATE TABLE a (site {int} NOT NULL, id BIGSERIAL, PRIMARY KEY (site, id))"},
        {SQL_SEQUENCE, "CREATE TABLE a (site {int} NOT NULL, id BIGINT GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (site, id))"},
        {SQL_SEQUENCE, "CREATE SEQUENCE s"},
        {SQL_VOLATILE, "CREATE TABLE a (site {int} NOT NULL, id {id} DEFAULT gen_random_uuid(), PRIMARY KEY (site, id))"},
        {SQL_ALTER, "ALTER TABLE a ADD COLUMN m {int}, ADD CHECK (m > 0)"},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (!(bits_of(bad[i].sql, true) & 1u << bad[i].habit)) unit_fail(__FILE__, __LINE__, "not found: %s", bad[i].sql);
}

TEST(what_citus_takes_is_not_found_fault_with) {
    static const char *const stmts[] = {
        "SELECT id FROM a WHERE site = $1 AND (n IS NULL OR n < $2) ORDER BY id LIMIT $3",
        "SELECT id FROM a WHERE $1 = site AND n IS DISTINCT FROM $2",
        "SELECT x.id FROM a AS x LEFT JOIN b y ON y.site = x.site AND y.a = x.id WHERE x.site = $1 AND y.id IS NULL",
        "SELECT x.id FROM a x, b y WHERE y.site = x.site AND x.site = $1",
        "SELECT id FROM a x WHERE x.site = $1 UNION ALL SELECT id FROM b x WHERE x.site = $1 ORDER BY 1",
        "SELECT a.id FROM a WHERE a.site = $1 AND EXISTS (SELECT 1 FROM b WHERE b.site = a.site AND b.a = a.id AND (b.id = $2 OR b.id = $3))",
        "WITH r AS (SELECT id FROM a WHERE site = $1) SELECT b.id FROM b JOIN r ON r.id = b.a WHERE b.site = $1",
        "SELECT count(*) FROM (SELECT id FROM a WHERE site = $1) z",
        "INSERT INTO a (site, id) VALUES ($1, $2) ON CONFLICT (site, id) DO UPDATE SET n = excluded.n WHERE a.n < excluded.n RETURNING n",
        "INSERT INTO a (site, id) SELECT $1, id FROM b WHERE site = $1 ON CONFLICT DO NOTHING",
        "UPDATE a SET n = $3 WHERE site = $1 AND id = $2",
        "DELETE FROM a USING b WHERE a.site = $1 AND b.site = a.site AND b.a = a.id",
        "SELECT n FROM a WHERE site = $1 AND id = $2 {for_update}",
        "SELECT max(name) FROM here",
        "INSERT INTO here (name) VALUES ($1) ON CONFLICT (name) DO NOTHING",
    };
    static const char *const scripts[] = {
        example_tables,
        "CREATE UNIQUE INDEX IF NOT EXISTS a_n ON a (site, n) WHERE n IS NOT NULL; ALTER TABLE a ADD COLUMN m {int};",
        "INSERT INTO b (site, id) SELECT site, id FROM a WHERE n = 1; DELETE FROM a WHERE n = 1; UPDATE a SET n = 2;",
        "CREATE TABLE a (site {int}, b {id}, FOREIGN KEY (site, b) REFERENCES b (site, id))",
    };
    for (size_t i = 0; i < COUNT(stmts); i++) CHECK_INT(report(stmts[i], bits_of(stmts[i], false)), 0);
    for (size_t i = 0; i < COUNT(scripts); i++) CHECK_INT(report(scripts[i], bits_of(scripts[i], true)), 0);
}
