#include <errno.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/cmd_bench.h"

/* ---- the table ---- */

enum { NAME_WIDTH = 19, CELLS = 12 };
static const struct {
    int width;
    struct label head;
} columns[CELLS] = {
    {6, {"连接", "conn."}},      {9, {"每秒", "/s"}},           {8, {"p50 ms", "p50 ms"}},  {8, {"p99 ms", "p99 ms"}},
    {8, {"拒绝/秒", "503 /s"}},  {7, {"每组", "group"}},        {9, {"裸 HTTP/秒", "HTTP /s"}}, {6, {"占比", ""}},
    {9, {"裸行/秒", "raw /s"}},  {6, {"占比", ""}},             {12, {"CPU 微秒", "us CPU"}}, {7, {"内存 MB", "MB"}},
};

/* Han characters take two places on a terminal. */
static int places(const char *text) {
    struct str s = str_z(text);
    int n = 0;
    for (size_t at = 0; at < s.n;) n += utf8_is_han(utf8_next(s, &at)) ? 2 : 1;
    return n;
}

static void cell(const char *text, int width) {
    printf(" %*s%s", MAX(width - places(text), 0), "", text);
}

static int width_of(const struct cli *c, size_t i) {
    return MAX(columns[i].width, places(label_in(columns[i].head, c->lang)));
}

static const char *number(char out[32], double v, int digits) {
    if (v > 0) snprintf(out, 32, "%.*f", digits, v);
    else snprintf(out, 32, "-");
    return out;
}

static const char *share(char out[32], double of, double limit) {
    if (of > 0 && limit > 0) snprintf(out, 32, "%.0f %%", 100 * of / limit);
    else snprintf(out, 32, "-");
    return out;
}

static void start(const char *name) {
    printf("%s%*s", name, MAX(NAME_WIDTH - places(name), 0), "");
}

static void print_place(const struct cli *c, const struct bench *b) {
    static const struct label held[] = {{"出入证", "passes"}, {"过卡登记", "gate scans"}, {"居民", "residents"}};
    const int64_t n[] = {b->world.passes, b->world.scans, b->world.residents};
    static const struct label own = {"自建站点", "a site of its own"};
    if (b->o.url) {
        printf("%s\n\n", b->to.url);
        return;
    }
    printf("%s (%s)", label_in(own, c->lang), db_is_server(b->address) ? "PostgreSQL" : "SQLite");
    for (size_t i = 0; i < COUNT(held); i++) printf("  %s %lld", label_in(held[i], c->lang), (long long)n[i]);
    printf("\n\n");
}

void bench_print_head(const struct cli *c, const struct bench *b) {
    print_place(c, b);
    start("");
    for (size_t i = 0; i < CELLS; i++) cell(label_in(columns[i].head, c->lang), width_of(c, i));
    putchar('\n');
    fflush(stdout);
}

void bench_print(const struct cli *c, const struct bench_result *r) {
    char t[CELLS][32], name[64], connections[32], cpu[80];
    snprintf(name, sizeof name, "%s%s%s", r->load, r->part ? " " : "", r->part ? r->part : "");
    snprintf(connections, sizeof connections, "%d", r->connections);
    if (r->raw_cpu_us > 0) snprintf(cpu, sizeof cpu, "%.1f / %.1f", r->server_cpu_us, r->raw_cpu_us);
    else number(cpu, r->server_cpu_us, 1);
    const char *cells[CELLS] = {
        connections, number(t[1], r->per_second, 0), number(t[2], r->p50_ms, 2), number(t[3], r->p99_ms, 2), number(t[4], r->refused_per_second, 0),
        number(t[5], r->group, 1), number(t[6], r->http_per_second, 0), share(t[7], r->per_second, r->http_per_second), number(t[8], r->raw_per_second, 0),
        share(t[9], r->per_second, r->raw_per_second), cpu, number(t[11], r->memory_mb, 0),
    };
    start(name);
    for (size_t i = 0; i < CELLS; i++) cell(cells[i], width_of(c, i));
    putchar('\n');
    fflush(stdout);
}

/* ---- JSON ---- */

/* Three digits behind the point say all that was measured. */
static void put(struct json_out *o, const char *key, double v) {
    char text[64];
    json_key(o, key);
    snprintf(text, sizeof text, "%.3f", v);
    json_raw(o, str_z(text));
}

static void put_limit(struct json_out *o, const char *key, double per_second, const struct bench_result *r) {
    json_key(o, key);
    if (per_second <= 0) {
        json_null(o);
        return;
    }
    json_object(o);
    put(o, "per_second", per_second);
    put(o, "fraction", r->per_second / per_second);
    if (strcmp(key, "raw") == 0) put(o, "cpu_us", r->raw_cpu_us);
    json_object_end(o);
}

static void put_result(struct json_out *o, const struct bench_result *r) {
    json_object(o);
    json_put_strz(o, "load", r->load);
    json_put_strz(o, "part", r->part);
    json_put_int(o, "connections", r->connections);
    json_put_int(o, "lines", r->lines);
    json_put_int(o, "units", r->units);
    put(o, "per_second", r->per_second);
    put(o, "refused_per_second", r->refused_per_second);
    put(o, "p50_ms", r->p50_ms);
    put(o, "p99_ms", r->p99_ms);
    put(o, "most_ms", r->most_ms);
    put(o, "group", r->group);
    put(o, "server_cpu_us", r->server_cpu_us);
    put(o, "generator_cpu_us", r->generator_cpu_us);
    put(o, "memory_mb", r->memory_mb);
    json_key(o, "limits");
    json_object(o);
    put_limit(o, "http", r->http_per_second, r);
    put_limit(o, "raw", r->raw_per_second, r);
    json_object_end(o);
    json_object_end(o);
}

static void put_processor(struct json_out *o) {
    char line[256];
    struct str name = STR_NONE;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && name.n == 0 && fgets(line, sizeof line, f)) {
        struct str rest = str_z(line), key;
        if (str_starts(rest, STR("model name")) && str_cut(&rest, ':', &key)) name = str_trim(rest);
    }
    if (f) fclose(f);
    json_put_str(o, "processor", name.n ? name : STR(""));
}

static void put_place(struct json_out *o, const struct bench *b) {
    json_put_strz(o, "url", b->o.url ? b->to.url : NULL);
    json_put_strz(o, "database", b->o.url ? NULL : db_is_server(b->address) ? "postgresql" : "sqlite");
    json_key(o, "site");
    if (b->o.url) {
        json_null(o);
        return;
    }
    json_object(o);
    json_put_int(o, "passes", b->world.passes);
    json_put_int(o, "scans", b->world.scans);
    json_put_int(o, "residents", b->world.residents);
    json_put_int(o, "gates", world_gates(&b->world));
    json_object_end(o);
}

static int write_file(const char *path, struct str text, struct err *e) {
    FILE *f = fopen(path, "w");
    bool good = f && fwrite(text.p, 1, text.n, f) == text.n;
    if (f && fclose(f)) good = false;
    return good ? 0 : err_set(e, ERR_IO, NULL, M_FILE, path, strerrordesc_np(errno));
}

int bench_write_json(struct cli *c, const struct bench *b, const struct bench_result *r, size_t n, const char *path, struct err *e) {
    struct buf text CLEANUP(buf_release) = BUF(1 << 20);
    struct json_out o = JSON_OUT(&text);
    char at[32], day[DAY_TEXT];
    int64_t now = clock_now(&(struct clock){0}) / US_PER_SECOND;
    snprintf(at, sizeof at, "%sT%02d:%02d:%02dZ", day_text((day_t)(now / 86400), day), (int)(now / 3600 % 24), (int)(now / 60 % 60), (int)(now % 60));
    json_object(&o);
    json_put_strz(&o, "at", at);
    json_put_int(&o, "cores", sysconf(_SC_NPROCESSORS_ONLN));
    put_processor(&o);
    put_place(&o, b);
    put(&o, "seconds", (double)b->o.run_us / 1e6);
    json_put_int(&o, "runs", b->o.runs);
    json_key(&o, "results");
    json_array(&o);
    for (size_t i = 0; i < n; i++) put_result(&o, &r[i]);
    json_array_end(&o);
    json_object_end(&o);
    buf_addc(&text, '\n');
    if (c->json) fputs(text.p, stdout);
    return path ? write_file(path, buf_str(&text), e) : 0;
}
