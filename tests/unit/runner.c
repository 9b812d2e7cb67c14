/* Runs every registered test in random order (the seed is printed; SEED=n repeats it), each in a child of its own.
 * LF_DB=postgres://.../NAME: the program makes a database of its own on that server; after each test the rows go and the tables stay, for making them costs
 * more than most tests do. */
#include <libpq-fe.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

enum verdict { PASSED, FAILED, SKIPPED, SKIP_STATUS = 77 };
static struct unit_test *tests;
static char dir[64];
static char *server; /* the database of LF_DB as it was given */
static pid_t program;

void unit_register(struct unit_test *t) {
    t->next = tests;
    tests = t;
}

void unit_fail(const char *file, int line, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "  %s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    _exit(1);
}

void unit_skip(const char *why) {
    printf("  %s\n", why);
    fflush(NULL);
    _exit(SKIP_STATUS);
}

bool unit_on_server(void) {
    return server != NULL;
}

const char *unit_dir(void) {
    return dir;
}

static bool shell(const char *const argv[]) {
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

/* False when the server refuses one of them. */
static bool ask(const char *url, const char *sql, const char *then) {
    PGconn *c = PQconnectdb(url);
    bool well = PQstatus(c) == CONNECTION_OK;
    for (; sql && well; sql = then, then = NULL) {
        PGresult *r = PQexec(c, sql);
        well = PQresultStatus(r) == PGRES_COMMAND_OK;
        PQclear(r);
    }
    PQfinish(c);
    return well;
}

/* Behind unit_PID, the database of this program, may stand one that a test has for itself. */
static const char *database_name(const char *behind) {
    static char name[40];
    snprintf(name, sizeof name, "unit_%d%s", (int)program, behind);
    return name;
}

static const char *database_url(const char *behind) {
    static char url[1024];
    snprintf(url, sizeof url, "%.*s/%s", (int)(strrchr(server, '/') - server), server, database_name(behind));
    return url;
}

/* Away with what there is of it, and a new one if wanted. */
static bool database_drop(const char *behind, bool again) {
    char drop[100], make[100];
    snprintf(drop, sizeof drop, "DROP DATABASE IF EXISTS %s WITH (FORCE)", database_name(behind));
    snprintf(make, sizeof make, "CREATE DATABASE %s", database_name(behind));
    return ask(server, "SET client_min_messages = warning", drop) && (!again || ask(server, make, NULL));
}

static bool database_make(const char *behind) {
    return database_drop(behind, true) && setenv("LF_DB", database_url(behind), 1) == 0;
}

void unit_own_database(void) {
    if (server && !database_make("_own")) unit_fail(__FILE__, __LINE__, "the server makes no database");
}

/* Who still uses the database is sent away. */
static const char database_alone[] =
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
/* What its tables and their indexes are like, and what is written in those that database_clear leaves alone; no row when a site never had tables in it. */
static const char database_tables[] =
    "SELECT md5(string_agg(format('%s %s %s %s', relname, attname, atttypid, attstattarget), ',' ORDER BY relname, attnum)) "
    "FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid WHERE relnamespace = CAST('public' AS regnamespace) AND attnum > 0 HAVING to_regclass('migration') IS NOT NULL";
static const char database_lists[] =
    "SELECT md5(string_agg(list, ',' ORDER BY list)) FROM (SELECT kind || ' ' || name AS list FROM schema_column UNION ALL SELECT CAST(number AS text) FROM migration) AS lists";
static const char database_clear[] =
    "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relnamespace = CAST('public' AS regnamespace) AND relkind = 'r' AND pg_relation_size(oid) > 0 "
    "AND relname NOT IN ('migration', 'schema_column') LOOP "
    "EXECUTE CASE WHEN pg_relation_size(t) < 1000000 THEN 'DELETE FROM ' ELSE 'TRUNCATE ' END || t; END LOOP; END $$";

enum { SHAPE = 80, ENOUGH = 3 };
/* Behind what is there; false when the server refuses. */
static bool answer_add(PGconn *c, const char *sql, char to[SHAPE]) {
    PGresult *r = PQexec(c, sql);
    bool well = PQresultStatus(r) == PGRES_TUPLES_OK;
    size_t n = strlen(to);
    if (well && PQntuples(r)) snprintf(to + n, SHAPE - n, "%s", PQgetvalue(r, 0, 0));
    PQclear(r);
    return well;
}

/* Empty when there are no tables. */
static bool shape_read(char ret[SHAPE]) {
    char ended[SHAPE] = "";
    PGconn *c = PQconnectdb(database_url(""));
    *ret = '\0';
    bool well = answer_add(c, database_alone, ended) && answer_add(c, database_tables, ret) && (!*ret || answer_add(c, database_lists, ret));
    PQfinish(c);
    return well;
}

/* The tables stay when they are as most tests leave them: as several tests in a row have left them that began without any.  A test that makes them otherwise may be
 * the first. */
static bool database_emptied(void) {
    static char usual[SHAPE];
    static int alike;
    char shape[SHAPE];
    if (!shape_read(shape)) return false;
    if (!*shape) return true;
    if (alike < ENOUGH && strcmp(shape, usual) == 0) alike++;
    else if (alike < ENOUGH) alike = 1;
    if (alike < ENOUGH) snprintf(usual, SHAPE, "%s", shape);
    return alike >= ENOUGH && strcmp(shape, usual) == 0 && ask(database_url(""), database_clear, NULL);
}

static bool begin(void) {
    snprintf(dir, sizeof dir, "/tmp/lf-unit-XXXXXX");
    return mkdtemp(dir) != NULL;
}

static bool end(void) {
    shell((const char *const[]){"rm", "-rf", dir, NULL});
    return !server || database_emptied() || database_make("");
}

static enum verdict verdict_of(const struct unit_test *t) {
    if (!begin()) return FAILED;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(600); /* ends what hangs; a slow machine does not */
        t->run();
        exit(0); /* not _exit: the leak check runs at exit */
    }
    int status = 1;
    waitpid(child, &status, 0);
    if (!end()) return FAILED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIP_STATUS) return SKIPPED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? PASSED : FAILED;
}

int main(int argc, char **argv) {
    const char *filter = argc > 1 ? argv[1] : "";
    unsigned seed = getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)getpid();
    struct unit_test *all[4096];
    size_t n = 0, count[3] = {0};
    for (struct unit_test *t = tests; t && n < COUNT(all); t = t->next)
        if (strstr(t->name, filter) || strstr(t->file, filter)) all[n++] = t;
    srand(seed);
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rand() % i;
        struct unit_test *swap = all[i - 1];
        all[i - 1] = all[j];
        all[j] = swap;
    }
    log_quiet(true);
    program = getpid();
    if (getenv("LF_DB")) server = strdup(getenv("LF_DB"));
    if (server && !database_make("")) return 1;
    for (size_t i = 0; i < n; i++) {
        enum verdict v = verdict_of(all[i]);
        count[v]++;
        if (v == FAILED) printf("FAIL %s (%s, SEED=%u)\n", all[i]->name, all[i]->file, seed);
        if (v == SKIPPED) printf("SKIP %s (%s)\n", all[i]->name, all[i]->file);
    }
    if (server) database_drop("", false), database_drop("_own", false);
    printf("%zu passed, %zu failed\n", count[PASSED], count[FAILED]);
    return count[FAILED] ? 1 : 0;
}
