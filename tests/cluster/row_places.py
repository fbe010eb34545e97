"""An error of an expression, or a record that a reader refuses, names the expression with a caret and where the
row stands in its source, whatever filters and generators made of the row: in one process and in a cluster.
Behind an exchange it names the operator and the key group.

usage: row_places.py TIDEMILL [--seed N]
"""
import dataclasses
import gzip
import json
import re
import socket

from cluster_harness import Cluster
from errors import underlined
from harness import INVALID, JOB_FAILED, OK, Engine, arguments, check, main, publish, scratch

LINES = 40_000     # of the file that holds the bad row: several batches and chunks
BAD = 31_337       # its line
SPLITS = ("--conf", "source.split_bytes=64k")

# Filters before and behind the explode: the row of the error is not the row of the source.
PARTS = ("SELECT 10 / CAST(part AS INT) AS q\n"
         "FROM (SELECT explode(split({text}, ' ')) AS part FROM input WHERE {text} NOT LIKE '%skipped%')\n"
         "WHERE part <> 'ignored'")
CASTS = PARTS.format(text="text")


def texts():
    return ["5 x7 8" if number == BAD else "1 skipped" if number % 3 == 0 else f"{number} ignored {number + 1}"
            for number in range(1, LINES + 1)]


@dataclasses.dataclass
class Case:
    name: str
    source: dict
    query: str
    error: str
    at: str            # pattern of the place
    caret: str = ""    # the text that is underlined; "" where the error is a record's
    code: int = JOB_FAILED


def source_of(folder, fmt, suffix, contents, schema=None, **options):
    """A directory with three files, the second of which holds the contents."""
    directory = folder / f"in-{fmt}-{suffix.replace('.', '-')}"
    directory.mkdir()
    for name, part in (("1", contents(["1", "2"])), ("2", contents(texts())), ("3", contents(["3"]))):
        path = directory / f".{name}{suffix}"
        path.write_bytes(gzip.compress(part.encode()) if suffix.endswith(".gz") else part.encode())
        path.rename(directory / f"{name}{suffix}")
    source = {"format": fmt, "path": str(directory), "options": {key: str(value) for key, value in options.items()}}
    if schema:
        source["schema"] = schema
    return source, re.escape(str(directory / f"2{suffix}"))


def json_lines(rows):
    """With a blank line in front: lines are counted, not records."""
    return "\n" + "".join(json.dumps({"text": row}) + "\n" for row in rows)


def cases(engine, folder):
    cast = {"error": "CAST_INVALID_INPUT", "caret": "CAST(part AS INT)"}
    text, path = source_of(folder, "text", ".txt", lambda rows: "\n".join(rows) + "\n")
    yield Case("text", text, PARTS.format(text="value"), at=f"{path}:{BAD}", **cast)
    packed, path = source_of(folder, "text", ".txt.gz", lambda rows: "\r\n".join(rows))
    yield Case("compressed text", packed, PARTS.format(text="value"), at=f"{path}:{BAD}", **cast)
    rows, path = source_of(folder, "json", ".json", json_lines, "text STRING")
    yield Case("json", rows, CASTS, at=f"{path}:{BAD + 1}", **cast)
    rows, path = source_of(folder, "csv", ".csv", lambda rows: "text\n#\n" + "\n".join(rows), "text STRING", header="true", comment="#")
    yield Case("csv", rows, CASTS, at=f"{path}:{BAD + 2}", **cast)
    rows, path = source_of(folder, "csv", ".multi.csv", lambda rows: '"1\n2"\n' + "\n".join(rows), "text STRING", multiLine="true")
    yield Case("csv of several lines", rows, CASTS.replace("WHERE text", "WHERE text NOT LIKE '1\\n2' AND text"),
               at=f"{path}:{BAD + 2}", **cast)

    # The same rows as Parquet and ORC.
    for fmt in ("parquet", "orc"):
        directory = folder / f"in-{fmt}"
        engine.write("copy.yaml", spec_text({**text, "schema": None}, "SELECT value AS text FROM input", {"format": fmt, "path": str(directory)}))
        engine.run("copy.yaml").expect(OK, 60)
        columns = {"format": fmt, "path": str(directory), "schema": "text STRING"}
        yield Case(fmt, columns, CASTS, at=rf"{re.escape(str(directory))}/part-\S*\.{fmt}, row \d+", **cast)

    bad = folder / "in-bad"
    bad.mkdir()
    publish(bad, "1.json", '{"a":1,"k":"x"}\n{"a":2,"k":"x"}\n\n{"a":tru\n')
    publish(bad, "1.csv", "1,x\n2,x\n#\nz,x\n")
    for fmt, line in (("json", 4), ("csv", 4)):
        source = {"format": fmt, "path": str(bad), "schema": "a INT, k STRING",
                  "options": {"mode": "FAILFAST", "comment": "#", "pathGlobFilter": "*." + fmt} if fmt == "csv" else
                             {"mode": "FAILFAST", "pathGlobFilter": "*." + fmt}}
        yield Case(f"bad record of {fmt}", source, "SELECT a, k FROM input", "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                   at=re.escape(f"{bad}/1.{fmt}:{line}"))

    rate = {"format": "rate-micro-batch", "options": {"rowsPerBatch": "50000", "numPartitions": "3"}}
    ordered = {"format": "rate-micro-batch", "options": {"rowsPerBatch": "50000", "numPartitions": "1"}}   # the first bad row is the one that is found
    yield Case("rate", rate, "SELECT 1 / (value - 31337) AS q FROM input WHERE value % 2 = 1", "DIVIDE_BY_ZERO",
               at="rate source, value 31337", caret="1 / (value - 31337)")
    yield Case("an array's index", ordered, "SELECT array(1, 2)[CAST(value AS INT)] AS q FROM input", "INVALID_ARRAY_INDEX",
               at="rate source, value 2", caret="array(1, 2)[CAST(value AS INT)]")
    yield Case("overflow in a filter", ordered, "SELECT value FROM input WHERE CAST(value AS INT) * 100000 < 0", "ARITHMETIC_OVERFLOW",
               at="rate source, value 21475", caret="CAST(value AS INT) * 100000")

    # Behind an exchange rows are many.
    keyed = {"format": "rate-micro-batch", "options": {"rowsPerBatch": "100"}}
    yield Case("above an aggregation", keyed, "SELECT value % 7 AS k, 1 / (count(*) - 14) AS q FROM input GROUP BY value % 7",
               "DIVIDE_BY_ZERO", at=r"Project of stage 1, key group \d+", caret="1 / (count(*) - 14)")
    yield Case("an argument of an aggregate", keyed, "SELECT value % 7 AS k, sum(1 / (value - 33)) AS q FROM input GROUP BY value % 7",
               "DIVIDE_BY_ZERO", at="rate source, value 33", caret="1 / (value - 33)")
    yield Case("a sum that overflows", keyed,
               "SELECT value % 2 AS k, sum(value + 9000000000000000000) AS q FROM input GROUP BY value % 2",
               "ARITHMETIC_OVERFLOW", at=r"(PartialAggregate of stage 0|FinalAggregate of stage 1, key group.*)",
               caret="sum(value + 9000000000000000000)")


def spec_text(source, query, sink=None, output="append"):
    lines = ["sources:", "  input:", *(f"    {key}: {json.dumps(value)}" for key, value in source.items() if value is not None),
             "query: |", *("  " + line for line in query.splitlines()),
             f"sink: {json.dumps(sink or {'format': 'noop'})}", f"outputMode: {output}", "trigger: available-now"]
    return "\n".join(lines) + "\n"


def judge(case, process):
    says = [f"error[{case.error}]: ", " SQLSTATE: "]
    missing = [text for text in says if text not in process.stderr]
    check(not missing, f"{case.name}: stderr does not say {missing}: {process.describe()}")
    check(re.search(rf"^\s+= at: {case.at}$", process.stderr, re.M), f"{case.name}: not at {case.at}: {process.describe()}")
    check(underlined(process.stderr) == case.caret,
          f"{case.name}: the caret is under {underlined(process.stderr)!r}: {process.describe()}")
    check(not case.caret or "job.yaml:" in process.stderr, f"{case.name}: no place in the job: {process.describe()}")


def socket_line(engine):
    """The lines of a socket are counted from the job's first one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        port = server.getsockname()[1]
        source = {"format": "socket", "options": {"host": "127.0.0.1", "port": str(port)}}
        engine.write("job.yaml", spec_text(source, "SELECT CAST(value AS INT) AS q FROM input WHERE value <> 'skipped'")
                     .replace("trigger: available-now\n", ""))
        process = engine.start("run", "job.yaml", "--workers", "1", "--slots", "1")
        client, _ = server.accept()
        with client:
            client.sendall(b"1\nskipped\nskipped\n4\nfive\n6\n")
            process.expect(JOB_FAILED, 30)
        judge(Case("socket", {}, "", "CAST_INVALID_INPUT", at=f"socket 127.0.0.1:{port}, line 5", caret="CAST(value AS INT)"), process)


def bounded_query(engine):
    engine.write("query.sql", "SELECT CAST(x AS INT) AS n FROM VALUES ('1'), ('2'), ('three') AS t(x)")
    process = engine.start("sql", "query.sql").expect(JOB_FAILED, 20)
    check("= at: VALUES, row 3\n" in process.stderr, f"VALUES: {process.describe()}")
    check(underlined(process.stderr) == "CAST(x AS INT)", f"VALUES: {process.describe()}")
    process = engine.start("sql", "SELECT 1 / 0").expect(JOB_FAILED, 20)
    check("= at:" not in process.stderr, f"the only row has no number: {process.describe()}")
    process = engine.start("sql", "SELECT nothing").expect(INVALID, 20)
    check("SQLSTATE: 42703" in process.stderr and "= at:" not in process.stderr, f"an unknown column: {process.describe()}")


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        engine = Engine(options.binary, folder, "--workers", "1", "--slots", "2", *SPLITS)
        all_cases = list(cases(engine, folder))
        for case in all_cases:
            output = "complete" if "GROUP BY" in case.query else "append"
            engine.write("job.yaml", spec_text(case.source, case.query, output=output))
            judge(case, engine.run("job.yaml").expect(case.code, 60))
        socket_line(engine)
        bounded_query(engine)
        print(f"{len(all_cases)} errors in one process", flush=True)

        cluster = Cluster(options.binary, folder)
        cluster.start_driver()
        for name in ("w1", "w2"):
            cluster.start_worker(name)
        cluster.wait_for_workers()
        for number, case in enumerate(all_cases):
            output = "complete" if "GROUP BY" in case.query else "append"
            engine.write("job.yaml", spec_text(case.source, case.query, output=output))
            process = cluster.client("submit", "job.yaml", "--name", f"job{number}", "--wait", *SPLITS, codes=case.code, seconds=60)
            judge(case, process)
            error = cluster.get(f"/api/v1/jobs/job{number}")["error"]
            check(re.fullmatch(case.at, error["place"]), f"{case.name}: place over HTTP: {error}")
            check(re.fullmatch("[0-9A-Z]{5}", error["sqlState"]), f"{case.name}: SQLSTATE over HTTP: {error}")
            check(("location" in error) == bool(case.caret), f"{case.name}: location over HTTP: {error}")
            check("\n" not in error["message"], f"{case.name}: message over HTTP: {error}")
        status = cluster.client("status", "job0").stdout
        check(f":{BAD}" in status and "SQLSTATE" in status, f"status does not tell: {status}")
        cluster.check_running()
        cluster.stop()
        print(f"{len(all_cases)} errors in a cluster", flush=True)


if __name__ == "__main__":
    main(test)
