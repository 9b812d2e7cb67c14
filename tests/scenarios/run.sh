#!/bin/sh
# Every scenario of this folder becomes a site, and each fact whose figure there is must come out of its bulletin.
#   tests/scenarios/run.sh [PROGRAM] [SCENARIO...]        SCENARIO without .json; all of them when none is given
set -u
program=${1:-build/release/lianfang}
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- $(cd "$here" && ls *.json | sed 's/\.json$//')
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
for name; do
    if ! "$program" demo "$work/$name" --scenario "$here/$name.json" --json --lang en >"$work/$name.out"; then
        echo "not ok $name: demo failed"
        failed=$((failed + 1))
        continue
    fi
    node "$here/check.mjs" "$program" "$work/$name" "$here/$name.json" "$work/$name.out" >"$work/$name.checked"
    cat "$work/$name.checked"
    passed=$((passed + $(grep -c '^ok ' "$work/$name.checked")))
    failed=$((failed + $(grep -c '^not ok ' "$work/$name.checked")))
    grep -q '^done$' "$work/$name.checked" || failed=$((failed + 1))
    if "$program" fsck "$work/$name" >"$work/$name.fsck" 2>&1; then
        passed=$((passed + 1))
    else
        cat "$work/$name.fsck"
        echo "not ok $name: fsck"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
