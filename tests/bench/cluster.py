"""Figures of a cluster of the release build: a driver and workers as processes of their own.

usage: cluster.py TIDEMILL FOLDER [disk|idle|epoch|fanout|worker|driver|rescale|slow|burst|scaling ...] [--scale F]

disk     fdatasync of small appends on the disk of FOLDER, for comparison
idle     resident memory of a driver and a worker with nothing to do
epoch    one row per epoch, 2 workers, checkpoint and JSON file: from the rename of the input to the result, and by phase
fanout   one row per epoch over 1 to 16 workers: latency, CPU of the driver and of a worker, bytes and packets
worker   SIGKILL of one of 2 workers: until a line that came after it is in the committed result
driver   SIGKILL of the driver and a new one at once: likewise
rescale  a worker joins, then leaves, a job with 1 M keys: the longest time without a commit
slow     one of 2 workers is stopped for 3 s while a pass-through job shuffles a burst: memory of the other and of the driver
burst    a keyed count of 10,000 rows a second gets 50 M rows at once, with a target for epochs and without: how long epochs last,
         how long until all is counted, memory of the driver and the workers
scaling  rows per second, CPU, and bytes over the loopback device of a keyed count (1 M keys), W1, W2 and W3 over workers of 1 slot,
         as many as there are cores, each on its own
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import environment
import measure
import process_tree
from works import WORKS

WORD_COUNT = measure.WORD_COUNT
KEYED_COUNT = "SELECT value, count(*) AS count FROM input GROUP BY value"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """Processes of one driver and its workers; ends them by pid."""

    def __init__(self, binary, folder, slots=1, memory=None, has_cores=False):
        self.binary, self.folder, self.slots = binary, folder, slots
        self.cores = sorted(os.sched_getaffinity(0)) if has_cores else []    # one for each worker, as on machines of their own
        self.memory = ("--memory", memory) if memory else ()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.address = f"127.0.0.1:{free_port()}"
        self.http = f"127.0.0.1:{free_port()}"
        self.driver, self.workers, self.starts = None, {}, 0

    def spawn(self, name, *arguments):
        log = open(self.folder / f"{name}.log", "ab")
        return subprocess.Popen([self.binary, *arguments, "--log-level", "info"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_driver(self):
        self.driver = self.spawn("driver", "driver", "--listen", self.address, "--http", self.http, "--root", str(self.folder / "root"))

    def add_worker(self, name=None):
        self.starts += 1
        name = name or f"w{self.starts}"
        self.workers[name] = self.spawn(name, "worker", "--driver", self.address, "--slots", str(self.slots), "--id", name,
                                        "--data", str(self.folder / "data" / name), *self.memory)
        if self.cores:
            process_tree.bind(self.workers[name].pid, self.cores[(self.starts - 1) % len(self.cores)])
        return name

    def client(self, *arguments, **rest):
        return subprocess.run([self.binary, *arguments, "--driver", self.address], capture_output=True, text=True, timeout=600, **rest)

    def wait_for_workers(self, count):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            done = self.client("workers", "-o", "json")
            if done.returncode == 0:
                known = json.loads(done.stdout)
                known = known["workers"] if isinstance(known, dict) else known
                if sum(one["state"] == "ALIVE" for one in known) == count:
                    return
            time.sleep(0.05)
        raise SystemExit(f"no {count} workers after 20 s: see {self.folder}")

    def stop(self):
        for process in [*self.workers.values(), self.driver]:
            if process and process.poll() is None:
                process.kill()
                process.wait()


@contextlib.contextmanager
def cluster(options, name, workers, slots=1, memory=None, has_cores=False):
    one = Cluster(os.path.abspath(options.binary), options.folder.resolve() / name, slots, memory, has_cores)
    try:
        one.start_driver()
        for _ in range(workers):
            one.add_worker()
        one.wait_for_workers(workers)
        yield one
    finally:
        one.stop()


def submit(one, name, query, source, sink, *flags, **rest):
    submit_sources(one, name, query, {"input": source}, sink, *flags, **rest)


def submit_sources(one, name, query, sources, sink, *flags, **rest):
    path = one.folder / f"{name}.yaml"
    path.write_text(json.dumps({"name": name, "sources": sources, "query": query, "sink": sink,
                                "checkpointLocation": str(one.folder / f"{name}-checkpoint"), **rest}, default=str))
    done = one.client("submit", str(path), *flags)
    if done.returncode:
        raise SystemExit(f"submit: status {done.returncode}\n{done.stderr}")


def put(folder, name, text):
    (folder / f".{name}").write_text(text)
    (folder / f".{name}").rename(folder / name)


def wait_until(condition, what, seconds=60):
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > seconds:
            raise SystemExit(f"not within {seconds} s: {what}")
        time.sleep(0.0005)
    return time.perf_counter() - began


def holds(result, word):
    try:
        return word in result.read_text()
    except FileNotFoundError:
        return False


def idle(options):
    with cluster(options, "idle", 1) as one:
        time.sleep(3)
        for name, process in (("driver", one.driver), *one.workers.items()):
            text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            anonymous, total = (int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M).group(1)) / 1024 for key in ("RssAnon", "VmRSS"))
            print(f"idle: {name} {anonymous:.1f} MiB anonymous, {total:.1f} MiB resident")


def epochs_of_one_row(one, count, warm_up=5, on_warm=lambda: None):
    """A word count; from rename to result, without the first epochs, after which `on_warm` is called."""
    source, result = one.folder / "in", one.folder / "out" / "part-00000.json"
    source.mkdir()
    submit(one, "epoch", WORD_COUNT, {"format": "text", "path": source}, {"format": "json", "path": result.parent}, outputMode="complete")
    latencies = []
    for number in range(count):
        if number == warm_up:
            on_warm()
        before = measure.stamp(result)
        began = time.perf_counter()
        put(source, f"{number}.txt", "tide\n")
        wait_until(lambda: measure.stamp(result) != before, f"row {number}, see {one.folder}")
        latencies.append(time.perf_counter() - began)
        time.sleep(0.02)
    return latencies[warm_up:]


def epoch(options):
    with cluster(options, "epoch", 2) as one:
        latencies = epochs_of_one_row(one, options.epochs)
        print(f"epoch: one row, driver and 2 workers, from rename to result {measure.percentiles(latencies)}")
        for phase, values in measure.phases_of((one.folder / "driver.log").read_text()).items():
            print(f"  {phase}: {measure.percentiles(values[5:])}")


def fanout(options):
    """What an epoch of one row costs the more workers there are: nearly all of it is messages."""
    for workers in (1, 2, 4, 8, 16):
        with cluster(options, "fanout", workers) as one:
            def costs():
                """So far: CPU seconds of the driver and of all workers, bytes and packets."""
                return (process_tree.cpu_of(one.driver.pid), sum(process_tree.cpu_of(child.pid) for child in one.workers.values()), *loopback())
            before = []
            latencies = epochs_of_one_row(one, options.epochs, on_warm=lambda: before.extend(costs()))
            driver, rest, sent, packets = ((after - earlier) / len(latencies) for after, earlier in zip(costs(), before))
            print(f"fanout: {workers} workers of 1 slot: rename to result {measure.percentiles(latencies)}; an epoch: driver {1e6 * driver:.0f} us of CPU, "
                  f"each worker {1e6 * rest / workers:.0f} us, {sent / 1000:.1f} kB and {packets:.0f} packets", flush=True)


@contextlib.contextmanager
def feeding(source, line):
    """Meanwhile a file of one line, line(number), arrives every 20 ms."""
    stopped = threading.Event()

    def feed():
        number = 0
        while not stopped.wait(0.02):
            put(source, f"line-{number}.txt", line(number))
            number += 1
    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        stopped.set()
        feeder.join()


def recovery(options, name, strike):
    """Feeds a line every 20 ms; after a blow, how long until a line that came after it is in the result."""
    with cluster(options, name, 2) as one:
        source, result = one.folder / "in", one.folder / "out" / "part-00000.json"
        source.mkdir()
        submit(one, name, WORD_COUNT, {"format": "text", "path": source}, {"format": "json", "path": result.parent}, outputMode="complete")
        seconds = []
        with feeding(source, lambda number: f"key{number % 1000} tide\n"):
            wait_until(lambda: holds(result, "tide"), "the first result")
            for number in range(options.blows):
                time.sleep(1)
                began = time.perf_counter()
                strike(one, number)
                put(source, f"mark-{number}.txt", f"mark{number}\n")
                wait_until(lambda: holds(result, f'"mark{number}"'), f"mark {number}, see {one.folder}")
                seconds.append(time.perf_counter() - began)
        print(f"{name}: from SIGKILL to a later line in the committed result {measure.percentiles(seconds)}")


def strike_worker(one, number):
    name = random.choice(sorted(one.workers))
    process = one.workers.pop(name)
    process.kill()
    process.wait()
    one.add_worker(name)


def strike_driver(one, number):
    one.driver.kill()
    one.driver.wait()
    one.start_driver()


def commits(one):
    """Times of the driver's commits, in seconds."""
    found = re.findall(r"^\[\d+-\d+-\d+ (\d+):(\d+):([\d.]+)\].* epoch_committed ", (one.folder / "driver.log").read_text(), re.M)
    return [int(hour) * 3600 + int(minute) * 60 + float(second) for hour, minute, second in found]


def keys_file(path, count, seed):
    generator = random.Random(seed)
    path.write_text("".join(f"{generator.getrandbits(64):016x}\n" for _ in range(count)))


def rescale(options):
    with cluster(options, "rescale", 2) as one:
        source = one.folder / "in"
        source.mkdir()
        for number in range(10):
            keys_file(source / f"keys-{number}.txt", 100_000, number)
        submit(one, "rescale", KEYED_COUNT, {"format": "text", "path": source}, {"format": "noop"}, outputMode="update")
        wait_until(lambda: len(commits(one)) >= 1, "the keys")
        with feeding(source, lambda number: f"{number}\n"):
            time.sleep(2)
            for what in ("joins", "leaves"):
                before = len(commits(one))
                if what == "joins":
                    name = one.add_worker()
                else:
                    one.workers[name].send_signal(signal.SIGTERM)
                    one.workers.pop(name).wait(30)
                time.sleep(4)
                times = commits(one)[before - 1:]
                gaps = sorted(b - a for a, b in zip(times, times[1:]))
                print(f"rescale, 1 M keys: a worker {what}: longest time without a commit {gaps[-1] * 1000:.0f} ms, usual {gaps[len(gaps) // 2] * 1000:.0f} ms")


def slow(options):
    """Every row goes through the exchange; DISTINCT keys would hide growth of the exchange behind that of the state."""
    with cluster(options, "slow", 2) as one:
        source = one.folder / "in"
        source.mkdir()
        for number in range(20):
            keys_file(one.folder / f"keys-{number}", 200_000, number % 2)    # 0.4 M keys in all
        submit(one, "slow", KEYED_COUNT, {"format": "text", "path": source}, {"format": "noop"}, outputMode="update")

        def anonymous():
            return [process_tree.memory_of(process.pid)[0] for process in (one.driver, *one.workers.values())]
        for number in range(2):
            os.link(one.folder / f"keys-{number}", source / f"{number}.txt")
        wait_until(lambda: len(commits(one)) >= 1, "the keys")
        time.sleep(1)
        before, peak = anonymous(), [0, 0, 0]
        for number in range(2, 200):
            os.link(one.folder / f"keys-{number % 20}", one.folder / "next")
            (one.folder / "next").rename(source / f"{number}.txt")
        victim = list(one.workers.values())[1]
        time.sleep(0.3)
        victim.send_signal(signal.SIGSTOP)
        began, committed = time.monotonic(), len(commits(one))
        while time.monotonic() - began < 3:
            peak = [max(pair) for pair in zip(peak, anonymous())]
            time.sleep(0.01)
        victim.send_signal(signal.SIGCONT)
        wait_until(lambda: len(commits(one)) > committed, "the burst")
        peak = [max(pair) for pair in zip(peak, anonymous())]
        names = ("driver", "running worker", "stopped worker")
        print("slow: a burst of 39.6 M rows, a worker stopped for 3 s: anonymous MiB before > most: "
              + ", ".join(f"{name} {a:.0f} > {b:.0f}" for name, a, b in zip(names, before, peak)))


def burst(options):
    """50 files a second of 200 rows each, then 2,500 files of 20,000."""
    for target in ("200ms", "0"):
        with cluster(options, "burst", 2) as one:
            source = one.folder / "in"
            source.mkdir()
            keys_file(one.folder / "usual-0", 200, 0)
            for number in range(20):
                keys_file(one.folder / f"large-{number}", 20_000, number)

            def feed(kind, kinds, files, pause):
                began = time.monotonic()
                for number in range(files):
                    os.link(one.folder / f"{kind}-{number % kinds}", one.folder / "next")
                    (one.folder / "next").rename(source / f"{kind}-{number:05d}.txt")
                    time.sleep(max(0, began + pause * (number + 1) - time.monotonic()))
                    watch()

            def watch():
                now = [process_tree.memory_of(process.pid)[0] for process in (one.driver, *one.workers.values())]
                most[:] = [max(pair) for pair in zip(most, now)]
            most = [0, 0, 0]
            submit(one, "burst", KEYED_COUNT, {"format": "text", "path": source}, {"format": "noop"}, outputMode="update",
                   settings={"epoch.target_duration": target})
            feed("usual", 1, 100, pause=0.02)
            before, usual = list(most), len(commits(one))
            began = time.monotonic()
            feed("large", 20, 2500, pause=0)
            want = 100 * 200 + 2500 * 20_000

            def rows():
                return sum(map(int, re.findall(r" epoch_committed .*?\binput_rows=(\d+)", (one.folder / "driver.log").read_text())))
            while rows() < want:
                watch()
                time.sleep(0.02)
                if time.monotonic() - began > 60:
                    raise SystemExit(f"burst: {rows()} rows of {want} after 60 s: see {one.folder}")
            seconds = time.monotonic() - began
            times = commits(one)[usual - 1:]
            print(f"burst of 50 M rows at once, epoch.target_duration {target}: counted after {seconds:.1f} s, {len(times) - 1} epochs, commit to commit "
                  + measure.percentiles([b - a for a, b in zip(times, times[1:])])
                  + "; anonymous MiB before > most: " + ", ".join(f"{name} {a:.0f} > {b:.0f}" for name, a, b in zip(("driver", "worker", "worker"), before, most)))


def loopback():
    """Bytes and packets that have gone over the loopback device."""
    line = next(line for line in pathlib.Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    received = line.split(":")[1].split()
    return int(received[0]), int(received[1])


SCALING_RUNS = 3


def scaling(options):
    """Works of compare.py, and a keyed count, over workers of 1 slot, each on a core of its own: all their input is there when they start. The fastest of
    some runs counts."""
    keys = options.folder / "keys"
    if not (keys / ".ready").exists():
        keys.mkdir(parents=True, exist_ok=True)
        for number in range(10):
            generator = random.Random(number)
            (keys / f"{number}.txt").write_text("".join(f"{generator.randrange(1_000_000):016x}\n" for _ in range(400_000)))
        (keys / ".ready").touch()
    cases = [("keyed count, 1 M keys", KEYED_COUNT, {"input": {"format": "text", "path": str(keys)}}, "update", 4_000_000)]
    for name in ("w1", "w2", "w3"):
        work, data = WORKS[name], environment.data(options.folder, name, options.scale)
        sources = {source: {**spec, "path": str(data / spec["path"])} for source, spec in work.sources.items()}
        cases.append((name, work.query, sources, work.mode, int(work.rows * options.scale)))
    def run(workers, query, sources, mode):
        with cluster(options, f"scaling-{workers}", workers, has_cores=True) as one:
            driver = process_tree.cpu_of(one.driver.pid)
            before, began = loopback(), time.perf_counter()
            submit_sources(one, "scaling", query, sources, {"format": "noop"}, "--wait", outputMode=mode, trigger="available-now")
            seconds = time.perf_counter() - began
            sent, packets = (after - earlier for after, earlier in zip(loopback(), before))
            driver = process_tree.cpu_of(one.driver.pid) - driver
            cpu = sum(process_tree.cpu_of(process.pid) for process in one.workers.values())
            return seconds, cpu, driver, sent, packets, len(commits(one))
    for what, query, sources, mode, rows in cases:
        alone = None
        for workers in range(1, len(os.sched_getaffinity(0)) + 1):
            seconds, cpu, driver, sent, packets, epochs = min(run(workers, query, sources, mode) for _ in range(SCALING_RUNS))
            alone = alone or seconds
            print(f"{what}: {workers} workers of 1 slot: {seconds:.2f} s, {rows / seconds / 1e6:.2f} M rows/s, {alone / seconds:.2f} times one; {epochs} epochs; "
                  f"CPU s: workers {cpu:.2f}, driver {driver:.2f}; loopback: {sent / rows:.1f} bytes a row, {packets / epochs:.0f} packets an epoch", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("what", nargs="*", default=["disk", "idle", "epoch", "worker", "driver", "rescale", "slow", "burst", "scaling"])
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=205)
    parser.add_argument("--blows", type=int, default=10)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    options.runs, options.slots = 1, 0
    parts = {"disk": measure.Bench(options).disk, "idle": lambda: idle(options), "epoch": lambda: epoch(options),
             "worker": lambda: recovery(options, "worker", strike_worker), "driver": lambda: recovery(options, "driver", strike_driver),
             "fanout": lambda: fanout(options), "rescale": lambda: rescale(options), "slow": lambda: slow(options),
             "burst": lambda: burst(options), "scaling": lambda: scaling(options)}
    for what in options.what:
        parts[what]()


if __name__ == "__main__":
    main()
