/* What both engines read for a raw run: the newest rows of a kind, or their journal entries, oldest first. */
#ifndef BENCH_RAW_STMTS_H
#define BENCH_RAW_STMTS_H

#include "bench/limit.h"

const char *raw_select(char sql[RAW_SQL], const struct raw_plan *plan, bool journal);
/* INSERT INTO schema.table with n parameters, numbered when `numbered`. */
const char *raw_insert(char sql[RAW_SQL], const char *schema, const char *table, int n, bool numbered);
/* The index by which rows would be found if they had no traces beside them (trace_run.h): it answers the same questions.  One for each TRACE field; NULL behind the last. */
const char *raw_index(char sql[RAW_SQL], const char *table, const struct raw_plan *plan, size_t i);

#endif
