/* An id that is read is printed in one form, which differs from the input in case alone; any 16 bytes read back. */
#include "base/id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str s = {(const char *)data, size};
    struct id id, back;
    char text[ID_TEXT];
    if (id_parse(s, &id)) {
        INVARIANT(str_ieq(str_z(id_text(id, text)), s));
        INVARIANT(id_parse(str_z(text), &back) && id_eq(id, back));
    }
    if (size >= 16) {
        memcpy(id.b, data, 16);
        INVARIANT(id_parse(str_z(id_text(id, text)), &back) && id_eq(id, back) && id_is_nil(id) == id_is_nil(back));
    }
    return 0;
}
