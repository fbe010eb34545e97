"""Runs the examples of conf/ in a copy of it and compares what they print and write.

usage: examples.py TIDEMILL
"""
import collections
import json
import re
import shutil
import signal
import socket
from datetime import datetime, timedelta

from harness import OK, ROOT, Engine, arguments, check, main, scratch, sink_rows, until

WORD_COUNT = """\
-------------------------------------------
Batch: 0
-------------------------------------------
+-----+-----+
| word|count|
+-----+-----+
|comes|    1|
|fills|    1|
| gate|    1|
|   in|    1|
|   is|    1|
| mill|    1|
| pond|    1|
| shut|    1|
|  the|    3|
| tide|    1|
+-----+-----+

-------------------------------------------
Batch: 1
-------------------------------------------
+------+-----+
|  word|count|
+------+-----+
| comes|    1|
| fills|    1|
|  full|    1|
|  gate|    1|
|    in|    1|
|    is|    2|
|  mill|    1|
|miller|    1|
|  pond|    2|
|  shut|    1|
|   the|    6|
|  tide|    2|
| turns|    1|
| waits|    1|
+------+-----+

-------------------------------------------
Batch: 2
-------------------------------------------
+------+-----+
|  word|count|
+------+-----+
|   and|    1|
| comes|    1|
| falls|    1|
| fills|    1|
|  full|    1|
|  gate|    2|
|    in|    1|
|    is|    3|
| lifts|    1|
|  mill|    2|
|miller|    2|
|   out|    1|
|  pond|    3|
|  shut|    1|
|   the|   11|
|  tide|    3|
| turns|    2|
| waits|    1|
+------+-----+

"""


def sorted_tables(text):
    """Sorts the rows of each bordered table by their first cell: the order of groups is not promised."""
    return re.sub(r"(?:^\|.*\n)+", lambda rows: "".join(sorted(rows.group(0).splitlines(True), key=lambda row: row.split("|")[1].strip())),
                  text, flags=re.M)


def word_count(engine):
    for flags in ((), ("--workers", "2", "--slots", "2")):
        process = engine.run("conf/examples/word_count.yaml", *flags).expect(OK, 30)
        check(sorted_tables(process.stdout) == sorted_tables(WORD_COUNT), f"word_count prints something else: {process.stdout}")


def user_log_count(engine):
    counts, last = {}, {}
    for path in sorted((ROOT / "conf/examples/data/user_log").glob("*.json")):
        for record in map(json.loads, path.read_text().splitlines()):
            counts[record["user"]] = counts.get(record["user"], 0) + 1
            last[record["user"]] = max(last.get(record["user"], ""), record["ts"])
    want = [{"user": user, "actions": counts[user], "last_seen": last[user]} for user in sorted(counts)]
    for _ in range(2):   # the second run finds nothing new and leaves the result
        engine.run("conf/examples/user_log_count.yaml").expect(OK, 30)
        got = sorted(sink_rows(engine.folder / "out/user_log_count"), key=lambda row: row["user"])
        check(got == want, f"user_log_count: {got}, not {want}")
    names = sorted(path.name for path in (engine.folder / "out/user_log_count").iterdir() if path.suffix == ".json")
    check(names == ["part-00000.json"], f"user_log_count leaves {names}")


def actions_per_hour(engine):
    records = [record for path in (ROOT / "conf/examples/data/user_log").glob("*.json") for record in map(json.loads, path.read_text().splitlines())]
    times = [datetime.fromisoformat(record["ts"]) for record in records]
    watermark = max(times) - timedelta(minutes=10)
    hours = [time.replace(minute=0, second=0, microsecond=0) for time in times]
    counts = collections.Counter((hour, record["action"]) for hour, record in zip(hours, records) if hour + timedelta(hours=1) <= watermark)
    for _ in range(2):   # the second run has nothing to add
        engine.run("conf/examples/actions_per_hour.sql").expect(OK, 30)
        rows = sink_rows(engine.folder / "out/actions_per_hour")
        got = {(datetime.fromisoformat(row["hour"]), row["action"]): row["actions"] for row in rows}
        check(got == counts and len(rows) == len(got) > 0, f"actions_per_hour: {got}, not {counts}")


def orders(engine):
    process = engine.start("sql", "conf/examples/orders.sql", "-o", "json").expect(OK, 30)
    want = (ROOT / "tests/cluster/answers/orders.json").read_text()   # Spark's: tests/oracle/record.sh --script
    check(process.stdout == want, f"orders prints something else: {process.stdout}")


def socket_word_count(engine):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        text = (ROOT / "conf/examples/socket_word_count.yaml").read_text()
        check("port: 9999" in text, "socket_word_count.yaml names another port")
        spec = engine.write("socket.yaml", text.replace("port: 9999", f"port: {server.getsockname()[1]}"))
        process = engine.run(spec)
        client, _ = server.accept()
        client.sendall("to be or not to be\n".encode())
        until(lambda: "|  be|    2|" in process.stdout, 20, "socket_word_count prints the first line's words")
        client.sendall("be\n".encode())
        until(lambda: "|  be|    3|" in process.stdout, 20, "socket_word_count prints the second line's words")
        process.send(signal.SIGINT)
        process.expect(OK, 20)
        client.close()


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        shutil.copytree(ROOT / "conf", folder / "conf")
        engine = Engine(options.binary, folder)
        for example in (word_count, user_log_count, actions_per_hour, orders, socket_word_count):
            example(engine)
            print(example.__name__, flush=True)


if __name__ == "__main__":
    main(test)
