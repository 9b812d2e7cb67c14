/* Record and command ids: UUIDv7 (RFC 9562), made by the program, 16 bytes, sorted by time. */
#ifndef ID_H
#define ID_H

#include "base.h"

struct id {
    uint8_t b[16];
};
#define ID_TEXT 37 /* bytes of the text form with its NUL */

struct id id_new(int64_t now_us);
bool id_parse(struct str s, struct id *ret); /* 8-4-4-4-12 hex digits, either case; any UUID version */
const char *id_text(struct id id, char out[ID_TEXT]);
bool id_is_nil(struct id id);
static inline bool id_eq(struct id a, struct id b) {
    return memcmp(a.b, b.b, 16) == 0;
}
static inline struct str id_bytes(const struct id *id) {
    return (struct str){(const char *)id->b, 16};
}

void random_bytes(void *p, size_t n);

#endif
