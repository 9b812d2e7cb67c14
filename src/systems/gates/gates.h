/* Gates and checkpoints.  A scan is one person, or one vehicle with those in it; scans are append-only and many, so they are journalled by
 * batch.  A temperature at or over the threshold sends to the fever clinic unless the person at the gate wrote another verdict. */
#ifndef GATES_H
#define GATES_H

#include "core/system.h"

extern const struct system gates_system;
extern const struct kind gate_kind, gate_scan_kind;
/* The fields of a scan in their order: what runs for each of them does not look names up. */
enum scan_field {
    SCAN_GATE, SCAN_SEEN_AT, SCAN_WHAT, SCAN_PERSONS, SCAN_PLATE, SCAN_PASS, SCAN_NAME, SCAN_ID_NUMBER, SCAN_PHONE, SCAN_TEMPERATURE, SCAN_ORIGIN,
    SCAN_VERDICT, SCAN_FEBRILE, SCAN_PASS_CHECK, SCAN_FIELDS
};

#endif
