"""The works W1 to W5 here and on the peers, one after the other on the same files; one table at the end.

usage: compare.py TIDEMILL HOME [w1|w2|w3|w4|w5 ...] [--scale F] [--runs N] [--peers LIST] [--quick] [--no-check] [--hand-written FILE]

Peers: duckdb (batch, no checkpoint), hand-written (W1 and W2 in C++ on one thread, no checkpoint), spark, flink (both: W3 with state
on the heap and in RocksDB). Rows go nowhere in the timed runs. Once per engine they are written and compared with DuckDB's: number and
checksum. A timed run is a process from start to exit; of several runs the one with the least CPU counts; Spark and Flink run once.
`--quick`: scale 0.2, no peer but DuckDB's check of our rows.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import typing

import environment
import process_tree
from works import WORKS

HERE = pathlib.Path(__file__).parent
PEERS = ("duckdb", "hand-written", "spark", "flink")


@dataclasses.dataclass
class Engine:
    name: str
    peer: str               # of --peers; "" is us
    command_of: typing.Callable    # (comparison, folder, writes_rows): the command, which writes rows into folder/out
    works: tuple = tuple(WORKS)
    runs_once: bool = False
    gives_all: bool = False    # the rows of the last windows too, as a batch engine does


@dataclasses.dataclass
class Figures:
    work: str
    engine: Engine
    rows: int
    run: process_tree.Run
    checkpoint_bytes: int


def checkpoint_bytes(folder):
    kept = folder / "checkpoint_bytes"    # by an engine that removes its own
    return int(kept.read_text()) if kept.exists() else process_tree.size_of(folder / "checkpoint")


class Comparison:
    def __init__(self, options, name):
        self.options, self.name, self.work = options, name, WORKS[name]
        self.home = options.home.resolve()
        self.data = environment.data(self.home, name, options.scale)
        self.python = environment.python(self.home)
        self.engines = [engine for engine in ENGINES if engine.peer in ("", *options.peers) and name in engine.works]
        self.commands = []

    def specification(self, folder, writes_rows):
        """The job file of ours and, with a sink of its own, of Spark."""
        sources = {name: {**source, "path": str(self.data / source["path"])} for name, source in self.work.sources.items()}
        mode = "complete" if writes_rows and self.work.mode == "update" else self.work.mode    # of a row only the last version counts
        sink = {"format": "parquet", "path": str(folder / "out")} if writes_rows else {"format": "noop"}
        path = folder / "job.yaml"
        path.write_text(json.dumps({"sources": sources, "query": self.work.query, "sink": sink, "outputMode": mode, "trigger": "available-now",
                                    "checkpointLocation": str(folder / "checkpoint")}))
        return path

    def ours(self, folder, writes_rows):
        return [os.path.abspath(self.options.binary), "run", self.specification(folder, writes_rows)]

    def duckdb(self, folder, writes_rows):
        return [self.python, HERE / "duckdb_peer.py", self.name, self.data]

    def hand_written(self, folder, writes_rows):
        (folder / "out").mkdir()
        return [self.options.hand_written, self.name, self.data, *(["--rows", folder / "out" / "rows.csv"] if writes_rows else [])]

    def spark(self, folder, writes_rows, state="heap"):
        return [environment.spark(), HERE / "spark_peer.py", self.specification(folder, writes_rows), folder, state]

    def spark_rocksdb(self, folder, writes_rows):
        return self.spark(folder, writes_rows, "rocksdb")

    def flink(self, folder, writes_rows, state="heap"):
        return [environment.flink(self.home), HERE / "flink_peer.py", self.name, self.data, folder, state, *(["--rows"] if writes_rows else [])]

    def flink_rocksdb(self, folder, writes_rows):
        return self.flink(folder, writes_rows, "rocksdb")

    def run(self, engine, writes_rows=False):
        """In a folder of its own: returns that, the command and the run."""
        folder = self.home / "-".join((self.name, *engine.name.split(), *(["rows"] if writes_rows else [])))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = list(map(str, engine.command_of(self, folder, writes_rows)))
        return folder, command, process_tree.run(command)

    def timed(self, engine):
        best = None
        for _ in range(1 if engine.runs_once else self.options.runs):
            folder, command, run = self.run(engine)
            if best is None or run.cpu_seconds < best.run.cpu_seconds:
                best = Figures(self.name, engine, int(self.work.rows * self.options.scale), run, checkpoint_bytes(folder))
        self.commands.append(" ".join(command))
        return best

    def figures(self):
        return [self.timed(engine) for engine in self.engines]

    def check(self):
        """Compares the rows of all engines with DuckDB's."""
        engines = [engine for engine in self.engines if engine.peer != "duckdb"]
        folders = [self.run(engine, writes_rows=True)[0] for engine in engines]
        command = [self.python, str(HERE / "duckdb_peer.py"), self.name, str(self.data)]
        for flag, gives_all in (("--check", False), ("--check-all", True)):
            command += [flag, *(str(folder / "out") for engine, folder in zip(engines, folders) if engine.gives_all == gives_all)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        for result in json.loads(done.stdout):
            print(f"{self.name}: {result['rows']} rows of {1 + result['folders']} engines are equal, checksum {result['checksum']}", flush=True)
        for folder in folders:
            shutil.rmtree(folder)


ENGINES = (
    Engine("ours", "", Comparison.ours),
    Engine("Spark", "spark", Comparison.spark, runs_once=True),
    Engine("Spark RocksDB", "spark", Comparison.spark_rocksdb, works=("w3",), runs_once=True),
    Engine("Flink", "flink", Comparison.flink, runs_once=True, gives_all=True),
    Engine("Flink RocksDB", "flink", Comparison.flink_rocksdb, works=("w3",), runs_once=True, gives_all=True),
    Engine("DuckDB", "duckdb", Comparison.duckdb),
    Engine("hand-written", "hand-written", Comparison.hand_written, works=("w1", "w2"), gives_all=True),
)


def print_table(figures):
    print(f"\n{'work':5}{'engine':14}{'M rows/s':>9}{'wall s':>8}{'CPU s':>8}{'wall/CPU':>9}{'peak MiB':>9}{'anon MiB':>9}"
          f"{'checkpoint MB':>14}{'CPU, ours to it':>17}")
    ours = {one.work: one.run.cpu_seconds for one in figures if not one.engine.peer}
    for one in figures:
        run, ratio = one.run, ours[one.work] / one.run.cpu_seconds
        text = f"{ratio:.2f}" + (f" (1/{1 / ratio:.1f})" if ratio < 0.5 else "") if one.engine.peer else ""
        print(f"{one.work:5}{one.engine.name:14}{one.rows / run.seconds / 1e6:9.2f}{run.seconds:8.2f}{run.cpu_seconds:8.2f}{run.seconds / run.cpu_seconds:9.2f}"
              f"{run.total_mib:9.0f}{run.anonymous_mib:9.0f}{one.checkpoint_bytes / 1e6:14.1f}{text:>17}")


def peers_of(text):
    peers = [peer for peer in text.split(",") if peer]
    unknown = set(peers) - set(PEERS)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: a peer is one of {', '.join(PEERS)}")
    return peers


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("home", type=pathlib.Path)
    parser.add_argument("works", nargs="*", default=list(WORKS))
    parser.add_argument("--scale", type=float)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", type=peers_of, help=f"default: {','.join(PEERS)}")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-check", action="store_true", help="for a look at the figures while working on them")
    parser.add_argument("--hand-written", type=pathlib.Path, help="default: beside TIDEMILL")
    options = parser.parse_args()
    options.scale = options.scale or (0.2 if options.quick else 1.0)
    if options.peers is None:
        options.peers = () if options.quick else PEERS
    options.hand_written = (options.hand_written or options.binary.with_name("hand_written")).absolute()
    return options


def main():
    options = parse()
    # Whatever is missing is known before the first run.
    if "spark" in options.peers:
        environment.spark()
    if "flink" in options.peers:
        environment.flink(options.home.resolve())
    if "hand-written" in options.peers and not options.hand_written.exists():
        raise SystemExit(f"{options.hand_written} is not there: deploy/build_tree.sh release hand_written, or leave hand-written out of --peers")
    figures, commands = [], []
    for name in options.works or WORKS:
        one = Comparison(options, name)
        figures += one.figures()
        if not options.no_check:
            one.check()
        commands += one.commands
    print_table(figures)
    print("\n" + "\n".join(commands))


if __name__ == "__main__":
    main()
