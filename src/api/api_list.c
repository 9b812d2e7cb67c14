/* Lists and searches.
 *
 * A list goes through phases; a cursor names the phase and the place in it:
 *   p  by path and id: everything, or the rows of an INDEXED filter
 *   g  KIND_LOG, newest first in the order of ids: through all rows
 *   t  KIND_LOG, newest first by when they were seen: of few places, or of one record that rows refer to
 *   n  names beginning with the text, i  initials beginning with it, both by index
 *   s  by path and id again: text anywhere in the name, its pinyin or codes; what n and i have given is left out
 * Before the first page of a search stand the records that the text names exactly: an identity or phone number, a code.
 * A request reads a bounded number of rows; when that is used up it answers what it has with a cursor to go on from. */
#include "api/request.h"

#include "base/utf8.h"
#include "core/recent.h"
#include "core/trace.h"
#include "text/text.h"

enum { FILTERS_MOST = 8, EXACT_MOST = 16, SCAN_FILTER = 50000, SCAN_SEARCH = 20000, SCAN_PAGE = 1000, PLACES_MOST = 500, PLACE_TEXT = 1024 };

struct filter {
    size_t field;
    struct val v;
    day_t day; /* of a time given as a day */
};
struct listing {
    struct request *rq;
    const struct kind *k;
    struct str *ranges;
    size_t ranges_n;
    struct filter filters[FILTERS_MOST];
    size_t filters_n;
    const struct filter *by; /* answered by an index */
    struct str q, folded;    /* folded: as names are stored to be searched */
    bool letters;            /* ASCII: pinyin or initials */
    struct record exact[EXACT_MOST];
    size_t exact_n;
    bool numbered; /* the text is somebody's whole number: there is nothing else to look for */
    size_t limit, n, budget;
    struct recent recent; /* t */
    struct record *found;
    struct cursor pos; /* where reading stands */
    struct cursor at;  /* where the next page begins: behind the last record given */
    bool more;
    char path[AREA_PATH], text[PLACE_TEXT]; /* behind pos, overwritten row by row */
    struct val *seen;                       /* values of the row at hand, not copied */
};

/* ---- what was asked ---- */

static int filter_value(struct listing *l, const struct field *f, struct str text, struct filter *ret, struct err *e) {
    struct check_env env = site_env(l->rq->site, l->rq->a);
    struct field plain = *f;
    plain.flags &= ~(unsigned)PAST;
    ret->day = DAY_NONE;
    if (f->type == F_TIME && day_from_iso(text, &ret->day)) return 0;
    if (f->type == F_TEXT || f->type == F_NAME) return ret->v = VTEXT(text), 0;
    if (f->type == F_REAL || f->type == F_INT) plain.min = plain.max = 0;
    TRY(field_from_text(&env, &plain, text, &ret->v, e));
    if (f->type == F_REF && ret->v.type != V_ID) return err_set(e, ERR_INVALID, f->name, M_TYPE_ID);
    return 0;
}

static int read_filters(struct listing *l, struct err *e) {
    static const char *const own[] = {"area", "q", "limit", "after", "lang", "format"};
    for (size_t i = 0; i < l->rq->query_n; i++) {
        struct param p = l->rq->query[i];
        int f = kind_field(l->k, p.name);
        bool reserved = false;
        for (size_t j = 0; j < COUNT(own); j++) reserved |= str_eqz(p.name, own[j]);
        if (f < 0 || reserved || p.value.n == 0) continue;
        const struct field *field = &l->k->fields[f];
        if (field->flags & SEALED) return err_set(e, ERR_INVALID, field->name, M_SEALED_FILTER);
        if (l->filters_n == FILTERS_MOST) return err_set(e, ERR_INVALID, field->name, M_TOO_MANY, "8");
        struct filter *x = &l->filters[l->filters_n++];
        x->field = (size_t)f;
        TRY(filter_value(l, field, p.value, x, e));
        if (!l->by && kind_sql(l->k)->by_field[f].sql && x->day == DAY_NONE && !(l->k->flags & KIND_LOG)) l->by = x;
    }
    return 0;
}

static void read_search(struct listing *l) {
    l->q = utf8_plain(l->rq->a, utf8_prefix(request_query(l->rq, "q"), 100));
    l->folded = utf8_fold(l->rq->a, l->q);
    l->letters = l->folded.n > 0;
    for (size_t i = 0; i < l->folded.n; i++) l->letters &= (uint8_t)l->folded.p[i] < 128;
}

static int read_ranges(struct listing *l, struct err *e) {
    struct request *rq = l->rq;
    struct str code = request_query(rq, "area"), top = STR("");
    bool placed = !(l->k->flags & KIND_NO_AREA) || l->k->flags & KIND_TREE;
    if (code.n && placed) {
        const struct area *x = areas_by_code(request_areas(rq), code);
        struct id id;
        if (!x && id_parse(code, &id)) x = areas_by_id(request_areas(rq), id);
        if (!x) return err_set(e, ERR_INVALID, "area", M_NO_RECORD, arena_strz(rq->a, code), label_in((struct label){"区域", "area"}, rq->lang));
        top = x->path;
    }
    l->ranges_n = permit_ranges(rq->actor, rq->a, l->k->name, "read", top, &l->ranges);
    return l->ranges_n ? 0 : request_forbidden(rq, l->k->name, "read", e);
}

static bool in_ranges(const struct listing *l, struct str path) {
    for (size_t i = 0; i < l->ranges_n; i++)
        if (path_under(path, l->ranges[i])) return true;
    return false;
}

/* ---- does a record match ---- */

static bool holds_code(struct str codes, struct str one) {
    struct str part;
    while (str_cut(&codes, ' ', &part))
        if (str_eq(part, one)) return true;
    return false;
}

static bool filter_matches(const struct listing *l, const struct filter *x, const struct record *r) {
    const struct field *f = &l->k->fields[x->field];
    const struct val *v = &r->v[x->field];
    if (x->day != DAY_NONE) return v->type == V_INT && tz_day(l->rq->site->tz, v->i) == x->day;
    if (f->type == F_CODES) return v->type == V_TEXT && holds_code(v->s, x->v.s);
    return val_eq(v, &x->v);
}

static bool filters_match(const struct listing *l, const struct record *r) {
    for (size_t i = 0; i < l->filters_n; i++)
        if (!filter_matches(l, &l->filters[i], r)) return false;
    return true;
}

static bool is_exact(const struct listing *l, struct id id) {
    for (size_t i = 0; i < l->exact_n; i++)
        if (id_eq(l->exact[i].id, id)) return true;
    return false;
}

/* The first SEARCH field that is filled: what the search columns hold. */
static int search_field(const struct record *r) {
    for (size_t i = 0; i < r->kind->n; i++)
        if (r->kind->fields[i].flags & SEARCH && r->v[i].type == V_TEXT) return (int)i;
    return -1;
}

static bool by_index(const struct listing *l, struct arena *one, const struct record *r) {
    int i = search_field(r);
    if (i < 0) return false;
    if (str_starts(utf8_fold(one, r->v[i].s), l->folded)) return true;
    return l->letters && str_starts(text_initials(one, r->v[i].s, r->kind->fields[i].flags & PERSONAL), l->folded);
}

static bool text_matches(const struct listing *l, struct arena *one, const struct record *r) {
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct field *f = &r->kind->fields[i];
        bool looked_in = f->flags & (SEARCH | KEY) || (f->flags & LIST && f->type <= F_NAME) || f->type == F_PLATE || f->type == F_PASS;
        if (!looked_in || f->flags & SEALED || r->v[i].type != V_TEXT) continue;
        if (str_find(utf8_fold(one, r->v[i].s), l->folded) >= 0) return true;
        if (!l->letters || !(f->flags & SEARCH)) continue;
        if (str_find(text_pinyin(one, r->v[i].s, f->flags & PERSONAL), l->folded) >= 0) return true;
        if (str_find(text_initials(one, r->v[i].s, f->flags & PERSONAL), l->folded) >= 0) return true;
    }
    return false;
}

static bool matches(const struct listing *l, struct arena *one, const struct record *r) {
    if (!filters_match(l, r) || is_exact(l, r->id)) return false;
    if (l->q.n == 0) return true;
    switch (l->pos.phase) {
    case 'n': return true;
    case 'i': {
        int i = search_field(r);
        return i < 0 || !str_starts(utf8_fold(one, r->v[i].s), l->folded);
    }
    case 's': return !(kind_sql(l->k)->has_search && by_index(l, one, r)) && text_matches(l, one, r);
    default: return text_matches(l, one, r);
    }
}

/* ---- reading rows ---- */

static struct str keep_text(char *to, size_t room, struct str s) {
    size_t n = MIN(s.n, room - 1);
    if (n) memcpy(to, s.p, n);
    return (struct str){to, n};
}

static void remember_place(struct listing *l, const struct record *r, struct str text) {
    l->pos.path = keep_text(l->path, sizeof l->path, r->path);
    l->pos.text = keep_text(l->text, sizeof l->text, text);
    l->pos.id = r->id;
    l->at = l->pos;
}

static struct str place_text(const struct listing *l, struct arena *one, const struct record *r) {
    if (l->pos.phase == 't') return str_z(arena_printf(one, "%lld", (long long)record_int(r, l->k->seen)));
    int i = l->pos.phase == 'n' || l->pos.phase == 'i' ? search_field(r) : -1;
    if (i < 0) return STR("");
    return l->pos.phase == 'n' ? utf8_fold(one, r->v[i].s) : text_initials(one, r->v[i].s, r->kind->fields[i].flags & PERSONAL);
}

/* The row as far as matching looks at it, borrowed from the statement. */
static struct record glance(const struct listing *l, struct rows *rows) {
    struct record r = {.kind = l->k, .id = rows_id(rows, 0), .path = rows_text(rows, 3), .v = l->seen};
    for (size_t i = 0; i < l->k->n; i++) {
        const struct field *f = &l->k->fields[i];
        l->seen[i] = f->flags & SEALED ? VNULL : rows_val(rows, RECORD_COLUMNS + (int)i, field_val(f));
    }
    return r;
}

/* False when the page is full and one more was found, or the budget is used up.  `rows` stands on the record, or it is a whole one. */
static bool take(struct listing *l, struct arena *one, const struct record *r, struct rows *rows) {
    bool wanted = (l->pos.phase != 'g' || in_ranges(l, r->path)) && matches(l, one, r);
    if (wanted && l->n == l->limit) {
        l->more = true;
        return false;
    }
    if (wanted && rows) record_read(l->rq->a, l->k, rows, &l->found[l->n++]);
    else if (wanted) l->found[l->n++] = *record_dup(l->rq->a, r);
    /* The place moves on over rows that do not match only while the page has room. */
    if (wanted || l->n < l->limit) remember_place(l, r, place_text(l, one, r));
    if (--l->budget == 0) l->more = true;
    return l->budget > 0;
}

/* Are all rows theirs? */
static bool reads_all(const struct listing *l) {
    return in_ranges(l, STR(""));
}

static int64_t page_size(const struct listing *l) {
    bool plain = l->q.n == 0 && l->filters_n <= (l->by != NULL) && (l->pos.phase != 'g' || reads_all(l));
    return plain || l->pos.phase == 'n' || l->pos.phase == 'i' ? (int64_t)(l->limit - l->n) + 1 : SCAN_PAGE;
}

static int open_page(struct listing *l, struct path_range range, int64_t page, struct rows **ret, struct err *e) {
    const struct kind_sql *q = kind_sql(l->k);
    struct db *db = l->rq->db;
    struct val site = VINT(l->rq->site->id), from = VTEXT(range.from), to = VTEXT(range.to), id = VID(l->pos.id), limit = VINT(page);
    /* The place moves on while the rows are read. */
    struct val path = VTEXT(arena_str(l->rq->a, l->pos.path)), text = VTEXT(arena_str(l->rq->a, l->pos.text));
    static const char last[] = "\xf4\x8f\xbf\xbf";
    switch (l->pos.phase) {
    case 'g': return db_query(db, &q->newest, ret, e, site, id, limit);
    case 'n':
    case 'i': {
        struct val end = VTEXTZ(arena_printf(l->rq->a, "%.*s%s", STR_FMT(l->folded), last));
        return db_query(db, l->pos.phase == 'n' ? &q->search_name : &q->search_initials, ret, e, site, VTEXT(l->folded), end, from, to, text, id, limit);
    }
    default:
        if (l->by) return db_query(db, &q->by_field[l->by->field], ret, e, site, l->by->v, from, to, path, id, limit);
        return db_query(db, &q->range_after, ret, e, site, from, to, path, id, limit);
    }
}

/* Everything of one range; 1 when the page is full or the budget used up. */
static int read_range(struct listing *l, struct path_range range, struct err *e) {
    struct arena one CLEANUP(arena_release) = {0};
    for (;;) {
        struct rows *rows CLEANUP(rows_donep) = NULL;
        int64_t page = page_size(l), got_n = 0;
        int got;
        TRY(open_page(l, range, page, &rows, e));
        while ((got = rows_next(rows, e)) == 1) {
            struct record r = glance(l, rows);
            arena_clear(&one);
            got_n++;
            if (!take(l, &one, &r, rows)) return 1;
        }
        if (got < 0) return -1;
        if (got_n < page) return 0;
    }
}

/* The id of a filter by what the rows of a log are found by. */
static const struct val *way_asked(const struct listing *l) {
    for (size_t i = 0; i < l->filters_n; i++)
        if (l->filters[i].field == kind_sql(l->k)->way) return &l->filters[i].v;
    return NULL;
}

static int add_places(struct listing *l, const struct val *way, struct path_range range, size_t most, struct err *e) {
    struct recent *to = &l->recent;
    struct log_place *found, *all;
    size_t n;
    if (way) TRY(log_places_of(l->rq->db, l->rq->site->id, l->rq->a, l->k, way->id, range, &found, &n, e));
    else TRY(log_places_in(l->rq->db, l->rq->site->id, l->rq->a, l->k, range, most, &found, &n, e));
    all = arena_new(l->rq->a, struct log_place, to->places_n + n);
    if (to->places_n) memcpy(all, to->places, to->places_n * sizeof *all);
    if (n) memcpy(all + to->places_n, found, n * sizeof *all);
    to->places = all;
    to->places_n += n;
    return 0;
}

/* Whether the places of a log are few enough to look into each: 1.  A list that has begun goes on as it began. */
static int by_places(struct listing *l, bool going_on, struct err *e) {
    const struct val *way = way_asked(l);
    size_t most = going_on ? SIZE_MAX : PLACES_MOST;
    l->recent = (struct recent){.kind = l->k};
    if (going_on ? l->pos.phase == 'g' : !way && reads_all(l)) return 0;
    for (size_t i = 0; i < l->ranges_n && l->recent.places_n <= most; i++) TRY(add_places(l, way, path_range(l->rq->a, l->ranges[i]), most, e));
    return l->recent.places_n <= most;
}

static int read_places(struct listing *l, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0}, one CLEANUP(arena_release) = {0};
    size_t page, n;
    do {
        struct record **rows;
        arena_clear(&a);
        l->recent.before = INT64_MAX;
        l->recent.before_id = l->pos.id;
        if (l->pos.text.n && !str_to_int(l->pos.text, INT64_MIN, INT64_MAX, &l->recent.before)) return err_set(e, ERR_INVALID, "after", M_CURSOR);
        page = (size_t)page_size(l);
        TRY(recent_rows(l->rq->db, l->rq->site->id, &a, &l->recent, page, &rows, &n, e));
        for (size_t i = 0; i < n; i++) {
            arena_clear(&one);
            if (!take(l, &one, rows[i], NULL)) return 1;
        }
    } while (n == page);
    return 0;
}

static void place_at_start(struct listing *l) {
    l->pos.path = l->pos.text = STR("");
    memset(l->pos.id.b, l->k->flags & KIND_LOG ? 0xff : 0, sizeof l->pos.id.b);
}

/* Ranges are in path order.  The place of a cursor lies in one of them, in n and i by the path of its record; those before it are over and
 * those behind it are read from their beginning. */
static int read_phase(struct listing *l, bool going_on, struct err *e) {
    if (!going_on) place_at_start(l);
    if (l->pos.phase == 't') return read_places(l, e);
    if (l->pos.phase == 'g') return read_range(l, path_range(l->rq->a, STR("")), e);
    for (size_t i = 0; i < l->ranges_n; i++) {
        struct path_range range = path_range(l->rq->a, l->ranges[i]);
        bool here = going_on && path_under(l->pos.path, l->ranges[i]);
        if (going_on && !here && str_cmp(range.to, l->pos.path) <= 0) continue;
        if (!here) place_at_start(l);
        going_on = false;
        TRY(read_range(l, range, e));
    }
    return 0;
}

/* ---- what the text names exactly ---- */

static int add_exact(struct listing *l, struct rows *rows, struct err *e) {
    int got;
    while ((got = rows_next(rows, e)) == 1 && l->exact_n < EXACT_MOST) {
        struct record r;
        record_read(l->rq->a, l->k, rows, &r);
        if (in_ranges(l, r.path) && filters_match(l, &r) && !is_exact(l, r.id)) l->exact[l->exact_n++] = r;
    }
    return got < 0 ? -1 : 0;
}

/* As long as the value stands in a log's rows, and no older ones. */
static int exact_in_log(struct listing *l, size_t i, struct err *e) {
    struct request *rq = l->rq;
    int64_t now = site_now(rq->site);
    struct trace t = {.kind = l->k, .field = i, .from = now - (l->k->retention_days + 1) * US_PER_DAY, .before = now + US_PER_DAY};
    struct record *all;
    struct err no;
    size_t n;
    if (trace_value(rq->site, rq->a, l->k, i, l->q, &t.value, &no)) return 0;
    TRY(trace_rows(rq->db, rq->site, rq->a, &t, EXACT_MOST, &all, &n, e));
    for (size_t j = 0; j < n && l->exact_n < EXACT_MOST; j++)
        if (in_ranges(l, all[j].path) && filters_match(l, &all[j]) && !is_exact(l, all[j].id)) l->exact[l->exact_n++] = all[j];
    l->numbered = l->exact_n > 0;
    return 0;
}

/* A sealed field is found by its keyed hash and only by its whole value. */
static int exact_in_field(struct listing *l, size_t i, struct err *e) {
    const struct field *f = &l->k->fields[i];
    struct request *rq = l->rq;
    struct check_env env = site_env(rq->site, rq->a);
    struct val v;
    struct err no;
    uint8_t hash[16];
    struct rows *rows CLEANUP(rows_donep) = NULL;
    if (field_from_text(&env, f, l->q, &v, &no) || v.type != V_TEXT) return 0;
    if (f->flags & FIND) {
        find_hash(&rq->site->key, str_z(arena_printf(rq->a, "%s.%s", l->k->name, f->name)), v.s, hash);
        v = VBLOB(((struct str){(const char *)hash, sizeof hash}));
    }
    TRY(db_query(rq->db, f->flags & FIND ? &kind_sql(l->k)->by_hash[i] : &kind_sql(l->k)->by_text[i], &rows, e, VINT(rq->site->id), v));
    size_t before = l->exact_n;
    TRY(add_exact(l, rows, e));
    if (f->flags & FIND && l->exact_n > before) l->numbered = true;
    return 0;
}

static int find_exact(struct listing *l, struct err *e) {
    const struct kind_sql *q = kind_sql(l->k);
    if (l->q.n == 0) return 0;
    for (size_t i = 0; i < l->k->n; i++) {
        if (q->by_hash[i].sql || q->by_text[i].sql) TRY(exact_in_field(l, i, e));
        if ((l->k->fields[i].flags & (TRACE | FIND)) == (TRACE | FIND)) TRY(exact_in_log(l, i, e));
    }
    return 0;
}

static void give_exact(struct listing *l) {
    for (size_t i = 0; i < l->exact_n && l->n < l->limit; i++) l->found[l->n++] = l->exact[i];
}

/* ---- the whole ---- */

static const char *phases_of(const struct listing *l) {
    if (l->k->flags & KIND_LOG) return "gt";
    if (l->q.n == 0) return "p";
    if (!kind_sql(l->k)->has_search) return "s";
    return l->letters ? "nis" : "ns";
}

static int read_phases(struct listing *l, struct str after, struct err *e) {
    const char *phases = phases_of(l), *p = phases;
    bool going_on = after.n > 0;
    if (going_on) {
        TRY(cursor_parse(l->rq->a, after, phases, &l->pos, e));
        l->at = l->pos;
        p = strchr(phases, l->pos.phase);
    } else {
        give_exact(l);
    }
    if (l->numbered) return 0;
    if (l->k->flags & KIND_LOG) {
        int few = by_places(l, going_on, e);
        if (few < 0) return -1;
        p = few ? "t" : "g";
    }
    for (; *p; p++, going_on = false) {
        l->pos.phase = *p;
        if (l->n == l->limit) {
            /* What is left of the search is left for the next page. */
            place_at_start(l);
            l->at = l->pos;
            l->more = true;
            return 0;
        }
        int r = read_phase(l, going_on, e);
        if (r < 0) return -1;
        if (r) return 0;
    }
    return 0;
}

int list_route(struct request *rq, struct err *e) {
    struct listing l = {.rq = rq, .k = rq->kind};
    struct json_out o = JSON_OUT(rq->out);
    TRY(request_limit(rq, &l.limit, e));
    TRY(read_filters(&l, e));
    TRY(read_ranges(&l, e));
    read_search(&l);
    TRY(request_db(rq, e));
    l.budget = l.q.n ? SCAN_SEARCH : SCAN_FILTER;
    l.found = arena_new(rq->a, struct record, l.limit);
    l.seen = arena_new(rq->a, struct val, l.k->n);
    TRY(find_exact(&l, e));
    TRY(read_phases(&l, request_query(rq, "after"), e));
    json_object(&o);
    json_key(&o, "records");
    json_array(&o);
    for (size_t i = 0; i < l.n; i++) TRY(record_show(rq, &l.found[i], &o, e));
    json_array_end(&o);
    json_key(&o, "next");
    if (l.more) json_str(&o, cursor_text(rq->a, &l.at));
    else json_null(&o);
    json_object_end(&o);
    return 0;
}
