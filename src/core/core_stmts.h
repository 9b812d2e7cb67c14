/* The core's own statements: CS(name) is the registered statement of that name in core_stmts.inc. */
#ifndef CORE_STMTS_H
#define CORE_STMTS_H

#include "db/db.h"

#define S(name, ...) CS_##name,
enum core_stmt_id {
#include "core/core_stmts.inc"
    CS__COUNT
};
#undef S
extern struct stmt core_stmts[CS__COUNT];
#define CS(name) (&core_stmts[CS_##name])
void core_stmts_register(void);

#endif
