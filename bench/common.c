#include "bench.h"

#include <dirent.h>
#include <stdarg.h>
#include <time.h>

#include "base/day.h"

static const char *const kinds[LOAD__COUNT] = {"gate_scan", "resident", "triage_visit"};

const char *load_kind(enum load l) {
    return kinds[l];
}

bool load_from(const char *kind, enum load *ret) {
    for (int i = 0; i < LOAD__COUNT; i++)
        if (strcmp(kind, kinds[i]) == 0) return *ret = (enum load)i, true;
    return false;
}

void bench_fail(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

void targets_add(struct targets *t, enum load l, struct id id) {
    if (t->n[l] == t->cap[l]) {
        t->cap[l] = t->cap[l] ? t->cap[l] * 2 : 512;
        t->id[l] = realloc(t->id[l], t->cap[l] * sizeof *t->id[l]);
        INVARIANT(t->id[l]);
    }
    t->id[l][t->n[l]++] = id;
}

void targets_read(const char *dir, struct targets *ret) {
    char path[600], line[128];
    *ret = (struct targets){.n = {0}};
    snprintf(path, sizeof path, "%s/bench.targets", dir);
    FILE *f = fopen(path, "r");
    if (!f) bench_fail("%s: no such file", path);
    while (fgets(line, sizeof line, f)) {
        struct str rest = str_trim(str_z(line)), kind;
        enum load l = LOAD_SCAN;
        struct id id;
        if (!str_cut(&rest, ' ', &kind)) continue;
        while (l < LOAD__COUNT && !str_eqz(kind, kinds[l])) l++;
        if (l == LOAD__COUNT || !id_parse(rest, &id)) bench_fail("%s: %s", path, line);
        targets_add(ret, l, id);
    }
    fclose(f);
}

void targets_release(struct targets *t) {
    for (int l = 0; l < LOAD__COUNT; l++) free(t->id[l]);
    *t = (struct targets){.n = {0}};
}

/* ---- people ---- */

static const char *const surnames[] = {"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林"};
static const char *const given[] = {"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明"};

enum { DAYS = 30000 };

void invented_make(uint64_t n, struct invented *ret) {
    static const int weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    /* Neighbours in a roster were not born on one day. */
    int order = (int)(n / DAYS % 999) + 1, y, m, d, sum = 0;
    day_t birth = day_make(1930, 1, 1) + (day_t)(n * 7919 % DAYS);
    day_split(birth, &y, &m, &d);
    day_text(birth, ret->birth);
    ret->male = order & 1;
    snprintf(ret->name, sizeof ret->name, "%s%s%s", surnames[n % 16], given[n / 16 % 16], given[n * 31 / 256 % 16]);
    snprintf(ret->id_number, sizeof ret->id_number, "990000%04u%02u%02u%03u", (unsigned)y % 10000u, (unsigned)m % 100u, (unsigned)d % 100u,
             (unsigned)order % 1000u);
    for (int i = 0; i < 17; i++) sum += (ret->id_number[i] - '0') * weights[i];
    ret->id_number[17] = "10X98765432"[sum % 11];
    ret->id_number[18] = 0;
    snprintf(ret->phone, sizeof ret->phone, "199%08u", (unsigned)(n % 100000000u));
}

/* ---- commands ---- */

static void scan_data(struct buf *b, const struct invented *p, uint64_t n, const char *at) {
    bool vehicle = n % 3 == 0;
    buf_addf(b, "\"seen_at\":\"%s\",\"what\":\"%s\",\"name\":\"%s\",\"phone\":\"%s\",\"temperature\":%s", at, vehicle ? "vehicle" : "person", p->name,
             p->phone, n % 97 == 0 ? "37.8" : "36.5");
    if (vehicle) buf_addf(b, ",\"plate\":\"晋L%05u\",\"persons\":%u", (unsigned)(n % 100000u), (unsigned)(n % 4u) + 1u);
}

static void resident_data(struct buf *b, const struct invented *p, uint64_t n) {
    buf_addf(b, "\"name\":\"%s\",\"gender\":\"%s\",\"birth_date\":\"%s\",\"id_number\":\"%s\",\"phone\":\"%s\",\"since\":\"2020-01-01\"", p->name,
             p->male ? "male" : "female", p->birth, p->id_number, p->phone);
    if (n % 10 == 0) buf_addz(b, ",\"care\":[\"chronic\"]");
}

static void visit_data(struct buf *b, const struct invented *p, uint64_t n, const char *at) {
    buf_addf(b, "\"seen_at\":\"%s\",\"name\":\"%s\",\"gender\":\"%s\",\"birth_date\":\"%s\",\"id_number\":\"%s\",\"phone\":\"%s\",\"temperature\":%s,"
                "\"symptoms\":[\"%s\"],\"exposure\":\"none\",\"disposition\":\"%s\"", at, p->name, p->male ? "male" : "female", p->birth,
             p->id_number, p->phone, n % 9 == 0 ? "38.1" : "36.6", n % 9 == 0 ? "fever" : "none", n % 9 == 0 ? "fever_clinic" : "home");
}

void body_add(struct buf *b, enum load l, const struct targets *t, uint64_t n, int64_t seen_at) {
    static const char *const refs[LOAD__COUNT] = {"gate", "household", "clinic"};
    char command[ID_TEXT], ref[ID_TEXT], day[DAY_TEXT], at[32];
    struct invented p;
    int64_t second = seen_at / US_PER_SECOND - (int64_t)(n % 60);
    if (t->n[l] == 0) bench_fail("nothing that a %s could refer to", kinds[l]);
    invented_make(n, &p);
    snprintf(at, sizeof at, "%sT%02u:%02u:%02uZ", day_text((day_t)(second / 86400), day), (unsigned)(second / 3600 % 24), (unsigned)(second / 60 % 60),
             (unsigned)(second % 60));
    buf_addf(b, "{\"id\":\"%s\",\"command\":\"%s.create\",\"data\":{\"%s\":\"%s\",", id_text(id_new(clock_now(&(struct clock){0})), command), kinds[l], refs[l],
             id_text(t->id[l][n % t->n[l]], ref));
    if (l == LOAD_SCAN) scan_data(b, &p, n, at);
    else if (l == LOAD_RESIDENT) resident_data(b, &p, n);
    else visit_data(b, &p, n, at);
    buf_addz(b, "}}");
}

/* ---- measuring ---- */

void sample_add(struct sample *s, int64_t us) {
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4096;
        s->us = realloc(s->us, s->cap * sizeof *s->us);
        INVARIANT(s->us);
    }
    s->us[s->n++] = us;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t sample_at(struct sample *s, double part) {
    if (s->n == 0) return 0;
    qsort(s->us, s->n, sizeof *s->us, by_size);
    size_t at = (size_t)(part * (double)s->n);
    return s->us[MIN(at, s->n - 1)];
}

void sample_release(struct sample *s) {
    free(s->us);
    *s = (struct sample){0};
}

static int64_t clock_us(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

int64_t cpu_us(void) {
    return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t thread_cpu_us(void) {
    return clock_us(CLOCK_THREAD_CPUTIME_ID);
}

/* A number of /proc/PID/NAME, counted from the one behind the program's name where there is one; or 0. */
static int64_t proc_number(const char *pid, const char *name, int field) {
    char path[300], line[600];
    int64_t v = 0;
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = 0;
    /* A program's name, in parentheses, may hold anything. */
    char *name_end = strrchr(line, ')');
    struct str rest = str_z(name_end ? name_end + 2 : line), word = STR_NONE;
    for (int i = 0; i <= field; i++)
        if (!str_cut(&rest, ' ', &word)) return 0;
    return str_to_int(word, 0, INT64_MAX, &v) ? v : 0;
}

int64_t server_cpu_us(void) {
    enum { STAT_PARENT = 1 };
    const char *server = getenv("BENCH_SERVER");
    int64_t parent, ns = 0;
    struct dirent *d;
    if (!server || !str_to_int(str_z(server), 1, INT32_MAX, &parent)) return 0;
    DIR *proc = opendir("/proc");
    if (!proc) return 0;
    while ((d = readdir(proc)))
        if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && proc_number(d->d_name, "stat", STAT_PARENT) == parent)
            ns += proc_number(d->d_name, "schedstat", 0);
    closedir(proc);
    return ns / 1000;
}

void say_real(const char *name, double v) {
    printf("%s\t%.1f\n", name, v);
}

void say_int(const char *name, int64_t v) {
    printf("%s\t%lld\n", name, (long long)v);
}

/* ---- raw rows ---- */

void raw_select(char sql[RAW_SQL], enum load l, bool journal) {
    const char *kind = load_kind(l);
    if (journal)
        snprintf(sql, RAW_SQL, "SELECT * FROM (SELECT * FROM journal WHERE kind = '%s' ORDER BY seq DESC LIMIT %d) AS t ORDER BY seq", kind, RAW_ROWS_MOST);
    else
        snprintf(sql, RAW_SQL, "SELECT * FROM (SELECT * FROM %s ORDER BY site, id DESC LIMIT %d) AS t ORDER BY id", kind, RAW_ROWS_MOST);
}

static void write_group(const struct raw *r, struct raw_group *at, int n) {
    at->row_end = MIN(at->row + n, r->rows);
    at->entry_end = MIN(at->entry + (r->load == LOAD_SCAN ? 1 : at->row_end - at->row), r->entries);
    r->write(r->engine, at);
    at->row = at->row_end;
    at->entry = at->entry_end;
}

void raw_measure(const struct raw *r, int group) {
    struct raw_group at = {0};
    int half = r->rows / 2;
    if (r->rows < 2 || r->entries == 0) bench_fail("the site holds no %s: run bench-core or a load first", load_kind(r->load));
    while (at.row < half) write_group(r, &at, MIN(1000, half - at.row));
    if (r->half) r->half(r->engine);
    int64_t began = monotonic_us(), cpu = cpu_us(), server = server_cpu_us();
    /* At a group of one the disk decides; that needs no more than some seconds. */
    while (at.row < r->rows && monotonic_us() - began < 3 * US_PER_SECOND) write_group(r, &at, group);
    double n = at.row - half;
    say_real("per_second", n * 1e6 / (double)(monotonic_us() - began));
    say_real("cpu_us", (double)(cpu_us() - cpu) / n);
    say_real("server_cpu_us", (double)(server_cpu_us() - server) / n);
    say_int("rows", at.row - half);
}
