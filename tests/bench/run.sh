#!/usr/bin/env bash
# Builds the release tree and prints its figures, each with the command that gave it.
#
# usage: tests/bench/run.sh [w1|w2|w3|w4|w5 ...] [--scale F] [--runs N] [--peers LIST]   beside duckdb,hand-written,spark,flink
#        tests/bench/run.sh [w1|w2|w3|w4|w5 ...] --quick                                  a fifth of the data, no peers, 2 minutes
#        tests/bench/run.sh own [disk|tiny|epoch ...]
#        tests/bench/run.sh memory [fill|zipf ...] [--keys N] [--memory SIZE]
#        tests/bench/run.sh state [changed|restore|rescale ...] [--keys N]
#        tests/bench/run.sh cluster [disk|idle|epoch|fanout|worker|driver|rescale|slow|scaling ...]
#        tests/bench/run.sh micro [google-benchmark arguments]
# BENCH_HOME: where data and results go, outside the clone; default ~/.cache/tidemill/bench
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = micro ]; then
  shift
  export TEST_TMPDIR=${BENCH_HOME:-$HOME/.cache/tidemill/bench}
  mkdir -p "$TEST_TMPDIR"
  deploy/build_tree.sh release micro_bench >&2
  exec build/release/micro_bench "$@"
fi
case "${1:-}" in
  own) program=measure ;;
  cluster) program=cluster ;;
  memory) program=beyond_memory ;;
  state) program=large_state ;;
  *) program=compare ;;
esac
targets=(tidemill)
if [ "$program" = compare ]; then
  targets+=(hand_written)
else
  shift
fi
deploy/build_tree.sh release "${targets[@]}" >&2
exec python3 "tests/bench/$program.py" build/release/tidemill "${BENCH_HOME:-$HOME/.cache/tidemill/bench}" "$@"
