"""Bytewax: `collect` of 100 over documents that lie in memory, each of them visited. Prints documents a second.

Usage: bytewax_collect.py COUNT ready|decode

`ready`: the documents are dictionaries made beforehand, with their key; `decode`: they are JSON text.
"""
import gc
import json
import sys
import time
from datetime import timedelta

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

count, mode = int(sys.argv[1]), sys.argv[2]


def document(n):
    return {
        "n": n, "sensor": "hall-7/thermo-0417", "time": 1760000000000, "value": (n & 1023) + 0.25,
        "unit": "celsius", "ok": True,
    }


items = [("all", document(n) if mode == "ready" else json.dumps(document(n))) for n in range(count)]
batches = [items[at:at + 1000] for at in range(0, count, 1000)]
gc.collect()
gc.disable()  # in its favour
seen = 0
total = 0.0
started = 0.0


class Part(StatelessSourcePartition):
    def __init__(self):
        global started
        self.rest = iter(batches)
        started = time.perf_counter()

    def next_batch(self):
        return next(self.rest)  # StopIteration ends the source


class Source(DynamicSource):
    def build(self, step_id, worker_index, worker_count):
        return Part()


class Visit(StatelessSinkPartition):
    def write_batch(self, items):
        global seen, total
        for _, window in items:
            for each in window:
                if each["n"] != seen:
                    raise SystemExit("the documents are not in order")
                seen += 1
                total += each["value"] + (1 if each["ok"] else 0)


class Sink(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return Visit()


flow = Dataflow("collect")
stream = op.input("in", flow, Source())
if mode == "decode":
    stream = op.map_value("decode", stream, json.loads)
windows = op.collect("window", stream, timeout=timedelta(seconds=60), max_size=100)
op.output("out", windows, Sink())
run_main(flow)
seconds = time.perf_counter() - started
if seen != count:
    raise SystemExit(f"{seen} of {count} documents came out")
print(count / seconds)
