/* Report in (双报到): units and their members report to the community where they serve. */
#ifndef REPORTS_IN_H
#define REPORTS_IN_H

#include "core/system.h"

extern const struct system reports_in_system;

#endif
