#include "import_help.h"

#include "core/journal.h"
#include "systems/systems.h"

static const char areas[] = "编号,名称,层级,上级\n"
                            "cz,城镇,乡镇（街道）,jx\n"
                            "xg,西关社区,社区,cz\n"
                            "xf,幸福小区,小区,西关社区\n"
                            "b3,3号楼,楼栋,吉县/城镇/西关社区/幸福小区\n"
                            "b4,4号楼,楼栋,xf\n"
                            "dg,东关社区,社区,cz\n"
                            "d3,3号楼,楼栋,dg\n";

struct site *county_in(const char *dir) {
    struct err e;
    struct site *s = NULL;
    setenv("LF_CLOCK", "2020-02-10T08:00:00+08:00", 1);
    site_program_init(systems_all);
    CHECK(site_create(dir, &(struct site_options){.name = "吉县", .level = "county", .code = "jx"}, &e) == 0);
    CHECK(site_open(dir, &s, &e) == 0);
    CHECK_COUNTS(import_text(s, "area", "areas.csv", areas, NULL), 7, 0, 0, 0, 0);
    return s;
}

struct site *county(void) {
    return county_in(unit_dir());
}

const char *id_number(const char *birth, int serial) {
    static char ring[16][19];
    static unsigned at;
    static const int weight[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    char *to = ring[at++ % COUNT(ring)];
    int sum = 0;
    snprintf(to, 19, "141028%s%03d", birth, serial % 1000);
    for (int i = 0; i < 17; i++) sum += (to[i] - '0') * weight[i];
    to[17] = "10X98765432"[sum % 11];
    to[18] = 0;
    return to;
}

const char *in_dir(const char *name) {
    static char ring[8][200];
    static unsigned at;
    char *to = ring[at++ % COUNT(ring)];
    snprintf(to, 200, "%s/%s", unit_dir(), name);
    return to;
}

void write_file(const char *path, struct str bytes) {
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n);
    CHECK(fclose(f) == 0);
}

struct str read_whole(struct arena *a, const char *path) {
    FILE *f = fopen(path, "rb");
    CHECK(f);
    char *to = arena_alloc(a, 1 << 20);
    size_t n = fread(to, 1, 1 << 20, f);
    fclose(f);
    return (struct str){to, n};
}

/* Runs live until the test's end, when their memory is given back. */
static struct run runs[64];
static size_t runs_n;

static void release_runs(void) {
    for (size_t i = 0; i < runs_n; i++) arena_release(&runs[i].a);
}

static struct run *new_run(void) {
    CHECK(runs_n < COUNT(runs));
    if (runs_n == 0) atexit(release_runs);
    return &runs[runs_n++];
}

static const struct import_options defaults = {DEFAULT_OPTIONS};

struct run *import_text(struct site *s, const char *kind, const char *name, const char *csv, const struct import_options *o) {
    struct run *r = new_run();
    const struct kind *k = kind_by_name(str_z(kind));
    CHECK(k);
    r->status = import_bytes(s, k, str_z(csv), name, o ? o : &defaults, &r->a, &r->r, &r->e);
    return r;
}

struct run *import_path(struct site *s, const char *kind, const char *path, const struct import_options *o) {
    struct run *r = new_run();
    const struct kind *k = kind_by_name(str_z(kind));
    CHECK(k);
    r->status = import_file(s, k, path, o ? o : &defaults, &r->a, &r->r, &r->e);
    return r;
}

void check_counts(const struct run *r, int64_t imported, int64_t updated, int64_t unchanged, int64_t queued, int64_t refused, int line) {
    const struct import_counts *c = &r->r.counts;
    if (r->status) {
        struct buf b CLEANUP(buf_release) = BUF(1000);
        err_text(&r->e, LANG_EN, &b);
        unit_fail(__FILE__, line, "import failed: %s %s %s", err_name(r->e.code), r->e.field, b.p);
    }
    bool fits = c->imported == imported && c->updated == updated && c->unchanged == unchanged && c->queued == queued && c->refused == refused;
    if (!fits)
        unit_fail(__FILE__, line, "imported %lld updated %lld unchanged %lld queued %lld refused %lld; %s", (long long)c->imported, (long long)c->updated,
                  (long long)c->unchanged, (long long)c->queued, (long long)c->refused, why(r, 0));
    if (c->rows != imported + updated + unchanged + queued + refused) unit_fail(__FILE__, line, "rows do not add up");
}

const char *why(const struct run *r, size_t i) {
    return i < r->r.problems_n ? r->r.problems[i].reason.p : "";
}

struct record *the(struct site *s, struct arena *a, const char *kind, const char *title) {
    const struct kind *k = kind_by_name(str_z(kind));
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct record *found = NULL;
    struct db *db;
    struct err e;
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(db_query(db, &kind_sql(k)->scan, &rows, &e, VINT(s->id), VID((struct id){{0}}), VINT(100000)) == 0);
    while (rows_next(rows, &e) == 1) {
        struct record *r = arena_new(a, struct record, 1);
        record_read(a, k, rows, r);
        if (r->removed || !str_eqz(record_title(a, r, false), title)) continue;
        if (found) unit_fail(__FILE__, __LINE__, "two records named %s", title);
        found = r;
    }
    rows_done(TAKE(rows));
    site_reader_done(s, db);
    return found;
}

const char *plain(struct site *s, struct arena *a, const struct record *r, const char *field) {
    struct str text;
    struct err e;
    CHECK(r);
    CHECK(record_plain(&s->key, a, r, (size_t)kind_field(r->kind, str_z(field)), &text, &e) == 0);
    return arena_strz(a, text);
}

int64_t count_records(struct site *s, const char *kind) {
    const struct kind *k = kind_by_name(str_z(kind));
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct db *db;
    struct err e;
    int64_t n = 0;
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(db_query(db, &kind_sql(k)->scan, &rows, &e, VINT(s->id), VID((struct id){{0}}), VINT(1000000)) == 0);
    while (rows_next(rows, &e) == 1) n += rows_int(rows, 8) == 0;
    rows_done(TAKE(rows));
    site_reader_done(s, db);
    return n;
}

int64_t journal_seq(struct site *s) {
    struct db *db;
    struct err e;
    struct digest hash;
    int64_t seq;
    CHECK(site_reader(s, &db, &e) == 0);
    CHECK(journal_end(db, s->id, &seq, &hash, &e) == 0);
    site_reader_done(s, db);
    return seq;
}
