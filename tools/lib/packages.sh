# Sourced by the scripts in tools/: installs the Debian packages they need. Silent when nothing is missing.

# What the library, the tool and the examples are built with.
build_packages=(g++ cmake ninja-build libboost1.81-dev libboost-json1.81-dev libsqlite3-dev libmongoc-dev
    libcli11-dev libhowardhinnant-date-dev tzdata)
# The tests, and what the benchmarks need to be built; mount and util-linux (setpriv, unshare, nsenter, lslocks) for a
# disk that is full, a user who may not write and a network of a test's own; sqlite3 for the commands of docs/sqlite.md;
# python3-venv for the MongoDB server they start, openssl for its certificates, dnsmasq-base for names that are looked
# up.
test_packages=(libboost-test1.81-dev pkg-config libhiredis-dev python3 curl mount util-linux sqlite3 python3-venv
    openssl dnsmasq-base)
# Only `tools/test --all` needs these; llvm-16 gives the sanitizers' reports the names of functions.
check_packages=(clang-16 clang-format-16 libclang-rt-16-dev llvm-16 git)
# What `bench/run` needs; its build is the one of the tests.
bench_packages=(libboost-test1.81-dev pkg-config libhiredis-dev libmongoc-dev redis-server python3 python3-venv)

# need_packages NAME…: installs those that are missing; fails, naming them, when that is not possible.
need_packages() {
    local package missing=() as_root=()
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update -qq >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}
