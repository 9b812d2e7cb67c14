/* One record and its history. */
#include "api/request.h"
#include "core/core_stmts.h"
#include "core/journal.h"

/* What lies outside the caller's areas is not there for him. */
static int load_visible(struct request *rq, struct record **ret, struct err *e) {
    struct id id;
    struct record *r;
    const char *shown = arena_strz(rq->a, rq->param[1]), *label = label_in(rq->kind->label, rq->lang);
    if (!id_parse(rq->param[1], &id)) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_RECORD, shown, label);
    TRY(request_db(rq, e));
    int found = record_load(rq->db, rq->site->id, rq->a, rq->kind, id, &r, e);
    if (found < 0) return -1;
    if (!found || r->removed || !permit_may(rq->actor, rq->kind->name, "read", r->path)) return err_set(e, ERR_NOT_FOUND, NULL, M_NO_RECORD, shown, label);
    *ret = r;
    return 0;
}

int record_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct record *r;
    TRY(load_visible(rq, &r, e));
    const char *etag = arena_printf(rq->a, "\"%lld\"", (long long)r->version);
    http_add_header(rq->call, "ETag", etag);
    if (str_eqz(http_header(rq->call, "if-none-match"), etag)) {
        rq->status = 304;
        return 0;
    }
    return record_show(rq, r, &o, e);
}

static int entry_show(struct request *rq, const struct journal_entry *j, struct json_out *o, struct err *e) {
    struct json *change;
    struct err ignored;
    json_object(o);
    json_put_int(o, "seq", j->seq);
    time_show(rq, "at", j->at, o);
    json_key(o, "actor");
    TRY(actor_show(rq, j->actor, o, e));
    json_put_str(o, "command", j->command);
    json_put_int(o, "version", j->version);
    if (str_eq(j->change, STR("{\"erased\":true}"))) {
        json_put_bool(o, "erased", true);
        json_key(o, "changes");
        json_array(o);
        json_array_end(o);
    } else if (!j->has_row && json_parse(rq->a, j->change, NULL, &change, &ignored) == 0) {
        const struct json *opened = json_get(change, "opened");
        struct str reason = json_text(change, "reason");
        if (reason.n) json_put_str(o, "reason", reason);
        if (opened) {
            json_key(o, "opened");
            json_value(o, opened);
        }
        json_key(o, "changes");
        json_array(o);
        json_array_end(o);
    } else {
        json_key(o, "changes");
        TRY(changes_show(rq, rq->kind, j->change, o, e));
    }
    json_object_end(o);
    return 0;
}

/* Newest first. */
int history_route(struct request *rq, struct err *e) {
    enum { ENTRIES = 2000 };
    struct json_out o = JSON_OUT(rq->out);
    struct record *r;
    struct journal_entry *all = arena_new(rq->a, struct journal_entry, ENTRIES);
    size_t n = 0;
    int got;
    TRY(load_visible(rq, &r, e));
    {
        struct rows *rows CLEANUP(rows_donep) = NULL;
        TRY(db_query(rq->db, CS(journal_of_record), &rows, e, VINT(rq->site->id), VID(r->id), VINT(0), VINT(ENTRIES)));
        while ((got = rows_next(rows, e)) == 1) journal_read(rq->a, rows, &all[n++]);
        if (got < 0) return -1;
    }
    json_object(&o);
    json_key(&o, "entries");
    json_array(&o);
    while (n-- > 0) TRY(entry_show(rq, &all[n], &o, e));
    json_array_end(&o);
    json_object_end(&o);
    return 0;
}
