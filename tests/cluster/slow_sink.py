"""A sink that sleeps, then a worker that stands still most of the time, while input comes at 100
times the usual rate: the source stops, memory stays flat, and at the end every row is there once.

usage: slow_sink.py TIDEMILL [--long] [--seed N] [--keep]
"""
import collections
import os
import pathlib
import random
import re
import signal
import threading
import time

from cluster_harness import Cluster
from harness import PATIENCE, arguments, check, job, main, scratch, sink_rows, until

TICK_SECONDS = 0.05
USUAL_TICKS, USUAL_BYTES = 40, 64 << 10    # a file of so much at every tick
LINE_BYTES = 200
BURST = 100                           # times that
BURST_TICKS = {False: 80, True: 300}  # by --long: 510 MB, 1.9 GB
KIB, MIB = 1 << 10, 1 << 20

# A writer of the file sink writes 1 MiB at a time and calls itself full with 16 MiB. Two slots, one
# writer each: 20 MiB/s, a sixth of what the burst brings.
SLEEPING_SINK = {"TIDEMILL_FAILPOINT": "sink.chunk_written:sleep=100"}

# How far anonymous memory of one process may rise in a burst, and how much may have been read and
# not written yet. Both say what the windows add up to, with what allocators keep; both are below a
# worker's share of the burst, far below it by --long. By --long the later half of the time must not
# need more than the earlier one, in which the windows have filled: memory is flat, however long the burst.
SINK_GROWTH, EXCHANGE_GROWTH = {False: 96 * MIB, True: 128 * MIB}, {False: 176 * MIB, True: 192 * MIB}
READ_AHEAD, LATER_GROWTH = 56 * MIB, {False: 96 * MIB, True: 24 * MIB}


def anonymous(process):
    text = pathlib.Path(f"/proc/{process.child.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^RssAnon:\s+(\d+) kB", text, re.M).group(1)) * KIB


def traffic(process):
    """Bytes that the process has read from and written to files."""
    text = pathlib.Path(f"/proc/{process.child.pid}/io").read_text(encoding="ascii")
    return tuple(int(re.search(rf"^{key}: (\d+)", text, re.M).group(1)) for key in ("rchar", "wchar"))


class Watch:
    """Samples the processes until it is stopped: the memory of each; the most that a worker had read
    and not written."""

    def __init__(self, cluster):
        self.processes = {"driver": cluster.driver, **cluster.workers}
        self.before = {name: anonymous(process) for name, process in self.processes.items()}
        self.io = {name: traffic(process) for name, process in cluster.workers.items()}
        self.samples, self.ahead = {name: [] for name in self.processes}, collections.Counter()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopped.wait(0.02):
            self.look()

    def look(self):
        for name, process in self.processes.items():
            self.samples[name].append(anonymous(process))
        for name, (read, written) in self.io.items():
            now = traffic(self.processes[name])
            self.ahead[name] = max(self.ahead[name], (now[0] - read) - (now[1] - written))

    def stop(self):
        self.stopped.set()
        self.thread.join()
        self.look()
        return self

    def check(self, is_long, growth, ahead=None):
        """Sanitizers keep freed memory on purpose; there is nothing to say then."""
        most = {}
        for name, samples in self.samples.items():
            middle = len(samples) // 2
            most[name] = (max(samples[:middle]), max(samples[middle:]))
        print("  anonymous MiB before, in the first half of the time and in the second: " + ", ".join(
            f"{name} {self.before[name] / MIB:.0f}, {first / MIB:.0f}, {second / MIB:.0f}" for name, (first, second) in most.items()))
        if ahead:
            print("  MiB read and not written at most: "
                  + ", ".join(f"{name} {most / MIB:.0f}" for name, most in self.ahead.items()))
        if PATIENCE > 1:
            return
        for name, (first, second) in most.items():
            grown = max(first, second) - self.before[name]
            check(grown <= growth[is_long], f"memory of {name} grew by {grown / MIB:.0f} MiB, not {growth[is_long] / MIB:.0f} at most")
            check(second <= first + LATER_GROWTH[is_long], f"memory of {name} went on growing, by {(second - first) / MIB:.0f} MiB")
        for name, bytes_ahead in self.ahead.items() if ahead else ():
            check(bytes_ahead <= ahead,
                  f"{name} was {bytes_ahead / MIB:.0f} MiB ahead of its sink, not {ahead / MIB:.0f} at most")


class Lines:
    """A growing directory of lines that all differ. Files are written beforehand, so that adding one
    takes no time."""

    def __init__(self, folder, generator):
        self.folder, self.spare = folder, folder.with_name("spare")
        self.waiting, self.files, self.lines = collections.deque(), 0, 0
        self.padding = "".join(generator.choices("abcdefghijklmnopqrstuvwxyz ", k=LINE_BYTES - 10))
        self.folder.mkdir()
        self.spare.mkdir()

    def prepare(self, files, size):
        for _ in range(files):
            first, count = sum(lines for _, lines in self.waiting) + self.lines, size // LINE_BYTES
            path = self.spare / f"{self.files + len(self.waiting):06d}.txt"
            path.write_text("".join(f"{line:09d}{self.padding}\n" for line in range(first, first + count)), encoding="utf-8")
            self.waiting.append((path, count))

    def add(self):
        path, count = self.waiting.popleft()
        path.rename(self.folder / path.name)
        self.files, self.lines = self.files + 1, self.lines + count

    @property
    def bytes(self):
        return self.lines * LINE_BYTES

    def check_all_in(self, sink):
        """Every line that was added, and nothing else, in the files of a text sink."""
        seen = bytearray(self.lines)
        for path in sorted(sink.glob("part-*.txt")):
            with open(path, encoding="utf-8") as file:
                for text in file:
                    is_ours = text[9:-1] == self.padding and int(text[:9]) < self.lines
                    check(is_ours, f"a line of nobody in {path.name}: {text[:40]!r}")
                    seen[int(text[:9])] += 1
        wrong = len(seen) - seen.count(1)
        check(wrong == 0, f"{seen.count(0)} lines missing and {wrong - seen.count(0)} several times, of {self.lines}")


def size_of(sink):
    return sum(path.stat().st_size for path in sink.glob("part-*")) if sink.is_dir() else 0


def sleeping_sink(cluster, generator, is_long):
    ticks = BURST_TICKS[is_long]
    lines, sink = Lines(cluster.folder / "lines", generator), cluster.folder / "copy"
    lines.prepare(USUAL_TICKS, USUAL_BYTES)
    lines.prepare(ticks, USUAL_BYTES * BURST)
    cluster.client("submit", cluster.engine.write("copy.yaml", job(
        "SELECT value FROM input", {"format": "text", "path": lines.folder}, {"format": "text", "path": sink}, name="copy")))
    for _ in range(USUAL_TICKS):
        lines.add()
        time.sleep(TICK_SECONDS)
    until(lambda: size_of(sink) == lines.bytes, 30, "the usual rate is kept up with")
    watch = Watch(cluster)
    for _ in range(ticks):
        lines.add()
        time.sleep(TICK_SECONDS)
    behind = lines.bytes - size_of(sink)
    until(lambda: size_of(sink) == lines.bytes, 60 + ticks, "the burst is in the sink", step=0.05)
    watch.stop()
    lines.check_all_in(sink)
    print(f"sink that sleeps: {lines.lines} lines exactly once; {behind / MIB:.0f} MiB were waiting when the burst ended")
    watch.check(is_long, SINK_GROWTH, READ_AHEAD)
    check(behind > 4 * READ_AHEAD or PATIENCE > 1, "the sink was not slow")
    cluster.client("stop", "copy")


class Stutter:
    """A worker that runs a fifth of the time."""

    def __init__(self, process):
        self.process, self.stopped = process, threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopped.is_set():
            self.process.send(signal.SIGSTOP)
            self.stopped.wait(0.4)
            self.process.send(signal.SIGCONT)
            self.stopped.wait(0.1)

    def stop(self):
        self.stopped.set()
        self.thread.join()


def stuttering_worker(cluster, generator, is_long):
    """Every file holds every key once, too many of them for a lane to add up much before the exchange."""
    ticks = BURST_TICKS[is_long]
    source, sink = cluster.folder / "keys", cluster.folder / "count"
    source.mkdir()
    padding = "".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=90))
    numbers = list(range(USUAL_BYTES * BURST // 100))
    spare = cluster.folder / "keys.txt"
    spare.write_text("".join(f"{number:09d}{padding}\n" for number in numbers), encoding="utf-8")

    def add(number):
        os.link(spare, cluster.folder / "next.txt")
        (cluster.folder / "next.txt").rename(source / f"{number:06d}.txt")
    add(0)
    cluster.client("submit", cluster.engine.write("count.yaml", job(
        "SELECT value, count(*) AS n FROM input GROUP BY value", {"format": "text", "path": source},
        {"format": "json", "path": sink}, output="complete", name="count")))

    def counts():
        return collections.Counter(row["n"] for row in sink_rows(sink))
    for number in range(1, 5):
        add(number)
        until(lambda: counts() == {number + 1: len(numbers)}, 30, f"{number + 1} files are counted")
    watch, stutter = Watch(cluster), Stutter(list(cluster.workers.values())[1])
    for number in range(5, 5 + ticks):
        time.sleep(TICK_SECONDS)
        add(number)
    until(lambda: counts() == {5 + ticks: len(numbers)}, 120 + ticks, "the burst is counted", step=0.5)
    stutter.stop()
    watch.stop()
    print(f"worker that stands still: {len(numbers)} keys, each counted {5 + ticks} times")
    watch.check(is_long, EXCHANGE_GROWTH)
    cluster.client("stop", "count")


def test():
    parsed = arguments(__doc__)
    generator = random.Random(parsed.seed)
    for scenario, env in ((sleeping_sink, SLEEPING_SINK), (stuttering_worker, None)):
        with scratch(parsed.keep) as folder:
            cluster = Cluster(parsed.binary, folder)
            cluster.start_driver()
            for name in ("w1", "w2"):
                cluster.start_worker(name, env=env, slots=1)
            cluster.wait_for_workers()
            scenario(cluster, generator, parsed.long)
            cluster.check_running()
            cluster.stop()


main(test)
