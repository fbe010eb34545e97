"""Kills `tidemill run` with SIGKILL at every failpoint and at random times while files arrive, and
compares what the sinks hold with an independent recount.

Two jobs read the same growing directory: word count in complete mode (state, snapshots, one result
file) and a pass-through in append mode (manifests): there every line must stand exactly once.

usage: recovery.py TIDEMILL [--long] [--seed N] [--kills N]
"""
import collections
import json
import random
import threading
import time

from harness import (OK, Engine, Failure, arguments, as_multiset, check, difference, job, main, publish, scratch,
                     sink_rows)

# Small, so that snapshots, base records and garbage collection happen within a few epochs.
FLAGS = ("--workers", "2", "--slots", "2", "--conf", "state.snapshot_min_bytes=1k", "--conf", "state.snapshot_ratio=0.05",
         "--conf", "log.base_interval=5", "--conf", "source.split_bytes=2k")
WORDS = "tide mill pond gate wheel stone flour grain miller ebb flood moon".split()
QUERIES = {
    "count": ("complete", "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM input) GROUP BY word"),
    "copy": ("append", "SELECT value FROM input"),
}
# Failpoints that a job cannot reach: stateless queries have no state, one file has no half.
OUT_OF_REACH = {
    "count": ("sink.half_renamed",),
    "copy": ("worker.changelog_written", "worker.flush_captured", "worker.snapshot_files_copied"),
}
OF_A_CLUSTER = ("worker.warmed_up",)    # no worker joins here
DRAIN_SECONDS = 120


class Input:
    """The growing directory and what is in it."""

    def __init__(self, folder, generator):
        self.folder, self.generator = folder, generator
        self.lines = []
        self.files = 0
        folder.mkdir()

    def add_file(self):
        count = self.generator.choice((1, 3, 10, 40, 40, 400))
        name = f"f{self.files:05d}"
        lines = [f"{name}:{i} " + " ".join(self.generator.choices(WORDS, k=self.generator.randrange(6))) for i in range(count)]
        publish(self.folder, name + ".txt", "".join(line + "\n" for line in lines))
        self.lines += lines
        self.files += 1


class Writer:
    """Adds files in the background while a process runs."""

    def __init__(self, target, most, pause):
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.work, args=(target, most, pause))
        self.thread.start()

    def work(self, target, most, pause):
        for _ in range(most):
            if self.stopped.wait(pause):
                return
            target.add_file()

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Torture:
    def __init__(self, engine, generator):
        self.engine, self.generator = engine, generator
        self.input = Input(engine.folder / "in", generator)
        self.specs = {}
        self.hits = collections.Counter()    # failpoint -> kills at it
        self.kills = 0
        for name, (output, query) in QUERIES.items():
            for trigger in (None, "available-now"):
                self.specs[name, trigger] = engine.write(f"{name}-{trigger or 'default'}.yaml", job(
                    query, {"format": "text", "path": self.input.folder, "options": {"maxFilesPerTrigger": 1}},
                    {"format": "json", "path": engine.folder / "out" / name}, output=output, trigger=trigger,
                    checkpoint=engine.folder / "checkpoint" / name, name=name))

    def kill_at(self, name, failpoint, hits):
        """Runs until the failpoint kills the process; says whether it did."""
        process = self.engine.run(self.specs[name, None], env={"TIDEMILL_FAILPOINT": f"{failpoint}:{hits}"})
        writer = Writer(self.input, most=60, pause=0.03)
        try:
            code = process.child.wait(8)
        except Exception:
            code = None
        writer.stop()
        if code is None:
            process.kill()
        else:
            check(code == -9, f"at failpoint {failpoint}:{hits} exit code {code}: {process.describe()}")
        self.kills += 1
        self.hits[failpoint] += code is not None
        self.check_after_kill(name, f"{failpoint}:{hits}")
        return code is not None

    def kill_at_random(self, name):
        process = self.engine.run(self.specs[name, None])
        writer = Writer(self.input, most=40, pause=0.02)
        delay = self.generator.choice((0.02, 0.1, 0.3, 0.8)) * (0.5 + self.generator.random())
        deadline = time.monotonic() + delay
        while time.monotonic() < deadline and process.is_running():
            time.sleep(0.005)
        check(process.is_running(), f"ended by itself: {process.describe()}")
        process.kill()
        writer.stop()
        self.kills += 1
        self.check_after_kill(name, f"random time {delay:.3f} s")

    def check_after_kill(self, name, where):
        """What a reader may see at any time: whole records, nothing twice, nothing made up."""
        folder = self.engine.folder / "out" / name
        try:
            rows = sink_rows(folder)
        except ValueError as error:
            raise Failure(f"{name}: a reader sees a torn record after a kill at {where}: {error}") from None
        if name == "copy":
            seen = collections.Counter(row["value"] for row in rows)
            extra = difference(collections.Counter(self.input.lines), seen | collections.Counter(self.input.lines))
            check(not extra, f"copy: lines twice or never written, after a kill at {where}:\n{extra}")
        verify = self.engine.start("checkpoint", "verify", self.engine.folder / "checkpoint" / name)
        if (self.engine.folder / "checkpoint" / name / "job").exists():  # made first: before it there is no checkpoint
            verify.expect(OK, 30)
        else:
            verify.wait(30)

    def drain(self, name):
        """Lets the job finish all input and compares its sink with a recount."""
        process = self.engine.run(self.specs[name, "available-now"]).expect(OK, DRAIN_SECONDS)
        rows = sink_rows(self.engine.folder / "out" / name)
        if name == "copy":
            want = as_multiset({"value": line} for line in self.input.lines)
        else:
            counts = collections.Counter(word for line in self.input.lines for word in line.split(" "))
            want = as_multiset({"word": word, "n": n} for word, n in counts.items())
        wrong = difference(want, as_multiset(rows))
        check(not wrong, f"{name}: the sink differs from the recount after {self.kills} kills:\n{wrong}\n{process.describe()}")

    def checkpoint_bytes(self, name):
        return sum(path.stat().st_size for path in (self.engine.folder / "checkpoint" / name).rglob("*") if path.is_file())


def plan_of(names, total, generator):
    """The kills to make: (job, failpoint or None for a random time, hits)."""
    steps = []
    for failpoint in names:
        for name in QUERIES:
            if failpoint not in OUT_OF_REACH[name]:
                steps.append((name, failpoint, generator.randrange(1, 3)))
    generator.shuffle(steps)
    if total < len(steps):    # short form: every failpoint once, in one of the jobs
        chosen = {}
        for step in steps:
            chosen.setdefault(step[1], step)
        steps = list(chosen.values())
    while len(steps) < total:
        name = generator.choice(list(QUERIES))
        failpoint = generator.choice([point for point in names if point not in OUT_OF_REACH[name]])
        steps.append((name, None, 0) if generator.random() < 0.5 else (name, failpoint, generator.randrange(1, 6)))
    return steps    # every failpoint first: a snapshot becomes rare as the state grows


def test():
    options = arguments(__doc__, kills=(0, "how many kills; default 25, long form 220"))
    generator = random.Random(options.seed)
    with scratch(options.keep) as folder:
        torture = Torture(Engine(options.binary, folder, *FLAGS), generator)
        names = [name for name in torture.engine.failpoints() if name not in OF_A_CLUSTER]
        for step, (name, failpoint, hits) in enumerate(plan_of(names, options.kills or (220 if options.long else 25), generator)):
            if failpoint:
                was_reached = torture.kill_at(name, failpoint, hits)
            else:
                torture.kill_at_random(name)
                was_reached = True
            print(f"{step:3d} {name:5s} {failpoint or 'random time'}{'' if was_reached else ' (not reached)'}", flush=True)
            if step % 8 == 7:
                torture.drain(name)
        for failpoint in [point for point in names if not torture.hits[point]]:
            name = generator.choice([name for name in QUERIES if failpoint not in OUT_OF_REACH[name]])
            attempts = next((attempt for attempt in range(1, 9) if torture.kill_at(name, failpoint, 1)), None)
            print(f"    {name:5s} {failpoint} {f'reached at last, try {attempts}' if attempts else '(not reached)'}", flush=True)
        for name in QUERIES:
            torture.drain(name)
            print(f"{name}: checkpoint {torture.checkpoint_bytes(name)} bytes")
        print(f"{torture.kills} kills, {torture.input.files} files, {len(torture.input.lines)} lines")
        print("kills by failpoint: " + json.dumps(torture.hits, sort_keys=True))
        never = [name for name in names if not torture.hits[name]]
        check(not never, f"failpoints that killed nothing: {' '.join(never)}")


if __name__ == "__main__":
    main(test)
