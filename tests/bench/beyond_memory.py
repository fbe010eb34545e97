"""State that does not fit into memory: a keyed count on a driver and one worker of 2 slots as processes.

usage: beyond_memory.py TIDEMILL FOLDER [fill|zipf ...] [--keys N] [--memory SIZE]

fill   N distinct keys of 20 characters, then all once more, in a worker with --memory; then the counts of 100,000 of them are
       compared
zipf   a state of N keys; then rows whose keys are Zipf-distributed over them, without a limit and within --memory: the first
       half of them is for memory to hold what is used most, the second half is measured

Prints a table. A miss is a key that the state on disk was asked for. Its cost: what the rows took more than the same rows took in
memory, by the clock and in CPU of the worker (compactions of RocksDB too); where every row misses, all that the rows took.
"""
import argparse
import array
import dataclasses
import json
import math
import pathlib
import random
import time

from cluster import KEYED_COUNT, cluster, put, submit
from process_tree import cpu_of, memory_of

FILE_ROWS = 200_000
ZIPF_FILES = 200
FLAGS = ("--conf", "source.split_bytes=2m")


def text_of(number):
    return f"session-{number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFF:012x}\n"


def write(folder, name, numbers):
    put(folder, name, "".join(map(text_of, numbers)))


class Watch:
    """What the driver says of a job, and what the worker takes."""

    def __init__(self, one, name, query, source, sink, max_files=1):
        self.one, self.name, self.source = one, name, source
        self.worker = next(iter(one.workers.values()))
        self.epochs = {}
        submit(one, name, query, {"format": "text", "path": source, "options": {"maxFilesPerTrigger": max_files}}, sink, *FLAGS,
               outputMode="update")

    def look(self):
        done = self.one.client("status", self.name, "-o", "json")
        status = json.loads(done.stdout) if done.returncode == 0 else {}
        for progress in status.get("recentProgress", []):
            self.epochs[progress["batchId"]] = progress
        if status.get("error") or status.get("state") == "FAILED":
            raise SystemExit(f"{self.name}: {json.dumps(status.get('error'))}")

    def rows(self):
        return sum(epoch["numInputRows"] for epoch in self.epochs.values())

    def wait(self, rows, seconds=1800):
        """Until so many rows have been read; returns what the rows since the call took, and counted."""
        first, begin, cpu, began = max(self.epochs, default=-1), self.rows(), self.cpu(), time.perf_counter()
        while self.rows() < rows:
            if time.perf_counter() - began > seconds:
                raise SystemExit(f"{self.name}: not within {seconds} s: {rows} rows")
            time.sleep(0.3)
            self.look()
        part = Part(self.rows() - begin, time.perf_counter() - began, self.cpu() - cpu)
        for number, epoch in self.epochs.items():
            if number > first:
                part.misses += epoch["stateOperators"][0].get("customMetrics", {}).get("coldLookups", 0)
        return part

    def state(self):
        last = self.epochs[max(self.epochs)]["stateOperators"][0]
        return last["numRowsTotal"], last.get("customMetrics", {}).get("coldRows", 0), last["memoryUsedBytes"]

    def cpu(self):
        return cpu_of(self.worker.pid)

    def peak(self):
        return memory_of(self.worker.pid)[1]


@dataclasses.dataclass
class Part:
    rows: int
    seconds: float
    cpu_seconds: float
    misses: int = 0

    def per_miss(self, in_memory=None):
        """Microseconds by the clock and of CPU."""
        if not in_memory and self.misses < self.rows / 2 or not self.misses:
            return "", ""
        share = self.rows / in_memory.rows if in_memory else 0
        spare = (in_memory.seconds * share, in_memory.cpu_seconds * share) if in_memory else (0, 0)
        return tuple(f"{(took - less) / self.misses * 1e6:.1f}" for took, less in zip((self.seconds, self.cpu_seconds), spare))


COLUMNS = ("work", "M keys", "--memory", "MiB of tables", "peak MiB", "M rows/s", "CPU us/row", "misses/row", "misses/s", "us/miss", "CPU us/miss")


def report(what, options, memory, watch, part, in_memory=None):
    print(f"| {what} | {options.keys / 1e6:g} | {memory or 'none'} | {watch.state()[2] / 2**20:.0f} | {watch.peak():.0f} | "
          f"{part.rows / part.seconds / 1e6:.2f} | {part.cpu_seconds / part.rows * 1e6:.2f} | {part.misses / part.rows:.2f} | "
          f"{part.misses / part.seconds:.0f} | {' | '.join(part.per_miss(in_memory))} |", flush=True)


def fill_state(source, keys, prefix=""):
    """Files of all keys in an order of their own."""
    for number, begin in enumerate(range(0, keys, FILE_ROWS)):
        write(source, f"{prefix}{number:06d}.txt", range(begin, min(keys, begin + FILE_ROWS)))


def fill(options):
    with cluster(options, "fill", 1, slots=2, memory=options.memory) as one:
        source = one.folder / "in"
        source.mkdir()
        fill_state(source, options.keys)
        query = f"SELECT value, count FROM ({KEYED_COUNT}) WHERE count > 2"
        watch = Watch(one, "fill", query, source, {"format": "console", "options": {"style": "json", "numRows": 1_000_000}})
        report("new keys", options, options.memory, watch, watch.wait(options.keys))
        fill_state(source, options.keys, "again-")
        report("the same keys again", options, options.memory, watch, watch.wait(2 * options.keys))
        sample = random.Random(1).sample(range(options.keys), min(options.keys, 100_000))
        write(source, "probe.txt", sample)
        watch.wait(2 * options.keys + len(sample))
        time.sleep(1)
        shown = {}
        for line in (one.folder / "driver.log").read_text().splitlines():
            if line.startswith('{"batchId"'):
                shown.update((row["value"], row["count"]) for row in json.loads(line)["rows"])
        if shown != {text_of(number)[:-1]: 3 for number in sample} or watch.state()[0] != options.keys:
            raise SystemExit(f"fill: wrong counts: {len(shown)} of {len(sample)} keys")
        print(f"fill: the counts of {len(sample)} keys are right", flush=True)


def zipf_numbers(generator, keys, count):
    scale = math.log(keys)
    return array.array("Q", (int(math.exp(generator.random() * scale)) - 1 for _ in range(count)))


def zipf(options):
    in_memory = None
    for memory in (None, options.memory):
        with cluster(options, "zipf", 1, slots=2, memory=memory) as one:
            source, later = one.folder / "in", one.folder / "later"
            source.mkdir()
            later.mkdir()
            fill_state(source, options.keys)
            generator = random.Random(2)
            for number in range(ZIPF_FILES):
                write(later, f"zipf-{number:06d}.txt", zipf_numbers(generator, options.keys, FILE_ROWS))
            watch = Watch(one, "zipf", KEYED_COUNT, source, {"format": "noop"})
            watch.wait(options.keys)
            rows = options.keys
            for half in (sorted(later.iterdir())[:ZIPF_FILES // 2], sorted(later.iterdir())[ZIPF_FILES // 2:]):
                for path in half:
                    path.rename(source / path.name)
                rows += len(half) * FILE_ROWS
                part = watch.wait(rows)
            report("Zipf", options, memory, watch, part, in_memory)
            if memory:
                pace = part.rows / part.seconds / (in_memory.rows / in_memory.seconds)
                print(f"zipf: {pace:.0%} of the pace in memory; {watch.state()[1]} of {watch.state()[0]} rows on disk", flush=True)
            in_memory = part


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["fill", "zipf"])
    parser.add_argument("--keys", type=int, default=20_000_000)
    parser.add_argument("--memory", default="512m")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for what in options.what:
        {"fill": fill, "zipf": zipf}[what](options)


if __name__ == "__main__":
    main()
