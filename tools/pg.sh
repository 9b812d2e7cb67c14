#!/bin/bash
# A private PostgreSQL for tests and load figures.
#   tools/pg.sh start DIR [PORT]   makes a server in DIR on 127.0.0.1 and prints postgres://lianfang@127.0.0.1:PORT/lianfang; PORT 0 or none: a free one.
#                                  PG_DURABLE=1 leaves fsync on; PG_OPTIONS is appended to postgresql.conf, one setting a line.
#   tools/pg.sh stop DIR           stops it at once and removes DIR
# Sourced it only defines its functions.  PostgreSQL refuses to run as root: then its processes belong to postgres, or nobody.  There is no unix
# socket, whose path could be too long.
# shellcheck shell=bash

pg_say() { printf '%s\n' "$*" >&2; }

# The path of one of PostgreSQL's programs, of the newest version that is installed.
pg_bin() {
    local dir
    dir=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
    if [ -x "$dir/$1" ]; then printf '%s\n' "$dir/$1"; else command -v "$1" || { pg_say "pg.sh: PostgreSQL's $1 is not installed"; return 1; }; fi
}

# The user the server's processes belong to.
pg_user() {
    if [ "$(id -u)" != 0 ]; then id -un
    elif id postgres >/dev/null 2>&1; then echo postgres
    else echo nobody
    fi
}

# Runs a command as that user.
pg_as() {
    if [ "$(id -u)" != 0 ]; then "$@"
    else
        local user
        user=$(pg_user)
        (cd / && exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups env HOME=/tmp "$@")
    fi
}

pg_port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the ports that the system gives to connections.
pg_free_port() {
    local port _
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000))
        pg_port_is_free "$port" && { echo "$port"; return 0; }
    done
    pg_say "pg.sh: no free port"
    return 1
}

# Makes DIR and in it the folder of the data, which the server's user must reach: else it is in /tmp and DIR/data leads there.
pg_make_dirs() {
    mkdir -p "$1/data" && chmod 755 "$1" || return 1
    [ "$(id -u)" = 0 ] || return 0
    chown "$(pg_user)" "$1" "$1/data"
    pg_as test -w "$1/data" && return 0
    rmdir "$1/data" && ln -s "$(mktemp -d /tmp/lf-pg.XXXXXX)" "$1/data" && chown "$(pg_user)" "$1/data/"
}

pg_configure() {
    pg_as tee -a "$(readlink -f "$1/data")/postgresql.conf" >/dev/null <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 64MB
max_connections = 100
$([ "${PG_DURABLE:-0}" = 1 ] || printf 'fsync = off\nsynchronous_commit = on\nfull_page_writes = off\n')
${PG_OPTIONS:-}
END
}

# pg_launch DIR PORT
pg_launch() {
    local data
    data=$(readlink -f "$1/data")
    pg_as "$(pg_bin pg_ctl)" -D "$data" -l "$data/server.log" -o "-p $2" -w -t 60 start >/dev/null
}

# A free port can be taken by somebody else meanwhile: then another one is tried.
pg_launch_somewhere() {
    local port=$2 _
    for _ in 1 2 3 4 5; do
        [ "$2" = 0 ] && { port=$(pg_free_port) || return 1; }
        pg_launch "$1" "$port" 2>/dev/null && { echo "$port"; return 0; }
        [ "$2" = 0 ] || break
    done
    pg_say "pg.sh: the server did not start"
    tail -5 "$1/data/server.log" >&2
    return 1
}

pg_start() {
    local dir port
    [ -e "$1/data" ] && { pg_say "pg.sh: $1 is in use; tools/pg.sh stop $1"; return 1; }
    pg_bin initdb >/dev/null || return 1
    mkdir -p "$1" && dir=$(cd "$1" && pwd) && pg_make_dirs "$dir" || return 1
    if pg_as "$(pg_bin initdb)" -D "$(readlink -f "$dir/data")" --no-sync -U lianfang -A trust --locale=C.UTF-8 -E UTF8 >"$dir/initdb.log" 2>&1; then
        pg_configure "$dir" && port=$(pg_launch_somewhere "$dir" "${2:-0}") &&
            pg_as "$(pg_bin createdb)" -h 127.0.0.1 -p "$port" -U lianfang lianfang && {
            echo "postgres://lianfang@127.0.0.1:$port/lianfang"
            return 0
        }
    else
        tail -5 "$dir/initdb.log" >&2
    fi
    pg_stop "$dir"
    return 1
}

pg_stop() {
    local data
    [ -d "$1" ] || return 0
    data=$(readlink -f "$1/data")
    [ -f "$data/postmaster.pid" ] && pg_as "$(pg_bin pg_ctl)" -D "$data" -m immediate -w -t 30 stop >/dev/null 2>&1
    case "$data" in /tmp/lf-pg.*) rm -rf "$data" ;; esac
    rm -rf "$1"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    case "${1:-}:${2:-}" in
    start:?*) pg_start "$2" "${3:-0}" ;;
    stop:?*) pg_stop "$2" ;;
    *) pg_say "usage: tools/pg.sh start DIR [PORT] | stop DIR"; exit 2 ;;
    esac
fi
