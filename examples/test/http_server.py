"""http_server.py PROGRAM: the server, driven by curl."""
import json
import re
import signal
import subprocess
import sys
import threading

from support import check, own_directory, same, url_of

program = sys.argv[1]


class Server:
    def __init__(self):
        self.process = subprocess.Popen([program, "--port", "0", "--db", url_of("http"), "--max-body", "100000"],
                                        stdout=subprocess.PIPE, text=True)
        greeting = self.process.stdout.readline()
        match = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", greeting)
        check(match, f"the server tells its port, not {greeting!r}")
        self.url = match[1]

    def curl(self, path, *options, body=None):
        command = ["curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}", *options, self.url + path]
        if body is not None:
            command += ["--data-binary", "@-"]
        done = subprocess.run(command, input=body, capture_output=True, timeout=30)
        check(done.returncode == 0, f"{command}: {done.stderr}")
        text, _, code = done.stdout.decode().rpartition("\n")
        return int(code), json.loads(text.split("\r\n\r\n")[-1]), text

    def post(self, path, body):
        return self.curl(path, body=body)[:2]

    def refused(self, expected, reason, path, *options, body=None):
        code, answer, _ = self.curl(path, *options, body=body)
        same(code, expected, f"{path} {options} {(body or b'')[:60]!r}: {answer}")
        check(re.search(reason, answer["error"]), f"the reason {answer['error']!r} says {reason!r}")

    def stop(self, how):
        self.process.send_signal(how)
        output, _ = self.process.communicate(timeout=10)
        same((output, self.process.returncode), ("stopped\n", 0), f"a clean end after {how.name}")


def first_events(server, path, count):
    """The first events of a stream of windows; then the connection is broken off."""
    listener = subprocess.Popen(["curl", "-sSN", "-X", "POST", "--max-time", "20", server.url + path],
                                stdout=subprocess.PIPE, text=True)
    events = []
    while len(events) < count:
        line = listener.stdout.readline()
        check(line, f"{count} events of {path}, not only {events}")
        if line.startswith("data: "):
            events.append(json.loads(line[6:]))
    listener.kill()
    listener.communicate()
    return events


with own_directory():
    server = Server()
    stored = {"stream": "readings", "partition": 0}
    same(server.post("/streams/readings", b'{"celsius": 21}'), (201, {**stored, "offset": 0, "appended": 1}), "an object")
    same(server.post("/streams/readings", b'{"a": 1}\n\n{"a": 2}\r\n{"a": 3}\n'),
         (201, {**stored, "offset": 1, "appended": 3}), "JSON lines")
    same(server.post("/streams/readings", b'{\n  "spread": "over lines"\n}\n'),
         (201, {**stored, "offset": 4, "appended": 1}), "an object over several lines")

    server.refused(400, "line 2: .*byte 7", "/streams/readings", body=b'{"a": 1}\n{"a": ]}\n{"a": 3}')
    server.refused(400, "byte 1", "/streams/readings", body=b"nonsense")
    server.refused(400, "object", "/streams/readings", body=b"[1, 2]")
    server.refused(400, "empty", "/streams/readings", body=b"")
    server.refused(400, "x", "/streams/readings", body=b'{"x": 1e999}')
    server.refused(400, "name", "/streams/.hidden", body=b"{}")
    server.refused(413, "100000 bytes", "/streams/readings", "-H", "Expect:", body=b'{"long": "%s"}' % (b"x" * 200000))
    server.refused(404, "streams/NAME", "/elsewhere", body=b"{}")
    server.refused(404, "path", "/streams/readings/elsewhere")
    post = ("-X", "POST")
    server.refused(404, "nothing-here", "/streams/nothing-here/windows?size=1", *post)
    server.refused(404, "nothing-here", "/streams/nothing-here")
    server.refused(405, "GET, POST", "/streams/readings", "-X", "DELETE")
    server.refused(405, "POST", "/streams/readings/windows")
    check("Allow: POST" in server.curl("/streams/readings/windows", "-i")[2], "405 tells what is allowed")
    server.refused(400, "size", "/streams/readings/windows?size=0", *post)
    server.refused(400, "size", "/streams/readings/windows?size=many", *post)
    server.refused(400, "colour", "/streams/readings/windows?colour=red", *post)
    server.refused(400, "last", "/streams/readings?last=0")
    server.refused(431, "header", "/streams/readings", "-H", "X-Long: " + "x" * 20_000)

    # A GET shows the newest documents, and changes nothing: no window, no group.
    def newest(query):
        done = subprocess.run(["curl", "-sS", server.url + "/streams/readings" + query], capture_output=True, timeout=30)
        return [json.loads(line) for line in done.stdout.splitlines()]

    for query, expected in (("?last=2", [{"a": 3}, {"spread": "over lines"}]), ("?last=1000", 5), ("", 5)):
        found = newest(query)
        same(found if query == "?last=2" else len(found), expected, f"the newest documents, {query!r}")

    # What other sites make a browser send.
    port = server.url.rpartition(":")[2]
    for header in ("Host: evil.example", f"Host: evil.example:{port}", f"Host: 127.0.0.1.evil.example:{port}",
                   "Host: 127.0.0.1", "Host: 127.0.0.1:1", "Host;", "Origin: http://evil.example", "Origin: null",
                   f"Origin: https://127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}.evil.example",
                   "Origin: http://127.0.0.1:1"):
        for path, options in (("/streams/readings", ("--data-binary", "{}")), ("/streams/readings", ()),
                              ("/streams/readings/windows", post)):
            server.refused(403, header.partition(":")[0].rstrip(";"), path, *options, "-H", header)
    for header in (f"Host: localhost:{port}", f"Host: [::1]:{port}", f"Origin: http://localhost:{port}",
                   f"Origin: http://127.0.0.1:{port}"):
        same(server.curl("/streams/other", "-H", header, body=b"{}")[0], 201, f"one of its own names, {header}")
    same(len(newest("")), 5, "nothing was stored of what was refused")

    # Clients cannot make any number of streams or groups.
    for number in range(2, 101):
        name = "readings" if number == 2 else f"many{number}"
        same(server.post(f"/streams/{name}x", b"{}")[0], 201 if number <= 99 else 403, f"stream number {number + 1}")
    server.refused(403, "100 streams", "/streams/more", body=b"{}")
    for number in range(16):
        server.post("/streams/readingsx", b"{}")  # the others have not taken it yet, so that it is still there
        same(len(first_events(server, f"/streams/readingsx/windows?size=1&group=g{number}", 1)), 1, "a new group")
    server.refused(403, "16 groups", "/streams/readingsx/windows?group=g16", *post)
    server.stop(signal.SIGTERM)

with own_directory():
    for host in ("0.0.0.0", "192.0.2.1", "nonsense"):
        done = subprocess.run([program, "--host", host], capture_output=True, text=True, timeout=30)
        same((done.returncode, f"'{host}' is no loopback address" in done.stderr), (2, True), f"--host {host}")
    server = Server()
    for body in (b'{"celsius": 21}', b'{"a": 1}\n{"a": 2}\n{"a": 3}', b'{"spread": "over lines"}'):
        server.post("/streams/readings", body)

    def documents(events):
        return [document for event in events for document in event["data"]]

    same(documents(first_events(server, "/streams/readings/windows?size=2", 2)),
         [{"celsius": 21}, {"a": 1}, {"a": 2}, {"a": 3}], "two windows of two; nothing was stored of refused bodies")

    # A listener that waits is woken by an append, and others may go on at the same time.
    live = []
    waiting = threading.Thread(target=lambda: live.extend(first_events(server, "/streams/live/windows?size=3", 1)))
    server.post("/streams/live", b'{"n": 0}')
    waiting.start()
    server.post("/streams/live", b'{"n": 1}\n{"n": 2}')
    waiting.join(20)
    same(documents(live), [{"n": 0}, {"n": 1}, {"n": 2}], "a live window")

    posters = [threading.Thread(target=server.post, args=("/streams/crowd", b'{"from": %d}' % i)) for i in range(20)]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()
    same(sorted(d["from"] for d in documents(first_events(server, "/streams/crowd/windows?size=20", 1))), list(range(20)),
         "twenty at the same time")

    # Stopped while somebody listens; what was stored is there after the next start.
    listener = subprocess.Popen(["curl", "-sSN", "-X", "POST", "-D", "-",
                                 server.url + "/streams/readings/windows?size=1000"],
                                stdout=subprocess.PIPE, text=True)
    check("200" in listener.stdout.readline(), "somebody listens")
    server.stop(signal.SIGTERM)
    same(listener.wait(10), 0, "the listener's connection is ended properly")
    listener.stdout.close()

    server = Server()
    same(server.post("/streams/readings", b"{}"), (201, {**stored, "offset": 5, "appended": 1}), "offsets go on")
    server.process.kill()  # at once after the answer: what was answered with 201 stays
    server.process.communicate()
    server = Server()
    same(server.post("/streams/readings", b"{}"), (201, {**stored, "offset": 6, "appended": 1}), "nothing lost by SIGKILL")
    server.stop(signal.SIGINT)
