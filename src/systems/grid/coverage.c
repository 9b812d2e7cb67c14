#include "systems/grid/coverage.h"

#include "core/command.h"
#include "core/journal.h"
#include "systems/grid/grid.h"
#include "systems/org/org.h"

enum { PAGE = 5000 };

/* ---- loading ---- */

struct loading {
    struct db *db;
    struct site *s;
    struct arena *a;
    struct coverage *c;
    size_t household_room, member_room;
    uint32_t *by_id; /* members: index + 1 */
    size_t slots;
    day_t today;
    int (*take)(struct loading *l, const struct record *r, struct err *e);
};

static void *grown(struct arena *a, const void *old, size_t n, size_t *room, size_t size) {
    if (n < *room) return NULL;
    *room = *room ? *room * 2 : 1024;
    void *more = arena_alloc_n(a, size, *room);
    if (n) memcpy(more, old, n * size);
    return more;
}

static uint32_t *slot_of(const struct loading *l, struct id id) {
    size_t at = str_hash(id_bytes(&id)) & (l->slots - 1);
    while (l->by_id[at] && !id_eq(l->c->members[l->by_id[at] - 1].id, id)) at = (at + 1) & (l->slots - 1);
    return &l->by_id[at];
}

static void index_members(struct loading *l) {
    while (l->slots < 4 * l->c->member_count + 1024) l->slots = l->slots ? l->slots * 2 : 4096;
    l->by_id = arena_new(l->a, uint32_t, l->slots);
    for (size_t i = 0; i < l->c->member_count; i++) *slot_of(l, l->c->members[i].id) = (uint32_t)i + 1;
}

static bool is_over(const struct loading *l, const struct record *r) {
    day_t until = record_day(r, "until", l->s->tz);
    return r->removed || (until != DAY_NONE && until <= l->today);
}

static int32_t area_index(const struct loading *l, struct id id) {
    const struct area *x = areas_by_id(l->c->tree, id);
    return x ? (int32_t)(x - l->c->tree->all) : -1;
}

static struct coverage_member *add_member(struct loading *l, const struct record *r, bool elsewhere) {
    struct coverage *c = l->c;
    void *more = grown(l->a, c->members, c->member_count, &l->member_room, sizeof *c->members);
    if (more) c->members = more;
    struct coverage_member *m = &c->members[c->member_count++];
    *m = (struct coverage_member){
        .id = r->id,
        .area = area_index(l, r->area),
        .name = arena_str(l->a, record_text(r, "name")),
        .most = record_has(r, "households_most") ? (int32_t)record_int(r, "households_most") : -1,
        .available = !is_over(l, r) && (!record_has(r, "available") || record_int(r, "available")),
        .elsewhere = elsewhere,
    };
    return m;
}

static int take_member(struct loading *l, const struct record *r, struct err *e) {
    (void)e;
    add_member(l, r, false);
    return 0;
}

/* Who is not of this area is looked up once. */
static int member_of(struct loading *l, struct id id, int32_t *ret, struct err *e) {
    uint32_t *slot = slot_of(l, id);
    struct record *r;
    struct arena one CLEANUP(arena_release) = {0};
    if (!*slot) {
        int found = record_load(l->db, l->s->id, &one, &member_kind, id, &r, e);
        if (found < 0) return -1;
        if (!found) return *ret = -1, 0;
        add_member(l, r, true);
        if (4 * l->c->member_count > 3 * l->slots) index_members(l);
        else *slot = (uint32_t)l->c->member_count;
        slot = slot_of(l, id);
    }
    *ret = (int32_t)*slot - 1;
    return 0;
}

static int take_household(struct loading *l, const struct record *r, struct err *e) {
    struct coverage *c = l->c;
    const struct val *member = record_get(r, "member"), *x = record_get(r, "x"), *y = record_get(r, "y");
    int32_t who = -1;
    if (is_over(l, r)) return 0;
    if (member->type == V_ID) TRY(member_of(l, member->id, &who, e));
    void *more = grown(l->a, c->households, c->household_count, &l->household_room, sizeof *c->households);
    if (more) c->households = more;
    struct str door = record_text(r, "door");
    bool placed = x->type == V_REAL && y->type == V_REAL;
    c->households[c->household_count++] = (struct coverage_household){
        .id = r->id,
        .area = area_index(l, r->area),
        .member = who,
        .door = arena_str(l->a, door.n ? door : record_text(r, "code")),
        .x = placed ? x->r : 0,
        .y = placed ? y->r : 0,
        .has_xy = placed,
    };
    if (who >= 0) c->members[who].load++;
    return 0;
}

/* The next page; the number of rows. */
static int read_page(struct loading *l, const struct kind *k, struct path_range in, struct str *path, struct id *id, int *ret_n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct arena one CLEANUP(arena_release) = {0};
    int got;
    *ret_n = 0;
    TRY(db_query(l->db, &kind_sql(k)->range_after, &rows, e, VINT(l->s->id), VTEXT(in.from), VTEXT(in.to), VTEXT(*path), VID(*id), VINT(PAGE)));
    while ((got = rows_next(rows, e)) == 1) {
        struct record r;
        arena_clear(&one);
        record_read(&one, k, rows, &r);
        TRY(l->take(l, &r, e));
        *id = r.id;
        if (++*ret_n == PAGE) *path = arena_str(l->a, r.path);
    }
    return got;
}

static int read_kind(struct loading *l, const struct kind *k, int (*take)(struct loading *, const struct record *, struct err *), struct err *e) {
    struct path_range in = path_range(l->a, l->c->top->path);
    struct str path = STR("");
    struct id id = {{0}};
    int n;
    l->take = take;
    do TRY(read_page(l, k, in, &path, &id, &n, e));
    while (n == PAGE);
    return 0;
}

int coverage_load(struct db *db, struct site *s, struct arena *a, const struct areas *tree, const struct area *top, struct coverage **ret,
                  struct err *e) {
    struct coverage *c = arena_new(a, struct coverage, 1);
    struct loading l = {.db = db, .s = s, .a = a, .c = c, .today = site_today(s)};
    c->tree = tree;
    c->top = top;
    TRY(read_kind(&l, &member_kind, take_member, e));
    index_members(&l);
    TRY(read_kind(&l, &household_kind, take_household, e));
    *ret = c;
    return 0;
}

/* ---- the table ---- */

static bool is_covered(const struct coverage *c, const struct coverage_household *h) {
    return h->member >= 0 && c->members[h->member].available;
}

/* The row of the child of the top that holds the area; NULL: the top itself. */
static struct coverage_row *row_of(const struct coverage *c, struct coverage_table *t, int32_t area) {
    if (area < 0) return NULL;
    struct str path = c->tree->all[area].path;
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (str_cmp(t->rows[mid].area->path, path) <= 0) lo = mid + 1;
        else hi = mid;
    }
    return lo && path_under(path, t->rows[lo - 1].area->path) ? &t->rows[lo - 1] : NULL;
}

static void count_household(struct coverage_row *r, bool covered) {
    if (!r) return;
    r->households++;
    r->covered += covered;
}

static void count_member(struct coverage_row *r, const struct coverage_member *m, int32_t most) {
    if (!r) return;
    r->members += m->available;
    r->overloaded += m->available && m->load > (m->most >= 0 ? m->most : most);
}

void coverage_table(const struct coverage *c, struct arena *a, int32_t most, struct coverage_table *ret) {
    struct coverage_table t = {.whole = {.area = c->top}};
    t.rows = arena_new(a, struct coverage_row, (size_t)c->top->children + 1);
    for (int32_t i = c->top->first_child; i >= 0; i = c->tree->all[i].next_sibling) t.rows[t.n++].area = &c->tree->all[i];
    for (size_t i = 0; i < c->household_count; i++) {
        const struct coverage_household *h = &c->households[i];
        bool covered = is_covered(c, h);
        count_household(&t.whole, covered);
        count_household(row_of(c, &t, h->area), covered);
    }
    for (size_t i = 0; i < c->member_count; i++) {
        const struct coverage_member *m = &c->members[i];
        if (m->elsewhere) continue;
        count_member(&t.whole, m, most);
        count_member(row_of(c, &t, m->area), m, most);
    }
    *ret = t;
}

/* ---- the proposal ---- */

static enum assign_level level_of(struct str level) {
    static const struct {
        const char *name;
        enum assign_level level;
    } levels[] = {{"building", ASSIGN_BUILDING}, {"quarter", ASSIGN_QUARTER}, {"community", ASSIGN_COMMUNITY}, {"village", ASSIGN_COMMUNITY},
                  {"township", ASSIGN_TOWNSHIP}, {"street", ASSIGN_TOWNSHIP}};
    for (size_t i = 0; i < COUNT(levels); i++)
        if (str_eqz(level, levels[i].name)) return levels[i].level;
    return ASSIGN_COUNTY;
}

static void groups_of(const struct coverage *c, int32_t area, int32_t group[ASSIGN__LEVELS]) {
    for (int i = 0; i < ASSIGN__LEVELS; i++) group[i] = -1;
    for (; area >= 0; area = c->tree->all[area].parent) {
        enum assign_level level = level_of(c->tree->all[area].level);
        if (level < ASSIGN__LEVELS && group[level] < 0) group[level] = area;
    }
}

/* Indexes of the task's rows among those loaded, and back. */
struct mapping {
    int32_t *household, *member, *member_back;
};

static void fill_members(const struct coverage *c, struct assign_member *to, struct mapping *m, size_t *ret_n) {
    size_t n = 0;
    for (size_t i = 0; i < c->member_count; i++) {
        const struct coverage_member *x = &c->members[i];
        m->member_back[i] = -1;
        if (x->elsewhere) continue;
        to[n] = (struct assign_member){.capacity_max = x->most, .available = x->available};
        groups_of(c, x->area, to[n].group);
        m->member[n] = (int32_t)i;
        m->member_back[i] = (int32_t)n++;
    }
    *ret_n = n;
}

static void fill_households(const struct coverage *c, struct assign_household *to, struct mapping *m, size_t *ret_n) {
    size_t n = 0;
    for (size_t i = 0; i < c->household_count; i++) {
        const struct coverage_household *h = &c->households[i];
        bool elsewhere = h->member >= 0 && c->members[h->member].elsewhere;
        if (elsewhere && is_covered(c, h)) continue;
        to[n] = (struct assign_household){.place = (int64_t)i, .x = h->x, .y = h->y, .has_xy = h->has_xy,
                                          .member = h->member < 0 ? -1 : m->member_back[h->member]};
        groups_of(c, h->area, to[n].group);
        m->household[n++] = (int32_t)i;
    }
    *ret_n = n;
}

/* The households that change hands, gathered by who gets them. */
static void gather(const struct assign_task *task, const struct mapping *m, struct arena *a, struct coverage_proposal *p) {
    size_t *start = arena_new(a, size_t, task->member_count + 1);
    struct coverage_change *of = arena_new(a, struct coverage_change, task->member_count + 1);
    int32_t *before = arena_new(a, int32_t, task->member_count + 1);
    for (size_t i = 0; i < task->household_count; i++) {
        int32_t to = p->plan->member[i], from = task->households[i].member;
        bool changes = to >= 0 && to != from;
        if (from >= 0) before[from]++;
        if (changes) of[to].n++, p->changes++;
    }
    for (size_t i = 0, at = 0; i < task->member_count; at += of[i].n, i++) start[i] = of[i].first = at;
    p->taken = arena_new(a, int32_t, p->changes + 1);
    for (size_t i = 0; i < task->household_count; i++) {
        int32_t to = p->plan->member[i];
        if (to >= 0 && to != task->households[i].member) p->taken[start[to]++] = m->household[i];
    }
    p->members = arena_new(a, struct coverage_change, task->member_count + 1);
    for (size_t i = 0; i < task->member_count; i++) {
        if (of[i].n == 0) continue;
        of[i].member = m->member[i];
        of[i].before = before[i];
        of[i].after = p->plan->load[i];
        p->members[p->member_count++] = of[i];
    }
}

void coverage_propose(const struct coverage *c, struct arena *a, const struct assign_options *o, struct coverage_proposal *ret) {
    struct mapping m = {arena_new(a, int32_t, c->household_count + 1), arena_new(a, int32_t, c->member_count + 1),
                        arena_new(a, int32_t, c->member_count + 1)};
    struct assign_household *households = arena_new(a, struct assign_household, c->household_count + 1);
    struct assign_member *members = arena_new(a, struct assign_member, c->member_count + 1);
    struct assign_task task = {.households = households, .members = members, .options = *o};
    fill_members(c, members, &m, &task.member_count);
    fill_households(c, households, &m, &task.household_count);
    struct coverage_proposal p = {.plan = assign_solve(a, &task)};
    p.uncovered_before = p.plan->before.uncovered;
    p.uncovered_after = p.plan->after.uncovered;
    gather(&task, &m, a, &p);
    *ret = p;
}

struct str coverage_title(const struct coverage *c, struct arena *a, const struct coverage_household *h) {
    struct str area = h->area >= 0 ? c->tree->all[h->area].name : STR("");
    if (!h->door.n) {
        char id[ID_TEXT];
        return str_z(arena_printf(a, "%.*s %.8s", STR_FMT(area), id_text(h->id, id) + 24));
    }
    return str_z(arena_printf(a, "%.*s %.*s", STR_FMT(area), STR_FMT(h->door)));
}

/* ---- carrying it out ---- */

/* The first command bears the request's own id; that of each other follows from it and the member (UUIDv8). */
static struct id command_id_for(struct id request, struct id member, bool first) {
    struct digest_state d;
    struct id id = request;
    if (first) return id;
    digest_start(&d);
    digest_add(&d, request.b, sizeof request.b);
    digest_add(&d, member.b, sizeof member.b);
    struct digest made = digest_end(&d);
    memcpy(id.b, made.b, sizeof id.b);
    id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x80);
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    return id;
}

static bool has_run(struct site *s, struct id id) {
    struct arena a CLEANUP(arena_release) = {0};
    struct journal_entry j;
    struct db *db;
    struct err e;
    if (site_reader(s, &db, &e)) return false;
    int found = journal_by_id(db, s->id, &a, id, &j, &e);
    site_reader_done(s, db);
    return found == 1;
}

static int assign_part(const struct coverage_apply *ask, const struct coverage *c, const struct coverage_member *m, const int32_t *taken, size_t n,
                       struct id id, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    struct json_out o = JSON_OUT(&b);
    struct json *data;
    char text[ID_TEXT];
    json_object(&o);
    json_put_strz(&o, "member", id_text(m->id, text));
    json_key(&o, "households");
    json_array(&o);
    for (size_t i = 0; i < n; i++) json_strz(&o, id_text(c->households[taken[i]].id, text));
    json_array_end(&o);
    json_object_end(&o);
    TRY(json_parse(&a, buf_str(&b), NULL, &data, e));
    const struct command *command = command_by_name(STR("household.assign"));
    struct command_call call = {.a = &a, .actor = ask->actor, .lang = ask->lang, .id = id, .verb = VERB_OTHER, .kind = command->kind,
                                .command = command, .name = command->name, .data = data};
    return command_do(ask->site, &call, e);
}

int coverage_apply(const struct coverage_apply *ask, const struct coverage *c, const struct coverage_proposal *p, int64_t *ret_changed,
                   bool *ret_repeated, struct err *e) {
    bool repeated = has_run(ask->site, ask->request);
    int64_t changed = 0;
    for (size_t i = 0; i < p->member_count; i++) {
        const struct coverage_change *x = &p->members[i];
        const struct coverage_member *m = &c->members[x->member];
        struct id id = command_id_for(ask->request, m->id, i == 0 && !repeated);
        if (x->n > HOUSEHOLDS_AT_ONCE) return err_set(e, ERR_INVALID, "most", M_RANGE, "1", "5000");
        if (repeated && has_run(ask->site, id)) continue;
        TRY(assign_part(ask, c, m, &p->taken[x->first], x->n, id, e));
        changed += (int64_t)x->n;
    }
    *ret_changed = changed;
    *ret_repeated = repeated;
    return 0;
}
