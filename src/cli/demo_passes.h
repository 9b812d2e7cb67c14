/* Passes of the demonstration county: two communities, those of the clusters, are under closed management from some day on.  Every household there
 * gets a pass, and those who work outside, who bring supplies and who come for a day get theirs.  All of them are issued, revoked and
 * put under orders by the commands that users have; whether a pass is in order at a gate is for the program to say. */
#ifndef DEMO_PASSES_H
#define DEMO_PASSES_H

#include "cli/demo_county_internal.h"

/* Once the places are there. */
void passes_begin(struct county *c);
/* Is the place in what is closed on that day?  What is closed stays so to the last. */
bool passes_closed(const struct county *c, int32_t place, day_t on);
/* A household has come; those elsewhere are not kept. */
void passes_home(struct county *c, struct home home);

/* What is issued and revoked in the evening of a day, valid from the next. */
int passes_evening(struct county *c, int day, day_t on, struct err *e);
/* The household of that head stays at home for two weeks; it need not any more; nothing happens when it does not live in what is closed. */
int passes_stay(struct county *c, struct id head, day_t on, struct err *e);
int passes_lift(struct county *c, struct id head, day_t on, struct err *e);
/* Some households of the quarter stay at home for two weeks. */
int passes_contacts(struct county *c, int32_t quarter, day_t on, struct err *e);

/* The pass that whoever stands at the gate of that scan shows, filled in; NULL: none. */
const struct given *passes_at_gate(struct county *c, struct draft *f, bool vehicle);
/* Fills in that one. */
void passes_show(struct draft *f, const struct given *g);

#endif
