/* Invented people and places, from a seed: the same seed gives the same ones.
 *
 * Names are made of common surnames (weighted about as in life) and common given names.  Nothing made here can belong to anybody: the
 * region 990000 of the identity numbers does not exist, and no plate has the letter Z behind its province. */
#ifndef DEMO_NAMES_H
#define DEMO_NAMES_H

#include "base/arena.h"
#include "base/day.h"

/* ---- chance ---- */
struct chance {
    uint64_t state;
};
struct chance chance_of(uint64_t seed);
uint64_t chance_next(struct chance *c);
uint32_t chance_below(struct chance *c, uint32_t n);     /* 0 .. n-1; n > 0 */
int chance_between(struct chance *c, int low, int high); /* both included */
bool chance_hit(struct chance *c, int per_mille);
/* An index of the weights, each as often as its weight says; their sum is not 0. */
size_t chance_weighted(struct chance *c, const uint16_t *weights, size_t n);

/* ---- people ---- */
enum { NAMES_BIRTH_DAYS = 46000 };
struct names {
    struct chance chance;
    uint32_t phones;                            /* handed out */
    uint16_t born[NAMES_BIRTH_DAYS][2];         /* identity numbers handed out, by day since 1900 and sex */
};
struct person {
    struct str name;
    bool male;
    day_t birth;
    struct str id_number, phone;
};
enum { SURNAME_ANY = -1 };
int names_surname(struct names *n);
int names_surname_of(struct str name); /* SURNAME_ANY when it has none of ours */
/* A person born on that day; texts in the arena. */
struct person names_person(struct names *n, struct arena *a, int surname, bool male, day_t birth);
/* A grown-up of any age up to 60 on that day. */
struct person names_adult(struct names *n, struct arena *a, day_t on);
struct str names_plate(struct names *n, struct arena *a);
/* Where a traveller comes from: a province. */
struct str names_origin(struct names *n);

/* ---- places: the i-th name of a level; buildings are numbered by their quarter ---- */
struct str names_place(struct arena *a, const char *level, size_t i);

#endif
