/* Names and numbers of people: pinyin, likeness, identity numbers, phones, plates.  On ICU; thread-safe after text_init. */
#ifndef TEXT_H
#define TEXT_H

#include "base/arena.h"
#include "base/day.h"

int text_init(void); /* loads the transliterator and fills the table of readings; 0 or -1 */
void text_end(void);

/* Pinyin without tones, lower case, no spaces: 张三 -> "zhangsan"; first letters: "zs".  Common surname readings are right
 * (单 shan, 曾 zeng, 解 xie, 仇 qiu, 朴 piao, 区 ou, 查 zha, 尉迟 yuchi ...) when `name` is true.  Other letters are folded and kept. */
struct str text_pinyin(struct arena *a, struct str s, bool name);
struct str text_initials(struct arena *a, struct str s, bool name);

/* Likeness in 0..1, over characters.  Jaro-Winkler: Winkler 1990 (prefix scale 0.1, at most 4), as R's RecordLinkage::jarowinkler.
 * Levenshtein: 1 - distance / longer length, as RecordLinkage::levenshteinSim. */
double text_jaro_winkler(struct str a, struct str b);
double text_levenshtein(struct str a, struct str b);
size_t text_edit_distance(struct str a, struct str b); /* in characters */

/* GB 11643-1999: 17 digits and a check digit (ISO 7064 MOD 11-2), a real birth date not before 1850.  x is read as X.  On true
 * *ret_birth and *ret_male are set when not NULL. */
bool text_id_number(struct str s, day_t *ret_birth, bool *ret_male);
/* Digits of a phone number: spaces, hyphens, brackets and a leading +86 / 0086 / 86 before a mobile number taken away; 5 to 20 digits. */
bool text_phone(struct arena *a, struct str s, struct str *ret);
/* Chinese plates (province sign, letter, 5 characters; 6 for new energy; 警 学 挂 港 澳 使 领 endings), upper-cased, inner dots
 * and spaces removed. */
bool text_plate(struct arena *a, struct str s, struct str *ret);
/* Shown instead of the value: identity number "142401********1234"-like (first 6, last 4), phone "138****5678", name "张*"/"欧**",
 * any other text: first character and stars. */
struct str text_mask_id_number(struct arena *a, struct str s);
struct str text_mask_phone(struct arena *a, struct str s);
struct str text_mask_name(struct arena *a, struct str s);
struct str text_mask_other(struct arena *a, struct str s);

#endif
