# Sourced by the scripts in tools/: runs one step after the other, says which one it is and how long it took, and stops
# at the first that fails.

step_times=()

# step NAME COMMAND…
step() {
    local name=$1 began=$SECONDS status=0
    shift
    printf '\n=== %s\n' "$name"
    # Not as a condition: bash would ignore "set -e" inside.
    set +e
    (set -euo pipefail; "$@")
    status=$?
    set -e
    step_times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$name")")
    if ((status != 0)); then
        step_summary
        printf '\nFAILED: %s (exit code %d)\n' "$name" "$status" >&2
        exit 1
    fi
    printf -- '--- %s: %d s\n' "$name" $((SECONDS - began))
}

step_summary() {
    printf '\n'
    printf '%s\n' "${step_times[@]}"
}
