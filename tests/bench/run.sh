#!/usr/bin/env bash
# Builds the release tree and prints its figures, each with the command that gave it.
#
# usage: tests/bench/run.sh [cluster] [w1|tiny|epoch|disk ...] [--scale F] [--slots N] [--text FOLDER]
# BENCH_HOME: where data and results go, outside the clone; default ~/.cache/tidemill/bench
set -euo pipefail
cd "$(dirname "$0")/../.."
deploy/build_tree.sh release tidemill >&2
program=measure
if [ "${1:-}" = cluster ]; then
  program=cluster
  shift
fi
exec python3 "tests/bench/$program.py" build/release/tidemill "${BENCH_HOME:-$HOME/.cache/tidemill/bench}" "$@"
