"""A MongoDB-compatible server that tests start: the counterpart of test/support/mongo_server.hpp, with the same
environment variables MINIBATCH_TEST_MONGO_SERVER (its program) and MINIBATCH_TEST_MONGO_URL (a server that is there)."""
import ctypes
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from urllib.parse import urlsplit, urlunsplit

LIMIT = 30  # seconds that a start or an end never takes
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSTALLED = os.path.join(ROOT, "build", "python", "bin", "secantusd-rs")
PR_SET_PDEATHSIG = 1


def program(configured=None):
    """The server's file: from the environment, as configured, or where tools/test puts it."""
    path = os.environ.get("MINIBATCH_TEST_MONGO_SERVER") or configured or INSTALLED
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"there is no MongoDB-compatible server at '{path}': run tools/test once, which installs "
                                "it, or name one in the environment variable MINIBATCH_TEST_MONGO_SERVER")
    return path


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
    """It listens when the constructor returns, and dies with the thread that started it."""

    def __init__(self, configured=None):
        self.program = program(configured)
        self.directory = tempfile.mkdtemp(prefix="minibatch-mongo-")
        self.process = None
        self.port = free_port()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        """Again on the same port and directory, after `kill` or `stop`."""
        prctl = ctypes.CDLL(None).prctl
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--port", str(self.port), "--storage-path", os.path.join(self.directory, "data"),
                 "--cache-size", "256M", "--log-file-max", "32MB"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
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
        return f"mongodb://127.0.0.1:{self.port}/{database}?directConnection=true"

    def log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class FreshDatabases:
    """Databases that nobody has used: on the server that is named, else on one of our own."""

    def __init__(self, configured=None):
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
            import pymongo  # in build/python
            with pymongo.MongoClient(self.named) as client:
                for url in self.urls:
                    client.drop_database(urlsplit(url).path[1:])
