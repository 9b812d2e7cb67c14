/* The places of a synthetic site: kept in memory beside the area records, because nearly every record asks where it may stand. */
#include "cli/demo_records.h"

const char *const nest_levels[NEST_LEVELS] = {"township", "street", "community", "village", "quarter", "building", "unit", "post"};

static int32_t remember(struct demo *d, const struct place_new *p, struct id id) {
    if (d->places_n == d->places_cap) {
        d->places_cap = d->places_cap ? d->places_cap * 2 : 256;
        struct place *more = arena_new(&d->a, struct place, d->places_cap);
        if (d->places_n) memcpy(more, d->places, d->places_n * sizeof *more);
        d->places = more;
    }
    struct place *x = &d->places[d->places_n];
    *x = (struct place){.id = id, .code = arena_str(&d->a, p->code), .name = arena_str(&d->a, p->name), .level = p->level, .parent = p->parent};
    if (p->parent >= 0) {
        x->depth = d->places[p->parent].depth + 1;
        d->places[p->parent].children++;
    }
    return (int32_t)d->places_n++;
}

int place_add(struct demo *d, const struct place_new *p, int32_t *ret, struct err *e) {
    struct draft f = draft_begin(d, "area", -1, d->first);
    int32_t at = remember(d, p, f.id);
    draft_str(&f, "code", d->places[at].code);
    draft_str(&f, "name", d->places[at].name);
    draft_text(&f, "level", p->level);
    if (p->parent >= 0) draft_ref(&f, "parent", d->places[p->parent].id);
    if (p->property_management) draft_text(&f, "property_management", p->property_management);
    if (p->since != DAY_NONE) draft_day(&f, "since", p->since, 0);
    *ret = at;
    return draft_add(&f, e);
}

bool place_under(const struct demo *d, int32_t place, int32_t top) {
    while (place >= 0 && place != top) place = d->places[place].parent;
    return place == top;
}

static bool level_in(const char *level, const char *levels) {
    struct str rest = str_z(levels), part;
    while (str_cut(&rest, '|', &part))
        if (str_eqz(part, level)) return true;
    return false;
}

struct place_list places_of(struct demo *d, int32_t top, const char *levels) {
    struct place_list l = {arena_new(&d->a, int32_t, d->places_n), 0};
    for (size_t i = 0; i < d->places_n; i++)
        if (level_in(d->places[i].level, levels) && place_under(d, (int32_t)i, top)) l.at[l.n++] = (int32_t)i;
    return l;
}

static size_t count_of(const struct demo *d, int32_t top, const char *level) {
    size_t n = 0;
    for (size_t i = 0; i < d->places_n; i++) n += strcmp(d->places[i].level, level) == 0 && place_under(d, (int32_t)i, top);
    return n;
}

/* Quarters are numbered within the whole site so that no two have the same name; buildings within their quarter. */
static struct str name_for(struct demo *d, const struct place_new *p) {
    bool within = strcmp(p->level, "building") == 0 || strcmp(p->level, "unit") == 0 || strcmp(p->level, "post") == 0;
    size_t i = 0;
    if (within && p->parent >= 0) i = (size_t)d->places[p->parent].children;
    else
        for (size_t j = 0; j < d->places_n; j++) i += strcmp(d->places[j].level, p->level) == 0;
    return names_place(&d->a, p->level, i);
}

static bool code_taken(const struct demo *d, struct str code) {
    for (size_t i = 0; i < d->places_n; i++)
        if (str_eq(d->places[i].code, code)) return true;
    return false;
}

int place_more(struct demo *d, struct place_new p, int32_t *ret, struct err *e) {
    size_t n = count_of(d, p.parent, p.level);
    do p.code = str_z(arena_printf(&d->a, "%.*s.%c%02zu", STR_FMT(d->places[p.parent].code), p.level[0], ++n));
    while (code_taken(d, p.code));
    p.name = name_for(d, &p);
    return place_add(d, &p, ret, e);
}

/* ---- nesting ---- */

/* Those just made of the nearest level above, or the top itself. */
static struct place_list parents_for(struct demo *d, struct place_list made[NEST_LEVELS], size_t level, int32_t top) {
    int rank = area_level_rank(str_z(nest_levels[level]));
    for (size_t i = level; i-- > 0;)
        if (made[i].n && area_level_rank(str_z(nest_levels[i])) < rank) return made[i];
    struct place_list self = {arena_new(&d->a, int32_t, 1), 1};
    self.at[0] = top;
    return self;
}

static int nest_level(struct demo *d, int32_t top, size_t level, size_t n, struct place_list parents, struct place_list *ret, struct err *e) {
    const char *name = nest_levels[level];
    bool within = level >= 5;
    int width = n > 999 ? 5 : n > 99 ? 3 : 2;
    size_t taken = 0;
    for (size_t i = 0; i < d->places_n; i++) taken += strcmp(d->places[i].level, name) == 0;
    ret->at = arena_new(&d->a, int32_t, n);
    for (ret->n = 0; ret->n < n; ret->n++) {
        int32_t parent = parents.at[ret->n * parents.n / n];
        struct place_new p = {.parent = parent, .level = name, .since = DAY_NONE};
        p.code = str_z(arena_printf(&d->a, "%.*s.%c%0*zu", STR_FMT(d->places[top].code), name[0], width, ret->n + 1));
        p.name = names_place(&d->a, name, within ? (size_t)d->places[parent].children : taken + ret->n);
        TRY(place_add(d, &p, &ret->at[ret->n], e));
    }
    return 0;
}

int places_nest(struct demo *d, int32_t top, const int64_t counts[NEST_LEVELS], struct err *e) {
    struct place_list made[NEST_LEVELS] = {{NULL, 0}};
    for (size_t i = 0; i < NEST_LEVELS; i++) {
        if (counts[i] <= 0) continue;
        TRY(nest_level(d, top, i, (size_t)counts[i], parents_for(d, made, i, top), &made[i], e));
    }
    return 0;
}
