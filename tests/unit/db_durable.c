/* Several connections, a full disk, a killed process, damaged files, copies and faults. */
#include "base/buf.h"
#include "db/db.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct stmt all[] = {
    STMT(d_add, "INSERT INTO d(n, pad) VALUES($1, $2)"),
    STMT(d_count, "SELECT count(*) FROM d"),
    STMT(d_holes, "SELECT max(n) - count(*) FROM d"),
    STMT(d_limit, "PRAGMA max_page_count = 60"),
    STMT(d_no_limit, "PRAGMA max_page_count = 1000000"),
    STMT(d_list, "SELECT n FROM d ORDER BY n"),
    STMT(d_little_memory, "PRAGMA cache_size = 5"),
    STMT(d_touch, "UPDATE d SET pad = substr(pad, 2) || 'y' WHERE n % $1 = 0"),
};
enum { ADD, COUNT_D, HOLES, LIMIT, NO_LIMIT, LIST, LITTLE_MEMORY, TOUCH };

static const char *path_of(const char *name) {
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % COUNT(paths)];
    snprintf(path, sizeof paths[0], "%s/%s", unit_dir(), name);
    return path;
}

static struct db *open_at(const char *name, enum db_mode mode) {
    struct db *db;
    struct err e;
    stmt_register(all, COUNT(all));
    CHECK(db_open(path_of(name), mode, &db, &e) == 0);
    return db;
}

static struct db *open_new(void) {
    struct db *db = open_at("d.db", DB_CREATE);
    struct err e;
    CHECK(db_script(db, STR("CREATE TABLE d(n {int} PRIMARY KEY, pad {text}) STRICT"), &e) == 0);
    return db;
}

static int add(struct db *db, int64_t n, struct err *e) {
    static char pad[200];
    memset(pad, 'x', sizeof pad);
    return db_run(db, &all[ADD], e, VINT(n), VTEXT(((struct str){pad, sizeof pad})));
}

static int64_t number(struct db *db, const struct stmt *s) {
    struct err e;
    int64_t n = -1;
    CHECK_INT(db_int(db, s, &n, &e), 1);
    return n;
}

static void check_whole(struct db *db) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str text;
    struct err e;
    CHECK(db_integrity(db, &a, &text, &e) == 0);
    CHECK_STR(text, "ok");
}

TEST(a_reader_keeps_its_snapshot_while_the_writer_commits) {
    struct db *w = open_new(), *r = open_at("d.db", DB_READ);
    struct err e;
    CHECK(add(w, 1, &e) == 0);
    CHECK(db_begin(r, false, &e) == 0);
    CHECK_INT(number(r, &all[COUNT_D]), 1);
    CHECK(db_begin(w, true, &e) == 0 && add(w, 2, &e) == 0 && db_commit(w, &e) == 0);
    CHECK_INT(number(r, &all[COUNT_D]), 1);
    CHECK(db_commit(r, &e) == 0);
    CHECK_INT(number(r, &all[COUNT_D]), 2);
    CHECK(add(r, 3, &e) == -1 && e.code == ERR_DB);
    db_close(r);
    db_close(w);
}

TEST(a_second_writer_is_told_to_try_again) {
    struct db *w = open_new(), *late = open_at("d.db", DB_WRITE);
    struct err e;
    CHECK(db_begin(late, false, &e) == 0);
    CHECK_INT(number(late, &all[COUNT_D]), 0);
    CHECK(add(w, 1, &e) == 0);
    CHECK(add(late, 2, &e) == -1); /* from an old snapshot: waiting would not help */
    CHECK_INT(e.code, ERR_RETRY);
    db_rollback(late);
    CHECK(add(late, 2, &e) == 0);
    db_close(late);
    db_close(w);
}

static int64_t fill(struct db *db, int64_t from, struct err *e) {
    while (add(db, from, e) == 0) from++;
    return from - 1;
}

TEST(a_full_disk_is_refused_and_the_database_stays_whole) {
    struct db *db = open_new();
    struct err e;
    CHECK(add(db, 1, &e) == 0);
    number(db, &all[LIMIT]);
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(fill(db, 2, &e) > 100);
    CHECK_INT(e.code, ERR_STORAGE_FULL);
    CHECK_INT(e.msg, M_DISK_FULL);
    db_rollback(db);
    CHECK_INT(number(db, &all[COUNT_D]), 1);
    check_whole(db);
    number(db, &all[NO_LIMIT]);
    CHECK(add(db, 2, &e) == 0);
    db_close(db);
}

static void copy_file(const char *from, const char *to) {
    char part[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t n;
    CHECK(in >= 0 && out >= 0);
    while ((n = read(in, part, sizeof part)) > 0) CHECK(write(out, part, (size_t)n) == n);
    close(in);
    close(out);
}

/* What a machine would find that stops now: the files as they lie there, without the memory that connections share. */
static int64_t rows_if_it_stopped_now(void) {
    copy_file(path_of("d.db"), path_of("copy.db"));
    copy_file(path_of("d.db-wal"), path_of("copy.db-wal"));
    struct db *db = open_at("copy.db", DB_WRITE);
    int64_t n = number(db, &all[COUNT_D]);
    check_whole(db);
    db_close(db);
    return n;
}

/* With little memory a large transaction goes to the log before it is committed, and pages that are there already are written over. */
TEST(a_commit_lies_in_the_files_when_it_is_told) {
    struct db *db = open_new();
    struct err e;
    int64_t n = 0;
    static const int sizes[] = {1, 3, 400, 1, 2000, 2};
    struct db_log *log;
    struct rows *none;
    CHECK(db_log_open(db, &log, &e) == 0 && log); /* the disk is waited for apart, the file is not */
    CHECK(db_query_n(db, &all[LITTLE_MEMORY], NULL, 0, &none, &e) == 0);
    rows_done(none);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CHECK(db_begin(db, true, &e) == 0);
        for (int k = 0; k < sizes[i]; k++) CHECK(add(db, ++n, &e) == 0);
        CHECK(db_run(db, &all[TOUCH], &e, VINT(2)) == 0 && db_run(db, &all[TOUCH], &e, VINT(3)) == 0);
        CHECK(db_commit(db, &e) == 0);
        CHECK_INT(rows_if_it_stopped_now(), n);
        CHECK(db_begin(db, true, &e) == 0);
        for (int k = 1; k <= 500; k++) CHECK(add(db, n + k, &e) == 0);
        CHECK_INT(rows_if_it_stopped_now(), n);
        db_rollback(db);
        if (i == 3) CHECK(db_checkpoint(db, NULL, &e) == 0); /* the log begins anew */
    }
    db_log_close(log);
    db_close(db);
}

/* A file size limit of the process is met by write(), as a full disk is. */
TEST(a_write_without_room_undoes_the_whole_transaction_and_lets_nothing_slip_in) {
    struct db *db = open_new();
    struct err e;
    CHECK(add(db, 1, &e) == 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {.rlim_cur = 300 << 10, .rlim_max = RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    int64_t committed = 1;
    while (db_begin(db, true, &e) == 0 && add(db, committed + 1, &e) == 0 && db_commit(db, &e) == 0) committed++;
    CHECK_INT(e.code, ERR_STORAGE_FULL);
    CHECK_INT(e.msg, M_DISK_FULL);
    db_rollback(db);
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    CHECK_INT(number(db, &all[COUNT_D]), committed);
    check_whole(db);
    CHECK(add(db, committed + 1, &e) == 0);
    db_close(db);
}

TEST(after_a_lost_transaction_everything_fails_until_the_rollback) {
    setenv("LF_FAULT", "dbfull:3", 1);
    struct db *db = open_new();
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
    CHECK(add(db, 1, &e) == 0);
    CHECK(db_savepoint(db, &e) == 0);
    CHECK(add(db, 2, &e) == 0);
    CHECK(add(db, 3, &e) == -1 && e.code == ERR_STORAGE_FULL);
    CHECK(db_rollback_to(db, &e) == -1 && e.code == ERR_STORAGE_FULL);
    CHECK(db_savepoint(db, &e) == -1 && e.code == ERR_STORAGE_FULL);
    CHECK(add(db, 4, &e) == -1 && e.code == ERR_STORAGE_FULL);
    CHECK(db_script(db, STR("INSERT INTO d(n) VALUES(5)"), &e) == -1);
    CHECK(db_commit(db, &e) == -1 && e.code == ERR_STORAGE_FULL);
    CHECK(!db_in_transaction(db));
    CHECK_INT(number(db, &all[COUNT_D]), 0);
    CHECK(add(db, 6, &e) == 0);
    db_close(db);
}

TEST(a_fault_comes_once_and_at_its_call) {
    setenv("LF_FAULT", "db:2", 1);
    struct db *db = open_new();
    struct err e;
    CHECK(add(db, 1, &e) == 0);
    CHECK(add(db, 2, &e) == -1 && e.code == ERR_RETRY);
    CHECK(add(db, 2, &e) == 0);
    CHECK_INT(number(db, &all[COUNT_D]), 2);
    db_close(db);
}

TEST(a_commit_that_fails_leaves_nothing_behind) {
    setenv("LF_FAULT", "db:2", 1);
    struct db *db = open_new();
    struct err e;
    CHECK(db_begin(db, true, &e) == 0 && add(db, 1, &e) == 0);
    CHECK(db_commit(db, &e) == -1 && e.code == ERR_RETRY);
    CHECK(!db_in_transaction(db));
    CHECK_INT(number(db, &all[COUNT_D]), 0);
    db_close(db);
}

static void commit_and_tell(int to) {
    struct db *db = open_at("d.db", DB_WRITE);
    struct err e;
    for (int64_t n = 1;; n++) {
        if (db_begin(db, true, &e) || add(db, n, &e) || db_commit(db, &e)) _exit(1);
        if (write(to, &n, sizeof n) != sizeof n) _exit(1);
        if (n % 50 == 0 && db_checkpoint(db, NULL, &e)) _exit(1);
    }
}

/* Kills the child after it has told of at least `commits`; the last number it told. */
static int64_t kill_after(int64_t commits) {
    int fd[2];
    CHECK(pipe(fd) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(fd[0]);
        commit_and_tell(fd[1]);
    }
    close(fd[1]);
    int64_t n = 0;
    bool killed = false;
    while (read(fd[0], &n, sizeof n) == sizeof n)
        if (n >= commits && !killed) {
            kill(child, SIGKILL);
            killed = true;
        }
    close(fd[0]);
    waitpid(child, NULL, 0);
    return n;
}

TEST(what_was_reported_as_committed_survives_a_kill) {
    for (int round = 0; round < 8; round++) {
        db_close(open_new());
        int64_t told = kill_after(20 + round * 37);
        struct db *db = open_at("d.db", DB_WRITE);
        int64_t kept = number(db, &all[COUNT_D]);
        CHECK(kept == told || kept == told + 1); /* killed between the commit and the word of it */
        CHECK_INT(number(db, &all[HOLES]), 0);
        check_whole(db);
        db_close(db);
        CHECK(unlink(path_of("d.db")) == 0);
    }
}

static atomic_bool stop;
static atomic_int_fast64_t written;

static void *keep_writing(void *arg) {
    struct db *db = arg;
    struct err e;
    for (int64_t n = 1; !atomic_load(&stop); n++) {
        CHECK(db_begin(db, true, &e) == 0 && add(db, n, &e) == 0 && db_commit(db, &e) == 0);
        atomic_store(&written, n);
    }
    return NULL;
}

TEST(a_copy_made_while_writing_is_whole) {
    struct db *w = open_new(), *from = open_at("d.db", DB_READ);
    struct err e;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, keep_writing, w) == 0);
    while (atomic_load(&written) < 300) usleep(1000);
    int64_t before = atomic_load(&written);
    CHECK(db_backup(from, path_of("copy.db"), &e) == 0);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);

    struct stat st;
    CHECK(stat(path_of("copy.db"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(access(path_of("copy.db.part"), F_OK) == -1);
    struct db *copy = open_at("copy.db", DB_WRITE);
    CHECK(number(copy, &all[COUNT_D]) >= before);
    CHECK_INT(number(copy, &all[HOLES]), 0);
    check_whole(copy);
    db_close(copy);
    CHECK(db_backup(from, path_of("copy.db"), &e) == -1 && e.code == ERR_IO); /* never over an older copy */
    CHECK(db_backup(from, path_of("no/copy.db"), &e) == -1 && e.code == ERR_IO);
    db_close(from);
    db_close(w);
}

TEST(a_copy_without_room_leaves_no_file) {
    struct db *db = open_new();
    struct err e;
    for (int i = 1; i <= 2000; i++) CHECK(add(db, i, &e) == 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {.rlim_cur = 100 << 10, .rlim_max = RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(db_backup(db, path_of("copy.db"), &e) == -1);
    CHECK_INT(e.code, ERR_STORAGE_FULL);
    CHECK(access(path_of("copy.db"), F_OK) == -1 && access(path_of("copy.db.part"), F_OK) == -1);
    CHECK(!db_in_transaction(db));
    db_close(db);
}

TEST(damage_is_told) {
    struct db *db = open_new();
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
    for (int i = 1; i <= 2000; i++) CHECK(add(db, i, &e) == 0);
    CHECK(db_commit(db, &e) == 0);
    db_close(db);
    int fd = open(path_of("d.db"), O_WRONLY);
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    CHECK(pwrite(fd, junk, sizeof junk, 20 * 4096) == sizeof junk);
    close(fd);
    db = open_at("d.db", DB_READ);
    struct arena a CLEANUP(arena_release) = {0};
    struct str text = STR("ok");
    CHECK(db_integrity(db, &a, &text, &e) == -1 ? e.code == ERR_CORRUPT : !str_eqz(text, "ok"));
    struct rows *r;
    CHECK(db_query(db, &all[LIST], &r, &e) == 0);
    int got;
    while ((got = rows_next(r, &e)) == 1) {}
    CHECK(got == -1 && e.code == ERR_CORRUPT);
    rows_done(r);
    db_close(db);
}

TEST(a_checkpoint_moves_the_log_into_the_file) {
    struct db *db = open_new();
    struct err e;
    for (int i = 1; i <= 500; i++) CHECK(add(db, i, &e) == 0);
    struct stat before, after;
    CHECK(stat(path_of("d.db"), &before) == 0);
    struct db *helper = open_at("d.db", DB_WRITE);
    CHECK(db_checkpoint(helper, NULL, &e) == 0);
    CHECK(stat(path_of("d.db"), &after) == 0);
    CHECK(after.st_size > before.st_size);
    db_close(helper);
    db_close(db);
}

static bool aborts(void (*fn)(struct db *)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        fn(open_at("d.db", DB_WRITE));
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void pass_too_few(struct db *db) {
    struct err e;
    db_run(db, &all[ADD], &e, VINT(1));
}

static void open_twice(struct db *db) {
    struct err e;
    struct rows *r, *again;
    db_query(db, &all[LIST], &r, &e);
    db_query(db, &all[LIST], &again, &e);
}

static void close_with_rows(struct db *db) {
    struct err e;
    struct rows *r;
    db_query(db, &all[LIST], &r, &e);
    db_close(db);
}

TEST(our_own_mistakes_stop_the_program) {
    db_close(open_new());
    CHECK(aborts(pass_too_few));
    CHECK(aborts(open_twice));
    CHECK(aborts(close_with_rows));
}
