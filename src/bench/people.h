/* Invented people: the region 990000 belongs to no county, so none of them can be somebody. */
#ifndef BENCH_PEOPLE_H
#define BENCH_PEOPLE_H

#include "base/base.h"

enum { INVENTED_NAME = 9, INVENTED_ID = 18, INVENTED_BIRTH = 10, INVENTED_PHONE = 11 }; /* bytes of each; always as many */
struct invented {
    char name[INVENTED_NAME + 1], id_number[INVENTED_ID + 1], birth[INVENTED_BIRTH + 1], phone[INVENTED_PHONE + 1];
    bool male;
};
/* Different n are different people up to 29,970,000. */
void invented_make(uint64_t n, struct invented *ret);

#endif
