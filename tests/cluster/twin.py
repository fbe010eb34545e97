"""Runs the same input with different numbers of workers and slots: every micro-batch must give the
same rows, floating-point sums to the last digit. Some rows come late, some have no key or no time.

usage: twin.py TIDEMILL [--long] [--seed N]
"""
import json
import os
import random
import time

from harness import OK, Engine, arguments, as_multiset, check, console_batches, difference, job, main, publish, scratch

SHAPES = ((1, 1), (1, 3), (2, 2), (3, 1))
WINDOW = "window(ts, '5 minutes')"
NEAR = "b.ts BETWEEN a.ts - INTERVAL 2 SECONDS AND a.ts + INTERVAL 2 SECONDS"
TIDES = "(VALUES ('flood', 1), ('ebb', 2), ('ebb', 3), ('spring', 4)) AS tides(tide, n)"
QUERIES = {
    "copy": ("append", "SELECT id, upper(k) AS k, x * 2 AS x FROM input WHERE id % 3 <> 0"),
    "update": ("update", "SELECT k, count(*) AS n, sum(x) AS s, avg(x) AS a, min(id) AS lo, max(id) AS hi FROM input GROUP BY k"),
    "complete": ("complete", "SELECT word, count(*) AS n, sum(x) AS s FROM (SELECT explode(split(text, ' ')) AS word, x FROM input) GROUP BY word"),
    "global": ("complete", "SELECT count(*) AS n, sum(x) AS s, avg(x) AS a FROM input"),
    "tumbling": ("append", f"SELECT {WINDOW} AS w, k, count(*) AS n, sum(x) AS s FROM input GROUP BY {WINDOW}, k"),
    "sliding": ("update", "SELECT window(ts, '10 minutes', '4 minutes') AS w, count(*) AS n, max(x) AS m FROM input GROUP BY window(ts, '10 minutes', '4 minutes')"),
    "session": ("append", "SELECT session_window(ts, '3 seconds') AS w, k, count(*) AS n, min(id) AS lo FROM input GROUP BY session_window(ts, '3 seconds'), k"),
    "chained": ("append", f"SELECT window(window_time(w), '30 minutes') AS w2, sum(n) AS n, max(n) AS m FROM "
                          f"(SELECT {WINDOW} AS w, k, count(*) AS n FROM input GROUP BY {WINDOW}, k) GROUP BY window(window_time(w), '30 minutes')"),
    "distinct": ("append", "SELECT DISTINCT k, ts FROM input"),
    "inner": ("append", f"SELECT a.id, b.id AS other, a.k FROM input a JOIN other b ON a.k = b.k AND {NEAR}"),
    "left": ("append", f"SELECT a.id, b.id AS other, a.k FROM input a LEFT JOIN other b ON a.k = b.k AND b.x > 100 AND {NEAR}"),
    "full": ("append", f"SELECT a.id, b.id AS other, a.k, b.k AS k2 FROM input a FULL JOIN other b ON a.k = b.k AND a.x < b.x AND {NEAR}"),
    "semi": ("append", f"SELECT a.id, a.k FROM input a LEFT SEMI JOIN other b ON a.k = b.k AND a.x < b.x AND {NEAR}"),
    "broadcast": ("append", f"SELECT id, n, x * n AS xn FROM input JOIN {TIDES} ON split(text, ' ')[0] = tide"),
    "grouped": ("update", f"SELECT n, k, count(*) AS c, sum(x) AS s FROM input LEFT JOIN {TIDES} ON text LIKE concat('%', tide, '%') GROUP BY n, k"),
    "limit": ("append", "SELECT id, k FROM input LIMIT 1000"),
}


def test():
    options = arguments(__doc__)
    generator = random.Random(options.seed)
    files, most = (8, 20000) if options.long else (4, 2500)
    with scratch(options.keep) as folder:
        source = folder / "in"
        source.mkdir()
        number = 0
        for i in range(files):
            lines = []
            for _ in range(generator.randrange(1, most)):
                number += 1
                seconds = 600 * i + generator.randrange(600) - (1200 if generator.random() < 0.02 else 0)
                lines.append(json.dumps({"id": number, "k": None if generator.random() < 0.01 else f"key{int(generator.paretovariate(0.7)) % 500}", "x": generator.random() * 10 ** generator.randrange(-3, 6),
                                         "text": " ".join(generator.choices("ebb flood neap spring slack".split(), k=generator.randrange(1, 6))),
                                         "ts": None if generator.random() < 0.01 else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_714_564_800 + seconds))}))
            publish(source, f"{i}.json", "\n".join(lines) + "\n")
            os.utime(source / f"{i}.json", (1_700_000_000 + i,) * 2)
        for name, (output, query) in QUERIES.items():
            stream = {"format": "json", "path": source, "schema": "id BIGINT, k STRING, x DOUBLE, text STRING, ts TIMESTAMP",
                      "watermark": {"column": "ts", "delay": "5 minutes"}, "options": {"maxFilesPerTrigger": 1}}
            spec = Engine(options.binary, folder).write(f"{name}.yaml", job(
                query, stream, {"format": "console", "options": {"style": "json"}}, output=output, trigger="available-now",
                more={"other": stream} if "other b" in query else None))
            first = None
            for workers, slots in SHAPES:
                process = Engine(options.binary, folder).run(spec, "--workers", workers, "--slots", slots).expect(OK, 60)
                got = {batch: as_multiset(rows) for batch, rows in console_batches(process.stdout).items()}
                check(got, f"{name}: no rows")
                first = first or got
                check(sorted(got) == sorted(first), f"{name}: micro-batches {sorted(got)}, not {sorted(first)}")
                for batch in first:
                    wrong = difference(first[batch], got.get(batch, as_multiset([])))
                    check(not wrong, f"{name}: micro-batch {batch} differs with {workers} workers and {slots} slots:\n{wrong}")
            print(f"{name}: {len(SHAPES)} shapes, {len(first)} micro-batches, {sum(map(lambda rows: sum(rows.values()), first.values()))} rows, equal", flush=True)


if __name__ == "__main__":
    main(test)
