#!/usr/bin/env bash
# Records Spark's answers into tests/queries/*.test. Needs Java 17 and, the first time, 450 MB for
# PySpark in a virtual environment outside the clone.
#
# usage: tests/oracle/record.sh [NAME...]     default: every file without an answer
# ORACLE_VENV: where the environment is or goes, default ~/.cache/tidemill/pyspark
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${ORACLE_VENV:-$HOME/.cache/tidemill/pyspark}
if ! "$venv/bin/python" -c 'import pyspark' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q pyspark
fi
exec "$venv/bin/python" "$here/record.py" "$@"
