/* Shared by demo_facts.c (which order, what counts), demo_general.c (the general way) and demo_makers.c, demo_cover.c (figures that need a way
 * of their own). */
#ifndef DEMO_FACTS_H
#define DEMO_FACTS_H

#include "cli/demo_scenario.h"

struct making {
    struct demo *d;
    struct scenario *sc;
    /* of gate.vehicles: what a fact about people leaves for those in the vehicles */
    int64_t persons_left, vehicles_left;
    const struct fact *current; /* being made */
    bool care_counted; /* a fact counts people in care: nobody else may be */
};
typedef int make_fn(struct making *m, struct fact *f, double have, struct err *e);

/* Fills kind, conditions, fields, phase and step of a fact whose figure is set. */
void fact_prepare(struct making *m, struct fact *f);
/* One of our own, for what a fact needs beneath it. */
struct fact fact_own(struct making *m, const char *figure, int32_t place, day_t on, double value);
/* What the site says now. */
int fact_measure(struct making *m, const struct fact *f, double *ret, struct err *e);
/* The same of another figure, or of another place. */
int figure_now(struct making *m, const char *figure, int32_t place, day_t from, day_t to, double *ret, struct err *e);
/* How many records are wanted; 0 for FACT_MOST. */
int64_t fact_wanted(const struct fact *f, double have);

double cond_number(struct str s);
bool cond_holds(const struct cond *c, const struct val *v);
bool fact_counts(const struct making *m, const struct fact *f, struct draft *r);
/* A fact, other than `f`, that the record would make untrue: one made already, or one that has all it asks for.  NULL: none. */
const struct fact *fact_disturbed(const struct making *m, const struct fact *f, struct draft *r);
/* The record is made: whoever counts it has one more. */
void facts_count(struct making *m, struct draft *r);
int contradiction(struct making *m, const struct fact *f, const struct fact *other, struct err *e);
int impossible(struct making *m, const struct fact *f, struct err *e);
/* The first day on which a stock of that fact may begin without counting in an earlier one. */
day_t fact_window(const struct making *m, const struct fact *f);

/* The general way: n records that the fact counts. */
int make_records(struct making *m, struct fact *f, int64_t n, struct err *e);
/* Adds the record and keeps what later ones refer to. */
int make_one(struct making *m, struct draft *r, struct err *e);
/* A record of the fact's kind at that place and day, completed. */
struct draft fact_draft(struct making *m, const struct fact *f, int32_t place, struct id ref, day_t on, int variant);

/* NULL: the general way will do. */
make_fn *maker_of(const struct fact *f);

#endif
