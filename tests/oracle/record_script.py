"""Runs a SQL script on Spark, from the root of the clone, and writes the rows of its queries as JSON lines.

usage: record_script.py SCRIPT ANSWER     e.g. conf/examples/orders.sql tests/cluster/answers/orders.json
"""
import os
import pathlib
import re
import sys

import record

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def statements_of(text):
    text = re.sub(r"^--.*$", "", text, flags=re.M)
    # Spark takes a table's relative path from its warehouse.
    text = re.sub(r"\bpath '(?!/)", f"path '{ROOT}/", text)
    return [part.strip() for part in text.split(";\n") if part.strip()]


def main():
    script, answer = map(os.path.abspath, sys.argv[1:3])
    os.chdir(ROOT)
    spark = record.session()
    spark.sparkContext.setLogLevel("OFF")
    lines = []
    for statement in statements_of(pathlib.Path(script).read_text(encoding="utf-8")):
        lines += spark.sql(statement.rstrip(";")).toJSON().collect()
    spark.stop()
    pathlib.Path(answer).parent.mkdir(exist_ok=True)
    pathlib.Path(answer).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
