"""Workers that end in order leave their state on the local disk: after a restart nothing of the
checkpoint is read, and the counts are those of a recount. Once with all state in memory, once with most
of it on disk. Nothing else may be taken for it: not where the checkpoint was set back meanwhile, nor
where a worker was killed.

usage: kept_state.py TIDEMILL [--seed N] [--keep]
"""
import collections
import random
import re
import shutil
import signal

from beyond_memory import Input
from cluster_harness import SETTINGS, Cluster
from harness import OK, Failure, arguments, check, difference, job, largest_counts, main, scratch, until

WORKERS = ("w1", "w2")


class Test:
    def __init__(self, options, folder, memory):
        self.cluster = Cluster(options.binary, folder)
        folder.mkdir()
        self.input = Input(folder / "in", random.Random(options.seed))
        self.checkpoint = folder / "checkpoint"
        self.worker_flags = ("--memory", memory) if memory else ()
        self.drivers = []
        self.spec = job("SELECT value, count(*) AS n FROM input GROUP BY value",
                        {"format": "text", "path": self.input.folder, "options": {"maxFilesPerTrigger": 1}},
                        {"format": "console", "options": {"style": "json", "numRows": 10_000_000}}, output="update",
                        checkpoint=self.checkpoint, name="count")

    def start_driver(self):
        self.drivers.append(self.cluster.start_driver())

    def start(self):
        self.start_driver()
        self.start_workers()

    def start_workers(self):
        for name in WORKERS:
            self.cluster.start_worker(name, *self.worker_flags)
        self.cluster.wait_for_workers()

    def submit(self):
        self.cluster.client("submit", self.cluster.engine.write("count.yaml", self.spec), *SETTINGS)

    def stop_workers(self):
        """All at the same time: none of them takes over from the others."""
        for name in WORKERS:
            self.cluster.workers[name].send(signal.SIGTERM)
        for name in WORKERS:
            self.cluster.workers[name].expect(OK, 30)

    def shown(self):
        return largest_counts(self.drivers)

    def feed_and_check(self, files=3):
        for _ in range(files):
            self.input.add_file()
        try:
            until(lambda: self.shown() == self.input.counts, 60, "the counts equal the recount", step=0.2)
        except Failure as failure:
            raise Failure(f"{failure}\n{difference(self.input.counts, self.shown())}\n{self.cluster.describe()}") from None

    def restored(self):
        """Rows that the workers of now have restored, by where from."""
        sums = collections.Counter()
        for name in WORKERS:
            for line in self.cluster.workers[name].stderr.splitlines():
                if " tables_restored " in line:
                    sums.update({key: int(value) for key, value in re.findall(r"(\w*rows)=(\d+)", line)})
        return sums

    def check_kept_alone(self, what):
        rows = self.restored()
        check(rows["rows"] == len(self.input.counts) and rows["snapshot_rows"] + rows["changelog_rows"] == 0,
              f"{what}: not everything came from the local disk: {dict(rows)} keys={len(self.input.counts)}\n"
              f"{self.cluster.describe()}")

    def check_return(self, start, what):
        """Of the workers, which have ended; whoever opens a file of the checkpoint's state meanwhile fails."""
        keys = len(self.input.counts)
        away = self.checkpoint.with_name("state-away")
        shutil.move(self.checkpoint / "state", away)
        (self.checkpoint / "state").mkdir()
        start()
        until(lambda: self.restored()["rows"] >= keys, 20, "the state is restored")
        self.check_kept_alone(what)
        for path in away.iterdir():
            path.rename(self.checkpoint / "state" / path.name)
        away.rmdir()
        self.feed_and_check()


def check_restarts(options, folder, memory):
    test = Test(options, folder, memory)
    test.start()
    test.submit()
    test.feed_and_check()

    # As `cluster down` does: the driver first.
    test.cluster.driver.stop(20)
    test.stop_workers()
    test.check_return(test.start, "after the cluster was down")

    # The workers alone, beside a job that runs.
    test.stop_workers()
    test.check_return(test.start_workers, "after the workers were away")

    # A driver that is killed finds everything where it was.
    test.cluster.driver.kill()
    test.start_driver()
    test.cluster.wait_for_workers()
    rows = test.restored()
    test.feed_and_check()
    check(test.restored() == rows, f"rows were restored under a new driver: {dict(test.restored())} before={dict(rows)}")

    # What was kept is of no use to a checkpoint that was set back, with the input it has not seen.
    test.cluster.driver.stop(20)
    test.stop_workers()
    shutil.copytree(test.checkpoint, folder / "copy")
    test.start()
    test.feed_and_check()
    test.cluster.driver.stop(20)
    test.stop_workers()
    shutil.rmtree(test.checkpoint)
    shutil.move(folder / "copy", test.checkpoint)
    test.start()
    test.feed_and_check()
    rows = test.restored()
    check(rows["kept_rows"] == 0 and rows["snapshot_rows"] > 0, f"kept rows of another history: {dict(rows)}")

    # Nothing is kept by a worker that is killed.
    test.cluster.driver.stop(20)
    for name in WORKERS:
        test.cluster.workers[name].kill()
    test.start()
    test.feed_and_check()
    check(test.restored()["kept_rows"] == 0, "kept rows of a killed worker")
    test.cluster.stop()
    left = [path for name in WORKERS for path in (folder / "data" / name / name).glob(".found/*")]
    check(not left, f"left on the local disk: {left}")


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        for name, memory in (("in-memory", None), ("on-disk", "8m")):
            check_restarts(options, folder / name, memory)
        print(f"seed {options.seed}: nothing was read twice, every count right")


if __name__ == "__main__":
    main(test)
