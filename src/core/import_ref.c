/* Texts onto references: by key, else by the title of one record only.  Households by their code, or by door (or head) and area; one that is
 * not there yet is made, so that a roster is typed once. */
#include "core/import_internal.h"

#include "base/utf8.h"

/* ---- by key ---- */

static bool is_key(const struct field *f) {
    return f->flags & KEY && (f->flags & FIND || field_is_text(f));
}

/* 1 found, 0 none, 2 several, -1 */
static int by_key(struct import_work *w, const struct kind *to, struct str text, struct id *ret, struct err *e) {
    struct site *s = w->im->site;
    for (size_t i = 0; i < to->n; i++) {
        const struct field *f = &to->fields[i];
        if (!is_key(f)) continue;
        struct record *r;
        int found = record_find(w->tx->db, s->id, &s->key, w->tx->a, to, i, text, &r, e);
        if (found == 1) *ret = r->id;
        if (found) return found;
    }
    return 0;
}

/* ---- by title ---- */

enum { TITLES_MOST = 20 };

static bool same_title(struct import_work *w, const struct record *r, struct str folded) {
    return str_eq(utf8_fold(w->tx->a, record_title(w->tx->a, r, false)), folded);
}

static int by_title(struct import_work *w, const struct kind *to, struct str text, struct id *ret, struct err *e) {
    struct import *im = w->im;
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct str folded = utf8_fold(w->tx->a, text);
    struct str here = w->place ? w->place->path : im->top;
    int any = 0, near = 0, got;
    struct id one = {{0}}, close = {{0}};
    if (!kind_sql(to)->has_search || folded.n == 0) return 0;
    TRY(db_query(w->tx->db, &kind_sql(to)->search_name, &rows, e, VINT(im->site->id), VTEXT(folded),
                 VTEXTZ(arena_printf(w->tx->a, "%.*s\x01", STR_FMT(folded))), VTEXT(STR("")), VTEXT(STR("~")), VTEXT(STR("")),
                 VID((struct id){{0}}), VINT(TITLES_MOST)));
    while ((got = rows_next(rows, e)) == 1) {
        struct record r;
        record_read(w->tx->a, to, rows, &r);
        if (!same_title(w, &r, folded)) continue;
        bool around = path_under(here, r.path) || path_under(r.path, here);
        if (!around && !permit_may(im->o->actor, to->name, "read", r.path)) continue;
        any++;
        one = r.id;
        if (around) near++, close = r.id;
    }
    if (got < 0) return -1;
    *ret = near == 1 ? close : one;
    return near == 1 || any == 1 ? 1 : any ? 2 : 0;
}

static int look_up(struct import_work *w, const struct kind *to, struct str text, struct id *ret, struct err *e) {
    struct str place = w->place ? w->place->path : STR("");
    struct import_key key = import_key_of(to->name, text, place);
    const struct import_slot *known = import_map_get(&w->im->refs, &key);
    if (known) return *ret = known->id, 1;
    int found = by_key(w, to, text, ret, e);
    if (found == 0) found = by_title(w, to, text, ret, e);
    if (found != 1) return found;
    bool fresh;
    import_map_put(&w->im->refs, &key, &fresh)->id = *ret;
    return 1;
}

static int ref_of_area(struct import_work *w, size_t i, struct str text) {
    const struct place *x;
    int r = import_place_text(w, text, w->im->kind->fields[i].name, &x);
    if (r == 0) w->v[i] = VID(x->id);
    return r;
}

/* An area without a parent stands below the import's area, or below the one top there is. */
static void default_parent(struct import_work *w) {
    const struct kind *k = w->im->kind;
    int parent = kind_field(k, STR("parent")), level = kind_field(k, STR("level"));
    if (!(k->flags & KIND_TREE) || parent < 0 || level < 0 || w->v[parent].type != V_NULL || w->v[level].type != V_TEXT) return;
    const struct place *up = id_is_nil(w->im->area) ? places_root(&w->im->places) : places_by_id(&w->im->places, w->im->area);
    if (up && up->rank < area_level_rank(w->v[level].s)) w->v[parent] = VID(up->id);
}

int import_refs(struct import_work *w, struct err *e) {
    const struct kind *k = w->im->kind;
    int refused = 0;
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        if (f->type != F_REF || w->v[i].type != V_TEXT || (int)i == w->im->shape.home || f->flags & READ_ONLY) continue;
        const struct kind *to = kind_by_name(str_z(f->ref));
        struct str text = w->v[i].s;
        if (to->flags & KIND_TREE) {
            refused |= ref_of_area(w, i, text);
            continue;
        }
        struct id id;
        int found = look_up(w, to, text, &id, e);
        if (found < 0) return -1;
        if (found == 1) w->v[i] = VID(id);
        else refused |= import_refuse_with(w, f->name, found ? M_AMBIGUOUS : M_NO_RECORD, arena_strz(w->tx->a, text), label_in(to->label, w->im->o->lang));
    }
    default_parent(w);
    return refused;
}

/* The first key of each is asked for; a reference by a later key, or by name, costs a question of its own. */
int import_refs_foresee(struct import_work *w, struct err *e) {
    const struct kind *k = w->im->kind;
    struct site *s = w->im->site;
    for (size_t i = 0; i < k->n; i++) {
        const struct kind *to = k->fields[i].type == F_REF ? kind_by_name(str_z(k->fields[i].ref)) : NULL;
        if (!to || w->v[i].type != V_TEXT || to->flags & KIND_TREE) continue;
        size_t key = 0;
        while (key < to->n && !is_key(&to->fields[key])) key++;
        if (key < to->n) TRY(record_find_foresee(w->tx->db, s->id, &s->key, w->tx->a, to, key, w->v[i].s, e));
    }
    return 0;
}

/* ---- households ---- */

static struct import_key home_key(const char *by, struct id area, struct str name) {
    return import_key_of(by, id_bytes(&area), name);
}

static void note_home(struct import *im, const char *by, struct id area, struct str name, struct id id) {
    if (name.n == 0) return;
    struct arena a CLEANUP(arena_release) = {0};
    struct import_key key = home_key(by, area, utf8_fold(&a, name));
    bool fresh;
    struct import_slot *s = import_map_put(&im->homes, &key, &fresh);
    if (fresh) s->id = id;
    else if (!id_eq(s->id, id)) s->n = 2;
}

/* A household with a door is known by it; one without by its head. */
void import_homes_note(struct import *im, struct id area, struct str door, struct str head, struct id id) {
    note_home(im, "door", area, door, id);
    if (door.n == 0) note_home(im, "head", area, head, id);
}

static int load_homes(struct import_work *w, const struct place *x, struct err *e) {
    const struct kind *k = kind_by_name(STR("household"));
    struct import_key key = home_key("all", x->id, STR(""));
    bool fresh;
    import_map_put(&w->im->homes, &key, &fresh);
    if (!fresh) return 0;
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct arena a CLEANUP(arena_release) = {0};
    /* Steps of a path are letters and digits, so this is the area without those below it. */
    struct str to = str_z(arena_printf(w->tx->a, "%.*s!", STR_FMT(x->path)));
    TRY(db_stream(w->tx->db, &kind_sql(k)->range_after, &rows, e, VINT(w->im->site->id), VTEXT(x->path), VTEXT(to), VTEXT(STR("")),
                  VID((struct id){{0}}), VINT(INT64_MAX)));
    int got;
    while ((got = rows_next(rows, e)) == 1) {
        struct record r;
        record_read(&a, k, rows, &r);
        import_homes_note(w->im, x->id, record_text(&r, "door"), record_text(&r, "head"), r.id);
        arena_clear(&a);
    }
    return got;
}

/* 1, 0, 2 as above: among the households of the row's own area. */
static int home_by(struct import_work *w, const char *by, struct str name, struct id *ret, struct err *e) {
    if (!w->place || name.n == 0) return 0;
    TRY(load_homes(w, w->place, e));
    struct import_key key = home_key(by, w->place->id, utf8_fold(w->tx->a, name));
    const struct import_slot *s = import_map_get(&w->im->homes, &key);
    if (s) *ret = s->id;
    return s ? (int)s->n : 0;
}

int import_home_known(struct import_work *w, struct str door, struct str head, struct id *ret, struct err *e) {
    return door.n ? home_by(w, "door", door, ret, e) : home_by(w, "head", head, ret, e);
}

static int home_refused(struct import_work *w, int found, struct str text) {
    const struct kind *k = kind_by_name(STR("household"));
    const char *field = w->im->kind->fields[w->im->shape.home].name;
    return import_refuse_with(w, field, found > 1 ? M_AMBIGUOUS : M_NO_RECORD, arena_strz(w->tx->a, text), label_in(k->label, w->im->o->lang));
}

int import_home(struct import_work *w, struct err *e) {
    int at = w->im->shape.home, found = 0;
    struct id id;
    const struct kind *k = kind_by_name(STR("household"));
    if (at < 0 || !k || w->v[at].type == V_ID) return 0;
    struct str said = w->v[at].type == V_TEXT ? w->v[at].s : STR_NONE;
    bool describes = w->place && (w->door.n || w->row->head.n);
    if (!said.n && !describes) return 0;
    if (said.n) found = look_up(w, k, said, &id, e);
    if (said.n && found == 0) found = home_by(w, "door", said, &id, e);
    if (!said.n) found = import_home_known(w, w->door, w->row->head, &id, e);
    if (found < 0) return -1;
    if (found > 1) return home_refused(w, found, said.n ? said : w->door);
    w->v[at] = VNULL;
    if (found) w->v[at] = VID(id);
    else if (!describes) return home_refused(w, 0, said);
    w->new_home = !found;
    w->home_code = said;
    return 0;
}

static void set(struct command_call *call, const char *field, struct str s) {
    int i = kind_field(call->kind, str_z(field));
    if (i < 0 || s.n == 0) return;
    call->values[i] = VTEXT(s);
    call->given[i] = true;
}

int import_home_make(struct import_work *w, struct err *e) {
    struct import *im = w->im;
    struct command_call call = {.a = w->tx->a, .actor = im->o->actor, .lang = im->o->lang, .id = id_new(w->tx->now)};
    char area[ID_TEXT];
    bool is_head = im->shape.relation >= 0 && w->v[im->shape.relation].type == V_TEXT && str_eq(w->v[im->shape.relation].s, STR("head"));
    struct str head = w->row->head;
    if (!head.n && is_head && im->shape.name >= 0 && w->v[im->shape.name].type == V_TEXT) head = w->v[im->shape.name].s;
    command_prepare(&call, kind_by_name(STR("household")), VERB_CREATE);
    call.area = str_z(id_text(w->place->id, area));
    set(&call, "door", w->door);
    set(&call, "head", head);
    set(&call, "code", w->home_code);
    if (command_run(w->tx, &call, e)) return import_refuse(w, e);
    w->v[im->shape.home] = VID(call.ret_record);
    w->new_home = false;
    import_homes_note(im, w->place->id, w->door, head, call.ret_record);
    return 0;
}
