"""Runs the commands of docs/sqlite.md as they stand there, in a directory of their own."""
import json
import os
import re
import subprocess
import unittest

import support

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUIDE = os.path.join(ROOT, "docs", "sqlite.md")


def sections():
    """The commands of each section, by its heading; those before the first one under None."""
    with open(GUIDE, encoding="utf-8") as file:
        parts = re.split(r"^## (.*)\n", file.read(), flags=re.MULTILINE)
    texts = {None: parts[0], **dict(zip(parts[1::2], parts[2::2]))}
    return {name: "".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
            for name, text in texts.items()}


class Guide(support.ToolTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        os.symlink(support.TOOL, self.path("bin/minibatch"))
        os.symlink(os.path.join(ROOT, "examples"), self.path("examples"))
        self.environment["PATH"] = self.path("bin") + ":" + self.environment["PATH"]
        self.commands = sections()
        with open(os.path.join(ROOT, "examples", "data", "earthquakes.jsonl"), encoding="utf-8") as quakes:
            self.quakes = [json.loads(line) for line in quakes]
        self.follow(None)

    def follow(self, section):
        """Runs the commands of a section; all of them must succeed, without complaints. Returns what they print."""
        self.assertTrue(self.commands[section], f"the guide has no commands in '{section}'")
        done = subprocess.run(["sh", "-euc", self.commands[section]], cwd=self.dir, env=self.environment,
                              capture_output=True, text=True, timeout=support.LIMIT)
        self.assertEqual((done.returncode, done.stderr), (0, ""), f"{section}: {done.stdout}")
        return done.stdout

    def stored(self, name):
        return [json.loads(line) for line in self.ok("--db", f"sqlite:{name}", "peek", "quakes").out.splitlines()]

    def files(self, name):
        return sorted(each for each in os.listdir(self.dir) if each.startswith(name))

    def test_all_commands_are_run_here(self):
        self.assertEqual({name for name, text in self.commands.items() if text},
                         {None, "Backup", "Restore", "Size", "Permissions"})

    def test_backup_and_restore_beside_a_producer(self):
        producer = self.start("--db", "sqlite:quakes.db", "append", "quakes", stdin=subprocess.PIPE)
        producer.stdin.write(b'{"n":0}\n')
        producer.stdin.flush()
        count = len(self.quakes) + 1
        self.environment["MINIBATCH_URL"] = "sqlite:quakes.db"
        self.wait_until(lambda: self.appended("quakes") == count, "it has the database open, and a log")
        self.assertIn("quakes.db-wal", self.files("quakes.db"))
        out = self.follow("Backup")
        self.assertIn(f"messages    {count}\n", out)
        self.assertTrue(out.endswith("\nok\n"), out)
        for name in ("backup.db", "backup2.db"):
            self.assertEqual(self.stored(name), self.quakes + [{"n": 0}])
            self.assertEqual(self.files(name), [name])
        producer.stdin.write(b'{"n":1}\n')
        self.assertEqual(json.loads(self.end(producer).out)["appended"], 2)
        self.assertEqual(self.appended("quakes"), count + 1)
        self.follow("Restore")
        self.assertEqual(self.stored("quakes.db"), self.quakes + [{"n": 0}])
        done = self.ok("append", "quakes", input='{"n":2}\n')
        self.assertEqual(json.loads(done.out), {"appended": 1, "first": count, "last": count})
        window = json.loads(self.ok("consume", "quakes", "--size", str(count + 1), "--max-windows", "1").out)
        self.assertEqual(window["data"], self.quakes + [{"n": 0}, {"n": 2}])

    def test_size(self):
        self.environment["MINIBATCH_URL"] = "sqlite:quakes.db"
        self.ok("consume", "quakes", "--size", "1", "--max-windows", str(len(self.quakes)))
        before = os.path.getsize(self.path("quakes.db"))
        holder = self.start("append", "quakes", stdin=subprocess.PIPE)
        holder.stdin.write(b"{}\n")
        holder.stdin.flush()
        self.wait_until(lambda: "quakes.db-shm" in self.files("quakes.db"), "it has the database open")
        out = self.follow("Size").splitlines()
        self.assertGreater(int(out[0]), 0)
        self.assertTrue(any(line.endswith("quakes.db-wal") for line in out), out)
        self.assertTrue(any(f" {holder.pid} " in line for line in out), out)
        self.assertEqual(self.end(holder).code, 0)
        self.assertLess(os.path.getsize(self.path("quakes.db")), before)

    def test_permissions(self):
        self.follow("Permissions")
        self.assertEqual(os.stat(self.path("shared")).st_mode & 0o7777, 0o2770)
        self.ok("--db", "sqlite:shared/quakes.db", "append", "quakes", input="{}\n")
        for name in ("quakes.db", "quakes.db-minibatch"):
            self.assertEqual(os.stat(self.path("shared/" + name)).st_mode & 0o777, 0o660, name)


if __name__ == "__main__":
    support.main(kinds=("sqlite",))
