"""Runs *.test files on Spark, one micro-batch per input block, and writes its answers into them.

usage: record.py [NAME...]     default: every file that has no answer yet
"""
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
# Our names of settings that Spark has under another; names of ours alone mean nothing to it.
SPARK_SETTINGS = {"timeZone": "spark.sql.session.timeZone"}
SCHEMA_INFERENCE = "spark.sql.streaming.schemaInference"


def session():
    return (SparkSession.builder.master("local[2]").appName("oracle")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.warehouse.dir", tempfile.gettempdir() + "/oracle-warehouse")
            .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
            .getOrCreate())


WRAPPERS = ("STREAM_FAILED", "FOREACH_BATCH_USER_FUNCTION_ERROR", "FAILED_READ_FILE", "TASK_WRITE_FAILED")
CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]{3,}(?:\.[A-Z0-9_]+)*)\] ")


def conditions_of(error):
    """The error classes in the text of a failed query that say why, not where, as matches."""
    found = CONDITION.finditer(str(error))
    return [match for match in found if match.group(1).split(".")[0] not in WRAPPERS]


UNKNOWN = "UNKNOWN"  # an error without a class


def condition_of(error):
    found = conditions_of(error)
    return found[0].group(1) if found else UNKNOWN


def error_of(error, started):
    """The error class of a failed query and its message."""
    name = (not started and error.getCondition()) or condition_of(error)
    text = str(error)
    message = next((text[match.end():] for match in conditions_of(error) if match.group(1) == name), text)
    # Behind it: the SQL state, the place in the query, the plan, the frames of the JVM.
    message = re.split(r"\s*SQLSTATE: |;?\n\s*(?:['~+]|==|at )|;\n|; line \d+ pos \d+", message)[0]
    return query_file.Error(JOB_ERROR if started else SPECIFICATION_ERROR, name, " ".join(message.split()))


def register(spark, query, folder):
    """Makes each source a view of its name, with its watermark."""
    for source in query.sources:
        reader = spark.read if source.is_static else spark.readStream.option("maxFilesPerTrigger", 1)
        reader = reader.format(source.format).options(**source.options)
        if source.schema:
            reader = reader.schema(source.schema)
        frame = reader.load(f"{folder}/{source.name}")
        if source.watermark:
            frame = frame.withWatermark(*source.watermark)
        if source.duplicates:
            method, columns = source.duplicates
            frame = getattr(frame, method)(columns)
        frame.createOrReplaceTempView(source.name)


class Run:
    """One run of a query: fills in the answers, whatever happens."""

    def __init__(self, spark, query, folder, quiet):
        self.spark, self.query, self.folder, self.quiet = spark, query, folder, quiet
        self.batches = {}
        self.started = False

    def lines_of(self, frame):
        lines = frame.toJSON().collect()
        return lines if self.query.is_ordered else sorted(lines)

    def take(self, frame, batch):
        self.batches[batch] = self.lines_of(frame)

    def run_bounded(self):
        frame = self.spark.sql(self.query.text)
        self.started = True
        self.batches[0] = self.lines_of(frame)

    def run_stream(self):
        stream = (self.spark.sql(self.query.text).writeStream.outputMode(self.query.output)
                  .foreachBatch(self.take).trigger(availableNow=True)
                  .option("checkpointLocation", self.folder + "/checkpoint").start())
        self.started = True
        stream.awaitTermination()
        progress = {progress["batchId"]: progress for progress in stream.recentProgress if progress["batchId"] in self.batches}
        if self.query.late is not None:
            self.query.late = [query_file.late_rows(progress[batch]) for batch in range(len(self.batches))]
        if self.query.state is not None:
            self.query.state = [query_file.state_rows(progress[batch]) for batch in range(len(self.batches))]

    def record(self):
        query, asked = self.query, self.query.error
        query.rows, query.error = [], None
        try:
            register(self.spark, query, self.folder)
            (self.run_bounded if query.is_bounded else self.run_stream)()
        except PySparkException as error:
            query.error = error_of(error, self.started)
            query.error.is_class_only = bool(asked and asked.is_class_only)
            if not self.quiet:
                print("   ", query.error.exit_code, query.error.name, query.error.message[:160])
        finally:
            for source in query.sources:
                self.spark.catalog.dropTempView(source.name)
        query.rows = [self.batches.get(batch, []) for batch in range(max(self.batches, default=-1) + 1)]


def record(spark, query, quiet=False):
    settings = {SPARK_SETTINGS.get(key, key): value for key, value in query.settings.items()}
    settings = {key: value for key, value in settings.items() if key.startswith("spark.")}
    if any(source.options.get("inferSchema") == "true" for source in query.sources):
        settings[SCHEMA_INFERENCE] = "true"
    before = {key: spark.conf.get(key, None) for key in settings}
    for key, value in settings.items():
        spark.conf.set(key, value)
    try:
        with tempfile.TemporaryDirectory() as folder:
            query.place_files(folder)
            Run(spark, query, folder, quiet).record()
    finally:
        for key, value in before.items():
            spark.conf.unset(key) if value is None else spark.conf.set(key, value)


def main():
    paths = [QUERIES / f"{name}.test" for name in sys.argv[1:]]
    if not paths:
        paths = [path for path in sorted(QUERIES.glob("*.test")) if not query_file.read(path).is_recorded]
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
