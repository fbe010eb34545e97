"""DuckDB over the files of a work, with 2 threads; run by the Python of environment.py.

usage: duckdb_peer.py WORK DATA                      runs the query, as the timed peer
       duckdb_peer.py WORK DATA --check FOLDER...    compares its rows with those of Parquet files: count, checksum in any order
"""
import json
import math
import sys

import duckdb

from works import WORKS


def connect():
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET memory_limit = '8GB'")
    return connection


def fingerprint(connection, work, rows):
    """Count, checksum of the exact columns, sums of the others."""
    row = ", ".join(work.exact)
    sums = "".join(f", sum({column})" for column in work.close)
    return connection.execute(f"SELECT count(*), sum(hash({row})::HUGEINT)::VARCHAR{sums} FROM ({rows})").fetchone()


def are_equal(mine, theirs):
    return mine[:2] == theirs[:2] and all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(mine[2:], theirs[2:]))


def main():
    work, data, folders = WORKS[sys.argv[1]], sys.argv[2], sys.argv[4:]
    query, where = (text.replace("{data}", data) for text in (work.duckdb, work.where))
    connection = connect()
    if not folders:
        connection.execute(f"SELECT {work.summary} FROM ({query})").fetchall()
        return
    expected = fingerprint(connection, work, f"SELECT * FROM ({query}) WHERE {where}")
    for folder in folders:
        found = fingerprint(connection, work, f"SELECT * FROM read_parquet('{folder}/*.parquet')")
        if not are_equal(found, expected):
            raise SystemExit(f"{folder}: (rows, checksum, ...) are {found}, DuckDB's {expected}")
    print(json.dumps({"rows": expected[0], "checksum": expected[1]}))


if __name__ == "__main__":
    main()
