/* What is known of passes by heart at a scan: as if the records had been asked, whatever happens to a pass, and by whom. */
#include <time.h>

#include "core/memo.h"
#include "core/tx.h"
#include "systems/gates/gates.h"
#include "systems/passes/passes.h"
#include "systems_help.h"

enum { PASSES = 40, ASKED = 300, TRIES = 2000 };

struct world {
    struct desk d;
    const char *pass[PASSES];
};

static struct str number_of(struct world *w, int i) {
    return record_text(loaded(&w->d, "pass", w->pass[i]), "number");
}

static void issue(struct world *w, int i) {
    w->pass[i] = say(&w->d, "pass.create", NULL, NULL, "{'kind_of':'household','household':'H1'}");
}

static void open_world(struct world *w) {
    desk_open(&w->d);
    say(&w->d, "household.create", "b1", NULL, "{'code':'H1','door':'101'}");
    say(&w->d, "gate.create", "q1", NULL, "{'name':'北门','code':'G1','kind_of':'quarter_gate'}");
    say(&w->d, "gate.create", "v1", NULL, "{'name':'村口','code':'G2','kind_of':'village_road'}");
    for (int i = 0; i < PASSES; i++) issue(w, i);
    desk_clock(&w->d, "2020-02-10 13:00");
}

static void close_world(struct world *w) {
    desk_proves_itself(&w->d);
    desk_close(&w->d);
}

static const char *scan_at(struct world *w, const char *gate, struct str number, const char *seen_at) {
    const char *id = say(&w->d, "gate_scan.create", NULL, NULL, "{'gate':'%s','pass':'%.*s','what':'person','seen_at':'%s'}", gate, STR_FMT(number), seen_at);
    return arena_strz(&w->d.a, record_text(loaded(&w->d, "gate_scan", id), "pass_check"));
}

/* ---- what the writer knows ---- */

struct looking {
    struct write_item item;
    struct str number;
    bool known;
};

static int look(struct tx *tx, struct write_item *item, struct err *e) {
    struct looking *l = (struct looking *)item;
    struct str answer;
    uint64_t key;
    (void)e;
    l->known = pass_number_value(l->number, &key) && memo_get(tx->memo, key, &answer);
    return 0;
}

static bool known(struct world *w, int i) {
    struct looking l = {.item = {.run = look}, .number = number_of(w, i)};
    struct err e;
    CHECK(writer_run(w->d.site, &l.item, &e) == 0);
    return l.known;
}

/* Asks as often as a busy morning does, until all of it has been read. */
static void learn(struct world *w) {
    for (int i = 0; i < ASKED; i++) known(w, 0);
    for (int i = 0; i < TRIES && !known(w, 0); i++) nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(known(w, 0));
}

TEST(nothing_is_read_for_few_scans) {
    struct world w = {0};
    if (unit_on_server()) unit_skip("others write there");
    open_world(&w);
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 0), "2020-02-10T13:00:00+08:00")), "valid");
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    CHECK(!known(&w, 0));
    close_world(&w);
}

TEST(what_is_known_by_heart_says_what_the_records_say) {
    struct world w = {0};
    if (unit_on_server()) unit_skip("others write there");
    open_world(&w);
    const char *now = "2020-02-10T13:00:00+08:00", *before = "2020-02-10T11:00:00+08:00";
    learn(&w);
    for (int i = 0; i < PASSES; i++) CHECK(known(&w, i));
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 1), now)), "valid");
    CHECK_STR(str_z(scan_at(&w, "G2", number_of(&w, 2), now)), "wrong_area");
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 3), before)), "not_yet_valid"); /* of a guard who was out of reach */
    char of_nobody[PASS_NUMBER];
    CHECK_STR(str_z(scan_at(&w, "G1", str_z(pass_number((struct id){{7}}, of_nobody)), now)), "unknown");
    desk_clock(&w.d, "2020-03-11 08:00");
    CHECK(known(&w, 4));
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 4), "2020-03-11T08:00:00+08:00")), "expired");
    close_world(&w);
}

TEST(a_pass_that_is_revoked_or_stays_at_home_is_turned_back_at_once) {
    struct world w = {0};
    if (unit_on_server()) unit_skip("others write there");
    open_world(&w);
    const char *now = "2020-02-10T13:00:00+08:00";
    learn(&w);
    say(&w.d, "pass.revoke", NULL, w.pass[1], "{'reason':'遗失'}");
    say(&w.d, "pass.stay_home", NULL, w.pass[2], "{'until':'2020-02-11'}");
    CHECK(!known(&w, 1) && !known(&w, 2) && known(&w, 3));
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 1), now)), "revoked");
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 2), now)), "stay_home");
    CHECK(!known(&w, 1) && !known(&w, 2));
    close_world(&w);
}

TEST(a_new_pass_is_learned_when_it_is_used_and_no_longer_new) {
    struct world w = {0};
    if (unit_on_server()) unit_skip("others write there");
    open_world(&w);
    learn(&w);
    issue(&w, 5);
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 5), "2020-02-10T13:00:00+08:00")), "valid");
    CHECK(!known(&w, 5));
    desk_clock(&w.d, "2020-02-10 13:10");
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 5), "2020-02-10T13:10:00+08:00")), "valid");
    CHECK(known(&w, 5));
    close_world(&w);
}

/* What another process does to passes is not told to this one but by the journal. */
TEST(a_pass_revoked_by_another_process_is_turned_back_at_once) {
    struct world w = {0};
    struct desk other = {0};
    struct err e;
    if (unit_on_server()) unit_skip("others write there");
    open_world(&w);
    learn(&w);
    CHECK(site_open(w.d.site->dir, &other.site, &e) == 0);
    other.site->clock = w.d.site->clock;
    say(&other, "pass.revoke", NULL, w.pass[1], "{'reason':'遗失'}");
    site_close(other.site);
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 1), "2020-02-10T13:00:00+08:00")), "revoked");
    CHECK(!known(&w, 2));
    learn(&w);
    CHECK(known(&w, 2) && !known(&w, 1));
    arena_release(&other.a);
    close_world(&w);
}

/* Revoked, asked about, and undone together, as when another command of the same group fails late. */
static int revoke_and_fail(struct tx *tx, struct write_item *item, struct err *e) {
    struct looking *l = (struct looking *)item;
    const struct kind *pass = kind_by_name(STR("pass"));
    struct errs errs = {.a = tx->a};
    struct record *old, *r;
    struct id area;
    const char *check;
    bool changed;
    tx_as(tx, &actor_system, "pass.revoke", pass, "update");
    CHECK(record_find(tx->db, tx->site->id, &tx->site->key, tx->a, pass, (size_t)kind_field(pass, STR("number")), l->number, &old, e) == 1);
    area = old->area;
    r = record_copy(tx->a, old);
    record_set_int(r, "revoked_at", tx->now - 1);
    CHECK(tx_update(tx, old, r, &changed, &errs, e) == 0 && changed);
    CHECK(passes_check(tx, l->number, area, tx->now, &check, e) == 0);
    CHECK_STR(str_z(check), "revoked");
    return err_set(e, ERR_STATE, NULL, M_TEXT, "not so");
}

TEST(a_change_that_is_undone_leaves_nothing_behind) {
    struct world w = {0};
    struct err e;
    if (unit_on_server()) unit_skip("others write there");
    open_world(&w);
    learn(&w);
    struct looking l = {.item = {.run = revoke_and_fail}, .number = number_of(&w, 6)};
    CHECK(writer_run(w.d.site, &l.item, &e) == -1);
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 6), "2020-02-10T13:00:00+08:00")), "valid");
    close_world(&w);
}
