"""Reads what Tidemill writes in every format and codec with Spark and pyarrow, and what Spark writes with Tidemill.
Fails where any of them sees other rows.

usage: with_spark.sh interop TIDEMILL
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.orc
import pyarrow.parquet
from pyspark.sql import SparkSession

SCHEMA = ("bool BOOLEAN, tiny TINYINT, small SMALLINT, int INT, big BIGINT, float FLOAT, double DOUBLE, dec DECIMAL(9,2), wide DECIMAL(30,3), "
          "str STRING, bin BINARY, date DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ, list ARRAY<INT>, map MAP<STRING, BIGINT>, "
          "struct STRUCT<a: INT, b: STRING, ntz: TIMESTAMP_NTZ>")
TEXT_CODECS = ["none", "gzip", "bzip2", "deflate", "snappy", "lz4"]
FLAT = "bool, tiny, small, int, big, float, double, dec, wide, str, date, ts, ntz"
ROWS = [{"bool": True, "tiny": -128, "small": 32767, "int": -2147483648, "big": 9223372036854775807, "float": 1.5, "double": -2.25,
         "dec": "-1234567.89", "wide": "123456789012345678901234567.891", "str": "text, \"quoted\"", "bin": "Ynl0ZXM=", "date": "1900-01-01",
         "ts": "2020-02-29T12:34:56.789012Z", "ntz": "2020-02-29T12:34:56.789012", "list": [1, None, 3], "map": {"k": 1, "l": None},
         "struct": {"a": 7, "b": "in", "ntz": "1970-01-01T00:00:00"}},
        {"double": "NaN", "ts": "1960-01-01T00:00:00Z", "list": [], "map": {}, "struct": {}}, {}]


def write(tidemill, folder, name, form, options, columns="*"):
    target = folder / name
    spec = {"sources": {"t": {"format": "json", "path": str(folder / "in"), "schema": SCHEMA}}, "query": f"SELECT {columns} FROM t",
            "sink": {"format": form, "path": str(target), "options": options}, "trigger": "available-now"}
    path = folder / (name + ".yaml")
    path.write_text(json.dumps(spec))
    subprocess.run([tidemill, "run", str(path), "--workers", "1", "--slots", "1"], check=True, capture_output=True)
    part, = target.glob("part-*")
    return target, part


def read_back(tidemill, folder, spark, form, codec):
    """The rows of a file of Spark's, as Tidemill reads them into a JSON file that Spark reads."""
    theirs = folder / f"spark-{form}-{codec}"
    if not theirs.exists():
        spark.read.schema(SCHEMA).json(str(folder / "in")).coalesce(1).write.option("compression", codec).format(form).save(str(theirs))
    target = folder / f"back-{form}-{codec}"
    spec = {"sources": {"t": {"format": form, "path": str(theirs), "schema": SCHEMA}}, "query": "SELECT * FROM t",
            "sink": {"format": "json", "path": str(target)}, "trigger": "available-now"}
    path = folder / f"back-{form}-{codec}.yaml"
    path.write_text(json.dumps(spec))
    subprocess.run([tidemill, "run", str(path), "--workers", "1", "--slots", "1"], check=True, capture_output=True)
    return spark.read.schema(SCHEMA).json(str(target)).toJSON().collect()


def main():
    tidemill = str(pathlib.Path(sys.argv[1]).resolve())
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
             .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "in").mkdir()
        (folder / "in" / "a.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        want = sorted(spark.read.schema(SCHEMA).json(str(folder / "in")).toJSON().collect())
        flat = sorted(spark.read.schema(SCHEMA).json(str(folder / "in")).select(*FLAT.split(", ")).toJSON().collect())

        def check(what, rows, right):
            if sorted(rows) != right:
                raise SystemExit(f"FAILED {what}: {sorted(rows)} instead of {right}")
            print(f"{what}: the same rows", flush=True)

        for form, codecs in ("parquet", ["snappy", "zstd", "gzip", "lz4", "lz4_raw", "none"]), ("orc", ["zstd", "snappy", "zlib", "lz4", "none"]):
            for codec in codecs:
                target, part = write(tidemill, folder, f"{form}-{codec}", form, {"compression": codec})
                frame = spark.read.format(form).load(str(target))
                check(f"{form} {codec}, read by Spark", frame.toJSON().collect(), want)
                check(f"{form} {codec}, written by Spark", read_back(tidemill, folder, spark, form, codec), want)
                table = pyarrow.parquet.read_table(part) if form == "parquet" else pyarrow.orc.read_table(str(part))
                seen = [(row["int"], row["str"], row["dec"] and str(row["dec"])) for row in table.to_pylist()]
                check(f"{form} {codec}, read by pyarrow", [str(row) for row in seen],
                      sorted(str((row.get("int"), row.get("str"), row.get("dec"))) for row in ROWS))
        for form in "csv", "json":
            for codec in TEXT_CODECS:
                columns, right = (FLAT, flat) if form == "csv" else ("*", want)
                options = {"compression": codec, **({"header": "true"} if form == "csv" else {})}
                target, _ = write(tidemill, folder, f"{form}-{codec}", form, options, columns)
                schema = ", ".join(column for column in SCHEMA.split(", ") if column.split()[0] in columns.split(", ")) if form == "csv" else SCHEMA
                options.pop("compression")
                frame = spark.read.schema(schema).options(**options).format(form).load(str(target))
                check(f"{form} {codec}, read by Spark", frame.toJSON().collect(), right)
                if form == "json":
                    check(f"{form} {codec}, written by Spark", read_back(tidemill, folder, spark, form, codec), want)
    spark.stop()


if __name__ == "__main__":
    main()
