/* Who answers for which household in an area: the table of it, a proposal that closes the gaps (assign.h), and its application.
 *
 * Loaded from one snapshot; everything lives in the arena given.  A household that a member of another area answers for is covered and is
 * left alone. */
#ifndef COVERAGE_H
#define COVERAGE_H

#include "core/site.h"
#include "systems/grid/assign.h"

struct coverage_household {
    struct id id;
    int32_t area;   /* index in the tree */
    int32_t member; /* index of members; -1 nobody who is there */
    struct str door;
    double x, y;
    bool has_xy;
};
struct coverage_member {
    struct id id;
    int32_t area; /* index in the tree; -1 unknown */
    struct str name;
    int32_t most; /* households he takes at most; -1 not said */
    int32_t load; /* of the households here */
    bool available, elsewhere; /* elsewhere: of another area */
};
struct coverage {
    const struct areas *tree;
    const struct area *top;
    struct coverage_household *households;
    struct coverage_member *members;
    size_t household_count, member_count;
};
int coverage_load(struct db *db, struct site *s, struct arena *a, const struct areas *tree, const struct area *top, struct coverage **ret,
                  struct err *e);

struct coverage_row {
    const struct area *area;
    int32_t households, covered, members, overloaded; /* members: available ones; overloaded: above their most, or `most` */
};
/* The whole, and each area directly below it; what stands at the top itself is in the whole only. */
struct coverage_table {
    struct coverage_row whole, *rows;
    size_t n;
};
void coverage_table(const struct coverage *c, struct arena *a, int32_t most, struct coverage_table *ret);

struct coverage_change {
    int32_t member, before, after;
    size_t first, n; /* of `taken` */
};
struct coverage_proposal {
    const struct assign_plan *plan;
    int32_t uncovered_before, uncovered_after; /* of all households of the area */
    size_t changes;
    struct coverage_change *members; /* those who get households, in the order of coverage.members */
    size_t member_count;
    int32_t *taken; /* indexes of coverage.households */
};
void coverage_propose(const struct coverage *c, struct arena *a, const struct assign_options *o, struct coverage_proposal *ret);

/* "城镇 3号楼 402": as short as tells a household from its neighbours. */
struct str coverage_title(const struct coverage *c, struct arena *a, const struct coverage_household *h);

/* One household.assign for each member of the proposal.  The commands' ids follow from `request`, so a repeated call runs none of
 * them twice.  *ret_changed counts the households of this call; *ret_repeated tells that an earlier one began. */
struct coverage_apply {
    struct site *site;
    const struct actor *actor;
    enum lang lang;
    struct id request;
};
int coverage_apply(const struct coverage_apply *ask, const struct coverage *c, const struct coverage_proposal *p, int64_t *ret_changed,
                   bool *ret_repeated, struct err *e);

#endif
