"""Flips one bit, or cuts one file, of a small checkpoint and restarts: the job must stop with exit
code 9 and name the file, or give the right answer. Never a wrong answer, a signal or a hang.

usage: corruption.py TIDEMILL [--long] [--seed N] [--samples N]
"""
import collections
import random
import shutil

from harness import (CORRUPT, OK, Engine, arguments, as_multiset, check, difference, job, main, publish, scratch,
                     sink_rows)

FLAGS = ("--workers", "1", "--slots", "2", "--conf", "state.snapshot_min_bytes=1k", "--conf", "state.snapshot_ratio=0.05",
         "--conf", "log.base_interval=4")
QUERY = "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM input) GROUP BY word"


class Damaged:
    def __init__(self, engine, generator):
        self.engine, self.generator = engine, generator
        self.folder = engine.folder
        self.lines = []
        (self.folder / "in").mkdir()
        self.spec = engine.write("job.yaml", job(
            QUERY, {"format": "text", "path": self.folder / "in", "options": {"maxFilesPerTrigger": 1}},
            {"format": "json", "path": self.folder / "out"}, output="complete", trigger="available-now",
            checkpoint=self.folder / "checkpoint"))

    def add_files(self, count):
        for _ in range(count):
            name = f"f{len(list((self.folder / 'in').iterdir())):03d}.txt"
            lines = [f"{name} {self.generator.randrange(300)} {self.generator.randrange(30)}" for _ in range(40)]
            publish(self.folder / "in", name, "".join(line + "\n" for line in lines))
            self.lines += lines

    def save(self):
        """Keeps the checkpoint and the sink as they are now, then adds input for the restart."""
        for part in ("checkpoint", "out"):
            shutil.rmtree(self.folder / ("saved-" + part), ignore_errors=True)
            shutil.copytree(self.folder / part, self.folder / ("saved-" + part))
        self.add_files(1)

    def restore(self):
        for part in ("checkpoint", "out"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
            shutil.copytree(self.folder / ("saved-" + part), self.folder / part)

    def files(self):
        return sorted(path for path in (self.folder / "checkpoint").rglob("*") if path.is_file() and path.stat().st_size)

    def damage(self):
        """Damages one file; returns what was done to it."""
        path = self.generator.choice(self.files())
        size = path.stat().st_size
        at = self.generator.choice((0, size - 1, self.generator.randrange(size), self.generator.randrange(size)))
        with open(path, "r+b") as file:
            if self.generator.random() < 0.3:
                file.truncate(at)
                return path, f"cut to {at} of {size} bytes"
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << self.generator.randrange(8)]))
            return path, f"bit flipped in byte {at} of {size}"

    def restart(self, path, what):
        """Runs the job on the damaged checkpoint and judges the outcome."""
        name = path.relative_to(self.folder / "checkpoint")
        process = self.engine.run(self.spec)
        code = process.wait(30)
        place = f"{name}: {what}"
        check(code in (OK, CORRUPT), f"{place}: exit code {code}: {process.describe()}")
        if code == CORRUPT:
            names = [f"file={self.folder / 'checkpoint'}/"] + [f"file={file.name}" for file in (*self.files(), path)]
            check(any(file in process.stderr for file in names), f"{place}: the error names no file: {process.describe()}")
            return "stopped"
        counts = collections.Counter(word for line in self.lines for word in line.split(" "))
        want = as_multiset({"word": word, "n": n} for word, n in counts.items())
        wrong = difference(want, as_multiset(sink_rows(self.folder / "out")))
        check(not wrong, f"{place}: wrong answer:\n{wrong}\n{process.describe()}")
        return "harmless"


def test():
    options = arguments(__doc__, samples=(0, "how many restarts; default 20, long form 200"))
    generator = random.Random(options.seed)
    samples = options.samples or (200 if options.long else 20)
    # The checkpoint of a job that ended well, and of one that was killed in an open epoch.
    for failpoint in (None, "driver.plan_durable:9", "worker.prepared:9", "driver.sink_committed:9"):
        with scratch(options.keep) as folder:
            damaged = Damaged(Engine(options.binary, folder, *FLAGS), generator)
            damaged.add_files(10)
            process = damaged.engine.run(damaged.spec, env={"TIDEMILL_FAILPOINT": failpoint} if failpoint else None)
            process.expect(-9 if failpoint else OK, 30)
            damaged.save()
            outcomes = collections.Counter()
            for _ in range(samples // 4):
                damaged.restore()
                path, what = damaged.damage()
                outcomes[damaged.restart(path, what)] += 1
            print(f"{failpoint or 'ended well'}: {len(damaged.files())} files, {dict(outcomes)}", flush=True)


if __name__ == "__main__":
    main(test)
