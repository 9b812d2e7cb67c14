/* What a transaction adds to append-only kinds: one journal entry and one run of traces for all of its rows; which ids are new; what was used just now. */
#include "core/tx_log.h"

#include "core/core_stmts.h"
#include "core/journal.h"
#include "core/lately.h"
#include "core/months.h"
#include "core/trace_run.h"
#include "core/used.h"

/* ---- rows ---- */

struct log_row {
    struct id id;
    struct digest digest;
};
struct log_rows {
    struct log_row *rows;
    size_t n, cap, marked;
    struct trace_entry *traces;
    size_t traces_n, traces_cap, traces_marked;
    size_t prepared; /* behind them, of a row that is about to be stored */
    bool odd; /* months_odd of any */
};

struct log_rows *log_rows_new(void) {
    struct log_rows *l = calloc(kind_count() + 1, sizeof *l);
    INVARIANT(l);
    return l;
}

void log_rows_free(struct log_rows *l) {
    for (size_t i = 0; l && i < kind_count(); i++) {
        free(l[i].rows);
        free(l[i].traces);
    }
    free(l);
}

/* Room for so many more. */
static void *grown(void *p, size_t n, size_t more, size_t *cap, size_t each) {
    if (n + more <= *cap) return p;
    *cap = *cap ? *cap * 2 : 64;
    p = realloc(p, *cap * each);
    INVARIANT(p);
    return p;
}

int tx_log_prepare(struct tx *tx, const struct record *r, struct err *e) {
    struct log_rows *l = &tx->logs[kind_index(r->kind)];
    l->traces = grown(l->traces, l->traces_n, TRACE_FIELDS_MOST, &l->traces_cap, sizeof *l->traces);
    return trace_entries(&tx->site->key, tx->a, r, l->traces + l->traces_n, &l->prepared, e);
}

void tx_log_stored(struct tx *tx, const struct record *r) {
    struct log_rows *l = &tx->logs[kind_index(r->kind)];
    l->rows = grown(l->rows, l->n, 1, &l->cap, sizeof *l->rows);
    l->rows[l->n++] = (struct log_row){r->id, record_digest(&tx->site->key, r)};
    l->odd |= months_odd(r->id, r->created_at);
    l->traces_n += l->prepared;
    tx_id_used(tx, r->id);
}

static int by_id(const void *a, const void *b) {
    return memcmp(((const struct log_row *)a)->id.b, ((const struct log_row *)b)->id.b, 16);
}

static bool holds(const struct log_rows *l, struct id id) {
    return bsearch(&(struct log_row){.id = id}, l->rows, l->n, sizeof *l->rows, by_id);
}

/* ---- ids ---- */

static uint64_t id_value(struct id id) {
    uint64_t v[2];
    memcpy(v, id.b, sizeof v);
    return v[0] ^ v[1] << 1;
}

/* What stands in front, the time of a UUIDv7: ids of a later time are behind it in the order of ids. */
static int64_t id_front(struct id id) {
    int64_t front = 0;
    for (int i = 0; i < 6; i++) front = front << 8 | id.b[i];
    return front;
}

int tx_ids_start(struct tx *tx, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    if (!tx->ids || lately_started(tx->ids)) return 0;
    TRY(db_query(tx->db, CS(journal_newest_id), &rows, e, VINT(tx->site->id)));
    int got = rows_next(rows, e);
    if (got >= 0) lately_start(tx->ids, got ? id_front(rows_id(rows, 0)) : -1);
    return MIN(got, 0);
}

void tx_id_used(struct tx *tx, struct id id) {
    if (tx->ids) lately_add(tx->ids, id_value(id), id_front(id));
}

/* A row that is there with an id of a later time than all in the journal refuses the new one itself. */
bool tx_id_is_new(const struct tx *tx, const struct kind *k, struct id id) {
    return tx->ids && !tx->apart && !lately_may(tx->ids, id_value(id), id_front(id) - 1) && !months_may_hold(k, id, site_now(tx->site));
}

/* ---- what was used just now ---- */

static void add_use(void *arg, const struct trace_entry *x) {
    struct tx *tx = arg;
    used_add(tx->used, x->value, x->place, x->seen, tx->now);
    if (used_mark(tx->used) >= USED_KEEP) used_keep(tx->used); /* others have stored it */
}

int tx_used_learn(struct tx *tx, int64_t after, struct err *e) {
    for (size_t i = 0; i < kind_count(); i++) {
        int64_t since = tx->now - USED_SPAN;
        if (!trace_kind(kind_at(i))) continue;
        TRY(trace_each(tx->db, tx->site->id, kind_at(i), after, &since, USED_MOST, add_use, tx, e));
        used_raise(tx->used, since);
    }
    used_keep(tx->used);
    return 0;
}

int tx_used_start(struct tx *tx, struct err *e) {
    if (!tx->used || used_started(tx->used)) return 0;
    used_start(tx->used, tx->now - USED_SPAN);
    return tx_used_learn(tx, 0, e);
}

/* ---- ids of commands ---- */

static int id_is_new(struct tx *tx, struct id id, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(tx->db, CS(journal_by_id), &rows, e, VINT(tx->site->id), VID(id)));
    int got = rows_next(rows, e);
    return got == 1 ? err_set(e, ERR_CONFLICT, "id", M_COMMAND_ID_REUSED) : got;
}

/* The kind's own table has refused those that it holds. */
static int months_are_without(struct tx *tx, const struct kind *k, struct id id, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    if (!months_may_hold(k, id, tx->now)) return 0;
    TRY(db_query(tx->db, &kind_sql(k)->months_any, &rows, e, VINT(tx->site->id), VID(id)));
    int got = rows_next(rows, e);
    return got == 1 ? err_set(e, ERR_CONFLICT, "id", M_COMMAND_ID_REUSED) : got;
}

/* No command has had one of these ids, which are sorted.  Ids begin with the time, so few others lie between those of a group; where many do, each is asked
 * for.  Which one is taken is found out when the group runs apart. */
static int ids_are_new(struct tx *tx, const struct kind *k, const struct log_rows *l, struct err *e) {
    enum { FEW = 64 };
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got, n = 0;
    if (tx->apart || db_shared(tx->db)) return 0;
    for (size_t i = 0; i < l->n; i++) TRY(months_are_without(tx, k, l->rows[i].id, e));
    TRY(db_query(tx->db, CS(journal_ids), &rows, e, VINT(tx->site->id), VID(l->rows[0].id), VID(l->rows[l->n - 1].id), VINT(FEW)));
    for (; (got = rows_next(rows, e)) == 1; n++)
        if (holds(l, rows_id(rows, 0))) return err_set(e, ERR_CONFLICT, "id", M_COMMAND_ID_REUSED);
    if (got < 0 || n < FEW) return got;
    for (size_t i = 0; i < l->n; i++) TRY(id_is_new(tx, l->rows[i].id, e));
    return 0;
}

static int close_rows(struct tx *tx, const struct kind *k, struct log_rows *l, struct err *e) {
    if (l->n == 0) return 0;
    struct digest_state d;
    qsort(l->rows, l->n, sizeof *l->rows, by_id);
    TRY(ids_are_new(tx, k, l, e));
    if (l->odd) TRY(months_note_odd(tx, k, e));
    digest_start(&d);
    for (size_t i = 0; i < l->n; i++) digest_add(&d, l->rows[i].digest.b, sizeof l->rows[i].digest.b);
    struct journal_entry j = {
        .id = id_new(tx->now),
        .command = str_z(arena_printf(tx->a, "%s.batch", k->name)),
        .kind = str_z(k->name),
        .version = tx->batch,
        .path = STR(""),
        .change = str_z(arena_printf(tx->a, "{\"rows\":%zu}", l->n)),
        .has_row = true,
        .row = digest_end(&d),
    };
    TRY(trace_store(tx->db, tx->site->id, k, tx->batch, tx->now, l->traces, l->traces_n, e));
    tx->traced |= l->traces_n > 0;
    l->n = l->traces_n = 0;
    return journal_append(tx, &j, e);
}

int tx_log_close(struct tx *tx, struct err *e) {
    for (size_t i = 0; i < kind_count(); i++) TRY(close_rows(tx, kind_at(i), &tx->logs[i], e));
    return 0;
}

void tx_log_clear(struct tx *tx) {
    for (size_t i = 0; i < kind_count(); i++) tx->logs[i].n = tx->logs[i].traces_n = 0, tx->logs[i].odd = false;
}

void tx_log_mark(struct tx *tx) {
    for (size_t i = 0; i < kind_count(); i++) {
        tx->logs[i].marked = tx->logs[i].n;
        tx->logs[i].traces_marked = tx->logs[i].traces_n;
    }
}

void tx_log_undo(struct tx *tx) {
    for (size_t i = 0; i < kind_count(); i++) {
        tx->logs[i].n = tx->logs[i].marked;
        tx->logs[i].traces_n = tx->logs[i].traces_marked;
    }
}
