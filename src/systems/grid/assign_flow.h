/* The largest flow of least cost in a network of arcs with whole-number room and cost.  Depends on base only.
 *
 * Primal and dual: shortest distances by Dijkstra with potentials, then Dinic's blocking flows over the arcs on shortest
 * paths, once for each different length of a path; of use where lengths are few. */
#ifndef SYSTEMS_GRID_ASSIGN_FLOW_H
#define SYSTEMS_GRID_ASSIGN_FLOW_H

#include "base/arena.h"

struct flow;
/* In the arena.  flow_arc may be called at most arc_most times. */
struct flow *flow_new(struct arena *a, size_t node_count, size_t arc_most);
/* Room and cost are not negative.  Returns the arc's number. */
int32_t flow_arc(struct flow *f, int32_t from, int32_t to, int32_t room, int64_t cost);
/* Returns how much flows.  Once only. */
int64_t flow_solve(struct flow *f, int32_t source, int32_t sink);
int32_t flow_on(const struct flow *f, int32_t arc);

#endif
