#include "base/day.h"
#include "unit.h"

TEST(every_day_of_the_calendar_splits_and_reads_back) {
    int year, month, day;
    day_t first = day_make(1800, 1, 1), last = day_make(9999, 12, 31), back;
    char text[DAY_TEXT];
    for (day_t d = first; d <= last; d += d < day_make(2100, 1, 1) ? 1 : 97) {
        day_split(d, &year, &month, &day);
        CHECK_INT(day_make(year, month, day), d);
        CHECK(day_from_iso(str_z(day_text(d, text)), &back) && back == d);
    }
    CHECK_INT(day_make(1970, 1, 1), 0);
    CHECK_INT(day_make(2020, 2, 9), 18301);
}

TEST(a_date_that_does_not_exist_is_none) {
    static const int none[][3] = {{2019, 2, 29}, {1900, 2, 29}, {2020, 4, 31}, {2020, 0, 1}, {2020, 13, 1}, {2020, 1, 0}, {2020, 1, 32},
                                  {1799, 12, 31}, {10000, 1, 1}, {2020, -1, 1}};
    for (size_t i = 0; i < COUNT(none); i++) CHECK_INT(day_make(none[i][0], none[i][1], none[i][2]), DAY_NONE);
    CHECK(day_make(2000, 2, 29) != DAY_NONE && day_make(2020, 2, 29) != DAY_NONE);
}

TEST(stored_dates_are_strictly_iso) {
    static const char *const bad[] = {"", "2020-2-9", "2020-02-9 ", "2020/02/09", "20200209", "2020-02-30", " 2020-02-9", "2020-02-09T", "2o20-02-09",
                                      "2020-+2-09"};
    day_t d;
    for (size_t i = 0; i < COUNT(bad); i++) CHECK(!day_from_iso(str_z(bad[i]), &d));
}

TEST(dates_are_read_as_people_write_them) {
    static const char *const same[] = {
        "2020-02-09", "2020-2-9", "2020/2/9", "2020/02/09", "2020.2.9", "20200209", "2020年2月9日", "2020年02月09日", "2020年2月9号",
        "２０２０年２月９日", "２０２０－０２－０９", " 2020-02-09　", "2020/2/9 23:00", "2020-02-09T23:00:05", "2020-02-09 23:00:05.123456",
        "2020年2月9日 23时05分", "2020年2月9日23时", "2020年2月9日8点30分", "20200209 7:05", "2020-02-09　23：00", "\u00a02020-02-09\u00a0",
    };
    for (size_t i = 0; i < COUNT(same); i++) {
        day_t d = 0;
        if (!day_parse(str_z(same[i]), &d)) unit_fail(__FILE__, __LINE__, "%s is refused", same[i]);
        CHECK_INT(d, 18301);
    }
    static const char *const bad[] = {
        "", "2020", "2020-02", "2020年2月", "2020年2月9", "2020-02/09", "2020-13-01", "2020-02-30", "9/2/2020", "20-2-9", "202029", "2020029",
        "202002091", "2020-02-09x", "2020-02-09 25:00", "2020-02-09 23:60", "2020-02-09 23:00 x", "2020-02-0923:00", "43870", "2020-02-09 23:00.5",
        "2020-02-09 23:00:", "2020年2月9日 23时05", "今天", "2020-02-09 23",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        day_t d = 7;
        if (day_parse(str_z(bad[i]), &d)) unit_fail(__FILE__, __LINE__, "%s is accepted", bad[i]);
        CHECK_INT(d, 7);
    }
    char longer[200];
    memset(longer, '0', sizeof longer);
    day_t d;
    CHECK(!day_parse((struct str){longer, sizeof longer}, &d));
    CHECK(!day_parse(STR("2020-02-09\0"), &d) && !day_parse(STR_NONE, &d));
}

TEST(only_zones_that_exist_open) {
    static const char *const none[] = {"", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Asia", "zone.tab", "tzdata.zi"};
    for (size_t i = 0; i < COUNT(none); i++) CHECK(!tz_open(none[i]));
    struct tz *tz = tz_open("Asia/Shanghai");
    CHECK(tz);
    tz_close(tz);
    tz_close(NULL);
}

#define CHECK_TIME(tz, text, want)                                                                                     \
    do {                                                                                                               \
        int64_t at_ = 7;                                                                                               \
        char out_[TIME_TEXT];                                                                                          \
        CHECK(tz_parse(tz, str_z(text), &at_));                                                                        \
        CHECK_STR(str_z(tz_text(tz, at_, out_)), want);                                                                \
    } while (0)

TEST(times_are_read_and_written_in_the_zone) {
    struct tz *tz = tz_open("Asia/Shanghai");
    static const char *const same[] = {
        "2020-02-09T23:00:00+08:00", "2020-02-09T15:00:00Z", "2020-02-09T10:00:00-05:00", "2020-02-09 23:00", "2020-02-09 23:00:00", "2020/2/9 23:00",
        "2020年2月9日 23时00分", "2020年2月9日23时", "2020-02-10T00:30:00+0930", "２０２０-2-9　２３：００",
    };
    for (size_t i = 0; i < COUNT(same); i++) CHECK_TIME(tz, same[i], "2020-02-09T23:00:00+08:00");
    CHECK_TIME(tz, "2020-02-09", "2020-02-09T00:00:00+08:00");
    CHECK_TIME(tz, "2020年2月9日 23时05分06秒", "2020-02-09T23:05:06+08:00");
    CHECK_TIME(tz, "2020-02-09 23:05:06.5", "2020-02-09T23:05:06.500000+08:00");
    CHECK_TIME(tz, "1969-12-31T23:59:59.999999Z", "1970-01-01T07:59:59.999999+08:00");
    CHECK_TIME(tz, "1850-06-01 12:00:43", "1850-06-01T12:00:00+08:05");
    int64_t at = 7;
    static const char *const bad[] = {"", "23:00", "2020-02-09 24:00", "2020-02-09T23:00:00+24:00", "2020-02-09T23:00:00+08:60", "2020-02-09T23:00:00+8",
                                      "2020-02-09T23:00:00ZZ", "2020-02-09T", "9999-12-31T23:59:59-08:00", "2020-02-30 10:00"};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (tz_parse(tz, str_z(bad[i]), &at)) unit_fail(__FILE__, __LINE__, "%s is accepted", bad[i]);
    CHECK_INT(at, 7);
    CHECK(tz_parse(tz, STR("2020-02-09T16:00:00Z"), &at));
    CHECK_INT(tz_day(tz, at), day_make(2020, 2, 10));
    CHECK_INT(tz_day(tz, at - 1), day_make(2020, 2, 9));
    CHECK_INT(tz_day(tz, -1), 0);
    CHECK_INT(tz_start(tz, day_make(2020, 2, 10), 0), at);
    CHECK_INT(tz_start(tz, day_make(2020, 2, 9), 86400), at);
    tz_close(tz);
}

TEST(days_of_a_zone_with_summer_time_have_23_or_25_hours) {
    struct tz *tz = tz_open("America/New_York");
    day_t spring = day_make(2020, 3, 8), autumn = day_make(2020, 11, 1);
    CHECK_INT(tz_start(tz, spring + 1, 0) - tz_start(tz, spring, 0), 23 * 3600 * US_PER_SECOND);
    CHECK_INT(tz_start(tz, autumn + 1, 0) - tz_start(tz, autumn, 0), 25 * 3600 * US_PER_SECOND);
    CHECK_TIME(tz, "2020-03-08 02:30", "2020-03-08T03:30:00-04:00");
    CHECK_TIME(tz, "2020-07-01 12:00", "2020-07-01T12:00:00-04:00");
    for (int64_t at = tz_start(tz, spring - 1, 0); at < tz_start(tz, spring + 2, 0); at += 1800 * US_PER_SECOND) {
        day_t d = tz_day(tz, at);
        CHECK(tz_start(tz, d, 0) <= at && at < tz_start(tz, d + 1, 0));
    }
    tz_close(tz);
}

TEST(a_day_whose_midnight_is_skipped_starts_later_on_the_same_day) {
    struct tz *tz = tz_open("America/Sao_Paulo");
    day_t d = day_make(2018, 11, 4);
    char text[TIME_TEXT];
    CHECK_STR(str_z(tz_text(tz, tz_start(tz, d, 0), text)), "2018-11-04T01:00:00-02:00");
    CHECK_INT(tz_day(tz, tz_start(tz, d, 0)), d);
    CHECK_INT(tz_day(tz, tz_start(tz, d, 0) - 1), d - 1);
    tz_close(tz);
}

TEST(no_day_of_the_zone_before_is_remembered) {
    int64_t at = (int64_t)18301 * US_PER_DAY - US_PER_SECOND;
    struct tz *tz = tz_open("UTC");
    CHECK_INT(tz_day(tz, at), 18300);
    tz_close(tz);
    tz = tz_open("Asia/Shanghai");
    CHECK_INT(tz_day(tz, at), 18301);
    tz_close(tz);
}

TEST(a_held_clock_stands_still) {
    struct clock held = {.fixed_us = 42}, real = {0};
    CHECK_INT(clock_now(&held), 42);
    CHECK(clock_now(&real) > INT64_C(1577836800000000));
    CHECK(monotonic_us() <= monotonic_us());
}
