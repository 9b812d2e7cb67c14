/* A command runs once, or leaves nothing behind. */
#include <pthread.h>

#include "core_help.h"

static const char *household(const char *code) {
    return run(NULL, "household.create", "b1", NULL, "{'code':'%s','since':'2020-02-01'}", code);
}

static const char *gate(const char *area) {
    return run(NULL, "gate.create", area, NULL, "{'name':'东门','kind_of':'quarter_gate'}");
}

TEST(a_command_sent_again_answers_the_first_result) {
    struct command_call again;
    struct err e;
    world_make();
    const char *id = new_id();
#define CREATE "{'id':'%s','command':'household.create','area':'b1','data':{'code':'h1','door':'101'}}"
    CHECK(run_json(NULL, &w.call, &e, CREATE, id) == 0);
    struct command_call first = w.call;
    CHECK(!first.repeated);
    run(NULL, "household.update", NULL, arena_printf(&w.a, "%s", id_text(first.ret_record, (char[ID_TEXT]){0})), "{'door':'102'}");
    household("h2");
    for (int restart = 0; restart < 2; restart++) {
        int64_t seq = seq_now();
        CHECK(run_json(NULL, &again, &e, CREATE, id) == 0);
        CHECK(again.repeated && id_eq(again.ret_record, first.ret_record));
        CHECK_INT(again.ret_version, first.ret_version);
        CHECK_INT(again.ret_seq, first.ret_seq);
        CHECK_INT(seq_now(), seq);
        site_close(w.s);
        world_open();
    }
    CHECK_INT(records_of("household"), 2);
    world_proves_itself();
    world_close();
}

TEST(the_same_id_for_another_content_is_refused) {
    struct err e;
    world_make();
    const char *id = new_id(), *other = new_id(), *g = gate("q1");
    CHECK(run_json(NULL, &w.call, &e, CREATE, id) == 0);
    const char *record = arena_printf(&w.a, "%s", id_text(w.call.ret_record, (char[ID_TEXT]){0}));
    struct digest before = state_now();
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'household.create','area':'b1','data':{'code':'h1','door':'102'}}", id) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'household.create','area':'b2','data':{'code':'h1','door':'101'}}", id) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'household.remove','record':'%s'}", id, record) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'gate_scan.create','data':{'gate':'%s','what':'person','seen_at':'2020-02-10 11:00'}}", id, g) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(memcmp(&before, &(struct digest[]){state_now()}, sizeof before) == 0);
    /* What only points to a record of its own kind may not take its id either. */
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'gate.create','record':'%s','area':'q1','data':{'name':'门','kind_of':'road'}}", other, record) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    world_proves_itself();
    world_close();
}

#define SCAN "{'id':'%s','command':'gate_scan.create','data':{'gate':'%s','what':'vehicle','seen_at':'2020-02-10 11:00','persons':%d,'plate':'晋A12345','phone':'%s'}}"
TEST(a_scan_sent_again_is_one_scan) {
    struct err e;
    world_make();
    const char *id = new_id(), *g = gate("q1");
    CHECK(run_json(NULL, &w.call, &e, SCAN, id, g, 3, "13800138000") == 0);
    struct command_call first = w.call;
    CHECK(id_eq(first.ret_record, id_of(id)));
    CHECK(run_json(NULL, &w.call, &e, SCAN, id, g, 3, "138 0013 8000") == 0);
    CHECK(w.call.repeated && w.call.ret_seq == first.ret_seq && w.call.ret_version == 1 && id_eq(w.call.ret_record, first.ret_record));
    CHECK(run_json(NULL, &w.call, &e, SCAN, id, g, 4, "13800138000") == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(run_json(NULL, &w.call, &e, SCAN, id, g, 3, "13800138001") == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(run_json(NULL, &w.call, &e, CREATE, id) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'gate_scan.create','record':'%s','data':{}}", new_id(), id) == -1);
    CHECK_STR(str_z(e.field), "record");
    CHECK_INT(records_of("gate_scan"), 1);
    CHECK_ERR(refused(NULL, "gate_scan.update", NULL, id, "{'persons':2}"), ERR_STATE);
    CHECK_ERR(refused(NULL, "gate_scan.remove", NULL, id, "{}"), ERR_STATE);
    world_proves_itself();
    world_close();
}

#define ASSIGN "{'id':'%s','command':'household.assign','data':{'member':%s,'households':['%s','%s']}}"
TEST(a_command_over_several_records_is_remembered_with_its_answer) {
    struct err e;
    world_make();
    const char *a = household("h1"), *b = household("h2"), *id = new_id(), *idle = new_id();
    const char *m = arena_printf(&w.a, "'%s'", run(NULL, "member.create", "xg", NULL, "{'name':'党员','code':'m1','roll':'member'}"));
    CHECK(run_json(NULL, &w.call, &e, ASSIGN, id, m, a, b) == 0);
    CHECK_STR(w.call.ret_json, "\"changed\":2");
    struct command_call first = w.call;
    run(NULL, "household.assign", NULL, NULL, "{'member':null,'households':['%s']}", a);
    CHECK(run_json(NULL, &w.call, &e, ASSIGN, id, m, a, b) == 0);
    CHECK(w.call.repeated && w.call.ret_seq == first.ret_seq && w.call.ret_version == first.ret_version && id_eq(w.call.ret_record, first.ret_record));
    CHECK_STR(w.call.ret_json, "\"changed\":2");
    CHECK(!record_has(record_of("household", a), "member"));
    /* One that changes nothing ran all the same. */
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'household.assign','data':{'households':[]}}", idle) == 0);
    CHECK(!w.call.repeated);
    CHECK(run_json(NULL, &w.call, &e, "{'id':'%s','command':'household.assign','data':{'households':[]}}", idle) == 0);
    CHECK(w.call.repeated);
    CHECK_STR(w.call.ret_json, "\"changed\":0");
    world_proves_itself();
    world_close();
}

TEST(an_opening_is_repeated_only_to_whom_it_was_shown_and_for_the_same_record) {
    struct err e;
    world_make();
    const char *r = run(NULL, "resident.create", "b1", NULL, "{'name':'张三','phone':'13800138000'}"), *id = new_id();
    const struct actor *one = somebody("community", "xg"), *two = somebody("community", "xg");
#define OPEN "{'id':'%s','command':'resident.open','record':'%s','data':{'fields':['phone','note'],'reason':'核对电话'}}"
    CHECK(run_json(one, &w.call, &e, OPEN, id, r) == 0);
    CHECK_STR(w.call.ret_json, "\"values\":{\"phone\":\"13800138000\",\"note\":null}");
    int64_t seq = seq_now();
    CHECK(run_json(one, &w.call, &e, OPEN, id, r) == 0);
    CHECK(w.call.repeated);
    CHECK_STR(w.call.ret_json, "\"values\":{\"phone\":\"13800138000\",\"note\":null}");
    CHECK_INT(seq_now(), seq);
    CHECK(run_json(two, &w.call, &e, OPEN, id, r) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK(w.call.ret_json.n == 0);
    run(NULL, "resident.update", NULL, r, "{'phone':'13900139000'}");
    CHECK(run_json(one, &w.call, &e, OPEN, id, r) == -1);
    CHECK_ERR(e, ERR_CONFLICT);
    CHECK_STR(str_z(refused(one, "resident.open", NULL, r, "{'fields':['phone'],'reason':'好'}").field), "reason");
    CHECK_STR(str_z(refused(one, "resident.open", NULL, r, "{'fields':['name'],'reason':'核对电话'}").field), "fields");
    CHECK_STR(str_z(refused(one, "resident.open", NULL, r, "{'reason':'核对电话'}").field), "fields");
    world_close();
}

/* ---- eight at once ---- */

static const char *shared_id;

static void *send_same(void *arg) {
    struct arena a CLEANUP(arena_release) = {0};
    struct command_call *call = arg;
    struct json *j;
    struct err e;
    const char *text = arena_printf(&a, "{\"id\":\"%s\",\"command\":\"household.create\",\"area\":\"b1\",\"data\":{\"code\":\"h1\"}}", shared_id);
    *call = (struct command_call){.a = &a, .actor = &actor_system};
    CHECK(json_parse(&a, str_z(text), NULL, &j, &e) == 0 && command_parse(w.s, j, call, &e) == 0);
    CHECK(command_do(w.s, call, &e) == 0);
    return NULL;
}

TEST(eight_threads_that_send_one_command_make_one_record) {
    world_make();
    for (int round = 0; round < 20; round++) {
        pthread_t t[8];
        struct command_call calls[8];
        int fresh = 0;
        shared_id = new_id();
        for (size_t i = 0; i < COUNT(t); i++) CHECK(pthread_create(&t[i], NULL, send_same, &calls[i]) == 0);
        for (size_t i = 0; i < COUNT(t); i++) pthread_join(t[i], NULL);
        for (size_t i = 0; i < COUNT(t); i++) {
            fresh += !calls[i].repeated;
            CHECK(id_eq(calls[i].ret_record, calls[0].ret_record) && calls[i].ret_seq == calls[0].ret_seq);
        }
        CHECK_INT(fresh, 1);
        run(NULL, "household.remove", NULL, arena_printf(&w.a, "%s", id_text(calls[0].ret_record, (char[ID_TEXT]){0})), "{}");
    }
    CHECK_INT(records_of("household"), 0);
    world_proves_itself();
    world_close();
}

/* ---- failing ---- */

static void nothing_changed(struct digest before) {
    struct digest now = state_now();
    CHECK(memcmp(&before, &now, sizeof now) == 0);
}

TEST(a_command_that_fails_late_leaves_nothing_behind) {
    world_make();
    const char *a = household("h1"), *b = household("h2");
    const char *m = run(NULL, "member.create", "xg", NULL, "{'name':'党员','code':'m1','roll':'member'}");
    struct areas *tree = site_areas(w.s);
    struct digest before = state_now();
    CHECK_ERR(refused(NULL, "household.assign", NULL, NULL, "{'member':'%s','households':['%s','%s','%s']}", m, a, b, new_id()), ERR_NOT_FOUND);
    nothing_changed(before);
    CHECK_ERR(refused(NULL, "household.create", "b1", NULL, "{'code':'h2'}"), ERR_INVALID);
    CHECK_ERR(refused(NULL, "area.create", NULL, NULL, "{'name':'x','code':'xg','level':'village','parent':'rural'}"), ERR_INVALID);
    nothing_changed(before);
    struct areas *after = site_areas(w.s);
    CHECK(tree->n == after->n);
    areas_drop(tree);
    areas_drop(after);
    world_proves_itself();
    world_close();
}

struct late {
    struct write_item item;
    struct id gate;
};

/* A log row, an area and a household, and then a mistake. */
static int late_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct errs errs = {.a = tx->a};
    struct record *scan = record_new(tx->a, kind_by_name(STR("gate_scan"))), *x = record_new(tx->a, kind_by_name(STR("area")));
    tx->actor = &actor_system;
    tx->kind = scan->kind;
    tx->verb = tx->command = "create";
    tx->command_id = id_new(tx->now);
    *record_val(scan, "gate") = VID(((struct late *)item)->gate);
    record_set_int(scan, "seen_at", tx->now);
    record_set_text(scan, "what", STR("person"));
    TRY(tx_create(tx, scan, &errs, e));
    record_set_text(x, "name", STR("新村"));
    record_set_text(x, "code", STR("v9"));
    record_set_text(x, "level", STR("village"));
    *record_val(x, "parent") = VTEXT(STR("rural"));
    TRY(tx_create(tx, x, &errs, e));
    return err_set(e, ERR_STATE, NULL, M_REQUIRED);
}

TEST(a_log_row_and_an_area_of_a_failed_command_are_gone_while_its_neighbours_stand) {
    world_make();
    struct late late = {.item = {.run = late_run}, .gate = id_of(gate("q1"))};
    struct digest before = state_now();
    struct err e;
    CHECK(writer_run(w.s, &late.item, &e) == -1);
    CHECK_ERR(e, ERR_STATE);
    nothing_changed(before);
    CHECK_ERR(refused(NULL, "household.create", "v9", NULL, "{}"), ERR_INVALID);
    run(NULL, "area.create", NULL, NULL, "{'name':'新村','code':'v9','level':'village','parent':'rural'}");
    run(NULL, "household.create", "v9", NULL, "{}");
    world_proves_itself();
    world_close();
}

TEST(what_cannot_be_read_is_refused_with_its_field) {
    struct err e;
    world_make();
    static const struct {
        const char *json, *field;
    } bad[] = {
        {"{'command':'household.create','area':'b1'}", "id"},
        {"{'id':'x','command':'household.create'}", "id"},
        {"{'id':'00000000-0000-7000-8000-000000000001'}", "command"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.fly'}", "command"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':7}", "command"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.create','area':'b1','date':{}}", "date"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.create','area':'b1','data':[]}", "data"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.create','area':'b1','data':{'dor':'1'}}", "dor"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.create','area':'b1','data':{'covered_since':'2020-02-01'}}", "covered_since"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.create','area':'nowhere','data':{}}", "area"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.create','data':{}}", "area"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.create','area':7,'data':{}}", "area"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.update','data':{}}", "record"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.update','record':'x'}", "record"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.update','version':0}", "version"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.update','version':'1'}", "version"},
        {"{'id':'00000000-0000-7000-8000-000000000001','command':'household.update','record':'00000000-0000-7000-8000-000000000009','data':{}}", "record"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (run_json(NULL, &w.call, &e, "%s", bad[i].json) == 0) unit_fail(__FILE__, __LINE__, "%s was taken", bad[i].json);
        CHECK_STR(str_z(e.field), bad[i].field);
    }
    CHECK_INT(records_of("household"), 0);
    world_close();
}
