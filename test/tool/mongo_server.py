"""A MongoDB-compatible server that tests start: the counterpart of test/support/mongo_server.hpp, with the same
environment variables MINIBATCH_TEST_MONGO_SERVER (its program) and MINIBATCH_TEST_MONGO_URL (a server that is there)."""
import ctypes
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from urllib.parse import quote, urlsplit, urlunsplit

LIMIT = 30  # seconds that a start or an end never takes
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSTALLED = os.path.join(ROOT, "build", "python", "bin", "secantusd-rs")
PR_SET_PDEATHSIG = 1
PRCTL = ctypes.CDLL(None).prctl
USER, PASSWORD = "owner", "correct-horse-1"  # who may do everything where `auth` was asked for


def program(configured=None):
    """The server's file: from the environment, as configured, or where tools/test puts it."""
    path = os.environ.get("MINIBATCH_TEST_MONGO_SERVER") or configured or INSTALLED
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"there is no MongoDB-compatible server at '{path}': run tools/test once, which installs "
                                "it, or name one in the environment variable MINIBATCH_TEST_MONGO_SERVER")
    return path


def with_driver(configured, code, url, *arguments):
    """Runs Python that uses pymongo: by the interpreter beside the server, as the one that runs the tests lacks it. The
    URL is in the environment, as the arguments of programs can be seen by others."""
    python = os.path.join(os.path.dirname(configured or INSTALLED), "python")
    done = subprocess.run([python, "-c", "import bson.json_util, json, os, pymongo, sys\n" + code, *arguments],
                          capture_output=True, text=True, env={**os.environ, "URL": url}, timeout=4 * LIMIT)
    if done.returncode != 0:
        raise RuntimeError(f"{python} has failed: {done.stderr}")
    return done.stdout


def dies_with_its_parent():
    """What a process that is started runs first for that."""
    PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """Below those that connections get, so that it can be left and taken again."""
    while True:
        port = random.SystemRandom().randint(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def fresh_name():
    return f"minibatch_test_{uuid.uuid4().hex}"


class MongoServer:
    """It listens when the constructor returns, and dies with the thread that started it. With `auth` it lets in users
    only; `url` is then one of a user who may do everything."""

    def __init__(self, configured=None, auth=False):
        self.configured = configured
        self.program = program(configured)
        self.auth = False
        self.directory = tempfile.mkdtemp(prefix="minibatch-mongo-")
        self.process = None
        self.port = free_port()
        try:
            self.start()
            if auth:
                # Before there is a user, nobody could log in.
                self.command("admin", {"createUser": USER, "pwd": PASSWORD, "roles": ["root"]})
                self.stop()
                self.auth = True
                self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        """Again on the same port and directory, after `kill` or `stop`."""
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--port", str(self.port), "--storage-path", os.path.join(self.directory, "data"),
                 "--cache-size", "256M", "--log-file-max", "32MB", *(["--auth"] if self.auth else [])],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, preexec_fn=dies_with_its_parent)
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        if not ready or b"listening on" not in self.process.stdout.readline():
            raise RuntimeError(f"the MongoDB server does not listen: {self.log()}")

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.kill()

    def pause(self):
        """Connections stay open, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def url(self, database):
        if self.auth:
            return self.url_for(USER, PASSWORD, database)
        return f"mongodb://127.0.0.1:{self.port}/{database}?directConnection=true"

    def url_for(self, user, password, database):
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"mongodb://{who}@127.0.0.1:{self.port}/{database}?directConnection=true&authSource=admin"

    def command(self, database, command):
        return json.loads(with_driver(
            self.configured, "with pymongo.MongoClient(os.environ['URL']) as client:\n"
            "    answer = client[sys.argv[1]].command(json.loads(sys.argv[2]))\n"
            "    print(bson.json_util.dumps(answer))", self.url("admin"), database, json.dumps(command)))

    def log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class FreshDatabases:
    """Databases that nobody has used: on the server that is named, else on one of our own."""

    def __init__(self, configured=None):
        self.configured = configured
        self.named = os.environ.get("MINIBATCH_TEST_MONGO_URL")
        self.server = None if self.named else MongoServer(configured)
        self.urls = []

    def url(self):
        if self.server:
            return self.server.url(fresh_name())
        parts = urlsplit(self.named)
        self.urls.append(urlunsplit(parts._replace(path="/" + fresh_name())))
        return self.urls[-1]

    def close(self):
        """What was made on a server that goes on without us is dropped."""
        if self.server:
            self.server.close()
        if self.urls:
            with_driver(self.configured, "with pymongo.MongoClient(os.environ['URL']) as client:\n"
                        "    for name in sys.argv[1:]:\n        client.drop_database(name)", self.named,
                        *(urlsplit(url).path[1:] for url in self.urls))
