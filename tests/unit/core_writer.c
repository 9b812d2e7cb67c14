/* Acknowledged means there, once; refused means absent.  Under load, faults, a full disk, and when the program is killed. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/journal.h"
#include "core_help.h"

/* ---- many at once ---- */

static void *create_many(void *arg) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < *(int *)arg; i++) {
        struct command_call call = {.a = &a, .actor = &actor_system, .id = id_new(site_now(w.s)), .area = STR("b1")};
        struct err e;
        command_prepare(&call, kind_by_name(STR("household")), VERB_CREATE);
        CHECK(command_do(w.s, &call, &e) == 0);
        arena_clear(&a);
    }
    return NULL;
}

TEST(many_commands_share_a_commit) {
    pthread_t t[16];
    int each = 40;
    world_make();
    struct writer_counts before = writer_counts(w.s);
    for (size_t i = 0; i < COUNT(t); i++) CHECK(pthread_create(&t[i], NULL, create_many, &each) == 0);
    for (size_t i = 0; i < COUNT(t); i++) pthread_join(t[i], NULL);
    struct writer_counts after = writer_counts(w.s);
    CHECK_INT(after.items - before.items, (long long)COUNT(t) * each);
    CHECK(after.commits - before.commits < after.items - before.items);
    CHECK_INT(after.failed, before.failed);
    CHECK_INT(records_of("household"), (long long)COUNT(t) * each);
    world_proves_itself();
    world_close();
}

struct slow {
    struct write_item item;
    sem_t go;
};

static int slow_run(struct tx *tx UNUSED, struct write_item *item, struct err *e UNUSED) {
    sem_t *go = &((struct slow *)item)->go;
    sem_wait(go);
    sem_post(go); /* its group may run twice */
    return 0;
}

static int told; /* on the writer's thread */

struct counted {
    struct write_item item;
    int done;
};

static int nothing_to_run(struct tx *tx UNUSED, struct write_item *item UNUSED, struct err *e UNUSED) {
    return 0;
}

static void count_done(struct write_item *item) {
    ((struct counted *)item)->done++;
    told++;
}

static void ignore_done(struct write_item *item UNUSED) {}

TEST(closing_a_site_with_a_full_queue_tells_everybody_once) {
    enum { MORE = 10000 };
    static struct counted all[MORE];
    world_make();
    struct slow slow = {.item = {.run = slow_run, .done = ignore_done}};
    sem_init(&slow.go, 0, 0);
    CHECK(writer_submit(w.s, &slow.item));
    int taken = 0;
    for (; taken < MORE; taken++) {
        all[taken].item = (struct write_item){.run = nothing_to_run, .done = count_done};
        if (!writer_submit(w.s, &all[taken].item)) break;
    }
    CHECK(taken > 100 && taken < MORE); /* the queue has an end */
    struct err e;
    CHECK(writer_run(w.s, &(struct write_item){.run = nothing_to_run}, &e) == -1);
    CHECK_ERR(e, ERR_BUSY);
    sem_post(&slow.go);
    site_close(w.s);
    CHECK_INT(told, taken);
    for (int i = 0; i < taken; i++) CHECK(all[i].done == 1 && !all[i].item.failed);
    arena_release(&w.a);
}

static int begun, ended, told_outside; /* on the writer's thread */

static void around(bool begins) {
    begun += begins;
    ended += !begins;
}

static void done_inside(struct write_item *item UNUSED) {
    told++;
    told_outside += begun != ended + 1;
}

TEST(what_waits_is_foreseen_by_what_is_queued_and_a_group_is_told_at_one_go) {
    enum { SOME = 300, LONG_US = 3600 * 1000000ll };
    static struct write_item all[2 * SOME];
    world_make();
    CHECK_INT(writer_pace(w.s, LONG_US).wait_us, 0);
    struct slow slow = {.item = {.run = slow_run, .done = done_inside}};
    sem_init(&slow.go, 0, 0);
    writer_around_answers(w.s, around);
    CHECK(writer_submit(w.s, &slow.item));
    while (writer_counts(w.s).queued) sched_yield();
    int64_t before = 0;
    for (int i = 0; i < 2 * SOME; i++) {
        all[i] = (struct write_item){.run = nothing_to_run, .done = done_inside};
        CHECK(writer_submit(w.s, &all[i]));
        if (i == SOME - 1) before = writer_pace(w.s, LONG_US).wait_us;
    }
    struct writer_pace p = writer_pace(w.s, LONG_US);
    CHECK(before > 0 && p.wait_us >= before * 2 - before / 10);
    CHECK(p.done >= 2 * SOME && p.done < 100000); /* never more than the queue takes */
    CHECK(writer_pace(w.s, 1).done <= 1);
    sem_post(&slow.go);
    CHECK(writer_run(w.s, &(struct write_item){.run = nothing_to_run}, &(struct err){0}) == 0);
    writer_around_answers(w.s, NULL);
    CHECK(writer_counts(w.s).queue_us > 0);
    site_close(w.s);
    CHECK_INT(told, 2 * SOME + 1);
    CHECK_INT(told_outside, 0);
    CHECK(begun == ended && begun >= 2 && begun < 10);
    arena_release(&w.a);
}

static struct stmt broken = STMT(test_broken, "INSERT INTO tally (site, path, figure, cut, day, n) VALUES ($1, NULL, '', '', '', 0)");

static int broken_run(struct tx *tx, struct write_item *item UNUSED, struct err *e) {
    return db_run(tx->db, &broken, e, VINT(tx->site->id));
}

TEST(a_mistake_of_one_command_does_not_fail_its_group) {
    world_make();
    stmt_register(&broken, 1);
    struct slow slow = {.item = {.run = slow_run, .done = ignore_done}};
    struct counted bad = {.item = {.run = broken_run, .done = count_done}};
    struct command_call good[2];
    struct command_item items[2];
    sem_init(&slow.go, 0, 0);
    CHECK(writer_submit(w.s, &slow.item));
    for (int i = 0; i < 2; i++) {
        good[i] = (struct command_call){.a = &w.a, .actor = &actor_system, .id = id_new(site_now(w.s)), .area = STR("b1")};
        command_prepare(&good[i], kind_by_name(STR("household")), VERB_CREATE);
        items[i] = command_item_make(&good[i], ignore_done);
    }
    CHECK(writer_submit(w.s, &items[0].item) && writer_submit(w.s, &bad.item) && writer_submit(w.s, &items[1].item));
    sem_post(&slow.go);
    struct err e;
    CHECK(writer_run(w.s, &(struct write_item){.run = nothing_to_run}, &e) == 0);
    CHECK(bad.item.failed && bad.item.err.code == ERR_DB);
    CHECK(!items[0].item.failed && !items[1].item.failed);
    CHECK_INT(records_of("household"), 2);
    world_proves_itself();
    world_close();
}

/* ---- faults at every call of the database ---- */

static int in_child(void (*work)(void *), void *arg) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        work(arg);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void make_site(void *arg UNUSED) {
    world_make();
    run(NULL, "gate.create", "q1", NULL, "{'name':'东门','code':'g1','kind_of':'quarter_gate'}");
    run(NULL, "member.create", "xg", NULL, "{'name':'党员','code':'m1','roll':'member'}");
    world_close();
}

static void copy_file(const char *from, const char *to) {
    char bytes[65536];
    size_t n;
    FILE *in = fopen(world_path(from), "rb"), *out = fopen(world_path(to), "wb");
    CHECK(in && out);
    while ((n = fread(bytes, 1, sizeof bytes, in)) > 0) CHECK(fwrite(bytes, 1, n, out) == n);
    fclose(in);
    CHECK(fclose(out) == 0);
}

static const char *const scenario[] = {
    "'command':'household.create','area':'b1','record':'00000000-0000-7000-8000-0000000000a1','data':{'code':'h1','since':'2020-02-01','address':'西关街1号'}",
    "'command':'household.create','area':'b2','record':'00000000-0000-7000-8000-0000000000a2','data':{'code':'h2','since':'2020-02-01'}",
    "'command':'resident.create','record':'00000000-0000-7000-8000-0000000000b1','data':{'name':'张三','household':'h1','phone':'13800138000'}",
    "'command':'resident.update','record':'00000000-0000-7000-8000-0000000000b1','data':{'household':'h2','note':'需要轮椅'}",
    "'command':'gate_scan.create','data':{'gate':'g1','what':'person','seen_at':'2020-02-10 11:00','phone':'13800138000'}",
    "'command':'gate_scan.create','data':{'gate':'g1','what':'vehicle','persons':4,'seen_at':'2020-02-10 11:01'}",
    "'command':'household.assign','data':{'member':null,'households':['00000000-0000-7000-8000-0000000000a1','00000000-0000-7000-8000-0000000000a2']}",
    "'command':'area.create','record':'00000000-0000-7000-8000-0000000000c1','data':{'name':'3号楼','code':'b3','level':'building','parent':'q1'}",
    "'command':'household.create','area':'b3','record':'00000000-0000-7000-8000-0000000000a3','data':{'code':'h3'}",
    "'command':'area.update','record':'00000000-0000-7000-8000-0000000000c1','data':{'parent':'v1'}",
    "'command':'household.create','area':'b3','record':'00000000-0000-7000-8000-0000000000a4','data':{'code':'h4'}",
    "'command':'resident.open','record':'00000000-0000-7000-8000-0000000000b1','data':{'fields':['phone'],'reason':'核对电话'}",
    "'command':'household.remove','record':'00000000-0000-7000-8000-0000000000a1','data':{}",
    "'command':'case.create','area':'xg','data':{'name':'甲','classification':'suspected'}",
};

static int send_step(size_t i, struct err *e) {
    return run_json(NULL, &w.call, e, "{'id':'00000000-0000-7000-8000-0000000001%02zu',%s}", i, scenario[i]);
}

static void open_at_last(void) {
    struct err e;
    site_program_init(systems_all);
    for (int i = 0; i < 3; i++)
        if (site_open(world_path(""), &w.s, &e) == 0) return world_clock("2020-02-10 12:00");
    unit_fail(__FILE__, __LINE__, "the site does not open");
}

enum { FIRED = 0, NOT_FIRED = 2 };

static void complain(void *arg UNUSED, enum fsck_part part, const char *what) {
    unit_fail(__FILE__, __LINE__, "%s: %s", fsck_names[part], what);
}

/* Sends a step, again if the disk was full; tells whether it had run before. */
static bool run_before(size_t i, bool full) {
    struct err e;
    for (int tries = 0; tries < 2; tries++) {
        if (send_step(i, &e) == 0) return w.call.repeated;
        if (!full || e.code != ERR_STORAGE_FULL) unit_fail(__FILE__, __LINE__, "step %zu: %s %s %s", i, err_name(e.code), e.field, msg_name(e.msg));
    }
    unit_fail(__FILE__, __LINE__, "step %zu is refused twice", i);
}

/* What is refused has not run, and what is acknowledged runs no second time. */
static void play(void *arg) {
    struct err e;
    bool full = arg;
    CHECK(freopen(world_path("said"), "w", stderr)); /* each failed group is logged */
    open_at_last();
    for (size_t i = 0; i < COUNT(scenario); i++) {
        CHECK(!run_before(i, full));
        struct command_call first = w.call;
        CHECK(run_before(i, full));
        CHECK(w.call.ret_seq == first.ret_seq && w.call.ret_version == first.ret_version && id_eq(w.call.ret_record, first.ret_record));
        CHECK(str_eq(w.call.ret_json, first.ret_json));
    }
    struct writer_counts c = writer_counts(w.s);
    struct fsck_result found;
    /* The fault may be waiting still. */
    for (int i = 0; i < 2; i++)
        if (fsck_run(w.s, complain, NULL, &found, &e) == 0) break;
    CHECK_INT(found.looked_at[FSCK_BATCHES], 2);
    CHECK_INT(found.seq, 25);
    site_close(w.s);
    arena_release(&w.a);
    exit(c.retried || c.failed ? FIRED : NOT_FIRED);
}

static const char *said(void) {
    char *text = arena_alloc(&w.a, 4096);
    FILE *f = fopen(world_path("said"), "rb");
    text[f ? fread(text, 1, 4000, f) : 0] = 0;
    if (f) fclose(f);
    return text;
}

/* The site as make_site left it: on a server another one. */
static void begin_again(int n) {
    if (n > 1 && unit_on_server()) CHECK(rename(world_path(""), arena_printf(&w.a, "%s/round%d", unit_dir(), n)) == 0);
    if (n == 1 || unit_on_server()) CHECK(in_child(make_site, NULL) == 0);
    if (unit_on_server()) return;
    if (n == 1) copy_file("lianfang.db", "base.db");
    copy_file("base.db", "lianfang.db");
    unlink(world_path("lianfang.db-wal"));
}

static void torture(const char *fault, bool full) {
    int fired = 0, idle = 0;
    for (int n = 1; n < 80 || idle < 8; n += n < 8 ? 1 : 9 + rand() % 9) {
        char text[40];
        unsetenv("LF_FAULT");
        begin_again(n);
        snprintf(text, sizeof text, "%s:%d", fault, n);
        setenv("LF_FAULT", text, 1);
        int r = in_child(play, full ? &fired : NULL);
        if (r != FIRED && r != NOT_FIRED) unit_fail(__FILE__, __LINE__, "LF_FAULT=%s: %s", text, said());
        idle = r == FIRED ? 0 : idle + 1;
        fired += r == FIRED;
    }
    CHECK(fired > 15);
    arena_release(&w.a);
}

TEST(a_busy_database_delays_a_command_and_nothing_else_whenever_it_happens) {
    torture("db", false);
}

TEST(a_full_disk_refuses_a_command_and_the_site_goes_on_whenever_it_happens) {
    torture("dbfull", true);
}

/* ---- commits that fail while others wait behind them ---- */

enum { AT_ONCE = 8, EACH = 40 };

/* The same id runs once and is answered alike. */
static void *create_each_twice(void *arg) {
    struct arena a CLEANUP(arena_release) = {0};
    for (int i = 0; i < EACH; i++) {
        const struct kind *k = kind_by_name(arg ? STR("gate_scan") : STR("household"));
        struct id id = id_new(site_now(w.s));
        int64_t first = 0, seen = site_now(w.s);
        for (int again = 0; again < 2; again++) {
            struct command_call call = {.a = &a, .actor = &actor_system, .id = id, .area = arg ? STR_NONE : STR("b1")};
            struct err e;
            command_prepare(&call, k, VERB_CREATE);
            if (arg) {
                call.values[kind_field(k, STR("gate"))] = VTEXT(STR("g1"));
                call.values[kind_field(k, STR("what"))] = VTEXT(STR("person"));
                call.values[kind_field(k, STR("seen_at"))] = VINT(seen);
                call.given[kind_field(k, STR("seen_at"))] = true;
            }
            if (command_do(w.s, &call, &e)) unit_fail(__FILE__, __LINE__, "%s %s", err_name(e.code), e.arg[0]);
            CHECK(call.repeated == again && call.ret_seq > 0 && (!again || call.ret_seq == first));
            first = call.ret_seq;
        }
        arena_clear(&a);
    }
    return NULL;
}

static void create_at_once(void *arg) {
    pthread_t t[AT_ONCE];
    world_open();
    for (size_t i = 0; i < COUNT(t); i++) CHECK(pthread_create(&t[i], NULL, create_each_twice, i % 2 ? arg : NULL) == 0);
    for (size_t i = 0; i < COUNT(t); i++) pthread_join(t[i], NULL);
    bool retried = writer_counts(w.s).retried > 0;
    world_close();
    exit(retried ? FIRED : NOT_FIRED);
}

static void check_created(void) {
    world_open();
    CHECK_INT(records_of("household"), AT_ONCE / 2 * EACH);
    CHECK_INT(records_of("gate_scan"), AT_ONCE / 2 * EACH);
    world_proves_itself();
    world_close();
}

TEST(what_a_commit_whose_answer_is_lost_held_is_there_once_with_what_was_asked_behind_it) {
    if (!unit_on_server()) unit_skip("a file's commit is one step");
    for (int n = 1; n < 40; n += 1 + n / 2) {
        char text[40];
        unsetenv("LF_FAULT");
        begin_again(n);
        snprintf(text, sizeof text, "commit:%d", n);
        setenv("LF_FAULT", text, 1);
        CHECK_INT(in_child(create_at_once, &w), FIRED);
        unsetenv("LF_FAULT");
        check_created();
    }
}

static void make_commits_fail(void *arg UNUSED) {
    struct db *db;
    struct err e;
    make_site(NULL);
    CHECK(db_open(getenv("LF_DB"), DB_WRITE, &db, &e) == 0);
    CHECK(db_script(db, STR("CREATE SEQUENCE commits;"
                            "CREATE FUNCTION now_and_then() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''commits'') % 11 = 0 THEN "
                            "RAISE EXCEPTION ''now and then'' USING ERRCODE = ''40001''; END IF; RETURN NULL; END';"
                            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON gate_scan DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION now_and_then()"),
                    &e) == 0);
    db_close(db);
}

TEST(what_a_commit_that_failed_held_runs_again_before_what_was_asked_behind_it) {
    if (!unit_on_server()) unit_skip("a file's commit is one step");
    unit_own_database();
    CHECK(in_child(make_commits_fail, NULL) == 0);
    CHECK_INT(in_child(create_at_once, &w), FIRED);
    check_created();
}

/* ---- kill -9 ---- */

static int acknowledged; /* the pipe's end */

static void *create_and_tell(void *arg) {
    struct arena a CLEANUP(arena_release) = {0};
    for (;;) {
        struct command_call call = {.a = &a, .actor = &actor_system, .id = id_new(clock_now(&(struct clock){0})), .area = STR("b1")};
        struct err e;
        const struct kind *k = kind_by_name(arg ? STR("gate_scan") : STR("household"));
        command_prepare(&call, k, VERB_CREATE);
        if (arg) {
            call.area = STR_NONE;
            call.values[kind_field(k, STR("gate"))] = VTEXT(STR("g1"));
            call.values[kind_field(k, STR("what"))] = VTEXT(STR("person"));
            call.values[kind_field(k, STR("seen_at"))] = VINT(site_now(w.s));
        }
        if (command_do(w.s, &call, &e) == 0 && write(acknowledged, call.id.b, 16) != 16) _exit(1);
        arena_clear(&a);
    }
    return NULL;
}

static void load_for_ever(void) {
    pthread_t t[4];
    world_open();
    for (size_t i = 0; i < COUNT(t); i++) CHECK(pthread_create(&t[i], NULL, create_and_tell, i % 2 ? w.s : NULL) == 0);
    pthread_join(t[0], NULL);
}

static size_t read_acknowledged(int from, struct id *ids, size_t most, size_t enough, pid_t child) {
    size_t n = 0;
    bool killed = false;
    while (n < most && read(from, ids[n].b, 16) == 16) {
        n++;
        if (n < enough || killed) continue;
        killed = true;
        kill(child, SIGKILL);
    }
    return n;
}

TEST(what_was_acknowledged_before_a_kill_is_there_once) {
    enum { MOST = 20000, ROUNDS = 3 };
    static struct id ids[ROUNDS * MOST];
    size_t n = 0;
    CHECK(in_child(make_site, NULL) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        int ends[2], status;
        CHECK(pipe(ends) == 0);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            acknowledged = ends[1];
            load_for_ever();
        }
        close(ends[1]);
        n += read_acknowledged(ends[0], ids + n, MOST, 100 + (size_t)rand() % 200, child);
        close(ends[0]);
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    CHECK(n >= ROUNDS * 100);
    world_open();
    int64_t scans = 0, households = 0;
    for (size_t i = 0; i < n; i++) {
        const char *id = arena_printf(&w.a, "%s", id_text(ids[i], (char[ID_TEXT]){0}));
        struct journal_entry j;
        struct db *db;
        struct err e;
        if (record_of("gate_scan", id)) {
            scans++;
            continue;
        }
        CHECK(site_reader(w.s, &db, &e) == 0);
        CHECK(journal_by_id(db, w.s->id, &w.a, ids[i], &j, &e) == 1);
        site_reader_done(w.s, db);
        CHECK(record_of("household", arena_printf(&w.a, "%s", id_text(j.record, (char[ID_TEXT]){0}))));
        households++;
    }
    CHECK(records_of("gate_scan") >= scans && records_of("household") >= households && scans && households);
    world_proves_itself();
    world_close();
}

/* ---- two processes ---- */

static void half(void *arg) {
    const char *mine = arg ? "x" : "y", *others = arg ? "y" : "x";
    struct err e;
    world_open();
    for (int i = 0; i < 15; i++) {
        run(NULL, "area.create", NULL, NULL, "{'name':'%s%d','code':'%s%d','level':'building','parent':'q1'}", mine, i, mine, i);
        run(NULL, "household.create", arena_printf(&w.a, "%s%d", mine, i), NULL, "{}");
        for (int waited = 0;; waited++) {
            if (run_json(NULL, &w.call, &e, "{'id':'%s','command':'household.create','area':'%s%d','data':{}}", new_id(), others, i) == 0) break;
            CHECK(e.code == ERR_INVALID && waited < 20000);
            usleep(1000);
        }
        CHECK(path_of_area(arena_printf(&w.a, "%s%d", others, i)).n > 0);
    }
    world_close();
}

TEST(two_processes_write_to_one_site_and_see_each_others_areas) {
    CHECK(in_child(make_site, NULL) == 0);
    int status = 1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        half(&status);
        exit(0);
    }
    CHECK_INT(in_child(half, NULL), 0);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    world_open();
    CHECK_INT(records_of("household"), 60);
    CHECK_INT(records_of("area"), 8 + 30);
    world_proves_itself();
    world_close();
}
