/* Records in memory: values by name, sealing, digests, reading rows. */
#include "core/record.h"

#include "base/utf8.h"
#include "text/text.h"

/* ---- values by name ---- */

struct record *record_new(struct arena *a, const struct kind *k) {
    struct record *r = arena_new(a, struct record, 1);
    r->kind = k;
    r->v = arena_new(a, struct val, k->n);
    return r;
}

struct record *record_copy(struct arena *a, const struct record *r) {
    struct record *c = arena_new(a, struct record, 1);
    *c = *r;
    c->v = arena_new(a, struct val, r->kind->n);
    memcpy(c->v, r->v, r->kind->n * sizeof *r->v);
    return c;
}

struct record *record_dup(struct arena *a, const struct record *r) {
    struct record *c = record_copy(a, r);
    c->path = arena_str(a, r->path);
    c->extra = arena_str(a, r->extra);
    for (size_t i = 0; i < r->kind->n; i++) c->v[i] = val_copy(a, &r->v[i]);
    return c;
}

struct val *record_val(struct record *r, const char *field) {
    int i = kind_field(r->kind, str_z(field));
    INVARIANT(i >= 0);
    return &r->v[i];
}

const struct val *record_get(const struct record *r, const char *field) {
    int i = kind_field(r->kind, str_z(field));
    INVARIANT(i >= 0);
    return &r->v[i];
}

struct str record_text(const struct record *r, const char *field) {
    const struct val *v = record_get(r, field);
    return v->type == V_TEXT ? v->s : STR_NONE;
}

int64_t record_int(const struct record *r, const char *field) {
    const struct val *v = record_get(r, field);
    return v->type == V_INT ? v->i : 0;
}

bool record_has(const struct record *r, const char *field) {
    return record_get(r, field)->type != V_NULL;
}

day_t record_day(const struct record *r, const char *field, const struct tz *tz) {
    const struct val *v = record_get(r, field);
    day_t d = DAY_NONE;
    if (v->type == V_INT) return tz_day(tz, v->i);
    if (v->type == V_TEXT && day_from_iso(v->s, &d)) return d;
    return DAY_NONE;
}

void record_set_text(struct record *r, const char *field, struct str s) {
    *record_val(r, field) = s.n ? VTEXT(s) : VNULL;
}

void record_set_int(struct record *r, const char *field, int64_t v) {
    *record_val(r, field) = VINT(v);
}

void record_set_null(struct record *r, const char *field) {
    *record_val(r, field) = VNULL;
}

/* ---- sealing ---- */

/* What a sealed value is bound to: kind.field and the record. */
static struct str seal_about(struct arena *a, const struct record *r, size_t i) {
    struct str name = kind_sql(r->kind)->field_names[i];
    char *p = arena_alloc(a, name.n + 1 + ID_TEXT);
    memcpy(p, name.p, name.n);
    p[name.n] = ' ';
    id_text(r->id, p + name.n + 1);
    return (struct str){p, name.n + ID_TEXT};
}

int record_plain(const struct site_key *key, struct arena *a, const struct record *r, size_t i, struct str *ret, struct err *e) {
    const struct val *v = &r->v[i];
    if (v->type != V_BLOB) return *ret = v->type == V_TEXT ? v->s : STR_NONE, 0;
    return unseal(a, key, seal_about(a, r, i), v->s, ret, e);
}

void record_seal(const struct site_key *key, struct arena *a, struct record *r) {
    for (size_t i = 0; i < r->kind->n; i++)
        if (r->kind->fields[i].flags & SEALED && r->v[i].type == V_TEXT)
            r->v[i] = VBLOB(seal(a, key, seal_about(a, r, i), r->v[i].s));
}

struct digest record_digest(const struct site_key *key, const struct record *r) {
    struct digest_state d;
    digest_start_keyed(&d, key);
    digest_add_str(&d, str_z(r->kind->name));
    digest_add(&d, r->id.b, 16);
    digest_add(&d, r->area.b, 16);
    digest_add(&d, &r->version, sizeof r->version);
    digest_add(&d, &r->created_at, sizeof r->created_at);
    digest_add(&d, r->created_by.b, 16);
    if (!(r->kind->flags & KIND_LOG)) {
        digest_add(&d, &r->updated_at, sizeof r->updated_at);
        digest_add(&d, r->updated_by.b, 16);
    }
    uint8_t removed = r->removed;
    digest_add(&d, &removed, 1);
    digest_add_str(&d, r->extra);
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct val *v = &r->v[i];
        /* The personal part of a log row ends before the digest of its batch does. */
        if (v->type == V_NULL || (r->kind->flags & KIND_LOG && r->kind->fields[i].flags & (PERSONAL | SEALED))) continue;
        digest_add_str(&d, str_z(r->kind->fields[i].name));
        if (v->type == V_TEXT || v->type == V_BLOB) digest_add_str(&d, v->s);
        else if (v->type == V_ID) digest_add(&d, v->id.b, 16);
        else digest_add(&d, &v->i, 8);
    }
    return digest_end(&d);
}

/* ---- columns that follow from the fields ---- */

static void search_columns(struct arena *a, const struct record *r, struct val to[2]) {
    to[0] = to[1] = VNULL;
    for (size_t i = 0; i < r->kind->n; i++) {
        if (!(r->kind->fields[i].flags & SEARCH) || r->v[i].type != V_TEXT) continue;
        to[0] = VTEXT(utf8_fold(a, r->v[i].s));
        to[1] = VTEXT(text_initials(a, r->v[i].s, r->kind->fields[i].flags & PERSONAL));
        return;
    }
}

static struct val find_value(const struct site_key *key, struct arena *a, const struct kind *k, size_t field, struct str plain) {
    if (plain.n == 0) return VNULL;
    uint8_t *hash = arena_alloc(a, 16);
    find_hash(key, kind_sql(k)->field_names[field], plain, hash);
    return VBLOB(((struct str){(const char *)hash, 16}));
}

int record_derived(const struct site_key *key, struct arena *a, const struct record *r, struct val *to, size_t *ret_n, struct err *e) {
    size_t n = 0;
    if (kind_sql(r->kind)->has_search) {
        search_columns(a, r, to);
        n = 2;
    }
    for (size_t i = 0; i < r->kind->n; i++) {
        struct str plain;
        if (!(r->kind->fields[i].flags & FIND)) continue;
        TRY(record_plain(key, a, r, i, &plain, e));
        to[n++] = find_value(key, a, r->kind, i, plain);
    }
    *ret_n = n;
    return 0;
}

struct str record_title(struct arena *a, const struct record *r, bool masked) {
    static const unsigned wanted[] = {SEARCH, KEY};
    for (size_t w = 0; w < COUNT(wanted); w++)
        for (size_t i = 0; i < r->kind->n; i++) {
            const struct field *f = &r->kind->fields[i];
            if (!(f->flags & wanted[w]) || f->flags & SEALED || r->v[i].type != V_TEXT) continue;
            return masked && f->flags & PERSONAL ? field_mask(a, f, r->v[i].s) : r->v[i].s;
        }
    char id[ID_TEXT];
    return str_z(arena_printf(a, "%.8s", id_text(r->id, id)));
}

/* ---- reading ---- */

void record_read(struct arena *a, const struct kind *k, struct rows *rows, struct record *ret) {
    *ret = (struct record){
        .kind = k,
        .id = rows_id(rows, 0),
        .version = rows_int(rows, 1),
        .area = rows_id(rows, 2),
        .path = arena_str(a, rows_text(rows, 3)),
        .created_at = rows_int(rows, 4),
        .created_by = rows_id(rows, 5),
        .updated_at = rows_int(rows, 6),
        .updated_by = rows_id(rows, 7),
        .removed = rows_int(rows, 8),
        .extra = arena_str(a, rows_text(rows, 9)),
        .batch = rows_int(rows, 10),
        .v = arena_new(a, struct val, k->n),
    };
    for (size_t i = 0; i < k->n; i++) {
        struct val v = rows_val(rows, RECORD_COLUMNS + (int)i, field_val(&k->fields[i]));
        ret->v[i] = val_copy(a, &v);
    }
}

static int load(struct db *db, const struct stmt *s, int64_t site, struct arena *a, const struct kind *k, struct id id, struct record **ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, s, &rows, e, VINT(site), VID(id)));
    int r = rows_next(rows, e);
    if (r != 1) return r;
    *ret = arena_new(a, struct record, 1);
    record_read(a, k, rows, *ret);
    return 1;
}

int record_load_fresh(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct id id, struct record **ret, struct err *e) {
    return load(db, &kind_sql(k)->get, site, a, k, id, ret, e);
}

int record_load(struct db *db, int64_t site, struct arena *a, const struct kind *k, struct id id, struct record **ret, struct err *e) {
    int r = record_load_fresh(db, site, a, k, id, ret, e);
    return r || !k->sunset_days ? r : load(db, &kind_sql(k)->old, site, a, k, id, ret, e);
}

struct question {
    const struct stmt *stmt;
    struct val v;
};

static struct question question(const struct site_key *key, struct arena *a, const struct kind *k, size_t field, struct str text) {
    bool hashed = k->fields[field].flags & FIND;
    struct question q = {hashed ? &kind_sql(k)->by_hash[field] : &kind_sql(k)->by_text[field],
                         hashed ? find_value(key, a, k, field, text) : VTEXT(text)};
    INVARIANT(q.stmt->sql);
    return q;
}

int record_find(struct db *db, int64_t site, const struct site_key *key, struct arena *a, const struct kind *k, size_t field,
                struct str text, struct record **ret, struct err *e) {
    struct question q = question(key, a, k, field, text);
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, q.stmt, &rows, e, VINT(site), q.v));
    int r = rows_next(rows, e);
    if (r != 1) return r;
    *ret = arena_new(a, struct record, 1);
    record_read(a, k, rows, *ret);
    r = rows_next(rows, e);
    return r < 0 ? -1 : 1 + r;
}

/* ---- reading ahead ---- */

int record_load_foresee(struct db *db, int64_t site, const struct kind *k, struct id id, struct err *e) {
    return db_foresee(db, &kind_sql(k)->get, e, VINT(site), VID(id));
}

int record_find_foresee(struct db *db, int64_t site, const struct site_key *key, struct arena *a, const struct kind *k, size_t field, struct str text,
                        struct err *e) {
    struct question q = question(key, a, k, field, text);
    return db_foresee(db, q.stmt, e, VINT(site), q.v);
}

void record_unforesee(struct db *db, int64_t site, const struct record *r, const struct val *derived) {
    const struct kind_sql *q = kind_sql(r->kind);
    size_t hash = q->has_search ? 2 : 0;
    db_unforesee(db, &q->get, VINT(site), VID(r->id));
    if (hash) db_unforesee(db, &q->search_name, VINT(site), derived[0]);
    for (size_t i = 0; i < r->kind->n; i++) {
        if (q->by_field[i].sql && r->v[i].type != V_NULL) db_unforesee(db, &q->by_field[i], VINT(site), r->v[i]);
        if (q->by_text[i].sql && r->v[i].type == V_TEXT) db_unforesee(db, &q->by_text[i], VINT(site), r->v[i]);
        if (r->kind->fields[i].flags & FIND) db_unforesee(db, &q->by_hash[i], VINT(site), derived[hash++]);
    }
}
