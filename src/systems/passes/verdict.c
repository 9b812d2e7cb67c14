/* The text of a pass, made from its record, and the verdict on a text, with what the records know. */
#include "systems/passes/passes_internal.h"

int passes_text(struct site *s, const struct passes_keys *keys, const struct record *pass, struct buf *to, struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct pass_key k;
    struct pass_claims c = {.id = pass->id, .issuer = str_z(keys->issuer), .from_at = record_int(pass, "valid_from"),
                            .expires_at = record_int(pass, "valid_until"), .issued_at = passes_second(pass->created_at), .kind = passes_kind_of(pass),
                            .outings = (int)record_int(pass, "outings"), .days = (int)record_int(pass, "days")};
    int64_t now = site_now(s);
    int first = passes_serving(keys, c.issued_at), newest = passes_serving(keys, now);
    c.areas_n = passes_areas(&a, pass, c.areas);
    /* Signed anew when its key has ended, by one that gates will know for longer. */
    bool ended = first < 0 || keys->all[first].until_at <= now;
    int by = ended && newest >= 0 ? newest : first;
    if (by >= 0) c.issued_at = MAX(c.issued_at, keys->all[by].from_at);
    TRY(passes_signer(s, keys, by, &k, e));
    int r = pass_issue(&k, &c, to, e);
    pass_key_wipe(&k);
    return r;
}

size_t passes_chain(const struct areas *t, struct arena *a, struct id area, struct str **ret) {
    struct str *chain = arena_new(a, struct str, AREA_DEPTH + 1);
    size_t n = 0;
    for (const struct area *x = areas_by_id(t, area); x && n <= AREA_DEPTH; x = areas_parent(t, x)) chain[n++] = x->code;
    *ret = chain;
    return n;
}

static int find_number(struct site *s, struct db *db, struct arena *a, struct str text, struct record **ret, struct err *e) {
    char number[PASS_NUMBER];
    *ret = NULL;
    if (!pass_number_parse(text, number)) return 0;
    return record_find(db, s->id, &s->key, a, &passes_kind, (size_t)kind_field(&passes_kind, STR("number")), str_z(number), ret, e) < 0 ? -1 : 0;
}

/* What the records say of this pass, as lists that hold it or nobody. */
static int own_lists(struct site *s, struct arena *a, const struct passes_keys *keys, const struct record *pass, struct pass_list l[2], struct err *e) {
    int64_t now = site_now(s);
    bool on[2] = {pass && record_has(pass, "revoked_at"), pass && passes_stays(pass, s->tz, site_today(s))};
    for (int i = 0; i < 2; i++) {
        struct pass_list head = {.kind = (enum pass_list_kind)(PASS_LIST_REVOKED + i), .issuer = str_z(keys->issuer), .version = 1, .made_at = now,
                                 .until_at = now + PASSES_LIST_LASTS};
        TRY(pass_list_make(a, &head, on[i] ? &pass->id : NULL, on[i], &l[i], e));
    }
    return 0;
}

static bool was_read(enum pass_verdict v) {
    return v == PASS_VALID || v >= PASS_STAY_HOME;
}

int passes_verify(struct site *s, struct db *db, const struct areas *t, struct arena *a, const struct record *gate, struct str text,
                  struct passes_verdict *ret, struct err *e) {
    struct buf own CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    struct passes_keys keys;
    struct pass_list l[2];
    const struct pass_list *lists[2] = {&l[0], &l[1]};
    struct record *pass = NULL;
    struct str *chain;
    struct passes_verdict v = {.verdict = PASS_NOT_A_PASS};
    text = str_trim(text);
    TRY(passes_keys(db, s, a, &keys, e));
    TRY(find_number(s, db, a, text, &pass, e));
    if (pass) {
        TRY(passes_text(s, &keys, pass, &own, e));
        text = buf_str(&own);
    }
    size_t chain_n = passes_chain(t, a, gate->area, &chain);
    struct pass_gate g = {.keys = keys.published, .keys_n = keys.published_n, .chain = chain, .chain_n = chain_n, .now_at = site_now(s)};
    v.verdict = pass_verify(a, &g, text, &v.claims);
    v.read = was_read(v.verdict);
    if (v.read) {
        if (!pass && record_load(db, s->id, a, &passes_kind, v.claims.id, &pass, e) < 0) return -1;
        TRY(own_lists(s, a, &keys, pass, l, e));
        g.lists = lists;
        g.lists_n = COUNT(lists);
        v.verdict = pass_verify(a, &g, text, &v.claims);
        v.pass = pass;
    }
    *ret = v;
    return 0;
}
