"""Standard descriptors that are closed, or that somebody else has closed."""
import json
import os
import subprocess

import support


class Closed(support.ToolTest):
    def start_without(self, descriptors, *args):
        """The tool with standard descriptors that are closed when it starts: those that a shell closes for `0<&-`."""
        closing = " ".join(f"{number}>&-" for number in descriptors)
        return self.start("-c", f'exec "$0" "$@" {closing}', self.tool, *args, before=["sh"], program=())

    def test_input(self):
        done = self.end(self.start_without([0], "append", "s"))
        self.assertEqual((done.code, done.out), (1, support.NOTHING))
        self.assertEqual(done.err, "minibatch: standard input: Bad file descriptor\n")

    def test_input_that_is_not_read(self):
        self.file("a.jsonl", '{"n":0}\n')
        done = self.end(self.start_without([0], "append", "s", "a.jsonl"))
        self.assertEqual((done.code, done.out, done.err), (0, '{"appended":1,"first":0,"last":0}\n', ""))

    def test_output(self):
        self.append("s", [{"n": 0}])
        for command in (["peek", "s"], ["streams"], ["info", "s"], ["--help"], ["append", "s"],
                        ["consume", "s", "--size", "1", "--max-windows", "1"]):
            done = self.end(self.start_without([1], *command))
            self.assertEqual((done.code, done.err), (1, "minibatch: standard output: Bad file descriptor\n"), command)
        # What prints nothing does its work.
        self.assertEqual(self.end(self.start_without([1], "delete", "s")).code, 0)
        self.assertEqual(self.ok("streams").out, "")

    def test_errors(self):
        self.file("a.jsonl", '{"n":0}\nbad\n')
        done = self.end(self.start_without([2], "append", "s", "a.jsonl"))
        self.assertEqual((done.code, json.loads(done.out)["appended"]), (2, 1))
        self.assertEqual(self.documents("s"), [{"n": 0}])

    def test_all_of_them(self):
        self.file("a.jsonl", '{"n":0}\n')
        self.assertEqual(self.end(self.start_without([0, 1, 2], "append", "s", "a.jsonl")).code, 1)
        self.assertEqual(self.documents("s"), [{"n": 0}])

    def test_no_file_of_ours_gets_a_standard_number(self):
        self.ok("append", "s")
        consumer = self.start_without([0], "consume", "s", "--size", "1")
        self.wait_until(lambda: "consumer" in self.ok("info", "s").out.replace("no consumer", ""), "it is at work")
        self.assertEqual(os.readlink(f"/proc/{consumer.pid}/fd/0"), "/dev/null")


class GivenUp(support.ToolTest):
    """Readers that go away."""

    def test_a_shell_with_pipefail(self):
        self.append("s", [{"n": n, "pad": "x" * 1_000} for n in range(2_000)])
        done = subprocess.run(["bash", "-c", 'set -o pipefail; "$0" peek s | head -n 1; echo ${PIPESTATUS[0]}', self.tool],
                              cwd=self.dir, env=self.environment, capture_output=True, text=True, timeout=support.LIMIT)
        self.assertEqual(done.stderr, "")
        first, code = done.stdout.splitlines()
        self.assertEqual((json.loads(first)["n"], code), (0, "141"))

    def test_each_command(self):
        self.append("s", [{"n": 0}])
        for command in (["peek", "s"], ["peek", "s", "--follow"], ["streams"], ["info", "s"], ["--help"], ["append", "s"],
                        ["consume", "s", "--size", "1", "--max-windows", "1"]):
            read, write = os.pipe()
            os.close(read)
            done = self.end(self.start(*command, stdout=write))
            os.close(write)
            self.assertEqual((done.code, done.err), (141, ""), command)
        # The window was not committed.
        windows = self.ok("consume", "s", "--size", "1", "--idle-exit", "0").windows()
        self.assertEqual([w["data"] for w in windows], [[{"n": 0}]])

    def test_one_that_follows_without_news(self):
        self.ok("append", "s")
        process = self.start("peek", "s", "--follow")
        process.stdout.close()
        self.assertEqual(process.wait(support.LIMIT), 141)


if __name__ == "__main__":
    support.main()
