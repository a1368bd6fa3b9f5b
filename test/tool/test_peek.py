"""`peek`: where it begins, where it ends, and how it follows a stream."""
import json
import signal
import subprocess

import support


def numbers(done):
    return [json.loads(line)["n"] for line in done.out.splitlines()]


def documents(count, begin=0):
    return [{"n": n} for n in range(begin, begin + count)]


class Last(support.ToolTest):
    def test_the_newest(self):
        # Several segments, one of which is cut.
        for begin in range(0, 40, 10):
            self.append("s", documents(10, begin))
        self.assertEqual(numbers(self.ok("peek", "s", "--last", "15")), list(range(25, 40)))
        self.assertEqual(numbers(self.ok("peek", "s", "--last", "15", "--limit", "2")), [25, 26])
        self.assertEqual(numbers(self.ok("peek", "s", "--last", "1000")), list(range(40)))

    def test_of_what_is_left(self):
        for begin in range(0, 40, 10):
            self.append("s", documents(10, begin))
        self.ok("consume", "s", "--size", "10", "--max-windows", "3")
        left = numbers(self.ok("peek", "s"))
        self.assertEqual(numbers(self.ok("peek", "s", "--last", "1000")), left)
        self.assertEqual(numbers(self.ok("peek", "s", "--last", "3")), [37, 38, 39])

    def test_of_an_empty_stream(self):
        self.ok("append", "s")
        self.assertEqual(self.ok("peek", "s", "--last", "5").out, "")


class Follow(support.ToolTest):
    def test_what_is_there_and_what_comes(self):
        self.append("s", documents(3))
        process = self.start("peek", "s", "--follow")
        self.assertEqual([json.loads(self.read_line(process))["n"] for _ in range(3)], [0, 1, 2])
        for n in range(3, 6):
            self.append("s", documents(1, n))
            self.assertEqual(json.loads(self.read_line(process))["n"], n)
        process.send_signal(signal.SIGTERM)
        done = self.end(process)
        self.assertEqual((done.code, done.out, done.err), (0, "", ""))

    def test_only_what_comes(self):
        self.append("s", documents(3))
        process = self.start("peek", "s", "--from", "latest", "--follow", "--limit", "2")
        producer = self.start("append", "s", stdin=subprocess.PIPE)
        # It has no sign of having begun: numbers come until it has seen two.
        for n in range(3, 1_000_000):
            producer.stdin.write(b'{"n":%d}\n' % n)
            producer.stdin.flush()
            if process.poll() is not None:
                break
        self.end(producer)
        first, second = numbers(self.end(process))
        self.assertGreaterEqual(first, 3)
        self.assertEqual(second, first + 1)
        self.assertEqual(process.returncode, 0)

    def test_after_the_newest(self):
        self.append("s", documents(5))
        process = self.start("peek", "s", "--last", "2", "--follow", "--limit", "3")
        self.assertEqual([json.loads(self.read_line(process))["n"] for _ in range(2)], [3, 4])
        self.append("s", documents(3, 5))
        self.assertEqual(numbers(self.end(process)), [5])

    def test_a_stream_that_is_deleted(self):
        self.append("s", documents(1))
        process = self.start("peek", "s", "--follow")
        self.read_line(process)
        self.ok("delete", "s")
        done = self.end(process)
        self.assertEqual(done.code, 1, done)
        self.assertIn("deleted", done.err)


class Use(support.ToolTest):
    def test_the_end_alone_shows_nothing(self):
        self.append("s", documents(1))
        self.fails(2, ["--from: latest shows nothing without --follow", "--last N"], "peek", "s", "--from", "latest")

    def test_one_beginning(self):
        self.fails(2, ["--last", "--from"], "peek", "s", "--from", "earliest", "--last", "1")
        self.fails(2, "--last: '0' is too small", "peek", "s", "--last", "0")


if __name__ == "__main__":
    support.main()
