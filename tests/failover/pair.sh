#!/bin/bash
# A primary that keeps every commit at its replica before it answers, and that replica, on private ports.
#   pair.sh start DIR      makes both in DIR and prints the address of the pair
#   pair.sh kill DIR       SIGKILL to every process of the primary
#   pair.sh shut DIR       stops the primary in order, with whoever is connected
#   pair.sh promote DIR    the replica takes over; it waits for nobody
#   pair.sh end DIR        takes both away
set -eu
# shellcheck source=tools/pg.sh
. "$(dirname "$0")/../../tools/pg.sh"

data_of() { readlink -f "$1/data"; }
control() { # DIR ARGUMENTS
    local data
    data=$(data_of "$1")
    shift
    pg_as "$(pg_bin pg_ctl)" -D "$data" -l "$data/server.log" -w "$@" >/dev/null
}

start_replica() { # DIR URL
    local data
    mkdir -p "$1"
    pg_make_dirs "$1"
    data=$(data_of "$1")
    chmod 700 "$data"
    pg_as "$(pg_bin pg_basebackup)" -d "$2" -D "$data" -R -X stream -c fast
    pg_launch_somewhere "$1" 0
}

# Only now, for the copy shall not have the setting, and making the database would have waited for a replica that is not there.
wait_for_replica() { # DIR URL
    echo "synchronous_standby_names = '*'" | pg_as tee -a "$(data_of "$1")/postgresql.conf" >/dev/null
    control "$1" reload
    local _
    for _ in $(seq 100); do
        [ "$(psql -XqAt -d "$2" -c "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")" = 1 ] && return 0
        sleep 0.1
    done
    pg_say "pair.sh: the replica does not follow"
    return 1
}

start() {
    local url port dir
    mkdir -p "$1"
    chmod 755 "$1"
    dir=$(cd "$1" && pwd)
    url=$(PG_DURABLE=1 pg_start "$dir/primary")
    port=$(start_replica "$dir/replica" "$url")
    wait_for_replica "$dir/primary" "$url"
    echo "postgres://lianfang@${url#*@}" | sed "s#/lianfang\$#,127.0.0.1:$port/lianfang?target_session_attrs=read-write#"
}

kill_all() { # DIR of one server; its postmaster first, which would start others
    local pid children
    pid=$(head -1 "$(data_of "$1")/postmaster.pid")
    children=$(grep -ls "^PPid:[[:space:]]*$pid\$" /proc/[0-9]*/status | cut -d/ -f3)
    # shellcheck disable=SC2086
    kill -9 "$pid" $children
    rm "$(data_of "$1")/postmaster.pid"
}

case "${1:-}:${2:-}" in
start:?*) start "$2" ;;
kill:?*) kill_all "$2/primary" ;;
shut:?*) control "$2/primary" -m fast stop ;;
promote:?*) control "$2/replica" promote ;;
end:?*) pg_stop "$2/primary" && pg_stop "$2/replica" && rm -rf "$2" ;;
*) pg_say "usage: pair.sh start|kill|shut|promote|end DIR"; exit 2 ;;
esac
