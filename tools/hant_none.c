/* An empty table of Traditional texts for tests of one module (see src/base/lang.h). */
#include "base/lang.h"

const struct hant_entry hant_table[] = {{"", ""}};
const size_t hant_count = 0;
