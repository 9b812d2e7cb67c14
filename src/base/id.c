/* UUIDv7: 48 bits of milliseconds, then 12 bits that count within the millisecond, then random bits.  The counter keeps
 * ids of one process in order, which an index insert rewards (docs/decisions). */
#include "id.h"

#include <errno.h>
#include <sys/random.h>

void random_bytes(void *p, size_t n) {
    char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        INVARIANT(got > 0);
        at += got;
        n -= (size_t)got;
    }
}

static __thread uint8_t pool[2048];
static __thread size_t pool_left;

static void pooled_random(void *p, size_t n) {
    if (pool_left < n) {
        random_bytes(pool, sizeof pool);
        pool_left = sizeof pool;
    }
    memcpy(p, pool + sizeof pool - pool_left, n);
    pool_left -= n;
}

struct id id_new(int64_t now_us) {
    static uint64_t last; /* milliseconds << 12 | counter */
    uint64_t tick = (uint64_t)(now_us / 1000) << 12 | (uint64_t)(now_us % 1000) * 4096 / 1000;
    uint64_t before = __atomic_load_n(&last, __ATOMIC_RELAXED), mine;
    do {
        /* A clock that stands still or steps back a little still gives rising ids. */
        bool near_past = tick <= before && before - tick < UINT64_C(10000) << 12;
        mine = near_past ? before + 1 : tick;
    } while (!__atomic_compare_exchange_n(&last, &before, mine, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    struct id id;
    uint64_t ms = mine >> 12;
    for (int i = 0; i < 6; i++) id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.b[6] = (uint8_t)(0x70 | (mine >> 8 & 0x0f));
    id.b[7] = (uint8_t)mine;
    pooled_random(id.b + 8, 8);
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
    return id;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool dash_at(size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool id_parse(struct str s, struct id *ret) {
    if (s.n != 36) return false;
    struct id id;
    size_t n = 0;
    for (size_t i = 0; i < 36;) {
        if (dash_at(i)) {
            if (s.p[i++] != '-') return false;
            continue;
        }
        int hi = hex(s.p[i]), lo = hex(s.p[i + 1]);
        if (hi < 0 || lo < 0) return false;
        id.b[n++] = (uint8_t)(hi << 4 | lo);
        i += 2;
    }
    *ret = id;
    return true;
}

const char *id_text(struct id id, char out[ID_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = digits[id.b[i] >> 4];
        *p++ = digits[id.b[i] & 15];
    }
    *p = 0;
    return out;
}

bool id_is_nil(struct id id) {
    for (int i = 0; i < 16; i++)
        if (id.b[i]) return false;
    return true;
}
