/* Counting: deltas gathered while commands run, added to the table before the commit, or laid by for some groups (tally_batch_finish).
 *
 * A scan at a gate counts in half a dozen figures at five levels, thousands of times a second, and most of these meet in the same few
 * tallies.  So texts become numbers once, a tally is four numbers, and what a command added is a log that can be taken back. */
#include "core/figure_internal.h"

#include "core/journal.h"

struct tally {
    uint32_t path, cut; /* interned */
    uint32_t figure;
    day_t day;
    bool seen; /* tally_recount met its row */
    int64_t n, held; /* held: of tally_recount, what is stored */
};
struct tally_undo {
    uint32_t tally;
    int64_t n;
};
struct slots {
    uint32_t *at; /* index + 1; 0 free */
    size_t n;     /* a power of two */
};
struct tally_batch {
    struct arena arena; /* the texts */
    struct str *text;
    size_t text_n, text_cap;
    struct slots text_slots;
    struct tally *all;
    size_t n, cap;
    struct slots slots;
    struct tally_undo *undo;
    size_t undo_n, undo_cap;
    bool for_good; /* nothing is taken back: no undo log */
    bool known;              /* which slots of tally_group are in use: the first ones */
    int64_t groups, laid_by; /* so many, and their tallies */
    bool settled, more;      /* what this transaction does: none is in use any more; one more */
};
enum { GROUPS_MOST = 64, LAID_BY_MOST = 2048, GROUP_TEXT = 100000 };
enum { SLOTS_FIRST = 1024, SLOTS_KEPT = 1 << 16 };

static void *grown(void *p, size_t *cap, size_t size) {
    *cap = *cap ? *cap * 2 : 256;
    void *to = reallocarray(p, *cap, size);
    INVARIANT(to);
    return to;
}

static void slots_make(struct slots *s, size_t n) {
    free(s->at);
    *s = (struct slots){calloc(n, sizeof *s->at), n};
    INVARIANT(s->at);
}

struct tally_batch *tally_batch_new(void) {
    struct tally_batch *b = calloc(1, sizeof *b);
    INVARIANT(b);
    slots_make(&b->text_slots, SLOTS_FIRST);
    slots_make(&b->slots, SLOTS_FIRST);
    return b;
}

void tally_batch_free(struct tally_batch *b) {
    if (!b) return;
    arena_release(&b->arena);
    free(b->text);
    free(b->text_slots.at);
    free(b->all);
    free(b->slots.at);
    free(b->undo);
    free(b);
}

void tally_batch_freep(struct tally_batch **b) {
    tally_batch_free(*b);
}

static void slots_clear(struct slots *s) {
    /* After one large import the small commits must not pay for its size. */
    if (s->n > SLOTS_KEPT) slots_make(s, SLOTS_FIRST);
    else memset(s->at, 0, s->n * sizeof *s->at);
}

static void batch_clear(struct tally_batch *b) {
    if (b->text_n == 0) return;
    arena_clear(&b->arena);
    slots_clear(&b->text_slots);
    slots_clear(&b->slots);
    b->text_n = b->n = b->undo_n = 0;
}

void tally_batch_start(struct tally_batch *b) {
    batch_clear(b);
    b->settled = b->more = false;
}

/* ---- texts ---- */

static void texts_grow(struct tally_batch *b) {
    slots_make(&b->text_slots, b->text_slots.n * 2);
    size_t mask = b->text_slots.n - 1;
    for (size_t i = 0; i < b->text_n; i++) {
        size_t at = str_hash(b->text[i]) & mask;
        while (b->text_slots.at[at]) at = (at + 1) & mask;
        b->text_slots.at[at] = (uint32_t)i + 1;
    }
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t *text_slot(const struct tally_batch *b, struct str s) {
    size_t mask = b->text_slots.n - 1, at = str_hash(s) & mask;
    while (b->text_slots.at[at] && !str_eq(b->text[b->text_slots.at[at] - 1], s)) at = (at + 1) & mask;
    return &b->text_slots.at[at];
}

static uint32_t intern(struct tally_batch *b, struct str s) {
    uint32_t *slot = text_slot(b, s);
    if (*slot) return *slot - 1;
    if (b->text_n == b->text_cap) b->text = grown(b->text, &b->text_cap, sizeof *b->text);
    INVARIANT(b->text_n < UINT32_MAX / 2);
    b->text[b->text_n++] = arena_str(&b->arena, s);
    *slot = (uint32_t)b->text_n;
    uint32_t id = *slot - 1;
    if (b->text_n * 2 > b->text_slots.n) texts_grow(b);
    return id;
}

/* ---- tallies ---- */

static size_t tally_hash(const struct tally *t) {
    uint64_t h = ((uint64_t)t->path << 32 | t->cut) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ h >> 32) + ((uint64_t)t->figure << 32 | (uint32_t)t->day);
    h *= UINT64_C(0xD6E8FEB86659FD93);
    return (size_t)(h ^ h >> 32);
}

static bool tally_same(const struct tally *a, const struct tally *b) {
    return a->path == b->path && a->cut == b->cut && a->figure == b->figure && a->day == b->day;
}

static void tallies_grow(struct tally_batch *b) {
    slots_make(&b->slots, b->slots.n * 2);
    size_t mask = b->slots.n - 1;
    for (size_t i = 0; i < b->n; i++) {
        size_t at = tally_hash(&b->all[i]) & mask;
        while (b->slots.at[at]) at = (at + 1) & mask;
        b->slots.at[at] = (uint32_t)i + 1;
    }
}

static uint32_t *tally_slot(const struct tally_batch *b, const struct tally *key) {
    size_t mask = b->slots.n - 1, at = tally_hash(key) & mask;
    while (b->slots.at[at] && !tally_same(&b->all[b->slots.at[at] - 1], key)) at = (at + 1) & mask;
    return &b->slots.at[at];
}

static uint32_t tally_index(struct tally_batch *b, const struct tally *key) {
    uint32_t *slot = tally_slot(b, key);
    if (*slot) return *slot - 1;
    if (b->n == b->cap) b->all = grown(b->all, &b->cap, sizeof *b->all);
    INVARIANT(b->n < UINT32_MAX / 2);
    uint32_t i = (uint32_t)b->n++;
    b->all[i] = (struct tally){.path = key->path, .cut = key->cut, .figure = key->figure, .day = key->day};
    *slot = i + 1;
    if (b->n * 2 > b->slots.n) tallies_grow(b);
    return i;
}

static void add(struct tally_batch *b, const struct tally *delta) {
    uint32_t i = tally_index(b, delta);
    b->all[i].n += delta->n;
    if (b->for_good) return;
    if (b->undo_n == b->undo_cap) b->undo = grown(b->undo, &b->undo_cap, sizeof *b->undo);
    b->undo[b->undo_n++] = (struct tally_undo){i, delta->n};
}

size_t tally_batch_mark(struct tally_batch *b) {
    return b->undo_n;
}

void tally_batch_undo(struct tally_batch *b, size_t mark) {
    INVARIANT(mark <= b->undo_n);
    while (b->undo_n > mark) {
        const struct tally_undo *u = &b->undo[--b->undo_n];
        b->all[u->tally].n -= u->n;
    }
}

/* ---- records ---- */

struct levels {
    uint32_t path[AREA_DEPTH];
    size_t n;
};

static void levels_of(struct tally_batch *b, struct str path, struct levels *l) {
    path = str_sub(path, 0, AREA_PATH - 1); /* a longer one is damage, which fsck names */
    l->n = 0;
    for (size_t end = AREA_STEP; end < path.n; end += AREA_STEP) l->path[l->n++] = intern(b, str_sub(path, 0, end));
    l->path[l->n++] = intern(b, path);
}

static void add_rule(struct tally_batch *b, const struct rule *u, const struct counts *c, uint32_t cut, const struct levels *l, int sign) {
    struct tally t = {.cut = cut, .figure = u->index};
    for (size_t i = u->f->own_area_only ? l->n - 1 : 0; i < l->n; i++) {
        t.path = l->path[i];
        t.day = c->on;
        t.n = c->amount * sign;
        add(b, &t);
        if (c->until == DAY_NONE) continue;
        t.day = c->until;
        t.n = -t.n;
        add(b, &t);
    }
}

static void count(struct tally_batch *b, const struct tz *tz, const struct record *r, int sign, bool where_it_stands) {
    struct rule_list rules = rules_of(r->kind);
    uint32_t cuts[CUT_SETS] = {0}; /* interned + 1 */
    struct levels l = {.n = 0};
    struct counts c;
    char text[CUT_TEXT];
    for (size_t i = 0; i < rules.n; i++) {
        const struct rule *u = rules.all[i];
        if (!rule_counts(u, tz, r, &c)) continue;
        if (l.n == 0 && where_it_stands) l = (struct levels){{intern(b, r->path)}, 1};
        if (l.n == 0) levels_of(b, r->path, &l);
        uint32_t *cut = &cuts[u->cut_set];
        if (!*cut) *cut = intern(b, (struct str){text, rule_cut(u, r, text)}) + 1;
        add_rule(b, u, &c, *cut - 1, &l, sign);
    }
}

void tally_record(struct tally_batch *b, const struct tz *tz, const struct record *r, int sign) {
    count(b, tz, r, sign, false);
}

void tally_ending(struct tally_batch *b, const struct tz *tz, const struct record *r) {
    count(b, tz, r, 1, true);
}

/* ---- to the table ---- */

static struct tally_key key_of(const struct tally_batch *b, const struct tally *t, char day[DAY_TEXT]) {
    struct str d = t->day == DAY_NONE ? STR("") : str_z(day_text(t->day, day));
    return (struct tally_key){b->text[t->path], str_z(figure_at(t->figure)->id), b->text[t->cut], d};
}

/* Always in one order: two processes that write to one database then never wait for each other in a circle. */
static int tally_cmp(const void *x, const void *y, void *batch) {
    const struct tally_batch *b = batch;
    const struct tally *p = &b->all[*(const uint32_t *)x], *q = &b->all[*(const uint32_t *)y];
    int c = p->path == q->path ? 0 : str_cmp(b->text[p->path], b->text[q->path]);
    if (!c && p->figure != q->figure) c = p->figure < q->figure ? -1 : 1;
    if (!c && p->cut != q->cut) c = str_cmp(b->text[p->cut], b->text[q->cut]);
    if (!c) c = (p->day > q->day) - (p->day < q->day);
    return c;
}

enum which { EVERYTHING, OF_LOGS, OF_OTHERS };

static bool is_of(const struct tally *t, enum which w) {
    bool log = figure_at(t->figure)->kind->flags & KIND_LOG;
    return w == EVERYTHING || log == (w == OF_LOGS);
}

static size_t changed(struct tally_batch *b, enum which w, int (*cmp)(const void *x, const void *y, void *batch), uint32_t **ret) {
    uint32_t *order = arena_new(&b->arena, uint32_t, b->n);
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->all[i].n && is_of(&b->all[i], w)) order[n++] = (uint32_t)i;
    qsort_r(order, n, sizeof *order, cmp, b);
    *ret = order;
    return n;
}

static int write_some(struct tally_batch *b, struct tx *tx, enum which w, const struct stmt *to, struct err *e) {
    uint32_t *order;
    size_t n = changed(b, w, tally_cmp, &order);
    char day[DAY_TEXT];
    for (size_t i = 0; i < n; i++) {
        const struct tally *t = &b->all[order[i]];
        struct tally_key k = key_of(b, t, day);
        TRY(db_run(tx->db, to, e, VINT(tx->site->id), VTEXT(k.path), VTEXT(k.figure), VTEXT(k.cut),
                   VTEXT(k.day), VINT(t->n)));
    }
    return db_send(tx->db, e); /* the next batch may hold the same tallies */
}

static int write_out(struct tally_batch *b, struct tx *tx, const struct stmt *to, struct err *e) {
    if (b->n == 0) return 0;
    TRY(write_some(b, tx, EVERYTHING, to, e));
    batch_clear(b);
    return 0;
}

int tally_batch_flush(struct tally_batch *b, struct tx *tx, struct err *e) {
    return write_out(b, tx, &figure_stmts[ST_TALLY_ADD], e);
}

/* ---- laid by ---- */

/* Into n, or apart from it. */
static int read_held(struct tally_batch *b, struct db *db, int64_t site, bool apart, struct err *e) {
    struct held_reader h CLEANUP(held_done) = {0};
    struct held_tally t;
    int got;
    TRY(held_open(&h, db, site, NULL, e));
    while ((got = held_next(&h, &t, e)) == 1) {
        uint32_t i = tally_index(b, &(struct tally){.path = intern(b, t.path), .cut = intern(b, t.cut), .figure = t.rule->index, .day = t.day});
        *(apart ? &b->all[i].held : &b->all[i].n) += t.n;
    }
    return got;
}

static int put_group(struct tx *tx, int64_t slot, struct str counts, struct err *e) {
    return db_run(tx->db, &figure_stmts[ST_TALLY_HOLD], e, VINT(tx->site->id), VINT(slot), VINT(tx->seq), VTEXT(counts));
}

/* It is read again, for another process may have settled it. */
int tally_settle(struct tally_batch *b, struct tx *tx, struct err *e) {
    TRY(read_held(b, tx->db, tx->site->id, false, e));
    TRY(put_group(tx, 0, STR(""), e));
    b->settled = true;
    return tally_batch_flush(b, tx, e);
}

int tally_lies_by(struct db *db, int64_t site, bool *ret, struct err *e) {
    struct held_reader h CLEANUP(held_done) = {0};
    struct held_tally t;
    TRY(held_open(&h, db, site, NULL, e));
    int got = held_next(&h, &t, e);
    *ret = got == 1;
    return MIN(got, 0);
}

static int part_cmp(const void *x, const void *y, void *batch) {
    const struct tally_batch *b = batch;
    const struct tally *p = &b->all[*(const uint32_t *)x], *q = &b->all[*(const uint32_t *)y];
    if (p->figure != q->figure) return p->figure < q->figure ? -1 : 1;
    if (p->cut != q->cut) return p->cut < q->cut ? -1 : 1;
    return (p->day > q->day) - (p->day < q->day);
}

static void write_group(const struct tally_batch *b, const uint32_t *order, size_t n, struct buf *to) {
    struct held_writer w = {.to = to, .lines = BUF(to->max)};
    for (size_t i = 0; i < n; i++) {
        const struct tally *t = &b->all[order[i]];
        held_add(&w, &(struct held_tally){rule_of(figure_at(t->figure)), b->text[t->path], b->text[t->cut], t->day, t->n});
    }
    held_end(&w);
}

int tally_batch_finish(struct tally_batch *b, struct tx *tx, struct err *e) {
    bool noticed = tx->seq >= tx->batch; /* the journal has something new: it tells others, and slots by their age */
    if (!db_shared(tx->db) || b->n == 0 || !noticed || !tx->alone || b->settled) return tally_batch_flush(b, tx, e);
    struct buf text CLEANUP(buf_release) = BUF(GROUP_TEXT);
    uint32_t *order;
    size_t n = changed(b, OF_LOGS, part_cmp, &order);
    if (n == 0) return tally_batch_flush(b, tx, e);
    write_group(b, order, n, &text);
    if (text.failed || !b->known || b->groups == GROUPS_MOST || b->laid_by >= LAID_BY_MOST) return tally_settle(b, tx, e);
    b->laid_by += (int64_t)n;
    b->more = true;
    TRY(put_group(tx, b->groups + 1, buf_str(&text), e));
    return write_some(b, tx, OF_OTHERS, &figure_stmts[ST_TALLY_ADD], e);
}

void tally_batch_committed(struct tally_batch *b) {
    if (b->settled) {
        b->groups = b->laid_by = 0;
        b->known = true;
    }
    b->groups += b->more;
}

void tally_batch_strangers(struct tally_batch *b) {
    b->known = false;
}

bool tally_batch_lies_by(const struct tally_batch *b) {
    return b->groups > 0;
}

/* ---- what has ended ---- */

int tally_keep(struct tally_batch *b, struct tx *tx, struct err *e) {
    return write_out(b, tx, &figure_stmts[ST_ENDED_ADD], e);
}

/* As add_rule did it when the rows were there. */
static void add_ended(struct tally_batch *b, struct rows *row, int sign) {
    const struct rule *u = rule_named(rows_text(row, 1));
    struct str day = rows_text(row, 3);
    struct levels l;
    if (!u) return; /* a figure of an older program */
    levels_of(b, rows_text(row, 0), &l);
    struct tally t = {.cut = intern(b, rows_text(row, 2)), .figure = u->index, .day = DAY_NONE, .n = rows_int(row, 4) * sign};
    if (day.n && !day_from_iso(day, &t.day)) return;
    for (size_t i = u->f->own_area_only ? l.n - 1 : 0; i < l.n; i++) {
        t.path = l.path[i];
        add(b, &t);
    }
}

static int count_ended(struct tally_batch *b, struct db *db, int64_t site, const struct path_range *below, int sign, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(db_stream(db, &figure_stmts[ST_ENDED_BELOW], &rows, e, VINT(site), VTEXT(below->from), VTEXT(below->to)));
    while ((got = rows_next(rows, e)) > 0) add_ended(b, rows, sign);
    return got;
}

int tally_ended(struct tx *tx, const struct path_range *below, int sign, struct err *e) {
    return count_ended(tx->tallies, tx->db, tx->site->id, below, sign, e);
}

int tally_ended_move(struct tx *tx, const struct path_range *from, struct str to, struct err *e) {
    return db_run(tx->db, &figure_stmts[ST_ENDED_MOVE], e, VINT(tx->site->id), VTEXT(from->from), VTEXT(from->to), VTEXT(to));
}

/* ---- from scratch ---- */

static int count_kind(struct tally_batch *b, struct site *s, struct db *db, const struct kind *k, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct record_scan scan CLEANUP(scan_done) = {.db = db, .site = s->id, .k = k, .by_id = true};
    for (;;) {
        struct record r;
        arena_clear(&a);
        int got = scan_next(&scan, &a, &r, e);
        if (got <= 0) return got;
        tally_record(b, s->tz, &r, 1);
    }
}

struct stored {
    struct tally_key k;
    const struct figure *f; /* of the row before: rows come in the figures' order */
    uint32_t index;
};

static struct tally *counted_for(struct tally_batch *b, struct stored *s) {
    struct tally t = {0};
    if (!s->f || !str_eqz(s->k.figure, s->f->id)) {
        const struct rule *u = rule_named(s->k.figure);
        if (!u) return NULL;
        s->f = u->f;
        s->index = u->index;
    }
    t.figure = s->index;
    t.day = DAY_NONE;
    if (s->k.day.n && !day_from_iso(s->k.day, &t.day)) return NULL;
    uint32_t path = *text_slot(b, s->k.path), cut = *text_slot(b, s->k.cut);
    if (!path || !cut) return NULL;
    t.path = path - 1;
    t.cut = cut - 1;
    uint32_t at = *tally_slot(b, &t);
    return at ? &b->all[at - 1] : NULL;
}

static int count_all(struct tally_batch *b, struct site *s, struct db *db, struct err *e) {
    b->for_good = true;
    for (size_t i = 0; kind_at(i); i++)
        if (rules_of(kind_at(i)).n) TRY(count_kind(b, s, db, kind_at(i), e));
    struct arena a CLEANUP(arena_release) = {0};
    struct path_range all = path_range(&a, STR(""));
    return count_ended(b, db, s->id, &all, 1, e);
}

int tally_rebuild(struct tx *tx, struct err *e) {
    struct tally_batch *b CLEANUP(tally_batch_freep) = tally_batch_new();
    TRY(journal_end(tx->db, tx->site->id, &tx->seq, &tx->chain, e));
    TRY(db_run(tx->db, &figure_stmts[ST_TALLY_NONE], e, VINT(tx->site->id)));
    TRY(put_group(tx, 0, STR(""), e)); /* what lies by is counted anew, too */
    TRY(count_all(b, tx->site, tx->db, e));
    return tally_batch_flush(b, tx, e);
}

int tally_recount(struct site *s, struct db *db, void (*wrong)(void *arg, const struct tally_key *k, int64_t stored, int64_t counted),
                  void *arg, struct err *e) {
    struct tally_batch *b CLEANUP(tally_batch_freep) = tally_batch_new();
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct stored row = {0};
    int got;
    TRY(count_all(b, s, db, e));
    TRY(read_held(b, db, s->id, true, e));
    TRY(db_stream(db, &figure_stmts[ST_TALLY_ALL], &rows, e, VINT(s->id)));
    while ((got = rows_next(rows, e)) > 0) {
        row.k = (struct tally_key){rows_text(rows, 0), rows_text(rows, 1), rows_text(rows, 2), rows_text(rows, 3)};
        struct tally none = {0}, *t = counted_for(b, &row);
        if (!t) t = &none;
        t->seen = true;
        t->held += rows_int(rows, 4);
        if (t->held != t->n) wrong(arg, &row.k, t->held, t->n);
    }
    if (got < 0) return -1;
    char day[DAY_TEXT];
    for (size_t i = 0; i < b->n; i++) {
        struct tally_key k = key_of(b, &b->all[i], day);
        if (!b->all[i].seen && b->all[i].held != b->all[i].n) wrong(arg, &k, b->all[i].held, b->all[i].n);
    }
    return 0;
}
