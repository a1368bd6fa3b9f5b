"""Makes the n-th system call of a kind fail, for every kind and n, under a program that connects, appends, consumes,
commits and closes, and under the command-line tool. Steps the limits on descriptors and threads through the same.

In each case: no abort, no hang, no exception of a foreign type; what was acknowledged is found by a clean run, what was
refused is not, and exit codes tell the truth.

    run.py SCENARIO LIBRARY TOOL [--only TEXT] [--all]

Tries a random choice of the cases for 20 seconds, or for MINIBATCH_TEST_SOAK_SECONDS; with --all each of them once.
MINIBATCH_TEST_SEED repeats a run."""
import argparse
import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

LIMIT = 20  # seconds; the time-outs of the scenario end it long before
WORKERS = 12  # most of the time they wait
# The tool waits for as long for a database that fails; by default it would be longer than a test can.
WAIT = ["--timeout", "2"]
LINES = "".join('{"n":%d}\n' % n for n in range(6))

# Left out are `epoll_ctl` and `write`, which only Asio calls, and whose failures it ignores.
ERRORS = {
    "open": ["EMFILE", "EACCES", "ENOSPC", "EIO"], "read": ["EIO", "EINTR"], "pread": ["EIO", "ENXIO"],
    "pwrite": ["ENOSPC", "EIO", "EDQUOT"], "fsync": ["EIO", "ENOSPC"],
    "fdatasync": ["EIO", "ENOSPC"], "ftruncate": ["EIO", "ENOSPC"], "fallocate": ["ENOSPC", "EOPNOTSUPP"],
    "mmap": ["ENOMEM"], "lock": ["ENOLCK", "EIO"], "stat": ["EIO", "EACCES"], "unlink": ["EIO", "EACCES"],
    "eventfd": ["EMFILE"], "epoll_create": ["EMFILE", "ENOMEM"], "timerfd": ["EMFILE"],
    "inotify_init": ["EMFILE"], "inotify_add": ["ENOSPC"], "thread": ["EAGAIN"], "socket": ["EMFILE"],
    "connect": ["EAGAIN"], "poll": ["EINTR", "ENOMEM"],
}


class Wrong(Exception):
    """What a case did that it must not do."""


class Run:
    """How a program ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.lines = out.splitlines()

    def __str__(self):
        return f"exit code {self.code}\n--- out\n{self.out}--- err\n{self.err}"


def run(command, directory, faults=None, counts=None, before=(), given=""):
    environment = dict(os.environ, MONGOC_DISABLE_SHM="1")
    if faults is not None:
        environment.update(LD_PRELOAD=PROGRAMS.library, **faults)
    if counts:
        environment["MINIBATCH_FAULT_COUNTS"] = counts
    process = subprocess.Popen([*before, *command], cwd=directory, env=environment, text=True,
                               errors="backslashreplace", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(given, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Wrong(f"hangs\n--- out\n{out}--- err\n{err}") from None
    done = Run(process.returncode, out, err)
    if done.code < 0:
        raise Wrong(f"killed by {signal.Signals(-done.code).name}\n{done}")
    return done


def fields(run_, *begin):
    """The rest of the lines that begin with these words."""
    wanted = list(begin)
    return [line.split()[len(wanted):] for line in run_.lines if line.split()[:len(wanted)] == wanted]


def stored(directory):
    """What a clean run finds: the documents' numbers by offset, and the offset up to which is committed."""
    found = run([PROGRAMS.scenario, "check", "sqlite:q.db"], directory)
    if found.code != 0 or found.lines[-1:] != ["end"]:
        raise Wrong(f"a clean run fails afterwards\n{found}")
    documents = {int(at): json.loads(text)["n"] for at, text in fields(found, "document")}
    low = fields(found, "low")
    return documents, int(low[0][0]) if low else 0


def check_scenario(done, directory):
    if done.code == 125:
        raise Wrong(f"the library was not understood\n{done}")
    if done.code != 0 or done.lines[-1:] != ["end"]:
        raise Wrong(f"did not end well\n{done}")
    documents, low = stored(directory)

    def wrong(what):
        raise Wrong(f"{what}; stored are {documents}, committed up to {low}\n{done}")

    for number, offset in fields(done, "appended"):
        if documents.get(int(offset)) != int(number):
            wrong(f"document {number} was acknowledged and is not at offset {offset}")
    for number, *_ in fields(done, "refused", "append"):
        if int(number) in documents.values():
            wrong(f"document {number} was refused and is stored")
    if len(set(documents.values())) != len(documents):
        wrong("a document is stored twice")
    if sorted(documents) != list(range(len(documents))):
        wrong("offsets are missing")
    committed = [int(last) + 1 for _, last in fields(done, "committed")]
    if committed and low < max(committed):
        wrong("a commit was acknowledged and is not stored")
    unknown = fields(done, "unknown", "commit")
    for first, *_ in fields(done, "refused", "commit"):
        later = [c for c in committed if c > int(first)] + [u for u in unknown if int(u[0]) >= int(first)]
        if low > int(first) and not later:
            wrong("a commit was refused and is stored")


def scenario(directory, **how):
    check_scenario(run([PROGRAMS.scenario, "work", "sqlite:q.db"], directory, **how), directory)


def scenario_in_memory(directory, **how):
    done = run([PROGRAMS.scenario, "work", "memory:"], directory, **how)
    if done.code != 0 or done.lines[-1:] != ["end"]:
        raise Wrong(f"did not end well\n{done}")


def tool_appends(directory, **how):
    done = run([PROGRAMS.tool, "append", "s", "--db", "sqlite:q.db", *WAIT], directory, given=LINES, **how)
    documents, _ = stored(directory)
    told = json.loads(done.lines[-1])["appended"] if done.lines else 0
    numbers = [documents[at] for at in sorted(documents)]
    if numbers[:told] != list(range(told)):
        raise Wrong(f"{told} lines were reported as stored; stored are {numbers}\n{done}")
    if done.code == 0 and told != 6:
        raise Wrong(f"exit code 0, and only {told} of 6 lines\n{done}")
    if done.code not in (0, 1, 75):
        raise Wrong(f"an exit code that is not documented\n{done}")


def tool_consumes(directory, **how):
    clean = run([PROGRAMS.tool, "append", "s", "--db", "sqlite:q.db"], directory, given=LINES)
    if clean.code != 0:
        raise Wrong(f"appending without faults failed\n{clean}")
    done = run([PROGRAMS.tool, "consume", "s", "--db", "sqlite:q.db", "--size", "2", "--max-windows", "2", "--keep",
                "--idle-exit", "3", *WAIT], directory, **how)
    _, low = stored(directory)
    printed = [json.loads(line)["last"] + 1 for line in done.lines]
    if done.code == 0 and (low != 4 or not printed or max(printed) != 4):
        raise Wrong(f"exit code 0, committed up to {low}, printed up to {printed}\n{done}")
    if low > max(printed, default=0):
        raise Wrong(f"committed up to {low}, printed up to {printed}\n{done}")
    if done.code not in (0, 1, 75):
        raise Wrong(f"an exit code that is not documented\n{done}")


PROGRAMS = None
SUBJECTS = {f.__name__: f for f in (scenario, scenario_in_memory, tool_appends, tool_consumes)}
# A consumer of the tool that waits for its lease is not bounded by the time-out: there, one call fails alone.
LASTING = ("scenario", "scenario_in_memory", "tool_appends")
# SQLite tries for 10 s to get a lock of the write-ahead log, whatever the error, and cannot be interrupted in that.
SLOW = ("lock",)


def with_directory(work):
    with tempfile.TemporaryDirectory(prefix="minibatch-faults-") as directory:
        os.chmod(directory, 0o777)
        work(directory)


def counted(subject):
    """How often each kind is called when nothing fails."""
    found = {}

    def work(directory):
        counts = os.path.join(directory, "counts")
        SUBJECTS[subject](directory, faults={}, counts=counts)
        with open(counts) as lines:
            for line in lines:
                kind, calls, _ = line.split()
                found[kind] = int(calls)

    with_directory(work)
    return found


def fault_cases():
    for subject in SUBJECTS:
        calls = counted(subject)
        for kind, number in calls.items():
            for n in range(1, number + 2):
                for name in ERRORS.get(kind, ()):
                    lasting = subject in LASTING and name != "EINTR" and kind not in SLOW
                    for rest in ("", ":on") if lasting else ("",):
                        fault = f"{kind}:{n}:{getattr(errno, name)}{rest}"
                        yield f"{subject} {kind} {n} {name}{rest}", subject, {"faults": {"MINIBATCH_FAULT": fault}}


def limit_cases():
    for subject in SUBJECTS:
        # With fewer the program itself cannot be loaded.
        for descriptors in range(4, 40):
            yield (f"{subject} with {descriptors} descriptors", subject,
                   {"before": ["prlimit", f"--nofile={descriptors}"]})
        # Only root may become a user without other processes, which would count. For others the faults of the kind
        # `thread` are the same from within.
        for threads in range(1, 12) if os.geteuid() == 0 else ():
            user = random.randrange(70_000, 2_000_000_000)
            yield (f"{subject} with {threads} threads", subject,
                   {"before": ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "prlimit",
                               f"--nproc={threads}"]})


def main():
    global PROGRAMS
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for program in ("scenario", "library", "tool"):
        parser.add_argument(program, type=os.path.abspath)
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds this text")
    parser.add_argument("--all", action="store_true", help="each case once, however long it takes")
    PROGRAMS = parser.parse_args()

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seed = int(os.environ.get("MINIBATCH_TEST_SEED") or random.randrange(1 << 32))
    seconds = float(os.environ.get("MINIBATCH_TEST_SOAK_SECONDS") or 20)
    random.seed(seed)
    cases = [case for case in [*fault_cases(), *limit_cases()] if PROGRAMS.only in case[0]]
    random.shuffle(cases)
    print(f"MINIBATCH_TEST_SEED={seed}\n{len(cases)} cases", flush=True)
    if not cases:
        sys.exit("there is no such case")
    end = time.monotonic() + seconds
    lock = threading.Lock()
    waiting = iter(cases)
    tried, failures = [], []

    def work():
        while PROGRAMS.all or time.monotonic() < end:
            with lock:
                case = next(waiting, None)
            if case is None:
                return
            name, subject, how = case
            try:
                with_directory(lambda directory: SUBJECTS[subject](directory, **how))
            except Wrong as problem:
                with lock:
                    failures.append(name)
                    print(f"FAILED: {name}: {problem}\n", flush=True)
            with lock:
                tried.append(name)

    workers = [threading.Thread(target=work) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(f"{len(tried)} of {len(cases)} cases tried, {len(failures)} failed")
    for name in sorted(failures):
        print(f"  {name}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
