/* Who answers for which household: a proposal that closes the gaps, "each member answers for about 15 households".
 *
 * A pure computation: no clock, no chance, no database; the same task gives the same plan.  Depends on base only.
 *
 * What is sought, each point only as far as those before it allow:
 *  1. Every household has an available member, if one in reach has room.  In reach is who belongs to the same unit: the same
 *     group of level `reach`, or where that is unknown the highest known group below it.  With reach ASSIGN_COUNTY
 *     everybody is in one unit.
 *  2. Nobody answers for more than his most.  Where a unit has too little room for that, short_by says by how many households;
 *     with `spread` they are shared out so that all of the unit exceed their most alike, otherwise they stay uncovered.
 *  3. As few changes as possible to what stands.  What stands with an available member counts even out of reach.
 *  4. Near before far: same building, quarter, community, township, further; then neighbours by place, then coordinates.
 *     But up to level `even` nobody goes above the target while another of the same group is below it.
 *  5. Loads even around the target.
 *
 * Method.  (a) A flow of least cost over members, units and kinds of standing assignment decides how many of each member's
 * households stay; of those who must leave, the farthest do.  This makes 1 to 3 exact: no household stays uncovered while a
 * chain of moves would free a place for it, and no more moves are made than needed.  (b) The others are filled in level by
 * level up the tree: within a group the lowest loads are raised first, and each member gets a run of neighbours by place.
 * (c) Within communities, exchanges and moves of the newly assigned that bring households nearer without upsetting the loads, up
 * to a fixed number of steps.  4 and 5 are good, not exact.
 * Cost: O(n log n) for sorting; (a) works on at most 3 m + u nodes (m members, u units) and what stands out of reach. */
#ifndef SYSTEMS_GRID_ASSIGN_H
#define SYSTEMS_GRID_ASSIGN_H

#include "base/arena.h"

enum assign_level { ASSIGN_BUILDING, ASSIGN_QUARTER, ASSIGN_COMMUNITY, ASSIGN_TOWNSHIP, ASSIGN_COUNTY, ASSIGN__LEVELS = ASSIGN_COUNTY };

struct assign_household {
    int64_t place;                 /* sort position in the area tree: neighbours are adjacent */
    int32_t group[ASSIGN__LEVELS]; /* its building, quarter, community, township; -1 unknown; unique within a level */
    double x, y;                   /* in a plane, any unit; finite */
    bool has_xy;
    int32_t member; /* who is responsible now, an index of members; -1 nobody */
};
struct assign_member {
    int32_t group[ASSIGN__LEVELS]; /* where he works; -1 from below: any of the community, of the township... */
    double x, y;
    bool has_xy;
    int32_t capacity_min; /* filled up to this first where balance is kept; 0 none */
    int32_t capacity_max; /* -1: as the options say; 0: takes none */
    bool available;
};
struct assign_options {
    int32_t target, most; /* 0 <= target <= most */
    enum assign_level reach, even;
    bool spread;
};
#define ASSIGN_DEFAULTS {.target = 15, .most = 20, .reach = ASSIGN_TOWNSHIP, .even = ASSIGN_COMMUNITY, .spread = true}

struct assign_task {
    const struct assign_household *households;
    const struct assign_member *members;
    size_t household_count, member_count; /* each at most ASSIGN_MOST_ROWS */
    struct assign_options options;
};
enum { ASSIGN_MOST_ROWS = 4000000 };

enum assign_why {
    ASSIGN_KEPT,      /* as it stands */
    ASSIGN_NEW,       /* nobody available was responsible */
    ASSIGN_MOVED,     /* its member has too many, or is the only one for another household */
    ASSIGN_NO_ROOM,   /* uncovered: all in reach have their most */
    ASSIGN_UNREACHED, /* uncovered: nobody in reach is available */
    ASSIGN_WHY__COUNT
};
struct assign_state {
    int32_t covered, uncovered; /* households with and without an available member */
    int32_t overloaded;         /* available members above their most */
    double mean_level;          /* of the covered: 0 same building ... 4 further; 0 when there are none */
};
struct assign_plan {
    int32_t *member; /* per household: who is proposed, or -1 */
    uint8_t *why;    /* per household: enum assign_why */
    int32_t *load;   /* per member, after */
    struct assign_state before, after;
    int32_t kept, added, moved; /* households by why; changes to make: added + moved */
    int32_t no_room, unreached;
    int32_t short_by; /* households beyond what all in reach of them may take at most */
};

/* Never fails.  The plan and its arrays are in the arena; work space of about 300 bytes a household is its own and given back. */
struct assign_plan *assign_solve(struct arena *a, const struct assign_task *task);

#endif
