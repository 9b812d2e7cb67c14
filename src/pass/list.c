/* Lists of truncated hashes: made, compared, signed, read, searched. */
#include "list.h"

#include "pass_internal.h"

enum { ISS = 1, EXP = 4, IAT = 6, PRIVATE = -65538, ENVELOPE = 400 };
enum { KIND = 1, VERSION, SALT, HASHES, BASE, REMOVED, RESULT };

static int compare(const void *a, const void *b) {
    return memcmp(a, b, PASS_LIST_HASH);
}

static size_t count(struct str hashes) {
    return hashes.n / PASS_LIST_HASH;
}

static const char *entry(struct str hashes, size_t i) {
    return hashes.p + i * PASS_LIST_HASH;
}

static struct str salt_of(const struct pass_list *l) {
    return (struct str){(const char *)l->salt, sizeof l->salt};
}

static void hash(const struct pass_list *l, struct id id, char ret[PASS_LIST_HASH]) {
    uint8_t digest[32];
    blake(digest, salt_of(l), id_bytes(&id));
    memcpy(ret, digest, PASS_LIST_HASH);
}

static bool ascending(struct str hashes) {
    if (hashes.n % PASS_LIST_HASH || count(hashes) > PASS_LIST_MAX) return false;
    for (size_t i = 1; i < count(hashes); i++)
        if (compare(entry(hashes, i - 1), entry(hashes, i)) >= 0) return false;
    return true;
}

static bool same_series(const struct pass_list *a, const struct pass_list *b) {
    return a->kind == b->kind && str_eq(a->issuer, b->issuer) && memcmp(a->salt, b->salt, sizeof a->salt) == 0;
}

/* ---- making ---- */
int pass_list_make(struct arena *a, const struct pass_list *head, const struct id *ids, size_t n, struct pass_list *ret, struct err *e) {
    char most[16];
    snprintf(most, sizeof most, "%d", PASS_LIST_MAX);
    if (n > PASS_LIST_MAX) return err_set(e, ERR_INVALID, "ids", M_TOO_MANY, most);
    char *hashes = arena_alloc(a, n * PASS_LIST_HASH + 1);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) hash(head, ids[i], hashes + i * PASS_LIST_HASH);
    qsort(hashes, n, PASS_LIST_HASH, compare);
    for (size_t i = 0; i < n; i++) {
        char *at = hashes + i * PASS_LIST_HASH;
        if (kept && compare(at - PASS_LIST_HASH, at) == 0) continue;
        memmove(hashes + kept++ * PASS_LIST_HASH, at, PASS_LIST_HASH);
    }
    *ret = *head;
    ret->base = 0;
    ret->removed = STR("");
    ret->hashes = (struct str){hashes, kept * PASS_LIST_HASH};
    return 0;
}

/* Those of `x` that are not in `y`. */
static struct str without(struct arena *a, struct str x, struct str y) {
    char *to = arena_alloc(a, x.n + 1);
    size_t n = 0, j = 0;
    for (size_t i = 0; i < count(x); i++) {
        while (j < count(y) && compare(entry(y, j), entry(x, i)) < 0) j++;
        if (j < count(y) && compare(entry(y, j), entry(x, i)) == 0) continue;
        memcpy(to + n, entry(x, i), PASS_LIST_HASH);
        n += PASS_LIST_HASH;
    }
    return (struct str){to, n};
}

int pass_list_delta(struct arena *a, const struct pass_list *from, const struct pass_list *to, struct pass_list *ret, struct err *e) {
    bool full = from->base == 0 && to->base == 0;
    if (!full || !same_series(from, to) || from->version >= to->version) return err_set(e, ERR_INVALID, "version", M_BEFORE, "version");
    *ret = *to;
    ret->base = from->version;
    ret->hashes = without(a, to->hashes, from->hashes);
    ret->removed = without(a, from->hashes, to->hashes);
    blake(ret->result, to->hashes, STR(""));
    return 0;
}

static int check_list(const struct pass_key *k, const struct pass_list *l, struct err *e) {
    TRY(check_signer(k, l->issuer, l->made_at, "made_at", e));
    TRY(check_period(l->made_at, l->until_at, "made_at", "until_at", e));
    bool version = l->version > l->base && l->base >= 0 && l->version <= PASS_VERSION_MAX;
    if (!version) return err_set(e, ERR_INVALID, "version", M_RANGE, "1", "9007199254740992");
    INVARIANT(l->kind >= PASS_LIST_REVOKED && l->kind < PASS_LIST_KIND__END && ascending(l->hashes) && ascending(l->removed));
    return 0;
}

static void add_payload(const struct pass_list *l, struct buf *to) {
    cbor_head(to, CBOR_MAP, 4);
    cbor_int(to, ISS);
    cbor_str(to, CBOR_TEXT, l->issuer);
    cbor_int(to, EXP);
    cbor_int(to, l->until_at / US_PER_SECOND);
    cbor_int(to, IAT);
    cbor_int(to, l->made_at / US_PER_SECOND);
    cbor_int(to, PRIVATE);
    cbor_head(to, CBOR_MAP, l->base ? 7 : 4);
    cbor_int(to, KIND);
    cbor_int(to, l->kind);
    cbor_int(to, VERSION);
    cbor_int(to, l->version);
    cbor_int(to, SALT);
    cbor_str(to, CBOR_BYTES, salt_of(l));
    cbor_int(to, HASHES);
    cbor_str(to, CBOR_BYTES, l->hashes);
    if (!l->base) return;
    cbor_int(to, BASE);
    cbor_int(to, l->base);
    cbor_int(to, REMOVED);
    cbor_str(to, CBOR_BYTES, l->removed);
    cbor_int(to, RESULT);
    cbor_str(to, CBOR_BYTES, (struct str){(const char *)l->result, sizeof l->result});
}

int pass_list_write(const struct pass_key *key, const struct pass_list *l, struct buf *to, struct err *e) {
    struct buf payload CLEANUP(buf_release) = BUF(l->hashes.n + l->removed.n + ENVELOPE);
    TRY(check_list(key, l, e));
    add_payload(l, &payload);
    INVARIANT(!payload.failed);
    cose_sign(key, COSE_LIST, buf_str(&payload), to);
    char most[24];
    snprintf(most, sizeof most, "%zu", to->max);
    return to->failed ? err_set(e, ERR_INVALID, NULL, M_BODY_SIZE, most) : 0;
}

/* ---- reading ---- */
static bool read_payload(struct str payload, struct pass_list *l) {
    struct cbor_in in = {payload};
    const int64_t last_second = PASS_TIME_END / US_PER_SECOND - 1;
    if (cbor_read(&in, CBOR_MAP, 4) != 4) return false;
    cbor_expect(&in, ISS);
    l->issuer = cbor_read_str(&in, CBOR_TEXT, PASS_NAME_MAX);
    cbor_expect(&in, EXP);
    l->until_at = cbor_read_uint(&in, 0, last_second) * US_PER_SECOND;
    cbor_expect(&in, IAT);
    l->made_at = cbor_read_uint(&in, 0, last_second) * US_PER_SECOND;
    cbor_expect(&in, PRIVATE);
    uint64_t parts = cbor_read(&in, CBOR_MAP, 7);
    cbor_expect(&in, KIND);
    l->kind = (enum pass_list_kind)cbor_read_uint(&in, PASS_LIST_REVOKED, PASS_LIST_KIND__END - 1);
    cbor_expect(&in, VERSION);
    l->version = cbor_read_uint(&in, 1, PASS_VERSION_MAX);
    cbor_expect(&in, SALT);
    cbor_read_fixed(&in, l->salt, sizeof l->salt);
    cbor_expect(&in, HASHES);
    l->hashes = cbor_read_str(&in, CBOR_BYTES, PASS_LIST_MAX * PASS_LIST_HASH);
    if (parts == 7) {
        cbor_expect(&in, BASE);
        l->base = cbor_read_uint(&in, 1, l->version - 1);
        cbor_expect(&in, REMOVED);
        l->removed = cbor_read_str(&in, CBOR_BYTES, PASS_LIST_MAX * PASS_LIST_HASH);
        cbor_expect(&in, RESULT);
        cbor_read_fixed(&in, l->result, sizeof l->result);
    }
    bool form = cbor_done(&in) && (parts == 4 || parts == 7) && name_is_plain(l->issuer) && l->made_at < l->until_at;
    return form && ascending(l->hashes) && ascending(l->removed);
}

enum pass_verdict pass_list_read(const struct pass_public *keys, size_t n, struct str bytes, struct pass_list *ret) {
    struct cose cose;
    struct pass_list l = {.removed = STR("")};
    const struct pass_public *key;
    if (!cose_parse(bytes, COSE_LIST, &cose)) return PASS_DAMAGED;
    enum pass_verdict signed_by = cose_verify(&cose, keys, n, &key);
    if (signed_by != PASS_VALID) return signed_by;
    if (!read_payload(cose.payload, &l)) return PASS_DAMAGED;
    if (!key_serves(keys, n, key, l.issuer, l.made_at)) return PASS_UNKNOWN_KEY;
    *ret = l;
    return PASS_VALID;
}

bool pass_list_replaces(const struct pass_list *next, const struct pass_list *now) {
    return next->base == 0 && next->kind == now->kind && str_eq(next->issuer, now->issuer) && next->version > now->version;
}

bool pass_list_apply(struct arena *a, const struct pass_list *l, const struct pass_list *delta, struct pass_list *ret) {
    uint8_t digest[32];
    if (l->base || !delta->base || delta->base != l->version || !same_series(l, delta)) return false;
    struct str kept = without(a, l->hashes, delta->removed);
    char *to = arena_alloc(a, kept.n + delta->hashes.n + 1);
    size_t i = 0, j = 0;
    while (i < count(kept) || j < count(delta->hashes)) {
        bool add = i == count(kept) || (j < count(delta->hashes) && compare(entry(delta->hashes, j), entry(kept, i)) < 0);
        const char *from = add ? entry(delta->hashes, j) : entry(kept, i);
        memcpy(to + (i + j) * PASS_LIST_HASH, from, PASS_LIST_HASH);
        if (add) j++;
        else i++;
    }
    struct str hashes = {to, kept.n + delta->hashes.n};
    blake(digest, hashes, STR(""));
    if (!ascending(hashes) || memcmp(digest, delta->result, sizeof digest) != 0) return false;
    *ret = *delta;
    ret->base = 0;
    ret->hashes = hashes;
    ret->removed = STR("");
    memset(ret->result, 0, sizeof ret->result);
    return true;
}

size_t pass_list_count(const struct pass_list *l) {
    return count(l->hashes);
}

bool pass_list_has(const struct pass_list *l, struct id pass) {
    char wanted[PASS_LIST_HASH];
    hash(l, pass, wanted);
    return l->hashes.n && bsearch(wanted, l->hashes.p, count(l->hashes), PASS_LIST_HASH, compare);
}
