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
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    def test_a_pipe_that_goes_on(self):
        for number in STOPS:
            with self.subTest(number=number):
                stream = f"s{int(number)}"
                process = self.start("append", stream, stdin=subprocess.PIPE)
                process.stdin.write(lines(1_000) + b'{"unfinished":')
                process.stdin.flush()
                self.wait_until(lambda: self.appended(stream) == 1_000, "the lines are stored")
                process.send_signal(number)
                done = self.end_with_open_input(process)
                self.assertEqual(done.code, 128 + number)
                self.assertEqual(json.loads(done.out), {"appended": 1_000, "first": 0, "last": 999})
                self.assertEqual(done.err, f"minibatch: {number.name}: stopped before the end of the input, after -:1000\n"
                                           "-:1001 was not stored: only its beginning has been read\n")
                self.assertEqual(self.appended(stream), 1_000)

    def test_a_file(self):
        """What bash does with `append F && rm F`, which goes on after programs that handle the signal."""
        count = 300_000
        self.file("f.jsonl", lines(count, pad=100))
        done = subprocess.Popen(["bash", "-c", '"$0" append s f.jsonl && rm f.jsonl', self.tool], cwd=self.dir,
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)
        self.wait_until(lambda: self.appended("s") > 0, "it is at work")
        os.killpg(done.pid, signal.SIGINT)
        out, err = done.communicate(timeout=support.LIMIT)
        self.assertTrue(os.path.exists(self.path("f.jsonl")), "it was removed although not all of it was stored")
        told = json.loads(out)
        self.assertTrue(0 < told["appended"] < count, told)
        self.assertRegex(err.decode(), rf"^minibatch: SIGINT: stopped before the end of the input, after f.jsonl:"
                                       rf"{told['appended']}\n$")
        self.assertEqual(self.appended("s"), told["appended"])

    def test_what_lies_in_the_pipe_is_stored(self):
        """Also when its writer is ended by the same signal: then the input has ended."""
        process = self.start("append", "s", stdin=subprocess.PIPE)
        process.stdin.write(lines(1))
        process.stdin.flush()
        self.wait_until(lambda: self.appended("s") == 1, "it is at work")
        process.send_signal(signal.SIGSTOP)
        process.stdin.write(lines(500, 1))
        process.stdin.close()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        done = self.end_with_open_input(process)
        self.assertEqual((done.code, done.err), (0, ""), done)
        self.assertEqual(json.loads(done.out)["appended"], 501)

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
        told = json.loads(done.out)
        self.assertEqual(done.code, 130, done)
        self.assertIn(f"minibatch: SIGINT: stopped before the end of the input, after -:{told['appended']}\n", done.err)
        self.assertGreater(told["appended"], 0)
        self.assertEqual((told["first"], told["last"]), (0, told["appended"] - 1))
        self.assertEqual(self.appended("s"), told["appended"])

    def test_before_the_database_is_open(self):
        hold_up = self.own_database()
        go_on = hold_up()
        process = self.start("append", "s", "--timeout", "0", stdin=subprocess.PIPE)
        self.listening(process)
        process.send_signal(signal.SIGTERM)
        # Nothing is in hand: it does not wait for the database.
        done = self.end_with_open_input(process)
        # The line is missing when the signal came before the command was at work.
        self.assertEqual(done.code, 143, done)
        self.assertIn(done.out, ("", support.NOTHING), done)
        go_on()

    def at_work_and_held_up(self, *options):
        """An `append` that has stored one line and waits for more, which cannot be stored before the
        returned function is called."""
        hold_up = self.own_database()
        process = self.start("append", "s", *options, stdin=subprocess.PIPE)
        process.stdin.write(lines(1))
        process.stdin.flush()
        self.wait_until(lambda: self.appended("s") == 1, "it is at work")
        return process, hold_up()

    def test_a_second_signal_ends_it_at_once(self):
        process, go_on = self.at_work_and_held_up("--timeout", "0")
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
        self.assertEqual((done.code, json.loads(done.out)["appended"]), (130, 2), done)

    def test_the_database_stays_away(self):
        """What is in hand after the signal is named when it could not be stored."""
        process, _ = self.at_work_and_held_up("--timeout", "1")
        process.stdin.write(lines(1, 1))
        process.stdin.flush()
        self.wait_until(lambda: unread(process.stdin) == 0, "it has taken the line")
        process.send_signal(signal.SIGINT)
        done = self.end_with_open_input(process)
        self.assertEqual((done.code, json.loads(done.out)["appended"]), (75, 1), done)
        self.assertRegex(done.err, r"(^|\n)-:2 (was not|may have been) stored: ")

    def end_with_open_input(self, process):
        process.wait(support.LIMIT)
        out, err = process.stdout.read(), process.stderr.read()
        return support.Done(process.returncode, out, err)


class Peek(SignalTest):
    def test_in_the_middle_of_its_output(self):
        """What a shell does with `peek s > f && delete s`."""
        self.ok("append", "s", input=lines(30_000, pad=1_000))
        process = self.start("peek", "s")
        self.wait_until(lambda: unread(process.stdout) >= PIPE // 2, "it writes")
        process.send_signal(signal.SIGINT)
        self.wait_until(lambda: not pending(process.pid, signal.SIGINT), "the signal has arrived")
        done = self.end(process)
        self.assertEqual((done.code, done.err), (130, ""))
        printed = done.out.splitlines()
        self.assertTrue(0 < len(printed) < 30_000)
        self.assertEqual([json.loads(line)["n"] for line in printed], list(range(len(printed))))


class Consume(SignalTest):
    def test_while_it_waits(self):
        self.ok("append", "s", input=lines(25))
        for number in STOPS:
            process = self.start("consume", "s", "--size", "10")
            first = [self.read_line(process) for _ in range(2 if number == signal.SIGINT else 0)]
            self.listening(process)
            process.send_signal(number)
            done = self.end(process)
            self.assertEqual((done.code, done.out, done.err), (0, "", ""))
            if first:
                self.assertEqual(numbers(json.loads(line) for line in first), list(range(20)))
        # The lease was released: the next one starts at once, with what is left.
        self.assertEqual(numbers(self.rest(10)), list(range(20, 25)))

    def test_before_the_end_that_was_asked_for(self):
        self.ok("append", "s", input=lines(25))
        for option in ("--max-windows", "--idle-exit"):
            for number in STOPS:
                process = self.start("consume", "s", "--size", "100", option, "1000")
                self.wait_until(lambda: f":{process.pid}" in self.ok("info", "s").out, "it has the lease")
                process.send_signal(number)
                done = self.end(process)
                self.assertEqual((done.code, done.out, done.err), (128 + number, "", ""), (option, number))
        self.assertEqual(numbers(self.rest(100)), list(range(25)))

    def test_without_a_terminal(self):
        """A SIGHUP is ignored where it was ignored before, as by nohup."""
        process = self.start("consume", "s", "--size", "1", before=["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""])
        self.listening(process)
        process.send_signal(signal.SIGHUP)
        self.append("s", [{"n": 0}])
        self.assertEqual(json.loads(self.read_line(process))["data"], [{"n": 0}])
        process.terminate()
        self.assertEqual(self.end(process).code, 0)

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
        self.assertEqual((process.returncode, process.stderr.read()), (141, b""))
        first = json.loads(head.stdout)
        # The second one is larger than a pipe, so that it was never written as a whole: it comes again.
        windows = self.rest(100)
        self.assertEqual([w["attempt"] for w in windows[:2]], [2, 1])
        self.assertEqual(numbers([first, *windows]), list(range(1_000)))


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
