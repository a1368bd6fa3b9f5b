"""Mounts that only some of a test's processes see."""
import os
import subprocess


def become_root():
    """Arguments of `unshare`: somebody who is not root becomes it, in a namespace of users."""
    return [] if os.geteuid() == 0 else ["--map-root-user"]


class Mount:
    """Something that is mounted at `at` in a mount namespace of its own: seen by what is run with `inside` before it,
    gone with `close`. `how` are the arguments of `mount` before the place."""

    def __init__(self, at, *how):
        self.user = become_root()
        errors = []
        # In a changed root the second way is needed, where mounts may be seen by others; so it is unmounted, too.
        for propagation in ("private", "unchanged"):
            self.holder = subprocess.Popen(
                ["unshare", *self.user, "--mount", "--propagation", propagation, "sh", "-c",
                 'at=$1; shift; mount "$@" "$at" && echo mounted && cat; umount "$at"', "sh", at, *how],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if self.holder.stdout.readline() == "mounted\n":
                return
            errors.append(self.holder.stderr.read())
            self.close()
        raise AssertionError(f"nothing could be mounted; this test needs root or user namespaces: {errors}")

    @property
    def inside(self):
        user = ["--user", "--preserve-credentials"] if self.user else []
        return ["nsenter", "--target", str(self.holder.pid), *user, "--mount", "--root", "--"]

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()
