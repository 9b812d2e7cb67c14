/* What happens to a row, inside the writer's transaction: place, references, whom it means, and then a command like any other - or none, when
 * the record says all of it already.  Every command checks all before it stores anything, so a refused row leaves nothing behind; a household
 * is made only when the kind's own rule has accepted the person. */
#include "core/import_internal.h"

#include "base/utf8.h"

/* Errors after which the transaction cannot go on (as in writer.c). */
static bool breaks(enum err_code code) {
    return code == ERR_RETRY || code == ERR_STORAGE_FULL || code == ERR_DB || code == ERR_IO || code == ERR_CORRUPT || code == ERR_INTERNAL;
}

int import_refuse(struct import_work *w, const struct err *e) {
    if (breaks(e->code)) return -1;
    *import_row_refuse(&w->page->a, w->row) = *e;
    return 1;
}

static int refuse_all(struct import_work *w, const struct errs *errs, const struct err *e) {
    if (breaks(e->code)) return -1;
    for (size_t i = 0; i < errs->n; i++) *import_row_refuse(&w->page->a, w->row) = errs->e[i];
    return errs->n ? 1 : import_refuse(w, e);
}

/* ---- a command for the row ---- */

static struct command_call call_for(struct import_work *w, enum verb verb) {
    struct command_call call = {.a = w->tx->a, .actor = w->im->o->actor, .lang = w->im->o->lang, .id = id_new(w->tx->now),
                                .fresh = verb == VERB_UPDATE || id_is_nil(w->row->id)};
    command_prepare(&call, w->im->kind, verb);
    return call;
}

static struct str place_id(struct import_work *w) {
    char text[ID_TEXT];
    return w->place ? arena_str(w->tx->a, str_z(id_text(w->place->id, text))) : STR_NONE;
}

/* Whether the record takes the area of what it refers to. */
static bool has_its_place_from(const struct import_work *w) {
    const struct kind *k = w->im->kind;
    int from = k->area_from ? kind_field(k, str_z(k->area_from)) : -1;
    if (from < 0 || w->v[from].type != V_ID) return false;
    return from == w->im->shape.home || !w->place_said;
}

static bool takes(const struct import_work *w, size_t i) {
    /* The command line restores what it exported; from others the program's own fields are not taken. */
    const struct field *f = &w->im->kind->fields[i];
    return w->v[i].type != V_NULL && (!(f->flags & READ_ONLY) || (w->im->o->actor->system && f->type != F_REF));
}

/* The kind's rule on the row alone, before anything is made for its sake. */
static int try_rule(struct import_work *w, struct err *e) {
    const struct kind *k = w->im->kind;
    struct record *r = record_new(w->tx->a, k);
    struct errs errs = {.a = w->tx->a};
    r->area = w->place->id;
    r->path = w->place->path;
    for (size_t i = 0; i < k->n; i++)
        if (takes(w, i)) r->v[i] = w->v[i];
    w->tx->actor = w->im->o->actor;
    w->tx->lang = w->im->o->lang;
    w->tx->kind = k;
    w->tx->verb = "create";
    if (k->derive && k->derive(w->tx, NULL, r, &errs, e)) return import_refuse(w, e);
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & REQUIRED && r->v[i].type == V_NULL) err_set(errs_next(&errs), ERR_INVALID, k->fields[i].name, M_REQUIRED);
    if (errs.n) return refuse_all(w, &errs, &errs.e[0]);
    return 0;
}

static void note_area(struct import_work *w, const struct record *r) {
    struct places *p = &w->im->places;
    struct area x = {.id = r->id, .path = r->path, .code = record_text(r, "code"), .name = record_text(r, "name"), .level = record_text(r, "level")};
    const struct place *up = record_get(r, "parent")->type == V_ID ? places_by_id(p, record_get(r, "parent")->id) : NULL;
    places_add(p, &x, up ? (int32_t)(up - p->all) : -1);
}

/* What later rows may refer to. */
static int note_made(struct import_work *w, struct id id, struct err *e) {
    const struct kind *k = w->im->kind;
    struct record *r;
    bool home = strcmp(k->name, "household") == 0;
    if (!(k->flags & KIND_TREE) && !home) return 0;
    if (record_load(w->tx->db, w->im->site->id, w->tx->a, k, id, &r, e) != 1) return -1;
    if (home) import_homes_note(w->im, r->area, record_text(r, "door"), record_text(r, "head"), id);
    else note_area(w, r);
    return 0;
}

static int create(struct import_work *w, struct err *e) {
    struct command_call call = call_for(w, VERB_CREATE);
    const struct kind *k = w->im->kind;
    bool in_area = !(k->flags & (KIND_TREE | KIND_NO_AREA));
    if (w->new_home) {
        int r = try_rule(w, e);
        if (r == 0) r = import_home_make(w, e);
        if (r) return r;
    }
    call.record = w->row->id;
    if (in_area && !has_its_place_from(w)) call.area = place_id(w);
    for (size_t i = 0; i < k->n; i++)
        if (takes(w, i)) call.values[i] = w->v[i], call.given[i] = true;
    if (command_run(w->tx, &call, e)) return refuse_all(w, &call.errs, e);
    w->row->outcome = ROW_IMPORTED;
    return note_made(w, call.ret_record, e);
}

static int update(struct import_work *w, const struct record *rec, struct err *e) {
    struct command_call call = call_for(w, VERB_UPDATE);
    const struct kind *k = w->im->kind;
    bool any, area;
    if (!permit_may(w->im->o->actor, k->name, "update", rec->path) && !permit_may(w->im->o->actor, k->name, "create", rec->path))
        return import_refuse_with(w, "area", M_OUTSIDE_AREA);
    if (w->new_home) {
        int r = import_home_make(w, e);
        if (r) return r;
    }
    TRY(import_differs(w, rec, call.given, &any, &area, e));
    if (!any) {
        w->row->outcome = ROW_UNCHANGED;
        return 0;
    }
    call.record = rec->id;
    if (area && !(k->flags & (KIND_TREE | KIND_NO_AREA))) call.area = place_id(w);
    for (size_t i = 0; i < k->n; i++)
        if (call.given[i]) call.values[i] = w->v[i];
    if (command_run(w->tx, &call, e)) return refuse_all(w, &call.errs, e);
    w->row->outcome = ROW_UPDATED;
    if (k->flags & KIND_TREE) w->im->seq = -1; /* a name or a place in the tree may be another */
    return 0;
}

/* ---- the queue ---- */

static struct str row_json(struct import_work *w) {
    struct buf b CLEANUP(buf_release) = BUF(60000);
    struct json_out o = JSON_OUT(&b);
    json_object(&o);
    for (size_t i = 0; i < w->im->kind->n; i++) {
        const struct field *f = &w->im->kind->fields[i];
        if (w->v[i].type == V_NULL || f->flags & READ_ONLY) continue;
        json_key(&o, f->name);
        field_to_json(w->im->site->tz, f, &w->v[i], &o);
    }
    json_object_end(&o);
    return b.failed ? STR("{}") : arena_str(w->tx->a, buf_str(&b));
}

static void put(struct command_call *call, const char *field, struct val v) {
    int i = kind_field(call->kind, str_z(field));
    INVARIANT(i >= 0);
    call->values[i] = v;
    call->given[i] = true;
}

/* The same row beside the same record is queued once; decided, it stays decided. */
static int queue(struct import_work *w, const struct import_match *m, struct err *e) {
    const struct kind *k = kind_by_name(STR("duplicate"));
    const struct import *im = w->im;
    struct command_call call = {.a = w->tx->a, .actor = im->o->actor, .lang = im->o->lang, .id = id_new(w->tx->now)};
    struct buf b CLEANUP(buf_release) = BUF(400);
    struct record *there;
    char text[ID_TEXT], area[ID_TEXT];
    buf_add_str(&b, id_bytes(&m->rec->id));
    buf_add(&b, w->row->content.b, sizeof w->row->content.b);
    call.record = import_made_id(im, arena_printf(w->tx->a, "import.duplicate.%s", im->kind->name), buf_str(&b));
    int found = record_load(w->tx->db, im->site->id, w->tx->a, k, call.record, &there, e);
    if (found < 0) return -1;
    if (found) {
        w->row->outcome = str_eq(record_text(there, "state"), STR("open")) && !there->removed ? ROW_QUEUED : ROW_UNCHANGED;
        return 0;
    }
    command_prepare(&call, k, VERB_CREATE);
    call.area = str_z(id_text(w->place ? w->place->id : m->rec->area, area));
    put(&call, "kind", VTEXTZ(im->kind->name));
    put(&call, "record_a", VTEXTZ(id_text(m->rec->id, text)));
    put(&call, "candidate", VTEXT(row_json(w)));
    put(&call, "file", VTEXT(utf8_prefix(str_z(im->name), 200)));
    put(&call, "file_row", VINT(MIN(w->row->number, 10000000)));
    put(&call, "likeness", VREAL(m->likeness));
    put(&call, "reason", VTEXTZ(m->reason));
    put(&call, "state", VTEXT(STR("open")));
    if (command_run(w->tx, &call, e)) return refuse_all(w, &call.errs, e);
    w->row->outcome = ROW_QUEUED;
    return 0;
}

/* ---- a row ---- */

static bool must_have_place(const struct import_work *w) {
    const struct kind *k = w->im->kind;
    int from = k->area_from ? kind_field(k, str_z(k->area_from)) : -1;
    if (k->flags & (KIND_TREE | KIND_NO_AREA) || w->place) return false;
    return !(from >= 0 && w->v[from].type == V_ID);
}

/* 0 done, 1 refused, -1. */
static int run_row(struct import_work *w, struct err *e) {
    struct import_match m;
    const struct kind *k = w->im->kind;
    w->v = arena_new(w->tx->a, struct val, k->n);
    memcpy(w->v, w->row->v, k->n * sizeof *w->v);
    int r = import_place(w, e);
    if (r == 0) r = import_refs(w, e);
    if (r == 0) r = import_home(w, e);
    if (r == 0) r = import_match(w, &m, e);
    if (r) return r;
    if (m.found == FOUND_SAME) return update(w, m.rec, e);
    if (must_have_place(w)) return import_refuse_with(w, "area", M_REQUIRED);
    if (m.found == FOUND_NONE) return create(w, e);
    if (w->new_home) {
        r = import_home_make(w, e);
        if (r) return r;
    }
    return queue(w, &m, e);
}

static const struct place *own_top(const struct import *im) {
    const struct actor *who = im->o->actor;
    if (who->system) return places_root(&im->places);
    for (size_t i = 1; i < who->n; i++)
        if (!str_eq(who->grants[i].path, who->grants[0].path)) return NULL;
    for (size_t i = 0; who->n && i < im->places.n; i++)
        if (str_eq(im->places.all[i].path, who->grants[0].path)) return &im->places.all[i];
    return NULL;
}

static int fresh_caches(struct import *im, struct tx *tx, struct err *e) {
    import_map_release(&im->refs);
    import_map_release(&im->homes);
    TRY(places_load(&im->places, tx->db, im->site->id, e));
    const struct place *top = im->o->area ? places_by_code(&im->places, str_z(im->o->area)) : NULL;
    struct id id;
    if (!top && im->o->area && id_parse(str_z(im->o->area), &id)) top = places_by_id(&im->places, id);
    if (im->o->area && !top)
        return err_set(e, ERR_INVALID, "area", M_NO_RECORD, im->o->area, label_in(kind_by_name(STR("area"))->label, im->o->lang));
    im->area = top ? top->id : (struct id){{0}};
    im->top = top ? top->path : STR("");
    const struct place *own = own_top(im);
    im->fallback = own ? own->id : (struct id){{0}};
    return 0;
}

static int run_one(struct import *im, struct tx *tx, struct import_page *p, struct import_row *row, struct err *e) {
    struct import_work w = {.im = im, .tx = tx, .page = p, .row = row};
    if (im->seq < 0) TRY(fresh_caches(im, tx, e));
    im->seq = 0;
    int r = run_row(&w, e);
    INVARIANT(r <= 0 || row->outcome == ROW_REFUSED);
    return r < 0 ? -1 : 0;
}

/* ---- reading ahead ---- */

enum { AHEAD = 64 };

/* A row of its own kind may be what a later row refers to; what it would have found before must not be believed then. */
static bool refers_to_itself(const struct kind *k) {
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].type == F_REF && strcmp(k->fields[i].ref, k->name) == 0) return true;
    return false;
}

/* What the row's references point to; then, from where they point, whom it may mean.  Nothing is decided here: an error comes again when the row runs. */
static int foresee_row(struct import_work *w, bool refs, struct err *e) {
    struct import_match ignored;
    w->v = arena_new(w->tx->a, struct val, w->im->kind->n);
    memcpy(w->v, w->row->v, w->im->kind->n * sizeof *w->v);
    int r = import_place(w, e);
    if (refs) return r < 0 ? -1 : import_refs_foresee(w, e);
    if (r == 0) r = import_refs(w, e);
    if (r == 0) r = import_home(w, e);
    if (r) return r < 0 ? -1 : 0;
    w->ahead = true;
    TRY(import_match(w, &ignored, e));
    return tx_foresee_values(w->tx, w->im->kind, w->v, NULL, e);
}

static int foresee_rows(struct import *im, struct tx *tx, struct import_page *p, size_t from, struct err *e) {
    if (!db_shared(tx->db) || refers_to_itself(im->kind)) return 0;
    if (im->seq < 0) TRY(fresh_caches(im, tx, e));
    im->seq = 0;
    for (int refs = 1; refs >= 0; refs--)
        for (size_t i = from; i < MIN(from + AHEAD, p->n); i++) {
            struct import_work w = {.im = im, .tx = tx, .page = p, .row = &p->rows[i]};
            struct import_row before = *w.row;
            if (before.malformed) continue;
            int r = foresee_row(&w, refs, e);
            *w.row = before;
            arena_clear(&im->row_arena);
            if (r < 0) return -1;
        }
    return 0;
}

int import_page_run(struct import *im, struct tx *tx, struct import_page *p, struct err *e) {
    struct arena *keep = tx->a;
    bool others_wrote = im->seq != tx->seq;
    int r = 0;
    if (others_wrote) im->seq = -1;
    tx->a = &im->row_arena;
    for (size_t i = 0; i < p->n && r == 0; i++) {
        struct import_row *row = &p->rows[i];
        if (i % AHEAD == 0 && foresee_rows(im, tx, p, i, e)) r = -1;
        if (row->malformed || r) continue;
        row->outcome = ROW_TODO;
        row->errs = NULL;
        r = run_one(im, tx, p, row, e);
        arena_clear(&im->row_arena);
    }
    tx->a = keep;
    /* After a failure the page runs again, with caches that hold what was undone. */
    if (r) im->seq = -1;
    else if (im->seq >= 0) im->seq = tx->seq;
    return r;
}
