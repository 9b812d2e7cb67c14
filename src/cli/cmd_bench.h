/* How results of a bench are shown. */
#ifndef CMD_BENCH_H
#define CMD_BENCH_H

#include "bench/bench.h"
#include "cli/cli.h"

void bench_print_head(const struct cli *c, const struct bench *b);
void bench_print(const struct cli *c, const struct bench_result *r);
/* To that file; with --json to standard output, too. */
int bench_write_json(struct cli *c, const struct bench *b, const struct bench_result *r, size_t n, const char *path, struct err *e);

#endif
