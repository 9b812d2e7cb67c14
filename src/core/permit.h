/* Who may do what, where.  A user has roles in areas; a role is a set of commands; an area holds its whole subtree.
 *
 * Everything that reads or changes records asks here and nowhere else: lists and exports with permit_ranges, single records
 * and commands with permit_may. */
#ifndef PERMIT_H
#define PERMIT_H

#include "core/area.h"
#include "core/system.h"

struct role {
    const char *name;
    struct label label;
    const char *grants; /* "resident.* household.read case.read gate_scan.create": KIND.VERB, KIND.*, *.read, *.* */
};
const struct role *role_by_name(struct str name);
const struct role *role_at(size_t i); /* NULL past the end */
extern const struct code_list role_codes;

struct grant {
    const struct role *role;
    struct str path;
};
struct actor {
    struct id id;
    struct str login, name;
    const struct grant *grants;
    size_t n;
    bool system; /* the command line and the program's own jobs: everything, everywhere */
};
extern const struct actor actor_system;

bool role_grants(const struct role *r, const char *kind, const char *verb);
bool permit_may(const struct actor *who, const char *kind, const char *verb, struct str path);
bool permit_anywhere(const struct actor *who, const char *kind, const char *verb);
/* The subtrees of `top` (empty: all) in which the actor may do it: disjoint, in path order. */
size_t permit_ranges(const struct actor *who, struct arena *a, const char *kind, const char *verb, struct str top, struct str **ret);

#endif
