/* Files of many pages, and a database that does not do as it is told. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fsck.h"
#include "import_help.h"
#include "systems/systems.h"

static void wrong(void *arg, enum fsck_part part, const char *what) {
    (void)arg;
    unit_fail(__FILE__, __LINE__, "fsck: %s: %s", fsck_names[part], what);
}

static void prove(struct site *s) {
    struct fsck_result r;
    struct err e;
    CHECK(fsck_run(s, wrong, NULL, &r, &e) == 0);
}

/* `bad` rows in every hundred. */
static const char *many_people(struct arena *a, int n, int bad) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 22);
    buf_addz(&b, "姓名,身份证号,楼栋,房号\n");
    for (int i = 0; i < n; i++)
        buf_addf(&b, "人%d,%s,%s,%d\n", i, i % 100 < bad ? "123" : id_number(arena_printf(a, "19%02d%02d01", 50 + i / 1000 % 40, 1 + i / 12000), i % 1000),
                 i % 2 ? "b3" : "b4", 100 + i / 6);
    return arena_strz(a, buf_str(&b));
}

struct seen {
    int calls;
    int64_t rows;
    double fraction;
};

static void watch(void *arg, const struct import_counts *c, double fraction) {
    struct seen *s = arg;
    CHECK(c->rows >= s->rows && fraction >= s->fraction && fraction <= 1);
    *s = (struct seen){s->calls + 1, c->rows, fraction};
}

TEST(a_file_of_many_pages_lands_in_its_order_and_says_how_far_it_is) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    struct seen seen = {0};
    const char *file = many_people(&a, 2500, 1);
    struct import_options o = {DEFAULT_OPTIONS, .progress = watch, .progress_arg = &seen, .refused_path = in_dir("back.csv")}, dry = o;
    dry.dry_run = true;
    int64_t seq = journal_seq(s);
    CHECK_COUNTS(import_text(s, "resident", "p.csv", file, &dry), 2475, 0, 0, 0, 25);
    CHECK_INT(journal_seq(s), seq);
    CHECK_INT(seen.calls, 3); /* two pages and the end */
    seen = (struct seen){0};
    struct run *r = import_text(s, "resident", "p.csv", file, &o);
    CHECK_COUNTS(r, 2475, 0, 0, 0, 25);
    CHECK_INT(seen.rows, 2500);
    CHECK_INT(r->r.problems[24].row, 2402);
    struct str back = read_whole(&a, r->r.refused_file.p), line;
    int lines = 0;
    for (; str_cut(&back, '\n', &line) && line.n; lines++) continue;
    CHECK_INT(lines, 26);
    CHECK_INT(count_records(s, "household"), 834);
    seen = (struct seen){0};
    CHECK_COUNTS(import_text(s, "resident", "p.csv", file, &o), 0, 0, 2475, 0, 25);
    prove(s);
}

TEST(a_tree_of_areas_may_go_on_over_the_pages) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    buf_addz(&b, "编号,名称,层级,上级\n");
    for (int i = 0; i < 1500; i++) buf_addf(&b, "v%d,村%d,村,cz\nw%d,一号楼,楼栋,村%d\n", i, i, i, i > 1200 ? i - 1200 : i);
    const char *file = arena_strz(&a, buf_str(&b));
    struct import_options dry = {DEFAULT_OPTIONS, .dry_run = true};
    CHECK_COUNTS(import_text(s, "area", "a.csv", file, &dry), 3000, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "area", "a.csv", file, NULL), 3000, 0, 0, 0, 0);
    CHECK_COUNTS(import_text(s, "area", "a.csv", file, NULL), 0, 0, 3000, 0, 0);
    /* A new name is known to the rows behind it. */
    CHECK_COUNTS(import_text(s, "area", "a.csv", "编号,名称,层级,上级\nv0,新名村,村,cz\nx1,二号楼,楼栋,新名村\n", NULL), 1, 1, 0, 0, 0);
    prove(s);
}

TEST(a_file_that_breaks_off_leaves_what_came_before) {
    struct arena a CLEANUP(arena_release) = {0};
    struct site *s CLEANUP(site_closep) = county();
    const char *file = arena_printf(&a, "%s\"never closed", many_people(&a, 1200, 0));
    struct run *r = import_text(s, "resident", "p.csv", file, NULL);
    CHECK(r->status && r->e.msg == M_FILE_QUOTE);
    CHECK_INT(r->r.counts.imported, count_records(s, "resident"));
    CHECK_INT(r->r.counts.imported, 1200);
    CHECK_COUNTS(import_text(s, "resident", "p.csv", many_people(&a, 1200, 0), NULL), 0, 0, 1200, 0, 0);
}

/* ---- faults ---- */

static const char scans[] = "卡点,时间,对象\ng1,2020-02-09 08:00,人员\ng1,2020-02-09 08:00,人员\ng1,2020-02-09 08:01,车辆\n";
static const char gates[] = "卡点名称,编号,卡点类型,社区\n西门,g1,小区门,西关社区\n";
static const char roster[] = "姓名,出生日期,手机号,楼栋,房号\n王芳,1990-01-01,13800000001,b3,1\n王方,1990-01-01,,b3,1\n李四,1970-01-01,,b3,1\n赵五,1970-02-30,,b4,2\n";

static void land(struct site *s, const char *kind, const char *text) {
    for (int i = 0; i < 3; i++) {
        struct run *r = import_text(s, kind, "f.csv", text, NULL);
        if (r->status == 0) return;
        /* The disk is full once; a busy database is tried again by the writer. */
        if (r->e.code != ERR_STORAGE_FULL) unit_fail(__FILE__, __LINE__, "%s: %s", kind, err_name(r->e.code));
    }
    unit_fail(__FILE__, __LINE__, "%s does not land", kind);
}

/* Each in a process of its own, because the fault is counted from a process's first call to the database. */
static int in_child(int (*fn)(const char *dir, const char *fault), const char *dir, const char *fault) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) exit(fn(dir, fault));
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

enum { FAULT_ELSEWHERE = 77 };

static int make_county(const char *dir, const char *fault) {
    (void)fault;
    site_close(county_in(dir));
    return 0;
}

static int import_under_fault(const char *dir, const char *fault) {
    struct site *s;
    struct err e;
    setenv("LF_FAULT", fault, 1);
    setenv("LF_CLOCK", "2020-02-10T08:00:00+08:00", 1);
    site_program_init(systems_all);
    if (site_open(dir, &s, &e)) return FAULT_ELSEWHERE;
    land(s, "gate", gates);
    land(s, "gate_scan", scans);
    land(s, "resident", roster);
    site_close(s);
    return 0;
}

static int look_after(const char *dir, const char *fault) {
    struct site *s;
    struct err e;
    (void)fault;
    setenv("LF_CLOCK", "2020-02-10T08:00:00+08:00", 1);
    site_program_init(systems_all);
    CHECK(site_open(dir, &s, &e) == 0);
    CHECK_INT(count_records(s, "gate_scan"), 3);
    CHECK_INT(count_records(s, "resident"), 2);
    CHECK_INT(count_records(s, "household"), 1);
    CHECK_INT(count_records(s, "duplicate"), 1);
    CHECK_COUNTS(import_text(s, "gate_scan", "f.csv", scans, NULL), 0, 0, 3, 0, 0);
    CHECK_COUNTS(import_text(s, "resident", "f.csv", roster, NULL), 0, 0, 2, 1, 1);
    prove(s);
    site_close(s);
    return 0;
}

static int clear(const char *dir, const char *fault) {
    (void)fault;
    execlp("rm", "rm", "-r", dir, (char *)NULL);
    return 1;
}

static void copy_file(const char *to_dir, const char *name) {
    struct arena a CLEANUP(arena_release) = {0};
    char from[300], to[300];
    snprintf(from, sizeof from, "%s/%s", unit_dir(), name);
    snprintf(to, sizeof to, "%s/%s", to_dir, name);
    FILE *f = fopen(from, "rb");
    CHECK(f);
    char *bytes = arena_alloc(&a, 8 << 20);
    size_t n = fread(bytes, 1, 8 << 20, f);
    fclose(f);
    write_file(to, (struct str){bytes, n});
    CHECK(chmod(to, 0600) == 0);
}

/* The county as it was made; on a server another one. */
static void begin_again(const char *dir) {
    CHECK(mkdir(dir, 0700) == 0);
    if (unit_on_server()) {
        CHECK(in_child(make_county, dir, NULL) == 0);
        return;
    }
    copy_file(dir, "lianfang.db");
    copy_file(dir, "site.key");
}

enum { CALLS_STEP = 5, CALLS_MOST = 125 };

/* A busy database or a full disk at one call after another, from the opening of the site to the last commit; each run begins at another one. */
TEST(whatever_call_fails_the_rows_are_there_once_in_the_end) {
    static const char *const faults[] = {"db", "dbfull"};
    int in_imports = 0; /* the site was opened before the fault */
    if (!unit_on_server()) CHECK(in_child(make_county, unit_dir(), NULL) == 0);
    for (int n = 1 + rand() % CALLS_STEP; n < CALLS_MOST; n += CALLS_STEP) {
        char fault[40];
        const char *dir = in_dir("copy");
        snprintf(fault, sizeof fault, "%s:%d", faults[n % 2], n);
        begin_again(dir);
        int status = in_child(import_under_fault, dir, fault);
        if (status != 0 && status != FAULT_ELSEWHERE) unit_fail(__FILE__, __LINE__, "%s", fault);
        in_imports += status == 0;
        if (status == 0 && in_child(look_after, dir, NULL)) unit_fail(__FILE__, __LINE__, "after %s", fault);
        CHECK(in_child(clear, dir, NULL) == 0);
    }
    CHECK(in_imports > 10);
}
