#include "systems/rules.h"

#include "systems/keepers/protocol.h"
#include "text/text.h"

static const struct code genders[] = {{"male", {"男", "male"}}, {"female", {"女", "female"}}, {NULL, {NULL, NULL}}};
const struct code_list gender_codes = {"gender", genders};
static const struct code yes_no[] = {{"yes", {"有", "yes"}}, {"no", {"无", "no"}}, {NULL, {NULL, NULL}}};
const struct code_list yes_no_codes = {"yes_no", yes_no};

static bool has_field(const struct kind *k, const char *name) {
    return kind_field(k, str_z(name)) >= 0;
}

static const char *field_label(const struct tx *tx, const struct kind *k, const char *name) {
    return label_in(k->fields[kind_field(k, str_z(name))].label, tx->lang);
}

void rule_order(const struct tx *tx, const struct record *r, struct errs *errs, const char *earlier, const char *later) {
    day_t a = record_day(r, earlier, tx->site->tz), b = record_day(r, later, tx->site->tz);
    char text[DAY_TEXT];
    if (a == DAY_NONE || b == DAY_NONE || a <= b) return;
    const char *what = arena_printf(tx->a, "%s %s", field_label(tx, r->kind, earlier), day_text(a, text));
    rule_refuse(errs, later, M_BEFORE, what);
}

void rule_needs(const struct tx *tx, const struct record *r, struct errs *errs, const char *field, const char *needed) {
    if (record_has(r, field) && !record_has(r, needed)) rule_refuse(errs, field, M_NEEDS, field_label(tx, r->kind, needed));
}

void rule_period(const struct tx *tx, const struct record *r, struct errs *errs) {
    if (has_field(r->kind, "since") && has_field(r->kind, "until")) rule_order(tx, r, errs, "since", "until");
}

/* Fills the field when it is empty, refuses it when it says something else. */
static void agree(const struct tx *tx, struct record *r, struct errs *errs, const char *name, struct str value) {
    int at = kind_field(r->kind, str_z(name));
    if (at < 0) return;
    const struct field *f = &r->kind->fields[at];
    if (r->v[at].type == V_NULL) record_set_text(r, name, arena_str(tx->a, value));
    if (str_eq(record_text(r, name), value)) return;
    const struct code *c = f->codes ? code_find(f->codes, value) : NULL;
    rule_refuse(errs, name, M_DIFFERS_ID_NUMBER, c ? label_in(c->label, tx->lang) : arena_strz(tx->a, value));
}

int rule_identity(struct tx *tx, struct record *r, struct errs *errs, struct err *e) {
    int at = kind_field(r->kind, STR("id_number"));
    struct str number;
    day_t birth;
    bool male;
    char text[DAY_TEXT];
    if (at < 0 || r->v[at].type == V_NULL) return 0;
    TRY(record_plain(&tx->site->key, tx->a, r, (size_t)at, &number, e));
    if (!text_id_number(number, &birth, &male)) return 0;
    agree(tx, r, errs, "birth_date", str_z(day_text(birth, text)));
    agree(tx, r, errs, "gender", male ? STR("male") : STR("female"));
    return 0;
}

int rule_febrile(struct tx *tx, struct record *r, struct err *e) {
    const struct val *t = record_get(r, "temperature");
    double threshold;
    if (t->type == V_NULL) {
        record_set_null(r, "febrile");
        return 0;
    }
    TRY(protocol_value(tx->db, tx->site, "fever_threshold", record_day(r, "seen_at", tx->site->tz), &threshold, e));
    record_set_int(r, "febrile", t->r >= threshold);
    return 0;
}

int rule_input(struct tx *tx, const struct command_call *call, const struct kind *k, const char *key, const char *field, struct val *ret, struct err *e) {
    const struct json *j = call->data ? json_get(call->data, key) : NULL;
    struct check_env env = tx_env(tx);
    struct field f = k->fields[kind_field(k, str_z(field))];
    if (!j) return *ret = VNULL, 0;
    f.name = key;
    return field_from_json(&env, &f, j, ret, e);
}

int derive_period(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    (void)e;
    rule_period(tx, r, errs);
    return 0;
}

int derive_person(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    rule_period(tx, r, errs);
    return rule_identity(tx, r, errs, e);
}
