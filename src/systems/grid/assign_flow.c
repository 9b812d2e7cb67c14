/* An arc and its reverse are neighbours: i and i ^ 1; what flows on an arc is the room of its reverse. */
#include "systems/grid/assign_flow.h"

struct arc {
    int32_t to, next, room;
    int64_t cost;
};
struct heap_entry {
    int64_t distance;
    int32_t node;
};
struct flow {
    struct arc *arcs;
    int32_t *first, *current, *level, *queue, *path;
    int64_t *potential, *distance;
    struct heap_entry *heap;
    size_t nodes, arc_count, arc_most, heap_count;
    int32_t source, sink;
};

struct flow *flow_new(struct arena *a, size_t node_count, size_t arc_most) {
    INVARIANT(node_count >= 2 && node_count < INT32_MAX / 2 && arc_most < INT32_MAX / 4);
    struct flow *f = arena_new(a, struct flow, 1);
    f->nodes = node_count;
    f->arc_most = 2 * arc_most;
    f->arcs = arena_new(a, struct arc, f->arc_most);
    f->heap = arena_new(a, struct heap_entry, f->arc_most + 1);
    int32_t **const per_node[] = {&f->first, &f->current, &f->level, &f->queue, &f->path};
    for (size_t i = 0; i < COUNT(per_node); i++) *per_node[i] = arena_new(a, int32_t, node_count);
    f->potential = arena_new(a, int64_t, node_count);
    f->distance = arena_new(a, int64_t, node_count);
    for (size_t i = 0; i < node_count; i++) f->first[i] = -1;
    return f;
}

static void half_arc(struct flow *f, int32_t from, int32_t to, int32_t room, int64_t cost) {
    f->arcs[f->arc_count] = (struct arc){.to = to, .next = f->first[from], .room = room, .cost = cost};
    f->first[from] = (int32_t)f->arc_count++;
}

int32_t flow_arc(struct flow *f, int32_t from, int32_t to, int32_t room, int64_t cost) {
    INVARIANT(f->arc_count + 2 <= f->arc_most && room >= 0 && cost >= 0);
    int32_t arc = (int32_t)f->arc_count;
    half_arc(f, from, to, room, cost);
    half_arc(f, to, from, 0, -cost);
    return arc;
}

int32_t flow_on(const struct flow *f, int32_t arc) {
    return f->arcs[arc ^ 1].room;
}

/* ---- distances ---- */

static bool before(struct heap_entry a, struct heap_entry b) {
    return a.distance < b.distance || (a.distance == b.distance && a.node < b.node);
}

static void heap_push(struct flow *f, struct heap_entry e) {
    INVARIANT(f->heap_count <= f->arc_most);
    size_t i = f->heap_count++;
    for (; i && before(e, f->heap[(i - 1) / 2]); i = (i - 1) / 2) f->heap[i] = f->heap[(i - 1) / 2];
    f->heap[i] = e;
}

static struct heap_entry heap_pop(struct flow *f) {
    struct heap_entry top = f->heap[0], last = f->heap[--f->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < f->heap_count; i = child) {
        if (child + 1 < f->heap_count && before(f->heap[child + 1], f->heap[child])) child++;
        if (!before(f->heap[child], last)) break;
        f->heap[i] = f->heap[child];
    }
    f->heap[i] = last;
    return top;
}

static int64_t reduced(const struct flow *f, int32_t from, const struct arc *arc) {
    return arc->cost + f->potential[from] - f->potential[arc->to];
}

static void relax(struct flow *f, struct heap_entry at) {
    for (int32_t i = f->first[at.node]; i >= 0; i = f->arcs[i].next) {
        const struct arc *arc = &f->arcs[i];
        if (arc->room == 0) continue;
        int64_t distance = at.distance + reduced(f, at.node, arc);
        if (distance >= f->distance[arc->to]) continue;
        f->distance[arc->to] = distance;
        heap_push(f, (struct heap_entry){distance, arc->to});
    }
}

/* Brings the potentials up to the shortest distances; false when the sink is cut off. */
static bool measure(struct flow *f) {
    for (size_t i = 0; i < f->nodes; i++) f->distance[i] = INT64_MAX;
    f->heap_count = 0;
    f->distance[f->source] = 0;
    heap_push(f, (struct heap_entry){0, f->source});
    while (f->heap_count) {
        struct heap_entry at = heap_pop(f);
        if (at.node == f->sink) break;
        if (at.distance == f->distance[at.node]) relax(f, at);
    }
    int64_t all = f->distance[f->sink];
    if (all == INT64_MAX) return false;
    for (size_t i = 0; i < f->nodes; i++) f->potential[i] += MIN(f->distance[i], all);
    return true;
}

/* ---- blocking flows over arcs of reduced cost 0 ---- */

static bool usable(const struct flow *f, int32_t from, int32_t arc) {
    return f->arcs[arc].room > 0 && reduced(f, from, &f->arcs[arc]) == 0;
}

static bool lay_levels(struct flow *f) {
    for (size_t i = 0; i < f->nodes; i++) f->level[i] = -1;
    size_t head = 0, tail = 0;
    f->level[f->source] = 0;
    f->queue[tail++] = f->source;
    while (head < tail) {
        int32_t at = f->queue[head++];
        for (int32_t i = f->first[at]; i >= 0; i = f->arcs[i].next) {
            int32_t to = f->arcs[i].to;
            if (f->level[to] >= 0 || !usable(f, at, i)) continue;
            f->level[to] = f->level[at] + 1;
            f->queue[tail++] = to;
        }
    }
    memcpy(f->current, f->first, f->nodes * sizeof *f->current);
    return f->level[f->sink] >= 0;
}

/* Sends what the path can take; returns how much of the path, counted from the source, has room left. */
static size_t send(struct flow *f, size_t length, int64_t *total) {
    int32_t amount = INT32_MAX;
    for (size_t i = 0; i < length; i++) amount = MIN(amount, f->arcs[f->path[i]].room);
    size_t open = length;
    for (size_t i = length; i-- > 0;) {
        f->arcs[f->path[i]].room -= amount;
        f->arcs[f->path[i] ^ 1].room += amount;
        if (f->arcs[f->path[i]].room == 0) open = i;
    }
    *total += amount;
    return open;
}

static int64_t block(struct flow *f) {
    int64_t total = 0;
    size_t length = 0;
    for (;;) {
        int32_t at = length ? f->arcs[f->path[length - 1]].to : f->source;
        if (at == f->sink) {
            length = send(f, length, &total);
            continue;
        }
        int32_t *i = &f->current[at];
        while (*i >= 0 && !(f->level[f->arcs[*i].to] == f->level[at] + 1 && usable(f, at, *i))) *i = f->arcs[*i].next;
        if (*i >= 0) {
            f->path[length++] = *i;
        } else if (length) {
            f->level[at] = -1;
            length--;
        } else {
            return total;
        }
    }
}

int64_t flow_solve(struct flow *f, int32_t source, int32_t sink) {
    f->source = source;
    f->sink = sink;
    int64_t total = 0;
    while (measure(f))
        while (lay_levels(f)) total += block(f);
    return total;
}
