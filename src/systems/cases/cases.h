/* Cases: classification, clocks, transfer, outcome.
 *
 * case.confirm  {"confirmed_at"?}          suspected, clinically diagnosed, asymptomatic -> confirmed
 * case.exclude  {"excluded_at"?}           suspected, clinically diagnosed -> excluded
 * case.transfer {"to", "on"?}              while in treatment
 * case.close    {"outcome", "on"?}         in treatment -> recovered or died
 * A wrong entry is put right with case.update, which the journal shows; STATE when a command does not fit. */
#ifndef CASES_H
#define CASES_H

#include "core/system.h"

extern const struct system cases_system;
extern const struct kind case_kind;

#endif
