"""Databases that are away or busy: waited for until the time-out, and what could not be stored is named."""
import json
import subprocess

import support

ANY_LINE = b'{"n":0}\n'


def lines(count, begin=0):
    return b"".join(b'{"n":%d}\n' % n for n in range(begin, begin + count))


class TimeOut(support.ToolTest):
    def at_work(self, *options):
        """An `append` that has stored one line and waits for more, and a function that holds up its database."""
        hold_up = self.own_database()
        process = self.start("append", "s", *options, stdin=subprocess.PIPE)
        process.stdin.write(lines(1))
        process.stdin.flush()
        self.wait_until(lambda: self.appended("s") == 1, "it is at work")
        return process, hold_up

    def test_lines_that_could_not_be_stored_are_named(self):
        process, hold_up = self.at_work("--timeout", "0.5")
        hold_up()
        process.stdin.write(b"\n" + lines(3, 1))
        process.stdin.flush()
        process.wait(support.LIMIT)  # the input goes on
        done = support.Done(process.returncode, process.stdout.read(), process.stderr.read())
        self.assertEqual((done.code, done.out), (75, '{"appended":1,"first":0,"last":0}\n'), done)
        # A server that has stopped may have got them.
        word = "were not stored" if self.on_sqlite() else "(were not|may have been) stored"
        self.assertRegex(done.err, rf"(^|\n)-:3 to -:5 {word}: .* \(3 lines\)\n$")

    def test_at_the_start(self):
        hold_up = self.own_database()
        self.ok("append", "s", input=ANY_LINE)
        go_on = hold_up()
        for command in (["append", "s"], ["consume", "s", "--size", "1"]):
            done = self.run_tool(*command, "--timeout", "0.3", input=ANY_LINE)
            self.assertEqual((done.code, done.out), (75, support.NOTHING if command[0] == "append" else ""), done)
        waiting = self.start("append", "s", "--timeout", "60", stdin=subprocess.PIPE)
        # Another one has waited in vain since this one began.
        self.assertEqual(self.run_tool("append", "s", "--timeout", "0.3", input=ANY_LINE).code, 75)
        self.assertIsNone(waiting.poll())
        go_on()
        self.assertEqual(json.loads(self.end(waiting, ANY_LINE).out), {"appended": 1, "first": 1, "last": 1})

    def test_for_ever(self):
        process, hold_up = self.at_work("--timeout", "0")
        go_on = hold_up()
        starting = self.start("append", "s", "--timeout", "0", stdin=subprocess.PIPE)
        process.stdin.write(lines(1, 1))
        process.stdin.flush()
        self.assertEqual(self.run_tool("append", "s", "--timeout", "0.5", input=ANY_LINE).code, 75)
        self.assertIsNone(process.poll())
        self.assertIsNone(starting.poll())
        go_on()
        self.assertEqual(json.loads(self.end(process).out)["appended"], 2)
        self.assertEqual(json.loads(self.end(starting, ANY_LINE).out)["appended"], 1)

    def test_a_consumer_that_waits(self):
        """Held up are the renewals of its lease. One may be on its way, with the time-out that it had."""
        hold_up = self.own_database()
        self.ok("append", "s", input=ANY_LINE)
        limited = self.start("consume", "s", "--size", "100", "--timeout", "1")
        unlimited = self.start("consume", "s", "--size", "2", "--group", "g", "--timeout", "0")
        for process in (limited, unlimited):
            self.wait_until(lambda: f":{process.pid}" in self.ok("info", "s").out, "it has the lease")
        go_on = hold_up()
        done = self.end(limited)
        self.assertEqual((done.code, done.out), (75, ""), done)
        self.assertIsNone(unlimited.poll())
        go_on()
        self.ok("append", "s", input=ANY_LINE)
        self.assertEqual(json.loads(self.read_line(unlimited))["count"], 2)

    def test_values(self):
        for value in ("-1", "x", "1e300", ""):
            self.fails(2, "--timeout", f"--timeout={value}", "streams")
        self.ok("append", "s", "--timeout", "3000000000")  # nearly a hundred years
        self.assertEqual(self.ok("--timeout", "0", "streams").out, "s\n")


if __name__ == "__main__":
    support.main()
