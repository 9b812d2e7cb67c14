#!/bin/sh
# Layers, banned functions, SQL outside the registries, sizes, words that do not belong here (tools/lint.c, tools/layers.c).
set -u
cd "$(dirname "$0")/.."
make -s build/tools/lint build/tools/layers >&2 || exit 2
ok=0
find src -name '*.[ch]' -o -name '*.inc' | LC_ALL=C sort | xargs build/tools/layers || ok=1
git ls-files -z --cached --others --exclude-standard | LC_ALL=C sort -z | xargs -0 build/tools/lint || ok=1
exit $ok
