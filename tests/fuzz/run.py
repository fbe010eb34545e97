#!/usr/bin/env python3
"""Runs the fuzz programs from the texts of tests/queries and tests/functions as seeds.

usage: run.py FOLDER [--seconds N] [NAME...]     FOLDER: of the preset fuzz; NAME: lexer, parser, ...
Without --seconds: a fixed number of runs from a fixed seed.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/queries"))
import query_file  # noqa: E402

PROGRAMS = ("lexer", "parser", "expression", "json")
RUNS = 20_000
MEGABYTES = 2048
MAX_BYTES = 2000


def expressions_of(text):
    """The items of a select list, roughly: what is no expression is a seed all the same."""
    return re.split(r",(?![^(]*\))", re.sub(r"\s+FROM\s.*", "", re.sub(r"^\s*SELECT\s+", "", text, flags=re.I), flags=re.S))


def answered_expressions():
    for path in sorted((ROOT / "tests/functions/answers").glob("*.txt")):
        yield from (line for line in path.read_text(encoding="utf-8").split("\n") if re.match(r"(?!--)\S", line))


def seeds(name):
    if name in ("parser", "expression"):
        yield from answered_expressions()
    for path in sorted((ROOT / "tests/queries").glob("*.test")):
        query = query_file.read(path)
        if name in ("lexer", "parser"):
            yield query.text
        elif name == "expression":
            yield from (re.sub(r"\s+AS\s+\w+\s*$", "", item).strip() for item in expressions_of(query.text))
        else:
            for source in query.sources:
                files = source.data + [block[source.name] for block in query.blocks if source.name in block]
                yield from ("\1" + file.text for file in files if source.format == "json")


def run(folder, name, seconds):
    findings = folder / "findings"
    findings.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(name)):
            pathlib.Path(corpus, str(number)).write_text(seed, encoding="utf-8")
        limit = [f"-max_total_time={seconds}"] if seconds else [f"-runs={RUNS}", "-seed=1"]
        command = [folder / f"{name}_fuzz", corpus, *limit, f"-artifact_prefix={findings}/{name}-", "-timeout=20",
                   f"-rss_limit_mb={MEGABYTES}", f"-max_len={MAX_BYTES}", "-verbosity=1", "-print_final_stats=1"]
        done = subprocess.run(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, encoding="utf-8", errors="replace")
    print(f"== {name}", *done.stdout.splitlines()[-60 if done.returncode else -12:], sep="\n", flush=True)
    return done.returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("names", nargs="*", choices=[*PROGRAMS, []], default=[])
    options = parser.parse_intermixed_args()
    failed = [name for name in options.names or PROGRAMS if run(options.folder.resolve(), name, options.seconds)]
    print("failed: " + " ".join(failed) if failed else "no finding")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
