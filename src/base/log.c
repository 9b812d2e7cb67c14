#include "log.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "day.h"

static bool quiet;

void log_quiet(bool q) {
    quiet = q;
}

void log_line(enum log_level level, const char *component, const char *fmt, ...) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (quiet && level < LOG_WARN) return;
    int64_t now = clock_now(&(struct clock){0});
    time_t second = (time_t)(now / US_PER_SECOND);
    struct tm tm;
    gmtime_r(&second, &tm);
    char line[1024], when[32];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    int n = snprintf(line, sizeof line, "%s.%03dZ %s %s ", when, (int)(now / 1000 % 1000), names[level], component);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    va_end(ap);
    size_t len = MIN((size_t)n + (size_t)MAX(m, 0), sizeof line - 2);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)line[i] < ' ') line[i] = ' ';
    line[len] = '\n';
    if (write(STDERR_FILENO, line, len + 1) < 0) return; /* nobody is left to tell */
}

bool log_traced(const char *component) {
    struct str rest = str_z(getenv("LF_TRACE")), part;
    while (str_cut(&rest, ',', &part))
        if (str_eqz(part, component)) return true;
    return false;
}

void die(int exit_code, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("lianfang: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(exit_code);
}
