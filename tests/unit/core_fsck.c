/* Whatever is changed behind the program's back, fsck says where. */
#include "core_help.h"

static const char *resident, *household, *gate;

static void fill(void) {
    world_make();
    household = run(NULL, "household.create", "b1", NULL, "{'code':'h1','door':'101','since':'2020-02-01'}");
    resident = run(NULL, "resident.create", NULL, NULL, "{'name':'张三','household':'h1','phone':'13800138000','since':'2020-02-01'}");
    run(NULL, "resident.update", NULL, resident, "{'workplace':'学校'}");
    run(NULL, "household.create", "b2", NULL, "{'code':'h2'}");
    gate = run(NULL, "gate.create", "q1", NULL, "{'name':'东门','kind_of':'quarter_gate'}");
    for (int i = 0; i < 4; i++)
        run(NULL, "gate_scan.create", NULL, NULL, "{'gate':'%s','what':'person','seen_at':'2020-02-10 1%d:00','id_number':'%s'}", gate, i % 2, identity("19800101", i));
    tallies_settle();
    world_proves_itself();
}

/* Only that part finds something. */
static void found_by(enum fsck_part part, const char *sql) {
    int64_t all;
    fill();
    tamper(sql);
    int64_t n = fsck_finds(part, &all);
    if (!n || n != all) unit_fail(__FILE__, __LINE__, "%s: %lld in %s, %lld in all", sql, (long long)n, fsck_names[part], (long long)all);
    world_close();
}

#define FINDS(sentence, part, sql)                                                                                     \
    TEST(sentence) {                                                                                                   \
        found_by(part, sql);                                                                                           \
    }

FINDS(fsck_finds_a_changed_field, FSCK_ROWS, "UPDATE resident SET workplace = 'x'")
FINDS(fsck_finds_a_changed_version, FSCK_ROWS, "UPDATE household SET version = 7 WHERE code = 'h1'")
FINDS(fsck_finds_a_changed_time_of_creation, FSCK_ROWS, "UPDATE household SET created_at = created_at + 1 WHERE code = 'h1'")
FINDS(fsck_finds_another_author, FSCK_ROWS, "UPDATE household SET updated_by = U'00112233445566778899aabbccddeeff' WHERE code = 'h2'")
FINDS(fsck_finds_another_time_of_change, FSCK_ROWS, "UPDATE resident SET updated_at = updated_at - 1")
FINDS(fsck_finds_a_changed_extra, FSCK_ROWS, "UPDATE household SET extra = '{}' WHERE code = 'h2'")
FINDS(fsck_finds_an_emptied_sealed_value, FSCK_ROWS, "UPDATE resident SET phone = NULL, phone_hash = NULL")
FINDS(fsck_finds_a_changed_sealed_value, FSCK_ROWS, "UPDATE resident SET phone = X'00' || phone")
FINDS(fsck_finds_a_hash_that_leads_nowhere, FSCK_ROWS, "UPDATE resident SET phone_hash = X'00112233445566778899aabbccddeeff'")
FINDS(fsck_finds_a_name_hidden_from_the_search, FSCK_ROWS, "UPDATE resident SET search_key = 'li si'")
FINDS(fsck_finds_a_sealed_value_of_a_scan_that_was_moved, FSCK_ROWS,
      "UPDATE gate_scan SET id_number = (SELECT id_number FROM gate_scan ORDER BY id DESC LIMIT 1) WHERE id = (SELECT id FROM gate_scan ORDER BY id LIMIT 1)")
FINDS(fsck_finds_an_entry_that_was_changed, FSCK_CHAIN, "UPDATE journal SET change = '{}' WHERE seq = 11")
FINDS(fsck_finds_an_entry_with_another_actor, FSCK_CHAIN, "UPDATE journal SET actor = U'00112233445566778899aabbccddeeff' WHERE seq = 11")
FINDS(fsck_finds_an_entry_with_another_time, FSCK_CHAIN, "UPDATE journal SET made_at = made_at - 1 WHERE seq = 2")
FINDS(fsck_finds_a_note_that_was_taken_out, FSCK_CHAIN, "UPDATE journal SET seq = seq + 100 WHERE seq > 12")
FINDS(fsck_finds_a_note_that_was_put_in, FSCK_CHAIN,
      "INSERT INTO journal SELECT site, 999, U'00112233445566778899aabbccddeeff', made_at, actor, command, kind, record, version, path, change, NULL, cause, "
      "fingerprint, hash FROM journal WHERE seq = 12")
FINDS(fsck_finds_a_changed_tally, FSCK_TALLIES, "UPDATE tally SET n = n + 1 WHERE figure = 'grid.households' AND path = '001'")
FINDS(fsck_finds_an_extra_tally, FSCK_TALLIES, "INSERT INTO tally SELECT site, path, figure, cut, '2020-03-01', 5 FROM tally LIMIT 1")
FINDS(fsck_finds_a_missing_tally, FSCK_TALLIES, "DELETE FROM tally WHERE figure = 'gate.persons'")
FINDS(fsck_finds_scans_that_their_area_does_not_lead_to, FSCK_PATHS, "DELETE FROM log_place")
FINDS(fsck_finds_scans_without_traces, FSCK_ROWS, "DELETE FROM trace_part WHERE run = (SELECT max(run) FROM trace_run)")
FINDS(fsck_finds_traces_that_are_read_twice, FSCK_ROWS,
      "INSERT INTO trace_run SELECT site, kind, 9, run, n, shift, seen_from, seen_to, made_at, state, owner FROM trace_run WHERE run = (SELECT max(run) FROM trace_run); "
      "INSERT INTO trace_part SELECT site, kind, 9, run, bucket, entries FROM trace_part WHERE run = (SELECT max(run) FROM trace_run)")
FINDS(fsck_finds_traces_of_others, FSCK_ROWS, "UPDATE trace_part SET entries = (SELECT entries FROM trace_part ORDER BY run LIMIT 1) WHERE run = (SELECT max(run) FROM trace_run)")
FINDS(fsck_finds_a_changed_scan, FSCK_BATCHES, "UPDATE gate_scan SET verdict = 'observation' WHERE id = (SELECT id FROM gate_scan ORDER BY id LIMIT 1)")
FINDS(fsck_finds_a_scan_put_into_another_batch, FSCK_BATCHES, "UPDATE gate_scan SET batch = (SELECT max(batch) FROM gate_scan) WHERE id = (SELECT id FROM gate_scan ORDER BY id LIMIT 1)")

/* What harms more than one proof is found by each of them. */
static void found_by_all(const char *sql, const enum fsck_part *parts, size_t n) {
    int64_t all, sum = 0;
    fill();
    tamper(sql);
    for (size_t i = 0; i < n; i++) {
        int64_t found = fsck_finds(parts[i], &all);
        if (!found) unit_fail(__FILE__, __LINE__, "%s: nothing in %s", sql, fsck_names[parts[i]]);
        sum += found;
    }
    if (all != sum) unit_fail(__FILE__, __LINE__, "%s: %lld of %lld", sql, (long long)sum, (long long)all);
    world_close();
}
#define FINDS_ALL(sentence, sql, ...)                                                                                  \
    TEST(sentence) {                                                                                                   \
        static const enum fsck_part parts[] = {__VA_ARGS__};                                                           \
        found_by_all(sql, parts, COUNT(parts));                                                                        \
    }

FINDS_ALL(fsck_finds_a_record_marked_as_removed, "UPDATE household SET removed = 1 WHERE code = 'h2'", FSCK_ROWS, FSCK_TALLIES)
FINDS_ALL(fsck_finds_a_record_put_into_another_area, "UPDATE household SET area = (SELECT id FROM area WHERE code = 'v1') WHERE code = 'h2'", FSCK_ROWS, FSCK_PATHS)
FINDS_ALL(fsck_finds_a_record_that_is_gone, "DELETE FROM household WHERE code = 'h2'", FSCK_ROWS, FSCK_TALLIES)
FINDS_ALL(fsck_finds_a_record_from_nowhere,
          "INSERT INTO household (site, id, version, area, path, created_at, updated_at, removed, code) SELECT site, "
          "U'00112233445566778899aabbccddeeff', 1, area, path, created_at, updated_at, 0, 'h9' FROM household WHERE code = 'h1'",
          FSCK_ROWS, FSCK_TALLIES)
FINDS_ALL(fsck_finds_a_scan_that_is_gone, "DELETE FROM gate_scan WHERE id = (SELECT id FROM gate_scan ORDER BY id LIMIT 1)", FSCK_ROWS, FSCK_BATCHES, FSCK_TALLIES)
FINDS_ALL(fsck_finds_a_scan_from_nowhere,
          "INSERT INTO gate_scan (site, id, version, area, path, created_at, updated_at, removed, batch, gate, seen_at, what, persons) SELECT site, "
          "U'00112233445566778899aabbccddeeff', 1, area, path, created_at, updated_at, 0, batch + 500, gate, seen_at, what, persons FROM gate_scan LIMIT 1",
          FSCK_BATCHES, FSCK_TALLIES)
FINDS_ALL(fsck_finds_a_record_in_a_wrong_path, "UPDATE household SET path = '001002001' WHERE code = 'h2'", FSCK_PATHS, FSCK_TALLIES)
FINDS_ALL(fsck_finds_a_record_in_no_path, "UPDATE household SET path = '' WHERE code = 'h2'", FSCK_PATHS, FSCK_TALLIES)
FINDS_ALL(fsck_finds_an_area_under_another_parent, "UPDATE area SET path = '001001009' WHERE code = 'v1'", FSCK_PATHS, FSCK_TALLIES)
FINDS_ALL(fsck_finds_a_removed_entry, "DELETE FROM journal WHERE command = 'resident.update'", FSCK_CHAIN, FSCK_ROWS)
FINDS_ALL(fsck_finds_a_last_entry_that_is_gone, "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)", FSCK_BATCHES)
FINDS_ALL(fsck_finds_a_reference_into_nothing, "UPDATE gate_scan SET gate = U'00112233445566778899aabbccddeeff'", FSCK_ROWS, FSCK_BATCHES, FSCK_TALLIES, FSCK_CHECKS,
          FSCK_PATHS)

/* No index keeps numbers apart (field.beside). */
TEST(fsck_names_both_passes_of_one_number) {
    fill();
    for (int i = 0; i < 3; i++) run(NULL, "pass.create", NULL, NULL, "{'kind_of':'household','household':'h1'}");
    world_proves_itself();
    tamper("UPDATE pass SET number = (SELECT p.number FROM pass p ORDER BY p.id LIMIT 1) WHERE id = (SELECT p.id FROM pass p ORDER BY p.id DESC LIMIT 1)");
    CHECK_INT(fsck_finds(FSCK_CHECKS, NULL), 2);
    world_close();
}

TEST(a_path_that_no_area_can_have_is_said_and_does_not_stop_the_program) {
    struct err e;
    struct site *s;
    fill();
    tamper("UPDATE household SET path = '001001001001001001001001001001001001001001001001001001' WHERE code = 'h2'");
    CHECK(fsck_finds(FSCK_PATHS, NULL) > 0);
    tamper("UPDATE area SET path = '0010' WHERE code = 'v1'");
    CHECK(site_open(world_path(""), &s, &e) == -1);
    CHECK_ERR(e, ERR_CORRUPT);
    world_close();
}

TEST(a_damaged_sealed_value_is_told_to_whom_opens_it_and_harms_nobody_else) {
    fill();
    tamper("UPDATE resident SET phone = X'00112233' || phone");
    CHECK_ERR(refused(NULL, "resident.open", NULL, resident, "{'fields':['phone'],'reason':'核对电话'}"), ERR_CORRUPT);
    run(NULL, "household.update", NULL, household, "{'door':'102'}");
    run(NULL, "resident.open", NULL, resident, "{'fields':['note'],'reason':'核对电话'}");
    world_close();
}

TEST(a_program_with_other_figures_counts_what_was_entered_before) {
    int64_t all;
    fill();
    tamper("DELETE FROM tally WHERE figure = 'grid.residents'");
    tamper("UPDATE tally SET n = n + 5 WHERE figure = 'gate.persons'");
    CHECK(fsck_finds(FSCK_TALLIES, &all) > 0);
    tamper("UPDATE setting SET value = 'of an older program' WHERE name = 'figures'");
    world_close();
    world_open();
    world_proves_itself();
    world_close();
}
