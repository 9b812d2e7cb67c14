/* Who is on which list since when, and the lists of any moment made from that. */
#include "systems/passes/passes_internal.h"

enum { DUE_AT_ONCE = 2000 };

/* ---- on and off ---- */

/* The state is compared with what the record says it is, so asking again changes nothing. */
static void put(struct record *r, const char *on, const char *off, const char *before, bool wanted, int64_t seq) {
    bool is = record_has(r, on) && !record_has(r, off);
    if (is == wanted) return;
    record_set_int(r, "listed_seq", seq);
    if (!wanted) {
        record_set_int(r, off, seq);
        return;
    }
    if (before && record_has(r, off)) *record_val(r, before) = *record_get(r, off);
    record_set_int(r, on, seq);
    record_set_null(r, off);
}

bool passes_stays(const struct record *pass, const struct tz *tz, day_t today) {
    day_t from = record_day(pass, "stay_home_from", tz), until = record_day(pass, "stay_home_until", tz);
    return from != DAY_NONE && from <= today && (until == DAY_NONE || today <= until);
}

/* When the clock next changes a list: the day an order begins or is over, the end of the pass. */
static int64_t next_change(const struct tx *tx, const struct record *r, int64_t end) {
    day_t from = record_day(r, "stay_home_from", tx->site->tz), until = record_day(r, "stay_home_until", tx->site->tz);
    bool stands = from != DAY_NONE && (until == DAY_NONE || until >= tx->today);
    int64_t at = stands || record_has(r, "revoked_at") ? end : 0;
    if (stands && from > tx->today) at = MIN(at, tz_start(tx->site->tz, from, 0));
    else if (stands && until != DAY_NONE) at = MIN(at, tz_start(tx->site->tz, until + 1, 0));
    return at;
}

void passes_settle(const struct tx *tx, struct record *r) {
    int64_t end = record_int(r, "valid_until") + PASSES_LINGER, seq = tx->seq + 1;
    bool alive = tx->now < end;
    put(r, "revoked_seq", "revoked_off_seq", NULL, alive && record_has(r, "revoked_at"), seq);
    put(r, "stay_seq", "stay_off_seq", "stay_before_seq", alive && passes_stays(r, tx->site->tz, tx->today), seq);
    int64_t due = alive ? next_change(tx, r, end) : 0;
    if (due) record_set_int(r, "due_at", due);
    else record_set_null(r, "due_at");
}

static int due(struct tx *tx, struct id *ids, size_t *ret_n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(db_query(tx->db, PS(due), &rows, e, VINT(tx->site->id), VINT(tx->now), VINT(DUE_AT_ONCE)));
    for (*ret_n = 0; (got = rows_next(rows, e)) == 1; ++*ret_n) ids[*ret_n] = rows_id(rows, 0);
    return got;
}

int passes_lists_job(struct tx *tx, struct err *e) {
    struct id *ids = arena_new(tx->a, struct id, DUE_AT_ONCE);
    struct errs errs = {.a = tx->a};
    struct record *old;
    size_t n;
    bool changed;
    TRY(due(tx, ids, &n, e));
    for (size_t i = 0; i < n; i++) {
        TRY(tx_load(tx, &passes_kind, ids[i], &old, e));
        struct record *r = record_copy(tx->a, old);
        passes_settle(tx, r);
        TRY(tx_update(tx, old, r, &changed, &errs, e));
    }
    return 0;
}

/* ---- a list of a version ---- */

static const struct {
    const char *name;
    int on, off, before; /* columns of PS(listed); 0: none */
} lists[PASS_LIST_KIND__END] = {
    [PASS_LIST_REVOKED] = {"revoked", 1, 2, 0},
    [PASS_LIST_STAY_HOME] = {"stay_home", 3, 4, 5},
};

int passes_list_kind(struct str name, enum pass_list_kind *ret, struct err *e) {
    struct buf shown CLEANUP(buf_release) = BUF(64);
    for (int k = PASS_LIST_REVOKED; k < PASS_LIST_KIND__END; k++)
        if (str_eqz(name, lists[k].name)) return *ret = (enum pass_list_kind)k, 0;
    buf_addf(&shown, "%.*s", STR_FMT(str_sub(name, 0, 40)));
    return err_set(e, ERR_INVALID, "list", M_CODE, shown.p ? shown.p : "", "revoked, stay_home");
}

int passes_listed(struct db *db, struct site *s, int64_t *ret, struct err *e) {
    *ret = 0;
    return db_int(db, PS(listed_newest), ret, e, VINT(s->id)) < 0 ? -1 : 0;
}

struct gathered {
    bool counting; /* no ids */
    struct buf now, then; /* ids */
    int64_t version, exact_from;
};

static int gather(struct db *db, struct site *s, enum pass_list_kind kind, int64_t from, struct gathered *g, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    g->version = g->exact_from = 1;
    TRY(db_stream(db, PS(listed), &rows, e, VINT(s->id)));
    while ((got = rows_next(rows, e)) == 1) {
        struct id id = rows_id(rows, 0);
        int64_t on = rows_int(rows, lists[kind].on), off = rows_int(rows, lists[kind].off);
        if (!on) continue;
        g->version = MAX(g->version, MAX(on, off));
        if (lists[kind].before) g->exact_from = MAX(g->exact_from, rows_int(rows, lists[kind].before));
        if (g->counting) continue;
        if (!off) buf_add(&g->now, id.b, sizeof id.b);
        if (on <= from && (!off || off > from)) buf_add(&g->then, id.b, sizeof id.b);
    }
    if (got == 0 && (g->now.failed || g->then.failed)) return err_set(e, ERR_TOO_LARGE, NULL, M_NONE);
    return got;
}

static void head_of(struct site *s, const struct passes_keys *keys, enum pass_list_kind kind, struct pass_list *ret) {
    struct digest_state d;
    digest_start_keyed(&d, &s->key);
    digest_add_str(&d, STR("salt of a list of passes"));
    digest_add_str(&d, str_z(lists[kind].name));
    struct digest salt = digest_end(&d);
    *ret = (struct pass_list){.kind = kind, .issuer = str_z(keys->issuer), .made_at = passes_second(site_now(s))};
    ret->until_at = ret->made_at + PASSES_LIST_LASTS;
    memcpy(ret->salt, salt.b, sizeof ret->salt);
}

static int make(struct arena *a, const struct pass_list *head, int64_t version, const struct buf *ids, struct pass_list *ret, struct err *e) {
    struct pass_list h = *head;
    h.version = version;
    return pass_list_make(a, &h, (const struct id *)(const void *)buf_str(ids).p, ids->n / sizeof(struct id), ret, e);
}

/* A pass that came back to a list has forgotten when it was on it before: from versions before that no difference can be made. */
int passes_list(struct db *db, struct site *s, struct arena *a, const struct passes_keys *keys, enum pass_list_kind kind, int64_t from, struct pass_list *ret,
                struct err *e) {
    enum { BYTES_MOST = PASS_LIST_MAX * (int)sizeof(struct id) };
    struct buf now CLEANUP(buf_release) = BUF(BYTES_MOST), then CLEANUP(buf_release) = BUF(BYTES_MOST);
    struct gathered g = {.now = now, .then = then};
    struct pass_list head, old, full;
    int r = gather(db, s, kind, from, &g, e);
    now = g.now;
    then = g.then;
    if (r) return r;
    head_of(s, keys, kind, &head);
    TRY(make(a, &head, g.version, &now, &full, e));
    if (from < g.exact_from || from >= g.version) return *ret = full, 0;
    TRY(make(a, &head, from, &then, &old, e));
    return pass_list_delta(a, &old, &full, ret, e);
}

int passes_list_version(struct db *db, struct site *s, enum pass_list_kind kind, int64_t *ret, struct err *e) {
    struct gathered g = {.counting = true};
    int r = gather(db, s, kind, 0, &g, e);
    *ret = g.version;
    return r;
}

int passes_list_file(struct site *s, const struct passes_keys *keys, struct pass_list *l, struct buf *to, struct err *e) {
    struct pass_key k;
    int i = passes_serving(keys, l->made_at);
    TRY(passes_signer(s, keys, i, &k, e));
    int r = pass_list_write(&k, l, to, e);
    pass_key_wipe(&k);
    return r;
}
