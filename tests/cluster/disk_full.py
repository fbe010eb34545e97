"""A disk that fills up, of the checkpoint, of the sink and of a worker: the job ends with a clear error,
and when there is room again it goes on where it was, every key once.

The disks are file systems of a few MB in a mount namespace of the test's own. Where none can be made
the test is skipped (exit 77).

usage: disk_full.py TIDEMILL [--seed N]
"""
import collections
import json
import os
import random
import subprocess
import sys

from cluster_harness import SETTINGS, Cluster
from harness import OK, Engine, arguments, check, difference, job, main, publish, scratch, sink_rows, until

RESOURCE = 11
SKIPPED = 77
FILES, LINES = 40, 5_000
INSIDE = "TIDEMILL_TEST_DISK_FULL"


class Disk:
    """A folder that takes so many KiB."""

    def __init__(self, path, kib):
        self.path = path
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", path], check=True)

    def grow(self):
        subprocess.run(["mount", "-o", "remount,size=500m", self.path], check=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=True)


def write_input(folder, generator):
    """Keys of which half have been there before."""
    folder.mkdir()
    keys = []
    for number in range(FILES):
        lines = []
        for _ in range(LINES):
            if not keys or generator.random() < 0.5:
                keys.append(f"{generator.getrandbits(64):016x}")
                lines.append(keys[-1])
            else:
                lines.append(generator.choice(keys))
        publish(folder, f"{number:03d}.txt", "".join(line + "\n" for line in lines))
    return collections.Counter(keys)


def spec(folder, name, checkpoint, out):
    return job("SELECT value FROM input", {"format": "text", "path": folder / "in", "options": {"maxFilesPerTrigger": 1},
                                           "dropDuplicates": {"columns": ["value"]}},
               {"format": "json", "path": out}, trigger="available-now", checkpoint=checkpoint, name=name)


def check_rows(name, want, out, is_whole):
    got = collections.Counter(row["value"] for row in sink_rows(out))
    wrong = difference(want, got) if is_whole else difference(want, got | want)
    check(not wrong, f"{name}: {'' if is_whole else 'while the disk is full, '}rows differ:\n{wrong}")
    return got.total()


def check_error(name, text):
    for words in ("DISK_FULL", "No space left", "make room"):
        check(words in text, f"{name}: the error does not say {words!r}: {text}")


def test_run(options, folder, name, want):
    """The checkpoint or the sink on a small disk, one process."""
    disk = Disk(folder / f"{name}-disk", 1_000)
    checkpoint, out = folder / f"{name}-checkpoint", folder / f"{name}-out"
    if name == "checkpoint":
        checkpoint = disk.path / "checkpoint"
    else:
        out = disk.path / "out"
    engine = Engine(options.binary, folder, *SETTINGS)
    path = engine.write(f"{name}.yaml", spec(folder, name, checkpoint, out))
    failed = engine.run(path).expect(RESOURCE, 60)
    check_error(name, failed.stderr)
    rows = check_rows(name, want, out, is_whole=False)
    engine.run(path).expect(RESOURCE, 60)
    disk.grow()
    engine.run(path).expect(OK, 60)
    print(f"{name}: full after {rows} rows; then {check_rows(name, want, out, is_whole=True)} rows, each once", flush=True)
    disk.remove()


def test_worker(options, folder, want):
    """A worker whose state does not fit into its memory, nor on its disk."""
    disk = Disk(folder / "data", 1_500)
    cluster = Cluster(options.binary, folder)
    cluster.start_driver()
    cluster.start_worker("w1", "--memory", "8m")
    cluster.wait_for_workers()
    out = folder / "worker-out"
    path = cluster.engine.write("worker.yaml", spec(folder, "worker", folder / "worker-checkpoint", out))
    failed = cluster.client("submit", path, "--wait", codes=(RESOURCE, 8), seconds=90)
    check(json.loads(cluster.client("status", "worker", "-o", "json").stdout)["error"]["errorClass"] == "DISK_FULL", "not DISK_FULL: " + failed.describe())
    check_error("worker", failed.stderr)
    cluster.check_running()
    rows = check_rows("worker", want, out, is_whole=False)
    disk.grow()
    cluster.client("submit", path, "--wait", seconds=90)
    print(f"worker: full after {rows} rows; then {check_rows('worker', want, out, is_whole=True)} rows, each once", flush=True)
    cluster.stop()
    disk.remove()


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        want = write_input(folder / "in", random.Random(options.seed))
        for name in ("checkpoint", "sink"):
            test_run(options, folder, name, want)
        test_worker(options, folder, want)


if __name__ == "__main__":
    if os.environ.get(INSIDE):
        main(test)
    elif subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode:
        print("skipped: this machine does not let a test mount a file system of its own")
        sys.exit(SKIPPED)
    else:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv])
