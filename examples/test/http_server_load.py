"""http_server_load.py PROGRAM: the server under load, interrupted in the middle of it."""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

from support import check, own_directory, same, url_of

program = sys.argv[1]
CONNECTIONS = 16
SLOWER = float(os.environ.get("MINIBATCH_TEST_SLOWER", "1"))  # with a sanitizer
ENOUGH = 2000  # answers before the interruption


class Server:
    def __init__(self):
        self.process = subprocess.Popen([program, "--port", "0", "--db", url_of("http")], stdout=subprocess.PIPE,
                                        text=True)
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", self.process.stdout.readline())[1])

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20 * SLOWER)


class Load:
    """Clients that post one document after another until the server is gone."""

    def __init__(self, server):
        self.lock = threading.Lock()
        self.enough = threading.Event()
        self.answered = set()
        self.asked = set()
        self.slowest = 0.0
        self.clients = [threading.Thread(target=self.post, args=(server, n)) for n in range(CONNECTIONS)]
        for client in self.clients:
            client.start()

    def post(self, server, client):
        connection = server.connect()
        for number in range(1_000_000):
            name = f"{client}-{number}"
            with self.lock:
                self.asked.add(name)
            began = time.monotonic()
            try:
                connection.request("POST", "/streams/load", json.dumps({"id": name}))
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                return
            check(response.status in (201, 503), f"status {response.status}")
            if response.status != 201:
                return
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.answered.add(name)
                if len(self.answered) >= ENOUGH:
                    self.enough.set()
            if response.will_close:
                return


def read_windows(server, group, size, enough):
    """Ids of the documents in the windows of `size`, until they are enough or the server ends."""
    connection = server.connect()
    connection.request("POST", f"/streams/load/windows?group={group}&size={size}")
    response = connection.getresponse()
    same(response.status, 200, "windows are streamed")
    found = []
    while not enough(found):
        line = response.readline()
        if not line:
            break
        if line.startswith(b"data: "):
            found += [document["id"] for document in json.loads(line[6:])["data"]]
    connection.close()
    return found


with own_directory():
    server = Server()
    connection = server.connect()
    connection.request("POST", "/streams/load", '{"id": "first"}')
    same(connection.getresponse().status, 201, "the stream is there")
    read_windows(server, "all", 1, lambda found: len(found) > 0)  # a group that will want everything
    load = Load(server)
    streamed = []
    check(load.enough.wait(30 * SLOWER), f"{ENOUGH} answers come, not only {len(load.answered)}")
    delivered = threading.Event()

    def note(found):
        if found:
            delivered.set()
        return False

    listener = threading.Thread(target=lambda: streamed.extend(read_windows(server, "live", 10, note)))
    listener.start()
    with load.lock:
        target = len(load.answered) + 500
    while len(load.answered) < target:  # both at the same time
        load.clients[0].join(0.01)
    check(delivered.wait(10 * SLOWER), "windows come under load")
    began = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    output, _ = server.process.communicate(timeout=20 * SLOWER)
    took = time.monotonic() - began
    same((output, server.process.returncode), ("stopped\n", 0), "a clean end in the middle of the load")
    check(took < 10 * SLOWER, f"it ends within {10 * SLOWER:.0f} seconds, not {took:.1f}")
    for client in load.clients:
        client.join()
    listener.join()
    check(load.slowest < 5 * SLOWER, f"no answer took as long as {load.slowest:.1f} s")
    check(len(streamed) > 0 and len(streamed) == len(set(streamed)), "windows came meanwhile, each document once")

    # What was answered is there once; what was not may be.
    server = Server()
    missing = load.answered - {"first"}

    def complete(found):
        missing.difference_update(found[-100:])
        return not missing

    everything = read_windows(server, "all", 1, complete)
    same(sorted(missing), [], "nothing that was answered is lost")
    # The first one was on its way when its reader left, and may come again.
    same(len(everything), len(set(everything)), "nothing is there twice")
    check(set(everything) <= load.asked | {"first"}, "nothing came from nowhere")
    server.process.send_signal(signal.SIGTERM)
    server.process.communicate(timeout=20 * SLOWER)
    same(server.process.returncode, 0, "a clean end")
