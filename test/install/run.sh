#!/usr/bin/env bash
# Installs a finished build into an empty prefix, moves it, and has three other projects use the library.
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

# The one build of the library here is without MongoDB, so that both are seen: a directory of another project, and a
# program that needs nothing of the driver.
echo "add_subdirectory, without MongoDB"
cmake -S "$here/add_subdirectory" -B "$work/guest" -G Ninja -DMINIBATCH_SOURCE="$source" >/dev/null
cmake -S "$here/add_subdirectory" -B "$work/add_subdirectory" -G Ninja -DMINIBATCH_SOURCE="$source" \
    -DMINIBATCH_WITH_MONGODB=OFF -DMINIBATCH_BUILD_TOOL=ON -DCMAKE_UNITY_BUILD=ON >/dev/null
cmake --build "$work/add_subdirectory" -j "$jobs" --target consumer minibatch_cli
"$work/add_subdirectory/consumer"
tool=$work/add_subdirectory/minibatch/src/tool/minibatch
if ldd "$tool" | grep -E 'mongoc|bson'; then
    echo "a build without MongoDB needs libraries of it" >&2
    exit 1
fi
MINIBATCH_TOOL=$tool python3 "$source/test/tool/test_without_mongo.py"

echo "configuration without MongoDB, without tests"
cmake -S "$source" -B "$work/without_mongo" -G Ninja -DMINIBATCH_WITH_MONGODB=OFF >/dev/null
cmake -S "$source" -B "$work/without_tests" -G Ninja -DBUILD_TESTING=OFF >/dev/null
if ctest --test-dir "$work/without_tests" -N 2>/dev/null | grep -E 'Test +#'; then
    echo "BUILD_TESTING=OFF has left tests" >&2
    exit 1
fi
