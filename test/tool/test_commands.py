"""The commands as their users type them: what they print, and what they say to wrong use."""
import json
import os
import sqlite3
import subprocess
import time
import unittest

import support


def numbers(count, begin=0):
    return [{"n": n} for n in range(begin, begin + count)]


class Append(support.ToolTest):
    def test_from_standard_input_and_files_in_their_order(self):
        self.file("a.jsonl", '{"n":1}\n{"n":2}\n')
        self.file("b.jsonl", '{"n":4}')
        done = self.ok("append", "s", "a.jsonl", "-", "b.jsonl", input='{"n":3}\n')
        self.assertEqual(done.out, '{"appended":4,"first":0,"last":3}\n')
        self.assertEqual(self.documents("s"), numbers(4, 1))
        self.assertEqual(self.ok("append", "s", input='{"n":5}\n').out, '{"appended":1,"first":4,"last":4}\n')

    def test_nothing(self):
        nothing = '{"appended":0,"first":null,"last":null}\n'
        self.assertEqual(self.ok("append", "s").out, nothing)
        self.assertEqual(self.ok("append", "s", "/dev/null").out, nothing)
        self.assertEqual(self.ok("append", "s", "--skip-bad").out, nothing.replace("}", ',"skipped":0}'))
        self.assertEqual(self.ok("streams").out, "s\n")

    def test_a_file_that_cannot_be_read_is_named_and_what_came_before_is_there(self):
        self.file("a.jsonl", '{"n":0}\n')
        for name, why in (("missing.jsonl", "No such file"), (".", "Is a directory")):
            done = self.fails(1, [f"minibatch: {name}: {why}"], "append", "s", "a.jsonl", name, "a.jsonl")
            self.assertEqual(json.loads(done.out)["appended"], 1)
        self.assertEqual(self.documents("s"), numbers(1) * 2)

    def test_a_line_is_stored_while_the_input_stays_open(self):
        self.ok("append", "s")
        consumer = self.start("consume", "s", "--size", "1", "--max-windows", "2")
        producer = self.start("append", "s", stdin=subprocess.PIPE)
        for document in numbers(2):
            producer.stdin.write(json.dumps(document).encode() + b"\n")
            producer.stdin.flush()
            self.assertEqual(json.loads(self.read_line(consumer))["data"], [document])
        self.assertEqual(self.end(consumer).code, 0)
        self.assertEqual(json.loads(self.end(producer).out), {"appended": 2, "first": 0, "last": 1})

    def test_the_answer_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            process = self.start("append", "s", stdin=subprocess.PIPE, stdout=full)
            done = self.end(process, b'{"n":0}\n')
        self.assertEqual(done.code, 1)
        self.assertIn("standard output: No space left on device", done.err)
        self.assertEqual(self.appended("s"), 1)


class Consume(support.ToolTest):
    def test_by_count(self):
        self.append("s", numbers(25))
        windows = self.ok("consume", "s", "--size", "10", "--idle-exit", "0.1").windows()
        self.assertEqual([w["window"] for w in windows], ["default/0/0-9", "default/0/10-19"])
        self.assertEqual(windows[0]["data"], numbers(10))
        whole = dict(windows[1])
        self.assertEqual([whole.pop(k) for k in ("stream", "partition", "first", "last", "count", "reason", "attempt")],
                         ["s", 0, 10, 19, 10, "count", 1])
        self.assertLessEqual(whole["start"], whole["end"])
        # Nothing of it comes again; the remainder does, when asked for.
        rest = self.ok("consume", "s", "--size", "10", "--idle-exit", "0.1", "--flush").windows()
        self.assertEqual([(w["window"], w["reason"]) for w in rest], [("default/0/20-24", "flush")])
        self.assertEqual(self.ok("consume", "s", "--size", "1", "--idle-exit", "0.1").out, "")

    def test_a_window_is_committed_after_it_was_written(self):
        self.append("s", numbers(3))
        with open("/dev/full", "wb") as full:
            done = self.end(self.start("consume", "s", "--size", "1", "--idle-exit", "0.1", stdout=full))
        self.assertEqual(done.code, 1)
        self.assertIn("standard output: No space left on device", done.err)
        windows = self.ok("consume", "s", "--size", "1", "--idle-exit", "0.1").windows()
        self.assertEqual([w["first"] for w in windows], [0, 1, 2])

    def test_max_windows(self):
        self.append("s", numbers(5))
        for first in range(0, 4, 2):
            windows = self.ok("consume", "s", "--size", "1", "--max-windows", "2").windows()
            self.assertEqual([w["first"] for w in windows], [first, first + 1])

    def test_idle_exit_zero_takes_what_is_there(self):
        self.append("s", numbers(25))
        windows = self.ok("consume", "s", "--size", "10", "--idle-exit", "0").windows()
        self.assertEqual([w["count"] for w in windows], [10, 10])

    def test_idle_exit_counts_from_the_last_message_also_of_an_unfinished_window(self):
        self.append("s", numbers(2))
        consumer = self.start("consume", "s", "--size", "1000", "--idle-exit", "1.5", "--flush")
        producer = self.start("append", "s", stdin=subprocess.PIPE)
        # Each append takes its time (a process), so that all of them together last longer than the limit.
        began = os.times().elapsed
        count = 2
        while os.times().elapsed - began < 3:
            producer.stdin.write(json.dumps({"n": count}).encode() + b"\n")
            producer.stdin.flush()
            count += 1
            self.wait_until(lambda: self.appended("s") == count, "the message is stored")
            self.assertIsNone(consumer.poll(), "left although messages came")
        self.end(producer)
        self.assertEqual([w["data"] for w in self.end(consumer).windows()], [numbers(count)])

    def test_by_interval(self):
        self.append("s", numbers(7))
        windows = self.ok("consume", "s", "--interval", "0.05", "--max-windows", "1").windows()
        self.assertEqual([(w["reason"], w["count"], w["data"]) for w in windows], [("time", 7, numbers(7))])
        # No empty windows, unless asked for.
        self.assertEqual(self.ok("consume", "s", "--interval", "0.05", "--idle-exit", "0.3").out, "")

    def test_by_fixed_interval(self):
        self.append("s", numbers(7))
        windows = self.ok("consume", "s", "--interval", "0.1", "--fixed", "--max-windows", "4").windows()
        self.assertEqual([d for w in windows for d in w["data"]], numbers(7))
        for window, following in zip(windows, windows[1:]):
            self.assertEqual(window["end"], following["start"])
        for window in windows:
            self.assertEqual((window["start"] % 100, window["end"] - window["start"]), (0, 100))
        empty = windows[-1]
        self.assertEqual((empty["first"], empty["last"], empty["count"], empty["window"]),
                         (None, None, 0, f"default/0/@{empty['start']}"))
        # Empty windows do not hold up the exit, and can be left out.
        self.ok("consume", "s", "--interval", "0.05", "--fixed", "--idle-exit", "0.3")
        left_out = self.ok("consume", "s", "--interval", "0.05", "--fixed", "--no-empty", "--idle-exit", "0.3")
        self.assertEqual(left_out.out, "")

    def test_max_age_and_max_bytes(self):
        self.append("s", numbers(3))
        by_age = self.ok("consume", "s", "--size", "100", "--max-age", "0.05", "--max-windows", "1").windows()
        self.assertEqual([(w["reason"], w["count"]) for w in by_age], [("timeout", 3)])
        self.append("s", numbers(3))
        by_bytes = self.ok("consume", "s", "--size", "100", "--max-bytes", "16", "--max-windows", "1").windows()
        self.assertEqual([(w["reason"], w["count"]) for w in by_bytes], [("bytes", 2)])

    def test_groups_keep_and_from(self):
        self.append("s", numbers(4))
        self.assertEqual(self.ok("consume", "s", "--size", "1", "--from", "latest", "--idle-exit", "0.1",
                                 "--group", "late").out, "")
        for group in ("a", "b"):
            windows = self.ok("consume", "s", "--size", "2", "--group", group, "--keep", "--max-in-flight", "3",
                              "--idle-exit", "0.1").windows()
            self.assertEqual([w["window"] for w in windows], [f"{group}/0/0-1", f"{group}/0/2-3"])
        self.assertEqual(self.documents("s"), numbers(4))
        self.append("s", numbers(1, 4))
        late = self.ok("consume", "s", "--size", "1", "--group", "late", "--idle-exit", "0.1").windows()
        self.assertEqual([w["data"] for w in late], [[{"n": 4}]])

    def test_idle_exit_waits_for_windows_that_time_will_close(self):
        self.append("s", numbers(3))
        for group, options, reason in (("a", ["--interval", "2"], "time"), ("b", ["--interval", "2", "--fixed", "--no-empty"], "time"),
                                       ("c", ["--size", "10", "--max-age", "2"], "timeout")):
            windows = self.ok("consume", "s", *options, "--group", group, "--keep", "--idle-exit", "0.1").windows()
            self.assertEqual([(w["reason"], w["data"]) for w in windows], [(reason, numbers(3))])
        # What is flushed need not be waited for.
        windows = self.ok("consume", "s", "--interval", "1000", "--group", "d", "--keep", "--idle-exit", "0.1",
                          "--flush").windows()
        self.assertEqual([w["reason"] for w in windows], ["flush"])

    def test_windows_that_are_shifted(self):
        self.append("s", numbers(3))
        window, = self.ok("consume", "s", "--interval", "0.5", "--fixed", "--window-offset", "0.2", "--no-empty",
                          "--max-windows", "1").windows()
        self.assertEqual((window["start"] % 500, window["data"]), (200, numbers(3)))
        self.fails(2, "--window-offset: needs --interval with --fixed", "consume", "s", "--interval", "1",
                   "--window-offset", "1")

    def test_local_days(self):
        """Flushed in the middle of the day, whose bounds show."""
        self.append("s", numbers(3))
        bounds = {}
        for zone in ("UTC", "Asia/Kolkata"):
            window, = self.ok("consume", "s", "--interval", "86400", "--fixed", "--time-zone", zone, "--group",
                              zone.replace("/", "-"), "--keep", "--no-empty", "--idle-exit", "0", "--flush").windows()
            self.assertEqual((window["data"], window["end"] - window["start"]), (numbers(3), 86_400_000))
            bounds[zone] = window["start"] % 86_400_000
        self.assertEqual(bounds, {"UTC": 0, "Asia/Kolkata": 66_600_000})  # 18:30, since it is always 5:30 ahead
        self.fails(2, "Europe/Nowhere", "consume", "s", "--interval", "86400", "--fixed", "--time-zone", "Europe/Nowhere")
        self.fails(2, "days", "consume", "s", "--interval", "3600", "--fixed", "--time-zone", "Europe/Berlin")
        self.fails(2, "--time-zone: needs --interval with --fixed", "consume", "s", "--size", "1", "--time-zone", "UTC")

    def test_two_consumers_of_a_group_at_once_get_each_message_once(self):
        self.append("s", numbers(1000))
        first = self.start("consume", "s", "--size", "10", "--max-windows", "30")
        second = self.start("consume", "s", "--size", "10", "--max-windows", "70")
        windows = self.end(first).windows() + self.end(second).windows()
        self.assertEqual((first.returncode, second.returncode), (0, 0))
        self.assertEqual(sorted(d["n"] for w in windows for d in w["data"]), list(range(1000)))

    def test_a_group_that_another_consumer_holds_is_said(self):
        self.append("s", numbers(1))
        self.append("t", [])
        holders = {stream: self.start("consume", stream, "--size", "10") for stream in ("s", "t")}
        for stream in holders:
            self.wait_until(lambda: "consumer" in self.ok("info", stream).out.replace("no consumer", ""),
                            "the lease is taken")
        begun = time.monotonic()
        standbys = [self.start("consume", stream, "--size", "1", "--idle-exit", "0") for stream in ("s", "t")]
        left = {"s": 1, "t": 0}
        for (stream, lag), process in zip(left.items(), standbys):
            done = self.end(process)
            self.assertGreater(time.monotonic() - begun, 10, "the holder might have been killed: its lease lasts so long")
            self.assertEqual((done.code, done.out), (1, ""))
            for word in ("group 'default'", f"stream '{stream}'", "another consumer", f":{holders[stream].pid}",
                         f"left to commit: {lag}"):
                self.assertIn(word, done.err)


class Look(support.ToolTest):
    def test_peek(self):
        self.append("s", numbers(12))
        self.assertEqual(self.documents("s"), numbers(12))
        self.assertEqual([json.loads(line) for line in self.ok("peek", "s", "--limit", "2").out.splitlines()], numbers(2))
        self.assertEqual(json.loads(self.ok("info", "s", "--json").out)["groups"], [])

    def test_streams(self):
        for name in ("zebra", "A.b-c_d", "streams", "x" * 120):
            self.append(name, numbers(1))
        self.assertEqual(self.ok("streams").out, f"A.b-c_d\nstreams\n{'x' * 120}\nzebra\n")

    def test_info(self):
        self.append("s", numbers(3))
        self.assertEqual(self.ok("info", "s").out, "stream      s\npartitions  1\nmessages    3\nbytes       30\n")
        self.ok("consume", "s", "--size", "2", "--max-windows", "1", "--keep", "--group", "g")
        self.assertTrue(self.ok("info", "s").out.endswith("group       g: lag 1, keeps, no consumer\n"))
        self.assertEqual(json.loads(self.ok("info", "s", "--json").out),
                         {"stream": "s", "partitions": 1, "messages": 3, "bytes": 30, "ahead_ms": 0, "groups": [
                             {"name": "g", "keep": True, "lag": 1, "lost": 0, "owner": ""}]})

    def test_delete(self):
        self.append("s", numbers(3))
        self.ok("consume", "s", "--size", "1", "--max-windows", "1")
        self.assertEqual(self.ok("delete", "s").out, "")
        self.assertEqual(self.ok("streams").out, "")
        self.assertEqual(self.append("s", numbers(1))["first"], 0)

    def test_delete_group(self):
        self.append("s", numbers(1))
        holder = self.start("consume", "s", "--size", "10", "--group", "g")
        self.wait_until(lambda: "g: lag 1, consumer" in self.ok("info", "s").out, "the lease is taken")
        self.fails(1, ["group 'g'", "in use"], "groups", "delete", "s", "g")
        holder.terminate()
        self.assertEqual(self.end(holder).code, 0)
        self.assertEqual(self.ok("groups", "delete", "s", "g").out, "")
        self.fails(1, ["stream 's' has no group 'g'"], "groups", "delete", "s", "g")

    about_nothing = (["info", "nope"], ["delete", "nope"], ["peek", "nope"], ["groups", "delete", "nope", "g"])

    @support.sqlite_only
    def test_looking_makes_no_database(self):
        for command in (*self.about_nothing, ["streams"]):
            self.fails(1, [self.path("test.db"), "does not exist"], *command)
            self.assertFalse(os.path.exists(self.path("test.db")))

    def test_what_does_not_exist_is_named(self):
        self.append("s", numbers(1))
        for command in self.about_nothing:
            done = self.fails(1, "there is no stream 'nope'", *command)
            self.assertEqual(done.out, "")
        self.assertEqual(self.ok("streams").out, "s\n")


class Names(support.ToolTest):
    def test_names_of_streams_that_are_not_allowed(self):
        for name in ("a/b", "../a", "a b", " a", ".a", "-", "a:b", "ä", "x" * 121, "a\tb"):
            shown = name.replace("\t", "\\x09")
            for command in (["append"], ["consume", "--size", "1"], ["peek"], ["info"], ["delete"]):
                self.fails(2, ["stream name", f"'{shown}'", "not allowed", "120"], *command, "--", name)
        self.assertEqual(self.ok("streams").out, "")

    def test_the_ending_of_dead_letters_is_reserved(self):
        self.fails(2, ["'s.dead'", "reserved"], "append", "s.dead", input='{"n":1}\n')
        self.fails(2, ["'s.dead'", "reserved"], "consume", "s.dead", "--size", "1")
        self.assertEqual(self.ok("streams").out, "")

    def test_an_empty_name(self):
        for command in (["append"], ["consume", "--size", "1"], ["peek"], ["info"], ["delete"]):
            self.fails(2, "STREAM is required", *command, "")

    def test_a_terminal_gets_no_commands(self):
        evil = "a\x1b[31mb\nc\x7f"
        self.append("s", numbers(1))
        self.fails(2, "'a\\x1b[31mb\\x0ac\\x7f'", "info", evil)
        self.fails(2, "a\\x1b[31mb\\x0ac\\x7f", evil)
        self.fails(1, "a\\x1b[31mb\\x0ac\\x7f: No such file", "append", "s", evil)
        self.file(evil, "x\n")
        done = self.fails(2, "a\\x1b[31mb\\x0ac\\x7f:1: ", "append", "s", evil)
        self.assertNotIn("\x1b", done.err)

    def test_names_of_groups(self):
        self.append("s", numbers(1))
        for name in ("a/b", "a b", "x" * 121):
            self.fails(2, ["group name", f"'{name}'"], "consume", "s", "--size", "1", "--group", name)
            self.fails(2, ["group name", f"'{name}'"], "groups", "delete", "s", name)
        self.fails(2, "--group", "consume", "s", "--size", "1", "--group", "")


class Use(support.ToolTest):
    def test_help_of_every_command(self):
        every = {(): ["append", "consume", "peek", "streams", "info", "delete", "groups", "--version"],
                 ("append",): ["STREAM", "FILE", "--key", "--skip-bad"],
                 ("consume",): ["STREAM", "--size", "--interval", "--fixed", "--max-age", "--max-bytes", "--no-empty",
                                "--group", "--keep", "--max-in-flight", "--max-windows", "--idle-exit", "--from",
                                "earliest|latest", "--flush", "--window-offset", "--time-zone"],
                 ("peek",): ["STREAM", "--from", "--last", "--follow", "--limit"],
                 ("streams",): [],
                 ("info",): ["STREAM", "--json"],
                 ("delete",): ["STREAM"],
                 ("groups",): ["delete"],
                 ("groups", "delete"): ["STREAM", "GROUP"]}
        for command, words in every.items():
            for option in ("--help", "-h"):
                done = self.ok(*command, option)
                for word in words + ["--timeout", "--db", "sqlite:PATH", "mongodb://HOST/DATABASE", "Exit codes"]:
                    self.assertIn(word, done.out, command)
        self.assertFalse(os.listdir(self.dir), "help must not make a database")

    def test_version(self):
        self.assertRegex(self.ok("--version").out, r"^minibatch \d+\.\d+\.\d+\n$")
        self.assertEqual(self.ok("-V").out, self.ok("--version").out)

    def test_help_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            done = self.end(self.start("--help", stdout=full))
        self.assertEqual(done.code, 1)
        self.assertIn("standard output", done.err)

    def test_wrong_use_is_named(self):
        for words, args in ((["minibatch: a command is required"], []),
                            (["minibatch: unknown command 'frobnicate'"], ["frobnicate"]),
                            (["unknown option '--frob'"], ["--frob", "streams"]),
                            (["minibatch append: unknown option '--nope'"], ["append", "s", "--nope"]),
                            (["minibatch append: STREAM is required"], ["append"]),
                            (["minibatch consume: --size or --interval is required"], ["consume", "s"]),
                            (["minibatch consume: --size: its value is missing"], ["consume", "s", "--size"]),
                            (["minibatch consume: --size: it is given more than once"],
                             ["consume", "s", "--size", "1", "--size", "2"]),
                            (["minibatch consume: --size: 'x' is not a whole number"], ["consume", "s", "--size", "x"]),
                            (["minibatch consume: unexpected argument 't'"], ["consume", "s", "t", "--size", "1"]),
                            (["minibatch peek: STREAM is required"], ["peek"]),
                            (["minibatch peek: --from: 'now'"], ["peek", "s", "--from", "now"]),
                            (["minibatch info: STREAM is required"], ["info"]),
                            (["minibatch delete: unexpected argument 't'"], ["delete", "s", "t"]),
                            (["minibatch streams: unexpected argument 's'"], ["streams", "s"]),
                            (["minibatch groups: the command 'delete' is required"], ["groups"]),
                            (["minibatch groups: unknown command 'list'"], ["groups", "list"]),
                            (["minibatch groups delete: GROUP is required"], ["groups", "delete", "s"])):
            done = self.fails(2, words, *args)
            self.assertEqual(done.out, "")
            self.assertRegex(done.err, r"\nRun 'minibatch[a-z ]* --help' for the options\.\n$")
        self.assertFalse(os.listdir(self.dir), "wrong use must not make a database")

    def test_wrong_urls_are_named(self):
        for url, word in (("http://host/x", "unknown scheme 'http'"), ("test.db", "write 'sqlite:test.db'"),
                          ("sqlite:", "no file is named"), ("sqlite::memory:", "memory:"),
                          ("sqlite:x?mode=ro", "unknown parameter 'mode'"), ("sqlite://host/x", "no host"),
                          ("sqlite:a%zz", "hexadecimal"), ("sqlite:x?synchronous=off", "'off'")):
            for arguments in (["--db", url, "streams"], ["append", "s", "--db", url]):
                self.fails(2, ["URL", url, word], *arguments)
            self.environment["MINIBATCH_URL"] = url
            self.fails(2, ["URL", url, word], "streams")
        self.fails(2, "--db: the URL is empty", "--db", "", "streams")
        self.fails(2, "minibatch: --db: its value is missing", "--db=", "streams")
        self.assertFalse(os.listdir(self.dir), "a wrong URL must not make a file")

    @support.sqlite_only
    def test_where_the_database_is(self):
        self.append("s", numbers(1))
        self.assertEqual(self.ok("--db", "sqlite:test.db", "streams").out, "s\n")
        self.assertEqual(self.ok("streams", "--db", "sqlite://" + self.path("test.db")).out, "s\n")
        del self.environment["MINIBATCH_URL"]
        self.append("t", numbers(1))
        self.assertEqual(self.ok("streams", "--db", "sqlite:minibatch.db").out, "t\n")
        self.assertEqual(sqlite3.connect(self.path("minibatch.db")).execute(
            "SELECT stream, offset, data FROM minibatch_messages").fetchall(), [("t", 0, '{"n":0}')])


if __name__ == "__main__":
    support.main()
