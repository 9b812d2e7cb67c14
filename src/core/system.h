/* A system is one folder under src/systems and one struct, listed in src/systems/systems.c.  The core knows no system by name. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "core/kind.h"

struct command_call;

/* ---- commands beside KIND.create, .update, .remove and .open, which every kind has ---- */
struct command {
    const char *name; /* "household.assign" */
    struct label label;
    const struct kind *kind;
    /* Runs inside the writer's transaction under a savepoint; call->data is its input, call->rec the loaded record or NULL. */
    int (*run)(struct tx *tx, struct command_call *call, struct err *e);
    bool reads_figures; /* sees the tallies of the commands before it */
};

/* ---- figures ---- */
enum figure_how {
    FLOW,  /* records whose `on` lies in the period */
    STOCK, /* records that count on the last day of the period: on <= day < until; an empty `on` counts from the beginning */
    RATIO, /* 100 * part / whole */
    QUERY, /* a statement over indexes */
};
struct figure {
    const char *id;
    struct label label;
    const char *unit;
    enum figure_how how;
    const struct kind *kind;
    const char *on, *until; /* date or time fields */
    const char *sum;        /* an INT field added up; NULL: records are counted */
    const char *when;       /* "type=branch|committee & temperature>=37.3 & member? & left_on!" (? is set, ! is empty) */
    const char *cuts;       /* "kind,at": fields the figure may be cut by */
    bool own_area_only;     /* not rolled up the tree */
    const char *part, *whole; /* RATIO: figure ids */
    bool per_day;           /* RATIO: `whole` is due every day of the period */
    const struct stmt *query; /* QUERY: $1 site $2 path from $3 path to $4 first day $5 last day (ISO) -> cut text, number */
    const struct stmt *rows;  /* QUERY: the same parameters, $6 after id, $7 limit -> record ids of `kind`, ordered by id */
    bool hidden;            /* a part of others; not in bulletins */
};

struct check {
    const char *name;
    struct stmt stmt; /* $1 site; must return no row; its first column says which record */
};
/* One step of the schema.  Kinds bring their tables with them; a migration is what the tables cannot say. */
struct job {
    const char *name;
    int64_t every_us;
    int (*run)(struct tx *tx, struct err *e);
};

struct system {
    const char *name;
    struct label label;
    const struct kind *const *kinds; /* NULL-terminated */
    const struct command *commands;
    size_t commands_n;
    const struct figure *figures;
    size_t figures_n;
    struct stmt *stmts; /* registered at start */
    size_t stmts_n;
    struct check *checks;
    size_t checks_n;
    const struct job *jobs;
    size_t jobs_n;
};

/* ---- the registry: filled once at start from systems_all ---- */
void registry_load(const struct system *const *systems); /* INVARIANT on a table that contradicts itself */
const struct kind *kind_by_name(struct str name);
const struct kind *kind_at(size_t i); /* NULL past the end */
size_t kind_count(void);
const struct command *command_by_name(struct str name);
const struct command *command_at(size_t i); /* NULL past the end */
const struct figure *figure_by_id(struct str id);
const struct figure *figure_at(size_t i); /* NULL past the end; in bulletin order */
const struct system *system_at(size_t i);

#endif
