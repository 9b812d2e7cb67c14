/* The database, behind an interface that two engines fill: SQLite in a file, PostgreSQL on a server.
 *
 * SQL stands in registries of `struct stmt`, never glued from outside text.  Parameters are $1, $2 ... and are bound by that number.  Dialect:
 * what both engines take (docs/guide/developers): ON CONFLICT, RETURNING, CTEs, LIMIT $n, no now(), no LIKE on non-ASCII, every
 * ORDER BY ends in an id; sums are CAST to BIGINT; {for_update} behind a SELECT locks its rows where others could write, {bytewise} goes behind a comparison of two
 * parameters.  A db is one connection and
 * belongs to one thread at a time. */
#ifndef DB_H
#define DB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"

struct stmt {
    const char *name, *sql;
    unsigned slot; /* set by stmt_register; 0 is unregistered */
    /* INSERT ... VALUES (a row): rows run one after the other meet neither each other nor what is inserted elsewhere, so a server may be sent several in one
     * statement, later, but before anything else that it is sent. */
    bool many;
};
#define STMT(n, ...) {.name = #n, .sql = __VA_ARGS__}
/* Gives each statement its slot (once; doing it again is harmless).  The statements must stay in place. */
void stmt_register(struct stmt *s, size_t n);
const struct stmt *stmt_at(size_t i); /* of all that are registered; NULL past the end */

/* A text or blob whose pointer is NULL (STR_NONE) is NULL; an empty one is not.  A NaN is NULL. */
enum val_type { V_NULL, V_INT, V_REAL, V_TEXT, V_BLOB, V_ID };
struct val {
    enum val_type type;
    union {
        int64_t i;
        double r;
        struct str s;
        struct id id;
    };
};
#define VNULL ((struct val){.type = V_NULL})
#define VINT(v) ((struct val){.type = V_INT, .i = (v)})
#define VREAL(v) ((struct val){.type = V_REAL, .r = (v)})
#define VTEXT(v) ((struct val){.type = V_TEXT, .s = (v)})
#define VTEXTZ(v) ((struct val){.type = V_TEXT, .s = str_z(v)})
#define VBLOB(v) ((struct val){.type = V_BLOB, .s = (v)})
#define VID(v) ((struct val){.type = V_ID, .id = (v)})
bool val_eq(const struct val *a, const struct val *b);
struct val val_copy(struct arena *a, const struct val *v);

struct db;
enum db_mode { DB_READ, DB_WRITE, DB_CREATE };
/* url: a file path (SQLite), or postgres://... (libpq's address; several hosts are allowed, and a host that takes writes is looked for).  DB_READ
 * opens read-only; DB_CREATE makes the file (mode 0600) where there is none; a database on a server must be there.
 * Errors: NOT_FOUND, IO, CORRUPT (not a database), STORAGE_FULL, RETRY (the server cannot be reached now), DB. */
int db_open(const char *url, enum db_mode mode, struct db **ret, struct err *e);
void db_close(struct db *db); /* accepts NULL; an open transaction is undone; no rows may be open */
void db_closep(struct db **db);
bool db_is_server(const char *url); /* postgres:// or postgresql:// */
/* On a server: other processes write beside this one and the connection can be lost.  A lost connection is RETRY; the next db_begin makes a new one. */
bool db_shared(const struct db *db);

/* Runs a statement that returns no rows of interest.  ret_changed may be NULL.
 * Errors everywhere below: RETRY (busy, to be run again), STORAGE_FULL (M_DISK_FULL), CONFLICT (unique), CORRUPT, IO, DB (our
 * own mistake, a CHECK or a foreign key among them).  Passing fewer values than the statement uses aborts.
 *
 * Where ret_changed is NULL a server's answer is not waited for inside a write transaction (db_shared): the error then comes with a later call, at
 * the latest with db_sync, db_release or db_commit, and the transaction is lost unless a savepoint stands. */
int db_run_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, int64_t *ret_changed, struct err *e);
#define db_run(db, s, e, ...)                                                                                          \
    db_run_n((db), (s), (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val), NULL, (e))

/* Rows of a statement, one after the other.  One statement may be open several times only on different connections.
 * Texts and blobs are not copied: they must outlive rows_done.  The array of values need not. */
struct rows;
int db_sync(struct db *db, struct err *e);   /* all that was run has been done, or the first error */
int db_send(struct db *db, struct err *e);   /* what is held back (stmt.many) is sent; nothing is waited for */
int64_t db_writes(const struct db *db);      /* statements run with db_run_n since db_begin */
int db_query_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e);
#define db_query(db, s, ret, e, ...)                                                                                   \
    db_query_n((db), (s), (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val), (ret), (e))
/* The same inside a transaction for what may be more than fits into memory: the rows come as they are asked for.  Up to eight at a time. */
int db_stream_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e);
#define db_stream(db, s, ret, e, ...)                                                                                  \
    db_stream_n((db), (s), (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val), (ret), (e))
int rows_next(struct rows *r, struct err *e); /* 1: a row; 0: the end; -1: error */
int64_t rows_int(struct rows *r, int col);    /* 0 for NULL */
double rows_real(struct rows *r, int col);
struct str rows_text(struct rows *r, int col); /* until the next rows_next; STR_NONE for NULL */
struct str rows_blob(struct rows *r, int col);
struct id rows_id(struct rows *r, int col); /* nil for NULL */
bool rows_null(struct rows *r, int col);
struct val rows_val(struct rows *r, int col, enum val_type type); /* borrowed like rows_text; V_NULL for NULL */
void rows_done(struct rows *r);                                    /* accepts NULL */
void rows_donep(struct rows **r);                                  /* for CLEANUP */
/* The first column of the first row; *ret keeps its value when there is no row.  Returns 1 row, 0 none, -1 error. */
int db_int_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, int64_t *ret, struct err *e);
#define db_int(db, s, ret, e, ...)                                                                                     \
    db_int_n((db), (s), (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val), (ret), (e))

/* Transactions.  After some errors (a full disk) the engine has undone the whole transaction: then every call fails with
 * that error again until db_rollback, so that nothing can slip in beside it. */
/* write: SQLite IMMEDIATE; a server READ COMMITTED (lock a row {for_update} first); else a snapshot, that of the first read. */
int db_begin(struct db *db, bool write, struct err *e);
/* Durable when it returns 0 (but see db_log_open); otherwise undone; over either way.  Only RETRY on a server leaves open which: the connection was lost meanwhile. */
int db_commit(struct db *db, struct err *e);
/* The same in two parts: a server is sent the COMMIT, and its answer is waited for later, so that the next transaction's first questions can be sent behind it.
 * db_commit_send: -1: undone.  db_commit_end: as db_commit, for what was sent; what was begun meanwhile must not have written yet and is undone as well when it fails.
 * The connection serves nothing but db_begin, db_foresee and db_send in between.  On a file the first is all. */
int db_commit_send(struct db *db, struct err *e);
int db_commit_end(struct db *db, struct err *e);
void db_rollback(struct db *db);                        /* harmless outside a transaction */
bool db_in_transaction(struct db *db);
int db_savepoint(struct db *db, struct err *e); /* one level */
int db_release(struct db *db, struct err *e);
int db_rollback_to(struct db *db, struct err *e); /* undoes to the savepoint and releases it */

/* Several statements of DDL or DML without parameters: migrations and generated tables.  {int} {text} {real} {blob} {id}
 * become the engine's types, {clustered} behind a table what keeps its rows in key order; in literals and comments they
 * stay.  An error leaves what was done before it, unless a transaction is open and rolled back. */
int db_script(struct db *db, struct str sql, struct err *e);
/* Prepares every registered statement; names the first that fails. */
int db_check_statements(struct db *db, struct err *e);
bool db_table_exists(struct db *db, const char *table);
/* Until the end of the write transaction no other process changes the schema. */
int db_lock_schema(struct db *db, struct err *e);
/* After tables were made, in the same transaction: tells the planner that the first column of an index, the site, selects nothing. */
int db_plan(struct db *db, struct err *e);
/* Outside a transaction.  SQLite: the log into the file, passive, and how many pages the log has had since it last began anew, which it does at the next commit when
 * all of them are in the file and nobody reads them; a server: its planner looks at the tables that have doubled since it last did, and 0.
 * ret_pages may be NULL. */
int db_checkpoint(struct db *db, int64_t *ret_pages, struct err *e);
/* SQLite: what checkpoints have written into the file so far is on the disk, so that the one which completes it has little to wait for; a server: nothing. */
int db_sync_file(struct db *db, struct err *e);
/* The disk's part of commits by itself; *ret is NULL on a server, whose commits are on its disk.  From db_log_open to db_log_close db_commit of this connection returns
 * when others see what was written; db_log_sync, on any thread, when all that was committed before it began is on the disk.  Nobody may be told of it sooner. */
struct db_log;
int db_log_open(struct db *db, struct db_log **ret, struct err *e);
int db_log_sync(struct db_log *l, struct err *e); /* IO, STORAGE_FULL: nobody knows what the disk has; the second argument of the message is the system's reason */
int64_t db_log_pages(const struct db *db);        /* how many the last commit of this connection left in the log, since it last began anew; 0: not known */
void db_log_close(struct db_log *l);              /* its commits wait for the disk again; accepts NULL */
/* SQLite only.  A consistent copy while others write; to_path must be new and appears only when the copy is whole and on the disk.
 * `from` must not be in a transaction: give it a connection of its own. */
int db_backup(struct db *from, const char *to_path, struct err *e);
int db_integrity(struct db *db, struct arena *a, struct str *ret, struct err *e); /* "ok" or what is wrong */

/* Reading ahead: a query that will be asked for in this transaction is sent now, with others, and its answer is kept for db_query to ask with the same values, as
 * often as it likes; one that is never asked for costs little.  db_unforesee: what was written since changes the answers to the statement whose first two
 * values (the site and one more) are these.  A file has nothing to gain: nothing is done. */
int db_foresee_n(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct err *e);
#define db_foresee(db, s, e, ...)                                                                                      \
    db_foresee_n((db), (s), (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val), (e))
void db_unforesee_n(struct db *db, const struct stmt *s, const struct val *v, size_t n);
#define db_unforesee(db, s, ...)                                                                                       \
    db_unforesee_n((db), (s), (const struct val[]){__VA_ARGS__}, sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val))

/* ---- servers only (db_shared); a file has none of it and answers 0 or DB ---- */
/* In a write transaction: after its commit all that db_wait for the site wake up, but those who call themselves `from`. */
int db_notify(struct db *db, int64_t site, struct id from, struct err *e);
/* 1: somebody notified, or may have before this connection listened (its first call); 0: the time is over or stop_fd can be read; -1: RETRY, the
 * connection is lost: wait a little and call it again.  The connection serves nothing else. */
int db_wait(struct db *db, int64_t site, struct id self, int stop_fd, int64_t timeout_us, struct err *e);
/* Citus: the rows of the table go to the node of their `site`, beside those of the other tables (colocated with `beside`; NULL: the first one). DB where
 * the server has no Citus.  Doing it again is harmless. */
int db_distribute(struct db *db, const char *table, const char *beside, struct err *e);
int db_is_distributed(struct db *db, const char *table, struct err *e); /* 1, 0, -1 */

#endif
