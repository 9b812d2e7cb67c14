#include "systems/keepers/keepers.h"

#include "systems/rules.h"

CODE_LIST(duplicate_reasons, {"id_number", {"身份证号相同", "Same identity number"}}, {"phone", {"手机号相同", "Same phone"}},
          {"name_birth_address", {"姓名、出生日期、住址相近", "Alike in name, birth date, address"}}, {"code", {"编号相同", "Same code"}});
CODE_LIST(duplicate_states, {"open", {"待处理", "Open"}}, {"merged", {"已合并", "Merged"}}, {"separate", {"确认为两人", "Separate"}});

enum { ROW_MOST = 60000 };
static const struct field fields[] = {
    {"kind", F_TEXT, {"记录种类", "Kind"}, .max = 40, .flags = REQUIRED | LIST},
    {"record_a", F_TEXT, {"已有记录", "Existing record"}, .max = 36, .flags = REQUIRED | LIST},
    {"record_b", F_TEXT, {"另一记录", "Other record"}, .max = 36},
    {"candidate", F_TEXT, {"导入行内容", "Row"}, .max = ROW_MOST, .flags = SEALED},
    {"file", F_TEXT, {"来源文件", "File"}, .max = 200, .flags = LIST},
    {"file_row", F_INT, {"行号", "Row number"}, .min = 1, .max = 10000000, .flags = LIST},
    {"likeness", F_REAL, {"相似度", "Likeness"}, .min = 0, .max = 1, .flags = LIST},
    {"reason", F_CODE, {"理由", "Reason"}, .codes = &duplicate_reasons, .flags = REQUIRED | LIST},
    {"state", F_CODE, {"状态", "State"}, .codes = &duplicate_states, .flags = INDEXED | LIST},
    {"decided_at", F_TIME, {"处理时间", "Decided"}, .flags = READ_ONLY},
    {"undo", F_TEXT, {"撤销所需", "For the undo"}, .max = 2 * ROW_MOST, .flags = SEALED | READ_ONLY},
};

static int derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    struct id id;
    struct err ignored;
    struct json *row;
    struct str text;
    (void)old;
    if (!record_has(r, "state")) record_set_text(r, "state", STR("open"));
    struct str kind = record_text(r, "kind");
    if (kind.n && !kind_by_name(kind)) rule_refuse(errs, "kind", M_NO_KIND, arena_strz(tx->a, kind), "resident, household");
    if (record_has(r, "record_a") && !id_parse(record_text(r, "record_a"), &id)) rule_refuse(errs, "record_a", M_TYPE_ID);
    if (record_has(r, "record_b") && !id_parse(record_text(r, "record_b"), &id)) rule_refuse(errs, "record_b", M_TYPE_ID);
    if (!record_has(r, "candidate")) {
        if (!record_has(r, "record_b")) rule_refuse(errs, "record_b", M_REQUIRED);
        return 0;
    }
    TRY(record_plain(&tx->site->key, tx->a, r, (size_t)kind_field(r->kind, STR("candidate")), &text, e));
    if (json_parse(tx->a, text, NULL, &row, &ignored) || row->type != JSON_OBJECT) rule_refuse(errs, "candidate", M_TYPE_OBJECT);
    return 0;
}

const struct kind duplicate_kind = {
    .name = "duplicate", .label = {"疑似重复", "Duplicate"}, FIELDS(fields), .flags = KIND_ADMIN, .derive = derive,
    .purpose = "防控排查：核对重复登记的人员|Epidemic control: settling double entries", .retention_days = 90,
};

/* ---- a decision under way ---- */
struct decision {
    struct tx *tx;
    struct command_call *call;
    const struct kind *kind;
    struct id a, b;         /* b nil: a row */
    const struct json *row; /* NULL: two records */
    const struct json *undo;
};

static int sealed_json(struct tx *tx, const struct record *r, const char *field, const struct json **ret, struct err *e) {
    struct str text;
    struct json *j;
    *ret = NULL;
    TRY(record_plain(&tx->site->key, tx->a, r, (size_t)kind_field(r->kind, str_z(field)), &text, e));
    if (text.n == 0) return 0;
    TRY(json_parse(tx->a, text, NULL, &j, e));
    *ret = j;
    return 0;
}

static int decision_begin(struct tx *tx, struct command_call *call, bool open, struct decision *d, struct err *e) {
    if (!call->rec) return err_set(e, ERR_INVALID, "record", M_REQUIRED);
    struct str state = record_text(call->rec, "state");
    *d = (struct decision){.tx = tx, .call = call, .kind = kind_by_name(record_text(call->rec, "kind"))};
    if (str_eq(state, STR("open")) != open) {
        const struct code *c = code_find(&duplicate_states, state);
        return err_set(e, ERR_STATE, "state", M_NOT_IN_STATE, c ? label_in(c->label, tx->lang) : "", label_in(call->command->label, tx->lang));
    }
    if (!d->kind || !id_parse(record_text(call->rec, "record_a"), &d->a)) return err_set(e, ERR_STATE, "kind", M_REQUIRED);
    id_parse(record_text(call->rec, "record_b"), &d->b);
    TRY(sealed_json(tx, call->rec, "candidate", &d->row, e));
    return sealed_json(tx, call->rec, "undo", &d->undo, e);
}

static int decision_end(struct decision *d, const char *state, struct str undo, struct err *e) {
    struct record *r = record_copy(d->tx->a, d->call->rec);
    bool changed;
    record_set_text(r, "state", str_z(state));
    record_set_text(r, "undo", undo);
    if (undo.n) record_set_int(r, "decided_at", d->tx->now);
    else record_set_null(r, "decided_at");
    return tx_update(d->tx, d->call->rec, r, &changed, &d->call->errs, e);
}

/* ---- values of the record kinds, readable even where they are sealed ---- */
static int plain_value(struct tx *tx, const struct record *r, size_t i, struct val *ret, struct err *e) {
    *ret = r->v[i];
    if (ret->type != V_BLOB) return 0;
    struct str text;
    TRY(record_plain(&tx->site->key, tx->a, r, i, &text, e));
    *ret = VTEXT(text);
    return 0;
}

/* For each field the program does not fill by itself: what the record would get.  V_NULL: nothing. */
static int row_values(struct decision *d, struct val *v, struct err *e) {
    struct check_env env = tx_env(d->tx);
    for (const struct json *m = d->row->first; m; m = m->next) {
        int i = kind_field(d->kind, m->key);
        if (i < 0 || d->kind->fields[i].flags & READ_ONLY) continue;
        TRY(field_from_json(&env, &d->kind->fields[i], m, &v[i], e));
    }
    return 0;
}

static int missing_values(struct decision *d, const struct record *a, const struct record *b, struct val *v, struct err *e) {
    for (size_t i = 0; i < d->kind->n; i++)
        if (a->v[i].type == V_NULL && !(d->kind->fields[i].flags & READ_ONLY)) TRY(plain_value(d->tx, b, i, &v[i], e));
    return 0;
}

/* Puts the values into a copy and notes each change as "field":[before, after]. */
static int apply_values(struct decision *d, const struct record *a, const struct val *v, struct record *r, struct json_out *o, struct err *e) {
    json_key(o, "fields");
    json_object(o);
    for (size_t i = 0; i < d->kind->n; i++) {
        struct val before;
        const struct field *f = &d->kind->fields[i];
        TRY(plain_value(d->tx, a, i, &before, e));
        if (v[i].type == V_NULL || val_eq(&before, &v[i])) continue;
        r->v[i] = v[i];
        json_key(o, f->name);
        json_array(o);
        field_to_json(d->tx->site->tz, f, &before, o);
        field_to_json(d->tx->site->tz, f, &v[i], o);
        json_array_end(o);
    }
    json_object_end(o);
    return 0;
}

/* ---- references from records that vanish to the one that stays ---- */
static int move_one(struct decision *d, const struct record *old, size_t field, struct id to, struct err *e) {
    struct record *r = record_copy(d->tx->a, old);
    bool changed;
    r->v[field] = VID(to);
    return tx_update(d->tx, old, r, &changed, &d->call->errs, e);
}

enum { REFERENCES_MOST = 2000 };

static int referring(struct decision *d, const struct kind *k, size_t field, struct id to, struct record *list, size_t *n, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct path_range all = path_range(d->tx->a, STR(""));
    int got;
    *n = 0;
    TRY(db_query(d->tx->db, &kind_sql(k)->by_field[field], &rows, e, VINT(d->tx->site->id), VID(to), VTEXT(all.from), VTEXT(all.to),
                 VTEXT(STR("")), VID((struct id){{0}}), VINT(REFERENCES_MOST)));
    while ((got = rows_next(rows, e)) == 1) record_read(d->tx->a, k, rows, &list[(*n)++]);
    return got;
}

static int move_references(struct decision *d, struct id from, struct id to, struct json_out *o, struct err *e) {
    struct record *list = arena_new(d->tx->a, struct record, REFERENCES_MOST);
    const struct kind *k;
    char text[ID_TEXT];
    json_key(o, "moved");
    json_array(o);
    for (size_t i = 0; (k = kind_at(i)); i++)
        for (size_t f = 0; f < k->n; f++) {
            size_t n = 0;
            if (!k->fields[f].ref || strcmp(k->fields[f].ref, d->kind->name) != 0 || !(k->fields[f].flags & INDEXED) || k->flags & KIND_LOG) continue;
            TRY(referring(d, k, f, from, list, &n, e));
            for (size_t j = 0; j < n; j++) {
                TRY(move_one(d, &list[j], f, to, e));
                json_array(o);
                json_strz(o, k->name);
                json_strz(o, k->fields[f].name);
                json_strz(o, id_text(list[j].id, text));
                json_array_end(o);
            }
        }
    json_array_end(o);
    return 0;
}

/* ---- merge ---- */
static int take_away(struct decision *d, const struct record *b, struct json_out *o, struct err *e) {
    TRY(move_references(d, d->b, d->a, o, e));
    return tx_remove(d->tx, b, e);
}

static int duplicate_merge(struct tx *tx, struct command_call *call, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(2 * ROW_MOST);
    struct json_out o = JSON_OUT(&b);
    struct decision d;
    struct record *kept, *other = NULL;
    bool changed;
    TRY(decision_begin(tx, call, true, &d, e));
    TRY(tx_load(tx, d.kind, d.a, &kept, e));
    if (!d.row) TRY(tx_load(tx, d.kind, d.b, &other, e));
    struct val *v = arena_new(tx->a, struct val, d.kind->n);
    if (d.row) TRY(row_values(&d, v, e));
    else TRY(missing_values(&d, kept, other, v, e));
    struct record *r = record_copy(tx->a, kept);
    json_object(&o);
    TRY(apply_values(&d, kept, v, r, &o, e));
    /* The other goes first: both may hold the one value that only one may have. */
    if (other) TRY(take_away(&d, other, &o, e));
    json_object_end(&o);
    if (b.failed) return err_set(e, ERR_TOO_LARGE, NULL, M_BODY_SIZE, arena_printf(tx->a, "%d", 2 * ROW_MOST));
    TRY(tx_update(tx, kept, r, &changed, &call->errs, e));
    return decision_end(&d, "merged", arena_str(tx->a, buf_str(&b)), e);
}

/* ---- separate ---- */
static int duplicate_separate(struct tx *tx, struct command_call *call, struct err *e) {
    struct decision d;
    char text[ID_TEXT];
    TRY(decision_begin(tx, call, true, &d, e));
    if (!d.row) return decision_end(&d, "separate", STR("{}"), e);
    struct record *r = record_new(tx->a, d.kind);
    TRY(row_values(&d, r->v, e));
    bool placed = d.kind->area_from && record_has(r, d.kind->area_from);
    if (!placed) r->area = call->rec->area;
    TRY(tx_create(tx, r, &call->errs, e));
    return decision_end(&d, "separate", str_z(arena_printf(tx->a, "{\"made\":\"%s\"}", id_text(r->id, text))), e);
}

/* ---- undo ---- */
static int restore_fields(struct decision *d, const struct json *changes, struct err *e) {
    struct check_env env = tx_env(d->tx);
    struct record *old;
    bool changed;
    TRY(tx_load(d->tx, d->kind, d->a, &old, e));
    struct record *r = record_copy(d->tx->a, old);
    for (const struct json *m = changes->first; m; m = m->next) {
        int i = kind_field(d->kind, m->key);
        struct val now, before, after;
        if (i < 0 || m->count != 2) continue;
        TRY(plain_value(d->tx, old, (size_t)i, &now, e));
        TRY(field_from_json(&env, &d->kind->fields[i], m->first, &before, e));
        TRY(field_from_json(&env, &d->kind->fields[i], m->first->next, &after, e));
        if (val_eq(&now, &after)) r->v[i] = before;
    }
    return tx_update(d->tx, old, r, &changed, &d->call->errs, e);
}

static int restore_record(struct decision *d, struct err *e) {
    struct record *old;
    int found = record_load(d->tx->db, d->tx->site->id, d->tx->a, d->kind, d->b, &old, e);
    if (found <= 0 || !old->removed) return found < 0 ? -1 : 0;
    struct record *r = record_copy(d->tx->a, old);
    bool changed;
    r->removed = false;
    return tx_update(d->tx, old, r, &changed, &d->call->errs, e);
}

static int restore_references(struct decision *d, const struct json *moved, struct err *e) {
    for (const struct json *m = moved->first; m; m = m->next) {
        if (m->count != 3) continue;
        const struct kind *k = kind_by_name(m->first->text);
        int field = k ? kind_field(k, m->first->next->text) : -1;
        struct id id;
        struct record *r;
        if (field < 0 || !id_parse(m->first->next->next->text, &id)) continue;
        int found = record_load(d->tx->db, d->tx->site->id, d->tx->a, k, id, &r, e);
        if (found < 0) return -1;
        bool still = found && !r->removed && r->v[field].type == V_ID && id_eq(r->v[field].id, d->a);
        if (still) TRY(move_one(d, r, (size_t)field, d->b, e));
    }
    return 0;
}

static int remove_made(struct decision *d, struct str made, struct err *e) {
    struct id id;
    struct record *r;
    if (!id_parse(made, &id)) return 0;
    int found = record_load(d->tx->db, d->tx->site->id, d->tx->a, d->kind, id, &r, e);
    if (found <= 0 || r->removed) return found < 0 ? -1 : 0;
    return tx_remove(d->tx, r, e);
}

static int duplicate_undo(struct tx *tx, struct command_call *call, struct err *e) {
    struct decision d;
    TRY(decision_begin(tx, call, false, &d, e));
    if (!d.undo) return err_set(e, ERR_STATE, "undo", M_REQUIRED);
    const struct json *changes = json_get(d.undo, "fields"), *moved = json_get(d.undo, "moved");
    if (changes) TRY(restore_fields(&d, changes, e));
    if (moved) TRY(restore_record(&d, e));
    if (moved) TRY(restore_references(&d, moved, e));
    TRY(remove_made(&d, json_text(d.undo, "made"), e));
    return decision_end(&d, "open", STR_NONE, e);
}

const struct command duplicate_commands[DUPLICATE_COMMANDS] = {
    {"duplicate.merge", {"合并", "Merge"}, &duplicate_kind, duplicate_merge},
    {"duplicate.separate", {"分别保留", "Keep both"}, &duplicate_kind, duplicate_separate},
    {"duplicate.undo", {"撤销处理", "Undo"}, &duplicate_kind, duplicate_undo},
};
