"""Formats end to end: what a job writes as parquet, orc, csv or json, compressed too, another one reads.

usage: formats.py TIDEMILL
"""
import json

from harness import INVALID, OK, Engine, arguments, as_multiset, check, console_batches, difference, job, main, publish, scratch

CONSOLE = {"format": "console", "options": {"style": "json"}}
SCHEMA = "id BIGINT, name STRING, price DECIMAL(10,2), at TIMESTAMP, tags ARRAY<STRING>"
FLAT = "id BIGINT, name STRING, price DECIMAL(10,2), at TIMESTAMP"
ROWS = [{"id": i, "name": f"name {i % 7}, \"{i}\"", "price": 1.25 * i, "at": f"2026-11-{i % 28 + 1:02d}T12:00:00.000Z", "tags": ["x", f"t{i}"]}
        for i in range(200)]


def write(engine, name, form, options, columns, output="append"):
    """Runs a job that writes ROWS; returns the directory."""
    folder = engine.folder / name
    spec = engine.write(name + ".yaml", job(f"SELECT {columns} FROM input", {"format": "json", "path": engine.folder / "in", "schema": SCHEMA},
                                            {"format": form, "path": folder, "options": options}, trigger="available-now", output=output))
    engine.run(spec).expect(OK, 60)
    return folder


def read(engine, name, source, query="SELECT * FROM input", checkpoint=None):
    spec = engine.write(name + "-read.yaml", job(query, source, CONSOLE, trigger="available-now", checkpoint=checkpoint))
    process = engine.run(spec).expect(OK, 60)
    return [row for _, rows in sorted(console_batches(process.stdout).items()) for row in rows]


def check_rows(what, want, got):
    wrong = difference(as_multiset(want), as_multiset(got))
    check(not wrong, f"{what}:\n{wrong}")


def round_trips(engine):
    flat = [{key: value for key, value in row.items() if key != "tags"} for row in ROWS]
    for form, options, reading in [
            ("parquet", {}, {}), ("parquet", {"compression": "zstd"}, {"schema": SCHEMA}), ("orc", {}, {}),
            ("orc", {"compression": "snappy"}, {"schema": SCHEMA}), ("json", {"compression": "gzip"}, {"schema": SCHEMA}),
            ("csv", {"header": "true"}, {"schema": FLAT, "options": {"header": "true"}}),
            ("json", {"compression": "snappy"}, {"schema": SCHEMA}), ("csv", {"compression": "lz4", "escape": '"'}, {"schema": FLAT, "options": {"escape": '"'}}),
            ("csv", {"header": "true", "compression": "bzip2", "sep": "|"},
             {"inferSchema": True, "options": {"header": "true", "sep": "|"}}),
            ("csv", {"quoteAll": "true", "escape": '"', "compression": "zstd"}, {"schema": FLAT, "options": {"escape": '"'}})]:
        name = "-".join(filter(None, [form, *options, options.get("compression")]))
        want = flat if form == "csv" else ROWS
        folder = write(engine, name, form, options, "id, name, price, at" if form == "csv" else "*")
        parts = list(folder.glob("part-*"))
        check(parts, f"{name}: no files")
        got = read(engine, name, {"format": form, "path": folder, **reading})
        if reading.get("inferSchema"):
            for row in got:
                row["price"] = float(row["price"])
        check_rows(name, want, got)


def filters_on_row_groups(engine):
    for form in "parquet", "orc":
        query = "SELECT id FROM input WHERE id >= 195 AND name > 'a' AND at > TIMESTAMP'2026-11-02'"
        got = read(engine, "filter-" + form, {"format": form, "path": engine.folder / form}, query)
        check_rows("filter of " + form, [{"id": i} for i in range(195, 200) if i % 28 + 1 > 1], got)


def static_tables(engine):
    """A stream of JSON joined with the same rows as a table of each format."""
    for form in "parquet", "orc":
        query = "SELECT i.id, t.price FROM input i LEFT JOIN prices t ON i.id = t.id AND t.at >= TIMESTAMP'2026-11-20'"
        spec = engine.write(f"static-{form}.yaml", job(
            query, {"format": "json", "path": engine.folder / "in", "schema": SCHEMA}, CONSOLE, trigger="available-now",
            more={"prices": {"format": form, "path": engine.folder / form, "mode": "batch"}}))
        process = engine.run(spec).expect(OK, 60)
        got = [row for _, rows in sorted(console_batches(process.stdout).items()) for row in rows]
        want = [{"id": i, **({"price": 1.25 * i} if i % 28 + 1 >= 20 else {})} for i in range(200)]
        check_rows("static " + form, want, got)


def frozen_schema(engine):
    """The schema of the first listing stays that of the checkpoint: a column of later files is not read."""
    folder, checkpoint = engine.folder / "frozen", engine.folder / "frozen-checkpoint"
    folder.mkdir()

    def add(name, columns):
        part, = write(engine, "one-" + name, "parquet", {}, columns).glob("part-*")
        part.rename(folder / (name + ".parquet"))

    add("a", "id")
    first = read(engine, "frozen", {"format": "parquet", "path": folder}, checkpoint=checkpoint)
    add("b", "name, id")
    second = read(engine, "frozen", {"format": "parquet", "path": folder}, checkpoint=checkpoint)
    want = [{"id": row["id"]} for row in ROWS]
    check_rows("first run", want, first)
    check_rows("second run", want, second)


def nothing_to_infer(engine):
    (engine.folder / "empty").mkdir()
    for form in "parquet", "orc", "csv":
        source = {"format": form, "path": engine.folder / "empty", **({"inferSchema": True} if form == "csv" else {})}
        spec = engine.write("empty.yaml", job("SELECT * FROM input", source, CONSOLE))
        process = engine.run(spec).expect(INVALID, 20)
        check("UNABLE_TO_INFER_SCHEMA" in process.stderr, process.describe())


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        engine = Engine(options.binary, folder, "--workers", "1", "--slots", "2")
        (folder / "in").mkdir()
        publish(folder / "in", "a.json", "".join(json.dumps(row) + "\n" for row in ROWS))
        for part in round_trips, filters_on_row_groups, static_tables, frozen_schema, nothing_to_infer:
            part(engine)
            print(f"{part.__name__} ok", flush=True)


if __name__ == "__main__":
    main(test)
