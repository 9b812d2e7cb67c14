/* Within the PostgreSQL engine.  One connection, in pipeline mode: what was sent stands in a queue until its results are collected, so a statement
 * whose result nobody asks for costs no round trip.
 *
 *   db_pg_conn.c   connecting, errors, what must be before something is sent
 *   db_pg_pipe.c   sending and collecting
 *   db_pg_ahead.c  reading ahead
 *   db_pg_many.c   several rows, or several queries, as one statement
 *   db_pg_value.c  the types of parameters and columns, values in binary form
 *   db_pg.c        the engine: statements, rows, transactions
 *
 * Inside a transaction the end of a pipeline is a Flush, so that an error is seen without the Sync that would forget it; outside of one each
 * statement ends with a Sync, which commits it. */
#ifndef DB_PG_H
#define DB_PG_H

#include <libpq-fe.h>

#include "base/buf.h"
#include "db_internal.h"

enum { PG_PARAMS = 2048, PG_QUEUE = 256, PG_SQL_MOST = 1 << 20, PG_AHEAD = 16384, PG_BUCKETS = 1024, PG_HOLDS = 4, PG_BUNDLES = 8 };
enum pg_type {
    PG_BYTEA = 17, PG_NAME = 19, PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23, PG_TEXT = 25, PG_FLOAT8 = 701, PG_UNKNOWN = 705, PG_VARCHAR = 1043,
    PG_UUID = 2950,
};

/* What the server takes for $1, $2 ... of a statement.  Asked for once in a process; never changed, never freed. */
struct pg_shape {
    unsigned n;
    Oid type[];
};

enum pg_sent_kind {
    SENT_RUN,
    SENT_KEEP,     /* its result is wanted: db->kept */
    SENT_PREPARE,
    SENT_DESCRIBE, /* teaches the shape of its slot */
    SENT_SAVEPOINT,
    SENT_AHEAD, /* slot: the index in db->ahead */
    SENT_SYNC,
    SENT_COMMIT,    /* the next one is its SENT_COMMITTED */
    SENT_COMMITTED, /* a Sync, with which an end of the transaction begins: what fails behind it is the next one's */
};
struct pg_sent {
    enum pg_sent_kind kind;
    unsigned slot, step;
    bool common; /* more than the site */
    const char *name;
};

struct pg_params {
    unsigned n;
    const char *value[PG_PARAMS];
    int length[PG_PARAMS], format[PG_PARAMS];
    uint64_t scalar[PG_PARAMS];
};

/* How many rows or queries a statement is prepared for. */
enum { PG_STEPS = 6, PG_STEP_MOST = 32 };
extern const unsigned pg_steps[PG_STEPS];

/* Parameters that several rows or queries have in common are sent once; a bit for each of the first 64, the site's always set. */
enum { PG_ONLY_SITE = 1 };

/* What a connection has of a statement. */
struct pg_slot {
    unsigned char prepared[2]; /* a bit for each step; in common: the site alone, or `common` */
    unsigned changes;          /* of `common`, for the statement's name */
    uint64_t common;           /* what had one value in all rows of every INSERT so far */
};

/* Rows of one INSERT that wait to be sent. */
struct pg_hold {
    const struct stmt *s;
    const struct pg_shape *shape;
    unsigned rows;
    struct pg_params params; /* the site, then the other values of each row */
    struct arena arena;
};

/* Queries of one statement that wait to be sent: their places in pg_db.ahead. */
struct pg_bundle {
    unsigned at[PG_STEP_MOST], n;
};

struct pg_ahead;
struct pg_answer;
struct pg_db {
    struct db base;
    PGconn *c;
    char *url;
    enum db_mode mode;
    bool lost;       /* the connection is of no use any more: a new one before the next transaction */
    bool open;       /* a transaction was begun */
    bool stands;     /* and its savepoint is known to stand */
    bool aborted;    /* the server skips what is sent until a Sync */
    bool listening, listened;
    int64_t since, plans_at; /* when it was connected; at what age plans are made anew */
    struct err first; /* what failed first and was not undone yet */
    bool committing;  /* a COMMIT was sent and its answer is to come */
    struct err uncommitted; /* what became of it */
    int64_t fault_in; /* LF_FAULT=commit:N: the answer to the Nth that is asked for apart is lost */
    unsigned epoch;   /* changes whenever cursors may have gone */
    unsigned cursors;
    PGresult *kept;
    struct pg_slot *slots;
    unsigned slots_n;
    struct pg_sent sent[PG_QUEUE + 16];
    unsigned sent_n, sent_at; /* sent_at: the first whose results are to come */
    struct pg_params params, many;
    struct pg_hold hold[PG_HOLDS];
    struct pg_bundle bundle[PG_BUNDLES];
    struct pg_ahead *ahead;
    unsigned ahead_n, ahead_cap, ahead_bucket[PG_BUCKETS];
    struct arena ahead_arena;
};

static inline struct pg_db *pg(struct db *db) {
    return (struct pg_db *)db;
}

/* ---- db_pg_conn.c ---- */
int pg_open(const char *url, enum db_mode mode, struct db **ret, struct err *e);
void pg_close(struct db *db);
/* To be called before anything is sent.  In a transaction: nothing has failed in it so far, else what failed first.  Outside: the connection
 * is there; a lost one is made again. */
int pg_ready(struct pg_db *db, struct err *e);
int pg_lose(struct pg_db *db, const char *what, struct err *e);                         /* RETRY; always -1 */
int pg_fail(struct pg_db *db, const char *what, const PGresult *r, struct err *e);      /* by the SQLSTATE; always -1 */
int pg_fail_text(const char *what, const char *text, struct err *e);                    /* DB; always -1 */

int64_t pg_monotonic(void);                                                             /* microseconds */

/* ---- db_pg_pipe.c: all of it may lose the connection ---- */
int pg_send_text(struct pg_db *db, enum pg_sent_kind kind, const char *name, const char *sql, struct err *e);
/* The same with parameters in text form. */
int pg_send_args(struct pg_db *db, enum pg_sent_kind kind, const char *name, const char *sql, const char *const *args, int n, struct err *e);
/* sql with the values in db->params. */
int pg_send_typed(struct pg_db *db, const char *name, const char *sql, const struct pg_shape *shape, struct err *e);
/* A statement with the values in db->params, prepared if need be. */
int pg_send_stmt(struct pg_db *db, enum pg_sent_kind kind, const struct stmt *s, const struct pg_shape *shape, struct err *e);
/* The values of p, for pg_steps[as->step] rows or queries of the statement: first what they have in common, of the statement's pg_slot.common if as->common, then
 * the others of each.  What is held back stays so. */
int pg_send_many(struct pg_db *db, const struct pg_sent *as, const struct stmt *s, const struct pg_shape *shape, const struct pg_params *p, struct err *e);
struct pg_slot *pg_slot_of(struct pg_db *db, unsigned slot); /* until the next call */
int pg_send_describe(struct pg_db *db, const struct stmt *s, bool keep, struct err *e); /* keep: under its name, for later */
int pg_send_sync(struct pg_db *db, struct err *e);
int pg_send_commit(struct pg_db *db, struct err *e); /* and all before it, on its way */
int pg_push(struct pg_db *db, struct err *e); /* libpq gathers 64 KB; what was sent so far goes out now */
/* Takes the results of all that was sent or held back; the first error, if there was one. */
int pg_collect(struct pg_db *db, struct err *e);
int pg_collect_sent(struct pg_db *db, struct err *e); /* what is held back stays so */
void pg_take_commit(struct pg_db *db); /* no more than that: db->uncommitted */
int pg_finish(struct pg_db *db, struct err *e); /* the same, and outside a transaction all is committed */
int pg_shape_get(struct pg_db *db, const struct stmt *s, const struct pg_shape **ret, struct err *e);

/* ---- db_pg_ahead.c ---- */
int pg_foresee(struct db *db, const struct stmt *s, const struct val *v, size_t n, struct err *e);
void pg_unforesee(struct db *db, const struct stmt *s, const struct val *v, size_t n);
int pg_ahead_send(struct pg_db *db, struct err *e); /* what was foreseen and not sent yet */
int pg_ahead_answer(struct pg_db *db, unsigned at, bool many, PGresult *r, struct err *e); /* many: of it and those sent along */
/* 1: *ret is the answer, to be dropped; 0: the query was not foreseen. */
int pg_ahead_ask(struct pg_db *db, const struct stmt *s, const struct val *v, size_t n, struct pg_answer **ret, struct err *e);
PGresult *pg_answer_result(struct pg_answer *a, int *ret_first, int *ret_n); /* its rows; until it is dropped */
void pg_answer_drop(struct pg_answer *a);        /* accepts NULL */
void pg_ahead_undo(struct pg_db *db); /* the savepoint was undone */
void pg_ahead_clear(struct pg_db *db);
void pg_ahead_release(struct pg_db *db);

/* ---- db_pg_many.c ---- */
/* May n of it be sent as one statement?  An INSERT that says so, or a query with more than the site for a parameter. */
bool pg_may_be_many(const struct stmt *s, const struct pg_shape *shape);
/* The index of the largest step that is not above `left`, or with `more` the smallest that is not below it, if it has no more than PG_PARAMS values. */
unsigned pg_step_for(const struct pg_shape *shape, unsigned left, bool more);
/* Where value i (from 0) of a row stands among the parameters of all rows; how many there are. */
unsigned pg_place(const struct pg_shape *shape, uint64_t common, unsigned i, unsigned row);
unsigned pg_places(const struct pg_shape *shape, uint64_t common, unsigned rows);
/* `sql`, already expanded, for n rows or queries.  A query has only the site in common, and its last column is the number of the one that the row answers, from 0
 * on and in that order. */
int pg_many_sql(struct str sql, const struct pg_shape *shape, uint64_t common, unsigned n, struct buf *to, struct err *e);
/* A row of an INSERT that is `many`: its values are copied. */
int pg_hold(struct pg_db *db, const struct stmt *s, const struct pg_shape *shape, const struct val *v, struct err *e);
int pg_send_held(struct pg_db *db, struct err *e); /* rows and queries; nothing when there are none */
int pg_send_rows(struct pg_db *db, struct err *e); /* rows only */
void pg_held_drop(struct pg_db *db);
void pg_held_release(struct pg_db *db);

/* ---- db_pg_value.c ---- */
const struct pg_shape *pg_shape_known(unsigned slot);
/* From the answer to a Describe; DB when there is a type that we do not speak. */
int pg_shape_learn(unsigned slot, const char *name, const PGresult *r, struct err *e);
/* The server refuses a number that is left out; we call it a text.  ret[0..n): 0 where the server finds the type. */
int pg_gaps(struct str sql, Oid ret[PG_PARAMS]);
/* Into p from its start; more: behind what is in it, leaving the first `from` values out. */
int pg_encode_more(struct pg_params *p, const char *name, const struct pg_shape *shape, const struct val *v, unsigned from, struct err *e);
int pg_encode(struct pg_params *p, const char *name, const struct pg_shape *shape, const struct val *v, struct err *e);
int64_t pg_get_int(const PGresult *r, int row, int col);
double pg_get_real(const PGresult *r, int row, int col);
struct str pg_get_bytes(const PGresult *r, int row, int col);

#endif
