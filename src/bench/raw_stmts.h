/* What both engines read for a raw run: the newest rows of a kind, or their journal entries, oldest first. */
#ifndef BENCH_RAW_STMTS_H
#define BENCH_RAW_STMTS_H

#include "bench/limit.h"

const char *raw_select(char sql[RAW_SQL], const struct raw_plan *plan, bool journal);
/* INSERT INTO schema.table with n parameters, numbered when `numbered`. */
const char *raw_insert(char sql[RAW_SQL], const char *schema, const char *table, int n, bool numbered);

#endif
