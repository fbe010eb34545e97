#!/usr/bin/env bash
# Records Spark's answers into tests/queries/*.test, or with --functions into
# tests/functions/answers/*.txt. Needs Java 17 and, the first time, 450 MB for
# PySpark in a virtual environment outside the clone.
#
# usage: tests/oracle/record.sh [NAME...]     default: every file without an answer
#        tests/oracle/record.sh --functions [--again] [NAME...]     default: every missing answer
#        tests/oracle/record.sh --examples [--from-spark | --from-docs | FILE...]
#        tests/oracle/record.sh --script SCRIPT ANSWER              the rows of a SQL script
# ORACLE_VENV: where the environment is or goes, default ~/.cache/tidemill/pyspark
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${ORACLE_VENV:-$HOME/.cache/tidemill/pyspark}
if ! "$venv/bin/python" -c 'import pyspark' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q pyspark
fi
script=record.py
if [ "${1:-}" = --functions ]; then
  script=record_functions.py
  shift
elif [ "${1:-}" = --examples ]; then
  script=record_examples.py
  shift
elif [ "${1:-}" = --script ]; then
  script=record_script.py
  shift
fi
exec "$venv/bin/python" "$here/$script" "$@"
