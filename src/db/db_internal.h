/* What an engine fills in.  db.c keeps what is the same for all engines: the registry of statements, the state of the
 * transaction, faults on demand.  An engine embeds struct db and struct rows as the first member of its own. */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include "db.h"

enum db_tx { TX_NONE, TX_READ, TX_WRITE };
struct db {
    const struct db_engine *engine;
    enum db_tx tx;
    bool savepoint;
    unsigned open_rows;
    int64_t writes;  /* since db_begin */
    int64_t log_pages;
    struct err lost; /* the error that undid the transaction behind the caller's back; until db_rollback */
};
struct rows {
    struct db *db;
};

enum db_step {
    STEP_BEGIN_READ,
    STEP_BEGIN_WRITE,
    STEP_COMMIT,
    STEP_ROLLBACK,
    STEP_SAVEPOINT,
    STEP_RELEASE,
    STEP_ROLLBACK_TO,
    STEP__COUNT
};

/* The tokens of scripts and statements in the order of an engine's `types`. */
enum db_token { TOKEN_INT, TOKEN_TEXT, TOKEN_REAL, TOKEN_BLOB, TOKEN_ID, TOKEN_CLUSTERED, TOKEN_FOR_UPDATE, TOKEN_BYTEWISE, TOKEN__COUNT };

struct db_engine {
    const char *types[TOKEN__COUNT];
    bool shared;
    int (*open)(const char *url, enum db_mode mode, struct db **ret, struct err *e);
    void (*close)(struct db *db);
    int (*run)(struct db *db, const struct stmt *s, const struct val *v, size_t n, int64_t *ret_changed, struct err *e);
    int (*query)(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e);
    int (*stream)(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct rows **ret, struct err *e);
    int (*sync)(struct db *db, struct err *e);
    int (*send)(struct db *db, struct err *e); /* NULL: nothing is held back */
    int (*foresee)(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct err *e); /* NULL: nothing to gain */
    void (*unforesee)(struct db *db, const struct stmt *s, const struct val *v, size_t n);
    int (*next)(struct rows *r, struct err *e);
    void (*done)(struct rows *r);
    bool (*col_null)(struct rows *r, int col);
    int64_t (*col_int)(struct rows *r, int col);
    double (*col_real)(struct rows *r, int col);
    struct str (*col_text)(struct rows *r, int col); /* of a column that is not NULL; never a NULL pointer */
    struct str (*col_blob)(struct rows *r, int col); /* likewise */
    int (*step)(struct db *db, enum db_step step, struct err *e);
    int (*commit_send)(struct db *db, struct err *e); /* NULL, with the next: a commit is one step */
    int (*commit_end)(struct db *db, struct err *e);  /* -1: to be rolled back with what was begun behind it */
    bool (*in_transaction)(struct db *db); /* as the engine sees it: it can go on, if need be back at its savepoint */
    int (*script)(struct db *db, const char *sql, struct err *e);
    int (*check)(struct db *db, const struct stmt *const *s, size_t n, struct err *e);
    bool (*table_exists)(struct db *db, const char *table);
    int (*plan)(struct db *db, struct err *e);
    int (*checkpoint)(struct db *db, int64_t *ret_pages, struct err *e);
    int (*sync_file)(struct db *db, struct err *e); /* NULL: nothing to do */
    int (*log_apart)(struct db *db, int *ret_fd, struct err *e); /* commits do not wait for the disk: the caller syncs the log, whose file he gets; NULL: they do */
    void (*log_together)(struct db *db);
    int (*backup)(struct db *db, const char *to_path, struct err *e);
    int (*integrity)(struct db *db, struct arena *a, struct str *ret, struct err *e);
    int (*lock_schema)(struct db *db, struct err *e);
    int (*notify)(struct db *db, int64_t site, struct id from, struct err *e);
    int (*wait)(struct db *db, int64_t site, struct id self, int stop_fd, int64_t timeout_us, struct err *e);
    int (*distribute)(struct db *db, const char *table, const char *beside, struct err *e);
    int (*is_distributed)(struct db *db, const char *table, struct err *e);
};
extern const struct db_engine sqlite_engine, postgres_engine;

/* sql with the tokens replaced; tokens in literals, quoted names and comments stay. */
struct buf;
int db_script_expand(const char *const types[TOKEN__COUNT], struct str sql, struct buf *to, struct err *e);
/* Takes the first statement off the script; empty where there is none before the next semicolon. */
struct str db_script_cut(struct str *rest);

#endif
