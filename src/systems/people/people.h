/* Residents: the roster of a household.  Birth date and gender come from the identity number where there is one. */
#ifndef PEOPLE_H
#define PEOPLE_H

#include "core/system.h"

extern const struct system people_system;
extern const struct kind resident_kind;

#endif
