"""Ends that come from outside: signals in the middle of the work, a reader that goes away, a process that is killed."""
import array
import fcntl
import json
import os
import select
import signal
import subprocess
import termios
import unittest

import support

PIPE = 64 * 1024  # what a pipe holds


def lines(count, begin=0, pad=0):
    return b"".join(b'{"n":%d,"pad":"%s"}\n' % (n, b"x" * pad) for n in range(begin, begin + count))


def numbers(windows):
    return [document["n"] for window in windows for document in window["data"]]


class SignalTest(support.ToolTest):
    def rest(self, size):
        """All windows that are left."""
        return self.ok("consume", "s", "--size", str(size), "--idle-exit", "0", "--flush").windows()

    def listening(self, process):
        """The tool has its handlers, and a signal will not just end it."""
        def caught():
            with open(f"/proc/{process.pid}/status") as status:
                mask = next(line for line in status if line.startswith("SigCgt:"))
            return int(mask.split()[1], 16) >> (signal.SIGTERM - 1) & 1

        self.wait_until(caught, "the signal handlers are there")


class Append(SignalTest):
    def test_what_was_acknowledged_is_there_and_counted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number=number):
                stream = f"s{int(number)}"
                process = self.start("append", stream, stdin=subprocess.PIPE)
                process.stdin.write(lines(1_000) + b'{"unfinished":')
                process.stdin.flush()
                self.wait_until(lambda: self.appended(stream) == 1_000, "the lines are stored")
                process.send_signal(number)
                done = self.end_with_open_input(process)
                self.assertEqual((done.code, done.err), (0, ""))
                self.assertEqual(json.loads(done.out), {"appended": 1_000, "first": 0, "last": 999})
                self.assertEqual(self.appended(stream), 1_000)

    def test_in_the_middle_of_a_stream_of_lines(self):
        process = self.start("append", "s", stdin=subprocess.PIPE)
        block = lines(100)
        os.set_blocking(process.stdin.fileno(), False)
        signalled = False
        while process.poll() is None:  # as a producer that never stops
            _, room, _ = select.select([], [process.stdin], [], 0.01)
            try:
                if room:
                    os.write(process.stdin.fileno(), block)
            except (BlockingIOError, BrokenPipeError):
                pass
            if not signalled and self.appended("s") > 0:
                process.send_signal(signal.SIGINT)
                signalled = True
        done = self.end_with_open_input(process)
        self.assertEqual((done.code, done.err), (0, ""), done)
        told = json.loads(done.out)
        self.assertGreater(told["appended"], 0)
        self.assertEqual((told["first"], told["last"]), (0, told["appended"] - 1))
        self.assertEqual(self.appended("s"), told["appended"])

    def test_a_signal_before_the_database_is_open(self):
        hold_up = self.own_database()
        self.ok("append", "s", input=lines(1))
        go_on = hold_up()
        process = self.start("append", "s", stdin=subprocess.PIPE)
        self.listening(process)
        process.send_signal(signal.SIGTERM)
        # The second kind of signal is heard after the first, and would end it: so this one is taken.
        self.wait_until(lambda: not pending(process.pid, signal.SIGTERM), "the signal has arrived")
        go_on()
        done = self.end_with_open_input(process)
        self.assertEqual((done.code, json.loads(done.out)["appended"]), (0, 0), done)

    def at_work_and_held_up(self):
        """An `append` that has stored one line and waits for more, which cannot be stored before the
        returned function is called."""
        hold_up = self.own_database()
        process = self.start("append", "s", stdin=subprocess.PIPE)
        process.stdin.write(lines(1))
        process.stdin.flush()
        self.wait_until(lambda: self.appended("s") == 1, "it is at work")
        return process, hold_up()

    def test_a_second_signal_ends_it_at_once(self):
        process, go_on = self.at_work_and_held_up()
        process.stdin.write(lines(1))
        process.stdin.flush()
        self.wait_until(lambda: unread(process.stdin) == 0, "it has taken the line, which cannot be stored now")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(support.LIMIT), 130)
        go_on()

    def test_the_database_is_away_for_a_while(self):
        process, go_on = self.at_work_and_held_up()
        process.stdin.write(lines(1, 1))
        process.stdin.flush()
        self.wait_until(lambda: unread(process.stdin) == 0, "it has taken the line")
        process.send_signal(signal.SIGINT)
        self.wait_until(lambda: not pending(process.pid, signal.SIGINT), "the signal has arrived")
        go_on()
        done = self.end_with_open_input(process)
        self.assertEqual((done.code, json.loads(done.out)["appended"]), (0, 2), done)

    def end_with_open_input(self, process):
        process.wait(support.LIMIT)
        out, err = process.stdout.read(), process.stderr.read()
        return support.Done(process.returncode, out, err)


class Consume(SignalTest):
    def test_while_it_waits(self):
        self.ok("append", "s", input=lines(25))
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("consume", "s", "--size", "10")
            first = [self.read_line(process) for _ in range(2 if number == signal.SIGINT else 0)]
            self.listening(process)
            process.send_signal(number)
            done = self.end(process)
            self.assertEqual((done.code, done.out, done.err), (0, "", ""))
            if first:
                self.assertEqual(numbers(json.loads(line) for line in first), list(range(20)))
        # The lease was given back: the next one starts at once, with what is left.
        self.assertEqual(numbers(self.rest(10)), list(range(20, 25)))

    def test_flush_at_the_end(self):
        self.ok("append", "s", input=lines(5))
        process = self.start("consume", "s", "--size", "3", "--flush")
        first = json.loads(self.read_line(process))
        process.terminate()
        done = self.end(process)
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertEqual(first["reason"], "count")
        self.assertEqual([(w["reason"], w["first"], w["last"]) for w in done.windows()], [("flush", 3, 4)])

    def test_in_the_middle_of_its_output(self):
        self.ok("append", "s", input=lines(1_000, pad=1_000))
        process = self.start("consume", "s", "--size", "100")  # a window is larger than a pipe
        self.wait_until(lambda: unread(process.stdout) >= PIPE // 2, "it writes")
        process.terminate()
        done = self.end(process)
        self.assertEqual((done.code, done.err), (0, ""))
        taken = numbers(done.windows())
        self.assertGreaterEqual(len(taken), 100)
        self.assertEqual(taken + numbers(self.rest(100)), list(range(1_000)))

    def test_a_second_signal_while_nobody_reads(self):
        self.ok("append", "s", input=lines(1_000, pad=1_000))
        process = self.start("consume", "s", "--size", "1000")
        self.wait_until(lambda: unread(process.stdout) >= PIPE // 2, "it writes")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(support.LIMIT), 130)

    def test_killed_in_the_middle_of_a_window_and_started_again(self):
        self.ok("append", "s", input=lines(1_000, pad=1_000))
        process = self.start("consume", "s", "--size", "100", before=["env", "-u", "MONGOC_DISABLE_SHM"])  # as with users
        whole = json.loads(self.read_line(process))
        self.wait_until(lambda: unread(process.stdout) >= PIPE // 2, "it is within the second window")
        process.kill()
        self.assertEqual(process.wait(support.LIMIT), -signal.SIGKILL)
        self.assertFalse(os.path.exists(f"/dev/shm/mongoc-{process.pid}"), "a file is left in shared memory")
        # Its lease runs out first.
        windows = self.ok("consume", "s", "--size", "100", "--idle-exit", "0").windows()
        self.assertEqual(numbers([whole, *windows]), list(range(1_000)))
        self.assertEqual([(w["window"], w["attempt"]) for w in windows],
                         [(f"default/0/{100 * n}-{100 * n + 99}", 2 if n == 1 else 1) for n in range(1, 10)])

    def test_two_at_once_and_one_is_killed(self):
        self.ok("append", "s", input=lines(500))
        first = self.start("consume", "s", "--size", "10", "--max-windows", "20")
        windows = [json.loads(self.read_line(first)) for _ in range(20)]
        self.assertEqual(self.end(first).code, 0)
        holder = self.start("consume", "s", "--size", "1000")  # takes the lease, and never has a window
        self.wait_until(lambda: f":{holder.pid}" in self.ok("info", "s").out, "it has the lease")
        standby = self.start("consume", "s", "--size", "10", "--max-windows", "30")
        holder.kill()
        windows += self.end(standby).windows()
        self.assertEqual(numbers(windows), list(range(500)))


class Output(SignalTest):
    def test_closed_early(self):
        self.ok("append", "s", input=lines(1_000, pad=1_000))
        process = self.start("consume", "s", "--size", "100")
        head = subprocess.run(["head", "-n", "1"], stdin=process.stdout, capture_output=True, timeout=support.LIMIT)
        process.stdout.close()
        process.wait(support.LIMIT)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(process.stderr.read(), b"minibatch: standard output: Broken pipe\n")
        first = json.loads(head.stdout)
        # The second one is larger than a pipe, so that it was never written as a whole: it comes again.
        windows = self.rest(100)
        self.assertEqual([w["attempt"] for w in windows[:2]], [2, 1])
        self.assertEqual(numbers([first, *windows]), list(range(1_000)))

    def test_the_other_commands(self):
        self.ok("append", "s", input=lines(1_000, pad=1_000))
        for command in (["peek", "s"], ["streams"], ["info", "s"], ["--help"], ["append", "s"]):
            read, write = os.pipe()
            os.close(read)
            done = self.end(self.start(*command, stdout=write))
            os.close(write)
            self.assertEqual((done.code, done.err), (1, "minibatch: standard output: Broken pipe\n"), command)


def unread(pipe):
    """Bytes that lie in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, count)
    return count[0]


def pending(pid, number):
    with open(f"/proc/{pid}/status") as status:
        masks = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


if __name__ == "__main__":
    support.main()
