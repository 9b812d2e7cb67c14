/* What a field takes, as interfaces describe it. */
#ifndef API_FIELDS_H
#define API_FIELDS_H

#include "core/kind.h"

bool field_is_number(const struct field *f);
/* 0: not a text, or its form is bounded otherwise. */
int field_most_characters(const struct field *f);
/* "create" "read" "update" "remove" "open": rows of a log only come, and only sealed values are opened. */
bool kind_takes(const struct kind *k, const char *verb);
const char *english_plural(struct arena *a, const char *label);

#endif
