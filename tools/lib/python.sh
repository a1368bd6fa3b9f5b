# Sourced by the scripts in tools/ and bench/: the one place for what comes from the Python package index, a virtual
# environment. Silent when nothing is missing. Needs python3-venv.

# Where CMake and the tests look for it, too (test/support/CMakeLists.txt, test/tool/mongo_server.py).
python_environment=build/python

# The MongoDB-compatible server, bin/secantusd-rs, and the driver for tests in Python.
test_python_packages=(secantusdb==0.6.0b17 pymongo==4.20.0)
# The server and the peers in `bench/run`.
bench_python_packages=("${test_python_packages[@]}" bytewax==0.21.1 minibatch==0.6.0)

# need_python_packages NAME==VERSION…: installs those that are missing; fails, naming them, when that is not possible.
need_python_packages() {
    local package missing=()
    mapfile -t missing < <(missing_python_packages "$@")
    ((${#missing[@]})) || return 0
    echo "installing ${missing[*]} in $python_environment" >&2
    if ! "$python_environment/bin/python" -m pip --version >/dev/null 2>&1; then
        if ! python3 -m venv --clear "$python_environment" >&2; then
            echo "no Python environment can be made in $python_environment (Debian: python3-venv)" >&2
            return 1
        fi
    fi
    # One by one, so that the one that cannot be had is named.
    for package in "${missing[@]}"; do
        if ! "$python_environment/bin/python" -m pip install --quiet --disable-pip-version-check "$package" >&2; then
            echo "the Python package $package cannot be installed in $python_environment" >&2
            return 1
        fi
    done
    mapfile -t missing < <(missing_python_packages "$@")
    ((${#missing[@]})) || return 0
    echo "the Python packages ${missing[*]} are missing in $python_environment after their installation" >&2
    return 1
}

# Prints those of the packages that the environment does not have, one a line.
missing_python_packages() {
    "$python_environment/bin/python" - "$@" 2>/dev/null <<'END' || printf '%s\n' "$@"
import sys
from importlib import metadata

missing = []
for package in sys.argv[1:]:
    name, _, version = package.partition("==")
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        found = None
    if found != version:
        missing.append(package)
print("\n".join(missing), end="\n" if missing else "")
END
}
