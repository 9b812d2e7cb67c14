/* What is the same for every engine.
 *
 * A full disk or a failed read may make an engine undo the whole transaction on its own.  Statements that follow would
 * then each commit alone, and half of a command would be kept; so from that moment everything fails with the same
 * error until db_rollback (`lost`). */
#include "db.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "db_internal.h"

enum { SCRIPT_MAX = 64 << 20 };

/* ---- the registry ---- */
static struct {
    pthread_mutex_t lock;
    const struct stmt **all;
    unsigned n, cap;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void registry_add(struct stmt *s) {
    if (registry.n == registry.cap) {
        registry.cap = registry.cap ? registry.cap * 2 : 256;
        registry.all = realloc(registry.all, registry.cap * sizeof *registry.all);
        INVARIANT(registry.all);
    }
    registry.all[registry.n++] = s;
    s->slot = registry.n;
}

void stmt_register(struct stmt *s, size_t n) {
    pthread_mutex_lock(&registry.lock);
    for (size_t i = 0; i < n; i++)
        if (!s[i].slot) registry_add(&s[i]);
    pthread_mutex_unlock(&registry.lock);
}

const struct stmt *stmt_at(size_t i) {
    pthread_mutex_lock(&registry.lock);
    const struct stmt *s = i < registry.n ? registry.all[i] : NULL;
    pthread_mutex_unlock(&registry.lock);
    return s;
}

/* ---- faults on demand: LF_FAULT=db:N or dbfull:N ---- */
static struct {
    pthread_once_t once;
    enum err_code code;
    int64_t at;
    atomic_int_fast64_t calls;
} fault = {.once = PTHREAD_ONCE_INIT};

static void fault_read(void) {
    int64_t busy = fault_asked("db"), full = fault_asked("dbfull");
    fault.at = busy + full; /* one of them */
    fault.code = busy ? ERR_RETRY : full ? ERR_STORAGE_FULL : ERR_NONE;
}

static int fault_due(struct db *db, struct err *e) {
    pthread_once(&fault.once, fault_read);
    if (fault.code == ERR_NONE || atomic_fetch_add(&fault.calls, 1) + 1 != fault.at) return 0;
    if (fault.code == ERR_RETRY) return err_set(e, ERR_RETRY, NULL, M_DB_TEXT, "LF_FAULT");
    /* A full disk is injected at its worst: the engine has undone the transaction. */
    struct err ignored;
    if (db->tx) db->engine->step(db, STEP_ROLLBACK, &ignored);
    return err_set(e, ERR_STORAGE_FULL, NULL, M_DISK_FULL);
}

static int settle(struct db *db, int result, struct err *e) {
    if (result < 0 && db->tx && !db->lost.code && !db->engine->in_transaction(db)) db->lost = *e;
    return result;
}

static int still_there(struct db *db, struct err *e) {
    if (!db->lost.code) return 0;
    *e = db->lost;
    return -1;
}

static int ready(struct db *db, struct err *e) {
    TRY(still_there(db, e));
    return settle(db, fault_due(db, e), e);
}

/* ---- opening ---- */
int db_open(const char *url, enum db_mode mode, struct db **ret, struct err *e) {
    if (db_is_server(url)) return postgres_engine.open(url, mode, ret, e);
    if (strstr(url, "://")) return err_set(e, ERR_DB, NULL, M_DB_TEXT, "no database engine for this address");
    return sqlite_engine.open(url, mode, ret, e);
}

bool db_is_server(const char *url) {
    return str_starts(str_z(url), STR("postgres://")) || str_starts(str_z(url), STR("postgresql://"));
}

bool db_shared(const struct db *db) {
    return db->engine->shared;
}

void db_close(struct db *db) {
    if (!db) return;
    INVARIANT(db->open_rows == 0);
    db->engine->close(db);
}

void db_closep(struct db **db) {
    db_close(*db);
}

/* ---- statements ---- */
int db_run_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, int64_t *ret_changed, struct err *e) {
    TRY(ready(db, e));
    db->writes++;
    return settle(db, db->engine->run(db, s, v, n, ret_changed, e), e);
}

int db_sync(struct db *db, struct err *e) {
    TRY(still_there(db, e));
    return settle(db, db->engine->sync(db, e), e);
}

int db_send(struct db *db, struct err *e) {
    if (!db->engine->send) return 0;
    TRY(still_there(db, e));
    return settle(db, db->engine->send(db, e), e);
}

int64_t db_writes(const struct db *db) {
    return db->writes;
}

int db_query_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e) {
    TRY(ready(db, e));
    TRY(settle(db, db->engine->query(db, s, v, n, ret, e), e));
    db->open_rows++;
    return 0;
}

int db_stream_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e) {
    INVARIANT(db->tx != TX_NONE);
    TRY(ready(db, e));
    TRY(settle(db, db->engine->stream(db, s, v, n, ret, e), e));
    db->open_rows++;
    return 0;
}

int rows_next(struct rows *r, struct err *e) {
    TRY(still_there(r->db, e));
    return settle(r->db, r->db->engine->next(r, e), e);
}

bool rows_null(struct rows *r, int col) {
    return r->db->engine->col_null(r, col);
}

int64_t rows_int(struct rows *r, int col) {
    return r->db->engine->col_int(r, col);
}

double rows_real(struct rows *r, int col) {
    return r->db->engine->col_real(r, col);
}

struct str rows_text(struct rows *r, int col) {
    return rows_null(r, col) ? STR_NONE : r->db->engine->col_text(r, col);
}

struct str rows_blob(struct rows *r, int col) {
    return rows_null(r, col) ? STR_NONE : r->db->engine->col_blob(r, col);
}

struct id rows_id(struct rows *r, int col) {
    struct id id = {0};
    struct str bytes = rows_blob(r, col);
    if (bytes.n == sizeof id.b) memcpy(id.b, bytes.p, sizeof id.b);
    return id;
}

struct val rows_val(struct rows *r, int col, enum val_type type) {
    if (rows_null(r, col)) return VNULL;
    switch (type) {
    case V_INT: return VINT(rows_int(r, col));
    case V_REAL: return VREAL(rows_real(r, col));
    case V_TEXT: return VTEXT(rows_text(r, col));
    case V_BLOB: return VBLOB(rows_blob(r, col));
    case V_ID: return VID(rows_id(r, col));
    case V_NULL: break;
    }
    return VNULL;
}

void rows_done(struct rows *r) {
    if (!r) return;
    INVARIANT(r->db->open_rows > 0);
    r->db->open_rows--;
    r->db->engine->done(r);
}

void rows_donep(struct rows **r) {
    rows_done(*r);
    *r = NULL;
}

int db_int_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, int64_t *ret, struct err *e) {
    struct rows *r CLEANUP(rows_donep) = NULL;
    TRY(db_query_n(db, s, v, n, &r, e));
    int got = rows_next(r, e);
    if (got == 1) *ret = rows_int(r, 0);
    return got;
}

/* ---- transactions ---- */
int db_begin(struct db *db, bool write, struct err *e) {
    INVARIANT(db->tx == TX_NONE);
    TRY(db->engine->step(db, write ? STEP_BEGIN_WRITE : STEP_BEGIN_READ, e));
    db->tx = write ? TX_WRITE : TX_READ;
    db->writes = 0;
    return 0;
}

void db_rollback(struct db *db) {
    struct err ignored;
    if (db->tx) db->engine->step(db, STEP_ROLLBACK, &ignored); /* the engine may have undone it itself */
    db->tx = TX_NONE;
    db->savepoint = false;
    db->lost = (struct err){0};
}

int db_commit(struct db *db, struct err *e) {
    INVARIANT(db->tx && !db->savepoint);
    if (ready(db, e) || db->engine->step(db, STEP_COMMIT, e)) {
        db_rollback(db);
        return -1;
    }
    db->tx = TX_NONE;
    return 0;
}

int db_commit_send(struct db *db, struct err *e) {
    if (!db->engine->commit_send) return db_commit(db, e);
    INVARIANT(db->tx && !db->savepoint);
    if (ready(db, e) || db->engine->commit_send(db, e)) {
        db_rollback(db);
        return -1;
    }
    db->tx = TX_NONE;
    return 0;
}

int db_commit_end(struct db *db, struct err *e) {
    if (!db->engine->commit_end || db->engine->commit_end(db, e) == 0) return 0;
    db->tx = TX_WRITE;
    db_rollback(db);
    return -1;
}

bool db_in_transaction(struct db *db) {
    return db->tx != TX_NONE;
}

int db_savepoint(struct db *db, struct err *e) {
    INVARIANT(db->tx && !db->savepoint);
    TRY(still_there(db, e));
    TRY(settle(db, db->engine->step(db, STEP_SAVEPOINT, e), e));
    db->savepoint = true;
    return 0;
}

static int leave_savepoint(struct db *db, enum db_step step, struct err *e) {
    INVARIANT(db->savepoint);
    db->savepoint = false;
    TRY(still_there(db, e));
    return settle(db, db->engine->step(db, step, e), e);
}

int db_release(struct db *db, struct err *e) {
    return leave_savepoint(db, STEP_RELEASE, e);
}

int db_rollback_to(struct db *db, struct err *e) {
    TRY(leave_savepoint(db, STEP_ROLLBACK_TO, e));
    return settle(db, db->engine->step(db, STEP_RELEASE, e), e);
}

/* ---- care ---- */
int db_script(struct db *db, struct str sql, struct err *e) {
    TRY(still_there(db, e));
    struct buf expanded CLEANUP(buf_release) = BUF(SCRIPT_MAX);
    TRY(db_script_expand(db->engine->types, sql, &expanded, e));
    return settle(db, db->engine->script(db, buf_str(&expanded).p, e), e);
}

int db_check_statements(struct db *db, struct err *e) {
    enum { AT_ONCE = 1024 };
    const struct stmt *some[AT_ONCE], *s;
    size_t n = 0;
    for (size_t i = 0; (s = stmt_at(i)); i++) {
        some[n++] = s;
        if (n < AT_ONCE) continue;
        TRY(db->engine->check(db, some, n, e));
        n = 0;
    }
    return db->engine->check(db, some, n, e);
}

bool db_table_exists(struct db *db, const char *table) {
    return db->engine->table_exists(db, table);
}

int db_plan(struct db *db, struct err *e) {
    TRY(still_there(db, e));
    return settle(db, db->engine->plan(db, e), e);
}

int db_lock_schema(struct db *db, struct err *e) {
    INVARIANT(db->tx == TX_WRITE);
    return settle(db, db->engine->lock_schema(db, e), e);
}

int db_checkpoint(struct db *db, int64_t *ret_pages, struct err *e) {
    int64_t pages = 0;
    int r = db->engine->checkpoint(db, &pages, e);
    if (ret_pages) *ret_pages = pages;
    return r;
}

int db_sync_file(struct db *db, struct err *e) {
    return db->engine->sync_file ? db->engine->sync_file(db, e) : 0;
}

/* ---- the log of a file ---- */
struct db_log {
    struct db *db;
    int fd;
    int64_t fault_in; /* LF_FAULT=sync:N: the Nth fails */
};

int db_log_open(struct db *db, struct db_log **ret, struct err *e) {
    int fd;
    *ret = NULL;
    if (!db->engine->log_apart) return 0;
    TRY(db->engine->log_apart(db, &fd, e));
    *ret = malloc(sizeof **ret);
    INVARIANT(*ret);
    **ret = (struct db_log){db, fd, fault_asked("sync")};
    return 0;
}

int64_t db_log_pages(const struct db *db) {
    return db->log_pages;
}

int db_log_sync(struct db_log *l, struct err *e) {
    int failed = 0;
    if (l->fault_in && --l->fault_in == 0) failed = EIO;
    while (!failed && fdatasync(l->fd)) failed = errno == EINTR ? 0 : errno;
    return failed ? err_set(e, failed == ENOSPC || failed == EDQUOT ? ERR_STORAGE_FULL : ERR_IO, NULL, M_FILE, "wal", strerrordesc_np(failed)) : 0;
}

void db_log_close(struct db_log *l) {
    if (!l) return;
    l->db->engine->log_together(l->db);
    close(l->fd);
    free(l);
}

int db_backup(struct db *from, const char *to_path, struct err *e) {
    INVARIANT(from->tx == TX_NONE);
    return from->engine->backup(from, to_path, e);
}

int db_integrity(struct db *db, struct arena *a, struct str *ret, struct err *e) {
    return db->engine->integrity(db, a, ret, e);
}

/* ---- servers ---- */
int db_foresee_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct err *e) {
    if (!db->engine->foresee) return 0;
    TRY(still_there(db, e));
    return settle(db, db->engine->foresee(db, s, v, n, e), e);
}

void db_unforesee_n(struct db *db, const struct stmt *s, const struct val *v, size_t n) {
    if (db->engine->unforesee) db->engine->unforesee(db, s, v, n);
}

int db_notify(struct db *db, int64_t site, struct id from, struct err *e) {
    TRY(still_there(db, e));
    return settle(db, db->engine->notify(db, site, from, e), e);
}

int db_wait(struct db *db, int64_t site, struct id self, int stop_fd, int64_t timeout_us, struct err *e) {
    INVARIANT(db->tx == TX_NONE);
    return db->engine->wait(db, site, self, stop_fd, timeout_us, e);
}

int db_distribute(struct db *db, const char *table, const char *beside, struct err *e) {
    return db->engine->distribute(db, table, beside, e);
}

int db_is_distributed(struct db *db, const char *table, struct err *e) {
    return db->engine->is_distributed(db, table, e);
}

/* ---- values ---- */
static bool val_is_null(const struct val *v) {
    return v->type == V_NULL || ((v->type == V_TEXT || v->type == V_BLOB) && !v->s.p);
}

bool val_eq(const struct val *a, const struct val *b) {
    if (val_is_null(a) || val_is_null(b)) return val_is_null(a) && val_is_null(b);
    if (a->type != b->type) return false;
    switch (a->type) {
    case V_INT: return a->i == b->i;
    case V_REAL: return a->r == b->r;
    case V_TEXT:
    case V_BLOB: return str_eq(a->s, b->s);
    case V_ID: return id_eq(a->id, b->id);
    case V_NULL: break;
    }
    return true;
}

struct val val_copy(struct arena *a, const struct val *v) {
    struct val copy = *v;
    if ((v->type == V_TEXT || v->type == V_BLOB) && v->s.p) copy.s = arena_str(a, v->s);
    return copy;
}
