"""A disk that is really full: a small one is mounted, in a mount namespace of its own."""
import json
import os
import subprocess
import threading

import mount_namespace
import support


class Disk(mount_namespace.Mount):
    """A disk of some MiB, seen only by what runs `inside`."""

    def __init__(self, at, mib):
        super().__init__(at, "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs")
        self.at = at
        self.mib = mib

    def shell(self, command):
        subprocess.run([*self.inside, "sh", "-ec", 'cd "$0"; test "$(stat -f -c %T .)" = tmpfs; ' + command, self.at],
                       check=True, stderr=subprocess.DEVNULL)

    def resize(self, mib):
        self.shell(f'mount -o remount,size={mib}m "$0"')

    def fill(self):
        """Never more than the disk holds, should it not be the small one."""
        self.shell(f"head -c {self.mib}M /dev/zero > ballast || true")

    def is_full(self):
        space = subprocess.run([*self.inside, "stat", "-f", "-c", "%a", self.at], check=True, capture_output=True)
        return int(space.stdout) < 64  # blocks

    def free(self):
        self.shell("rm ballast")


class FullDisk(support.ToolTest):
    def disk(self, mib):
        at = self.path("disk")
        os.mkdir(at)
        disk = Disk(at, mib)
        self.addCleanup(disk.close)
        self.environment["MINIBATCH_URL"] = f"sqlite:{at}/test.db"
        return disk

    def lines(self, count, begin=0):
        return b"".join(b'{"n":%d,"pad":"%s"}\n' % (n, b"x" * 1000) for n in range(begin, begin + count))

    def numbers(self, disk):
        return [json.loads(line)["n"] for line in self.ok("peek", "s", before=disk.inside).out.splitlines()]

    def test_append_stops_with_what_is_stored_and_goes_on_when_there_is_space(self):
        disk = self.disk(8)
        done = self.fails(75, [f"database '{disk.at}/test.db'", "full"], "append", "s", "--timeout", "0.5",
                          input=self.lines(20_000), before=disk.inside)
        told = json.loads(done.out)
        count = told["appended"]
        self.assertGreater(count, 0)
        self.assertEqual(told, {"appended": count, "first": 0, "last": count - 1})
        self.assertIn(f"\n-:{count + 1} to -:", "\n" + done.err)
        disk.resize(9)
        self.assertEqual(self.numbers(disk), list(range(count)))
        disk.resize(64)
        more = self.ok("append", "s", input=self.lines(10, count), before=disk.inside)
        self.assertEqual(json.loads(more.out), {"appended": 10, "first": count, "last": count + 9})
        self.assertEqual(self.numbers(disk), list(range(count + 10)))

    def test_a_consumer_loses_nothing(self):
        disk = self.disk(16)
        self.ok("append", "s", input=self.lines(3_000), before=disk.inside)
        process = self.start("consume", "s", "--size", "10", "--timeout", "0.5", before=disk.inside)
        begin = self.read_line(process)
        # The pipe holds less than all windows: the consumer waits in it, and has most of its commits before it.
        disk.fill()
        first = self.end(process)
        first.out = begin.decode() + first.out
        self.assertEqual(first.code, 75, first)
        for word in (f"database '{disk.at}/test.db'", "full"):
            self.assertIn(word, first.err)
        disk.free()
        info = json.loads(self.ok("info", "s", "--json", before=disk.inside).out)
        windows = info["groups"][0]["lag"] // 10
        # It could not release its lease either: the next one waits until that has expired.
        second = self.ok("consume", "s", "--size", "10", "--max-windows", str(windows), before=disk.inside)
        seen = [d["n"] for done in (first, second) for w in done.windows() for d in w["data"]]
        # The window that was written and could not be committed comes again, and no other.
        self.assertEqual(sorted(set(seen)), list(range(3_000)))
        self.assertEqual(len(seen), 3_010)

    def test_append_waits_for_space(self):
        disk = self.disk(8)
        process = self.start("append", "s", before=disk.inside, stdin=subprocess.PIPE)
        feeding = threading.Thread(target=lambda: (process.stdin.write(self.lines(20_000)), process.stdin.close()))
        feeding.start()
        self.wait_until(lambda: disk.is_full(), "the disk is full")
        disk.resize(64)
        feeding.join()
        self.assertEqual(json.loads(process.stdout.read())["appended"], 20_000)
        self.assertEqual(process.wait(support.LIMIT), 0)
        self.assertEqual(self.numbers(disk), list(range(20_000)))

    def test_no_room_for_a_new_database(self):
        disk = self.disk(1)
        disk.fill()
        self.fails(75, [f"{disk.at}/test.db", "full"], "append", "s", "--timeout", "0.3", input=self.lines(1),
                   before=disk.inside)
        disk.free()
        self.ok("append", "s", input=self.lines(1), before=disk.inside)
        self.assertEqual(self.numbers(disk), [0])


if __name__ == "__main__":
    support.main(kinds=("sqlite",))
