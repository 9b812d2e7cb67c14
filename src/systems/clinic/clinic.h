/* The fever clinic: triage and its funnel, from the visit to isolation, exclusion or confirmation. */
#ifndef CLINIC_H
#define CLINIC_H

#include "core/system.h"

extern const struct system clinic_system;
extern const struct kind triage_visit_kind;

#endif
