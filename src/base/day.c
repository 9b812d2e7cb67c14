/* Days by the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms"); zones by libc. */
#include "day.h"

#include <time.h>

#include "utf8.h"

int64_t clock_now(const struct clock *c) {
    if (c->fixed_us) return c->fixed_us;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

int64_t monotonic_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

static day_t days_from_civil(int y, int m, int d) {
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400;
    int yoe = y - era * 400;
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void day_split(day_t z, int *year, int *month, int *day) {
    z += 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int doe = z - era * 146097;
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2);
}

day_t day_make(int year, int month, int day) {
    if (year < 1800 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return DAY_NONE;
    day_t d = days_from_civil(year, month, day);
    int y, m, back;
    day_split(d, &y, &m, &back);
    return m == month && back == day ? d : DAY_NONE;
}

static char *digits(char *to, int v, int n) {
    for (int i = n; i-- > 0; v /= 10) to[i] = (char)('0' + v % 10);
    return to + n;
}

const char *day_text(day_t d, char out[DAY_TEXT]) {
    int y, m, day;
    day_split(d, &y, &m, &day);
    char *p = digits(out, y, 4);
    *p++ = '-';
    p = digits(p, m, 2);
    *p++ = '-';
    p = digits(p, day, 2);
    *p = 0;
    return out;
}

/* Takes 1 to max digits off the front of *s; false if there is none. */
static bool take_number(struct str *s, size_t max, int *ret) {
    size_t n = 0;
    int v = 0;
    while (n < s->n && n < max && s->p[n] >= '0' && s->p[n] <= '9') v = v * 10 + (s->p[n++] - '0');
    if (n == 0) return false;
    *s = str_sub(*s, n, s->n);
    *ret = v;
    return true;
}

static bool take(struct str *s, const char *z) {
    struct str head = str_z(z);
    if (!str_starts(*s, head)) return false;
    *s = str_sub(*s, head.n, s->n);
    return true;
}

bool day_from_iso(struct str s, day_t *ret) {
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-') return false;
    int y, m, d;
    struct str ys = str_sub(s, 0, 4), ms = str_sub(s, 5, 7), ds = str_sub(s, 8, 10);
    if (!take_number(&ys, 4, &y) || !take_number(&ms, 2, &m) || !take_number(&ds, 2, &d) || ys.n || ms.n || ds.n)
        return false;
    day_t v = day_make(y, m, d);
    if (v == DAY_NONE) return false;
    *ret = v;
    return true;
}

/* Trimmed, full-width digits, signs and spaces to ASCII, in a small buffer; STR_NONE if it does not fit. */
static struct str narrow(struct str s, char *to, size_t cap) {
    size_t n = 0;
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        int32_t c = utf8_next(s, &at);
        if ((c >= 0xff01 && c <= 0xff5e) || c == 0x3000 || c == 0xa0) {
            to[n++] = c >= 0xff01 ? (char)(c - 0xfee0) : ' ';
        } else {
            if (n + (at - from) >= cap) return STR_NONE;
            memcpy(to + n, s.p + from, at - from);
            n += at - from;
        }
        if (n + 4 >= cap) return STR_NONE;
    }
    return str_trim((struct str){to, n});
}

/* Takes a date off the front of *s. */
static bool take_day(struct str *s, day_t *ret) {
    int y = 0, m = 0, d = 0;
    struct str all = *s;
    size_t run = 0;
    while (run < s->n && s->p[run] >= '0' && s->p[run] <= '9') run++;
    if (run == 8) {
        struct str part = str_sub(all, 0, 4);
        take_number(&part, 4, &y);
        part = str_sub(all, 4, 6);
        take_number(&part, 2, &m);
        part = str_sub(all, 6, 8);
        take_number(&part, 2, &d);
        *s = str_sub(all, 8, all.n);
    } else {
        if (run != 4 || !take_number(s, 4, &y)) return false;
        const char *sep = take(s, "-") ? "-" : take(s, "/") ? "/" : take(s, ".") ? "." : take(s, "年") ? "月" : NULL;
        if (!sep || !take_number(s, 2, &m) || !take(s, sep) || !take_number(s, 2, &d)) return false;
        if (sep[0] & 0x80 && !take(s, "日") && !take(s, "号")) return false;
    }
    day_t v = day_make(y, m, d);
    if (v == DAY_NONE) return false;
    *ret = v;
    return true;
}

static bool take_fraction(struct str *s, int64_t *ret_us) {
    int64_t unit = US_PER_SECOND, us = 0;
    size_t n = 0;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) us += (s->p[n] - '0') * (unit /= 10);
    if (n == 0) return false;
    *s = str_sub(*s, n, s->n);
    *ret_us = us;
    return true;
}

/* Takes "hh:mm[:ss[.frac]]" or "hh时mm分[ss秒]" off the front of *s, in microseconds of the day. */
static bool take_time(struct str *s, int64_t *ret) {
    int h, m = 0, sec = 0;
    int64_t us = 0;
    if (!take_number(s, 2, &h)) return false;
    if (take(s, "时") || take(s, "点")) {
        if (take_number(s, 2, &m) && !take(s, "分")) return false;
        if (take_number(s, 2, &sec) && !take(s, "秒")) return false;
    } else {
        if (!take(s, ":") || !take_number(s, 2, &m)) return false;
        bool seconds = take(s, ":");
        if (seconds && !take_number(s, 2, &sec)) return false;
        if (seconds && take(s, ".") && !take_fraction(s, &us)) return false;
    }
    if (h > 23 || m > 59 || sec > 59) return false;
    *ret = ((int64_t)h * 3600 + m * 60 + sec) * US_PER_SECOND + us;
    return true;
}

/* What stands between date and time; only a date in words may do without. */
static bool skip_gap(struct str *s, struct str all) {
    if (take(s, "T")) return true;
    size_t before = s->n;
    while (take(s, " ")) continue;
    return s->n < before || (uint8_t)all.p[all.n - before - 1] >= 0x80;
}

bool day_parse(struct str s, day_t *ret) {
    char plain[80];
    int64_t us;
    day_t d;
    struct str all = s = narrow(s, plain, sizeof plain);
    if (!take_day(&s, &d)) return false;
    if (s.n && (!skip_gap(&s, all) || !take_time(&s, &us) || s.n)) return false;
    *ret = d;
    return true;
}

struct tz {
    char name[64];
};

static bool is_zone_file(const char *path) {
    char magic[4] = "";
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    bool zone = fread(magic, 1, sizeof magic, f) == sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
    fclose(f);
    return zone;
}

static int zone_opened; /* how often, so that no cached day outlives its zone */

struct tz *tz_open(const char *name) {
    /* libc falls back to UTC without a word, so look for the zone first. */
    char path[128];
    if (!*name || strlen(name) >= sizeof((struct tz *)0)->name || strstr(name, "..") || name[0] == '/') return NULL;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    if (strcmp(name, "UTC") != 0 && !is_zone_file(path)) return NULL;
    struct tz *tz = calloc(1, sizeof *tz);
    INVARIANT(tz);
    snprintf(tz->name, sizeof tz->name, "%s", name);
    setenv("TZ", name, 1);
    tzset();
    zone_opened++;
    return tz;
}

void tz_close(struct tz *tz) {
    free(tz);
}

static void local(const struct tz *tz UNUSED, int64_t at, struct tm *ret) {
    time_t second = (time_t)(at / US_PER_SECOND - (at % US_PER_SECOND < 0));
    localtime_r(&second, ret);
}

day_t tz_day(const struct tz *tz, int64_t at) {
    static __thread int64_t from, to; /* the last day asked for; to is exclusive */
    static __thread day_t day;
    static __thread int zone;
    if (at >= from && at < to && zone == zone_opened) return day;
    zone = zone_opened;
    struct tm tm;
    local(tz, at, &tm);
    day = days_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    from = tz_start(tz, day, 0);
    to = tz_start(tz, day + 1, 0);
    return day;
}

int64_t tz_start(const struct tz *tz UNUSED, day_t d, int64_t second_of_day) {
    int y, m, day;
    day_split(d, &y, &m, &day);
    struct tm tm = {.tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = day, .tm_isdst = -1};
    tm.tm_hour = (int)(second_of_day / 3600);
    tm.tm_min = (int)(second_of_day / 60 % 60);
    tm.tm_sec = (int)(second_of_day % 60);
    time_t at = mktime(&tm);
    /* Where the zone skips midnight libc may answer on the day before. */
    int64_t late = ((int64_t)d - days_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday)) * 86400 +
                   second_of_day - (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
    return ((int64_t)at + (late > 0 ? late : 0)) * US_PER_SECOND;
}

const char *tz_text(const struct tz *tz, int64_t at, char out[TIME_TEXT]) {
    struct tm tm;
    local(tz, at, &tm);
    /* Offsets of old local mean times hold seconds, which RFC 3339 cannot say: shown by the minute below. */
    int64_t off = tm.tm_gmtoff / 60, gap = off < 0 ? -off : off, shown = at + off * 60 * US_PER_SECOND;
    day_t d = (day_t)(shown / US_PER_DAY - (shown % US_PER_DAY < 0));
    int64_t us = shown - (int64_t)d * US_PER_DAY;
    unsigned sec = (unsigned)(us / US_PER_SECOND);
    char day[DAY_TEXT], frac[8] = "";
    us %= US_PER_SECOND;
    if (us) snprintf(frac, sizeof frac, ".%06u", (unsigned)us % 1000000u);
    snprintf(out, TIME_TEXT, "%.10sT%02u:%02u:%02u%s%c%02u:%02u", day_text(d, day), sec / 3600 % 24, sec / 60 % 60,
             sec % 60, frac, off < 0 ? '-' : '+', (unsigned)(gap / 60) % 100u, (unsigned)(gap % 60));
    return out;
}

bool tz_parse(const struct tz *tz, struct str s, int64_t *ret) {
    char plain[80];
    day_t d;
    int64_t us = 0, at;
    struct str all = s = narrow(s, plain, sizeof plain);
    if (!take_day(&s, &d)) return false;
    if (s.n && (!skip_gap(&s, all) || !take_time(&s, &us))) return false;
    if (s.n == 0) {
        at = tz_start(tz, d, us / US_PER_SECOND) + us % US_PER_SECOND;
    } else {
        int h = 0, m = 0, sign = take(&s, "+") ? 1 : take(&s, "-") ? -1 : 0;
        if (sign == 0 ? !take(&s, "Z") : !take_number(&s, 2, &h) || (take(&s, ":"), !take_number(&s, 2, &m)))
            return false;
        if (s.n || h > 23 || m > 59) return false;
        at = (int64_t)d * US_PER_DAY + us - sign * (int64_t)(h * 60 + m) * 60 * US_PER_SECOND;
        day_t here = tz_day(tz, at); /* the year may be another in the zone */
        if (here < day_make(1800, 1, 1) || here > day_make(9999, 12, 31)) return false;
    }
    *ret = at;
    return true;
}
