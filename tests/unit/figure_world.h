/* A small made-up system for the tests of figures: posts that stand for a while, scans that happen at them. */
#ifndef FIGURE_WORLD_H
#define FIGURE_WORLD_H

#include "core/figure_internal.h"
#include "core/site.h"
#include "unit.h"

extern const struct kind world_area, world_post, world_scan;
extern const struct system world_system;

enum { NAME, TYPE, PLACE, SINCE, UNTIL, SEATS, OPEN, TAGS, NOTE };          /* fields of post */
enum { SEEN_AT, WHAT, POST, PERSONS, TEMPERATURE, ORIGIN };                 /* fields of scan */

void world_start(void); /* registry and rules, no site */
struct site *world_site(void); /* a fresh one in unit_dir(), with one area */

static inline struct figure_query ask(const char *figure, struct str path, const char *from, const char *to) {
    struct figure_query q = {.figure = figure_by_id(str_z(figure)), .path = path};
    CHECK(q.figure);
    CHECK(day_from_iso(str_z(from), &q.from) && day_from_iso(str_z(to), &q.to));
    return q;
}

#endif
