/* What the files of this system share. */
#ifndef PASSES_INTERNAL_H
#define PASSES_INTERNAL_H

#include "core/command.h"
#include "core/memo.h"
#include "systems/passes/passes.h"

#define S(n, ...) PASSES_ST_##n,
#define C(n, ...)
enum passes_stmt {
#include "systems/passes/passes_stmts.inc"
    PASSES_ST__COUNT
};
#undef S
#undef C
extern struct stmt passes_stmts[PASSES_ST__COUNT];
#define PS(n) (&passes_stmts[PASSES_ST_##n])

enum { PASSES_COMMANDS = 5 };
extern const struct command passes_commands[PASSES_COMMANDS];

static inline int64_t passes_second(int64_t at) {
    return at - at % US_PER_SECOND;
}
/* The key that serves then, as an index, or -1. */
int passes_serving(const struct passes_keys *keys, int64_t at);
/* With its secret half; pass_key_wipe it. */
int passes_signer(struct site *s, const struct passes_keys *keys, int i, struct pass_key *ret, struct err *e);
/* A key that serves from now on, whoever asked for it. */
int passes_key_new(struct tx *tx, const struct passes_keys *keys, int64_t since, struct err *e);
int passes_key_ensure(struct tx *tx, struct err *e);
int passes_key_rotate(struct tx *tx, struct err *e); /* the job */

enum pass_kind passes_kind_of(const struct record *pass);
size_t passes_areas(struct arena *a, const struct record *pass, struct str ret[PASS_AREAS_MAX]);
/* Is the holder ordered to stay at home on that day? */
bool passes_stays(const struct record *pass, const struct tz *tz, day_t today);
/* Puts the pass on the lists it belongs on at this moment and takes it off the others, by the entry that is about to be written. */
void passes_settle(const struct tx *tx, struct record *r);
extern const struct memo_source passes_memo; /* where and how long a pass holds */
int passes_lists_job(struct tx *tx, struct err *e);

#endif
