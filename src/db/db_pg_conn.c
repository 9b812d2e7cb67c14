/* Connections to PostgreSQL: how they are made, how they are lost, and what the server's errors mean.
 *
 * A lost connection is made again only where nothing can be lost with it: outside of transactions.  One attempt; patience is the caller's. */
#include "db_pg.h"

#include <poll.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"

enum { URL_MOST = 8192, CLASSIFY_WITHIN_US = 2 * 1000000 };

int64_t pg_monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- errors ---- */
int pg_fail_text(const char *what, const char *text, struct err *e) {
    char both[160];
    snprintf(both, sizeof both, "%s: %s", what, text);
    return err_set(e, ERR_DB, NULL, M_DB_TEXT, both);
}

static struct str first_line(const char *text) {
    struct str s = str_z(text);
    ptrdiff_t end = str_find_char(s, '\n');
    return end < 0 ? s : str_sub(s, 0, (size_t)end);
}

int pg_lose(struct pg_db *db, const char *what, struct err *e) {
    char text[160];
    struct str why = db->c ? first_line(PQerrorMessage(db->c)) : STR_NONE;
    snprintf(text, sizeof text, "%s: %.*s", what, STR_FMT(why.n ? why : STR("the connection was lost")));
    db->lost = true;
    return err_set(e, ERR_RETRY, NULL, M_DB_UNREACHABLE, text);
}

/* The server goes away, or takes no writes any more because another one became the primary: the next connection looks for that one. */
static bool ends_connection(const struct pg_db *db, struct str state) {
    static const char *const whole[] = {"57P01", "57P02", "57P03", "57P05", "25P03", "53300"};
    if (str_eqz(state, "25006")) return db->mode != DB_READ && db->base.tx != TX_READ;
    if (str_starts(state, STR("08"))) return true;
    for (size_t i = 0; i < COUNT(whole); i++)
        if (str_eqz(state, whole[i])) return true;
    return false;
}

static enum err_code code_of(struct str state) {
    static const struct {
        const char *state;
        enum err_code code;
    } codes[] = {{"40001", ERR_RETRY},        {"40P01", ERR_RETRY}, {"55P03", ERR_RETRY}, {"23505", ERR_CONFLICT},
                 {"53100", ERR_STORAGE_FULL}, {"58030", ERR_IO},    {"58P01", ERR_IO},    {"XX001", ERR_CORRUPT},
                 {"XX002", ERR_CORRUPT}};
    for (size_t i = 0; i < COUNT(codes); i++)
        if (str_eqz(state, codes[i].state)) return codes[i].code;
    return ERR_DB;
}

int pg_fail(struct pg_db *db, const char *what, const PGresult *r, struct err *e) {
    struct str state = str_z(PQresultErrorField(r, PG_DIAG_SQLSTATE));
    if (!state.p || PQstatus(db->c) == CONNECTION_BAD) return pg_lose(db, what, e);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    char text[160];
    snprintf(text, sizeof text, "%s: %s", what, primary ? primary : "");
    if (ends_connection(db, state)) {
        db->lost = true;
        return err_set(e, ERR_RETRY, NULL, M_DB_UNREACHABLE, text);
    }
    enum err_code code = code_of(state);
    return code == ERR_STORAGE_FULL ? err_set(e, code, NULL, M_DISK_FULL) : err_set(e, code, NULL, M_DB_TEXT, text);
}

/* ---- what the server says unasked ---- */
static void on_notice(void *arg, const PGresult *r) {
    struct pg_db *db = arg;
    struct str severity = str_z(PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED)), state = str_z(PQresultErrorField(r, PG_DIAG_SQLSTATE));
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (str_eqz(severity, "FATAL") || str_eqz(severity, "PANIC")) db->lost = true; /* an idle connection is ended */
    bool about_transactions = str_eqz(state, "25P01") || str_eqz(state, "25001");
    if (str_eqz(severity, "WARNING") && !about_transactions) log_line(LOG_WARN, "postgres", "%s", primary ? primary : "");
}

/* Whether an idle connection was ended at the other side while nobody looked. */
static bool went_away(struct pg_db *db) {
    for (int i = 0; i < 4; i++) {
        struct pollfd fd = {.fd = PQsocket(db->c), .events = POLLIN};
        if (fd.fd < 0) return true;
        if (poll(&fd, 1, 0) <= 0) break;
        if (!PQconsumeInput(db->c)) return true;
        PQisBusy(db->c); /* parses */
    }
    return db->lost || PQstatus(db->c) != CONNECTION_OK;
}

/* ---- connecting ---- */
/* What the address says comes behind and wins.  tcp_user_timeout: a server whose machine died is noticed within ten seconds. */
static PGconn *dial(const char *url) {
    static const char *const keys[] = {"application_name",    "client_encoding", "connect_timeout",      "keepalives_idle", "keepalives_interval",
                                       "keepalives_count",    "tcp_user_timeout", "target_session_attrs", "dbname",          NULL};
    const char *const values[] = {"lianfang", "UTF8", "5", "10", "3", "3", "10000", "read-write", url, NULL};
    PGconn *c = PQconnectdbParams(keys, values, 1);
    INVARIANT(c);
    return c;
}

/* The server, too, shall notice that our machine died, or stands still, while it holds a site's lock.  JIT costs these short statements more
 * than it gives. */
static const char set_all[] = "SET standard_conforming_strings = on; SET client_min_messages = warning; SET jit = off;"
                              "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;";
/* Citus 13.2.1 to 14.0.1 keep one more plan for each run of a statement that finds its rows on the node asked, until the memory is full (its pull request
 * 8824); plans for one run are not kept and cost the same there. */
static const char set_citus[] =
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', false) WHERE EXISTS (SELECT FROM pg_extension WHERE extname = 'citus');";
static const char set_reader[] = "SET default_transaction_read_only = on;";
/* An answer means that the commit is on the disk. */
static const char set_writer[] = "SET idle_in_transaction_session_timeout = '60s';"
                                 "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

static int set_up(struct pg_db *db, struct err *e) {
    char sql[1024];
    snprintf(sql, sizeof sql, "%s%s%s", set_all, set_citus, db->mode == DB_READ ? set_reader : set_writer);
    PQsetNoticeReceiver(db->c, on_notice, db);
    PGresult *r = PQexec(db->c, sql);
    ExecStatusType status = PQresultStatus(r);
    int result = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : pg_fail(db, "set up", r, e);
    PQclear(r);
    if (result == 0 && !PQenterPipelineMode(db->c)) result = pg_lose(db, "set up", e);
    return result;
}

/* libpq's text is "connection to server at "::1", port 5432 failed: FATAL:  why", one line for each host tried: the last why, and where. */
static void why_not(const PGconn *c, char to[160]) {
    struct str rest = str_z(PQerrorMessage(c)), line, why = STR_NONE;
    while (str_cut(&rest, '\n', &line))
        if (str_find(line, STR("failed: ")) >= 0 || !why.n) why = line;
    for (ptrdiff_t at; (at = str_find(why, STR("failed: "))) >= 0;) why = str_sub(why, (size_t)at + 8, why.n);
    ptrdiff_t severity = str_find(why, STR(":  "));
    if (severity >= 0 && severity < 16) why = str_sub(why, (size_t)severity + 3, why.n);
    snprintf(to, 160, "%s:%s: %.*s", PQhost(c), PQport(c), STR_FMT(str_trim(why)));
}

/* libpq keeps the SQLSTATE of a refused connection to itself; only its verbose text has it. */
static bool is_refused(PGconn *c) {
    PQsetErrorVerbosity(c, PQERRORS_VERBOSE);
    PQreset(c);
    if (PQstatus(c) == CONNECTION_OK) return false;
    static const char *const states[] = {"28000: ", "28P01: ", "3D000: ", "42501: ", "22023: ", "42704: "};
    for (size_t i = 0; i < COUNT(states); i++)
        if (strstr(PQerrorMessage(c), states[i])) return true;
    return PQconnectionNeedsPassword(c);
}

static void forget_connection(struct pg_db *db) {
    if (db->c) PQfinish(db->c);
    db->c = NULL;
    db->sent_n = db->sent_at = 0;
    pg_held_drop(db);
    db->listening = db->aborted = db->stands = db->committing = false;
    if (db->slots) memset(db->slots, 0, db->slots_n * sizeof *db->slots);
}

static int refused(PGconn *c, bool first, int64_t began, struct err *e) {
    char text[160];
    why_not(c, text);
    bool quick = pg_monotonic() - began < CLASSIFY_WITHIN_US;
    return err_set(e, first && quick && is_refused(c) ? ERR_IO : ERR_RETRY, NULL, M_DB_UNREACHABLE, text);
}

static int make_connection(struct pg_db *db, bool first, struct err *e) {
    forget_connection(db);
    int64_t began = pg_monotonic();
    db->lost = false;
    db->c = dial(db->url);
    db->since = pg_monotonic();
    db->plans_at = 0;
    int result = PQstatus(db->c) == CONNECTION_OK ? set_up(db, e) : refused(db->c, first, began, e);
    if (result) db->lost = true;
    return result;
}

int pg_ready(struct pg_db *db, struct err *e) {
    if (db->open) {
        if (!db->first.code) return 0;
        *e = db->first;
        return -1;
    }
    struct err ignored;
    if (db->sent_n && pg_collect(db, &ignored)) db->lost = true; /* the end of a read transaction */
    db->first = (struct err){0};
    return db->lost || went_away(db) ? make_connection(db, false, e) : 0;
}

/* ---- opening and closing ---- */
/* libpq's own text would quote the address, and with it the password. */
static int check_address(const char *url, struct err *e) {
    PQconninfoOption *options = strlen(url) < URL_MOST ? PQconninfoParse(url, NULL) : NULL;
    if (!options) return err_set(e, ERR_IO, NULL, M_DB_UNREACHABLE, "no address like postgres://user@host:port/database");
    PQconninfoFree(options);
    return 0;
}

static void closep(struct pg_db **db) {
    if (*db) pg_close(&(*db)->base);
}

int pg_open(const char *url, enum db_mode mode, struct db **ret, struct err *e) {
    TRY(check_address(url, e));
    struct pg_db *db CLEANUP(closep) = calloc(1, sizeof *db);
    INVARIANT(db);
    db->base.engine = &postgres_engine;
    db->mode = mode;
    db->url = strdup(url);
    db->fault_in = fault_asked("commit");
    INVARIANT(db->url);
    TRY(make_connection(db, true, e));
    *ret = &TAKE(db)->base;
    return 0;
}

void pg_close(struct db *base) {
    struct pg_db *db = pg(base);
    forget_connection(db);
    pg_ahead_release(db);
    pg_held_release(db);
    PQclear(db->kept);
    free(db->slots);
    free(db->url);
    free(db);
}
