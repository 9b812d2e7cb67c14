/* Passes: from the household to the verdict at the gate, and the lists that gates keep. */
#include "systems/gates/gates.h"
#include "systems/passes/passes.h"
#include "systems_help.h"

struct world {
    struct desk d;
    struct db *db;
    struct areas *t;
    const char *gate; /* at q1 */
};

static void open_world(struct world *w) {
    desk_open(&w->d);
    say(&w->d, "household.create", "b1", NULL, "{'code':'H1','door':'101'}");
    w->gate = say(&w->d, "gate.create", "q1", NULL, "{'name':'北门','code':'G1','kind_of':'quarter_gate'}");
}

static void look(struct world *w) {
    struct err e;
    site_reader_done(w->d.site, TAKE(w->db));
    areas_drop(TAKE(w->t));
    CHECK(site_reader(w->d.site, &w->db, &e) == 0);
    w->t = site_areas(w->d.site);
}

static void close_world(struct world *w) {
    site_reader_done(w->d.site, w->db);
    areas_drop(w->t);
    desk_proves_itself(&w->d);
    desk_close(&w->d);
}

static struct passes_keys keys_of(struct world *w) {
    struct passes_keys k;
    struct err e;
    look(w);
    CHECK(passes_keys(w->db, w->d.site, &w->d.a, &k, &e) == 0);
    return k;
}

static const char *issue(struct world *w, const char *more) {
    return say(&w->d, "pass.create", NULL, NULL, "{'kind_of':'household','household':'H1'%s}", more);
}

static struct str text_of(struct world *w, const char *pass) {
    struct buf b CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    struct passes_keys k = keys_of(w);
    struct err e;
    CHECK(passes_text(w->d.site, &k, loaded(&w->d, "pass", pass), &b, &e) == 0);
    return arena_str(&w->d.a, buf_str(&b));
}

static struct passes_verdict verdict_at(struct world *w, const char *gate, struct str text) {
    struct passes_verdict v;
    struct err e;
    look(w);
    CHECK(passes_verify(w->d.site, w->db, w->t, &w->d.a, loaded(&w->d, "gate", gate), text, &v, &e) == 0);
    return v;
}

static const char *verdict(struct world *w, struct str text) {
    return pass_verdict_name(verdict_at(w, w->gate, text).verdict);
}

static int run_jobs(struct tx *tx, struct write_item *item, struct err *e) {
    (void)item;
    for (size_t i = 0; i < passes_system.jobs_n; i++) {
        tx->actor = &actor_system;
        tx->command = passes_system.jobs[i].name;
        tx->command_id = id_new(tx->now);
        tx->kind = NULL;
        tx->verb = "job";
        tx->fingerprint = 0;
        tx->entry_used = false;
        TRY(passes_system.jobs[i].run(tx, e));
    }
    return 0;
}

static void jobs(struct world *w) {
    struct write_item item = {.run = run_jobs};
    struct err e;
    CHECK(writer_run(w->d.site, &item, &e) == 0);
}

/* ---- issue ---- */

TEST(a_household_gets_a_pass_for_its_quarter_that_the_gate_reads) {
    struct world w = {0};
    char number[PASS_NUMBER];
    open_world(&w);
    const char *pass = issue(&w, "");
    struct record *r = loaded(&w.d, "pass", pass);
    CHECK_STR(record_text(r, "number"), pass_number(r->id, number));
    CHECK_STR(record_text(r, "areas"), "q1");
    CHECK_INT(record_int(r, "valid_until"), tz_start(w.d.site->tz, site_today(w.d.site) + PASSES_DAYS, 0));
    CHECK_STR(str_z(verdict(&w, text_of(&w, pass))), "valid");
    CHECK(str_eq(text_of(&w, pass), text_of(&w, pass)));
    struct passes_verdict v = verdict_at(&w, w.gate, text_of(&w, pass));
    CHECK(id_eq(v.claims.id, r->id) && id_eq(v.pass->id, r->id));
    CHECK_STR(v.claims.issuer, "jixian");
    CHECK_INT(keys_of(&w).n, 1);
    close_world(&w);
}

TEST(the_first_pass_is_answered_as_a_pass_though_it_also_made_a_key) {
    struct world w = {0};
    struct err e;
    open_world(&w);
    issue(&w, "");
    struct command_call again = w.d.last;
    CHECK(id_eq(again.ret_record, w.d.last.ret_record));
    CHECK(command_do(w.d.site, &again, &e) == 0);
    CHECK(again.repeated && id_eq(again.ret_record, w.d.last.ret_record));
    CHECK_INT(again.ret_seq, w.d.last.ret_seq);
    issue(&w, "");
    CHECK_INT(keys_of(&w).n, 1);
    close_world(&w);
}

TEST(persons_vehicles_and_visitors_get_theirs_and_what_is_missing_is_named) {
    struct world w = {0};
    open_world(&w);
    CHECK_STR(str_z(refused(&w.d, "pass.create", "q1", NULL, "{'kind_of':'household'}").field), "household");
    CHECK_STR(str_z(refused(&w.d, "pass.create", "q1", NULL, "{'kind_of':'vehicle'}").field), "plate");
    CHECK_STR(str_z(refused(&w.d, "pass.create", "q1", NULL, "{'kind_of':'person'}").field), "resident");
    CHECK_STR(str_z(refused(&w.d, "pass.create", "q1", NULL, "{'kind_of':'visitor','days':2}").field), "days");
    CHECK_STR(str_z(refused(&w.d, "pass.create", "q1", NULL, "{'kind_of':'visitor','valid_until':'2021-01-01'}").field), "valid_until");
    CHECK_STR(str_z(refused(&w.d, "pass.create", NULL, NULL, "{'kind_of':'visitor'}").field), "area");
    const char *car = say(&w.d, "pass.create", "xg", NULL, "{'kind_of':'vehicle','plate':'晋L12345','areas':'xg，rural、xg','outings':1}");
    CHECK_STR(record_text(loaded(&w.d, "pass", car), "areas"), "xg,rural");
    CHECK_INT(record_int(loaded(&w.d, "pass", car), "days"), 1);
    const char *man = say(&w.d, "resident.create", "b1", NULL, "{'name':'张三'}");
    const char *his = say(&w.d, "pass.create", "b1", NULL, "{'kind_of':'person','resident':'%s'}", man);
    CHECK_STR(str_z(verdict(&w, text_of(&w, his))), "valid");
    CHECK_STR(str_z(verdict(&w, text_of(&w, car))), "valid");
    close_world(&w);
}

TEST(what_is_printed_on_a_card_does_not_change_and_a_pass_is_not_removed) {
    struct world w = {0};
    open_world(&w);
    const char *pass = issue(&w, "");
    CHECK(refused(&w.d, "pass.update", NULL, pass, "{'areas':'jixian'}").msg == M_PASS_STANDS);
    CHECK(refused(&w.d, "pass.update", NULL, pass, "{'valid_until':'2020-03-01'}").msg == M_PASS_STANDS);
    CHECK(refused(&w.d, "pass.remove", NULL, pass, "{}").msg == M_KEPT);
    say(&w.d, "pass.update", NULL, pass, "{'note':'补办'}");
    struct str id = str_z(say(&w.d, "household.create", "b2", NULL, "{'code':'H2'}"));
    say(&w.d, "pass.create", NULL, NULL, "{'kind_of':'household','household':'H2'}");
    say(&w.d, "household.remove", NULL, id.p, "{}");
    close_world(&w);
}

TEST(an_area_is_issued_to_once) {
    struct world w = {0};
    open_world(&w);
    for (int i = 2; i < 40; i++) say(&w.d, "household.create", i % 2 ? "b1" : "b2", NULL, "{'code':'H%d'}", i);
    say(&w.d, "household.create", "v1", NULL, "{'code':'V1'}");
    say(&w.d, "household.create", "b1", NULL, "{'code':'gone','until':'2020-02-01'}");
    const char *one = issue(&w, "");
    say(&w.d, "pass.issue_area", NULL, NULL, "{'area':'xg','outings':1,'days':2}");
    CHECK_STR(w.d.last.ret_json, "\"issued\":38,\"more\":false");
    say(&w.d, "pass.issue_area", NULL, NULL, "{'area':'xg'}");
    CHECK_STR(w.d.last.ret_json, "\"issued\":0,\"more\":false");
    say(&w.d, "pass.revoke", NULL, one, "{'reason':'遗失'}");
    say(&w.d, "pass.issue_area", NULL, NULL, "{'area':'jixian'}");
    CHECK_STR(w.d.last.ret_json, "\"issued\":2,\"more\":false");
    struct passes_sheet sheet;
    struct err e;
    look(&w);
    CHECK(passes_sheet(w.d.site, w.db, w.t, &(struct passes_place){.top = areas_by_code(w.t, STR("xg"))->path, .path = STR("")}, LANG_ZH_HANS, &w.d.a, &sheet, &e) == 0);
    CHECK_INT(sheet.n, 39);
    CHECK(!sheet.more);
    CHECK_STR(sheet.cards[3].area, "吉县 › 城区 › 西关社区 › 一号院");
    CHECK_STR(sheet.cards[3].valid, "2020-02-10 至 2020-03-08");
    CHECK_STR(sheet.cards[3].kind, "住户");
    close_world(&w);
}

/* ---- who may ---- */

TEST(a_community_worker_issues_in_the_own_area_only) {
    struct world w = {0};
    open_world(&w);
    say(&w.d, "household.create", "v1", NULL, "{'code':'V1'}");
    look(&w);
    struct grant g = {role_by_name(STR("community")), arena_str(&w.d.a, areas_by_code(w.t, STR("xg"))->path)};
    struct actor who = {.id = id_new(1), .login = STR("c"), .name = STR("c"), .grants = &g, .n = 1};
    w.d.actor = &who;
    const char *pass = issue(&w, "");
    CHECK(refused(&w.d, "pass.create", NULL, NULL, "{'kind_of':'household','household':'V1'}").msg == M_OUTSIDE_AREA);
    CHECK_STR(str_z(refused(&w.d, "pass.create", "v1", NULL, "{'kind_of':'visitor'}").field), "area");
    CHECK(refused(&w.d, "pass.create", "q1", NULL, "{'kind_of':'visitor','areas':'jixian'}").msg == M_OUTSIDE_AREA);
    CHECK(refused(&w.d, "pass.issue_area", NULL, NULL, "{'area':'v1'}").code == ERR_FORBIDDEN);
    CHECK(refused(&w.d, "pass_key.make", NULL, NULL, "{}").code == ERR_FORBIDDEN);
    struct grant other = {g.role, arena_str(&w.d.a, areas_by_code(w.t, STR("v1"))->path)};
    who.grants = &other;
    CHECK(refused(&w.d, "pass.revoke", NULL, pass, "{'reason':'遗失'}").code == ERR_FORBIDDEN);
    CHECK(refused(&w.d, "pass.stay_home", NULL, pass, "{}").code == ERR_FORBIDDEN);
    struct grant gate = {role_by_name(STR("gate")), g.path};
    who.grants = &gate;
    CHECK(refused(&w.d, "pass.create", "q1", NULL, "{'kind_of':'visitor'}").code == ERR_FORBIDDEN);
    w.d.actor = NULL;
    close_world(&w);
}

/* ---- the gate ---- */

TEST(each_verdict_has_its_own_answer) {
    struct world w = {0};
    open_world(&w);
    const char *pass = issue(&w, ""), *later = issue(&w, ",'valid_from':'2020-02-12'"), *stays = issue(&w, ""), *gone = issue(&w, "");
    const char *elsewhere = say(&w.d, "gate.create", "v1", NULL, "{'name':'村口','code':'G2','kind_of':'village_road'}");
    struct str text = text_of(&w, pass), broken = arena_str(&w.d.a, text);
    say(&w.d, "pass.stay_home", NULL, stays, "{'until':'2020-02-11'}");
    say(&w.d, "pass.revoke", NULL, gone, "{'reason':'遗失'}");
    ((char *)broken.p)[20] ^= 1;
    CHECK_STR(str_z(verdict(&w, text)), "valid");
    CHECK_STR(str_z(verdict(&w, STR("http://example.org"))), "not_a_pass");
    CHECK(strcmp(verdict(&w, broken), "valid") != 0);
    CHECK_STR(str_z(verdict(&w, text_of(&w, later))), "not_yet_valid");
    CHECK_STR(str_z(verdict(&w, text_of(&w, stays))), "stay_home");
    CHECK_STR(str_z(verdict(&w, text_of(&w, gone))), "revoked");
    CHECK_STR(str_z(pass_verdict_name(verdict_at(&w, elsewhere, text).verdict)), "wrong_area");
    desk_clock(&w.d, "2020-02-12 08:00");
    CHECK_STR(str_z(verdict(&w, text_of(&w, stays))), "valid");
    desk_clock(&w.d, "2020-03-09 00:00");
    CHECK_STR(str_z(verdict(&w, text)), "expired");
    desk_clock(&w.d, "2020-02-11 00:00");
    look(&w);
    char id[ID_TEXT];
    struct passes_keys k = keys_of(&w);
    say(&w.d, "pass_key.remove", NULL, id_text(k.ids[0], id), "{}");
    CHECK_STR(str_z(verdict(&w, text)), "unknown_key");
    say(&w.d, "pass_key.make", NULL, NULL, "{}");
    CHECK_STR(str_z(verdict(&w, text)), "unknown_key");
    CHECK_STR(str_z(verdict(&w, text_of(&w, pass))), "valid");
    close_world(&w);
}

TEST(a_scan_speaks_of_a_pass_as_the_gate_page_does) {
    const struct code_list *words = gate_scan_kind.fields[SCAN_PASS_CHECK].codes;
    for (int v = 0; v < PASS_VERDICT__COUNT; v++) {
        const struct code *c = code_find(words, str_z(pass_verdict_name((enum pass_verdict)v)));
        struct label l = pass_verdict_label((enum pass_verdict)v);
        CHECK(c);
        CHECK_STR(str_z(c->label.zh), l.zh);
        CHECK_STR(str_z(c->label.en), l.en);
    }
    for (int f = 0; f < SCAN_FIELDS; f++) CHECK(gate_scan_kind.fields[f].name);
    CHECK_STR(str_z(gate_scan_kind.fields[SCAN_PASS_CHECK].name), "pass_check");
    CHECK(code_find(words, STR(PASSES_UNKNOWN)));
}

TEST(a_number_typed_by_hand_finds_the_pass) {
    struct world w = {0};
    open_world(&w);
    struct record *r = loaded(&w.d, "pass", issue(&w, ""));
    char typed[PASS_NUMBER + 2];
    size_t n = 0;
    for (const char *p = record_text(r, "number").p; *p; p++)
        if (*p != '-') typed[n++] = (char)(*p | (*p >= 'A' ? 0x20 : 0));
    typed[n] = 0;
    struct passes_verdict v = verdict_at(&w, w.gate, str_z(typed));
    CHECK(v.verdict == PASS_VALID && id_eq(v.pass->id, r->id));
    typed[3] = typed[3] == '7' ? '8' : '7';
    CHECK_STR(str_z(verdict(&w, str_z(typed))), "not_a_pass");
    close_world(&w);
}

TEST(revoking_takes_a_reason_and_happens_once) {
    struct world w = {0};
    open_world(&w);
    const char *pass = issue(&w, "");
    CHECK_STR(str_z(refused(&w.d, "pass.revoke", NULL, pass, "{}").field), "reason");
    CHECK_STR(str_z(refused(&w.d, "pass.revoke", NULL, NULL, "{'reason':'遗失'}").field), "record");
    CHECK_STR(str_z(refused(&w.d, "pass.stay_home", NULL, pass, "{'until':'2020-02-01'}").field), "until");
    say(&w.d, "pass.revoke", NULL, pass, "{'reason':'遗失'}");
    CHECK(refused(&w.d, "pass.revoke", NULL, pass, "{'reason':'遗失'}").msg == M_NOT_IN_STATE);
    CHECK(refused(&w.d, "pass.stay_home", NULL, pass, "{}").msg == M_NOT_IN_STATE);
    close_world(&w);
}

/* ---- lists ---- */

static struct pass_list list_of(struct world *w, enum pass_list_kind kind, int64_t from) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct passes_keys k = keys_of(w);
    struct pass_list made, read;
    struct err e;
    int64_t version, newest;
    CHECK(passes_list(w->db, w->d.site, &w->d.a, &k, kind, from, &made, &e) == 0);
    CHECK(passes_list_version(w->db, w->d.site, kind, &version, &e) == 0 && passes_listed(w->db, w->d.site, &newest, &e) == 0);
    CHECK(version == made.version && MAX(newest, 1) >= version);
    CHECK(passes_list_file(w->d.site, &k, &made, &b, &e) == 0);
    CHECK(pass_list_read(k.published, k.published_n, arena_str(&w->d.a, buf_str(&b)), &read) == PASS_VALID);
    CHECK_INT(read.until_at, read.made_at + US_PER_DAY);
    return read;
}

static bool listed(struct world *w, enum pass_list_kind kind, const char *pass) {
    struct pass_list l = list_of(w, kind, 0);
    return pass_list_has(&l, loaded(&w->d, "pass", pass)->id);
}

static void turn(struct world *w, const char *pass, unsigned what) {
    struct record *r = loaded(&w->d, "pass", pass);
    if (what % 8 == 0 && !record_has(r, "revoked_at")) say(&w->d, "pass.revoke", NULL, pass, "{'reason':'遗失'}");
    else if (what % 2 && !record_has(r, "revoked_at")) say(&w->d, "pass.stay_home", NULL, pass, what % 3 ? "{}" : "{'from':'2020-02-12','until':'2020-02-14'}");
    else say(&w->d, "pass.lift", NULL, pass, "{}");
}

/* A gate that looks now and then, at random, ends with what the full list says, by deltas wherever they can be made. */
TEST(a_gate_that_follows_by_deltas_has_the_list_whatever_happened) {
    enum { PASSES = 12, STEPS = 160 };
    struct world w = {0};
    const char *pass[PASSES];
    struct pass_list held[PASS_LIST_KIND__END][3];
    int deltas = 0;
    unsigned seed = 20200210;
    open_world(&w);
    for (int i = 0; i < PASSES; i++) pass[i] = issue(&w, i % 4 ? "" : ",'valid_until':'2020-02-13'");
    for (int k = 1; k < PASS_LIST_KIND__END; k++)
        for (int g = 0; g < 3; g++) held[k][g] = list_of(&w, (enum pass_list_kind)k, 0);
    CHECK_INT(held[1][0].version, 1);
    for (int step = 0; step < STEPS; step++) {
        turn(&w, pass[rand_r(&seed) % PASSES], (unsigned)rand_r(&seed));
        if (step % 20 == 19) w.d.site->clock.fixed_us += US_PER_DAY / 2;
        if (step % 3 == 0) jobs(&w);
        int k = 1 + rand_r(&seed) % 2, g = rand_r(&seed) % 3;
        struct pass_list full = list_of(&w, (enum pass_list_kind)k, 0), got = list_of(&w, (enum pass_list_kind)k, held[k][g].version), now = got;
        CHECK_INT(got.version, full.version);
        deltas += got.base != 0;
        if (got.base) CHECK(got.base == held[k][g].version && pass_list_apply(&w.d.a, &held[k][g], &got, &now));
        CHECK(str_eq(now.hashes, full.hashes));
        held[k][g] = now;
    }
    CHECK(deltas > STEPS / 8);
    CHECK_INT(list_of(&w, PASS_LIST_REVOKED, 1 << 30).base, 0);
    close_world(&w);
}

TEST(an_order_begins_and_ends_by_the_clock) {
    struct world w = {0};
    open_world(&w);
    const char *pass = issue(&w, "");
    say(&w.d, "pass.stay_home", NULL, pass, "{'from':'2020-02-12','until':'2020-02-13'}");
    jobs(&w);
    CHECK(!listed(&w, PASS_LIST_STAY_HOME, pass));
    desk_clock(&w.d, "2020-02-12 00:00");
    jobs(&w);
    CHECK(listed(&w, PASS_LIST_STAY_HOME, pass));
    desk_clock(&w.d, "2020-02-13 23:59");
    jobs(&w);
    CHECK(listed(&w, PASS_LIST_STAY_HOME, pass));
    desk_clock(&w.d, "2020-02-14 00:00");
    jobs(&w);
    CHECK(!listed(&w, PASS_LIST_STAY_HOME, pass));
    int64_t version = loaded(&w.d, "pass", pass)->version;
    jobs(&w);
    CHECK_INT(loaded(&w.d, "pass", pass)->version, version);
    CHECK(!record_has(loaded(&w.d, "pass", pass), "due_at"));
    close_world(&w);
}

TEST(a_pass_that_is_over_leaves_its_lists_a_day_later) {
    struct world w = {0};
    open_world(&w);
    const char *pass = issue(&w, ",'valid_until':'2020-02-12'"), *home = issue(&w, ",'valid_until':'2020-02-12'");
    say(&w.d, "pass.revoke", NULL, pass, "{'reason':'遗失'}");
    say(&w.d, "pass.stay_home", NULL, home, "{}");
    desk_clock(&w.d, "2020-02-12 23:59");
    jobs(&w);
    CHECK(listed(&w, PASS_LIST_REVOKED, pass) && listed(&w, PASS_LIST_STAY_HOME, home));
    desk_clock(&w.d, "2020-02-13 00:00");
    jobs(&w);
    CHECK(!listed(&w, PASS_LIST_REVOKED, pass) && !listed(&w, PASS_LIST_STAY_HOME, home));
    close_world(&w);
}

/* ---- keys ---- */

TEST(a_key_is_never_written_by_hand_and_its_secret_is_nowhere) {
    struct world w = {0};
    open_world(&w);
    CHECK(refused(&w.d, "pass_key.create", NULL, NULL, "{}").msg == M_READ_ONLY);
    CHECK(refused(&w.d, "pass_key.create", NULL, NULL, "{'kid':'0011223344556677'}").msg == M_READ_ONLY);
    for (size_t i = 0; i < passes_key_kind.n; i++) CHECK(!(passes_key_kind.fields[i].flags & SEALED));
    close_world(&w);
}

TEST(the_next_key_comes_in_time_and_old_cards_stay_valid) {
    struct world w = {0};
    open_world(&w);
    jobs(&w);
    CHECK_INT(keys_of(&w).n, 0);
    const char *pass = issue(&w, ",'valid_until':'2020-07-01'");
    struct str old = text_of(&w, pass);
    desk_clock(&w.d, "2020-04-26 11:00");
    jobs(&w);
    CHECK_INT(keys_of(&w).n, 1);
    desk_clock(&w.d, "2020-04-26 13:00");
    jobs(&w);
    jobs(&w);
    CHECK_INT(keys_of(&w).n, 2);
    CHECK_INT(keys_of(&w).all[1].from_at, keys_of(&w).all[0].until_at);
    CHECK(str_eq(text_of(&w, pass), old));
    desk_clock(&w.d, "2020-05-11 13:00");
    struct str again = text_of(&w, pass);
    CHECK(!str_eq(again, old) && str_eq(again, text_of(&w, pass)));
    CHECK_STR(str_z(verdict(&w, old)), "valid");
    CHECK_STR(str_z(verdict(&w, again)), "valid");
    CHECK_STR(str_z(verdict(&w, text_of(&w, issue(&w, "")))), "valid");
    CHECK_INT(keys_of(&w).published_n, 2);
    desk_clock(&w.d, "2020-11-07 13:00");
    CHECK_INT(keys_of(&w).published_n, 1);
    CHECK_STR(str_z(verdict(&w, text_of(&w, issue(&w, "")))), "valid");
    close_world(&w);
}
