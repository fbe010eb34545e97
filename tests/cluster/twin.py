"""Runs the same input with different numbers of workers and slots: every micro-batch must give the
same rows, floating-point sums to the last digit.

usage: twin.py TIDEMILL [--long] [--seed N]
"""
import json
import os
import random

from harness import OK, Engine, arguments, as_multiset, check, console_batches, difference, job, main, publish, scratch

SHAPES = ((1, 1), (1, 3), (2, 2), (3, 1))
QUERIES = {
    "copy": ("append", "SELECT id, upper(k) AS k, x * 2 AS x FROM input WHERE id % 3 <> 0"),
    "update": ("update", "SELECT k, count(*) AS n, sum(x) AS s, avg(x) AS a, min(id) AS lo, max(id) AS hi FROM input GROUP BY k"),
    "complete": ("complete", "SELECT word, count(*) AS n, sum(x) AS s FROM (SELECT explode(split(text, ' ')) AS word, x FROM input) GROUP BY word"),
    "global": ("complete", "SELECT count(*) AS n, sum(x) AS s, avg(x) AS a FROM input"),
}


def test():
    options = arguments(__doc__)
    generator = random.Random(options.seed)
    files, most = (8, 20000) if options.long else (4, 6000)
    with scratch(options.keep) as folder:
        source = folder / "in"
        source.mkdir()
        number = 0
        for i in range(files):
            lines = []
            for _ in range(generator.randrange(1, most)):
                number += 1
                lines.append(json.dumps({"id": number, "k": f"key{int(generator.paretovariate(0.7)) % 500}", "x": generator.random() * 10 ** generator.randrange(-3, 6),
                                         "text": " ".join(generator.choices("ebb flood neap spring slack".split(), k=generator.randrange(1, 6)))}))
            publish(source, f"{i}.json", "\n".join(lines) + "\n")
            os.utime(source / f"{i}.json", (1_700_000_000 + i,) * 2)
        for name, (output, query) in QUERIES.items():
            spec = Engine(options.binary, folder).write(f"{name}.yaml", job(
                query, {"format": "json", "path": source, "schema": "id BIGINT, k STRING, x DOUBLE, text STRING", "options": {"maxFilesPerTrigger": 1}},
                {"format": "console", "options": {"style": "json"}}, output=output, trigger="available-now"))
            first = None
            for workers, slots in SHAPES:
                process = Engine(options.binary, folder).run(spec, "--workers", workers, "--slots", slots).expect(OK, 60)
                got = {batch: as_multiset(rows) for batch, rows in console_batches(process.stdout).items()}
                check(len(got) == files, f"{name}: {len(got)} micro-batches, not {files}")
                first = first or got
                for batch in first:
                    wrong = difference(first[batch], got.get(batch, as_multiset([])))
                    check(not wrong, f"{name}: micro-batch {batch} differs with {workers} workers and {slots} slots:\n{wrong}")
            print(f"{name}: {len(SHAPES)} shapes, {files} micro-batches, {sum(map(lambda rows: sum(rows.values()), first.values()))} rows, equal", flush=True)


if __name__ == "__main__":
    main(test)
