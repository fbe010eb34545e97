"""State that does not fit into memory: a keyed count on a driver and one worker as processes.

usage: beyond_memory.py TIDEMILL FOLDER [fill|zipf ...] [--keys N] [--memory SIZE]

fill   N distinct keys of 20 characters, then all once more, in a worker with --memory: pace, peak memory, and the counts of
       100,000 of them
zipf   a state of N keys; then 10 M rows whose keys are Zipf-distributed over them: pace within --memory and without a limit,
       lookups on disk, and what one that is found costs beside a row in memory
"""
import argparse
import array
import json
import math
import pathlib
import random
import time

from cluster import KEYED_COUNT, cluster, put, submit
from process_tree import memory_of

FILE_ROWS = 200_000
FLAGS = ("--conf", "source.split_bytes=2m")


def text_of(number):
    return f"session-{number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFF:012x}\n"


def write(folder, name, numbers):
    put(folder, name, "".join(map(text_of, numbers)))


class Watch:
    """What the driver says of a job, and what the worker takes; the files are offered one by one."""

    def __init__(self, one, name, query, source, sink):
        self.one, self.name, self.source = one, name, source
        self.worker = next(iter(one.workers.values()))
        self.epochs = {}
        submit(one, name, query, {"format": "text", "path": source, "options": {"maxFilesPerTrigger": 1}}, sink, *FLAGS,
               outputMode="update")

    def look(self):
        done = self.one.client("status", self.name, "-o", "json")
        status = json.loads(done.stdout) if done.returncode == 0 else {}
        for progress in status.get("recentProgress", []):
            self.epochs[progress["batchId"]] = progress
        if status.get("error") or status.get("state") == "FAILED":
            raise SystemExit(f"{self.name}: {json.dumps(status.get('error'))}")

    def wait(self, rows, seconds=1800):
        """Until so many rows have been read; returns how long it took."""
        began = time.perf_counter()
        while sum(epoch["numInputRows"] for epoch in self.epochs.values()) < rows:
            if time.perf_counter() - began > seconds:
                raise SystemExit(f"{self.name}: not within {seconds} s: {rows} rows")
            time.sleep(0.2)
            self.look()
        return time.perf_counter() - began

    def since(self, first):
        """Sums over the epochs from this number on."""
        sums = {"rows": 0, "seconds": 0.0, "lookups": 0, "found": 0}
        for number, epoch in self.epochs.items():
            if number < first:
                continue
            custom = epoch["stateOperators"][0].get("customMetrics", {})
            sums["rows"] += epoch["numInputRows"]
            sums["seconds"] += epoch["durationMs"]["triggerExecution"] / 1000
            sums["lookups"] += custom.get("coldLookups", 0)
            sums["found"] += custom.get("coldLookupsFound", 0)
        return sums

    def state(self):
        last = self.epochs[max(self.epochs)]["stateOperators"][0]
        return last["numRowsTotal"], last.get("customMetrics", {}).get("coldRows", 0), last["memoryUsedBytes"]

    def memory(self):
        anonymous, peak = memory_of(self.worker.pid)
        return f"worker {anonymous:.0f} MiB anonymous now, {peak:.0f} MiB resident at its peak"


def fill_state(source, keys):
    """Files of all keys in an order of their own."""
    for number, begin in enumerate(range(0, keys, FILE_ROWS)):
        write(source, f"{number:06d}.txt", range(begin, min(keys, begin + FILE_ROWS)))


def fill(options):
    with cluster(options, "fill", 1, slots=2, memory=options.memory) as one:
        source = one.folder / "in"
        source.mkdir()
        fill_state(source, options.keys)
        query = f"SELECT value, count FROM ({KEYED_COUNT}) WHERE count > 2"
        watch = Watch(one, "fill", query, source, {"format": "console", "options": {"style": "json", "numRows": 1_000_000}})
        for what, rows in (("new keys", options.keys), ("the same keys again", 2 * options.keys)):
            first = max(watch.epochs, default=-1) + 1
            if rows > options.keys:
                for number, begin in enumerate(range(0, options.keys, FILE_ROWS)):
                    write(source, f"again-{number:06d}.txt", range(begin, min(options.keys, begin + FILE_ROWS)))
            seconds = watch.wait(rows)
            sums, (total, cold, memory) = watch.since(first), watch.state()
            print(f"fill: {options.keys / 1e6:g} M {what} with --memory {options.memory}: {seconds:.0f} s, {options.keys / seconds / 1e6:.2f} M rows/s; "
                  f"{total} rows of state, {cold} cold, {memory / 2**20:.0f} MiB of tables; {sums['lookups']} lookups, {sums['found']} found; {watch.memory()}", flush=True)
        sample = random.Random(1).sample(range(options.keys), 100_000)
        write(source, "probe.txt", sample)
        watch.wait(2 * options.keys + len(sample))
        time.sleep(1)
        shown = {}
        for line in (one.folder / "driver.log").read_text().splitlines():
            if line.startswith('{"batchId"'):
                shown.update((row["value"], row["count"]) for row in json.loads(line)["rows"])
        if shown != {text_of(number)[:-1]: 3 for number in sample} or watch.state()[0] != options.keys:
            raise SystemExit(f"fill: wrong counts: {len(shown)} of {len(sample)} keys")
        print(f"fill: the counts of {len(sample)} keys are right; {watch.memory()}")


def zipf_numbers(generator, keys, count):
    scale = math.log(keys)
    return array.array("Q", (int(math.exp(generator.random() * scale)) - 1 for _ in range(count)))


def zipf(options):
    paces = {}
    rows = 50 * FILE_ROWS
    for memory in (None, options.memory):
        with cluster(options, "zipf", 1, slots=2, memory=memory) as one:
            source = one.folder / "in"
            source.mkdir()
            fill_state(source, options.keys)
            watch = Watch(one, "zipf", KEYED_COUNT, source, {"format": "noop"})
            watch.wait(options.keys)
            tables = watch.state()[2]
            first = max(watch.epochs) + 1
            generator = random.Random(2)
            for number in range(rows // FILE_ROWS):
                write(source, f"zipf-{number:06d}.txt", zipf_numbers(generator, options.keys, FILE_ROWS))
            watch.wait(options.keys + rows)
            # The first half is for the cache to become what it will be.
            sums = watch.since(first + rows // FILE_ROWS // 2)
            pace = sums["rows"] / sums["seconds"]
            paces[memory] = pace
            text = f"zipf: {options.keys / 1e6:g} M keys, {'--memory ' + memory if memory else 'no limit'}: {pace / 1e6:.2f} M rows/s, {watch.memory()}"
            if memory:
                lookups = sums["lookups"] / sums["seconds"]
                miss_us = (sums["seconds"] - sums["rows"] / paces[None]) / max(1, sums["lookups"]) * 1e6
                text += (f"; {paces[memory] / paces[None]:.0%} of the pace in memory; {sums['lookups'] / sums['rows']:.1%} of the rows looked up on disk, "
                         f"{lookups / 1e6:.3f} M/s, {sums['found'] / max(1, sums['lookups']):.1%} found, {miss_us:.1f} us each")
            else:
                text += f"; tables {tables / 2**20:.0f} MiB"
            print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["fill", "zipf"])
    parser.add_argument("--keys", type=int, default=20_000_000)
    parser.add_argument("--memory", default="512m")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for what in options.what:
        {"fill": fill, "zipf": zipf}[what](options)


if __name__ == "__main__":
    main()
