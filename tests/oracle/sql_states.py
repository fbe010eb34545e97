"""Compares the SQLSTATEs of common/base/sql_state.cc with those that Spark gives to the same error classes.

usage: with_spark.sh sql_states ROOT
"""
import json
import pathlib
import re
import sys
import zipfile

import pyspark

ENTRY = re.compile(r'\{"([A-Z][A-Z0-9_]*)", "([0-9A-Z]{5})"\}')


def spark_states():
    states = {}
    for jar in (pathlib.Path(pyspark.__file__).parent / "jars").glob("spark-common-utils*.jar"):
        with zipfile.ZipFile(jar) as files:
            for name in files.namelist():
                if name.endswith("error-conditions.json"):
                    states.update({key: value.get("sqlState") for key, value in json.loads(files.read(name)).items()})
    return states


def main():
    ours = dict(ENTRY.findall((pathlib.Path(sys.argv[1]) / "common/base/sql_state.cc").read_text()))
    spark = spark_states()
    if not spark:
        sys.exit("no error-conditions.json in Spark's jars")
    shared = ours.keys() & spark.keys()
    wrong = [f"{name}: ours {ours[name]}, Spark's {spark[name]}" for name in sorted(shared) if ours[name] != spark[name]]
    print("\n".join(wrong) or f"{len(shared)} classes of Spark's have its SQLSTATE; {len(ours) - len(shared)} are ours")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
