/* Families: who lives in a household, with ages, sexes and relations that go together. */
#ifndef DEMO_PEOPLE_H
#define DEMO_PEOPLE_H

#include "cli/demo_records.h"

struct head {
    struct person person;
    int surname, years;
};
struct family {
    const struct made *household;
    const struct head *head;
    int size;    /* the head among them */
    day_t since; /* DAY_NONE: always */
    bool care;   /* some are in care */
};
/* The size of the next family when so many people are left for so many households: in the end all are housed. */
int family_size(struct demo *d, int64_t people, size_t households);
/* The head of a family of that size; texts in the arena.  A name that is given already is a man's. */
struct head family_head(struct demo *d, struct arena *a, int size, struct str name);
/* Adds the residents (demo_reserve room for them, as the head's texts may be in the batch); the head's id to *ret_head when not NULL. */
int family_add(struct demo *d, const struct family *f, struct id *ret_head, struct err *e);

#endif
