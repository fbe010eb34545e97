"""What the cluster tests share: scratch directories, jobs as text, the program as a process.

Every wait has a deadline. Processes are signalled by the pid that was started here, never by name.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Every deadline is this many times longer: sanitizers make the program that much slower.
PATIENCE = float(os.environ.get("TIDEMILL_TEST_PATIENCE", "1"))

OK, USAGE, INVALID, NOT_FOUND, CONFLICT, JOB_FAILED, CORRUPT, FENCED = 0, 2, 3, 6, 7, 8, 9, 10


class Failure(Exception):
    """A check that did not hold."""


def check(is_right, message):
    if not is_right:
        raise Failure(message)


def arguments(description, **extra):
    """Parses the command line that all tests share; `extra` adds flags: name=(default, help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("binary", help="path of tidemill")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument("--keep", action="store_true", help="keep the scratch directory")
    for name, (default, text) in extra.items():
        parser.add_argument("--" + name, default=default, type=type(default), help=text)
    parsed = parser.parse_args()
    parsed.binary = os.path.abspath(parsed.binary)
    print(f"seed {parsed.seed}", flush=True)
    return parsed


@contextlib.contextmanager
def scratch(keep=False):
    """A directory of its own, removed at the end unless a check failed. No process outlives it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tidemill-test-"))
    try:
        yield folder
    except BaseException:
        print(f"kept {folder}")
        raise
    finally:
        for process in Process.started:
            if process.is_running():
                process.kill()
        Process.started.clear()
    if keep:
        print(f"kept {folder}")
    else:
        shutil.rmtree(folder)


def main(test):
    """Runs `test`, a function without arguments; a Failure ends the process with 1."""
    began = time.monotonic()
    try:
        test()
    except Failure as failure:
        print(f"FAILED {failure}")
        sys.exit(1)
    print(f"passed in {time.monotonic() - began:.1f} s")


def until(condition, seconds, what, step=0.01):
    """Waits for a condition; returns its first true value."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"after {seconds * PATIENCE:g} s still not: {what}")
        time.sleep(step)


def publish(folder, name, text):
    """Puts a file into a directory in one step, as writers into a file source must."""
    hidden = folder / ("." + name)
    hidden.write_text(text, encoding="utf-8")
    hidden.rename(folder / name)


def job(query, source, sink, output="append", trigger=None, checkpoint=None, name=None, more=None):
    """A job specification with a source named `input`, and `more` sources by their names."""
    spec = {"sources": {"input": source, **(more or {})}, "query": query, "sink": sink, "outputMode": output}
    if name:
        spec["name"] = name
    if trigger:
        spec["trigger"] = trigger
    if checkpoint:
        spec["checkpointLocation"] = str(checkpoint)
    return json.dumps(spec, indent=1, default=str)   # JSON is YAML


class Process:
    """`tidemill ...` as a child process with its output in files."""

    counter = 0
    started = []

    def __init__(self, binary, folder, *words, env=None, cwd=None):
        Process.counter += 1
        self.log = folder / f"run-{Process.counter:04d}"
        self.words = [str(word) for word in words]
        with open(f"{self.log}.out", "wb") as out, open(f"{self.log}.err", "wb") as err:
            self.child = subprocess.Popen([binary, *self.words], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                          cwd=cwd or folder, env={**os.environ, **(env or {})})
        Process.started.append(self)

    @property
    def stdout(self):
        return pathlib.Path(f"{self.log}.out").read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self):
        return pathlib.Path(f"{self.log}.err").read_text(encoding="utf-8", errors="replace")

    def is_running(self):
        return self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def wait(self, seconds):
        """The exit code; a process that does not end in time is killed and is a failure."""
        try:
            return self.child.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"did not end within {seconds * PATIENCE:g} s: {self.describe()}") from None

    def expect(self, codes, seconds):
        """Waits for the end and checks the exit code."""
        codes = (codes,) if isinstance(codes, int) else codes
        code = self.wait(seconds)
        check(code in codes, f"exit code {code}, not {' or '.join(map(str, codes))}: {self.describe()}")
        return self

    def stop(self, seconds=20):
        """Ends the process in order, after its epoch."""
        self.send(signal.SIGTERM)
        return self.expect(OK, seconds)

    def describe(self):
        return f"{' '.join(self.words)}\nstdout: {self.stdout[-500:]}\nstderr: {self.stderr[-3000:]}"


class Engine:
    """Starts the program in one scratch directory."""

    def __init__(self, binary, folder, *flags):
        self.binary, self.folder, self.flags = binary, folder, flags

    def start(self, *words, env=None, cwd=None):
        return Process(self.binary, self.folder, *words, env=env, cwd=cwd)

    def run(self, path, *flags, env=None):
        return self.start("run", path, *self.flags, *flags, env=env)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def failpoints(self):
        version = self.start("version", "-o", "json").expect(OK, 20)
        return json.loads(version.stdout)["failpoints"]


def sink_rows(folder):
    """The rows of the JSON files that a reader of the sink's directory sees."""
    rows = []
    for path in sorted(folder.glob("part-*.json")) if folder.is_dir() else []:
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return rows


_BATCH = re.compile(r'^\{"batchId":(\d+),')


def console_batches(text):
    """Output of the console sink with `style: json`: batch id -> list of rows. A last line that is
    not complete is left out."""
    batches = {}
    for line in text.split("\n")[:-1]:
        check(_BATCH.match(line), f"not a line of console style json: {line[:200]}")
        batch = json.loads(line)
        check(batch["batchId"] not in batches, f"batch printed twice: {batch['batchId']}")
        batches[batch["batchId"]] = batch["rows"]
    return batches


def largest_counts(drivers):
    """Of a count in update mode: the largest that any driver has printed of each value."""
    counts = collections.Counter()
    for driver in drivers:
        for rows in console_batches(driver.stdout).values():
            for row in rows:
                counts[row["value"]] = max(counts[row["value"]], row["n"])
    return counts


def as_multiset(rows):
    return collections.Counter(json.dumps(row, ensure_ascii=False) for row in rows)


def difference(want, got, limit=10):
    """Says how two multisets differ; empty when they do not."""
    missing, extra = want - got, got - want
    lines = [f"- {row} x{count}" for row, count in list(missing.items())[:limit]]
    lines += [f"+ {row} x{count}" for row, count in list(extra.items())[:limit]]
    if lines:
        lines.append(f"({sum(missing.values())} missing, {sum(extra.values())} too many)")
    return "\n".join(lines)
