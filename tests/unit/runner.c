/* Runs every registered test in random order (the seed is printed; SEED=n repeats it), each in a child of its own.
 * LF_DB=postgres://.../NAME: each gets a database of its own on that server, taken away afterwards. */
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

enum verdict { PASSED, FAILED, SKIPPED, SKIP_STATUS = 77 };
static struct unit_test *tests;
static char dir[64];
static char *server; /* the database of LF_DB as it was given */

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

static bool database(const char *verb, const char *how) {
    char sql[200];
    snprintf(sql, sizeof sql, "%s unit_%d %s", verb, (int)getpid(), how);
    return shell((const char *const[]){"psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", server, "-c", sql, NULL});
}

static bool begin(void) {
    char url[1024];
    snprintf(dir, sizeof dir, "/tmp/lf-unit-XXXXXX");
    if (!mkdtemp(dir)) return false;
    if (!server) return true;
    snprintf(url, sizeof url, "%.*s/unit_%d", (int)(strrchr(server, '/') - server), server, (int)getpid());
    setenv("LF_DB", url, 1);
    return database("CREATE DATABASE", "");
}

static void end(void) {
    shell((const char *const[]){"rm", "-rf", dir, NULL});
    if (server) database("DROP DATABASE", "WITH (FORCE)");
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
    end();
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
    if (getenv("LF_DB")) server = strdup(getenv("LF_DB"));
    for (size_t i = 0; i < n; i++) {
        enum verdict v = verdict_of(all[i]);
        count[v]++;
        if (v == FAILED) printf("FAIL %s (%s, SEED=%u)\n", all[i]->name, all[i]->file, seed);
        if (v == SKIPPED) printf("SKIP %s (%s)\n", all[i]->name, all[i]->file);
    }
    printf("%zu passed, %zu failed\n", count[PASSED], count[FAILED]);
    return count[FAILED] ? 1 : 0;
}
