/* The claims of a pass and the verdict on a text. */
#include "pass.h"

#include <zlib.h>

#include "pass_internal.h"

#define HEAD "LF1:"
enum { TOKEN_MAX = 2048 }; /* inflated: no short text makes a gate unpack much */

/* Keys of the claims, in the order of their bytes; PRIVATE lies where RFC 8392 leaves numbers to anybody. */
enum { ISS = 1, EXP = 4, NBF = 5, IAT = 6, CTI = 7, PRIVATE = -65537 };
enum { AREAS = 1, KIND, OUTINGS, DAYS };

static const struct {
    const char *name;
    struct label label;
} verdicts[PASS_VERDICT__COUNT] = {
    [PASS_VALID] = {"valid", {"有效", "Valid"}},
    [PASS_NOT_A_PASS] = {"not_a_pass", {"不是出入证", "Not a pass"}},
    [PASS_DAMAGED] = {"damaged", {"码已损坏，无法读取", "Damaged, cannot be read"}},
    [PASS_UNKNOWN_KEY] = {"unknown_key", {"签发密钥未知", "Signed by an unknown key"}},
    [PASS_FORGED] = {"forged", {"伪造：签名不符", "Forged: the signature does not fit"}},
    [PASS_STAY_HOME] = {"stay_home", {"应居家，不得外出", "Ordered to stay at home"}},
    [PASS_REVOKED] = {"revoked", {"已作废", "Revoked"}},
    [PASS_EXPIRED] = {"expired", {"已过期", "Expired"}},
    [PASS_NOT_YET] = {"not_yet_valid", {"尚未生效", "Not yet valid"}},
    [PASS_WRONG_AREA] = {"wrong_area", {"不适用于此卡点", "Not for this gate"}},
};

static const struct label kinds[PASS_KIND__END] = {
    [PASS_HOUSEHOLD] = {"住户", "Household"},
    [PASS_PERSON] = {"个人", "Person"},
    [PASS_VEHICLE] = {"车辆", "Vehicle"},
    [PASS_VISITOR] = {"访客", "Visitor"},
};

const char *pass_verdict_name(enum pass_verdict v) {
    INVARIANT(v < PASS_VERDICT__COUNT);
    return verdicts[v].name;
}

struct label pass_verdict_label(enum pass_verdict v) {
    INVARIANT(v < PASS_VERDICT__COUNT);
    return verdicts[v].label;
}

struct label pass_kind_label(enum pass_kind kind) {
    INVARIANT(kind >= PASS_HOUSEHOLD && kind < PASS_KIND__END);
    return kinds[kind];
}

/* ---- issue ---- */
static int check_range(int64_t v, int min, int max, const char *field, struct err *e) {
    char from[16], to[16];
    snprintf(from, sizeof from, "%d", min);
    snprintf(to, sizeof to, "%d", max);
    return v >= min && v <= max ? 0 : err_set(e, ERR_INVALID, field, M_RANGE, from, to);
}

static bool names_twice(const struct pass_claims *c) {
    for (size_t i = 0; i < c->areas_n; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(c->areas[i], c->areas[j])) return true;
    return false;
}

static int check_claims(const struct pass_key *k, const struct pass_claims *c, struct err *e) {
    TRY(check_signer(k, c->issuer, c->issued_at, "issued_at", e));
    TRY(check_period(c->from_at, c->expires_at, "from_at", "expires_at", e));
    TRY(check_range(c->kind, PASS_HOUSEHOLD, PASS_KIND__END - 1, "kind", e));
    TRY(check_range((int64_t)c->areas_n, 1, PASS_AREAS_MAX, "areas", e));
    for (size_t i = 0; i < c->areas_n; i++) TRY(check_name(c->areas[i], "areas", e));
    if (names_twice(c)) return err_set(e, ERR_INVALID, "areas", M_DUPLICATE_FIELD);
    int limited = c->outings != 0 || c->days != 0;
    TRY(check_range(c->outings, limited, PASS_OUTINGS_MAX, "outings", e));
    return check_range(c->days, limited, PASS_DAYS_MAX, "days", e);
}

void pass_payload_add(const struct pass_claims *c, struct buf *to) {
    cbor_head(to, CBOR_MAP, 6);
    cbor_int(to, ISS);
    cbor_str(to, CBOR_TEXT, c->issuer);
    cbor_int(to, EXP);
    cbor_int(to, c->expires_at / US_PER_SECOND);
    cbor_int(to, NBF);
    cbor_int(to, c->from_at / US_PER_SECOND);
    cbor_int(to, IAT);
    cbor_int(to, c->issued_at / US_PER_SECOND);
    cbor_int(to, CTI);
    cbor_str(to, CBOR_BYTES, id_bytes(&c->id));
    cbor_int(to, PRIVATE);
    cbor_head(to, CBOR_MAP, c->outings ? 4 : 2);
    cbor_int(to, AREAS);
    cbor_head(to, CBOR_ARRAY, c->areas_n);
    for (size_t i = 0; i < c->areas_n; i++) cbor_str(to, CBOR_TEXT, c->areas[i]);
    cbor_int(to, KIND);
    cbor_int(to, c->kind);
    if (!c->outings) return;
    cbor_int(to, OUTINGS);
    cbor_int(to, c->outings);
    cbor_int(to, DAYS);
    cbor_int(to, c->days);
}

void pass_text_add(struct str token, struct buf *to) {
    uint8_t packed[2 * TOKEN_MAX];
    uLongf n = sizeof packed;
    INVARIANT(token.n <= TOKEN_MAX && compress2(packed, &n, (const Bytef *)token.p, token.n, Z_BEST_COMPRESSION) == Z_OK);
    buf_addz(to, HEAD);
    base45_add(to, (struct str){(char *)packed, n});
}

int pass_issue(const struct pass_key *key, const struct pass_claims *c, struct buf *to, struct err *e) {
    struct buf payload CLEANUP(buf_release) = BUF(TOKEN_MAX), token CLEANUP(buf_release) = BUF(TOKEN_MAX);
    struct buf text CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    TRY(check_claims(key, c, e));
    pass_payload_add(c, &payload);
    cose_sign(key, COSE_PASS, buf_str(&payload), &token);
    pass_text_add(buf_str(&token), &text);
    INVARIANT(!payload.failed && !token.failed && !text.failed); /* the bounds of the claims add up to less */
    buf_add_str(to, buf_str(&text));
    return 0;
}

/* ---- verify ---- */
/* The whole of `packed` and nothing behind it; false for what is damaged or would be longer than TOKEN_MAX. */
static bool inflate_all(struct str packed, struct buf *to) {
    z_stream z = {.next_in = (Bytef *)packed.p, .avail_in = (uInt)packed.n, .avail_out = TOKEN_MAX};
    char *room = buf_room(to, TOKEN_MAX);
    INVARIANT(room && inflateInit(&z) == Z_OK);
    z.next_out = (Bytef *)room;
    bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0;
    buf_grew(to, TOKEN_MAX - z.avail_out);
    inflateEnd(&z);
    return whole;
}

static int64_t read_time(struct cbor_in *in, int key) {
    cbor_expect(in, key);
    return cbor_read_uint(in, 0, PASS_TIME_END / US_PER_SECOND - 1) * US_PER_SECOND;
}

static void read_private(struct cbor_in *in, struct pass_claims *c) {
    uint64_t parts = cbor_read(in, CBOR_MAP, 4);
    cbor_expect(in, AREAS);
    c->areas_n = (size_t)cbor_read(in, CBOR_ARRAY, PASS_AREAS_MAX);
    for (size_t i = 0; i < c->areas_n; i++) c->areas[i] = cbor_read_str(in, CBOR_TEXT, PASS_NAME_MAX);
    cbor_expect(in, KIND);
    c->kind = (enum pass_kind)cbor_read_uint(in, PASS_HOUSEHOLD, PASS_KIND__END - 1);
    in->bad |= parts != 2 && parts != 4;
    if (parts != 4) return;
    cbor_expect(in, OUTINGS);
    c->outings = (int)cbor_read_uint(in, 1, PASS_OUTINGS_MAX);
    cbor_expect(in, DAYS);
    c->days = (int)cbor_read_uint(in, 1, PASS_DAYS_MAX);
}

static bool read_payload(struct str payload, struct pass_claims *c) {
    struct cbor_in in = {payload};
    if (cbor_read(&in, CBOR_MAP, 6) != 6) return false;
    cbor_expect(&in, ISS);
    c->issuer = cbor_read_str(&in, CBOR_TEXT, PASS_NAME_MAX);
    c->expires_at = read_time(&in, EXP);
    c->from_at = read_time(&in, NBF);
    c->issued_at = read_time(&in, IAT);
    cbor_expect(&in, CTI);
    cbor_read_fixed(&in, c->id.b, sizeof c->id.b);
    cbor_expect(&in, PRIVATE);
    read_private(&in, c);
    if (!cbor_done(&in) || c->from_at >= c->expires_at || c->areas_n == 0 || names_twice(c)) return false;
    for (size_t i = 0; i < c->areas_n; i++)
        if (!name_is_plain(c->areas[i])) return false;
    return name_is_plain(c->issuer);
}

static bool listed(const struct pass_gate *g, enum pass_list_kind kind, const struct pass_claims *c) {
    for (size_t i = 0; i < g->lists_n; i++) {
        const struct pass_list *l = g->lists[i];
        if (l->kind == kind && str_eq(l->issuer, c->issuer) && pass_list_has(l, c->id)) return true;
    }
    return false;
}

static bool valid_here(const struct pass_gate *g, const struct pass_claims *c) {
    for (size_t i = 0; i < g->chain_n; i++)
        for (size_t j = 0; j < c->areas_n; j++)
            if (str_eq(g->chain[i], c->areas[j])) return true;
    return false;
}

static enum pass_verdict judge(const struct pass_gate *g, const struct pass_claims *c) {
    if (listed(g, PASS_LIST_STAY_HOME, c)) return PASS_STAY_HOME;
    if (listed(g, PASS_LIST_REVOKED, c)) return PASS_REVOKED;
    if (g->now_at >= c->expires_at) return PASS_EXPIRED;
    if (g->now_at < c->from_at) return PASS_NOT_YET;
    return valid_here(g, c) ? PASS_VALID : PASS_WRONG_AREA;
}

enum pass_verdict pass_verify(struct arena *a, const struct pass_gate *g, struct str text, struct pass_claims *ret) {
    struct buf packed CLEANUP(buf_release) = BUF(PASS_TEXT_MAX), token CLEANUP(buf_release) = BUF(TOKEN_MAX);
    struct cose cose;
    struct pass_claims c = {0};
    const struct pass_public *key;
    if (!str_starts(text, STR(HEAD))) return PASS_NOT_A_PASS;
    if (text.n > PASS_TEXT_MAX || !base45_parse(&packed, str_sub(text, strlen(HEAD), text.n))) return PASS_DAMAGED;
    if (!inflate_all(buf_str(&packed), &token) || !cose_parse(buf_str(&token), COSE_PASS, &cose)) return PASS_DAMAGED;
    enum pass_verdict signed_by = cose_verify(&cose, g->keys, g->keys_n, &key);
    if (signed_by != PASS_VALID) return signed_by;
    if (!read_payload(cose.payload, &c)) return PASS_DAMAGED;
    if (!key_serves(g->keys, g->keys_n, key, c.issuer, c.issued_at)) return PASS_UNKNOWN_KEY;
    enum pass_verdict verdict = judge(g, &c);
    *ret = c;
    ret->issuer = arena_str(a, c.issuer);
    for (size_t i = 0; i < c.areas_n; i++) ret->areas[i] = arena_str(a, c.areas[i]);
    return verdict;
}

bool pass_lists_current(const struct pass_gate *g, struct str issuer) {
    bool current[PASS_LIST_KIND__END] = {false};
    for (size_t i = 0; i < g->lists_n; i++)
        if (str_eq(g->lists[i]->issuer, issuer) && g->now_at < g->lists[i]->until_at) current[g->lists[i]->kind] = true;
    return current[PASS_LIST_REVOKED] && current[PASS_LIST_STAY_HOME];
}
