/* The unit test runner: TEST(sentence) { CHECK(...); } registers itself; each runs in a child process. */
#ifndef UNIT_H
#define UNIT_H

#include "base/base.h"

struct unit_test {
    const char *name, *file;
    void (*run)(void);
    struct unit_test *next;
};
void unit_register(struct unit_test *t);
void unit_fail(const char *file, int line, const char *fmt, ...) PRINTF(3, 4) NORETURN;

#define TEST(sentence)                                                                                                 \
    static void test_##sentence(void);                                                                                 \
    __attribute__((constructor)) static void register_##sentence(void) {                                               \
        static struct unit_test t = {#sentence, __FILE__, test_##sentence, NULL};                                      \
        unit_register(&t);                                                                                             \
    }                                                                                                                  \
    static void test_##sentence(void)

#define CHECK(x) ((x) ? (void)0 : unit_fail(__FILE__, __LINE__, "%s", #x))
#define CHECK_INT(got, want)                                                                                           \
    do {                                                                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                  \
        if (got_ != want_) unit_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_);                   \
    } while (0)
#define CHECK_STR(got, want)                                                                                           \
    do {                                                                                                               \
        struct str got_ = (got), want_ = str_z(want);                                                                  \
        if (!str_eq(got_, want_)) unit_fail(__FILE__, __LINE__, "%s is \"%.*s\", not \"%s\"", #got, STR_FMT(got_), want); \
    } while (0)
/* Ends the test as neither passed nor failed; the runner names it. */
void unit_skip(const char *why) NORETURN;
/* The sites of this run are on a server (LF_DB): there is no file to look into. */
bool unit_on_server(void);
/* On a server, from here on LF_DB is an empty database, taken away at the end: for a test that makes or changes tables.  Else the tables may be there. */
void unit_own_database(void);
/* A fresh directory for this test, removed at its end. */
const char *unit_dir(void);

#endif
