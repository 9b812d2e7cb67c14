/* How synthetic records come into a site: drafts of commands, gathered and run by the writer some thousands at a time.
 *
 * A draft holds values of the kind's fields as they are stored (kind.h).  It is made and added before the next one is begun, because
 * adding may run the batch and free it.  What a draft leaves open is completed by draft_complete from its kind: names, numbers and
 * days that fit those already set.
 * Ids are made from the seed, so the same seed and the same records give the same ids, in the order in which they were made. */
#ifndef DEMO_RECORDS_H
#define DEMO_RECORDS_H

#include "cli/cli.h"
#include "cli/demo_names.h"
#include "core/command.h"

struct place {
    struct id id, organisation; /* the newest organisation there; nil: none */
    struct str code, name;
    const char *level;
    int32_t parent, children; /* index, -1 at the top */
    int depth;
    unsigned has; /* bit by bit: facts about places that have something count it already */
};
/* What later records refer to. */
struct made {
    struct id id;
    int32_t place;
    struct str tag; /* member: roll; organisation: kind_of; household: its head */
    int32_t used;   /* member: assignments; household: 1 when somebody answers for it; organisation: 1 for a team */
};
struct pool {
    struct made *all;
    size_t n, cap;
};
enum pool_of { POOL_ORGANISATION, POOL_MEMBER, POOL_GATE, POOL_HOUSEHOLD, POOL_UNIT, POOL__COUNT };

struct demo {
    struct site *site;
    const struct cli *cli; /* for the progress line */
    struct arena a;
    struct names names;
    uint64_t seed, order; /* records made so far */
    day_t first, last;    /* of everything that happens */
    struct place *places;
    size_t places_n, places_cap;
    struct pool pools[POOL__COUNT];
    /* progress */
    struct label doing;
    double share, share_to; /* what is done, and when `doing` is */
    int64_t expected, began_at, began_us;
    /* the batch */
    struct arena batch;
    struct command_call *calls;
    size_t calls_n;
    int64_t *counts; /* by kind */
};
void demo_begin(struct demo *d, struct site *s, const struct cli *cli, uint64_t seed);
void demo_end(struct demo *d);
/* Runs what is gathered.  The error is that of the first command that failed; nothing of its batch is kept. */
int demo_flush(struct demo *d, struct err *e);
/* So many drafts may be added before the batch runs and frees their texts. */
int demo_reserve(struct demo *d, size_t drafts, struct err *e);
/* The clock of what is written next. */
void demo_clock(struct demo *d, day_t on, int64_t second);
struct id demo_id(struct demo *d);
struct made *pool_add(struct demo *d, enum pool_of p, struct id id, int32_t place);
/* The share of the whole (0..1) at which the next `expected` records begin and end. */
void demo_progress(struct demo *d, struct label doing, double share_to, int64_t expected);

/* ---- drafts ---- */
struct draft {
    struct demo *d;
    const struct kind *kind;
    struct val *v;
    struct id id;     /* of the record to be made */
    int32_t place;    /* -1: the area of a reference */
    day_t day, low;   /* when it happens; nothing of it happens before `low` */
    int variant;      /* another number, another choice where nothing is set */
    struct str roll;  /* assignment: of its member */
    int32_t persons;  /* gate_scan: most people in a vehicle */
};
struct draft draft_begin(struct demo *d, const char *kind, int32_t place, day_t on);
struct val *draft_val(struct draft *f, const char *field); /* INVARIANT that there is one */
bool draft_has(struct draft *f, const char *field);
/* Texts are kept until the batch has run; printf-like for those that are put together. */
void draft_text(struct draft *f, const char *field, const char *text);
void draft_str(struct draft *f, const char *field, struct str text);
void draft_printf(struct draft *f, const char *field, const char *fmt, ...) PRINTF(3, 4);
void draft_int(struct draft *f, const char *field, int64_t v);
void draft_real(struct draft *f, const char *field, double v);
void draft_ref(struct draft *f, const char *field, struct id id);
/* A date, or a time of that day. */
void draft_day(struct draft *f, const char *field, day_t on, int64_t second);
void draft_complete(struct draft *f);
/* Creates the record. */
int draft_add(struct draft *f, struct err *e);
/* Changes one that stands: only what the draft holds. */
int draft_change(struct draft *f, struct id record, struct err *e);
/* Another command, its data as JSON.  record may be nil, place -1.  One that reads figures runs at once, after all that was added. */
int demo_command(struct demo *d, const char *name, struct id record, int32_t place, const char *data, struct err *e);
/* The second of a day at which people come to a gate or a clinic. */
int64_t demo_rush(struct demo *d);

/* ---- places ---- */
struct place_new {
    int32_t parent; /* -1: at the top */
    struct str code, name;
    const char *level;
    const char *property_management; /* NULL: unknown */
    day_t since;                     /* DAY_NONE: always */
};
int place_add(struct demo *d, const struct place_new *p, int32_t *ret, struct err *e);
/* One more of that level below the parent, with a code and a name of its own. */
int place_more(struct demo *d, struct place_new p, int32_t *ret, struct err *e);
bool place_under(const struct demo *d, int32_t place, int32_t top);
struct place_list {
    int32_t *at;
    size_t n;
};
/* Those of the levels ("quarter|village") at or below `top`, in the order in which they were made. */
struct place_list places_of(struct demo *d, int32_t top, const char *levels);
/* As many below `top` as `counts` says, each level shared out evenly among those of the level above. */
enum { NEST_LEVELS = 8 };
extern const char *const nest_levels[NEST_LEVELS]; /* from the top: township ... post */
int places_nest(struct demo *d, int32_t top, const int64_t counts[NEST_LEVELS], struct err *e);

#endif
