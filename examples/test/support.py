"""What the tests of the examples share."""
import contextlib
import os
import subprocess
import sys
import tempfile


@contextlib.contextmanager
def own_directory():
    with tempfile.TemporaryDirectory(prefix="minibatch-example-") as path:
        before = os.getcwd()
        os.chdir(path)
        try:
            yield path
        finally:
            os.chdir(before)


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def same(found, expected, what):
    check(found == expected, f"{what}\n  expected {expected!r}\n  found    {found!r}")


def output_of(*command):
    """What the command prints; it must succeed and say nothing on standard error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    check(done.returncode == 0 and not done.stderr, f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
