/* A site with all systems below unit_dir(), commands written as JSON, and hands that may spoil the database behind the program's back. */
#ifndef CORE_HELP_H
#define CORE_HELP_H

#include "core/command.h"
#include "core/fsck.h"
#include "systems/systems.h"
#include "unit.h"

struct world {
    struct site *s;
    struct arena a;
    struct command_call call; /* of the last command */
};
extern struct world w;

/* Areas: jixian (county) > town (group) > xg (community) > q1 (quarter) > b1, b2 (buildings); jixian > rural (group) > v1 (village).  The clock stands at
 * 2020-02-10 12:00. */
void world_make(void);
void world_open(void); /* the site that world_make made, or another process */
void world_close(void);
void world_clock(const char *text);
const char *world_path(const char *name);

/* Runs a command as the actor (NULL: the system) and returns the record's id.  ' stands for ".  Fails the test when it fails. */
const char *run(const struct actor *who, const char *command, const char *area, const char *record, const char *data_fmt, ...) PRINTF(5, 6);
struct err refused(const struct actor *who, const char *command, const char *area, const char *record, const char *data_fmt, ...) PRINTF(5, 6);
/* The whole command as written; 0 or -1. */
int run_json(const struct actor *who, struct command_call *call, struct err *e, const char *fmt, ...) PRINTF(4, 5);
const char *new_id(void);
/* Somebody with that role in the area (code). */
const struct actor *somebody(const char *role, const char *area);

struct record *record_of(const char *kind, const char *id);
const char *plain_of(const char *kind, const char *id, const char *field);
struct str path_of_area(const char *code);
struct id id_of(const char *text);
int64_t seq_now(void);
int64_t records_of(const char *kind); /* that are not removed */
struct digest state_now(void);        /* over all records, tallies, and the end of the journal */
const char *identity(const char *birth, int n);

void tallies_settle(void);            /* all of them into the table `tally` */

/* SQL past the program; U'hex' is an id, X'hex' a blob. */
void tamper(const char *sql);
/* What fsck finds wrong in the part; *ret_all, when not NULL, in all parts. */
int64_t fsck_finds(enum fsck_part part, int64_t *ret_all);
void world_proves_itself(void);

#define CHECK_ERR(e, want) CHECK_STR(str_z(err_name((e).code)), err_name(want))

#endif
