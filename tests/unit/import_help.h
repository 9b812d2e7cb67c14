/* A county with a street, a community and two buildings, and files to import into it. */
#ifndef IMPORT_HELP_H
#define IMPORT_HELP_H

#include "core/import.h"
#include "core/site.h"
#include "unit.h"

struct site *county(void); /* opened in unit_dir() */
struct site *county_in(const char *dir);
/* 17 digits made of area, birth (yyyymmdd) and a running number, and the check digit; the same arguments give the same number. */
const char *id_number(const char *birth, int serial);
const char *in_dir(const char *name); /* a path in unit_dir() */
void write_file(const char *path, struct str bytes);
struct str read_whole(struct arena *a, const char *path);

struct run {
    struct arena a;
    struct import_result r;
    struct err e;
    int status;
};
/* NULL options: the command line in Chinese, area jx. */
struct run *import_text(struct site *s, const char *kind, const char *name, const char *csv, const struct import_options *o);
struct run *import_path(struct site *s, const char *kind, const char *path, const struct import_options *o);
#define DEFAULT_OPTIONS .actor = &actor_system, .area = "jx"
void check_counts(const struct run *r, int64_t imported, int64_t updated, int64_t unchanged, int64_t queued, int64_t refused, int line);
#define CHECK_COUNTS(r, i, u, n, q, x) check_counts((r), (i), (u), (n), (q), (x), __LINE__)
/* The first problem's reason. */
const char *why(const struct run *r, size_t i);

/* The only record (not removed) whose title is that; NULL when there is none. */
struct record *the(struct site *s, struct arena *a, const char *kind, const char *title);
const char *plain(struct site *s, struct arena *a, const struct record *r, const char *field);
int64_t count_records(struct site *s, const char *kind);
int64_t journal_seq(struct site *s);

#endif
