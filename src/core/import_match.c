/* Whom a row means.  By its id, by a key, by what the event says; people also by likeness: those who share the phone, the household, the birth date
 * or the name are looked at, and each is either certainly the same, possibly the same, or somebody else.
 *
 * Two people with two identity numbers are two people.  A phone is shared within a household.  What is possible only is for a person to
 * decide (KIND duplicate), unless the record says already all that the row says. */
#include "core/import_internal.h"

#include <math.h>

#include "base/utf8.h"
#include "text/text.h"

/* ---- does the record say it already? ---- */

static bool same_real(double a, double b) {
    return fabs(a - b) <= 1e-9 * fmax(1, fmax(fabs(a), fabs(b)));
}

static int same_value(struct import_work *w, const struct record *rec, size_t i, bool *ret, struct err *e) {
    const struct field *f = &w->im->kind->fields[i];
    const struct val *v = &w->v[i], *old = &rec->v[i];
    if (old->type == V_BLOB && v->type == V_TEXT) {
        struct str plain;
        TRY(record_plain(&w->im->site->key, w->tx->a, rec, i, &plain, e));
        *ret = str_eq(plain, v->s);
        return 0;
    }
    if (old->type != v->type) *ret = false;
    else if (v->type == V_REAL) *ret = same_real(v->r, old->r);
    /* A spreadsheet keeps seconds. */
    else if (f->type == F_TIME) *ret = v->i == old->i || v->i == old->i - old->i % US_PER_SECOND;
    else if (f->type == F_NAME) *ret = str_eq(import_han_name(w->tx->a, old->s), v->s);
    else *ret = val_eq(v, old);
    return 0;
}

static bool elsewhere(const struct import_work *w, const struct record *rec) {
    if (!w->place_said || (w->im->shape.home >= 0 && w->v[w->im->shape.home].type == V_ID)) return false;
    /* "Somewhere in the community" does not move anybody out of his building. */
    return !path_under(rec->path, w->place->path);
}

int import_differs(struct import_work *w, const struct record *rec, bool *given, bool *ret_any, bool *ret_area, struct err *e) {
    const struct kind *k = w->im->kind;
    *ret_area = elsewhere(w, rec);
    *ret_any = *ret_area || w->new_home;
    for (size_t i = 0; i < k->n; i++) {
        bool same = true;
        given[i] = false;
        if (w->v[i].type == V_NULL || k->fields[i].flags & READ_ONLY) continue;
        TRY(same_value(w, rec, i, &same, e));
        given[i] = !same;
        *ret_any |= !same;
    }
    return 0;
}

static int says_nothing_new(struct import_work *w, const struct record *rec, bool *ret, struct err *e) {
    bool *given = arena_new(w->tx->a, bool, w->im->kind->n), any, area;
    TRY(import_differs(w, rec, given, &any, &area, e));
    *ret = !any;
    return 0;
}

/* ---- by id and by key ---- */

struct id import_made_id(const struct import *im, const char *what, struct str text) {
    struct id id;
    find_hash(&im->site->key, str_z(what), text, id.b);
    id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x80); /* UUIDv8 */
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    return id;
}

static int by_id(struct import_work *w, struct id id, struct import_match *ret, struct err *e) {
    struct record *r;
    if (w->ahead) return record_load_foresee(w->tx->db, w->im->site->id, w->im->kind, id, e);
    int found = record_load(w->tx->db, w->im->site->id, w->tx->a, w->im->kind, id, &r, e);
    if (found <= 0) return found;
    if (r->removed) return import_refuse_with(w, "id", M_RECORD_REMOVED);
    *ret = (struct import_match){.found = FOUND_SAME, .rec = r, .likeness = 1};
    return 0;
}

static int by_event(struct import_work *w, struct import_match *ret, struct err *e) {
    struct import_row *row = w->row;
    struct buf b CLEANUP(buf_release) = BUF(200);
    buf_add(&b, row->identity.b, sizeof row->identity.b);
    buf_add_int(&b, row->occurrence);
    row->id = import_made_id(w->im, arena_printf(w->tx->a, "import.%s", w->im->kind->name), buf_str(&b));
    return by_id(w, row->id, ret, e);
}

static bool close_names(struct arena *a, struct str x, struct str y) {
    if (text_edit_distance(x, y) <= 1) return true;
    return str_eq(text_pinyin(a, x, true), text_pinyin(a, y, true));
}

/* The same identity number under a name that is no slip of the other. */
static bool another_name(const struct import_work *w, const struct record *r) {
    int at = w->im->shape.person ? w->im->shape.name : -1;
    if (at < 0 || w->v[at].type != V_TEXT || r->v[at].type != V_TEXT) return false;
    struct str x = utf8_fold(w->tx->a, w->v[at].s), y = utf8_fold(w->tx->a, r->v[at].s);
    return !str_eq(x, y) && !close_names(w->tx->a, x, y);
}

static int by_field(struct import_work *w, size_t i, struct import_match *ret, struct err *e) {
    const struct field *f = &w->im->kind->fields[i];
    struct site *s = w->im->site;
    struct record *r;
    if (w->ahead) return record_find_foresee(w->tx->db, s->id, &s->key, w->tx->a, w->im->kind, i, w->v[i].s, e);
    int found = record_find(w->tx->db, s->id, &s->key, w->tx->a, w->im->kind, i, w->v[i].s, &r, e);
    if (found <= 0) return found;
    *ret = (struct import_match){.found = FOUND_SAME, .rec = r, .likeness = 1, .reason = f->type == F_ID_NUMBER ? "id_number" : "code"};
    if (f->type == F_ID_NUMBER && another_name(w, r)) ret->found = FOUND_ALIKE;
    return 0;
}

static int by_key(struct import_work *w, unsigned flags, struct import_match *ret, struct err *e) {
    const struct kind *k = w->im->kind;
    for (size_t i = 0; i < k->n && ret->found == FOUND_NONE; i++)
        if ((k->fields[i].flags & flags) == flags && w->v[i].type == V_TEXT) TRY(by_field(w, i, ret, e));
    return 0;
}

/* Another key of text than the record's: a case of its own, though the person may be the same. */
static bool another_key(const struct import_work *w, const struct record *r) {
    const struct kind *k = w->im->kind;
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & KEY && field_is_text(&k->fields[i]) && w->v[i].type == V_TEXT && r->v[i].type == V_TEXT &&
            !str_eq(w->v[i].s, r->v[i].s))
            return true;
    return false;
}

/* ---- people ---- */

struct person {
    struct str name, pinyin, birth;
    bool id_number;
};
struct candidates {
    struct record *all[64];
    bool by_phone[64];
    size_t n;
};
enum { SHARED_MOST = 50 };

static struct str text_of(const struct val *v, int at) {
    return at >= 0 && v[at].type == V_TEXT ? v[at].s : STR_NONE;
}

static struct person person_of_row(const struct import_work *w) {
    const struct import_shape *s = &w->im->shape;
    struct person p = {.name = utf8_fold(w->tx->a, text_of(w->v, s->name)), .birth = text_of(w->v, s->birth)};
    struct str number = text_of(w->v, s->id_number);
    char text[DAY_TEXT];
    day_t birth;
    p.id_number = number.n > 0;
    if (!p.birth.n && text_id_number(number, &birth, NULL)) p.birth = arena_str(w->tx->a, str_z(day_text(birth, text)));
    p.pinyin = text_pinyin(w->tx->a, p.name, true);
    return p;
}

static struct person person_of_record(const struct import_work *w, const struct record *r) {
    const struct import_shape *s = &w->im->shape;
    return (struct person){
        .name = utf8_fold(w->tx->a, text_of(r->v, s->name)),
        .birth = text_of(r->v, s->birth),
        .id_number = s->id_number >= 0 && r->v[s->id_number].type != V_NULL,
    };
}

static void add_candidate(struct candidates *c, const struct record *r, bool phone, struct arena *a) {
    for (size_t i = 0; i < c->n; i++)
        if (id_eq(c->all[i]->id, r->id)) {
            c->by_phone[i] |= phone;
            return;
        }
    if (c->n == COUNT(c->all)) return;
    c->by_phone[c->n] = phone;
    c->all[c->n++] = record_copy(a, r);
}

static int collect(struct import_work *w, const struct stmt *s, const struct val *v, size_t n, bool phone, struct candidates *c, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got, number = w->im->shape.person ? w->im->shape.id_number : -1;
    bool numbered = number >= 0 && w->v[number].type != V_NULL;
    if (w->ahead) return db_foresee_n(w->tx->db, s, v, n, e);
    TRY(db_query_n(w->tx->db, s, v, n, &rows, e));
    while ((got = rows_next(rows, e)) == 1) {
        struct record r;
        /* Two identity numbers are two people, and most people have one. */
        if (numbered && !rows_null(rows, RECORD_COLUMNS + number)) continue;
        record_read(w->tx->a, w->im->kind, rows, &r);
        add_candidate(c, &r, phone, w->tx->a);
    }
    return got;
}

static int collect_phone(struct import_work *w, struct candidates *c, struct err *e) {
    int at = w->im->shape.phone;
    struct str phone = text_of(w->v, at);
    uint8_t hash[16];
    if (!phone.n) return 0;
    const struct field *f = &w->im->kind->fields[at];
    find_hash(&w->im->site->key, str_z(arena_printf(w->tx->a, "%s.%s", w->im->kind->name, f->name)), phone, hash);
    const struct val v[] = {VINT(w->im->site->id), VBLOB(((struct str){(const char *)hash, sizeof hash}))};
    return collect(w, &kind_sql(w->im->kind)->by_hash[at], v, COUNT(v), true, c, e);
}

/* All of the site with that value of an indexed field. */
static int collect_sharing(struct import_work *w, int at, struct candidates *c, struct err *e) {
    if (at < 0 || w->v[at].type == V_NULL || !kind_sql(w->im->kind)->by_field[at].sql) return 0;
    const struct val v[] = {VINT(w->im->site->id), w->v[at], VTEXT(STR("")), VTEXT(STR("~")), VTEXT(STR("")), VID((struct id){{0}}), VINT(SHARED_MOST)};
    return collect(w, &kind_sql(w->im->kind)->by_field[at], v, COUNT(v), false, c, e);
}

/* Of the same name, in the row's place when no birth date tells more. */
static int collect_name(struct import_work *w, const struct person *p, struct str top, struct candidates *c, struct err *e) {
    const struct kind *k = w->im->kind;
    if (!kind_sql(k)->has_search || !p->name.n) return 0;
    struct path_range in = path_range(w->tx->a, top);
    const struct val v[] = {VINT(w->im->site->id), VTEXT(p->name), VTEXTZ(arena_printf(w->tx->a, "%.*s\x01", STR_FMT(p->name))),
                            VTEXT(in.from), VTEXT(in.to), VTEXT(STR("")), VID((struct id){{0}}), VINT(SHARED_MOST)};
    return collect(w, &kind_sql(k)->search_name, v, COUNT(v), false, c, e);
}

/* A birth date is shared by few, and brings those whose name is written otherwise; where it is not indexed, or not known, the name must do. */
static int collect_people(struct import_work *w, const struct person *p, struct candidates *c, struct err *e) {
    const struct import_shape *s = &w->im->shape;
    TRY(collect_phone(w, c, e));
    if (!w->new_home) TRY(collect_sharing(w, s->home, c, e));
    bool indexed = s->birth >= 0 && kind_sql(w->im->kind)->by_field[s->birth].sql;
    if (!p->birth.n) return w->place ? collect_name(w, p, w->place->path, c, e) : 0;
    if (!indexed) return collect_name(w, p, STR(""), c, e);
    struct val keep = w->v[s->birth];
    w->v[s->birth] = VTEXT(p->birth);
    int r = collect_sharing(w, s->birth, c, e);
    w->v[s->birth] = keep;
    if (r || !w->place || p->id_number) return r;
    return collect_name(w, p, w->place->path, c, e);
}

struct likeness {
    bool name, sound, slip, birth, other_birth, home, other_home, place, phone, other_phone;
};

static void compare_names(const struct import_work *w, const struct person *p, const struct person *q, struct likeness *l) {
    if (!p->name.n || !q->name.n) return;
    l->name = str_eq(p->name, q->name);
    l->sound = l->name || str_eq(p->pinyin, text_pinyin(w->tx->a, q->name, true));
    l->slip = l->sound || text_edit_distance(p->name, q->name) <= 1;
}

static void compare_homes(const struct import_work *w, const struct record *r, struct likeness *l) {
    int home = w->im->shape.home;
    if (home < 0 || r->v[home].type != V_ID) return;
    l->home = w->v[home].type == V_ID && id_eq(w->v[home].id, r->v[home].id);
    l->other_home = !l->home && (w->v[home].type == V_ID || w->new_home);
}

static struct likeness compare(const struct import_work *w, const struct person *p, const struct record *r, bool phone) {
    struct person q = person_of_record(w, r);
    struct likeness l = {.phone = phone};
    int at = w->im->shape.phone;
    compare_names(w, p, &q, &l);
    compare_homes(w, r, &l);
    l.birth = p->birth.n && str_eq(p->birth, q.birth);
    l.other_birth = p->birth.n && q.birth.n && !l.birth;
    l.other_phone = !phone && at >= 0 && w->v[at].type != V_NULL && r->v[at].type != V_NULL;
    l.place = l.home || (w->place && (path_under(r->path, w->place->path) || path_under(w->place->path, r->path)));
    return l;
}

/* Certainly the same. */
static bool is_same(const struct likeness *l) {
    if (!l->name || l->other_birth) return false;
    return (l->place && l->birth) || l->home || l->phone;
}

static const char *is_alike(const struct likeness *l) {
    if (l->name && l->birth) return "name_birth_address";
    if (l->sound && l->birth) return "name_birth_address";
    if (l->slip && l->birth && l->place) return "name_birth_address";
    /* Within a household a name that differs by a character is a brother's; one that sounds alike is hardly. */
    if (l->sound && l->home && !l->other_birth) return "name_birth_address";
    /* Another flat and another phone: a namesake. */
    if (l->name && l->place && !l->other_birth && !(l->other_home && l->other_phone)) return "name_birth_address";
    if (l->phone && !l->home) return "phone";
    return NULL;
}

static double how_alike(const struct import_work *w, const struct likeness *l, const struct person *p, const struct record *r) {
    double v = 0.6 * text_jaro_winkler(p->name, utf8_fold(w->tx->a, text_of(r->v, w->im->shape.name)));
    return fmin(1, v + (l->birth ? 0.2 : 0) + (l->place ? 0.1 : 0) + (l->phone ? 0.1 : 0));
}

static int judge(struct import_work *w, const struct person *p, struct record *r, bool phone, struct import_match *best, struct err *e) {
    struct person q = person_of_record(w, r);
    if (p->id_number && q.id_number) return 0;
    /* What the caller may not see is not told to him by a queue. */
    if (!permit_may(w->im->o->actor, w->im->kind->name, "read", r->path)) return 0;
    struct likeness l = compare(w, p, r, phone);
    const char *reason = is_alike(&l);
    bool same = is_same(&l);
    if (!same && !reason) return 0;
    if (!same && l.name && !l.other_birth && l.place) TRY(says_nothing_new(w, r, &same, e));
    if (another_key(w, r)) same = false;
    double likeness = how_alike(w, &l, p, r);
    enum import_found found = same ? FOUND_SAME : FOUND_ALIKE;
    if (best->found == FOUND_SAME || (found == best->found && likeness <= best->likeness)) return 0;
    *best = (struct import_match){.found = found, .rec = r, .reason = reason ? reason : "name_birth_address", .likeness = likeness};
    return 0;
}

static int by_person(struct import_work *w, struct import_match *ret, struct err *e) {
    const struct import_shape *s = &w->im->shape;
    struct candidates *c = arena_new(w->tx->a, struct candidates, 1);
    struct person p = person_of_row(w);
    if (w->v[s->id_number].type == V_TEXT && !(w->im->kind->fields[s->id_number].flags & KEY)) {
        TRY(by_field(w, (size_t)s->id_number, ret, e));
        if (ret->found == FOUND_SAME && another_key(w, ret->rec)) ret->found = FOUND_ALIKE;
        if (ret->found) return 0;
    }
    TRY(collect_people(w, &p, c, e));
    for (size_t i = 0; i < c->n; i++) TRY(judge(w, &p, c->all[i], c->by_phone[i], ret, e));
    return 0;
}

/* ---- other things ---- */

/* An organisation, a gate: of the same name in the same area, unless both have codes and these differ. */
static int by_title(struct import_work *w, struct import_match *ret, struct err *e) {
    struct person p = {.name = utf8_fold(w->tx->a, text_of(w->v, w->im->shape.title))};
    struct candidates *c = arena_new(w->tx->a, struct candidates, 1);
    if (!w->place || !p.name.n) return 0;
    TRY(collect_name(w, &p, w->place->path, c, e));
    for (size_t i = 0; i < c->n; i++) {
        if (!id_eq(c->all[i]->area, w->place->id) || another_key(w, c->all[i])) continue;
        *ret = (struct import_match){.found = FOUND_SAME, .rec = c->all[i], .likeness = 1};
        return 0;
    }
    return 0;
}

/* A household: by its door in its area, or by its head where there are no doors. */
static int by_door(struct import_work *w, struct import_match *ret, struct err *e) {
    const struct kind *k = w->im->kind;
    struct str door = text_of(w->v, kind_field(k, STR("door"))), head = text_of(w->v, kind_field(k, STR("head")));
    struct id id;
    int found = import_home_known(w, door, head, &id, e);
    if (found != 1) return found < 0 ? -1 : 0;
    TRY(by_id(w, id, ret, e));
    if (ret->found == FOUND_SAME && another_key(w, ret->rec)) *ret = (struct import_match){.found = FOUND_NONE};
    return 0;
}

int import_match(struct import_work *w, struct import_match *ret, struct err *e) {
    const struct import *im = w->im;
    *ret = (struct import_match){.found = FOUND_NONE};
    if (!id_is_nil(w->row->id)) {
        /* Exported elsewhere: it becomes that record, unless its code is taken here. */
        TRY(by_id(w, w->row->id, ret, e));
        return ret->found ? 0 : by_key(w, KEY | UNIQUE, ret, e);
    }
    if (im->shape.event) return by_event(w, ret, e);
    TRY(by_key(w, KEY, ret, e));
    if (ret->found) return 0;
    if (im->shape.person) return by_person(w, ret, e);
    if (strcmp(im->kind->name, "household") == 0) return by_door(w, ret, e);
    return im->shape.title >= 0 && !(im->kind->flags & KIND_TREE) ? by_title(w, ret, e) : 0;
}
