/* One line per event on standard error: time level component message key=value...  The edge logs each failure once;
 * library code logs nothing above debug.  LF_TRACE=db,http turns components on. */
#ifndef LOG_H
#define LOG_H

#include "base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
void log_line(enum log_level level, const char *component, const char *fmt, ...) PRINTF(3, 4);
bool log_traced(const char *component);
void log_quiet(bool quiet); /* tests: warnings and errors only */
/* The operator's mistake: "lianfang: message" and a hint on standard error, then exit.  CLI and start-up only. */
void die(int exit_code, const char *fmt, ...) PRINTF(2, 3) NORETURN;

#endif
