"""Spark's side of windows.py. usage: spark_windows.py DATA OUTPUT CHECKPOINT RESULT SCHEMA QUERY"""
import pathlib
import sys
import time

from pyspark.sql import SparkSession

data, output, checkpoint, result, schema, query = sys.argv[1:]
spark = (SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
         .config("spark.ui.enabled", "false").config("spark.driver.memory", "4g").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
spark.readStream.schema(schema).json(data).withWatermark("event_time", "10 minutes").createOrReplaceTempView("events")
writer = spark.sql(query).writeStream.format("json").option("path", output).option("checkpointLocation", checkpoint)
began = time.perf_counter()
writer.trigger(availableNow=True).start().awaitTermination()
pathlib.Path(result).write_text(f"{time.perf_counter() - began:.3f}")
spark.stop()
