/* A site with all systems, a clock that stands still, and commands written as JSON. */
#ifndef SYSTEMS_HELP_H
#define SYSTEMS_HELP_H

#include "core/command.h"
#include "core/figure.h"
#include "systems/systems.h"
#include "unit.h"

struct desk {
    struct site *site;
    struct arena a;
    const struct actor *actor; /* NULL: the system */
    struct command_call last; /* the call of say() and refused() */
};
/* A new site at 2020-02-10 12:00 in Shanghai with the areas jixian > town > xg (community) > q1 (quarter) > b1, b2 (buildings) and rural > v1 (village). */
void desk_open(struct desk *d);
void desk_close(struct desk *d);
void desk_clock(struct desk *d, const char *text); /* "2020-02-11 09:00" */
/* Runs a command and returns the record's id as text.  ' is read as ".  The test fails when the command does. */
const char *say(struct desk *d, const char *command, const char *area, const char *record, const char *data_fmt, ...) PRINTF(5, 6);
/* Runs a command that must be refused; returns the error. */
struct err refused(struct desk *d, const char *command, const char *area, const char *record, const char *data_fmt, ...) PRINTF(5, 6);
struct record *loaded(struct desk *d, const char *kind, const char *id);
/* A figure of an area for a period (until NULL: one day) and dims ("kind=road" or NULL); -1 for none. */
double figure_of(struct desk *d, const char *id, const char *area, const char *since, const char *until, const char *dims);
/* Recounts tallies and runs the checks of every system: the test fails when something is wrong. */
void desk_proves_itself(struct desk *d);
/* A valid identity number of a man born on that day (YYYYMMDD); n tells several apart. */
const char *id_number(struct desk *d, const char *birth, int n);

#endif
