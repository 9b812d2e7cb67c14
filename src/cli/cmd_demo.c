/* demo: a site full of synthetic records - those that make the facts of a scenario true, or a county with an outbreak of some weeks. */
#include <unistd.h>

#include "cli/cli.h"
#include "cli/demo_county.h"
#include "cli/demo_scenario.h"

enum { SIZE_DEFAULT = 25000, SIZE_LEAST = 200, SIZE_MOST = 5000000 };

static const struct cli_option options[] = {
    {"scenario", "FILE", {"情景文件（JSON）：其中的每项事实都会出现在通报中", "A scenario (JSON): every fact of it comes out of the bulletin"}, false},
    {"size", "N", {"居民人数（默认 25000；不用情景文件时）", "Residents (default 25000; without a scenario)"}, false},
    {"on", "DAY", {"疫情的最后一天（默认今天；不用情景文件时）", "Last day of the outbreak (default today; without a scenario)"}, false},
    {"seed", "N", {"随机种子（默认 1）：种子相同，记录相同", "Seed (default 1): the same seed makes the same records"}, false},
};

/* A half-made site would only be in the way of the next attempt. */
static void take_back(const char *dir, bool made_dir) {
    site_take_back(dir);
    if (made_dir) rmdir(dir);
}

/* ---- what was made ---- */

static void print_records(const struct demo *d, struct json_out *o) {
    const struct kind *k;
    json_key(o, "records");
    json_object(o);
    for (size_t i = 0; (k = kind_at(i)); i++)
        if (d->counts[i]) json_put_int(o, k->name, d->counts[i]);
    json_object_end(o);
    json_put_dbl(o, "seconds", (double)((monotonic_us() - d->began_us) / 1000) / 1000);
}

static void say_records(struct cli *c, const struct demo *d) {
    const struct kind *k;
    bool first = true;
    for (size_t i = 0; (k = kind_at(i)); i++) {
        if (!d->counts[i]) continue;
        printf(c->lang == LANG_EN ? "%s%s %lld" : "%s%s %lld", first ? "" : c->lang == LANG_EN ? ", " : "，", label_in(k->label, c->lang), (long long)d->counts[i]);
        first = false;
    }
    printf(c->lang == LANG_EN ? "; %.1f s\n" : "；%.1f 秒\n", (double)(monotonic_us() - d->began_us) / 1e6);
    printf(c->lang == LANG_EN ? "made a site in %s; start it with: lianfang serve %s\n" : "已在 %s 建立站点；启动：lianfang serve %s\n", c->args[0], c->args[0]);
}

static size_t count_state(const struct scenario *sc, enum fact_state state) {
    size_t n = 0;
    for (size_t i = 0; i < sc->facts_n; i++) n += sc->facts[i].state == state;
    return n;
}

static void print_facts_json(const struct demo *d, const struct scenario *sc) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct json_out o = JSON_OUT(&b);
    json_object(&o);
    json_put_int(&o, "facts", (int64_t)sc->facts_n);
    json_put_int(&o, "made", (int64_t)count_state(sc, FACT_MADE));
    json_key(&o, "skipped");
    json_array(&o);
    for (size_t i = 0; i < sc->facts_n; i++)
        if (sc->facts[i].state == FACT_SKIPPED) json_str(&o, sc->facts[i].indicator);
    json_array_end(&o);
    print_records(d, &o);
    json_object_end(&o);
    puts(b.p);
}

static void say_facts(struct cli *c, const struct scenario *sc) {
    static const struct label head = {"事实", "fact"}, wanted = {"应为", "wanted"}, got = {"得出", "got"};
    size_t skipped = count_state(sc, FACT_SKIPPED);
    char want_text[32], got_text[32];
    printf("%-64s %10s %10s\n", label_in(head, c->lang), label_in(wanted, c->lang), label_in(got, c->lang));
    for (size_t i = 0; i < sc->facts_n; i++) {
        const struct fact *f = &sc->facts[i];
        if (f->state != FACT_MADE) continue;
        fact_number(f->value, want_text);
        fact_number(f->got, got_text);
        printf("%-64s %10s %10s%s\n", fact_label(&c->a, f), want_text, got_text, fact_holds(f) ? "" : "  !!");
    }
    printf(c->lang == LANG_EN ? "%zu facts made, %zu left out: no system counts them yet\n" : "已得出 %zu 项，另有 %zu 项所属系统尚未建立\n", count_state(sc, FACT_MADE), skipped);
}

/* ---- both ways ---- */

static int make_site(struct cli *c, const struct site_options *o, struct demo *d, struct err *e) {
    int64_t seed;
    TRY(cli_int(c, "seed", 0, INT64_MAX, 1, &seed, e));
    TRY(site_create(c->args[0], o, e));
    TRY(site_open(c->args[0], &c->site, e)); /* where site_create put it */
    demo_begin(d, c->site, c, (uint64_t)seed);
    return 0;
}

static int with_scenario(struct cli *c, struct demo *d, struct err *e) {
    struct scenario sc;
    size_t wrong;
    if (cli_given(c, "on") || cli_given(c, "size")) return cli_usage(e, "--scenario: --on, --size");
    TRY(scenario_read(&c->a, cli_value(c, "scenario"), &sc, e));
    struct site_options o = {.name = arena_strz(&c->a, sc.areas[0].name), .tz = sc.tz, .db = cli_value(c, "db")};
    TRY(make_site(c, &o, d, e));
    TRY(scenario_make(d, &sc, e));
    TRY(scenario_verify(d, &sc, &wrong, e));
    cli_progress_end(c);
    if (c->json) print_facts_json(d, &sc);
    else say_facts(c, &sc);
    if (!c->json) say_records(c, d);
    return wrong ? err_exit(ERR_CORRUPT) : 0;
}

static int without(struct cli *c, struct demo *d, struct err *e) {
    struct county_options county = {.on = DAY_NONE};
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct json_out o = JSON_OUT(&b);
    TRY(cli_int(c, "size", SIZE_LEAST, SIZE_MOST, SIZE_DEFAULT, &county.residents, e));
    TRY(cli_day(c, "on", DAY_NONE, &county.on, e));
    TRY(make_site(c, &(struct site_options){.name = COUNTY_NAME, .db = cli_value(c, "db")}, d, e));
    TRY(county_make(d, &county, e));
    cli_progress_end(c);
    json_object(&o);
    print_records(d, &o);
    json_object_end(&o);
    if (c->json) puts(b.p);
    else say_records(c, d);
    return 0;
}

static int demo_run(struct cli *c, struct err *e) {
    static struct demo d;
    bool had_dir = access(c->args[0], F_OK) == 0;
    if (site_is_there(c->args[0])) return err_set(e, ERR_CONFLICT, NULL, M_SITE_EXISTS, c->args[0]);
    int r = cli_given(c, "scenario") ? with_scenario(c, &d, e) : without(c, &d, e);
    cli_progress_end(c);
    demo_end(&d);
    if (r == 0) return 0;
    site_close(TAKE(c->site));
    if (r < 0) take_back(c->args[0], !had_dir);
    return r;
}

const struct cli_command cli_demo = {"demo", "DIR", {"建立一个装有合成数据的站点", "Make a site full of synthetic records"}, options, COUNT(options), 1, 1, CLI_DB, demo_run};
