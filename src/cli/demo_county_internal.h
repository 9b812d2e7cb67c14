/* Shared by demo_county.c (places, homes, organisations), demo_outbreak.c (what happens from day to day) and demo_passes.c. */
#ifndef DEMO_COUNTY_INTERNAL_H
#define DEMO_COUNTY_INTERNAL_H

#include "cli/demo_county.h"

enum { OUTBREAK_DAYS = 35, KNOWN_MOST = 3000, CLOSED_MOST = 2 };

/* A resident to whom something may happen. */
struct known {
    struct id id;
    int32_t place;
    struct person person;
};
/* A household of what is closed, and a pass; nothing points to a pass, as more of them may move it. */
struct home {
    struct id id, head;
    int32_t quarter;
    day_t stays_until; /* ordered to stay at home up to that day; DAY_NONE: not */
};
struct given {
    struct id id;
    const char *kind;
    int32_t place;           /* where it is valid: a quarter; of vehicles a community */
    const struct home *home; /* NULL: of none */
    struct str plate;
    day_t from, until, used; /* until: the day it is over; used: last at a gate */
    bool revoked;
};
struct closure {
    int32_t closed[CLOSED_MOST]; /* communities */
    size_t closed_n;
    struct home *homes;
    struct given *given;
    size_t homes_n, homes_cap, given_n, given_cap;
};
struct county {
    struct demo *d;
    double share;       /* of the usual size */
    double crowd;       /* the same, at most 1: of those who pass gates and clinics */
    int32_t root, town, rural;
    struct place_list communities, quarters, buildings, townships, villages;
    struct id clinic;   /* the county hospital */
    struct known *known; /* in the order of places */
    size_t known_n;
    struct closure closure;
    int64_t today_ends; /* second of the last day */
};

/* A time of the day; on the last day not later than it has become. */
int64_t county_second(const struct county *c, day_t on, int64_t second);
/* The quarter of a cluster: 0 or 1. */
int32_t county_cluster(const struct county *c, int nth);
int county_outbreak(struct county *c, struct err *e);

#endif
