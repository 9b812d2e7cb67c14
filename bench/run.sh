#!/bin/bash
# bench/run.sh BUILD [QUICK]: every load of `lianfang bench` on both engines, one after the other within each load, so that what else the machine does
# meets both; build/bench.json holds all results.  What is measured and how: docs/bench.md.
set -eu
PROGRAM=$1/lianfang
if [ -n "${2:-}" ]; then
    SIZE="--seconds 1 --runs 1 --rows 5000 --passes 20000 --scans 20000"
else
    SIZE="--seconds 5 --runs 3 --rows 100000 --passes 200000 --scans 200000 --residents 10000"
fi
# shellcheck source=tools/pg.sh
. tools/pg.sh
unset LF_DB
mkdir -p build
D=$(mktemp -d build/bench.XXXXXX)
export TMPDIR=$PWD/$D
finish() {
    pg_stop "$D/postgres"
    rm -rf "$D"
}
trap finish EXIT
trap 'exit 130' INT TERM

# A server of its own, as durable as a file: fsync is on.  The rest is what a fresh installation has.
POSTGRES=
if pg_bin initdb > /dev/null; then
    POSTGRES=$(PG_DURABLE=1 PG_OPTIONS='shared_buffers = 256MB' pg_start "$D/postgres")
else
    pg_say "only SQLite is measured"
fi
# Each engine has one site, which the loads fill further.
measure() { # LOAD NAME [--db URL]
    # shellcheck disable=SC2086
    "$PROGRAM" bench "$1" $SIZE --keep "$D/$2" --out "$D/$2.$1.json" "${@:3}"
}
connections() { case $1 in scan) echo "--connections 1 --connections 64 --connections 256" ;; resident) echo "--connections 16" ;; esac; }

for load in scan scan-many roundtrip resident import dashboard history; do
    # shellcheck disable=SC2046
    measure $load sqlite $(connections $load)
    # shellcheck disable=SC2046
    [ -z "$POSTGRES" ] || measure $load postgresql --db "$POSTGRES" $(connections $load)
done
{ printf '{"runs":['; sep=; for f in "$D"/*.json; do printf '%s' "$sep"; cat "$f"; sep=,; done; printf ']}\n'; } > build/bench.json
echo "written to build/bench.json"
