/* Every system of the program, in the order of the bulletin and of the menus.  NULL-terminated, for registry_load. */
#ifndef SYSTEMS_H
#define SYSTEMS_H

#include "core/system.h"

extern const struct system *const systems_all[];

#endif
