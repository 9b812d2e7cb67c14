#include "core/tx.h"

#include "core/core_stmts.h"
#include "core/figure.h"
#include "core/journal.h"
#include "core/kept.h"
#include "core/log_place.h"
#include "core/memo.h"
#include "core/tx_log.h"

/* ---- the transaction ---- */

int tx_foresee_start(struct tx *tx, struct err *e) {
    TRY(db_foresee(tx->db, CS(site_lock), e, VINT(tx->site->id)));
    return db_foresee(tx->db, CS(journal_end), e, VINT(tx->site->id));
}

/* The lock first: what is read behind it stands until the commit. */
int tx_start(struct tx *tx, struct err *e) {
    int64_t areas;
    TRY(areas_changed_at(tx->db, tx->site->id, true, &areas, e));
    pthread_mutex_lock(&tx->site->lock);
    tx->site->areas_seq = MAX(tx->site->areas_seq, areas);
    pthread_mutex_unlock(&tx->site->lock);
    TRY(journal_end(tx->db, tx->site->id, &tx->seq, &tx->chain, e));
    tx->batch = tx->seq + 1;
    tx->now = site_now(tx->site);
    tx->today = tz_day(tx->site->tz, tx->now);
    tx->areas_changed = tx->traced = false;
    tally_batch_start(tx->tallies);
    tx_log_clear(tx);
    return 0;
}

static int note_areas(struct tx *tx, struct err *e) {
    char seq[24];
    snprintf(seq, sizeof seq, "%lld", (long long)tx->seq);
    return tx->areas_changed ? setting_put(tx->db, tx->site->id, "areas", str_z(seq), e) : 0;
}

int tx_finish(struct tx *tx, struct err *e) {
    TRY(note_areas(tx, e));
    TRY(tx_log_close(tx, e));
    return tally_batch_finish(tx->tallies, tx, e);
}

struct tx_mark tx_mark(struct tx *tx) {
    tx_log_mark(tx);
    return (struct tx_mark){tally_batch_mark(tx->tallies), tx->seq, tx->chain};
}

void tx_undo(struct tx *tx, const struct tx_mark *m) {
    tally_batch_undo(tx->tallies, m->tallies);
    tx->seq = m->seq;
    tx->chain = m->chain;
    tx_log_undo(tx);
}

struct check_env tx_env(const struct tx *tx) {
    return (struct check_env){.a = tx->a, .tz = tx->site->tz, .now = tx->now, .today = tx->today};
}

int tx_require(struct tx *tx, struct str path, struct err *e) {
    /* Jobs have no kind. */
    if (tx->actor->system || permit_may(tx->actor, tx->kind->name, tx->verb, path)) return 0;
    return err_set(e, ERR_FORBIDDEN, "area", M_OUTSIDE_AREA);
}

int tx_load(struct tx *tx, const struct kind *k, struct id id, struct record **ret, struct err *e) {
    struct record *r = NULL;
    int found = record_load(tx->db, tx->site->id, tx->a, k, id, &r, e);
    if (found < 0) return -1;
    if (found == 0 || r->removed) {
        char text[ID_TEXT];
        return err_set(e, ERR_NOT_FOUND, NULL, M_NO_RECORD, id_text(id, text), label_in(k->label, tx->lang));
    }
    *ret = r;
    return 0;
}

static int area_record(struct tx *tx, struct id area, struct record **ret, struct err *e) {
    return tx_load(tx, kind_by_name(STR("area")), area, ret, e);
}

struct areas *tx_areas(struct tx *tx) {
    if (tx->areas_changed) return NULL;
    struct areas *t = site_areas(tx->site);
    pthread_mutex_lock(&tx->site->lock);
    bool fresh = t->seq >= tx->site->areas_seq;
    pthread_mutex_unlock(&tx->site->lock);
    if (fresh) return t;
    areas_drop(t);
    return NULL;
}

int tx_area_path(struct tx *tx, struct id area, struct str *ret, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = tx_areas(tx);
    const struct area *x = t ? areas_by_id(t, area) : NULL;
    struct record *r;
    if (x) return *ret = arena_str(tx->a, x->path), 0;
    TRY(area_record(tx, area, &r, e));
    *ret = r->path;
    return 0;
}

void tx_as(struct tx *tx, const struct actor *who, const char *command, const struct kind *k, const char *verb) {
    tx->actor = who;
    tx->command = command;
    tx->command_id = id_new(tx->now);
    tx->kind = k;
    tx->verb = verb;
    tx->fingerprint = 0;
    tx->entry_used = false;
}

/* ---- journal entries ---- */

static int entry(struct tx *tx, const struct record *r, struct str change, bool row, struct err *e) {
    struct journal_entry j = {
        .id = tx->entry_used ? id_new(tx->now) : tx->command_id,
        .cause = tx->entry_used ? tx->command_id : (struct id){{0}},
        .fingerprint = tx->entry_used ? 0 : tx->fingerprint,
        .actor = tx->actor->id,
        .command = str_z(tx->command),
        .kind = str_z(r->kind->name),
        .record = r->id,
        .version = r->version,
        .path = r->path,
        .change = change,
        .has_row = row,
    };
    if (row) j.row = record_digest(&tx->site->key, r);
    TRY(journal_append(tx, &j, e));
    if (!tx->entry_used) {
        tx->record = r->id;
        tx->version = r->version;
        tx->entry_seq = tx->seq;
    }
    tx->entry_used = true;
    return 0;
}

int tx_note(struct tx *tx, const struct record *about, struct str change_json, struct err *e) {
    return entry(tx, about, change_json, false, e);
}

/* ---- checks that need the database ---- */

/* What rows of a log refer to is few and asked for all the time. */
static int load_ref(struct tx *tx, const struct record *from, const struct kind *to, struct id id, struct record **ret, struct err *e) {
    struct str what = {(const char *)id.b, sizeof id.b};
    bool keep = from->kind->flags & KIND_LOG;
    if (keep && (*ret = kept_get(tx->kept, to, -1, what))) return 1;
    int found = record_load(tx->db, tx->site->id, tx->a, to, id, ret, e);
    if (found == 1 && keep) kept_put(tx->kept, -1, what, *ret);
    return found;
}

static int find_ref(struct tx *tx, const struct record *from, const struct kind *to, size_t field, struct str text, struct record **ret, struct err *e) {
    bool keep = from->kind->flags & KIND_LOG && !(to->fields[field].flags & SEALED);
    if (keep && (*ret = kept_get(tx->kept, to, (int)field, text))) return 1;
    int found = record_find(tx->db, tx->site->id, &tx->site->key, tx->a, to, field, text, ret, e);
    if (found == 1 && keep) kept_put(tx->kept, (int)field, text, *ret);
    return found;
}

static int ref_by_key(struct tx *tx, const struct record *from, const struct field *f, struct val *v, struct errs *errs, struct err *e) {
    const struct kind *to = kind_by_name(str_z(f->ref));
    struct check_env env = tx_env(tx);
    for (size_t i = 0; i < to->n; i++) {
        const struct field *key = &to->fields[i];
        struct record *r;
        struct val plain;
        struct err ignored;
        if (!(key->flags & KEY) || field_from_text(&env, key, v->s, &plain, &ignored) || plain.type != V_TEXT) continue;
        int found = find_ref(tx, from, to, i, plain.s, &r, e);
        if (found < 0) return -1;
        /* Whether an identity number is known is told only to who may read its record. */
        if (found && key->flags & SEALED && !permit_may(tx->actor, to->name, "read", r->path)) continue;
        if (found == 1) return *v = VID(r->id), 0;
        if (found == 2) {
            err_set(errs_next(errs), ERR_INVALID, f->name, M_AMBIGUOUS, arena_strz(tx->a, v->s), label_in(to->label, tx->lang));
            return 0;
        }
    }
    err_set(errs_next(errs), ERR_INVALID, f->name, M_NO_RECORD, arena_strz(tx->a, v->s), label_in(to->label, tx->lang));
    return 0;
}

/* A reference may point to what the actor may read, or to what stands above the record (its community, its county's organisation). */
static bool ref_in_reach(struct tx *tx, const struct record *r, const struct record *target) {
    return permit_may(tx->actor, target->kind->name, "read", target->path) || path_under(r->path, target->path);
}

static int resolve_keys(struct tx *tx, struct record *r, struct errs *errs, struct err *e) {
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct field *f = &r->kind->fields[i];
        if (f->type == F_REF && r->v[i].type == V_TEXT) TRY(ref_by_key(tx, r, f, &r->v[i], errs, e));
    }
    return 0;
}

static int check_ref(struct tx *tx, const struct record *old, struct record *r, size_t i, struct errs *errs, struct err *e) {
    const struct field *f = &r->kind->fields[i];
    const struct val *v = &r->v[i];
    struct record *target = NULL;
    char text[ID_TEXT];
    if (f->type != F_REF || v->type != V_ID || (old && !old->removed && val_eq(&old->v[i], v))) return 0;
    const struct kind *to = kind_by_name(str_z(f->ref));
    int found = load_ref(tx, r, to, v->id, &target, e);
    if (found < 0) return -1;
    if (found == 0 || target->removed)
        err_set(errs_next(errs), ERR_INVALID, f->name, M_NO_RECORD, id_text(v->id, text), label_in(to->label, tx->lang));
    else if (!ref_in_reach(tx, r, target))
        err_set(errs_next(errs), ERR_INVALID, f->name, M_OUTSIDE_AREA);
    else if (r->kind->area_from && strcmp(r->kind->area_from, f->name) == 0 && id_is_nil(r->area))
        r->area = target->area, r->path = arena_str(tx->a, target->path);
    return 0;
}

static int check_refs(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    int from = r->kind->area_from ? kind_field(r->kind, str_z(r->kind->area_from)) : -1;
    /* The one that says where the record stands comes first: the others are judged from there. */
    if (from >= 0) TRY(check_ref(tx, old, r, (size_t)from, errs, e));
    for (size_t i = 0; i < r->kind->n; i++)
        if ((int)i != from) TRY(check_ref(tx, old, r, i, errs, e));
    return 0;
}

static void check_required(struct record *r, struct errs *errs) {
    for (size_t i = 0; i < r->kind->n; i++)
        if (r->kind->fields[i].flags & REQUIRED && r->v[i].type == V_NULL)
            err_set(errs_next(errs), ERR_INVALID, r->kind->fields[i].name, M_REQUIRED);
}

static int check_unique(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct field *f = &r->kind->fields[i];
        if (!(f->flags & UNIQUE) || r->v[i].type != V_TEXT || (old && !old->removed && val_eq(&old->v[i], &r->v[i]))) continue;
        struct record *other;
        int found = record_find(tx->db, tx->site->id, &tx->site->key, tx->a, r->kind, i, r->v[i].s, &other, e);
        if (found < 0) return -1;
        if (found && !id_eq(other->id, r->id)) {
            struct str shown = f->flags & SEALED ? field_mask(tx->a, f, r->v[i].s) : r->v[i].s;
            err_set(errs_next(errs), ERR_INVALID, f->name, M_SAME_CODE, arena_strz(tx->a, shown));
        }
    }
    return 0;
}

/* ---- reading ahead ---- */

/* What rows of a log refer to may be kept. */
static bool known(const struct tx *tx, const struct kind *from, const struct kind *to, int field, struct str what) {
    return tx->alone && from->flags & KIND_LOG && kept_get(tx->kept, to, field, what);
}

static int foresee_key(struct tx *tx, const struct kind *from, const struct kind *to, struct str text, struct err *e) {
    struct check_env env = tx_env(tx);
    for (size_t i = 0; i < to->n; i++) {
        struct val plain;
        struct err ignored;
        if (!(to->fields[i].flags & KEY) || field_from_text(&env, &to->fields[i], text, &plain, &ignored) || plain.type != V_TEXT) continue;
        if (known(tx, from, to, (int)i, plain.s)) return 0;
        return record_find_foresee(tx->db, tx->site->id, &tx->site->key, tx->a, to, i, plain.s, e);
    }
    return 0;
}

static int foresee_ref(struct tx *tx, const struct kind *from, const struct kind *to, const struct val *v, struct err *e) {
    if (v->type == V_TEXT) return foresee_key(tx, from, to, v->s, e);
    return v->type != V_ID || known(tx, from, to, -1, id_bytes(&v->id)) ? 0 : record_load_foresee(tx->db, tx->site->id, to, v->id, e);
}

int tx_foresee_values(struct tx *tx, const struct kind *k, const struct val *values, const bool *given, struct err *e) {
    for (size_t i = 0; i < k->n; i++) {
        const struct field *f = &k->fields[i];
        const struct val *v = &values[i];
        if (given && !given[i]) continue;
        if (f->type == F_REF) TRY(foresee_ref(tx, k, kind_by_name(str_z(f->ref)), v, e));
        if (f->type != F_REF && f->flags & UNIQUE && v->type == V_TEXT)
            TRY(record_find_foresee(tx->db, tx->site->id, &tx->site->key, tx->a, k, i, v->s, e));
    }
    return k->foresee ? k->foresee(tx, values, e) : 0;
}

/* ---- places ---- */

static bool above(struct str level, struct str below) {
    int a = area_level_rank(level), b = area_level_rank(below);
    return a < b || (a == b && (str_eq(level, STR("group")) || str_eq(below, STR("group"))));
}

static void refuse_level(struct tx *tx, struct errs *errs, const char *field, struct str level, struct str up) {
    err_set(errs_next(errs), ERR_INVALID, field, M_LEVEL, arena_strz(tx->a, level), arena_strz(tx->a, up));
}

/* Between the level of its parent and those of its children. */
static int check_level(struct tx *tx, const struct record *r, struct errs *errs, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    const struct val *parent = record_get(r, "parent");
    struct str level = record_text(r, "level");
    struct record *up;
    int got;
    if (parent->type == V_ID) {
        TRY(area_record(tx, parent->id, &up, e));
        if (!above(record_text(up, "level"), level)) refuse_level(tx, errs, "level", level, record_text(up, "level"));
    }
    TRY(db_query(tx->db, CS(area_child_levels), &rows, e, VINT(tx->site->id), VID(r->id)));
    while ((got = rows_next(rows, e)) == 1)
        if (!above(level, rows_text(rows, 0))) refuse_level(tx, errs, "level", rows_text(rows, 0), level);
    return got;
}

/* What lies below an area moves with it and must not become too deep. */
static int check_depth(struct tx *tx, struct str from, struct str to, struct err *e) {
    struct path_range range = path_range(tx->a, from);
    int64_t deepest = 0;
    if (db_int(tx->db, CS(area_deepest), &deepest, e, VINT(tx->site->id), VTEXT(range.from), VTEXT(range.to)) < 0) return -1;
    if ((size_t)deepest + to.n < AREA_PATH + from.n) return 0;
    char most[8];
    snprintf(most, sizeof most, "%d", AREA_DEPTH);
    return err_set(e, ERR_INVALID, "parent", M_RANGE, "1", most);
}

/* Where a new or moved area stands: behind the last child of its parent. */
static int tree_path(struct tx *tx, struct record *r, struct errs *errs, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    const struct val *parent = record_get(r, "parent");
    struct str top = STR("");
    if (parent->type == V_ID) {
        struct record *up;
        TRY(area_record(tx, parent->id, &up, e));
        top = up->path;
        if (!above(record_text(up, "level"), record_text(r, "level"))) refuse_level(tx, errs, "parent", record_text(r, "level"), record_text(up, "level"));
        if (r->path.n && path_under(top, r->path)) err_set(errs_next(errs), ERR_INVALID, "parent", M_CYCLE);
        TRY(db_query(tx->db, CS(area_last_child), &rows, e, VINT(tx->site->id), *parent));
    } else {
        TRY(db_query(tx->db, CS(area_last_root), &rows, e, VINT(tx->site->id)));
    }
    int got = rows_next(rows, e);
    if (got < 0) return -1;
    struct str path = path_next_child(tx->a, top, got ? rows_text(rows, 0) : STR_NONE);
    if (path.n == 0) return err_set(e, ERR_INVALID, "parent", M_RANGE, "1", "46655");
    if (r->path.n) TRY(check_depth(tx, r->path, path, e));
    r->path = path;
    return 0;
}

static int place_in_tree(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    if (record_get(r, "parent")->type == V_TEXT) return 0; /* refused already */
    if (!old || !val_eq(record_get(old, "parent"), record_get(r, "parent"))) return tree_path(tx, r, errs, e);
    return val_eq(record_get(old, "level"), record_get(r, "level")) ? 0 : check_level(tx, r, errs, e);
}

/* The reference that says where the record stands must be given, and that is all there is to say. */
static bool says_where(const struct record *r) {
    int from = r->kind->area_from ? kind_field(r->kind, str_z(r->kind->area_from)) : -1;
    return from >= 0 && r->kind->fields[from].flags & REQUIRED && r->v[from].type == V_NULL;
}

static int place(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    if (r->kind->flags & KIND_TREE) return place_in_tree(tx, old, r, errs, e);
    if (r->kind->flags & KIND_NO_AREA) {
        r->path = STR("");
        return 0;
    }
    if (id_is_nil(r->area) && errs->n == 0) err_set(errs_next(errs), ERR_INVALID, says_where(r) ? r->kind->area_from : "area", M_REQUIRED);
    return 0;
}

/* An area is its own area; what belongs to the whole site has none. */
static void settle_area(struct record *r) {
    if (r->kind->flags & KIND_TREE) r->area = r->id;
    else if (r->kind->flags & KIND_NO_AREA) r->area = (struct id){{0}};
}

/* Everything between what was asked and the row: 0 when it may be stored. */
static int prepare(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    if (!id_is_nil(r->area) && !(r->kind->flags & KIND_TREE) && !r->path.n) TRY(tx_area_path(tx, r->area, &r->path, e));
    TRY(check_refs(tx, old, r, errs, e));
    TRY(place(tx, old, r, errs, e));
    if (errs->n == 0) TRY(tx_require(tx, r->path, e));
    if (errs->n == 0 && r->kind->derive) TRY(r->kind->derive(tx, old, r, errs, e));
    if (!id_is_nil(r->area) || !says_where(r)) check_required(r, errs);
    if (errs->n == 0) TRY(check_unique(tx, old, r, errs, e));
    if (errs->n == 0) return 0;
    *e = errs->e[0];
    return -1;
}

/* ---- storing ---- */

static struct val id_val(struct id id) {
    return id_is_nil(id) ? VNULL : VID(id);
}

static int store(struct tx *tx, const struct stmt *s, struct record *r, struct err *e) {
    const struct kind *k = r->kind;
    struct val *v = arena_new(tx->a, struct val, 14 + 2 * k->n), *derived = arena_new(tx->a, struct val, 2 + k->n);
    size_t n = 0, derived_n, search = kind_sql(k)->has_search ? 2 : 0;
    TRY(record_derived(&tx->site->key, tx->a, r, derived, &derived_n, e));
    record_unforesee(tx->db, tx->site->id, r, derived);
    record_seal(&tx->site->key, tx->a, r);
    v[n++] = VINT(tx->site->id);
    v[n++] = VID(r->id);
    v[n++] = VINT(r->version);
    v[n++] = id_val(r->area);
    v[n++] = VTEXT(r->path);
    v[n++] = VINT(r->created_at);
    v[n++] = id_val(r->created_by);
    v[n++] = VINT(r->updated_at);
    v[n++] = id_val(r->updated_by);
    v[n++] = VINT(r->removed);
    v[n++] = r->extra.n ? VTEXT(r->extra) : VNULL;
    v[n++] = r->batch ? VINT(r->batch) : VNULL;
    memcpy(v + n, derived, search * sizeof *v);
    memcpy(v + n + search, r->v, k->n * sizeof *v);
    memcpy(v + n + search + k->n, derived + search, (derived_n - search) * sizeof *v);
    if (!(k->flags & KIND_LOG)) kept_forget(tx->kept, k);
    if (k->memo) memo_stored(tx->memo, r);
    return db_run_n(tx->db, s, v, n + k->n + derived_n, NULL, e);
}

int tx_create(struct tx *tx, struct record *r, struct errs *errs, struct err *e) {
    if (id_is_nil(r->id)) r->id = id_new(tx->now);
    r->version = 1;
    r->created_at = r->updated_at = tx->now;
    r->created_by = r->updated_by = tx->actor->id;
    settle_area(r);
    TRY(resolve_keys(tx, r, errs, e));
    TRY(prepare(tx, NULL, r, errs, e));
    bool log = r->kind->flags & KIND_LOG;
    if (log) r->batch = tx->batch;
    if (log) TRY(tx_log_prepare(tx, r, e));
    TRY(store(tx, &kind_sql(r->kind)->insert, r, e));
    tx->stored = true;
    tally_record(tx->tallies, tx->site->tz, r, 1);
    if (r->kind->flags & KIND_TREE) tx->areas_changed = true;
    if (log) {
        TRY(log_place_note(tx, r, e));
        tx_log_stored(tx, r);
        if (!tx->entry_used) tx->record = r->id, tx->version = 1;
        return 0;
    }
    return entry(tx, r, journal_change(tx->site->tz, tx->a, NULL, r), true, e);
}

/* A record that is given no area goes where its area_from points to; one that points to nothing new stays. */
static void keep_area(const struct record *old, struct record *r) {
    int from = r->kind->area_from ? kind_field(r->kind, str_z(r->kind->area_from)) : -1;
    if (!id_is_nil(r->area)) return;
    if (from < 0 || r->v[from].type == V_NULL || val_eq(&old->v[from], &r->v[from])) r->area = old->area;
}

/* Sealed fields given again with the same content keep their sealed bytes, so that they do not count as a change. */
static int keep_unchanged(struct tx *tx, const struct record *old, struct record *r, bool *ret_changed, struct err *e) {
    *ret_changed = old->removed != r->removed || !id_eq(old->area, r->area) || !str_eq(old->extra, r->extra);
    for (size_t i = 0; i < r->kind->n; i++) {
        if (val_eq(&old->v[i], &r->v[i])) continue;
        if (old->v[i].type == V_BLOB && r->v[i].type == V_TEXT) {
            struct str before;
            TRY(record_plain(&tx->site->key, tx->a, old, i, &before, e));
            if (str_eq(before, r->v[i].s)) {
                r->v[i] = old->v[i];
                continue;
            }
        }
        *ret_changed = true;
    }
    return 0;
}

/* An area and all below it get another path: rows of every kind, and the tallies counted again where they now belong. */
static int recount_subtree(struct tx *tx, struct str top, int sign, struct err *e) {
    struct path_range range = path_range(tx->a, top);
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);
        struct rows *rows CLEANUP(rows_donep) = NULL;
        struct arena a CLEANUP(arena_release) = {0};
        TRY(db_stream(tx->db, &kind_sql(k)->range, &rows, e, VINT(tx->site->id), VTEXT(range.from), VTEXT(range.to)));
        int r;
        struct record rec;
        while ((r = rows_next(rows, e)) == 1) {
            record_read(&a, k, rows, &rec);
            tally_record(tx->tallies, tx->site->tz, &rec, sign);
            arena_clear(&a);
        }
        if (r < 0) return -1;
    }
    return tally_ended(tx, &range, sign, e);
}

/* What was read ahead by the old record's keys is not true any more. */
static int forget(struct tx *tx, const struct record *old, struct err *e) {
    struct val *derived = arena_new(tx->a, struct val, 2 + old->kind->n);
    size_t n;
    if (!db_shared(tx->db)) return 0;
    TRY(record_derived(&tx->site->key, tx->a, old, derived, &n, e));
    record_unforesee(tx->db, tx->site->id, old, derived);
    return 0;
}

static int move_subtree(struct tx *tx, struct str from, struct str to, struct err *e) {
    struct path_range range = path_range(tx->a, from);
    kept_clear(tx->kept); /* paths change */
    TRY(recount_subtree(tx, from, -1, e));
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind_sql *q = kind_sql(kind_at(i));
        struct val v[] = {VINT(tx->site->id), VTEXT(range.from), VTEXT(range.to), VTEXT(to)};
        TRY(db_run_n(tx->db, &q->move, v, COUNT(v), NULL, e));
        for (size_t m = 0; m < q->months_n; m++) TRY(db_run_n(tx->db, &q->months[m].move, v, COUNT(v), NULL, e));
    }
    TRY(db_run(tx->db, CS(log_place_move), e, VINT(tx->site->id), VTEXT(range.from), VTEXT(range.to), VTEXT(to)));
    TRY(tally_ended_move(tx, &range, to, e));
    return recount_subtree(tx, to, 1, e);
}

enum { FOLLOWERS_MOST = 1000 };

static int read_followers(struct tx *tx, const struct record *old, const struct kind *k, size_t field, struct record *list, size_t *n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct path_range here = path_range(tx->a, old->path);
    int got;
    TRY(db_query(tx->db, &kind_sql(k)->by_field[field], &rows, e, VINT(tx->site->id), VID(old->id), VTEXT(here.from), VTEXT(here.to),
                 VTEXT(STR("")), VID((struct id){{0}}), VINT(FOLLOWERS_MOST)));
    for (*n = 0; (got = rows_next(rows, e)) == 1;) {
        record_read(tx->a, k, rows, &list[*n]);
        *n += id_eq(list[*n].area, old->area);
    }
    return got;
}

static int take_along(struct tx *tx, const struct record *old, const struct record *r, struct errs *errs, struct err *e) {
    struct record *list = arena_new(tx->a, struct record, FOLLOWERS_MOST);
    bool changed;
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);
        int from = k->flags & KIND_FOLLOWS ? kind_field(k, str_z(k->area_from)) : -1;
        size_t n;
        if (from < 0 || strcmp(k->fields[from].ref, r->kind->name) != 0) continue;
        TRY(read_followers(tx, old, k, (size_t)from, list, &n, e));
        if (n == FOLLOWERS_MOST) return err_set(e, ERR_INVALID, "area", M_TOO_MANY, arena_printf(tx->a, "%d", FOLLOWERS_MOST - 1));
        for (size_t j = 0; j < n; j++) {
            struct record *moved = record_copy(tx->a, &list[j]);
            moved->area = r->area;
            TRY(tx_update(tx, &list[j], moved, &changed, errs, e));
        }
    }
    return 0;
}

int tx_update(struct tx *tx, const struct record *old, struct record *r, bool *ret_changed, struct errs *errs, struct err *e) {
    *ret_changed = false;
    TRY(tx_require(tx, old->path, e));
    settle_area(r);
    TRY(resolve_keys(tx, r, errs, e));
    keep_area(old, r);
    TRY(keep_unchanged(tx, old, r, ret_changed, e));
    if (!*ret_changed) {
        /* The command still ran: its id must answer the same when it comes again. */
        if (!tx->entry_used) TRY(tx_note(tx, old, STR("{}"), e));
        return 0;
    }
    r->version = old->version + 1;
    r->updated_at = tx->now;
    r->updated_by = tx->actor->id;
    /* The area of a record that comes back may be gone. */
    if (!(r->kind->flags & KIND_TREE) && (old->removed || !id_eq(old->area, r->area))) r->path = STR("");
    TRY(prepare(tx, old, r, errs, e));
    TRY(forget(tx, old, e));
    bool moved = r->kind->flags & KIND_TREE && !str_eq(old->path, r->path);
    if (moved) TRY(move_subtree(tx, old->path, r->path, e));
    /* After a move the old contribution stands under the new path already. */
    struct record *before = record_copy(tx->a, old);
    if (moved) before->path = r->path;
    tally_record(tx->tallies, tx->site->tz, before, -1);
    TRY(store(tx, &kind_sql(r->kind)->update, r, e));
    tally_record(tx->tallies, tx->site->tz, r, 1);
    if (r->kind->flags & KIND_TREE) tx->areas_changed = true;
    TRY(entry(tx, r, journal_change(tx->site->tz, tx->a, old, r), true, e));
    return id_eq(old->area, r->area) ? 0 : take_along(tx, old, r, errs, e);
}

/* 1: a record of that kind stands in an area or below it, but for the area itself. */
static int stands_below(struct tx *tx, const struct kind *k, const struct record *area, const struct path_range *range, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct val v[] = {VINT(tx->site->id), VTEXT(range->from), VTEXT(range->to), VTEXT(area->path), VID(k->flags & KIND_TREE ? area->id : (struct id){{0}}), VINT(1)};
    if (k->flags & KIND_LOG) TRY(db_stream_n(tx->db, &kind_sql(k)->range, v, 3, &rows, e));
    else TRY(db_query_n(tx->db, &kind_sql(k)->range_after, v, COUNT(v), &rows, e));
    return rows_next(rows, e);
}

static int nothing_below(struct tx *tx, const struct record *r, struct err *e) {
    struct path_range range = path_range(tx->a, r->path);
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);
        int got = stands_below(tx, k, r, &range, e);
        if (got < 0) return -1;
        if (got) return err_set(e, ERR_STATE, NULL, M_HAS_CHILDREN, label_in(k->label, tx->lang));
    }
    return 0;
}

static int nothing_refers(struct tx *tx, const struct record *r, struct err *e) {
    struct path_range all = path_range(tx->a, STR(""));
    for (size_t i = 0; i < kind_count(); i++) {
        const struct kind *k = kind_at(i);
        for (size_t f = 0; f < k->n; f++) {
            struct rows *rows CLEANUP(rows_donep) = NULL;
            const struct stmt *referring = &kind_sql(k)->by_field[f];
            if (k->flags & (KIND_LOG | KIND_KEPT) || !k->fields[f].ref || strcmp(k->fields[f].ref, r->kind->name) != 0 || !referring->sql) continue;
            TRY(db_query(tx->db, referring, &rows, e, VINT(tx->site->id), VID(r->id), VTEXT(all.from), VTEXT(all.to), VTEXT(STR("")),
                         VID((struct id){{0}}), VINT(1)));
            int got = rows_next(rows, e);
            if (got < 0) return -1;
            if (got) return err_set(e, ERR_STATE, NULL, M_HAS_CHILDREN, label_in(k->label, tx->lang));
        }
    }
    return 0;
}

int tx_remove(struct tx *tx, const struct record *old, struct err *e) {
    TRY(tx_require(tx, old->path, e));
    if (old->kind->flags & KIND_KEPT) return err_set(e, ERR_STATE, NULL, M_KEPT);
    TRY(nothing_refers(tx, old, e));
    if (old->kind->flags & KIND_TREE) TRY(nothing_below(tx, old, e));
    struct record *r = record_copy(tx->a, old);
    r->removed = true;
    r->version++;
    r->updated_at = tx->now;
    r->updated_by = tx->actor->id;
    tally_record(tx->tallies, tx->site->tz, old, -1);
    TRY(store(tx, &kind_sql(r->kind)->update, r, e));
    if (r->kind->flags & KIND_TREE) tx->areas_changed = true;
    return entry(tx, r, journal_change(tx->site->tz, tx->a, old, r), true, e);
}

int tx_erase(struct tx *tx, const struct record *old, struct err *e) {
    struct record *r = record_copy(tx->a, old);
    for (size_t i = 0; i < r->kind->n; i++)
        if (r->kind->fields[i].flags & (PERSONAL | SEALED)) r->v[i] = VNULL;
    r->version++;
    r->updated_at = tx->now;
    r->updated_by = tx->actor->id;
    TRY(store(tx, &kind_sql(r->kind)->update, r, e));
    return entry(tx, r, STR("{\"erased\":true}"), true, e);
}
