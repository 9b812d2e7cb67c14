/* Several rows, or several questions, that PostgreSQL gets as one statement. */
#include "db_pg_help.h"

enum { ADD_PART, ADD_TALLY, PARTS, PART_NAMES, TALLY, PUT_NAME, FIRST_PARTS, PARTS_FROM, STMTS };
static struct stmt stmts[STMTS] = {
    STMT(add_part, "INSERT INTO part(site, n, name, bytes) VALUES ($1, $2, $3, $4)", .many = true),
    STMT(add_tally, "INSERT INTO tally(site, k, n) VALUES($1, $2, $3) ON CONFLICT(site, k) DO UPDATE SET n = tally.n + excluded.n", .many = true),
    STMT(parts, "SELECT count(*) FROM part WHERE site = $1"),
    STMT(part_names, "SELECT name, n FROM part WHERE site = $1 AND n >= $2 AND n < $3 ORDER BY n DESC"),
    STMT(tally_of, "SELECT n FROM tally WHERE site = $1 AND k = $2"),
    STMT(put_name, "UPDATE part SET name = $3 WHERE site = $1 AND n = $2"),
    STMT(first_parts, "SELECT n FROM part WHERE site = $1 AND n >= $2 ORDER BY n LIMIT $3"),
    STMT(parts_from, "SELECT count(*) FROM part WHERE site = $1 AND n >= $2"),
};

static struct db *open_new(void) {
    struct db *db = pg_open_new();
    struct err e;
    stmt_register(stmts, STMTS);
    CHECK(db_script(db, STR("CREATE TABLE part(site {int}, n {int}, name {text}, bytes {blob}, PRIMARY KEY (site, n));"
                            "CREATE TABLE tally(site {int}, k {text}, n {int}, PRIMARY KEY (site, k));"), &e) == 0);
    return db;
}

static void add_part(struct db *db, int64_t site, int64_t n) {
    char name[24]; /* gone when the row is sent */
    struct err e;
    snprintf(name, sizeof name, "部件%lld", (long long)n);
    CHECK(db_run(db, &stmts[ADD_PART], &e, VINT(site), VINT(n), n % 3 ? VTEXTZ(name) : VNULL, VBLOB(STR("\0\1"))) == 0);
}

static void add_parts(struct db *db, int64_t site, int64_t from, int64_t to) {
    for (int64_t n = from; n < to; n++) add_part(db, site, n);
}

static int64_t parts(struct db *db, int64_t site) {
    int64_t n = -1;
    struct err e;
    CHECK_INT(db_int(db, &stmts[PARTS], &n, &e, VINT(site)), 1);
    return n;
}

static void begin(struct db *db) {
    struct err e;
    CHECK(db_begin(db, true, &e) == 0);
}

static void commit(struct db *db) {
    struct err e;
    CHECK(db_commit(db, &e) == 0);
}

/* The names of parts from..to-1 are as add_part gave them. */
static void check_names(struct db *db, int64_t site, int64_t from, int64_t to) {
    struct rows *r;
    struct err e;
    CHECK(db_query(db, &stmts[PART_NAMES], &r, &e, VINT(site), VINT(from), VINT(to)) == 0);
    for (int64_t n = to; n-- > from;) {
        char name[24];
        snprintf(name, sizeof name, "部件%lld", (long long)n);
        CHECK_INT(rows_next(r, &e), 1);
        CHECK_INT(rows_int(r, 1), n);
        if (n % 3) CHECK_STR(rows_text(r, 0), name);
        else CHECK(rows_null(r, 0));
    }
    CHECK_INT(rows_next(r, &e), 0);
    rows_done(r);
}

static void add_tally(struct db *db, int64_t k, int64_t n) {
    char key[24];
    struct err e;
    snprintf(key, sizeof key, "k%lld", (long long)k);
    CHECK(db_run(db, &stmts[ADD_TALLY], &e, VINT(1), VTEXTZ(key), VINT(n)) == 0);
}

static void check_tally(struct db *db, int64_t k, int64_t n) {
    char key[24];
    int64_t found = -1;
    struct err e;
    snprintf(key, sizeof key, "k%lld", (long long)k);
    CHECK_INT(db_int(db, &stmts[TALLY], &found, &e, VINT(1), VTEXTZ(key)), 1);
    CHECK_INT(found, n);
}

TEST(pg_rows_sent_together_all_arrive_with_their_own_values) {
    struct db *db = open_new();
    begin(db);
    for (int64_t n = 0; n < 75; n++) {
        add_part(db, 1, n);
        add_tally(db, n, 1);
    }
    pg_put(db, 1);
    add_parts(db, 1, 75, 180);
    add_parts(db, 2, 0, 43);
    add_parts(db, 1, 180, 181);
    CHECK_INT(parts(db, 1), 181);
    commit(db);
    CHECK_INT(parts(db, 2), 43);
    for (int64_t n = 0; n < 75; n++) check_tally(db, n, 1);
    check_names(db, 1, 0, 181);
    check_names(db, 2, 0, 43);
    db_close(db);
}

/* A round is a bundle of its own; in each other values are the same in all of its rows. */
TEST(pg_rows_that_have_values_in_common_keep_them_when_the_next_have_others) {
    enum { ROWS = 32 };
    struct db *db = open_new();
    struct err e;
    struct rows *r;
    for (int round = 0; round < 6; round++) {
        begin(db);
        for (int64_t n = 0; n < ROWS; n++) {
            struct val name = round == 0 || round == 5 ? VNULL : round == 1 ? VTEXTZ("alike") : n == ROWS - 1 ? VTEXTZ("another") : VTEXTZ("");
            CHECK(db_run(db, &stmts[ADD_PART], &e, VINT(1 + round % 2), VINT(round * ROWS + n), name, VBLOB(STR("\0"))) == 0);
        }
        commit(db);
    }
    for (int round = 0; round < 6; round++) {
        CHECK(db_query(db, &stmts[PART_NAMES], &r, &e, VINT(1 + round % 2), VINT(round * ROWS), VINT(round * ROWS + ROWS)) == 0);
        for (int64_t n = ROWS; n-- > 0;) {
            CHECK_INT(rows_next(r, &e), 1);
            CHECK_INT(rows_int(r, 1), round * ROWS + n);
            CHECK(rows_null(r, 0) == (round == 0 || round == 5));
            if (!rows_null(r, 0)) CHECK_STR(rows_text(r, 0), round == 1 ? "alike" : n == ROWS - 1 ? "another" : "");
        }
        rows_done(r);
    }
    db_close(db);
}

TEST(pg_what_follows_a_row_finds_it) {
    struct db *db = open_new();
    struct err e;
    begin(db);
    add_part(db, 1, 7);
    CHECK(db_run(db, &stmts[PUT_NAME], &e, VINT(1), VINT(7), VTEXTZ("changed")) == 0);
    add_part(db, 1, 8);
    CHECK_INT(parts(db, 1), 2);
    struct rows *r;
    CHECK(db_query(db, &stmts[PART_NAMES], &r, &e, VINT(1), VINT(7), VINT(8)) == 0);
    CHECK_INT(rows_next(r, &e), 1);
    CHECK_STR(rows_text(r, 0), "changed");
    rows_done(r);
    commit(db);
    db_close(db);
}

TEST(pg_rows_of_what_is_undone_are_not_kept) {
    struct db *db = open_new();
    struct err e;
    begin(db);
    add_parts(db, 1, 0, 5);
    db_rollback(db);
    begin(db);
    add_parts(db, 1, 10, 13);
    CHECK(db_savepoint(db, &e) == 0);
    add_parts(db, 1, 20, 24);
    CHECK(db_rollback_to(db, &e) == 0);
    add_parts(db, 1, 30, 31);
    CHECK(db_savepoint(db, &e) == 0);
    add_parts(db, 1, 40, 42);
    CHECK(db_release(db, &e) == 0);
    commit(db);
    CHECK_INT(parts(db, 1), 6);
    db_close(db);
}

TEST(pg_a_taken_key_among_rows_sent_together_fails_the_transaction) {
    struct db *db = open_new();
    struct err e;
    begin(db);
    add_part(db, 1, 5);
    commit(db);
    begin(db);
    add_parts(db, 1, 0, 4);
    add_parts(db, 1, 5, 9);
    CHECK(db_commit(db, &e) == -1 && e.code == ERR_CONFLICT);
    CHECK_INT(parts(db, 1), 1);
    begin(db);
    CHECK(db_savepoint(db, &e) == 0);
    add_part(db, 1, 5);
    CHECK(db_sync(db, &e) == -1 && e.code == ERR_CONFLICT);
    CHECK(db_rollback_to(db, &e) == 0);
    add_part(db, 1, 6);
    commit(db);
    CHECK_INT(parts(db, 1), 2);
    db_close(db);
}

TEST(pg_sums_are_added_up_over_what_was_sent) {
    struct db *db = open_new();
    struct err e;
    begin(db);
    for (int turn = 0; turn < 3; turn++) {
        for (int k = 0; k < 45; k++) add_tally(db, k, k);
        CHECK(db_send(db, &e) == 0);
    }
    commit(db);
    for (int k = 0; k < 45; k++) check_tally(db, k, 3 * k);
    db_close(db);
}

TEST(pg_questions_sent_together_get_each_their_own_rows) {
    struct db *db = open_new();
    struct err e;
    begin(db);
    add_parts(db, 1, 0, 100);
    add_parts(db, 2, 50, 60);
    for (int64_t n = 0; n < 90; n++) {
        /* as many rows as n says: none, one, several */
        CHECK(db_foresee(db, &stmts[PART_NAMES], &e, VINT(1), VINT(n), VINT(n + n % 4)) == 0);
        CHECK(db_foresee(db, &stmts[FIRST_PARTS], &e, VINT(1), VINT(n), VINT(2)) == 0);
        CHECK(db_foresee(db, &stmts[PARTS], &e, VINT(n % 3)) == 0);
    }
    CHECK(db_foresee(db, &stmts[PART_NAMES], &e, VINT(2), VINT(0), VINT(52)) == 0);
    for (int64_t n = 0; n < 90; n++) {
        int64_t first = -1;
        check_names(db, 1, n, n + n % 4);
        CHECK_INT(db_int(db, &stmts[FIRST_PARTS], &first, &e, VINT(1), VINT(n), VINT(2)), 1);
        CHECK_INT(first, n);
    }
    CHECK_INT(parts(db, 0), 0);
    CHECK_INT(parts(db, 1), 100);
    check_names(db, 2, 50, 52);
    commit(db);
    db_close(db);
}

TEST(pg_sums_are_answered_for_each_question_however_many_there_are) {
    struct db *db = open_new();
    struct err e;
    begin(db);
    add_parts(db, 1, 0, 100);
    for (int64_t many = 1; many < 70; many += many < 10 ? 1 : 7) {
        for (int64_t n = 0; n < many; n++) CHECK(db_foresee(db, &stmts[PARTS_FROM], &e, VINT(1), VINT(n)) == 0);
        for (int64_t n = many; n-- > 0;) {
            int64_t found = -1;
            CHECK_INT(db_int(db, &stmts[PARTS_FROM], &found, &e, VINT(1), VINT(n)), 1);
            CHECK_INT(found, 100 - n);
            db_unforesee(db, &stmts[PARTS_FROM], VINT(1), VINT(n));
        }
    }
    commit(db);
    db_close(db);
}

TEST(pg_a_question_foreseen_before_a_row_is_asked_again_when_it_was_made_untrue) {
    struct db *db = open_new();
    struct err e;
    begin(db);
    for (int64_t n = 0; n < 40; n++) CHECK(db_foresee(db, &stmts[PART_NAMES], &e, VINT(1), VINT(n), VINT(n + 1)) == 0);
    CHECK(db_foresee(db, &stmts[PART_NAMES], &e, VINT(1), VINT(90), VINT(91)) == 0);
    db_unforesee(db, &stmts[PART_NAMES], VINT(1), VINT(3));
    add_part(db, 1, 3);
    add_part(db, 1, 4);
    db_unforesee(db, &stmts[PART_NAMES], VINT(1), VINT(4));
    check_names(db, 1, 3, 5);
    check_names(db, 1, 3, 4);
    check_names(db, 1, 4, 5);
    check_names(db, 1, 5, 5);
    CHECK(db_savepoint(db, &e) == 0);
    CHECK(db_foresee(db, &stmts[PART_NAMES], &e, VINT(1), VINT(3), VINT(6)) == 0);
    add_part(db, 1, 5);
    CHECK(db_rollback_to(db, &e) == 0);
    check_names(db, 1, 3, 5);
    commit(db);
    db_close(db);
}
