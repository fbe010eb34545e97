"""Figures of the release build, each with the command that gave it.

usage: measure.py TIDEMILL FOLDER [tiny|epoch|disk ...] [--slots N] [--runs N] [--epochs N]

tiny   word count of five lines: from start to exit
epoch  one row per epoch with a checkpoint: from the rename of the file to the published result
disk   fdatasync of small appends, on the disk of FOLDER
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import time

from process_tree import run

WORD_COUNT = "SELECT word, count(*) AS count FROM (SELECT explode(split(value, ' ')) AS word FROM input) GROUP BY word"
TINY = "to be or not to be\nthat is the question\na b c d\nto be\nquestion\n"


def percentiles(values, unit=1000):
    ordered = sorted(values)

    def at(share):
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * unit
    return f"p50 {at(0.5):.2f} ms, p90 {at(0.9):.2f} ms, p99 {at(0.99):.2f} ms ({len(ordered)} samples)"


class Bench:
    def __init__(self, options):
        self.options = options
        self.binary = os.path.abspath(options.binary)
        self.folder = options.folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)

    def spec(self, name, source, sink, **rest):
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps({"sources": {"input": source}, "query": WORD_COUNT, "sink": sink, "outputMode": "complete", **rest}, default=str))
        return path

    def command(self, spec, *flags):
        slots = ["--slots", str(self.options.slots)] if self.options.slots else []
        return [self.binary, "run", str(spec), *slots, *flags]

    def tiny(self):
        (self.folder / "tiny").mkdir(exist_ok=True)
        (self.folder / "tiny" / "tiny.txt").write_text(TINY)
        spec = self.spec("tiny", {"format": "text", "path": self.folder / "tiny"}, {"format": "console"}, trigger="available-now")
        runs = [run(self.command(spec)) for _ in range(self.options.runs)]
        print(f"tiny: start to exit {percentiles([one.seconds for one in runs])}, CPU {statistics.median(one.cpu_seconds for one in runs) * 1000:.0f} ms, "
              f"memory {max(one.anonymous_mib for one in runs):.0f} MiB anonymous, {max(one.total_mib for one in runs):.0f} MiB total")
        print("  " + " ".join(self.command(spec)))

    def epoch(self):
        for name, sink in (("console", {"format": "console", "options": {"style": "json"}}),
                           ("json file", {"format": "json", "path": self.folder / "epoch-out"})):
            self.epochs_into(name, sink)

    def epochs_into(self, name, sink):
        for part in ("epoch-in", "epoch-out", "epoch-checkpoint"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
        source = self.folder / "epoch-in"
        source.mkdir()
        spec = self.spec("epoch", {"format": "text", "path": source}, sink, checkpointLocation=self.folder / "epoch-checkpoint")
        log = open(self.folder / "epoch.log", "w+")
        out = open(self.folder / "epoch.out", "w")
        command = self.command(spec, "--log-level", "info")
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        result = self.folder / "epoch-out" / "part-00000.json" if "path" in sink else self.folder / "epoch.out"
        latencies = []
        try:
            for number in range(self.options.epochs):
                before = stamp(result)
                (source / ".next").write_text("tide\n")
                began = time.perf_counter()
                (source / ".next").rename(source / f"{number}.txt")
                while stamp(result) == before:
                    if child.poll() is not None or time.perf_counter() - began > 20:
                        raise SystemExit(f"no result for row {number}: see {log.name}")
                    time.sleep(0.0002)
                latencies.append(time.perf_counter() - began)
                time.sleep(0.02)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(20)
        print(f"epoch, {name}: one row, from rename to result {percentiles(latencies[5:])}")
        log.seek(0)
        for phase, values in phases_of(log.read()).items():
            print(f"  {phase}: {percentiles(values[5:])}")
        print("  " + " ".join(command))

    def disk(self):
        """Appends one after another, and with pauses as between epochs: file systems differ in it."""
        for pause, count in ((0, 500), (0.02, 200)):
            path = self.folder / "fdatasync"
            seconds = []
            with open(path, "wb", buffering=0) as file:
                for _ in range(count):
                    file.write(b"x" * 200)
                    began = time.perf_counter()
                    os.fdatasync(file.fileno())
                    seconds.append(time.perf_counter() - began)
                    time.sleep(pause)
            path.unlink()
            print(f"disk: fdatasync after an append of 200 bytes, every {pause * 1000:.0f} ms: {percentiles(seconds)}")


def stamp(path):
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def phases_of(log):
    """The `<phase>_ms=` or `<phase>_us=` values of the epoch_committed lines, in seconds."""
    phases = {}
    for line in re.findall(r".*\bepoch_committed\b.*", log):
        for name, unit, value in re.findall(r"\b(\w+)_(ms|us)=([\d.]+)", line):
            phases.setdefault(name, []).append(float(value) / (1e3 if unit == "ms" else 1e6))
    return phases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["disk", "tiny", "epoch"])
    parser.add_argument("--slots", type=int, default=0, help="default: one per core")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=205)
    options = parser.parse_args()
    bench = Bench(options)
    for what in options.what:
        getattr(bench, what)()


if __name__ == "__main__":
    main()
