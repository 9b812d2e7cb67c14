/* What a gate reads: QR texts, lists from a server or a stick, typed numbers.  The first byte says which of them the rest is.  What is
 * inside the signature is signed here, or nothing would ever come past it. */
#include <sodium.h>

#include "pass/pass_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pass_key key;
static struct pass_list none; /* an empty list, version 1 */

static void setup(void) {
    static const uint8_t seed[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct err e;
    INVARIANT(sodium_init() >= 0 && pass_key_make(seed, STR("jx"), 0, PASS_TIME_END - 1, &key, &e) == 0);
    none = (struct pass_list){.kind = PASS_LIST_REVOKED, .issuer = STR("jx"), .version = 1, .until_at = US_PER_SECOND,
                              .hashes = STR(""), .removed = STR("")};
    memset(none.salt, 'P', sizeof none.salt);
}

static enum pass_verdict verify(struct arena *a, struct str text, struct pass_claims *ret) {
    const struct str chain[] = {STR("jx"), STR("jx.t01")};
    const struct pass_list *lists[] = {&none};
    struct pass_gate gate = {&key.public, 1, chain, COUNT(chain), lists, 1, INT64_C(1581739200) * US_PER_SECOND};
    enum pass_verdict v = pass_verify(a, &gate, text, ret);
    INVARIANT(v < PASS_VERDICT__COUNT && *pass_verdict_name(v));
    return v;
}

static bool is_read(enum pass_verdict v) {
    return v == PASS_VALID || v >= PASS_STAY_HOME;
}

/* What was read is issued again: the same claims, the same verdict, and the text itself is inside the bounds. */
static void issue_again(struct arena *a, const struct pass_claims *c, enum pass_verdict verdict) {
    struct buf to CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    struct err e;
    struct pass_claims again;
    INVARIANT(pass_issue(&key, c, &to, &e) == 0 && !to.failed);
    INVARIANT(verify(a, buf_str(&to), &again) == verdict && id_eq(again.id, c->id));
}

static void text(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct pass_claims c;
    enum pass_verdict v = verify(&a, s, &c);
    if (is_read(v)) issue_again(&a, &c, v);
}

static void token(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf to CLEANUP(buf_release) = BUF(1 << 13), payload CLEANUP(buf_release) = BUF(1 << 11), same CLEANUP(buf_release) = BUF(1 << 11);
    struct pass_claims c;
    pass_text_add(str_sub(s, 0, 2048), &to);
    if (!is_read(verify(&a, buf_str(&to), &c))) return;
    pass_payload_add(&c, &payload);
    cose_sign(&key, COSE_PASS, buf_str(&payload), &same);
    INVARIANT(str_eq(buf_str(&same), s));
}

static void payload(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf signed_token CLEANUP(buf_release) = BUF(1 << 12), to CLEANUP(buf_release) = BUF(1 << 13), same CLEANUP(buf_release) = BUF(1 << 11);
    struct pass_claims c;
    cose_sign(&key, COSE_PASS, str_sub(s, 0, 1900), &signed_token);
    pass_text_add(buf_str(&signed_token), &to);
    enum pass_verdict v = verify(&a, buf_str(&to), &c);
    INVARIANT(v != PASS_FORGED);
    if (!is_read(v)) return;
    pass_payload_add(&c, &same);
    INVARIANT(str_eq(buf_str(&same), s)); /* one spelling */
    issue_again(&a, &c, v);
}

static void base45(struct str s) {
    struct buf raw CLEANUP(buf_release) = BUF(1 << 20), same CLEANUP(buf_release) = BUF(1 << 20);
    if (base45_parse(&raw, s)) {
        base45_add(&same, buf_str(&raw));
        INVARIANT(str_eq(buf_str(&same), s));
    }
    buf_clear(&raw);
    buf_clear(&same);
    base45_add(&raw, s);
    INVARIANT(base45_parse(&same, buf_str(&raw)) && str_eq(buf_str(&same), s));
}

static void number(struct str s) {
    char canonical[PASS_NUMBER], again[PASS_NUMBER];
    if (!pass_number_parse(s, canonical)) return;
    INVARIANT(pass_number_parse(str_z(canonical), again) && strcmp(canonical, again) == 0 && strlen(again) == PASS_NUMBER - 1);
}

static void read_list(struct arena *a, struct str file) {
    struct buf same CLEANUP(buf_release) = BUF(file.n + 400);
    struct pass_list l, after;
    struct err e;
    if (pass_list_read(&key.public, 1, file, &l) != PASS_VALID) return;
    INVARIANT(pass_list_write(&key, &l, &same, &e) == 0 && str_eq(buf_str(&same), file));
    pass_list_has(&l, (struct id){{1}});
    if (pass_list_apply(a, &none, &l, &after)) INVARIANT(after.version == l.version && after.base == 0);
}

static void list_file(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    read_list(&a, s);
}

static void list_payload(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf file CLEANUP(buf_release) = BUF(s.n + 200);
    cose_sign(&key, COSE_LIST, s, &file);
    read_list(&a, buf_str(&file));
}

/* Each byte is a pass; those of the first half are on the old list, those of the second on the new one. */
static struct pass_list list_of(struct arena *a, struct str s, int64_t version) {
    struct pass_list head = none, ret;
    struct id *ids = arena_new(a, struct id, s.n + 1);
    struct err e;
    head.version = version;
    for (size_t i = 0; i < s.n; i++) ids[i].b[0] = (uint8_t)s.p[i];
    INVARIANT(pass_list_make(a, &head, ids, s.n, &ret, &e) == 0);
    for (size_t i = 0; i < s.n; i++) INVARIANT(pass_list_has(&ret, ids[i]));
    return ret;
}

static void changes(struct str s) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf file CLEANUP(buf_release) = BUF(1 << 20);
    struct err e;
    s = str_sub(s, 0, 4096);
    struct pass_list from = list_of(&a, str_sub(s, 0, s.n / 2), 5), to = list_of(&a, str_sub(s, s.n / 2, s.n), 6), delta, got, after;
    INVARIANT(pass_list_delta(&a, &from, &to, &delta, &e) == 0 && pass_list_write(&key, &delta, &file, &e) == 0);
    INVARIANT(pass_list_read(&key.public, 1, buf_str(&file), &got) == PASS_VALID && pass_list_apply(&a, &from, &got, &after));
    INVARIANT(str_eq(after.hashes, to.hashes) && after.version == 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const what[])(struct str) = {text, token, payload, base45, number, list_file, list_payload, changes};
    static bool ready;
    if (!ready) setup();
    ready = true;
    if (size == 0) return 0;
    what[data[0] % COUNT(what)]((struct str){(const char *)data + 1, size - 1});
    return 0;
}
