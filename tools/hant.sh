#!/bin/sh
# Prints the C source of hant_table (src/base/lang.h): the Traditional form of every Chinese literal under src/.
set -eu
cd "$(dirname "$0")/.."
command -v opencc >/dev/null || {
    echo "hant.sh: opencc is missing; install the package opencc (apt-get install opencc)" >&2
    exit 1
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
make -s build/tools/hant >&2
find src -name '*.[ch]' -o -name '*.inc' | LC_ALL=C sort | xargs build/tools/hant list >"$tmp/hans"
opencc -c s2tw -i "$tmp/hans" -o "$tmp/hant"
build/tools/hant table "$tmp/hans" "$tmp/hant"
