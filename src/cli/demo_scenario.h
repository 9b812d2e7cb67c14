/* A scenario file: the places and the facts that its bulletin must show.
 *
 * {"timezone", "from", "to", "areas": [{"code", "level", "name", "parent"?, "children"?: {"community": 6, ...}}],
 *  "facts": [{"indicator", "area", "on" or "from" and "to", "rel"?: "=" | ">=" | "<=", "value", "dim"?: {"kind": "road"}}]}
 * Other members are for people. */
#ifndef DEMO_SCENARIO_H
#define DEMO_SCENARIO_H

#include "cli/demo_records.h"
#include "core/figure.h"

enum fact_rel { FACT_EQUAL, FACT_LEAST, FACT_MOST };
enum fact_state { FACT_SKIPPED, FACT_WAITING, FACT_MADE }; /* SKIPPED: no system counts it yet */

/* One condition on the records that a fact counts. */
enum cond_op { COND_ANY, COND_NONE, COND_FROM, COND_BELOW, COND_SET, COND_EMPTY };
struct cond {
    int field;
    enum cond_op op;
    struct str values; /* "a|b" */
};
struct fact {
    struct str indicator, area;
    const struct figure *figure; /* NULL: skipped */
    size_t number;               /* in the file, from 1 */
    int32_t place;               /* index of the scenario's areas; once they are made, of the places */
    day_t from, to;
    enum fact_rel rel;
    double value, got;
    struct dim dims[4];
    size_t n;
    enum fact_state state;
    /* for the making */
    const struct kind *kind;     /* of the records that it counts; NULL: it counts none by itself */
    struct cond conds[8];
    size_t conds_n;
    struct str roll;             /* assignments: of the member; empty: any */
    const char *on, *until;      /* fields; NULL: none */
    const char *levels;          /* it counts places of these levels that have such a record, not records */
    unsigned has;
    int phase, step;
    int64_t counted;             /* of the records made so far */
};
struct scenario_area {
    struct str code, name;
    const char *level;
    int32_t parent, place;
    int64_t children[NEST_LEVELS];
};
struct scenario {
    const char *tz;
    day_t from, to;
    struct scenario_area *areas;
    size_t areas_n;
    struct fact *facts;
    size_t facts_n;
};
/* Everything lives in the arena.  Errors: IO, BAD_REQUEST, INVALID with the member as field. */
int scenario_read(struct arena *a, const char *path, struct scenario *ret, struct err *e);
int scenario_parse(struct arena *a, struct str text, struct scenario *ret, struct err *e);
/* "#3 gate.posts kind=road longju 2020-02-01 = 6" */
const char *fact_label(struct arena *a, const struct fact *f);
void fact_number(double v, char out[32]);

/* ---- making it true (demo_facts.c) ---- */
/* The places, then records for each fact whose figure there is.  INVALID with M_FACTS_CONTRADICT when two facts exclude each other,
 * M_FACT_IMPOSSIBLE when no records give one. */
int scenario_make(struct demo *d, struct scenario *sc, struct err *e);
/* Asks for every made fact again, fills `got`; returns how many are not so. */
int scenario_verify(struct demo *d, struct scenario *sc, size_t *ret_wrong, struct err *e);
bool fact_holds(const struct fact *f);

#endif
