"""Sends to every port of a running cluster what no client of ours sends: garbage, huge frames, HTTP/1,
a wrong build, streams that say nothing, clients that never read, many connections. Afterwards the job
runs, no process has grown or ended, and the driver's log says that something was refused.

usage: hostile.py TIDEMILL [--long] [--seed N]
"""
import contextlib
import pathlib
import random
import re
import socket

from cluster_harness import Cluster, Jobs
from harness import PATIENCE, arguments, check, main, scratch, until
from http2_client import DATA, HEADERS, PING, PREFACE, SETTINGS, Client, field, frame

CONTROL, EXCHANGE, LIST_JOBS = "/tidemill.Control/Serve", "/tidemill.Exchange/Serve", "/tidemill.proto.Driver/ListJobs"
GROWN_KB = 6 * 1024       # not measured under sanitizers, which keep freed memory


def raw(port, data, seconds=0.3):
    """Sends bytes as they are; returns what comes back until the other side hangs up."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as one:
        with contextlib.suppress(OSError):
            one.sendall(data)
        one.settimeout(seconds)
        said = b""
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                said += data
        return said
    return b""


@contextlib.contextmanager
def client(port, **flags):
    """What the server does to the connection in the middle is not an error of the test."""
    one = Client(port, **flags)
    try:
        with contextlib.suppress(OSError):
            yield one
    finally:
        one.close()


def garbage(port, generator):
    raw(port, generator.randbytes(100_000))
    raw(port, b"\0" * 100_000)
    raw(port, b"")


def http1(port, generator):
    raw(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    raw(port, b"POST /tidemill.Control/Serve HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100_000)
    raw(port, b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\n\r\n")


def broken_http2(port, generator):
    raw(port, PREFACE + generator.randbytes(100_000))
    raw(port, PREFACE + frame(SETTINGS, 0, 0, b"") + frame(DATA, 0, 1, b"x" * 100_000, length=0xffffff))
    raw(port, PREFACE + frame(SETTINGS, 0, 0, b"") + frame(HEADERS, 4, 1, b"\xff" * 5_000))
    raw(port, PREFACE + frame(SETTINGS, 0, 0, b"") + frame(PING, 0, 0, b"12345678") * 10_000, 0.1)   # stays open


def huge_message(port, generator):
    for path in (CONTROL, EXCHANGE, LIST_JOBS):
        with client(port) as one:
            one.message(one.open(path), b"x" * 10_000, length=0x7fffffff)
            one.read_until_closed(0.2)


def not_protobuf(port, generator):
    for path in (CONTROL, EXCHANGE, LIST_JOBS):
        with client(port) as one:
            stream = one.open(path)
            one.message(stream, b"\xff" * 100)
            one.message(stream, generator.randbytes(10_000))
            one.read_until_closed(0.2)


def unknown_method(port, generator):
    with client(port) as one:
        one.message(one.open("/tidemill.Control/Other"), b"")
        one.read_until_closed(0.2)


def wrong_build(port, generator):
    with client(port) as one:
        register = field(1, "hostile") + field(2, "another") + field(3, 64) + field(4, "127.0.0.1:1") + field(5, "0.0.0")
        one.message(one.open(CONTROL), field(1, "hostile") + field(2, "another") + field(3, register))
        one.read_until_closed(0.2)


def job_message_first(port, generator):
    with client(port) as one:
        one.message(one.open(CONTROL), field(1, "w1") + field(2, "another") + field(9, "some job") + field(5, b""))
        one.read_until_closed(0.2)


def many_connections(port, generator, count=300):
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))


ATTACKS = (garbage, http1, broken_http2, huge_message, not_protobuf, unknown_method, wrong_build, job_message_first, many_connections)


class Silent:
    """Clients that stay, open streams and never read."""

    def __init__(self, ports):
        self.clients = []
        for port in ports:
            for window in (None, 0):
                with contextlib.suppress(OSError):
                    one = Client(port, window)
                    self.clients.append(one)
                    for _ in range(20):
                        one.open(CONTROL)
                        one.message(one.open(EXCHANGE), b"\0" * 100)
                        one.message(one.open(LIST_JOBS), b"")

    def close(self):
        for one in self.clients:
            one.close()


def anonymous_kb(process):
    status = pathlib.Path(f"/proc/{process.child.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M).group(1))


def warnings(process):
    return sum("[warning]" in line for line in process.stderr.splitlines())


def attack(cluster, ports, generator):
    for one in ATTACKS:
        for port in ports:
            one(port, generator)
        cluster.check_running()
        print(one.__name__, flush=True)
    silent = Silent(ports)
    return silent


def test():
    options = arguments(__doc__)
    generator = random.Random(options.seed)
    with scratch(options.keep) as folder:
        cluster = Cluster(options.binary, folder)
        cluster.start_driver()
        for name in ("w1", "w2"):
            cluster.start_worker(name)
        cluster.wait_for_workers()
        jobs = Jobs(cluster, generator, pause=0.2)
        jobs.wait_until_caught_up()
        exchanges = [int(one["exchange"].rsplit(":", 1)[1]) for one in cluster.get("/api/v1/workers")["workers"]]
        ports = [cluster.listen, cluster.http, *exchanges]
        processes = {"driver": cluster.driver, **cluster.workers}

        attack(cluster, ports, generator).close()      # the first time, buffers and threads are made
        jobs.wait_until_caught_up()
        jobs.feeder.set(is_paused=True)                # so that state does not grow meanwhile
        before = {name: anonymous_kb(process) for name, process in processes.items()}
        logged = {name: warnings(process) for name, process in processes.items()}
        for _ in range(10 if options.long else 1):
            silent = attack(cluster, ports, generator)
            jobs.input.add_file()
            jobs.wait_until_caught_up()
            silent.close()
        until(lambda: "hostile" not in cluster.alive(), 10, "no worker of another build")

        for name, process in processes.items():
            grown = anonymous_kb(process) - before[name]
            print(f"{name}: {before[name]} kB anonymous, grown by {grown} kB, {warnings(process) - logged[name]} warnings")
            check(grown < GROWN_KB or PATIENCE > 1, f"{name} has grown by {grown} kB")
            check(warnings(process) > logged[name], f"{name} logs no refusal: {process.describe()}")
        jobs.finish()
        cluster.stop()


if __name__ == "__main__":
    main(test)
