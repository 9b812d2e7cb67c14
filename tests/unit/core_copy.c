/* A site is moved from engine to engine and back, whatever comes between.  With LF_DB the copies are made on that server, from a site in a file and
 * back into one; without it from file to file. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/copy.h"
#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/session.h"
#include "core/table.h"
#include "core_help.h"
#include "systems/bulletin/brief.h"

static const char *server; /* of LF_DB, which the source does not see */

static struct err copied(struct site *from, const char *dir, const char *address, struct copy_options *o, struct copy_result *ret) {
    struct err e = {0};
    o->name = dir;
    copy_site(from, address, o, ret, &e);
    return e;
}

/* ---- the source: values of every type, sealed ones, logs, accounts, and more rows than one transaction of these tests takes ---- */

static void source_make(void) {
    const char *url = getenv("LF_DB");
    if (url) server = strdup(url);
    unsetenv("LF_DB");
    world_make();
}

static void source_fill(void) {
    struct id admin;
    struct err e;
    char token[TOKEN_TEXT];
    const char *g = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','kind_of':'quarter_gate'}");
    run(NULL, "household.create", "b1", NULL, "{'code':'h1','head':'诸葛孔明','address':'桃花源路77号','note':'独居老人 🏠'}");
    run(NULL, "household.create", "b2", NULL, "{'code':'h2','note':'两行\\n第二行\\t制表 \\\\ {int} $1 %%'}");
    const char *r = run(NULL, "resident.create", NULL, NULL, "{'name':'诸葛孔明','household':'h1','id_number':'%s','phone':'13812345678'}", identity("19700101", 7));
    const char *gone = run(NULL, "resident.create", NULL, NULL, "{'name':'赵六','household':'h2'}");
    run(NULL, "resident.update", NULL, r, "{'phone':'13887654321','name':'司马仲达'}");
    run(NULL, "resident.remove", NULL, gone, "{}");
    for (int i = 0; i < 23; i++)
        run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'person','seen_at':'2020-02-10 1%d:00','name':'甲','temperature':%d.%d}", g, i % 2, 36 + i % 3, i % 10);
    run(NULL, "triage_visit.create", "xg", NULL, "{'name':'诸葛孔明','seen_at':'2020-02-10 09:00','temperature':38.5,'disposition':'fever_clinic'}");
    run(NULL, "bulletin.issue", "jixian", NULL, "{'since':'2020-02-10','until':'2020-02-10'}");
    CHECK(account_make(w.s, "admin", "管理员", "administrator", "jixian", &admin, &e) == 0);
    CHECK(account_password(w.s, admin, STR("correct horse battery"), &e) == 0);
    CHECK(account_token(w.s, admin, "程序", 90, token, &e) == 0);
}

static void source(void) {
    source_make();
    source_fill();
}

/* ---- other places ---- */

static const char *place(const char *name) {
    return arena_printf(&w.a, "%s/%s", unit_dir(), name);
}

/* A directory with the key; returns the address of its database: the server's, once, else a file in it. */
static const char *place_make(const char *name, bool on_server) {
    char key[32];
    const char *dir = place(name);
    struct err e;
    CHECK(mkdir(dir, 0700) == 0);
    FILE *from = fopen(world_path("site.key"), "rb"), *to = fopen(arena_printf(&w.a, "%s/site.key", dir), "wb");
    CHECK(from && to && fread(key, 1, sizeof key, from) == sizeof key && fwrite(key, 1, sizeof key, to) == sizeof key);
    fclose(from);
    CHECK(fclose(to) == 0 && chmod(arena_printf(&w.a, "%s/site.key", dir), 0600) == 0);
    if (!on_server || !server) return arena_printf(&w.a, "%s/lianfang.db", dir);
    CHECK(site_address_write(dir, server, &e) == 0);
    return server;
}

static struct site *place_open(const char *name) {
    struct site *s;
    struct err e;
    if (site_open(place(name), &s, &e)) unit_fail(__FILE__, __LINE__, "%s: %s %s", name, err_name(e.code), e.arg[0]);
    CHECK(tz_parse(s->tz, STR("2020-02-10 12:00"), &s->clock.fixed_us));
    return s;
}

/* ---- what a site holds, byte by byte ---- */

static void add_value(struct digest_state *d, struct rows *r, int col, enum val_type type) {
    struct val v = rows_val(r, col, type);
    digest_add(d, &v.type, sizeof v.type);
    if (v.type == V_INT) digest_add(d, &v.i, sizeof v.i);
    if (v.type == V_REAL) digest_add(d, &v.r, sizeof v.r);
    if (v.type == V_ID) digest_add(d, v.id.b, sizeof v.id.b);
    if (v.type == V_TEXT || v.type == V_BLOB) digest_add_str(d, v.s);
}

static int64_t rows_of(struct site *s, struct db *db, const struct table *t, struct digest *ret) {
    struct rows *rows;
    struct digest_state d;
    struct err e;
    int64_t n = 0;
    digest_start(&d);
    CHECK(db_query(db, &t->first, &rows, &e, VINT(s->id), VINT(INT64_MAX)) == 0);
    for (; rows_next(rows, &e) == 1; n++)
        for (size_t i = 1; i < t->n; i++) add_value(&d, rows, (int)i - 1, t->columns[i].type);
    rows_done(rows);
    *ret = digest_end(&d);
    return n;
}

/* All rows but those that belong to a place.  Returns their number. */
static int64_t same_rows(struct site *a, struct site *b) {
    struct db *da, *db;
    struct err e;
    const struct table *t;
    int64_t total = 0;
    CHECK(site_reader(a, &da, &e) == 0 && site_reader(b, &db, &e) == 0);
    for (size_t i = 0; (t = table_at(i)); i++) {
        struct digest x, y;
        if (t->place != TABLE_BY_SITE) continue;
        int64_t n = rows_of(a, da, t, &x), m = rows_of(b, db, t, &y);
        if (t->life == TABLE_PASSING && strcmp(t->name, "writer") != 0 && m > 0) unit_fail(__FILE__, __LINE__, "%s was copied", t->name);
        if (t->life == TABLE_PASSING || t->life == TABLE_DERIVED) continue; /* each makes its own: fsck compares it with the rows */
        if (n != m || memcmp(&x, &y, sizeof x) != 0) unit_fail(__FILE__, __LINE__, "%s: %lld rows and %lld, or others", t->name, (long long)n, (long long)m);
        total += n;
    }
    site_reader_done(a, da);
    site_reader_done(b, db);
    return total;
}

static struct str bulletin(struct site *s, enum lang lang) {
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    struct areas *t CLEANUP(areas_dropp) = site_areas(s);
    struct brief brief;
    struct db *db;
    struct err e;
    day_t day = site_today(s);
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(brief_make(db, s, &w.a, &t->all[0], day - 3, day, &brief, &e) == 0);
    site_reader_done(s, db);
    brief_html(&brief, lang, &b);
    CHECK(!b.failed && b.n > 1000);
    return arena_str(&w.a, buf_str(&b));
}

static void proves_itself(struct site *s) {
    struct site *here = w.s;
    w.s = s;
    world_proves_itself();
    w.s = here;
}

static void same_site(struct site *a, struct site *b) {
    CHECK(a->id == b->id && strcmp(a->name, b->name) == 0 && strcmp(a->tz_name, b->tz_name) == 0);
    same_rows(a, b);
    proves_itself(b);
}

/* ---- the way there and back ---- */

TEST(a_site_goes_to_another_database_and_back_and_no_byte_of_it_changes) {
    struct copy_result r;
    source();
    CHECK_INT(copied(w.s, place("a"), place_make("a", true), &(struct copy_options){0}, &r).code, ERR_NONE);
    struct site *a = place_open("a");
    CHECK(db_is_server(a->address) == (server != NULL));
    CHECK_INT(same_rows(w.s, a), r.rows);
    CHECK(r.before == 0 && r.seq == seq_now() && r.rows > 100);
    CHECK_INT(copied(a, place("b"), place_make("b", false), &(struct copy_options){.at_once = 3}, &r).code, ERR_NONE);
    struct site *b = place_open("b");
    same_site(w.s, b);
    proves_itself(a);
    for (enum lang l = 0; l < LANG__COUNT; l++) {
        struct str was = bulletin(w.s, l);
        CHECK(str_eq(was, bulletin(a, l)) && str_eq(was, bulletin(b, l)));
    }
    site_close(b);
    site_close(a);
    world_close();
}

TEST(a_copy_lives_on_as_the_site_did) {
    struct copy_result r;
    source();
    CHECK_INT(copied(w.s, place("a"), place_make("a", true), &(struct copy_options){0}, &r).code, ERR_NONE);
    struct digest was = state_now(), is;
    site_close(w.s);
    w.s = place_open("a");
    is = state_now();
    CHECK(memcmp(&was, &is, sizeof is) == 0);
    run(NULL, "area.create", NULL, NULL, "{'name':'3号楼','code':'b3','level':'building','parent':'q1'}");
    run(NULL, "household.create", "b3", NULL, "{'code':'h3'}");
    run(NULL, "resident.create", NULL, NULL, "{'name':'孙七','household':'h3'}");
    CHECK_ERR(refused(NULL, "household.create", "b1", NULL, "{'code':'h1'}"), ERR_INVALID);
    CHECK_INT(seq_now(), r.seq + 3);
    world_proves_itself();
    world_close();
}

static bool something_lies_by(struct site *s) {
    struct db *db;
    struct err e;
    bool any;
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(tally_lies_by(db, s->id, &any, &e) == 0);
    site_reader_done(s, db);
    return any;
}

TEST(what_lies_by_on_a_server_is_counted_in_its_copy) {
    struct copy_result r;
    source();
    CHECK_INT(copied(w.s, place("a"), place_make("a", true), &(struct copy_options){0}, &r).code, ERR_NONE);
    site_close(w.s);
    w.s = place_open("a");
    const char *g = run(NULL, "gate.create", "q1", NULL, "{'name':'西门','kind_of':'quarter_gate'}");
    for (int i = 0; i < 6; i++) run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'person','seen_at':'2020-02-10 11:0%d'}", g, i);
    CHECK(something_lies_by(w.s) == (server != NULL));
    CHECK_INT(copied(w.s, place("b"), place_make("b", false), &(struct copy_options){0}, &r).code, ERR_NONE);
    struct site *b = place_open("b");
    CHECK(!something_lies_by(b));
    CHECK(str_eq(bulletin(w.s, LANG_ZH_HANS), bulletin(b, LANG_ZH_HANS)));
    proves_itself(b);
    site_close(b);
    world_close();
}

/* ---- interruptions ---- */

static bool stop_at_once(void *arg UNUSED, int64_t done UNUSED, int64_t total UNUSED) {
    return false;
}

static void cannot_be_opened(const char *name) {
    struct site *s;
    struct err e;
    CHECK(site_open(place(name), &s, &e) == -1);
    CHECK_ERR(e, ERR_STATE);
    CHECK_INT(e.msg, M_COPY_UNFINISHED);
}

TEST(a_copy_stopped_after_any_transaction_goes_on_and_until_its_end_cannot_be_opened) {
    struct copy_result r = {0};
    int runs = 0;
    int64_t last = 0;
    source();
    const char *to = place_make("a", true);
    struct copy_options o = {.at_once = 11, .progress = stop_at_once};
    for (struct err e; (e = copied(w.s, place("a"), to, &o, &r)).code; runs++) {
        CHECK_INT(e.msg, M_COPY_UNFINISHED);
        CHECK(runs == 0 || r.before > last);
        last = r.before;
        cannot_be_opened("a");
    }
    CHECK(runs > 12 && r.before > 90);
    struct site *a = place_open("a");
    same_site(w.s, a);
    site_close(a);
    world_close();
}

/* ---- other runs and other states ---- */

TEST(a_copy_of_a_site_that_changed_meanwhile_begins_anew_when_told_so) {
    struct copy_result r;
    source();
    const char *to = place_make("a", true);
    CHECK_INT(copied(w.s, place("a"), to, &(struct copy_options){.at_once = 7, .progress = stop_at_once}, &r).msg, M_COPY_UNFINISHED);
    run(NULL, "household.create", "b1", NULL, "{'code':'h9'}");
    struct err e = copied(w.s, place("a"), to, &(struct copy_options){0}, &r);
    CHECK_ERR(e, ERR_STATE);
    CHECK_INT(e.msg, M_COPY_CHANGED);
    cannot_be_opened("a");
    CHECK_INT(copied(w.s, place("a"), to, &(struct copy_options){.again = true}, &r).code, ERR_NONE);
    CHECK(r.before == 0 && r.seq == seq_now());
    struct site *a = place_open("a");
    same_site(w.s, a);
    site_close(a);
    world_close();
}

TEST(secrets_and_settings_are_those_of_the_end_of_a_copy) {
    struct copy_result r;
    struct err e;
    source();
    const char *to = place_make("a", true);
    CHECK_INT(copied(w.s, place("a"), to, &(struct copy_options){.at_once = 7, .progress = stop_at_once}, &r).msg, M_COPY_UNFINISHED);
    tamper("UPDATE user_secret SET totp_step = 12345; INSERT INTO setting (site, name, value) SELECT site, 'sunset', '2021-01-01' FROM setting WHERE name = 'site'");
    if (copied(w.s, place("a"), to, &(struct copy_options){0}, &r).code) unit_fail(__FILE__, __LINE__, "not copied");
    struct site *a = place_open("a");
    struct str v = STR("");
    struct db *db;
    CHECK(site_reader(a, &db, &e) == 0 && setting_get(db, a->id, &w.a, "sunset", &v, &e) == 1);
    site_reader_done(a, db);
    CHECK_STR(v, "2021-01-01");
    same_site(w.s, a);
    site_close(a);
    world_close();
}

static void counts(const char *name, int64_t want) {
    struct site *s = place_open(name);
    struct db *db;
    struct err e;
    int64_t n = 0;
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(db_int(db, &table_by_name("household")->count, &n, &e, VINT(s->id)) == 1);
    site_reader_done(s, db);
    site_close(s);
    CHECK_INT(n, want);
}

TEST(a_site_that_is_there_is_never_written_over) {
    struct copy_result r;
    source();
    const char *to = place_make("a", true);
    CHECK_INT(copied(w.s, place("a"), to, &(struct copy_options){0}, &r).code, ERR_NONE);
    run(NULL, "household.create", "b1", NULL, "{'code':'h9'}");
    for (int again = 0; again < 2; again++) {
        struct err e = copied(w.s, place("a"), to, &(struct copy_options){.again = again}, &r);
        CHECK_ERR(e, ERR_CONFLICT);
        CHECK_INT(e.msg, M_SITE_EXISTS);
        e = copied(w.s, "itself", w.s->address, &(struct copy_options){.again = again}, &r);
        CHECK_INT(e.msg, M_SITE_EXISTS);
    }
    counts("a", 2);
    world_proves_itself();
    world_close();
}

/* Several sites share a database; what happens to one is nothing to another. */
TEST(a_neighbour_in_the_same_database_is_left_alone) {
    struct copy_result r;
    struct err e;
    source();
    struct site *here = w.s;
    const char *other = place("neighbour");
    CHECK(site_create(other, &(struct site_options){.name = "邻县", .code = "linxian", .db = server}, &e) == 0);
    struct site *s = place_open("neighbour");
    w.s = s;
    run(NULL, "household.create", "linxian", NULL, "{'code':'h1','head':'邻人'}");
    struct digest was = state_now(), is;
    char address[SITE_ADDRESS];
    snprintf(address, sizeof address, "%s", s->address);
    w.s = here;
    site_close(s);
    struct copy_options stop = {.at_once = 7, .progress = stop_at_once};
    CHECK_INT(copied(w.s, "a", address, &stop, &r).msg, M_COPY_UNFINISHED);
    CHECK_INT(copied(w.s, "a", address, &(struct copy_options){.again = true}, &r).code, ERR_NONE);
    w.s = s = place_open("neighbour");
    is = state_now();
    CHECK(memcmp(&was, &is, sizeof is) == 0);
    world_proves_itself();
    w.s = here;
    site_close(s);
    /* The same database with the other key. */
    CHECK(link(world_path("site.key"), arena_printf(&w.a, "%s/other.key", other)) == 0);
    CHECK(rename(arena_printf(&w.a, "%s/other.key", other), arena_printf(&w.a, "%s/site.key", other)) == 0);
    s = place_open("neighbour");
    same_site(w.s, s);
    site_close(s);
    world_close();
}

TEST(a_site_that_is_taken_back_leaves_no_row_and_its_neighbour_stays) {
    struct err e;
    const struct table *t;
    struct db *db;
    source_make();
    CHECK(site_create(place("gone"), &(struct site_options){.code = "gone", .db = server}, &e) == 0);
    CHECK(site_create(place("stays"), &(struct site_options){.code = "stays", .db = server}, &e) == 0);
    struct site *s = place_open("gone");
    int64_t gone = s->id;
    site_close(s);
    site_take_back(place("gone"));
    CHECK(!site_is_there(place("gone")) && site_is_there(place("stays")));
    s = place_open("stays");
    CHECK(site_reader(s, &db, &e) == 0);
    for (size_t i = 0; (t = table_at(i)); i++) {
        int64_t n = -1;
        if (t->place == TABLE_BY_SITE) CHECK(db_int(db, &t->count, &n, &e, VINT(gone)) == 1 && n == 0);
    }
    site_reader_done(s, db);
    CHECK_INT(site_seq(s), 1);
    proves_itself(s);
    site_close(s);
    world_close();
}

/* ---- a site in use ---- */

static bool write_meanwhile(void *arg, int64_t done UNUSED, int64_t total UNUSED) {
    int *n = arg;
    char code[16];
    snprintf(code, sizeof code, "n%d", ++*n);
    if (*n < 12) run(NULL, "household.create", "b1", NULL, "{'code':'%s','head':'后来'}", code);
    return true;
}

TEST(a_copy_is_one_moment_of_a_site_in_use) {
    struct copy_result r;
    int n = 0;
    source();
    int64_t seq = seq_now();
    CHECK_INT(copied(w.s, place("a"), place_make("a", true), &(struct copy_options){.at_once = 7, .progress = write_meanwhile, .arg = &n}, &r).code, ERR_NONE);
    CHECK(n > 12 && r.seq == seq && seq_now() == seq + 11);
    counts("a", 2);
    struct site *a = place_open("a");
    CHECK_INT(site_seq(a), seq);
    proves_itself(a);
    site_close(a);
    world_proves_itself();
    world_close();
}

/* ---- faults anywhere ---- */

static void make_source(const char *fault UNUSED) {
    source();
    place_make("a", true);
    world_close();
    exit(0);
}

static void copy_with_fault(const char *fault) {
    struct copy_result r;
    struct err e;
    char to[SITE_ADDRESS];
    setenv("LF_FAULT", fault, 1);
    site_program_init(systems_all);
    if (site_open(world_path(""), &w.s, &e)) exit(3);
    CHECK(site_address(place("a"), NULL, to, &e) == 0);
    e = copied(w.s, place("a"), to, &(struct copy_options){.at_once = 16}, &r);
    world_close();
    exit(e.code ? 0 : 2);
}

static void compare(const char *fault UNUSED) {
    world_open();
    struct site *a = place_open("a");
    same_site(w.s, a);
    site_close(a);
    world_close();
    exit(0);
}

static int in_child(void (*what)(const char *fault), const char *fault) {
    int status = 1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) what(fault);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 1);
    return WEXITSTATUS(status);
}

TEST(a_copy_that_fails_anywhere_goes_on_from_there) {
    int failed = 0, end = 0;
    in_child(make_source, NULL);
    for (int n = 61; end != 2; n += 23) {
        char fault[40];
        snprintf(fault, sizeof fault, "%s:%d", n % 2 ? "db" : "dbfull", n);
        end = in_child(copy_with_fault, fault);
        failed += end == 0;
        CHECK(n < 20000);
    }
    CHECK(failed > 2);
    in_child(compare, NULL);
    arena_release(&w.a);
}
