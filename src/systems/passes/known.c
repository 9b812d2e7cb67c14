#include "systems/passes/known.h"

#include <pthread.h>

enum { KEPT_US = 5 * US_PER_SECOND };

struct passes_known {
    struct site *site;
    pthread_mutex_t lock;
    struct arena arena;
    struct passes_keys keys;
    int64_t read_at; /* monotonic_us; 0: never */
};

struct passes_known *passes_known_new(struct site *s) {
    struct passes_known *k = calloc(1, sizeof *k);
    INVARIANT(k);
    k->site = s;
    pthread_mutex_init(&k->lock, NULL);
    return k;
}

void passes_known_free(struct passes_known *k) {
    if (!k) return;
    arena_release(&k->arena);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static int refresh(struct passes_known *k, bool at_once, struct err *e) {
    struct db *db;
    int64_t now = monotonic_us();
    if (k->read_at && now - k->read_at < KEPT_US) return 0;
    if (at_once) return err_set(e, ERR_RETRY, NULL, M_NONE);
    TRY(site_reader(k->site, &db, e));
    arena_clear(&k->arena);
    k->read_at = 0;
    int r = passes_keys(db, k->site, &k->arena, &k->keys, e);
    site_reader_done(k->site, db);
    if (r == 0) k->read_at = now;
    return r;
}

/* The lock is held while a signature is looked at: some 100 us, which is the work of a whole processor anyway. */
int passes_known_read(struct passes_known *k, struct str text, bool at_once, enum pass_verdict *ret, char ret_number[PASS_NUMBER], struct err *e) {
    struct arena a CLEANUP(arena_release) = {0};
    struct pass_claims claims;
    ret_number[0] = 0;
    pthread_mutex_lock(&k->lock);
    int r = refresh(k, at_once, e);
    struct pass_gate g = {.keys = k->keys.published, .keys_n = k->keys.published_n, .now_at = site_now(k->site)};
    if (r == 0) *ret = pass_verify(&a, &g, str_trim(text), &claims);
    pthread_mutex_unlock(&k->lock);
    if (r == 0 && (*ret == PASS_VALID || *ret >= PASS_STAY_HOME)) pass_number(claims.id, ret_number);
    return r;
}
