/* Times and days.
 *
 * A time is int64 microseconds since 1970 UTC (`_at`).  A day is a count of days since 1970-01-01 in the site's time zone
 * (`_date`), written as ISO text at every edge and in the database.  The zone is an IANA name; tz_open reads the
 * system's zoneinfo.  A process has one zone at a time: the one opened last.  The clock is a pointer so that tests can hold it still. */
#ifndef DAY_H
#define DAY_H

#include "base.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_SECOND)

struct clock {
    int64_t fixed_us; /* 0: the real time */
};
int64_t clock_now(const struct clock *c);
int64_t monotonic_us(void);

typedef int32_t day_t;
#define DAY_NONE INT32_MIN
#define DAY_TEXT 11
#define TIME_TEXT 33

day_t day_make(int year, int month, int day); /* DAY_NONE if there is no such date */
void day_split(day_t d, int *year, int *month, int *day);
const char *day_text(day_t d, char out[DAY_TEXT]); /* "2020-02-09" */
/* Strict ISO, as stored: "2020-02-09". */
bool day_from_iso(struct str s, day_t *ret);
/* What people write: 2020-02-09 2020/2/9 2020.2.9 20200209 2020年2月9日 (full-width digits too), a trailing time of day is
 * ignored.  Excel serials are the sheet reader's business. */
bool day_parse(struct str s, day_t *ret);

struct tz;
struct tz *tz_open(const char *name); /* NULL when the zone is unknown; at start-up, before threads */
void tz_close(struct tz *tz);         /* accepts NULL */
day_t tz_day(const struct tz *tz, int64_t at);
/* The time of that local second; one that the zone skips is moved behind the gap. */
int64_t tz_start(const struct tz *tz, day_t d, int64_t second_of_day);
/* RFC 3339 with the zone's offset: "2020-02-09T23:00:00+08:00". */
const char *tz_text(const struct tz *tz, int64_t at, char out[TIME_TEXT]);
/* RFC 3339, or "2020-02-09 23:00[:05]", "2020/2/9 23:00", "2020年2月9日 23时05分" in the zone; a date alone is its midnight.
 * Years 1800 to 9999. */
bool tz_parse(const struct tz *tz, struct str s, int64_t *ret);

#endif
