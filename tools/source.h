/* C source as the tools of this repository see it: the text, and the same text with comments and the insides of
 * literals blanked, so that a search for code does not find words.  A list of string literals, adjacent ones joined. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const char *path;
    char *text, *bare; /* NUL-terminated, n bytes each; new lines are in the same places */
    size_t n;
};
bool source_read(const char *path, struct source *ret); /* false when it cannot be read or holds a NUL byte (binary) */
void source_blank(struct source *s);                    /* fills bare; C files only */
void source_free(struct source *s);

struct literal {
    char *value;  /* unescaped, NUL-terminated */
    size_t n, at; /* where the first piece starts in the text */
};
/* The next joined literal from *at on; false at the end.  value is malloc'ed. */
bool source_literal(const struct source *s, size_t *at, struct literal *ret);

/* Line number of an offset; rises from call to call cheaply when the offsets rise. */
struct line_counter {
    size_t at;
    int line;
};
int source_line(const struct source *s, struct line_counter *c, size_t at);

#endif
