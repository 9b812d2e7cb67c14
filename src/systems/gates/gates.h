/* Gates and checkpoints.  A scan is one person, or one vehicle with those in it; scans are append-only and many, so they are journalled by
 * batch.  A temperature at or over the threshold sends to the fever clinic unless the person at the gate wrote another verdict. */
#ifndef GATES_H
#define GATES_H

#include "core/system.h"

extern const struct system gates_system;
extern const struct kind gate_kind, gate_scan_kind;

#endif
