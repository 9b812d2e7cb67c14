/* UTF-8 and the forms of characters that Chinese spreadsheets hold. */
#ifndef UTF8_H
#define UTF8_H

#include "buf.h"

/* The character at s[*at], moving *at behind it; -1 (and *at one on) for a malformed byte. */
int32_t utf8_next(struct str s, size_t *at);
bool utf8_valid(struct str s);
size_t utf8_length(struct str s);                /* characters; malformed bytes count one each */
struct str utf8_prefix(struct str s, size_t n);  /* the first n characters */
struct str utf8_fit(struct str s, size_t bytes); /* the longest whole-character prefix of at most that many bytes */
void utf8_add(struct buf *b, int32_t c);
bool utf8_is_han(int32_t c);
/* The plain form of a cell: full-width ASCII to ASCII, U+3000 and NBSP to space, zero-width characters and BOM away,
 * trimmed.  Returns the text itself where nothing changes. */
struct arena;
struct str utf8_plain(struct arena *a, struct str s);
/* The form to search and compare by: plain, ASCII lower case, inner white space removed. */
struct str utf8_fold(struct arena *a, struct str s);

#endif
