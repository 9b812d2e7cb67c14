/* A site: one directory (or one database), its key, its area tree, its writer and its readers.
 *
 * DIR/site.key, DIR/lianfang.db or a server's database.  Commands go through one writer thread which runs as many as wait inside one transaction, each under a
 * savepoint, and reports each after the one commit (writer_submit).  Readers take a connection with site_reader: a snapshot
 * that never waits.  Other processes may write to the same directory; each transaction looks where the journal ends first. */
#ifndef SITE_H
#define SITE_H

#include <pthread.h>

#include "core/area.h"
#include "core/permit.h"
#include "core/record.h"

struct writer;
struct watch;

enum { SITE_ADDRESS = 1024 };
/* DIR/NAME of a site's files. */
const char *site_path(char out[600], const char *dir, const char *name);

struct site {
    char dir[512], address[SITE_ADDRESS], name[128], tz_name[64]; /* address: of the database, for db_open */
    int64_t id; /* first column of every key */
    struct tz *tz;
    struct clock clock;
    struct site_key key;

    pthread_mutex_t lock; /* areas, free readers, subscribers */
    pthread_cond_t changed;
    struct areas *areas;
    int64_t areas_seq; /* newest journal entry known to have changed the tree: one read before it is read again */
    struct db *readers[16];
    size_t readers_n;
    int64_t last_seq; /* newest journal entry known to be committed */
    struct writer *writer;
    struct watch *watch; /* on a server: hears of other processes */
};

struct site_options {
    const char *name, *tz;     /* NULL: 联防, Asia/Shanghai */
    const char *db;            /* postgres://...; NULL: LF_DB of the environment, else DIR/lianfang.db */
    const char *level, *code; /* of the site's own area; code NULL: none is made */
};
/* Makes the directory (0700), the database, the key and the top area.  CONFLICT when there is a site already. */
int site_create(const char *dir, const struct site_options *o, struct err *e);
/* Once per process, before any site: libraries, the registry of systems, all statements. */
void site_program_init(const struct system *const *systems);
/* Opens, migrates, starts the writer.  The database is the one named in DIR/database, which site_create writes for a server, else DIR/lianfang.db;
 * site_open_at: the one given.  Several sites may share a database: the key tells which one this is (STATE, M_KEY_OTHER). */
int site_open(const char *dir, struct site **ret, struct err *e);
int site_open_at(const char *dir, const char *db, struct site **ret, struct err *e); /* db may be NULL */
/* The address of the database of DIR; `db` as given to site_open_at. */
int site_address(const char *dir, const char *db, char ret[SITE_ADDRESS], struct err *e);
/* Writes DIR/database (mode 0600): from now on the site is there. */
int site_address_write(const char *dir, const char *address, struct err *e);
/* Is there a site in DIR, of either kind? */
bool site_is_there(const char *dir);
/* Takes away what a failed attempt left: the files, and on a server the site's rows. */
void site_take_back(const char *dir);
void site_close(struct site *s); /* accepts NULL; finishes what is queued */
void site_closep(struct site **s);

int site_reader(struct site *s, struct db **ret, struct err *e); /* in a read transaction */
void site_reader_done(struct site *s, struct db *db);
struct areas *site_areas(struct site *s); /* held; areas_drop it */
/* For a process that stays: hears at once of what other processes of a server commit, until site_close. */
void site_listen(struct site *s);
bool site_shared(const struct site *s); /* on a server, beside other processes: what asks it may have to wait */
int64_t site_now(const struct site *s);
day_t site_today(const struct site *s);
struct check_env site_env(const struct site *s, struct arena *a);
int64_t site_seq(struct site *s);
/* Looks whether another process has written. */
void site_look(struct site *s);
/* Waits until the journal is past `seq` or the time is over; returns the newest sequence. */
int64_t site_wait(struct site *s, int64_t seq, int64_t timeout_us);

/* ---- settings of the site, in the database: name, tz, sunset ... ---- */
int setting_get(struct db *db, int64_t site, struct arena *a, const char *name, struct str *ret, struct err *e); /* 1, 0, -1 */
int setting_put(struct db *db, int64_t site, const char *name, struct str value, struct err *e);
/* The newest journal entry that changed the area tree.  lock: in a write transaction, first of all: until its end no other process writes to the site. */
int areas_changed_at(struct db *db, int64_t site, bool lock, int64_t *ret, struct err *e);

/* ---- the writer ---- */
struct tx; /* tx.h */
struct write_item {
    /* On the writer's thread inside the transaction; what it wrote is undone when it fails.  May run again after RETRY, so it touches
     * nothing outside the database but its own result. */
    int (*run)(struct tx *tx, struct write_item *item, struct err *e);
    /* Tells what run is going to look up, so that a server is asked for the whole group at once (tx_foresee_*); NULL: nothing. */
    int (*foresee)(struct tx *tx, struct write_item *item, struct err *e);
    /* After the commit is durable (or everything failed): item->failed tells.  Must not block. */
    void (*done)(struct write_item *item);
    bool reads_figures; /* tallies of the items before it are written first */
    bool apart;         /* it may fail after it has written: under a savepoint from the start */
    struct err err;
    bool failed;
    int64_t queued_at; /* monotonic_us; of the writer */
    struct write_item *next;
};
/* False when the queue is full or the writer is stopping: answer BUSY. */
bool writer_submit(struct site *s, struct write_item *item);
/* Submits, waits, and returns the item's result.  item->done is not called. */
int writer_run(struct site *s, struct write_item *item, struct err *e);

struct writer_counts {
    int64_t commits, items, failed, retried, queued, commit_us;
    int64_t queue_us;   /* how long items stood in the queue, all together */
    int64_t waiting_us; /* how long the group under way has been running; 0: there is none */
};
struct writer_counts writer_counts(struct site *s);
/* How long an item submitted now will wait for its answer if items cost what they cost lately, and how many are done in `us` at that cost. */
struct writer_pace {
    int64_t wait_us;
    size_t queued, done; /* done: at most half of what the queue holds */
};
struct writer_pace writer_pace(struct site *s, int64_t us);
/* Around the done() calls of each group, on the writer's thread, so that whoever waits is woken once for all of them; NULL: nothing. */
void writer_around_answers(struct site *s, void (*around)(bool begins));

#endif
