/* Households without a member are handed out group by group.  Within a group the lowest loads are raised first, as water
 * fills a vessel of uneven floor; then members in the order of their homes take the households in the order of their places, so that
 * each gets a run of neighbours and the runs do not cross. */
#include "systems/grid/assign_internal.h"

bool assign_bucket(int32_t unit, const int32_t *group, enum assign_level level, enum assign_level reach, uint64_t *ret) {
    if (unit < 0) return false;
    uint64_t within = 0;
    if (level < reach) {
        if (group[level] < 0) return false;
        within = (uint64_t)group[level] + 1;
    }
    *ret = (uint64_t)unit << 32 | within;
    return true;
}

int assign_slot_order(const void *x, const void *y) {
    const struct assign_slot *a = x, *b = y;
    if (a->bucket != b->bucket) return a->bucket < b->bucket ? -1 : 1;
    if (a->place != b->place) return a->place < b->place ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

static size_t waiting(struct assign_work *w, enum assign_level level) {
    size_t n = 0;
    for (size_t i = 0; i < w->hn; i++) {
        uint64_t bucket;
        if (w->plan->member[i] >= 0) continue;
        if (!assign_bucket(w->unit_of_h[i], w->h[i].group, level, w->o.reach, &bucket)) continue;
        w->hs[n++] = (struct assign_slot){bucket, w->h[i].place, (int32_t)i};
    }
    qsort(w->hs, n, sizeof *w->hs, assign_slot_order);
    return n;
}

static size_t taking(struct assign_work *w, enum assign_level level) {
    size_t n = 0;
    for (size_t i = 0; i < w->mn; i++) {
        uint64_t bucket;
        if (w->capacity[i] == 0 || w->plan->load[i] >= w->limit[i]) continue;
        if (!assign_bucket(w->unit_of_m[i], w->m[i].group, level, w->o.reach, &bucket)) continue;
        w->ms[n++] = (struct assign_slot){bucket, w->home[i], (int32_t)i};
    }
    qsort(w->ms, n, sizeof *w->ms, assign_slot_order);
    return n;
}

static size_t same_bucket(const struct assign_slot *s, size_t from, size_t n) {
    size_t to = from;
    while (to < n && s[to].bucket == s[from].bucket) to++;
    return to;
}

/* ---- who takes how many ---- */

struct vessel {
    const struct assign_slot *ms;
    size_t n;
    const int32_t *floor; /* per member, what its load is counted from; NULL: nothing */
};

static int64_t level_now(const struct assign_work *w, const struct vessel *v, size_t k) {
    int32_t m = v->ms[k].i;
    return (int64_t)w->plan->load[m] - (v->floor ? v->floor[m] : 0);
}

static int64_t room_at(const struct assign_work *w, const struct vessel *v, size_t k, int64_t level) {
    int32_t m = v->ms[k].i;
    int64_t wanted = level - level_now(w, v, k), room = (int64_t)w->limit[m] - w->plan->load[m];
    return wanted < 0 ? 0 : MIN(wanted, room);
}

/* Fills quota[0..n-1]; how many find room of `count`. */
static int64_t share(const struct assign_work *w, const struct vessel *v, int64_t count, int32_t *quota) {
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t k = 0; k < v->n; k++) {
        int64_t room = (int64_t)w->limit[v->ms[k].i] - w->plan->load[v->ms[k].i];
        low = MIN(low, level_now(w, v, k));
        high = MAX(high, level_now(w, v, k) + MIN(room, count));
    }
    while (low < high) {
        int64_t middle = low + (high - low) / 2, sum = 0;
        for (size_t k = 0; k < v->n; k++) sum += room_at(w, v, k, middle);
        if (sum >= count) high = middle;
        else low = middle + 1;
    }
    int64_t given = 0;
    for (size_t k = 0; k < v->n; k++) given += quota[k] = (int32_t)room_at(w, v, k, low - 1);
    for (size_t k = 0; k < v->n && given < count; k++) {
        if (room_at(w, v, k, low) == quota[k]) continue;
        quota[k]++;
        given++;
    }
    return given;
}

static void hand_out(struct assign_work *w, const struct assign_slot *hs, size_t hn, const struct vessel *v) {
    share(w, v, (int64_t)hn, w->quota);
    size_t next = 0;
    for (size_t k = 0; k < v->n; k++)
        for (int32_t q = w->quota[k]; q > 0; q--) {
            INVARIANT(next < hn);
            int32_t h = hs[next++].i, stood = w->h[h].member;
            bool moved = stood >= 0 && w->m[stood].available;
            assign_set(w, h, v->ms[k].i, stood == v->ms[k].i ? ASSIGN_KEPT : moved ? ASSIGN_MOVED : ASSIGN_NEW);
        }
}

/* Calls fn for each group that has both households waiting and members with room. */
static void each_group(struct assign_work *w, enum assign_level level,
                       void (*fn)(struct assign_work *, const struct assign_slot *, size_t, const struct vessel *)) {
    size_t hn = waiting(w, level), mn = hn ? taking(w, level) : 0;
    for (size_t i = 0, k = 0; i < hn && k < mn;) {
        size_t i_end = same_bucket(w->hs, i, hn), k_end = same_bucket(w->ms, k, mn);
        if (w->hs[i].bucket == w->ms[k].bucket) {
            fn(w, w->hs + i, i_end - i, &(struct vessel){w->ms + k, k_end - k, NULL});
            i = i_end;
            k = k_end;
        } else if (w->hs[i].bucket < w->ms[k].bucket) {
            i = i_end;
        } else {
            k = k_end;
        }
    }
}

static void fill_level(struct assign_work *w, enum assign_level level, const int32_t *limit) {
    memcpy(w->limit, limit, w->mn * sizeof *limit);
    each_group(w, level, hand_out);
}

void assign_fill(struct assign_work *w) {
    const int32_t *const steps[] = {w->least, w->aim, w->most};
    enum assign_level even = MIN(w->o.even, w->o.reach);
    for (size_t s = 0; s < COUNT(steps); s++)
        for (int l = 0; l <= (int)even; l++) fill_level(w, (enum assign_level)l, steps[s]);
    for (int l = (int)even + 1; l <= (int)w->o.reach; l++)
        for (size_t s = 0; s < COUNT(steps); s++) fill_level(w, (enum assign_level)l, steps[s]);
}

/* ---- too little room ---- */

static void raise_most(struct assign_work *w, const struct assign_slot *hs, size_t hn, const struct vessel *v) {
    (void)hs;
    int64_t room = 0;
    for (size_t k = 0; k < v->n; k++) room += MAX(w->most[v->ms[k].i] - w->plan->load[v->ms[k].i], 0);
    if (room >= (int64_t)hn) return;
    share(w, &(struct vessel){v->ms, v->n, w->capacity}, (int64_t)hn, w->quota);
    for (size_t k = 0; k < v->n; k++) w->most[v->ms[k].i] = w->plan->load[v->ms[k].i] + w->quota[k];
}

/* Leaves the nearest with the member they stand with: where nobody else is in reach, or else as far as his most allows. */
static void leave(struct assign_work *w, const bool *unit_takes, bool alone) {
    for (size_t i = 0; i < w->standing_count; i++) {
        int32_t h = w->standing[i], m = w->h[h].member, unit = w->unit_of_h[h];
        if (w->plan->member[h] >= 0 || w->capacity[m] == 0) continue;
        bool stays = alone ? unit < 0 || !unit_takes[unit] : assign_in_unit(w, h, m) && w->plan->load[m] < w->most[m];
        if (stays) assign_set(w, h, m, ASSIGN_KEPT);
    }
}

void assign_raise(struct assign_work *w) {
    bool *unit_takes = arena_new(w->arena, bool, (size_t)w->units + 1);
    for (size_t i = 0; i < w->mn; i++) {
        w->limit[i] = INT32_MAX;
        if (w->capacity[i] && w->unit_of_m[i] >= 0) unit_takes[w->unit_of_m[i]] = true;
    }
    leave(w, unit_takes, true);
    each_group(w, w->o.reach, raise_most);
    leave(w, unit_takes, false);
}
