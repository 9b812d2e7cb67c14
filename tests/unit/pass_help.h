/* A county, its keys, its passes and a gate, the same in every run. */
#ifndef PASS_HELP_H
#define PASS_HELP_H

#include "pass/pass_internal.h"
#include "unit.h"

#define SECONDS(s) (INT64_C(s) * US_PER_SECOND)
#define NOW SECONDS(1581739200) /* 2020-02-15 12:00 in China */

enum { KEY_NOW, KEY_NEXT, KEY_NEIGHBOUR, KEYS, KEY_STRANGER = KEYS, KEYS_ALL };
enum { LIST_REVOKED, LIST_STAY_HOME, LISTS };
struct county {
    struct arena a;
    struct pass_key keys[KEYS_ALL]; /* that of the stranger is in no set */
    struct pass_public set[KEYS];
    struct str chain[3];
    struct pass_list full[LISTS];
    const struct pass_list *lists[LISTS];
    struct pass_gate gate;
};
void county_open(struct county *c); /* its gate knows the keys and both lists */
void county_close(struct county *c);
struct id pass_id(unsigned n); /* ids 100 ... 199 are revoked, 200 ... 299 are to stay at home */
struct pass_claims claims_of(unsigned id); /* of a household of the community of the gate, valid now */
struct str text_of(struct county *c, int key, const struct pass_claims *p);
struct str token_of(struct county *c, int key, struct str payload); /* signed as a pass */
struct str text_of_token(struct county *c, struct str token);
struct str payload_of(struct county *c, const struct pass_claims *p); /* unchecked */
struct str file_of(struct county *c, int key, const struct pass_list *l);
/* At `at`, `cut` bytes are taken away and those of `hex` put there; at < 0 counts from the end. */
struct str edited(struct county *c, struct str bytes, int at, size_t cut, const char *hex);
struct str hex_of(struct arena *a, struct str bytes);
struct str from_hex(struct arena *a, struct str hex);
const char *verdict_of(struct county *c, struct str text); /* its name */

#endif
