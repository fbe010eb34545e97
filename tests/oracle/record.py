"""Runs *.test files on Spark, one micro-batch per input block, and writes its answers into them.

usage: record.py [NAME...]     default: every file that has no answer yet
"""
import os
import pathlib
import re
import sys
import tempfile

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

QUERIES = pathlib.Path(__file__).resolve().parent.parent / "queries"
sys.path.insert(0, str(QUERIES))
import query_file  # noqa: E402

SPECIFICATION_ERROR, JOB_ERROR = 3, 8


def session():
    return (SparkSession.builder.master("local[2]").appName("oracle")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.warehouse.dir", tempfile.gettempdir() + "/oracle-warehouse")
            .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
            .getOrCreate())


WRAPPERS = ("STREAM_FAILED", "FOREACH_BATCH_USER_FUNCTION_ERROR", "FAILED_READ_FILE", "TASK_WRITE_FAILED")


def condition_of(error):
    """The first error class in the message of a failed query that says why, not where."""
    classes = re.findall(r"\[([A-Z][A-Z0-9_]{3,}(?:\.[A-Z0-9_]+)*)\] ", str(error))
    classes = [name for name in classes if name.split(".")[0] not in WRAPPERS]
    return classes[0] if classes else "UNKNOWN"


def record(spark, query):
    query.rows, query.error = [], ()
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/in")
        for number, text in enumerate(query.inputs):
            name = f"{folder}/in/{number:03d}.{query.format}"
            pathlib.Path(name).write_text(text, encoding="utf-8")
            os.utime(name, (1_700_000_000 + number, 1_700_000_000 + number))
        got = {}

        def take(frame, batch):
            got[batch] = sorted(frame.toJSON().collect())

        started = False
        try:
            reader = spark.readStream.format(query.format).option("maxFilesPerTrigger", 1).options(**query.options)
            if query.schema:
                reader = reader.schema(query.schema)
            reader.load(folder + "/in").createOrReplaceTempView(query.name)
            stream = (spark.sql(query.text).writeStream.outputMode(query.output).foreachBatch(take)
                      .trigger(availableNow=True).option("checkpointLocation", folder + "/checkpoint").start())
            started = True
            stream.awaitTermination()
        except PySparkException as error:
            name = (not started and error.getCondition()) or condition_of(error)
            query.error = (JOB_ERROR if started else SPECIFICATION_ERROR, name)
            print("   ", query.error, str(error).splitlines()[0][:160])
        finally:
            spark.catalog.dropTempView(query.name)
        query.rows = [got.get(batch, []) for batch in range(max(got, default=-1) + 1)]


def main():
    paths = [QUERIES / f"{name}.test" for name in sys.argv[1:]]
    if not paths:
        paths = [path for path in sorted(QUERIES.glob("*.test"))
                 if not (query_file.read(path).rows or query_file.read(path).error)]
    spark = session()
    spark.sparkContext.setLogLevel("OFF")
    for path in paths:
        print(path.stem, flush=True)
        query = query_file.read(path)
        record(spark, query)
        query_file.write(path, query)
    spark.stop()


if __name__ == "__main__":
    main()
