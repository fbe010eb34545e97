"""The works W1 to W5 here, on DuckDB (batch, no checkpoint) and on Spark, one after the other on the same files; one table at the end.

usage: compare.py TIDEMILL HOME [w1|w2|w3|w4|w5 ...] [--scale F] [--runs N] [--quick] [--no-spark] [--no-check]

Rows go to the noop sink in the timed runs. Once per engine they are written as Parquet and compared: number and checksum. A timed
run is a process from start to exit; of several runs the one with the least CPU counts. `--quick`: no Spark, scale 0.2.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import environment
import process_tree
from works import WORKS

HERE = pathlib.Path(__file__).parent


@dataclasses.dataclass
class Figures:
    work: str
    engine: str
    rows: int
    run: process_tree.Run
    checkpoint_bytes: int = 0


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class Comparison:
    def __init__(self, options, name):
        self.options, self.name, self.work = options, name, WORKS[name]
        self.home = options.home.resolve()
        self.data = environment.data(self.home, name, options.scale)
        self.python = environment.python(self.home)
        self.commands = []

    def specification(self, folder, writes_rows):
        """The job file of ours and, with a sink of its own, of Spark."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        sources = {name: {**source, "path": str(self.data / source["path"])} for name, source in self.work.sources.items()}
        mode = "complete" if writes_rows and self.work.mode == "update" else self.work.mode    # of a row only the last version counts
        sink = {"format": "parquet", "path": str(folder / "out")} if writes_rows else {"format": "noop"}
        path = folder / "job.yaml"
        path.write_text(json.dumps({"sources": sources, "query": self.work.query, "sink": sink, "outputMode": mode, "trigger": "available-now",
                                    "checkpointLocation": str(folder / "checkpoint")}))
        return path

    def timed(self, engine, command_of):
        """`command_of(folder)` prepares a run in a folder of its own."""
        best = None
        folder = self.home / f"{self.name}-{engine}"
        for _ in range(self.options.runs if engine != "Spark" else 1):
            command = command_of(folder)
            run = process_tree.run(command)
            figures = Figures(self.name, engine, int(self.work.rows * self.options.scale), run, size_of(folder / "checkpoint"))
            if best is None or run.cpu_seconds < best.run.cpu_seconds:
                best = figures
        self.commands.append(" ".join(map(str, command)))
        return best

    def ours(self, folder, writes_rows=False):
        return [os.path.abspath(self.options.binary), "run", str(self.specification(folder, writes_rows))]

    def duckdb(self, folder):
        return [self.python, str(HERE / "duckdb_peer.py"), self.name, str(self.data)]

    def spark(self, folder, writes_rows=False):
        return [str(environment.SPARK_PYTHON), str(HERE / "spark_peer.py"), str(self.specification(folder, writes_rows)), str(folder)]

    def check(self, with_spark):
        """Compares the rows of all engines with DuckDB's."""
        outputs = []
        for engine, command_of in (("ours", self.ours), ("Spark", self.spark)):
            if engine == "Spark" and not with_spark:
                continue
            folder = self.home / f"{self.name}-{engine}-rows"
            process_tree.run(command_of(folder, writes_rows=True))
            outputs.append(str(folder / "out"))
        command = [self.python, str(HERE / "duckdb_peer.py"), self.name, str(self.data), "--check", *outputs]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        result = json.loads(done.stdout)
        print(f"{self.name}: {result['rows']} rows of {1 + len(outputs)} engines are equal, checksum {result['checksum']}", flush=True)
        for folder in outputs:
            shutil.rmtree(pathlib.Path(folder).parent)

    def figures(self, with_spark):
        found = [self.timed("ours", self.ours), self.timed("DuckDB", self.duckdb)]
        if with_spark:
            found.append(self.timed("Spark", self.spark))
        return found


def print_table(figures):
    print(f"\n{'work':5}{'engine':8}{'M rows/s':>9}{'wall s':>8}{'CPU s':>8}{'wall/CPU':>9}{'peak MiB':>9}{'anon MiB':>9}{'checkpoint MB':>14}{'CPU, ours to it':>17}")
    ours = {one.work: one.run.cpu_seconds for one in figures if one.engine == "ours"}
    for one in figures:
        run = one.run
        ratio = "" if one.engine == "ours" else f"{ours[one.work] / run.cpu_seconds:.2f}" + (f" (1/{run.cpu_seconds / ours[one.work]:.1f})" if one.engine == "Spark" else "")
        print(f"{one.work:5}{one.engine:8}{one.rows / run.seconds / 1e6:9.2f}{run.seconds:8.2f}{run.cpu_seconds:8.2f}{run.seconds / run.cpu_seconds:9.2f}"
              f"{run.total_mib:9.0f}{run.anonymous_mib:9.0f}{one.checkpoint_bytes / 1e6:14.1f}{ratio:>17}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("home", type=pathlib.Path)
    parser.add_argument("works", nargs="*", default=list(WORKS))
    parser.add_argument("--scale", type=float)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-spark", action="store_true")
    parser.add_argument("--no-check", action="store_true", help="for a look at the figures while working on them")
    options = parser.parse_args()
    options.scale = options.scale or (0.2 if options.quick else 1.0)
    with_spark = not (options.quick or options.no_spark)
    if with_spark and not environment.SPARK_PYTHON.exists():
        raise SystemExit(f"{environment.SPARK_PYTHON} is not there: see tests/oracle/README.md, or give --no-spark")
    figures, commands = [], []
    for name in options.works or WORKS:
        one = Comparison(options, name)
        figures += one.figures(with_spark)
        if not options.no_check:
            one.check(with_spark)
        commands += one.commands
    print_table(figures)
    print("\n" + "\n".join(commands))


if __name__ == "__main__":
    main()
