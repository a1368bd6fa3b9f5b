#!/usr/bin/env bash
# Installs a finished build into an empty prefix, moves it, and has three other projects use it.
#   test/install/run.sh BUILD-DIRECTORY
set -euo pipefail
build=$(realpath "${1:?usage: test/install/run.sh BUILD-DIRECTORY}")
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
here=$source/test/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jobs=$(nproc)

echo "install"
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/prefix"
if grep -rlF -e "$source" -e "$work/first" "$work/prefix" --include='*.cmake' --include='*.pc' --include='*.hpp'; then
    echo "these installed files name directories of the build" >&2
    exit 1
fi
tool=$work/prefix/bin/minibatch
if [[ -e $build/src/tool/minibatch ]]; then "$tool" --version; fi

echo "find_package"
cmake -S "$here/find_package" -B "$work/find_package" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/find_package" -j "$jobs"
"$work/find_package/consumer"

echo "pkg-config"
pc=$(dirname "$(find "$work/prefix" -name minibatch.pc)")
PKG_CONFIG_PATH=$pc "$here/pkg_config/build.sh" "$work/pkg_config_consumer"
"$work/pkg_config_consumer"
PKG_CONFIG_PATH=$pc pkg-config --static --exists --print-errors minibatch

echo "add_subdirectory"
cmake -S "$here/add_subdirectory" -B "$work/add_subdirectory" -G Ninja -DMINIBATCH_SOURCE="$source" \
    -DMINIBATCH_PRECOMPILE_HEADERS=ON >/dev/null
cmake --build "$work/add_subdirectory" -j "$jobs" --target consumer
"$work/add_subdirectory/consumer"
