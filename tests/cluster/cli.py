"""A cluster of real processes from the command line: cluster up, submit, ps, status, workers, stop,
sql, cluster down; outputs and exit codes.

usage: cli.py TIDEMILL
"""
import json
import os
import signal
import socket

from harness import (CONFLICT, INVALID, NOT_FOUND, OK, USAGE, Engine, arguments, check, console_batches, job, main,
                     publish, scratch, until)

CANNOT_CONNECT = 4
COUNT_WORDS = "SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS word FROM input) GROUP BY word"


class Commands:
    """The command line over one root, which also holds the jobs and their input."""

    def __init__(self, engine):
        self.engine = engine
        self.root = engine.folder / "root"
        self.env = {"TIDEMILL_ROOT": str(self.root), "TIDEMILL_DRIVER": ""}
        self.source = engine.folder / "in"
        self.source.mkdir()

    def start(self, *words, env=None):
        return self.engine.start(*words, env={**self.env, **(env or {})})

    def run(self, *words, code=OK, seconds=40, env=None):
        return self.start(*words, env=env).expect(code, seconds)

    def json(self, *words):
        return json.loads(self.run(*words, "-o", "json").stdout)

    def refused(self, code, says, *words, env=None):
        process = self.run(*words, code=code, env=env)
        for text in (says,) if isinstance(says, str) else says:
            check(text in process.stderr, f"does not say '{text}': {process.describe()}")
        check(process.stdout == "", f"prints data with an error: {process.describe()}")

    def cluster(self):
        return self.json("cluster", "status")

    def spec(self, name, sink, **more):
        return self.engine.write(f"{name}.yaml", job(COUNT_WORDS, {"format": "text", "path": "in"}, sink, name=name, **more))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def without_a_cluster(commands):
    address = f"127.0.0.1:{free_port()}"
    for words in (("ps",), ("status", "x"), ("stop", "x"), ("workers",)):
        commands.refused(CANNOT_CONNECT, (address, "--driver"), *words, "--driver", address)
    commands.refused(CANNOT_CONNECT, (address, "TIDEMILL_DRIVER"), "ps", env={"TIDEMILL_DRIVER": address})
    commands.refused(USAGE, "INVALID_ADDRESS", "ps", "--driver", "nowhere")
    commands.refused(USAGE, "tidemill://", "ps", "--master", "yarn")
    commands.refused(NOT_FOUND, "cluster up", "cluster", "status")
    elsewhere = commands.engine.folder / "elsewhere"
    commands.refused(NOT_FOUND, f"root={elsewhere}", "cluster", "status", "--root", elsewhere)   # the flag wins over the variable
    check(commands.run("sql", "SHOW FUNCTIONS LIKE 'abs'", "-o", "json").stdout == '{"function":"abs"}\n', "sql needs no driver")
    explained = commands.run("sql", "EXPLAIN SELECT id + 1 AS a FROM range(3)", "-o", "csv").stdout
    check("== Stages ==" in explained and "Project" in explained, f"EXPLAIN shows the plan, not {explained}")
    hinted = commands.run("sql", "SELECT /*+ NOSUCH(t) */ 1 AS a", "-o", "json")
    check((hinted.stdout, "NOSUCH" in hinted.stderr) == ('{"a":1}\n', True), "an unknown hint is told and ignored")
    check("no cluster" in commands.run("cluster", "down").stderr, "down without a cluster says so")
    spec = commands.spec("unsent", {"format": "memory"}, output="complete")
    commands.refused(CANNOT_CONNECT, address, "submit", spec, "--driver", address)
    broken = commands.engine.write("broken.yaml", spec.read_text(encoding="utf-8").replace("explode", "explod"))
    commands.refused(INVALID, ("broken.yaml:8:", "explod", "^^^"), "submit", broken, "--driver", address)   # nothing is sent


def up(commands):
    text = commands.run("cluster", "up", "--workers", "2", "--slots", "2").stdout
    cluster = commands.cluster()
    check(set(cluster) == {"driver", "workers"} and set(cluster["driver"]) == {"pid", "listen", "http"}, f"keys: {cluster}")
    check([(set(one), one["id"], one["slots"], one["state"]) for one in cluster["workers"]] ==
          [({"id", "pid", "slots", "state"}, f"worker-{i}", 2, "ALIVE") for i in range(2)], f"workers: {cluster}")
    check(cluster["driver"]["listen"] in text, f"up does not print the address: {text}")
    check("already up" in commands.run("cluster", "up").stdout, "up again says that it is up")
    check("already up" in commands.run("cluster", "up", "--workers", "2", "--slots", "2").stdout, "up with the same settings")
    commands.refused(CONFLICT, "workers=2", "cluster", "up", "--workers", "1")
    commands.refused(CONFLICT, "slots=2", "cluster", "up", "--slots", "3")
    workers = commands.json("workers")
    check([(one["id"], one["state"], one["slots"]) for one in workers["workers"]] ==
          [("worker-0", "ALIVE", 2), ("worker-1", "ALIVE", 2)], f"workers -o json: {workers}")
    check("worker-1" in commands.run("workers").stdout, "workers as a table")
    return cluster


def not_up(commands):
    """A driver that ends at once: what it said is shown, and nothing runs."""
    root = commands.engine.folder / "damaged"
    root.mkdir()
    (root / "jobs").write_text("not a directory")
    commands.refused(CANNOT_CONNECT, ("CLUSTER_NOT_UP", "driver.log", "error["), "cluster", "up", "--root", root)
    check(not (root / "cluster.json").exists(), "no cluster.json of a cluster that is not up")


def submit(commands):
    publish(commands.source, "1.txt", "the tide the mill\n")
    spec = commands.spec("counts", {"format": "memory"}, output="complete")
    identity = commands.run("submit", spec, "--num-executors", "1", "--executor-cores", "2",
                            "--executor-memory", "1g").stdout.split()
    check(len(identity) == 1 and len(identity[0]) == 36, f"prints one id: {identity}")
    commands.refused(CONFLICT, "counts", "submit", spec)
    listed, = commands.json("ps")["jobs"]
    check((listed["id"], listed["name"]) == (identity[0], "counts"), f"ps: {listed}")
    check("counts" in commands.run("ps").stdout, "ps as a table")
    commands.refused(NOT_FOUND, "nothing", "status", "nothing")
    commands.refused(NOT_FOUND, "nothing", "stop", "nothing")

    until(lambda: commands.json("status", "counts")["lastProgress"], 20, "an epoch of counts", 0.1)
    for name in ("counts", identity[0], identity[0][:8]):
        status = commands.json("status", name)
        check((status["name"], status["state"]) == ("counts", "RUNNING"), f"status of {name}: {status}")
        progress = status["lastProgress"]
        check(progress["name"] == "counts" and {"batchId", "numInputRows", "durationMs", "stateOperators", "sources", "sink"}
              <= set(progress), f"lastProgress: {progress}")
        check(status["recentProgress"][-1]["batchId"] == progress["batchId"], "recentProgress ends with the last")
    table = commands.run("status", "counts").stdout
    for word in ("RUNNING", "triggerExecution", "FileStreamSource", "MemorySink", "stateStoreSave"):
        check(word in table, f"status does not show {word}: {table}")
    return identity[0]


def sql(commands, cluster):
    driver = ("--driver", cluster["driver"]["listen"])

    def rows(query, output="json"):
        return commands.run("sql", query, *driver, "-o", output).stdout

    expected = '{"word":"the","n":2}\n{"word":"mill","n":1}\n{"word":"tide","n":1}\n'
    until(lambda: rows("SELECT * FROM counts ORDER BY n DESC, word") == expected, 20, "three words in the table", 0.1)
    check(rows("SELECT sum(n) AS words, count(*) AS different FROM counts WHERE n < 2", "csv") == "words,different\n2,2\n", "csv")
    check(rows("SELECT word FROM counts ORDER BY word LIMIT 1", "table") == "+----+\n|word|\n+----+\n|mill|\n+----+\n", "table")
    query = commands.engine.write("query.sql", "SELECT max(n) AS most\nFROM counts;\n")
    check(rows(query) == '{"most":2}\n', "a query in a file")
    commands.refused(NOT_FOUND, ("count", "did you mean counts", "query:1:15"), "sql", "SELECT * FROM count", *driver)
    commands.refused(INVALID, "query:1:8", "sql", "SELECT wrod FROM counts", *driver)
    commands.refused(INVALID, ("PARSE_SYNTAX_ERROR", "query:1:10", "FROM"), "sql", "SELECT n FRM counts", *driver)
    commands.refused(NOT_FOUND, "query.sq", "sql", "query.sq", *driver)


def waiting(commands):
    spec = commands.spec("waited", {"format": "console", "options": {"style": "json"}}, output="complete", trigger="available-now")
    process = commands.run("submit", spec, "--wait")
    first, *lines = process.stdout.splitlines(keepends=True)
    check(len(first) == 37, f"prints the id first: {process.describe()}")
    words = {row["word"]: row["n"] for row in console_batches("".join(lines)).get(0, [])}
    check(words == {"the": 2, "tide": 1, "mill": 1}, f"console rows: {process.describe()}")

    failing = commands.engine.write("failing.yaml", job("SELECT CAST(value AS INT) AS n FROM input", {"format": "text", "path": "in"},
                                                        {"format": "noop"}, trigger="available-now"))
    process = commands.run("submit", failing, "--wait", "--name", "fails", code=8)
    check("CAST_INVALID_INPUT" in process.stderr, f"says why: {process.describe()}")
    check(commands.json("status", "fails")["state"] == "FAILED", "the job is known to have failed")

    endless = commands.start("submit", commands.spec("endless", {"format": "noop"}, output="complete"), "--wait")
    until(lambda: endless.stdout, 20, "the id of endless")
    endless.send(signal.SIGINT)
    endless.expect(130, 10)
    check("goes on" in endless.stderr, f"says that the job goes on: {endless.describe()}")
    check(commands.json("status", "endless")["state"] in ("STARTING", "RUNNING"), "endless goes on")
    commands.run("stop", "endless", "--now")
    check(commands.json("status", "endless")["state"] == "STOPPED", "endless was stopped")


def repair(commands, cluster):
    """A worker more; a killed worker and a killed driver are started anew."""
    commands.run("cluster", "up", "--workers", "3")
    grown = commands.cluster()
    check([one["pid"] for one in grown["workers"]][:2] == [one["pid"] for one in cluster["workers"]], "the first two stay")
    check(grown["workers"][2]["id"] == "worker-2", f"the third: {grown}")
    os.kill(grown["workers"][1]["pid"], signal.SIGKILL)
    os.kill(grown["driver"]["pid"], signal.SIGKILL)
    until(lambda: [one["state"] for one in commands.cluster()["workers"]].count("DEAD") == 1, 10, "a dead worker", 0.1)
    commands.run("cluster", "up")
    repaired = commands.cluster()
    check(repaired["driver"]["pid"] != grown["driver"]["pid"], "another driver")
    check(repaired["driver"]["listen"] == grown["driver"]["listen"], "at the same address")
    check([one["state"] for one in repaired["workers"]] == ["ALIVE"] * 3, f"workers: {repaired}")
    check(repaired["workers"][0]["pid"] == grown["workers"][0]["pid"], "the workers that lived stay")
    publish(commands.source, "2.txt", "the sea\n")

    def counts_the_third():   # the table was the killed driver's; the next epoch makes it anew
        query = commands.start("sql", "SELECT n FROM counts WHERE word = 'the'", "--driver", repaired["driver"]["listen"], "-o", "json")
        return query.wait(20) == OK and query.stdout == '{"n":3}\n'
    until(counts_the_third, 20, "the job goes on", 0.2)
    return repaired


def stop_and_down(commands, cluster, identity):
    process = commands.run("stop", identity[:8])
    check("STOPPED" in process.stdout, f"stop: {process.describe()}")
    check(commands.json("status", "counts")["state"] == "STOPPED", "counts was stopped")
    pids = [cluster["driver"]["pid"], *(one["pid"] for one in cluster["workers"])]
    commands.run("cluster", "down")
    check(not any(is_running(pid) for pid in pids), "nothing runs after down")
    check(not (commands.root / "cluster.json").exists(), "cluster.json is gone")
    commands.run("cluster", "down")


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        commands = Commands(Engine(options.binary, folder))
        try:
            without_a_cluster(commands)
            print("without_a_cluster", flush=True)
            cluster = up(commands)
            print("up", flush=True)
            not_up(commands)
            print("not_up", flush=True)
            identity = submit(commands)
            print("submit", flush=True)
            sql(commands, cluster)
            print("sql", flush=True)
            waiting(commands)
            print("waiting", flush=True)
            cluster = repair(commands, cluster)
            print("repair", flush=True)
            stop_and_down(commands, cluster, identity)
        finally:
            commands.start("cluster", "down").wait(30)


if __name__ == "__main__":
    main(test)
