#include "core/journal.h"

#include "core/core_stmts.h"

int journal_end(struct db *db, int64_t site, int64_t *ret_seq, struct digest *ret_hash, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, CS(journal_end), &rows, e, VINT(site)));
    int r = rows_next(rows, e);
    if (r < 0) return -1;
    *ret_seq = 0;
    *ret_hash = (struct digest){{0}};
    if (r == 0) return 0;
    struct str hash = rows_blob(rows, 1);
    if (hash.n != sizeof ret_hash->b) return err_set(e, ERR_CORRUPT, NULL, M_TEXT, "journal");
    *ret_seq = rows_int(rows, 0);
    memcpy(ret_hash->b, hash.p, hash.n);
    return 0;
}

struct digest journal_hash(const struct digest *before, const struct journal_entry *j) {
    struct digest_state d;
    digest_start(&d);
    digest_add(&d, before->b, sizeof before->b);
    digest_add(&d, &j->seq, 8);
    digest_add(&d, j->id.b, 16);
    digest_add(&d, &j->at, 8);
    digest_add(&d, j->actor.b, 16);
    digest_add_str(&d, j->command);
    digest_add_str(&d, j->kind);
    digest_add(&d, j->record.b, 16);
    digest_add(&d, &j->version, 8);
    digest_add_str(&d, j->path);
    digest_add_str(&d, j->change);
    digest_add_str(&d, j->has_row ? (struct str){(const char *)j->row.b, sizeof j->row.b} : STR_NONE);
    digest_add(&d, j->cause.b, 16);
    digest_add(&d, &j->fingerprint, 8);
    return digest_end(&d);
}

static struct val id_or_null(struct id id) {
    return id_is_nil(id) ? VNULL : VID(id);
}

int journal_append(struct tx *tx, struct journal_entry *j, struct err *e) {
    j->seq = tx->seq + 1;
    j->at = tx->now;
    j->hash = journal_hash(&tx->chain, j);
    struct str row = {(const char *)j->row.b, sizeof j->row.b}, hash = {(const char *)j->hash.b, sizeof j->hash.b};
    TRY(db_run(tx->db, CS(journal_add), e, VINT(tx->site->id), VINT(j->seq), VID(j->id), VINT(j->at), id_or_null(j->actor),
               VTEXT(j->command), VTEXT(j->kind), id_or_null(j->record), VINT(j->version), VTEXT(j->path), VTEXT(j->change),
               j->has_row ? VBLOB(row) : VNULL, id_or_null(j->cause), VINT(j->fingerprint), VBLOB(hash)));
    db_unforesee(tx->db, CS(journal_by_id), VINT(tx->site->id), VID(j->id));
    tx_id_used(tx, j->id);
    tx->seq = j->seq;
    tx->chain = j->hash;
    return 0;
}

void journal_read(struct arena *a, struct rows *rows, struct journal_entry *ret) {
    struct str row = rows_blob(rows, 10), hash = rows_blob(rows, 13);
    *ret = (struct journal_entry){
        .seq = rows_int(rows, 0),
        .id = rows_id(rows, 1),
        .at = rows_int(rows, 2),
        .actor = rows_id(rows, 3),
        .command = arena_str(a, rows_text(rows, 4)),
        .kind = arena_str(a, rows_text(rows, 5)),
        .record = rows_id(rows, 6),
        .version = rows_int(rows, 7),
        .path = arena_str(a, rows_text(rows, 8)),
        .change = arena_str(a, rows_text(rows, 9)),
        .has_row = row.n == sizeof ret->row.b,
        .cause = rows_id(rows, 11),
        .fingerprint = rows_int(rows, 12),
    };
    if (ret->has_row) memcpy(ret->row.b, row.p, row.n);
    if (hash.n == sizeof ret->hash.b) memcpy(ret->hash.b, hash.p, hash.n);
}

int journal_by_id(struct db *db, int64_t site, struct arena *a, struct id id, struct journal_entry *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    TRY(db_query(db, CS(journal_by_id), &rows, e, VINT(site), VID(id)));
    int r = rows_next(rows, e);
    if (r == 1) journal_read(a, rows, ret);
    return r;
}

struct str journal_change(const struct tz *tz, struct arena *a, const struct record *old, const struct record *r) {
    struct buf b CLEANUP(buf_release) = BUF(4 << 20);
    struct json_out o = JSON_OUT(&b);
    json_object(&o);
    if (old && !id_eq(old->area, r->area)) {
        char from[ID_TEXT], to[ID_TEXT];
        json_key(&o, "area");
        json_array(&o);
        json_strz(&o, id_text(old->area, from));
        json_strz(&o, id_text(r->area, to));
        json_array_end(&o);
    }
    if (old && old->removed != r->removed) {
        json_key(&o, "removed");
        json_array(&o);
        json_bool(&o, old->removed);
        json_bool(&o, r->removed);
        json_array_end(&o);
    }
    for (size_t i = 0; i < r->kind->n; i++) {
        const struct field *f = &r->kind->fields[i];
        static const struct val none = {.type = V_NULL};
        const struct val *from = old ? &old->v[i] : &none;
        if (val_eq(from, &r->v[i])) continue;
        json_key(&o, f->name);
        if (f->flags & (PERSONAL | SEALED)) {
            json_bool(&o, true);
            continue;
        }
        json_array(&o);
        field_to_json(tz, f, from, &o);
        field_to_json(tz, f, &r->v[i], &o);
        json_array_end(&o);
    }
    json_object_end(&o);
    INVARIANT(!b.failed);
    return arena_str(a, buf_str(&b));
}
