/* The tree is read in path order, so a parent stands before its children and an index is enough to link them. */
#include "core/area.h"

#include "base/utf8.h"
#include "core/core_stmts.h"

static struct areas *areas_new(void) {
    struct areas *t = calloc(1, sizeof *t);
    INVARIANT(t);
    t->refs = 1;
    return t;
}

void areas_hold(struct areas *t) {
    __atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
}

void areas_drop(struct areas *t) {
    if (!t || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
    arena_release(&t->arena);
    free(t);
}

static void put(uint32_t *table, size_t slots, uint64_t hash, size_t index) {
    size_t at = hash & (slots - 1);
    while (table[at]) at = (at + 1) & (slots - 1);
    table[at] = (uint32_t)index + 1;
}

static void index_all(struct areas *t) {
    for (t->slots = 16; t->slots < t->n * 2; t->slots *= 2) continue;
    t->by_code = arena_new(&t->arena, uint32_t, t->slots);
    t->by_id = arena_new(&t->arena, uint32_t, t->slots);
    for (size_t i = 0; i < t->n; i++) {
        put(t->by_code, t->slots, str_hash(t->all[i].code), i);
        put(t->by_id, t->slots, str_hash(id_bytes(&t->all[i].id)), i);
    }
}

/* The parents so far, one for each depth. */
static void link_all(struct areas *t) {
    int32_t open[AREA_DEPTH + 1], last[AREA_DEPTH + 1];
    memset(open, -1, sizeof open);
    memset(last, -1, sizeof last);
    for (size_t i = 0; i < t->n; i++) {
        struct area *x = &t->all[i];
        size_t depth = x->path.n / AREA_STEP;
        int32_t parent = depth > 1 ? open[depth - 1] : -1;
        if (parent >= 0 && !path_under(x->path, t->all[parent].path)) parent = -1;
        x->parent = parent;
        x->first_child = x->next_sibling = -1;
        if (parent >= 0) {
            if (t->all[parent].children++ == 0) t->all[parent].first_child = (int32_t)i;
            else t->all[last[depth]].next_sibling = (int32_t)i;
        } else if (last[depth] >= 0 && depth == 1) {
            t->all[last[depth]].next_sibling = (int32_t)i;
        }
        open[depth] = last[depth] = (int32_t)i;
    }
}

int areas_load(struct db *db, int64_t site, struct areas **ret, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = areas_new();
    struct rows *rows CLEANUP(rows_donep) = NULL;
    /* First, so that outside a snapshot the tree is at least as new as it says. */
    if (db_int(db, CS(journal_end), &t->seq, e, VINT(site)) < 0) return -1;
    TRY(db_query(db, CS(areas_all), &rows, e, VINT(site)));
    size_t cap = 0;
    int r;
    struct area *all = NULL;
    while ((r = rows_next(rows, e)) == 1) {
        if (t->n == cap) {
            cap = cap ? cap * 2 : 256;
            struct area *more = arena_new(&t->arena, struct area, cap);
            if (t->n) memcpy(more, all, t->n * sizeof *all);
            all = more;
        }
        struct str path = rows_text(rows, 1);
        if (path.n % AREA_STEP || path.n == 0 || path.n >= AREA_PATH) return err_set(e, ERR_CORRUPT, NULL, M_TEXT, "area.path");
        all[t->n++] = (struct area){.id = rows_id(rows, 0),
                                    .path = arena_str(&t->arena, path),
                                    .code = arena_str(&t->arena, rows_text(rows, 2)),
                                    .name = arena_str(&t->arena, rows_text(rows, 3)),
                                    .level = arena_str(&t->arena, rows_text(rows, 4))};
    }
    if (r < 0) return -1;
    t->all = all;
    link_all(t);
    index_all(t);
    *ret = TAKE(t);
    return 0;
}

void areas_dropp(struct areas **t) {
    areas_drop(*t);
}

const struct area *areas_by_id(const struct areas *t, struct id id) {
    if (!t->n) return NULL;
    for (size_t at = str_hash(id_bytes(&id)) & (t->slots - 1); t->by_id[at]; at = (at + 1) & (t->slots - 1))
        if (id_eq(t->all[t->by_id[at] - 1].id, id)) return &t->all[t->by_id[at] - 1];
    return NULL;
}

const struct area *areas_by_code(const struct areas *t, struct str code) {
    if (!t->n) return NULL;
    for (size_t at = str_hash(code) & (t->slots - 1); t->by_code[at]; at = (at + 1) & (t->slots - 1))
        if (str_eq(t->all[t->by_code[at] - 1].code, code)) return &t->all[t->by_code[at] - 1];
    return NULL;
}

/* The first area whose path is not before `path`. */
static size_t lower_bound(const struct areas *t, struct str path) {
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (str_cmp(t->all[mid].path, path) < 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

const struct area *areas_by_path(const struct areas *t, struct str path) {
    size_t i = lower_bound(t, path);
    return i < t->n && str_eq(t->all[i].path, path) ? &t->all[i] : NULL;
}

const struct area *areas_parent(const struct areas *t, const struct area *x) {
    return x->parent < 0 ? NULL : &t->all[x->parent];
}

enum { CHAIN_MOST = AREA_DEPTH };

/* "城镇/西关社区/3号楼" into its names, folded; the number of them. */
static size_t name_chain(struct arena *a, struct str text, struct str names[CHAIN_MOST]) {
    size_t n = 0, start = 0, at = 0;
    while (at <= text.n && n < CHAIN_MOST) {
        size_t before = at;
        int32_t c = at < text.n ? utf8_next(text, &at) : (at++, '/');
        if (c != '/' && c != '>' && c != 0x203a && c != '\\') continue;
        struct str part = utf8_fold(a, str_sub(text, start, before));
        start = at;
        if (part.n) names[n++] = part;
    }
    return n;
}

static bool chain_matches(const struct areas *t, struct arena *a, const struct area *x, const struct str *names, size_t n) {
    /* The last name is the area itself; the others must be found in order among those above it. */
    if (!str_eq(utf8_fold(a, x->name), names[n - 1])) return false;
    const struct area *up = areas_parent(t, x);
    for (size_t i = n - 1; i-- > 0; up = areas_parent(t, up)) {
        while (up && !str_eq(utf8_fold(a, up->name), names[i])) up = areas_parent(t, up);
        if (!up) return false;
    }
    return true;
}

int areas_guess(const struct areas *t, struct arena *a, struct str text, struct str top, const struct area **ret) {
    struct str names[CHAIN_MOST];
    size_t n = name_chain(a, text, names);
    const struct area *found = NULL;
    if (n == 0) return 0;
    for (size_t i = lower_bound(t, top); i < t->n && path_under(t->all[i].path, top); i++) {
        if (!chain_matches(t, a, &t->all[i], names, n)) continue;
        if (found) return 2;
        found = &t->all[i];
    }
    if (!found) return 0;
    *ret = found;
    return 1;
}

struct str areas_full_name(const struct areas *t, struct arena *a, const struct area *x) {
    const struct area *chain[AREA_DEPTH + 1];
    size_t n = 0;
    for (; x && n < COUNT(chain); x = areas_parent(t, x)) chain[n++] = x;
    struct buf b CLEANUP(buf_release) = BUF(8192);
    while (n-- > 0) {
        if (b.n) buf_addz(&b, " › ");
        buf_add_str(&b, chain[n]->name);
    }
    return arena_str(a, buf_str(&b));
}

struct path_range path_range(struct arena *a, struct str top) {
    return (struct path_range){top, str_z(arena_printf(a, "%.*s~", STR_FMT(top)))};
}

/* A blank comes before all that stands in a path. */
struct path_range path_alone(struct arena *a, struct str path) {
    return (struct path_range){path, str_z(arena_printf(a, "%.*s ", STR_FMT(path)))};
}

static int digit36(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : -1;
}

struct str path_next_child(struct arena *a, struct str parent, struct str last) {
    int v = 0;
    if (parent.n + AREA_STEP >= AREA_PATH) return STR_NONE;
    for (size_t i = 0; last.n && i < AREA_STEP; i++) {
        int d = digit36(last.p[last.n - AREA_STEP + i]);
        if (d < 0) return STR_NONE;
        v = v * 36 + d;
    }
    if (++v >= 36 * 36 * 36) return STR_NONE;
    char step[AREA_STEP + 1] = {0};
    for (int i = AREA_STEP; i-- > 0; v /= 36) step[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[v % 36];
    return str_z(arena_printf(a, "%.*s%s", STR_FMT(parent), step));
}

int area_level_rank(struct str level) {
    static const struct {
        const char *level;
        int rank;
    } ranks[] = {{"nation", 0},    {"province", 1},  {"city", 2},    {"county", 3},   {"group", 4}, {"township", 4}, {"street", 4},
                 {"community", 5}, {"village", 5},   {"quarter", 6}, {"building", 7}, {"unit", 8},  {"post", 9}};
    for (size_t i = 0; i < COUNT(ranks); i++)
        if (str_eqz(level, ranks[i].level)) return ranks[i].rank;
    return -1;
}
