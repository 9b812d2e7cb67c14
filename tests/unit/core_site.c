/* A site from its making to the end of what it may keep. */
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/core_stmts.h"
#include "core/jobs.h"
#include "core/trace.h"
#include "core/schema.h"
#include "core_help.h"

/* ---- making and opening ---- */

static struct err made(const char *dir, const struct site_options *o) {
    struct err e = {0};
    site_create(dir, o, &e);
    return e;
}

TEST(a_site_is_made_once_and_only_from_what_makes_sense) {
    world_make();
    const char *dir = world_path(".."), *other = arena_printf(&w.a, "%s/other", unit_dir());
    CHECK_ERR(made(world_path(""), &(struct site_options){0}), ERR_CONFLICT);
    CHECK_STR(str_z(made(other, &(struct site_options){.tz = "Asia/Nowhere"}).field), "tz");
    CHECK_STR(str_z(made(other, &(struct site_options){.code = "x", .level = "planet"}).field), "level");
    CHECK_ERR(made("/nonexistent/deep/site", &(struct site_options){0}), ERR_IO);
    struct err e;
    struct site *s;
    CHECK(site_open(other, &s, &e) == -1);
    CHECK_ERR(e, ERR_NOT_FOUND);
    CHECK(made(other, &(struct site_options){.name = "邻县"}).code == ERR_NONE);
    struct stat st;
    CHECK(stat(arena_printf(&w.a, "%s/%s", other, unit_on_server() ? "database" : "lianfang.db"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(stat(arena_printf(&w.a, "%s/site.key", other), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(chmod(arena_printf(&w.a, "%s/site.key", other), 0644) == 0);
    CHECK(site_open(other, &s, &e) == -1);
    CHECK_INT(e.msg, M_KEY_MODE);
    CHECK(unlink(arena_printf(&w.a, "%s/site.key", other)) == 0);
    CHECK(site_open(other, &s, &e) == -1);
    CHECK_ERR(e, ERR_NOT_FOUND);
    CHECK(dir != NULL);
    world_close();
}

TEST(two_sites_one_after_the_other_keep_to_themselves) {
    struct err e;
    struct site *s;
    world_make();
    run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    int64_t first = w.s->id;
    const char *other = arena_printf(&w.a, "%s/other", unit_dir());
    site_close(w.s);
    CHECK(made(other, &(struct site_options){.name = "邻县", .tz = "Europe/Berlin", .code = "linxian"}).code == ERR_NONE);
    CHECK(site_open(other, &s, &e) == 0);
    CHECK(s->id != first && strcmp(s->name, "邻县") == 0 && strcmp(s->tz_name, "Europe/Berlin") == 0);
    struct areas *t = site_areas(s);
    CHECK_INT((long long)t->n, 1);
    CHECK_STR(t->all[0].code, "linxian");
    areas_drop(t);
    char text[TIME_TEXT];
    CHECK_STR(str_z(tz_text(s->tz, INT64_C(1580000000) * US_PER_SECOND, text)), "2020-01-26T01:53:20+01:00");
    site_close(s);
    world_open();
    CHECK(w.s->id == first && strcmp(w.s->tz_name, "Asia/Shanghai") == 0);
    CHECK_STR(str_z(tz_text(w.s->tz, INT64_C(1580000000) * US_PER_SECOND, text)), "2020-01-26T08:53:20+08:00");
    CHECK_INT(records_of("household"), 1);
    world_proves_itself();
    world_close();
}

static int put_setting(struct tx *tx, struct write_item *item UNUSED, struct err *e) {
    return setting_put(tx->db, tx->site->id, "sunset", STR("2021-01-01"), e);
}

TEST(a_setting_is_kept) {
    struct err e;
    struct db *db;
    struct str v = STR_NONE;
    world_make();
    CHECK(writer_run(w.s, &(struct write_item){.run = put_setting}, &e) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(site_reader(w.s, &db, &e) == 0);
        CHECK_INT(setting_get(db, w.s->id, &w.a, "sunset", &v, &e), 1);
        CHECK_STR(v, "2021-01-01");
        CHECK_INT(setting_get(db, w.s->id, &w.a, "sunrise", &v, &e), 0);
        site_reader_done(w.s, db);
        site_close(w.s);
        world_open();
    }
    world_close();
}

static void *change_soon(void *arg UNUSED) {
    usleep(50000);
    struct arena a CLEANUP(arena_release) = {0};
    struct command_call call = {.a = &a, .actor = &actor_system, .id = id_new(site_now(w.s)), .area = STR("b1")};
    struct err e;
    command_prepare(&call, kind_by_name(STR("household")), VERB_CREATE);
    CHECK(command_do(w.s, &call, &e) == 0);
    return NULL;
}

TEST(who_waits_for_a_change_is_woken_by_it_and_not_held_for_ever) {
    pthread_t t;
    world_make();
    int64_t seq = seq_now(), began = monotonic_us();
    CHECK_INT(site_wait(w.s, seq, 20000), seq);
    CHECK(monotonic_us() - began >= 20000);
    CHECK(pthread_create(&t, NULL, change_soon, NULL) == 0);
    CHECK_INT(site_wait(w.s, seq, 20 * US_PER_SECOND), seq + 1);
    CHECK(monotonic_us() - began < 15 * US_PER_SECOND);
    pthread_join(t, NULL);
    CHECK_INT(site_wait(w.s, 0, 20 * US_PER_SECOND), seq + 1);
    world_close();
}

/* ---- a disk that is full while a site is made ---- */

static void make_with_fault(void *arg) {
    setenv("LF_FAULT", arg, 1);
    CHECK(freopen("/dev/null", "w", stderr));
    site_program_init(systems_all);
    struct site_options o = {.code = "jixian"};
    struct err first = made(world_path(""), &o);
    if (first.code == ERR_NONE) exit(2); /* the fault is still to come: on a server the tables are there already, and making a site asks for less */
    CHECK(made(world_path(""), &o).code == ERR_NONE);
    w.s = NULL;
    world_open();
    CHECK(path_of_area("jixian").n == AREA_STEP);
    world_proves_itself();
    world_close();
    exit(0);
}

TEST(a_site_that_could_not_be_made_whole_leaves_nothing_in_the_way) {
    int failed = 0;
    unit_own_database(); /* the tables, too, are made */
    for (int n = 1; n < 160; n += n < 6 ? 1 : 17) {
        int status = 1;
        char fault[40];
        snprintf(fault, sizeof fault, "dbfull:%d", n);
        CHECK(mkdir(world_path(""), 0700) == 0);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) make_with_fault(fault);
        CHECK(waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) == 1) unit_fail(__FILE__, __LINE__, "LF_FAULT=%s", fault);
        failed += WEXITSTATUS(status) == 0;
        CHECK(rename(world_path(""), arena_printf(&w.a, "%s/made%d", unit_dir(), n)) == 0);
    }
    CHECK(failed > 5);
    arena_release(&w.a);
}

/* ---- the schema ---- */

TEST(a_store_of_an_older_program_gets_its_new_columns) {
    world_make();
    const char *r = run(NULL, "resident.create", "b1", NULL, "{'name':'张三','phone':'13800138000'}");
    const char *h = run(NULL, "household.create", "b1", NULL, "{'code':'h1'}");
    site_close(w.s);
    tamper("ALTER TABLE resident DROP COLUMN note; DELETE FROM schema_column WHERE kind = 'resident' AND name = 'note';"
           "DROP INDEX household_by_member; ALTER TABLE household DROP COLUMN member; DELETE FROM schema_column WHERE kind = 'household' AND name = 'member';"
           "DROP TABLE bulletin; DELETE FROM schema_column WHERE kind = 'bulletin'");
    world_open();
    world_proves_itself();
    run(NULL, "resident.update", NULL, r, "{'note':'需要轮椅'}");
    CHECK(strcmp(plain_of("resident", r, "note"), "需要轮椅") == 0);
    const char *m = run(NULL, "member.create", "xg", NULL, "{'name':'党员','code':'m1','roll':'member'}");
    run(NULL, "household.update", NULL, h, "{'member':'%s'}", m);
    CHECK_ERR(refused(NULL, "member.remove", NULL, m, "{}"), ERR_STATE);
    run(NULL, "bulletin.issue", "jixian", NULL, "{'since':'2020-02-10','until':'2020-02-10'}");
    site_close(w.s);
    world_open();
    world_proves_itself();
    world_close();
}

TEST(a_store_of_a_newer_program_is_refused) {
    struct err e;
    struct site *s;
    world_make();
    site_close(w.s);
    tamper("INSERT INTO migration (number, made_at) VALUES (999, 0)");
    CHECK(site_open(world_path(""), &s, &e) == -1);
    CHECK_ERR(e, ERR_STATE);
    CHECK_INT(e.msg, M_SCHEMA_NEWER);
    CHECK(schema_newest() < 999);
    arena_release(&w.a);
}

/* ---- what is kept of people ---- */

static void people(void) {
    world_make();
    const char *g = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','kind_of':'quarter_gate'}");
    run(NULL, "household.create", "b1", NULL, "{'code':'h1','head':'诸葛孔明','address':'桃花源路77号','note':'独居老人'}");
    const char *r = run(NULL, "resident.create", NULL, NULL, "{'name':'诸葛孔明','household':'h1','id_number':'%s','phone':'13812345678','address':'桃花源路77号'}",
                        identity("19700101", 7));
    run(NULL, "resident.update", NULL, r, "{'phone':'13887654321','workplace':'桃花源小学','name':'司马仲达'}");
    run(NULL, "resident.open", NULL, r, "{'fields':['phone','id_number'],'reason':'核对电话'}");
    for (int i = 0; i < 3; i++)
        run(NULL, "gate_scan.create", NULL, NULL,
            "{'gate':'%s','what':'person','seen_at':'2020-02-10 1%d:00','name':'诸葛孔明','id_number':'%s','phone':'13812345678','plate':'晋A77777','temperature':37.%d}",
            g, i % 2, identity("19700101", 7), i + 2);
    run(NULL, "triage_visit.create", "xg", NULL, "{'name':'诸葛孔明','id_number':'%s','phone':'13812345678','seen_at':'2020-02-10 09:00','temperature':38.5,'disposition':'fever_clinic'}",
        identity("19700101", 7));
    run(NULL, "application.create", "q1", NULL, "{'name':'诸葛孔明','received_on':'2020-02-03'}");
    run(NULL, "duplicate.create", "b1", NULL, "{'kind':'resident','record_a':'%s','reason':'phone','candidate':'{\\'name\\':\\'诸葛孔明\\',\\'phone\\':\\'13812345678\\'}'}", r);
    CHECK_INT(refused(NULL, "resident.create", "b1", NULL, "{'name':'诸葛孔明','id_number':'%s'}", "142628197001010158X").code, ERR_INVALID);
    world_proves_itself();
}

static bool holds(const char *bytes, size_t n, const char *what) {
    return memmem(bytes, n, what, strlen(what)) != NULL;
}

TEST(no_personal_value_stands_in_the_journal_and_no_sealed_one_in_the_file) {
    static char bytes[16 << 20];
    people();
    const char *number = identity("19700101", 7);
    const char *const plain[] = {number, "13812345678", "13887654321", "桃花源路77号", "独居老人", "诸葛孔明", "司马仲达", "桃花源小学", "晋A77777", "38.5", "37.3"};
    struct db *db;
    struct err e;
    struct rows *rows;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_query(db, CS(journal_after), &rows, &e, VINT(w.s->id), VINT(0), VINT(INT64_MAX)) == 0);
    while (rows_next(rows, &e) == 1)
        for (size_t i = 0; i < COUNT(plain); i++)
            if (str_find(rows_text(rows, 9), str_z(plain[i])) >= 0) unit_fail(__FILE__, __LINE__, "%s stands in %.*s", plain[i], STR_FMT(rows_text(rows, 9)));
    rows_done(rows);
    site_reader_done(w.s, db);
    site_close(w.s);
    if (unit_on_server()) return arena_release(&w.a);
    FILE *f = fopen(world_path("lianfang.db"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    CHECK(n > 65536 && holds(bytes, n, "诸葛孔明"));
    for (size_t i = 0; i < 5; i++)
        if (holds(bytes, n, plain[i])) unit_fail(__FILE__, __LINE__, "%s stands in the file", plain[i]);
    world_open();
    world_close();
}

static int64_t personal_left(const char *kind) {
    struct arena a CLEANUP(arena_release) = {0};
    struct rows *rows CLEANUP(rows_donep) = NULL;
    const struct kind *k = kind_by_name(str_z(kind));
    struct record r;
    struct db *db;
    struct err e;
    int64_t n = 0;
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_query(db, &kind_sql(k)->scan, &rows, &e, VINT(w.s->id), VID((struct id){{0}}), VINT(INT64_MAX)) == 0);
    while (rows_next(rows, &e) == 1) {
        record_read(&a, k, rows, &r);
        for (size_t i = 0; i < k->n; i++) n += k->fields[i].flags & (PERSONAL | SEALED) && r.v[i].type != V_NULL;
    }
    rows_donep(&rows);
    site_reader_done(w.s, db);
    return n;
}

/* All tallies and the number of records, which an erasure does not touch. */
static struct digest counted(void) {
    static struct stmt tallies = STMT(test_counted, "SELECT path, figure, cut, day, n FROM tally WHERE site = $1 ORDER BY path, figure, cut, day");
    struct digest_state d;
    struct rows *rows;
    struct db *db;
    struct err e;
    stmt_register(&tallies, 1);
    tallies_settle();
    digest_start(&d);
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(db_query(db, &tallies, &rows, &e, VINT(w.s->id)) == 0);
    while (rows_next(rows, &e) == 1)
        for (int i = 0; i < 5; i++) digest_add_str(&d, rows_text(rows, i));
    rows_done(rows);
    site_reader_done(w.s, db);
    return digest_end(&d);
}

static int64_t erased_on(const char *day) {
    int64_t n;
    struct err e;
    world_clock(day);
    CHECK(retention_run(w.s, &n, &e) == 0);
    return n;
}

/* Scans in which the field has that value, of all times. */
static size_t traced(const char *field, const char *text) {
    const struct kind *k = kind_by_name(STR("gate_scan"));
    struct trace t = {.kind = k, .field = (size_t)kind_field(k, str_z(field)), .before = site_now(w.s) + US_PER_DAY};
    struct record *all;
    struct db *db;
    struct err e;
    size_t n;
    t.from = t.before - 500 * US_PER_DAY;
    CHECK(trace_value(w.s, &w.a, k, t.field, str_z(text), &t.value, &e) == 0);
    CHECK(site_reader(w.s, &db, &e) == 0);
    CHECK(trace_rows(db, w.s, &w.a, &t, 100, &all, &n, &e) == 0);
    site_reader_done(w.s, db);
    for (size_t i = 1; i < n; i++) CHECK(record_int(&all[i - 1], "seen_at") >= record_int(&all[i], "seen_at"));
    return n;
}

TEST(the_personal_part_ends_when_its_time_is_over_and_the_figures_stay) {
    people();
    struct digest before = counted();
    int64_t residents = personal_left("resident"), visits = personal_left("triage_visit");
    CHECK_INT(traced("phone", "138 1234 5678"), 3);
    CHECK_INT(erased_on("2020-03-09 11:00"), 0);
    CHECK_INT(erased_on("2020-03-09 13:00"), 3);
    CHECK_INT(personal_left("gate_scan"), 0);
    CHECK_INT(personal_left("triage_visit"), visits);
    CHECK_INT(records_of("gate_scan"), 3);
    world_proves_itself();
    CHECK_INT(erased_on("2020-03-09 13:00"), 0);
    CHECK_INT(erased_on("2021-03-01 00:00"), 3);
    CHECK_INT(personal_left("triage_visit") + personal_left("duplicate") + personal_left("application"), 0);
    CHECK_INT(personal_left("resident"), residents);
    struct digest after = counted();
    CHECK(memcmp(&before, &after, sizeof after) == 0);
    world_proves_itself();
    /* Nobody is found by what was erased. */
    CHECK_INT(traced("phone", "13812345678"), 0);
    world_close();
}

TEST(a_record_changed_lately_keeps_its_personal_part) {
    world_make();
    const char *a = run(NULL, "application.create", "q1", NULL, "{'name':'甲','received_on':'2020-02-03'}");
    const char *b = run(NULL, "application.create", "q1", NULL, "{'name':'乙','received_on':'2020-02-03'}");
    const char *removed = run(NULL, "application.create", "q1", NULL, "{'name':'丙','received_on':'2020-02-03'}");
    run(NULL, "application.remove", NULL, removed, "{}");
    world_clock("2020-06-01 12:00");
    run(NULL, "application.update", NULL, b, "{'name':'乙乙'}");
    CHECK_INT(erased_on("2021-02-15 00:00"), 2);
    CHECK(!record_has(record_of("application", a), "name"));
    CHECK(!record_has(record_of("application", removed), "name"));
    CHECK_STR(record_text(record_of("application", b), "name"), "乙乙");
    world_proves_itself();
    world_close();
}

TEST(jobs_run_once_in_their_time_and_stop_when_told) {
    world_make();
    struct jobs *j = jobs_start(w.s);
    jobs_stop(j);
    world_proves_itself();
    world_close();
}
