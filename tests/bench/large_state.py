"""A keyed count with a large state, in memory, on a driver and workers as processes.

usage: large_state.py TIDEMILL FOLDER [changed|restore|rescale ...] [--keys N]

changed  epochs that change 100, 10,000 and 1,000,000 rows of a state of no keys, a tenth of the keys and all keys: from the rename
         of the input to the commit; then the size of the checkpoint beside that of the state
restore  SIGKILL, then SIGTERM of all of 1 or 2 workers, which start again: until the state is there and until the next commit
rescale  1, 2, 4, then 2 workers of 1 slot while a file of 1,000 rows arrives every 20 ms: the longest times without a commit
"""
import argparse
import array
import pathlib
import random
import re
import signal
import time

from beyond_memory import Watch, fill_state, write
from cluster import KEYED_COUNT, cluster, commits, feeding, wait_until
from measure import percentiles
from process_tree import memory_of, size_of

CHANGES = ((100, 41), (10_000, 21), (1_000_000, 7))   # rows, epochs


def start(one, keys):
    source = one.folder / "in"
    source.mkdir()
    fill_state(source, keys)
    watch = Watch(one, "state", KEYED_COUNT, source, {"format": "noop"}, max_files=10)
    watch.wait(keys)
    return watch


def checkpoint_of(one):
    """Bytes of state and all bytes."""
    folder = one.folder / "state-checkpoint"
    return size_of(folder / "state"), size_of(folder)


def log_of(one):
    return (one.folder / "driver.log").read_text().splitlines()


def changed(options):
    for keys in (0, options.keys // 10, options.keys):
        with cluster(options, "changed", 1, slots=2) as one:
            watch = start(one, keys) if keys else None
            source = one.folder / "in"
            if not watch:
                source.mkdir()
                watch = Watch(one, "state", KEYED_COUNT, source, {"format": "noop"})
            generator = random.Random(3)
            for rows, epochs in CHANGES:
                seconds = []
                for number in range(epochs):
                    numbers = array.array("Q", (generator.randrange(keys or rows) for _ in range(rows)))
                    write(one.folder, "next", numbers)
                    before = len(commits(one))
                    began = time.perf_counter()
                    (one.folder / "next").rename(source / f"change-{rows}-{number}.txt")
                    wait_until(lambda: len(commits(one)) > before, f"an epoch of {rows} rows, see {one.folder}")
                    seconds.append(time.perf_counter() - began)
                    time.sleep(0.05)
                print(f"changed: {rows} rows an epoch, state of {keys} keys: from rename to commit {percentiles(seconds[1:])}", flush=True)
            watch.look()
            state_bytes, all_bytes = checkpoint_of(one)
            print(f"changed: {watch.state()[0]} keys take {watch.state()[2] / 1e6:.0f} MB in memory, their checkpoint {state_bytes / 1e6:.0f} MB of state, "
                  f"{all_bytes / 1e6:.0f} MB in all; worker at most {watch.peak():.0f} MiB", flush=True)


def restore(options):
    for workers in (1, 2):
        with cluster(options, "restore", workers, slots=2 // workers) as one:
            watch = start(one, options.keys)
            rows, _, state_bytes = watch.state()
            for how in (signal.SIGKILL, signal.SIGTERM):
                checkpoint_bytes, _ = checkpoint_of(one)
                began = time.perf_counter()
                for process in one.workers.values():
                    process.send_signal(how)
                for process in one.workers.values():
                    process.wait(120)
                ended = time.perf_counter() - began
                before, lines = len(commits(one)), len(log_of(one))
                began = time.perf_counter()
                for name in list(one.workers):
                    one.add_worker(name)
                write(one.folder / "in", f"later-{how.name}.txt", range(1000))

                def restored(first=lines):
                    return [re.search(r"\brows=(\d+)", line) for line in log_of(one)[first:] if " state_restored " in line]
                wait_until(lambda: sum(int(found.group(1)) for found in restored()) >= rows, f"the restore, see {one.folder}", 120)
                took = time.perf_counter() - began
                wait_until(lambda: len(commits(one)) > before, "a commit after the restore")
                print(f"restore: {workers} workers, {2 // workers} slots each: {rows / 1e6:g} M rows, {state_bytes / 1e6:.0f} MB in memory, {checkpoint_bytes / 1e6:.0f} MB in the "
                      f"checkpoint: {how.name} {ended:.2f} s, restored {took:.2f} s from the start of the processes, {time.perf_counter() - began:.2f} s to the next commit",
                      flush=True)


def rescale(options):
    with cluster(options, "rescale-large", 1) as one:
        watch = start(one, options.keys)
        print(f"rescale: {watch.state()[0] / 1e6:g} M keys, {watch.state()[2] / 1e6:.0f} MB in memory", flush=True)
        text = "".join(f"session-{number}\n" for number in range(1000))
        with feeding(one.folder / "in", lambda number: text):
            time.sleep(3)
            for what, count in (("1 to 2 workers", 1), ("2 to 4", 2), ("4 to 2", -2)):
                before, lines = len(commits(one)), len(log_of(one))
                began = time.perf_counter()
                if count > 0:
                    for _ in range(count):
                        one.add_worker()
                else:
                    leaving = [one.workers.pop(name) for name in list(one.workers)[count:]]
                    for process in leaving:
                        process.send_signal(signal.SIGTERM)
                    for process in leaving:
                        process.wait(120)
                settle(one, lines, began)
                times = commits(one)[before - 1:]
                gaps = sorted(b - a for a, b in zip(times, times[1:]))
                print(f"rescale: {what}: longest times without a commit {', '.join(f'{gap * 1000:.0f}' for gap in gaps[:-4:-1])} ms, usual {gaps[len(gaps) // 2] * 1000:.0f} ms; "
                      f"peak MiB of workers {', '.join(f'{memory_of(process.pid)[1]:.0f}' for process in one.workers.values())}", flush=True)
        watch.look()
        if watch.state()[0] != options.keys + 1000:
            raise SystemExit(f"rescale: {watch.state()[0]} keys instead of {options.keys + 1000}")


def settle(one, lines, began, seconds=120):
    """Until nothing has been assigned nor restored for 4 s."""
    while time.perf_counter() - began < seconds:
        size = len(log_of(one))
        time.sleep(4)
        if not any(re.search(r" (state_restored|worker_released|worker_registered) ", line) for line in log_of(one)[size:]):
            return
    raise SystemExit(f"workers do not settle within {seconds} s: see {one.folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["changed", "restore", "rescale"])
    parser.add_argument("--keys", type=int, default=20_000_000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for what in options.what:
        {"changed": changed, "restore": restore, "rescale": rescale}[what](options)


if __name__ == "__main__":
    main()
