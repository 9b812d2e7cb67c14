#!/bin/bash
# bench/run.sh BUILD [QUICK]: every load on both engines, each beside its limit in the same run; prints a table and writes build/bench.json.
# What is measured and how: docs/bench.md.
set -eu
B=$1
QUICK=${2:-}
if [ -n "$QUICK" ]; then
    RUNS=1 SECONDS_EACH=2 ROWS=20000 SIZES="10000 50000" CONNECTIONS="1 64"
else
    RUNS=3 SECONDS_EACH=5 ROWS=100000 SIZES="10000 1000000" CONNECTIONS="1 16 64"
fi
# shellcheck source=tools/pg.sh
. tools/pg.sh
unset LF_DB
declare -A SERVER=() PORT=() TOKEN=()
BARE='' ENGINES=sqlite POSTGRES=''
mkdir -p build
D=$(mktemp -d build/bench.XXXXXX)
OUT=$D/results
: > "$OUT"

finish() {
    for pid in "${SERVER[@]}" $BARE; do kill "$pid" 2>/dev/null || true; done
    exec 9>&-
    wait
    pg_stop "$D/postgres"
    rm -rf "$D"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '%4d s  %s\n' "$SECONDS" "$*" >&2; }
value() { awk -v n="$2" '$1 == n { print $2 }' "$1"; }
# Tab-separated: section, load, connections or size, engine, then name=value pairs.
result() { printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" >> "$OUT"; }

# ---- the engines ----

# A server of its own, as durable as a file: fsync is on.  The rest is what a fresh installation has.
postgres_start() {
    pg_bin initdb > /dev/null || { say "only SQLite is measured"; return 0; }
    POSTGRES=$(PG_DURABLE=1 PG_OPTIONS='shared_buffers = 256MB' pg_start "$D/postgres")
    BENCH_SERVER=$(head -1 "$D/postgres/data/postmaster.pid")
    export BENCH_SERVER
    ENGINES="sqlite postgresql"
}
# Makes $D/ENGINE with bench-world's arguments; its token in TOKEN.
world() { # ENGINE HOUSEHOLDS [RESIDENTS]
    local engine=$1 db=
    shift
    if [ "$engine" = postgresql ]; then
        "$(pg_bin psql)" -qX -d "$POSTGRES" -c 'CREATE DATABASE bench'
        db=${POSTGRES%/*}/bench
    fi
    TOKEN[$engine]=$(LF_DB=$db "$B/bench-world" "$D/$engine" "$@")
}
# The site is gone afterwards, and what the server put off is done.
world_end() { # ENGINE
    rm -rf "${D:?}/$1"
    [ "$1" != postgresql ] || "$(pg_bin psql)" -qX -d "$POSTGRES" -c 'DROP DATABASE bench WITH (FORCE)' -c CHECKPOINT
}
raw() { # ENGINE KIND GROUP [copy]
    local program=bench-raw engine=$1
    [ "$engine" = sqlite ] || program=bench-rawpg
    shift
    "$B/$program" "$D/$engine" "$@"
}
each_engine() { # FUNCTION ...
    local engine
    for engine in $ENGINES; do "$1" "$engine" "${@:2}"; done
}

# ---- servers ----

serve() { # ENGINE
    local port='' tries=0
    : > "$D/serve.out"
    "$B/lianfang" serve "$D/$1" --port 0 > "$D/serve.out" 2> "$D/serve.err" &
    SERVER[$1]=$!
    while [ -z "$port" ]; do
        sleep 0.1
        port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$D/serve.out")
        tries=$((tries + 1))
        if [ $tries -gt 300 ] || ! kill -0 "${SERVER[$1]}" 2>/dev/null; then say "the server does not start: $(cat "$D/serve.err")"; exit 1; fi
    done
    PORT[$1]=$port
}
serve_end() { # ENGINE
    kill "${SERVER[$1]}"
    wait "${SERVER[$1]}" || true
    unset "SERVER[$1]"
}
# The bare server with answers of $1 bytes; its port in $BARE_PORT.
bare() {
    [ -p "$D/hold" ] || mkfifo "$D/hold"
    rm -f "$D/bare.out"
    "$B/bench-bare" "$1" < "$D/hold" > "$D/bare.out" &
    BARE=$!
    exec 9> "$D/hold"
    until [ -s "$D/bare.out" ]; do sleep 0.1; done
    BARE_PORT=$(cat "$D/bare.out")
}
bare_end() {
    exec 9>&-
    wait "$BARE" || true
    BARE=
}

# ---- commands ----

# The run whose rate is the median of $D/run.1 ...
median() {
    for i in $(seq $RUNS); do printf '%s %s\n' "$(value "$D/run.$i" per_second)" "$i"; done | sort -n | awk '{ at[NR] = $2 } END { print at[int((NR + 1) / 2)] }'
}
rounded() { awk -v v="$1" 'BEGIN { printf "%d", v + 0.5 }'; }
writer_count() { "$B/bench-load" show "${PORT[$1]}" "${TOKEN[$1]}" /metrics | awk -v n="lianfang_writer_$2_total" '$1 == n { print $2 }'; }

commands() { # ENGINE KIND CONNECTIONS
    local engine=$1 commits items r group
    say "  $2, $3 connections, $engine"
    for i in $(seq $RUNS); do
        commits=$(writer_count "$engine" commits) items=$(writer_count "$engine" commands)
        "$B/bench-load" post "${PORT[$engine]}" "${TOKEN[$engine]}" "$D/$engine" "$2" "$3" $SECONDS_EACH > "$D/run.$i"
        awk -v c="$commits" -v i="$items" -v c2="$(writer_count "$engine" commits)" -v i2="$(writer_count "$engine" commands)" \
            'BEGIN { printf "group\t%.1f\n", (i2 - i) / (c2 - c) }' >> "$D/run.$i"
    done
    r=$D/run.$(median)
    group=$(value "$r" group)
    raw "$engine" "$2" "$(rounded "$group")" > "$D/raw.run"
    result commands "$2" "$3" "$engine" "per_second=$(value "$r" per_second) p50_us=$(value "$r" p50_us) p99_us=$(value "$r" p99_us) group=$group bare_per_second=$(value "$D/bare.run" per_second) raw_per_second=$(value "$D/raw.run" per_second)"
}
commands_beside_bare() { # KIND CONNECTIONS
    bare 100
    "$B/bench-load" post "$BARE_PORT" x "$D/sqlite" "$1" "$2" 2 > "$D/bare.run"
    bare_end
    each_engine commands "$1" "$2"
}
# The same without HTTP: what a command costs in the writer.
without_http() { # ENGINE KIND
    say "  $2 without HTTP, $1"
    "$B/bench-core" "$D/$1" "$2" 64 $SECONDS_EACH > "$D/core.run"
    raw "$1" "$2" "$(rounded "$(value "$D/core.run" group)")" > "$D/raw.run"
    result writer "$2" 64 "$1" "per_second=$(value "$D/core.run" per_second) group=$(value "$D/core.run" group) cpu_us=$(value "$D/core.run" writer_cpu_us) server_cpu_us=$(value "$D/core.run" server_cpu_us) raw_per_second=$(value "$D/raw.run" per_second) raw_cpu_us=$(value "$D/raw.run" cpu_us) raw_server_cpu_us=$(value "$D/raw.run" server_cpu_us)"
}

# ---- import ----

now() { date +%s%N; }
import_once() { # ENGINE WANTED
    "$B/lianfang" import "$D/$1" resident "$D/roster.xlsx" --json > "$D/import.json"
    grep -q "\"$2\":$ROWS," "$D/import.json" || { say "not all were $2: $(cat "$D/import.json")"; exit 1; }
}
import_roster() { # ENGINE
    local began us again copy=0
    say "import of $ROWS residents, $1"
    world "$1" $((ROWS / 3)) > /dev/null
    began=$(now)
    import_once "$1" imported
    us=$((($(now) - began) / 1000))
    began=$(now)
    import_once "$1" unchanged
    again=$((($(now) - began) / 1000))
    raw "$1" resident 1000 > "$D/raw.run"
    if [ "$1" = postgresql ]; then
        raw "$1" resident 1000 copy > "$D/copy.run"
        copy=$(value "$D/copy.run" per_second)
    fi
    result import resident "$ROWS" "$1" "seconds=$(awk -v u=$us 'BEGIN { printf "%.1f", u / 1e6 }') per_second=$(awk -v n="$ROWS" -v u=$us 'BEGIN { printf "%.1f", n * 1e6 / u }') again_seconds=$(awk -v u=$again 'BEGIN { printf "%.1f", u / 1e6 }') raw_per_second=$(value "$D/raw.run" per_second) copy_per_second=$copy"
    world_end "$1"
}

# ---- the dashboard ----

dashboard() { # ENGINE SIZE WHAT
    local path
    path="/api/v1/$(printf '%s' "$3" | sed 's/&/?/')"
    case $path in *\?*) path="$path&area=county&on=$DAY" ;; *) path="$path?area=county&on=$DAY" ;; esac
    "$B/bench-load" get "${PORT[$1]}" "${TOKEN[$1]}" "$path" 1 60 200 > "$D/run.1"
    bare "$(value "$D/run.1" answer_bytes)"
    "$B/bench-load" get "$BARE_PORT" x / 1 60 200 > "$D/bare.run"
    bare_end
    result dashboard "$3" "$2" "$1" "p50_us=$(value "$D/run.1" p50_us) p99_us=$(value "$D/run.1" p99_us) bytes=$(value "$D/run.1" answer_bytes) bare_p50_us=$(value "$D/bare.run" p50_us)"
}
world_of() { # ENGINE SIZE
    say "a site of $2 residents, $1"
    world "$1" $(($2 / 3)) "$2"
    serve "$1"
}

# ---- all of it: one engine after the other within each load, so that what the machine does meanwhile meets both ----

postgres_start
say "durable commands, $RUNS runs of $SECONDS_EACH s each"
each_engine world 5000
each_engine serve
for kind in gate_scan resident; do
    for n in $CONNECTIONS; do commands_beside_bare $kind "$n"; done
done
commands_beside_bare triage_visit 16
each_engine serve_end
for kind in gate_scan resident; do each_engine without_http $kind; done
each_engine world_end

"$B/bench-roster" "$D/roster.xlsx" "$ROWS" $((ROWS / 3))
each_engine import_roster

DAY=$(date +%F)
for size in $SIZES; do
    each_engine world_of "$size"
    for what in figures "figures&id=grid.residents" "figures&id=gate.persons" brief; do each_engine dashboard "$size" "$what"; done
    each_engine serve_end
    each_engine world_end
done

awk -f bench/table.awk -v cores="$(nproc)" -v model="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" -v postgres="$("$(pg_bin postgres)" -V 2>/dev/null)" \
    -v day="$(date -u +%FT%TZ)" -v quick="${QUICK:+true}" -v load="$(cut -d' ' -f2 /proc/loadavg)" -v json=build/bench.json "$OUT"
