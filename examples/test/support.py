"""What the tests of the examples share. With `--mongo-server PROGRAM` as its last arguments, a test has its databases on a
MongoDB server that it starts (test/tool/mongo_server.py), else in files of its own directory."""
import contextlib
import os
import subprocess
import sys
import tempfile

# The MongoDB driver shares its counters in /dev/shm/mongoc-PID. Processes that are killed leave theirs, and a later one of
# the same number would warn on standard error; without the sharing it does not.
os.environ["MONGOC_DISABLE_SHM"] = "1"
MONGO_SERVER = None
if sys.argv[-2:-1] == ["--mongo-server"]:
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "tool"))
    import mongo_server
    MONGO_SERVER = sys.argv.pop()
    sys.argv.pop()
databases = None
urls = {}


def url_of(name):
    """The URL of a database that is this test's alone, the same for the same name; in `own_directory`."""
    if not MONGO_SERVER:
        return f"sqlite:{name}.db"
    if name not in urls:
        urls[name] = databases.url()
    return urls[name]


@contextlib.contextmanager
def own_directory():
    global databases
    with tempfile.TemporaryDirectory(prefix="minibatch-example-") as path, contextlib.ExitStack() as at_end:
        before = os.getcwd()
        os.chdir(path)
        at_end.callback(os.chdir, before)
        urls.clear()
        if MONGO_SERVER:
            databases = mongo_server.FreshDatabases(MONGO_SERVER)
            at_end.callback(databases.close)
        yield path


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def same(found, expected, what):
    check(found == expected, f"{what}\n  expected {expected!r}\n  found    {found!r}")


def output_of(*command, database=None):
    """What the command prints; it must succeed and say nothing on standard error. `database` is the URL for programs that
    take it from the environment."""
    environment = {key: value for key, value in os.environ.items() if "MONGO_URL" not in key and key != "MINIBATCH_URL"}
    if database:
        environment["MINIBATCH_URL"] = database
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, env=environment)
    check(done.returncode == 0 and not done.stderr, f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
