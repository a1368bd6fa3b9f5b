"""The files of a database: other names, other owners, and what happens when they are removed while they are open."""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

import mount_namespace
import support

# More than the second that is promised: the machine may be busy.
SOON = 20
# Failed, or not known whether what was under way is kept.
IN_DOUBT = (1, 75)


class FilesTest(support.ToolTest):
    def database(self, count=5, directory="d"):
        os.makedirs(self.path(directory), exist_ok=True)
        self.environment["MINIBATCH_URL"] = "sqlite:" + self.path(f"{directory}/q.db")
        lines = "".join('{"n":%d}\n' % n for n in range(count))
        self.ok("append", "s", input=lines)
        return self.path(f"{directory}/q.db")

    def numbers(self, *how, before=()):
        return [json.loads(line)["n"] for line in self.ok(*how, "peek", "s", before=before).out.splitlines()]


class Names(FilesTest):
    def ends_soon(self, process, words, codes=(1,)):
        began = time.monotonic()
        done = self.end(process)
        self.assertLess(time.monotonic() - began, SOON)
        self.assertIn(done.code, codes, done)
        for word in words:
            self.assertIn(word, done.err)
        return done

    def waiting_consumer(self):
        process = self.start("consume", "s", "--size", "3")
        self.assertEqual(json.loads(self.read_line(process))["count"], 3)
        return process

    def test_a_waiting_consumer_when_the_file_is_removed(self):
        path = self.database()
        process = self.waiting_consumer()
        os.remove(path)
        # 75: it was removed while the first window was being committed.
        done = self.ends_soon(process, [f"database '{path}'", f"'{path}' was removed"], codes=(1, 75))
        self.assertFalse(os.path.exists(path), done)

    def test_a_waiting_consumer_when_the_file_is_replaced(self):
        path = self.database()
        process = self.waiting_consumer()
        self.database(7, "other")
        os.rename(self.path("other/q.db"), path)
        done = self.ends_soon(process, [f"database '{path}'", "replaced by another file"])
        self.assertLess(len(done.err.splitlines()), 10, "it is not said again and again")
        self.assertNotIn("no such table", done.err)

    def test_a_producer_that_waits_for_its_next_line(self):
        for number, suffix in enumerate(("", "-wal", "-shm")):
            with self.subTest(suffix):
                path = self.database(directory=f"d{number}")
                name = path + suffix
                process = self.start("append", "s", stdin=subprocess.PIPE)
                process.stdin.write(b'{"n":5}\n')
                process.stdin.flush()
                self.wait_until(lambda: self.appended("s") == 6, "it has the database open")
                os.remove(name)
                process.stdin.write(b'{"n":6}\n')
                process.stdin.flush()
                # The first line after the change may be within 10 ms of the last look at the log.
                time.sleep(0.02)
                try:
                    process.stdin.write(b'{"n":7}\n')
                    process.stdin.flush()
                except BrokenPipeError:
                    pass
                done = self.ends_soon(process, [f"database '{path}'", f"'{name}' was removed"], IN_DOUBT)
                appended = json.loads(done.out)["appended"]
                self.assertLessEqual(appended, 2)
                if suffix:  # what was acknowledged is found again
                    self.assertGreaterEqual(len(self.numbers()), 5 + appended)

    def test_what_is_acknowledged_is_in_the_file(self):
        """Producers at full rate, while their file is moved at some moment."""
        seed = int(os.environ.get("MINIBATCH_TEST_SEED", random.randrange(10**6)))
        print(f"seed {seed}", flush=True)
        chance = random.Random(seed)
        for number in range(4):
            path = self.database(1, f"d{number}")
            producer = self.start("append", "s", stdin=subprocess.PIPE)

            def feed():
                n = 1
                try:
                    while True:
                        producer.stdin.write(b"".join(b'{"n":%d}\n' % each for each in range(n, n + 100)))
                        producer.stdin.flush()
                        n += 100
                except BrokenPipeError:
                    pass

            feeding = threading.Thread(target=feed)
            feeding.start()
            self.wait_until(lambda: self.appended("s") > 1, "it appends")
            time.sleep(chance.random() / 5)
            moved = self.path(f"d{number}/moved.db")
            os.rename(path, moved)
            began = time.monotonic()
            producer.wait(timeout=support.LIMIT)
            self.assertLess(time.monotonic() - began, SOON)
            feeding.join()
            try:
                producer.stdin.close()
            except BrokenPipeError:
                pass
            told = json.loads(producer.stdout.read())
            self.assertIn(f"'{path}' was moved to '{moved}'", producer.stderr.read().decode())
            self.assertIn(producer.returncode, IN_DOUBT)
            os.rename(path + "-wal", moved + "-wal")
            there = self.numbers("--db", f"sqlite:{moved}")
            self.assertEqual(there, list(range(len(there))))
            self.assertGreaterEqual(len(there), 1 + told["appended"])

    def test_two_names(self):
        path = self.database()
        os.link(path, self.path("d/other.db"))
        for name in ("q.db", "other.db"):
            for command in (["append", "s"], ["peek", "s"]):
                self.fails(2, [f"database '{self.path('d/' + name)}'", "hard links"], "--db", f"sqlite:d/{name}",
                           *command, input=b"{}\n")
        os.remove(self.path("d/other.db"))
        self.assertEqual(self.numbers(), list(range(5)))

    def test_a_file_that_is_mounted_by_itself(self):
        path = self.database()
        os.mkdir(self.path("inside"))
        self.file("inside/q.db", "")
        mount = mount_namespace.Mount(self.path("inside/q.db"), "--bind", path)
        self.addCleanup(mount.close)
        inside = self.path("inside/q.db")
        self.fails(2, [f"database '{inside}'", "mount its directory"], "--db", f"sqlite:{inside}", "append", "s",
                   input=b"{}\n", before=mount.inside)

    def test_a_directory_that_is_mounted(self):
        self.database()
        os.mkdir(self.path("inside"))
        mount = mount_namespace.Mount(self.path("inside"), "--bind", self.path("d"))
        self.addCleanup(mount.close)
        process = self.start("consume", "s", "--size", "6", "--max-windows", "1")
        self.ok("--db", f"sqlite:{self.path('inside/q.db')}", "append", "s", input=b'{"n":5}\n', before=mount.inside)
        self.assertEqual([each["n"] for each in json.loads(self.end(process).out)["data"]], list(range(6)))


class Owners(FilesTest):
    """The database is somebody else's, as far as only root can give files away."""

    def setUp(self):
        super().setUp()
        root = os.geteuid() == 0
        self.owner = support.NOBODY if root else []
        self.second = ["setpriv", "--reuid=12345", "--regid=12345", "--groups=65534"] if root else []
        self.ids = (65534, 65534) if root else (os.geteuid(), os.getegid())
        os.chmod(self.dir, 0o755)
        program = self.path("minibatch")
        shutil.copy(support.TOOL, program)
        os.chmod(program, 0o755)
        self.tool = program
        os.mkdir(self.path("d"))
        os.chown(self.path("d"), *self.ids)
        self.environment["MINIBATCH_URL"] = "sqlite:d/q.db"
        self.ok("append", "s", input=b'{"n":0}\n', before=self.owner)
        os.remove(self.path("d/q.db-minibatch"))

    def owners(self):
        return {(os.stat(self.path("d/" + name)).st_uid, os.stat(self.path("d/" + name)).st_gid)
                for name in os.listdir(self.path("d"))}

    def test_root_looks_first(self):
        before = os.listdir(self.path("d"))
        for command in (["info", "s"], ["peek", "s"], ["streams"]):
            self.ok(*command)
        self.assertEqual(os.listdir(self.path("d")), before)
        self.ok("append", "s", input=b'{"n":1}\n', before=self.owner)

    def test_root_writes_first(self):
        self.ok("append", "s", input=b'{"n":1}\n')
        self.assertEqual(self.owners(), {self.ids})
        self.ok("append", "s", input=b'{"n":2}\n', before=self.owner)
        self.assertEqual(self.numbers(before=self.owner), [0, 1, 2])

    def test_a_second_user_of_the_group(self):
        """With the umask that takes the right of the group away."""
        os.chmod(self.path("d"), 0o2775)
        os.chmod(self.path("d/q.db"), 0o664)
        with_umask = ["sh", "-c", 'umask 022; exec "$0" "$@"']
        for n, who in enumerate((self.second, self.owner, self.second), 1):
            self.ok("append", "s", input=b'{"n":%d}\n' % n, before=[*who, *with_umask])
        self.assertEqual(self.numbers(before=self.second), [0, 1, 2, 3])

    def test_a_link_in_place_of_the_side_file(self):
        self.file("precious", "precious")
        os.symlink(self.path("precious"), self.path("d/q.db-minibatch"))
        self.fails(1, [f"'{self.path('d/q.db-minibatch')}'", "symbolic link"], "append", "s", input=b"{}\n")
        with open(self.path("precious"), encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        self.assertEqual(self.numbers(), [0])  # reading needs no such file


class ReadOnly(FilesTest):
    def test_a_read_only_volume(self):
        self.database()
        os.remove(self.path("d/q.db-minibatch"))
        mount = mount_namespace.Mount(self.path("d"), "--bind", "-o", "ro", self.path("d"))
        self.addCleanup(mount.close)
        self.assertEqual(self.numbers(before=mount.inside), list(range(5)))
        self.assertIn("messages    5", self.ok("info", "s", before=mount.inside).out)
        self.assertEqual(self.ok("streams", before=mount.inside).out, "s\n")
        for command in (["append", "s"], ["consume", "s", "--size", "1"], ["delete", "s"]):
            done = self.fails(1, f"database '{self.path('d/q.db')}'", *command, input=b"{}\n", before=mount.inside)
            self.assertEqual(done.out.count('"window"'), 0)

    def test_with_a_log_that_cannot_be_read(self):
        path = self.database()
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE of_somebody_else (a)")
            for suffix in ("", "-wal"):
                shutil.copy(path + suffix, self.path("d/copy.db" + suffix))
        db.close()
        mount = mount_namespace.Mount(self.path("d"), "--bind", "-o", "ro", self.path("d"))
        self.addCleanup(mount.close)
        copy = self.path("d/copy.db")
        self.fails(1, [f"database '{copy}'", f"'{copy}-wal'", f"'{copy}-shm'", "cannot be made"], "--db",
                   f"sqlite:{copy}", "peek", "s", before=mount.inside)

    def test_while_a_producer_writes_elsewhere(self):
        """A directory that this side may only read."""
        self.database()
        mount = mount_namespace.Mount(self.path("d"), "--bind", "-o", "ro", self.path("d"))
        self.addCleanup(mount.close)
        producer = self.start("append", "s", stdin=subprocess.PIPE)
        producer.stdin.write(b'{"n":5}\n')
        producer.stdin.flush()
        self.wait_until(lambda: len(self.numbers(before=mount.inside)) == 6, "it is seen")
        self.assertEqual(json.loads(self.end(producer).out)["appended"], 1)
        self.assertEqual(self.numbers(before=mount.inside), list(range(6)))


if __name__ == "__main__":
    support.main(kinds=("sqlite",))
