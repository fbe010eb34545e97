#!/usr/bin/env bash
# Compares random queries with Spark's answers, where there is a Spark (record.sh makes one); ends
# with 77 where there is none.
#
# usage: tests/oracle/random_queries.sh TIDEMILL [--seed N] [--count N] [--kind KIND] [--keep FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${ORACLE_VENV:-$HOME/.cache/tidemill/pyspark}
if ! "$venv/bin/python" -c 'import pyspark' 2>/dev/null; then
  echo "no Spark in $venv: skipped"
  exit 77
fi
exec "$venv/bin/python" "$here/random_queries.py" "$@"
