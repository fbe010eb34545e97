"""Flink's run of a work, in SQL on a local cluster of 2 slots; run by the Python of environment.flink.

usage: flink_peer.py WORK DATA FOLDER heap|rocksdb [--rows]

FOLDER gets checkpoints while it runs and, since Flink removes them at the end, their largest size as `checkpoint_bytes`; with --rows
the result in out/, as Debezium's JSON: Flink sends rows of a count or a left join and takes them back again.
"""
import argparse
import os
import pathlib
import shutil
import sys
import threading

os.environ["JVM_ARGS"] = "-Xmx6g"

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from works import WORKS

FORMATS = {
    "text": {"format": "raw"},
    "json": {"format": "json", "json.timestamp-format.standard": "ISO-8601"},
    "parquet": {"format": "parquet"},
    "csv": {"format": "csv", "csv.ignore-parse-errors": "true"},
}


def settings(options):
    """As fast as we know to make it, with the guarantees of the others."""
    return {
        "parallelism.default": "2",
        "taskmanager.numberOfTaskSlots": "2",
        "taskmanager.memory.managed.size": "2g",
        "taskmanager.memory.network.min": "256m",
        "taskmanager.memory.network.max": "256m",
        "io.tmp.dirs": str(options.folder / "scratch"),
        "state.backend.type": {"heap": "hashmap", "rocksdb": "rocksdb"}[options.state],
        "execution.checkpointing.interval": "1 s",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.storage": "filesystem",
        "execution.checkpointing.dir": f"file://{options.folder}/checkpoint",
        "execution.checkpointing.incremental": "true",
        "execution.checkpointing.timeout": "10 min",
        "table.local-time-zone": "UTC",
        "table.exec.mini-batch.enabled": "true",
        # Rows that are written are better not written over and over.
        "table.exec.mini-batch.allow-latency": "10 s" if options.rows else "1 s",
        "table.exec.mini-batch.size": "2000000" if options.rows else "50000",
        "pipeline.jars": ";".join(f"file://{path}" for path in pathlib.Path(sys.prefix, "jars").glob("*.jar")),
    }


class CheckpointWatch(threading.Thread):
    """Keeps the largest size of the checkpoints."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.ended, self.most = folder, threading.Event(), 0

    def run(self):
        while not self.ended.wait(0.1):
            size = 0
            for parent, _, names in os.walk(self.folder):
                for name in names:
                    try:
                        size += os.stat(f"{parent}/{name}").st_size
                    except FileNotFoundError:
                        pass
            self.most = max(self.most, size)


def clause(connector, path, more):
    pairs = {"connector": connector, **({"path": f"file://{path}"} if path else {}), **more}
    return "WITH (" + ", ".join(f"'{key}' = '{value}'" for key, value in pairs.items()) + ")"


def run(options):
    work = WORKS[options.work]
    configuration = Configuration()
    for key, value in settings(options).items():
        configuration.set_string(key, value)
    table = TableEnvironment.create(EnvironmentSettings.new_instance().with_configuration(configuration).in_streaming_mode().build())
    for name, source in work.sources.items():
        path = options.data / source["path"]
        table.execute_sql(f"CREATE TABLE `{name}` ({work.flink_tables[name]}) {clause('filesystem', path, FORMATS[source['format']])}")
    sink = clause("filesystem", options.folder / "out", {"format": "debezium-json"}) if options.rows else clause("blackhole", "", {})
    table.execute_sql(f"CREATE TABLE result_rows {sink} AS {work.flink}").wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=list(WORKS))
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("state", choices=["heap", "rocksdb"])
    parser.add_argument("--rows", action="store_true")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    (options.folder / "scratch").mkdir(parents=True)
    watch = CheckpointWatch(options.folder / "checkpoint")
    watch.start()
    try:
        run(options)
    finally:
        watch.ended.set()
        watch.join()
    (options.folder / "checkpoint_bytes").write_text(str(watch.most))


if __name__ == "__main__":
    main()
