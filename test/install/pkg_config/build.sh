#!/usr/bin/env bash
# A program that is built without CMake: build.sh OUTPUT, with PKG_CONFIG_PATH set.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
read -ra cflags <<<"$(pkg-config --cflags minibatch)"
read -ra libs <<<"$(pkg-config --libs minibatch)"
g++ -std=c++20 -O1 "${cflags[@]}" "$here/../main.cpp" -o "$1" "${libs[@]}"
