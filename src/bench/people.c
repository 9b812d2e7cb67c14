#include "bench/people.h"

#include "base/day.h"

static const char *const surnames[] = {"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林"};
static const char *const given[] = {"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明"};

enum { DAYS = 30000, ORDERS = 999 };

void invented_make(uint64_t n, struct invented *ret) {
    static const int weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    /* Neighbours in a roster were not born on one day. */
    int order = (int)(n / DAYS % ORDERS) + 1, y, m, d, sum = 0;
    day_t birth = day_make(1930, 1, 1) + (day_t)(n * 7919 % DAYS);
    day_split(birth, &y, &m, &d);
    day_text(birth, ret->birth);
    ret->male = order & 1;
    snprintf(ret->name, sizeof ret->name, "%s%s%s", surnames[n % 16], given[n / 16 % 16], given[n * 31 / 256 % 16]);
    snprintf(ret->id_number, sizeof ret->id_number, "990000%04u%02u%02u%03u", (unsigned)y % 10000u, (unsigned)m % 100u, (unsigned)d % 100u,
             (unsigned)order % 1000u);
    for (int i = 0; i < 17; i++) sum += (ret->id_number[i] - '0') * weights[i];
    ret->id_number[17] = "10X98765432"[sum % 11];
    ret->id_number[18] = 0;
    snprintf(ret->phone, sizeof ret->phone, "199%08u", (unsigned)(n % 100000000u));
}
