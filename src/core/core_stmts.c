#include "core/core_stmts.h"

#define S(n, text) {.name = #n, .sql = text},
struct stmt core_stmts[CS__COUNT] = {
#include "core/core_stmts.inc"
};
#undef S

void core_stmts_register(void) {
    stmt_register(core_stmts, CS__COUNT);
}
