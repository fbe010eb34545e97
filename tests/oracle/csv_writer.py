"""Writes tests/connectors/data/csv_written.txt: texts, and what Spark's CSV writer makes of them under options.

usage: python csv_writer.py FILE     with the Python of record.sh's environment

The first line is the texts, the rows of one frame: (text, z) for each, then (z, text) for each. Then two lines for
each set of options: `option=value` separated by blanks, and the file that Spark wrote. Everything is escaped: \\n \\r
\\t \\\\, \\_ for a blank, \\N alone for NULL.
"""
import glob
import pathlib
import sys
import tempfile

from pyspark.sql import SparkSession

TEXTS = ["a", "", None, "a,b", 'a"b', '"', '"a"', "a\\b", "\\", " a ", "  ", "a\nb", "a\r", "#x", "x#", 'a\\"b', ',"',
         "\t", "a\\,b", "é", "NA", '""', "'", "a b", " ,", '" "', "\\\\", " #x", "x "]
OPTIONS = [{}, {"escape": '"'}, {"quoteAll": "true"}, {"escapeQuotes": "false"}, {"nullValue": "NA"}, {"emptyValue": "E"},
           {"emptyValue": ""}, {"ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"},
           {"sep": "\t", "header": "true"}, {"quote": "'"}, {"comment": "x"},
           {"charToEscapeQuoteEscaping": "#"}, {"nullValue": "NA", "quoteAll": "true", "emptyValue": ""}, {"lineSep": "x"},
           {"nullValue": "a,b", "emptyValue": 'q"q'}, {"nullValue": '"N"', "emptyValue": '"E"', "quoteAll": "true"}]


def escaped(text):
    if text is None:
        return "\\N"
    return "".join({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", " ": "\\_"}.get(sign, sign) for sign in text)


def main():
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    rows = [(text, "z") for text in TEXTS] + [("z", text) for text in TEXTS]
    frame = spark.createDataFrame(rows, "a STRING, b STRING").coalesce(1)
    lines = [" ".join(map(escaped, TEXTS))]
    for options in OPTIONS:
        with tempfile.TemporaryDirectory() as folder:
            frame.write.mode("overwrite").options(**options).csv(folder)
            part, = glob.glob(folder + "/part-*.csv")
            with open(part, newline="", encoding="utf-8") as file:
                lines += [" ".join(f"{key}={escaped(value)}" for key, value in options.items()), escaped(file.read())]
    pathlib.Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main()
