/* The SQLite engine.
 *
 * One connection holds, by the slot of each statement, its prepared form, the way from SQLite's parameter index to the
 * number in $N ("$1" is only a name to SQLite, numbered by first appearance) and the rows of it: nothing is allocated for
 * a query.  Texts and blobs are bound where they lie.  Settings and their reasons are in `pragmas`. */
#include "db_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "db/db_sqlite_log.h"

enum { BUSY_MS = 5000, PARAM_MAX = 999, BACKUP_PAGES = 1024, INTEGRITY_TEXT = 64 << 10, SQL_MOST = 1 << 20 };

enum rows_state { ROWS_IDLE, ROWS_OPEN, ROWS_END };
struct sqlite_rows {
    struct rows base;
    const char *name;
    sqlite3_stmt *prepared;
    enum rows_state state;
    int params;
    size_t highest;   /* the largest N */
    int16_t *number;  /* of parameter i + 1: N - 1 */
    struct val *vals; /* the values of a query: the caller's array may be gone at the first rows_next */
};
struct sqlite_db {
    struct db base;
    sqlite3 *c;
    sqlite3_stmt *steps[STEP__COUNT];
    struct sqlite_rows **slots;
    unsigned slot_count;
};

static struct sqlite_db *sq(struct db *db) {
    return (struct sqlite_db *)db;
}

static void *must(void *p) {
    INVARIANT(p);
    return p;
}

/* ---- errors ---- */
/* SQLite knows the system's error of a statement but not that of a COMMIT, and calls only ENOSPC "full": a quota is an I/O
 * error to it.  So errno, too, is looked at; it is 0 before the step. */
static int step(sqlite3_stmt *st) {
    errno = 0;
    return sqlite3_step(st);
}

static bool no_room(int system_error) {
    return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

static enum err_code code_of(sqlite3 *c, int rc) {
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_RETRY;
    case SQLITE_FULL: return ERR_STORAGE_FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return no_room(sqlite3_system_errno(c)) || no_room(errno) ? ERR_STORAGE_FULL : ERR_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID
                   ? ERR_CONFLICT
                   : ERR_DB;
    default: return ERR_DB;
    }
}

static int fail_text(const char *what, const char *text, struct err *e) {
    char both[160];
    snprintf(both, sizeof both, "%s: %s", what, text);
    return err_set(e, ERR_DB, NULL, M_DB_TEXT, both);
}

static int fail(sqlite3 *c, const char *what, int rc, struct err *e) {
    enum err_code code = code_of(c, rc);
    if (code == ERR_STORAGE_FULL) return err_set(e, code, NULL, M_DISK_FULL);
    char text[160];
    snprintf(text, sizeof text, "%s: %s", what, sqlite3_errmsg(c));
    return err_set(e, code, NULL, M_DB_TEXT, text);
}

/* ---- statements ---- */
static void rows_free(struct sqlite_rows *r) {
    if (!r) return;
    sqlite3_finalize(r->prepared);
    free(r->number);
    free(r->vals);
    free(r);
}

static void rows_freep(struct sqlite_rows **r) {
    rows_free(*r);
}

static int number_params(struct sqlite_rows *r, struct err *e) {
    r->params = sqlite3_bind_parameter_count(r->prepared);
    r->number = must(calloc((size_t)r->params + 1, sizeof *r->number));
    for (int i = 0; i < r->params; i++) {
        const char *param = sqlite3_bind_parameter_name(r->prepared, i + 1);
        int64_t n;
        if (!param || param[0] != '$' || !str_to_int(str_z(param + 1), 1, PARAM_MAX, &n)) return fail_text(r->name, "parameters must be $1 $2 ...", e);
        r->number[i] = (int16_t)(n - 1);
        r->highest = MAX(r->highest, (size_t)n);
    }
    r->vals = must(calloc(r->highest + 1, sizeof *r->vals));
    return 0;
}

static int prepare(struct sqlite_db *db, const struct stmt *s, unsigned flags, struct sqlite_rows **ret, struct err *e) {
    struct sqlite_rows *r CLEANUP(rows_freep) = must(calloc(1, sizeof *r));
    r->base.db = &db->base;
    r->name = s->name;
    const char *tail = "";
    struct buf sql CLEANUP(buf_release) = BUF(SQL_MOST);
    TRY(db_script_expand(sqlite_engine.types, str_z(s->sql), &sql, e));
    int rc = sqlite3_prepare_v3(db->c, buf_str(&sql).p, (int)sql.n, flags, &r->prepared, &tail);
    if (rc) return fail(db->c, s->name, rc, e);
    if (!r->prepared || str_trim(str_z(tail)).n) {
        return fail_text(s->name, "must be one statement", e);
    }
    TRY(number_params(r, e));
    *ret = TAKE(r);
    return 0;
}

static int slot_get(struct sqlite_db *db, const struct stmt *s, struct sqlite_rows **ret, struct err *e) {
    INVARIANT(s->slot > 0);
    if (s->slot >= db->slot_count) {
        unsigned want = MAX(s->slot + 1, db->slot_count * 2);
        db->slots = must(realloc(db->slots, want * sizeof(db->slots[0])));
        memset(db->slots + db->slot_count, 0, (want - db->slot_count) * sizeof(db->slots[0]));
        db->slot_count = want;
    }
    if (!db->slots[s->slot]) TRY(prepare(db, s, SQLITE_PREPARE_PERSISTENT, &db->slots[s->slot], e));
    *ret = db->slots[s->slot];
    INVARIANT((*ret)->state == ROWS_IDLE);
    return 0;
}

static int bind_one(sqlite3_stmt *st, int at, const struct val *v) {
    switch (v->type) {
    case V_INT: return sqlite3_bind_int64(st, at, v->i);
    case V_REAL: return sqlite3_bind_double(st, at, v->r);
    case V_TEXT: return sqlite3_bind_text64(st, at, v->s.p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case V_BLOB: return sqlite3_bind_blob64(st, at, v->s.p, v->s.n, SQLITE_STATIC);
    case V_ID: return sqlite3_bind_blob64(st, at, v->id.b, sizeof v->id.b, SQLITE_STATIC);
    case V_NULL: break;
    }
    return SQLITE_OK;
}

static void let_go(struct sqlite_rows *r) {
    sqlite3_reset(r->prepared);
    sqlite3_clear_bindings(r->prepared);
    r->state = ROWS_IDLE;
}

static int bind_all(struct sqlite_db *db, struct sqlite_rows *r, const struct val *v, struct err *e) {
    for (int i = 0; i < r->params; i++) {
        if (v[r->number[i]].type == V_NULL) continue; /* let_go left it so */
        int rc = bind_one(r->prepared, i + 1, &v[r->number[i]]);
        if (rc) {
            fail(db->c, r->name, rc, e);
            let_go(r);
            return -1;
        }
    }
    return 0;
}

static int sqlite_run(struct db *base, const struct stmt *s, const struct val *v, size_t n, int64_t *ret_changed,
                      struct err *e) {
    struct sqlite_db *db = sq(base);
    struct sqlite_rows *r;
    TRY(slot_get(db, s, &r, e));
    INVARIANT(n >= r->highest);
    TRY(bind_all(db, r, v, e));
    sqlite3_int64 before = ret_changed ? sqlite3_total_changes64(db->c) : 0;
    int rc;
    while ((rc = step(r->prepared)) == SQLITE_ROW) {}
    int result = rc == SQLITE_DONE ? 0 : fail(db->c, s->name, rc, e);
    let_go(r);
    /* sqlite3_changes64 speaks of the last statement that changed something, which need not be this one. */
    if (result == 0 && ret_changed)
        *ret_changed = sqlite3_total_changes64(db->c) == before ? 0 : sqlite3_changes64(db->c);
    return result;
}

static int sqlite_query(struct db *base, const struct stmt *s, const struct val *v, size_t n, struct rows **ret,
                        struct err *e) {
    struct sqlite_rows *r;
    TRY(slot_get(sq(base), s, &r, e));
    INVARIANT(n >= r->highest);
    if (r->highest) memcpy(r->vals, v, r->highest * sizeof *v);
    TRY(bind_all(sq(base), r, r->vals, e));
    r->state = ROWS_OPEN;
    *ret = &r->base;
    return 0;
}

static int sqlite_sync(struct db *db UNUSED, struct err *e UNUSED) {
    return 0;
}

static int sqlite_next(struct rows *base, struct err *e) {
    struct sqlite_rows *r = (struct sqlite_rows *)base;
    INVARIANT(r->state != ROWS_IDLE);
    if (r->state == ROWS_END) return 0;
    int rc = step(r->prepared);
    if (rc == SQLITE_ROW) return 1;
    r->state = ROWS_END;
    return rc == SQLITE_DONE ? 0 : fail(sq(base->db)->c, r->name, rc, e);
}

static void sqlite_done(struct rows *base) {
    let_go((struct sqlite_rows *)base);
}

static sqlite3_stmt *at_row(struct rows *base, int col) {
    struct sqlite_rows *r = (struct sqlite_rows *)base;
    INVARIANT(r->state == ROWS_OPEN && col >= 0 && col < sqlite3_data_count(r->prepared));
    return r->prepared;
}

static bool col_null(struct rows *r, int col) {
    return sqlite3_column_type(at_row(r, col), col) == SQLITE_NULL;
}

static int64_t col_int(struct rows *r, int col) {
    return sqlite3_column_int64(at_row(r, col), col);
}

static double col_real(struct rows *r, int col) {
    return sqlite3_column_double(at_row(r, col), col);
}

static struct str col_text(struct rows *r, int col) {
    sqlite3_stmt *st = at_row(r, col);
    const char *p = (const char *)sqlite3_column_text(st, col);
    return (struct str){must((void *)p), (size_t)sqlite3_column_bytes(st, col)};
}

static struct str col_blob(struct rows *r, int col) {
    sqlite3_stmt *st = at_row(r, col);
    const char *p = sqlite3_column_blob(st, col); /* NULL for an empty blob */
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(st, col)};
}

/* ---- transactions ---- */
static const char *const step_sql[STEP__COUNT] = {
    [STEP_BEGIN_READ] = "BEGIN",   [STEP_BEGIN_WRITE] = "BEGIN IMMEDIATE", [STEP_COMMIT] = "COMMIT",
    [STEP_ROLLBACK] = "ROLLBACK",  [STEP_SAVEPOINT] = "SAVEPOINT s",       [STEP_RELEASE] = "RELEASE s",
    [STEP_ROLLBACK_TO] = "ROLLBACK TO s",
};

static int sqlite_tx(struct db *base, enum db_step which, struct err *e) {
    struct sqlite_db *db = sq(base);
    sqlite3_stmt **st = &db->steps[which];
    if (!*st) {
        int rc = sqlite3_prepare_v3(db->c, step_sql[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
        if (rc) return fail(db->c, step_sql[which], rc, e);
    }
    int rc = step(*st);
    int result = rc == SQLITE_DONE ? 0 : fail(db->c, step_sql[which], rc, e);
    sqlite3_reset(*st);
    return result;
}

static bool sqlite_in_transaction(struct db *db) {
    return !sqlite3_get_autocommit(sq(db)->c);
}

/* ---- opening and closing ---- */
static void sqlite_close(struct db *base) {
    struct sqlite_db *db = sq(base);
    for (unsigned i = 0; i < db->slot_count; i++) rows_free(db->slots[i]);
    for (int i = 0; i < STEP__COUNT; i++) sqlite3_finalize(db->steps[i]);
    int rc = sqlite3_close(db->c);
    INVARIANT(rc == SQLITE_OK);
    free(db->slots);
    free(db);
}

static void sqlite_closep(struct sqlite_db **db) {
    if (*db) sqlite_close(&(*db)->base);
}

/* Counting memory takes a lock in each allocation: without it two reading threads are twice as fast. */
static const char *log_vfs;
static void configure_once(void) {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    log_vfs = db_sqlite_log_vfs();
}

static int execute(sqlite3 *c, const char *what, const char *sql, struct err *e) {
    errno = 0;
    int rc = sqlite3_exec(c, sql, NULL, NULL, NULL);
    return rc ? fail(c, what, rc, e) : 0;
}

static const struct {
    enum { FOR_ALL, FOR_READER, FOR_WRITER } who;
    const char *sql;
} pragmas[] = {
    {FOR_ALL, "PRAGMA foreign_keys = ON"},
    {FOR_ALL, "PRAGMA temp_store = MEMORY"},
    {FOR_ALL, "PRAGMA trusted_schema = OFF"},
    {FOR_WRITER, "PRAGMA journal_mode = WAL"},
    {FOR_WRITER, "PRAGMA synchronous = FULL"}, /* an answer means that the commit is on the disk */
    {FOR_WRITER, "PRAGMA cache_size = -65536"},
    {FOR_WRITER, "PRAGMA wal_autocheckpoint = 20000"}, /* a thread calls db_checkpoint long before */
    {FOR_WRITER, "PRAGMA journal_size_limit = 268435456"},
    {FOR_READER, "PRAGMA cache_size = -16384"},
    {FOR_READER, "PRAGMA mmap_size = 33554432"}, /* each reader has a mapping of its own, and all count as memory of the process */
    {FOR_READER, "SELECT 1 FROM sqlite_schema LIMIT 1"}, /* SQLite reads nothing before: a file of another kind shows here */
};

static int set_up(sqlite3 *c, const char *path, enum db_mode mode, struct err *e) {
    sqlite3_extended_result_codes(c, 1);
    sqlite3_busy_timeout(c, BUSY_MS);
    sqlite3_db_config(c, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* "x" is a name only: a mistyped column must not become a literal. */
    sqlite3_db_config(c, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(c, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (mode != DB_READ && sqlite3_db_readonly(c, "main")) return err_set(e, ERR_IO, NULL, M_FILE, path, strerror(EACCES));
    for (size_t i = 0; i < COUNT(pragmas); i++)
        if (pragmas[i].who == FOR_ALL || (pragmas[i].who == FOR_READER) == (mode == DB_READ))
            TRY(execute(c, path, pragmas[i].sql, e));
    return 0;
}

/* SQLite gives -wal and -shm the mode of the database file, so it is enough to make that one. */
static int create_private(const char *path, struct err *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : err_set(e, no_room(errno) ? ERR_STORAGE_FULL : ERR_IO, NULL, M_FILE, path, strerror(errno));
    close(fd);
    return 0;
}

static int sqlite_open(const char *path, enum db_mode mode, struct db **ret, struct err *e) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_once);
    if (mode == DB_CREATE) TRY(create_private(path, e));
    struct stat st;
    if (stat(path, &st)) return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, NULL, M_FILE, path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return err_set(e, ERR_IO, NULL, M_FILE, path, "not a regular file");

    struct sqlite_db *db CLEANUP(sqlite_closep) = must(calloc(1, sizeof *db));
    db->base.engine = &sqlite_engine;
    int flags = SQLITE_OPEN_NOMUTEX | (mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int rc = sqlite3_open_v2(path, &db->c, flags, mode == DB_READ ? NULL : log_vfs);
    if (rc) return fail(db->c, path, rc, e);
    TRY(set_up(db->c, path, mode, e));
    *ret = &TAKE(db)->base;
    return 0;
}

/* ---- care ---- */
static int sqlite_script(struct db *db, const char *sql, struct err *e) {
    return execute(sq(db)->c, "script", sql, e);
}

static int sqlite_check(struct db *db, const struct stmt *const *s, size_t n, struct err *e) {
    for (size_t i = 0; i < n; i++) {
        struct sqlite_rows *r CLEANUP(rows_freep) = NULL;
        TRY(prepare(sq(db), s[i], 0, &r, e));
    }
    return 0;
}

static bool sqlite_table_exists(struct db *db, const char *table) {
    return sqlite3_table_column_metadata(sq(db)->c, "main", table, NULL, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

/* Without figures SQLite takes `site = ?` to leave ten rows and walks through a million residents in the order of their ids to find one by
 * its hash.  The figures are made up, not counted: plans are then the same on every site, empty or full.  Where all rows are wanted the
 * primary key comes first. */
static const char plan_figures[] =
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) SELECT tbl, idx, CASE origin WHEN 'pk' THEN '1000000 900000' ELSE '1000000 1000000' END "
    "|| CASE columns WHEN 2 THEN '' WHEN 3 THEN ' 100' WHEN 4 THEN ' 100 10' ELSE ' 100 10 5' END "
    "|| CASE WHEN only THEN ' 1' WHEN columns = 2 THEN ' 100' ELSE ' 5' END FROM "
    "(SELECT t.name AS tbl, CASE WHEN t.wr AND l.origin = 'pk' THEN t.name ELSE l.name END AS idx, l.origin, l.[unique] AS only, "
    "(SELECT count(*) FROM pragma_index_info(l.name)) AS columns FROM pragma_table_list AS t JOIN pragma_index_list(t.name) AS l "
    "WHERE t.schema = 'main' AND t.type = 'table' AND (SELECT name FROM pragma_index_info(l.name) WHERE seqno = 0) = 'site') AS i "
    "WHERE columns > 1 AND NOT EXISTS (SELECT 1 FROM sqlite_stat1 AS s WHERE s.tbl = i.tbl AND s.idx = i.idx)";

static int sqlite_plan(struct db *base, struct err *e) {
    sqlite3 *c = sq(base)->c;
    if (!sqlite_table_exists(base, "sqlite_stat1")) TRY(execute(c, "plan", "ANALYZE sqlite_schema; ANALYZE migration", e));
    sqlite3_int64 before = sqlite3_total_changes64(c);
    TRY(execute(c, "plan", plan_figures, e));
    return sqlite3_total_changes64(c) == before ? 0 : execute(c, "plan", "ANALYZE sqlite_schema", e);
}

static int sqlite_checkpoint(struct db *db, int64_t *ret_pages, struct err *e) {
    int pages = 0;
    errno = 0;
    int rc = sqlite3_wal_checkpoint_v2(sq(db)->c, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, NULL);
    *ret_pages = MAX(pages, 0);
    return rc && rc != SQLITE_BUSY ? fail(sq(db)->c, "checkpoint", rc, e) : 0;
}

/* Through the engine's own descriptor: closing another one would end its locks. */
static int sqlite_sync_file(struct db *base, struct err *e) {
    sqlite3 *c = sq(base)->c;
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(c, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc == SQLITE_OK && file && file->pMethods) rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    return rc ? fail(c, "sync", rc, e) : 0;
}

static int sync_path(const char *path, struct err *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) ? errno : 0;
    if (fd >= 0) close(fd);
    return failed ? err_set(e, no_room(failed) ? ERR_STORAGE_FULL : ERR_IO, NULL, M_FILE, path, strerror(failed)) : 0;
}

/* The one it lies in: its name is on the disk. */
static int sync_folder(const char *path, struct err *e) {
    const char *slash = strrchr(path, '/');
    struct arena a CLEANUP(arena_release) = {0};
    return sync_path(slash ? arena_printf(&a, "%.*s/", (int)(slash - path), path) : ".", e);
}

static int note_log_pages(void *base, sqlite3 *c UNUSED, const char *name UNUSED, int pages) {
    ((struct db *)base)->log_pages = pages;
    return SQLITE_OK;
}

/* With NORMAL the log is synced by checkpoints only, and before it begins anew: its order on the disk holds, and whoever syncs its file has all commits before. */
static int sqlite_log_apart(struct db *base, int *ret_fd, struct err *e) {
    struct sqlite_db *db = sq(base);
    TRY(execute(db->c, "log", "SELECT 1 FROM sqlite_schema LIMIT 1", e)); /* makes the file */
    const char *path = sqlite3_filename_wal(sqlite3_db_filename(db->c, "main"));
    TRY(sync_folder(path, e));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return err_set(e, ERR_IO, NULL, M_FILE, path, strerror(errno));
    int failed = execute(db->c, "log", "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0", e);
    if (failed) return close(fd), failed;
    sqlite3_wal_hook(db->c, note_log_pages, base);
    *ret_fd = fd;
    return 0;
}

static void sqlite_log_together(struct db *base) {
    struct err e;
    INVARIANT(execute(sq(base)->c, "log", "PRAGMA synchronous = FULL", &e) == 0);
}

static int copy_pages(sqlite3 *from, sqlite3 *to, struct err *e) {
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b) return fail(to, "backup", sqlite3_errcode(to), e);
    int rc;
    errno = 0;
    while ((rc = sqlite3_backup_step(b, BACKUP_PAGES)) == SQLITE_OK) {}
    int finished = sqlite3_backup_finish(b);
    if (rc == SQLITE_DONE) rc = finished;
    return rc ? fail(to, "backup", rc, e) : 0;
}

/* The copy has no journal and is not synced page by page: it gets its name only after all of it is on the disk. */
static int copy_to(sqlite3 *from, const char *part, struct err *e) {
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(part, &to, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL);
    int result = rc ? fail(to, part, rc, e) : execute(to, part, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", e);
    if (result == 0) result = copy_pages(from, to, e);
    sqlite3_close(to);
    return result;
}

static int give_name(const char *part, const char *path, struct err *e) {
    TRY(sync_path(part, e));
    int rc = renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE);
    if (rc && (errno == EINVAL || errno == ENOSYS)) rc = rename(part, path); /* a file system without NOREPLACE */
    if (rc) return err_set(e, ERR_IO, NULL, M_FILE, path, strerror(errno));
    return sync_folder(path, e);
}

static int sqlite_backup(struct db *base, const char *to_path, struct err *e) {
    struct sqlite_db *db = sq(base);
    if (access(to_path, F_OK) == 0) return err_set(e, ERR_IO, NULL, M_FILE, to_path, strerror(EEXIST));
    struct arena a CLEANUP(arena_release) = {0};
    const char *part = arena_printf(&a, "%s.part", to_path);
    unlink(part);
    TRY(create_private(part, e));
    /* Held over all steps: without the snapshot each commit of a writer would start the copy again. */
    int result = sqlite_tx(base, STEP_BEGIN_READ, e);
    if (result == 0) result = execute(db->c, "backup", "SELECT 1 FROM sqlite_schema LIMIT 1", e);
    if (result == 0) result = copy_to(db->c, part, e);
    struct err ignored;
    if (sqlite_in_transaction(base)) sqlite_tx(base, STEP_ROLLBACK, &ignored);
    if (result == 0) result = give_name(part, to_path, e);
    if (result) unlink(part);
    return result;
}

static int sqlite_integrity(struct db *base, struct arena *a, struct str *ret, struct err *e) {
    struct sqlite_db *db = sq(base);
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db->c, "PRAGMA integrity_check(20)", -1, &st, NULL);
    if (rc) return fail(db->c, "integrity", rc, e);
    struct buf text CLEANUP(buf_release) = BUF(INTEGRITY_TEXT);
    while ((rc = step(st)) == SQLITE_ROW) {
        if (text.n) buf_addc(&text, '\n');
        buf_addz(&text, (const char *)sqlite3_column_text(st, 0));
    }
    int result = rc == SQLITE_DONE ? 0 : fail(db->c, "integrity", rc, e);
    sqlite3_finalize(st);
    if (result == 0) *ret = arena_str(a, buf_str(&text));
    return result;
}

/* ---- what only servers have ---- */
/* BEGIN IMMEDIATE is the lock. */
static int sqlite_lock_schema(struct db *db UNUSED, struct err *e UNUSED) {
    return 0;
}

static int sqlite_notify(struct db *db UNUSED, int64_t site UNUSED, struct id from UNUSED, struct err *e UNUSED) {
    return 0;
}

static int sqlite_wait(struct db *db UNUSED, int64_t site UNUSED, struct id self UNUSED, int stop_fd UNUSED, int64_t timeout_us UNUSED, struct err *e) {
    return fail_text("wait", "a file notifies nobody", e);
}

static int sqlite_distribute(struct db *db UNUSED, const char *table, const char *beside UNUSED, struct err *e) {
    return fail_text(table, "a file cannot be distributed", e);
}

static int sqlite_is_distributed(struct db *db UNUSED, const char *table UNUSED, struct err *e UNUSED) {
    return 0;
}

const struct db_engine sqlite_engine = {
    .types = {[TOKEN_INT] = "INTEGER", [TOKEN_TEXT] = "TEXT", [TOKEN_REAL] = "REAL", [TOKEN_BLOB] = "BLOB", [TOKEN_ID] = "BLOB",
              [TOKEN_CLUSTERED] = "WITHOUT ROWID", [TOKEN_FOR_UPDATE] = "", [TOKEN_BYTEWISE] = ""},
    .open = sqlite_open,
    .close = sqlite_close,
    .run = sqlite_run,
    .query = sqlite_query,
    .stream = sqlite_query,
    .sync = sqlite_sync,
    .next = sqlite_next,
    .done = sqlite_done,
    .col_null = col_null,
    .col_int = col_int,
    .col_real = col_real,
    .col_text = col_text,
    .col_blob = col_blob,
    .step = sqlite_tx,
    .in_transaction = sqlite_in_transaction,
    .script = sqlite_script,
    .check = sqlite_check,
    .table_exists = sqlite_table_exists,
    .plan = sqlite_plan,
    .checkpoint = sqlite_checkpoint,
    .sync_file = sqlite_sync_file,
    .log_apart = sqlite_log_apart,
    .log_together = sqlite_log_together,
    .backup = sqlite_backup,
    .integrity = sqlite_integrity,
    .lock_schema = sqlite_lock_schema,
    .notify = sqlite_notify,
    .wait = sqlite_wait,
    .distribute = sqlite_distribute,
    .is_distributed = sqlite_is_distributed,
};
