/* Names onto areas.  Lists write places as people say them: 3栋, 3号楼 and 3 are one building, 西关 and 西关社区 one community.  A name is looked up
 * by its loose form; among those found the exact spelling wins, and the names above it must be found among its ancestors. */
#include "core/import_internal.h"

#include "base/utf8.h"

/* ---- the table ---- */

static bool ascii_word(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] >= 0x80) return false;
    return s.n > 0;
}

/* Without the word of its sort; what is left must still be a name. */
static struct str loose_name(struct str folded) {
    static const char *const ends[] = {"街道办事处", "街道办", "街道", "居民委员会", "社区居委会", "居委会", "社区", "村民委员会", "村委会", "村",
                                       "镇人民政府", "镇", "鎮", "乡", "鄉", "小区", "小區", "社區", "号楼", "號樓", "栋楼", "栋", "棟", "幢", "座", "#楼", "号", "號", "#", "楼", "樓",
                                       "单元", "單元", "组", "組"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct str end = str_z(ends[i]);
        if (!str_ends(folded, end)) continue;
        struct str rest = str_sub(folded, 0, folded.n - end.n);
        if (ascii_word(rest) || utf8_length(rest) >= 2) return rest;
    }
    return folded;
}

static void note_code(struct import_map *m, const char *what, struct str text, size_t index) {
    bool fresh;
    struct import_key key = import_key_of(what, text, STR(""));
    import_map_put(m, &key, &fresh)->n = (int64_t)index + 1;
}

void places_add(struct places *p, const struct area *x, int32_t parent) {
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 256;
        p->all = reallocarray(p->all, p->cap, sizeof *p->all);
        INVARIANT(p->all);
    }
    struct place *to = &p->all[p->n];
    bool fresh;
    *to = (struct place){.id = x->id, .path = arena_str(&p->arena, x->path), .code = arena_str(&p->arena, x->code), .parent = parent, .same = -1};
    to->name = arena_str(&p->arena, utf8_fold(&p->arena, x->name));
    to->loose = loose_name(to->name);
    to->rank = area_level_rank(x->level);
    struct import_key key = import_key_of("name", to->loose, STR(""));
    struct import_slot *s = import_map_put(&p->by_name, &key, &fresh);
    if (!fresh) to->same = (int32_t)(s->n - 1);
    s->n = (int64_t)p->n + 1;
    note_code(&p->by_code, "code", to->code, p->n);
    note_code(&p->by_id, "id", id_bytes(&to->id), p->n);
    if (parent >= 0 && str_eq(x->level, STR("unit"))) p->all[parent].has_units = true;
    p->n++;
}

void places_release(struct places *p) {
    free(p->all);
    arena_release(&p->arena);
    import_map_release(&p->by_name);
    import_map_release(&p->by_code);
    import_map_release(&p->by_id);
    import_map_release(&p->by_parts);
    *p = (struct places){0};
}

int places_load(struct places *p, struct db *db, int64_t site, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = NULL;
    TRY(areas_load(db, site, &t, e));
    places_release(p);
    for (size_t i = 0; i < t->n; i++) places_add(p, &t->all[i], t->all[i].parent);
    return 0;
}

static const struct place *by(const struct places *p, const struct import_map *m, const char *what, struct str text) {
    struct import_key key = import_key_of(what, text, STR(""));
    const struct import_slot *s = import_map_get(m, &key);
    return s ? &p->all[s->n - 1] : NULL;
}

const struct place *places_by_id(const struct places *p, struct id id) {
    return by(p, &p->by_id, "id", id_bytes(&id));
}

const struct place *places_by_code(const struct places *p, struct str code) {
    return by(p, &p->by_code, "code", code);
}

const struct place *places_root(const struct places *p) {
    const struct place *root = NULL;
    for (size_t i = 0; i < p->n; i++) {
        if (p->all[i].parent >= 0) continue;
        if (root) return NULL;
        root = &p->all[i];
    }
    return root;
}

/* ---- chains ---- */

struct name {
    struct str exact, loose;
    int rank;
};
struct chain {
    struct name names[PARTS_MOST];
    size_t n;
};

static void chain_add(struct chain *c, struct arena *a, struct str part, int rank) {
    struct str folded = utf8_fold(a, part);
    if (folded.n == 0 || c->n == PARTS_MOST) return;
    /* 社区 and 所属社区 say it twice. */
    if (c->n && str_eq(c->names[c->n - 1].exact, folded)) return;
    c->names[c->n++] = (struct name){folded, loose_name(folded), rank};
}

/* "城镇/西关社区/3号楼" */
static void chain_split(struct chain *c, struct arena *a, struct str text, int rank) {
    size_t at = 0, start = 0;
    while (at <= text.n) {
        size_t before = at;
        int32_t ch = at < text.n ? utf8_next(text, &at) : (at++, '/');
        if (ch != '/' && ch != '>' && ch != 0x203a && ch != '\\' && ch != 0xff0f && ch != 0xff1e) continue;
        chain_add(c, a, str_sub(text, start, before), rank);
        start = at;
    }
}

static bool means(const struct place *x, const struct name *n, bool exactly) {
    if (exactly) return str_eq(x->name, n->exact);
    return str_eq(x->loose, n->loose) && (n->rank < 0 || x->rank < 0 || n->rank == x->rank || str_eq(x->name, n->exact));
}

/* The names above, each among the ancestors and in their order; those above the county may be missing from the tree. */
static bool above_fit(const struct places *p, const struct place *x, const struct chain *c) {
    int32_t up = x->parent;
    for (size_t i = c->n - 1; i-- > 0;) {
        int32_t at = up;
        while (at >= 0 && !means(&p->all[at], &c->names[i], false)) at = p->all[at].parent;
        if (at < 0) return c->names[i].rank >= 0 && c->names[i].rank < p->all[0].rank;
        up = p->all[at].parent;
    }
    return true;
}

static bool in_reach(const struct import_work *w, const struct place *x) {
    return path_under(x->path, w->im->top) && permit_may(w->im->o->actor, w->im->kind->name, "create", x->path);
}

/* 1 found, 0 none, 2 several. */
static int chain_find(const struct import_work *w, const struct chain *c, bool exactly, const struct place **ret) {
    const struct places *p = &w->im->places;
    struct import_key key = import_key_of("name", c->names[c->n - 1].loose, STR(""));
    const struct import_slot *s = import_map_get(&p->by_name, &key);
    const struct place *found = NULL;
    for (int32_t at = s ? (int32_t)(s->n - 1) : -1; at >= 0; at = p->all[at].same) {
        const struct place *x = &p->all[at];
        if (!means(x, &c->names[c->n - 1], exactly) || !in_reach(w, x) || !above_fit(p, x, c)) continue;
        if (found) return 2;
        found = x;
    }
    *ret = found;
    return found != NULL;
}

static int chain_look_up(const struct import_work *w, const struct chain *c, const struct place **ret) {
    int found = c->n ? chain_find(w, c, true, ret) : 0;
    return found || c->n == 0 ? found : chain_find(w, c, false, ret);
}

static struct str chain_text(const struct chain *c, struct arena *a) {
    struct buf b CLEANUP(buf_release) = BUF(8192);
    for (size_t i = 0; i < c->n; i++) {
        if (i) buf_addc(&b, '/');
        buf_add_str(&b, c->names[i].exact);
    }
    return arena_str(a, buf_str(&b));
}

static int no_place(struct import_work *w, const char *field, bool several, struct str text) {
    const char *name = arena_strz(w->tx->a, text), *label = label_in(kind_by_name(STR("area"))->label, w->im->o->lang);
    return several ? import_refuse_with(w, field, M_AMBIGUOUS, name, label) : import_refuse_with(w, field, M_NO_AREA, name);
}

int import_place_text(struct import_work *w, struct str text, const char *field, const struct place **ret) {
    const struct places *p = &w->im->places;
    struct chain c = {.n = 0};
    struct id id;
    *ret = id_parse(text, &id) ? places_by_id(p, id) : places_by_code(p, text);
    if (*ret) return 0;
    chain_split(&c, w->tx->a, text, RANK_NONE);
    int found = chain_look_up(w, &c, ret);
    return found == 1 ? 0 : no_place(w, field, found > 1, text);
}

/* A tree that ends with buildings: the unit is part of the door. */
static bool unit_as_door(struct import_work *w, struct chain *c, const struct place **ret) {
    static const char *const unit_word = "单元";
    const struct name *last = c->n > 1 ? &c->names[c->n - 1] : NULL;
    if (!last || last->rank != area_level_rank(STR("unit"))) return false;
    c->n--;
    if (chain_look_up(w, c, ret) != 1 || (*ret)->has_units) {
        c->n++;
        return false;
    }
    struct arena *a = w->tx->a;
    struct str exact = c->names[c->n].exact, loose = c->names[c->n].loose;
    const char *unit = ascii_word(loose) ? arena_printf(a, "%.*s%s", STR_FMT(loose), unit_word) : arena_strz(a, exact);
    if (w->door.n && !str_starts(w->door, str_z(unit))) w->door = str_z(arena_printf(a, "%s%.*s", unit, STR_FMT(w->door)));
    return true;
}

static struct import_key parts_key(const struct import_row *row) {
    struct digest_state s;
    struct import_key key;
    digest_start(&s);
    for (size_t i = 0; i < row->parts_n; i++) {
        digest_add(&s, &row->parts[i].rank, sizeof row->parts[i].rank);
        digest_add_str(&s, row->parts[i].text);
    }
    struct digest d = digest_end(&s);
    memcpy(key.b, d.b, sizeof key.b);
    return key;
}

static int place_by_parts(struct import_work *w, const struct import_row *row) {
    struct import_key key = parts_key(row);
    struct places *p = &w->im->places;
    struct chain c = {.n = 0};
    bool fresh;
    const struct import_slot *known = import_map_get(&p->by_parts, &key);
    if (known) {
        w->place = &p->all[known->n - 1];
        return 0;
    }
    /* A single cell may hold the code of an area as well as its name. */
    if (row->parts_n == 1) {
        w->place = places_by_code(&w->im->places, row->parts[0].text);
        if (w->place) return 0;
    }
    for (size_t i = 0; i < row->parts_n; i++) chain_split(&c, w->tx->a, row->parts[i].text, row->parts[i].rank);
    int found = chain_look_up(w, &c, &w->place);
    if (found == 1) import_map_put(&p->by_parts, &key, &fresh)->n = w->place - p->all + 1;
    if (found == 1 || (found == 0 && unit_as_door(w, &c, &w->place))) return 0;
    w->place = NULL;
    return no_place(w, "area", found > 1, chain_text(&c, w->tx->a));
}

/* What an area column is for an area: nothing; its parent is a field of its own. */
int import_place(struct import_work *w, struct err *e) {
    const struct import *im = w->im;
    const struct import_row *row = w->row;
    (void)e;
    w->door = row->door;
    if (im->kind->flags & (KIND_TREE | KIND_NO_AREA)) return 0;
    struct id id;
    if (row->area_code.n) w->place = id_parse(row->area_code, &id) ? places_by_id(&im->places, id) : places_by_code(&im->places, row->area_code);
    int r = 0;
    if (!w->place && row->parts_n) r = place_by_parts(w, row);
    else if (!w->place && row->area_code.n) r = import_place_text(w, row->area_code, "area_code", &w->place);
    if (r) return r;
    w->place_said = w->place != NULL;
    if (!w->place && !id_is_nil(im->area)) w->place = places_by_id(&im->places, im->area);
    if (!w->place && !im->shape.residential && !id_is_nil(im->fallback)) w->place = places_by_id(&im->places, im->fallback);
    return 0;
}
