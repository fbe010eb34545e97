"""Sources as their users see them: limits and order of file sources, the socket, the rate sources,
triggers, and the two ways to stop.

usage: sources.py TIDEMILL [--seed N]
"""
import os
import signal
import socket
import time

from harness import CORRUPT, OK, Engine, arguments, check, console_batches, job, main, publish, scratch, until

CONSOLE = {"format": "console", "options": {"style": "json"}}


def batches_of(engine, name, source, query="SELECT value FROM input", trigger="available-now", output="append"):
    spec = engine.write(name + ".yaml", job(query, source, CONSOLE, output=output, trigger=trigger))
    process = engine.run(spec).expect(OK, 30)
    return {batch: [row.get("value") for row in rows] for batch, rows in console_batches(process.stdout).items()}


def file_limits(engine):
    folder = engine.folder / "files"
    folder.mkdir()
    for i, text in enumerate(("a\n" * 50, "b\n" * 50, "c\n", "d\n")):
        publish(folder, f"{i}.txt", text)
        os.utime(folder / f"{i}.txt", (1_700_000_000 + i,) * 2)
    publish(folder, "_hidden.txt", "hidden\n")
    (folder / ".dot.txt").write_text("hidden\n")

    def heads(**options):
        batches = batches_of(engine, "limits", {"format": "text", "path": options.pop("path", folder), "options": options})
        return ["".join(sorted(set(rows))) for _, rows in sorted(batches.items())]

    check(heads() == ["abcd"], f"without a limit: {heads()}")
    check(heads(maxFilesPerTrigger=1) == ["a", "b", "c", "d"], f"one file: {heads(maxFilesPerTrigger=1)}")
    check(heads(maxFilesPerTrigger=3) == ["abc", "d"], f"three files: {heads(maxFilesPerTrigger=3)}")
    check(heads(maxBytesPerTrigger=101) == ["a", "bc", "d"] or heads(maxBytesPerTrigger=101) == ["a", "b", "cd"] or
          heads(maxBytesPerTrigger=101) == ["a", "b", "c", "d"], f"bytes: {heads(maxBytesPerTrigger=101)}")
    check(heads(maxFilesPerTrigger=1, latestFirst="true") == ["d", "c", "b", "a"], "latest first")
    check(heads(path=folder / "[ab0-1]*.txt") == ["ab"], f"glob: {heads(path=folder / '[ab0-1]*.txt')}")
    check(heads(pathGlobFilter="*2.txt") == ["c"], "pathGlobFilter")


def growing_directory(engine):
    """New files are read as they come, each once; a second run on the checkpoint reads only new ones."""
    folder = engine.folder / "growing"
    folder.mkdir()
    publish(folder, "1.txt", "one\n")
    source = {"format": "text", "path": folder}
    spec = engine.write("growing.yaml", job("SELECT value FROM input", source, CONSOLE, checkpoint=engine.folder / "growing-checkpoint"))
    for words in (("one", "two", "three"), ("four", "five")):
        process = engine.run(spec)
        for i, word in enumerate(words):
            if word != "one":
                publish(folder, f"{word}.txt", word + "\n")
            until(lambda: len(console_batches(process.stdout)) == i + 1, 20, f"micro-batch for {word}: {process.stdout}")
        process.stop()
        rows = [row["value"] for _, batch in sorted(console_batches(process.stdout).items()) for row in batch]
        check(rows == list(words), f"rows {rows}, not {words}")


def socket_lines(engine):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        source = {"format": "socket", "options": {"host": "127.0.0.1", "port": server.getsockname()[1], "includeTimestamp": True}}
        spec = engine.write("socket.yaml", job("SELECT value, timestamp FROM input", source, CONSOLE))
        process = engine.run(spec)
        client, _ = server.accept()
        want = []
        for i in range(300):
            client.sendall(f"line {i}\n".encode())
            want.append(f"line {i}")

        def rows():
            return [row for _, batch in sorted(console_batches(process.stdout).items()) for row in batch]
        until(lambda: len(rows()) >= len(want), 20, "all lines of the socket")
        check([row["value"] for row in rows()] == want, "lines of the socket lost, doubled or out of order")
        check(all("timestamp" in row for row in rows()), "rows of the socket without a timestamp")
        process.stop()
        client.close()


def rate_micro_batch(engine):
    source = {"format": "rate-micro-batch", "options": {"rowsPerBatch": 5, "startTimestamp": 1000, "advanceMillisPerBatch": 100}}
    spec = engine.write("rate.yaml", job("SELECT value, timestamp FROM input", source, CONSOLE, trigger={"processingTime": "100 milliseconds"}))
    process = engine.run(spec)
    until(lambda: len(console_batches(process.stdout)) >= 3, 20, "three micro-batches of rate-micro-batch")
    process.stop()
    batches = console_batches(process.stdout)
    for batch in range(3):
        got = sorted((row["value"], row["timestamp"]) for row in batches[batch])
        stamp = f"1970-01-01T00:00:{(1000 + 100 * batch) / 1000:06.3f}Z"
        check(got == [(batch * 5 + i, stamp) for i in range(5)], f"rate-micro-batch {batch}: {got}")


def rate(engine):
    spec = engine.write("rate.yaml", job("SELECT value FROM input", {"format": "rate", "options": {"rowsPerSecond": 50}}, CONSOLE,
                                         trigger={"processingTime": "200 milliseconds"}))
    process = engine.run(spec)

    def values():
        return sorted(row["value"] for batch in console_batches(process.stdout).values() for row in batch)
    until(lambda: len(values()) >= 60, 20, "sixty rows of rate")
    process.stop()
    check(values() == list(range(len(values()))), "rate: values with gaps or twice")


def processing_time(engine):
    """Micro-batches begin at multiples of the interval."""
    folder = engine.folder / "timed"
    folder.mkdir()
    spec = engine.write("timed.yaml", job("SELECT value, current_timestamp() AS at FROM input", {"format": "text", "path": folder}, CONSOLE,
                                          trigger={"processingTime": "500 milliseconds"}))
    publish(folder, "0.txt", "0\n")
    process = engine.run(spec)
    for i in range(1, 4):
        until(lambda: len(console_batches(process.stdout)) == i, 20, f"micro-batch {i}")
        publish(folder, f"{i}.txt", f"{i}\n")
    until(lambda: len(console_batches(process.stdout)) == 4, 20, "micro-batch 4")
    process.stop()
    stamps = [float(rows[0]["at"][17:-1]) for _, rows in sorted(console_batches(process.stdout).items())]
    late = [stamp % 0.5 for stamp in stamps[1:]]
    check(all(part < 0.25 for part in late), f"micro-batches do not begin at multiples of 0.5 s: {stamps}")


def once(engine):
    folder = engine.folder / "files"
    batches = batches_of(engine, "once", {"format": "text", "path": folder, "options": {"maxFilesPerTrigger": 1}}, trigger="once")
    check(list(batches) == [0] and set(batches[0]) == set("abcd"), f"once reads everything in one micro-batch: {batches.keys()}")


def time_to_live(engine):
    """A key that has not changed for state.ttl begins anew, also across a restart; others go on."""
    folder = engine.folder / "living"
    folder.mkdir()
    spec = engine.write("living.yaml", job("SELECT value, count(*) AS n FROM input GROUP BY value", {"format": "text", "path": folder}, CONSOLE,
                                           output="update", checkpoint=engine.folder / "living-checkpoint"))
    shown = []

    def feed(process, name, *words):
        publish(folder, f"{name}.txt", "".join(word + "\n" for word in words))
        before = len(console_batches(process.stdout))
        until(lambda: len(console_batches(process.stdout)) > before, 20, f"micro-batch of {name}")
        _, rows = max(console_batches(process.stdout).items())
        shown.append({row["value"]: row["n"] for row in rows})
    process = engine.run(spec, "--conf", "state.ttl=3s")
    feed(process, "0", "old", "kept")
    time.sleep(1.5)
    feed(process, "1", "kept")
    process.stop()
    time.sleep(1.7)
    process = engine.run(spec, "--conf", "state.ttl=3s")
    feed(process, "2", "old", "kept")
    process.stop()
    check(shown == [{"old": 1, "kept": 1}, {"kept": 2}, {"old": 1, "kept": 3}], f"counts with state.ttl: {shown}")
    refused = engine.run(spec).expect(CORRUPT, 20)
    check("with state.ttl" in refused.stderr, f"a checkpoint with state.ttl goes on without it: {refused.stderr}")


def stopping(engine):
    """The first Ctrl-C ends the epoch, the second ends the process."""
    folder = engine.folder / "files"
    spec = engine.write("stopping.yaml", job("SELECT value FROM input", {"format": "text", "path": folder}, CONSOLE))
    for number in (signal.SIGINT, signal.SIGTERM):
        process = engine.run(spec)
        until(lambda: console_batches(process.stdout), 20, "first micro-batch")
        began = time.monotonic()
        process.send(number)
        process.expect(OK, 20)
        check(time.monotonic() - began < 5, "stopping takes longer than 5 s")
        process = engine.run(spec)
        until(lambda: console_batches(process.stdout), 20, "first micro-batch")
        process.send(number)
        process.send(number)
        process.expect((OK, 128 + number), 20)   # the first may have ended it already


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        engine = Engine(options.binary, folder, "--slots", "2")
        for case in (file_limits, growing_directory, socket_lines, rate_micro_batch, rate, processing_time, once, time_to_live, stopping):
            case(engine)
            print(case.__name__, flush=True)


if __name__ == "__main__":
    main(test)
