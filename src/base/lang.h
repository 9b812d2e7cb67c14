/* The three languages of the product and texts in them.
 *
 * Texts are written in zh-Hans and en; zh-Hant is made at build time by OpenCC from every Chinese literal under src/
 * (tools/hant.sh writes build/gen/hant.c), so a text need not be a constant of this file to be found. */
#ifndef LANG_H
#define LANG_H

#include "base.h"

enum lang { LANG_ZH_HANS, LANG_ZH_HANT, LANG_EN, LANG__COUNT };
struct label {
    const char *zh, *en;
};

const char *lang_tag(enum lang lang); /* "zh-Hans", "zh-Hant", "en" */
bool lang_from(struct str tag, enum lang *ret);
/* The best of an Accept-Language header; zh-Hans when it names none of ours. */
enum lang lang_accept(struct str header);
const char *label_in(struct label l, enum lang lang);
/* The Traditional form of a literal of this program; the text itself when it holds nothing to change. */
const char *lang_hant(const char *hans);

struct hant_entry {
    const char *hans, *hant;
};
extern const struct hant_entry hant_table[]; /* sorted by hans, byte order */
extern const size_t hant_count;

#endif
