# Sourced by tools/test: the checks of `--all` that are no tests of CTest.

check_format() {
    git ls-files -z -- '*.cpp' '*.hpp' | xargs -0 -r clang-format-16 --dry-run -Werror
}

# clang-tidy reads the files of a unity build, in which each header is parsed once for all files of a folder. A build
# directory needs to be configured only. Tests, examples and benchmarks are not analyzed path by path (clang-analyzer).
check_tidy() {  # BUILD-DIRECTORY product|all
    local log result=0
    log=$(mktemp)
    {
        find "$1/src" -name 'unity_*.cxx' -printf '%p ""\n'
        if [[ $2 == all ]]; then
            find "$1"/{test,examples,bench} -name 'unity_*.cxx' -printf '%p -clang-analyzer-*\n'
        fi
    } | xargs -n 2 -P "$(nproc)" bash -c 'clang-tidy-16 --quiet -p "$0" --checks="$2" "$1" 2>/dev/null' "$1" >"$log" || result=$?
    if ((result != 0)); then sort -u "$log" | grep -E '(warning|error): ' || cat "$log"; fi
    rm -f "$log"
    return "$result"
}

build_fuzzers() {
    cmake --preset asan -DMINIBATCH_BUILD_FUZZERS=ON >/dev/null
    cmake --build --preset asan -j "$(nproc)" --target fuzzers
}

# Each fuzzer for so many seconds, side by side.
run_fuzzers() {  # BUILD-DIRECTORY SECONDS [SEED]
    export -f run_fuzzer
    find "$1/test/fuzz" -maxdepth 1 -type f -name 'fuzz_*' -executable -print0 |
        xargs -0 -r -n 1 -P "$(nproc)" bash -c 'run_fuzzer "$3" "$1" "$2"' run_fuzzer "$2" "${3:-0}"
}

run_fuzzer() {  # PROGRAM SECONDS SEED
    local scratch log result=0
    scratch=$(mktemp -d)
    log=$1.log
    "$1" -max_total_time="$2" -seed="$3" -max_len=4096 -print_final_stats=1 -artifact_prefix="$(dirname "$1")/" "$scratch" \
        >"$log" 2>&1 || result=$?
    echo "$1"
    if ((result == 0)); then
        grep -E '^stat::number_of_executed_units' "$log"
    else
        grep -Ev '^#[0-9]+.*(NEW|REDUCE|pulse)' "$log" | tail -n 40
    fi
    rm -rf "$scratch"
    return "$result"
}
