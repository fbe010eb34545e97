"""Writes the Parquet and ORC files of tests/connectors/data with Spark: what its readers of columns are tested on.

usage: python columnar_fixtures.py FOLDER     with the Python of record.sh's environment
"""
import glob
import os
import pathlib
import shutil
import sys
import tempfile

from pyspark.sql import SparkSession

ROWS = """
SELECT * FROM VALUES
  (true, 1Y, 2S, 3, 4L, 1.5F, 2.5D, 12.34BD, 12345678901234567890.12BD, 'text', X'6162', DATE'2020-02-29',
   TIMESTAMP'2020-02-29 12:34:56.789012', TIMESTAMP_NTZ'2020-02-29 12:34:56.789012', array(1, NULL, 3), map('k', 1.5D),
   named_struct('a', 1, 'b', array(named_struct('c', 'deep')))),
  (false, -1Y, -2S, -3, -4L, CAST('NaN' AS FLOAT), CAST('-Infinity' AS DOUBLE), -0.01BD, -0.05BD, '', X'', DATE'1900-01-01',
   TIMESTAMP'1969-12-31 23:59:58.999999', TIMESTAMP_NTZ'1900-01-01 00:00:00', array(), map(), named_struct('a', NULL, 'b', NULL)),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
  AS t(bool, tiny, small, int, big, float, double, dec, wide, str, bin, date, ts, ntz, list, map, struct)
"""


def main():
    folder = pathlib.Path(sys.argv[1])
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
             .getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    frame = spark.sql(ROWS).coalesce(1)
    for name, form, conf, options in [
            ("spark_int96.parquet", "parquet", {"spark.sql.parquet.outputTimestampType": "INT96"}, {}),
            ("spark_micros.parquet", "parquet", {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"},
             {"compression": "zstd"}),
            ("spark.orc", "orc", {}, {})]:
        for key, value in conf.items():
            spark.conf.set(key, value)
        with tempfile.TemporaryDirectory() as place:
            frame.write.mode("overwrite").options(**options).format(form).save(place)
            part, = glob.glob(place + "/part-*")
            shutil.copy(part, folder / name)
            print(name, os.path.getsize(folder / name))
    (folder / "spark.json").write_text("\n".join(frame.toJSON().collect()) + "\n", encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main()
