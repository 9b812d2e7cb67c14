#include "core/core_stmts.h"

#define S(n, ...) STMT(n, __VA_ARGS__),
struct stmt core_stmts[CS__COUNT] = {
#include "core/core_stmts.inc"
};
#undef S

void core_stmts_register(void) {
    stmt_register(core_stmts, CS__COUNT);
}
