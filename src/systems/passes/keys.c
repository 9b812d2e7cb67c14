/* The keys of a site.  A seed is a keyed digest over the id of its record: who holds the site key can make it, nobody can read it in the
 * database, and no command opens it. */
#include "core/tx.h"
#include "systems/passes/passes_internal.h"

enum { KEYS_MOST = 2000, KEYS_FIRST = 8 };

static void key_seed(const struct site *s, struct id id, uint8_t ret[32]) {
    struct digest_state d;
    digest_start_keyed(&d, &s->key);
    digest_add_str(&d, STR("seed of a pass key"));
    digest_add(&d, id.b, sizeof id.b);
    struct digest x = digest_end(&d);
    memcpy(ret, x.b, 32);
}

/* The code of the top area, by which people know the site; digits of a digest where that is too long. */
static void first_issuer(struct site *s, char ret[PASS_NAME_MAX + 1]) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(s);
    struct buf b CLEANUP(buf_release) = BUF(PASS_NAME_MAX);
    struct digest d = digest_of((struct str){(const char *)&s->id, sizeof s->id});
    if (t->n && t->all[0].code.n <= PASS_NAME_MAX) buf_add_str(&b, t->all[0].code);
    if (!b.n) {
        buf_addz(&b, "site-");
        hex_add(&b, d.b, 8);
    }
    memcpy(ret, b.p, b.n + 1);
}

static bool read_public(const struct record *r, struct pass_public *ret) {
    static const char digits[] = "0123456789abcdef";
    struct str hex = record_text(r, "public_key"), issuer = record_text(r, "issuer");
    uint8_t key[32] = {0};
    if (hex.n != 64 || issuer.n == 0 || issuer.n > PASS_NAME_MAX) return false;
    for (size_t i = 0; i < hex.n; i++) {
        const char *at = memchr(digits, hex.p[i], 16);
        if (!at) return false;
        key[i / 2] = (uint8_t)(key[i / 2] << 4 | (at - digits));
    }
    *ret = (struct pass_public){.from_at = record_int(r, "since"), .until_at = record_int(r, "until")};
    memcpy(ret->key, key, sizeof key);
    struct digest d = digest_of((struct str){(const char *)key, sizeof key});
    memcpy(ret->kid, d.b, sizeof ret->kid);
    memcpy(ret->issuer, issuer.p, issuer.n);
    return true;
}

/* Room for so many; there are few, and whoever issues a pass asks for them. */
static void make_room(struct arena *a, struct passes_keys *k, size_t n) {
    struct passes_keys old = *k;
    k->all = arena_new(a, struct pass_public, n);
    k->published = arena_new(a, struct pass_public, n);
    k->ids = arena_new(a, struct id, n);
    if (old.n) memcpy(k->all, old.all, old.n * sizeof *k->all);
    if (old.n) memcpy(k->ids, old.ids, old.n * sizeof *k->ids);
    if (old.published_n) memcpy(k->published, old.published, old.published_n * sizeof *k->published);
}

int passes_keys(struct db *db, struct site *s, struct arena *a, struct passes_keys *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct pass_public k;
    struct record r;
    int64_t now = site_now(s);
    int got;
    size_t room = KEYS_FIRST;
    *ret = (struct passes_keys){.n = 0};
    make_room(a, ret, room);
    TRY(db_query(db, &kind_sql(&passes_key_kind)->scan, &rows, e, VINT(s->id), VID((struct id){{0}}), VINT(KEYS_MOST)));
    while ((got = rows_next(rows, e)) == 1) {
        record_read(a, &passes_key_kind, rows, &r);
        if (!read_public(&r, &k)) continue;
        memcpy(ret->issuer, k.issuer, sizeof ret->issuer);
        if (r.removed) continue;
        if (ret->n == room) make_room(a, ret, room *= 2);
        if (k.until_at + PASSES_LIFE > now) ret->published[ret->published_n++] = k;
        ret->ids[ret->n] = r.id;
        ret->all[ret->n++] = k;
    }
    if (got < 0) return -1;
    if (!ret->issuer[0]) first_issuer(s, ret->issuer);
    return 0;
}

/* Of several the newest. */
int passes_serving(const struct passes_keys *keys, int64_t at) {
    int found = -1;
    for (size_t i = 0; i < keys->n; i++)
        if (keys->all[i].from_at <= at && at < keys->all[i].until_at && (found < 0 || keys->all[i].from_at >= keys->all[found].from_at)) found = (int)i;
    return found;
}

int passes_signer(struct site *s, const struct passes_keys *keys, int i, struct pass_key *ret, struct err *e) {
    uint8_t seed[32];
    if (i < 0) return err_set(e, ERR_STATE, NULL, M_NO_PASS_KEY);
    const struct pass_public *k = &keys->all[i];
    key_seed(s, keys->ids[i], seed);
    int r = pass_key_make(seed, str_z(k->issuer), k->from_at, k->until_at, ret, e);
    explicit_bzero(seed, sizeof seed);
    if (r || memcmp(ret->public.key, k->key, sizeof k->key) == 0) return r;
    pass_key_wipe(ret);
    return err_set(e, ERR_CORRUPT, NULL, M_SEALED);
}

static struct str hex(struct arena *a, const uint8_t *p, size_t n) {
    struct buf b CLEANUP(buf_release) = BUF(256);
    hex_add(&b, p, n);
    return arena_str(a, buf_str(&b));
}

static int create(struct tx *tx, const struct passes_keys *keys, int64_t since, struct err *e) {
    struct record *r = record_new(tx->a, &passes_key_kind);
    struct pass_key k;
    struct errs errs = {.a = tx->a};
    uint8_t seed[32];
    r->id = id_new(tx->now);
    key_seed(tx->site, r->id, seed);
    int failed = pass_key_make(seed, str_z(keys->issuer), since, since + PASSES_KEY_SERVES, &k, e);
    explicit_bzero(seed, sizeof seed);
    if (failed) return -1;
    record_set_text(r, "kid", hex(tx->a, k.public.kid, sizeof k.public.kid));
    record_set_text(r, "public_key", hex(tx->a, k.public.key, sizeof k.public.key));
    record_set_text(r, "issuer", str_z(keys->issuer));
    record_set_int(r, "since", k.public.from_at);
    record_set_int(r, "until", k.public.until_at);
    pass_key_wipe(&k);
    return tx_create(tx, r, &errs, e);
}

/* Whoever issues the first pass need not be allowed to make keys, and that command is about the pass: the entry of the key is one of those behind it. */
int passes_key_new(struct tx *tx, const struct passes_keys *keys, int64_t since, struct err *e) {
    const struct actor *actor = tx->actor;
    bool used = tx->entry_used;
    tx->actor = &actor_system;
    tx->entry_used = true;
    int r = create(tx, keys, since, e);
    tx->actor = actor;
    tx->entry_used = used;
    return r;
}

int passes_key_ensure(struct tx *tx, struct err *e) {
    struct passes_keys keys;
    TRY(passes_keys(tx->db, tx->site, tx->a, &keys, e));
    return passes_serving(&keys, tx->now) >= 0 ? 0 : passes_key_new(tx, &keys, passes_second(tx->now), e);
}

int passes_key_rotate(struct tx *tx, struct err *e) {
    struct passes_keys keys;
    int64_t end = 0;
    TRY(passes_keys(tx->db, tx->site, tx->a, &keys, e));
    for (size_t i = 0; i < keys.n; i++) end = MAX(end, keys.all[i].until_at);
    if (keys.n == 0 || tx->now < end - PASSES_KEY_AHEAD) return 0;
    return passes_key_new(tx, &keys, MAX(end, passes_second(tx->now)), e);
}
