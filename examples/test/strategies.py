"""strategies.py PROGRAM FEED: what each strategy reports about the 1,707 earthquakes."""
import re
import sys

from support import MONGO_SERVER, check, output_of, own_directory, same, url_of

with own_directory():
    lines = output_of(*sys.argv[1:3], url_of("strategies")).splitlines()
found = {}
for title, result in zip(lines[::2], lines[1::2]):
    match = re.fullmatch(r"    (\d+) messages in (\d+) windows, the largest of (\d+);(.*)", result)
    check(match, f"a result in the usual form, not {result!r}")
    messages, windows, largest = (int(text) for text in match.groups()[:3])
    reasons = dict(re.findall(r" (\w+): (\d+)", match[4]))
    same(sum(int(count) for count in reasons.values()), windows, f"{title}: a reason for every window")
    found[re.match(r".*\|\||\w+", title)[0]] = (messages, windows, largest, {k: int(v) for k, v in reasons.items()})
same(len(found), 5, "number of strategies")

messages, windows, _, reasons = found["fixed_time_window"]
same((messages, reasons), (1707, {"time": windows}), "fixed windows hold every message once")
check(3 <= windows <= 40, f"a fixed window for each quarter of about a second: {windows}")
messages, windows, _, reasons = found["relaxed_time_window"]
same((messages, reasons), (1707, {"time": windows}), "relaxed windows hold every message once")
same(found["count_window"], (1707, 4, 500, {"count": 3, "flush": 1}), "three full windows, and the remainder")
messages, windows, largest, reasons = found["count_window(56) || max_bytes(14 KiB) ||"]
# MongoDB keeps values, not texts: numbers come back shorter (1.5, not 1.5E0), and 56 of these stay below 14 KiB.
triggers = ["count", "timeout"] if MONGO_SERVER else ["bytes", "count", "timeout"]
same((messages, largest, sorted(reasons)), (1707, 56, triggers), "each trigger had its turn")
same(found["custom"], (1683, 39, 235, {"custom": 39}), "one window for each of the 39 strong earthquakes")
