/* What the parts of an import share.
 *
 *   import_head   headings onto fields                 stateless
 *   import_row    cells onto values                    stateless
 *   import_read   the file as pages of rows            the caller's thread
 *   import_place  names onto areas                     the writer's thread, as all below
 *   import_ref    texts onto references, households
 *   import_match  whom a row means
 *   import_write  what happens to a row
 *   import_refused, import   files of what was refused; the run as a whole */
#ifndef IMPORT_INTERNAL_H
#define IMPORT_INTERNAL_H

#include <pthread.h>

#include "core/import.h"

/* ---- a hash table by digests ---- */
struct import_key {
    uint8_t b[16];
};
struct import_slot {
    struct import_key key;
    struct id id;
    int64_t n; /* 0: free */
};
struct import_map {
    struct import_slot *slots;
    size_t size, used;
};
struct import_slot *import_map_get(const struct import_map *m, const struct import_key *key); /* NULL: not there */
/* The slot of the key, new ones with n = 1; good until the next put. */
struct import_slot *import_map_put(struct import_map *m, const struct import_key *key, bool *ret_new);
void import_map_release(struct import_map *m);
struct import_key import_key_of(const char *what, struct str a, struct str b);

/* ---- what a kind is like, to an import ---- */
struct import_shape {
    int name, title, id_number, phone, birth, relation, home; /* fields; -1: none */
    bool person;    /* found by its key or by likeness */
    bool event;     /* found by what it says */
    bool all_of_it; /* an event that never changes: every field is part of its id */
    bool residential; /* must have a place of its own: the top of the county is no answer */
};
struct import_shape import_shape(const struct kind *k);

/* ---- headings ---- */
enum import_to { TO_NONE, TO_FIELD, TO_ID, TO_AREA_CODE, TO_AREA, TO_DOOR, TO_HEAD, TO_REASON, TO_NUMBER, TO_DROPPED };
enum { RANK_NONE = -1, HEAD_ROWS = 20 };
struct import_heading {
    struct str text;
    enum import_to to;
    int field;   /* TO_FIELD */
    int rank;    /* TO_AREA: of its level; RANK_NONE: a name or chain of any */
    int score;   /* how sure: 0 not at all */
    const char *how;
};
struct import_head {
    struct import_heading *columns;
    size_t n;
    bool has_area;
};
struct import_line { /* a row kept: texts are in an arena */
    int64_t number;
    struct cell *cells;
    size_t count;
};
/* Chooses the heading row among the first lines: *ret_at, or -1 when letters in the map say it all. */
int import_head_find(struct arena *a, const struct kind *k, const struct import_options *o, const struct import_line *lines, size_t n,
                     struct import_head *ret, int *ret_at, struct err *e);
/* A required column must be there. */
int import_head_check(struct arena *a, const struct kind *k, const struct import_options *o, const struct import_head *h, bool placed, struct err *e);
const char *import_target_name(const struct kind *k, const struct import_heading *c); /* NULL: none */

/* ---- rows ---- */
enum import_outcome { ROW_TODO, ROW_IMPORTED, ROW_UPDATED, ROW_UNCHANGED, ROW_QUEUED, ROW_REFUSED };
struct import_part {
    struct str text;
    int rank;
};
enum { PARTS_MOST = 12 };
struct import_row {
    int64_t number;
    struct cell *cells; /* as many as columns */
    struct val *v;
    struct id id; /* nil: not said */
    struct str area_code, door, head;
    struct import_part *parts;
    size_t parts_n;
    struct import_key content, identity;
    int64_t occurrence; /* among rows of the file with the same identity, from 1 */
    bool malformed;     /* refused before it came to the writer */
    enum import_outcome outcome;
    struct errs *errs; /* ROW_REFUSED */
};
/* Values of the row's cells; what is wrong goes to row->errs and sets malformed.  False: nothing to import (a total, a note, an empty line). */
bool import_row_read(const struct check_env *env, const struct kind *k, const struct import_head *h, const struct import_line *heading,
                     const struct import_line *line, struct import_row *row);
struct err *import_row_refuse(struct arena *a, struct import_row *row); /* the next error to fill */
void import_row_digest(const struct kind *k, const struct import_shape *shape, const char *area, struct import_row *row);

/* ---- the file ---- */
enum { PAGE_ROWS = 2000 };
struct import_page {
    struct arena a;
    struct import_row *rows;
    size_t n;
    double fraction;
    bool broken; /* the file ends in an error behind these rows */
    struct err err;
};
struct import_reader {
    struct sheet *sheet;
    struct import_line *held; /* the first lines */
    size_t held_n, held_at;
    const struct import_line *heading; /* NULL: none */
    struct import_map keys, identities;
};

/* ---- places ---- */
struct place {
    struct id id;
    struct str path, code, name, loose;
    int rank;
    int32_t parent, same; /* same: the next with that loose name; -1 ends */
    bool has_units;
};
struct places {
    struct place *all;
    size_t n, cap;
    struct arena arena;
    struct import_map by_name, by_code, by_id;
    struct import_map by_parts; /* what rows named, once found */
};
int places_load(struct places *p, struct db *db, int64_t site, struct err *e);
void places_release(struct places *p);
void places_add(struct places *p, const struct area *x, int32_t parent);
const struct place *places_by_id(const struct places *p, struct id id);
const struct place *places_by_code(const struct places *p, struct str code);
const struct place *places_root(const struct places *p); /* NULL when there is not exactly one */

/* ---- the import ---- */
struct import {
    struct site *site;
    const struct kind *kind;
    const struct import_options *o;
    struct import_shape shape;
    struct import_head head;
    struct arena *a; /* the caller's */
    const char *path, *name; /* path NULL: bytes */
    struct str bytes;
    struct import_reader reader;
    enum sheet_format format;
    struct import_result *ret;
    struct sheet_out *refused;
    const char *refused_path;
    /* the writer's thread */
    int64_t seq; /* of the journal after the last page: another one means that others wrote */
    struct places places;
    struct id area;     /* of the options */
    struct id fallback; /* without one: the top of what the actor has, if that is one area */
    struct str top;
    struct import_map refs, homes;
    struct arena row_arena;
};
int import_open(struct import *im, struct err *e);  /* opens the file and finds its heading; again: from the beginning */
void import_close(struct import *im);
/* Fills the page; its n is 0 at the end of the file and where it is broken. */
void import_page_read(struct import *im, struct import_page *p);

/* A row under way in the writer. */
struct import_work {
    struct import *im;
    struct tx *tx;
    struct import_page *page;
    struct import_row *row;
    struct val *v;             /* the row's values, references resolved */
    const struct place *place; /* NULL: none said and none needed */
    bool place_said;           /* by the row itself */
    struct str door;
    bool new_home;             /* the household has to be made */
    struct str home_code;
    bool ahead;                /* import_match only tells what it will look up, and finds nothing */
};
/* 0, or 1: refused; -1: the transaction cannot go on. */
int import_page_run(struct import *im, struct tx *tx, struct import_page *p, struct err *e);
int import_place(struct import_work *w, struct err *e);
/* The area that a text names: code, id or chain of names. */
int import_place_text(struct import_work *w, struct str text, const char *field, const struct place **ret);
int import_refs(struct import_work *w, struct err *e);
int import_refs_foresee(struct import_work *w, struct err *e);
int import_home(struct import_work *w, struct err *e);      /* finds it or sets new_home */
/* Of the households in the row's own area, the one with that door, or without a door with that head: 1; 0 none; 2 several; -1. */
int import_home_known(struct import_work *w, struct str door, struct str head, struct id *ret, struct err *e);
int import_home_make(struct import_work *w, struct err *e);
void import_homes_note(struct import *im, struct id area, struct str door, struct str head, struct id id);

enum import_found { FOUND_NONE, FOUND_SAME, FOUND_ALIKE };
struct import_match {
    enum import_found found;
    struct record *rec;
    const char *reason; /* code of duplicate.reason */
    double likeness;
};
int import_match(struct import_work *w, struct import_match *ret, struct err *e);
/* Which fields the row says otherwise than the record does; *ret_area: it stands elsewhere. */
int import_differs(struct import_work *w, const struct record *rec, bool *given, bool *ret_any, bool *ret_area, struct err *e);
struct id import_made_id(const struct import *im, const char *what, struct str text);
int import_refuse(struct import_work *w, const struct err *e);                  /* 1, or -1 when it breaks the transaction */
#define import_refuse_with(w, field, ...) (err_set(import_row_refuse(&(w)->page->a, (w)->row), ERR_INVALID, (field), __VA_ARGS__), 1)
struct str import_han_name(struct arena *a, struct str s); /* no spaces between Han characters */

/* ---- what comes back ---- */
int import_report(struct import *im, const struct import_page *p, struct err *e); /* counts, problems, the file */
int import_report_end(struct import *im, struct err *e);

#endif
