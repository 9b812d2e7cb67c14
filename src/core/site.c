#include "core/site.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/copy.h"
#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/journal.h"
#include "core/schema.h"
#include "core/table.h"
#include "core/trace_run.h"
#include "core/tx.h"
#include "core/watch.h"
#include "core/writer.h"
#include "text/text.h"

const char *site_path(char out[600], const char *dir, const char *name) {
    snprintf(out, 600, "%s/%s", dir, name);
    return out;
}

/* ---- where the database is ---- */

static const char ADDRESS_FILE[] = "database";

static int address_fits(struct str address, char ret[SITE_ADDRESS], struct err *e) {
    char most[16];
    snprintf(most, sizeof most, "%d", SITE_ADDRESS - 1);
    if (address.n >= SITE_ADDRESS) return err_set(e, ERR_INVALID, "db", M_TOO_LONG, most);
    memcpy(ret, address.p, address.n);
    ret[address.n] = 0;
    return 0;
}

/* 1 when DIR/database names an address. */
static int read_address(const char *dir, char ret[SITE_ADDRESS], struct err *e) {
    char path[600], text[SITE_ADDRESS + 1];
    int fd = open(site_path(path, dir, ADDRESS_FILE), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(e, ERR_IO, NULL, M_FILE, path, strerror(errno));
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n < 0) return err_set(e, ERR_IO, NULL, M_FILE, path, strerror(EIO));
    struct str rest = {text, (size_t)n}, line = STR("");
    str_cut(&rest, '\n', &line);
    TRY(address_fits(str_trim(line), ret, e));
    return db_is_server(ret) ? 1 : err_set(e, ERR_CORRUPT, NULL, M_FILE_DAMAGED, path, "postgres://");
}

int site_address_write(const char *dir, const char *address, struct err *e) {
    char path[600];
    int fd = open(site_path(path, dir, ADDRESS_FILE), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return err_set(e, ERR_IO, NULL, M_FILE, path, strerror(errno));
    bool good = dprintf(fd, "%s\n", address) == (int)strlen(address) + 1 && fsync(fd) == 0;
    int why = errno;
    close(fd);
    return good ? 0 : err_set(e, ERR_IO, NULL, M_FILE, path, strerror(why));
}

int site_address(const char *dir, const char *db, char ret[SITE_ADDRESS], struct err *e) {
    char path[600];
    if (db && !db_is_server(db)) return err_set(e, ERR_INVALID, "db", M_CODE, db, "postgres://");
    if (db) return address_fits(str_z(db), ret, e);
    int there = read_address(dir, ret, e);
    if (there) return there < 0 ? -1 : 0;
    return address_fits(str_z(site_path(path, dir, "lianfang.db")), ret, e);
}

bool site_is_there(const char *dir) {
    static const char *const files[] = {"lianfang.db", "site.key", ADDRESS_FILE};
    char path[600];
    for (size_t i = 0; i < COUNT(files); i++)
        if (access(site_path(path, dir, files[i]), F_OK) == 0) return true;
    return false;
}

void site_program_init(const struct system *const *systems) {
    if (crypto_init() || text_init()) die(1, "the cryptographic or text library does not start");
    registry_load(systems);
    record_tables_build();
    tables_build();
    core_stmts_register();
    figures_build();
}

/* ---- settings ---- */

int setting_get(struct db *db, int64_t site, struct arena *a, const char *name, struct str *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, CS(setting_get), &rows, e, VINT(site), VTEXTZ(name)));
    int r = rows_next(rows, e);
    if (r == 1) *ret = arena_str(a, rows_text(rows, 0));
    return r;
}

int setting_put(struct db *db, int64_t site, const char *name, struct str value, struct err *e) {
    return db_run(db, CS(setting_put), e, VINT(site), VTEXTZ(name), VTEXT(value));
}

int areas_changed_at(struct db *db, int64_t site, bool lock, int64_t *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(lock ? db_query(db, CS(site_lock), &rows, e, VINT(site)) : db_query(db, CS(setting_get), &rows, e, VINT(site), VTEXTZ("areas")));
    int r = rows_next(rows, e);
    if (r < 0) return -1;
    if (r == 0 || !str_to_int(rows_text(rows, 0), 0, INT64_MAX, ret)) return err_set(e, ERR_CORRUPT, NULL, M_TEXT, "setting areas");
    return 0;
}

/* ---- making one ---- */

static int64_t new_site_id(void) {
    uint64_t v;
    random_bytes(&v, sizeof v);
    return (int64_t)(v >> 17 | 1); /* 47 bits: exact in every JSON reader, six bytes in every row */
}

/* What the database knows of the key: enough to tell whose rows it opens, nothing of what it opens. */
static struct str key_name(const struct site_key *key, struct buf *to) {
    struct digest_state state;
    digest_start_keyed(&state, key);
    digest_add_str(&state, STR("site"));
    struct digest d = digest_end(&state);
    hex_add(to, d.b, 16);
    return buf_str(to);
}

static int write_settings(struct db *db, const struct site_key *key, const struct site_options *o, struct err *e) {
    struct buf key_text CLEANUP(buf_release) = BUF(100);
    int64_t site = new_site_id();
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)site);
    const struct {
        const char *name;
        struct str value;
    } first[] = {{"site", str_z(id)},
                 {"name", str_z(o->name ? o->name : "联防")},
                 {"tz", str_z(o->tz ? o->tz : "Asia/Shanghai")},
                 {"key", key_name(key, &key_text)},
                 {"areas", STR("0")}};
    TRY(db_begin(db, true, e));
    int r = 0;
    for (size_t i = 0; i < COUNT(first) && r == 0; i++) r = setting_put(db, site, first[i].name, first[i].value, e);
    if (r == 0) r = db_commit(db, e);
    if (r) db_rollback(db);
    return r;
}

struct first_area {
    struct write_item item;
    const struct site_options *o;
};

static int make_first_area(struct tx *tx, struct write_item *item, struct err *e) {
    const struct site_options *o = ((struct first_area *)item)->o;
    struct errs errs = {.a = tx->a};
    struct record *r = record_new(tx->a, kind_by_name(STR("area")));
    record_set_text(r, "code", str_z(o->code));
    record_set_text(r, "name", str_z(o->name ? o->name : o->code));
    record_set_text(r, "level", str_z(o->level ? o->level : "county"));
    tx->actor = &actor_system;
    tx->kind = r->kind;
    tx->verb = "create";
    tx->command = "area.create";
    tx->command_id = id_new(tx->now);
    return tx_create(tx, r, &errs, e);
}

static int fill_new_site(const char *dir, const char *address, const struct site_key *key, const struct site_options *o, struct err *e) {
    struct db *db CLEANUP(db_closep) = NULL;
    if (db_is_server(address)) TRY(site_address_write(dir, address, e));
    TRY(db_open(address, DB_CREATE, &db, e));
    TRY(schema_update(db, clock_now(&(struct clock){0}), e));
    TRY(write_settings(db, key, o, e));
    if (!o->code) return 0;
    db_close(TAKE(db));
    struct site *s CLEANUP(site_closep) = NULL;
    TRY(site_open(dir, &s, e));
    struct first_area first = {.item = {.run = make_first_area}, .o = o};
    return writer_run(s, &first.item, e);
}

/* What cannot be taken back now is found by nobody: its key is gone. */
static void take_back_rows(const char *dir) {
    struct buf text CLEANUP(buf_release) = BUF(100);
    struct db *db CLEANUP(db_closep) = NULL;
    struct site_key key;
    struct err e;
    int64_t site;
    char address[SITE_ADDRESS], path[600];
    if (site_address(dir, NULL, address, &e) || !db_is_server(address)) return;
    if (site_key_load(site_path(path, dir, "site.key"), &key, &e)) return;
    struct str name = key_name(&key, &text);
    site_key_wipe(&key);
    if (db_open(address, DB_WRITE, &db, &e) || !db_table_exists(db, "writer")) return;
    if (db_int(db, CS(site_of_key), &site, &e, VTEXT(name)) != 1 || db_begin(db, true, &e)) return;
    if (tables_erase(db, site, &e) == 0) db_commit(db, &e);
    db_rollback(db);
}

void site_take_back(const char *dir) {
    static const char *const files[] = {"lianfang.db", "lianfang.db-wal", "lianfang.db-shm", ADDRESS_FILE, "site.key"};
    char path[600];
    take_back_rows(dir);
    for (size_t i = 0; i < COUNT(files); i++) unlink(site_path(path, dir, files[i]));
}

int site_create(const char *dir, const struct site_options *o, struct err *e) {
    struct site_key key;
    char path[600], address[SITE_ADDRESS];
    const char *db = o->db ? o->db : getenv("LF_DB");
    struct tz *tz = tz_open(o->tz ? o->tz : "Asia/Shanghai");
    if (!tz) return err_set(e, ERR_INVALID, "tz", M_TIME_ZONE, o->tz);
    tz_close(tz);
    if (o->code && area_level_rank(str_z(o->level ? o->level : "county")) < 0) return err_set(e, ERR_INVALID, "level", M_CODE, o->level, "province, city, county, township, community, village");
    if (site_is_there(dir)) return err_set(e, ERR_CONFLICT, NULL, M_SITE_EXISTS, dir);
    TRY(site_address(dir, db && *db ? db : NULL, address, e));
    if (mkdir(dir, 0700) && errno != EEXIST) return err_set(e, ERR_IO, NULL, M_FILE, dir, strerror(errno));
    TRY(site_key_create(site_path(path, dir, "site.key"), &key, e));
    int r = fill_new_site(dir, address, &key, o, e);
    site_key_wipe(&key);
    if (r) site_take_back(dir);
    return r;
}

/* ---- opening one ---- */

static void set_text(char *to, size_t cap, struct str s) {
    snprintf(to, cap, "%.*s", STR_FMT(s));
}

/* A site of an older program has not been told its key yet; where it is the only such one it is this one. */
static int adopt(struct site *s, struct db *db, struct str key, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query_n(db, CS(site_without_key), NULL, 0, &rows, e));
    int got = rows_next(rows, e);
    if (got == 1) s->id = rows_int(rows, 0);
    int more = got == 1 ? rows_next(rows, e) : got;
    if (more < 0) return -1;
    if (got == 0 || more == 1) return err_set(e, ERR_STATE, NULL, M_KEY_OTHER, s->dir);
    return setting_put(db, s->id, "key", key, e);
}

static int find_site(struct site *s, struct db *db, struct err *e) {
    struct buf text CLEANUP(buf_release) = BUF(100);
    struct str key = key_name(&s->key, &text);
    int found = db_int(db, CS(site_of_key), &s->id, e, VTEXT(key));
    if (found) return found < 0 ? -1 : 0;
    return adopt(s, db, key, e);
}

static int read_settings(struct site *s, struct db *db, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct str name = STR("联防"), tz = STR("Asia/Shanghai");
    TRY(find_site(s, db, e));
    int unfinished = copy_is_unfinished(db, s->id, e);
    if (unfinished) return unfinished < 0 ? -1 : err_set(e, ERR_STATE, NULL, M_COPY_UNFINISHED, s->dir);
    if (setting_get(db, s->id, &a, "name", &name, e) < 0 || setting_get(db, s->id, &a, "tz", &tz, e) < 0) return -1;
    set_text(s->name, sizeof s->name, name);
    set_text(s->tz_name, sizeof s->tz_name, tz);
    s->tz = tz_open(s->tz_name);
    if (!s->tz) return err_set(e, ERR_INVALID, "tz", M_TIME_ZONE, s->tz_name);
    struct digest hash;
    return journal_end(db, s->id, &s->last_seq, &hash, e);
}

/* LF_CLOCK=2020-02-10T08:00:00+08:00 holds the clock still: demonstrations and tests of a day long past. */
static void set_clock(struct site *s) {
    const char *fixed = getenv("LF_CLOCK");
    int64_t at;
    if (fixed && tz_parse(s->tz, str_z(fixed), &at)) s->clock.fixed_us = at;
}

static int end_transaction(struct db *db, int r, struct err *e) {
    if (r == 0) r = db_commit(db, e);
    if (r) db_rollback(db);
    return r;
}

/* Of two processes that start at once the second finds it done. */
static int rebuild_tallies(struct site *s, struct db *db, struct str rules, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct tx tx = {.site = s, .db = db, .a = &a};
    struct str was = STR("");
    int64_t areas;
    TRY(areas_changed_at(db, s->id, true, &areas, e));
    if (setting_get(db, s->id, &a, "figures", &was, e) < 0) return -1;
    if (str_eq(was, rules)) return 0;
    TRY(tally_rebuild(&tx, e));
    return setting_put(db, s->id, "figures", rules, e);
}

/* A program with other rules than those that made the stored tallies counts everything again, once. */
static int update_tallies(struct site *s, struct db *db, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf is CLEANUP(buf_release) = BUF(100);
    struct digest d = figures_digest();
    struct str was = STR("");
    hex_add(&is, d.b, sizeof d.b);
    if (setting_get(db, s->id, &a, "figures", &was, e) < 0) return -1;
    if (str_eq(was, buf_str(&is))) return 0;
    TRY(db_begin(db, true, e));
    return end_transaction(db, rebuild_tallies(s, db, buf_str(&is), e), e);
}

/* Of a file only: what a copy from a server brought along. */
static int settle_tallies(struct site *s, struct db *db, struct err *e) {
    struct tally_batch *b CLEANUP(tally_batch_freep) = tally_batch_new();
    struct tx tx = {.site = s, .db = db, .seq = s->last_seq};
    bool any = false;
    if (!db_shared(db)) TRY(tally_lies_by(db, s->id, &any, e));
    if (!any) return 0;
    TRY(db_begin(db, true, e));
    return end_transaction(db, tally_settle(b, &tx, e), e);
}

static int rebuild_traces(struct site *s, struct db *db, const struct kind *k, struct err *e) {
    int64_t areas;
    bool missing;
    TRY(areas_changed_at(db, s->id, true, &areas, e));
    TRY(trace_missing(db, s->id, k, &missing, e));
    return missing ? trace_rebuild(s, db, k, e) : 0;
}

/* Rows of an older program, or of a copy, are without. */
static int update_traces(struct site *s, struct db *db, const struct kind *k, struct err *e) {
    bool missing;
    TRY(trace_missing(db, s->id, k, &missing, e));
    if (!missing) return 0;
    TRY(db_begin(db, true, e));
    return end_transaction(db, rebuild_traces(s, db, k, e), e);
}

static int open_all(struct site *s, struct err *e) {
    char path[600];
    struct db *db CLEANUP(db_closep) = NULL;
    TRY(site_key_load(site_path(path, s->dir, "site.key"), &s->key, e));
    TRY(db_open(s->address, DB_WRITE, &db, e));
    TRY(schema_update(db, clock_now(&s->clock), e));
    TRY(db_check_statements(db, e));
    TRY(read_settings(s, db, e));
    set_clock(s);
    TRY(update_tallies(s, db, e));
    TRY(settle_tallies(s, db, e));
    for (size_t i = 0; i < kind_count(); i++)
        if (trace_kind(kind_at(i))) TRY(update_traces(s, db, kind_at(i), e));
    TRY(areas_load(db, s->id, &s->areas, e));
    TRY(writer_start(s, db, e));
    (void)TAKE(db);
    return 0;
}

int site_open(const char *dir, struct site **ret, struct err *e) {
    return site_open_at(dir, NULL, ret, e);
}

int site_open_at(const char *dir, const char *db, struct site **ret, struct err *e) {
    char address[SITE_ADDRESS];
    TRY(site_address(dir, db, address, e));
    if (!db_is_server(address) && access(address, F_OK)) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_SITE, dir);
    struct site *s CLEANUP(site_closep) = calloc(1, sizeof *s);
    INVARIANT(s);
    set_text(s->dir, sizeof s->dir, str_z(dir));
    set_text(s->address, sizeof s->address, str_z(address));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    TRY(open_all(s, e));
    *ret = TAKE(s);
    return 0;
}

void site_close(struct site *s) {
    if (!s) return;
    watch_stop(s->watch);
    struct db *last = s->writer ? writer_stop(s) : NULL;
    for (size_t i = 0; i < s->readers_n; i++) db_close(s->readers[i]);
    db_close(last); /* which puts the write-ahead log into the file; a reader could not */
    areas_drop(s->areas);
    tz_close(s->tz);
    site_key_wipe(&s->key);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
}

void site_closep(struct site **s) {
    site_close(*s);
}

/* ---- reading ---- */

int site_reader(struct site *s, struct db **ret, struct err *e) {
    struct db *db = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->readers_n) db = s->readers[--s->readers_n];
    pthread_mutex_unlock(&s->lock);
    if (!db) TRY(db_open(s->address, DB_READ, &db, e));
    if (db_begin(db, false, e)) {
        db_close(db);
        return -1;
    }
    *ret = db;
    return 0;
}

void site_reader_done(struct site *s, struct db *db) {
    if (!db) return;
    db_rollback(db);
    pthread_mutex_lock(&s->lock);
    bool keep = s->readers_n < COUNT(s->readers);
    if (keep) s->readers[s->readers_n++] = db;
    pthread_mutex_unlock(&s->lock);
    if (!keep) db_close(db);
}

static void reload_areas(struct site *s) {
    struct err e;
    struct db *db;
    struct areas *fresh;
    if (site_reader(s, &db, &e)) {
        log_line(LOG_ERROR, "site", "the area tree cannot be read code=%s", err_name(e.code));
        return;
    }
    bool read = areas_load(db, s->id, &fresh, &e) == 0;
    site_reader_done(s, db);
    if (!read) return;
    /* Two threads may read at once: the newer tree stays. */
    pthread_mutex_lock(&s->lock);
    struct areas *older = fresh;
    if (fresh->seq > s->areas->seq) {
        older = s->areas;
        s->areas = fresh;
    }
    pthread_mutex_unlock(&s->lock);
    areas_drop(older);
}

struct areas *site_areas(struct site *s) {
    pthread_mutex_lock(&s->lock);
    bool stale = s->areas->seq < s->areas_seq;
    pthread_mutex_unlock(&s->lock);
    if (stale) reload_areas(s);
    pthread_mutex_lock(&s->lock);
    struct areas *t = s->areas;
    areas_hold(t);
    pthread_mutex_unlock(&s->lock);
    return t;
}

bool site_shared(const struct site *s) {
    return db_is_server(s->address);
}

void site_listen(struct site *s) {
    if (site_shared(s) && !s->watch) s->watch = watch_start(s, writer_id(s));
}

int64_t site_now(const struct site *s) {
    return clock_now(&s->clock);
}

day_t site_today(const struct site *s) {
    return tz_day(s->tz, site_now(s));
}

struct check_env site_env(const struct site *s, struct arena *a) {
    return (struct check_env){.a = a, .tz = s->tz, .now = site_now(s), .today = site_today(s)};
}

/* Another process may have written: the journal in the database is the truth. */
void site_look(struct site *s) {
    struct err e;
    struct db *db;
    struct digest hash;
    int64_t seq, areas = 0;
    if (site_reader(s, &db, &e)) return;
    int r = journal_end(db, s->id, &seq, &hash, &e);
    if (r == 0) r = areas_changed_at(db, s->id, false, &areas, &e);
    site_reader_done(s, db);
    if (r) return;
    pthread_mutex_lock(&s->lock);
    s->areas_seq = MAX(s->areas_seq, areas);
    if (seq > s->last_seq) {
        s->last_seq = seq;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

int64_t site_seq(struct site *s) {
    site_look(s);
    pthread_mutex_lock(&s->lock);
    int64_t seq = s->last_seq;
    pthread_mutex_unlock(&s->lock);
    return seq;
}

int64_t site_wait(struct site *s, int64_t seq, int64_t timeout_us) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + timeout_us % US_PER_SECOND * 1000;
    until.tv_sec += timeout_us / US_PER_SECOND + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&s->lock);
    while (s->last_seq <= seq && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0) continue;
    int64_t now = s->last_seq;
    pthread_mutex_unlock(&s->lock);
    return now > seq ? now : site_seq(s);
}
