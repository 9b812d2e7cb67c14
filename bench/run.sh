#!/bin/sh
# bench/run.sh BUILD [QUICK]: every load beside its limit in the same run; prints a table and writes build/bench.json.
# What is measured and how: docs/bench.md.
set -eu
B=$1
QUICK=${2:-}
if [ -n "$QUICK" ]; then
    RUNS=1 SECONDS_EACH=2 ROWS=20000 SIZES="10000 100000"
else
    RUNS=3 SECONDS_EACH=5 ROWS=100000 SIZES="10000 1000000"
fi
mkdir -p build
D=$(mktemp -d build/bench.XXXXXX)
OUT=$D/results
: > "$OUT"
SERVER= BARE=
finish() {
    [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true
    [ -z "$BARE" ] || kill "$BARE" 2>/dev/null || true
    wait
    rm -rf "$D"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*" >&2; }
value() { awk -v n="$2" '$1 == n { print $2 }' "$1"; }
# Tab-separated: section, load, connections or size, then name=value pairs.
result() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >> "$OUT"; }

# Starts the server on the site $1; its port in $PORT.
serve() {
    : > "$D/serve.out"
    "$B/lianfang" serve "$1" --port 0 > "$D/serve.out" 2> "$D/serve.err" &
    SERVER=$!
    PORT=
    tries=0
    while [ -z "$PORT" ]; do
        sleep 0.1
        PORT=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$D/serve.out")
        tries=$((tries + 1))
        if [ $tries -gt 300 ] || ! kill -0 "$SERVER" 2>/dev/null; then say "the server does not start: $(cat "$D/serve.err")"; exit 1; fi
    done
}
serve_end() {
    kill "$SERVER"
    wait "$SERVER" || true
    SERVER=
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
# The run whose rate is the median of $D/run.1 ...
median() {
    for i in $(seq $RUNS); do printf '%s %s\n' "$(value "$D/run.$i" per_second)" "$i"; done | sort -n | awk '{ at[NR] = $2 } END { print at[int((NR + 1) / 2)] }'
}
writer_count() { "$B/bench-load" show "$PORT" "$TOKEN" /metrics | awk -v n="lianfang_writer_$1_total" '$1 == n { print $2 }'; }

# ---- commands ----
commands() { # KIND CONNECTIONS
    say "  $1, $2 connections"
    for i in $(seq $RUNS); do
        commits=$(writer_count commits) items=$(writer_count commands)
        "$B/bench-load" post "$PORT" "$TOKEN" "$D/site" "$1" "$2" $SECONDS_EACH > "$D/run.$i"
        awk -v c="$commits" -v i="$items" -v c2="$(writer_count commits)" -v i2="$(writer_count commands)" \
            'BEGIN { printf "group\t%.1f\n", (i2 - i) / (c2 - c) }' >> "$D/run.$i"
    done
    R=$D/run.$(median)
    group=$(value "$R" group)
    bare 100
    "$B/bench-load" post "$BARE_PORT" x "$D/site" "$1" "$2" 2 > "$D/bare.run"
    bare_end
    "$B/bench-raw" "$D/site" "$1" "$(awk -v g="$group" 'BEGIN { printf "%d", g + 0.5 }')" > "$D/raw.run"
    result commands "$1" "$2" "per_second=$(value "$R" per_second) p50_us=$(value "$R" p50_us) p99_us=$(value "$R" p99_us) group=$group bare_per_second=$(value "$D/bare.run" per_second) raw_per_second=$(value "$D/raw.run" per_second)"
}

say "durable commands, $RUNS runs of $SECONDS_EACH s each"
TOKEN=$("$B/bench-world" "$D/site" 5000)
serve "$D/site"
for n in 1 16 64; do commands gate_scan $n; done
for n in 1 16 64; do commands resident $n; done
commands triage_visit 16
serve_end
# The same without HTTP: what a command costs in the writer.
for kind in gate_scan resident; do
    "$B/bench-core" "$D/site" $kind 64 $SECONDS_EACH > "$D/core.run"
    "$B/bench-raw" "$D/site" $kind "$(awk -F'\t' '$1 == "group" { printf "%d", $2 + 0.5 }' "$D/core.run")" > "$D/raw.run"
    result writer $kind 64 "per_second=$(value "$D/core.run" per_second) group=$(value "$D/core.run" group) cpu_us=$(value "$D/core.run" writer_cpu_us) raw_per_second=$(value "$D/raw.run" per_second) raw_cpu_us=$(value "$D/raw.run" cpu_us)"
done
rm -rf "$D/site"

# ---- import ----
say "import of $ROWS residents"
"$B/bench-world" "$D/site" $((ROWS / 3)) > /dev/null
"$B/bench-roster" "$D/roster.xlsx" $ROWS $((ROWS / 3))
now() { date +%s%N; }
began=$(now)
"$B/lianfang" import "$D/site" resident "$D/roster.xlsx" --json > "$D/import.json"
us=$((($(now) - began) / 1000))
grep -q "\"imported\":$ROWS," "$D/import.json" || { say "not all were imported: $(cat "$D/import.json")"; exit 1; }
began=$(now)
"$B/lianfang" import "$D/site" resident "$D/roster.xlsx" --json > "$D/import.json"
again=$((($(now) - began) / 1000))
grep -q "\"unchanged\":$ROWS," "$D/import.json" || { say "the same file changed something: $(cat "$D/import.json")"; exit 1; }
"$B/bench-raw" "$D/site" resident 1000 > "$D/raw.run"
result import resident $ROWS "seconds=$(awk -v u=$us 'BEGIN { printf "%.1f", u / 1e6 }') per_second=$(awk -v n=$ROWS -v u=$us 'BEGIN { printf "%.1f", n * 1e6 / u }') again_seconds=$(awk -v u=$again 'BEGIN { printf "%.1f", u / 1e6 }') raw_per_second=$(value "$D/raw.run" per_second)"
rm -rf "$D/site"

# ---- the dashboard ----
for size in $SIZES; do
    say "a site of $size residents"
    TOKEN=$("$B/bench-world" "$D/site" $((size / 3)) "$size")
    serve "$D/site"
    day=$(date +%F)
    for what in figures "figures&id=grid.residents" "figures&id=gate.persons" brief; do
        path="/api/v1/$(printf '%s' "$what" | sed 's/&/?/')"
        case $path in *\?*) path="$path&area=county&on=$day" ;; *) path="$path?area=county&on=$day" ;; esac
        "$B/bench-load" get "$PORT" "$TOKEN" "$path" 1 60 200 > "$D/run.1"
        bare "$(value "$D/run.1" answer_bytes)"
        "$B/bench-load" get "$BARE_PORT" x / 1 60 200 > "$D/bare.run"
        bare_end
        result dashboard "$what" "$size" "p50_us=$(value "$D/run.1" p50_us) p99_us=$(value "$D/run.1" p99_us) bytes=$(value "$D/run.1" answer_bytes) bare_p50_us=$(value "$D/bare.run" p50_us)"
    done
    serve_end
    rm -rf "$D/site"
done

awk -f bench/table.awk -v cores="$(nproc)" -v model="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" \
    -v day="$(date -u +%FT%TZ)" -v quick="${QUICK:+true}" -v json=build/bench.json "$OUT"
