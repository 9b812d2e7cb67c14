# Sourced by run and test: installs what a bare Debian 12 lacks and builds.  Quick when nothing is missing.
# shellcheck shell=bash

RUN_PACKAGES="gcc libc6-dev make pkg-config ca-certificates tzdata opencc libsqlite3-dev libpq-dev libsodium-dev liboath-dev libevent-dev libssl-dev
 libzip-dev libexpat1-dev libxlsxwriter-dev libicu-dev zlib1g-dev libbrotli-dev libqrencode-dev libcairo2-dev libpango1.0-dev fonts-wqy-microhei"
TEST_PACKAGES="clang libclang-rt-14-dev chromium curl postgresql-15 poppler-utils zxing-cpp-tools"
NODE_VERSION=22.23.3 # where the system's Node.js is older than 20.19, the least that Vite needs

say() { printf '== %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else say "needs root or sudo to install packages: $*"; return 1
    fi
}

# While the server's package is installed: Debian would make a cluster on port 5432 and start it; only the programs are wanted.
NO_CLUSTER=/etc/postgresql-common/createcluster.d/lianfang.conf
no_cluster() {
    as_root mkdir -p "${NO_CLUSTER%/*}" && echo "create_main_cluster = false" | as_root tee "$NO_CLUSTER" >/dev/null
}

# Installs those of the packages named that are not there.
need_packages() {
    local missing="" p
    for p in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
    done
    [ -z "$missing" ] && return 0
    say "installing$missing"
    case $missing in *postgresql*) no_cluster || return 1 ;; esac
    as_root apt-get update -qq </dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >build/apt.log 2>&1 ||
        { tail -20 build/apt.log >&2; say "the packages could not be installed"; return 1; }
    [ ! -f "$NO_CLUSTER" ] || as_root rm "$NO_CLUSTER"
}

node_is_new_enough() {
    command -v node >/dev/null && node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a===20&&b>=19)?0:1)'
}

need_node() {
    [ -x "$PWD/build/node/bin/node" ] && PATH="$PWD/build/node/bin:$PATH"
    node_is_new_enough && command -v npm >/dev/null && return 0
    need_packages nodejs npm || return 1
    node_is_new_enough && return 0
    local arch
    case "$(uname -m)" in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) say "no Node.js for $(uname -m)"; return 1 ;; esac
    say "fetching Node.js $NODE_VERSION (the system's is $(node --version))"
    mkdir -p build/node/bin build/node/package
    npm install --loglevel=error --no-save --no-audit --no-fund --ignore-scripts --prefix build/node/package "node-linux-$arch@$NODE_VERSION" >build/node.log 2>&1 &&
        ln -sf "../package/node_modules/node-linux-$arch/bin/node" build/node/bin/node ||
        { tail -30 build/node.log >&2; say "Node.js could not be fetched from npm"; return 1; }
    PATH="$PWD/build/node/bin:$PATH"
    node_is_new_enough
}

# A line that changes with what the pages are made of.
web_state() {
    (cd web && find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum
}

build_web() {
    local state
    state=$(web_state)
    [ -f web/dist/hq.html ] && [ "$(cat build/web.state 2>/dev/null)" = "$state" ] && return 0
    need_node || return 1
    say "building the pages"
    (cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build) >build/web.log 2>&1 ||
        { tail -30 build/web.log >&2; say "the pages could not be built"; return 1; }
    web_state >build/web.state
}

build_program() {
    make -j"$(nproc)" V=release >build/make.log 2>&1 || { grep -E 'error|warning' -A5 build/make.log | head -40 >&2; say "the program could not be built (build/make.log)"; return 1; }
}
