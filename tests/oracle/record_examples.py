"""Asks Spark for the queries of tests/examples/answers and writes its columns and rows into them.

usage: record_examples.py [FILE...]      FILE: a stem; default: every file; asks the queries without an answer
       record_examples.py --from-spark   writes the files spark_GROUP.txt anew: the examples that Spark documents
       record_examples.py --from-docs    writes docs.txt anew: the examples of docs/functions.md that Spark has not
"""
import logging
import pathlib
import re
import sys

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

import record

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"
ANSWERS = EXAMPLES / "answers"
DOCS = EXAMPLES.parent.parent / "docs" / "functions.md"
sys.path.insert(0, str(EXAMPLES))
import example_file  # noqa: E402

PREFIX = "spark_"
GROUP_ENDING = "_funcs"


def answer(spark, example):
    """Fills in what Spark says to a query."""
    try:
        frame = spark.sql(example.query)
        for field in frame._jdf.schema().fields():
            example.columns.append((field.dataType().catalogString(), field.name()))
        rows = frame.toJSON().collect()
        if not example.is_volatile:
            example.rows = rows
    except PySparkException as error:
        example.error = error.getCondition() or record.condition_of(error)
    except Py4JJavaError as error:  # an exception of the run, which PySpark leaves as it is
        example.error = record.condition_of(error)


def documented(spark):
    """The queries that Spark's documentation shows, by group of functions."""
    groups = {}
    infos = spark._jvm.org.apache.spark.sql.api.python.PythonSQLUtils.listBuiltinFunctionInfos()
    for info in sorted(infos, key=lambda info: info.getName()):
        queries = groups.setdefault(info.getGroup().removesuffix(GROUP_ENDING) or "other", [])
        examples = info.getExamples().replace("_FUNC_", info.getName())
        for text in re.split(r"^\s*> ", examples, flags=re.M)[1:]:
            query = " ".join(re.split(r";[ ]*$", text, maxsplit=1, flags=re.M)[0].split())
            if query not in queries and query.split()[0].upper() in ("SELECT", "WITH", "FROM", "VALUES"):
                queries.append(query)
    return groups


def of_our_docs():
    """The examples of docs/functions.md that are none of Spark's."""
    known = {example.query for path in ANSWERS.glob(f"{PREFIX}*.txt") for example in example_file.read(path)}
    queries = []
    for line in DOCS.read_text(encoding="utf-8").split("\n"):
        found = re.search(r" \| `((?:[^`]|``)*)` is `.*` \|$", line)
        if not found:
            continue
        text = found.group(1).replace("\\|", "|")
        query = text if text.startswith("SELECT ") else f"SELECT {text}"
        if query not in known and query not in queries:
            queries.append(query)
    return queries


def anew(path, queries):
    """Examples without answers; what we differ in stays."""
    kept = {example.query: example.ours for example in example_file.read(path)} if path.exists() else {}
    return [example_file.Example(query, ours=kept.get(query, ())) for query in queries]


def files_of(spark, arguments):
    if arguments == ["--from-spark"]:
        return {path: anew(path, queries) for path, queries in
                ((ANSWERS / f"{PREFIX}{group}.txt", queries) for group, queries in documented(spark).items())}
    if arguments == ["--from-docs"]:
        return {ANSWERS / "docs.txt": anew(ANSWERS / "docs.txt", of_our_docs())}
    paths = [ANSWERS / f"{name}.txt" for name in arguments] or sorted(ANSWERS.glob("*.txt"))
    return {path: example_file.read(path) for path in paths}


def main():
    logging.disable(logging.CRITICAL)  # PySpark logs every failing query
    spark = record.session()
    spark.sparkContext.setLogLevel("OFF")
    for path, examples in files_of(spark, sys.argv[1:]).items():
        asked = [example for example in examples if not example.has_answer]
        for example in asked:
            answer(spark, example)
        if asked:
            example_file.write(path, examples)
        print(path.stem, len(asked), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
