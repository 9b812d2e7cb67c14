/* The public keys of the site's passes, kept for some seconds: so that the text of a card can be judged without the database. */
#ifndef PASSES_KNOWN_H
#define PASSES_KNOWN_H

#include "systems/passes/passes.h"

struct passes_known;
struct passes_known *passes_known_new(struct site *s);
void passes_known_free(struct passes_known *k); /* accepts NULL */
/* A card's text: *ret_number is filled when it is genuine, whatever else is to be said of it (that is for the records); empty otherwise, with the verdict.
 * From any thread.  RETRY when the keys would have to be read and `at_once` forbids it. */
int passes_known_read(struct passes_known *k, struct str text, bool at_once, enum pass_verdict *ret, char ret_number[PASS_NUMBER], struct err *e);

#endif
