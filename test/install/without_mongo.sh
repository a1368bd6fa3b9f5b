#!/usr/bin/env bash
# Builds the library and the tool without MongoDB, and asks the tool for one.
#   test/install/without_mongo.sh BUILD-DIRECTORY
set -euo pipefail
build=${1:?usage: test/install/without_mongo.sh BUILD-DIRECTORY}
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")

cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DMINIBATCH_WITH_MONGODB=OFF -DMINIBATCH_PRECOMPILE_HEADERS=ON >/dev/null
cmake --build "$build" -j "$(nproc)" --target minibatch_cli
if ldd "$build/src/tool/minibatch" | grep -E 'mongoc|bson'; then
    echo "a build without MongoDB needs libraries of it" >&2
    exit 1
fi
ctest --test-dir "$build" -R '^tool_without_mongo$' --no-tests=error --output-on-failure
