"""Spark's run of a job file that compare.py wrote for us. usage: spark_peer.py SPECIFICATION FOLDER [heap|rocksdb]

FOLDER: for the checkpoint and, where the sink is not noop, the rows as Parquet (a complete result replaces the one before it).
"""
import json
import pathlib
import sys

from pyspark.sql import SparkSession

spec, folder = json.loads(pathlib.Path(sys.argv[1]).read_text()), sys.argv[2]
builder = (SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
         .config("spark.ui.enabled", "false").config("spark.driver.memory", "6g"))
if sys.argv[3:] == ["rocksdb"]:
    store = "spark.sql.streaming.stateStore"
    builder = (builder.config(f"{store}.providerClass", "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider")
               .config(f"{store}.rocksdb.changelogCheckpointing.enabled", "true"))
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
for name, source in spec["sources"].items():
    reader = spark.read if source.get("mode") == "batch" else spark.readStream
    reader = reader.format(source["format"]).options(**source.get("options", {}))
    if "schema" in source:
        reader = reader.schema(source["schema"])
    rows = reader.load(source["path"])
    if "watermark" in source:
        rows = rows.withWatermark(source["watermark"]["column"], source["watermark"]["delay"])
    rows.createOrReplaceTempView(name)
writer = spark.sql(spec["query"]).writeStream.outputMode(spec["outputMode"]).option("checkpointLocation", f"{folder}/checkpoint")
if spec["sink"]["format"] == "noop":
    writer = writer.format("noop")
else:
    how = "overwrite" if spec["outputMode"] == "complete" else "append"
    writer = writer.foreachBatch(lambda rows, epoch: rows.write.mode(how).parquet(f"{folder}/out"))
writer.trigger(availableNow=True).start().awaitTermination()
spark.stop()
