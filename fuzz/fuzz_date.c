/* A date or time that is read is printed and reads back as itself, in zones with and without summer time. */
#include "base/day.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_day(struct str s) {
    day_t d, back;
    char text[DAY_TEXT];
    int year, month, day;
    if (!day_parse(s, &d)) return;
    day_split(d, &year, &month, &day);
    INVARIANT(day_make(year, month, day) == d);
    INVARIANT(day_from_iso(str_z(day_text(d, text)), &back) && back == d);
    INVARIANT(day_parse(str_z(text), &back) && back == d);
}

static void check_time(const struct tz *tz, struct str s) {
    int64_t at, back;
    char text[TIME_TEXT];
    if (!tz_parse(tz, s, &at)) return;
    day_t d = tz_day(tz, at);
    INVARIANT(tz_start(tz, d, 0) <= at && at < tz_start(tz, d + 1, 0));
    if (d == day_make(1800, 1, 1)) return; /* the rounded offset of a local mean time may show the year before */
    INVARIANT(tz_parse(tz, str_z(tz_text(tz, at, text)), &back) && back == at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const zones[] = {"Asia/Shanghai", "America/New_York", "America/Sao_Paulo"};
    static const struct tz *tz;
    static size_t zone;
    if (size == 0) return 0;
    struct str s = {(const char *)data + 1, size - 1};
    if (!tz || zone != data[0] % COUNT(zones)) {
        zone = data[0] % COUNT(zones);
        tz_close((struct tz *)(uintptr_t)tz);
        tz = tz_open(zones[zone]);
        INVARIANT(tz);
    }
    check_day(s);
    check_time(tz, s);
    return 0;
}
