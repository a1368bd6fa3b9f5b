"""What the tests of the tool share: the built program is in MINIBATCH_TOOL, each test has a directory of its own.

A file of tests is run as `test_x.py [--db-kind sqlite|mongo] [--mongo-server PROGRAM] [what unittest takes]`. With
`mongo`, each test has a fresh database on a MongoDB server (see mongo_server.py) in place of a file. Tests that are about
files are marked `sqlite_only` and do not exist there; files of such tests say `main(kinds=("sqlite",))`.

Most tests wait rather than compute, so the tests of a file run side by side, in threads. A test changes nothing that the
others share: environment and working directory are arguments of the processes that it starts."""
import argparse
import concurrent.futures
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import mongo_server

TOOL = os.environ.get("MINIBATCH_TOOL")
LIMIT = 120  # seconds that nothing here ever takes
WORKERS = 6  # tests at the same time
LOCK = threading.Lock()  # for what is printed
# The MongoDB driver shares its counters in /dev/shm/mongoc-PID. Processes that are killed leave theirs, and a later one of
# the same number would warn on standard error; without the sharing it does not.
os.environ["MONGOC_DISABLE_SHM"] = "1"
NOTHING = '{"appended":0,"first":null,"last":null}\n'  # what `append` says that has stored nothing
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class Done:
    """How a run ended; `out` and `err` are text, `raw` is standard output as bytes."""

    def __init__(self, code, out, err):
        self.code = code
        self.raw = out
        self.out = out.decode(errors="backslashreplace")
        self.err = err.decode(errors="backslashreplace")

    def windows(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return f"exit code {self.code}\nout: {self.out[:2000]}\nerr: {self.err[:2000]}"


def sqlite_only(test):
    """Marks a class or a function of tests that are about the file of a database."""
    test.sqlite_only = True
    return test


class SqliteFiles:
    """The databases of tests on SQLite: test.db in the directory of each."""

    def url(self):
        return "sqlite:test.db"

    def close(self):
        pass


class ToolTest(unittest.TestCase):
    maxDiff = 4000
    databases = SqliteFiles()
    mongo_program = None  # as configured

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="minibatch-tool-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.environment = {k: v for k, v in os.environ.items() if k not in ("MINIBATCH_MONGO_URL", "MONGO_URL")}
        self.environment["MINIBATCH_URL"] = self.databases.url()
        self.tool = TOOL

    def on_sqlite(self):
        return isinstance(self.databases, SqliteFiles)

    def own_database(self):
        """Begins a test that will hold up its database: it gets one that nobody shares. Returns a function that holds
        up all writing to it, and returns one that ends that."""
        if self.on_sqlite():
            return self.hold_up_file
        server = mongo_server.MongoServer(self.mongo_program)
        self.addCleanup(server.close)
        self.environment["MINIBATCH_URL"] = server.url(mongo_server.fresh_name())

        def hold_up():
            server.pause()
            return server.resume
        return hold_up

    def hold_up_file(self):
        db = sqlite3.connect(self.path("test.db"), isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN IMMEDIATE")
        return lambda: db.execute("ROLLBACK")

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, name, content):
        with open(self.path(name), "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return name

    def start(self, *args, before=(), program=None, **how):
        """Starts the tool (or another program, which `before` may be); it is killed when the test ends before it."""
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        program = [self.tool] if program is None else program
        process = subprocess.Popen([*before, *program, *args], cwd=self.dir, env=self.environment, **how)

        def clean():
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()

        self.addCleanup(clean)
        return process

    def end(self, process, input=None):
        out, err = process.communicate(input, timeout=LIMIT)
        return Done(process.returncode, out or b"", err or b"")

    def run_tool(self, *args, input=b"", before=()):
        if isinstance(input, str):
            input = input.encode()
        return self.end(self.start(*args, before=before, stdin=subprocess.PIPE), input)

    def ok(self, *args, input=b"", before=()):
        """The command succeeds and has nothing to complain about."""
        done = self.run_tool(*args, input=input, before=before)
        self.assertEqual(done.code, 0, f"{args}: {done}")
        self.assertEqual(done.err, "", f"{args}: {done}")
        return done

    def fails(self, code, words, *args, input=b"", before=()):
        """It ends with this exit code, and its message holds all these words."""
        done = self.run_tool(*args, input=input, before=before)
        self.assertEqual(done.code, code, f"{args}: {done}")
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, done.err, f"{args}: {done}")
        return done

    def append(self, stream, documents):
        lines = "".join(json.dumps(document) + "\n" for document in documents)
        return json.loads(self.ok("append", stream, input=lines).out)

    def documents(self, stream):
        return [json.loads(line) for line in self.ok("peek", stream).out.splitlines()]

    def appended(self, stream):
        """How many messages the stream has; for waiting until it has enough."""
        done = self.run_tool("info", stream, "--json")
        return json.loads(done.out)["messages"] if done.code == 0 else 0

    def wait_until(self, condition, what):
        limit = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), limit, f"waited in vain: {what}")

    def read_line(self, process):
        """The next line on standard output, byte by byte, so that nothing more is taken out of the pipe."""
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], LIMIT)
            self.assertTrue(ready, f"no output within {LIMIT} s")
            byte = os.read(process.stdout.fileno(), 1)
            self.assertTrue(byte, "the output has ended")
            line += byte
        return line


def side_by_side(call, rows):
    """Calls a function with each row, several at a time, and raises the first exception in the order of the rows."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(call, *row) for row in rows]:
            done.result()


class Runner:
    """Runs tests side by side; those of a class with a fixture one after the other."""

    def run(self, suite):
        units = []
        for test in flat(suite):
            own = type(test)
            if own.setUpClass.__func__ is unittest.TestCase.setUpClass.__func__:
                units.append(unittest.TestSuite([test]))
            elif units and units[-1].countTestCases() and type(next(iter(units[-1]))) is own:
                units[-1].addTest(test)
            else:
                units.append(unittest.TestSuite([test]))
        results = []
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for done in concurrent.futures.as_completed([pool.submit(run_unit, unit) for unit in units]):
                results.append(done.result())
        total = unittest.TestResult()
        for result in results:
            total.testsRun += result.testsRun
            total.failures += result.failures
            total.errors += result.errors
            total.unexpectedSuccesses += result.unexpectedSuccesses
        for test, trace in total.failures + total.errors:
            print(f"\nFAILED {test}\n{trace}", file=sys.stderr)
        print(f"{total.testsRun} tests, {len(total.failures) + len(total.errors)} failures", file=sys.stderr)
        return total


def flat(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def run_unit(unit):
    names = [str(test) for test in unit]
    began = time.monotonic()
    result = unittest.TestResult()
    unit.run(result)
    with LOCK:
        state = "ok" if result.wasSuccessful() else "FAILED"
        print(f"{', '.join(names)} ... {state} ({time.monotonic() - began:.1f} s)", file=sys.stderr, flush=True)
    return result


class Loader(unittest.TestLoader):
    """Leaves out, for databases of another kind, what is about files."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def getTestCaseNames(self, case):
        names = super().getTestCaseNames(case)
        if self.kind == "sqlite":
            return names
        if getattr(case, "sqlite_only", False):
            return []
        return [name for name in names if not getattr(getattr(case, name), "sqlite_only", False)]


def main(kinds=("sqlite", "mongo")):
    if not TOOL:
        sys.exit("MINIBATCH_TOOL must name the built tool")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # Started in the background of a shell, or by nohup, these are ignored, and would be by the programs under test, too.
    # A handler of this process is the default again in those that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: None)
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--db-kind", choices=kinds, default="sqlite")
    parser.add_argument("--mongo-server", metavar="PROGRAM")
    options, others = parser.parse_known_args()
    ToolTest.mongo_program = options.mongo_server
    if options.db_kind == "mongo":
        try:
            ToolTest.databases = mongo_server.FreshDatabases(options.mongo_server)
        except (FileNotFoundError, RuntimeError) as failure:
            sys.exit(str(failure))
    try:
        unittest.main(argv=[sys.argv[0], *others], testLoader=Loader(options.db_kind), testRunner=Runner())
    finally:
        ToolTest.databases.close()
