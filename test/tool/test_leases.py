"""Leases that are left of consumers which no longer live."""
import os
import socket
import sqlite3
import subprocess
import time

import support


class Leases(support.ToolTest):
    def leave_lease(self, owner, length, expires_in):
        """The lease of the group `default` as a consumer that was killed leaves it; times in seconds."""
        db = sqlite3.connect(self.path("test.db"))
        db.execute("UPDATE minibatch_groups SET owner = ?, acquisition = ?, epoch = epoch + 1, expires = ?",
                   (owner, f"0123456789abcdef01234567 {int(length * 1000)} 1", int((time.time() + expires_in) * 1000)))
        db.commit()
        db.close()

    def prepare(self):
        self.append("s", [{"n": 0}])
        self.ok("consume", "s", "--size", "10", "--idle-exit", "0")

    def test_a_dead_consumer_with_the_same_host_and_process_id_is_another_one(self):
        # As after the restart of a container, where both are the same each time.
        self.prepare()
        go, gate = os.pipe()
        consumer = subprocess.Popen(
            ["sh", "-c", f'read go <&{go}; exec "$0" consume s --size 1 --idle-exit 0.2', support.TOOL],
            cwd=self.dir, env=self.environment, pass_fds=[go], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.leave_lease(f"{socket.gethostname()}:{consumer.pid}", length=2, expires_in=3600)
        os.write(gate, b"\n")
        os.close(go)
        os.close(gate)
        done = self.end(consumer)
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertEqual([window["data"] for window in done.windows()], [[{"n": 0}]])

    def test_group_of_a_dead_consumer_is_deleted_after_a_lease(self):
        self.prepare()
        self.leave_lease("elsewhere:1:01234567", length=1, expires_in=3600)
        begun = time.monotonic()
        self.ok("groups", "delete", "s", "default")
        self.assertGreaterEqual(time.monotonic() - begun, 1)


if __name__ == "__main__":
    support.main(kinds=("sqlite",))
