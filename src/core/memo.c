#include "core/memo.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "core/system.h"
#include "core/table.h"

enum { WAYS = 8, SETS_LEAST = 1 << 9, CLASS_BITS = 16, CLASSES = 1 << CLASS_BITS, CLASS_SLOTS = 2 * CLASSES };
enum { ASKED_MANY = 256, ASKED_MOST = 1 << 20, READER_NICE = 10 };
#define TAG_BITS (64 - CLASS_BITS)
#define TAG_MASK ((UINT64_C(1) << TAG_BITS) - 1)

/* A set is a line of the processor's cache.  The lower bits of a key say which, the others stand in the entry, so that no key is taken for another; above them is the
 * number of its answer, 0 where nothing is. */
struct memo_table {
    uint64_t (*sets)[WAYS];
    size_t sets_n; /* a power of two */
    unsigned bits; /* of sets_n */
    size_t n;
    unsigned turn; /* which way gives room next */
    struct arena arena;
    struct str answers[CLASSES];
    size_t answers_n;
    uint16_t slots[CLASS_SLOTS];
};

struct memo {
    struct site *site;
    const struct kind *kind;
    struct memo_table *table; /* NULL: not read yet */
    int64_t asked;            /* of the records, since it was last read or dropped */
    int64_t answered;         /* from the table */
    int64_t wanted;           /* so many must have been asked for before it is read */
    bool stored;              /* in the transaction under way */
    /* while it is read */
    bool reading;
    pthread_t thread;
    atomic_bool over, stopping;
    struct memo_table *fresh; /* of the thread until it is over; NULL: it failed */
    bool useless;             /* another process has written meanwhile */
    uint64_t *dropped;        /* meanwhile */
    size_t dropped_n, dropped_cap;
};

/* ---- the table ---- */

static struct memo_table *table_new(int64_t keys) {
    struct memo_table *t = calloc(1, sizeof *t);
    INVARIANT(t);
    t->sets_n = SETS_LEAST;
    while (t->sets_n * WAYS < MEMO_MOST && (int64_t)(t->sets_n * WAYS) < keys + keys / 4) t->sets_n *= 2;
    while ((size_t)1 << t->bits < t->sets_n) t->bits++;
    t->sets = aligned_alloc(sizeof *t->sets, t->sets_n * sizeof *t->sets);
    INVARIANT(t->sets);
    memset(t->sets, 0, t->sets_n * sizeof *t->sets);
    t->answers_n = 1; /* 0 is none */
    return t;
}

static void table_free(struct memo_table *t) {
    if (!t) return;
    arena_release(&t->arena);
    free(t->sets);
    free(t);
}

static uint64_t *set_of(const struct memo_table *t, uint64_t key) {
    return t->sets[key & (t->sets_n - 1)];
}

static uint64_t tag_of(const struct memo_table *t, uint64_t key) {
    INVARIANT(key >> MEMO_KEY_BITS == 0);
    return key >> t->bits;
}

static uint64_t *find(const struct memo_table *t, uint64_t key) {
    uint64_t *set = set_of(t, key), tag = tag_of(t, key);
    for (int i = 0; i < WAYS; i++)
        if (set[i] >> TAG_BITS && (set[i] & TAG_MASK) == tag) return &set[i];
    return NULL;
}

/* Its number; 0: there is no room for more. */
static uint64_t answer_number(struct memo_table *t, struct str answer) {
    size_t at = str_hash(answer) % CLASS_SLOTS;
    while (t->slots[at] && !str_eq(t->answers[t->slots[at]], answer)) at = (at + 1) % CLASS_SLOTS;
    if (t->slots[at] || t->answers_n == CLASSES) return t->slots[at];
    t->answers[t->answers_n] = arena_str(&t->arena, answer);
    return t->slots[at] = (uint16_t)t->answers_n++;
}

static uint64_t *room_for(struct memo_table *t, uint64_t key) {
    uint64_t *set = set_of(t, key), *there = find(t, key);
    for (int i = 0; !there && i < WAYS; i++)
        if (set[i] == 0) there = &set[i];
    if (there) return there;
    t->turn = (t->turn + 1) % WAYS;
    return &set[t->turn];
}

void memo_fill(struct memo_table *t, uint64_t key, struct str answer) {
    uint64_t number = answer_number(t, answer);
    if (number == 0) return;
    uint64_t *entry = room_for(t, key);
    t->n += *entry == 0;
    *entry = number << TAG_BITS | tag_of(t, key);
}

static void drop(struct memo_table *t, uint64_t key) {
    uint64_t *entry = find(t, key);
    if (entry) *entry = 0, t->n--;
}

/* ---- reading it, on a thread ---- */

static int count_keys(struct memo *m, int64_t *ret, struct err *e) {
    struct db *db;
    *ret = 0;
    TRY(site_reader(m->site, &db, e));
    int r = db_int(db, &table_by_name(kind_table(m->kind))->count, ret, e, VINT(m->site->id));
    site_reader_done(m->site, db);
    return r < 0 ? -1 : 0;
}

/* A snapshot for each page: one for all would keep the log from beginning anew.  What changes meanwhile is dropped at the end. */
static int read_page(struct memo *m, struct memo_table *t, char after[MEMO_AFTER], bool *more, struct err *e) {
    struct db *db;
    TRY(site_reader(m->site, &db, e));
    int r = m->kind->memo->page(db, m->site, t, after, more, e);
    site_reader_done(m->site, db);
    return r;
}

static void *read_main(void *arg) {
    struct memo *m = arg;
    struct memo_table *t = NULL;
    struct err e;
    char after[MEMO_AFTER] = "";
    int64_t keys;
    bool more = true;
    setpriority(PRIO_PROCESS, (id_t)gettid(), READER_NICE); /* of this thread alone: whoever answers goes first */
    int r = count_keys(m, &keys, &e);
    if (r == 0) t = table_new(keys);
    while (r == 0 && more && !atomic_load(&m->stopping)) r = read_page(m, t, after, &more, &e);
    if (r) log_line(LOG_WARN, "memo", "the records could not be read code=%s", err_name(e.code));
    if (r || more) table_free(TAKE(t));
    m->fresh = t;
    atomic_store(&m->over, true);
    return NULL;
}

static void begin_reading(struct memo *m) {
    m->useless = false;
    m->dropped_n = 0;
    atomic_store(&m->over, false);
    m->reading = pthread_create(&m->thread, NULL, read_main, m) == 0;
}

static void take(struct memo *m) {
    pthread_join(m->thread, NULL);
    m->reading = false;
    m->asked = m->answered = 0;
    if (m->useless || !m->fresh) return table_free(TAKE(m->fresh));
    table_free(m->table);
    m->table = TAKE(m->fresh);
    for (size_t i = 0; i < m->dropped_n; i++) drop(m->table, m->dropped[i]);
}

/* ---- for the writer ---- */

struct memo *memo_new(struct site *s) {
    const struct kind *of = NULL;
    for (size_t i = 0; i < kind_count() && !of; i++) of = kind_at(i)->memo ? kind_at(i) : NULL;
    if (!of) return NULL;
    struct memo *m = calloc(1, sizeof *m);
    INVARIANT(m);
    m->site = s;
    m->kind = of;
    m->wanted = ASKED_MANY;
    return m;
}

void memo_free(struct memo *m) {
    if (!m) return;
    atomic_store(&m->stopping, true);
    if (m->reading) take(m);
    table_free(m->table);
    free(m->dropped);
    free(m);
}

static bool is_full(const struct memo_table *t) {
    return t->n > t->sets_n * WAYS / 8 * 7 && t->sets_n * WAYS < MEMO_MOST;
}

void memo_begin(struct memo *m) {
    if (!m) return;
    m->stored = false;
    if (m->reading && atomic_load(&m->over)) take(m);
    else if (!m->reading && m->asked > m->wanted && (!m->table || is_full(m->table))) begin_reading(m);
}

bool memo_get(struct memo *m, uint64_t key, struct str *ret) {
    if (!m) return false;
    const uint64_t *entry = m->table ? find(m->table, key) : NULL;
    if (!entry) return m->asked++, false;
    *ret = m->table->answers[*entry >> TAG_BITS];
    m->answered++;
    return true;
}

void memo_put(struct memo *m, uint64_t key, struct str answer) {
    if (m && m->table && !m->stored) memo_fill(m->table, key, answer);
}

static void note_dropped(struct memo *m, uint64_t key) {
    if (m->dropped_n == m->dropped_cap) {
        m->dropped_cap = m->dropped_cap ? m->dropped_cap * 2 : 1024;
        m->dropped = reallocarray(m->dropped, m->dropped_cap, sizeof *m->dropped);
        INVARIANT(m->dropped);
    }
    m->dropped[m->dropped_n++] = key;
}

void memo_stored(struct memo *m, const struct record *r) {
    uint64_t key;
    if (!m || r->kind != m->kind || !m->kind->memo->key(r, &key)) return;
    m->stored = true;
    if (m->table) drop(m->table, key);
    if (m->reading) note_dropped(m, key);
}

void memo_clear(struct memo *m) {
    bool reading = m && m->reading && !m->useless;
    if (!m || (!m->table && !reading)) return;
    bool served = m->table && m->answered >= (int64_t)m->table->n;
    m->wanted = served ? ASKED_MANY : MIN(m->wanted * 2, (int64_t)ASKED_MOST);
    m->asked = 0;
    m->useless = true;
    table_free(TAKE(m->table));
}
