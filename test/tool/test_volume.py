"""A million lines through a pipe, and out again in windows."""
import json
import subprocess
import threading
import unittest

import support

COUNT = 1_000_000
BLOCK = 10_000


class Million(support.ToolTest):
    def test_a_million_lines(self):
        producer = self.start("append", "s", stdin=subprocess.PIPE)

        def produce():
            for begin in range(0, COUNT, BLOCK):
                producer.stdin.write(b"".join(b'{"n":%d}\n' % n for n in range(begin, begin + BLOCK)))
            producer.stdin.close()

        feeding = threading.Thread(target=produce)
        feeding.start()
        # Two consumers of one group while it comes: the second takes over when the first has had its part.
        consumers = [self.start("consume", "s", "--size", "1000", "--max-windows", str(count)) for count in (300, 700)]
        seen = [[], []]
        collecting = [threading.Thread(target=self.collect, args=pair) for pair in zip(consumers, seen)]
        for thread in collecting:
            thread.start()
        feeding.join()
        self.assertEqual(producer.stdout.read().decode(), '{"appended":%d,"first":0,"last":%d}\n' % (COUNT, COUNT - 1))
        self.assertEqual((producer.wait(), producer.stderr.read()), (0, b""))
        for thread, process in zip(collecting, consumers):
            thread.join()
            self.assertEqual((process.wait(), process.stderr.read()), (0, b""))
        self.assertEqual([len(part) for part in seen], [300_000, 700_000])
        for part in seen:
            self.assertTrue(all(a < b for a, b in zip(part, part[1:])), "a consumer sees the order of the stream")
        self.assertTrue(sorted(seen[0] + seen[1]) == list(range(COUNT)), "each message once")
        info = json.loads(self.ok("info", "s", "--json").out)
        self.assertEqual((info["groups"][0]["lag"], info["groups"][0]["lost"]), (0, 0))
        self.assertLess(info["messages"], BLOCK, "what is committed is removed")

    def test_a_consumer_that_comes_later(self):
        lines = b"".join(b'{"n":%d}\n' % n for n in range(COUNT))
        self.assertEqual(json.loads(self.ok("append", "s", input=lines).out)["appended"], COUNT)
        self.assertTrue(self.ok("peek", "s").raw == lines)
        windows = self.ok("consume", "s", "--size", str(COUNT), "--max-windows", "1").windows()
        self.assertEqual([(w["window"], w["count"]) for w in windows], [(f"default/0/0-{COUNT - 1}", COUNT)])
        self.assertTrue(all(document["n"] == n for n, document in enumerate(windows[0]["data"])))

    @staticmethod
    def collect(process, into):
        for line in process.stdout:
            into.extend(document["n"] for document in json.loads(line)["data"])


if __name__ == "__main__":
    support.main()
