/* Organisations, their people, and applications to join. */
#ifndef ORG_H
#define ORG_H

#include "core/system.h"

extern const struct system org_system;
extern const struct kind organisation_kind, member_kind;

#endif
