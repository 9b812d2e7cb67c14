/* The area tree, in memory: names, levels and the one predicate on which every permission stands.
 *
 * An area's path is its parent's path and three base-36 characters, so `path` lies under `top` exactly when it starts with it, and a
 * subtree is the range [top, top + "~") of texts.  The tree is replaced as a whole after a commit that changed it; readers hold a
 * reference. */
#ifndef AREA_H
#define AREA_H

#include "base/arena.h"
#include "base/id.h"
#include "base/lang.h"
#include "db/db.h"

enum { AREA_STEP = 3, AREA_DEPTH = 12, AREA_PATH = AREA_STEP * AREA_DEPTH + 1 };

struct area {
    struct id id;
    struct str path, code, name, level;
    int32_t parent, first_child, next_sibling; /* indexes, -1 none */
    int32_t children;
};
struct areas {
    struct area *all; /* in path order */
    size_t n;
    int64_t seq;      /* journal sequence it was read at */
    struct arena arena;
    int refs;
    uint32_t *by_code, *by_id; /* open hash tables of index + 1 */
    size_t slots;
};
int areas_load(struct db *db, int64_t site, struct areas **ret, struct err *e);
void areas_hold(struct areas *t);
void areas_drop(struct areas *t); /* accepts NULL */
void areas_dropp(struct areas **t);
const struct area *areas_by_id(const struct areas *t, struct id id);
const struct area *areas_by_code(const struct areas *t, struct str code);
const struct area *areas_by_path(const struct areas *t, struct str path);
/* The area whose name, or name chain ("城镇/西关社区/3号楼", any of / > › space), means one area below `top` (STR_NONE: anywhere): 1; 0 none; 2 several. */
int areas_guess(const struct areas *t, struct arena *a, struct str text, struct str top, const struct area **ret);
const struct area *areas_parent(const struct areas *t, const struct area *x); /* NULL at the top */
/* "吉县 › 城镇 › 西关社区" */
struct str areas_full_name(const struct areas *t, struct arena *a, const struct area *x);

/* The predicate: does path lie in the subtree of top?  An empty top holds everything. */
static inline bool path_under(struct str path, struct str top) {
    return str_starts(path, top);
}
struct path_range {
    struct str from, to; /* from <= path < to */
};
struct path_range path_range(struct arena *a, struct str top);
struct path_range path_alone(struct arena *a, struct str path); /* without what lies below it */
/* The next path below `parent` after its last child's; STR_NONE when it is full or too deep. */
struct str path_next_child(struct arena *a, struct str parent, struct str last);

/* Levels in their order from the top: province city county township community ... ; -1 unknown. */
int area_level_rank(struct str level);

#endif
