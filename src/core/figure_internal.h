/* What the files behind figure.h share: figures compiled to rules, and records read one after the other.
 *
 * A rule is a figure with its fields looked up and its texts cut to pieces, made once by figures_build.  rule_counts and rule_cut are
 * the only places that say what a record adds to a figure: tallies, the recount and the rows behind a figure all ask them. */
#ifndef FIGURE_INTERNAL_H
#define FIGURE_INTERNAL_H

#include "core/figure.h"

enum {
    RULE_CUTS = 4,     /* as many as figure_query.dims */
    CUT_SETS = 16,     /* different lists of cuts among the figures of one kind */
    CUT_VALUE = 240,   /* bytes of one value in a cut; longer ones are cut off at a character */
    CUT_NAME = 48,
    CUT_TEXT = RULE_CUTS * (CUT_NAME + CUT_VALUE + 2),
    PERIOD_DAYS = 3660 /* most days of a series */
};

enum rule_op { OP_ANY, OP_NONE, OP_FROM, OP_BELOW, OP_SET, OP_EMPTY };
struct rule_test {
    int field;
    enum rule_op op;
    bool number; /* compare numbers; else texts */
    size_t n;
    const struct str *texts;
    const double *numbers;
};
struct rule_cut {
    struct str name;
    int field; /* -1: only the figure's statement knows it */
};
struct rule {
    const struct figure *f;
    uint32_t index; /* of the figure in the registry */
    int on, until, sum; /* fields, -1 none */
    struct rule_test *tests;
    size_t tests_n;
    struct rule_cut cuts[RULE_CUTS]; /* RATIO: those that part and whole both know */
    size_t cuts_n;
    size_t cut_set; /* figures of a kind with equal cuts share a number */
    const struct rule *part, *whole;
    struct stmt span; /* FLOW with an INDEXED day: see span_build; else sql NULL */
    struct stmt span_at; /* of a log: with the reference `way` to one thing */
    struct stmt span_fresh, span_at_fresh; /* the same of the kind's own table alone: months_may_have_seen */
};
struct rule_list {
    const struct rule *const *all;
    size_t n;
};
const struct rule *rule_of(const struct figure *f);
struct rule_list rules_of(const struct kind *k); /* FLOW and STOCK */
const struct rule *rule_named(struct str id);    /* NULL: none */

/* What a record adds to a FLOW (amount on the day `on`) or STOCK (from `on` on; away again from `until` on). */
struct counts {
    day_t on;    /* DAY_NONE: from the beginning (STOCK) */
    day_t until; /* DAY_NONE: never ends */
    int64_t amount;
};
bool rule_counts(const struct rule *u, const struct tz *tz, const struct record *r, struct counts *ret); /* false: nothing */
size_t rule_cut(const struct rule *u, const struct record *r, char out[CUT_TEXT]);                     /* bytes written */
/* The form a value takes in a cut: without ; , and line ends, not longer than CUT_VALUE. */
size_t cut_value(struct str v, char out[CUT_VALUE]);
/* Does `cut` hold every part of `want`? */
bool cut_holds(struct str cut, struct str want);
/* The value of the field of that name; STR_NONE when the cut has none. */
struct str cut_get(struct str cut, struct str name);
/* The query's dims as a cut in the figure's order. */
int dims_cut(struct arena *a, const struct figure_query *q, struct str *ret, struct err *e);

/* ---- statements ---- */
enum {
    ST_TALLY_ADD, ST_TALLY_FLOW, ST_TALLY_FLOW_DAYS, ST_TALLY_STOCK, ST_TALLY_STOCK_DAYS, ST_TALLY_HOLD, ST_TALLY_HELD, ST_TALLY_NONE, ST_TALLY_ALL,
    ST_ENDED_ADD, ST_ENDED_BELOW, ST_ENDED_MOVE, ST__COUNT
};
extern struct stmt figure_stmts[ST__COUNT];
/* Records that a FLOW may count: $1 site $2 first value of `on` $3 the one behind the last $4 path from $5 path to $6 after path
 * $7 after id $8 limit; order path, id.  span_at: $9 the id of what `way` points to. */
void span_build(struct arena *a, struct rule *u);

/* ---- what the newest groups have counted (tally_group) ----
 * `counts` of a group has a part for each figure, cut and day: a line with each of these, one with the number of bytes that follow, and in these a line "path n"
 * for each area. */
struct held_reader {
    const struct rule *only; /* NULL: all figures */
    struct rows *rows;
    struct str left, lines; /* parts not begun; what is left of one */
    const struct rule *rule;
    struct str cut;
    day_t day;
};
struct held_tally {
    const struct rule *rule;
    struct str path, cut; /* until the next one */
    day_t day;
    int64_t n;
};
int held_open(struct held_reader *h, struct db *db, int64_t site, const struct rule *only, struct err *e);
int held_next(struct held_reader *h, struct held_tally *ret, struct err *e); /* 1, 0 the end, -1; CORRUPT "tally_group" */
void held_done(struct held_reader *h);                                       /* of one that is all zero, too */
/* What belongs to one part comes one after the other; texts live until held_end. */
struct held_writer {
    struct buf *to, lines;
    struct held_tally last;
};
void held_add(struct held_writer *w, const struct held_tally *t);
void held_end(struct held_writer *w);

/* ---- records of a kind, in path order and without those removed unless said otherwise ---- */
struct record_scan {
    struct db *db;
    int64_t site;
    const struct kind *k;
    struct path_range range;
    bool by_id;              /* every record in the order of ids, removed ones too; the range plays no part */
    const struct stmt *span; /* a rule's, with the first value and the one behind the last, and what span_at points to */
    const struct stmt *field; /* else one of kind_sql.by_field, with the value */
    struct val value, value_end, at;
    char day[2][DAY_TEXT];
    char last_path[AREA_PATH]; /* where it stands */
    struct id last_id;
    char after_path[AREA_PATH]; /* bound to `rows` */
    struct rows *rows;
    int64_t page, left;
};
int scan_next(struct record_scan *c, struct arena *a, struct record *ret, struct err *e); /* 1, 0 the end, -1 */
void scan_done(struct record_scan *c);

#endif
