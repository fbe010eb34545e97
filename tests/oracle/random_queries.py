"""Compares random queries, ours with Spark's: rows per micro-batch, late rows, errors by their class.

usage: random_queries.py TIDEMILL [--seed N] [--count N] [--kind KIND] [--keep FOLDER]
What differs is kept as a *.test file with Spark's answer. Queries that we refuse as not supported
are counted, and are no difference.
"""
import argparse
import collections
import os
import pathlib
import sys
import tempfile
import time

QUERIES = pathlib.Path(__file__).resolve().parent.parent / "queries"
sys.path.insert(0, str(QUERIES))
import query_file  # noqa: E402
import random_plans  # noqa: E402
import record  # noqa: E402
import run  # noqa: E402

REFUSED = ("error[UNSUPPORTED_FEATURE", "is not supported yet", "error[UNRESOLVED_ROUTINE]")


def outcome(binary, spark, number, kinds, keep):
    kind, query = random_plans.make(number, kinds)
    query.error = query_file.Error(is_class_only=True)
    record.record(spark, query, quiet=True)
    path = keep / f"random_{number}.test"
    query_file.write(path, query)
    problems = run.check(binary, path)
    if not problems:
        path.unlink()
        return kind, "errors alike" if query.error else "same", []
    if any(text in line for line in problems for text in REFUSED):
        path.unlink()
        return kind, "refused", []
    return kind, "different", problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--kind", action="append")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "random_queries")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    spark = record.session()
    spark.sparkContext.setLogLevel("OFF")
    totals = collections.Counter()
    begin = time.monotonic()
    for index in range(options.count):
        number = options.seed * 100_000 + index
        kind, result, problems = outcome(os.path.abspath(options.binary), spark, number, options.kind, options.keep)
        totals[result] += 1
        totals[f"{result}: {kind}"] += 1
        if problems:
            print(f"DIFFERENT {number} ({kind}), kept in {options.keep}", *problems, sep="\n  ", flush=True)
    spark.stop()
    print(f"seed {options.seed}: {options.count} queries in {time.monotonic() - begin:.0f} s:", dict(sorted(totals.items())))
    sys.exit(1 if totals["different"] else 0)


if __name__ == "__main__":
    main()
