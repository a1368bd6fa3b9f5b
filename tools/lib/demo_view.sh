# Sourced by tools/demo: the input, and windows in words.

# paced_earthquakes N: N earthquakes as JSON lines, a hundred a second.
paced_earthquakes() {
    local left=$1 line
    while ((left > 0)); do
        while ((left > 0)) && IFS= read -r line; do
            printf '%s\n' "$line" || return 0
            left=$((left - 1))
            sleep 0.01
        done <examples/data/earthquakes.jsonl
    done
}

# show_windows LABEL: one readable line for each window on standard input.
show_windows() {
    awk -v label="$1" '
        function field(name,   at, rest) {
            at = index(head, "\"" name "\":")
            if (at == 0) return ""
            rest = substr(head, at + length(name) + 3)
            sub(/[,}].*/, "", rest)
            gsub(/[" ]/, "", rest)
            return rest
        }
        {
            at = index($0, "\"data\":")
            head = substr($0, 1, at - 1)
            data = substr($0, at)
            n = 0; sum = 0; strongest = -9; where = ""
            while (match(data, /"mag": *-?[0-9.]+/)) {
                magnitude = substr(data, RSTART, RLENGTH)
                sub(/"mag": */, "", magnitude)
                magnitude += 0
                data = substr(data, RSTART + RLENGTH)
                n++; sum += magnitude
                if (magnitude > strongest) {
                    strongest = magnitude
                    where = ""
                    if (match(data, /"place": *"[^"]*"/)) {
                        where = substr(data, RSTART, RLENGTH)
                        sub(/"place": *"/, "", where)
                        sub(/"$/, "", where)
                    }
                }
            }
            printf "%-10s %4d earthquakes, offsets %5s to %-5s (%s)", label, field("count"), field("first"), field("last"), field("reason")
            if (n > 0) printf "  mean magnitude %.2f, strongest %.1f %s", sum / n, strongest, where
            printf "\n"
            fflush()
        }'
}
