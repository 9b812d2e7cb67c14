/* Records, areas, changes and conflicts as JSON.  Titles of referenced records are looked up once a request. */
#include "api/request.h"

#include "base/log.h"
#include "core/core_stmts.h"
#include "core/journal.h"

enum { TITLE_SLOTS = 2048, TITLE_PROBES = 8 };
struct title_slot {
    struct id id;
    struct str title;
};

/* ---- titles ---- */

/* The slot of the id, or a free one; NULL when the neighbourhood is full. */
static struct title_slot *title_slot(struct request *rq, struct id id) {
    if (!rq->titles) rq->titles = arena_new(rq->a, struct title_slot, TITLE_SLOTS);
    uint64_t at = str_hash(id_bytes(&id));
    for (uint64_t i = 0; i < TITLE_PROBES; i++) {
        struct title_slot *s = &rq->titles[(at + i) % TITLE_SLOTS];
        if (id_eq(s->id, id) || id_is_nil(s->id)) return s;
    }
    return NULL;
}

static int load_title(struct request *rq, const struct kind *k, struct id id, struct str *ret, struct err *e) {
    struct arena one CLEANUP(arena_release) = {0};
    struct record *r;
    TRY(request_db(rq, e));
    int found = record_load(rq->db, rq->site->id, &one, k, id, &r, e);
    if (found < 0) return -1;
    *ret = STR_NONE;
    if (!found) return 0;
    bool masked = !permit_may(rq->actor, k->name, "read", r->path);
    *ret = arena_str(rq->a, record_title(&one, r, masked));
    return 0;
}

int title_of(struct request *rq, const struct kind *k, struct id id, struct str *ret, struct err *e) {
    struct title_slot *s = title_slot(rq, id);
    if (s && id_eq(s->id, id)) return *ret = s->title, 0;
    TRY(load_title(rq, k, id, ret, e));
    if (s) *s = (struct title_slot){id, *ret};
    return 0;
}

/* ---- areas, times, people ---- */

void area_show(struct request *rq, const struct area *x, struct json_out *o) {
    char id[ID_TEXT];
    if (!x) {
        json_null(o);
        return;
    }
    json_object(o);
    json_put_strz(o, "id", id_text(x->id, id));
    json_put_str(o, "code", x->code);
    json_put_str(o, "name", x->name);
    json_put_str(o, "level", x->level);
    json_put_str(o, "full", areas_full_name(request_areas(rq), rq->a, x));
    json_object_end(o);
}

void time_show(struct request *rq, const char *key, int64_t at, struct json_out *o) {
    char text[TIME_TEXT];
    json_put_strz(o, key, tz_text(rq->site->tz, at, text));
}

/* Who did it is part of the record of what was done: shown to whoever may read that. */
int actor_show(struct request *rq, struct id id, struct json_out *o, struct err *e) {
    const struct kind *user = kind_by_name(STR("user"));
    struct record *r = NULL;
    char text[ID_TEXT];
    TRY(request_db(rq, e));
    if (!id_is_nil(id) && user && record_load(rq->db, rq->site->id, rq->a, user, id, &r, e) < 0) return -1;
    json_object(o);
    json_put_strz(o, "id", id_is_nil(id) ? NULL : id_text(id, text));
    json_put_str(o, "name", r ? record_text(r, "name") : STR("system"));
    json_object_end(o);
    return 0;
}

/* ---- records ---- */

/* A value that does not open shows as stars, so that one damaged row does not hide a list; fsck names it. */
static void sealed_show(struct request *rq, const struct record *r, size_t i, struct json_out *o) {
    struct arena one CLEANUP(arena_release) = {0};
    struct str plain;
    struct err e;
    char id[ID_TEXT];
    if (r->v[i].type == V_NULL) {
        json_null(o);
    } else if (record_plain(&rq->site->key, &one, r, i, &plain, &e)) {
        log_line(LOG_ERROR, "api", "request=%s a sealed value does not open kind=%s id=%s field=%s", rq->id, r->kind->name, id_text(r->id, id),
                 r->kind->fields[i].name);
        json_strz(o, "***");
    } else {
        json_str(o, field_mask(&one, &r->kind->fields[i], plain));
    }
}

static void data_show(struct request *rq, const struct record *r, struct json_out *o) {
    json_key(o, "data");
    json_object(o);
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct field *f = &r->kind->fields[i];
        json_key(o, f->name);
        if (f->flags & SEALED) sealed_show(rq, r, i, o);
        else field_to_json(rq->site->tz, f, &r->v[i], o);
    }
    json_object_end(o);
}

static int refs_show(struct request *rq, const struct record *r, struct json_out *o, struct err *e) {
    char text[ID_TEXT];
    json_key(o, "refs");
    json_object(o);
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct field *f = &r->kind->fields[i];
        struct str title;
        if (f->type != F_REF || r->v[i].type != V_ID) continue;
        TRY(title_of(rq, kind_by_name(str_z(f->ref)), r->v[i].id, &title, e));
        if (!title.p) continue;
        json_key(o, f->name);
        json_object(o);
        json_put_strz(o, "id", id_text(r->v[i].id, text));
        json_put_str(o, "title", title);
        json_object_end(o);
    }
    json_object_end(o);
    return 0;
}

int record_show(struct request *rq, const struct record *r, struct json_out *o, struct err *e) {
    char text[ID_TEXT];
    json_object(o);
    json_put_strz(o, "id", id_text(r->id, text));
    json_put_strz(o, "kind", r->kind->name);
    json_put_int(o, "version", r->version);
    json_key(o, "area");
    area_show(rq, id_is_nil(r->area) ? NULL : areas_by_id(request_areas(rq), r->area), o);
    json_put_str(o, "title", record_title(rq->a, r, false));
    time_show(rq, "created_at", r->created_at, o);
    time_show(rq, "updated_at", r->updated_at, o);
    data_show(rq, r, o);
    TRY(refs_show(rq, r, o, e));
    json_object_end(o);
    return 0;
}

/* ---- changes ---- */

static void area_side(struct request *rq, const char *key, const struct json *id, struct json_out *o) {
    struct id at;
    const struct area *x = id && id_parse(id->text, &at) ? areas_by_id(request_areas(rq), at) : NULL;
    json_key(o, key);
    if (x) json_str(o, areas_full_name(request_areas(rq), rq->a, x));
    else json_null(o);
}

static int side_title(struct request *rq, const struct field *f, const char *key, const struct json *id, struct json_out *o, struct err *e) {
    struct id at;
    struct str title;
    if (!id || id->type != JSON_STRING || !id_parse(id->text, &at)) return 0;
    TRY(title_of(rq, kind_by_name(str_z(f->ref)), at, &title, e));
    if (title.p) json_put_str(o, key, title);
    return 0;
}

/* `pair` is [from, to], or true where the value is personal. */
static int change_show(struct request *rq, const struct kind *k, struct str name, const struct json *pair, struct json_out *o, struct err *e) {
    int i = kind_field(k, name);
    const struct json *from = pair->type == JSON_ARRAY ? pair->first : NULL, *to = from ? from->next : NULL;
    json_object(o);
    json_put_str(o, "field", name);
    json_put_str(o, "label", field_label(k, name, rq->lang));
    if (!to) {
        json_put_bool(o, "personal", true);
    } else if (i < 0) {
        area_side(rq, "from", from, o);
        area_side(rq, "to", to, o);
    } else {
        json_key(o, "from");
        json_value(o, from);
        json_key(o, "to");
        json_value(o, to);
        if (k->fields[i].type == F_REF) {
            TRY(side_title(rq, &k->fields[i], "from_title", from, o, e));
            TRY(side_title(rq, &k->fields[i], "to_title", to, o, e));
        }
    }
    json_object_end(o);
    return 0;
}

int changes_show(struct request *rq, const struct kind *k, struct str change, struct json_out *o, struct err *e) {
    struct json *j;
    struct err ignored;
    json_array(o);
    bool read = json_parse(rq->a, change, NULL, &j, &ignored) == 0 && j->type == JSON_OBJECT;
    for (const struct json *m = read ? j->first : NULL; m; m = m->next)
        if (m->type == JSON_ARRAY || m->type == JSON_TRUE) TRY(change_show(rq, k, m->key, m, o, e));
    json_array_end(o);
    return 0;
}

/* What changed over several entries: of each field the first `from` and the last `to`. */
struct merged {
    struct str names[128];
    struct json pairs[128];
    size_t n;
    struct id by;
    int64_t at;
};

static void merge_one(struct arena *a, struct merged *m, const struct json *change) {
    size_t i = 0;
    while (i < m->n && !str_eq(m->names[i], change->key)) i++;
    if (i == COUNT(m->names)) return;
    struct json *pair = &m->pairs[i];
    bool known = i < m->n;
    m->names[i] = change->key;
    if (!known) m->n++, *pair = *change;
    if (!known || change->type != JSON_ARRAY || pair->type != JSON_ARRAY || !pair->first || !change->first || !change->first->next) return;
    struct json *from = arena_new(a, struct json, 2), *to = from + 1;
    *from = *pair->first;
    *to = *change->first->next;
    from->next = to;
    to->next = NULL;
    pair->first = from;
}

static int merge_entries(struct request *rq, struct id record, int64_t since_version, struct merged *m, struct err *e) {
    enum { ENTRIES = 10000 };
    struct rows *rows CLEANUP(rows_donep) = NULL;
    int got;
    TRY(request_db(rq, e));
    TRY(db_query(rq->db, CS(journal_of_record), &rows, e, VINT(rq->site->id), VID(record), VINT(0), VINT(ENTRIES)));
    while ((got = rows_next(rows, e)) == 1) {
        struct journal_entry j;
        struct json *change;
        struct err ignored;
        journal_read(rq->a, rows, &j);
        if (!j.has_row || j.version <= since_version) continue;
        m->by = j.actor;
        m->at = j.at;
        if (json_parse(rq->a, j.change, NULL, &change, &ignored)) continue;
        for (const struct json *c = change->first; c; c = c->next) merge_one(rq->a, m, c);
    }
    return got;
}

int conflict_show(struct request *rq, const struct record *current, int64_t since_version, struct str *ret, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    struct json_out o = JSON_OUT(&b);
    struct merged *m = arena_new(rq->a, struct merged, 1);
    TRY(merge_entries(rq, current->id, since_version, m, e));
    json_key(&o, "current");
    TRY(record_show(rq, current, &o, e));
    json_key(&o, "changed");
    json_array(&o);
    for (size_t i = 0; i < m->n; i++) TRY(change_show(rq, current->kind, m->names[i], &m->pairs[i], &o, e));
    json_array_end(&o);
    json_key(&o, "by");
    TRY(actor_show(rq, m->by, &o, e));
    time_show(rq, "at", m->at, &o);
    *ret = arena_str(rq->a, buf_str(&b));
    return 0;
}
