#include "pass_help.h"

#include <sodium.h>

static void make_key(struct county *c, int i, const char *issuer, int64_t from, int64_t until) {
    uint8_t seed[32];
    struct err e;
    memset(seed, i + 1, sizeof seed);
    CHECK(pass_key_make(seed, str_z(issuer), from, until, &c->keys[i], &e) == 0);
    if (i < KEYS) c->set[i] = c->keys[i].public;
}

struct id pass_id(unsigned n) {
    struct id id = {{0x01, 0x70, 0x48, 0x02, 0x5e, 0x00, 0x70, 0x00, 0x80, 0, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
    return id;
}

static void make_list(struct county *c, int i, enum pass_list_kind kind, unsigned from) {
    struct pass_list head = {.kind = kind, .issuer = STR("jx"), .version = 7, .made_at = NOW - SECONDS(3600), .until_at = NOW + SECONDS(86400)};
    struct id ids[100];
    struct err e;
    memset(head.salt, 0x50 + i, sizeof head.salt);
    for (unsigned n = 0; n < COUNT(ids); n++) ids[n] = pass_id(from + n);
    CHECK(pass_list_make(&c->a, &head, ids, COUNT(ids), &c->full[i], &e) == 0);
    c->lists[i] = &c->full[i];
}

void county_open(struct county *c) {
    CHECK(sodium_init() >= 0);
    *c = (struct county){.chain = {STR("jx.t01.c02"), STR("jx.t01"), STR("jx")}};
    make_key(c, KEY_NOW, "jx", NOW - SECONDS(1209600), NOW + SECONDS(6480000));
    make_key(c, KEY_NEXT, "jx", NOW + SECONDS(6480000), NOW + SECONDS(12960000));
    make_key(c, KEY_NEIGHBOUR, "qc", NOW - SECONDS(1209600), NOW + SECONDS(6480000));
    make_key(c, KEY_STRANGER, "jx", NOW - SECONDS(1209600), NOW + SECONDS(6480000));
    make_list(c, LIST_REVOKED, PASS_LIST_REVOKED, 100);
    make_list(c, LIST_STAY_HOME, PASS_LIST_STAY_HOME, 200);
    c->gate = (struct pass_gate){c->set, KEYS, c->chain, COUNT(c->chain), c->lists, LISTS, NOW};
}

void county_close(struct county *c) {
    arena_release(&c->a);
}

struct pass_claims claims_of(unsigned id) {
    return (struct pass_claims){
        .id = pass_id(id), .issuer = STR("jx"), .from_at = NOW - SECONDS(86400), .expires_at = NOW + SECONDS(1209600),
        .issued_at = NOW - SECONDS(90000), .kind = PASS_HOUSEHOLD, .areas = {STR("jx.t01.c02")}, .areas_n = 1, .outings = 1, .days = 2,
    };
}

struct str text_of(struct county *c, int key, const struct pass_claims *p) {
    struct buf to CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    struct err e;
    CHECK(pass_issue(&c->keys[key], p, &to, &e) == 0 && !to.failed);
    return arena_str(&c->a, buf_str(&to));
}

struct str payload_of(struct county *c, const struct pass_claims *p) {
    struct buf to CLEANUP(buf_release) = BUF(1 << 12);
    pass_payload_add(p, &to);
    return arena_str(&c->a, buf_str(&to));
}

struct str token_of(struct county *c, int key, struct str payload) {
    struct buf to CLEANUP(buf_release) = BUF(1 << 12);
    cose_sign(&c->keys[key], COSE_PASS, payload, &to);
    return arena_str(&c->a, buf_str(&to));
}

struct str text_of_token(struct county *c, struct str token) {
    struct buf to CLEANUP(buf_release) = BUF(1 << 13);
    pass_text_add(token, &to);
    return arena_str(&c->a, buf_str(&to));
}

struct str file_of(struct county *c, int key, const struct pass_list *l) {
    struct buf to CLEANUP(buf_release) = BUF(1 << 20);
    struct err e;
    CHECK(pass_list_write(&c->keys[key], l, &to, &e) == 0);
    return arena_str(&c->a, buf_str(&to));
}

struct str edited(struct county *c, struct str bytes, int at, size_t cut, const char *hex) {
    struct buf to CLEANUP(buf_release) = BUF(1 << 20);
    size_t from = at < 0 ? bytes.n - (size_t)-at : (size_t)at;
    CHECK(from + cut <= bytes.n);
    buf_add_str(&to, str_sub(bytes, 0, from));
    buf_add_str(&to, from_hex(&c->a, str_z(hex)));
    buf_add_str(&to, str_sub(bytes, from + cut, bytes.n));
    return arena_str(&c->a, buf_str(&to));
}

struct str hex_of(struct arena *a, struct str bytes) {
    char *to = arena_alloc(a, 2 * bytes.n + 1);
    sodium_bin2hex(to, 2 * bytes.n + 1, (const unsigned char *)bytes.p, bytes.n);
    return (struct str){to, 2 * bytes.n};
}

struct str from_hex(struct arena *a, struct str hex) {
    char *to = arena_alloc(a, hex.n / 2 + 1);
    size_t n;
    CHECK(sodium_hex2bin((unsigned char *)to, hex.n / 2 + 1, hex.p, hex.n, NULL, &n, NULL) == 0 && n == hex.n / 2);
    return (struct str){to, n};
}

const char *verdict_of(struct county *c, struct str text) {
    struct pass_claims ret;
    return pass_verdict_name(pass_verify(&c->a, &c->gate, text, &ret));
}
