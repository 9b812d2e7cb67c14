#!/bin/bash
# Kills and stops a primary under load; its replica takes over.
#   tests/failover/run.sh [PROGRAM]
here=$(cd "$(dirname "$0")" && pwd)
LF_BIN=$(readlink -f "${1:-$here/../../build/release/lianfang}")
export LF_BIN
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
node --test --test-reporter=tap "$here/failover.test.mjs" >"$log"
status=$?
grep -vE "^# (pass|fail|cancelled) " "$log"
awk '/^# pass / { p = $3 } /^# (fail|cancelled) / { f += $3 } END { printf "%d passed, %d failed\n", p, f }' "$log"
exit $status
