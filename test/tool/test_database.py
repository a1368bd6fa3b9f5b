"""Databases that cannot be used: each is named with its file and the reason, and nothing in it is harmed."""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import unittest

import support

PAGE = 4096
ANY_LINE = b'{"n":0}\n'
READING = (["peek", "s"], ["info", "s"], ["streams"])
WRITING = (["append", "s"], ["consume", "s", "--size", "1", "--idle-exit", "0"], ["delete", "s"],
           ["groups", "delete", "s", "g"])


def contents(path):
    with open(path, "rb") as file:
        return file.read()


class DatabaseTest(support.ToolTest):
    def made(self, name="test.db", messages=20_000):
        """A database with a stream of so many messages, all of it in its one file."""
        lines = b"".join(b'{"n":%d,"pad":"%s"}\n' % (n, b"x" * 50) for n in range(messages))
        self.ok("--db", f"sqlite:{name}", "append", "s", input=lines)
        with sqlite3.connect(self.path(name)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        return self.path(name)

    def every_command_fails(self, words, name, before=()):
        self.writing_fails(words, name, before)
        self.fail_with(words, name, before, READING)

    def writing_fails(self, words, name, before=()):
        self.fail_with(words, name, before, WRITING)

    def reading_works(self, name, before=()):
        for command in READING:
            self.assertNotEqual(self.ok("--db", f"sqlite:{name}", *command, before=before).out, "")

    def fail_with(self, words, name, before, commands):
        for command in commands:
            append = command[0] == "append"
            done = self.fails(1, [f"database '{self.path(name)}'", *words], "--db", f"sqlite:{name}", *command,
                              input=ANY_LINE if append else b"", before=before)
            self.assertEqual(done.out, support.NOTHING if append else "")


class Permissions(DatabaseTest):
    """As somebody else, since no permission holds for root."""

    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o755)
        self.as_other = []
        if os.geteuid() == 0:
            self.as_other = support.NOBODY
            # The program itself may lie where the other may not go.
            program = self.path("minibatch")
            shutil.copy(support.TOOL, program)
            os.chmod(program, 0o755)
            self.tool = program

    def directory(self, mode):
        os.mkdir(self.path("d"))
        self.made("d/test.db", 10)
        for name in os.listdir(self.path("d")):
            os.chmod(self.path("d/" + name), 0o666)
        os.chmod(self.path("d"), mode)
        self.addCleanup(os.chmod, self.path("d"), 0o755)

    def works_again(self):
        os.chmod(self.path("d"), 0o777)
        os.chmod(self.path("d/test.db"), 0o666)
        done = self.ok("--db", "sqlite:d/test.db", "append", "s", input=ANY_LINE, before=self.as_other)
        self.assertEqual(json.loads(done.out)["first"], 10)

    def test_a_file_that_is_read_only(self):
        self.directory(0o777)
        os.chmod(self.path("d/test.db"), 0o444)
        self.writing_fails(["cannot be written to", "permissions"], "d/test.db", self.as_other)
        self.reading_works("d/test.db", self.as_other)
        self.works_again()

    def test_a_file_that_may_not_be_read(self):
        self.directory(0o777)
        os.chmod(self.path("d/test.db"), 0)
        self.every_command_fails(["open", "Permission denied"], "d/test.db", self.as_other)
        self.works_again()

    def test_a_directory_that_is_read_only(self):
        self.directory(0o555)
        self.writing_fails(["directory", "cannot be written to"], "d/test.db", self.as_other)
        self.reading_works("d/test.db", self.as_other)
        self.fails(1, [self.path("d/new.db"), "directory", "cannot be written to"], "--db", "sqlite:d/new.db",
                   "append", "s", input=ANY_LINE, before=self.as_other)
        self.assertFalse(os.path.exists(self.path("d/new.db")))
        self.works_again()

    def test_a_directory_that_may_not_be_entered(self):
        self.directory(0o700 if self.as_other else 0)
        self.fails(1, ["d/test.db", "Permission denied"], "--db", "sqlite:d/test.db", "append", "s", input=ANY_LINE,
                   before=self.as_other)
        self.works_again()


class Damage(DatabaseTest):
    def unharmed(self, words, name):
        before = contents(self.path(name))
        self.every_command_fails(words, name)
        self.assertTrue(contents(self.path(name)) == before, "the file was changed")
        self.assertEqual([other for other in os.listdir(self.dir) if other.startswith(name + "-")], [])

    def test_no_database(self):
        self.file("random", random.Random(1).randbytes(100_000))
        self.file("text", "This is a text.\n" * 1000)
        self.file("short", "xy")
        for name in ("random", "text", "short"):
            self.unharmed(["no SQLite database"], name)

    def test_the_database_of_another_program(self):
        with sqlite3.connect(self.path("other")) as db:
            db.execute("CREATE TABLE minibatch_streams(name)")
        db.close()
        self.unharmed(["another program"], "other")
        with sqlite3.connect(self.path("marked")) as db:
            db.execute("PRAGMA application_id = 7")
        db.close()
        self.unharmed(["another program"], "marked")

    def test_a_newer_version(self):
        self.made(messages=10)
        for version in (2, 99):
            with sqlite3.connect(self.path("test.db")) as db:
                db.execute(f"PRAGMA user_version = {version}")
            db.close()
            self.every_command_fails(["newer minibatch", f"version {version}"], "test.db")

    def test_truncated(self):
        path = self.made()
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2 // PAGE * PAGE)
        self.every_command_fails(["damaged"], "test.db")

    def test_a_page_of_messages_overwritten(self):
        path = self.made()
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.seek(size // 2 // PAGE * PAGE)
            file.write(b"\xa5" * PAGE)
        words = [f"database '{path}'", "damaged"]
        self.fails(1, words, "peek", "s")
        done = self.fails(1, words, "consume", "s", "--size", "1000", "--idle-exit", "5")
        # What came out before it is sound.
        for number, window in enumerate(done.windows()):
            self.assertEqual([d["n"] for d in window["data"]], list(range(1000 * number, 1000 * (number + 1))))

    def test_the_tables_overwritten(self):
        path = self.made()
        with open(path, "r+b") as file:
            file.seek(PAGE)
            file.write(b"\xa5" * PAGE * 12)
        self.every_command_fails(["damaged"], "test.db")


class Places(DatabaseTest):
    def test_a_directory_that_does_not_exist(self):
        self.every_command_fails([f"the directory '{self.path('none')}' does not exist"], "none/test.db")

    def test_a_directory_that_is_a_file(self):
        self.file("file", "")
        self.every_command_fails([f"'{self.path('file')}' is not a directory"], "file/test.db")

    def test_a_directory_itself(self):
        os.mkdir(self.path("d"))
        self.every_command_fails(["this is a directory"], "d")

    def test_an_empty_file_becomes_a_database(self):
        self.file("test.db", "")
        self.ok("append", "s", input=ANY_LINE)
        self.assertEqual(self.appended("s"), 1)

    def test_odd_names_of_files(self):
        for name, url in (("with space.db", "sqlite:with space.db"), ("50%?.db", "sqlite:50%25%3F.db"),
                          ("ä.db", "sqlite:ä.db")):
            self.ok("--db", url, "append", "s", input=ANY_LINE)
            self.assertTrue(os.path.exists(self.path(name)))


class Locks(DatabaseTest):
    def test_locked_by_another_program(self):
        path = self.made(messages=10)
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        # Who only looks is not held up.
        self.assertIn("messages    10", self.ok("info", "s").out)
        for command in (["append", "s"], ["consume", "s", "--size", "1"]):
            self.fails(75, [f"database '{path}'", "another process holds the write lock"], *command, "--timeout", "0.5", input=ANY_LINE)
        # Within that time it is waited for.
        waiting = self.start("append", "s", stdin=subprocess.PIPE)
        waiting.stdin.write(ANY_LINE)
        waiting.stdin.flush()
        self.wait_until(lambda: os.path.basename(path) in str(open_files(waiting.pid)), "it has opened the file")
        db.execute("ROLLBACK")
        db.close()
        self.assertEqual(json.loads(self.end(waiting).out), {"appended": 1, "first": 10, "last": 10})
        self.assertEqual(self.appended("s"), 11)


def open_files(pid):
    folder = f"/proc/{pid}/fd"
    names = []
    for entry in os.listdir(folder):
        try:
            names.append(os.readlink(f"{folder}/{entry}"))
        except FileNotFoundError:
            pass  # closed meanwhile
    return names


if __name__ == "__main__":
    support.main(kinds=("sqlite",))
