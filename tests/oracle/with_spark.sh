#!/usr/bin/env bash
# Runs a comparison with Spark where there is one (record.sh makes it); ends with 77 where there is none.
#
# usage: tests/oracle/with_spark.sh random_queries TIDEMILL [--seed N] [--count N] [--kind KIND] [--keep FOLDER]
#        tests/oracle/with_spark.sh interop TIDEMILL
#        tests/oracle/with_spark.sh sql_states ROOT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${ORACLE_VENV:-$HOME/.cache/tidemill/pyspark}
if ! "$venv/bin/python" -c 'import pyspark, pyarrow' 2>/dev/null; then
  echo "no Spark in $venv: skipped"
  exit 77
fi
exec "$venv/bin/python" "$here/$1.py" "${@:2}"
