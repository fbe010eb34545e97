"""A driver and workers as processes, two jobs that read a growing directory, and what their sinks
must hold: word count in complete mode equals a recount, and every line that was written stands in the
pass-through job's sink exactly once.
"""
import collections
import json
import re
import signal
import socket
import threading
import time
import urllib.request

from harness import (CONFLICT, FENCED, OK, Engine, Failure, check, difference, job, sink_rows, until)
from recovery import QUERIES, Input

# Small, so that snapshots, base records and garbage collection happen within a few epochs.
SETTINGS = ("--conf", "state.snapshot_min_bytes=1k", "--conf", "state.snapshot_ratio=0.05",
            "--conf", "log.base_interval=5", "--conf", "source.split_bytes=2k")
LEASE_SECONDS = 5
CANNOT_CONNECT = 4


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """One driver and its workers over one root. Workers find the driver by the root, unless an
    address is given."""

    def __init__(self, binary, folder):
        self.engine = Engine(binary, folder)
        self.folder, self.root = folder, folder / "root"
        self.listen, self.http = free_port(), free_port()
        self.driver = None
        self.workers = {}         # id -> process

    def start_driver(self, env=None, listen=None):
        """On the same ports again unless `listen` is given; the one before must have ended or be
        about to be fenced."""
        if listen:
            self.listen, self.http = listen, free_port()
        self.driver = self.engine.start(
            "--log-level", "info", "driver", "--listen", f"127.0.0.1:{self.listen}", "--http", f"127.0.0.1:{self.http}",
            "--root", self.root, env=env)
        return self.driver

    def start_worker(self, name, *flags, env=None, slots=2, data=None):
        """`data` is its local disk: two processes cannot share one."""
        where = () if "--driver" in flags else ("--root", self.root)
        process = self.engine.start("--log-level", "info", "worker", *where, "--slots", slots, "--id", name,
                                    "--data", self.folder / "data" / (data or name), *flags, env=env)
        self.workers[name] = process
        return process

    def client(self, *words, codes=OK, seconds=30):
        return self.engine.start(*words, "--driver", f"127.0.0.1:{self.listen}").expect(codes, seconds)

    def get(self, path):
        """JSON of the driver's HTTP port, None where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=2) as reply:
                return json.load(reply)
        except (OSError, ValueError):
            return None

    def alive(self):
        reply = self.get("/api/v1/workers")
        return {one["id"] for one in reply["workers"] if one["state"] == "ALIVE"} if reply else set()

    def wait_for_workers(self, names=None, seconds=20):
        names = set(names or self.workers)
        until(lambda: self.alive() >= names, seconds, f"workers {sorted(names)} are alive", step=0.05)

    def states(self):
        """State of each job by name."""
        reply = self.get("/api/v1/jobs")
        return {one["name"]: one["state"] for one in reply["jobs"]} if reply else {}

    def check_running(self):
        """No process has ended by itself."""
        for name, process in [("driver", self.driver), *self.workers.items()]:
            check(process.is_running(), f"{name} ended with {process.child.poll()}: {process.describe()}")

    def describe(self):
        """For failures: what the driver thinks, and the ends of the logs."""
        lines = [f"jobs: {json.dumps(self.get('/api/v1/jobs'))}", f"workers: {json.dumps(self.get('/api/v1/workers'))}"]
        for name, process in [("driver", self.driver), *self.workers.items()]:
            lines.append(f"--- {name} {process.log}.err {'' if process.is_running() else f'(ended {process.child.poll()})'}")
            lines.append("\n".join(line[:500] for line in process.stderr.splitlines()[-12:]))
        return "\n".join(lines)

    def stop(self):
        """Ends everything politely."""
        for process in self.workers.values():
            process.send(signal.SIGTERM)
        for name, process in self.workers.items():
            check(process.wait(30) == OK, f"worker {name} left with {process.child.returncode}: {process.describe()}")
        self.driver.stop(30)


class Feeder:
    """Adds files in the background; can be paused."""

    def __init__(self, target, pause):
        self.target, self.pause = target, pause
        self.is_paused, self.is_stopped = False, False
        self.change = threading.Condition()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while True:
            with self.change:
                self.change.wait(self.pause)
                if self.is_stopped:
                    return
                if not self.is_paused:
                    self.target.add_file()

    def set(self, **values):
        with self.change:
            vars(self).update(values)
            self.change.notify_all()

    def stop(self):
        self.set(is_stopped=True)
        self.thread.join()


class Jobs:
    """The two jobs on a cluster and their check."""

    def __init__(self, cluster, generator, pause=0.05, label=""):
        self.cluster, self.label = cluster, label
        self.input = Input(cluster.folder / f"in{label}", generator)
        self.out = cluster.folder / f"out{label}"
        self.checkpoints = cluster.folder / f"checkpoint{label}"
        self.input.add_file()
        self.seen = collections.Counter()     # lines in the pass-through job's sink
        self.read = set()                     # its files that were counted
        for name, (output, query) in QUERIES.items():
            spec = cluster.engine.write(f"{name}{label}.yaml", job(
                query, {"format": "text", "path": self.input.folder}, {"format": "json", "path": self.out / name},
                output=output, checkpoint=self.checkpoints / name, name=name + label))
            done = cluster.client("submit", spec, *SETTINGS)
            check(re.fullmatch(r"[0-9a-f-]{36}\s*", done.stdout), f"submit does not print the id: {done.describe()}")
        self.feeder = Feeder(self.input, pause)

    def look(self):
        """Counts new files of the pass-through job; nothing may stand there twice or be made up."""
        folder = self.out / "copy"
        for path in sorted(folder.glob("part-*.json")) if folder.is_dir() else []:
            if path.name in self.read:
                continue
            self.read.add(path.name)
            for line in path.read_text(encoding="utf-8").splitlines():
                value = json.loads(line)["value"]
                self.seen[value] += 1
                check(self.seen[value] == 1, f"line stands twice: {value[:60]!r} again in {path.name}")
        return self.seen

    def wait_until_caught_up(self, seconds=30):
        """Until the sink holds every line that exists now. Returns how long it took."""
        began = time.monotonic()
        with self.feeder.change:
            pending = list(self.input.lines)

        def are_all_seen():
            self.look()
            nonlocal pending
            pending = [line for line in pending if not self.seen[line]]
            return not pending
        try:
            until(are_all_seen, seconds, "the pass-through job holds every line", step=0.02)
        except Failure as failure:
            raise Failure(f"{failure}: {len(pending)} lines missing, the first {pending[0][:40]!r}") from None
        return time.monotonic() - began

    def counts(self):
        return {row["word"]: row["n"] for row in sink_rows(self.out / "count")}

    def check_exactly(self, seconds=30):
        """Lets both jobs finish all input and compares the sinks with a recount."""
        self.feeder.set(is_paused=True)
        self.wait_until_caught_up(seconds)
        made_up = difference(collections.Counter(self.input.lines), self.look())
        check(not made_up, f"the pass-through job differs:\n{made_up}")
        want = collections.Counter(word for line in self.input.lines for word in line.split(" "))
        try:
            until(lambda: self.counts() == want, seconds, "the word count equals the recount", step=0.05)
        except Failure as failure:
            wrong = difference(collections.Counter(want), collections.Counter(self.counts()))
            raise Failure(f"{failure}\n{wrong}") from None
        self.feeder.set(is_paused=False)

    def finish(self):
        """Checks for the last time, stops the jobs and verifies their checkpoints."""
        self.check_exactly()
        self.feeder.stop()
        for name in QUERIES:
            self.cluster.client("stop", name + self.label)
            self.cluster.engine.start("checkpoint", "verify", self.checkpoints / name).expect(OK, 30)


def expect_fenced(process, seconds=20):
    """The process ends by itself because a newer one took its place."""
    process.expect((FENCED, CONFLICT), seconds)
