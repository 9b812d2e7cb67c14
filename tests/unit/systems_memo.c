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
static void learn_after(struct world *w, int asked) {
    for (int i = 0; i < asked + TRIES && !known(w, 0); i++)
        if (i >= asked) nanosleep(&(struct timespec){0, 5000000}, NULL);
    CHECK(known(w, 0));
}

static void learn(struct world *w) {
    learn_after(w, ASKED);
}

TEST(nothing_is_read_for_few_scans) {
    struct world w = {0};
    open_world(&w);
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 0), "2020-02-10T13:00:00+08:00")), "valid");
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    CHECK(!known(&w, 0));
    close_world(&w);
}

TEST(what_is_known_by_heart_says_what_the_records_say) {
    struct world w = {0};
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

TEST(a_new_pass_is_learned_when_it_is_used) {
    struct world w = {0};
    open_world(&w);
    learn(&w);
    issue(&w, 5);
    CHECK(!known(&w, 5));
    for (int i = 0; i < 2; i++) { /* asked of the record, then by heart */
        CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 5), "2020-02-10T13:00:00+08:00")), "valid");
        CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 5), "2020-02-10T12:59:30+08:00")), "not_yet_valid");
        CHECK(known(&w, 5));
    }
    desk_clock(&w.d, "2020-02-10 13:10");
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 5), "2020-02-10T13:10:00+08:00")), "valid");
    close_world(&w);
}

/* ---- what another process does is not told to this one but by the journal ---- */

struct process {
    struct desk d;
};

static void process_open(struct process *p, struct world *w) {
    struct err e;
    CHECK(site_open(w->d.site->dir, &p->d.site, &e) == 0);
    p->d.site->clock = w->d.site->clock;
}

static void process_close(struct process *p) {
    site_close(p->d.site);
    arena_release(&p->d.a);
}

TEST(a_pass_revoked_by_another_process_is_turned_back_at_once) {
    struct world w = {0};
    struct process other = {0};
    open_world(&w);
    learn(&w);
    process_open(&other, &w);
    say(&other.d, "pass.revoke", NULL, w.pass[1], "{'reason':'遗失'}");
    process_close(&other);
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 1), "2020-02-10T13:00:00+08:00")), "revoked");
    CHECK(!known(&w, 2));
    learn_after(&w, 2 * ASKED);
    CHECK(known(&w, 2) && !known(&w, 1));
    close_world(&w);
}

/* Both sit at gates: each is told of what the other has just written, and neither reads all passes again and again. */
TEST(two_processes_at_gates_know_of_each_other) {
    struct world w = {0};
    struct process other = {0};
    const char *now = "2020-02-10T13:00:00+08:00";
    open_world(&w);
    say(&w.d, "gate.create", "q1", NULL, "{'name':'南门','code':'G3','kind_of':'quarter_gate'}");
    learn(&w);
    process_open(&other, &w);
    for (int i = 10; i < 16; i++) {
        CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, i), now)), "valid");
        CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, i), now)), "valid");
        struct world there = {.d = other.d};
        CHECK_STR(str_z(scan_at(&there, "G3", number_of(&w, i), now)), "elsewhere");
        other.d = there.d;
        CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, i), now)), "elsewhere");
        CHECK(!known(&w, i));
    }
    process_close(&other);
    for (int i = 0; i < ASKED; i++) known(&w, 0);
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    CHECK(!known(&w, 0)); /* so soon after */
    close_world(&w);
}

/* A phone that was out of reach: what it sends is judged by when it was seen, long after everybody has forgotten. */
TEST(a_scan_that_comes_hours_later_still_meets_those_of_its_time) {
    struct world w = {0};
    struct process later = {0};
    open_world(&w);
    say(&w.d, "gate.create", "q1", NULL, "{'name':'南门','code':'G3','kind_of':'quarter_gate'}");
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 1), "2020-02-10T13:00:00+08:00")), "valid");
    desk_clock(&w.d, "2020-02-10 19:00");
    process_open(&later, &w);
    struct world there = {.d = later.d};
    CHECK_STR(str_z(scan_at(&there, "G3", number_of(&w, 1), "2020-02-10T12:59:30+08:00")), "valid");
    CHECK_STR(str_z(scan_at(&there, "G3", number_of(&w, 1), "2020-02-10T13:01:59+08:00")), "elsewhere");
    CHECK_STR(str_z(scan_at(&there, "G3", number_of(&w, 1), "2020-02-10T13:04:30+08:00")), "valid");
    CHECK_STR(str_z(scan_at(&there, "G1", number_of(&w, 1), "2020-02-10T13:05:00+08:00")), "elsewhere"); /* both of this process, and as late */
    CHECK_STR(str_z(scan_at(&there, "G3", number_of(&w, 2), "2020-02-10T13:01:59+08:00")), "valid");
    later.d = there.d;
    process_close(&later);
    close_world(&w);
}

/* ---- what is undone ---- */

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
    open_world(&w);
    learn(&w);
    struct looking l = {.item = {.run = revoke_and_fail}, .number = number_of(&w, 6)};
    CHECK(writer_run(w.d.site, &l.item, &e) == -1);
    CHECK_STR(str_z(scan_at(&w, "G1", number_of(&w, 6), "2020-02-10T13:00:00+08:00")), "valid");
    close_world(&w);
}

/* ---- ids of commands ---- */

static int repeated(struct site *s, struct command_call call) {
    struct err e;
    return command_do(s, &call, &e) ? -1 : call.repeated;
}

static struct command_call scan_call(struct world *w, struct str number) {
    say(&w->d, "gate_scan.create", NULL, NULL, "{'gate':'G1','pass':'%.*s','what':'person','seen_at':'2020-02-10T13:00:00+08:00'}", STR_FMT(number));
    return w->d.last;
}

/* By a phone whose clock is an hour ahead, too. */
TEST(a_scan_that_is_sent_twice_is_stored_once_whoever_stored_it) {
    struct world w = {0};
    struct process other = {0};
    open_world(&w);
    process_open(&other, &w);
    struct site *of[] = {w.d.site, other.d.site};
    struct command_call call = scan_call(&w, number_of(&w, 7));
    for (int i = 0; i < 16; i++) {
        call.id = id_new(site_now(w.d.site) + (i & 4 ? US_PER_DAY / 24 : 0));
        if (i & 8) scan_call(&w, number_of(&w, 8)); /* who is alone knows more */
        CHECK_INT(repeated(of[i & 1], call), 0);
        CHECK_INT(repeated(of[i >> 1 & 1], call), 1);
        CHECK_INT(repeated(of[0], call), 1);
        CHECK_INT(repeated(of[1], call), 1);
    }
    process_close(&other);
    close_world(&w);
}

TEST(the_id_of_another_command_is_refused_to_a_scan) {
    struct world w = {0};
    struct process other = {0};
    open_world(&w);
    process_open(&other, &w);
    struct command_call call = scan_call(&w, number_of(&w, 7));
    for (int i = 0; i < 4; i++) {
        struct desk *d = i & 1 ? &other.d : &w.d;
        say(d, "household.create", "b1", NULL, "{'code':'H%d','door':'10%d'}", i + 2, i + 2);
        call.id = d->last.id;
        if (i & 2) scan_call(&w, number_of(&w, 8));
        CHECK_INT(repeated(w.d.site, call), -1);
        CHECK_INT(repeated(other.d.site, call), -1);
    }
    process_close(&other);
    close_world(&w);
}
