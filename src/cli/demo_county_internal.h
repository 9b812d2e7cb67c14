/* Shared by demo_county.c (places, homes, organisations) and demo_outbreak.c (what happens from day to day). */
#ifndef DEMO_COUNTY_INTERNAL_H
#define DEMO_COUNTY_INTERNAL_H

#include "cli/demo_county.h"

enum { OUTBREAK_DAYS = 35, KNOWN_MOST = 3000 };

/* A resident to whom something may happen. */
struct known {
    struct id id;
    int32_t place;
    struct person person;
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
    int64_t today_ends; /* second of the last day */
};

/* A time of the day; on the last day not later than it has become. */
int64_t county_second(const struct county *c, day_t on, int64_t second);
int county_outbreak(struct county *c, struct err *e);

#endif
