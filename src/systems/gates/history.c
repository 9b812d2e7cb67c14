#include "systems/gates/history.h"

#include "base/utf8.h"
#include "core/months.h"
#include "core/trace.h"
#include "core/tx.h"
#include "core/writer.h"
#include "systems/gates/gates.h"

enum { LOOK_MOST = 5000, REASON_LEAST = 4 };

int gates_traced(const char *name) {
    int i = kind_field(&gate_scan_kind, str_z(name));
    return i >= 0 && gate_scan_kind.fields[i].flags & TRACE ? i : -1;
}

/* One question while its rows are read. */
struct reading {
    const struct gates_ask *q;
    struct gates_passages *to;
    struct trace trace;          /* the history of a value */
    const struct stmt *between;  /* else the scans of a gate */
    struct id gate, without;
};

static int between(const struct reading *r, size_t want, struct record **ret, size_t *ret_n, struct err *e) {
    const struct gates_ask *q = r->q;
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct record *all = arena_new(q->a, struct record, want);
    int got;
    TRY(db_query(q->db, r->between, &rows, e, VINT(q->site->id), VID(r->gate), VINT(r->to->seen_at), VID(r->to->id), VINT(q->to),
                 VINT((int64_t)want)));
    for (*ret_n = 0; (got = rows_next(rows, e)) == 1; ++*ret_n) record_read(q->a, &gate_scan_kind, rows, &all[*ret_n]);
    *ret = all;
    return got;
}

static int next_rows(struct reading *r, size_t want, struct record **ret, size_t *ret_n, struct err *e) {
    if (r->between) return between(r, want, ret, ret_n, e);
    r->trace.before = r->to->seen_at;
    r->trace.before_id = r->to->id;
    return trace_rows(r->q->db, r->q->site, r->q->a, &r->trace, want, ret, ret_n, e);
}

/* False when one more was found than is wanted. */
static bool take(struct reading *r, const struct record *s) {
    struct gates_passages *to = r->to;
    if (!id_eq(s->id, r->without) && permit_may(r->q->actor, gate_scan_kind.name, "read", s->path)) {
        if (to->n == r->q->limit) return false;
        to->all[to->n++] = *s;
    }
    to->seen_at = record_int(s, "seen_at");
    to->id = s->id;
    return true;
}

static int read_all(struct reading *r, struct err *e) {
    size_t want = r->q->limit + 2, looked = 0, n;
    struct record *rows;
    r->to->all = arena_new(r->q->a, struct record, r->q->limit);
    do {
        TRY(next_rows(r, want, &rows, &n, e));
        for (size_t i = 0; i < n; i++)
            if (!take(r, &rows[i])) return r->to->more = true, 0;
        looked += n;
    } while (n == want && looked < LOOK_MOST);
    r->to->more = n == want;
    return 0;
}

int gates_history(const struct gates_ask *q, int field, struct str text, struct gates_passages *ret, struct err *e) {
    struct reading r = {.q = q, .to = ret, .trace = {.kind = &gate_scan_kind, .field = (size_t)field, .from = q->from}};
    TRY(trace_value(q->site, q->a, &gate_scan_kind, (size_t)field, text, &r.trace.value, e));
    *ret = (struct gates_passages){.seen_at = q->go_on ? MIN(q->seen_at, q->to) : q->to, .id = q->go_on ? q->id : (struct id){{0}}};
    return read_all(&r, e);
}

static int at_gate(const struct gates_ask *q, struct id gate, struct id without, struct gates_passages *ret, struct err *e) {
    const struct kind_sql *sql = kind_sql(&gate_scan_kind);
    const struct stmt *between = months_may_have_seen(&gate_scan_kind, q->from, site_now(q->site)) ? sql->between : sql->between_fresh;
    struct reading r = {.q = q, .to = ret, .between = &between[SCAN_GATE], .gate = gate, .without = without};
    *ret = (struct gates_passages){.seen_at = q->go_on ? q->seen_at : q->from, .id = q->go_on ? q->id : (struct id){{0}}};
    return read_all(&r, e);
}

int gates_hour(const struct gates_ask *q, struct id gate, struct gates_passages *ret, struct err *e) {
    return at_gate(q, gate, (struct id){{0}}, ret, e);
}

int gates_near(const struct gates_ask *q, const struct record *scan, int minutes, struct gates_passages *ret, struct err *e) {
    struct gates_ask near = *q;
    int64_t at = record_int(scan, "seen_at"), most = minutes * 60 * US_PER_SECOND;
    near.from = at - most;
    near.to = at + most + 1;
    near.go_on = false;
    near.limit = GATES_NEAR_MOST;
    return at_gate(&near, record_get(scan, "gate")->id, scan->id, ret, e);
}

/* ---- what was opened ---- */

struct note {
    struct write_item item;
    const struct gates_ask *q;
    const struct gates_passages *p;
    const char *command;
    enum lang lang;
    struct str reason;
};

static int note_run(struct tx *tx, struct write_item *item, struct err *e) {
    const struct note *n = (const struct note *)item;
    struct buf b CLEANUP(buf_release) = BUF(4000);
    struct json_out o = JSON_OUT(&b);
    struct record about = {.kind = &gate_scan_kind, .path = STR("")};
    json_object(&o);
    json_put_str(&o, "reason", n->reason);
    json_put_int(&o, "rows", (int64_t)n->p->n);
    json_key(&o, "opened");
    json_array(&o);
    for (size_t i = 0; i < gate_scan_kind.n; i++)
        if (gate_scan_kind.fields[i].flags & SEALED) json_strz(&o, gate_scan_kind.fields[i].name);
    json_array_end(&o);
    json_object_end(&o);
    tx->lang = n->lang;
    tx_as(tx, n->q->actor, n->command, &gate_scan_kind, "open");
    return tx_note(tx, &about, arena_str(tx->a, buf_str(&b)), e);
}

static void nothing(struct write_item *item) {
    (void)item;
}

int gates_opened(const struct gates_ask *q, const struct gates_passages *p, const char *command, enum lang lang, struct str reason, struct err *e) {
    char least[8];
    snprintf(least, sizeof least, "%d", REASON_LEAST);
    reason = str_trim(reason);
    if (!permit_anywhere(q->actor, gate_scan_kind.name, "open")) return err_set(e, ERR_FORBIDDEN, NULL, M_NOT_ALLOWED, "gate_scan.open");
    for (size_t i = 0; i < p->n; i++)
        if (!permit_may(q->actor, gate_scan_kind.name, "open", p->all[i].path)) return err_set(e, ERR_FORBIDDEN, NULL, M_NOT_ALLOWED, "gate_scan.open");
    if (utf8_length(reason) < REASON_LEAST) return err_set(e, ERR_INVALID, "reason", M_REASON, least);
    struct note n = {.item = {.run = note_run, .done = nothing}, .q = q, .p = p, .command = command, .lang = lang, .reason = utf8_prefix(reason, 200)};
    return writer_run(q->site, &n.item, e);
}
