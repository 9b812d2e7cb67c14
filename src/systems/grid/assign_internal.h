/* Shared by assign.c (what stays), assign_fill.c (who gets the others) and assign_near.c (exchanges). */
#ifndef SYSTEMS_GRID_ASSIGN_INTERNAL_H
#define SYSTEMS_GRID_ASSIGN_INTERNAL_H

#include "systems/grid/assign.h"

/* A household or a member in the order of its group and then of its place. */
struct assign_slot {
    uint64_t bucket;
    int64_t place;
    int32_t i;
};

struct assign_work {
    struct arena *arena;
    const struct assign_household *h;
    const struct assign_member *m;
    size_t hn, mn;
    struct assign_options o;
    struct assign_plan *plan;
    int32_t *unit_of_h, *unit_of_m; /* -1: no group within reach */
    int32_t units;
    int32_t *capacity;           /* per member: the most he should have; 0 for those who take none */
    int32_t *least, *aim, *most; /* per member; most is the capacity, or more where there is too little room */
    int32_t *standing;           /* households that stand with an available member, by member, the nearest first */
    size_t standing_count;
    int64_t *home;               /* per member: its position among the places */
    int32_t *limit;              /* per member: up to where the present step fills */
    struct assign_slot *hs, *ms; /* room for all households, all members */
    int32_t *quota;              /* by position in ms */
};

/* The highest level two have in common is in its tree below all the others, so the first match is the nearest. */
static inline int assign_level_of(const struct assign_work *w, int32_t h, int32_t m) {
    int l = 0;
    while (l < ASSIGN__LEVELS && (w->h[h].group[l] < 0 || w->h[h].group[l] != w->m[m].group[l])) l++;
    return l;
}
static inline bool assign_has_distance(const struct assign_work *w, int32_t h, int32_t m) {
    return w->h[h].has_xy && w->m[m].has_xy;
}
/* Squared; 0 when not known. */
static inline double assign_distance(const struct assign_work *w, int32_t h, int32_t m) {
    if (!assign_has_distance(w, h, m)) return 0;
    double x = w->h[h].x - w->m[m].x, y = w->h[h].y - w->m[m].y;
    return x * x + y * y;
}
static inline bool assign_in_unit(const struct assign_work *w, int32_t h, int32_t m) {
    return w->unit_of_h[h] >= 0 && w->unit_of_h[h] == w->unit_of_m[m];
}
/* The group at that level within a unit, as a key; false where it is not known. */
bool assign_bucket(int32_t unit, const int32_t *group, enum assign_level level, enum assign_level reach, uint64_t *ret);
int assign_slot_order(const void *a, const void *b);

void assign_set(struct assign_work *w, int32_t h, int32_t m, enum assign_why why);
void assign_raise(struct assign_work *w);
void assign_fill(struct assign_work *w);
void assign_nearer(struct assign_work *w);

#endif
