"""demo.py PROGRAM [elsewhere]: both consumers of the demo report all earthquakes, and the strongest. With
`elsewhere`, in the database that MINIBATCH_URL names."""
import re
import sys

from support import check, output_of, own_directory, same, url_of

with own_directory():
    elsewhere = url_of("demo") if sys.argv[2:] else None
    text = output_of(sys.argv[1], "--seconds", "2", "--interval", "0.5", database=elsewhere)
    if elsewhere:
        check("the database that MINIBATCH_URL names" in text, f"it says where:\n{text}")
check("by hundreds: all 1707 of them" in text and "by time: all 1707 of them" in text, f"all 1,707 reported twice:\n{text}")
counts = {}
for line in text.splitlines():
    match = re.fullmatch(r"( *)(by hundreds|the rest|from :\d\d\.\d) +(?:nothing|(\d+) earthquakes, the strongest (-?\d+\.\d): .+)", line)
    if match:
        counts.setdefault(match[2].split()[0], []).append((int(match[3] or 0), float(match[4] or -9)))
same([count for count, _ in counts["by"]], [100] * 17, "seventeen full windows")
same([count for count, _ in counts["the"]], [7], "and the rest")
same(sum(count for count, _ in counts["from"]), 1707, "the windows of time hold all")
check(4 <= len(counts["from"]) <= 20, f"about one window of time per half second: {len(counts['from'])}")
same(max(m for _, m in counts["from"]), max(m for _, m in counts["by"] + counts["the"]), "the strongest")
