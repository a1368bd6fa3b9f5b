"""The Python package minibatch: count windows of 100 over messages that lie in the database, each of them visited.

Usage: minibatch_count_window.py URL COUNT. Prints messages a second. Only the windows are timed, not the appends, and
between two windows nothing is slept.
"""
import logging
import sys
import threading
import time

import minibatch
from minibatch.window import CountWindow

url, count = sys.argv[1], int(sys.argv[2])
size = 100
windows = count // size
logging.disable(logging.CRITICAL)


def document(n):
    return {
        "n": n, "sensor": "hall-7/thermo-0417", "time": 1760000000000, "value": (n & 1023) + 0.25,
        "unit": "celsius", "ok": True,
    }


def visit(window):  # runs in a process of the package's pool
    total = 0.0
    for each in window.data:
        total += each["value"] + (1 if each["ok"] else 0)
    return [window.data[0]["n"], window.data[-1]["n"], total]


class Sink:
    """Is given what `visit` returned once the window is committed."""

    def __init__(self):
        self.results = []
        self.complete = threading.Event()

    def put(self, result):
        self.results.append(result)
        if len(self.results) == windows:
            self.complete.set()


CountWindow.sleep = lambda self: None
stream = minibatch.Stream.get_or_create("readings", url=url, batchsize=1000)
for n in range(count):
    stream.append(document(n))
stream.flush()

sink = Sink()
emitter = minibatch.streaming("readings", size=size, url=url, sink=sink).make(visit)
emitted = 0
original = emitter.emit


def emit(*arguments):
    global emitted
    emitted += 1
    return original(*arguments)


emitter.emit = emit
# The first job starts the pool's processes: not timed either.
emitter.executor.submit(len, ()).result()
started = time.perf_counter()
while emitted < windows:
    emitter.run(blocking=False)
if not sink.complete.wait(60):
    raise SystemExit(f"{len(sink.results)} of {windows} windows were committed")
seconds = time.perf_counter() - started
emitter.executor.shutdown()
if sorted(first for first, _, _ in sink.results) != list(range(0, count, size)):
    raise SystemExit("the windows are not those that were expected")
if any(last - first != size - 1 for first, last, _ in sink.results):
    raise SystemExit("a window does not hold messages in order")
print(count / seconds)
