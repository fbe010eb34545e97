"""Two jobs whose state is several times the memory of the workers, killed at random while files arrive,
compared with an independent recount.

A keyed count in update mode: the last count that the console showed of each key is right (counts only
grow, and what is printed again after a kill is no larger). A deduplication: every key stands in the
sink exactly once. Keys come back after any time, so many are on disk when they are asked for.

usage: beyond_memory.py TIDEMILL [--long] [--seed N] [--kills N]
"""
import collections
import random
import time

from cluster_harness import SETTINGS, Cluster
from harness import OK, Failure, arguments, check, difference, job, largest_counts, main, publish, scratch, sink_rows, until

WORKERS = ("w1", "w2")
# Of one worker for both jobs. A key takes about 90 bytes in memory.
MEMORY = "8m"
LINES = 20_000


class Input:
    """A growing directory of keys, half of them new, half seen before."""

    def __init__(self, folder, generator):
        self.folder, self.generator = folder, generator
        self.counts = collections.Counter()
        self.keys = 0
        self.files = 0
        folder.mkdir()

    def add_file(self):
        lines = []
        for _ in range(LINES):
            if self.keys == 0 or self.generator.random() < 0.5:
                self.keys += 1
                lines.append(f"key-{self.keys:09d}")
            else:
                lines.append(f"key-{self.generator.randrange(self.keys) + 1:09d}")
        publish(self.folder, f"f{self.files:05d}.txt", "".join(line + "\n" for line in lines))
        self.counts.update(lines)
        self.files += 1


class Test:
    def __init__(self, cluster, generator):
        self.cluster, self.generator = cluster, generator
        self.input = Input(cluster.folder / "in", generator)
        self.out = cluster.folder / "out"
        self.drivers = []
        self.workers = []
        source = {"format": "text", "path": self.input.folder, "options": {"maxFilesPerTrigger": 1}}
        self.specs = {
            "count": job("SELECT value, count(*) AS n FROM input GROUP BY value", source,
                         {"format": "console", "options": {"style": "json", "numRows": 10_000_000}}, output="update",
                         checkpoint=cluster.folder / "checkpoint" / "count", name="count"),
            "distinct": job("SELECT value FROM input", {**source, "dropDuplicates": {"columns": ["value"]}},
                            {"format": "json", "path": self.out}, checkpoint=cluster.folder / "checkpoint" / "distinct",
                            name="distinct"),
        }

    def start_driver(self):
        self.drivers.append(self.cluster.start_driver())

    def start_worker(self, name):
        self.workers.append(self.cluster.start_worker(name, "--memory", MEMORY))

    def kill(self):
        what = self.generator.choice(("worker", "worker", "driver", "both", "all"))
        names = list(self.cluster.workers) if what == "all" else [self.generator.choice(WORKERS)]
        if what == "driver":
            names = []
        for name in names:
            self.cluster.workers[name].kill()
        if what != "worker":
            self.cluster.driver.kill()
            time.sleep(self.generator.random() / 2)
            self.start_driver()
        for name in names:
            self.start_worker(name)
        print(f"killed {what}, {self.input.files} files, {self.input.keys} keys", flush=True)

    def shown(self):
        return largest_counts(self.drivers)

    def check_exactly(self):
        self.cluster.wait_for_workers()
        try:
            until(lambda: self.shown() == self.input.counts, 90, "the counts equal the recount", step=1)
        except Failure as failure:
            raise Failure(f"{failure}\n{difference(self.input.counts, self.shown())}\n{self.cluster.describe()}") from None
        want = collections.Counter(self.input.counts.keys())
        try:
            until(lambda: collections.Counter(row["value"] for row in sink_rows(self.out)) == want, 90,
                  "every key stands once", step=1)
        except Failure as failure:
            got = collections.Counter(row["value"] for row in sink_rows(self.out))
            raise Failure(f"{failure}\n{difference(want, got)}\n{self.cluster.describe()}") from None

    def evictions(self):
        return sum(worker.stderr.count("state_evicted") for worker in self.workers)


def test():
    options = arguments(__doc__, kills=(0, "how many kills; short form 3, long form 60"))
    generator = random.Random(options.seed)
    kills = options.kills or (60 if options.long else 3)
    with scratch(options.keep) as folder:
        cluster = Cluster(options.binary, folder)
        run = Test(cluster, generator)
        run.start_driver()
        for name in WORKERS:
            run.start_worker(name)
        cluster.wait_for_workers()
        for name, text in run.specs.items():
            cluster.client("submit", cluster.engine.write(f"{name}.yaml", text), *SETTINGS)
        for number in range(kills):
            for _ in range(6):
                run.input.add_file()
                time.sleep(generator.random() / 3)
            run.kill()
            if number % 10 == 9:
                run.check_exactly()
        run.check_exactly()
        evictions = run.evictions()
        check(evictions > kills, f"rows were evicted only {evictions} times")
        for name in run.specs:
            cluster.client("stop", name)
            cluster.engine.start("checkpoint", "verify", folder / "checkpoint" / name).expect(OK, 30)
        cluster.stop()
        print(f"seed {options.seed}: {kills} kills, {run.input.files} files, {run.input.keys} keys in {MEMORY} a worker, "
              f"{evictions} evictions, every count right, every key once")


if __name__ == "__main__":
    main(test)
