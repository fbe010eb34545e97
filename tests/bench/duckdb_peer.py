"""DuckDB over the files of a work, with 2 threads; run by the Python of environment.py.

usage: duckdb_peer.py WORK DATA                                    runs the query, as the timed peer
       duckdb_peer.py WORK DATA --check [FOLDER...] --check-all [FOLDER...]

Compares its rows with those that others wrote: count, checksum in any order. --check: of streams whose last windows are open;
--check-all: of engines that give all rows. FOLDER: *.parquet, *.csv, or else a changelog as Debezium's JSON.
"""
import argparse
import json
import math
import pathlib

import duckdb

from works import WORKS


def connect():
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET memory_limit = '8GB'")
    return connection


def written_rows(connection, query, folder):
    """A query of the rows in a folder, with the types of `query` where the files do not say them."""
    if any(folder.glob("*.parquet")):
        return f"SELECT * FROM read_parquet('{folder}/*.parquet')"
    columns = connection.execute(f"DESCRIBE {query}").fetchall()
    if any(folder.glob("*.csv")):
        types = ", ".join(f"'{name}': '{kind}'" for name, kind, *_ in columns)
        return f"SELECT * FROM read_csv('{folder}/*.csv', header=true, quote='\"', escape='\"', allow_quoted_nulls=false, columns={{{types}}})"
    names = ", ".join(f'"{name}"' for name, *_ in columns)
    row = "STRUCT(" + ", ".join(f'"{name}" {kind}' for name, kind, *_ in columns) + ")"
    changes = f"read_json('{folder}/part-*', format='newline_delimited', columns={{before: '{row}', after: '{row}', op: 'VARCHAR'}})"
    copies = (f"SELECT {names}, sum(CASE op WHEN 'c' THEN 1 WHEN 'd' THEN -1 ELSE error('operation ' || op) END)::BIGINT AS copies "
              f"FROM (SELECT unnest(coalesce(after, before)), op FROM {changes}) GROUP BY {names}")
    return f"SELECT {names} FROM (SELECT {names}, unnest(range(copies)) FROM ({copies}))"


def fingerprint(connection, work, rows):
    """Count, checksum of the exact columns, sums of the others."""
    row = ", ".join(work.exact)
    sums = "".join(f", sum({column})" for column in work.close)
    return connection.execute(f"SELECT count(*), sum(hash({row})::HUGEINT)::VARCHAR{sums} FROM ({rows})").fetchone()


def are_equal(mine, theirs):
    return mine[:2] == theirs[:2] and all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(mine[2:], theirs[2:]))


def check(connection, work, query, folders):
    expected = fingerprint(connection, work, query)
    for folder in folders:
        found = fingerprint(connection, work, written_rows(connection, query, folder))
        if not are_equal(found, expected):
            raise SystemExit(f"{folder}: (rows, checksum, ...) are {found}, DuckDB's {expected}")
    return {"folders": len(folders), "rows": expected[0], "checksum": expected[1]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=list(WORKS))
    parser.add_argument("data")
    parser.add_argument("--check", nargs="*", type=pathlib.Path, default=[])
    parser.add_argument("--check-all", nargs="*", type=pathlib.Path, default=[])
    options = parser.parse_args()
    work = WORKS[options.work]
    query, where = (text.replace("{data}", options.data) for text in (work.duckdb, work.where))
    connection = connect()
    if not options.check + options.check_all:
        connection.execute(f"SELECT {work.summary} FROM ({query})").fetchall()
        return
    of_streams, of_all = options.check, options.check_all
    if where == "true":
        of_streams, of_all = of_streams + of_all, []
    checks = ((f"SELECT * FROM ({query}) WHERE {where}", of_streams), (query, of_all))
    print(json.dumps([check(connection, work, rows, folders) for rows, folders in checks if folders]))


if __name__ == "__main__":
    main()
