#include "core/command.h"

#include "base/utf8.h"
#include "core/core_stmts.h"
#include "core/journal.h"
#include "core/months.h"

static const char *const verb_names[] = {
    [VERB_CREATE] = "create", [VERB_UPDATE] = "update", [VERB_REMOVE] = "remove", [VERB_OPEN] = "open"};

/* ---- reading what was sent ---- */

void command_prepare(struct command_call *call, const struct kind *k, enum verb verb) {
    call->kind = k;
    call->verb = verb;
    call->name = arena_printf(call->a, "%s.%s", k->name, verb_names[verb]);
    call->values = arena_new(call->a, struct val, k->n);
    call->given = arena_new(call->a, bool, k->n);
    call->errs = (struct errs){.a = call->a};
}

static bool is_log_row(const struct command_call *call) {
    return call->kind->flags & KIND_LOG && call->verb == VERB_CREATE;
}

static int parse_name(struct command_call *call, struct str name, struct err *e) {
    struct str rest = name, kind_name;
    call->command = command_by_name(name);
    if (call->command) {
        call->verb = VERB_OTHER;
        call->kind = call->command->kind;
        call->name = call->command->name;
        return 0;
    }
    if (str_cut(&rest, '.', &kind_name)) {
        const struct kind *k = kind_by_name(kind_name);
        for (size_t v = 0; k && v < COUNT(verb_names); v++)
            if (str_eqz(rest, verb_names[v])) {
                command_prepare(call, k, (enum verb)v);
                return 0;
            }
    }
    return err_set(e, ERR_INVALID, "command", M_NO_COMMAND, arena_strz(call->a, name));
}

static int parse_id(const struct json *j, const char *field, struct id *ret, struct err *e) {
    if (j->type == JSON_STRING && id_parse(j->text, ret)) return 0;
    return err_set(e, ERR_INVALID, field, M_TYPE_ID);
}

static int parse_member(struct command_call *call, const struct json *m, struct err *e) {
    if (str_eqz(m->key, "id")) return parse_id(m, "id", &call->id, e);
    if (str_eqz(m->key, "command"))
        return m->type == JSON_STRING ? parse_name(call, m->text, e) : err_set(e, ERR_INVALID, "command", M_TYPE_TEXT);
    if (str_eqz(m->key, "record")) return m->type == JSON_NULL ? 0 : parse_id(m, "record", &call->record, e);
    if (str_eqz(m->key, "version")) {
        if (json_int(m, &call->version) && call->version > 0) return 0;
        return err_set(e, ERR_INVALID, "version", M_TYPE_INT);
    }
    if (str_eqz(m->key, "area")) {
        if (m->type == JSON_STRING) call->area = m->text;
        else if (m->type != JSON_NULL) return err_set(e, ERR_INVALID, "area", M_TYPE_TEXT);
        return 0;
    }
    if (str_eqz(m->key, "data")) {
        call->data = m;
        return m->type == JSON_OBJECT ? 0 : err_set(e, ERR_INVALID, "data", M_TYPE_OBJECT);
    }
    return err_set(e, ERR_INVALID, arena_strz(call->a, utf8_fit(m->key, 47)), M_UNKNOWN_FIELD);
}

void command_values(struct site *s, struct command_call *call, const struct json *fields, const char *const *besides) {
    struct check_env env = site_env(s, call->a);
    for (const struct json *m = fields ? fields->first : NULL; m; m = m->next) {
        int i = kind_field(call->kind, m->key);
        const char *const *other = besides;
        while (other && *other && !str_eqz(m->key, *other)) other++;
        if (other && *other) continue;
        if (i < 0) {
            err_set(errs_next(&call->errs), ERR_INVALID, arena_strz(call->a, utf8_fit(m->key, 47)), M_UNKNOWN_FIELD);
            continue;
        }
        const struct field *f = &call->kind->fields[i];
        struct err e;
        call->given[i] = true;
        if (f->flags & READ_ONLY) err_set(errs_next(&call->errs), ERR_INVALID, f->name, M_READ_ONLY);
        else if (field_from_json(&env, f, m, &call->values[i], &e)) *errs_next(&call->errs) = e;
    }
}

/* Keyed, since it is kept and what was sent may be about a person. */
static int64_t fingerprint(const struct site *s, const struct command_call *call) {
    struct buf b CLEANUP(buf_release) = BUF(32 << 20);
    struct json_out o = JSON_OUT(&b);
    struct digest_state state;
    char record[ID_TEXT];
    json_array(&o);
    json_strz(&o, call->name);
    json_strz(&o, id_text(call->record, record));
    json_str(&o, call->area);
    if (call->data) json_value(&o, call->data);
    json_array_end(&o);
    digest_start_keyed(&state, &s->key);
    digest_add_str(&state, buf_str(&b));
    struct digest d = digest_end(&state);
    int64_t v;
    memcpy(&v, d.b, sizeof v);
    return v ? v : 1;
}

int command_parse(struct site *s, const struct json *j, struct command_call *call, struct err *e) {
    if (j->type != JSON_OBJECT) return err_set(e, ERR_BAD_REQUEST, NULL, M_TYPE_OBJECT);
    call->errs = (struct errs){.a = call->a};
    for (const struct json *m = j->first; m; m = m->next) TRY(parse_member(call, m, e));
    if (!call->name) return err_set(e, ERR_INVALID, "command", M_REQUIRED);
    if (id_is_nil(call->id)) return err_set(e, ERR_INVALID, "id", M_REQUIRED);
    if (id_is_nil(call->record) && (call->verb == VERB_UPDATE || call->verb == VERB_REMOVE || call->verb == VERB_OPEN))
        return err_set(e, ERR_INVALID, "record", M_REQUIRED);
    if (is_log_row(call) && !id_is_nil(call->record) && !id_eq(call->record, call->id)) return err_set(e, ERR_INVALID, "record", M_READ_ONLY);
    if (call->verb == VERB_CREATE || call->verb == VERB_UPDATE) command_values(s, call, call->data, NULL);
    if (!is_log_row(call)) call->fingerprint = fingerprint(s, call); /* a row of a log is compared itself */
    if (call->errs.n == 0) return 0;
    *e = call->errs.e[0];
    return -1;
}

/* ---- running ---- */

static int id_reused(struct err *e) {
    return err_set(e, ERR_CONFLICT, "id", M_COMMAND_ID_REUSED);
}

/* Does the stored row say what the call says?  References by key, what the program filled in and what has been erased since cannot be compared. */
static int says_the_same(struct tx *tx, const struct command_call *call, const struct record *r, bool *ret, struct err *e) {
    *ret = true;
    for (size_t i = 0; *ret && i < call->kind->n; i++) {
        const struct field *f = &call->kind->fields[i];
        const struct val *asked = &call->values[i];
        struct str plain;
        if (!call->given[i] || asked->type == V_NULL || f->flags & READ_ONLY || (f->type == F_REF && asked->type == V_TEXT)) continue;
        if (f->flags & (PERSONAL | SEALED) && r->v[i].type == V_NULL) continue;
        if (!(f->flags & SEALED)) {
            *ret = val_eq(asked, &r->v[i]);
            continue;
        }
        TRY(record_plain(&tx->site->key, tx->a, r, i, &plain, e));
        *ret = str_eq(plain, asked->s);
    }
    return 0;
}

static int log_row_there(struct tx *tx, struct command_call *call, struct err *e) {
    struct journal_entry j;
    struct record *r;
    struct id id = id_is_nil(call->record) ? call->id : call->record;
    bool same;
    if (tx_id_is_new(tx, call->kind, id)) return 0;
    int found = months_load(tx, call->kind, id, &r, e);
    if (found < 0) return -1;
    if (!found) {
        found = journal_by_id(tx->db, tx->site->id, tx->a, id, &j, e);
        return found == 1 ? id_reused(e) : found;
    }
    TRY(says_the_same(tx, call, r, &same, e));
    if (!same) return id_reused(e);
    call->row = record_dup(call->a, r);
    call->ret_record = r->id;
    call->ret_version = r->version;
    call->ret_seq = r->batch;
    return 1;
}

static int in_a_log(struct tx *tx, struct id id, struct err *e) {
    for (size_t i = 0; i < kind_count(); i++) {
        struct record *r;
        if (!(kind_at(i)->flags & KIND_LOG)) continue;
        int found = months_load(tx, kind_at(i), id, &r, e);
        if (found) return found;
    }
    return 0;
}

/* The answer of a command that has one of its own stands in the last of its entries (run_other). */
static const struct str answer_head = {"{\"answer\":{", 11};

static int first_answer(struct tx *tx, struct command_call *call, const struct journal_entry *first, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct journal_entry j = *first;
    int r;
    TRY(db_stream(tx->db, CS(journal_after), &rows, e, VINT(tx->site->id), VINT(first->seq), VINT(INT64_MAX)));
    while ((r = rows_next(rows, e)) == 1) {
        struct journal_entry next;
        journal_read(tx->a, rows, &next);
        if (!id_eq(next.cause, call->id)) break;
        j = next;
    }
    if (r < 0) return -1;
    if (str_starts(j.change, answer_head)) call->ret_json = str_sub(j.change, answer_head.n, j.change.n - 2);
    return 0;
}

/* A row of a log finds its id taken when it is stored, or when its group ends (tx.c), which costs nothing while it is not.  On a server that would be too
 * late: statements are not waited for. */
static bool finds_out_later(const struct tx *tx, const struct command_call *call) {
    return is_log_row(call) && !tx->apart && !db_shared(tx->db);
}

/* 1 when this id has run before. */
static int ran_before(struct tx *tx, struct command_call *call, struct err *e) {
    struct journal_entry j;
    if (finds_out_later(tx, call)) return 0;
    if (is_log_row(call)) return log_row_there(tx, call, e);
    int found = journal_by_id(tx->db, tx->site->id, tx->a, call->id, &j, e);
    if (found < 0) return -1;
    if (!found) {
        found = in_a_log(tx, call->id, e);
        return found == 1 ? id_reused(e) : found;
    }
    bool another = j.fingerprint != call->fingerprint || !str_eqz(j.command, call->name) || !id_is_nil(j.cause);
    if (another || (call->verb == VERB_OPEN && !id_eq(j.actor, call->actor->id))) return id_reused(e);
    call->ret_record = j.record;
    call->ret_version = j.version;
    call->ret_seq = j.seq;
    if (call->verb == VERB_OTHER) TRY(first_answer(tx, call, &j, e));
    return 1;
}

static int find_area(struct tx *tx, struct command_call *call, struct id *ret, struct err *e) {
    const struct kind *k = kind_by_name(STR("area"));
    struct record *r;
    if (id_parse(call->area, ret)) return 0;
    struct areas *t CLEANUP(areas_dropp) = tx_areas(tx);
    const struct area *x = t ? areas_by_code(t, call->area) : NULL;
    if (x) return *ret = x->id, 0;
    int found = record_find(tx->db, tx->site->id, &tx->site->key, tx->a, k, (size_t)kind_field(k, STR("code")), call->area, &r, e);
    if (found < 0) return -1;
    if (found == 0) return err_set(e, ERR_INVALID, "area", M_NO_RECORD, arena_strz(call->a, call->area), label_in(k->label, tx->lang));
    *ret = r->id;
    return 0;
}

/* No two records share an id, whatever their kinds: the journal tells them apart by it. */
static int record_id_is_new(struct tx *tx, struct id id, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(tx->db, CS(journal_of_record), &rows, e, VINT(tx->site->id), VID(id), VINT(0), VINT(1)));
    int found = rows_next(rows, e);
    if (!found) found = in_a_log(tx, id, e);
    return found == 1 ? err_set(e, ERR_CONFLICT, "record", M_COMMAND_ID_REUSED) : found;
}

static int run_create(struct tx *tx, struct command_call *call, struct err *e) {
    struct record *r = record_new(call->a, call->kind);
    r->id = id_is_nil(call->record) && is_log_row(call) ? call->id : call->record;
    if (!id_is_nil(call->record) && !is_log_row(call) && !call->fresh) TRY(record_id_is_new(tx, call->record, e));
    if (call->area.n) TRY(find_area(tx, call, &r->area, e));
    memcpy(r->v, call->values, call->kind->n * sizeof *r->v);
    TRY(tx_create(tx, r, &call->errs, e));
    if (is_log_row(call)) call->row = record_dup(call->a, r);
    return 0;
}

/* The fields that the entry changed, by their labels, each once. */
static void add_changed(struct tx *tx, const struct command_call *call, const struct journal_entry *j, bool *said, struct buf *fields) {
    struct json *change;
    struct err ignored;
    if (json_parse(tx->a, j->change, NULL, &change, &ignored)) return;
    for (const struct json *m = change->first; m; m = m->next) {
        int i = kind_field(call->kind, m->key);
        if (i < 0 || said[i]) continue;
        said[i] = true;
        if (fields->n) buf_addz(fields, ", ");
        buf_addz(fields, label_in(call->kind->fields[i].label, call->lang));
    }
}

/* Who changed what since the version the caller had. */
static int describe_conflict(struct tx *tx, struct command_call *call, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct buf fields CLEANUP(buf_release) = BUF(2000);
    struct id by = call->rec->updated_by;
    bool *said = arena_new(tx->a, bool, call->kind->n);
    int r;
    TRY(db_stream(tx->db, CS(journal_of_record), &rows, e, VINT(tx->site->id), VID(call->rec->id), VINT(0), VINT(INT64_MAX)));
    while ((r = rows_next(rows, e)) == 1) {
        struct journal_entry j;
        journal_read(tx->a, rows, &j);
        if (j.version > call->version && j.has_row) add_changed(tx, call, &j, said, &fields);
    }
    if (r < 0) return -1;
    struct record *who = NULL;
    const struct kind *user = kind_by_name(STR("user"));
    if (user && !id_is_nil(by) && record_load(tx->db, tx->site->id, tx->a, user, by, &who, e) < 0) return -1;
    struct str name = who ? record_title(tx->a, who, false) : actor_system.name;
    call->current = call->rec;
    return err_set(e, ERR_CONFLICT, NULL, M_CHANGED, arena_strz(call->a, name), fields.p ? fields.p : "");
}

static int run_update(struct tx *tx, struct command_call *call, struct err *e) {
    struct record *r = record_copy(call->a, call->rec);
    const struct kind *k = call->kind;
    bool changed;
    if (call->version && call->version != call->rec->version) return describe_conflict(tx, call, e);
    for (size_t i = 0; i < k->n; i++)
        if (call->given[i]) r->v[i] = call->values[i];
    if (call->area.n) TRY(find_area(tx, call, &r->area, e));
    else if (k->area_from && call->given[kind_field(k, str_z(k->area_from))]) r->area = (struct id){{0}};
    TRY(tx_update(tx, call->rec, r, &changed, &call->errs, e));
    call->ret_version = changed ? r->version : call->rec->version;
    return 0;
}

/* An entry about the command itself. */
static int note_run(struct tx *tx, const struct command_call *call, struct str change, struct err *e) {
    struct record *about = call->rec ? call->rec : record_new(tx->a, call->kind);
    if (!call->rec) about->path = STR("");
    return tx_note(tx, about, change, e);
}

enum { REASON_LEAST = 4 };

static int open_reason(struct command_call *call, struct str *ret, struct err *e) {
    struct str reason = str_trim(json_text(call->data, "reason"));
    char least[8];
    snprintf(least, sizeof least, "%d", REASON_LEAST);
    if (utf8_length(reason) < REASON_LEAST) return err_set(e, ERR_INVALID, "reason", M_REASON, least);
    *ret = utf8_prefix(reason, 200);
    return 0;
}

/* Unseals what was asked for and writes down who asked and why; `again`: it stands there already, for that version of the record. */
static int run_open(struct tx *tx, struct command_call *call, bool again, struct err *e) {
    if (again && call->rec->version != call->ret_version) return id_reused(e);
    struct str reason;
    struct buf values CLEANUP(buf_release) = BUF(1 << 20), change CLEANUP(buf_release) = BUF(1 << 16);
    struct json_out v = JSON_OUT(&values), c = JSON_OUT(&change);
    const struct json *fields = call->data ? json_get(call->data, "fields") : NULL;
    if (!fields || fields->type != JSON_ARRAY || !fields->first) return err_set(e, ERR_INVALID, "fields", M_REQUIRED);
    TRY(open_reason(call, &reason, e));
    json_object(&c);
    json_put_str(&c, "reason", reason);
    json_key(&c, "opened");
    json_array(&c);
    json_key(&v, "values");
    json_object(&v);
    for (const struct json *f = fields->first; f; f = f->next) {
        int i = f->type == JSON_STRING ? kind_field(call->kind, f->text) : -1;
        if (i < 0 || !(call->kind->fields[i].flags & SEALED)) return err_set(e, ERR_INVALID, "fields", M_UNKNOWN_FIELD);
        struct str plain;
        TRY(record_plain(&tx->site->key, call->a, call->rec, (size_t)i, &plain, e));
        json_str(&c, f->text);
        json_key_str(&v, f->text);
        if (plain.n) json_str(&v, plain);
        else json_null(&v);
    }
    json_array_end(&c);
    json_object_end(&c);
    json_object_end(&v);
    call->ret_json = arena_str(call->a, buf_str(&values));
    return again ? 0 : tx_note(tx, call->rec, arena_str(tx->a, buf_str(&change)), e);
}

/* Its own answer is kept for when it comes again. */
static int run_other(struct tx *tx, struct command_call *call, struct err *e) {
    TRY(call->command->run(tx, call, e));
    call->ret_json = arena_str(call->a, call->ret_json);
    if (call->ret_json.n == 0) return 0;
    return note_run(tx, call, str_z(arena_printf(tx->a, "%s%.*s}}", answer_head.p, STR_FMT(call->ret_json))), e);
}

/* What was repeated is answered as the first time, whatever would be said today. */
static int create_log_row(struct tx *tx, struct command_call *call, struct err *e) {
    tx->stored = false;
    int r = run_create(tx, call, e);
    if (r == 0 || tx->stored || !finds_out_later(tx, call)) return r;
    struct err why = *e;
    int before = log_row_there(tx, call, e);
    if (before < 0) return -1;
    call->repeated = before;
    if (before) return 0;
    *e = why;
    return -1;
}

static int dispatch(struct tx *tx, struct command_call *call, bool again, struct err *e) {
    if (!id_is_nil(call->record) && call->verb != VERB_CREATE) {
        struct record *r = NULL;
        int found = record_load(tx->db, tx->site->id, call->a, call->kind, call->record, &r, e);
        char text[ID_TEXT];
        if (found < 0) return -1;
        if (!found || r->removed)
            return err_set(e, ERR_NOT_FOUND, "record", M_NO_RECORD, id_text(call->record, text), label_in(call->kind->label, call->lang));
        TRY(tx_require(tx, r->path, e));
        call->rec = r;
    }
    switch (call->verb) {
    case VERB_CREATE: return is_log_row(call) ? create_log_row(tx, call, e) : run_create(tx, call, e);
    case VERB_UPDATE: return run_update(tx, call, e);
    case VERB_REMOVE:
        if (call->version && call->version != call->rec->version) return describe_conflict(tx, call, e);
        return tx_remove(tx, call->rec, e);
    case VERB_OPEN: return run_open(tx, call, again, e);
    default: return run_other(tx, call, e);
    }
}

int command_run(struct tx *tx, struct command_call *call, struct err *e) {
    const char *verb = strchr(call->name, '.') + 1;
    /* It may run again after a busy database. */
    call->errs = (struct errs){.a = call->a};
    call->repeated = false;
    call->rec = call->current = call->row = NULL;
    call->ret_record = (struct id){{0}};
    call->ret_version = call->ret_seq = 0;
    call->ret_json = STR_NONE;
    tx->actor = call->actor;
    tx->lang = call->lang;
    tx->command_id = call->id;
    tx->command = call->name;
    tx->kind = call->kind;
    tx->verb = verb;
    tx->fingerprint = call->fingerprint;
    tx->entry_used = false;
    if (!permit_anywhere(call->actor, call->kind->name, verb)) return err_set(e, ERR_FORBIDDEN, NULL, M_NOT_ALLOWED, call->name);
    int before = call->fresh ? 0 : ran_before(tx, call, e);
    if (before < 0) return -1;
    call->repeated = before;
    call->ret_json = arena_str(call->a, call->ret_json);
    if (before) return call->verb == VERB_OPEN ? dispatch(tx, call, true, e) : 0;
    if (call->kind->flags & KIND_LOG && (call->verb == VERB_UPDATE || call->verb == VERB_REMOVE))
        return err_set(e, ERR_STATE, NULL, M_APPEND_ONLY);
    TRY(dispatch(tx, call, false, e));
    if (call->repeated) return 0;
    /* A command that changed nothing ran all the same. */
    if (!tx->entry_used && !is_log_row(call)) TRY(note_run(tx, call, STR("{}"), e));
    call->ret_record = tx->record;
    if (call->verb != VERB_UPDATE) call->ret_version = tx->version;
    call->ret_seq = is_log_row(call) ? tx->batch : tx->entry_seq;
    return 0;
}

static int command_item_run(struct tx *tx, struct write_item *item, struct err *e) {
    return command_run(tx, ((struct command_item *)item)->call, e);
}

/* Is this id new, in all that bears ids of commands? */
static int foresee_id(struct tx *tx, struct id id, struct err *e) {
    TRY(db_foresee(tx->db, CS(journal_by_id), e, VINT(tx->site->id), VID(id)));
    for (size_t i = 0; i < kind_count(); i++)
        if (kind_at(i)->flags & KIND_LOG) TRY(record_load_foresee(tx->db, tx->site->id, kind_at(i), id, e));
    return 0;
}

static int foresee_ids(struct tx *tx, const struct command_call *call, struct err *e) {
    int64_t site = tx->site->id;
    if (!is_log_row(call)) return foresee_id(tx, call->id, e);
    if (tx->alone && tx_id_is_new(tx, call->kind, call->id)) return 0;
    TRY(record_load_foresee(tx->db, site, call->kind, call->id, e));
    return db_foresee(tx->db, CS(journal_by_id), e, VINT(site), VID(call->id));
}

int command_foresee(struct tx *tx, const struct command_call *call, struct err *e) {
    int64_t site = tx->site->id;
    if (!call->fresh) TRY(foresee_ids(tx, call, e));
    if (!id_is_nil(call->record) && call->verb != VERB_CREATE) TRY(record_load_foresee(tx->db, site, call->kind, call->record, e));
    return call->values ? tx_foresee_values(tx, call->kind, call->values, call->given, e) : 0;
}

static int command_item_foresee(struct tx *tx, struct write_item *item, struct err *e) {
    return command_foresee(tx, ((struct command_item *)item)->call, e);
}

struct command_item command_item_make(struct command_call *call, void (*done)(struct write_item *item)) {
    bool reads = call->command && call->command->reads_figures;
    return (struct command_item){.item = {.run = command_item_run, .foresee = command_item_foresee, .done = done, .reads_figures = reads}, .call = call};
}

int command_do(struct site *s, struct command_call *call, struct err *e) {
    struct command_item item = command_item_make(call, NULL);
    return writer_run(s, &item.item, e);
}

void command_answer(const struct command_call *call, struct json_out *o) {
    char text[ID_TEXT];
    json_object(o);
    json_put_strz(o, "id", id_text(call->id, text));
    json_put_strz(o, "record", id_is_nil(call->ret_record) ? NULL : id_text(call->ret_record, text));
    json_put_int(o, "version", call->ret_version);
    json_put_int(o, "seq", call->ret_seq);
    json_put_bool(o, "repeated", call->repeated);
    if (call->ret_json.n) {
        buf_addc(o->to, ',');
        buf_add_str(o->to, call->ret_json);
    }
    json_object_end(o);
}

int command_value(struct tx *tx, struct command_call *call, const struct field *f, struct val *ret, struct err *e) {
    const struct json *j = call->data ? json_get(call->data, f->name) : NULL;
    struct check_env env = tx_env(tx);
    env.a = call->a;
    if (!j) return *ret = VNULL, 0;
    return field_from_json(&env, f, j, ret, e);
}

int command_id(struct command_call *call, const char *name, bool required, struct id *ret, struct err *e) {
    const struct json *j = call->data ? json_get(call->data, name) : NULL;
    *ret = (struct id){{0}};
    if (!j || j->type == JSON_NULL) return required ? err_set(e, ERR_INVALID, name, M_REQUIRED) : 0;
    return parse_id(j, name, ret, e);
}
