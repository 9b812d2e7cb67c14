/* Names and numbers of people: pinyin, likeness, identity numbers, phones, plates.  Depends on base and on ICU's character
 * data; the Han readings are ICU's too, but kept in readings.def because its transliterator takes most of a second to load.
 * Thread-safe after text_init.  Texts are taken as they are: callers hand in utf8_plain() where cells are read. */
#ifndef TEXT_H
#define TEXT_H

#include "base/arena.h"
#include "base/day.h"

int text_init(void); /* fills the tables of readings, about a millisecond; 0 or -1; once more does nothing */
void text_end(void);

/* Pinyin without tones, lower case, no spaces: 张三 -> "zhangsan"; first letters: "zs".  Common surname readings are right
 * (单 shan, 曾 zeng, 解 xie, 仇 qiu, 朴 piao, 区 ou, 查 zha, 尉迟 yuchi ...) when `name` is true.  ü is "v" (吕 lv).  Other letters and
 * digits are folded (lower case, ASCII width, no accents) and kept; spaces and signs are left out, so that 买买提·艾力 is found
 * however its dot was written.  Initials have the first letter of each Han character and of each other word, and every digit
 * (幸福路12号B座 "xfl12hbz").  What has no reading stands for itself; malformed bytes are left out.  The result is in the arena. */
struct str text_pinyin(struct arena *a, struct str s, bool name);
struct str text_initials(struct arena *a, struct str s, bool name);

/* Likeness in 0..1, over the first TEXT_LIKENESS_MAX characters; symmetric; 1 for two equal texts, two empty ones included.
 * Jaro-Winkler: Winkler 1990 (prefix scale 0.1, at most 4), as R's RecordLinkage::jarowinkler.
 * Levenshtein: 1 - distance / longer length, as RecordLinkage::levenshteinSim. */
double text_jaro_winkler(struct str a, struct str b);
double text_levenshtein(struct str a, struct str b);
size_t text_edit_distance(struct str a, struct str b); /* in characters */
enum { TEXT_LIKENESS_MAX = 256 };

/* GB 11643-1999: 17 digits and a check digit (ISO 7064 MOD 11-2), a real birth date not before 1850.  x is read as X.  On true
 * *ret_birth and *ret_male are set when not NULL. */
bool text_id_number(struct str s, day_t *ret_birth, bool *ret_male);
/* Digits of a phone number: spaces, hyphens, dots, brackets and a leading +86 / 0086 / 86 before a mobile number taken away;
 * full-width forms are read; 5 to 20 digits are left.  *ret is in the arena, and untouched on false. */
bool text_phone(struct arena *a, struct str s, struct str *ret);
/* Chinese plates (province sign, letter, 5 characters without I and O; 6 for new energy; 警 学 挂 港 澳 使 领 endings; embassies
 * 使 and 6 digits, the sign first or last), upper-cased, inner dots, hyphens and spaces removed.  As text_phone. */
bool text_plate(struct arena *a, struct str s, struct str *ret);
/* Shown instead of the value: identity number "142401********1234"-like (first 6, last 4), phone "138****5678", name "张*"/"欧**",
 * any other text: its first character and three stars.  A value too short for its form is hidden further (a phone of 7 to 10
 * shows its last 3, any shorter one and a name of one character nothing).  Always valid UTF-8, in the arena; "" stays "". */
struct str text_mask_id_number(struct arena *a, struct str s);
struct str text_mask_phone(struct arena *a, struct str s);
struct str text_mask_name(struct arena *a, struct str s);
struct str text_mask_other(struct arena *a, struct str s);

#endif
