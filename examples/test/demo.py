"""demo.py PROGRAM [elsewhere]: both consumers of the demo report all earthquakes, and the strongest. With
`elsewhere`, in the database that MINIBATCH_URL names. A signal ends it early, and it leaves nothing behind."""
import glob
import os
import re
import signal
import subprocess
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

with own_directory() as directory:
    environment = {**os.environ, "TMPDIR": os.getcwd()}
    environment.pop("MINIBATCH_URL", None)
    process = subprocess.Popen([sys.argv[1], "--seconds", "60", "--interval", "0.5"], env=environment,
                               stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "earthquakes, the strongest" in line:
            break
    check(glob.glob("minibatch-demo-*"), "its database is in a temporary directory")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    same((rest.splitlines()[-1:], process.returncode), (["stopped"], 0), "a signal ends it")
    same(glob.glob("minibatch-demo-*"), [], "what is left of an early end")
