#!/bin/bash
# Mixed load with kill -9 and restart again and again, on SQLite and, with LF_TEST_DB=postgres://..., on PostgreSQL.
#   tests/soak/run.sh [SECONDS [KILL_EVERY]]       for each engine; 8 and 2 when nothing is said
here=$(cd "$(dirname "$0")" && pwd)
status=0
node "$here/soak.mjs" "${1:-8}" "${2:-2}" || status=1
[ -z "${LF_TEST_DB:-}" ] || LF_DB=$LF_TEST_DB node "$here/soak.mjs" "${1:-8}" "${2:-2}" || status=1
exit $status
