"""Runs the queries of answers/*.txt through `tidemill sql` and compares columns and rows with Spark's.

usage: run.py TIDEMILL [--shard I/N] [FILE...]     FILE: a stem; default all
"""
import collections
import json
import math
import os
import pathlib
import re
import subprocess
import sys

import example_file

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "testing"))
import sharded  # noqa: E402

ANSWERS = HERE / "answers"
SECONDS = 60
DIGITS = 14  # of doubles that are compared: Java's mathematics is not the C library's
DESCRIPTION = '{"col_name":'
# We have one type per kind of interval, and one of days (README.md, differences on purpose).
INTERVAL_TYPES = [
    (re.compile(r"interval (year|month)(?! to)"), "interval year to month"),
    (re.compile(r"interval (hour|minute|second|day to hour|day to minute|hour to minute|hour to second|minute to second)"
                r"\b(?! to)"), "interval day to second"),
]


def comparable(value):
    """A parsed row whose doubles may differ in the last digits."""
    if isinstance(value, float):
        return value if math.isnan(value) or value == 0 else float(f"{value:.{DIGITS}g}")
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, tuple):
        return tuple(comparable(item) for item in value)
    return value


def parsed(row):
    return repr(comparable(json.loads(row, object_pairs_hook=lambda pairs: ("row", *pairs))))


def without_names(row):
    pairs = json.loads(row, object_pairs_hook=lambda pairs: ("row", *pairs))
    return repr(comparable([value for _, value in pairs[1:]]))


def our_type(name):
    for pattern, ours in INTERVAL_TYPES:
        name = pattern.sub(ours, name)
    return name


def ask(binary, query):
    """Columns, rows and the class of the error, as ours are."""
    done = subprocess.run([binary, "sql", f"DESCRIBE QUERY {query};\n{query}", "-o", "json"],
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=SECONDS)
    lines = [line for line in done.stdout.split("\n") if line]
    columns = [json.loads(line) for line in lines if line.startswith(DESCRIPTION)]
    rows = [line for line in lines if not line.startswith(DESCRIPTION)]
    error = re.match(r"error\[([\w.]+)\]", done.stderr)
    if done.returncode and not error:
        raise ValueError(f"exit code {done.returncode}: {done.stderr.strip()}")
    return [(column["data_type"], column["col_name"]) for column in columns], rows, error.group(1) if error else ""


def differences(example, columns, rows, error):
    """What differs, as name -> lines."""
    if example.error != error:
        return {error or "no error": [f"error: {error or 'none'}, not {example.error or 'one'}"]}
    found = {}
    is_refused = bool(error) and not columns  # when it is planned, where Spark waits for a row
    if not is_refused:
        for part, at in ("types", 0), ("names", 1):
            want, got = [column[at] for column in example.columns], [column[at] for column in columns]
            if part == "types":
                want = [our_type(name) for name in want]
            if want != got:
                found[part] = [f"- {want}", f"+ {got}"]
    if example.rows is not None and not error:
        key = without_names if "names" in found else parsed
        want, got = collections.Counter(map(key, example.rows)), collections.Counter(map(key, rows))
        lines = [f"- {row}" for row in (want - got).elements()] + [f"+ {row}" for row in (got - want).elements()]
        if lines:
            found["rows"] = lines
    return found


def check(binary, path, example):
    """The lines that say what is wrong, none when all is well."""
    if not example.has_answer:
        return [f"has no answer from Spark yet: tests/oracle/record.sh --examples {path.stem}"]
    try:
        found = differences(example, *ask(binary, example.query))
    except (ValueError, subprocess.TimeoutExpired) as error:
        return [str(error)]
    allowed = set(example.ours[0].split("+")) if example.ours else set()
    problems = [line for part, lines in found.items() if part not in allowed for line in lines]
    return problems + [f"no difference any more: {part}" for part in sorted(allowed - set(found))]


def main():
    binary = os.path.abspath(sys.argv[1])
    names, shard = sharded.take_shard(sys.argv[2:])
    paths = [ANSWERS / f"{name}.txt" for name in names] or sorted(ANSWERS.glob("*.txt"))
    examples = [(path, example) for path in paths for example in example_file.read(path)][shard]
    failed = sharded.check_all(examples, lambda item: check(binary, *item), lambda item: f"{item[0].stem}: {item[1].query}")
    print(f"{len(examples)} examples, {failed} failed")
    sys.exit(1 if failed or not examples else 0)


if __name__ == "__main__":
    main()
