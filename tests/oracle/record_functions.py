"""Asks Spark for the expressions of tests/functions/answers/*.txt and writes its answers into them.

usage: record_functions.py [--again] [FILE...]     FILE: a stem; default: every file
Without --again only expressions without an answer are asked.
"""
import logging
import pathlib
import re
import sys

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

import record

ANSWERS = pathlib.Path(__file__).resolve().parent.parent / "functions" / "answers"
ZONE = "-- timeZone: "


def escaped(data):
    """Bytes of a string as in the answer files: README.md of tests/functions."""
    try:
        data.decode("utf-8")
        is_text = True
    except UnicodeDecodeError:
        is_text = False
    plain = bytes(byte for byte in range(0x20, 0x100)
                  if byte not in (0x5C, 0x7F) and (is_text or byte < 0x80))
    out = b"".join(bytes([byte]) if byte in plain else b"\\x%02X" % byte for byte in data)
    return out.decode("utf-8")


def value_text(frame, data_type):
    name = data_type.typeName()
    if name in ("array", "map", "struct"):
        json = frame.selectExpr("to_json(named_struct('v', v))").collect()[0][0]
        return "NULL" if json == "{}" else json[len('{"v":'):-1]
    cast = "v" if name == "binary" else "CAST(CAST(v AS STRING) AS BINARY)"
    data = frame.selectExpr(cast).collect()[0][0]
    if data is None:
        return "NULL"
    if name == "binary":
        return f"X'{data.hex().upper()}'"
    return f'"{escaped(bytes(data))}"' if name == "string" else escaped(bytes(data))


def answer(spark, expression):
    try:
        frame = spark.sql(f"SELECT {expression} AS v")
        sql_type = frame._jdf.schema().fields()[0].dataType().sql().replace(" NOT NULL", "")
        return f"{sql_type} | {value_text(frame, frame.schema.fields[0].dataType)}"
    except PySparkException as error:
        condition = error.getCondition() or record.condition_of(error)
        return f"error | {condition} {error.getSqlState() or ''}".rstrip()
    except Py4JJavaError as error:  # an exception of the run, which PySpark leaves as it is
        condition = record.condition_of(error)
        has_state = condition != record.UNKNOWN
        return f"error | {condition} {error.java_exception.getSqlState() if has_state else ''}".rstrip()


def fill(spark, path, again):
    """The lines of a file with the answers that were missing; how many there were."""
    lines, asked = [], 0
    old = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(old):
        if line.startswith(ZONE):
            spark.conf.set("spark.sql.session.timeZone", line[len(ZONE):])
        is_expression = re.match(r"(?!--)\S", line) is not None
        following = old[number + 1] if number + 1 < len(old) else ""
        has_answer = following.startswith("  ") and not following.startswith("  ours | ")
        is_answer = line.startswith("  ") and not line.startswith("  ours | ")
        if again and is_answer:
            continue
        lines.append(line)
        if is_expression and (again or not has_answer):
            lines.append("  " + answer(spark, line))
            asked += 1
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return "\n".join(lines), asked


def main():
    logging.disable(logging.CRITICAL)  # PySpark logs every failing query
    again = "--again" in sys.argv[1:]
    names = [name for name in sys.argv[1:] if name != "--again"]
    paths = [ANSWERS / f"{name}.txt" for name in names] or sorted(ANSWERS.glob("*.txt"))
    spark = record.session()
    spark.sparkContext.setLogLevel("OFF")
    for path in paths:
        text, asked = fill(spark, path, again)
        if asked:
            path.write_text(text, encoding="utf-8")
        print(path.stem, asked, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
