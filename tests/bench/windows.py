"""Windowed aggregation of JSON events, ours and Spark's one after the other on the same files; their rows must be equal.

usage: windows.py TIDEMILL FOLDER [--scale F] [--runs N] [--python PYTHON]
PYTHON has PySpark: default the environment of tests/oracle. scale 1: 10 M events in 20 files, 1.5 GB.

Watermark of 10 minutes, windows of 1 minute by page (1,000): count, mean and maximum; append mode, available-now.
Seconds are those of the query, from its start to its end (ours: of the whole process).
"""
import argparse
import json
import math
import os
import pathlib
import random
import shutil
import time

from measure import run

FILES, EVENTS, PAGES = 20, 500_000, 1_000
SCHEMA = "event_time TIMESTAMP, user_id BIGINT, page STRING, action STRING, latency_ms DOUBLE, session STRING"
QUERY = ("SELECT window.start AS start, page, count(*) AS n, avg(latency_ms) AS mean, max(latency_ms) AS most FROM events "
         "GROUP BY window(event_time, '1 minute'), page")


def write(folder, scale):
    if (folder / ".ready").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    generator = random.Random(20260102)
    count = int(EVENTS * scale)
    for number in range(FILES):
        offsets = sorted(generator.randrange(600_000) for _ in range(count))
        with open(folder / f"part-{number:02d}.json", "w", encoding="ascii") as file:
            for offset in offsets:
                at = max(0, number * 600_000 + offset - generator.randrange(30_000))
                stamp = f"2026-01-01T{at // 3_600_000:02d}:{at // 60_000 % 60:02d}:{at // 1000 % 60:02d}.{at % 1000:03d}Z"
                file.write(f'{{"event_time":"{stamp}","user_id":{generator.randrange(100_000)},"page":"/catalog/page/{generator.randrange(PAGES):04d}",'
                           f'"action":"{generator.choice(("view", "click", "scroll", "purchase"))}","latency_ms":{generator.randrange(1, 400_000) / 1000},'
                           f'"session":"{generator.getrandbits(64):016x}"}}\n')
    (folder / ".ready").touch()


def rows(folder):
    """The results by window and page, which must be there once."""
    found = {}
    for path in folder.glob("part-*"):
        with open(path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                key = row["start"][:19], row["page"]
                if key in found:
                    raise SystemExit(f"{key} is there twice in {folder}")
                found[key] = row["n"], row["mean"], row["most"]
    return found


def are_equal(mine, theirs):
    """Means are sums of doubles in any order."""
    return mine[0] == theirs[0] and mine[2] == theirs[2] and math.isclose(mine[1], theirs[1], rel_tol=1e-12)


def ours(options, data):
    output, checkpoint = options.folder / "windows-ours", options.folder / "windows-checkpoint"
    for path in (output, checkpoint):
        shutil.rmtree(path, ignore_errors=True)
    spec = options.folder / "windows.yaml"
    spec.write_text(json.dumps({
        "sources": {"events": {"format": "json", "path": str(data), "schema": SCHEMA, "watermark": {"column": "event_time", "delay": "10 minutes"}}},
        "query": QUERY, "sink": {"format": "json", "path": str(output)}, "outputMode": "append", "trigger": "available-now",
        "checkpointLocation": str(checkpoint)}))
    command = [os.path.abspath(options.binary), "run", str(spec)]
    done = run(command)
    return done.seconds, done.cpu_seconds, max(done.anonymous_mib, 0), output, " ".join(command)


def sparks(options, data):
    output = options.folder / "windows-spark"
    shutil.rmtree(output, ignore_errors=True)
    shutil.rmtree(options.folder / "windows-spark-checkpoint", ignore_errors=True)
    result = options.folder / "windows-spark.seconds"
    command = [options.python, str(pathlib.Path(__file__).with_name("spark_windows.py")), str(data), str(output),
               str(options.folder / "windows-spark-checkpoint"), str(result), SCHEMA, QUERY]
    run(command)
    return float(result.read_text()), output, " ".join(command[:2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--python", default=os.path.expanduser("~/.cache/tidemill/pyspark/bin/python"))
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    data = options.folder / f"events-{options.scale:g}"
    write(data, options.scale)
    events = FILES * int(EVENTS * options.scale)
    cores = os.cpu_count()
    best = min(ours(options, data) for _ in range(options.runs))
    print(f"windows, ours: {events} events in {best[0]:.2f} s wall, {best[1]:.2f} s CPU: {events / best[0] / cores / 1e3:.0f} k rows/s per core, "
          f"{events / best[1] / 1e3:.0f} k rows per CPU s, {best[2]:.0f} MiB anonymous (best of {options.runs})\n  {best[4]}")
    time.sleep(1)
    spark = min(sparks(options, data) for _ in range(options.runs))
    print(f"windows, Spark: {events} events in {spark[0]:.2f} s of the query: {events / spark[0] / cores / 1e3:.0f} k rows/s per core\n  {spark[2]}")
    mine, theirs = rows(best[3]), rows(spark[1])
    different = [key for key in mine.keys() | theirs.keys() if key not in mine or key not in theirs or not are_equal(mine[key], theirs[key])]
    if different:
        raise SystemExit(f"{len(different)} of {len(mine)} rows differ: {[(key, mine.get(key), theirs.get(key)) for key in different[:3]]}")
    print(f"windows: {len(mine)} rows, equal; {spark[0] / best[0]:.1f} times Spark's rows per second and core")


if __name__ == "__main__":
    main()
